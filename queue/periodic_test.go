package queue

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/scan"
)

func TestDaily(t *testing.T) {
	zone := func(name string) *time.Location {
		z, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		return z
	}
	at := func(s string) time.Time {
		parsed, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	night := Daily{Opens: 0, Closes: 3 * time.Hour}
	for _, c := range []struct {
		name        string
		window      Daily
		now         string
		next        string
		opens, ends string // "" when it is not open
	}{
		{"before", night, "2026-11-23T23:59:59Z", "2026-11-24T00:00:00Z", "", ""},
		{"at the opening", night, "2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z", "2026-11-24T00:00:00Z", "2026-11-24T03:00:00Z"},
		{"inside", night, "2026-11-24T02:59:59Z", "2026-11-25T00:00:00Z", "2026-11-24T00:00:00Z", "2026-11-24T03:00:00Z"},
		{"at the close", night, "2026-11-24T03:00:00Z", "2026-11-25T00:00:00Z", "", ""},
		{"in Shanghai", Daily{Closes: 3 * time.Hour, Zone: zone("Asia/Shanghai")}, "2026-11-23T16:30:00Z", "2026-11-24T16:00:00Z", "2026-11-23T16:00:00Z", "2026-11-23T19:00:00Z"},
		{"over midnight", Daily{Opens: 22 * time.Hour, Closes: 2 * time.Hour}, "2026-12-31T23:00:00Z", "2027-01-01T22:00:00Z", "2026-12-31T22:00:00Z", "2027-01-01T02:00:00Z"},
		{"after midnight", Daily{Opens: 22 * time.Hour, Closes: 2 * time.Hour}, "2027-01-01T01:59:00Z", "2027-01-01T22:00:00Z", "2026-12-31T22:00:00Z", "2027-01-01T02:00:00Z"},
		{"summer time begins", Daily{Closes: 3 * time.Hour, Zone: zone("Europe/Berlin")}, "2026-03-29T00:30:00Z", "2026-03-29T22:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T01:00:00Z"},
		{"summer time ends", Daily{Closes: 3 * time.Hour, Zone: zone("Europe/Berlin")}, "2026-10-25T01:30:00Z", "2026-10-25T23:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T02:00:00Z"},
	} {
		now := at(c.now)
		if got := c.window.Next(now); !got.Equal(at(c.next)) {
			t.Errorf("%s: opens next at %s, want %s", c.name, got.UTC(), c.next)
		}
		opens, ends, open := c.window.Open(now)
		if open != (c.opens != "") {
			t.Errorf("%s: open is %v", c.name, open)
		} else if open && (!opens.Equal(at(c.opens)) || !ends.Equal(at(c.ends))) {
			t.Errorf("%s: open from %s to %s", c.name, opens.UTC(), ends.UTC())
		}
	}
}

// Through a whole year of hours, every day has one window, in any zone.
func TestDailyOncePerDay(t *testing.T) {
	for _, name := range []string{"UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Kathmandu", "Australia/Lord_Howe"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range []Daily{{Closes: 3 * time.Hour, Zone: zone}, {Opens: 2*time.Hour + 10*time.Minute, Closes: 2*time.Hour + 20*time.Minute, Zone: zone}, {Opens: 23 * time.Hour, Closes: time.Hour, Zone: zone}} {
			if err := d.Validate(); err != nil {
				t.Fatal(err)
			}
			n, now := 0, time.Date(2026, 1, 1, 12, 0, 0, 0, zone)
			for end := now.AddDate(1, 0, 0); ; n++ {
				next := d.Next(now)
				if !next.After(now) {
					t.Fatalf("%s %v: after %s comes %s", name, d, now, next)
				}
				if next.After(end) {
					break
				}
				opens, closes, open := d.Open(next)
				if !open || !opens.Equal(next) || !closes.After(opens) {
					t.Errorf("%s: opens at %s, but is %v from %s to %s", name, next, open, opens, closes)
				}
				now = next
			}
			if n != 365 {
				t.Errorf("%s %v opens %d times in a year", name, d, n)
			}
		}
	}
}

func TestDailyValidate(t *testing.T) {
	for _, d := range []Daily{{}, {Opens: -1, Closes: 1}, {Opens: 24 * time.Hour, Closes: 1}} {
		if err := d.Validate(); pratique.CodeOf(err) != pratique.CodeInvalid {
			t.Errorf("%+v: %v", d, err)
		}
	}
}

// moved is a clock that is somewhere else in time and runs on.
type moved struct{ by time.Duration }

func movedTo(t time.Time) *moved { return &moved{time.Until(t)} }

func (m *moved) Now() time.Time       { return time.Now().Add(m.by) }
func (m *moved) NowOrNil() *time.Time { now := m.Now(); return &now }

func TestWindowOpensOnce(t *testing.T) {
	t.Parallel()
	conformance(t, func(t *testing.T, e *env) {
		var mu sync.Mutex
		var windows []scan.WindowArgs
		feeds := 0
		handlers := Handlers{
			Window: func(_ context.Context, args scan.WindowArgs, _ scan.Attempt) error {
				mu.Lock()
				defer mu.Unlock()
				windows = append(windows, args)
				return nil
			},
			Feed: func(context.Context, scan.FeedArgs, scan.Attempt) error {
				mu.Lock()
				defer mu.Unlock()
				feeds++
				return nil
			},
		}
		count := func() (int, int) { mu.Lock(); defer mu.Unlock(); return len(windows), feeds }
		night := Daily{Closes: 3 * time.Hour}
		// The next midnight: what is done is removed after two days of the real clock,
		// so that a window of long ago could open twice.
		opens := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, 1)
		options := func(clock *moved, atStart bool) Options {
			return Options{Services: 2, Handlers: handlers, now: clock, Grace: time.Second, pace: testPace, Periodic: []Periodic{
				SyncWindow(night), Every(time.Hour, atStart, scan.Job{Args: scan.FeedArgs{}})}}
		}

		first, _ := e.open()
		if err := first.Start(t.Context(), options(movedTo(opens.Add(-3500*time.Millisecond)), false)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if w, f := count(); w != 0 || f != 0 {
			t.Errorf("before it opens: %d windows, %d updates", w, f)
		}
		e.within(10*time.Second, "the window opens", func() bool { w, _ := count(); return w == 1 })
		e.within(3*time.Second, "that is done", func() bool { return e.number("SELECT count(*) FROM river_job WHERE state = 'completed'") == 1 })
		if err := first.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		// The server starts again while the window is open.
		second, _ := e.open()
		e.start(second, options(movedTo(opens.Add(time.Hour)), true))
		e.within(15*time.Second, "the feeds are updated at the start", func() bool { _, f := count(); return f == 1 })
		time.Sleep(300 * time.Millisecond)
		mu.Lock()
		defer mu.Unlock()
		if want := []scan.WindowArgs{{Opens: opens, Closes: opens.Add(3 * time.Hour)}}; !slices.Equal(windows, want) {
			t.Errorf("windows %v, want %v", windows, want)
		}
	})
}

// Nobody ran when the window opened.
func TestWindowIsNotMissed(t *testing.T) {
	t.Parallel()
	conformance(t, func(t *testing.T, e *env) {
		done := make(chan scan.WindowArgs, 9)
		e.start(e.q, Options{Services: 1, now: movedTo(time.Date(2026, 11, 24, 2, 30, 0, 0, time.UTC)), Periodic: []Periodic{SyncWindow(Daily{Closes: 3 * time.Hour})},
			Handlers: Handlers{Window: func(_ context.Context, args scan.WindowArgs, _ scan.Attempt) error { done <- args; return nil }}})
		select {
		case args := <-done:
			if args.Opens.Hour() != 0 || args.Closes.Hour() != 3 {
				t.Errorf("%+v", args)
			}
		case <-time.After(15 * time.Second):
			t.Error("the window was missed")
		}
	})
}
