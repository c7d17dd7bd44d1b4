// Package service runs the service as its users do, "pratique serve" and "pratique
// worker" with real registries and real databases, and compares what it answers
// over HTTP with a model of what was planted.
//
// The model is the tests' own: which image holds which package is known because the
// tests put it there (or because dpkg says so), and which advisory hits which
// package is decided by one number. Nothing of it asks the code under test.
//
// All tests share one registry with its images, which takes some seconds to make,
// and a minute more on a machine that has no Debian in .cache yet.
package service

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/pratique/pratique/internal/pgtest"
)

// work is a folder for all tests of one run, and binary what they test.
var work, binary string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		var err error
		if work, err = os.MkdirTemp("", "pratique-service-"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(work)
		binary = filepath.Join(work, "pratique")
		build := exec.Command("go", "build", "-trimpath", "-o", binary, "../../cmd/pratique")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "the binary does not build: %v\n%s", err, out)
			return 1
		}
		defer func() {
			if shared.stop != nil {
				shared.stop()
			}
		}()
		return pgtest.Run(m)
	}())
}

// shared is the estate of this run.
var shared struct {
	sync.Mutex
	estate *estate
	stop   func()
	err    error
}

func theEstate(t testing.TB) *estate {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.estate == nil && shared.err == nil {
		began := time.Now()
		shared.estate, shared.stop, shared.err = buildEstate(filepath.Join(work, "estate"))
		if shared.err == nil {
			t.Logf("the estate: %d rows, %d contents, made in %s", len(shared.estate.rows), len(shared.estate.byID()), time.Since(began).Round(time.Second))
		}
	}
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.estate
}

// onBoth runs a test on both databases.
func onBoth(t *testing.T, test func(t *testing.T, database string)) {
	t.Run("SQLite", func(t *testing.T) { test(t, "") })
	t.Run("PostgreSQL", func(t *testing.T) { test(t, pgtest.Database(t)) })
}

// until waits for a condition, on a machine that may be busy with other things.
func until(t testing.TB, what string, most time.Duration, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), most, errors.New("too late"))
	defer cancel()
	for !done() {
		select {
		case <-ctx.Done():
			t.Fatalf("waited %s in vain until %s", most, what)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
