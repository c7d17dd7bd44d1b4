package layer

import "sync"

// InForce is what reads layers by the rules that are in force: a [Pass], or what has
// one. When others come into force, readings that have begun end with those that they
// began with, and the last of them closes these. The zero value has none yet.
type InForce[T interface{ Close() }] struct {
	mu  sync.Mutex
	now *used[T]
}

// used is closed when nobody uses it and another is in force.
type used[T interface{ Close() }] struct {
	what    T
	users   int
	retired bool
}

func (u *used[T]) drop() {
	if u.retired && u.users == 0 {
		u.what.Close()
	}
}

// Replace puts next in force.
func (f *InForce[T]) Replace(next T) { f.swap(&used[T]{what: next}) }

// Close lets go of what is in force; nobody may use it afterwards.
func (f *InForce[T]) Close() { f.swap(nil) }

func (f *InForce[T]) swap(next *used[T]) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.now != nil {
		f.now.retired = true
		f.now.drop()
	}
	f.now = next
}

// Use is what is in force, which stays open until over is called, once.
func (f *InForce[T]) Use() (what T, over func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	u := f.now
	u.users++
	return u.what, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		u.users--
		u.drop()
	}
}
