package agent

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/agent/wire"
	"github.com/pratique/pratique/layer"
	"github.com/pratique/pratique/scan"
	"github.com/pratique/pratique/source"
)

// Why a scan ends of itself.
var (
	errTimedOut = errors.New("timed out")
	errEnded    = errors.New("the service no longer wants it")
	errUntold   = errors.New("what was read could not be told")
)

const (
	// beatEvery is how often a scan says how far it is. A cancelled one learns it by
	// the answer.
	beatEvery = 1500 * time.Millisecond
	// serviceGone is how long a result waits for the service to come back.
	serviceGone = 3 * time.Minute
)

// takeWork asks for work and does it. While as many scans run as may, it asks for
// other work alone.
func (a *agent) takeWork(ctx context.Context) error {
	slots := make(chan struct{}, a.Parallel)
	syncs := make(chan struct{}, syncsAtOnce)
	freed := make(chan struct{}, 1)
	var group sync.WaitGroup
	defer group.Wait()
	for {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		ask := &wire.Work{Wait: wire.WorkWait.Milliseconds(), Busy: len(slots) == cap(slots), Syncing: len(syncs) == cap(syncs)}
		task, err := a.askForWork(ctx, ask, freed)
		switch pratique.CodeOf(err) {
		case "":
		case pratique.CodeUnauthorized:
			return err
		default:
			if ctx.Err() == nil {
				a.Log.Warn("the service gives no work", "error", err)
			}
			continue
		}
		if task.Refresh != 0 {
			group.Go(func() { a.refresh(ctx, task.Refresh) })
		}
		if task.Test != nil {
			group.Go(func() { a.test(ctx, task) })
		}
		if task.Sync != nil {
			syncs <- struct{}{}
			group.Go(func() {
				a.synchronise(ctx, task)
				<-syncs
				signal(freed)
			})
		}
		if task.Scan != nil {
			slots <- struct{}{}
			group.Go(func() {
				a.scan(ctx, task)
				debug.FreeOSMemory() // it may be hours until the next
				<-slots
				signal(freed)
			})
		}
	}
}

// signal says that something is free, to whoever waits for it or will.
func signal(freed chan<- struct{}) {
	select {
	case freed <- struct{}{}:
	default:
	}
}

// askForWork waits for work. A question that was asked while busy ends when something
// is free.
func (a *agent) askForWork(ctx context.Context, ask *wire.Work, freed <-chan struct{}) (task wire.Task, err error) {
	asked, cancel := context.WithCancel(ctx)
	defer cancel()
	if ask.Busy {
		go func() {
			select {
			case <-freed:
				cancel()
			case <-asked.Done():
			}
		}()
	}
	err = a.client.persist(asked, ask, &task)
	if err != nil && ctx.Err() == nil && asked.Err() != nil {
		return wire.Task{}, nil
	}
	return task, err
}

// scanning is one scan.
type scanning struct {
	*agent
	task     wire.Task
	lease    wire.Lease
	progress *scan.Tracker
	pass     *layer.Pass     // with the rules that were in force when it began
	ctx      context.Context // of the scan
	cancel   context.CancelCauseFunc

	opened *source.Opened
	known  map[pratique.Digest]bool
	layers []pratique.Layer // with what became of them
	found  []pratique.Problem
}

func (a *agent) scan(ctx context.Context, task wire.Task) {
	lease := task.Scan.Lease
	pass, over := a.rules.pass.Use()
	defer over()
	s := &scanning{agent: a, pass: pass, task: task, lease: wire.Lease{Scan: lease.ScanID, Attempt: lease.Attempt}, progress: scan.NewTracker(lease.Categories)}
	began := time.Now()
	err := s.run(ctx, lease)
	a.Log.Info("a scan ended", "scan", lease.ScanID, "image", lease.ImageID.Short(), "took", time.Since(began).Round(time.Millisecond), "error", err)
}

func (s *scanning) run(ctx context.Context, lease pratique.Lease) error {
	stopping := ctx
	ctx, s.cancel = context.WithCancelCause(ctx)
	defer s.cancel(nil)
	if lease.Timeout > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeoutCause(ctx, lease.Timeout, errTimedOut)
		defer stop()
	}
	s.ctx = ctx
	beats := s.beat(ctx)
	defer beats()
	err := s.read(ctx)
	if s.opened != nil {
		defer s.opened.Close()
	}
	return s.conclude(stopping, context.Cause(ctx), err)
}

// conclude tells how it ended.
func (s *scanning) conclude(stopping context.Context, cause, failure error) error {
	ctx := context.WithoutCancel(stopping)
	send := func(m wire.Message, patience time.Duration) error {
		err := s.client.persistFor(ctx, patience, m, &wire.Done{})
		if pratique.CodeOf(err) == pratique.CodeCancelled {
			return nil // whoever ended it has said how
		}
		return err
	}
	if errors.Is(cause, errUntold) {
		failure = cause
	}
	switch {
	case errors.Is(cause, errEnded):
		return errEnded
	case errors.Is(cause, errTimedOut):
		timeout := pratique.Errorf(pratique.CodeTimeout, "timed out: the scan took longer than %s", s.task.Scan.Lease.Timeout).
			WithRemedy("scan it again, which goes on where this scan ended, or give it more time")
		return errors.Join(timeout, send(&wire.Fail{Lease: s.lease, Error: *timeout, Reading: s.reading()}, serviceGone))
	case stopping.Err() != nil:
		return errors.Join(stopping.Err(), send(&wire.Release{Lease: s.lease}, 3*time.Second))
	case failure == nil:
		err := send(&wire.Finish{Lease: s.lease, Reading: *s.reading()}, serviceGone)
		if err == nil {
			return nil
		}
		failure = err // it may say why it does not take it
	}
	return errors.Join(failure, send(&wire.Fail{Lease: s.lease, Error: *told(failure), Reading: s.reading()}, serviceGone))
}

// reading is what there is to judge, or nil.
func (s *scanning) reading() *pratique.Reading {
	if s.opened == nil {
		return nil
	}
	img := s.opened.Image
	r := &pratique.Reading{
		Name: wire.Line(img.Name, 1000), Config: s.opened.Config, Digest: img.Digest, Index: img.IndexDigest, ReadFrom: wire.Line(img.ReadFrom, 1000), Keys: s.pass.Keys(),
	}
	for _, tag := range img.Tags[:min(len(img.Tags), 1000)] {
		r.Tags = append(r.Tags, wire.Line(tag, 1000))
	}
	layers := s.layers
	if layers == nil {
		layers = img.Layers
	}
	for _, l := range layers {
		told := pratique.ReadLayer{Digest: l.Digest, MediaType: wire.Line(l.MediaType, 200), Size: l.Size, State: l.State, Reason: wire.Line(l.Reason, 1000)}
		if told.State == "" {
			told.State = pratique.LayerNotRead
		}
		r.Layers = append(r.Layers, told)
	}
	for _, p := range append(s.opened.Problems, s.found...) {
		if p.Layer != nil || len(r.Problems) == 1000 { // of a layer, its state tells
			continue
		}
		p.Message, p.Remedy = wire.Line(p.Message, 1000), wire.Line(p.Remedy, 1000)
		r.Problems = append(r.Problems, p)
	}
	return r
}

// read finds the image and reads what the service does not know of it. Of several
// places the first that has it is taken.
func (s *scanning) read(ctx context.Context) error {
	failure := error(pratique.Errorf(pratique.CodeNotFound, "the image is no longer here").WithRemedy("update the host's data, then scan again if it is still wanted"))
	for i, open := range s.places(ctx) {
		opened, err := open()
		if err == nil && opened.Image.ID != s.task.Scan.Lease.ImageID {
			err = errors.Join(pratique.Errorf(pratique.CodeNotFound, "%.200s is another image by now: %s", opened.Image.Name, opened.Image.ID.Short()).
				WithRemedy("nothing is wrong with it; scan the image that has the name now"), opened.Close())
		}
		if err != nil {
			if i == 0 {
				failure = err
			}
			continue
		}
		s.opened = opened
		return s.readOpened(ctx)
	}
	return failure
}

// places are the ways to open the image, best first.
func (s *scanning) places(ctx context.Context) (all []func() (*source.Opened, error)) {
	for _, p := range s.task.Scan.Local {
		for _, w := range s.watches {
			if info, known := s.state.engine(w.Name); !known || info.Kind != p.Engine.Kind || info.Owner != p.Engine.Owner || info.Root != p.Engine.Root {
				continue
			}
			// A name may lead to images for several platforms; then the ID decides.
			for _, name := range []string{p.Name, string(s.task.Scan.Lease.ImageID)} {
				if p.Space != "" {
					name = p.Space + "/" + name
				}
				all = append(all, func() (*source.Opened, error) {
					return source.OpenLocal(ctx, w.Engine.Engine, name, source.Options{Scratch: s.Scratch})
				})
			}
		}
	}
	for _, l := range s.task.Scan.Remote {
		for _, r := range s.task.Registries {
			if r.ID == l.RegistryID {
				all = append(all, func() (*source.Opened, error) {
					return s.Remote.Open(ctx, scan.Connection(r.Registry, r.Password), l.Repository, l.Digest)
				})
			}
		}
	}
	return all
}

func (s *scanning) readOpened(ctx context.Context) error {
	var known wire.Layers
	if err := s.client.persistFor(ctx, serviceGone, &wire.Known{Lease: s.lease, Config: s.opened.Config, Keys: s.pass.Keys()}, &known); err != nil {
		return err
	}
	s.known = map[pratique.Digest]bool{}
	for _, d := range known.Known {
		s.known[d] = true
	}
	now := time.Now()
	var err error
	s.layers, s.found, err = scan.Read(ctx, scan.Request{
		Image: s.opened.Image, Source: s.opened, Problems: s.opened.Problems, Pass: s.pass, Store: (*toldFacts)(s), Attested: true,
		Progress: s.progress, Started: now, Now: now.UTC(),
	})
	return err
}

// toldFacts are the facts that the service has: those of layers that it knows need
// not be fetched, because nothing is judged here.
type toldFacts scanning

var _ scan.FactStore = (*toldFacts)(nil)

func (t *toldFacts) Get(diffID pratique.Digest, analyzer, version string) *pratique.Facts {
	if !t.known[diffID] {
		return nil
	}
	return &pratique.Facts{DiffID: diffID, Analyzer: analyzer, Version: version, Verified: true}
}

func (t *toldFacts) Put(facts *pratique.Facts) error {
	err := t.client.persistFor(t.ctx, serviceGone, &wire.Facts{Lease: t.lease, Config: t.opened.Config, Facts: *facts}, &wire.Done{})
	switch pratique.CodeOf(err) {
	case "":
	case pratique.CodeCancelled:
		t.cancel(errEnded)
	case pratique.CodeLimit: // the layer counts as not read, and says so
		return err
	default:
		t.cancel(fmt.Errorf("%w: %w", errUntold, err))
	}
	return err
}

// beat says how far the scan is until stop is called, and ends it when the service
// says that it is over.
func (s *scanning) beat(ctx context.Context) (stop func()) {
	// Not under ctx: a scan that is over still says that it lives while its end is told.
	beating, end := context.WithCancel(context.WithoutCancel(ctx))
	var group sync.WaitGroup
	group.Go(func() {
		tick := time.NewTicker(beatEvery)
		defer tick.Stop()
		for {
			select {
			case <-beating.Done():
				return
			case <-tick.C:
			}
			err := s.client.ask(beating, &wire.Progress{Lease: s.lease, Progress: s.progress.Percents()}, &wire.Done{})
			if code := pratique.CodeOf(err); beating.Err() == nil && (code == pratique.CodeCancelled || code == pratique.CodeUnauthorized) {
				s.cancel(errEnded)
				return
			}
		}
	})
	return func() {
		end()
		group.Wait()
	}
}
