package source

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/klauspost/compress/zstd"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/engine/docker"
	"github.com/pratique/pratique/internal/testimage"
	"github.com/pratique/pratique/registry/distribution"
	"github.com/pratique/pratique/registry/distribution/registrytest"
)

var noLogin = distribution.Static(distribution.Credential{})

func options(t *testing.T) Options {
	t.Helper()
	scratch := t.TempDir()
	t.Cleanup(func() {
		if left, err := os.ReadDir(scratch); err != nil || len(left) > 0 {
			t.Errorf("left in the scratch folder: %v, %v", left, err)
		}
	})
	return Options{Scratch: scratch, Credentials: noLogin}
}

// planned is an image whose every digest is known.
func planned(t *testing.T, compressions ...testimage.Compression) testimage.Image {
	t.Helper()
	img := testimage.Image{Tag: "example.test/team/app:1", Architecture: runtime.GOARCH, Env: []string{"A=b"}, Labels: map[string]string{"k": "v"}, User: "1000"}
	for i, c := range compressions {
		l, err := testimage.WriteLayer(t.TempDir(), c, fmt.Sprintf("/bin/sh -c step %d", i), testimage.Files(map[string]string{"etc/f": strings.Repeat("x", 1000*(i+1))}))
		if err != nil {
			t.Fatal(err)
		}
		img.Layers = append(img.Layers, l)
	}
	return img
}

func writeTo(t *testing.T, name string, write func(io.Writer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return writeFile(t, name, b.Bytes())
}

func writeFile(t *testing.T, name string, content []byte) string {
	t.Helper()
	if !filepath.IsAbs(name) {
		name = filepath.Join(t.TempDir(), name)
	}
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// check opens target and compares everything that it shows with the plan.
func check(t *testing.T, target string, opt Options, want testimage.Image) *Opened {
	t.Helper()
	o, err := Open(t.Context(), target, opt)
	if err != nil {
		t.Fatalf("%s: %v", target, err)
	}
	t.Cleanup(func() { _ = o.Close() })
	img := o.Image
	if id := pratique.DigestOf(want.Config()); img.ID != id || img.Kind != pratique.KindImage {
		t.Errorf("ID %s, want %s", img.ID, id)
	}
	if img.Platform.OS != "linux" || img.Platform.Architecture != runtime.GOARCH || img.Config.User != "1000" || img.Config.Labels["k"] != "v" || !slices.Equal(img.Config.Env, []string{"A=b"}) {
		t.Errorf("config %+v", img)
	}
	if len(img.Layers) != len(want.Layers) {
		t.Fatalf("%d layers, want %d", len(img.Layers), len(want.Layers))
	}
	for i, l := range img.Layers {
		if l.DiffID != want.Layers[i].DiffID || l.Index != i || l.State != "" || l.Instruction != fmt.Sprintf("RUN step %d", i) || l.MediaType == "" {
			t.Errorf("layer %+v, want %+v", l, want.Layers[i])
		}
		if h := img.History[i]; h.Layer == nil || *h.Layer != i {
			t.Errorf("history %d made layer %v", i, h.Layer)
		}
		checkBlob(t, o, i, want.Layers[i].DiffID)
	}
	return o
}

// checkBlob reads a layer, and inflates it to compare its diffID.
func checkBlob(t *testing.T, o *Opened, i int, diffID pratique.Digest) {
	t.Helper()
	body, err := o.Layer(t.Context(), i)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	blob, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	l := o.Image.Layers[i]
	if l.Size != int64(len(blob)) || l.Digest != "" && l.Digest != pratique.DigestOf(blob) {
		t.Errorf("layer %d: %d bytes %s, want %d %s", i, len(blob), pratique.DigestOf(blob), l.Size, l.Digest)
	}
	var r io.Reader = bytes.NewReader(blob)
	switch form, _ := sniff(bytes.NewReader(blob)); form {
	case formGzip:
		r = inflate(formGzip, r)
	case formZstd:
		r = inflate(formZstd, r)
	}
	content, err := io.ReadAll(r)
	if err != nil || pratique.DigestOf(content) != diffID {
		t.Errorf("layer %d has diffID %s, want %s, %v", i, pratique.DigestOf(content), diffID, err)
	}
}

func TestForms(t *testing.T) {
	plain := planned(t, testimage.Plain, testimage.Plain)
	mixed := planned(t, testimage.Gzip, testimage.Zstd, testimage.Plain)
	folder := filepath.Join(t.TempDir(), "layout:with:colons")
	if err := mixed.WriteLayout(folder); err != nil {
		t.Fatal(err)
	}
	oldTar := writeTo(t, "old.tar", plain.WriteOldDockerTar)
	newTar := writeTo(t, "new.tar", plain.WriteDockerTar)
	stored := writeTo(t, "containerd.tar", mixed.WriteDockerTar)
	layoutTar := writeTo(t, "layout.tar", mixed.WriteLayoutTar)
	for _, c := range []struct {
		target string
		want   testimage.Image
		tag    string
		digest bool
	}{
		{oldTar, plain, plain.Tag, false},
		{"docker-archive:" + oldTar, plain, plain.Tag, false},
		{oldTar + ":example.test/team/app:1", plain, plain.Tag, false},
		{newTar, plain, plain.Tag, true},
		{stored, mixed, plain.Tag, true},
		{stored + ":" + pratique.DigestOf(mixed.Config()).Hex()[:12], mixed, plain.Tag, true},
		{layoutTar, mixed, plain.Tag, true},
		{"oci-archive:" + layoutTar + ":1", mixed, plain.Tag, true},
		{"oci-archive:" + newTar, plain, plain.Tag, true},
		{folder, mixed, plain.Tag, true},
		{"oci:" + folder, mixed, plain.Tag, true},
		{"oci:" + folder + ":1", mixed, plain.Tag, true},
		{folder + ":example.test/team/app:1", mixed, plain.Tag, true},
		{"oci:" + layoutTar, mixed, plain.Tag, true},
	} {
		t.Run(strings.ReplaceAll(c.target, "/", "_"), func(t *testing.T) {
			o := check(t, c.target, options(t), c.want)
			if !slices.Equal(o.Image.Tags, []string{c.tag}) {
				t.Errorf("tags %v", o.Image.Tags)
			}
			if want := pratique.DigestOf(c.want.Manifest()); c.digest && o.Image.Digest != want {
				t.Errorf("manifest %s, want %s", o.Image.Digest, want)
			}
			if strings.Contains(o.Image.Name, "oci:") || strings.Contains(o.Image.Name, "archive:") {
				t.Errorf("name %s", o.Image.Name)
			}
		})
	}
}

func TestCompressedArchives(t *testing.T) {
	img := planned(t, testimage.Plain, testimage.Gzip)
	gz := writeTo(t, "app.tar.gz", func(w io.Writer) error {
		z := gzip.NewWriter(w)
		defer z.Close()
		return img.WriteDockerTar(z)
	})
	check(t, gz, options(t), img)
	zst := writeTo(t, "app.tar.zst", func(w io.Writer) error {
		z, err := zstd.NewWriter(w)
		if err != nil {
			return err
		}
		defer z.Close()
		return img.WriteLayoutTar(z)
	})
	check(t, zst, options(t), img)
}

// skopeo writes its forms without asking us.
func TestSkopeo(t *testing.T) {
	if _, err := exec.LookPath("skopeo"); err != nil {
		t.Fatal("skopeo is missing: install Debian's package skopeo")
	}
	img := planned(t, testimage.Gzip, testimage.Gzip)
	dir := t.TempDir()
	from := filepath.Join(dir, "layout")
	if err := img.WriteLayout(from); err != nil {
		t.Fatal(err)
	}
	for _, form := range []string{"docker-archive:" + dir + "/d.tar:example.test/team/app:1", "oci:" + dir + "/o:v1", "oci-archive:" + dir + "/o.tar:v1"} {
		out, err := exec.Command("skopeo", "--insecure-policy", "copy", "oci:"+from+":1", form).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %s", err, out)
		}
		check(t, form, options(t), img)
		_, path, _ := strings.Cut(form, ":")
		check(t, strings.TrimSuffix(strings.TrimSuffix(path, ":v1"), ":example.test/team/app:1"), options(t), img)
	}
}

// Old engines wrote a layer that two images share once, and links elsewhere.
func TestLinkedLayers(t *testing.T) {
	img := planned(t, testimage.Plain, testimage.Plain)
	config := img.Config()
	id := pratique.DigestOf(config).Hex()
	archive := writeTo(t, "linked.tar", func(w io.Writer) error {
		tw := tar.NewWriter(w)
		member := func(h tar.Header, content []byte) {
			h.Size = int64(len(content))
			if err := tw.WriteHeader(&h); err != nil {
				t.Fatal(err)
			}
			_, _ = tw.Write(content)
		}
		for i, l := range img.Layers {
			content, err := os.ReadFile(l.Blob)
			if err != nil {
				t.Fatal(err)
			}
			member(tar.Header{Name: fmt.Sprintf("real%d/layer.tar", i), Typeflag: tar.TypeReg}, content)
		}
		member(tar.Header{Name: "a/layer.tar", Typeflag: tar.TypeSymlink, Linkname: "../real0/layer.tar"}, nil)
		member(tar.Header{Name: "b/layer.tar", Typeflag: tar.TypeLink, Linkname: "real1/layer.tar"}, nil)
		member(tar.Header{Name: "./" + id + ".json", Typeflag: tar.TypeReg}, config)
		member(tar.Header{Name: "manifest.json", Typeflag: tar.TypeReg}, fmt.Appendf(nil, `[{"Config":"%s.json","RepoTags":null,"Layers":["a/layer.tar","b/layer.tar"]}]`, id))
		return tw.Close()
	})
	check(t, archive, options(t), img)
}

func TestSeveralImages(t *testing.T) {
	images := map[name.Tag]v1.Image{}
	for _, n := range []string{"debian:12", "example.test/b:1"} {
		img, err := random.Image(1000, 2)
		if err != nil {
			t.Fatal(err)
		}
		tag, err := name.NewTag(n)
		if err != nil {
			t.Fatal(err)
		}
		images[tag] = img
	}
	file := filepath.Join(t.TempDir(), "many.tar")
	if err := tarball.MultiWriteToFile(file, images); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), file, options(t))
	wantError(t, err, pratique.CodeInvalid, "2 images")
	_, err = Open(t.Context(), file+":other", options(t))
	wantError(t, err, pratique.CodeNotFound, "example.test/b:1")
	for tag, img := range images {
		o, err := Open(t.Context(), file+":"+tag.String(), options(t))
		if err != nil {
			t.Fatal(err)
		}
		defer o.Close()
		if id, _ := img.ConfigName(); o.Image.ID != pratique.Digest(id.String()) {
			t.Errorf("%s: ID %s, want %s", tag, o.Image.ID, id)
		}
	}
}

// manyPlatforms is an index with a nested one and an attestation.
func manyPlatforms(t *testing.T) (v1.ImageIndex, map[string]pratique.Digest) {
	t.Helper()
	ids := map[string]pratique.Digest{}
	image := func(platform string) mutate.IndexAddendum {
		img, err := random.Image(1000, 2)
		if err != nil {
			t.Fatal(err)
		}
		p, err := v1.ParsePlatform(platform)
		if err != nil {
			t.Fatal(err)
		}
		config, _ := img.ConfigFile()
		config.OS, config.Architecture = p.OS, p.Architecture
		if img, err = mutate.ConfigFile(img, config); err != nil {
			t.Fatal(err)
		}
		id, _ := img.ConfigName()
		ids[platform] = pratique.Digest(id.String())
		return mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: p}}
	}
	attestation := image("unknown/unknown")
	attestation.Descriptor.Annotations = map[string]string{"vnd.docker.reference.type": "attestation-manifest"}
	nested := mutate.AppendManifests(empty.Index, image("linux/s390x"), image("windows/amd64"))
	index := mutate.AppendManifests(empty.Index, attestation, image("linux/"+runtime.GOARCH), mutate.IndexAddendum{Add: nested})
	return index, ids
}

func TestPlatforms(t *testing.T) {
	index, ids := manyPlatforms(t)
	folder := t.TempDir()
	if path, err := layout.Write(folder, empty.Index); err != nil {
		t.Fatal(err)
	} else if err := path.AppendIndex(index); err != nil {
		t.Fatal(err)
	}
	server := registrytest.Start(t, registrytest.Options{})
	ref, err := name.ParseReference(server.Host + "/team/app:1")
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.WriteIndex(ref, index); err != nil {
		t.Fatal(err)
	}
	top, err := index.Digest()
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{folder, ref.String(), "registry:" + ref.String(), ref.Context().String() + "@" + top.String()} {
		for platform, want := range map[string]string{"": "linux/" + runtime.GOARCH, "linux/s390x": "linux/s390x", "windows/amd64": "windows/amd64"} {
			opt := options(t)
			opt.Platform = platform
			o, err := Open(t.Context(), target, opt)
			if err != nil {
				t.Fatalf("%s %s: %v", target, platform, err)
			}
			if o.Image.ID != ids[want] || o.Image.Platform.String() != want || o.Image.IndexDigest != pratique.Digest(top.String()) || o.Image.Digest == "" {
				t.Errorf("%s %s: %+v", target, platform, o.Image)
			}
			for i, l := range o.Image.Layers {
				checkBlob(t, o, i, l.DiffID)
			}
			if err := o.Close(); err != nil {
				t.Error(err)
			}
		}
		opt := options(t)
		opt.Platform = "linux/mips"
		_, err := Open(t.Context(), target, opt)
		wantError(t, err, pratique.CodeNotFound, "linux/s390x")
	}
}

func TestPlatformOfASingleImage(t *testing.T) {
	img := planned(t, testimage.Plain)
	opt := options(t)
	opt.Platform = "linux/mips"
	for _, file := range []string{writeTo(t, "a.tar", img.WriteDockerTar), writeTo(t, "b.tar", img.WriteOldDockerTar), writeTo(t, "c.tar", img.WriteLayoutTar)} {
		_, err := Open(t.Context(), file, opt)
		wantError(t, err, pratique.CodeNotFound, "linux/"+runtime.GOARCH)
	}
}

// layoutOf writes a layout with a manifest made by hand.
func layoutOf(t *testing.T, manifest string, blobs ...string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "blobs/sha256"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, b := range append(blobs, manifest) {
		writeFile(t, filepath.Join(dir, blobName(pratique.DigestOf([]byte(b)))), []byte(b))
	}
	writeFile(t, filepath.Join(dir, "oci-layout"), []byte(`{"imageLayoutVersion":"1.0.0"}`))
	writeFile(t, filepath.Join(dir, "index.json"), fmt.Appendf(nil, `{"schemaVersion":2,"manifests":[{"mediaType":%q,"digest":%q,"size":%d}]}`,
		distribution.TypeOCIManifest, pratique.DigestOf([]byte(manifest)), len(manifest)))
	return dir
}

func descriptor(mediaType, content string) string {
	return fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d}`, mediaType, pratique.DigestOf([]byte(content)), len(content))
}

func TestArtifactsAreNoImages(t *testing.T) {
	const image = "application/vnd.oci.image.config.v1+json"
	for _, c := range []struct{ config, layer, want string }{
		{"application/vnd.cncf.helm.config.v1+json", "application/vnd.cncf.helm.chart.content.v1.tar+gzip", "Helm chart"},
		{image, "application/vnd.dev.cosign.simplesigning.v1+json", "cosign signature"},
		{image, "application/vnd.in-toto+json", "in-toto attestation"},
		{"application/vnd.wasm.config.v0+json", "application/wasm", "WebAssembly"},
		{"application/vnd.oci.empty.v1+json", "text/spdx+json", "SPDX SBOM"},
		{"application/vnd.oci.empty.v1+json", "application/x-thing", "application/x-thing"},
		{"application/vnd.docker.plugin.v1+json", "application/vnd.docker.image.rootfs.diff.tar.gzip", "plugin"},
	} {
		dir := layoutOf(t, `{"schemaVersion":2,"config":`+descriptor(c.config, "{}")+`,"layers":[`+descriptor(c.layer, "x")+`]}`, "{}", "x")
		_, err := Open(t.Context(), dir, options(t))
		wantError(t, err, pratique.CodeUnsupported, c.want)
	}
}

func TestForeignAndEncryptedLayers(t *testing.T) {
	config := fmt.Sprintf(`{"os":"windows","architecture":"amd64","rootfs":{"diff_ids":[%q,%q,%q]}}`, pratique.DigestOf([]byte("1")), pratique.DigestOf([]byte("2")), pratique.DigestOf([]byte("x")))
	dir := layoutOf(t, `{"schemaVersion":2,"config":`+descriptor("application/vnd.oci.image.config.v1+json", config)+`,"layers":[`+
		descriptor("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "1")+`,`+
		descriptor("application/vnd.oci.image.layer.v1.tar+gzip+encrypted", "2")+`,`+
		descriptor("application/vnd.oci.image.layer.v1.tar", "x")+`]}`, config, "x")
	o, err := Open(t.Context(), dir, options(t))
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	if o.Image.Platform.OS != "windows" {
		t.Error(o.Image.Platform)
	}
	for i, want := range []pratique.LayerState{pratique.LayerForeign, pratique.LayerEncrypted, ""} {
		if l := o.Image.Layers[i]; l.State != want || (want == "") != (l.Reason == "") {
			t.Errorf("layer %d: %+v", i, l)
		}
		body, err := o.Layer(t.Context(), i)
		if want != "" {
			wantError(t, err, pratique.CodeUnsupported, "")
		} else if err != nil {
			t.Error(err)
		} else {
			_ = body.Close()
		}
	}
}

func TestHostile(t *testing.T) {
	img := planned(t, testimage.Plain, testimage.Plain)
	var good bytes.Buffer
	if err := img.WriteDockerTar(&good); err != nil {
		t.Fatal(err)
	}
	members := func(entries ...[2]string) []byte {
		var b bytes.Buffer
		tw := tar.NewWriter(&b)
		for _, e := range entries {
			h := &tar.Header{Name: e[0], Typeflag: tar.TypeReg, Size: int64(len(e[1]))}
			if target, ok := strings.CutPrefix(e[1], "-> "); ok {
				h = &tar.Header{Name: e[0], Typeflag: tar.TypeSymlink, Linkname: target}
				e[1] = ""
			}
			if err := tw.WriteHeader(h); err != nil {
				t.Fatal(err)
			}
			_, _ = tw.Write([]byte(e[1]))
		}
		_ = tw.Close()
		return b.Bytes()
	}
	huge := members([2]string{"manifest.json", "[]"})
	huge = slices.Concat(sized("a", 1<<50), huge)
	config := string(img.Config())
	changed := bytes.Replace(good.Bytes(), []byte(`"User":"1000"`), []byte(`"User":"0000"`), 1)
	gz := func(b []byte) []byte {
		var out bytes.Buffer
		z := gzip.NewWriter(&out)
		_, _ = z.Write(b)
		_ = z.Close()
		return out.Bytes()
	}
	for _, c := range []struct {
		name    string
		content []byte
		code    pratique.Code
		part    string
	}{
		{"truncated", good.Bytes()[:good.Len()/2], pratique.CodeCorrupt, "cut short"},
		{"truncated gzip", gz(good.Bytes())[:200], pratique.CodeCorrupt, "cut short"},
		{"damaged gzip", append(gz(good.Bytes())[:100], bytes.Repeat([]byte{7}, 100)...), pratique.CodeCorrupt, "damaged"},
		{"changed config", changed, pratique.CodeCorrupt, "digest"},
		{"hostile size", huge, pratique.CodeCorrupt, "cut short"},
		{"empty", nil, pratique.CodeInvalid, "neither"},
		{"noise", bytes.Repeat([]byte{1, 2, 3}, 1000), pratique.CodeInvalid, "neither"},
		{"xz", []byte("\xfd7zXZ\x00 and so on"), pratique.CodeUnsupported, "xz"},
		{"no image", members([2]string{"etc/passwd", "root"}), pratique.CodeInvalid, "docker save"},
		{"no images", members([2]string{"manifest.json", "[]"}), pratique.CodeCorrupt, "no image"},
		{"no JSON", members([2]string{"manifest.json", "{"}), pratique.CodeCorrupt, "JSON"},
		{"huge manifest", members([2]string{"manifest.json", strings.Repeat(" ", 5<<20)}), pratique.CodeLimit, "4 MiB"},
		{"path trick", members([2]string{"manifest.json", `[{"Config":"../../../../etc/hostname","Layers":[]}]`}), pratique.CodeCorrupt, "missing"},
		{"link out", members([2]string{"c.json", "-> /etc/hostname"}, [2]string{"manifest.json", `[{"Config":"c.json","Layers":[]}]`}), pratique.CodeCorrupt, "missing"},
		{"link loop", members([2]string{"a", "-> b"}, [2]string{"b", "-> a"}, [2]string{"manifest.json", `[{"Config":"a","Layers":[]}]`}), pratique.CodeCorrupt, "circles"},
		{"layer missing", members([2]string{"c.json", config}, [2]string{"manifest.json", `[{"Config":"c.json","Layers":["x","y"]}]`}), pratique.CodeCorrupt, "layer 0 is missing"},
		{"layer count", members([2]string{"c.json", config}, [2]string{"manifest.json", `[{"Config":"c.json","Layers":["x"]}]`}), pratique.CodeCorrupt, "lists 2 layers"},
		{"newline in a name", members([2]string{"manifest.json", `[{"Config":"x\ny","Layers":[]}]`}), pratique.CodeCorrupt, "missing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Open(t.Context(), writeFile(t, "x.tar", c.content), options(t))
			wantError(t, err, c.code, c.part)
		})
	}
}

// sized is a tar header that promises more than there is.
func sized(name string, size int64) []byte {
	var b bytes.Buffer
	_ = tar.NewWriter(&b).WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Size: size})
	return b.Bytes()
}

func TestHostileLayouts(t *testing.T) {
	img := planned(t, testimage.Gzip)
	fresh := func() string {
		dir := t.TempDir()
		if err := img.WriteLayout(dir); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	replace := func(name string, with func(path string)) string {
		dir := fresh()
		path := filepath.Join(dir, name)
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		with(path)
		return dir
	}
	config := blobName(pratique.DigestOf(img.Config()))
	layer := blobName(img.Layers[0].Digest)
	link := func(to string) func(string) {
		return func(path string) {
			if err := os.Symlink(to, path); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, c := range map[string]struct {
		dir  string
		code pratique.Code
		part string
	}{
		"changed config": {replace(config, func(p string) { writeFile(t, p, []byte("{}")) }), pratique.CodeCorrupt, "digest"},
		"missing layer":  {replace(layer, func(string) {}), pratique.CodeCorrupt, "missing"},
		"short layer":    {replace(layer, func(p string) { writeFile(t, p, []byte("x")) }), pratique.CodeCorrupt, "bytes"},
		"link out":       {replace(config, link("/etc/hostname")), pratique.CodeCorrupt, ""},
		"link loop":      {replace(config, link(filepath.Base(config))), pratique.CodeCorrupt, ""},
		"pipe": {replace(layer, func(p string) {
			if err := syscall.Mkfifo(p, 0o600); err != nil {
				t.Fatal(err)
			}
		}), pratique.CodeCorrupt, "regular file"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Open(t.Context(), c.dir, options(t))
			wantError(t, err, c.code, c.part)
		})
	}
}

func TestTargets(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	writeFile(t, filepath.Join(dir, "program"), []byte("\x7fELF"))
	if err := os.MkdirAll(filepath.Join(dir, "project/src"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	for in, want := range map[string]target{
		"debian:12":              {kind: kindRegistry, name: "debian:12"},
		"registry:debian:12":     {kind: kindRegistry, name: "debian:12", forced: true},
		"registry:5000/app:1":    {kind: kindRegistry, name: "registry:5000/app:1"},
		"docker:app:1":           {kind: kindEngine, engine: "docker", name: "app:1", forced: true},
		"podman:app:1":           {kind: kindEngine, engine: "podman", name: "app:1", forced: true},
		"containerd:k8s.io/a:1":  {kind: kindEngine, engine: "containerd", name: "k8s.io/a:1", forced: true},
		"docker:5000/app":        {kind: kindRegistry, name: "docker:5000/app"},
		"program:1.2":            {kind: kindRegistry, name: "program:1.2"},
		"program":                {kind: kindArchive, path: "program"},
		"project":                {kind: kindFolder, path: "project"},
		"dir:project":            {kind: kindFolder, path: "project", forced: true},
		"docker-archive:a:b":     {}, // no such file
		"./absent.tar":           {},
		"absent.tar":             {},
		"sbom:":                  {},
		"":                       {},
		"docker://debian":        {},
		"registry://debian":      {},
		"a\x00b":                 {},
		strings.Repeat("a", 1e4): {},
	} {
		got, err := parseTarget(in)
		if want == (target{}) {
			if err == nil {
				t.Errorf("%.30q is %+v", in, got)
			} else {
				wantError(t, err, pratique.CodeOf(err), "")
			}
			continue
		}
		if err != nil || got != want {
			t.Errorf("%q is %+v, want %+v, %v", in, got, want, err)
		}
	}
	for target, part := range map[string]string{"program": "neither", "project": "dir:project", "pipe": "regular file", "sbom:program": "bill of materials", "docker-archive:project": "regular file", "oci:project": "oci-layout", "dir:program": "not a folder"} {
		_, err := Open(t.Context(), target, options(t))
		wantError(t, err, pratique.CodeInvalid, part)
	}
}

func TestFolder(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "etc"), 0o700); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "etc/os-release"), []byte("ID=debian\n"))
	o, err := Open(t.Context(), dir, options(t))
	if err != nil {
		t.Fatal(err)
	}
	if o.Folder != dir || o.Image.Kind != pratique.KindFolder || o.Image.Name != dir {
		t.Errorf("%+v", o)
	}
	o, err = Open(t.Context(), "rootfs:"+filepath.Join(dir, "etc"), options(t))
	if err != nil || o.Folder != filepath.Join(dir, "etc") {
		t.Errorf("%+v, %v", o, err)
	}
}

// fakeEngine answers as the Engine API is documented to.
func fakeEngine(t *testing.T, img testimage.Image, version string) (host string, asked *[]string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "e") // socket paths are short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket := filepath.Join(dir, "docker.sock")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	asked = &[]string{}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked = append(*asked, r.URL.RequestURI())
		w.Header().Set("Api-Version", version)
		path := r.URL.Path
		if rest, ok := strings.CutPrefix(path, "/v1."); ok {
			path = rest[strings.IndexByte(rest, '/'):]
		}
		switch path {
		case "/_ping":
			_, _ = w.Write([]byte("OK"))
		case "/images/team/app:1/json":
			_, _ = w.Write([]byte(`{"Id":"sha256:0","RepoTags":["team/app:1"]}`))
		case "/images/team/app:1/get":
			_ = img.WriteDockerTar(w)
		case "/images/cut/json":
			_, _ = w.Write([]byte(`{}`))
		case "/images/cut/get":
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write(make([]byte, 512))
		default:
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(`{"message":"No such image: ` + path + `"}`))
		}
	})}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	return "unix://" + socket, asked
}

func TestEngine(t *testing.T) {
	img := planned(t, testimage.Plain, testimage.Gzip)
	for version, prefix := range map[string]string{"1.41": "/v1.41/", "1.99": "/v1.51/", "": "/images"} {
		opt := options(t)
		var asked *[]string
		var host string
		host, asked = fakeEngine(t, img, version)
		opt.Engines = []Engine{docker.New(docker.Options{Host: host})}
		check(t, "docker:team/app:1", opt, img)
		if i := slices.IndexFunc(*asked, func(s string) bool { return strings.Contains(s, "/images/") }); !strings.HasPrefix((*asked)[i], prefix) {
			t.Errorf("API %s: asked %v", version, *asked)
		}
		opt.Platform = "linux/" + runtime.GOARCH
		check(t, "docker:team/app:1", opt, img)
		if last := (*asked)[len(*asked)-1]; strings.Contains(last, "platform=") != (version == "1.99") {
			t.Errorf("API %s: asked %s", version, last)
		}
		_, err := Open(t.Context(), "docker:team/none", opt)
		wantError(t, err, pratique.CodeNotFound, "registry:team/none")
		_, err = Open(t.Context(), "docker:cut", opt)
		wantError(t, err, pratique.CodeUnreachable, "broke off")
		_, err = Open(t.Context(), "docker:../containers", opt)
		wantError(t, err, pratique.CodeInvalid, "")
	}
	for host, part := range map[string]string{"unix:///nonexistent.sock": "DOCKER_HOST", "tcp://127.0.0.1:1": "DOCKER_HOST", "ssh://host": "ssh -L", "nonsense": "unix:///PATH"} {
		opt := options(t)
		opt.Engines = []Engine{docker.New(docker.Options{Host: host})}
		_, err := Open(t.Context(), "docker:app", opt)
		wantError(t, err, pratique.CodeOf(err), part)
	}
}

func TestRegistry(t *testing.T) {
	server := registrytest.Start(t, registrytest.Options{})
	img := planned(t, testimage.Gzip, testimage.Gzip)
	dir := t.TempDir()
	if err := img.WriteLayout(dir); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("skopeo", "--insecure-policy", "copy", "--dest-tls-verify=false", "oci:"+dir+":1", "docker://"+server.Host+"/team/app:1").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	o := check(t, server.Host+"/team/app:1", options(t), img)
	if o.Image.Digest != pratique.DigestOf(img.Manifest()) || !slices.Equal(o.Image.Tags, []string{server.Host + "/team/app:1"}) {
		t.Errorf("%+v", o.Image)
	}
	_, err = Open(t.Context(), server.Host+"/team/app:2", options(t))
	wantError(t, err, pratique.CodeNotFound, "team/app:2")
	// A real schema 1 manifest, signed by skopeo.
	out, err = exec.Command("skopeo", "--insecure-policy", "copy", "--format", "v2s1", "--dest-tls-verify=false", "oci:"+dir+":1", "docker://"+server.Host+"/team/old:1").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	_, err = Open(t.Context(), server.Host+"/team/old:1", options(t))
	wantError(t, err, pratique.CodeUnsupported, "schema 1")
}

// A large archive is opened without reading it: this one is 8 GiB, nearly all of
// it a hole, and would take seconds to read.
func TestFirstByteOfALargeArchive(t *testing.T) {
	const size = 8 << 30
	config := fmt.Sprintf(`{"os":"linux","architecture":"amd64","rootfs":{"diff_ids":[%q]}}`, pratique.DigestOf(nil))
	f, err := os.Create(filepath.Join(t.TempDir(), "large.tar"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	_, _ = f.Write(sized("l/layer.tar", size))
	if _, err := f.Seek(size, io.SeekCurrent); err != nil {
		t.Fatal(err)
	}
	tw := tar.NewWriter(f)
	for name, content := range map[string]string{"c.json": config, "manifest.json": `[{"Config":"c.json","Layers":["l/layer.tar"]}]`} {
		if err := tw.WriteHeader(&tar.Header{Name: name, Size: int64(len(content))}); err != nil {
			t.Fatal(err)
		}
		_, _ = tw.Write([]byte(content))
	}
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	o, err := Open(t.Context(), f.Name(), options(t))
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	body, err := o.Layer(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if _, err := io.ReadFull(body, make([]byte, 512)); err != nil {
		t.Fatal(err)
	}
	took := time.Since(start)
	t.Logf("first byte of %d GiB after %s", size>>30, took)
	if took > 500*time.Millisecond { // 50 ms is the aim; a busy machine may stutter
		t.Errorf("the first byte came after %s", took)
	}
	at, ok := body.(io.ReaderAt)
	if _, seeks := body.(io.Seeker); !ok || !seeks {
		t.Fatalf("%T has no random access", body)
	}
	if _, err := at.ReadAt(make([]byte, 1), size-1); err != nil {
		t.Error(err)
	}
}

func TestCancelled(t *testing.T) {
	img := planned(t, testimage.Plain)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Open(ctx, writeTo(t, "a.tar", img.WriteDockerTar), options(t))
	wantError(t, err, pratique.CodeCancelled, "")
}

func TestScratchThatCannotBeWritten(t *testing.T) {
	img := planned(t, testimage.Plain)
	gz := writeTo(t, "app.tar.gz", func(w io.Writer) error {
		z := gzip.NewWriter(w)
		defer z.Close()
		return img.WriteDockerTar(z)
	})
	opt := options(t)
	opt.Scratch = filepath.Join(opt.Scratch, "absent")
	_, err := Open(t.Context(), gz, opt)
	wantError(t, err, pratique.CodeDisk, "TMPDIR")
}

// wantError checks that err may be shown: a code, one line, a remedy.
func wantError(t *testing.T, err error, code pratique.Code, part string) {
	t.Helper()
	e, ok := err.(*pratique.Error)
	switch {
	case err == nil:
		t.Fatalf("no error, want %s", code)
	case !ok:
		t.Fatalf("%v is a %T", err, err)
	case e.Code != code:
		t.Errorf("%q has code %s, want %s", e.Message, e.Code, code)
	case strings.ContainsAny(e.Message+e.Remedy, "\n\r") || e.Message == "":
		t.Errorf("%q is not one line", e.Message)
	case e.Remedy == "" && code != pratique.CodeCancelled && !strings.HasPrefix(e.Message, "layer "):
		t.Errorf("%q has no remedy", e.Message)
	case !strings.Contains(e.Message+" "+e.Remedy, part):
		t.Errorf("%q; %q lacks %q", e.Message, e.Remedy, part)
	}
}

func FuzzParseTarget(f *testing.F) {
	for _, s := range []string{"debian", "docker:app", "oci:/tmp:1", "registry:5000/x", "dir:", ":::", "sbom:x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got, err := parseTarget(s); err == nil && got.path == "" && got.name == "" && got.kind != kindRegistry && got.kind != kindEngine {
			t.Fatalf("%q gave %+v", s, got)
		}
	})
}

func FuzzArchive(f *testing.F) {
	img := testimage.Image{}
	var b bytes.Buffer
	if err := img.WriteDockerTar(&b); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	b.Reset()
	if err := img.WriteLayoutTar(&b); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add(sized("manifest.json", 1<<40))
	f.Fuzz(func(t *testing.T, content []byte) {
		file := writeFile(t, "x.tar", content)
		o, err := Open(t.Context(), file, Options{Scratch: t.TempDir()})
		if err != nil {
			if pratique.CodeOf(err) == pratique.CodeInternal || strings.Contains(err.Error(), "\n") {
				t.Fatalf("%v", err)
			}
			return
		}
		for i := range o.Image.Layers {
			if body, err := o.Layer(t.Context(), i); err == nil {
				_, _ = io.Copy(io.Discard, body)
				_ = body.Close()
			}
		}
		_ = o.Close()
	})
}
