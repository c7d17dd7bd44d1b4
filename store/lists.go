package store

import (
	"context"
	"database/sql"
	"slices"

	"github.com/pratique/pratique"
)

// Tasks lists tasks, newest first. Sorts: created, total, failed.
func (s *Store) Tasks(ctx context.Context, f pratique.TaskFilter, r pratique.PageRequest) (pratique.Page[pratique.Task], error) {
	l := &listing{
		columns: taskColumns, from: "FROM tasks t",
		sorts: map[string]string{"": "t.id", "created": "t.created", "total": "t.total", "failed": "t.failed"},
		desc:  true, keys: []string{"t.id"},
	}
	in(l, "t.kind", f.Kinds)
	if f.Creator != "" {
		l.and("t.creator = ?", f.Creator)
	}
	if f.Running {
		l.and("t.ended IS NULL")
	}
	if len(f.ImageIDs) > 0 {
		list, args := marks(f.ImageIDs)
		l.and("t.id IN (SELECT ts.task_id FROM task_scans ts JOIN scans c ON c.id = ts.scan_id JOIN images i ON i.id = c.image_id WHERE i.digest IN ("+list+"))", args...)
	}
	l.during("t.created", f.Created)
	return page(ctx, s, l, r, func(rows *sql.Rows, t *pratique.Task, order []any) error {
		return rows.Scan(append(taskTargets(t), order...)...)
	})
}

// TaskProgress tells how far tasks are that have not ended.
func (s *Store) TaskProgress(ctx context.Context, ids ...int64) (map[int64]pratique.TaskProgress, error) {
	all := map[int64]pratique.TaskProgress{}
	rows, err := s.query(ctx, `SELECT ts.task_id, COUNT(*) FILTER (WHERE c.started IS NULL), COUNT(*) FILTER (WHERE c.started IS NOT NULL)
		FROM task_scans ts JOIN scans c ON c.id = ts.scan_id AND c.ended IS NULL WHERE ts.outcome IS NULL AND ts.task_id IN (`+numbers(ids)+") GROUP BY ts.task_id")
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		var id int64
		var p pratique.TaskProgress
		if err := rows.Scan(&id, &p.Waiting, &p.Running); err != nil {
			return nil, closed(rows, err)
		}
		all[id] = p
	}
	if err := closed(rows, rows.Err()); err != nil {
		return nil, err
	}
	// As many scans run as there are workers for them.
	type part struct {
		task       int64
		categories []pratique.Category
		progress   map[pratique.Category]int
	}
	parts, err := collect(ctx, s, func(rows *sql.Rows, p *part) error {
		return rows.Scan(&p.task, document{&p.categories}, document{&p.progress})
	}, "SELECT ts.task_id, c.categories, c.progress FROM task_scans ts JOIN scans c ON c.id = ts.scan_id AND c.ended IS NULL AND c.started IS NOT NULL WHERE ts.outcome IS NULL AND ts.task_id IN ("+numbers(ids)+")")
	for _, v := range parts {
		p, sum := all[v.task], 0
		for _, c := range v.categories {
			sum += v.progress[c]
		}
		p.Percent += float64(sum) / float64(max(1, len(v.categories)))
		all[v.task] = p
	}
	return all, err
}

// Scans lists scans, newest first. Sorts: created, ended, status.
func (s *Store) Scans(ctx context.Context, f pratique.ScanFilter, r pratique.PageRequest) (pratique.Page[pratique.Scan], error) {
	l := &listing{
		columns: scanColumns, from: scanTables,
		sorts: map[string]string{"": "c.id", "created": "c.created", "ended": "COALESCE(c.ended, 0)", "status": "c.status"},
		desc:  true, keys: []string{"c.id"},
	}
	if len(f.Tasks) > 0 {
		l.and("c.id IN (SELECT ts.scan_id FROM task_scans ts WHERE ts.task_id IN (" + numbers(f.Tasks) + "))")
	}
	in(l, "i.digest", f.ImageIDs)
	in(l, "c.status", f.Status)
	switch f.Phase {
	case "waiting":
		l.and("c.ended IS NULL AND c.started IS NULL")
	case "running":
		l.and("c.ended IS NULL AND c.started IS NOT NULL")
	case "ended":
		l.and("c.ended IS NOT NULL")
	}
	l.during("c.created", f.Created)
	return page(ctx, s, l, r, func(rows *sql.Rows, c *pratique.Scan, order []any) error {
		return rows.Scan(append(scanTargets(c), order...)...)
	})
}

// repositoryCounts is what each repository holds.
const repositoryCounts = `(SELECT a.repository_id, COUNT(*) AS images, COUNT(CASE WHEN a.risk = 2 THEN 1 END) AS at_risk, COUNT(CASE WHEN a.scanned_at = 0 THEN 1 END) AS unscanned FROM assets a WHERE a.gone IS NULL GROUP BY a.repository_id)`

// Repositories lists repositories. Sorts: name (the default), images, atRisk,
// synced.
func (s *Store) Repositories(ctx context.Context, f pratique.RepositoryFilter, r pratique.PageRequest) (pratique.Page[pratique.RepositoryRow], error) {
	l := &listing{
		columns: "r.id, r.registry_id, g.name, r.namespace, r.name, 1, COALESCE(n.images, 0), COALESCE(n.at_risk, 0), COALESCE(n.unscanned, 0), r.last_seen",
		from:    "FROM repositories r JOIN registries g ON g.id = r.registry_id LEFT JOIN " + repositoryCounts + " n ON n.repository_id = r.id",
		sorts:   map[string]string{"": "r.name", "name": "r.name", "images": "COALESCE(n.images, 0)", "atRisk": "COALESCE(n.at_risk, 0)", "synced": "r.last_seen"},
		keys:    []string{"r.id"},
	}
	narrowRepositories(l, f)
	return page(ctx, s, l, r, scanRepository)
}

func narrowRepositories(l *listing, f pratique.RepositoryFilter) {
	l.and(ofUsers)
	l.inIDs("r.registry_id", f.Registries)
	in(l, "r.namespace", f.Namespaces)
	l.words(f.Search, "r.name", "g.name")
	if f.Gone {
		l.and("r.gone IS NOT NULL")
	} else {
		l.and("r.gone IS NULL")
	}
}

func scanRepository(rows *sql.Rows, v *pratique.RepositoryRow, order []any) error {
	return rows.Scan(append([]any{&v.ID, &v.RegistryID, &v.RegistryName, &v.Namespace, &v.Name, &v.Repositories, &v.Images, &v.AtRisk, &v.Unscanned, into{&v.LastSeen}}, order...)...)
}

// Namespaces lists the namespaces of registries with what is in them, by registry
// and name. There are few: the list has no pages.
func (s *Store) Namespaces(ctx context.Context, f pratique.RepositoryFilter) ([]pratique.RepositoryRow, error) {
	l := &listing{}
	narrowRepositories(l, f)
	return collect(ctx, s, func(rows *sql.Rows, v *pratique.RepositoryRow) error { return scanRepository(rows, v, nil) },
		"SELECT 0, r.registry_id, g.name, r.namespace, '', COUNT(*), COALESCE(SUM(n.images), 0), COALESCE(SUM(n.at_risk), 0), COALESCE(SUM(n.unscanned), 0), MAX(r.last_seen) FROM repositories r JOIN registries g ON g.id = r.registry_id LEFT JOIN "+repositoryCounts+" n ON n.repository_id = r.id"+
			l.condition()+" GROUP BY r.registry_id, g.name, r.namespace ORDER BY g.name, r.namespace LIMIT 10000", slices.Clone(l.args)...)
}
