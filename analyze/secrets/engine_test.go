package secrets

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func builtinEngine(t testing.TB) *engine {
	t.Helper()
	own, err := ownFiles()
	if err != nil {
		t.Fatal(err)
	}
	l, err := assemble(own, nil)
	if err != nil {
		t.Fatal(err)
	}
	return l.engine
}

// mixed is text of all samples in a random order, between prose and code.
func mixed(r *rand.Rand, size int) []byte {
	f := &filler{r}
	var ids []string
	for id := range positives {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	var b bytes.Buffer
	for b.Len() < size {
		switch r.IntN(4) {
		case 0:
			b.WriteString(f.fill("The {low:7} of {low:4} is key to {low:9}; token api_{low:5} auth secret.\n"))
		case 1:
			b.WriteString(f.fill("func key{an:6}(password string) error { return access.token({an:12}) }\n"))
		case 2:
			b.WriteString(f.fill("{b64:70}\n"))
		case 3:
			s := positives[ids[r.IntN(len(ids))]][0].text
			b.WriteString(f.fill(s))
			if r.IntN(3) > 0 {
				b.WriteByte('\n')
			}
		}
	}
	return b.Bytes()
}

// TestWindowsEqualWholeText holds the engine to what each expression finds when
// it runs over the whole text.
func TestWindowsEqualWholeText(t *testing.T) {
	t.Parallel()
	e := builtinEngine(t)
	s := e.scratch.Get().(*scratch)
	for seed := range uint64(2) {
		data := mixed(rand.New(rand.NewPCG(seed, 7)), 25_000)
		s.begin()
		p := &passage{data: data, to: len(data)}
		e.collect(s, p)
		for i, r := range e.config.rules {
			if r.pattern == nil || r.path != nil {
				continue
			}
			hits := s.hits[i]
			if slices.Contains(e.loose, i) {
				hits = r.pattern.anchors[0].everywhere(nil, p)
			}
			slices.SortFunc(hits, func(a, b hit) int { return a.at - b.at })
			s.spent = 0
			got := fmt.Sprint(e.matches(s, p, i, slices.Compact(hits)))
			want := fmt.Sprint(r.pattern.full().FindAllIndex(data, -1))
			if got != want {
				t.Errorf("seed %d, rule %s: %s, want %s", seed, r.id, got, want)
			}
		}
		for i := range s.hits {
			s.hits[i] = s.hits[i][:0]
		}
		s.touched = s.touched[:0]
	}
}

func TestSegmentsFindWhatAWholeTextHas(t *testing.T) {
	a := newTestAnalyzer(t, Options{})
	f := &filler{rand.New(rand.NewPCG(3, 3))}
	var b bytes.Buffer
	var lines []int
	for n := 1; b.Len() < 3*segment; n++ {
		if n%997 == 0 {
			lines = append(lines, n)
			b.WriteString(f.fill("x gsk_{an:52}\n"))
			continue
		}
		b.WriteString("nothing on this line at all, only words and more words\n")
	}
	var got []int
	for _, s := range analyzeBytes(t, a, "srv/app.log", b.Bytes()) {
		got = append(got, s.Line)
	}
	if !slices.Equal(got, lines) {
		t.Errorf("found on %d lines, want %d: %v", len(got), len(lines), got)
	}
}

// processorTime is what f costs of processors, whoever else uses them: a bound
// on a clock's time fails when the machine is busy. Callers must not be parallel.
func processorTime(t *testing.T, f func()) time.Duration {
	t.Helper()
	used := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			t.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	before := used()
	f()
	return used() - before
}

func TestOneLongLine(t *testing.T) {
	a := newTestAnalyzer(t, Options{})
	f := &filler{rand.New(rand.NewPCG(4, 4))}
	var b bytes.Buffer
	for b.Len() < segment+2*maxMatch {
		b.WriteString(`var key=function(e,t){return token[e]||"password"+t.secret},api={auth:1,curl:"x"};`)
	}
	b.WriteString(f.fill(`k="gsk_{an:52}"`))
	d := processorTime(t, func() {
		found := analyzeBytes(t, a, "srv/app.min.js", b.Bytes())
		if !reported(found, "groq-api-key") {
			t.Errorf("not found: %v", rulesOf(found))
		}
	})
	if d > 10*time.Second {
		t.Errorf("took %v", d)
	}
}

// A text full of beginnings without ends must not cost the square of its size.
func TestHostileText(t *testing.T) {
	a := newTestAnalyzer(t, Options{})
	for _, line := range []string{"-----BEGIN RSA PRIVATE KEY-----\n", "curl -u ", `"kty":"RSA",`, "ops_eyJ", "eyJhbGciOi"} {
		data := []byte(strings.Repeat(line, (96<<10)/len(line)))
		if d := processorTime(t, func() { analyzeBytes(t, a, "srv/x.txt", data) }); d > 15*time.Second {
			t.Errorf("%q: %v", line, d)
		}
	}
}

func FuzzAutomaton(f *testing.F) {
	f.Add("he,she,his,hers", "ushers say HE")
	f.Add("aa,a,aaa", "aaaaAAAA")
	f.Fuzz(func(t *testing.T, list, text string) {
		words := strings.Split(list, ",")
		a, ok := newAutomaton(words)
		if !ok {
			return
		}
		got := map[string]int{}
		a.scan([]byte(text), func(w int32, end int) { got[fmt.Sprint(w, " ", end)]++ })
		want := map[string]int{}
		fold := func(s string) string {
			b := []byte(s)
			for i := range b {
				b[i] = lower(b[i])
			}
			return string(b)
		}
		for i, w := range words {
			for end := len(w); w != "" && end <= len(text); end++ {
				if fold(text[end-len(w):end]) == fold(w) {
					want[fmt.Sprint(int32(i), " ", end)]++
				}
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("words %q in %q: %v, want %v", words, text, got, want)
		}
	})
}

// FuzzPattern holds windows and sieve to what the expression finds alone.
func FuzzPattern(f *testing.F) {
	for _, seed := range []string{`\b(ghp_[0-9a-z]{4})`, `[\w.-]{0,5}?(?:key|token)[ =]{1,3}(\w{3,})`, `(?i)ab+c|x{2}yz$`, `^foo.*?bar`} {
		f.Add(seed, "a ghp_1234 my-key = abcdef abbbc xxyz foo..bar token=xyz")
	}
	f.Fuzz(func(t *testing.T, source, text string) {
		if len(source) > 60 || len(text) > 300 {
			return
		}
		re, err := regexp.Compile(source)
		if err != nil || re.MatchString("") {
			return
		}
		p, err := newPattern(source)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range p.anchors {
			if a.sieve.nullable {
				return
			}
		}
		e, ok := newEngine(&config{rules: []*rule{{id: "x", pattern: p}}})
		if !ok {
			return
		}
		s := e.scratch.Get().(*scratch)
		s.begin()
		d := &passage{data: []byte(text), to: len(text)}
		e.collect(s, d)
		hits := s.hits[0]
		if len(e.loose) > 0 {
			hits = p.anchors[0].everywhere(nil, d)
		}
		slices.SortFunc(hits, func(a, b hit) int { return a.at - b.at })
		got := fmt.Sprint(e.matches(s, d, 0, slices.Compact(hits)))
		if want := fmt.Sprint(re.FindAllIndex([]byte(text), -1)); got != want && !strings.ContainsAny(text, "\u212a\u017f") {
			t.Fatalf("%q in %q: %s, want %s", source, text, got, want)
		}
	})
}

func FuzzConfig(f *testing.F) {
	f.Add("[[rules]]\nid='x'\nregex='''a{2,}'''\n[[allowlists]]\npaths=['b']\n")
	f.Add("[extend]\nuseDefault=true\ndisabledRules=['jwt']\n")
	f.Fuzz(func(t *testing.T, text string) {
		a, err := New(Options{ConfigTOML: text})
		if err == nil {
			analyzeBytes(t, a, "x.txt", []byte("aaa key=value token: abcdefghijklmnop\n"))
		}
	})
}

func BenchmarkAutomaton(b *testing.B) {
	e := builtinEngine(b)
	data := mixed(rand.New(rand.NewPCG(1, 1)), 1<<20)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		e.machine.scan(data, func(int32, int) {})
	}
}
