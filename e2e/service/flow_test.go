package service

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/registry/distribution/registrytest"
)

// A journey is what one organisation does on its first day, with the parts of it
// that the steps share.
type journey struct {
	*testing.T
	e        *estate
	g        *gate
	s        *server
	events   *follower
	registry int64
}

const webhookSecret = "a-bell-that-rings-twice"

// registryForm describes the registry behind the gate.
func (j *journey) registryForm(name string) map[string]any {
	return map[string]any{
		"name": name, "kind": "oci", "address": j.g.url, "username": registrytest.Username, "password": registrytest.Password,
		"ca": j.g.ca, "webhookSecret": webhookSecret,
	}
}

// connectionTest is the answer of a test of a connection.
type connectionTest struct {
	Status         string
	Reason, Remedy pratique.Text
}

// From the one-time password to reports, by the API alone: a registry of 60
// repositories is added, synchronised and scanned, and everything that is listed,
// counted and found is what the model says.
func TestFirstDay(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		e := theEstate(t)
		j := &journey{T: t, e: e, g: newGate(t, "http://"+e.registry.Host)}
		j.s = serve(t, database)
		j.events = j.s.follow()
		steps := []struct {
			name string
			do   func(*journey)
		}{
			{"feeds", func(j *journey) { j.s.importFeeds(e.advisories, time.Now().Add(-48*time.Hour)) }},
			{"connections that cannot work", (*journey).badConnections},
			{"add a registry", (*journey).addRegistry},
			{"synchronise", (*journey).synchronise},
			{"lists before a scan", (*journey).listsBefore},
			{"scan all", (*journey).scanAll},
			{"images", (*journey).images},
			{"filters", (*journey).filters},
			{"orders", (*journey).orders},
			{"one image", (*journey).oneImage},
			{"vulnerabilities", (*journey).vulnerabilities},
			{"components", (*journey).components},
			{"secrets and malware", (*journey).secretsAndMalware},
			{"overview", (*journey).overview},
			{"scan again", (*journey).scanAgain},
			{"a push", (*journey).push},
			{"a deletion", (*journey).deletion},
			{"reports", (*journey).reports},
			{"nothing of ours is told", (*journey).discreet},
		}
		for _, step := range steps {
			began := time.Now()
			ok := t.Run(step.name, func(t *testing.T) {
				sub := *j
				sub.T, j.s.t = t, t
				step.do(&sub)
				j.registry = sub.registry
			})
			t.Logf("%s: %s", step.name, time.Since(began).Round(10*time.Millisecond))
			j.s.t = t
			if !ok && slices.Contains([]string{"feeds", "add a registry", "synchronise", "scan all"}, step.name) {
				t.FailNow() // what follows would only repeat it
			}
		}
		j.s.stop()
	})
}

func (j *journey) badConnections() {
	for name, c := range map[string]struct {
		change map[string]any
		status string
	}{
		"a wrong password":        {map[string]any{"password": "not-the-password"}, "auth_failed"},
		"no password":             {map[string]any{"username": "", "password": ""}, "auth_failed"},
		"another authority":       {map[string]any{"ca": stranger(j)}, "tls_failed"},
		"no authority":            {map[string]any{"ca": ""}, "tls_failed"},
		"nobody listens":          {map[string]any{"address": "https://127.0.0.1:1"}, "unreachable"},
		"TLS where there is none": {map[string]any{"address": "https://" + j.e.registry.Host}, "tls_failed"},
		"no registry":             {map[string]any{"address": j.s.url}, "not_a_registry"},
		"right":                   {nil, "connected"},
	} {
		form := j.registryForm("test")
		delete(form, "webhookSecret")
		maps.Copy(form, c.change)
		var got connectionTest
		j.s.want(http.StatusOK, http.MethodPost, "/registries/test", form, &got)
		if got.Status != c.status {
			j.Errorf("%s: %+v, want %s", name, got, c.status)
		}
		if told := got.Reason.EN != "" && got.Reason.ZH != "" && got.Remedy.EN != "" && got.Remedy.ZH != ""; told == (c.status == "connected") {
			j.Errorf("%s: reason and remedy %+v", name, got)
		}
	}
	for field, value := range map[string]string{"name": "", "kind": "no-such-kind", "address": "https://user:secret@host", "ca": "no certificate", "proxy": "ftp://x"} {
		form := j.registryForm("x")
		form[field] = value
		if p := j.s.refused(http.StatusUnprocessableEntity, http.MethodPost, "/registries", form); strings.Contains(p.Detail, "secret") {
			j.Errorf("%s: %+v", field, p)
		}
	}
}

func (j *journey) addRegistry() {
	var made struct{ ID int64 }
	j.s.want(http.StatusCreated, http.MethodPost, "/registries", j.registryForm("harbour"), &made)
	j.registry = made.ID
	j.s.refused(http.StatusConflict, http.MethodPost, "/registries", j.registryForm("harbour "))
	var got connectionTest
	j.s.want(http.StatusOK, http.MethodPost, fmt.Sprintf("/registries/%d/test", made.ID), nil, &got)
	if got.Status != "connected" {
		j.Fatalf("%+v", got)
	}
	list := get[pratique.Page[struct {
		ID          int64
		Name        string
		HasPassword bool
		Health      pratique.Health
	}]](j.s, "/registries").Items
	if len(list) != 1 || list[0].Name != "harbour" || !list[0].HasPassword || list[0].Health.Status != "connected" {
		j.Errorf("%+v", list)
	}
}

// sync synchronises, and returns how it went.
func (j *journey) sync(full bool) pratique.SyncStatus {
	j.Helper()
	var begun struct{ Started, Running []int64 }
	j.s.want(http.StatusAccepted, http.MethodPost, "/registries/sync", map[string]any{"ids": []int64{j.registry}, "full": full}, &begun)
	if len(begun.Started)+len(begun.Running) != 1 {
		j.Errorf("%+v", begun)
	}
	return j.s.synced(j.registry)
}

// synced waits until a registry's synchronisation ended.
func (s *server) synced(id int64) (status pratique.SyncStatus) {
	s.t.Helper()
	until(s.t, "the registry is synchronised", 2*time.Minute, func() bool {
		status = get[struct{ Sync pratique.SyncStatus }](s, fmt.Sprintf("/registries/%d", id)).Sync
		return status.State == "success" || status.State == "failed"
	})
	return status
}

func (j *journey) synchronise() {
	if got := j.sync(true); got.State != "success" || got.Error != nil || got.Done != got.Total || got.LastSuccess == nil {
		j.Fatalf("%+v", got)
	}
	until(j, "the end of the synchronisation is told", 10*time.Second, func() bool {
		return slices.ContainsFunc(j.events.of("sync"), func(e event) bool { return strings.Contains(string(e.data), `"success"`) })
	})
	if n := j.g.requests("_catalog"); n == 0 {
		j.Error("the catalogue was not asked: this test shows nothing")
	}
	before := j.g.requests("manifests")
	if got := j.sync(true); got.State != "success" {
		j.Fatalf("%+v", got)
	}
	// Each tag costs a HEAD again, and no manifest is read twice; but for the chart,
	// which has no row to be remembered by.
	if n, most := j.g.requests("manifests")-before, 2*(len(j.e.rows)+10); n > most {
		j.Errorf("the second synchronisation asked for %d manifests, want at most %d", n, most)
	}
}

func (j *journey) rows() []pratique.AssetRow {
	j.Helper()
	return all(j.s, "/images", func(r pratique.AssetRow) string { return fmt.Sprint(r.ID) }, 37)
}

func nameOf(r pratique.AssetRow) string {
	arch := ""
	if r.Index != "" {
		arch = " " + r.Platform.Architecture
	}
	return r.Repository + ":" + r.Tag + arch
}

// sameSet compares lists whatever their order.
func sameSet(t testing.TB, what string, got, want []string) {
	t.Helper()
	got, want = slices.Clone(got), slices.Clone(want)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		lost := slices.DeleteFunc(slices.Clone(want), func(s string) bool { return slices.Contains(got, s) })
		invented := slices.DeleteFunc(slices.Clone(got), func(s string) bool { return slices.Contains(want, s) })
		t.Errorf("%s: %d, want %d\nmissing: %q\ntoo many: %q", what, len(got), len(want), lost[:min(5, len(lost))], invented[:min(5, len(invented))])
	}
}

func (j *journey) listsBefore() {
	var got, want []string
	planted := map[string]row{}
	for _, r := range j.e.rows {
		want = append(want, r.name())
		planted[r.name()] = r
	}
	for _, r := range j.rows() {
		got = append(got, nameOf(r))
		p, ok := planted[nameOf(r)]
		if !ok {
			continue
		}
		if r.Digest != p.digest || r.Index != p.index || r.ImageID != p.content.id() || r.Newest != j.e.newest(p) || r.Status != pratique.StatusNotScanned || r.Risk != pratique.RiskUnknown ||
			r.RegistryName != "harbour" || r.RegistryKind != "oci" || r.Created == nil || !r.Created.Equal(p.content.Created) || r.Size != p.content.size() {
			j.Errorf("%s: %+v\nwant newest %v, created %s, size %d", nameOf(r), r, j.e.newest(p), p.content.Created, p.content.size())
		}
		if wantReasons := map[bool][]string{true: {pratique.ReasonNewest, pratique.ReasonNeverScanned}}[r.Newest]; !slices.Equal(r.Recommended, wantReasons) {
			j.Errorf("%s is recommended for %v, want %v", nameOf(r), r.Recommended, wantReasons)
		}
	}
	sameSet(j, "images", got, want)

	images := map[string]int{}
	for _, r := range j.e.rows {
		images[r.repository]++
	}
	listed := map[string]int{}
	for _, r := range all(j.s, "/repositories", func(r pratique.RepositoryRow) string { return fmt.Sprint(r.ID) }, 7) {
		if r.Images > 0 { // the chart's has none
			listed[r.Name] = r.Images
		}
		if namespace, _, _ := strings.Cut(r.Name, "/"); r.Namespace != namespace && strings.Contains(r.Name, "/") || r.Unscanned != r.Images || r.AtRisk != 0 {
			j.Errorf("%+v", r)
		}
	}
	if !maps.Equal(listed, images) {
		j.Errorf("repositories: %v\nwant %v", listed, images)
	}
	if n := len(get[pratique.Page[pratique.RepositoryRow]](j.s, "/repositories?search=deep+app1&limit=200").Items); n != 2 {
		j.Errorf("%d repositories of deep and app1, want 2: app13 and app19", n) // numbers 1 + 6n below 20
	}
	namespaces := map[string]bool{}
	for r := range images {
		namespace, _, found := strings.Cut(r, "/")
		namespaces[map[bool]string{true: namespace}[found]] = true
	}
	var names []string
	for _, r := range get[pratique.Page[pratique.RepositoryRow]](j.s, "/namespaces").Items {
		if r.Images > 0 {
			names = append(names, r.Namespace)
		}
	}
	sameSet(j, "namespaces", names, slices.Collect(maps.Keys(namespaces)))
}

// size is what a registry keeps of an image, but for its manifest.
func (c *content) size() int64 {
	n := int64(len(c.Config()))
	for _, l := range c.Layers {
		n += l.Size
	}
	return n
}

// task is a task with what the API adds.
type task struct {
	pratique.Task
	Progress int
}

// scan asks for scans, and waits for their end.
func (s *server) scan(wish map[string]any) task {
	s.t.Helper()
	t := s.startScan(wish)
	return s.scanned(t.ID)
}

func (s *server) startScan(wish map[string]any) (t task) {
	s.t.Helper()
	if wish["categories"] == nil {
		wish["categories"] = []string{"vulnerability", "secret", "malware", "software"}
	}
	s.want(http.StatusCreated, http.MethodPost, "/tasks", wish, &t)
	return t
}

func (s *server) scanned(id int64) (t task) {
	s.t.Helper()
	until(s.t, "the task has ended", 5*time.Minute, func() bool {
		t = get[task](s, fmt.Sprintf("/tasks/%d", id))
		return t.Ended != nil
	})
	return t
}

func (j *journey) scanAll() {
	contents := j.e.byID()
	newest := map[pratique.Digest]bool{}
	for _, r := range j.e.rows {
		if j.e.newest(r) {
			newest[r.content.id()] = true
		}
	}
	everything := []string{"vulnerability", "secret", "malware", "software"}
	preview := func(wish map[string]any) (p pratique.ScanPreview) {
		wish["categories"] = everything
		j.s.want(http.StatusOK, http.MethodPost, "/scans/preview", wish, &p)
		return p
	}
	if p := preview(map[string]any{"scope": "all"}); p.Rows != len(j.e.rows) || p.Images != len(contents) || p.Joining != 0 || p.Unread != 0 || p.NewBytes == 0 || len(p.Items) == 0 {
		j.Errorf("preview of all: %+v, want %d rows of %d images", p, len(j.e.rows), len(contents))
	}
	if p := preview(map[string]any{"scope": "recommended"}); p.Images != len(newest) {
		j.Errorf("preview of what is recommended: %d images, want %d", p.Images, len(newest))
	}
	for _, wish := range []map[string]any{
		{"scope": "everything", "categories": everything}, {"scope": "all", "categories": []string{}}, {"scope": "specified", "categories": everything},
		{"scope": "all", "categories": []string{"weather"}}, {"scope": "all", "categories": everything, "filter": map[string]any{"search": "no-such-image-anywhere"}},
	} {
		j.s.refused(http.StatusUnprocessableEntity, http.MethodPost, "/tasks", wish)
	}

	j.g.fetched()
	done := j.s.scan(map[string]any{"scope": "all"})
	atRisk := 0
	for _, c := range contents {
		if n := j.e.counters(c); n.Risks() > 0 {
			atRisk++
		}
	}
	if done.Total != len(contents) || done.Scanned != len(contents) || done.Failed != 0 || done.Cancelled != 0 || done.AtRisk != atRisk || done.Creator != "admin" || done.Kind != pratique.TaskManual || done.Progress != 100 {
		j.Errorf("%+v, want %d images, %d at risk", done, len(contents), atRisk)
	}
	j.fetchedOnce(contents)
	until(j, "the end of the task is told", 10*time.Second, func() bool {
		return slices.ContainsFunc(j.events.of("task"), func(e event) bool {
			var t pratique.Task
			return json.Unmarshal(e.data, &t) == nil && t.ID == done.ID && t.Ended != nil
		})
	})
	told := map[int64]bool{}
	for _, e := range j.events.of("scan") {
		var c struct {
			ID     int64
			Status pratique.Status
		}
		if err := json.Unmarshal(e.data, &c); err != nil {
			j.Fatal(err)
		}
		told[c.ID] = told[c.ID] || c.Status == pratique.StatusScanned
	}
	if len(told) != len(contents) {
		j.Errorf("events of %d scans, want %d", len(told), len(contents))
	}
	scans := all(j.s, fmt.Sprintf("/scans?task=%d", done.ID), func(c pratique.Scan) string { return fmt.Sprint(c.ID) }, 11)
	for _, c := range scans {
		if c.Status != pratique.StatusScanned || c.Ended == nil || contents[c.ImageID] == nil || c.Progress[pratique.CategoryMalware] != 100 {
			j.Errorf("%+v", c)
		}
	}
	if len(scans) != len(contents) {
		j.Errorf("%d scans, want %d", len(scans), len(contents))
	}
	if tasks := get[pratique.Page[task]](j.s, "/tasks?kind=manual&running=false&creator=admin").Items; len(tasks) != 1 || tasks[0].ID != done.ID {
		j.Errorf("%+v", tasks)
	}
}

// fetchedOnce: each layer that images share was asked for once.
func (j *journey) fetchedOnce(contents map[pratique.Digest]*content) {
	fetched := j.g.fetched()
	reads := map[pratique.Digest]int{} // by content, however it is compressed
	counted := map[pratique.Digest]bool{}
	uses := 0
	for _, r := range j.e.rows {
		for _, l := range r.content.Layers {
			uses++
			if !counted[l.Digest] {
				counted[l.Digest] = true
				reads[l.DiffID] += fetched[l.Digest]
			}
		}
	}
	for diffID, n := range reads {
		if n != 1 {
			j.Errorf("the layer %s was fetched %d times", diffID, n)
		}
	}
	j.Logf("%d images, %d uses of layers, %d layers, %d blobs fetched", len(contents), uses, len(reads), sum(fetched))
}

func sum(m map[pratique.Digest]int) (n int) {
	for _, v := range m {
		n += v
	}
	return n
}

func (j *journey) images() {
	for _, r := range j.rows() {
		i := slices.IndexFunc(j.e.rows, func(p row) bool { return p.name() == nameOf(r) })
		if i < 0 {
			j.Errorf("%s is listed", nameOf(r))
			continue
		}
		c := j.e.rows[i].content
		want := j.e.counters(c)
		got := r.Counters
		got.Suppressed = 0 // the real Debian's own
		if got != want {
			j.Errorf("%s: %+v\nwant %+v", nameOf(r), got, want)
		}
		risk := pratique.RiskNone
		if want.Risks() > 0 {
			risk = pratique.RiskFound
		}
		if r.Status != pratique.StatusScanned || r.ScannedAt == nil || r.Risk != risk || len(r.Recommended) > 0 || r.OSName == "" || r.ScanError != nil {
			j.Errorf("%s: %+v, want the risk %s", nameOf(r), r, risk)
		}
		var urgent []string
		if r.Newest && want.Exploited > 0 {
			urgent = append(urgent, pratique.ReasonExploited)
		}
		if r.Newest && want.CriticalFixable > 0 {
			urgent = append(urgent, pratique.ReasonCriticalFixable)
		}
		if r.Newest && want.Malware.Total() > 0 {
			urgent = append(urgent, pratique.ReasonMalware)
		}
		if r.Newest && want.LiveSecrets > 0 {
			urgent = append(urgent, pratique.ReasonLiveSecret)
		}
		rest := slices.DeleteFunc(slices.Clone(r.HighPriority), func(s string) bool { return s == pratique.ReasonNewest })
		slices.Sort(rest)
		slices.Sort(urgent)
		if !slices.Equal(rest, urgent) {
			j.Errorf("%s is urgent for %v, want %v", nameOf(r), r.HighPriority, urgent)
		}
	}
}

func (j *journey) filters() {
	count := func(c *content) pratique.Counters { return j.e.counters(c) }
	repository := get[pratique.Page[pratique.RepositoryRow]](j.s, "/repositories?search=team3/app09").Items
	if len(repository) != 1 {
		j.Fatalf("%+v", repository)
	}
	some := j.rows()[:3]
	for query, keep := range map[string]func(row) bool{
		"":                                  func(row) bool { return true },
		fmt.Sprint("registry=", j.registry): func(row) bool { return true },
		"registry=999":                      func(row) bool { return false },
		"kind=oci":                          func(row) bool { return true },
		"kind=harbor":                       func(row) bool { return false },
		"namespace=team2":                   func(r row) bool { return strings.HasPrefix(r.repository, "team2/") },
		"namespace=team2,group": func(r row) bool {
			return strings.HasPrefix(r.repository, "team2/") || strings.HasPrefix(r.repository, "group/")
		},
		fmt.Sprint("repository=", repository[0].ID): func(r row) bool { return r.repository == "team3/app09" },
		"newest=true":              func(r row) bool { return j.e.newest(r) },
		"os=alpine":                func(r row) bool { return r.content.distro == "alpine" },
		"os=alpine,rocky":          func(r row) bool { return r.content.distro == "alpine" || r.content.distro == "rocky" },
		"arch=arm64":               func(r row) bool { return r.content.Architecture == "arm64" },
		"status=scanned":           func(row) bool { return true },
		"status=failed":            func(row) bool { return false },
		"risk=at_risk":             func(r row) bool { n := count(r.content); return n.Risks() > 0 },
		"risk=none":                func(r row) bool { n := count(r.content); return n.Risks() == 0 },
		"riskKind=secret":          func(r row) bool { return r.content.secrets() > 0 },
		"riskKind=secret,malware":  func(r row) bool { return r.content.secrets()+r.content.malware() > 0 },
		"severity=critical":        func(r row) bool { n := count(r.content); return n.Vulnerabilities.Critical > 0 },
		"severity=low&newest=true": func(r row) bool { n := count(r.content); return n.Vulnerabilities.Low > 0 && j.e.newest(r) },
		"fixable=true":             func(r row) bool { return count(r.content).Fixable > 0 },
		"vulnerability=CVE-2026-10031": func(r row) bool {
			return slices.ContainsFunc(j.e.hits(r.content), func(h hit) bool { return h.cve == "CVE-2026-10031" })
		},
		"vulnerability=CVE-2026-10004": func(row) bool { return false }, // all are fixed
		"package=jinja2": func(r row) bool {
			return slices.ContainsFunc(r.content.packages(), func(s software) bool { return s.name == "jinja2" })
		},
		"highPriority=true": func(r row) bool {
			n := count(r.content)
			return j.e.newest(r) && (n.Exploited > 0 || n.CriticalFixable > 0 || n.LiveSecrets > 0 || n.Malware.Total() > 0)
		},
		"recommended=true":                   func(row) bool { return false },
		"running=true":                       func(row) bool { return false },
		"gone=true":                          func(row) bool { return false },
		"search=app09":                       func(r row) bool { return strings.Contains(r.repository, "app09") },
		"search=DEEP+app01":                  func(r row) bool { return strings.Contains(r.repository, "deep/app01") },
		"search=app09+1.3":                   func(r row) bool { return strings.Contains(r.repository, "app09") && strings.Contains(r.tag, "1.3") },
		"search=%25":                         func(row) bool { return false },
		"search=" + string(some[0].ImageID):  func(r row) bool { return r.content.id() == some[0].ImageID },
		"imageID=" + string(some[0].ImageID): func(r row) bool { return r.content.id() == some[0].ImageID },
		fmt.Sprintf("id=%d,%d", some[1].ID, some[2].ID): func(r row) bool { return r.name() == nameOf(some[1]) || r.name() == nameOf(some[2]) },
		fmt.Sprintf("exclude=%d", some[1].ID):           func(r row) bool { return r.name() != nameOf(some[1]) },
		"minSize=1000000":                               func(r row) bool { return r.content.size() >= 1000000 },
		"maxSize=999999":                                func(r row) bool { return r.content.size() <= 999999 },
		"createdFrom=2026-01-02T03:14:05Z&createdTo=2026-01-02T03:24:05Z": func(r row) bool {
			minutes := r.content.Created.Minute()
			return r.content.Created.Hour() == 3 && minutes >= 14 && minutes < 24
		},
		"scannedFrom=2099-01-01T00:00:00Z": func(row) bool { return false },
	} {
		var got, want []string
		for _, r := range all(j.s, "/images?"+query, func(r pratique.AssetRow) string { return fmt.Sprint(r.ID) }, 50) {
			got = append(got, nameOf(r))
		}
		for _, r := range j.e.rows {
			if keep(r) {
				want = append(want, r.name())
			}
		}
		sameSet(j, "images with "+query, got, want)
	}
	for _, query := range []string{"status=asleep", "risk=some", "sort=colour", "limit=0", "limit=100000", "cursor=AAAA", "createdFrom=yesterday"} {
		j.s.refused(http.StatusUnprocessableEntity, http.MethodGet, "/images?"+query, nil)
	}
	facets := get[map[string]json.RawMessage](j.s, "/images/facets")
	for _, want := range []string{"alpine", "rocky", "arm64", "team2", "harbour"} {
		if text, _ := json.Marshal(facets); !strings.Contains(string(text), want) {
			j.Errorf("the facets lack %s: %s", want, text)
		}
	}
}

func (j *journey) orders() {
	worst := func(n pratique.BySeverity) int { return n.Total() }
	for order, compare := range map[string]func(a, b pratique.AssetRow) int{
		"name":    func(a, b pratique.AssetRow) int { return cmp.Compare(a.Repository, b.Repository) },
		"tag":     func(a, b pratique.AssetRow) int { return cmp.Compare(a.Tag, b.Tag) },
		"size":    func(a, b pratique.AssetRow) int { return cmp.Compare(a.Size, b.Size) },
		"created": func(a, b pratique.AssetRow) int { return a.Created.Compare(*b.Created) },
		"vulnerabilities": func(a, b pratique.AssetRow) int {
			return cmp.Compare(worst(a.Counters.Vulnerabilities), worst(b.Counters.Vulnerabilities))
		},
		"critical": func(a, b pratique.AssetRow) int {
			return cmp.Compare(a.Counters.Vulnerabilities.Critical, b.Counters.Vulnerabilities.Critical)
		},
		"secrets": func(a, b pratique.AssetRow) int {
			return cmp.Compare(worst(a.Counters.Secrets), worst(b.Counters.Secrets))
		},
		"malware": func(a, b pratique.AssetRow) int {
			return cmp.Compare(worst(a.Counters.Malware), worst(b.Counters.Malware))
		},
		"packages": func(a, b pratique.AssetRow) int { return cmp.Compare(a.Counters.Packages, b.Counters.Packages) },
	} {
		for _, sign := range []string{"", "-"} {
			rows := all(j.s, "/images?sort="+sign+order, func(r pratique.AssetRow) string { return fmt.Sprint(r.ID) }, 64)
			if len(rows) != len(j.e.rows) {
				j.Errorf("by %s%s there are %d rows", sign, order, len(rows))
			}
			if !slices.IsSortedFunc(rows, func(a, b pratique.AssetRow) int {
				if sign == "-" {
					return compare(b, a)
				}
				return compare(a, b)
			}) {
				j.Errorf("images are not in the order of %s%s", sign, order)
			}
		}
	}
}
