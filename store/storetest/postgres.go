// Package storetest holds all bodies of the store to the same behaviour: one
// suite, run whole on SQLite and on a real PostgreSQL.
//
// [Postgres] starts a PostgreSQL of its own for a test: a new cluster in a
// temporary folder, which listens on a socket in that folder and nowhere else. It
// needs the package postgresql to be installed, and no running server.
package storetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// A Cluster is a running PostgreSQL server.
type Cluster struct {
	dir, bin   string
	credential *syscall.Credential // nil: as this process
	command    *exec.Cmd
	ended      chan error
	databases  atomic.Int64
}

// Postgres starts a server that ends with the test. It fails the test when
// PostgreSQL is not installed: a suite that skips an engine proves nothing.
func Postgres(t testing.TB) *Cluster {
	t.Helper()
	bin, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	// Not t.TempDir: a socket's path has about a hundred bytes at most.
	dir, err := os.MkdirTemp("", "pratique-pg-")
	if err != nil {
		t.Fatal(err)
	}
	c := &Cluster{dir: dir, bin: bin, ended: make(chan error, 1)}
	t.Cleanup(func() {
		c.stop()
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if c.credential, err = c.unprivileged(); err != nil {
		t.Fatal(err)
	}
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", c.data(), "-U", "pratique", "--auth=trust", "--no-sync", "--encoding=UTF8", "--no-locale")
	initdb.Dir = dir
	initdb.SysProcAttr = &syscall.SysProcAttr{Credential: c.credential}
	if out, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	if err := c.start(); err != nil {
		t.Fatal(err)
	}
	return c
}

// programs is the folder of the newest PostgreSQL's programs.
func programs() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", errors.New("PostgreSQL is not installed: apt-get install postgresql")
	}
	version := func(path string) int {
		n, _ := strconv.Atoi(strings.Split(path, "/")[4]) // 0 for a folder that is no number
		return n
	}
	slices.SortFunc(found, func(a, b string) int { return version(a) - version(b) })
	return filepath.Dir(found[len(found)-1]), nil
}

// unprivileged is who the server runs as: PostgreSQL refuses to run as root.
func (c *Cluster) unprivileged() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("nobody")
	if err != nil {
		return nil, err
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, os.Chown(c.dir, uid, gid)
}

func (c *Cluster) start() error {
	log, err := os.OpenFile(filepath.Join(c.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	c.command = exec.Command(filepath.Join(c.bin, "postgres"), "-D", c.data(), "-k", c.dir, "-c", "listen_addresses=",
		"-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_connections=200", "-c", "shared_buffers=64MB", "-c", "autovacuum_naptime=5s")
	c.command.Dir = c.dir
	c.command.Stdout, c.command.Stderr = log, log
	c.command.SysProcAttr = &syscall.SysProcAttr{Credential: c.credential, Pdeathsig: syscall.SIGQUIT}
	if err := c.command.Start(); err != nil {
		return err
	}
	go func() { c.ended <- c.command.Wait() }()
	db, err := sql.Open("pgx", c.dsn("postgres"))
	if err != nil {
		return err
	}
	defer db.Close()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if err = db.Ping(); err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			out, _ := os.ReadFile(filepath.Join(c.dir, "log")) // what it says is all that there is to know
			return fmt.Errorf("PostgreSQL does not start: %w\n%s", err, out)
		}
	}
}

func (c *Cluster) data() string { return filepath.Join(c.dir, "data") }

// Restart ends the server at once, as a crash would, breaking all connections, and
// starts it again after a pause.
func (c *Cluster) Restart(t testing.TB, pause time.Duration) {
	t.Helper()
	c.end(syscall.SIGQUIT, syscall.SIGKILL)
	time.Sleep(pause)
	if err := c.start(); err != nil {
		t.Fatal(err)
	}
}

// stop ends the server, and waits until it has.
func (c *Cluster) stop() { c.end(syscall.SIGINT, syscall.SIGQUIT, syscall.SIGKILL) }

func (c *Cluster) end(signals ...os.Signal) {
	if c.command == nil || c.command.Process == nil {
		return
	}
	for _, signal := range signals {
		if c.command.Process.Signal(signal) != nil {
			return // it has ended
		}
		select {
		case <-c.ended:
			return
		case <-time.After(10 * time.Second):
		}
	}
}

func (c *Cluster) dsn(database string) string {
	return "postgres://pratique@/" + database + "?host=" + c.dir
}

// Database makes a new, empty database and returns its address.
func (c *Cluster) Database(t testing.TB) string {
	t.Helper()
	db, err := sql.Open("pgx", c.dsn("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	name := fmt.Sprintf("test%d", c.databases.Add(1))
	if _, err := db.ExecContext(context.Background(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	return c.dsn(name)
}
