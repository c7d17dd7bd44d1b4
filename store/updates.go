package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/pratique/pratique"
)

// StartDataUpdate asks all hosts, or those named, for a fresh inventory. Hosts whose
// agent is offline have failed at once. While one runs, another is CodeConflict.
func (s *Store) StartDataUpdate(ctx context.Context, by string, hosts ...string) (u pratique.DataUpdate, err error) {
	var id int64
	err = s.write(ctx, func(tx *tx) error {
		var running bool
		if err := tx.row(ctx, "SELECT EXISTS (SELECT 1 FROM data_updates WHERE ended IS NULL)").Scan(&running); err != nil {
			return err
		}
		if running {
			return pratique.Errorf(pratique.CodeConflict, "a data update is running").WithRemedy("wait for its end: it takes three minutes at most")
		}
		asked, err := s.askedHosts(ctx, tx, hosts)
		if err != nil {
			return err
		}
		if id, err = tx.insert(ctx, "INSERT INTO data_updates (who, started, total) VALUES (?, ?, ?)", by, at(tx.now), len(asked)); err != nil {
			return err
		}
		rows := make([][]any, len(asked))
		for i, h := range asked {
			var done any
			if h.err != nil {
				done = at(tx.now)
			}
			rows[i] = []any{id, h.id, done, documentOrNull(h.err)}
		}
		if err := tx.engine.load(ctx, tx, "data_update_hosts", []string{"update_id", "host_id", "done", "error"}, rows); err != nil {
			return err
		}
		return endUpdate(ctx, tx, id)
	}, lockFleet)
	if err != nil {
		return u, err
	}
	return s.DataUpdate(ctx, id)
}

// askedHost is a host that is asked, or why it cannot be.
type askedHost struct {
	id  int64
	err *pratique.Error
}

func (s *Store) askedHosts(ctx context.Context, tx *tx, uids []string) ([]askedHost, error) {
	l := &listing{}
	if len(uids) > 0 {
		in(l, "h.uid", uids)
	} else {
		l.and("g.id IS NOT NULL") // hosts that nobody tells about any more are left alone
	}
	all, err := collect(ctx, tx, func(rows *sql.Rows, h *askedHost) error {
		var name string
		var beat *time.Time
		if err := rows.Scan(&h.id, &name, intoOrNil{&beat}); err != nil {
			return err
		}
		switch {
		case s.online(beat):
		case beat == nil:
			h.err = pratique.Errorf(pratique.CodeUnreachable, "the host %s has no agent", name).WithRemedy("enrol one there, or remove the host")
		default:
			h.err = pratique.Errorf(pratique.CodeUnreachable, "the agent of %s has been offline since %s", name, beat.UTC().Format("2006-01-02 15:04 UTC")).WithRemedy("start the agent on the host, or look at its network")
		}
		return nil
	}, "SELECT h.id, h.name, g.beat "+hostFrom+l.condition()+" ORDER BY h.id", l.args...)
	switch {
	case err != nil:
		return nil, err
	case len(uids) > len(all):
		return nil, pratique.Errorf(pratique.CodeNotFound, "%d of the hosts are not known", len(uids)-len(all)).WithRemedy("choose hosts of the list")
	case len(all) == 0:
		return nil, pratique.Errorf(pratique.CodeInvalid, "no host has an agent").WithRemedy("enrol one under Agents first")
	}
	return all, nil
}

// endUpdate ends a data update that waits for no host any more.
func endUpdate(ctx context.Context, tx *tx, id int64) error {
	_, err := tx.exec(ctx, "UPDATE data_updates SET ended = ? WHERE id = ? AND ended IS NULL AND NOT EXISTS (SELECT 1 FROM data_update_hosts d WHERE d.update_id = data_updates.id AND d.done IS NULL)", at(tx.now), id)
	return err
}

// RefreshDone says that an agent has told anew what its host has, or why it cannot.
func (s *Store) RefreshDone(ctx context.Context, agentID, refresh int64, failure *pratique.Error) error {
	return s.write(ctx, func(tx *tx) error {
		host, err := hostOf(tx.row(ctx, hostOfAgent, agentID))
		if err != nil {
			return err
		}
		if _, err := tx.exec(ctx, "UPDATE data_update_hosts SET done = ?, error = ? WHERE update_id = ? AND host_id = ? AND done IS NULL", at(tx.now), documentOrNull(failure), refresh, host); err != nil {
			return err
		}
		return endUpdate(ctx, tx, refresh)
	}, lockFleet)
}

// EndDataUpdates ends those that began longer ago than patience: hosts that have not
// answered have failed. It returns how many ended.
func (s *Store) EndDataUpdates(ctx context.Context, patience time.Duration) (ended int, err error) {
	before := at(s.now().Add(-patience))
	late, err := collect(ctx, s, one[int64], "SELECT id FROM data_updates WHERE ended IS NULL AND started < ? ORDER BY id", before)
	if err != nil || len(late) == 0 {
		return 0, err
	}
	failure := pratique.Errorf(pratique.CodeTimeout, "the host did not tell within %s", patience).WithRemedy("look at the agent's log on the host, then update again")
	return len(late), s.write(ctx, func(tx *tx) error {
		for _, id := range late {
			if _, err := tx.exec(ctx, "UPDATE data_update_hosts SET done = ?, error = ? WHERE update_id = ? AND done IS NULL", at(tx.now), document{failure}, id); err != nil {
				return err
			}
			// A host that was removed left nothing to wait for.
			if err := endUpdate(ctx, tx, id); err != nil {
				return err
			}
		}
		return nil
	}, lockFleet)
}

const updateColumns = `u.id, u.who, u.started, u.ended, u.total, (SELECT COUNT(*) FROM data_update_hosts d WHERE d.update_id = u.id AND d.done IS NOT NULL AND d.error IS NULL)`

func scanUpdate(rows scanner, u *pratique.DataUpdate) error {
	return rows.Scan(&u.ID, &u.By, into{&u.Started}, intoOrNil{&u.Ended}, &u.Total, &u.Done)
}

// DataUpdate is one, or CodeNotFound. Done counts hosts that told.
func (s *Store) DataUpdate(ctx context.Context, id int64) (u pratique.DataUpdate, err error) {
	if err := scanUpdate(s.row(ctx, "SELECT "+updateColumns+" FROM data_updates u WHERE u.id = ?", id), &u); err != nil {
		return u, found(err, "data update", id)
	}
	u.Failed, err = s.failedUpdates(ctx, id)
	return u, err
}

func (s *Store) failedUpdates(ctx context.Context, id int64) ([]pratique.FailedUpdate, error) {
	return collect(ctx, s, func(rows *sql.Rows, f *pratique.FailedUpdate) error {
		return rows.Scan(&f.HostID, &f.HostName, document{&f.Error})
	}, "SELECT h.uid, h.name, d.error FROM data_update_hosts d JOIN hosts h ON h.id = d.host_id WHERE d.update_id = ? AND d.error IS NOT NULL ORDER BY h.name, h.id", id)
}

// LastDataUpdate is the newest, which may run, or nil.
func (s *Store) LastDataUpdate(ctx context.Context) (*pratique.DataUpdate, error) {
	var id int64
	err := s.row(ctx, "SELECT id FROM data_updates ORDER BY id DESC LIMIT 1").Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	u, err := s.DataUpdate(ctx, id)
	return &u, err
}
