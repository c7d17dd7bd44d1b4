package report

import (
	"bytes"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/pratique/pratique"
)

// What an image's author may try on a reader's browser.
var htmlAttacks = []string{
	`"><script>alert(1)</script>`, `' onmouseover='alert(1)`, `</style><script>alert(1)</script>`, `<!--`, `]]>`, `<base href="https://evil.example/">`,
	`<img src=x onerror=alert(1)>`, `</title><meta http-equiv=refresh content="0;url=https://evil.example">`, `{{.Title}}`, "`${alert(1)}`",
}

func TestHTMLIsInert(t *testing.T) {
	tame := func(extra string) *pratique.Report {
		r := hostile(sample(), extra)
		for i := range r.Vulnerabilities {
			r.Vulnerabilities[i].References = []pratique.Reference{{URL: "javascript:alert(1)" + extra}, {URL: "data:text/html,x"}}
		}
		return r
	}
	want := len(elements(t, tame("x")))
	for _, attack := range htmlAttacks {
		found := elements(t, tame(attack))
		if len(found) != want {
			t.Errorf("%s: %d elements, want %d", attack, len(found), want)
		}
		for _, n := range found {
			switch n.Data {
			case "script", "img", "iframe", "object", "link", "base", "form":
				t.Errorf("%s: an element %s", attack, n.Data)
			}
			for _, a := range n.Attr {
				if strings.HasPrefix(a.Key, "on") || a.Key == "src" || a.Key == "href" && !strings.HasPrefix(a.Val, "http://") && !strings.HasPrefix(a.Val, "https://") {
					t.Errorf("%s: %s=%q", attack, a.Key, a.Val)
				}
				if a.Key == "http-equiv" && a.Val != "Content-Security-Policy" {
					t.Errorf("%s: %s=%q", attack, a.Key, a.Val)
				}
			}
		}
	}
}

func elements(t *testing.T, r *pratique.Report) (all []*html.Node) {
	t.Helper()
	doc, err := html.Parse(bytes.NewReader(written(t, "html", r, Options{})))
	if err != nil {
		t.Fatal(err)
	}
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode {
			all = append(all, n)
		}
	}
	return all
}

// Both languages have a word for everything, and the report never shows a hole as
// clean.
func TestHTMLWords(t *testing.T) {
	for key := range htmlEnglish {
		if htmlChinese[key] == "" {
			t.Errorf("%s has no Chinese", key)
		}
	}
	if len(htmlEnglish) != len(htmlChinese) {
		t.Error("words without English")
	}
	for _, state := range []pratique.Coverage{pratique.CoveragePartial, pratique.CoverageUnknown, pratique.CoverageNotYet, pratique.CoverageSkipped, pratique.CoverageUnsupported, pratique.CoverageHashesOnly} {
		r := &pratique.Report{Coverage: map[pratique.Category]pratique.CategoryCoverage{pratique.CategoryMalware: {State: state, Reasons: []string{"because of the test"}}}}
		out := string(written(t, "html", r, Options{}))
		if !strings.Contains(out, `class="state `+string(state)+`"`) || !strings.Contains(out, "because of the test") || !strings.Contains(out, htmlEnglish["coverage."+string(state)]) {
			t.Errorf("%s is not told", state)
		}
		if !strings.Contains(out, htmlEnglish["clearance.unknown"]) {
			t.Error("a report without a verdict has one")
		}
	}
	if out := string(written(t, "html", sample(), Options{Language: "zh"})); !strings.Contains(out, "将 log4j-core 升级到 2.15.0 或更高版本") || !strings.Contains(out, `lang="zh-CN"`) || strings.Contains(out, "<no value>") {
		t.Error("the Chinese report is not Chinese")
	}
}

func FuzzHTML(f *testing.F) {
	for _, attack := range append(htmlAttacks, attacks...) {
		f.Add(attack)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, n := range elements(t, hostile(sample(), s)) {
			if n.Data == "script" {
				t.Fatalf("%q became a script", s)
			}
		}
	})
}
