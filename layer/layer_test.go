package layer_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/analyze"
	"github.com/pratique/pratique/layer"
)

// A reader writes down the content of every file that it wants: the facts of a
// layer are then what the pass showed.
type reader struct {
	wants  func(*analyze.File) bool
	read   func(context.Context, *analyze.File, analyze.Content) error
	nested bool
}

func (reader) Name() string                 { return "reader" }
func (reader) Version() string              { return "1" }
func (r reader) Nested() bool               { return r.nested }
func (r reader) Wants(f *analyze.File) bool { return r.wants == nil || r.wants(f) }
func (r reader) Link(name, target string, facts *pratique.Facts) {
	facts.Releases = append(facts.Releases, pratique.Release{Path: name, Target: target})
}

func (r reader) Analyze(ctx context.Context, f *analyze.File, c analyze.Content, facts *pratique.Facts) error {
	b, err := io.ReadAll(io.NewSectionReader(c, 0, c.Size()))
	if err != nil {
		return err
	}
	if whole, ok := c.Bytes(); ok && !bytes.Equal(whole, b) {
		return errors.New("Bytes and ReadAt differ")
	}
	if r.read != nil {
		if err := r.read(ctx, f, c); err != nil {
			return err
		}
	}
	facts.Files = append(facts.Files, pratique.FileFact{Path: f.Path, Size: c.Size(), SHA256: string(pratique.DigestOf(b))})
	return nil
}

// named wants the files with one of these paths.
func named(paths ...string) func(*analyze.File) bool {
	return func(f *analyze.File) bool { return slices.Contains(paths, f.Path) }
}

// tarOf writes entries; a regular one without a size has its body in Linkname.
func tarOf(t testing.TB, entries ...tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range entries {
		body := ""
		if h.Typeflag == 0 {
			h.Typeflag = tar.TypeReg
		}
		if h.Typeflag == tar.TypeReg {
			body, h.Linkname, h.Size = h.Linkname, "", int64(len(h.Linkname))
		}
		if h.Mode == 0 && h.Typeflag != tar.TypeXGlobalHeader {
			h.Mode = 0o644
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, body)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func file(name, body string) tar.Header { return tar.Header{Name: name, Linkname: body} }
func hardlink(name, target string) tar.Header {
	return tar.Header{Name: name, Linkname: target, Typeflag: tar.TypeLink}
}
func symlink(name, target string) tar.Header {
	return tar.Header{Name: name, Linkname: target, Typeflag: tar.TypeSymlink}
}

func gzipped(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Write(b)
	w.Close()
	return out.Bytes()
}

func zstandard(t testing.TB, b []byte) []byte {
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return w.EncodeAll(b, nil)
}

func zipOf(t testing.TB, members ...tar.Header) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, m := range members {
		f, err := w.Create(m.Name)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(f, m.Linkname)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func source(b []byte) layer.Source {
	return func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }
}

// read takes a blob through a pass of its own, and checks that nothing is left behind.
func read(t testing.TB, blob []byte, want pratique.Layer, limits layer.Limits, analyzers ...analyze.Analyzer) (layer.Result, error) {
	t.Helper()
	scratch := t.TempDir()
	p := layer.NewPass(analyzers, limits, scratch)
	defer p.Close()
	result, err := p.Read(t.Context(), source(blob), want, nil)
	left(t, scratch)
	return result, err
}

func left(t testing.TB, scratch string) {
	t.Helper()
	if entries, err := os.ReadDir(scratch); err != nil || len(entries) > 0 {
		t.Errorf("left in the scratch folder: %v %v", entries, err)
	}
}

func code(err error) pratique.Code {
	if err == nil {
		return ""
	}
	return pratique.CodeOf(err)
}

// digests lists the paths with facts, with the digest of what was read.
func digests(r layer.Result) map[string]string {
	m := map[string]string{}
	for _, facts := range r.Facts {
		for _, f := range facts.Files {
			m[f.Path] = f.SHA256
		}
	}
	return m
}

func contents(m map[string]string) map[string]string {
	for path, body := range m {
		m[path] = string(pratique.DigestOf([]byte(body)))
	}
	return m
}

func problems(r layer.Result) []pratique.Problem {
	var all []pratique.Problem
	for _, facts := range r.Facts {
		all = append(all, facts.Problems...)
	}
	return all
}

func TestEncodings(t *testing.T) {
	plain := tarOf(t, file("a", "one"), file("b/c", strings.Repeat("two", 100_000)))
	half := len(plain) / 2
	skippable := []byte{0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 'm', 'e', 't', 'a'}
	for _, c := range []struct {
		name string
		blob []byte
	}{
		{"plain", plain},
		{"gzip", gzipped(plain)},
		{"gzip of several members", append(gzipped(plain[:half]), gzipped(plain[half:])...)},
		{"zstd", zstandard(t, plain)},
		{"zstd of several frames", append(zstandard(t, plain[:half]), zstandard(t, plain[half:])...)},
		{"zstd:chunked, with skippable frames", slices.Concat(skippable, zstandard(t, plain), skippable)},
	} {
		want := pratique.Layer{Digest: pratique.DigestOf(c.blob), DiffID: pratique.DigestOf(plain)}
		r, err := read(t, c.blob, want, layer.Limits{}, reader{})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if r.Digest != want.Digest || r.DiffID != want.DiffID {
			t.Errorf("%s: digests %s and %s", c.name, r.Digest, r.DiffID)
		}
		if got, want := digests(r), contents(map[string]string{"a": "one", "b/c": strings.Repeat("two", 100_000)}); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: files %v", c.name, got)
		}
		for _, f := range r.Facts {
			if !f.Verified || f.DiffID != want.DiffID {
				t.Errorf("%s: facts of %s are not verified", c.name, f.Analyzer)
			}
		}
		if e := r.Facts[0].Entries; e.Count != 2 || e.Bytes != int64(len(plain)) {
			t.Errorf("%s: %d entries of %d bytes", c.name, e.Count, e.Bytes)
		}
	}
}

// A real zstd with a long window, and its own skippable frames, by its own tool.
func TestZstdTool(t *testing.T) {
	plain := tarOf(t, file("a", "one"), file("b", strings.Repeat("0123456789abcdef", 1<<16)))
	cmd := exec.Command("zstd", "-q", "-19", "--long=27", "-c")
	cmd.Stdin = bytes.NewReader(plain)
	blob, err := cmd.Output()
	if err != nil {
		t.Fatalf("zstd: %v", err)
	}
	r, err := read(t, blob, pratique.Layer{DiffID: pratique.DigestOf(plain)}, layer.Limits{}, reader{})
	if err != nil || len(digests(r)) != 2 {
		t.Errorf("%v, %d files", err, len(digests(r)))
	}
}

func TestBadLayers(t *testing.T) {
	plain := tarOf(t, file("a", "one"), symlink("etc/os-release", "x"), file("b", strings.Repeat("two", 100_000)))
	other := pratique.DigestOf([]byte("other"))
	zipped := gzipped(plain)
	flipped := slices.Clone(zipped)
	flipped[len(flipped)/2] ^= 0xff
	small := layer.Limits{Ratio: 10, RatioFrom: 1 << 20, Inflated: 64 << 20, Entries: 50}
	many := make([]tar.Header, 51)
	for i := range many {
		many[i] = file(fmt.Sprint(i), "")
	}
	for _, c := range []struct {
		name  string
		blob  []byte
		want  pratique.Layer
		code  pratique.Code
		says  string
		facts bool // what was read until then is kept
	}{
		{"wrong digest", plain, pratique.Layer{Digest: other}, pratique.CodeCorrupt, "promised", false},
		{"wrong diffID", zipped, pratique.Layer{DiffID: other}, pratique.CodeCorrupt, "promised", false},
		{"truncated gzip", zipped[:len(zipped)/2], pratique.Layer{}, pratique.CodeCorrupt, "truncated", true},
		{"gzip header only", zipped[:3], pratique.Layer{}, pratique.CodeCorrupt, "truncated", false},
		{"truncated tar", plain[:5000], pratique.Layer{}, pratique.CodeCorrupt, "truncated", true},
		{"truncated tar in gzip", gzipped(plain[:5000]), pratique.Layer{}, pratique.CodeCorrupt, "truncated", true},
		{"truncated zstd", zstandard(t, plain)[:40], pratique.Layer{}, pratique.CodeCorrupt, "", false},
		{"flipped bits", flipped, pratique.Layer{}, pratique.CodeCorrupt, "corrupt", true},
		{"garbage", bytes.Repeat([]byte("garbage!"), 1000), pratique.Layer{}, pratique.CodeCorrupt, "neither gzip", false},
		{"garbage in gzip", gzipped(bytes.Repeat([]byte("garbage!"), 1000)), pratique.Layer{}, pratique.CodeCorrupt, "tar", false},
		{"HTML", []byte("<!DOCTYPE html><title>sign in</title>" + strings.Repeat(" ", 600)), pratique.Layer{}, pratique.CodeCorrupt, "neither gzip", false},
		{"empty", nil, pratique.Layer{}, pratique.CodeCorrupt, "empty", false},
		{"bomb by ratio", gzipped(tarOf(t, file("z", strings.Repeat("\x00", 32<<20)))), pratique.Layer{}, pratique.CodeLimit, "bomb", false},
		{"bomb by size", tarOf(t, file("z", strings.Repeat("\x00", 65<<20))), pratique.Layer{}, pratique.CodeLimit, "inflates to more", false},
		{"too many entries", tarOf(t, many...), pratique.Layer{}, pratique.CodeLimit, "more than 50 entries", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			start := time.Now()
			r, err := read(t, c.blob, c.want, small, reader{wants: named("a", "b")})
			if code(err) != c.code || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %q of code %s, want %q of code %s", err, code(err), c.says, c.code)
			}
			if _, ok := digests(r)["a"]; ok != c.facts {
				t.Errorf("facts of the first file: %v, want %v", ok, c.facts)
			}
			for _, f := range r.Facts {
				if f.Verified || !c.facts && len(f.Releases) > 0 {
					t.Errorf("facts of %s: verified %v, %d releases", f.Analyzer, f.Verified, len(f.Releases))
				}
			}
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

func TestNames(t *testing.T) {
	long := strings.Repeat("d/", 100) + "long"
	blob := tarOf(t,
		file("./a", "1"), file("/abs", "2"), file("x/../b", "3"), file("dir//c", "4"),
		file("../../etc/passwd", "evil"), file("..", "evil"), tar.Header{Name: "./", Typeflag: tar.TypeDir},
		file(strings.Repeat("n", 4097), "too long"), file(long, "5"), file("caf\xe9", "6"), file("bang!/x", "7"),
		tar.Header{Name: "fifo", Typeflag: tar.TypeFifo}, tar.Header{Name: "dev/null", Typeflag: tar.TypeChar},
		tar.Header{Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"comment": "of git archive"}},
	)
	r, err := read(t, blob, pratique.Layer{}, layer.Limits{}, reader{})
	if err != nil {
		t.Fatal(err)
	}
	want := contents(map[string]string{"a": "1", "abs": "2", "b": "3", "dir/c": "4", long: "5", "caf�": "6", "bang%21/x": "7"})
	if got := digests(r); !reflect.DeepEqual(got, want) {
		t.Errorf("files %v, want %v", got, want)
	}
	e := r.Facts[0].Entries
	for _, name := range []string{"fifo", "dev/null", "caf�"} {
		if !pratique.HasHash(e.Files, pratique.NameHash(name)) {
			t.Errorf("%s is not among the entries", name)
		}
	}
	if n := len(e.Files) / 8; n != len(want)+2 {
		t.Errorf("%d names of files, want %d", n, len(want)+2)
	}
	var says []string
	for _, p := range problems(r) {
		if !p.Partial {
			t.Errorf("not partial: %+v", p)
		}
		says = append(says, string(p.Code)+" "+p.Path)
	}
	if want := []string{"corrupt ../../etc/passwd", "corrupt ..", "limit "}; !reflect.DeepEqual(says, want) {
		t.Errorf("problems %q, want %q", says, want)
	}
}

func TestWhiteouts(t *testing.T) {
	blob := tarOf(t, file("etc/.wh.passwd", ""), file(".wh.gone", ""), file("var/.wh..wh..opq", ""), file(".wh..wh..opq", ""),
		file(".wh..wh.aufs", "noise"), tar.Header{Name: ".wh..wh.plnk", Typeflag: tar.TypeDir}, file(".wh..wh.orph/x", ""), file("x/.wh.", ""), file("x/.wh..", ""), file("x/.wh...", ""))
	r, err := read(t, blob, pratique.Layer{}, layer.Limits{}, reader{})
	if err != nil {
		t.Fatal(err)
	}
	e := r.Facts[0].Entries
	if want := []string{"etc/passwd", "gone"}; !reflect.DeepEqual(e.Whiteouts, want) {
		t.Errorf("whiteouts %q, want %q", e.Whiteouts, want)
	}
	if want := []string{"var", "."}; !reflect.DeepEqual(e.Opaque, want) {
		t.Errorf("opaque %q, want %q", e.Opaque, want)
	}
	if got := digests(r); len(got) != 0 {
		t.Errorf("files %v", got)
	}
}

// A whiteout's name must not make the pass remember without end.
func TestNamesInMemory(t *testing.T) {
	var blob bytes.Buffer
	z := gzip.NewWriter(&blob)
	w := tar.NewWriter(z)
	for i := range 20_000 {
		w.WriteHeader(&tar.Header{Name: strings.Repeat("w", 4000) + fmt.Sprint("/.wh.", i), Typeflag: tar.TypeReg})
	}
	w.Close()
	z.Close()
	if _, err := read(t, blob.Bytes(), pratique.Layer{}, layer.Limits{}, reader{}); code(err) != pratique.CodeLimit {
		t.Errorf("error %v", err)
	}
}

func TestLinks(t *testing.T) {
	const status = "var/lib/dpkg/status"
	for _, c := range []struct {
		name    string
		wants   []string
		entries []tar.Header
		files   map[string]string
		aliases []pratique.Alias
	}{
		{"a second name of a wanted file", []string{"bin/a"},
			[]tar.Header{file("bin/a", "1"), hardlink("bin/b", "bin/a"), hardlink("./bin/c", "/bin/a")},
			map[string]string{"bin/a": "1"}, []pratique.Alias{{Path: "bin/b", Target: "bin/a"}, {Path: "bin/c", Target: "bin/a"}}},
		{"only the link's name is wanted", []string{status},
			[]tar.Header{file("ostree/objects/x", "db"), hardlink(status, "ostree/objects/x")},
			map[string]string{status: "db"}, nil},
		{"the link is replaced afterwards", []string{status},
			[]tar.Header{file("o/x", "old"), hardlink(status, "o/x"), file(status, "new")},
			map[string]string{status: "new"}, nil},
		{"the link is replaced by a symbolic link", []string{status},
			[]tar.Header{file("o/x", "old"), hardlink(status, "o/x"), symlink(status, "elsewhere")},
			map[string]string{}, nil},
		{"the link replaces a file", []string{status},
			[]tar.Header{file("o/x", "db"), file(status, "old"), hardlink(status, "o/x")},
			map[string]string{status: "db"}, nil},
		{"the target is replaced afterwards", []string{status},
			[]tar.Header{file("o/x", "db"), hardlink(status, "o/x"), file("o/x", "other")},
			map[string]string{status: "db"}, nil},
		{"the target was replaced before", []string{status},
			[]tar.Header{file("o/x", "older"), file("o/x", "db"), hardlink(status, "o/x")},
			map[string]string{status: "db"}, nil},
		{"an alias that is replaced is none", []string{"bin/a"},
			[]tar.Header{file("bin/a", "1"), hardlink("bin/b", "bin/a"), file("bin/b", "2")},
			map[string]string{"bin/a": "1"}, nil},
		{"to itself, and to nothing", []string{status},
			[]tar.Header{hardlink(status, status), hardlink(status, "../../x")}, map[string]string{}, nil},
		{"the same path twice", []string{"a"},
			[]tar.Header{file("a", "1"), file("a", "2")}, map[string]string{"a": "2"}, nil},
		{"emptied", []string{"a"}, []tar.Header{file("a", "1"), file("a", "")}, map[string]string{}, nil},
		{"replaced by a FIFO", []string{"a"}, []tar.Header{file("a", "1"), {Name: "a", Typeflag: tar.TypeFifo}}, map[string]string{}, nil},
		{"replaced by a folder", []string{"a"}, []tar.Header{file("a", "1"), {Name: "a/", Typeflag: tar.TypeDir}}, map[string]string{}, nil},
		{"two names that a merged usr would make one", []string{"bin/a", "usr/bin/a"},
			[]tar.Header{file("bin/a", "1"), file("usr/bin/a", "2")}, map[string]string{"bin/a": "1", "usr/bin/a": "2"}, nil},
	} {
		r, err := read(t, gzipped(tarOf(t, c.entries...)), pratique.Layer{}, layer.Limits{}, reader{wants: named(c.wants...)})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got, want := digests(r), contents(c.files); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: files %v, want %v", c.name, got, want)
		}
		if got := r.Facts[0].Entries.Aliases; !reflect.DeepEqual(got, c.aliases) {
			t.Errorf("%s: aliases %v, want %v", c.name, got, c.aliases)
		}
	}
}

// The second reading for hard links must not trust the source more than the first.
func TestLinkedBytesChange(t *testing.T) {
	blobs := [][]byte{tarOf(t, file("o/x", "db"), hardlink("status", "o/x")), tarOf(t, file("o/x", "DB"), hardlink("status", "o/x"))}
	p := layer.NewPass([]analyze.Analyzer{reader{wants: named("status")}}, layer.Limits{}, t.TempDir())
	defer p.Close()
	asked := 0
	r, err := p.Read(t.Context(), func(context.Context) (io.ReadCloser, error) {
		asked++
		return io.NopCloser(bytes.NewReader(blobs[asked-1])), nil
	}, pratique.Layer{}, nil)
	if asked != 2 || code(err) != pratique.CodeCorrupt || len(digests(r)) > 0 {
		t.Errorf("asked %d times, error %v, files %v", asked, err, digests(r))
	}
}

func TestMergedUsr(t *testing.T) {
	r, err := read(t, tarOf(t, symlink("bin", "usr/bin"), symlink("lib64", "/usr/lib64"), symlink("sbin", "elsewhere"), symlink("opt", "usr/opt")), pratique.Layer{}, layer.Limits{}, reader{})
	if err != nil || !reflect.DeepEqual(r.Facts[0].Entries.Merged, []string{"bin", "lib64"}) {
		t.Errorf("%v, %q", err, r.Facts[0].Entries.Merged)
	}
}

func TestSymlinks(t *testing.T) {
	r, err := read(t, tarOf(t, symlink("etc/os-release", "../usr/lib/os-release"), symlink("loop", "loop")), pratique.Layer{}, layer.Limits{}, reader{})
	if err != nil {
		t.Fatal(err)
	}
	want := []pratique.Release{{Path: "etc/os-release", Target: "../usr/lib/os-release"}, {Path: "loop", Target: "loop"}}
	if got := r.Facts[1].Releases; !reflect.DeepEqual(got, want) {
		t.Errorf("links %v, want %v", got, want)
	}
}

// GNU tar writes what archive/tar cannot: its own sparse format and the three
// that it has had in pax records.
func TestSparse(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "holes")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	f.WriteAt([]byte("begin"), 0)
	f.WriteAt([]byte("middle"), 1<<20)
	f.Truncate(3 << 20)
	f.Close()
	content, _ := os.ReadFile(name)
	for _, format := range [][]string{{"--format=gnu"}, {"--format=pax", "--sparse-version=0.0"}, {"--format=pax", "--sparse-version=0.1"}, {"--format=pax", "--sparse-version=1.0"}} {
		args := append(append([]string{"-c", "--sparse", "-C", dir}, format...), "holes")
		blob, err := exec.Command("tar", args...).Output()
		if err != nil || len(blob) > 1<<20 {
			t.Fatalf("tar %v: %v, %d bytes", format, err, len(blob))
		}
		r, err := read(t, blob, pratique.Layer{}, layer.Limits{Buffer: 1 << 20}, reader{})
		if err != nil {
			t.Fatalf("%v: %v", format, err)
		}
		if got, want := digests(r), contents(map[string]string{"holes": string(content)}); !reflect.DeepEqual(got, want) {
			t.Errorf("%v: files %v, want %v", format, got, want)
		}
		// In numbers, holes are a bomb that no ratio shows.
		var three bytes.Buffer
		w := exec.Command("tar", append(append([]string{"-c", "--sparse", "-C", dir, "--hard-dereference"}, format...), "holes", "holes", "holes")...)
		w.Stdout = &three
		if err := w.Run(); err != nil {
			t.Fatal(err)
		}
		r, err = read(t, three.Bytes(), pratique.Layer{}, layer.Limits{File: 4 << 20}, reader{})
		if err != nil || len(problems(r)) != 1 || !problems(r)[0].Partial {
			t.Errorf("%v: %v, problems %v", format, err, problems(r))
		}
	}
}

func TestLongNames(t *testing.T) {
	dir := t.TempDir()
	name := strings.Repeat("deep/", 60) + "file"
	if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"gnu", "pax"} {
		blob, err := exec.Command("tar", "-c", "-C", dir, "--format="+format, "deep").Output()
		if err != nil {
			t.Fatal(err)
		}
		r, err := read(t, blob, pratique.Layer{}, layer.Limits{}, reader{})
		if got := digests(r); err != nil || got[name] == "" {
			t.Errorf("%s: %v %v", format, err, got)
		}
	}
}

func TestSpill(t *testing.T) {
	body := strings.Repeat("0123456789", 10_000)
	blob := tarOf(t, file("big", body), file("small", "x"))
	var spilled atomic.Int32
	a := reader{read: func(_ context.Context, f *analyze.File, c analyze.Content) error {
		if data, ok := c.Bytes(); ok {
			if c.File() != nil || int64(len(data)) != c.Size() {
				return fmt.Errorf("%d bytes in memory of %d, or a file as well", len(data), c.Size())
			}
			return nil
		}
		b, err := os.ReadFile(c.File().Name())
		if err == nil && int64(len(b)) == c.Size() {
			spilled.Add(1)
		}
		return err
	}}
	var all []layer.Result
	for _, buffer := range []int64{1 << 20, 1 << 10} {
		r, err := read(t, blob, pratique.Layer{}, layer.Limits{Buffer: buffer}, a)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	if !reflect.DeepEqual(all[0], all[1]) || len(digests(all[0])) != 2 || spilled.Load() != 1 {
		t.Errorf("facts differ: %v and %v; %d spilled", digests(all[0]), digests(all[1]), spilled.Load())
	}
	r, err := read(t, blob, pratique.Layer{}, layer.Limits{File: 1000}, a)
	if err != nil || len(digests(r)) != 1 || len(problems(r)) != 1 || problems(r)[0].Code != pratique.CodeLimit || !problems(r)[0].Partial {
		t.Errorf("over the limit of a file: %v, %v, %v", err, digests(r), problems(r))
	}
}

func TestScratchFails(t *testing.T) {
	p := layer.NewPass([]analyze.Analyzer{reader{}}, layer.Limits{Buffer: 10}, filepath.Join(t.TempDir(), "absent"))
	defer p.Close()
	r, err := p.Read(t.Context(), source(tarOf(t, file("big", strings.Repeat("x", 100)), file("small", "x"))), pratique.Layer{}, nil)
	if err != nil || len(digests(r)) != 1 {
		t.Errorf("%v, files %v", err, digests(r))
	}
	if ps := problems(r); len(ps) != 1 || ps[0].Code != pratique.CodeDisk || !ps[0].Partial || ps[0].Path != "big" {
		t.Errorf("problems %v", ps)
	}
}

// Many files through little memory, by several layers at once.
func TestMemoryBound(t *testing.T) {
	var entries []tar.Header
	for i := range 300 {
		entries = append(entries, file(fmt.Sprint("f", i), strings.Repeat("x", 1+i*i%70_000)))
	}
	blob := tarOf(t, entries...)
	scratch := t.TempDir()
	p := layer.NewPass([]analyze.Analyzer{reader{}}, layer.Limits{Memory: 1 << 20, Buffer: 1 << 19}, scratch)
	defer p.Close()
	done := make(chan error)
	for range 6 {
		go func() {
			r, err := p.Read(t.Context(), source(blob), pratique.Layer{}, nil)
			if err == nil && len(digests(r)) != 300 {
				err = fmt.Errorf("%d files", len(digests(r)))
			}
			done <- err
		}()
	}
	for range 6 {
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(20 * time.Second):
			t.Fatal("deadlock")
		}
	}
	left(t, scratch)
}

func TestPanics(t *testing.T) {
	blob := tarOf(t, file("good", "1"), file("bad", "2"), file("ugly", "3"), file("last", "4"))
	a := reader{
		wants: func(f *analyze.File) bool {
			if f.Path == "ugly" {
				panic("asked about an ugly file")
			}
			return true
		},
		read: func(_ context.Context, f *analyze.File, _ analyze.Content) error {
			if f.Path == "bad" {
				panic("index out of\nrange " + strings.Repeat("x", 1000))
			}
			return nil
		},
	}
	r, err := read(t, blob, pratique.Layer{}, layer.Limits{}, a)
	if err != nil || len(digests(r)) != 2 {
		t.Fatalf("%v, files %v", err, digests(r))
	}
	if ps := problems(r); len(ps) != 2 {
		t.Errorf("problems %v", ps)
	}
	for _, p := range problems(r) {
		if p.Code != pratique.CodeInternal || !p.Partial || strings.Contains(p.Message, "\n") || len(p.Message) > 400 {
			t.Errorf("problem %+v", p)
		}
	}
}

func TestCancel(t *testing.T) {
	goroutines := runtime.NumGoroutine()
	var entries []tar.Header
	for i := range 200 {
		entries = append(entries, file(fmt.Sprint("f", i), strings.Repeat("x", 5000)))
	}
	blob := tarOf(t, entries...)
	scratch := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	slow := reader{read: func(ctx context.Context, _ *analyze.File, c analyze.Content) error {
		if c.File() == nil {
			return errors.New("it was not spilled")
		}
		cancel()
		time.Sleep(300 * time.Millisecond) // deaf to its context, as libraries are
		return nil
	}}
	p := layer.NewPass([]analyze.Analyzer{slow}, layer.Limits{Buffer: 1000}, scratch)
	start := time.Now()
	r, err := p.Read(ctx, source(blob), pratique.Layer{}, nil)
	// The queued files would take half a minute; a busy machine takes its time, too.
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("it took %v to stop", took)
	}
	if code(err) != pratique.CodeCancelled || !errors.Is(err, context.Canceled) || len(r.Facts) > 0 {
		t.Errorf("error %v, %d facts", err, len(r.Facts))
	}
	p.Close()
	for range 1000 { // the file in hand is finished, and then its spilled content removed
		spilled, err := os.ReadDir(scratch)
		if err == nil && len(spilled) == 0 && runtime.NumGoroutine() <= goroutines {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if n := runtime.NumGoroutine(); n > goroutines {
		b := make([]byte, 1<<16)
		t.Errorf("%d goroutines before, %d after\n%s", goroutines, n, b[:runtime.Stack(b, true)])
	}
	left(t, scratch)
}

// A source that gives nothing any more must not hold up the end.
func TestCancelStuckSource(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	out, in := io.Pipe()
	go in.Write(gzipped(tarOf(t, file("a", "x")))[:50])
	p := layer.NewPass([]analyze.Analyzer{reader{}}, layer.Limits{}, t.TempDir())
	defer p.Close()
	start := time.Now()
	_, err := p.Read(ctx, func(context.Context) (io.ReadCloser, error) {
		context.AfterFunc(ctx, func() { out.CloseWithError(ctx.Err()) }) // as an HTTP body does
		return out, nil
	}, pratique.Layer{}, nil)
	if took := time.Since(start); code(err) != pratique.CodeCancelled || took > time.Second {
		t.Errorf("error %v after %v", err, took)
	}
}

// A connection's own error is passed on, not taken for a corrupt layer.
func TestSourceFails(t *testing.T) {
	p := layer.NewPass([]analyze.Analyzer{reader{}}, layer.Limits{}, t.TempDir())
	defer p.Close()
	gone := pratique.Errorf(pratique.CodeUnreachable, "the registry hung up")
	for _, start := range [][]byte{nil, gzipped(tarOf(t, file("a", strings.Repeat("x", 9000))))[:60], tarOf(t, file("a", strings.Repeat("x", 9000)))[:3000]} {
		_, err := p.Read(t.Context(), func(context.Context) (io.ReadCloser, error) {
			return io.NopCloser(io.MultiReader(bytes.NewReader(start), failing{gone})), nil
		}, pratique.Layer{}, nil)
		if code(err) != pratique.CodeUnreachable {
			t.Errorf("after %d bytes: error %v", len(start), err)
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestDeterministic(t *testing.T) {
	var entries []tar.Header
	for i := range 60 {
		entries = append(entries, file(fmt.Sprint("f", i*7%60), fmt.Sprint(i)),
			file(fmt.Sprintf("z%d.zip", i), string(zipOf(t, file("a", "1"), file("b", strings.Repeat("2", i))))),
			file(fmt.Sprintf("bad%d.zip", i), "PK\x03\x04 not really "+fmt.Sprint(i)))
	}
	entries = append(entries, hardlink("l1", "f1"), hardlink("l2", "f1"))
	blob := tarOf(t, entries...)
	var first []byte
	for i := range 20 {
		r, err := read(t, blob, pratique.Layer{}, layer.Limits{}, reader{nested: true}, reader{})
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(r.Facts)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = b
		}
		if !bytes.Equal(first, b) {
			t.Fatalf("run %d differs", i)
		}
	}
}

// What is told of one layer stays readable, and what costs facts comes first.
func TestProblemsAreBounded(t *testing.T) {
	var entries []tar.Header
	for i := range 150 {
		entries = append(entries, file(fmt.Sprintf("f%03d", i), "x"))
	}
	a := reader{read: func(_ context.Context, f *analyze.File, _ analyze.Content) error {
		if f.Path == "f149" {
			return pratique.Errorf(pratique.CodeCorrupt, "a database")
		}
		return errors.New("malformed\x1b[31m\xff")
	}}
	r, err := read(t, tarOf(t, entries...), pratique.Layer{}, layer.Limits{}, a)
	ps := problems(r)
	if err != nil || len(ps) != 101 || ps[0].Path != "f149" || !ps[0].Partial || ps[100].Partial || !strings.HasPrefix(ps[100].Message, "50 more") {
		t.Errorf("%v: %d problems, first %+v, last %+v", err, len(ps), ps[0], ps[len(ps)-1])
	}
	if ps[1].Message != "malformed [31m " {
		t.Errorf("message %q", ps[1].Message)
	}
}

func TestReadFolder(t *testing.T) {
	outside, dir, scratch := t.TempDir(), t.TempDir(), t.TempDir()
	write := func(name, body string) {
		t.Helper()
		os.MkdirAll(filepath.Dir(name), 0o755)
		if err := os.WriteFile(name, []byte(body), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	link := func(target, name string) {
		t.Helper()
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(outside, "secret"), "outside")
	write(filepath.Join(dir, "etc/passwd"), "inside")
	write(filepath.Join(dir, "bang!/x"), "odd")
	write(filepath.Join(dir, "big"), strings.Repeat("x", 5000))
	link(filepath.Join(outside, "secret"), "out")
	link(outside, "outdir")
	link("../../../../../../../../etc/hostname", "up")
	link("loop2", "loop1")
	link("loop1", "loop2")
	link(".", "self")
	if err := syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o644); err != nil {
		t.Fatal(err)
	}
	p := layer.NewPass([]analyze.Analyzer{reader{}}, layer.Limits{Buffer: 1000}, scratch)
	defer p.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		r, err := p.ReadFolder(t.Context(), dir, nil)
		if err != nil {
			t.Error(err)
		}
		if got, want := digests(r), contents(map[string]string{"etc/passwd": "inside", "bang%21/x": "odd", "big": strings.Repeat("x", 5000)}); !reflect.DeepEqual(got, want) {
			t.Errorf("files %v, want %v", got, want)
		}
		if n := len(r.Facts[1].Releases); n != 6 {
			t.Errorf("%d symbolic links, want 6", n)
		}
		if ps := problems(r); len(ps) > 0 {
			t.Errorf("problems %v", ps)
		}
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("it hangs: was the FIFO opened?")
	}
	left(t, scratch)
	if _, err := p.ReadFolder(t.Context(), filepath.Join(dir, "absent"), nil); code(err) != pratique.CodeNotFound {
		t.Errorf("absent folder: %v", err)
	}
	if _, err := p.ReadFolder(t.Context(), filepath.Join(dir, "big"), nil); code(err) != pratique.CodeInvalid {
		t.Errorf("a file: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.ReadFolder(ctx, dir, nil); code(err) != pratique.CodeCancelled {
		t.Errorf("cancelled: %v", err)
	}
}

// Root may read everything, so the unreadable is shown to a child without rights.
func TestReadFolderUnreadable(t *testing.T) {
	const child = "LAYER_TEST_FOLDER"
	if dir := os.Getenv(child); dir != "" {
		p := layer.NewPass([]analyze.Analyzer{reader{}}, layer.Limits{}, os.TempDir())
		r, err := p.ReadFolder(t.Context(), dir, nil)
		json.NewEncoder(os.Stdout).Encode(map[string]any{"error": err, "problems": problems(r), "files": digests(r)})
		os.Exit(0)
	}
	dir, err := os.MkdirTemp("/tmp", "layer-test-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	os.Chmod(dir, 0o755)
	os.WriteFile(filepath.Join(dir, "open"), []byte("x"), 0o644)
	os.WriteFile(filepath.Join(dir, "shut"), []byte("x"), 0o600)
	os.MkdirAll(filepath.Join(dir, "closed/inner"), 0o755)
	os.Chmod(filepath.Join(dir, "closed"), 0o700)
	self, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(dir, "layer.test")
	if err := os.WriteFile(binary, self, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, "-test.run=^TestReadFolderUnreadable$")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), child+"="+dir)
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	} else {
		os.Chmod(filepath.Join(dir, "shut"), 0)
		os.Chmod(filepath.Join(dir, "closed"), 0)
		defer os.Chmod(filepath.Join(dir, "closed"), 0o700)
	}
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var got struct {
		Error    any
		Problems []pratique.Problem
		Files    map[string]string
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got.Error != nil || got.Files["open"] == "" || got.Files["shut"] != "" {
		t.Errorf("%+v", got)
	}
	var paths []string
	for _, p := range got.Problems {
		if !p.Partial || p.Message != "cannot be read: permission denied" || p.Remedy == "" {
			t.Errorf("problem %+v", p)
		}
		paths = append(paths, p.Path)
	}
	slices.Sort(paths)
	if !reflect.DeepEqual(paths, []string{"closed", "shut"}) {
		t.Errorf("problems of %q", paths)
	}
}
