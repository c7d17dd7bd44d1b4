package queue

import (
	"time"

	"github.com/riverqueue/river"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/scan"
)

// early is more than River is ahead of the time that it was told: 100 ms.
const early = 200 * time.Millisecond

// Periodic is a job that the clock asks for. One process at a time, River's
// leader, puts it into the queue.
type Periodic struct {
	// Next is when it is due after t.
	Next func(t time.Time) time.Time
	// Job is what is due at t, or nil for nothing. It is asked as well
	// whenever a leader is elected, so that what was due while nobody ran is not
	// missed: then start is true.
	Job func(t time.Time, start bool) *scan.Job
}

// Daily is a window of every day: it opens and closes at times of day in a zone.
// When it closes before it opens, it closes on the next day. When summer
// time begins or ends, times that do not exist on that day are an hour off, and
// the window may be an hour shorter or longer; it opens once in any case.
type Daily struct {
	Opens  time.Duration // after midnight, by the clock on the wall
	Closes time.Duration
	Zone   *time.Location // nil is UTC
}

// Validate says what is wrong with a window.
func (d Daily) Validate() error {
	for _, t := range []time.Duration{d.Opens, d.Closes} {
		if t < 0 || t >= 24*time.Hour {
			return pratique.Errorf(pratique.CodeInvalid, "a time of day lies between 00:00 and 23:59, and this is %s", t)
		}
	}
	if d.Opens == d.Closes {
		return pratique.Errorf(pratique.CodeInvalid, "a window that closes when it opens is never open").
			WithRemedy("give it two different times, such as 00:00 and 03:00")
	}
	return nil
}

// on is the window that opens on the day of t.
func (d Daily) on(t time.Time, days int) (opens, closes time.Time) {
	zone := d.Zone
	if zone == nil {
		zone = time.UTC
	}
	t = t.In(zone)
	at := func(days int, of time.Duration) time.Time {
		return time.Date(t.Year(), t.Month(), t.Day()+days, int(of/time.Hour), int(of%time.Hour/time.Minute), int(of%time.Minute/time.Second), 0, zone)
	}
	opens, closes = at(days, d.Opens), at(days, d.Closes)
	if d.Closes < d.Opens {
		closes = at(days+1, d.Closes)
	}
	if !closes.After(opens) { // the clock jumped over all of it
		closes = opens.Add(d.Closes - d.Opens)
	}
	return opens, closes
}

// Next is when the window opens after t.
func (d Daily) Next(t time.Time) time.Time {
	for days := 0; ; days++ {
		if opens, _ := d.on(t, days); opens.After(t) {
			return opens
		}
	}
}

// Open says whether the window is open at t, and from when to when.
func (d Daily) Open(t time.Time) (opens, closes time.Time, open bool) {
	for _, days := range []int{-1, 0} {
		opens, closes = d.on(t, days)
		if !t.Before(opens) && t.Before(closes) {
			return opens, closes, true
		}
	}
	return time.Time{}, time.Time{}, false
}

// SyncWindow asks for a [scan.WindowArgs] when the window opens, or as soon as
// somebody runs while it is open: once for each opening.
func SyncWindow(d Daily) Periodic {
	return Periodic{
		Next: d.Next,
		Job: func(t time.Time, _ bool) *scan.Job {
			opens, closes, open := d.Open(t.Add(early))
			if !open {
				return nil
			}
			return &scan.Job{Args: scan.WindowArgs{Opens: opens.UTC(), Closes: closes.UTC()}, Lane: scan.LaneSchedule}
		},
	}
}

// Every asks for a job at an interval, and when a leader is elected if atStart.
func Every(interval time.Duration, atStart bool, job scan.Job) Periodic {
	return Periodic{
		Next: func(t time.Time) time.Time { return t.Add(interval) },
		Job: func(_ time.Time, start bool) *scan.Job {
			if start && !atStart {
				return nil
			}
			return &job
		},
	}
}

// schedule is a function as River's interface.
type schedule func(time.Time) time.Time

func (s schedule) Next(t time.Time) time.Time { return s(t) }

func (p Periodic) river(w *work) *river.PeriodicJob {
	var due time.Time // as River was told last
	next := schedule(func(t time.Time) time.Time {
		due = p.Next(t)
		return due
	})
	construct := func() (river.JobArgs, *river.InsertOpts) {
		now := w.clock()
		job := p.Job(now, now.Before(due.Add(-early)))
		if job == nil {
			return nil, nil
		}
		opts, err := options(*job)
		if err != nil {
			w.log.Error("a periodic job cannot be put into the queue", "kind", job.Args.Kind(), "error", err)
			return nil, nil
		}
		return job.Args, opts
	}
	return river.NewPeriodicJob(next, construct, &river.PeriodicJobOpts{RunOnStart: true})
}
