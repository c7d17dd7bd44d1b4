package agent

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/agent/wire"
	"github.com/pratique/pratique/registry"
	"github.com/pratique/pratique/scan"
)

// syncsAtOnce is how many registries of a site are synchronised at once, beside scans:
// it is mostly waiting for them.
const syncsAtOnce = 3

// rowsAtOnce is how many questions about rows the service gets at once from all of
// them: it answers eight of one agent, and scans and heartbeats have some.
const rowsAtOnce = 4

// synchronise lists a registry of the site for the service.
func (a *agent) synchronise(ctx context.Context, task wire.Task) {
	run := task.Sync.Run
	i := slices.IndexFunc(task.Registries, func(r wire.Registry) bool { return r.ID == run.RegistryID })
	if i < 0 {
		return // the service says nothing about it: the run falls silent
	}
	r := task.Registries[i]
	began := time.Now()
	listing := scan.SiteListing{Rows: &farRows{a.client, run.ID, a.asking}, Connectors: a.Connectors, Remote: a.Remote, Registry: r.Registry, Password: r.Password, Log: a.Log}
	end, err := scan.ListSite(ctx, listing, *task.Sync)
	if err == nil && ctx.Err() == nil {
		err = a.client.persistFor(ctx, serviceGone, concluded(run.ID, end), &wire.Done{})
	}
	a.Log.Info("a synchronisation ended", "registry", r.Name, "run", run.ID, "repositories", end.Run.Done, "took", time.Since(began).Round(time.Millisecond), "failure", end.Failure, "error", err)
}

func concluded(run int64, end scan.SyncEnd) *wire.Synced {
	m := synced(run, end.Run)
	m.End = &wire.SyncEnd{Wish: end.Wish, New: end.New, Reads: end.Reads, Partly: end.Partly}
	if end.Failure == nil {
		return m
	}
	m.End.Error = told(end.Failure)
	met := registry.Diagnose(end.Failure)
	told := fault(met.Status, met.Reason, met.Remedy)
	m.End.Fault = &told
	return m
}

func synced(run int64, r pratique.SyncRun) *wire.Synced {
	return &wire.Synced{Run: wire.Run{Run: run}, Done: r.Done, Total: r.Total, Added: r.Added, Changed: r.Changed, Gone: r.Gone}
}

// farRows are the rows of the service, for one run.
type farRows struct {
	client *client
	run    int64
	asking chan struct{} // a place for each question, of all runs
}

var _ scan.ListingStore = (*farRows)(nil)

// persist asks when there is a place.
func (f *farRows) persist(ctx context.Context, m wire.Message, into any) error {
	select {
	case f.asking <- struct{}{}:
		defer func() { <-f.asking }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return f.client.persistFor(ctx, serviceGone, m, into)
}

// RepositoryAssets implements scan.ListingStore; the registry is the run's.
func (f *farRows) RepositoryAssets(ctx context.Context, _ int64, repository string) ([]pratique.Asset, error) {
	var rows wire.Rows
	err := f.persist(ctx, &wire.Repository{Run: wire.Run{Run: f.run}, Repository: repository}, &rows)
	return rows.Rows, err
}

// KnownManifests implements scan.ListingStore; the registry is the run's.
func (f *farRows) KnownManifests(ctx context.Context, _ int64, digests ...pratique.Digest) (all []pratique.Asset, err error) {
	for part := range slices.Chunk(digests, wire.MaxManifests) {
		var rows wire.Rows
		if err := f.persist(ctx, &wire.Manifests{Run: wire.Run{Run: f.run}, Digests: part}, &rows); err != nil {
			return nil, err
		}
		all = append(all, rows.Rows...)
	}
	return all, nil
}

// SyncRepository implements scan.ListingStore.
func (f *farRows) SyncRepository(ctx context.Context, _ int64, repository string, listing []pratique.Asset, whole bool) (result pratique.SyncResult, err error) {
	err = f.persist(ctx, &wire.Listed{Run: wire.Run{Run: f.run}, Repository: repository, Rows: listing, Whole: whole}, &result)
	if code := pratique.CodeOf(err); code == pratique.CodeLimit { // this one is told, and the others go on
		return result, errors.Join(pratique.Errorf(pratique.CodeInvalid, "%s has more than an agent can tell", repository).WithRemedy("let the registry delete old tags, by a retention rule"), err)
	}
	return result, err
}

// SyncProgress implements scan.ListingStore.
func (f *farRows) SyncProgress(ctx context.Context, run pratique.SyncRun) error {
	return f.client.ask(ctx, synced(f.run, run), &wire.Done{})
}
