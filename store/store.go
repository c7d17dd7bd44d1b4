package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/pratique/pratique"
)

// Store is an open database. Its methods are safe for concurrent use, by any
// number of processes on one database.
type Store struct {
	engine   engine
	writer   *sql.DB
	reader   *sql.DB
	counter  *sql.DB // for questions that read the whole estate: see counting
	keys     *Keyring
	warnings []string
	now      func() time.Time
}

// Open opens the database that dsn names, and brings its schema up to date:
// "sqlite:FOLDER/pratique.db" or a path for SQLite, which is created when it does
// not exist; "postgres://USER@HOST/NAME" for PostgreSQL. Several processes may open
// one database at once. Without keys, passwords of registries cannot be kept.
func Open(ctx context.Context, dsn string, keys *Keyring) (*Store, error) {
	s := &Store{keys: keys, now: time.Now}
	var err error
	if strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://") {
		err = s.openPostgres(ctx, dsn)
	} else {
		err = s.openSQLite(ctx, strings.TrimPrefix(strings.TrimPrefix(dsn, "sqlite://"), "sqlite:"))
	}
	if err == nil {
		err = s.checkKeys(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// readers is how many queries run at once on SQLite, and counters how many more that
// read the whole estate, each of which has a processor busy.
func readers() int  { return max(4, runtime.GOMAXPROCS(0)) }
func counters() int { return runtime.GOMAXPROCS(0) }

// counting is the store for questions that read the whole estate: what the overview
// and the filters count. On SQLite they have connections of their own, few, so that a
// page of a list, which takes milliseconds, need not wait until one of them is over.
func (s *Store) counting() *Store {
	c := *s
	c.reader = s.counter
	return &c
}

func (s *Store) openSQLite(ctx context.Context, path string) error {
	if path == "" || strings.ContainsAny(path, "?\x00") || strings.Contains(path, "://") {
		return pratique.Errorf(pratique.CodeInvalid, "%q names no database", redacted(path)).
			WithRemedy("give the path of a file for SQLite, or postgres://USER@HOST/NAME")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return diskError(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return diskError(err)
	}
	// The file is made here so that nobody else may read it: SQLite would take the
	// process's umask.
	if f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return diskError(err)
	} else if err := f.Close(); err != nil {
		return diskError(err)
	}
	base := "file:" + (&url.URL{Path: path}).EscapedPath() + "?_pragma=busy_timeout(15000)&_pragma=foreign_keys(1)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=cache_size(-32768)"
	s.engine = sqliteEngine{}
	if s.writer, err = sql.Open("sqlite", base+"&_txlock=immediate"); err != nil {
		return err
	}
	s.writer.SetMaxOpenConns(1)
	s.writer.SetMaxIdleConns(1)
	unlock, err := lockFile(path + ".lock")
	if err != nil {
		return err
	}
	defer unlock()
	if err := s.migrate(ctx); err != nil {
		return sqliteError(path, err)
	}
	if s.reader, err = openReaders(base, readers()); err != nil {
		return err
	}
	s.counter, err = openReaders(base, counters())
	return err
}

// openReaders is a pool of connections to a SQLite database that only read.
func openReaders(base string, size int) (*sql.DB, error) {
	db, err := sql.Open("sqlite", base+"&_pragma=query_only(1)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	return db, nil
}

func (s *Store) openPostgres(ctx context.Context, dsn string) error {
	s.engine = postgresEngine{}
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return pratique.Errorf(pratique.CodeInvalid, "%s is not a PostgreSQL address", redacted(dsn)).
			WithRemedy("write it as postgres://USER:PASSWORD@HOST:PORT/NAME")
	}
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(16)
	db.SetMaxIdleConns(8)
	db.SetConnMaxIdleTime(5 * time.Minute)
	s.writer, s.reader, s.counter = db, db, db
	if err := db.PingContext(ctx); err != nil {
		return pratique.Errorf(pratique.CodeUnreachable, "PostgreSQL at %s does not answer: %w", redacted(dsn), err).
			WithRemedy("check that the server runs, that the database exists, and user and password")
	}
	return s.migrate(ctx)
}

// redacted is a DSN without its password.
func redacted(dsn string) string {
	u, err := url.Parse(dsn)
	if err != nil {
		before, _, _ := strings.Cut(dsn, "@")
		scheme, _, _ := strings.Cut(before, ":")
		return scheme + ":…"
	}
	q := u.Query()
	if q.Has("password") {
		q.Set("password", "xxxxx")
		u.RawQuery = q.Encode()
	}
	return u.Redacted()
}

// Close ends all connections.
func (s *Store) Close() error {
	var errs []error
	if s.writer != nil {
		errs = append(errs, s.writer.Close())
	}
	for _, pool := range []*sql.DB{s.reader, s.counter} {
		if pool != nil && pool != s.writer {
			errs = append(errs, pool.Close())
		}
	}
	return errors.Join(errs...)
}

// Ping tells whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	return s.reader.QueryRowContext(ctx, "SELECT 1").Scan(&one)
}

// Engine is "sqlite" or "postgres".
func (s *Store) Engine() string { return s.engine.name() }

// Warnings are what the administrator should know about this database.
func (s *Store) Warnings() []string { return s.warnings }

// Writer is the connection pool for what else keeps its state in this database,
// such as the queue.
func (s *Store) Writer() *sql.DB { return s.writer }

// tx is a writing transaction. It is bound to one connection, which bulk loads
// need.
type tx struct {
	*sql.Tx
	conn   *sql.Conn
	engine engine
	now    time.Time
}

func (t *tx) exec(ctx context.Context, query string, args ...any) (int64, error) {
	r, err := t.ExecContext(ctx, t.engine.rewrite(query), clean(args)...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

func (t *tx) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return t.QueryContext(ctx, t.engine.rewrite(query), clean(args)...)
}

func (t *tx) row(ctx context.Context, query string, args ...any) *sql.Row {
	return t.QueryRowContext(ctx, t.engine.rewrite(query), clean(args)...)
}

// insert runs an INSERT and returns the new row's id.
func (t *tx) insert(ctx context.Context, query string, args ...any) (id int64, err error) {
	err = t.row(ctx, query+" RETURNING id", args...).Scan(&id)
	return id, err
}

// maxAttempts of a transaction that another one got in the way of.
const maxAttempts = 8

// write runs f in a transaction, again when it fell victim to another one, so f
// must have no effects elsewhere. Given locks are taken first, in order.
func (s *Store) write(ctx context.Context, f func(*tx) error, locks ...int64) error {
	for attempt := 1; ; attempt++ {
		err := s.writeOnce(ctx, f, locks)
		if err == nil || attempt == maxAttempts || !s.engine.again(err) {
			return s.mapped(err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(attempt*attempt) * 5 * time.Millisecond):
		}
	}
}

func (s *Store) writeOnce(ctx context.Context, f func(*tx) error, locks []int64) (err error) {
	conn, err := s.writer.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	inner, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	t := &tx{Tx: inner, conn: conn, engine: s.engine, now: s.now().UTC().Truncate(time.Microsecond)}
	for _, key := range locks {
		if err := s.engine.lock(ctx, t, key); err != nil {
			return errors.Join(err, rollback(inner))
		}
	}
	if err := f(t); err != nil {
		return errors.Join(err, rollback(inner))
	}
	return inner.Commit()
}

func rollback(t *sql.Tx) error {
	if err := t.Rollback(); err != nil && !errors.Is(err, sql.ErrTxDone) {
		return err
	}
	return nil
}

func (s *Store) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	rows, err := s.reader.QueryContext(ctx, s.engine.rewrite(query), clean(args)...)
	return rows, s.mapped(err)
}

func (s *Store) row(ctx context.Context, query string, args ...any) mappedRow {
	return mappedRow{s.reader.QueryRowContext(ctx, s.engine.rewrite(query), clean(args)...), s}
}

// mappedRow is a row whose errors users may see.
type mappedRow struct {
	row   *sql.Row
	store *Store
}

func (r mappedRow) Scan(targets ...any) error { return r.store.mapped(r.row.Scan(targets...)) }

// querier is what reads: the store, or a transaction of it.
type querier interface {
	query(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// collect reads all rows of a query.
func collect[T any](ctx context.Context, q querier, scan func(*sql.Rows, *T) error, query string, args ...any) (all []T, err error) {
	rows, err := q.query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var item T
		if err := scan(rows, &item); err != nil {
			return nil, err
		}
		all = append(all, item)
	}
	return all, rows.Err()
}

// one scans a row of a single column.
func one[T any](rows *sql.Rows, v *T) error { return rows.Scan(v) }

// mapped turns trouble that the user can do something about into an Error.
func (s *Store) mapped(err error) error {
	var known *pratique.Error
	switch {
	case err == nil || errors.As(err, &known):
		return err
	case errors.Is(err, syscall.ENOSPC) || strings.Contains(err.Error(), "database or disk is full"):
		return diskError(err)
	case s.engine.lost(err):
		return pratique.Errorf(pratique.CodeUnreachable, "the database does not answer: %w", err).WithRemedy("check that the database server runs and can be reached; the service goes on by itself when it is back")
	case s.engine.again(err):
		return pratique.Errorf(pratique.CodeUnreachable, "the database is busy: %w", err).WithRemedy("try again; if it lasts, look for a process that holds the database")
	}
	return err
}

func diskError(err error) error {
	return pratique.Errorf(pratique.CodeDisk, "the database cannot be written: %w", err).WithRemedy("make room on the disk, and check who may write to the folder")
}

func sqliteError(path string, err error) error {
	if strings.Contains(err.Error(), "file is not a database") || strings.Contains(err.Error(), "malformed") {
		return pratique.Errorf(pratique.CodeCorrupt, "%s is no SQLite database: %w", path, err).WithRemedy("name another file, or restore this one from a backup")
	}
	return err
}

func notFound(what string, id any) error {
	return pratique.Errorf(pratique.CodeNotFound, "there is no %s %v", what, id)
}

// found turns "no rows" into a clear error.
func found(err error, what string, id any) error {
	if errors.Is(err, sql.ErrNoRows) {
		return notFound(what, id)
	}
	if err != nil {
		return fmt.Errorf("%s %v: %w", what, id, err)
	}
	return nil
}
