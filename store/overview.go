package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/pratique/pratique"
)

// sumCounters are counterColumns summed over rows.
var sumCounters = func() string {
	all := strings.Split(counterColumns, ", ")
	for i, c := range all {
		all[i] = "COALESCE(SUM(" + c + "), 0)"
	}
	return strings.Join(all, ", ")
}()

// Contents of a source: those that a registry has, and those that a host has.
const (
	inRegistries = "i.rows_live > i.rows_local"
	inHosts      = "i.rows_local > 0"
)

// ofSource narrows images by their source.
func ofSource(source pratique.ImageSource) string {
	switch source {
	case pratique.SourceLocal:
		return inHosts
	case pratique.SourceAll:
		return live
	}
	return inRegistries
}

// assetsOf narrows assets by their source.
func assetsOf(source pratique.ImageSource) string {
	switch source {
	case pratique.SourceLocal:
		return "a.source = 'local'"
	case pratique.SourceAll:
		return "TRUE"
	}
	return "a.source = 'registry'"
}

// Overview counts the estate, or the part of it that a source is. today is the
// midnight at which the day of the user began. Registries, Waiting and Pending are
// of the whole.
func (s *Store) Overview(ctx context.Context, source pratique.ImageSource, today time.Time) (v pratique.Overview, err error) {
	rules, err := s.rules(ctx)
	if err != nil {
		return v, err
	}
	// Each part reads a table of its own from end to end: side by side, so that the
	// answer takes as long as the largest.
	s = s.counting()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.countRows(ctx, source, today, &v) })
	group.Go(func() error {
		return s.row(ctx, "SELECT COUNT(*), MAX(i.scanned_at), "+sumCounters+" FROM images i WHERE "+ofSource(source)).
			Scan(append([]any{&v.Images, intoOrNil{&v.LastScan}}, counterTargets(&v.Counters)...)...)
	})
	group.Go(func() error {
		return errors.Join(s.countInterest(ctx, source, rules, &v), s.countWhole(ctx, &v), s.countHosts(ctx, source, &v), s.countDistinct(ctx, source, &v))
	})
	err = group.Wait()
	return v, err
}

// countWhole counts what there is, and what waits.
func (s *Store) countWhole(ctx context.Context, v *pratique.Overview) error {
	return s.row(ctx, `SELECT (SELECT COUNT(*) FROM registries g WHERE `+ofUsers+`),
		(SELECT COUNT(*) FROM repositories r JOIN registries g ON g.id = r.registry_id WHERE r.gone IS NULL AND `+ofUsers+`), (SELECT COUNT(*) FROM scans WHERE ended IS NULL AND started IS NULL),
		(SELECT COUNT(*) FROM packages WHERE pending)`).Scan(&v.Registries, &v.Repositories, &v.Waiting, &v.Pending)
}

// countDistinct counts vulnerabilities, each once.
func (s *Store) countDistinct(ctx context.Context, source pratique.ImageSource, v *pratique.Overview) error {
	// How many contents have each vulnerability is known. Which are on hosts alone is
	// not, but these are few beside those in registries.
	const held = "FROM image_packages ip JOIN findings f ON f.package_id = ip.package_id AND f.until IS NULL AND f.weight = 0 WHERE ip.until IS NULL AND ip.image_id IN (SELECT i.id FROM images i WHERE "
	from := "FROM vulnerabilities v WHERE v.images > 0 AND v.severity >= 0"
	switch source {
	case pratique.SourceAll:
	case pratique.SourceLocal:
		from += " AND v.id IN (SELECT f.vulnerability_id " + held + inHosts + "))"
	default:
		from = "FROM vulnerabilities v LEFT JOIN (SELECT f.vulnerability_id AS id, COUNT(DISTINCT ip.image_id) AS n " + held + onHostsOnly + ") GROUP BY f.vulnerability_id) o ON o.id = v.id WHERE v.images > COALESCE(o.n, 0) AND v.severity >= 0"
	}
	rows, err := s.query(ctx, "SELECT v.severity, COUNT(*), COUNT(*) FILTER (WHERE v.likely) "+from+" GROUP BY v.severity")
	if err != nil {
		return err
	}
	for rows.Next() {
		var rank, n, likely int
		if err := rows.Scan(&rank, &n, &likely); err != nil {
			return closed(rows, err)
		}
		*v.DistinctIDs.Of(ofRank(rank)) += n
		v.Exploited += likely
	}
	return closed(rows, rows.Err())
}

// countHosts counts hosts and containers, where images on hosts are asked for.
func (s *Store) countHosts(ctx context.Context, source pratique.ImageSource, v *pratique.Overview) error {
	if source != pratique.SourceLocal && source != pratique.SourceAll {
		return nil
	}
	if err := s.row(ctx, "SELECT COUNT(*), COUNT(*) FILTER (WHERE g.beat > ?) "+hostFrom, at(s.now().Add(-pratique.OfflineAfter))).Scan(&v.Hosts, &v.HostsOnline); err != nil {
		return err
	}
	return s.row(ctx, "SELECT COUNT(*), COUNT(*) FILTER (WHERE c.running) FROM containers c").Scan(&v.Containers, &v.Running)
}

// countRows counts rows of a source's list in one pass. What each row is asked costs
// as much as finding it: so the rest of a division is not counted.
func (s *Store) countRows(ctx context.Context, source pratique.ImageSource, today time.Time, v *pratique.Overview) error {
	rest := pratique.StatusScanned // most are
	others := []pratique.Status{pratique.StatusNotScanned, pratique.StatusScanning, pratique.StatusCancelled, pratique.StatusFailed}
	columns := []string{
		"COUNT(*)", "COUNT(*) FILTER (WHERE a.risk = 2)", "COUNT(*) FILTER (WHERE a.risk = 1)",
		fmt.Sprintf("COUNT(*) FILTER (WHERE a.first_seen >= %d)", at(today)), fmt.Sprintf("COUNT(*) FILTER (WHERE a.first_seen >= %d AND a.risk = 2)", at(today)),
	}
	targets := []any{&v.Rows, &v.AtRisk, &v.NoRisk, &v.NewToday, &v.NewRiskyToday}
	counts := make([]int, len(others))
	for i, status := range others {
		columns = append(columns, "COUNT(*) FILTER (WHERE a.status = '"+string(status)+"')")
		targets = append(targets, &counts[i])
	}
	if err := s.row(ctx, "SELECT "+strings.Join(columns, ", ")+" FROM assets a WHERE a.gone IS NULL AND "+assetsOf(source)).Scan(targets...); err != nil {
		return err
	}
	v.Unknown = v.Rows - v.AtRisk - v.NoRisk
	v.ByStatus = map[pratique.Status]int{rest: v.Rows}
	for i, status := range others {
		v.ByStatus[status] = counts[i]
		v.ByStatus[rest] -= counts[i]
	}
	return nil
}

// countInterest counts rows that are the newest or in use, which are few.
func (s *Store) countInterest(ctx context.Context, source pratique.ImageSource, rules string, v *pratique.Overview) error {
	columns := []string{"COUNT(*) FILTER (WHERE " + trait(traitUrgent) + ")", "COUNT(*) FILTER (WHERE " + olderRules + ")"}
	targets := []any{&v.HighPriority, &v.Recommended}
	byWorst := make([]int, len(severityColumns))
	for rank := range severityColumns {
		columns = append(columns, fmt.Sprintf("COUNT(*) FILTER (WHERE a.newest AND a.worst = %d)", rank))
		targets = append(targets, &byWorst[rank])
	}
	if err := s.row(ctx, "SELECT "+strings.Join(columns, ", ")+" FROM assets a WHERE a.gone IS NULL AND "+assetsOf(source)+" AND "+ofInterest, rules, rules).Scan(targets...); err != nil {
		return err
	}
	v.ByWorst = map[pratique.Severity]int{}
	for rank, n := range byWorst {
		v.ByWorst[ofRank(rank)] = n
	}
	return nil
}

// CloseDay keeps how the estate stands as the state of a day (YYYY-MM-DD). Asked
// again, it replaces it: the last one of a day stays.
func (s *Store) CloseDay(ctx context.Context, date string) (day pratique.Day, err error) {
	if _, err := time.Parse(time.DateOnly, date); err != nil {
		return day, pratique.Errorf(pratique.CodeInvalid, "%.20q is no date", date).WithRemedy("write it as YYYY-MM-DD")
	}
	err = s.write(ctx, func(tx *tx) (err error) {
		if day, err = countDay(date, func(query string) scanner { return tx.row(ctx, query) }); err != nil {
			return err
		}
		_, err = tx.exec(ctx, "INSERT INTO days (date, document) VALUES (?, ?) ON CONFLICT (date) DO UPDATE SET document = excluded.document", date, document{day})
		return err
	})
	return day, err
}

// Today is the state of now as it would be kept for a day (YYYY-MM-DD) that ends
// now.
func (s *Store) Today(ctx context.Context, date string) (pratique.Day, error) {
	return countDay(date, func(query string) scanner { return s.counting().row(ctx, query) })
}

// scanner is a row of an answer.
type scanner interface{ Scan(targets ...any) error }

// countDay is about repository images, as days always were.
func countDay(date string, row func(query string) scanner) (day pratique.Day, err error) {
	day.Date = date
	if err := row("SELECT COUNT(*), COUNT(*) FILTER (WHERE a.risk = 2) FROM assets a WHERE a.source = 'registry' AND a.gone IS NULL").Scan(&day.Rows, &day.AtRisk); err != nil {
		return day, err
	}
	if err := row("SELECT " + sumCounters + " FROM images i WHERE " + inRegistries).Scan(counterTargets(&day.Counters)...); err != nil {
		return day, err
	}
	return day, row("SELECT " + sumCounters + " FROM images i WHERE EXISTS (SELECT 1 FROM assets a WHERE a.image_id = i.id AND a.source = 'registry' AND a.newest AND a.gone IS NULL)").Scan(counterTargets(&day.Newest)...)
}

// Days are the states of the days from one to another (YYYY-MM-DD, inclusive),
// oldest first. A day on which the service did not run is missing.
func (s *Store) Days(ctx context.Context, from, to string) ([]pratique.Day, error) {
	return collect(ctx, s, func(rows *sql.Rows, d *pratique.Day) error { return rows.Scan(document{d}) },
		"SELECT document FROM days WHERE date >= ? AND date <= ? ORDER BY date LIMIT 4000", from, to)
}

// TopVulnerabilities are those that matter most: likely to be exploited, then by
// severity, then by the number of images.
func (s *Store) TopVulnerabilities(ctx context.Context, among pratique.Among, n int) ([]pratique.VulnerabilityRow, error) {
	of := map[pratique.Among]string{
		pratique.AmongNewest:  "SELECT a.image_id FROM assets a WHERE a.newest AND a.gone IS NULL AND a.image_id IS NOT NULL",
		pratique.AmongRunning: "SELECT i.id FROM images i WHERE i.running",
	}[among]
	if of != "" { // few images: from them to their vulnerabilities, and not the other way round
		of = ` AND v.id IN (SELECT f.vulnerability_id FROM findings f JOIN image_packages ip ON ip.package_id = f.package_id AND ip.until IS NULL
			WHERE f.until IS NULL AND f.weight = 0 AND ip.image_id IN (` + of + "))"
	}
	return collect(ctx, s.counting(), func(rows *sql.Rows, v *pratique.VulnerabilityRow) error {
		_, err := scanVulnerability(rows, v, nil)
		return err
	}, "SELECT "+vulnerabilityRowColumns+" FROM vulnerabilities v WHERE v.images > 0"+of+" ORDER BY v.likely DESC, v.severity DESC, v.images DESC, v.epss DESC, v.id LIMIT ?", min(max(n, 1), 100))
}
