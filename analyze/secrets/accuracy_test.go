//go:build accuracy

package secrets

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	gitleaks "github.com/zricethezav/gitleaks/v8/config"
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

// ours runs the engine with gitleaks' rules and nothing else.
func ours(t testing.TB, e *engine, root string, paths []string) (found map[string]int, took time.Duration) {
	t.Helper()
	found = map[string]int{}
	s := e.scratch.Get().(*scratch)
	for _, path := range paths {
		b, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		fs := specific(find(e, s, path, b))
		took += time.Since(start)
		for _, f := range fs {
			if f.suppressed == "" {
				found[fmt.Sprintf("%s %s:%d %q", f.rule.id, path, f.lineNo, f.secret)]++
			}
		}
	}
	return found, took
}

func find(e *engine, s *scratch, path string, data []byte) []finding {
	s.begin()
	if slices.ContainsFunc(e.config.allows, func(a *allowlist) bool { return a.allowsPath(path) }) {
		return nil
	}
	segments(path, data, func(t *passage) bool { e.scan(s, t); return true })
	return s.found
}

func gitleaksEngine(t testing.TB) *engine {
	t.Helper()
	f, err := parseFile(gitleaks.DefaultConfig)
	if err != nil {
		t.Fatal(err)
	}
	c, err := f.translate()
	if err != nil {
		t.Fatal(err)
	}
	e, fits := newEngine(c)
	if !fits {
		t.Fatal("too many words")
	}
	return e
}

func TestEqualsGitleaks(t *testing.T) {
	root, paths, total := corpus(t, 200<<20)
	t.Logf("%d files, %.1f MB", len(paths), float64(total)/1e6)
	e := gitleaksEngine(t)
	got, took := ours(t, e, root, paths)
	t.Logf("ours: %.1f MB/s", float64(total)/1e6/took.Seconds())
	if os.Getenv("ONLY_OURS") != "" {
		return
	}
	want, seconds := oracle(t, root, paths, "")
	t.Logf("gitleaks: %d findings, %.1f MB/s", len(want), float64(total)/1e6/seconds)
	compare(t, got, want)
}

func compare(t *testing.T, got, want map[string]int) {
	t.Helper()
	missing, extra := bufio.NewWriter(os.Stderr), 0
	_ = missing
	for k, n := range want {
		if got[k] != n {
			extra++
			if extra < 60 {
				t.Errorf("gitleaks %d, ours %d: %.300s", n, got[k], k)
			}
		}
	}
	for k, n := range got {
		if want[k] == 0 {
			extra++
			if extra < 60 {
				t.Errorf("ours only (%d): %.300s", n, k)
			}
		}
	}
	t.Logf("%d differences", extra)
}
