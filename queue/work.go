package queue

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/scan"
)

// Handlers do the jobs. A nil one leaves the jobs of its kind to other
// processes.
//
// A handler returns nil when its row says how the job ended, be it well or
// badly; an error means that not even that could be written, and the job is
// begun again: at once to minutes later, eight times, and then for as long as the
// row is wanted. When its context ends it has to return soon;
// [context.Cause] tells why. A panic is an error.
type Handlers struct {
	Scan     func(context.Context, scan.ScanArgs, scan.Attempt) error
	Sync     func(context.Context, scan.SyncArgs, scan.Attempt) error
	Evaluate func(context.Context, scan.EvaluateArgs, scan.Attempt) error
	Feed     func(context.Context, scan.FeedArgs, scan.Attempt) error
	Window   func(context.Context, scan.WindowArgs, scan.Attempt) error
	Schedule func(context.Context, scan.ScheduleArgs, scan.Attempt) error
	Export   func(context.Context, scan.ExportArgs, scan.Attempt) error
}

// Wanter knows what the rows want.
type Wanter interface {
	// Wanted returns a job for every row that wants one and has not ended, whether
	// its job exists or not.
	Wanted(ctx context.Context) ([]scan.Job, error)
}

// Observer is told how each job ended in this process, for metrics. It is called
// from many goroutines and must be quick.
type Observer interface {
	// Ended: the outcome is "done", "failed" (it is begun again), "cancelled",
	// "stopped" (put back, because the process stops), "lost" (another worker has
	// it) or "postponed" (see [scan.Later]). waited is from when it could have begun to when it did.
	Ended(kind, outcome string, waited, ran time.Duration)
}

// Options of Start.
type Options struct {
	Handlers Handlers
	Scans    int        // how many at once in this process; 0 is none
	Services int        // how many other jobs at once; 0 is none
	Exports  int        // how many exports at once; 0 is none
	Periodic []Periodic // put into the queue by the clock; without any, this process leaves that to others
	Wanted   Wanter     // nil leaves sweeping to others
	Observer Observer   // may be nil

	// Grace is how long running jobs may go on when the process stops, before
	// their contexts end and they are put back. 20 s if 0.
	Grace time.Duration

	pace pace
	now  rivertype.TimeGenerator // tests move the clock; nil is the real one
}

// pace is how often things happen.
type pace struct {
	beat    time.Duration // a worker says that it lives
	silence time.Duration // after which it is given up
	rescue  time.Duration // between looks for jobs of lost workers
	watch   time.Duration // between looks for cancelled and lost jobs of our own
	sweep   time.Duration
}

var realPace = pace{beat: 10 * time.Second, silence: 30 * time.Second, rescue: 2 * time.Second, watch: 500 * time.Millisecond, sweep: 10 * time.Second}

// work is what a process needs to do jobs.
type work struct {
	*Queue
	Options
	client  *river.Client[*sql.Tx]
	release func() // the listener's connection
	end     context.CancelFunc
	loops   sync.WaitGroup

	mu      sync.Mutex
	running map[int64]context.CancelCauseFunc // by the job's id
	strays  map[int64]time.Time               // see findStrays
}

// Start makes this process do jobs until Stop. ctx is for the start only.
func (q *Queue) Start(ctx context.Context, o Options) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.work != nil {
		return pratique.Errorf(pratique.CodeInternal, "the queue was started twice")
	}
	if o.Scans <= 0 && o.Services <= 0 && o.Exports <= 0 {
		return pratique.Errorf(pratique.CodeInvalid, "a worker that does nothing at once does nothing").
			WithRemedy("set the number of scans at once to 1 or more")
	}
	o.Grace = cmp.Or(o.Grace, 20*time.Second)
	o.pace = cmp.Or(o.pace, realPace)
	w := &work{Queue: q, Options: o, running: map[int64]context.CancelCauseFunc{}}
	driver, release, err := q.db.driver(true)
	if err != nil {
		return err
	}
	w.release = release
	if w.client, err = river.NewClient(driver, w.config()); err != nil {
		release()
		return fmt.Errorf("queue: %w", err)
	}
	if err := w.register(ctx); err != nil { // before the first job: who is not registered is lost
		release()
		return unreachable(err)
	}
	if err := w.client.Start(context.WithoutCancel(ctx)); err != nil {
		release()
		return errors.Join(unreachable(err), w.unregister(context.WithoutCancel(ctx)))
	}
	w.begin()
	q.work = w
	return nil
}

// begin starts what goes on beside the jobs.
func (w *work) begin() {
	ctx, end := context.WithCancel(context.Background())
	w.end = end
	pulse := newPulse(w.pace)
	w.loop(ctx, w.pace.beat/10, func(ctx context.Context) error { return w.beat(ctx, pulse) })
	w.loop(ctx, w.pace.watch, w.watch)
	w.loop(ctx, w.pace.rescue, func(ctx context.Context) error {
		if !pulse.trusted() {
			return nil
		}
		return w.rescue(ctx)
	})
	if w.Wanted != nil {
		w.loop(ctx, w.pace.sweep, w.sweep)
	}
}

// loop does something now and then, and says when it cannot.
func (w *work) loop(ctx context.Context, every time.Duration, do func(context.Context) error) {
	w.loops.Go(func() {
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for {
			if err := do(ctx); err != nil && ctx.Err() == nil {
				w.log.Warn("the queue's upkeep failed and is tried again", "error", err)
			}
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
		}
	})
}

// Stop ends the work of this process: no job begins, those that run may go on
// for Options.Grace, then their contexts end with [scan.ErrStopping] and they
// are put back into the queue. When ctx ends before all have returned, Stop
// returns its error; what those write later does not count, and their jobs are
// taken over at once.
func (q *Queue) Stop(ctx context.Context) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	w := q.work
	if w == nil {
		return nil
	}
	q.work = nil
	err := w.client.Stop(ctx)
	w.end()
	w.loops.Wait()
	bye, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	err = errors.Join(err, w.unregister(bye))
	w.release()
	return err
}

// clockAtOnce is how many schedules are looked after at once: it is quickly done.
const clockAtOnce = 2

func (w *work) config() *river.Config {
	config := &river.Config{
		ID:                          w.id,
		Logger:                      quiet(w.log),
		Queues:                      map[string]river.QueueConfig{},
		Workers:                     w.workers(),
		FetchOnlyKnownKinds:         true,
		FetchCooldown:               fetchCooldown,
		FetchPollInterval:           fetchPoll,
		MaxAttempts:                 maxAttempts,
		JobTimeout:                  -1,
		RescueStuckJobsAfter:        forever,
		CompletedJobRetentionPeriod: retention,
		CancelledJobRetentionPeriod: retention,
		DiscardedJobRetentionPeriod: retention,
		SoftStopTimeout:             w.Grace,
		LeaderElectionDisabled:      len(w.Periodic) == 0,
		Test:                        river.TestConfig{Time: w.now},
	}
	if w.Scans > 0 {
		config.Queues[queueScan] = river.QueueConfig{MaxWorkers: w.Scans}
	}
	if w.Services > 0 {
		config.Queues[queueService] = river.QueueConfig{MaxWorkers: w.Services}
		config.Queues[queueClock] = river.QueueConfig{MaxWorkers: clockAtOnce}
	}
	if w.Exports > 0 {
		config.Queues[queueExport] = river.QueueConfig{MaxWorkers: w.Exports}
	}
	for _, p := range w.Periodic {
		config.PeriodicJobs = append(config.PeriodicJobs, p.river(w))
	}
	return config
}

func (w *work) workers() *river.Workers {
	workers := river.NewWorkers()
	add(workers, w, w.Handlers.Scan)
	add(workers, w, w.Handlers.Sync)
	add(workers, w, w.Handlers.Evaluate)
	add(workers, w, w.Handlers.Feed)
	add(workers, w, w.Handlers.Window)
	add(workers, w, w.Handlers.Schedule)
	add(workers, w, w.Handlers.Export)
	return workers
}

func add[T scan.Args](workers *river.Workers, w *work, do func(context.Context, T, scan.Attempt) error) {
	if do != nil {
		river.AddWorker(workers, &worker[T]{w: w, do: do})
	}
}

// worker is a handler as River wants it.
type worker[T scan.Args] struct {
	river.WorkerDefaults[T]
	w  *work
	do func(context.Context, T, scan.Attempt) error
}

func (*worker[T]) Timeout(*river.Job[T]) time.Duration { return -1 }

// NextRetry waits 2 s, 8 s, 32 s and so on up to five minutes: what failed is
// the database or the disk, and the row is still wanted.
func (x *worker[T]) NextRetry(job *river.Job[T]) time.Time {
	wait := 2 * time.Second << min(2*max(job.Attempt-1, 0), 8)
	return x.w.clock().Add(min(wait, 5*time.Minute))
}

func (x *worker[T]) Work(ctx context.Context, job *river.Job[T]) error {
	return x.w.run(ctx, job.JobRow, func(ctx context.Context, attempt scan.Attempt) error { return x.do(ctx, job.Args, attempt) })
}

func (w *work) clock() time.Time {
	if w.now != nil {
		return w.now.Now()
	}
	return time.Now()
}

// run does one job, whose context ends with a cause of ours, and tells River
// what came of it.
func (w *work) run(parent context.Context, job *rivertype.JobRow, do func(context.Context, scan.Attempt) error) error {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(parent))
	defer cancel(nil)
	defer context.AfterFunc(parent, func() {
		if errors.Is(context.Cause(parent), rivertype.ErrJobCancelledRemotely) {
			cancel(scan.ErrCancelled)
		} else {
			cancel(scan.ErrStopping)
		}
	})()
	w.hold(job.ID, cancel)
	defer w.drop(job.ID)

	began := time.Now()
	outcome := "failed" // also when it panics
	defer func() {
		if w.Observer != nil {
			w.Observer.Ended(job.Kind, outcome, max(0, began.Sub(job.ScheduledAt)), time.Since(began))
		}
	}()
	defer func() { // River catches it too, and does not say where it came from
		if p := recover(); p != nil {
			w.log.Error("a job panicked", "kind", job.Kind, "job", job.ID, "panic", p, "stack", string(debug.Stack()))
			panic(p)
		}
	}()
	err := do(ctx, scan.Attempt{Fence: job.ID, Number: job.Attempt, Worker: w.id})
	if err == nil {
		outcome = "done"
		return nil
	}
	var later scan.Later
	if errors.As(err, &later) && ctx.Err() == nil {
		outcome = "postponed"
		return river.JobSnooze(max(0, time.Duration(later)))
	}
	switch context.Cause(ctx) {
	case scan.ErrCancelled:
		outcome = "cancelled"
		return river.JobCancel(err)
	case scan.ErrStopping:
		outcome = "stopped"
		return errors.Join(context.Canceled, err) // River puts back what its own stop ended
	case scan.ErrLost:
		outcome = "lost"
		return river.JobSnooze(0) // available again, unless somebody has it already
	}
	w.log.Warn("a job failed and is begun again", "kind", job.Kind, "job", job.ID, "attempt", job.Attempt, "error", err)
	return err
}

func (w *work) hold(id int64, cancel context.CancelCauseFunc) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.running[id] = cancel
}

func (w *work) drop(id int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.running, id)
}

// quiet is River's log: it tells on level INFO what we tell ourselves, and on
// WARN that a job was cancelled.
func quiet(log *slog.Logger) *slog.Logger { return slog.New(atLeast{log.Handler(), slog.LevelError}) }

type atLeast struct {
	slog.Handler
	level slog.Level
}

func (h atLeast) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= h.level && h.Handler.Enabled(ctx, level)
}
func (h atLeast) WithAttrs(attrs []slog.Attr) slog.Handler {
	return atLeast{h.Handler.WithAttrs(attrs), h.level}
}
func (h atLeast) WithGroup(name string) slog.Handler {
	return atLeast{h.Handler.WithGroup(name), h.level}
}
