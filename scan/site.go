package scan

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/registry"
)

// A registry of a site is synchronised by the site's agent, which reaches it: the
// agent takes what is wanted ([Syncer.TakeSite]), lists as the service would
// ([ListSite]), and hands repositories in one by one, until it tells the end
// ([Syncer.EndSite]). All that is known of the run stands in its row, as for any
// other: whichever server the agent speaks to, a run that is cancelled, or of an agent
// that died, is over for it.

// siteLook is how often it is looked whether the agents of a site are still there
// while something waits for them.
const siteLook = 15 * time.Second

// leaveToSite leaves what is wanted of a site's registry to the site's agents. When
// none is there, that is what came of it; what the webhook named waits for one all the
// same, because nobody would tell it again.
func (s *Syncer) leaveToSite(ctx context.Context, registryID int64, wish pratique.SyncWish) (far bool, err error) {
	r, err := s.Store.Registry(ctx, registryID)
	if err != nil || r.Site == "" || wish.Empty() {
		return false, err
	}
	online, err := s.Store.SiteOnline(ctx, r.Site)
	if err != nil {
		return true, err
	}
	if online {
		return true, Later(siteLook)
	}
	failure := registry.FaultNoAgent.Errorf("no agent of the site %q is online", r.Site)
	if wish.Whole == nil {
		return true, s.Store.SetHealth(ctx, r.ID, *healthOf(r, failure))
	}
	wish.Hints = nil
	full, reason := asked(wish)
	run, err := s.Store.BeginSync(ctx, registryID, full, reason)
	if pratique.CodeOf(err) == pratique.CodeConflict { // of an agent that went away in the middle of it
		return true, Later(siteLook)
	}
	if err != nil {
		return true, err
	}
	return true, s.conclude(ctx, s.listing(r, registry.Connection{}, wish, run), failure, 0)
}

// asked is what a run is called that does a wish.
func asked(wish pratique.SyncWish) (full bool, reason string) {
	if wish.Whole != nil {
		return wish.Whole.Full, wish.Whole.Reason
	}
	return false, ReasonWebhook
}

// TakeSite begins what is wanted of a registry of a site, for one of its agents. It is
// nil when nothing is.
func (s *Syncer) TakeSite(ctx context.Context, site string) (*pratique.AgentSync, error) {
	wishes, err := s.Store.SiteWishes(ctx, site)
	if err != nil {
		return nil, err
	}
	for _, id := range slices.Sorted(maps.Keys(wishes)) {
		wish := wishes[id]
		switch {
		case len(wish.Hints) > 0 && unsettled(wish.Hints) == 0:
			wish.Whole = nil
		case wish.Whole != nil:
			wish.Hints = nil
		default:
			continue
		}
		full, reason := asked(wish)
		run, err := s.Store.BeginSync(ctx, id, full, reason)
		if code := pratique.CodeOf(err); code == pratique.CodeConflict || code == pratique.CodeNotFound {
			continue
		}
		if err != nil {
			return nil, err
		}
		since, total, err := s.reach(ctx, wish, run)
		run.Total = total
		return &pratique.AgentSync{Run: run, Wish: wish, Since: since}, err
	}
	return nil, nil
}

// SyncEnd is how a run of an agent ended.
type SyncEnd struct {
	Run     pratique.SyncRun
	Wish    pratique.SyncWish // that it did
	New     []pratique.Digest // contents that are new, or under a new name
	Reads   int               // manifests
	Failure error             // with the [registry.Fault] that it means
	// Partly: the registry answers, but not for everything.
	Partly bool
}

// EndSite ends a run that an agent did.
func (s *Syncer) EndSite(ctx context.Context, site string, end SyncEnd) error {
	run, err := s.Store.SiteSync(ctx, site, end.Run.ID)
	if err != nil {
		return err
	}
	r, err := s.Store.Registry(ctx, run.RegistryID)
	if err != nil {
		return err
	}
	run.Done, run.Total, run.Added, run.Changed, run.Gone = end.Run.Done, end.Run.Total, end.Run.Added, end.Run.Changed, end.Run.Gone
	l := s.listing(r, registry.Connection{}, end.Wish, run)
	l.fresh, l.reads = end.New, end.Reads
	failure := end.Failure
	if end.Partly && failure != nil {
		failure = &partlyError{told(failure)}
	}
	if err := s.conclude(context.WithoutCancel(ctx), l, failure, time.Since(run.Started)); !errors.As(err, new(Later)) { // else somebody has ended it at this moment
		return err
	}
	return cancelledSync()
}

// SiteRun is a run that an agent may say something about: of a registry of its site,
// and not ended yet; else it is CodeCancelled.
func (f *Fleet) SiteRun(ctx context.Context, a pratique.Agent, runID int64) (pratique.SyncRun, error) {
	if a.Kind != pratique.AgentSite {
		return pratique.SyncRun{}, pratique.Errorf(pratique.CodeUnauthorized, "the agent of a host reads no registries")
	}
	return f.Syncer.Store.SiteSync(ctx, a.Site, runID)
}

// SiteListing is a run that an agent does for the service.
type SiteListing struct {
	Rows       ListingStore // the service's
	Connectors []registry.Connector
	Remote     Inspector
	Registry   pratique.Registry
	Password   string
	Log        *slog.Logger
}

// ListSite lists a registry for the service, and returns how that ended. It is
// CodeCancelled when the service wants it no longer.
func ListSite(ctx context.Context, with SiteListing, sync pratique.AgentSync) (SyncEnd, error) {
	from := lister{rows: with.Rows, connectors: with.Connectors, remote: with.Remote, others: &others{}, log: with.Log}
	l := newListing(from, with.Registry, Connection(with.Registry, with.Password), sync.Wish, sync.Run)
	l.since = sync.Since
	failure := l.list(ctx)
	l.runMu.Lock()
	defer l.runMu.Unlock()
	if l.ended {
		return SyncEnd{}, cancelledSync()
	}
	_, partly := failure.(*partlyError)
	return SyncEnd{Run: l.run, Wish: sync.Wish, New: l.fresh, Reads: l.reads, Failure: failure, Partly: partly}, nil
}
