package registry

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"github.com/pratique/pratique"
)

// Limits of a webhook's call.
const (
	maxCall  = 1 << 20 // bytes
	maxHints = 1000
)

// Receive checks a webhook's call and has parse read its body. The registry
// proves itself by the connection's secret in the Authorization header: as it
// is, as a Bearer token, or as a Basic password. Receive reads the generic form
// by itself:
//
//	{"action": "push", "repository": "team/app", "tag": "1.2", "digest": "sha256:…"}
//
// or {"events": [ … ]} with several of them; tag and digest may be absent, and
// the action may be "delete".
//
// Hints that name no valid repository, or one that the connection's filter does not
// let through, are left out; repeated ones come once.
func Receive(c Connection, r *http.Request, parse func(body []byte) ([]Hint, error)) ([]Hint, error) {
	if r.Method != http.MethodPost {
		return nil, invalid("a webhook is called with %.20q", r.Method).WithRemedy("let the registry use POST")
	}
	if !authentic(c.WebhookSecret, r) {
		return nil, pratique.Errorf(pratique.CodeUnauthorized, "the webhook's call does not carry the secret").
			WithRemedy("set the connection's webhook secret as the Authorization header in the registry")
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxCall+1))
	if err != nil {
		return nil, pratique.Errorf(pratique.CodeUnreachable, "the webhook's call ends too early: %w", err).WithRemedy("let the registry try again")
	}
	if len(body) > maxCall {
		return nil, pratique.Errorf(pratique.CodeLimit, "the webhook's call is larger than %d KiB", maxCall>>10).
			WithRemedy("let the registry send fewer events at once, and none about blobs")
	}
	hints, ok := generic(body)
	if !ok {
		if hints, err = parse(body); err != nil {
			return nil, err
		}
	}
	return checked(c, hints), nil
}

// UnknownPayload is the error for a body that no format fits.
func UnknownPayload() error {
	return invalid("the webhook's call has no known form").
		WithRemedy("choose the registry's JSON format; the connection's type must be the registry's")
}

// authentic compares hashes, whose length tells nothing, in constant time.
func authentic(secret string, r *http.Request) bool {
	if secret == "" {
		return false
	}
	given := r.Header.Get("Authorization")
	_, password, _ := r.BasicAuth()
	scheme, token, _ := strings.Cut(given, " ")
	return same(given, secret) || same(password, secret) ||
		strings.EqualFold(scheme, "Bearer") && same(strings.TrimSpace(token), secret)
}

func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

type genericEvent struct {
	Action     string `json:"action"`
	Repository string `json:"repository"`
	Tag        string `json:"tag"`
	Digest     string `json:"digest"`
}

// generic reads our own form. It is recognised by a repository that is a text
// beside an action: the other forms keep it in an object.
func generic(body []byte) (hints []Hint, ok bool) {
	var doc struct {
		genericEvent
		Events []json.RawMessage `json:"events"`
	}
	if json.Unmarshal(body, &doc) != nil {
		return nil, false
	}
	events := []genericEvent{doc.genericEvent}
	if len(doc.Events) > 0 {
		events = events[:0]
		for _, raw := range doc.Events[:min(len(doc.Events), maxHints)] {
			var e genericEvent
			if json.Unmarshal(raw, &e) != nil || bytes.Contains(raw, []byte(`"target"`)) {
				return nil, false
			}
			events = append(events, e)
		}
	}
	for _, e := range events {
		if e.Action == "" || e.Repository == "" {
			return nil, false
		}
		hints = append(hints, Hint{Action(e.Action), e.Repository, e.Tag, pratique.Digest(e.Digest)})
	}
	return hints, true
}

func checked(c Connection, hints []Hint) []Hint {
	var valid []Hint
	seen := map[Hint]bool{}
	for _, h := range hints {
		if !ValidTag(h.Tag) {
			h.Tag = ""
		}
		if _, err := pratique.ParseDigest(string(h.Digest)); err != nil {
			h.Digest = ""
		}
		known := h.Action == ActionPush || h.Action == ActionDelete
		if !known || !ValidRepository(h.Repository) || !c.Includes(h.Repository) || seen[h] || len(valid) == maxHints {
			continue
		}
		seen[h] = true
		valid = append(valid, h)
	}
	return valid
}
