package main

import (
	"cmp"
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/api"
	"github.com/pratique/pratique/export"
	"github.com/pratique/pratique/policy"
	"github.com/pratique/pratique/queue"
	"github.com/pratique/pratique/scan"
)

// useCases are what the service does, put together.
type useCases struct {
	bundles   *bundles
	tasks     *scan.Tasks
	syncer    *scan.Syncer
	evaluator *scan.Evaluator
	sweeper   *scan.Sweeper
	upkeep    *scan.Upkeep
	schedules *scan.Schedules
	exports   *export.Keeper
}

func (s *service) newUseCases(known *bundles) useCases {
	far := &remote{}
	tasks := &scan.Tasks{Store: s.db, Jobs: s.jobs, Remote: far, Settings: s.settings, Capacity: s.capacity}
	evaluator := &scan.Evaluator{Store: s.db, Knowledge: known, Observer: s.seen, Log: s.log}
	return useCases{
		bundles:   known,
		tasks:     tasks,
		syncer:    &scan.Syncer{Store: s.db, Jobs: s.jobs, Connectors: connectors(), Remote: far, Tasks: tasks, Settings: s.settings, Observer: s.seen, Log: s.log},
		evaluator: evaluator,
		sweeper:   &scan.Sweeper{Store: s.db, Evaluator: evaluator, Log: s.log},
		upkeep:    &scan.Upkeep{Store: s.db, Settings: s.settings, Log: s.log},
		schedules: &scan.Schedules{Store: s.db, Tasks: tasks, Jobs: s.jobs, Log: s.log, Now: s.flags.now},
		exports: &export.Keeper{
			Rows: s.db, Source: s.db, Folder: cmp.Or(s.flags.exports, filepath.Join(s.flags.data, "exports")), Told: s.tellExport, Log: s.log,
			Enqueue: func(ctx context.Context, id int64) error { return s.jobs.Enqueue(ctx, exportJob(id)) },
			Cancel: func(ctx context.Context, id int64) error {
				_, err := s.jobs.Cancel(ctx, scan.ExportArgs{ExportID: id})
				return err
			},
		},
	}
}

// exportJob: somebody waits for the file.
func exportJob(id int64) scan.Job {
	return scan.Job{Args: scan.ExportArgs{ExportID: id}, Lane: scan.LaneHand}
}

// runExport writes the file of an export.
func (s *service) runExport(ctx context.Context, args scan.ExportArgs, attempt scan.Attempt) error {
	return s.cases.exports.Run(ctx, args.ExportID, attempt.Fence)
}

// tellExport tells the clients of this server how far an export is.
func (s *service) tellExport(v pratique.Export) {
	if err := s.events.Publish(api.Event{Type: "export", Data: v}); err != nil {
		s.log.Debug("an export's progress cannot be told", "export", v.ID, "error", err)
	}
}

// exportWanter wants the exports that have not ended.
type exportWanter struct{ *export.Keeper }

func (w exportWanter) Wanted(ctx context.Context) (jobs []scan.Job, err error) {
	ids, err := w.Keeper.Wanted(ctx)
	for _, id := range ids {
		jobs = append(jobs, exportJob(id))
	}
	return jobs, err
}

// settings are those in force; what nobody changed is as the flags say.
func (s *service) settings(ctx context.Context) (scan.Settings, error) {
	defaults := scan.DefaultSettings()
	defaults.FeedsEveryHours = int(s.flags.feedsEvery / time.Hour)
	return scan.SettingsOf(ctx, s.db, defaults)
}

// capacity is how many images all workers scan at once.
func (s *service) capacity(ctx context.Context) (scans int, err error) {
	workers, err := s.jobs.Workers(ctx)
	for _, w := range workers {
		scans += w.Scans
	}
	return scans, err
}

// window looks every minute whether the daily window is open, so that changed
// settings count at once. There is one job for each opening.
func (s *service) window() queue.Periodic {
	return queue.Periodic{
		Next: func(t time.Time) time.Time { return t.Add(time.Minute) },
		Job: func(t time.Time, _ bool) *scan.Job {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			daily, enabled, err := s.daily(ctx)
			if err != nil {
				s.log.Error("whether the daily window is open is not known", "error", err)
			}
			if err != nil || !enabled {
				return nil
			}
			return queue.SyncWindow(daily).Job(t, false)
		},
	}
}

func (s *service) daily(ctx context.Context) (d queue.Daily, enabled bool, err error) {
	settings, err := s.settings(ctx)
	if err != nil || !settings.SyncWindow.Enabled {
		return d, false, err
	}
	if d.Zone, err = settings.SyncWindow.Location(); err != nil {
		return d, false, err
	}
	d.Opens, d.Closes, err = settings.SyncWindow.Times()
	return d, true, err
}

// wanters want what any of them wants.
type wanters []queue.Wanter

func (all wanters) Wanted(ctx context.Context) (jobs []scan.Job, err error) {
	for _, w := range all {
		some, failed := w.Wanted(ctx)
		jobs, err = append(jobs, some...), errors.Join(err, failed)
	}
	return jobs, err
}

// settingsKeeper shows and keeps the settings.
type settingsKeeper struct{ *service }

func (k settingsKeeper) Settings(ctx context.Context) (scan.Settings, error) { return k.settings(ctx) }

func (k settingsKeeper) KeepSettings(ctx context.Context, v scan.Settings) error {
	return scan.KeepSettings(ctx, k.db, v)
}

// stamped puts a report of the service's under its name and its default gate.
func stamped(r *pratique.Report) {
	r.Tool = pratique.Tool{Name: "pratique", Version: toolVersion()}
	judge(r, policy.Gate{})
}
