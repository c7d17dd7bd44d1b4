package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pratique/pratique"
)

const currentRules = "rules"

// SetRules says which analyzers and rule sets are the current ones. Images that
// others read are recommended to be read again.
func (s *Store) SetRules(ctx context.Context, rules string) error {
	return s.SetSetting(ctx, currentRules, rules)
}

// sums over severities.
var (
	sumVulnerabilities = sumOf("v_")
	sumSecrets         = sumOf("s_")
	sumMalware         = sumOf("m_")
)

// What filters and reasons are made of. The bits of assets.traits below traitFixable
// are severities, by rank.
const (
	ofInterest   = "(a.newest OR a.running)"
	traitFixable = 1 << 6
	traitMustFix = 1 << 7
	traitUrgent  = 1 << 8
	// olderRules has the current rules as its argument, twice.
	olderRules = "(a.scanned_at = 0 OR a.status = 'failed' OR CAST(? AS TEXT) <> '' AND EXISTS (SELECT 1 FROM images i WHERE i.id = a.image_id AND i.rules <> ?))"
)

func trait(bit int) string { return fmt.Sprintf("(a.traits & %d) <> 0", bit) }

func sumOf(kind string) string {
	all := make([]string, len(severityColumns))
	for i, c := range severityColumns {
		all[i] = "i." + kind + c
	}
	return "(" + strings.Join(all, " + ") + ")"
}

// What hosts have of a row's content. Contents that nobody could identify have their
// row alone.
const (
	hostsOfRow = `CASE WHEN a.image_id IS NULL THEN (SELECT COUNT(DISTINCT x.host_id) FROM host_images x WHERE x.asset_id = a.id)
		ELSE (SELECT COUNT(DISTINCT x.host_id) FROM host_images x WHERE x.image_id = a.image_id) END`
	containersOfRow = "(SELECT COUNT(*) FROM containers x WHERE x.image_id = a.image_id)"
	ofHosts         = "a.source, a.reason, COALESCE(i.rows_live - i.rows_local, 0), " + hostsOfRow + ", " + containersOfRow + ", (SELECT COUNT(*) FROM containers x WHERE x.image_id = a.image_id AND x.running)"
)

// nameOfRow is the name of a row's repository.
const nameOfRow = "(SELECT x.name FROM repositories x WHERE x.id = a.repository_id)"

// assetFrom: lists of assets begin here.
const assetFrom = `FROM assets a JOIN repositories r ON r.id = a.repository_id JOIN registries g ON g.id = a.registry_id LEFT JOIN images i ON i.id = a.image_id `

// maxPushedDays is longer ago than anything was pushed.
const maxPushedDays = 100 * 366

// assets narrows the list of repository images.
func (s *Store) assets(ctx context.Context, f pratique.AssetFilter) (*listing, string, error) {
	rules, err := s.rules(ctx)
	if err != nil {
		return nil, "", err
	}
	return s.assetsBy(f, rules), rules, nil
}

// assetsBy is assets, with the rules that are the current ones. Conditions and
// orders speak of columns of assets alone, so that rows are found, counted and sorted
// without those of the tables beside it.
func (s *Store) assetsBy(f pratique.AssetFilter, rules string) *listing {
	l := &listing{
		columns: assetColumns + ", g.name, g.kind, g.address, r.id, r.namespace, COALESCE(i.distro_name, ''), COALESCE(i.status, 'not_scanned'), i.scanned_at, COALESCE(i.scan_id, 0), COALESCE(i.risk, 0), COALESCE(i.running, FALSE), COALESCE(i.rules, ''), EXISTS (SELECT 1 FROM licences l WHERE l.image_id = a.image_id), c.progress, c.error, " + ofHosts + ", " + nullableCounters,
		from:    assetFrom + "LEFT JOIN scans c ON c.id = i.scan_id",
		sorts: map[string]string{
			"": "a.id", "name": nameOfRow, "tag": "a.tag", "registry": "g.name",
			"size": "a.size", "created": "COALESCE(a.created, 0)", "pushed": "COALESCE(a.pushed, 0)", "firstSeen": "a.first_seen", "synced": "a.last_seen", "scanned": "a.scanned_at",
			"status": "a.status", "worst": "a.worst", "vulnerabilities": "a.vulnerabilities", "critical": "a.critical", "secrets": "a.secrets", "malware": "a.malware", "packages": "a.packages",
			"hosts": hostsOfRow, "containers": containersOfRow,
		},
		desc:   true,
		keys:   []string{"a.id"},
		pick:   "a.id",
		narrow: "FROM assets a",
		// Half of the time that a name asked for row by row takes.
		narrowBy: map[string]string{"registry": "FROM assets a JOIN registries g ON g.id = a.registry_id"},
	}
	if f.Gone {
		l.and("a.gone IS NOT NULL")
	} else {
		l.and("a.gone IS NULL")
	}
	switch f.Source { // the literal lets the index of rows on hosts be used
	case pratique.SourceAll:
	case pratique.SourceLocal:
		l.and("a.source = 'local'")
	default:
		l.and("a.source = 'registry'")
		l.sorts["name"] = "r.name"
		l.narrowBy["name"] = "FROM repositories r JOIN assets a ON a.repository_id = r.id"
	}
	l.inIDs("a.id", f.IDs)
	if len(f.Exclude) > 0 {
		l.and("a.id NOT IN (" + numbers(f.Exclude) + ")")
	}
	inOther(l, "a.image_id", "images", "digest", f.ImageIDs)
	in(l, "a.status", f.Status)
	assetRisk(l, f)
	inOther(l, "a.registry_id", "registries", "kind", f.Kinds)
	l.inIDs("a.registry_id", f.Registries)
	inOther(l, "a.repository_id", "repositories", "namespace", f.Namespaces)
	l.inIDs("a.repository_id", f.Repositories)
	in(l, "a.distro", f.OS)
	in(l, "a.architecture", f.Architectures)
	for _, word := range searchWords(f.Search) {
		condition, arg := s.engine.contains(word)
		l.and(condition, arg)
	}
	if f.Newest {
		l.and("a.newest")
	}
	if f.Running {
		l.and("a.running")
	}
	if f.HighPriority {
		l.and(ofInterest + " AND " + trait(traitUrgent))
	}
	if f.Recommended {
		l.and(ofInterest+" AND "+olderRules, rules, rules)
	}
	if f.Fixable {
		l.and(trait(traitFixable))
	}
	if f.MustFix {
		l.and(trait(traitMustFix))
	}
	if f.Licensed != nil {
		l.and("EXISTS (SELECT 1 FROM licences l WHERE l.image_id = a.image_id) = ?", *f.Licensed)
	}
	if f.Vulnerability != "" {
		l.and("a.image_id IN ("+imagesWith+")", f.Vulnerability)
	}
	if f.Package != "" {
		l.and("a.image_id IN (SELECT ip.image_id FROM packages p JOIN image_packages ip ON ip.package_id = p.id AND ip.until IS NULL WHERE p.fold = ? AND p.name = ?)", folded(f.Package), f.Package)
	}
	if len(f.Components) > 0 {
		l.and("a.image_id IN (SELECT ip.image_id FROM image_packages ip WHERE ip.until IS NULL AND ip.package_id IN (" + numbers(f.Components) + "))")
	}
	sameSeized(l, "secrets", f.Secret)
	sameSeized(l, "malware", f.Malware)
	if f.MinSize > 0 {
		l.and("a.size >= ?", f.MinSize)
	}
	if f.MaxSize > 0 {
		l.and("a.size <= ?", f.MaxSize)
	}
	l.during("a.created", f.Created)
	l.during("a.pushed", f.Pushed)
	if f.PushedDays > 0 {
		since := s.now().AddDate(0, 0, -min(f.PushedDays, maxPushedDays))
		l.during("a.pushed", pratique.TimeRange{From: &since})
	}
	if f.ScannedAt != (pratique.TimeRange{}) {
		l.and("a.scanned_at > 0")
		l.during("a.scanned_at", f.ScannedAt)
	}
	l.during("a.last_seen", f.Synced)
	onHosts(l, f)
	return l
}

// onHosts narrows by what hosts have.
func onHosts(l *listing, f pratique.AssetFilter) {
	if len(f.Hosts) > 0 || len(f.Projects) > 0 || len(f.Labels) > 0 || len(f.Engines) > 0 {
		inner := &listing{}
		in(inner, "h.uid", f.Hosts)
		in(inner, "h.project", f.Projects)
		labelled(inner, f.Labels)
		in(inner, "e.kind", f.Engines)
		l.and("a.id IN (SELECT x.asset_id FROM host_images x JOIN hosts h ON h.id = x.host_id JOIN host_engines e ON e.id = x.engine_id"+inner.condition()+")", inner.args...)
	}
	if f.Container != "" {
		inner := &listing{}
		inner.words(f.Container, "x.search")
		l.and("a.image_id IN (SELECT x.image_id FROM containers x"+inner.condition()+")", inner.args...)
	}
	if f.Pod != "" {
		l.and(`a.image_id IN (SELECT x.image_id FROM containers x WHERE x.pod <> '' AND LOWER(x.pod) LIKE ? ESCAPE '\')`, like(strings.ToLower(f.Pod)))
	}
	if f.Used != nil {
		l.and("EXISTS (SELECT 1 FROM containers x WHERE x.image_id = a.image_id) = ?", *f.Used)
	}
	if f.Scannable != nil {
		l.and("(a.reason = '') = ?", *f.Scannable)
	}
}

func (s *Store) rules(ctx context.Context) (rules string, err error) {
	err = s.Setting(ctx, currentRules, &rules)
	return rules, err
}

// sameSeized narrows to images that have the same as a row of secrets or malware.
func sameSeized(l *listing, table string, row int64) {
	if row != 0 {
		l.and("a.image_id IN (SELECT y.image_id FROM "+table+" x JOIN "+table+" y ON y.identity = x.identity AND y.until IS NULL WHERE x.id = ?)", row)
	}
}

// inOther is in for a column that refers to a row of another table, by a column of
// that row.
func inOther[T any](l *listing, column, table, by string, values []T) {
	if len(values) > 0 {
		list, args := marks(values)
		l.and(column+" IN (SELECT x.id FROM "+table+" x WHERE x."+by+" IN ("+list+"))", args...)
	}
}

// assetRisk narrows by security status.
func assetRisk(l *listing, f pratique.AssetFilter) {
	var states []int
	for _, r := range f.Risk {
		if i := slices.Index(risks[:], r); i >= 0 {
			states = append(states, i)
		} else {
			states = append(states, -1) // no image is so
		}
	}
	in(l, "a.risk", states)
	var kinds []string
	for _, k := range f.RiskKinds {
		sum, ok := map[pratique.Category]string{pratique.CategoryVulnerability: "a.vulnerabilities", pratique.CategorySecret: "a.secrets", pratique.CategoryMalware: "a.malware"}[k]
		if !ok {
			sum = "0"
		}
		kinds = append(kinds, sum+" > 0")
	}
	if len(kinds) > 0 {
		l.and("(" + strings.Join(kinds, " OR ") + ")")
	}
	severities := 0
	for _, v := range f.Severities {
		severities |= 1 << v.Rank()
	}
	if severities != 0 {
		l.and(trait(severities))
	}
}

// Assets lists repository images, or images on hosts. Sorts: name, tag, registry,
// size, created, pushed, firstSeen, synced, scanned, status, worst, vulnerabilities,
// critical, secrets, malware, packages, hosts, containers; the default is newest
// first.
func (s *Store) Assets(ctx context.Context, f pratique.AssetFilter, r pratique.PageRequest) (pratique.Page[pratique.AssetRow], error) {
	l, rules, err := s.assets(ctx, f)
	if err != nil {
		return pratique.Page[pratique.AssetRow]{}, err
	}
	found, err := page(ctx, s, l, r, func(rows *sql.Rows, v *pratique.AssetRow, order []any) error {
		return scanAsset(rows, v, rules, order)
	})
	if err != nil {
		return found, err
	}
	return found, s.fillIncomplete(ctx, found.Items)
}

// fillIncomplete says of rows what was not looked at to its end. Most images were
// looked at completely, which a column says.
func (s *Store) fillIncomplete(ctx context.Context, rows []pratique.AssetRow) error {
	at := map[pratique.Digest][]int{}
	for i, r := range rows {
		if r.ImageID != "" {
			at[r.ImageID] = append(at[r.ImageID], i)
		}
	}
	if len(at) == 0 {
		return nil
	}
	list, args := marks(slices.Collect(maps.Keys(at)))
	_, err := collect(ctx, s, func(sqlRows *sql.Rows, _ *struct{}) error {
		var image pratique.Digest
		var coverage map[pratique.Category]pratique.CategoryCoverage
		if err := sqlRows.Scan(&image, document{&coverage}); err != nil {
			return err
		}
		for _, i := range at[image] {
			rows[i].Incomplete = incomplete(coverage)
		}
		return nil
	}, "SELECT i.digest, d.coverage FROM images i JOIN image_documents d ON d.image_id = i.id WHERE NOT i.complete AND i.digest IN ("+list+")", args...)
	return err
}

func incomplete(coverage map[pratique.Category]pratique.CategoryCoverage) map[pratique.Category]pratique.Coverage {
	states := map[pratique.Category]pratique.Coverage{}
	for _, c := range [...]pratique.Category{pratique.CategoryVulnerability, pratique.CategorySecret, pratique.CategoryMalware} {
		switch state := coverage[c].State; state {
		case pratique.CoverageComplete, pratique.CoverageHashesOnly:
		case "":
			states[c] = pratique.CoverageSkipped
		default:
			states[c] = state
		}
	}
	return states
}

func scanAsset(rows *sql.Rows, v *pratique.AssetRow, rules string, order []any) error {
	var risk int
	var readBy string
	targets := append(assetTargets(&v.Asset), &v.RegistryName, &v.RegistryKind, &v.Address, &v.RepositoryID, &v.Namespace, &v.OSName, &v.Status, intoOrNil{&v.ScannedAt}, &v.ScanID,
		&risk, &v.Running, &readBy, &v.Licensed, document{&v.Progress}, document{&v.ScanError}, &v.Source, &v.Reason, &v.InRegistries, &v.Hosts, &v.Containers, &v.RunningContainers)
	targets = append(targets, counterTargets(&v.Counters)...)
	if err := rows.Scan(append(targets, order...)...); err != nil {
		return err
	}
	v.Risk = risks[risk]
	if v.Status != pratique.StatusScanning {
		v.Progress = nil
	}
	v.Recommended, v.HighPriority = reasons(v, readBy, rules)
	return nil
}

// reasons say why an image is recommended for a scan, and why it has a high
// priority (DESIGN, decision 17).
func reasons(v *pratique.AssetRow, readBy, rules string) (recommended, urgent []string) {
	var of []string
	if v.Running {
		of = append(of, pratique.ReasonRunning)
	}
	if v.Newest {
		of = append(of, pratique.ReasonNewest)
	}
	if len(of) == 0 {
		return nil, nil
	}
	var why []string
	if v.ScannedAt == nil {
		why = append(why, pratique.ReasonNeverScanned)
	} else if rules != "" && readBy != rules {
		why = append(why, pratique.ReasonOlderRules)
	}
	if v.Status == pratique.StatusFailed {
		why = append(why, pratique.ReasonLastScanFailed)
	}
	if len(why) > 0 {
		recommended = append(slices.Clone(of), why...)
	}
	why = nil
	for _, r := range [...]struct {
		n      int
		reason string
	}{
		{v.Counters.Malware.Total(), pratique.ReasonMalware}, {v.Counters.Exploited, pratique.ReasonExploited},
		{v.Counters.CriticalFixable, pratique.ReasonCriticalFixable}, {v.Counters.LiveSecrets, pratique.ReasonLiveSecret},
	} {
		if r.n > 0 {
			why = append(why, r.reason)
		}
	}
	if len(why) > 0 {
		urgent = append(slices.Clone(of), why...)
	}
	return recommended, urgent
}

// SelectImages are the distinct contents that a filter chooses, running ones
// first, then newest tags: the order in which they should be scanned. unread is
// the number of rows whose content is not known, because their manifests have yet
// to be read.
func (s *Store) SelectImages(ctx context.Context, f pratique.AssetFilter) (images []pratique.Digest, unread int, err error) {
	l, _, err := s.assets(ctx, f)
	if err != nil {
		return nil, 0, err
	}
	type group struct {
		digest pratique.Digest
		rows   int
	}
	all, err := collect(ctx, s, func(rows *sql.Rows, g *group) error { return rows.Scan((*nullDigest)(&g.digest), &g.rows) },
		"SELECT i.digest, COUNT(*) "+l.from+l.condition()+" GROUP BY i.digest, i.running ORDER BY COALESCE(i.running, FALSE) DESC, MAX(CASE WHEN a.newest THEN 1 ELSE 0 END) DESC, MAX(a.id) DESC", l.args...)
	for _, g := range all {
		if g.digest == "" {
			unread += g.rows
			continue
		}
		images = append(images, g.digest)
	}
	return images, unread, err
}

// Image is one content with everything but its long lists. It is CodeNotFound when
// no row ever had it.
func (s *Store) Image(ctx context.Context, imageID pratique.Digest) (v pratique.ImageSummary, err error) {
	var id int64
	var risk int
	var scan, adoption sql.NullInt64
	v.Image = pratique.Image{ID: imageID, Kind: pratique.KindImage}
	p := &v.Image.Platform
	err = s.row(ctx, "SELECT i.id, i.os, i.architecture, i.variant, i.size, i.created, i.status, i.scanned_at, i.scan_id, i.risk, i.rules, i.adoption_id, "+counterColumns+" FROM images i WHERE i.digest = ?", imageID).
		Scan(append([]any{&id, &p.OS, &p.Architecture, &p.Variant, &v.Image.Size, intoOrNil{&v.Image.Created}, &v.Status, intoOrNil{&v.ScannedAt}, &scan, &risk, &v.Rules, &adoption}, counterTargets(&v.Counters)...)...)
	if err != nil {
		return v, found(err, "image", imageID)
	}
	v.Risk = risks[risk]
	if err := s.imageDocuments(ctx, id, &v); err != nil {
		return v, err
	}
	if scan.Valid {
		last, err := s.Scan(ctx, scan.Int64)
		if err != nil {
			return v, err
		}
		v.LastScan = &last
	}
	if adoption.Valid { // a delta is judged at once, so what is in force now is what its packages are judged by
		a, err := s.InForce(ctx)
		if err != nil {
			return v, err
		}
		v.Bundle = &a.Bundle
	}
	if err := s.row(ctx, "SELECT COUNT(DISTINCT p.id) FROM image_packages ip JOIN packages p ON p.id = ip.package_id WHERE ip.image_id = ? AND ip.until IS NULL AND p.pending", id).Scan(&v.Pending); err != nil {
		return v, err
	}
	rows, err := s.Assets(ctx, pratique.AssetFilter{ImageIDs: []pratique.Digest{imageID}}, pratique.PageRequest{Sort: "name", Limit: pratique.MaxPage})
	if err != nil {
		return v, err
	}
	v.Assets = rows.Items
	rows, err = s.Assets(ctx, pratique.AssetFilter{Source: pratique.SourceLocal, ImageIDs: []pratique.Digest{imageID}}, pratique.PageRequest{Sort: "name", Limit: pratique.MaxPage})
	v.Local = rows.Items
	return v, err
}

func (s *Store) imageDocuments(ctx context.Context, id int64, v *pratique.ImageSummary) error {
	v.Coverage, v.CategoryAt = map[pratique.Category]pratique.CategoryCoverage{}, map[pratique.Category]time.Time{}
	err := s.row(ctx, "SELECT document, layers, coverage, category_at, problems FROM image_documents WHERE image_id = ?", id).
		Scan(document{&v.Image}, document{&v.Layers}, document{&v.Coverage}, document{&v.CategoryAt}, document{&v.Problems})
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	return nil
}

// ImagePackages are the packages that an image holds, each with its place.
func (s *Store) ImagePackages(ctx context.Context, imageID pratique.Digest) ([]pratique.Package, error) {
	layers, err := s.layersOf(ctx, imageID)
	if err != nil {
		return nil, err
	}
	return collect(ctx, s, func(rows *sql.Rows, p *pratique.Package) error {
		return scanPlaced(rows, p, layers)
	}, "SELECT "+packageColumns+", "+placeColumns+` FROM images i JOIN image_packages ip ON ip.image_id = i.id AND ip.until IS NULL JOIN packages p ON p.id = ip.package_id
		WHERE i.digest = ? ORDER BY p.type, p.name, p.version, ip.path`, imageID)
}

func (s *Store) layersOf(ctx context.Context, imageID pratique.Digest) (layers []pratique.Layer, err error) {
	err = s.row(ctx, "SELECT d.layers FROM image_documents d JOIN images i ON i.id = d.image_id WHERE i.digest = ?", imageID).Scan(document{&layers})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return layers, err
}

const placeColumns = "ip.path, ip.layer, ip.place"

// scanPlaced scans packageColumns and placeColumns.
func scanPlaced(rows *sql.Rows, p *pratique.Package, layers []pratique.Layer) error {
	var id int64
	var layer int
	var place packagePlace
	targets, finish := packageTargets(&id, p)
	if err := rows.Scan(append(targets, &p.Path, &layer, document{&place})...); err != nil {
		return err
	}
	finish()
	placePackage(p, layer, place, layers)
	return nil
}

// placePackage fills in where a package lies.
func placePackage(p *pratique.Package, layer int, place packagePlace, layers []pratique.Layer) {
	p.Path = cmp.Or(place.Path, p.Path)
	p.Line, p.Scope, p.Declared, p.OwnedBy = place.Line, place.Scope, place.Declared, place.OwnedBy
	if layer < 0 {
		return
	}
	p.Origin = &pratique.Origin{Path: p.Path, Layer: layer, DeletedBy: place.DeletedBy}
	if place.OriginPath != "" {
		p.Origin.Path = place.OriginPath
	}
	if layer < len(layers) {
		p.Origin.DiffID, p.Origin.Instruction = layers[layer].DiffID, layers[layer].Instruction
	}
}

// Report puts together the report of an image as it stands now: what was read at
// its last scan, judged by what is in force. Verdict and tool are the caller's.
func (s *Store) Report(ctx context.Context, imageID pratique.Digest) (*pratique.Report, error) {
	v, err := s.Image(ctx, imageID)
	if err != nil {
		return nil, err
	}
	r := &pratique.Report{
		SchemaVersion: pratique.SchemaVersion, Created: s.now().UTC(), Image: v.Image, Layers: v.Layers, Coverage: v.Coverage, Problems: v.Problems, Bundle: v.Bundle,
		Packages: []pratique.Package{}, Vulnerabilities: []pratique.Finding{}, Secrets: []pratique.Secret{}, Malware: []pratique.Malware{},
	}
	if r.Packages, err = s.ImagePackages(ctx, imageID); err != nil {
		return nil, err
	}
	placed, err := s.findingsAt(ctx, imageID, s.now())
	if err != nil {
		return nil, err
	}
	for _, f := range placed {
		r.Vulnerabilities = append(r.Vulnerabilities, f.Finding)
	}
	r.Secrets, err = collect(ctx, s, func(rows *sql.Rows, v *pratique.Secret) error { return rows.Scan(document{v}) },
		"SELECT x.document FROM secrets x JOIN images i ON i.id = x.image_id WHERE i.digest = ? AND x.until IS NULL ORDER BY x.severity DESC, x.path, x.id", imageID)
	if err != nil {
		return nil, err
	}
	r.Malware, err = collect(ctx, s, func(rows *sql.Rows, v *pratique.Malware) error { return rows.Scan(document{v}) },
		"SELECT x.document FROM malware x JOIN images i ON i.id = x.image_id WHERE i.digest = ? AND x.until IS NULL ORDER BY x.severity DESC, x.path, x.id", imageID)
	return r, err
}
