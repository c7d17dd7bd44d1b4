package storetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/store"
)

// city is an estate of images that share most of their packages, as those on a
// common base do: 400 packages in each, with a finding in every other one.
func city(t testing.TB, s *store.Store, images int) {
	t.Helper()
	ctx := context.Background()
	r := newRegistry(t, s, "alpha")
	for first := 0; first < images; first += 20 {
		var listing []pratique.Asset
		for n := first; n < min(first+20, images); n++ {
			listing = append(listing, asset(fmt.Sprint("v", n), n))
		}
		ok[pratique.SyncResult](t)(s.SyncRepository(ctx, r.ID, fmt.Sprintf("team%d/app%d", first/400, first), listing, true))
	}
	ok[pratique.Adoption](t)(s.Adopt(ctx, *bundle(0), nil, "t", "import"))
	random := rand.New(rand.NewPCG(1, 2))
	for n := range images {
		var packages []pratique.Package
		var findings []pratique.Finding
		for i := range 400 {
			p := deb(fmt.Sprint("p", i), fmt.Sprint("1.", random.IntN(1+i%8)))
			packages = append(packages, p)
			if i%2 == 0 {
				findings = append(findings, finding(fmt.Sprint("CVE-", i, "-", p.Version), p, pratique.Severities()[i/2%6], []string{"", "2"}[i/4%2]))
			}
		}
		scanned(t, s, report(imageID(n), bundle(0), packages, findings...))
	}
}

// delta adopts a bundle with 50 changed keys and judges what it touches. It
// returns how many images held some of it.
func delta(t testing.TB, s *store.Store, n int, name func(i int) string) int {
	t.Helper()
	ctx := context.Background()
	var keys []pratique.PackageKey
	for i := range 50 {
		keys = append(keys, pratique.PackageKey{Ecosystem: "Debian:12", Name: name(i)})
	}
	ok[pratique.Adoption](t)(s.Adopt(ctx, *bundle(n), keys, "t", "update"))
	for {
		subjects := ok[[]pratique.Subject](t)(s.Pending(ctx, 500))
		if len(subjects) == 0 {
			_, images, err := s.PreviewAdoption(ctx, keys)
			must(t, err)
			return images
		}
		var all []pratique.Judgement
		for _, v := range subjects {
			all = append(all, pratique.Judgement{Subject: v, Findings: []pratique.Finding{
				finding(fmt.Sprint("CVE-new-", n, "-", v.Package.Name), v.Package, pratique.SeverityCritical, "9"),
				finding(fmt.Sprint("CVE-changed-", v.Package.Name), v.Package, pratique.Severities()[n%6], ""),
			}})
		}
		must(t, s.Judge(ctx, all))
	}
}

// ten: of 50 keys, 10 are of packages in every image; the others touch nothing.
func ten(i int) string {
	if i < 10 {
		return fmt.Sprint("p", 8*i)
	}
	return fmt.Sprint("absent", i)
}

func absent(i int) string { return fmt.Sprint("absent", i) }

func benchmark(b *testing.B, dsn string) {
	const images = 2000
	ctx := context.Background()
	s := Open(b, dsn)
	started := time.Now()
	city(b, s, images)
	b.Logf("recording: %.1f ms an image", time.Since(started).Seconds()*1000/images)
	request := pratique.PageRequest{Limit: 100}
	n := 0
	for _, c := range []struct {
		name string
		run  func() error
	}{
		{"delta of 50, 10 in every image", func() error {
			n++
			if touched := delta(b, s, n, ten); touched < images/2 {
				return fmt.Errorf("%d images touched", touched)
			}
			return nil
		}},
		{"delta of 50, none in any", func() error { n++; delta(b, s, n, absent); return nil }},
		{"images, first page", func() error { _, err := s.Assets(ctx, pratique.AssetFilter{}, request); return err }},
		{"images by vulnerabilities", func() error {
			r := request
			r.Sort, r.Desc = "vulnerabilities", true
			_, err := s.Assets(ctx, pratique.AssetFilter{}, r)
			return err
		}},
		{"images, page in the middle", func() error {
			r := request
			r.Sort = "name"
			p, err := s.Assets(ctx, pratique.AssetFilter{Search: "team1 v5"}, r)
			if err == nil && p.Next != "" {
				r.Cursor = p.Next
				_, err = s.Assets(ctx, pratique.AssetFilter{Search: "team1 v5"}, r)
			}
			return err
		}},
		{"images with one vulnerability", func() error {
			_, err := s.Assets(ctx, pratique.AssetFilter{Vulnerability: "CVE-changed-p8"}, request)
			return err
		}},
		{"vulnerabilities", func() error { _, err := s.Vulnerabilities(ctx, pratique.FindingFilter{}, request); return err }},
		{"vulnerabilities of newest images", func() error {
			_, err := s.Vulnerabilities(ctx, pratique.FindingFilter{Newest: true}, request)
			return err
		}},
		{"findings of an image", func() error {
			_, err := s.Findings(ctx, pratique.FindingFilter{ImageIDs: []pratique.Digest{imageID(7)}}, request)
			return err
		}},
		{"components", func() error { _, err := s.Components(ctx, pratique.FindingFilter{}, request); return err }},
		{"report", func() error { _, err := s.Report(ctx, imageID(7)); return err }},
		{"overview", func() error { _, err := s.Overview(ctx, pratique.SourceRegistry, day); return err }},
		{"record an image again", func() error {
			scanned(b, s, report(imageID(3), bundle(n), []pratique.Package{deb("p0", "1.0")}))
			return nil
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if err := c.run(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/op")
		})
	}
	sound(b, s)
}

func BenchmarkSQLite(b *testing.B) { benchmark(b, sqliteFile(b)) }

func BenchmarkPostgres(b *testing.B) { benchmark(b, Postgres(b).Database(b)) }
