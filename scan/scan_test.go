package scan_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/analyze"
	"github.com/pratique/pratique/analyze/files"
	"github.com/pratique/pratique/analyze/malware"
	"github.com/pratique/pratique/analyze/software"
	"github.com/pratique/pratique/layer"
	"github.com/pratique/pratique/scan"
	"github.com/pratique/pratique/store/factdir"
)

// blobs is an image in memory.
type blobs struct {
	mu     sync.Mutex
	layers [][]byte
	failed map[int]error
	opened map[int]int
}

func (b *blobs) Layer(_ context.Context, i int) (io.ReadCloser, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.opened == nil {
		b.opened = map[int]int{}
	}
	b.opened[i]++
	if err := b.failed[i]; err != nil {
		return nil, err
	}
	return io.NopCloser(bytes.NewReader(b.layers[i])), nil
}

// quiet is told everything, from any goroutine.
type quiet struct {
	mu     sync.Mutex
	states map[int]pratique.LayerState
}

func (*quiet) Phase(string)            {}
func (*quiet) Layers([]pratique.Layer) {}
func (q *quiet) Layer(i int, _ int64, state pratique.LayerState) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.states == nil {
		q.states = map[int]pratique.LayerState{}
	}
	if state != "" {
		q.states[i] = state
	}
}

func tarOf(t testing.TB, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		if err := w.WriteHeader(&tar.Header{Name: files[i], Size: int64(len(files[i+1])), Mode: 0o755, Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, files[i+1])
	}
	w.Close()
	return b.Bytes()
}

func status(packages ...string) string {
	s := ""
	for _, p := range packages {
		s += "Package: " + p + "\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\n\n"
	}
	return s
}

const release = "ID=debian\nVERSION_ID=12\n"

func pass(t testing.TB, limits layer.Limits) *layer.Pass {
	t.Helper()
	sw, err := software.New()
	if err != nil {
		t.Fatal(err)
	}
	p := layer.NewPass([]analyze.Analyzer{sw, files.Analyzer{}, malware.New(malware.Options{})}, limits, t.TempDir())
	t.Cleanup(p.Close)
	return p
}

// request is a scan of layers in memory, without feeds.
func request(t testing.TB, layers ...[]byte) (scan.Request, *blobs) {
	src := &blobs{layers: layers, failed: map[int]error{}}
	img := pratique.Image{Name: "test", Kind: pratique.KindImage, Platform: pratique.Platform{OS: "linux", Architecture: "amd64"}}
	for i, b := range layers {
		img.Layers = append(img.Layers, pratique.Layer{Index: i, Digest: pratique.DigestOf(b), DiffID: pratique.DigestOf(b), Size: int64(len(b))})
	}
	return scan.Request{Image: img, Source: src, Pass: pass(t, layer.Limits{}), Progress: &quiet{}, Started: time.Now(), Now: time.Now()}, src
}

func run(t testing.TB, r scan.Request) *pratique.Report {
	t.Helper()
	report, err := scan.Run(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func states(r *pratique.Report) string {
	var s []string
	for _, l := range r.Layers {
		s = append(s, string(l.State))
	}
	return strings.Join(s, " ")
}

func coverage(r *pratique.Report) string {
	var s []string
	for _, c := range []pratique.Category{pratique.CategorySoftware, pratique.CategoryVulnerability, pratique.CategoryMalware, pratique.CategorySecret} {
		s = append(s, string(r.Coverage[c].State))
	}
	return strings.Join(s, " ")
}

func TestCoverage(t *testing.T) {
	base := tarOf(t, "etc/os-release", release, "var/lib/dpkg/status", status("a", "b"))
	bomb := "PK\x03\x04" + strings.Repeat("x", 100)
	for _, c := range []struct {
		name     string
		layers   [][]byte
		limits   layer.Limits
		coverage string
		packages int
	}{
		// Without a feed vulnerabilities are unknown; without rules malware is by hashes.
		{"all well", [][]byte{base}, layer.Limits{}, "complete unknown complete skipped", 2},
		{"a damaged record", [][]byte{tarOf(t, "var/lib/dpkg/status", status("a")+"garbage\n")}, layer.Limits{}, "partial unknown complete skipped", 1},
		{"a damaged database that was replaced", [][]byte{tarOf(t, "var/lib/dpkg/status", "garbage\n"), base}, layer.Limits{}, "complete unknown complete skipped", 2},
		{"a malformed archive", [][]byte{base, tarOf(t, "x.zip", bomb)}, layer.Limits{}, "complete unknown complete skipped", 2},
		{"a name that leads out", [][]byte{base, tarOf(t, "../../etc/passwd", "x")}, layer.Limits{}, "partial unknown partial skipped", 2},
		{"a file over the limit", [][]byte{base, tarOf(t, "x.sh", "#!"+strings.Repeat("x", 5000))}, layer.Limits{File: 1000}, "partial unknown partial skipped", 2},
		{"a truncated layer", [][]byte{base, tarOf(t, "a", "x", "b", strings.Repeat("x", 2000))[:2000]}, layer.Limits{}, "partial unknown partial skipped", 2},
		{"a corrupt layer", [][]byte{base, []byte("garbage")}, layer.Limits{}, "partial unknown partial skipped", 2},
		{"over the limit of entries", [][]byte{base, tarOf(t, "a", "", "b", "", "c", "")}, layer.Limits{Entries: 2}, "partial unknown partial skipped", 2},
	} {
		r, _ := request(t, c.layers...)
		r.Pass = pass(t, c.limits)
		report := run(t, r)
		if got := coverage(report); got != c.coverage {
			t.Errorf("%s: %s, want %s (%v)", c.name, got, c.coverage, report.Problems)
		}
		for category, reach := range report.Coverage {
			if reach.State != pratique.CoverageComplete && len(reach.Reasons) == 0 {
				t.Errorf("%s: %s is %s without a reason", c.name, category, reach.State)
			}
		}
		if n := len(report.Packages); n != c.packages {
			t.Errorf("%s: %d packages, want %d", c.name, n, c.packages)
		}
	}
}

func TestWindows(t *testing.T) {
	r, src := request(t, tarOf(t, "Files/Windows/x", "x"))
	r.Image.Platform.OS = "windows"
	report := run(t, r)
	if got := coverage(report); got != "unsupported unsupported unsupported unsupported" || states(report) != "not_read" || len(src.opened) > 0 {
		t.Errorf("coverage %s, layers %s, opened %v", got, states(report), src.opened)
	}
	if len(report.Problems) != 1 || report.Problems[0].Code != pratique.CodeUnsupported || report.Problems[0].Remedy == "" {
		t.Errorf("problems %+v", report.Problems)
	}
}

// Layers that cannot be had are told one by one, and the others are read.
func TestForeignAndEncrypted(t *testing.T) {
	r, src := request(t, tarOf(t, "etc/os-release", release), nil, nil, nil, tarOf(t, "var/lib/dpkg/status", status("a")))
	for i, state := range map[int]pratique.LayerState{1: pratique.LayerForeign, 2: pratique.LayerForeign, 3: pratique.LayerEncrypted} {
		r.Image.Layers[i].State, r.Image.Layers[i].Reason = state, "the layer is "+string(state)
	}
	report := run(t, r)
	if got := states(report); got != "read foreign foreign encrypted read" {
		t.Errorf("layers %s", got)
	}
	told := map[int]bool{}
	for _, p := range report.Problems {
		if p.Layer != nil && p.Partial {
			told[*p.Layer] = true
		}
	}
	if len(told) != 3 || !strings.HasPrefix(coverage(report), "partial") || len(report.Packages) != 1 || src.opened[1]+src.opened[2]+src.opened[3] > 0 {
		t.Errorf("problems of layers %v, coverage %s, %d packages, opened %v", told, coverage(report), len(report.Packages), src.opened)
	}
}

func TestTwins(t *testing.T) {
	same := tarOf(t, "var/lib/dpkg/status", status("a"))
	r, src := request(t, same, tarOf(t, "x", "x"), same)
	report := run(t, r)
	if src.opened[0]+src.opened[2] != 1 || states(report) != "read read read" || len(report.Packages) != 1 {
		t.Errorf("opened %v, layers %s, %d packages", src.opened, states(report), len(report.Packages))
	}
	if a, b := report.Layers[0], report.Layers[2]; a.Entries != 1 || b.Entries != 1 || a.Uncompressed != b.Uncompressed {
		t.Errorf("layers %+v and %+v", a, b)
	}
}

func TestCache(t *testing.T) {
	store, err := factdir.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	bad := []byte("garbage")
	r, src := request(t, tarOf(t, "etc/os-release", release), tarOf(t, "var/lib/dpkg/status", status("a")), bad)
	r.Store = store
	first := run(t, r)
	if states(first) != "read read unreadable" || first.Timing.BytesRead == 0 || first.Timing.FirstByte == 0 {
		t.Errorf("layers %s, timing %+v", states(first), first.Timing)
	}
	src.opened = nil
	second := run(t, r)
	if states(second) != "cached cached unreadable" || len(src.opened) != 1 || src.opened[2] != 1 {
		t.Errorf("layers %s, opened %v", states(second), src.opened)
	}
	if fmt.Sprint(first.Packages[0].Name, first.Packages[0].Origin, first.Layers[1].Entries, coverage(first)) == "" || len(second.Packages) != 1 || second.Layers[1].Entries != 1 || coverage(second) != coverage(first) {
		t.Errorf("reports differ: %+v and %+v", first, second)
	}
	// What was read under another limit of the same analyzers counts as well; what
	// was read by another version does not.
	r.Pass = layer.NewPass([]analyze.Analyzer{files.Analyzer{}, newer{malware.New(malware.Options{})}}, layer.Limits{}, t.TempDir())
	t.Cleanup(r.Pass.Close)
	if third := run(t, r); states(third) != "read read unreadable" {
		t.Errorf("layers %s", states(third))
	}
}

type newer struct{ *malware.Analyzer }

func (newer) Version() string { return "next" }

// A file that was left out for want of space must not be left out for ever.
func TestWantOfSpaceIsNotKept(t *testing.T) {
	store, err := factdir.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	r, _ := request(t, tarOf(t, "var/lib/dpkg/status", status("a")))
	r.Store = store
	well := r.Pass
	r.Pass = layer.NewPass(well.Analyzers, layer.Limits{Buffer: 10}, filepath.Join(t.TempDir(), "absent"))
	t.Cleanup(r.Pass.Close)
	if report := run(t, r); len(report.Packages) != 0 || !strings.HasPrefix(coverage(report), "partial") {
		t.Errorf("%d packages, coverage %s", len(report.Packages), coverage(report))
	}
	r.Pass = well
	if report := run(t, r); len(report.Packages) != 1 || !strings.HasPrefix(coverage(report), "complete") {
		t.Errorf("%d packages, coverage %s, layers %s", len(report.Packages), coverage(report), states(report))
	}
}

func TestStoreFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	os.WriteFile(file, nil, 0o600)
	store, err := factdir.Open(filepath.Join(file, "cache"))
	if err != nil {
		t.Fatal(err)
	}
	r, _ := request(t, tarOf(t, "var/lib/dpkg/status", status("a")), tarOf(t, "x", "x"))
	r.Store = store
	report := run(t, r)
	if len(report.Packages) != 1 || !strings.HasPrefix(coverage(report), "complete") {
		t.Errorf("%d packages, coverage %s", len(report.Packages), coverage(report))
	}
	if len(report.Problems) == 0 || report.Problems[0].Code != pratique.CodeDisk || report.Problems[0].Partial || report.Problems[0].Remedy == "" {
		t.Errorf("problems %+v", report.Problems)
	}
}

// Trouble with the source is the scan's, trouble with a layer's bytes the layer's.
func TestSourceFails(t *testing.T) {
	for _, c := range []struct {
		err   error
		fatal bool
	}{
		{pratique.Errorf(pratique.CodeUnreachable, "no answer"), true},
		{pratique.Errorf(pratique.CodeUnauthorized, "no right"), true},
		{pratique.Errorf(pratique.CodeNotFound, "no blob"), true},
		{errors.New("whatever"), true},
		{pratique.Errorf(pratique.CodeCorrupt, "not that blob"), false},
		{pratique.Errorf(pratique.CodeUnsupported, "not that kind"), false},
	} {
		r, src := request(t, tarOf(t, "var/lib/dpkg/status", status("a")), tarOf(t, "x", "x"))
		src.failed[1] = c.err
		report, err := scan.Run(t.Context(), r)
		if (err != nil) != c.fatal || c.fatal && (report != nil || !errors.Is(err, c.err)) {
			t.Errorf("%v: error %v", c.err, err)
		}
		if !c.fatal && (states(report) != "read unreadable" || report.Layers[1].Reason == "" || !strings.HasPrefix(coverage(report), "partial")) {
			t.Errorf("%v: layers %s, coverage %s", c.err, states(report), coverage(report))
		}
	}
}

func TestCancel(t *testing.T) {
	r, _ := request(t, tarOf(t, "x", "x"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if report, err := scan.Run(ctx, r); report != nil || pratique.CodeOf(err) != pratique.CodeCancelled {
		t.Errorf("%v, %v", report, err)
	}
}

func TestFolder(t *testing.T) {
	dir := t.TempDir()
	os.MkdirAll(filepath.Join(dir, "var/lib/dpkg"), 0o755)
	os.MkdirAll(filepath.Join(dir, "etc"), 0o755)
	os.WriteFile(filepath.Join(dir, "var/lib/dpkg/status"), []byte(status("a")), 0o644)
	os.WriteFile(filepath.Join(dir, "etc/os-release"), []byte(release), 0o644)
	r, _ := request(t)
	r.Image.Kind, r.Folder = pratique.KindFolder, dir
	report := run(t, r)
	if len(report.Packages) != 1 || report.Image.Distro == nil || report.Image.Distro.ID != "debian" || !strings.HasPrefix(coverage(report), "complete") {
		t.Errorf("%d packages of %+v, coverage %s", len(report.Packages), report.Image.Distro, coverage(report))
	}
	r.Folder = filepath.Join(dir, "absent")
	if _, err := scan.Run(t.Context(), r); pratique.CodeOf(err) != pratique.CodeNotFound {
		t.Errorf("absent: %v", err)
	}
}

// Malware in a lower layer is found although an upper one removes it, also deep
// in archives.
func TestDeletedMalware(t *testing.T) {
	eicar := `X5O!P%@AP[4\PZX54(P^)7CC)7}$` + "EICAR-STANDARD-ANTI" + "VIRUS-TEST-FILE!$H+H*"
	inner := tarOf(t, "deep/eicar.com", eicar)
	r, _ := request(t, tarOf(t, "opt/eicar", eicar, "opt/a.tar", string(inner)), tarOf(t, ".wh.opt", ""))
	report := run(t, r)
	paths := map[string]bool{}
	for _, m := range report.Malware {
		paths[m.Path] = true
		if m.Origin == nil || m.Origin.DeletedBy == nil || *m.Origin.DeletedBy != 1 {
			t.Errorf("%s: origin %+v", m.Path, m.Origin)
		}
	}
	if !paths["opt/eicar"] || !paths["opt/a.tar!/deep/eicar.com"] || len(paths) != 2 {
		t.Errorf("malware %v", paths)
	}
}

// A distribution without its package database, and an image without anything,
// are not clean: nobody knows what is in them.
func TestUnlisted(t *testing.T) {
	r := run(t, first(request(t, tarOf(t, "etc/os-release", "ID=debian\nVERSION_ID=12\nPRETTY_NAME=\"Debian 12\"\n", "usr/bin/bash", "x"))))
	c := r.Coverage[pratique.CategorySoftware]
	if c.State != pratique.CoveragePartial || len(c.Reasons) != 1 || !strings.Contains(c.Reasons[0], "Debian 12") {
		t.Errorf("no database: %+v", c)
	}
	c = run(t, first(request(t, tarOf(t, "app", "x")))).Coverage[pratique.CategorySoftware]
	if c.State != pratique.CoverageComplete || len(c.Reasons) != 1 {
		t.Errorf("no package: %+v", c)
	}
}

// Old knowledge is told, whenever it was imported.
func TestStaleFeed(t *testing.T) {
	r, _ := request(t, tarOf(t, "etc/os-release", "ID=debian\nVERSION_ID=12\n", "var/lib/dpkg/status", status("bash")))
	for _, c := range []struct {
		newest time.Time
		want   bool
	}{
		{r.Now.AddDate(0, -6, 0), true},
		{r.Now.AddDate(0, 0, -3), false},
	} {
		r.Bundle = &pratique.Bundle{Feeds: []pratique.FeedStatus{{Source: "osv/Debian", Newest: c.newest}, {Source: "osv/npm", Newest: r.Now.AddDate(-2, 0, 0)}}}
		reasons := run(t, r).Coverage[pratique.CategoryVulnerability].Reasons
		told := slices.ContainsFunc(reasons, func(s string) bool { return strings.Contains(s, "newest records are old (Debian ") })
		if told != c.want || slices.ContainsFunc(reasons, func(s string) bool { return strings.Contains(s, "npm") }) {
			t.Errorf("newest %v: %q", c.newest, reasons)
		}
	}
}

func first(r scan.Request, _ *blobs) scan.Request { return r }
