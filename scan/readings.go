package scan

import (
	"sync"
	"time"

	"github.com/pratique/pratique"
)

// readings remember when this process read which layer. A forced scan reads every
// layer again, but not one that was read since somebody forced it: a task may force
// hundreds of images on one base.
type readings struct {
	mu sync.Mutex
	at map[pratique.Digest]time.Time
}

const maxReadings = 100_000

func (r *readings) note(diffID pratique.Digest) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.at == nil || len(r.at) >= maxReadings {
		r.at = map[pratique.Digest]time.Time{}
	}
	r.at[diffID] = time.Now()
}

func (r *readings) after(diffID pratique.Digest, moment time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.at[diffID].After(moment)
}

// notedFacts are facts whose keeping is noted. With since, only those that were
// read after it are known.
type notedFacts struct {
	FactStore
	readings *readings
	since    time.Time
}

func (f notedFacts) Get(diffID pratique.Digest, analyzer, version string) *pratique.Facts {
	if !f.since.IsZero() && !f.readings.after(diffID, f.since) {
		return nil
	}
	return f.FactStore.Get(diffID, analyzer, version)
}

func (f notedFacts) Put(facts *pratique.Facts) error {
	err := f.FactStore.Put(facts)
	if err == nil {
		f.readings.note(facts.DiffID)
	}
	return err
}
