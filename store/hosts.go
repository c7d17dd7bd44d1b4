package store

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/pratique/pratique"
)

const hostFrom = "FROM hosts h LEFT JOIN agents g ON g.host_uid = h.uid AND g.revoked IS NULL"

const hostColumns = `h.id, h.uid, h.document, h.name, h.project, COALESCE(g.id, 0), g.beat, g.problems,
	(SELECT MAX(e.updated) FROM host_engines e WHERE e.host_id = h.id),
	(SELECT COUNT(DISTINCT x.image_id) FROM host_images x WHERE x.host_id = h.id),
	(SELECT COUNT(*) FROM containers c WHERE c.host_id = h.id), (SELECT COUNT(*) FROM containers c WHERE c.host_id = h.id AND c.running),
	(SELECT COUNT(DISTINCT x.image_id) FROM host_images x JOIN images i ON i.id = x.image_id WHERE x.host_id = h.id AND i.risk = 2)`

// hostRow is a row with what is read of it in a second step.
type hostRow struct {
	pratique.HostRow
	id int64
}

func (s *Store) scanHost(rows scanner, v *hostRow, order []any) error {
	var uid, name, project string
	err := rows.Scan(append([]any{&v.id, &uid, document{&v.Host}, &name, &project, &v.AgentID, intoOrNil{&v.Seen}, document{&v.Problems}, intoOrNil{&v.Updated}, &v.Images, &v.Containers, &v.Running, &v.AtRisk}, order...)...)
	v.ID, v.Name, v.Project = uid, name, project
	v.Online = s.online(v.Seen)
	return err
}

// Hosts lists the hosts that agents told about. Sorts: name (the default), project,
// seen, updated, images, atRisk, containers, running.
func (s *Store) Hosts(ctx context.Context, f pratique.HostFilter, r pratique.PageRequest) (p pratique.Page[pratique.HostRow], err error) {
	found, err := page(ctx, s, s.hostList(f), r, func(rows *sql.Rows, v *hostRow, order []any) error { return s.scanHost(rows, v, order) })
	if err != nil {
		return p, err
	}
	if err := s.fillEngines(ctx, found.Items); err != nil {
		return p, err
	}
	p = pratique.Page[pratique.HostRow]{Items: make([]pratique.HostRow, len(found.Items)), Next: found.Next, Total: found.Total}
	for i, v := range found.Items {
		p.Items[i] = v.HostRow
	}
	return p, nil
}

func (s *Store) hostList(f pratique.HostFilter) *listing {
	l := &listing{
		columns: hostColumns, from: hostFrom,
		sorts: map[string]string{
			"": "h.name", "name": "h.name", "project": "h.project", "seen": "COALESCE(g.beat, 0)",
			"updated":    "COALESCE((SELECT MAX(e.updated) FROM host_engines e WHERE e.host_id = h.id), 0)",
			"images":     "(SELECT COUNT(DISTINCT x.image_id) FROM host_images x WHERE x.host_id = h.id)",
			"atRisk":     "(SELECT COUNT(DISTINCT x.image_id) FROM host_images x JOIN images i ON i.id = x.image_id WHERE x.host_id = h.id AND i.risk = 2)",
			"containers": "(SELECT COUNT(*) FROM containers c WHERE c.host_id = h.id)",
			"running":    "(SELECT COUNT(*) FROM containers c WHERE c.host_id = h.id AND c.running)",
		},
		keys: []string{"h.id"}, pick: "h.id",
	}
	in(l, "h.uid", f.IDs)
	in(l, "h.project", f.Projects)
	labelled(l, f.Labels)
	if len(f.Assets) > 0 {
		l.and("h.id IN (SELECT x.host_id FROM host_images x WHERE x.asset_id IN (" + numbers(f.Assets) + "))")
	}
	if len(f.ImageIDs) > 0 {
		list, args := marks(f.ImageIDs)
		l.and("h.id IN (SELECT x.host_id FROM host_images x JOIN images i ON i.id = x.image_id WHERE i.digest IN ("+list+"))", args...)
	}
	if f.Online != nil {
		l.and("(COALESCE(g.beat, 0) > ?) = ?", at(s.now().Add(-pratique.OfflineAfter)), *f.Online)
	}
	if len(f.Engines) > 0 {
		list, args := marks(f.Engines)
		l.and("h.id IN (SELECT e.host_id FROM host_engines e WHERE e.kind IN ("+list+"))", args...)
	}
	l.words(f.Search, "h.search")
	return l
}

// fillEngines says of hosts which engines they have, and what the last inventory of
// one of them failed with.
func (s *Store) fillEngines(ctx context.Context, hosts []hostRow) error {
	type row struct {
		host int64
		info pratique.EngineInfo
		err  *pratique.Error
	}
	ids := make([]int64, len(hosts))
	for i, h := range hosts {
		ids[i] = h.id
	}
	all, err := collect(ctx, s, func(rows *sql.Rows, r *row) error { return rows.Scan(&r.host, document{&r.info}, document{&r.err}) },
		"SELECT e.host_id, e.document, e.error FROM host_engines e WHERE e.host_id IN ("+numbers(ids)+") ORDER BY e.id")
	if err != nil {
		return err
	}
	for i := range hosts {
		var told []pratique.EngineInfo
		for _, r := range all {
			if r.host != hosts[i].id {
				continue
			}
			told = append(told, r.info)
			if r.err != nil {
				hosts[i].Error = r.err
			}
		}
		hosts[i].Engines = enginesOf(hosts[i].Host, told)
	}
	return nil
}

// Host is one by its id, or CodeNotFound.
func (s *Store) Host(ctx context.Context, uid string) (v pratique.HostRow, err error) {
	one := make([]hostRow, 1)
	if err := s.scanHost(s.row(ctx, "SELECT "+hostColumns+" "+hostFrom+" WHERE h.uid = ?", uid), &one[0], nil); err != nil {
		return v, found(err, "host", uid)
	}
	err = s.fillEngines(ctx, one)
	return one[0].HostRow, err
}

// labelled narrows to hosts that have one of some labels.
func labelled(l *listing, labels []string) {
	if len(labels) > 0 {
		list, args := marks(labels)
		l.and("h.id IN (SELECT b.host_id FROM host_labels b WHERE b.label IN ("+list+"))", args...)
	}
}

// HostFacets are the values that the filters of hosts and of images on them can
// take, with the number of hosts.
func (s *Store) HostFacets(ctx context.Context) (v pratique.HostFacets, err error) {
	groups := func(query string) ([]pratique.Facet, error) {
		all, err := collect(ctx, s, func(rows *sql.Rows, f *pratique.Facet) error { return rows.Scan(&f.Value, &f.Count) }, query)
		if all == nil {
			all = []pratique.Facet{}
		}
		return all, err
	}
	if v.Projects, err = groups("SELECT h.project, COUNT(*) FROM hosts h WHERE h.project <> '' GROUP BY h.project ORDER BY h.project LIMIT 1000"); err != nil {
		return v, err
	}
	if v.Labels, err = groups("SELECT b.label, COUNT(*) FROM host_labels b GROUP BY b.label ORDER BY b.label LIMIT 1000"); err != nil {
		return v, err
	}
	v.Engines, err = groups("SELECT e.kind, COUNT(DISTINCT e.host_id) FROM host_engines e GROUP BY e.kind ORDER BY e.kind LIMIT 100")
	return v, err
}

// Containers lists containers. Sorts: updated (the default, newest first), name,
// state, host, image, created, worst.
func (s *Store) Containers(ctx context.Context, f pratique.ContainerFilter, r pratique.PageRequest) (pratique.Page[pratique.ContainerRow], error) {
	return page(ctx, s, containerList(f), r, func(rows *sql.Rows, v *pratique.ContainerRow, order []any) error {
		var risk int
		var beat *time.Time
		targets := append([]any{&v.RowID, document{&v.Container}, &v.HostID, &v.HostName, &v.Engine, intoOrNil{&beat}, &risk, &v.Status, into{&v.LastSeen}}, counterTargets(&v.Counters)...)
		if err := rows.Scan(append(targets, order...)...); err != nil {
			return err
		}
		v.Risk, v.Online = risks[risk], s.online(beat)
		return nil
	})
}

func containerList(f pratique.ContainerFilter) *listing {
	l := &listing{
		columns: "c.id, c.document, h.uid, h.name, e.kind, g.beat, COALESCE(i.risk, 0), COALESCE(i.status, 'not_scanned'), COALESCE(e.updated, e.told), " + nullableCounters,
		from: `FROM containers c JOIN hosts h ON h.id = c.host_id JOIN host_engines e ON e.id = c.engine_id LEFT JOIN agents g ON g.host_uid = h.uid AND g.revoked IS NULL
			LEFT JOIN images i ON i.id = c.image_id`,
		sorts: map[string]string{"": "c.updated", "updated": "c.updated", "name": "c.name", "state": "c.state", "host": "h.name", "created": "c.created", "worst": "COALESCE(i.worst, -1)"},
		desc:  true, keys: []string{"c.id"}, pick: "c.id",
	}
	l.inIDs("c.id", f.IDs)
	in(l, "i.digest", f.ImageIDs)
	in(l, "h.uid", f.Hosts)
	in(l, "c.state", f.States)
	in(l, "h.project", f.Projects)
	in(l, "e.kind", f.Engines)
	if len(f.Risk) > 0 {
		var states []int
		for _, r := range f.Risk {
			states = append(states, slices.Index(risks[:], r))
		}
		in(l, "COALESCE(i.risk, 0)", states)
	}
	if f.Vulnerability != "" {
		l.and("c.image_id IN ("+imagesWith+")", f.Vulnerability)
	}
	l.words(f.Search, "c.search", "h.name")
	return l
}

// imagesWith are the images that have a vulnerability now.
const imagesWith = `SELECT ip.image_id FROM vulnerabilities v JOIN findings f ON f.vulnerability_id = v.id AND f.until IS NULL AND f.weight = 0
	JOIN image_packages ip ON ip.package_id = f.package_id AND ip.until IS NULL WHERE v.name = ?`

// HostsSince are the hosts that told something new at a moment or later, and when
// they did last: what has to be told to those who watch.
func (s *Store) HostsSince(ctx context.Context, moment time.Time) (map[string]time.Time, error) {
	type row struct {
		uid string
		at  time.Time
	}
	all, err := collect(ctx, s, func(rows *sql.Rows, r *row) error { return rows.Scan(&r.uid, into{&r.at}) },
		"SELECT h.uid, MAX(e.changed) FROM host_engines e JOIN hosts h ON h.id = e.host_id WHERE e.changed >= ? GROUP BY h.uid LIMIT ?", at(moment), pratique.MaxPage)
	hosts := make(map[string]time.Time, len(all))
	for _, r := range all {
		hosts[r.uid] = r.at
	}
	return hosts, err
}

// CountFleet counts hosts, agents that are not revoked, and those of them that are
// online.
func (s *Store) CountFleet(ctx context.Context) (hosts, agents, online int, err error) {
	err = s.row(ctx, "SELECT (SELECT COUNT(*) FROM hosts), COUNT(*), COUNT(*) FILTER (WHERE beat > ?) FROM agents WHERE revoked IS NULL", at(s.now().Add(-pratique.OfflineAfter))).Scan(&hosts, &agents, &online)
	return hosts, agents, online, err
}
