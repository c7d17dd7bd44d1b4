package scan

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/registry"
)

// SyncStore is what synchronising needs to be kept.
type SyncStore interface {
	RegistryStore
	ListingStore
	Registries(ctx context.Context) ([]pratique.RegistryRow, error)
	WebhookSecret(ctx context.Context, id int64) (string, error)

	// A wish stays until it is done, whoever dies in between; SyncDone keeps what was
	// wanted again meanwhile.
	WantSync(ctx context.Context, registryID int64, wish pratique.SyncWish) error
	SyncWish(ctx context.Context, registryID int64) (pratique.SyncWish, error)
	SyncDone(ctx context.Context, registryID int64, done pratique.SyncWish) error
	DropSyncWish(ctx context.Context, registryID int64) error

	// BeginSync is CodeConflict while a run of the registry goes on; EndSync is
	// CodeCancelled when somebody else has ended the run.
	BeginSync(ctx context.Context, registryID int64, full bool, reason string) (pratique.SyncRun, error)
	EndSync(ctx context.Context, run pratique.SyncRun, failure *pratique.Error, met *pratique.Health) (pratique.SyncRun, error)
	Syncs(ctx context.Context, registryID int64, limit int) ([]pratique.SyncRun, error)
	EndSilentSyncs(ctx context.Context, silence time.Duration) (int, error)

	// SiteWishes are those of the registries of a site that nobody is at.
	SiteWishes(ctx context.Context, site string) (map[int64]pratique.SyncWish, error)
	// SiteOnline tells whether an agent of a site is online.
	SiteOnline(ctx context.Context, site string) (bool, error)
	// AskTest wants an agent of the registry's site to test a connection; TestOutcome is
	// the agent that took the test, and what came of it once that is known.
	AskTest(ctx context.Context, r pratique.Registry, password string) (id int64, err error)
	TestOutcome(ctx context.Context, id int64) (agent string, outcome json.RawMessage, err error)
	DropTest(ctx context.Context, id int64) error
	// SiteSync is a run of a registry of a site that goes on, or CodeCancelled.
	SiteSync(ctx context.Context, site string, runID int64) (pratique.SyncRun, error)
}

// ListingStore is where a listing goes.
type ListingStore interface {
	RepositoryAssets(ctx context.Context, registryID int64, repository string) ([]pratique.Asset, error)
	// KnownManifests are rows of registries that the same ones read.
	KnownManifests(ctx context.Context, registryID int64, digests ...pratique.Digest) ([]pratique.Asset, error)
	SyncRepository(ctx context.Context, registryID int64, repository string, listing []pratique.Asset, whole bool) (pratique.SyncResult, error)
	// SyncProgress is CodeCancelled when somebody else has ended the run.
	SyncProgress(ctx context.Context, run pratique.SyncRun) error
}

// Syncer brings what is known of registries' inventories up to date. What is
// wanted stands in the registry's row; the job is its hand. One run of a registry
// goes on at a time: a whole one, or one over the repositories that its webhook
// hinted at.
//
// A listing can end early, and pages move while it goes on: rows are marked as
// gone only in a repository that was listed completely, and repositories only by
// a full run in which nothing failed.
type Syncer struct {
	Store      SyncStore
	Jobs       Jobs
	Connectors []registry.Connector
	Remote     Remote
	Tasks      *Tasks // scans what is new
	Settings   func(context.Context) (Settings, error)
	Observer   Observer
	Log        *slog.Logger

	others others
}

// Reasons of runs.
const (
	ReasonManual   = "manual"
	ReasonSchedule = "schedule"
	ReasonWebhook  = "webhook"
)

const (
	// syncBeat is how often a run says that it is alive.
	syncBeat = 2 * time.Second
	// syncSilence is after how much silence a run's process is taken to be dead.
	syncSilence = 30 * time.Second
)

// StartSync wants registries to be synchronised, without ids all of them. It
// returns those that began to wait for it, and those that were at it already.
func (s *Syncer) StartSync(ctx context.Context, full bool, by string, ids ...int64) (started, running []int64, err error) {
	return s.want(ctx, pratique.WholeSync{Full: full, By: by, Reason: ReasonManual}, LaneHand, ids...)
}

func (s *Syncer) want(ctx context.Context, wish pratique.WholeSync, lane Lane, ids ...int64) (started, running []int64, err error) {
	all, err := s.Store.Registries(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, id := range ids {
		if !slices.ContainsFunc(all, func(r pratique.RegistryRow) bool { return r.ID == id }) {
			return nil, nil, pratique.Errorf(pratique.CodeNotFound, "there is no registry %d", id)
		}
	}
	var jobs []Job
	for _, r := range all {
		if len(ids) > 0 && !slices.Contains(ids, r.ID) {
			continue
		}
		if (r.Sync.State == "running" || r.Sync.State == "waiting") && (r.Sync.Full || !wish.Full) {
			running = append(running, r.ID)
			continue
		}
		wish.At = time.Now().UTC()
		if err := s.Store.WantSync(ctx, r.ID, pratique.SyncWish{Whole: &wish}); err != nil {
			return started, running, err
		}
		started = append(started, r.ID)
		jobs = append(jobs, Job{Args: SyncArgs{RegistryID: r.ID}, Lane: lane})
	}
	want(ctx, s.Jobs, jobs...)
	return started, running, nil
}

// CancelSync ends a registry's run, or takes the wish for one back. What was
// listed until then stays.
func (s *Syncer) CancelSync(ctx context.Context, id int64) error {
	if err := s.Store.DropSyncWish(ctx, id); err != nil {
		return err
	}
	runs, err := s.Store.Syncs(ctx, id, 1)
	if err != nil {
		return err
	}
	if len(runs) > 0 && runs[0].Ended == nil {
		if _, err := s.Store.EndSync(ctx, runs[0], cancelledSync(), nil); err != nil && pratique.CodeOf(err) != pratique.CodeCancelled {
			return err
		}
	}
	_, err = s.Jobs.Cancel(ctx, SyncArgs{RegistryID: id})
	return err
}

func cancelledSync() *pratique.Error {
	return pratique.Errorf(pratique.CodeCancelled, "the synchronisation was cancelled").WithRemedy("start it again")
}

// Window is the job of the daily window: every registry is synchronised, and fully
// when the last full run was a week ago.
func (s *Syncer) Window(ctx context.Context, _ WindowArgs, _ Attempt) error {
	all, err := s.Store.Registries(ctx)
	if err != nil {
		return err
	}
	for _, r := range all {
		runs, err := s.Store.Syncs(ctx, r.ID, 100)
		if err != nil {
			return err
		}
		full := !slices.ContainsFunc(runs, func(run pratique.SyncRun) bool {
			return run.Full && run.State == "success" && time.Since(run.Started) < fullEvery
		})
		if _, _, err := s.want(ctx, pratique.WholeSync{Full: full, By: ReasonSchedule, Reason: ReasonSchedule}, LaneSchedule, r.ID); err != nil {
			return err
		}
	}
	return nil
}

// fullEvery is how old the last full run may be when the window opens: a week, but
// for the time that it takes.
const fullEvery = 7*24*time.Hour - 12*time.Hour

// Sync is the job: it does what is wanted of a registry until nothing is.
func (s *Syncer) Sync(ctx context.Context, args SyncArgs, _ Attempt) error {
	for ctx.Err() == nil {
		wish, err := s.Store.SyncWish(ctx, args.RegistryID)
		if pratique.CodeOf(err) == pratique.CodeNotFound {
			return nil
		}
		if err != nil {
			return err
		}
		if far, err := s.leaveToSite(ctx, args.RegistryID, wish); far || err != nil {
			return err
		}
		switch {
		case len(wish.Hints) > 0: // somebody may be waiting for a pushed image
			quiet, stopped := settled(ctx, wish.Hints)
			if stopped != nil {
				return stopped
			}
			if !quiet {
				continue
			}
			err = s.run(ctx, args.RegistryID, pratique.SyncWish{Hints: wish.Hints})
		case wish.Whole != nil:
			err = s.run(ctx, args.RegistryID, pratique.SyncWish{Whole: wish.Whole})
		default:
			return nil
		}
		if pratique.CodeOf(err) == pratique.CodeNotFound { // the registry was deleted
			return nil
		}
		if err != nil {
			return err
		}
	}
	return context.Cause(ctx)
}

// run does one part of a wish, and writes down how it went. An error means that it
// has to be done again.
func (s *Syncer) run(ctx context.Context, id int64, wish pratique.SyncWish) error {
	r, conn, unconnected := connect(ctx, s.Store, id)
	if r.ID == 0 {
		return unconnected
	}
	full, reason := false, ReasonWebhook
	if wish.Whole != nil {
		full, reason = wish.Whole.Full, wish.Whole.Reason
	}
	run, err := s.Store.BeginSync(ctx, id, full, reason)
	if pratique.CodeOf(err) == pratique.CodeConflict { // of a process that died, or is about to learn that it is given up
		return Later(syncBeat)
	}
	if err != nil {
		return err
	}
	began := time.Now()
	l := s.listing(r, conn, wish, run)
	failure := unconnected
	if failure == nil {
		l.since, l.run.Total, failure = s.reach(ctx, wish, run)
	}
	if failure == nil {
		failure = l.list(ctx)
	}
	return s.conclude(ctx, l, failure, time.Since(began))
}

// conclude ends a run: its row, the registry's health, the wish, and scans of what
// is new, which an early end does not keep from being scanned.
func (s *Syncer) conclude(ctx context.Context, l *listing, failure error, took time.Duration) error {
	cause := context.Cause(ctx)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	if errors.Is(cause, ErrLost) || l.ended {
		return superseded(cause)
	}
	told := told(failure)
	switch {
	case errors.Is(cause, ErrCancelled):
		told = cancelledSync()
	case cause != nil:
		told = pratique.Errorf(pratique.CodeCancelled, "the service stopped in the middle of it").WithRemedy("it begins again by itself when the service runs")
	}
	var met *pratique.Health
	if cause == nil {
		met = healthOf(l.registry, failure)
	}
	run, err := s.Store.EndSync(ctx, l.run, told, met)
	if pratique.CodeOf(err) == pratique.CodeCancelled {
		return superseded(cause)
	}
	if err != nil {
		return err
	}
	s.Observer.Synced(l.registry.Kind, run.State, took, l.reads)
	log, level := s.Log, slog.LevelInfo
	if told != nil {
		log, level = log.With("error", told), slog.LevelWarn
	}
	log.Log(ctx, level, "a registry was synchronised", "registry", l.registry.Name, "state", run.State, "full", run.Full, "reason", run.Reason, "repositories", run.Done,
		"added", run.Added, "changed", run.Changed, "gone", run.Gone, "manifests", l.reads, "took", took)
	if err := s.scanNew(ctx, l); err != nil {
		s.Log.Error("what a synchronisation found cannot be scanned", "registry", l.registry.Name, "error", err)
	}
	if cause != nil {
		return cause // the wish stays
	}
	return s.Store.SyncDone(ctx, l.registry.ID, l.wish)
}

// superseded ends the job of a run that somebody else has ended, and has written why.
// Who cancelled it cancels the job as well, in a moment: what is wanted since is for
// the next one.
func superseded(cause error) error {
	if cause != nil {
		return cause
	}
	return Later(closing)
}

// told is an error as it may be kept.
func told(err error) *pratique.Error {
	var known *pratique.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return known
	}
	return pratique.Errorf(pratique.CodeInternal, "something went wrong inside the service: %w", err).WithRemedy("look into the service's log")
}

// healthOf is a registry's health after a run that ended so; nil if that says nothing
// of it.
func healthOf(r pratique.Registry, failure error) *pratique.Health {
	now := time.Now().UTC()
	health := r.Health
	health.Checked = &now
	if failure == nil {
		health.Status, health.Reason, health.Remedy = string(registry.StatusConnected), pratique.Text{}, pratique.Text{}
		return &health
	}
	var partly *partlyError
	if errors.As(failure, &partly) { // the registry answers, but not for everything
		return nil
	}
	fault := registry.Diagnose(failure)
	switch fault.Status {
	case registry.StatusCancelled, registry.StatusInvalid:
		return nil
	}
	health.Status, health.Reason, health.Remedy = string(fault.Status), fault.Reason, fault.Remedy
	return &health
}

// scanNew makes a task of what a run found. Contents that were scanned before, under
// whatever name, have their result already.
func (s *Syncer) scanNew(ctx context.Context, l *listing) error {
	settings, err := s.Settings(ctx)
	if err != nil {
		return err
	}
	hinted := len(l.wish.Hints) > 0
	if len(l.fresh) == 0 || !hinted && !settings.scansAfterSync(l.registry.ID) {
		return nil
	}
	request := pratique.TaskRequest{
		Kind: pratique.TaskSchedule, Creator: "sync of " + l.registry.Name, Categories: everything(), Timeout: settings.timeout(), Priority: pratique.PrioritySchedule,
	}
	if hinted {
		request.Kind, request.Creator, request.Priority = pratique.TaskWebhook, "push to "+l.registry.Name, pratique.PriorityPush
	}
	for part := range slices.Chunk(l.fresh, 500) {
		images, _, err := s.Tasks.Store.Selection(ctx, pratique.AssetFilter{Registries: []int64{l.registry.ID}, ImageIDs: part, Newest: !hinted && l.run.Full})
		if err != nil {
			return err
		}
		for _, v := range images {
			if !v.Scanned && !v.Active {
				request.ImageIDs = append(request.ImageIDs, v.ImageID)
			}
		}
	}
	if len(request.ImageIDs) == 0 {
		return nil
	}
	_, err = s.Tasks.start(ctx, request)
	return err
}

func everything() []pratique.Category {
	return []pratique.Category{pratique.CategoryMalware, pratique.CategorySecret, pratique.CategorySoftware, pratique.CategoryVulnerability}
}

// writeTimeout bounds what has to be written although a job ends.
const writeTimeout = 30 * time.Second

// partlyError: some repositories could not be listed, or some manifests not be read.
type partlyError struct{ told *pratique.Error }

func (e *partlyError) Error() string { return e.told.Message }
func (e *partlyError) Unwrap() error { return e.told }

// others are manifests that are no images, such as charts: they have no row that
// would say that they were read. They are remembered while the process lives.
type others struct {
	mu  sync.Mutex
	all map[pratique.Digest]struct{}
}

const maxOthers = 200_000

func (o *others) add(d pratique.Digest) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.all == nil || len(o.all) >= maxOthers {
		o.all = map[pratique.Digest]struct{}{}
	}
	o.all[d] = struct{}{}
}

func (o *others) has(d pratique.Digest) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, ok := o.all[d]
	return ok
}

// connector finds the one of a kind.
func connector(all []registry.Connector, kind string) (registry.Connector, error) {
	for _, c := range all {
		if c.Kind() == kind {
			return c, nil
		}
	}
	return nil, pratique.Errorf(pratique.CodeUnsupported, "this version of the service does not know registries of the kind %.40q", kind).WithRemedy("update the service")
}

// problem is the first of some, with their number.
type problem struct {
	first error
	count int
}

func (p *problem) add(err error) {
	if err != nil {
		p.first, p.count = cmp.Or(p.first, err), p.count+1
	}
}

// partly says what failed, or returns nil.
func (p *problem) partly(what string) error {
	if p.count == 0 {
		return nil
	}
	first := told(p.first)
	message := fmt.Sprintf("%d %s: %s", p.count, what, first.Message)
	return &partlyError{&pratique.Error{Code: first.Code, Message: message, Remedy: first.Remedy, Cause: p.first}}
}
