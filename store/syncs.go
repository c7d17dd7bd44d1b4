package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/pratique/pratique"
)

const syncColumns = "id, registry_id, is_full, reason, started, ended, state, done, total, added, changed, gone, error"

func scanSync(rows *sql.Rows, r *pratique.SyncRun) error {
	return rows.Scan(&r.ID, &r.RegistryID, &r.Full, &r.Reason, into{&r.Started}, intoOrNil{&r.Ended}, &r.State, &r.Done, &r.Total, &r.Added, &r.Changed, &r.Gone, document{&r.Error})
}

// BeginSync starts a pass over a registry's inventory. While one runs, another is
// CodeConflict.
func (s *Store) BeginSync(ctx context.Context, registryID int64, full bool, reason string) (run pratique.SyncRun, err error) {
	err = s.write(ctx, func(tx *tx) error {
		run = pratique.SyncRun{RegistryID: registryID, Full: full, Reason: reason, Started: tx.now, State: "running"}
		var exists bool
		if err := tx.row(ctx, "SELECT EXISTS (SELECT 1 FROM registries g WHERE g.id = ? AND "+ofUsers+")", registryID).Scan(&exists); err != nil {
			return err
		}
		if !exists {
			return notFound("registry", registryID)
		}
		run.ID, err = tx.insert(ctx, `INSERT INTO sync_runs (registry_id, is_full, reason, started, beat, state, done, total, added, changed, gone) VALUES (?, ?, ?, ?, ?, 'running', 0, 0, 0, 0, 0)`,
			registryID, full, reason, at(tx.now), at(tx.now))
		if s.engine.taken(err) {
			return pratique.Errorf(pratique.CodeConflict, "a sync of this registry is running").WithRemedy("wait for its end")
		}
		if err != nil {
			return err
		}
		return tellSync(ctx, tx, run)
	})
	return run, err
}

// SyncProgress notes how many repositories are done, and that the sync is alive.
// It fails with CodeCancelled when the run has been ended by somebody else.
func (s *Store) SyncProgress(ctx context.Context, run pratique.SyncRun) error {
	return s.write(ctx, func(tx *tx) error {
		n, err := tx.exec(ctx, "UPDATE sync_runs SET done = ?, total = ?, added = ?, changed = ?, gone = ?, beat = ? WHERE id = ? AND ended IS NULL",
			run.Done, run.Total, run.Added, run.Changed, run.Gone, at(tx.now), run.ID)
		if err != nil {
			return err
		}
		if n == 0 {
			return pratique.Errorf(pratique.CodeCancelled, "the sync was ended meanwhile")
		}
		return tellSync(ctx, tx, run)
	})
}

// EndSync ends a run: with success when failure is nil. A full run that succeeded
// also marks the repositories that it did not see. met, if not nil, is the registry's
// health as the run met it: nobody sees the one without the other, and a run that was
// ended meanwhile says nothing of a registry that may have been changed.
func (s *Store) EndSync(ctx context.Context, run pratique.SyncRun, failure *pratique.Error, met *pratique.Health) (pratique.SyncRun, error) {
	err := s.write(ctx, func(tx *tx) error {
		run.State, run.Error, run.Ended = "success", failure, &tx.now
		if failure != nil {
			run.State = "failed"
		}
		if run.Full && failure == nil {
			gone, err := markUnseenRepositories(ctx, tx, run)
			if err != nil {
				return err
			}
			run.Gone += gone
		}
		n, err := tx.exec(ctx, "UPDATE sync_runs SET done = ?, total = ?, added = ?, changed = ?, gone = ?, state = ?, ended = ?, error = ? WHERE id = ? AND ended IS NULL",
			run.Done, run.Total, run.Added, run.Changed, run.Gone, run.State, at(tx.now), documentOrNull(failure), run.ID)
		if err != nil {
			return err
		}
		if n == 0 {
			return pratique.Errorf(pratique.CodeCancelled, "the sync was ended meanwhile")
		}
		if met != nil {
			if err := setHealth(ctx, tx, run.RegistryID, *met); err != nil {
				return err
			}
		}
		return tellSync(ctx, tx, run)
	}, lockBench)
	return run, err
}

func markUnseenRepositories(ctx context.Context, tx *tx, run pratique.SyncRun) (rows int, err error) {
	const unseen = "registry_id = ? AND gone IS NULL AND repository_id IN (SELECT id FROM repositories WHERE registry_id = ? AND last_seen < ?)"
	images, err := collect(ctx, tx, one[int64], "SELECT DISTINCT image_id FROM assets WHERE image_id IS NOT NULL AND "+unseen, run.RegistryID, run.RegistryID, at(run.Started))
	if err != nil {
		return 0, err
	}
	n, err := tx.exec(ctx, "UPDATE assets SET gone = ?, newest = FALSE WHERE "+unseen, at(tx.now), run.RegistryID, run.RegistryID, at(run.Started))
	if err != nil {
		return 0, err
	}
	if _, err := tx.exec(ctx, "UPDATE repositories SET gone = ? WHERE registry_id = ? AND gone IS NULL AND last_seen < ?", at(tx.now), run.RegistryID, at(run.Started)); err != nil {
		return 0, err
	}
	return int(n), recountRows(ctx, tx, images)
}

// tellSync keeps a run's state in its registry's row.
func tellSync(ctx context.Context, tx *tx, run pratique.SyncRun) error {
	var status pratique.SyncStatus
	if err := tx.row(ctx, "SELECT sync FROM registries WHERE id = ?", run.RegistryID).Scan(document{&status}); err != nil {
		return found(err, "registry", run.RegistryID)
	}
	last := status.LastSuccess
	if run.State == "success" {
		last = run.Ended
	}
	status = pratique.SyncStatus{State: run.State, Full: run.Full, Started: &run.Started, Ended: run.Ended, LastSuccess: last, Done: run.Done, Total: run.Total, Error: run.Error, Hinted: status.Hinted}
	_, err := tx.exec(ctx, "UPDATE registries SET sync = ? WHERE id = ?", document{status}, run.RegistryID)
	return err
}

// Syncs lists a registry's newest runs; registryID 0 means all registries.
func (s *Store) Syncs(ctx context.Context, registryID int64, limit int) ([]pratique.SyncRun, error) {
	return collect(ctx, s, scanSync, "SELECT "+syncColumns+" FROM sync_runs WHERE registry_id = ? OR 0 = CAST(? AS BIGINT) ORDER BY id DESC LIMIT ?", registryID, registryID, min(max(limit, 1), pratique.MaxPage))
}

// EndSilentSyncs ends runs of processes that died, and returns how many.
func (s *Store) EndSilentSyncs(ctx context.Context, silence time.Duration) (int, error) {
	silent, err := collect(ctx, s, scanSync, "SELECT "+syncColumns+" FROM sync_runs WHERE ended IS NULL AND beat < ?", at(s.now().Add(-silence)))
	if err != nil {
		return 0, err
	}
	ended := 0
	for _, run := range silent {
		r, err := s.Registry(ctx, run.RegistryID)
		if err != nil {
			return ended, err
		}
		failure := pratique.Errorf(pratique.CodeInternal, "the sync ended with the process that ran it").WithRemedy("it begins again by itself")
		if r.Site != "" {
			failure = pratique.Errorf(pratique.CodeUnreachable, "the agent of the site %q fell silent in the middle of the sync", r.Site).
				WithRemedy("look whether an agent of the site runs, then synchronise again")
		}
		_, err = s.EndSync(ctx, run, failure, nil)
		if pratique.CodeOf(err) == pratique.CodeCancelled {
			continue
		}
		if err != nil {
			return ended, err
		}
		ended++
	}
	return ended, nil
}

// SiteSync is a run over a registry of a site that goes on, or CodeCancelled.
func (s *Store) SiteSync(ctx context.Context, site string, runID int64) (pratique.SyncRun, error) {
	runs, err := collect(ctx, s, scanSync, "SELECT "+syncColumns+" FROM sync_runs WHERE id = ? AND ended IS NULL AND registry_id IN (SELECT id FROM registries WHERE site = ? AND site <> '')", runID, site)
	if err != nil {
		return pratique.SyncRun{}, err
	}
	if len(runs) == 0 {
		return pratique.SyncRun{}, pratique.Errorf(pratique.CodeCancelled, "the sync was ended meanwhile")
	}
	return runs[0], nil
}
