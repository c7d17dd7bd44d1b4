package main

import (
	"bytes"
	"context"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/advisory"
	"github.com/pratique/pratique/api"
	"github.com/pratique/pratique/queue"
	"github.com/pratique/pratique/scan"
	"github.com/pratique/pratique/store"
)

// Feeds that nobody adopted are not in force: one sees what they would change, and
// puts them in force. What another server put in force since is not taken back.
func TestAdoptingByHand(t *testing.T) {
	dir := t.TempDir()
	keys, err := store.OpenKeyring(filepath.Join(dir, "key"))
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), filepath.Join(dir, "pratique.db"), keys)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	jobs, err := queue.Open(t.Context(), db.Writer(), nil)
	if err != nil {
		t.Fatal(err)
	}
	feeds, err := advisory.NewStore(filepath.Join(dir, "feeds"))
	if err != nil {
		t.Fatal(err)
	}
	settings := scan.DefaultSettings()
	settings.AutoAdopt = false
	k := &feedKeeper{feeds: feeds, db: db, jobs: jobs, events: api.NewHub(), inbox: filepath.Join(dir, "inbox"), log: slog.New(slog.DiscardHandler),
		settings: func(context.Context) (scan.Settings, error) { return settings, nil }}
	take := func(names ...string) {
		t.Helper()
		if err := k.ImportFeed(t.Context(), "admin", "osv/npm/all.zip", bytes.NewReader(osvExport(t, names...))); err != nil {
			t.Fatal(err)
		}
		if err := k.run(t.Context(), scan.FeedArgs{}, scan.Attempt{}); err != nil {
			t.Fatal(err)
		}
		if wanted, err := k.Wanted(t.Context()); err != nil || len(wanted) != 0 {
			t.Errorf("wanted after the import: %v, %v", wanted, err)
		}
	}
	take("left-pad", "right-pad")
	if _, err := db.InForce(t.Context()); pratique.CodeOf(err) != pratique.CodeNotFound {
		t.Errorf("it was adopted by itself: %v", err)
	}
	p, err := k.PreviewFeeds(t.Context())
	if err != nil || p.Bundle == nil || p.Keys != 2 || p.Images != 0 {
		t.Errorf("preview %+v, %v", p, err)
	}
	first, err := k.AdoptFeeds(t.Context(), "admin")
	if err != nil || first.Bundle.Digest != p.Bundle.Digest || first.By != "admin" {
		t.Errorf("adopted %+v, %v", first, err)
	}
	if p, err = k.PreviewFeeds(t.Context()); err != nil || p.Bundle != nil {
		t.Errorf("preview of nothing %+v, %v", p, err)
	}
	settings.AutoAdopt = true
	elsewhere := pratique.Bundle{Digest: pratique.DigestOf([]byte("of another server"))}
	if _, err := db.Adopt(t.Context(), elsewhere, nil, "schedule", "update"); err != nil {
		t.Fatal(err)
	}
	if wanted, err := k.Wanted(t.Context()); err != nil || len(wanted) != 0 {
		t.Errorf("this folder's older bundle is wanted in force: %v, %v", wanted, err)
	}
	take("left-pad")
	if now, err := db.InForce(t.Context()); err != nil || now.Bundle.Digest == elsewhere.Digest {
		t.Errorf("news are not in force: %+v, %v", now, err)
	}
}
