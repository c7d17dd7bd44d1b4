package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"github.com/pratique/pratique"
)

const adoptionColumns = "d.id, d.bundle, d.at, d.who, d.reason, d.keys, d.affected, (SELECT COUNT(*) FROM packages p WHERE p.pending)"

func adoptionTargets(a *pratique.Adoption) []any {
	return []any{&a.ID, document{&a.Bundle}, into{&a.At}, &a.By, &a.Reason, &a.Keys, &a.Affected, &a.Pending}
}

// Adopt takes a bundle into force. keys are those under which it says other
// things than the one before ("all" for the first); the packages that are looked
// up under one of them wait from now on to be judged again, which [Store.Pending]
// and [Store.Judge] do step by step. A process that dies in between leaves work,
// not confusion. Rolling back is adopting an older bundle.
func (s *Store) Adopt(ctx context.Context, bundle pratique.Bundle, keys []pratique.PackageKey, by, reason string) (a pratique.Adoption, err error) {
	err = s.write(ctx, func(tx *tx) error {
		ids, err := affected(ctx, tx, keys)
		if err != nil {
			return err
		}
		a = pratique.Adoption{Bundle: bundle, At: tx.now, By: by, Reason: reason, Keys: len(keys), Affected: len(ids)}
		a.ID, err = tx.insert(ctx, "INSERT INTO adoptions (digest, bundle, at, who, reason, keys, affected) VALUES (?, ?, ?, ?, ?, ?, ?)",
			bundle.Digest, document{bundle}, at(tx.now), by, reason, a.Keys, a.Affected)
		if err != nil {
			return err
		}
		for part := range slices.Chunk(ids, chunk) {
			if _, err := tx.exec(ctx, "UPDATE packages SET pending = TRUE, stamp = ? WHERE id IN ("+numbers(part)+")", a.ID); err != nil {
				return err
			}
		}
		return tx.row(ctx, "SELECT COUNT(*) FROM packages WHERE pending").Scan(&a.Pending)
	}, lockBench)
	return a, err
}

// PreviewAdoption tells how many packages would be judged again, and how many
// images hold one of them.
func (s *Store) PreviewAdoption(ctx context.Context, keys []pratique.PackageKey) (packages, images int, err error) {
	ids, err := affected(ctx, s, keys)
	if err != nil {
		return 0, 0, err
	}
	held := map[int64]bool{}
	for part := range slices.Chunk(ids, chunk) {
		some, err := collect(ctx, s, one[int64], "SELECT DISTINCT image_id FROM image_packages WHERE until IS NULL AND package_id IN ("+numbers(part)+")")
		if err != nil {
			return 0, 0, err
		}
		for _, id := range some {
			held[id] = true
		}
	}
	return len(ids), len(held), nil
}

// affected are the packages that may be looked up under one of the keys: a
// superset, because which releases' records an image is held against is not known
// here. Judging one too many changes nothing.
func affected(ctx context.Context, q querier, keys []pratique.PackageKey) ([]int64, error) {
	families := map[string]map[string]bool{} // by folded name
	for _, k := range keys {
		name := folded(k.Name)
		if families[name] == nil {
			families[name] = map[string]bool{}
		}
		families[name][family(k.Ecosystem)] = true
	}
	type candidate struct {
		id               int64
		kind, ecosystem  string
		fold, sourceFold string
	}
	names := keysOf(families)
	slices.Sort(names)
	hit := map[int64]bool{}
	for part := range slices.Chunk(names, chunk) {
		in, args := marks(part)
		for _, column := range [...]string{"fold", "source_fold"} {
			rows, err := q.query(ctx, "SELECT id, type, ecosystem, fold, source_fold FROM packages WHERE "+column+" IN ("+in+")", slices.Clone(args)...)
			if err != nil {
				return nil, err
			}
			for rows.Next() {
				var c candidate
				if err := rows.Scan(&c.id, &c.kind, &c.ecosystem, &c.fold, &c.sourceFold); err != nil {
					return nil, closed(rows, err)
				}
				f := familyOf(c.kind, c.ecosystem)
				if families[c.fold][f] || families[c.sourceFold][f] {
					hit[c.id] = true
				}
			}
			if err := closed(rows, rows.Err()); err != nil {
				return nil, err
			}
		}
	}
	ids := make([]int64, 0, len(hit))
	for id := range hit {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids, nil
}

// InForce is the newest adoption; CodeNotFound when there was none.
func (s *Store) InForce(ctx context.Context) (a pratique.Adoption, err error) {
	err = s.row(ctx, "SELECT "+adoptionColumns+" FROM adoptions d ORDER BY d.id DESC LIMIT 1").Scan(adoptionTargets(&a)...)
	return a, found(err, "bundle", "in force")
}

// Adoptions lists the newest ones.
func (s *Store) Adoptions(ctx context.Context, limit int) ([]pratique.Adoption, error) {
	return collect(ctx, s, func(rows *sql.Rows, a *pratique.Adoption) error { return rows.Scan(adoptionTargets(a)...) },
		"SELECT "+adoptionColumns+" FROM adoptions d ORDER BY d.id DESC LIMIT ?", min(max(limit, 1), pratique.MaxPage))
}

// Pending are packages that wait to be judged by the bundle in force, those of
// one distribution together.
func (s *Store) Pending(ctx context.Context, limit int) ([]pratique.Subject, error) {
	return collect(ctx, s, scanSubject, "SELECT "+packageColumns+", p.owned, p.stamp, o.document FROM packages p LEFT JOIN distros o ON o.id = p.distro_id WHERE p.pending ORDER BY p.distro_id, p.id LIMIT ?", limit)
}

func scanSubject(rows *sql.Rows, v *pratique.Subject) error {
	var owned bool
	targets, finish := packageTargets(&v.ID, &v.Package)
	err := rows.Scan(append(targets, &owned, &v.Stamp, document{&v.Distro})...)
	finish()
	if owned {
		v.Package.OwnedBy = "the distribution"
	}
	return err
}

// Judge keeps what was found about subjects of Pending, each with all of its
// findings. A subject that was asked for again meanwhile goes on waiting.
func (s *Store) Judge(ctx context.Context, judgements []pratique.Judgement) error {
	return s.write(ctx, func(tx *tx) error {
		ids := make([]int64, len(judgements))
		for i, j := range judgements {
			ids[i] = j.Subject.ID
		}
		type state struct {
			id, stamp int64
			judged    bool
		}
		waiting := map[int64]state{}
		for part := range slices.Chunk(ids, chunk) {
			some, err := collect(ctx, tx, func(rows *sql.Rows, v *state) error { return rows.Scan(&v.id, &v.stamp, &v.judged) },
				"SELECT id, stamp, judged FROM packages WHERE pending AND id IN ("+numbers(part)+")")
			if err != nil {
				return err
			}
			for _, v := range some {
				waiting[v.id] = v
			}
		}
		v := &verdict{tx: tx}
		if err := tx.row(ctx, "SELECT id FROM adoptions ORDER BY id DESC LIMIT 1").Scan(&v.adoption); err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		for _, j := range judgements {
			w, ok := waiting[j.Subject.ID]
			if !ok || w.stamp != j.Subject.Stamp {
				continue
			}
			delete(waiting, j.Subject.ID)
			a := answer{pkg: w.id, findings: j.Findings, first: !w.judged}
			if len(j.Withdrawn) > 0 {
				a.lost = map[string]bool{}
				for _, name := range j.Withdrawn {
					a.lost[name] = true
				}
			}
			v.answers = append(v.answers, a)
		}
		return v.apply(ctx)
	}, lockBench)
}

// SetExploitation keeps what is known today about attacks on vulnerabilities that
// have findings; others are ignored. A vulnerability that is known and not given
// keeps what it has, unless whole is set: then it has neither EPSS nor KEV.
func (s *Store) SetExploitation(ctx context.Context, all []pratique.Exploitation, whole bool) error {
	given := make(map[string]pratique.Exploitation, len(all))
	for _, e := range all {
		given[e.ID] = e
	}
	return s.write(ctx, func(tx *tx) error {
		type state struct {
			id     int64
			name   string
			likely bool
			epss   float64
			kev    *pratique.KEV
		}
		known, err := collect(ctx, tx, func(rows *sql.Rows, v *state) error {
			return rows.Scan(&v.id, &v.name, &v.likely, &v.epss, document{&v.kev})
		}, "SELECT id, name, likely, epss, kev FROM vulnerabilities")
		if err != nil {
			return err
		}
		var flipped []int64
		for _, v := range known {
			if e, ok := given[v.name]; (ok || whole) && e.Likely() != v.likely {
				flipped = append(flipped, v.id)
			}
		}
		held, err := heldByVulnerabilities(ctx, tx, flipped)
		if err != nil {
			return err
		}
		before, err := tally(ctx, tx, flipped, held)
		if err != nil {
			return err
		}
		for _, v := range known {
			e, ok := given[v.name]
			if !ok && !whole {
				continue
			}
			score := 0.0
			if e.EPSS != nil {
				score = e.EPSS.Score
			}
			if score == v.epss && e.Likely() == v.likely && (e.KEV == nil) == (v.kev == nil) {
				continue
			}
			if _, err := tx.exec(ctx, "UPDATE vulnerabilities SET likely = ?, epss = ?, epss_doc = ?, kev = ? WHERE id = ?", e.Likely(), score, documentOrNull(e.EPSS), documentOrNull(e.KEV), v.id); err != nil {
				return err
			}
		}
		after, err := tally(ctx, tx, flipped, held)
		if err != nil {
			return err
		}
		return applyDifference(ctx, tx, before, after)
	}, lockBench)
}

func heldByVulnerabilities(ctx context.Context, tx *tx, ids []int64) (map[int64]bool, error) {
	var packages []int64
	for part := range slices.Chunk(ids, chunk) {
		some, err := collect(ctx, tx, one[int64], "SELECT DISTINCT package_id FROM findings WHERE until IS NULL AND vulnerability_id IN ("+numbers(part)+")")
		if err != nil {
			return nil, err
		}
		packages = append(packages, some...)
	}
	return heldBy(ctx, tx, packages)
}

// SetCoverage replaces how far an image's vulnerabilities reach, after the
// ecosystems that are known changed. knowledge names what it was told by;
// [Store.CoveredBefore] lists images that another knowledge was asked for.
func (s *Store) SetCoverage(ctx context.Context, imageID pratique.Digest, coverage pratique.CategoryCoverage, knowledge string) error {
	return s.write(ctx, func(tx *tx) error {
		r := &recording{tx: tx}
		if err := tx.row(ctx, "SELECT id FROM images WHERE digest = ?", imageID).Scan(&r.image); err != nil {
			return found(err, "image", imageID)
		}
		if err := r.load(ctx); err != nil {
			return err
		}
		if !r.exists {
			return notFound("scanned image", imageID)
		}
		r.coverage[pratique.CategoryVulnerability] = coverage
		complete := pratique.RiskOf(pratique.Counters{}, r.coverage) == pratique.RiskNone
		if _, err := tx.exec(ctx, "UPDATE image_documents SET coverage = ? WHERE image_id = ?", document{r.coverage}, r.image); err != nil {
			return err
		}
		if _, err := tx.exec(ctx, "UPDATE images SET complete = ?, knowledge = ? WHERE id = ?", complete, knowledge, r.image); err != nil {
			return err
		}
		return settle(ctx, tx, []int64{r.image})
	}, lockBench)
}

// CoveredBefore are scanned images whose coverage another knowledge told.
func (s *Store) CoveredBefore(ctx context.Context, knowledge string, limit int) ([]pratique.Digest, error) {
	return collect(ctx, s, one[pratique.Digest], "SELECT i.digest FROM images i WHERE i.knowledge <> ? AND EXISTS (SELECT 1 FROM image_documents d WHERE d.image_id = i.id) ORDER BY i.id LIMIT ?", knowledge, limit)
}
