package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/registry"
	"github.com/pratique/pratique/registry/harbor"
	"github.com/pratique/pratique/registry/oci"
	"github.com/pratique/pratique/scan"
	"github.com/pratique/pratique/store"
)

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// feedsOf is a Feeds that notes what it is asked for.
type feedsOf struct {
	mu       sync.Mutex
	updates  int
	imported map[string]int64
	state    FeedState
	fail     error
}

func (f *feedsOf) FeedState(context.Context) (FeedState, error) { return f.state, f.fail }

func (f *feedsOf) UpdateFeeds(context.Context, string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.updates++
	return f.fail
}

func (f *feedsOf) ImportFeed(_ context.Context, _, name string, r io.Reader) error {
	n, err := io.Copy(io.Discard, r)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.imported[name] = n
	return err
}

func (f *feedsOf) PreviewFeeds(context.Context) (scan.AdoptionPreview, error) {
	return scan.AdoptionPreview{Keys: 3, Packages: 2, Images: 1}, f.fail
}

func (f *feedsOf) AdoptFeeds(_ context.Context, by string) (pratique.Adoption, error) {
	return pratique.Adoption{ID: 5, By: by}, f.fail
}

func (f *feedsOf) Adoptions(context.Context, int) ([]pratique.Adoption, error) { return nil, f.fail }

func (f *feedsOf) RollBackFeeds(context.Context, string) (pratique.Adoption, error) {
	return pratique.Adoption{}, pratique.Errorf(pratique.CodeNotFound, "there is no earlier bundle").WithRemedy("update first")
}

// scansOf is a Scans that makes tasks in the store, and runs nothing.
type scansOf struct {
	db     *store.Store
	mu     sync.Mutex
	wishes []pratique.ScanWish
	filter pratique.AssetFilter // of the last cancellation
}

func (v *scansOf) Preview(_ context.Context, w pratique.ScanWish) (pratique.ScanPreview, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.wishes = append(v.wishes, w)
	estimate := 90 * time.Second
	return pratique.ScanPreview{Rows: 3, Images: 2, Estimate: &estimate}, nil
}

func (v *scansOf) Start(ctx context.Context, w pratique.ScanWish) (pratique.Task, error) {
	v.mu.Lock()
	v.wishes = append(v.wishes, w)
	v.mu.Unlock()
	images, _, err := v.db.SelectImages(ctx, w.Filter)
	if err != nil {
		return pratique.Task{}, err
	}
	task, _, err := v.db.CreateTask(ctx, pratique.TaskRequest{Kind: w.Kind, Creator: w.Creator, Categories: w.Categories, Timeout: w.Timeout, Forced: w.Forced, ImageIDs: images})
	return task, err
}

func (v *scansOf) Rescan(ctx context.Context, _ int64, _ bool, by string) (pratique.Task, error) {
	task, _, err := v.db.CreateTask(ctx, pratique.TaskRequest{Kind: pratique.TaskRescan, Creator: by, Categories: everything, ImageIDs: []pratique.Digest{contentID(2)}})
	return task, err
}

func (v *scansOf) CancelTask(ctx context.Context, task int64, images ...pratique.Digest) (int, error) {
	ended, err := v.db.CancelTask(ctx, task, images...)
	return len(ended), err
}

func (v *scansOf) CancelScans(ctx context.Context, ids ...int64) (int, error) {
	ended, err := v.db.CancelScans(ctx, ids...)
	return len(ended), err
}

func (v *scansOf) CancelImages(_ context.Context, f pratique.AssetFilter) (int, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.filter = f
	return 7, nil
}

// syncsOf is a Syncs that notes what it is asked for.
type syncsOf struct {
	mu        sync.Mutex
	wanted    []int64
	full      bool
	cancelled []int64
	hooked    string // the body of the last hook
}

func (y *syncsOf) StartSync(_ context.Context, full bool, _ string, ids ...int64) (started, running []int64, err error) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.wanted, y.full = ids, full
	return ids, nil, nil
}

func (y *syncsOf) CancelSync(_ context.Context, id int64) error {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.cancelled = append(y.cancelled, id)
	return nil
}

func (y *syncsOf) TestSite(_ context.Context, r pratique.Registry, password string) (registry.Health, error) {
	return registry.Health{Status: registry.StatusConnected, Product: r.Site, Message: "as " + password, Agent: "gate"}, nil
}

func (y *syncsOf) Hook(_ context.Context, id int64, r *http.Request) error {
	if id != 1 || r.Header.Get("Authorization") != "hook secret" {
		return pratique.Errorf(pratique.CodeUnauthorized, "no").WithRemedy("set the secret")
	}
	b, err := io.ReadAll(r.Body)
	y.mu.Lock()
	defer y.mu.Unlock()
	y.hooked = string(b)
	return err
}

// settingsInStore keeps settings in the store, as the service does.
type settingsInStore struct{ db *store.Store }

func (k settingsInStore) Settings(ctx context.Context) (scan.Settings, error) {
	return scan.SettingsOf(ctx, k.db, scan.DefaultSettings())
}

func (k settingsInStore) KeepSettings(ctx context.Context, v scan.Settings) error {
	return scan.KeepSettings(ctx, k.db, v)
}

// lockedBuffer is a log that tests read.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// service is the API over a real store.
type service struct {
	*httptest.Server
	t        *testing.T
	api      *server
	store    *store.Store
	clock    *clock
	feeds    *feedsOf
	scans    *scansOf
	syncs    *syncsOf
	log      *lockedBuffer
	password string // of the administrator
}

const longPassword = "seven quiet otters paddle"

// start serves. The administrator still has the one-time password.
func start(t *testing.T, adjust ...func(*Deps)) *service {
	t.Helper()
	keys, err := store.NewKeyring(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"), keys)
	if err != nil {
		t.Fatal(err)
	}
	v := &service{t: t, store: db, clock: &clock{t: time.Now()}, feeds: &feedsOf{imported: map[string]int64{}}, scans: &scansOf{db: db}, syncs: &syncsOf{}, log: &lockedBuffer{}}
	d := Deps{
		Version: "1.2.3", Users: db, Sessions: db.Sessions(), Preferences: db, Audit: db, Registries: db, Images: db, Contents: db, Findings: db, Repositories: db, Tasks: db, Scans: v.scans, Syncs: v.syncs, Settings: settingsInStore{db}, Judge: func(r *pratique.Report) { r.Verdict.Clearance = pratique.ClearanceNo }, Overviews: db, Feeds: v.feeds, Events: NewHub(),
		Connectors: []registry.Connector{oci.Connector{}, harbor.Connector{}},
		Checks:     []Check{{Name: "database", Ready: db.Ping}},
		Log:        slog.New(slog.NewJSONHandler(v.log, &slog.HandlerOptions{ReplaceAttr: Redacted, Level: slog.LevelDebug})),
		now:        v.clock.now,
	}
	for _, f := range adjust {
		f(&d)
	}
	if v.password, err = EnsureAdministrator(t.Context(), db); err != nil || v.password == "" {
		t.Fatalf("no administrator: %q %v", v.password, err)
	}
	if v.api, err = newServer(d); err != nil {
		t.Fatal(err)
	}
	v.Server = httptest.NewServer(v.api.handler())
	t.Cleanup(func() {
		d.Events.Close()
		v.Close()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return v
}

// person is a browser.
type person struct {
	*service
	client *http.Client
}

func (v *service) person() *person {
	jar, err := cookiejar.New(nil)
	if err != nil {
		v.t.Fatal(err)
	}
	return &person{v, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return errors.New("no redirects") }}}
}

// admin signs in and sets a password of their own.
func (v *service) admin() *person {
	v.t.Helper()
	p := v.person()
	p.want(http.StatusOK, "POST", "/api/v1/session", map[string]string{"name": "admin", "password": v.password}, nil)
	p.want(http.StatusOK, "PUT", "/api/v1/session/password", map[string]string{"current": v.password, "password": longPassword}, nil)
	return p
}

type answer struct {
	*http.Response
	body []byte
}

func (a answer) problem(t *testing.T) Problem {
	t.Helper()
	var p Problem
	if err := json.Unmarshal(a.body, &p); err != nil {
		t.Fatalf("no problem document: %v: %s", err, a.body)
	}
	if got := a.Header.Get("Content-Type"); got != problemType {
		t.Errorf("Content-Type %q", got)
	}
	if p.Status != a.StatusCode || p.Code == "" || p.Title == "" || p.Type != "/problems/"+string(p.Code) || p.RequestID == "" || p.RequestID != a.Header.Get("X-Request-Id") {
		t.Errorf("an incomplete problem: %s", a.body)
	}
	return p
}

// do asks. A body that is a string is sent as it is. headers are pairs.
func (p *person) do(method, path string, body any, headers ...string) answer {
	p.t.Helper()
	var r io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		r = strings.NewReader(b)
	default:
		text, err := json.Marshal(b)
		if err != nil {
			p.t.Fatal(err)
		}
		r = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(p.t.Context(), method, p.URL+path, r)
	if err != nil {
		p.t.Fatal(err)
	}
	if method != "GET" {
		req.Header.Set("X-Requested-With", "test")
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i+1] == "" {
			req.Header.Del(headers[i])
		} else {
			req.Header.Set(headers[i], headers[i+1])
		}
	}
	resp, err := p.client.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return answer{resp, text}
}

// want asks, expects a status, and reads the answer into out.
func (p *person) want(status int, method, path string, body, out any, headers ...string) answer {
	p.t.Helper()
	a := p.do(method, path, body, headers...)
	if a.StatusCode != status {
		p.t.Fatalf("%s %s: %d, want %d: %s", method, path, a.StatusCode, status, a.body)
	}
	if status >= 400 {
		a.problem(p.t)
	}
	if out != nil {
		if err := json.Unmarshal(a.body, out); err != nil {
			p.t.Fatalf("%s %s: %v: %s", method, path, err, a.body)
		}
	}
	return a
}
