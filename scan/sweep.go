package scan

import (
	"context"
	"log/slog"
	"time"

	"github.com/pratique/pratique"
)

// SweepStore is where a sweeper looks for what is wanted.
type SweepStore interface {
	// WaitingScans are those that nobody has begun, most urgent first.
	WaitingScans(ctx context.Context, limit int) ([]pratique.Scan, error)
	// ReleaseSilent lets scans wait again whose workers have not beaten.
	ReleaseSilent(ctx context.Context, silence time.Duration) (released []int64, err error)
	SyncWishes(ctx context.Context) (map[int64]pratique.SyncWish, error)
	EndSilentSyncs(ctx context.Context, silence time.Duration) (int, error)
	// TellStranded says of scans that wait for an agent which is offline that they do,
	// and ends those as failed that have for longer than patience.
	TellStranded(ctx context.Context, patience time.Duration) (failed int, err error)
	// EndDataUpdates ends those that began longer ago: hosts that have not answered have
	// failed.
	EndDataUpdates(ctx context.Context, patience time.Duration) (ended int, err error)
}

// Sweeper finds what rows want and nobody does, because a process died between
// the row and its job, or in the middle of the work.
type Sweeper struct {
	Store     SweepStore
	Evaluator *Evaluator
	Log       *slog.Logger
}

const (
	// scanSilence is after how much silence a scan's worker is taken to be dead.
	scanSilence = 30 * time.Second
	// sweptScans bounds one sweep: those beyond get their turn when these have begun.
	sweptScans = 20_000
	// agentPatience is how long a scan waits for a host, or a site, that is away.
	agentPatience = 10 * time.Minute
	// updatePatience is how long a data update waits for hosts: with the time until
	// the next sweep, three minutes.
	updatePatience = 150 * time.Second
)

// Wanted returns a job for everything that is wanted and has not begun.
func (s *Sweeper) Wanted(ctx context.Context) ([]Job, error) {
	released, err := s.Store.ReleaseSilent(ctx, scanSilence)
	if err != nil {
		return nil, err
	}
	if len(released) > 0 {
		s.Log.Warn("scans wait again, because their workers fell silent", "scans", len(released))
	}
	ended, err := s.Store.EndSilentSyncs(ctx, syncSilence)
	if err != nil {
		return nil, err
	}
	if ended > 0 {
		s.Log.Warn("synchronisations ended with the processes that ran them", "runs", ended)
	}
	if err := s.fleet(ctx); err != nil {
		return nil, err
	}
	waiting, err := s.Store.WaitingScans(ctx, sweptScans)
	if err != nil {
		return nil, err
	}
	jobs, err := s.Evaluator.Wanted(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range waiting {
		job := Job{Args: ScanArgs{ImageID: c.ImageID}, Lane: Lane(c.Priority)}
		if c.Due != nil {
			job.At = *c.Due
		}
		jobs = append(jobs, job)
	}
	wishes, err := s.Store.SyncWishes(ctx)
	if err != nil {
		return nil, err
	}
	for id, wish := range wishes {
		lane := LaneHand
		if len(wish.Hints) > 0 {
			lane = LanePush
		} else if wish.Whole != nil && wish.Whole.Reason == ReasonSchedule {
			lane = LaneSchedule
		}
		jobs = append(jobs, Job{Args: SyncArgs{RegistryID: id}, Lane: lane})
	}
	return jobs, nil
}

// fleet ends what waits for agents that do not come back.
func (s *Sweeper) fleet(ctx context.Context) error {
	failed, err := s.Store.TellStranded(ctx, agentPatience)
	if err != nil {
		return err
	}
	if failed > 0 {
		s.Log.Warn("scans failed, because no agent that could do them was online", "scans", failed)
	}
	_, err = s.Store.EndDataUpdates(ctx, updatePatience)
	return err
}

// UpkeepStore is what is kept in order.
type UpkeepStore interface {
	PurgeGone(ctx context.Context, before time.Time) (rows int, err error)
	CloseDay(ctx context.Context, date string) (pratique.Day, error)
}

// Upkeep does what the clock asks for and no job is about. Several processes may
// do it at once.
type Upkeep struct {
	Store    UpkeepStore
	Settings func(context.Context) (Settings, error)
	Log      *slog.Logger
}

// upkeepEvery is how often rows that are gone are purged, and the day's figures
// kept: after a crash, those of a day are at most so old.
const upkeepEvery = time.Hour

// Run goes on until ctx ends.
func (u *Upkeep) Run(ctx context.Context) {
	today := ""
	for {
		now := time.Now()
		settings, err := u.Settings(ctx)
		if err == nil {
			err = u.purge(ctx, settings)
		}
		zone, unknown := settings.SyncWindow.Location()
		if err == nil {
			err = unknown
		}
		// The last hour of a day ends with its midnight.
		if date := now.In(zone).Format(time.DateOnly); err == nil {
			if today != "" && today != date {
				_, err = u.Store.CloseDay(ctx, today)
			}
			if err == nil {
				_, err = u.Store.CloseDay(ctx, date)
			}
			today = date
		}
		if err != nil && ctx.Err() == nil {
			u.Log.Error("the hourly upkeep failed", "error", err)
		}
		timer := time.NewTimer(untilNext(now, zone))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// untilNext is an hour, or less when midnight is nearer.
func untilNext(now time.Time, zone *time.Location) time.Duration {
	local := now.In(zone)
	midnight := time.Date(local.Year(), local.Month(), local.Day()+1, 0, 0, 0, 0, zone)
	return max(time.Second, min(upkeepEvery, midnight.Sub(now)))
}

func (u *Upkeep) purge(ctx context.Context, settings Settings) error {
	if settings.PurgeGoneDays == 0 {
		return nil
	}
	rows, err := u.Store.PurgeGone(ctx, time.Now().AddDate(0, 0, -settings.PurgeGoneDays))
	if rows > 0 {
		u.Log.Info("rows that were gone from their registries were removed", "rows", rows, "days", settings.PurgeGoneDays)
	}
	return err
}
