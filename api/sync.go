package api

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/registry"
)

// Syncs brings what is known of registries up to date.
type Syncs interface {
	// StartSync wants registries to be synchronised, without ids all of them. It
	// returns those that began to wait for it, and those that were at it already.
	StartSync(ctx context.Context, full bool, by string, registries ...int64) (started, running []int64, err error)
	CancelSync(ctx context.Context, registry int64) error
	// TestSite lets an agent of the registry's site test a connection.
	TestSite(ctx context.Context, r pratique.Registry, password string) (registry.Health, error)
	// Hook takes a call of a registry's webhook. It is CodeUnauthorized when the call
	// does not carry the registry's secret, and for a registry that does not exist.
	Hook(ctx context.Context, registry int64, r *http.Request) error
}

// SyncRequest chooses registries.
type SyncRequest struct {
	IDs  []int64 `json:"ids,omitempty" maxItems:"1000" doc:"Registries; left out, all of them"`
	Full bool    `json:"full,omitempty" doc:"List everything; else only what is new, where the registry can tell"`
}

// SyncStarted says what became of a request.
type SyncStarted struct {
	Started []int64 `json:"started" doc:"Registries that wait for it now"`
	Running []int64 `json:"running" doc:"Registries that were at it already"`
}

// Egress is how this service appears to registries: what their allow lists must
// have, and what it must be able to reach.
type Egress struct {
	Addresses  []string           `json:"addresses"`
	Configured bool               `json:"configured" doc:"Given by --egress; else the machine's own addresses, which a gateway may change on the way"`
	Registries []RegistryEndpoint `json:"registries"`
}

// RegistryEndpoint is what one registry answers at, as far as its last test told.
type RegistryEndpoint struct {
	ID        int64    `json:"id"`
	Name      string   `json:"name"`
	Endpoints []string `json:"endpoints" doc:"HOST:PORT"`
}

// hookInput keeps the request: what is in it is the connector's to read.
type hookInput struct {
	RowID
	request *http.Request
}

// Resolve is called by huma with the request.
func (in *hookInput) Resolve(ctx huma.Context) []error {
	in.request, _ = humago.Unwrap(ctx)
	return nil
}

func (s *server) syncOperations() {
	handle(s, operation{id: "syncRegistries", method: http.MethodPost, path: "/registries/sync", tag: "registries", right: RightRegistries, status: http.StatusAccepted,
		summary: "Synchronise registries", detail: "It is not waited for: see the sync of each registry, and the events."}, s.startSync)
	handle(s, operation{id: "cancelSync", method: http.MethodPost, path: "/registries/{id}/sync/cancel", tag: "registries", right: RightRegistries, status: http.StatusNoContent,
		summary: "Stop synchronising a registry", detail: "What was listed until then stays."},
		func(ctx context.Context, in *RegistryID) (*struct{}, error) {
			r, err := s.Registries.Registry(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			if err := s.Syncs.CancelSync(ctx, in.ID); err != nil {
				return nil, err
			}
			s.did(ctx, "registry.sync.cancel", r.Name, "")
			return nil, nil
		})
	handle(s, operation{id: "callHook", method: http.MethodPost, path: "/hooks/{id}", tag: "registries", right: RightNone, status: http.StatusAccepted,
		summary: "For a registry's webhook: something was pushed",
		detail:  "The body is what registries of its kind send; the Authorization header has the secret that was set here. What it names is looked up in the registry, and what is new is scanned.",
		adjust: func(o *huma.Operation) {
			o.Parameters = nil                                                                                             // no browser comes here
			o.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {}}} // without a schema: huma must not read it
		}},
		func(ctx context.Context, in *hookInput) (*struct{}, error) {
			err := s.Syncs.Hook(ctx, in.ID, in.request)
			if pratique.CodeOf(err) == pratique.CodeUnauthorized {
				p := problemOf(err)
				p.Status, p.Title = http.StatusUnauthorized, http.StatusText(http.StatusUnauthorized)
				return nil, p
			}
			return nil, err
		})
	handle(s, operation{id: "getEgress", method: http.MethodGet, path: "/egress", tag: "registries", right: RightRead,
		summary: "Which addresses registries must let in, and which must be reachable from here"}, s.egress)
}

func (s *server) startSync(ctx context.Context, in *struct{ Body SyncRequest }) (*body[SyncStarted], error) {
	target := "all"
	if ids := in.Body.IDs; len(ids) > 0 {
		target = ""
		for i, id := range ids {
			r, err := s.Registries.Registry(ctx, id)
			if err != nil {
				return nil, fieldProblem("body.ids["+strconv.Itoa(i)+"]", err)
			}
			target += ", " + r.Name
		}
		target = target[2:]
	}
	started, running, err := s.Syncs.StartSync(ctx, in.Body.Full, exchangeOf(ctx).user, in.Body.IDs...)
	if err != nil {
		return nil, err
	}
	s.did(ctx, "registry.sync", target, fmt.Sprintf("full: %t, %d started, %d running", in.Body.Full, len(started), len(running)))
	return &body[SyncStarted]{SyncStarted{Started: started, Running: running}}, nil
}

func (s *server) egress(ctx context.Context, _ *struct{}) (*body[Egress], error) {
	e := Egress{Addresses: s.Egress, Configured: len(s.Egress) > 0}
	if !e.Configured {
		var err error
		if e.Addresses, err = ownAddresses(); err != nil {
			return nil, err
		}
	}
	rows, err := s.Registries.Registries(ctx)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		e.Registries = append(e.Registries, RegistryEndpoint{ID: r.ID, Name: r.Name, Endpoints: r.Health.Addresses})
	}
	return &body[Egress]{e}, nil
}

// ownAddresses are the machine's, without those that nobody else sees.
func ownAddresses() ([]string, error) {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil, err
	}
	var addresses []string
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok && !n.IP.IsLoopback() && !n.IP.IsLinkLocalUnicast() {
			addresses = append(addresses, n.IP.String())
		}
	}
	slices.Sort(addresses)
	return slices.Compact(addresses), nil
}
