package storetest

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/store"
)

func sqliteFile(t testing.TB) string {
	return "sqlite:" + filepath.Join(t.TempDir(), "new", "pratique.db")
}

func TestSQLite(t *testing.T) { Run(t, sqliteFile) }

func TestPostgres(t *testing.T) {
	cluster := Postgres(t)
	Run(t, cluster.Database)
	t.Run("crash", func(t *testing.T) { crash(t, cluster.Database(t)) })
	t.Run("opening at once", func(t *testing.T) { openAtOnce(t, cluster.Database(t)) })
	t.Run("restart", func(t *testing.T) { restart(t, cluster) })
	t.Run("without pg_trgm", func(t *testing.T) { withoutTrigrams(t, cluster.Database(t)) })
}

func TestCrash(t *testing.T)         { crash(t, sqliteFile(t)) }
func TestOpeningAtOnce(t *testing.T) { openAtOnce(t, sqliteFile(t)) }

// restart: the server goes away under load and comes back. Callers are told so by
// a code of its own; the same store goes on, and everything adds up.
func restart(t *testing.T, cluster *Cluster) {
	ctx := context.Background()
	s := Open(t, cluster.Database(t))
	estate(t, s, 10)
	stop := make(chan struct{})
	var told, done atomic.Int64
	var group sync.WaitGroup
	for w := range 4 {
		group.Go(func() {
			for n := w; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				err := func() error {
					if _, err := s.Overview(ctx, pratique.SourceRegistry, day); err != nil {
						return err
					}
					_, scans, err := s.CreateTask(ctx, want([]pratique.Digest{imageID(n % 10)}, everything...))
					if err != nil {
						return err
					}
					lease, err := s.Claim(ctx, scans[0], "w")
					if err != nil {
						return err
					}
					a := deb(fmt.Sprint("p", n%4), "1")
					_, err = s.FinishScan(ctx, lease, report(lease.ImageID, nil, []pratique.Package{a}, finding("CVE-1", a, pratique.SeverityHigh, "")), "rules 1")
					return err
				}()
				switch pratique.CodeOf(err) {
				case "":
					done.Add(1)
				case pratique.CodeUnreachable:
					told.Add(1)
					time.Sleep(10 * time.Millisecond)
				case pratique.CodeConflict, pratique.CodeCancelled: // another worker has it
				default:
					t.Error(err)
					return
				}
			}
		})
	}
	time.Sleep(300 * time.Millisecond)
	cluster.Restart(t, 200*time.Millisecond)
	before := done.Load()
	for deadline := time.Now().Add(10 * time.Second); done.Load() < before+4 && time.Now().Before(deadline); {
		time.Sleep(20 * time.Millisecond)
	}
	close(stop)
	group.Wait()
	if told.Load() == 0 || before == 0 || done.Load() < before+4 {
		t.Errorf("%d scans before, %d in all, %d errors told", before, done.Load(), told.Load())
	}
	sound(t, s)
	ok[[]int64](t)(s.ReleaseSilent(ctx, -time.Second))
	sound(t, s)
}

// openAtOnce: several processes may meet at a new database.
func openAtOnce(t *testing.T, dsn string) {
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			s, err := store.Open(context.Background(), dsn, Key(t))
			if err != nil {
				t.Error(err)
				return
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}

// withoutTrigrams: who may not create the extension has a slower search and a
// warning, and the same answers.
func withoutTrigrams(t *testing.T, dsn string) {
	ctx := context.Background()
	admin, err := sql.Open("pgx", dsn)
	must(t, err)
	defer admin.Close()
	_, err = admin.Exec("CREATE ROLE plain LOGIN; GRANT ALL ON SCHEMA public TO plain")
	must(t, err)
	s := Open(t, strings.Replace(dsn, "pratique@", "plain@", 1))
	if w := s.Warnings(); len(w) != 1 || !strings.Contains(w[0], "CREATE EXTENSION pg_trgm") {
		t.Errorf("warnings %q", w)
	}
	estate(t, s, 3)
	if p := ok[pratique.Page[pratique.AssetRow]](t)(s.Assets(ctx, pratique.AssetFilter{Search: "team v2"}, pratique.PageRequest{})); len(p.Items) != 1 {
		t.Errorf("found %+v", p.Items)
	}
}

// Trouble with opening is told with a remedy, and never with a password.
func TestOpenRefuses(t *testing.T) {
	ctx := context.Background()
	file := filepath.Join(t.TempDir(), "notes.txt")
	must(t, os.WriteFile(file, []byte(strings.Repeat("no database at all. ", 100)), 0o600))
	for dsn, code := range map[string]pratique.Code{
		"":                              pratique.CodeInvalid,
		"mysql://root:hunter2@db/x":     pratique.CodeInvalid,
		"postgres://u:hunter2@db:port/": pratique.CodeInvalid,
		"postgres://u:hunter2@127.0.0.1:1/x?connect_timeout=2":          pratique.CodeUnreachable,
		"postgres://u@127.0.0.1:1/x?connect_timeout=2&password=hunter2": pratique.CodeUnreachable,
		file:                               pratique.CodeCorrupt,
		filepath.Join(file, "pratique.db"): pratique.CodeDisk,
		filepath.Dir(file):                 pratique.CodeDisk,
	} {
		s, err := store.Open(ctx, dsn, nil)
		if err == nil {
			s.Close()
			t.Errorf("%q was opened", dsn)
			continue
		}
		var told *pratique.Error
		if !errors.As(err, &told) || told.Code != code || told.Remedy == "" || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v (code %s), want %s", dsn, err, pratique.CodeOf(err), code)
		}
	}
}

// victimDSN names the database that this process is to work on until it is killed.
const victimDSN = "STORETEST_VICTIM_DSN"

func TestMain(m *testing.M) {
	if dsn := os.Getenv(victimDSN); dsn != "" {
		victim(dsn)
	}
	os.Exit(m.Run())
}

// crash kills a process with SIGKILL while it scans, adopts and judges, and looks
// whether everything adds up. What it was doing goes on.
func crash(t *testing.T, dsn string) {
	ctx := context.Background()
	s := Open(t, dsn)
	estate(t, s, 20)
	must(t, s.SetQuota(ctx, pratique.QuotaSettings{Enabled: true, Total: 1 << 20, Auto: pratique.AutoRule{Enabled: true}}, "admin"))
	self, err := os.Executable()
	must(t, err)
	for round := range 4 {
		child := exec.Command(self)
		child.Env = append(os.Environ(), victimDSN+"="+dsn)
		child.Stderr = os.Stderr
		out, err := child.StdoutPipe()
		must(t, err)
		must(t, child.Start())
		if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(60+round*37) * time.Millisecond)
		must(t, child.Process.Kill())
		if err := child.Wait(); err == nil {
			t.Fatal("it ended by itself")
		}
		sound(t, s)
	}
	events := ok[pratique.Page[pratique.FindingEvent]](t)(s.Events(ctx, pratique.EventFilter{}, pratique.PageRequest{Count: true}))
	if events.Total == 0 {
		t.Error("nothing was done before the crashes")
	}
	ok[[]int64](t)(s.ReleaseSilent(ctx, -time.Second))
	for _, c := range ok[[]pratique.Scan](t)(s.WaitingScans(ctx, 100)) {
		lease := ok[pratique.Lease](t)(s.Claim(ctx, c.ID, "survivor"))
		ok[bool](t)(s.FinishScan(ctx, lease, report(c.ImageID, nil, []pratique.Package{deb("p1", "1")}), "rules 1"))
	}
	if p := ok[pratique.Page[pratique.Task]](t)(s.Tasks(ctx, pratique.TaskFilter{Running: true}, pratique.PageRequest{Count: true})); p.Total != 0 {
		t.Errorf("%d tasks never end", p.Total)
	}
	judge(t, s, nil)
	if q := ok[pratique.QuotaState](t)(s.Quota(ctx)); q.Used < 20 {
		t.Errorf("%d units were used", q.Used)
	}
	sound(t, s)
}

// victim works until it is killed.
func victim(dsn string) {
	t := &dying{}
	s := Open(t, dsn)
	ctx := context.Background()
	severities := pratique.Severities()
	for n := int(time.Now().UnixNano() % 1000); ; n++ {
		if _, err := s.Adopt(ctx, *bundle(n), []pratique.PackageKey{{Ecosystem: "Debian:12", Name: fmt.Sprint("p", n%5)}}, "t", "update"); err != nil {
			t.Fatal(err)
		}
		known := map[string][]pratique.Finding{}
		for i := range 5 {
			p := deb(fmt.Sprint("p", i), "1")
			known[p.Name] = []pratique.Finding{finding(fmt.Sprint("CVE-", n%7), p, severities[(n+i)%6], ""), finding(fmt.Sprint("CVE-", n%3), p, severities[n%6], "1")}
		}
		judge(t, s, known)
		var batch []pratique.Asset // which costs many units at once
		for i := range 50 {
			batch = append(batch, asset(fmt.Sprint("x", i), 1000*n+i+20))
		}
		if _, err := s.SyncRepository(ctx, 1, "team/batch", batch, true); err != nil {
			t.Fatal(err)
		}
		if _, err := s.License(ctx, licensed(false), 0, "victim"); err != nil {
			t.Fatal(err)
		}
		_, scans, err := s.CreateTask(ctx, want([]pratique.Digest{imageID(n % 20), imageID((n + 7) % 20)}, everything...))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println("working")
		for _, id := range scans {
			lease, err := s.Claim(ctx, id, "victim")
			if err != nil {
				continue // of an earlier victim
			}
			var packages []pratique.Package
			var findings []pratique.Finding
			for i := range 3 {
				p := deb(fmt.Sprint("p", (n+i)%5), "1")
				packages = append(packages, p)
				findings = append(findings, known[p.Name]...)
			}
			if _, err := s.FinishScan(ctx, lease, report(lease.ImageID, bundle(n), packages, findings...), "rules 1"); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// dying is a testing.TB outside of a test: failing ends the process.
type dying struct{ testing.TB }

func (*dying) Helper()                     {}
func (*dying) Cleanup(func())              {}
func (d *dying) Error(v ...any)            { d.Fatal(v...) }
func (*dying) Fatal(v ...any)              { fmt.Fprintln(os.Stderr, v...); os.Exit(3) }
func (d *dying) FailNow()                  { d.Fatal("failed") }
func (d *dying) Fatalf(f string, v ...any) { d.Fatal(fmt.Sprintf(f, v...)) }
