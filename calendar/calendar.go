// Package calendar tells when a recurring window of time opens and closes: every
// day, every fifteenth day, on Tuesdays and Saturdays, from 22:30 until 04:00, by
// the clock on the wall of some time zone.
//
// Clocks on walls jump. Twice a year in half of the world, a time of day does not
// exist or exists twice, and countries change their minds about it. The rule
// here is one sentence: a window opens, and closes, at the first moment at which
// the clock shows its time or a later one. So a start that does not exist on a day
// is the moment of the jump, one that exists twice is the first of the two, and
// each day has exactly one opening.
//
// Nothing in here asks what time it is.
package calendar

import (
	"slices"
	"time"

	"github.com/pratique/pratique"
)

// MaxEvery bounds the cycle, in days.
const MaxEvery = 366

// Plan is when windows open. The zero value is not valid; see [Plan.Validate].
type Plan struct {
	// Every is the cycle in days, counted from the day First; 0 when Weekdays choose.
	Every    int
	Weekdays []time.Weekday
	// First is a day of the cycle. Its time of day does not matter, and days before
	// it are in the cycle as well.
	First Day
	Start TimeOfDay
	// End is when the window closes: on the next day, when that is not later than
	// Start. nil leaves it open until the next one opens.
	End  *TimeOfDay
	Zone *time.Location // nil is UTC
}

// Window is one opening of a plan.
type Window struct {
	Opens  time.Time
	Closes time.Time // exclusive; always after Opens
}

// Contains tells whether the window is open at t.
func (w Window) Contains(t time.Time) bool { return !t.Before(w.Opens) && t.Before(w.Closes) }

// Validate says what is wrong with a plan, and in which field of a
// [pratique.Schedule].
func (p Plan) Validate() (field string, err error) {
	switch {
	case p.Every == 0 && len(p.Weekdays) == 0:
		return "everyDays", pratique.Errorf(pratique.CodeInvalid, "the schedule has no day on which it runs").WithRemedy("give a number of days, or choose days of the week")
	case p.Every != 0 && len(p.Weekdays) > 0:
		return "weekdays", pratique.Errorf(pratique.CodeInvalid, "a schedule runs every so many days, or on days of the week, not both").WithRemedy("leave one of the two out")
	case p.Every < 0 || p.Every > MaxEvery:
		return "everyDays", pratique.Errorf(pratique.CodeInvalid, "a cycle of %d days", p.Every).WithRemedy("choose 1 to %d days", MaxEvery)
	case slices.ContainsFunc(p.Weekdays, func(d time.Weekday) bool { return d < time.Sunday || d > time.Saturday }):
		return "weekdays", pratique.Errorf(pratique.CodeInvalid, "there are seven days in a week").WithRemedy("choose some of mon, tue, wed, thu, fri, sat, sun")
	case !p.Start.valid():
		return "start", pratique.Errorf(pratique.CodeInvalid, "the start is no time of day").WithRemedy("write it as HH:MM, 00:00 to 23:59")
	case p.End != nil && !p.End.valid():
		return "end", pratique.Errorf(pratique.CodeInvalid, "the end is no time of day").WithRemedy("write it as HH:MM, 00:00 to 23:59")
	case p.End != nil && *p.End == p.Start:
		return "end", pratique.Errorf(pratique.CodeInvalid, "a window that ends when it starts is never open").WithRemedy("give it another end, or none")
	}
	return "", nil
}

// Next is the first window that opens after t.
func (p Plan) Next(t time.Time) Window {
	day, opens := p.after(t)
	_, next := p.after(opens)
	w := Window{opens, next}
	if p.End == nil {
		return w
	}
	last, length := day, time.Duration(*p.End-p.Start)*time.Minute
	if *p.End <= p.Start {
		last, length = day.add(1), length+24*time.Hour
	}
	w.Closes = first(last, *p.End, p.zone())
	if !w.Closes.After(opens) { // the clock jumped over all of it
		w.Closes = opens.Add(length)
	}
	if w.Closes.After(next) { // two windows are never open at once
		w.Closes = next
	}
	return w
}

// after is the first opening after t, and the day that it belongs to.
func (p Plan) after(t time.Time) (day Day, opens time.Time) {
	// Earlier days are looked at as well: where a zone jumps over a whole day, its
	// opening is at the jump, on the day after.
	for day = p.onOrAfter(DayOf(t.In(p.zone())).add(-2)); ; day = p.onOrAfter(day.add(1)) {
		if opens = first(day, p.Start, p.zone()); opens.After(t) {
			return day, opens
		}
	}
}

// At is the window that is open at t, if there is one.
func (p Plan) At(t time.Time) (w Window, open bool) {
	// The last one that opened until t is the only candidate. From a whole cycle
	// before, there is at least one opening on the way.
	span := max(p.Every, 7) + 3
	for w = p.Next(t.AddDate(0, 0, -span)); !w.Opens.After(t); w = p.Next(w.Opens) {
		if w.Contains(t) {
			return w, true
		}
	}
	return Window{}, false
}

func (p Plan) zone() *time.Location {
	if p.Zone == nil {
		return time.UTC
	}
	return p.Zone
}

// onOrAfter is the first day of the plan that is not before d.
func (p Plan) onOrAfter(d Day) Day {
	if p.Every > 0 {
		behind := d.sub(p.First) % p.Every
		if behind < 0 {
			behind += p.Every
		}
		if behind > 0 {
			d = d.add(p.Every - behind)
		}
		return d
	}
	for !slices.Contains(p.Weekdays, d.weekday()) {
		d = d.add(1)
	}
	return d
}

// first is the first moment at which the clock in the zone shows the time of that
// day, or a later one. The zone is walked through from one jump to the next: in
// the first stretch that gets as far, either the time exists or the clock began
// the stretch later than that.
func first(d Day, t TimeOfDay, zone *time.Location) time.Time {
	wall := d.midnight().Add(time.Duration(t) * time.Minute) // as if the zone were UTC
	for at := wall.Add(-48 * time.Hour).In(zone); ; {        // no zone is further from UTC
		begin, end := at.ZoneBounds()
		_, offset := at.Zone()
		moment := wall.Add(-time.Duration(offset) * time.Second)
		switch {
		case !end.IsZero() && !moment.Before(end):
			at = end
		case !begin.IsZero() && moment.Before(begin):
			return begin.In(zone)
		default:
			return moment.In(zone)
		}
	}
}
