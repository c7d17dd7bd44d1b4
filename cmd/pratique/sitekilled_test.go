package main

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/registry/distribution/registrytest"
	"github.com/pratique/pratique/scan"
)

// gate stands before a registry. While it is shut, whoever asks for tags waits.
type gate struct {
	*httptest.Server
	shut    atomic.Bool
	waiting atomic.Int32
}

func newGate(t *testing.T, host string) *gate {
	t.Helper()
	g := &gate{}
	to := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: host})
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/tags/list") {
			g.waiting.Add(1)
			defer g.waiting.Add(-1)
			for g.shut.Load() && r.Context().Err() == nil {
				time.Sleep(20 * time.Millisecond)
			}
		}
		to.ServeHTTP(w, r)
	}))
	t.Cleanup(g.Close)
	return g
}

// A site's agent that dies in the middle of a synchronisation leaves a run that says
// so, and the next one is right. A push that comes while a run goes on is shown, and
// looked at after it.
func TestSiteKilled(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	server := registrytest.Start(t, registrytest.Options{Basic: true})
	images := fill(t, server.Host, 3)
	before := newGate(t, server.Host)
	fleet := mortalFleet(t, pratique.AgentToken{Kind: pratique.AgentSite, Site: farSite})
	db := fleet.db
	site := &hostProcess{args: append(fleet.enrol, "--site", farSite)}
	site.start(t)
	far, err := db.CreateRegistry(ctx, pratique.Registry{Name: "far", Kind: "oci", Address: before.URL, Username: registrytest.Username, Site: farSite}, registrytest.Password)
	check(t, err)

	until := func(what string, done func(r pratique.Registry) bool) pratique.Registry {
		t.Helper()
		for deadline := time.Now().Add(90 * time.Second); ; time.Sleep(50 * time.Millisecond) {
			r, err := db.Registry(ctx, far.ID)
			check(t, err)
			if done(r) {
				return r
			}
			if time.Now().After(deadline) {
				t.Fatalf("waited in vain until %s: %+v\n%s\n%s", what, r.Sync, site.log, fleet.service.log)
			}
		}
	}
	here := func(pratique.Registry) bool { online, err := db.SiteOnline(ctx, farSite); return err == nil && online }
	until("the agent is there", here)
	before.shut.Store(true)
	whole := pratique.WholeSync{Full: true, By: "test", Reason: scan.ReasonManual, At: time.Now().UTC()}
	check(t, db.WantSync(ctx, far.ID, pratique.SyncWish{Whole: &whole}))
	until("the agent lists the registry", func(r pratique.Registry) bool { return r.Sync.State == "running" && before.waiting.Load() > 0 })
	check(t, db.WantSync(ctx, far.ID, pratique.SyncWish{Hints: map[string]time.Time{"team/app": time.Now().UTC()}}))
	if r := until("the push is known", func(r pratique.Registry) bool { return r.Sync.Hinted > 0 }); r.Sync.State != "running" || r.Sync.Hinted != 1 {
		t.Errorf("a push in the middle of a run: %+v", r.Sync)
	}

	site.kill()
	before.shut.Store(false)
	r := until("the run is over", func(r pratique.Registry) bool { return r.Sync.State == "failed" })
	if e := r.Sync.Error; e == nil || !strings.Contains(e.Message, farSite) || e.Remedy == "" || r.Sync.Hinted != 1 {
		t.Errorf("after the agent died: %+v", r.Sync)
	}
	runs, err := db.Syncs(ctx, far.ID, 10)
	check(t, err)
	if e := runs[len(runs)-1].Error; e == nil || !strings.Contains(e.Message, "fell silent") {
		t.Errorf("the run that was cut off: %+v", runs[len(runs)-1])
	}
	site.start(t)
	until("the agent is there again", here)
	whole.At = time.Now().UTC()
	check(t, db.WantSync(ctx, far.ID, pratique.SyncWish{Whole: &whole}))
	until("what was wanted is done", func(r pratique.Registry) bool { return r.Sync.State == "success" && r.Sync.Full && r.Sync.Hinted == 0 })
	runs, err = db.Syncs(ctx, far.ID, 10)
	check(t, err)
	outcomes := map[string]string{} // of the newest of each kind
	for _, run := range runs {
		if outcomes[run.Reason] == "" {
			outcomes[run.Reason] = run.State
		}
	}
	if outcomes[scan.ReasonManual] != "success" || outcomes[scan.ReasonWebhook] == "" {
		t.Errorf("the newest runs are %v", outcomes)
	}
	rows, err := db.Assets(ctx, pratique.AssetFilter{Registries: []int64{far.ID}}, pratique.PageRequest{Limit: 100})
	check(t, err)
	tags := map[string]bool{}
	for _, row := range rows.Items {
		if tags[row.Repository+":"+row.Tag] = true; row.ImageID == "" {
			t.Errorf("row %+v", row)
		}
	}
	if len(tags) != images {
		t.Errorf("%d tags instead of %d", len(tags), images)
	}
}
