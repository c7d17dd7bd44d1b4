package secrets

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp/syntax"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	gitleaks "github.com/zricethezav/gitleaks/v8/config"
)

// goldenFile holds what gitleaks' own detection finds in seededTexts, values as
// hashes. "go test -tags accuracy -run TestGoldenFindings" derives it again, and
// writes it with -update.
const goldenFile = "testdata/gitleaks.golden"

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
				// The oracle's JSON has U+FFFD for each byte that is no UTF-8.
				found[fmt.Sprintf("%s %s:%d %q", f.rule.id, path, f.lineNo, string([]rune(string(f.secret))))]++
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

// specific returns found without the generic findings that a more specific
// rule on the same line explains.
func specific(found []finding) []finding {
	var kept []finding
	for _, f := range found {
		if f.rule.generic && slices.ContainsFunc(found, func(g finding) bool {
			return !g.rule.generic && g.lineNo == f.lineNo && bytes.Contains(g.secret, f.secret)
		}) {
			continue
		}
		kept = append(kept, f)
	}
	return kept
}

// TestEqualsGitleaksOnSeededTexts compares rule, file, line and secret of each
// finding with what gitleaks' detection said about the same texts.
func TestEqualsGitleaksOnSeededTexts(t *testing.T) {
	b, err := os.ReadFile(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	root, paths := seededTexts(t)
	found, _ := ours(t, gitleaksEngine(t), root, paths)
	compareGolden(t, golden(found), strings.Split(strings.TrimSpace(string(b)), "\n"))
	rules := map[string]bool{}
	for k := range found {
		rules[strings.Fields(k)[0]] = true
	}
	if len(rules) < 150 {
		t.Errorf("only %d rules were put to the test", len(rules))
	}
}

func compareGolden(t *testing.T, got, want []string) {
	t.Helper()
	told := 0
	tell := func(who string, a, b []string) {
		for _, line := range a {
			if _, found := slices.BinarySearch(b, line); !found {
				if told++; told <= 20 {
					t.Errorf("only %s: %s", who, line)
				}
			}
		}
	}
	tell("ours", got, want)
	tell("gitleaks", want, got)
}

// golden writes findings as sorted lines without their values.
func golden(found map[string]int) (lines []string) {
	for k, n := range found {
		rule, rest, _ := strings.Cut(k, " ")
		place, secret, _ := strings.Cut(rest, " ")
		lines = append(lines, fmt.Sprintf("%s %s %.4x %d", place, rule, sha256.Sum256([]byte(secret)), n))
	}
	slices.Sort(lines)
	return lines
}

// seededTexts writes the same files on every machine: strings made from the
// expressions of gitleaks' rules, some damaged, among noise.
func seededTexts(t testing.TB) (root string, paths []string) {
	t.Helper()
	rules := gitleaksRules(t)
	root = t.TempDir()
	for i, ending := range []string{".txt", ".php", ".tf", ".yaml", ".env", ".json", ".go", ".config"} {
		w := &writer{r: rand.New(rand.NewPCG(uint64(i), 2026)), rules: rules}
		for w.b.Len() < 25_000 {
			w.line()
		}
		path := fmt.Sprintf("seeded-%d%s", i, ending)
		if err := os.WriteFile(filepath.Join(root, path), w.b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	return root, paths
}

// gitleaksRules parses the expressions, in the order of the rules' names.
func gitleaksRules(t testing.TB) (list []*syntax.Regexp) {
	t.Helper()
	f, err := parseFile(gitleaks.DefaultConfig)
	if err != nil {
		t.Fatal(err)
	}
	sources := map[string]string{}
	for _, r := range f.Rules {
		sources[r.ID] = r.Regex
	}
	for _, id := range slices.Sorted(maps.Keys(sources)) {
		if re, err := syntax.Parse(sources[id], syntax.Perl); err == nil && sources[id] != "" {
			list = append(list, re)
		}
	}
	return list
}

// writer makes text.
type writer struct {
	r     *rand.Rand
	rules []*syntax.Regexp
	b     bytes.Buffer
}

func (w *writer) pick(list ...string) string { return list[w.r.IntN(len(list))] }

func (w *writer) line() {
	switch w.r.IntN(8) {
	case 0:
		w.b.WriteString(w.pick("the key to the city", "a token of esteem: none", "func auth(secret string) {", "größe = \"密码\"", "password: ${PASSWORD}", "// see AKIA and ghp_"))
	case 1:
		for range w.r.IntN(90) {
			w.b.WriteByte(alphabet[w.r.IntN(len(alphabet))])
		}
	default:
		w.b.WriteString(w.pick("", "", " ", "x = \"", "export A=", "key: '", "{\"token\":\"", "\tAuthorization: ", "ü"))
		from := w.b.Len()
		w.match(w.rules[w.r.IntN(len(w.rules))])
		if made := w.b.Bytes()[from:]; len(made) > 0 && w.r.IntN(5) == 0 {
			made[w.r.IntN(len(made))] = w.pick("!", "\n", "A", "\xff", " ")[0]
		}
		w.b.WriteString(w.pick("", "", " ", "\"", "'", ";", "\\n", ",", "= x"))
	}
	if w.r.IntN(12) > 0 {
		w.b.WriteByte('\n')
	}
}

const alphabet = letters + capitals + digits + "+/=_-"

// match writes a string that re matches, but for its assertions.
func (w *writer) match(re *syntax.Regexp) {
	switch re.Op {
	case syntax.OpLiteral:
		for _, c := range re.Rune {
			if re.Flags&syntax.FoldCase != 0 && w.r.IntN(4) == 0 {
				c = unicode.ToUpper(c)
			}
			w.b.WriteRune(c)
		}
	case syntax.OpCharClass:
		w.b.WriteRune(w.of(re.Rune))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		w.b.WriteByte(alphabet[w.r.IntN(len(alphabet))])
	case syntax.OpStar:
		w.times(re, 0, 4)
	case syntax.OpPlus:
		w.times(re, 1, 5)
	case syntax.OpQuest:
		w.times(re, 0, 1)
	case syntax.OpRepeat:
		most := re.Max
		if most < 0 {
			most = re.Min + 8
		}
		w.times(re, re.Min, min(most, re.Min+12))
	case syntax.OpAlternate:
		w.match(re.Sub[w.r.IntN(len(re.Sub))])
	case syntax.OpCapture, syntax.OpConcat:
		for _, sub := range re.Sub {
			w.match(sub)
		}
	}
}

func (w *writer) times(re *syntax.Regexp, lo, hi int) {
	for range lo + w.r.IntN(hi-lo+1) {
		w.match(re.Sub[0])
	}
}

// of picks a rune of a class, a usual one if there is any.
func (w *writer) of(ranges []rune) rune {
	var usual []rune
	for _, c := range alphabet + " .:'\"" {
		for i := 0; i+1 < len(ranges); i += 2 {
			if ranges[i] <= c && c <= ranges[i+1] {
				usual = append(usual, c)
			}
		}
	}
	if len(usual) == 0 {
		return ranges[0]
	}
	return usual[w.r.IntN(len(usual))]
}
