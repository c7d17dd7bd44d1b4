package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/pratique/pratique"
)

// WantSync adds a wish to what is wanted of a registry's inventory. It stays until
// [Store.SyncDone], whoever dies in between.
func (s *Store) WantSync(ctx context.Context, registryID int64, wish pratique.SyncWish) error {
	return s.changeWish(ctx, registryID, func(now *pratique.SyncWish) {
		if w := wish.Whole; w != nil {
			sum := *w
			sum.Full = w.Full || now.Whole != nil && now.Whole.Full
			now.Whole = &sum
		}
		for repository, at := range wish.Hints {
			if now.Hints == nil {
				now.Hints = map[string]time.Time{}
			}
			now.Hints[repository] = at
		}
	})
}

// SyncDone forgets what was done, unless it was wanted again meanwhile.
func (s *Store) SyncDone(ctx context.Context, registryID int64, done pratique.SyncWish) error {
	return s.changeWish(ctx, registryID, func(now *pratique.SyncWish) {
		if now.Whole != nil && done.Whole != nil && now.Whole.At.Equal(done.Whole.At) {
			now.Whole = nil
		}
		for repository, at := range done.Hints {
			if now.Hints[repository].Equal(at) {
				delete(now.Hints, repository)
			}
		}
	})
}

// DropSyncWish forgets whatever is wanted of a registry's inventory.
func (s *Store) DropSyncWish(ctx context.Context, registryID int64) error {
	return s.changeWish(ctx, registryID, func(now *pratique.SyncWish) { *now = pratique.SyncWish{} })
}

func (s *Store) changeWish(ctx context.Context, registryID int64, change func(*pratique.SyncWish)) error {
	return s.write(ctx, func(tx *tx) error {
		var wish pratique.SyncWish
		var status pratique.SyncStatus
		// The update takes the row's lock.
		if err := tx.row(ctx, "UPDATE registries SET wish = wish WHERE id = ? AND kind <> 'local' RETURNING wish, sync", registryID).Scan(document{&wish}, document{&status}); err != nil {
			return found(err, "registry", registryID)
		}
		change(&wish)
		status.Hinted = len(wish.Hints)
		var kept any
		if !wish.Empty() {
			kept = document{wish}
		}
		switch {
		case status.State == "running":
		case wish.Whole != nil:
			status.State = "waiting"
		case status.State == "waiting": // nobody waits any longer
			if status.State = ""; status.Ended != nil {
				if status.State = "success"; status.Error != nil {
					status.State = "failed"
				}
			}
		}
		_, err := tx.exec(ctx, "UPDATE registries SET wish = ?, sync = ? WHERE id = ?", kept, document{status}, registryID)
		return err
	})
}

// SyncWish is what is wanted of a registry's inventory.
func (s *Store) SyncWish(ctx context.Context, registryID int64) (wish pratique.SyncWish, err error) {
	err = s.row(ctx, "SELECT wish FROM registries WHERE id = ?", registryID).Scan(document{&wish})
	return wish, found(err, "registry", registryID)
}

// SyncWishes is what is wanted of all registries.
func (s *Store) SyncWishes(ctx context.Context) (map[int64]pratique.SyncWish, error) {
	return s.wishes(ctx, "SELECT id, wish FROM registries WHERE wish IS NOT NULL")
}

// SiteWishes is what is wanted of the registries of a site that nobody is at.
func (s *Store) SiteWishes(ctx context.Context, site string) (map[int64]pratique.SyncWish, error) {
	return s.wishes(ctx, "SELECT g.id, g.wish FROM registries g WHERE g.wish IS NOT NULL AND g.site = ? AND g.site <> '' AND NOT EXISTS (SELECT 1 FROM sync_runs y WHERE y.registry_id = g.id AND y.ended IS NULL)", site)
}

func (s *Store) wishes(ctx context.Context, query string, args ...any) (map[int64]pratique.SyncWish, error) {
	type row struct {
		id   int64
		wish pratique.SyncWish
	}
	all, err := collect(ctx, s, func(rows *sql.Rows, r *row) error { return rows.Scan(&r.id, document{&r.wish}) }, query, args...)
	wishes := make(map[int64]pratique.SyncWish, len(all))
	for _, r := range all {
		wishes[r.id] = r.wish
	}
	return wishes, err
}

// SyncStates is how far our knowledge of each registry's inventory reaches.
func (s *Store) SyncStates(ctx context.Context) (map[int64]pratique.SyncStatus, error) {
	type row struct {
		id     int64
		status pratique.SyncStatus
	}
	all, err := collect(ctx, s, func(rows *sql.Rows, r *row) error { return rows.Scan(&r.id, document{&r.status}) }, "SELECT g.id, g.sync FROM registries g WHERE "+ofUsers)
	states := make(map[int64]pratique.SyncStatus, len(all))
	for _, r := range all {
		states[r.id] = r.status
	}
	return states, err
}
