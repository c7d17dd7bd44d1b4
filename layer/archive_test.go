package layer_test

import (
	"archive/tar"
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/analyze"
	"github.com/pratique/pratique/layer"
)

// nest wraps a body n times, as a zip or a tar in gzip in turn.
func nest(t testing.TB, n int, name, body string) (string, []byte) {
	inner := []byte(body)
	for i := range n {
		if i%2 == 0 {
			inner, name = zipOf(t, file(name, string(inner))), fmt.Sprintf("n%d.zip", i)
		} else {
			inner, name = gzipped(tarOf(t, file(name, string(inner)))), fmt.Sprintf("n%d.tgz", i)
		}
	}
	return name, inner
}

// piped sends a body through a tool.
func piped(t testing.TB, body, tool string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(tool, append(args, "-c")...)
	cmd.Stdin = strings.NewReader(body)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s (make deps installs it): %v", tool, err)
	}
	return out
}

// arOf writes an ar archive of names and bodies in turn.
func arOf(members ...string) []byte {
	var b bytes.Buffer
	b.WriteString("!<arch>\n")
	for i := 0; i < len(members); i += 2 {
		fmt.Fprintf(&b, "%-16s%-12d%-6d%-6d%-8o%-10d`\n%s", members[i], 0, 0, 0, 0o100644, len(members[i+1]), members[i+1])
		if b.Len()%2 == 1 {
			b.WriteByte('\n')
		}
	}
	return b.Bytes()
}

// The xz tool is the oracle: whatever it makes of a text is read back, however
// many blocks and streams it made.
func TestXZ(t *testing.T) {
	body := strings.Repeat("what is in here is what comes out ", 40_000)
	for _, args := range [][]string{{"-0"}, {"-6", "--threads=4", "--block-size=65536"}, {"--block-size=100000", "--check=crc32"}, {"--lzma2=dict=4KiB,lc=0,pb=0"}, {"--check=none"}} {
		x := piped(t, body, "xz", args...)
		r, err := read(t, tarOf(t, file("a.xz", string(x))), pratique.Layer{}, layer.Limits{}, reader{nested: true, wants: (*analyze.File).Member})
		if got := digests(r); err != nil || !reflect.DeepEqual(got, contents(map[string]string{"a.xz!/a": body})) {
			t.Errorf("xz %q: %v, %v, %+v", args, err, got, problems(r))
		}
		for _, cut := range []int{len(x) - 1, len(x) / 2, 13, 5} {
			r, err := read(t, tarOf(t, file("a.xz", string(x[:cut]))), pratique.Layer{}, layer.Limits{}, reader{nested: true, wants: (*analyze.File).Member})
			if err != nil || cut > 5 && len(problems(r)) != 1 {
				t.Errorf("xz %q cut to %d: %v, %+v", args, cut, err, problems(r))
			}
		}
	}
}

// sevenZip has 7z make an archive of files.
func sevenZip(t *testing.T, files map[string]string, options ...string) []byte {
	t.Helper()
	dir, out := t.TempDir(), filepath.Join(t.TempDir(), "a.7z")
	for name, body := range files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("7z", append(append([]string{"a", "-bd"}, options...), out, ".")...)
	cmd.Dir = dir
	if told, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("7z: %v\n%s", err, told)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestArchives(t *testing.T) {
	const evil = "the sample"
	locked := zipOf(t, file("locked", evil), file("open", evil))
	for _, signature := range []string{"PK\x03\x04", "PK\x01\x02"} { // the flag in both headers of the first member
		at := bytes.Index(locked, []byte(signature)) + 6
		if signature == "PK\x01\x02" {
			at += 2
		}
		locked[at] |= 1
	}
	broken := zipOf(t, file("broken", strings.Repeat(evil, 10)), file("whole", evil))
	broken[bytes.Index(broken, []byte("broken"))+8] ^= 0xff
	unknown := zipOf(t, file("odd", evil), file("whole", evil))
	for _, signature := range []string{"PK\x03\x04", "PK\x01\x02"} { // a method that nobody knows
		at := bytes.Index(unknown, []byte(signature)) + 8
		if signature == "PK\x01\x02" {
			at += 2
		}
		unknown[at] = 77
	}
	deepName, deep := nest(t, 8, "evil", evil)
	_, six := nest(t, 6, "evil", evil)
	for _, c := range []struct {
		name     string
		body     []byte
		want     []string // members with their content
		problems string   // code, and ! for partial
	}{
		{"a.zip", zipOf(t, file("x/evil", evil), file("empty", ""), file("../../up", evil)), []string{"a.zip!/x/evil", "a.zip!/up"}, ""},
		{"a.tar", tarOf(t, file("evil", evil), symlink("l", "evil"), hardlink("h", "evil")), []string{"a.tar!/evil"}, ""},
		{"a.gz", gzipped([]byte(evil)), []string{"a.gz!/a"}, ""},
		{"a.tgz", gzipped(tarOf(t, file("evil", evil))), []string{"a.tgz!/evil"}, ""},
		{"six", six, []string{"six!/n4.zip!/n3.tgz!/n2.zip!/n1.tgz!/n0.zip!/evil"}, ""},
		{"too deep, and another beside", zipOf(t, file(deepName, string(deep)), file("evil", evil)), []string{"too deep, and another beside!/evil"}, "limit!"},
		{"locked.zip", locked, []string{"locked.zip!/open"}, "unsupported"},
		{"broken.zip", broken, []string{"broken.zip!/whole"}, "corrupt"},
		{"method.zip", unknown, []string{"method.zip!/whole"}, "corrupt"},
		{"no.zip", []byte("PK\x03\x04 is all that there is"), nil, "corrupt"},
		{"cut.tgz", gzipped(tarOf(t, file("evil", evil), file("b", strings.Repeat("x", 9000))))[:90], nil, "corrupt"},
		{"a.xz", piped(t, evil, "xz"), []string{"a.xz!/a"}, ""},
		{"a.tar.xz", piped(t, string(tarOf(t, file("evil", evil))), "xz", "-9"), []string{"a.tar.xz!/evil"}, ""},
		{"streams.xz", slices.Concat(piped(t, "the ", "xz", "--check=sha256"), make([]byte, 8), piped(t, "sample", "xz", "--check=none")), []string{"streams.xz!/streams"}, ""},
		{"bcj.xz", piped(t, evil, "xz", "--delta=dist=2", "--x86", "--lzma2"), []string{"bcj.xz!/bcj"}, ""},
		{"ia64.xz", piped(t, evil, "xz", "--ia64", "--lzma2"), nil, "corrupt"},
		{"huge.xz", piped(t, evil, "xz", "--lzma2=dict=512MiB"), nil, "limit!"},
		{"a.bz2", piped(t, evil, "bzip2"), []string{"a.bz2!/a"}, ""},
		{"a.zst", zstandard(t, []byte(evil)), []string{"a.zst!/a"}, ""},
		{"a.tar.zst", zstandard(t, tarOf(t, file("evil", evil))), []string{"a.tar.zst!/evil"}, ""},
		{"a.deb", arOf("debian-binary", "2.0\n", "data.tar.xz", string(piped(t, string(tarOf(t, file("./usr/evil", evil))), "xz"))),
			[]string{"a.deb!/data.tar.xz!/usr/evil"}, ""},
		{"cut.deb", arOf("debian-binary", "2.0\n", "data.tar", string(tarOf(t, file("evil", evil))))[:700], []string{"cut.deb!/data.tar!/evil"}, "corrupt"},
		{"library.a", arOf("x.o", evil), nil, ""},
		{"a.7z", sevenZip(t, map[string]string{"x/evil": evil, "empty": "", "z.zip": string(zipOf(t, file("deep", evil)))}), []string{"a.7z!/x/evil", "a.7z!/z.zip!/deep"}, ""},
		{"no.7z", []byte("7z\xbc\xaf\x27\x1c and more, but not of what an archive is"), nil, "corrupt"},
		{"locked.7z", sevenZip(t, map[string]string{"evil": evil}, "-psesame"), nil, "unsupported"},
		{"method.7z", sevenZip(t, map[string]string{"evil": evil}, "-m0=PPMd"), nil, "unsupported"},
		{"a.rar", []byte("Rar!\x1a\x07\x01\x00 and more"), nil, "unsupported"},
		{"inner.zip", zipOf(t, file("bad.zip", "PK\x03\x04 no"), file("evil", evil)), []string{"inner.zip!/evil"}, "corrupt"},
	} {
		a := reader{nested: true, wants: func(f *analyze.File) bool {
			return f.Member() && string(f.Head) == evil
		}}
		r, err := read(t, tarOf(t, file(c.name, string(c.body))), pratique.Layer{}, layer.Limits{}, a)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		want := map[string]string{}
		for _, path := range c.want {
			want[path] = evil
		}
		if got := digests(r); !reflect.DeepEqual(got, contents(want)) {
			t.Errorf("%s: %q, want %q", c.name, slices.Sorted(maps.Keys(got)), c.want)
		}
		var told []string
		for _, p := range problems(r) {
			s := string(p.Code)
			if p.Partial {
				s += "!"
			}
			if told = append(told, s); p.Analyzer != "archive" || !strings.HasPrefix(p.Path, c.name) {
				t.Errorf("%s: problem %+v", c.name, p)
			}
		}
		if got := strings.Join(told, " "); got != c.problems {
			t.Errorf("%s: problems %q, want %q", c.name, got, c.problems)
		}
	}
}

// A member that is large is spilled like a file, and removed again.
func TestLargeMember(t *testing.T) {
	body := strings.Repeat("0123456789", 300_000)
	r, err := read(t, tarOf(t, file("a.zip", string(zipOf(t, file("big", body))))), pratique.Layer{}, layer.Limits{}, reader{nested: true, wants: (*analyze.File).Member})
	if got := digests(r); err != nil || !reflect.DeepEqual(got, contents(map[string]string{"a.zip!/big": body})) {
		t.Errorf("%v, %v", err, got)
	}
}

func TestArchiveBombs(t *testing.T) {
	zeros := make([]byte, 80<<20)
	var many bytes.Buffer
	w := tar.NewWriter(&many)
	for i := range 200_001 {
		w.WriteHeader(&tar.Header{Name: fmt.Sprint(i), Typeflag: tar.TypeReg})
	}
	w.Close()
	for name, body := range map[string][]byte{
		"zip of zeros":      zipOf(t, file("z", string(zeros))),
		"gzip of zeros":     gzipped(zeros),
		"zstd of zeros":     zstandard(t, zeros),
		"7z of zeros":       sevenZip(t, map[string]string{"z": string(zeros)}),
		"idle xz":           bytes.Repeat(piped(t, "x", "xz", "--lzma2=dict=64MiB"), 100),
		"zip of zip":        zipOf(t, file("z.zip", string(zipOf(t, file("z", string(zeros)))))),
		"tar of many files": gzipped(many.Bytes()),
	} {
		start := time.Now()
		r, err := read(t, gzipped(tarOf(t, file("bomb", string(body)), file("other.zip", string(zipOf(t, file("x", "y")))))), pratique.Layer{}, layer.Limits{}, reader{nested: true, wants: (*analyze.File).Member})
		ps := problems(r)
		if err != nil || len(ps) != 1 || ps[0].Code != pratique.CodeLimit || !ps[0].Partial || ps[0].Path != "bomb" {
			t.Errorf("%s: %v, problems %+v", name, err, ps)
		}
		if digests(r)["other.zip!/x"] == "" {
			t.Errorf("%s: the archive beside it is lost", name)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%s: it took %v", name, took)
		}
	}
}

// Whatever bytes come as a layer, there is an answer: no panic, no hang, no
// facts that claim to be verified after an error, no path that leads out.
func FuzzRead(f *testing.F) {
	plain := tarOf(f, file("a/b", "x"), hardlink("l", "a/b"), symlink("s", "a"), file("a/.wh.c", ""), file("x.zip", string(zipOf(f, file("../m", "y")))))
	f.Add(plain)
	f.Add(gzipped(plain))
	f.Add(zstandard(f, plain))
	f.Add([]byte("\x1f\x8b\x08\x00"))
	f.Add(tarOf(f, file("a.xz", string(piped(f, "x", "xz"))), file("a.bz2", string(piped(f, "x", "bzip2"))), file("a.zst", string(zstandard(f, []byte("x")))),
		file("a.deb", string(arOf("debian-binary", "2.0\n", "data.tar", string(tarOf(f, file("a", "x"))))))))
	p := layer.NewPass([]analyze.Analyzer{reader{nested: true}, reader{wants: named("l")}}, layer.Limits{Inflated: 8 << 20, RatioFrom: 1 << 20, Entries: 1000, Memory: 1 << 20, File: 1 << 20}, f.TempDir())
	f.Cleanup(p.Close)
	f.Fuzz(func(t *testing.T, blob []byte) {
		r, err := p.Read(t.Context(), source(blob), pratique.Layer{}, nil)
		for _, facts := range r.Facts {
			if facts.Verified != (err == nil) {
				t.Errorf("%v, verified %v", err, facts.Verified)
			}
			for _, file := range facts.Files {
				if strings.HasPrefix(file.Path, "/") || strings.HasPrefix(file.Path, "../") || strings.Contains(file.Path, "/../") {
					t.Errorf("path %q", file.Path)
				}
			}
		}
	})
}

func FuzzArchive(f *testing.F) {
	f.Add(zipOf(f, file("a", "x"), file("b.zip", string(zipOf(f, file("c", "y"))))))
	f.Add(gzipped(tarOf(f, file("a", "x"))))
	f.Add(gzipped([]byte("x")))
	p := layer.NewPass([]analyze.Analyzer{reader{nested: true}}, layer.Limits{}, f.TempDir())
	f.Cleanup(p.Close)
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := p.Read(t.Context(), source(tarOf(t, file("archive", string(body)), file("last", "x"))), pratique.Layer{}, nil)
		if err != nil || digests(r)["last"] == "" {
			t.Errorf("%v, %v", err, digests(r))
		}
	})
}
