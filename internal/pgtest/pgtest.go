// Package pgtest gives tests a real PostgreSQL: a cluster of Debian's package
// postgresql in a temporary folder, reached by a Unix socket only, so that
// nothing listens on a network and two test runs never meet.
//
// A test binary starts one cluster and every test gets a database of its own:
//
//	func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }
//
//	func TestStore(t *testing.T) {
//		db, err := sql.Open("pgx", pgtest.Database(t))
//		…
//	}
//
// The server refuses to run as root, so root starts it as the user postgres,
// whom the package brings, or as nobody. What a crash would lose is not kept:
// fsync is off. A cluster starts in one to two seconds, and only when the first
// test asks.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// startTimeout is how long a cluster may take to answer, on a busy machine.
const startTimeout = 60 * time.Second

// A Cluster is one running server with its folder.
type Cluster struct {
	dir    string
	bin    string
	cred   *syscall.Credential // nil: as whoever runs the test
	server *exec.Cmd
	exited chan error
	count  atomic.Int64
}

// Start makes a cluster in a new temporary folder and waits until it answers.
func Start() (*Cluster, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "pgtest") // short: a socket's path has 107 bytes
	if err != nil {
		return nil, err
	}
	c := &Cluster{dir: dir, bin: bin}
	if err := c.init(); err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	if err := c.Restart(); err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	return c, nil
}

func (c *Cluster) init() (err error) {
	if os.Geteuid() == 0 {
		if c.cred, err = unprivileged(); err != nil {
			return err
		}
		if err := os.Chown(c.dir, int(c.cred.Uid), int(c.cred.Gid)); err != nil {
			return err
		}
	}
	initdb := exec.Command(filepath.Join(c.bin, "initdb"), "--pgdata", c.data(), "--username", "postgres",
		"--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync")
	initdb.Dir = c.dir
	initdb.SysProcAttr = &syscall.SysProcAttr{Credential: c.cred}
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	return nil
}

func (c *Cluster) data() string { return filepath.Join(c.dir, "data") }

// Restart starts the server, after stopping it at once if it runs: every
// connection breaks, as when the machine of a database is restarted.
func (c *Cluster) Restart() error {
	if c.server != nil {
		if err := c.stop(syscall.SIGINT); err != nil {
			return err
		}
	}
	log, err := os.OpenFile(filepath.Join(c.dir, "log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	server := exec.Command(filepath.Join(c.bin, "postgres"), "-D", c.data(), "-k", c.dir,
		"-c", "listen_addresses=", "-c", "fsync=off", "-c", "full_page_writes=off", "-c", "synchronous_commit=off",
		"-c", "max_connections=200", "-c", "shared_buffers=64MB")
	server.Dir, server.Stdout, server.Stderr = c.dir, log, log
	// Should the test be killed, its server goes with it.
	server.SysProcAttr = &syscall.SysProcAttr{Credential: c.cred, Pdeathsig: syscall.SIGINT}

	started, exited := make(chan error), make(chan error, 1)
	go func() {
		runtime.LockOSThread() // Pdeathsig watches the thread, not the process
		err := server.Start()
		started <- err
		if err == nil {
			exited <- server.Wait()
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	c.server, c.exited = server, exited
	return c.wait()
}

func (c *Cluster) wait() error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, c.url("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case err := <-c.exited:
			log, _ := os.ReadFile(filepath.Join(c.dir, "log"))
			return fmt.Errorf("postgres ended: %v: %s", err, log)
		case <-ctx.Done():
			return fmt.Errorf("postgres does not answer: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// stop ends the server: SIGINT is PostgreSQL's fast shutdown.
func (c *Cluster) stop(signal syscall.Signal) error {
	if err := c.server.Process.Signal(signal); err != nil {
		return err
	}
	select {
	case <-c.exited:
		c.server = nil
		return nil
	case <-time.After(startTimeout):
		return errors.Join(errors.New("postgres does not stop"), c.server.Process.Kill())
	}
}

// Stop ends the server and removes its folder.
func (c *Cluster) Stop() error {
	return errors.Join(c.stop(syscall.SIGINT), os.RemoveAll(c.dir))
}

// Create makes an empty database and returns its URL.
func (c *Cluster) Create(ctx context.Context) (string, error) {
	name := fmt.Sprintf("test%d", c.count.Add(1))
	conn, err := pgx.Connect(ctx, c.url("postgres"))
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+name); err != nil {
		return "", err
	}
	return c.url(name), nil
}

func (c *Cluster) url(database string) string {
	u := url.URL{Scheme: "postgres", User: url.User("postgres"), Path: "/" + database,
		RawQuery: url.Values{"host": {c.dir}}.Encode()}
	return u.String()
}

// binaries finds the newest installed version: Debian keeps the server's
// programs out of PATH.
func binaries() (string, error) {
	if found, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(found), nil
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", errors.New("no PostgreSQL server is installed: make deps installs Debian's package postgresql")
	}
	version := func(p string) int {
		n, _ := strconv.Atoi(strings.Split(p, "/")[4])
		return n
	}
	return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })), nil
}

func unprivileged() (*syscall.Credential, error) {
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return nil, err
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			return nil, err
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")
}

// shared is the cluster of this test binary, which lives in TestMain.
var shared struct {
	sync.Mutex
	running bool // inside Run
	cluster *Cluster
}

// Run runs the tests of a binary and then stops the cluster, if one of them
// asked for it. It belongs into TestMain.
func Run(m *testing.M) int {
	shared.Lock()
	shared.running = true
	shared.Unlock()
	code := m.Run()
	shared.Lock()
	defer shared.Unlock()
	shared.running = false
	if shared.cluster == nil {
		return code
	}
	if err := shared.cluster.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, "pgtest:", err)
		return max(code, 1)
	}
	shared.cluster = nil
	return code
}

// Database returns the URL of a new, empty database in this binary's cluster.
func Database(t testing.TB) string {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if !shared.running {
		t.Fatal("pgtest.Database needs TestMain to call pgtest.Run, which stops the cluster at the end")
	}
	if shared.cluster == nil {
		c, err := Start()
		if err != nil {
			t.Fatal(err)
		}
		shared.cluster = c
	}
	u, err := shared.cluster.Create(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return u
}
