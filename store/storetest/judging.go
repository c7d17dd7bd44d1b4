package storetest

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/store"
)

func summary(t testing.TB, s *store.Store, n int) pratique.ImageSummary {
	t.Helper()
	return ok[pratique.ImageSummary](t)(s.Image(context.Background(), imageID(n)))
}

// categories: what a scan does not look for keeps its old result.
func categories(t *testing.T, s *store.Store, _ string) {
	ctx := context.Background()
	estate(t, s, 1)
	r := report(imageID(0), nil, []pratique.Package{deb("a", "1")})
	r.Secrets = []pratique.Secret{{Rule: "r", Severity: pratique.SeverityHigh, Path: "p", Preview: "…"}}
	r.Malware = []pratique.Malware{{Name: "m", Engine: "hash", Severity: pratique.SeverityHigh, Path: "q"}}
	r.Problems = []pratique.Problem{{Code: pratique.CodeLimit, Message: "of secrets", Analyzer: "secrets"}, {Code: pratique.CodeLimit, Message: "of software", Analyzer: "software"}}
	scanned(t, s, r)
	before := summary(t, s, 0)
	_, scans, err := s.CreateTask(ctx, want(ids(1), pratique.CategoryMalware))
	must(t, err)
	empty := report(imageID(0), nil, nil)
	ok[bool](t)(s.FinishScan(ctx, ok[pratique.Lease](t)(s.Claim(ctx, scans[0], "w")), empty, "rules 2"))
	v := summary(t, s, 0)
	if v.Counters.Malware.Total() != 0 || v.Counters.Secrets.Total() != 1 || v.Counters.Packages != 1 {
		t.Errorf("after a scan for malware only: %+v", v.Counters)
	}
	if !v.CategoryAt[pratique.CategoryMalware].After(before.CategoryAt[pratique.CategoryMalware]) || !v.CategoryAt[pratique.CategorySecret].Equal(before.CategoryAt[pratique.CategorySecret]) {
		t.Errorf("looked at %v", v.CategoryAt)
	}
	if len(v.Problems) != 1 || v.Problems[0].Message != "of secrets" {
		t.Errorf("problems %+v", v.Problems)
	}
	e := ok[pratique.Page[pratique.FindingEvent]](t)(s.Events(ctx, pratique.EventFilter{ImageID: imageID(0), Changes: []pratique.Change{pratique.ChangeFixed}}, pratique.PageRequest{}))
	if len(e.Items) != 1 || e.Items[0].Cause != pratique.CauseRules || e.Items[0].Category != pratique.CategoryMalware {
		t.Errorf("events %+v", e.Items)
	}
	// A secret that is suppressed now, and then not.
	for _, why := range []string{"allowed", ""} {
		r.Secrets[0].Suppressed = why
		scanned(t, s, r)
		if n := summary(t, s, 0).Counters.Secrets.Total(); (n == 1) != (why == "") {
			t.Errorf("suppressed by %q it counts %d", why, n)
		}
	}
	e = ok[pratique.Page[pratique.FindingEvent]](t)(s.Events(ctx, pratique.EventFilter{ImageID: imageID(0), Categories: []pratique.Category{pratique.CategorySecret}}, pratique.PageRequest{}))
	if len(e.Items) != 3 || e.Items[0].Change != pratique.ChangeReopened || e.Items[1].Change != pratique.ChangeSuppressed || e.Items[2].Change != pratique.ChangeAppeared {
		t.Errorf("events of the secret %+v", e.Items)
	}
}

// failures: what was found until then is kept, but hides nothing that was found
// before.
func failures(t *testing.T, s *store.Store, _ string) {
	ctx := context.Background()
	estate(t, s, 1)
	fail := func(partial *pratique.Report) {
		t.Helper()
		_, scans, err := s.CreateTask(ctx, want(ids(1), everything...))
		must(t, err)
		must(t, s.FailScan(ctx, ok[pratique.Lease](t)(s.Claim(ctx, scans[0], "w")), pratique.Errorf(pratique.CodeLimit, "timed out"), partial))
	}
	partial := report(imageID(0), nil, []pratique.Package{deb("a", "1")})
	for c := range partial.Coverage {
		partial.Coverage[c] = pratique.CategoryCoverage{State: pratique.CoveragePartial, Reasons: []string{"timed out"}}
	}
	fail(partial)
	v := summary(t, s, 0)
	if v.Status != pratique.StatusFailed || v.Counters.Packages != 1 || v.Risk != pratique.RiskUnknown || v.Rules != "" || v.Coverage[pratique.CategorySecret].State != pratique.CoveragePartial {
		t.Errorf("after a failure %+v", v)
	}
	scanned(t, s, report(imageID(0), nil, []pratique.Package{deb("a", "1"), deb("b", "1")}))
	fail(partial)
	v = summary(t, s, 0)
	if v.Status != pratique.StatusFailed || v.Counters.Packages != 2 || v.Rules != "rules 1" || v.Coverage[pratique.CategorySecret].State != pratique.CoverageComplete || v.ScannedAt == nil {
		t.Errorf("after a second failure %+v", v)
	}
	fail(nil)
	if v := summary(t, s, 0); v.Counters.Packages != 2 {
		t.Errorf("after a third failure %+v", v)
	}
}

// hostile: names in an image may hold anything.
func hostile(t *testing.T, s *store.Store, _ string) {
	ctx := context.Background()
	estate(t, s, 1)
	odd := "a\x00b\xff\xfe%_'\"\\u0000\\"
	for n := range 200 { // which does not compress
		odd += digest("odd", n).Hex()
	}
	p := npm(odd, odd, odd)
	p.Licenses = []string{odd}
	twin := npm("a\uFFFDb", "1", "p")
	r := report(imageID(0), nil, []pratique.Package{p, twin, p}, finding(odd, p, pratique.SeverityHigh, odd))
	r.Secrets = []pratique.Secret{{Rule: odd, Severity: pratique.SeverityHigh, Path: odd, Preview: odd}, {Rule: odd, Severity: pratique.SeverityHigh, Path: odd, Preview: odd}}
	r.Malware = []pratique.Malware{{Name: odd, Engine: odd, Severity: pratique.Severity(odd), Path: odd}}
	r.Problems = []pratique.Problem{{Message: odd}}
	r.Image.Config.Env = []string{odd}
	r.Image.Distro = &pratique.Distro{ID: odd, Name: odd}
	scanned(t, s, r)
	scanned(t, s, r)
	got := ok[*pratique.Report](t)(s.Report(ctx, imageID(0)))
	if len(got.Packages) != 2 || len(got.Secrets) != 1 || len(got.Malware) != 1 {
		t.Errorf("%d packages, %d secrets, %d files", len(got.Packages), len(got.Secrets), len(got.Malware))
	}
	if path := got.Packages[1].Path; len(path) < 10_000 {
		t.Errorf("a path was cut to %d bytes", len(path))
	}
	for _, search := range []string{odd, "%", "_", "'", `"`, "\x00", strings.Repeat("word ", 100), `\`} {
		f := pratique.FindingFilter{Search: search}
		ok[pratique.Page[pratique.AssetRow]](t)(s.Assets(ctx, pratique.AssetFilter{Search: search}, pratique.PageRequest{}))
		ok[pratique.Page[pratique.VulnerabilityRow]](t)(s.Vulnerabilities(ctx, f, pratique.PageRequest{}))
		ok[pratique.Page[pratique.PlacedSecret]](t)(s.Secrets(ctx, f, pratique.PageRequest{}))
		ok[pratique.Page[pratique.ComponentRow]](t)(s.Components(ctx, f, pratique.PageRequest{}))
	}
	if p := ok[pratique.Page[pratique.AssetRow]](t)(s.Assets(ctx, pratique.AssetFilter{Search: "%%%"}, pratique.PageRequest{})); len(p.Items) != 0 {
		t.Error("a percent sign is a wildcard")
	}
}

// judge answers everything that is pending from a table: package name to findings.
func judge(t testing.TB, s *store.Store, known map[string][]pratique.Finding, withdrawn ...string) int {
	t.Helper()
	ctx := context.Background()
	subjects := ok[[]pratique.Subject](t)(s.Pending(ctx, 1000))
	var all []pratique.Judgement
	for _, v := range subjects {
		all = append(all, pratique.Judgement{Subject: v, Findings: known[v.Package.Name], Withdrawn: withdrawn})
	}
	must(t, s.Judge(ctx, all))
	return len(subjects)
}

func adoptions(t *testing.T, s *store.Store, _ string) {
	ctx := context.Background()
	estate(t, s, 3)
	_, err := s.InForce(ctx)
	refused(t, err, pratique.CodeNotFound)
	ssl, zlib, pad := deb("openssl", "3.0.1"), deb("zlib", "1.2"), npm("Left_Pad", "1.0.0", "app/package.json")
	one := finding("CVE-2024-1", ssl, pratique.SeverityMedium, "")
	first := ok[pratique.Adoption](t)(s.Adopt(ctx, *bundle(1), nil, "tester", "import"))
	scanned(t, s, report(imageID(0), bundle(1), []pratique.Package{ssl, zlib}, one))
	scanned(t, s, report(imageID(1), bundle(1), []pratique.Package{ssl, pad}, one))
	scanned(t, s, report(imageID(2), bundle(1), []pratique.Package{zlib}))

	// Keys choose packages by their own name or their source's, within the family.
	for _, c := range []struct {
		key              pratique.PackageKey
		packages, images int
	}{
		{pratique.PackageKey{Ecosystem: "Debian:12", Name: "src-openssl"}, 1, 2},
		{pratique.PackageKey{Ecosystem: "Debian:12", Name: "zlib"}, 1, 2},
		{pratique.PackageKey{Ecosystem: "npm", Name: "left-pad"}, 1, 1},
		{pratique.PackageKey{Ecosystem: "Alpine:v3.20", Name: "zlib"}, 0, 0},
		{pratique.PackageKey{Ecosystem: "npm", Name: "zlib"}, 0, 0},
	} {
		packages, images, err := s.PreviewAdoption(ctx, []pratique.PackageKey{c.key})
		must(t, err)
		if packages != c.packages || images != c.images {
			t.Errorf("%v touches %d packages in %d images, want %d in %d", c.key, packages, images, c.packages, c.images)
		}
	}
	step := func(n int, key string, known map[string][]pratique.Finding, withdrawn ...string) {
		t.Helper()
		a := ok[pratique.Adoption](t)(s.Adopt(ctx, *bundle(n), []pratique.PackageKey{{Ecosystem: "Debian:12", Name: key}, {Ecosystem: "Debian:12", Name: "nobody has this"}}, "schedule", "update"))
		if a.Affected != 1 || a.Pending != 1 || a.Keys != 2 {
			t.Errorf("adoption %+v", a)
		}
		if n := judge(t, s, known, withdrawn...); n != 1 {
			t.Errorf("%d judged", n)
		}
		sound(t, s)
	}
	counters := func(n int) pratique.Counters { return summary(t, s, n).Counters }

	// An advisory says something else, and another one appears.
	worse, two := finding("CVE-2024-1", ssl, pratique.SeverityCritical, "3.0.2"), finding("CVE-2024-2", ssl, pratique.SeverityHigh, "")
	step(2, "openssl", map[string][]pratique.Finding{"openssl": {worse, two}})
	for _, n := range []int{0, 1} {
		if c := counters(n); c.Vulnerabilities != (pratique.BySeverity{Critical: 1, High: 1}) || c.CriticalFixable != 1 || c.Distinct != c.Vulnerabilities {
			t.Errorf("image %d: %+v", n, c)
		}
	}
	if v := summary(t, s, 2); v.Counters.Risks() != 0 || v.Risk != pratique.RiskNone {
		t.Errorf("image 2, which has none of it: %+v", v.Counters)
	}
	// The second package has the first vulnerability as well.
	also := finding("CVE-2024-1", zlib, pratique.SeverityLow, "")
	step(3, "zlib", map[string][]pratique.Finding{"zlib": {also}})
	if c := counters(0); c.Vulnerabilities != (pratique.BySeverity{Critical: 1, High: 1, Low: 1}) || c.Distinct != (pratique.BySeverity{Critical: 1, High: 1}) {
		t.Errorf("image 0: %+v", c)
	}
	if v := summary(t, s, 2); v.Risk != pratique.RiskFound || v.Counters.Distinct != (pratique.BySeverity{Low: 1}) {
		t.Errorf("image 2: %s %+v", v.Risk, v.Counters)
	}
	list := ok[pratique.Page[pratique.VulnerabilityRow]](t)(s.Vulnerabilities(ctx, pratique.FindingFilter{}, pratique.PageRequest{}))
	if len(list.Items) != 2 || list.Items[0].ID != "CVE-2024-1" || list.Items[0].Images != 3 || list.Items[0].Severity != pratique.SeverityCritical || list.Items[1].Images != 2 {
		t.Errorf("vulnerabilities %+v", list.Items)
	}
	// Suppressed, reopened, withdrawn.
	rejected := worse
	rejected.Suppressed = "rejected"
	step(4, "openssl", map[string][]pratique.Finding{"openssl": {rejected, two}})
	if c := counters(0); c.Vulnerabilities != (pratique.BySeverity{High: 1, Low: 1}) || c.Suppressed != 1 || c.Distinct != (pratique.BySeverity{High: 1, Low: 1}) {
		t.Errorf("suppressed: %+v", c)
	}
	step(5, "openssl", map[string][]pratique.Finding{"openssl": {worse}}, "CVE-2024-2")
	var told []string
	for _, e := range ok[pratique.Page[pratique.FindingEvent]](t)(s.Events(ctx, pratique.EventFilter{}, pratique.PageRequest{})).Items {
		told = append(told, string(e.Change)+" "+string(e.Cause)+" "+e.Vulnerability+" "+e.Package.Name)
		if e.Bundle == "" || e.At.IsZero() || e.Before == "" && e.After == "" {
			t.Errorf("event %+v", e)
		}
	}
	slices.Sort(told)
	expected := []string{
		"appeared advisory_added CVE-2024-1 zlib", "appeared advisory_added CVE-2024-2 openssl", "appeared image_content CVE-2024-1 openssl",
		"changed advisory_changed CVE-2024-1 openssl", "fixed advisory_withdrawn CVE-2024-2 openssl", "reopened advisory_changed CVE-2024-1 openssl", "suppressed advisory_changed CVE-2024-1 openssl",
	}
	if !slices.Equal(told, expected) {
		t.Errorf("history:\n%s\nwant:\n%s", strings.Join(told, "\n"), strings.Join(expected, "\n"))
	}
	detail := ok[pratique.VulnerabilityDetail](t)(s.Vulnerability(ctx, "CVE-2024-1"))
	if len(detail.Findings) != 2 || detail.Findings[0].Package.Name != "openssl" || detail.Findings[0].FixedVersion != "3.0.2" || detail.Repositories != 3 || len(detail.History) != 5 || detail.Score != 9.8 {
		t.Errorf("detail %+v", detail)
	}
	all := ok[[]pratique.Adoption](t)(s.Adoptions(ctx, 10))
	if len(all) != 5 || all[4].ID != first.ID || all[0].Bundle.Digest != bundle(5).Digest || all[0].By != "schedule" {
		t.Errorf("adoptions %+v", all)
	}
	if a := ok[pratique.Adoption](t)(s.InForce(ctx)); a.ID != all[0].ID || a.Pending != 0 {
		t.Errorf("in force %+v", a)
	}
	_, err = s.Vulnerability(ctx, "CVE-0")
	refused(t, err, pratique.CodeNotFound)
}

// reopening: a finding that comes back is a second interval.
func reopening(t *testing.T, s *store.Store, _ string) {
	ctx := context.Background()
	estate(t, s, 1)
	a := deb("a", "1")
	known := map[string][]pratique.Finding{"a": {finding("CVE-1", a, pratique.SeverityHigh, "")}}
	key := []pratique.PackageKey{{Ecosystem: "Debian:12", Name: "a"}}
	ok[pratique.Adoption](t)(s.Adopt(ctx, *bundle(0), nil, "t", "import"))
	scanned(t, s, report(imageID(0), bundle(0), []pratique.Package{a}))
	for n, k := range []map[string][]pratique.Finding{known, nil, known} {
		ok[pratique.Adoption](t)(s.Adopt(ctx, *bundle(n + 1), key, "t", "update"))
		judge(t, s, k)
	}
	e := ok[pratique.Page[pratique.FindingEvent]](t)(s.Events(ctx, pratique.EventFilter{Vulnerability: "CVE-1"}, pratique.PageRequest{}))
	if len(e.Items) != 3 || e.Items[0].Change != pratique.ChangeReopened || e.Items[1].Change != pratique.ChangeFixed || e.Items[2].Change != pratique.ChangeAppeared {
		t.Errorf("history %+v", e.Items)
	}
	if c := summary(t, s, 0).Counters; c.Vulnerabilities.High != 1 {
		t.Errorf("counters %+v", c)
	}
}

// staleness: what a worker judged with other knowledge than is in force waits to
// be judged again, and what was judged by nobody as well.
func staleness(t *testing.T, s *store.Store, _ string) {
	ctx := context.Background()
	estate(t, s, 2)
	a, b := deb("a", "1"), deb("b", "1")
	ok[pratique.Adoption](t)(s.Adopt(ctx, *bundle(2), nil, "t", "import"))
	scanned(t, s, report(imageID(0), bundle(1), []pratique.Package{a}, finding("CVE-1", a, pratique.SeverityHigh, "")))
	v := summary(t, s, 0)
	if v.Counters.Risks() != 0 || v.Pending != 1 {
		t.Errorf("judged by an older bundle: %+v, %d pending", v.Counters, v.Pending)
	}
	subjects := ok[[]pratique.Subject](t)(s.Pending(ctx, 10))
	if len(subjects) != 1 || subjects[0].Package.Source.Name != "src-a" || subjects[0].Distro == nil || subjects[0].Distro.Name != bookworm.Name {
		t.Fatalf("pending %+v", subjects)
	}
	// While it is judged, another bundle is adopted: the answer does not count.
	ok[pratique.Adoption](t)(s.Adopt(ctx, *bundle(3), []pratique.PackageKey{{Ecosystem: "Debian:12", Name: "a"}}, "t", "update"))
	must(t, s.Judge(ctx, []pratique.Judgement{{Subject: subjects[0], Findings: []pratique.Finding{finding("CVE-1", a, pratique.SeverityLow, "")}}}))
	if v := summary(t, s, 0); v.Counters.Risks() != 0 || v.Pending != 1 {
		t.Errorf("an answer to an old question counted: %+v", v)
	}
	judge(t, s, map[string][]pratique.Finding{"a": {finding("CVE-1", a, pratique.SeverityHigh, "")}})
	if v := summary(t, s, 0); v.Counters.Vulnerabilities.High != 1 || v.Pending != 0 {
		t.Errorf("after judging: %+v", v)
	}
	e := ok[pratique.Page[pratique.FindingEvent]](t)(s.Events(ctx, pratique.EventFilter{}, pratique.PageRequest{}))
	if len(e.Items) != 1 || e.Items[0].Cause != pratique.CauseContent {
		t.Errorf("the first judgement of a package: %+v", e.Items)
	}
	// Coverage is told anew when other ecosystems are known.
	if all := ok[[]pratique.Digest](t)(s.CoveredBefore(ctx, "k1", 10)); !slices.Equal(all, []pratique.Digest{imageID(0)}) {
		t.Errorf("to cover %v", all)
	}
	must(t, s.SetCoverage(ctx, imageID(0), pratique.CategoryCoverage{State: pratique.CoverageUnknown}, "k1"))
	if all := ok[[]pratique.Digest](t)(s.CoveredBefore(ctx, "k1", 10)); len(all) != 0 {
		t.Errorf("to cover again %v", all)
	}
	refused(t, s.SetCoverage(ctx, imageID(1), pratique.CategoryCoverage{}, "k1"), pratique.CodeNotFound)
	scanned(t, s, report(imageID(1), bundle(3), []pratique.Package{b}))
	if v := summary(t, s, 1); v.Risk != pratique.RiskNone {
		t.Errorf("risk %s", v.Risk)
	}
	must(t, s.SetCoverage(ctx, imageID(1), pratique.CategoryCoverage{State: pratique.CoverageUnknown, Reasons: []string{"no feed"}}, "k1"))
	if v := summary(t, s, 1); v.Risk != pratique.RiskUnknown || v.Coverage[pratique.CategoryVulnerability].State != pratique.CoverageUnknown {
		t.Errorf("risk %s, %v", v.Risk, v.Coverage)
	} else if len(v.Assets) == 0 || !maps.Equal(v.Assets[0].Incomplete, map[pratique.Category]pratique.Coverage{pratique.CategoryVulnerability: pratique.CoverageUnknown}) {
		t.Errorf("the row says %+v", v.Assets)
	}
	if v := summary(t, s, 0); len(v.Assets) == 0 || v.Coverage[pratique.CategoryVulnerability].State == pratique.CoverageComplete && v.Assets[0].Incomplete != nil {
		t.Errorf("the row of a complete image says %+v", v.Assets)
	}
}

func exploitation(t *testing.T, s *store.Store, _ string) {
	ctx := context.Background()
	estate(t, s, 2)
	a := deb("a", "1")
	scanned(t, s, report(imageID(0), nil, []pratique.Package{a}, finding("CVE-1", a, pratique.SeverityHigh, ""), finding("CVE-2", a, pratique.SeverityLow, "")))
	scanned(t, s, report(imageID(1), nil, []pratique.Package{a}))
	kev := &pratique.KEV{DateAdded: "2026-01-01"}
	for _, c := range []struct {
		given []pratique.Exploitation
		whole bool
		want  int
	}{
		{[]pratique.Exploitation{{ID: "CVE-1", EPSS: &pratique.EPSS{Score: 0.09}}, {ID: "CVE-77", KEV: kev}}, true, 0},
		{[]pratique.Exploitation{{ID: "CVE-1", EPSS: &pratique.EPSS{Score: 0.1}}}, false, 1},
		{[]pratique.Exploitation{{ID: "CVE-2", KEV: kev}}, false, 2},
		{[]pratique.Exploitation{{ID: "CVE-2", KEV: kev}}, true, 1},
		{nil, true, 0},
	} {
		must(t, s.SetExploitation(ctx, c.given, c.whole))
		for n := range 2 {
			if got := summary(t, s, n).Counters.Exploited; got != c.want {
				t.Errorf("image %d after %+v: %d exploited, want %d", n, c.given, got, c.want)
			}
		}
		sound(t, s)
	}
	must(t, s.SetExploitation(ctx, []pratique.Exploitation{{ID: "CVE-2", KEV: kev}}, true))
	p := ok[pratique.Page[pratique.VulnerabilityRow]](t)(s.Vulnerabilities(ctx, pratique.FindingFilter{Exploited: true}, pratique.PageRequest{}))
	if len(p.Items) != 1 || p.Items[0].ID != "CVE-2" || p.Items[0].KEV == nil {
		t.Errorf("exploited %+v", p.Items)
	}
	if top := ok[[]pratique.VulnerabilityRow](t)(s.TopVulnerabilities(ctx, pratique.AmongAll, 5)); len(top) != 2 || top[0].ID != "CVE-2" {
		t.Errorf("top %+v", top)
	}
}

// exposure: which images had what, on which day.
func exposure(t *testing.T, s *store.Store, _ string) {
	ctx := context.Background()
	estate(t, s, 2)
	a1, a2 := deb("a", "1"), deb("a", "2")
	before := time.Now()
	ok[pratique.Adoption](t)(s.Adopt(ctx, *bundle(1), nil, "t", "import"))
	scanned(t, s, report(imageID(0), bundle(1), []pratique.Package{a1}, finding("CVE-1", a1, pratique.SeverityHigh, ""), finding("CVE-2", a1, pratique.SeverityHigh, "")))
	scanned(t, s, report(imageID(1), bundle(1), []pratique.Package{a2}, finding("CVE-2", a2, pratique.SeverityHigh, ""), finding("CVE-3", a2, pratique.SeverityHigh, "")))
	between := time.Now()
	ok[pratique.Adoption](t)(s.Adopt(ctx, *bundle(2), []pratique.PackageKey{{Ecosystem: "Debian:12", Name: "a"}}, "t", "update"))
	judge(t, s, map[string][]pratique.Finding{"a": {finding("CVE-2", a1, pratique.SeverityHigh, "")}})
	after := time.Now()
	for _, c := range []struct {
		id   string
		when time.Time
		want int
	}{{"CVE-1", before, 0}, {"CVE-1", between, 1}, {"CVE-1", after, 0}, {"CVE-2", between, 2}, {"CVE-2", after, 2}} {
		if got := ok[[]pratique.Digest](t)(s.ExposedAt(ctx, c.id, c.when)); len(got) != c.want {
			t.Errorf("%s: %d images, want %d", c.id, len(got), c.want)
		}
	}
	names := func(all []pratique.Finding) string {
		var out []string
		for _, f := range all {
			out = append(out, f.ID)
		}
		return strings.Join(out, " ")
	}
	c := ok[pratique.Comparison](t)(s.Compare(ctx, imageID(0), between, imageID(1), between))
	if names(c.New) != "CVE-3" || names(c.Fixed) != "CVE-1" || names(c.Unchanged) != "CVE-2" {
		t.Errorf("two images: %s, %s, %s", names(c.New), names(c.Fixed), names(c.Unchanged))
	}
	c = ok[pratique.Comparison](t)(s.Compare(ctx, imageID(0), between, imageID(0), after))
	if names(c.New) != "" || names(c.Fixed) != "CVE-1" || names(c.Unchanged) != "CVE-2" {
		t.Errorf("two days: %s, %s, %s", names(c.New), names(c.Fixed), names(c.Unchanged))
	}
	// An analyzer that sees other packages: the old ones were held until then.
	scanned(t, s, report(imageID(0), bundle(2), []pratique.Package{deb("b", "1")}))
	if v := summary(t, s, 0); v.Counters.Risks() != 0 || v.Counters.Packages != 1 {
		t.Errorf("counters %+v", v.Counters)
	}
	if got := ok[[]pratique.Digest](t)(s.ExposedAt(ctx, "CVE-2", after)); len(got) != 2 {
		t.Errorf("history was rewritten: %v", got)
	}
	if got := ok[[]pratique.Digest](t)(s.ExposedAt(ctx, "CVE-2", time.Now())); len(got) != 1 {
		t.Errorf("still exposed: %v", got)
	}
}

// gone: images without a row left no longer count among those that have
// something, and do again when they are back.
func gone(t *testing.T, s *store.Store, _ string) {
	ctx := context.Background()
	r := estate(t, s, 2)
	a := deb("a", "1")
	for n := range 2 {
		scanned(t, s, report(imageID(n), nil, []pratique.Package{a}, finding("CVE-1", a, pratique.SeverityHigh, "")))
	}
	having := func() int {
		t.Helper()
		sound(t, s)
		p := ok[pratique.Page[pratique.VulnerabilityRow]](t)(s.Vulnerabilities(ctx, pratique.FindingFilter{}, pratique.PageRequest{}))
		if len(p.Items) == 0 {
			return 0
		}
		return p.Items[0].Images
	}
	list := func(all ...pratique.Asset) {
		t.Helper()
		ok[pratique.SyncResult](t)(s.SyncRepository(ctx, r.ID, "team/app", all, true))
	}
	list(asset("v0", 0))
	if n := having(); n != 1 {
		t.Errorf("%d images have it after one went", n)
	}
	list(asset("v0", 0), asset("v1", 1), asset("again", 1))
	if n := having(); n != 2 {
		t.Errorf("%d images have it after one came back", n)
	}
	list(asset("v0", 5), asset("v1", 1))
	if n := having(); n != 1 {
		t.Errorf("%d images have it after a tag moved on", n)
	}
	if n := ok[int](t)(s.PurgeGone(ctx, time.Now().Add(-time.Hour))); n != 0 {
		t.Errorf("%d rows purged that went just now", n)
	}
	if n := ok[int](t)(s.PurgeGone(ctx, time.Now().Add(time.Hour))); n != 1 {
		t.Errorf("%d rows purged", n)
	}
	sound(t, s)
	if n := ok[int](t)(s.DeleteRegistries(ctx, r.ID)); n != 2 {
		t.Errorf("%d rows deleted", n)
	}
	if n := having(); n != 0 {
		t.Errorf("%d images have it after the registry went", n)
	}
	if p := ok[pratique.Page[pratique.ComponentRow]](t)(s.Components(ctx, pratique.FindingFilter{}, pratique.PageRequest{})); len(p.Items) != 0 {
		t.Errorf("components %+v", p.Items)
	}
	if got := ok[[]pratique.Digest](t)(s.ExposedAt(ctx, "CVE-1", time.Now())); len(got) != 2 {
		t.Errorf("the history went with the registry: %v", got)
	}
	if p := ok[pratique.Page[pratique.AssetRow]](t)(s.Assets(ctx, pratique.AssetFilter{Search: "team"}, pratique.PageRequest{})); len(p.Items) != 0 {
		t.Errorf("the search still finds %+v", p.Items)
	}
}
