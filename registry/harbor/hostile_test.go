package harbor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/registry"
	"github.com/pratique/pratique/registry/harbor/harbortest"
)

// scripted is a Harbor 2 with one project, "team", whose lists the tests write.
type scripted struct {
	mu           sync.Mutex
	repositories []string
	artifacts    func(repository string) []map[string]any
	before       func(w http.ResponseWriter, r *http.Request) (done bool)
	noLinks      bool
}

func (s *scripted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.before != nil && s.before(w, r) {
		return
	}
	path, _, _ := strings.Cut(r.RequestURI, "?")
	w.Header().Set("Content-Type", "application/json")
	switch {
	case path == "/api/version":
		_, _ = w.Write([]byte(`{"version":"v2.0"}`))
	case path == "/api/v2.0/systeminfo":
		_, _ = w.Write([]byte(`{"auth_mode":"db_auth"}`))
	case path == "/v2/":
		if _, given, _ := r.BasicAuth(); given != harbortest.Password {
			w.Header().Set("WWW-Authenticate", `Basic realm="harbor"`)
			w.WriteHeader(http.StatusUnauthorized)
		}
		_, _ = w.Write([]byte("{}"))
	case path == "/api/v2.0/projects":
		s.page(w, r, []map[string]any{{"project_id": 1, "name": "team"}})
	case path == "/api/v2.0/projects/team/repositories":
		var all []map[string]any
		for _, n := range s.repositories {
			all = append(all, map[string]any{"name": n})
		}
		s.page(w, r, all)
	case strings.HasSuffix(path, "/artifacts"):
		s.page(w, r, s.artifacts("team/"+strings.Split(path, "/")[6]))
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// page cuts a list as Harbor does.
func (s *scripted) page(w http.ResponseWriter, r *http.Request, all []map[string]any) {
	page, _ := strconv.Atoi(r.URL.Query().Get("page"))
	size, _ := strconv.Atoi(r.URL.Query().Get("page_size"))
	from, to := min((page-1)*size, len(all)), min(page*size, len(all))
	w.Header().Set("X-Total-Count", strconv.Itoa(len(all)))
	link := func(n int, rel string) string {
		at := *r.URL
		q := at.Query()
		q.Set("page", strconv.Itoa(n))
		at.RawQuery = q.Encode()
		return fmt.Sprintf(`<%s>; rel="%s"`, at.RequestURI(), rel)
	}
	var links []string
	if page > 1 {
		links = append(links, link(page-1, "prev"))
	}
	if to < len(all) {
		links = append(links, link(page+1, "next"))
	}
	if !s.noLinks && len(links) > 0 {
		w.Header().Set("Link", strings.Join(links, " , "))
	}
	if from == to {
		_, _ = w.Write([]byte("[]"))
		return
	}
	_ = json.NewEncoder(w).Encode(all[from:to])
}

func numbered(n int) pratique.Digest { return pratique.DigestOf([]byte(strconv.Itoa(n))) }

func images(from, to int) (all []map[string]any) {
	for i := from; i < to; i++ {
		all = append(all, map[string]any{
			"digest": numbered(i), "type": "IMAGE", "push_time": time.Date(2026, 1, 1, 0, i, 0, 0, time.UTC).Format(time.RFC3339),
			"tags": []map[string]any{{"name": "v" + strconv.Itoa(i)}},
		})
	}
	return all
}

func start(t *testing.T, s *scripted) registry.Connection {
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return admin(server)
}

func wantDigests(t *testing.T, l listing, repository string, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		if _, ok := l.artifacts[repository+"@"+string(numbered(i))]; !ok {
			t.Errorf("%s misses number %d", repository, i)
			return
		}
	}
}

func TestManyPages(t *testing.T) {
	for _, noLinks := range []bool{false, true} {
		s := &scripted{artifacts: func(string) []map[string]any { return images(0, 350) }, noLinks: noLinks}
		for i := range 230 {
			s.repositories = append(s.repositories, fmt.Sprintf("team/r%d", i))
		}
		l, err := list(t, start(t, s), registry.Query{})
		if err != nil || len(l.artifacts) != 230*350 || len(l.complete) != 230 || len(l.problems) > 0 {
			t.Fatal(err, len(l.artifacts), len(l.complete), l.problems)
		}
	}
}

// A push between two pages moves everything one place on; a deletion moves it
// back, so that one reading misses an artifact.
func TestPagesMove(t *testing.T) {
	for name, c := range map[string]struct {
		then     []map[string]any
		from, to int // that must be found
	}{
		"push":     {append(images(1000, 1001), images(0, 250)...), 0, 250},
		"deletion": {images(50, 250), 50, 250},
		"grows":    {images(0, 330), 0, 330},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asked := 0
			s := &scripted{repositories: []string{"team/app"}}
			s.artifacts = func(string) []map[string]any {
				if asked++; asked == 1 {
					return images(0, 250)
				}
				return c.then
			}
			l, err := list(t, start(t, s), registry.Query{})
			if err != nil || len(l.problems) > 0 || !l.complete["team/app"] {
				t.Error(err, l.problems, l.complete)
			}
			wantDigests(t, l, "team/app", c.from, c.to)
			if asked > 10 {
				t.Errorf("%d pages were read", asked)
			}
		})
	}
}

// What never holds still is listed, and nothing is concluded from it.
func TestNeverStill(t *testing.T) {
	asked := 0
	s := &scripted{repositories: []string{"team/app"}}
	s.artifacts = func(string) []map[string]any {
		asked++
		return images(0, 210+asked)
	}
	l, err := list(t, start(t, s), registry.Query{})
	if err != nil || l.complete["team/app"] || len(l.problems) > 0 || len(l.artifacts) < 210 || asked > 30 {
		t.Error(err, l.complete, l.problems, len(l.artifacts), asked)
	}
}

func TestIncremental(t *testing.T) {
	asked := 0
	s := &scripted{repositories: []string{"team/app"}}
	s.artifacts = func(string) []map[string]any {
		asked++
		all := images(0, 450)
		for i, j := 0, len(all)-1; i < j; i, j = i+1, j-1 { // latest first
			all[i], all[j] = all[j], all[i]
		}
		return all
	}
	since := time.Date(2026, 1, 1, 0, 320, 0, 0, time.UTC)
	l, err := list(t, start(t, s), registry.Query{Since: since})
	if err != nil || l.complete["team/app"] || asked != 3 {
		t.Error(err, l.complete, asked)
	}
	wantDigests(t, l, "team/app", 320, 450)
	l, err = list(t, start(t, s), registry.Query{Since: since.AddDate(-1, 0, 0)})
	if err != nil || !l.complete["team/app"] || len(l.artifacts) != 450 {
		t.Error(err, l.complete, len(l.artifacts))
	}
}

func TestFaultsPass(t *testing.T) {
	for name, fault := range map[string]func(http.ResponseWriter){
		"429": func(w http.ResponseWriter) { w.Header().Set("Retry-After", "1"); w.WriteHeader(429) },
		"500": func(w http.ResponseWriter) { w.WriteHeader(500) },
		"502": func(w http.ResponseWriter) { w.WriteHeader(502); _, _ = w.Write([]byte("<html>bad gateway</html>")) },
		"cut": func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			count := 0
			s := &scripted{repositories: []string{"team/a", "team/b"}, artifacts: func(string) []map[string]any { return images(0, 150) }}
			s.before = func(w http.ResponseWriter, r *http.Request) bool {
				if count++; count == 5 || count == 7 {
					fault(w)
					return true
				}
				return false
			}
			l, err := list(t, start(t, s), registry.Query{})
			if err != nil || len(l.artifacts) != 300 || len(l.problems) > 0 || !l.complete["team/a"] || !l.complete["team/b"] {
				t.Error(err, len(l.artifacts), l.problems, l.complete)
			}
		})
	}
}

// One repository that always fails does not end the listing.
func TestOneRepositoryFails(t *testing.T) {
	t.Parallel()
	s := &scripted{repositories: []string{"team/a", "team/broken", "team/c", "team/page", "team/strange"}}
	s.artifacts = func(r string) []map[string]any {
		if r == "team/strange" {
			return append(images(0, 2), map[string]any{"digest": "sha256:short", "type": "IMAGE"})
		}
		return images(0, 3)
	}
	s.before = func(w http.ResponseWriter, r *http.Request) bool {
		switch {
		case strings.Contains(r.RequestURI, "/broken/"):
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte(`{"errors":[{"code":"FORBIDDEN","message":"no ` + harbortest.Password + ` for you"}]}`))
		case strings.Contains(r.RequestURI, "/page/"):
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte("<!doctype html><title>maintenance</title>"))
		default:
			return false
		}
		return true
	}
	l, err := list(t, start(t, s), registry.Query{})
	if err != nil || len(l.artifacts) != 8 || len(l.problems) != 3 || !l.complete["team/c"] || l.complete["team/broken"] || l.complete["team/strange"] {
		t.Error(err, len(l.artifacts), l.problems, l.complete)
	}
	broken := l.problems["team/broken"]
	if registry.Diagnose(broken).Status != registry.StatusForbidden || strings.Contains(broken.Error(), harbortest.Password) {
		t.Error(broken)
	}
	if registry.Diagnose(l.problems["team/page"]).Status != registry.StatusNotRegistry {
		t.Error(l.problems["team/page"])
	}
}

// A password that ceases to be valid must not look like a registry that lost its
// private images.
func TestPasswordChangesMeanwhile(t *testing.T) {
	count := 0
	s := &scripted{repositories: []string{"team/a"}, artifacts: func(string) []map[string]any { return images(0, 1) }}
	s.before = func(w http.ResponseWriter, r *http.Request) bool {
		if count++; count > 4 {
			r.Header.Del("Authorization")
		}
		return false
	}
	_, err := list(t, start(t, s), registry.Query{})
	if pratique.CodeOf(err) != pratique.CodeUnauthorized || registry.Diagnose(err).Status != registry.StatusAuthFailed {
		t.Error(err)
	}
}

// Whoever fails to log in closes the account for a moment. A listing that began in
// that moment would see the public projects only, and all others as gone.
func TestAccountClosedMeanwhile(t *testing.T) {
	closed := false
	s := &scripted{repositories: []string{"team/a"}, artifacts: func(string) []map[string]any { return images(0, 1) }}
	s.before = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/api/v2.0/projects" {
			closed = true
			_, _ = w.Write([]byte("[]"))
			return true
		}
		if closed && r.URL.Path == "/v2/" {
			r.Header.Del("Authorization")
			closed = false
		}
		return false
	}
	l, err := list(t, start(t, s), registry.Query{})
	if pratique.CodeOf(err) != pratique.CodeUnauthorized || len(l.complete) > 0 {
		t.Error(err, l.complete)
	}
}

// The users of an OIDC provider have CLI secrets, with which they may pull and list,
// and are nobody to /users/current. Robots are a fault of Harbor 2.2's there.
func TestUnknownToUsersCurrent(t *testing.T) {
	for name, status := range map[string]int{"OIDC user": http.StatusUnauthorized, "robot of 2.2": http.StatusInternalServerError, "robot": http.StatusPreconditionFailed} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &scripted{repositories: []string{"team/a"}, artifacts: func(string) []map[string]any { return images(0, 1) }}
			s.before = func(w http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path != "/api/v2.0/users/current" {
					return false
				}
				w.WriteHeader(status)
				return true
			}
			c := start(t, s)
			if h := (Connector{}).Check(t.Context(), c); h.Status != registry.StatusConnected || len(h.Warnings) > 0 {
				t.Errorf("%+v", h)
			}
			if l, err := list(t, c, registry.Query{}); err != nil || !l.complete["team/a"] {
				t.Error(err, l.complete)
			}
			c.Password = "the-one-before"
			if h := (Connector{}).Check(t.Context(), c); h.Status != registry.StatusAuthFailed {
				t.Errorf("%+v", h)
			}
		})
	}
}

// Harbor 2.0 takes CLI secrets for pulling only: to its API their users are nobody.
func TestHarbor20(t *testing.T) {
	s := &scripted{repositories: []string{"team/a"}, artifacts: func(string) []map[string]any { return images(0, 1) }}
	status := http.StatusOK
	s.before = func(w http.ResponseWriter, r *http.Request) bool {
		switch r.URL.Path {
		case "/api/v2.0/systeminfo":
			_, _ = w.Write([]byte(`{"auth_mode":"oidc_auth","harbor_version":"v2.0.6-abcdef12"}`))
		case "/api/v2.0/users/current":
			w.WriteHeader(status)
		default:
			return false
		}
		return true
	}
	c := start(t, s)
	if l, err := list(t, c, registry.Query{}); err != nil || !l.complete["team/a"] {
		t.Error(err, l.complete)
	}
	status = http.StatusUnauthorized
	if l, err := list(t, c, registry.Query{}); registry.Diagnose(err).Status != registry.StatusAuthFailed || len(l.complete) > 0 {
		t.Error(err, l.complete)
	}
}

// Of artifacts that it does not know Harbor gives the whole config as attributes,
// whatever is in it; Docker's schema 1 it takes for an image.
func TestStrangeArtifacts(t *testing.T) {
	s := &scripted{repositories: []string{"team/a"}}
	s.artifacts = func(string) []map[string]any {
		all := images(0, 5)
		all[1]["type"], all[1]["artifact_type"] = "MODEL", "application/vnd.example.model.config.v1+json"
		all[1]["extra_attrs"] = map[string]any{"created": 1700000000, "os": []string{"linux"}, "architecture": map[string]int{"layers": 24}}
		all[2]["extra_attrs"] = []int{1}
		all[3]["extra_attrs"] = map[string]any{"os": "linux", "architecture": "arm64", "created": "2026-01-02T03:04:05Z", "config": nil}
		all[4]["manifest_media_type"] = "application/vnd.docker.distribution.manifest.v1+prettyjws"
		all[4]["extra_attrs"] = map[string]any{"architecture": "amd64"}
		return all
	}
	l, err := list(t, start(t, s), registry.Query{})
	if err != nil || !l.complete["team/a"] || len(l.artifacts) != 5 {
		t.Fatal(err, l.problems, len(l.artifacts))
	}
	for n, want := range []string{"image ", "other application/vnd.example.model.config.v1+json", "image ", "image ", "other unsupported"} {
		if a := l.artifacts["team/a@"+string(numbered(n))]; string(a.Kind)+" "+a.Type != want {
			t.Errorf("%d is %+v, want %s", n, a, want)
		}
	}
	if a := l.artifacts["team/a@"+string(numbered(3))]; a.Platform == nil || a.Platform.Architecture != "arm64" || a.Created == nil {
		t.Errorf("%+v", a)
	}
}

func TestHostileServers(t *testing.T) {
	var elsewhere atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Error("the credential went to another host")
		}
		elsewhere.Add(1)
		_, _ = w.Write([]byte(`[]`))
	}))
	defer other.Close()
	artifacts := func(w http.ResponseWriter, body func(http.ResponseWriter)) func(*http.Request) bool {
		return func(r *http.Request) bool {
			if !strings.HasSuffix(r.URL.Path, "/artifacts") {
				return false
			}
			body(w)
			return true
		}
	}
	for name, c := range map[string]struct {
		body func(http.ResponseWriter)
		code pratique.Code
	}{
		"endless pages": {func(w http.ResponseWriter) {
			w.Header().Set("Link", `</api/v2.0/projects/team/repositories/a/artifacts?page=7>; rel="next"`)
			_ = json.NewEncoder(w).Encode(images(0, 2))
		}, pratique.CodeUnreachable},
		"next page elsewhere": {func(w http.ResponseWriter) {
			w.Header().Set("Link", `<`+other.URL+`/more>; rel="next"`)
			_ = json.NewEncoder(w).Encode(images(0, 2))
		}, pratique.CodeUnreachable},
		"gigantic": {func(w http.ResponseWriter) {
			junk := []byte(strings.Repeat(" ", 1<<20))
			for range maxPage>>20 + 2 {
				_, _ = w.Write(junk)
			}
		}, pratique.CodeLimit},
		"deep":     {func(w http.ResponseWriter) { _, _ = w.Write([]byte(strings.Repeat("[", 100_000))) }, pratique.CodeUnreachable},
		"redirect": {func(w http.ResponseWriter) { w.Header().Set("Location", other.URL+"/x"); w.WriteHeader(302) }, pratique.CodeUnreachable},
		"no list":  {func(w http.ResponseWriter) { _, _ = w.Write([]byte(`{"digest":1}`)) }, pratique.CodeUnreachable},
		"no JSON":  {func(w http.ResponseWriter) { _, _ = w.Write([]byte("\x00\xff")) }, pratique.CodeUnreachable},
	} {
		t.Run(name, func(t *testing.T) {
			s := &scripted{repositories: []string{"team/a"}, artifacts: func(string) []map[string]any { return nil }}
			s.before = func(w http.ResponseWriter, r *http.Request) bool { return artifacts(w, c.body)(r) }
			l, err := list(t, start(t, s), registry.Query{})
			problem := l.problems["team/a"]
			if err != nil || pratique.CodeOf(problem) != c.code || l.complete["team/a"] {
				t.Error(err, problem, l.complete)
			}
		})
	}
	if elsewhere.Load() > 1 { // the redirect, without the credential
		t.Errorf("%d requests went elsewhere", elsewhere.Load())
	}
}

func TestSilentServer(t *testing.T) {
	done := make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-done }))
	defer silent.Close()
	defer close(done)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond) // CheckTimeout, but for the length
	defer cancel()
	h := Connector{}.Check(ctx, admin(silent))
	if h.Status != registry.StatusUnreachable || !strings.Contains(h.Remedy.EN, "allow list") || len(h.Endpoints) != 1 || len(h.Sources) != 1 {
		t.Errorf("%+v", h)
	}
}

func TestNotHarbor(t *testing.T) {
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("<!doctype html><title>welcome</title>"))
	}))
	defer page.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	tls := httptest.NewTLSServer(&scripted{})
	defer tls.Close()
	secure, insecure := admin(tls), admin(tls)
	insecure.Insecure = true
	noTLS := admin(plain)
	noTLS.Address = strings.Replace(noTLS.Address, "http:", "https:", 1)
	noTLS.Insecure = true // which is no leave to send the password in clear text
	address := admin(plain)
	address.Address += "/harbor/projects"
	unknown := admin(plain)
	unknown.Address = "https://registry.invalid"
	for name, c := range map[string]struct {
		registry.Connection
		want registry.Status
	}{
		"a page": {admin(page), registry.StatusNotRegistry}, "nothing of Harbor's": {admin(plain), registry.StatusNotRegistry},
		"closed": {admin(closed), registry.StatusUnreachable}, "self-signed": {secure, registry.StatusTLSFailed},
		"unchecked": {insecure, registry.StatusConnected}, "no TLS": {noTLS, registry.StatusTLSFailed},
		"a path": {address, registry.StatusInvalid}, "no such host": {unknown, registry.StatusUnreachable},
	} {
		t.Run(name, func(t *testing.T) {
			h := Connector{}.Check(t.Context(), c.Connection)
			if h.Status != c.want || h.Status != registry.StatusConnected && (h.Reason.EN == "" || h.Reason.ZH == "" || h.Remedy.EN == "" || h.Remedy.ZH == "") {
				t.Errorf("%+v", h)
			}
		})
	}
}

// harbor1 is what a Harbor of version 1 says of itself, of its administrator, and of its
// one project.
var harbor1 = map[string]string{
	"/api/systeminfo":    `{"auth_mode":"db_auth","harbor_version":"v1.10.19-abcdef"}`,
	"/api/users/current": `{"username":"admin"}`,
	"/api/projects":      `[{"project_id":7,"name":"team"}]`,
}

// What 1.x tells no platform of is an index, Docker's schema 1, or a signature.
func TestHarbor1Manifests(t *testing.T) {
	d := func(n int) string { return string(numbered(n)) }
	tag := func(name string, n int, arch string) map[string]any {
		return map[string]any{
			"name": name, "digest": d(n), "size": 100, "architecture": arch, "os": "linux",
			"push_time": fmt.Sprintf("2026-01-0%dT00:00:00Z", n), "pull_time": "0001-01-01T00:00:00Z", "created": "1900-01-01T00:00:00Z",
		}
	}
	tags := []map[string]any{
		tag("1.0", 1, "amd64"), tag("latest", 1, "amd64"), tag("multi", 2, ""), tag("old", 3, ""), tag("odd", 4, ""),
		tag("sha256-"+numbered(1).Hex()+".sig", 5, ""), {"name": "broken", "digest": "?"},
	}
	tags[1]["push_time"] = "2026-01-09T00:00:00Z"
	manifests := map[string]string{
		"multi": `{"manifest":{"schemaVersion":2,"manifests":[{"digest":"` + d(7) + `","size":5,"platform":{"os":"linux","architecture":"arm64"}}]}}`,
		"old":   `{"manifest":{"schemaVersion":1,"fsLayers":[]},"config":""}`,
		"odd":   `<html>`,
	}
	var manifestsRead atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch path := r.URL.Path; {
		case harbor1[path] != "":
			_, _ = w.Write([]byte(harbor1[path]))
		case path == "/api/repositories" && r.URL.Query().Get("project_id") == "7":
			_, _ = w.Write([]byte(`[{"name":"team/a/b"}]`))
		case path == "/api/repositories/team/a/b/tags":
			_ = json.NewEncoder(w).Encode(tags)
		case strings.HasSuffix(path, "/manifest"):
			manifestsRead.Add(1)
			_, _ = w.Write([]byte(manifests[strings.Split(path, "/")[7]]))
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(s.Close)
	l, err := list(t, admin(s), registry.Query{})
	if err != nil || len(l.artifacts) != 5 || l.complete["team/a/b"] || pratique.CodeOf(l.problems["team/a/b"]) != pratique.CodeCorrupt {
		t.Fatal(err, l)
	}
	for n, want := range map[int]string{1: "image ", 2: "index ", 3: "other unsupported", 4: "image ", 5: "accessory signature"} {
		if a := l.artifacts["team/a/b@"+d(n)]; string(a.Kind)+" "+a.Type != want || a.Created != nil || a.Pulled != nil || a.Reads != 0 {
			t.Errorf("%d is %+v, want %s", n, a, want)
		}
	}
	one := l.artifacts["team/a/b@"+d(1)]
	if len(one.Tags) != 2 || one.Pushed.Day() != 1 || one.Tags[1].Pushed.Day() != 9 {
		t.Errorf("%+v", one)
	}
	if index := l.artifacts["team/a/b@"+d(2)]; len(index.Children) != 1 || index.Children[0].Platform.Architecture != "arm64" || index.Size != 100 {
		t.Errorf("%+v", index)
	}
	if manifestsRead.Load() != 3 {
		t.Errorf("%d manifests were read", manifestsRead.Load())
	}
	known := func(string, pratique.Digest) bool { return true }
	if l, err = list(t, admin(s), registry.Query{Known: known}); err != nil || manifestsRead.Load() != 3 || len(l.artifacts) != 5 {
		t.Error(err, manifestsRead.Load())
	}
}

// Harbor 1 reads the manifest and the config of each tag before it answers, and its own
// proxy waits for a minute.
func TestHarbor1TooManyTags(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		name := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
		switch path := r.URL.Path; {
		case harbor1[path] != "":
			_, _ = w.Write([]byte(harbor1[path]))
		case path == "/api/repositories":
			_, _ = w.Write([]byte(`[{"name":"team/app"}]`))
		case strings.HasSuffix(path, "/tags") && r.URL.Query().Get("detail") == "false":
			_, _ = w.Write([]byte(`[{"digest":"","name":"1","size":0},{"digest":"","name":"2","size":0},{"digest":"","name":"gone","size":0},{"name":"../x"}]`))
		case strings.HasSuffix(path, "/tags"):
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusGatewayTimeout)
			_, _ = w.Write([]byte("<html>504 Gateway Time-out</html>"))
		case name == "1", name == "2":
			_ = json.NewEncoder(w).Encode(map[string]any{"name": name, "digest": numbered(1), "size": 100, "architecture": "amd64", "os": "linux"})
		default:
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(`{"code":404,"message":"resource: team/app:gone not found"}`))
		}
	}))
	t.Cleanup(s.Close)
	l, err := list(t, admin(s), registry.Query{})
	a := l.artifacts["team/app@"+string(numbered(1))]
	if err != nil || len(l.artifacts) != 1 || len(a.Tags) != 2 || a.Platform == nil || a.Size != 100 {
		t.Errorf("%v %v %+v", err, l.problems, l.artifacts)
	}
	var strange *pratique.Error
	if !errors.As(l.problems["team/app"], &strange) || strange.Code != pratique.CodeCorrupt || !strings.Contains(strange.Remedy, "push these tags again") {
		t.Error(l.problems)
	}
}
