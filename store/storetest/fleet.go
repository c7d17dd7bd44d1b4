package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/store"
)

// enrolled is a new agent on a host of that name.
func enrolled(t testing.TB, s *store.Store, name string) pratique.Agent {
	t.Helper()
	ctx := context.Background()
	hash := "secret of " + name + fmt.Sprint(time.Now().UnixNano())
	ok[pratique.AgentToken](t)(s.AddAgentToken(ctx, pratique.AgentToken{Kind: pratique.AgentHost, Project: "shop", Uses: 1, By: "admin", Expires: time.Now().Add(time.Hour)}, hash))
	return ok[pratique.Agent](t)(s.Enrol(ctx, hash, pratique.Agent{Key: "key " + hash, Version: "1"}, host(name)))
}

func host(name string) pratique.Host {
	return pratique.Host{ID: "id of " + name, Name: name, IPs: []string{"192.0.2.7"}, OS: "Debian GNU/Linux 12 (bookworm)", Kernel: "6.1.0", Labels: pratique.Labels{"cluster": name}}
}

var docker = pratique.EngineInfo{Kind: pratique.EngineDocker, Version: "20.10.24", Root: "/var/lib/docker", Store: "overlay2"}

// local is image n with names.
func local(n int, tags ...string) pratique.LocalImage {
	created := day.Add(time.Duration(n) * time.Hour)
	return pratique.LocalImage{ID: imageID(n), EngineID: imageID(n), Tags: tags, Platform: pratique.Platform{OS: "linux", Architecture: "amd64"}, Size: int64(1000 + n), Created: &created, Layers: []pratique.Digest{digest("layer", n)}}
}

func running(name string, n int) pratique.Container {
	return pratique.Container{ID: digest("container "+name, n).Hex(), Name: name, ImageID: imageID(n), Image: "app:1", State: pratique.ContainerRunning, Command: []string{"nginx", "-g"}, Created: day, Updated: day.Add(time.Hour)}
}

// generations of the inventories that tests tell.
var generation = struct {
	sync.Mutex
	n int64
}{}

func inventory(engine pratique.EngineInfo, images []pratique.LocalImage, containers ...pratique.Container) pratique.Inventory {
	generation.Lock()
	defer generation.Unlock()
	generation.n++
	return pratique.Inventory{Engine: engine, Generation: generation.n, Taken: time.Now(), Images: images, Containers: containers}
}

// told is a host with an agent and an inventory.
func told(t testing.TB, s *store.Store, name string, images []pratique.LocalImage, containers ...pratique.Container) pratique.Agent {
	t.Helper()
	a := enrolled(t, s, name)
	must(t, s.PutInventory(context.Background(), a.ID, inventory(docker, images, containers...)))
	return a
}

// inUse lets a container of some host use image n.
func inUse(t testing.TB, s *store.Store, n int) {
	t.Helper()
	told(t, s, fmt.Sprint("user of ", n), nil, running("user", n))
}

func localRows(t testing.TB, s *store.Store, f pratique.AssetFilter) []pratique.AssetRow {
	t.Helper()
	f.Source = pratique.SourceLocal
	return ok[pratique.Page[pratique.AssetRow]](t)(s.Assets(context.Background(), f, pratique.PageRequest{Sort: "name"})).Items
}

// agents: who may enrol, who is replaced, and who is no longer let in.
func agents(t *testing.T, s *store.Store, _ string) {
	ctx := context.Background()
	_, err := s.AddAgentToken(ctx, pratique.AgentToken{Kind: "floppy", Uses: 1}, "x")
	refused(t, err, pratique.CodeInvalid)
	_, err = s.AddAgentToken(ctx, pratique.AgentToken{Kind: pratique.AgentSite, Uses: 1}, "x")
	refused(t, err, pratique.CodeInvalid)
	twice := ok[pratique.AgentToken](t)(s.AddAgentToken(ctx, pratique.AgentToken{Kind: pratique.AgentHost, Uses: 2, By: "admin", Note: "rack 1", Expires: time.Now().Add(time.Hour)}, "two"))
	ok[pratique.AgentToken](t)(s.AddAgentToken(ctx, pratique.AgentToken{Kind: pratique.AgentHost, Uses: 1, Expires: time.Now().Add(-time.Minute)}, "late"))
	_, err = s.Enrol(ctx, "unknown", pratique.Agent{Key: "k"}, host("a"))
	refused(t, err, pratique.CodeUnauthorized)
	_, err = s.Enrol(ctx, "late", pratique.Agent{Key: "k"}, host("a"))
	refused(t, err, pratique.CodeUnauthorized)
	_, err = s.Enrol(ctx, "two", pratique.Agent{Key: "k", Kind: pratique.AgentSite, Site: "mars"}, host("a"))
	refused(t, err, pratique.CodeUnauthorized)

	// Eight try at once, and the token is for two.
	var group sync.WaitGroup
	var mu sync.Mutex
	var in []pratique.Agent
	for i := range 8 {
		group.Go(func() {
			a, err := s.Enrol(ctx, "two", pratique.Agent{Key: fmt.Sprint("key", i)}, host(fmt.Sprint("h", i)))
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				in = append(in, a)
			} else if pratique.CodeOf(err) != pratique.CodeUnauthorized {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if len(in) != 2 {
		t.Fatalf("%d agents enrolled with a token for two", len(in))
	}
	if all := ok[[]pratique.AgentToken](t)(s.AgentTokens(ctx)); len(all) != 2 || all[1].ID != twice.ID || all[1].Used != 2 || all[1].Note != "rack 1" {
		t.Errorf("tokens %+v", all)
	}

	// The same host again: its old key is no longer good for anything.
	old := enrolled(t, s, "web1")
	if got := ok[pratique.Agent](t)(s.AgentByKey(ctx, old.Key)); got.ID != old.ID || !got.Online || got.HostID != "id of web1" {
		t.Errorf("by key %+v", got)
	}
	fresh := enrolled(t, s, "web1")
	_, err = s.AgentByKey(ctx, old.Key)
	refused(t, err, pratique.CodeUnauthorized)
	refused(t, s.AgentBeat(ctx, old.ID, host("web1"), "1", nil), pratique.CodeUnauthorized)
	refused(t, s.PutInventory(ctx, old.ID, inventory(docker, nil)), pratique.CodeUnauthorized)
	_, err = s.NextWork(ctx, old.ID)
	refused(t, err, pratique.CodeUnauthorized)
	refused(t, s.AgentBeat(ctx, fresh.ID, host("web2"), "1", nil), pratique.CodeUnauthorized) // another host's
	moved := host("web1")
	moved.Name, moved.IPs = "web1.example.org", []string{"198.51.100.9"}
	must(t, s.AgentBeat(ctx, fresh.ID, moved, "2", []pratique.Problem{{Code: pratique.CodeUnauthorized, Message: "docker.sock cannot be opened", Remedy: "add the agent to the group docker"}}))
	h := ok[pratique.HostRow](t)(s.Host(ctx, "id of web1"))
	if h.Name != "web1.example.org" || h.IPs[0] != "198.51.100.9" || h.Project != "shop" || !h.Online || h.AgentID != fresh.ID || len(h.Problems) != 1 {
		t.Errorf("host %+v", h)
	}
	must(t, s.RevokeAgent(ctx, fresh.ID))
	_, err = s.AgentByKey(ctx, fresh.Key)
	refused(t, err, pratique.CodeUnauthorized)
	refused(t, s.RevokeAgent(ctx, 9999), pratique.CodeNotFound)
	if h := ok[pratique.HostRow](t)(s.Host(ctx, "id of web1")); h.Online || h.AgentID != 0 {
		t.Errorf("the host of a revoked agent %+v", h)
	}
	must(t, s.RevokeAgentToken(ctx, twice.ID))
	if all := ok[[]pratique.Agent](t)(s.Agents(ctx)); len(all) != 4 || all[0].Revoked != nil || all[3].Revoked == nil {
		t.Errorf("agents %+v", all)
	}
	must(t, s.RemoveHost(ctx, "id of web1"))
	refused(t, s.RemoveHost(ctx, in[0].HostID), pratique.CodeConflict)
	_, err = s.Host(ctx, "id of web1")
	refused(t, err, pratique.CodeNotFound)

	must(t, s.PutSealedSetting(ctx, "authority", "private key"))
	if got := ok[string](t)(s.SealedSetting(ctx, "authority")); got != "private key" {
		t.Errorf("sealed setting %q", got)
	}
	var raw string
	must(t, s.Writer().QueryRow("SELECT value FROM settings WHERE name = 'authority'").Scan(&raw))
	if len(raw) < 20 || raw == `"private key"` {
		t.Errorf("kept as %q", raw)
	}
}

// inventories: what an engine says replaces what it said, late ones do not count,
// and what did not change is not written.
func inventories(t *testing.T, s *store.Store, _ string) {
	ctx := context.Background()
	a := told(t, s, "web1", []pratique.LocalImage{local(1, "app:1", "app:latest"), local(2), local(3, "base:3")}, running("web", 1))
	first := localRows(t, s, pratique.AssetFilter{})
	var names []string
	for _, r := range first {
		names = append(names, r.Repository+":"+r.Tag)
	}
	if want := []string{"<none>:", "app:1", "app:latest", "base:3"}; !slices.Equal(names, want) {
		t.Fatalf("rows %q, want %q", names, want)
	}
	if r := first[1]; r.Hosts != 1 || r.Containers != 1 || r.RunningContainers != 1 || !r.Running || r.ImageID != imageID(1) || r.Source != pratique.SourceLocal || r.RegistryName != "" {
		t.Errorf("row %+v", r)
	}
	if n := len(ok[pratique.Page[pratique.AssetRow]](t)(s.Assets(ctx, pratique.AssetFilter{}, pratique.PageRequest{})).Items); n != 0 {
		t.Errorf("%d repository images", n)
	}
	if n := len(ok[[]pratique.RegistryRow](t)(s.Registries(ctx))); n != 0 {
		t.Errorf("%d registries", n)
	}
	if n := len(ok[pratique.Page[pratique.RepositoryRow]](t)(s.Repositories(ctx, pratique.RepositoryFilter{}, pratique.PageRequest{})).Items); n != 0 {
		t.Errorf("%d repositories", n)
	}
	late := inventory(docker, nil)
	again := inventory(docker, []pratique.LocalImage{local(1, "app:1"), local(4, "app:latest")}, func() pratique.Container { c := running("web", 1); c.State = pratique.ContainerExited; return c }())
	must(t, s.PutInventory(ctx, a.ID, again))
	must(t, s.PutInventory(ctx, a.ID, again)) // the answer was lost, and it is said again
	refused(t, s.PutInventory(ctx, a.ID, late), pratique.CodeConflict)
	rows := localRows(t, s, pratique.AssetFilter{})
	if len(rows) != 2 || rows[0].ImageID != imageID(1) || rows[0].Running || rows[0].RunningContainers != 0 || rows[0].Containers != 1 || rows[0].ID != first[1].ID || rows[1].ImageID != imageID(4) {
		t.Errorf("rows %+v", rows)
	}
	if gone := localRows(t, s, pratique.AssetFilter{Gone: true}); len(gone) != 3 {
		t.Errorf("%d rows are gone", len(gone))
	}
	// An engine that cannot be asked: what was known stays.
	broken := inventory(docker, nil)
	broken.Error = pratique.Errorf(pratique.CodeUnreachable, "docker does not answer").WithRemedy("start it")
	must(t, s.PutInventory(ctx, a.ID, broken))
	if n := len(localRows(t, s, pratique.AssetFilter{})); n != 2 {
		t.Errorf("%d rows after an inventory that failed", n)
	}
	if h := ok[pratique.HostRow](t)(s.Host(ctx, "id of web1")); h.Error == nil || h.Images != 2 || h.Containers != 1 || h.Running != 0 || len(h.Engines) != 1 || h.Updated == nil {
		t.Errorf("host %+v", h)
	}
	// A second engine on the same host, then none.
	podman := pratique.EngineInfo{Kind: pratique.EnginePodman, Version: "4.3.1", Root: "/var/lib/containers"}
	must(t, s.PutInventory(ctx, a.ID, inventory(podman, []pratique.LocalImage{local(1, "localhost/app:1"), local(7, "app:1")})))
	if rows = localRows(t, s, pratique.AssetFilter{}); len(rows) != 4 || rows[0].Hosts != 1 {
		t.Errorf("%d rows with two engines", len(rows))
	}
	if n := len(localRows(t, s, pratique.AssetFilter{Engines: []pratique.EngineKind{pratique.EnginePodman}})); n != 2 {
		t.Errorf("%d rows of podman", n)
	}
	must(t, s.DropEngines(ctx, a.ID, []pratique.EngineInfo{podman}))
	if n := len(localRows(t, s, pratique.AssetFilter{})); n != 2 {
		t.Errorf("%d rows without docker", n)
	}
	must(t, s.DropEngines(ctx, a.ID, nil))
	if n := len(localRows(t, s, pratique.AssetFilter{})); n != 0 {
		t.Errorf("%d rows without engines", n)
	}
	n := ok[int](t)(s.PurgeGone(ctx, time.Now().Add(time.Minute)))
	if n != 7 {
		t.Errorf("%d rows purged", n)
	}
	bad := local(1, "app:1")
	bad.ID = "sha256:short"
	refused(t, s.PutInventory(ctx, a.ID, inventory(docker, []pratique.LocalImage{bad})), pratique.CodeInvalid)
	// Hostile names are only names.
	odd := local(8, "évil\x00'; DROP TABLE assets;--:1", string(make([]byte, 5000)))
	must(t, s.PutInventory(ctx, a.ID, inventory(docker, []pratique.LocalImage{odd})))
	if n := len(localRows(t, s, pratique.AssetFilter{})); n != 2 {
		t.Errorf("%d rows of odd names", n)
	}
}

// localImages: the same content on two hosts and in a registry is one content, and
// the lists are apart.
func localImages(t *testing.T, s *store.Store, _ string) {
	ctx := context.Background()
	r := newRegistry(t, s, "alpha")
	ok[pratique.SyncResult](t)(s.SyncRepository(ctx, r.ID, "team/app", []pratique.Asset{asset("1", 1), asset("9", 9)}, true))
	told(t, s, "web1", []pratique.LocalImage{local(1, "app:1"), local(2, "app:2"), local(3)}, running("web", 1), running("db", 2))
	win := local(4, "win:1")
	win.Platform.OS = "windows"
	unread := pratique.LocalImage{EngineID: digest("engine", 5), Tags: []string{"broken:1"}, Reason: "the config is missing"}
	told(t, s, "web2", []pratique.LocalImage{local(1, "app:1"), win, unread}, running("web", 1))
	app := localRows(t, s, pratique.AssetFilter{Search: "app:1"})
	if len(app) != 1 || app[0].Hosts != 2 || app[0].Containers != 2 || app[0].InRegistries != 1 {
		t.Fatalf("app:1 %+v", app)
	}
	if rows := localRows(t, s, pratique.AssetFilter{Search: imageID(2).Hex()[:20]}); len(rows) != 1 || rows[0].Tag != "2" {
		t.Errorf("by image id %+v", rows)
	}
	no, yes := false, true
	for name, c := range map[string]struct {
		filter pratique.AssetFilter
		want   int
	}{
		"all": {pratique.AssetFilter{}, 5}, "host": {pratique.AssetFilter{Hosts: []string{"id of web2"}}, 3}, "project": {pratique.AssetFilter{Projects: []string{"shop"}}, 5}, "no project": {pratique.AssetFilter{Projects: []string{"x"}}, 0},
		"label": {pratique.AssetFilter{Labels: []string{"cluster=web2", "cluster=x"}}, 3}, "no label": {pratique.AssetFilter{Labels: []string{"cluster"}}, 0},
		"used": {pratique.AssetFilter{Used: &yes}, 2}, "unused": {pratique.AssetFilter{Used: &no}, 3}, "running": {pratique.AssetFilter{Running: true}, 2}, "container": {pratique.AssetFilter{Container: "web"}, 1},
		"scannable": {pratique.AssetFilter{Scannable: &yes}, 3}, "not scannable": {pratique.AssetFilter{Scannable: &no}, 2}, "newest": {pratique.AssetFilter{Newest: true}, 3},
	} {
		if got := localRows(t, s, c.filter); len(got) != c.want {
			t.Errorf("%s: %d rows, want %d", name, len(got), c.want)
		}
	}
	for _, row := range localRows(t, s, pratique.AssetFilter{Scannable: &no}) {
		if row.Reason == "" {
			t.Errorf("%s tells no reason", row.Repository)
		}
	}
	both := ok[pratique.Page[pratique.AssetRow]](t)(s.Assets(ctx, pratique.AssetFilter{Source: pratique.SourceAll}, pratique.PageRequest{Count: true}))
	if both.Total != 7 {
		t.Errorf("%d rows in all", both.Total)
	}
	repository := ok[pratique.Page[pratique.AssetRow]](t)(s.Assets(ctx, pratique.AssetFilter{Running: true}, pratique.PageRequest{}))
	if len(repository.Items) != 1 || repository.Items[0].Hosts != 2 || repository.Items[0].Source != pratique.SourceRegistry {
		t.Errorf("repository images in use %+v", repository.Items)
	}
	v := ok[pratique.ImageSummary](t)(s.Image(ctx, imageID(1)))
	if len(v.Assets) != 1 || len(v.Local) != 1 {
		t.Errorf("%d rows in registries and %d on hosts", len(v.Assets), len(v.Local))
	}
	facets := ok[pratique.AssetFacets](t)(s.AssetFacets(ctx, pratique.AssetFilter{Source: pratique.SourceLocal}))
	if len(facets.Hosts) != 2 || facets.Hosts[0].Count != 3 || len(facets.Registries) != 0 || len(facets.Engines) != 1 || facets.Projects[0].Value != "shop" || len(facets.Labels) != 2 || facets.Labels[0].Count != 3 || facets.Labels[0].Value != "cluster=web1" && facets.Labels[0].Value != "cluster=web2" {
		t.Errorf("facets %+v", facets)
	}
	if f := ok[pratique.AssetFacets](t)(s.AssetFacets(ctx, pratique.AssetFilter{})); len(f.Registries) != 1 || len(f.Kinds) != 1 {
		t.Errorf("facets of repository images %+v", f)
	}
	// One scan, two lists, counted apart.
	p := deb("openssl", "1")
	scanned(t, s, report(imageID(1), nil, []pratique.Package{p}, finding("CVE-1", p, pratique.SeverityCritical, "2")))
	q := deb("bash", "1")
	agentScans(t, s, "web1", report(imageID(2), nil, []pratique.Package{q}, finding("CVE-2", q, pratique.SeverityHigh, "")))
	for source, want := range map[pratique.ImageSource]pratique.Overview{
		pratique.SourceRegistry: {Rows: 2, Images: 2, AtRisk: 1, DistinctIDs: pratique.BySeverity{Critical: 1}, HighPriority: 1},
		pratique.SourceLocal:    {Rows: 5, Images: 4, AtRisk: 2, DistinctIDs: pratique.BySeverity{Critical: 1, High: 1}, HighPriority: 1, Hosts: 2, HostsOnline: 2, Containers: 3, Running: 3},
		pratique.SourceAll:      {Rows: 7, Images: 5, AtRisk: 3, DistinctIDs: pratique.BySeverity{Critical: 1, High: 1}, HighPriority: 2, Hosts: 2, HostsOnline: 2, Containers: 3, Running: 3},
	} {
		v := ok[pratique.Overview](t)(s.Overview(ctx, source, day))
		got := pratique.Overview{Rows: v.Rows, Images: v.Images, AtRisk: v.AtRisk, DistinctIDs: v.DistinctIDs, HighPriority: v.HighPriority, Hosts: v.Hosts, HostsOnline: v.HostsOnline, Containers: v.Containers, Running: v.Running}
		if fmt.Sprint(got) != fmt.Sprint(want) || v.Registries != 1 || v.Repositories != 1 {
			t.Errorf("overview of %s\n%+v, want\n%+v", source, got, want)
		}
	}
	if d := ok[pratique.Day](t)(s.Today(ctx, "2026-03-01")); d.Rows != 2 || d.Counters.Vulnerabilities.Total() != 1 {
		t.Errorf("today %+v", d)
	}
	found := ok[pratique.VulnerabilityDetail](t)(s.Vulnerability(ctx, "CVE-1"))
	if found.Images != 1 || found.Repositories != 1 || found.Local != 1 || found.Containers != 2 {
		t.Errorf("vulnerability %+v", found.VulnerabilityRow)
	}
	if n := len(ok[pratique.Page[pratique.VulnerabilityRow]](t)(s.Vulnerabilities(ctx, pratique.FindingFilter{}, pratique.PageRequest{})).Items); n != 2 {
		t.Errorf("%d vulnerabilities", n)
	}
	if n := ok[int](t)(s.CountIn(ctx, pratique.CategoryVulnerability, pratique.AssetFilter{Source: pratique.SourceLocal}, pratique.FindingFilter{})); n != 2 {
		t.Errorf("%d findings on hosts", n)
	}
	names := ok[map[pratique.Digest]pratique.AssetName](t)(s.AssetNames(ctx, []pratique.Digest{imageID(1), imageID(2)}))
	if names[imageID(1)].Source != pratique.SourceRegistry || names[imageID(2)].Source != pratique.SourceLocal || names[imageID(2)].Repository != "app" {
		t.Errorf("names %+v", names)
	}
	// Whatever a host says of a manifest, a registry's row does not believe it.
	claimed := local(6, "evil:1")
	claimed.Digests = []string{"evil@" + string(digest("manifest", 7))}
	told(t, s, "evil", []pratique.LocalImage{claimed})
	unknown := asset("7", 7)
	unknown.ImageID = ""
	if got := ok[pratique.SyncResult](t)(s.SyncRepository(ctx, r.ID, "team/other", []pratique.Asset{unknown}, true)); len(got.Unread) != 1 {
		t.Errorf("a registry's row took its content from a host: %+v", got)
	}
	if known := ok[[]pratique.Asset](t)(s.KnownManifests(ctx, r.ID, digest("manifest", 7))); len(known) != 0 {
		t.Errorf("known by a host's word: %+v", known)
	}
}

// agentScans lets the agent of a host scan an image as it is told to.
func agentScans(t testing.TB, s *store.Store, name string, r *pratique.Report) {
	t.Helper()
	ctx := context.Background()
	h := ok[pratique.HostRow](t)(s.Host(ctx, "id of "+name))
	_, _, err := s.CreateTask(ctx, want([]pratique.Digest{r.Image.ID}, everything...))
	must(t, err)
	work := ok[pratique.AgentWork](t)(s.NextWork(ctx, h.AgentID))
	if work.Scan == nil || work.Scan.Lease.ImageID != r.Image.ID {
		t.Fatalf("work %+v", work)
	}
	_, err = s.FinishScan(ctx, work.Scan.Lease, r, "rules 1")
	must(t, err)
}

// hostLists: the windows of servers and containers with their filters and searches.
func hostLists(t *testing.T, s *store.Store, _ string) {
	ctx := context.Background()
	exited := running("old", 1)
	exited.State = pratique.ContainerExited
	told(t, s, "web1", []pratique.LocalImage{local(1, "app:1"), local(2, "app:2")}, running("web", 1), exited)
	second := told(t, s, "web2", []pratique.LocalImage{local(1, "app:1")})
	engine := docker
	engine.Version = "24.0.7"
	must(t, s.PutInventory(ctx, second.ID, inventory(engine, []pratique.LocalImage{local(1, "app:1")}, running("other", 1))))
	must(t, s.RevokeAgent(ctx, told(t, s, "web3", []pratique.LocalImage{local(2, "app:2")}).ID))
	yes, no := true, false
	row := localRows(t, s, pratique.AssetFilter{Search: "app:1"})[0]
	for name, c := range map[string]struct {
		filter pratique.HostFilter
		want   []string
	}{
		"all": {pratique.HostFilter{}, []string{"web1", "web2", "web3"}}, "image": {pratique.HostFilter{ImageIDs: []pratique.Digest{imageID(1)}}, []string{"web1", "web2"}}, "row": {pratique.HostFilter{Assets: []int64{row.ID}}, []string{"web1", "web2"}},
		"online": {pratique.HostFilter{Online: &yes}, []string{"web1", "web2"}}, "offline": {pratique.HostFilter{Online: &no}, []string{"web3"}}, "version": {pratique.HostFilter{Search: "24.0"}, []string{"web2"}},
		"name": {pratique.HostFilter{Search: "WEB2"}, []string{"web2"}}, "project": {pratique.HostFilter{Search: "shop"}, []string{"web1", "web2", "web3"}}, "nothing": {pratique.HostFilter{Search: "shop nowhere"}, nil}, "engine": {pratique.HostFilter{Engines: []pratique.EngineKind{pratique.EnginePodman}}, nil},
	} {
		var got []string
		for _, h := range ok[pratique.Page[pratique.HostRow]](t)(s.Hosts(ctx, c.filter, pratique.PageRequest{})).Items {
			got = append(got, h.Name)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: hosts %q, want %q", name, got, c.want)
		}
	}
	for name, c := range map[string]struct {
		filter pratique.ContainerFilter
		want   []string
	}{
		"all": {pratique.ContainerFilter{}, []string{"old", "other", "web"}}, "image": {pratique.ContainerFilter{ImageIDs: []pratique.Digest{imageID(2)}}, nil}, "state": {pratique.ContainerFilter{States: []pratique.ContainerState{pratique.ContainerExited}}, []string{"old"}},
		"host": {pratique.ContainerFilter{Search: "web1"}, []string{"old", "web"}}, "by host": {pratique.ContainerFilter{Hosts: []string{"id of web2"}}, []string{"other"}}, "command": {pratique.ContainerFilter{Search: "nginx other"}, []string{"other"}},
	} {
		var got []string
		for _, v := range ok[pratique.Page[pratique.ContainerRow]](t)(s.Containers(ctx, c.filter, pratique.PageRequest{Sort: "name"})).Items {
			got = append(got, v.Name)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: containers %q, want %q", name, got, c.want)
		}
	}
	for _, sort := range []string{"name", "project", "seen", "updated", "images", "atRisk", "containers", "running"} {
		p := ok[pratique.Page[pratique.HostRow]](t)(s.Hosts(ctx, pratique.HostFilter{}, pratique.PageRequest{Sort: sort, Desc: true, Limit: 2, Count: true}))
		rest := ok[pratique.Page[pratique.HostRow]](t)(s.Hosts(ctx, pratique.HostFilter{}, pratique.PageRequest{Sort: sort, Desc: true, Limit: 2, Cursor: p.Next}))
		if p.Total != 3 || len(p.Items) != 2 || len(rest.Items) != 1 {
			t.Errorf("by %s: %d, %d and %d rows", sort, p.Total, len(p.Items), len(rest.Items))
		}
	}
	for _, sort := range []string{"", "updated", "name", "state", "host", "created", "worst"} {
		ok[pratique.Page[pratique.ContainerRow]](t)(s.Containers(ctx, pratique.ContainerFilter{}, pratique.PageRequest{Sort: sort, Limit: 1}))
	}
	for _, sort := range []string{"hosts", "containers"} {
		if p := ok[pratique.Page[pratique.AssetRow]](t)(s.Assets(ctx, pratique.AssetFilter{Source: pratique.SourceLocal}, pratique.PageRequest{Sort: sort, Desc: true})); p.Items[0].ID != row.ID && sort == "containers" {
			t.Errorf("most %s: %+v", sort, p.Items[0])
		}
	}
	if f := ok[pratique.HostFacets](t)(s.HostFacets(ctx)); len(f.Projects) != 1 || f.Projects[0].Count != 3 || len(f.Engines) != 1 || len(f.Labels) != 3 || f.Labels[0] != (pratique.Facet{Value: "cluster=web1", Count: 1}) {
		t.Errorf("facets of hosts %+v", f)
	}
	if p := ok[pratique.Page[pratique.HostRow]](t)(s.Hosts(ctx, pratique.HostFilter{Labels: []string{"cluster=web2"}}, pratique.PageRequest{})); len(p.Items) != 1 || p.Items[0].Name != "web2" {
		t.Errorf("hosts with a label: %+v", p.Items)
	}
}

// siteSyncs: a site knows what is wanted of its registries, until somebody is at it,
// and a run while it goes on.
func siteSyncs(t *testing.T, s *store.Store, far pratique.Registry) {
	t.Helper()
	ctx := context.Background()
	if !ok[bool](t)(s.SiteOnline(ctx, "mars")) || ok[bool](t)(s.SiteOnline(ctx, "venus")) {
		t.Error("the agent of mars is online, and no other")
	}
	must(t, s.WantSync(ctx, far.ID, pratique.SyncWish{Whole: &pratique.WholeSync{Full: true, By: "admin", Reason: "manual", At: time.Now()}}))
	if mars, venus := ok[map[int64]pratique.SyncWish](t)(s.SiteWishes(ctx, "mars")), ok[map[int64]pratique.SyncWish](t)(s.SiteWishes(ctx, "venus")); len(mars) != 1 || mars[far.ID].Whole == nil || len(venus) != 0 {
		t.Errorf("wanted on mars %v, on venus %v", mars, venus)
	}
	run := ok[pratique.SyncRun](t)(s.BeginSync(ctx, far.ID, false, "manual"))
	hint := pratique.SyncWish{Hints: map[string]time.Time{"b/app": time.Now()}}
	must(t, s.WantSync(ctx, far.ID, hint))
	must(t, s.SyncProgress(ctx, run))
	if r := ok[pratique.Registry](t)(s.Registry(ctx, far.ID)); r.Sync.Hinted != 1 || r.Sync.State != "running" {
		t.Errorf("a push while it runs: %+v", r.Sync)
	}
	must(t, s.SyncDone(ctx, far.ID, hint))
	if r := ok[pratique.Registry](t)(s.Registry(ctx, far.ID)); r.Sync.Hinted != 0 {
		t.Errorf("a push that was looked at: %+v", r.Sync)
	}
	if all := ok[map[int64]pratique.SyncWish](t)(s.SiteWishes(ctx, "mars")); len(all) != 0 {
		t.Errorf("somebody is at it, and it is wanted: %v", all)
	}
	if got := ok[pratique.SyncRun](t)(s.SiteSync(ctx, "mars", run.ID)); got.ID != run.ID || got.RegistryID != far.ID || got.Full {
		t.Errorf("the run is %+v", got)
	}
	_, err := s.SiteSync(ctx, "venus", run.ID)
	refused(t, err, pratique.CodeCancelled)
	ok[pratique.SyncRun](t)(s.EndSync(ctx, run, nil, nil))
	_, err = s.SiteSync(ctx, "mars", run.ID)
	refused(t, err, pratique.CodeCancelled)
	must(t, s.DropSyncWish(ctx, far.ID))
}

// siteTests: a connection test goes to one agent of the registry's site, with a password
// that is kept no longer, and nobody else may say what came of it.
func siteTests(t *testing.T, s *store.Store, far pratique.Registry, mars pratique.Agent, host int64) {
	t.Helper()
	ctx := context.Background()
	ok[pratique.AgentToken](t)(s.AddAgentToken(ctx, pratique.AgentToken{Kind: pratique.AgentSite, Site: "venus", Uses: 1, Expires: time.Now().Add(time.Hour)}, "venus"))
	venus := ok[pratique.Agent](t)(s.Enrol(ctx, "venus", pratique.Agent{Key: "venus", Name: "venus-1"}, pratique.Host{}))
	defer func() { must(t, s.RevokeAgent(ctx, venus.ID)) }()
	id := ok[int64](t)(s.AskTest(ctx, far, "far's password"))
	for _, other := range []int64{venus.ID, host} {
		if got := ok[*pratique.AgentTest](t)(s.NextTest(ctx, other)); got != nil {
			t.Errorf("agent %d got the test of another: %+v", other, got)
		}
	}
	outcome := json.RawMessage(`{"status":"connected"}`)
	refused(t, s.TestDone(ctx, mars.ID, id, outcome), pratique.CodeCancelled) // before it has it
	got := ok[*pratique.AgentTest](t)(s.NextTest(ctx, mars.ID))
	if got == nil || got.ID != id || got.Registry.Address != far.Address || got.Registry.Site != "mars" || got.Password != "far's password" {
		t.Fatalf("the test %+v", got)
	}
	if again := ok[*pratique.AgentTest](t)(s.NextTest(ctx, mars.ID)); again != nil {
		t.Errorf("it is handed out twice: %+v", again)
	}
	if agent, outcome, err := s.TestOutcome(ctx, id); err != nil || agent != "mars-1" || outcome != nil {
		t.Errorf("before the outcome: %q %s %v", agent, outcome, err)
	}
	refused(t, s.TestDone(ctx, venus.ID, id, outcome), pratique.CodeCancelled)
	must(t, s.TestDone(ctx, mars.ID, id, outcome))
	if _, told, err := s.TestOutcome(ctx, id); err != nil || !strings.Contains(string(told), "connected") {
		t.Errorf("the outcome is %s, %v", told, err)
	}
	must(t, s.DropTest(ctx, id))
	refused(t, s.TestDone(ctx, mars.ID, id, outcome), pratique.CodeCancelled)
}

// agentWork: only agents of hosts that have an image alone get it, once, and their
// writes are fenced.
func agentWork(t *testing.T, s *store.Store, _ string) {
	ctx := context.Background()
	r := newRegistry(t, s, "alpha")
	far := newRegistry(t, s, "far")
	far.Site = "mars"
	far = ok[pratique.Registry](t)(s.UpdateRegistry(ctx, far, nil))
	ok[pratique.SyncResult](t)(s.SyncRepository(ctx, r.ID, "a/app", []pratique.Asset{asset("1", 1)}, true))
	ok[pratique.SyncResult](t)(s.SyncRepository(ctx, far.ID, "b/app", []pratique.Asset{asset("1", 3)}, true))
	one := told(t, s, "web1", []pratique.LocalImage{local(1, "app:1"), local(2, "app:2", "app:latest"), local(3, "app:3")})
	two := told(t, s, "web2", []pratique.LocalImage{local(2, "app:2")})
	ok[pratique.AgentToken](t)(s.AddAgentToken(ctx, pratique.AgentToken{Kind: pratique.AgentSite, Site: "mars", Uses: 1, Expires: time.Now().Add(time.Hour)}, "site"))
	mars := ok[pratique.Agent](t)(s.Enrol(ctx, "site", pratique.Agent{Key: "mars", Name: "mars-1"}, pratique.Host{}))
	if sites := ok[[]string](t)(s.Sites(ctx)); !slices.Equal(sites, []string{"mars"}) {
		t.Errorf("sites %q", sites)
	}
	siteSyncs(t, s, far)
	siteTests(t, s, far, mars, one.ID)
	all := []pratique.Digest{imageID(1), imageID(2), imageID(3)}
	if got := ok[[]pratique.Digest](t)(s.ForWorkers(ctx, all)); !slices.Equal(got, all[:1]) {
		t.Errorf("for workers %v", got)
	}
	if work := ok[pratique.AgentWork](t)(s.NextWork(ctx, one.ID)); work.Scan != nil || work.Refresh != 0 {
		t.Errorf("work before anybody asked: %+v", work)
	}
	_, scans, err := s.CreateTask(ctx, want(all, everything...))
	must(t, err)
	if waiting := ok[[]pratique.Scan](t)(s.WaitingScans(ctx, 10)); len(waiting) != 1 || waiting[0].ImageID != imageID(1) {
		t.Errorf("left to workers: %+v", waiting)
	}
	_, err = s.Claim(ctx, scans[1], "worker")
	refused(t, err, pratique.CodeConflict)

	// Both agents ask eight times at once, and one of them gets it.
	var group sync.WaitGroup
	var mu sync.Mutex
	var got []pratique.AgentScan
	holders := map[int64]int64{}
	for i := range 8 {
		agent := []pratique.Agent{one, two}[i%2]
		group.Go(func() {
			work, err := s.NextWork(ctx, agent.ID)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			} else if work.Scan != nil {
				got = append(got, *work.Scan)
				holders[work.Scan.Lease.ScanID] = agent.ID
			}
		})
	}
	group.Wait()
	if len(got) != 1 || got[0].Lease.ImageID != imageID(2) || len(got[0].Local) == 0 || got[0].Local[0].Engine.Kind != pratique.EngineDocker {
		t.Fatalf("claimed %+v", got)
	}
	lease := got[0].Lease
	holder, other := holders[lease.ScanID], one.ID
	if holder == one.ID {
		other = two.ID
	}
	if same := ok[pratique.Lease](t)(s.AgentLease(ctx, holder, lease.ScanID)); fmt.Sprint(same) != fmt.Sprint(lease) {
		t.Errorf("lease %+v, want %+v", same, lease)
	}
	_, err = s.AgentLease(ctx, other, lease.ScanID)
	refused(t, err, pratique.CodeCancelled)
	must(t, s.Beat(ctx, lease, map[pratique.Category]int{pratique.CategorySecret: 50}))

	// A site's agent gets what lies in its registries alone, and where.
	site := ok[pratique.AgentWork](t)(s.NextWork(ctx, mars.ID))
	if site.Scan == nil || site.Scan.Lease.ImageID != imageID(3) || len(site.Scan.Remote) != 1 || site.Scan.Remote[0].RegistryID != far.ID || len(site.Scan.Local) != 0 {
		t.Errorf("work of a site %+v", site)
	}
	if l := ok[[]pratique.Location](t)(s.Locations(ctx, imageID(3))); len(l) != 0 {
		t.Errorf("workers would pull from %+v", l)
	}
	ok[bool](t)(s.FinishScan(ctx, site.Scan.Lease, report(imageID(3), nil, nil), "rules 1"))

	// A revoked agent loses what it had.
	must(t, s.RevokeAgent(ctx, holder))
	refused(t, s.Beat(ctx, lease, nil), pratique.CodeCancelled)
	next := ok[pratique.AgentWork](t)(s.NextWork(ctx, other))
	if next.Scan == nil || next.Scan.Lease.Attempt <= lease.Attempt {
		t.Fatalf("nobody gets what a revoked agent had: %+v", next)
	}
	_, err = s.FinishScan(ctx, lease, report(imageID(2), nil, nil), "rules 1")
	refused(t, err, pratique.CodeCancelled)
	must(t, s.Release(ctx, next.Scan.Lease))
	ok[[]int64](t)(s.CancelScans(ctx, scans...))
	if work := ok[pratique.AgentWork](t)(s.NextWork(ctx, other)); work.Scan != nil {
		t.Errorf("a cancelled scan was handed out: %+v", work)
	}
}

// attestedResults: what a host says of an image is forgotten when a registry has it.
func attestedResults(t *testing.T, s *store.Store, _ string) {
	ctx := context.Background()
	r := newRegistry(t, s, "alpha")
	agent := told(t, s, "web1", []pratique.LocalImage{local(1, "app:1"), local(2, "app:2"), local(3, "app:3")}, running("web", 1))
	p := deb("openssl", "1")
	attest := func(n int) *pratique.Report {
		v := report(imageID(n), nil, []pratique.Package{p}, finding("CVE-1", p, pratique.SeverityCritical, "2"))
		v.Layers[1].Attested = true
		v.Secrets = []pratique.Secret{{Rule: "key", Severity: pratique.SeverityHigh, Source: "file", Path: "root/.key", Preview: "a…z"}}
		return v
	}
	agentScans(t, s, "web1", attest(1))
	agentScans(t, s, "web1", report(imageID(2), nil, []pratique.Package{p}, finding("CVE-1", p, pratique.SeverityCritical, "2")))
	sound(t, s)
	before := ok[pratique.Page[pratique.FindingEvent]](t)(s.Events(ctx, pratique.EventFilter{}, pratique.PageRequest{})).Items
	if got := ok[pratique.SyncResult](t)(s.SyncRepository(ctx, r.ID, "a/app", []pratique.Asset{asset("1", 1), asset("2", 2)}, true)); len(got.New) != 2 {
		t.Errorf("a synchronisation found %+v", got)
	}
	v := ok[pratique.ImageSummary](t)(s.Image(ctx, imageID(1)))
	if v.Status != pratique.StatusNotScanned || v.ScannedAt != nil || v.Counters.Vulnerabilities.Total() != 0 || v.Counters.Secrets.Total() != 0 || v.Risk != pratique.RiskUnknown || len(v.Coverage) != 0 {
		t.Errorf("a host's word counts for a registry: %+v", v)
	}
	if v := ok[pratique.ImageSummary](t)(s.Image(ctx, imageID(2))); v.Status != pratique.StatusScanned || v.Counters.Vulnerabilities.Total() != 1 {
		t.Errorf("what was verified is gone: %+v", v)
	}
	if after := ok[pratique.Page[pratique.FindingEvent]](t)(s.Events(ctx, pratique.EventFilter{}, pratique.PageRequest{})).Items; len(after) != len(before) {
		t.Errorf("%d events before, %d after", len(before), len(after))
	}
	sound(t, s)
	scanned(t, s, report(imageID(1), nil, []pratique.Package{p}, finding("CVE-1", p, pratique.SeverityCritical, "2")))
	if v := ok[pratique.ImageSummary](t)(s.Image(ctx, imageID(1))); v.Counters.Vulnerabilities.Total() != 1 {
		t.Errorf("read by a worker: %+v", v.Counters)
	}
	// The registry gets the image while the agent scans it.
	_, scans, err := s.CreateTask(ctx, want([]pratique.Digest{imageID(3)}, everything...))
	must(t, err)
	work := ok[pratique.AgentWork](t)(s.NextWork(ctx, agent.ID))
	ok[pratique.SyncResult](t)(s.SyncRepository(ctx, r.ID, "a/other", []pratique.Asset{asset("3", 3)}, true))
	if again := ok[bool](t)(s.FinishScan(ctx, work.Scan.Lease, attest(3), "rules 1")); !again {
		t.Error("a host's word was kept for a registry's image")
	}
	if v := ok[pratique.ImageSummary](t)(s.Image(ctx, imageID(3))); v.Status != pratique.StatusScanning || v.Counters.Vulnerabilities.Total() != 0 {
		t.Errorf("while it waits for a worker: %+v", v)
	}
	lease := ok[pratique.Lease](t)(s.Claim(ctx, scans[0], "worker"))
	ok[bool](t)(s.FinishScan(ctx, lease, report(imageID(3), nil, []pratique.Package{p}), "rules 1"))
}

// strandedScans: what waits for an agent that is away says so, and ends after a while.
func strandedScans(t *testing.T, s *store.Store, _ string) {
	ctx := context.Background()
	agent := told(t, s, "web1", []pratique.LocalImage{local(1, "app:1")})
	task, scans, err := s.CreateTask(ctx, want([]pratique.Digest{imageID(1)}, everything...))
	must(t, err)
	waits := func() pratique.Scan { return ok[pratique.Scan](t)(s.Scan(ctx, scans[0])) }
	if n := ok[int](t)(s.TellStranded(ctx, time.Hour)); n != 0 || waits().Error != nil {
		t.Errorf("with its agent online: %d failed, %v", n, waits().Error)
	}
	_, err = s.Writer().Exec(fmt.Sprintf("UPDATE agents SET beat = beat - %d", (2 * time.Minute).Microseconds()))
	must(t, err)
	ok[int](t)(s.TellStranded(ctx, time.Hour))
	if c := waits(); c.Error == nil || c.Error.Code != pratique.CodeUnreachable || c.Error.Remedy == "" || c.Ended != nil {
		t.Errorf("with its agent away: %+v", c)
	}
	must(t, s.AgentBeat(ctx, agent.ID, host("web1"), "1", nil))
	if ok[int](t)(s.TellStranded(ctx, time.Hour)); waits().Error != nil {
		t.Errorf("with its agent back: %v", waits().Error)
	}
	_, err = s.Writer().Exec(fmt.Sprintf("UPDATE agents SET beat = beat - %d", (2 * time.Minute).Microseconds()))
	must(t, err)
	ok[int](t)(s.TellStranded(ctx, time.Hour))
	if n := ok[int](t)(s.TellStranded(ctx, 0)); n != 1 {
		t.Errorf("%d scans failed", n)
	}
	if c := waits(); c.Status != pratique.StatusFailed || c.Error == nil {
		t.Errorf("given up: %+v", c)
	}
	if got := ok[pratique.Task](t)(s.Task(ctx, task.ID)); got.Failed != 1 || got.Ended == nil {
		t.Errorf("its task: %+v", got)
	}
}

// dataUpdates: hosts that are away have failed at once, and those that do not answer
// after a while.
func dataUpdates(t *testing.T, s *store.Store, _ string) {
	ctx := context.Background()
	if u := ok[*pratique.DataUpdate](t)(s.LastDataUpdate(ctx)); u != nil {
		t.Errorf("an update before the first: %+v", u)
	}
	_, err := s.StartDataUpdate(ctx, "admin")
	refused(t, err, pratique.CodeInvalid)
	one, two, away := told(t, s, "web1", nil), told(t, s, "web2", nil), told(t, s, "web3", nil)
	must(t, s.RevokeAgent(ctx, told(t, s, "web4", nil).ID))
	_, err = s.Writer().Exec(fmt.Sprintf("UPDATE agents SET beat = beat - %d WHERE id = %d", time.Hour.Microseconds(), away.ID))
	must(t, err)
	u := ok[pratique.DataUpdate](t)(s.StartDataUpdate(ctx, "admin"))
	if u.Total != 3 || u.Done != 0 || len(u.Failed) != 1 || u.Failed[0].HostName != "web3" || u.Failed[0].Error.Remedy == "" || u.Ended != nil {
		t.Errorf("begun %+v", u)
	}
	_, err = s.StartDataUpdate(ctx, "admin")
	refused(t, err, pratique.CodeConflict)
	if work := ok[pratique.AgentWork](t)(s.NextWork(ctx, one.ID)); work.Refresh != u.ID {
		t.Errorf("work %+v", work)
	}
	if work := ok[pratique.AgentWork](t)(s.NextWork(ctx, one.ID)); work.Refresh != 0 {
		t.Errorf("handed out twice: %+v", work)
	}
	must(t, s.RefreshDone(ctx, one.ID, u.ID, nil))
	must(t, s.RefreshDone(ctx, one.ID, u.ID, pratique.Errorf(pratique.CodeInternal, "late")))
	if u = ok[pratique.DataUpdate](t)(s.DataUpdate(ctx, u.ID)); u.Done != 1 || u.Ended != nil {
		t.Errorf("half way %+v", u)
	}
	if n := ok[int](t)(s.EndDataUpdates(ctx, time.Hour)); n != 0 {
		t.Errorf("%d ended too soon", n)
	}
	if n := ok[int](t)(s.EndDataUpdates(ctx, -time.Second)); n != 1 {
		t.Errorf("%d ended", n)
	}
	if u := ok[*pratique.DataUpdate](t)(s.LastDataUpdate(ctx)); u.Ended == nil || u.Done != 1 || len(u.Failed) != 2 {
		t.Errorf("ended %+v", u)
	}
	u = ok[pratique.DataUpdate](t)(s.StartDataUpdate(ctx, "admin", two.HostID))
	must(t, s.RefreshDone(ctx, two.ID, u.ID, nil))
	if u := ok[pratique.DataUpdate](t)(s.DataUpdate(ctx, u.ID)); u.Total != 1 || u.Done != 1 || u.Ended == nil {
		t.Errorf("of one host %+v", u)
	}
	_, err = s.StartDataUpdate(ctx, "admin", "nobody")
	refused(t, err, pratique.CodeNotFound)
}

// largeInventory: 500 images and 1000 containers are taken in well under a second,
// and cost next to nothing when nothing changed.
func largeInventory(t *testing.T, s *store.Store, _ string) {
	ctx := context.Background()
	a := enrolled(t, s, "big")
	var images []pratique.LocalImage
	var containers []pratique.Container
	for i := range 500 {
		images = append(images, local(i, fmt.Sprintf("registry.example.org/team/app%d:%d", i%50, i)))
		for k := range 2 {
			containers = append(containers, running(fmt.Sprint("c", k), i))
		}
	}
	for _, step := range []struct {
		name string
		most time.Duration // generous: tests run beside others
	}{{"first", 5 * time.Second}, {"unchanged", 2 * time.Second}} {
		began := time.Now()
		must(t, s.PutInventory(ctx, a.ID, inventory(docker, images, containers...)))
		took := time.Since(began)
		t.Logf("%s: %s", step.name, took.Round(time.Millisecond))
		if took > step.most {
			t.Errorf("the %s inventory took %s", step.name, took)
		}
	}
	if h := ok[pratique.HostRow](t)(s.Host(ctx, "id of big")); h.Images != 500 || h.Running != 1000 {
		t.Errorf("host %+v", h)
	}
}
