package store

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/pratique/pratique"
)

// sameReader chooses registries g that whoever reads a registry reads as well: the
// service itself, or the agents of one site. What a manifest says is the same
// everywhere, but who says it is not: an agent's word about a manifest is believed for
// its own site's registries, and it learns nothing about those of others.
const sameReader = "g.site = (SELECT site FROM registries WHERE id = ?)"

// KnownManifests are rows, of a registry and of others with the same reader, whose
// manifest is among the digests and was read. Each digest comes at most once.
func (s *Store) KnownManifests(ctx context.Context, registryID int64, digests ...pratique.Digest) ([]pratique.Asset, error) {
	var known []pratique.Asset
	seen := map[pratique.Digest]bool{}
	for part := range slices.Chunk(digests, chunk) {
		in, args := marks(part)
		some, err := collect(ctx, s, func(rows *sql.Rows, a *pratique.Asset) error { return rows.Scan(assetTargets(a)...) },
			"SELECT "+assetColumns+assetTables+"JOIN registries g ON g.id = a.registry_id WHERE "+sameReader+" AND a.source = 'registry' AND a.image_id IS NOT NULL AND a.digest IN ("+in+") ORDER BY a.id", append([]any{registryID}, args...)...)
		if err != nil {
			return nil, err
		}
		for _, a := range some {
			if !seen[a.Digest] {
				seen[a.Digest] = true
				known = append(known, a)
			}
		}
	}
	return known, nil
}

// UnreadAssets are rows in registries that a filter chooses and whose content is not
// known, because their manifests were not read.
func (s *Store) UnreadAssets(ctx context.Context, f pratique.AssetFilter, limit int) ([]pratique.Asset, error) {
	l, _, err := s.assets(ctx, f)
	if err != nil {
		return nil, err
	}
	l.and("a.source = 'registry' AND a.image_id IS NULL")
	return collect(ctx, s, func(rows *sql.Rows, a *pratique.Asset) error { return rows.Scan(assetTargets(a)...) },
		"SELECT "+assetColumns+" "+l.from+l.condition()+" ORDER BY a.id LIMIT ?", append(slices.Clone(l.args), limit)...)
}

// FillContents gives rows that have no content yet the one of their manifest. Of
// each given asset Digest, ImageID, Platform, Size and Created count.
func (s *Store) FillContents(ctx context.Context, contents ...pratique.Asset) error {
	return s.write(ctx, func(tx *tx) error {
		var images []int64
		repositories := map[int64]bool{}
		for _, a := range contents {
			if a.Digest == "" || a.ImageID == "" {
				continue
			}
			id, err := ensureImage(ctx, tx, a)
			if err != nil {
				return err
			}
			changed, err := collect(ctx, tx, one[int64], `UPDATE assets SET image_id = ?, platform = ?, size = CASE WHEN size > 0 THEN size ELSE CAST(? AS BIGINT) END, created = COALESCE(created, CAST(? AS BIGINT)), search = search || ?
				WHERE source = 'registry' AND digest = ? AND image_id IS NULL RETURNING repository_id`, id, document{a.Platform}, a.Size, atOrNull(a.Created), " "+strings.ToLower(string(a.ImageID)), a.Digest)
			if err != nil {
				return err
			}
			images = append(images, id)
			for _, r := range changed {
				repositories[r] = true
			}
		}
		for r := range repositories {
			if err := markNewest(ctx, tx, r); err != nil {
				return err
			}
		}
		return recountRows(ctx, tx, images)
	}, lockBench)
}
