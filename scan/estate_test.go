package scan_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	ggcr "github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/advisory"
	"github.com/pratique/pratique/analyze"
	"github.com/pratique/pratique/analyze/files"
	"github.com/pratique/pratique/analyze/malware"
	"github.com/pratique/pratique/analyze/secrets"
	"github.com/pratique/pratique/analyze/software"
	"github.com/pratique/pratique/internal/pgtest"
	"github.com/pratique/pratique/internal/testimage"
	"github.com/pratique/pratique/layer"
	"github.com/pratique/pratique/queue"
	"github.com/pratique/pratique/registry"
	"github.com/pratique/pratique/registry/distribution/registrytest"
	"github.com/pratique/pratique/registry/oci"
	"github.com/pratique/pratique/scan"
	"github.com/pratique/pratique/source"
	"github.com/pratique/pratique/store"
	"github.com/pratique/pratique/store/factdir"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

// harbour is a real registry behind a proxy that counts, and that can be told to
// misbehave.
type harbour struct {
	t     testing.TB
	host  string // the proxy's
	proxy *httptest.Server

	mu         sync.Mutex
	blobs      map[string]int // GETs of blobs by digest
	reads      int            // GETs of manifests
	drip       map[string]time.Duration
	password   string        // that the registry takes; "" is any
	refuse     int           // so many requests for lists are answered by 403
	refused    int           // requests with another password
	hold       time.Duration // before a list is answered
	held       string        // what is in the paths of these lists; set before it
	unreadable string        // manifest that nobody may read
	withheld   string        // manifest that a policy keeps back
	closed     bool          // nobody may read the catalogue, as on Docker Hub
}

// newHarbour starts a registry. It takes whatever password, unless one is set.
func newHarbour(t testing.TB) *harbour {
	t.Helper()
	server := registrytest.Start(t, registrytest.Options{})
	h := &harbour{t: t, blobs: map[string]int{}, drip: map[string]time.Duration{}}
	to := &url.URL{Scheme: "http", Host: server.Host}
	forward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to); r.Out.Host = r.In.Host }, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	h.proxy = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.serve(w, r, forward) }))
	t.Cleanup(h.proxy.Close)
	h.host = strings.TrimPrefix(h.proxy.URL, "http://")
	return h
}

func (h *harbour) serve(w http.ResponseWriter, r *http.Request, forward http.Handler) {
	digest := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	blob := r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/sha256:")
	list := strings.HasSuffix(r.URL.Path, "/tags/list") || strings.HasSuffix(r.URL.Path, "/_catalog")
	h.mu.Lock()
	_, given, _ := r.BasicAuth()
	refused := h.password != "" && given != h.password
	if blob && !refused {
		h.blobs[digest]++
	}
	if refused && given != "" {
		h.refused++
	}
	if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/manifests/") {
		h.reads++
	}
	slow := h.drip[digest]
	hold := h.hold
	broken := h.closed && strings.HasSuffix(r.URL.Path, "/_catalog") || list && h.refuse > 0 || h.unreadable != "" && r.Method == http.MethodGet && digest == h.unreadable
	if list && h.refuse > 0 {
		h.refuse--
	}
	withheld := h.withheld != "" && digest == h.withheld && strings.Contains(r.URL.Path, "/manifests/")
	h.mu.Unlock()
	if list && hold > 0 && strings.Contains(r.URL.Path, h.held) {
		select {
		case <-time.After(hold):
		case <-r.Context().Done():
		}
	}
	switch {
	case refused:
		w.Header().Set("WWW-Authenticate", `Basic realm="harbour"`)
		w.WriteHeader(http.StatusUnauthorized)
	case broken:
		w.WriteHeader(http.StatusForbidden)
	case withheld:
		w.WriteHeader(http.StatusPreconditionFailed)
		_, _ = w.Write([]byte(`{"errors":[{"code":"PROJECTPOLICYVIOLATION","message":"current image without vulnerability scanning cannot be pulled due to configured policy"}]}`))
	case blob && slow > 0:
		forward.ServeHTTP(&dripping{w, r, func() time.Duration {
			h.mu.Lock()
			defer h.mu.Unlock()
			return h.drip[digest]
		}}, r)
	default:
		forward.ServeHTTP(w, r)
	}
}

// dripping sends a few bytes now and then, until it is told not to.
type dripping struct {
	http.ResponseWriter
	request *http.Request
	pause   func() time.Duration
}

func (d *dripping) Write(p []byte) (int, error) {
	for sent := 0; sent < len(p); sent += 512 {
		if _, err := d.ResponseWriter.Write(p[sent:min(sent+512, len(p))]); err != nil {
			return sent, err
		}
		http.NewResponseController(d.ResponseWriter).Flush()
		select {
		case <-d.request.Context().Done():
			return sent, d.request.Context().Err()
		case <-time.After(d.pause()):
		}
	}
	return len(p), nil
}

func (h *harbour) pulls(l testimage.Layer) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.blobs[string(l.Digest)]
}

func (h *harbour) set(change func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change()
}

// ref is NAME:TAG at the registry.
func (h *harbour) ref(s string) name.Reference {
	h.t.Helper()
	ref, err := name.ParseReference(h.host+"/"+s, name.Insecure)
	if err != nil {
		h.t.Fatal(err)
	}
	return ref
}

func (h *harbour) options() ggcr.Option {
	return ggcr.WithAuth(&authn.Basic{Username: "pusher", Password: h.password})
}

// push pushes an image under some names, and returns its id.
func (h *harbour) push(img testimage.Image, names ...string) pratique.Digest {
	h.t.Helper()
	image := h.image(img)
	for _, n := range names {
		if err := ggcr.Write(h.ref(n), image, h.options()); err != nil {
			h.t.Fatal(err)
		}
	}
	return pratique.DigestOf(img.Config())
}

func (h *harbour) image(img testimage.Image) v1.Image {
	h.t.Helper()
	dir := h.t.TempDir()
	if err := img.WriteLayout(dir); err != nil {
		h.t.Fatal(err)
	}
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		h.t.Fatal(err)
	}
	digest, err := v1.NewHash(string(pratique.DigestOf(img.Manifest())))
	if err != nil {
		h.t.Fatal(err)
	}
	image, err := index.Image(digest)
	if err != nil {
		h.t.Fatal(err)
	}
	return image
}

// pushIndex pushes images as one tag, each for its platform.
func (h *harbour) pushIndex(name string, images ...testimage.Image) {
	h.t.Helper()
	index := v1.ImageIndex(empty.Index)
	for _, img := range images {
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: h.image(img), Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: img.Architecture}}})
	}
	if err := ggcr.WriteIndex(h.ref(name), index, h.options()); err != nil {
		h.t.Fatal(err)
	}
}

func (h *harbour) remove(name string) {
	h.t.Helper()
	ref := h.ref(name)
	d, err := ggcr.Head(ref, h.options())
	if err != nil {
		h.t.Fatal(err)
	}
	if err := ggcr.Delete(ref.Context().Digest(d.Digest.String()), h.options()); err != nil {
		h.t.Fatal(err)
	}
}

// layerOf is a layer with these files.
func layerOf(t testing.TB, files map[string]string) testimage.Layer {
	t.Helper()
	l, err := testimage.WriteLayer(t.TempDir(), testimage.Gzip, "COPY . /", testimage.Files(files))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// debian is a layer of Debian 12 with packages of version 1.
func debian(t testing.TB, packages ...string) testimage.Layer {
	return layerOf(t, map[string]string{"etc/os-release": release, "var/lib/dpkg/status": status(packages...)})
}

// noise is a layer of n bytes that no compression makes smaller.
func noise(t testing.TB, seed string, n int) testimage.Layer {
	t.Helper()
	var b strings.Builder
	for b.Len() < n {
		seed = pratique.DigestOf([]byte(seed)).Hex()
		b.WriteString(seed)
	}
	l, err := testimage.WriteLayer(t.TempDir(), testimage.Plain, "COPY noise /", testimage.Files(map[string]string{"srv/noise": b.String()}))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

const eicarFile = `X5O!P%@AP[4\PZX54(P^)7CC)7}$` + "EICAR-STANDARD-ANTI" + "VIRUS-TEST-FILE!$H+H*"

// far is source.Remote as the use cases want it.
type far struct{ source.Remote }

func (r *far) Open(ctx context.Context, conn registry.Connection, repository string, digest pratique.Digest) (scan.Opened, error) {
	o, err := r.Remote.Open(ctx, conn, repository, digest)
	if err != nil {
		return scan.Opened{}, err
	}
	return scan.Opened{Image: o.Image, Problems: o.Problems, Source: o, Close: o.Close}, nil
}

// observed counts what the use cases tell.
type observed struct {
	mu      sync.Mutex
	scanned map[pratique.Status]int
	read    int
	cached  int
}

func (o *observed) Scanned(status pratique.Status, _ pratique.Code, _ time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.scanned == nil {
		o.scanned = map[pratique.Status]int{}
	}
	o.scanned[status]++
}

func (o *observed) Layers(read, cached int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.read, o.cached = o.read+read, o.cached+cached
}
func (*observed) Pulled(string, int64)                      {}
func (*observed) Synced(string, string, time.Duration, int) {}
func (*observed) Evaluated(int, time.Duration)              {}

// feeds is a folder of feeds whose current bundle is in force.
type feeds struct {
	t   testing.TB
	db  *store.Store
	dir *advisory.Store
	ids map[string]int // numbers of the CVEs of packages
}

// adopt takes Debian advisories into force: for each package the version that
// fixes it. It returns the adoption.
func (f *feeds) adopt(fixed map[string]string) pratique.Adoption {
	f.t.Helper()
	return f.prepare(fixed)()
}

// prepare imports them into the folder, and returns what takes them into force.
func (f *feeds) prepare(fixed map[string]string) (adopt func() pratique.Adoption) {
	f.t.Helper()
	var before *advisory.Bundle
	if b, err := f.dir.Current(); err == nil {
		before = b
	} else if !errors.Is(err, advisory.ErrNoBundle) {
		f.t.Fatal(err)
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, version := range fixed {
		if f.ids[name] == 0 {
			f.ids[name] = 10000 + len(f.ids)
		}
		id := fmt.Sprintf("CVE-2026-%d", f.ids[name])
		w, err := z.Create(id + ".json")
		if err != nil {
			f.t.Fatal(err)
		}
		fmt.Fprintf(w, `{"schema_version":"1.6.0","id":"DEBIAN-%s","modified":"2026-02-%02dT00:00:00Z","upstream":[%q],"details":"x","affected":[{"package":{"ecosystem":"Debian:12","name":%q},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":%q}]}]}]}`,
			id, 1+len(version)%27, id, name, version)
	}
	if err := z.Close(); err != nil {
		f.t.Fatal(err)
	}
	file := filepath.Join(f.t.TempDir(), "osv", "Debian", "all.zip")
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, b.Bytes(), 0o644)); err != nil {
		f.t.Fatal(err)
	}
	if _, err := f.dir.Import(f.t.Context(), advisory.ImportOptions{Inputs: []string{file}, AllowOlder: true}); err != nil {
		f.t.Fatal(err)
	}
	next, err := f.dir.Current()
	if err != nil {
		f.t.Fatal(err)
	}
	return func() pratique.Adoption {
		defer next.Close()
		var keys []pratique.PackageKey
		for _, k := range advisory.Delta(before, next) {
			keys = append(keys, pratique.PackageKey{Ecosystem: k.Ecosystem, Name: k.Name})
		}
		if before != nil {
			defer before.Close()
		}
		a, err := f.db.Adopt(f.t.Context(), pratique.Bundle{Digest: next.Digest(), Built: next.Built(), Feeds: next.Feeds()}, keys, "test", "import")
		if err != nil {
			f.t.Fatal(err)
		}
		return a
	}
}

// attacked imports the news that a CVE is being exploited, for the next adoption.
func (f *feeds) attacked(cve string) {
	f.t.Helper()
	file := filepath.Join(f.t.TempDir(), "known_exploited_vulnerabilities.json")
	content := fmt.Sprintf(`{"title":"CISA Catalog of Known Exploited Vulnerabilities","catalogVersion":"2026.03.01","dateReleased":"2026-03-01T10:00:00.0000Z","count":1,"vulnerabilities":[{"cveID":%q,"vendorProject":"x","product":"x","vulnerabilityName":"x","dateAdded":"2026-03-01","shortDescription":"x","requiredAction":"Update.","dueDate":"2026-03-20"}]}`, cve)
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		f.t.Fatal(err)
	}
	if _, err := f.dir.Import(f.t.Context(), advisory.ImportOptions{Inputs: []string{file}}); err != nil {
		f.t.Fatal(err)
	}
}

func (f *feeds) Current(context.Context) (scan.Knowledge, *pratique.Bundle, func(), error) {
	b, err := f.dir.Current()
	if errors.Is(err, advisory.ErrNoBundle) {
		return nil, nil, func() {}, nil
	}
	if err != nil {
		return nil, nil, nil, err
	}
	return b, &pratique.Bundle{Digest: b.Digest(), Built: b.Built(), Feeds: b.Feeds()}, func() { b.Close() }, nil
}

// estate is the service without its HTTP side.
type estate struct {
	t         testing.TB
	db        *store.Store
	jobs      *queue.Queue
	tasks     *scan.Tasks
	syncer    *scan.Syncer
	scanner   *scan.Scanner
	evaluator *scan.Evaluator
	feeds     *feeds
	seen      *observed
	settings  scan.Settings
}

// onBoth runs a test on both databases.
func onBoth(t *testing.T, test func(t *testing.T, e *estate)) {
	t.Run("SQLite", func(t *testing.T) { test(t, newEstate(t, filepath.Join(t.TempDir(), "pratique.db"))) })
	t.Run("PostgreSQL", func(t *testing.T) { test(t, newEstate(t, pgtest.Database(t))) })
}

func newEstate(t testing.TB, dsn string) *estate {
	t.Helper()
	keys, err := store.NewKeyring(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	e := &estate{t: t, seen: &observed{}, settings: scan.DefaultSettings()}
	if e.db, err = store.Open(t.Context(), dsn, keys); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(testLog{t}, nil))
	if e.jobs, err = queue.Open(t.Context(), e.db.Writer(), log); err != nil {
		t.Fatal(err)
	}
	dir, err := advisory.NewStore(filepath.Join(t.TempDir(), "feeds"))
	if err != nil {
		t.Fatal(err)
	}
	e.feeds = &feeds{t, e.db, dir, map[string]int{}}
	remote := &far{}
	settings := func(context.Context) (scan.Settings, error) { return e.settings, nil }
	e.tasks = &scan.Tasks{Store: e.db, Jobs: e.jobs, Remote: remote, Settings: settings, Capacity: func(context.Context) (int, error) { return 4, nil }}
	e.syncer = &scan.Syncer{Store: e.db, Jobs: e.jobs, Connectors: []registry.Connector{oci.Connector{}}, Remote: remote, Tasks: e.tasks, Settings: settings, Observer: e.seen, Log: log}
	e.evaluator = &scan.Evaluator{Store: e.db, Knowledge: e.feeds, Observer: e.seen, Log: log}
	e.scanner = newScanner(t, e.db, remote, e.feeds, e.seen, log)
	e.work()
	t.Cleanup(func() {
		if err := errors.Join(e.jobs.Stop(context.Background()), e.db.Close()); err != nil {
			t.Error(err)
		}
	})
	return e
}

// work begins, or goes on after a stop.
func (e *estate) work() {
	e.t.Helper()
	err := e.jobs.Start(e.t.Context(), queue.Options{
		Handlers: queue.Handlers{Scan: e.scanner.Scan, Sync: e.syncer.Sync, Evaluate: e.evaluator.Evaluate, Window: e.syncer.Window},
		Scans:    4, Services: 2, Wanted: &scan.Sweeper{Store: e.db, Evaluator: e.evaluator, Log: e.syncer.Log}, Grace: time.Second,
		Periodic: []queue.Periodic{queue.Every(time.Hour, false, scan.Job{Args: scan.WindowArgs{}})}, // who has one leads, and brings back what was put off
	})
	if err != nil {
		e.t.Fatal(err)
	}
}

func newScanner(t testing.TB, db *store.Store, remote scan.Remote, known scan.KnowledgeSource, seen scan.Observer, log *slog.Logger) *scan.Scanner {
	t.Helper()
	programs, err := software.New()
	if err != nil {
		t.Fatal(err)
	}
	credentials, err := secrets.New(secrets.Options{Key: bytes.Repeat([]byte{9}, 32)})
	if err != nil {
		t.Fatal(err)
	}
	facts, err := factdir.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return &scan.Scanner{
		Store: db, Remote: remote, Facts: facts, Turns: &scan.Turns{}, Knowledge: known, Credentials: credentials, Rules: "test", Observer: seen, Log: log,
		Pass: layer.NewPass([]analyze.Analyzer{programs, files.Analyzer{}, malware.New(malware.Options{}), credentials}, layer.Limits{}, t.TempDir()),
	}
}

// testLog shows what is logged when a test fails.
type testLog struct{ t testing.TB }

func (l testLog) Write(p []byte) (int, error) {
	l.t.Helper()
	if l.t.Context().Err() == nil {
		l.t.Log(strings.TrimSuffix(string(p), "\n"))
	}
	return len(p), nil
}

// connect keeps a connection to the registry.
func (e *estate) connect(h *harbour, change ...func(*pratique.Registry)) pratique.Registry {
	e.t.Helper()
	r := pratique.Registry{Name: "harbour " + h.host, Kind: "oci", Network: "private", Region: "default", Address: "http://" + h.host, Username: "scanner"}
	for _, c := range change {
		c(&r)
	}
	r, err := e.db.CreateRegistry(e.t.Context(), r, "right")
	if err != nil {
		e.t.Fatal(err)
	}
	return r
}

// sync synchronises a registry, and returns the run.
func (e *estate) sync(r pratique.Registry, full bool) pratique.SyncRun {
	e.t.Helper()
	before := e.lastSync(r)
	if _, _, err := e.syncer.StartSync(e.t.Context(), full, "test", r.ID); err != nil {
		e.t.Fatal(err)
	}
	var run pratique.SyncRun
	e.eventually("the synchronisation ends", func() bool {
		run = e.lastSync(r)
		return run.ID > before.ID && run.Ended != nil
	})
	return run
}

func (e *estate) lastSync(r pratique.Registry) pratique.SyncRun {
	e.t.Helper()
	runs, err := e.db.Syncs(e.t.Context(), r.ID, 1)
	if err != nil {
		e.t.Fatal(err)
	}
	if len(runs) == 0 {
		return pratique.SyncRun{}
	}
	return runs[0]
}

// start makes a task for everything, or what the wish is changed to.
func (e *estate) start(change ...func(*pratique.ScanWish)) pratique.Task {
	e.t.Helper()
	wish := pratique.ScanWish{Creator: "test", Scope: pratique.ScopeAll, Categories: []pratique.Category{pratique.CategoryVulnerability, pratique.CategorySecret, pratique.CategoryMalware}}
	for _, c := range change {
		c(&wish)
	}
	task, err := e.tasks.Start(e.t.Context(), wish)
	if err != nil {
		e.t.Fatal(err)
	}
	return task
}

// ended waits for a task's end.
func (e *estate) ended(task pratique.Task) pratique.Task {
	e.t.Helper()
	e.eventually("the task ends", func() bool {
		var err error
		if task, err = e.db.Task(e.t.Context(), task.ID); err != nil {
			e.t.Fatal(err)
		}
		return task.Ended != nil
	})
	return task
}

func (e *estate) eventually(what string, done func() bool) {
	e.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			e.t.Fatalf("waited in vain until %s", what)
		}
	}
}

func (e *estate) rows(f pratique.AssetFilter) []pratique.AssetRow {
	e.t.Helper()
	page, err := e.db.Assets(e.t.Context(), f, pratique.PageRequest{Sort: "name", Limit: 1000})
	if err != nil {
		e.t.Fatal(err)
	}
	return page.Items
}

func (e *estate) scanOf(id pratique.Digest) pratique.Scan {
	e.t.Helper()
	v, err := e.db.Image(e.t.Context(), id)
	if err != nil {
		e.t.Fatal(err)
	}
	if v.LastScan == nil {
		return pratique.Scan{}
	}
	return *v.LastScan
}

func (e *estate) report(id pratique.Digest) *pratique.Report {
	e.t.Helper()
	r, err := e.db.Report(e.t.Context(), id)
	if err != nil {
		e.t.Fatal(err)
	}
	return r
}
