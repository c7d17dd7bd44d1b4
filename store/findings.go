package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/pratique/pratique"
)

// Weights of a finding.
const (
	weightCounts = iota
	weightUnimportant
	weightSuppressed
)

// description is what findings in many packages share.
type description struct {
	Title      string               `json:"title,omitempty"`
	Details    string               `json:"details,omitempty"`
	CVSS       []pratique.CVSS      `json:"cvss,omitempty"`
	CWEs       []string             `json:"cwes,omitempty"`
	References []pratique.Reference `json:"references,omitempty"`
	Published  *time.Time           `json:"published,omitempty"`
}

// ruling is what is a finding's own.
type ruling struct {
	Aliases        []string          `json:"aliases,omitempty"`
	Severity       pratique.Severity `json:"severity"`
	SeveritySource string            `json:"severitySource,omitempty"`
	FixState       pratique.FixState `json:"fixState,omitempty"`
	FixedVersion   string            `json:"fixedVersion,omitempty"`
	FixAdvice      pratique.Text     `json:"fixAdvice,omitzero"`
	Unimportant    bool              `json:"unimportant,omitempty"`
	Suppressed     string            `json:"suppressed,omitempty"`
	Proof          []pratique.Proof  `json:"proof,omitempty"`
}

func (r ruling) weight() int {
	switch {
	case r.Suppressed != "":
		return weightSuppressed
	case r.Unimportant:
		return weightUnimportant
	}
	return weightCounts
}

// words tell a person what a finding comes to.
func (r ruling) words() string {
	s := string(r.Severity)
	switch {
	case r.FixedVersion != "":
		s += ", fixed in " + r.FixedVersion
	case r.FixState == pratique.FixRefused:
		s += ", will not be fixed"
	default:
		s += ", no fix"
	}
	if r.Suppressed != "" {
		s += ", suppressed: " + r.Suppressed
	} else if r.Unimportant {
		s += ", unimportant"
	}
	return bounded(s, 500)
}

func parts(f *pratique.Finding) (description, ruling) {
	return description{f.Title, f.Details, f.CVSS, f.CWEs, f.References, f.Published},
		ruling{f.Aliases, f.Severity, f.SeveritySource, f.FixState, f.FixedVersion, f.FixAdvice, f.Unimportant, f.Suppressed, f.Proof}
}

func (d description) into(f *pratique.Finding) {
	f.Title, f.Details, f.CVSS, f.CWEs, f.References, f.Published = d.Title, d.Details, d.CVSS, d.CWEs, d.References, d.Published
}

func (r ruling) into(f *pratique.Finding) {
	f.Aliases, f.Severity, f.SeveritySource, f.FixState, f.FixedVersion, f.FixAdvice, f.Unimportant, f.Suppressed, f.Proof =
		r.Aliases, r.Severity, r.SeveritySource, r.FixState, r.FixedVersion, r.FixAdvice, r.Unimportant, r.Suppressed, r.Proof
	if f.Proof == nil {
		f.Proof = []pratique.Proof{}
	}
}

// answer is the judgement of one package.
type answer struct {
	pkg      int64
	findings []pratique.Finding
	lost     map[string]bool // withdrawn
	// first: nothing was known about the package before, so that what is found was
	// brought by an image, and not by an advisory.
	first bool
}

// openFinding is a current row.
type openFinding struct {
	id, pkg, vulnerability int64
	name, digest           string
	ruling                 ruling
}

// wantedFinding is what the row should be.
type wantedFinding struct {
	*pratique.Finding
	ruling      ruling
	digest      string
	description string // its digest
}

// verdict applies answers to packages: findings, their history, and the counters
// of all images that hold the packages.
type verdict struct {
	tx       *tx
	adoption sql.NullInt64
	answers  []answer

	open            map[int64]map[string]openFinding // by package, vulnerability
	wanted          map[int64]map[string]wantedFinding
	vulnerabilities map[string]interned
	descriptions    map[string]interned
	changed         []int64 // vulnerabilities
	events          [][]any
}

func (v *verdict) apply(ctx context.Context) error {
	if len(v.answers) == 0 {
		return nil
	}
	if err := v.load(ctx); err != nil {
		return err
	}
	if err := v.intern(ctx); err != nil {
		return err
	}
	v.compare()
	packages := make([]int64, len(v.answers))
	for i, a := range v.answers {
		packages[i] = a.pkg
	}
	if len(v.changed) > 0 {
		held, err := heldBy(ctx, v.tx, packages)
		if err != nil {
			return err
		}
		before, err := tally(ctx, v.tx, v.changed, held)
		if err != nil {
			return err
		}
		if err := v.store(ctx); err != nil {
			return err
		}
		if err := refreshVulnerabilities(ctx, v.tx, v.changed); err != nil {
			return err
		}
		after, err := tally(ctx, v.tx, v.changed, held)
		if err != nil {
			return err
		}
		if err := applyDifference(ctx, v.tx, before, after); err != nil {
			return err
		}
	}
	return refreshPackages(ctx, v.tx, packages)
}

// load reads the current findings of the packages.
func (v *verdict) load(ctx context.Context) error {
	v.open = map[int64]map[string]openFinding{}
	for part := range slices.Chunk(v.answers, chunk) {
		ids := make([]int64, len(part))
		for i, a := range part {
			ids[i] = a.pkg
		}
		all, err := collect(ctx, v.tx, func(rows *sql.Rows, f *openFinding) error {
			return rows.Scan(&f.id, &f.pkg, &f.vulnerability, &f.name, &f.digest, document{&f.ruling})
		}, `SELECT f.id, f.package_id, f.vulnerability_id, v.name, f.digest, f.document FROM findings f JOIN vulnerabilities v ON v.id = f.vulnerability_id
			WHERE f.until IS NULL AND f.package_id IN (`+numbers(ids)+")")
		if err != nil {
			return err
		}
		for _, f := range all {
			if v.open[f.pkg] == nil {
				v.open[f.pkg] = map[string]openFinding{}
			}
			v.open[f.pkg][f.name] = f
		}
	}
	return nil
}

// intern makes rows for vulnerabilities and descriptions that are new.
func (v *verdict) intern(ctx context.Context) error {
	v.wanted = map[int64]map[string]wantedFinding{}
	names, digests := map[string]*pratique.Finding{}, map[string]description{}
	for _, a := range v.answers {
		list := map[string]wantedFinding{}
		for i := range a.findings {
			f := &a.findings[i]
			name := bounded(f.ID, maxIndexed)
			if _, twice := list[name]; twice || name == "" {
				continue
			}
			d, r := parts(f)
			described, err := digestOfJSON(d)
			if err != nil {
				return err
			}
			ruled, err := digestOfJSON(r)
			if err != nil {
				return err
			}
			list[name] = wantedFinding{f, r, digestOf(described, ruled), described}
			names[name] = f
			if old, ok := v.open[a.pkg][name]; !ok || old.digest != list[name].digest {
				digests[described] = d
			}
		}
		v.wanted[a.pkg] = list
	}
	var err error
	if v.vulnerabilities, err = intern(ctx, v.tx, "vulnerabilities", "name",
		[]string{"name", "title", "severity", "score", "fixable", "likely", "epss", "epss_doc", "kev", "published", "first_seen", "last_seen", "images"},
		keysOf(names), func(name string) []any {
			f := names[name]
			likely, score := pratique.Exploitation{EPSS: f.EPSS, KEV: f.KEV}.Likely(), 0.0
			if f.EPSS != nil {
				score = f.EPSS.Score
			}
			return []any{name, bounded(f.Title, 1000), -1, scoreOf(f), false, likely, score, documentOrNull(f.EPSS), documentOrNull(f.KEV), atOrNull(f.Published), at(v.tx.now), at(v.tx.now), 0}
		}); err != nil {
		return err
	}
	v.descriptions, err = intern(ctx, v.tx, "descriptions", "digest", []string{"digest", "document"}, keysOf(digests),
		func(digest string) []any { return []any{digest, document{digests[digest]}} })
	return err
}

func keysOf[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	return keys
}

// scoreOf is the highest base score of the newest version of CVSS that rates it.
func scoreOf(f *pratique.Finding) float64 {
	version, score := "", 0.0
	for _, c := range f.CVSS {
		switch {
		case c.Version > version:
			version, score = c.Version, c.Score
		case c.Version == version:
			score = max(score, c.Score)
		}
	}
	return score
}

// compare finds what changes, and writes its history.
func (v *verdict) compare() {
	changed := map[int64]bool{}
	note := func(a answer, vulnerability int64, change pratique.Change, cause pratique.Cause, before, after string) {
		changed[vulnerability] = true
		v.events = append(v.events, []any{at(v.tx.now), pratique.CategoryVulnerability, change, cause, v.adoption, a.pkg, vulnerability, "", before, after})
	}
	for _, a := range v.answers {
		added, altered := pratique.CauseAdded, pratique.CauseChanged
		if a.first {
			added = pratique.CauseContent
		}
		for name, want := range v.wanted[a.pkg] {
			id := v.vulnerabilities[name].id
			old, known := v.open[a.pkg][name]
			switch {
			case !known:
				note(a, id, pratique.ChangeAppeared, added, "", want.ruling.words())
			case old.digest != want.digest:
				change := pratique.ChangeChanged
				switch was, is := old.ruling.weight(), want.ruling.weight(); {
				case was != weightSuppressed && is == weightSuppressed:
					change = pratique.ChangeSuppressed
				case was == weightSuppressed && is != weightSuppressed:
					change = pratique.ChangeReopened
				}
				note(a, id, change, altered, old.ruling.words(), want.ruling.words())
			}
		}
		for name, old := range v.open[a.pkg] {
			if _, still := v.wanted[a.pkg][name]; !still {
				cause := pratique.CauseChanged
				if a.lost[name] {
					cause = pratique.CauseWithdrawn
				}
				note(a, old.vulnerability, pratique.ChangeFixed, cause, old.ruling.words(), "")
			}
		}
	}
	for id := range changed {
		v.changed = append(v.changed, id)
	}
	slices.Sort(v.changed)
}

// store writes rows and events. A finding that comes back is a new interval, and
// its event says so.
func (v *verdict) store(ctx context.Context) error {
	var fresh [][]any
	var ended []int64
	for _, a := range v.answers {
		for name, want := range v.wanted[a.pkg] {
			old, known := v.open[a.pkg][name]
			if known && old.digest == want.digest {
				continue
			}
			fixable := want.ruling.FixState == pratique.FixAvailable
			describedBy := v.descriptions[want.description].id
			if known {
				if _, err := v.tx.exec(ctx, "UPDATE findings SET severity = ?, weight = ?, fixable = ?, description_id = ?, digest = ?, document = ?, adoption_id = ? WHERE id = ?",
					want.Severity.Rank(), want.ruling.weight(), fixable, describedBy, want.digest, document{want.ruling}, v.adoption, old.id); err != nil {
					return err
				}
				continue
			}
			fresh = append(fresh, []any{a.pkg, v.vulnerabilities[name].id, want.Severity.Rank(), want.ruling.weight(), fixable, describedBy, want.digest, at(v.tx.now), v.adoption, document{want.ruling}})
		}
		for name, old := range v.open[a.pkg] {
			if _, still := v.wanted[a.pkg][name]; !still {
				ended = append(ended, old.id)
			}
		}
	}
	if err := v.reopened(ctx); err != nil {
		return err
	}
	for part := range slices.Chunk(ended, chunk) {
		if _, err := v.tx.exec(ctx, "UPDATE findings SET until = ? WHERE id IN ("+numbers(part)+")", at(v.tx.now)); err != nil {
			return err
		}
	}
	if err := v.tx.engine.load(ctx, v.tx, "findings", []string{"package_id", "vulnerability_id", "severity", "weight", "fixable", "description_id", "digest", "since", "adoption_id", "document"}, fresh); err != nil {
		return err
	}
	return v.tx.engine.load(ctx, v.tx, "events", []string{"at", "category", "change", "cause", "adoption_id", "package_id", "vulnerability_id", "subject", "before", "after"}, v.events)
}

// reopened calls those appearances by their name that have an earlier interval.
func (v *verdict) reopened(ctx context.Context) error {
	const change, pkg, vulnerability = 2, 5, 6 // columns of an event
	var candidates []int64
	for _, e := range v.events {
		if e[change] == pratique.ChangeAppeared {
			candidates = append(candidates, e[pkg].(int64))
		}
	}
	earlier := map[[2]int64]bool{}
	slices.Sort(candidates)
	for part := range slices.Chunk(slices.Compact(candidates), chunk) {
		pairs, err := collect(ctx, v.tx, func(rows *sql.Rows, p *[2]int64) error { return rows.Scan(&p[0], &p[1]) },
			"SELECT DISTINCT package_id, vulnerability_id FROM findings WHERE until IS NOT NULL AND package_id IN ("+numbers(part)+")")
		if err != nil {
			return err
		}
		for _, p := range pairs {
			earlier[p] = true
		}
	}
	for _, e := range v.events {
		if e[change] == pratique.ChangeAppeared && earlier[[2]int64{e[pkg].(int64), e[vulnerability].(int64)}] {
			e[change] = pratique.ChangeReopened
		}
	}
	return nil
}

// heldBy are the images that hold one of the packages now.
func heldBy(ctx context.Context, tx *tx, packages []int64) (map[int64]bool, error) {
	held := map[int64]bool{}
	for part := range slices.Chunk(packages, chunk) {
		ids, err := collect(ctx, tx, one[int64], "SELECT DISTINCT image_id FROM image_packages WHERE until IS NULL AND package_id IN ("+numbers(part)+")")
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			held[id] = true
		}
	}
	return held, nil
}

// refreshVulnerabilities brings the columns of vulnerabilities up to their current
// findings.
func refreshVulnerabilities(ctx context.Context, tx *tx, ids []int64) error {
	for part := range slices.Chunk(ids, chunk) {
		if _, err := tx.exec(ctx, fmt.Sprintf(`UPDATE vulnerabilities SET last_seen = ?,
			severity = COALESCE((SELECT MAX(f.severity) FROM findings f WHERE f.vulnerability_id = vulnerabilities.id AND f.until IS NULL AND f.weight = 0), -1),
			fixable = EXISTS (SELECT 1 FROM findings f WHERE f.vulnerability_id = vulnerabilities.id AND f.until IS NULL AND f.weight = 0 AND f.fixable)
			WHERE id IN (%s)`, numbers(part)), at(tx.now)); err != nil {
			return err
		}
	}
	return nil
}

// refreshPackages does the same for packages, which are judged by now.
func refreshPackages(ctx context.Context, tx *tx, ids []int64) error {
	for part := range slices.Chunk(ids, chunk) {
		if _, err := tx.exec(ctx, fmt.Sprintf(`UPDATE packages SET pending = FALSE, judged = TRUE,
			v_count = (SELECT COUNT(*) FROM findings f WHERE f.package_id = packages.id AND f.until IS NULL AND f.weight = 0),
			v_worst = COALESCE((SELECT MAX(f.severity) FROM findings f WHERE f.package_id = packages.id AND f.until IS NULL AND f.weight = 0), -1)
			WHERE id IN (%s)`, numbers(part))); err != nil {
			return err
		}
	}
	return nil
}
