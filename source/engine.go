package source

import (
	"context"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/engine"
	"github.com/pratique/pratique/layer"
)

// Engine is a local engine that targets of the prefix "KIND:" are images of.
type Engine interface {
	Kind() pratique.EngineKind
	Open(ctx context.Context, name string, want pratique.Platform) (*engine.Content, error)
}

// openEngine opens an image of a local engine: its folders or blobs where they
// can be read, else the tar that the engine saves, in a scratch file, because a
// tar is read by seeking and its table of contents comes last.
func (o *Opened) openEngine(ctx context.Context, kind pratique.EngineKind, name string, want pratique.Platform, opt Options) error {
	for _, e := range opt.Engines {
		if e.Kind() != kind {
			continue
		}
		return o.openFrom(ctx, e, name, want, opt)
	}
	return pratique.Errorf(pratique.CodeUnsupported, "images of %s cannot be read here", kind).
		WithRemedy("save the image to a tar, and scan that")
}

// OpenLocal opens the image that a name means to one engine. Of the options the
// scratch folder counts.
func OpenLocal(ctx context.Context, e Engine, name string, opt Options) (*Opened, error) {
	o := &Opened{Image: pratique.Image{Name: name, Kind: pratique.KindImage}}
	if err := o.openFrom(ctx, e, name, pratique.Platform{}, opt); err != nil {
		_ = o.Close()
		return nil, err
	}
	return o, nil
}

func (o *Opened) openFrom(ctx context.Context, e Engine, name string, want pratique.Platform, opt Options) error {
	content, err := e.Open(ctx, name, want)
	if err != nil {
		return err
	}
	o.close = append(o.close, content.Close)
	o.Image.ReadFrom = content.Way
	if content.Archive != nil {
		return o.openSaved(ctx, content, want, opt)
	}
	return o.openContent(content, want)
}

func (o *Opened) openSaved(ctx context.Context, content *engine.Content, want pratique.Platform, opt Options) error {
	tar, err := content.Archive(ctx)
	if err != nil {
		return err
	}
	defer tar.Close()
	f, err := o.spool(ctx, opt.Scratch, tar)
	if err != nil {
		return err
	}
	a, err := indexTar(ctx, f)
	if err != nil {
		return err
	}
	if err := o.openArchive(ctx, a, target{kind: kindArchive}, want); err != nil {
		return err
	}
	if len(o.Image.Tags) == 0 {
		o.Image.Tags = content.Tags
	}
	return nil
}

func (o *Opened) openContent(content *engine.Content, want pratique.Platform) error {
	var layers []stored
	for _, l := range content.Layers {
		if l.Unpacked == nil && l.State == "" { // as a registry's: the media type may say that it cannot be read
			if kept := stateOf(l.Layer); kept.State != "" {
				layers = append(layers, stored{layer: kept, open: noBlob})
				continue
			}
		}
		layers = append(layers, stored{layer: l.Layer, open: opener(l.Blob), unpacked: l.Unpacked})
	}
	o.Image.Digest, o.Image.IndexDigest, o.Image.Tags = content.Manifest, content.Index, content.Tags
	return o.describe(content.Config, layers, want)
}

// Unpacked is layer i where an engine keeps it in a folder, or nil: then Layer
// has its blob.
func (o *Opened) Unpacked(i int) *layer.Unpacked {
	if i < 0 || i >= len(o.unpacked) {
		return nil
	}
	return o.unpacked[i]
}
