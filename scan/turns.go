package scan

import (
	"context"
	"sync"

	"github.com/pratique/pratique"
)

// Turns makes those who want to read the same layer do it one after the other, so
// that all but the first find its facts. The zero value is ready.
type Turns struct {
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
			return func() {
				t.mu.Lock()
				delete(t.taken, diffID)
				t.mu.Unlock()
				close(mine)
			}, nil
		}
		t.mu.Unlock()
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-other:
		}
	}
}
