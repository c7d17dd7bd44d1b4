// Package oci reads containerd's content store: a folder that holds manifests,
// configs and layers as a registry had them, each under its digest
// (blobs/sha256/HEX). containerd writes a blob under that name only when it is
// whole and verified, and removes it when nothing refers to it any more.
package oci

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/layer"
	"github.com/pratique/pratique/registry/distribution"
)

// maxConfig is the size in bytes up to which a config is read.
const maxConfig = 8 << 20

// Store is a content store's folder, open. Close it.
type Store struct{ root *os.Root }

// Open opens the folder that has blobs in it.
func Open(dir string) (*Store, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	if _, err := root.Stat("blobs/sha256"); err != nil {
		root.Close()
		return nil, err
	}
	return &Store{root}, nil
}

// Close closes the folder.
func (s *Store) Close() error { return s.root.Close() }

// Blob opens a blob. One that is not there is fs.ErrNotExist.
func (s *Store) Blob(d pratique.Digest) (*os.File, error) {
	if _, err := pratique.ParseDigest(string(d)); err != nil {
		return nil, err
	}
	f, err := s.root.OpenFile("blobs/sha256/"+d.Hex(), os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		f.Close()
		return nil, fmt.Errorf("%w: %s is no file", fs.ErrInvalid, d)
	}
	return f, nil
}

// Has tells whether a blob is there.
func (s *Store) Has(d pratique.Digest) bool {
	_, err := s.Size(d)
	return err == nil
}

// Size returns a blob's bytes.
func (s *Store) Size(d pratique.Digest) (int64, error) {
	info, err := s.root.Lstat("blobs/sha256/" + d.Hex())
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// Read reads a small blob and verifies it.
func (s *Store) Read(d pratique.Digest, limit int64) ([]byte, error) {
	f, err := s.Blob(d)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	switch {
	case err != nil:
		return nil, err
	case int64(len(b)) > limit:
		return nil, pratique.Errorf(pratique.CodeLimit, "%s has more than %d MiB", d.Short(), limit>>20).WithRemedy("no image needs one that large; build the image again")
	case pratique.DigestOf(b) != d:
		return nil, pratique.Errorf(pratique.CodeCorrupt, "%s in the engine's content store has another content", d.Short()).WithRemedy("find out who changed it, and pull the image again")
	}
	return b, nil
}

// Image is one image of a store, for one platform.
type Image struct {
	distribution.Selection
	Config Config
	Raw    []byte // the config
}

// ID is the image's.
func (i *Image) ID() pratique.Digest { return i.Manifest.Config.Digest }

// Config is the part of a config that an inventory needs.
type Config struct {
	Created      *time.Time `json:"created"`
	OS           string     `json:"os"`
	OSVersion    string     `json:"os.version"`
	Architecture string     `json:"architecture"`
	Variant      string     `json:"variant"`
	Config       struct {
		Labels pratique.Labels
		Env    []string
	} `json:"config"`
	RootFS struct {
		DiffIDs []pratique.Digest `json:"diff_ids"`
	} `json:"rootfs"`
}

// Platform is what the image was built for.
func (c Config) Platform() pratique.Platform {
	return pratique.Platform{OS: c.OS, Architecture: c.Architecture, Variant: c.Variant, OSVersion: c.OSVersion}
}

// ErrNotHere: a manifest or config is not in the store, as is usual for the
// platforms of an index that were not pulled.
var ErrNotHere = errors.New("not in the content store")

func notHere(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNotHere
	}
	return err
}

// image reads an image whose manifest is d.
func (s *Store) image(d distribution.Descriptor) (*Image, error) {
	content, err := s.Read(d.Digest, distribution.MaxManifest)
	if err != nil {
		return nil, notHere(err)
	}
	m, err := distribution.ParseManifest(content, d.MediaType)
	if err != nil {
		return nil, err
	}
	img := &Image{Selection: distribution.Selection{Manifest: m, Descriptor: d}}
	if m.IsIndex() {
		return img, nil
	}
	if img.Raw, err = s.Read(m.Config.Digest, maxConfig); err != nil {
		return nil, notHere(err)
	}
	if json.Unmarshal(img.Raw, &img.Config) != nil || img.Config.OS == "" || img.Config.OS == "unknown" {
		// Attestations have "unknown" for want of a platform.
		return nil, pratique.Errorf(pratique.CodeUnsupported, "%s is no image: its config is of another kind", d.Digest.Short())
	}
	return img, nil
}

// Limits of an index, which an attacker may have written.
const (
	maxDepth  = 4
	maxImages = 256
)

// Images lists those images that root leads to and that are here: root itself, or
// those of its platforms that were pulled. Attestations are passed over.
func (s *Store) Images(ctx context.Context, root distribution.Descriptor) ([]*Image, error) {
	w := walk{store: s, root: root.Digest}
	if err := w.visit(ctx, root, 0); err != nil {
		return nil, err
	}
	if len(w.found) == 0 {
		return nil, ErrNotHere
	}
	return w.found, nil
}

type walk struct {
	store *Store
	root  pratique.Digest
	seen  int
	found []*Image
}

func (w *walk) visit(ctx context.Context, d distribution.Descriptor, depth int) error {
	if w.seen++; w.seen > maxImages || depth > maxDepth || ctx.Err() != nil {
		return ctx.Err()
	}
	img, err := w.store.image(d)
	switch {
	case err == nil:
	case depth > 0 && errors.Is(err, ErrNotHere):
		return nil
	default:
		return err
	}
	if !img.Manifest.IsIndex() {
		if depth > 0 {
			img.Index = w.root
		}
		w.found = append(w.found, img)
		return nil
	}
	for _, child := range img.Manifest.Manifests {
		if err := w.visit(ctx, child, depth+1); err != nil && pratique.CodeOf(err) != pratique.CodeUnsupported {
			return err
		}
	}
	return nil
}

// Select finds the image for a platform; the zero platform stands for this
// host's, or for the only one that is here.
func (s *Store) Select(ctx context.Context, root distribution.Descriptor, want pratique.Platform) (*Image, error) {
	images, err := s.Images(ctx, root)
	if err != nil || len(images) == 1 {
		return first(images), err
	}
	index := distribution.Manifest{MediaType: distribution.TypeOCIIndex}
	byDigest := map[pratique.Digest]*Image{}
	for _, img := range images {
		p := img.Config.Platform()
		d := img.Descriptor
		d.Platform = &distribution.DescribedFor{OS: p.OS, Architecture: p.Architecture, Variant: p.Variant, OSVersion: p.OSVersion}
		index.Manifests, byDigest[d.Digest] = append(index.Manifests, d), img
	}
	chosen, err := distribution.SelectChild(ctx, func(_ context.Context, d distribution.Descriptor) ([]byte, error) {
		return s.Read(d.Digest, distribution.MaxManifest)
	}, index, want)
	if err != nil {
		return nil, err
	}
	return byDigest[chosen.Descriptor.Digest], nil
}

func first(images []*Image) *Image {
	if len(images) == 0 {
		return nil
	}
	return images[0]
}

// Source reads a layer's blob, which may be gone by then.
func (s *Store) Source(d pratique.Digest, removed error) layer.Source {
	return func(context.Context) (io.ReadCloser, error) {
		f, err := s.Blob(d)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, removed
		}
		if err != nil {
			return nil, pratique.Errorf(pratique.CodeUnauthorized, "a layer in the engine's content store cannot be read: %w", err).WithRemedy("run as root")
		}
		return f, nil
	}
}
