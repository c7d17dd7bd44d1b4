package storetest

import (
	"bytes"
	"context"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/store"
)

// wishes: what is wanted of a registry adds up, and only what was done is done.
func wishes(t *testing.T, s *store.Store, _ string) {
	ctx := context.Background()
	r := newRegistry(t, s, "alpha")
	whole := func(full bool, at time.Time) pratique.SyncWish {
		return pratique.SyncWish{Whole: &pratique.WholeSync{Full: full, By: "admin", Reason: "manual", At: at}}
	}
	state := func() string { return ok[pratique.Registry](t)(s.Registry(ctx, r.ID)).Sync.State }
	must(t, s.WantSync(ctx, r.ID, whole(true, day)))
	must(t, s.WantSync(ctx, r.ID, whole(false, day.Add(time.Second))))
	must(t, s.WantSync(ctx, r.ID, pratique.SyncWish{Hints: map[string]time.Time{"a/b": day, "c/d": day}}))
	wish := ok[pratique.SyncWish](t)(s.SyncWish(ctx, r.ID))
	if wish.Whole == nil || !wish.Whole.Full || len(wish.Hints) != 2 || state() != "waiting" {
		t.Errorf("wanted %+v %+v, state %s", wish, wish.Whole, state())
	}
	// What was wanted again meanwhile stays.
	must(t, s.WantSync(ctx, r.ID, pratique.SyncWish{Hints: map[string]time.Time{"a/b": day.Add(time.Minute)}}))
	must(t, s.SyncDone(ctx, r.ID, wish))
	wish = ok[pratique.SyncWish](t)(s.SyncWish(ctx, r.ID))
	if wish.Whole != nil || len(wish.Hints) != 1 || wish.Hints["a/b"].IsZero() || state() != "" {
		t.Errorf("left %+v, state %s", wish, state())
	}
	if all := ok[map[int64]pratique.SyncWish](t)(s.SyncWishes(ctx)); len(all) != 1 || len(all[r.ID].Hints) != 1 {
		t.Errorf("wishes %+v", all)
	}
	must(t, s.WantSync(ctx, r.ID, whole(false, day)))
	if all := ok[map[int64]pratique.SyncWish](t)(s.SiteWishes(ctx, "")); len(all) != 0 {
		t.Errorf("what the service does itself is left to agents: %v", all)
	}
	must(t, s.DropSyncWish(ctx, r.ID))
	if all := ok[map[int64]pratique.SyncWish](t)(s.SyncWishes(ctx)); len(all) != 0 || state() != "" {
		t.Errorf("wishes %+v after all were dropped, state %s", all, state())
	}
	refused(t, s.WantSync(ctx, 999, whole(true, day)), pratique.CodeNotFound)
}

// postponing: a scan that must not begin yet waits, and says why, until it begins
// or the limit changes.
func postponing(t *testing.T, s *store.Store, _ string) {
	ctx := context.Background()
	r := newRegistry(t, s, "alpha")
	ok[pratique.SyncResult](t)(s.SyncRepository(ctx, r.ID, "team/app", []pratique.Asset{asset("1", 1)}, true))
	begun := time.Now().Add(-time.Minute)
	task, scans, err := s.CreateTask(ctx, pratique.TaskRequest{Kind: pratique.TaskManual, Categories: everything, ImageIDs: []pratique.Digest{imageID(1)}})
	must(t, err)
	lease := ok[pratique.Lease](t)(s.Claim(ctx, scans[0], "worker"))
	due := day.Add(time.Hour)
	must(t, s.Postpone(ctx, lease, due, pratique.Errorf(pratique.CodeRateLimited, "not now")))
	refused(t, s.Postpone(ctx, lease, due, nil), pratique.CodeCancelled) // it is nobody's
	waiting := ok[[]pratique.Scan](t)(s.WaitingScans(ctx, 10))
	if len(waiting) != 1 || waiting[0].Due == nil || !waiting[0].Due.Equal(due) || waiting[0].Error.Code != pratique.CodeRateLimited {
		t.Fatalf("waiting %+v", waiting)
	}
	r.HourlyLimit = 7
	ok[pratique.Registry](t)(s.UpdateRegistry(ctx, r, nil))
	if waiting = ok[[]pratique.Scan](t)(s.WaitingScans(ctx, 10)); len(waiting) != 1 || waiting[0].Due != nil || waiting[0].Error != nil {
		t.Errorf("after the limit changed: %+v", waiting)
	}
	lease = ok[pratique.Lease](t)(s.Claim(ctx, scans[0], "worker"))
	if running := ok[[]pratique.Scan](t)(s.ScansSince(ctx, begun)); len(running) != 1 || running[0].Error != nil || running[0].Ended != nil {
		t.Errorf("running %+v", running)
	}
	ok[bool](t)(s.FinishScan(ctx, lease, report(imageID(1), nil, nil), "rules"))
	if ended := ok[[]pratique.Scan](t)(s.ScansSince(ctx, begun)); len(ended) != 1 || ended[0].Ended == nil {
		t.Errorf("ended %+v", ended)
	}
	if later := ok[[]pratique.Scan](t)(s.ScansSince(ctx, time.Now().Add(time.Hour))); len(later) != 0 {
		t.Errorf("of the future: %+v", later)
	}
	if tasks := ok[[]pratique.Task](t)(s.TasksSince(ctx, begun)); len(tasks) != 1 || tasks[0].ID != task.ID {
		t.Errorf("tasks %+v", tasks)
	}
	if average, n, err := s.ScanPace(ctx); err != nil || n != 1 || average < 0 || average > time.Minute {
		t.Errorf("pace %v of %d, %v", average, n, err)
	}
	if images := ok[[]pratique.Digest](t)(s.ScanImages(ctx, scans...)); len(images) != 1 || images[0] != imageID(1) {
		t.Errorf("images %v", images)
	}
}

// contents: rows whose content is not known get it from their manifest, wherever
// it was read.
func contents(t *testing.T, s *store.Store, _ string) {
	ctx := context.Background()
	r := newRegistry(t, s, "alpha")
	unknown := asset("1", 1)
	unknown.ImageID, unknown.Size, unknown.Created = "", 0, nil
	result := ok[pratique.SyncResult](t)(s.SyncRepository(ctx, r.ID, "team/app", []pratique.Asset{unknown, asset("2", 2)}, true))
	if len(result.Unread) != 1 {
		t.Fatalf("unread %+v", result.Unread)
	}
	all := pratique.AssetFilter{}
	images, unread, err := s.Selection(ctx, all)
	if err != nil || unread != 1 || len(images) != 1 || images[0].ImageID != imageID(2) || images[0].RegistryID != r.ID || images[0].Rows != 1 || images[0].Size == 0 || images[0].Scanned || images[0].Active {
		t.Errorf("selected %+v, %d unread, %v", images, unread, err)
	}
	if rows := ok[[]pratique.Asset](t)(s.UnreadAssets(ctx, all, 10)); len(rows) != 1 || rows[0].Tag != "1" {
		t.Errorf("unread rows %+v", rows)
	}
	if known := ok[[]pratique.Asset](t)(s.KnownManifests(ctx, r.ID, digest("manifest", 1), digest("manifest", 2))); len(known) != 1 || known[0].ImageID != imageID(2) {
		t.Errorf("known %+v", known)
	}
	must(t, s.FillContents(ctx, asset("", 1)))
	if _, unread, err := s.Selection(ctx, all); err != nil || unread != 0 {
		t.Errorf("%d unread, %v", unread, err)
	}
	rows := ok[pratique.Page[pratique.AssetRow]](t)(s.Assets(ctx, pratique.AssetFilter{Search: string(imageID(1))}, pratique.PageRequest{}))
	if len(rows.Items) != 1 || rows.Items[0].Tag != "1" || rows.Items[0].Size == 0 || rows.Items[0].Created == nil {
		t.Errorf("found by its id: %+v", rows.Items)
	}
}

// strangers: what an agent of one site says of a manifest is believed, and told, for
// that site's registries alone.
func strangers(t *testing.T, s *store.Store, _ string) {
	ctx := context.Background()
	registries := map[string]pratique.Registry{}
	for name, site := range map[string]string{"ours": "", "also ours": "", "berlin": "berlin", "berlin 2": "berlin", "paris": "paris"} {
		registries[name] = ok[pratique.Registry](t)(s.CreateRegistry(ctx, pratique.Registry{Name: name, Kind: "oci", Address: "https://registry.example", Site: site}, ""))
	}
	// Each says something else of the same manifest; none but one can be right.
	for name, content := range map[string]int{"ours": 1, "berlin": 2} {
		claimed := asset("1", 1)
		claimed.ImageID = imageID(content)
		ok[pratique.SyncResult](t)(s.SyncRepository(ctx, registries[name].ID, "team/app", []pratique.Asset{claimed}, true))
	}
	for name, content := range map[string]int{"ours": 1, "also ours": 1, "berlin": 2, "berlin 2": 2, "paris": 0} {
		want := []pratique.Digest{}
		if content != 0 {
			want = append(want, imageID(content))
		}
		got := []pratique.Digest{}
		for _, a := range ok[[]pratique.Asset](t)(s.KnownManifests(ctx, registries[name].ID, digest("manifest", 1))) {
			got = append(got, a.ImageID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s is told that the manifest is %v, want %v", name, got, want)
		}
		unknown := asset("2", 1)
		unknown.ImageID = ""
		result := ok[pratique.SyncResult](t)(s.SyncRepository(ctx, registries[name].ID, "team/other", []pratique.Asset{unknown}, true))
		if !slices.Equal(append([]pratique.Digest{}, result.New...), want) || len(result.Unread) != 1-len(want) {
			t.Errorf("%s took %v of the manifest, %d unread, want %v", name, result.New, len(result.Unread), want)
		}
	}
}

// bundles and packs of rules come back as they were put in, and only those that
// are kept; neither are in the way of the other.
func bundles(t *testing.T, s *store.Store, _ string) {
	pieces(t, s.PutBundle, s.WriteBundle)
	pieces(t, s.PutRulePack, s.WriteRulePack)
	must(t, s.WriteBundle(t.Context(), pratique.DigestOf(bytes.Repeat([]byte{7}, 2<<20)), io.Discard))
}

func pieces(t *testing.T, keep func(context.Context, pratique.Digest, io.ReaderAt, int64, ...pratique.Digest) error, write func(context.Context, pratique.Digest, io.Writer) error) {
	t.Helper()
	ctx := context.Background()
	one, two := bytes.Repeat([]byte("one"), 1<<20), []byte("two")
	put := func(content []byte, others ...pratique.Digest) pratique.Digest {
		t.Helper()
		d := pratique.DigestOf(content)
		must(t, keep(ctx, d, bytes.NewReader(content), int64(len(content)), others...))
		return d
	}
	got := func(d pratique.Digest) []byte {
		t.Helper()
		var b bytes.Buffer
		must(t, write(ctx, d, &b))
		return b.Bytes()
	}
	first := put(one)
	put(one)
	second := put(two, first)
	if !bytes.Equal(got(first), one) || !bytes.Equal(got(second), two) {
		t.Error("it came back changed")
	}
	whole := bytes.Repeat([]byte{7}, 2<<20) // ends with a piece
	third := put(whole, second)
	if !bytes.Equal(got(third), whole) {
		t.Error("one of whole pieces came back changed")
	}
	refused(t, write(ctx, first, &bytes.Buffer{}), pratique.CodeNotFound)
}
