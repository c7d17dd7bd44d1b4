package harbor

import (
	"encoding/json"
	"net/http"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/registry"
)

// actions of the events that tell of a change. Pulls, scans, quotas and the rest
// do not concern us: our own pulls raise events too.
var actions = map[string]registry.Action{
	"PUSH_ARTIFACT":           registry.ActionPush, // 2.x
	"DELETE_ARTIFACT":         registry.ActionDelete,
	"harbor.artifact.pushed":  registry.ActionPush, // 2.x as CloudEvents
	"harbor.artifact.deleted": registry.ActionDelete,
	"pushImage":               registry.ActionPush, // 1.x
	"deleteImage":             registry.ActionDelete,
}

// Webhook reads calls of Harbor 1 and 2, in Harbor's own form or as CloudEvents,
// and the generic form. They come late, out of order, and more than once.
func (Connector) Webhook(conn registry.Connection, r *http.Request) ([]registry.Hint, error) {
	return registry.Receive(conn, r, parseEvent)
}

type eventData struct {
	Resources []struct {
		Digest string `json:"digest"`
		Tag    string `json:"tag"` // the digest again where there is none
	} `json:"resources"`
	Repository struct {
		Name      string `json:"name"`
		Namespace string `json:"namespace"`
		FullName  string `json:"repo_full_name"`
	} `json:"repository"`
}

func parseEvent(body []byte) ([]registry.Hint, error) {
	var event struct {
		Type      string     `json:"type"`
		EventData *eventData `json:"event_data"`
		Data      *eventData `json:"data"` // CloudEvents
	}
	if err := json.Unmarshal(body, &event); err != nil || event.Type == "" {
		return nil, registry.UnknownPayload()
	}
	action, concerns := actions[event.Type]
	data := event.EventData
	if data == nil {
		data = event.Data
	}
	if !concerns || data == nil {
		return nil, nil
	}
	name := data.Repository.FullName
	if name == "" {
		name = data.Repository.Namespace + "/" + data.Repository.Name
	}
	var hints []registry.Hint
	for _, r := range data.Resources {
		hints = append(hints, registry.Hint{Action: action, Repository: name, Tag: r.Tag, Digest: pratique.Digest(r.Digest)})
	}
	return hints, nil
}
