package advisory

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pratique/pratique"
)

// mirror serves files from memory on loopback, with ETags, and misbehaves when
// told to.
type mirror struct {
	*httptest.Server
	mu    sync.Mutex
	files map[string][]byte
	// before, if not nil, may answer a request itself, and then returns true.
	before func(w http.ResponseWriter, r *http.Request) bool
	served map[string]int // requests answered with content, by path
	asked  map[string]int
}

func newMirror(t testing.TB) *mirror {
	m := &mirror{
		files: map[string][]byte{
			"/osv/npm/all.zip":                          exportOf(t, "npm"),
			"/osv/Debian/all.zip":                       exportOf(t, "Debian"),
			"/epss/epss_scores-current.csv.gz":          gzipped([]byte(epssFile)),
			"/kev/known_exploited_vulnerabilities.json": []byte(kevFile),
		},
		served: make(map[string]int), asked: make(map[string]int),
	}
	for year := firstNVDYear; year <= updateTime.Year(); year++ {
		m.files[fmt.Sprintf("/nvd/nvdcve-2.0-%d.json.gz", year)] = gzipped([]byte(strings.ReplaceAll(nvdFile, "2023-9000", fmt.Sprintf("%d-9000", year))))
	}
	m.Server = httptest.NewServer(http.HandlerFunc(m.serve))
	t.Cleanup(m.Close)
	return m
}

var updateTime = time.Date(2024, 9, 1, 0, 0, 0, 0, time.UTC)

func (m *mirror) serve(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked[r.URL.Path]++
	if m.before != nil && m.before(w, r) {
		return
	}
	data, ok := m.files[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	etag := strconv.Quote(pratique.DigestOf(data).Short())
	w.Header().Set("ETag", etag)
	if r.Header.Get("If-None-Match") == etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	m.served[r.URL.Path]++
	http.ServeContent(w, r, "", time.Time{}, strings.NewReader(string(data)))
}

func (m *mirror) options() UpdateOptions {
	return UpdateOptions{Mirror: m.URL, Ecosystems: []string{"Debian", "npm"},
		now: func() time.Time { return updateTime }, backoff: time.Millisecond}
}

func TestUpdate(t *testing.T) {
	m, s := newMirror(t), newStore(t)
	first, err := s.Update(t.Context(), m.options())
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"epss", "kev", "nvd", "osv/Debian", "osv/npm"}; !reflect.DeepEqual(sourcesOf(first.Feeds), want) {
		t.Errorf("sources %q, want %q", sourcesOf(first.Feeds), want)
	}
	b := current(t, s)
	if c, err := b.CVE("CVE-2002-90001"); err != nil || c == nil || c.CVSS[0].Source != "nvd" {
		t.Errorf("a CVE of the first yearly file: %+v, %v", c, err)
	}
	if list, err := b.Advisories("Debian:12", "harbourmaster"); err != nil || len(list) != 2 {
		t.Errorf("%d advisories, %v", len(list), err)
	}

	again, err := s.Update(t.Context(), m.options())
	if err != nil || len(again.Imported) != 0 || len(again.Unchanged) != len(m.files) || again.Digest != first.Digest {
		t.Errorf("nothing new, and yet %+v, %v", again, err)
	}

	m.files["/osv/npm/all.zip"] = zipped(map[string][]byte{"a.json": edited(t, "npm/GHSA-aaaa-bbbb-cccc.json", "2024-08-30T00:00:00Z", nil)})
	third, err := s.Update(t.Context(), m.options())
	if err != nil || !slices.Equal(third.Imported, []string{"osv/npm"}) || third.Digest == first.Digest {
		t.Errorf("one new source: %+v, %v", third, err)
	}
	if m.served["/osv/Debian/all.zip"] != 1 || m.served["/osv/npm/all.zip"] != 2 {
		t.Errorf("served %v", m.served)
	}
}

func TestUpdateAdoptsWhatItGets(t *testing.T) {
	m, s := newMirror(t), newStore(t)
	if _, err := s.Update(t.Context(), m.options()); err != nil {
		t.Fatal(err)
	}
	m.files["/osv/npm/all.zip"] = []byte("<html>Please sign in</html>")
	delete(m.files, "/nvd/nvdcve-2.0-2010.json.gz")
	m.files["/osv/Debian/all.zip"] = zipped(map[string][]byte{"old.json": edited(t, "Debian/CVE-2023-90001.json", "2020-01-01T00:00:00Z", nil)})
	m.files["/kev/known_exploited_vulnerabilities.json"] = []byte(strings.Replace(kevFile, "2024-08-07T16", "2024-08-08T16", 1))
	r, err := s.Update(t.Context(), m.options())
	if r == nil || !slices.Equal(r.Imported, []string{"kev"}) {
		t.Fatalf("result %+v, %v", r, err)
	}
	var known *pratique.Error
	if !errors.As(err, &known) || known.Remedy == "" {
		t.Fatalf("error %v", err)
	}
	for _, name := range []string{"osv/npm", "nvd/2010", "404", "osv/Debian is older"} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("the error does not name %s: %v", name, err)
		}
	}
	if list, err := current(t, s).Advisories("npm", "@dock/crane"); err != nil || len(list) != 2 {
		t.Errorf("the source that failed has %d advisories, %v", len(list), err)
	}
}

func TestUpdateWithoutServer(t *testing.T) {
	m, s := newMirror(t), newStore(t)
	m.Close()
	if r, err := s.Update(t.Context(), m.options()); r != nil || pratique.CodeOf(err) != pratique.CodeUnreachable {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := s.Current(); !errors.Is(err, ErrNoBundle) {
		t.Errorf("the store: %v", err)
	}
	for _, opt := range []UpdateOptions{{Mirror: "ftp://example.org"}, {Mirror: "nonsense"}, {Ecosystems: []string{"../etc"}}} {
		if _, err := s.Update(t.Context(), opt); pratique.CodeOf(err) != pratique.CodeInvalid {
			t.Errorf("%+v: %v", opt, err)
		}
	}
}

// fetchOne downloads one file from m.
func fetchOne(t *testing.T, m *mirror, path string) ([]byte, error) {
	t.Helper()
	f := newFetcher(func(string, ...any) {})
	f.backoff = time.Millisecond
	file := filepath.Join(t.TempDir(), "file")
	if _, err := f.fetch(t.Context(), m.URL+path, file, ""); err != nil {
		return nil, err
	}
	return os.ReadFile(file)
}

func TestBrokenTransferIsResumed(t *testing.T) {
	m := newMirror(t)
	body := []byte(strings.Repeat("0123456789", 100_000))
	m.files["/big"] = body
	var ranges []string
	m.before = func(w http.ResponseWriter, r *http.Request) bool {
		ranges = append(ranges, r.Header.Get("Range"))
		if len(ranges) > 1 {
			return false
		}
		w.Header().Set("ETag", strconv.Quote(pratique.DigestOf(body).Short()))
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.Write(body[:300_000])
		panic(http.ErrAbortHandler) // the connection breaks
	}
	got, err := fetchOne(t, m, "/big")
	if err != nil || string(got) != string(body) {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	if len(ranges) != 2 || !strings.HasPrefix(ranges[1], "bytes=") || ranges[1] == "bytes=0-" {
		t.Errorf("ranges %q", ranges)
	}
}

func TestFileThatChangedMeanwhileIsBegunAnew(t *testing.T) {
	m := newMirror(t)
	m.files["/big"] = []byte(strings.Repeat("new", 100_000))
	m.before = func(w http.ResponseWriter, r *http.Request) bool {
		if m.asked["/big"] > 1 {
			return false
		}
		w.Header().Set("ETag", `"older"`)
		w.Header().Set("Content-Length", "300000")
		w.Write([]byte(strings.Repeat("old", 30_000)))
		panic(http.ErrAbortHandler)
	}
	if got, err := fetchOne(t, m, "/big"); err != nil || string(got) != string(m.files["/big"]) {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
}

func TestRetries(t *testing.T) {
	for name, c := range map[string]struct {
		status, failures, wantAsked int
		ok                          bool
	}{
		"comes back":    {503, 2, 3, true},
		"rate limited":  {429, 1, 2, true},
		"stays away":    {500, 99, attempts, false},
		"does not have": {404, 99, 1, false},
		"forbids":       {403, 99, 1, false},
	} {
		m := newMirror(t)
		m.before = func(w http.ResponseWriter, r *http.Request) bool {
			if m.asked[r.URL.Path] > c.failures {
				return false
			}
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(c.status)
			return true
		}
		_, err := fetchOne(t, m, "/osv/npm/all.zip")
		if (err == nil) != c.ok || m.asked["/osv/npm/all.zip"] != c.wantAsked {
			t.Errorf("%s: asked %d times, %v", name, m.asked["/osv/npm/all.zip"], err)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	for header, want := range map[string]time.Duration{"7": 7 * time.Second, "": 0, "-1": 0, "soon": 0, "999999": maxRetryAfter} {
		if got := retryAfter(&http.Response{Header: http.Header{"Retry-After": {header}}}); got != want {
			t.Errorf("%q: %v, want %v", header, got, want)
		}
	}
}

func TestImportURL(t *testing.T) {
	m, s := newMirror(t), newStore(t)
	r := mustImport(t, s, m.URL+"/osv/npm/all.zip?token=hush", m.URL+"/kev/known_exploited_vulnerabilities.json")
	if want := []string{"kev", "osv/npm"}; !reflect.DeepEqual(sourcesOf(r.Feeds), want) {
		t.Errorf("sources %q", sourcesOf(r.Feeds))
	}
	_, err := s.Import(t.Context(), ImportOptions{Inputs: []string{m.URL + "/none?token=hush"}})
	if err == nil || strings.Contains(err.Error(), "hush") || !strings.Contains(err.Error(), "404") {
		t.Errorf("a missing file: %v", err)
	}
}
