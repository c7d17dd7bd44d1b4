package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/pratique/pratique"
)

// Values of images.risk.
const (
	riskUnknown = iota
	riskNone
	riskFound
)

var risks = [...]pratique.Risk{riskUnknown: pratique.RiskUnknown, riskNone: pratique.RiskNone, riskFound: pratique.RiskFound}

// severityColumns are the ends of columns' names by rank.
var severityColumns = [...]string{"negligible", "unknown", "low", "medium", "high", "critical"}

// Places of counts in vulnerabilityColumns: occurrences by rank, distinct ones by
// rank, and the rest.
const (
	countDistinct        = len(severityColumns)
	countFixable         = 2 * len(severityColumns)
	countCriticalFixable = countFixable + 1
	countExploited       = countFixable + 2
	countUnimportant     = countFixable + 3
	countSuppressed      = countFixable + 4
	countColumns         = countFixable + 5
)

var vulnerabilityColumns = func() []string {
	var all []string
	for _, kind := range [...]string{"v_", "d_"} {
		for _, s := range severityColumns {
			all = append(all, kind+s)
		}
	}
	return append(all, "fixable", "critical_fixable", "exploited", "unimportant", "suppressed_v")
}()

// weighed is a current finding, as far as counters need it.
type weighed struct {
	pkg, vulnerability int64
	severity, weight   int
	fixable, likely    bool
}

func scanWeighed(rows *sql.Rows, w *weighed) error {
	return rows.Scan(&w.pkg, &w.vulnerability, &w.severity, &w.weight, &w.fixable, &w.likely)
}

const weighedColumns = "f.package_id, f.vulnerability_id, f.severity, f.weight, f.fixable, v.likely"

// worstOf is what a vulnerability comes to in one image.
type worstOf struct {
	severity int
	likely   bool
}

// imageTally are the counts of one image, or the part of them that some
// vulnerabilities make up.
type imageTally struct {
	counts [countColumns]int
	worst  map[int64]worstOf // by vulnerability, those that count
}

func (t *imageTally) add(w weighed, occurrences int) {
	switch w.weight {
	case weightSuppressed:
		t.counts[countSuppressed] += occurrences
		return
	case weightUnimportant:
		t.counts[countUnimportant] += occurrences
		return
	}
	t.counts[w.severity] += occurrences
	if w.fixable {
		t.counts[countFixable] += occurrences
		if w.severity == pratique.SeverityCritical.Rank() {
			t.counts[countCriticalFixable] += occurrences
		}
	}
	old, known := t.worst[w.vulnerability]
	if !known {
		if t.worst == nil {
			t.worst = map[int64]worstOf{}
		}
		old.severity = -1
	}
	if w.severity > old.severity {
		if known {
			t.counts[countDistinct+old.severity]--
		} else if w.likely {
			t.counts[countExploited]++
		}
		t.counts[countDistinct+w.severity]++
		t.worst[w.vulnerability] = worstOf{w.severity, w.likely}
	}
}

// tally counts what the current findings of some vulnerabilities come to in
// each of some images.
func tally(ctx context.Context, tx *tx, vulnerabilities []int64, images map[int64]bool) (map[int64]*imageTally, error) {
	all := map[int64]*imageTally{}
	if len(images) == 0 {
		return all, nil
	}
	var findings []weighed
	for part := range slices.Chunk(vulnerabilities, chunk) {
		some, err := collect(ctx, tx, scanWeighed, "SELECT "+weighedColumns+" FROM findings f JOIN vulnerabilities v ON v.id = f.vulnerability_id WHERE f.until IS NULL AND f.vulnerability_id IN ("+numbers(part)+")")
		if err != nil {
			return nil, err
		}
		findings = append(findings, some...)
	}
	byPackage := map[int64][]weighed{}
	for _, f := range findings {
		byPackage[f.pkg] = append(byPackage[f.pkg], f)
	}
	packages := make([]int64, 0, len(byPackage))
	for id := range byPackage {
		packages = append(packages, id)
	}
	slices.Sort(packages)
	for part := range slices.Chunk(packages, chunk) {
		rows, err := tx.query(ctx, "SELECT package_id, image_id FROM image_packages WHERE until IS NULL AND package_id IN ("+numbers(part)+")")
		if err != nil {
			return nil, err
		}
		for rows.Next() {
			var pkg, image int64
			if err := rows.Scan(&pkg, &image); err != nil {
				return nil, closed(rows, err)
			}
			if !images[image] {
				continue
			}
			t := all[image]
			if t == nil {
				t = &imageTally{}
				all[image] = t
			}
			for _, f := range byPackage[pkg] {
				t.add(f, 1)
			}
		}
		if err := closed(rows, rows.Err()); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// tallyImage counts everything in one image.
func tallyImage(ctx context.Context, tx *tx, image int64) (*imageTally, error) {
	type held struct {
		pkg int64
		n   int
	}
	packages, err := collect(ctx, tx, func(rows *sql.Rows, h *held) error { return rows.Scan(&h.pkg, &h.n) },
		"SELECT package_id, COUNT(*) FROM image_packages WHERE image_id = ? AND until IS NULL GROUP BY package_id", image)
	if err != nil {
		return nil, err
	}
	occurrences := map[int64]int{}
	ids := make([]int64, len(packages))
	for i, h := range packages {
		occurrences[h.pkg], ids[i] = h.n, h.pkg
	}
	t := &imageTally{}
	for part := range slices.Chunk(ids, chunk) {
		findings, err := collect(ctx, tx, scanWeighed, "SELECT "+weighedColumns+" FROM findings f JOIN vulnerabilities v ON v.id = f.vulnerability_id WHERE f.until IS NULL AND f.package_id IN ("+numbers(part)+")")
		if err != nil {
			return nil, err
		}
		for _, f := range findings {
			t.add(f, occurrences[f.pkg])
		}
	}
	return t, nil
}

// applyDifference moves counters from before to after: of images, and of how many
// live images have a vulnerability.
func applyDifference(ctx context.Context, tx *tx, before, after map[int64]*imageTally) error {
	var images []int64
	for id := range before {
		images = append(images, id)
	}
	for id := range after {
		if before[id] == nil {
			images = append(images, id)
		}
	}
	slices.Sort(images)
	statement, err := tx.PrepareContext(ctx, tx.engine.rewrite("UPDATE images SET "+addEach(vulnerabilityColumns)+" WHERE id = ?"))
	if err != nil {
		return err
	}
	defer statement.Close()
	var moved []int64
	for _, id := range images {
		b, a := before[id], after[id]
		if b == nil {
			b = &imageTally{}
		}
		if a == nil {
			a = &imageTally{}
		}
		if a.counts == b.counts {
			continue
		}
		args := make([]any, 0, countColumns+1)
		for i := range a.counts {
			args = append(args, a.counts[i]-b.counts[i])
		}
		if _, err := statement.ExecContext(ctx, append(args, id)...); err != nil {
			return err
		}
		moved = append(moved, id)
	}
	if err := countLive(ctx, tx, images, before, after); err != nil {
		return err
	}
	return settle(ctx, tx, moved)
}

// addEach is "a = a + ?, b = b + ?".
func addEach(columns []string) string {
	all := make([]string, len(columns))
	for i, c := range columns {
		all[i] = c + " = " + c + " + ?"
	}
	return strings.Join(all, ", ")
}

func setEach(columns []string) string { return strings.Join(columns, " = ?, ") + " = ?" }

// countLive keeps vulnerabilities.images.
func countLive(ctx context.Context, tx *tx, images []int64, before, after map[int64]*imageTally) error {
	deltas := map[int64]int{}
	for part := range slices.Chunk(images, chunk) {
		live, err := collect(ctx, tx, one[int64], "SELECT id FROM images WHERE (rows_live > 0 OR running) AND id IN ("+numbers(part)+")")
		if err != nil {
			return err
		}
		for _, id := range live {
			b, a := before[id], after[id]
			if a != nil {
				for v := range a.worst {
					deltas[v]++
				}
			}
			if b != nil {
				for v := range b.worst {
					deltas[v]--
				}
			}
		}
	}
	return addTo(ctx, tx, "vulnerabilities", deltas)
}

// addTo adds to the column images of several rows.
func addTo(ctx context.Context, tx *tx, table string, deltas map[int64]int) error {
	byDelta := map[int][]int64{}
	for id, d := range deltas {
		if d != 0 {
			byDelta[d] = append(byDelta[d], id)
		}
	}
	for d, ids := range byDelta {
		for part := range slices.Chunk(ids, chunk) {
			if _, err := tx.exec(ctx, "UPDATE "+table+" SET images = images + ? WHERE id IN ("+numbers(part)+")", d); err != nil {
				return err
			}
		}
	}
	return nil
}

// settle derives risk and worst severity of images from their counters.
func settle(ctx context.Context, tx *tx, images []int64) error {
	var worst, sum strings.Builder
	for rank := len(severityColumns) - 1; rank >= 0; rank-- {
		c := severityColumns[rank]
		fmt.Fprintf(&worst, " WHEN v_%s + s_%s + m_%s > 0 THEN %d", c, c, c, rank)
		fmt.Fprintf(&sum, " + v_%s + s_%s + m_%s", c, c, c)
	}
	for part := range slices.Chunk(images, chunk) {
		if _, err := tx.exec(ctx, "UPDATE images SET worst = CASE"+worst.String()+" ELSE -1 END, risk = CASE WHEN 0"+sum.String()+" > 0 THEN 2 WHEN complete THEN 1 ELSE 0 END WHERE id IN ("+numbers(part)+")"); err != nil {
			return err
		}
	}
	return nil
}

// counterColumns are read by counterTargets.
var counterColumns = func() string {
	var all []string
	for _, kind := range [...]string{"v_", "d_", "s_", "m_"} {
		for _, s := range severityColumns {
			all = append(all, kind+s)
		}
	}
	return "i." + strings.Join(append(all, "fixable", "critical_fixable", "exploited", "unimportant", "live_secrets", "packages", "suppressed_v + i.suppressed_s"), ", i.")
}()

// nullableCounters are counterColumns of a row that has no image.
var nullableCounters = func() string {
	all := strings.Split(counterColumns, ", ")
	for i, c := range all {
		all[i] = "COALESCE(" + c + ", 0)"
	}
	return strings.Join(all, ", ")
}()

func counterTargets(c *pratique.Counters) []any {
	var all []any
	for _, by := range [...]*pratique.BySeverity{&c.Vulnerabilities, &c.Distinct, &c.Secrets, &c.Malware} {
		all = append(all, &by.Negligible, &by.Unknown, &by.Low, &by.Medium, &by.High, &by.Critical)
	}
	return append(all, &c.Fixable, &c.CriticalFixable, &c.Exploited, &c.Unimportant, &c.LiveSecrets, &c.Packages, &c.Suppressed)
}

// countSeized brings the counters of secrets and malware of one image up to date,
// and the number of its packages.
func countSeized(ctx context.Context, tx *tx, image int64) error {
	var columns []string
	for _, table := range [...]string{"secrets", "malware"} {
		for rank, c := range severityColumns {
			columns = append(columns, fmt.Sprintf("%s_%s = (SELECT COUNT(*) FROM %s x WHERE x.image_id = images.id AND x.until IS NULL AND x.weight = 0 AND x.severity = %d)", table[:1], c, table, rank))
		}
	}
	_, err := tx.exec(ctx, "UPDATE images SET "+strings.Join(columns, ", ")+`,
		suppressed_s = (SELECT COUNT(*) FROM secrets x WHERE x.image_id = images.id AND x.until IS NULL AND x.weight = 2),
		live_secrets = (SELECT COUNT(*) FROM secrets x WHERE x.image_id = images.id AND x.until IS NULL AND x.weight = 0 AND x.severity >= ?),
		packages = (SELECT COUNT(*) FROM image_packages x WHERE x.image_id = images.id AND x.until IS NULL)
		WHERE id = ?`, pratique.SeverityHigh.Rank(), image)
	return err
}
