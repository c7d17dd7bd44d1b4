package queue

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/pratique/pratique"
)

// dialect is all that differs between the two databases. Statements are written
// for both, with these expressions put in.
type dialect struct {
	name string
	// millis is the database's clock in milliseconds since 1970: the clocks of
	// workers on different machines never meet.
	millis string
	now    string // as river_job keeps times
	// holder is the worker that began a running job last.
	holder  string
	args    string // of a job, as text
	lost    string // metadata, with the worker that lost the job in parameter 2
	forUpd  string // locks the rows that a SELECT returns until the transaction ends
	numeric string // how a numbered parameter begins
}

var sqlite = dialect{
	name:    "SQLite",
	millis:  "CAST(unixepoch('subsec') * 1000 AS integer)",
	now:     "datetime('now', 'subsec')",
	holder:  "attempted_by ->> '$[#-1]'",
	args:    "json(args)",
	lost:    "jsonb_set(metadata, '$.lost_by', ?2)",
	numeric: "?",
}

var postgres = dialect{
	name:    "PostgreSQL",
	millis:  "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)",
	now:     "now()",
	holder:  "attempted_by[array_upper(attempted_by, 1)]",
	args:    "args::text",
	lost:    "jsonb_set(metadata, '{lost_by}', to_jsonb(?2::text))",
	forUpd:  " FOR UPDATE",
	numeric: "$",
}

// sql fills the names in braces. No statement here uses PostgreSQL's operators
// with a question mark.
func (d dialect) sql(statement string) string {
	statement = strings.NewReplacer("{millis}", d.millis, "{now}", d.now, "{holder}", d.holder,
		"{args}", d.args, "{lost}", d.lost, "{for update}", d.forUpd).Replace(statement)
	return strings.ReplaceAll(statement, "?", d.numeric)
}

// database is a *sql.DB of which we know what it is.
type database struct {
	*sql.DB
	dialect
}

// recognise finds out which of the two db is: PostgreSQL by pgx, or SQLite.
func recognise(ctx context.Context, db *sql.DB) (database, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return database{}, unreachable(err)
	}
	defer conn.Close()
	pgx := false
	if err := conn.Raw(func(c any) error { _, pgx = c.(*stdlib.Conn); return nil }); err != nil {
		return database{}, unreachable(err)
	}
	if pgx {
		if db.Stats().MaxOpenConnections == 1 { // migrate holds a lock on one of them
			return database{}, pratique.Errorf(pratique.CodeInvalid, "the queue needs two connections to PostgreSQL or more, and the pool has one")
		}
		return database{db, postgres}, nil
	}
	var version string
	if err := conn.QueryRowContext(ctx, "SELECT sqlite_version()").Scan(&version); err != nil {
		return database{}, pratique.Errorf(pratique.CodeUnsupported, "the queue needs SQLite, or PostgreSQL by pgx, and this database is neither: %w", err)
	}
	return database{db, sqlite}, nil
}

func unreachable(err error) error {
	return pratique.Errorf(pratique.CodeUnreachable, "the queue's database does not answer: %w", err).
		WithRemedy("check that the database runs and that its address and password are right")
}

// driver is River's driver over db. On PostgreSQL, listen opens a connection of
// its own that waits for notifications; close gives it back.
func (db database) driver(listen bool) (_ riverdriver.Driver[*sql.Tx], close func(), _ error) {
	if db.name == sqlite.name {
		return riversqlite.New(db.DB), func() {}, nil
	}
	if !listen {
		return riverdatabasesql.New(db.DB), func() {}, nil
	}
	pool, err := db.listeners()
	if err != nil {
		return nil, nil, err
	}
	return riverdatabasesql.NewWithPgxListener(db.DB, pool), pool.Close, nil
}

// listeners is a pool that connects to where db is connected. River takes the
// connection out of it for good: database/sql has no way to wait on one.
func (db database) listeners() (*pgxpool.Pool, error) {
	conn, err := db.Conn(context.Background())
	if err != nil {
		return nil, unreachable(err)
	}
	defer conn.Close()
	config, err := pgxpool.ParseConfig("host=localhost") // the only way to make one
	if err != nil {
		return nil, err
	}
	err = conn.Raw(func(c any) error {
		config.ConnConfig = c.(*stdlib.Conn).Conn().Config()
		config.ConnConfig.OnNotification = nil // that connection put itself there
		return nil
	})
	if err != nil {
		return nil, unreachable(err)
	}
	config.MinConns, config.MaxConns = 0, 1
	return pgxpool.NewWithConfig(context.Background(), config)
}

// workersTable is ours; River's tables are River's.
const workersTable = `
CREATE TABLE IF NOT EXISTS queue_workers (
	id       text PRIMARY KEY,
	host     text NOT NULL,
	pid      bigint NOT NULL,
	capacity bigint NOT NULL,
	started  bigint NOT NULL,
	beat     bigint NOT NULL
)`

// scansColumn came later.
const scansColumn = "ALTER TABLE queue_workers ADD COLUMN scans bigint NOT NULL DEFAULT 0"

// advisoryLock is the key of the lock that one migration at a time holds:
// "pratique" in ASCII.
const advisoryLock = 0x7072617469717565

// migrate brings River's tables and ours up to date. Any number of processes
// may do it at the same time.
func (db database) migrate(ctx context.Context) error {
	driver, _, err := db.driver(false)
	if err != nil {
		return err
	}
	migrator, err := rivermigrate.New(driver, nil)
	if err != nil {
		return fmt.Errorf("queue: %w", err)
	}
	if db.name == sqlite.name {
		err = db.migrateSQLite(ctx, migrator)
	} else {
		err = db.migratePostgres(ctx, migrator)
	}
	if err != nil {
		return pratique.Errorf(pratique.CodeInternal, "the queue's tables cannot be made or updated: %w", err).
			WithRemedy("check that the database's user may create tables, and that the disk is not full")
	}
	return nil
}

// migratePostgres holds a lock on a connection of its own, because one of
// River's migrations adds a value to an enumeration that the next one uses:
// PostgreSQL wants a commit between the two.
func (db database) migratePostgres(ctx context.Context, m *rivermigrate.Migrator[*sql.Tx]) (err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", int64(advisoryLock)); err != nil {
		return err
	}
	defer func() {
		_, unlockErr := conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", int64(advisoryLock))
		if err == nil {
			err = unlockErr
		}
	}()
	if _, err := conn.ExecContext(ctx, workersTable); err != nil {
		return err
	}
	if _, err := conn.ExecContext(ctx, strings.Replace(scansColumn, "COLUMN", "COLUMN IF NOT EXISTS", 1)); err != nil {
		return err
	}
	_, err = m.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
}

// migrateSQLite migrates in one transaction, which the write at its beginning
// makes the only one.
func (db database) migrateSQLite(ctx context.Context, m *rivermigrate.Migrator[*sql.Tx]) error {
	if _, err := db.ExecContext(ctx, workersTable); err != nil {
		return err
	}
	return db.tx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM queue_workers WHERE id = ''"); err != nil {
			return err
		}
		var there bool
		if err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM pragma_table_info('queue_workers') WHERE name = 'scans')").Scan(&there); err != nil {
			return err
		}
		if !there {
			if _, err := tx.ExecContext(ctx, scansColumn); err != nil {
				return err
			}
		}
		// River warns that some migrations cannot share a transaction; those are of
		// PostgreSQL, and without one two processes would migrate at once.
		//lint:ignore SA1019 see above
		_, err := m.MigrateTx(ctx, tx, rivermigrate.DirectionUp, nil)
		return err
	})
}

func (db database) tx(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := do(tx); err != nil {
		return err
	}
	return tx.Commit()
}
