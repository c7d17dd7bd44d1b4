package scan

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/registry"
)

// lister is what a listing needs, wherever it runs: in the service, or in an agent.
type lister struct {
	rows       ListingStore
	connectors []registry.Connector
	remote     Inspector
	others     *others
	log        *slog.Logger
}

// listing is one run over a registry's inventory.
type listing struct {
	lister
	registry pratique.Registry
	conn     registry.Connection
	wish     pratique.SyncWish
	since    time.Time // list what was pushed after it; zero: all
	// between lists what webhooks hint at while a whole run goes on, and pushed scans what
	// a repository has that is new. Nil: it waits for the end.
	between, pushed func(context.Context) error

	arriving map[string][]registry.Artifact // by repository, until its last page
	fresh    []pratique.Digest              // contents that are new, or under a new name
	reads    int                            // manifests
	lists    problem                        // repositories
	contents problem                        // manifests
	broken   int                            // repositories whose manifests were not read
	closed   map[string]int                 // and those that we have no right to, by namespace
	ended    bool                           // by somebody else

	runMu  sync.Mutex
	run    pratique.SyncRun
	toldAt time.Time

	knownMu sync.Mutex
	known   map[string]*repositoryKnown
}

func newListing(from lister, r pratique.Registry, conn registry.Connection, wish pratique.SyncWish, run pratique.SyncRun) *listing {
	return &listing{lister: from, registry: r, conn: conn, wish: wish, run: run, known: map[string]*repositoryKnown{}, closed: map[string]int{}, arriving: map[string][]registry.Artifact{}}
}

// listing is one that the service does itself.
func (s *Syncer) listing(r pratique.Registry, conn registry.Connection, wish pratique.SyncWish, run pratique.SyncRun) *listing {
	l := newListing(lister{rows: s.Store, connectors: s.Connectors, remote: s.Remote, others: &s.others, log: s.Log}, r, conn, wish, run)
	if wish.Whole != nil {
		l.between = func(ctx context.Context) error { return s.hinted(ctx, l) }
	} else {
		l.pushed = func(ctx context.Context) error { return s.scanNew(ctx, l) }
	}
	return l
}

// maxFresh bounds what is scanned after one run.
const maxFresh = 100_000

// list lists what is wanted. The error is why not all of it was.
func (l *listing) list(ctx context.Context) error {
	kind, err := connector(l.connectors, l.registry.Kind)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	stop := l.keepAlive(ctx, cancel)
	err = kind.List(ctx, l.conn, l.query(ctx), func(p registry.Page) error { return l.page(ctx, p) })
	stop()
	cancel(nil)
	l.run.Total = max(len(l.wish.Hints), l.run.Done)
	if err != nil {
		return err
	}
	if err := l.lists.partly("repositories could not be listed"); err != nil {
		return err
	}
	return l.contents.partly("repositories have images whose manifest could not be read")
}

// query asks for what is wanted.
func (l *listing) query(ctx context.Context) registry.Query {
	return registry.Query{
		Since: l.since, Repositories: slices.Sorted(maps.Keys(l.wish.Hints)),
		Known: func(repository string, d pratique.Digest) bool { return l.knows(ctx, repository, d) },
	}
}

// reach finds out since when to list, and how much that may be. What a webhook hints
// at is listed whenever it was pushed.
func (s *Syncer) reach(ctx context.Context, wish pratique.SyncWish, begun pratique.SyncRun) (since time.Time, total int, err error) {
	if wish.Whole == nil {
		return since, len(wish.Hints), nil
	}
	runs, err := s.Store.Syncs(ctx, begun.RegistryID, 200)
	if err != nil {
		return since, 0, err
	}
	for _, run := range runs {
		if run.State != "success" || run.Reason == ReasonWebhook {
			continue
		}
		if !begun.Full {
			since = run.Started
		}
		break
	}
	all, err := s.Store.Registries(ctx)
	for _, r := range all {
		if r.ID == begun.RegistryID {
			total = r.Repositories // as many as there were
		}
	}
	return since, total, err
}

// keepAlive says now and then how far the run is. When somebody has ended it, the
// listing ends.
func (l *listing) keepAlive(ctx context.Context, cancel context.CancelCauseFunc) (stop func()) {
	done := make(chan struct{})
	var group sync.WaitGroup
	var hinting sync.Mutex
	group.Go(func() {
		tick := time.NewTicker(syncBeat)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-ctx.Done():
				return
			case <-tick.C:
				if err := l.tell(ctx); pratique.CodeOf(err) == pratique.CodeCancelled && ctx.Err() == nil {
					cancel(ErrCancelled)
				}
				if l.between != nil && hinting.TryLock() {
					group.Go(func() {
						defer hinting.Unlock()
						if err := l.between(ctx); err != nil && ctx.Err() == nil {
							l.log.Warn("a push waits for the end of a synchronisation", "registry", l.registry.Name, "error", err)
						}
					})
				}
			}
		}
	})
	return func() {
		close(done)
		group.Wait()
	}
}

// hinted lists what a webhook hints at while a whole run goes on, which may take
// hours: somebody may be waiting for a pushed image.
func (s *Syncer) hinted(ctx context.Context, whole *listing) error {
	wish, err := s.Store.SyncWish(ctx, whole.registry.ID)
	if err != nil || len(wish.Hints) == 0 {
		return err
	}
	part := s.listing(whole.registry, whole.conn, pratique.SyncWish{Hints: wish.Hints}, pratique.SyncRun{})
	kind, err := connector(s.Connectors, whole.registry.Kind)
	if err != nil {
		return err
	}
	if err := kind.List(ctx, whole.conn, part.query(ctx), func(p registry.Page) error { return part.page(ctx, p) }); err != nil {
		return err
	}
	return s.Store.SyncDone(ctx, whole.registry.ID, part.wish)
}

func (l *listing) tell(ctx context.Context) error {
	l.runMu.Lock()
	l.toldAt = time.Now()
	run := l.run
	run.Total = max(run.Total, run.Done)
	l.runMu.Unlock()
	err := l.rows.SyncProgress(ctx, run)
	if pratique.CodeOf(err) == pratique.CodeCancelled && ctx.Err() == nil {
		l.runMu.Lock()
		defer l.runMu.Unlock()
		l.ended = true
	}
	return err
}

// page takes a part of the listing. It is never called twice at once.
func (l *listing) page(ctx context.Context, p registry.Page) error {
	l.arriving[p.Repository] = append(l.arriving[p.Repository], p.Artifacts...)
	if !p.Last {
		return nil
	}
	artifacts := l.arriving[p.Repository]
	delete(l.arriving, p.Repository)
	l.lists.add(p.Problem)
	if err := l.repository(ctx, p.Repository, artifacts, p.Complete && p.Problem == nil); err != nil {
		return err
	}
	l.knownMu.Lock()
	delete(l.known, p.Repository)
	l.knownMu.Unlock()
	l.runMu.Lock()
	due := l.run.ID != 0 && time.Since(l.toldAt) >= time.Second
	l.runMu.Unlock()
	if !due {
		return nil
	}
	return l.tell(ctx)
}

// repository brings the rows of one up to date.
func (l *listing) repository(ctx context.Context, name string, artifacts []registry.Artifact, complete bool) error {
	known, err := l.repositoryKnown(ctx, name)
	if err != nil {
		return err
	}
	e := &expansion{listing: l, repository: name, known: known}
	for _, a := range artifacts {
		l.reads += a.Reads
		e.add(ctx, a, 0)
	}
	if err := e.read(ctx); err != nil {
		return err
	}
	if len(e.rows) == 0 && (len(known.rows) == 0 || !complete) {
		l.count(pratique.SyncResult{})
		return nil // nothing is there, and nothing was
	}
	result, err := l.rows.SyncRepository(ctx, l.registry.ID, name, e.rows, complete)
	if pratique.CodeOf(err) == pratique.CodeInvalid { // a name that no row can have
		l.lists.add(err)
		err = nil
	}
	if err != nil {
		return err
	}
	l.count(result)
	if l.pushed == nil {
		return nil
	}
	// A push is scanned at once: what is new now will not be new after a crash.
	err = l.pushed(ctx)
	l.fresh = nil
	return err
}

func (l *listing) count(result pratique.SyncResult) {
	l.fresh = append(l.fresh, result.New[:min(len(result.New), maxFresh-len(l.fresh))]...)
	l.runMu.Lock()
	defer l.runMu.Unlock()
	l.run.Done++
	l.run.Added += result.Added + result.Back
	l.run.Changed += result.Changed
	l.run.Gone += result.Gone
}

// repositoryKnown is what is known of a repository before it is listed.
type repositoryKnown struct {
	once sync.Once
	err  error
	rows []pratique.Asset
	// read tells of each manifest, and each index, whether all of its rows were read.
	read map[pratique.Digest]bool
}

func (l *listing) repositoryKnown(ctx context.Context, name string) (*repositoryKnown, error) {
	l.knownMu.Lock()
	k := l.known[name]
	if k == nil {
		k = &repositoryKnown{}
		l.known[name] = k
	}
	l.knownMu.Unlock()
	k.once.Do(func() {
		k.rows, k.err = l.rows.RepositoryAssets(ctx, l.registry.ID, name)
		k.read = map[pratique.Digest]bool{}
		for _, a := range k.rows {
			for _, d := range [...]pratique.Digest{a.Digest, a.Index} {
				if before, ok := k.read[d]; d != "" {
					k.read[d] = (before || !ok) && a.ImageID != ""
				}
			}
		}
	})
	return k, k.err
}

// knows is asked by the connector, from several goroutines.
func (l *listing) knows(ctx context.Context, repository string, d pratique.Digest) bool {
	if l.others.has(d) {
		return true
	}
	k, err := l.repositoryKnown(ctx, repository)
	return err == nil && k.read[d]
}
