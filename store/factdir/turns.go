package factdir

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pratique/pratique"
)

const (
	// poll is how often a process looks whether another has finished with a layer.
	poll = 100 * time.Millisecond
	// touch is how often who has a turn says that it is alive, and stale after how much
	// silence nobody waits for it: a process can be stopped without being dead.
	touch = 10 * time.Second
	stale = 45 * time.Second
)

// Take waits until no other process that shares the folder reads the layer, and
// lets the caller read it until over is called. A process that dies gives its turn
// up. On a file system without locks there are no turns: layers are then read
// twice now and then, which does no harm.
func (d *Dir) Take(ctx context.Context, diffID pratique.Digest) (over func(), err error) {
	if _, err := pratique.ParseDigest(string(diffID)); err != nil {
		return nil, err
	}
	h := diffID.Hex()
	name := filepath.Join(d.root, format, "turns", h[:2], h)
	for {
		over, busy := take(name)
		if !busy {
			return over, nil
		}
		timer := time.NewTimer(poll)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, context.Cause(ctx)
		case <-timer.C:
		}
	}
}

// take locks a file of that name. The file is removed when the turn is over, so
// whoever has the lock has to see that it is still the one of the name.
func take(name string) (over func(), busy bool) {
	none := func() {}
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return none, false
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return none, false
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		other, statErr := f.Stat()
		_ = f.Close()
		return none, errors.Is(err, unix.EWOULDBLOCK) && (statErr != nil || time.Since(other.ModTime()) < stale)
	}
	mine, err := f.Stat()
	if err == nil {
		var now os.FileInfo
		if now, err = os.Stat(name); err == nil && os.SameFile(mine, now) {
			return keep(name, f), false
		}
	}
	_ = f.Close()
	return none, true
}

// keep shows that a turn is alive until it is over.
func keep(name string, f *os.File) (over func()) {
	show := func() {
		now := time.Now()
		_ = os.Chtimes(name, now, now) // else others wait no longer, and read it too
	}
	show() // a process that died may have left the file
	done := make(chan struct{})
	go func() {
		tick := time.NewTicker(touch)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				show()
			}
		}
	}()
	return func() {
		close(done)
		_ = os.Remove(name)
		_ = f.Close()
	}
}
