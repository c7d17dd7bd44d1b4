package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/store"
)

// town is an estate with something of everything:
//
//	alpha (oci)     team/app:v0 … v3   v0 at risk, v1 clean, v2 failed, v3 (newest) never scanned
//	beta (harbor)   lib/db:1           the content of v0, newest there
//	beta (harbor)   tool:dev           malware and a secret, newest there
func town(t testing.TB, s *store.Store) (alpha, beta pratique.Registry) {
	t.Helper()
	ctx := context.Background()
	alpha = estate(t, s, 4)
	var err error
	beta, err = s.CreateRegistry(ctx, pratique.Registry{Name: "beta", Kind: "harbor", Address: "https://harbor.example.net"}, "")
	must(t, err)
	ok[pratique.SyncResult](t)(s.SyncRepository(ctx, beta.ID, "lib/db", []pratique.Asset{asset("1", 0)}, true))
	ok[pratique.SyncResult](t)(s.SyncRepository(ctx, beta.ID, "tool", []pratique.Asset{asset("dev", 8)}, true))
	ssl, pad := deb("openssl", "3.0.1"), npm("left-pad", "1.0.0", "app/node_modules/left-pad/package.json")
	scanned(t, s, report(imageID(0), nil, []pratique.Package{ssl, pad}, finding("CVE-2024-1", ssl, pratique.SeverityCritical, "3.0.2"), finding("GHSA-2", pad, pratique.SeverityMedium, "")))
	scanned(t, s, report(imageID(1), nil, []pratique.Package{deb("zlib", "1")}))
	_, scans, err := s.CreateTask(ctx, want([]pratique.Digest{imageID(2)}, everything...))
	must(t, err)
	must(t, s.FailScan(ctx, ok[pratique.Lease](t)(s.Claim(ctx, scans[0], "w")), pratique.Errorf(pratique.CodeUnreachable, "refused").WithRemedy("look"), nil))
	r := report(imageID(8), nil, nil)
	r.Image.Distro = nil
	r.Secrets = []pratique.Secret{{Rule: "aws-key", Title: "AWS", Type: "cloud key", Severity: pratique.SeverityHigh, Source: "file", Path: "root/.aws/credentials", Preview: "AK…", Hash: "h"}, {Rule: "jwt", Type: "token", Severity: pratique.SeverityLow, Path: "b", Preview: "…"}}
	r.Malware = []pratique.Malware{{Name: "Miner", Engine: "hash", Severity: pratique.SeverityHigh, Path: "usr/bin/kworker", SHA256: "cafe"}}
	scanned(t, s, r)
	return alpha, beta
}

func images(t *testing.T, s *store.Store, _ string) {
	ctx := context.Background()
	alpha, beta := town(t, s)
	must(t, s.SetRules(ctx, "rules 1"))
	name := func(v pratique.AssetRow) string { return v.Repository + ":" + v.Tag }
	all := map[string]pratique.AssetRow{}
	for _, v := range ok[pratique.Page[pratique.AssetRow]](t)(s.Assets(ctx, pratique.AssetFilter{}, pratique.PageRequest{})).Items {
		all[name(v)] = v
	}
	if len(all) != 6 {
		t.Fatalf("rows %v", all)
	}
	past, future := day.Add(-24*time.Hour), time.Now().Add(time.Hour)
	const v0, v1, v2, v3, db, tool = "team/app:v0", "team/app:v1", "team/app:v2", "team/app:v3", "lib/db:1", "tool:dev"
	everyone := []string{db, v0, v1, v2, v3, tool}
	for i, c := range []struct {
		f    pratique.AssetFilter
		want []string
	}{
		{pratique.AssetFilter{}, everyone},
		{pratique.AssetFilter{Status: []pratique.Status{pratique.StatusNotScanned, pratique.StatusFailed}}, []string{v2, v3}},
		{pratique.AssetFilter{Risk: []pratique.Risk{pratique.RiskFound}}, []string{db, v0, tool}},
		{pratique.AssetFilter{Risk: []pratique.Risk{pratique.RiskNone}}, []string{v1}},
		{pratique.AssetFilter{Risk: []pratique.Risk{pratique.RiskUnknown}}, []string{v2, v3}},
		{pratique.AssetFilter{Risk: []pratique.Risk{"nonsense"}}, nil},
		{pratique.AssetFilter{RiskKinds: []pratique.Category{pratique.CategoryMalware}}, []string{tool}},
		{pratique.AssetFilter{RiskKinds: []pratique.Category{pratique.CategorySecret, pratique.CategoryVulnerability}}, []string{db, v0, tool}},
		{pratique.AssetFilter{Severities: []pratique.Severity{pratique.SeverityCritical}}, []string{db, v0}},
		{pratique.AssetFilter{Severities: []pratique.Severity{pratique.SeverityLow, pratique.SeverityMedium}}, []string{db, v0, tool}},
		{pratique.AssetFilter{Kinds: []string{"harbor"}}, []string{db, tool}},
		{pratique.AssetFilter{Registries: []int64{alpha.ID}}, []string{v0, v1, v2, v3}},
		{pratique.AssetFilter{Namespaces: []string{"lib", ""}}, []string{db, tool}},
		{pratique.AssetFilter{Repositories: []int64{all[tool].RepositoryID}}, []string{tool}},
		{pratique.AssetFilter{OS: []string{"debian"}}, []string{db, v0, v1}},
		{pratique.AssetFilter{Architectures: []string{"arm64"}}, nil},
		{pratique.AssetFilter{Newest: true}, []string{db, v3, tool}},
		{pratique.AssetFilter{Running: true}, nil},
		{pratique.AssetFilter{HighPriority: true}, []string{db, tool}},
		{pratique.AssetFilter{Recommended: true}, []string{v3}},
		{pratique.AssetFilter{Fixable: true}, []string{db, v0}},
		{pratique.AssetFilter{Gone: true}, nil},
		{pratique.AssetFilter{Vulnerability: "CVE-2024-1"}, []string{db, v0}},
		{pratique.AssetFilter{Vulnerability: "CVE-2024-1", Newest: true, Registries: []int64{beta.ID, alpha.ID}}, []string{db}},
		{pratique.AssetFilter{Package: "zlib"}, []string{v1}},
		{pratique.AssetFilter{MinSize: 1002, MaxSize: 1003}, []string{v2, v3}},
		{pratique.AssetFilter{IDs: []int64{all[v0].ID, all[v1].ID}, Exclude: []int64{all[v1].ID}}, []string{v0}},
		{pratique.AssetFilter{ImageIDs: []pratique.Digest{imageID(0)}}, []string{db, v0}},
		{pratique.AssetFilter{ScannedAt: pratique.TimeRange{From: &past, To: &future}}, []string{db, v0, v1, tool}},
		{pratique.AssetFilter{ScannedAt: pratique.TimeRange{To: &past}}, nil},
		{pratique.AssetFilter{Created: pratique.TimeRange{To: timeOf(day.Add(2 * time.Hour))}}, []string{db, v0, v1}},
		{pratique.AssetFilter{Synced: pratique.TimeRange{From: &past}}, everyone},
		{pratique.AssetFilter{Search: "TEAM v1"}, []string{v1}},
		{pratique.AssetFilter{Search: "v1 harbor"}, nil},
		{pratique.AssetFilter{Search: "harbor.example"}, []string{db, tool}},
		{pratique.AssetFilter{Search: string(imageID(0))[:20]}, []string{db, v0}},
		{pratique.AssetFilter{Search: digest("manifest", 8).Hex()[30:50]}, []string{tool}},
		{pratique.AssetFilter{Search: "db"}, nil}, // see below: also in digests
	} {
		p := ok[pratique.Page[pratique.AssetRow]](t)(s.Assets(ctx, c.f, pratique.PageRequest{Sort: "name", Count: true}))
		var got []string
		for _, v := range p.Items {
			got = append(got, name(v))
		}
		if c.f.Search == "db" { // two letters, which digests may have too: at least the right one
			if !slices.Contains(got, db) {
				t.Errorf("a search for two letters found %v", got)
			}
			continue
		}
		slices.Sort(got)
		slices.Sort(c.want)
		if !slices.Equal(got, c.want) || p.Total != len(c.want) {
			t.Errorf("case %d, %+v: %v (total %d), want %v", i, c.f, got, p.Total, c.want)
		}
	}
	v := all[db]
	if v.RegistryName != "beta" || v.RegistryKind != "harbor" || v.Namespace != "lib" || v.OSName != bookworm.Name || v.ScannedAt == nil || v.Risk != pratique.RiskFound ||
		!slices.Equal(v.HighPriority, []string{"newest", "critical_fixable"}) || v.Recommended != nil {
		t.Errorf("row %+v", v)
	}
	if v := all[v3]; !slices.Equal(v.Recommended, []string{"newest", "never_scanned"}) || v.Status != pratique.StatusNotScanned || v.Risk != pratique.RiskUnknown || v.HighPriority != nil {
		t.Errorf("row %+v", v)
	}
	if v := all[v2]; v.ScanError == nil || v.ScanError.Remedy != "look" || v.Status != pratique.StatusFailed {
		t.Errorf("row %+v", v)
	}
	if v := all[tool]; !slices.Equal(v.HighPriority, []string{"newest", "malware", "live_secret"}) {
		t.Errorf("reasons %v", v.HighPriority)
	}
	// Newer rules make what older ones read worth reading again.
	must(t, s.SetRules(ctx, "rules 2"))
	p := ok[pratique.Page[pratique.AssetRow]](t)(s.Assets(ctx, pratique.AssetFilter{Recommended: true}, pratique.PageRequest{Sort: "name"}))
	if len(p.Items) != 3 || !slices.Equal(p.Items[0].Recommended, []string{"newest", "older_rules"}) {
		t.Errorf("recommended %+v", p.Items)
	}
	chosen, unread, err := s.SelectImages(ctx, pratique.AssetFilter{})
	must(t, err)
	if len(chosen) != 5 || unread != 0 || slices.Contains(chosen[:3], imageID(1)) {
		t.Errorf("selected %v, %d unread; newest ones come first", chosen, unread)
	}
	// A registry that is renamed is found by its new name.
	alpha.Name = "omega"
	ok[pratique.Registry](t)(s.UpdateRegistry(ctx, alpha, nil))
	if p := ok[pratique.Page[pratique.AssetRow]](t)(s.Assets(ctx, pratique.AssetFilter{Search: "omega v2"}, pratique.PageRequest{})); len(p.Items) != 1 {
		t.Errorf("renamed: %+v", p.Items)
	}
	if p := ok[pratique.Page[pratique.AssetRow]](t)(s.Assets(ctx, pratique.AssetFilter{Search: "alpha "}, pratique.PageRequest{})); len(p.Items) != 4 { // its address still has it
		t.Errorf("%d rows by the address", len(p.Items))
	}
}

func timeOf(t time.Time) *time.Time { return &t }

// paging: every sort, in both directions, by pages of every size, gives each row
// once and in the same order as one page.
func paging(t *testing.T, s *store.Store, _ string) {
	ctx := context.Background()
	town(t, s)
	walk(t, "assets", []string{"", "name", "tag", "registry", "size", "created", "pushed", "firstSeen", "synced", "scanned", "status", "worst", "vulnerabilities", "critical", "secrets", "malware", "packages"},
		func(r pratique.PageRequest) (pratique.Page[pratique.AssetRow], error) {
			return s.Assets(ctx, pratique.AssetFilter{}, r)
		},
		func(v pratique.AssetRow) string { return fmt.Sprint(v.ID) })
	f := pratique.FindingFilter{}
	walk(t, "vulnerabilities", []string{"", "id", "severity", "score", "epss", "images", "firstSeen", "lastSeen", "published"},
		func(r pratique.PageRequest) (pratique.Page[pratique.VulnerabilityRow], error) {
			return s.Vulnerabilities(ctx, f, r)
		},
		func(v pratique.VulnerabilityRow) string { return v.ID })
	walk(t, "findings", []string{"", "severity", "id", "package", "epss", "since"},
		func(r pratique.PageRequest) (pratique.Page[pratique.PlacedFinding], error) {
			return s.Findings(ctx, f, r)
		},
		func(v pratique.PlacedFinding) string { return fmt.Sprint(v.RowID, v.ImageID) })
	walk(t, "components", []string{"", "name", "images", "vulnerabilities", "worst"},
		func(r pratique.PageRequest) (pratique.Page[pratique.ComponentRow], error) {
			return s.Components(ctx, f, r)
		},
		func(v pratique.ComponentRow) string { return fmt.Sprint(v.ID) })
	walk(t, "secrets", []string{"", "severity", "path", "rule", "since"},
		func(r pratique.PageRequest) (pratique.Page[pratique.PlacedSecret], error) {
			return s.Secrets(ctx, f, r)
		},
		func(v pratique.PlacedSecret) string { return fmt.Sprint(v.RowID) })
	walk(t, "malware", []string{"", "severity", "path", "name", "since"},
		func(r pratique.PageRequest) (pratique.Page[pratique.PlacedMalware], error) {
			return s.Malware(ctx, f, r)
		},
		func(v pratique.PlacedMalware) string { return fmt.Sprint(v.RowID) })
	walk(t, "repositories", []string{"", "name", "images", "atRisk", "synced"},
		func(r pratique.PageRequest) (pratique.Page[pratique.RepositoryRow], error) {
			return s.Repositories(ctx, pratique.RepositoryFilter{}, r)
		}, func(v pratique.RepositoryRow) string { return v.Name })
	walk(t, "tasks", []string{"", "created", "total", "failed"},
		func(r pratique.PageRequest) (pratique.Page[pratique.Task], error) {
			return s.Tasks(ctx, pratique.TaskFilter{}, r)
		},
		func(v pratique.Task) string { return fmt.Sprint(v.ID) })
	walk(t, "scans", []string{"", "created", "ended", "status"},
		func(r pratique.PageRequest) (pratique.Page[pratique.Scan], error) {
			return s.Scans(ctx, pratique.ScanFilter{}, r)
		},
		func(v pratique.Scan) string { return fmt.Sprint(v.ID) })
	walk(t, "events", []string{""},
		func(r pratique.PageRequest) (pratique.Page[pratique.FindingEvent], error) {
			return s.Events(ctx, pratique.EventFilter{}, r)
		},
		func(v pratique.FindingEvent) string { return fmt.Sprint(v.ID) })

	first := ok[pratique.Page[pratique.AssetRow]](t)(s.Assets(ctx, pratique.AssetFilter{}, pratique.PageRequest{Sort: "name", Limit: 2}))
	for _, r := range []pratique.PageRequest{
		{Sort: "tag", Cursor: first.Next}, {Sort: "name", Desc: true, Cursor: first.Next}, {Cursor: "nonsense!"}, {Cursor: "e30"}, {Cursor: "bnVsbA"},
		{Sort: "a.id; DROP TABLE assets"}, {Limit: -1}, {Limit: pratique.MaxPage + 1}, {Sort: "name", Cursor: strings.Repeat("A", 100_000)},
	} {
		_, err := s.Assets(ctx, pratique.AssetFilter{}, r)
		refused(t, err, pratique.CodeInvalid)
	}
}

func walk[T any](t *testing.T, list string, sorts []string, read func(pratique.PageRequest) (pratique.Page[T], error), key func(T) string) {
	t.Helper()
	for _, sort := range sorts {
		var forward []string
		for _, desc := range []bool{false, true} {
			whole := ok[pratique.Page[T]](t)(read(pratique.PageRequest{Sort: sort, Desc: desc, Limit: 100, Count: true}))
			if whole.Total != len(whole.Items) || whole.Total < 2 && list != "malware" || whole.Next != "" {
				t.Fatalf("%s by %q: %d rows of %d, next %q", list, sort, len(whole.Items), whole.Total, whole.Next)
			}
			var want []string
			for _, v := range whole.Items {
				want = append(want, key(v))
			}
			if desc {
				slices.Reverse(forward)
				if !slices.Equal(want, forward) {
					t.Errorf("%s by %q: backwards %v, want %v", list, sort, want, forward)
				}
			}
			forward = want
			for limit := 1; limit <= 3; limit++ {
				var got []string
				r := pratique.PageRequest{Sort: sort, Desc: desc, Limit: limit}
				for {
					p := ok[pratique.Page[T]](t)(read(r))
					for _, v := range p.Items {
						got = append(got, key(v))
					}
					if r.Cursor = p.Next; r.Cursor == "" || len(got) > len(want) {
						break
					}
				}
				if !slices.Equal(got, want) {
					t.Errorf("%s by %q, desc %v, pages of %d: %v, want %v", list, sort, desc, limit, got, want)
				}
			}
		}
	}
}

func lists(t *testing.T, s *store.Store, _ string) {
	ctx := context.Background()
	alpha, _ := town(t, s)
	for i, c := range []struct {
		f                                 pratique.FindingFilter
		vulnerabilities, places, packages int
	}{
		{pratique.FindingFilter{}, 2, 2, 3},
		{pratique.FindingFilter{Severities: []pratique.Severity{pratique.SeverityCritical}}, 1, 1, 1},
		{pratique.FindingFilter{System: true}, 1, 1, 2},
		{pratique.FindingFilter{Application: true}, 1, 1, 1},
		{pratique.FindingFilter{System: true, Application: true}, 2, 2, 3},
		{pratique.FindingFilter{Types: []string{"npm", "deb"}, Package: "left-pad"}, 1, 1, 1},
		{pratique.FindingFilter{Package: "left.pad"}, 0, 0, 0},
		{pratique.FindingFilter{Registries: []int64{alpha.ID}}, 2, 2, 3},
		{pratique.FindingFilter{Newest: true}, 2, 2, 2},
		{pratique.FindingFilter{Newest: true, Registries: []int64{alpha.ID}}, 0, 0, 0},
		{pratique.FindingFilter{Running: true}, 0, 0, 0},
		{pratique.FindingFilter{ImageIDs: []pratique.Digest{imageID(1)}}, 0, 0, 1},
		{pratique.FindingFilter{ImageIDs: []pratique.Digest{imageID(0)}}, 2, 2, 2},
		{pratique.FindingFilter{Uncounted: true}, 0, 0, 3},
		{pratique.FindingFilter{Search: "LEFT pad"}, 0, 1, 1},
		{pratique.FindingFilter{Search: "title 2024"}, 1, 1, 0},
	} {
		v := ok[pratique.Page[pratique.VulnerabilityRow]](t)(s.Vulnerabilities(ctx, c.f, pratique.PageRequest{Count: true}))
		p := ok[pratique.Page[pratique.PlacedFinding]](t)(s.Findings(ctx, c.f, pratique.PageRequest{Count: true}))
		k := ok[pratique.Page[pratique.ComponentRow]](t)(s.Components(ctx, c.f, pratique.PageRequest{Count: true}))
		if v.Total != c.vulnerabilities || p.Total != c.places || k.Total != c.packages {
			t.Errorf("case %d, %+v: %d vulnerabilities, %d places, %d packages, want %d, %d, %d", i, c.f, v.Total, p.Total, k.Total, c.vulnerabilities, c.places, c.packages)
		}
	}
	fixable := ok[pratique.Page[pratique.VulnerabilityRow]](t)(s.Vulnerabilities(ctx, pratique.FindingFilter{Fixable: true}, pratique.PageRequest{}))
	if len(fixable.Items) != 1 || !fixable.Items[0].Fixable || fixable.Items[0].Title != "Title of CVE-2024-1" || fixable.Items[0].Images != 1 {
		t.Errorf("fixable %+v", fixable.Items)
	}
	p := ok[pratique.Page[pratique.PlacedFinding]](t)(s.Findings(ctx, pratique.FindingFilter{ImageIDs: []pratique.Digest{imageID(0)}, Application: true}, pratique.PageRequest{}))
	if f := p.Items[0]; f.Package.Origin == nil || f.Package.Origin.Instruction != "COPY app" || f.ImageID != imageID(0) || f.Since.IsZero() || f.Until != nil || len(f.Proof) != 1 {
		t.Errorf("place %+v", f)
	}
	k := ok[pratique.Page[pratique.ComponentRow]](t)(s.Components(ctx, pratique.FindingFilter{}, pratique.PageRequest{Sort: "vulnerabilities", Desc: true}))
	if v := k.Items[len(k.Items)-1]; v.Package.Name != "zlib" || v.Vulnerabilities != 0 || v.Worst != "" || v.Distro != bookworm.Name || v.Images != 1 {
		t.Errorf("component %+v", v)
	}
	for f, want := range map[string][2]int{`{}`: {2, 1}, `{"search":"AWS cred"}`: {1, 0}, `{"search":"kworker"}`: {0, 1}, `{"search":"cafe"}`: {0, 1}, `{"types":["token","hash"]}`: {1, 1}, `{"severities":["low"]}`: {1, 0}, `{"newest":true}`: {2, 1}, `{"uncounted":true}`: {0, 0}} {
		filter := fromJSON(t, f)
		x := ok[pratique.Page[pratique.PlacedSecret]](t)(s.Secrets(ctx, filter, pratique.PageRequest{}))
		m := ok[pratique.Page[pratique.PlacedMalware]](t)(s.Malware(ctx, filter, pratique.PageRequest{}))
		if len(x.Items) != want[0] || len(m.Items) != want[1] {
			t.Errorf("%s: %d secrets, %d malware, want %v", f, len(x.Items), len(m.Items), want)
		}
	}
	repositories := ok[pratique.Page[pratique.RepositoryRow]](t)(s.Repositories(ctx, pratique.RepositoryFilter{Search: "TEAM"}, pratique.PageRequest{Count: true}))
	if len(repositories.Items) != 1 || repositories.Items[0].Images != 4 || repositories.Items[0].AtRisk != 1 || repositories.Items[0].Unscanned != 2 || repositories.Total != 1 {
		t.Errorf("repositories %+v", repositories.Items)
	}
	spaces := ok[[]pratique.RepositoryRow](t)(s.Namespaces(ctx, pratique.RepositoryFilter{}))
	if len(spaces) != 3 || spaces[0].Namespace != "team" || spaces[0].Images != 4 || spaces[1].Namespace != "" || spaces[2].AtRisk != 1 {
		t.Errorf("namespaces %+v", spaces)
	}
	all := ok[[]pratique.RegistryRow](t)(s.Registries(ctx))
	if all[0].Repositories != 1 || all[0].Images != 4 || all[0].AtRisk != 1 || all[1].AtRisk != 2 {
		t.Errorf("registries %+v", all)
	}
}

func fromJSON(t testing.TB, s string) (f pratique.FindingFilter) {
	t.Helper()
	must(t, json.Unmarshal([]byte(s), &f))
	return f
}

func overview(t *testing.T, s *store.Store, _ string) {
	ctx := context.Background()
	empty := ok[pratique.Overview](t)(s.Overview(ctx, pratique.SourceRegistry, day))
	if empty.Rows != 0 || empty.LastScan != nil || empty.Counters.Risks() != 0 {
		t.Errorf("empty %+v", empty)
	}
	town(t, s)
	_, _, err := s.CreateTask(ctx, want([]pratique.Digest{imageID(3)}, everything...))
	must(t, err)
	v := ok[pratique.Overview](t)(s.Overview(ctx, pratique.SourceRegistry, time.Now().Add(-time.Hour)))
	if v.Registries != 2 || v.Repositories != 3 || v.Rows != 6 || v.Images != 5 || v.AtRisk != 3 || v.NoRisk != 1 || v.Unknown != 2 || v.NewToday != 6 || v.NewRiskyToday != 3 || v.Waiting != 1 {
		t.Errorf("overview %+v", v)
	}
	if v.Counters.Vulnerabilities != (pratique.BySeverity{Critical: 1, Medium: 1}) || v.Counters.Secrets.Total() != 2 || v.Counters.Malware.Total() != 1 || v.DistinctIDs != (pratique.BySeverity{Critical: 1, Medium: 1}) {
		t.Errorf("counters %+v, distinct %+v", v.Counters, v.DistinctIDs)
	}
	if v.ByStatus[pratique.StatusScanned] != 4 || v.ByStatus[pratique.StatusScanning] != 1 || v.ByStatus[pratique.StatusFailed] != 1 || v.ByWorst[pratique.SeverityCritical] != 1 || v.ByWorst[pratique.SeverityHigh] != 1 {
		t.Errorf("by status %v, by worst %v", v.ByStatus, v.ByWorst)
	}
	if v.Recommended != 1 || v.HighPriority != 2 || v.LastScan == nil {
		t.Errorf("%d recommended, %d of high priority", v.Recommended, v.HighPriority)
	}
	if v := ok[pratique.Overview](t)(s.Overview(ctx, pratique.SourceRegistry, time.Now().Add(time.Hour))); v.NewToday != 0 {
		t.Errorf("%d new since tomorrow", v.NewToday)
	}
	_, err = s.CloseDay(ctx, "yesterday")
	refused(t, err, pratique.CodeInvalid)
	for _, date := range []string{"2026-03-02", "2026-03-01", "2026-03-02"} {
		d := ok[pratique.Day](t)(s.CloseDay(ctx, date))
		if d.Rows != 6 || d.AtRisk != 3 || d.Counters.Vulnerabilities.Critical != 1 || d.Newest.Malware.High != 1 || d.Newest.Vulnerabilities.Total() != 2 {
			t.Errorf("day %+v", d)
		}
	}
	if d := ok[pratique.Day](t)(s.Today(ctx, "2026-03-03")); d.Date != "2026-03-03" || d.Rows != 6 || d.AtRisk != 3 || d.Newest.Malware.High != 1 {
		t.Errorf("today %+v", d)
	}
	if days := ok[[]pratique.Day](t)(s.Days(ctx, "2026-03-01", "2026-03-31")); len(days) != 2 || days[0].Date != "2026-03-01" {
		t.Errorf("days %+v", days)
	}
}

func accounts(t *testing.T, s *store.Store, _ string) {
	ctx := context.Background()
	u := ok[pratique.User](t)(s.CreateUser(ctx, pratique.User{Name: " Admin ", Role: "admin", MustSet: true}, "$argon2id$one"))
	_, err := s.CreateUser(ctx, pratique.User{Name: "ADMIN"}, "x")
	refused(t, err, pratique.CodeConflict)
	_, err = s.CreateUser(ctx, pratique.User{Name: ""}, "x")
	refused(t, err, pratique.CodeInvalid)
	got, hash, err := s.UserByName(ctx, "aDmin")
	must(t, err)
	if got.ID != u.ID || hash != "$argon2id$one" || !got.MustSet || got.Role != "admin" {
		t.Errorf("user %+v, %q", got, hash)
	}
	_, _, err = s.UserByName(ctx, "nobody")
	refused(t, err, pratique.CodeNotFound)

	sessions := s.Sessions()
	for _, token := range []string{"one", "two", "old"} {
		expires := time.Now().Add(time.Hour)
		if token == "old" {
			expires = time.Now().Add(-time.Second)
		}
		must(t, sessions.CommitCtx(ctx, token, []byte{0, 1, 0xff}, expires))
		must(t, s.BindSession(ctx, token, u.ID))
	}
	refused(t, s.BindSession(ctx, "none", u.ID), pratique.CodeNotFound)
	must(t, sessions.Commit("one", []byte("new"), time.Now().Add(time.Hour)))
	exists := func(token string) bool {
		t.Helper()
		_, found, err := sessions.Find(token)
		must(t, err)
		return found
	}
	if data, found, err := sessions.FindCtx(ctx, "one"); err != nil || !found || string(data) != "new" {
		t.Errorf("session %q, %v, %v", data, found, err)
	}
	if exists("old") || !exists("two") {
		t.Error("which sessions exist")
	}
	var kept int
	must(t, s.Writer().QueryRow("SELECT COUNT(*) FROM sessions WHERE token LIKE '%one%'").Scan(&kept))
	if kept != 0 {
		t.Error("the token is readable in the database")
	}
	must(t, s.SetPassword(ctx, u.ID, "$argon2id$two", false, "one"))
	if !exists("one") || exists("two") {
		t.Error("a new password ends all sessions but its own")
	}
	must(t, s.DropExpiredSessions(ctx))
	must(t, sessions.Delete("one"))
	if exists("one") {
		t.Error("a deleted session exists")
	}
	must(t, sessions.Commit("three", nil, time.Now().Add(time.Hour)))
	must(t, s.BindSession(ctx, "three", u.ID))
	u.Disabled = true
	must(t, s.SetUser(ctx, u))
	must(t, s.TouchUser(ctx, u.ID))
	if all := ok[[]pratique.User](t)(s.Users(ctx)); len(all) != 1 || !all[0].Disabled || all[0].MustSet || all[0].LastSeen == nil || exists("three") {
		t.Errorf("users %+v", all)
	}
	refused(t, s.SetPassword(ctx, 99, "x", false, ""), pratique.CodeNotFound)
	refused(t, s.SetUser(ctx, pratique.User{ID: 99}), pratique.CodeNotFound)

	if v := ok[json.RawMessage](t)(s.Preference(ctx, u.ID, "columns")); v != nil {
		t.Errorf("preference %s", v)
	}
	for _, v := range []string{`["name","tag"]`, `{"a":1}`} {
		must(t, s.SetPreference(ctx, u.ID, "columns", json.RawMessage(v)))
		if got := ok[json.RawMessage](t)(s.Preference(ctx, u.ID, "columns")); strings.ReplaceAll(string(got), " ", "") != v {
			t.Errorf("preference %s, want %s", got, v)
		}
	}
	must(t, s.SetPreference(ctx, u.ID, "columns", json.RawMessage("null")))
	if v := ok[json.RawMessage](t)(s.Preference(ctx, u.ID, "columns")); v != nil {
		t.Errorf("removed preference %s", v)
	}
	refused(t, s.SetPreference(ctx, u.ID, "columns", json.RawMessage("{")), pratique.CodeInvalid)
	refused(t, s.SetPreference(ctx, u.ID, "columns", json.RawMessage(`"`+strings.Repeat("x", 70_000)+`"`)), pratique.CodeLimit)

	for _, action := range []string{"registry.create", "registry.delete", "registryx.create", "login.failed"} {
		must(t, s.Note(ctx, pratique.AuditEntry{User: "admin", Action: action, Target: "alpha", Address: "127.0.0.1", Detail: strings.Repeat("ä", 5000)}))
	}
	for f, want := range map[pratique.AuditFilter]int{{}: 4, {Action: "registry"}: 2, {Action: "login.failed"}: 1, {User: "eve"}: 0, {Search: "ALPHA"}: 4} {
		if p := ok[pratique.Page[pratique.AuditEntry]](t)(s.Notes(ctx, f, pratique.PageRequest{})); len(p.Items) != want || want == 4 && p.Items[0].Action != "login.failed" {
			t.Errorf("audit %+v: %d entries, want %d", f, len(p.Items), want)
		}
	}
	must(t, s.SetSetting(ctx, "window", map[string]string{"from": "00:00"}))
	var window map[string]string
	must(t, s.Setting(ctx, "window", &window))
	if window["from"] != "00:00" {
		t.Errorf("setting %v", window)
	}
}
