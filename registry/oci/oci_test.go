package oci

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/sync/errgroup"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/registry"
	"github.com/pratique/pratique/registry/distribution/registrytest"
)

// pusher fills a real registry.
type pusher struct {
	t       testing.TB
	host    string
	options []remote.Option
}

// start runs Debian's docker-registry with a password and a certificate of its own.
func start(t testing.TB) (registry.Connection, pusher) {
	return describe(t, registrytest.Start(t, registrytest.Options{Basic: true, TLS: true}))
}

func describe(t testing.TB, server registrytest.Server) (registry.Connection, pusher) {
	conn := registry.Connection{
		Name: "test", Kind: "oci", Address: "http://" + server.Host,
		Username: registrytest.Username, Password: registrytest.Password,
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 8}
	if server.CAFile != "" {
		pem, err := os.ReadFile(server.CAFile)
		if err != nil {
			t.Fatal(err)
		}
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(pem)
		conn.Address, conn.CA = "https://"+server.Host, string(pem)
		transport.TLSClientConfig = &tls.Config{RootCAs: roots}
	}
	return conn, pusher{t, server.Host, []remote.Option{
		remote.WithAuth(&authn.Basic{Username: conn.Username, Password: conn.Password}),
		remote.WithTransport(transport),
	}}
}

func (p pusher) image(name string, img v1.Image) pratique.Digest {
	if err := remote.Write(p.ref(name), img, p.options...); err != nil {
		p.t.Fatal(err)
	}
	d, err := img.Digest()
	if err != nil {
		p.t.Fatal(err)
	}
	return pratique.Digest(d.String())
}

func (p pusher) ref(s string) name.Reference {
	ref, err := name.ParseReference(p.host + "/" + s)
	if err != nil {
		p.t.Error(err)
	}
	return ref
}

// built is an image with a date and a platform on top of others' layers.
func built(t testing.TB, base v1.Image, label string, at time.Time) v1.Image {
	t.Helper()
	c, err := base.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	c = c.DeepCopy()
	c.Created, c.OS, c.Architecture, c.Config.Labels = v1.Time{Time: at}, "linux", "arm64", map[string]string{"build": label}
	img, err := mutate.ConfigFile(base, c)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// listing is what List handed on.
type listing struct {
	artifacts map[string]registry.Artifact // by repository@digest
	complete  map[string]bool
	problems  map[string]error
	reads     int
}

func list(t testing.TB, c registry.Connection, q registry.Query) (listing, error) {
	l := listing{map[string]registry.Artifact{}, map[string]bool{}, map[string]error{}, 0}
	err := Connector{}.List(t.Context(), c, q, func(p registry.Page) error {
		for _, a := range p.Artifacts {
			key := a.Repository + "@" + string(a.Digest)
			if _, again := l.artifacts[key]; again || a.Repository != p.Repository {
				t.Errorf("%s came twice, or in a page of %s", key, p.Repository)
			}
			l.artifacts[key] = a
			l.reads += a.Reads
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

// A registry may have been told to list fewer at once than we ask for, and refuses then.
func TestSmallPages(t *testing.T) {
	conn, push := describe(t, registrytest.Start(t, registrytest.Options{Page: 3}))
	for i := range 7 {
		push.image(fmt.Sprintf("team/app%d:1", i), empty.Image)
	}
	if h := (Connector{}).Check(t.Context(), conn); h.Status != registry.StatusConnected {
		t.Errorf("%+v", h)
	}
	if l, err := list(t, conn, registry.Query{}); err != nil || len(l.complete) != 7 || len(l.artifacts) != 7 {
		t.Error(err, l)
	}
}

func TestRealRegistry(t *testing.T) {
	conn, push := start(t)
	if h := (Connector{}).Check(t.Context(), conn); h.Status != registry.StatusConnected || len(h.Warnings) != 1 || h.Warnings[0] != registry.WarnEmpty {
		t.Errorf("empty: %+v", h)
	}

	const repositories, tags = 64, 5
	day := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	pushes, err := remote.NewPusher(push.options...)
	if err != nil {
		t.Fatal(err)
	}
	var group errgroup.Group
	group.SetLimit(8)
	for r := range repositories {
		group.Go(func() error {
			base, err := random.Image(1<<10, 2)
			if err != nil {
				return err
			}
			for n := range tags {
				same := min(n, tags-2) // the last two tags are one image
				img := built(t, base, fmt.Sprint(same), day.Add(time.Duration(same)*time.Hour))
				if err := pushes.Push(t.Context(), push.ref(fmt.Sprintf("team%d/sub/app%d:v%d", r%4, r, n)), img); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}

	h := Connector{}.Check(t.Context(), conn)
	if h.Status != registry.StatusConnected || h.Product != "OCI Distribution registry/2.0" || len(h.Warnings) > 0 || len(h.Endpoints) != 1 || h.Latency <= 0 {
		t.Errorf("%+v", h)
	}
	began := time.Now()
	l, err := list(t, conn, registry.Query{})
	if err != nil || len(l.problems) > 0 {
		t.Fatal(err, l.problems)
	}
	t.Logf("%d repositories, %d tags, %d artifacts in %s", len(l.complete), repositories*tags, len(l.artifacts), time.Since(began))
	if len(l.complete) != repositories || len(l.artifacts) != repositories*(tags-1) || l.reads != len(l.artifacts) {
		t.Errorf("%d repositories, %d artifacts, %d reads", len(l.complete), len(l.artifacts), l.reads)
	}
	named := 0
	for _, a := range l.artifacts {
		named += len(a.Tags)
		if a.Kind != registry.KindImage || a.Size < 1<<11 || a.Config == "" || a.Platform == nil || a.Platform.Architecture != "arm64" || a.Created == nil || a.Created.Day() != 1 || a.Pushed != nil {
			t.Fatalf("%+v", a)
		}
	}
	if named != repositories*tags {
		t.Errorf("%d tags", named)
	}

	// What is known is not read again, and a moved tag is seen all the same.
	base, err := random.Image(1<<10, 2)
	if err != nil {
		t.Fatal(err)
	}
	push.image("team0/sub/app0:v0", built(t, base, "moved", day))
	known := func(r string, d pratique.Digest) bool { _, ok := l.artifacts[r+"@"+string(d)]; return ok }
	again, err := list(t, conn, registry.Query{Known: known})
	if err != nil || again.reads != 1 || len(again.artifacts) != len(l.artifacts) || !again.complete["team0/sub/app0"] {
		t.Error(err, again.reads, len(again.artifacts))
	}

	conn.Namespaces = []string{"team1", "team2/sub/app2"}
	some, err := list(t, conn, registry.Query{Known: known})
	if err != nil || len(some.complete) != repositories/4+1 {
		t.Error(err, len(some.complete))
	}
	conn.Namespaces = nil
	some, err = list(t, conn, registry.Query{Repositories: []string{"team3/sub/app3", "team3/gone"}})
	if err != nil || len(some.artifacts) != tags-1 || !some.complete["team3/gone"] {
		t.Error(err, some)
	}
	conn.Repositories = []string{"team3/sub/app3", "team3/misspelt"}
	some, err = list(t, conn, registry.Query{})
	if err != nil || len(some.artifacts) != tags-1 || pratique.CodeOf(some.problems["team3/misspelt"]) != pratique.CodeNotFound {
		t.Error(err, some.problems)
	}
	conn.Repositories = nil

	wrong, nobody, unchecked, untrusted := conn, conn, conn, conn
	wrong.Password = "not-the-password"
	nobody.Username, nobody.Password = "", ""
	unchecked.CA, unchecked.Insecure = "", true
	untrusted.CA = ""
	for name, c := range map[string]struct {
		registry.Connection
		want registry.Status
	}{
		"wrong": {wrong, registry.StatusAuthFailed}, "nobody": {nobody, registry.StatusAuthFailed},
		"unchecked": {unchecked, registry.StatusConnected}, "untrusted": {untrusted, registry.StatusTLSFailed},
	} {
		h := Connector{}.Check(t.Context(), c.Connection)
		if h.Status != c.want || strings.Contains(h.Message, "docker login") && h.Remedy.EN == "" {
			t.Errorf("%s: %+v", name, h)
		}
		_, err := list(t, c.Connection, registry.Query{Repositories: []string{"team3/sub/app3"}})
		if (err == nil) != (c.want == registry.StatusConnected) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// withToken sends a token that is at hand.
type withToken string

func (token withToken) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(token))
	return http.DefaultTransport.RoundTrip(r)
}

// The registry trusts a token service, of which each repository needs a token.
func TestRealTokens(t *testing.T) {
	server := registrytest.Start(t, registrytest.Options{Token: true})
	conn, push := describe(t, server)
	push.options = []remote.Option{remote.WithTransport(withToken(server.Token(t, "repository:team/a:pull,push", "repository:team/b:pull,push")))}
	base, err := random.Image(1<<10, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"team/a:1", "team/a:2", "team/b:1"} {
		push.image(name, built(t, base, name, time.Unix(1e9, 0)))
	}
	h := Connector{}.Check(t.Context(), conn)
	if h.Status != registry.StatusConnected || len(h.Endpoints) != 2 || h.Endpoints[0] != server.Host || h.Endpoints[1] == server.Host {
		t.Errorf("%+v", h)
	}
	before := server.TokensIssued()
	l, err := list(t, conn, registry.Query{})
	if err != nil || len(l.artifacts) != 3 || len(l.problems) > 0 || !l.complete["team/a"] || !l.complete["team/b"] {
		t.Error(err, l)
	}
	if issued := server.TokensIssued() - before; issued < 3 || issued > 4 { // /v2/, perhaps the catalogue, and two repositories
		t.Errorf("%d tokens", issued)
	}
	for _, change := range []func(*registry.Connection){
		func(c *registry.Connection) { c.Password = "not-the-password" },
		func(c *registry.Connection) { c.Username, c.Password = "", "" },
	} {
		c := conn
		change(&c)
		if h := (Connector{}).Check(t.Context(), c); h.Status != registry.StatusAuthFailed {
			t.Errorf("%+v", h)
		}
	}
}

func TestWhatIsNoImage(t *testing.T) {
	conn, push := start(t)
	base, err := random.Image(1<<10, 1)
	if err != nil {
		t.Fatal(err)
	}
	subject := push.image("app:1", built(t, base, "1", time.Unix(0, 0)))
	add := func(name string, img v1.Image) pratique.Digest { t.Helper(); return push.image(name, img) }
	layer := func(kind string) v1.Image {
		img, err := mutate.AppendLayers(mutate.MediaType(empty.Image, types.OCIManifestSchema1), static.NewLayer([]byte("{}"), types.MediaType(kind)))
		if err != nil {
			t.Fatal(err)
		}
		return img
	}
	config := func(kind string) v1.Image { return mutate.ConfigMediaType(layer("text/plain"), types.MediaType(kind)) }
	signature := add("app:sha256-"+subject.Hex()+".sig", layer("application/vnd.dev.cosign.simplesigning.v1+json"))
	attested := add("app:attested", layer("application/vnd.dsse.envelope.v1+json"))
	chart := add("app:chart", config("application/vnd.cncf.helm.config.v1+json"))
	wasm := add("app:wasm", config("application/vnd.wasm.config.v0+json"))
	empty1 := add("app:artifact", config("application/vnd.oci.empty.v1+json"))

	index := mutate.AppendManifests(empty.Index,
		mutate.IndexAddendum{Add: built(t, base, "a", time.Unix(1, 0)), Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "arm64", Variant: "v8"}}},
		mutate.IndexAddendum{Add: layer("application/vnd.in-toto+json"), Descriptor: v1.Descriptor{
			Platform: &v1.Platform{OS: "unknown", Architecture: "unknown"}, Annotations: map[string]string{"vnd.docker.reference.type": "attestation-manifest"},
		}})
	if err := remote.WriteIndex(push.ref("app:multi"), index, push.options...); err != nil {
		t.Fatal(err)
	}
	digest, err := index.Digest()
	if err != nil {
		t.Fatal(err)
	}

	l, err := list(t, conn, registry.Query{})
	if err != nil || len(l.artifacts) != 7 || !l.complete["app"] {
		t.Fatal(err, l)
	}
	for digest, want := range map[pratique.Digest][2]string{
		subject: {"image", ""}, signature: {"accessory", "signature"}, attested: {"accessory", "attestation"},
		chart: {"other", "helm"}, wasm: {"other", "wasm"}, empty1: {"other", "artifact"}, pratique.Digest(digest.String()): {"index", ""},
	} {
		a := l.artifacts["app@"+string(digest)]
		if string(a.Kind) != want[0] || a.Type != want[1] || len(a.Tags) != 1 {
			t.Errorf("want %v: %+v", want, a)
		}
		if a.Created != nil && a.Created.Year() < 1971 {
			t.Errorf("%+v has an invented date", a)
		}
	}
	if a := l.artifacts["app@"+string(signature)]; a.Subject != subject || a.Reads != 0 {
		t.Errorf("%+v", a)
	}
	children := l.artifacts["app@"+digest.String()].Children
	if len(children) != 2 || children[0].Attestation || children[0].Platform.Variant != "v8" || !children[1].Attestation || children[0].Size == 0 {
		t.Errorf("%+v", children)
	}
}

// Memory does not grow with the number of repositories.
func TestBoundedMemory(t *testing.T) {
	const repositories = 3000
	s := &scripted{tags: []string{"1"}}
	for i := range repositories {
		s.repositories = append(s.repositories, fmt.Sprintf("team/app%d", i))
	}
	conn := s.start(t)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	peak, pages := uint64(0), 0
	err := Connector{}.List(t.Context(), conn, registry.Query{Known: func(string, pratique.Digest) bool { return true }}, func(registry.Page) error {
		if pages++; pages%500 == 0 {
			runtime.GC()
			runtime.ReadMemStats(&after)
			peak = max(peak, after.HeapAlloc)
		}
		return nil
	})
	if grown := int64(peak) - int64(before.HeapAlloc); err != nil || pages != repositories || grown > 16<<20 {
		t.Errorf("%v, %d pages, %d KiB", err, pages, grown>>10)
	}
}
