package main

import (
	"context"
	"encoding/json"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/agent"
	"github.com/pratique/pratique/agent/wire"
	"github.com/pratique/pratique/api"
	"github.com/pratique/pratique/engine/containerd"
	"github.com/pratique/pratique/engine/docker"
	"github.com/pratique/pratique/internal/enginetest"
	"github.com/pratique/pratique/layer"
	"github.com/pratique/pratique/source"
	"github.com/pratique/pratique/store"
)

// port is a running service with its port for agents.
type port struct {
	*running
	db   *store.Store
	data string
}

func servePort(t *testing.T, args ...string) *port {
	t.Helper()
	return servePortOn(t, filepath.Join(t.TempDir(), "data"), args...)
}

func servePortOn(t *testing.T, data string, args ...string) *port {
	t.Helper()
	p := &port{data: data, running: started(t, true, append([]string{"serve", "--data", data, "--listen", "127.0.0.1:0", "--agent-listen", "127.0.0.1:0", "--feeds-every", "0", "--stop-timeout", "5s"}, args...)...)}
	t.Cleanup(p.end)
	p.signInFirst()
	p.openStore()
	return p
}

func (p *port) signInFirst() {
	p.t.Helper()
	if got := p.ask("POST", "/api/v1/session", []byte(`{"name":"admin","password":"`+p.password+`"}`), nil); got != 200 {
		p.t.Fatalf("sign-in: %d", got)
	}
	if got := p.ask("PUT", "/api/v1/session/password", []byte(`{"current":"`+p.password+`","password":"`+longPassword+`"}`), nil); got != 200 {
		p.t.Fatalf("password: %d", got)
	}
}

func (p *port) openStore() {
	p.t.Helper()
	keys, err := store.OpenKeyring(filepath.Join(p.data, "key"))
	check(p.t, err)
	p.db, err = store.Open(p.t.Context(), filepath.Join(p.data, "pratique.db"), keys)
	check(p.t, err)
	p.t.Cleanup(func() { _ = p.db.Close() })
}

// token asks for one as the console does.
func (p *port) token(kind pratique.AgentKind, site string) api.NewToken {
	p.t.Helper()
	body, err := json.Marshal(api.TokenInput{Kind: kind, Site: site, Uses: 1, ExpiresHours: 1})
	check(p.t, err)
	var token api.NewToken
	if got := p.ask(http.MethodPost, "/api/v1/agent-tokens", body, &token); got != http.StatusCreated {
		p.t.Fatalf("token: %d", got)
	}
	return token
}

// testHost is an agent with a host's name, an engine, and nothing else.
type testHost struct {
	agent.Config
	stop  func()
	ended chan error
}

func hostConfig(t *testing.T, token api.NewToken, name string, engines ...agent.Engine) agent.Config {
	t.Helper()
	dir := t.TempDir()
	flags := &agentFlags{data: dir}
	return agent.Config{
		Server: token.Server, Token: func() (string, error) { return token.Secret, nil }, Data: dir, Engines: engines, Version: "test",
		Host: func() (pratique.Host, error) {
			return pratique.Host{ID: pratique.DigestOf([]byte(name)).Hex()[:32], Name: name, IPs: []string{"192.0.2.7"}, OS: "Debian", Kernel: "6.1"}, nil
		},
		Connectors: connectors(), Remote: &source.Remote{}, Pass: func(key []byte) (*layer.Pass, error) { return flags.pass(key, dir) }, Scratch: dir, Rules: flags.rules,
	}
}

func run(t *testing.T, c agent.Config) *testHost {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	h := &testHost{Config: c, ended: make(chan error, 1)}
	go func() { h.ended <- agent.Run(ctx, c) }()
	h.stop = func() {
		stop()
		if err := <-h.ended; err != nil {
			t.Errorf("the agent did not stop in peace: %v", err)
		}
	}
	return h
}

func (p *port) until(what string, done func() bool) {
	p.t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if done() {
			return
		}
	}
	p.t.Fatalf("waited in vain until %s\n%s", what, p.log)
}

// images are the rows of images on hosts by their names.
func (p *port) images() map[string]pratique.AssetRow {
	p.t.Helper()
	page, err := p.db.Assets(p.t.Context(), pratique.AssetFilter{Source: pratique.SourceLocal}, pratique.PageRequest{Limit: 1000})
	check(p.t, err)
	all := map[string]pratique.AssetRow{}
	for _, row := range page.Items {
		all[row.Repository+":"+row.Tag] = row
	}
	return all
}

// scan asks for scans of images on hosts, and returns the task.
func (p *port) scanLocal(body string) pratique.Task {
	p.t.Helper()
	var task pratique.Task
	if got := p.ask(http.MethodPost, "/api/v1/tasks", []byte(body), &task); got != http.StatusCreated {
		p.t.Fatalf("task: %d", got)
	}
	return task
}

const allLocal = `{"scope":"all","filter":{"source":"local"},"categories":["vulnerability","secret","malware"]}`

func (p *port) ended(task pratique.Task) pratique.Task {
	p.t.Helper()
	p.until("the task is over", func() bool {
		var err error
		task, err = p.db.Task(p.t.Context(), task.ID)
		return err == nil && task.Ended != nil
	})
	return task
}

// Two hosts with two engines and images that overlap: one scan for each content, both
// hosts in the rows, and what a host says stays its word.
func TestFleet(t *testing.T) {
	d, c, base := enginetest.Docker(t), enginetest.Containerd(t), enginetest.Base(t)
	d.Run(t, "import", base, "t/base:1")
	d.Run(t, "build", "-q", "--network", "none", "-t", "t/app:1", enginetest.Context(t, "t/base:1", "fleet"))
	d.Run(t, "tag", "t/app:1", "t/app:same")
	saved := filepath.Join(t.TempDir(), "app.tar")
	d.Run(t, "save", "-o", saved, "t/app:1")
	c.Run(t, "-n", "k8s.io", "images", "import", saved)
	d.Run(t, "run", "-d", "--name", "busy", "--network", "none", "t/app:1")
	d.Run(t, "run", "--name", "over", "--network", "none", "t/app:1", "/bin/busybox", "true")

	p := servePort(t)
	first := p.token(pratique.AgentHost, "")
	one := run(t, hostConfig(t, first, "one", agent.Engine{Name: "docker", Engine: docker.New(docker.Options{Host: "unix://" + d.Socket})}))
	two := run(t, hostConfig(t, p.token(pratique.AgentHost, ""), "two", agent.Engine{Name: "containerd", Engine: containerd.New(containerd.Options{Address: c.Socket})}))
	defer two.stop()

	p.until("both hosts have told", func() bool {
		images := p.images()
		return images["t/app:1"].Containers == 2 && images["docker.io/t/app:1"].Hosts == 2 && images["t/base:1"].Hosts == 1
	})
	images := p.images()
	if app, same := images["t/app:1"], images["docker.io/t/app:1"]; app.ImageID != same.ImageID || app.Hosts != 2 || app.RunningContainers != 1 || !app.Running {
		t.Errorf("on docker %+v, on containerd %+v", app, same)
	}
	hosts, err := p.db.Hosts(t.Context(), pratique.HostFilter{ImageIDs: []pratique.Digest{images["t/app:1"].ImageID}}, pratique.PageRequest{Limit: 10})
	if err != nil || len(hosts.Items) != 2 || !hosts.Items[0].Online {
		t.Errorf("hosts %+v, %v", hosts.Items, err)
	}

	task := p.ended(p.scanLocal(allLocal))
	contents := map[pratique.Digest]bool{}
	for _, row := range p.images() {
		contents[row.ImageID] = true
		if row.Status != pratique.StatusScanned {
			t.Errorf("%s:%s is %s: %+v", row.Repository, row.Tag, row.Status, row.ScanError)
		}
	}
	if task.Total != len(contents) || task.Scanned != len(contents) || len(contents) != 2 {
		t.Errorf("%d contents, task %+v\n%s", len(contents), task, p.log)
	}
	if app := p.images()["t/app:1"]; app.Counters.Secrets.Total() != 1 {
		t.Errorf("the secret was not found: %+v", app.Counters)
	}
	report, err := p.db.Report(t.Context(), images["t/app:1"].ImageID)
	check(t, err)
	if !slices.ContainsFunc(report.Layers, func(l pratique.Layer) bool { return l.State == pratique.LayerRead }) {
		t.Errorf("the agent is told to have read nothing: %+v", report.Layers)
	}
	for _, l := range report.Layers {
		if !l.Attested || l.State != pratique.LayerRead && l.State != pratique.LayerCached {
			t.Errorf("layer %+v", l)
		}
	}

	// Events: a container that ends, and an image that goes, are known within seconds.
	d.Run(t, "rm", "-f", "busy", "over")
	d.Run(t, "rmi", "t/app:same")
	changed := time.Now()
	p.until("the changes are known", func() bool {
		images := p.images()
		_, there := images["t/app:same"]
		return !there && images["t/app:1"].Containers == 0 && !images["t/app:1"].Running
	})
	if took := time.Since(changed); took > 5*time.Second {
		t.Errorf("changes were known after %s", took)
	}

	// A data update is answered by both.
	var update pratique.DataUpdate
	if got := p.ask(http.MethodPost, "/api/v1/data-updates", []byte(`{}`), &update); got != http.StatusCreated {
		t.Fatalf("data update: %d", got)
	}
	p.until("the data update is over", func() bool {
		update, err = p.db.DataUpdate(t.Context(), update.ID)
		return err == nil && update.Ended != nil
	})
	if update.Done != 2 || len(update.Failed) != 0 {
		t.Errorf("data update %+v", update)
	}

	p.identities(first, one)
}

// identities: what keys are worth.
func (p *port) identities(used api.NewToken, one *testHost) {
	t := p.t
	agents, err := p.db.Agents(t.Context())
	check(t, err)
	if len(agents) != 2 {
		t.Fatalf("agents %+v", agents)
	}
	// A token that was used up lets nobody else in.
	other := hostConfig(t, used, "three")
	if err := agent.Run(t.Context(), other); pratique.CodeOf(err) != pratique.CodeUnauthorized {
		t.Errorf("a used token: %v", err)
	}
	// Nor does one of another service.
	parsed, err := wire.ParseToken(p.token(pratique.AgentHost, "").Secret)
	check(t, err)
	parsed.Authority[0] ^= 1
	other.Token = func() (string, error) { return parsed.String(), nil }
	if err := agent.Run(t.Context(), other); pratique.CodeOf(err) != pratique.CodeUnauthorized || !strings.Contains(err.Error(), "not the service") {
		t.Errorf("a service that is another: %v", err)
	}
	// Revoking is immediate, also for one that is connected.
	i := slices.IndexFunc(agents, func(a pratique.Agent) bool { return a.Name == "one" })
	if got := p.ask(http.MethodDelete, "/api/v1/agents/"+numbersOf(agents[i].ID), nil, nil); got != http.StatusNoContent {
		t.Fatalf("revoke: %d", got)
	}
	select {
	case err := <-one.ended:
		if pratique.CodeOf(err) != pratique.CodeUnauthorized {
			t.Errorf("a revoked agent ended with %v", err)
		}
	case <-time.After(2 * pratique.HeartbeatEvery):
		t.Error("a revoked agent goes on")
	}
	notes, err := p.db.Notes(t.Context(), pratique.AuditFilter{Action: "agent"}, pratique.PageRequest{Limit: 50})
	check(t, err)
	actions := map[string]int{}
	for _, n := range notes.Items {
		actions[n.Action]++
	}
	if actions["agent.enrol"] != 2 || actions["agent.revoke"] != 1 {
		t.Errorf("noted: %v", actions)
	}
}

func numbersOf(id int64) string {
	b, _ := json.Marshal(id)
	return string(b)
}
