package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/api"
	"github.com/pratique/pratique/store"
)

// watcher tells the clients of this server what changes, wherever the work is
// done: it reads the rows, so workers need no way to the server.
type watcher struct {
	db     *store.Store
	events *api.Hub
	log    *slog.Logger

	seen map[string]string // what was told last, by what it is about
	from time.Time
}

const (
	// watchEvery is how late an event may be.
	watchEvery = 500 * time.Millisecond
	// watchBack is how far apart the clocks of two machines may be.
	watchBack = 30 * time.Second
)

// scanEvent is the event "scan".
type scanEvent struct {
	ID       int64                     `json:"id"`
	ImageID  pratique.Digest           `json:"imageID"`
	Status   pratique.Status           `json:"status"`
	Progress map[pratique.Category]int `json:"progress"`
	Error    *pratique.Error           `json:"error,omitempty"`
}

// taskEvent is the event "task".
type taskEvent struct {
	ID        int64      `json:"id"`
	Total     int        `json:"total"`
	Scanned   int        `json:"scanned"`
	Failed    int        `json:"failed"`
	Cancelled int        `json:"cancelled"`
	AtRisk    int        `json:"atRisk"`
	Ended     *time.Time `json:"ended,omitempty"`
}

// syncEvent is the event "sync".
type syncEvent struct {
	RegistryID int64 `json:"registryID"`
	pratique.SyncStatus
}

// run goes on until ctx ends. While nobody listens, nothing is read.
func (w *watcher) run(ctx context.Context) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if w.events.Clients() == 0 {
			w.seen = nil
			continue
		}
		if err := w.look(ctx); err != nil && ctx.Err() == nil {
			w.log.Debug("what changes cannot be told", "error", err)
		}
	}
}

// look tells what is not as it was told last. At first everything that runs is
// told.
func (w *watcher) look(ctx context.Context) error {
	first := w.seen == nil
	if first {
		w.seen = map[string]string{}
		w.from = time.Now()
	}
	since := w.from.Add(-watchBack)
	w.from = time.Now()
	now := map[string]string{}
	tell := func(kind, key string, quiet bool, data any) error {
		text, err := json.Marshal(data)
		if err != nil {
			return err
		}
		now[key] = string(text)
		if w.seen[key] == string(text) || quiet {
			return nil
		}
		return w.events.Publish(api.Event{Type: kind, Data: data})
	}
	scans, err := w.db.ScansSince(ctx, since)
	if err != nil {
		return err
	}
	for _, c := range scans {
		if err := tell("scan", fmt.Sprint("scan/", c.ID), first && c.Ended != nil, scanEvent{c.ID, c.ImageID, c.Status, c.Progress, c.Error}); err != nil {
			return err
		}
	}
	tasks, err := w.db.TasksSince(ctx, since)
	if err != nil {
		return err
	}
	for _, t := range tasks {
		if err := tell("task", fmt.Sprint("task/", t.ID), first && t.Ended != nil, taskEvent{t.ID, t.Total, t.Scanned, t.Failed, t.Cancelled, t.AtRisk, t.Ended}); err != nil {
			return err
		}
	}
	syncs, err := w.db.SyncStates(ctx)
	if err != nil {
		return err
	}
	for id, status := range syncs {
		if err := tell("sync", fmt.Sprint("sync/", id), first && status.State != "running", syncEvent{id, status}); err != nil {
			return err
		}
	}
	if err := w.lookAtHosts(ctx, since, first, tell); err != nil {
		return err
	}
	w.seen = now
	return nil
}

// inventoryEvent is the event "inventory": a host told something new.
type inventoryEvent struct {
	HostID  string    `json:"hostID"`
	Changed time.Time `json:"changed"`
}

// fleetEvent is the event "fleet".
type fleetEvent struct {
	Hosts  int `json:"hosts"`
	Agents int `json:"agents"`
	Online int `json:"online"` // agents
}

func (w *watcher) lookAtHosts(ctx context.Context, since time.Time, first bool, tell func(kind, key string, quiet bool, data any) error) error {
	changed, err := w.db.HostsSince(ctx, since)
	if err != nil {
		return err
	}
	for id, at := range changed {
		if err := tell("inventory", "inventory/"+id, first, inventoryEvent{id, at}); err != nil {
			return err
		}
	}
	hosts, agents, online, err := w.db.CountFleet(ctx)
	if err != nil {
		return err
	}
	if err := tell("fleet", "fleet", first, fleetEvent{hosts, agents, online}); err != nil {
		return err
	}
	last, err := w.db.LastDataUpdate(ctx)
	if err != nil || last == nil {
		return err
	}
	return tell("dataUpdate", "dataUpdate", first && last.Ended != nil, last)
}
