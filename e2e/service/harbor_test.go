package service

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
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

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/registry/distribution/registrytest"
)

// A harbor answers as a recorded Harbor did (see registry/harbor/testdata), with
// the digests of images that can be pulled: a real registry stands behind its /v2/.
type harbor struct {
	t       testing.TB
	version int
	server  *httptest.Server
	images  http.Handler
	digests *strings.Replacer // of the recording → of the images

	mu    sync.Mutex
	asked []string
}

const (
	harborPassword = "kept-in-the-harbour-office"
	robotPassword  = "kept-by-the-robot"
	harborToken    = "REDACTED.JWT.VALUE" // what the recorded token service gives out
)

// The recording's manifests: a plain image, another one with a signature's tag and
// an SBOM, and an index of both.
const (
	recordedPlain  = "f6dbfc0e873cc32d326b37632732862b4e2779de6833d37c42ad2b042288f5d3"
	recordedSigned = "bef819a174eb9684b802aad5372dc7daa9b0941ac909b8dfb28f13e7a0a4154f"
	recordedSBOM   = "4e92c7c48c8e84070e340588d7a0246f16f465dcf706ae362bda9ebbc9ee7455"
	recordedIndex  = "d70de7d617d509398eb1f8c5de32a1dbf022835b9c1de19f4f61a625b5b39b86"
)

// startHarbor pushes the images to a registry, and puts the recording before it.
func startHarbor(t testing.TB, version int, plain, signed *content) *harbor {
	t.Helper()
	behind := registrytest.Start(t, registrytest.Options{Basic: true})
	p := newPusher("http://" + behind.Host)
	push := func(repository, tag string, c *content) {
		t.Helper()
		if _, err := p.image(repository, tag, c); err != nil {
			t.Fatal(err)
		}
	}
	push("team/sub/app", "1", plain)
	push("team/sub/deep/app", "1", plain)
	push("library/app", "", plain)
	push("team/oci", "latest", signed)
	push("team/multi", "", plain)
	push("team/multi", "", signed)
	sbom, err := p.artifact("team/oci", "", "application/vnd.goharbor.harbor.sbom.v1", []byte("{}"), "application/vnd.goharbor.harbor.sbom.v1+json", []byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	child := func(c *content) map[string]any {
		return map[string]any{"mediaType": typeManifest, "digest": pratique.DigestOf(c.Manifest()), "size": len(c.Manifest()), "platform": map[string]string{"os": "linux", "architecture": "amd64"}}
	}
	index, err := json.Marshal(map[string]any{"schemaVersion": 2, "mediaType": typeIndex, "manifests": []any{child(signed), child(plain)}})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.manifest("team/multi", "1", typeIndex, index); err != nil {
		t.Fatal(err)
	}
	target, err := url.Parse("http://" + behind.Host)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	direct := proxy.Director
	proxy.Director = func(r *http.Request) {
		direct(r)
		r.SetBasicAuth(registrytest.Username, registrytest.Password)
	}
	h := &harbor{t: t, version: version, images: proxy, digests: strings.NewReplacer(
		recordedPlain, pratique.DigestOf(plain.Manifest()).Hex(), recordedSigned, pratique.DigestOf(signed.Manifest()).Hex(),
		recordedSBOM, sbom.Hex(), recordedIndex, pratique.DigestOf(index).Hex())}
	h.server = httptest.NewServer(http.HandlerFunc(h.serve))
	t.Cleanup(h.server.Close)
	return h
}

func (h *harbor) serve(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	h.asked = append(h.asked, r.RequestURI)
	h.mu.Unlock()
	path, query, _ := strings.Cut(r.RequestURI, "?")
	switch {
	case strings.HasPrefix(path, "/v2/") && path != "/v2/" && r.Header.Get("Authorization") == "Bearer "+harborToken:
		h.images.ServeHTTP(w, r)
	case path == "/v2/" && strings.HasPrefix(r.Header.Get("Authorization"), "Bearer "):
		h.replay(w, r, "v2/v2-basic")
	case strings.HasPrefix(path, "/v2/"):
		h.replay(w, r, map[int]string{1: "v1/v2-basic", 2: "v2/v2-nocred"}[h.version])
	case path == "/service/token" && h.who(r) == "wrong":
		w.WriteHeader(http.StatusUnauthorized)
	case path == "/service/token":
		h.replay(w, r, "v2/token") // the same on both
	case h.version == 1:
		h.serve1(w, r, path, query)
	default:
		h.serve2(w, r, path)
	}
}

func (h *harbor) who(r *http.Request) string {
	user, given, ok := r.BasicAuth()
	switch {
	case !ok:
		return "anonymous"
	case user == "admin" && given == harborPassword:
		return "admin"
	case strings.HasPrefix(user, "robot$") && given == robotPassword:
		return "robot"
	}
	return "wrong"
}

func (h *harbor) serve1(w http.ResponseWriter, r *http.Request, path, query string) {
	switch who := h.who(r); {
	case path == "/api/systeminfo":
		h.replay(w, r, "v1/systeminfo")
	case path == "/api/version", strings.HasPrefix(path, "/api/v2.0/"):
		h.replay(w, r, "v1/v1-as-v2")
	case who == "robot":
		h.replay(w, r, "v1/robot-repos")
	case path == "/api/users/current" && who == "admin":
		h.replay(w, r, "v1/me")
	case path == "/api/users/current":
		h.replay(w, r, "v1/me-bad")
	case path == "/api/projects" && who == "admin":
		h.replay(w, r, "v1/projects-101")
	case path == "/api/projects":
		h.replay(w, r, "v1/projects-bad") // 200, with what is public
	case path == "/api/repositories" && strings.Contains(query, "project_id=2&"):
		h.replay(w, r, "v1/repos")
	case path == "/api/repositories":
		h.replay(w, r, "v1/repos-404")
	case path == "/api/repositories/team/sub/app/tags":
		h.replay(w, r, "v1/tags")
	default:
		h.replay(w, r, "v1/tags-404")
	}
}

func (h *harbor) serve2(w http.ResponseWriter, r *http.Request, path string) {
	by := func(m map[string]string) string { return "v2/" + m[h.who(r)] }
	switch path {
	case "/api/version":
		write(w, `{"version":"v2.0"}`)
	case "/api/v2.0/systeminfo":
		h.replay(w, r, by(map[string]string{"admin": "systeminfo-admin", "robot": "robot-sysinfo", "wrong": "systeminfo", "anonymous": "systeminfo"}))
	case "/api/v2.0/users/current":
		h.replay(w, r, by(map[string]string{"admin": "me", "robot": "robot-me", "wrong": "me-bad", "anonymous": "me-anon"}))
	case "/api/v2.0/projects":
		h.replay(w, r, by(map[string]string{"admin": "projects-100", "robot": "robot-projects", "wrong": "badcred", "anonymous": "badcred"}))
	case "/api/v2.0/projects/team/repositories":
		h.replay(w, r, "v2/robot-repos")
	case "/api/v2.0/projects/library/repositories":
		w.Header().Set("X-Total-Count", "1")
		write(w, `[{"id":3,"name":"library/app","project_id":1}]`)
	case "/api/v2.0/projects/library/repositories/app/artifacts":
		h.replay(w, r, "v2/arts-untagged")
	case "/api/v2.0/projects/team/repositories/oci/artifacts":
		h.replay(w, r, "v2/arts-accessory")
	case "/api/v2.0/projects/team/repositories/multi/artifacts":
		h.replay(w, r, "v2/arts-index")
	case "/api/v2.0/projects/team/repositories/sub%252Fdeep%252Fapp/artifacts":
		h.replay(w, r, "v2/arts-single-enc")
	default:
		h.replay(w, r, "v2/arts-404")
	}
}

func write(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte(text))
}

func (h *harbor) replay(w http.ResponseWriter, r *http.Request, recording string) {
	file := filepath.Join("../../registry/harbor/testdata", recording)
	header, err := os.ReadFile(file + ".hdr")
	if err != nil {
		h.t.Errorf("%s: %v", r.RequestURI, err)
		return
	}
	body, err := os.ReadFile(file + ".body")
	if err != nil {
		h.t.Errorf("%s: %v", r.RequestURI, err)
		return
	}
	resp, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(header)), nil)
	if err != nil {
		h.t.Errorf("%s: %v", recording, err)
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
	_, _ = w.Write([]byte(h.digests.Replace(string(body))))
}

func (h *harbor) count(part string) (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, uri := range h.asked {
		if strings.Contains(uri, part) {
			n++
		}
	}
	return n
}

// Harbor, old and new, through the whole service. Its catalogue is never asked; a
// wrong password is told, though Harbor answers 200 with what is public; and what
// is no image is not scanned.
func TestHarbor(t *testing.T) {
	t.Parallel()
	e := theEstate(t)
	plain, signed := e.spare[0], e.spare[1]
	for version, rows := range map[int]map[string]*content{
		1: {"team/sub/app:1": plain},
		2: {
			"team/sub/deep/app:1": plain, "library/app:": plain,
			"team/oci:latest": signed, "team/oci:v9": signed, "team/oci:v10": signed,
			"team/multi:1 amd64": nil, // both, as the recorded index has two images for one platform
		},
	} {
		t.Run(fmt.Sprint("V", version), func(t *testing.T) {
			h := startHarbor(t, version, plain, signed)
			s := serve(t, "")
			s.importFeeds(e.advisories, time.Now().Add(-48*time.Hour))
			form := map[string]any{"name": "harbor", "kind": "harbor", "address": h.server.URL, "username": "admin", "password": "not-the-password"}
			var tested connectionTest
			s.want(http.StatusOK, http.MethodPost, "/registries/test", form, &tested)
			if tested.Status != "auth_failed" || tested.Reason.ZH == "" || tested.Remedy.EN == "" {
				t.Errorf("a wrong password: %+v", tested)
			}
			var made struct{ ID int64 }
			s.want(http.StatusCreated, http.MethodPost, "/registries", form, &made)
			s.want(http.StatusAccepted, http.MethodPost, "/registries/sync", map[string]any{}, nil)
			if got := s.synced(made.ID); got.State != "failed" || got.Error == nil || got.Error.Code != pratique.CodeUnauthorized || got.Error.Remedy == "" {
				t.Errorf("with a wrong password: %+v", got)
			}
			path := fmt.Sprint("/registries/", made.ID)
			if got := get[struct{ Health pratique.Health }](s, path); got.Health.Status != "auth_failed" || got.Health.Remedy.EN == "" {
				t.Errorf("with a wrong password: %+v", got)
			}

			form["password"] = harborPassword
			s.want(http.StatusOK, http.MethodPut, path, form, nil)
			s.want(http.StatusOK, http.MethodPost, path+"/test", nil, &tested)
			if tested.Status != "connected" {
				t.Errorf("%+v", tested)
			}
			list := func(how string) {
				t.Helper()
				s.want(http.StatusAccepted, http.MethodPost, "/registries/sync", map[string]any{"full": true}, nil)
				if got := s.synced(made.ID); got.State != "success" {
					t.Fatalf("%s: %+v", how, got)
				}
				var names, want []string
				for _, r := range all(s, "/images", func(r pratique.AssetRow) string { return fmt.Sprint(r.ID) }, 3) {
					names = append(names, nameOf(r))
					if c := rows[nameOf(r)]; c != nil && (r.ImageID != c.id() || r.Digest != pratique.DigestOf(c.Manifest()) || r.Pushed == nil) {
						t.Errorf("%s: %+v, want the image %s", how, r, c.id())
					}
				}
				for name, c := range rows {
					want = append(want, name)
					if c == nil {
						want = append(want, name)
					}
				}
				sameSet(t, how, names, want)
			}
			list("a user")
			if version == 2 { // a robot of Harbor 1 may not list: the connector says so
				form["username"], form["password"] = "robot$scanner", robotPassword
				s.want(http.StatusOK, http.MethodPut, path, form, nil)
				list("a robot")
			}
			images := map[pratique.Digest]*content{plain.id(): plain, signed.id(): signed}
			done := s.scan(map[string]any{"scope": "all"})
			if done.Failed > 0 || done.Scanned != done.Total || done.Total < version || done.Total > len(images) {
				t.Errorf("%+v", done)
			}
			for _, r := range get[pratique.Page[pratique.AssetRow]](s, "/images").Items {
				if c := images[r.ImageID]; c == nil || r.Status != pratique.StatusScanned || r.Counters != e.counters(c) {
					t.Errorf("%+v", r)
				}
			}
			if n := h.count("_catalog"); n > 0 {
				t.Errorf("the catalogue was asked for %d times", n)
			}
			s.stop()
		})
	}
}
