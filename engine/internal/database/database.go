// Package database reads bbolt databases of engines that run: from a copy,
// because their owner holds the lock for as long as it runs.
package database

import (
	"errors"
	"io"
	"os"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/pratique/pratique"
)

// maxSize bounds what is copied, in bytes.
const maxSize = 1 << 30

// View shows a consistent state of the database. A file that is not there is
// fs.ErrNotExist.
func View(name string, view func(*bolt.Tx) error) (err error) {
	file, err := stableCopy(name)
	if err != nil {
		return err
	}
	defer os.Remove(file)
	defer func() {
		if v := recover(); v != nil { // bbolt does so on a damaged page
			err = pratique.Errorf(pratique.CodeCorrupt, "the engine's database %s is damaged: %v", name, v).WithRemedy("restart the engine, and look into its log")
		}
	}()
	db, err := bolt.Open(file, 0o600, &bolt.Options{ReadOnly: true, Timeout: time.Second})
	if err != nil {
		return pratique.Errorf(pratique.CodeCorrupt, "the engine's database %s cannot be read: %w", name, err).WithRemedy("restart the engine, and look into its log")
	}
	defer db.Close()
	return db.View(view)
}

// stableCopy copies until the file was not written to while it was copied.
func stableCopy(name string) (string, error) {
	for range 20 {
		before, err := os.Stat(name)
		if err != nil {
			return "", err
		}
		if before.Size() > maxSize {
			return "", pratique.Errorf(pratique.CodeLimit, "%s has more than %d MiB", name, maxSize>>20)
		}
		to, err := copyFile(name)
		if err != nil {
			return "", err
		}
		after, err := os.Stat(name)
		// Times of files are those of the last tick, so a copy right after a write may
		// hold half of the next one.
		if err == nil && after.ModTime().Equal(before.ModTime()) && after.Size() == before.Size() && time.Since(after.ModTime()) > 50*time.Millisecond {
			return to, nil
		}
		os.Remove(to)
		time.Sleep(100 * time.Millisecond)
	}
	return "", pratique.Errorf(pratique.CodeUnreachable, "the engine is too busy for its database %s to be read", name).WithRemedy("try again later")
}

func copyFile(name string) (string, error) {
	in, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer in.Close()
	out, err := os.CreateTemp("", "pratique-*.db")
	if err != nil {
		return "", pratique.Errorf(pratique.CodeDisk, "no scratch file can be written: %w", err).WithRemedy("point TMPDIR to a folder with free space where this user may write")
	}
	_, err = io.Copy(out, in)
	if err = errors.Join(err, out.Close()); err != nil {
		os.Remove(out.Name())
		return "", err
	}
	return out.Name(), nil
}
