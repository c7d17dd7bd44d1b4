package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/pratique/pratique"
)

const taskColumns = "t.id, t.kind, t.creator, t.categories, t.timeout, t.forced, t.created, t.ended, t.total, t.scanned, t.failed, t.cancelled, t.at_risk, t.unlicensed"

func taskTargets(t *pratique.Task) []any {
	return []any{&t.ID, &t.Kind, &t.Creator, document{&t.Categories}, (*micros)(&t.Timeout), &t.Forced, into{&t.Created}, intoOrNil{&t.Ended}, &t.Total, &t.Scanned, &t.Failed, &t.Cancelled, &t.AtRisk, &t.Unlicensed}
}

// micros is a duration, kept in microseconds.
type micros time.Duration

func (m *micros) Scan(v any) error {
	n, err := integer(v)
	*m = micros(time.Duration(n) * time.Microsecond)
	return err
}

// MaxTaskImages bounds one task.
const MaxTaskImages = 100_000

// CreateTask keeps a wish for scans and returns it with the ids of the scans that
// it waits for, in the order of the request. An image that is being scanned, or
// waits for it, is joined: its scan is widened by what the task wants beyond it.
// Contents that the quota does not cover are refused with CodeQuota, all of them
// when a person asked, else those alone (see [Store.License]).
func (s *Store) CreateTask(ctx context.Context, r pratique.TaskRequest) (task pratique.Task, scans []int64, err error) {
	if err := checkTask(&r); err != nil {
		return task, nil, err
	}
	err = s.write(ctx, func(tx *tx) (err error) {
		task, scans, err = s.createTask(ctx, tx, r)
		return err
	}, lockScans, lockQuota)
	return task, scans, err
}

// checkTask refuses a request that makes no sense, and names each image once.
func checkTask(r *pratique.TaskRequest) error {
	seen := make(map[pratique.Digest]bool, len(r.ImageIDs))
	r.ImageIDs = slices.DeleteFunc(slices.Clone(r.ImageIDs), func(d pratique.Digest) bool {
		twice := seen[d]
		seen[d] = true
		return twice
	})
	switch {
	case len(r.ImageIDs) == 0:
		return pratique.Errorf(pratique.CodeInvalid, "there is nothing to scan").WithRemedy("choose at least one image, or a wider scope")
	case len(r.ImageIDs) > MaxTaskImages:
		return pratique.Errorf(pratique.CodeLimit, "a task of %d images", len(r.ImageIDs)).WithRemedy("choose at most %d at a time", MaxTaskImages)
	case len(r.Categories) == 0:
		return pratique.Errorf(pratique.CodeInvalid, "there is nothing to look for").WithRemedy("choose at least one category")
	}
	r.Priority = cmp.Or(r.Priority, priorityOf(r.Kind))
	return nil
}

func (s *Store) createTask(ctx context.Context, tx *tx, r pratique.TaskRequest) (task pratique.Task, scans []int64, err error) {
	images, refused, err := s.meter(ctx, tx, r)
	if err != nil {
		return task, nil, err
	}
	task = pratique.Task{Kind: r.Kind, Creator: r.Creator, Categories: sorted(r.Categories), Timeout: r.Timeout, Forced: r.Forced, Created: tx.now, Total: len(images), Unlicensed: refused}
	task.ID, err = tx.insert(ctx, "INSERT INTO tasks (kind, creator, categories, timeout, forced, created, total, scanned, failed, cancelled, at_risk, unlicensed) VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, 0, 0, ?)",
		task.Kind, task.Creator, document{task.Categories}, task.Timeout.Microseconds(), task.Forced, at(tx.now), task.Total, refused)
	if err != nil {
		return task, nil, err
	}
	for _, image := range images {
		id, err := wantScan(ctx, tx, image, task, r.Priority)
		if err != nil {
			return task, nil, err
		}
		scans = append(scans, id)
	}
	links := make([][]any, len(scans))
	for i, id := range scans {
		links[i] = []any{task.ID, id}
	}
	return task, scans, tx.engine.load(ctx, tx, "task_scans", []string{"task_id", "scan_id"}, links)
}

func priorityOf(kind pratique.TaskKind) int {
	switch kind {
	case pratique.TaskWebhook:
		return pratique.PriorityPush
	case pratique.TaskSchedule:
		return pratique.PrioritySchedule
	}
	return pratique.PriorityManual
}

func sorted(categories []pratique.Category) []pratique.Category {
	categories = slices.Clone(categories)
	slices.Sort(categories)
	return slices.Compact(categories)
}

// wantScan joins the image's active scan, or makes one.
func wantScan(ctx context.Context, tx *tx, digest pratique.Digest, task pratique.Task, priority int) (id int64, err error) {
	var image int64
	if err := tx.row(ctx, "SELECT id FROM images WHERE digest = ?", digest).Scan(&image); err != nil {
		return 0, found(err, "image", digest)
	}
	var active pratique.Scan
	var forced bool
	var timeout time.Duration
	err = tx.row(ctx, "SELECT id, categories, priority, forced, timeout FROM scans WHERE image_id = ? AND ended IS NULL", image).
		Scan(&active.ID, document{&active.Categories}, &active.Priority, &forced, (*micros)(&timeout))
	if errors.Is(err, sql.ErrNoRows) {
		id, err = tx.insert(ctx, `INSERT INTO scans (image_id, attempt, status, categories, finished, priority, timeout, forced, progress, created, worker) VALUES (?, 0, ?, ?, '[]', ?, ?, ?, '{}', ?, '')`,
			image, pratique.StatusScanning, document{task.Categories}, priority, task.Timeout.Microseconds(), task.Forced, at(tx.now))
		if err != nil {
			return 0, err
		}
		_, err = tx.exec(ctx, "UPDATE images SET status = ?, scan_id = ? WHERE id = ?", pratique.StatusScanning, id, image)
		return id, err
	}
	if err != nil {
		return 0, err
	}
	if timeout > 0 && (task.Timeout == 0 || task.Timeout > timeout) {
		timeout = task.Timeout // the more patient of the two
	}
	_, err = tx.exec(ctx, "UPDATE scans SET categories = ?, priority = ?, forced = ?, timeout = ? WHERE id = ?",
		document{sorted(append(active.Categories, task.Categories...))}, min(active.Priority, priority), forced || task.Forced, timeout.Microseconds(), active.ID)
	return active.ID, err
}

// Task returns one, or CodeNotFound.
func (s *Store) Task(ctx context.Context, id int64) (t pratique.Task, err error) {
	err = s.row(ctx, "SELECT "+taskColumns+" FROM tasks t WHERE t.id = ?", id).Scan(taskTargets(&t)...)
	return t, found(err, "task", id)
}

// TaskImages are the contents of a task whose scans came to one of the outcomes,
// or all without one: what "retry the failed ones" begins with.
func (s *Store) TaskImages(ctx context.Context, id int64, outcomes ...pratique.Status) ([]pratique.Digest, error) {
	query, args := "SELECT i.digest FROM task_scans ts JOIN scans c ON c.id = ts.scan_id JOIN images i ON i.id = c.image_id WHERE ts.task_id = ?", []any{id}
	if len(outcomes) > 0 {
		in, values := marks(outcomes)
		query, args = query+" AND ts.outcome IN ("+in+")", append(args, values...)
	}
	return collect(ctx, s, one[pratique.Digest], query+" ORDER BY i.digest", args...)
}

// CancelTask ends a task, or with images only these of it. Scans that another
// task waits for go on. It returns the ids of the scans that ended.
func (s *Store) CancelTask(ctx context.Context, id int64, images ...pratique.Digest) (ended []int64, err error) {
	err = s.write(ctx, func(tx *tx) error {
		ended = nil
		var exists bool
		if err := tx.row(ctx, "SELECT EXISTS (SELECT 1 FROM tasks WHERE id = ?)", id).Scan(&exists); err != nil {
			return err
		}
		if !exists {
			return notFound("task", id)
		}
		type link struct {
			scan   int64
			image  pratique.Digest
			others bool
		}
		all, err := collect(ctx, tx, func(rows *sql.Rows, l *link) error { return rows.Scan(&l.scan, &l.image, &l.others) },
			`SELECT ts.scan_id, i.digest, EXISTS (SELECT 1 FROM task_scans o WHERE o.scan_id = ts.scan_id AND o.task_id <> ts.task_id AND o.outcome IS NULL)
			FROM task_scans ts JOIN scans c ON c.id = ts.scan_id JOIN images i ON i.id = c.image_id WHERE ts.task_id = ? AND ts.outcome IS NULL ORDER BY ts.scan_id`, id)
		if err != nil {
			return err
		}
		for _, l := range all {
			if len(images) > 0 && !slices.Contains(images, l.image) {
				continue
			}
			if !l.others {
				if err := endScan(ctx, tx, l.scan, pratique.StatusCancelled, nil); err != nil {
					return err
				}
				ended = append(ended, l.scan)
				continue
			}
			if _, err := tx.exec(ctx, "UPDATE task_scans SET outcome = ? WHERE task_id = ? AND scan_id = ?", pratique.StatusCancelled, id, l.scan); err != nil {
				return err
			}
			if err := tellTask(ctx, tx, id, pratique.StatusCancelled, false); err != nil {
				return err
			}
		}
		return nil
	}, lockScans)
	return ended, err
}

// tellTask counts one outcome in a task, and ends it with the last one.
func tellTask(ctx context.Context, tx *tx, id int64, outcome pratique.Status, atRisk bool) error {
	column := map[pratique.Status]string{pratique.StatusScanned: "scanned", pratique.StatusFailed: "failed", pratique.StatusCancelled: "cancelled"}[outcome]
	risk := 0
	if atRisk {
		risk = 1
	}
	_, err := tx.exec(ctx, "UPDATE tasks SET "+column+" = "+column+" + 1, at_risk = at_risk + ?, ended = CASE WHEN scanned + failed + cancelled + 1 >= total THEN CAST(? AS BIGINT) END WHERE id = ?", risk, at(tx.now), id)
	return err
}
