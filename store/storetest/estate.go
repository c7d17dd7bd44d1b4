package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/store"
)

// must fails the test on an error.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func ok[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		must(t, err)
		return v
	}
}

// refused wants an error of one code, with a message.
func refused(t testing.TB, err error, code pratique.Code) {
	t.Helper()
	if pratique.CodeOf(err) != code || err.Error() == "" {
		t.Fatalf("error %v of code %q, want code %q", err, pratique.CodeOf(err), code)
	}
}

func digest(name string, n int) pratique.Digest {
	return pratique.DigestOf([]byte(fmt.Sprint(name, n)))
}

func imageID(n int) pratique.Digest { return digest("config", n) }

var day = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// asset is one listed row with its content known.
func asset(tag string, n int) pratique.Asset {
	created := day.Add(time.Duration(n) * time.Hour)
	return pratique.Asset{Tag: tag, Digest: digest("manifest", n), ImageID: imageID(n), Platform: pratique.Platform{OS: "linux", Architecture: "amd64"}, Size: int64(1000 + n), Created: &created}
}

// newRegistry is a registry of kind oci.
func newRegistry(t testing.TB, s *store.Store, name string) pratique.Registry {
	t.Helper()
	r, err := s.CreateRegistry(context.Background(), pratique.Registry{Name: name, Kind: "oci", Network: "private", Region: "default", Address: "https://" + name + ".example.org", Username: "robot"}, "open sesame "+name)
	must(t, err)
	return r
}

var bookworm = &pratique.Distro{ID: "debian", Version: "12", Name: "Debian GNU/Linux 12 (bookworm)"}

// deb is a package of Debian 12.
func deb(name, version string) pratique.Package {
	return pratique.Package{
		Type: "deb", Name: name, Version: version, Arch: "amd64", PURL: "pkg:deb/debian/" + name + "@" + version, Ecosystem: "Debian:12",
		Source: &pratique.Source{Name: "src-" + name, Version: version}, Licenses: []string{"MIT"}, Path: "var/lib/dpkg/status", FoundBy: "os/dpkg",
		Origin: &pratique.Origin{Path: "var/lib/dpkg/status", Layer: 0},
	}
}

// npm is a package at a path.
func npm(name, version, path string) pratique.Package {
	return pratique.Package{
		Type: "npm", Name: name, Version: version, PURL: "pkg:npm/" + name + "@" + version, Ecosystem: "npm", Path: path, FoundBy: "javascript/packagejson",
		Origin: &pratique.Origin{Path: path, Layer: 1},
	}
}

// finding is one of a severity; fixed "" has no fix.
func finding(id string, p pratique.Package, severity pratique.Severity, fixed string) pratique.Finding {
	f := pratique.Finding{
		ID: id, Package: p, Title: "Title of " + id, Details: "Details of " + id, Severity: severity, SeveritySource: "test",
		CVSS:     []pratique.CVSS{{Version: "3.1", Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", Score: 9.8, Severity: pratique.SeverityCritical, Source: "nvd"}},
		FixState: pratique.FixNone, Proof: []pratique.Proof{{Advisory: id, Ecosystem: p.Ecosystem, Name: p.Name, Version: p.Version, Range: ">= 0", Decision: p.Version + " is in the range"}},
	}
	if fixed != "" {
		f.FixState, f.FixedVersion = pratique.FixAvailable, fixed
	}
	return f
}

// complete is the coverage of a scan that looked at everything.
func complete() map[pratique.Category]pratique.CategoryCoverage {
	all := map[pratique.Category]pratique.CategoryCoverage{}
	for _, c := range everything {
		all[c] = pratique.CategoryCoverage{State: pratique.CoverageComplete}
	}
	return all
}

var everything = []pratique.Category{pratique.CategoryVulnerability, pratique.CategorySecret, pratique.CategoryMalware, pratique.CategorySoftware}

// report is a scan's result.
func report(id pratique.Digest, bundle *pratique.Bundle, packages []pratique.Package, findings ...pratique.Finding) *pratique.Report {
	created := day
	layer := 0
	return &pratique.Report{
		SchemaVersion: pratique.SchemaVersion, Created: day,
		Image: pratique.Image{
			Name: "example.org/app:1", Kind: pratique.KindImage, ID: id, Platform: pratique.Platform{OS: "linux", Architecture: "amd64"}, Created: &created, Size: 4242,
			Config: pratique.Config{User: "app", Env: []string{"PATH=/bin"}}, Distro: bookworm,
			History: []pratique.Instruction{{CreatedBy: "FROM debian", Layer: &layer}, {CreatedBy: "COPY app", Empty: true}},
		},
		Layers:   []pratique.Layer{{Index: 0, DiffID: digest("base", 0), Size: 4000, Instruction: "FROM debian"}, {Index: 1, DiffID: digest("layer of "+string(id), 1), Size: 242, Instruction: "COPY app"}},
		Packages: packages, Vulnerabilities: findings, Coverage: complete(), Problems: []pratique.Problem{}, Bundle: bundle,
	}
}

// bundle is knowledge by its number.
func bundle(n int) *pratique.Bundle {
	return &pratique.Bundle{Digest: digest("bundle", n), Built: day.Add(time.Duration(n) * 24 * time.Hour), Feeds: []pratique.FeedStatus{{Source: "osv/Debian", Records: n}}}
}

// scanned runs a whole scan of an image: task, claim, finish.
func scanned(t testing.TB, s *store.Store, r *pratique.Report) {
	t.Helper()
	ctx := context.Background()
	_, scans, err := s.CreateTask(ctx, pratique.TaskRequest{Kind: pratique.TaskManual, Creator: "tester", Categories: everything, ImageIDs: []pratique.Digest{r.Image.ID}})
	must(t, err)
	lease, err := s.Claim(ctx, scans[0], "worker")
	must(t, err)
	_, err = s.FinishScan(ctx, lease, r, "rules 1")
	must(t, err)
}

// sound fails the test when counters do not add up.
func sound(t testing.TB, s *store.Store) {
	t.Helper()
	wrong, err := s.Verify(context.Background())
	must(t, err)
	for _, w := range wrong {
		t.Error(w)
	}
	if len(wrong) > 0 {
		t.FailNow()
	}
}
