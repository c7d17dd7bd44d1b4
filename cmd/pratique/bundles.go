package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/advisory"
	"github.com/pratique/pratique/scan"
	"github.com/pratique/pratique/store"
)

// bundles gives the bundle that the database says is in force. Where its file is
// missing, as on the machine of a worker, it comes from the database, in which the
// server has put it.
type bundles struct {
	db  *store.Store
	dir string

	mu   sync.Mutex
	open *openBundle
}

// openBundle is closed when nobody uses it and another is in force.
type openBundle struct {
	*advisory.Bundle
	users   int
	retired bool
}

var _ scan.KnowledgeSource = (*bundles)(nil)

// Current returns the bundle in force until release is called.
func (b *bundles) Current(ctx context.Context) (scan.Knowledge, *pratique.Bundle, func(), error) {
	inForce, err := b.db.InForce(ctx)
	if pratique.CodeOf(err) == pratique.CodeNotFound {
		return nil, nil, func() {}, nil
	}
	if err != nil {
		return nil, nil, nil, err
	}
	digest := inForce.Bundle.Digest
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open == nil || b.open.Digest() != digest {
		opened, err := b.load(ctx, digest)
		if err != nil {
			return nil, nil, nil, err
		}
		if b.open != nil {
			b.open.retired = true
			b.drop(b.open)
		}
		b.open = &openBundle{Bundle: opened}
	}
	used := b.open
	used.users++
	var once sync.Once
	return used.Bundle, &inForce.Bundle, func() {
		once.Do(func() {
			b.mu.Lock()
			defer b.mu.Unlock()
			used.users--
			b.drop(used)
		})
	}, nil
}

func (b *bundles) drop(o *openBundle) {
	if o.retired && o.users == 0 {
		_ = o.Bundle.Close()
	}
}

// Close lets go of the bundle; nobody may use it.
func (b *bundles) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open != nil {
		b.open.retired = true
		b.drop(b.open)
		b.open = nil
	}
}

func (b *bundles) path(digest pratique.Digest) string {
	return filepath.Join(b.dir, digest.Hex()+".bundle")
}

func (b *bundles) load(ctx context.Context, digest pratique.Digest) (*advisory.Bundle, error) {
	opened, err := advisory.Open(b.path(digest))
	if pratique.CodeOf(err) != pratique.CodeNotFound {
		return opened, err
	}
	if err := b.fetch(ctx, digest); err != nil {
		return nil, err
	}
	return advisory.Open(b.path(digest))
}

// fetch takes a bundle out of the database, and removes those that were fetched
// before. It gets its name when every byte of it is right.
func (b *bundles) fetch(ctx context.Context, digest pratique.Digest) (err error) {
	if err := os.MkdirAll(b.dir, 0o700); err != nil {
		return noRoom(err)
	}
	f, err := os.CreateTemp(b.dir, ".fetched-*")
	if err != nil {
		return noRoom(err)
	}
	defer func() { err = errors.Join(err, removed(f.Name())) }()
	if err := errors.Join(b.db.WriteBundle(ctx, digest, f), f.Close()); err != nil {
		if pratique.CodeOf(err) == pratique.CodeNotFound {
			return pratique.Errorf(pratique.CodeNotFound, "the bundle in force, %s, is neither in %s nor in the database", digest.Short(), b.dir).
				WithRemedy("update or import the feeds again on the server")
		}
		return err
	}
	fetched, err := advisory.Open(f.Name())
	if err != nil {
		return err
	}
	defer fetched.Close()
	if err := fetched.Verify(ctx); err != nil {
		return err
	}
	if fetched.Digest() != digest {
		return pratique.Errorf(pratique.CodeCorrupt, "the bundle in the database is %s instead of %s", fetched.Digest().Short(), digest.Short()).WithRemedy("update or import the feeds again on the server")
	}
	if b.open != nil {
		if err := removed(b.path(b.open.Digest())); err != nil { // it stays mapped while somebody uses it
			return err
		}
	}
	return os.Rename(f.Name(), b.path(digest))
}

// removed removes a file that may be gone already.
func removed(name string) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return noRoom(err)
	}
	return nil
}
