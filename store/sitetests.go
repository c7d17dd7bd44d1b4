package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/pratique/pratique"
)

// testWanted is how long a connection test may wait: who asked for it has gone by then,
// also when the server that asked could not say so.
const testWanted = 2 * time.Minute

// AskTest wants an agent of the registry's site to test a connection, and returns the
// number of the test. Whoever asks forgets it with [Store.DropTest].
func (s *Store) AskTest(ctx context.Context, r pratique.Registry, password string) (id int64, err error) {
	err = s.write(ctx, func(tx *tx) (err error) {
		if _, err := tx.exec(ctx, "DELETE FROM connection_tests WHERE asked < ?", at(tx.now.Add(-testWanted))); err != nil {
			return err
		}
		if id, err = tx.insert(ctx, "INSERT INTO connection_tests (site, registry, asked) VALUES (?, ?, ?)", r.Site, document{r}, at(tx.now)); err != nil {
			return err
		}
		sealed, err := s.keys.seal(testPurpose(id), password)
		if err != nil || sealed == nil {
			return err
		}
		_, err = tx.exec(ctx, "UPDATE connection_tests SET password = ? WHERE id = ?", sealed, id)
		return err
	})
	return id, err
}

func testPurpose(id int64) string { return "connection test/" + numbers([]int64{id}) }

// NextTest hands an agent the oldest connection test that its site is wanted to do; nil:
// there is none. The password is forgotten with it.
func (s *Store) NextTest(ctx context.Context, agentID int64) (*pratique.AgentTest, error) {
	// Who asks again and again must not take the right to write each time.
	var id int64
	err := s.row(ctx, `SELECT COALESCE(MIN(t.id), 0) FROM connection_tests t JOIN agents a ON a.site = t.site
		WHERE a.id = ? AND a.kind = 'site' AND a.revoked IS NULL AND t.agent_id IS NULL AND t.asked > ?`, agentID, at(s.now().Add(-testWanted))).Scan(&id)
	if err != nil || id == 0 {
		return nil, err
	}
	test := &pratique.AgentTest{ID: id}
	var sealed []byte
	err = s.write(ctx, func(tx *tx) error {
		// The first update takes the row's lock; an agent that comes second finds it taken.
		n, err := tx.exec(ctx, "UPDATE connection_tests SET agent_id = ? WHERE id = ? AND agent_id IS NULL", agentID, id)
		if err != nil || n == 0 {
			test = nil
			return err
		}
		if err := tx.row(ctx, "SELECT registry, password FROM connection_tests WHERE id = ?", id).Scan(document{&test.Registry}, &sealed); err != nil {
			return err
		}
		_, err = tx.exec(ctx, "UPDATE connection_tests SET password = NULL WHERE id = ?", id)
		return err
	})
	if err != nil || test == nil {
		return nil, err
	}
	test.Password, err = s.keys.open(testPurpose(id), sealed)
	return test, err
}

// TestDone keeps what came of a test that the agent took. It is CodeCancelled when
// nobody waits for it any longer.
func (s *Store) TestDone(ctx context.Context, agentID, id int64, outcome json.RawMessage) error {
	return s.write(ctx, func(tx *tx) error {
		n, err := tx.exec(ctx, "UPDATE connection_tests SET outcome = ? WHERE id = ? AND agent_id = ? AND outcome IS NULL", document{outcome}, id, agentID)
		if err == nil && n == 0 {
			return pratique.Errorf(pratique.CodeCancelled, "nobody waits for this test any longer")
		}
		return err
	})
}

// TestOutcome is the name of the agent that took a test, "" before one did, and what
// came of it, nil before it is known.
func (s *Store) TestOutcome(ctx context.Context, id int64) (agent string, outcome json.RawMessage, err error) {
	err = s.row(ctx, "SELECT COALESCE(a.name, ''), t.outcome FROM connection_tests t LEFT JOIN agents a ON a.id = t.agent_id WHERE t.id = ?", id).Scan(&agent, document{&outcome})
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil, notFound("connection test", id)
	}
	return agent, outcome, err
}

// DropTest forgets a test.
func (s *Store) DropTest(ctx context.Context, id int64) error {
	return s.write(ctx, func(tx *tx) error {
		_, err := tx.exec(ctx, "DELETE FROM connection_tests WHERE id = ?", id)
		return err
	})
}
