package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/pratique/pratique"
)

const userColumns = "id, name, role, disabled, must_set, created, updated, last_seen"

func userTargets(u *pratique.User) []any {
	return []any{&u.ID, &u.Name, &u.Role, &u.Disabled, &u.MustSet, into{&u.Created}, into{&u.Updated}, intoOrNil{&u.LastSeen}}
}

// CreateUser keeps a user with the hash of the password. Names differ by more
// than case.
func (s *Store) CreateUser(ctx context.Context, u pratique.User, hash string) (pratique.User, error) {
	u.Name = strings.ToLower(strings.TrimSpace(u.Name))
	if u.Name == "" || len(u.Name) > 128 || hash == "" {
		return u, pratique.Errorf(pratique.CodeInvalid, "a user needs a name of at most 128 bytes, and a password")
	}
	err := s.write(ctx, func(tx *tx) (err error) {
		u.Created, u.Updated = tx.now, tx.now
		u.ID, err = tx.insert(ctx, "INSERT INTO users (name, role, hash, disabled, must_set, created, updated) VALUES (?, ?, ?, ?, ?, ?, ?)", u.Name, u.Role, hash, u.Disabled, u.MustSet, at(tx.now), at(tx.now))
		return s.nameTaken(err, u.Name)
	})
	return u, err
}

// UserByName returns a user and the hash of the password, or CodeNotFound.
func (s *Store) UserByName(ctx context.Context, name string) (u pratique.User, hash string, err error) {
	name = strings.ToLower(strings.TrimSpace(name))
	err = s.row(ctx, "SELECT "+userColumns+", hash FROM users WHERE name = ?", name).Scan(append(userTargets(&u), &hash)...)
	return u, hash, found(err, "user", name)
}

// User returns one, or CodeNotFound.
func (s *Store) User(ctx context.Context, id int64) (u pratique.User, err error) {
	err = s.row(ctx, "SELECT "+userColumns+" FROM users WHERE id = ?", id).Scan(userTargets(&u)...)
	return u, found(err, "user", id)
}

// Users lists all by name.
func (s *Store) Users(ctx context.Context) ([]pratique.User, error) {
	return collect(ctx, s, func(rows *sql.Rows, u *pratique.User) error { return rows.Scan(userTargets(u)...) }, "SELECT "+userColumns+" FROM users ORDER BY name")
}

// SetPassword replaces the hash of a user's password and ends the user's sessions,
// but for one.
func (s *Store) SetPassword(ctx context.Context, id int64, hash string, mustSet bool, keepSession string) error {
	return s.write(ctx, func(tx *tx) error {
		n, err := tx.exec(ctx, "UPDATE users SET hash = ?, must_set = ?, updated = ? WHERE id = ?", hash, mustSet, at(tx.now), id)
		if err != nil {
			return err
		}
		if n == 0 {
			return notFound("user", id)
		}
		_, err = tx.exec(ctx, "DELETE FROM sessions WHERE user_id = ? AND token <> ?", id, hashToken(keepSession))
		return err
	})
}

// SetUser replaces role and whether the user is disabled; a disabled one's
// sessions end.
func (s *Store) SetUser(ctx context.Context, u pratique.User) error {
	return s.write(ctx, func(tx *tx) error {
		n, err := tx.exec(ctx, "UPDATE users SET role = ?, disabled = ?, updated = ? WHERE id = ?", u.Role, u.Disabled, at(tx.now), u.ID)
		if err != nil {
			return err
		}
		if n == 0 {
			return notFound("user", u.ID)
		}
		if u.Disabled {
			_, err = tx.exec(ctx, "DELETE FROM sessions WHERE user_id = ?", u.ID)
		}
		return err
	})
}

// TouchUser notes that a user was here.
func (s *Store) TouchUser(ctx context.Context, id int64) error {
	return s.write(ctx, func(tx *tx) error {
		_, err := tx.exec(ctx, "UPDATE users SET last_seen = ? WHERE id = ?", at(tx.now), id)
		return err
	})
}

// hashToken is how a session's token is kept: who reads the database cannot use
// it.
func hashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// Sessions keeps the sessions of the console, in the shape that
// github.com/alexedwards/scs asks of a store.
type Sessions struct{ store *Store }

// Sessions returns the store of sessions.
func (s *Store) Sessions() Sessions { return Sessions{s} }

// FindCtx returns a session's data; found is false when it has expired.
func (v Sessions) FindCtx(ctx context.Context, token string) (data []byte, found bool, err error) {
	err = v.store.row(ctx, "SELECT data FROM sessions WHERE token = ? AND expires > ?", hashToken(token), at(v.store.now())).Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	return data, err == nil, err
}

// CommitCtx adds or replaces a session.
func (v Sessions) CommitCtx(ctx context.Context, token string, data []byte, expires time.Time) error {
	return v.store.write(ctx, func(tx *tx) error {
		_, err := tx.exec(ctx, "INSERT INTO sessions (token, data, expires) VALUES (?, ?, ?) ON CONFLICT (token) DO UPDATE SET data = excluded.data, expires = excluded.expires", hashToken(token), append([]byte{}, data...), at(expires))
		return err
	})
}

// DeleteCtx ends a session.
func (v Sessions) DeleteCtx(ctx context.Context, token string) error {
	return v.store.write(ctx, func(tx *tx) error {
		_, err := tx.exec(ctx, "DELETE FROM sessions WHERE token = ?", hashToken(token))
		return err
	})
}

// Find, Commit and Delete are for callers without a context.
func (v Sessions) Find(token string) ([]byte, bool, error) {
	return v.FindCtx(context.Background(), token)
}

func (v Sessions) Commit(token string, data []byte, expires time.Time) error {
	return v.CommitCtx(context.Background(), token, data, expires)
}

func (v Sessions) Delete(token string) error { return v.DeleteCtx(context.Background(), token) }

// BindSession says whose session it is, so that it can be ended with the user's
// password. The session must have been committed.
func (s *Store) BindSession(ctx context.Context, token string, userID int64) error {
	return s.write(ctx, func(tx *tx) error {
		n, err := tx.exec(ctx, "UPDATE sessions SET user_id = ? WHERE token = ?", userID, hashToken(token))
		if err == nil && n == 0 {
			return notFound("session", "with this token")
		}
		return err
	})
}

// DropExpiredSessions removes what no longer counts.
func (s *Store) DropExpiredSessions(ctx context.Context) error {
	return s.write(ctx, func(tx *tx) error {
		_, err := tx.exec(ctx, "DELETE FROM sessions WHERE expires <= ?", at(tx.now))
		return err
	})
}

// maxPreference bounds one preference, in bytes of JSON.
const maxPreference = 64 << 10

// Preference returns one of a user's preferences as JSON, nil when it is not set.
func (s *Store) Preference(ctx context.Context, userID int64, name string) (value json.RawMessage, err error) {
	err = s.row(ctx, "SELECT value FROM preferences WHERE user_id = ? AND name = ?", userID, name).Scan(document{&value})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return value, err
}

// SetPreference keeps one; null removes it.
func (s *Store) SetPreference(ctx context.Context, userID int64, name string, value json.RawMessage) error {
	switch {
	case name == "" || len(name) > 128:
		return pratique.Errorf(pratique.CodeInvalid, "a preference's name has 1 to 128 bytes")
	case len(value) > maxPreference:
		return pratique.Errorf(pratique.CodeLimit, "a preference of %d bytes", len(value)).WithRemedy("keep it below %d", maxPreference)
	case !json.Valid(value):
		return pratique.Errorf(pratique.CodeInvalid, "the preference %q is not JSON", name)
	}
	return s.write(ctx, func(tx *tx) error {
		var err error
		if string(value) == "null" {
			_, err = tx.exec(ctx, "DELETE FROM preferences WHERE user_id = ? AND name = ?", userID, name)
		} else {
			_, err = tx.exec(ctx, "INSERT INTO preferences (user_id, name, value) VALUES (?, ?, ?) ON CONFLICT (user_id, name) DO UPDATE SET value = excluded.value", userID, name, document{value})
		}
		return err
	})
}

// Note adds a deed to the audit log. Nothing changes or removes an entry.
func (s *Store) Note(ctx context.Context, e pratique.AuditEntry) error {
	return s.write(ctx, func(tx *tx) error {
		_, err := tx.exec(ctx, "INSERT INTO audit (at, who, action, target, address, request_id, detail) VALUES (?, ?, ?, ?, ?, ?, ?)",
			at(tx.now), bounded(e.User, 200), bounded(e.Action, 100), bounded(e.Target, 1000), bounded(e.Address, 100), bounded(e.RequestID, 100), bounded(e.Detail, 4000))
		return err
	})
}

// Notes lists the audit log, newest first.
func (s *Store) Notes(ctx context.Context, f pratique.AuditFilter, r pratique.PageRequest) (pratique.Page[pratique.AuditEntry], error) {
	l := &listing{
		columns: "u.id, u.at, u.who, u.action, u.target, u.address, u.request_id, u.detail", from: "FROM audit u",
		sorts: map[string]string{"": "u.id"}, desc: true, keys: []string{"u.id"},
	}
	if f.User != "" {
		l.and("u.who = ?", f.User)
	}
	if f.Action != "" {
		l.and("(u.action = ? OR SUBSTR(u.action, 1, ?) = ?)", f.Action, len([]rune(f.Action))+1, f.Action+".")
	}
	l.words(f.Search, "u.target", "u.detail")
	l.during("u.at", f.At)
	return page(ctx, s, l, r, func(rows *sql.Rows, e *pratique.AuditEntry, order []any) error {
		return rows.Scan(append([]any{&e.ID, into{&e.At}, &e.User, &e.Action, &e.Target, &e.Address, &e.RequestID, &e.Detail}, order...)...)
	})
}
