package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/pratique/pratique"
)

// maxAgents bounds lists of agents and of their tokens.
const maxAgents = 20_000

const tokenColumns = "t.id, t.kind, t.note, t.site, t.project, t.uses, t.used, t.who, t.created, t.expires, t.revoked"

func tokenTargets(t *pratique.AgentToken) []any {
	return []any{&t.ID, &t.Kind, &t.Note, &t.Site, &t.Project, &t.Uses, &t.Used, &t.By, into{&t.Created}, into{&t.Expires}, intoOrNil{&t.Revoked}}
}

// AddAgentToken keeps a token by the hash of its secret, and returns it with its id.
func (s *Store) AddAgentToken(ctx context.Context, t pratique.AgentToken, secretHash string) (pratique.AgentToken, error) {
	switch {
	case t.Kind != pratique.AgentHost && t.Kind != pratique.AgentSite:
		return t, pratique.Errorf(pratique.CodeInvalid, "%.20q is no kind of agent", string(t.Kind)).WithRemedy("choose host or site")
	case (t.Kind == pratique.AgentSite) != (t.Site != ""):
		return t, pratique.Errorf(pratique.CodeInvalid, "a token for a site's agent names its site, and no other does").WithRemedy("name the site, or choose the kind host")
	case t.Uses < 1:
		return t, pratique.Errorf(pratique.CodeInvalid, "a token for %d agents", t.Uses).WithRemedy("let it be used once at least")
	case secretHash == "":
		return t, pratique.Errorf(pratique.CodeInvalid, "a token without a secret")
	}
	err := s.write(ctx, func(tx *tx) (err error) {
		t.Created, t.Used, t.Revoked = tx.now, 0, nil
		t.ID, err = tx.insert(ctx, "INSERT INTO agent_tokens (hash, kind, note, site, project, uses, used, who, created, expires) VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?, ?)",
			secretHash, t.Kind, bounded(t.Note, 200), bounded(t.Site, 64), bounded(t.Project, 128), t.Uses, t.By, at(tx.now), at(t.Expires))
		return err
	})
	return t, err
}

// AgentTokens lists tokens, newest first.
func (s *Store) AgentTokens(ctx context.Context) ([]pratique.AgentToken, error) {
	return collect(ctx, s, func(rows *sql.Rows, t *pratique.AgentToken) error { return rows.Scan(tokenTargets(t)...) },
		"SELECT "+tokenColumns+" FROM agent_tokens t ORDER BY t.id DESC LIMIT ?", maxAgents)
}

// RevokeAgentToken lets no more agents enrol with a token. Those that did stay.
func (s *Store) RevokeAgentToken(ctx context.Context, id int64) error {
	return s.revoke(ctx, "agent_tokens", "token", id)
}

// RevokeAgent takes an agent's key away. What it is scanning waits again, and what
// it told stays until its host is removed.
func (s *Store) RevokeAgent(ctx context.Context, id int64) error {
	if err := s.revoke(ctx, "agents", "agent", id); err != nil {
		return err
	}
	return s.write(ctx, func(tx *tx) error { return releaseWorker(ctx, tx, agentWorker(id)) })
}

func (s *Store) revoke(ctx context.Context, table, what string, id int64) error {
	return s.write(ctx, func(tx *tx) error {
		n, err := tx.exec(ctx, "UPDATE "+table+" SET revoked = COALESCE(revoked, CAST(? AS BIGINT)) WHERE id = ?", at(tx.now), id)
		if err == nil && n == 0 {
			return notFound(what, id)
		}
		return err
	})
}

// agentWorker is the worker of an agent's leases.
func agentWorker(id int64) string { return "agent:" + numbers([]int64{id}) }

// releaseWorker lets everything wait again that a worker has.
func releaseWorker(ctx context.Context, tx *tx, worker string) error {
	_, err := tx.exec(ctx, "UPDATE scans SET started = NULL, beat = NULL, worker = '' WHERE ended IS NULL AND started IS NOT NULL AND worker = ?", worker)
	return err
}

// AgentStarted says that an agent's program has begun anew: whatever it was scanning
// has lost its worker, and waits again as after any worker's death.
func (s *Store) AgentStarted(ctx context.Context, agentID int64) error {
	var orphans int64
	err := s.write(ctx, func(tx *tx) (err error) {
		orphans, err = tx.exec(ctx, "UPDATE scans SET beat = 0 WHERE ended IS NULL AND started IS NOT NULL AND worker = ?", agentWorker(agentID))
		return err
	})
	if err != nil || orphans == 0 {
		return err
	}
	_, err = s.ReleaseSilent(ctx, time.Hour)
	return err
}

// Enrol makes an agent of whoever knows a token's secret, and uses the token up by
// one. It is CodeUnauthorized when the token is unknown, expired, revoked or used
// up. A host, or a key, that enrols again replaces its agent, whose key is revoked.
func (s *Store) Enrol(ctx context.Context, secretHash string, a pratique.Agent, host pratique.Host) (pratique.Agent, error) {
	if a.Key == "" || len(a.Key) > maxIndexed {
		return a, pratique.Errorf(pratique.CodeInvalid, "an agent without a key")
	}
	err := s.write(ctx, func(tx *tx) error {
		var t pratique.AgentToken
		n, err := tx.exec(ctx, "UPDATE agent_tokens SET used = used + 1 WHERE hash = ? AND revoked IS NULL AND expires > ? AND used < uses", secretHash, at(tx.now))
		if err != nil {
			return err
		}
		if n == 0 {
			return whyNoToken(ctx, tx, secretHash)
		}
		if err := tx.row(ctx, "SELECT "+tokenColumns+" FROM agent_tokens t WHERE t.hash = ?", secretHash).Scan(tokenTargets(&t)...); err != nil {
			return err
		}
		if a.Kind, a.Site = cmp.Or(a.Kind, t.Kind), cmp.Or(a.Site, t.Site); a.Kind != t.Kind || a.Site != t.Site {
			return pratique.Errorf(pratique.CodeUnauthorized, "the token is for an agent of kind %s%s", t.Kind, ofSite(t.Site)).WithRemedy("make a token for this kind of agent, and enrol with it")
		}
		a.HostID = ""
		if a.Kind == pratique.AgentHost {
			if a.HostID = host.ID; a.HostID == "" || len(a.HostID) > 200 {
				return pratique.Errorf(pratique.CodeInvalid, "a host without an id").WithRemedy("look at /etc/machine-id of the host")
			}
		}
		a.Name, a.TokenID, a.Enrolled, a.Beat, a.Revoked, a.Online = bounded(cmp.Or(a.Name, host.Name), 255), t.ID, tx.now, &tx.now, nil, true
		return enrol(ctx, tx, &a, t.Project, host)
	}, lockFleet)
	return a, err
}

func ofSite(site string) string {
	if site == "" {
		return ""
	}
	return ", of the site " + site
}

func enrol(ctx context.Context, tx *tx, a *pratique.Agent, project string, host pratique.Host) (err error) {
	earlier, err := collect(ctx, tx, one[int64], "UPDATE agents SET revoked = ? WHERE revoked IS NULL AND (public_key = ? OR host_uid = ? AND CAST(? AS TEXT) <> '') RETURNING id", at(tx.now), a.Key, a.HostID, a.HostID)
	if err != nil {
		return err
	}
	for _, id := range earlier {
		if err := releaseWorker(ctx, tx, agentWorker(id)); err != nil {
			return err
		}
	}
	a.ID, err = tx.insert(ctx, "INSERT INTO agents (kind, name, public_key, host_uid, site, project, version, token_id, enrolled, beat, problems) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		a.Kind, a.Name, a.Key, a.HostID, a.Site, project, bounded(a.Version, 100), a.TokenID, at(tx.now), at(tx.now), document{a.Problems})
	if err != nil || a.Kind != pratique.AgentHost {
		return err
	}
	id, err := putHost(ctx, tx, host, project)
	if err != nil {
		return err
	}
	// The new agent may count its inventories from the beginning.
	_, err = tx.exec(ctx, "UPDATE host_engines SET generation = 0 WHERE host_id = ?", id)
	return err
}

// whyNoToken is the reason why a token lets nobody in.
func whyNoToken(ctx context.Context, tx *tx, hash string) error {
	refused := func(why string) error {
		return pratique.Errorf(pratique.CodeUnauthorized, "the token %s", why).WithRemedy("make a new one under Agents, and enrol with it")
	}
	var t pratique.AgentToken
	err := tx.row(ctx, "SELECT "+tokenColumns+" FROM agent_tokens t WHERE t.hash = ?", hash).Scan(tokenTargets(&t)...)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return refused("is not one of this service")
	case err != nil:
		return err
	case t.Revoked != nil:
		return refused("was revoked")
	case !t.Expires.After(tx.now):
		return refused("expired at " + t.Expires.Format(time.RFC3339))
	}
	return refused("was used by as many agents as it is for")
}

const agentColumns = "a.id, a.kind, a.name, a.public_key, a.host_uid, a.site, a.version, a.enrolled, COALESCE(a.token_id, 0), a.beat, a.revoked, a.problems"

func (s *Store) agentTargets(a *pratique.Agent) (targets []any, finish func()) {
	return []any{&a.ID, &a.Kind, &a.Name, &a.Key, &a.HostID, &a.Site, &a.Version, into{&a.Enrolled}, &a.TokenID, intoOrNil{&a.Beat}, intoOrNil{&a.Revoked}, document{&a.Problems}},
		func() { a.Online = a.Revoked == nil && s.online(a.Beat) }
}

// online tells whether an agent that was heard of last at a moment is.
func (s *Store) online(beat *time.Time) bool {
	return beat != nil && s.now().Sub(*beat) < pratique.OfflineAfter
}

// AgentByKey is the agent that has a key now, or CodeUnauthorized.
func (s *Store) AgentByKey(ctx context.Context, key string) (a pratique.Agent, err error) {
	targets, finish := s.agentTargets(&a)
	err = s.row(ctx, "SELECT "+agentColumns+" FROM agents a WHERE a.public_key = ? ORDER BY a.revoked IS NOT NULL, a.id DESC LIMIT 1", key).Scan(targets...)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return a, pratique.Errorf(pratique.CodeUnauthorized, "no agent has this key").WithRemedy("enrol the agent with a new token")
	case err == nil && a.Revoked != nil:
		return pratique.Agent{}, agentRevoked()
	}
	finish()
	return a, err
}

func agentRevoked() error {
	return pratique.Errorf(pratique.CodeUnauthorized, "the agent was revoked").WithRemedy("enrol it again with a new token, if it shall come back")
}

// Agents lists all agents, newest first. Revoked ones are among them.
func (s *Store) Agents(ctx context.Context) ([]pratique.Agent, error) {
	return collect(ctx, s, func(rows *sql.Rows, a *pratique.Agent) error {
		targets, finish := s.agentTargets(a)
		err := rows.Scan(targets...)
		finish()
		return err
	}, "SELECT "+agentColumns+" FROM agents a ORDER BY a.revoked IS NOT NULL, a.id DESC LIMIT ?", maxAgents)
}

// OnlineAgents is how many hosts have an agent that is online.
func (s *Store) OnlineAgents(ctx context.Context) (n int, err error) {
	err = s.row(ctx, "SELECT COUNT(*) FROM agents WHERE kind = 'host' AND revoked IS NULL AND beat > ?", at(s.now().Add(-pratique.OfflineAfter))).Scan(&n)
	return n, err
}

// Sites are those that an agent reads registries of.
func (s *Store) Sites(ctx context.Context) ([]string, error) {
	return collect(ctx, s, one[string], "SELECT DISTINCT site FROM agents WHERE kind = 'site' AND revoked IS NULL ORDER BY site")
}

// SiteOnline tells whether an agent of a site is online.
func (s *Store) SiteOnline(ctx context.Context, site string) (online bool, err error) {
	err = s.row(ctx, "SELECT EXISTS (SELECT 1 FROM agents WHERE kind = 'site' AND site = ? AND revoked IS NULL AND beat > ?)", site, at(s.now().Add(-pratique.OfflineAfter))).Scan(&online)
	return online, err
}

// AgentBeat says that an agent lives, and how its host and it are. A host other than
// its own, or a revoked agent, is CodeUnauthorized.
func (s *Store) AgentBeat(ctx context.Context, agentID int64, host pratique.Host, version string, problems []pratique.Problem) error {
	return s.write(ctx, func(tx *tx) error {
		var uid, project string
		var kind pratique.AgentKind
		err := tx.row(ctx, "UPDATE agents SET beat = ?, version = ?, problems = ? WHERE id = ? AND revoked IS NULL RETURNING kind, host_uid, project",
			at(tx.now), bounded(version, 100), document{problems[:min(len(problems), 100)]}, agentID).Scan(&kind, &uid, &project)
		if errors.Is(err, sql.ErrNoRows) {
			return agentRevoked()
		}
		if err != nil || kind != pratique.AgentHost {
			return err
		}
		if host.ID != uid {
			return pratique.Errorf(pratique.CodeUnauthorized, "the agent is not that of the host %.40q", host.ID).WithRemedy("enrol it again: its files were copied from another host")
		}
		_, err = putHost(ctx, tx, host, project)
		return err
	})
}

// putHost keeps what a host says of itself, and returns its row. Nothing is written
// when that is as it was.
func putHost(ctx context.Context, tx *tx, host pratique.Host, project string) (id int64, err error) {
	host = tidied(host, project)
	said, err := digestOfJSON(host)
	if err != nil {
		return 0, err
	}
	var before pratique.Host
	labels := 0
	err = tx.row(ctx, "SELECT h.id, h.document, (SELECT COUNT(*) FROM host_labels b WHERE b.host_id = h.id) FROM hosts h WHERE h.uid = ?", host.ID).Scan(&id, document{&before}, &labels)
	if errors.Is(err, sql.ErrNoRows) {
		id, err = tx.insert(ctx, "INSERT INTO hosts (uid, name, project, document, search, first_seen) VALUES (?, ?, ?, ?, '', ?)", host.ID, host.Name, host.Project, document{host}, at(tx.now))
		if err != nil {
			return 0, err
		}
		return id, putHostTexts(ctx, tx, id, host.Labels)
	}
	if err != nil {
		return 0, err
	}
	if was, err := digestOfJSON(before); err != nil || was == said && labels == len(host.Labels) {
		return id, err
	}
	if _, err := tx.exec(ctx, "UPDATE hosts SET name = ?, project = ?, document = ? WHERE id = ?", host.Name, host.Project, document{host}, id); err != nil {
		return 0, err
	}
	return id, putHostTexts(ctx, tx, id, host.Labels)
}

// putHostTexts writes what a host is filtered and searched by.
func putHostTexts(ctx context.Context, tx *tx, id int64, labels pratique.Labels) error {
	if _, err := tx.exec(ctx, "DELETE FROM host_labels WHERE host_id = ?", id); err != nil {
		return err
	}
	for name, value := range labels {
		if _, err := tx.exec(ctx, "INSERT INTO host_labels (host_id, label) VALUES (?, ?)", id, name+"="+value); err != nil {
			return err
		}
	}
	return refreshHostSearch(ctx, tx, id)
}

// Bounds of what a host may say of itself.
const (
	maxAddresses = 64
	maxLabels    = 64
	maxEngines   = 64
)

func tidied(h pratique.Host, project string) pratique.Host {
	h.Name, h.OS, h.Kernel, h.Architecture = bounded(h.Name, 255), bounded(h.OS, 200), bounded(h.Kernel, 200), bounded(h.Architecture, 40)
	h.Project = bounded(cmp.Or(h.Project, project), 128)
	h.IPs, h.Engines, h.Labels = slices.Clone(h.IPs[:min(len(h.IPs), maxAddresses)]), slices.Clone(h.Engines[:min(len(h.Engines), maxEngines)]), boundedLabels(h.Labels)
	for i, ip := range h.IPs {
		h.IPs[i] = bounded(ip, 64)
	}
	for i, e := range h.Engines {
		h.Engines[i] = tidiedEngine(e)
	}
	return h
}

func tidiedEngine(e pratique.EngineInfo) pratique.EngineInfo {
	e.Version, e.API, e.ID, e.Store = bounded(e.Version, 100), bounded(e.API, 40), bounded(e.ID, 200), bounded(e.Store, 100)
	e.Kind, e.Root, e.Owner = pratique.EngineKind(bounded(string(e.Kind), 40)), bounded(e.Root, 400), bounded(e.Owner, 200)
	e.Limits = slices.Clone(e.Limits[:min(len(e.Limits), 20)])
	for i, l := range e.Limits {
		e.Limits[i] = pratique.Text{EN: bounded(l.EN, 500), ZH: bounded(l.ZH, 500)}
	}
	return e
}

func boundedLabels(all pratique.Labels) pratique.Labels {
	if len(all) == 0 {
		return nil
	}
	kept := pratique.Labels{}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if len(kept) == maxLabels {
			break
		}
		kept[bounded(name, 200)] = bounded(all[name], 400)
	}
	return kept
}

// refreshHostSearch writes what searches for a host look at: the versions of its
// engines are among it.
func refreshHostSearch(ctx context.Context, tx *tx, id int64) error {
	var h pratique.Host
	if err := tx.row(ctx, "SELECT document FROM hosts WHERE id = ?", id).Scan(document{&h}); err != nil {
		return err
	}
	told, err := collect(ctx, tx, func(rows *sql.Rows, e *pratique.EngineInfo) error { return rows.Scan(document{e}) }, "SELECT document FROM host_engines WHERE host_id = ? ORDER BY id", id)
	if err != nil {
		return err
	}
	words := append([]string{h.Name, h.Project, h.OS, h.Kernel}, h.IPs...)
	for _, e := range enginesOf(h, told) {
		words = append(words, string(e.Kind), e.Version)
	}
	_, err = tx.exec(ctx, "UPDATE hosts SET search = ? WHERE id = ?", searchable(words...), id)
	return err
}

// enginesOf are those that told what they have, and then those that the host named
// and that told nothing yet.
func enginesOf(h pratique.Host, told []pratique.EngineInfo) []pratique.EngineInfo {
	all := slices.Clone(told)
	for _, e := range h.Engines {
		if !slices.ContainsFunc(told, func(t pratique.EngineInfo) bool { return engineIdentity(t) == engineIdentity(e) }) {
			all = append(all, e)
		}
	}
	return all
}

// engineIdentity tells the engines of one host apart.
func engineIdentity(e pratique.EngineInfo) string {
	return digestOf(string(e.Kind), e.Owner, e.Root)
}

// PutSealedSetting keeps a secret of the service's own, such as the key of its
// certificates, encrypted.
func (s *Store) PutSealedSetting(ctx context.Context, name, plain string) error {
	sealed, err := s.keys.seal("setting/"+name, plain)
	if err != nil {
		return err
	}
	return s.SetSetting(ctx, name, sealed)
}

// SealedSetting is what was kept under a name, or "".
func (s *Store) SealedSetting(ctx context.Context, name string) (string, error) {
	var sealed []byte
	if err := s.Setting(ctx, name, &sealed); err != nil {
		return "", err
	}
	return s.keys.open("setting/"+name, sealed)
}
