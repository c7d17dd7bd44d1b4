package api

import (
	"slices"
	"strings"
	"testing"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/scan"
)

func TestSyncing(t *testing.T) {
	e := newEstate(t, func(d *Deps) { d.Egress = []string{"198.51.100.7"} })
	var started SyncStarted
	e.want(202, "POST", "/api/v1/registries/sync", map[string]any{"ids": []int64{e.alpha.ID, e.beta.ID}, "full": true}, &started)
	if !slices.Equal(started.Started, []int64{e.alpha.ID, e.beta.ID}) || started.Running == nil || !e.syncs.full {
		t.Errorf("%+v", started)
	}
	e.want(202, "POST", "/api/v1/registries/sync", map[string]any{}, &started)
	if len(e.syncs.wanted) != 0 || e.syncs.full {
		t.Errorf("all: %v", e.syncs.wanted)
	}
	if got := e.want(404, "POST", "/api/v1/registries/sync", map[string]any{"ids": []int64{e.alpha.ID, 99}}, nil).problem(t); got.Errors[0].Location != "body.ids[1]" {
		t.Errorf("%+v", got)
	}
	e.want(204, "POST", "/api/v1/registries/"+id(e.beta.ID)+"/sync/cancel", nil, nil)
	e.want(404, "POST", "/api/v1/registries/99/sync/cancel", nil, nil)
	if !slices.Equal(e.syncs.cancelled, []int64{e.beta.ID}) {
		t.Errorf("cancelled %v", e.syncs.cancelled)
	}
	notes, err := e.store.Notes(t.Context(), pratique.AuditFilter{Action: "registry.sync"}, pratique.PageRequest{})
	if err != nil || len(notes.Items) != 3 || notes.Items[2].Target != "alpha, beta" || notes.Items[1].Target != "all" {
		t.Errorf("%v %+v", err, notes)
	}
	var egress Egress
	e.want(200, "GET", "/api/v1/egress", nil, &egress)
	if !egress.Configured || !slices.Equal(egress.Addresses, []string{"198.51.100.7"}) || len(egress.Registries) != 2 || egress.Registries[0].Endpoints == nil {
		t.Errorf("%+v", egress)
	}
}

// A registry calls without a session, without a marker, and with a secret of its own.
func TestHooks(t *testing.T) {
	e := newEstate(t)
	p := e.service.person()
	const hook = "/api/v1/hooks/1"
	body := `{"type":"PUSH_ARTIFACT"}`
	p.want(202, "POST", hook, body, nil, "Authorization", "hook secret", "X-Requested-With", "", "Content-Type", "application/json")
	if e.syncs.hooked != body {
		t.Errorf("the connector got %q", e.syncs.hooked)
	}
	for _, path := range []string{hook, "/api/v1/hooks/2"} { // who does not know the secret does not learn what there is
		got := p.want(401, "POST", path, body, nil, "Authorization", "guess")
		if got.problem(t).Code != pratique.CodeUnauthorized {
			t.Errorf("%s", got.body)
		}
	}
	p.want(422, "POST", "/api/v1/hooks/x", body, nil)
	if a := p.do("POST", hook, strings.Repeat("a", maxBody+10), "Authorization", "hook secret"); a.StatusCode < 400 || len(e.syncs.hooked) > maxBody+1 {
		t.Errorf("a large call: %d, %d bytes read", a.StatusCode, len(e.syncs.hooked))
	}
}

func TestSettings(t *testing.T) {
	e := newEstate(t)
	var v Settings
	e.want(200, "GET", "/api/v1/settings", nil, &v)
	if v.record().Validate() != nil || v.SyncWindow.From != scan.DefaultSettings().SyncWindow.From || v.ScanOnSyncExcept == nil {
		t.Errorf("%+v", v)
	}
	v.SyncWindow, v.PurgeGoneDays, v.AutoAdopt, v.ScanOnSyncExcept = SyncWindow{Enabled: true, From: "23:00", To: "01:30", Zone: "Asia/Shanghai"}, 7, false, []int64{1}
	var kept Settings
	e.want(200, "PUT", "/api/v1/settings", v, &kept)
	e.want(200, "GET", "/api/v1/settings", nil, &kept)
	if kept.SyncWindow != v.SyncWindow || kept.PurgeGoneDays != 7 || kept.AutoAdopt || !slices.Equal(kept.ScanOnSyncExcept, []int64{1}) {
		t.Errorf("%+v", kept)
	}
	notes, err := e.store.Notes(t.Context(), pratique.AuditFilter{Action: "settings.change"}, pratique.PageRequest{})
	if err != nil || len(notes.Items) != 1 || !strings.Contains(notes.Items[0].Detail, "Asia/Shanghai") {
		t.Errorf("%v %+v", err, notes)
	}
	for name, spoil := range map[string]func(*Settings){
		"a time":    func(s *Settings) { s.SyncWindow.From = "24:00" },
		"a zone":    func(s *Settings) { s.SyncWindow.Zone = "Mars/Olympus" },
		"no window": func(s *Settings) { s.SyncWindow.To = s.SyncWindow.From },
		"days":      func(s *Settings) { s.PurgeGoneDays = -1 },
		"timeout":   func(s *Settings) { s.ScanTimeoutSeconds = 1 },
		"feeds":     func(s *Settings) { s.FeedsEveryHours = 5000 },
	} {
		wrong := v
		spoil(&wrong)
		if a := e.do("PUT", "/api/v1/settings", wrong); a.StatusCode != 422 {
			t.Errorf("%s: %d %s", name, a.StatusCode, a.body)
		}
	}
	e.want(422, "PUT", "/api/v1/settings", `{"autoAdopt":true}`, nil) // half of them would reset the rest
}

func TestAdoptingFeeds(t *testing.T) {
	e := newEstate(t)
	var preview scan.AdoptionPreview
	e.want(200, "POST", "/api/v1/feeds/preview", nil, &preview)
	var adoption pratique.Adoption
	e.want(200, "POST", "/api/v1/feeds/adopt", nil, &adoption)
	if preview.Packages != 2 || adoption.By != "admin" {
		t.Errorf("%+v %+v", preview, adoption)
	}
	if notes, err := e.store.Notes(t.Context(), pratique.AuditFilter{Action: "feeds.adopt"}, pratique.PageRequest{}); err != nil || len(notes.Items) != 1 {
		t.Errorf("%v %+v", err, notes)
	}
}
