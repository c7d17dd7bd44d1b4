package scan_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/calendar"
	"github.com/pratique/pratique/internal/pgtest"
	"github.com/pratique/pratique/scan"
	"github.com/pratique/pratique/store"
)

// noJobs is a queue whose jobs the test does itself.
type noJobs struct{}

func (noJobs) Enqueue(context.Context, ...scan.Job) error        { return nil }
func (noJobs) Cancel(context.Context, ...scan.Args) (int, error) { return 0, nil }

// almanac is schedules on a real database, with a clock that the test moves.
type almanac struct {
	t   *testing.T
	db  *store.Store
	use *scan.Schedules
	now time.Time
	at  *sync.Mutex
}

func newAlmanac(t *testing.T, dsn string, images int) *almanac {
	t.Helper()
	a := &almanac{t: t, at: &sync.Mutex{}, now: time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, 1)} // when it is kept is told by the real clock
	a.use = a.server(dsn)
	a.db = a.use.Store.(*store.Store)
	ctx := t.Context()
	r, err := a.db.CreateRegistry(ctx, pratique.Registry{Name: "alpha", Kind: "oci", Network: "private", Region: "default", Address: "https://alpha.example.org"}, "")
	a.must(err)
	var listing []pratique.Asset
	for n := range images {
		listing = append(listing, pratique.Asset{Tag: fmt.Sprint("v", n), Digest: pratique.DigestOf(fmt.Append(nil, "m", n)), ImageID: imageOf(n), Platform: pratique.Platform{OS: "linux", Architecture: "amd64"}})
	}
	_, err = a.db.SyncRepository(ctx, r.ID, "team/app", listing, true)
	a.must(err)
	return a
}

// server is a server of its own on the database.
func (a *almanac) server(dsn string) *scan.Schedules {
	a.t.Helper()
	db, err := store.Open(a.t.Context(), dsn, nil)
	a.must(err)
	a.t.Cleanup(func() { a.must(db.Close()) })
	tasks := &scan.Tasks{Store: db, Jobs: noJobs{}, Settings: func(context.Context) (scan.Settings, error) { return scan.DefaultSettings(), nil }}
	return &scan.Schedules{Store: db, Tasks: tasks, Jobs: noJobs{}, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: func() time.Time {
		a.at.Lock()
		defer a.at.Unlock()
		return a.now
	}}
}

func (a *almanac) set(t time.Time) {
	a.at.Lock()
	defer a.at.Unlock()
	a.now = t
}

func (a *almanac) must(err error) {
	a.t.Helper()
	if err != nil {
		a.t.Fatal(err)
	}
}

func imageOf(n int) pratique.Digest { return pratique.DigestOf(fmt.Append(nil, "c", n)) }

func daily(name string) pratique.Schedule {
	return pratique.Schedule{
		Name: name, Kind: pratique.ImagesRepository, Enabled: true, EveryDays: 1, Start: "01:00", End: "03:00", Zone: "UTC",
		Categories: []pratique.Category{pratique.CategorySecret}, Scope: pratique.ScopeAll, By: "tester",
	}
}

func (a *almanac) create(v pratique.Schedule) pratique.Schedule {
	a.t.Helper()
	v, err := a.use.Create(a.t.Context(), v)
	a.must(err)
	return v
}

// tick is what a server does every few seconds.
func (a *almanac) tick(t time.Time) {
	a.t.Helper()
	a.set(t)
	jobs, err := a.use.Wanted(a.t.Context())
	a.must(err)
	for _, j := range jobs {
		a.must(a.use.Run(a.t.Context(), j.Args.(scan.ScheduleArgs), scan.Attempt{Number: 1}))
	}
}

// scanned scans n of the images that wait, and returns which.
func (a *almanac) scanned(n int) (done []pratique.Digest) {
	a.t.Helper()
	waiting, err := a.db.WaitingScans(a.t.Context(), n)
	a.must(err)
	for _, c := range waiting {
		lease, err := a.db.Claim(a.t.Context(), c.ID, "w")
		a.must(err)
		_, err = a.db.FinishScan(a.t.Context(), lease, &pratique.Report{Image: pratique.Image{ID: c.ImageID}}, "rules")
		a.must(err)
		done = append(done, c.ImageID)
	}
	return done
}

func (a *almanac) waiting() int {
	a.t.Helper()
	all, err := a.db.WaitingScans(a.t.Context(), 1000)
	a.must(err)
	return len(all)
}

func (a *almanac) runs(id int64) []pratique.ScheduleRun {
	a.t.Helper()
	var all []pratique.ScheduleRun
	for r := (pratique.PageRequest{Limit: 500}); ; {
		p, err := a.db.ScheduleRuns(a.t.Context(), id, r)
		a.must(err)
		all = append(all, p.Items...)
		if r.Cursor = p.Next; p.Next == "" {
			slices.Reverse(all)
			return all
		}
	}
}

func (a *almanac) last(id int64) pratique.ScheduleRun {
	a.t.Helper()
	v, err := a.use.Get(a.t.Context(), id)
	a.must(err)
	if v.Last == nil {
		a.t.Fatal("there was no run")
	}
	return *v.Last
}

// TestAYearOfNights goes through a year in three zones: looks at odd moments, a
// server that is down now and then, scans that take more than a night. Each day
// has its run, once, at its time, unless nobody was there for all of its window.
func TestAYearOfNights(t *testing.T) {
	for _, zone := range []string{"Europe/Berlin", "Australia/Sydney", "Asia/Shanghai"} {
		t.Run(zone, func(t *testing.T) {
			t.Parallel()
			a := newAlmanac(t, filepath.Join(t.TempDir(), "pratique.db"), 7)
			place, err := calendar.LoadZone(zone)
			a.must(err)
			v := daily("nightly")
			v.Start, v.End, v.Zone = "02:30", "04:00", zone
			v = a.create(v)
			start, end := calendar.TimeOfDay(150), calendar.TimeOfDay(240)
			oracle := calendar.Plan{Every: 1, Start: start, End: &end, Zone: place}
			random := rand.New(rand.NewPCG(5, 6))
			missed := map[time.Time]bool{}
			count := 0
			for w := oracle.Next(a.now); w.Opens.Before(a.now.AddDate(1, 0, 0)) && count < 370; w = oracle.Next(w.Opens) {
				count++
				length := w.Closes.Sub(w.Opens)
				looks := []time.Duration{-time.Second, 0, length - time.Second, length}
				switch random.IntN(8) {
				case 0: // down while it opens
					looks = looks[2:]
				case 1: // down for all of it
					looks = looks[3:]
					missed[w.Opens.UTC()] = true
				}
				for _, offset := range looks {
					a.tick(w.Opens.Add(offset))
					if offset >= length && a.waiting() > 0 {
						t.Fatalf("%s after the window %d images still wait", offset-length, a.waiting())
					}
					if offset >= 0 && offset < length {
						a.scanned(random.IntN(3))
					}
				}
			}
			got := map[time.Time]int{}
			for _, r := range a.runs(v.ID) {
				got[r.Opens.UTC()]++
				if r.Ended == nil || r.Result != pratique.ScheduleSuccess || r.Task == nil || r.By != scan.BySchedule {
					t.Fatalf("run %+v", r)
				}
			}
			day := 0
			for w := oracle.Next(a.runs(v.ID)[0].Opens.Add(-time.Second)); day < count && !w.Opens.After(a.now); w = oracle.Next(w.Opens) {
				day++
				want := 1
				if missed[w.Opens.UTC()] {
					want = 0
				}
				if n := got[w.Opens.UTC()]; n != want {
					t.Errorf("%s: %d runs, want %d", w.Opens.In(place), n, want)
				}
			}
			if day < 360 || len(missed) == 0 {
				t.Errorf("looked at %d days, %d missed", day, len(missed))
			}
			if wrong, err := a.db.Verify(t.Context()); err != nil || len(wrong) > 0 {
				t.Errorf("counters: %v %v", wrong, err)
			}
		})
	}
}

// TestWhatWaitsGoesOnInTheNextWindow: first, and in turn, so that every image is
// reached however short the nights are.
func TestWhatWaitsGoesOnInTheNextWindow(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) { whatWaits(t, filepath.Join(t.TempDir(), "pratique.db")) })
	t.Run("PostgreSQL", func(t *testing.T) { whatWaits(t, pgtest.Database(t)) })
}

func whatWaits(t *testing.T, dsn string) {
	a := newAlmanac(t, dsn, 10)
	v := a.create(daily("nightly"))
	night := a.now.Add(time.Hour)
	seen := map[pratique.Digest]int{}
	var left []pratique.Digest
	for n := range 5 {
		opens := night.AddDate(0, 0, n)
		a.tick(opens)
		done := a.scanned(4)
		for _, id := range done {
			seen[id]++
		}
		if n > 0 && !slices.Equal(done, left[:4]) {
			t.Errorf("night %d began with %v and not with what was left", n, done)
		}
		// One is being scanned when the window closes: it is finished.
		waiting, err := a.db.WaitingScans(t.Context(), 1)
		a.must(err)
		lease, err := a.db.Claim(t.Context(), waiting[0].ID, "w")
		a.must(err)
		seen[lease.ImageID]++
		a.tick(opens.Add(2 * time.Hour))
		run := a.last(v.ID)
		if run.PutBack != 5 || run.Ended == nil || a.waiting() != 0 {
			t.Fatalf("night %d: %+v, %d wait", n, run, a.waiting())
		}
		_, err = a.db.FinishScan(t.Context(), lease, &pratique.Report{Image: pratique.Image{ID: lease.ImageID}}, "rules")
		a.must(err)
		if run = a.last(v.ID); run.Task.Ended == nil || run.Task.Total != 5 || run.Task.Scanned != 5 {
			t.Errorf("night %d: task %+v", n, run.Task)
		}
		left, err = a.db.ScheduleRest(t.Context(), v.ID)
		a.must(err)
		p, err := a.use.Preview(t.Context(), v)
		a.must(err)
		if len(left) != 5 || p.Rest != 5 || p.Scans.Images != 10 || p.Quota.Images != 10 {
			t.Errorf("night %d: %d left, preview %+v", n, len(left), p)
		}
	}
	if len(seen) != 10 {
		t.Errorf("in five nights %d images of 10 were reached", len(seen))
	}
	for id, n := range seen {
		if n < 2 || n > 3 {
			t.Errorf("%s was scanned %d times", id, n)
		}
	}
	// What is no longer in scope is not wanted.
	rows, err := a.db.Assets(t.Context(), pratique.AssetFilter{ImageIDs: left[:1]}, pratique.PageRequest{})
	a.must(err)
	v.Filter.Exclude = []int64{rows.Items[0].ID}
	v, err = a.use.Update(t.Context(), v)
	a.must(err)
	a.tick(night.AddDate(0, 0, 6))
	if run := a.last(v.ID); run.Task.Total != 9 {
		t.Errorf("without the excluded one %+v", run.Task)
	}
}

// TestOnceOnManyServers: they all look at once, again and again.
func TestOnceOnManyServers(t *testing.T) {
	for name, dsn := range map[string]string{"SQLite": filepath.Join(t.TempDir(), "pratique.db"), "PostgreSQL": pgtest.Database(t)} {
		t.Run(name, func(t *testing.T) {
			a := newAlmanac(t, dsn, 3)
			v := a.create(daily("nightly"))
			servers := []*scan.Schedules{a.use, a.server(dsn), a.server(dsn)}
			a.set(a.now.Add(90 * time.Minute))
			var group sync.WaitGroup
			for _, s := range servers {
				for range 3 {
					group.Go(func() {
						for range 5 {
							jobs, err := s.Wanted(t.Context())
							for _, j := range jobs {
								if err == nil {
									err = s.Run(t.Context(), j.Args.(scan.ScheduleArgs), scan.Attempt{Number: 1})
								}
							}
							if err != nil {
								t.Error(err)
							}
						}
					})
				}
			}
			group.Wait()
			tasks, err := a.db.Tasks(t.Context(), pratique.TaskFilter{}, pratique.PageRequest{})
			a.must(err)
			if runs := a.runs(v.ID); len(runs) != 1 || len(tasks.Items) != 1 || tasks.Items[0].Creator != "nightly" || tasks.Items[0].Kind != pratique.TaskSchedule {
				t.Errorf("%d runs, %d tasks", len(runs), len(tasks.Items))
			}
		})
	}
}

// TestClocksThatArePutRight: forward or back, in the middle of a window.
func TestClocksThatArePutRight(t *testing.T) {
	a := newAlmanac(t, filepath.Join(t.TempDir(), "pratique.db"), 2)
	v := a.create(daily("nightly"))
	midnight := a.now
	for _, c := range []struct {
		at   time.Duration
		runs int
		why  string
	}{
		{90 * time.Minute, 1, "in the window"},
		{30 * time.Minute, 1, "back before it opened"},
		{70 * time.Minute, 1, "it opens again"},
		{2*time.Hour + 59*time.Minute, 1, "forward to its end"},
		{3 * time.Hour, 1, "it closes"},
		{100 * time.Minute, 1, "back into it"},
		{25 * time.Hour, 2, "the next one"},
		{24*time.Hour + 30*time.Minute, 2, "back by half an hour, while it runs"},
		{72 * time.Hour, 2, "forward over two windows"},
		{73 * time.Hour, 3, "the one after that"},
		{365 * 24 * time.Hour, 3, "a year ahead, by mistake"},
		{365*24*time.Hour + 90*time.Minute, 4, "in a window of that year"},
		{97 * time.Hour, 5, "put right: tonight has its run"},
	} {
		if c.at == 97*time.Hour { // the run of that year ends with its images
			a.scanned(2)
		}
		a.tick(midnight.Add(c.at))
		a.tick(midnight.Add(c.at)) // and nothing more
		if got := a.runs(v.ID); len(got) != c.runs {
			t.Fatalf("%s: %d runs, want %d", c.why, len(got), c.runs)
		}
	}
}

// TestResultsAreTold: nothing to scan, no quota, an error, and why.
func TestResultsAreTold(t *testing.T) {
	a := newAlmanac(t, filepath.Join(t.TempDir(), "pratique.db"), 3)
	ctx := t.Context()
	none := daily("none")
	none.Filter.Search = "nowhere"
	none = a.create(none)
	all := a.create(daily("all"))
	a.must(a.db.SetQuota(ctx, pratique.QuotaSettings{Enabled: true, Total: 2}, "admin"))
	night := a.now.Add(time.Hour)
	a.tick(night)
	if r := a.last(none.ID); r.Result != pratique.ScheduleNothing || r.Task != nil || r.Ended == nil {
		t.Errorf("nothing to scan: %+v", r)
	}
	if r := a.last(all.ID); r.Result != pratique.ScheduleInsufficient || r.Error == nil || r.Error.Code != pratique.CodeQuota || r.Task != nil {
		t.Errorf("no quota: %+v %+v", r, r.Error)
	}
	_, err := a.db.License(ctx, pratique.AssetFilter{Search: "v1"}, 0, "admin")
	a.must(err)
	a.tick(night.AddDate(0, 0, 1))
	if r := a.last(all.ID); r.Task == nil || r.Task.Total != 1 || r.Task.Unlicensed != 2 || r.Ended != nil {
		t.Fatalf("a part of the quota: %+v", r)
	}
	a.scanned(5)
	a.tick(night.AddDate(0, 0, 1).Add(time.Minute))
	if r := a.last(all.ID); r.Result != pratique.ScheduleInsufficient || r.Error == nil || r.Task.Scanned != 1 {
		t.Errorf("a part of the quota: %+v", r)
	}
	a.must(a.db.SetQuota(ctx, pratique.QuotaSettings{Total: 2}, "admin"))

	// Settings that cannot be read: it is tried again, and then told.
	broken := pratique.Errorf(pratique.CodeInternal, "the settings cannot be read").WithRemedy("read them")
	good := a.use.Tasks.Settings
	a.use.Tasks.Settings = func(context.Context) (scan.Settings, error) { return scan.Settings{}, broken }
	a.set(night.AddDate(0, 0, 2))
	for n := 1; n <= 5; n++ {
		err := a.use.Run(ctx, scan.ScheduleArgs{ScheduleID: all.ID}, scan.Attempt{Number: n})
		if r := a.last(all.ID); n < 5 && (err == nil || r.Ended != nil) || n == 5 && (err != nil || r.Result != pratique.ScheduleError || r.Error.Message != broken.Message) {
			t.Errorf("try %d: %v, %+v", n, err, r)
		}
	}
	a.use.Tasks.Settings = good
	a.scanned(10)

	// A server died after it had begun the run, and nobody came until it closed.
	opens := night.AddDate(0, 0, 3)
	_, err = a.db.BeginRun(ctx, all.ID, opens, opens.Add(2*time.Hour), scan.BySchedule)
	a.must(err)
	a.tick(opens.Add(3 * time.Hour))
	if r := a.last(all.ID); r.Result != pratique.ScheduleError || r.Ended == nil {
		t.Errorf("nobody came: %+v", r)
	}
	// And one where somebody came in time.
	opens = opens.AddDate(0, 0, 1)
	run, err := a.db.BeginRun(ctx, all.ID, opens, opens.Add(2*time.Hour), scan.BySchedule)
	a.must(err)
	a.tick(opens.Add(time.Minute))
	if r := a.last(all.ID); r.ID != run.ID || r.Task == nil || r.Task.Total != 3 {
		t.Errorf("somebody came: %+v", r)
	}
}

// TestOnlyWhatIsOpenFromNowOnCounts: a schedule that was made, changed or switched
// on in the middle of a window waits for the next one.
func TestOnlyWhatIsOpenFromNowOnCounts(t *testing.T) {
	a := newAlmanac(t, filepath.Join(t.TempDir(), "pratique.db"), 1)
	ctx := t.Context()
	v := daily("nightly")
	v.Start, v.End = "00:00", "" // open all day
	v = a.create(v)
	a.tick(time.Now()) // its window of today opened before it was made
	if got := a.runs(v.ID); len(got) != 0 {
		t.Fatalf("runs %+v", got)
	}
	v, err := a.use.Enable(ctx, v.ID, false, "tester")
	a.must(err)
	if v.Next != nil {
		t.Error("it is off, and opens next")
	}
	a.tick(a.now.AddDate(0, 0, 1))
	if got := a.runs(v.ID); len(got) != 0 {
		t.Fatalf("runs while it is off: %+v", got)
	}
	v, err = a.use.Enable(ctx, v.ID, true, "tester")
	a.must(err)
	if v.Next == nil || !v.Armed.After(v.Created) {
		t.Errorf("switched on: %+v", v)
	}
	armed := v.Armed
	v.Filter.Newest = true
	v, err = a.use.Update(ctx, v)
	a.must(err)
	if !v.Armed.Equal(armed) {
		t.Error("another filter armed it again")
	}
	v.Start = "00:30"
	v, err = a.use.Update(ctx, v)
	a.must(err)
	if !v.Armed.After(armed) {
		t.Error("another time did not arm it again")
	}
}

// TestRunNow starts at once, once, and gives way to the window.
func TestRunNow(t *testing.T) {
	a := newAlmanac(t, filepath.Join(t.TempDir(), "pratique.db"), 4)
	ctx := t.Context()
	v := daily("weekly")
	v.EveryDays, v.Weekdays, v.Enabled = 0, []string{"sat"}, false
	v = a.create(v)
	run, err := a.use.RunNow(ctx, v.ID, "alice")
	a.must(err)
	if run.By != "alice" || run.Task == nil || run.Task.Total != 4 || run.Closes.Weekday() != time.Saturday {
		t.Errorf("run %+v", run)
	}
	if _, err := a.use.RunNow(ctx, v.ID, "alice"); pratique.CodeOf(err) != pratique.CodeConflict {
		t.Errorf("a second time: %v", err)
	}
	v, err = a.use.Enable(ctx, v.ID, true, "alice")
	a.must(err)
	a.scanned(1)
	a.tick(run.Closes)
	runs := a.runs(v.ID)
	if len(runs) != 2 || runs[0].PutBack != 3 || runs[0].Ended == nil || runs[1].By != scan.BySchedule || runs[1].Task.Total != 4 {
		t.Fatalf("runs %+v", runs)
	}
	a.must(a.use.Delete(ctx, v.ID))
	if a.waiting() != 0 {
		t.Error("the scans of a deleted schedule wait")
	}
	if _, err := a.use.RunNow(ctx, v.ID, "alice"); pratique.CodeOf(err) != pratique.CodeNotFound {
		t.Errorf("deleted: %v", err)
	}
}

// TestWhatIsNoSchedule: each fault is told at its field.
func TestWhatIsNoSchedule(t *testing.T) {
	a := newAlmanac(t, filepath.Join(t.TempDir(), "pratique.db"), 1)
	for field, change := range map[string]func(*pratique.Schedule){
		"name":           func(v *pratique.Schedule) { v.Name = " " },
		"kind":           func(v *pratique.Schedule) { v.Kind = "elsewhere" },
		"everyDays":      func(v *pratique.Schedule) { v.EveryDays = 0 },
		"weekdays":       func(v *pratique.Schedule) { v.EveryDays, v.Weekdays = 0, []string{"someday"} },
		"firstDay":       func(v *pratique.Schedule) { v.FirstDay = "yesterday" },
		"start":          func(v *pratique.Schedule) { v.Start = "25:00" },
		"end":            func(v *pratique.Schedule) { v.End = v.Start },
		"zone":           func(v *pratique.Schedule) { v.Zone = "Mars/Base" },
		"categories":     func(v *pratique.Schedule) { v.Categories = nil },
		"scope":          func(v *pratique.Schedule) { v.Scope = pratique.ScopeSpecified },
		"timeoutSeconds": func(v *pratique.Schedule) { v.Timeout = 25 * time.Hour },
	} {
		v := daily("x")
		change(&v)
		got, err := a.use.Check(v)
		if err == nil || got != field {
			t.Errorf("%s: %s, %v", field, got, err)
		}
		if _, err := a.use.Create(t.Context(), v); err == nil {
			t.Errorf("%s: it was kept", field)
		}
	}
	v := a.create(daily("x"))
	if v.FirstDay != a.now.Format(time.DateOnly) || v.Next == nil {
		t.Errorf("created %+v", v)
	}
	if list, err := a.use.List(t.Context()); err != nil || len(list) != 1 || list[0].Next == nil {
		t.Errorf("list %+v, %v", list, err)
	}
}
