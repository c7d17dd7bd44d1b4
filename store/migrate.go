package store

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	"golang.org/x/sys/unix"

	"github.com/pratique/pratique/store/migrations"
)

// migrate brings the schema up to date. Only one process does it at a time: on
// PostgreSQL by an advisory lock, on SQLite by the caller's lock on a file.
func (s *Store) migrate(ctx context.Context) error {
	steps, err := s.steps()
	if err != nil {
		return err
	}
	options := []goose.ProviderOption{goose.WithDisableGlobalRegistry(true), goose.WithGoMigrations(steps...), goose.WithTableName("schema_versions")}
	dialect := goose.DialectSQLite3
	if s.engine.name() == "postgres" {
		dialect = goose.DialectPostgres
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockID(lockLayout))
		if err != nil {
			return err
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	provider, err := goose.NewProvider(dialect, s.writer, nil, options...)
	if err != nil {
		return fmt.Errorf("schema: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("bringing the schema up to date: %w", err)
	}
	if s.engine.name() == "postgres" {
		return s.indexSearch(ctx)
	}
	return nil
}

// steps are the files in migrations, in this engine's words.
func (s *Store) steps() ([]*goose.Migration, error) {
	names, err := fs.Glob(migrations.Files, "*.sql")
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	var steps []*goose.Migration
	for _, name := range names {
		version, err := goose.NumericComponent(name)
		if err != nil {
			return nil, err
		}
		content, err := fs.ReadFile(migrations.Files, name)
		if err != nil {
			return nil, err
		}
		statements := translate(string(content), s.engine)
		steps = append(steps, goose.NewGoMigration(version, &goose.GoFunc{RunTx: func(ctx context.Context, tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, statements)
			return err
		}}, nil))
	}
	return steps, nil
}

var typeWord = regexp.MustCompile(`\b(ID|TEXT|JSON|BYTES)\b`)

// translate drops the other engine's lines and comments, and names the types.
func translate(statements string, e engine) string {
	types := e.types()
	var b strings.Builder
	for _, line := range strings.Split(statements, "\n") {
		code, note, _ := strings.Cut(line, "--")
		if note = strings.TrimSpace(note); (note == "sqlite" || note == "postgres") && note != e.name() {
			continue
		}
		b.WriteString(typeWord.ReplaceAllStringFunc(code, func(w string) string { return types[w] }))
		b.WriteByte('\n')
	}
	return b.String()
}

// indexSearch makes the trigram index of the search for images. Without it the
// search is right, and reads every row.
func (s *Store) indexSearch(ctx context.Context) (err error) {
	conn, err := s.writer.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", int64(lockLayout)); err != nil {
		return err
	}
	defer func() {
		if _, unlock := conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", int64(lockLayout)); err == nil {
			err = unlock
		}
	}()
	if _, err := conn.ExecContext(ctx, "CREATE EXTENSION IF NOT EXISTS pg_trgm"); err != nil {
		s.warnings = append(s.warnings, fmt.Sprintf("the search for images reads every row, because PostgreSQL's extension pg_trgm cannot be created (%v): install postgresql-contrib, let an administrator run CREATE EXTENSION pg_trgm, and start again", err))
		return nil
	}
	_, err = conn.ExecContext(ctx, "CREATE INDEX IF NOT EXISTS assets_search ON assets USING gin (search gin_trgm_ops)")
	return err
}

// lockFile waits for an exclusive lock that the process's end would free.
func lockFile(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, diskError(err)
	}
	for {
		if err = unix.Flock(int(f.Fd()), unix.LOCK_EX); err != unix.EINTR {
			break
		}
	}
	if err != nil {
		f.Close()
		return nil, diskError(err)
	}
	return func() { f.Close() }, nil
}
