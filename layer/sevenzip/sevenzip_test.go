package sevenzip_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/layer/sevenzip"
)

var limits = sevenzip.Limits{Header: 1 << 20, Files: 10_000, Window: 72 << 20}

// tree is a folder with files of the kinds that 7z has its own ways for.
func tree(t testing.TB) (dir string, files map[string]string) {
	t.Helper()
	random := rand.NewChaCha8([32]byte{1})
	noise := make([]byte, 100_000)
	random.Read(noise)
	program, err := os.ReadFile("/bin/sh")
	if err != nil {
		t.Fatal(err)
	}
	files = map[string]string{
		"text":            strings.Repeat("what is in here is what comes out; ", 20_000),
		"noise":           string(noise),
		"bin/program":     string(program),
		"bin/program.exe": string(program) + "another",
		"名字/Ünï 😀":        "a name of more than ASCII",
		"empty":           "",
		"one":             "1",
	}
	for i := range 200 {
		files[fmt.Sprintf("many/%d", i)] = fmt.Sprint(i)
	}
	dir = t.TempDir()
	for name, body := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(body), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(dir, "bin/program"), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir, files
}

// pack has 7z make an archive of a folder.
func pack(t testing.TB, dir string, options ...string) []byte {
	t.Helper()
	name := filepath.Join(t.TempDir(), "a.7z")
	cmd := exec.Command("7z", append(append([]string{"a", "-bd", "-y", "-snl"}, options...), name, ".")...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("7z %q: %v\n%s", options, err, out)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// unpack gives the files of an archive.
func unpack(b []byte, l sevenzip.Limits) (files map[string]string, modes map[string]fs.FileMode, err error) {
	a, err := sevenzip.Open(bytes.NewReader(b), int64(len(b)), l)
	if err != nil {
		return nil, nil, err
	}
	files, modes = map[string]string{}, map[string]fs.FileMode{}
	for i := range a.Folders {
		r, err := a.Folders[i].Open()
		if err != nil {
			return files, modes, err
		}
		for _, f := range a.Folders[i].Files {
			body, err := io.ReadAll(io.LimitReader(r, f.Size))
			if err != nil {
				return files, modes, err
			}
			if int64(len(body)) != f.Size {
				return files, modes, fmt.Errorf("%s has %d bytes and not %d", f.Name, len(body), f.Size)
			}
			files[f.Name], modes[f.Name] = string(body), f.Mode
		}
	}
	return files, modes, nil
}

// What 7z packs by each of its methods is what comes out.
func TestMethods(t *testing.T) {
	dir, files := tree(t)
	delete(files, "empty")
	for _, options := range []string{
		"", "-mx=9", "-mx=1", "-mx=0", "-ms=off", "-mhc=off", "-mx=9 -ms=off", "-mf=off",
		"-m0=LZMA", "-m0=LZMA:d=64k:lc=0:lp=2:pb=0", "-m0=LZMA2:d=1m", "-m0=Deflate", "-m0=BZip2", "-m0=Copy", "-m0=LZMA:eos",
		"-m0=BCJ -m1=LZMA2", "-m0=BCJ2 -m1=LZMA -m2=LZMA -m3=LZMA -mb0s0:1 -mb0s1:2 -mb0s2:3", "-m0=Delta:4 -m1=LZMA",
		"-m0=ARM -m1=LZMA2", "-m0=ARMT -m1=LZMA2", "-m0=ARM64 -m1=LZMA2", "-m0=PPC -m1=LZMA2", "-m0=BCJ -m1=Delta:2 -m2=Deflate",
	} {
		got, modes, err := unpack(pack(t, dir, strings.Fields(options)...), limits)
		if err != nil || !maps.Equal(got, files) {
			t.Errorf("%s: %v, %d files of %d", options, err, len(got), len(files))
			for name, body := range files {
				if got[name] != body {
					t.Errorf("%s: %s has %d bytes of %d", options, name, len(got[name]), len(body))
					break
				}
			}
		}
		if modes["bin/program"] != 0o755 || modes["one"] != 0o640 {
			t.Errorf("%s: modes %v and %v", options, modes["bin/program"], modes["one"])
		}
	}
}

func TestNoFiles(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"empty", "neither"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b := pack(t, dir)
	a, err := sevenzip.Open(bytes.NewReader(b), int64(len(b)), limits)
	if err != nil || len(a.Folders) != 0 || a.Empty != 2 {
		t.Errorf("%v, %+v", err, a)
	}
	b = append([]byte(sevenzip.Magic), make([]byte, 26)...) // as 7z writes an archive of nothing
	if a, err := sevenzip.Open(bytes.NewReader(b), int64(len(b)), limits); err != nil || len(a.Folders) != 0 {
		t.Errorf("%v, %+v", err, a)
	}
}

// Whatever kind of file an archive says that it is: what has content is a file.
func TestKinds(t *testing.T) {
	dir := t.TempDir()
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if files, modes, err := unpack(pack(t, dir), limits); err != nil || files["link"] != "/etc/passwd" || !modes["link"].IsRegular() {
		t.Errorf("%v, %q, %v", err, files, modes)
	}
	name := filepath.Join(dir, "piped.7z")
	cmd := exec.Command("7z", "a", "-sipiped", name)
	cmd.Stdin = strings.NewReader("by a pipe")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if files, modes, err := unpack(b, limits); err != nil || files["piped"] != "by a pipe" || !modes["piped"].IsRegular() {
		t.Errorf("%v, %q, %v", err, files, modes)
	}
}

func TestWhatIsNotOpened(t *testing.T) {
	dir, _ := tree(t)
	for options, want := range map[string]error{
		"-psesame":           sevenzip.ErrEncrypted,
		"-psesame -mhe=on":   sevenzip.ErrEncrypted,
		"-m0=PPMd":           sevenzip.ErrMethod,
		"-m0=Deflate64":      sevenzip.ErrMethod,
		"-m0=IA64 -m1=LZMA2": sevenzip.ErrMethod,
	} {
		if files, _, err := unpack(pack(t, dir, strings.Fields(options)...), limits); !errors.Is(err, want) || len(files) > 0 {
			t.Errorf("%s: %v, %d files", options, err, len(files))
		}
	}
}

func TestLimits(t *testing.T) {
	dir, _ := tree(t)
	b := pack(t, dir)
	for name, change := range map[string]func(*sevenzip.Limits){
		"header": func(l *sevenzip.Limits) { l.Header = 1000 },
		"files":  func(l *sevenzip.Limits) { l.Files = 100 },
		"window": func(l *sevenzip.Limits) { l.Window = 50_000 },
	} {
		l := limits
		change(&l)
		if _, _, err := unpack(b, l); pratique.CodeOf(err) != pratique.CodeLimit {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A small archive may not have a large dictionary made again and again.
func TestIdleDictionaries(t *testing.T) {
	b := lying(t)
	a, err := sevenzip.Open(bytes.NewReader(b), int64(len(b)), limits)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		if _, err = a.Folders[0].Open(); err != nil {
			if pratique.CodeOf(err) != pratique.CodeLimit || i < 10 {
				t.Errorf("the opening %d: %v", i, err)
			}
			return
		}
	}
	t.Error("a hundred dictionaries of 64 MiB were made for ten bytes each")
}

// lying is an archive whose folder has an LZMA2 stream of a few bytes within a coder
// that claims 64 MiB, of which the folder takes few.
func lying(t testing.TB) []byte {
	const claim = 64 << 20
	packed := []byte{0x01, 0x00, 0x00, 'x', 0x00} // LZMA2: one chunk of one byte, as it is
	header := slices.Concat(
		[]byte{0x01, 0x04, 0x06, 0, 1, 0x09, byte(len(packed)), 0},       // a header, streams; one packed stream
		[]byte{0x07, 0x0b, 1, 0, 2, 0x21, 0x21, 1, 28, 0x01, 0x00, 1, 0}, // one folder: LZMA2, of which Copy takes
		[]byte{0x0c}, number(claim), []byte{1, 0, 0}, // sizes of both; no more of streams
		[]byte{0x05, 1, 0x11, 5, 0, 'x', 0, 0, 0, 0, 0}, // one file
	)
	return archive(packed, header)
}

func number(n uint32) []byte {
	return binary.LittleEndian.AppendUint32([]byte{0xf0}, n)
}

func archive(packed, header []byte) []byte {
	b := []byte(sevenzip.Magic + "\x00\x04\x00\x00\x00\x00")
	b = binary.LittleEndian.AppendUint64(b, uint64(len(packed)))
	b = binary.LittleEndian.AppendUint64(b, uint64(len(header)))
	b = append(b, 0, 0, 0, 0)
	return slices.Concat(b, packed, header)
}

// However an archive is cut, it is told.
func TestCut(t *testing.T) {
	dir, _ := tree(t)
	for _, options := range []string{"-mhc=off", "-ms=off"} {
		b := pack(t, dir, options)
		for _, n := range []int{0, 5, 31, 32, 100, len(b) / 2, len(b) - 1} {
			if got, _, err := unpack(b[:n], limits); err == nil || len(got) > 0 {
				t.Errorf("%s cut to %d: %v, %d files", options, n, err, len(got))
			}
		}
	}
}

// A stream that ends before what is stated leaves what lies before its end.
func TestStreamEndsEarly(t *testing.T) {
	header := slices.Concat(
		[]byte{0x01, 0x04, 0x06, 0, 1, 0x09, 4, 0},
		[]byte{0x07, 0x0b, 1, 0, 1, 0x01, 0x00, 0x0c, 9, 0}, // one folder, copied, of nine bytes
		[]byte{0x08, 0x0d, 3, 0x09, 3, 3, 0, 0},             // three files of three bytes
		[]byte{0x05, 3, 0x11, 13, 0, 'a', 0, 0, 0, 'b', 0, 0, 0, 'c', 0, 0, 0, 0, 0},
	)
	if files, _, err := unpack(archive([]byte("onetwo")[:4], header), limits); err != io.ErrUnexpectedEOF || !reflect.DeepEqual(files, map[string]string{"a": "one"}) {
		t.Errorf("%v, %q", err, files)
	}
}

// What a header may have once costs nothing a second time.
func TestRepeatedParts(t *testing.T) {
	const n = 100
	packs := []byte{0x06, 0, n, 0x00} // streams without sizes
	streams := slices.Concat([]byte{0x04}, packs, packs, make([]byte, 1+n))
	for name, header := range map[string][]byte{
		"packed streams": slices.Concat([]byte{0x01}, streams),
		"files":          {0x01, 0x05, 1, 0x0e, 1, 0x80, 0, 0x05, 1, 0x0e, 1, 0x80, 0, 0},
	} {
		if _, _, err := unpack(archive(nil, header), limits); err == nil {
			t.Errorf("%s twice are taken", name)
		}
	}
}

// A folder of a few hundred bytes may not have a thousand inputs, and ten thousand
// folders all of them in memory.
func TestManyInputs(t *testing.T) {
	folder := []byte{32} // coders
	for range 32 {
		folder = append(folder, 0x11, 0x00, 32, 1)
	}
	for i := range 31 {
		folder = append(folder, byte(i), byte(i+1))
	}
	for i := 31; i < 32*32; i++ { // the packed ones, as numbers of up to two bytes
		if i < 0x80 {
			folder = append(folder, byte(i))
		} else {
			folder = append(folder, 0x80|byte(i>>8), byte(i))
		}
	}
	const n = 1000
	header := slices.Concat([]byte{0x01, 0x04, 0x07, 0x0b, 0x80 | n>>8, n & 0xff, 0}, bytes.Repeat(folder, n), make([]byte, 100))
	l := limits
	l.Header = int64(len(header))
	if _, _, err := unpack(archive(nil, header), l); pratique.CodeOf(err) != pratique.CodeLimit {
		t.Error(err)
	}
}

func TestCircle(t *testing.T) {
	header := slices.Concat(
		[]byte{0x01, 0x04, 0x06, 0, 1, 0x09, 1, 0},
		// Three coders, of which two are each other's input.
		[]byte{0x07, 0x0b, 1, 0, 3, 0x01, 0x00, 0x01, 0x00, 0x01, 0x00, 1, 0, 0, 1, 0x0c, 1, 1, 1, 0, 0},
		[]byte{0x05, 1, 0x11, 5, 0, 'x', 0, 0, 0, 0, 0},
	)
	if files, _, err := unpack(archive([]byte{'y'}, header), limits); err != nil || !reflect.DeepEqual(files, map[string]string{"x": "y"}) {
		t.Errorf("the one that is in no circle is the folder's: %v, %q", err, files)
	}
}

// Whatever the bytes, there is an answer, and memory is bounded.
func FuzzArchive(f *testing.F) {
	f.Add(lying(f))
	f.Add(archive(nil, []byte{0x01, 0x00}))
	dir := f.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a"), []byte("what is in here"), 0o600); err != nil {
		f.Fatal(err)
	}
	for _, options := range []string{"-mhc=off", "", "-m0=BCJ -m1=Delta:2 -m2=Deflate"} {
		f.Add(pack(f, dir, strings.Fields(options)...))
	}
	small := sevenzip.Limits{Header: 1 << 16, Files: 1000, Window: 1 << 16}
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := sevenzip.Open(bytes.NewReader(b), int64(len(b)), small)
		if err != nil {
			return
		}
		n := 0
		for i := range a.Folders {
			n += len(a.Folders[i].Files)
			if r, err := a.Folders[i].Open(); err == nil {
				io.Copy(io.Discard, io.LimitReader(r, 1<<16))
			}
			if i == 10 {
				break
			}
		}
		if n > small.Files {
			t.Errorf("%d files", n)
		}
	})
}
