package match_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/pratique/pratique/match"
)

// The order is held to the native tools on made-up versions: a few hundred here,
// thousands of real ones in "make accuracy". "make deps" installs the tools.

// grown returns pairs of neighbouring versions: a valid one, and the same with
// a piece put in or taken out.
func grown(n int, roots, pieces []string) [][2]string {
	r := rand.New(rand.NewPCG(3, 5))
	grow := func(v string) string {
		for range r.IntN(3) {
			at := 1 + r.IntN(len(v))
			v = v[:at] + pieces[r.IntN(len(pieces))] + v[at:]
		}
		return v
	}
	out := make([][2]string, n)
	for i := range out {
		root := roots[r.IntN(len(roots))]
		out[i] = [2]string{grow(root), grow(root)}
	}
	return out
}

func tool(t *testing.T, stdin, name string, args ...string) []string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Stdin, cmd.Stderr = strings.NewReader(stdin), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s (\"make deps\" installs it): %v", name, err)
	}
	return strings.Fields(string(out))
}

func agree(t *testing.T, ecosystem string, pairs [][2]string, answers []string) {
	t.Helper()
	if len(answers) != len(pairs) {
		t.Fatalf("%d answers for %d pairs", len(answers), len(pairs))
	}
	for i, p := range pairs {
		if answers[i] == "?" { // the tool refuses one of them
			continue
		}
		if got, err := match.Compare(ecosystem, p[0], p[1]); err != nil || strconv.Itoa(got) != answers[i] {
			t.Errorf("%s: Compare(%q, %q) = %d, %v; the native tool says %s", ecosystem, p[0], p[1], got, err, answers[i])
		}
	}
}

func lines(pairs [][2]string) string {
	var b strings.Builder
	for _, p := range pairs {
		fmt.Fprintf(&b, "%s\t%s\n", p[0], p[1])
	}
	return b.String()
}

func TestOrderAgreesWithDpkg(t *testing.T) {
	pairs := grown(200, []string{"1.0", "1.2.3-4", "2.31-13+deb11u4", "5.10.191-1~bpo10", "20230311ubuntu0.22"}, []string{"~", "+", ".", "0", "a", "10", "~rc1", "-1", "Z"})
	agree(t, "Debian", pairs, tool(t, lines(pairs), "bash", "-c", `while IFS=$'\t' read -r a b; do
		if dpkg --compare-versions "$a" lt "$b"; then echo -1; elif dpkg --compare-versions "$a" gt "$b"; then echo 1; else echo 0; fi
	done`))
}

func TestOrderAgreesWithRPM(t *testing.T) {
	pairs := grown(1000, []string{"1.0-1", "1.2.3-4.el9_3", "0.9.8e-40.el5", "115.6.0-1.module+el8.9.0+12+ab", "2.31~git5-1"}, []string{"~", "^", ".", "0", "a", "10", "~rc1", "_", "+"})
	file := filepath.Join(t.TempDir(), "pairs")
	if err := os.WriteFile(file, []byte(lines(pairs)), 0o600); err != nil {
		t.Fatal(err)
	}
	agree(t, "Red Hat", pairs, tool(t, "", "rpm", "--eval",
		`%{lua: for l in io.lines("`+file+`") do local a, b = l:match("([^\t]*)\t([^\t]*)"); print(rpm.vercmp(a, b) .. " ") end}`))
}

func TestOrderAgreesWithNpm(t *testing.T) {
	root := tool(t, "", "npm", "root", "--global")
	pairs := grown(1000, []string{"1.0.0", "1.2.3-alpha.1", "0.0.0-20230101", "10.20.30+build", "1.0.0-rc.1.2"}, []string{"0", "1", ".1", "-1", "a", "-", "beta", "+x"})
	agree(t, "npm", pairs, tool(t, lines(pairs), "node", "-e", `const s = require(process.argv[1]);
		for (const l of require("fs").readFileSync(0, "utf8").trim().split("\n")) {
			const [a, b] = l.split("\t").map(v => s.parse(v));
			console.log(a && b ? s.compare(a, b) : "?");
		}`, semverModule(t, root[0])))
}

// semverModule finds npm's own semver: inside npm, or beside it where the
// distribution packages it apart.
func semverModule(t *testing.T, root string) string {
	t.Helper()
	for _, path := range []string{filepath.Join(root, "npm", "node_modules", "semver"), "/usr/share/nodejs/semver", filepath.Join(root, "semver")} {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	t.Fatal("npm's semver module is not where npm or Debian put it: make deps installs npm")
	return ""
}
