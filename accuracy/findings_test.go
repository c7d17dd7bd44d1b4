//go:build accuracy

package accuracy

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pratique/pratique"
)

// A claim is that a version of a package has a vulnerability.
type claim struct{ kind, name, version, id string }

func (c claim) String() string { return c.kind + " " + c.name + " " + c.version + " " + c.id }

// allowed is the share of claims that may differ without a reason.
const allowed = 0.01

const unexplained = "no reason known"

// server is what the Debian image has beside the essential packages: daemons,
// interpreters and media libraries, which have most of the advisories.
const server = "apache2,nginx,postgresql,php,libapache2-mod-php,python3,python3-requests,perl,openssh-server,curl,git," +
	"mariadb-server,redis-server,imagemagick,ffmpeg,vim,rsync,bind9,exim4-daemon-light,ca-certificates,build-essential"

// Bullseye from main only is its last point release without security updates, so
// that many advisories apply.
func TestServerImage(t *testing.T) {
	dir := t.TempDir()
	root := filepath.Join(dir, "root.tar")
	run(t, "", "mmdebstrap", "--quiet", "--variant=minbase", "--components=main", "--include="+server, "bullseye", root,
		"deb "+mirror(t)+" bullseye main")
	compareScanners(t, dir, root)
}

// old are npm packages with known advisories, and their own dependencies with
// some more.
var old = []string{
	"express@4.15.2", "lodash@4.17.4", "minimist@1.2.0", "handlebars@4.0.11", "marked@0.3.6", "moment@2.19.0", "jquery@3.3.0", "axios@0.18.0",
	"node-fetch@2.6.0", "ws@7.4.0", "tar@4.4.1", "serialize-javascript@1.4.0", "ejs@2.5.5", "request@2.81.0", "underscore@1.8.3", "js-yaml@3.12.0",
	"mongoose@5.0.0", "socket.io@2.0.3", "ua-parser-js@0.7.20", "elliptic@6.4.0", "async@2.6.0", "yargs-parser@5.0.0", "ini@1.3.5", "glob-parent@3.1.0",
	"highlight.js@9.18.1", "jsonwebtoken@8.3.0", "dompurify@2.0.0", "vm2@3.9.0", "sanitize-html@1.18.2", "next@9.3.0",
}

func TestNpmImage(t *testing.T) {
	dir := t.TempDir()
	app := filepath.Join(dir, "root", "srv", "app")
	if err := os.MkdirAll(app, 0o755); err != nil {
		t.Fatal(err)
	}
	run(t, "", "npm", append([]string{"install", "--prefix", app, "--ignore-scripts", "--no-audit", "--no-fund", "--legacy-peer-deps"}, old...)...)
	root := filepath.Join(dir, "root.tar")
	run(t, "", "tar", "-C", filepath.Join(dir, "root"), "-cf", root, ".")
	compareScanners(t, dir, root)
}

// mirror is where this machine gets Debian's packages from.
func mirror(t *testing.T) string {
	t.Helper()
	for line := range strings.Lines(run(t, "", "apt-get", "indextargets", "--format", "$(ORIGIN) $(COMPONENT) $(REPO_URI)", "Created-By: Packages")) {
		f := strings.Fields(line)
		if len(f) == 3 && f[0] == "Debian" && f[1] == "main" && !strings.Contains(f[2], "security") {
			return f[2]
		}
	}
	t.Fatal("this machine has no source of Debian's packages: run apt-get update")
	return ""
}

// compareScanners has both scanners look at an image of one layer, with the same
// records, and holds their claims against each other.
func compareScanners(t *testing.T, dir, layer string) {
	t.Helper()
	archive := filepath.Join(dir, "image.tar")
	writeImage(t, archive, layer)
	report := ours(t, dir, archive)
	other := theirs(t, dir, archive)

	mine := map[claim]bool{}
	reasons := map[claim]string{} // why the other may differ: by claim, or by package with an empty id
	for i := range report.Vulnerabilities {
		f := &report.Vulnerabilities[i]
		for _, id := range append([]string{f.ID}, f.Aliases...) {
			if id == f.ID || strings.HasPrefix(id, "CVE-") {
				c := claim{f.Package.Type, f.Package.Name, f.Package.Version, id}
				mine[c] = true
				if strings.Contains(f.Suppressed, "header files only") {
					reasons[c] = "kernel headers: told and suppressed here, the package is left out there"
				}
			}
		}
	}
	for _, p := range report.Packages {
		c := claim{p.Type, p.Name, p.Version, ""}
		switch {
		case p.OwnedBy != "":
			reasons[c] = "files of a system package: judged by the distribution's records here, by both there"
		case p.Source != nil && p.Source.Version != "" && p.Source.Version != p.Version:
			reasons[c] = "a version of its own: the source's is compared here, the binary's there"
		}
	}
	classes := map[string][]string{}
	agreed := 0
	differ := func(c claim, who string) {
		reason := reasons[c]
		if reason == "" {
			reason = reasons[claim{c.kind, c.name, c.version, ""}]
		}
		if reason == "" {
			reason = unexplained
		}
		classes[who+": "+reason] = append(classes[who+": "+reason], c.String())
	}
	for c := range mine {
		if other[c] {
			agreed++
		} else {
			differ(c, "only here")
		}
	}
	for c := range other {
		if !mine[c] {
			differ(c, "only there")
		}
	}
	t.Logf("claims: %d ours, %d of osv-scanner, %d agree; %d packages", len(mine), len(other), agreed, len(report.Packages))
	open := 0
	for class, list := range classes {
		slices.Sort(list)
		t.Logf("%d × %s: %s", len(list), class, strings.Join(list[:min(20, len(list))], "; "))
		if strings.HasSuffix(class, unexplained) {
			open += len(list)
		}
	}
	if len(other) < 100 {
		t.Errorf("osv-scanner made %d claims: too few to say anything", len(other))
	}
	if total := len(mine) + len(other) - agreed; float64(open) > allowed*float64(total) {
		t.Errorf("%d of %d claims differ without a reason, more than %.0f %%", open, total, 100*allowed)
	}
}

// ours builds the binary, gives it the OSV exports only, and scans.
func ours(t *testing.T, dir, archive string) *pratique.Report {
	t.Helper()
	binary, feeds := filepath.Join(dir, "pratique"), filepath.Join(dir, "feeds")
	run(t, "", "go", "build", "-o", binary, "../cmd/pratique")
	run(t, "", binary, "feed", "import", data(t, "osv"), "--feeds", feeds, "--quiet")
	out := run(t, "", binary, "scan", archive, "--format", "json", "--feeds", feeds, "--cache", filepath.Join(dir, "cache"), "--quiet")
	var report pratique.Report
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatal(err)
	}
	if len(report.Packages) == 0 {
		t.Fatalf("no packages; problems: %+v", report.Problems)
	}
	return &report
}

// osvOutput is the part of osv-scanner's JSON that is compared.
type osvOutput struct {
	Results []struct {
		Packages []struct {
			Package struct {
				Name, Version, Ecosystem string
				Binary                   string `json:"os_package_name"`
			}
			Vulnerabilities []struct {
				ID                         string
				Aliases, Upstream, Related []string
			}
		}
	}
}

// theirs installs osv-scanner, lays the same exports in its cache, and scans.
func theirs(t *testing.T, dir, archive string) map[claim]bool {
	t.Helper()
	scanner := installScanner(t)
	cache := filepath.Join(dir, "osv")
	exports, err := os.ReadDir(data(t, "osv"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range exports {
		from, err := filepath.Abs(data(t, "osv", e.Name(), "all.zip"))
		if err != nil {
			t.Fatal(err)
		}
		// The folder's name changed between its versions.
		for _, name := range []string{"osv-scanner", "osv-scalibr"} {
			folder := filepath.Join(cache, name, e.Name())
			if err := errors.Join(os.MkdirAll(folder, 0o755), os.Symlink(from, filepath.Join(folder, "all.zip"))); err != nil {
				t.Fatal(err)
			}
		}
	}
	cmd := exec.Command(scanner, "scan", "image", "--archive", archive, "--offline", "--offline-vulnerabilities", "--all-packages", "--all-vulns", "--format", "json")
	cmd.Env = append(os.Environ(), "OSV_SCANNER_LOCAL_DB_CACHE_DIRECTORY="+cache)
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1) { // 1: it found something
		t.Fatalf("osv-scanner: %v", err)
	}
	var result osvOutput
	if err := json.Unmarshal(out, &result); err != nil {
		t.Fatal(err)
	}
	claims := map[claim]bool{}
	for _, r := range result.Results {
		for _, p := range r.Packages {
			c := claim{kindOf(p.Package.Ecosystem), p.Package.Name, p.Package.Version, ""}
			system := c.kind == "deb"
			if system && p.Package.Binary != "" {
				c.name = p.Package.Binary
			}
			for _, v := range p.Vulnerabilities {
				for _, c.id = range expand(v.ID, v.Aliases, v.Upstream, v.Related, system) {
					claims[c] = true
				}
			}
		}
	}
	return claims
}

func kindOf(ecosystem string) string {
	family, _, _ := strings.Cut(ecosystem, ":")
	return map[string]string{"Debian": "deb", "PyPI": "pypi", "npm": "npm", "Go": "golang", "Maven": "maven"}[family]
}

// expand puts CVEs in the place of a record, as far as it names any. It knows
// nothing of the product's own way to do so.
func expand(id string, aliases, upstream, related []string, system bool) []string {
	if strings.HasPrefix(id, "CVE-") {
		return []string{id}
	}
	if !system {
		related = nil
	}
	for _, list := range [][]string{append(slices.Clone(aliases), upstream...), related} {
		var out []string
		for _, id := range list {
			if strings.HasPrefix(id, "CVE-") {
				out = append(out, id)
			}
		}
		if len(out) > 0 {
			return out
		}
	}
	return []string{id}
}

// installScanner installs the newest osv-scanner that the module proxy and this
// Go give, once.
func installScanner(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(cache, "pratique", "accuracy")
	scanner := filepath.Join(bin, "osv-scanner")
	if _, err := os.Stat(scanner); err != nil {
		var failures []string
		for _, v := range []string{"latest", "v2.3.8", "v2.3.5", "v2.2.4"} {
			cmd := exec.Command("go", "install", "github.com/google/osv-scanner/v2/cmd/osv-scanner@"+v)
			cmd.Dir, cmd.Env = t.TempDir(), append(os.Environ(), "GOBIN="+bin, "GOFLAGS=")
			out, err := cmd.CombinedOutput()
			if err == nil {
				break
			}
			failures = append(failures, fmt.Sprintf("%s: %v\n%s", v, err, out))
		}
		if _, err := os.Stat(scanner); err != nil {
			t.Fatalf("osv-scanner cannot be installed:\n%s", strings.Join(failures, "\n"))
		}
	}
	t.Log(strings.ReplaceAll(strings.TrimSpace(run(t, "", scanner, "--version")), "\n", ", "))
	return scanner
}

// writeImage writes an image of one layer as "docker save" did before it wrote
// OCI layouts: config, layer and manifest.json in a tar.
func writeImage(t *testing.T, archive, layer string) {
	t.Helper()
	in, err := os.Open(layer)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	h := sha256.New()
	size, err := io.Copy(h, in)
	if err != nil {
		t.Fatal(err)
	}
	diffID := fmt.Sprintf("%x", h.Sum(nil))
	config := []byte(fmt.Sprintf(`{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}`, diffID))
	configName := fmt.Sprintf("%x.json", sha256.Sum256(config))
	manifest := []byte(fmt.Sprintf(`[{"Config":%q,"RepoTags":["accuracy:latest"],"Layers":["%s/layer.tar"]}]`, configName, diffID))

	out, err := os.Create(archive)
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(out)
	put := func(name string, size int64, r io.Reader) {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: size, Format: tar.FormatPAX}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(w, r); err != nil {
			t.Fatal(err)
		}
	}
	put(configName, int64(len(config)), strings.NewReader(string(config)))
	if _, err := in.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	put(diffID+"/layer.tar", size, in)
	put("manifest.json", int64(len(manifest)), strings.NewReader(string(manifest)))
	if err := errors.Join(w.Close(), out.Close()); err != nil {
		t.Fatal(err)
	}
}
