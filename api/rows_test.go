package api

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/export"
	"github.com/pratique/pratique/scan"
	"github.com/pratique/pratique/store"
)

// idle is a queue whose jobs nobody does.
type idle struct{}

func (idle) Enqueue(context.Context, ...scan.Job) error        { return nil }
func (idle) Cancel(context.Context, ...scan.Args) (int, error) { return 0, nil }

// withRows is the API with schedules, quota and exports over the test's store,
// which has three images.
func withRows(t *testing.T) (*person, *store.Store, *export.Keeper) {
	t.Helper()
	var keeper *export.Keeper
	v := start(t, func(d *Deps) {
		db := d.Registries.(*store.Store)
		nobody := func(context.Context, int64) error { return nil }
		keeper = &export.Keeper{Rows: db, Source: db, Folder: filepath.Join(t.TempDir(), "exports"), Enqueue: nobody, Cancel: nobody}
		tasks := &scan.Tasks{Store: db, Jobs: idle{}, Settings: func(context.Context) (scan.Settings, error) { return scan.DefaultSettings(), nil }}
		d.Schedules = &scan.Schedules{Store: db, Tasks: tasks, Jobs: idle{}, Log: slog.New(slog.DiscardHandler)}
		d.Quota, d.Exports, d.ExportRows = db, keeper, db
	})
	r, err := v.store.CreateRegistry(t.Context(), pratique.Registry{Name: "alpha", Kind: "oci", Network: "private", Region: "default", Address: "https://alpha.example.org"}, "")
	if err != nil {
		t.Fatal(err)
	}
	var listing []pratique.Asset
	for _, tag := range []string{"a", "b", "c"} {
		listing = append(listing, pratique.Asset{Tag: tag, Digest: pratique.DigestOf([]byte("m" + tag)), ImageID: pratique.DigestOf([]byte("c" + tag)), Platform: pratique.Platform{OS: "linux", Architecture: "amd64"}})
	}
	if _, err := v.store.SyncRepository(t.Context(), r.ID, "team/app", listing, true); err != nil {
		t.Fatal(err)
	}
	return v.admin(), v.store, keeper
}

func (p *person) audited(want ...string) {
	p.t.Helper()
	var page pratique.Page[pratique.AuditEntry]
	p.want(http.StatusOK, "GET", "/api/v1/audit?limit=200", nil, &page)
	for _, action := range want {
		if !slices.ContainsFunc(page.Items, func(e pratique.AuditEntry) bool { return e.Action == action && e.User == "admin" }) {
			p.t.Errorf("the audit log has no %s", action)
		}
	}
}

type object = map[string]any

func TestSchedules(t *testing.T) {
	p, _, _ := withRows(t)
	settings := object{"name": "nightly", "enabled": true, "everyDays": 7, "start": "01:00", "end": "05:00", "zone": "Europe/Berlin", "categories": []string{"vulnerability", "secret"}, "scope": "all", "filter": object{"newest": true}, "timeoutSeconds": 600}
	var made Schedule
	a := p.want(http.StatusCreated, "POST", "/api/v1/schedules", settings, &made)
	if made.ID == 0 || made.Next == nil || made.FirstDay == "" || made.By != "admin" || made.TimeoutSeconds != 600 || !made.Filter.Newest || made.Kind != pratique.ImagesRepository || !strings.HasSuffix(a.Header.Get("Location"), "/schedules/1") {
		t.Errorf("%+v", made)
	}
	for field, value := range map[string]any{"zone": "Mars/Base", "start": "25:00", "kind": "floppy", "everyDays": 0, "scope": "specified"} {
		wrong := object{}
		for k, v := range settings {
			wrong[k] = v
		}
		wrong["name"], wrong[field] = "other", value
		if problem := p.want(http.StatusUnprocessableEntity, "POST", "/api/v1/schedules", wrong, nil).problem(t); len(problem.Errors) != 1 || problem.Errors[0].Location != "body."+field || problem.Remedy == "" {
			t.Errorf("%s: %+v", field, problem)
		}
	}
	if problem := p.want(http.StatusConflict, "POST", "/api/v1/schedules", settings, nil).problem(t); problem.Errors[0].Location != "body.name" {
		t.Errorf("%+v", problem)
	}
	var preview SchedulePreview
	p.want(http.StatusOK, "GET", "/api/v1/schedules/1/preview", nil, &preview)
	if len(preview.Opens) != 5 || preview.Images != 1 || len(preview.Items) != 1 || !preview.Quota.Enough || preview.Opens[1].Sub(preview.Opens[0]) < 166*time.Hour {
		t.Errorf("%+v", preview)
	}
	settings["filter"] = object{}
	p.want(http.StatusOK, "POST", "/api/v1/schedules/preview", settings, &preview)
	if preview.Images != 3 {
		t.Errorf("%+v", preview)
	}
	p.want(http.StatusOK, "PUT", "/api/v1/schedules/1", settings, &made)
	made = Schedule{}
	p.want(http.StatusOK, "POST", "/api/v1/schedules/1/disable", nil, &made)
	if made.Enabled || made.Next != nil {
		t.Errorf("%+v", made)
	}
	var run ScheduleRun
	p.want(http.StatusCreated, "POST", "/api/v1/schedules/1/run", nil, &run)
	if run.Task == nil || run.Task.Total != 3 || run.By != "admin" || run.Ended != nil {
		t.Errorf("%+v", run)
	}
	p.want(http.StatusConflict, "POST", "/api/v1/schedules/1/run", nil, nil)
	var runs pratique.Page[ScheduleRun]
	p.want(http.StatusOK, "GET", "/api/v1/schedules/1/runs?total=true", nil, &runs)
	if runs.Total != 1 || runs.Items[0].ID != run.ID {
		t.Errorf("%+v", runs)
	}
	p.want(http.StatusOK, "POST", "/api/v1/schedules/1/enable", nil, &made)
	var all pratique.Page[Schedule]
	p.want(http.StatusOK, "GET", "/api/v1/schedules", nil, &all)
	if len(all.Items) != 1 || all.Items[0].Last == nil || all.Items[0].Next == nil {
		t.Errorf("%+v", all)
	}
	p.want(http.StatusNoContent, "DELETE", "/api/v1/schedules/1", nil, nil)
	for _, path := range []string{"", "/runs", "/preview"} {
		p.want(http.StatusNotFound, "GET", "/api/v1/schedules/1"+path, nil, nil)
	}
	p.audited("schedule.create", "schedule.update", "schedule.disable", "schedule.run", "schedule.enable", "schedule.delete")
}

func TestQuota(t *testing.T) {
	p, _, _ := withRows(t)
	var state pratique.QuotaState
	p.want(http.StatusOK, "GET", "/api/v1/quota", nil, &state)
	if state.Enabled || state.Images != 3 {
		t.Errorf("%+v", state)
	}
	p.want(http.StatusConflict, "POST", "/api/v1/quota/licences", object{"filter": object{}}, nil)
	p.want(http.StatusOK, "PUT", "/api/v1/quota", object{"enabled": true, "total": 2}, &state)
	if !state.Enabled || state.Total != 2 || state.Left != 2 || state.By != "admin" {
		t.Errorf("%+v", state)
	}
	var need pratique.QuotaNeed
	p.want(http.StatusOK, "POST", "/api/v1/quota/preview", object{"filter": object{}}, &need)
	if need.Needed != 3 || need.Left != 2 || need.Enough {
		t.Errorf("%+v", need)
	}
	problem := p.want(http.StatusConflict, "POST", "/api/v1/quota/licences", object{}, nil).problem(t)
	if problem.Code != pratique.CodeQuota || problem.Params["needed"] != 3.0 || problem.Params["left"] != 2.0 || problem.Remedy == "" || !strings.Contains(problem.Detail, "3 images need a licence") {
		t.Errorf("%+v", problem)
	}
	var entry pratique.QuotaEntry
	p.want(http.StatusCreated, "POST", "/api/v1/quota/licences", object{"filter": object{"search": "app:a"}}, &entry)
	p.want(http.StatusCreated, "POST", "/api/v1/quota/licences", object{"atMost": 1}, &entry)
	if entry.Images != 1 || entry.Used != 2 {
		t.Errorf("%+v", entry)
	}
	if problem = p.want(http.StatusConflict, "PUT", "/api/v1/quota", object{"enabled": true, "total": 1}, nil).problem(t); problem.Errors[0].Location != "body.total" {
		t.Errorf("%+v", problem)
	}
	var ledger pratique.Page[pratique.QuotaEntry]
	p.want(http.StatusOK, "GET", "/api/v1/quota/entries?action=license&total=true", nil, &ledger)
	var units pratique.Page[pratique.Licence]
	p.want(http.StatusOK, "GET", "/api/v1/quota/licences?total=true", nil, &units)
	if ledger.Total != 2 || units.Total != 2 || units.Items[0].Image == "" {
		t.Errorf("%+v %+v", ledger, units)
	}
	p.audited("quota.set", "quota.license")
}

func TestExports(t *testing.T) {
	p, _, keeper := withRows(t)
	var kinds struct {
		Kinds []struct {
			ID      string
			Label   pratique.Text
			Columns []struct {
				ID    string
				Title pratique.Text
			}
		}
		Formats []struct {
			ID    string
			Limit int
		}
	}
	p.want(http.StatusOK, "GET", "/api/v1/export-kinds", nil, &kinds)
	if len(kinds.Kinds) < 9 || kinds.Kinds[0].ID != "images" || len(kinds.Kinds[0].Columns) < 30 || kinds.Kinds[0].Columns[0].Title.ZH == "" || len(kinds.Formats) != 4 || kinds.Formats[0].Limit == 0 {
		t.Errorf("%+v", kinds)
	}
	wish := object{"kind": "images", "format": "csv", "columns": []string{"name", "tag"}, "sort": "tag", "name": "镜像", "images": object{"ids": []int{1, 3}}}
	var need pratique.ExportNeed
	p.want(http.StatusOK, "POST", "/api/v1/exports/preview", wish, &need)
	if need.Rows != 2 || !need.Enough {
		t.Errorf("%+v", need)
	}
	var row ExportRow
	p.want(http.StatusCreated, "POST", "/api/v1/exports", wish, &row)
	if row.State != pratique.ExportWaiting || row.Total != 2 || row.By != "admin" || row.FileName != "镜像.csv" {
		t.Errorf("%+v", row)
	}
	p.want(http.StatusConflict, "GET", "/api/v1/exports/1/file", nil, nil)
	if err := keeper.Run(t.Context(), row.ID, 1); err != nil {
		t.Fatal(err)
	}
	p.want(http.StatusOK, "GET", "/api/v1/exports/1", nil, &row)
	if row.State != pratique.ExportSuccess || row.Progress != 100 || row.Expires == nil {
		t.Errorf("%+v", row)
	}
	a := p.want(http.StatusOK, "GET", "/api/v1/exports/1/file", nil, nil)
	if got, want := string(a.body), "Image,Version\nalpha.example.org/team/app:a,a\nalpha.example.org/team/app:c,c\n"; got != want {
		t.Errorf("%q", got)
	}
	if a.Header.Get("Content-Type") != "text/csv; charset=utf-8" || a.Header.Get("Content-Disposition") != "attachment; filename*=utf-8''%E9%95%9C%E5%83%8F.csv" || int64(len(a.body)) != row.Bytes {
		t.Errorf("%v", a.Header)
	}
	if a = p.do("GET", "/api/v1/exports/1/file", nil, "Range", "bytes=0-4"); a.StatusCode != http.StatusPartialContent || string(a.body) != "Image" {
		t.Errorf("%d %q", a.StatusCode, a.body)
	}
	for _, wrong := range []object{{"kind": "nothing", "format": "csv"}, {"kind": "images", "format": "pdf"}, {"kind": "images", "format": "csv", "columns": []string{"x"}}} {
		p.want(http.StatusUnprocessableEntity, "POST", "/api/v1/exports", wrong, nil)
	}
	// A page is never what a browser shows under our name.
	wish = object{"kind": "images", "format": "html"}
	p.want(http.StatusCreated, "POST", "/api/v1/exports", wish, &row)
	if err := keeper.Run(t.Context(), row.ID, 2); err != nil {
		t.Fatal(err)
	}
	if a = p.want(http.StatusOK, "GET", "/api/v1/exports/2/file", nil, nil); a.Header.Get("Content-Type") != "application/octet-stream" || !strings.HasPrefix(a.Header.Get("Content-Disposition"), "attachment") {
		t.Errorf("%v", a.Header)
	}
	var page pratique.Page[ExportRow]
	p.want(http.StatusOK, "GET", "/api/v1/exports?state=success&kind=images&total=true&sort=-rows", nil, &page)
	if page.Total != 2 || page.Items[0].Rows != 3 {
		t.Errorf("%+v", page)
	}
	p.want(http.StatusNoContent, "DELETE", "/api/v1/exports/1", nil, nil)
	p.want(http.StatusNotFound, "GET", "/api/v1/exports/1/file", nil, nil)
	p.audited("export.create", "export.download", "export.delete")
}

// TestRowsAreDescribed: what the console's client is made from.
func TestRowsAreDescribed(t *testing.T) {
	p, _, _ := withRows(t)
	var d struct{ Paths map[string]json.RawMessage }
	p.want(http.StatusOK, "GET", "/openapi.json", nil, &d)
	for _, path := range []string{"/schedules", "/schedules/{id}/runs", "/schedules/preview", "/quota", "/quota/licences", "/quota/entries", "/exports", "/exports/{id}/file", "/export-kinds"} {
		if d.Paths["/api/v1"+path] == nil {
			t.Errorf("%s is not described", path)
		}
	}
}
