package layer_test

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc64"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"

	"github.com/klauspost/compress/gzip"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/analyze"
	"github.com/pratique/pratique/layer"
)

// splitEntry is a line of a recipe, in the order of tar-split's fields.
type splitEntry struct {
	Type     int    `json:"type"`
	Name     string `json:"name,omitempty"`
	NameRaw  []byte `json:"name_raw,omitempty"`
	Size     int64  `json:"size,omitempty"`
	Payload  []byte `json:"payload"`
	Position int    `json:"position"`
}

// splitOf writes what an engine writes down of a tar (tar-split): everything but
// the contents of its files.
func splitOf(t testing.TB, layerTar []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	zw := gzip.NewWriter(&out)
	lines := json.NewEncoder(zw)
	position := 0
	line := func(e splitEntry) {
		e.Position = position
		position++
		if err := lines.Encode(e); err != nil {
			t.Fatal(err)
		}
	}
	r := bytes.NewReader(layerTar)
	tr, told := tar.NewReader(r), 0
	for {
		h, err := tr.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		at := len(layerTar) - r.Len()
		line(splitEntry{Type: 2, Payload: layerTar[told:at]})
		told = at
		if h.Size == 0 || h.Typeflag != tar.TypeReg {
			line(splitEntry{Type: 1, Name: h.Name})
			continue
		}
		content := layerTar[at : at+int(h.Size)]
		sum := binary.BigEndian.AppendUint64(nil, crc64.Checksum(content, crc64.MakeTable(crc64.ISO)))
		entry := splitEntry{Type: 1, Name: h.Name, Size: h.Size, Payload: sum}
		if !utf8.ValidString(h.Name) {
			entry.Name, entry.NameRaw = "", []byte(h.Name)
		}
		line(entry)
		told += len(content)
	}
	line(splitEntry{Type: 2, Payload: layerTar[told:]})
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// unpackedOf does what an engine does when it pulls a layer: GNU tar extracts it
// into dir, and a recipe is kept beside it.
func unpackedOf(t testing.TB, dir string, layerTar []byte) *layer.Unpacked {
	t.Helper()
	cmd := exec.Command("tar", "-x", "-p", "-C", dir)
	cmd.Stdin = bytes.NewReader(layerTar)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("tar: %v: %s", err, out)
	}
	split := splitOf(t, layerTar)
	return openUnpacked(t, dir, func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(split)), nil })
}

func openUnpacked(t testing.TB, dir string, split func() (io.ReadCloser, error)) *layer.Unpacked {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return &layer.Unpacked{Root: root, Split: split}
}

func folder(name string) tar.Header {
	return tar.Header{Name: name, Typeflag: tar.TypeDir, Mode: 0o755}
}

// everyKind is a layer with one of everything that a tar can say.
func everyKind(t testing.TB) []byte {
	return tarOf(t,
		folder("etc/"), file("etc/passwd", "root"), hardlink("etc/passwd-", "etc/passwd"), symlink("etc/mtab", "/proc/mounts"),
		file("etc/.wh.gone", ""), folder("srv/"), file("srv/.wh..wh..opq", ""), file("srv/new", strings.Repeat("x", 1000)),
		file("srv/"+strings.Repeat("long/", 40)+"name", "far away"), // takes a pax record
		file("srv/\xff", "not UTF-8"), tar.Header{Name: "dev", Typeflag: tar.TypeFifo}, symlink("bin", "usr/bin"), file("empty", ""),
		file("twice", "first"), file("twice", "second!"), hardlink("wanted-by-this-name", "etc/passwd"),
	)
}

func TestUnpackedIsTheTar(t *testing.T) {
	layerTar := everyKind(t)
	// The last file of a name is the one that is in the folder.
	clean := tarOf(t, file("a/b", "1"), hardlink("a/c", "a/b"), symlink("a/d", "b"), file("e", strings.Repeat("y", 512)), file("f", strings.Repeat("z", 70000)))
	for name, wants := range map[string]func(*analyze.File) bool{
		"everything": nil, "one": named("srv/new", "a/b"), "by another name": named("etc/passwd", "wanted-by-this-name", "a/c"), "nothing": named("absent"),
	} {
		p := layer.NewPass([]analyze.Analyzer{reader{wants: wants}}, layer.Limits{}, t.TempDir())
		defer p.Close()
		for i, b := range [][]byte{layerTar, clean} {
			want := pratique.Layer{DiffID: pratique.DigestOf(b)}
			fromTar, err := p.Read(t.Context(), func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }, want, nil)
			if err != nil {
				t.Fatal(err)
			}
			u := unpackedOf(t, t.TempDir(), b)
			attested, err := p.ReadUnpacked(t.Context(), u, want, false, nil)
			if err != nil {
				t.Fatal(err)
			}
			if attested.Facts[0].Verified || attested.DiffID != "" {
				t.Errorf("%s: facts of a folder are verified", name)
			}
			if i == 0 { // "twice" has the content of the second in the folder, and the first has another size
				attested.Facts = dropProblems(attested.Facts, "twice")
			}
			if got, want := comparable(attested.Facts, false), comparable(fromTar.Facts, false); !reflect.DeepEqual(got, want) {
				t.Errorf("%s: from the folder\n%+v\nfrom the tar\n%+v", name, got, want)
			}
			if i == 0 {
				continue
			}
			verified, err := p.ReadUnpacked(t.Context(), u, want, true, nil)
			if err != nil || !reflect.DeepEqual(verified.Facts, fromTar.Facts) || verified.DiffID != want.DiffID {
				t.Errorf("%s: verified: %v\n%+v\n%+v", name, err, verified, fromTar)
			}
		}
	}
}

// comparable blanks what may differ between a tar and a folder.
func comparable(all []pratique.Facts, structure bool) []pratique.Facts {
	all = slices.Clone(all)
	for i := range all {
		all[i].Verified = false
		if all[i].Entries != nil && structure {
			entries := *all[i].Entries
			entries.Bytes, entries.Count = 0, 0
			slices.Sort(entries.Whiteouts)
			all[i].Entries = &entries
		} else if all[i].Entries != nil {
			entries := *all[i].Entries
			entries.Bytes = 0 // a tar may end in more padding
			all[i].Entries = &entries
		}
	}
	return all
}

func dropProblems(all []pratique.Facts, path string) []pratique.Facts {
	for i := range all {
		all[i].Problems = slices.DeleteFunc(all[i].Problems, func(p pratique.Problem) bool { return p.Path == path })
		if len(all[i].Problems) == 0 {
			all[i].Problems = nil
		}
	}
	return all
}

// TestUnpackedDiff reads a folder as overlayfs leaves it, which has marks of its
// own for what is deleted, and compares with the tar that says the same.
func TestUnpackedDiff(t *testing.T) {
	dir := t.TempDir()
	layerTar := tarOf(t, folder("etc/"), file("etc/passwd", "root"), hardlink("etc/passwd-", "etc/passwd"), symlink("etc/mtab", "/proc/mounts"),
		folder("srv/"), file("srv/new", strings.Repeat("x", 1000)), tar.Header{Name: "zz", Typeflag: tar.TypeFifo}, symlink("bin", "usr/bin"))
	unpackedOf(t, dir, layerTar)
	mark(t, syscall.Mknod(filepath.Join(dir, "etc/gone"), syscall.S_IFCHR|0o600, 0))
	mark(t, syscall.Setxattr(filepath.Join(dir, "srv"), "trusted.overlay.opaque", []byte("y"), 0))
	told := tarOf(t, symlink("bin", "usr/bin"), folder("etc/"), file("etc/passwd", "root"), hardlink("etc/passwd-", "etc/passwd"), symlink("etc/mtab", "/proc/mounts"), file("etc/.wh.gone", ""),
		folder("srv/"), file("srv/.wh..wh..opq", ""), file("srv/new", strings.Repeat("x", 1000)), tar.Header{Name: "zz", Typeflag: tar.TypeFifo})

	p := layer.NewPass([]analyze.Analyzer{reader{}}, layer.Limits{}, t.TempDir())
	defer p.Close()
	want, err := p.Read(t.Context(), func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(told)), nil }, pratique.Layer{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.ReadUnpacked(t.Context(), openUnpacked(t, dir, nil), pratique.Layer{DiffID: want.DiffID}, true, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got.Facts[0].Verified {
		t.Error("a folder without a recipe cannot be verified")
	}
	if a, b := comparable(got.Facts, true), comparable(want.Facts, true); !reflect.DeepEqual(a, b) {
		t.Errorf("from the folder\n%+v %+v\nfrom the tar\n%+v %+v", a, a[0].Entries, b, b[0].Entries)
	}
	// What the kernel moved without copying is told.
	mark(t, syscall.Setxattr(filepath.Join(dir, "etc"), "trusted.overlay.redirect", []byte("/old"), 0))
	got, err = p.ReadUnpacked(t.Context(), openUnpacked(t, dir, nil), pratique.Layer{DiffID: want.DiffID}, false, nil)
	if err != nil || len(got.Facts[0].Problems) != 1 || !got.Facts[0].Problems[0].Partial || got.Facts[0].Problems[0].Path != "etc" {
		t.Errorf("a moved folder: %v, %+v", err, got.Facts[0].Problems)
	}
}

func mark(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("this test needs root and a file system with extended attributes: %v", err)
	}
}

// TestUnpackedHostile: somebody on the host changed the folder after it was made.
func TestUnpackedHostile(t *testing.T) {
	layerTar := tarOf(t, folder("a/"), file("a/one", "1"), file("a/two", "2"), file("b", "3"), file("c", "4"), file("d", "5"))
	spoil := map[string]func(dir string) error{
		"removed":    func(d string) error { return os.Remove(filepath.Join(d, "b")) },
		"longer":     func(d string) error { return os.WriteFile(filepath.Join(d, "b"), []byte("33"), 0o600) },
		"a link out": func(d string) error { return relink(filepath.Join(d, "b"), "/etc/hostname") },
		"a FIFO": func(d string) error {
			os.Remove(filepath.Join(d, "b"))
			return syscall.Mkfifo(filepath.Join(d, "b"), 0o600)
		},
		"folder leads out": func(d string) error {
			os.RemoveAll(filepath.Join(d, "a"))
			return os.Symlink(t.TempDir(), filepath.Join(d, "a"))
		},
	}
	for name, f := range spoil {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			u := unpackedOf(t, dir, layerTar)
			mark(t, f(dir))
			p := layer.NewPass([]analyze.Analyzer{reader{}}, layer.Limits{}, t.TempDir())
			defer p.Close()
			want := pratique.Layer{DiffID: pratique.DigestOf(layerTar)}
			r, err := p.ReadUnpacked(t.Context(), u, want, false, nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Facts[0].Problems) == 0 || !r.Facts[0].Problems[0].Partial {
				t.Errorf("nothing is told: %+v", r.Facts)
			}
			if n := len(r.Facts[1].Files); n < 3 || n > 4 {
				t.Errorf("the other files were not read: %+v", r.Facts[1].Files)
			}
			if _, err := p.ReadUnpacked(t.Context(), u, want, true, nil); code(err) != pratique.CodeCorrupt {
				t.Errorf("verified: %v", err)
			}
			gone := pratique.Errorf(pratique.CodeNotFound, "the image was removed")
			u.Kept = func() error { return gone }
			if _, err := p.ReadUnpacked(t.Context(), u, want, false, nil); !errors.Is(err, gone) {
				t.Errorf("an image that is removed: %v", err)
			}
		})
	}
	t.Run("same size", func(t *testing.T) { // only verifying tells
		dir := t.TempDir()
		u := unpackedOf(t, dir, layerTar)
		mark(t, os.WriteFile(filepath.Join(dir, "b"), []byte("X"), 0o600))
		p := layer.NewPass([]analyze.Analyzer{reader{}}, layer.Limits{}, t.TempDir())
		defer p.Close()
		r, err := p.ReadUnpacked(t.Context(), u, pratique.Layer{DiffID: pratique.DigestOf(layerTar)}, true, nil)
		if code(err) != pratique.CodeCorrupt || r.Facts[0].Verified {
			t.Errorf("verified: %v", err)
		}
	})
}

// TestUnpackedShortened: a large file is read where it lies, and somebody shortens it
// while it is mapped.
func TestUnpackedShortened(t *testing.T) {
	const size = 1 << 20
	layerTar := tarOf(t, file("large", strings.Repeat("x", size)), file("small", "y"))
	dir := t.TempDir()
	u := unpackedOf(t, dir, layerTar)
	maps := reader{read: func(_ context.Context, f *analyze.File, c analyze.Content) error {
		if f.Path != "large" {
			return nil
		}
		if name := c.File().Name(); filepath.Base(name) != "large" {
			return fmt.Errorf("it was copied to %s", name)
		}
		data, err := syscall.Mmap(int(c.File().Fd()), 0, size, syscall.PROT_READ, syscall.MAP_PRIVATE)
		if err != nil {
			return err
		}
		defer syscall.Munmap(data)
		if err := os.Truncate(filepath.Join(dir, "large"), 10); err != nil {
			return err
		}
		return fmt.Errorf("there are %d bytes where nothing is", bytes.Count(data[size/2:], []byte("x")))
	}}
	scratch := t.TempDir()
	p := layer.NewPass([]analyze.Analyzer{maps}, layer.Limits{Buffer: 1000}, scratch)
	defer p.Close()
	r, err := p.ReadUnpacked(t.Context(), u, pratique.Layer{DiffID: pratique.DigestOf(layerTar)}, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, p := range problems(r) {
		told = append(told, p.Message)
	}
	text := strings.Join(told, "\n")
	if len(told) != 2 || !strings.Contains(text, "a parser failed") || !strings.Contains(text, "changed on this host while it was read") {
		t.Errorf("problems %q", told)
	}
	if left, err := os.ReadDir(scratch); err != nil || len(left) > 0 {
		t.Errorf("left in the scratch folder: %v %v", left, err)
	}
	if info, err := os.Stat(filepath.Join(dir, "large")); err != nil || info.Size() != 10 {
		t.Errorf("the engine's file: %v", err)
	}
}

func relink(name, target string) error {
	if err := os.Remove(name); err != nil {
		return err
	}
	return os.Symlink(target, name)
}

func FuzzSplit(f *testing.F) {
	dir := f.TempDir()
	u := unpackedOf(f, dir, tarOf(f, folder("a/"), file("a/b", "1"), hardlink("c", "a/b")))
	whole, _ := u.Split()
	zr, err := gzip.NewReader(whole)
	if err != nil {
		f.Fatal(err)
	}
	lines, _ := io.ReadAll(zr)
	f.Add(lines)
	f.Add([]byte(`{"type":1,"name":"../../etc/passwd","size":5}` + "\n"))
	f.Add([]byte(`{"type":1,"name":"a/b","size":9223372036854775807}` + "\n" + `{"type":2,"payload":"AAAA"}`))
	f.Fuzz(func(t *testing.T, lines []byte) {
		var packed bytes.Buffer
		zw := gzip.NewWriter(&packed)
		zw.Write(lines)
		zw.Close()
		u := openUnpacked(t, dir, func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(packed.Bytes())), nil })
		p := layer.NewPass([]analyze.Analyzer{reader{}}, layer.Limits{Inflated: 1 << 20}, t.TempDir())
		defer p.Close()
		for _, verify := range []bool{false, true} {
			r, err := p.ReadUnpacked(t.Context(), u, pratique.Layer{DiffID: pratique.DigestOf(lines)}, verify, nil)
			if err == nil && verify && r.DiffID != pratique.DigestOf(lines) {
				t.Error("verified what was not promised")
			}
			for _, facts := range r.Facts {
				for _, file := range facts.Files {
					if !slices.Contains([]string{"a/b", "c"}, file.Path) && file.SHA256 != string(pratique.DigestOf([]byte("1"))) {
						t.Errorf("read %s from elsewhere", file.Path)
					}
				}
			}
		}
	})
}
