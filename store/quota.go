package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pratique/pratique"
)

const settingQuota = "quota"

// quotaDocument is what is kept of the settings.
type quotaDocument struct {
	pratique.QuotaSettings
	By      string     `json:"by"`
	Updated *time.Time `json:"updated,omitempty"`
}

func quotaOf(row interface{ Scan(...any) error }) (d quotaDocument, err error) {
	if err = row.Scan(document{&d}); errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return d, err
}

const quotaQuery = "SELECT value FROM settings WHERE name = '" + settingQuota + "'"

// utcDay is the day that the rule's daily number is counted in.
func utcDay(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

// Quota is how much is used.
func (s *Store) Quota(ctx context.Context) (v pratique.QuotaState, err error) {
	d, err := quotaOf(s.row(ctx, quotaQuery))
	if err != nil {
		return v, err
	}
	v.QuotaSettings, v.By, v.Updated = d.QuotaSettings, d.By, d.Updated
	err = s.row(ctx, `SELECT (SELECT COUNT(*) FROM licences), COUNT(*), COUNT(CASE WHEN l.image_id IS NULL THEN 1 END),
		(SELECT CAST(COALESCE(SUM(images), 0) AS BIGINT) FROM quota_entries WHERE action = 'auto' AND at >= ?)
		FROM images i LEFT JOIN licences l ON l.image_id = i.id WHERE `+live, at(utcDay(s.now()))).Scan(&v.Used, &v.Images, &v.Unlicensed, &v.AutoToday)
	v.Left = max(v.Total-v.Used, 0)
	return v, err
}

// SetQuota changes the settings. A total below what is used is CodeConflict: units
// that were spent stay spent.
func (s *Store) SetQuota(ctx context.Context, q pratique.QuotaSettings, by string) error {
	return s.write(ctx, func(tx *tx) error {
		before, err := quotaOf(tx.row(ctx, quotaQuery))
		if err != nil {
			return err
		}
		used, err := usedUnits(ctx, tx)
		if err != nil {
			return err
		}
		if q.Total < used {
			return pratique.Errorf(pratique.CodeConflict, "%d units are used, and the total would be %d", used, q.Total).WithRemedy("set a total of %d or more", used)
		}
		now := quotaDocument{q, by, &tx.now}
		if _, err := tx.exec(ctx, "INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", settingQuota, document{now}); err != nil {
			return err
		}
		_, err = addEntry(ctx, tx, pratique.QuotaEntry{By: by, Action: pratique.QuotaChange, Used: used, Total: q.Total,
			Detail: fmt.Sprintf("total %d → %d, enforced %t → %t, rule %t → %t", before.Total, q.Total, before.Enabled, q.Enabled, before.Auto.Enabled, q.Auto.Enabled)})
		return err
	}, lockQuota)
}

func usedUnits(ctx context.Context, tx *tx) (n int, err error) {
	err = tx.row(ctx, "SELECT COUNT(*) FROM licences").Scan(&n)
	return n, err
}

func addEntry(ctx context.Context, tx *tx, e pratique.QuotaEntry) (id int64, err error) {
	return tx.insert(ctx, "INSERT INTO quota_entries (at, who, action, images, refused, reason, used, total, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
		at(tx.now), e.By, e.Action, e.Images, e.Refused, e.Reason, e.Used, e.Total, e.Detail)
}

// candidate is a content without a licence.
type candidate struct {
	id     int64
	digest pratique.Digest
}

// Candidates come in the order in which units are spent on them: running ones,
// newest tags, then those pushed first, built first, seen first. a and i are joined
// from outside.
const (
	candidateColumns = "i.id, i.digest"
	candidateOrder   = ` GROUP BY i.id, i.digest, i.running ORDER BY i.running DESC, MAX(CASE WHEN a.newest AND a.gone IS NULL THEN 1 ELSE 0 END) DESC,
		MIN(COALESCE(a.pushed, a.created, a.first_seen)), i.id`
	unlicensed = "NOT EXISTS (SELECT 1 FROM licences l WHERE l.image_id = i.id)"
)

func scanCandidate(rows *sql.Rows, c *candidate) error { return rows.Scan(&c.id, &c.digest) }

// candidatesOf are those of some contents that have no licence.
func candidatesOf(ctx context.Context, tx *tx, images []pratique.Digest) ([]candidate, error) {
	// The order is over all of them, so they are put where one statement sees them.
	ids := make([]int64, 0, len(images))
	for part := range slices.Chunk(images, chunk) {
		in, args := marks(part)
		some, err := collect(ctx, tx, one[int64], "SELECT i.id FROM images i WHERE i.digest IN ("+in+") AND "+unlicensed, args...)
		if err != nil {
			return nil, err
		}
		ids = append(ids, some...)
	}
	if len(ids) == 0 {
		return nil, nil
	}
	return collect(ctx, tx, scanCandidate, "SELECT "+candidateColumns+" FROM images i LEFT JOIN assets a ON a.image_id = i.id WHERE i.id IN ("+numbers(ids)+")"+candidateOrder)
}

// License spends a unit on each content of a filter that has none, in the order
// of [pratique.AutoRule]; with atMost > 0 on so many of them at most. Either all
// get theirs, or none does and the error is CodeQuota with the numbers.
func (s *Store) License(ctx context.Context, f pratique.AssetFilter, atMost int, by string) (e pratique.QuotaEntry, err error) {
	l, _, err := s.assets(ctx, f)
	if err != nil {
		return e, err
	}
	l.and("a.image_id IS NOT NULL AND " + unlicensed)
	err = s.write(ctx, func(tx *tx) error {
		q, err := quotaOf(tx.row(ctx, quotaQuery))
		if err != nil {
			return err
		}
		if !q.Enabled {
			return pratique.Errorf(pratique.CodeConflict, "the quota is off: every image may be scanned").WithRemedy("switch it on before images are licensed")
		}
		all, err := collect(ctx, tx, scanCandidate, "SELECT "+candidateColumns+" "+l.from+l.condition()+candidateOrder, slices.Clone(l.args)...)
		if err != nil {
			return err
		}
		if atMost > 0 {
			all = all[:min(len(all), atMost)]
		}
		used, err := usedUnits(ctx, tx)
		if err != nil {
			return err
		}
		if left := max(q.Total-used, 0); left < len(all) {
			return shortage(len(all), left)
		}
		e = pratique.QuotaEntry{At: tx.now, By: by, Action: pratique.QuotaLicense, Images: len(all), Used: used + len(all), Total: q.Total}
		return spend(ctx, tx, &e, all)
	}, lockQuota)
	return e, err
}

func shortage(needed, left int) error {
	return &pratique.Error{Code: pratique.CodeQuota, Cause: &pratique.Shortage{Needed: needed, Left: left},
		Message: fmt.Sprintf("%d images need a licence, and the quota has %d left", needed, left),
		Remedy:  "choose fewer images, or let an administrator raise the total"}
}

// spend writes a line of the ledger and its units.
func spend(ctx context.Context, tx *tx, e *pratique.QuotaEntry, on []candidate) (err error) {
	if len(on) == 0 && e.Refused == 0 {
		return nil
	}
	if e.ID, err = addEntry(ctx, tx, *e); err != nil {
		return err
	}
	rows := make([][]any, len(on))
	for i, c := range on {
		rows[i] = []any{c.id, e.ID, at(tx.now)}
	}
	return tx.engine.load(ctx, tx, "licences", []string{"image_id", "entry_id", "at"}, rows)
}

// meter lets through what the quota covers of a task's images, after the rule
// licensed what it may. What a person asks for is refused as a whole when a part
// is not covered, and then no unit is spent; of what a schedule, a push or a
// synchronisation asks for, the rest is left out.
func (s *Store) meter(ctx context.Context, tx *tx, r pratique.TaskRequest) (images []pratique.Digest, refused int, err error) {
	q, err := quotaOf(tx.row(ctx, quotaQuery))
	if err != nil || !q.Enabled {
		return r.ImageIDs, 0, err
	}
	without, err := candidatesOf(ctx, tx, r.ImageIDs)
	if err != nil || len(without) == 0 {
		return r.ImageIDs, 0, err
	}
	used, err := usedUnits(ctx, tx)
	if err != nil {
		return nil, 0, err
	}
	grant, reason, err := s.autoGrant(ctx, tx, q.QuotaSettings, without, used)
	if err != nil {
		return nil, 0, err
	}
	refused = len(without) - len(grant)
	person := r.Kind == pratique.TaskManual || r.Kind == pratique.TaskRescan
	if refused > 0 && (person || refused == len(r.ImageIDs)) {
		left := max(q.Total-used, 0)
		if q.Auto.Enabled {
			left = len(grant)
		}
		return nil, 0, refusal(len(without), left, q.Auto.Enabled, reason)
	}
	if q.Auto.Enabled {
		e := pratique.QuotaEntry{By: r.Creator, Action: pratique.QuotaAuto, Images: len(grant), Refused: refused, Reason: reason, Used: used + len(grant), Total: q.Total, Detail: string(r.Kind)}
		if err := spend(ctx, tx, &e, grant); err != nil {
			return nil, 0, err
		}
	}
	barred := map[pratique.Digest]bool{}
	for _, c := range without {
		barred[c.digest] = true
	}
	for _, c := range grant {
		delete(barred, c.digest)
	}
	return slices.DeleteFunc(slices.Clone(r.ImageIDs), func(d pratique.Digest) bool { return barred[d] }), refused, nil
}

func refusal(needed, left int, auto bool, reason string) error {
	e := &pratique.Error{Code: pratique.CodeQuota, Cause: &pratique.Shortage{Needed: needed, Left: left},
		Message: fmt.Sprintf("%d of the images have no licence, and the quota has %d units left", needed, left),
		Remedy:  "license them first, choose fewer images, or let an administrator raise the total"}
	if auto {
		e.Message = fmt.Sprintf("%d of the images have no licence, and the rule may license %d of them now (%s)", needed, left,
			map[string]string{pratique.QuotaReachLimit: "its number for today is reached", pratique.QuotaOutOfRange: "it does not choose the others", pratique.QuotaInsufficient: "no more units are left"}[reason])
	}
	return e
}

// autoGrant are the contents that the rule licenses, in order, and why not more.
func (s *Store) autoGrant(ctx context.Context, tx *tx, q pratique.QuotaSettings, without []candidate, used int) (grant []candidate, reason string, err error) {
	if !q.Auto.Enabled {
		return nil, pratique.QuotaInsufficient, nil
	}
	if grant, err = s.inRange(ctx, tx, q.Auto.Filter, without); err != nil {
		return nil, "", err
	}
	if len(grant) < len(without) {
		reason = pratique.QuotaOutOfRange
	}
	if q.Auto.PerDay > 0 {
		var today int
		if err := tx.row(ctx, "SELECT CAST(COALESCE(SUM(images), 0) AS BIGINT) FROM quota_entries WHERE action = 'auto' AND at >= ?", at(utcDay(tx.now))).Scan(&today); err != nil {
			return nil, "", err
		}
		if may := max(q.Auto.PerDay-today, 0); may < len(grant) {
			grant, reason = grant[:may], pratique.QuotaReachLimit
		}
	}
	if left := max(q.Total-used, 0); left < len(grant) {
		grant, reason = grant[:left], pratique.QuotaInsufficient
	}
	return grant, reason, nil
}

// inRange keeps those that a filter chooses.
func (s *Store) inRange(ctx context.Context, tx *tx, f pratique.AssetFilter, all []candidate) (in []candidate, err error) {
	var rules string
	if err := tx.row(ctx, "SELECT value FROM settings WHERE name = ?", currentRules).Scan(document{&rules}); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	ids := make([]int64, len(all))
	for i, c := range all {
		ids[i] = c.id
	}
	l := s.assetsBy(f, rules)
	l.and("a.image_id IN (" + numbers(ids) + ")")
	found, err := collect(ctx, tx, one[int64], "SELECT DISTINCT a.image_id "+l.from+l.condition(), slices.Clone(l.args)...)
	if err != nil {
		return nil, err
	}
	chosen := make(map[int64]bool, len(found))
	for _, id := range found {
		chosen[id] = true
	}
	return slices.DeleteFunc(slices.Clone(all), func(c candidate) bool { return !chosen[c.id] }), nil
}

// QuotaNeed is what licensing, or scanning, the images of a filter would cost now.
func (s *Store) QuotaNeed(ctx context.Context, f pratique.AssetFilter) (n pratique.QuotaNeed, err error) {
	l, _, err := s.assets(ctx, f)
	if err != nil {
		return n, err
	}
	err = s.write(ctx, func(tx *tx) error { // for one state of the ledger
		q, err := quotaOf(tx.row(ctx, quotaQuery))
		if err != nil {
			return err
		}
		n = pratique.QuotaNeed{Enabled: q.Enabled}
		if err := tx.row(ctx, "SELECT COUNT(*), COUNT(DISTINCT a.image_id), COUNT(*) - COUNT(a.image_id) "+l.from+l.condition(), slices.Clone(l.args)...).Scan(&n.Rows, &n.Images, &n.Unread); err != nil {
			return err
		}
		used, err := usedUnits(ctx, tx)
		if err != nil {
			return err
		}
		n.Left = max(q.Total-used, 0)
		if !q.Enabled {
			n.Enough = true
			return nil
		}
		without := *l
		without.where, without.args = slices.Clone(l.where), slices.Clone(l.args)
		without.and("a.image_id IS NOT NULL AND " + unlicensed)
		all, err := collect(ctx, tx, scanCandidate, "SELECT "+candidateColumns+" "+without.from+without.condition()+candidateOrder, without.args...)
		if err != nil {
			return err
		}
		grant, _, err := s.autoGrant(ctx, tx, q.QuotaSettings, all, used)
		n.Needed, n.Licensed, n.Auto = len(all), n.Images-len(all), len(grant)
		n.Enough = n.Needed <= n.Left
		return err
	}, lockQuota)
	return n, err
}

// QuotaEntries lists the ledger, newest first. It has no sorts.
func (s *Store) QuotaEntries(ctx context.Context, action pratique.QuotaAction, r pratique.PageRequest) (pratique.Page[pratique.QuotaEntry], error) {
	l := &listing{columns: "e.id, e.at, e.who, e.action, e.images, e.refused, e.reason, e.used, e.total, e.detail", from: "FROM quota_entries e",
		sorts: map[string]string{"": "e.id"}, desc: true, keys: []string{"e.id"}}
	if action != "" {
		l.and("e.action = ?", action)
	}
	return page(ctx, s, l, r, func(rows *sql.Rows, e *pratique.QuotaEntry, order []any) error {
		return rows.Scan(append([]any{&e.ID, into{&e.At}, &e.By, &e.Action, &e.Images, &e.Refused, &e.Reason, &e.Used, &e.Total, &e.Detail}, order...)...)
	})
}

// Licences lists the units that were spent, newest first; entry 0 means all. It
// has no sorts.
func (s *Store) Licences(ctx context.Context, entry int64, r pratique.PageRequest) (pratique.Page[pratique.Licence], error) {
	l := &listing{
		columns: `i.digest, l.at, e.who, e.action, e.id, COALESCE((SELECT MAX(g.name || '/' || r.name || ':' || a.tag) FROM assets a JOIN repositories r ON r.id = a.repository_id JOIN registries g ON g.id = a.registry_id
			WHERE a.id = (SELECT MAX(b.id) FROM assets b WHERE b.image_id = l.image_id)), '')`,
		from:  "FROM licences l JOIN images i ON i.id = l.image_id JOIN quota_entries e ON e.id = l.entry_id",
		sorts: map[string]string{"": "l.at"}, desc: true, keys: []string{"l.image_id"},
	}
	if entry != 0 {
		l.and("l.entry_id = ?", entry)
	}
	return page(ctx, s, l, r, func(rows *sql.Rows, v *pratique.Licence, order []any) error {
		return rows.Scan(append([]any{&v.ImageID, into{&v.At}, &v.By, &v.Action, &v.EntryID, &v.Image}, order...)...)
	})
}
