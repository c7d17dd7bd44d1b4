package e2e

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/internal/testimage"
)

// maxRSS is what no input may make the scanner exceed, in bytes.
const maxRSS = 512 << 20

// attack is an image with an honest layer (openssl in dpkg's database) below one
// that somebody made with bad intent.
type attack struct {
	layer   func(t *testing.T, dir string) testimage.Layer
	timeout time.Duration
	exits   []int // which exit codes are right
	// hidden is set where the attack replaces the database that openssl is in.
	hidden bool
}

var (
	incomplete = []int{3}
	// Where nothing is lost, a report without a hole is right as well.
	harmless = []int{0, 3}
)

func TestHostileLayers(t *testing.T) {
	for name, a := range map[string]attack{
		"layer that ends too early": {layer: cutLayer, exits: incomplete},
		"layer of noise": {layer: raw(func(w io.Writer) error {
			_, err := io.WriteString(w, strings.Repeat("this is no archive ", 1000))
			return err
		}), exits: incomplete},
		"gzip bomb of a terabyte":     {layer: bomb, exits: incomplete, timeout: 2 * time.Minute},
		"ten million entries":         {layer: tenMillion, exits: incomplete, timeout: 3 * time.Minute},
		"names that lead out":         {layer: content(testimage.Entries(escapes()...)), exits: incomplete},
		"links in circles":            {layer: content(testimage.Files(circles())), exits: harmless, hidden: true},
		"links that lead out":         {layer: content(testimage.Files(outwards())), exits: harmless, hidden: true},
		"one file of two gigabytes":   {layer: plain(testimage.Entries(tar.Header{Name: "var/big.jar", Typeflag: tar.TypeReg, Mode: 0o644, Size: 2 << 30})), exits: harmless, timeout: 2 * time.Minute},
		"the same, compressed":        {layer: content(testimage.Entries(tar.Header{Name: "var/big", Typeflag: tar.TypeReg, Mode: 0o644, Size: 2 << 30})), exits: incomplete, timeout: 2 * time.Minute},
		"a size that is a lie":        {layer: liar, exits: incomplete},
		"pipes and devices":           {layer: content(testimage.Entries(pipes()...)), exits: harmless, hidden: true},
		"names of 60 kilobytes":       {layer: content(testimage.Entries(tar.Header{Name: strings.Repeat("a/", 30_000) + "x", Typeflag: tar.TypeReg, Format: tar.FormatPAX})), exits: incomplete},
		"dpkg status of noise":        {layer: file("var/lib/dpkg/status", "\x00\x01\x02Package\xff\xfe: : :\nVersion\n \n\n"), exits: incomplete, hidden: true},
		"dpkg status without version": {layer: file("var/lib/dpkg/status", "Package: a\nStatus: install ok installed\n\nPackage: b\nStatus: install ok inst"), exits: incomplete, hidden: true},
		"rpm database of noise":       {layer: file("var/lib/rpm/Packages", strings.Repeat("noise", 4000)), exits: incomplete},
		"rpm database cut (sqlite)":   {layer: file("usr/lib/sysimage/rpm/rpmdb.sqlite", "SQLite format 3\x00"+strings.Repeat("\xff", 8000)), exits: incomplete},
		"rpm database of noise (ndb)": {layer: file("usr/lib/sysimage/rpm/Packages.db", "RpmP"+strings.Repeat("\xff", 8000)), exits: incomplete},
		"jar that explodes":           {layer: jarBomb, exits: incomplete, timeout: 2 * time.Minute},
		"jars in jars in jars":        {layer: nestedJars, exits: harmless},
		"jar without a directory":     {layer: file("srv/app.jar", "PK\x03\x04"+strings.Repeat("\x00", 500)), exits: harmless},
		"a million whiteouts":         {layer: whiteouts, exits: harmless, timeout: 2 * time.Minute},
		"manifest of deep JSON":       {layer: file("srv/node_modules/a/package.json", strings.Repeat("[", 1<<20)), exits: harmless},
		"os-release without an end":   {layer: file("etc/os-release", "ID="+strings.Repeat("x", 10<<20)), exits: harmless},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			base, err := testimage.WriteLayer(dir, testimage.Gzip, "honest", testimage.Files(smallDebian()))
			if err != nil {
				t.Fatal(err)
			}
			img := testimage.Image{Layers: []testimage.Layer{base, a.layer(t, dir)}}
			layout := filepath.Join(dir, "layout")
			if err := img.WriteLayout(layout); err != nil {
				t.Fatal(err)
			}
			r, out := scan(t, invocation{timeout: a.timeout}, layout)
			wantExit(t, out, a.exits)
			if out.exit == 3 {
				wantHole(t, r)
			}
			if !a.hidden && !hasOpenSSL(r) {
				t.Error("the honest layer's package was lost")
			}
		})
	}
}

func wantExit(t *testing.T, out outcome, exits []int) {
	t.Helper()
	right := false
	for _, e := range exits {
		right = right || e == out.exit
	}
	if !right {
		t.Errorf("exit %d, want one of %v\nstderr: %s", out.exit, exits, tail(out.stderr))
	}
	if lines := strings.Count(out.stderr, "\n"); out.exit != 0 && lines != 1 {
		t.Errorf("%d lines on stderr, want one: %s", lines, tail(out.stderr))
	}
	if out.maxRSS > maxRSS {
		t.Errorf("took %d MiB", out.maxRSS>>20)
	}
}

func content(c testimage.Content) func(*testing.T, string) testimage.Layer {
	return stored(testimage.Gzip, c)
}

func plain(c testimage.Content) func(*testing.T, string) testimage.Layer {
	return stored(testimage.Plain, c)
}

func stored(how testimage.Compression, c testimage.Content) func(*testing.T, string) testimage.Layer {
	return func(t *testing.T, dir string) testimage.Layer {
		l, err := testimage.WriteLayer(dir, how, "attack", c)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
}

func file(name, body string) func(*testing.T, string) testimage.Layer {
	return content(testimage.Files(map[string]string{name: body}))
}

// raw stores bytes as they are, and calls them a gzip layer.
func raw(write func(io.Writer) error) func(*testing.T, string) testimage.Layer {
	return func(t *testing.T, dir string) testimage.Layer {
		l, err := testimage.WriteRawLayer(dir, testimage.Plain, "attack", write)
		if err != nil {
			t.Fatal(err)
		}
		l.MediaType = testimage.Gzip.MediaType()
		return l
	}
}

// cutLayer is a gzip of which the second half is missing, under its right digest.
func cutLayer(t *testing.T, dir string) testimage.Layer {
	whole := content(testimage.Files(map[string]string{"opt/x": strings.Repeat("some text, and more of it. ", 100_000)}))(t, dir)
	b, err := os.ReadFile(whole.Blob)
	if err != nil {
		t.Fatal(err)
	}
	l := raw(func(w io.Writer) error { _, err := w.Write(b[:len(b)/2]); return err })(t, dir)
	l.DiffID = whole.DiffID
	return l
}

// members repeats one gzip member, which inflates to the same bytes each time:
// a stream of any size costs next to nothing to make. The diffID is made up,
// because nobody could compute it in a test's time.
func members(t *testing.T, dir string, head, repeated []byte, times int) testimage.Layer {
	t.Helper()
	pack := func(b []byte) []byte {
		var out bytes.Buffer
		z := gzip.NewWriter(&out)
		if _, err := z.Write(b); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	packed := pack(repeated)
	l := raw(func(w io.Writer) error {
		if len(head) > 0 {
			if _, err := w.Write(pack(head)); err != nil {
				return err
			}
		}
		for range times {
			if _, err := w.Write(packed); err != nil {
				return err
			}
		}
		return nil
	})(t, dir)
	l.DiffID = pratique.DigestOf([]byte("made up"))
	return l
}

func header(h tar.Header) []byte {
	var b bytes.Buffer
	if err := tar.NewWriter(&b).WriteHeader(&h); err != nil {
		panic(err) // a header of this file
	}
	return b.Bytes()
}

func bomb(t *testing.T, dir string) testimage.Layer {
	head := header(tar.Header{Name: "opt/bomb", Typeflag: tar.TypeReg, Mode: 0o644, Size: 1 << 40, Format: tar.FormatGNU})
	return members(t, dir, head, make([]byte, 64<<20), 1<<14)
}

func tenMillion(t *testing.T, dir string) testimage.Layer {
	var entries bytes.Buffer
	for i := range 100_000 {
		entries.Write(header(tar.Header{Name: fmt.Sprintf("opt/many/%d/%x", i%100, i*2654435761), Typeflag: tar.TypeReg, Mode: 0o644, Format: tar.FormatGNU}))
	}
	return members(t, dir, nil, entries.Bytes(), 100)
}

func escapes() []tar.Header {
	var all []tar.Header
	for _, name := range []string{"../../etc/pratique-was-here", "/../../tmp/pratique-was-here", "a/../../../../tmp/pratique-was-here", "..", "./../x"} {
		all = append(all, tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644, Size: 5})
	}
	return append(all,
		tar.Header{Name: "opt/out", Typeflag: tar.TypeSymlink, Linkname: "../../../../tmp"},
		tar.Header{Name: "opt/out/pratique-was-here", Typeflag: tar.TypeReg, Mode: 0o644, Size: 5},
		tar.Header{Name: "opt/hard", Typeflag: tar.TypeLink, Linkname: "../../../../etc/passwd"})
}

func circles() map[string]string {
	return map[string]string{
		"etc/os-release": "-> ../usr/lib/os-release", "usr/lib/os-release": "-> ../../etc/os-release",
		"var/lib/dpkg/status": "-> status", "loop/a": "-> b", "loop/b": "-> a", "loop/up": "-> ../loop",
		"srv/node_modules/a": "-> ../node_modules",
	}
}

func outwards() map[string]string {
	return map[string]string{
		"etc/os-release": "-> ../../../../../../etc/os-release", "var/lib/dpkg/status": "-> /var/lib/dpkg/status",
		"usr/lib/os-release": "-> /proc/self/environ",
	}
}

func pipes() []tar.Header {
	return []tar.Header{
		{Name: "var/lib/dpkg/status", Typeflag: tar.TypeFifo, Mode: 0o644},
		{Name: "etc/os-release", Typeflag: tar.TypeFifo, Mode: 0o644},
		{Name: "dev/sda", Typeflag: tar.TypeBlock, Mode: 0o644, Devmajor: 8},
		{Name: "dev/zero.jar", Typeflag: tar.TypeChar, Mode: 0o644, Devmajor: 1, Devminor: 5},
	}
}

// liar announces a file that is larger than the layer.
func liar(t *testing.T, dir string) testimage.Layer {
	return raw(func(w io.Writer) error {
		z := gzip.NewWriter(w)
		if _, err := z.Write(header(tar.Header{Name: "var/lib/rpm/Packages", Typeflag: tar.TypeReg, Mode: 0o644, Size: 1 << 38, Format: tar.FormatGNU})); err != nil {
			return err
		}
		return z.Close()
	})(t, dir)
}

func zipFile(t *testing.T, members map[string][]byte) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, body := range members {
		f, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(body); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// jarBomb holds jars that inflate to a gigabyte each, all of them wanted.
func jarBomb(t *testing.T, dir string) testimage.Layer {
	inner := []byte(zipFile(t, map[string][]byte{"META-INF/maven/a/b/pom.properties": make([]byte, 256<<20)}))
	many := map[string][]byte{}
	for i := range 64 {
		many[fmt.Sprintf("WEB-INF/lib/%d.jar", i)] = inner
	}
	many["WEB-INF/lib/zeros.jar"] = append([]byte("PK\x03\x04"), make([]byte, 512<<20)...)
	return file("srv/bomb.war", zipFile(t, many))(t, dir)
}

func nestedJars(t *testing.T, dir string) testimage.Layer {
	jar := zipFile(t, map[string][]byte{"META-INF/maven/a/b/pom.properties": []byte("groupId=a\nartifactId=b\nversion=1\n")})
	for range 200 {
		jar = zipFile(t, map[string][]byte{"lib/inner.jar": []byte(jar)})
	}
	return file("srv/deep.jar", jar)(t, dir)
}

func whiteouts(t *testing.T, dir string) testimage.Layer {
	return content(func(tw *tar.Writer) error {
		for i := range 300_000 {
			if err := testimage.Whiteouts(fmt.Sprintf("opt/%d/%d", i%1000, i))(tw); err != nil {
				return err
			}
		}
		return nil
	})(t, dir)
}

// Whole targets, rather than layers, that are not what they should be.
func TestHostileTargets(t *testing.T) {
	small := smallImage(t)
	saved := func(t *testing.T, write func(testimage.Image, io.Writer) error, cut float64) string {
		var img testimage.Image
		dir := t.TempDir()
		l, err := testimage.WriteLayer(dir, testimage.Plain, "base", testimage.Files(smallDebian()))
		if err != nil {
			t.Fatal(err)
		}
		big, err := testimage.WriteLayer(dir, testimage.Plain, "big", testimage.Files(map[string]string{"opt/x": strings.Repeat("x", 1<<20)}))
		if err != nil {
			t.Fatal(err)
		}
		img.Layers = []testimage.Layer{l, big}
		var b bytes.Buffer
		if err := write(img, &b); err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(dir, "image.tar")
		writeFile(t, name, b.Bytes()[:int(float64(b.Len())*cut)])
		return name
	}
	layoutWith := func(t *testing.T, change func(dir string)) string {
		dir := t.TempDir()
		if err := small.WriteLayout(dir); err != nil {
			t.Fatal(err)
		}
		change(dir)
		return dir
	}
	blob := func(dir string, d pratique.Digest) string { return filepath.Join(dir, "blobs/sha256", d.Hex()) }
	replace := func(t *testing.T, name string, b []byte) {
		if err := os.Remove(name); err != nil { // it is linked to the original
			t.Fatal(err)
		}
		writeFile(t, name, b)
	}
	for name, c := range map[string]struct {
		target func(*testing.T) string
		exits  []int
	}{
		"nothing there": {func(t *testing.T) string { return filepath.Join(t.TempDir(), "none.tar") }, []int{2}},
		"an empty file": {func(t *testing.T) string {
			name := filepath.Join(t.TempDir(), "empty.tar")
			writeFile(t, name, nil)
			return name
		}, []int{2}},
		"docker save, cut": {func(t *testing.T) string {
			return saved(t, testimage.Image.WriteDockerTar, 0.6)
		}, []int{2, 3}},
		"docker save of old, cut": {func(t *testing.T) string {
			return saved(t, testimage.Image.WriteOldDockerTar, 0.6)
		}, []int{2, 3}},
		"blob with other bytes": {func(t *testing.T) string {
			return layoutWith(t, func(dir string) {
				b, err := os.ReadFile(small.Layers[0].Blob)
				if err != nil {
					t.Fatal(err)
				}
				replace(t, blob(dir, small.Layers[1].Digest), b)
			})
		}, []int{2, 3}},
		"blob with one other bit": {func(t *testing.T) string {
			return layoutWith(t, func(dir string) {
				b, err := os.ReadFile(small.Layers[1].Blob)
				if err != nil {
					t.Fatal(err)
				}
				b[len(b)/2] ^= 1
				replace(t, blob(dir, small.Layers[1].Digest), b)
			})
		}, []int{3}},
		"blob missing": {func(t *testing.T) string {
			return layoutWith(t, func(dir string) { _ = os.Remove(blob(dir, small.Layers[1].Digest)) })
		}, []int{2, 3}},
		"config with other bytes": {func(t *testing.T) string {
			return layoutWith(t, func(dir string) { replace(t, blob(dir, pratique.DigestOf(small.Config())), []byte(`{"os":"linux"}`)) })
		}, []int{2}},
		"index of noise": {func(t *testing.T) string {
			return layoutWith(t, func(dir string) { writeFile(t, filepath.Join(dir, "index.json"), []byte("{{{{")) })
		}, []int{2}},
		"index that points out": {func(t *testing.T) string {
			return layoutWith(t, func(dir string) {
				writeFile(t, filepath.Join(dir, "index.json"), []byte(`{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:../../../../../../etc/passwd","size":10}]}`))
			})
		}, []int{2}},
		"index that points to itself": {func(t *testing.T) string {
			return layoutWith(t, func(dir string) {
				index := []byte(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}`)
				d := pratique.DigestOf(index)
				for range 1000 { // each names the one before
					writeFile(t, blob(dir, d), index)
					index = fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"application/vnd.oci.image.index.v1+json","digest":%q,"size":%d}]}`, d, len(index))
					d = pratique.DigestOf(index)
				}
				writeFile(t, filepath.Join(dir, "index.json"), index)
			})
		}, []int{2}},
		"a pipe that nobody writes to": {func(t *testing.T) string {
			name := filepath.Join(t.TempDir(), "pipe.tar")
			if err := syscall.Mkfifo(name, 0o600); err != nil {
				t.Fatal(err)
			}
			return name
		}, []int{2}},
		"a folder with pipes and circles": {func(t *testing.T) string {
			dir := t.TempDir()
			for name, body := range smallDebian() {
				if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
					t.Fatal(err)
				}
				writeFile(t, filepath.Join(dir, name), []byte(body))
			}
			if err := syscall.Mkfifo(filepath.Join(dir, "package.json"), 0o600); err != nil {
				t.Fatal(err)
			}
			for link, to := range map[string]string{"loop": ".", "out": "/", "a": "b", "b": "a"} {
				if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
					t.Fatal(err)
				}
			}
			return dir
		}, []int{0}},
		"an SBOM of noise": {func(t *testing.T) string {
			name := filepath.Join(t.TempDir(), "sbom.json")
			writeFile(t, name, []byte(`{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{`))
			return name
		}, []int{2}},
		"a name with a line break": {func(*testing.T) string { return "registry.test/a\nb:1" }, []int{2}},
	} {
		t.Run(name, func(t *testing.T) {
			r, out := scan(t, invocation{}, c.target(t))
			wantExit(t, out, c.exits)
			if out.exit == 3 {
				wantHole(t, r)
			}
			if out.exit != 2 && !hasOpenSSL(r) {
				t.Error("the honest layer's package was lost")
			}
		})
	}
}

func writeFile(t *testing.T, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// When the cache folder's disk is full, the scan is done all the same, and says
// that it was not kept.
func TestDiskFull(t *testing.T) {
	layout := t.TempDir()
	if err := smallImage(t).WriteLayout(layout); err != nil {
		t.Fatal(err)
	}
	for name, wrap := range fullDisks(t) {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			cache := filepath.Join(dir, "cache")
			if err := os.Mkdir(cache, 0o755); err != nil {
				t.Fatal(err)
			}
			args := append(wrap(cache), binary, "scan", layout, "--quiet", "--format", "json", "--cache", cache, "--feeds", filepath.Join(dir, "feeds"))
			cmd := exec.Command(args[0], args[1:]...)
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			_ = cmd.Run() // the exit code says it
			if code := cmd.ProcessState.ExitCode(); code != 3 && code != 2 {
				t.Errorf("exit %d, want 2 or 3", code)
			}
			if n := strings.Count(stderr.String(), "\n"); n != 1 {
				t.Errorf("%d lines on stderr: %s", n, tail(stderr.String()))
			}
			if cmd.ProcessState.ExitCode() == 3 && !strings.Contains(stdout.String(), `"openssl"`) {
				t.Error("the report has no packages, though only the cache could not be written")
			}
		})
	}
}

// fullDisks are ways to have no room in a folder. A real full file system needs
// a right to mount, which not every machine gives; a limit on file sizes works
// everywhere.
func fullDisks(t *testing.T) map[string]func(cache string) []string {
	t.Helper()
	ways := map[string]func(string) []string{
		"files may have no bytes": func(string) []string {
			return []string{"sh", "-c", `ulimit -f 0; exec "$@"`, "sh"}
		},
	}
	for _, unshare := range [][]string{{"unshare", "-m"}, {"unshare", "-U", "-r", "-m"}} {
		mount := func(cache string) []string {
			return append(unshare, "sh", "-c", `mount -t tmpfs -o size=4k tmpfs "$0" && { cat /dev/zero >"$0/ballast" 2>/dev/null; exec "$@"; }`, cache)
		}
		args := append(mount(t.TempDir()), "true")
		if exec.Command(args[0], args[1:]...).Run() == nil {
			ways["a file system without room"] = mount
			break
		}
	}
	return ways
}
