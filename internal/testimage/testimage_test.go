package testimage

import (
	"archive/tar"
	"bytes"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// An image of ours must be one in the eyes of an implementation that we did not
// write, in each form.
func TestImagesAreValid(t *testing.T) {
	dir := t.TempDir()
	build := func(c ...Compression) Image {
		img := Image{Tag: "example.test/a:1"}
		for i, c := range c {
			l, err := WriteLayer(dir, c, "step", Files(map[string]string{"a/b": strings.Repeat("x", i+1), "l": "-> a/b", "e/": ""}))
			if err != nil {
				t.Fatal(err)
			}
			img.Layers = append(img.Layers, l)
		}
		return img
	}

	// Not Plain: the validator takes every layer of a layout for a gzip.
	folder := filepath.Join(dir, "layout")
	if err := build(Gzip, Gzip).WriteLayout(folder); err != nil {
		t.Fatal(err)
	}
	index, err := layout.ImageIndexFromPath(folder)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(index, validate.Fast); err != nil {
		t.Error(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	img, err := index.Image(manifest.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	// Full validation recomputes every digest and diffID.
	if err := validate.Image(img); err != nil {
		t.Error(err)
	}

	for name, write := range map[string]func(Image, io.Writer) error{"new": Image.WriteDockerTar, "old": Image.WriteOldDockerTar} {
		var b bytes.Buffer
		if err := write(build(Plain, Plain), &b); err != nil {
			t.Fatal(err)
		}
		img, err := tarball.Image(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil }, nil)
		if err != nil {
			t.Fatalf("%s docker tar: %v", name, err)
		}
		if err := validate.Image(img); err != nil {
			t.Errorf("%s docker tar: %v", name, err)
		}
	}
	if err := build(Gzip).WriteOldDockerTar(io.Discard); err == nil {
		t.Error("a gzip layer went into a form that has none")
	}
}

// Applying a diff to the lower file system must give the upper one.
func TestDiff(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, c Content) string {
		l, err := WriteLayer(dir, Plain, "", c)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, name)
		if err := os.Rename(l.Blob, file); err != nil {
			t.Fatal(err)
		}
		return file
	}
	hardlink := Entries(tar.Header{Name: "same2", Typeflag: tar.TypeLink, Linkname: "same", Mode: 0o644})
	lower := write("lower", Files(map[string]string{"gone/deep/x": "1", "gone/y": "2", "same": "3", "changed": "4", "d/z": "5"}))
	upper := write("upper", Sequence(Files(map[string]string{"same": "3", "changed": "44", "d/": "", "new/n": "6"}), hardlink))
	diff := write("diff", Diff(lower, upper))

	got := flatten(t, lower, diff)
	if want := flatten(t, upper); !maps.Equal(got, want) {
		t.Errorf("lower + diff = %v\nwant %v", got, want)
	}
	var names []string
	if err := eachEntry(diff, func(h *tar.Header, _ io.Reader) error { names = append(names, h.Name); return nil }); err != nil {
		t.Fatal(err)
	}
	// One whiteout for the folder, none for what lies below it.
	if got, want := strings.Join(names, " "), "d/.wh.z .wh.gone changed new/ new/n same same2"; got != want {
		t.Errorf("diff holds %q, want %q", got, want)
	}
}

func flatten(t *testing.T, layers ...string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, l := range layers {
		err := eachEntry(l, func(h *tar.Header, body io.Reader) error {
			name := clean(h.Name)
			if hidden, ok := strings.CutPrefix(path.Base(name), ".wh."); ok {
				hidden = path.Join(path.Dir(name), hidden)
				maps.DeleteFunc(all, func(k, _ string) bool { return k == hidden || strings.HasPrefix(k, hidden+"/") })
				return nil
			}
			b, err := io.ReadAll(body)
			all[name] = string(h.Typeflag) + h.Linkname + string(b)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func TestDeterministic(t *testing.T) {
	for _, c := range []Compression{Plain, Gzip, Zstd} {
		content := Sequence(Files(map[string]string{"b": "1", "a/c": "2"}), Whiteouts("x/y"), Opaque("z"))
		one, err := WriteLayer(t.TempDir(), c, "", content)
		if err != nil {
			t.Fatal(err)
		}
		two, err := WriteLayer(t.TempDir(), c, "", content)
		if err != nil {
			t.Fatal(err)
		}
		if one.Digest != two.Digest || one.DiffID != two.DiffID || one.Size != two.Size {
			t.Errorf("%s: %+v and %+v", c, one, two)
		}
	}
}
