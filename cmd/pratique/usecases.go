package main

import (
	"context"
	"errors"
	"time"

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
	}
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
