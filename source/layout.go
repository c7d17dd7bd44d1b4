package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"syscall"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/registry/distribution"
)

// layoutFolder is an OCI image layout on disk. os.Root keeps links inside it.
type layoutFolder struct{ root *os.Root }

func (l layoutFolder) openBlob(name string) (*part, error) {
	f, err := l.root.OpenFile(clean(name), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%w: %s", fs.ErrNotExist, name)
		}
		return nil, fileError(err)
	}
	info, err := f.Stat()
	if err == nil && info.Mode().IsRegular() {
		return &part{io.NewSectionReader(f, 0, info.Size()), f.Close}, nil
	}
	_ = f.Close()
	return nil, pratique.Errorf(pratique.CodeCorrupt, "%s is not a regular file", quoteShort(name)).
		WithRemedy("copy the layout again, with its files instead of links")
}

func (o *Opened) openLayoutFolder(ctx context.Context, t target, want pratique.Platform) error {
	if !isLayout(t.path) {
		return pratique.Errorf(pratique.CodeInvalid, "this is not an OCI layout: oci-layout or index.json is missing").
			WithRemedy("make one with `skopeo copy docker://NAME oci:DIR:TAG`; for a root file system write dir:FOLDER")
	}
	root, err := os.OpenRoot(t.path)
	if err != nil {
		return fileError(err)
	}
	o.close = append(o.close, root.Close)
	return o.openLayout(ctx, layoutFolder{root}, t.name, want)
}

// fetchFrom reads manifests from a layout's blobs.
func fetchFrom(b blobs) distribution.Fetch {
	return func(_ context.Context, d distribution.Descriptor) ([]byte, error) {
		content, err := readPart(b, blobName(d.Digest), distribution.MaxManifest, "manifest "+d.Digest.Short())
		if err != nil {
			return nil, err
		}
		return content, verify(content, d.Digest, "manifest "+d.Digest.Short())
	}
}

func blobName(d pratique.Digest) string { return "blobs/sha256/" + d.Hex() }

// openLayout finds the image that name names, for one platform, from index.json.
func (o *Opened) openLayout(ctx context.Context, b blobs, name string, want pratique.Platform) error {
	content, err := readPart(b, "index.json", distribution.MaxManifest, "index.json")
	if err != nil {
		return err
	}
	index, err := distribution.ParseManifest(content, distribution.TypeOCIIndex)
	if err != nil {
		return err
	}
	if !index.IsIndex() {
		return pratique.Errorf(pratique.CodeCorrupt, "index.json is not an index").WithRemedy("make the layout again")
	}
	entries, err := chooseEntries(index.Manifests, name)
	if err != nil {
		return err
	}
	chosen, err := selectEntry(ctx, b, entries, want)
	if err != nil {
		return err
	}
	if err := refuseArtifact(chosen.Manifest); err != nil {
		return err
	}
	m := chosen.Manifest
	config, err := readPart(b, blobName(m.Config.Digest), maxConfig, "the image's config")
	if err != nil {
		return err
	}
	if err := verify(config, m.Config.Digest, "the image's config"); err != nil {
		return err
	}
	layers, err := layoutLayers(b, m)
	if err != nil {
		return err
	}
	o.Image.Digest, o.Image.IndexDigest = chosen.Descriptor.Digest, chosen.Index
	for _, d := range entries {
		if n := entryName(d); n != "" && !slices.Contains(o.Image.Tags, n) {
			o.Image.Tags = append(o.Image.Tags, n)
		}
	}
	return o.describe(config, layers, want)
}

// entryName is what an entry of index.json is called: containerd and Docker
// write the whole name beside the tag.
func entryName(d distribution.Descriptor) string {
	if n := d.Annotations["io.containerd.image.name"]; n != "" {
		return n
	}
	return d.Annotations["org.opencontainers.image.ref.name"]
}

// chooseEntries returns the entries of index.json that name means: all of them if
// they are one image for several platforms.
func chooseEntries(all []distribution.Descriptor, name string) ([]distribution.Descriptor, error) {
	var names []string
	var chosen []distribution.Descriptor
	for _, d := range all {
		n := entryName(d)
		if n != "" && !slices.Contains(names, n) {
			names = append(names, n)
		}
		if name == "" || name == string(d.Digest) || name == "@"+string(d.Digest) ||
			name == d.Annotations["org.opencontainers.image.ref.name"] || n != "" && sameReference(n, name) {
			chosen = append(chosen, d)
		}
	}
	switch {
	case len(all) == 0:
		return nil, pratique.Errorf(pratique.CodeCorrupt, "index.json lists no image").WithRemedy("make the layout again")
	case len(chosen) == 0 && len(names) == 0:
		return nil, pratique.Errorf(pratique.CodeNotFound, "it holds no image %s: its images have no names", quoteShort(name)).WithRemedy("leave out the name")
	case len(chosen) == 0:
		return nil, noSuchImage(name, names)
	case name == "" && len(names) > 1 && !sameDigest(all):
		return nil, severalImages(names)
	}
	return chosen, nil
}

// sameDigest: several names of one image need no choice.
func sameDigest(all []distribution.Descriptor) bool {
	return !slices.ContainsFunc(all, func(d distribution.Descriptor) bool { return d.Digest != all[0].Digest })
}

// selectEntry goes from entries of index.json to a manifest. index.json itself is
// never called an image's index: it is the layout's table of contents.
func selectEntry(ctx context.Context, b blobs, entries []distribution.Descriptor, want pratique.Platform) (distribution.Selection, error) {
	fetch := fetchFrom(b)
	if sameDigest(entries) {
		content, err := fetch(ctx, entries[0])
		if err != nil {
			return distribution.Selection{}, err
		}
		return distribution.Select(ctx, fetch, entries[0], content, want)
	}
	contents := distribution.Manifest{SchemaVersion: 2, MediaType: distribution.TypeOCIIndex, Manifests: entries}
	chosen, err := distribution.SelectChild(ctx, fetch, contents, want)
	chosen.Index = ""
	return chosen, err
}

func layoutLayers(b blobs, m distribution.Manifest) ([]stored, error) {
	var layers []stored
	for i, d := range m.Layers {
		l := layerOf(d)
		if l.State != "" {
			layers = append(layers, stored{layer: l, open: noBlob})
			continue
		}
		p, err := b.openBlob(blobName(d.Digest))
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return nil, pratique.Errorf(pratique.CodeCorrupt, "layer %d is missing (%s)", i, d.Digest.Short()).WithRemedy("copy the image again, completely")
			}
			return nil, err
		}
		size := p.Size()
		_ = p.Close()
		if size != d.Size {
			return nil, pratique.Errorf(pratique.CodeCorrupt, "layer %d has %d bytes, and its manifest says %d", i, size, d.Size).WithRemedy("copy the image again, completely")
		}
		layers = append(layers, stored{layer: l, open: func(context.Context) (io.ReadCloser, error) { return b.openBlob(blobName(d.Digest)) }})
	}
	return layers, nil
}
