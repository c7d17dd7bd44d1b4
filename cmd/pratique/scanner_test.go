package main

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/store/factdir"
)

// Facts that no scan uses do not fill the disk; those that are used stay.
func TestFactsNobodyUses(t *testing.T) {
	dir := t.TempDir()
	facts, err := factdir.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	old, used := pratique.DigestOf([]byte("old")), pratique.DigestOf([]byte("used"))
	for _, layer := range []pratique.Digest{old, used} {
		if err := facts.Put(&pratique.Facts{DiffID: layer, Analyzer: "files", Version: "1", Verified: true}); err != nil {
			t.Fatal(err)
		}
	}
	age := func() {
		long := time.Now().Add(-2 * keepFacts)
		err := filepath.WalkDir(dir, func(name string, _ fs.DirEntry, err error) error {
			return errors.Join(err, os.Chtimes(name, long, long))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	age()
	ctx, stop := context.WithCancel(t.Context())
	stop() // after the first look
	prune(ctx, facts, 0, slog.Default())
	if facts.Get(old, "files", "1") == nil {
		t.Error("facts that are kept for ever were removed")
	}
	age()
	facts.Get(used, "files", "1")
	prune(ctx, facts, keepFacts, slog.Default())
	if facts.Get(old, "files", "1") != nil || facts.Get(used, "files", "1") == nil {
		t.Error("what was used went, or what was not used stayed")
	}
	for unused, ok := range map[time.Duration]bool{0: true, time.Hour: false, 48 * time.Hour: true, -time.Hour: false} {
		if (checkUnused(unused) == nil) != ok {
			t.Errorf("--keep-facts %s: %v", unused, checkUnused(unused))
		}
	}
}
