package scan

import (
	"context"
	"slices"
	"sync"

	"github.com/pratique/pratique"
)

// Turns makes those who want to read the same layer do it one after the other, so
// that all but the first find its facts. The zero value is ready.
type Turns struct {
	// Beyond are the turns among processes that share their facts; may be nil.
	Beyond Sharing

	mu    sync.Mutex
	taken map[pratique.Digest]chan struct{} // closed when the turn is over
}

// Take waits for the turn. Whoever has it calls over.
func (t *Turns) Take(ctx context.Context, diffID pratique.Digest) (over func(), err error) {
	for {
		t.mu.Lock()
		other, busy := t.taken[diffID]
		if !busy {
			mine := make(chan struct{})
			if t.taken == nil {
				t.taken = map[pratique.Digest]chan struct{}{}
			}
			t.taken[diffID] = mine
			t.mu.Unlock()
			return t.beyond(ctx, diffID, func() {
				t.mu.Lock()
				delete(t.taken, diffID)
				t.mu.Unlock()
				close(mine)
			})
		}
		t.mu.Unlock()
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-other:
		}
	}
}

// beyond waits for other processes too. over ends the turn in this one.
func (t *Turns) beyond(ctx context.Context, diffID pratique.Digest, over func()) (func(), error) {
	if t.Beyond == nil {
		return over, nil
	}
	outside, err := t.Beyond.Take(ctx, diffID)
	if err != nil {
		over()
		return nil, err
	}
	return func() {
		outside()
		over()
	}, nil
}

// wanted are the turns of a scan that may have been cancelled while it waited for one.
// All rows of scans that are cancelled together have ended before the first of them
// hears of it: who has a turn looks, or each would begin the layer that the one before
// it had to drop.
type wanted struct {
	Sharing
	of *scanning
}

func (t wanted) Take(ctx context.Context, diffID pratique.Digest) (over func(), err error) {
	if over, err = t.Sharing.Take(ctx, diffID); err != nil {
		return nil, err
	}
	active, err := t.of.Store.ActiveScans(ctx, t.of.lease.ImageID)
	if err == nil && !slices.Contains(active, t.of.lease.ScanID) {
		t.of.stop(errEnded)
		over()
		return nil, errEnded
	}
	return over, nil // whoever cannot be asked is not waited for
}
