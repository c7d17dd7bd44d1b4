package main

import (
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// scratchFolder makes a folder in parent for this process's large files, and
// removes those of processes that have died. remove ends its use.
func scratchFolder(parent string) (dir string, remove func(), err error) {
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return "", nil, noRoom(err)
	}
	left, err := filepath.Glob(filepath.Join(parent, "scan-*"))
	if err != nil {
		return "", nil, err
	}
	for _, old := range left {
		// A process holds the lock as long as it lives, however it ends.
		if unlock, err := lockFolder(old); err == nil {
			err := os.RemoveAll(old)
			unlock()
			if err != nil {
				return "", nil, noRoom(err)
			}
		}
	}
	if dir, err = os.MkdirTemp(parent, "scan-*"); err != nil {
		return "", nil, noRoom(err)
	}
	unlock, err := lockFolder(dir)
	if err != nil {
		return "", nil, noRoom(err)
	}
	return dir, func() {
		_ = os.RemoveAll(dir) // else the next process does it
		unlock()
	}, nil
}

// lockFolder fails when another process has the folder.
func lockFolder(dir string) (unlock func(), err error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, err
	}
	return func() { _ = f.Close() }, nil
}
