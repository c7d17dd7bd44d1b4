package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/pratique/pratique"
)

// slotOf is what makes an asset one row of its repository: the tag, with the
// platform when it leads to an index, else the digest. A tag that moves to other
// content keeps its row. Neither tags nor digests contain spaces. Where an index
// has a second image for a platform, that one's slot goes on with its digest.
func slotOf(a pratique.Asset) string {
	switch {
	case a.Tag == "":
		return "@" + string(a.Digest)
	case a.Index != "":
		return a.Tag + " " + a.Platform.String()
	}
	return a.Tag
}

func namespaceOf(repository string) string {
	namespace, _, found := strings.Cut(repository, "/")
	if !found {
		return ""
	}
	return namespace
}

const assetColumns = "a.id, a.registry_id, r.name, a.tag, a.digest, a.index_digest, i.digest, a.platform, a.size, a.created, a.pushed, a.first_seen, a.last_seen, a.gone, a.newest"

const assetTables = " FROM assets a JOIN repositories r ON r.id = a.repository_id LEFT JOIN images i ON i.id = a.image_id "

func assetTargets(a *pratique.Asset) []any {
	return []any{
		&a.ID, &a.RegistryID, &a.Repository, &a.Tag, &a.Digest, &a.Index, (*nullDigest)(&a.ImageID), document{&a.Platform}, &a.Size,
		intoOrNil{&a.Created}, intoOrNil{&a.Pushed}, into{&a.FirstSeen}, into{&a.LastSeen}, intoOrNil{&a.Gone}, &a.Newest,
	}
}

// nullDigest is "" for NULL.
type nullDigest pratique.Digest

func (d *nullDigest) Scan(v any) error {
	var s sql.NullString
	err := s.Scan(v)
	*d = nullDigest(s.String)
	return err
}

// Asset returns one row, or CodeNotFound.
func (s *Store) Asset(ctx context.Context, id int64) (a pratique.Asset, err error) {
	err = s.row(ctx, "SELECT "+assetColumns+assetTables+"WHERE a.id = ?", id).Scan(assetTargets(&a)...)
	return a, found(err, "image", id)
}

// RepositoryAssets are the rows of one repository that are not gone; a listing is
// compared with them to see which manifests have to be read.
func (s *Store) RepositoryAssets(ctx context.Context, registryID int64, repository string) ([]pratique.Asset, error) {
	return collect(ctx, s, func(rows *sql.Rows, a *pratique.Asset) error { return rows.Scan(assetTargets(a)...) },
		"SELECT "+assetColumns+assetTables+"WHERE a.registry_id = ? AND r.name = ? AND a.gone IS NULL ORDER BY a.id", registryID, repository)
}

// Locations are the places in registries where the service's own workers can pull
// an image's content, newest first: in those that no site's agent reads.
func (s *Store) Locations(ctx context.Context, imageID pratique.Digest) ([]pratique.Location, error) {
	return collect(ctx, s, func(rows *sql.Rows, l *pratique.Location) error {
		return rows.Scan(&l.RegistryID, &l.Repository, &l.Tag, &l.Digest, &l.Index)
	}, "SELECT a.registry_id, r.name, a.tag, a.digest, a.index_digest"+assetTables+"JOIN registries g ON g.id = a.registry_id WHERE i.digest = ? AND a.gone IS NULL AND a.source = 'registry' AND g.site = '' ORDER BY a.last_seen DESC, a.id", imageID)
}

// SyncRepository brings one repository up to a listing of it. With whole, rows
// that are not listed are gone; without, only other rows of the listed tags are
// (a tag that led to one platform, and leads to several now). An asset without
// ImageID takes it from a known manifest of the same digest and reader; those that
// remain are returned as unread.
func (s *Store) SyncRepository(ctx context.Context, registryID int64, repository string, listing []pratique.Asset, whole bool) (result pratique.SyncResult, err error) {
	if repository == "" || len(repository) > maxIndexed {
		return result, pratique.Errorf(pratique.CodeInvalid, "a repository's name of %d bytes", len(repository))
	}
	for _, a := range listing {
		if len(slotOf(a)) > maxIndexed || a.Digest == "" {
			return result, pratique.Errorf(pratique.CodeInvalid, "the listing of %s has a row with a tag of %d bytes and the digest %q", repository, len(a.Tag), a.Digest)
		}
	}
	err = s.write(ctx, func(tx *tx) error {
		y := &repositorySync{tx: tx, registryID: registryID, name: repository, whole: whole}
		if err := y.run(ctx, listing); err != nil {
			return err
		}
		result = y.result
		return nil
	}, lockBench)
	return result, err
}

type repositorySync struct {
	tx           *tx
	registryID   int64
	repositoryID int64
	name         string
	place        string // registry's name and address, for the search
	whole        bool
	known        map[string]*knownAsset
	touched      map[int64]bool // images whose rows changed
	result       pratique.SyncResult
}

// knownAsset is a row as it was.
type knownAsset struct {
	pratique.Asset
	slot  string
	image int64
	seen  bool
}

func (y *repositorySync) run(ctx context.Context, listing []pratique.Asset) error {
	if err := y.load(ctx); err != nil {
		return err
	}
	if err := y.fillIn(ctx, listing); err != nil {
		return err
	}
	var unchanged []int64
	tags, taken := map[string]bool{}, map[string]bool{}
	for _, a := range listing {
		a.RegistryID, a.Repository = y.registryID, y.name
		tags[a.Tag] = true
		slot := slotOf(a)
		if taken[slot] { // an index may list several images for one platform
			slot += " " + string(a.Digest)
		}
		if taken[slot] || taken[a.Tag+" "+string(a.Digest)] {
			continue // listed twice
		}
		taken[slot], taken[a.Tag+" "+string(a.Digest)] = true, true
		old := y.known[slot]
		if old != nil && old.Gone == nil && same(old.Asset, a) {
			old.seen = true
			unchanged = append(unchanged, old.ID)
			if old.ImageID == "" {
				y.result.Unread = append(y.result.Unread, old.Asset)
			}
			continue
		}
		if err := y.put(ctx, old, a, slot); err != nil {
			return err
		}
	}
	for part := range slices.Chunk(unchanged, chunk) {
		if _, err := y.tx.exec(ctx, "UPDATE assets SET last_seen = ? WHERE id IN ("+numbers(part)+")", at(y.tx.now)); err != nil {
			return err
		}
	}
	if err := y.leave(ctx, tags); err != nil {
		return err
	}
	if err := markNewest(ctx, y.tx, y.repositoryID); err != nil {
		return err
	}
	images := make([]int64, 0, len(y.touched))
	for id := range y.touched {
		images = append(images, id)
	}
	return recountRows(ctx, y.tx, images)
}

// same tells whether a listing says nothing new about a row. A listing may not
// know what a manifest told.
func same(old, listed pratique.Asset) bool {
	return old.Digest == listed.Digest && old.Index == listed.Index &&
		(listed.ImageID == "" || listed.ImageID == old.ImageID) &&
		(listed.Size == 0 || listed.Size == old.Size) &&
		(listed.Pushed == nil || old.Pushed != nil && atOrNull(listed.Pushed) == atOrNull(old.Pushed)) &&
		(listed.Created == nil || old.Created != nil && atOrNull(listed.Created) == atOrNull(old.Created))
}

func (y *repositorySync) load(ctx context.Context) error {
	tx := y.tx
	y.touched, y.known = map[int64]bool{}, map[string]*knownAsset{}
	var name, address string
	if err := tx.row(ctx, "SELECT name, address FROM registries g WHERE id = ? AND "+ofUsers, y.registryID).Scan(&name, &address); err != nil {
		return found(err, "registry", y.registryID)
	}
	y.place = name + " " + address
	err := tx.row(ctx, "SELECT id FROM repositories WHERE registry_id = ? AND name = ?", y.registryID, y.name).Scan(&y.repositoryID)
	if errors.Is(err, sql.ErrNoRows) {
		y.repositoryID, err = tx.insert(ctx, "INSERT INTO repositories (registry_id, name, namespace, first_seen, last_seen) VALUES (?, ?, ?, ?, ?)",
			y.registryID, y.name, namespaceOf(y.name), at(tx.now), at(tx.now))
		return err
	}
	if err != nil {
		return err
	}
	if y.whole { // a part of a listing does not mean that the repository was looked at
		if _, err := tx.exec(ctx, "UPDATE repositories SET last_seen = ?, gone = NULL WHERE id = ?", at(tx.now), y.repositoryID); err != nil {
			return err
		}
	}
	all, err := collect(ctx, tx, func(rows *sql.Rows, k *knownAsset) error {
		var image sql.NullInt64
		err := rows.Scan(append(assetTargets(&k.Asset), &k.slot, &image)...)
		k.image = image.Int64
		return err
	}, "SELECT "+assetColumns+", a.slot, a.image_id"+assetTables+"WHERE a.repository_id = ?", y.repositoryID)
	for i := range all {
		y.known[all[i].slot] = &all[i]
	}
	return err
}

// fillIn gives listed assets the content that another row with the same manifest, of
// a registry with the same reader, is known to have.
func (y *repositorySync) fillIn(ctx context.Context, listing []pratique.Asset) error {
	var missing []string
	for _, a := range listing {
		if old := y.known[slotOf(a)]; a.ImageID == "" && (old == nil || old.Digest != a.Digest) {
			missing = append(missing, string(a.Digest))
		}
	}
	slices.Sort(missing)
	for part := range slices.Chunk(slices.Compact(missing), chunk) {
		in, args := marks(part)
		donors, err := collect(ctx, y.tx, func(rows *sql.Rows, a *pratique.Asset) error { return rows.Scan(assetTargets(a)...) },
			"SELECT "+assetColumns+assetTables+"JOIN registries g ON g.id = a.registry_id WHERE "+sameReader+" AND a.source = 'registry' AND a.image_id IS NOT NULL AND a.digest IN ("+in+")", append([]any{y.registryID}, args...)...)
		if err != nil {
			return err
		}
		for i := range listing {
			a := &listing[i]
			for _, donor := range donors {
				if a.ImageID == "" && a.Digest == donor.Digest {
					a.ImageID, a.Platform, a.Size = donor.ImageID, donor.Platform, cmp.Or(a.Size, donor.Size)
					if a.Created == nil {
						a.Created = donor.Created
					}
				}
			}
		}
	}
	return nil
}

// put inserts or changes the row in a slot.
func (y *repositorySync) put(ctx context.Context, old *knownAsset, a pratique.Asset, slot string) error {
	tx := y.tx
	if old != nil && a.ImageID == "" && old.Digest == a.Digest { // gone and back, and nothing else
		a.ImageID, a.Platform, a.Size, a.Created = old.ImageID, old.Platform, cmp.Or(a.Size, old.Size), cmp.Or(a.Created, old.Created)
	}
	var image any
	if a.ImageID != "" {
		id, err := ensureImage(ctx, tx, a)
		if err != nil {
			return err
		}
		image = id
		y.touched[id] = true
	}
	search := strings.ToLower(y.place + "/" + y.name + ":" + a.Tag + " " + string(a.Digest) + " " + string(a.Index) + " " + string(a.ImageID))
	values := []any{a.Tag, a.Digest, a.Index, image, document{a.Platform}, a.Size, atOrNull(a.Created), atOrNull(a.Pushed), at(tx.now), search}
	var err error
	if old == nil {
		y.result.Added++
		a.FirstSeen, a.LastSeen = tx.now, tx.now
		a.ID, err = tx.insert(ctx, `INSERT INTO assets (tag, digest, index_digest, image_id, platform, size, created, pushed, last_seen, search, registry_id, repository_id, slot, first_seen, newest)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, FALSE)`, append(values, y.registryID, y.repositoryID, slot, at(tx.now))...)
	} else {
		old.seen = true
		a.ID, a.FirstSeen, a.LastSeen = old.ID, old.FirstSeen, tx.now
		if old.image != 0 {
			y.touched[old.image] = true
		}
		switch {
		case old.Gone != nil:
			y.result.Back++
		case old.Digest != a.Digest:
			y.result.Changed++
		}
		if a.Pushed == nil && old.Digest == a.Digest {
			values[7] = atOrNull(old.Pushed)
		}
		_, err = tx.exec(ctx, "UPDATE assets SET tag = ?, digest = ?, index_digest = ?, image_id = ?, platform = ?, size = ?, created = ?, pushed = ?, last_seen = ?, search = ?, gone = NULL WHERE id = ?", append(values, a.ID)...)
	}
	switch {
	case err != nil:
		return err
	case a.ImageID == "":
		y.result.Unread = append(y.result.Unread, a)
	case old == nil || old.ImageID != a.ImageID:
		y.result.New = append(y.result.New, a.ImageID)
	}
	return nil
}

// leave marks what is not listed any longer.
func (y *repositorySync) leave(ctx context.Context, tags map[string]bool) error {
	var gone []int64
	for _, k := range y.known {
		if k.seen || k.Gone != nil || !y.whole && (k.Tag == "" || !tags[k.Tag]) {
			continue
		}
		gone = append(gone, k.ID)
		if k.image != 0 {
			y.touched[k.image] = true
		}
	}
	y.result.Gone = len(gone)
	for part := range slices.Chunk(gone, chunk) {
		if _, err := y.tx.exec(ctx, "UPDATE assets SET gone = ?, newest = FALSE WHERE id IN ("+numbers(part)+")", at(y.tx.now)); err != nil {
			return err
		}
	}
	return nil
}

// ensureImage returns the row of a content, and makes it when it is new.
func ensureImage(ctx context.Context, tx *tx, a pratique.Asset) (id int64, err error) {
	err = tx.row(ctx, "SELECT id FROM images WHERE digest = ?", a.ImageID).Scan(&id)
	if !errors.Is(err, sql.ErrNoRows) {
		return id, err
	}
	return tx.insert(ctx, `INSERT INTO images (digest, os, architecture, variant, created, size, distro, distro_name, rules, knowledge, status, rows_live, running, risk, worst)
		VALUES (?, ?, ?, ?, ?, ?, '', '', '', '', ?, 0, FALSE, 0, -1)`,
		a.ImageID, a.Platform.OS, a.Platform.Architecture, a.Platform.Variant, atOrNull(a.Created), a.Size, pratique.StatusNotScanned)
}

// tagAge is what the newest tag is chosen by.
type tagAge struct {
	id     int64
	tag    string
	age    int64
	newest bool
}

// markNewest marks the rows of a repository's newest tag: the one that was pushed
// last, or built last where the registry does not tell pushes; of several the
// highest in the order of versions, so that "1.10" wins over "1.9".
func markNewest(ctx context.Context, tx *tx, repositoryID int64) error {
	all, err := collect(ctx, tx, func(rows *sql.Rows, t *tagAge) error { return rows.Scan(&t.id, &t.tag, &t.age, &t.newest) },
		"SELECT id, tag, COALESCE(pushed, created, 0), newest FROM assets WHERE repository_id = ? AND gone IS NULL AND tag <> ''", repositoryID)
	if err != nil || len(all) == 0 {
		return err
	}
	best := slices.MaxFunc(all, func(a, b tagAge) int { return cmp.Or(cmp.Compare(a.age, b.age), compareTags(a.tag, b.tag)) })
	for _, t := range all {
		if newest := t.tag == best.tag; newest != t.newest {
			if _, err := tx.exec(ctx, "UPDATE assets SET newest = ? WHERE id = ?", newest, t.id); err != nil {
				return err
			}
		}
	}
	return nil
}

// compareTags compares runs of digits as numbers, and all else as text.
func compareTags(a, b string) int {
	for a != "" && b != "" {
		x, y := leading(a), leading(b)
		a, b = a[len(x):], b[len(y):]
		if isDigit(x[0]) && isDigit(y[0]) {
			x, y = strings.TrimLeft(x, "0"), strings.TrimLeft(y, "0")
			if c := cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y)); c != 0 {
				return c
			}
		} else if c := cmp.Compare(x, y); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(a), len(b))
}

// leading is the run of digits, or of anything else, that s begins with.
func leading(s string) string {
	n := 1
	for n < len(s) && isDigit(s[n]) == isDigit(s[0]) {
		n++
	}
	return s[:n]
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// refreshSearch writes the search texts of a registry's rows again, after its name
// or address changed.
func refreshSearch(ctx context.Context, tx *tx, registryID int64) error {
	type line struct {
		id                int64
		text, name, where string
	}
	all, err := collect(ctx, tx, func(rows *sql.Rows, l *line) error { return rows.Scan(&l.id, &l.text, &l.name, &l.where) },
		"SELECT a.id, a.search, r.name, g.name || ' ' || g.address FROM assets a JOIN repositories r ON r.id = a.repository_id JOIN registries g ON g.id = a.registry_id WHERE a.registry_id = ?", registryID)
	if err != nil {
		return err
	}
	for _, l := range all {
		// A row's own part begins with the repository and its tag, after which no
		// slash occurs.
		own := strings.LastIndex(l.text, "/"+strings.ToLower(l.name)+":")
		if own < 0 || l.text[:own] == strings.ToLower(l.where) {
			continue
		}
		if _, err := tx.exec(ctx, "UPDATE assets SET search = ? WHERE id = ?", strings.ToLower(l.where)+l.text[own:], l.id); err != nil {
			return err
		}
	}
	return nil
}

// recountRows counts the live rows of images again, and whether containers use
// them. When an image comes or goes altogether, its vulnerabilities and packages
// count it, or no longer do. What a host said of an image gives way when a registry
// has it now.
func recountRows(ctx context.Context, tx *tx, images []int64) error {
	slices.Sort(images)
	type state struct {
		id      int64
		was, is bool
		forget  bool
	}
	for part := range slices.Chunk(slices.Compact(images), chunk) {
		in := numbers(part)
		all, err := collect(ctx, tx, func(rows *sql.Rows, s *state) error { return rows.Scan(&s.id, &s.was) }, "SELECT i.id, "+live+" FROM images i WHERE i.id IN ("+in+") ORDER BY i.id")
		if err != nil {
			return err
		}
		if _, err := tx.exec(ctx, `UPDATE images SET rows_live = (SELECT COUNT(*) FROM assets a WHERE a.image_id = images.id AND a.gone IS NULL),
			rows_local = (SELECT COUNT(*) FROM assets a WHERE a.image_id = images.id AND a.gone IS NULL AND a.source = 'local'),
			running = EXISTS (SELECT 1 FROM containers c WHERE c.image_id = images.id AND c.uses) WHERE id IN (`+in+")"); err != nil {
			return err
		}
		after, err := collect(ctx, tx, func(rows *sql.Rows, s *state) error { return rows.Scan(&s.id, &s.is, &s.forget) },
			"SELECT i.id, "+live+", i.attested AND i.rows_live > i.rows_local FROM images i WHERE i.id IN ("+in+") ORDER BY i.id")
		if err != nil {
			return err
		}
		for n, s := range after {
			switch was := all[n].was; {
			case was && !s.is:
				err = countImage(ctx, tx, s.id, -1)
			case !was && s.is:
				err = countImage(ctx, tx, s.id, 1)
			}
			if err == nil && s.forget {
				err = forget(ctx, tx, s.id, s.is)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// countImage adds delta to the number of live images of everything that the
// image has.
func countImage(ctx context.Context, tx *tx, image int64, delta int) error {
	if _, err := tx.exec(ctx, `UPDATE vulnerabilities SET images = images + ? WHERE id IN (
		SELECT f.vulnerability_id FROM image_packages ip JOIN findings f ON f.package_id = ip.package_id AND f.until IS NULL AND f.weight = 0
		WHERE ip.image_id = ? AND ip.until IS NULL)`, delta, image); err != nil {
		return err
	}
	_, err := tx.exec(ctx, "UPDATE packages SET images = images + ? WHERE id IN (SELECT package_id FROM image_packages WHERE image_id = ? AND until IS NULL)", delta, image)
	return err
}

// PurgeGone removes rows that have been gone from upstream since before a moment,
// and repositories that are gone and empty. What was found in the images stays as
// history. It returns the number of rows.
func (s *Store) PurgeGone(ctx context.Context, before time.Time) (rows int, err error) {
	err = s.write(ctx, func(tx *tx) error {
		n, err := tx.exec(ctx, "DELETE FROM assets WHERE gone < ?", at(before))
		if err != nil {
			return err
		}
		rows = int(n)
		_, err = tx.exec(ctx, "DELETE FROM repositories WHERE (gone < ? OR registry_id IN (SELECT g.id FROM registries g WHERE g.kind = 'local')) AND NOT EXISTS (SELECT 1 FROM assets a WHERE a.repository_id = repositories.id)", at(before))
		return err
	}, lockBench)
	return rows, err
}
