package harbor

import (
	"bufio"
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/registry"
)

// The recordings in testdata are answers of Harbor 1.10.19 and 2.15.2 to curl:
// status and headers in *.hdr, the body in *.body.
func replay(t testing.TB, w http.ResponseWriter, r *http.Request, recording string) {
	header, err := os.ReadFile(filepath.Join("testdata", recording+".hdr"))
	if err != nil {
		t.Errorf("%v", err)
		return
	}
	body, err := os.ReadFile(filepath.Join("testdata", recording+".body"))
	if err != nil {
		t.Errorf("%v", err)
		return
	}
	resp, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(header)), nil)
	if err != nil {
		t.Errorf("%s: %v", recording, err)
		return
	}
	for name, values := range resp.Header {
		if name == "Content-Length" || name == "Date" {
			continue
		}
		for _, v := range values {
			// The token service is where the test's server listens.
			for _, recorded := range []string{"127.0.0.1:18080", "127.0.0.1:18081"} {
				v = strings.ReplaceAll(v, recorded, r.Host)
			}
			w.Header().Add(name, v)
		}
	}
	w.WriteHeader(resp.StatusCode)
	_, _ = w.Write(body)
}

const (
	password      = "kept-in-the-harbour-office"
	robotPassword = "kept-by-the-robot"
)

// who tells the accounts of the recordings apart.
func who(r *http.Request) string {
	user, given, ok := r.BasicAuth()
	switch {
	case !ok:
		return "anonymous"
	case user == "admin" && given == password:
		return "admin"
	case strings.HasPrefix(user, "robot$") && given == robotPassword:
		return "robot"
	}
	return "wrong"
}

// requests remembers what was asked.
type requests struct {
	mu    sync.Mutex
	paths []string
}

func (q *requests) add(r *http.Request) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.paths = append(q.paths, r.RequestURI)
}

func (q *requests) count(part string) (n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, p := range q.paths {
		if strings.Contains(p, part) {
			n++
		}
	}
	return n
}

// harbor2 answers as the recorded Harbor 2.15.2, by the path as it is on the wire.
func harbor2(t testing.TB, asked *requests) *httptest.Server {
	return server(t, asked, func(w http.ResponseWriter, r *http.Request) {
		path, query, _ := strings.Cut(r.RequestURI, "?")
		by := func(m map[string]string) string { return "v2/" + m[who(r)] }
		switch {
		case path == "/api/version":
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"version":"v2.0"}`))
		case path == "/api/v2.0/systeminfo":
			replay(t, w, r, by(map[string]string{"admin": "systeminfo-admin", "robot": "robot-sysinfo", "wrong": "systeminfo", "anonymous": "systeminfo"}))
		case path == "/api/v2.0/users/current":
			replay(t, w, r, by(map[string]string{"admin": "me", "robot": "robot-me", "wrong": "me-bad", "anonymous": "me-anon"}))
		case path == "/api/v2.0/projects":
			if who(r) == "anonymous" {
				w.Header().Set("Content-Type", "application/json")
				w.Header().Set("X-Total-Count", "1")
				_, _ = w.Write([]byte(`[{"project_id":1,"name":"library"}]`))
				return
			}
			replay(t, w, r, by(map[string]string{"admin": "projects-100", "robot": "robot-projects", "wrong": "badcred"}))
		case path == "/api/v2.0/projects/team/repositories":
			replay(t, w, r, "v2/robot-repos")
		case path == "/api/v2.0/projects/library/repositories":
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("X-Total-Count", "1")
			_, _ = w.Write([]byte(`[{"id":3,"name":"library/app","project_id":1}]`))
		case path == "/api/v2.0/projects/team2/repositories":
			replay(t, w, r, "v2/arts-404") // [] with a total of 0
		case !strings.HasSuffix(path, "/artifacts") && strings.HasPrefix(path, "/api/"):
			replay(t, w, r, "v1/v1-as-v2")
		case strings.HasPrefix(path, "/api/") && (!strings.Contains(query, "with_tag=true") || !strings.Contains(query, "page_size=100")):
			t.Errorf("artifacts were asked for by %s", r.RequestURI)
		case path == "/api/v2.0/projects/library/repositories/app/artifacts":
			replay(t, w, r, "v2/arts-untagged")
		case path == "/api/v2.0/projects/team/repositories/oci/artifacts":
			replay(t, w, r, "v2/arts-accessory")
		case path == "/api/v2.0/projects/team/repositories/multi/artifacts":
			replay(t, w, r, "v2/arts-index")
		case path == "/api/v2.0/projects/team/repositories/sub%252Fdeep%252Fapp/artifacts":
			replay(t, w, r, "v2/arts-single-enc")
		case strings.HasPrefix(path, "/api/"):
			replay(t, w, r, "v2/arts-404") // what an administrator gets for what does not exist
		case path == "/service/token":
			replay(t, w, r, "v2/token")
		case path == "/v2/" && r.Header.Get("Authorization") != "":
			replay(t, w, r, "v2/v2-basic")
		case path == "/v2/":
			replay(t, w, r, "v2/v2-nocred")
		default:
			t.Errorf("%s was asked for", r.RequestURI)
		}
	})
}

// harbor1 answers as the recorded Harbor 1.10.19.
func harbor1(t testing.TB, asked *requests) *httptest.Server {
	return server(t, asked, func(w http.ResponseWriter, r *http.Request) {
		path, query, _ := strings.Cut(r.RequestURI, "?")
		switch {
		case path == "/api/systeminfo":
			replay(t, w, r, "v1/systeminfo")
		case path == "/service/token":
			replay(t, w, r, "v2/token") // the same on both
		case path == "/v2/" && strings.HasPrefix(r.Header.Get("Authorization"), "Bearer "):
			replay(t, w, r, "v2/v2-basic")
		case path == "/v2/":
			replay(t, w, r, "v1/v2-basic")
		case path == "/api/version", strings.HasPrefix(path, "/api/v2.0/"):
			replay(t, w, r, "v1/v1-as-v2")
		case who(r) == "robot":
			replay(t, w, r, "v1/robot-repos")
		case path == "/api/users/current" && who(r) == "admin":
			replay(t, w, r, "v1/me")
		case path == "/api/users/current":
			replay(t, w, r, "v1/me-bad")
		case path == "/api/projects" && who(r) == "admin":
			replay(t, w, r, "v1/projects-101")
		case path == "/api/projects":
			replay(t, w, r, "v1/projects-bad")
		case path == "/api/repositories" && strings.Contains(query, "project_id=2&"):
			replay(t, w, r, "v1/repos")
		case path == "/api/repositories":
			replay(t, w, r, "v1/repos-404")
		case path == "/api/repositories/team/sub/app/tags" && query == "":
			replay(t, w, r, "v1/tags")
		case strings.HasSuffix(path, "/tags"):
			replay(t, w, r, "v1/tags-404")
		default:
			t.Errorf("%s was asked for", r.RequestURI)
		}
	})
}

func server(t testing.TB, asked *requests, h http.HandlerFunc) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.add(r)
		if r.Header.Get("Cookie") != "" {
			t.Errorf("a cookie was sent to %s", r.RequestURI)
		}
		h(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func admin(s *httptest.Server) registry.Connection {
	return registry.Connection{Name: "test", Kind: "harbor", Address: s.URL, Username: "admin", Password: password}
}

// listing is what List handed on.
type listing struct {
	artifacts map[string]registry.Artifact // by repository@digest
	complete  map[string]bool
	problems  map[string]error
}

func list(t testing.TB, c registry.Connection, q registry.Query) (listing, error) {
	l := listing{map[string]registry.Artifact{}, map[string]bool{}, map[string]error{}}
	err := Connector{}.List(t.Context(), c, q, func(p registry.Page) error {
		if _, ended := l.complete[p.Repository]; ended {
			t.Errorf("a page of %s after its last", p.Repository)
		}
		for _, a := range p.Artifacts {
			key := a.Repository + "@" + string(a.Digest)
			if _, again := l.artifacts[key]; again || a.Repository != p.Repository {
				t.Errorf("%s came twice, or in a page of %s", key, p.Repository)
			}
			l.artifacts[key] = a
		}
		if p.Last {
			l.complete[p.Repository] = p.Complete
		}
		if p.Problem != nil {
			l.problems[p.Repository] = p.Problem
		}
		return nil
	})
	return l, err
}

const (
	busybox = "sha256:f6dbfc0e873cc32d326b37632732862b4e2779de6833d37c42ad2b042288f5d3"
	ociOne  = "sha256:bef819a174eb9684b802aad5372dc7daa9b0941ac909b8dfb28f13e7a0a4154f"
	multi   = "sha256:d70de7d617d509398eb1f8c5de32a1dbf022835b9c1de19f4f61a625b5b39b86"
	sbom    = "sha256:4e92c7c48c8e84070e340588d7a0246f16f465dcf706ae362bda9ebbc9ee7455"
)

func TestHarbor2(t *testing.T) {
	asked := &requests{}
	s := harbor2(t, asked)
	robot := admin(s)
	robot.Username, robot.Password = "robot$scanner", robotPassword
	for name, c := range map[string]registry.Connection{"user": admin(s), "robot": robot} {
		t.Run(name, func(t *testing.T) {
			h := Connector{}.Check(t.Context(), c)
			if h.Status != registry.StatusConnected || h.Version != registry.Version2 || h.Product != "Harbor 2.15.2-local" || len(h.Warnings) > 0 {
				t.Errorf("%+v", h)
			}
			if len(h.Endpoints) != 1 || h.Endpoints[0] != s.Listener.Addr().String() || len(h.Sources) != 1 || h.Sources[0] != "127.0.0.1" || h.Latency <= 0 {
				t.Errorf("endpoints %v, sources %v, latency %s", h.Endpoints, h.Sources, h.Latency)
			}
			l, err := list(t, c, registry.Query{})
			if err != nil || len(l.problems) > 0 {
				t.Fatal(err, l.problems)
			}
			if len(l.artifacts) != 5 || len(l.complete) != 5 || !l.complete["team/bb"] {
				t.Errorf("%d artifacts, repositories %v", len(l.artifacts), l.complete)
			}

			image := l.artifacts["team/sub/deep/app@"+busybox]
			if image.Kind != registry.KindImage || len(image.Tags) != 1 || image.Tags[0].Name != "1" || image.Size != 1086945 || *image.Platform != (pratique.Platform{OS: "linux", Architecture: "amd64"}) {
				t.Errorf("%+v", image)
			}
			if image.Pulled != nil || image.Pushed == nil || image.Pushed.Format("15:04:05.000") != "10:11:28.708" || image.Created.Year() != 2026 {
				t.Errorf("pushed %v, pulled %v, created %v", image.Pushed, image.Pulled, image.Created)
			}
			if untagged := l.artifacts["library/app@"+busybox]; untagged.Kind != registry.KindImage || len(untagged.Tags) != 0 {
				t.Errorf("%+v", untagged)
			}
			index := l.artifacts["team/multi@"+multi]
			if index.Kind != registry.KindIndex || index.Platform != nil || len(index.Children) != 2 || index.Children[1].Digest != busybox || index.Children[0].Platform.Architecture != "amd64" {
				t.Errorf("%+v", index)
			}
			// The same manifest carries ordinary tags and one like cosign's.
			oci := l.artifacts["team/oci@"+ociOne]
			if oci.Kind != registry.KindImage || len(oci.Tags) != 3 || oci.Tags[0].Name != "latest" || oci.Tags[2].Name != "v9" || oci.Pulled == nil {
				t.Errorf("%+v", oci)
			}
			if a := l.artifacts["team/oci@"+sbom]; a.Kind != registry.KindAccessory || a.Type != "sbom" || a.Subject != ociOne {
				t.Errorf("%+v", a)
			}
		})
	}
	if n := asked.count("_catalog"); n > 0 {
		t.Errorf("the catalogue was asked for %d times", n)
	}
	if n := asked.count("/manifests/"); n > 0 {
		t.Errorf("%d manifests were pulled", n)
	}
}

func TestHarbor2Some(t *testing.T) {
	asked := &requests{}
	s := harbor2(t, asked)
	c := admin(s)
	c.Namespaces = []string{"team/sub", "team2"}
	l, err := list(t, c, registry.Query{})
	if err != nil || len(l.artifacts) != 1 || len(l.complete) != 1 || asked.count("projects/library") > 0 {
		t.Error(err, l, asked.paths)
	}
	l, err = list(t, admin(s), registry.Query{Repositories: []string{"team/oci", "team/gone"}})
	if err != nil || len(l.artifacts) != 2 || !l.complete["team/gone"] {
		t.Error(err, l)
	}
}

// Harbor answers a wrong password with 200 and what is public.
func TestWrongPassword(t *testing.T) {
	for name, start := range map[string]func(testing.TB, *requests) *httptest.Server{"V1": harbor1, "V2": harbor2} {
		t.Run(name, func(t *testing.T) {
			asked := &requests{}
			c := admin(start(t, asked))
			c.Password = "not-the-password"
			h := Connector{}.Check(t.Context(), c)
			if h.Status != registry.StatusAuthFailed || h.Reason.ZH == "" || h.Remedy.EN == "" || strings.Contains(h.Message, c.Password) {
				t.Errorf("%+v", h)
			}
			l, err := list(t, c, registry.Query{})
			if pratique.CodeOf(err) != pratique.CodeUnauthorized || len(l.complete) > 0 || asked.count("/projects") > 0 {
				t.Error(err, l)
			}
		})
	}
}

func TestAnonymous(t *testing.T) {
	c := admin(harbor2(t, &requests{}))
	c.Username, c.Password = "", ""
	h := Connector{}.Check(t.Context(), c)
	if h.Status != registry.StatusConnected || len(h.Warnings) != 1 || h.Warnings[0] != registry.WarnPublicOnly {
		t.Errorf("%+v", h)
	}
	l, err := list(t, c, registry.Query{})
	if err != nil || len(l.complete) != 1 || !l.complete["library/app"] {
		t.Error(err, l)
	}
}

func TestHarbor1(t *testing.T) {
	asked := &requests{}
	c := admin(harbor1(t, asked))
	h := Connector{}.Check(t.Context(), c)
	if h.Status != registry.StatusConnected || h.Version != registry.Version1 || h.Product != "Harbor 1.x" || len(h.Warnings) > 0 {
		t.Errorf("%+v", h)
	}
	l, err := list(t, c, registry.Query{})
	if err != nil || len(l.problems) > 0 {
		t.Fatal(err, l.problems)
	}
	a := l.artifacts["team/sub/app@"+busybox]
	if len(l.artifacts) != 1 || a.Kind != registry.KindImage || a.Tags[0].Name != "1" || a.Size != 1086945 || a.Platform.Architecture != "amd64" || a.Pulled != nil || a.Pushed == nil || a.Created == nil {
		t.Errorf("%+v", l.artifacts)
	}
	if n := asked.count("_catalog"); n > 0 {
		t.Errorf("the catalogue was asked for %d times", n)
	}

	c.Username, c.Password = "robot$r1", robotPassword
	if h := (Connector{}).Check(t.Context(), c); h.Status != registry.StatusForbidden || !strings.Contains(h.Reason.EN, "robot") {
		t.Errorf("%+v", h)
	}
	if _, err := list(t, c, registry.Query{}); pratique.CodeOf(err) != pratique.CodeUnauthorized {
		t.Error(err)
	}
}

func TestVersionChosen(t *testing.T) {
	one, two := admin(harbor1(t, &requests{})), admin(harbor2(t, &requests{}))
	one.Version, two.Version = registry.Version2, registry.Version1
	for _, c := range []registry.Connection{one, two} {
		if h := (Connector{}).Check(t.Context(), c); h.Status != registry.StatusWrongVersion || h.Version == c.Version {
			t.Errorf("%+v", h)
		}
		if _, err := list(t, c, registry.Query{}); pratique.CodeOf(err) != pratique.CodeUnsupported {
			t.Error(err)
		}
	}
	one.Version, two.Version = registry.Version1, registry.Version2
	for _, c := range []registry.Connection{one, two} {
		if h := (Connector{}).Check(t.Context(), c); h.Status != registry.StatusConnected {
			t.Errorf("%+v", h)
		}
	}
}
