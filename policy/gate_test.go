package policy

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/pratique/pratique"
)

// clean returns a report in which everything was looked at and nothing found.
func clean() *pratique.Report {
	complete := pratique.CategoryCoverage{State: pratique.CoverageComplete}
	return &pratique.Report{
		Image: pratique.Image{Distro: &pratique.Distro{ID: "debian", Version: "12", EndOfLife: day("2028-06-30")}},
		Coverage: map[pratique.Category]pratique.CategoryCoverage{
			pratique.CategorySoftware: complete, pratique.CategoryVulnerability: complete,
			pratique.CategoryMalware: complete, pratique.CategorySecret: complete,
		},
		Bundle: &pratique.Bundle{Feeds: []pratique.FeedStatus{{Source: "osv/Debian"}, {Source: "kev"}, {Source: "epss"}}},
	}
}

func day(s string) *time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return &t
}

func finding(id string, s pratique.Severity, change ...func(*pratique.Finding)) pratique.Finding {
	f := pratique.Finding{ID: id, Severity: s, FixState: pratique.FixNone, Package: pratique.Package{Type: "deb", Name: "openssl"}}
	for _, c := range change {
		c(&f)
	}
	return f
}

func fixed(f *pratique.Finding) { f.FixState, f.FixedVersion = pratique.FixAvailable, "2" }
func listed(f *pratique.Finding) {
	f.KEV = &pratique.KEV{DateAdded: "2024-01-01"}
}
func scored(score float64) func(*pratique.Finding) {
	return func(f *pratique.Finding) { f.EPSS = &pratique.EPSS{Score: score} }
}

func TestGateTerms(t *testing.T) {
	crit, high := pratique.SeverityCritical, pratique.SeverityHigh
	vulnerable := func(f ...pratique.Finding) func(*pratique.Report) {
		return func(r *pratique.Report) { r.Vulnerabilities = f }
	}
	cover := func(c pratique.Category, s pratique.Coverage, reasons ...string) func(*pratique.Report) {
		return func(r *pratique.Report) {
			r.Coverage[c] = pratique.CategoryCoverage{State: s, Reasons: reasons}
		}
	}
	tests := []struct {
		gate   string
		change func(*pratique.Report)
		exit   int
	}{
		{"critical", vulnerable(), ExitPass},
		{"critical", vulnerable(finding("CVE-1", crit)), ExitBlocked},
		{"critical", vulnerable(finding("CVE-1", high)), ExitPass},
		{"high", vulnerable(finding("CVE-1", crit)), ExitBlocked},
		{"negligible", vulnerable(finding("CVE-1", pratique.SeverityUnknown)), ExitBlocked},
		{"low", vulnerable(finding("CVE-1", pratique.SeverityUnknown)), ExitPass},
		{"unknown", vulnerable(finding("CVE-1", pratique.SeverityUnknown)), ExitBlocked},
		{"unknown", vulnerable(finding("CVE-1", pratique.Severity("odd"))), ExitBlocked},
		{"unknown", vulnerable(finding("CVE-1", crit)), ExitPass},
		{"critical+fixable", vulnerable(finding("CVE-1", crit)), ExitPass},
		{"critical+fixable", vulnerable(finding("CVE-1", high, fixed), finding("CVE-2", crit)), ExitPass},
		{"critical+fixable", vulnerable(finding("CVE-1", crit, fixed)), ExitBlocked},
		{" Critical + Fixable , kev", vulnerable(finding("CVE-1", crit, fixed)), ExitBlocked},
		{"fixable", vulnerable(finding("CVE-1", pratique.SeverityLow, fixed)), ExitBlocked},
		{"kev", vulnerable(finding("CVE-1", pratique.SeverityLow, listed)), ExitBlocked},
		{"kev", vulnerable(finding("CVE-1", crit)), ExitPass},
		{"epss>=0.1", vulnerable(finding("CVE-1", crit, scored(0.1))), ExitBlocked},
		{"epss>=0.1", vulnerable(finding("CVE-1", crit, scored(0.0999)), finding("CVE-2", crit)), ExitPass},
		{"epss>=0.1+high", vulnerable(finding("CVE-1", pratique.SeverityMedium, scored(1))), ExitPass},
		{"critical", vulnerable(finding("CVE-1", crit, func(f *pratique.Finding) { f.Unimportant = true })), ExitPass},
		{"critical", vulnerable(finding("CVE-1", crit, func(f *pratique.Finding) { f.Suppressed = "not reachable" })), ExitPass},
		{"malware", func(r *pratique.Report) { r.Malware = []pratique.Malware{{Name: "x", Path: "a"}} }, ExitBlocked},
		{"secret", func(r *pratique.Report) { r.Secrets = []pratique.Secret{{Rule: "x"}} }, ExitBlocked},
		{"secret", func(r *pratique.Report) { r.Secrets = []pratique.Secret{{Rule: "x", Suppressed: "test key"}} }, ExitPass},
		{"secret+high", func(r *pratique.Report) {
			r.Secrets = []pratique.Secret{{Rule: "x", Severity: pratique.SeverityMedium}}
		}, ExitPass},
		{"eol", func(r *pratique.Report) { r.Image.Distro.Ended = true }, ExitBlocked},
		{"eol", func(r *pratique.Report) { r.Image.Distro.EndOfLife = nil }, ExitUnknown},
		{"eol", func(r *pratique.Report) { r.Image.Distro = &pratique.Distro{ID: "arch"} }, ExitPass},
		{"eol", func(r *pratique.Report) { r.Image.Distro = nil }, ExitPass},
		{"eol", func(r *pratique.Report) {
			r.Image.Distro, r.Packages = nil, []pratique.Package{{Type: "deb"}}
		}, ExitUnknown},
		{"incomplete", func(*pratique.Report) {}, ExitPass},
		{"incomplete", cover(pratique.CategorySoftware, pratique.CoveragePartial, "layer 2 is corrupt"), ExitBlocked},
		{"incomplete", cover(pratique.CategorySecret, pratique.CoverageNotYet), ExitPass},
		// Knowledge that a term needs, and that is missing.
		{"critical", cover(pratique.CategoryVulnerability, pratique.CoverageUnknown, "no feed"), ExitUnknown},
		{"critical", cover(pratique.CategoryVulnerability, pratique.CoverageSkipped), ExitUnknown},
		{"critical", cover(pratique.CategorySoftware, pratique.CoveragePartial, "corrupt dpkg status"), ExitUnknown},
		{"critical", func(r *pratique.Report) { r.Coverage = nil }, ExitUnknown},
		{"critical", cover(pratique.CategorySecret, pratique.CoverageNotYet), ExitPass},
		{"critical", cover(pratique.CategoryMalware, pratique.CoveragePartial), ExitPass},
		{"secret", cover(pratique.CategorySecret, pratique.CoverageNotYet), ExitUnknown},
		{"malware", cover(pratique.CategoryVulnerability, pratique.CoverageUnknown), ExitPass},
		{"kev", func(r *pratique.Report) { r.Bundle.Feeds = r.Bundle.Feeds[:1] }, ExitUnknown},
		{"epss>=0.5", func(r *pratique.Report) { r.Bundle.Feeds = r.Bundle.Feeds[:1] }, ExitUnknown},
		{"malware", cover(pratique.CategoryMalware, pratique.CoverageHashesOnly, "no hash list"), ExitUnknown},
		{"malware", func(r *pratique.Report) {
			r.Coverage[pratique.CategoryMalware] = pratique.CategoryCoverage{State: pratique.CoverageHashesOnly}
			r.Bundle.Feeds = append(r.Bundle.Feeds, pratique.FeedStatus{Source: "hashes/ours"})
		}, ExitPass},
		{"incomplete", cover(pratique.CategoryMalware, pratique.CoverageHashesOnly), ExitPass},
		// A hit outweighs a hole.
		{"critical,secret", func(r *pratique.Report) {
			r.Vulnerabilities = []pratique.Finding{finding("CVE-1", crit)}
			r.Coverage[pratique.CategorySecret] = pratique.CategoryCoverage{State: pratique.CoverageNotYet}
		}, ExitBlocked},
		{"", vulnerable(finding("CVE-1", crit, listed)), ExitPass},
	}
	for _, tt := range tests {
		g, err := ParseGate(tt.gate)
		if err != nil {
			t.Errorf("%q: %v", tt.gate, err)
			continue
		}
		r := clean()
		tt.change(r)
		v := g.Judge(r)
		if got := g.Exit(r); got != tt.exit {
			t.Errorf("%q: exit %d, want %d; verdict %+v", tt.gate, got, tt.exit, v)
		}
		if (v.Clearance == pratique.ClearanceYes) != (len(v.Reasons) == 0) {
			t.Errorf("%q: clearance %q with reasons %q", tt.gate, v.Clearance, v.Reasons)
		}
	}
}

func TestDefault(t *testing.T) {
	r := clean()
	if v := Default().Judge(r); v.Clearance != pratique.ClearanceYes {
		t.Errorf("a clean report: %+v", v)
	}
	r.Coverage[pratique.CategorySecret] = pratique.CategoryCoverage{State: pratique.CoverageNotYet}
	r.Coverage[pratique.CategoryMalware] = pratique.CategoryCoverage{State: pratique.CoverageHashesOnly}
	r.Vulnerabilities = []pratique.Finding{finding("CVE-1", pratique.SeverityCritical), finding("CVE-2", pratique.SeverityMedium, fixed)}
	if v := Default().Judge(r); v.Clearance != pratique.ClearanceYes {
		t.Errorf("secrets not yet, nothing urgent: %+v", v)
	}
	r.Coverage[pratique.CategoryVulnerability] = pratique.CategoryCoverage{State: pratique.CoverageUnknown, Reasons: []string{"no feed"}}
	v := Default().Judge(r)
	if v.Clearance != pratique.ClearanceUnknown || len(v.Reasons) != 1 || !strings.Contains(v.Reasons[0], "no feed") {
		t.Errorf("no feed: %+v", v)
	}
}

func TestReasonsMostWeightyFirst(t *testing.T) {
	r := clean()
	r.Malware = []pratique.Malware{{Name: "Eicar", Path: "opt/x", Severity: pratique.SeverityCritical}}
	r.Vulnerabilities = []pratique.Finding{
		finding("CVE-2", pratique.SeverityCritical, fixed), finding("CVE-1", pratique.SeverityHigh, listed),
		finding("CVE-3", pratique.SeverityCritical, fixed), finding("CVE-4", pratique.SeverityCritical, fixed),
		finding("CVE-5", pratique.SeverityCritical, fixed, scored(0.9)),
		finding("CVE-5", pratique.SeverityCritical, fixed, func(f *pratique.Finding) { f.Package.Name = "libssl3" }),
	}
	g, err := ParseGate("critical+fixable", "malware,kev")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"1 file is malware: Eicar in opt/x",
		"1 vulnerability, known to be exploited (CISA KEV): CVE-1 in openssl",
		"5 vulnerabilities (4 distinct) of severity critical, with a fix at hand: CVE-5 in openssl, CVE-2 in openssl, CVE-3 in openssl and 2 more",
	}
	if got := g.Judge(r).Reasons; strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestParseGateRefuses(t *testing.T) {
	for _, s := range []string{
		"critcal", "high,", ",", "epss", "epss>0.1", "epss>=2", "epss>=-1", "epss>=NaN", "epss>=", "high+critical",
		"unknown+high", "high+unknown", "malware+secret", "secret+kev", "eol+high", "incomplete+kev", "high++kev",
		strings.Repeat("kev,", maxTerms) + "kev",
	} {
		_, err := ParseGate(s)
		if pratique.CodeOf(err) != pratique.CodeInvalid && pratique.CodeOf(err) != pratique.CodeLimit {
			t.Errorf("%.60q: got %v, want a refusal", s, err)
		}
	}
}

func FuzzParseGate(f *testing.F) {
	for _, s := range []string{"", "critical", "high+fixable,kev", "epss>=0.1", "eol,incomplete,unknown", "secret+low , malware", "epss>=1e-3+kev"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		g, err := ParseGate(s)
		if err != nil {
			return
		}
		again, err := ParseGate(g.String())
		if err != nil || again.String() != g.String() {
			t.Fatalf("%q prints as %q, which reads as %q, %v", s, g, again, err)
		}
		for _, term := range g.terms {
			if math.IsNaN(term.epss) {
				t.Fatalf("%q has a threshold that is no number", s)
			}
		}
		g.Exit(&pratique.Report{})
	})
}
