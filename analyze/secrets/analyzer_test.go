package secrets

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/analyze"
	"github.com/pratique/pratique/layer"
)

func TestEncodings(t *testing.T) {
	a := newTestAnalyzer(t, Options{})
	f := &filler{rand.New(rand.NewPCG(1, 9))}
	plain := f.fill("# Größe 设置\nkey gsk_{an:52}\n")
	units := utf16.Encode([]rune(plain))
	var le, be bytes.Buffer
	binary.Write(&le, binary.LittleEndian, units)
	binary.Write(&be, binary.BigEndian, units)
	ascii := utf16.Encode([]rune(f.fill("key gsk_{an:52}\n")))
	var bare bytes.Buffer
	binary.Write(&bare, binary.LittleEndian, ascii)
	latin := append([]byte("# Gr\xf6\xdfe\n"), f.fill("key gsk_{an:52}\n")...)
	for name, data := range map[string][]byte{
		"utf-8":     []byte(plain),
		"utf-16 le": append([]byte{0xff, 0xfe}, le.Bytes()...),
		"utf-16 be": append([]byte{0xfe, 0xff}, be.Bytes()...),
		"no mark":   bare.Bytes(),
		"latin-1":   latin,
		"base64":    []byte("data: " + base64.StdEncoding.EncodeToString([]byte(plain)) + "\n"),
	} {
		if found := analyzeBytes(t, a, "srv/conf", data); !reported(found, "groq-api-key") {
			t.Errorf("%s: not found: %v", name, rulesOf(found))
		}
	}
}

// The pass opens archives, and the analyzer chooses among their members.
func TestArchives(t *testing.T) {
	a := newTestAnalyzer(t, Options{ConfigTOML: "[extend]\nuseDefault=true\n[[allowlists]]\npaths=['^srv/allowed', '^etc/allowed']\n"})
	f := &filler{rand.New(rand.NewPCG(1, 10))}
	secret := f.fill("a\nkey gsk_{an:52}\n")
	zipped := zipOf(t, map[string]string{"conf/app.txt": secret, "x.class": "\xca\xfe\xba\xbe"})
	files := map[string][]byte{
		"srv/a.zip":                  zipped,
		"srv/a.tar":                  tarOf(t, "etc/b.txt", secret),
		"srv/a.tar.gz":               gzipOf(t, tarOf(t, "etc/b.txt", secret)),
		"srv/a.log.gz":               gzipOf(t, []byte(secret)),
		"srv/outer.war":              zipOf(t, map[string]string{"in.zip": string(zipped)}),
		"srv/allowed.zip":            zipped,
		"srv/part.tar":               tarOf(t, "etc/allowed.txt", secret),
		"usr/share/man/man1/a.1.gz":  gzipOf(t, []byte(secret)),
		"usr/share/doc/x/example.gz": gzipOf(t, []byte(secret)),
		"srv/node_modules/x/y.tgz":   gzipOf(t, tarOf(t, "etc/b.txt", secret)),
		"srv/app.jar":                zipOf(t, map[string]string{"META-INF/x.png": secret, "empty": ""}),
		"srv/binary.tar":             tarOf(t, "x", "\x00\x01\x02"+secret),
	}
	want := []string{
		"srv/a.log.gz!/a.log:2", "srv/a.tar!/etc/b.txt:2", "srv/a.tar.gz!/etc/b.txt:2", "srv/a.zip!/conf/app.txt:2",
		"srv/outer.war!/in.zip!/conf/app.txt:2",
	}
	var got []string
	for _, s := range readLayer(t, a, files).Secrets {
		got = append(got, fmt.Sprintf("%s:%d", s.Path, s.Line))
	}
	if !slices.Equal(got, want) {
		t.Errorf("found %v, want %v", got, want)
	}
}

// What is too large to be configuration costs neither time nor the scan's
// completeness.
func TestLargeBinariesAreNoProblem(t *testing.T) {
	a := newTestAnalyzer(t, Options{})
	f := &filler{rand.New(rand.NewPCG(1, 16))}
	large := bytes.Repeat([]byte("\x00\x01"), 35<<20)
	archive := slices.Concat(tarOf(t, "disk.img", string(large))[:512+len(large)], tarOf(t, "x.conf", f.fill("key gsk_{an:52}\n")))
	facts := readLayer(t, a, map[string][]byte{"srv/disk.tar": archive, "srv/blob": large})
	if len(facts.Problems) > 0 || len(facts.Secrets) != 1 {
		t.Errorf("problems %v, secrets %v", facts.Problems, rulesOf(facts.Secrets))
	}
	if a.Wants(&analyze.File{Path: "srv/huge.img", Size: 16 << 30, Head: make([]byte, 512)}) {
		t.Error("a sparse image is wanted")
	}
	if !a.Wants(&analyze.File{Path: "srv/huge.log", Size: 2 << 30, Head: []byte(strings.Repeat("a line\n", 70))}) {
		t.Error("a long text is not wanted")
	}
}

// Programs and databases of somebody's own are looked into for what no bytes make
// up by chance; those of packages are not read.
func TestTextAmongOtherBytes(t *testing.T) {
	a := newTestAnalyzer(t, Options{})
	f := &filler{rand.New(rand.NewPCG(1, 17))}
	elf, noise := "\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00", strings.Repeat("\x00\xf3\x01\x02", 200)
	for _, c := range []struct{ path, text, want string }{
		{"app/server", elf + noise + "gsk_{an:52}\x00", "groq-api-key"},
		{"usr/local/bin/server", elf + "gsk_{an:52}\x00", "groq-api-key"},
		{"app/main.pyc", "\xa7\x0d\x0d\x0a\x00\x00\x00\x00\xe3\x00\x00\x00\xda\x28ghp_{an:36}\x00", "github-classic-token"},
		{"app/app.db", "SQLite format 3\x00\x10\x00\x01\x01\x00" + noise + "gsk_{an:52}\x01", "groq-api-key"},
		{"app/client", elf + "postgres://app:{an:16}@db:5432/x\x00", "postgresql-url"},
		{"app/server", elf + noise + "DB_PASSWORD={an:20}\x00api_key = \"{an:40}\"\x00", ""},
		{"usr/bin/server", elf + "gsk_{an:52}\x00", ""},
	} {
		if got := strings.Join(ids(analyzeBytes(t, a, c.path, []byte(f.fill(c.text)))), ","); got != c.want {
			t.Errorf("%s: %q, want %q", c.path, got, c.want)
		}
	}
}

// A second name of a file that was no text must not make the layer be read
// twice; one that is a finding by itself is told.
func TestHardLinksAreWantedByTheirNamesOnly(t *testing.T) {
	a := newTestAnalyzer(t, Options{})
	for path, want := range map[string]bool{"usr/bin/perl5.36": false, "root/app.p12": true} {
		if got := a.Wants(&analyze.File{Path: path, Size: 1}); got != want {
			t.Errorf("%s: wanted %v", path, got)
		}
	}
}

// A text that takes too long is not told as read.
func TestTimeoutIsAnError(t *testing.T) {
	a := newTestAnalyzer(t, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	data := []byte("key = value\n")
	for _, c := range []analyze.Content{memory{bytes.NewReader(data), data}, spilled{memory{bytes.NewReader(data), data}}} {
		var facts pratique.Facts
		if err := a.Analyze(ctx, &analyze.File{Path: "x", Size: int64(len(data)), Head: data}, c, &facts); !errors.Is(err, context.Canceled) {
			t.Errorf("%T: %v", c, err)
		}
	}
}

// readLayer takes files through the pass that all analyzers share.
func readLayer(t testing.TB, a *Analyzer, files map[string][]byte) pratique.Facts {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(files[name])), Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		w.Write(files[name])
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	p := layer.NewPass([]analyze.Analyzer{a}, layer.Limits{}, t.TempDir())
	defer p.Close()
	blob := func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil }
	r, err := p.Read(t.Context(), blob, pratique.Layer{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	facts := r.Facts[1]
	facts.Problems = append(facts.Problems, r.Facts[0].Problems...)
	return facts
}

func zipOf(t testing.TB, files map[string]string) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range files {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		w.Write([]byte(text))
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func tarOf(t testing.TB, name, text string) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(text)), Typeflag: tar.TypeReg, Format: tar.FormatUSTAR}); err != nil {
		t.Fatal(err)
	}
	w.Write([]byte(text))
	w.Close()
	return b.Bytes()
}

func gzipOf(t testing.TB, data []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(data)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func FuzzAnalyze(f *testing.F) {
	f.Add([]byte("password = abc"))
	f.Add([]byte("\xfe\xed\xfe\xed\x00\x00\x00\x02\x00\x00\x00\x01\x00\x00\x00\x02"))
	f.Add([]byte{0xff, 0xfe, 'a', 0, 0xd8})
	a := newTestAnalyzer(f, Options{})
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, path := range []string{"x.zip!/y.env", "x.p12", "etc/x"} {
			analyzeBytes(t, a, path, data)
		}
	})
}

// spilled is content that is not in memory.
type spilled struct{ memory }

func (spilled) Bytes() ([]byte, bool) { return nil, false }

func TestSpilledContentGivesTheSameFacts(t *testing.T) {
	a := newTestAnalyzer(t, Options{})
	data := mixed(rand.New(rand.NewPCG(5, 5)), segment+2*maxMatch)
	file := &analyze.File{Path: "srv/x.yaml", Size: int64(len(data)), Head: data[:512]}
	var in, out pratique.Facts
	m := memory{bytes.NewReader(data), data}
	if err := a.Analyze(t.Context(), file, m, &in); err != nil {
		t.Fatal(err)
	}
	if err := a.Analyze(t.Context(), file, spilled{m}, &out); err != nil {
		t.Fatal(err)
	}
	x, _ := json.Marshal(in)
	y, _ := json.Marshal(out)
	if !bytes.Equal(x, y) || len(in.Secrets) == 0 {
		t.Errorf("in memory %d secrets, spilled %d; facts differ", len(in.Secrets), len(out.Secrets))
	}
}

func TestNoValueIsKept(t *testing.T) {
	a := newTestAnalyzer(t, Options{})
	f := &filler{rand.New(rand.NewPCG(1, 11))}
	value := f.fill("gsk_{an:52}")
	found := analyzeBytes(t, a, "srv/x", []byte("k "+value+"\n"))
	if len(found) != 1 {
		t.Fatalf("found %v", rulesOf(found))
	}
	b, err := json.Marshal(found)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+8 <= len(value); i++ {
		if bytes.Contains(b, []byte(value[i:i+8])) {
			t.Fatalf("facts hold a part of the value: %s", b)
		}
	}
	if len(found[0].Hash) != 32 {
		t.Errorf("hash %q", found[0].Hash)
	}
	other := newTestAnalyzer(t, Options{Key: []byte("another")})
	if again := analyzeBytes(t, other, "srv/x", []byte("k "+value+"\n")); again[0].Hash == found[0].Hash || other.Version() == a.Version() {
		t.Error("the key changes neither hash nor version")
	}
}

func TestPreview(t *testing.T) {
	for value, want := range map[string]string{
		"": "****", "abcd": "****", "abcdefghij": "ab****", "abcdefghijklmnopqrstuvwxyzabcdefgh": "abcd****gh", "密码密码密码密码密码": "密码****", "a\x00b\nc": "a****",
	} {
		if got := preview([]byte(value)); got != want {
			t.Errorf("preview(%q) = %q, want %q", value, got, want)
		}
	}
}

func TestGuards(t *testing.T) {
	cases := []struct {
		guard Guard
		path  string
		text  string
		drops bool
	}{
		{GuardEntropy, "app/.env", "DB_PASSWORD=aaaaaaab\n", true},
		{GuardStopWords, "app/.env", "DB_PASSWORD=ChangeMe123\n", true},
		{GuardPlaceholders, "app/x.properties", "db.password=[db-p4ss-w0rd]\n", true},
		{GuardExamples, "app/x", "id AKIA" + "IOSFODNN7EXAMPLF\nsecretAccessKey: wJalrXUtnFEMI/K7MDENG/bPxRfiCY" + "EXAMPLEKEY\n", false},
		{GuardVendored, "usr/share/doc/x/README.md", "k gsk_{an:52}\n", false},
		{GuardTestKeys, "etc/ssl/private/ssl-cert-snakeoil.key", "-----BEGIN PRIVATE KEY-----\n{pem}-----END PRIVATE KEY-----\n", false},
	}
	f := &filler{rand.New(rand.NewPCG(1, 12))}
	on := newTestAnalyzer(t, Options{})
	for _, c := range cases {
		text := []byte(f.fill(c.text))
		off := newTestAnalyzer(t, Options{GuardsOff: []Guard{c.guard}})
		count := func(a *Analyzer) (n, suppressed int) {
			for _, s := range analyzeBytes(t, a, c.path, text) {
				if s.Suppressed != "" {
					suppressed++
				} else {
					n++
				}
			}
			return n, suppressed
		}
		with, suppressed := count(on)
		without, _ := count(off)
		if without <= with || c.drops == (suppressed > 0) {
			t.Errorf("%s: %d findings and %d suppressed with it, %d without", c.guard, with, suppressed, without)
		}
		if on.Version() == off.Version() {
			t.Errorf("%s: the version does not tell", c.guard)
		}
	}
	if _, err := New(Options{GuardsOff: []Guard{"nonsense"}}); pratique.CodeOf(err) != pratique.CodeInvalid {
		t.Errorf("unknown guard: %v", err)
	}
}

func TestConfigTOML(t *testing.T) {
	f := &filler{rand.New(rand.NewPCG(1, 13))}
	text := f.fill("k gsk_{an:52}\nt corp-{hex:24}\n")
	hash := analyzeBytes(t, newTestAnalyzer(t, Options{}), "srv/x", []byte(text))[0].Hash
	own := "[[rules]]\nid='corp'\ndescription='Corp'\nregex='''corp-[0-9a-f]{24}'''\nkeywords=['corp-']\n"
	for name, c := range map[string]struct {
		toml string
		want []string
	}{
		"only":     {own, []string{"corp"}},
		"extended": {"[extend]\nuseDefault=true\n" + own, []string{"corp", "groq-api-key"}},
		"disabled": {"[extend]\nuseDefault=true\ndisabledRules=['groq-api-key']\n" + own, []string{"corp"}},
		"by path":  {"[extend]\nuseDefault=true\n[[allowlists]]\npaths=['''^srv/''']\n", nil},
		"by hash":  {"[extend]\nuseDefault=true\n[[allowlists]]\nhashes=['" + hash + "']\n", []string{"groq-api-key (suppressed)"}},
		"targeted": {"[extend]\nuseDefault=true\n[[allowlists]]\ntargetRules=['groq-api-key']\nregexes=['''^gsk_''']\n", []string{"groq-api-key (suppressed)"}},
		"required": {own + "[[rules.required]]\nid='part'\nwithinLines=1\n[[rules]]\nid='part'\nregex='''gsk_\\w+'''\nskipReport=true\n", []string{"corp"}},
		"far off":  {own + "[[rules.required]]\nid='part'\nwithinLines=0\n[[rules]]\nid='part'\nregex='''gsk_\\w+'''\nskipReport=true\n", nil},
	} {
		a := newTestAnalyzer(t, Options{ConfigTOML: c.toml})
		var got []string
		for _, s := range analyzeBytes(t, a, "srv/x", []byte(text)) {
			if s.Suppressed != "" {
				s.Rule += " (suppressed)"
			}
			got = append(got, s.Rule)
		}
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	for name, text := range map[string]string{
		"syntax": "[[rules", "expression": "[[rules]]\nid='x'\nregex='('\n", "no id": "[[rules]]\nregex='a'\n", "nothing": "[[rules]]\nid='x'\n",
		"group": "[[rules]]\nid='x'\nregex='a'\nsecretGroup=1\n", "empty list": "[[rules]]\nid='x'\nregex='ab'\n[[rules.allowlists]]\n",
		"condition": "[[allowlists]]\ncondition='XOR'\npaths=['a']\n", "target": "[[allowlists]]\nregexTarget='file'\nregexes=['a']\n",
		"unknown target": "[[allowlists]]\ntargetRules=['x']\npaths=['a']\n", "path": "[extend]\npath='/etc/passwd'\n",
		"required": "[[rules]]\nid='x'\nregex='ab'\n[[rules.required]]\nid='y'\n",
	} {
		if _, err := New(Options{ConfigTOML: text}); pratique.CodeOf(err) != pratique.CodeInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestImageConfig(t *testing.T) {
	a := newTestAnalyzer(t, Options{})
	f := &filler{rand.New(rand.NewPCG(1, 14))}
	token, password := f.fill("gsk_{an:52}"), f.fill("{pw}")
	layer := 2
	img := pratique.Image{
		Config: pratique.Config{
			Env:    []string{"PATH=/usr/bin", "DB_PASSWORD=" + password},
			Cmd:    []string{"run", "--token", token},
			Labels: map[string]string{"ci": "key " + token},
		},
		History: []pratique.Instruction{{CreatedBy: "RUN login " + token, Layer: &layer}, {CreatedBy: "ENV DB_PASSWORD=" + password, Empty: true}},
		Layers:  []pratique.Layer{{Instruction: "RUN login " + token}},
	}
	found := a.Config(img)
	bySource := map[string]int{}
	for _, s := range found {
		bySource[s.Source]++
		if s.Source == "history" && strings.Contains(s.Rule, "groq") && s.Origin.Layer != layer {
			t.Errorf("layer %d, want %d", s.Origin.Layer, layer)
		}
	}
	if bySource["env"] != 1 || bySource["label"] != 1 || bySource["history"] != 2 {
		t.Errorf("found %v: %v", bySource, rulesOf(found))
	}
	masked, _ := json.Marshal(a.MaskImage(img))
	facts, _ := json.Marshal(found)
	layers, _ := json.Marshal(a.MaskImage(img).Layers)
	for _, value := range []string{token, password} {
		if bytes.Contains(masked, []byte(value)) || bytes.Contains(facts, []byte(value)) || bytes.Contains(layers, []byte(value)) {
			t.Error("a value is left")
		}
	}
	if !strings.Contains(img.Config.Env[1], password) || img.History[0].CreatedBy != "RUN login "+token {
		t.Error("the image itself was changed")
	}
	// A command that no build step shows.
	other := f.fill("gsk_{an:52}")
	img.Author, img.Config.Entrypoint = "ci <"+other+"@corp.io>", []string{"run", "--key", other}
	told := a.Config(img)
	masked, _ = json.Marshal([]any{a.MaskImage(img), told})
	if len(told) <= len(found) || bytes.Contains(masked, []byte(other)) {
		t.Errorf("the command's key: %d findings, then %d; %s", len(found), len(told), masked)
	}
}

func TestKeystores(t *testing.T) {
	a := newTestAnalyzer(t, Options{})
	entry := func(tag byte) []byte {
		return slices.Concat([]byte("\xfe\xed\xfe\xed\x00\x00\x00\x02\x00\x00\x00\x01\x00\x00\x00"), []byte{tag}, []byte("\x00\x01a"), make([]byte, 64))
	}
	bag := []byte{0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01}
	p12 := func(kind byte) []byte {
		return slices.Concat([]byte{0x30, 0x82, 0x10, 0, 2, 1, 3}, make([]byte, 40), bag, []byte{kind}, make([]byte, 40))
	}
	for _, c := range []struct {
		path string
		data []byte
		want string
	}{
		{"srv/app.jks", entry(1), "java-keystore"},
		{"srv/other.jks", slices.Concat(entry(1), []byte("$(a)${b}<%")), "java-keystore"},
		{"etc/ssl/certs/java/cacerts", entry(2), ""},
		{"srv/app.keystore", p12(2), "pkcs12-keystore"},
		{"srv/trust.keystore", p12(3), ""},
		{"srv/app.p12", slices.Concat(p12(2), []byte("${x}{{y}}")), "pkcs12-keystore"},
		{"srv/app.der", slices.Concat([]byte{0x30, 0x82, 1, 0, 2, 1, 0, 0x30}, make([]byte, 60)), "der-private-key"},
		{"srv/cert.der", slices.Concat([]byte{0x30, 0x82, 1, 0, 0x30, 0x82}, make([]byte, 60)), ""},
		{"root/x.kdbx", append([]byte("\x03\xd9\xa2\x9a\x67\xfb\x4b\xb5"), make([]byte, 60)...), "keepass-database"},
		{"etc/krb5.keytab", append([]byte("\x05\x02\x00\x00\x00\x40"), make([]byte, 60)...), "kerberos-keytab"},
		{"root/secring.gpg", append([]byte("\x95\x03\x98\x04"), make([]byte, 60)...), "gpg-secret-keyring"},
		{"srv/app.bks", append([]byte("\x00\x00\x00\x02\x00\x00\x00\x14"), make([]byte, 60)...), "bouncycastle-keystore"},
	} {
		found := analyzeBytes(t, a, c.path, c.data)
		if got := strings.Join(ids(found), ","); got != c.want {
			t.Errorf("%s: %q, want %q", c.path, got, c.want)
		}
	}
}

func ids(found []pratique.Secret) (list []string) {
	for _, s := range found {
		list = append(list, s.Rule)
	}
	return list
}

func TestWantsDoesNotAllocate(t *testing.T) {
	a := newTestAnalyzer(t, Options{})
	f := &analyze.File{Path: "usr/lib/python3/config/main.ELF", Size: 4096, Head: bytes.Repeat([]byte("text of a file\n"), 30)}
	a.Wants(f)
	if n := testing.AllocsPerRun(100, func() { a.Wants(f) }); n > 1 {
		t.Errorf("%v allocations", n)
	}
}

// A key that is published with software is known wherever it lies, however its
// lines are broken.
func TestKeyPrintIgnoresLineBreaks(t *testing.T) {
	f := &filler{rand.New(rand.NewPCG(1, 15))}
	pem := f.fill("-----BEGIN PRIVATE KEY-----\n{pem}-----END PRIVATE KEY-----")
	if a, b := keyPrint([]byte(pem)), keyPrint([]byte(strings.ReplaceAll(pem, "\n", `\n`))); a != b {
		t.Errorf("%s and %s", a, b)
	}
	if len(testKeys()) == 0 {
		t.Error("no fingerprints")
	}
}
