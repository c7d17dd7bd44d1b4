package export

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/internal/pgtest"
	"github.com/pratique/pratique/store"
)

func wellFormed(document string) error {
	for d := xml.NewDecoder(strings.NewReader(document)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func digest(name string, n int) pratique.Digest { return pratique.DigestOf(fmt.Append(nil, name, n)) }

// keeper is a keeper on a new database of its own, with nobody who runs its jobs.
func keeper(t testing.TB) (*Keeper, *store.Store) {
	t.Helper()
	return keeperOn(t, filepath.Join(t.TempDir(), "pratique.db"))
}

func keeperOn(t testing.TB, dsn string) (*Keeper, *store.Store) {
	t.Helper()
	s, err := store.Open(context.Background(), dsn, nil)
	must(t, err)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	nobody := func(context.Context, int64) error { return nil }
	return &Keeper{Rows: s, Source: s, Folder: filepath.Join(t.TempDir(), "exports"), Enqueue: nobody, Cancel: nobody}, s
}

// estate is a registry with n images of one repository, and one tag more for the
// first. Each has the packages, with as many vulnerabilities each.
func estate(t testing.TB, s *store.Store, n, packages, each int) {
	t.Helper()
	ctx := context.Background()
	r, err := s.CreateRegistry(ctx, pratique.Registry{Name: "alpha", Kind: "oci", Network: "private", Region: "default", Address: "https://alpha.example.org"}, "")
	must(t, err)
	linux := pratique.Platform{OS: "linux", Architecture: "amd64"}
	var listing []pratique.Asset
	for i := range n {
		listing = append(listing, pratique.Asset{Tag: fmt.Sprintf("v%04d", i), Digest: digest("manifest", i), ImageID: digest("config", i), Platform: linux, Size: 1000})
	}
	listing = append(listing, pratique.Asset{Tag: "twin", Digest: digest("manifest", 0), ImageID: digest("config", 0), Platform: linux, Size: 1000})
	_, err = s.SyncRepository(ctx, r.ID, "team/app", listing, true)
	must(t, err)
	everything := []pratique.Category{pratique.CategoryVulnerability, pratique.CategorySecret, pratique.CategoryMalware, pratique.CategorySoftware}
	coverage := map[pratique.Category]pratique.CategoryCoverage{}
	for _, c := range everything {
		coverage[c] = pratique.CategoryCoverage{State: pratique.CoverageComplete}
	}
	bundle := &pratique.Bundle{Digest: digest("bundle", 0), Built: noon}
	_, err = s.Adopt(ctx, *bundle, nil, "t", "import")
	must(t, err)
	var known []pratique.Package
	var findings []pratique.Finding
	for i := range packages {
		p := pratique.Package{Type: "npm", Name: fmt.Sprintf("@scope/p%d", i), Version: "1.0", Ecosystem: "npm", Path: fmt.Sprintf("srv/p%d/package.json", i), Origin: &pratique.Origin{Layer: 0}}
		known = append(known, p)
		for j := range each {
			findings = append(findings, pratique.Finding{ID: fmt.Sprintf("CVE-2026-%d", 10000+i*each+j), Package: p, Title: "Title, \"quoted\"", Severity: pratique.Severities()[(i+j)%6], FixState: pratique.FixAvailable, FixedVersion: "2.0",
				CVSS: []pratique.CVSS{{Version: "3.1", Score: 7.5, Vector: "CVSS:3.1/AV:N"}}, Proof: []pratique.Proof{{Advisory: "GHSA-x", Decision: "1.0 < 2.0"}}})
		}
	}
	for i := range n {
		_, scans, err := s.CreateTask(ctx, pratique.TaskRequest{Kind: pratique.TaskManual, Creator: "t", Categories: everything, ImageIDs: []pratique.Digest{digest("config", i)}})
		must(t, err)
		lease, err := s.Claim(ctx, scans[0], "w")
		must(t, err)
		_, err = s.FinishScan(ctx, lease, &pratique.Report{
			Image: pratique.Image{ID: lease.ImageID, Platform: linux}, Layers: []pratique.Layer{{DiffID: digest("layer", i), Instruction: "COPY . /srv"}}, Packages: known, Vulnerabilities: findings, Coverage: coverage, Bundle: bundle,
			Secrets: []pratique.Secret{{Rule: "rule", Title: "A key", Severity: pratique.SeverityHigh, Source: "file", Path: "=cmd", Line: 3, Preview: "AK…", Hash: fmt.Sprint(i)}},
			Malware: []pratique.Malware{{Name: "Eicar", Engine: "eicar", Severity: pratique.SeverityCritical, Path: "tmp/x", Size: 68, MD5: "44"}},
		}, "rules")
		must(t, err)
	}
}

// made creates an export, runs it, and returns its bytes.
func made(t testing.TB, k *Keeper, r pratique.ExportRequest) (pratique.Export, []byte) {
	t.Helper()
	ctx := context.Background()
	v, err := k.Create(ctx, r, "tester")
	must(t, err)
	if _, _, _, err := k.Open(ctx, v.ID); pratique.CodeOf(err) != pratique.CodeConflict {
		t.Errorf("a file before the end: %v", err)
	}
	must(t, k.Run(ctx, v.ID, 1000+v.ID))
	v, _, f, err := k.Open(ctx, v.ID)
	if err != nil {
		got, _ := k.Rows.Export(ctx, v.ID)
		t.Fatalf("%v: %+v", err, got.Error)
	}
	defer f.Close()
	content, err := io.ReadAll(f)
	must(t, err)
	if v.Bytes != int64(len(content)) {
		t.Errorf("%d bytes, told %d", len(content), v.Bytes)
	}
	return v, content
}

func decode(t testing.TB, content []byte) (rows []map[string]any) {
	t.Helper()
	must(t, json.Unmarshal(content, &rows))
	return rows
}

func TestEveryKind(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) { everyKind(t, filepath.Join(t.TempDir(), "pratique.db")) })
	t.Run("PostgreSQL", func(t *testing.T) { everyKind(t, pgtest.Database(t)) })
}

func everyKind(t *testing.T, dsn string) {
	k, s := keeperOn(t, dsn)
	estate(t, s, 5, 3, 4)
	ctx := context.Background()
	yes := pratique.AssetFilter{Search: "v0001"}
	for _, c := range []struct {
		name  string
		r     pratique.ExportRequest
		rows  int
		first map[string]any
	}{
		{"all images", pratique.ExportRequest{Kind: "images", Sort: "tag", Columns: []string{"tag", "name", "critical", "risks", "newest"}}, 6,
			map[string]any{"tag": "twin"}},
		{"images in another order", pratique.ExportRequest{Kind: "images", Sort: "-tag", Columns: []string{"tag", "vulnerabilities"}}, 6, map[string]any{"tag": "v0004", "vulnerabilities": 12.0}},
		{"filtered images", pratique.ExportRequest{Kind: "images", Images: yes}, 1, map[string]any{"name": "alpha.example.org/team/app:v0001", "status": "scanned", "risk": "at_risk", "vulnerabilities": 12.0, "secrets": 1.0}},
		{"ticked images", pratique.ExportRequest{Kind: "images", Images: pratique.AssetFilter{IDs: []int64{1, 3}}, Columns: []string{"tag"}}, 2, nil},
		{"all but ticked", pratique.ExportRequest{Kind: "images", Images: pratique.AssetFilter{Exclude: []int64{1, 3}}}, 4, nil},
		{"findings of one image", pratique.ExportRequest{Kind: "findings", Images: yes}, 12,
			map[string]any{"severity": "critical", "images": []any{"alpha.example.org/team/app:v0001"}, "layer": string(digest("layer", 1)), "instruction": "COPY . /srv", "score": 7.5, "fixedVersion": "2.0", "proof": "GHSA-x: 1.0 < 2.0"}},
		{"findings of all images", pratique.ExportRequest{Kind: "findings"}, 60, nil}, // twins once
		{"critical findings", pratique.ExportRequest{Kind: "findings", Findings: pratique.FindingFilter{Severities: []pratique.Severity{pratique.SeverityCritical}}}, 5, nil},
		{"affected", pratique.ExportRequest{Kind: "affected", Images: pratique.AssetFilter{Vulnerability: "CVE-2026-10001"}}, 6, map[string]any{"vulnerability": "CVE-2026-10001", "package": "@scope/p0", "fixedVersion": "2.0"}},
		{"vulnerabilities", pratique.ExportRequest{Kind: "vulnerabilities"}, 12, map[string]any{"images": 5.0, "severity": "critical"}},
		{"components", pratique.ExportRequest{Kind: "components", Sort: "-name"}, 3, map[string]any{"name": "@scope/p2", "images": 5.0, "vulnerabilities": 4.0}},
		{"packages", pratique.ExportRequest{Kind: "packages"}, 15, map[string]any{"name": "@scope/p0", "path": "srv/p0/package.json", "vulnerabilities": 4.0}},
		{"packages of one image", pratique.ExportRequest{Kind: "packages", Images: yes, Findings: pratique.FindingFilter{Search: "p2"}}, 1, map[string]any{"name": "@scope/p2", "instruction": "COPY . /srv"}},
		{"secrets", pratique.ExportRequest{Kind: "secrets"}, 5, map[string]any{"path": "=cmd", "preview": "AK…", "line": 3.0}},
		{"malware", pratique.ExportRequest{Kind: "malware", Images: yes}, 1, map[string]any{"malware": "Eicar", "md5": "44"}},
		{"changes of an image", pratique.ExportRequest{Kind: "changes", Events: pratique.EventFilter{ImageID: digest("config", 0), Categories: []pratique.Category{pratique.CategoryMalware}}}, 1, map[string]any{"change": "appeared", "category": "malware", "imageID": string(digest("config", 0))}},
		{"changes of a vulnerability", pratique.ExportRequest{Kind: "changes", Events: pratique.EventFilter{Vulnerability: "CVE-2026-10001"}}, 1, map[string]any{"change": "appeared", "vulnerability": "CVE-2026-10001", "package": "@scope/p0", "version": "1.0"}},
		{"tasks", pratique.ExportRequest{Kind: "tasks"}, 5, map[string]any{"kind": "manual", "scanned": 1.0}},
		{"scans", pratique.ExportRequest{Kind: "scans", Scans: pratique.ScanFilter{ImageIDs: []pratique.Digest{digest("config", 0)}}}, 1,
			map[string]any{"images": []any{"alpha.example.org/team/app:v0000", "alpha.example.org/team/app:twin"}, "status": "scanned"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.r.Format = "json"
			need, err := k.Preview(ctx, c.r)
			must(t, err)
			v, content := made(t, k, c.r)
			rows := decode(t, content)
			if need.Rows != c.rows || len(rows) != c.rows || v.Rows != c.rows || v.Total != c.rows {
				t.Fatalf("counted %d, told %d, wrote %d; want %d", need.Rows, v.Rows, len(rows), c.rows)
			}
			if c.name == "all images" {
				if keys := strings.SplitN(string(content), "\n", 3)[1]; !strings.HasPrefix(keys, `{"tag":"twin","name":`) || strings.Count(keys, `":`) != 5 {
					t.Errorf("columns in %s", keys)
				}
			}
			for key, want := range c.first {
				if got := rows[0][key]; fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("%s is %v, want %v", key, got, want)
				}
			}
			// The same in every format.
			for _, f := range Formats() {
				c.r.Format, c.r.Language = f.ID, "zh"
				if v, _ := made(t, k, c.r); v.Rows != c.rows {
					t.Errorf("%s has %d rows", f.ID, v.Rows)
				}
			}
		})
	}
}

// TestNothingIsLeftBehind: attempts that were given up, exports that were deleted
// and files that have expired.
func TestNothingIsLeftBehind(t *testing.T) {
	k, s := keeper(t)
	estate(t, s, 2, 1, 1)
	ctx := context.Background()
	request := pratique.ExportRequest{Kind: "images", Format: "csv"}
	files := func() (names []string) {
		t.Helper()
		all, err := os.ReadDir(k.Folder)
		must(t, err)
		for _, f := range all {
			names = append(names, f.Name())
		}
		return names
	}
	// A worker was killed in the middle; another one takes over.
	v, err := k.Create(ctx, request, "tester")
	must(t, err)
	if ids, err := k.Wanted(ctx); err != nil || !slices.Equal(ids, []int64{v.ID}) {
		t.Fatalf("wanted %v, %v", ids, err)
	}
	_, err = s.BeginExport(ctx, v.ID, 7)
	must(t, err)
	must(t, os.MkdirAll(k.Folder, 0o700))
	left := filepath.Join(k.Folder, fmt.Sprintf("%d-7.csv", v.ID))
	must(t, os.WriteFile(left, []byte("half"), 0o600))
	must(t, os.WriteFile(filepath.Join(k.Folder, "notes.txt"), nil, 0o600))
	must(t, k.Tidy(ctx)) // it may still be at it
	if got := files(); len(got) != 2 {
		t.Fatalf("files %v", got)
	}
	if ids, err := k.Wanted(ctx); err != nil || len(ids) != 1 {
		t.Fatalf("wanted %v, %v", ids, err)
	}
	must(t, k.Run(ctx, v.ID, 9))
	must(t, k.Run(ctx, v.ID, 7)) // the first one wakes up
	must(t, k.Tidy(ctx))
	if got, want := files(), []string{fmt.Sprintf("%d-9.csv", v.ID), "notes.txt"}; !slices.Equal(got, want) {
		t.Errorf("files %v, want %v", got, want)
	}
	if ids, err := k.Wanted(ctx); err != nil || len(ids) != 0 {
		t.Errorf("wanted %v, %v", ids, err)
	}
	// Expiry.
	_, err = s.Writer().Exec("UPDATE exports SET expires = 1")
	must(t, err)
	if _, _, _, err := k.Open(ctx, v.ID); pratique.CodeOf(err) != pratique.CodeNotFound {
		t.Errorf("an expired file: %v", err)
	}
	must(t, k.Tidy(ctx))
	if got, err := s.Export(ctx, v.ID); err != nil || got.State != pratique.ExportExpired || len(files()) != 1 {
		t.Errorf("%+v %v, files %v", got, err, files())
	}
	// Deleted while it runs: its next note ends it.
	w, err := k.Create(ctx, request, "tester")
	must(t, err)
	running, err := s.BeginExport(ctx, w.ID, 20)
	must(t, err)
	_, err = k.Delete(ctx, w.ID)
	must(t, err)
	if err := k.make(ctx, &running); pratique.CodeOf(err) != pratique.CodeCancelled {
		t.Errorf("it ended with %v", err)
	}
	if got := files(); len(got) != 1 {
		t.Errorf("files %v", got)
	}
	// Deleted when it is done.
	done, _ := made(t, k, request)
	_, err = k.Delete(ctx, done.ID)
	must(t, err)
	if got := files(); len(got) != 1 {
		t.Errorf("files %v", got)
	}
	// A worker that stops leaves it wanted.
	stopped, err := k.Create(ctx, request, "tester")
	must(t, err)
	ending, cancel := context.WithCancelCause(ctx)
	cause := errors.New("the worker stops")
	k.Source = stopping{k.Source, func() { cancel(cause) }}
	if err := k.Run(ending, stopped.ID, 30); !errors.Is(err, cause) {
		t.Errorf("stopped with %v", err)
	}
	if ids, err := k.Wanted(ctx); err != nil || len(ids) != 1 || len(files()) != 1 {
		t.Errorf("wanted %v, %v; files %v", ids, err, files())
	}
}

// stopping is a source that ends the worker when it is asked.
type stopping struct {
	Source
	stop func()
}

func (s stopping) Assets(ctx context.Context, f pratique.AssetFilter, r pratique.PageRequest) (pratique.Page[pratique.AssetRow], error) {
	if !r.Count {
		s.stop()
	}
	return s.Source.Assets(ctx, f, r)
}

// TestFailuresAreTold: with a reason and a remedy.
func TestFailuresAreTold(t *testing.T) {
	k, s := keeper(t)
	estate(t, s, 2, 1, 1)
	ctx := context.Background()
	v, err := k.Create(ctx, pratique.ExportRequest{Kind: "images", Format: "csv"}, "tester")
	must(t, err)
	must(t, os.WriteFile(k.Folder, nil, 0o600)) // no folder can be there
	must(t, k.Run(ctx, v.ID, 1))
	got, err := s.Export(ctx, v.ID)
	must(t, err)
	if got.State != pratique.ExportFailed || got.Error == nil || got.Error.Code != pratique.CodeDisk || got.Error.Remedy == "" {
		t.Errorf("%+v: %+v", got, got.Error)
	}
	if _, _, _, err := k.Open(ctx, v.ID); pratique.CodeOf(err) != pratique.CodeConflict {
		t.Error(err)
	}
	// Whoever runs it dies, again and again.
	if v, err = k.Create(ctx, pratique.ExportRequest{Kind: "images", Format: "csv"}, "tester"); err != nil {
		t.Fatal(err)
	}
	for n := range maxAttempts {
		_, err := s.BeginExport(ctx, v.ID, int64(n))
		must(t, err)
	}
	must(t, k.Run(ctx, v.ID, 99))
	if got, err = s.Export(ctx, v.ID); err != nil || got.State != pratique.ExportFailed || !strings.Contains(got.Error.Message, "20 times") {
		t.Errorf("%+v %v", got.Error, err)
	}
}

// TestTooLongIsRefused: with the number, before anything is written, and as well
// when the list grows meanwhile.
func TestTooLongIsRefused(t *testing.T) {
	k, s := keeper(t)
	estate(t, s, 3, 1, 1)
	ctx := context.Background()
	k.Source = crowd{k.Source, 50_001}
	request := pratique.ExportRequest{Kind: "vulnerabilities", Format: "html"}
	need, err := k.Preview(ctx, request)
	must(t, err)
	if need.Enough || need.Rows != 50_001 || need.Limit != 50_000 {
		t.Errorf("%+v", need)
	}
	if _, err := k.Create(ctx, request, "tester"); pratique.CodeOf(err) != pratique.CodeLimit || !strings.Contains(err.Error(), "50001") || !strings.Contains(err.Error(), "50000") {
		t.Errorf("refused with %v", err)
	}
	k.Source = crowd{k.Source, 50_000}
	v, err := k.Create(ctx, request, "tester")
	must(t, err)
	k.Source = crowd{k.Source, 50_001}
	must(t, k.Run(ctx, v.ID, 1))
	got, err := s.Export(ctx, v.ID)
	must(t, err)
	if got.State != pratique.ExportFailed || got.Error.Code != pratique.CodeLimit {
		t.Errorf("%+v", got)
	}
	if need, err = k.Preview(ctx, pratique.ExportRequest{Kind: "vulnerabilities", Format: "xlsx"}); err != nil || need.Sheets != 1 {
		t.Errorf("%+v %v", need, err)
	}
	k.Source = crowd{k.Source, 2 * (sheetRows - 1)}
	if need, err = k.Preview(ctx, pratique.ExportRequest{Kind: "vulnerabilities", Format: "xlsx"}); err != nil || need.Sheets != 2 {
		t.Errorf("%+v %v", need, err)
	}
	k.Source = crowd{k.Source, 2*(sheetRows-1) + 1}
	if need, err = k.Preview(ctx, pratique.ExportRequest{Kind: "vulnerabilities", Format: "xlsx"}); err != nil || need.Sheets != 3 {
		t.Errorf("%+v %v", need, err)
	}
}

// crowd is a source with so many vulnerabilities.
type crowd struct {
	Source
	n int
}

func (c crowd) Vulnerabilities(_ context.Context, _ pratique.FindingFilter, r pratique.PageRequest) (p pratique.Page[pratique.VulnerabilityRow], _ error) {
	p.Total = c.n
	first := 0
	fmt.Sscan(r.Cursor, &first)
	for i := first; i < min(first+r.Limit, c.n); i++ {
		p.Items = append(p.Items, pratique.VulnerabilityRow{ID: fmt.Sprint(i)})
	}
	if first+r.Limit < c.n {
		p.Next = fmt.Sprint(first + r.Limit)
	}
	return p, nil
}

// TestBytesOfAFileAreRight is for readers that trust the length.
func TestBytesOfAFileAreRight(t *testing.T) {
	k, s := keeper(t)
	estate(t, s, 1, 1, 1)
	_, content := made(t, k, pratique.ExportRequest{Kind: "images", Format: "csv", BOM: true, Columns: []string{"tag"}})
	if want := []byte("\ufeffVersion\ntwin\nv0000\n"); !bytes.Equal(content, want) {
		t.Errorf("%q", content)
	}
	if v, _ := made(t, k, pratique.ExportRequest{Kind: "images", Format: "csv"}); v.Expires == nil || v.Expires.Sub(*v.Ended) != Lifetime {
		t.Errorf("%+v", v)
	}
}
