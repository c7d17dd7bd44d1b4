package api

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pratique/pratique"
)

// An estate to ask about:
//
//	alpha (oci)     team/app:v0 … v3   v0 at risk, v1 clean, v2 failed, v3 (newest) never scanned
//	beta (harbor)   lib/db:1           the content of v0, newest there
//	beta (harbor)   tool:dev           malware and two secrets, newest there
//	beta (harbor)   tool:old           one of these secrets
type estate struct {
	*person
	alpha, beta pratique.Registry
}

var everything = []pratique.Category{pratique.CategoryVulnerability, pratique.CategorySecret, pratique.CategoryMalware, pratique.CategorySoftware}

var built = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func contentID(n int) pratique.Digest { return pratique.DigestOf(fmt.Append(nil, "config", n)) }

func tagOf(tag string, n int) pratique.Asset {
	created := built.Add(time.Duration(n) * time.Hour)
	return pratique.Asset{
		Tag: tag, Digest: pratique.DigestOf(fmt.Append(nil, "manifest", n)), ImageID: contentID(n),
		Platform: pratique.Platform{OS: "linux", Architecture: "amd64"}, Size: int64(1000 + n), Created: &created,
	}
}

func debian(name, version string) pratique.Package {
	return pratique.Package{
		Type: "deb", Name: name, Version: version, Arch: "amd64", Ecosystem: "Debian:12", Path: "var/lib/dpkg/status",
		Origin: &pratique.Origin{Path: "var/lib/dpkg/status", Layer: 0},
	}
}

func flaw(id string, p pratique.Package, severity pratique.Severity, fixed string) pratique.Finding {
	f := pratique.Finding{
		ID: id, Package: p, Title: "Title of " + id, Details: strings.Repeat("Details of "+id+". ", 200), Severity: severity, SeveritySource: "nvd",
		CVSS:       []pratique.CVSS{{Version: "3.1", Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", Score: 9.8, Severity: pratique.SeverityCritical, Source: "nvd"}},
		References: []pratique.Reference{{Type: "ADVISORY", URL: "https://example.org/" + id}}, FixState: pratique.FixNone,
		FixAdvice: pratique.Text{EN: "upgrade " + p.Name, ZH: "升级 " + p.Name},
		Proof:     []pratique.Proof{{Advisory: "DSA-" + id, Ecosystem: p.Ecosystem, Name: p.Name, Version: p.Version, Range: ">= 0", Decision: p.Version + " is in the range"}},
	}
	if fixed != "" {
		f.FixState, f.FixedVersion = pratique.FixAvailable, fixed
	}
	return f
}

func reportOf(n int, packages []pratique.Package, findings ...pratique.Finding) *pratique.Report {
	base, own := 0, 1
	coverage := map[pratique.Category]pratique.CategoryCoverage{}
	for _, c := range everything {
		coverage[c] = pratique.CategoryCoverage{State: pratique.CoverageComplete}
	}
	return &pratique.Report{
		SchemaVersion: pratique.SchemaVersion, Created: built,
		Image: pratique.Image{
			Name: "registry.example/app:1", Kind: pratique.KindImage, ID: contentID(n), Platform: pratique.Platform{OS: "linux", Architecture: "amd64"}, Created: &built, Size: 4242,
			Distro:  &pratique.Distro{ID: "debian", Version: "12", Name: "Debian GNU/Linux 12 (bookworm)"},
			History: []pratique.Instruction{{CreatedBy: "FROM debian", Layer: &base}, {CreatedBy: "ENV A=b", Empty: true}, {CreatedBy: "COPY app", Layer: &own}},
		},
		Layers: []pratique.Layer{
			{Index: 0, DiffID: pratique.DigestOf([]byte("base")), Size: 4000, Instruction: "FROM debian"},
			{Index: 1, DiffID: pratique.DigestOf(fmt.Append(nil, "layer", n)), Size: 242, Instruction: "COPY app"},
		},
		Packages: packages, Vulnerabilities: findings, Coverage: coverage, Problems: []pratique.Problem{},
	}
}

// scan runs a whole scan of an image.
func (e *estate) scan(r *pratique.Report) {
	e.t.Helper()
	lease := e.claim(r.Image.ID)
	if _, err := e.store.FinishScan(context.Background(), lease, r, "rules 1"); err != nil {
		e.t.Fatal(err)
	}
}

func (e *estate) claim(image pratique.Digest) pratique.Lease {
	e.t.Helper()
	ctx := context.Background()
	_, scans, err := e.store.CreateTask(ctx, pratique.TaskRequest{Kind: pratique.TaskManual, Creator: "tester", Categories: everything, ImageIDs: []pratique.Digest{image}})
	if err != nil {
		e.t.Fatal(err)
	}
	lease, err := e.store.Claim(ctx, scans[0], "worker")
	if err != nil {
		e.t.Fatal(err)
	}
	return lease
}

func newEstate(t *testing.T, adjust ...func(*Deps)) *estate {
	t.Helper()
	v := start(t, adjust...)
	e := &estate{person: v.admin()}
	ctx := context.Background()
	var err error
	fail := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	e.alpha, err = v.store.CreateRegistry(ctx, pratique.Registry{Name: "alpha", Kind: "oci", Network: "private", Region: "default", Address: "https://alpha.example.org"}, "")
	fail(nil, err)
	e.beta, err = v.store.CreateRegistry(ctx, pratique.Registry{Name: "beta", Kind: "harbor", Network: "public", Region: "default", Address: "https://harbor.example.net"}, "")
	fail(nil, err)
	fail(v.store.SyncRepository(ctx, e.alpha.ID, "team/app", []pratique.Asset{tagOf("v0", 0), tagOf("v1", 1), tagOf("v2", 2), tagOf("v3", 3)}, true))
	fail(v.store.SyncRepository(ctx, e.beta.ID, "lib/db", []pratique.Asset{tagOf("1", 0)}, true))
	fail(v.store.SyncRepository(ctx, e.beta.ID, "tool", []pratique.Asset{tagOf("old", 7), tagOf("dev", 8)}, true))
	fail(nil, v.store.SetRules(ctx, "rules 1"))

	ssl := debian("openssl", "3.0.1")
	pad := pratique.Package{Type: "npm", Name: "left-pad", Version: "1.0.0", Ecosystem: "npm", Path: "app/node_modules/left-pad/package.json", Origin: &pratique.Origin{Path: "app/node_modules/left-pad/package.json", Layer: 1}}
	exploited := flaw("CVE-2024-0001", ssl, pratique.SeverityCritical, "3.0.2")
	exploited.KEV = &pratique.KEV{DateAdded: "2026-01-02"}
	e.scan(reportOf(0, []pratique.Package{ssl, pad}, exploited, flaw("GHSA-xxxx", pad, pratique.SeverityMedium, "")))
	e.scan(reportOf(1, []pratique.Package{debian("zlib", "1")}))
	fail(nil, v.store.FailScan(ctx, e.claim(contentID(2)), pratique.Errorf(pratique.CodeUnreachable, "refused").WithRemedy("look"), nil))
	key := pratique.Secret{
		Rule: "aws-key", Title: "AWS", Type: "cloud key", Severity: pratique.SeverityHigh, Source: "file", Path: "root/.aws/credentials", Preview: "AK…", Hash: "h",
		Advice: pratique.Text{EN: "revoke it", ZH: "吊销"}, Origin: &pratique.Origin{Path: "root/.aws/credentials", Layer: 1},
	}
	old, dev := reportOf(7, nil), reportOf(8, nil)
	old.Secrets = []pratique.Secret{key}
	dev.Secrets = []pratique.Secret{key, {Rule: "jwt", Title: "JSON Web Token", Type: "token", Severity: pratique.SeverityLow, Source: "env", Preview: "…"}}
	dev.Malware = []pratique.Malware{{
		Name: "Miner", Engine: "hash", Severity: pratique.SeverityHigh, Path: "usr/bin/kworker", SHA256: "cafe", MD5: "beef", Size: 7,
		Advice: pratique.Text{EN: "rebuild", ZH: "重建"}, Origin: &pratique.Origin{Path: "usr/bin/kworker", Layer: 1},
	}}
	e.scan(old)
	e.scan(dev)
	return e
}

// names asks for a list and returns what name makes of its items, sorted unless the
// order was asked for.
func names[T any](e *estate, path string, name func(T) string) []string {
	e.t.Helper()
	var page pratique.Page[T]
	e.want(200, "GET", "/api/v1"+path, nil, &page)
	var all []string
	for _, item := range page.Items {
		all = append(all, name(item))
	}
	if u, err := url.Parse(path); err == nil && u.Query().Get("sort") == "" {
		slices.Sort(all)
	}
	return all
}

// shows checks lists by what they hold.
func shows[T any](e *estate, name func(T) string, cases map[string][]string) {
	e.t.Helper()
	for path, want := range cases {
		if got := names(e, path, name); !slices.Equal(got, want) {
			e.t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

func id(n int64) string { return fmt.Sprint(n) }
