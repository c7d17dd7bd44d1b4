package storetest

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/store"
)

// places: what lies where in one image, and in which images the same lies.
func places(t *testing.T, s *store.Store, _ string) {
	ctx := context.Background()
	_, beta := town(t, s)
	ok[pratique.SyncResult](t)(s.SyncRepository(ctx, beta.ID, "tool", []pratique.Asset{asset("old", 7), asset("dev", 8)}, true))
	old := report(imageID(7), nil, nil)
	old.Secrets = []pratique.Secret{{Rule: "aws-key", Title: "AWS", Type: "cloud key", Severity: pratique.SeverityHigh, Source: "file", Path: "root/.aws/credentials", Preview: "AK…", Hash: "h", Origin: nil}}
	scanned(t, s, old)

	secrets := ok[pratique.Page[pratique.PlacedSecret]](t)(s.Secrets(ctx, pratique.FindingFilter{Distinct: true}, pratique.PageRequest{Count: true}))
	if secrets.Total != 2 || secrets.Items[0].Rule != "aws-key" || secrets.Items[0].Images != 2 || secrets.Items[1].Images != 1 {
		t.Errorf("secrets, each once: %+v", secrets)
	}
	if all := ok[pratique.Page[pratique.PlacedSecret]](t)(s.Secrets(ctx, pratique.FindingFilter{}, pratique.PageRequest{})); len(all.Items) != 3 || all.Items[0].Images != 0 {
		t.Errorf("secrets at each place: %+v", all)
	}
	malware := ok[pratique.Page[pratique.PlacedMalware]](t)(s.Malware(ctx, pratique.FindingFilter{Distinct: true, Newest: true}, pratique.PageRequest{}))
	if len(malware.Items) != 1 || malware.Items[0].Images != 1 {
		t.Errorf("malware: %+v", malware)
	}
	component := ok[pratique.Page[pratique.ComponentRow]](t)(s.Components(ctx, pratique.FindingFilter{Vulnerable: true, System: true}, pratique.PageRequest{})).Items[0]
	if got := ok[pratique.ComponentRow](t)(s.Component(ctx, component.ID)); got.Package.Name != "openssl" || got.Distro != bookworm.Name || got.Vulnerabilities != 1 {
		t.Errorf("component %+v", got)
	}
	_, err := s.Component(ctx, 9999)
	refused(t, err, pratique.CodeNotFound)

	for name, c := range map[string]struct {
		f    pratique.AssetFilter
		want []string
	}{
		"secret":    {pratique.AssetFilter{Secret: secrets.Items[0].RowID}, []string{"tool:dev", "tool:old"}},
		"malware":   {pratique.AssetFilter{Malware: malware.Items[0].RowID}, []string{"tool:dev"}},
		"component": {pratique.AssetFilter{Components: []int64{component.ID}}, []string{"lib/db:1", "team/app:v0"}},
		"must fix":  {pratique.AssetFilter{MustFix: true}, []string{"lib/db:1", "team/app:v0"}},
	} {
		var got []string
		for _, v := range ok[pratique.Page[pratique.AssetRow]](t)(s.Assets(ctx, c.f, pratique.PageRequest{})).Items {
			got = append(got, v.Repository+":"+v.Tag)
		}
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("images by %s: %v, want %v", name, got, c.want)
		}
	}
	names := ok[map[pratique.Digest]pratique.AssetName](t)(s.AssetNames(ctx, []pratique.Digest{imageID(0), imageID(8), imageID(999)}))
	if len(names) != 2 || names[imageID(0)].Repository != "lib/db" || names[imageID(8)].Tag != "dev" { // the newest tag of a repository goes first
		t.Errorf("names %+v", names)
	}
	facets := ok[pratique.AssetFacets](t)(s.AssetFacets(ctx, pratique.AssetFilter{Newest: true}))
	if fmt.Sprint(facets.Kinds) != "[{harbor  2} {oci  1}]" || len(facets.Registries) != 2 || facets.Registries[0].Label != "beta" || len(facets.OS) != 1 {
		t.Errorf("facets %+v", facets)
	}
	walk(t, "packages of an image", []string{"", "name", "type", "version", "path", "layer", "vulnerabilities", "worst"},
		func(r pratique.PageRequest) (pratique.Page[pratique.PlacedPackage], error) {
			return s.ImageComponents(ctx, imageID(0), pratique.FindingFilter{}, r)
		},
		func(v pratique.PlacedPackage) string { return fmt.Sprint(v.ComponentID, v.Package.Path) })
	h := ok[pratique.BuildHistory](t)(s.BuildHistory(ctx, imageID(0)))
	if len(h.Steps) != 3 || h.Steps[0].Findings.Vulnerabilities.Critical != 1 || h.Steps[1].Findings != nil || h.Steps[2].Findings.Vulnerabilities.Medium != 1 || h.Steps[2].CreatedBy != "COPY app" {
		t.Errorf("build %+v", h)
	}
	if h := ok[pratique.BuildHistory](t)(s.BuildHistory(ctx, imageID(8))); h.Config.Secrets.Total() != 2 || h.Config.Malware.High != 1 { // in no layer that we know
		t.Errorf("build %+v", h.Config)
	}
	for among, want := range map[pratique.Among]int{pratique.AmongAll: 2, pratique.AmongNewest: 2, pratique.AmongRunning: 0} {
		if top := ok[[]pratique.VulnerabilityRow](t)(s.TopVulnerabilities(ctx, among, 5)); len(top) != want {
			t.Errorf("top of %s: %d, want %d", among, len(top), want)
		}
	}
	// A task of two images, one of them half done in one of two categories.
	task, scans, err := s.CreateTask(ctx, want([]pratique.Digest{imageID(1), imageID(3)}, pratique.CategorySecret, pratique.CategoryMalware))
	must(t, err)
	must(t, s.Beat(ctx, ok[pratique.Lease](t)(s.Claim(ctx, scans[0], "w")), map[pratique.Category]int{pratique.CategorySecret: 50}))
	if p := ok[map[int64]pratique.TaskProgress](t)(s.TaskProgress(ctx, task.ID))[task.ID]; p.Running != 1 || p.Waiting != 1 || p.Percent != 25 {
		t.Errorf("progress %+v", p)
	}
	for phase, n := range map[string]int{"waiting": 1, "running": 1, "ended": 5} {
		if got := ok[pratique.Page[pratique.Scan]](t)(s.Scans(ctx, pratique.ScanFilter{Phase: phase}, pratique.PageRequest{})); len(got.Items) != n {
			t.Errorf("%d scans are %s, want %d", len(got.Items), phase, n)
		}
	}
	// The vulnerabilities of a registry are the same ones, whatever number of rows it has.
	few := ok[pratique.Page[pratique.VulnerabilityRow]](t)(s.Vulnerabilities(ctx, pratique.FindingFilter{Registries: []int64{beta.ID}}, pratique.PageRequest{}))
	_, err = s.Writer().Exec(`INSERT INTO assets (registry_id, repository_id, slot, tag, digest, index_digest, platform, size, first_seen, last_seen, newest, search)
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5001)
		SELECT a.registry_id, a.repository_id, 'many' || n.i, 'many' || n.i, a.digest, '', a.platform, 0, 1, 1, a.newest, 'x' FROM n, (SELECT * FROM assets WHERE tag = 'old') a`)
	must(t, err)
	many := ok[pratique.Page[pratique.VulnerabilityRow]](t)(s.Vulnerabilities(ctx, pratique.FindingFilter{Registries: []int64{beta.ID}}, pratique.PageRequest{Count: true}))
	if len(few.Items) != 2 || many.Total != 2 || many.Items[0].ID != few.Items[0].ID {
		t.Errorf("of a registry with few rows: %+v, with many: %+v", few.Items, many.Items)
	}
}
