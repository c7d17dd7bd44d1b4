package store

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"github.com/pratique/pratique"
)

// digestOf is 16 bytes of SHA-256 over the parts, in hexadecimal. Images are
// written by attackers, so it has to be one in which nobody finds collisions.
func digestOf(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(numbers([]int64{int64(len(p))}) + ":" + p))
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

func digestOfJSON(v any) (string, error) {
	b, err := json.Marshal(v)
	return digestOf(string(b)), err
}

// folded is a superset of the ecosystems' own rules on which spellings of a name
// are the same package: what is folded apart is apart everywhere.
func folded(name string) string {
	name = strings.TrimSuffix(strings.TrimPrefix(strings.ToLower(name), "https://"), ".git")
	var b strings.Builder
	run := false
	for _, r := range name {
		if r == '-' || r == '_' || r == '.' {
			run = true
			continue
		}
		if run {
			b.WriteByte('-')
			run = false
		}
		b.WriteRune(r)
	}
	if run {
		b.WriteByte('-')
	}
	return bounded(b.String(), maxIndexed)
}

// family is an ecosystem without its release.
func family(ecosystem string) string {
	f, _, _ := strings.Cut(ecosystem, ":")
	return f
}

// familyOf is the family of ecosystems in which a package is looked up.
func familyOf(purlType, ecosystem string) string {
	if pratique.IsSystem(purlType) {
		return family(ecosystem)
	}
	return pratique.EcosystemOf(purlType)
}

// packageDetails are the parts of a package that are the same wherever it lies,
// beside those with columns of their own.
type packageDetails struct {
	PURL     string   `json:"purl,omitempty"`
	Licenses []string `json:"licenses,omitempty"`
	FoundBy  string   `json:"foundBy,omitempty"`
}

// packagePlace are the parts that differ from image to image, beside path and
// layer.
type packagePlace struct {
	Path       string `json:"path,omitempty"` // where it is too long for its column
	Line       int    `json:"line,omitempty"`
	Scope      string `json:"scope,omitempty"`
	Declared   bool   `json:"declared,omitempty"`
	OwnedBy    string `json:"ownedBy,omitempty"`
	OriginPath string `json:"originPath,omitempty"` // where it is not the package's path
	DeletedBy  *int   `json:"deletedBy,omitempty"`
}

// placed is one package of a report, and its row.
type placed struct {
	pratique.Package
	identity string
	id       int64
	isNew    bool
}

// internDistro returns the row of a distribution, exactly as its os-release
// states it; NULL for none.
func internDistro(ctx context.Context, tx *tx, d *pratique.Distro) (sql.NullInt64, error) {
	if d == nil {
		return sql.NullInt64{}, nil
	}
	plain := *d
	plain.Origin, plain.Ended = nil, false
	label, err := digestOfJSON(plain)
	if err != nil {
		return sql.NullInt64{}, err
	}
	ids, err := intern(ctx, tx, "distros", "label", []string{"label", "document"}, []string{label}, func(string) []any { return []any{label, document{plain}} })
	return sql.NullInt64{Int64: ids[label].id, Valid: true}, err
}

// interned is the row of a key.
type interned struct {
	id    int64
	isNew bool
}

// intern returns the rows of keys in a table, and inserts those that are missing.
// The caller holds the lock that keeps others from inserting the same.
func intern(ctx context.Context, tx *tx, table, column string, columns []string, keys []string, row func(key string) []any) (map[string]interned, error) {
	keys = slices.Clone(keys)
	slices.Sort(keys)
	keys = slices.Compact(keys)
	ids := make(map[string]interned, len(keys))
	look := func(keys []string, isNew bool) error {
		for part := range slices.Chunk(keys, chunk) {
			in, args := marks(part)
			rows, err := tx.query(ctx, "SELECT id, "+column+" FROM "+table+" WHERE "+column+" IN ("+in+")", args...)
			if err != nil {
				return err
			}
			for rows.Next() {
				var id int64
				var key string
				if err := rows.Scan(&id, &key); err != nil {
					return closed(rows, err)
				}
				ids[key] = interned{id, isNew}
			}
			if err := closed(rows, rows.Err()); err != nil {
				return err
			}
		}
		return nil
	}
	if err := look(keys, false); err != nil {
		return nil, err
	}
	var missing []string
	var rows [][]any
	for _, key := range keys {
		if _, ok := ids[key]; !ok {
			missing = append(missing, key)
			rows = append(rows, row(key))
		}
	}
	if len(missing) == 0 {
		return ids, nil
	}
	if err := tx.engine.load(ctx, tx, table, columns, rows); err != nil {
		return nil, err
	}
	return ids, look(missing, true)
}

// closed closes rows and returns the first error.
func closed(rows *sql.Rows, err error) error {
	return cmp.Or(err, rows.Close())
}

// internPackages gives each package of a report its row. Rows of new packages are
// pending when what is in force did not judge them.
func internPackages(ctx context.Context, tx *tx, report *pratique.Report, stamp int64, pending bool) ([]placed, error) {
	distro, err := internDistro(ctx, tx, report.Image.Distro)
	if err != nil {
		return nil, err
	}
	all := make([]placed, len(report.Packages))
	keys := make([]string, len(all))
	rows := make(map[string][]any, len(all))
	for i, p := range report.Packages {
		owned := p.OwnedBy != ""
		with := sql.NullInt64{}
		if owned || pratique.IsSystem(p.Type) {
			with = distro
		}
		var source pratique.Source
		if p.Source != nil {
			source = *p.Source
		}
		details := packageDetails{PURL: p.PURL, Licenses: p.Licenses, FoundBy: p.FoundBy}
		own, err := digestOfJSON(details)
		if err != nil {
			return nil, err
		}
		ownership := ""
		if owned {
			ownership = "owned"
		}
		identity := digestOf(p.Type, p.Name, p.Version, p.Arch, p.Ecosystem, source.Name, source.Version, p.Module, numbers([]int64{with.Int64}), ownership, own)
		all[i] = placed{Package: p, identity: identity}
		keys[i] = identity
		if rows[identity] == nil {
			rows[identity] = []any{identity, p.Type, p.Name, p.Version, p.Arch, p.Ecosystem, source.Name, source.Version, p.Module, with, owned, document{details},
				folded(p.Name), folded(source.Name), !pending, stamp, pending, 0, 0, -1}
		}
	}
	ids, err := intern(ctx, tx, "packages", "identity",
		[]string{"identity", "type", "name", "version", "arch", "ecosystem", "source", "source_version", "module", "distro_id", "owned", "document", "fold", "source_fold", "judged", "stamp", "pending", "images", "v_count", "v_worst"},
		keys, func(key string) []any { return rows[key] })
	if err != nil {
		return nil, err
	}
	for i := range all {
		all[i].id, all[i].isNew = ids[all[i].identity].id, ids[all[i].identity].isNew
	}
	return all, nil
}

const packageColumns = "p.id, p.type, p.name, p.version, p.arch, p.ecosystem, p.source, p.source_version, p.module, p.document"

// packageTargets scans packageColumns; finish puts together what it scanned.
func packageTargets(id *int64, p *pratique.Package) (targets []any, finish func()) {
	source, details := &pratique.Source{}, &packageDetails{}
	return []any{id, &p.Type, &p.Name, &p.Version, &p.Arch, &p.Ecosystem, &source.Name, &source.Version, &p.Module, document{details}}, func() {
		if *source != (pratique.Source{}) {
			p.Source = source
		}
		p.PURL, p.Licenses, p.FoundBy = details.PURL, details.Licenses, details.FoundBy
	}
}

// link is where a package lies in an image.
type link struct {
	pkg   int64
	path  string
	layer int
}

// linkPackages makes an image hold exactly these packages. What it held before and
// does not any longer was the work of older analyzers: its interval ends. It
// returns the packages that came and went.
func linkPackages(ctx context.Context, tx *tx, image int64, all []placed) (came, went []int64, err error) {
	type pair struct {
		pkg  int64
		path string
	}
	before, err := collect(ctx, tx, func(rows *sql.Rows, l *link) error { return rows.Scan(&l.pkg, &l.path, &l.layer) },
		"SELECT package_id, path, layer FROM image_packages WHERE image_id = ? AND until IS NULL", image)
	if err != nil {
		return nil, nil, err
	}
	old, held := map[pair]int{}, map[int64]bool{}
	for _, l := range before {
		old[pair{l.pkg, l.path}] = l.layer
		held[l.pkg] = true
	}
	holds, seen := map[int64]bool{}, map[pair]bool{}
	var fresh [][]any
	for _, p := range all {
		key := pair{p.id, indexable(p.Path)}
		if seen[key] {
			continue
		}
		seen[key], holds[p.id] = true, true
		layer, where := placeOf(p.Package)
		was, known := old[key]
		switch {
		case !known:
			fresh = append(fresh, []any{image, p.id, key.path, layer, where, at(tx.now)})
		case was != layer:
			if _, err := tx.exec(ctx, "UPDATE image_packages SET layer = ?, place = ? WHERE image_id = ? AND package_id = ? AND path = ? AND until IS NULL", layer, where, image, p.id, key.path); err != nil {
				return nil, nil, err
			}
		}
	}
	if err := tx.engine.load(ctx, tx, "image_packages", []string{"image_id", "package_id", "path", "layer", "place", "since"}, fresh); err != nil {
		return nil, nil, err
	}
	for key := range old {
		if !seen[key] {
			if _, err := tx.exec(ctx, "UPDATE image_packages SET until = ? WHERE image_id = ? AND package_id = ? AND path = ? AND until IS NULL", at(tx.now), image, key.pkg, key.path); err != nil {
				return nil, nil, err
			}
		}
	}
	for id := range holds {
		if !held[id] {
			came = append(came, id)
		}
	}
	for id := range held {
		if !holds[id] {
			went = append(went, id)
		}
	}
	return came, went, nil
}

func placeOf(p pratique.Package) (layer int, where any) {
	place := packagePlace{Line: p.Line, Scope: p.Scope, Declared: p.Declared, OwnedBy: p.OwnedBy}
	if len(p.Path) > maxIndexed {
		place.Path = p.Path
	}
	layer = -1
	if p.Origin != nil {
		layer, place.DeletedBy = p.Origin.Layer, p.Origin.DeletedBy
		if p.Origin.Path != p.Path {
			place.OriginPath = p.Origin.Path
		}
	}
	if place != (packagePlace{}) {
		where = document{place}
	}
	return layer, where
}
