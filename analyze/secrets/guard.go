package secrets

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/pratique/pratique"
)

// Guard is a way to tell that what looks like a secret is none. Each can be
// switched off with Options.GuardsOff.
type Guard string

const (
	// GuardEntropy drops passwords that are one character over and over, or
	// hardly more.
	GuardEntropy Guard = "entropy"
	// GuardStopWords drops passwords that say that they are none: "changeme",
	// "your-password-here".
	GuardStopWords Guard = "stop-words"
	// GuardPlaceholders drops what is filled in later: ${VAR}, <password>, {{ x }}.
	GuardPlaceholders Guard = "placeholders"
	// GuardExamples suppresses keys that vendors print in their manuals.
	GuardExamples Guard = "examples"
	// GuardTestKeys suppresses private keys that are published for tests.
	GuardTestKeys Guard = "test-keys"
	// GuardVendored suppresses documentation, fixtures and weak evidence in
	// folders that package managers own, and does not read manuals and
	// translations.
	GuardVendored Guard = "vendored"
)

// AllGuards lists them.
func AllGuards() []Guard {
	return []Guard{GuardEntropy, GuardStopWords, GuardPlaceholders, GuardExamples, GuardTestKeys, GuardVendored}
}

type guards struct {
	entropy, stopWords, placeholders, examples, testKeys, vendored bool
	off                                                            string
}

func newGuards(off []Guard) (guards, error) {
	for _, g := range off {
		if !slices.Contains(AllGuards(), g) {
			return guards{}, pratique.Errorf(pratique.CodeInvalid, "%.40q is no guard of the secret rules", g).
				WithRemedy("use one of %v", AllGuards())
		}
	}
	on := func(g Guard) bool { return !slices.Contains(off, g) }
	sorted := slices.Clone(off)
	slices.Sort(sorted)
	return guards{
		entropy: on(GuardEntropy), stopWords: on(GuardStopWords), placeholders: on(GuardPlaceholders),
		examples: on(GuardExamples), testKeys: on(GuardTestKeys), vendored: on(GuardVendored),
		off: fmt.Sprint(sorted),
	}, nil
}

// String names what is switched off.
func (g guards) String() string { return g.off }

// judge drops or suppresses f.
func (g *guards) judge(path string, f *finding) {
	if f.suppressed != "" {
		return
	}
	weak := f.rule.generic || f.rule.kind == "password" || f.rule.kind == "connection string"
	switch {
	case g.placeholders && placeholder(f.secret):
		f.dropped = true
	case g.placeholders && f.rule.id == "private-key" && !holdsKey(f.secret):
		f.dropped = true
	case g.entropy && f.rule.rank == rankTheirs && reads(f.secret):
		f.dropped = true
	case weak && g.stopWords && stopWords().contains(f.secret):
		f.dropped = true
	case weak && g.entropy && len(f.secret) > 0 && entropy(f.secret) < 1.5:
		f.dropped = true
	case g.examples && example(f.secret):
		f.suppressed = "example key from a manual"
	case g.testKeys && testKey(path, f):
		f.suppressed = "public test key"
	case g.vendored && vendored(path, weak):
		f.suppressed = "documentation, fixture or vendored code"
	}
}

// placeholder tells values that are filled in later, or made up of one
// character.
func placeholder(v []byte) bool {
	v = bytes.Trim(v, " \t\"'`")
	if len(v) == 0 {
		return false
	}
	switch {
	case bytes.Contains(v, []byte("${")), bytes.Contains(v, []byte("{{")), bytes.Contains(v, []byte("$(")), bytes.Contains(v, []byte("<%")):
		return true
	case v[0] == '<' && v[len(v)-1] == '>', v[0] == '[' && v[len(v)-1] == ']', v[0] == '{' && v[len(v)-1] == '}' && len(v) < 64:
		return true
	case v[0] == '%' && v[len(v)-1] == '%', v[0] == '@' && v[len(v)-1] == '@':
		return true
	case v[0] == '$' && name(v[1:]):
		return true
	case v[0] == '%' && len(v) <= 12 && bytes.ContainsAny(v[len(v)-1:], "sdqvr"):
		return true
	}
	first := lower(v[0])
	return len(v) > 2 && bytes.IndexByte([]byte("x*.-_?0#"), first) >= 0 && len(bytes.Trim(v, string([]byte{v[0]}))) == 0
}

// holdsKey tells a PEM block with a key in it from code that only names its
// first and last line.
func holdsKey(pem []byte) bool {
	run := 0
	for _, c := range pem {
		if codeByte[c] && c != '-' {
			if run++; run >= 40 {
				return true
			}
		} else {
			run = 0
		}
	}
	return false
}

// reads tells words of a language or a program from random letters: no digit,
// and few changes between upper and lower case.
func reads(v []byte) bool {
	if len(v) < 8 || len(v) > 64 {
		return false
	}
	changes := 0
	for i, c := range v {
		if '0' <= c && c <= '9' {
			return false
		}
		if i > 0 && (v[i-1] >= 'a') != (c >= 'a') {
			changes++
		}
	}
	return changes*3 <= len(v)
}

// name tells identifiers, as of variables.
func name(v []byte) bool {
	for _, c := range v {
		if c != '_' && c != '.' && (lower(c) < 'a' || lower(c) > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return len(v) > 0
}

// stopWords are parts of passwords that nobody uses.
var stopWords = sync.OnceValue(func() *automaton {
	a, _ := newAutomaton(strings.Fields(`changeme change-me change_me changeit change-it change_it placeholder yourpass your-pass
		your_pass yoursecret your-secret your_secret your-token your_token your-key your_key yourkey your-api your_api
		mypassword my-password my_password examplepass example-pass example_pass dummy redacted notreal not-real not_real
		insert-your insert_your replace-me replace_me replaceme replace-with replace_with todo fixme fill-in fill_in
		<pass <secret password-here password_here passwordhere secret-here secret_here user:pass username:password xxxxx *****
		process.env os.environ getenv( os.getenv system.getenv env. config. settings. secrets. vault: lookup(`))
	return a
})

// examples are in the manuals of vendors, in lower case; the last letters are
// enough.
var examples = sync.OnceValue(func() *automaton {
	a, _ := newAutomaton([]string{
		"7example", "examplekey", "example_key", "_example", "4ec39hqlyjwdarjtt1zdp7dc", "tysmhcuvbbl", // AWS, Stripe
		"abcdefghijklmnopqrst", "0123456789abcdef01234567", "1234567890123456", "1234567890abcdef",
		"aaaaaaaaaaaaaaaa", "0000000000000000", "deadbeefdeadbeef",
		"eyjzdwiioiixmjm0nty3odkwiiwibmftzsi6ikpvag4grg9l", // the token of jwt.io
		"jwt.io", "your-256-bit-secret", "django-insecure-example",
	})
	return a
})

func example(v []byte) bool { return examples().contains(v) }

//go:embed testkeys.txt
var testKeyList string

// testKeys are fingerprints of private keys that are published with software
// for its tests: the first half of the SHA-256 of their base64 letters.
var testKeys = sync.OnceValue(func() map[string]bool {
	set := map[string]bool{}
	for line := range strings.Lines(testKeyList) {
		if field, _, _ := strings.Cut(strings.TrimSpace(line), " "); len(field) == 32 {
			set[field] = true
		}
	}
	return set
})

func testKey(path string, f *finding) bool {
	if f.rule.kind != "private key" {
		return false
	}
	return strings.HasSuffix(path, "ssl-cert-snakeoil.key") || testKeys()[keyPrint(f.secret)]
}

// keyPrint is the fingerprint of the letters inside a PEM key, whatever its
// line breaks.
func keyPrint(pem []byte) string {
	body := pem
	if i := bytes.Index(body, []byte("KEY")); i >= 0 {
		body = body[i:]
	}
	if i := bytes.LastIndex(body, []byte("-----END")); i >= 0 {
		body = body[:i]
	}
	letters := make([]byte, 0, len(body))
	for i := 0; i < len(body); i++ {
		if body[i] == '\\' && i+1 < len(body) && (body[i+1] == 'n' || body[i+1] == 'r') {
			i++
			continue
		}
		if c := body[i]; codeByte[c] && c != '-' {
			letters = append(letters, c)
		}
	}
	sum := sha256.Sum256(letters)
	return hex.EncodeToString(sum[:16])
}

// published are folders that package managers fill with what anybody can
// download.
var published = sync.OnceValue(func() *automaton {
	a, _ := newAutomaton([]string{
		"/node_modules/", "/site-packages/", "/dist-packages/", "/go/pkg/mod/", "/gems/", "/.cargo/registry/", "/.m2/repository/",
		"/.gradle/caches/", "/.nuget/packages/", "/bower_components/", "/_cacache/", "/usr/local/go/", "/conda/pkgs/", "/conda/lib/",
	})
	return a
})

// systemRoots are those that the packages of a distribution fill, mostly.
var systemRoots = []string{
	"usr/share/", "usr/lib/", "usr/lib64/", "usr/include/", "usr/src/", "usr/libexec/", "usr/local/lib/python", "usr/local/lib/ruby/",
	"usr/local/share/perl/", "lib/", "lib64/", "opt/java/", "snap/",
}

// source are files of programs, where a distribution has no secrets of yours.
var source = extensions("c cc cpp cs go h hpp java js jsx kt lua mjs php pl pm py pyi rb rs scala sh sql swift tcl ts tsx vim el jar")

// fixtures are names of folders, or parts of file names, that hold samples.
var fixtures = sync.OnceValue(func() *automaton {
	a, _ := newAutomaton([]string{
		"/test/", "/tests/", "/testdata/", "/test-data/", "/testing/", "/fixtures/", "/fixture/", "/spec/", "/specs/", "/__tests__/", "/__mocks__/",
		"/mocks/", "/example", "/sample", "/demo/", "/demos/", "/doc/", "/docs/", "/help/", "/man/", "_test.go", "_test.py", "test_", ".test.", ".spec.",
		".md", ".rst", ".html", ".htm", ".adoc", ".pod", ".txt", "readme", "changelog", "changes", "/tutorial", "/cookbook", "/benchmark", "/usr/share/doc/",
		".sample", ".example", ".dist", ".tmpl", ".template", ".patch", ".diff", ".po", ".pot", "/vim/", "/nmap/", "/dummyserver/", "/third_party/",
	})
	return a
})

// vendored tells paths whose findings nobody who builds images brought in:
// published packages, and in a distribution's folders weak evidence, programs,
// documentation and fixtures.
func vendored(path string, weak bool) bool {
	rooted := []byte("/" + path)
	if published().contains(rooted) {
		return true
	}
	if !slices.ContainsFunc(systemRoots, func(p string) bool { return strings.HasPrefix(path, p) }) {
		return false
	}
	return weak || source[extension(path)] || fixtures().contains(rooted) || strings.Contains(path, pratique.NestedSeparator)
}
