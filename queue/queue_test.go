package queue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/scan"
)

// tally is a Scan handler that remembers, and an Observer.
type tally struct {
	mu       sync.Mutex
	images   []pratique.Digest
	attempts []scan.Attempt
	outcomes map[string]int
	wait     func(context.Context) error
}

func (x *tally) scan(ctx context.Context, args scan.ScanArgs, attempt scan.Attempt) error {
	x.mu.Lock()
	x.images = append(x.images, args.ImageID)
	x.attempts = append(x.attempts, attempt)
	x.mu.Unlock()
	if x.wait != nil {
		return x.wait(ctx)
	}
	return nil
}

func (x *tally) Ended(kind, outcome string, waited, ran time.Duration) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.outcomes == nil {
		x.outcomes = map[string]int{}
	}
	x.outcomes[kind+" "+outcome]++
}

func (x *tally) begun() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return len(x.images)
}

func (x *tally) attempt(i int) scan.Attempt {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.attempts[i]
}

func (x *tally) String() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return fmt.Sprintf("attempts %+v, outcomes %v", x.attempts, x.outcomes)
}

func (x *tally) outcome(name string) int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.outcomes[name]
}

func untilEnd(ctx context.Context) error {
	<-ctx.Done()
	return context.Cause(ctx)
}

func TestUnique(t *testing.T) {
	conformance(t, func(t *testing.T, e *env) {
		e.enqueue(scanOf(1, scan.LaneSchedule), scanOf(1, scan.LaneHand), scanOf(2, scan.LaneSchedule)) // twice in one call
		e.enqueue(scanOf(1, scan.LaneSchedule))
		e.enqueue(scan.Job{Args: scan.SyncArgs{RegistryID: 1}}, scan.Job{Args: scan.SyncArgs{RegistryID: 2}}, scan.Job{Args: scan.FeedArgs{}}, scan.Job{Args: scan.FeedArgs{}})
		if n := e.number("SELECT count(*) FROM river_job"); n != 5 {
			t.Fatalf("%d jobs, want 2 scans, 2 synchronisations and 1 update", n)
		}
		x := &tally{}
		release := make(chan struct{})
		x.wait = func(context.Context) error { <-release; return nil }
		e.start(e.q, Options{Scans: 4, Handlers: Handlers{Scan: x.scan}, Observer: x})
		e.within(5*time.Second, "both run", func() bool { return x.begun() == 2 })
		e.enqueue(scanOf(1, scan.LanePush)) // joins the one that runs
		if got := e.state(image(1)); got != "running" {
			t.Errorf("image 1 is %s", got)
		}
		close(release)
		e.within(5*time.Second, "both are done", func() bool { return e.state(image(1)) == "completed" && e.state(image(2)) == "completed" })
		e.enqueue(scanOf(1, scan.LanePush)) // a new wish
		e.within(5*time.Second, "it runs again", func() bool { return x.begun() == 3 && e.state(image(1)) == "completed completed" })
		if x.attempt(0).Worker != e.q.Worker() || x.attempt(2).Number != 1 || x.attempt(2).Fence <= x.attempt(0).Fence {
			t.Errorf("%s", x)
		}
	})
}

func TestTransaction(t *testing.T) {
	conformance(t, func(t *testing.T, e *env) {
		rolledBack := errors.New("rolled back")
		err := e.q.db.tx(t.Context(), func(tx *sql.Tx) error {
			if _, err := tx.Exec("INSERT INTO runs (image) VALUES ('a')"); err != nil {
				return err
			}
			return errors.Join(e.q.EnqueueTx(t.Context(), tx, scanOf(1, scan.LaneHand)), rolledBack)
		})
		if err == nil || err.Error() != rolledBack.Error() {
			t.Fatal(err)
		}
		if n := e.number("SELECT count(*) FROM river_job") + e.number("SELECT count(*) FROM runs"); n != 0 {
			t.Errorf("%d rows after a roll-back", n)
		}
	})
}

func TestLanes(t *testing.T) {
	conformance(t, func(t *testing.T, e *env) {
		e.enqueue(scanOf(4, scan.LaneReread), scanOf(3, scan.LaneSchedule), scanOf(30, 0), scanOf(2, scan.LaneHand), scanOf(5, scan.LaneReread))
		e.enqueue(scanOf(1, scan.LanePush))
		e.enqueue(scanOf(5, scan.LanePush))   // somebody pushed what waited for a re-reading
		e.enqueue(scanOf(1, scan.LaneReread)) // and never the other way round
		x := &tally{}
		e.start(e.q, Options{Scans: 1, Handlers: Handlers{Scan: x.scan}})
		e.within(5*time.Second, "all are begun", func() bool { return x.begun() == 6 })
		var want []pratique.Digest
		for _, n := range []int{5, 1, 2, 3, 30, 4} { // in a lane, the one that came first
			want = append(want, image(n).ImageID)
		}
		x.mu.Lock()
		defer x.mu.Unlock()
		if !slices.Equal(x.images, want) {
			t.Errorf("order %v\nwant  %v", x.images, want)
		}
	})
}

func TestWrongLane(t *testing.T) {
	conformance(t, func(t *testing.T, e *env) {
		err := e.q.Enqueue(t.Context(), scanOf(1, 5))
		if pratique.CodeOf(err) != pratique.CodeInvalid {
			t.Errorf("lane 5: %v", err)
		}
	})
}

func TestLater(t *testing.T) {
	conformance(t, func(t *testing.T, e *env) {
		sync := scan.SyncArgs{RegistryID: 1}
		e.enqueue(scan.Job{Args: sync, At: time.Now().Add(time.Hour)})
		if got := e.state(sync); got != "scheduled" {
			t.Fatalf("in an hour: %s", got)
		}
		e.enqueue(scan.Job{Args: sync, Lane: scan.LaneHand})
		if got := e.state(sync); got != "available" {
			t.Errorf("somebody wants it now: %s", got)
		}
	})
}

// A handler that can do nothing yet is asked again later, which is no attempt; when
// the row wants it at once, the sweeper hurries it.
func TestPutOff(t *testing.T) {
	conformance(t, func(t *testing.T, e *env) {
		var attempts []int
		var mu sync.Mutex
		wanted := make(chan []scan.Job, 1)
		wanted <- nil
		asked := wanting(func() []scan.Job {
			jobs := <-wanted
			wanted <- jobs
			return jobs
		})
		handle := func(_ context.Context, _ scan.ScanArgs, a scan.Attempt) error {
			mu.Lock()
			defer mu.Unlock()
			if attempts = append(attempts, a.Number); len(attempts) == 1 {
				return scan.Later(time.Hour)
			}
			return nil
		}
		e.start(e.q, Options{Scans: 1, Handlers: Handlers{Scan: handle}, Wanted: asked})
		e.enqueue(scanOf(1, 0))
		e.within(5*time.Second, "it is put off", func() bool { return e.state(image(1)) == "scheduled" })
		<-wanted
		wanted <- []scan.Job{scanOf(1, 0)}
		e.within(5*time.Second, "it is hurried", func() bool { return e.state(image(1)) == "completed" })
		if mu.Lock(); len(attempts) != 2 || attempts[0] != attempts[1] {
			t.Errorf("attempts %v", attempts)
		}
		mu.Unlock()
	})
}

func TestCancel(t *testing.T) {
	conformance(t, func(t *testing.T, e *env) {
		x := &tally{wait: untilEnd}
		other, _ := e.open()
		e.start(other, Options{Scans: 2, Handlers: Handlers{Scan: x.scan}, Observer: x})
		e.enqueue(scanOf(1, scan.LanePush), scanOf(2, scan.LanePush))
		e.within(5*time.Second, "two run", func() bool { return x.begun() == 2 })
		e.enqueue(scanOf(3, 0), scanOf(4, 0), scanOf(5, 0))

		n, err := e.q.Cancel(t.Context(), image(3), image(4), image(99))
		if n != 2 || err != nil {
			t.Errorf("cancelled %d, %v; image 99 is nobody's", n, err)
		}
		if e.state(image(3)) != "cancelled" || e.state(image(4)) != "cancelled" || e.state(image(5)) != "available" {
			t.Errorf("waiting ones are %s, %s, %s", e.state(image(3)), e.state(image(4)), e.state(image(5)))
		}
		if n, err := e.q.Cancel(t.Context(), image(1)); n != 1 || err != nil {
			t.Errorf("cancelled %d, %v", n, err)
		}
		took := e.within(time.Second, "the running one ends", func() bool { return x.outcome("scan cancelled") == 1 })
		t.Logf("a running job ended after %s", took.Round(time.Millisecond))
		e.within(2*time.Second, "it is cancelled", func() bool { return e.state(image(1)) == "cancelled" })
		e.within(2*time.Second, "the next one runs", func() bool { return x.begun() == 3 })
		if n, err := e.q.CancelAll(t.Context(), "scan"); n != 2 || err != nil {
			t.Errorf("cancelled %d, %v", n, err)
		}
		e.within(time.Second, "all have ended", func() bool { return x.outcome("scan cancelled") == 3 })
		e.enqueue(scanOf(1, 0)) // a cancelled job keeps none out
		e.within(2*time.Second, "it is wanted again", func() bool { return x.begun() == 4 })
	})
}

// A notification can get lost; the workers look for themselves.
func TestCancelWithoutNotification(t *testing.T) {
	conformance(t, func(t *testing.T, e *env) {
		x := &tally{wait: untilEnd}
		e.start(e.q, Options{Scans: 1, Handlers: Handlers{Scan: x.scan}, Observer: x})
		e.enqueue(scanOf(1, 0))
		e.within(5*time.Second, "it runs", func() bool { return x.begun() == 1 })
		merge := "jsonb_set(metadata, '$.cancel_attempted_at', 'now')"
		if e.q.db.name == postgres.name {
			merge = `metadata || '{"cancel_attempted_at": "now"}'`
		}
		e.exec("UPDATE river_job SET metadata = " + merge)
		e.within(time.Second, "it ends", func() bool { return x.outcome("scan cancelled") == 1 })
		e.within(2*time.Second, "it is cancelled", func() bool { return e.state(image(1)) == "cancelled" })
	})
}

func TestCancelMany(t *testing.T) {
	conformance(t, func(t *testing.T, e *env) {
		var jobs []scan.Job
		for n := range 3000 {
			jobs = append(jobs, scanOf(n, 0))
		}
		began := time.Now()
		e.enqueue(jobs...)
		enqueued := time.Since(began)
		began = time.Now()
		if n, err := e.q.Cancel(t.Context(), image(7)); n != 1 || err != nil {
			t.Errorf("cancelled %d, %v", n, err)
		}
		one := time.Since(began)
		began = time.Now()
		if n, err := e.q.CancelAll(t.Context(), "scan"); n != 2999 || err != nil {
			t.Errorf("cancelled %d, %v", n, err)
		}
		t.Logf("3000 enqueued in %s, one of them cancelled in %s, the others in %s", enqueued, one, time.Since(began))
		if counts, err := e.q.Counts(t.Context()); err != nil || !slices.Equal(counts, []Count{{"scan", "cancelled", 3000}}) {
			t.Errorf("counts %v, %v", counts, err)
		}
	})
}

func TestFailureIsTriedAgain(t *testing.T) {
	conformance(t, func(t *testing.T, e *env) {
		var tries atomic.Int32
		x := &tally{}
		x.wait = func(context.Context) error {
			switch tries.Add(1) {
			case 1:
				return errors.New("the disk is full")
			case 2:
				panic("a fault of ours")
			}
			return nil
		}
		e.start(e.q, Options{Scans: 1, Handlers: Handlers{Scan: x.scan}, Observer: x})
		e.enqueue(scanOf(1, 0))
		e.within(5*time.Second, "the second try", func() bool { return x.begun() == 2 && e.state(image(1)) == "retryable" })
		e.enqueue(scanOf(1, scan.LaneHand)) // no need to wait for the third
		e.within(3*time.Second, "the third try", func() bool { return e.state(image(1)) == "completed" })
		if x.attempt(2).Number != 3 || x.outcome("scan failed") != 2 || x.outcome("scan done") != 1 {
			t.Errorf("%s", x)
		}
	})
}

// A process dies in the middle of three scans; another one goes on with them.
func TestKilledWorker(t *testing.T) {
	t.Parallel()
	conformance(t, func(t *testing.T, e *env) {
		p := e.child()
		e.enqueue(scanOf(1, 0), scanOf(2, 0), scanOf(3, 0))
		for range 3 {
			p.expect(t, "begun")
		}
		x := &tally{}
		e.start(e.q, Options{Scans: 3, Handlers: Handlers{Scan: record(e.db, e.q, func(a scan.ScanArgs, l scan.Attempt) { x.scan(context.Background(), a, l) }, func(context.Context) {})}})
		e.within(3*time.Second, "both workers are listed", func() bool {
			all, err := e.q.Workers(t.Context())
			return err == nil && len(all) == 2 && all[0].ID == p.worker && all[0].PID == p.Process.Pid && all[0].Running == 3 && all[1].Capacity == 3
		})
		time.Sleep(testPace.silence * 5 / 4) // it beats, so it keeps them
		if x.begun() != 0 {
			t.Fatal("the jobs of a worker that lives were taken over")
		}
		if err := p.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		took := e.within(time.Minute, "its scans are done", func() bool { return e.number("SELECT count(*) FROM runs WHERE done = 1 AND begun = 2") == 3 })
		t.Logf("%s after the kill, with a silence of %s", took.Round(time.Millisecond), testPace.silence)
		if limit := testPace.silence + testPace.rescue + fetchPoll + 2*time.Second; took > limit {
			t.Errorf("it took longer than %s", limit)
		}
		if got := e.state(image(1)); got != "discarded completed" && got != "discarded running" {
			t.Errorf("image 1: %s", got)
		}
		for i := range 3 {
			if attempt := x.attempt(i); attempt.Number != 2 || attempt.Fence <= 3 {
				t.Errorf("attempt %+v", attempt)
			}
		}
		if n := e.number("SELECT count(*) FROM river_job WHERE metadata ->> 'lost_by' = ?1", p.worker); n != 6 {
			t.Errorf("%d rows name the lost worker, want the old and the new ones", n)
		}
		e.within(3*time.Second, "the dead worker is no longer listed", func() bool { all, _ := e.q.Workers(t.Context()); return len(all) == 1 })
	})
}

// A worker that is only paused for too long wakes up, notices nothing, and
// writes and completes late.
func TestPausedWorkerCannotWin(t *testing.T) {
	t.Parallel()
	conformance(t, func(t *testing.T, e *env) {
		p := e.child(childEnv + "_STUBBORN=1")
		e.enqueue(scanOf(1, 0))
		p.expect(t, "begun")
		if err := p.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		running := make(chan struct{}, 9)
		release := make(chan struct{})
		e.start(e.q, Options{Scans: 3, Handlers: Handlers{Scan: record(e.db, e.q,
			func(scan.ScanArgs, scan.Attempt) { running <- struct{}{} }, func(context.Context) { <-release })}})
		select {
		case <-running:
		case <-time.After(10 * time.Second):
			t.Fatal("nobody took the job over")
		}
		if err := p.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		p.stdin.Write([]byte("\n")) // the old worker ends its scan now
		e.within(5*time.Second, "it registers again", func() bool { all, _ := e.q.Workers(t.Context()); return len(all) == 2 })
		time.Sleep(time.Second)
		if got := e.state(image(1)); got != "discarded running" {
			t.Errorf("the late worker made the jobs %s", got)
		}
		if e.number("SELECT done FROM runs") != 0 {
			t.Error("the late worker's write counted")
		}
		close(release)
		e.within(5*time.Second, "the new one completes", func() bool { return e.state(image(1)) == "discarded completed" })
		if e.number("SELECT done FROM runs") != 1 {
			t.Error("the new worker's write did not count")
		}
		e.enqueue(scanOf(2, 0)) // and the old one does new work
		e.within(5*time.Second, "another scan", func() bool { return e.number("SELECT count(*) FROM runs WHERE done = 1") == 2 })
	})
}

// A worker that finds its job in other hands stops doing it.
func TestLostJobEnds(t *testing.T) {
	conformance(t, func(t *testing.T, e *env) {
		x := &tally{wait: untilEnd}
		e.start(e.q, Options{Scans: 1, Handlers: Handlers{Scan: x.scan}, Observer: x})
		e.enqueue(scanOf(1, 0))
		e.within(5*time.Second, "it runs", func() bool { return x.begun() == 1 })
		e.exec("UPDATE river_job SET state = 'discarded', finalized_at = {now}")
		e.within(time.Second, "it ends", func() bool { return x.outcome("scan lost") == 1 })
		time.Sleep(200 * time.Millisecond)
		if got := e.state(image(1)); got != "discarded" {
			t.Errorf("afterwards it is %s", got)
		}
	})
}

// A job that kills every worker does not kill workers for ever, and one that was
// cancelled while its worker died stays cancelled.
func TestTakingOverEnds(t *testing.T) {
	conformance(t, func(t *testing.T, e *env) {
		e.enqueue(scanOf(1, 0), scanOf(2, 0))
		gone := `attempted_by = '["gone"]'`
		if e.q.db.name == postgres.name {
			gone = `attempted_by = '{gone}'`
		}
		e.exec("UPDATE river_job SET state = 'running', attempt = max_attempts, attempted_at = {now}, " + gone)
		e.exec("UPDATE river_job SET attempt = 1 WHERE id = 2")
		if _, err := e.q.client.JobCancel(t.Context(), 2); err != nil {
			t.Fatal(err)
		}
		e.start(e.q, Options{Services: 1, Handlers: Handlers{Feed: func(context.Context, scan.FeedArgs, scan.Attempt) error { return nil }}})
		e.within(5*time.Second, "both end", func() bool { return e.state(image(1)) == "discarded" && e.state(image(2)) == "cancelled" })
	})
}

// River could not write how a job ended, and the worker lives on.
func TestStrayJob(t *testing.T) {
	conformance(t, func(t *testing.T, e *env) {
		e.start(e.q, Options{Services: 1, Handlers: Handlers{Feed: func(context.Context, scan.FeedArgs, scan.Attempt) error { return nil }}})
		e.enqueue(scanOf(1, 0))
		by := `'["` + e.q.Worker() + `"]'`
		if e.q.db.name == postgres.name {
			by = "'{" + e.q.Worker() + "}'"
		}
		e.exec("UPDATE river_job SET state = 'running', attempt = 1, attempted_at = {now}, attempted_by = " + by)
		time.Sleep(testPace.silence / 2)
		if got := e.state(image(1)); got != "running" {
			t.Errorf("too soon it is %s", got)
		}
		e.within(5*time.Second, "it is available again", func() bool { return e.state(image(1)) == "discarded available" })
	})
}

func TestStop(t *testing.T) {
	conformance(t, func(t *testing.T, e *env) {
		x := &tally{}
		x.wait = func(ctx context.Context) error {
			if x.begun() == 1 { // the first one ends in time
				time.Sleep(200 * time.Millisecond)
				return nil
			}
			return untilEnd(ctx)
		}
		if err := e.q.Start(t.Context(), Options{Scans: 2, Grace: 500 * time.Millisecond, pace: testPace, Handlers: Handlers{Scan: x.scan}, Observer: x}); err != nil {
			t.Fatal(err)
		}
		e.enqueue(scanOf(1, scan.LanePush))
		e.within(5*time.Second, "the first runs", func() bool { return x.begun() == 1 })
		e.enqueue(scanOf(2, 0))
		e.within(5*time.Second, "both run", func() bool { return x.begun() == 2 })
		began := time.Now()
		if err := e.q.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < 400*time.Millisecond || took > 3*time.Second {
			t.Errorf("Stop took %s", took)
		}
		if e.state(image(1)) != "completed" || e.state(image(2)) != "available" || x.outcome("scan stopped") != 1 {
			t.Errorf("after the stop: %s, %s, %v", e.state(image(1)), e.state(image(2)), x)
		}
		if all, err := e.q.Workers(t.Context()); len(all) != 0 || err != nil {
			t.Errorf("workers %v, %v", all, err)
		}
		again := &tally{}
		next, _ := e.open()
		e.start(next, Options{Scans: 1, Handlers: Handlers{Scan: again.scan}})
		e.within(5*time.Second, "it goes on", func() bool { return e.state(image(2)) == "completed" })
		if again.attempt(0).Number != 1 {
			t.Errorf("a stop counts as attempt: %+v", again.attempt(0))
		}
	})
}

// A handler that does not listen cannot hold the stop up for ever, and what it
// held goes on at once.
func TestStopWithDeafHandler(t *testing.T) {
	conformance(t, func(t *testing.T, e *env) {
		deaf := make(chan struct{})
		defer close(deaf)
		x := &tally{wait: func(context.Context) error { <-deaf; return nil }}
		first, _ := e.open()
		if err := first.Start(t.Context(), Options{Scans: 1, Grace: 10 * time.Millisecond, pace: testPace, Handlers: Handlers{Scan: x.scan}}); err != nil {
			t.Fatal(err)
		}
		e.enqueue(scanOf(1, 0))
		e.within(5*time.Second, "it runs", func() bool { return x.begun() == 1 })
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		if err := first.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Stop returned %v", err)
		}
		again := &tally{}
		e.start(e.q, Options{Scans: 1, Handlers: Handlers{Scan: again.scan}})
		e.within(5*time.Second, "another worker does it", func() bool { return again.begun() == 1 })
	})
}

// rows is what a store would say is wanted.
type rows struct {
	mu   sync.Mutex
	jobs []scan.Job
}

func (r *rows) Wanted(context.Context) ([]scan.Job, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.jobs), nil
}

func TestSweeper(t *testing.T) {
	conformance(t, func(t *testing.T, e *env) {
		x := &tally{}
		r := &rows{jobs: []scan.Job{scanOf(1, scan.LaneHand), scanOf(2, scan.LaneSchedule), {Args: scan.SyncArgs{RegistryID: 1}}}}
		x.wait = func(context.Context) error {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.jobs = slices.DeleteFunc(r.jobs, func(j scan.Job) bool { return j.Args == image(1) })
			return nil
		}
		e.enqueue(scanOf(2, scan.LaneReread))
		e.exec("DELETE FROM river_job WHERE priority < 4")
		e.start(e.q, Options{Services: 1, Wanted: r, Handlers: Handlers{Feed: func(context.Context, scan.FeedArgs, scan.Attempt) error { return nil }}})
		e.within(3*time.Second, "all are in the queue", func() bool { return e.number("SELECT count(*) FROM river_job") == 3 })
		e.within(3*time.Second, "lanes are right", func() bool {
			return e.number("SELECT priority FROM river_job WHERE id = 1") == 3 && e.number("SELECT min(priority) FROM river_job") == 2
		})
		worker, _ := e.open()
		e.start(worker, Options{Scans: 1, Handlers: Handlers{Scan: x.scan}})
		e.within(3*time.Second, "image 1 is no longer wanted", func() bool { return e.state(image(1)) == "completed" })
		e.within(3*time.Second, "image 2 still is", func() bool { return len(e.state(image(2))) > len("completed completed") })
		if got := e.state(image(1)); got != "completed" {
			t.Errorf("image 1: %s", got)
		}
	})
}

// Processes that start at the same moment make the tables once.
func TestOpenTogether(t *testing.T) {
	for name, url := range engines {
		t.Run(name, func(t *testing.T) {
			address := url(t)
			var group sync.WaitGroup
			for range 8 {
				group.Go(func() {
					db, err := connect(address)
					if err != nil {
						t.Error(err)
						return
					}
					defer db.Close()
					if _, err := Open(context.Background(), db, nil); err != nil {
						t.Error(err)
					}
				})
			}
			group.Wait()
		})
	}
}

func TestWrongUse(t *testing.T) {
	conformance(t, func(t *testing.T, e *env) {
		if err := e.q.Start(t.Context(), Options{}); pratique.CodeOf(err) != pratique.CodeInvalid {
			t.Errorf("a worker of nothing: %v", err)
		}
		if err := e.q.Stop(t.Context()); err != nil {
			t.Errorf("stop without start: %v", err)
		}
		e.db.Close()
		if err := e.q.Enqueue(t.Context(), scanOf(1, 0)); err == nil {
			t.Error("a closed database took a job")
		}
		if _, err := Open(t.Context(), e.db, nil); pratique.CodeOf(err) != pratique.CodeUnreachable {
			t.Errorf("a closed database was opened: %v", err)
		}
	})
}

// Registries that do not answer, and files of a million rows, hold no schedule up.
func TestSchedulesDoNotWaitForSlowJobs(t *testing.T) {
	conformance(t, func(t *testing.T, e *env) {
		e.enqueue(scan.Job{Args: scan.SyncArgs{RegistryID: 1}}, scan.Job{Args: scan.SyncArgs{RegistryID: 2}}, scan.Job{Args: scan.ExportArgs{ExportID: 1}}, scan.Job{Args: scan.ExportArgs{ExportID: 2}})
		slow := func(ctx context.Context) error { <-ctx.Done(); return context.Cause(ctx) }
		e.start(e.q, Options{Services: 1, Exports: 1, Grace: time.Second, Handlers: Handlers{
			Sync:     func(ctx context.Context, _ scan.SyncArgs, _ scan.Attempt) error { return slow(ctx) },
			Export:   func(ctx context.Context, _ scan.ExportArgs, _ scan.Attempt) error { return slow(ctx) },
			Schedule: func(context.Context, scan.ScheduleArgs, scan.Attempt) error { return nil },
		}})
		e.within(5*time.Second, "one of each runs", func() bool { return e.number("SELECT count(*) FROM river_job WHERE state = 'running'") == 2 })
		e.enqueue(scan.Job{Args: scan.ScheduleArgs{ScheduleID: 1}})
		e.within(5*time.Second, "the schedule's job is done", func() bool { return e.state(scan.ScheduleArgs{ScheduleID: 1}) == "completed" })
	})
}

// wanting is a function as a Wanter.
type wanting func() []scan.Job

func (w wanting) Wanted(context.Context) ([]scan.Job, error) { return w(), nil }
