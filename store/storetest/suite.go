package storetest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/store"
)

// Run runs the suite. fresh returns the address of a new, empty database.
func Run(t *testing.T, fresh func(t testing.TB) string) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, s *store.Store, dsn string)
	}{
		{"registries", registries}, {"sealed", sealed}, {"syncs", syncs}, {"listings", listings}, {"newest", newest}, {"pushed lately", pushedLately}, {"pulls", pulls},
		{"wishes", wishes}, {"contents", contents}, {"strangers", strangers}, {"bundles", bundles}, {"postponing", postponing}, {"tasks", tasks}, {"leases", leases}, {"cancelling", cancelling}, {"silence", silence}, {"overdue", overdue},
		{"reports", reports}, {"categories", categories}, {"failures", failures}, {"hostile", hostile},
		{"adoptions", adoptions}, {"reopening", reopening}, {"staleness", staleness}, {"exploitation", exploitation}, {"exposure", exposure}, {"gone", gone},
		{"images", images}, {"paging", paging}, {"lists", lists}, {"places", places}, {"overview", overview}, {"accounts", accounts},
		{"schedules", schedules}, {"runs", runs}, {"putting back", puttingBack}, {"quota", quota}, {"rule of the quota", autoLicence}, {"licences at once", licencesAtOnce}, {"exports", exports},
		{"agents", agents}, {"inventories", inventories}, {"images on hosts", localImages}, {"hosts and containers", hostLists}, {"work of agents", agentWork}, {"attested", attestedResults},
		{"stranded", strandedScans}, {"data updates", dataUpdates}, {"large inventory", largeInventory},
		{"workers", workers}, {"side by side", sideBySide},
	} {
		t.Run(c.name, func(t *testing.T) {
			dsn := fresh(t)
			s := Open(t, dsn)
			c.test(t, s, dsn)
			sound(t, s)
		})
	}
}

// Key is the key of the suite's databases.
func Key(t testing.TB) *store.Keyring {
	t.Helper()
	keys, err := store.NewKeyring(bytes.Repeat([]byte{7}, 32))
	must(t, err)
	return keys
}

// Open opens a database that is closed with the test.
func Open(t testing.TB, dsn string) *store.Store {
	t.Helper()
	s, err := store.Open(context.Background(), dsn, Key(t))
	must(t, err)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func registries(t *testing.T, s *store.Store, _ string) {
	ctx := context.Background()
	r := newRegistry(t, s, "alpha")
	if !r.HasPassword || r.ID == 0 || r.Created.IsZero() {
		t.Fatalf("created %+v", r)
	}
	r.Namespaces, r.Named = []string{"team"}, []string{"team/app", "library/debian"}
	kept := ok[pratique.Registry](t)(s.UpdateRegistry(ctx, r, nil))
	if read := ok[pratique.Registry](t)(s.Registry(ctx, r.ID)); !slices.Equal(read.Named, r.Named) || !slices.Equal(read.Namespaces, r.Namespaces) || !slices.Equal(kept.Named, r.Named) {
		t.Errorf("kept %v %v, read %v %v", kept.Namespaces, kept.Named, read.Namespaces, read.Named)
	}
	_, err := s.CreateRegistry(ctx, pratique.Registry{Name: "alpha", Kind: "oci", Address: "a"}, "")
	refused(t, err, pratique.CodeConflict)
	_, err = s.CreateRegistry(ctx, pratique.Registry{Kind: "oci", Address: "a"}, "")
	refused(t, err, pratique.CodeInvalid)
	_, err = s.Registry(ctx, 999)
	refused(t, err, pratique.CodeNotFound)
	if !ok[bool](t)(s.RegistryNameTaken(ctx, "alpha", 0)) || ok[bool](t)(s.RegistryNameTaken(ctx, "alpha", r.ID)) || ok[bool](t)(s.RegistryNameTaken(ctx, "beta", 0)) {
		t.Error("which names are taken")
	}
	r.Name, r.HourlyLimit, r.Insecure = "beta", 20, true
	r = ok[pratique.Registry](t)(s.UpdateRegistry(ctx, r, nil))
	if r.Name != "beta" || !r.HasPassword || r.HourlyLimit != 20 {
		t.Errorf("updated %+v", r)
	}
	if p := ok[string](t)(s.RegistryPassword(ctx, r.ID)); p != "open sesame alpha" {
		t.Errorf("password %q after an edit that left it empty", p)
	}
	none := ""
	if r = ok[pratique.Registry](t)(s.UpdateRegistry(ctx, r, &none)); r.HasPassword {
		t.Error("the password was not removed")
	}
	must(t, s.SetHealth(ctx, r.ID, pratique.Health{Status: "auth_failed", Reason: pratique.Text{EN: "wrong password"}, Addresses: []string{"example.org:443"}}))
	if got := ok[pratique.Registry](t)(s.Registry(ctx, r.ID)); got.Health.Status != "auth_failed" || got.Health.Addresses[0] != "example.org:443" {
		t.Errorf("health %+v", got.Health)
	}
	other := newRegistry(t, s, "alpha")
	other.Name = "beta"
	_, err = s.UpdateRegistry(ctx, other, nil)
	refused(t, err, pratique.CodeConflict)
	if all := ok[[]pratique.RegistryRow](t)(s.Registries(ctx)); len(all) != 2 || all[0].Name != "alpha" {
		t.Errorf("list %+v", all)
	}
	ok[int](t)(s.DeleteRegistries(ctx, r.ID, other.ID))
	if all := ok[[]pratique.RegistryRow](t)(s.Registries(ctx)); len(all) != 0 {
		t.Errorf("%d registries after deleting all", len(all))
	}
}

// sealed: what must not be readable is not in the database, and another key does
// not open it.
func sealed(t *testing.T, s *store.Store, dsn string) {
	ctx := context.Background()
	r := newRegistry(t, s, "alpha")
	must(t, s.SetWebhookSecret(ctx, r.ID, "hook secret"))
	if got := ok[string](t)(s.WebhookSecret(ctx, r.ID)); got != "hook secret" {
		t.Errorf("webhook secret %q", got)
	}
	var password, hook []byte
	must(t, s.Writer().QueryRow("SELECT password, webhook_secret FROM registries").Scan(&password, &hook))
	for _, b := range [][]byte{password, hook} {
		if len(b) < 28 || bytes.Contains(b, []byte("sesame")) || bytes.Contains(b, []byte("hook")) {
			t.Errorf("kept as %q", b)
		}
	}
	// A sealed value opens in its own place only.
	_, err := s.Writer().Exec("UPDATE registries SET webhook_secret = password")
	must(t, err)
	_, err = s.WebhookSecret(ctx, r.ID)
	refused(t, err, pratique.CodeInvalid)
	other, err := store.NewKeyring(bytes.Repeat([]byte{8}, 32))
	must(t, err)
	if opened, err := store.Open(ctx, dsn, other); err == nil {
		t.Error("opened with another key")
		opened.Close()
	} else {
		refused(t, err, pratique.CodeInvalid)
	}
	path := filepath.Join(t.TempDir(), "folder", "key")
	ok[*store.Keyring](t)(store.OpenKeyring(path))
	ok[*store.Keyring](t)(store.OpenKeyring(path))
	must(t, os.Chmod(path, 0o644))
	_, err = store.OpenKeyring(path)
	refused(t, err, pratique.CodeInvalid)
	must(t, os.Chmod(path, 0o600))
	must(t, os.WriteFile(path, []byte("short"), 0o600))
	_, err = store.OpenKeyring(path)
	refused(t, err, pratique.CodeInvalid)
}

func syncs(t *testing.T, s *store.Store, _ string) {
	ctx := context.Background()
	r := newRegistry(t, s, "alpha")
	run := ok[pratique.SyncRun](t)(s.BeginSync(ctx, r.ID, true, "manual"))
	_, err := s.BeginSync(ctx, r.ID, true, "manual")
	refused(t, err, pratique.CodeConflict)
	_, err = s.BeginSync(ctx, 999, true, "manual")
	refused(t, err, pratique.CodeNotFound)
	for _, name := range []string{"a/one", "a/two"} {
		ok[pratique.SyncResult](t)(s.SyncRepository(ctx, r.ID, name, []pratique.Asset{asset("1", 1)}, true))
	}
	run.Done, run.Total = 2, 2
	must(t, s.SyncProgress(ctx, run))
	if got := ok[pratique.Registry](t)(s.Registry(ctx, r.ID)).Sync; got.State != "running" || got.Done != 2 {
		t.Errorf("while it runs %+v", got)
	}
	run = ok[pratique.SyncRun](t)(s.EndSync(ctx, run, nil, &pratique.Health{Status: "connected"}))
	got := ok[pratique.Registry](t)(s.Registry(ctx, r.ID)).Sync
	if got.State != "success" || got.LastSuccess == nil || got.Ended == nil {
		t.Errorf("after it %+v", got)
	}
	_, err = s.EndSync(ctx, run, nil, &pratique.Health{Status: "unreachable"})
	refused(t, err, pratique.CodeCancelled)
	if h := ok[pratique.Registry](t)(s.Registry(ctx, r.ID)).Health; h.Status != "connected" {
		t.Errorf("the health is %+v", h)
	}

	// A full run that does not see a repository marks it; a failed one does not.
	for _, failure := range []*pratique.Error{pratique.Errorf(pratique.CodeUnreachable, "gone").WithRemedy("retry"), nil} {
		run = ok[pratique.SyncRun](t)(s.BeginSync(ctx, r.ID, true, "schedule"))
		ok[pratique.SyncResult](t)(s.SyncRepository(ctx, r.ID, "a/one", []pratique.Asset{asset("1", 1)}, true))
		run = ok[pratique.SyncRun](t)(s.EndSync(ctx, run, failure, nil))
		want := 2
		if failure == nil {
			want = 1
		}
		if p := ok[pratique.Page[pratique.AssetRow]](t)(s.Assets(ctx, pratique.AssetFilter{}, pratique.PageRequest{})); len(p.Items) != want {
			t.Errorf("%d rows after a run with failure %v, want %d", len(p.Items), failure, want)
		}
	}
	if run.Gone != 1 {
		t.Errorf("%d gone", run.Gone)
	}
	if got := ok[pratique.Registry](t)(s.Registry(ctx, r.ID)).Sync; got.Error != nil || got.LastSuccess == nil {
		t.Errorf("status %+v", got)
	}
	if p := ok[pratique.Page[pratique.RepositoryRow]](t)(s.Repositories(ctx, pratique.RepositoryFilter{Gone: true}, pratique.PageRequest{})); len(p.Items) != 1 || p.Items[0].Name != "a/two" {
		t.Errorf("gone repositories %+v", p.Items)
	}
	run = ok[pratique.SyncRun](t)(s.BeginSync(ctx, r.ID, false, "webhook"))
	if n := ok[int](t)(s.EndSilentSyncs(ctx, time.Hour)); n != 0 {
		t.Errorf("%d live runs ended", n)
	}
	if n := ok[int](t)(s.EndSilentSyncs(ctx, -time.Second)); n != 1 {
		t.Errorf("%d silent runs ended", n)
	}
	refused(t, s.SyncProgress(ctx, run), pratique.CodeCancelled)
	if all := ok[[]pratique.SyncRun](t)(s.Syncs(ctx, r.ID, 10)); len(all) != 4 || all[0].State != "failed" || all[0].Error == nil || all[0].Error.Remedy == "" {
		t.Errorf("runs %+v", all)
	}
	if all := ok[[]pratique.SyncRun](t)(s.Syncs(ctx, 0, 2)); len(all) != 2 {
		t.Errorf("%d runs of all registries", len(all))
	}
}

func listings(t *testing.T, s *store.Store, _ string) {
	ctx := context.Background()
	r := newRegistry(t, s, "alpha")
	sync := func(whole bool, listing ...pratique.Asset) pratique.SyncResult {
		t.Helper()
		return ok[pratique.SyncResult](t)(s.SyncRepository(ctx, r.ID, "team/app", listing, whole))
	}
	rows := func() map[string]pratique.Asset {
		t.Helper()
		all := map[string]pratique.Asset{}
		for _, a := range ok[[]pratique.Asset](t)(s.RepositoryAssets(ctx, r.ID, "team/app")) {
			all[a.Tag+" "+a.Platform.Architecture] = a
		}
		return all
	}
	unread := pratique.Asset{Tag: "2", Digest: digest("manifest", 2)}
	if got := sync(true, asset("1", 1), unread); got.Added != 2 || len(got.Unread) != 1 || !slices.Equal(got.New, []pratique.Digest{imageID(1)}) {
		t.Fatalf("first %+v", got)
	}
	first := rows()
	if a := first["1 amd64"]; a.ImageID != imageID(1) || a.Repository != "team/app" || a.FirstSeen.IsZero() || a.Created == nil || !a.Created.Equal(day.Add(time.Hour)) {
		t.Errorf("row %+v", a)
	}
	if got := sync(true, asset("1", 1), unread); got.Added+got.Changed+got.Gone+got.Back != 0 || len(got.Unread) != 1 {
		t.Errorf("nothing changed, and still %+v", got)
	}
	// The listing of a server does not repeat what the manifest told.
	if got := sync(true, pratique.Asset{Tag: "1", Digest: digest("manifest", 1)}, asset("2", 2)); got.Added+got.Changed != 0 || len(got.Unread) != 0 || !slices.Equal(got.New, []pratique.Digest{imageID(2)}) {
		t.Errorf("the manifest was read: %+v", got)
	}
	// Content known from another row is not read again.
	if got := sync(false, pratique.Asset{Tag: "latest", Digest: digest("manifest", 2)}); got.Added != 1 || len(got.Unread) != 0 {
		t.Errorf("known manifest %+v", got)
	}
	if a := rows()["latest amd64"]; a.ImageID != imageID(2) || a.Size != 1002 {
		t.Errorf("filled in %+v", a)
	}
	// A tag moves: the row stays.
	before := rows()["latest amd64"].ID
	if got := sync(false, asset("latest", 3)); got.Changed != 1 {
		t.Errorf("moved %+v", got)
	}
	if a := rows()["latest amd64"]; a.ID != before || a.ImageID != imageID(3) {
		t.Errorf("moved row %+v", a)
	}
	// An index has one row for each platform, and takes the place of the plain tag.
	var children []pratique.Asset
	for i, arch := range []string{"amd64", "arm64"} {
		a := asset("latest", 10+i)
		a.Index, a.Platform.Architecture = digest("index", 1), arch
		children = append(children, a)
	}
	if got := sync(false, children...); got.Added != 2 || got.Gone != 1 {
		t.Errorf("index %+v", got)
	}
	// Harbor was seen to have an index of two images for one platform; listed again,
	// nothing is new.
	twin := asset("latest", 12)
	twin.Index, twin.Platform.Architecture = digest("index", 1), "amd64"
	for i, added := range []int{1, 0} {
		if got := sync(false, append(children, twin, twin)...); got.Added != added || got.Changed != 0 || got.Gone != 0 {
			t.Errorf("two images for one platform, listing %d: %+v", i, got)
		}
	}
	if got := sync(true, asset("1", 1), pratique.Asset{Digest: digest("manifest", 20)}); got.Gone != 4 || got.Added != 1 {
		t.Errorf("whole listing %+v", got)
	}
	if got := sync(true, asset("1", 1), asset("2", 2)); got.Back != 1 || got.Gone != 1 {
		t.Errorf("back %+v", got)
	}
	if a := rows()["2 amd64"]; a.ID != first["2 "].ID {
		t.Errorf("the row that came back has id %d, not %d", a.ID, first["2 "].ID)
	}
	if l := ok[[]pratique.Location](t)(s.Locations(ctx, imageID(1))); len(l) != 1 || l[0].Repository != "team/app" || l[0].Tag != "1" || l[0].RegistryID != r.ID {
		t.Errorf("locations %+v", l)
	}
	_, err := s.SyncRepository(ctx, 999, "x", nil, true)
	refused(t, err, pratique.CodeNotFound)
	_, err = s.SyncRepository(ctx, r.ID, "", nil, true)
	refused(t, err, pratique.CodeInvalid)
	if got := ok[pratique.Asset](t)(s.Asset(ctx, before)); got.Gone == nil {
		t.Error("the old row is not gone")
	}
}

func newest(t *testing.T, s *store.Store, _ string) {
	ctx := context.Background()
	r := newRegistry(t, s, "alpha")
	pushed := func(tag string, n int, hours int) pratique.Asset {
		a := asset(tag, n)
		p := day.Add(time.Duration(hours) * time.Hour)
		a.Pushed, a.Created = &p, nil
		return a
	}
	for _, c := range []struct {
		listing []pratique.Asset
		want    string
	}{
		{[]pratique.Asset{pushed("1.9", 1, 1), pushed("1.10", 1, 1), pushed("1.2", 2, 0)}, "1.10"},
		{[]pratique.Asset{pushed("1.9", 1, 1), pushed("1.10", 1, 1), pushed("1.8.1", 3, 5)}, "1.8.1"},
		{[]pratique.Asset{asset("a", 4), asset("b", 3)}, "a"},
		{[]pratique.Asset{{Tag: "x", Digest: digest("m", 1)}, {Tag: "y", Digest: digest("m", 2)}}, "y"},
	} {
		ok[pratique.SyncResult](t)(s.SyncRepository(ctx, r.ID, "app", c.listing, true))
		p := ok[pratique.Page[pratique.AssetRow]](t)(s.Assets(ctx, pratique.AssetFilter{Newest: true}, pratique.PageRequest{}))
		if len(p.Items) != 1 || p.Items[0].Tag != c.want {
			t.Errorf("newest is %+v, want %s", p.Items, c.want)
		}
	}
}

// pushedLately: days of a filter are counted from when it is used, so that one that is
// kept, as a schedule's is, chooses others the day after.
func pushedLately(t *testing.T, s *store.Store, _ string) {
	ctx := context.Background()
	r := newRegistry(t, s, "alpha")
	ago := func(tag string, n, hours int) pratique.Asset {
		a := asset(tag, n)
		p := time.Now().Add(-time.Duration(hours) * time.Hour)
		a.Pushed = &p
		return a
	}
	untold := asset("untold", 4)
	untold.Pushed = nil
	ok[pratique.SyncResult](t)(s.SyncRepository(ctx, r.ID, "app", []pratique.Asset{ago("today", 1, 2), ago("week", 2, 3*24), ago("old", 3, 10*24), untold}, true))
	chosen := func(days int) (tags []string) {
		for _, row := range ok[pratique.Page[pratique.AssetRow]](t)(s.Assets(ctx, pratique.AssetFilter{PushedDays: days}, pratique.PageRequest{Sort: "tag"})).Items {
			tags = append(tags, row.Tag)
		}
		return tags
	}
	for days, want := range map[int][]string{0: {"old", "today", "untold", "week"}, 1: {"today"}, 7: {"today", "week"}, 30: {"old", "today", "week"}, math.MaxInt: {"old", "today", "week"}} {
		if got := chosen(days); !slices.Equal(got, want) {
			t.Errorf("pushed within %d days: %q, want %q", days, got, want)
		}
	}
	images, _, err := s.Selection(ctx, pratique.AssetFilter{PushedDays: 7})
	if must(t, err); len(images) != 2 {
		t.Errorf("selected %+v", images)
	}
	_, err = s.Writer().ExecContext(ctx, "UPDATE assets SET pushed = pushed - 432000000000") // five days pass
	must(t, err)
	if got, want := chosen(7), []string{"today"}; !slices.Equal(got, want) {
		t.Errorf("five days later: %q, want %q", got, want)
	}
}

func pulls(t *testing.T, s *store.Store, _ string) {
	ctx := context.Background()
	r := newRegistry(t, s, "alpha")
	r.HourlyLimit = 2
	ok[pratique.Registry](t)(s.UpdateRegistry(ctx, r, nil))
	for scan, want := range []bool{true, true, false, false} {
		wait := ok[time.Duration](t)(s.TakePull(ctx, r.ID, int64(scan)))
		if (wait == 0) != want || wait > time.Hour {
			t.Errorf("pull %d waits %s", scan, wait)
		}
	}
	if wait := ok[time.Duration](t)(s.TakePull(ctx, r.ID, 1)); wait != 0 {
		t.Error("a scan that is tried again counts twice")
	}
	if all := ok[[]pratique.RegistryRow](t)(s.Registries(ctx)); all[0].PulledHour != 2 {
		t.Errorf("%d pulled", all[0].PulledHour)
	}
	_, err := s.Writer().Exec(fmt.Sprintf("UPDATE pulls SET at = at - %d WHERE scan_id = 0", time.Hour.Microseconds()))
	must(t, err)
	if wait := ok[time.Duration](t)(s.TakePull(ctx, r.ID, 2)); wait != 0 {
		t.Errorf("an hour later it waits %s", wait)
	}
	_, err = s.TakePull(ctx, 999, 1)
	refused(t, err, pratique.CodeNotFound)
}

// estate lists n images, one for each tag of one repository.
func estate(t testing.TB, s *store.Store, n int) pratique.Registry {
	t.Helper()
	r := newRegistry(t, s, "alpha")
	var listing []pratique.Asset
	for i := range n {
		listing = append(listing, asset(fmt.Sprint("v", i), i))
	}
	ok[pratique.SyncResult](t)(s.SyncRepository(context.Background(), r.ID, "team/app", listing, true))
	return r
}

func ids(n int) []pratique.Digest {
	var all []pratique.Digest
	for i := range n {
		all = append(all, imageID(i))
	}
	return all
}

func want(images []pratique.Digest, c ...pratique.Category) pratique.TaskRequest {
	return pratique.TaskRequest{Kind: pratique.TaskManual, Creator: "tester", Categories: c, ImageIDs: images, Timeout: time.Hour}
}

func tasks(t *testing.T, s *store.Store, _ string) {
	ctx := context.Background()
	estate(t, s, 3)
	_, _, err := s.CreateTask(ctx, want(nil, pratique.CategorySecret))
	refused(t, err, pratique.CodeInvalid)
	_, _, err = s.CreateTask(ctx, want(ids(1)))
	refused(t, err, pratique.CodeInvalid)
	_, _, err = s.CreateTask(ctx, want([]pratique.Digest{imageID(99)}, pratique.CategorySecret))
	refused(t, err, pratique.CodeNotFound)
	if p := ok[pratique.Page[pratique.Task]](t)(s.Tasks(ctx, pratique.TaskFilter{}, pratique.PageRequest{})); len(p.Items) != 0 {
		t.Fatal("a refused task was kept")
	}

	one, scans, err := s.CreateTask(ctx, want(append(ids(3), ids(2)...), pratique.CategorySecret))
	must(t, err)
	if one.Total != 3 || len(scans) != 3 {
		t.Fatalf("the same content was counted twice: %+v", one)
	}
	// A second task joins, and widens what waits.
	two, joined, err := s.CreateTask(ctx, pratique.TaskRequest{Kind: pratique.TaskWebhook, Creator: "hook", Categories: []pratique.Category{pratique.CategoryMalware}, ImageIDs: ids(1)})
	must(t, err)
	if joined[0] != scans[0] { // in the order of the request
		t.Errorf("joined %v of %v", joined, scans)
	}
	waiting := ok[[]pratique.Scan](t)(s.WaitingScans(ctx, 10))
	if len(waiting) != 3 || waiting[0].ID != joined[0] || waiting[0].Priority != pratique.PriorityPush || len(waiting[0].Categories) != 2 {
		t.Errorf("waiting %+v", waiting)
	}
	if v := ok[pratique.ImageSummary](t)(s.Image(ctx, imageID(0))); v.Status != pratique.StatusScanning || v.LastScan == nil || v.LastScan.Started != nil {
		t.Errorf("a waiting image %+v", v)
	}
	lease := ok[pratique.Lease](t)(s.Claim(ctx, joined[0], "w1"))
	if lease.ImageID != imageID(0) || lease.Attempt != 1 || lease.Timeout != 0 {
		t.Errorf("lease %+v: the task without a timeout is the more patient one", lease)
	}
	ok[bool](t)(s.FinishScan(ctx, lease, report(imageID(0), nil, nil), "rules 1"))
	if c := ok[pratique.ImageSummary](t)(s.Image(ctx, imageID(0))).LastScan; len(c.Progress) != 2 || c.Progress[c.Categories[0]] != 100 || c.Progress[c.Categories[1]] != 100 {
		t.Errorf("a scan that ended is not at its end: %+v", c)
	}
	if got := ok[pratique.Task](t)(s.Task(ctx, two.ID)); got.Ended == nil || got.Scanned != 1 || got.AtRisk != 0 {
		t.Errorf("second task %+v", got)
	}
	if got := ok[pratique.Task](t)(s.Task(ctx, one.ID)); got.Ended != nil || got.Scanned != 1 {
		t.Errorf("first task %+v", got)
	}
	for _, id := range scans {
		if id == joined[0] {
			continue
		}
		lease := ok[pratique.Lease](t)(s.Claim(ctx, id, "w1"))
		must(t, s.FailScan(ctx, lease, pratique.Errorf(pratique.CodeUnreachable, "no answer").WithRemedy("try again"), nil))
	}
	if got := ok[pratique.Task](t)(s.Task(ctx, one.ID)); got.Ended == nil || got.Failed != 2 {
		t.Errorf("first task at its end %+v", got)
	}
	if failed := ok[[]pratique.Digest](t)(s.TaskImages(ctx, one.ID, pratique.StatusFailed)); !slices.Equal(failed, sortedIDs([]pratique.Digest{imageID(1), imageID(2)})) {
		t.Errorf("failed images %v", failed)
	}
	if all := ok[[]pratique.Digest](t)(s.TaskImages(ctx, one.ID)); len(all) != 3 {
		t.Errorf("%d images of the task", len(all))
	}
	v := ok[pratique.ImageSummary](t)(s.Image(ctx, imageID(1)))
	if v.Status != pratique.StatusFailed || v.LastScan.Error == nil || v.LastScan.Error.Remedy != "try again" || v.ScannedAt != nil {
		t.Errorf("failed image %+v", v)
	}
	p := ok[pratique.Page[pratique.Task]](t)(s.Tasks(ctx, pratique.TaskFilter{Kinds: []pratique.TaskKind{pratique.TaskManual}, ImageIDs: ids(1)}, pratique.PageRequest{Count: true}))
	if p.Total != 1 || p.Items[0].ID != one.ID || p.Items[0].Timeout != time.Hour || p.Items[0].Creator != "tester" {
		t.Errorf("tasks %+v", p)
	}
	if p := ok[pratique.Page[pratique.Scan]](t)(s.Scans(ctx, pratique.ScanFilter{Tasks: []int64{one.ID}, Status: []pratique.Status{pratique.StatusFailed}}, pratique.PageRequest{})); len(p.Items) != 2 || p.Items[0].Worker != "w1" {
		t.Errorf("scans %+v", p.Items)
	}
	if p := ok[pratique.Page[pratique.Task]](t)(s.Tasks(ctx, pratique.TaskFilter{Running: true}, pratique.PageRequest{})); len(p.Items) != 0 {
		t.Errorf("running tasks %+v", p.Items)
	}
}

func sortedIDs(all []pratique.Digest) []pratique.Digest {
	slices.Sort(all)
	return all
}

func leases(t *testing.T, s *store.Store, _ string) {
	ctx := context.Background()
	estate(t, s, 1)
	_, scans, err := s.CreateTask(ctx, want(ids(1), pratique.CategorySecret))
	must(t, err)
	lease := ok[pratique.Lease](t)(s.Claim(ctx, scans[0], "w1"))
	_, err = s.Claim(ctx, scans[0], "w2")
	refused(t, err, pratique.CodeConflict)
	_, err = s.Claim(ctx, 999, "w2")
	refused(t, err, pratique.CodeNotFound)
	must(t, s.Beat(ctx, lease, map[pratique.Category]int{pratique.CategorySecret: 60}))
	must(t, s.Beat(ctx, lease, map[pratique.Category]int{pratique.CategorySecret: 20, pratique.CategoryMalware: 400}))
	if c := ok[pratique.Scan](t)(s.Scan(ctx, scans[0])); c.Progress[pratique.CategorySecret] != 60 || c.Progress[pratique.CategoryMalware] != 100 || c.Started == nil {
		t.Errorf("progress %+v", c)
	}
	// Widened while it runs: it waits again for the rest, and only for that.
	other, joined, err := s.CreateTask(ctx, want(ids(1), pratique.CategoryMalware))
	must(t, err)
	if joined[0] != scans[0] {
		t.Fatal("a second scan of the same image")
	}
	if again := ok[bool](t)(s.FinishScan(ctx, lease, report(imageID(0), nil, nil), "rules 1")); !again {
		t.Fatal("the scan ended without what was asked for meanwhile")
	}
	if got := ok[pratique.Task](t)(s.Task(ctx, other.ID)); got.Ended != nil {
		t.Error("the second task ended too early")
	}
	refused(t, s.Beat(ctx, lease, nil), pratique.CodeCancelled)
	second := ok[pratique.Lease](t)(s.Claim(ctx, scans[0], "w2"))
	if !slices.Equal(second.Categories, []pratique.Category{pratique.CategoryMalware}) || second.Attempt != 2 {
		t.Errorf("second lease %+v", second)
	}
	// The first worker is fenced.
	_, err = s.FinishScan(ctx, lease, report(imageID(0), nil, nil), "rules 0")
	refused(t, err, pratique.CodeCancelled)
	refused(t, s.FailScan(ctx, lease, pratique.Errorf(pratique.CodeInternal, "late"), nil), pratique.CodeCancelled)
	refused(t, s.Release(ctx, lease), pratique.CodeCancelled)
	must(t, s.Release(ctx, second))
	refused(t, s.Beat(ctx, second, nil), pratique.CodeCancelled)
	third := ok[pratique.Lease](t)(s.Claim(ctx, scans[0], "w3"))
	if again := ok[bool](t)(s.FinishScan(ctx, third, report(imageID(0), nil, nil), "rules 1")); again {
		t.Error("it waits again without a reason")
	}
	_, err = s.Claim(ctx, scans[0], "w3")
	refused(t, err, pratique.CodeCancelled)
	if got := ok[pratique.Task](t)(s.Task(ctx, other.ID)); got.Scanned != 1 || got.Ended == nil {
		t.Errorf("second task %+v", got)
	}
}

func cancelling(t *testing.T, s *store.Store, _ string) {
	ctx := context.Background()
	estate(t, s, 3)
	one, scans, err := s.CreateTask(ctx, want(ids(3), pratique.CategorySecret))
	must(t, err)
	two, _, err := s.CreateTask(ctx, want(ids(1), pratique.CategorySecret))
	must(t, err)
	shared := ok[[]int64](t)(s.ActiveScans(ctx, imageID(0)))[0]
	running := ok[pratique.Lease](t)(s.Claim(ctx, ok[[]int64](t)(s.ActiveScans(ctx, imageID(1)))[0], "w"))
	if ended := ok[[]int64](t)(s.CancelTask(ctx, one.ID, imageID(1))); len(ended) != 1 || ended[0] != running.ScanID {
		t.Errorf("ended %v", ended)
	}
	refused(t, s.Beat(ctx, running, nil), pratique.CodeCancelled)
	_, err = s.FinishScan(ctx, running, report(imageID(1), nil, nil), "rules 1")
	refused(t, err, pratique.CodeCancelled)
	// What another task waits for goes on.
	if ended := ok[[]int64](t)(s.CancelTask(ctx, one.ID)); slices.Contains(ended, shared) || len(ended) != 1 {
		t.Errorf("ended %v, of which %d is shared", ended, shared)
	}
	got := ok[pratique.Task](t)(s.Task(ctx, one.ID))
	if got.Cancelled != 3 || got.Ended == nil {
		t.Errorf("cancelled task %+v", got)
	}
	if c := ok[pratique.Scan](t)(s.Scan(ctx, shared)); c.Ended != nil {
		t.Error("the shared scan ended")
	}
	if ended := ok[[]int64](t)(s.CancelScans(ctx, scans...)); !slices.Equal(ended, []int64{shared}) {
		t.Errorf("ended %v", ended)
	}
	if got := ok[pratique.Task](t)(s.Task(ctx, two.ID)); got.Cancelled != 1 || got.Ended == nil {
		t.Errorf("second task %+v", got)
	}
	_, err = s.CancelTask(ctx, 999)
	refused(t, err, pratique.CodeNotFound)
	if v := ok[pratique.ImageSummary](t)(s.Image(ctx, imageID(0))); v.Status != pratique.StatusCancelled {
		t.Errorf("image is %s", v.Status)
	}
}

func silence(t *testing.T, s *store.Store, _ string) {
	ctx := context.Background()
	estate(t, s, 1)
	task, scans, err := s.CreateTask(ctx, want(ids(1), pratique.CategorySecret))
	must(t, err)
	for i := 1; i <= store.MaxAttempts; i++ {
		lease := ok[pratique.Lease](t)(s.Claim(ctx, scans[0], "w"))
		if released := ok[[]int64](t)(s.ReleaseSilent(ctx, time.Minute)); len(released) != 0 {
			t.Fatal("a living worker lost its scan")
		}
		released := ok[[]int64](t)(s.ReleaseSilent(ctx, -time.Second))
		if want := i < store.MaxAttempts; (len(released) == 1) != want {
			t.Fatalf("after death %d: released %v", i, released)
		}
		refused(t, s.Beat(ctx, lease, nil), pratique.CodeCancelled)
	}
	c := ok[pratique.Scan](t)(s.Scan(ctx, scans[0]))
	if c.Status != pratique.StatusFailed || c.Error == nil || c.Error.Remedy == "" {
		t.Errorf("scan %+v", c)
	}
	if got := ok[pratique.Task](t)(s.Task(ctx, task.ID)); got.Failed != 1 || got.Ended == nil {
		t.Errorf("task %+v", got)
	}
}

// A worker that beats on when the scan's time is over has lost it, and nobody gets it
// next.
func overdue(t *testing.T, s *store.Store, _ string) {
	ctx := context.Background()
	estate(t, s, 1)
	task, scans, err := s.CreateTask(ctx, want(ids(1), pratique.CategorySecret))
	must(t, err)
	lease := ok[pratique.Lease](t)(s.Claim(ctx, scans[0], "w"))
	for _, late := range []time.Duration{time.Hour, 3 * time.Minute} { // an hour in all is not yet enough
		if c := ok[pratique.Scan](t)(s.Scan(ctx, scans[0])); c.Ended != nil {
			t.Fatalf("ended before its time was over: %+v", c)
		}
		_, err = s.Writer().Exec(fmt.Sprintf("UPDATE scans SET started = started - %d", late.Microseconds()))
		must(t, err)
		must(t, s.Beat(ctx, lease, nil))
		if released := ok[[]int64](t)(s.ReleaseSilent(ctx, time.Minute)); len(released) != 0 {
			t.Errorf("released %v", released)
		}
	}
	refused(t, s.Beat(ctx, lease, nil), pratique.CodeCancelled)
	if c := ok[pratique.Scan](t)(s.Scan(ctx, scans[0])); c.Status != pratique.StatusFailed || c.Error == nil || c.Error.Code != pratique.CodeTimeout || c.Error.Remedy == "" {
		t.Errorf("scan %+v", c)
	}
	if got := ok[pratique.Task](t)(s.Task(ctx, task.ID)); got.Failed != 1 || got.Ended == nil {
		t.Errorf("task %+v", got)
	}
}

// asJSON makes values comparable, whatever their pointers.
func asJSON(t testing.TB, v any) string {
	t.Helper()
	b, err := json.MarshalIndent(v, "", " ")
	must(t, err)
	return string(b)
}

func diff(t testing.TB, what string, got, want any) {
	t.Helper()
	g, w := strings.Split(asJSON(t, got), "\n"), strings.Split(asJSON(t, want), "\n")
	for i := range max(len(g), len(w)) {
		switch {
		case i >= len(g) || i >= len(w) || g[i] != w[i]:
			t.Errorf("%s differs from line %d on:\n got %v\nwant %v", what, i, g[min(i, len(g)):min(i+4, len(g))], w[min(i, len(w)):min(i+4, len(w))])
			return
		}
	}
}

func reports(t *testing.T, s *store.Store, _ string) {
	ctx := context.Background()
	estate(t, s, 2)
	ok[pratique.Adoption](t)(s.Adopt(ctx, *bundle(1), nil, "tester", "import"))
	ssl, left := deb("openssl", "3.0.1"), npm("left-pad", "1.0.0", "app/a/package.json")
	twin := npm("left-pad", "1.0.0", "app/b/package.json")
	for _, p := range []*pratique.Package{&ssl, &left, &twin} {
		p.Origin.Instruction = []string{"FROM debian", "COPY app"}[p.Origin.Layer]
		p.Origin.DiffID = []pratique.Digest{digest("base", 0), digest("layer of "+string(imageID(0)), 1)}[p.Origin.Layer]
	}
	unimportant := finding("CVE-2024-3", ssl, pratique.SeverityLow, "")
	unimportant.Unimportant = true
	suppressed := finding("CVE-2024-4", ssl, pratique.SeverityCritical, "4")
	suppressed.Suppressed = "rejected"
	likely := finding("CVE-2024-1", ssl, pratique.SeverityCritical, "3.0.2")
	likely.KEV = &pratique.KEV{DateAdded: "2024-02-01", Ransomware: true}
	likely.EPSS = &pratique.EPSS{Score: 0.5, Percentile: 0.9, Date: "2026-01-01"}
	r := report(imageID(0), bundle(1), []pratique.Package{ssl, left, twin},
		likely, suppressed, finding("GHSA-1", left, pratique.SeverityHigh, ""), finding("GHSA-1", twin, pratique.SeverityHigh, ""), finding("CVE-2024-9", ssl, pratique.SeverityUnknown, ""), unimportant)
	r.Vulnerabilities[2].Package, r.Vulnerabilities[3].Package = left, twin
	deletedBy := 1
	r.Secrets = []pratique.Secret{
		{Rule: "aws", Title: "Key", Type: "cloud key", Severity: pratique.SeverityHigh, Source: "file", Path: "root/.aws", Line: 3, Preview: "AK…", Hash: "h1", Origin: &pratique.Origin{Path: "root/.aws", Layer: 1, DeletedBy: &deletedBy}},
		{Rule: "test", Type: "token", Severity: pratique.SeverityHigh, Source: "env", Preview: "x…", Suppressed: "a known example"},
	}
	r.Malware = []pratique.Malware{{Name: "EICAR", Engine: "eicar", Severity: pratique.SeverityCritical, Path: "tmp/x", Size: 68, MD5: "m", SHA256: "s"}}
	r.Problems = []pratique.Problem{{Code: pratique.CodeLimit, Message: "too deep", Analyzer: "secrets", Path: "x.zip", Partial: true}}
	scanned(t, s, r)
	got := ok[*pratique.Report](t)(s.Report(ctx, imageID(0)))
	diff(t, "image", got.Image, r.Image)
	diff(t, "layers", got.Layers, r.Layers)
	diff(t, "packages", got.Packages, []pratique.Package{ssl, left, twin})
	order := r.Vulnerabilities
	diff(t, "findings", got.Vulnerabilities, []pratique.Finding{order[0], order[1], order[2], order[3], order[5], order[4]})
	diff(t, "secrets", got.Secrets, []pratique.Secret{r.Secrets[1], r.Secrets[0]})
	diff(t, "malware", got.Malware, r.Malware)
	diff(t, "coverage", got.Coverage, r.Coverage)
	diff(t, "problems", got.Problems, r.Problems)
	diff(t, "bundle", got.Bundle, r.Bundle)

	v := ok[pratique.ImageSummary](t)(s.Image(ctx, imageID(0)))
	c := pratique.Counters{
		Vulnerabilities: pratique.BySeverity{Critical: 1, High: 2, Unknown: 1}, Distinct: pratique.BySeverity{Critical: 1, High: 1, Unknown: 1},
		Fixable: 1, CriticalFixable: 1, Exploited: 1, Unimportant: 1, Suppressed: 2, Secrets: pratique.BySeverity{High: 1}, LiveSecrets: 1,
		Malware: pratique.BySeverity{Critical: 1}, Packages: 3,
	}
	if v.Counters != c || v.Risk != pratique.RiskFound || v.Status != pratique.StatusScanned || v.ScannedAt == nil || v.Rules != "rules 1" {
		t.Errorf("summary %+v", v)
	}
	if len(v.Assets) != 1 || v.Assets[0].OSName != bookworm.Name || v.Assets[0].Counters != c {
		t.Errorf("rows %+v", v.Assets)
	}
	if len(v.CategoryAt) != 4 {
		t.Errorf("looked at %v", v.CategoryAt)
	}
	// A second image with the same packages adds nothing to what is judged.
	scanned(t, s, report(imageID(1), bundle(1), []pratique.Package{ssl}, likely))
	if e := ok[pratique.Page[pratique.FindingEvent]](t)(s.Events(ctx, pratique.EventFilter{Categories: []pratique.Category{pratique.CategoryVulnerability}}, pratique.PageRequest{})); len(e.Items) != 5 {
		t.Errorf("%d events, want one for each finding of a package", len(e.Items))
	} else if e.Items[0].Cause != pratique.CauseContent || e.Items[0].Change != pratique.ChangeAppeared || e.Items[0].Bundle != bundle(1).Digest {
		t.Errorf("event %+v", e.Items[0])
	}
	if v := ok[pratique.ImageSummary](t)(s.Image(ctx, imageID(1))); v.Counters.Vulnerabilities.Total() != 2 || v.Counters.Suppressed != 1 {
		t.Errorf("second image %+v: it has what is known of its packages", v.Counters)
	}
	// The same result again changes nothing.
	scanned(t, s, r)
	diff(t, "packages after the second scan", ok[*pratique.Report](t)(s.Report(ctx, imageID(0))).Packages, got.Packages)
	if w := ok[pratique.ImageSummary](t)(s.Image(ctx, imageID(0))); w.Counters != c {
		t.Errorf("after the second scan %+v", w.Counters)
	}
	_, err := s.Image(ctx, imageID(77))
	refused(t, err, pratique.CodeNotFound)
	clean := report(imageID(1), bundle(1), []pratique.Package{deb("sane", "1")})
	scanned(t, s, clean)
	if v := ok[pratique.ImageSummary](t)(s.Image(ctx, imageID(1))); v.Risk != pratique.RiskNone {
		t.Errorf("a clean image is %s", v.Risk)
	}
	clean.Coverage[pratique.CategoryVulnerability] = pratique.CategoryCoverage{State: pratique.CoverageUnknown, Reasons: []string{"no feed"}}
	scanned(t, s, clean)
	if v := ok[pratique.ImageSummary](t)(s.Image(ctx, imageID(1))); v.Risk != pratique.RiskUnknown {
		t.Errorf("an image that was not looked at is %s", v.Risk)
	}
}
