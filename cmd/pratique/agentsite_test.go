package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	push "github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/agent"
	"github.com/pratique/pratique/api"
	"github.com/pratique/pratique/internal/example"
	"github.com/pratique/pratique/registry"
	"github.com/pratique/pratique/registry/distribution/registrytest"
	"github.com/pratique/pratique/registry/oci"
	"github.com/pratique/pratique/source"
)

const (
	farName = "registry.site.invalid" // a name that only the site's network knows
	farSite = "factory-2"
)

// siteNetwork is the network of a site as its agent sees it: farName has an address
// there. While it is held, nothing in it answers.
type siteNetwork struct {
	oci.Connector
	source.Remote
	host    string
	held    atomic.Bool
	waiting atomic.Int32 // questions without an answer
}

func (n *siteNetwork) resolve(ctx context.Context, c registry.Connection) (registry.Connection, error) {
	c.Address = strings.Replace(c.Address, farName, n.host, 1)
	if n.held.Load() {
		n.waiting.Add(1)
		defer n.waiting.Add(-1)
		<-ctx.Done()
		return c, pratique.Errorf(pratique.CodeCancelled, "stopped: %w", context.Cause(ctx))
	}
	return c, nil
}

func (n *siteNetwork) List(ctx context.Context, c registry.Connection, q registry.Query, yield func(registry.Page) error) error {
	c, err := n.resolve(ctx, c)
	if err != nil {
		return err
	}
	return n.Connector.List(ctx, c, q, yield)
}

func (n *siteNetwork) Check(ctx context.Context, c registry.Connection) registry.Health {
	c, err := n.resolve(ctx, c)
	if err != nil {
		return registry.Health{}.Fail(err)
	}
	return n.Connector.Check(ctx, c)
}

func (n *siteNetwork) Open(ctx context.Context, c registry.Connection, repository string, digest pratique.Digest) (*source.Opened, error) {
	c, err := n.resolve(ctx, c)
	if err != nil {
		return nil, err
	}
	return n.Remote.Open(ctx, c, repository, digest)
}

func (n *siteNetwork) Inspect(ctx context.Context, c registry.Connection, repository string, digest pratique.Digest) (registry.Artifact, error) {
	c, err := n.resolve(ctx, c)
	if err != nil {
		return registry.Artifact{}, err
	}
	return n.Remote.Inspect(ctx, c, repository, digest)
}

// fill pushes some repositories of the example into a registry that asks who we are.
func fill(t *testing.T, host string, repositories int) (images int) {
	t.Helper()
	estate, err := example.Estate()
	check(t, err)
	who := push.WithAuth(&authn.Basic{Username: registrytest.Username, Password: registrytest.Password})
	for _, r := range estate[:repositories] {
		for _, tagged := range r.Tags {
			ref, err := name.ParseReference(host+"/"+r.Name+":"+tagged.Tag, name.Insecure)
			check(t, err)
			if tagged.Index != nil {
				err = push.WriteIndex(ref, tagged.Index, who)
			} else {
				err = push.Write(ref, tagged.Image, who)
			}
			check(t, err)
			images++
		}
	}
	return images
}

// A registry that only a site's network reaches is synchronised and scanned by the
// site's agent: what is known of it, and how it fails, is as of any other registry.
func TestSite(t *testing.T) {
	server := registrytest.Start(t, registrytest.Options{Basic: true})
	images := fill(t, server.Host, 3)
	p := servePort(t)
	network := &siteNetwork{host: server.Host}
	far, err := p.db.CreateRegistry(t.Context(), pratique.Registry{Name: "far", Kind: "oci", Address: "http://" + farName, Username: registrytest.Username, Site: farSite}, registrytest.Password)
	check(t, err)
	synchronise := func() pratique.Registry {
		t.Helper()
		p.startSync(far.ID)
		p.until("the synchronisation is over", func() bool {
			far, err = p.db.Registry(t.Context(), far.ID)
			return err == nil && (far.Sync.State == "success" || far.Sync.State == "failed")
		})
		return far
	}
	if r := synchronise(); r.Sync.State != "failed" || r.Sync.Error.Remedy == "" || r.Health.Status != string(registry.StatusUnreachable) || !strings.Contains(r.Health.Reason.EN, "none is online") || r.Health.Remedy.ZH == "" {
		t.Errorf("without an agent: %+v, %+v", r.Sync, r.Health)
	}

	if h := p.testKept(far.ID); h.Status != registry.StatusUnreachable || !strings.Contains(h.Reason.EN, "none is online") || h.Remedy.ZH == "" {
		t.Errorf("tested without an agent: %+v", h)
	}

	config := hostConfig(t, p.token(pratique.AgentSite, farSite), "gate")
	config.Site, config.Connectors, config.Remote = farSite, []registry.Connector{network}, network
	site := run(t, config)
	defer site.stop()
	p.until("the agent is there", func() bool {
		agents, err := p.db.Agents(t.Context())
		return err == nil && len(agents) == 1 && agents[0].Online
	})
	if r := synchronise(); r.Sync.State != "success" || r.Sync.Done != 3 || r.Health.Status != string(registry.StatusConnected) {
		t.Fatalf("by the agent: %+v, %+v\n%s", r.Sync, r.Health, p.log)
	}
	rows, err := p.db.Assets(t.Context(), pratique.AssetFilter{Registries: []int64{far.ID}}, pratique.PageRequest{Limit: 100})
	check(t, err)
	tags := map[string]bool{}
	for _, row := range rows.Items {
		tags[row.Repository+":"+row.Tag] = true
		if row.ImageID == "" || row.Status != pratique.StatusNotScanned {
			t.Errorf("row %+v", row)
		}
	}
	if len(tags) != images {
		t.Errorf("%d tags instead of %d", len(tags), images)
	}

	p.siteTests(t, far)
	p.siteScans(t, network, rows.Items)
	p.siteCancels(t, network, far, rows.Items[0])
	p.siteFails(t, far, synchronise)
	noCredential(t, config)
}

func (p *port) startSync(id int64) {
	p.t.Helper()
	body, err := json.Marshal(map[string]any{"ids": []int64{id}, "full": true})
	check(p.t, err)
	if got := p.ask(http.MethodPost, "/api/v1/registries/sync", body, nil); got != http.StatusAccepted {
		p.t.Fatalf("sync: %d", got)
	}
}

// siteScans: scans go through the agent, and what it reads is verified.
func (p *port) siteScans(t *testing.T, network *siteNetwork, rows []pratique.AssetRow) {
	t.Helper()
	task := p.ended(p.scanLocal(`{"scope":"all","categories":["vulnerability","secret","malware"]}`))
	if task.Total == 0 || task.Scanned != task.Total {
		t.Fatalf("task %+v\n%s", task, p.log)
	}
	scans, err := p.db.Scans(t.Context(), pratique.ScanFilter{}, pratique.PageRequest{Limit: 100})
	check(t, err)
	for _, c := range scans.Items {
		if !strings.HasPrefix(c.Worker, "agent:") {
			t.Errorf("scan %d was done by %q", c.ID, c.Worker)
		}
	}
	read, contents := 0, map[pratique.Digest]bool{}
	for _, row := range rows {
		report, err := p.db.Report(t.Context(), row.ImageID)
		check(t, err)
		for _, l := range report.Layers {
			if l.Attested || l.State != pratique.LayerRead && l.State != pratique.LayerCached {
				t.Errorf("%s: layer %+v", row.Repository, l)
			}
			if l.State == pratique.LayerRead && !contents[row.ImageID] {
				read++
			}
		}
		contents[row.ImageID] = true
	}
	if read < len(contents) { // each has a layer of its own, which the agent read for it
		t.Errorf("%d layers of %d contents are told to have been read", read, len(contents))
	}
	held, err := p.db.Components(t.Context(), pratique.FindingFilter{}, pratique.PageRequest{Limit: 10})
	if err != nil || len(held.Items) == 0 {
		t.Errorf("packages %+v, %v", held.Items, err)
	}
}

// siteCancels: whatever waits for the registry ends within seconds when it is
// cancelled.
func (p *port) siteCancels(t *testing.T, network *siteNetwork, far pratique.Registry, row pratique.AssetRow) {
	t.Helper()
	network.held.Store(true)
	defer network.held.Store(false)
	_, scans, err := p.db.CreateTask(t.Context(), pratique.TaskRequest{Kind: pratique.TaskManual, Creator: "test", Categories: []pratique.Category{pratique.CategorySecret}, ImageIDs: []pratique.Digest{row.ImageID}, Forced: true})
	check(t, err)
	p.startSync(far.ID)
	p.until("both wait for the registry", func() bool { return network.waiting.Load() == 2 })
	_, err = p.db.CancelScans(t.Context(), scans[0])
	check(t, err)
	if got := p.ask(http.MethodPost, "/api/v1/registries/"+numbersOf(far.ID)+"/sync/cancel", nil, nil); got != http.StatusNoContent {
		t.Fatalf("cancel: %d", got)
	}
	cancelled := time.Now()
	p.until("the agent has stopped", func() bool { return network.waiting.Load() == 0 })
	if took := time.Since(cancelled); took > 5*time.Second {
		t.Errorf("the agent stopped %s after that", took)
	}
	c, err := p.db.Scan(t.Context(), scans[0])
	if err != nil || c.Status != pratique.StatusCancelled {
		t.Errorf("scan %+v, %v", c, err)
	}
	far, err = p.db.Registry(t.Context(), far.ID)
	if err != nil || far.Sync.State != "failed" || far.Sync.Error.Code != pratique.CodeCancelled {
		t.Errorf("sync %+v, %v", far.Sync, err)
	}
}

// siteFails: what the agent met is told as of any other registry.
func (p *port) siteFails(t *testing.T, far pratique.Registry, synchronise func() pratique.Registry) {
	t.Helper()
	wrong := "not the password"
	_, err := p.db.UpdateRegistry(t.Context(), far, &wrong)
	check(t, err)
	if r := synchronise(); r.Sync.State != "failed" || r.Sync.Error.Code != pratique.CodeUnauthorized || r.Health.Status != string(registry.StatusAuthFailed) || r.Health.Reason.ZH == "" {
		t.Errorf("a wrong password: %+v, %+v", r.Sync, r.Health)
	}
}

// testFar tests the settings of a registry that only the site reaches.
func (p *port) testFar(password string) (h registry.Health) {
	p.t.Helper()
	body, err := json.Marshal(api.RegistryInput{
		RegistrySettings: api.RegistrySettings{Name: "farther", Kind: "oci", Address: "http://" + farName, NetworkType: "private", Site: farSite, Username: registrytest.Username}, Password: &password,
	})
	check(p.t, err)
	if got := p.ask(http.MethodPost, "/api/v1/registries/test", body, &h); got != http.StatusOK {
		p.t.Errorf("a connection test: %d", got)
	}
	return h
}

// siteTests: a connection is tested by the site's agent, whatever else it does, and
// what it met is told as of any other registry.
func (p *port) siteTests(t *testing.T, far pratique.Registry) {
	t.Helper()
	if h := p.testFar(registrytest.Password); h.Status != registry.StatusConnected || h.Agent != "gate" || len(h.Endpoints) == 0 || h.Checked.IsZero() {
		t.Errorf("the agent reaches it: %+v", h)
	}
	if h := p.testFar("not the password"); h.Status != registry.StatusAuthFailed || h.Reason.ZH == "" || h.Remedy.EN == "" || h.Agent != "gate" {
		t.Errorf("a wrong password: %+v", h)
	}
	if h := p.testKept(far.ID); h.Status != registry.StatusConnected {
		t.Errorf("the kept one: %+v", h)
	}
}

// testKept tests a registry that is kept.
func (p *port) testKept(id int64) (h registry.Health) {
	p.t.Helper()
	if got := p.ask(http.MethodPost, "/api/v1/registries/"+numbersOf(id)+"/test", nil, &h); got != http.StatusOK {
		p.t.Errorf("a connection test: %d", got)
	}
	return h
}

// noCredential: an agent keeps no password of a registry.
func noCredential(t *testing.T, c agent.Config) {
	t.Helper()
	files := 0
	check(t, filepath.WalkDir(c.Data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if files++; bytes.Contains(b, []byte(registrytest.Password)) {
			t.Errorf("%s holds the registry's password", path)
		}
		return err
	}))
	if files == 0 {
		t.Error("the agent keeps nothing: where was it looked?")
	}
}
