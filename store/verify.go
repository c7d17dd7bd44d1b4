package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Verify counts everything again from nothing, and returns a sentence for each
// counter that is not what was kept, at most 100. It is for tests and for
// administrators who suspect a damaged database; it reads all findings.
func (s *Store) Verify(ctx context.Context) (wrong []string, err error) {
	err = s.write(ctx, func(tx *tx) error {
		wrong = nil
		if err := verifyImages(ctx, tx, &wrong); err != nil {
			return err
		}
		for what, query := range map[string]string{
			"secrets of images": "SELECT COUNT(*) FROM images i WHERE " + sumSecrets + " <> (SELECT COUNT(*) FROM secrets x WHERE x.image_id = i.id AND x.until IS NULL AND x.weight = 0)",
			"malware of images": "SELECT COUNT(*) FROM images i WHERE " + sumMalware + " <> (SELECT COUNT(*) FROM malware x WHERE x.image_id = i.id AND x.until IS NULL AND x.weight = 0)",
			"risks of images":   "SELECT COUNT(*) FROM images i WHERE (i.risk = 2) <> (" + sumVulnerabilities + " + " + sumSecrets + " + " + sumMalware + " > 0)",
			"rows of images":    "SELECT COUNT(*) FROM images i WHERE i.rows_live <> (SELECT COUNT(*) FROM assets a WHERE a.image_id = i.id AND a.gone IS NULL)",
			"keys of rows": `SELECT COUNT(*) FROM assets a JOIN image_keys k ON k.image_id = COALESCE(a.image_id, 0)
				WHERE (a.status, a.scanned_at, a.risk, a.worst, a.running, a.distro, a.architecture, a.packages, a.vulnerabilities, a.critical, a.secrets, a.malware, a.traits) <>
				(k.status, k.scanned_at, k.risk, k.worst, k.running, k.distro, k.architecture, k.packages, k.vulnerabilities, k.critical, k.secrets, k.malware, k.traits)`,
			"local rows of images":                   "SELECT COUNT(*) FROM images i WHERE i.rows_local <> (SELECT COUNT(*) FROM assets a WHERE a.image_id = i.id AND a.gone IS NULL AND a.source = 'local')",
			"images in use":                          "SELECT COUNT(*) FROM images i WHERE i.running <> EXISTS (SELECT 1 FROM containers c WHERE c.image_id = i.id AND c.uses)",
			"rows on hosts":                          "SELECT COUNT(*) FROM assets a WHERE a.source = 'local' AND (a.gone IS NULL) <> EXISTS (SELECT 1 FROM host_images x WHERE x.asset_id = a.id)",
			"what hosts say of images in registries": "SELECT COUNT(*) FROM images i WHERE i.attested AND i.rows_live > i.rows_local",
			"images of vulnerabilities": `SELECT COUNT(*) FROM vulnerabilities v WHERE v.images <> (SELECT COUNT(DISTINCT ip.image_id) FROM findings f JOIN image_packages ip ON ip.package_id = f.package_id AND ip.until IS NULL
				JOIN images i ON i.id = ip.image_id WHERE f.vulnerability_id = v.id AND f.until IS NULL AND f.weight = 0 AND ` + live + ")",
			"severities of vulnerabilities": "SELECT COUNT(*) FROM vulnerabilities v WHERE v.severity <> COALESCE((SELECT MAX(f.severity) FROM findings f WHERE f.vulnerability_id = v.id AND f.until IS NULL AND f.weight = 0), -1)",
			"images of packages":            "SELECT COUNT(*) FROM packages p WHERE p.images <> (SELECT COUNT(DISTINCT ip.image_id) FROM image_packages ip JOIN images i ON i.id = ip.image_id WHERE ip.package_id = p.id AND ip.until IS NULL AND " + live + ")",
			"findings of packages":          "SELECT COUNT(*) FROM packages p WHERE NOT p.pending AND p.v_count <> (SELECT COUNT(*) FROM findings f WHERE f.package_id = p.id AND f.until IS NULL AND f.weight = 0)",
			"outcomes of tasks":             "SELECT COUNT(*) FROM tasks t WHERE t.scanned + t.failed + t.cancelled <> (SELECT COUNT(*) FROM task_scans ts WHERE ts.task_id = t.id AND ts.outcome IS NOT NULL)",
			"sizes of tasks":                "SELECT COUNT(*) FROM tasks t WHERE t.total <> (SELECT COUNT(*) FROM task_scans ts WHERE ts.task_id = t.id)",
			"ends of tasks":                 "SELECT COUNT(*) FROM tasks t WHERE (t.ended IS NULL) <> (t.scanned + t.failed + t.cancelled < t.total)",
			"ends of scans":                 "SELECT COUNT(*) FROM task_scans ts JOIN scans c ON c.id = ts.scan_id WHERE c.ended IS NOT NULL AND ts.outcome IS NULL",
			"units of the quota":            "SELECT COUNT(*) FROM quota_entries e WHERE e.images <> (SELECT COUNT(*) FROM licences l WHERE l.entry_id = e.id)",
			"lines of the quota":            "SELECT COUNT(*) FROM quota_entries e WHERE e.used <> (SELECT COUNT(*) FROM licences l WHERE l.entry_id <= e.id) OR e.used > e.total",
			"states of images":              "SELECT COUNT(*) FROM images i WHERE (i.status = 'scanning') <> EXISTS (SELECT 1 FROM scans c WHERE c.image_id = i.id AND c.ended IS NULL)",
		} {
			var n int
			if err := tx.row(ctx, query).Scan(&n); err != nil {
				return fmt.Errorf("%s: %w", what, err)
			}
			if n > 0 {
				wrong = append(wrong, fmt.Sprintf("%s: %d are wrong", what, n))
			}
		}
		slices.Sort(wrong)
		wrong = wrong[:min(len(wrong), 100)]
		return nil
	}, lockBench, lockScans)
	return wrong, err
}

// verifyImages compares each image's counters with a count of its own.
func verifyImages(ctx context.Context, tx *tx, wrong *[]string) error {
	ids, err := collect(ctx, tx, one[int64], "SELECT id FROM images ORDER BY id")
	if err != nil {
		return err
	}
	kept := vulnerabilityColumns
	for _, id := range ids {
		t, err := tallyImage(ctx, tx, id)
		if err != nil {
			return err
		}
		var have [countColumns]int
		targets := make([]any, countColumns)
		for i := range have {
			targets[i] = &have[i]
		}
		if err := tx.row(ctx, "SELECT "+strings.Join(kept, ", ")+" FROM images WHERE id = ?", id).Scan(targets...); err != nil {
			return err
		}
		for i := range have {
			if have[i] != t.counts[i] {
				*wrong = append(*wrong, fmt.Sprintf("image %d: %s is %d, counted %d", id, kept[i], have[i], t.counts[i]))
			}
		}
	}
	return nil
}
