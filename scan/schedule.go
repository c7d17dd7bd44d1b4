package scan

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/calendar"
)

// ScheduleStore keeps schedules and their runs.
type ScheduleStore interface {
	Schedule(ctx context.Context, id int64) (pratique.Schedule, error)
	Schedules(ctx context.Context) ([]pratique.Schedule, error)
	CreateSchedule(ctx context.Context, v pratique.Schedule) (pratique.Schedule, error)
	UpdateSchedule(ctx context.Context, v pratique.Schedule, rearm bool) (pratique.Schedule, error)
	DeleteSchedule(ctx context.Context, id int64) error
	RunStore
	// QuotaNeed is what scanning the images of a filter would cost.
	QuotaNeed(ctx context.Context, f pratique.AssetFilter) (pratique.QuotaNeed, error)
}

// RunStore keeps runs. BeginRun and StartRun do what they do once, whoever tries:
// the second one gets CodeConflict.
type RunStore interface {
	ScheduleRuns(ctx context.Context, scheduleID int64, r pratique.PageRequest) (pratique.Page[pratique.ScheduleRun], error)
	OpenedBetween(ctx context.Context, scheduleID int64, from, to time.Time) (bool, error)
	BeginRun(ctx context.Context, scheduleID int64, opens, closes time.Time, by string) (pratique.ScheduleRun, error)
	StartRun(ctx context.Context, runID int64, r pratique.TaskRequest) (task pratique.Task, scans []int64, err error)
	EndRun(ctx context.Context, runID int64, result pratique.ScheduleResult, why *pratique.Error) error
	// PutBack takes what nobody has begun out of a run's task, and keeps it as the
	// schedule's rest.
	PutBack(ctx context.Context, runID int64) ([]pratique.Digest, error)
	ScheduleRest(ctx context.Context, scheduleID int64) ([]pratique.Digest, error)
}

// Schedules start tasks by the clock.
//
// Nothing is planned ahead. Every few seconds each server looks which windows are
// open that have had no run, and which runs are over: so a window that opened
// while nobody ran is made up for once, as long as it is open, and a clock that is
// put right in the middle of a window changes nothing. That an opening happens
// once, on whatever number of servers, is a key of the database.
type Schedules struct {
	Store ScheduleStore
	Tasks *Tasks
	Jobs  Jobs
	Log   *slog.Logger
	Now   func() time.Time // nil is the clock
}

// BySchedule is who asked for a run that the clock asked for.
const BySchedule = "schedule"

// upcoming is how many openings a preview tells.
const upcoming = 5

func (s *Schedules) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

// plan is when a schedule opens. The field is the one that is wrong.
func plan(v pratique.Schedule) (p calendar.Plan, field string, err error) {
	p.Every = v.EveryDays
	for _, name := range v.Weekdays {
		day, err := calendar.ParseWeekday(name)
		if err != nil {
			return p, "weekdays", err
		}
		p.Weekdays = append(p.Weekdays, day)
	}
	if v.EveryDays > 0 && v.FirstDay != "" {
		if p.First, err = calendar.ParseDay(v.FirstDay); err != nil {
			return p, "firstDay", err
		}
	}
	if p.Start, err = calendar.ParseTimeOfDay(v.Start); err != nil {
		return p, "start", err
	}
	if v.End != "" {
		end, err := calendar.ParseTimeOfDay(v.End)
		if err != nil {
			return p, "end", err
		}
		p.End = &end
	}
	if p.Zone, err = calendar.LoadZone(v.Zone); err != nil {
		return p, "zone", err
	}
	field, err = p.Validate()
	return p, field, err
}

// maxName of a schedule, in bytes.
const maxName = 128

// Check says what is wrong with a schedule, and in which field.
func (s *Schedules) Check(v pratique.Schedule) (field string, err error) {
	if name := strings.TrimSpace(v.Name); name == "" || len(name) > maxName || name != v.Name {
		return "name", pratique.Errorf(pratique.CodeInvalid, "a schedule needs a name of at most %d bytes, without blanks around it", maxName).WithRemedy("give it another name")
	}
	switch v.Kind {
	case pratique.ImagesRepository, pratique.ImagesLocal:
	default:
		return "kind", pratique.Errorf(pratique.CodeInvalid, "%.20q is no kind of images", string(v.Kind)).WithRemedy("choose repository or local")
	}
	if _, field, err := plan(v); err != nil {
		return field, err
	}
	if _, err := scopeOf(wishOf(v)); err != nil {
		return "scope", err
	}
	if _, err := categories(v.Categories); err != nil {
		return "categories", err
	}
	return "timeoutSeconds", checkTimeout(v.Timeout)
}

// wishOf is what a run of a schedule asks for. Its kind says where the images are.
func wishOf(v pratique.Schedule) pratique.ScanWish {
	v.Filter.Source = pratique.SourceRegistry
	if v.Kind == pratique.ImagesLocal {
		v.Filter.Source = pratique.SourceLocal
	}
	return pratique.ScanWish{Kind: pratique.TaskSchedule, Creator: v.Name, Categories: v.Categories, Scope: v.Scope, Filter: v.Filter, Timeout: v.Timeout}
}

// List is all of them by name, each with its newest run and its next opening.
func (s *Schedules) List(ctx context.Context) ([]pratique.Schedule, error) {
	all, err := s.Store.Schedules(ctx)
	for i := range all {
		all[i] = s.withNext(all[i])
	}
	return all, err
}

// Get is one of them.
func (s *Schedules) Get(ctx context.Context, id int64) (pratique.Schedule, error) {
	v, err := s.Store.Schedule(ctx, id)
	return s.withNext(v), err
}

func (s *Schedules) withNext(v pratique.Schedule) pratique.Schedule {
	if !v.Enabled {
		return v
	}
	if p, _, err := plan(v); err == nil { // one that was kept is valid, unless its zone is gone
		next := p.Next(s.now()).Opens.UTC()
		v.Next = &next
	}
	return v
}

// Create keeps a new one. Its cycle begins today, unless it says when.
func (s *Schedules) Create(ctx context.Context, v pratique.Schedule) (pratique.Schedule, error) {
	if _, err := s.Check(v); err != nil {
		return v, err
	}
	v, err := s.Store.CreateSchedule(ctx, s.anchored(v))
	return s.withNext(v), err
}

// anchored is a schedule whose cycle has a day to be counted from.
func (s *Schedules) anchored(v pratique.Schedule) pratique.Schedule {
	if v.EveryDays == 0 {
		v.FirstDay = ""
	} else if p, _, err := plan(v); err == nil && v.FirstDay == "" {
		v.FirstDay = calendar.DayOf(s.now().In(p.Zone)).String()
	}
	return v
}

// Update changes one. A run that has not ended goes on as it began.
func (s *Schedules) Update(ctx context.Context, v pratique.Schedule) (pratique.Schedule, error) {
	if _, err := s.Check(v); err != nil {
		return v, err
	}
	before, err := s.Store.Schedule(ctx, v.ID)
	if err != nil {
		return v, err
	}
	if v.FirstDay == "" && v.EveryDays == before.EveryDays {
		v.FirstDay = before.FirstDay
	}
	v = s.anchored(v)
	same := v.EveryDays == before.EveryDays && slices.Equal(v.Weekdays, before.Weekdays) && v.FirstDay == before.FirstDay && v.Start == before.Start && v.End == before.End && v.Zone == before.Zone
	v, err = s.Store.UpdateSchedule(ctx, v, !same || v.Enabled && !before.Enabled)
	return s.withNext(v), err
}

// Enable switches one on or off. A run that has not ended goes on.
func (s *Schedules) Enable(ctx context.Context, id int64, on bool, by string) (pratique.Schedule, error) {
	v, err := s.Store.Schedule(ctx, id)
	if err != nil {
		return v, err
	}
	rearm := on && !v.Enabled
	v.Enabled, v.By = on, by
	v, err = s.Store.UpdateSchedule(ctx, v, rearm)
	return s.withNext(v), err
}

// Delete removes one. What it has waiting leaves the queue; what is being scanned
// is finished, and its tasks stay.
func (s *Schedules) Delete(ctx context.Context, id int64) error {
	v, err := s.Store.Schedule(ctx, id)
	if err != nil {
		return err
	}
	if v.Last != nil && v.Last.Ended == nil {
		if err := s.putBack(ctx, *v.Last); err != nil {
			return err
		}
	}
	return s.Store.DeleteSchedule(ctx, id)
}

// Runs lists the runs of one, newest first.
func (s *Schedules) Runs(ctx context.Context, id int64, r pratique.PageRequest) (pratique.Page[pratique.ScheduleRun], error) {
	return s.Store.ScheduleRuns(ctx, id, r)
}

// Preview tells what the next run of a schedule would do, kept or not. Nothing is
// changed.
func (s *Schedules) Preview(ctx context.Context, v pratique.Schedule) (p pratique.SchedulePreview, err error) {
	if _, err := s.Check(v); err != nil {
		return p, err
	}
	times, _, err := plan(s.anchored(v))
	if err != nil {
		return p, err
	}
	next := times.Next(s.now())
	p.Closes = next.Closes.UTC()
	for range upcoming {
		p.Opens = append(p.Opens, next.Opens.UTC())
		next = times.Next(next.Opens)
	}
	wish := wishOf(v)
	filter, err := scopeOf(wish)
	if err != nil {
		return p, err
	}
	if p.Scans, err = s.Tasks.Preview(ctx, wish); err != nil {
		return p, err
	}
	if p.Quota, err = s.Store.QuotaNeed(ctx, filter); err != nil || v.ID == 0 {
		return p, err
	}
	images, _, err := s.Tasks.Store.Selection(ctx, filter)
	if err != nil {
		return p, err
	}
	all := make([]pratique.Digest, len(images))
	for i, image := range images {
		all[i] = image.ImageID
	}
	_, p.Rest, err = s.restFirst(ctx, v.ID, all)
	return p, err
}

// RunNow starts a run that the clock did not ask for. What it does not get to
// before the next window opens goes on with that window's run.
func (s *Schedules) RunNow(ctx context.Context, id int64, by string) (run pratique.ScheduleRun, err error) {
	v, err := s.Store.Schedule(ctx, id)
	if err != nil {
		return run, err
	}
	times, _, err := plan(v)
	if err != nil {
		return run, err
	}
	now := s.now()
	if run, err = s.Store.BeginRun(ctx, id, now, times.Next(now).Opens, by); err != nil {
		return run, err
	}
	if err := s.start(ctx, v, run, true); err != nil {
		return run, err
	}
	if v, err = s.Store.Schedule(ctx, id); err != nil || v.Last == nil {
		return run, err
	}
	return *v.Last, nil
}

// Wanted returns a job for each schedule about which something is due.
func (s *Schedules) Wanted(ctx context.Context) (jobs []Job, err error) {
	all, err := s.Store.Schedules(ctx)
	if err != nil {
		return nil, err
	}
	now := s.now()
	for _, v := range all {
		wanted := false
		if run := v.Last; run != nil && run.Ended == nil {
			wanted = !run.Begun || over(*run, now)
		} else if _, wanted, err = s.due(ctx, v, now); err != nil {
			return nil, err
		}
		if wanted {
			jobs = append(jobs, Job{Args: ScheduleArgs{ScheduleID: v.ID}, Lane: LaneSchedule})
		}
	}
	return jobs, nil
}

// over tells whether a run has to be ended: it closed, or all of its images are
// done.
func over(run pratique.ScheduleRun, now time.Time) bool {
	return !now.Before(run.Closes) || run.Task == nil || run.Task.Ended != nil
}

// due is the window that is open and has had no run.
func (s *Schedules) due(ctx context.Context, v pratique.Schedule, now time.Time) (w calendar.Window, due bool, err error) {
	if !v.Enabled {
		return w, false, nil
	}
	times, _, err := plan(v)
	if err != nil {
		s.Log.Error("a schedule cannot be understood", "schedule", v.Name, "error", err)
		return w, false, nil // the others go on
	}
	w, open := times.At(now)
	if !open || w.Opens.Before(v.Armed) {
		return w, false, nil
	}
	opened, err := s.Store.OpenedBetween(ctx, v.ID, w.Opens, w.Closes)
	return w, !opened, err
}

// startTries is how often one job tries to start a run.
const startTries = 5

// Run does what is due about a schedule.
func (s *Schedules) Run(ctx context.Context, args ScheduleArgs, attempt Attempt) error {
	v, err := s.Store.Schedule(ctx, args.ScheduleID)
	if pratique.CodeOf(err) == pratique.CodeNotFound {
		return nil
	}
	if err != nil {
		return err
	}
	last := attempt.Number >= startTries
	if run := v.Last; run != nil && run.Ended == nil {
		if ended, err := s.tend(ctx, v, *run, last); err != nil || !ended {
			return err
		}
	}
	w, due, err := s.due(ctx, v, s.now())
	if err != nil || !due {
		return err
	}
	run, err := s.Store.BeginRun(ctx, v.ID, w.Opens, w.Closes, BySchedule)
	if pratique.CodeOf(err) == pratique.CodeConflict {
		return nil // another server has it
	}
	if err != nil {
		return err
	}
	return s.start(ctx, v, run, last)
}

// tend looks after a run that has not ended, and tells whether it has now.
func (s *Schedules) tend(ctx context.Context, v pratique.Schedule, run pratique.ScheduleRun, last bool) (ended bool, err error) {
	now := s.now()
	switch {
	case run.Begun && over(run, now):
		return true, s.end(ctx, run)
	case run.Begun:
		return false, nil
	case now.Before(run.Closes): // whoever began it died
		return false, s.start(ctx, v, run, last)
	}
	why := pratique.Errorf(pratique.CodeInternal, "the window closed before the run could start").WithRemedy("look into the service's log; the next run starts by itself")
	return true, s.Store.EndRun(ctx, run.ID, pratique.ScheduleError, why)
}

// start makes the task of a run. An error that may pass is returned, and the run
// stays to be started, unless this is the last try.
func (s *Schedules) start(ctx context.Context, v pratique.Schedule, run pratique.ScheduleRun, last bool) error {
	err := s.startTask(ctx, v, run)
	switch pratique.CodeOf(err) {
	case "", pratique.CodeConflict: // another server started it
		return nil
	case pratique.CodeQuota:
		return s.Store.EndRun(ctx, run.ID, pratique.ScheduleInsufficient, told(err))
	case pratique.CodeUnreachable, pratique.CodeInternal, pratique.CodeCancelled:
		if !last || ctx.Err() != nil {
			return err
		}
	}
	s.Log.Error("a schedule's run cannot start", "schedule", v.Name, "error", err)
	return s.Store.EndRun(ctx, run.ID, pratique.ScheduleError, told(err))
}

func (s *Schedules) startTask(ctx context.Context, v pratique.Schedule, run pratique.ScheduleRun) error {
	request, _, err := s.Tasks.resolve(ctx, wishOf(v))
	if err != nil {
		return err
	}
	if len(request.ImageIDs) == 0 {
		return s.Store.EndRun(ctx, run.ID, pratique.ScheduleNothing, nil)
	}
	if request.ImageIDs, _, err = s.restFirst(ctx, v.ID, request.ImageIDs); err != nil {
		return err
	}
	task, _, err := s.Store.StartRun(ctx, run.ID, request)
	if err != nil {
		return err
	}
	s.Log.Info("a schedule runs", "schedule", v.Name, "task", task.ID, "images", task.Total, "closes", run.Closes)
	return s.Tasks.enqueue(ctx, request.ImageIDs, LaneSchedule)
}

// restFirst puts what was put back before the others, and says how many those are.
// What is no longer in scope is not wanted any more.
func (s *Schedules) restFirst(ctx context.Context, id int64, images []pratique.Digest) ([]pratique.Digest, int, error) {
	rest, err := s.Store.ScheduleRest(ctx, id)
	if err != nil || len(rest) == 0 {
		return images, 0, err
	}
	wanted := make(map[pratique.Digest]bool, len(images))
	for _, d := range images {
		wanted[d] = true
	}
	rest = slices.DeleteFunc(rest, func(d pratique.Digest) bool { return !wanted[d] })
	for _, d := range rest {
		delete(wanted, d)
	}
	return append(slices.Clone(rest), slices.DeleteFunc(images, func(d pratique.Digest) bool { return !wanted[d] })...), len(rest), nil
}

// end ends a run: what waits is put back, and those being scanned are finished.
func (s *Schedules) end(ctx context.Context, run pratique.ScheduleRun) error {
	if err := s.putBack(ctx, run); err != nil {
		return err
	}
	if task := run.Task; task != nil && task.Unlicensed > 0 {
		why := pratique.Errorf(pratique.CodeQuota, "%d of %d images had no licence and were left out", task.Unlicensed, task.Unlicensed+task.Total).WithRemedy("license them, or let an administrator raise the total")
		return s.Store.EndRun(ctx, run.ID, pratique.ScheduleInsufficient, why)
	}
	return s.Store.EndRun(ctx, run.ID, pratique.ScheduleSuccess, nil)
}

func (s *Schedules) putBack(ctx context.Context, run pratique.ScheduleRun) error {
	images, err := s.Store.PutBack(ctx, run.ID)
	if err != nil || len(images) == 0 {
		return err
	}
	s.Log.Info("a schedule's window closed, and what waits goes on in the next one", "run", run.ID, "images", len(images))
	jobs := make([]Args, len(images))
	for i, id := range images {
		jobs[i] = ScanArgs{ImageID: id}
	}
	_, err = s.Jobs.Cancel(ctx, jobs...)
	return err
}
