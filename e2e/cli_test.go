package e2e

import (
	"crypto/rand"
	"encoding/json"
	"flag"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/internal/testimage"
)

// listing names every file below a folder.
func listing(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			all = append(all, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestSecondScanReadsNothing(t *testing.T) {
	layout, cache := t.TempDir(), t.TempDir()
	if err := smallImage(t).WriteLayout(layout); err != nil {
		t.Fatal(err)
	}
	in := invocation{cache: cache, home: t.TempDir()}
	first := mustScan(t, in, layout)
	if first.Timing.BytesRead == 0 {
		t.Error("the first scan read no bytes")
	}
	second := mustScan(t, in, layout)
	if n := second.Timing.BytesRead; n != 0 {
		t.Errorf("the second scan read %d bytes", n)
	}
	for _, l := range second.Layers {
		if l.State != pratique.LayerCached {
			t.Errorf("layer %d is %q in the second scan", l.Index, l.State)
		}
	}
	if !hasOpenSSL(second) || len(second.Packages) != len(first.Packages) {
		t.Errorf("%d packages, then %d", len(first.Packages), len(second.Packages))
	}

	empty := t.TempDir()
	if r := mustScan(t, invocation{cache: empty}, layout, "--no-cache"); r.Timing.BytesRead == 0 {
		t.Error("--no-cache read no bytes")
	}
	if kept := listing(t, empty); len(kept) > 0 {
		t.Errorf("--no-cache kept %v", kept)
	}

	out := pratiqueRun(t, invocation{args: []string{"cache", "prune", "--all"}, cache: cache})
	if out.exit != 0 || !regexp.MustCompile(`removed [1-9]\d* files`).MatchString(out.stdout) {
		t.Errorf("cache prune: exit %d, %q %q", out.exit, out.stdout, out.stderr)
	}
	if r := mustScan(t, in, layout); r.Timing.BytesRead == 0 {
		t.Error("after cache prune --all the scan read no bytes")
	}
}

// A layer that two images share is read once.
func TestSharedLayerIsReadOnce(t *testing.T) {
	in := invocation{cache: t.TempDir(), home: t.TempDir()}
	one := smallImage(t)
	extra, err := testimage.WriteLayer(t.TempDir(), testimage.Zstd, "more", testimage.Files(map[string]string{"opt/more": "1"}))
	if err != nil {
		t.Fatal(err)
	}
	other := testimage.Image{Layers: append(one.Layers[:2:2], extra)}
	var read []int64
	for _, img := range []testimage.Image{one, other} {
		layout := t.TempDir()
		if err := img.WriteLayout(layout); err != nil {
			t.Fatal(err)
		}
		read = append(read, mustScan(t, in, layout).Timing.BytesRead)
	}
	if read[1] != extra.Size {
		t.Errorf("read %d bytes, then %d; the new layer alone has %d", read[0], read[1], extra.Size)
	}
}

// Without feeds, "no vulnerabilities" would be a lie. Each format says so.
func TestWithoutFeedsVulnerabilitiesAreUnknown(t *testing.T) {
	layout := t.TempDir()
	if err := smallImage(t).WriteLayout(layout); err != nil {
		t.Fatal(err)
	}
	r := mustScan(t, invocation{}, layout)
	if s := r.Coverage[pratique.CategoryVulnerability].State; s != pratique.CoverageUnknown {
		t.Errorf("JSON says %q", s)
	}
	if r.Verdict.Clearance == pratique.ClearanceYes {
		t.Error("an image that nobody could judge may ship")
	}
	near := regexp.MustCompile(`(?is)vulnerabilit.{0,200}unknown|unknown.{0,200}vulnerabilit`)
	for _, format := range []string{"table", "json", "cyclonedx", "spdx"} {
		out := pratiqueRun(t, invocation{args: []string{"scan", layout, "--quiet", "--format", format}})
		if out.exit != 0 {
			t.Errorf("%s: exit %d: %s", format, out.exit, out.stderr)
		}
		if !near.MatchString(out.stdout) {
			t.Errorf("%s does not say that vulnerabilities are unknown:\n%s", format, tail(out.stdout))
		}
	}
	out := pratiqueRun(t, invocation{args: []string{"scan", layout, "--quiet", "--fail-on", "critical"}})
	if out.exit != 3 {
		t.Errorf("a gate on vulnerabilities that nobody knows: exit %d, want 3", out.exit)
	}
}

func TestInterrupt(t *testing.T) {
	// A layer that takes long to come, and one that takes long to inflate.
	img := smallImage(t)
	slow := &badRegistry{img: img, blob: func(w http.ResponseWriter, r *http.Request, l testimage.Layer) bool {
		w.WriteHeader(http.StatusOK)
		for {
			select {
			case <-r.Context().Done():
				return true
			case <-time.After(50 * time.Millisecond):
				_, _ = w.Write([]byte{0x1f})
				w.(http.Flusher).Flush()
			}
		}
	}}
	block := make([]byte, 64<<20)
	if _, err := rand.Read(block); err != nil {
		t.Fatal(err)
	}
	long := t.TempDir()
	heavy := testimage.Image{Layers: []testimage.Layer{img.Layers[0], spilling(t, block)}}
	if err := heavy.WriteLayout(long); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"while a layer comes": slow.start(t), "while layers are read": long} {
		t.Run(name, func(t *testing.T) {
			tmp, cache := t.TempDir(), t.TempDir()
			var interrupted time.Time
			out := pratiqueRun(t, invocation{
				args: []string{"scan", target, "--quiet", "--format", "json"}, tmp: tmp, cache: cache,
				started: func(p *os.Process) {
					time.Sleep(700 * time.Millisecond)
					interrupted = time.Now()
					if err := p.Signal(syscall.SIGINT); err != nil {
						t.Errorf("it had ended before it could be interrupted: %v", err)
					}
				},
			})
			if took := time.Since(interrupted); took > time.Second {
				t.Errorf("stopped %s after the signal", took)
			}
			if out.exit == 0 {
				t.Error("exit 0 after an interrupt")
			}
			if left := listing(t, tmp); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
			for _, kept := range listing(t, cache) {
				if !strings.HasSuffix(kept, ".zst") {
					t.Errorf("left in the cache: %s", kept)
				}
			}
		})
	}
}

// spilling is a layer of many large files that analyzers want, so that their
// content is kept, and more than memory is meant for it.
func spilling(t *testing.T, body []byte) testimage.Layer {
	t.Helper()
	files := map[string]string{}
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		files["srv/"+name+".jar"] = "PK\x03\x04" + string(body)
	}
	return content(testimage.Files(files))(t, t.TempDir())
}

// A report goes where it is asked to, whole or not at all.
func TestOutputFile(t *testing.T) {
	layout, dir := t.TempDir(), t.TempDir()
	if err := smallImage(t).WriteLayout(layout); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "report.json")
	out := pratiqueRun(t, invocation{args: []string{"scan", layout, "--quiet", "--format", "json", "-o", name}})
	b, err := os.ReadFile(name)
	if err != nil || !json.Valid(b) || out.stdout != "" || out.stderr != "" {
		t.Errorf("exit %d, %d bytes, error %v; stdout %q, stderr %q", out.exit, len(b), err, tail(out.stdout), tail(out.stderr))
	}
	if names := listing(t, dir); len(names) != 1 {
		t.Errorf("beside the report: %v", names)
	}
	for _, args := range [][]string{
		{"scan", layout, "-o", filepath.Join(dir, "no", "such", "folder", "r.json")},
		{"scan", layout, "--format", "word"},
		{"scan", layout, "--fail-on", "tuesday"},
		{"scan", layout, "--platform", "///"},
		{"scan", layout, "--no-such-flag"},
		{"scan"},
		{"explain", layout},
		{"nonsense"},
	} {
		out := pratiqueRun(t, invocation{args: append(args, "--quiet")})
		if out.exit != 2 {
			t.Errorf("%v: exit %d, want 2", args[1:], out.exit)
		}
		if strings.Count(strings.TrimSpace(out.stderr), "\n") > 0 || out.stderr == "" {
			t.Errorf("%v: not one line: %q", args, out.stderr)
		}
	}
}

// The example shows every kind of finding, from the command line alone.
func TestExample(t *testing.T) {
	dir := t.TempDir()
	bundle, cache := filepath.Join(dir, "bundle"), filepath.Join(dir, "cache")
	run := func(want int, args ...string) string {
		t.Helper()
		out := pratiqueRun(t, invocation{args: args, feeds: bundle, cache: cache})
		if out.exit != want {
			t.Fatalf("pratique %v: exit %d, want %d\n%s%s", args, out.exit, want, tail(out.stdout), tail(out.stderr))
		}
		return out.stdout
	}
	run(0, "example", dir)
	run(0, "feed", "import", filepath.Join(dir, "feeds"))
	status := run(0, "feed", "status")
	for _, source := range []string{"osv/Debian", "osv/npm", "epss", "kev", "hashes/example"} {
		if !strings.Contains(status, source) {
			t.Errorf("feed status does not name %s:\n%s", source, status)
		}
	}

	image := filepath.Join(dir, "image")
	r := mustScan(t, invocation{feeds: bundle, cache: cache}, image)
	wantFinding := map[string]string{ // CVE: fixed version
		"CVE-2021-44228": "2.15.0", "CVE-2023-0286": "3.0.8-1", "CVE-2023-4911": "2.36-9+deb12u3", "CVE-2021-3807": "5.0.1",
		"CVE-2020-14343": "5.4", "CVE-2022-37434": "1:1.2.11.dfsg-4.1", "CVE-2023-45853": "",
	}
	byID := map[string]pratique.Finding{}
	for _, f := range r.Vulnerabilities {
		byID[f.ID] = f
	}
	for id, fixed := range wantFinding {
		f, ok := byID[id]
		if !ok {
			t.Errorf("%s is not found", id)
			continue
		}
		if f.FixedVersion != fixed || len(f.Proof) == 0 || f.Proof[0].Decision == "" {
			t.Errorf("%s: fixed in %q, want %q; proof %+v", id, f.FixedVersion, fixed, f.Proof)
		}
	}
	if f := byID["CVE-2021-44228"]; f.KEV == nil || f.EPSS == nil || f.Package.Path != "srv/shop.war!/WEB-INF/lib/log4j-core-2.14.1.jar" {
		t.Errorf("Log4Shell: KEV %v, EPSS %v, in %s", f.KEV, f.EPSS, f.Package.Path)
	}
	if f := byID["CVE-2019-1010022"]; !f.Unimportant {
		t.Error("what Debian calls unimportant counts")
	}
	malware := map[string]bool{}
	for _, m := range r.Malware {
		malware[m.Path] = true
	}
	for _, p := range []string{"srv/upload/readme.com", "srv/upload/invoice.zip!/invoice.com", "opt/tools/updater.sh"} {
		if !malware[p] {
			t.Errorf("malware in %s is not found: %v", p, malware)
		}
	}
	deleted, environment := false, false
	for _, s := range r.Secrets {
		deleted = deleted || s.Path == "srv/config/deploy.env" && s.Origin != nil && s.Origin.DeletedBy != nil
		environment = environment || s.Source == "env"
	}
	if !deleted || !environment {
		t.Errorf("the deleted credential is found: %v, the one in the environment: %v", deleted, environment)
	}

	run(1, "scan", image, "--quiet", "--fail-on", "critical")
	run(1, "scan", image, "--quiet", "--fail-on", "kev")
	explained := run(0, "explain", image, "CVE-2021-44228", "--quiet")
	for _, part := range []string{"2.14.1", "2.15.0", "srv/shop.war!/WEB-INF/lib/log4j-core-2.14.1.jar", "PRATIQUE-EXAMPLE-2026-0001", "COPY shop.war upload /srv/"} {
		if !strings.Contains(explained, part) {
			t.Errorf("the explanation lacks %q:\n%s", part, explained)
		}
	}
}

var update = flag.Bool("update", false, "write the real output into README.md")

// The README shows what the program says today.
func TestREADME(t *testing.T) {
	b, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	readme := string(b)

	// Each command that it names exists, with those flags.
	commands := regexp.MustCompile("(?m)^    (?:bin/)?(pratique [^#\n]*)").FindAllStringSubmatch(readme, -1)
	if len(commands) < 5 {
		t.Errorf("README names %d commands only", len(commands))
	}
	for _, c := range commands {
		words := strings.Fields(strings.TrimSpace(c[1]))[1:]
		help := pratiqueRun(t, invocation{args: append(subcommand(words), "--help")})
		if help.exit != 0 {
			t.Errorf("%q: exit %d\n%s", c[1], help.exit, help.stderr)
		}
		for _, w := range words {
			if name, _, _ := strings.Cut(w, "="); strings.HasPrefix(name, "-") && !strings.Contains(help.stdout, name) {
				t.Errorf("%q: there is no %s", c[1], name)
			}
		}
	}
	for _, target := range regexp.MustCompile("(?m)^    make ([a-z]+)").FindAllStringSubmatch(readme, -1) {
		tool(t, "make", "-C", "..", "-n", target[1])
	}

	for _, link := range regexp.MustCompile(`\]\(([^):]+)\)`).FindAllStringSubmatch(readme, -1) {
		if _, err := os.Stat(filepath.Join("..", link[1])); err != nil {
			t.Errorf("README links to %s, which is not there", link[1])
		}
	}

	// The shown scan is what the example gives.
	dir := t.TempDir()
	for _, args := range [][]string{{"example", dir}, {"feed", "import", filepath.Join(dir, "feeds"), "--feeds", filepath.Join(dir, "bundle")}} {
		if out := pratiqueRun(t, invocation{args: args}); out.exit != 0 {
			t.Fatal(out.stderr)
		}
	}
	out := pratiqueRun(t, invocation{args: []string{"scan", filepath.Join(dir, "image"), "--quiet", "--feeds", filepath.Join(dir, "bundle")}})
	const begin, end = "<!-- output of make example -->\n```text\n", "\n```"
	before, rest, found := strings.Cut(readme, begin)
	shown, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("README.md has no block that begins with %q", begin)
	}
	// What depends on the day and the place is not compared.
	steady := func(s string) string {
		s = strings.ReplaceAll(s, dir, ".cache/example")
		s = regexp.MustCompile(`\d{4}-\d\d-\d\d`).ReplaceAllString(s, "DATE")
		s = regexp.MustCompile(`bundle [0-9a-f]{12}`).ReplaceAllString(s, "bundle DIGEST")
		return strings.TrimSpace(s)
	}
	if steady(shown) == steady(out.stdout) {
		return
	}
	if *update {
		write(t, "../README.md", before+begin+strings.TrimSpace(strings.ReplaceAll(out.stdout, dir, ".cache/example"))+end+after)
		return
	}
	t.Errorf("README.md shows something else than the program prints: go test ./e2e -run README -update\n%s", out.stdout)
}

// subcommand are the words before the first argument.
func subcommand(words []string) []string {
	switch words[0] {
	case "feed", "cache":
		return words[:min(2, len(words))]
	}
	return words[:1]
}
