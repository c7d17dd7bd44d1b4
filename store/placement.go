package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pratique/pratique"
)

// Who scans an image i. What lies in a registry that no site's agent reads is for
// the service's workers. What lies in registries of sites alone is for the agents of
// these sites, and what lies on hosts alone is for the agents of these hosts.
const (
	forAgents = `(i.rows_live > 0 AND NOT EXISTS (SELECT 1 FROM assets pa JOIN registries pg ON pg.id = pa.registry_id
		WHERE pa.image_id = i.id AND pa.gone IS NULL AND pa.source = 'registry' AND pg.site = ''))`
	onHostsOnly = "(i.rows_live > 0 AND i.rows_live = i.rows_local)"
)

// ForWorkers are those of some contents that the service's workers scan, in their
// order. The others wait for agents, who ask for work themselves.
func (s *Store) ForWorkers(ctx context.Context, images []pratique.Digest) ([]pratique.Digest, error) {
	agents := map[pratique.Digest]bool{}
	for part := range slices.Chunk(images, chunk) {
		in, args := marks(part)
		some, err := collect(ctx, s, one[pratique.Digest], "SELECT i.digest FROM images i WHERE i.digest IN ("+in+") AND "+forAgents, args...)
		if err != nil {
			return nil, err
		}
		for _, d := range some {
			agents[d] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(images), func(d pratique.Digest) bool { return agents[d] }), nil
}

// handedFor is how long an agent has to begin with a data update before it gets it
// once more.
const handedFor = 30 * time.Second

// NextWork claims something for an agent: a data update that its host has not
// answered, or the most urgent waiting scan that it can do. It is zero when there is
// nothing.
func (s *Store) NextWork(ctx context.Context, agentID int64) (work pratique.AgentWork, err error) {
	var a pratique.Agent
	targets, _ := s.agentTargets(&a)
	if err := s.row(ctx, "SELECT "+agentColumns+" FROM agents a WHERE a.id = ?", agentID).Scan(targets...); err != nil {
		return work, found(err, "agent", agentID)
	}
	if a.Revoked != nil {
		return work, agentRevoked()
	}
	var host int64
	query, args := siteWork, []any{at(s.now()), a.Site}
	if a.Kind == pratique.AgentHost {
		if host, err = hostOf(s.row(ctx, hostOfAgent, agentID)); err != nil {
			return work, err
		}
		if work.Refresh, err = s.takeRefresh(ctx, host); err != nil || work.Refresh != 0 {
			return work, err
		}
		query, args = hostWork, []any{at(s.now()), host}
	}
	// Who asks again and again must not take the right to write each time.
	waiting, err := collect(ctx, s, one[int64], query, args...)
	if err != nil {
		return work, err
	}
	for _, id := range waiting {
		lease, err := s.claimFor(ctx, id, a)
		switch pratique.CodeOf(err) {
		case "":
		case pratique.CodeCancelled, pratique.CodeConflict: // somebody was faster
			continue
		default:
			return work, err
		}
		work.Scan = &pratique.AgentScan{Lease: lease}
		if a.Kind == pratique.AgentHost {
			work.Scan.Local, err = s.localPlaces(ctx, host, lease.ImageID)
		} else {
			work.Scan.Remote, err = s.sitePlaces(ctx, a.Site, lease.ImageID)
		}
		return work, err
	}
	return work, nil
}

const waitingWork = "c.ended IS NULL AND c.started IS NULL AND (c.due IS NULL OR c.due <= ?)"

var (
	// From the few images of a host to their scans, and not the other way round.
	hostWork = "SELECT c.id FROM scans c JOIN images i ON i.id = c.image_id WHERE " + waitingWork +
		" AND c.image_id IN (SELECT x.image_id FROM host_images x WHERE x.host_id = ? AND x.image_id IS NOT NULL AND x.reason = '') AND " + onHostsOnly + " ORDER BY c.priority, c.id LIMIT 10"
	siteWork = "SELECT c.id FROM scans c JOIN images i ON i.id = c.image_id WHERE " + waitingWork +
		" AND EXISTS (SELECT 1 FROM assets a JOIN registries g ON g.id = a.registry_id WHERE a.image_id = i.id AND a.gone IS NULL AND a.source = 'registry' AND g.site = ?) AND " + forAgents + " ORDER BY c.priority, c.id LIMIT 10"
)

// claimFor claims a scan for an agent that is not revoked meanwhile.
func (s *Store) claimFor(ctx context.Context, scanID int64, a pratique.Agent) (lease pratique.Lease, err error) {
	err = s.write(ctx, func(tx *tx) error {
		// The update takes the row's lock, which revoking waits for.
		n, err := tx.exec(ctx, "UPDATE agents SET beat = beat WHERE id = ? AND revoked IS NULL", a.ID)
		if err != nil {
			return err
		}
		if n == 0 {
			return agentRevoked()
		}
		lease, err = claim(ctx, tx, scanID, agentWorker(a.ID))
		return err
	})
	return lease, err
}

// NextRefresh is a data update that an agent's host has not answered, or 0. Those who
// are scanning ask for no more.
func (s *Store) NextRefresh(ctx context.Context, agentID int64) (id int64, err error) {
	var a pratique.Agent
	targets, _ := s.agentTargets(&a)
	if err := s.row(ctx, "SELECT "+agentColumns+" FROM agents a WHERE a.id = ?", agentID).Scan(targets...); err != nil {
		return 0, found(err, "agent", agentID)
	}
	switch {
	case a.Revoked != nil:
		return 0, agentRevoked()
	case a.Kind != pratique.AgentHost:
		return 0, nil
	}
	host, err := hostOf(s.row(ctx, hostOfAgent, agentID))
	if err != nil {
		return 0, err
	}
	return s.takeRefresh(ctx, host)
}

// takeRefresh is the data update that a host has yet to answer, or 0.
func (s *Store) takeRefresh(ctx context.Context, host int64) (id int64, err error) {
	const waiting = " FROM data_update_hosts WHERE host_id = ? AND done IS NULL AND (handed IS NULL OR handed < ?)"
	before := at(s.now().Add(-handedFor))
	err = s.row(ctx, "SELECT COALESCE(MAX(update_id), 0)"+waiting, host, before).Scan(&id)
	if err != nil || id == 0 {
		return 0, err
	}
	return id, s.write(ctx, func(tx *tx) error {
		n, err := tx.exec(ctx, "UPDATE data_update_hosts SET handed = ? WHERE update_id = ? AND host_id = ? AND done IS NULL AND (handed IS NULL OR handed < ?)", at(tx.now), id, host, before)
		if n == 0 {
			id = 0
		}
		return err
	})
}

// localPlaces are a host's names of an image: of engines that answer first.
func (s *Store) localPlaces(ctx context.Context, host int64, imageID pratique.Digest) ([]pratique.LocalPlace, error) {
	return collect(ctx, s, func(rows *sql.Rows, p *pratique.LocalPlace) error {
		return rows.Scan(document{&p.Engine}, &p.Space, &p.Name)
	}, `SELECT e.document, x.space, x.reference FROM host_images x JOIN host_engines e ON e.id = x.engine_id JOIN images i ON i.id = x.image_id
		WHERE x.host_id = ? AND i.digest = ? AND x.reason = '' ORDER BY e.error IS NOT NULL, x.id`, host, imageID)
}

// sitePlaces are the places in registries of a site where an image can be pulled.
func (s *Store) sitePlaces(ctx context.Context, site string, imageID pratique.Digest) ([]pratique.Location, error) {
	return collect(ctx, s, func(rows *sql.Rows, l *pratique.Location) error {
		return rows.Scan(&l.RegistryID, &l.Repository, &l.Tag, &l.Digest, &l.Index)
	}, "SELECT a.registry_id, r.name, a.tag, a.digest, a.index_digest"+assetTables+"JOIN registries g ON g.id = a.registry_id WHERE g.site = ? AND i.digest = ? AND a.source = 'registry' AND a.gone IS NULL ORDER BY a.last_seen DESC, a.id", site, imageID)
}

// AgentLease is the lease of a scan that an agent holds now, or CodeCancelled.
func (s *Store) AgentLease(ctx context.Context, agentID, scanID int64) (lease pratique.Lease, err error) {
	var finished []pratique.Category
	lease = pratique.Lease{ScanID: scanID, Worker: agentWorker(agentID)}
	err = s.row(ctx, "SELECT c.attempt, i.digest, c.categories, c.finished, c.forced, c.timeout, c.created"+scanTables+"WHERE c.id = ? AND c.worker = ? AND c.ended IS NULL AND c.started IS NOT NULL", scanID, lease.Worker).
		Scan(&lease.Attempt, &lease.ImageID, document{&lease.Categories}, document{&finished}, &lease.Forced, (*micros)(&lease.Timeout), into{&lease.Created})
	if errors.Is(err, sql.ErrNoRows) {
		return lease, leaseEnded(lease)
	}
	lease.Categories = slices.DeleteFunc(lease.Categories, func(c pratique.Category) bool { return slices.Contains(finished, c) })
	return lease, err
}

// attested tells whether a report rests on what a host says.
func attested(r *pratique.Report) bool {
	return slices.ContainsFunc(r.Layers, func(l pratique.Layer) bool { return l.Attested })
}

// overruled tells whether a report rests on what a host says of an image that a
// registry has by now. Then its scan waits for those who can read it there.
func overruled(ctx context.Context, tx *tx, lease pratique.Lease, report *pratique.Report) (bool, error) {
	if report == nil || !attested(report) {
		return false, nil
	}
	var elsewhere bool
	if err := tx.row(ctx, "SELECT rows_live > rows_local FROM images WHERE digest = ?", lease.ImageID).Scan(&elsewhere); err != nil || !elsewhere {
		return false, err
	}
	_, err := tx.exec(ctx, "UPDATE scans SET started = NULL, beat = NULL, worker = '', finished = '[]', attempt = attempt + 1 WHERE id = ?", lease.ScanID)
	return true, err
}

// forget ends what a host said of an image, which a registry has now, without a
// word in its history: nothing was fixed. What an agent is scanning of it waits for
// those who read registries.
func forget(ctx context.Context, tx *tx, image int64, isLive bool) error {
	if err := tx.engine.lock(ctx, tx, lockScans); err != nil {
		return err
	}
	if isLive {
		if err := countImage(ctx, tx, image, -1); err != nil {
			return err
		}
	}
	for _, table := range [...]string{"image_packages", "secrets", "malware"} {
		if _, err := tx.exec(ctx, "UPDATE "+table+" SET until = ? WHERE image_id = ? AND until IS NULL", at(tx.now), image); err != nil {
			return err
		}
	}
	if _, err := tx.exec(ctx, "DELETE FROM image_documents WHERE image_id = ?", image); err != nil {
		return err
	}
	if _, err := tx.exec(ctx, "UPDATE scans SET finished = '[]' WHERE image_id = ? AND ended IS NULL", image); err != nil {
		return err
	}
	if _, err := tx.exec(ctx, "UPDATE scans SET started = NULL, beat = NULL, worker = '', attempt = attempt + 1 WHERE image_id = ? AND ended IS NULL AND started IS NOT NULL AND worker LIKE 'agent:%'", image); err != nil {
		return err
	}
	var zeros []any
	for range vulnerabilityColumns {
		zeros = append(zeros, 0)
	}
	if _, err := tx.exec(ctx, "UPDATE images SET "+setEach(vulnerabilityColumns)+`, attested = FALSE, complete = FALSE, distro = '', distro_name = '', rules = '', knowledge = '', adoption_id = NULL, scanned_at = NULL,
		scan_id = CASE WHEN status = 'scanning' THEN scan_id END, status = CASE WHEN status = 'scanning' THEN status ELSE 'not_scanned' END WHERE id = ?`, append(zeros, image)...); err != nil {
		return err
	}
	if err := countSeized(ctx, tx, image); err != nil {
		return err
	}
	return settle(ctx, tx, []int64{image})
}

// stranded is a waiting scan that only agents can do.
type stranded struct {
	id      int64
	created time.Time
	told    bool       // it says what it waits for
	beat    *time.Time // when an agent that can do it was last heard of
	hosts   int
	name    string // of one of them, or the site
}

// TellStranded says of waiting scans whose agents are all offline that they wait for
// these, and ends those as failed that have for longer than patience. It returns the
// number of the latter.
func (s *Store) TellStranded(ctx context.Context, patience time.Duration) (failed int, err error) {
	waiting, err := collect(ctx, s, func(rows *sql.Rows, v *stranded) error {
		return rows.Scan(&v.id, into{&v.created}, &v.told, intoOrNil{&v.beat}, &v.hosts, &v.name)
	}, `SELECT c.id, c.created, c.error IS NOT NULL,
			CASE WHEN `+onHostsOnly+` THEN (SELECT MAX(g.beat) FROM host_images x JOIN hosts h ON h.id = x.host_id JOIN agents g ON g.host_uid = h.uid AND g.revoked IS NULL WHERE x.image_id = i.id AND x.reason = '')
			ELSE (SELECT MAX(g.beat) FROM assets a JOIN registries r ON r.id = a.registry_id JOIN agents g ON g.site = r.site AND g.kind = 'site' AND g.revoked IS NULL WHERE a.image_id = i.id AND a.gone IS NULL AND a.source = 'registry' AND r.site <> '') END,
			CASE WHEN `+onHostsOnly+` THEN (SELECT COUNT(DISTINCT x.host_id) FROM host_images x WHERE x.image_id = i.id) ELSE 0 END,
			COALESCE(CASE WHEN `+onHostsOnly+` THEN (SELECT MIN(h.name) FROM host_images x JOIN hosts h ON h.id = x.host_id WHERE x.image_id = i.id)
			ELSE (SELECT MIN(r.site) FROM assets a JOIN registries r ON r.id = a.registry_id WHERE a.image_id = i.id AND a.gone IS NULL AND a.source = 'registry') END, '')
		`+scanTables+"WHERE c.ended IS NULL AND c.started IS NULL AND c.due IS NULL AND "+forAgents+" ORDER BY c.id LIMIT 20000")
	if err != nil {
		return 0, err
	}
	for _, v := range waiting {
		lost, change := s.lost(v, patience)
		if !change {
			continue
		}
		err := s.write(ctx, func(tx *tx) error {
			if lost != nil && v.told {
				return endScan(ctx, tx, v.id, pratique.StatusFailed, lost)
			}
			_, err := tx.exec(ctx, "UPDATE scans SET error = ? WHERE id = ? AND ended IS NULL AND started IS NULL", documentOrNull(lost), v.id)
			return err
		}, lockScans)
		if err != nil {
			return failed, err
		}
		if lost != nil && v.told {
			failed++
		}
	}
	return failed, nil
}

// lost is what is to be said of a waiting scan, if that changes anything: nil takes
// back what was said.
func (s *Store) lost(v stranded, patience time.Duration) (why *pratique.Error, change bool) {
	if s.online(v.beat) {
		return nil, v.told
	}
	since := v.created
	if v.beat != nil && v.beat.After(since) {
		since = *v.beat
	}
	over := s.now().Sub(since) > patience
	if v.told && !over {
		return nil, false
	}
	where := "the host " + v.name
	switch {
	case v.hosts == 0:
		where = "the site " + cmp.Or(v.name, "of its registry")
	case v.hosts > 1:
		where = fmt.Sprintf("%s and the other %d that have the image", where, v.hosts-1)
	}
	why = pratique.Errorf(pratique.CodeUnreachable, "the agent of %s is offline", where)
	if over {
		why.Message += fmt.Sprintf(", and was for %s", patience)
		return why.WithRemedy("start the agent there, then scan again"), true
	}
	return why.WithRemedy("start the agent there: the scan begins when it is back, and is given up after %s", patience), true
}
