package docker

import (
	"context"
	"errors"
	"path/filepath"
	"slices"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/engine/internal/oci"
	"github.com/pratique/pratique/registry/distribution"
)

// identities finds image IDs for what the engine calls an image. With Docker's own
// store the two are the same. With containerd's they are not, and the config has
// to be read.
type identities struct {
	client *client
	store  *oci.Store // nil with Docker's own
	apart  bool       // the engine's id is not the ID
	known  map[pratique.Digest]pratique.Digest
}

func (e *Engine) identities(ctx context.Context, c *client) (*identities, error) {
	ids := &identities{client: c, known: map[pratique.Digest]pratique.Digest{}}
	var i info
	if err := c.ask(ctx, "/info", &i); err != nil {
		return nil, c.Told(err, seeDaemon)
	}
	if ids.apart = i.containerdStore(); ids.apart && c.local {
		ids.store, _ = e.openStore(filepath.Join("/", e.opt.HostRoot, i.DockerRootDir), "") // told for each image
	}
	return ids, nil
}

func (ids *identities) close() {
	if ids.store != nil {
		ids.store.Close()
	}
}

// unidentified is why an image has no ID.
const unidentified = "its ID is known only when it is scanned: we may not read the engine's content store (root may)"

// images returns the contents behind one listed image: one for each platform that
// is here.
func (ids *identities) images(ctx context.Context, l listedImage) ([]pratique.LocalImage, error) {
	if ids.store == nil {
		img, err := l.inspected(ctx, ids.client)
		if pratique.CodeOf(err) == pratique.CodeNotFound {
			return nil, nil // removed since it was listed
		}
		if !ids.apart {
			img.ID = l.Id
		} else {
			img.Reason = unidentified
		}
		return []pratique.LocalImage{img}, err
	}
	found, err := ids.store.Images(ctx, distribution.Descriptor{Digest: l.Id})
	if err != nil {
		if ctx.Err() != nil {
			return nil, pratique.Errorf(pratique.CodeCancelled, "stopped: %w", ctx.Err())
		}
		img, inspectErr := l.inspected(ctx, ids.client)
		img.Reason = reason(err)
		return []pratique.LocalImage{img}, inspectErr
	}
	var images []pratique.LocalImage
	for _, i := range found {
		images = append(images, pratique.LocalImage{
			ID: i.ID(), EngineID: l.Id, Aliases: aliases(l.Id, i), Tags: named(l.RepoTags), Digests: named(l.RepoDigests),
			Platform: i.Config.Platform(), Size: l.Size, Created: i.Config.Created, Labels: i.Config.Config.Labels, Layers: i.Config.RootFS.DiffIDs,
		})
	}
	return images, nil
}

func reason(err error) string {
	if errors.Is(err, oci.ErrNotHere) {
		return "its manifest or config is not in the content store"
	}
	return err.Error()
}

func aliases(engineID pratique.Digest, i *oci.Image) []pratique.Digest {
	var all []pratique.Digest
	for _, d := range []pratique.Digest{engineID, i.Descriptor.Digest, i.Index} {
		if d != "" && !slices.Contains(all, d) {
			all = append(all, d)
		}
	}
	return all
}

// of returns the ID for an engine's id, or "" if it cannot be had.
func (ids *identities) of(ctx context.Context, engineID pratique.Digest) pratique.Digest {
	if !ids.apart || engineID == "" {
		return engineID
	}
	if id, ok := ids.known[engineID]; ok || ids.store == nil {
		return id
	}
	id := pratique.Digest("")
	if img, err := ids.store.Select(ctx, distribution.Descriptor{Digest: engineID}, pratique.Platform{}); err == nil {
		id = img.ID()
	}
	ids.known[engineID] = id
	return id
}
