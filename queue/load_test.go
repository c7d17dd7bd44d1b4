package queue

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pratique/pratique/internal/pgtest"
	"github.com/pratique/pratique/scan"
)

// The database is restarted under load: every connection breaks, the listener's
// as well.
func TestDatabaseRestart(t *testing.T) {
	t.Parallel()
	cluster, err := pgtest.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cluster.Stop(); err != nil {
			t.Error(err)
		}
	})
	url, err := cluster.Create(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	e := newEnv(t, url)
	x := &tally{}
	handler := record(e.db, e.q, func(a scan.ScanArgs, l scan.Attempt) { x.scan(context.Background(), a, l) }, func(context.Context) { time.Sleep(100 * time.Millisecond) })
	slow := testPace
	slow.beat, slow.silence = 2*time.Second, 20*time.Second // a restart is no reason to lose anything
	e.start(e.q, Options{Scans: 4, pace: slow, Grace: 5 * time.Second, Handlers: Handlers{Scan: handler}, Observer: x})
	var jobs []scan.Job
	for n := range 60 {
		jobs = append(jobs, scanOf(n, 0))
	}
	e.enqueue(jobs...)
	e.within(10*time.Second, "a third is done", func() bool { return e.number("SELECT count(*) FROM runs WHERE done = 1") >= 20 })
	if err := cluster.Restart(); err != nil {
		t.Fatal(err)
	}
	took := e.within(30*time.Second, "all are done, each once", func() bool {
		var n int
		return e.db.QueryRow("SELECT count(*) FROM runs WHERE done >= 1").Scan(&n) == nil && n == 60
	})
	t.Logf("done %s after the restart; %s", took.Round(time.Millisecond), x)
	if n := x.outcome("scan lost"); n != 0 {
		t.Errorf("%d jobs were lost", n)
	}
	// A notification arrives again.
	e.enqueue(scanOf(1000, scan.LanePush))
	e.within(10*time.Second, "another one", func() bool { return e.state(image(1000)) == "completed" })
}

// BenchmarkJobs does jobs that do nothing: what the queue itself costs.
func BenchmarkJobs(b *testing.B) {
	for name, url := range engines {
		for _, workers := range []int{4, 32} {
			b.Run(fmt.Sprintf("%s/%d", name, workers), func(b *testing.B) {
				e := newEnv(b, url(b))
				jobs := make([]scan.Job, 5000)
				for n := range jobs {
					jobs[n] = scanOf(n, 0)
				}
				for b.Loop() {
					var done atomic.Int64
					began := time.Now()
					e.enqueue(jobs...)
					enqueued := time.Since(began)
					q, _ := e.open()
					began = time.Now()
					err := q.Start(b.Context(), Options{Scans: workers, Handlers: Handlers{Scan: func(context.Context, scan.ScanArgs, scan.Attempt) error {
						done.Add(1)
						return nil
					}}})
					if err != nil {
						b.Fatal(err)
					}
					e.within(time.Minute, "all are done", func() bool { return int(done.Load()) == len(jobs) })
					worked := time.Since(began)
					if err := q.Stop(b.Context()); err != nil {
						b.Fatal(err)
					}
					b.ReportMetric(float64(len(jobs))/enqueued.Seconds(), "enqueued/s")
					b.ReportMetric(float64(len(jobs))/worked.Seconds(), "jobs/s")
					e.exec("DELETE FROM river_job")
				}
			})
		}
	}
}
