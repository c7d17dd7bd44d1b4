package e2e

import (
	"bytes"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/cryptotest"
	"unicode"

	"github.com/pratique/pratique"
)

// The planted set is an examination of the secret scanner, written without sight
// of its rules: each kind of credential in a file where container images have it,
// among thousands of files that only look as if they had one. Values are drawn at
// run time from a fixed seed, in the alphabet, length and checksum of their kind.

const (
	plantedSeed  = 20_117
	plantedEach  = 2     // files of each kind, with different values
	fillerFiles  = 5_200 // at least 5 000
	leastRecall  = 0.95  // of planted files
	mostFalse    = 5     // findings in fillers, for each 5 000 of them
	leastPlanted = 90
	leastKinds   = 75
)

// plantedSet is the content of a folder.
type plantedSet struct {
	dir     string            // "" until it is written
	content map[string][]byte // path → file
	planted map[string]string // path → kind
	fillers map[string]string // path → form
	// values must not appear in any output. Only those that are secret as a whole:
	// names of accounts, and prefixes that a mask may show, are not among them.
	values []string
}

// kind is a sort of credential in the form of file that has it.
type kind struct {
	name string
	// path is in the syntax of mint.fill. A path that starts with "srv" or "opt"
	// gets a folder of its own by «app»; a second file of a path that is fixed goes
	// to another root file system.
	path string
	make func(*mint) []byte
}

func drawPlanted(t *testing.T) plantedSet {
	t.Helper()
	cryptotest.SetGlobalRandom(t, plantedSeed)
	m := &mint{Rand: rand.New(rand.NewPCG(plantedSeed, 1)), t: t}
	s := plantedSet{content: map[string][]byte{}, planted: map[string]string{}, fillers: map[string]string{}}
	for _, k := range kinds() {
		for range plantedEach {
			name := m.fill(k.path)
			for s.content[name] != nil { // a fixed path: another root file system beside
				name = path.Join(m.fill("var/lib/machines/«word»«digits:2»"), m.fill(k.path))
			}
			s.planted[name], s.content[name] = k.name, k.make(m)
		}
	}
	s.values = m.secrets
	m = &mint{Rand: rand.New(rand.NewPCG(plantedSeed, 2)), t: t}
	forms := fillers()
	for i := range fillerFiles {
		f := forms[i%len(forms)]
		name := m.fill(f.path)
		for s.content[name] != nil {
			name = path.Join(path.Dir(name), m.word()+m.of(digits, 4), path.Base(name))
		}
		s.fillers[name], s.content[name] = f.path, f.make(m)
	}
	return s
}

// plant draws the set and writes it to a folder.
func plant(t *testing.T) plantedSet {
	t.Helper()
	s := drawPlanted(t)
	s.write(t)
	return s
}

func (s *plantedSet) write(t *testing.T) {
	t.Helper()
	s.dir = t.TempDir()
	for name, data := range s.content {
		file := filepath.Join(s.dir, filepath.FromSlash(name))
		made := os.MkdirAll(filepath.Dir(file), 0o755)
		if err := errors.Join(made, os.WriteFile(file, data, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
}

// score is how a scanner did.
type score struct {
	missed map[string]int // kind → planted files without a finding
	found  int
	alarms map[string][]string // form of filler and rule → findings, "path:line"
	cries  int                 // all of them
}

// hit is a finding of any scanner; file is relative to the set's folder.
type hit struct {
	file, rule string
	line       int
}

func (s plantedSet) score(hits []hit) score {
	r := score{missed: map[string]int{}, alarms: map[string][]string{}}
	seen := map[string]bool{}
	for _, h := range hits {
		file, _, _ := strings.Cut(h.file, "!") // ours nests by "!/", gitleaks by "!"
		seen[file] = true
		if form := s.fillers[file]; form != "" {
			form += " by " + h.rule
			r.alarms[form] = append(r.alarms[form], fmt.Sprintf("%s:%d", h.file, h.line))
			r.cries++
		}
	}
	for file, kind := range s.planted {
		if seen[file] {
			r.found++
		} else {
			r.missed[kind]++
		}
	}
	return r
}

func (s plantedSet) recall(r score) float64 { return float64(r.found) / float64(len(s.planted)) }

// falseRate is the number of false alarms for each 5 000 fillers.
func (s plantedSet) falseRate(r score) float64 {
	return float64(r.cries) * 5000 / float64(len(s.fillers))
}

func (s plantedSet) log(t *testing.T, who string, r score) {
	t.Helper()
	t.Logf("%s: %d of %d planted files (%.3f), %d false alarms in %d fillers", who, r.found, len(s.planted), s.recall(r), r.cries, len(s.fillers))
	for _, kind := range slices.Sorted(maps.Keys(r.missed)) {
		t.Logf("%s misses %d of %d: %s", who, r.missed[kind], plantedEach, kind)
	}
	for _, form := range slices.Sorted(maps.Keys(r.alarms)) {
		t.Logf("%s is wrong %d times: %s, as in %s", who, len(r.alarms[form]), form, slices.Min(r.alarms[form]))
	}
}

// scan is ours. That lock files of words that were drawn have no sense is of no
// account; that a file is not looked at whole for secrets is.
func (s plantedSet) scan(t *testing.T, in invocation) (pratique.Report, outcome) {
	t.Helper()
	report, out := scan(t, in, "dir:"+s.dir)
	if out.exit != 0 && out.exit != 3 {
		t.Fatalf("exit %d\nstderr: %s", out.exit, tail(out.stderr))
	}
	for _, p := range report.Problems {
		if p.Analyzer != "software" {
			t.Errorf("%s: %s", p.Path, p.Message)
		}
	}
	return report, out
}

// unsuppressed are the findings of a report that count, apart from those of the
// image's configuration.
func unsuppressed(r pratique.Report) []hit {
	var hits []hit
	for _, f := range r.Secrets {
		if f.Suppressed == "" && f.Source == "file" {
			hits = append(hits, hit{strings.TrimPrefix(f.Path, "/"), f.Rule, f.Line})
		}
	}
	return hits
}

func TestPlantedSecrets(t *testing.T) {
	s := plant(t)
	distinct := map[string]bool{}
	for _, k := range s.planted {
		distinct[k] = true
	}
	if len(s.planted) < leastPlanted || len(distinct) < leastKinds || len(s.fillers) < 5000 {
		t.Fatalf("the set has %d planted files of %d kinds and %d fillers", len(s.planted), len(distinct), len(s.fillers))
	}
	report, _ := s.scan(t, invocation{})
	r := s.score(unsuppressed(report))
	s.log(t, "pratique", r)
	if got := s.recall(r); got < leastRecall {
		t.Errorf("recall %.3f of planted files, want at least %.2f", got, leastRecall)
	}
	if got := s.falseRate(r); got > mostFalse {
		t.Errorf("%.1f false alarms for each 5 000 fillers, want at most %d", got, mostFalse)
	}
}

// No value is in a report of any format, in a log, or in what is kept.
func TestPlantedValuesStaySecret(t *testing.T) {
	s := drawPlanted(t)
	maps.DeleteFunc(s.content, func(name string, _ []byte) bool { return s.planted[name] == "" })
	s.write(t)
	for _, format := range []string{"json", "table", "cyclonedx", "spdx"} {
		in := invocation{args: []string{"scan", "dir:" + s.dir, "--all", "-v", "--format", format}, cache: t.TempDir(), home: t.TempDir()}
		out := pratiqueRun(t, in)
		if len(out.stdout) == 0 {
			t.Fatalf("no report as %s: exit %d\n%s", format, out.exit, tail(out.stderr))
		}
		s.absentFrom(t, "the report as "+format, out.stdout)
		s.absentFrom(t, "the log of "+format, out.stderr)
		for _, file := range append(listing(t, in.cache), listing(t, in.home)...) {
			kept, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s.absentFrom(t, file, string(kept))
		}
	}
}

// absentFrom fails the test if a planted value is in what the scanner wrote.
func (s plantedSet) absentFrom(t *testing.T, where, text string) {
	t.Helper()
	for _, v := range s.values {
		if strings.Contains(text, v) {
			t.Errorf("%s has a planted value in plain (%d characters, %.4s…)", where, len(v), v)
		}
	}
}

// The set is the same in every run, but for what openssl salts.
func TestPlantedSetIsDeterministic(t *testing.T) {
	one, two := drawPlanted(t), drawPlanted(t)
	if len(one.content) != len(two.content) {
		t.Fatalf("%d files, then %d", len(one.content), len(two.content))
	}
	for name := range one.content {
		if !bytes.Equal(one.content[name], two.content[name]) && !strings.HasSuffix(name, ".p12") {
			t.Errorf("%s differs", name)
		}
	}
}

// mint draws values.
type mint struct {
	*rand.Rand
	t       *testing.T
	secrets []string
	rsa     *rsa.PrivateKey // the last one made
}

const (
	digits  = "0123456789"
	lower   = "abcdefghijklmnopqrstuvwxyz"
	upper   = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	hexa    = digits + "abcdef"
	base62  = digits + upper + lower
	base64u = base62 + "-_"
)

func (m *mint) of(alphabet string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[m.IntN(len(alphabet))]
	}
	return string(b)
}

func (m *mint) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(m.Uint32())
	}
	return b
}

func pick[T any](m *mint, all ...T) T { return all[m.IntN(len(all))] }

// words are neither in a placeholder nor in a secret by themselves.
var words = strings.Fields(`amber anchor apple arrow aspen atlas autumn badger bamboo barley basin beacon birch bison border branch breeze
	bridge bronze brook cabin cactus candle canyon carbon cedar chapel cherry cinder citrus cliff clover cobalt comet copper coral cotton crane
	creek crystal cypress delta desert diamond dolphin eagle ember falcon fern field finch flint forest fossil garden garnet glacier granite
	harbor harvest hazel heron hickory horizon indigo iris island ivory jasper jungle juniper lagoon lantern laurel lemon lilac linen lotus
	lunar magnet maple marble meadow mercury meteor mill mint mirror misty monsoon moss mountain nectar nickel north oak oasis ocean olive
	onyx opal orbit orchid otter owl oyster palm panther paper pearl pebble pepper pine planet plaza plum polar pond poplar prairie quartz
	quill rain raven reef ridge river robin rocket rose ruby saffron sage sail salmon sandal saturn sierra silver slate snow solar
	south spark spruce star stone storm summit sunset swan temple thunder tiger timber topaz trail tulip tundra valley velvet violet walnut
	willow winter wolf zebra zephyr zinc`)

func (m *mint) word() string { return pick(m, words...) }

func title(s string) string { return string(unicode.ToUpper(rune(s[0]))) + s[1:] }

// password is what people choose, or what a generator gives them.
func (m *mint) password(marks string) string {
	switch m.IntN(3) {
	case 0: // Harbor-Mill4821
		return title(m.word()) + m.of(marks, 1) + title(m.word()) + m.of(digits, 4)
	case 1: // k7Qz…
		return m.of(base62, 16+m.IntN(9))
	default:
		return m.of(lower, 3) + m.of(marks, 1) + m.of(base62, 10+m.IntN(6)) + m.of(digits, 2) + m.of(marks, 1) + m.of(upper, 2)
	}
}

// checked is 30 characters and their CRC-32 in base 62, as GitHub and npm have it.
func (m *mint) checked(n int) string {
	body := m.of(base62, n)
	sum, tail := uint64(crc32.ChecksumIEEE([]byte(body))), ""
	for range 6 {
		tail = string(base62[sum%62]) + tail
		sum /= 62
	}
	return body + tail
}

func (m *mint) uuid() string {
	return m.of(hexa, 8) + "-" + m.of(hexa, 4) + "-4" + m.of(hexa, 3) + "-" + m.of("89ab", 1) + m.of(hexa, 3) + "-" + m.of(hexa, 12)
}

// jwt is signed with HS256, of a service that never expires.
func (m *mint) jwt() string {
	part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	return part(`{"alg":"HS256","typ":"JWT"}`) + "." +
		part(fmt.Sprintf(`{"iss":"%s","sub":"%s","role":"service_role","iat":17%s}`, m.word(), m.uuid(), m.of(digits, 8))) + "." + m.of(base64u, 43)
}

var directive = regexp.MustCompile(`«([A-Za-z0-9]+)(?::(\d+))?»`)

// fill replaces «name» and «name:length» by values that it draws.
func (m *mint) fill(template string) string {
	return directive.ReplaceAllStringFunc(template, func(d string) string {
		parts := directive.FindStringSubmatch(d)
		n, _ := strconv.Atoi(parts[2])
		switch parts[1] {
		case "pw": // in a file where most marks are harmless
			return m.secret(m.password("!@%^*-_+."))
		case "urlpw":
			return m.secret(m.password("-_.~"))
		case "key": // secret as a whole
			return m.secret(m.of(base62, n))
		case "hexkey":
			return m.secret(m.of(hexa, n))
		case "checked":
			return m.checked(n)
		case "basic":
			return m.secret(base64.StdEncoding.EncodeToString([]byte(m.word() + ":" + m.secret(m.password("-_.")))))
		case "b64":
			return base64.StdEncoding.EncodeToString(m.bytes(n))
		case "b64key":
			return m.secret(base64.StdEncoding.EncodeToString(m.bytes(n)))
		case "url64":
			return m.of(base64u, n)
		case "aws": // the rest of an access key: base 32
			return m.of(upper+"234567", 16)
		case "crypt":
			return m.of("./"+base62, n)
		case "sha512crypt":
			return m.of("./"+base62, 86)
		case "alnum":
			return m.of(base62, n)
		case "letters":
			return m.of(upper+lower, n)
		case "upper":
			return m.of(upper+digits, n)
		case "lower":
			return m.of(lower+digits, n)
		case "hex":
			return m.of(hexa, n)
		case "HEX":
			return strings.ToUpper(m.of(hexa, n))
		case "digits":
			return m.of(digits[1:], n)
		case "jwt":
			return m.jwt()
		case "uuid":
			return m.uuid()
		case "word":
			return m.word()
		case "Word":
			return title(m.word())
		case "app": // a folder of its own
			return m.word() + "-" + m.word() + m.of(digits, 3)
		case "host":
			return m.word() + "-" + pick(m, "db", "int", "prod", "core", "eu1") + "." + m.word() + pick(m, ".io", ".net", ".internal", ".com.cn", ".org")
		case "user":
			return pick(m, "svc_", "app_", "", "") + m.word()
		case "say":
			return m.sentence(max(n, 8))
		}
		m.t.Fatalf("the template has %s, which nobody knows", d)
		return ""
	})
}

func (m *mint) secret(v string) string {
	m.secrets = append(m.secrets, v)
	return v
}

func (m *mint) sentence(n int) string {
	all := make([]string, n)
	for i := range all {
		all[i] = m.word()
	}
	return title(strings.Join(all, " "))
}

// lines repeats a template.
func (m *mint) lines(n int, template string) string {
	var b strings.Builder
	for range n {
		b.WriteString(m.fill(template))
	}
	return b.String()
}

// text is a file that a template describes.
func text(template string) func(*mint) []byte {
	return func(m *mint) []byte { return []byte(m.fill(template)) }
}
