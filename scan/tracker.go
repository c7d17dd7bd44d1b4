package scan

import (
	"context"
	"io"
	"maps"
	"sync"
	"time"

	"github.com/pratique/pratique"
)

const (
	// beatEvery is how often a scan says that it is alive.
	beatEvery = 3 * time.Second
	// beatLeast is how often at most it tells of progress, and beatStep which progress
	// is worth it, in per cent.
	beatLeast = 500 * time.Millisecond
	beatStep  = 5
)

// Shares of a scan's progress, in per cent: reading is nearly all of it, and
// vulnerabilities are judged after it.
const (
	shareRead   = 95
	shareJudged = 85
)

// Tracker turns what a run tells into per cent for each category. It never goes
// back, also when an image is read from a second place. It is a [Progress].
type Tracker struct {
	mu       sync.Mutex
	sizes    []int64 // of layers, as far as they are known
	done     []int64 // bytes of each
	pulled   []int64
	earlier  int64 // bytes that were read by runs before
	judging  bool
	progress map[pratique.Category]int
	changed  chan struct{}
}

// NewTracker tracks the progress of categories, all of which begin at 0.
func NewTracker(categories []pratique.Category) *Tracker {
	t := &Tracker{progress: map[pratique.Category]int{}, changed: make(chan struct{}, 1)}
	for _, c := range categories {
		t.progress[c] = 0
	}
	return t
}

// Phase is told by a run.
func (t *Tracker) Phase(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.judging = name == "judging"
	t.update()
}

// Layers is told by a run, when it begins to read.
func (t *Tracker) Layers(layers []pratique.Layer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.earlier = t.sum()
	t.sizes, t.done, t.pulled = make([]int64, len(layers)), make([]int64, len(layers)), make([]int64, len(layers))
	for i, l := range layers {
		t.sizes[i] = max(l.Size, 1)
	}
}

// Layer is told by a run: the bytes of a blob that were read, or its end.
func (t *Tracker) Layer(i int, read int64, state pratique.LayerState) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if i >= len(t.sizes) {
		return
	}
	if state == "" {
		t.done[i], t.pulled[i] = min(max(t.done[i], read), t.sizes[i]), read
	} else {
		t.done[i] = t.sizes[i]
	}
	t.update()
}

func (t *Tracker) update() {
	var total, done int64 = 1, 0
	for i, size := range t.sizes {
		total, done = total+size, done+t.done[i]
	}
	told := false
	for c, before := range t.progress {
		share := int64(shareRead)
		if c == pratique.CategoryVulnerability && !t.judging {
			share = shareJudged
		}
		percent := int(share * done / total)
		if t.judging {
			percent = shareRead
		}
		if percent > before {
			t.progress[c] = percent
			told = told || percent/beatStep > before/beatStep
		}
	}
	if told {
		select {
		case t.changed <- struct{}{}:
		default:
		}
	}
}

// Percents is how far each category is.
func (t *Tracker) Percents() map[pratique.Category]int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.progress)
}

// bytes is how many were read from registries.
func (t *Tracker) bytes() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.sum()
}

func (t *Tracker) sum() int64 {
	sum := t.earlier
	for _, n := range t.pulled {
		sum += n
	}
	return sum
}

// unread is the source of what a scan had no time for.
type unread struct{}

func (unread) Layer(context.Context, int) (io.ReadCloser, error) {
	return nil, pratique.Errorf(pratique.CodeLimit, "it was not read before the scan's time was over")
}

// beat tells the store how far the scan is until over is called. When the lease
// has ended, so does the scan.
func (w *scanning) beat(ctx context.Context) (over func()) {
	done := make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		tick := time.NewTicker(beatEvery)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-ctx.Done():
				return
			case <-tick.C:
			case <-w.tracker.changed:
			}
			if err := w.Store.Beat(ctx, w.lease, w.tracker.Percents()); pratique.CodeOf(err) == pratique.CodeCancelled && ctx.Err() == nil {
				w.stop(errEnded)
			}
			select {
			case <-done:
				return
			case <-time.After(beatLeast):
			}
		}
	})
	return func() {
		close(done)
		group.Wait()
	}
}
