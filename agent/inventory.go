package agent

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/agent/wire"
	"github.com/pratique/pratique/engine"
)

const (
	// settle is how long nothing must happen in an engine before it is asked, and
	// settleMost how long that is waited for: starting a Compose project makes hundreds
	// of events.
	settle     = 500 * time.Millisecond
	settleMost = 3 * time.Second
	// absent is how often an engine is looked for that is not there.
	absent = 30 * time.Second
	// inventoryTime is how long an engine may take.
	inventoryTime = 2 * time.Minute
)

// watch keeps the service up to date about one engine.
type watch struct {
	Engine
	agent  *agent
	kick   chan struct{} // something may have changed
	looked chan struct{} // closed once it was asked for the first time

	mu   sync.Mutex // one inventory at a time
	last pratique.Digest
	once sync.Once
}

func newWatch(a *agent, e Engine) *watch {
	return &watch{Engine: e, agent: a, kick: make(chan struct{}, 1), looked: make(chan struct{})}
}

// run takes an inventory when something happens, and now and then.
func (w *watch) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return w.listen(ctx) })
	group.Go(func() error { return w.take(ctx) })
	return group.Wait()
}

func (w *watch) take(ctx context.Context) error {
	due := time.NewTimer(0)
	defer due.Stop()
	always := true
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-due.C:
			always = true
		case <-w.kick:
			if !w.calm(ctx) {
				return ctx.Err()
			}
		}
		next := w.agent.InventoryEvery
		switch err := w.tell(ctx, always); pratique.CodeOf(err) {
		case pratique.CodeUnauthorized:
			if !w.failing() { // the service refuses us, not the engine
				return err
			}
			next = absent
		case "":
			always = false
		default:
			next = min(next, absent)
		}
		due.Reset(next)
	}
}

// calm waits until nothing has happened for a moment.
func (w *watch) calm(ctx context.Context) bool {
	latest := time.After(settleMost)
	for {
		select {
		case <-ctx.Done():
			return false
		case <-latest:
			return true
		case <-time.After(settle):
			return true
		case <-w.kick:
		}
	}
}

func (w *watch) hint() {
	select {
	case w.kick <- struct{}{}:
	default:
	}
}

// listen turns the engine's events into hints, as long as it runs.
func (w *watch) listen(ctx context.Context) error {
	for {
		_ = w.Watch(ctx, func(engine.Event) error { w.hint(); return nil })
		if ctx.Err() != nil {
			return ctx.Err()
		}
		w.hint() // it ended, or was not there: how is it now?
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Second):
		}
	}
}

func (w *watch) failing() bool {
	w.agent.mu.Lock()
	defer w.agent.mu.Unlock()
	_, failing := w.agent.problems[w.Name]
	return failing
}

// tell takes an inventory and sends it, if it is another than the last or always is
// set. The error is that of the service, or of the engine.
func (w *watch) tell(ctx context.Context, always bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	asked, cancel := context.WithTimeout(ctx, inventoryTime)
	inv, err := w.ask(asked)
	cancel()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	w.agent.trouble(w.Name, err)
	if err != nil {
		before, known := w.agent.state.engine(w.Name)
		if !known { // it was never there: nobody waits for it
			w.once.Do(func() { close(w.looked) })
			return err
		}
		inv = pratique.Inventory{Engine: before, Taken: time.Now().UTC(), Error: told(err)}
	}
	same, digestErr := w.unchanged(inv)
	if digestErr != nil {
		return digestErr
	}
	if !same || always {
		if sent := w.send(ctx, inv); sent != nil {
			return sent
		}
		w.last = digestOf(inv)
	}
	w.once.Do(func() { close(w.looked) })
	return err
}

// ask takes an inventory.
func (w *watch) ask(ctx context.Context) (inv pratique.Inventory, err error) {
	inv.Taken = time.Now().UTC()
	if inv.Engine, err = w.Info(ctx); err != nil {
		return inv, err
	}
	if inv.Images, err = w.Images(ctx); err != nil {
		return inv, err
	}
	if inv.Containers, err = w.Containers(ctx); err != nil {
		return inv, err
	}
	for i := range inv.Images {
		inv.Images[i].Layers = nil // a scan tells
	}
	return inv, nil
}

func (w *watch) send(ctx context.Context, inv pratique.Inventory) (err error) {
	for range 2 {
		if inv.Generation, err = w.agent.state.next(w.Name, inv.Engine); err != nil {
			return err
		}
		err = w.agent.client.persist(ctx, &wire.Inventory{Inventory: inv}, &wire.Done{})
		if pratique.CodeOf(err) != pratique.CodeConflict { // our count was lost
			break
		}
	}
	if err != nil && ctx.Err() == nil {
		w.agent.Log.Warn("the service did not take an inventory", "engine", w.Name, "error", err)
	}
	return err
}

func (w *watch) unchanged(inv pratique.Inventory) (bool, error) {
	d := digestOf(inv)
	if d == "" {
		return false, pratique.Errorf(pratique.CodeInternal, "an inventory cannot be written")
	}
	return d == w.last, nil
}

// digestOf is the same for inventories that say the same.
func digestOf(inv pratique.Inventory) pratique.Digest {
	inv.Taken, inv.Generation = time.Time{}, 0
	b, err := json.Marshal(inv)
	if err != nil {
		return ""
	}
	return pratique.DigestOf(b)
}

// refresh answers a data update: all engines are asked anew.
func (a *agent) refresh(ctx context.Context, id int64) {
	var failures []error
	var mu sync.Mutex
	var group sync.WaitGroup
	asked := 0
	for _, w := range a.watches {
		if _, known := a.state.engine(w.Name); !known {
			w.hint()
			continue
		}
		asked++
		group.Go(func() {
			if err := w.tell(ctx, true); err != nil {
				mu.Lock()
				defer mu.Unlock()
				failures = append(failures, err)
			}
		})
	}
	group.Wait()
	var failure *pratique.Error
	if len(failures) > 0 {
		failure = told(failures[0])
	} else if asked == 0 {
		failure = pratique.Errorf(pratique.CodeUnreachable, "the agent could open no engine of the host").WithRemedy("see what it says under Hosts")
	}
	if err := a.client.persistFor(ctx, time.Minute, &wire.Refreshed{ID: id, Error: failure}, &wire.Done{}); err != nil && ctx.Err() == nil {
		a.Log.Warn("a data update could not be answered", "error", err)
	}
}

// told makes an error fit for a message.
func told(err error) *pratique.Error {
	var known *pratique.Error
	if !errors.As(err, &known) {
		known = pratique.Errorf(pratique.CodeInternal, "the agent failed: %v", err).WithRemedy("look into the agent's log")
	}
	return &pratique.Error{Code: known.Code, Message: wire.Line(known.Message, 1000), Remedy: wire.Line(known.Remedy, 1000)}
}
