package queue

import (
	"context"
	"database/sql"
	"os"
	"sync"
	"time"

	"github.com/pratique/pratique/scan"
)

// A pulse is what a worker knows about its own beats. Times are of this
// process's monotonic clock.
type pulse struct {
	pace pace
	mu   sync.Mutex
	last time.Time // a beat arrived
	from time.Time // since when beats arrive without a gap
}

func newPulse(p pace) *pulse {
	now := time.Now()
	return &pulse{pace: p, last: now, from: now}
}

// due says whether it is time for a beat; lapsed that so many failed to arrive
// that others may soon take the jobs over, or did.
func (p *pulse) due() (due, lapsed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	since := time.Since(p.last)
	return since >= p.pace.beat, since >= p.pace.silence-p.pace.silence/6
}

func (p *pulse) arrived() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if now.Sub(p.last) > 2*p.pace.beat {
		p.from = now
	}
	p.last = now
}

// trusted says whether the silence of others means anything. Right after the
// database came back, every worker was silent: they get the time for a beat.
func (p *pulse) trusted() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Since(p.last) <= 2*p.pace.beat && time.Since(p.from) >= p.pace.beat*3/2
}

func (w *work) register(ctx context.Context) error {
	_, err := w.db.ExecContext(ctx, w.db.sql(`INSERT INTO queue_workers (id, host, pid, capacity, scans, started, beat)
		VALUES (?1, ?2, ?3, ?4, ?5, {millis}, {millis}) ON CONFLICT (id) DO UPDATE SET beat = {millis}`),
		w.id, w.host, os.Getpid(), w.Scans+w.Services+w.Exports, w.Scans)
	return err
}

func (w *work) unregister(ctx context.Context) error {
	_, err := w.db.ExecContext(ctx, w.db.sql("DELETE FROM queue_workers WHERE id = ?1"), w.id)
	return err
}

// beat says that this worker lives. It is asked ten times a beat, so that a beat
// that failed is tried again soon. When beats do not arrive, or when somebody has
// given us up, the jobs that run here are no longer ours.
func (w *work) beat(ctx context.Context, p *pulse) error {
	due, lapsed := p.due()
	if lapsed {
		w.loseAll("this worker cannot reach the database")
	}
	if !due {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, max(w.pace.beat/2, time.Second))
	defer cancel()
	result, err := w.db.ExecContext(ctx, w.db.sql("UPDATE queue_workers SET beat = {millis} WHERE id = ?1"), w.id)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil {
		return err
	} else if n == 0 {
		w.loseAll("this worker was silent for too long")
		if err := w.register(ctx); err != nil {
			return err
		}
	}
	p.arrived()
	return nil
}

func (w *work) loseAll(why string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, cancel := range w.running {
		w.log.Warn("a job is given up", "job", id, "reason", why)
		cancel(scan.ErrLost)
	}
}

// watch ends the contexts of jobs of ours that somebody cancelled or took over.
// River's notifications tell the first as well, and sooner; they can get lost.
func (w *work) watch(ctx context.Context) error {
	w.mu.Lock()
	ids := make([]int64, 0, len(w.running))
	for id := range w.running {
		ids = append(ids, id)
	}
	w.mu.Unlock()
	if len(ids) == 0 {
		return nil
	}
	mine, err := w.mine(ctx, ids)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range ids {
		cancel, running := w.running[id]
		if !running {
			continue
		}
		if cancelled, held := mine[id]; !held {
			cancel(scan.ErrLost)
		} else if cancelled {
			cancel(scan.ErrCancelled)
		}
	}
	return nil
}

// mine says of those jobs that this worker holds whether they were cancelled.
func (w *work) mine(ctx context.Context, ids []int64) (map[int64]bool, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	rows, err := w.db.QueryContext(ctx, w.db.sql("SELECT id, metadata ->> 'cancel_attempted_at' IS NOT NULL FROM river_job WHERE id IN ("+
		list(ids)+") AND state = 'running' AND {holder} = ?1"), w.id)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	mine := make(map[int64]bool, len(ids))
	for rows.Next() {
		var id int64
		var cancelled bool
		if err := rows.Scan(&id, &cancelled); err != nil {
			return nil, err
		}
		mine[id] = cancelled
	}
	return mine, rows.Err()
}

// rescue gives up workers that were silent for too long, and makes their jobs
// available again. A job that is taken over becomes a new row of River's, with a
// higher id, and the old one is closed: River itself lets whoever comes last
// complete a row that runs, so a worker that was only paused would complete the
// job under the hands of its successor. The new id is also the higher fence.
func (w *work) rescue(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	overdue, err := w.findStrays(ctx)
	if err != nil {
		return err
	}
	return w.db.tx(ctx, func(tx *sql.Tx) error {
		// A write comes first: it makes this the only such transaction on SQLite.
		_, err := tx.ExecContext(ctx, w.db.sql("DELETE FROM queue_workers WHERE beat < {millis} - ?1"), w.pace.silence.Milliseconds())
		if err != nil {
			return err
		}
		lost, err := w.orphans(ctx, tx, overdue)
		if err != nil {
			return err
		}
		for _, job := range lost {
			if err := w.takeOver(ctx, tx, job); err != nil {
				return err
			}
		}
		return nil
	})
}

// findStrays returns jobs that run here by the database, and for long have not
// run here in fact: River could not write how they ended, because the database
// was away for longer than it tries.
func (w *work) findStrays(ctx context.Context) (overdue []int64, _ error) {
	ids, err := w.held(ctx)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	strays := map[int64]time.Time{}
	for _, id := range ids {
		if w.running[id] != nil {
			continue
		}
		since, known := w.strays[id]
		if !known {
			since = time.Now()
		}
		strays[id] = since
		if time.Since(since) >= w.pace.silence {
			overdue = append(overdue, id)
		}
	}
	w.strays = strays
	return overdue, nil
}

// held are the jobs that this worker runs by the database.
func (w *work) held(ctx context.Context) (ids []int64, _ error) {
	rows, err := w.db.QueryContext(ctx, w.db.sql("SELECT id FROM river_job WHERE state = 'running' AND {holder} = ?1"), w.id)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// orphan is a running job that nobody runs.
type orphan struct {
	id        int64
	kind      string
	worker    string
	cancelled bool
	exhausted bool // begun as often as may be
}

// orphans are the running jobs whose worker is not registered, and strays.
func (w *work) orphans(ctx context.Context, tx *sql.Tx, strays []int64) ([]orphan, error) {
	rows, err := tx.QueryContext(ctx, w.db.sql(`SELECT id, kind, {holder}, metadata ->> 'cancel_attempted_at' IS NOT NULL, attempt >= max_attempts
		FROM river_job WHERE state = 'running' AND ({holder} NOT IN (SELECT id FROM queue_workers) OR id IN (`+list(append(strays, 0))+`))
		ORDER BY id{for update}`))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var lost []orphan
	for rows.Next() {
		var o orphan
		if err := rows.Scan(&o.id, &o.kind, &o.worker, &o.cancelled, &o.exhausted); err != nil {
			return nil, err
		}
		lost = append(lost, o)
	}
	return lost, rows.Err()
}

func (w *work) takeOver(ctx context.Context, tx *sql.Tx, o orphan) error {
	state := "discarded"
	if o.cancelled {
		state = "cancelled"
	}
	_, err := tx.ExecContext(ctx, w.db.sql("UPDATE river_job SET state = '"+state+"', finalized_at = {now}, metadata = {lost} WHERE id = ?1"), o.id, o.worker)
	if err != nil {
		return err
	}
	w.log.Warn("a job was lost by its worker", "job", o.id, "kind", o.kind, "worker", o.worker, "cancelled", o.cancelled, "exhausted", o.exhausted)
	if o.cancelled || o.exhausted {
		return nil
	}
	_, err = tx.ExecContext(ctx, w.db.sql(`INSERT INTO river_job
		(args, attempt, kind, max_attempts, metadata, priority, queue, scheduled_at, state, tags, unique_key, unique_states)
		SELECT args, attempt, kind, max_attempts, metadata, priority, queue, {now}, 'available', tags, unique_key, unique_states
		FROM river_job WHERE id = ?1`), o.id)
	return err
}

// sweep puts into the queue what rows want and what has no job: because a
// process died between the two, a job was discarded, or somebody asked again
// while the last job was ending. What was put off, and is wanted at once by now, is
// hurried.
func (w *work) sweep(ctx context.Context) error {
	wanted, err := w.Wanted.Wanted(ctx)
	if err != nil || len(wanted) == 0 {
		return err
	}
	have, err := w.waiting(ctx)
	if err != nil {
		return err
	}
	lanes := make(map[string]scan.Lane, len(have))
	later := map[string]bool{}
	for _, job := range have {
		lanes[job.key], later[job.key] = job.lane, job.later
		if job.running { // no lane is more urgent
			lanes[job.key] = scan.LanePush
		}
	}
	var missing []scan.Job
	for _, job := range wanted {
		key, err := keyOf(job.Args)
		if err != nil {
			return err
		}
		if lane, waits := lanes[key]; !waits || lane > job.Lane || later[key] && job.At.IsZero() {
			missing = append(missing, job)
		}
	}
	return w.Enqueue(ctx, missing...)
}

// A Worker is a process that does jobs.
type Worker struct {
	ID       string
	Host     string
	PID      int
	Capacity int // jobs at once
	Scans    int // of these
	Started  time.Time
	Beat     time.Time // by the database's clock, at most 10 s ago while all is well
	Running  int       // jobs
}

// Workers lists who does jobs now.
func (q *Queue) Workers(ctx context.Context) ([]Worker, error) {
	rows, err := q.db.QueryContext(ctx, q.db.sql(`SELECT id, host, pid, capacity, scans, started, beat,
		(SELECT count(*) FROM river_job WHERE state = 'running' AND {holder} = queue_workers.id) FROM queue_workers ORDER BY started, id`))
	if err != nil {
		return nil, unreachable(err)
	}
	defer rows.Close()
	var workers []Worker
	for rows.Next() {
		var w Worker
		var started, beat int64
		if err := rows.Scan(&w.ID, &w.Host, &w.PID, &w.Capacity, &w.Scans, &started, &beat, &w.Running); err != nil {
			return nil, unreachable(err)
		}
		w.Started, w.Beat = time.UnixMilli(started), time.UnixMilli(beat)
		workers = append(workers, w)
	}
	return workers, rows.Err()
}
