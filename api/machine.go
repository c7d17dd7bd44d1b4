package api

import (
	"cmp"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/agent/wire"
	"github.com/pratique/pratique/registry"
	"github.com/pratique/pratique/scan"
)

// MachineDeps is what a [Machine] stands on.
type MachineDeps struct {
	Fleet     *scan.Fleet
	Authority *Authority
	Audit     AuditStore
	Rules     RuleSource   // of packs that agents read layers with
	SecretKey []byte       // of secrets' hashes, which agents make as well
	Version   string       // of the program
	Log       *slog.Logger // may be nil
}

// RuleSource has the packs of rules for malware that are in force.
type RuleSource interface {
	// Packs are all of them. Nil: they are not known yet.
	Packs() *wire.RuleSet
	// Open opens the content of one, which is CodeNotFound when it is in force no longer.
	Open(digest pratique.Digest) (*os.File, error)
}

// Machine answers agents: package wire says how they speak. It has a port of its
// own, so that people's proxies and agents' certificates do not meet.
type Machine struct {
	MachineDeps

	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	waiting  prometheus.Gauge
	throttle *throttle
	unfold   chan struct{} // large messages that are being unpacked
	ending   chan struct{} // closed when no answer may wait any longer

	mu     sync.Mutex
	guests map[string]*guest // by key, or by address for those without
}

// Limits of the port as a whole, and of one agent. An agent has a connection or two.
const (
	maxConnections       = 8192
	maxConnectionsFrom   = 512 // one address, which may be a whole site's
	maxRequestsOf        = 8   // at once
	maxWaitingOf         = 2   // of these, questions for work
	requestsPerSecond    = 50  // and as many more at once
	unfoldedAtOnce       = 2
	messageTimeout       = time.Minute
	judgeTimeout         = 5 * time.Minute
	largeMessage         = 1 << 20 // bytes of JSON from which unpacking takes turns
	maxGuests            = 50_000
	machineHeaderTimeout = 10 * time.Second
)

// guest is one agent, as far as it takes of what all share.
type guest struct {
	running, waiting int
	tokens           float64 // requests that it may make now
	last             time.Time
}

// NewMachine returns one that answers as soon as it is served.
func NewMachine(d MachineDeps) *Machine {
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	return &Machine{
		MachineDeps: d,
		requests:    prometheus.NewCounterVec(prometheus.CounterOpts{Name: "pratique_agent_messages_total", Help: "Messages of agents, by kind, and code of those that were refused."}, []string{"message", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "pratique_agent_message_duration_seconds", Help: "Time to answer an agent; work waits up to half a minute.",
			Buckets: []float64{.001, .005, .025, .1, .5, 1, 5, 30, 120}}, []string{"message"}),
		waiting:  prometheus.NewGauge(prometheus.GaugeOpts{Name: "pratique_agents_waiting", Help: "Agents that wait for work at this server."}),
		throttle: newThrottle(time.Now), unfold: make(chan struct{}, unfoldedAtOnce), ending: make(chan struct{}), guests: map[string]*guest{},
	}
}

// Collectors are its metrics.
func (m *Machine) Collectors() []prometheus.Collector {
	return []prometheus.Collector{m.requests, m.duration, m.waiting}
}

// Serve answers until ctx ends, and then lets answers end for grace.
func (m *Machine) Serve(ctx context.Context, on net.Listener, names []string, grace time.Duration) error {
	server := &http.Server{
		Handler: m.Handler(), TLSConfig: m.Authority.TLS(names), ReadHeaderTimeout: machineHeaderTimeout, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
		HTTP2: &http.HTTP2Config{MaxConcurrentStreams: 2 * maxRequestsOf}, ErrorLog: slog.NewLogLogger(m.Log.Handler(), slog.LevelDebug),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.ServeTLS(newLimitedListener(on), "", "") }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	close(m.ending)
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if server.Shutdown(stop) != nil {
		return server.Close()
	}
	return nil
}

// Handler answers all messages.
func (m *Machine) Handler() http.Handler {
	mux := http.NewServeMux()
	reply(m, mux, m.enrol)
	reply(m, mux, m.renew)
	reply(m, mux, m.hello)
	reply(m, mux, m.beat)
	reply(m, mux, m.piece)
	reply(m, mux, m.engines)
	reply(m, mux, m.inventory)
	reply(m, mux, m.work)
	reply(m, mux, m.refreshed)
	reply(m, mux, m.tested)
	reply(m, mux, m.known)
	reply(m, mux, m.facts)
	reply(m, mux, m.progress)
	reply(m, mux, m.finish)
	reply(m, mux, m.fail)
	reply(m, mux, m.release)
	reply(m, mux, m.repository)
	reply(m, mux, m.manifests)
	reply(m, mux, m.listed)
	reply(m, mux, m.synced)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		m.refuse(w, "unknown", pratique.Errorf(pratique.CodeNotFound, "there is nothing for agents at this address").WithRemedy("update the service, then its agents; people use the console's address"))
	})
	return mux
}

// caller is who sent a message.
type caller struct {
	agent   pratique.Agent    // zero when it has no certificate
	cert    *x509.Certificate // likewise nil
	address netip.Addr
}

// spoken is a pointer to a wire.Message of type M.
type spoken[M any] interface {
	*M
	wire.Message
}

// reply adds the route of a message.
func reply[M any, P spoken[M]](m *Machine, mux *http.ServeMux, do func(context.Context, caller, P) (any, error)) {
	var kind P = new(M)
	name := kind.Path()
	mux.HandleFunc("POST "+wire.Prefix+name, func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		defer func() {
			m.duration.WithLabelValues(name).Observe(time.Since(began).Seconds())
			if v := recover(); v != nil {
				m.Log.Error("a message of an agent could not be answered", "message", name, "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
				m.refuse(w, name, pratique.Errorf(pratique.CodeInternal, "something went wrong inside the service").WithRemedy("look into the service's log"))
			}
		}()
		result, err := m.exchange(w, r, name, func(ctx context.Context, from caller) (any, error) {
			into := P(new(M))
			if err := m.read(ctx, w, r, into); err != nil {
				return nil, err
			}
			return do(ctx, from, into)
		})
		if err != nil {
			m.refuse(w, name, err)
			return
		}
		m.tell(w, name, result)
	})
}

// exchange finds out who asks, and holds everybody to their share.
func (m *Machine) exchange(w http.ResponseWriter, r *http.Request, name string, do func(context.Context, caller) (any, error)) (any, error) {
	limit := messageTimeout
	if name == "finish" || name == "fail" || name == "known" {
		limit = judgeTimeout
	}
	ctx, cancel := context.WithTimeout(r.Context(), limit)
	defer cancel()
	out := http.NewResponseController(w)
	_ = out.SetReadDeadline(time.Now().Add(messageTimeout)) // a server that cannot has other limits
	_ = out.SetWriteDeadline(time.Now().Add(limit + messageTimeout))
	address, _ := peerAddress(r)
	from := caller{address: address}
	who := "from " + address.String()
	if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
		from.cert = r.TLS.PeerCertificates[0]
		who = wire.CertificateKey(from.cert)
	}
	leave, err := m.admit(who, name == "work")
	if err != nil {
		return nil, err
	}
	defer leave()
	if name != "enrol" {
		if from.agent, err = m.identify(ctx, from.cert); err != nil {
			return nil, err
		}
	}
	return do(ctx, from)
}

// identify looks up who has a key, each time: a revoked one is known at once.
func (m *Machine) identify(ctx context.Context, cert *x509.Certificate) (pratique.Agent, error) {
	if cert == nil {
		return pratique.Agent{}, pratique.Errorf(pratique.CodeUnauthorized, "there is no certificate with the message").WithRemedy("enrol the agent with a token")
	}
	if time.Now().After(cert.NotAfter) {
		return pratique.Agent{}, pratique.Errorf(pratique.CodeUnauthorized, "the agent's certificate has expired").WithRemedy("enrol the agent again with a new token")
	}
	return m.Fleet.Store.AgentByKey(ctx, wire.CertificateKey(cert))
}

// admit counts a request, and refuses it when there are too many of one guest.
func (m *Machine) admit(who string, waits bool) (leave func(), err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	g := m.guests[who]
	if g == nil {
		m.makeRoom(now)
		g = &guest{tokens: requestsPerSecond, last: now}
		m.guests[who] = g
	}
	g.tokens = min(requestsPerSecond, g.tokens+now.Sub(g.last).Seconds()*requestsPerSecond)
	g.last = now
	if g.tokens < 1 || g.running >= maxRequestsOf || waits && g.waiting >= maxWaitingOf {
		return nil, pratique.Errorf(pratique.CodeRateLimited, "the agent asks more than it may").WithRemedy("it slows down by itself; look whether two programs use the same key")
	}
	g.tokens--
	g.running++
	if waits {
		g.waiting++
	}
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		g.running--
		if waits {
			g.waiting--
		}
	}, nil
}

func (m *Machine) makeRoom(now time.Time) {
	if len(m.guests) < maxGuests {
		return
	}
	for who, g := range m.guests {
		if g.running == 0 && now.Sub(g.last) > time.Second {
			delete(m.guests, who)
		}
	}
}

// read takes a message off the line, whatever time that takes, before it takes one
// of the few turns to unpack it: who sends slowly keeps nobody else waiting.
func (m *Machine) read(ctx context.Context, w http.ResponseWriter, r *http.Request, into wire.Message) error {
	limit := into.Limit()
	body, err := wire.Read(http.MaxBytesReader(w, r.Body, limit.Packed+1), r.ContentLength, limit)
	if err != nil {
		return err
	}
	packed := r.Header.Get("Content-Encoding") == "gzip"
	if limit.Bytes > largeMessage && (packed || len(body) > largeMessage) {
		select {
		case m.unfold <- struct{}{}:
			defer func() { <-m.unfold }()
		case <-ctx.Done():
			return pratique.Errorf(pratique.CodeUnreachable, "the service is busy").WithRemedy("the agent tries again by itself")
		}
	}
	return wire.Decode(body, packed, into)
}

func (m *Machine) tell(w http.ResponseWriter, name string, result any) {
	m.requests.WithLabelValues(name, "").Inc()
	m.write(w, http.StatusOK, result)
}

// refuse answers with an error. What went wrong inside the service is for its log.
func (m *Machine) refuse(w http.ResponseWriter, name string, err error) {
	var known *pratique.Error
	if !errors.As(err, &known) {
		known = pratique.Errorf(pratique.CodeInternal, "something went wrong inside the service").WithRemedy("look into the service's log")
		if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
			known = pratique.Errorf(pratique.CodeUnreachable, "the service did not answer in time").WithRemedy("the agent tries again by itself")
		} else {
			m.Log.Error("a message of an agent could not be answered", "message", name, "error", err)
		}
	}
	told := *known
	if foreign(known.Cause) {
		told.Message = withoutCause(known)
	}
	m.requests.WithLabelValues(name, string(told.Code)).Inc()
	m.write(w, wire.Status(told.Code), &told)
}

func (m *Machine) write(w http.ResponseWriter, status int, v any) {
	body, packed, err := wire.Encode(v)
	if err != nil {
		status, packed = http.StatusInternalServerError, false
		body, _ = json.Marshal(pratique.Errorf(pratique.CodeInternal, "the answer cannot be written"))
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	if packed {
		h.Set("Content-Encoding", "gzip")
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) // an agent that is gone asks again
}

// enrol lets whoever knows a token's secret become an agent.
func (m *Machine) enrol(ctx context.Context, from caller, e *wire.Enrol) (any, error) {
	account := "agent at " + from.address.String()
	if wait := m.throttle.attempt(account, from.address); wait > 0 {
		return nil, pratique.Errorf(pratique.CodeRateLimited, "too many enrolments from this address failed").WithRemedy("try again in %s", wait.Round(time.Second))
	}
	key, id, err := readRequest(e.Request)
	if err != nil {
		return nil, err
	}
	a, err := m.Fleet.Store.Enrol(ctx, pratique.AgentSecretHash(e.Secret), pratique.Agent{Kind: e.Kind, Site: e.Site, Name: cmp.Or(e.Name, e.Host.Name), Key: id, Version: e.Version}, e.Host)
	if err != nil {
		m.Log.Warn("an agent could not enrol", "address", from.address, "name", e.Name, "error", err)
		return nil, err
	}
	m.throttle.succeeded(account, from.address)
	m.note(ctx, a, from, "agent.enrol", fmt.Sprintf("kind %s, key %.16s, token %d", a.Kind, a.Key, a.TokenID))
	m.Log.Info("an agent enrolled", "agent", a.Name, "id", a.ID, "kind", a.Kind, "address", from.address)
	return m.certify(a, key)
}

func (m *Machine) certify(a pratique.Agent, key any) (any, error) {
	der, expires, err := m.Authority.Sign(key, fmt.Sprintf("agent %d", a.ID))
	if err != nil {
		return nil, err
	}
	return &wire.Certified{AgentID: a.ID, Certificate: der, Authority: m.Authority.Certificate(), Expires: expires}, nil
}

func (m *Machine) note(ctx context.Context, a pratique.Agent, from caller, action, detail string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	entry := pratique.AuditEntry{User: fmt.Sprintf("agent %d", a.ID), Action: action, Target: a.Name, Address: from.address.String(), Detail: detail}
	if err := m.Audit.Note(ctx, entry); err != nil {
		m.Log.Error("the audit log cannot be written", "action", action, "target", a.Name, "error", err)
	}
}

func (m *Machine) renew(_ context.Context, from caller, _ *wire.Renew) (any, error) {
	return m.certify(from.agent, from.cert.PublicKey)
}

func (m *Machine) hello(ctx context.Context, from caller, _ *wire.Hello) (any, error) {
	if err := m.Fleet.Store.AgentStarted(ctx, from.agent.ID); err != nil {
		return nil, err
	}
	return &wire.Welcome{AgentID: from.agent.ID, Kind: from.agent.Kind, Site: from.agent.Site, Service: m.Version, SecretKey: m.SecretKey, Rules: m.Rules.Packs()}, nil
}

func (m *Machine) beat(ctx context.Context, from caller, b *wire.Beat) (any, error) {
	return &wire.Standing{Rules: m.Rules.Packs()}, m.Fleet.Store.AgentBeat(ctx, from.agent.ID, b.Host, b.Version, b.Problems)
}

// piece gives out a part of a pack of rules.
func (m *Machine) piece(_ context.Context, _ caller, p *wire.Piece) (any, error) {
	f, err := m.Rules.Open(p.Digest)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b := make([]byte, wire.PieceSize)
	n, err := f.ReadAt(b, p.From)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return &wire.Content{Bytes: b[:n]}, nil
}

func (m *Machine) engines(ctx context.Context, from caller, e *wire.Engines) (any, error) {
	return &wire.Done{}, m.Fleet.Store.DropEngines(ctx, from.agent.ID, e.Engines)
}

func (m *Machine) inventory(ctx context.Context, from caller, i *wire.Inventory) (any, error) {
	return &wire.Done{}, m.Fleet.Store.PutInventory(ctx, from.agent.ID, i.Inventory)
}

func (m *Machine) work(ctx context.Context, from caller, w *wire.Work) (any, error) {
	wait := min(time.Duration(w.Wait)*time.Millisecond, wire.WorkWait)
	m.waiting.Inc()
	defer m.waiting.Dec()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-m.ending: // nothing is claimed any more
			cancel()
		case <-ctx.Done():
		}
	}()
	work, err := m.Fleet.Work(ctx, from.agent, wait, w.Busy, w.Syncing)
	if err != nil {
		return nil, err
	}
	task := &wire.Task{AgentWork: work}
	registries, passwords, err := m.Fleet.Registries(ctx, work)
	if err != nil {
		return nil, err
	}
	for i, r := range registries {
		task.Registries = append(task.Registries, wire.Registry{Registry: r, Password: passwords[i]})
	}
	return task, nil
}

func (m *Machine) refreshed(ctx context.Context, from caller, r *wire.Refreshed) (any, error) {
	return &wire.Done{}, m.Fleet.Store.RefreshDone(ctx, from.agent.ID, r.ID, r.Error)
}

func (m *Machine) tested(ctx context.Context, from caller, t *wire.Tested) (any, error) {
	h := t.Health
	health := registry.Health{
		Status: registry.Status(h.Status), Reason: h.Reason, Remedy: h.Remedy, Message: h.Message, Product: h.Product, Version: registry.Version(h.Version),
		Endpoints: h.Endpoints, Sources: h.Sources, Latency: h.Latency, Checked: time.Now().UTC(),
	}
	for _, w := range h.Warnings {
		health.Warnings = append(health.Warnings, registry.Warning{Reason: w.Reason, Remedy: w.Remedy})
	}
	return &wire.Done{}, m.Fleet.Tested(ctx, from.agent, t.ID, health)
}

func (m *Machine) known(ctx context.Context, from caller, k *wire.Known) (any, error) {
	known, err := m.Fleet.KnownLayers(ctx, from.agent, k.Scan, k.Attempt, k.Config, k.Keys)
	return &wire.Layers{Known: known}, err
}

func (m *Machine) facts(ctx context.Context, from caller, f *wire.Facts) (any, error) {
	return &wire.Done{}, m.Fleet.PutFacts(ctx, from.agent, f.Scan, f.Attempt, f.Config, f.Facts)
}

func (m *Machine) progress(ctx context.Context, from caller, p *wire.Progress) (any, error) {
	lease, err := m.Fleet.Lease(ctx, from.agent, p.Scan, p.Attempt)
	if err != nil {
		return nil, err
	}
	return &wire.Done{}, m.Fleet.Store.Beat(ctx, lease, p.Progress)
}

func (m *Machine) finish(ctx context.Context, from caller, f *wire.Finish) (any, error) {
	return &wire.Done{}, m.Fleet.Finish(ctx, from.agent, f.Scan, f.Attempt, f.Reading)
}

func (m *Machine) fail(ctx context.Context, from caller, f *wire.Fail) (any, error) {
	return &wire.Done{}, m.Fleet.Fail(ctx, from.agent, f.Scan, f.Attempt, f.Error, f.Reading)
}

func (m *Machine) release(ctx context.Context, from caller, r *wire.Release) (any, error) {
	lease, err := m.Fleet.Lease(ctx, from.agent, r.Scan, r.Attempt)
	if err != nil {
		return nil, err
	}
	return &wire.Done{}, m.Fleet.Store.Release(ctx, lease)
}

func (m *Machine) repository(ctx context.Context, from caller, r *wire.Repository) (any, error) {
	run, err := m.Fleet.SiteRun(ctx, from.agent, r.Run.Run)
	if err != nil {
		return nil, err
	}
	rows, err := m.Fleet.Syncer.Store.RepositoryAssets(ctx, run.RegistryID, r.Repository)
	return &wire.Rows{Rows: rows}, err
}

func (m *Machine) manifests(ctx context.Context, from caller, r *wire.Manifests) (any, error) {
	run, err := m.Fleet.SiteRun(ctx, from.agent, r.Run.Run)
	if err != nil {
		return nil, err
	}
	rows, err := m.Fleet.Syncer.Store.KnownManifests(ctx, run.RegistryID, r.Digests...)
	return &wire.Rows{Rows: rows}, err
}

func (m *Machine) listed(ctx context.Context, from caller, l *wire.Listed) (any, error) {
	run, err := m.Fleet.SiteRun(ctx, from.agent, l.Run.Run)
	if err != nil {
		return nil, err
	}
	result, err := m.Fleet.Syncer.Store.SyncRepository(ctx, run.RegistryID, l.Repository, l.Rows, l.Whole)
	result.Unread = nil
	return &result, err
}

func (m *Machine) synced(ctx context.Context, from caller, s *wire.Synced) (any, error) {
	run, err := m.Fleet.SiteRun(ctx, from.agent, s.Run.Run)
	if err != nil {
		return nil, err
	}
	run.Done, run.Total, run.Added, run.Changed, run.Gone = s.Done, s.Total, s.Added, s.Changed, s.Gone
	if s.End == nil {
		return &wire.Done{}, m.Fleet.Syncer.Store.SyncProgress(ctx, run)
	}
	end := scan.SyncEnd{Run: run, Wish: s.End.Wish, New: s.End.New, Reads: s.End.Reads, Partly: s.End.Partly}
	if e := s.End.Error; e != nil {
		failure := *e
		if f := s.End.Fault; f != nil {
			failure.Cause = &registry.Fault{Status: registry.Status(f.Status), Reason: f.Reason, Remedy: f.Remedy}
		}
		end.Failure = &failure
	}
	return &wire.Done{}, m.Fleet.Syncer.EndSite(ctx, from.agent.Site, end)
}

// limitedListener holds the port, and each address, to a number of connections.
type limitedListener struct {
	net.Listener
	mu    sync.Mutex
	from  map[string]int
	total int
}

func newLimitedListener(on net.Listener) *limitedListener {
	return &limitedListener{Listener: on, from: map[string]int{}}
}

// Accept closes what is too much at once, without a word.
func (l *limitedListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		host, _, _ := net.SplitHostPort(conn.RemoteAddr().String())
		l.mu.Lock()
		full := l.total >= maxConnections || l.from[host] >= maxConnectionsFrom
		if !full {
			l.total++
			l.from[host]++
		}
		l.mu.Unlock()
		if !full {
			return &limitedConn{Conn: conn, list: l, host: host}, nil
		}
		_ = conn.Close()
	}
}

type limitedConn struct {
	net.Conn
	list *limitedListener
	host string
	once sync.Once
}

func (c *limitedConn) Close() error {
	c.once.Do(func() {
		c.list.mu.Lock()
		defer c.list.mu.Unlock()
		c.list.total--
		if c.list.from[c.host]--; c.list.from[c.host] == 0 {
			delete(c.list.from, c.host)
		}
	})
	return c.Conn.Close()
}
