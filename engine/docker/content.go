package docker

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"path/filepath"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/engine"
	"github.com/pratique/pratique/engine/internal/daemon"
	"github.com/pratique/pratique/engine/internal/oci"
	"github.com/pratique/pratique/registry/distribution"
)

func isGone(err error) bool {
	var refused *daemon.Refused
	return errors.As(err, &refused) && refused.Status == http.StatusNotFound
}

// Open finds the image and opens its folders, or has the engine save it.
func (e *Engine) Open(ctx context.Context, name string, want pratique.Platform) (*engine.Content, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	c, err := e.connect(ctx)
	if err != nil {
		return nil, err
	}
	var image inspectedImage
	if err := c.ask(ctx, "/images/"+name+"/json", &image); err != nil {
		return nil, c.noImage(err, name)
	}
	content, why, err := e.folders(ctx, c, name, image, want)
	if err != nil {
		return nil, err
	}
	if content == nil {
		content = &engine.Content{Way: "docker save: " + why, Archive: func(ctx context.Context) (io.ReadCloser, error) { return c.save(ctx, name, want) }}
	}
	content.Tags = named(image.RepoTags)
	return content, nil
}

// folders opens the image where the engine keeps it. A nil content has a reason
// why that is not possible here.
func (e *Engine) folders(ctx context.Context, c *client, name string, image inspectedImage, want pratique.Platform) (*engine.Content, string, error) {
	if !c.local {
		return nil, "the engine is on another host", nil
	}
	var i info
	if err := c.ask(ctx, "/info", &i); err != nil {
		if refused := (*daemon.Refused)(nil); errors.As(err, &refused) { // by a proxy before the socket
			return nil, "the engine does not tell where its folders are", nil
		}
		return nil, "", err
	}
	root := filepath.Join("/", e.opt.HostRoot, i.DockerRootDir)
	switch {
	case c.podman != "":
		return nil, "the engine is podman, whose own folders are read as podman:NAME", nil
	case i.containerdStore() && image.Descriptor != nil:
		content, err := e.fromStore(ctx, root, name, image, want)
		return content, whyNot(err), hard(err)
	case i.Driver == "overlay2":
		content, err := openOverlay(overlayRoot(root), image.Id, name)
		return content, whyNot(err), hard(err)
	}
	return nil, "the engine's storage driver is " + daemon.OneLine(i.Driver), nil
}

// hard returns an error that asking the engine would not make good: the image is
// gone, or damaged. That its folders are not ours to read is none.
func hard(err error) error {
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, oci.ErrNotHere) {
		return nil
	}
	return err
}

func whyNot(err error) string {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "we may not read the engine's folders (root may)"
	case err != nil:
		return "the engine's folders are not where it says"
	}
	return ""
}

// fromStore opens an image in containerd's content store: that of dockerd's own
// containerd, or of the system's.
func (e *Engine) fromStore(ctx context.Context, dockerRoot, name string, image inspectedImage, want pratique.Platform) (*engine.Content, error) {
	root := distribution.Descriptor{MediaType: image.Descriptor.MediaType, Digest: image.Descriptor.Digest, Size: image.Descriptor.Size}
	store, err := e.openStore(dockerRoot, root.Digest)
	if err != nil {
		return nil, err
	}
	img, err := store.Select(ctx, root, want)
	if err != nil {
		store.Close()
		return nil, err
	}
	content := &engine.Content{Config: img.Raw, Manifest: img.Descriptor.Digest, Index: img.Index, Way: "containerd's content store"}
	content.OnClose(store.Close)
	for _, d := range img.Manifest.Layers {
		content.Layers = append(content.Layers, engine.Layer{
			Layer: pratique.Layer{Digest: d.Digest, MediaType: d.MediaType, Size: d.Size}, Blob: store.Source(d.Digest, engine.Removed(name)),
		})
	}
	return content, nil
}

// openStore opens the content store that has a blob.
func (e *Engine) openStore(dockerRoot string, has pratique.Digest) (*oci.Store, error) {
	var last error
	for _, dir := range []string{filepath.Join(dockerRoot, "containerd/daemon"), filepath.Join("/", e.opt.HostRoot, "var/lib/containerd")} {
		store, err := oci.Open(filepath.Join(dir, "io.containerd.content.v1.content"))
		if err != nil {
			last = errors.Join(last, err)
			continue
		}
		if has == "" || store.Has(has) {
			return store, nil
		}
		store.Close()
	}
	if last == nil {
		last = fs.ErrNotExist
	}
	return nil, last
}

// save has the engine write the image as a tar.
func (c *client) save(ctx context.Context, name string, want pratique.Platform) (io.ReadCloser, error) {
	path := c.prefix + "/images/" + name + "/get"
	if want != (pratique.Platform{}) && c.minor >= 48 {
		platform, err := json.Marshal(distribution.DescribedFor{OS: want.OS, Architecture: want.Architecture, Variant: want.Variant})
		if err != nil {
			return nil, err
		}
		path += "?platform=" + url.QueryEscape(string(platform))
	}
	tar, err := c.Stream(ctx, path, daemon.Idle)
	if err != nil {
		return nil, c.noImage(err, name)
	}
	return tar, nil
}
