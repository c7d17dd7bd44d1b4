package queue

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/scan"
)

// River's queues. Scans have their own, so that a thousand of them do not keep a
// registry from being synchronised; so have exports, which may take minutes each,
// and schedules, which begin on time however long registries take to answer.
const (
	queueScan    = "scan"
	queueService = "service"
	queueExport  = "export"
	queueClock   = "clock"
)

const (
	// fetchCooldown is how long River waits between two fetches. With its default
	// of 100 ms a worker begins at most ten times as many jobs a second as it does
	// at once.
	fetchCooldown = 2 * time.Millisecond
	// fetchPoll is how long a job waits at most when its notification was lost.
	fetchPoll = time.Second
	// maxAttempts is how often a job that fails is begun. The sweeper brings it
	// back as long as its row is wanted, so this is not the end of the work.
	maxAttempts = 8
	// batch is how many jobs are inserted or changed by one statement.
	batch = 500
	// retention keeps finished jobs for those who look for a fault. It must be
	// longer than a day: a job of [scan.WindowArgs] that is done keeps a second one
	// for the same window out.
	retention = 48 * time.Hour
)

// unfinished are the states in which a job keeps another like it out.
var unfinished = []rivertype.JobState{
	rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable,
	rivertype.JobStateRunning, rivertype.JobStateScheduled,
}

// unfinishedSQL is the same, for a WHERE.
const unfinishedSQL = "state IN ('available', 'pending', 'retryable', 'running', 'scheduled')"

// A Queue is the jobs of one database. Open makes one that can enqueue and
// cancel; Start makes this process do jobs as well.
type Queue struct {
	db       database
	log      *slog.Logger
	client   *river.Client[*sql.Tx] // enqueues; works nothing
	id, host string

	mu   sync.Mutex
	work *work // nil when this process does no jobs
}

// Open brings the queue's tables in db up to date and returns the queue. db is
// SQLite (the pool that writes: at best one connection) or PostgreSQL by pgx's
// database/sql driver; the queue finds out which. db stays the caller's: it has
// to be open until Stop has returned. The log may be nil.
func Open(ctx context.Context, db *sql.DB, log *slog.Logger) (*Queue, error) {
	known, err := recognise(ctx, db)
	if err != nil {
		return nil, err
	}
	if err := known.migrate(ctx); err != nil {
		return nil, err
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	q := &Queue{db: known, log: log}
	if q.id, q.host, err = identity(); err != nil {
		return nil, err
	}
	driver, _, err := known.driver(false)
	if err != nil {
		return nil, err
	}
	q.client, err = river.NewClient(driver, &river.Config{ID: q.id + "+", Logger: quiet(log), FetchCooldown: fetchCooldown, MaxAttempts: maxAttempts})
	if err != nil {
		return nil, fmt.Errorf("queue: %w", err)
	}
	return q, nil
}

// identity names this process: no other one, now or later, has the same.
func identity() (id, host string, _ error) {
	host, err := os.Hostname()
	if err != nil {
		return "", "", fmt.Errorf("queue: %w", err)
	}
	var random [6]byte
	rand.Read(random[:])
	return fmt.Sprintf("%.60s/%d/%s", host, os.Getpid(), hex.EncodeToString(random[:])), host, nil
}

// Worker is the name under which this process does jobs: host, process id and a
// random part.
func (q *Queue) Worker() string { return q.id }

// Enqueue wants jobs to be done. When it returns nil they are in the database.
// A job that is unfinished already is not made twice: it moves to the more
// urgent lane and the earlier time of the two.
func (q *Queue) Enqueue(ctx context.Context, jobs ...scan.Job) error {
	if len(jobs) == 0 {
		return nil
	}
	return q.db.tx(ctx, func(tx *sql.Tx) error { return q.EnqueueTx(ctx, tx, jobs...) })
}

// EnqueueTx is Enqueue as a part of tx, which has to be of the same database:
// the jobs exist when, and only if, tx is committed. After an error tx can only
// be rolled back.
func (q *Queue) EnqueueTx(ctx context.Context, tx *sql.Tx, jobs ...scan.Job) error {
	params, err := distinct(jobs)
	if err != nil {
		return err
	}
	for part := range slices.Chunk(params, batch) {
		results, err := q.client.InsertManyTx(ctx, tx, part)
		if err != nil {
			return enqueueError(err)
		}
		if err := q.hurry(ctx, tx, part, results); err != nil {
			return enqueueError(err)
		}
	}
	return nil
}

func enqueueError(err error) error {
	return pratique.Errorf(pratique.CodeInternal, "a job cannot be put into the queue: %w", err).
		WithRemedy("check the database; what is wanted is put into the queue again by itself")
}

// distinct is one River job for each that differs, the most urgent of them: one
// statement cannot meet the same row twice.
func distinct(jobs []scan.Job) ([]river.InsertManyParams, error) {
	params := make([]river.InsertManyParams, 0, len(jobs))
	seen := make(map[string]*river.InsertOpts, len(jobs))
	for _, job := range jobs {
		opts, err := options(job)
		if err != nil {
			return nil, err
		}
		key, err := keyOf(job.Args)
		if err != nil {
			return nil, err
		}
		if first := seen[key]; first != nil {
			first.Priority = min(first.Priority, opts.Priority)
			if opts.ScheduledAt.Before(first.ScheduledAt) {
				first.ScheduledAt = opts.ScheduledAt
			}
			continue
		}
		seen[key] = opts
		params = append(params, river.InsertManyParams{Args: job.Args, InsertOpts: opts})
	}
	return params, nil
}

func options(job scan.Job) (*river.InsertOpts, error) {
	lane := cmp.Or(job.Lane, scan.LaneSchedule)
	if lane < scan.LanePush || lane > scan.LaneReread {
		return nil, pratique.Errorf(pratique.CodeInvalid, "a job's lane is %d, and there are lanes %d to %d", lane, scan.LanePush, scan.LaneReread)
	}
	opts := &river.InsertOpts{
		Queue:       queueService,
		Priority:    int(lane),
		ScheduledAt: job.At,
		UniqueOpts:  river.UniqueOpts{ByArgs: true, ByState: unfinished},
	}
	switch job.Args.(type) {
	case scan.ScanArgs:
		opts.Queue = queueScan
	case scan.ExportArgs:
		opts.Queue = queueExport
	case scan.ScheduleArgs:
		opts.Queue = queueClock
	case scan.WindowArgs:
		opts.UniqueOpts.ByState = rivertype.UniqueOptsByStateDefault() // one that is done counts as well
	}
	return opts, nil
}

// keyOf is the same for jobs that are the same.
func keyOf(args scan.Args) (string, error) {
	text, err := json.Marshal(args)
	if err != nil {
		return "", fmt.Errorf("queue: %w", err)
	}
	return canonical(args.Kind(), text)
}

// canonical makes the text of arguments comparable: databases write JSON with
// spaces and an order of their own.
func canonical(kind string, args []byte) (string, error) {
	var value map[string]any
	if err := json.Unmarshal(args, &value); err != nil {
		return "", fmt.Errorf("queue: arguments of a job of kind %s: %w", kind, err)
	}
	text, err := json.Marshal(value)
	return kind + string(text), err
}

// hurry moves jobs that waited already to the lane and the time that are wanted
// now, if that is sooner.
func (q *Queue) hurry(ctx context.Context, tx *sql.Tx, params []river.InsertManyParams, results []*rivertype.JobInsertResult) error {
	lanes := map[int][]int64{}
	var now []int64
	for i, result := range results {
		job, wanted := result.Job, params[i].InsertOpts
		if !result.UniqueSkippedAsDuplicate {
			continue
		}
		if job.Priority > wanted.Priority {
			lanes[wanted.Priority] = append(lanes[wanted.Priority], job.ID)
		}
		if wanted.ScheduledAt.IsZero() && (job.State == rivertype.JobStateScheduled || job.State == rivertype.JobStateRetryable) {
			now = append(now, job.ID)
		}
	}
	for lane, ids := range lanes {
		_, err := tx.ExecContext(ctx, q.db.sql("UPDATE river_job SET priority = ?1 WHERE id IN ("+list(ids)+") AND priority > ?1 AND "+unfinishedSQL), lane)
		if err != nil {
			return err
		}
	}
	if len(now) == 0 {
		return nil
	}
	_, err := tx.ExecContext(ctx, q.db.sql("UPDATE river_job SET state = 'available', scheduled_at = {now} WHERE id IN ("+list(now)+") AND state IN ('scheduled', 'retryable')"))
	return err
}

// list is ids as SQL.
func list(ids []int64) string {
	var b strings.Builder
	for i, id := range ids {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.FormatInt(id, 10))
	}
	return b.String()
}

// waiting is an unfinished job.
type waiting struct {
	id      int64
	key     string
	lane    scan.Lane
	running bool
	later   bool // it was put off
}

// waiting lists what is unfinished, of some kinds or, without any, of all.
func (q *Queue) waiting(ctx context.Context, kinds ...string) ([]waiting, error) {
	query := "SELECT id, kind, {args}, priority, state FROM river_job WHERE " + unfinishedSQL
	args := make([]any, len(kinds))
	for i, kind := range kinds {
		query += []string{" AND kind IN (", ", "}[min(i, 1)] + "?" + strconv.Itoa(i+1)
		args[i] = kind
	}
	if len(kinds) > 0 {
		query += ")"
	}
	rows, err := q.db.QueryContext(ctx, q.db.sql(query), args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var found []waiting
	for rows.Next() {
		var w waiting
		var kind, text, state string
		if err := rows.Scan(&w.id, &kind, &text, &w.lane, &state); err != nil {
			return nil, err
		}
		if w.key, err = canonical(kind, []byte(text)); err != nil {
			return nil, err
		}
		w.running = state == string(rivertype.JobStateRunning)
		w.later = state == string(rivertype.JobStateScheduled)
		found = append(found, w)
	}
	return found, rows.Err()
}

// Cancel takes jobs out of the queue. One that waits is gone when Cancel
// returns; the context of one that runs, in whatever process, is cancelled
// within a second, with [scan.ErrCancelled] as its cause. It returns how many
// jobs there were; those that are not in the queue are none.
func (q *Queue) Cancel(ctx context.Context, jobs ...scan.Args) (int, error) {
	wanted := make(map[string]bool, len(jobs))
	var kinds []string
	for _, args := range jobs {
		key, err := keyOf(args)
		if err != nil {
			return 0, err
		}
		wanted[key] = true
		if !slices.Contains(kinds, args.Kind()) {
			kinds = append(kinds, args.Kind())
		}
	}
	if len(kinds) == 0 {
		return 0, nil
	}
	return q.cancel(ctx, kinds, func(key string) bool { return wanted[key] })
}

// CancelAll is Cancel for every job of a kind.
func (q *Queue) CancelAll(ctx context.Context, kind string) (int, error) {
	return q.cancel(ctx, []string{kind}, func(string) bool { return true })
}

func (q *Queue) cancel(ctx context.Context, kinds []string, match func(key string) bool) (int, error) {
	found, err := q.waiting(ctx, kinds...)
	if err != nil {
		return 0, cancelError(err)
	}
	found = slices.DeleteFunc(found, func(w waiting) bool { return !match(w.key) })
	ids := make([]int64, len(found))
	for i, w := range found {
		ids[i] = w.id
	}
	for part := range slices.Chunk(ids, batch) {
		running, err := q.cancelBatch(ctx, list(part))
		if err != nil {
			return 0, cancelError(err)
		}
		for _, id := range running { // River tells the process that does it
			if _, err := q.client.JobCancel(ctx, id); err != nil && !errors.Is(err, rivertype.ErrNotFound) {
				return 0, cancelError(err)
			}
		}
	}
	return len(ids), nil
}

func cancelError(err error) error {
	return pratique.Errorf(pratique.CodeInternal, "jobs cannot be cancelled: %w", err).WithRemedy("check the database, then cancel again")
}

// cancelBatch ends those that wait, and returns those that run: one that began
// in between is among the latter.
func (q *Queue) cancelBatch(ctx context.Context, ids string) (running []int64, _ error) {
	_, err := q.db.ExecContext(ctx, q.db.sql("UPDATE river_job SET state = 'cancelled', finalized_at = {now} WHERE id IN ("+ids+
		") AND state IN ('available', 'pending', 'retryable', 'scheduled')"))
	if err != nil {
		return nil, err
	}
	rows, err := q.db.QueryContext(ctx, "SELECT id FROM river_job WHERE id IN ("+ids+") AND "+unfinishedSQL)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		running = append(running, id)
	}
	return running, rows.Err()
}

// A Count is how many jobs of a kind are in a state: available, running,
// scheduled, retryable, pending; and of the last 48 hours completed, cancelled,
// discarded.
type Count struct {
	Kind, State string
	Jobs        int
}

// Counts is how full the queue is, sorted by kind and state. It reads every row:
// ask every few seconds at most.
func (q *Queue) Counts(ctx context.Context) ([]Count, error) {
	rows, err := q.db.QueryContext(ctx, "SELECT kind, state, count(*) FROM river_job GROUP BY kind, state ORDER BY kind, state")
	if err != nil {
		return nil, unreachable(err)
	}
	defer rows.Close()
	var counts []Count
	for rows.Next() {
		var c Count
		if err := rows.Scan(&c.Kind, &c.State, &c.Jobs); err != nil {
			return nil, unreachable(err)
		}
		counts = append(counts, c)
	}
	return counts, rows.Err()
}

// forever is for what River would end by the clock: scans have time limits of
// their own, and lost workers are found by their silence.
const forever = time.Duration(math.MaxInt64) / 8 // 36 years
