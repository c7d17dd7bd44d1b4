package scan_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/internal/testimage"
	"github.com/pratique/pratique/scan"
)

// When the window opens, every registry is synchronised: fully if the last full run
// was long ago, else for what is new.
func TestWindow(t *testing.T) {
	onBoth(t, func(t *testing.T, e *estate) {
		h := newHarbour(t)
		h.push(testimage.Image{Layers: []testimage.Layer{debian(t, "alpha")}}, "team/app:1")
		r := e.connect(h)
		for i, full := range []bool{true, false} {
			before := e.lastSync(r)
			if err := e.jobs.Enqueue(t.Context(), scan.Job{Args: scan.WindowArgs{Opens: time.Now().Add(time.Duration(i) * time.Minute)}}); err != nil {
				t.Fatal(err)
			}
			e.eventually("the window's run ends", func() bool { run := e.lastSync(r); return run.ID > before.ID && run.Ended != nil })
			if run := e.lastSync(r); run.State != "success" || run.Full != full || run.Reason != scan.ReasonSchedule {
				t.Errorf("opening %d: %+v", i+1, run)
			}
		}
	})
}

// Everything that a filter chooses is cancelled, and nothing else.
func TestCancelByFilter(t *testing.T) {
	onBoth(t, func(t *testing.T, e *estate) {
		h := newHarbour(t)
		slow := noise(t, "slow", 1<<20)
		h.set(func() { h.drip[string(slow.Digest)] = 50 * time.Millisecond })
		for i := range 6 { // more than are scanned at once
			h.push(testimage.Image{Layers: []testimage.Layer{slow}, User: fmt.Sprint(i)}, fmt.Sprintf("team%d/app:1", i%2), fmt.Sprintf("team%d/app:%d", i%2, i+10))
		}
		e.sync(e.connect(h), true)
		task := e.start()
		if n, err := e.tasks.CancelImages(t.Context(), pratique.AssetFilter{Namespaces: []string{"team1"}}); err != nil || n != 3 {
			t.Errorf("%d cancelled, %v", n, err)
		}
		if n, err := e.tasks.CancelImages(t.Context(), pratique.AssetFilter{Namespaces: []string{"team1"}}); err != nil || n != 0 {
			t.Errorf("%d cancelled again, %v", n, err)
		}
		h.set(func() { h.drip = map[string]time.Duration{} })
		if task = e.ended(task); task.Cancelled != 3 || task.Scanned != 3 {
			t.Errorf("task %+v", task)
		}
		if n := h.pulls(slow); n > 2 { // once for those that were cancelled, perhaps
			t.Errorf("a shared layer was fetched %d times", n)
		}
	})
}

// The day's figures are kept from the start on.
func TestUpkeep(t *testing.T) {
	e := newEstate(t, filepath.Join(t.TempDir(), "pratique.db"))
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	u := &scan.Upkeep{Store: e.db, Settings: func(context.Context) (scan.Settings, error) { return e.settings, nil }, Log: e.syncer.Log}
	go func() {
		u.Run(ctx)
		close(ended)
	}()
	e.eventually("today is kept", func() bool {
		days, err := e.db.Days(t.Context(), "2000-01-01", "2999-12-31")
		return err == nil && len(days) == 1 && days[0].Date >= time.Now().AddDate(0, 0, -1).Format(time.DateOnly)
	})
	stop()
	<-ended
}

func TestSettings(t *testing.T) {
	for name, change := range map[string]func(*scan.Settings){
		"a zone":     func(s *scan.Settings) { s.SyncWindow.Zone = "Atlantis/Port" },
		"a time":     func(s *scan.Settings) { s.SyncWindow.From = "24:00" },
		"no window":  func(s *scan.Settings) { s.SyncWindow.To = s.SyncWindow.From },
		"no time":    func(s *scan.Settings) { s.ScanTimeoutSeconds = 0 },
		"the past":   func(s *scan.Settings) { s.PurgeGoneDays = -1 },
		"never ends": func(s *scan.Settings) { s.FeedsEveryHours = 1 << 20 },
	} {
		s := scan.DefaultSettings()
		change(&s)
		if err := s.Validate(); pratique.CodeOf(err) != pratique.CodeInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	e := newEstate(t, filepath.Join(t.TempDir(), "pratique.db"))
	defaults := scan.DefaultSettings()
	if err := defaults.Validate(); err != nil {
		t.Error(err)
	}
	defaults.FeedsEveryHours = 7
	if s, err := scan.SettingsOf(t.Context(), e.db, defaults); err != nil || s.FeedsEveryHours != 7 || !s.AutoAdopt {
		t.Errorf("%+v, %v", s, err)
	}
	changed := defaults
	changed.SyncWindow.Zone, changed.AutoAdopt = "Asia/Shanghai", false
	if err := scan.KeepSettings(t.Context(), e.db, changed); err != nil {
		t.Fatal(err)
	}
	if s, err := scan.SettingsOf(t.Context(), e.db, scan.DefaultSettings()); err != nil || s.SyncWindow.Zone != "Asia/Shanghai" || s.AutoAdopt || s.FeedsEveryHours != 7 {
		t.Errorf("%+v, %v", s, err)
	}
}
