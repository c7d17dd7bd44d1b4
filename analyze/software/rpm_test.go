package software

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	rpmdb "github.com/erikvarga/go-rpmdb/pkg"
	_ "modernc.org/sqlite" // the driver that the library opens rpmdb.sqlite with

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/analyze"
)

// text is content in memory.
type text struct{ *bytes.Reader }

func content(b []byte) text                          { return text{bytes.NewReader(b)} }
func (t text) Bytes() ([]byte, bool)                 { return nil, false }
func (t text) File() *os.File                        { return nil }
func (t text) ReadAt(p []byte, o int64) (int, error) { return t.Reader.ReadAt(p, o) }

// analyzed takes one file through the analyzer, as the pass does.
func analyzed(t testing.TB, name string, body []byte) (pratique.Facts, error) {
	t.Helper()
	a, err := New()
	if err != nil {
		t.Fatal(err)
	}
	var facts pratique.Facts
	f := analyze.File{Path: name, Size: int64(len(body)), Mode: 0o755, Head: body[:min(len(body), analyze.SniffLen)]}
	if len(body) == 0 || !a.Wants(&f) {
		return facts, errNotWanted
	}
	f.Head = nil
	err = a.Analyze(t.Context(), &f, content(body), &facts)
	return facts, err
}

var errNotWanted = fmt.Errorf("nobody wants it")

var (
	rpmOnce      sync.Once
	rpmDatabases map[string][]byte // by file name
	rpmSays      []string          // what rpm says is in them
)

// makeDatabases makes an rpm database of packages that rpm builds itself.
// Debian's rpm writes SQLite only; ndb is put together from the same headers.
func makeDatabases(t *testing.T) (databases map[string][]byte, says []string) {
	t.Helper()
	rpmOnce.Do(func() { buildDatabases(t) })
	if len(rpmDatabases) != 2 {
		t.Fatal("there are no databases")
	}
	return rpmDatabases, rpmSays
}

func buildDatabases(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	run := func(name string, args ...string) string {
		t.Helper()
		cmd := exec.Command(name, args...)
		cmd.Env = append(os.Environ(), "HOME="+dir, "LC_ALL=C.UTF-8")
		out, err := cmd.Output()
		if err != nil {
			if failed, ok := err.(*exec.ExitError); ok {
				t.Fatalf("%s %v: %v\n%s", name, args, err, failed.Stderr)
			}
			t.Fatalf("%s: %v", name, err)
		}
		return string(out)
	}
	var built []string
	for i, p := range []struct{ head, files string }{
		{"Name: alpha\nVersion: 1.2\nRelease: 3%{?dist}\nEpoch: 4\nLicense: MIT AND BSD-3-Clause", "/usr/bin/alpha\n/usr/share/alpha/data"},
		{"Name: beta-devel-tools\nVersion: 2.0~rc1\nRelease: 1.module_el8+7\nModularityLabel: beta:rhel8:8020:abc:x86_64\nLicense: GPL-2.0-only", "/usr/bin/beta\n/etc/beta"},
		{"Name: gamma\nVersion: 3\nRelease: 1\nLicense: MIT", strings.Repeat("/usr/share/gamma/a-long-name-of-a-file-%d\n", 1)},
	} {
		if i == 2 { // larger than a page of any database
			p.files = ""
			for n := range 3000 {
				p.files += fmt.Sprintf("/usr/share/gamma/a-long-name-of-a-file-%d\n", n)
			}
		}
		spec := filepath.Join(dir, fmt.Sprint(i, ".spec"))
		install := ""
		var list strings.Builder
		for _, f := range strings.Fields(p.files) {
			install += fmt.Sprintf("%%{buildroot}%s\n", f)
			list.WriteString(f + "\n")
		}
		os.WriteFile(spec, []byte(p.head+"\nSummary: a test\nBuildArch: noarch\n%description\ntest\n%install\nwhile read f; do [ -d \"${f%/*}\" ] || mkdir -p \"${f%/*}\"; : >\"$f\"; done <<'E'\n"+install+"E\n%files\n"+list.String()), 0o644)
		run("rpmbuild", "-bb", "--quiet", "--define", "_topdir "+dir+"/build", "--define", "_build_id_links none", spec)
	}
	built, err := filepath.Glob(dir + "/build/RPMS/noarch/*.rpm")
	if err != nil || len(built) != 3 {
		t.Fatalf("built %v, %v", built, err)
	}
	db := filepath.Join(dir, "db")
	run("rpm", append([]string{"--define", "_db_backend sqlite", "--dbpath", db, "-i", "--justdb", "--nodeps", "--nosignature", "--noscripts", "--notriggers", "--force-debian"}, built...)...)
	out := run("rpm", "--define", "_db_backend sqlite", "--dbpath", db, "-qa", "--qf", "%{name} %|epoch?{%{epoch}:}|%{version}-%{release} %{arch} %{sourcerpm} %{license} %{modularitylabel} [%{filenames},]\n")
	sqlite, err := os.ReadFile(filepath.Join(db, "rpmdb.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	var headers [][]byte
	if _, err := readDatabase(content(sqlite), func(h []byte) { headers = append(headers, bytes.Clone(h)) }); err != nil {
		t.Fatal(err)
	}
	rpmSays = strings.Split(strings.TrimSpace(out), "\n")
	rpmDatabases = map[string][]byte{"rpmdb.sqlite": sqlite, "Packages.db": ndbOf(headers)}
}

// ndbOf writes rpm's own format: one page of slots, then the blobs.
func ndbOf(headers [][]byte) []byte {
	b := binary.LittleEndian.AppendUint32([]byte("RpmP\x00\x00\x00\x00\x01\x00\x00\x00"), 1)
	b = append(b, make([]byte, 16)...)
	var blobs []byte
	for i := range 4096/16 - 2 {
		b = append(b, "Slot"...)
		if i >= len(headers) {
			b = append(b, make([]byte, 12)...)
			continue
		}
		b = binary.LittleEndian.AppendUint32(b, uint32(i+1))
		b = binary.LittleEndian.AppendUint32(b, uint32((4096+len(blobs))/16))
		b = binary.LittleEndian.AppendUint32(b, uint32(len(headers[i])/16+3))
		blobs = binary.LittleEndian.AppendUint32(append(blobs, "BlbS"...), uint32(i+1))
		blobs = binary.LittleEndian.AppendUint32(blobs, 1)
		blobs = append(binary.LittleEndian.AppendUint32(blobs, uint32(len(headers[i]))), headers[i]...)
		blobs = append(blobs, make([]byte, 32-len(blobs)%16)...)
	}
	return append(b, blobs...)
}

func TestRpm(t *testing.T) {
	databases, says := makeDatabases(t)
	for file, b := range databases {
		facts, err := analyzed(t, "var/lib/rpm/"+file, b)
		if err != nil {
			t.Errorf("%s: %v", file, err)
		}
		var got []string
		owned := map[string][]byte{}
		for _, o := range facts.Ownership {
			owned[o.Package] = o.Files
		}
		for _, p := range facts.Packages {
			got = append(got, p.Name+" "+p.Version+" "+p.Arch+" "+p.Source.Name+"-"+p.Source.Version+".src.rpm "+strings.Join(p.Licenses, "")+" "+p.Module)
		}
		var want []string
		for _, line := range says {
			i := strings.LastIndexByte(line, ' ')
			want = append(want, strings.ReplaceAll(line[:i], "(none)", ""))
			name, _, _ := strings.Cut(line, " ")
			files := strings.Split(strings.Trim(line[i+1:], ","), ",")
			if len(owned[name]) != 8*len(files) {
				t.Errorf("%s: %s owns %d files, want %d", file, name, len(owned[name])/8, len(files))
			}
			for _, f := range files {
				if !pratique.HasHash(owned[name], pratique.PathHash(strings.TrimPrefix(f, "/"))) {
					t.Errorf("%s: %s does not own %s", file, name, f)
				}
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n%q, want\n%q", file, got, want)
		}
	}
}

// Debian's rpm reads Berkeley DB but does not write it. The library that
// osv-scalibr uses for rpm has databases of real images beside its own tests; it
// is the oracle here, and rpm is where it can be.
func TestRpmReal(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/erikvarga/go-rpmdb").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for _, name := range []string{"libuuid/Packages", "centos5-plain/Packages", "ubi8-s390x/Packages", "centos8-modularitylabel/Packages", "sle15-bci/Packages.db", "cbl-mariner-2.0/rpmdb.sqlite"} {
		db := filepath.Join(strings.TrimSpace(string(out)), "pkg/testdata", name)
		b, err := os.ReadFile(db)
		if err != nil {
			t.Fatal(err)
		}
		facts, err := analyzed(t, "var/lib/rpm/"+path.Base(name), b)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		owned := map[string]int{}
		for _, o := range facts.Ownership {
			owned[o.Package] += len(o.Files) / 8
		}
		var got, want []string
		for _, p := range facts.Packages {
			got = append(got, p.Name+" "+p.Version+" "+p.Arch+" "+p.Module)
		}
		copied := filepath.Join(t.TempDir(), path.Base(name))
		os.WriteFile(copied, b, 0o644)
		oracle, err := rpmdb.Open(copied)
		if err != nil {
			t.Fatal(err)
		}
		listed, err := oracle.ListPackages()
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range listed {
			epoch := ""
			if p.EpochNum() > 0 {
				epoch = fmt.Sprint(p.EpochNum(), ":")
			}
			if p.Name == "gpg-pubkey" {
				continue
			}
			want = append(want, p.Name+" "+epoch+p.Version+"-"+p.Release+" "+p.Arch+" "+p.Modularitylabel)
			if files, _ := p.InstalledFileNames(); len(files) > 0 && owned[p.Name] == 0 {
				t.Errorf("%s: %s owns nothing, want %d files", name, p.Name, len(files))
			}
		}
		oracle.Close()
		slices.Sort(got)
		slices.Sort(want)
		if !reflect.DeepEqual(got, want) || len(got) == 0 {
			t.Errorf("%s: %d packages, the library says %d\n%.300q\n%.300q", name, len(got), len(want), got, want)
		}
		if path.Base(name) != "Packages" {
			continue
		}
		names, err := exec.Command("rpm", "--define", "_db_backend bdb_ro", "--dbpath", filepath.Dir(copied), "-qa", "--qf", "%{name}\n").Output()
		if n := strings.Count(string(names), "\n") - strings.Count(string(names), "gpg-pubkey"); err != nil || n != len(got) {
			t.Errorf("%s: %d packages, rpm says %d (%v)", name, len(got), n, err)
		}
	}
}

// A damaged database costs what is damaged, says so, and never more than time.
func TestRpmDamaged(t *testing.T) {
	databases, _ := makeDatabases(t)
	for file, whole := range databases {
		for _, cut := range []int{1, 50, 99, 100, 4000, len(whole) / 2} {
			if _, err := analyzed(t, "var/lib/rpm/"+file, whole[:cut]); pratique.CodeOf(err) != pratique.CodeCorrupt {
				t.Errorf("%s cut to %d bytes: %v", file, cut, err)
			}
		}
		random := rand.New(rand.NewPCG(1, 2))
		start := time.Now()
		lost := 0
		for range 300 {
			b := bytes.Clone(whole)
			for range 1 + random.IntN(20) {
				at := random.IntN(len(b))
				if random.IntN(2) == 0 {
					at = random.IntN(200)
				}
				b[at] = byte(random.Uint32())
			}
			facts, err := analyzed(t, "var/lib/rpm/"+file, b)
			if len(facts.Packages) < 3 {
				lost++
				if err == nil {
					t.Errorf("%s: %d packages, and nobody says that it is damaged", file, len(facts.Packages))
				}
			}
		}
		if lost == 0 || time.Since(start) > 5*time.Second {
			t.Errorf("%s: %d of 300 lost packages in %v", file, lost, time.Since(start))
		}
	}
	for _, garbage := range []string{"x", strings.Repeat("garbage ", 1000), strings.Repeat("\x00", 9000), "SQLite format 3\x00" + strings.Repeat("\xff", 5000), "RpmP" + strings.Repeat("\x00", 8) + "\x01" + strings.Repeat("\x00", 9000)} {
		if facts, err := analyzed(t, "usr/share/rpm/Packages", []byte(garbage)); pratique.CodeOf(err) != pratique.CodeCorrupt || len(facts.Packages) > 0 {
			t.Errorf("%.20q: %v", garbage, err)
		}
	}
}

func FuzzRpm(f *testing.F) {
	f.Add([]byte("SQLite format 3\x00\x10\x00" + strings.Repeat("\x00", 4096)))
	f.Add([]byte("RpmP\x00\x00\x00\x00\x00\x00\x00\x00\x01" + strings.Repeat("Slot\x01\x00\x00\x00\x00\x01\x00\x00\x01\x00\x00\x00", 300)))
	bdb := make([]byte, 2048)
	copy(bdb[12:], "\x61\x15\x06\x00\x09\x00\x00\x00\x00\x02\x00\x00\x00\x08")
	bdb[32], bdb[512+25], bdb[512+20] = 3, bdbHashPage, 2
	copy(bdb[512+26:], "\xf0\x01\xe0\x01")
	f.Add(bdb)
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) == 0 {
			return
		}
		var facts pratique.Facts
		_ = readRpm(context.Background(), &analyze.File{Path: "var/lib/rpm/Packages"}, content(b), &facts)
	})
}

func FuzzRpmHeader(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x01\x00\x00\x00\x08\x00\x00\x03\xe8\x00\x00\x00\x06\x00\x00\x00\x00\x00\x00\x00\x01bash\x00..."))
	f.Fuzz(func(t *testing.T, b []byte) {
		var facts pratique.Facts
		if rpmRecord(b, "db", &facts) && len(facts.Packages) > 0 && facts.Packages[0].Name == "" {
			t.Error("a package without a name")
		}
	})
}

var _ io.ReaderAt = text{}
