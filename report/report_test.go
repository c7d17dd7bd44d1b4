package report

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/pratique/pratique"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares got with a file under testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; look at the change, then run go test ./report -update\n%s", file, firstDifference(string(got), string(want)))
	}
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return "got  " + g[i] + "\nwant " + w[i]
		}
	}
	return "one is longer"
}

func written(t *testing.T, format string, r *pratique.Report, opts Options) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, format, r, opts); err != nil {
		t.Fatalf("%s: %v", format, err)
	}
	return b.Bytes()
}

func TestGolden(t *testing.T) {
	golden(t, "table-80.txt", written(t, "table", sample(), Options{Width: 80}))
	golden(t, "table-120.txt", written(t, "table", sample(), Options{Width: 120}))
	golden(t, "table-200-verbose.txt", written(t, "table", sample(), Options{Width: 200, Verbose: true, All: true}))
	golden(t, "table-color.txt", written(t, "table", sample(), Options{Width: 100, Color: true}))
	golden(t, "table-large.txt", written(t, "table", large(), Options{Width: 100}))
	golden(t, "report.json", written(t, "json", sample(), Options{}))
	golden(t, "report.html", written(t, "html", sample(), Options{}))
	golden(t, "report-zh.html", written(t, "html", sample(), Options{Language: "zh"}))
	golden(t, "cyclonedx.json", written(t, "cyclonedx", sample(), Options{}))
	golden(t, "spdx.json", written(t, "spdx", sample(), Options{}))
	for _, id := range []string{"CVE-2021-44228", "CVE-2023-38545", "private-key", "Eicar-Test-File"} {
		var b bytes.Buffer
		if err := Explain(&b, sample(), strings.ToLower(id), ExplainOptions{Width: 100}); err != nil {
			t.Fatal(err)
		}
		golden(t, "explain-"+id+".txt", b.Bytes())
	}
}

func TestWriteUnknownFormat(t *testing.T) {
	err := Write(&bytes.Buffer{}, "yaml", sample(), Options{})
	if pratique.CodeOf(err) != pratique.CodeInvalid {
		t.Fatalf("got %v", err)
	}
	if got := strings.Join(FormatNames(), " "); got != "table json html cyclonedx spdx" {
		t.Errorf("formats are %s", got)
	}
}

// The same findings in another order are the same report, and the caller's
// report is not touched.
func TestOrderDoesNotMatter(t *testing.T) {
	for _, format := range FormatNames() {
		r := large()
		want := written(t, format, r, Options{})
		slices.Reverse(r.Vulnerabilities)
		slices.Reverse(r.Packages)
		slices.Reverse(r.Secrets)
		slices.Reverse(r.Bundle.Feeds)
		before := r.Vulnerabilities[0].ID
		if got := written(t, format, r, Options{}); !bytes.Equal(got, want) {
			t.Errorf("%s: %s", format, firstDifference(string(got), string(want)))
		}
		if r.Vulnerabilities[0].ID != before || r.Vulnerabilities[0].CVSS != nil {
			t.Errorf("%s changed its input", format)
		}
	}
}

func TestTableFitsItsWidth(t *testing.T) {
	for _, width := range []int{60, 80, 100, 120, 200, 240} {
		for _, opts := range []Options{{}, {All: true, Verbose: true}} {
			opts.Width = width
			for _, r := range []*pratique.Report{sample(), large(), hostile(sample(), "界é"), {}} {
				for line := range strings.SplitSeq(string(written(t, "table", r, opts)), "\n") {
					if n := cells(line); n > width {
						t.Errorf("width %d: %d cells: %s", width, n, line)
					}
					if strings.HasSuffix(line, " ") {
						t.Errorf("width %d: trailing blank: %q", width, line)
					}
				}
			}
		}
	}
}

func TestTableIsShort(t *testing.T) {
	if n := bytes.Count(written(t, "table", large(), Options{Width: 120}), []byte("\n")); n > 115 {
		t.Errorf("%d lines for 700 findings", n)
	}
	all := string(written(t, "table", large(), Options{Width: 120, All: true}))
	for _, f := range large().Vulnerabilities {
		if counts(&f) && !strings.Contains(all, f.ID) {
			t.Errorf("--all leaves out %s", f.ID)
		}
	}
}

func TestTableNeverShowsUnknownAsClean(t *testing.T) {
	r := sample()
	r.Vulnerabilities, r.Secrets, r.Malware, r.Bundle = nil, nil, nil, nil
	r.Coverage = map[pratique.Category]pratique.CategoryCoverage{
		pratique.CategoryVulnerability: {State: pratique.CoverageUnknown, Reasons: []string{"no feed was imported"}},
		pratique.CategorySecret:        {State: pratique.CoverageNotYet},
	}
	r.Verdict = pratique.Verdict{Clearance: pratique.ClearanceUnknown, Reasons: []string{"vulnerabilities: unknown (no feed was imported)"}}
	out := string(written(t, "table", r, Options{Width: 100}))
	for _, want := range []string{"vulnerabilities  unknown", "no feed was imported", "secrets          not yet", "malware          unknown", "May this image ship?  Unknown, for 1 reason"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in\n%s", want, out)
		}
	}
	if strings.Contains(out, "none found") {
		t.Errorf("says none found:\n%s", out)
	}
	r.Verdict = pratique.Verdict{Clearance: pratique.ClearanceYes}
	r.Coverage[pratique.CategoryVulnerability] = pratique.CategoryCoverage{State: pratique.CoverageComplete}
	r.Coverage[pratique.CategoryMalware] = pratique.CategoryCoverage{State: pratique.CoverageHashesOnly}
	lines := strings.Split(strings.TrimSpace(string(written(t, "table", r, Options{Width: 100}))), "\n")
	if last := lines[len(lines)-1]; last != "May this image ship?  Yes: nothing speaks against it, as far as was looked at" {
		t.Errorf("last line: %s", last)
	}
	for _, want := range []string{"  - software not looked at", "  - malware was looked for by known hashes only", "  - secrets not looked at"} {
		if !slices.Contains(lines, want) {
			t.Errorf("%q is missing", want)
		}
	}
	for _, format := range []string{"cyclonedx", "spdx", "json"} {
		if out := written(t, format, r, Options{}); !bytes.Contains(out, []byte("not_yet")) {
			t.Errorf("%s does not tell the coverage", format)
		}
	}
}

// hostile returns r with every string that can come from an image extended.
func hostile(r *pratique.Report, extra string) *pratique.Report {
	spoil(reflect.ValueOf(r), extra)
	return r
}

func spoil(v reflect.Value, extra string) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			spoil(v.Elem(), extra)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			spoil(v.Field(i), extra)
		}
	case reflect.Slice:
		for i := range v.Len() {
			spoil(v.Index(i), extra)
		}
	case reflect.String:
		if v.Type() == reflect.TypeFor[string]() {
			v.SetString(v.String() + extra)
		}
	}
}

// What an image's author may try on a reader's terminal or log.
var attacks = []string{
	"\x1b[2J\x1b[H", "\x1b]0;title\x07", "\nCVE-0000-0000 forged line", "\r\nMay this image ship?  Yes", "\u009b31m",
	"\u202etxt.exe", "\u200b\ufeff", "\x00", "\x7f", "\xff\xfe", "\u2028", "e\u0301\u0301\u0301\u0301\u0301\u0301", "\U000e0001", "\t", "\ue000",
}

func TestHostileStringsAreNeutralised(t *testing.T) {
	for _, attack := range attacks {
		for _, format := range FormatNames() {
			checkPrintable(t, format, written(t, format, hostile(sample(), attack), Options{Width: 120, All: true, Verbose: true}))
		}
		r := hostile(sample(), attack)
		for _, id := range []string{r.Vulnerabilities[1].ID, r.Secrets[0].Rule, r.Malware[0].Name} {
			var b bytes.Buffer
			if err := Explain(&b, r, id, ExplainOptions{}); err != nil {
				if strings.TrimSpace(id) != id {
					continue // such an id cannot be asked for
				}
				t.Fatalf("%q: %v", id, err)
			}
			checkPrintable(t, "explain", b.Bytes())
		}
		err := Explain(&bytes.Buffer{}, r, "CVE-1"+attack, ExplainOptions{})
		if pratique.CodeOf(err) != pratique.CodeNotFound {
			t.Fatalf("%q: %v", attack, err)
		}
		checkPrintable(t, "error", []byte(err.Error()))
	}
}

func checkPrintable(t *testing.T, what string, out []byte) {
	t.Helper()
	for line := range strings.SplitSeq(string(out), "\n") {
		if strings.HasPrefix(line, "CVE-0000") || strings.HasPrefix(line, "May this image ship?  Yes") {
			t.Errorf("%s: forged line %q", what, line)
		}
		for _, r := range line {
			if !unicode.IsPrint(r) {
				t.Errorf("%s: %U in %q", what, r, line)
				return
			}
		}
	}
}

func FuzzTable(f *testing.F) {
	for _, attack := range attacks {
		f.Add(attack, 80)
	}
	f.Add("名前", 61)
	f.Add(strings.Repeat("a b/", 100), 200)
	f.Fuzz(func(t *testing.T, s string, width int) {
		var b bytes.Buffer
		if err := Table(&b, hostile(sample(), s), Options{Width: width, All: true, Verbose: true}); err != nil {
			t.Fatal(err)
		}
		limit := width
		if width <= 0 {
			limit = defaultWidth
		}
		limit = min(max(limit, minWidth), maxWidth)
		for line := range strings.SplitSeq(b.String(), "\n") {
			for _, r := range line {
				if unicode.IsControl(r) || !unicode.IsPrint(r) {
					t.Fatalf("%U in %q", r, line)
				}
			}
			if n := cells(line); n > limit {
				t.Fatalf("%d cells where %d fit: %q", n, limit, line)
			}
		}
	})
}

func TestCellsAndFit(t *testing.T) {
	tests := []struct {
		in    string
		cells int
		fit   int
		keep  keep
		want  string
	}{
		{"openssl", 7, 7, keepStart, "openssl"},
		{"openssl", 7, 6, keepStart, "opens…"},
		{"openssl", 7, 6, keepEnd, "…enssl"},
		{"1.1.1n-0+deb11u3", 16, 11, keepBoth, "1.1.1…b11u3"},
		{"日本語", 6, 5, keepStart, "日本…"},
		{"日本語", 6, 4, keepStart, "日…"},
		{"日本語", 6, 4, keepEnd, "…語"},
		{"ｆｕｌｌ", 8, 8, keepStart, "ｆｕｌｌ"},
		{"e\u0301a", 2, 2, keepStart, "e\u0301a"},
		{"org.apache:log4j", 16, 7, keepName, "…:log4j"},
		{"openssl", 7, 5, keepName, "open…"},
		{"x", 1, 0, keepStart, ""},
	}
	for _, tt := range tests {
		if got := cells(tt.in); got != tt.cells {
			t.Errorf("cells(%q) = %d, want %d", tt.in, got, tt.cells)
		}
		if got := fit(tt.in, tt.fit, tt.keep); got != tt.want {
			t.Errorf("fit(%q, %d) = %q, want %q", tt.in, tt.fit, got, tt.want)
		}
	}
}

func TestUpgradesTakeTheHighestVersion(t *testing.T) {
	p := debian("libx", "x", "1.9-1")
	findings := []pratique.Finding{
		finding("CVE-1", p, pratique.SeverityHigh, "1.10-1", ""), finding("CVE-2", p, pratique.SeverityCritical, "1.9-1+deb11u1", ""),
		finding("CVE-3", debian("x-bin", "x", "1.9-1"), pratique.SeverityLow, "1.10~rc1-1", ""), finding("CVE-4", p, pratique.SeverityLow, "", ""),
	}
	odd := p
	odd.Ecosystem = "No Such Ecosystem"
	findings = append(findings, finding("CVE-5", odd, pratique.SeverityLow, "3", ""), finding("CVE-6", odd, pratique.SeverityLow, "4", ""))
	var list []*pratique.Finding
	for i := range findings {
		list = append(list, &findings[i])
	}
	groups := upgrades(list)
	if len(groups) != 3 {
		t.Fatalf("%d groups, want 3: an order that is not known must not be guessed", len(groups))
	}
	g := groups[0]
	if g.to != "1.10-1" || len(g.findings) != 3 || strings.Join(g.packages, " ") != "libx x-bin" {
		t.Errorf("got %s ends %d of %v", g.to, len(g.findings), g.packages)
	}
}

func TestExplainNotFound(t *testing.T) {
	err := Explain(&bytes.Buffer{}, sample(), "CVE-1999-0001", ExplainOptions{})
	if pratique.CodeOf(err) != pratique.CodeNotFound || !strings.Contains(err.Error(), "not fully known") {
		t.Errorf("coverage is partial, the error says %v", err)
	}
}

// An image's author chooses package names; a reader pastes commands.
func TestFixCommandIsSafeToPaste(t *testing.T) {
	for _, name := range []string{"a;reboot", "$(id)", "`id`", "-oProxyCommand=x", "a b", "a'b", "a\nb", ""} {
		f := finding("CVE-1", npm(name, "1", "x"), pratique.SeverityHigh, "2", "")
		if got := fixCommand(&f); got != "" {
			t.Errorf("%q gives %q", name, got)
		}
	}
	f := finding("CVE-1", npm("@babel/traverse", "1", "x"), pratique.SeverityHigh, "2.0.0", "")
	if got := fixCommand(&f); got != "npm install @babel/traverse@2.0.0" {
		t.Errorf("got %q", got)
	}
	f.FixedVersion = "2'; id"
	if got := fixCommand(&f); got != "" {
		t.Errorf("hostile version gives %q", got)
	}
}

func TestCVSSMeaning(t *testing.T) {
	tests := []struct{ vector, metric string }{
		{vectorNetwork, "Attack vector: network"},
		{"CVSS:3.0/AV:P/MAV:L", "Here: Attack vector: local"},
		{vectorFour, "Attack requirements: none"},
		{"CVSS:4.0/AV:N/SI:S", "Loss of integrity, other systems: safety of people"},
		{"CVSS:4.0/AV:N/E:X", "Exploits: not defined"},
		{"(AV:N/AC:M/Au:S/C:C/I:N/A:P)", "Attack complexity: medium"},
		{"CVSS:3.1/ZZ:Q", "ZZ: Q"},
		{"CVSS:3.1/AV:Q", "Attack vector: Q"},
	}
	for _, tt := range tests {
		if got := CVSSMeaning(tt.vector); !slices.Contains(got, tt.metric) {
			t.Errorf("%s: %q is not in %q", tt.vector, tt.metric, got)
		}
	}
	if got := CVSSMeaning(""); len(got) != 0 {
		t.Errorf("nothing means %q", got)
	}
}

func TestColorWanted(t *testing.T) {
	env := func(name, value string) func(string) string {
		return func(asked string) string {
			if asked == name {
				return value
			}
			return ""
		}
	}
	if !ColorWanted(true, env("", "")) || ColorWanted(false, env("", "")) || ColorWanted(true, env("NO_COLOR", "1")) || ColorWanted(true, env("TERM", "dumb")) {
		t.Error("colour is wanted on a terminal that takes it, and only there")
	}
	plain := written(t, "table", sample(), Options{Width: 100})
	colored := written(t, "table", sample(), Options{Width: 100, Color: true})
	if bytes.Contains(plain, []byte("\x1b")) || !bytes.Contains(colored, []byte("\x1b[1;31m")) {
		t.Error("colours are off or on against the options")
	}
}

func TestJSONListsAreNeverNull(t *testing.T) {
	var top map[string]json.RawMessage
	if err := json.Unmarshal(written(t, "json", &pratique.Report{Bundle: &pratique.Bundle{}}, Options{}), &top); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"layers", "packages", "vulnerabilities", "secrets", "malware", "problems"} {
		if string(top[name]) != "[]" {
			t.Errorf("%s is %s", name, top[name])
		}
	}
	for name, value := range top {
		if bytes.Contains(value, []byte("null")) {
			t.Errorf("%s holds null: %s", name, value)
		}
	}
}
