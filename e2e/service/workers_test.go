package service

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/internal/pgtest"
	"github.com/pratique/pratique/registry/distribution/registrytest"
)

// A fleet is a registry of many images that differ in a note alone, under many
// tags.
type fleet struct {
	host       string
	contents   []*content
	advisories []advisory
	modified   time.Time // of the advisories at first
	rows       int
}

const fleetImages = 200

// Rows over which knowledge changes: 2000.
const (
	deltaImages = 100
	deltaTags   = 20 // of each image
)

// startFleet pushes it, into twenty repositories.
func startFleet(t testing.TB, images, tags int) *fleet {
	t.Helper()
	began := time.Now()
	q := quarry{t.TempDir()}
	base, err := q.alpine(1)
	if err != nil {
		t.Fatal(err)
	}
	app, err := q.npm(3)
	if err != nil {
		t.Fatal(err)
	}
	f := &fleet{modified: time.Now().Add(-48 * time.Hour), host: registrytest.Start(t, registrytest.Options{Basic: true}).Host, advisories: estateAdvisories("Debian:0"), rows: images * tags}
	for i := range f.advisories {
		f.advisories[i].modified = f.modified
	}
	p := newPusher("http://" + f.host)
	for i := range images {
		note, err := q.note(fmt.Sprint("fleet ", i))
		if err != nil {
			t.Fatal(err)
		}
		parts := []part{base, note}
		if i%2 == 0 {
			parts = []part{base, app, note}
		}
		c := newContent(i, "alpine", parts...)
		f.contents = append(f.contents, c)
		for tag := range tags {
			if _, err := p.image(fmt.Sprintf("fleet%d/app%02d", i%4, i%20), fmt.Sprintf("1.%d.%d", i, tag), c); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Logf("the fleet: %d images under %d tags, made in %s", images, f.rows, time.Since(began).Round(time.Second))
	return f
}

// join adds the fleet's registry behind a gate, and synchronises it.
func (f *fleet) join(s *server, g *gate) (registry int64) {
	s.t.Helper()
	s.importFeeds(f.advisories, f.modified)
	var made struct{ ID int64 }
	s.want(http.StatusCreated, http.MethodPost, "/registries", map[string]any{
		"name": "fleet", "kind": "oci", "address": g.url, "username": registrytest.Username, "password": registrytest.Password, "ca": g.ca,
	}, &made)
	began := time.Now()
	s.want(http.StatusAccepted, http.MethodPost, "/registries/sync", map[string]any{"full": true}, nil)
	if got := s.synced(made.ID); got.State != "success" {
		s.t.Fatalf("%+v", got)
	}
	s.t.Logf("%d rows synchronised in %s", f.rows, time.Since(began).Round(time.Millisecond))
	return made.ID
}

// right checks that each image ended scanned, with what the model says, by one scan.
func (f *fleet) right(s *server) (begunAgain int) {
	s.t.Helper()
	e := &estate{advisories: f.advisories}
	rows := map[pratique.Digest]pratique.AssetRow{}
	for _, r := range all(s, "/images", func(r pratique.AssetRow) string { return fmt.Sprint(r.ID) }, 200) {
		rows[r.ImageID] = r
	}
	for _, c := range f.contents {
		if r := rows[c.id()]; r.Status != pratique.StatusScanned || r.Counters != e.counters(c) {
			s.t.Errorf("%+v\nwant %+v", r, e.counters(c))
		}
	}
	scans := map[pratique.Digest]int{}
	for _, c := range all(s, "/scans", func(c pratique.Scan) string { return fmt.Sprint(c.ID) }, 200) {
		scans[c.ImageID]++
		if c.Status != pratique.StatusScanned {
			s.t.Errorf("%+v", c)
		}
		if c.Attempt > 1 {
			begunAgain++
		}
	}
	for id, n := range scans {
		if n != 1 {
			s.t.Errorf("%s was scanned %d times", id, n)
		}
	}
	return begunAgain
}

// worker starts "pratique worker" beside a service.
func (s *server) worker(t testing.TB, scans int) *process {
	t.Helper()
	p, out := launch(t, nil, "worker", "--database", s.database, "--key", filepath.Join(s.data, "key"), "--data", filepath.Join(t.TempDir(), "worker"),
		"--scans", fmt.Sprint(scans), "--log-format", "json", "--stop-timeout", "10s")
	greeting := make([]byte, 200)
	n, err := out.Read(greeting)
	if err != nil || !strings.HasPrefix(string(greeting[:n]), "Worker ") {
		t.Fatalf("the worker did not start: %v %s\n%s", err, greeting[:n], p.text())
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	return p
}

// Two workers share the work of a service that scans nothing itself. One of them is
// killed in the middle, and later the database is restarted: nothing is lost, nothing
// is done twice, and nothing stays.
func TestWorkersThatDie(t *testing.T) {
	t.Parallel()
	cluster, err := pgtest.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cluster.Stop(); err != nil {
			t.Error(err)
		}
	})
	database, err := cluster.Create(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f := startFleet(t, fleetImages, 1)
	g := newGate(t, "http://"+f.host)
	s := serve(t, database, "--scans", "0")
	f.join(s, g)
	var ready struct{ Ready bool }
	until(t, "the service is ready", time.Minute, func() bool {
		resp, err := s.client.Get(s.url + "/readyz")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		return json.NewDecoder(resp.Body).Decode(&ready) == nil && ready.Ready
	})

	// A registry that is a little slow keeps the workers busy for long enough.
	g.misbehave(func(w http.ResponseWriter, r *http.Request, next http.Handler) bool {
		if strings.Contains(r.URL.Path, "/blobs/") {
			select {
			case <-r.Context().Done():
			case <-time.After(100 * time.Millisecond):
			}
		}
		return false
	})
	begun := s.startScan(map[string]any{"scope": "all"})
	if begun.Total != fleetImages {
		t.Fatalf("%+v", begun)
	}
	first, second := s.worker(t, 4), s.worker(t, 4)
	progress := func() task { return get[task](s, fmt.Sprint("/tasks/", begun.ID)) }
	until(t, "a quarter is scanned", 2*time.Minute, func() bool { return progress().Scanned >= fleetImages/4 })
	running := func() []pratique.Scan {
		return get[pratique.Page[pratique.Scan]](s, fmt.Sprintf("/scans?task=%d&status=scanning&limit=200", begun.ID)).Items
	}
	workers := map[string]bool{}
	until(t, "both workers have scans", time.Minute, func() bool {
		for _, c := range running() {
			if c.Worker != "" {
				workers[c.Worker] = true
			}
		}
		return len(workers) == 2
	})
	first.kill()
	killed := time.Now()
	var orphans []int64
	dead := ""
	for _, c := range running() {
		if strings.Contains(c.Worker, fmt.Sprintf("/%d/", first.cmd.Process.Pid)) {
			orphans, dead = append(orphans, c.ID), c.Worker
		}
	}
	t.Logf("killed %s with %d scans", dead, len(orphans))
	until(t, "three quarters are scanned", 2*time.Minute, func() bool { return progress().Scanned >= fleetImages*3/4 })
	if err := cluster.Restart(); err != nil {
		t.Fatal(err)
	}
	t.Log("the database was restarted")
	until(t, "the service answers again", time.Minute, func() bool {
		code, _, err := s.try(http.MethodGet, fmt.Sprint("/tasks/", begun.ID), nil)
		return err == nil && code == http.StatusOK
	})
	if len(orphans) > 0 {
		until(t, "the dead worker's scans are done", 3*time.Minute, func() bool {
			return !slices.ContainsFunc(running(), func(c pratique.Scan) bool { return slices.Contains(orphans, c.ID) })
		})
		t.Logf("the dead worker's %d scans had ended %s after its death", len(orphans), time.Since(killed).Round(time.Second))
	}
	done := s.scanned(begun.ID)
	if done.Scanned != fleetImages || done.Failed != 0 || done.Cancelled != 0 {
		t.Errorf("%+v", done)
	}
	t.Logf("%d scans in %s", done.Scanned, done.Ended.Sub(done.Created).Round(time.Second))
	t.Logf("%d scans were begun more than once", f.right(s))
	second.stop()
	s.stop()
}

// A bundle in which little changed costs little: no image is read again, and what
// the change did stands in the history with its cause.
func TestDelta(t *testing.T) {
	known := startFleet(t, deltaImages, deltaTags)
	onBoth(t, func(t *testing.T, database string) {
		f := &fleet{}
		*f = *known
		g := newGate(t, "http://"+f.host)
		s := serve(t, database)
		f.join(s, g)
		done := s.scan(map[string]any{"scope": "all"})
		if done.Scanned != deltaImages || done.Failed > 0 {
			t.Fatalf("%+v", done)
		}
		t.Logf("%d images scanned in %s", done.Scanned, done.Ended.Sub(done.Created).Round(time.Millisecond))
		g.fetched()
		f.right(s)

		// Fifty advisories about what nobody has.
		idle := slices.Clone(f.advisories)
		for i := range 50 {
			idle = append(idle, advisory{cve: fmt.Sprintf("CVE-2026-2%04d", i), ecosystem: "npm", name: fmt.Sprintf("nobody-has-%d", i), severity: pratique.SeverityHigh, fixed: "2.0.0", below: 99, modified: f.modified.Add(time.Hour)})
		}
		packages, took := s.delta(f, idle)
		t.Logf("50 advisories that touch nothing: %d packages judged in %s", packages, took)
		if packages != 0 || took > time.Second {
			t.Errorf("50 advisories that touch nothing: %d packages in %s", packages, took)
		}

		// Fifty of which ten touch at least half of the images.
		busy := slices.Clone(idle)
		for i := range 40 {
			changed := &busy[len(f.advisories)+i]
			changed.fixed, changed.modified = "3.0.0", f.modified.Add(2*time.Hour)
		}
		for i, name := range []string{"musl", "busybox", "zlib", "apk-tools", "openssl", "alpine-baselayout", "ca-certificates-bundle"} {
			busy = append(busy, advisory{cve: fmt.Sprintf("CVE-2026-3%04d", i), ecosystem: "Alpine:v3.22", name: name, severity: pratique.SeverityMedium, fixed: "1.9.0-r0", below: 9})
		}
		for i, name := range []string{"express", "minimist", "lodash"} {
			busy = append(busy, advisory{cve: fmt.Sprintf("CVE-2026-4%04d", i), ecosystem: "npm", name: name, severity: pratique.SeverityHigh, fixed: "1.9.0", below: 9})
		}
		packages, took = s.delta(f, busy)
		t.Logf("50 advisories of which 10 touch half of %d rows: %d packages judged in %s", f.rows, packages, took)
		if packages == 0 || took > 10*time.Second {
			t.Errorf("50 advisories of which 10 touch half of the images: %d packages in %s", packages, took)
		}
		f.advisories = busy
		f.right(s)
		if n := sum(g.fetched()); n > 0 {
			t.Errorf("%d blobs were read", n)
		}
		detail := s.vulnerability("CVE-2026-30000")
		if detail.Images != deltaImages || detail.Repositories != f.rows || len(detail.History) == 0 {
			t.Errorf("%+v", detail)
		}
		events := all(s, "/findings/events?vulnerability=CVE-2026-30000", func(e pratique.FindingEvent) string { return fmt.Sprint(e.ID) }, 1)
		for _, e := range append(events, detail.History...) {
			if e.Change != pratique.ChangeAppeared || e.Cause != pratique.CauseAdded || e.Bundle == "" || e.Adoption == 0 || e.Package == nil {
				t.Errorf("%+v", e)
			}
		}
		if len(events) != 2 { // musl and musl-utils
			t.Errorf("%d events, want 2", len(events))
		}

		// And back: what is known no longer has ended, and says why.
		s.want(http.StatusOK, http.MethodPost, "/feeds/rollback", nil, nil)
		s.settled()
		f.advisories = idle
		f.right(s)
		detail = s.vulnerability("CVE-2026-30000")
		if detail.Images != 0 || len(detail.History) == 0 || detail.History[0].Change != pratique.ChangeFixed || !slices.Contains([]pratique.Cause{pratique.CauseChanged, pratique.CauseWithdrawn}, detail.History[0].Cause) {
			t.Errorf("%+v", detail)
		}
		s.stop()
	})
}

// delta hands in all records as they are now, in one bundle made elsewhere, and
// returns what the service says of judging it.
func (s *server) delta(f *fleet, advisories []advisory) (packages int, took time.Duration) {
	s.t.Helper()
	evaluations := func() (lines []string) {
		for line := range strings.Lines(s.text()) {
			if strings.Contains(line, "the bundle in force was evaluated") {
				lines = append(lines, line)
			}
		}
		return lines
	}
	before := get[struct {
		InForce struct{ ID int64 }
	}](s, "/feeds").InForce.ID
	seen := len(evaluations())
	s.want(http.StatusAccepted, http.MethodPost, "/feeds/import?name=delta.bundle", s.bundle(advisories), nil)
	until(s.t, "the bundle is in force and evaluated", time.Minute, func() bool {
		now := get[struct {
			Waiting bool
			InForce struct{ ID int64 }
		}](s, "/feeds")
		return !now.Waiting && now.InForce.ID != before && len(evaluations()) > seen
	})
	for _, line := range evaluations()[seen:] {
		var told struct {
			Packages int
			Took     time.Duration
		}
		if err := json.Unmarshal([]byte(line), &told); err != nil {
			s.t.Fatal(err)
		}
		packages, took = packages+told.Packages, took+told.Took
	}
	return packages, took
}

// bundle is what "pratique feed import" makes of all feeds, elsewhere. Each is newer
// than what came before.
func (s *server) bundle(advisories []advisory) []byte {
	s.t.Helper()
	dir := s.t.TempDir()
	modified := time.Now().Add(-24*time.Hour + time.Duration(len(advisories))*time.Minute)
	for _, publisher := range publishers(advisories) {
		export, err := osv(advisories, publisher, modified)
		if err != nil {
			s.t.Fatal(err)
		}
		writeFile(s.t, filepath.Join(dir, "feeds/osv", publisher, "all.zip"), export)
	}
	cmd := exec.CommandContext(s.t.Context(), binary, "feed", "import", filepath.Join(dir, "feeds"), "--feeds", filepath.Join(dir, "bundle"))
	cmd.Env = append(os.Environ(), "HOME="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("%v\n%s", err, out)
	}
	found, err := filepath.Glob(filepath.Join(dir, "bundle", "*.bundle"))
	if err != nil || len(found) != 1 {
		s.t.Fatal(found, err)
	}
	text, err := os.ReadFile(found[0])
	if err != nil {
		s.t.Fatal(err)
	}
	return text
}
