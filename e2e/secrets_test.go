package e2e

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/internal/testimage"
)

// gram is how many bytes in a row count as the value itself. A preview shows
// four at most.
const gram = 8

// leaks draws the values that no output may show, and looks for them.
type leaks struct {
	r     *rand.Rand
	grams map[string]string // piece of a value → where it was planted
	where string
}

const (
	leakLetters = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
	leakHex     = "0123456789abcdef"
	leakDigits  = "0123456789"
)

// value draws a value.
func (l *leaks) value(n int, alphabet string) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[l.r.IntN(len(alphabet))]
	}
	l.forbid(string(b))
	return string(b)
}

func (l *leaks) token(n int) string { return l.value(n, leakLetters) }
func (l *leaks) hex(n int) string   { return l.value(n, leakHex) }

// forbid adds a value and its base64, which is as good as the value.
func (l *leaks) forbid(v string) {
	for i := 0; i+gram <= len(v); i++ {
		l.grams[v[i:i+gram]] = l.where
	}
}

// base64 wraps text, and forbids that too.
func (l *leaks) base64(text string) string {
	code := base64.StdEncoding.EncodeToString([]byte(text))
	l.forbid(strings.TrimRight(code, "="))
	return code
}

func (l *leaks) pem(kind string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "-----BEGIN %s-----\n", kind)
	for range 14 {
		b.WriteString(l.token(64) + "\n")
	}
	fmt.Fprintf(&b, "-----END %s-----\n", kind)
	return b.String()
}

// search fails the test for each planted place whose value is in data.
func (l *leaks) search(t *testing.T, what string, data []byte) {
	t.Helper()
	told := map[string]bool{}
	for i := 0; i+gram <= len(data); i++ {
		where, planted := l.grams[string(data[i:i+gram])]
		if planted && !told[where] {
			told[where] = true
			t.Errorf("%s shows a part of the value planted in %s: …%s…", what, where, data[max(0, i-80):min(len(data), i+80)])
		}
	}
}

// files plants a credential of each kind, with the path as its name.
func (l *leaks) files() map[string]string {
	files := map[string]func() string{
		"root/.docker/config.json": func() string { return `{"auths":{"r.corp.io":{"auth":"` + l.base64("bot:"+l.token(20)) + `"}}}` },
		"root/.netrc":              func() string { return "machine git.corp.io login bot password " + l.token(20) + "\n" },
		"root/.npmrc":              func() string { return "//npm.corp.io/:_authToken=npm_" + l.token(36) + "\n" },
		"root/.pypirc":             func() string { return "[pypi]\nusername = u\npassword = " + l.token(18) + "\n" },
		"root/.pgpass":             func() string { return "db:5432:*:app:" + l.token(18) + "\n" },
		"root/.git-credentials":    func() string { return "https://bot:" + l.token(24) + "@git.corp.io\n" },
		"root/.ssh/id_rsa":         func() string { return l.pem("RSA PRIVATE KEY") },
		"root/.aws/credentials":    func() string { return "[default]\naws_secret_access_key = " + l.token(40) + "\n" },
		"root/.bash_history":       func() string { return "mysql -h db -u root -p" + l.token(16) + " shop\n" },
		"root/.m2/settings.xml":    func() string { return "<server><id>x</id><password>" + l.token(16) + "</password></server>" },
		"etc/redis/redis.conf":     func() string { return "requirepass " + l.token(24) + "\n" },
		"etc/shadow":               func() string { return "root:$6$" + l.token(12) + "$" + l.token(86) + ":19700:0:99999:7:::\n" },
		"srv/app/.env":             func() string { return "DB_PASSWORD=" + l.token(20) + "\n" },
		"srv/app/url.yaml":         func() string { return "database: postgres://svc:" + l.token(18) + "@db.corp.io:5432/shop\n" },
		"srv/app/jdbc.properties":  func() string { return "url=jdbc:mysql://db:3306/x?user=u&password=" + l.token(16) + "\n" },
		"srv/app/github.yml":       func() string { return "token: ghp_" + l.token(36) + "\n" },
		"srv/app/gitlab.txt":       func() string { return "key glpat-" + l.token(20) + "\n" },
		"srv/app/slack.py": func() string {
			return `c = WebClient(token="xoxb-` + l.value(12, leakDigits) + "-" + l.value(12, leakDigits) + "-" + l.token(24) + "\")\n"
		},
		"srv/app/groq.py":      func() string { return `c = Groq(api_key="gsk_` + l.token(52) + "\")\n" },
		"srv/app/tencent.yaml": func() string { return "secretId: AKID" + l.token(32) + "\nsecretKey: " + l.token(32) + "\n" },
		"srv/app/dingtalk.sh":  func() string { return `curl "https://oapi.dingtalk.com/robot/send?access_token=` + l.hex(64) + "\"\n" },
		"srv/app/kube.yaml":    func() string { return "kind: Config\nusers:\n- name: admin\n  user:\n    token: " + l.token(60) + "\n" },
		"srv/app/azure.cs": func() string {
			return "var c = \"DefaultEndpointsProtocol=https;AccountName=shop;AccountKey=" + l.token(86) + "==;EndpointSuffix=core.windows.net\";\n"
		},
		"srv/app/encoded.txt": func() string { return "blob: " + l.base64("export GITHUB_TOKEN=ghp_"+l.token(36)) + "\n" },
		"srv/app/wide.reg":    func() string { return l.utf16("token = ghp_" + l.token(36) + "\r\n") },
		"srv/app/config.zip":  func() string { return l.zip("conf/app.yml", "token: ghp_"+l.token(36)+"\n") },
		"srv/app/outer.war":   func() string { return l.zip("inner.zip", l.zip("a.env", "API_TOKEN=glpat-"+l.token(20)+"\n")) },
		"srv/app/app.log.gz":  func() string { return l.gzip("login with gsk_" + l.token(52) + "\n") },
		"opt/old/deleted.env": func() string { return "GITHUB_TOKEN=ghp_" + l.token(36) + "\n" },
		"srv/node/package.json": func() string {
			return `{"name":"shop","version":"1.0.0","license":"MIT","repository":"https://bot:` + l.token(24) + `@git.corp.io/shop.git","author":"x <ghp_` + l.token(36) + `@corp.io>"}`
		},
		"srv/node/package-lock.json": func() string {
			return `{"name":"shop","lockfileVersion":3,"packages":{"":{"name":"shop"},"node_modules/left":{"version":"git+https://bot:` + l.token(24) + `@git.corp.io/left.git","resolved":"git+https://bot:` + l.token(24) + `@git.corp.io/left.git#0"}}}`
		},
		"srv/py/requirements.txt": func() string {
			return "--index-url https://bot:" + l.token(24) + "@pypi.corp.io/simple\nflask==1.0\nshop @ git+https://bot:" + l.token(24) + "@git.corp.io/shop.git\n"
		},
		"srv/php/composer.lock": func() string {
			return `{"packages":[{"name":"corp/shop","version":"dev-main","source":{"type":"git","url":"https://bot:` + l.token(24) + `@git.corp.io/shop.git","reference":"x"}}]}`
		},
		"srv/java/pom.xml": func() string {
			return "<project><groupId>a</groupId><artifactId>b</artifactId><version>1</version><password>" + l.token(16) + "</password>"
		},
		"srv/broken/package-lock.json": func() string { return `{"lockfileVersion": ghp_` + l.token(36) + "}" },
		"srv/broken/composer.lock":     func() string { return `{"packages": "ghp_` + l.token(36) + `"}` },
		"srv/go/go.mod":                func() string { return "module x\n\nrequire ghp_" + l.token(36) + "\n" },
		"var/lib/dpkg/status": func() string {
			return "Package: shop\nStatus: install ok installed\nMaintainer: bot <glpat-" + l.token(20) + ">\nArchitecture: amd64\nVersion: 1.0\nHomepage: https://bot:" + l.token(24) + "@corp.io\n\n"
		},
	}
	out := map[string]string{"etc/os-release": "ID=debian\nVERSION_ID=12\n"}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		l.where = name
		out[name] = files[name]()
	}
	return out
}

func (l *leaks) utf16(s string) string {
	b := []byte{0xff, 0xfe}
	for _, c := range []byte(s) {
		b = append(b, c, 0)
	}
	return string(b)
}

func (l *leaks) zip(name, body string) string {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.Create(name)
	if err == nil {
		_, err = io.WriteString(f, body)
	}
	if err != nil || w.Close() != nil {
		panic("zip to memory")
	}
	return b.String()
}

func (l *leaks) gzip(body string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, body); err != nil || w.Close() != nil {
		panic("gzip to memory")
	}
	return b.String()
}

// at sets where the following values are planted.
func (l *leaks) at(where string) *leaks {
	l.where = where
	return l
}

// image plants credentials in files, a layer that the next deletes from,
// instructions, environment, labels and the command.
func (l *leaks) image(t *testing.T) (testimage.Image, map[string]string) {
	t.Helper()
	dir := t.TempDir()
	files := l.files()
	layer := func(instruction string, content testimage.Content) testimage.Layer {
		made, err := testimage.WriteLayer(dir, testimage.Gzip, instruction, content)
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	run := "RUN |1 TOKEN=ghp_" + l.at("history: build argument").token(36) + " /bin/sh -c git clone https://bot:" +
		l.at("history: URL").token(24) + "@git.corp.io/x.git && docker login -u bot -p " + l.at("history: login").token(20) + " r.corp.io"
	return testimage.Image{
		Layers: []testimage.Layer{
			layer(run, testimage.Files(files)),
			layer("RUN rm -r /opt/old && export DB_PASSWORD="+l.at("history: variable").token(20), testimage.Whiteouts("opt/old")),
		},
		Env: []string{
			"PATH=/usr/bin", "DB_PASSWORD=" + l.at("env: password").token(20), "DATABASE_URL=mysql://app:" + l.at("env: URL").token(20) + "@db/shop",
			"GITLAB_TOKEN=glpat-" + l.at("env: token").token(20),
		},
		Labels: map[string]string{
			"org.corp.ci":    "token ghp_" + l.at("label: token").token(36),
			"org.corp.clone": "https://bot:" + l.at("label: URL").token(24) + "@git.corp.io/x.git",
		},
		Cmd: []string{"serve", "--token", "ghp_" + l.at("command: token").token(36), "--database", "postgres://svc:" + l.at("command: URL").token(20) + "@db/shop"},
	}, files
}

// TestNoPlainValueLeaves plants credentials wherever an image can have them, and
// looks for each in everything that the program writes: reports of every format,
// explanations, errors, progress, caches and leftovers.
func TestNoPlainValueLeaves(t *testing.T) {
	l := &leaks{r: rand.New(rand.NewPCG(20, 26)), grams: map[string]string{}}
	img, files := l.image(t)
	layout, in := t.TempDir(), invocation{home: t.TempDir(), cache: t.TempDir(), tmp: t.TempDir()}
	if err := img.WriteLayout(layout); err != nil {
		t.Fatal(err)
	}
	out := l.runs(t, in, "scan", layout, "--format", "json")
	r := l.found(t, out, files)

	for _, args := range [][]string{
		{"scan", layout}, {"scan", layout, "--verbose", "--all"}, {"scan", layout, "--format", "cyclonedx"}, {"scan", layout, "--format", "spdx"},
		{"scan", layout, "--no-cache", "--secret-guards-off", "all", "--verbose", "--all"},
		{"scan", layout, "--fail-on", "secret"}, {"scan", layout, "--format", "json", "-o", filepath.Join(in.tmp, "no", "such", "folder")},
		{"explain", layout, "CVE-2021-44228"},
	} {
		l.runs(t, in, args...)
	}
	for _, id := range rulesOf(r) {
		if out := l.runs(t, in, "explain", layout, id); out.exit != 0 {
			t.Errorf("explain %s: exit %d: %s", id, out.exit, out.stderr)
		}
	}
	l.otherWays(t, in, img, files)
	l.leftovers(t, in)
}

func rulesOf(r pratique.Report) (ids []string) {
	for _, s := range r.Secrets {
		ids = append(ids, s.Rule)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// runs runs the program and searches what it says.
func (l *leaks) runs(t *testing.T, in invocation, args ...string) outcome {
	t.Helper()
	in.args = args
	out := pratiqueRun(t, in)
	what := "pratique " + strings.Join(args, " ")
	l.search(t, what+": stdout", []byte(out.stdout))
	l.search(t, what+": stderr", []byte(out.stderr))
	return out
}

// found checks that there was something to hide: that what is planted is found.
func (l *leaks) found(t *testing.T, out outcome, files map[string]string) pratique.Report {
	t.Helper()
	var r pratique.Report
	if err := json.Unmarshal([]byte(out.stdout), &r); err != nil {
		t.Fatalf("exit %d: %v\n%s", out.exit, err, tail(out.stderr))
	}
	places, sources := map[string]bool{}, map[string]int{}
	for _, s := range r.Secrets {
		path, _, _ := strings.Cut(s.Path, pratique.NestedSeparator)
		places[path] = true
		sources[s.Source]++
		if path == "opt/old/deleted.env" && (s.Origin == nil || s.Origin.DeletedBy == nil || *s.Origin.DeletedBy != 1) {
			t.Errorf("%s is not told as deleted: %+v", path, s.Origin)
		}
	}
	missed := 0
	for path := range files {
		if !places[path] && !strings.HasPrefix(path, "srv/broken/") {
			t.Logf("no finding in %s", path)
			missed++
		}
	}
	// Lock files and the like are here for what other analyzers say of them.
	if missed > 8 || len(rulesOf(r)) < 20 || sources["history"] < 4 || sources["env"] < 3 || sources["label"] < 2 {
		t.Errorf("%d planted files without a finding, %d rules, %v", missed, len(rulesOf(r)), sources)
	}
	return r
}

// otherWays scans the same content as a tar, as a folder, and damaged.
func (l *leaks) otherWays(t *testing.T, in invocation, img testimage.Image, files map[string]string) {
	t.Helper()
	dir := t.TempDir()
	plain, root, cut := filepath.Join(dir, "image.tar"), filepath.Join(dir, "root"), filepath.Join(dir, "cut")
	f, err := os.Create(plain)
	if err != nil {
		t.Fatal(err)
	}
	if err := img.WriteDockerTar(f); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	for name, body := range files {
		file := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		writeFile(t, file, []byte(body))
	}
	if err := img.WriteLayout(cut); err != nil {
		t.Fatal(err)
	}
	// Half of the first layer: a link to the blob must not be cut as well.
	blob := filepath.Join(cut, "blobs", strings.Replace(string(img.Layers[0].Digest), ":", "/", 1))
	whole, err := os.ReadFile(blob)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(blob); err != nil {
		t.Fatal(err)
	}
	writeFile(t, blob, whole[:len(whole)/2])
	for _, target := range []string{plain, "dir:" + root, cut, filepath.Join(root, "srv/app/github.yml"), filepath.Join(root, "srv/node/package-lock.json")} {
		l.runs(t, in, "scan", target, "--format", "json")
		l.runs(t, in, "scan", target, "--verbose", "--all", "--no-cache")
	}
	password := l.at("the target's URL").token(20)
	l.runs(t, in, "scan", "registry:bot:"+password+"@127.0.0.1:1/x/y:1")
	l.runs(t, in, "scan", "https://bot:"+password+"@127.0.0.1:1/x/y:1")
}

// leftovers searches every file that the program left in its home, its cache and
// its temporary folder.
func (l *leaks) leftovers(t *testing.T, in invocation) {
	t.Helper()
	if left := listing(t, in.tmp); len(left) > 0 {
		t.Errorf("left in the temporary folder: %v", left)
	}
	decoder, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer decoder.Close()
	facts := 0
	for _, name := range append(listing(t, in.cache), listing(t, in.home)...) {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		l.search(t, name, b)
		if strings.HasSuffix(name, ".zst") {
			facts++
			plain, err := decoder.DecodeAll(b, nil)
			if err != nil {
				t.Fatal(err)
			}
			l.search(t, name, plain)
		}
	}
	if facts < 4 {
		t.Errorf("only %d files of facts in the cache", facts)
	}
}
