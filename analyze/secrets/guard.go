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
	// The value of a binary container is the whole file, in which any letters
	// may stand side by side by chance.
	binary := f.rule.context == contextMagic
	weak := f.rule.generic || f.rule.broad || f.rule.kind == "password" || f.rule.kind == "connection string"
	switch {
	case binary:
	case g.placeholders && (placeholder(f.secret) || fill(f.secret)):
		f.dropped = true
	case g.placeholders && f.rule.id == "private-key" && !holdsKey(f.secret):
		f.dropped = true
	case g.entropy && f.rule.rank == rankTheirs && reads(f.secret), g.entropy && f.rule.generic && identifier(f.secret):
		f.dropped = true
	case weak && g.stopWords && (stopWords().contains(f.secret) || names(f.secret) || inName(f) || label(f.secret)):
		f.dropped = true
	case weak && g.entropy && len(f.secret) > 0 && entropy(f.secret) < 1.5:
		f.dropped = true
	case weak && g.placeholders && ciphertext(f.secret):
		f.dropped = true
	case g.examples && (example(f.secret) || publicDefault(f)):
		f.suppressed = "example key from a manual"
	case g.testKeys && testKey(path, f):
		f.suppressed = "public test key"
	}
	if g.vendored && f.suppressed == "" && (vendored(path, weak) || weak && (translation(path) || template(path))) {
		f.suppressed = "documentation, fixture or vendored code"
	}
}

// placeholder tells values that are filled in later. A dollar sign or a brace
// inside a value says nothing: keys and passwords have them.
func placeholder(v []byte) bool {
	v = bytes.Trim(v, " \t\"'`")
	if len(v) == 0 || len(v) > 4096 {
		return false
	}
	switch {
	case v[0] == '<' && v[len(v)-1] == '>', v[0] == '[' && v[len(v)-1] == ']', v[0] == '{' && v[len(v)-1] == '}' && len(v) < 64:
		return true
	case v[0] == '%' && v[len(v)-1] == '%', v[0] == '@' && v[len(v)-1] == '@':
		return true
	case v[0] == '$' && name(v[1:]), v[0] == '%' && len(v) > 3 && capital(v[1:]):
		return true
	case v[0] == '%' && len(v) <= 12 && bytes.ContainsAny(v[len(v)-1:], "sdqvr"):
		return true
	}
	return referring(v)
}

// references are how templates and shells write what they fill in.
var references = []struct{ open, close string }{{"${", "}"}, {"$(", ")"}, {"{{", "}}"}, {"<%", "%>"}}

// referring tells values that are references, with little text around them: not
// enough to be a secret by itself.
func referring(v []byte) bool {
	found, rest := false, 0
	for len(v) > 0 {
		if n := reference(v); n > 0 {
			found, v = true, v[n:]
			continue
		}
		if c := lower(v[0]); 'a' <= c && c <= 'z' || '0' <= c && c <= '9' {
			rest++
		}
		v = v[1:]
	}
	return found && rest < 12
}

// reference returns the length of the reference that v begins with, or 0. One
// that is cut off by the end of the value counts, if it begins with a name.
func reference(v []byte) int {
	for _, r := range references {
		if !bytes.HasPrefix(v, []byte(r.open)) {
			continue
		}
		if i := bytes.Index(v, []byte(r.close)); i >= 0 {
			return i + len(r.close)
		}
		if name(bytes.Trim(v[len(r.open):], " ")) || len(v) == len(r.open) {
			return len(v)
		}
	}
	return 0
}

// fill tells values that are mostly one character over and over, whatever
// stands before.
func fill(v []byte) bool {
	if len(v) < 3 || len(v) > 4096 {
		return false
	}
	run, longest := 1, 1
	for i := 1; i < len(v); i++ {
		if v[i] != v[i-1] {
			run = 0
		}
		if run++; run > longest {
			longest = run
		}
	}
	if longest == len(v) {
		return bytes.IndexByte([]byte("x*.-_?0#"), lower(v[0])) >= 0
	}
	return longest >= 10 && longest*2 >= len(v)
}

// capital tells names of variables of the environment.
func capital(v []byte) bool {
	return name(v) && bytes.Equal(v, bytes.ToUpper(v)) && !bytes.ContainsAny(v, "0123456789")
}

// identifier tells names with a number: "branch-468", "user_17".
func identifier(v []byte) bool {
	body := bytes.TrimRight(v, "0123456789")
	if len(v)-len(body) > 6 {
		return false
	}
	for _, c := range body {
		if (c < 'a' || c > 'z') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return len(body) > 0
}

// names tells values that say where a secret is, or that it has yet to be put
// there, and not what it is.
func names(v []byte) bool {
	for _, p := range []string{"arn:aws", "your-", "your_", "<your", "secretsmanager:", "projects/", "op://", "vault://", "ssm:/", "keyvault:"} {
		if len(v) >= len(p) && strings.EqualFold(string(v[:len(p)]), p) {
			return true
		}
	}
	return false
}

// inName tells matches inside the name of a resource, as of a secret of AWS:
// "arn:aws:secretsmanager:region:account:secret:name".
func inName(f *finding) bool {
	at := bytes.Index(f.line, f.match)
	if at < 0 {
		return false
	}
	value := at + max(0, bytes.Index(f.match, f.secret))
	start := bytes.LastIndexAny(f.line[:value], " \t\n\"'`=,") + 1
	return bytes.HasPrefix(f.line[start:], []byte("arn:"))
}

// label tells words of a language that is not written in ASCII, as they are or
// as \\uXXXX: a password with such letters would have a digit as well.
func label(v []byte) bool {
	foreign := false
	for i := 0; i < len(v); i++ {
		switch c := v[i]; {
		case c >= 0x80:
			foreign = true
		case c == '\\' && i+5 < len(v) && v[i+1] == 'u' && hexadecimal(v[i+2:i+6]):
			foreign = true
			i += 5
		case '0' <= c && c <= '9':
			return false
		}
	}
	return foreign
}

func hexadecimal(v []byte) bool {
	for _, c := range v {
		if c = lower(c); (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// sealed is how SealedSecrets begin: 512 as a 16-bit number, the length of a
// session key under RSA-4096, in base64.
var sealed = []string{"AgA", "AgB", "AgC", "AgD"}

// ciphertext tells values that only the holder of a key can read: of SOPS,
// Jasypt, Spring Cloud Config, Ansible Vault and Bitnami's SealedSecrets.
func ciphertext(v []byte) bool {
	for _, p := range []string{"ENC[", "ENC(", "{cipher}", "$ANSIBLE_VAULT;", "!vault", "age1:", "-----BEGIN AGE", "vault:v1:"} {
		if bytes.HasPrefix(v, []byte(p)) {
			return true
		}
	}
	return len(v) >= 100 && slices.Contains(sealed, string(v[:3])) && !bytes.ContainsAny(v[:100], ".-_:@ ")
}

// nearby are hosts of addresses that no credential is worth anything at.
var nearby = []string{"localhost", "127.0.0.1", "[::1]", "0.0.0.0", "host.docker.internal", "example.com", "example.org", "example.net"}

// publicDefault tells credentials that everybody knows: guest of RabbitMQ, and
// in addresses of the machine itself, or of a manual, a password that is the
// user's name.
func publicDefault(f *finding) bool {
	_, rest, ok := bytes.Cut(f.match, []byte("://"))
	user, rest, ok2 := bytes.Cut(rest, []byte(":"))
	if !ok || !ok2 || !bytes.Equal(user, f.secret) {
		return false
	}
	host := string(bytes.TrimPrefix(bytes.TrimPrefix(rest, f.secret), []byte("@")))
	return string(user) == "guest" || slices.ContainsFunc(nearby, func(n string) bool {
		short := min(len(n), len(host)) // rules look at the beginning of a host only
		return short >= 5 && strings.EqualFold(host[:short], n[:short])
	})
}

// commentedSample tells an account in a comment of XML, as they come with
// servers, whose password is the user's name.
func commentedSample(text []byte, at int, f *finding) bool {
	quoted := slices.Concat([]byte{'"'}, f.secret, []byte{'"'})
	if at < 0 || at > len(text) || bytes.Count(f.line, quoted) < 2 {
		return false
	}
	before := text[max(0, at-maxLine):at]
	open := bytes.LastIndex(before, []byte("<!--"))
	return open >= 0 && !bytes.Contains(before[open:], []byte("-->"))
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
		must-be-changed must_be_changed s3cret
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

// translations are folders and names of files with texts for people.
var translations = sync.OnceValue(func() *automaton {
	a, _ := newAutomaton([]string{"/i18n/", "/locale/", "/locales/", "/lang/", "/langs/", "/languages/", "/translations/", "/l10n/", "/nls/", "/messages_", "/messages.", "/strings_"})
	return a
})

// texts are the formats that translations are in.
var texts = extensions("properties json json5 yml yaml po php js ts xml toml ini resx strings arb")

// translation tells files with words for people from settings.
func translation(path string) bool {
	return texts[extension(path)] && translations().contains([]byte("/"+path))
}

// template tells files that are copied and filled in, by their last extension.
func template(path string) bool { return templates[extension(path)] }

var templates = extensions("example sample dist tmpl template tpl default")

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
