package agent

import (
	"context"
	"errors"
	"io"
	"reflect"
	"sync"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/agent/wire"
	"github.com/pratique/pratique/layer"
)

// rules keeps the packs of rules for malware those that the service names, and has the
// pass that reads with them. When others are named, scans that have begun end with
// those that they began with. What cannot be fetched leaves the earlier ones in force:
// the host says so, and what is found by them is dated.
type rules struct {
	agent *agent
	key   []byte // of secrets' hashes
	named chan *wire.RuleSet

	pass layer.InForce[*layer.Pass]

	mu      sync.Mutex
	trouble error
}

const (
	// rulesTime is how long fetching packs may take.
	rulesTime = 10 * time.Minute
	// rulesFirst is how long the first scan waits for it.
	rulesFirst = time.Minute
	// rulesAgain is how soon it is tried again after it failed.
	rulesAgain = time.Minute
)

// begin makes the first pass, with the rules that the service named in its welcome if
// they can be had.
func (r *rules) begin(ctx context.Context, set *wire.RuleSet) error {
	first, cancel := context.WithTimeout(ctx, rulesFirst)
	defer cancel()
	_, err := r.take(first, set)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	r.tell(err)
	return r.reload()
}

// name tells which packs are in force, without waiting.
func (r *rules) name(set *wire.RuleSet) {
	select {
	case r.named <- set:
	default:
	}
}

// follow takes up what is named, until ctx ends. It may take longer than a heartbeat.
func (r *rules) follow(ctx context.Context) error {
	var done, refused *wire.RuleSet
	var failed time.Time
	for {
		var set *wire.RuleSet
		select {
		case <-ctx.Done():
			return ctx.Err()
		case set = <-r.named:
		}
		if set == nil || reflect.DeepEqual(set, done) || reflect.DeepEqual(set, refused) && time.Since(failed) < rulesAgain {
			continue
		}
		changed, err := r.take(ctx, set)
		if err == nil && changed {
			err = r.reload()
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			done, refused, failed = nil, set, time.Now()
		default:
			done, refused = set, nil
		}
		r.tell(err)
	}
}

// take makes the packs that are kept those of a set.
func (r *rules) take(ctx context.Context, set *wire.RuleSet) (changed bool, err error) {
	if set == nil {
		return false, nil
	}
	if err := set.Check(); err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(ctx, rulesTime)
	defer cancel()
	sizes := map[pratique.Digest]int64{}
	for _, p := range set.Packs {
		sizes[p.Digest] = p.Size
	}
	return r.agent.Rules(ctx, set.Packs, func(ctx context.Context, digest pratique.Digest, w io.Writer) error {
		return r.agent.fetch(ctx, digest, sizes[digest], w)
	})
}

// fetch writes a pack, piece by piece. Whether it is the right one is for whoever keeps
// it to see.
func (a *agent) fetch(ctx context.Context, digest pratique.Digest, size int64, w io.Writer) error {
	for from := int64(0); from < size; {
		var c wire.Content
		if err := a.client.persist(ctx, &wire.Piece{Digest: digest, From: from}, &c); err != nil {
			return err
		}
		if n := int64(len(c.Bytes)); n == 0 || n > size-from {
			return pratique.Errorf(pratique.CodeCorrupt, "the pack of rules %s has another size than was announced", digest.Short()).WithRemedy("import the pack again on the service")
		}
		if _, err := w.Write(c.Bytes); err != nil {
			return err
		}
		from += int64(len(c.Bytes))
	}
	return nil
}

// reload makes a pass of the rules that are kept.
func (r *rules) reload() error {
	pass, err := r.agent.Pass(r.key)
	if err != nil {
		return err
	}
	r.pass.Replace(pass)
	return nil
}

// tell keeps how it went, for the service.
func (r *rules) tell(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := r.trouble
	r.trouble = err
	switch {
	case err != nil && (before == nil || before.Error() != err.Error()):
		r.agent.Log.Warn("the rules for malware are not those in force", "error", err)
	case (err == nil) == (before == nil):
		return
	}
	signal(r.agent.news)
}

// problems are what the service shall know of us.
func (r *rules) problems() []pratique.Problem {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.trouble == nil {
		return nil
	}
	known := (*pratique.Error)(nil)
	p := pratique.Problem{Code: pratique.CodeOf(r.trouble), Message: wire.Line("scans look with older rules for malware: "+r.trouble.Error(), 1000), Partial: true,
		Remedy: "the agent tries again by itself"}
	if errors.As(r.trouble, &known) && known.Remedy != "" {
		p.Remedy = wire.Line(known.Remedy, 1000)
	}
	return []pratique.Problem{p}
}
