// Package engine says what a local container engine is to us: something that
// knows which images and containers this host has, tells when that changes, and
// lets an image be read without being asked for a copy of it where that can be.
//
// # Three engines, two ways to keep an image
//
// Docker (until 28, and where it was upgraded since) and podman unpack a layer
// when they pull it and throw the blob away. What is left is a folder for each
// layer, which overlayfs stacks, and the recipe of the layer's tar without the
// files' contents (tar-split). Reading the folders takes a second where asking the
// engine for a tar takes half a minute, because the engine first puts together a
// copy of all layers on disk.
//
// containerd, and Docker from 29 on, keep the blobs as the registry had them, in
// a folder by digest (the content store), and unpack them as well (snapshots).
// The blobs are read like those of a registry. A host that was told to discard
// them (discard_unpacked_layers) has the folders of the snapshots alone.
//
// # Which digest is an image's
//
// An image's ID is the digest of its config everywhere in this program. That is
// what Docker's own store and podman call it, while containerd's store goes by the
// digest of the manifest or index that a name points to. Engines therefore compute
// the ID, and keep what the engine says as an alias.
//
// # Trust
//
// A blob is verified by its digest while it is read. A folder is what somebody
// with root's rights on this host says it is: its facts are attested, not
// verified, unless the layer's tar is put together again and hashed
// (layer.Unpacked). Nothing of an image is executed, mounted or extracted, and
// nothing is changed in an engine or its folders.
//
// To add an engine, see docs/add-an-engine.md.
package engine

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/layer"
)

// Engine is one local engine. Making one does no I/O; it is safe for concurrent
// use. Every error is a [pratique.Error].
type Engine interface {
	Kind() pratique.EngineKind
	Inventory
	// Open finds the image that name means to the engine, and opens what is needed
	// to read it before the first layer is read, so that an image which is removed
	// meanwhile ends in an error that says so. A platform that is not zero chooses
	// among those of an index.
	Open(ctx context.Context, name string, want pratique.Platform) (*Content, error)
}

// Inventory tells what an engine has.
type Inventory interface {
	Info(ctx context.Context) (pratique.EngineInfo, error)
	// Images lists images as the engine's own command does, without intermediate
	// ones: one element for each content, with all its names.
	Images(ctx context.Context) ([]pratique.LocalImage, error)
	// Containers lists all containers, whatever their state.
	Containers(ctx context.Context) ([]pratique.Container, error)
	// Watch calls yield for everything that may have changed either list, until ctx
	// is done, the engine ends, or yield returns an error. The lists say how it is
	// now: an event is a hint to look again, and some may be lost.
	Watch(ctx context.Context, yield func(Event) error) error
}

// Event is a change in an engine.
type Event struct {
	Subject string    `json:"subject"` // "image" or "container"
	Action  string    `json:"action"`  // the engine's word: "pull", "tag", "start", "die", …
	ID      string    `json:"id"`      // the engine's
	Time    time.Time `json:"time"`
}

// Subjects of events.
const (
	SubjectImage     = "image"
	SubjectContainer = "container"
)

// Content is an image that can be read. Close it.
type Content struct {
	Tags []string
	// Config is the image's config; its digest is the ID.
	Config   []byte
	Manifest pratique.Digest // "" where the engine does not keep it
	Index    pratique.Digest // that led to the manifest
	Layers   []Layer         // lowest first
	// Archive is set instead of everything but Tags when the image can only be had
	// as the tar that `docker save` writes.
	Archive func(context.Context) (io.ReadCloser, error)
	// Way says how the layers are read, for people: "overlay2 folders".
	Way string

	close []func() error
}

// Layer is one layer with one of two ways to read it: a blob, which has a Digest, or
// a folder, which has a DiffID. A layer with a State has none, and a Reason.
type Layer struct {
	pratique.Layer
	Blob     layer.Source
	Unpacked *layer.Unpacked
}

// OnClose adds what has to be closed with the content.
func (c *Content) OnClose(f func() error) { c.close = append(c.close, f) }

// Close lets go of files and connections.
func (c *Content) Close() error {
	var errs []error
	for i := len(c.close) - 1; i >= 0; i-- {
		errs = append(errs, c.close[i]())
	}
	c.close = nil
	return errors.Join(errs...)
}

// Removed is the error for an image that went away while it was read.
func Removed(name string) error {
	return pratique.Errorf(pratique.CodeNotFound, "the image %.120s was removed from the engine while it was read", name).
		WithRemedy("nothing is wrong with it; scan it again if it is still wanted")
}
