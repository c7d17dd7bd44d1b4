package scan_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/internal/testimage"
	"github.com/pratique/pratique/registry"
	"github.com/pratique/pratique/scan"
)

// From a registry to findings: every row is there once, each content is scanned
// once, and each layer is read once however many images share it.
func TestFromRegistryToFindings(t *testing.T) {
	onBoth(t, func(t *testing.T, e *estate) {
		h := newHarbour(t)
		base := debian(t, "alpha", "bravo")
		apps := []testimage.Layer{
			layerOf(t, map[string]string{"opt/readme.com": eicarFile}),
			layerOf(t, map[string]string{"opt/one": "1"}), layerOf(t, map[string]string{"opt/two": "2"}), layerOf(t, map[string]string{"opt/three": "3"}),
		}
		var ids []pratique.Digest
		for i, app := range apps {
			img := testimage.Image{Layers: []testimage.Layer{base, app}}
			ids = append(ids, h.push(img, "team/app"+string(rune('a'+i))+":1"))
		}
		h.push(testimage.Image{Layers: []testimage.Layer{base, apps[0]}}, "team/copy:1", "team/copy:latest")
		arm := testimage.Image{Layers: []testimage.Layer{base, apps[1]}, Architecture: "arm64"}
		h.pushIndex("team/multi:1", testimage.Image{Layers: []testimage.Layer{base, apps[1]}}, arm)
		e.feeds.adopt(map[string]string{"alpha": "2", "charlie": "2"})

		r := e.connect(h)
		run := e.sync(r, true)
		if run.State != "success" || run.Added != 8 || run.Done != 6 {
			t.Fatalf("run %+v", run)
		}
		rows := e.rows(pratique.AssetFilter{})
		for _, row := range rows {
			if row.ImageID == "" || row.Platform.OS != "linux" || row.Size == 0 || row.Created == nil {
				t.Errorf("row %+v", row.Asset)
			}
		}
		if len(rows) != 8 {
			t.Fatalf("%d rows", len(rows))
		}
		task := e.ended(e.start())
		if task.Total != 5 || task.Scanned != 5 || task.Failed != 0 || task.AtRisk != 5 {
			t.Errorf("task %+v", task)
		}
		for _, l := range append(apps, base) {
			if n := h.pulls(l); n != 1 {
				t.Errorf("a layer was fetched %d times", n)
			}
		}
		report := e.report(ids[0])
		if len(report.Packages) != 2 || len(report.Vulnerabilities) != 1 || report.Vulnerabilities[0].Package.Name != "alpha" || len(report.Malware) != 1 {
			t.Errorf("%d packages, vulnerabilities %+v, malware %+v", len(report.Packages), report.Vulnerabilities, report.Malware)
		}
		if wrong, err := e.db.Verify(t.Context()); err != nil || len(wrong) > 0 {
			t.Errorf("counters: %v %v", wrong, err)
		}
		// Nothing is new: nothing is read again, and a second scan reads no layer.
		h.set(func() { h.reads = 0 })
		if run := e.sync(r, false); run.State != "success" || run.Added+run.Changed+run.Gone != 0 || h.reads != 0 {
			t.Errorf("second run %+v read %d manifests", run, h.reads)
		}
		e.ended(e.start())
		if n := h.pulls(base); n != 1 {
			t.Errorf("a known layer was fetched: %d times in all", n)
		}
		// Whoever insists gets every layer read again, and each of them once.
		e.ended(e.start(func(w *pratique.ScanWish) { w.Forced = true }))
		for _, l := range append(apps, base) {
			if n := h.pulls(l); n != 2 {
				t.Errorf("a layer of forced scans was fetched %d times in all", n)
			}
		}
	})
}

// dripped is an image whose second layer never arrives, and the time after which
// its first one has.
func dripped(t *testing.T, h *harbour, e *estate) (id pratique.Digest, base, slow testimage.Layer) {
	t.Helper()
	base, slow = debian(t, "alpha"), noise(t, "slow", 1<<20)
	id = h.push(testimage.Image{Layers: []testimage.Layer{base, slow}}, "team/slow:1")
	h.set(func() { h.drip[string(slow.Digest)] = 50 * time.Millisecond })
	return id, base, slow
}

// reading waits until a layer is being fetched.
func (e *estate) reading(h *harbour, l testimage.Layer) {
	e.t.Helper()
	e.eventually("the layer is fetched", func() bool { return h.pulls(l) > 0 })
}

// A running scan that is cancelled ends at once, in the middle of a layer that
// drips, and what an earlier scan found stays.
func TestCancelWhileABlobDrips(t *testing.T) {
	onBoth(t, func(t *testing.T, e *estate) {
		h := newHarbour(t)
		id, _, slow := dripped(t, h, e)
		h.set(func() { h.drip = map[string]time.Duration{} })
		e.sync(e.connect(h), true)
		e.ended(e.start())
		h.set(func() { h.drip[string(slow.Digest)] = 50 * time.Millisecond })
		task := e.start(func(w *pratique.ScanWish) { w.Forced = true })
		e.eventually("the layer is fetched again", func() bool { return h.pulls(slow) > 1 })
		began := time.Now()
		if n, err := e.tasks.CancelTask(t.Context(), task.ID); err != nil || n != 1 {
			t.Fatalf("%d cancelled, %v", n, err)
		}
		if task, err := e.db.Task(t.Context(), task.ID); err != nil || task.Ended == nil || task.Cancelled != 1 {
			t.Errorf("task %+v, %v", task, err)
		}
		e.eventually("the worker has noticed", func() bool {
			e.seen.mu.Lock()
			defer e.seen.mu.Unlock()
			return e.seen.scanned[pratique.StatusCancelled] == 1
		})
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("it took %v", took)
		}
		if v, err := e.db.Image(t.Context(), id); err != nil || v.Status != pratique.StatusCancelled || v.ScannedAt == nil || len(e.report(id).Packages) != 1 {
			t.Errorf("image %+v, %v", v, err)
		}
	})
}

// A scan that takes too long has failed; what it read until then is there, and
// how far that reaches is told. The next scan goes on where it ended.
func TestTimeoutKeepsWhatWasRead(t *testing.T) {
	onBoth(t, func(t *testing.T, e *estate) {
		h := newHarbour(t)
		id, base, slow := dripped(t, h, e)
		e.sync(e.connect(h), true)
		task := e.ended(e.start(func(w *pratique.ScanWish) { w.Timeout = 1500 * time.Millisecond }))
		if task.Failed != 1 {
			t.Fatalf("task %+v", task)
		}
		c := e.scanOf(id)
		if c.Status != pratique.StatusFailed || c.Error == nil || c.Error.Code != pratique.CodeTimeout || !strings.HasPrefix(c.Error.Message, "timed out") || c.Error.Remedy == "" {
			t.Errorf("scan %+v, error %+v", c, c.Error)
		}
		report := e.report(id)
		if len(report.Packages) != 1 || report.Coverage[pratique.CategorySoftware].State != pratique.CoveragePartial || report.Coverage[pratique.CategorySecret].State != pratique.CoveragePartial {
			t.Errorf("%d packages, coverage %+v", len(report.Packages), report.Coverage)
		}
		h.set(func() { h.drip = map[string]time.Duration{} })
		again, err := e.tasks.Rescan(t.Context(), task.ID, true, "test")
		if err != nil {
			t.Fatal(err)
		}
		if again = e.ended(again); again.Scanned != 1 || again.Kind != pratique.TaskRescan {
			t.Errorf("again %+v", again)
		}
		if h.pulls(base) != 1 || h.pulls(slow) < 2 || e.report(id).Coverage[pratique.CategorySoftware].State != pratique.CoverageComplete {
			t.Errorf("pulls %d and %d, coverage %+v", h.pulls(base), h.pulls(slow), e.report(id).Coverage)
		}
		if _, err := e.tasks.Rescan(t.Context(), again.ID, true, "test"); pratique.CodeOf(err) != pratique.CodeInvalid {
			t.Errorf("a rescan of what did not fail: %v", err)
		}
	})
}

// A process that stops gives its scans back. What it has read is not read again.
func TestStoppingGivesScansBack(t *testing.T) {
	onBoth(t, func(t *testing.T, e *estate) {
		h := newHarbour(t)
		id, base, slow := dripped(t, h, e)
		e.sync(e.connect(h), true)
		task := e.start()
		e.reading(h, slow)
		if err := e.jobs.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if c := e.scanOf(id); c.Started != nil || c.Ended != nil || c.Status != pratique.StatusScanning {
			t.Errorf("it does not wait: %+v", c)
		}
		h.set(func() { h.drip = map[string]time.Duration{} })
		e.work()
		if task = e.ended(task); task.Scanned != 1 || h.pulls(base) != 1 {
			t.Errorf("task %+v, base fetched %d times", task, h.pulls(base))
		}
	})
}

// Two tasks that want the same image wait for one scan. The second wants more than
// the first, and gets it; cancelling the first leaves it alone.
func TestJoiningAScan(t *testing.T) {
	onBoth(t, func(t *testing.T, e *estate) {
		h := newHarbour(t)
		id, _, slow := dripped(t, h, e)
		e.sync(e.connect(h), true)
		first := e.start(func(w *pratique.ScanWish) { w.Categories = []pratique.Category{pratique.CategoryMalware} })
		e.reading(h, slow)
		row := e.rows(pratique.AssetFilter{})[0]
		wish := pratique.ScanWish{Creator: "other", Scope: pratique.ScopeSpecified, Filter: pratique.AssetFilter{IDs: []int64{row.ID}}, Categories: []pratique.Category{pratique.CategorySecret}}
		p, err := e.tasks.Preview(t.Context(), wish)
		if err != nil || p.Images != 1 || p.Joining != 1 || p.Rows != 1 || p.NewBytes == 0 || len(p.Items) != 1 || p.Items[0].ID != row.ID {
			t.Errorf("preview %+v, %v", p, err)
		}
		second, err := e.tasks.Start(t.Context(), wish)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := e.tasks.CancelTask(t.Context(), first.ID); err != nil || n != 0 {
			t.Errorf("cancelling the first ended %d scans, %v", n, err)
		}
		h.set(func() { h.drip = map[string]time.Duration{} })
		if second = e.ended(second); second.Scanned != 1 {
			t.Errorf("second %+v", second)
		}
		if n, err := e.db.Scans(t.Context(), pratique.ScanFilter{ImageIDs: []pratique.Digest{id}}, pratique.PageRequest{}); err != nil || len(n.Items) != 1 {
			t.Errorf("%d scans, %v", len(n.Items), err)
		}
		if at := e.summary(id).CategoryAt; at[pratique.CategoryMalware].IsZero() || at[pratique.CategorySecret].IsZero() {
			t.Errorf("looked for %v", at)
		}
	})
}

func (e *estate) summary(id pratique.Digest) pratique.ImageSummary {
	e.t.Helper()
	v, err := e.db.Image(e.t.Context(), id)
	if err != nil {
		e.t.Fatal(err)
	}
	return v
}

// A category that a scan leaves out keeps its old result.
func TestCategoryLeftOut(t *testing.T) {
	onBoth(t, func(t *testing.T, e *estate) {
		h := newHarbour(t)
		id := h.push(testimage.Image{Layers: []testimage.Layer{debian(t, "alpha"), layerOf(t, map[string]string{"opt/x.com": eicarFile})}}, "team/app:1")
		e.sync(e.connect(h), true)
		e.ended(e.start())
		before := e.summary(id)
		e.feeds.adopt(map[string]string{"alpha": "2"})
		e.ended(e.start(func(w *pratique.ScanWish) { w.Categories = []pratique.Category{pratique.CategoryVulnerability} }))
		after := e.summary(id)
		if after.Counters.Malware.Total() != 1 || !after.CategoryAt[pratique.CategoryMalware].Equal(before.CategoryAt[pratique.CategoryMalware]) {
			t.Errorf("malware was looked for again: %+v", after.CategoryAt)
		}
		if !after.CategoryAt[pratique.CategoryVulnerability].After(before.CategoryAt[pratique.CategoryVulnerability]) {
			t.Error("vulnerabilities were not")
		}
	})
}

// An hourly limit lets so many images through; the others wait, and say until when.
func TestHourlyLimit(t *testing.T) {
	onBoth(t, func(t *testing.T, e *estate) {
		h := newHarbour(t)
		base := debian(t, "alpha")
		for i := range 3 {
			h.push(testimage.Image{Layers: []testimage.Layer{base}, User: fmt.Sprint(i)}, fmt.Sprintf("team/app%d:1", i))
		}
		r := e.connect(h, func(r *pratique.Registry) { r.HourlyLimit = 2 })
		e.sync(r, true)
		wish := pratique.ScanWish{Creator: "test", Scope: pratique.ScopeAll, Categories: []pratique.Category{pratique.CategorySecret}}
		if p, err := e.tasks.Preview(t.Context(), wish); err != nil || p.Estimate == nil || *p.Estimate != time.Hour {
			t.Errorf("preview %+v, %v", p, err)
		}
		task := e.start()
		var waiting []pratique.Scan
		e.eventually("one waits for the limit", func() bool {
			var err error
			if waiting, err = e.db.WaitingScans(t.Context(), 10); err != nil {
				t.Fatal(err)
			}
			return len(waiting) == 1 && waiting[0].Due != nil
		})
		if c := waiting[0]; time.Until(*c.Due) < 50*time.Minute || c.Error == nil || c.Error.Code != pratique.CodeRateLimited || c.Error.Remedy == "" {
			t.Errorf("it waits like this: %+v %+v", c, c.Error)
		}
		e.eventually("the others are scanned", func() bool {
			var err error
			task, err = e.db.Task(t.Context(), task.ID)
			return err == nil && task.Scanned == 2
		})
		r.HourlyLimit = 0
		if _, err := e.db.UpdateRegistry(t.Context(), r, nil); err != nil {
			t.Fatal(err)
		}
		if task = e.ended(task); task.Scanned != 3 {
			t.Errorf("without the limit: %+v", task)
		}
	})
}

// A registry that no longer takes the password is told, and is not asked by every
// scan; a corrected password is used at once.
func TestWrongPassword(t *testing.T) {
	onBoth(t, func(t *testing.T, e *estate) {
		h := newHarbour(t)
		var ids []pratique.Digest
		for i := range 3 {
			ids = append(ids, h.push(testimage.Image{Layers: []testimage.Layer{debian(t, "alpha")}, User: fmt.Sprint(i)}, fmt.Sprintf("team/app%d:1", i)))
		}
		r := e.connect(h)
		e.sync(r, true)
		h.set(func() { h.password = "changed" })
		task := e.ended(e.start(func(w *pratique.ScanWish) {
			w.Scope, w.Filter.ImageIDs = pratique.ScopeSpecified, ids[:1]
		}))
		c := e.scanOf(ids[0])
		if task.Failed != 1 || c.Error == nil || c.Error.Code != pratique.CodeUnauthorized || c.Error.Remedy == "" || strings.Contains(c.Error.Message, "right") {
			t.Fatalf("task %+v, error %+v", task, c.Error)
		}
		if r, err := e.db.Registry(t.Context(), r.ID); err != nil || r.Health.Status != "auth_failed" || r.Health.Remedy.ZH == "" {
			t.Errorf("health %+v, %v", r.Health, err)
		}
		h.set(func() { h.refused = 0 })
		if task := e.ended(e.start()); task.Failed != 3 || h.refused != 0 {
			t.Errorf("task %+v, and the registry was asked %d times", task, h.refused)
		}
		if run := e.sync(r, true); run.State != "failed" || run.Error.Code != pratique.CodeUnauthorized || len(e.rows(pratique.AssetFilter{})) != 3 {
			t.Errorf("run %+v", run)
		}
		changed := "changed"
		if _, err := e.db.UpdateRegistry(t.Context(), r, &changed); err != nil {
			t.Fatal(err)
		}
		if task := e.ended(e.start()); task.Scanned != 3 {
			t.Errorf("with the right password: %+v", task)
		}
		if run := e.sync(r, false); run.State != "success" {
			t.Errorf("run %+v", run)
		}
		if r, err := e.db.Registry(t.Context(), r.ID); err != nil || r.Health.Status != "connected" {
			t.Errorf("health %+v, %v", r.Health, err)
		}
	})
}

// An image that lies in two registries is scanned from the one that answers.
func TestSecondLocation(t *testing.T) {
	onBoth(t, func(t *testing.T, e *estate) {
		first, second := newHarbour(t), newHarbour(t)
		img := testimage.Image{Layers: []testimage.Layer{debian(t, "alpha")}}
		first.push(img, "team/app:1")
		id := second.push(img, "mirror/app:1")
		e.sync(e.connect(first), true)
		r := e.connect(second)
		e.sync(r, true) // it was seen last, so it is asked first
		second.proxy.Close()
		if task := e.ended(e.start()); task.Scanned != 1 || len(e.report(id).Packages) != 1 {
			t.Errorf("task %+v: %+v", task, e.scanOf(id).Error)
		}
	})
}

// Rows are marked as gone when a listing says so, and never because it failed.
func TestGone(t *testing.T) {
	onBoth(t, func(t *testing.T, e *estate) {
		h := newHarbour(t)
		for i := range 3 {
			h.push(testimage.Image{Layers: []testimage.Layer{debian(t, "alpha")}, User: fmt.Sprint(i)}, fmt.Sprintf("team/app%d:1", i))
		}
		r := e.connect(h)
		e.sync(r, true)
		h.remove("team/app1:1")
		h.set(func() { h.refuse = 1000 })
		if run := e.sync(r, true); run.State != "failed" || run.Error == nil || run.Error.Remedy == "" || run.Gone != 0 {
			t.Errorf("run %+v", run)
		}
		if n := len(e.rows(pratique.AssetFilter{})); n != 3 {
			t.Errorf("%d rows after a listing that failed", n)
		}
		h.set(func() { h.refuse = 0 })
		if run := e.sync(r, true); run.State != "success" || run.Gone != 1 {
			t.Errorf("run %+v", run)
		}
		if gone := e.rows(pratique.AssetFilter{Gone: true}); len(gone) != 1 || gone[0].Repository != "team/app1" {
			t.Errorf("gone: %+v", gone)
		}
		if _, err := e.tasks.Start(t.Context(), pratique.ScanWish{Scope: pratique.ScopeAll, Categories: []pratique.Category{"secret"}, Filter: pratique.AssetFilter{Search: "app1"}}); pratique.CodeOf(err) != pratique.CodeInvalid {
			t.Errorf("a task without an image: %v", err)
		}
	})
}

// A registry without a catalogue is read by the names that somebody gave, and a
// namespace narrows what is read of it.
func TestNamedRepositories(t *testing.T) {
	onBoth(t, func(t *testing.T, e *estate) {
		h := newHarbour(t)
		for i, name := range []string{"team/app", "team/web", "other/app", "other/web"} {
			h.push(testimage.Image{Layers: []testimage.Layer{debian(t, "alpha")}, User: fmt.Sprint(i)}, name+":1")
		}
		h.set(func() { h.closed = true })
		r := e.connect(h)
		if run := e.sync(r, true); run.State != "failed" || run.Error == nil || run.Error.Remedy == "" {
			t.Errorf("without names: %+v", run)
		}
		listed := func(change func(*pratique.Registry), want ...string) {
			t.Helper()
			change(&r)
			var err error
			if r, err = e.db.UpdateRegistry(t.Context(), r, nil); err != nil {
				t.Fatal(err)
			}
			if run := e.sync(r, true); run.State != "success" {
				t.Errorf("run %+v", run)
			}
			var have []string
			for _, a := range e.rows(pratique.AssetFilter{}) {
				have = append(have, a.Repository)
			}
			slices.Sort(have)
			if !slices.Equal(have, want) {
				t.Errorf("listed %v, want %v", have, want)
			}
		}
		listed(func(r *pratique.Registry) { r.Named = []string{"team/app", "other/app"} }, "other/app", "team/app")
		h.set(func() { h.closed = false })
		listed(func(r *pratique.Registry) { r.Named, r.Namespaces = nil, []string{"team"} }, "team/app", "team/web")
	})
}

// A run that is cancelled ends at once, and says so.
func TestCancelSync(t *testing.T) {
	onBoth(t, func(t *testing.T, e *estate) {
		h := newHarbour(t)
		h.push(testimage.Image{Layers: []testimage.Layer{debian(t, "alpha")}}, "team/app:1")
		r := e.connect(h)
		h.set(func() { h.hold = time.Minute })
		if started, running, err := e.syncer.StartSync(t.Context(), true, "test"); err != nil || len(started) != 1 || len(running) != 0 {
			t.Fatalf("%v %v %v", started, running, err)
		}
		e.eventually("it runs", func() bool { return e.lastSync(r).State == "running" })
		if started, running, err := e.syncer.StartSync(t.Context(), false, "test"); err != nil || len(started) != 0 || len(running) != 1 {
			t.Errorf("%v %v %v", started, running, err)
		}
		began := time.Now()
		if err := e.syncer.CancelSync(t.Context(), r.ID); err != nil {
			t.Fatal(err)
		}
		if run := e.lastSync(r); run.State != "failed" || run.Error.Code != pratique.CodeCancelled {
			t.Errorf("run %+v", run)
		}
		h.set(func() { h.hold = 0 })
		if run := e.sync(r, true); run.State != "success" || time.Since(began) > 10*time.Second {
			t.Errorf("run %+v after %v", run, time.Since(began))
		}
	})
}

// Images whose manifests could not be read when they were listed are read when
// somebody wants them scanned.
func TestUnreadImages(t *testing.T) {
	onBoth(t, func(t *testing.T, e *estate) {
		h := newHarbour(t)
		arm := testimage.Image{Layers: []testimage.Layer{debian(t, "alpha")}, Architecture: "arm64"}
		h.pushIndex("team/multi:1", arm)
		r := e.connect(h)
		h.set(func() { h.unreadable = string(pratique.DigestOf(arm.Manifest())) })
		if run := e.sync(r, true); run.State != "failed" || run.Added != 1 || run.Error.Code != pratique.CodeUnauthorized {
			t.Fatalf("run %+v %+v", run, run.Error)
		}
		wish := pratique.ScanWish{Scope: pratique.ScopeAll, Categories: []pratique.Category{pratique.CategorySecret}}
		if p, err := e.tasks.Preview(t.Context(), wish); err != nil || p.Unread != 1 || p.Rows != 1 || p.Images != 0 {
			t.Errorf("preview %+v, %v", p, err)
		}
		if _, err := e.tasks.Start(t.Context(), wish); pratique.CodeOf(err) != pratique.CodeUnauthorized {
			t.Errorf("start: %v", err)
		}
		h.set(func() { h.unreadable = "" })
		if task := e.ended(e.start()); task.Scanned != 1 {
			t.Errorf("task %+v", task)
		}
		if row := e.rows(pratique.AssetFilter{})[0]; row.ImageID == "" || row.Platform.Architecture != "arm64" || row.Size == 0 || row.Status != pratique.StatusScanned {
			t.Errorf("row %+v", row)
		}
	})
}

// A policy of the registry is about single images: the others are read, and why one is
// not stands in the run. It is scanned, or said to be kept back, when somebody asks.
func TestWithheldImages(t *testing.T) {
	onBoth(t, func(t *testing.T, e *estate) {
		h := newHarbour(t)
		base := debian(t, "alpha")
		var all []testimage.Image
		var first string
		for _, processor := range []string{"amd64", "arm64", "386", "ppc64le", "s390x", "riscv64"} {
			img := testimage.Image{Layers: []testimage.Layer{base}, Architecture: processor}
			all = append(all, img)
			if d := string(pratique.DigestOf(img.Manifest())); first == "" || d < first {
				first = d
			}
		}
		h.pushIndex("team/multi:1", all...)
		h.set(func() { h.withheld = first })
		r := e.connect(h)
		run := e.sync(r, true)
		if run.State != "failed" || run.Added != len(all) || run.Error.Code != pratique.CodeUnauthorized || run.Error.Remedy != registry.FaultPolicy.Remedy.EN {
			t.Fatalf("run %+v %+v", run, run.Error)
		}
		var unread []int64
		for _, row := range e.rows(pratique.AssetFilter{}) {
			if row.ImageID == "" {
				unread = append(unread, row.ID)
			}
		}
		if len(unread) != 1 {
			t.Errorf("%d of %d were not read", len(unread), len(all))
		}
		_, err := e.tasks.Start(t.Context(), pratique.ScanWish{Scope: pratique.ScopeSpecified, Categories: []pratique.Category{pratique.CategorySecret}, Filter: pratique.AssetFilter{IDs: unread}})
		var told *pratique.Error
		if !errors.As(err, &told) || told.Code != pratique.CodeUnauthorized || told.Remedy != registry.FaultPolicy.Remedy.EN {
			t.Errorf("%v", err)
		}
		h.set(func() { h.withheld = "" })
		if run := e.sync(r, true); run.State != "success" {
			t.Errorf("run %+v %+v", run, run.Error)
		}
	})
}

// Rights differ by namespace: one that is closed to us keeps no other from being read.
func TestClosedNamespace(t *testing.T) {
	onBoth(t, func(t *testing.T, e *estate) {
		h := newHarbour(t)
		closed := testimage.Image{Layers: []testimage.Layer{debian(t, "alpha")}, Architecture: "arm64"}
		h.pushIndex("closed/app:1", closed)
		h.pushIndex("open/app:1", testimage.Image{Layers: []testimage.Layer{debian(t, "bravo")}, Architecture: "arm64"})
		h.set(func() {
			h.unreadable = string(pratique.DigestOf(closed.Manifest()))
			h.hold, h.held = 300*time.Millisecond, "open/" // the closed one comes first
		})
		if run := e.sync(e.connect(h), true); run.State != "failed" || run.Error.Code != pratique.CodeUnauthorized {
			t.Fatalf("run %+v %+v", run, run.Error)
		}
		for _, row := range e.rows(pratique.AssetFilter{}) {
			if read := row.ImageID != ""; read != (row.Repository == "open/app") {
				t.Errorf("%s: read %v", row.Repository, read)
			}
		}
	})
}

// What is pushed is scanned at once when the registry says so, and only then.
func TestWebhook(t *testing.T) {
	onBoth(t, func(t *testing.T, e *estate) {
		h := newHarbour(t)
		h.push(testimage.Image{Layers: []testimage.Layer{debian(t, "alpha")}}, "team/app:1")
		r := e.connect(h)
		e.sync(r, true)
		if err := e.db.SetWebhookSecret(t.Context(), r.ID, "quiet"); err != nil {
			t.Fatal(err)
		}
		call := func(secret, body string) error {
			req := httptest.NewRequest(http.MethodPost, "/hook", strings.NewReader(body))
			req.Header.Set("Authorization", secret)
			return e.syncer.Hook(t.Context(), r.ID, req)
		}
		id := h.push(testimage.Image{Layers: []testimage.Layer{debian(t, "bravo")}}, "team/app:2")
		pushed := `{"action":"push","repository":"team/app","tag":"2"}`
		if err := call("loud", pushed); pratique.CodeOf(err) != pratique.CodeUnauthorized {
			t.Errorf("a wrong secret: %v", err)
		}
		for range 3 {
			if err := call("quiet", pushed); err != nil {
				t.Fatal(err)
			}
		}
		e.eventually("the pushed image is scanned", func() bool {
			return len(e.rows(pratique.AssetFilter{Status: []pratique.Status{pratique.StatusScanned}})) == 1
		})
		if c := e.scanOf(id); c.Status != pratique.StatusScanned || c.Priority != pratique.PriorityPush {
			t.Errorf("scan %+v", c)
		}
		tasks, err := e.db.Tasks(t.Context(), pratique.TaskFilter{}, pratique.PageRequest{})
		if err != nil || len(tasks.Items) != 1 || tasks.Items[0].Kind != pratique.TaskWebhook {
			t.Errorf("tasks %+v, %v", tasks.Items, err)
		}
		h.remove("team/app:1")
		if err := call("quiet", `{"action":"delete","repository":"team/app","tag":"1"}`); err != nil {
			t.Fatal(err)
		}
		e.eventually("the deleted tag is gone", func() bool { return len(e.rows(pratique.AssetFilter{})) == 1 })
	})
}

// A push does not wait for the end of a long synchronisation.
func TestWebhookDuringASync(t *testing.T) {
	onBoth(t, func(t *testing.T, e *estate) {
		h := newHarbour(t)
		h.push(testimage.Image{Layers: []testimage.Layer{debian(t, "alpha")}}, "team/slow:1")
		id := h.push(testimage.Image{Layers: []testimage.Layer{debian(t, "bravo")}}, "team/app:2")
		r := e.connect(h)
		if err := e.db.SetWebhookSecret(t.Context(), r.ID, "quiet"); err != nil {
			t.Fatal(err)
		}
		h.held = "team/slow"
		h.set(func() { h.hold = time.Minute })
		if _, _, err := e.syncer.StartSync(t.Context(), true, "test"); err != nil {
			t.Fatal(err)
		}
		e.eventually("one repository is listed", func() bool { return len(e.rows(pratique.AssetFilter{})) == 1 })
		later := h.push(testimage.Image{Layers: []testimage.Layer{debian(t, "charlie")}}, "team/app:3")
		req := httptest.NewRequest(http.MethodPost, "/hook", strings.NewReader(`{"action":"push","repository":"team/app","tag":"3"}`))
		req.Header.Set("Authorization", "quiet")
		if err := e.syncer.Hook(t.Context(), r.ID, req); err != nil {
			t.Fatal(err)
		}
		e.eventually("the push is scanned", func() bool {
			return len(e.rows(pratique.AssetFilter{ImageIDs: []pratique.Digest{later}, Status: []pratique.Status{pratique.StatusScanned}})) == 1
		})
		if run := e.lastSync(r); run.State != "running" {
			t.Errorf("the long run has ended: %+v", run)
		}
		if c := e.scanOf(id); c.ID != 0 {
			t.Errorf("what was not pushed was scanned: %+v", c)
		}
		if err := e.syncer.CancelSync(t.Context(), r.ID); err != nil {
			t.Fatal(err)
		}
	})
}

// With the setting, a full run scans the newest tags, any other run what is new.
func TestScanAfterSync(t *testing.T) {
	onBoth(t, func(t *testing.T, e *estate) {
		e.settings.ScanOnSync = true
		h := newHarbour(t)
		image := func(n int) testimage.Image {
			return testimage.Image{Layers: []testimage.Layer{debian(t, "alpha")}, User: fmt.Sprint(n)}
		}
		h.push(image(1), "team/app:1")
		newest := h.push(image(2), "team/app:2")
		r := e.connect(h)
		e.sync(r, true)
		scanned := func() int {
			return len(e.rows(pratique.AssetFilter{Status: []pratique.Status{pratique.StatusScanned}}))
		}
		e.eventually("the newest is scanned", func() bool { return scanned() == 1 })
		if c := e.scanOf(newest); c.Status != pratique.StatusScanned {
			t.Errorf("scan of the newest %+v", c)
		}
		h.push(image(3), "team/app:0.1")
		h.push(image(4), "team/app:0.2")
		e.sync(r, false)
		e.eventually("what is new is scanned", func() bool { return scanned() == 3 })
		e.settings.ScanOnSyncExcept = []int64{r.ID}
		h.push(image(5), "team/app:0.3")
		e.sync(r, false)
		if tasks, err := e.db.Tasks(t.Context(), pratique.TaskFilter{}, pratique.PageRequest{}); err != nil || len(tasks.Items) != 2 {
			t.Errorf("%d tasks, %v", len(tasks.Items), err)
		}
	})
}

// A new bundle is judged without a registry.
func TestEvaluate(t *testing.T) {
	onBoth(t, func(t *testing.T, e *estate) {
		h := newHarbour(t)
		base := debian(t, "alpha", "bravo", "charlie")
		id := h.push(testimage.Image{Layers: []testimage.Layer{base}}, "team/app:1")
		e.sync(e.connect(h), true)
		e.ended(e.start())
		if v := e.summary(id); v.Coverage[pratique.CategoryVulnerability].State != pratique.CoverageUnknown || v.Risk != pratique.RiskUnknown {
			t.Errorf("without feeds: %+v", v.Coverage)
		}
		h.proxy.Close()
		adopt := func(fixed map[string]string) {
			t.Helper()
			a := e.feeds.adopt(fixed)
			if err := e.jobs.Enqueue(t.Context(), scan.Job{Args: scan.EvaluateArgs{Bundle: a.Bundle.Digest}}); err != nil {
				t.Fatal(err)
			}
			e.eventually("it is evaluated", func() bool {
				jobs, err := e.evaluator.Wanted(t.Context())
				return err == nil && len(jobs) == 0
			})
		}
		vulnerable := func() (names []string) {
			for _, f := range e.report(id).Vulnerabilities {
				names = append(names, f.Package.Name)
			}
			slices.Sort(names)
			return names
		}
		adopt(map[string]string{"alpha": "2"})
		adopt(map[string]string{"alpha": "2", "bravo": "0.5"})
		if got := vulnerable(); !slices.Equal(got, []string{"alpha"}) {
			t.Errorf("vulnerable: %q", got)
		}
		if v := e.summary(id); v.Coverage[pratique.CategoryVulnerability].State != pratique.CoverageComplete || v.Risk != pratique.RiskFound {
			t.Errorf("with feeds: %+v, %s", v.Coverage, v.Risk)
		}
		// Attacks become known: nothing is judged again, and everybody knows.
		e.feeds.attacked("CVE-2026-10000")
		adopt(map[string]string{"alpha": "2", "bravo": "0.5"})
		if v := e.summary(id); v.Counters.Exploited != 1 {
			t.Errorf("attacked: %+v", v.Counters)
		}
		adopt(map[string]string{"alpha": "0.5", "bravo": "2"})
		if got := vulnerable(); !slices.Equal(got, []string{"bravo"}) {
			t.Errorf("vulnerable: %q", got)
		}
		if wrong, err := e.db.Verify(t.Context()); err != nil || len(wrong) > 0 {
			t.Errorf("counters: %v %v", wrong, err)
		}
	})
}
