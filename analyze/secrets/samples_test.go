package secrets

import (
	"bytes"
	"context"
	"encoding/base64"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/analyze"
)

// filler writes values into templates at run time, so that no file of the
// repository holds what looks like a credential: {an:20} is 20 letters and
// digits, and so on.
type filler struct{ r *rand.Rand }

var slot = regexp.MustCompile(`\{(\w+)(?::(\d+))?\}`)

const (
	letters  = "abcdefghijklmnopqrstuvwxyz"
	capitals = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits   = "0123456789"
)

func (f *filler) fill(template string) string {
	return slot.ReplaceAllStringFunc(template, func(s string) string {
		m := slot.FindStringSubmatch(s)
		n, _ := strconv.Atoi(m[2])
		switch m[1] {
		case "an":
			return f.of(letters+capitals+digits, n)
		case "hex":
			return f.of(digits+"abcdef", n)
		case "HEX":
			return f.of(digits+"ABCDEF", n)
		case "low":
			return f.of(letters+digits, n)
		case "UP":
			return f.of(capitals+digits, n)
		case "b32":
			return f.of(capitals+"234567", n)
		case "url":
			return f.of(letters+capitals+digits+"_-", n)
		case "b64":
			return f.of(letters+capitals+digits+"+/", n)
		case "d":
			return f.of(digits, n)
		case "uuid":
			return f.fill("{hex:8}-{hex:4}-{hex:4}-{hex:4}-{hex:12}")
		case "pw":
			return f.of(letters, 3) + f.of(digits, 3) + f.of("!+~^", 1) + f.of(capitals, 4) + f.of(digits, 2)
		case "auth":
			return base64.StdEncoding.EncodeToString([]byte("robot:" + f.of(letters+digits, 14)))
		case "jwt":
			enc := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
			return enc(`{"alg":"HS256","typ":"JWT"}`) + "." + enc(`{"sub":"`+f.of(digits, 10)+`","scope":"all"}`) + "." + f.of(letters+capitals+digits+"_-", 43)
		case "pem":
			var b strings.Builder
			for range 12 {
				b.WriteString(f.of(letters+capitals+digits+"+/", 64) + "\n")
			}
			return b.String()
		case "words":
			return strings.TrimSpace(strings.Repeat(f.of(letters, 5)+" ", 11) + f.of(letters, 6))
		}
		return s
	})
}

func (f *filler) of(alphabet string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[f.r.IntN(len(alphabet))]
	}
	return string(b)
}

// sample is a file, or a build step, in which a rule finds something or not.
type sample struct {
	path string
	text string
}

func (s *sample) findings(t *testing.T, a *Analyzer, f *filler) []pratique.Secret {
	t.Helper()
	text := f.fill(s.text)
	if s.path == "config" {
		return a.Config(pratique.Image{Config: pratique.Config{Env: []string{text}}})
	}
	return analyzeBytes(t, a, s.path, []byte(text))
}

func analyzeBytes(t testing.TB, a *Analyzer, path string, data []byte) []pratique.Secret {
	t.Helper()
	var facts pratique.Facts
	file := &analyze.File{Path: path, Size: int64(len(data)), Head: data[:min(len(data), analyze.SniffLen)]}
	if !a.Wants(file) {
		return nil
	}
	if err := a.Analyze(context.Background(), file, memory{bytes.NewReader(data), data}, &facts); err != nil {
		t.Fatal(err)
	}
	return facts.Secrets
}

func newTestAnalyzer(t testing.TB, opt Options) *Analyzer {
	t.Helper()
	if opt.Key == nil {
		opt.Key = []byte("test key")
	}
	a, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// reported tells whether the rule itself, or a more specific one, was reported
// and counts.
func reported(found []pratique.Secret, id string) bool {
	return slices.ContainsFunc(found, func(s pratique.Secret) bool { return s.Rule == id && s.Suppressed == "" })
}

func TestSamples(t *testing.T) {
	own, err := ownFiles()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, text := range own {
		f, err := parseFile(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range f.Rules {
			known[r.ID] = true
			if len(positives[r.ID]) == 0 && r.Context != contextMagic {
				t.Errorf("rule %s has no true sample", r.ID)
			}
			if len(negatives[r.ID]) == 0 && r.Context != contextMagic {
				t.Errorf("rule %s has no false sample", r.ID)
			}
		}
	}
	a := newTestAnalyzer(t, Options{})
	f := &filler{rand.New(rand.NewPCG(1, 2))}
	for id, list := range positives {
		if !known[id] {
			t.Errorf("samples for unknown rule %s", id)
		}
		for _, s := range list {
			if found := s.findings(t, a, f); !reported(found, id) {
				t.Errorf("%s: not found in %s: %q; found %v", id, s.path, s.text, rulesOf(found))
			}
		}
	}
	for id, list := range negatives {
		for _, s := range list {
			if reported(s.findings(t, a, f), id) {
				t.Errorf("%s: found in %s: %q", id, s.path, s.text)
			}
		}
	}
}

func rulesOf(found []pratique.Secret) (ids []string) {
	for _, s := range found {
		ids = append(ids, s.Rule+" "+s.Suppressed)
	}
	return ids
}
