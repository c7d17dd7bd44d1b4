package service

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/internal/testimage"
	"github.com/pratique/pratique/registry/distribution/registrytest"
)

// patients are images of which each has a large layer of its own, in a repository
// that is called after what happens to it.
type patients struct {
	e      *estate // advisories only
	host   string
	byName map[string]*content
}

func newPatients(t testing.TB, names ...string) *patients {
	t.Helper()
	q := quarry{t.TempDir()}
	base, err := q.alpine(1)
	if err != nil {
		t.Fatal(err)
	}
	p := &patients{e: &estate{advisories: estateAdvisories("Debian:0")}, byName: map[string]*content{}, host: registrytest.Start(t, registrytest.Options{Basic: true}).Host}
	push := newPusher("http://" + p.host)
	for i, name := range names {
		noise := make([]byte, 2<<20)
		if _, err := rand.Read(noise); err != nil {
			t.Fatal(err)
		}
		big, err := q.part(part{}, "COPY noise /", testimage.Files(map[string]string{"opt/noise": string(noise)}))
		if err != nil {
			t.Fatal(err)
		}
		c := newContent(i, "alpine", base, big)
		p.byName[name] = c
		if _, err := push.image("patient/"+name, "1", c); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// admit adds the registry behind a gate to a service, and synchronises it.
func (p *patients) admit(s *server, g *gate) (registry int64) {
	s.t.Helper()
	f := fleet{advisories: p.e.advisories, modified: time.Now().Add(-48 * time.Hour), rows: len(p.byName)}
	return f.join(s, g)
}

// row is the line of one patient.
func (p *patients) row(s *server, name string) pratique.AssetRow {
	s.t.Helper()
	rows := get[pratique.Page[pratique.AssetRow]](s, "/images?imageID="+string(p.byName[name].id())).Items
	if len(rows) != 1 {
		s.t.Fatalf("%s: %+v", name, rows)
	}
	return rows[0]
}

// healthy checks that a patient was scanned completely, with the right result.
func (p *patients) healthy(s *server, name string) {
	s.t.Helper()
	r, c := p.row(s, name), p.byName[name]
	summary := s.summary(c.id())
	if r.Status != pratique.StatusScanned || r.Counters != p.e.counters(c) || r.Risk != pratique.RiskFound || r.ScanError != nil || len(summary.Problems) > 0 || summary.Categories[pratique.CategorySoftware].State != pratique.CoverageComplete {
		s.t.Errorf("%s: %+v\n%+v", name, r, summary)
	}
}

// A fault is one way in which a registry misbehaves towards one image.
type fault struct {
	answer func(w http.ResponseWriter, r *http.Request, next http.Handler) bool
	// How the scan may end: failed with one of these codes, or scanned with a hole
	// that has one of them. None: it succeeds.
	codes []pratique.Code
}

func onManifests(f http.HandlerFunc) func(http.ResponseWriter, *http.Request, http.Handler) bool {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) bool {
		if strings.Contains(r.URL.Path, "/manifests/") {
			f(w, r)
			return true
		}
		return false
	}
}

// onLayer answers requests for the patient's own layer. It knows the layer's bytes.
func onLayer(p func() *patients, name string, f func(w http.ResponseWriter, r *http.Request, blob []byte)) func(http.ResponseWriter, *http.Request, http.Handler) bool {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) bool {
		layer := p().byName[name].Layers[1]
		if !strings.HasSuffix(r.URL.Path, string(layer.Digest)) {
			return false
		}
		blob, err := os.ReadFile(layer.Blob)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return true
		}
		f(w, r, blob)
		return true
	}
}

// hangUp breaks the connection.
func hangUp(w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		conn.Close()
	}
}

func faults(p func() *patients) map[string]fault {
	var mu sync.Mutex
	refusals := 0
	return map[string]fault{
		"down": {answer: func(w http.ResponseWriter, _ *http.Request, _ http.Handler) bool { hangUp(w); return true }, codes: []pratique.Code{pratique.CodeUnreachable}},
		"drip": {answer: onLayer(p, "drip", func(w http.ResponseWriter, r *http.Request, blob []byte) {
			for i := 0; i < len(blob) && r.Context().Err() == nil; i += 1000 {
				_, _ = w.Write(blob[i:min(i+1000, len(blob))])
				_ = http.NewResponseController(w).Flush()
				select {
				case <-r.Context().Done():
				case <-time.After(100 * time.Millisecond):
				}
			}
		}), codes: []pratique.Code{pratique.CodeTimeout}},
		"busy": {answer: onManifests(func(w http.ResponseWriter, _ *http.Request) { // see "busy for good"
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(http.StatusTooManyRequests)
		}), codes: []pratique.Code{pratique.CodeRateLimited}},
		"hesitant": {answer: func(w http.ResponseWriter, r *http.Request, _ http.Handler) bool {
			mu.Lock()
			defer mu.Unlock()
			if refusals++; refusals > 3 || !strings.Contains(r.URL.Path, "/manifests/") {
				return false
			}
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			return true
		}},
		"broken": {answer: onManifests(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "boom", http.StatusInternalServerError) }), codes: []pratique.Code{pratique.CodeUnreachable}},
		"html": {answer: onManifests(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, "<html><body>Please sign in to the Wi-Fi</body></html>")
		}), codes: []pratique.Code{pratique.CodeUnreachable, pratique.CodeCorrupt, pratique.CodeUnsupported, pratique.CodeInvalid}},
		"truncated": {answer: onLayer(p, "truncated", func(w http.ResponseWriter, _ *http.Request, blob []byte) {
			w.Header().Set("Content-Length", fmt.Sprint(len(blob)))
			_, _ = w.Write(blob[:len(blob)/2])
			hangUp(w)
		}), codes: []pratique.Code{pratique.CodeUnreachable, pratique.CodeCorrupt}},
		"forged": {answer: onLayer(p, "forged", func(w http.ResponseWriter, _ *http.Request, blob []byte) {
			blob[len(blob)/2] ^= 1
			_, _ = w.Write(blob)
		}), codes: []pratique.Code{pratique.CodeCorrupt}},
		"missing": {answer: onLayer(p, "missing", func(w http.ResponseWriter, _ *http.Request, _ []byte) {
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"errors":[{"code":"BLOB_UNKNOWN"}]}`)
		}), codes: []pratique.Code{pratique.CodeNotFound}},
		"well": {answer: func(http.ResponseWriter, *http.Request, http.Handler) bool { return false }},
	}
}

// Each image meets another fault of its registry, all in one task. None keeps the
// others from being scanned; each state tells its reason; and when the registry is
// well again, the next scan is right.
func TestScansOfBadRegistries(t *testing.T) {
	t.Parallel() // it mostly waits
	var p *patients
	all := faults(func() *patients { return p })
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	p = newPatients(t, names...)
	g := newGate(t, "http://"+p.host)
	s := serve(t, "", "--scans", fmt.Sprint(len(names)))
	p.admit(s, g)
	g.misbehave(func(w http.ResponseWriter, r *http.Request, next http.Handler) bool {
		for name, f := range all {
			if strings.Contains(r.URL.Path, "/patient/"+name+"/") {
				return f.answer(w, r, next)
			}
		}
		return false
	})
	began := time.Now()
	begun := s.startScan(map[string]any{"scope": "all", "timeoutSeconds": 12})

	// A registry that asks for patience gets it: the scan waits, and says for what.
	var waiting pratique.Scan
	until(t, "all but the busy one have ended", 3*time.Minute, func() bool {
		now := get[task](s, fmt.Sprint("/tasks/", begun.ID))
		return now.Scanned+now.Failed == len(names)-1
	})
	until(t, "the busy one says what it waits for", time.Minute, func() bool {
		for _, c := range get[pratique.Page[pratique.Scan]](s, fmt.Sprintf("/scans?task=%d&status=scanning", begun.ID)).Items {
			waiting = c
		}
		return waiting.Error != nil
	})
	if waiting.Error.Code != pratique.CodeRateLimited || waiting.Error.Remedy == "" || waiting.ImageID != p.byName["busy"].id() {
		t.Errorf("%+v", waiting)
	}
	t.Logf("all faults were told after %s", time.Since(began).Round(time.Second))
	if row := p.row(s, "busy"); row.Status != pratique.StatusScanning {
		t.Errorf("busy: %+v", row)
	}
	var cancelled struct{ Cancelled int }
	s.want(http.StatusOK, http.MethodPost, "/scans/cancel", map[string]any{"ids": []int64{waiting.ID}}, &cancelled)
	if row := p.row(s, "busy"); cancelled.Cancelled != 1 || row.Status != pratique.StatusCancelled {
		t.Errorf("%+v: %+v", cancelled, row)
	}
	if end := s.scanned(begun.ID); end.Cancelled != 1 {
		t.Errorf("%+v", end)
	}
	for name, f := range all {
		switch {
		case name == "busy":
		case f.codes == nil:
			p.healthy(s, name)
		default:
			p.told(s, name, f.codes)
		}
	}

	g.misbehave(nil)
	var again task
	s.want(http.StatusCreated, http.MethodPost, fmt.Sprintf("/tasks/%d/rescan", begun.ID), map[string]any{"failedOnly": true}, &again)
	if again = s.scanned(again.ID); again.Failed > 0 || again.Total == 0 || again.Total >= len(names) || again.Kind != pratique.TaskRescan {
		t.Errorf("what failed, again: %+v", again)
	}
	if end := s.scan(map[string]any{"scope": "all"}); end.Scanned != len(names) {
		t.Errorf("%+v", end)
	}
	for _, name := range names {
		p.healthy(s, name)
	}
	s.stop()
}

// told checks that a patient's state says what happened to it, and that nobody
// takes it for clean.
func (p *patients) told(s *server, name string, codes []pratique.Code) {
	s.t.Helper()
	r := p.row(s, name)
	if r.Status == pratique.StatusFailed {
		if e := r.ScanError; e == nil || !slices.Contains(codes, e.Code) || e.Message == "" || e.Remedy == "" || strings.Contains(e.Message, registrytest.Password) {
			s.t.Errorf("%s failed for %+v, want one of %v", name, e, codes)
		} else {
			s.t.Logf("%s: %s: %s → %s", name, e.Code, e.Message, e.Remedy)
		}
		if r.Risk == pratique.RiskNone {
			s.t.Errorf("%s counts as clean", name)
		}
		return
	}
	summary := s.summary(p.byName[name].id())
	hole := slices.ContainsFunc(summary.Problems, func(q pratique.Problem) bool { return slices.Contains(codes, q.Code) && q.Partial })
	if r.Status != pratique.StatusScanned || !hole || summary.Categories[pratique.CategorySecret].State != pratique.CoveragePartial || r.Risk == pratique.RiskNone {
		s.t.Errorf("%s: %+v\n%+v", name, r, summary)
		return
	}
	s.t.Logf("%s: scanned, with the problems %+v", name, summary.Problems)
}

// Listings that go wrong say so, and take nothing away that is still there.
func TestListingsThatGoWrong(t *testing.T) {
	t.Parallel() // it mostly waits
	names := []string{"a", "b", "c", "d", "e"}
	p := newPatients(t, names...)
	g := newGate(t, "http://"+p.host)
	pages := 0
	var mu sync.Mutex
	paged := func(more func(w http.ResponseWriter, r *http.Request, page int) bool) func(http.ResponseWriter, *http.Request, http.Handler) bool {
		return func(w http.ResponseWriter, r *http.Request, next http.Handler) bool {
			if !strings.HasSuffix(r.URL.Path, "/_catalog") {
				return more != nil && more(w, r, 0)
			}
			q := r.URL.Query()
			q.Set("n", "2") // small pages
			r.URL.RawQuery = q.Encode()
			page := 1
			if q.Get("last") != "" {
				page = 2
				mu.Lock()
				pages++
				mu.Unlock()
			}
			return more != nil && more(w, r, page)
		}
	}
	g.misbehave(paged(nil))
	s := serve(t, "")
	id := p.admit(s, g)
	if pages < 2 {
		t.Fatalf("the catalogue had %d further pages: this test shows nothing", pages)
	}
	sync := func() pratique.SyncStatus {
		t.Helper()
		s.want(http.StatusAccepted, http.MethodPost, "/registries/sync", map[string]any{"ids": []int64{id}, "full": true}, nil)
		return s.synced(id)
	}
	rows := func() (found []string) {
		for _, r := range all(s, "/images", func(r pratique.AssetRow) string { return fmt.Sprint(r.ID) }, 2) {
			found = append(found, nameOf(r))
		}
		return found
	}
	want := []string{"patient/a:1", "patient/b:1", "patient/c:1", "patient/d:1", "patient/e:1"}
	sameSet(t, "rows", rows(), slices.Clone(want))

	for name, c := range map[string]struct {
		answer func(w http.ResponseWriter, r *http.Request, page int) bool
	}{
		"the second page is an error": {func(w http.ResponseWriter, _ *http.Request, page int) bool {
			if page == 2 {
				http.Error(w, "boom", http.StatusInternalServerError)
			}
			return page == 2
		}},
		"the second page is HTML": {func(w http.ResponseWriter, _ *http.Request, page int) bool {
			if page == 2 {
				w.Header().Set("Content-Type", "text/html")
				_, _ = io.WriteString(w, "<html>a proxy's opinion</html>")
			}
			return page == 2
		}},
		"the second page breaks off": {func(w http.ResponseWriter, _ *http.Request, page int) bool {
			if page == 2 {
				w.Header().Set("Content-Length", "1000")
				_, _ = io.WriteString(w, `{"repositories":["patient/e"`)
				hangUp(w)
			}
			return page == 2
		}},
		"one repository's tags are an error": {func(w http.ResponseWriter, r *http.Request, _ int) bool {
			broken := strings.HasSuffix(r.URL.Path, "/patient/c/tags/list")
			if broken {
				http.Error(w, "boom", http.StatusInternalServerError)
			}
			return broken
		}},
		"the registry hangs up": {func(w http.ResponseWriter, _ *http.Request, _ int) bool { hangUp(w); return true }},
	} {
		g.misbehave(paged(c.answer))
		got := sync()
		if got.State != "failed" || got.Error == nil || got.Error.Code == "" || got.Error.Message == "" || got.Error.Remedy == "" {
			t.Errorf("%s: %+v", name, got)
		} else {
			t.Logf("%s: %s: %s → %s", name, got.Error.Code, got.Error.Message, got.Error.Remedy)
		}
		sameSet(t, name, rows(), slices.Clone(want))
	}
	g.misbehave(paged(nil))
	if got := sync(); got.State != "success" || got.Error != nil {
		t.Errorf("%+v", got)
	}
	sameSet(t, "after all faults", rows(), slices.Clone(want))

	// While the second page is read, somebody pushes before and behind it.
	push := newPusher("http://" + p.host)
	once := false
	g.misbehave(paged(func(_ http.ResponseWriter, _ *http.Request, page int) bool {
		mu.Lock()
		defer mu.Unlock()
		if page == 2 && !once {
			once = true
			for _, name := range []string{"patient/aa", "patient/zz"} {
				if _, err := push.image(name, "1", p.byName["a"]); err != nil {
					t.Error(err)
				}
			}
		}
		return false
	}))
	if got := sync(); got.State != "success" {
		t.Errorf("%+v", got)
	}
	for _, name := range want {
		if !slices.Contains(rows(), name) {
			t.Errorf("%s was lost while others were pushed", name)
		}
	}
	if got := sync(); got.State != "success" {
		t.Errorf("%+v", got)
	}
	sameSet(t, "after what was pushed meanwhile", rows(), append(slices.Clone(want), "patient/aa:1", "patient/zz:1"))
	s.stop()
}

// Tokens that hold for a few requests only: the listing goes on with new ones.
func TestTokensThatExpireInTheMiddle(t *testing.T) {
	t.Parallel()
	upstream := registrytest.Start(t, registrytest.Options{Token: true})
	e := &estate{advisories: estateAdvisories("Debian:0")}
	q := quarry{t.TempDir()}
	p := newPusher("http://" + upstream.Host)
	p.token = func(repository string) string {
		return "Bearer " + upstream.Token(t, "repository:"+repository+":pull,push", "repository:token/app0:pull", "repository:token/app1:pull", "repository:token/app2:pull")
	}
	base, err := q.alpine(1)
	if err != nil {
		t.Fatal(err)
	}
	var contents []*content
	for i := range 12 {
		note, err := q.note(fmt.Sprint("token ", i))
		if err != nil {
			t.Fatal(err)
		}
		contents = append(contents, newContent(i, "alpine", base, note))
		if _, err := p.image(fmt.Sprint("token/app", i%3), fmt.Sprint(i), contents[i]); err != nil {
			t.Fatal(err)
		}
	}
	g := newGate(t, "http://"+upstream.Host)
	var mu sync.Mutex
	used := map[string]int{}
	g.misbehave(func(w http.ResponseWriter, r *http.Request, next http.Handler) bool {
		mu.Lock()
		defer mu.Unlock()
		if token := r.Header.Get("Authorization"); token != "" {
			if used[token]++; used[token] > 3 {
				r.Header.Del("Authorization") // as if it had expired: the registry's own challenge
			}
		}
		return false
	})
	s := serve(t, "")
	f := fleet{advisories: e.advisories, modified: time.Now().Add(-48 * time.Hour), rows: len(contents)}
	before := upstream.TokensIssued()
	f.join(s, g)
	if n := upstream.TokensIssued() - before; n < 5 {
		t.Errorf("%d tokens were issued: none has expired", n)
	}
	if done := s.scan(map[string]any{"scope": "all"}); done.Scanned != len(contents) || done.Failed > 0 {
		t.Errorf("%+v", done)
	}
	for _, r := range get[pratique.Page[pratique.AssetRow]](s, "/images").Items {
		if r.Counters != e.counters(contents[0]) {
			t.Errorf("%+v", r)
		}
	}
	t.Logf("%d tokens for %d rows", upstream.TokensIssued()-before, len(contents))
	s.stop()
}

// The service is killed while scans are in every state: waiting, just begun, in the
// middle of a layer, and (of images whose layers are known) judging and writing. It
// comes back, and everything goes on by itself.
func TestKilledInEveryState(t *testing.T) {
	t.Parallel() // it mostly waits
	whole := t   // processes outlive the parts
	names := []string{"begun", "reading", "waiting"}
	for i := range 40 {
		names = append(names, fmt.Sprintf("known%02d", i))
	}
	p := newPatients(t, names...)
	g := newGate(t, "http://"+p.host)
	s := serve(t, "", "--scans", "2")
	p.admit(s, g)
	var known []pratique.Digest
	for name, c := range p.byName {
		if strings.HasPrefix(name, "known") {
			known = append(known, c.id())
		}
	}
	chosen := func(ids []pratique.Digest) map[string]any {
		return map[string]any{"scope": "specified", "filter": map[string]any{"imageIDs": ids}}
	}
	if done := s.scan(chosen(known)); done.Scanned != len(known) {
		t.Fatalf("%+v", done)
	}
	t.Run("begun, reading, waiting", func(t *testing.T) {
		s.t = t
		held := make(chan string, 10)
		hold := func(w http.ResponseWriter, r *http.Request, what string, half []byte) bool {
			_, _ = w.Write(half)
			_ = http.NewResponseController(w).Flush()
			select {
			case held <- what:
			default:
			}
			<-r.Context().Done() // until the service is gone
			return true
		}
		g.misbehave(func(w http.ResponseWriter, r *http.Request, _ http.Handler) bool {
			layer := p.byName["reading"].Layers[1]
			switch {
			case strings.Contains(r.URL.Path, "/patient/begun/manifests/"):
				return hold(w, r, "begun", nil)
			case strings.HasSuffix(r.URL.Path, string(layer.Digest)):
				blob, err := os.ReadFile(layer.Blob)
				if err != nil {
					t.Error(err)
				}
				return hold(w, r, "reading", blob[:len(blob)/2])
			}
			return false
		})
		// The two that are held take all places, so the third waits.
		first := s.startScan(chosen([]pratique.Digest{p.byName["begun"].id(), p.byName["reading"].id()}))
		seen := map[string]bool{}
		for len(seen) < 2 {
			select {
			case what := <-held:
				seen[what] = true
			case <-time.After(time.Minute):
				t.Fatalf("only %v is held", seen)
			}
		}
		second := s.startScan(chosen([]pratique.Digest{p.byName["waiting"].id()}))
		s.kill()
		g.misbehave(nil)
		killed := time.Now()
		s.start(whole, false, "--scans", "2")
		s.t = t
		for _, id := range []int64{first.ID, second.ID} {
			if done := s.scanned(id); done.Scanned != done.Total || done.Failed > 0 {
				t.Errorf("%+v", done)
			}
		}
		t.Logf("all had ended %s after the kill", time.Since(killed).Round(time.Second))
		for _, name := range []string{"begun", "reading", "waiting"} {
			p.healthy(s, name)
		}
	})
	t.Run("judging, writing and synchronising", func(t *testing.T) {
		s.t = t
		held := make(chan struct{}, 100)
		g.misbehave(func(_ http.ResponseWriter, r *http.Request, _ http.Handler) bool {
			if strings.Contains(r.URL.Path, "/patient/known20/tags/") {
				held <- struct{}{}
				<-r.Context().Done()
				return true
			}
			return false
		})
		s.want(http.StatusAccepted, http.MethodPost, "/registries/sync", map[string]any{"full": true}, nil)
		<-held
		begun := s.startScan(chosen(known))
		until(t, "some are scanned", time.Minute, func() bool { return get[task](s, fmt.Sprint("/tasks/", begun.ID)).Scanned >= 5 })
		s.kill()
		g.misbehave(nil)
		killed := time.Now()
		s.start(whole, false, "--scans", "2")
		s.t = t
		now := get[task](s, fmt.Sprint("/tasks/", begun.ID))
		t.Logf("killed when %d of %d were scanned", now.Scanned, now.Total)
		if now.Ended != nil {
			t.Error("all were scanned before the kill: this shows nothing")
		}
		if done := s.scanned(begun.ID); done.Scanned != len(known) || done.Failed > 0 {
			t.Errorf("%+v", done)
		}
		t.Logf("all scans had ended %s after the kill", time.Since(killed).Round(time.Second))
		until(t, "the synchronisation went on by itself", 3*time.Minute, func() bool {
			runs := get[[]pratique.SyncRun](s, "/registries/1/syncs")
			return runs[0].State == "success" && len(runs) >= 3
		})
		if broken := get[[]pratique.SyncRun](s, "/registries/1/syncs")[1]; broken.State != "failed" || broken.Error == nil || broken.Error.Remedy == "" {
			t.Errorf("the run that was killed: %+v", broken)
		}
		for _, name := range names {
			p.healthy(s, name)
		}
		if n := len(all(s, "/images", func(r pratique.AssetRow) string { return fmt.Sprint(r.ID) }, 50)); n != len(names) {
			t.Errorf("%d rows, want %d", n, len(names))
		}
	})
	s.t = t
	s.stop()
}

// small starts the service with a file system of its own, of some size, on a folder.
func (s *server) small(t testing.TB, folder, size string) {
	t.Helper()
	mount := fmt.Sprintf(`mkdir -p '%s' && mount -t tmpfs -o size=%s tmpfs '%s' && exec "$0" "$@"`, folder, size, folder)
	s.wrap = []string{"unshare", "--mount", "sh", "-c", mount}
	if os.Geteuid() != 0 {
		s.wrap = append([]string{"unshare", "--user", "--map-root-user", "--mount"}, s.wrap[2:]...)
	}
}

// No room for facts costs the next scan time, and is told; no room for anything
// stops the work, and is told; with room again, it goes on.
func TestDiskFull(t *testing.T) {
	t.Parallel() // it mostly waits
	p := newPatients(t, "one", "two")
	g := newGate(t, "http://"+p.host)
	t.Run("facts", func(t *testing.T) {
		s := &server{data: filepath.Join(t.TempDir(), "data")}
		s.small(t, filepath.Join(s.data, "facts"), "8k")
		s.begin(t)
		p.admit(s, g)
		if done := s.scan(map[string]any{"scope": "all"}); done.Scanned != 2 || done.Failed > 0 {
			t.Errorf("%+v", done)
		}
		for name, c := range p.byName {
			summary := s.summary(c.id())
			told := slices.ContainsFunc(summary.Problems, func(q pratique.Problem) bool { return q.Code == pratique.CodeDisk && q.Remedy != "" })
			if row := p.row(s, name); row.Status != pratique.StatusScanned || row.Counters != p.e.counters(c) || !told {
				t.Errorf("%s: %+v\n%+v", name, row, summary.Problems)
			}
		}
		s.stop()
	})
	t.Run("everything", func(t *testing.T) {
		s := &server{data: filepath.Join(t.TempDir(), "data")}
		s.small(t, s.data, "40m")
		s.begin(t)
		p.admit(s, g)
		ballast := filepath.Join("/proc", fmt.Sprint(s.cmd.Process.Pid), "root", s.data, "ballast")
		fill(t, ballast)
		var refused problem
		code, text, err := s.try(http.MethodPost, "/tasks", map[string]any{"scope": "all", "categories": []string{"secret"}})
		if err != nil || code < 400 || json.Unmarshal(text, &refused) != nil || refused.Code == "" || refused.Remedy == "" {
			t.Errorf("without room a task is answered by %d %s %v", code, text, err)
		}
		t.Logf("%d %+v", code, refused)
		if code := s.ask(http.MethodGet, "/images", nil, nil); code != http.StatusOK {
			t.Errorf("without room, what is known cannot be read: %d", code)
		}
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		if done := s.scan(map[string]any{"scope": "all"}); done.Scanned != 2 || done.Failed > 0 {
			t.Errorf("%+v", done)
		}
		for name := range p.byName {
			p.healthy(s, name)
		}
		s.stop()
	})
}

// fill writes a file until there is no room.
func fill(t testing.TB, name string) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size > 0; size /= 2 {
		for {
			if _, err := f.Write(make([]byte, size)); err != nil {
				break
			}
		}
	}
}
