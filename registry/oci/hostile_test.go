package oci

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/registry"
)

// scripted is a registry with tokens and one image, whose answers the tests bend.
type scripted struct {
	repositories []string
	tags         []string
	before       func(w http.ResponseWriter, r *http.Request) (done bool)
	perPage      int // of the catalogue, 0 for all

	mu     sync.Mutex
	tokens map[string]bool // that are good
	issued int
	host   string
}

const image = `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[]}`

func (s *scripted) start(t testing.TB) registry.Connection {
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.tokens = map[string]bool{}
	s.host = server.Listener.Addr().String()
	return registry.Connection{Name: "test", Kind: "oci", Address: server.URL, Username: "mate", Password: "correct-horse"}
}

func bearer(r *http.Request) string {
	return strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
}

func (s *scripted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.before != nil && s.before(w, r) {
		return
	}
	if r.URL.Path == "/token" {
		if _, p, _ := r.BasicAuth(); p != "correct-horse" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		s.issued++
		token := fmt.Sprint("token-", s.issued)
		s.tokens[token] = true
		_ = json.NewEncoder(w).Encode(map[string]any{"token": token, "expires_in": 3600})
		return
	}
	if !s.tokens[bearer(r)] {
		w.Header().Set("WWW-Authenticate", `Bearer realm="http://`+s.host+`/token",service="s"`)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	switch path := r.URL.Path; {
	case path == "/v2/":
		_, _ = w.Write([]byte("{}"))
	case path == "/v2/_catalog":
		s.catalogue(w, r)
	case strings.HasSuffix(path, "/tags/list"):
		_ = json.NewEncoder(w).Encode(map[string]any{"tags": s.tags})
	case strings.Contains(path, "/manifests/"):
		w.Header().Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
		w.Header().Set("Docker-Content-Digest", string(pratique.DigestOf([]byte(image))))
		_, _ = io.WriteString(w, image)
	case strings.Contains(path, "/blobs/"):
		_, _ = io.WriteString(w, "{}")
	}
}

// catalogue pages with a relative link, parameters in zot's order.
func (s *scripted) catalogue(w http.ResponseWriter, r *http.Request) {
	all := s.repositories
	if last := r.URL.Query().Get("last"); last != "" {
		all = all[slices.Index(all, last)+1:]
	}
	if s.perPage > 0 && len(all) > s.perPage {
		all = all[:s.perPage]
		w.Header().Set("Link", fmt.Sprintf(`</v2/_catalog?n=%d&last=%s>; rel="next"`, s.perPage, all[len(all)-1]))
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"repositories": all})
}

func TestCataloguePages(t *testing.T) {
	s := &scripted{repositories: []string{"a", "b/c", "b/d", "e/f/g", "h"}, tags: []string{"1", "2"}, perPage: 2}
	l, err := list(t, s.start(t), registry.Query{})
	if err != nil || len(l.complete) != 5 || len(l.artifacts) != 5 || len(l.problems) > 0 {
		t.Fatal(err, l)
	}
	if a := l.artifacts["e/f/g@"+string(pratique.DigestOf([]byte(image)))]; len(a.Tags) != 2 {
		t.Errorf("%+v", a)
	}
}

// Each repository's token expires while its tags are being read, some of them at
// that very moment.
func TestTokenExpiresMeanwhile(t *testing.T) {
	s := &scripted{repositories: []string{"a", "b", "c"}, perPage: 1}
	for i := range 40 {
		s.tags = append(s.tags, fmt.Sprint("v", i))
	}
	expired := map[string]bool{}
	s.before = func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/v20") && !expired[r.URL.Path] {
			expired[r.URL.Path] = true
			delete(s.tokens, bearer(r))
		}
		return false
	}
	l, err := list(t, s.start(t), registry.Query{})
	if err != nil || len(l.artifacts) != 3 || len(l.problems) > 0 || len(expired) != 3 || s.issued != 1+2*3 {
		t.Error(err, l, expired, s.issued)
	}
	for _, a := range l.artifacts {
		if len(a.Tags) != 40 {
			t.Errorf("%s: %d tags", a.Repository, len(a.Tags))
		}
	}
}

func TestFaultsPass(t *testing.T) {
	for name, fault := range map[string]func(http.ResponseWriter){
		"429": func(w http.ResponseWriter) { w.Header().Set("Retry-After", "1"); w.WriteHeader(429) },
		"500": func(w http.ResponseWriter) { w.WriteHeader(500) },
		"cut": func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			count := 0
			s := &scripted{repositories: []string{"a", "b", "c"}, tags: []string{"1", "2"}}
			s.before = func(w http.ResponseWriter, r *http.Request) bool {
				if count++; count == 6 || count == 11 {
					fault(w)
					return true
				}
				return false
			}
			l, err := list(t, s.start(t), registry.Query{})
			if err != nil || len(l.artifacts) != 3 || len(l.problems) > 0 {
				t.Error(err, l)
			}
		})
	}
}

func TestHostileRegistries(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Error("the credential went to another host")
		}
		_, _ = io.WriteString(w, "{}")
	}))
	t.Cleanup(other.Close)
	for name, c := range map[string]struct {
		path   string // part of those that answer strangely
		answer func(http.ResponseWriter, *http.Request)
		code   pratique.Code // of the listing
		alone  pratique.Code // of repository a, if the listing goes on
	}{
		"catalogue in HTML":     {"_catalog", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }, pratique.CodeUnreachable, ""},
		"no catalogue":          {"_catalog", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404); _, _ = io.WriteString(w, "{}") }, pratique.CodeUnsupported, ""},
		"forbidden catalogue":   {"_catalog", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) }, pratique.CodeUnsupported, ""},
		"catalogue not offered": {"_catalog", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(405) }, pratique.CodeUnsupported, ""},
		"catalogue in circles": {"_catalog", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Link", "<"+r.RequestURI+">; rel=next")
			_, _ = io.WriteString(w, `{"repositories":["a"]}`)
		}, pratique.CodeUnreachable, ""},
		"catalogue elsewhere": {"_catalog", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Link", "<"+other.URL+"/v2/_catalog>; rel=next")
			_, _ = io.WriteString(w, `{"repositories":[]}`)
		}, pratique.CodeUnreachable, ""},
		"catalogue redirected": {"_catalog", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
		}, "", ""},
		"gigantic tags": {"/a/tags", func(w http.ResponseWriter, _ *http.Request) {
			for range 20 {
				_, _ = io.WriteString(w, strings.Repeat(" ", 1<<20))
			}
		}, "", pratique.CodeUnreachable},
		"forbidden tags":  {"/a/tags", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(403) }, "", pratique.CodeUnauthorized},
		"forbidden image": {"/a/manifests", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(403) }, "", pratique.CodeUnauthorized},
		"null tags":       {"/a/tags", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"tags":null}`) }, "", ""},
		"no such tags": {"/a/tags", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(404)
			_, _ = io.WriteString(w, `{"errors":[{"code":"NAME_UNKNOWN"}]}`)
		}, "", ""},
		"impatient": {"/a/tags", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(429)
		}, pratique.CodeRateLimited, ""},
		"image redirected": {"/a/manifests", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
		}, "", pratique.CodeCorrupt},
		"image withheld":    {"/a/manifests", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(412) }, "", pratique.CodeUnauthorized},
		"garbage":           {"/a/manifests", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "\x00{") }, "", pratique.CodeCorrupt},
		"config that lies":  {"/a/blobs", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "[]") }, "", ""},
		"config is missing": {"/a/blobs", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) }, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &scripted{repositories: []string{"a", "b"}, tags: []string{"1"}}
			s.before = func(w http.ResponseWriter, r *http.Request) bool {
				// Tokens are dealt with as usual.
				if !strings.Contains(r.URL.Path, c.path) || !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ") {
					return false
				}
				c.answer(w, r)
				return true
			}
			l, err := list(t, s.start(t), registry.Query{})
			if pratique.CodeOf(err) != c.code {
				t.Errorf("%v, want code %q", err, c.code)
			}
			if got := pratique.CodeOf(l.problems["a"]); got != c.alone {
				t.Errorf("a: %v, want code %q", l.problems["a"], c.alone)
			}
			if c.alone != "" && (l.complete["a"] || !l.complete["b"]) {
				t.Errorf("%v", l.complete)
			}
		})
	}
}

// Distribution 3 fails at each manifest that it no longer knows, such as Docker's schema
// 1, which is no reason to take the registry to be down.
func TestFaultsOfSingleManifests(t *testing.T) {
	t.Parallel()
	s := &scripted{repositories: []string{"a", "b", "c", "d", "e"}, tags: []string{"1", "old"}}
	s.before = func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "/manifests/old") {
			return false
		}
		w.WriteHeader(http.StatusInternalServerError)
		return true
	}
	l, err := list(t, s.start(t), registry.Query{})
	if err != nil || len(l.artifacts) != 5 || len(l.problems) != 5 || l.complete["a"] {
		t.Error(err, l)
	}
	for name, problem := range l.problems {
		if pratique.CodeOf(problem) != pratique.CodeCorrupt || !strings.Contains(problem.Error(), name) {
			t.Error(name, problem)
		}
	}
}

// A registry that is down is not asked for each of its repositories.
func TestGivesUp(t *testing.T) {
	t.Parallel()
	s := &scripted{tags: []string{"1"}}
	for i := range 500 {
		s.repositories = append(s.repositories, fmt.Sprint("r", i))
	}
	asked := 0
	s.before = func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "/tags/list") {
			return false
		}
		asked++
		_, _ = io.WriteString(w, "<html>The registry is down for maintenance")
		return true
	}
	l, err := list(t, s.start(t), registry.Query{})
	if pratique.CodeOf(err) != pratique.CodeUnreachable || asked > 10 || len(l.complete) > 10 {
		t.Error(err, asked, len(l.complete))
	}
}

func TestStopping(t *testing.T) {
	s := &scripted{tags: []string{"1"}}
	for i := range 200 {
		s.repositories = append(s.repositories, fmt.Sprint("r", i))
	}
	conn := s.start(t)
	mine := errors.New("the database is full")
	pages := 0
	err := Connector{}.List(t.Context(), conn, registry.Query{}, func(registry.Page) error {
		if pages++; pages == 3 {
			return mine
		}
		return nil
	})
	if !errors.Is(err, mine) || pages > 3+4 {
		t.Error(err, pages)
	}
	ctx, cancel := context.WithCancel(t.Context())
	began := time.Now()
	err = Connector{}.List(ctx, conn, registry.Query{}, func(registry.Page) error { cancel(); return nil })
	if pratique.CodeOf(err) != pratique.CodeCancelled || time.Since(began) > 2*time.Second {
		t.Error(err, time.Since(began))
	}
}

// The notifications that distribution sent when images were pushed and pulled.
func TestNotifications(t *testing.T) {
	f, err := os.Open("testdata/events.log")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var got []registry.Hint
	for _, body := range recorded(t, f) {
		hints, err := call(body, "Bearer tok")
		if err != nil {
			t.Error(err)
		}
		got = append(got, hints...)
	}
	const d = "sha256:f6dbfc0e873cc32d326b37632732862b4e2779de6833d37c42ad2b042288f5d3"
	want := []registry.Hint{
		{Action: "push", Repository: "a/b/c/app", Tag: "1", Digest: d}, {Action: "push", Repository: "a/b/c/app", Tag: "2", Digest: d},
		{Action: "push", Repository: "a/b/c/app", Tag: "3", Digest: d}, {Action: "push", Repository: "zstd", Tag: "1", Digest: d},
	}
	if !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	for body, want := range map[string]int{
		`{"events":[{"action":"delete","target":{"digest":"` + d + `","repository":"a"}}]}`:                                                       1,
		`{"events":[{"action":"push","target":{"mediaType":"application/octet-stream","digest":"` + d + `","repository":"a"}}]}`:                  0,
		`{"events":[{"action":"push","target":{"mediaType":"application/vnd.oci.image.index.v1+json","digest":"x","repository":"a","tag":"1"}}]}`: 1,
		`{"events":[]}`: 0,
		`{"events":[{"action":"push","repository":"a","tag":"1"},{"action":"delete","repository":"b"}]}`: 2,
	} {
		if hints, err := call(body, "Bearer tok"); err != nil || len(hints) != want {
			t.Errorf("%s: %v %v", body, hints, err)
		}
	}
}

func recorded(t testing.TB, f io.Reader) (bodies []string) {
	var body strings.Builder
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		switch line := lines.Text(); {
		case strings.HasPrefix(line, "POST "):
			body.Reset()
			lines.Scan() // its header
		case line == "" && body.Len() > 0:
			bodies = append(bodies, body.String())
			body.Reset()
		default:
			body.WriteString(line)
		}
	}
	if body.Len() > 0 {
		bodies = append(bodies, body.String())
	}
	if len(bodies) < 4 {
		t.Fatalf("the recording has %d calls", len(bodies))
	}
	return bodies
}

func call(body, authorization string) ([]registry.Hint, error) {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Authorization", authorization)
	return Connector{}.Webhook(registry.Connection{WebhookSecret: "tok"}, r)
}

func FuzzNotification(f *testing.F) {
	log, err := os.Open("testdata/events.log")
	if err != nil {
		f.Fatal(err)
	}
	for _, body := range recorded(f, log) {
		f.Add(body)
	}
	log.Close()
	f.Add(`{"events":[{"action":"push","repository":"a","tag":"1"}]}`)
	f.Add(`{"action":"delete","repository":"a/b","digest":"sha256:"}`)
	f.Fuzz(func(t *testing.T, body string) {
		hints, err := call(body, "Bearer tok")
		if err != nil && len(hints) > 0 {
			t.Error("hints beside an error")
		}
		for _, h := range hints {
			if !registry.ValidRepository(h.Repository) || h.Tag != "" && !registry.ValidTag(h.Tag) || h.Action != registry.ActionPush && h.Action != registry.ActionDelete {
				t.Errorf("%+v", h)
			}
		}
	})
}
