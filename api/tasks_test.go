package api

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pratique/pratique"
)

func TestStartingScans(t *testing.T) {
	e := newEstate(t)
	request := map[string]any{
		"categories": []string{"vulnerability", "malware"}, "scope": "all", "timeoutSeconds": 600, "forced": true,
		"filter": map[string]any{"kinds": []string{"harbor"}, "newest": true, "exclude": []int{99}, "created": map[string]any{"to": time.Now().Format(time.RFC3339)}},
	}
	var preview ScanPreview
	e.want(200, "POST", "/api/v1/scans/preview", request, &preview)
	if preview.Rows != 3 || *preview.EstimateSeconds != 90 || preview.Items == nil {
		t.Errorf("%+v", preview)
	}
	var task TaskRow
	a := e.want(201, "POST", "/api/v1/tasks", request, &task)
	if task.Total != 2 || task.State != TaskRunning || task.Progress != 0 || task.Waiting != 2 || task.TimeoutSeconds != 600 || !task.Forced || task.Creator != "admin" ||
		a.Header.Get("Location") != "/api/v1/tasks/"+id(task.ID) {
		t.Errorf("%+v", task)
	}
	w := e.scans.wishes[1]
	if w.Kind != pratique.TaskManual || w.Scope != pratique.ScopeAll || w.Timeout != 10*time.Minute || !slices.Equal(w.Filter.Kinds, []string{"harbor"}) || w.Filter.Created.To == nil || !slices.Equal(w.Filter.Exclude, []int64{99}) {
		t.Errorf("wish %+v", w)
	}
	notes, err := e.store.Notes(t.Context(), pratique.AuditFilter{Action: "scan.start"}, pratique.PageRequest{})
	if err != nil || len(notes.Items) != 1 || notes.Items[0].Target != "task "+id(task.ID) {
		t.Errorf("%v %+v", err, notes)
	}
	for name, body := range map[string]any{
		"no category":    map[string]any{"categories": []string{}, "scope": "all"},
		"a category":     map[string]any{"categories": []string{"viruses"}, "scope": "all"},
		"a scope":        map[string]any{"categories": []string{"malware"}, "scope": "most"},
		"no images":      map[string]any{"categories": []string{"malware"}, "scope": "specified"},
		"a status":       map[string]any{"categories": []string{"malware"}, "scope": "all", "filter": map[string]any{"status": []string{"x"}}},
		"a long timeout": map[string]any{"categories": []string{"malware"}, "scope": "all", "timeoutSeconds": 86401},
		"another field":  map[string]any{"categories": []string{"malware"}, "scope": "all", "filter": map[string]any{"kind": "x"}},
		"nothing at all": nil,
	} {
		for _, path := range []string{"/api/v1/tasks", "/api/v1/scans/preview"} {
			if a := e.do("POST", path, body); a.StatusCode != 422 && a.StatusCode != 400 {
				t.Errorf("%s: %d %s", name, a.StatusCode, a.body)
			}
		}
	}
	e.want(201, "POST", "/api/v1/tasks/1/rescan", map[string]any{"failedOnly": true}, &task)
	if task.Kind != pratique.TaskRescan {
		t.Errorf("%+v", task)
	}
}

func TestTasksAndScans(t *testing.T) {
	e := newEstate(t)
	var task TaskRow
	e.want(201, "POST", "/api/v1/tasks", map[string]any{"categories": []string{"vulnerability", "malware"}, "scope": "all", "filter": map[string]any{"newest": true}}, &task)
	one := "/tasks/" + id(task.ID)
	var scans pratique.Page[ScanRow]
	e.want(200, "GET", "/api/v1/scans?task="+id(task.ID), nil, &scans)
	if len(scans.Items) != 3 || scans.Items[0].Phase != PhaseWaiting || scans.Items[0].Image == nil || scans.Items[0].Image.RegistryName == "" {
		t.Fatalf("%+v", scans)
	}
	// One of three is half done in one of two categories: 8 per cent of the task.
	running := scans.Items[2].ID
	lease, err := e.store.Claim(t.Context(), running, "worker 1")
	if err != nil {
		t.Fatal(err)
	}
	if err := e.store.Beat(t.Context(), lease, map[pratique.Category]int{pratique.CategoryMalware: 50}); err != nil {
		t.Fatal(err)
	}
	e.clock.add(time.Minute)
	e.want(200, "GET", "/api/v1"+one, nil, &task)
	if task.Progress != 8 || task.Running != 1 || task.Waiting != 2 || task.RemainingSeconds == nil || *task.RemainingSeconds < 450 || *task.RemainingSeconds > 800 {
		t.Errorf("%+v", task)
	}
	var scan ScanRow
	e.want(200, "GET", "/api/v1/scans/"+id(running), nil, &scan)
	if scan.Phase != PhaseRunning || scan.Percent != 25 || scan.Worker != "worker 1" || *scan.DurationSeconds < 45 || *scan.RemainingSeconds < 130 || scan.Progress[pratique.CategoryMalware] != 50 {
		t.Errorf("%+v", scan)
	}
	describe := func(s ScanRow) string { return string(s.Phase) + " " + string(s.Status) }
	shows(e, describe, map[string][]string{
		"/scans?phase=running":                                   {"running scanning"},
		"/scans?phase=waiting":                                   {"waiting scanning", "waiting scanning"},
		"/scans?status=failed":                                   {"ended failed"},
		"/scans?imageID=" + string(contentID(1)):                 {"ended scanned"},
		"/scans?status=scanned&createdFrom=2099-01-01T00:00:00Z": nil,
		"/scans?task=" + id(task.ID) + "&sort=-status&limit=1":   {"waiting scanning"},
	})
	kind := func(t TaskRow) string { return string(t.Kind) + " " + t.Creator + " " + string(t.State) }
	shows(e, kind, map[string][]string{
		"/tasks?running=true":                    {"manual admin running"},
		"/tasks?creator=admin":                   {"manual admin running"},
		"/tasks?kind=schedule":                   nil,
		"/tasks?imageID=" + string(contentID(2)): {"manual tester failed"},
		"/tasks?createdTo=2020-01-01T00:00:00Z":  nil,
		"/tasks?sort=-failed&limit=1":            {"manual tester failed"},
	})
	var cancelled Cancelled
	e.want(200, "POST", "/api/v1"+one+"/cancel", map[string]any{"imageIDs": []string{string(scans.Items[0].ImageID)}}, &cancelled)
	if cancelled.Cancelled != 1 {
		t.Errorf("%+v", cancelled)
	}
	e.want(200, "POST", "/api/v1"+one+"/cancel", map[string]any{}, &cancelled)
	e.want(200, "GET", "/api/v1"+one, nil, &task)
	if cancelled.Cancelled != 2 || task.State != TaskCancelled || task.Progress != 100 || task.Cancelled != 3 {
		t.Errorf("%+v %+v", cancelled, task)
	}
	e.want(404, "POST", "/api/v1/tasks/999/cancel", map[string]any{}, nil)
	e.want(404, "GET", "/api/v1/scans/999", nil, nil)
	for body, want := range map[string]int{`{}`: 422, `{"all":true,"ids":[1]}`: 422, `{"ids":[1]}`: 200, `{"all":true}`: 200, `{"filter":{"newest":true}}`: 200, `{"imageIDs":["` + string(contentID(1)) + `"]}`: 200, `{"everything":1}`: 422} {
		if a := e.do("POST", "/api/v1/scans/cancel", body); a.StatusCode != want {
			t.Errorf("%s: %d %s", body, a.StatusCode, a.body)
		}
	}
}

func TestTaskStates(t *testing.T) {
	ended := time.Now()
	for want, task := range map[TaskState]pratique.Task{
		TaskRunning: {Total: 1}, TaskSuccess: {Total: 2, Scanned: 2, Ended: &ended}, TaskPartial: {Total: 2, Scanned: 1, Failed: 1, Ended: &ended},
		TaskCancelled: {Total: 1, Cancelled: 1, Ended: &ended}, TaskFailed: {Total: 2, Failed: 1, Cancelled: 1, Ended: &ended},
	} {
		if got := taskState(task); got != want {
			t.Errorf("%+v is %s", task, got)
		}
	}
}

func TestRepositoriesAndOverview(t *testing.T) {
	e := newEstate(t)
	name := func(r pratique.RepositoryRow) string {
		return strings.Join([]string{r.RegistryName, r.Namespace, r.Name, id(int64(r.Images)), id(int64(r.AtRisk))}, " ")
	}
	shows(e, name, map[string][]string{
		"/repositories": {"alpha team team/app 4 1", "beta  tool 2 2", "beta lib lib/db 1 1"},
		"/repositories?registry=" + id(e.alpha.ID): {"alpha team team/app 4 1"},
		"/repositories?namespace=lib":              {"beta lib lib/db 1 1"},
		"/repositories?search=BETA+tool":           {"beta  tool 2 2"},
		"/repositories?gone=true":                  nil,
		"/repositories?sort=-images&limit=1":       {"alpha team team/app 4 1"},
		"/namespaces":                              {"alpha team  4 1", "beta   2 2", "beta lib  1 1"},
		"/namespaces?search=tool":                  {"beta   2 2"},
	})
	var facets pratique.AssetFacets
	e.want(200, "GET", "/api/v1/images/facets", nil, &facets)
	if len(facets.Kinds) != 2 || facets.Kinds[0] != (pratique.Facet{Value: "oci", Count: 4}) || facets.Registries[1] != (pratique.Facet{Value: id(e.beta.ID), Label: "beta", Count: 3}) ||
		len(facets.Namespaces) != 3 || facets.OS[0] != (pratique.Facet{Value: "debian", Count: 5}) || len(facets.Architectures) != 1 {
		t.Errorf("%+v", facets)
	}
	e.want(200, "GET", "/api/v1/images/facets?kind=harbor", nil, &facets)
	if len(facets.Registries) != 1 || facets.Registries[0].Count != 3 {
		t.Errorf("%+v", facets)
	}
	if _, err := e.store.CloseDay(t.Context(), time.Now().AddDate(0, 0, -1).Format(time.DateOnly)); err != nil {
		t.Fatal(err)
	}
	var v Estate
	e.want(200, "GET", "/api/v1/overview", nil, &v)
	if v.Repository.Rows != 7 || v.Repository.AtRisk != 4 || v.Repository.NewToday != 7 || v.Repository.Counters.Vulnerabilities.Total() != 2 || v.Repository.Counters.Secrets.Total() != 3 ||
		v.Change == nil || v.Change.Images != 0 || v.Knowledge.Known || v.Registries.Total != 2 || v.Registries.Unknown != 2 {
		t.Errorf("%+v", v)
	}
	kinds := map[AttentionKind]Attention{}
	for _, a := range v.NeedsAttention {
		kinds[a.Kind] = a
	}
	if kinds[AttentionMalware].Count != 1 || kinds[AttentionExploited].Count != 1 || kinds[AttentionHighPriority].Count != 2 || kinds[AttentionLiveSecrets].Count != 2 ||
		kinds[AttentionNoKnowledge].Count != 1 || kinds[AttentionFailedScans].Count != 1 || kinds[AttentionRecommended].Count != 1 || len(kinds) != 8 {
		t.Errorf("%+v", v.NeedsAttention)
	}
	var days pratique.Page[pratique.Day]
	e.want(200, "GET", "/api/v1/overview/days", nil, &days)
	today, yesterday := time.Now().Format(time.DateOnly), time.Now().AddDate(0, 0, -1).Format(time.DateOnly)
	if len(days.Items) != 2 || days.Items[0].Rows != 7 || days.Items[0].Date != yesterday || days.Items[1].Rows != 7 || days.Items[1].Date != today {
		t.Errorf("%+v", days)
	}
	e.want(200, "GET", "/api/v1/overview/days?to="+yesterday, nil, &days)
	if len(days.Items) != 1 || days.Items[0].Date != yesterday {
		t.Errorf("%+v", days)
	}
	e.want(200, "GET", "/api/v1/overview/days?from=2020-01-01&to=2020-02-01", nil, &days)
	if len(days.Items) != 0 {
		t.Errorf("%+v", days)
	}
	e.want(422, "GET", "/api/v1/overview/days?from=yesterday", nil, nil)
	e.want(422, "GET", "/api/v1/overview?zone=Mars", nil, nil)
	e.want(200, "GET", "/api/v1/overview?zone=Asia/Shanghai", nil, nil)
	var top TopLists
	e.want(200, "GET", "/api/v1/overview/top", nil, &top)
	if len(top.Newest) != 2 || top.Newest[0].ID != "CVE-2024-0001" || len(top.Running) != 0 || len(top.Images) != 2 {
		t.Errorf("%+v", top)
	}
}
