// Package agent is the side of Pratique that is where images are: on a host with
// container engines, or in a network with registries that the service does not
// reach.
//
// An agent connects to the service and to nothing else of ours; it opens no port.
// It tells what its host has whenever an engine says that something changed, asks
// for work, and reads the layers of images with the same pass that workers use
// ([scan.Read]). What it finds goes to the service as facts, layer by layer, so that
// whoever goes on after an agent that died does not begin again. It judges nothing
// and needs no feeds. In a site's network it also lists registries, as the service
// lists others ([scan.ListSite]). Rules for malware, which have to be where bytes are,
// it keeps as the service names them ([rules]). Package wire says how the two speak.
//
// An agent has little state: its key with the certificate, and the engines that it
// has told about ([state]). It lives with the host that it runs on: the host's work
// comes first ([Yield]), memory is bounded, and nothing of the host is changed.
package agent

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/agent/wire"
	"github.com/pratique/pratique/engine"
	"github.com/pratique/pratique/layer"
	"github.com/pratique/pratique/registry"
	"github.com/pratique/pratique/scan"
	"github.com/pratique/pratique/source"
)

// Config is how an agent runs. Fields without "may" have to be given.
type Config struct {
	Server string // https://HOST:PORT of the service for agents
	// Token gives the token's text, if there is one; it is asked when the agent has to
	// enrol.
	Token func() (string, error)
	Data  string // folder of the agent's state, its own
	Site  string // may be the site whose registries it reads, instead of a host's images

	// Of a host: what it is, and its engines by names for people.
	Host    func() (pratique.Host, error)
	Engines []Engine
	// InventoryEvery is how often inventories are taken without an event.
	InventoryEvery time.Duration // may be 0: five minutes

	// Pass makes what layers are read with, from the installation's key of secrets'
	// hashes and the rules that are kept here.
	Pass    func(secretKey []byte) (*layer.Pass, error)
	Scratch string // folder for large files
	// Rules makes the packs of rules that are kept here those that are given, and tells
	// whether they are others than before. fetch writes the content of one.
	Rules func(ctx context.Context, packs []wire.RulePack, fetch func(ctx context.Context, digest pratique.Digest, w io.Writer) error) (changed bool, err error)
	// Of a site: its kinds of registries, and what opens their images.
	Connectors []registry.Connector
	Remote     Remote

	Parallel int // images that are read at once; may be 0: one
	Version  string
	Log      *slog.Logger
}

// Engine is an engine of the host.
type Engine struct {
	Name string // for people, and among this agent's: "docker", "podman of alice"
	engine.Engine
}

// Remote reads registries.
type Remote interface {
	Open(ctx context.Context, conn registry.Connection, repository string, digest pratique.Digest) (*source.Opened, error)
	scan.Inspector
}

const (
	inventoryEvery = 5 * time.Minute
	// renewFrom is the part of a certificate's life after which it is renewed.
	renewFrom = 3
)

// agent is a running one.
type agent struct {
	Config
	client  *client
	state   *state
	rules   rules
	watches []*watch
	asking  chan struct{} // see [rowsAtOnce]
	news    chan struct{} // what a heartbeat tells has changed

	mu       sync.Mutex
	problems map[string]pratique.Problem // of engines that cannot be opened
}

// Run runs an agent until ctx ends, which is no error, or the service no longer
// wants it.
func Run(ctx context.Context, c Config) error {
	if c.InventoryEvery == 0 {
		c.InventoryEvery = inventoryEvery
	}
	c.Parallel = max(c.Parallel, 1)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	st, unlock, err := openState(c.Data)
	if err != nil {
		return err
	}
	defer unlock()
	a := &agent{Config: c, state: st, asking: make(chan struct{}, rowsAtOnce), news: make(chan struct{}, 1), problems: map[string]pratique.Problem{}}
	welcome, err := a.join(ctx)
	if err != nil {
		return ended(ctx, err)
	}
	a.rules = rules{agent: a, key: welcome.SecretKey, named: make(chan *wire.RuleSet, 1)}
	if err := a.rules.begin(ctx, welcome.Rules); err != nil {
		return ended(ctx, err)
	}
	defer a.rules.pass.Close()
	c.Log.Info("the agent works", "id", welcome.AgentID, "service", welcome.Service, "engines", len(c.Engines))
	for _, e := range c.Engines {
		a.watches = append(a.watches, newWatch(a, e))
	}
	return ended(ctx, a.work(ctx))
}

// ended takes the end of ctx for what it is.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func (a *agent) work(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, w := range a.watches {
		group.Go(func() error { return w.run(ctx) })
	}
	if a.Site == "" {
		group.Go(func() error { return a.tellEngines(ctx) })
	}
	group.Go(func() error { return a.beat(ctx) })
	group.Go(func() error { return a.rules.follow(ctx) })
	group.Go(func() error { return a.takeWork(ctx) })
	return group.Wait()
}

// join makes sure that the service knows us: with the certificate that we have, else
// by the token.
func (a *agent) join(ctx context.Context) (welcome wire.Welcome, err error) {
	if a.client, err = newClient(a.Server, a.state); err != nil {
		return welcome, err
	}
	if a.state.enrolled() {
		err := a.client.persist(ctx, &wire.Hello{Version: a.Version}, &welcome)
		if pratique.CodeOf(err) != pratique.CodeUnauthorized {
			return welcome, err
		}
		// Somebody revoked us, or we were off for long. A token that we have not used yet
		// is an invitation.
		token, missing := a.token()
		if missing != nil || a.state.used(token) {
			return welcome, err
		}
	}
	token, err := a.token()
	if err != nil {
		return welcome, err
	}
	if err := a.enrol(ctx, token); err != nil {
		return welcome, err
	}
	return welcome, a.client.persist(ctx, &wire.Hello{Version: a.Version}, &welcome)
}

func (a *agent) token() (wire.Token, error) {
	text, err := a.Token()
	if err != nil {
		return wire.Token{}, err
	}
	return wire.ParseToken(text)
}

func (a *agent) enrol(ctx context.Context, token wire.Token) error {
	host, err := a.host()
	if err != nil {
		return err
	}
	request, err := a.state.newKey()
	if err != nil {
		return err
	}
	ask := &wire.Enrol{Secret: token.Secret, Request: request, Kind: pratique.AgentHost, Name: wire.Line(host.Name, 255), Version: a.Version, Host: host}
	if a.Site != "" {
		ask.Kind, ask.Site = pratique.AgentSite, a.Site
	}
	var certified wire.Certified
	if err := a.client.enrol(ctx, token, ask, &certified); err != nil {
		return err
	}
	if err := a.state.certified(certified, token); err != nil {
		return err
	}
	a.Log.Info("the agent enrolled", "id", certified.AgentID)
	return a.client.renewed()
}

// host is this host as messages may have it.
func (a *agent) host() (pratique.Host, error) {
	h, err := a.Host()
	if err != nil {
		return h, err
	}
	h.Name, h.OS, h.Kernel = wire.Line(h.Name, 255), wire.Line(h.OS, 200), wire.Line(h.Kernel, 200)
	h.Engines = a.state.engines()
	return h, nil
}

// beat says that we live, and renews the certificate in time.
func (a *agent) beat(ctx context.Context) error {
	tick := time.NewTicker(pratique.HeartbeatEvery)
	defer tick.Stop()
	for {
		err := a.beatOnce(ctx)
		switch pratique.CodeOf(err) {
		case pratique.CodeUnauthorized:
			return err
		case "":
		default:
			a.Log.Warn("the service did not take a heartbeat", "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		case <-a.news:
		}
	}
}

func (a *agent) beatOnce(ctx context.Context) error {
	host, err := a.host()
	if err != nil {
		return err
	}
	var standing wire.Standing
	if err := a.client.ask(ctx, &wire.Beat{Host: host, Version: a.Version, Problems: a.told()}, &standing); err != nil {
		return err
	}
	a.rules.name(standing.Rules)
	if !a.state.shouldRenew(time.Now()) {
		return nil
	}
	var certified wire.Certified
	if err := a.client.ask(ctx, &wire.Renew{}, &certified); err != nil {
		return err
	}
	if err := a.state.renewed(certified); err != nil {
		return err
	}
	a.Log.Info("the agent's certificate was renewed", "until", certified.Expires)
	return a.client.renewed()
}

// told are the problems that the service knows of us.
func (a *agent) told() (all []pratique.Problem) {
	all = a.rules.problems()
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, w := range a.watches {
		p, ok := a.problems[w.Name]
		if !ok || a.elsewhere(p) {
			continue
		}
		all = append(all, p)
	}
	return all
}

// elsewhere tells whether a problem is no more than that an engine is not installed,
// on a host that has another.
func (a *agent) elsewhere(p pratique.Problem) bool {
	return p.Code == pratique.CodeUnreachable && len(a.problems) < len(a.watches)
}

// trouble notes why an engine cannot be opened, or that it can.
func (a *agent) trouble(engine string, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	before, had := a.problems[engine]
	if err == nil {
		delete(a.problems, engine)
		return
	}
	p := pratique.Problem{Code: pratique.CodeOf(err), Message: wire.Line(engine+": "+err.Error(), 1000), Partial: true}
	if known := (*pratique.Error)(nil); errors.As(err, &known) {
		p.Remedy = wire.Line(known.Remedy, 1000)
	}
	a.problems[engine] = p
	if !had || before.Message != p.Message {
		a.Log.Warn("an engine cannot be asked", "engine", engine, "error", err)
	}
}

// tellEngines says which engines there are, once all have been looked for.
func (a *agent) tellEngines(ctx context.Context) error {
	for _, w := range a.watches {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-w.looked:
		}
	}
	a.state.keepEngines(a.names())
	return a.client.persist(ctx, &wire.Engines{Engines: a.state.engines()}, &wire.Done{})
}

func (a *agent) names() (all []string) {
	for _, w := range a.watches {
		all = append(all, w.Name)
	}
	slices.Sort(all)
	return all
}
