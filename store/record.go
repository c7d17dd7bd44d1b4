package store

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/pratique/pratique"
)

// record keeps what a scan found in an image: its shape, packages, findings,
// secrets, malware, coverage, problems and counters. A category that the scan did
// not look for keeps its old result. rules is "" for a scan that failed: it
// replaces nothing that an earlier one had seen completely.
func (s *Store) record(ctx context.Context, tx *tx, lease pratique.Lease, report *pratique.Report, rules string) error {
	r := &recording{tx: tx, report: report, failed: rules == "", rules: rules, knowledge: lease.Knowledge}
	if err := tx.row(ctx, "SELECT id, rows_live > 0 OR running, attested FROM images WHERE digest = ?", lease.ImageID).Scan(&r.image, &r.live, &r.attested); err != nil {
		return found(err, "image", lease.ImageID)
	}
	if err := r.load(ctx); err != nil {
		return err
	}
	for _, c := range lease.Categories {
		if r.replaces(c) {
			r.categories = append(r.categories, c)
		}
	}
	if r.has(pratique.CategorySoftware) || r.has(pratique.CategoryVulnerability) {
		if err := r.packages(ctx); err != nil {
			return err
		}
	}
	if r.has(pratique.CategorySecret) {
		if err := r.seize(ctx, pratique.CategorySecret, secretRows(report.Secrets)); err != nil {
			return err
		}
	}
	if r.has(pratique.CategoryMalware) {
		if err := r.seize(ctx, pratique.CategoryMalware, malwareRows(report.Malware)); err != nil {
			return err
		}
	}
	return r.describe(ctx)
}

type recording struct {
	tx         *tx
	image      int64
	live       bool
	attested   bool // what was known rests on what a host says
	report     *pratique.Report
	failed     bool
	rules      string
	knowledge  string
	categories []pratique.Category // those that it replaces
	adoption   sql.NullInt64

	exists     bool
	coverage   map[pratique.Category]pratique.CategoryCoverage
	categoryAt map[pratique.Category]time.Time
	problems   []pratique.Problem
}

func (r *recording) has(c pratique.Category) bool { return slices.Contains(r.categories, c) }

// replaces: an image's content does not change, so what a failed scan saw is no
// more than what an earlier one did.
func (r *recording) replaces(c pratique.Category) bool {
	switch r.coverage[c].State {
	case pratique.CoverageComplete, pratique.CoverageHashesOnly:
		return !r.failed
	}
	return true
}

func (r *recording) load(ctx context.Context) error {
	r.coverage, r.categoryAt = map[pratique.Category]pratique.CategoryCoverage{}, map[pratique.Category]time.Time{}
	err := r.tx.row(ctx, "SELECT coverage, category_at, problems FROM image_documents WHERE image_id = ?", r.image).
		Scan(document{&r.coverage}, document{&r.categoryAt}, document{&r.problems})
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	r.exists = true
	return err
}

// packages keeps the packages, and judges those that nobody judged yet.
func (r *recording) packages(ctx context.Context) error {
	tx := r.tx
	var inForce pratique.Digest
	err := tx.row(ctx, "SELECT id, digest FROM adoptions ORDER BY id DESC LIMIT 1").Scan(&r.adoption, &inForce)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	used := pratique.Digest("")
	if r.report.Bundle != nil {
		used = r.report.Bundle.Digest
	}
	// A worker may have judged with knowledge that is no longer, or not yet, in
	// force: what is new then waits to be judged again.
	current := used == inForce
	all, err := internPackages(ctx, tx, r.report, r.adoption.Int64, !current)
	if err != nil {
		return err
	}
	if current {
		v := &verdict{tx: tx, adoption: r.adoption, answers: r.answers(all)}
		if err := v.apply(ctx); err != nil {
			return err
		}
	}
	before, err := tallyImage(ctx, tx, r.image)
	if err != nil {
		return err
	}
	came, went, err := linkPackages(ctx, tx, r.image, all)
	if err != nil {
		return err
	}
	after, err := tallyImage(ctx, tx, r.image)
	if err != nil {
		return err
	}
	args := make([]any, 0, countColumns+1)
	for _, n := range after.counts {
		args = append(args, n)
	}
	if _, err := tx.exec(ctx, "UPDATE images SET "+setEach(vulnerabilityColumns)+" WHERE id = ?", append(args, r.image)...); err != nil {
		return err
	}
	if !r.live {
		return nil
	}
	if err := countLive(ctx, tx, []int64{r.image}, map[int64]*imageTally{r.image: before}, map[int64]*imageTally{r.image: after}); err != nil {
		return err
	}
	deltas := map[int64]int{}
	for _, id := range came {
		deltas[id] = 1
	}
	for _, id := range went {
		deltas[id] = -1
	}
	return addTo(ctx, tx, "packages", deltas)
}

// answers are the report's findings in packages that are new. The others have
// been judged by what is in force, or wait for it.
func (r *recording) answers(all []placed) []answer {
	type place struct{ path, kind, name, version, arch string }
	key := func(p *pratique.Package) place { return place{p.Path, p.Type, p.Name, p.Version, p.Arch} }
	rows := map[place]int64{}
	fresh := map[int64]*answer{}
	for i := range all {
		p := &all[i]
		rows[key(&p.Package)] = p.id
		if p.isNew && fresh[p.id] == nil {
			fresh[p.id] = &answer{pkg: p.id, first: true}
		}
	}
	for _, f := range r.report.Vulnerabilities {
		if a := fresh[rows[key(&f.Package)]]; a != nil {
			a.findings = append(a.findings, f)
		}
	}
	var answers []answer
	for _, a := range fresh {
		answers = append(answers, *a)
	}
	slices.SortFunc(answers, func(a, b answer) int { return int(a.pkg - b.pkg) })
	return answers
}

// seized is a secret or a malicious file.
type seized struct {
	identity string // what makes it the same in two scans
	document any
	weight   int
	words    string
	columns  []string
	values   []any
}

func secretRows(all []pratique.Secret) []seized {
	rows := make([]seized, len(all))
	for i, s := range all {
		weight := weightCounts
		if s.Suppressed != "" {
			weight = weightSuppressed
		}
		rows[i] = seized{
			identity: digestOf(s.Rule, s.Source, s.Path, numbers([]int64{int64(s.Line)}), s.Hash, numbers([]int64{layerOf(s.Origin)})),
			document: s, weight: weight, words: bounded(foundIn(string(s.Severity)+", "+s.Rule, s.Path), 500),
			columns: []string{"severity", "rule", "type", "path", "hash", "weight", "search"},
			values:  []any{s.Severity.Rank(), s.Rule, s.Type, s.Path, bounded(s.Hash, maxIndexed), weight, searchable(s.Rule, s.Title, s.Type, s.Path)},
		}
	}
	return rows
}

func malwareRows(all []pratique.Malware) []seized {
	rows := make([]seized, len(all))
	for i, m := range all {
		weight := weightCounts
		if !m.Counts() {
			weight = weightSuppressed
		}
		rows[i] = seized{
			identity: digestOf(m.Name, m.Engine, m.List, m.Path, m.SHA256, numbers([]int64{layerOf(m.Origin)})),
			document: m, weight: weight, words: bounded(foundIn(string(m.Severity)+", "+m.Name, m.Path), 500),
			columns: []string{"severity", "name", "engine", "path", "sha256", "weight", "search"},
			values:  []any{m.Severity.Rank(), m.Name, m.Engine, m.Path, bounded(m.SHA256, maxIndexed), weight, searchable(m.Name, m.Path, m.MD5, m.SHA1, m.SHA256)},
		}
	}
	return rows
}

// foundIn adds where something was found; what an image's configuration has is in no
// file.
func foundIn(what, path string) string {
	if path == "" {
		return what
	}
	return what + " in " + path
}

func layerOf(o *pratique.Origin) int64 {
	if o == nil {
		return -1
	}
	return int64(o.Layer)
}

// seize makes an image have exactly these secrets, or malicious files.
func (r *recording) seize(ctx context.Context, category pratique.Category, all []seized) error {
	table := map[pratique.Category]string{pratique.CategorySecret: "secrets", pratique.CategoryMalware: "malware"}[category]
	type row struct {
		id       int64
		identity string
		weight   int
		words    string
	}
	_, again := r.categoryAt[category]
	cause := pratique.CauseContent
	if again { // the content is the same: who looks at it is not
		cause = pratique.CauseRules
	}
	var events [][]any
	note := func(change pratique.Change, before, after string) {
		events = append(events, []any{at(r.tx.now), category, change, cause, r.image, bounded(after+before, 200), before, after})
	}
	old, err := collect(ctx, r.tx, func(rows *sql.Rows, o *row) error {
		var doc struct { // what secrets and malware have in common
			Severity pratique.Severity `json:"severity"`
			Path     string            `json:"path"`
		}
		err := rows.Scan(&o.id, &o.identity, &o.weight, document{&doc})
		o.words = bounded(foundIn(string(doc.Severity), doc.Path), 500)
		return err
	}, "SELECT id, identity, weight, document FROM "+table+" WHERE image_id = ? AND until IS NULL", r.image)
	if err != nil {
		return err
	}
	known := map[string]row{}
	for _, o := range old {
		known[o.identity] = o
	}
	seen := map[string]bool{}
	for _, item := range all {
		if seen[item.identity] {
			continue
		}
		seen[item.identity] = true
		o, exists := known[item.identity]
		if !exists {
			note(pratique.ChangeAppeared, "", item.words)
			if err := r.tx.engine.load(ctx, r.tx, table, append(slices.Clone(item.columns), "image_id", "identity", "since", "document"),
				[][]any{append(slices.Clone(item.values), r.image, item.identity, at(r.tx.now), document{item.document})}); err != nil {
				return err
			}
			continue
		}
		switch {
		case o.weight == weightCounts && item.weight == weightSuppressed:
			note(pratique.ChangeSuppressed, o.words, item.words)
		case o.weight == weightSuppressed && item.weight == weightCounts:
			note(pratique.ChangeReopened, o.words, item.words)
		}
		if _, err := r.tx.exec(ctx, "UPDATE "+table+" SET "+setEach(item.columns)+", document = ? WHERE id = ?", append(slices.Clone(item.values), document{item.document}, o.id)...); err != nil {
			return err
		}
	}
	for _, o := range old {
		if seen[o.identity] {
			continue
		}
		note(pratique.ChangeFixed, o.words, "")
		if _, err := r.tx.exec(ctx, "UPDATE "+table+" SET until = ? WHERE id = ?", at(r.tx.now), o.id); err != nil {
			return err
		}
	}
	return r.tx.engine.load(ctx, r.tx, "events", []string{"at", "category", "change", "cause", "image_id", "subject", "before", "after"}, events)
}

// analyzers whose problems belong to one category.
var analyzerCategory = map[string]pratique.Category{"secrets": pratique.CategorySecret, "malware": pratique.CategoryMalware, "files": pratique.CategoryMalware}

// describe keeps the image's shape and how far its result reaches, and settles its
// counters.
func (r *recording) describe(ctx context.Context) error {
	tx, image := r.tx, r.report.Image
	for _, c := range r.categories {
		r.coverage[c] = r.report.Coverage[c]
		if !r.failed {
			r.categoryAt[c] = tx.now
		}
	}
	problems := slices.Clone(r.report.Problems)
	for _, p := range r.problems {
		if c, ok := analyzerCategory[p.Analyzer]; ok && !r.has(c) {
			problems = append(problems, p)
		}
	}
	values := []any{document{image}, document{r.report.Layers}, document{r.coverage}, document{r.categoryAt}, document{problems}, r.image}
	query := "INSERT INTO image_documents (document, layers, coverage, category_at, problems, image_id) VALUES (?, ?, ?, ?, ?, ?)"
	if r.exists {
		query = "UPDATE image_documents SET document = ?, layers = ?, coverage = ?, category_at = ?, problems = ? WHERE image_id = ?"
	}
	if _, err := tx.exec(ctx, query, values...); err != nil {
		return err
	}
	distro, name := "", ""
	if d := image.Distro; d != nil {
		distro, name = d.ID, bounded(d.Name, 200)
	}
	complete := pratique.RiskOf(pratique.Counters{}, r.coverage) == pratique.RiskNone
	rules := "rules"
	args := []any{image.Platform.OS, image.Platform.Architecture, image.Platform.Variant, distro, name, complete, image.Size, atOrNull(image.Created)}
	if !r.failed {
		rules, args = "?", append(args, r.rules)
	}
	adoption := "adoption_id"
	if r.adoption.Valid {
		adoption = numbers([]int64{r.adoption.Int64})
	}
	knowledge := "knowledge"
	if r.has(pratique.CategoryVulnerability) {
		knowledge, args = "?", append(args, r.knowledge)
	}
	// Categories that this report does not replace stay what they were.
	kept := slices.ContainsFunc(slices.Collect(maps.Keys(r.coverage)), func(c pratique.Category) bool { return !r.has(c) })
	args = append(args, len(r.categories) > 0 && attested(r.report) || kept && r.attested)
	if _, err := tx.exec(ctx, `UPDATE images SET os = ?, architecture = ?, variant = ?, distro = ?, distro_name = ?, complete = ?,
		size = CASE WHEN CAST(? AS BIGINT) > 0 THEN CAST(? AS BIGINT) ELSE size END, created = COALESCE(CAST(? AS BIGINT), created), rules = `+rules+", adoption_id = "+adoption+", knowledge = "+knowledge+", attested = ? WHERE id = ?",
		append(slices.Insert(args, 7, any(image.Size)), r.image)...); err != nil {
		return err
	}
	if err := countSeized(ctx, tx, r.image); err != nil {
		return err
	}
	return settle(ctx, tx, []int64{r.image})
}
