package api

import (
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

// throttle slows down who guesses passwords: after some wrong ones, each further
// attempt has to wait twice as long as the one before. It counts by account and
// by address apart. An account's wait is short at most, because anybody can make
// the real owner wait; an address's is long.
//
// It is kept in memory: with several servers on one database, each has its own.
type throttle struct {
	mu      sync.Mutex
	now     func() time.Time
	entries map[string]*tries
}

type tries struct {
	count int
	last  time.Time
	next  time.Time // nothing is tried before
}

const (
	freeTries   = 5
	triesForget = 15 * time.Minute // without an attempt
	accountWait = time.Minute
	addressWait = 15 * time.Minute
	maxTries    = 50_000 // entries; then the oldest go
)

func newThrottle(now func() time.Time) *throttle {
	return &throttle{now: now, entries: map[string]*tries{}}
}

// attempt counts an attempt as failed until [throttle.succeeded] takes it back,
// so that many at once do not slip through. A wait that is not zero means that
// nothing may be tried.
func (t *throttle) attempt(account string, address netip.Addr) (wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	keys := throttleKeys(account, address)
	for _, k := range keys {
		if e := t.entries[k]; e != nil {
			wait = max(wait, e.next.Sub(now))
		}
	}
	if wait > 0 {
		return wait
	}
	for i, k := range keys {
		e := t.entries[k]
		if e == nil || now.Sub(e.last) > triesForget {
			t.makeRoom(now)
			e = &tries{}
			t.entries[k] = e
		}
		e.count++
		e.last = now
		longest := accountWait
		if i == 1 {
			longest = addressWait
		}
		if over := e.count - freeTries; over >= 0 {
			e.next = now.Add(min(longest, time.Second<<min(over, 20)))
		}
	}
	return 0
}

// succeeded forgets the account's failures, and one of the address's: somebody
// with one account may guess at others.
func (t *throttle) succeeded(account string, address netip.Addr) {
	t.mu.Lock()
	defer t.mu.Unlock()
	keys := throttleKeys(account, address)
	delete(t.entries, keys[0])
	if e := t.entries[keys[1]]; e != nil {
		e.count--
		if e.count < freeTries {
			e.next = time.Time{}
		}
	}
}

// makeRoom drops what is forgotten, and else the oldest tenth: not one by one, or
// whoever fills the table would make each attempt look at all of it.
func (t *throttle) makeRoom(now time.Time) {
	if len(t.entries) < maxTries {
		return
	}
	keys := make([]string, 0, len(t.entries))
	for k, e := range t.entries {
		if now.Sub(e.last) > triesForget {
			delete(t.entries, k)
			continue
		}
		keys = append(keys, k)
	}
	if len(t.entries) < maxTries*9/10 {
		return
	}
	slices.SortFunc(keys, func(a, b string) int { return t.entries[a].last.Compare(t.entries[b].last) })
	for _, k := range keys[:len(keys)/10] {
		delete(t.entries, k)
	}
}

// throttleKeys: the account first. Whoever has an IPv6 address has at least the
// /64 around it.
func throttleKeys(account string, address netip.Addr) [2]string {
	if address.Is6() {
		if p, err := address.Prefix(64); err == nil {
			return [2]string{"user " + strings.ToLower(bounded(account, 128)), "from " + p.String()}
		}
	}
	return [2]string{"user " + strings.ToLower(bounded(account, 128)), "from " + address.String()}
}
