package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/api"
	"github.com/pratique/pratique/store"
)

// victimEnv has the arguments of a process that is to be killed.
const victimEnv = "PRATIQUE_TEST_VICTIM"

// clockEnv names a file with the seconds by which schedules are ahead of the clock,
// for whoever drives a process from outside and cannot wait for tomorrow. Only this
// program of tests looks at it.
const clockEnv = "PRATIQUE_TEST_CLOCK"

// ahead is the clock, moved by what a file says at that moment. Without the file it
// is the clock.
func ahead(path string) func() time.Time {
	return func() time.Time {
		text, err := os.ReadFile(path)
		if err != nil {
			return time.Now()
		}
		by, err := time.ParseDuration(strings.TrimSpace(string(text)) + "s")
		if err != nil {
			panic(err)
		}
		return time.Now().Add(by)
	}
}

// victim is the program itself, in a process of its own.
func victim(args string) int {
	cmd, words := newCommand(time.Now()), strings.Split(args, "|")
	if path := os.Getenv(clockEnv); path != "" && words[0] == "serve" {
		cmd, words = serveCommand(&serveFlags{now: ahead(path)}), words[1:]
	}
	cmd.SetArgs(words)
	if err := cmd.ExecuteContext(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// mortal is "pratique serve" that can be killed.
type mortal struct {
	running
	process *os.Process
}

func serveMortal(t *testing.T, data string, more ...string) *mortal {
	t.Helper()
	self, err := os.Executable()
	check(t, err)
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), victimEnv+"="+strings.Join(append([]string{"serve", "--data", data, "--listen", "127.0.0.1:0", "--feeds-every", "0"}, more...), "|"))
	out, err := cmd.StdoutPipe()
	check(t, err)
	cmd.Stderr = &lockedLog{}
	check(t, cmd.Start())
	jar, err := cookiejar.New(nil)
	check(t, err)
	m := &mortal{running: running{t: t, client: &http.Client{Jar: jar, Timeout: 30 * time.Second}, log: cmd.Stderr.(*lockedLog)}, process: cmd.Process}
	t.Cleanup(func() { m.kill(); _ = cmd.Wait() })
	var text strings.Builder
	for lines := bufio.NewScanner(out); lines.Scan(); {
		text.WriteString(lines.Text() + "\n")
		if found := greeting.FindStringSubmatch(text.String()); found != nil {
			m.url = found[1]
			return m
		}
	}
	t.Fatalf("it did not start: %s\n%s", text.String(), m.log)
	return nil
}

func (m *mortal) kill() { _ = m.process.Kill() } // perhaps it is dead already

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// longPassword of the administrator.
const longPassword = "seven quiet otters paddle"

func (m *mortal) signIn() {
	m.t.Helper()
	if code := m.ask(http.MethodPost, "/api/v1/session", []byte(`{"name":"admin","password":"`+longPassword+`"}`), nil); code != http.StatusOK {
		m.t.Fatalf("signing in: %d", code)
	}
}

// crowded is a data folder with an administrator and 20 images that have a thousand
// findings each.
func crowded(t *testing.T) string {
	t.Helper()
	ctx := t.Context()
	data := t.TempDir()
	keys, err := store.OpenKeyring(filepath.Join(data, "key"))
	check(t, err)
	db, err := store.Open(ctx, filepath.Join(data, "pratique.db"), keys)
	check(t, err)
	defer db.Close()
	oneTime, err := api.EnsureAdministrator(ctx, db)
	check(t, err)
	setPassword(t, data, oneTime)
	r, err := db.CreateRegistry(ctx, pratique.Registry{Name: "alpha", Kind: "oci", Network: "private", Region: "default", Address: "http://127.0.0.1:1"}, "")
	check(t, err)
	var listing []pratique.Asset
	for i := range 20 {
		listing = append(listing, pratique.Asset{Tag: fmt.Sprint("v", i), Digest: digestOf("m", i), ImageID: digestOf("c", i), Platform: pratique.Platform{OS: "linux", Architecture: "amd64"}})
	}
	_, err = db.SyncRepository(ctx, r.ID, "team/app", listing, true)
	check(t, err)
	var packages []pratique.Package
	var findings []pratique.Finding
	for i := range 200 {
		p := pratique.Package{Type: "npm", Name: fmt.Sprint("p", i), Version: "1", Ecosystem: "npm", Path: "x"}
		packages = append(packages, p)
		for j := range 5 {
			findings = append(findings, pratique.Finding{ID: fmt.Sprintf("CVE-2026-%d", 10000+5*i+j), Package: p, Severity: pratique.SeverityHigh})
		}
	}
	bundle := &pratique.Bundle{Digest: digestOf("b", 0)}
	_, err = db.Adopt(ctx, *bundle, nil, "test", "import")
	check(t, err)
	for i := range 20 {
		_, scans, err := db.CreateTask(ctx, pratique.TaskRequest{Kind: pratique.TaskManual, Creator: "test", Categories: []pratique.Category{pratique.CategoryVulnerability, pratique.CategorySoftware}, ImageIDs: []pratique.Digest{digestOf("c", i)}})
		check(t, err)
		lease, err := db.Claim(ctx, scans[0], "test")
		check(t, err)
		_, err = db.FinishScan(ctx, lease, &pratique.Report{Image: pratique.Image{ID: lease.ImageID}, Packages: packages, Vulnerabilities: findings, Bundle: bundle}, "rules")
		check(t, err)
	}
	return data
}

func digestOf(name string, n int) pratique.Digest { return pratique.DigestOf(fmt.Append(nil, name, n)) }

// setPassword takes the place of the one-time password, through the door that
// everybody takes.
func setPassword(t *testing.T, data, oneTime string) {
	t.Helper()
	m := serveMortal(t, data)
	defer m.kill()
	if code := m.ask(http.MethodPost, "/api/v1/session", []byte(`{"name":"admin","password":"`+oneTime+`"}`), nil); code != http.StatusOK {
		t.Fatalf("signing in: %d", code)
	}
	if code := m.ask(http.MethodPut, "/api/v1/session/password", []byte(`{"current":"`+oneTime+`","password":"`+longPassword+`"}`), nil); code != http.StatusOK {
		t.Fatalf("setting the password: %d", code)
	}
}

// TestKilledInTheMiddle: a server is killed while it writes an export and scans for
// a schedule. The next one ends both, once, and nothing is left behind.
func TestKilledInTheMiddle(t *testing.T) {
	t.Parallel()
	data := crowded(t)
	m := serveMortal(t, data)
	m.signIn()
	if code := m.ask(http.MethodPost, "/api/v1/schedules", []byte(`{"name":"nightly","enabled":true,"everyDays":1,"start":"00:00","zone":"UTC","categories":["secret"],"scope":"all"}`), nil); code != http.StatusCreated {
		t.Fatalf("schedule: %d", code)
	}
	var run api.ScheduleRun
	if code := m.ask(http.MethodPost, "/api/v1/schedules/1/run", nil, &run); code != http.StatusCreated {
		t.Fatalf("run: %d", code)
	}
	v := m.caughtWriting()
	m.kill()

	m = serveMortal(t, data)
	m.signIn()
	var row api.ExportRow
	m.until(90*time.Second, "the export", func() bool {
		m.ask(http.MethodGet, fmt.Sprint("/api/v1/exports/", v.ID), nil, &row)
		return row.Ended != nil
	})
	if row.State != pratique.ExportSuccess || row.Rows != 20_000 {
		t.Fatalf("%+v: %v", row, row.Error)
	}
	resp, err := m.client.Get(m.url + fmt.Sprint("/api/v1/exports/", v.ID, "/file"))
	check(t, err)
	defer resp.Body.Close()
	if rows, err := csv.NewReader(resp.Body).ReadAll(); err != nil || len(rows) != 20_001 {
		t.Errorf("%d rows, %v", len(rows), err)
	}
	m.until(90*time.Second, "the run", func() bool {
		var page pratique.Page[api.ScheduleRun]
		m.ask(http.MethodGet, "/api/v1/schedules/1/runs?total=true", nil, &page)
		if page.Total != 1 || page.Items[0].ID != run.ID || page.Items[0].Task.ID != run.Task.ID {
			t.Fatalf("runs %+v", page.Items)
		}
		return page.Items[0].Ended != nil && page.Items[0].Task.Ended != nil
	})
	m.kill() // files that nobody names are removed at the next start
	m = serveMortal(t, data)
	m.until(10*time.Second, "tidying up", func() bool {
		files, err := filepath.Glob(filepath.Join(data, "exports", "*"))
		return err == nil && len(files) == 1
	})
}

// caughtWriting is an export that is just being written.
func (m *mortal) caughtWriting() (row api.ExportRow) {
	m.t.Helper()
	for range 20 {
		if code := m.ask(http.MethodPost, "/api/v1/exports", []byte(`{"kind":"findings","format":"csv"}`), &row); code != http.StatusCreated {
			m.t.Fatalf("export: %d", code)
		}
		id := row.ID
		for row.State == pratique.ExportWaiting {
			time.Sleep(2 * time.Millisecond)
			m.ask(http.MethodGet, fmt.Sprint("/api/v1/exports/", id), nil, &row)
		}
		if row.State == pratique.ExportRunning {
			return row
		}
		m.ask(http.MethodDelete, fmt.Sprint("/api/v1/exports/", id), nil, nil)
	}
	m.t.Fatal("exports are too fast to be caught")
	return row
}

func (m *mortal) until(patience time.Duration, what string, done func() bool) {
	m.t.Helper()
	for end := time.Now().Add(patience); !done(); time.Sleep(200 * time.Millisecond) {
		if time.Now().After(end) {
			m.t.Fatalf("%s does not end\n%s", what, m.log)
		}
	}
}
