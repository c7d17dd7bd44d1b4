package store

import (
	"context"
	"database/sql"

	"github.com/pratique/pratique"
)

// Selection is [Store.SelectImages] with what a preview of their scans needs.
func (s *Store) Selection(ctx context.Context, f pratique.AssetFilter) (images []pratique.SelectedImage, unread int, err error) {
	l, _, err := s.assets(ctx, f)
	if err != nil {
		return nil, 0, err
	}
	all, err := collect(ctx, s, func(rows *sql.Rows, v *pratique.SelectedImage) error {
		return rows.Scan((*nullDigest)(&v.ImageID), &v.RegistryID, &v.Rows, &v.Size, &v.Scanned, &v.Active)
	}, "SELECT i.digest, MIN(a.registry_id), COUNT(*), COALESCE(MAX(i.size), 0), i.scanned_at IS NOT NULL, COALESCE(i.status, '') = 'scanning' "+l.from+l.condition()+
		" GROUP BY i.digest, i.running, i.scanned_at, i.status ORDER BY COALESCE(i.running, FALSE) DESC, MAX(CASE WHEN a.newest THEN 1 ELSE 0 END) DESC, MAX(a.id) DESC", l.args...)
	for _, v := range all {
		if v.ImageID == "" {
			unread += v.Rows
			continue
		}
		images = append(images, v)
	}
	return images, unread, err
}
