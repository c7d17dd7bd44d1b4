package calendar

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := LoadZone(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// zones: summer time in the north, in the south, by half an hour, none, and the
// two ends of the day.
var zones = []string{"Europe/Berlin", "America/New_York", "Australia/Sydney", "America/Santiago", "Australia/Lord_Howe", "Asia/Shanghai", "Asia/Kolkata", "UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"}

// minute is what a clock on the wall shows, minute by minute: the oracle does not
// know about offsets.
func shows(t time.Time) (Day, TimeOfDay) { return DayOf(t), TimeOfDay(t.Hour()*60 + t.Minute()) }

// TestEveryDayOpensOnceAtItsTime walks through a year minute by minute, and opens
// by hand: at the first minute of each day on which the clock shows the start or
// something later.
func TestEveryDayOpensOnceAtItsTime(t *testing.T) {
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, name := range zones {
		t.Run(name, func(t *testing.T) {
			z := zone(t, name)
			starts := []TimeOfDay{0, 30, 60 + 30, 2 * 60, 2*60 + 15, 2*60 + 30, 2*60 + 45, 3 * 60, 12 * 60, 23*60 + 59}
			opened := make([]map[Day]time.Time, len(starts))
			for i := range opened {
				opened[i] = map[Day]time.Time{}
			}
			for at := from; at.Before(from.AddDate(1, 0, 3)); at = at.Add(time.Minute) {
				day, clock := shows(at.In(z))
				for i, start := range starts {
					if _, done := opened[i][day]; !done && clock >= start {
						opened[i][day] = at
					}
				}
			}
			for i, start := range starts {
				p := Plan{Every: 1, Start: start, Zone: z}
				seen := map[Day]int{}
				for w := p.Next(from.AddDate(0, 0, 2)); w.Opens.Before(from.AddDate(1, 0, 0)); w = p.Next(w.Opens) {
					day := DayOf(w.Opens.In(z))
					seen[day]++
					if want := opened[i][day]; !w.Opens.Equal(want) {
						t.Errorf("%s on %s opens at %s, by the wall at %s", start, day, w.Opens, want.In(z))
					}
					if !w.Closes.After(w.Opens) {
						t.Errorf("%s on %s closes before it opens", start, day)
					}
				}
				if len(seen) < 361 || len(seen) > 364 {
					t.Errorf("%s opened on %d days", start, len(seen))
				}
				for day, n := range seen {
					if n != 1 {
						t.Errorf("%s opened %d times on %s", start, n, day)
					}
				}
			}
		})
	}
}

// TestClocksThatJump is the rule in examples.
func TestClocksThatJump(t *testing.T) {
	for _, c := range []struct{ zone, after, start, end, opens, closes string }{
		// 02:00 becomes 03:00.
		{"Europe/Berlin", "2026-03-28T12:00:00Z", "02:30", "04:00", "2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z"},
		{"Europe/Berlin", "2026-03-28T12:00:00Z", "02:15", "02:45", "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"}, // all of it does not exist
		{"Europe/Berlin", "2026-03-28T12:00:00Z", "01:30", "02:30", "2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z"},
		// 03:00 becomes 02:00.
		{"Europe/Berlin", "2026-10-24T12:00:00Z", "02:30", "04:00", "2026-10-25T00:30:00Z", "2026-10-25T03:00:00Z"},
		{"Europe/Berlin", "2026-10-25T00:30:00Z", "02:30", "04:00", "2026-10-26T01:30:00Z", "2026-10-26T03:00:00Z"}, // not again
		{"Europe/Berlin", "2026-10-24T12:00:00Z", "00:00", "03:00", "2026-10-24T22:00:00Z", "2026-10-25T02:00:00Z"}, // an hour longer
		// The south: 02:00 becomes 03:00 in October.
		{"Australia/Sydney", "2026-10-03T00:00:00Z", "02:30", "", "2026-10-03T16:00:00Z", "2026-10-04T15:30:00Z"},
		{"Australia/Sydney", "2026-04-04T12:00:00Z", "02:30", "", "2026-04-04T15:30:00Z", "2026-04-05T16:30:00Z"},
		// Midnight itself does not exist: 24:00 becomes 01:00.
		{"America/Santiago", "2026-09-05T12:00:00Z", "00:00", "02:00", "2026-09-06T04:00:00Z", "2026-09-06T05:00:00Z"},
		// A whole day does not exist: Samoa had no 2011-12-30. Its window opens at the jump.
		{"Pacific/Apia", "2011-12-29T23:00:00Z", "05:00", "06:00", "2011-12-30T10:00:00Z", "2011-12-30T11:00:00Z"},
		// Over midnight.
		{"Asia/Shanghai", "2026-06-01T00:00:00Z", "22:30", "04:00", "2026-06-01T14:30:00Z", "2026-06-01T20:00:00Z"},
	} {
		p := Plan{Every: 1, Zone: zone(t, c.zone)}
		var err error
		if p.Start, err = ParseTimeOfDay(c.start); err != nil {
			t.Fatal(err)
		}
		if c.end != "" {
			end, err := ParseTimeOfDay(c.end)
			if err != nil {
				t.Fatal(err)
			}
			p.End = &end
		}
		w := p.Next(instant(t, c.after))
		if !w.Opens.Equal(instant(t, c.opens)) || !w.Closes.Equal(instant(t, c.closes)) {
			t.Errorf("%s %s-%s after %s: %s until %s, want %s until %s", c.zone, c.start, c.end, c.after, w.Opens.UTC(), w.Closes.UTC(), c.opens, c.closes)
		}
	}
}

func instant(t testing.TB, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// TestPlansHoldTheirPromises: whatever the plan, openings follow each other on its
// days, windows do not overlap, and At finds exactly them.
func TestPlansHoldTheirPromises(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for n := range 400 {
		z := zone(t, zones[random.IntN(len(zones))])
		p := Plan{Start: TimeOfDay(random.IntN(24 * 60)), Zone: z, First: DayOf(time.Date(2026, 1, 1+random.IntN(400), 0, 0, 0, 0, time.UTC))}
		if n%2 == 0 {
			p.Every = []int{1, 2, 7, 15, 30, 366}[random.IntN(6)]
		} else {
			for d := time.Sunday; d <= time.Saturday; d++ {
				if random.IntN(3) == 0 {
					p.Weekdays = append(p.Weekdays, d)
				}
			}
			p.Weekdays = append(p.Weekdays, time.Weekday(random.IntN(7)))
		}
		if n%3 > 0 {
			end := TimeOfDay((int(p.Start) + 1 + random.IntN(24*60-1)) % (24 * 60))
			p.End = &end
		}
		if field, err := p.Validate(); err != nil {
			t.Fatalf("%+v: %s: %v", p, field, err)
		}
		at := time.Date(2026, 1, 1, 0, 0, random.IntN(86400), 0, time.UTC)
		for w, limit := p.Next(at), at.AddDate(1, 1, 0); w.Opens.Before(limit); {
			next := p.Next(w.Opens)
			if err := promises(p, w, next); err != nil {
				t.Fatalf("%+v in %s: %v", p, z, err)
			}
			w = next
		}
	}
}

func promises(p Plan, w, next Window) error {
	inside, gap := w.Opens.Add(time.Duration(rand.Int64N(int64(w.Closes.Sub(w.Opens))))), next.Opens.Sub(w.Closes)
	for _, at := range []time.Time{w.Opens, inside, w.Closes.Add(-time.Nanosecond)} {
		if got, open := p.At(at); !open || !got.Opens.Equal(w.Opens) || !got.Closes.Equal(w.Closes) {
			return fmt.Errorf("at %s the window %v was open, At says %v %v", at, w, got, open)
		}
	}
	switch {
	case gap < 0:
		return fmt.Errorf("%v overlaps with %v", w, next)
	case gap > 0:
		if got, open := p.At(w.Closes.Add(time.Duration(rand.Int64N(int64(gap))))); open {
			return fmt.Errorf("between %v and %v At says %v", w, next, got)
		}
	}
	if got := p.Next(w.Opens.Add(-time.Nanosecond)); !got.Opens.Equal(w.Opens) {
		return fmt.Errorf("a moment before %v the next is %v", w, got)
	}
	if got := p.Next(inside); !got.Opens.Equal(next.Opens) {
		return fmt.Errorf("inside %v the next is %v and not %v", w, got, next)
	}
	a, b := DayOf(w.Opens.In(p.zone())), DayOf(next.Opens.In(p.zone()))
	if p.Every > 0 && b.sub(a) != p.Every {
		return fmt.Errorf("from %s to %s are not %d days", a, b, p.Every)
	}
	if p.Every > 0 && (a.sub(p.First)%p.Every) != 0 {
		return fmt.Errorf("%s is no day of the cycle", a)
	}
	return nil
}

// TestWhatIsNoPlan: each fault is told at its field.
func TestWhatIsNoPlan(t *testing.T) {
	end := TimeOfDay(60)
	late := TimeOfDay(24 * 60)
	for want, p := range map[string]Plan{
		"everyDays": {},
		"weekdays":  {Every: 1, Weekdays: []time.Weekday{1}},
		"start":     {Every: 1, Start: -1},
		"end":       {Every: 1, Start: 60, End: &end},
	} {
		if field, err := p.Validate(); err == nil || field != want {
			t.Errorf("%+v: %q, %v; want %q", p, field, err, want)
		}
	}
	for _, p := range []Plan{{Every: -1}, {Every: MaxEvery + 1}, {Weekdays: []time.Weekday{7}}, {Every: 1, End: &late}, {Every: 1, Start: 24 * 60}} {
		if _, err := p.Validate(); err == nil {
			t.Errorf("%+v is valid", p)
		}
	}
	for _, s := range []string{"", "Local", "Mars/Base", "../../etc/passwd", "/etc/localtime"} {
		if _, err := LoadZone(s); err == nil {
			t.Errorf("zone %q", s)
		}
	}
	for _, s := range []string{"", "24:00", "1:00", "01:60", "01:00:00", "-1:00", "aa:bb"} {
		if got, err := ParseTimeOfDay(s); err == nil {
			t.Errorf("%q is %s", s, got)
		}
	}
	if d, err := ParseWeekday("wed"); err != nil || d != time.Wednesday {
		t.Error(d, err)
	}
	if _, err := ParseWeekday("Wednesday"); err == nil {
		t.Error("Wednesday")
	}
	if d, err := ParseDay("1970-01-10"); err != nil || d != 9 || d.String() != "1970-01-10" {
		t.Error(d, err)
	}
	if _, err := ParseDay("2026-02-30"); err == nil {
		t.Error("2026-02-30")
	}
}
