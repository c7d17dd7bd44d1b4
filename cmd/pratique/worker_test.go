package main

import (
	"bufio"
	"context"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/advisory"
	"github.com/pratique/pratique/analyze/malware/rulepack"
	"github.com/pratique/pratique/internal/example"
	"github.com/pratique/pratique/internal/pgtest"
	"github.com/pratique/pratique/queue"
	"github.com/pratique/pratique/scan"
	"github.com/pratique/pratique/store"
)

// work starts "pratique worker" and returns its name, and how it is stopped.
func work(t *testing.T, args ...string) (name string, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	log := &lockedLog{}
	cmd := newCommand(time.Now())
	cmd.SetArgs(append([]string{"worker"}, args...))
	cmd.SetOut(in)
	cmd.SetErr(log)
	ended := make(chan error, 1)
	go func() {
		ended <- cmd.ExecuteContext(ctx)
		in.Close()
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	words := strings.Fields(line)
	if err != nil || len(words) < 2 {
		t.Fatalf("it did not start: %q %v %v\n%s", line, err, <-ended, log)
	}
	return words[1], func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the worker did not stop in peace: %v\n%s", err, log)
		}
	}
}

// A service that scans nothing itself, and a worker that has only the database and
// the key: the feeds come to it by themselves.
func TestWorker(t *testing.T) {
	database, data := pgtest.Database(t), filepath.Join(t.TempDir(), "data")
	elsewhere, advisories := filepath.Join(t.TempDir(), "worker"), filepath.Join(t.TempDir(), "advisories")
	server := httptest.NewServer(example.Registry())
	defer server.Close()
	estate, err := example.Estate()
	if err != nil {
		t.Fatal(err)
	}
	if err := example.Push(t.Context(), server.URL, estate[:3]); err != nil {
		t.Fatal(err)
	}
	if err := example.WriteEstateFeeds(advisories); err != nil {
		t.Fatal(err)
	}
	feeds, err := advisory.NewStore(filepath.Join(data, "feeds"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := feeds.Import(t.Context(), advisory.ImportOptions{Inputs: []string{advisories}}); err != nil {
		t.Fatal(err)
	}
	packs := rulepack.NewStore(filepath.Join(data, "feeds", "rules"))
	importRule := func(name string) {
		t.Helper()
		file := filepath.Join(t.TempDir(), name+".yar")
		if err := os.WriteFile(file, []byte("rule "+name+" { condition: filesize > 0 }"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := packs.Import(t.Context(), file, name); err != nil {
			t.Fatal(err)
		}
	}
	importRule("Any_File")
	r := started(t, true, "serve", "--data", data, "--listen", "127.0.0.1:0", "--feeds-every", "0", "--scans", "0", "--stop-timeout", "5s", "--database", database)
	defer r.end()
	key := filepath.Join(data, "key")
	name, stop := work(t, "--database", database, "--key", key, "--data", elsewhere, "--scans", "2")
	defer stop()

	keys, err := store.OpenKeyring(key)
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), database, keys)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	jobs, err := queue.Open(t.Context(), db.Writer(), nil)
	if err != nil {
		t.Fatal(err)
	}
	harbour, err := db.CreateRegistry(t.Context(), pratique.Registry{Name: "harbour", Kind: "oci", Address: server.URL}, "")
	if err != nil {
		t.Fatal(err)
	}
	until := func(what string, done func() bool) {
		t.Helper()
		for range 1200 {
			if done() {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
		t.Fatalf("waited in vain until %s\n%s", what, r.log)
	}
	until("the feeds are adopted", func() bool { _, err := db.InForce(t.Context()); return err == nil })
	syncer := &scan.Syncer{Store: db, Jobs: jobs}
	if _, _, err := syncer.StartSync(t.Context(), true, "test"); err != nil {
		t.Fatal(err)
	}
	until("the registry is synchronised", func() bool {
		harbour, err := db.Registry(t.Context(), harbour.ID)
		return err == nil && harbour.Sync.State == "success"
	})
	tasks := &scan.Tasks{Store: db, Jobs: jobs, Settings: func(context.Context) (scan.Settings, error) { return scan.DefaultSettings(), nil }}
	task, err := tasks.Start(t.Context(), pratique.ScanWish{Creator: "test", Scope: pratique.ScopeAll, Categories: []pratique.Category{pratique.CategoryVulnerability, pratique.CategorySecret, pratique.CategoryMalware}})
	if err != nil {
		t.Fatal(err)
	}
	until("all is scanned", func() bool {
		task, err = db.Task(t.Context(), task.ID)
		return err == nil && task.Ended != nil
	})
	if task.Scanned != task.Total || task.Total == 0 || task.AtRisk == 0 {
		t.Errorf("task %+v\n%s", task, r.log)
	}
	scans, err := db.Scans(t.Context(), pratique.ScanFilter{}, pratique.PageRequest{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range scans.Items {
		if c.Worker != name {
			t.Errorf("scan %d was done by %q, not by %q", c.ID, c.Worker, name)
		}
	}
	if o, err := db.Overview(t.Context(), pratique.SourceRegistry, time.Now()); err != nil || o.Counters.Vulnerabilities.Total() == 0 || o.Pending != 0 {
		t.Errorf("overview %+v, %v", o, err)
	}
	found, err := db.Malware(t.Context(), pratique.FindingFilter{}, pratique.PageRequest{Limit: 100})
	if err != nil || !slices.ContainsFunc(found.Items, func(m pratique.PlacedMalware) bool { return m.Name == "Any_File" }) {
		t.Errorf("the worker did not scan with the rules that were imported on the server: %+v, %v", found.Items, err)
	}
	importRule("Another")
	theirs := rulepack.NewStore(filepath.Join(elsewhere, "feeds", "rules"))
	until("the worker has the rules that came while it ran", func() bool { packs, err := theirs.Packs(); return err == nil && len(packs) == 2 })
	if err := packs.Remove("Any_File"); err != nil {
		t.Fatal(err)
	}
	until("the worker has forgotten what the server forgot", func() bool { packs, err := theirs.Packs(); return err == nil && len(packs) == 1 })
	if fetched, err := filepath.Glob(filepath.Join(elsewhere, "feeds", "*.bundle")); err != nil || len(fetched) != 1 {
		t.Errorf("fetched %q, %v", fetched, err)
	}
}

func TestWorkerRefusesBadSettings(t *testing.T) {
	for _, args := range [][]string{
		{}, {"--database", "pratique.db", "--key", "x"}, {"--database", "postgres://h/d"},
		{"--database", "postgres://h/d", "--key", filepath.Join(t.TempDir(), "absent")}, {"--database", "postgres://h/d", "--key", "x", "--scans", "0"},
	} {
		cmd := newCommand(time.Now())
		cmd.SetArgs(append([]string{"worker"}, args...))
		cmd.SetOut(io.Discard)
		cmd.SetErr(io.Discard)
		err := cmd.ExecuteContext(t.Context())
		if code := pratique.CodeOf(err); code != pratique.CodeInvalid && code != pratique.CodeNotFound {
			t.Errorf("%q: %v", args, err)
		}
	}
}
