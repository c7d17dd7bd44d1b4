package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/pratique/pratique"
)

const exportColumns = "x.id, x.request, x.name, x.who, x.state, x.created, x.started, x.ended, x.expires, x.fence, x.attempts, x.row_count, x.total, x.bytes, x.file, x.error"

func exportTargets(v *pratique.Export) []any {
	return []any{&v.ID, document{&v.Request}, &v.FileName, &v.By, &v.State, into{&v.Created}, intoOrNil{&v.Started}, intoOrNil{&v.Ended}, intoOrNil{&v.Expires}, &v.Fence, &v.Attempts, &v.Rows, &v.Total, &v.Bytes, &v.File, document{&v.Error}}
}

// MaxOpenExports bounds those that wait or run.
const MaxOpenExports = 100

// CreateExport keeps a wish for a file.
func (s *Store) CreateExport(ctx context.Context, v pratique.Export) (pratique.Export, error) {
	err := s.write(ctx, func(tx *tx) (err error) {
		var open int
		if err := tx.row(ctx, "SELECT COUNT(*) FROM exports WHERE ended IS NULL").Scan(&open); err != nil {
			return err
		}
		if open >= MaxOpenExports {
			return pratique.Errorf(pratique.CodeRateLimited, "%d exports wait or run", open).WithRemedy("wait for some of them, or delete some")
		}
		v.State, v.Created = pratique.ExportWaiting, tx.now
		v.ID, err = tx.insert(ctx, "INSERT INTO exports (request, kind, name, who, state, created, fence, attempts, row_count, total, bytes, file) VALUES (?, ?, ?, ?, ?, ?, 0, 0, 0, ?, 0, '')",
			document{v.Request}, v.Request.Kind, v.FileName, v.By, v.State, at(tx.now), v.Total)
		return err
	})
	return v, err
}

// Export returns one, or CodeNotFound.
func (s *Store) Export(ctx context.Context, id int64) (v pratique.Export, err error) {
	err = s.row(ctx, "SELECT "+exportColumns+" FROM exports x WHERE x.id = ?", id).Scan(exportTargets(&v)...)
	return v, found(err, "export", id)
}

// Exports lists them, newest first. Sorts: created, rows, name.
func (s *Store) Exports(ctx context.Context, f pratique.ExportFilter, r pratique.PageRequest) (pratique.Page[pratique.Export], error) {
	l := &listing{columns: exportColumns, from: "FROM exports x",
		sorts: map[string]string{"": "x.id", "created": "x.created", "rows": "x.row_count", "name": "x.name"}, desc: true, keys: []string{"x.id"}}
	in(l, "x.state", f.States)
	in(l, "x.kind", f.Kinds)
	if f.By != "" {
		l.and("x.who = ?", f.By)
	}
	l.words(f.Search, "x.name")
	l.during("x.created", f.Created)
	return page(ctx, s, l, r, func(rows *sql.Rows, v *pratique.Export, order []any) error {
		return rows.Scan(append(exportTargets(v), order...)...)
	})
}

// OpenExports are those that wait or run.
func (s *Store) OpenExports(ctx context.Context) ([]pratique.Export, error) {
	return s.exports(ctx, "x.ended IS NULL")
}

// ExpiredExports are those whose file is to be removed.
func (s *Store) ExpiredExports(ctx context.Context) ([]pratique.Export, error) {
	return s.exports(ctx, "x.state = 'success' AND x.expires <= ?", at(s.now()))
}

func (s *Store) exports(ctx context.Context, condition string, args ...any) ([]pratique.Export, error) {
	return collect(ctx, s, func(rows *sql.Rows, v *pratique.Export) error { return rows.Scan(exportTargets(v)...) },
		"SELECT "+exportColumns+" FROM exports x WHERE "+condition+" ORDER BY x.id LIMIT 1000", args...)
}

// BeginExport gives an export to an attempt. One that has ended, or belongs to a
// later attempt, is CodeCancelled.
func (s *Store) BeginExport(ctx context.Context, id, fence int64) (v pratique.Export, err error) {
	err = s.write(ctx, func(tx *tx) error {
		err := tx.row(ctx, "UPDATE exports SET state = 'running', started = ?, fence = ?, attempts = attempts + 1, row_count = 0, bytes = 0 WHERE id = ? AND ended IS NULL AND fence <= ? RETURNING id",
			at(tx.now), fence, id, fence).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			return exportEnded(id)
		}
		if err != nil {
			return err
		}
		return tx.row(ctx, "SELECT "+exportColumns+" FROM exports x WHERE x.id = ?", id).Scan(exportTargets(&v)...)
	})
	return v, err
}

func exportEnded(id int64) error {
	return pratique.Errorf(pratique.CodeCancelled, "export %d was deleted, has ended or was given to another worker", id)
}

// ExportProgress notes how far an attempt is. It is CodeCancelled when the export
// is no longer its own: the attempt has to stop.
func (s *Store) ExportProgress(ctx context.Context, id, fence int64, rows int, bytes int64) error {
	return s.ofExport(ctx, id, func(tx *tx) (int64, error) {
		return tx.exec(ctx, "UPDATE exports SET row_count = ?, bytes = ? WHERE id = ? AND fence = ? AND ended IS NULL", rows, bytes, id, fence)
	})
}

// FinishExport keeps an export's file until it expires.
func (s *Store) FinishExport(ctx context.Context, v pratique.Export, file string, lifetime time.Duration) error {
	return s.ofExport(ctx, v.ID, func(tx *tx) (int64, error) {
		return tx.exec(ctx, "UPDATE exports SET state = 'success', ended = ?, expires = ?, row_count = ?, bytes = ?, file = ? WHERE id = ? AND fence = ? AND ended IS NULL",
			at(tx.now), at(tx.now.Add(lifetime)), v.Rows, v.Bytes, file, v.ID, v.Fence)
	})
}

// FailExport ends an export that has no file.
func (s *Store) FailExport(ctx context.Context, id, fence int64, why *pratique.Error) error {
	return s.ofExport(ctx, id, func(tx *tx) (int64, error) {
		return tx.exec(ctx, "UPDATE exports SET state = 'failed', ended = ?, error = ? WHERE id = ? AND fence = ? AND ended IS NULL", at(tx.now), documentOrNull(why), id, fence)
	})
}

func (s *Store) ofExport(ctx context.Context, id int64, change func(*tx) (int64, error)) error {
	return s.write(ctx, func(tx *tx) error {
		n, err := change(tx)
		if err == nil && n == 0 {
			return exportEnded(id)
		}
		return err
	})
}

// ExpireExport notes that an export's file is removed.
func (s *Store) ExpireExport(ctx context.Context, id int64) error {
	return s.write(ctx, func(tx *tx) error {
		_, err := tx.exec(ctx, "UPDATE exports SET state = 'expired', file = '' WHERE id = ? AND state = 'success'", id)
		return err
	})
}

// DeleteExport removes one, whatever its state, and returns it.
func (s *Store) DeleteExport(ctx context.Context, id int64) (v pratique.Export, err error) {
	err = s.write(ctx, func(tx *tx) error {
		if err := tx.row(ctx, "SELECT "+exportColumns+" FROM exports x WHERE x.id = ?", id).Scan(exportTargets(&v)...); err != nil {
			return found(err, "export", id)
		}
		_, err := tx.exec(ctx, "DELETE FROM exports WHERE id = ?", id)
		return err
	})
	return v, err
}

// DropOldExports removes the rows of exports that ended before a moment and have
// no file.
func (s *Store) DropOldExports(ctx context.Context, before time.Time) error {
	return s.write(ctx, func(tx *tx) error {
		_, err := tx.exec(ctx, "DELETE FROM exports WHERE file = '' AND ended < ?", at(before))
		return err
	})
}
