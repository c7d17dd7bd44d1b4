package api

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/registry"
)

// Deps is what the API stands on. Fields without "may" have to be given.
type Deps struct {
	Version      string // of the program
	Users        UserStore
	Sessions     SessionStore
	Preferences  PreferenceStore
	Audit        AuditStore
	Registries   RegistryStore
	Images       ImageStore
	Contents     ContentStore
	Findings     FindingStore
	Repositories RepositoryStore
	Tasks        TaskStore
	Scans        Scans
	Syncs        Syncs
	Overviews    OverviewStore
	Settings     SettingsKeeper
	Connectors   []registry.Connector
	Feeds        Feeds
	Events       *Hub
	Schedules    Schedules   // may be nil
	Quota        QuotaStore  // may be nil
	Exports      Exports     // may be nil
	ExportRows   ExportStore // may be nil
	Hosts        HostStore   // may be nil, with DataUpdates
	DataUpdates  DataUpdates // may be nil, with Hosts
	Agents       AgentStore  // may be nil
	Checks       []Check
	Log          *slog.Logger // may be nil

	// AgentServer may say what agents connect to, when the console is reached by a host
	// name, and how the secret of a token is written for them. Nil: nothing listens for
	// agents, and no token is made.
	AgentServer func(host, secret string) (address, token string, err error)

	// Judge gives the report of an image its verdict.
	Judge func(*pratique.Report)
	// Egress may be the addresses that registries see; by default the machine's own
	// are told.
	Egress []string
	// Console may be the files of the console; it answers whatever is not the API's.
	Console http.Handler
	// Metrics may be further collectors for /metrics.
	Metrics []prometheus.Collector
	// TrustedProxies may be networks whose X-Forwarded-For and X-Forwarded-Proto
	// count.
	TrustedProxies []netip.Prefix
	// Origins may be addresses (https://HOST) under which the console is opened, if
	// a proxy changes the Host header on the way.
	Origins []string
	// CursorKey signs cursors. Servers that share a database should share it. By
	// default it is made anew at each start.
	CursorKey []byte
	// Demo says that everything here is made up; the console shows it on every page.
	Demo bool

	// SessionIdle ends a session that is not used (1 h by default), SessionLife any
	// session (12 h).
	SessionIdle, SessionLife time.Duration

	now func() time.Time // for tests
}

type server struct {
	Deps
	log      *slog.Logger
	api      huma.API
	metrics  *metrics
	hasher   *hasher
	throttle *throttle
	ending   sync.Mutex    // see touch
	testing  chan struct{} // connection tests that run
}

const (
	bodyTimeout  = 30 * time.Second
	testsAtOnce  = 8
	defaultIdle  = time.Hour
	defaultLife  = 12 * time.Hour
	cursorKeyLen = 32
)

// New returns the handler of all that the service answers over HTTP.
func New(d Deps) (http.Handler, error) {
	s, err := newServer(d)
	if err != nil {
		return nil, err
	}
	return s.handler(), nil
}

func newServer(d Deps) (*server, error) {
	if err := complete(d); err != nil {
		return nil, err
	}
	d.SessionIdle, d.SessionLife = cmp.Or(d.SessionIdle, defaultIdle), cmp.Or(d.SessionLife, defaultLife)
	if d.now == nil {
		d.now = time.Now
	}
	if len(d.CursorKey) == 0 {
		d.CursorKey = make([]byte, cursorKeyLen)
		if _, err := rand.Read(d.CursorKey); err != nil {
			return nil, err
		}
	}
	s := &server{Deps: d, log: d.Log, hasher: newHasher(), throttle: newThrottle(d.now), testing: make(chan struct{}, testsAtOnce)}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	var err error
	s.metrics, err = newMetrics(append(d.Metrics, prometheus.NewGaugeFunc(
		prometheus.GaugeOpts{Name: "pratique_event_clients", Help: "Clients that listen to events."},
		func() float64 { return float64(d.Events.Clients()) })))
	return s, err
}

// complete refuses a server that would panic at its first request.
func complete(d Deps) error {
	v := reflect.ValueOf(d)
	for _, name := range []string{"Users", "Sessions", "Preferences", "Audit", "Registries", "Images", "Contents", "Findings", "Repositories", "Tasks", "Scans", "Syncs", "Overviews", "Settings", "Feeds", "Events", "Judge"} {
		if v.FieldByName(name).IsNil() {
			return fmt.Errorf("api: Deps.%s is missing", name)
		}
	}
	for _, origin := range d.Origins {
		if u, err := url.Parse(origin); err != nil || u.Scheme == "" || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.User != nil {
			return fmt.Errorf("api: %q is no origin (https://HOST)", origin)
		}
	}
	if d.SessionIdle < 0 || d.SessionLife < 0 {
		return errors.New("api: a session cannot end before it begins")
	}
	return nil
}

func (s *server) handler() http.Handler {
	mux := http.NewServeMux()
	s.api = humago.New(mux, s.config())
	s.sessionOperations()
	s.preferenceOperations()
	s.registryOperations()
	s.syncOperations()
	s.repositoryOperations()
	s.imageOperations()
	s.contentOperations()
	s.compareOperations()
	s.reportOperations()
	s.findingOperations()
	s.taskOperations()
	s.overviewOperations()
	s.settingsOperations()
	s.feedOperations()
	s.scheduleOperations()
	s.quotaOperations()
	s.exportOperations()
	s.hostOperations()
	s.agentOperations()
	s.auditOperations()
	s.eventOperations()
	neverNull(s.api.OpenAPI())
	s.description(mux)
	s.probes(mux)
	s.plain(mux, basePath+"/", s.nothing)
	if s.Console != nil {
		s.plain(mux, "/", s.Console.ServeHTTP)
	} else {
		s.plain(mux, "/", s.nothing)
	}
	return s.observe(s.guard(s.limits(s.sameOrigin(compact(mux)))))
}

// plain adds a route that is not an operation of the API.
func (s *server) plain(mux *http.ServeMux, pattern string, f http.HandlerFunc) {
	mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		exchangeOf(r.Context()).route = pattern
		if probe(pattern) && r.Method != http.MethodGet && r.Method != http.MethodHead {
			s.nothing(w, r)
			return
		}
		f(w, r)
	})
}

// nothing answers for paths that do not exist, and for methods that those which do
// exist have not.
func (s *server) nothing(w http.ResponseWriter, r *http.Request) {
	if allowed := s.methodsOf(r.URL.Path); len(allowed) > 0 {
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		writeProblem(w, r, newProblem(http.StatusMethodNotAllowed, codeMethod, "this address has no such method").withParam("allowed", allowed))
		return
	}
	writeProblem(w, r, newProblem(http.StatusNotFound, "not_found", "there is nothing at this address").withRemedy("see /openapi.json for what there is"))
}

// methodsOf lists what an operation's path can be asked with.
func (s *server) methodsOf(path string) []string {
	if probe(path) {
		return []string{http.MethodGet, http.MethodHead}
	}
	for pattern, item := range s.api.OpenAPI().Paths {
		if !samePath(pattern, path) {
			continue
		}
		var all []string
		for _, m := range []struct {
			name string
			op   *huma.Operation
		}{{http.MethodGet, item.Get}, {http.MethodPost, item.Post}, {http.MethodPut, item.Put}, {http.MethodPatch, item.Patch}, {http.MethodDelete, item.Delete}} {
			if m.op != nil {
				all = append(all, m.name)
			}
		}
		return all
	}
	return nil
}

func samePath(pattern, path string) bool {
	x, y := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		if x[i] != y[i] && (!strings.HasPrefix(x[i], "{") || y[i] == "") {
			return false
		}
	}
	return true
}

// Serve runs a server until ctx ends, then lets requests finish for grace, and
// closes. The hub's streams are ended first: they would not end by themselves.
func Serve(ctx context.Context, server *http.Server, hub *Hub, grace time.Duration, listen func() error) error {
	failed := make(chan error, 1)
	go func() { failed <- listen() }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	hub.Close()
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if err := server.Shutdown(stop); err != nil {
		return errors.Join(fmt.Errorf("requests did not end within %s: %w", grace, err), server.Close())
	}
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
