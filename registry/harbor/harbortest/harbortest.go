// Package harbortest answers tests as Harbor does. The recordings in testdata are
// answers of Harbor 1.10.19 and 2.15.2 to curl, by each account: status and headers
// in *.hdr, the body in *.body, and in v2/sink.log what Harbor posted to a webhook.
// They hold no credential.
//
// A recording is chosen by the path as it is on the wire, because Harbor 2 wants the
// slashes in a repository's name escaped twice. Whatever a connector has no business
// to ask for fails the test.
package harbortest

import (
	"bufio"
	"bytes"
	"embed"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

//go:embed testdata
var recordings embed.FS

// Credentials that the server knows: of the user "admin", and of every account whose
// name begins with "robot$".
const (
	Password      = "kept-in-the-harbour-office"
	RobotPassword = "kept-by-the-robot"
	// Token is what the recorded token service gives out.
	Token = "REDACTED.JWT.VALUE"
)

// Manifests of the recordings, in hex: a plain image, another one with a signature's
// tag and an SBOM, and an index of both.
const (
	Plain  = "f6dbfc0e873cc32d326b37632732862b4e2779de6833d37c42ad2b042288f5d3"
	Signed = "bef819a174eb9684b802aad5372dc7daa9b0941ac909b8dfb28f13e7a0a4154f"
	SBOM   = "4e92c7c48c8e84070e340588d7a0246f16f465dcf706ae362bda9ebbc9ee7455"
	Index  = "d70de7d617d509398eb1f8c5de32a1dbf022835b9c1de19f4f61a625b5b39b86"
)

// Server is a Harbor of one version. Start makes one.
type Server struct {
	*httptest.Server
	// Images answers what is under /v2/ for whoever brings the Token; nil: nobody may
	// ask.
	Images http.Handler
	// Edit changes bodies, for instance digests into those of images that are there; nil
	// leaves them.
	Edit *strings.Replacer

	t       testing.TB
	version int // 1 or 2

	mu    sync.Mutex
	asked []string
}

// Start starts a Harbor of major version 1 or 2, until the test ends. prepare, if it
// is not nil, sets fields before the first request.
func Start(t testing.TB, version int, prepare func(*Server)) *Server {
	t.Helper()
	s := &Server{t: t, version: version}
	if prepare != nil {
		prepare(s)
	}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	return s
}

// Count is how many requests had part in their address.
func (s *Server) Count(part string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, uri := range s.asked {
		if strings.Contains(uri, part) {
			n++
		}
	}
	return n
}

// Sink returns the bodies that Harbor 2.15.2 posted to a path of a webhook's
// receiver.
func Sink(t testing.TB, path string) (bodies []string) {
	t.Helper()
	f, err := recordings.Open("testdata/v2/sink.log")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if lines.Text() == "POST "+path && lines.Scan() && lines.Scan() {
			bodies = append(bodies, lines.Text())
		}
	}
	if len(bodies) == 0 {
		t.Fatalf("nothing was posted to %s", path)
	}
	return bodies
}

// who tells the accounts of the recordings apart.
func who(r *http.Request) string {
	user, given, ok := r.BasicAuth()
	switch {
	case !ok:
		return "anonymous"
	case user == "admin" && given == Password:
		return "admin"
	case strings.HasPrefix(user, "robot$") && given == RobotPassword:
		return "robot"
	}
	return "wrong"
}

func known(r *http.Request) bool { return who(r) == "admin" || who(r) == "robot" }

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked = append(s.asked, r.RequestURI)
	s.mu.Unlock()
	if r.Header.Get("Cookie") != "" {
		s.t.Errorf("a cookie was sent to %s", r.RequestURI)
	}
	path, query, _ := strings.Cut(r.RequestURI, "?")
	authorization := r.Header.Get("Authorization")
	switch {
	case strings.HasPrefix(path, "/v2/") && path != "/v2/" && s.Images != nil && authorization == "Bearer "+Token:
		s.Images.ServeHTTP(w, r)
	case path == "/v2/" && (authorization == "Bearer "+Token || s.version == 2 && authorization != "" && known(r)):
		s.replay(w, r, "v2/v2-basic")
	case (path == "/v2/" || strings.HasPrefix(path, "/v2/") && s.Images != nil) && s.version == 2 && authorization != "":
		s.replay(w, r, "v2/v2-badcred")
	case path == "/v2/" || strings.HasPrefix(path, "/v2/") && s.Images != nil:
		s.replay(w, r, map[int]string{1: "v1/v2-basic", 2: "v2/v2-nocred"}[s.version])
	case path == "/service/token" && !known(r) && r.URL.Query().Get("scope") == "": // a login
		w.WriteHeader(http.StatusUnauthorized)
	case path == "/service/token" && !known(r):
		write(w, `{"token":"OF.NO.USE","access_token":"","expires_in":1800,"issued_at":"2026-11-23T10:13:32Z"}`)
	case path == "/service/token":
		s.replay(w, r, "v2/token") // the same on both
	case s.version == 1:
		s.serve1(w, r, path, query)
	default:
		s.serve2(w, r, path, query)
	}
}

func (s *Server) serve1(w http.ResponseWriter, r *http.Request, path, query string) {
	switch who := who(r); {
	case path == "/api/systeminfo":
		s.replay(w, r, "v1/systeminfo")
	case path == "/api/version", strings.HasPrefix(path, "/api/v2.0/"):
		s.replay(w, r, "v1/v1-as-v2")
	case who == "robot":
		s.replay(w, r, "v1/robot-repos")
	case path == "/api/users/current" && who == "admin":
		s.replay(w, r, "v1/me")
	case path == "/api/users/current":
		s.replay(w, r, "v1/me-bad")
	case path == "/api/projects" && who == "admin":
		s.replay(w, r, "v1/projects-101")
	case path == "/api/projects":
		s.replay(w, r, "v1/projects-bad") // 200, with what is public
	case path == "/api/repositories" && strings.Contains(query, "project_id=2&"):
		s.replay(w, r, "v1/repos")
	case path == "/api/repositories":
		s.replay(w, r, "v1/repos-404")
	case path == "/api/repositories/team/sub/app/tags" && query == "":
		s.replay(w, r, "v1/tags")
	case strings.HasSuffix(path, "/tags"):
		s.replay(w, r, "v1/tags-404")
	default:
		s.t.Errorf("%s was asked for", r.RequestURI)
	}
}

func (s *Server) serve2(w http.ResponseWriter, r *http.Request, path, query string) {
	by := func(m map[string]string) string { return "v2/" + m[who(r)] }
	switch {
	case path == "/api/version":
		write(w, `{"version":"v2.0"}`)
	case path == "/api/v2.0/systeminfo":
		s.replay(w, r, by(map[string]string{"admin": "systeminfo-admin", "robot": "robot-sysinfo", "wrong": "systeminfo", "anonymous": "systeminfo"}))
	case path == "/api/v2.0/projects" && who(r) == "anonymous":
		w.Header().Set("X-Total-Count", "1")
		write(w, `[{"project_id":1,"name":"library"}]`)
	case path == "/api/v2.0/projects":
		s.replay(w, r, by(map[string]string{"admin": "projects-100", "robot": "robot-projects", "wrong": "badcred"}))
	case path == "/api/v2.0/projects/team/repositories":
		s.replay(w, r, "v2/robot-repos")
	case path == "/api/v2.0/projects/library/repositories":
		w.Header().Set("X-Total-Count", "1")
		write(w, `[{"id":3,"name":"library/app","project_id":1}]`)
	case path == "/api/v2.0/projects/team2/repositories":
		s.replay(w, r, "v2/arts-404") // [] with a total of 0
	case !strings.HasSuffix(path, "/artifacts") && strings.HasPrefix(path, "/api/"):
		s.replay(w, r, "v1/v1-as-v2")
	case strings.HasPrefix(path, "/api/") && (!strings.Contains(query, "with_tag=true") || !strings.Contains(query, "page_size=100")):
		s.t.Errorf("artifacts were asked for by %s", r.RequestURI)
	case path == "/api/v2.0/projects/library/repositories/app/artifacts":
		s.replay(w, r, "v2/arts-untagged")
	case path == "/api/v2.0/projects/team/repositories/oci/artifacts":
		s.replay(w, r, "v2/arts-accessory")
	case path == "/api/v2.0/projects/team/repositories/multi/artifacts":
		s.replay(w, r, "v2/arts-index")
	case path == "/api/v2.0/projects/team/repositories/sub%252Fdeep%252Fapp/artifacts":
		s.replay(w, r, "v2/arts-single-enc")
	case strings.HasPrefix(path, "/api/"):
		s.replay(w, r, "v2/arts-404") // what an administrator gets for what does not exist
	default:
		s.t.Errorf("%s was asked for", r.RequestURI)
	}
}

func write(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte(text))
}

func (s *Server) replay(w http.ResponseWriter, r *http.Request, recording string) {
	header, err := recordings.ReadFile("testdata/" + recording + ".hdr")
	if err != nil {
		s.t.Errorf("%s: %v", r.RequestURI, err)
		return
	}
	body, err := recordings.ReadFile("testdata/" + recording + ".body")
	if err != nil {
		s.t.Errorf("%s: %v", r.RequestURI, err)
		return
	}
	resp, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(header)), nil)
	if err != nil {
		s.t.Errorf("%s: %v", recording, err)
		return
	}
	for name, values := range resp.Header {
		if name == "Content-Length" || name == "Date" {
			continue
		}
		for _, v := range values {
			// The token service is where this server listens.
			for _, recorded := range []string{"127.0.0.1:18080", "127.0.0.1:18081"} {
				v = strings.ReplaceAll(v, recorded, r.Host)
			}
			w.Header().Add(name, v)
		}
	}
	w.WriteHeader(resp.StatusCode)
	if s.Edit != nil {
		body = []byte(s.Edit.Replace(string(body)))
	}
	_, _ = w.Write(body)
}
