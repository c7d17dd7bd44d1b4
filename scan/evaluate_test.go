package scan_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/internal/pgtest"
	"github.com/pratique/pratique/scan"
)

// city has the given number of images with 400 packages each, of which p0 to p9
// are in half of them, and judges them by one advisory for every other package.
func (e *estate) city(images int) map[string]string {
	e.t.Helper()
	ctx := context.Background()
	fail := func(err error) {
		if err != nil {
			e.t.Fatal(err)
		}
	}
	r, err := e.db.CreateRegistry(ctx, pratique.Registry{Name: "city", Kind: "oci", Address: "https://city.example.org"}, "")
	fail(err)
	fixed := map[string]string{}
	for i := 0; i < 400; i += 2 {
		fixed[fmt.Sprint("p", i)] = "1.5"
	}
	e.feeds.adopt(fixed)
	random := rand.New(rand.NewPCG(1, 2))
	layers := []pratique.Layer{{Index: 0, DiffID: pratique.DigestOf([]byte("base"))}}
	everything := []pratique.Category{pratique.CategoryVulnerability, pratique.CategorySecret, pratique.CategoryMalware, pratique.CategorySoftware}
	for n := range images {
		id := pratique.DigestOf(fmt.Appendf(nil, "config %d", n))
		_, err := e.db.SyncRepository(ctx, r.ID, fmt.Sprintf("team/app%d", n), []pratique.Asset{{Tag: "1", Digest: id, ImageID: id, Platform: pratique.Platform{OS: "linux", Architecture: "amd64"}, Size: 1}}, true)
		fail(err)
		report := &pratique.Report{Image: pratique.Image{ID: id, Kind: pratique.KindImage, Distro: &pratique.Distro{ID: "debian", Version: "12"}}, Layers: layers, Coverage: map[pratique.Category]pratique.CategoryCoverage{}}
		for _, c := range everything {
			report.Coverage[c] = pratique.CategoryCoverage{State: pratique.CoverageComplete}
		}
		for i := range 400 {
			if i < 10 && n%2 == 1 {
				continue
			}
			report.Packages = append(report.Packages, pratique.Package{Type: "deb", Name: fmt.Sprint("p", i), Version: fmt.Sprint("1.", random.IntN(1+i%8)), Arch: "amd64", Ecosystem: "Debian:12", Path: "var/lib/dpkg/status"})
		}
		_, scans, err := e.db.CreateTask(ctx, pratique.TaskRequest{Kind: pratique.TaskManual, Creator: "test", Categories: everything, ImageIDs: []pratique.Digest{id}})
		fail(err)
		lease, err := e.db.Claim(ctx, scans[0], "test")
		fail(err)
		_, err = e.db.FinishScan(ctx, lease, report, "test")
		fail(err)
	}
	fail(e.evaluator.Evaluate(ctx, scan.EvaluateArgs{}, scan.Attempt{}))
	return fixed
}

// changed adopts the bundle with changed advisories for these packages, judges
// what that touches, and returns how long both took.
func (e *estate) changed(fixed map[string]string, version string, names ...string) time.Duration {
	e.t.Helper()
	for _, name := range names {
		fixed[name] = version
	}
	adopt := e.feeds.prepare(fixed)
	began := time.Now()
	adopt()
	if err := e.evaluator.Evaluate(context.Background(), scan.EvaluateArgs{}, scan.Attempt{}); err != nil {
		e.t.Fatal(err)
	}
	return time.Since(began)
}

func benchmarkEvaluate(b *testing.B, dsn string) {
	e := newEstate(b, dsn)
	if err := e.jobs.Stop(b.Context()); err != nil { // the sweeper would do it at the same time
		b.Fatal(err)
	}
	fixed := e.city(2000)
	var absent, touching []string
	for i := range 50 {
		absent = append(absent, fmt.Sprint("absent", i))
		if i < 10 {
			touching = append(touching, fmt.Sprint("p", i))
		} else {
			touching = append(touching, fmt.Sprint("missing", i))
		}
	}
	for _, c := range []struct {
		name  string
		names []string
	}{{"50 changed, 10 in half of the images", touching}, {"50 changed, none in any", absent}} {
		b.Run(c.name, func(b *testing.B) {
			var sum time.Duration
			n := 0
			for b.Loop() {
				n++
				sum += e.changed(fixed, fmt.Sprintf("2.%d", n), c.names...)
			}
			b.ReportMetric(float64(sum.Microseconds())/1000/float64(n), "ms/adoption")
		})
	}
	if wrong, err := e.db.Verify(b.Context()); err != nil || len(wrong) > 0 {
		b.Errorf("counters: %v %v", wrong, err)
	}
}

// BenchmarkEvaluate is the time from the adoption of a bundle with 50 changed
// advisories to the end of the judgements, 2 000 images with 400 packages each.
func BenchmarkEvaluate(b *testing.B) {
	b.Run("SQLite", func(b *testing.B) { benchmarkEvaluate(b, filepath.Join(b.TempDir(), "pratique.db")) })
	b.Run("PostgreSQL", func(b *testing.B) { benchmarkEvaluate(b, pgtest.Database(b)) })
}
