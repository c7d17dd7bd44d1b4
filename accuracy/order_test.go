//go:build accuracy

package accuracy

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/pratique/pratique/match"
)

// A pair is two versions of one package.
type pair struct{ a, b string }

// data is a file of the folder with real feeds.
func data(t *testing.T, name ...string) string {
	t.Helper()
	root := os.Getenv("PRATIQUE_DATA")
	if root == "" {
		root = "../../shared/data"
	}
	path := filepath.Join(append([]string{root}, name...)...)
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("no %s: name a folder with real feeds by PRATIQUE_DATA: %v", path, err)
	}
	return path
}

// pairs takes versions of the same package from real records: n pairs as they
// are, and n where one or both are changed in one place to what a version may be.
func pairs(t *testing.T, export, ecosystem string, n int, mutations []string) []pair {
	t.Helper()
	archive, err := zip.OpenReader(data(t, "osv", export, "all.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	versions := map[string][]string{}
	var names []string
	for i, f := range archive.File {
		if i%3 != 0 { // a third of the records is plenty
			continue
		}
		for name, list := range versionsOf(t, f, ecosystem) {
			if versions[name] == nil {
				names = append(names, name)
			}
			versions[name] = append(versions[name], list...)
		}
	}
	r := rand.New(rand.NewPCG(7, 11))
	mutate := func(v string) string {
		// Not in the epoch: what is no number there is refused when a package is built.
		epoch := strings.IndexByte(v, ':') + 1
		at := epoch + min(1+r.IntN(len(v)-epoch+1), len(v)-epoch)
		return v[:at] + mutations[r.IntN(len(mutations))] + v[at:]
	}
	var out []pair
	for tries := 0; len(out) < 2*n && tries < 100*n; tries++ {
		list := versions[names[r.IntN(len(names))]]
		if len(list) < 2 {
			continue
		}
		p := pair{list[r.IntN(len(list))], list[r.IntN(len(list))]}
		if len(out) >= n {
			p.b = mutate(p.a)
			if r.IntN(3) == 0 {
				p.a = mutate(p.a)
			}
		}
		out = append(out, p)
	}
	return out
}

func versionsOf(t *testing.T, f *zip.File, ecosystem string) map[string][]string {
	rc, err := f.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer rc.Close()
	raw, err := io.ReadAll(rc)
	if err != nil {
		t.Fatal(err)
	}
	var record struct {
		Affected []struct {
			Package  struct{ Ecosystem, Name string }
			Versions []string
			Ranges   []struct {
				Type   string
				Events []map[string]string
			}
		}
	}
	if err := json.Unmarshal(raw, &record); err != nil {
		t.Fatalf("%s: %v", f.Name, err)
	}
	out := map[string][]string{}
	for _, a := range record.Affected {
		if a.Package.Ecosystem != ecosystem && !strings.HasPrefix(a.Package.Ecosystem, ecosystem+":") {
			continue
		}
		list := a.Versions[:min(len(a.Versions), 40)]
		for _, r := range a.Ranges {
			if r.Type == "GIT" {
				continue
			}
			for _, e := range r.Events {
				for _, v := range e {
					if v != "0" {
						list = append(list, v)
					}
				}
			}
		}
		out[a.Package.Name] = append(out[a.Package.Name], list...)
	}
	return out
}

// hold compares our order with the native tool's answers: "-1", "0" or "1", or "?"
// where it refuses a version.
func hold(t *testing.T, ecosystem string, list []pair, oracle []string) {
	t.Helper()
	if len(oracle) != len(list) {
		t.Fatalf("%d answers for %d pairs", len(oracle), len(list))
	}
	agreed, refused, lenient := 0, 0, 0
	for i, p := range list {
		got, err := match.Compare(ecosystem, p.a, p.b)
		switch {
		case oracle[i] == "?" && err != nil:
			refused++
		case oracle[i] == "?":
			lenient++ // we order what the tool would not install
		case err != nil:
			t.Errorf("%s: %q and %q: the native tool says %s, we refuse: %v", ecosystem, p.a, p.b, oracle[i], err)
		case strconv.Itoa(got) != oracle[i]:
			t.Errorf("%s: %q and %q: the native tool says %s, we %d", ecosystem, p.a, p.b, oracle[i], got)
		default:
			agreed++
		}
	}
	t.Logf("%s: %d pairs agree; %d that the tool refuses we refuse too, %d we order", ecosystem, agreed, refused, lenient)
}

func run(t *testing.T, stdin string, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Stdin = strings.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, stderr.String()[:min(2000, stderr.Len())])
	}
	return string(out)
}

func table(list []pair) string {
	var b strings.Builder
	for _, p := range list {
		fmt.Fprintf(&b, "%s\t%s\n", p.a, p.b)
	}
	return b.String()
}

func TestOrderOfDpkg(t *testing.T) {
	list := pairs(t, "Debian", "Debian", 1500, []string{"~", "+", ".", "0", "1", "a", "rc", "~rc1", "+b1", "-1", "00", "Z"})
	// dpkg compares one pair at a time; a version that it refuses ends it with
	// an error or, where it only warns, has a warning on stderr.
	script := `while IFS=$'\t' read -r a b; do
	if [ -n "$(dpkg --compare-versions -- "$a" eq "$b" 2>&1)" ]; then echo '?'
	elif dpkg --compare-versions -- "$a" lt "$b"; then echo -1
	elif dpkg --compare-versions -- "$a" gt "$b"; then echo 1
	else echo 0; fi
	done`
	hold(t, "Debian", list, strings.Fields(run(t, table(list), "bash", "-c", script)))
}

func TestOrderOfRPM(t *testing.T) {
	list := pairs(t, "Red Hat", "Red Hat", 4000, []string{"~", "^", ".", "0", "1", "a", "rc", "_", "~rc1", "^git1", "00", "+"})
	file := filepath.Join(t.TempDir(), "pairs")
	if err := os.WriteFile(file, []byte(table(list)), 0o600); err != nil {
		t.Fatal(err)
	}
	lua := `%{lua: for l in io.lines("` + file + `") do local a, b = l:match("([^\t]*)\t([^\t]*)"); print(rpm.vercmp(a, b) .. " ") end}`
	hold(t, "Red Hat", list, strings.Fields(run(t, "", "rpm", "--eval", lua)))
}

func TestOrderOfNpm(t *testing.T) {
	root := strings.TrimSpace(run(t, "", "npm", "root", "--global"))
	semver := glob(t, filepath.Join(root, "npm", "node_modules", "semver"), "/usr/share/nodejs/semver") // npm's own, or Debian's
	if semver == nil {
		t.Fatal("npm's semver module is not where npm or Debian put it: apt-get install npm")
	}
	script := `const s = require(process.argv[1]);
	for (const l of require("fs").readFileSync(0, "utf8").trim().split("\n")) {
		const [a, b] = l.split("\t").map(v => s.parse(v));
		console.log(a && b ? s.compare(a, b) : "?");
	}`
	for _, eco := range []string{"npm", "crates.io"} {
		list := pairs(t, eco, eco, 4000, []string{"0", "1", "-rc.1", "-0", "-alpha", ".1", "-1", "+x", "a", "-beta.-2"})
		answers := strings.Fields(run(t, table(list), "node", "-e", script, semver[0]))
		hold(t, eco, list, answers)
	}
}

func TestOrderOfMaven(t *testing.T) {
	jars := append(glob(t, "/usr/share/maven/lib/maven-artifact*.jar", "/usr/share/java/maven-artifact*.jar", "/usr/share/java/maven3-artifact*.jar"),
		glob(t, "/usr/share/java/commons-lang3.jar", "/usr/share/maven/lib/commons-lang3*.jar")...)
	if len(jars) < 2 {
		t.Fatal("Maven's own ComparableVersion is not installed: apt-get install maven")
	}
	list := pairs(t, "Maven", "Maven", 3000, []string{"0", "1", ".1", "-1", "a", "-rc", ".Final", "-SNAPSHOT", "sp", ".RC1", "M", "x"})
	var answers []string
	for chunk := list; len(chunk) > 0; {
		n := min(500, len(chunk))
		args := []string{"-cp", strings.Join(jars, ":"), "org.apache.maven.artifact.versioning.ComparableVersion"}
		for _, p := range chunk[:n] {
			args = append(args, p.a, p.b)
		}
		answers = append(answers, mavenAnswers(run(t, "", "java", args...))...)
		chunk = chunk[n:]
	}
	hold(t, "Maven", list, answers)
}

// mavenLine is ComparableVersion's comparison of two neighbours: "   1.0 < 1.1".
var mavenLine = regexp.MustCompile(`^ +\S+ (<|==|>) \S+$`)

// mavenAnswers reads every second comparison: those within pairs, not those
// between the end of one and the beginning of the next.
func mavenAnswers(out string) []string {
	var answers []string
	n := 0
	for line := range strings.Lines(out) {
		m := mavenLine.FindStringSubmatch(strings.TrimRight(line, "\n"))
		if m == nil {
			continue
		}
		if n++; n%2 == 1 {
			answers = append(answers, map[string]string{"<": "-1", "==": "0", ">": "1"}[m[1]])
		}
	}
	return answers
}

func glob(t *testing.T, patterns ...string) []string {
	t.Helper()
	for _, p := range patterns {
		found, err := filepath.Glob(p)
		if err != nil {
			t.Fatal(err)
		}
		if len(found) > 0 {
			return found[:1]
		}
	}
	return nil
}
