package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/pratique/pratique"
)

const live = "(i.rows_live > 0 OR i.running)"

// liveImage narrows a column with images' ids by the parts of a filter that speak
// of images. Few images are chosen first, and what they have is looked at; with
// many, it is asked of each row whether its image is one of them.
func liveImage(l *listing, column string, f pratique.FindingFilter, many bool) {
	if len(f.ImageIDs) > 0 {
		list, args := marks(f.ImageIDs)
		l.and(column+" IN (SELECT i.id FROM images i WHERE i.digest IN ("+list+"))", args...)
	}
	switch {
	case len(f.Registries) == 0 && !f.Newest:
	case many:
		l.and("EXISTS (SELECT 1 FROM assets a WHERE a.image_id = " + column + " AND " + rowsOf(f) + ")")
	default:
		l.and(column + " IN (SELECT a.image_id FROM assets a WHERE a.image_id IS NOT NULL AND " + rowsOf(f) + ")")
	}
	if f.Running {
		l.and(column + " IN (SELECT i.id FROM images i WHERE i.running)")
	}
}

// rowsOf is the condition of repository images by which a filter of findings
// chooses images.
func rowsOf(f pratique.FindingFilter) string {
	condition := "a.gone IS NULL"
	if len(f.Registries) > 0 {
		condition += " AND a.registry_id IN (" + numbers(f.Registries) + ")"
	}
	if f.Newest {
		condition += " AND a.newest"
	}
	return condition
}

// fewImages is how many images' packages are read in some hundred milliseconds.
const fewImages = 1500

// manyImages tells whether a filter leaves more than fewImages, by registry and
// newest tag.
func (s *Store) manyImages(ctx context.Context, f pratique.FindingFilter) (many bool, err error) {
	if len(f.Registries) == 0 && !f.Newest || len(f.ImageIDs) > 0 || f.Running {
		return false, nil
	}
	err = s.row(ctx, fmt.Sprintf("SELECT COUNT(*) > %d FROM (SELECT 1 FROM assets a WHERE %s LIMIT %d) x", fewImages, rowsOf(f), fewImages+1)).Scan(&many)
	return many, err
}

func ofImages(f pratique.FindingFilter) bool {
	return len(f.ImageIDs) > 0 || len(f.Registries) > 0 || f.Newest || f.Running
}

// systemTypes are the package types of distributions, for "IN (…)".
const systemTypes = "('deb', 'rpm', 'apk', 'alpm', 'opkg', 'ebuild', 'qpkg', 'pacman', 'xbps', 'eopkg')"

func ofPackage(l *listing, f pratique.FindingFilter) {
	in(l, "p.type", f.Types)
	if f.Vulnerable {
		l.and("p.v_count > 0")
	}
	if f.Package != "" {
		l.and("p.fold = ? AND p.name = ?", folded(f.Package), f.Package)
	}
	if f.System != f.Application {
		not := "NOT "
		if f.System {
			not = ""
		}
		l.and("p.type " + not + "IN " + systemTypes)
	}
}

func ranks(severities []pratique.Severity) []int {
	var all []int
	for _, s := range severities {
		all = append(all, s.Rank())
	}
	return all
}

const vulnerabilityRowColumns = "v.id, v.name, v.title, v.severity, v.score, v.fixable, v.epss_doc, v.kev, v.published, v.first_seen, v.last_seen, v.images"

func vulnerabilityTargets(id *int64, severity *int, published **time.Time, v *pratique.VulnerabilityRow) []any {
	return []any{id, &v.ID, &v.Title, severity, &v.Score, &v.Fixable, document{&v.EPSS}, document{&v.KEV}, intoOrNil{published}, into{&v.FirstSeen}, into{&v.LastSeen}, &v.Images}
}

func scanVulnerability(rows interface{ Scan(...any) error }, v *pratique.VulnerabilityRow, rest []any) (id int64, err error) {
	var severity int
	var published *time.Time
	if err := rows.Scan(append(vulnerabilityTargets(&id, &severity, &published, v), rest...)...); err != nil {
		return 0, err
	}
	v.Severity = ofRank(severity)
	if published != nil {
		v.Published = *published
	}
	return id, nil
}

// Vulnerabilities lists each vulnerability of live images once. Sorts: id,
// severity (the default, worst first), score, epss, images, firstSeen, lastSeen,
// published. Repositories is filled in by [Store.Vulnerability] only.
func (s *Store) Vulnerabilities(ctx context.Context, f pratique.FindingFilter, r pratique.PageRequest) (pratique.Page[pratique.VulnerabilityRow], error) {
	l := &listing{
		columns: vulnerabilityRowColumns, from: "FROM vulnerabilities v",
		sorts: map[string]string{"": "v.severity", "id": "v.name", "severity": "v.severity", "score": "v.score", "epss": "v.epss", "images": "v.images", "firstSeen": "v.first_seen", "lastSeen": "v.last_seen", "published": "COALESCE(v.published, 0)"},
		desc:  true, keys: []string{"v.id"},
	}
	weight := "f.weight = 0"
	if f.Uncounted {
		weight = "f.weight > 0"
	} else {
		l.and("v.images > 0")
		in(l, "v.severity", ranks(f.Severities))
	}
	l.words(f.Search, "v.name", "v.title")
	if f.Fixable {
		l.and("v.fixable")
	}
	if f.Exploited {
		l.and("v.likely")
	}
	if f.Uncounted || ofImages(f) || len(f.Types) > 0 || f.Package != "" || f.System != f.Application {
		if err := s.foundIn(ctx, l, f, weight); err != nil {
			return pratique.Page[pratique.VulnerabilityRow]{}, err
		}
	}
	return page(ctx, s, l, r, func(rows *sql.Rows, v *pratique.VulnerabilityRow, order []any) error {
		_, err := scanVulnerability(rows, v, order)
		return err
	})
}

// foundIn narrows the list of vulnerabilities by where they are found. From few
// images the way leads to their packages, and to what these have; of many, nearly
// every vulnerability is in the first that is looked at.
func (s *Store) foundIn(ctx context.Context, l *listing, f pratique.FindingFilter, weight string) error {
	many, err := s.manyImages(ctx, f)
	if err != nil {
		return err
	}
	inner := &listing{from: "findings f JOIN packages p ON p.id = f.package_id"}
	inner.and("f.until IS NULL AND " + weight)
	ofPackage(inner, f)
	held := &listing{from: "image_packages ip JOIN images i ON i.id = ip.image_id"}
	held.and("ip.until IS NULL AND " + live)
	liveImage(held, "ip.image_id", f, many)
	switch {
	case many:
		held.and("ip.package_id = f.package_id")
		inner.and("f.vulnerability_id = v.id")
		inner.and("EXISTS (SELECT 1 FROM "+held.from+held.condition()+")", held.args...)
		l.and("EXISTS (SELECT 1 FROM "+inner.from+inner.condition()+")", inner.args...)
		return nil
	case f.Uncounted || ofImages(f):
		inner.and("f.package_id IN (SELECT ip.package_id FROM "+held.from+held.condition()+")", held.args...)
	}
	l.and("v.id IN (SELECT f.vulnerability_id FROM "+inner.from+inner.condition()+")", inner.args...)
	return nil
}

// Vulnerability is one with the packages that have it, or had it: then Findings is
// empty. The images are listed by [Store.Assets] with its id as filter.
func (s *Store) Vulnerability(ctx context.Context, name string) (v pratique.VulnerabilityDetail, err error) {
	id, err := scanVulnerability(s.row(ctx, "SELECT "+vulnerabilityRowColumns+" FROM vulnerabilities v WHERE v.name = ?", name), &v.VulnerabilityRow, nil)
	if err != nil {
		return v, found(err, "vulnerability", name)
	}
	if err := s.row(ctx, "SELECT COUNT(*) FILTER (WHERE a.source = 'registry'), COUNT(*) FILTER (WHERE a.source = 'local') FROM assets a WHERE a.gone IS NULL AND a.image_id IN ("+imagesWith+")", name).Scan(&v.Repositories, &v.Local); err != nil {
		return v, err
	}
	if err := s.row(ctx, "SELECT COUNT(*) FROM containers c WHERE c.image_id IN ("+imagesWith+")", name).Scan(&v.Containers); err != nil {
		return v, err
	}
	v.Findings, err = collect(ctx, s, func(rows *sql.Rows, f *pratique.Finding) error {
		var d description
		var r ruling
		var pkg int64
		targets, finish := packageTargets(&pkg, &f.Package)
		if err := rows.Scan(append(targets, document{&d}, document{&r})...); err != nil {
			return err
		}
		finish()
		f.ID, f.EPSS, f.KEV = name, v.EPSS, v.KEV
		d.into(f)
		r.into(f)
		return nil
	}, "SELECT "+packageColumns+`, o.document, f.document FROM findings f JOIN packages p ON p.id = f.package_id JOIN descriptions o ON o.id = f.description_id
		WHERE f.vulnerability_id = ? AND f.until IS NULL ORDER BY f.severity DESC, p.name, p.version LIMIT 1000`, id)
	if err != nil {
		return v, err
	}
	history, err := s.Events(ctx, pratique.EventFilter{Vulnerability: name}, pratique.PageRequest{Limit: 200})
	v.History = history.Items
	return v, err
}

const placedFindingColumns = "f.id, i.digest, v.name, v.epss_doc, v.kev, o.document, f.document, f.since, f.until, ip.since, ip.until, " + packageColumns + ", " + placeColumns

const placedFindingFrom = `FROM findings f JOIN vulnerabilities v ON v.id = f.vulnerability_id JOIN descriptions o ON o.id = f.description_id
	JOIN packages p ON p.id = f.package_id JOIN image_packages ip ON ip.package_id = p.id JOIN images i ON i.id = ip.image_id`

// scanPlacedFinding joins the two intervals: that in which the package had the
// vulnerability, and that in which the image is known to hold the package.
func scanPlacedFinding(rows *sql.Rows, f *pratique.PlacedFinding, layers []pratique.Layer, order []any) error {
	var d description
	var r ruling
	var held, pkg int64
	var heldUntil *time.Time
	var layer int
	var place packagePlace
	p := &f.Package
	targets, finish := packageTargets(&pkg, p)
	all := append([]any{&f.RowID, &f.ImageID, &f.ID, document{&f.EPSS}, document{&f.KEV}, document{&d}, document{&r}, into{&f.Since}, intoOrNil{&f.Until}, &held, intoOrNil{&heldUntil}}, targets...)
	all = append(all, &p.Path, &layer, document{&place})
	if err := rows.Scan(append(all, order...)...); err != nil {
		return err
	}
	finish()
	d.into(&f.Finding)
	r.into(&f.Finding)
	placePackage(p, layer, place, layers)
	if since := fromMicros(held); since.After(f.Since) {
		f.Since = since
	}
	if heldUntil != nil && (f.Until == nil || heldUntil.Before(*f.Until)) {
		f.Until = heldUntil
	}
	return nil
}

// Findings lists vulnerabilities in the packages of images, one row for each
// place. Sorts: severity (the default, worst first), id, package, epss, since.
func (s *Store) Findings(ctx context.Context, f pratique.FindingFilter, r pratique.PageRequest) (pratique.Page[pratique.PlacedFinding], error) {
	layers, err := s.layersOfOne(ctx, f.ImageIDs)
	if err != nil {
		return pratique.Page[pratique.PlacedFinding]{}, err
	}
	many, err := s.manyImages(ctx, f)
	if err != nil {
		return pratique.Page[pratique.PlacedFinding]{}, err
	}
	return page(ctx, s, findingList(f, many), r, func(rows *sql.Rows, v *pratique.PlacedFinding, order []any) error {
		return scanPlacedFinding(rows, v, layers, order)
	})
}

func findingList(f pratique.FindingFilter, many bool) *listing {
	l := &listing{
		columns: placedFindingColumns, from: placedFindingFrom,
		sorts: map[string]string{"": "f.severity", "severity": "f.severity", "id": "v.name", "package": "p.name", "epss": "v.epss", "since": "f.since"},
		desc:  true, keys: []string{"f.id", "ip.image_id", "ip.path"},
	}
	l.and("f.until IS NULL AND ip.until IS NULL")
	if f.Uncounted {
		l.and("f.weight > 0")
	} else {
		l.and("f.weight = 0")
	}
	in(l, "f.severity", ranks(f.Severities))
	if f.Vulnerability != "" {
		l.and("v.name = ?", f.Vulnerability)
	}
	l.words(f.Search, "v.name", "v.title", "p.name", "ip.path")
	if f.Fixable {
		l.and("f.fixable")
	}
	if f.Exploited {
		l.and("v.likely")
	}
	ofPackage(l, f)
	if len(f.ImageIDs) == 0 {
		l.and(live)
	}
	liveImage(l, "ip.image_id", f, many)
	return l
}

// CountIn counts findings of a category, or packages (CategorySoftware), in the
// images of a filter: each content once, whatever number of rows lead to it.
func (s *Store) CountIn(ctx context.Context, category pratique.Category, images pratique.AssetFilter, f pratique.FindingFilter) (n int, err error) {
	chosen, _, err := s.assets(ctx, images)
	if err != nil {
		return 0, err
	}
	var l *listing
	column := "x.image_id"
	switch category {
	case pratique.CategoryVulnerability:
		l, column = findingList(f, false), "ip.image_id"
	case pratique.CategorySoftware:
		l, column = componentList(f), "ip.image_id"
	case pratique.CategorySecret:
		l = secretList(f, false)
	case pratique.CategoryMalware:
		l = malwareList(f, false)
	default:
		return 0, pratique.Errorf(pratique.CodeInvalid, "there are no findings of category %q", category)
	}
	l.and(column+" IN (SELECT a.image_id "+chosen.from+chosen.condition()+")", chosen.args...)
	err = s.row(ctx, "SELECT COUNT(*) "+l.from+l.condition(), l.args...).Scan(&n)
	return n, err
}

// layersOfOne are the layers when a list is about one image; in lists about
// several, a row names the layer by its index only.
func (s *Store) layersOfOne(ctx context.Context, images []pratique.Digest) ([]pratique.Layer, error) {
	if len(images) != 1 {
		return nil, nil
	}
	return s.layersOf(ctx, images[0])
}

// findingsAt are all findings of an image as they stood at a moment, worst first.
func (s *Store) findingsAt(ctx context.Context, imageID pratique.Digest, moment time.Time) ([]pratique.PlacedFinding, error) {
	layers, err := s.layersOf(ctx, imageID)
	if err != nil {
		return nil, err
	}
	m := at(moment)
	return collect(ctx, s, func(rows *sql.Rows, f *pratique.PlacedFinding) error { return scanPlacedFinding(rows, f, layers, nil) },
		"SELECT "+placedFindingColumns+" "+placedFindingFrom+` WHERE i.digest = ? AND f.since <= ? AND (f.until IS NULL OR f.until > ?) AND ip.since <= ? AND (ip.until IS NULL OR ip.until > ?)
		ORDER BY f.severity DESC, v.name, p.name, p.version, ip.path`, imageID, m, m, m, m)
}

// Compare tells what changed from one image at a moment to another, or the same,
// at another moment. A finding in another version of the same package is the same
// finding. What does not count is left out.
func (s *Store) Compare(ctx context.Context, before pratique.Digest, beforeAt time.Time, after pratique.Digest, afterAt time.Time) (c pratique.Comparison, err error) {
	old, err := s.findingsAt(ctx, before, beforeAt)
	if err != nil {
		return c, err
	}
	current, err := s.findingsAt(ctx, after, afterAt)
	if err != nil {
		return c, err
	}
	type key struct{ id, kind, name string }
	keyOf := func(f pratique.PlacedFinding) key { return key{f.ID, f.Package.Type, f.Package.Name} }
	counts := func(f pratique.PlacedFinding) bool { return f.Suppressed == "" && !f.Unimportant }
	was, is := map[key]bool{}, map[key]bool{}
	for _, f := range old {
		was[keyOf(f)] = was[keyOf(f)] || counts(f)
	}
	for _, f := range current {
		if !counts(f) || is[keyOf(f)] {
			continue
		}
		is[keyOf(f)] = true
		if was[keyOf(f)] {
			c.Unchanged = append(c.Unchanged, f.Finding)
		} else {
			c.New = append(c.New, f.Finding)
		}
	}
	for _, f := range old {
		if counts(f) && !is[keyOf(f)] {
			is[keyOf(f)] = true
			c.Fixed = append(c.Fixed, f.Finding)
		}
	}
	return c, nil
}

// ExposedAt are the images that were known to have a vulnerability at a moment,
// whether they still exist or not.
func (s *Store) ExposedAt(ctx context.Context, vulnerability string, moment time.Time) ([]pratique.Digest, error) {
	m := at(moment)
	return collect(ctx, s, one[pratique.Digest], `SELECT DISTINCT i.digest FROM vulnerabilities v JOIN findings f ON f.vulnerability_id = v.id JOIN image_packages ip ON ip.package_id = f.package_id JOIN images i ON i.id = ip.image_id
		WHERE v.name = ? AND f.since <= ? AND (f.until IS NULL OR f.until > ?) AND ip.since <= ? AND (ip.until IS NULL OR ip.until > ?) ORDER BY i.digest`, vulnerability, m, m, m, m)
}

// Events lists the history of findings, newest first.
func (s *Store) Events(ctx context.Context, f pratique.EventFilter, r pratique.PageRequest) (pratique.Page[pratique.FindingEvent], error) {
	l := &listing{
		columns: "e.id, e.at, e.category, e.change, e.cause, COALESCE(e.adoption_id, 0), COALESCE(d.digest, ''), COALESCE(v.name, ''), COALESCE(i.digest, ''), e.before, e.after, COALESCE(p.id, 0), COALESCE(p.type, ''), COALESCE(p.name, ''), COALESCE(p.version, ''), COALESCE(p.ecosystem, '')",
		from:    "FROM events e LEFT JOIN adoptions d ON d.id = e.adoption_id LEFT JOIN vulnerabilities v ON v.id = e.vulnerability_id LEFT JOIN images i ON i.id = e.image_id LEFT JOIN packages p ON p.id = e.package_id",
		sorts:   map[string]string{"": "e.id"}, desc: true, keys: []string{"e.id"},
	}
	if f.ImageID != "" {
		l.and("(i.digest = ? OR e.package_id IN (SELECT ip.package_id FROM image_packages ip JOIN images x ON x.id = ip.image_id WHERE x.digest = ?))", f.ImageID, f.ImageID)
	}
	if f.Vulnerability != "" {
		l.and("v.name = ?", f.Vulnerability)
	}
	if f.Package != 0 {
		l.and("e.package_id = ?", f.Package)
	}
	if f.Adoption != 0 {
		l.and("e.adoption_id = ?", f.Adoption)
	}
	in(l, "e.change", f.Changes)
	in(l, "e.cause", f.Causes)
	in(l, "e.category", f.Categories)
	l.during("e.at", f.At)
	return page(ctx, s, l, r, func(rows *sql.Rows, e *pratique.FindingEvent, order []any) error {
		var pkg int64
		var p pratique.Package
		if err := rows.Scan(append([]any{&e.ID, into{&e.At}, &e.Category, &e.Change, &e.Cause, &e.Adoption, &e.Bundle, &e.Vulnerability, &e.ImageID, &e.Before, &e.After, &pkg, &p.Type, &p.Name, &p.Version, &p.Ecosystem}, order...)...); err != nil {
			return err
		}
		if pkg != 0 {
			e.Package = &p
		}
		return nil
	})
}

// Components lists the packages of live images. Sorts: name (the default),
// images, vulnerabilities, worst. Severities choose by the worst finding; Fixable
// and Exploited do not narrow it.
func (s *Store) Components(ctx context.Context, f pratique.FindingFilter, r pratique.PageRequest) (pratique.Page[pratique.ComponentRow], error) {
	l := &listing{
		columns: componentColumns, from: componentFrom,
		sorts: map[string]string{"": "p.name", "name": "p.name", "images": "p.images", "vulnerabilities": "p.v_count", "worst": "p.v_worst"},
		keys:  []string{"p.id"},
	}
	l.and("p.images > 0")
	in(l, "p.v_worst", ranks(f.Severities))
	l.words(f.Search, "p.name", "p.version")
	ofPackage(l, f)
	if ofImages(f) {
		many, err := s.manyImages(ctx, f)
		if err != nil {
			return pratique.Page[pratique.ComponentRow]{}, err
		}
		inner := &listing{}
		inner.and("ip.until IS NULL")
		liveImage(inner, "ip.image_id", f, many)
		if many {
			inner.and("ip.package_id = p.id")
			l.and("EXISTS (SELECT 1 FROM image_packages ip"+inner.condition()+")", inner.args...)
		} else {
			l.and("p.id IN (SELECT ip.package_id FROM image_packages ip"+inner.condition()+")", inner.args...)
		}
	}
	return page(ctx, s, l, r, func(rows *sql.Rows, v *pratique.ComponentRow, order []any) error {
		return scanComponent(rows, v, order)
	})
}

const (
	componentColumns = packageColumns + ", o.document, p.images, p.v_count, p.v_worst"
	componentFrom    = "FROM packages p LEFT JOIN distros o ON o.id = p.distro_id"
)

func scanComponent(row interface{ Scan(...any) error }, v *pratique.ComponentRow, order []any) error {
	var worst int
	var distro pratique.Distro
	targets, finish := packageTargets(&v.ID, &v.Package)
	if err := row.Scan(append(append(targets, document{&distro}, &v.Images, &v.Vulnerabilities, &worst), order...)...); err != nil {
		return err
	}
	finish()
	v.Distro, v.Worst = cmp.Or(distro.Name, distro.ID), ofRank(worst)
	return nil
}

// seizedList is what the lists of secrets and of malware share.
func seizedList(table string, f pratique.FindingFilter, many bool) *listing {
	l := &listing{
		columns: "x.id, i.digest, x.document, x.since, x.until", from: "FROM " + table + " x JOIN images i ON i.id = x.image_id",
		sorts: map[string]string{"": "x.severity", "severity": "x.severity", "path": "x.path", "since": "x.since"},
		desc:  true, keys: []string{"x.id"},
	}
	narrowSeized(l, "x", f, many)
	in(l, "x.severity", ranks(f.Severities))
	for _, word := range searchWords(f.Search) {
		l.and(`x.search LIKE ? ESCAPE '\'`, like(word))
	}
	if f.Distinct { // the earliest row stands for all
		earlier := &listing{}
		earlier.and("y.identity = x.identity AND y.id < x.id")
		narrowSeized(earlier, "y", f, many)
		l.and("NOT EXISTS (SELECT 1 FROM "+table+" y JOIN images i ON i.id = y.image_id"+earlier.condition()+")", earlier.args...)
	}
	return l
}

// narrowSeized narrows by what may differ from image to image.
func narrowSeized(l *listing, row string, f pratique.FindingFilter, many bool) {
	l.and(row + ".until IS NULL")
	if f.Uncounted {
		l.and(row + ".weight > 0")
	} else {
		l.and(row + ".weight = 0")
	}
	if len(f.ImageIDs) == 0 {
		l.and(live)
	}
	liveImage(l, row+".image_id", f, many)
}

// countHolders fills in how many live images have the same as each of n rows.
func (s *Store) countHolders(ctx context.Context, table string, n int, row func(i int) (id int64, images *int)) error {
	places := make(map[int64]*int, n)
	ids := make([]int64, n)
	for i := range ids {
		id, images := row(i)
		ids[i], places[id] = id, images
	}
	rows, err := s.query(ctx, "SELECT x.id, COUNT(DISTINCT y.image_id) FROM "+table+" x JOIN "+table+" y ON y.identity = x.identity AND y.until IS NULL AND y.weight = x.weight JOIN images i ON i.id = y.image_id AND "+live+
		" WHERE x.id IN ("+numbers(ids)+") GROUP BY x.id")
	if err != nil {
		return err
	}
	for rows.Next() {
		var id int64
		var images int
		if err := rows.Scan(&id, &images); err != nil {
			return closed(rows, err)
		}
		*places[id] = images
	}
	return closed(rows, rows.Err())
}

func secretList(f pratique.FindingFilter, many bool) *listing {
	l := seizedList("secrets", f, many)
	l.sorts["rule"] = "x.rule"
	in(l, "x.type", f.Types)
	return l
}

func malwareList(f pratique.FindingFilter, many bool) *listing {
	l := seizedList("malware", f, many)
	l.sorts["name"] = "x.name"
	in(l, "x.engine", f.Types)
	return l
}

// Secrets lists secrets in images. Sorts: severity (the default, worst first),
// path, rule, since.
func (s *Store) Secrets(ctx context.Context, f pratique.FindingFilter, r pratique.PageRequest) (pratique.Page[pratique.PlacedSecret], error) {
	many, err := s.manyImages(ctx, f)
	if err != nil {
		return pratique.Page[pratique.PlacedSecret]{}, err
	}
	p, err := page(ctx, s, secretList(f, many), r, func(rows *sql.Rows, v *pratique.PlacedSecret, order []any) error {
		return rows.Scan(append([]any{&v.RowID, &v.ImageID, document{&v.Secret}, into{&v.Since}, intoOrNil{&v.Until}}, order...)...)
	})
	if err != nil || !f.Distinct {
		return p, err
	}
	return p, s.countHolders(ctx, "secrets", len(p.Items), func(i int) (int64, *int) { return p.Items[i].RowID, &p.Items[i].Images })
}

// Malware lists malicious files in images. Sorts: severity (the default, worst
// first), path, name, since.
func (s *Store) Malware(ctx context.Context, f pratique.FindingFilter, r pratique.PageRequest) (pratique.Page[pratique.PlacedMalware], error) {
	many, err := s.manyImages(ctx, f)
	if err != nil {
		return pratique.Page[pratique.PlacedMalware]{}, err
	}
	p, err := page(ctx, s, malwareList(f, many), r, func(rows *sql.Rows, v *pratique.PlacedMalware, order []any) error {
		return rows.Scan(append([]any{&v.RowID, &v.ImageID, document{&v.Malware}, into{&v.Since}, intoOrNil{&v.Until}}, order...)...)
	})
	if err != nil || !f.Distinct {
		return p, err
	}
	return p, s.countHolders(ctx, "malware", len(p.Items), func(i int) (int64, *int) { return p.Items[i].RowID, &p.Items[i].Images })
}

// VulnerabilityIDs are those that anything was ever found to have.
func (s *Store) VulnerabilityIDs(ctx context.Context) ([]string, error) {
	return collect(ctx, s, one[string], "SELECT name FROM vulnerabilities ORDER BY id")
}
