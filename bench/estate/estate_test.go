package main

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/store"
)

// What is written beside the store's methods is as they would have written it.
func TestEstate(t *testing.T) {
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "pratique.db")
	const rows = 700
	if err := run(ctx, rows, path); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(ctx, path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	wrong, err := s.Verify(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range wrong {
		t.Error(w)
	}
	for name, f := range map[string]pratique.AssetFilter{
		"all": {}, "at risk": {Risk: []pratique.Risk{pratique.RiskFound}}, "failed": {Status: []pratique.Status{pratique.StatusFailed}},
		"with a secret": {RiskKinds: []pratique.Category{pratique.CategorySecret}}, "newest": {Newest: true}, "found by words": {Search: "payments api"},
	} {
		p, err := s.Assets(ctx, f, pratique.PageRequest{Limit: 20, Count: true})
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Items) == 0 || p.Total > rows || name == "all" && p.Total != rows {
			t.Errorf("%s: %d rows", name, p.Total)
		}
	}
}
