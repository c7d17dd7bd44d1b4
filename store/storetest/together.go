package storetest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/store"
)

// workers: on two stores, as in two processes, every scan is claimed and ended
// once, and a registry's limit holds.
func workers(t *testing.T, s *store.Store, dsn string) {
	ctx := context.Background()
	const count, limit = 24, 10
	r := estate(t, s, count)
	r.HourlyLimit = limit
	ok[pratique.Registry](t)(s.UpdateRegistry(ctx, r, nil))
	task, scans, err := s.CreateTask(ctx, want(ids(count), everything...))
	must(t, err)
	stores := []*store.Store{s, Open(t, dsn)}
	var mu sync.Mutex
	claimed, pulled := map[int64]int{}, 0
	var group sync.WaitGroup
	for w := range 6 {
		group.Go(func() {
			s := stores[w%2]
			for _, id := range scans {
				lease, err := s.Claim(ctx, id, fmt.Sprint("w", w))
				if code := pratique.CodeOf(err); code == pratique.CodeConflict || code == pratique.CodeCancelled {
					continue
				} else if err != nil {
					t.Error(err)
					return
				}
				wait, err := s.TakePull(ctx, r.ID, id)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				claimed[id]++
				if wait == 0 {
					pulled++
				}
				mu.Unlock()
				a, b := deb("shared", "1"), deb(fmt.Sprint("own", w%3), "1")
				if _, err := s.FinishScan(ctx, lease, report(lease.ImageID, nil, []pratique.Package{a, b}, finding("CVE-1", a, pratique.SeverityHigh, ""), finding(fmt.Sprint("CVE-own-", w%3), b, pratique.SeverityLow, "")), "rules 1"); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	for _, id := range scans {
		if claimed[id] != 1 {
			t.Errorf("scan %d was claimed %d times", id, claimed[id])
		}
	}
	if pulled != limit {
		t.Errorf("%d images pulled in an hour, the limit is %d", pulled, limit)
	}
	if got := ok[pratique.Task](t)(s.Task(ctx, task.ID)); got.Scanned != count || got.Ended == nil || got.AtRisk != count {
		t.Errorf("task %+v", got)
	}
}

// sideBySide: scans, syncs, adoptions, judgements, cancellations and readers at
// once, on two stores. Nothing fails, and everything adds up afterwards.
func sideBySide(t *testing.T, s *store.Store, dsn string) {
	ctx := context.Background()
	const count = 8
	r := estate(t, s, count)
	ok[pratique.Adoption](t)(s.Adopt(ctx, *bundle(0), nil, "t", "import"))
	stores := []*store.Store{s, Open(t, dsn)}
	deadline := time.Now().Add(1500 * time.Millisecond)
	var group sync.WaitGroup
	during := func(f func(n int) error) {
		group.Go(func() {
			for n := 0; time.Now().Before(deadline); n++ {
				if err := f(n); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	severities := pratique.Severities()
	for i, s := range stores {
		during(func(n int) error { // scan
			_, scans, err := s.CreateTask(ctx, want([]pratique.Digest{imageID(n % count), imageID((n + 3) % count)}, everything...))
			if err != nil {
				return err
			}
			for _, id := range scans {
				lease, err := s.Claim(ctx, id, fmt.Sprint("w", i))
				if err != nil {
					continue // the other store has it, or somebody cancelled it
				}
				a, b := deb(fmt.Sprint("p", n%5), "1"), npm(fmt.Sprint("q", n%3), "1", "x")
				_, err = s.FinishScan(ctx, lease, report(lease.ImageID, bundle(n%2), []pratique.Package{a, b}, finding(fmt.Sprint("CVE-", n%4), a, severities[n%6], "")), "rules 1")
				if err != nil && pratique.CodeOf(err) != pratique.CodeCancelled {
					return err
				}
			}
			return nil
		})
		during(func(n int) error { // judge
			if _, err := s.Adopt(ctx, *bundle(n % 2), []pratique.PackageKey{{Ecosystem: "Debian:12", Name: fmt.Sprint("p", n%5)}, {Ecosystem: "npm", Name: "q0"}}, "t", "update"); err != nil {
				return err
			}
			subjects, err := s.Pending(ctx, 10)
			if err != nil {
				return err
			}
			var all []pratique.Judgement
			for _, v := range subjects {
				all = append(all, pratique.Judgement{Subject: v, Findings: []pratique.Finding{finding(fmt.Sprint("CVE-", n%4), v.Package, severities[(n+i)%6], "")}})
			}
			return s.Judge(ctx, all)
		})
		during(func(n int) error { // list
			all := []pratique.Asset{asset("v0", 0), asset("v1", 1), asset(fmt.Sprint("v", n%count), n%count)}
			_, err := s.SyncRepository(ctx, r.ID, "team/app", all, n%3 == 0)
			return err
		})
	}
	during(func(n int) error { // cancel
		ids, err := s.ActiveScans(ctx, imageID(n%count))
		if err == nil {
			_, err = s.CancelScans(ctx, ids...)
		}
		return err
	})
	during(func(int) error { // read
		if _, err := s.Overview(ctx, pratique.SourceRegistry, day); err != nil {
			return err
		}
		_, err := s.Assets(ctx, pratique.AssetFilter{Risk: []pratique.Risk{pratique.RiskFound}}, pratique.PageRequest{Sort: "worst", Count: true})
		return err
	})
	group.Wait()
	sound(t, s)
}
