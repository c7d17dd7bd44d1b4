package storetest

import (
	"path/filepath"
	"testing"
)

func TestSQLite(t *testing.T) {
	Run(t, func(t testing.TB) string { return "sqlite:" + filepath.Join(t.TempDir(), "new", "pratique.db") })
}

func TestPostgres(t *testing.T) {
	cluster := Postgres(t)
	Run(t, cluster.Database)
}
