package service

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/registry/distribution/registrytest"
	"github.com/pratique/pratique/registry/harbor/harbortest"
)

// startHarbor pushes the images to a registry, and puts the recording before it.
func startHarbor(t testing.TB, version int, plain, signed *content) *harbortest.Server {
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
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.SetBasicAuth(registrytest.Username, registrytest.Password)
	}}
	return harbortest.Start(t, version, func(s *harbortest.Server) {
		s.Images = proxy
		s.Edit = strings.NewReplacer(harbortest.Plain, pratique.DigestOf(plain.Manifest()).Hex(), harbortest.Signed, pratique.DigestOf(signed.Manifest()).Hex(),
			harbortest.SBOM, sbom.Hex(), harbortest.Index, pratique.DigestOf(index).Hex())
	})
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
			form := map[string]any{"name": "harbor", "kind": "harbor", "address": h.URL, "username": "admin", "password": "not-the-password"}
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

			form["password"] = harbortest.Password
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
				form["username"], form["password"] = "robot$scanner", harbortest.RobotPassword
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
			if n := h.Count("_catalog"); n > 0 {
				t.Errorf("the catalogue was asked for %d times", n)
			}
			s.stop()
		})
	}
}
