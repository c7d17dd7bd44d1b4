package queue

import (
	"bufio"
	"cmp"
	"context"
	"database/sql"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/internal/pgtest"
	"github.com/pratique/pratique/scan"
)

// childEnv makes this binary a worker of another test's database.
const childEnv = "PRATIQUE_QUEUE_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv("PRATIQUE_QUEUE_REAL_PACE") != "" {
		testPace = realPace
	}
	if url := os.Getenv(childEnv); url != "" {
		if err := child(url); err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
		return
	}
	flag.Parse()
	flag.Set("test.parallel", "8") // they mostly wait
	os.Exit(pgtest.Run(m))
}

// testPace is the real pace, fifteen times as fast. PRATIQUE_QUEUE_REAL_PACE in
// the environment makes it real, for TestKilledWorker.
var testPace = pace{beat: 650 * time.Millisecond, silence: 2 * time.Second, rescue: 130 * time.Millisecond, watch: 100 * time.Millisecond, sweep: 300 * time.Millisecond}

func connect(url string) (*sql.DB, error) {
	if strings.HasPrefix(url, "postgres:") {
		return sql.Open("pgx", url)
	}
	db, err := sql.Open("sqlite", url)
	if err == nil {
		db.SetMaxOpenConns(1)
	}
	return db, err
}

// engines are the two databases; each call gives the URL of an empty one.
var engines = map[string]func(testing.TB) string{
	"SQLite": func(t testing.TB) string {
		return "file:" + filepath.Join(t.TempDir(), "queue.db") + "?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_txlock=immediate"
	},
	"PostgreSQL": pgtest.Database,
}

// conformance runs a test on both.
func conformance(t *testing.T, test func(t *testing.T, e *env)) {
	for name, url := range engines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newEnv(t, url(t)))
		})
	}
}

// env is a database with a queue that works nothing yet, and a table in which
// handlers write what they do.
type env struct {
	t   testing.TB
	url string
	db  *sql.DB
	q   *Queue
}

func newEnv(t testing.TB, url string) *env {
	t.Helper()
	e := &env{t: t, url: url}
	e.q, e.db = e.open()
	e.exec("CREATE TABLE runs (image text PRIMARY KEY, fence bigint NOT NULL DEFAULT 0, begun bigint NOT NULL DEFAULT 0, done bigint NOT NULL DEFAULT 0, worker text NOT NULL DEFAULT '')")
	return e
}

// open is what another process would have.
func (e *env) open() (*Queue, *sql.DB) {
	e.t.Helper()
	db, err := connect(e.url)
	if err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(func() { db.Close() })
	q, err := Open(context.Background(), db, nil)
	if err != nil {
		e.t.Fatal(err)
	}
	return q, db
}

func (e *env) exec(statement string, args ...any) {
	e.t.Helper()
	if _, err := e.db.Exec(e.q.db.sql(statement), args...); err != nil {
		e.t.Fatal(err)
	}
}

func (e *env) number(query string, args ...any) (n int) {
	e.t.Helper()
	if err := e.db.QueryRow(e.q.db.sql(query), args...).Scan(&n); err != nil {
		e.t.Fatal(err)
	}
	return n
}

func (e *env) enqueue(jobs ...scan.Job) {
	e.t.Helper()
	if err := e.q.Enqueue(context.Background(), jobs...); err != nil {
		e.t.Fatal(err)
	}
}

// start works in this process until the test ends.
func (e *env) start(q *Queue, o Options) {
	e.t.Helper()
	if o.pace == (pace{}) {
		o.pace = testPace
	}
	o.Grace = cmp.Or(o.Grace, 50*time.Millisecond)
	if err := q.Start(context.Background(), o); err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := q.Stop(ctx); err != nil {
			e.t.Error("stop:", err)
		}
	})
}

// within waits for a condition, and says how long it took.
func (e *env) within(limit time.Duration, what string, met func() bool) time.Duration {
	e.t.Helper()
	began := time.Now()
	for !met() {
		if time.Since(began) > limit {
			e.t.Fatalf("%s: not within %s", what, limit)
		}
		time.Sleep(5 * time.Millisecond)
	}
	return time.Since(began)
}

func (e *env) state(args scan.Args) string {
	e.t.Helper()
	key, err := keyOf(args)
	if err != nil {
		e.t.Fatal(err)
	}
	rows, err := e.db.Query(e.q.db.sql("SELECT {args}, state FROM river_job WHERE kind = ?1 ORDER BY id"), args.Kind())
	if err != nil {
		e.t.Fatal(err)
	}
	defer rows.Close()
	var states []string
	for rows.Next() {
		var text, state string
		if err := rows.Scan(&text, &state); err != nil {
			e.t.Fatal(err)
		}
		if k, _ := canonical(args.Kind(), []byte(text)); k == key {
			states = append(states, state)
		}
	}
	return strings.Join(states, " ")
}

func image(n int) scan.ScanArgs {
	return scan.ScanArgs{ImageID: pratique.Digest(fmt.Sprintf("sha256:%064x", n))}
}

func scanOf(n int, lane scan.Lane) scan.Job { return scan.Job{Args: image(n), Lane: lane} }

// record is a handler that writes as a store would: fenced.
func record(db *sql.DB, q *Queue, begun func(scan.ScanArgs, scan.Attempt), wait func(context.Context)) func(context.Context, scan.ScanArgs, scan.Attempt) error {
	return func(ctx context.Context, args scan.ScanArgs, attempt scan.Attempt) error {
		_, err := db.Exec(q.db.sql(`INSERT INTO runs (image, fence, begun, worker) VALUES (?1, ?2, 1, ?3)
			ON CONFLICT (image) DO UPDATE SET fence = ?2, begun = runs.begun + 1, worker = ?3 WHERE runs.fence <= ?2`), args.ImageID, attempt.Fence, attempt.Worker)
		if err != nil {
			return err
		}
		begun(args, attempt)
		wait(ctx)
		if err := ctx.Err(); err != nil {
			return err
		}
		_, err = db.Exec(q.db.sql("UPDATE runs SET done = done + 1 WHERE image = ?1 AND fence = ?2"), args.ImageID, attempt.Fence)
		return err
	}
}

// child is a worker in a process of its own: it begins scans, says so, and ends
// them when a line is written to its standard input.
func child(url string) error {
	db, err := connect(url)
	if err != nil {
		return err
	}
	q, err := Open(context.Background(), db, nil)
	if err != nil {
		return err
	}
	proceed := make(chan struct{})
	stubborn := os.Getenv(childEnv+"_STUBBORN") != ""
	err = q.Start(context.Background(), Options{Scans: 3, pace: testPace, Handlers: Handlers{
		Scan: record(db, q,
			func(args scan.ScanArgs, attempt scan.Attempt) { fmt.Println("begun", args.ImageID, attempt.Fence) },
			func(ctx context.Context) {
				if stubborn { // notices nothing, and writes late
					<-proceed
					return
				}
				select {
				case <-ctx.Done():
					fmt.Println("ended", context.Cause(ctx))
				case <-proceed:
				}
			}),
	}})
	if err != nil {
		return err
	}
	fmt.Println("started", q.Worker())
	bufio.NewReader(os.Stdin).ReadString('\n')
	close(proceed)
	bufio.NewReader(os.Stdin).ReadString('\n')
	return q.Stop(context.Background())
}

// process is a child as its parent sees it.
type process struct {
	*exec.Cmd
	lines  chan string
	stdin  interface{ Write([]byte) (int, error) }
	worker string
}

func (e *env) child(env ...string) *process {
	e.t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), childEnv+"="+e.url), env...)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		e.t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		e.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		e.t.Fatal(err)
	}
	p := &process{Cmd: cmd, stdin: stdin, lines: make(chan string, 1000)}
	go func() {
		defer close(p.lines)
		for s := bufio.NewScanner(stdout); s.Scan(); {
			p.lines <- s.Text()
		}
	}()
	e.t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	p.worker = p.expect(e.t, "started")
	return p
}

// expect waits for a line that begins with a word, and returns the rest.
func (p *process) expect(t testing.TB, word string) string {
	t.Helper()
	timeout := time.After(30 * time.Second)
	for {
		select {
		case line, open := <-p.lines:
			if !open {
				t.Fatalf("the child ended before %q", word)
			}
			if strings.HasPrefix(line, "error:") {
				t.Fatal(line)
			}
			if rest, found := strings.CutPrefix(line, word+" "); found {
				return rest
			}
		case <-timeout:
			t.Fatalf("the child did not say %q", word)
		}
	}
}
