package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/store"
)

func nightly(name string) pratique.Schedule {
	return pratique.Schedule{
		Name: name, Kind: pratique.ImagesRepository, Enabled: true, EveryDays: 1, FirstDay: "2026-03-01", Start: "01:00", End: "03:00", Zone: "Europe/Berlin",
		Categories: everything, Scope: pratique.ScopeAll, Filter: pratique.AssetFilter{Newest: true, Exclude: []int64{7}}, Timeout: time.Minute, By: "tester",
	}
}

func schedules(t *testing.T, s *store.Store, _ string) {
	ctx := context.Background()
	v := ok[pratique.Schedule](t)(s.CreateSchedule(ctx, nightly("b")))
	_, err := s.CreateSchedule(ctx, nightly("b"))
	refused(t, err, pratique.CodeConflict)
	a := ok[pratique.Schedule](t)(s.CreateSchedule(ctx, nightly("a")))
	if all := ok[[]pratique.Schedule](t)(s.Schedules(ctx)); len(all) != 2 || all[0].Name != "a" || all[1].ID != v.ID {
		t.Fatalf("list %+v", all)
	}
	got := ok[pratique.Schedule](t)(s.Schedule(ctx, v.ID))
	if got.Zone != "Europe/Berlin" || !got.Filter.Newest || !slices.Equal(got.Filter.Exclude, []int64{7}) || got.Timeout != time.Minute || !got.Armed.Equal(v.Armed) || got.Last != nil {
		t.Errorf("kept %+v", got)
	}
	got.Enabled, got.Weekdays, got.EveryDays = false, []string{"mon"}, 0
	changed := ok[pratique.Schedule](t)(s.UpdateSchedule(ctx, got, false))
	if changed.Enabled || changed.EveryDays != 0 || !slices.Equal(changed.Weekdays, []string{"mon"}) || !changed.Armed.Equal(v.Armed) {
		t.Errorf("changed %+v", changed)
	}
	if changed = ok[pratique.Schedule](t)(s.UpdateSchedule(ctx, got, true)); !changed.Armed.After(v.Armed) {
		t.Error("not armed again")
	}
	got.Name = "a"
	_, err = s.UpdateSchedule(ctx, got, false)
	refused(t, err, pratique.CodeConflict)
	got.ID = 999
	_, err = s.UpdateSchedule(ctx, got, false)
	refused(t, err, pratique.CodeNotFound)
	must(t, s.DeleteSchedule(ctx, a.ID))
	refused(t, s.DeleteSchedule(ctx, a.ID), pratique.CodeNotFound)
	_, err = s.Schedule(ctx, a.ID)
	refused(t, err, pratique.CodeNotFound)
}

// runs: an opening happens once, whoever tries, and so does its task.
func runs(t *testing.T, s *store.Store, dsn string) {
	ctx := context.Background()
	estate(t, s, 3)
	v := ok[pratique.Schedule](t)(s.CreateSchedule(ctx, nightly("a")))
	other := Open(t, dsn)
	var mu sync.Mutex
	var begun []pratique.ScheduleRun
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			r, err := []*store.Store{s, other}[i%2].BeginRun(ctx, v.ID, day, day.Add(time.Hour), "schedule")
			if pratique.CodeOf(err) == pratique.CodeConflict {
				return
			}
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			begun = append(begun, r)
		})
	}
	group.Wait()
	if len(begun) != 1 {
		t.Fatalf("the opening happened %d times", len(begun))
	}
	run := begun[0]
	tasks := 0
	for i := range 8 {
		group.Go(func() {
			_, _, err := []*store.Store{s, other}[i%2].StartRun(ctx, run.ID, pratique.TaskRequest{Kind: pratique.TaskSchedule, Creator: "a", Categories: everything, ImageIDs: ids(3)})
			if pratique.CodeOf(err) == pratique.CodeConflict {
				return
			}
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			tasks++
		})
	}
	group.Wait()
	if p := ok[pratique.Page[pratique.Task]](t)(s.Tasks(ctx, pratique.TaskFilter{}, pratique.PageRequest{})); tasks != 1 || len(p.Items) != 1 {
		t.Fatalf("%d tasks were made, %d exist", tasks, len(p.Items))
	}
	_, err := s.BeginRun(ctx, v.ID, day.Add(24*time.Hour), day.Add(25*time.Hour), "schedule")
	refused(t, err, pratique.CodeConflict) // one run at a time
	_, err = s.BeginRun(ctx, 999, day, day.Add(time.Hour), "schedule")
	refused(t, err, pratique.CodeNotFound)
	last := ok[pratique.Schedule](t)(s.Schedule(ctx, v.ID)).Last
	if last == nil || last.ID != run.ID || !last.Begun || last.Task == nil || last.Task.Total != 3 || last.Ended != nil || !last.Opens.Equal(day) {
		t.Fatalf("last run %+v", last)
	}
	must(t, s.EndRun(ctx, run.ID, pratique.ScheduleSuccess, nil))
	must(t, s.EndRun(ctx, run.ID, pratique.ScheduleError, pratique.Errorf(pratique.CodeInternal, "too late")))
	if last = ok[pratique.Schedule](t)(s.Schedule(ctx, v.ID)).Last; last.Result != pratique.ScheduleSuccess || last.Ended == nil || last.Error != nil {
		t.Errorf("ended %+v", last)
	}
	_, err = s.BeginRun(ctx, v.ID, day, day.Add(time.Hour), "schedule")
	refused(t, err, pratique.CodeConflict) // the same opening, again
	for _, c := range []struct {
		from, to time.Duration
		want     bool
	}{{0, time.Hour, true}, {-time.Hour, 0, false}, {time.Microsecond, time.Hour, false}} {
		if got := ok[bool](t)(s.OpenedBetween(ctx, v.ID, day.Add(c.from), day.Add(c.to))); got != c.want {
			t.Errorf("opened in %v: %v", c, got)
		}
	}
	for n := range 5 {
		r := ok[pratique.ScheduleRun](t)(s.BeginRun(ctx, v.ID, day.Add(time.Duration(n+1)*24*time.Hour), day.Add(time.Duration(n+1)*25*time.Hour), "tester"))
		must(t, s.EndRun(ctx, r.ID, pratique.ScheduleNothing, nil))
	}
	p := ok[pratique.Page[pratique.ScheduleRun]](t)(s.ScheduleRuns(ctx, v.ID, pratique.PageRequest{Limit: 4, Count: true}))
	if len(p.Items) != 4 || p.Total != 6 || p.Next == "" || p.Items[0].By != "tester" {
		t.Errorf("runs %+v", p)
	}
	p = ok[pratique.Page[pratique.ScheduleRun]](t)(s.ScheduleRuns(ctx, v.ID, pratique.PageRequest{Limit: 4, Cursor: p.Next}))
	if len(p.Items) != 2 || p.Items[1].ID != run.ID || p.Items[1].Task == nil || p.Items[1].Task.Total != 3 {
		t.Errorf("older runs %+v", p)
	}
	must(t, s.DeleteSchedule(ctx, v.ID))
}

// puttingBack: what nobody has begun is as if it had never been wanted, and what
// others want, or somebody has begun, goes on.
func puttingBack(t *testing.T, s *store.Store, _ string) {
	ctx := context.Background()
	estate(t, s, 6)
	scanned(t, s, report(imageID(1), nil, nil))
	lease := func(n int) pratique.Lease {
		t.Helper()
		active := ok[[]int64](t)(s.ActiveScans(ctx, imageID(n)))
		if len(active) != 1 {
			t.Fatalf("image %d has scans %v", n, active)
		}
		return ok[pratique.Lease](t)(s.Claim(ctx, active[0], "w"))
	}
	v := ok[pratique.Schedule](t)(s.CreateSchedule(ctx, nightly("a")))
	run := ok[pratique.ScheduleRun](t)(s.BeginRun(ctx, v.ID, day, day.Add(time.Hour), "schedule"))
	order := []pratique.Digest{imageID(4), imageID(1), imageID(0), imageID(5), imageID(2), imageID(3)}
	task, scans, err := s.StartRun(ctx, run.ID, pratique.TaskRequest{Kind: pratique.TaskSchedule, Creator: "a", Categories: everything, ImageIDs: order})
	must(t, err)
	waiting := ok[[]pratique.Scan](t)(s.WaitingScans(ctx, 10))
	for i, c := range waiting {
		if c.ImageID != order[i] || c.ID != scans[i] {
			t.Fatalf("waiting in another order: %+v", waiting)
		}
	}
	other, _, err := s.CreateTask(ctx, want([]pratique.Digest{imageID(5)}, pratique.CategorySecret))
	must(t, err)
	running, done := lease(4), lease(0)
	_, err = s.FinishScan(ctx, done, report(imageID(0), nil, nil), "rules 1")
	must(t, err)

	if got, want := ok[[]pratique.Digest](t)(s.PutBack(ctx, run.ID)), []pratique.Digest{imageID(1), imageID(2), imageID(3)}; !slices.Equal(got, want) {
		t.Fatalf("put back %v, want %v", got, want)
	}
	if got := ok[[]pratique.Digest](t)(s.PutBack(ctx, run.ID)); len(got) != 0 {
		t.Errorf("put back again %v", got)
	}
	if got := ok[pratique.Task](t)(s.Task(ctx, task.ID)); got.Total != 2 || got.Scanned != 1 || got.Ended != nil {
		t.Errorf("the task %+v", got)
	}
	_, err = s.FinishScan(ctx, running, report(imageID(4), nil, nil), "rules 1")
	must(t, err)
	if got := ok[pratique.Task](t)(s.Task(ctx, task.ID)); got.Ended == nil {
		t.Errorf("the task after its last image %+v", got)
	}
	for n, want := range map[int]pratique.Status{1: pratique.StatusScanned, 2: pratique.StatusNotScanned, 5: pratique.StatusScanning} {
		if got := ok[pratique.ImageSummary](t)(s.Image(ctx, imageID(n))); got.Status != want {
			t.Errorf("image %d is %s, want %s", n, got.Status, want)
		}
	}
	if got := ok[pratique.Task](t)(s.Task(ctx, other.ID)); got.Total != 1 || got.Ended != nil {
		t.Errorf("the other task %+v", got)
	}
	sound(t, s)
	must(t, s.EndRun(ctx, run.ID, pratique.ScheduleSuccess, nil))
	v = ok[pratique.Schedule](t)(s.Schedule(ctx, v.ID))
	if rest := ok[[]pratique.Digest](t)(s.ScheduleRest(ctx, v.ID)); v.Rest != 3 || v.Last.PutBack != 3 || !slices.Equal(rest, []pratique.Digest{imageID(1), imageID(2), imageID(3)}) {
		t.Errorf("rest %v, told %d", rest, v.Rest)
	}
	// The next run has it in its task.
	next := ok[pratique.ScheduleRun](t)(s.BeginRun(ctx, v.ID, day.Add(24*time.Hour), day.Add(25*time.Hour), "schedule"))
	_, _, err = s.StartRun(ctx, next.ID, pratique.TaskRequest{Kind: pratique.TaskSchedule, Creator: "a", Categories: everything, ImageIDs: ids(3)})
	must(t, err)
	if rest := ok[[]pratique.Digest](t)(s.ScheduleRest(ctx, v.ID)); len(rest) != 0 {
		t.Errorf("still at rest %v", rest)
	}
}

func licensed(yes bool) pratique.AssetFilter { return pratique.AssetFilter{Licensed: &yes} }

func short(t testing.TB, err error, needed, left int) {
	t.Helper()
	refused(t, err, pratique.CodeQuota)
	var s *pratique.Shortage
	if !errors.As(err, &s) || s.Needed != needed || s.Left != left {
		t.Errorf("%v: %+v, want %d needed and %d left", err, s, needed, left)
	}
}

// quota: one unit for one content, and no content beyond the total.
func quota(t *testing.T, s *store.Store, _ string) {
	ctx := context.Background()
	r := estate(t, s, 11)
	// Two tags of one content.
	twins := []pratique.Asset{asset("a", 0), asset("b", 0)}
	ok[pratique.SyncResult](t)(s.SyncRepository(ctx, r.ID, "team/twins", twins, true))
	if q := ok[pratique.QuotaState](t)(s.Quota(ctx)); q.Enabled || q.Used != 0 || q.Images != 11 || q.Unlicensed != 11 {
		t.Fatalf("at first %+v", q)
	}
	_, _, err := s.CreateTask(ctx, want(ids(2), everything...)) // while it is off, everything may be scanned
	must(t, err)
	_, err = s.License(ctx, pratique.AssetFilter{}, 0, "admin")
	refused(t, err, pratique.CodeConflict)
	must(t, s.SetQuota(ctx, pratique.QuotaSettings{Enabled: true, Total: 10}, "admin"))

	need := ok[pratique.QuotaNeed](t)(s.QuotaNeed(ctx, pratique.AssetFilter{Search: "team/twins"}))
	if want := (pratique.QuotaNeed{Enabled: true, Rows: 2, Images: 1, Needed: 1, Left: 10, Enough: true}); need != want {
		t.Errorf("two tags need %+v", need)
	}
	_, _, err = s.CreateTask(ctx, want(ids(3), everything...))
	short(t, err, 3, 10)
	e := ok[pratique.QuotaEntry](t)(s.License(ctx, pratique.AssetFilter{Search: "team/twins"}, 0, "admin"))
	if e.Images != 1 || e.Used != 1 || e.Total != 10 || e.By != "admin" {
		t.Errorf("two tags cost %+v", e)
	}
	_, err = s.License(ctx, pratique.AssetFilter{}, 0, "admin") // 10 others for 9
	short(t, err, 10, 9)
	if q := ok[pratique.QuotaState](t)(s.Quota(ctx)); q.Used != 1 || q.Left != 9 {
		t.Errorf("after a refusal %+v", q)
	}
	all := ok[pratique.Page[pratique.AssetRow]](t)(s.Assets(ctx, licensed(false), pratique.PageRequest{Count: true}))
	if all.Total != 10 || all.Items[0].Licensed {
		t.Errorf("%d rows without a licence", all.Total)
	}
	except := licensed(false)
	except.Exclude = []int64{all.Items[0].ID}
	if e = ok[pratique.QuotaEntry](t)(s.License(ctx, except, 0, "admin")); e.Images != 9 || e.Used != 10 {
		t.Errorf("all but one cost %+v", e)
	}
	if e = ok[pratique.QuotaEntry](t)(s.License(ctx, except, 0, "admin")); e.Images != 0 || e.ID != 0 {
		t.Errorf("a second time they cost %+v", e)
	}
	_, err = s.License(ctx, pratique.AssetFilter{}, 0, "admin") // the 11th of 10
	short(t, err, 1, 0)
	_, _, err = s.CreateTask(ctx, want(ids(11), everything...))
	short(t, err, 1, 0)
	if p := ok[pratique.Page[pratique.AssetRow]](t)(s.Assets(ctx, licensed(true), pratique.PageRequest{Count: true})); p.Total != 12 || !p.Items[0].Licensed {
		t.Errorf("%d rows with a licence", p.Total)
	}
	// A schedule scans what is licensed, and tells what it left out.
	r2 := want(ids(11), everything...)
	r2.Kind = pratique.TaskSchedule
	task, scans, err := s.CreateTask(ctx, r2)
	must(t, err)
	if task.Total != 10 || len(scans) != 10 || task.Unlicensed != 1 {
		t.Errorf("a schedule's task %+v", task)
	}
	if got := ok[pratique.Task](t)(s.Task(ctx, task.ID)); got.Unlicensed != 1 {
		t.Errorf("kept %+v", got)
	}
	r2.ImageIDs = []pratique.Digest{all.Items[0].ImageID}
	_, _, err = s.CreateTask(ctx, r2)
	short(t, err, 1, 0)
	refused(t, s.SetQuota(ctx, pratique.QuotaSettings{Enabled: true, Total: 9}, "admin"), pratique.CodeConflict)
	must(t, s.SetQuota(ctx, pratique.QuotaSettings{Enabled: true, Total: 12}, "admin"))
	if e = ok[pratique.QuotaEntry](t)(s.License(ctx, pratique.AssetFilter{}, 5, "admin")); e.Images != 1 || e.Used != 11 {
		t.Errorf("the last one cost %+v", e)
	}
	entries := ok[pratique.Page[pratique.QuotaEntry]](t)(s.QuotaEntries(ctx, "", pratique.PageRequest{Count: true}))
	if entries.Total != 5 || entries.Items[0].Used != 11 || entries.Items[4].Action != pratique.QuotaChange || entries.Items[4].Detail == "" {
		t.Errorf("ledger %+v", entries.Items)
	}
	units := ok[pratique.Page[pratique.Licence]](t)(s.Licences(ctx, entries.Items[0].ID, pratique.PageRequest{Count: true}))
	if units.Total != 1 || units.Items[0].ImageID != all.Items[0].ImageID || units.Items[0].Image == "" || units.Items[0].By != "admin" {
		t.Errorf("units %+v", units.Items)
	}
	if units = ok[pratique.Page[pratique.Licence]](t)(s.Licences(ctx, 0, pratique.PageRequest{Limit: 4, Count: true})); units.Total != 11 || units.Next == "" {
		t.Errorf("all units %+v", units)
	}
}

// autoLicence: the rule licenses in its order, within its range and its number for
// the day.
func autoLicence(t *testing.T, s *store.Store, _ string) {
	ctx := context.Background()
	r := newRegistry(t, s, "alpha")
	pushed := func(tag string, n, days int) pratique.Asset {
		a := asset(tag, n)
		p := day.AddDate(0, 0, days)
		a.Pushed = &p
		return a
	}
	// By push: 3 1 2 0; 4 is the newest, 5 runs, 6 is in another repository.
	ok[pratique.SyncResult](t)(s.SyncRepository(ctx, r.ID, "team/app", []pratique.Asset{pushed("a", 0, 9), pushed("b", 1, 3), pushed("c", 2, 5), pushed("d", 3, 1), pushed("e", 4, 99), pushed("f", 5, 50)}, true))
	ok[pratique.SyncResult](t)(s.SyncRepository(ctx, r.ID, "other/app", []pratique.Asset{pushed("a", 6, 1)}, true))
	inUse(t, s, 5)
	rule := pratique.QuotaSettings{Enabled: true, Total: 100, Auto: pratique.AutoRule{Enabled: true, Filter: pratique.AssetFilter{Namespaces: []string{"team"}}, PerDay: 4}}
	must(t, s.SetQuota(ctx, rule, "admin"))

	_, _, err := s.CreateTask(ctx, want(ids(7), everything...)) // a person's wish is refused as a whole
	short(t, err, 7, 4)
	if q := ok[pratique.QuotaState](t)(s.Quota(ctx)); q.Used != 0 {
		t.Errorf("a refused wish cost %d units", q.Used)
	}
	if n := ok[pratique.QuotaNeed](t)(s.QuotaNeed(ctx, pratique.AssetFilter{})); n.Needed != 7 || n.Auto != 4 || n.Left != 100 {
		t.Errorf("need %+v", n)
	}
	wish := want(ids(7), everything...)
	wish.Kind, wish.Creator = pratique.TaskSchedule, "nightly"
	task, scans, err := s.CreateTask(ctx, wish)
	must(t, err)
	if task.Total != 4 || task.Unlicensed != 3 {
		t.Errorf("task %+v", task)
	}
	got := ok[[]pratique.Digest](t)(s.TaskImages(ctx, task.ID))
	if want := sortedIDs([]pratique.Digest{imageID(5), imageID(4), imageID(3), imageID(1)}); !slices.Equal(got, want) {
		t.Errorf("licensed %v, want %v", got, want)
	}
	ok[[]int64](t)(s.CancelScans(ctx, scans...))
	e := ok[pratique.Page[pratique.QuotaEntry]](t)(s.QuotaEntries(ctx, pratique.QuotaAuto, pratique.PageRequest{})).Items
	if len(e) != 1 || e[0].Images != 4 || e[0].Refused != 3 || e[0].Reason != pratique.QuotaReachLimit || e[0].By != "nightly" {
		t.Errorf("log %+v", e)
	}
	// The day is used up; the next day it goes on, and what is out of range stays out.
	wish.ImageIDs = []pratique.Digest{imageID(0), imageID(5)}
	if task, _, err = s.CreateTask(ctx, wish); err != nil || task.Total != 1 || task.Unlicensed != 1 {
		t.Errorf("the same day %+v, %v", task, err)
	}
	_, err = s.Writer().Exec(fmt.Sprintf("UPDATE quota_entries SET at = at - %d", (24 * time.Hour).Microseconds()))
	must(t, err)
	wish.ImageIDs = ids(7)
	if task, _, err = s.CreateTask(ctx, wish); err != nil || task.Total != 6 || task.Unlicensed != 1 {
		t.Errorf("the next day %+v, %v", task, err)
	}
	if e = ok[pratique.Page[pratique.QuotaEntry]](t)(s.QuotaEntries(ctx, pratique.QuotaAuto, pratique.PageRequest{})).Items; e[0].Reason != pratique.QuotaOutOfRange {
		t.Errorf("log %+v", e)
	}
	rule.Total, rule.Auto = 6, pratique.AutoRule{Enabled: true}
	must(t, s.SetQuota(ctx, rule, "admin"))
	_, _, err = s.CreateTask(ctx, want([]pratique.Digest{imageID(6)}, everything...))
	short(t, err, 1, 0)
	rule.Total = 7
	must(t, s.SetQuota(ctx, rule, "admin"))
	if _, _, err = s.CreateTask(ctx, want([]pratique.Digest{imageID(6)}, everything...)); err != nil {
		t.Error(err)
	}
	if q := ok[pratique.QuotaState](t)(s.Quota(ctx)); q.Used != 7 || q.Left != 0 || q.Unlicensed != 0 || q.AutoToday != 3 {
		t.Errorf("at last %+v", q)
	}
}

// licencesAtOnce: two processes spend what is left, and not more.
func licencesAtOnce(t *testing.T, s *store.Store, dsn string) {
	ctx := context.Background()
	const count, total = 24, 13
	estate(t, s, count)
	must(t, s.SetQuota(ctx, pratique.QuotaSettings{Enabled: true, Total: total, Auto: pratique.AutoRule{Enabled: true}}, "admin"))
	stores := []*store.Store{s, Open(t, dsn)}
	var group sync.WaitGroup
	for w := range 6 {
		group.Go(func() {
			s := stores[w%2]
			for n := range count {
				var err error
				if w < 4 {
					_, _, err = s.CreateTask(ctx, want([]pratique.Digest{imageID((n + 5*w) % count)}, everything...))
				} else {
					_, err = s.License(ctx, pratique.AssetFilter{ImageIDs: []pratique.Digest{imageID((n + 5*w) % count)}}, 0, "admin")
				}
				if err != nil && pratique.CodeOf(err) != pratique.CodeQuota {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if q := ok[pratique.QuotaState](t)(s.Quota(ctx)); q.Used != total || q.Unlicensed != count-total {
		t.Errorf("%+v", q)
	}
}

func exports(t *testing.T, s *store.Store, _ string) {
	ctx := context.Background()
	request := pratique.ExportRequest{Kind: "images", Format: "csv", Columns: []string{"name"}, Images: pratique.AssetFilter{Newest: true}}
	v := ok[pratique.Export](t)(s.CreateExport(ctx, pratique.Export{Request: request, FileName: "images.csv", By: "tester", Total: 5}))
	if v.ID == 0 || v.State != pratique.ExportWaiting {
		t.Fatalf("created %+v", v)
	}
	if open := ok[[]pratique.Export](t)(s.OpenExports(ctx)); len(open) != 1 || !open[0].Request.Images.Newest {
		t.Errorf("open %+v", open)
	}
	first := ok[pratique.Export](t)(s.BeginExport(ctx, v.ID, 7))
	must(t, s.ExportProgress(ctx, v.ID, 7, 3, 300))
	second := ok[pratique.Export](t)(s.BeginExport(ctx, v.ID, 9)) // the first worker died, or so it seems
	if second.Attempts != 2 || second.Rows != 0 || second.State != pratique.ExportRunning {
		t.Errorf("second attempt %+v", second)
	}
	refused(t, s.ExportProgress(ctx, v.ID, 7, 4, 400), pratique.CodeCancelled)
	refused(t, s.FinishExport(ctx, first, "7", time.Hour), pratique.CodeCancelled)
	_, err := s.BeginExport(ctx, v.ID, 8)
	refused(t, err, pratique.CodeCancelled)
	second.Rows, second.Bytes = 5, 500
	must(t, s.FinishExport(ctx, second, "file", time.Hour))
	got := ok[pratique.Export](t)(s.Export(ctx, v.ID))
	if got.State != pratique.ExportSuccess || got.File != "file" || got.Rows != 5 || got.Bytes != 500 || got.Expires == nil || got.Expires.Sub(*got.Ended) != time.Hour {
		t.Errorf("finished %+v", got)
	}
	_, err = s.BeginExport(ctx, v.ID, 10)
	refused(t, err, pratique.CodeCancelled)
	if gone := ok[[]pratique.Export](t)(s.ExpiredExports(ctx)); len(gone) != 0 {
		t.Errorf("expired %+v", gone)
	}
	must(t, s.DropOldExports(ctx, time.Now().Add(time.Hour))) // it has a file
	_, err = s.Writer().Exec(fmt.Sprintf("UPDATE exports SET expires = expires - %d", (2 * time.Hour).Microseconds()))
	must(t, err)
	if gone := ok[[]pratique.Export](t)(s.ExpiredExports(ctx)); len(gone) != 1 {
		t.Errorf("expired %+v", gone)
	}
	must(t, s.ExpireExport(ctx, v.ID))
	failed := ok[pratique.Export](t)(s.CreateExport(ctx, pratique.Export{Request: request, FileName: "b.csv", By: "other"}))
	ok[pratique.Export](t)(s.BeginExport(ctx, failed.ID, 11))
	must(t, s.FailExport(ctx, failed.ID, 11, pratique.Errorf(pratique.CodeDisk, "full").WithRemedy("make room")))
	p := ok[pratique.Page[pratique.Export]](t)(s.Exports(ctx, pratique.ExportFilter{States: []pratique.ExportState{pratique.ExportFailed}}, pratique.PageRequest{Count: true}))
	if p.Total != 1 || p.Items[0].Error == nil || p.Items[0].Error.Remedy != "make room" {
		t.Errorf("failed %+v", p.Items)
	}
	if p = ok[pratique.Page[pratique.Export]](t)(s.Exports(ctx, pratique.ExportFilter{By: "tester", Search: "IMAGES"}, pratique.PageRequest{})); len(p.Items) != 1 || p.Items[0].State != pratique.ExportExpired {
		t.Errorf("by %+v", p.Items)
	}
	ok[pratique.Export](t)(s.DeleteExport(ctx, failed.ID))
	_, err = s.Export(ctx, failed.ID)
	refused(t, err, pratique.CodeNotFound)
	must(t, s.DropOldExports(ctx, time.Now().Add(time.Hour)))
	if p = ok[pratique.Page[pratique.Export]](t)(s.Exports(ctx, pratique.ExportFilter{}, pratique.PageRequest{})); len(p.Items) != 0 {
		t.Errorf("old ones %+v", p.Items)
	}
	for range store.MaxOpenExports {
		ok[pratique.Export](t)(s.CreateExport(ctx, pratique.Export{Request: request}))
	}
	_, err = s.CreateExport(ctx, pratique.Export{Request: request})
	refused(t, err, pratique.CodeRateLimited)
}
