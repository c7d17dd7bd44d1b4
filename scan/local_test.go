package scan_test

import (
	"context"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/scan"
)

// jobList is a queue that says what was put into it.
type jobList struct {
	mu   sync.Mutex
	jobs []scan.Job
}

func (l *jobList) Enqueue(_ context.Context, jobs ...scan.Job) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.jobs = append(l.jobs, jobs...)
	return nil
}

func (*jobList) Cancel(context.Context, ...scan.Args) (int, error) { return 0, nil }

func (l *jobList) has(id pratique.Digest) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.ContainsFunc(l.jobs, func(j scan.Job) bool { return j.Args == scan.ScanArgs{ImageID: id} })
}

// withHost is an almanac whose image 0 is on a host as well, beside image 100, which
// nothing else has, and one that cannot be scanned.
func withHost(t *testing.T) (*almanac, pratique.Agent) {
	t.Helper()
	a := newAlmanac(t, filepath.Join(t.TempDir(), "pratique.db"), 2)
	ctx := t.Context()
	_, err := a.db.AddAgentToken(ctx, pratique.AgentToken{Kind: pratique.AgentHost, Uses: 1, Expires: time.Now().Add(time.Hour)}, "hash")
	a.must(err)
	agent, err := a.db.Enrol(ctx, "hash", pratique.Agent{Key: "key"}, pratique.Host{ID: "web1", Name: "web1"})
	a.must(err)
	linux := pratique.Platform{OS: "linux", Architecture: "amd64"}
	a.must(a.db.PutInventory(ctx, agent.ID, pratique.Inventory{Engine: pratique.EngineInfo{Kind: pratique.EngineDocker}, Images: []pratique.LocalImage{
		{ID: imageOf(0), EngineID: imageOf(0), Tags: []string{"both:1"}, Platform: linux}, {ID: imageOf(100), EngineID: imageOf(100), Tags: []string{"app:1"}, Platform: linux},
		{ID: imageOf(101), EngineID: imageOf(101), Tags: []string{"win:1"}, Platform: pratique.Platform{OS: "windows", Architecture: "amd64"}},
	}}))
	return a, agent
}

// TestLocalTasks: what lies on a host alone is left to its agent, and what cannot be
// scanned says so before anybody tries.
func TestLocalTasks(t *testing.T) {
	a, agent := withHost(t)
	jobs := &jobList{}
	tasks := *a.use.Tasks
	tasks.Jobs = jobs
	wish := pratique.ScanWish{Creator: "tester", Categories: []pratique.Category{pratique.CategorySecret}, Scope: pratique.ScopeAll, Filter: pratique.AssetFilter{Source: pratique.SourceLocal}}
	preview, err := tasks.Preview(t.Context(), wish)
	a.must(err)
	if preview.Images != 2 || preview.Rows != 2 || len(preview.Items) != 2 || preview.Unread != 0 {
		t.Errorf("preview %+v", preview)
	}
	task, err := tasks.Start(t.Context(), wish)
	a.must(err)
	if task.Total != 2 {
		t.Errorf("task %+v", task)
	}
	if !jobs.has(imageOf(0)) || jobs.has(imageOf(100)) {
		t.Errorf("jobs %+v", jobs.jobs)
	}
	work, err := a.db.NextWork(t.Context(), agent.ID)
	a.must(err)
	if work.Scan == nil || work.Scan.Lease.ImageID != imageOf(100) {
		t.Errorf("the agent's work %+v", work)
	}
	if n, err := tasks.CancelTask(t.Context(), task.ID); n != 2 || err != nil {
		t.Errorf("%d cancelled, %v", n, err)
	}
	rows, err := a.db.Assets(t.Context(), pratique.AssetFilter{Source: pratique.SourceLocal, Search: "win:1"}, pratique.PageRequest{})
	a.must(err)
	wish.Filter.IDs, wish.Scope = []int64{rows.Items[0].ID}, pratique.ScopeSpecified
	if _, err = tasks.Start(t.Context(), wish); pratique.CodeOf(err) != pratique.CodeUnsupported {
		t.Errorf("scanning what cannot be scanned: %v", err)
	}
	wish.Filter = pratique.AssetFilter{Source: pratique.SourceLocal, Projects: []string{"nobody's"}}
	wish.Scope = pratique.ScopeAll
	if _, err = tasks.Start(t.Context(), wish); pratique.CodeOf(err) != pratique.CodeInvalid {
		t.Errorf("an empty scope: %v", err)
	}
}

// TestLocalSchedules: a schedule's kind says which images it is about.
func TestLocalSchedules(t *testing.T) {
	a, _ := withHost(t)
	local := daily("hosts")
	local.Kind = pratique.ImagesLocal
	local = a.create(local)
	a.create(daily("registries"))
	preview, err := a.use.Preview(t.Context(), local)
	a.must(err)
	if preview.Scans.Images != 2 || preview.Scans.Items[0].Source != pratique.SourceLocal {
		t.Errorf("preview %+v", preview)
	}
	a.tick(a.now.Add(90 * time.Minute))
	for _, v := range []struct {
		id   int64
		want int
	}{{local.ID, 2}, {local.ID + 1, 2}} {
		if runs := a.runs(v.id); len(runs) != 1 || runs[0].Task == nil || runs[0].Task.Total != v.want {
			t.Errorf("runs of schedule %d: %+v", v.id, runs)
		}
	}
	wrong := daily("elsewhere")
	wrong.Kind = "moon"
	if field, err := a.use.Check(wrong); field != "kind" || err == nil {
		t.Errorf("a kind of images that there is not: %s %v", field, err)
	}
}

// TestStranded: the sweeper makes no job of what waits for an agent, and tells why it
// waits.
func TestStranded(t *testing.T) {
	a, agent := withHost(t)
	_, _, err := a.db.CreateTask(t.Context(), pratique.TaskRequest{Kind: pratique.TaskManual, Creator: "tester", Categories: []pratique.Category{pratique.CategorySecret}, ImageIDs: []pratique.Digest{imageOf(100)}})
	a.must(err)
	a.must(a.db.RevokeAgent(t.Context(), agent.ID))
	sweeper := &scan.Sweeper{Store: a.db, Evaluator: &scan.Evaluator{Store: a.db}, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	jobs, err := sweeper.Wanted(t.Context())
	a.must(err)
	if slices.ContainsFunc(jobs, func(j scan.Job) bool { return j.Args == scan.ScanArgs{ImageID: imageOf(100)} }) {
		t.Errorf("jobs %+v", jobs)
	}
	scans, err := a.db.Scans(t.Context(), pratique.ScanFilter{ImageIDs: []pratique.Digest{imageOf(100)}}, pratique.PageRequest{})
	a.must(err)
	if c := scans.Items[0]; c.Ended != nil || c.Error == nil || c.Error.Code != pratique.CodeUnreachable {
		t.Errorf("scan %+v", c)
	}
}
