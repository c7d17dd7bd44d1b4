package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/pratique/pratique"
)

const scanColumns = "c.id, i.digest, c.attempt, c.status, c.categories, c.priority, c.progress, c.created, c.started, c.ended, c.due, c.error, c.worker"

func scanTargets(c *pratique.Scan) []any {
	return []any{&c.ID, &c.ImageID, &c.Attempt, &c.Status, document{&c.Categories}, &c.Priority, document{&c.Progress}, into{&c.Created}, intoOrNil{&c.Started}, intoOrNil{&c.Ended}, intoOrNil{&c.Due}, document{&c.Error}, &c.Worker}
}

const scanTables = " FROM scans c JOIN images i ON i.id = c.image_id "

// Scan returns one, or CodeNotFound.
func (s *Store) Scan(ctx context.Context, id int64) (c pratique.Scan, err error) {
	err = s.row(ctx, "SELECT "+scanColumns+scanTables+"WHERE c.id = ?", id).Scan(scanTargets(&c)...)
	return c, found(err, "scan", id)
}

// WaitingScans are those that the service's workers can do and nobody has begun,
// most urgent first. What only agents can read waits for them (see
// [Store.NextWork]).
func (s *Store) WaitingScans(ctx context.Context, limit int) ([]pratique.Scan, error) {
	return collect(ctx, s, func(rows *sql.Rows, c *pratique.Scan) error { return rows.Scan(scanTargets(c)...) },
		"SELECT "+scanColumns+scanTables+"WHERE c.ended IS NULL AND c.started IS NULL AND NOT "+forAgents+" ORDER BY c.priority, c.id LIMIT ?", limit)
}

// Claim gives a waiting scan to a worker. When it has ended it is CodeCancelled;
// when another worker has it, or only agents can read its image, CodeConflict.
func (s *Store) Claim(ctx context.Context, scanID int64, worker string) (lease pratique.Lease, err error) {
	err = s.write(ctx, func(tx *tx) error {
		if lease, err = claim(ctx, tx, scanID, worker); err != nil {
			return err
		}
		var agents bool
		err := tx.row(ctx, "SELECT "+forAgents+" FROM images i WHERE i.digest = ?", lease.ImageID).Scan(&agents)
		if err == nil && agents {
			return pratique.Errorf(pratique.CodeConflict, "scan %d is for an agent: the service does not reach its image", scanID)
		}
		return err
	})
	return lease, err
}

func claim(ctx context.Context, tx *tx, scanID int64, worker string) (lease pratique.Lease, err error) {
	var finished []pratique.Category
	lease = pratique.Lease{ScanID: scanID, Worker: worker}
	err = tx.row(ctx, `UPDATE scans SET attempt = attempt + 1, started = ?, beat = ?, worker = ?, due = NULL, error = NULL
		WHERE id = ? AND ended IS NULL AND started IS NULL RETURNING attempt, categories, finished, forced, timeout, created`, at(tx.now), at(tx.now), worker, scanID).
		Scan(&lease.Attempt, document{&lease.Categories}, document{&finished}, &lease.Forced, (*micros)(&lease.Timeout), into{&lease.Created})
	if errors.Is(err, sql.ErrNoRows) {
		return lease, whyNot(ctx, tx, scanID)
	}
	if err != nil {
		return lease, err
	}
	lease.Categories = slices.DeleteFunc(lease.Categories, func(c pratique.Category) bool { return slices.Contains(finished, c) })
	return lease, tx.row(ctx, "SELECT i.digest FROM scans c JOIN images i ON i.id = c.image_id WHERE c.id = ?", scanID).Scan(&lease.ImageID)
}

func whyNot(ctx context.Context, tx *tx, scanID int64) error {
	var ended bool
	if err := tx.row(ctx, "SELECT ended IS NOT NULL FROM scans WHERE id = ?", scanID).Scan(&ended); err != nil {
		return found(err, "scan", scanID)
	}
	if ended {
		return pratique.Errorf(pratique.CodeCancelled, "scan %d has ended", scanID)
	}
	return pratique.Errorf(pratique.CodeConflict, "another worker has scan %d", scanID)
}

// Beat says that the worker lives, and how far it is. It fails with CodeCancelled
// when the lease has ended: the worker must stop, and what it writes is refused.
// Progress never goes back.
func (s *Store) Beat(ctx context.Context, lease pratique.Lease, progress map[pratique.Category]int) error {
	return s.write(ctx, func(tx *tx) error {
		before := map[pratique.Category]int{}
		err := tx.row(ctx, "SELECT progress FROM scans WHERE id = ? AND attempt = ? AND ended IS NULL AND started IS NOT NULL", lease.ScanID, lease.Attempt).Scan(document{&before})
		if errors.Is(err, sql.ErrNoRows) {
			return leaseEnded(lease)
		}
		if err != nil {
			return err
		}
		for category, percent := range progress {
			before[category] = max(before[category], min(max(percent, 0), 100))
		}
		n, err := tx.exec(ctx, "UPDATE scans SET beat = ?, progress = ? WHERE id = ? AND attempt = ? AND ended IS NULL AND started IS NOT NULL", at(tx.now), document{before}, lease.ScanID, lease.Attempt)
		if err == nil && n == 0 {
			return leaseEnded(lease)
		}
		return err
	})
}

func leaseEnded(lease pratique.Lease) error {
	return pratique.Errorf(pratique.CodeCancelled, "scan %d was cancelled or given to another worker", lease.ScanID)
}

// FailScan ends a scan that came to no result. What was found until then is kept
// when a partial report is given. What a host's agent says of an image that a
// registry has by now does not count: the scan waits for somebody else.
func (s *Store) FailScan(ctx context.Context, lease pratique.Lease, failure *pratique.Error, partial *pratique.Report) error {
	return s.write(ctx, func(tx *tx) error {
		if _, err := held(ctx, tx, lease); err != nil {
			return err
		}
		if overruled, err := overruled(ctx, tx, lease, partial); err != nil || overruled {
			return err
		}
		if partial != nil {
			if err := s.record(ctx, tx, lease, partial, ""); err != nil {
				return err
			}
		}
		return endScan(ctx, tx, lease.ScanID, pratique.StatusFailed, failure)
	}, lockBench, lockScans)
}

// FinishScan keeps a scan's report and ends it, in one transaction. rules names
// the analyzers with their rule sets, by which the image was read. When the scan
// was widened meanwhile by categories that the lease did not have, it waits again
// for these, and again is true; it also waits again, with nothing kept, when the
// report rests on what a host says and a registry has the image by now.
func (s *Store) FinishScan(ctx context.Context, lease pratique.Lease, report *pratique.Report, rules string) (again bool, err error) {
	err = s.write(ctx, func(tx *tx) error {
		wanted, err := held(ctx, tx, lease)
		if err != nil {
			return err
		}
		if again, err = overruled(ctx, tx, lease, report); err != nil || again {
			return err
		}
		if err := s.record(ctx, tx, lease, report, rules); err != nil {
			return err
		}
		if again = len(wanted) > 0; !again {
			if err := allDone(ctx, tx, lease.ScanID); err != nil {
				return err
			}
			return endScan(ctx, tx, lease.ScanID, pratique.StatusScanned, nil)
		}
		var finished []pratique.Category
		if err := tx.row(ctx, "SELECT finished FROM scans WHERE id = ?", lease.ScanID).Scan(document{&finished}); err != nil {
			return err
		}
		_, err = tx.exec(ctx, "UPDATE scans SET started = NULL, beat = NULL, worker = '', finished = ? WHERE id = ?", document{sorted(append(finished, lease.Categories...))}, lease.ScanID)
		return err
	}, lockBench, lockScans)
	return again, err
}

// allDone brings the progress of a scan to its end: the worker's last beat was before
// it.
func allDone(ctx context.Context, tx *tx, scanID int64) error {
	var categories []pratique.Category
	if err := tx.row(ctx, "SELECT categories FROM scans WHERE id = ?", scanID).Scan(document{&categories}); err != nil {
		return err
	}
	progress := map[pratique.Category]int{}
	for _, c := range categories {
		progress[c] = 100
	}
	_, err := tx.exec(ctx, "UPDATE scans SET progress = ? WHERE id = ?", document{progress}, scanID)
	return err
}

// held checks a lease, and returns what is wanted beyond it.
func held(ctx context.Context, tx *tx, lease pratique.Lease) (wanted []pratique.Category, err error) {
	var finished []pratique.Category
	// The update takes the row's lock until the transaction ends.
	err = tx.row(ctx, "UPDATE scans SET beat = ? WHERE id = ? AND attempt = ? AND ended IS NULL AND started IS NOT NULL RETURNING categories, finished", at(tx.now), lease.ScanID, lease.Attempt).
		Scan(document{&wanted}, document{&finished})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, leaseEnded(lease)
	}
	return slices.DeleteFunc(wanted, func(c pratique.Category) bool {
		return slices.Contains(finished, c) || slices.Contains(lease.Categories, c)
	}), err
}

// endScan ends a scan for all tasks that wait for it. The attempt moves on, so
// that a worker that still runs it is fenced.
func endScan(ctx context.Context, tx *tx, scanID int64, status pratique.Status, failure *pratique.Error) error {
	var image int64
	err := tx.row(ctx, "UPDATE scans SET status = ?, ended = ?, error = ?, attempt = CASE WHEN CAST(? AS TEXT) = 'cancelled' THEN attempt + 1 ELSE attempt END WHERE id = ? AND ended IS NULL RETURNING image_id",
		status, at(tx.now), documentOrNull(failure), status, scanID).Scan(&image)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	scannedAt := "scanned_at"
	if status == pratique.StatusScanned {
		scannedAt = numbers([]int64{at(tx.now)})
	}
	if _, err := tx.exec(ctx, "UPDATE images SET status = ?, scan_id = ?, scanned_at = "+scannedAt+" WHERE id = ?", status, scanID, image); err != nil {
		return err
	}
	var risk int
	if err := tx.row(ctx, "SELECT risk FROM images WHERE id = ?", image).Scan(&risk); err != nil {
		return err
	}
	tasks, err := collect(ctx, tx, one[int64], "UPDATE task_scans SET outcome = ? WHERE scan_id = ? AND outcome IS NULL RETURNING task_id", status, scanID)
	if err != nil {
		return err
	}
	slices.Sort(tasks)
	for _, id := range tasks {
		if err := tellTask(ctx, tx, id, status, status == pratique.StatusScanned && risk == riskFound); err != nil {
			return err
		}
	}
	return nil
}

// CancelScans ends scans, whoever waits for them, and returns those that were
// not over yet. An image keeps what an earlier scan found.
func (s *Store) CancelScans(ctx context.Context, ids ...int64) (ended []int64, err error) {
	err = s.write(ctx, func(tx *tx) error {
		ended = nil
		for part := range slices.Chunk(ids, chunk) {
			active, err := collect(ctx, tx, one[int64], "SELECT id FROM scans WHERE ended IS NULL AND id IN ("+numbers(part)+") ORDER BY id")
			if err != nil {
				return err
			}
			for _, id := range active {
				if err := endScan(ctx, tx, id, pratique.StatusCancelled, nil); err != nil {
					return err
				}
			}
			ended = append(ended, active...)
		}
		return nil
	}, lockScans)
	return ended, err
}

// ActiveScans are the scans of images that wait or run.
func (s *Store) ActiveScans(ctx context.Context, images ...pratique.Digest) (ids []int64, err error) {
	for part := range slices.Chunk(images, chunk) {
		in, args := marks(part)
		some, err := collect(ctx, s, one[int64], "SELECT c.id"+scanTables+"WHERE c.ended IS NULL AND i.digest IN ("+in+") ORDER BY c.id", args...)
		if err != nil {
			return nil, err
		}
		ids = append(ids, some...)
	}
	return ids, nil
}

// MaxAttempts is how many workers may die of one scan.
const MaxAttempts = 5

// overtime is how long after its time a scan may go on. Workers keep the time
// themselves; an agent on a host that was taken over may not.
const overtime = 2 * time.Minute

// ReleaseSilent takes scans from workers that have not beaten for the given time,
// and lets them wait again; a scan that outlived MaxAttempts workers has failed, and
// so has one that goes on although its time was over long ago. It returns the scans
// that wait again.
func (s *Store) ReleaseSilent(ctx context.Context, silence time.Duration) (released []int64, err error) {
	err = s.write(ctx, func(tx *tx) error {
		released = nil
		if err := endOverdue(ctx, tx); err != nil {
			return err
		}
		before := at(tx.now.Add(-silence))
		type silent struct {
			id   int64
			lost int
		}
		all, err := collect(ctx, tx, func(rows *sql.Rows, v *silent) error { return rows.Scan(&v.id, &v.lost) },
			"SELECT id, lost FROM scans WHERE ended IS NULL AND started IS NOT NULL AND beat < ? ORDER BY id", before)
		if err != nil {
			return err
		}
		for _, v := range all {
			if v.lost+1 >= MaxAttempts {
				failure := pratique.Errorf(pratique.CodeInternal, "%d workers ended in the middle of this scan", v.lost+1).WithRemedy("look at the workers' logs and memory limits, then scan again")
				if err := endScan(ctx, tx, v.id, pratique.StatusFailed, failure); err != nil {
					return err
				}
				continue
			}
			// The worker may be slow and not dead: its attempt is no longer valid.
			n, err := tx.exec(ctx, "UPDATE scans SET started = NULL, beat = NULL, worker = '', lost = lost + 1 WHERE id = ? AND ended IS NULL AND beat < ?", v.id, before)
			if err != nil {
				return err
			}
			if n > 0 {
				released = append(released, v.id)
			}
		}
		return nil
	}, lockScans)
	return released, err
}

// endOverdue ends scans whose workers beat on when their time is over.
func endOverdue(ctx context.Context, tx *tx) error {
	type overdue struct {
		id      int64
		timeout time.Duration
	}
	all, err := collect(ctx, tx, func(rows *sql.Rows, v *overdue) error { return rows.Scan(&v.id, (*micros)(&v.timeout)) },
		"SELECT id, timeout FROM scans WHERE ended IS NULL AND started IS NOT NULL AND timeout > 0 AND started + timeout < ? ORDER BY id", at(tx.now.Add(-overtime)))
	if err != nil {
		return err
	}
	for _, v := range all {
		failure := pratique.Errorf(pratique.CodeTimeout, "timed out: the scan took longer than %s", v.timeout).
			WithRemedy("scan it again, which goes on where this scan ended, or give it more time")
		if err := endScan(ctx, tx, v.id, pratique.StatusFailed, failure); err != nil {
			return err
		}
	}
	return nil
}

// Release lets a scan wait again, because its worker stops.
func (s *Store) Release(ctx context.Context, lease pratique.Lease) error {
	return s.write(ctx, func(tx *tx) error {
		n, err := tx.exec(ctx, "UPDATE scans SET started = NULL, beat = NULL, worker = '' WHERE id = ? AND attempt = ? AND ended IS NULL AND started IS NOT NULL", lease.ScanID, lease.Attempt)
		if err == nil && n == 0 {
			return leaseEnded(lease)
		}
		return err
	})
}

// Postpone lets a scan wait again until due, and says why.
func (s *Store) Postpone(ctx context.Context, lease pratique.Lease, due time.Time, why *pratique.Error) error {
	return s.write(ctx, func(tx *tx) error {
		n, err := tx.exec(ctx, "UPDATE scans SET started = NULL, beat = NULL, worker = '', due = ?, error = ? WHERE id = ? AND attempt = ? AND ended IS NULL AND started IS NOT NULL",
			at(due), documentOrNull(why), lease.ScanID, lease.Attempt)
		if err == nil && n == 0 {
			return leaseEnded(lease)
		}
		return err
	})
}

// ScanImages are the contents that scans are about.
func (s *Store) ScanImages(ctx context.Context, ids ...int64) (images []pratique.Digest, err error) {
	for part := range slices.Chunk(ids, chunk) {
		some, err := collect(ctx, s, one[pratique.Digest], "SELECT i.digest"+scanTables+"WHERE c.id IN ("+numbers(part)+") ORDER BY c.id")
		if err != nil {
			return nil, err
		}
		images = append(images, some...)
	}
	return images, nil
}

// ScansSince are the scans that run, and those that ended at a moment or later:
// what has to be told to those who watch.
func (s *Store) ScansSince(ctx context.Context, moment time.Time) ([]pratique.Scan, error) {
	return collect(ctx, s, func(rows *sql.Rows, c *pratique.Scan) error { return rows.Scan(scanTargets(c)...) },
		"SELECT "+scanColumns+scanTables+"WHERE c.ended IS NULL AND c.started IS NOT NULL OR c.ended >= ? ORDER BY c.id LIMIT ?", at(moment), pratique.MaxPage)
}

// TasksSince are the tasks that go on, and those that ended at a moment or later.
func (s *Store) TasksSince(ctx context.Context, moment time.Time) ([]pratique.Task, error) {
	return collect(ctx, s, func(rows *sql.Rows, t *pratique.Task) error { return rows.Scan(taskTargets(t)...) },
		"SELECT "+taskColumns+" FROM tasks t WHERE t.ended IS NULL OR t.ended >= ? ORDER BY t.id DESC LIMIT ?", at(moment), pratique.MaxPage)
}

// ScanPace is how long the last scans that succeeded took on average, and how many
// were looked at (at most 200; 0 when there were none).
func (s *Store) ScanPace(ctx context.Context) (average time.Duration, scans int, err error) {
	err = s.row(ctx, "SELECT CAST(COALESCE(AVG(v.took), 0) AS BIGINT), COUNT(*) FROM (SELECT ended - started AS took FROM scans WHERE status = ? AND ended IS NOT NULL AND started IS NOT NULL ORDER BY id DESC LIMIT 200) v",
		pratique.StatusScanned).Scan((*micros)(&average), &scans)
	return average, scans, err
}
