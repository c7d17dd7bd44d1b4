package main

import (
	"context"
	"log/slog"
	"os"
	"runtime"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/layer"
	"github.com/pratique/pratique/registry"
	"github.com/pratique/pratique/scan"
	"github.com/pratique/pratique/source"
	"github.com/pratique/pratique/store"
	"github.com/pratique/pratique/store/factdir"
)

// remote is [source.Remote] as the use cases want it.
type remote struct{ source.Remote }

func (r *remote) Open(ctx context.Context, conn registry.Connection, repository string, digest pratique.Digest) (scan.Opened, error) {
	opened, err := r.Remote.Open(ctx, conn, repository, digest)
	if err != nil {
		return scan.Opened{}, err
	}
	return scan.Opened{Image: opened.Image, Problems: opened.Problems, Source: opened, Close: opened.Close}, nil
}

// scannerPlaces is where a process that scans keeps things.
type scannerPlaces struct {
	key     string        // file of the installation's key
	facts   string        // folder; may be shared by any number of processes
	unused  time.Duration // facts that no scan has used for so long are removed; 0: never
	scratch string        // folder in which each process has one for what is too large for memory
	bundles *bundles
}

// liveScanner scans with the rules that are in force.
type liveScanner struct {
	build   func(context.Context) (ruledScanner, error)
	inForce layer.InForce[ruledScanner]
}

// ruledScanner has the rules of its pass.
type ruledScanner struct{ *scan.Scanner }

// Close lets go of the rules.
func (r ruledScanner) Close() { r.Pass.Close() }

// Scan is the job.
func (l *liveScanner) Scan(ctx context.Context, args scan.ScanArgs, attempt scan.Attempt) error {
	s, over := l.inForce.Use()
	defer over()
	return s.Scan(ctx, args, attempt)
}

// Reload takes the rules anew from their folder.
func (l *liveScanner) Reload(ctx context.Context) error {
	next, err := l.build(ctx)
	if err == nil {
		l.inForce.Replace(next)
	}
	return err
}

// current scans with the rules of now, also when others are in force later.
func (l *liveScanner) current() *scan.Scanner {
	s, over := l.inForce.Use()
	defer over()
	return s.Scanner
}

// Rules names the analyzers with their rule sets.
func (l *liveScanner) Rules() string { return l.current().Rules }

// newScanner puts together what "serve" and "worker" scan with. All processes of
// an installation derive the key of secrets' hashes from the key that they share,
// so that the same secret has the same hash wherever it is found.
func newScanner(db *store.Store, at scannerPlaces, observer scan.Observer, log *slog.Logger) (s *liveScanner, stop func(), err error) {
	secretKey, err := derivedKey(at.key, "pratique secrets")
	if err != nil {
		return nil, nil, err
	}
	facts, err := factdir.Open(at.facts)
	if err != nil {
		return nil, nil, err
	}
	scratch, remove, err := scratchFolder(at.scratch)
	if err != nil {
		return nil, nil, err
	}
	turns := &scan.Turns{Beyond: facts}
	s = &liveScanner{build: func(ctx context.Context) (ruledScanner, error) {
		chosen := analyzerFlags{secrets: secretFlags{derived: secretKey}, malware: malwareFlags{feeds: at.bundles.dir}}
		analyzers, credentials, err := chosen.analyzers(ctx)
		if err != nil {
			return ruledScanner{}, err
		}
		pass := layer.NewPass(analyzers, layer.Limits{Memory: scanMemory}, scratch)
		return ruledScanner{&scan.Scanner{
			Store: db, Remote: &remote{}, Pass: pass, Facts: facts, Turns: turns, Knowledge: at.bundles, Credentials: credentials,
			Rules: scan.Rules(pass.Keys()), Tool: pratique.Tool{Name: "pratique", Version: toolVersion()}, Observer: observer, Log: log,
		}}, nil
	}}
	if err := s.Reload(context.Background()); err != nil {
		remove()
		return nil, nil, err
	}
	// Libraries that make temporary files make them where we clean up.
	before := os.Getenv("TMPDIR")
	if err := os.Setenv("TMPDIR", scratch); err != nil {
		remove()
		return nil, nil, noRoom(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	go prune(ctx, facts, at.unused, log)
	return s, func() {
		cancel()
		s.inForce.Close()
		_ = os.Setenv("TMPDIR", before) // "" is as if it were not set
		remove()
	}, nil
}

// keepFacts is how long facts are kept that no scan uses. Layers that live images
// hold are among them if those are not scanned again: to judge them by new knowledge
// needs no facts, and whoever scans them reads their layers again.
const keepFacts = 90 * 24 * time.Hour

// pruneEvery is how often a process looks for facts that are no longer used.
const pruneEvery = 24 * time.Hour

// pruner are facts that can be removed when they were not used for longer than age.
type pruner interface {
	Prune(age time.Duration) (files int, bytes int64, err error)
}

// prune removes facts that were not used for a while, until ctx ends. Processes that
// share the folder may all do it.
func prune(ctx context.Context, facts pruner, unused time.Duration, log *slog.Logger) {
	if unused == 0 {
		return
	}
	tick := time.NewTicker(pruneEvery)
	defer tick.Stop()
	for {
		switch files, bytes, err := facts.Prune(unused); {
		case err != nil:
			log.Error("facts that are no longer used cannot be removed", "error", err)
		case files > 0:
			log.Info("facts that no scan has used were removed", "unused", unused, "files", files, "bytes", bytes)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// checkUnused refuses a time that would remove what is about to be used.
func checkUnused(unused time.Duration) error {
	if unused != 0 && unused < 24*time.Hour {
		return pratique.Errorf(pratique.CodeInvalid, "--keep-facts is %s", unused).WithRemedy("give at least 24h, or 0 to keep them for ever")
	}
	return nil
}

// scanMemory is how many bytes of files' content all scans of a process may hold.
const scanMemory = 128 << 20

// defaultScans is how many images a process scans at once: reading one is mostly
// waiting for its registry.
func defaultScans() int { return max(2, min(16, 2*runtime.NumCPU())) }
