package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/pratique/pratique"
)

// ofUsers leaves out the registry that images on hosts hang below.
const ofUsers = "g.kind <> 'local'"

const registryColumns = "g.id, g.name, g.kind, g.version, g.network, g.region, g.site, g.address, g.username, g.password IS NOT NULL, g.hourly_limit, g.insecure, g.ca, g.proxy, g.scope, g.created, g.updated, g.health, g.sync"

func registryTargets(r *pratique.Registry) []any {
	return []any{
		&r.ID, &r.Name, &r.Kind, &r.Version, &r.Network, &r.Region, &r.Site, &r.Address, &r.Username, &r.HasPassword,
		&r.HourlyLimit, &r.Insecure, &r.CA, &r.Proxy, document{&registryScope{&r.Namespaces, &r.Named}}, into{&r.Created}, into{&r.Updated}, document{&r.Health}, document{&r.Sync},
	}
}

// registryScope is the column scope: lists of a registry that are read and written
// with it.
type registryScope struct {
	Namespaces *[]string `json:"namespaces,omitempty"`
	Named      *[]string `json:"repositories,omitempty"`
}

func scopeOf(r pratique.Registry) document { return document{registryScope{&r.Namespaces, &r.Named}} }

// CreateRegistry keeps a new registry and returns it with its id. A name that is
// taken is CodeConflict.
func (s *Store) CreateRegistry(ctx context.Context, r pratique.Registry, password string) (pratique.Registry, error) {
	if err := validRegistry(r); err != nil {
		return r, err
	}
	err := s.write(ctx, func(tx *tx) (err error) {
		r.Created, r.Updated = tx.now, tx.now
		r.ID, err = tx.insert(ctx, `INSERT INTO registries (name, kind, version, network, region, site, address, username, hourly_limit, insecure, ca, proxy, scope, created, updated, health, sync)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			r.Name, r.Kind, r.Version, r.Network, r.Region, r.Site, r.Address, r.Username, r.HourlyLimit, r.Insecure, r.CA, r.Proxy, scopeOf(r), at(tx.now), at(tx.now), document{r.Health}, document{r.Sync})
		if err != nil {
			return s.nameTaken(err, r.Name)
		}
		r.HasPassword = password != ""
		return s.setSealed(ctx, tx, r.ID, "password", password)
	})
	return r, err
}

func validRegistry(r pratique.Registry) error {
	switch {
	case r.Name == "" || len(r.Name) > 128:
		return pratique.Errorf(pratique.CodeInvalid, "a registry's name has 1 to 128 bytes").WithRemedy("give it another name")
	case r.Kind == "" || r.Address == "" || r.Kind == kindLocal:
		return pratique.Errorf(pratique.CodeInvalid, "a registry needs a kind and an address").WithRemedy("fill in both")
	case r.HourlyLimit < 0:
		return pratique.Errorf(pratique.CodeInvalid, "an hourly limit of %d", r.HourlyLimit).WithRemedy("0 is unlimited, any other number is a number of images")
	}
	return nil
}

func (s *Store) nameTaken(err error, name string) error {
	if s.engine.taken(err) {
		return pratique.Errorf(pratique.CodeConflict, "the name %q is taken", name).WithRemedy("choose another name")
	}
	return err
}

// UpdateRegistry replaces what a user may edit. A nil password keeps the stored
// one; an empty one removes it.
func (s *Store) UpdateRegistry(ctx context.Context, r pratique.Registry, password *string) (pratique.Registry, error) {
	if err := validRegistry(r); err != nil {
		return r, err
	}
	err := s.write(ctx, func(tx *tx) error {
		n, err := tx.exec(ctx, `UPDATE registries SET name = ?, kind = ?, version = ?, network = ?, region = ?, site = ?, address = ?, username = ?, hourly_limit = ?, insecure = ?, ca = ?, proxy = ?, scope = ?, updated = ? WHERE id = ? AND kind <> 'local'`,
			r.Name, r.Kind, r.Version, r.Network, r.Region, r.Site, r.Address, r.Username, r.HourlyLimit, r.Insecure, r.CA, r.Proxy, scopeOf(r), at(tx.now), r.ID)
		if err != nil {
			return s.nameTaken(err, r.Name)
		}
		if n == 0 {
			return notFound("registry", r.ID)
		}
		// The limit may be another: what waits for it asks again.
		if _, err := tx.exec(ctx, "UPDATE scans SET due = NULL, error = NULL WHERE ended IS NULL AND started IS NULL AND due IS NOT NULL"); err != nil {
			return err
		}
		if password != nil {
			if err := s.setSealed(ctx, tx, r.ID, "password", *password); err != nil {
				return err
			}
		}
		// The address is part of what the search looks at.
		if err := refreshSearch(ctx, tx, r.ID); err != nil {
			return err
		}
		return tx.row(ctx, "SELECT "+registryColumns+" FROM registries g WHERE g.id = ?", r.ID).Scan(registryTargets(&r)...)
	})
	return r, err
}

// setSealed keeps a secret in column password or webhook_secret.
func (s *Store) setSealed(ctx context.Context, tx *tx, id int64, column, plain string) error {
	sealed, err := s.keys.seal(purpose(id, column), plain)
	if err != nil {
		return err
	}
	n, err := tx.exec(ctx, "UPDATE registries SET "+column+" = ? WHERE id = ?", sealed, id)
	if err == nil && n == 0 {
		return notFound("registry", id)
	}
	return err
}

func purpose(id int64, column string) string {
	return "registry/" + numbers([]int64{id}) + "/" + column
}

// RegistryPassword is for those who connect; no handler may show it.
func (s *Store) RegistryPassword(ctx context.Context, id int64) (string, error) {
	return s.sealed(ctx, id, "password")
}

// SetWebhookSecret replaces the secret that inbound webhooks have to know.
func (s *Store) SetWebhookSecret(ctx context.Context, id int64, secret string) error {
	return s.write(ctx, func(tx *tx) error { return s.setSealed(ctx, tx, id, "webhook_secret", secret) })
}

// WebhookSecret is what an inbound webhook is checked with; "" when none is set,
// which means that none is welcome.
func (s *Store) WebhookSecret(ctx context.Context, id int64) (string, error) {
	return s.sealed(ctx, id, "webhook_secret")
}

func (s *Store) sealed(ctx context.Context, id int64, column string) (string, error) {
	var sealed []byte
	if err := s.row(ctx, "SELECT "+column+" FROM registries WHERE id = ?", id).Scan(&sealed); err != nil {
		return "", found(err, "registry", id)
	}
	return s.keys.open(purpose(id, column), sealed)
}

// RegistryNameTaken tells whether another registry than except has the name.
func (s *Store) RegistryNameTaken(ctx context.Context, name string, except int64) (taken bool, err error) {
	err = s.row(ctx, "SELECT EXISTS (SELECT 1 FROM registries WHERE name = ? AND id <> ?)", name, except).Scan(&taken)
	return taken, err
}

// Registry returns one, or CodeNotFound.
func (s *Store) Registry(ctx context.Context, id int64) (r pratique.Registry, err error) {
	err = s.row(ctx, "SELECT "+registryColumns+" FROM registries g WHERE g.id = ? AND "+ofUsers, id).Scan(registryTargets(&r)...)
	return r, found(err, "registry", id)
}

// Registries lists all by name, with what is in them.
func (s *Store) Registries(ctx context.Context) ([]pratique.RegistryRow, error) {
	hourAgo := at(s.now().Add(-time.Hour))
	return collect(ctx, s.counting(), func(rows *sql.Rows, r *pratique.RegistryRow) error {
		return rows.Scan(append(registryTargets(&r.Registry), &r.Repositories, &r.Images, &r.AtRisk, &r.PulledHour)...)
	}, "SELECT "+registryColumns+`,
			COALESCE(h.repositories, 0), COALESCE(h.images, 0), COALESCE(h.at_risk, 0), (SELECT COUNT(*) FROM pulls p WHERE p.registry_id = g.id AND p.at > ?)
		FROM registries g LEFT JOIN (SELECT r.registry_id, COUNT(CASE WHEN r.gone IS NULL THEN 1 END) AS repositories, SUM(n.images) AS images, SUM(n.at_risk) AS at_risk
			FROM repositories r LEFT JOIN `+repositoryCounts+` n ON n.repository_id = r.id GROUP BY r.registry_id) h ON h.registry_id = g.id WHERE `+ofUsers+` ORDER BY g.name`, hourAgo)
}

// DeleteRegistries removes registries with their inventory, and returns how many
// rows of the list of images went with them. What was found in the images stays
// as history.
func (s *Store) DeleteRegistries(ctx context.Context, ids ...int64) (rows int, err error) {
	err = s.write(ctx, func(tx *tx) error {
		in := numbers(ids)
		images, err := collect(ctx, tx, one[int64], "SELECT DISTINCT image_id FROM assets WHERE source = 'registry' AND image_id IS NOT NULL AND registry_id IN ("+in+")")
		if err != nil {
			return err
		}
		if err := tx.row(ctx, "SELECT COUNT(*) FROM assets WHERE source = 'registry' AND gone IS NULL AND registry_id IN ("+in+")").Scan(&rows); err != nil {
			return err
		}
		if _, err := tx.exec(ctx, "DELETE FROM registries WHERE kind <> 'local' AND id IN ("+in+")"); err != nil {
			return err
		}
		return recountRows(ctx, tx, images)
	}, lockBench)
	return rows, err
}

// SetHealth keeps the outcome of a connection test.
func (s *Store) SetHealth(ctx context.Context, id int64, h pratique.Health) error {
	return s.write(ctx, func(tx *tx) error { return setHealth(ctx, tx, id, h) })
}

func setHealth(ctx context.Context, tx *tx, id int64, h pratique.Health) error {
	n, err := tx.exec(ctx, "UPDATE registries SET health = ? WHERE id = ?", document{h}, id)
	if err == nil && n == 0 {
		return notFound("registry", id)
	}
	return err
}

// TakePull counts one image against a registry's hourly limit. It returns 0 when
// the image may be pulled now, else how long to wait before asking again. A scan
// that is tried again within the hour counts once.
func (s *Store) TakePull(ctx context.Context, registryID, scanID int64) (wait time.Duration, err error) {
	err = s.write(ctx, func(tx *tx) error {
		wait = 0
		// The update takes the row's lock, so that two workers do not count past each other.
		n, err := tx.exec(ctx, "UPDATE registries SET hourly_limit = hourly_limit WHERE id = ?", registryID)
		if err != nil {
			return err
		}
		if n == 0 {
			return notFound("registry", registryID)
		}
		since := at(tx.now.Add(-time.Hour))
		if _, err := tx.exec(ctx, "DELETE FROM pulls WHERE registry_id = ? AND at <= ?", registryID, since); err != nil {
			return err
		}
		var limit, used int
		var oldest int64
		var again bool
		if err := tx.row(ctx, `SELECT hourly_limit, (SELECT COUNT(*) FROM pulls WHERE registry_id = g.id), (SELECT COALESCE(MIN(at), 0) FROM pulls WHERE registry_id = g.id),
			EXISTS (SELECT 1 FROM pulls WHERE registry_id = g.id AND scan_id = ?) FROM registries g WHERE id = ?`, scanID, registryID).Scan(&limit, &used, &oldest, &again); err != nil {
			return err
		}
		if again {
			return nil
		}
		if limit > 0 && used >= limit {
			// One place becomes free when the oldest pull is an hour old. If the limit
			// was lowered since, more have to go, and the next question tells.
			wait = max(time.Second, fromMicros(oldest).Add(time.Hour).Sub(tx.now))
			return nil
		}
		_, err = tx.exec(ctx, "INSERT INTO pulls (registry_id, scan_id, at) VALUES (?, ?, ?)", registryID, scanID, at(tx.now))
		return err
	})
	return wait, err
}
