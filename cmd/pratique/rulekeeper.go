package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/agent/wire"
	"github.com/pratique/pratique/analyze/malware/rulepack"
	"github.com/pratique/pratique/store"
)

// ruleKeeper keeps the packs of rules of a process those of the installation. They
// are imported into the folder of a server ("pratique feed import --yara"), which
// puts them into the database; workers, and other servers, take them from there.
//
// Facts that were read with other rules stay in force, with their date, until their
// layers are read again.
type ruleKeeper struct {
	db     *store.Store
	folder *rulepack.Store
	leads  bool   // what is new in this folder is for all
	seen   string // file with the generation that was shared or taken last
	log    *slog.Logger
}

// settingRulePacks is the list of packs in force.
const settingRulePacks = "rules.packs"

// rulesEvery is how often a process looks whether the rules have changed.
const rulesEvery = 5 * time.Second

func newRuleKeeper(db *store.Store, feeds string, leads bool, log *slog.Logger) (*ruleKeeper, error) {
	folder, err := openRules(feeds)
	if err != nil {
		return nil, err
	}
	return &ruleKeeper{db: db, folder: folder, leads: leads, seen: filepath.Join(feeds, "rules", "shared"), log: log}, nil
}

// generation names a list of packs.
func generation(packs []rulepack.Pack) string {
	if packs == nil {
		return ""
	}
	h := sha256.New()
	for _, p := range packs {
		fmt.Fprintf(h, "%q %s\n", p.Name, p.Digest)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// settle makes folder and database agree, and returns the generation in force. On
// SQLite there is nobody to agree with.
func (k *ruleKeeper) settle(ctx context.Context) (string, error) {
	here, err := k.folder.Packs()
	if err != nil || k.db.Engine() == "sqlite" {
		return generation(here), err
	}
	var there []rulepack.Pack
	if err := k.db.Setting(ctx, settingRulePacks, &there); err != nil {
		return "", err
	}
	mine, theirs := generation(here), generation(there)
	if mine == theirs {
		return mine, nil
	}
	last, err := os.ReadFile(k.seen)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", noRoom(err)
	}
	next := theirs
	if k.leads && mine != string(last) { // imported or removed since
		next, err = mine, k.share(ctx, here)
	} else {
		err = k.folder.Follow(ctx, there, k.db.WriteRulePack)
	}
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(k.seen, []byte(next), 0o600); err != nil {
		return "", noRoom(err)
	}
	return next, nil
}

// share puts packs into the database. Those that they replace are there until the
// list has changed: a worker may be about to take them.
func (k *ruleKeeper) share(ctx context.Context, packs []rulepack.Pack) error {
	var before []rulepack.Pack
	if err := k.db.Setting(ctx, settingRulePacks, &before); err != nil {
		return err
	}
	var kept []pratique.Digest
	for _, p := range append(before, packs...) {
		kept = append(kept, p.Key())
	}
	for _, p := range packs {
		if err := k.put(ctx, p.Key(), kept); err != nil {
			return err
		}
	}
	return k.db.SetSetting(ctx, settingRulePacks, packs)
}

func (k *ruleKeeper) put(ctx context.Context, digest pratique.Digest, kept []pratique.Digest) error {
	f, err := k.folder.Open(digest)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return noRoom(err)
	}
	return k.db.PutRulePack(ctx, digest, f, info.Size(), kept...)
}

// follow calls changed whenever other packs are in force than the generation that
// is given, until ctx ends. What fails is tried again.
func (k *ruleKeeper) follow(ctx context.Context, inForce string, changed func(context.Context) error) {
	tick := time.NewTicker(rulesEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		next, err := k.settle(ctx)
		if err == nil && next != inForce {
			if err = changed(ctx); err == nil {
				inForce = next
				k.log.Info("other rules for malware are in force", "rules", next)
			}
		}
		if err != nil && ctx.Err() == nil {
			k.log.Error("the rules for malware are not those in force", "error", err)
		}
	}
}

// agentRules are the packs in force as agents are told of them. The list is read when
// it changes, not with every heartbeat.
type agentRules struct {
	folder *rulepack.Store
	named  atomic.Pointer[wire.RuleSet]
}

// Packs implements api.RuleSource.
func (r *agentRules) Packs() *wire.RuleSet { return r.named.Load() }

// Open implements api.RuleSource.
func (r *agentRules) Open(digest pratique.Digest) (*os.File, error) { return r.folder.Open(digest) }

// renew reads the list.
func (r *agentRules) renew() error {
	packs, err := r.folder.Packs()
	if err != nil {
		return err
	}
	set := &wire.RuleSet{Packs: []wire.RulePack{}}
	for _, p := range packs {
		f, err := r.folder.Open(p.Key())
		if err != nil {
			return err
		}
		info, err := f.Stat()
		if err = errors.Join(err, f.Close()); err != nil {
			return noRoom(err)
		}
		set.Packs = append(set.Packs, wire.RulePack{RulePack: p.RulePack, Digest: p.Key(), Size: info.Size()})
	}
	r.named.Store(set)
	return nil
}
