package harbor

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/registry"
	"github.com/pratique/pratique/registry/distribution"
	"github.com/pratique/pratique/registry/harbor/harbortest"
)

func admin(s *httptest.Server) registry.Connection {
	return registry.Connection{Name: "test", Kind: "harbor", Address: s.URL, Username: "admin", Password: harbortest.Password}
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
	busybox = "sha256:" + harbortest.Plain
	ociOne  = "sha256:" + harbortest.Signed
	multi   = "sha256:" + harbortest.Index
	sbom    = "sha256:" + harbortest.SBOM
)

func TestHarbor2(t *testing.T) {
	s := harbortest.Start(t, 2, nil)
	robot := admin(s.Server)
	robot.Username, robot.Password = "robot$scanner", harbortest.RobotPassword
	for name, c := range map[string]registry.Connection{"user": admin(s.Server), "robot": robot} {
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
	if n := s.Count("_catalog"); n > 0 {
		t.Errorf("the catalogue was asked for %d times", n)
	}
	if n := s.Count("/manifests/"); n > 0 {
		t.Errorf("%d manifests were pulled", n)
	}
}

func TestHarbor2Some(t *testing.T) {
	s := harbortest.Start(t, 2, nil)
	c := admin(s.Server)
	c.Namespaces = []string{"team/sub", "team2"}
	l, err := list(t, c, registry.Query{})
	if err != nil || len(l.artifacts) != 1 || len(l.complete) != 1 || s.Count("projects/library") > 0 {
		t.Error(err, l)
	}
	l, err = list(t, admin(s.Server), registry.Query{Repositories: []string{"team/oci", "team/gone"}})
	if err != nil || len(l.artifacts) != 2 || !l.complete["team/gone"] {
		t.Error(err, l)
	}
}

// Harbor answers a wrong password with 200 and what is public.
func TestWrongPassword(t *testing.T) {
	for version := 1; version <= 2; version++ {
		t.Run(fmt.Sprint("V", version), func(t *testing.T) {
			s := harbortest.Start(t, version, nil)
			c := admin(s.Server)
			c.Password = "not-the-password"
			h := Connector{}.Check(t.Context(), c)
			if h.Status != registry.StatusAuthFailed || h.Reason.ZH == "" || h.Remedy.EN == "" || strings.Contains(h.Message, c.Password) {
				t.Errorf("%+v", h)
			}
			l, err := list(t, c, registry.Query{})
			if pratique.CodeOf(err) != pratique.CodeUnauthorized || len(l.complete) > 0 || s.Count("/projects") > 0 {
				t.Error(err, l)
			}
		})
	}
}

// Harbor's token service has a token for everybody: what a scan meets after the password
// was changed is that the token gives no right.
func TestPullingWithWrongPassword(t *testing.T) {
	for version := 1; version <= 2; version++ {
		t.Run(fmt.Sprint("V", version), func(t *testing.T) {
			s := harbortest.Start(t, version, func(s *harbortest.Server) { s.Images = http.NotFoundHandler() })
			for password, want := range map[string]registry.Status{"the-one-before": registry.StatusAuthFailed, harbortest.Password: ""} {
				c := admin(s.Server)
				c.Password = password
				client, err := distribution.Connect(c)
				if err != nil {
					t.Fatal(err)
				}
				defer client.Close()
				_, _, err = client.Manifest(t.Context(), "team/app", busybox)
				if want == "" && pratique.CodeOf(err) != pratique.CodeNotFound || want != "" && registry.Diagnose(err).Status != want {
					t.Errorf("%s: %v", password, err)
				}
			}
		})
	}
}

func TestAnonymous(t *testing.T) {
	c := admin(harbortest.Start(t, 2, nil).Server)
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
	s := harbortest.Start(t, 1, nil)
	c := admin(s.Server)
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
	if n := s.Count("_catalog"); n > 0 {
		t.Errorf("the catalogue was asked for %d times", n)
	}

	c.Username, c.Password = "robot$r1", harbortest.RobotPassword
	if h := (Connector{}).Check(t.Context(), c); h.Status != registry.StatusForbidden || !strings.Contains(h.Reason.EN, "robot") {
		t.Errorf("%+v", h)
	}
	if _, err := list(t, c, registry.Query{}); pratique.CodeOf(err) != pratique.CodeUnauthorized {
		t.Error(err)
	}
}

func TestVersionChosen(t *testing.T) {
	one, two := admin(harbortest.Start(t, 1, nil).Server), admin(harbortest.Start(t, 2, nil).Server)
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
