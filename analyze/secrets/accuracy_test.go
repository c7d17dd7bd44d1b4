//go:build accuracy

package secrets

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"
)

// oracle builds gitleaks' own detection and runs it over the files of root.
func oracle(t testing.TB, root string, paths []string, rules string) (found map[string]int, seconds float64) {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "oracle")
	build := exec.Command("go", "build", "-C", "testdata/gitleaks", "-o", bin, ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the oracle: %v\n%s", err, out)
	}
	args := []string{root + "/"}
	if rules != "" {
		file := filepath.Join(t.TempDir(), "rules.toml")
		if err := os.WriteFile(file, []byte(rules), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, file)
	}
	cmd := exec.Command(bin, args...)
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	cmd.Stdin = strings.NewReader(strings.Join(paths, "\n"))
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("oracle: %v", err)
	}
	found = map[string]int{}
	for line := range bytes.Lines(out) {
		var f struct {
			Rule, File, Secret string
			Line               int
			Seconds            *float64
		}
		if err := json.Unmarshal(line, &f); err != nil {
			t.Fatal(err)
		}
		if f.Seconds != nil {
			return found, *f.Seconds
		}
		found[fmt.Sprintf("%s %s:%d %q", f.Rule, f.File, f.Line, f.Secret)]++
	}
	t.Fatal("the oracle did not finish")
	return nil, 0
}

// corpusRoots are where text is on a machine that builds this.
func corpusRoots() []string {
	roots := []string{"/usr/share", "/usr/lib/python3", "/etc"}
	if mod, err := exec.Command("go", "env", "GOMODCACHE").Output(); err == nil {
		roots = append(roots, strings.TrimSpace(string(mod)))
	}
	return append(roots, runtime.GOROOT()+"/src")
}

// corpus copies up to size bytes of text files from this machine into a folder
// under neutral names, so that no allow list of paths empties it.
func corpus(t testing.TB, size int64) (root string, paths []string, total int64) {
	t.Helper()
	root = t.TempDir()
	roots := corpusRoots()
	for i, from := range roots {
		share := (size - total) / int64(len(roots)-i)
		filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return nil
			}
			if share <= 0 {
				return fs.SkipAll
			}
			b, err := os.ReadFile(path)
			if err != nil || len(b) == 0 || len(b) > 4<<20 || bytes.IndexByte(b, 0) >= 0 || !utf8.Valid(b) {
				return nil
			}
			name := fmt.Sprintf("c%03d/%06d-%s", len(paths)/1000, len(paths), filepath.Base(path))
			os.MkdirAll(filepath.Join(root, filepath.Dir(name)), 0o700)
			if err := os.WriteFile(filepath.Join(root, name), b, 0o600); err != nil {
				t.Fatal(err)
			}
			paths = append(paths, name)
			share -= int64(len(b))
			total += int64(len(b))
			return nil
		})
	}
	return root, paths, total
}

// plant adds files with all samples of our rules, which also have the forms
// that gitleaks knows, to a corpus.
func plant(t testing.TB, root string, paths []string) []string {
	t.Helper()
	for seed := range uint64(40) {
		name := fmt.Sprintf("planted-%02d.conf", seed)
		data := mixed(rand.New(rand.NewPCG(seed, 99)), 60_000)
		if err := os.WriteFile(filepath.Join(root, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, name)
	}
	return paths
}

// pinned are differences from gitleaks that are meant, by rule and file name,
// with the reason. There are none: what could differ by design did not occur
// (texts beyond 1.1 MiB are opened by keywords for each segment, lines beyond
// 64 KiB are shown to allow lists in part, and the last line of a file without
// a line feed is itself, where gitleaks takes the whole file for it).
var pinned = map[string]string{}

// TestEqualsGitleaks compares rule, file, line and secret of each finding.
func TestEqualsGitleaks(t *testing.T) {
	root, paths, total := corpus(t, 200<<20)
	paths = plant(t, root, paths)
	e := gitleaksEngine(t)
	got, took := ours(t, e, root, paths)
	want, seconds := oracle(t, root, paths, "")
	t.Logf("%d files, %.1f MB; gitleaks %d findings at %.1f MB/s, ours %d at %.1f MB/s", len(paths), float64(total)/1e6,
		len(want), float64(total)/1e6/seconds, len(got), float64(total)/1e6/took.Seconds())
	differences := 0
	check := func(k string, a, b int) {
		if a == b {
			return
		}
		if _, ok := pinned[strings.Join(strings.Fields(k)[:2], " ")]; ok {
			return
		}
		if differences++; differences <= 40 {
			t.Errorf("gitleaks %d, ours %d: %.200s", a, b, k)
		}
	}
	for k, n := range want {
		check(k, n, got[k])
	}
	for k, n := range got {
		if want[k] == 0 {
			check(k, 0, n)
		}
	}
	t.Logf("%d differences, %d pinned", differences, len(pinned))
}

// TestPlanted hides one secret of each kind in a file of the form that it has
// in containers among 5 000 fillers, and counts files.
func TestPlanted(t *testing.T) {
	root := t.TempDir()
	r := rand.New(rand.NewPCG(2024, 1))
	f := &filler{r}
	planted := map[string]string{}
	var paths []string
	write := func(path, text string) {
		full := filepath.Join(root, path)
		os.MkdirAll(filepath.Dir(full), 0o700)
		if err := os.WriteFile(full, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	for i, p := range scenes {
		path := strings.ReplaceAll(p.path, "#", fmt.Sprint(i))
		planted[path] = p.text
		write(path, f.fill(p.text))
	}
	for i := range 5000 {
		write(fmt.Sprintf("srv/fill/%04d%s", i, innocents[i%len(innocents)].path), f.fill(strings.Repeat(innocents[i%len(innocents)].text, 1+r.IntN(8))))
	}
	a := newTestAnalyzer(t, Options{})
	mine := map[string]bool{}
	for _, path := range paths {
		b, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range analyzeBytes(t, a, path, b) {
			if s.Suppressed == "" {
				mine[path] = true
			}
		}
	}
	found, _ := oracle(t, root, paths, "")
	theirs := map[string]bool{}
	for k := range found {
		file := strings.Fields(k)[1]
		theirs[file[:strings.LastIndexByte(file, ':')]] = true
	}
	count := func(files map[string]bool) (hits, alarms int) {
		for path := range files {
			if _, ok := planted[path]; ok {
				hits++
			} else {
				alarms++
			}
		}
		return hits, alarms
	}
	ourHits, ourAlarms := count(mine)
	theirHits, theirAlarms := count(theirs)
	t.Logf("of %d planted files ours finds %d with %d false alarms, gitleaks %d with %d", len(planted), ourHits, ourAlarms, theirHits, theirAlarms)
	if ourHits <= theirHits || ourAlarms > theirAlarms {
		t.Error("not better than gitleaks")
	}
	for path := range planted {
		if !mine[path] {
			t.Logf("missed: %s", path)
		}
	}
	for path := range mine {
		if _, ok := planted[path]; !ok {
			t.Logf("false alarm: %s", path)
		}
	}
}

func BenchmarkSecrets(b *testing.B) {
	root, paths, total := corpus(b, 50<<20)
	a := newTestAnalyzer(b, Options{})
	contents := make([][]byte, len(paths))
	for i, path := range paths {
		contents[i], _ = os.ReadFile(filepath.Join(root, path))
	}
	b.SetBytes(total)
	for b.Loop() {
		for i, path := range paths {
			analyzeBytes(b, a, path, contents[i])
		}
	}
}

// BenchmarkGitleaks reports the time that gitleaks' detection itself took.
func BenchmarkGitleaks(b *testing.B) {
	root, paths, total := corpus(b, 50<<20)
	for b.Loop() {
		_, seconds := oracle(b, root, paths, "")
		b.ReportMetric(float64(total)/1e6/seconds, "detect-MB/s")
	}
}

var update = flag.Bool("update", false, "write "+goldenFile)

// TestGoldenFindings derives what the seeded texts are compared with.
func TestGoldenFindings(t *testing.T) {
	root, paths := seededTexts(t)
	found, _ := oracle(t, root, paths, "")
	want := golden(found)
	if *update {
		if err := os.WriteFile(goldenFile, []byte(strings.Join(want, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	compareGolden(t, strings.Split(strings.TrimSpace(string(b)), "\n"), want)
}
