package containerd_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/engine/containerd"
	"github.com/pratique/pratique/internal/enginetest"
	"github.com/pratique/pratique/internal/testimage"
)

// severalPlatforms writes a layout with an index of images for several architectures.
func severalPlatforms(t *testing.T, tag string, images map[string]testimage.Image) (file string) {
	t.Helper()
	type descriptor struct {
		MediaType   string            `json:"mediaType"`
		Digest      pratique.Digest   `json:"digest"`
		Size        int               `json:"size"`
		Platform    map[string]string `json:"platform,omitempty"`
		Annotations map[string]string `json:"annotations,omitempty"`
	}
	const typeIndex = "application/vnd.oci.image.index.v1+json"
	dir := filepath.Join(t.TempDir(), "layout")
	if err := os.MkdirAll(filepath.Join(dir, "blobs/sha256"), 0o755); err != nil {
		t.Fatal(err)
	}
	index := func(of ...descriptor) []byte {
		b, err := json.Marshal(map[string]any{"schemaVersion": 2, "mediaType": typeIndex, "manifests": of})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	write := func(name string, b []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var all []descriptor
	for architecture, img := range images {
		if err := img.WriteLayout(dir); err != nil {
			t.Fatal(err)
		}
		m := img.Manifest()
		all = append(all, descriptor{MediaType: "application/vnd.oci.image.manifest.v1+json", Digest: pratique.DigestOf(m), Size: len(m), Platform: map[string]string{"os": "linux", "architecture": architecture}})
	}
	inner := index(all...)
	write("blobs/sha256/"+pratique.DigestOf(inner).Hex(), inner)
	write("oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`))
	write("index.json", index(descriptor{MediaType: typeIndex, Digest: pratique.DigestOf(inner), Size: len(inner), Annotations: map[string]string{"io.containerd.image.name": tag}}))
	file = filepath.Join(t.TempDir(), "layout.tar")
	if out, err := exec.Command("tar", "-C", dir, "-cf", file, ".").CombinedOutput(); err != nil {
		t.Fatalf("tar: %v: %s", err, out)
	}
	return file
}

// Each platform that is here is an image of its own, also if it is none of this host's,
// and its ID opens that one; an index of which nothing is here says so.
func TestSeveralPlatforms(t *testing.T) {
	server := enginetest.Containerd(t)
	image := func(architecture, purpose string) testimage.Image {
		l, err := testimage.WriteLayer(t.TempDir(), testimage.Gzip, "COPY", testimage.Files(map[string]string{"srv/app": purpose + architecture}))
		if err != nil {
			t.Fatal(err)
		}
		return testimage.Image{Architecture: architecture, Labels: map[string]string{"purpose": purpose}, Layers: []testimage.Layer{l}}
	}
	both := map[string]testimage.Image{"amd64": image("amd64", "both"), "arm64": image("arm64", "both")}
	other := map[string]testimage.Image{"riscv64": image("riscv64", "other")}
	server.Run(t, "-n", "k8s.io", "images", "import", "--all-platforms", "--no-unpack", severalPlatforms(t, "docker.io/test/both:1", both))
	server.Run(t, "-n", "k8s.io", "images", "import", "--all-platforms", "--no-unpack", severalPlatforms(t, "docker.io/test/other:1", other))
	server.Run(t, "-n", "k8s.io", "images", "import", "--all-platforms", "--no-unpack", severalPlatforms(t, "docker.io/test/empty:1", nil))

	e := containerd.New(containerd.Options{Address: server.Socket})
	images, err := e.Images(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, i := range images {
		got = append(got, i.Tags[0]+" "+i.Platform.String()+" "+i.Reason)
	}
	enginetest.Same(t, "images", got, []string{
		"docker.io/test/both:1 linux/amd64 ", "docker.io/test/both:1 linux/arm64 ", "docker.io/test/other:1 linux/riscv64 ",
		"docker.io/test/empty:1  its manifest or config is not in the content store",
	})
	for _, img := range append([]testimage.Image{other["riscv64"]}, both["amd64"], both["arm64"]) {
		id := pratique.DigestOf(img.Config())
		content, err := e.Open(t.Context(), "k8s.io/"+string(id), pratique.Platform{})
		if err != nil {
			t.Errorf("%s: %v", img.Architecture, err)
			continue
		}
		if pratique.DigestOf(content.Config) != id || len(content.Layers) != 1 {
			t.Errorf("%s opens another image: %s", img.Architecture, content.Config)
		}
		if err := content.Close(); err != nil {
			t.Error(err)
		}
	}
}
