package api

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/pratique/pratique"
)

// Schedules are wishes for scans that the clock makes.
type Schedules interface {
	ScheduleReader
	ScheduleWriter
	ScheduleRunner
}

// ScheduleReader shows them; CodeNotFound for what is not.
type ScheduleReader interface {
	List(ctx context.Context) ([]pratique.Schedule, error)
	Get(ctx context.Context, id int64) (pratique.Schedule, error)
	Runs(ctx context.Context, id int64, r pratique.PageRequest) (pratique.Page[pratique.ScheduleRun], error)
	// Preview tells what the next run would do, of a schedule that need not be kept.
	Preview(ctx context.Context, v pratique.Schedule) (pratique.SchedulePreview, error)
}

// ScheduleWriter changes them. A name that is taken is CodeConflict.
type ScheduleWriter interface {
	// Check says what is wrong with one, and in which field.
	Check(v pratique.Schedule) (field string, err error)
	Create(ctx context.Context, v pratique.Schedule) (pratique.Schedule, error)
	Update(ctx context.Context, v pratique.Schedule) (pratique.Schedule, error)
	Enable(ctx context.Context, id int64, on bool, by string) (pratique.Schedule, error)
	Delete(ctx context.Context, id int64) error
}

// ScheduleRunner starts one now.
type ScheduleRunner interface {
	RunNow(ctx context.Context, id int64, by string) (pratique.ScheduleRun, error)
}

// ScheduleSettings are what people fill in.
type ScheduleSettings struct {
	Name           string               `json:"name" minLength:"1" maxLength:"128"`
	Kind           pratique.ImageKind   `json:"kind,omitempty" enum:"repository,local" default:"repository"`
	Enabled        bool                 `json:"enabled"`
	EveryDays      int                  `json:"everyDays,omitempty" minimum:"0" maximum:"366" doc:"The cycle in days; 0 when weekdays choose" example:"7"`
	Weekdays       []string             `json:"weekdays,omitempty" maxItems:"7" enum:"mon,tue,wed,thu,fri,sat,sun"`
	FirstDay       string               `json:"firstDay,omitempty" maxLength:"10" doc:"A day of the cycle, YYYY-MM-DD; empty is the day on which it is made"`
	Start          string               `json:"start" maxLength:"5" doc:"HH:MM in the zone. A time that a day does not have is when the clock jumps over it; of one that it has twice, the first" example:"01:00"`
	End            string               `json:"end,omitempty" maxLength:"5" doc:"HH:MM; not later than the start: on the next day; empty: until the next opening" example:"05:00"`
	Zone           string               `json:"zone" maxLength:"64" doc:"IANA" example:"Europe/Berlin"`
	Categories     []pratique.Category  `json:"categories" minItems:"1" maxItems:"4"`
	Scope          pratique.Scope       `json:"scope" enum:"recommended,all,specified" doc:"Looked at when a run starts"`
	Filter         pratique.AssetFilter `json:"filter,omitzero" doc:"Narrows the scope, as for the list of images; exclude takes rows out"`
	TimeoutSeconds int                  `json:"timeoutSeconds,omitempty" minimum:"0" maximum:"86400" doc:"For each image; 0 is the default of the settings"`
}

func (v ScheduleSettings) record(id int64, by string) pratique.Schedule {
	return pratique.Schedule{
		ID: id, Name: v.Name, Kind: v.Kind, Enabled: v.Enabled, EveryDays: v.EveryDays, Weekdays: v.Weekdays, FirstDay: v.FirstDay, Start: v.Start, End: v.End, Zone: v.Zone,
		Categories: v.Categories, Scope: v.Scope, Filter: v.Filter, Timeout: time.Duration(v.TimeoutSeconds) * time.Second, By: by,
	}
}

// Schedule is one with its state.
type Schedule struct {
	ID int64 `json:"id"`
	ScheduleSettings
	By      string       `json:"by" doc:"Who changed it last"`
	Created time.Time    `json:"created"`
	Updated time.Time    `json:"updated"`
	Rest    int          `json:"rest" doc:"Contents that were put back when the last window closed; they go first in the next run"`
	Last    *ScheduleRun `json:"last,omitempty" doc:"The newest run"`
	Next    *time.Time   `json:"next,omitempty" doc:"When it opens next; missing while it is off"`
}

func shownSchedule(v pratique.Schedule) Schedule {
	out := Schedule{
		ID: v.ID, By: v.By, Created: v.Created, Updated: v.Updated, Rest: v.Rest, Next: v.Next,
		ScheduleSettings: ScheduleSettings{
			Name: v.Name, Kind: v.Kind, Enabled: v.Enabled, EveryDays: v.EveryDays, Weekdays: v.Weekdays, FirstDay: v.FirstDay, Start: v.Start, End: v.End, Zone: v.Zone,
			Categories: v.Categories, Scope: v.Scope, Filter: v.Filter, TimeoutSeconds: int(v.Timeout / time.Second),
		},
	}
	if v.Last != nil {
		run := shownRun(*v.Last)
		out.Last = &run
	}
	return out
}

// ScheduleRun is one opening, or a run that somebody asked for.
type ScheduleRun struct {
	ID      int64                   `json:"id"`
	Opens   time.Time               `json:"opens" doc:"When it was due"`
	Closes  time.Time               `json:"closes" doc:"What waits then is put back"`
	By      string                  `json:"by" doc:"schedule, or who asked"`
	Started time.Time               `json:"started"`
	Ended   *time.Time              `json:"ended,omitempty" doc:"When its images were done, or when it closed: those being scanned then are finished"`
	Result  pratique.ScheduleResult `json:"result,omitempty" enum:"success,nothing_to_scan,insufficient_quota,error" doc:"Missing while it runs"`
	Error   *pratique.Error         `json:"error,omitempty"`
	PutBack int                     `json:"putBack" doc:"Contents that go on in the next run"`
	Task    *RunTask                `json:"task,omitempty" doc:"Missing when there was nothing to do"`
}

// RunTask is the task of a run.
type RunTask struct {
	ID         int64      `json:"id"`
	Ended      *time.Time `json:"ended,omitempty"`
	Total      int        `json:"total" doc:"Contents, without those that were put back"`
	Scanned    int        `json:"scanned"`
	Failed     int        `json:"failed"`
	Cancelled  int        `json:"cancelled"`
	AtRisk     int        `json:"atRisk"`
	Unlicensed int        `json:"unlicensed" doc:"Left out, because the quota does not cover them"`
}

func shownRun(r pratique.ScheduleRun) ScheduleRun {
	out := ScheduleRun{ID: r.ID, Opens: r.Opens, Closes: r.Closes, By: r.By, Started: r.Started, Ended: r.Ended, Result: r.Result, Error: r.Error, PutBack: r.PutBack}
	if t := r.Task; t != nil {
		out.Task = &RunTask{ID: t.ID, Ended: t.Ended, Total: t.Total, Scanned: t.Scanned, Failed: t.Failed, Cancelled: t.Cancelled, AtRisk: t.AtRisk, Unlicensed: t.Unlicensed}
	}
	return out
}

// SchedulePreview is what the next run would do if it started now.
type SchedulePreview struct {
	Opens           []time.Time         `json:"opens" doc:"The next openings"`
	Closes          time.Time           `json:"closes" doc:"When the first of them closes"`
	Rest            int                 `json:"rest" doc:"Contents that were put back and are still in scope"`
	Rows            int                 `json:"rows" doc:"Of the list of images"`
	Images          int                 `json:"images" doc:"Distinct contents: as many scans"`
	Joining         int                 `json:"joining" doc:"Of these: being scanned or waiting already"`
	Unread          int                 `json:"unread" doc:"Rows whose content is not known yet"`
	EstimateSeconds *int                `json:"estimateSeconds,omitempty" doc:"Missing when nobody works on scans"`
	Items           []pratique.AssetRow `json:"items" doc:"The first of them"`
	Quota           pratique.QuotaNeed  `json:"quota"`
}

func shownPreview(p pratique.SchedulePreview) SchedulePreview {
	out := SchedulePreview{Opens: p.Opens, Closes: p.Closes, Rest: p.Rest, Rows: p.Scans.Rows, Images: p.Scans.Images, Joining: p.Scans.Joining, Unread: p.Scans.Unread, Items: p.Scans.Items, Quota: p.Quota}
	if e := p.Scans.Estimate; e != nil {
		seconds := int(*e / time.Second)
		out.EstimateSeconds = &seconds
	}
	return out
}

func (s *server) scheduleOperations() {
	if s.Schedules == nil {
		return
	}
	s.scheduleReading()
	s.scheduleWriting()
	handle(s, operation{id: "runSchedule", method: http.MethodPost, path: "/schedules/{id}/run", tag: "schedules", right: RightScan, status: http.StatusCreated,
		summary: "Start a run now", detail: "It need not be on. 409 while a run has not ended. What it does not get to before the next window opens goes on with that window's run."},
		func(ctx context.Context, in *RowID) (*body[ScheduleRun], error) {
			v, err := s.Schedules.Get(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			run, err := s.Schedules.RunNow(ctx, in.ID, exchangeOf(ctx).user)
			if err != nil {
				return nil, err
			}
			s.did(ctx, "schedule.run", v.Name, string(run.Result))
			return &body[ScheduleRun]{shownRun(run)}, nil
		})
}

type runsInput struct {
	Paging
	RowID
}

func (in *runsInput) filter() (int64, error) { return in.ID, nil }

func (s *server) scheduleReading() {
	handle(s, operation{id: "listSchedules", method: http.MethodGet, path: "/schedules", tag: "schedules", right: RightRead,
		summary: "All schedules by name, each with its last run and its next opening"},
		func(ctx context.Context, _ *struct{}) (*body[pratique.Page[Schedule]], error) {
			all, err := s.Schedules.List(ctx)
			page := pratique.Page[Schedule]{Items: []Schedule{}, Total: len(all)}
			for _, v := range all {
				page.Items = append(page.Items, shownSchedule(v))
			}
			return &body[pratique.Page[Schedule]]{page}, err
		})
	handle(s, operation{id: "getSchedule", method: http.MethodGet, path: "/schedules/{id}", tag: "schedules", right: RightRead, summary: "One schedule"},
		func(ctx context.Context, in *RowID) (*body[Schedule], error) {
			v, err := s.Schedules.Get(ctx, in.ID)
			return &body[Schedule]{shownSchedule(v)}, err
		})
	list[runsInput](s, listing[int64, ScheduleRun]{
		operation: operation{id: "listScheduleRuns", path: "/schedules/{id}/runs", tag: "schedules", right: RightRead, summary: "The runs of a schedule, newest first"},
		fetch: func(ctx context.Context, id int64, r pratique.PageRequest) (page pratique.Page[ScheduleRun], err error) {
			if _, err := s.Schedules.Get(ctx, id); err != nil {
				return page, err
			}
			runs, err := s.Schedules.Runs(ctx, id, r)
			page.Next, page.Total = runs.Next, runs.Total
			for _, run := range runs.Items {
				page.Items = append(page.Items, shownRun(run))
			}
			return page, err
		},
	})
	handle(s, operation{id: "previewSchedule", method: http.MethodGet, path: "/schedules/{id}/preview", tag: "schedules", right: RightRead,
		summary: "What the next run would do if it started now", detail: "Nothing is changed."},
		func(ctx context.Context, in *RowID) (*body[SchedulePreview], error) {
			v, err := s.Schedules.Get(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			p, err := s.Schedules.Preview(ctx, v)
			return &body[SchedulePreview]{shownPreview(p)}, err
		})
	handle(s, operation{id: "previewScheduleSettings", method: http.MethodPost, path: "/schedules/preview", tag: "schedules", right: RightRead,
		summary: "What a schedule would do, before it is kept"},
		func(ctx context.Context, in *struct{ Body ScheduleSettings }) (*body[SchedulePreview], error) {
			v := in.Body.record(0, "")
			if err := s.checkSchedule(v); err != nil {
				return nil, err
			}
			p, err := s.Schedules.Preview(ctx, v)
			return &body[SchedulePreview]{shownPreview(p)}, err
		})
}

// checkSchedule tells a fault at its field.
func (s *server) checkSchedule(v pratique.Schedule) error {
	if field, err := s.Schedules.Check(v); err != nil {
		return fieldProblem("body."+field, err)
	}
	return nil
}

type createdSchedule struct {
	Location string `header:"Location"`
	Body     Schedule
}

func (s *server) scheduleWriting() {
	handle(s, operation{id: "createSchedule", method: http.MethodPost, path: "/schedules", tag: "schedules", right: RightScan, status: http.StatusCreated,
		summary: "Add a schedule", detail: "An opening that is past when it is made does not count."},
		func(ctx context.Context, in *struct{ Body ScheduleSettings }) (*createdSchedule, error) {
			v := in.Body.record(0, exchangeOf(ctx).user)
			if err := s.checkSchedule(v); err != nil {
				return nil, err
			}
			made, err := s.Schedules.Create(ctx, v)
			if err != nil {
				return nil, nameProblem(err)
			}
			s.did(ctx, "schedule.create", made.Name, when(made))
			return &createdSchedule{Location: basePath + "/schedules/" + strconv.FormatInt(made.ID, 10), Body: shownSchedule(made)}, nil
		})
	handle(s, operation{id: "updateSchedule", method: http.MethodPut, path: "/schedules/{id}", tag: "schedules", right: RightScan,
		summary: "Change a schedule", detail: "A run that has not ended goes on as it began."},
		func(ctx context.Context, in *struct {
			RowID
			Body ScheduleSettings
		}) (*body[Schedule], error) {
			v := in.Body.record(in.ID, exchangeOf(ctx).user)
			if err := s.checkSchedule(v); err != nil {
				return nil, err
			}
			v, err := s.Schedules.Update(ctx, v)
			if err != nil {
				return nil, nameProblem(err)
			}
			s.did(ctx, "schedule.update", v.Name, when(v))
			return &body[Schedule]{shownSchedule(v)}, nil
		})
	for _, on := range []bool{true, false} {
		verb, word := "disable", "off"
		if on {
			verb, word = "enable", "on"
		}
		handle(s, operation{id: verb + "Schedule", method: http.MethodPost, path: "/schedules/{id}/" + verb, tag: "schedules", right: RightScan,
			summary: "Switch a schedule " + word, detail: "A run that has not ended goes on."},
			func(ctx context.Context, in *RowID) (*body[Schedule], error) {
				v, err := s.Schedules.Enable(ctx, in.ID, on, exchangeOf(ctx).user)
				if err != nil {
					return nil, err
				}
				s.did(ctx, "schedule."+verb, v.Name, "")
				return &body[Schedule]{shownSchedule(v)}, nil
			})
	}
	handle(s, operation{id: "deleteSchedule", method: http.MethodDelete, path: "/schedules/{id}", tag: "schedules", right: RightScan, status: http.StatusNoContent,
		summary: "Remove a schedule with the history of its runs", detail: "What it has waiting leaves the queue; what is being scanned is finished; its tasks stay."},
		func(ctx context.Context, in *RowID) (*struct{}, error) {
			v, err := s.Schedules.Get(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			if err := s.Schedules.Delete(ctx, in.ID); err != nil {
				return nil, err
			}
			s.did(ctx, "schedule.delete", v.Name, "")
			return nil, nil
		})
}

// when says for the audit log when a schedule runs.
func when(v pratique.Schedule) string {
	days := fmt.Sprintf("every %d days", v.EveryDays)
	if v.EveryDays == 0 {
		days = fmt.Sprint(v.Weekdays)
	}
	state := "off"
	if v.Enabled {
		state = "on"
	}
	return fmt.Sprintf("%s, %s, %s-%s %s, %s", state, days, v.Start, v.End, v.Zone, v.Scope)
}
