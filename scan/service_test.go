package scan_test

import (
	"testing"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/internal/testimage"
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
	})
}
