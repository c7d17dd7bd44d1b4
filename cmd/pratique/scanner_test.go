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

	// What each host attested goes likewise, and nobody else's.
	hosts := &hostFacts{folder: filepath.Join(dir, "hosts"), shared: facts}
	one, err := hosts.of(pratique.Agent{HostID: "one"})
	check(t, err)
	two, err := hosts.of(pratique.Agent{HostID: "two"})
	check(t, err)
	for _, layer := range []pratique.Digest{old, used} {
		check(t, one.Put(&pratique.Facts{DiffID: layer, Analyzer: "files", Version: "2"}))
	}
	if two.Get(old, "files", "2") != nil || facts.Get(old, "files", "2") != nil {
		t.Error("what a host attested serves others")
	}
	age()
	one.Get(used, "files", "2")
	prune(ctx, hosts, keepFacts, slog.Default())
	if one.Get(old, "files", "2") != nil || one.Get(used, "files", "2") == nil {
		t.Error("of a host, what was used went, or what was not used stayed")
	}
	for unused, ok := range map[time.Duration]bool{0: true, time.Hour: false, 48 * time.Hour: true, -time.Hour: false} {
		if (checkUnused(unused) == nil) != ok {
			t.Errorf("--keep-facts %s: %v", unused, checkUnused(unused))
		}
	}
}
