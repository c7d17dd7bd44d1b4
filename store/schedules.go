package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/pratique/pratique"
)

// MaxSchedules of one installation: all of them are looked at every few seconds.
const MaxSchedules = 500

// scheduleColumns end with the newest run and its task, which may be missing.
const scheduleColumns = `s.id, s.name, s.kind, s.enabled, s.document, s.who, s.created, s.updated, s.armed,
	(SELECT COUNT(*) FROM schedule_rest x WHERE x.schedule_id = s.id), COALESCE(n.id, 0)`

const scheduleTables = ` FROM schedules s LEFT JOIN schedule_runs n ON n.id = (SELECT MAX(o.id) FROM schedule_runs o WHERE o.schedule_id = s.id) `

// schedulePlan is the part of a schedule that is kept as a document.
type schedulePlan struct {
	EveryDays  int                  `json:"everyDays,omitempty"`
	Weekdays   []string             `json:"weekdays,omitempty"`
	FirstDay   string               `json:"firstDay,omitempty"`
	Start      string               `json:"start"`
	End        string               `json:"end,omitempty"`
	Zone       string               `json:"zone"`
	Categories []pratique.Category  `json:"categories"`
	Scope      pratique.Scope       `json:"scope"`
	Filter     pratique.AssetFilter `json:"filter,omitzero"`
	Timeout    time.Duration        `json:"timeout,omitempty"`
}

func planOf(v pratique.Schedule) schedulePlan {
	return schedulePlan{v.EveryDays, v.Weekdays, v.FirstDay, v.Start, v.End, v.Zone, v.Categories, v.Scope, v.Filter, v.Timeout}
}

func (p schedulePlan) into(v *pratique.Schedule) {
	v.EveryDays, v.Weekdays, v.FirstDay, v.Start, v.End, v.Zone = p.EveryDays, p.Weekdays, p.FirstDay, p.Start, p.End, p.Zone
	v.Categories, v.Scope, v.Filter, v.Timeout = p.Categories, p.Scope, p.Filter, p.Timeout
}

func scanSchedule(row interface{ Scan(...any) error }, v *pratique.Schedule) (lastRun int64, err error) {
	var plan schedulePlan
	err = row.Scan(&v.ID, &v.Name, &v.Kind, &v.Enabled, document{&plan}, &v.By, into{&v.Created}, into{&v.Updated}, into{&v.Armed}, &v.Rest, &lastRun)
	plan.into(v)
	return lastRun, err
}

// CreateSchedule keeps a new one. A name that is taken is CodeConflict.
func (s *Store) CreateSchedule(ctx context.Context, v pratique.Schedule) (pratique.Schedule, error) {
	err := s.write(ctx, func(tx *tx) (err error) {
		var count int
		if err := tx.row(ctx, "SELECT COUNT(*) FROM schedules").Scan(&count); err != nil {
			return err
		}
		if count >= MaxSchedules {
			return pratique.Errorf(pratique.CodeLimit, "there are %d schedules already", count).WithRemedy("delete some, or give one a wider scope")
		}
		v.Created, v.Updated, v.Armed, v.Rest, v.Last = tx.now, tx.now, tx.now, 0, nil
		v.ID, err = tx.insert(ctx, "INSERT INTO schedules (name, kind, enabled, document, who, created, updated, armed) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
			v.Name, v.Kind, v.Enabled, document{planOf(v)}, v.By, at(tx.now), at(tx.now), at(tx.now))
		return s.scheduleTaken(err)
	})
	return v, err
}

func (s *Store) scheduleTaken(err error) error {
	if s.engine.taken(err) {
		return pratique.Errorf(pratique.CodeConflict, "another schedule has this name").WithRemedy("choose another name")
	}
	return err
}

// UpdateSchedule changes one. rearm: openings until now do not count any longer,
// because it was switched on or has other times.
func (s *Store) UpdateSchedule(ctx context.Context, v pratique.Schedule, rearm bool) (pratique.Schedule, error) {
	err := s.write(ctx, func(tx *tx) error {
		set, args := "", []any{v.Name, v.Kind, v.Enabled, document{planOf(v)}, v.By, at(tx.now)}
		if rearm {
			set, args = ", armed = ?", append(args, at(tx.now))
		}
		n, err := tx.exec(ctx, "UPDATE schedules SET name = ?, kind = ?, enabled = ?, document = ?, who = ?, updated = ?"+set+" WHERE id = ?", append(args, v.ID)...)
		if err == nil && n == 0 {
			return notFound("schedule", v.ID)
		}
		return s.scheduleTaken(err)
	})
	if err != nil {
		return v, err
	}
	return s.Schedule(ctx, v.ID)
}

// DeleteSchedule removes one with its runs. What it has waiting is to be put back
// before; its tasks stay.
func (s *Store) DeleteSchedule(ctx context.Context, id int64) error {
	return s.write(ctx, func(tx *tx) error {
		n, err := tx.exec(ctx, "DELETE FROM schedules WHERE id = ?", id)
		if err == nil && n == 0 {
			return notFound("schedule", id)
		}
		return err
	})
}

// Schedule returns one with its newest run, or CodeNotFound.
func (s *Store) Schedule(ctx context.Context, id int64) (v pratique.Schedule, err error) {
	last, err := scanSchedule(s.row(ctx, "SELECT "+scheduleColumns+scheduleTables+"WHERE s.id = ?", id), &v)
	if err != nil {
		return v, found(err, "schedule", id)
	}
	return v, s.lastRuns(ctx, []*pratique.Schedule{&v}, []int64{last})
}

// Schedules are all of them by name, each with its newest run.
func (s *Store) Schedules(ctx context.Context) ([]pratique.Schedule, error) {
	var last []int64
	all, err := collect(ctx, s, func(rows *sql.Rows, v *pratique.Schedule) error {
		run, err := scanSchedule(rows, v)
		last = append(last, run)
		return err
	}, "SELECT "+scheduleColumns+scheduleTables+"ORDER BY s.name, s.id")
	if err != nil {
		return nil, err
	}
	each := make([]*pratique.Schedule, len(all))
	for i := range all {
		each[i] = &all[i]
	}
	return all, s.lastRuns(ctx, each, last)
}

// lastRuns fills in runs by their ids, 0 for none.
func (s *Store) lastRuns(ctx context.Context, each []*pratique.Schedule, ids []int64) error {
	runs := map[int64]*pratique.ScheduleRun{}
	for part := range slices.Chunk(ids, chunk) {
		some, err := collect(ctx, s, func(rows *sql.Rows, r *pratique.ScheduleRun) error { return rows.Scan(runTargets(r)...) },
			"SELECT "+runColumns+runTables+"WHERE n.id IN ("+numbers(part)+")")
		if err == nil {
			err = s.runTasks(ctx, some)
		}
		if err != nil {
			return err
		}
		for i := range some {
			runs[some[i].ScheduleID] = &some[i]
		}
	}
	for _, v := range each {
		v.Last = runs[v.ID]
	}
	return nil
}

const runColumns = "n.id, n.schedule_id, n.opens, n.closes, n.who, n.started, n.begun, n.ended, n.result, n.put_back, n.error, n.task_id"

const runTables = " FROM schedule_runs n "

// runTargets give a run a task with nothing but its id; see runTasks.
func runTargets(r *pratique.ScheduleRun) []any {
	return []any{&r.ID, &r.ScheduleID, into{&r.Opens}, into{&r.Closes}, &r.By, into{&r.Started}, &r.Begun, intoOrNil{&r.Ended}, &r.Result, &r.PutBack, document{&r.Error}, taskID{&r.Task}}
}

type taskID struct{ to **pratique.Task }

func (t taskID) Scan(v any) error {
	if v == nil {
		return nil
	}
	n, err := integer(v)
	*t.to = &pratique.Task{ID: n}
	return err
}

// runTasks fills in the tasks of runs.
func (s *Store) runTasks(ctx context.Context, runs []pratique.ScheduleRun) error {
	var ids []int64
	for _, r := range runs {
		if r.Task != nil {
			ids = append(ids, r.Task.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	tasks, err := collect(ctx, s, func(rows *sql.Rows, t *pratique.Task) error { return rows.Scan(taskTargets(t)...) },
		"SELECT "+taskColumns+" FROM tasks t WHERE t.id IN ("+numbers(ids)+")")
	for i := range runs {
		for _, t := range tasks {
			if r := &runs[i]; r.Task != nil && r.Task.ID == t.ID {
				r.Task = &t
			}
		}
	}
	return err
}

// ScheduleRuns lists the runs of a schedule, newest first. It has no sorts.
func (s *Store) ScheduleRuns(ctx context.Context, scheduleID int64, r pratique.PageRequest) (p pratique.Page[pratique.ScheduleRun], err error) {
	l := &listing{columns: runColumns, from: runTables, sorts: map[string]string{"": "n.id"}, desc: true, keys: []string{"n.id"}}
	l.and("n.schedule_id = ?", scheduleID)
	p, err = page(ctx, s, l, r, func(rows *sql.Rows, v *pratique.ScheduleRun, order []any) error {
		return rows.Scan(append(runTargets(v), order...)...)
	})
	if err != nil {
		return p, err
	}
	return p, s.runTasks(ctx, p.Items)
}

// OpenedBetween tells whether a schedule has a run that was due in a stretch of
// time.
func (s *Store) OpenedBetween(ctx context.Context, scheduleID int64, from, to time.Time) (yes bool, err error) {
	err = s.row(ctx, "SELECT EXISTS (SELECT 1 FROM schedule_runs WHERE schedule_id = ? AND opens >= ? AND opens < ?)", scheduleID, at(from), at(to)).Scan(&yes)
	return yes, err
}

// BeginRun makes the run of an opening. It is CodeConflict when it exists, or
// while another run of the schedule has not ended: whoever comes second does
// nothing.
func (s *Store) BeginRun(ctx context.Context, scheduleID int64, opens, closes time.Time, by string) (r pratique.ScheduleRun, err error) {
	err = s.write(ctx, func(tx *tx) (err error) {
		r = pratique.ScheduleRun{ScheduleID: scheduleID, Opens: opens.UTC(), Closes: closes.UTC(), By: by, Started: tx.now}
		var exists bool
		if err := tx.row(ctx, "SELECT EXISTS (SELECT 1 FROM schedules WHERE id = ?)", scheduleID).Scan(&exists); err != nil {
			return err
		}
		if !exists {
			return notFound("schedule", scheduleID)
		}
		r.ID, err = tx.insert(ctx, "INSERT INTO schedule_runs (schedule_id, opens, closes, who, started, begun, result, put_back) VALUES (?, ?, ?, ?, ?, FALSE, '', 0)",
			scheduleID, at(opens), at(closes), by, at(tx.now))
		if s.engine.taken(err) {
			return pratique.Errorf(pratique.CodeConflict, "a run of this schedule has not ended").WithRemedy("wait for its end, or cancel its task")
		}
		return err
	})
	return r, err
}

// StartRun makes the task of a run, once whoever tries: a run that has its task
// already, or has ended, is CodeConflict. What was put back before is in the task,
// or no longer wanted. When the quota covers no image, no task is made, and the
// error is CodeQuota.
func (s *Store) StartRun(ctx context.Context, runID int64, r pratique.TaskRequest) (task pratique.Task, scans []int64, err error) {
	if err := checkTask(&r); err != nil {
		return task, nil, err
	}
	err = s.write(ctx, func(tx *tx) error {
		n, err := tx.exec(ctx, "UPDATE schedule_runs SET begun = TRUE WHERE id = ? AND NOT begun AND ended IS NULL", runID)
		if err != nil {
			return err
		}
		if n == 0 {
			return pratique.Errorf(pratique.CodeConflict, "run %d was started by another server", runID)
		}
		if task, scans, err = s.createTask(ctx, tx, r); err != nil {
			return err
		}
		if _, err := tx.exec(ctx, "UPDATE schedule_runs SET task_id = ? WHERE id = ?", task.ID, runID); err != nil {
			return err
		}
		_, err = tx.exec(ctx, "DELETE FROM schedule_rest WHERE schedule_id = (SELECT schedule_id FROM schedule_runs WHERE id = ?)", runID)
		return err
	}, lockScans, lockQuota)
	return task, scans, err
}

// EndRun says how a run ended, unless it has.
func (s *Store) EndRun(ctx context.Context, runID int64, result pratique.ScheduleResult, why *pratique.Error) error {
	return s.write(ctx, func(tx *tx) error {
		_, err := tx.exec(ctx, "UPDATE schedule_runs SET ended = ?, result = ?, error = ? WHERE id = ? AND ended IS NULL", at(tx.now), result, documentOrNull(why), runID)
		return err
	})
}

// PutBack takes the scans that nobody has begun out of a run's task, and keeps
// their images for the next run. It is as if they had never been wanted: an image
// is again in the state that it was in. Scans that another task waits for go on
// there. It returns the images whose scans are gone.
func (s *Store) PutBack(ctx context.Context, runID int64) (images []pratique.Digest, err error) {
	err = s.write(ctx, func(tx *tx) error {
		images = nil
		var schedule int64
		var task sql.NullInt64
		if err := tx.row(ctx, "SELECT schedule_id, task_id FROM schedule_runs WHERE id = ?", runID).Scan(&schedule, &task); err != nil {
			return found(err, "run", runID)
		}
		if !task.Valid {
			return nil
		}
		back, err := takeOut(ctx, tx, task.Int64)
		if err != nil {
			return err
		}
		for _, b := range back { // the scans' ids are the order in which they were wanted
			if _, err := tx.exec(ctx, "INSERT INTO schedule_rest (schedule_id, image_id, position) VALUES (?, ?, ?) ON CONFLICT (schedule_id, image_id) DO NOTHING", schedule, b.image, b.id); err != nil {
				return err
			}
			images = append(images, b.digest)
		}
		_, err = tx.exec(ctx, "UPDATE schedule_runs SET put_back = put_back + ? WHERE id = ?", len(back), runID)
		return err
	}, lockScans)
	return images, err
}

// waitingScan is a scan of a task that nobody has begun.
type waitingScan struct {
	id, image int64
	digest    pratique.Digest
	shared    bool // another task waits for it
}

// takeOut removes what waits from a task, and returns what is scanned for nobody
// now.
func takeOut(ctx context.Context, tx *tx, task int64) (out []waitingScan, err error) {
	all, err := collect(ctx, tx, func(rows *sql.Rows, w *waitingScan) error { return rows.Scan(&w.id, &w.image, &w.digest, &w.shared) },
		`SELECT c.id, c.image_id, i.digest, EXISTS (SELECT 1 FROM task_scans o WHERE o.scan_id = c.id AND o.task_id <> ts.task_id AND o.outcome IS NULL)
		FROM task_scans ts JOIN scans c ON c.id = ts.scan_id JOIN images i ON i.id = c.image_id
		WHERE ts.task_id = ? AND ts.outcome IS NULL AND c.started IS NULL AND c.ended IS NULL ORDER BY c.id`, task)
	if err != nil {
		return nil, err
	}
	left := 0
	for _, w := range all {
		if !w.shared {
			n, err := tx.exec(ctx, "DELETE FROM scans WHERE id = ? AND started IS NULL AND ended IS NULL", w.id) // and its link
			if err != nil {
				return nil, err
			}
			if n == 0 {
				continue // somebody begins it right now
			}
			if err := forgetScan(ctx, tx, w.image); err != nil {
				return nil, err
			}
			out = append(out, w)
		} else if _, err := tx.exec(ctx, "DELETE FROM task_scans WHERE task_id = ? AND scan_id = ?", task, w.id); err != nil {
			return nil, err
		}
		left++
	}
	if left == 0 {
		return nil, nil
	}
	_, err = tx.exec(ctx, `UPDATE tasks SET total = total - ?, ended = CASE WHEN scanned + failed + cancelled >= total - ? THEN COALESCE(ended, CAST(? AS BIGINT)) END WHERE id = ?`, left, left, at(tx.now), task)
	return out, err
}

// forgetScan gives an image whose scan was deleted the state of the one before.
func forgetScan(ctx context.Context, tx *tx, image int64) error {
	var last int64
	var status pratique.Status
	err := tx.row(ctx, "SELECT id, status FROM scans WHERE image_id = ? ORDER BY id DESC LIMIT 1", image).Scan(&last, &status)
	if errors.Is(err, sql.ErrNoRows) {
		_, err = tx.exec(ctx, "UPDATE images SET status = ?, scan_id = NULL WHERE id = ?", pratique.StatusNotScanned, image)
		return err
	}
	if err != nil {
		return err
	}
	_, err = tx.exec(ctx, "UPDATE images SET status = ?, scan_id = ? WHERE id = ?", status, last, image)
	return err
}

// ScheduleRest are the contents that were put back, in the order in which they
// would have been scanned.
func (s *Store) ScheduleRest(ctx context.Context, scheduleID int64) ([]pratique.Digest, error) {
	return collect(ctx, s, one[pratique.Digest], "SELECT i.digest FROM schedule_rest x JOIN images i ON i.id = x.image_id WHERE x.schedule_id = ? ORDER BY x.position", scheduleID)
}
