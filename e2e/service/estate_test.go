package service

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/internal/testimage"
	"github.com/pratique/pratique/registry/distribution/registrytest"
)

// An estate is a registry with something of everything that a service meets, and
// the model of what is in it: what has to be listed, and found. Tests that change
// what is in the registry do so in repositories of their own.
type estate struct {
	registry   registrytest.Server
	q          quarry
	contents   []*content
	rows       []row
	advisories []advisory
	debian     string // ecosystem of the real Debian
	spare      []*content
	credential string // that is planted in images
}

// A row is what the service has to list: a tag, for one platform.
type row struct {
	repository, tag string
	digest, index   pratique.Digest
	content         *content
}

func (r row) name() string {
	arch := ""
	if r.index != "" {
		arch = " " + cmp.Or(r.content.Architecture, "amd64")
	}
	return r.repository + ":" + r.tag + arch
}

// newest tells whether a row is of the newest tag of its repository: the one whose
// image was built last.
func (e *estate) newest(r row) bool {
	best := r
	for _, other := range e.rows {
		if other.repository == r.repository && (other.content.Created.After(best.content.Created) || other.content.Created.Equal(best.content.Created) && other.tag > best.tag) {
			best = other
		}
	}
	return best.tag == r.tag
}

func (e *estate) ecosystem(c *content) func(software) string {
	return func(s software) string {
		switch s.kind {
		case "deb":
			return e.debian
		case "apk":
			return "Alpine:v3.22"
		case "rpm":
			return "Rocky Linux:9"
		}
		return pratique.EcosystemOf(s.kind)
	}
}

// A hit is one advisory in one package of an image.
type hit struct {
	advisory
	pkg software
}

func (e *estate) hits(c *content) []hit {
	var all []hit
	for _, s := range c.packages() {
		for _, a := range e.advisories {
			if a.hits(s, e.ecosystem(c)) {
				all = append(all, hit{a, s})
			}
		}
	}
	return all
}

// counters are what the service has to count in an image.
func (e *estate) counters(c *content) pratique.Counters {
	n := pratique.Counters{Packages: len(c.packages())}
	seen := map[string]bool{}
	for _, h := range e.hits(c) {
		*n.Vulnerabilities.Of(h.severity)++
		if h.fixed != "" {
			n.Fixable++
			if h.severity == pratique.SeverityCritical {
				n.CriticalFixable++
			}
		}
		if !seen[h.cve] {
			*n.Distinct.Of(h.severity)++
			if h.exploited || h.epss >= pratique.LikelyEPSS {
				n.Exploited++
			}
		}
		seen[h.cve] = true
	}
	n.Secrets.High, n.LiveSecrets = c.secrets(), c.secrets()
	n.Malware.High = c.malware() // a test file: not the worst there is
	return n
}

// byID are the contents that rows lead to.
func (e *estate) byID() map[pratique.Digest]*content {
	all := map[pratique.Digest]*content{}
	for _, r := range e.rows {
		all[r.content.id()] = r.content
	}
	return all
}

const (
	repositories = 60
	tagsEach     = 5
	variants     = 12 // of each base
)

// buildEstate makes everything, and starts the registry.
func buildEstate(dir string) (_ *estate, stop func(), err error) {
	for _, d := range []string{"layers", "registry"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			return nil, nil, err
		}
	}
	e := &estate{q: quarry{filepath.Join(dir, "layers")}}
	if err := e.make(); err != nil {
		return nil, nil, err
	}
	e.registry, stop, err = registrytest.Launch(filepath.Join(dir, "registry"), registrytest.Options{Basic: true})
	if err != nil {
		return nil, nil, err
	}
	if err := e.fill(); err != nil {
		stop()
		return nil, nil, err
	}
	return e, stop, nil
}

// make makes 48 images of four bases that share their layers, and some to spare.
func (e *estate) make() error {
	q := e.q
	var bases, apps []part
	real, failed := theDebian()
	take := func(p part, err error) part {
		failed = errors.Join(failed, err)
		return p
	}
	bases = append(bases, real.part(), take(q.alpine(1)), take(q.alpine(9)), take(q.rocky(3)))
	apps = append(apps, take(q.npm(3)), take(q.npm(7)), take(q.python(3)), take(q.python(9)), take(q.java(2)), take(q.java(6)), take(q.golang()), part{})
	e.credential = credential()
	secret, virus := take(q.secret(e.credential)), take(q.virus())
	if failed != nil {
		return failed
	}
	distros := []string{real.ID, "alpine", "alpine", "rocky"}
	e.debian = real.ecosystem()
	e.advisories = estateAdvisories(e.debian)
	for b, base := range bases {
		for v := range variants {
			parts := []part{base}
			if app := apps[v%len(apps)]; app.Blob != "" {
				parts = append(parts, app)
			}
			if v%3 == 0 {
				parts = append(parts, apps[(v+2)%len(apps)])
			}
			if v == 4 {
				parts = append(parts, secret)
			}
			if v == 7 {
				parts = append(parts, virus)
			}
			number := b*variants + v
			parts = append(parts, take(q.note(fmt.Sprint("image ", number))))
			e.contents = append(e.contents, newContent(number, distros[b], parts...))
		}
	}
	// A package that an upper layer takes away is gone; a secret is not.
	gone := take(q.part(part{deletes: "lodash"}, "RUN rm", testimage.Whiteouts("srv/app/node_modules/lodash", "srv/config/deploy.env")))
	e.contents = append(e.contents, newContent(len(e.contents), "alpine", bases[2], apps[0], secret, gone))
	for i := range 8 {
		e.spare = append(e.spare, newContent(1000+i, "alpine", bases[1], apps[i%4], take(q.note(fmt.Sprint("spare ", i)))))
	}
	return failed
}

// repositoryName varies depth, as people do.
func repositoryName(i int) string {
	switch i % 6 {
	case 0:
		return fmt.Sprintf("single%02d", i)
	case 1:
		return fmt.Sprintf("group/sub/deep/app%02d", i)
	}
	return fmt.Sprintf("team%d/app%02d", i%6, i)
}

// fill pushes all of it.
func (e *estate) fill() error {
	p := newPusher("http://" + e.registry.Host)
	group := errgroup.Group{}
	group.SetLimit(4)
	var mu sync.Mutex
	add := func(r row) {
		mu.Lock()
		defer mu.Unlock()
		e.rows = append(e.rows, r)
	}
	// One after the other, so that the base layers are uploaded once and mounted then.
	for i, c := range e.contents[:2*variants+1] {
		if _, err := p.image(repositoryName(i%repositories), fmt.Sprint("0.", i), c); err != nil {
			return err
		}
		add(row{repository: repositoryName(i % repositories), tag: fmt.Sprint("0.", i), digest: pratique.DigestOf(c.Manifest()), content: c})
	}
	for r := range repositories {
		group.Go(func() error {
			for t := range tagsEach {
				c := e.contents[(3*r+7*t)%len(e.contents)]
				digest, err := p.image(repositoryName(r), fmt.Sprint("1.", t), c)
				if err != nil {
					return err
				}
				add(row{repository: repositoryName(r), tag: fmt.Sprint("1.", t), digest: digest, content: c})
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if err := e.oddities(p, add); err != nil {
		return err
	}
	slices.SortFunc(e.rows, func(a, b row) int { return cmp.Compare(a.name(), b.name()) })
	return nil
}

// oddities are what a registry holds beside plain images.
func (e *estate) oddities(p *pusher, add func(row)) error {
	// An index for two platforms, with BuildKit's attestation.
	amd, arm := e.contents[13], *e.contents[14]
	arm.Architecture, arm.Created = "arm64", testimage.Epoch.Add(500*time.Minute)
	const multi = "multi/app"
	var children []map[string]any
	for _, c := range []*content{amd, &arm} {
		digest, err := p.image(multi, "", c)
		if err != nil {
			return err
		}
		children = append(children, map[string]any{"mediaType": typeManifest, "digest": digest, "size": len(c.Manifest()), "platform": map[string]string{"os": "linux", "architecture": cmp.Or(c.Architecture, "amd64")}})
	}
	statement := []byte(`{"_type":"https://in-toto.io/Statement/v0.1"}`)
	attestation, err := p.artifact(multi, "", typeConfig, []byte(`{"architecture":"unknown","os":"unknown","config":{},"rootfs":{"type":"layers","diff_ids":[]}}`), "application/vnd.in-toto+json", statement)
	if err != nil {
		return err
	}
	children = append(children, map[string]any{"mediaType": typeManifest, "digest": attestation, "size": p.sizes[attestation], "platform": map[string]string{"os": "unknown", "architecture": "unknown"},
		"annotations": map[string]string{"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": string(children[0]["digest"].(pratique.Digest))}})
	index, err := json.Marshal(map[string]any{"schemaVersion": 2, "mediaType": typeIndex, "manifests": children})
	if err != nil {
		return err
	}
	if err := p.manifest(multi, "2.0", typeIndex, index); err != nil {
		return err
	}
	for _, c := range []*content{amd, &arm} {
		add(row{repository: multi, tag: "2.0", digest: pratique.DigestOf(c.Manifest()), index: pratique.DigestOf(index), content: c})
	}

	// The same content, compressed in two ways: one image ID under two digests.
	zstd := *e.contents[15]
	zstd.parts = slices.Clone(zstd.parts)
	last := len(zstd.parts) - 1
	note, err := e.q.packed(testimage.Zstd, part{}, "COPY note /", testimage.Files(map[string]string{"etc/note": "image 15\n"}))
	if err != nil {
		return err
	}
	zstd.parts[last].Layer = note.Layer
	zstd.Layers = zstd.layers()
	for tag, c := range map[string]*content{"gzip": e.contents[15], "zstd": &zstd} {
		digest, err := p.image("twin/app", tag, c)
		if err != nil {
			return err
		}
		add(row{repository: "twin/app", tag: tag, digest: digest, content: c})
	}
	if zstd.id() != e.contents[15].id() {
		return errors.New("the twins are no twins: this estate would show nothing")
	}

	// What is no image: a signature as cosign pushes it, a chart, and a manifest that
	// lost its tag, which this kind of registry cannot list.
	if _, err := p.image("single00", "", e.spare[7]); err != nil {
		return err
	}
	signed := e.rows[0]
	if _, err := p.artifact(signed.repository, "sha256-"+signed.digest.Hex()+".sig", typeConfig, []byte(`{"architecture":"","os":"","config":{},"rootfs":{"type":"layers","diff_ids":[]}}`), "application/vnd.dev.cosign.simplesigning.v1+json", []byte(`{"critical":{}}`)); err != nil {
		return err
	}
	_, err = p.artifact("charts/shop", "1.0.0", "application/vnd.cncf.helm.config.v1+json", []byte(`{"name":"shop","version":"1.0.0"}`), "application/vnd.cncf.helm.chart.content.v1.tar+gzip", []byte("stands for a chart"))
	return err
}

const (
	typeManifest = "application/vnd.oci.image.manifest.v1+json"
	typeConfig   = "application/vnd.oci.image.config.v1+json"
	typeIndex    = "application/vnd.oci.image.index.v1+json"
)

// A pusher fills a registry. A blob that the registry has in another repository is
// mounted from there.
type pusher struct {
	base   string
	client *http.Client

	mu    sync.Mutex
	homes map[pratique.Digest]string            // a repository that has the blob
	has   map[string]bool                       // repository@digest
	sizes map[pratique.Digest]int               // of artifacts' manifests
	token func(repository string) (auth string) // nil: Basic
}

func newPusher(base string) *pusher {
	return &pusher{base: base, client: &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 8}},
		homes: map[pratique.Digest]string{}, has: map[string]bool{}, sizes: map[pratique.Digest]int{}}
}

func (p *pusher) do(method, url, kind string, body io.Reader, size int64, want ...int) (*http.Response, error) {
	req, err := http.NewRequest(method, url, body)
	if err != nil {
		return nil, err
	}
	req.SetBasicAuth(registrytest.Username, registrytest.Password)
	if p.token != nil {
		repository, _, _ := strings.Cut(strings.TrimPrefix(req.URL.Path, "/v2/"), "/blobs/")
		repository, _, _ = strings.Cut(repository, "/manifests/")
		req.Header.Set("Authorization", p.token(repository))
	}
	req.ContentLength = size
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil {
		return nil, err
	}
	if !slices.Contains(want, resp.StatusCode) {
		return nil, fmt.Errorf("%s %s: %s %s", method, url, resp.Status, text)
	}
	return resp, nil
}

// blob uploads, or mounts, what open reads.
func (p *pusher) blob(repository string, digest pratique.Digest, size int64, open func() (io.ReadCloser, error)) error {
	p.mu.Lock()
	home, there := p.homes[digest], p.has[repository+"@"+string(digest)]
	p.mu.Unlock()
	if there {
		return nil
	}
	start := p.base + "/v2/" + repository + "/blobs/uploads/"
	if home != "" {
		start += "?mount=" + string(digest) + "&from=" + home
	}
	resp, err := p.do(http.MethodPost, start, "", nil, 0, http.StatusAccepted, http.StatusCreated)
	if err != nil {
		return err
	}
	if resp.StatusCode == http.StatusAccepted {
		where, err := resp.Location()
		if err != nil {
			return err
		}
		query := where.Query()
		query.Set("digest", string(digest))
		where.RawQuery = query.Encode()
		body, err := open()
		if err != nil {
			return err
		}
		defer body.Close()
		if _, err := p.do(http.MethodPut, where.String(), "application/octet-stream", body, size, http.StatusCreated); err != nil {
			return err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.homes[digest] = repository
	p.has[repository+"@"+string(digest)] = true
	return nil
}

func (p *pusher) bytes(repository string, b []byte) error {
	return p.blob(repository, pratique.DigestOf(b), int64(len(b)), func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil })
}

// manifest pushes a manifest; without a tag by its digest.
func (p *pusher) manifest(repository, tag, kind string, b []byte) error {
	reference := cmp.Or(tag, string(pratique.DigestOf(b)))
	_, err := p.do(http.MethodPut, p.base+"/v2/"+repository+"/manifests/"+reference, kind, bytes.NewReader(b), int64(len(b)), http.StatusCreated)
	return err
}

// image pushes an image, and returns the digest of its manifest.
func (p *pusher) image(repository, tag string, c *content) (pratique.Digest, error) {
	for _, l := range c.Layers {
		if err := p.blob(repository, l.Digest, l.Size, func() (io.ReadCloser, error) { return os.Open(l.Blob) }); err != nil {
			return "", err
		}
	}
	if err := p.bytes(repository, c.Config()); err != nil {
		return "", err
	}
	return pratique.DigestOf(c.Manifest()), p.manifest(repository, tag, typeManifest, c.Manifest())
}

// artifact pushes a manifest with one config and one layer of any type.
func (p *pusher) artifact(repository, tag, configType string, config []byte, layerType string, layer []byte) (pratique.Digest, error) {
	for _, b := range [][]byte{config, layer} {
		if err := p.bytes(repository, b); err != nil {
			return "", err
		}
	}
	descriptor := func(kind string, b []byte) map[string]any {
		return map[string]any{"mediaType": kind, "digest": pratique.DigestOf(b), "size": len(b)}
	}
	b, err := json.Marshal(map[string]any{"schemaVersion": 2, "mediaType": typeManifest, "config": descriptor(configType, config), "layers": []any{descriptor(layerType, layer)}})
	if err != nil {
		return "", err
	}
	digest := pratique.DigestOf(b)
	p.mu.Lock()
	p.sizes[digest] = len(b)
	p.mu.Unlock()
	return digest, p.manifest(repository, tag, typeManifest, b)
}

// untag deletes a tag, by the digest that it leads to: all tags of that digest in
// the repository go.
func (p *pusher) untag(repository string, digest pratique.Digest) error {
	_, err := p.do(http.MethodDelete, p.base+"/v2/"+repository+"/manifests/"+string(digest), "", nil, 0, http.StatusAccepted)
	return err
}
