package store

import (
	"context"
	"database/sql"
	"errors"
)

// Setting reads one value of the installation. It leaves v as it is when there is
// none.
func (s *Store) Setting(ctx context.Context, name string, v any) error {
	err := s.row(ctx, "SELECT value FROM settings WHERE name = ?", name).Scan(document{v})
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return s.mapped(err)
}

// SetSetting keeps one, as JSON. What must not be readable does not belong here.
func (s *Store) SetSetting(ctx context.Context, name string, v any) error {
	return s.write(ctx, func(tx *tx) error {
		_, err := tx.exec(ctx, "INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", name, document{v})
		return err
	})
}
