package scan

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/layer"
	"github.com/pratique/pratique/registry"
)

// ScanStore is what a worker needs to be kept. A lease is its right to write;
// whatever is written after it has ended is refused with CodeCancelled.
type ScanStore interface {
	RegistryStore
	ActiveScans(ctx context.Context, images ...pratique.Digest) ([]int64, error)
	// Claim is CodeCancelled for a scan that has ended, and CodeConflict for one that
	// another worker has, or had until lately.
	Claim(ctx context.Context, scanID int64, worker string) (pratique.Lease, error)
	Beat(ctx context.Context, lease pratique.Lease, progress map[pratique.Category]int) error
	FinishScan(ctx context.Context, lease pratique.Lease, report *pratique.Report, rules string) (again bool, err error)
	FailScan(ctx context.Context, lease pratique.Lease, failure *pratique.Error, partial *pratique.Report) error
	Release(ctx context.Context, lease pratique.Lease) error
	Postpone(ctx context.Context, lease pratique.Lease, due time.Time, why *pratique.Error) error
	Locations(ctx context.Context, imageID pratique.Digest) ([]pratique.Location, error)
	// TakePull counts an image against the registry's hourly limit, and returns how
	// long to wait if it is used up.
	TakePull(ctx context.Context, registryID, scanID int64) (wait time.Duration, err error)
}

// KnowledgeSource gives what is in force about vulnerabilities.
type KnowledgeSource interface {
	// Current returns the bundle in force until release is called; nil, nil when
	// there is none.
	Current(ctx context.Context) (known Knowledge, bundle *pratique.Bundle, release func(), err error)
}

// Scanner does scans as their rows want them. Any number of them, in any number of
// processes, may work on one store.
type Scanner struct {
	Store       ScanStore
	Remote      Remote
	Pass        *layer.Pass // shared by all scans of this process, with one budget of memory
	Facts       FactStore
	Turns       Sharing
	Knowledge   KnowledgeSource
	Credentials Credentials
	Rules       string // the analyzers with their rule sets, as they are told to the store
	Tool        pratique.Tool
	Observer    Observer
	Log         *slog.Logger

	readings readings
}

// Why a scan ends of itself.
var (
	errTimedOut = errors.New("timed out")
	errEnded    = errors.New("the scan's row has ended, or is another worker's")
)

const (
	// refusedFor is how long scans fail at once after a registry refused us: an
	// account that is asked too often with a wrong password gets locked.
	refusedFor = 5 * time.Minute
	// patience is how long a scan waits when a registry asks for fewer requests.
	patience = 2 * time.Minute
	// maxPatience is the attempt at which it fails instead, after hours.
	maxPatience = 200
	// databaseGone is how long a result waits for the database to come back.
	databaseGone = 2 * time.Minute
)

// Scan is the job.
func (s *Scanner) Scan(ctx context.Context, args ScanArgs, attempt Attempt) error {
	ids, err := s.Store.ActiveScans(ctx, args.ImageID)
	if err != nil || len(ids) == 0 {
		return err
	}
	lease, err := s.Store.Claim(ctx, ids[0], attempt.Worker)
	switch pratique.CodeOf(err) {
	case "":
	case pratique.CodeCancelled, pratique.CodeConflict: // the sweeper looks after the latter
		return nil
	default:
		return err
	}
	w := &scanning{Scanner: s, lease: lease, began: time.Now(), tracker: NewTracker(lease.Categories)}
	return w.do(ctx)
}

// scanning is one worker's go at a scan.
type scanning struct {
	*Scanner
	lease   pratique.Lease
	began   time.Time
	tracker *Tracker
	request *Request // of the last run
	told    string   // KnowledgeName of what judged
	kind    string   // of the registry that was read last
	stop    context.CancelCauseFunc
}

func (w *scanning) do(ctx context.Context) error {
	ctx, w.stop = context.WithCancelCause(ctx)
	defer w.stop(nil)
	if w.lease.Timeout > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeoutCause(ctx, w.lease.Timeout, errTimedOut)
		defer stop()
	}
	beats := w.beat(ctx)
	defer beats()
	report, err := w.scan(ctx)
	w.Observer.Pulled(w.kind, w.tracker.bytes())
	return w.conclude(ctx, report, err)
}

// conclude writes how it ended. What it returns is the job's end: nil when the row
// says it.
func (w *scanning) conclude(ctx context.Context, report *pratique.Report, failure error) error {
	cause := context.Cause(ctx)
	ctx = context.WithoutCancel(ctx)
	var wait *postponed
	var gone *away
	switch {
	case failure == nil:
		return w.finish(ctx, report)
	case errors.Is(cause, errTimedOut):
		return w.fail(ctx, w.timedOut(), w.partial(ctx))
	case errors.Is(cause, ErrStopping):
		return errors.Join(cause, w.persist(ctx, func(ctx context.Context) error { return w.Store.Release(ctx, w.lease) }))
	case errors.Is(cause, errEnded):
		return nil
	case cause != nil: // cancelled or lost: nothing more is ours to write
		if errors.Is(cause, ErrCancelled) {
			w.ended(pratique.StatusCancelled, nil)
		}
		return cause
	case errors.As(failure, &gone):
		err := w.persist(ctx, func(ctx context.Context) error { return w.Store.Release(ctx, w.lease) })
		return errors.Join(gone, err)
	case errors.As(failure, &wait):
		due := time.Now().Add(wait.wait)
		err := w.persist(ctx, func(ctx context.Context) error { return w.Store.Postpone(ctx, w.lease, due, wait.why) })
		if err != nil {
			return err
		}
		return Later(wait.wait)
	}
	return w.fail(ctx, told(failure), nil)
}

func (w *scanning) finish(ctx context.Context, report *pratique.Report) error {
	again := false
	lease := w.lease // beats go on with it
	lease.Knowledge = w.told
	err := w.persist(ctx, func(ctx context.Context) (err error) {
		again, err = w.Store.FinishScan(ctx, lease, report, w.Rules)
		return err
	})
	if err != nil {
		return err
	}
	read, cached := 0, 0
	for _, l := range report.Layers {
		switch l.State {
		case pratique.LayerCached:
			cached++
		case pratique.LayerRead:
			read++
		}
	}
	w.Observer.Layers(read, cached)
	w.ended(pratique.StatusScanned, nil)
	w.Log.Info("an image was scanned", "image", report.Image.Name, "id", w.lease.ImageID.Short(), "scan", w.lease.ScanID, "read", read, "known", cached, "took", time.Since(w.began).Round(time.Millisecond))
	if again { // it was widened meanwhile, and waits for the rest
		return Later(0)
	}
	return nil
}

func (w *scanning) fail(ctx context.Context, failure *pratique.Error, partial *pratique.Report) error {
	err := w.persist(ctx, func(ctx context.Context) error { return w.Store.FailScan(ctx, w.lease, failure, partial) })
	if err != nil {
		return err
	}
	w.ended(pratique.StatusFailed, failure)
	return nil
}

func (w *scanning) ended(status pratique.Status, failure *pratique.Error) {
	took := time.Since(w.began)
	if failure == nil {
		w.Observer.Scanned(status, "", took)
		return
	}
	w.Observer.Scanned(status, failure.Code, took)
	w.Log.Warn("a scan failed", "id", w.lease.ImageID.Short(), "scan", w.lease.ScanID, "code", failure.Code, "error", failure.Message, "took", took.Round(time.Millisecond))
}

// persist writes, and waits for a database that is away. A lease that has ended
// needs no writing: whoever ended it has said how.
func (w *scanning) persist(ctx context.Context, write func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, databaseGone)
	defer cancel()
	for {
		err := write(ctx)
		switch pratique.CodeOf(err) {
		case pratique.CodeCancelled:
			return nil
		case pratique.CodeUnreachable:
			select {
			case <-ctx.Done():
				return err
			case <-time.After(time.Second):
				continue
			}
		}
		return err
	}
}

func (w *scanning) timedOut() *pratique.Error {
	return pratique.Errorf(pratique.CodeTimeout, "timed out: the scan took longer than %s", w.lease.Timeout).
		WithRemedy("scan it again, which goes on where this scan ended, or give it more time")
}

// partial is the report of what was read until now: the layers that are not in the
// store are told as not read.
func (w *scanning) partial(ctx context.Context) *pratique.Report {
	request := w.request
	if request == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	r := *request
	r.Source, r.Turns, r.Progress = unread{}, nil, NewTracker(nil)
	known, bundle, release, err := w.Knowledge.Current(ctx)
	if err != nil {
		return nil
	}
	defer release()
	r.Knowledge, r.Bundle = known, bundle
	report, err := Run(ctx, r)
	if err != nil {
		w.Log.Warn("what a scan had read cannot be told", "scan", w.lease.ScanID, "error", err)
		return nil
	}
	return report
}

// away: our own database did not answer in the middle of a scan. The image has not
// failed: it is scanned when the database is back.
type away struct{ error }

func (a *away) Unwrap() error { return a.error }

// ours marks an error of the store.
func ours(err error) error {
	if pratique.CodeOf(err) == pratique.CodeUnreachable {
		return &away{err}
	}
	return err
}

// postponed: nothing can be done before a time.
type postponed struct {
	wait time.Duration
	why  *pratique.Error
}

func (p *postponed) Error() string { return p.why.Error() }

// scan tries the places where the image lies, one after the other. Layers that
// were read from one that fails in the middle are not read again from the next.
func (w *scanning) scan(ctx context.Context) (*pratique.Report, error) {
	locations, err := w.Store.Locations(ctx, w.lease.ImageID)
	if err != nil {
		return nil, ours(err)
	}
	if len(locations) == 0 {
		return nil, pratique.Errorf(pratique.CodeNotFound, "the image is no longer in any registry, nor on a host").WithRemedy("synchronise the registry that had it, or update the data of its host")
	}
	w.order(ctx, locations)
	var failure error
	var wait *postponed
	tried := map[pratique.Location]bool{}
	for _, l := range locations {
		l.Tag, l.Index = "", ""
		if tried[l] {
			continue
		}
		tried[l] = true
		report, err := w.from(ctx, l)
		if err == nil || ctx.Err() != nil {
			return report, err
		}
		var later *postponed
		if errors.As(err, &later) {
			if wait == nil || later.wait < wait.wait {
				wait = later
			}
			continue
		}
		if gone := (*away)(nil); errors.As(err, &gone) {
			return nil, err
		}
		failure = cmp.Or(failure, err)
	}
	if wait != nil {
		return nil, wait
	}
	return nil, failure
}

// order puts registries that did not answer lately last: waiting for one may take
// longer than the scan.
func (w *scanning) order(ctx context.Context, locations []pratique.Location) {
	doubtful := map[int64]int{}
	for _, l := range locations {
		if _, known := doubtful[l.RegistryID]; known {
			continue
		}
		doubtful[l.RegistryID] = 0
		r, err := w.Store.Registry(ctx, l.RegistryID)
		if status := registry.Status(r.Health.Status); err == nil && status != "" && status != registry.StatusConnected {
			doubtful[l.RegistryID] = 1
		}
	}
	slices.SortStableFunc(locations, func(a, b pratique.Location) int {
		return cmp.Compare(doubtful[a.RegistryID], doubtful[b.RegistryID])
	})
}

// from scans the image from one place.
func (w *scanning) from(ctx context.Context, l pratique.Location) (*pratique.Report, error) {
	r, conn, err := connect(ctx, w.Store, l.RegistryID)
	if err != nil {
		return nil, ours(err)
	}
	w.kind = r.Kind
	if err := refused(r, time.Now()); err != nil {
		return nil, err
	}
	wait, err := w.Store.TakePull(ctx, r.ID, w.lease.ScanID)
	if err != nil {
		return nil, ours(err)
	}
	if wait > 0 {
		return nil, &postponed{wait, pratique.Errorf(pratique.CodeRateLimited, "the registry %s has had its %d images of this hour", r.Name, r.HourlyLimit).
			WithRemedy("it goes on by itself at %s; a higher limit of the registry makes it sooner", time.Now().Add(wait).Format("15:04 MST"))}
	}
	opened, err := w.Remote.Open(ctx, conn, l.Repository, l.Digest)
	if err != nil {
		return nil, w.met(ctx, r, err)
	}
	defer opened.Close()
	if opened.Image.ID != w.lease.ImageID {
		return nil, pratique.Errorf(pratique.CodeCorrupt, "%s holds other content than it did: %s", opened.Image.Name, opened.Image.ID.Short()).WithRemedy("synchronise the registry, then scan again")
	}
	report, err := w.run(ctx, opened)
	return report, w.met(ctx, r, err)
}

func (w *scanning) run(ctx context.Context, opened Opened) (*pratique.Report, error) {
	known, bundle, release, err := w.Knowledge.Current(ctx)
	if err != nil {
		return nil, ours(err)
	}
	defer release()
	w.told = KnowledgeName(known)
	facts := notedFacts{FactStore: w.Facts, readings: &w.readings}
	if w.lease.Forced {
		facts.since = w.lease.Created
	}
	now := time.Now()
	request := Request{
		Image: opened.Image, Source: opened.Source, Problems: opened.Problems,
		Pass: w.Pass, Store: facts, Turns: wanted{w.Turns, w}, Knowledge: known, Bundle: bundle, Credentials: w.Credentials,
		Progress: w.tracker, Tool: w.Tool, Started: now, Now: now.UTC(),
	}
	w.request = &request
	return Run(ctx, request)
}

// met notes what a registry answered: one that refuses us is not asked by every
// scan, and one that asks for patience gets it.
func (w *scanning) met(ctx context.Context, r pratique.Registry, err error) error {
	if err == nil || ctx.Err() != nil {
		return err
	}
	if pratique.CodeOf(err) == pratique.CodeRateLimited && w.lease.Attempt < maxPatience {
		return &postponed{patience, told(err)}
	}
	fault := registry.Diagnose(err)
	if pratique.CodeOf(err) != pratique.CodeUnauthorized || fault.Status != registry.StatusAuthFailed {
		return err
	}
	now := time.Now().UTC()
	health := r.Health
	health.Status, health.Reason, health.Remedy, health.Checked = string(fault.Status), fault.Reason, fault.Remedy, &now
	if err := w.Store.SetHealth(ctx, r.ID, health); err != nil {
		w.Log.Warn("a registry's health cannot be kept", "registry", r.Name, "error", err)
	}
	return err
}

// refused is the error of a registry that lately refused the credential that it
// still has.
func refused(r pratique.Registry, now time.Time) error {
	h := r.Health
	if h.Status != string(registry.StatusAuthFailed) || h.Checked == nil || h.Checked.Before(r.Updated) || now.Sub(*h.Checked) > refusedFor {
		return nil
	}
	return pratique.Errorf(pratique.CodeUnauthorized, "the registry %s refused us at %s, and was not asked again", r.Name, h.Checked.Format("15:04 MST")).
		WithRemedy("correct the registry's user name and password, then scan again")
}
