package source

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/image"
	"github.com/pratique/pratique/registry/distribution"
)

// savedImage is one entry of manifest.json in a tar of docker save
// (moby image-spec v1.2, "Combined Image JSON + Filesystem Changeset Format").
type savedImage struct {
	Config       string
	RepoTags     []string
	Layers       []string
	LayerSources map[pratique.Digest]distribution.Descriptor // foreign layers, by diffID
}

func (o *Opened) openDockerArchive(ctx context.Context, a *archive, name string, want pratique.Platform) error {
	content, err := readPart(a, "manifest.json", distribution.MaxManifest, "manifest.json")
	if err != nil {
		return err
	}
	var images []savedImage
	if err := json.Unmarshal(content, &images); err != nil {
		return pratique.Errorf(pratique.CodeCorrupt, "manifest.json is not JSON of that form").WithRemedy("save the image again")
	}
	saved, err := chooseSaved(images, name)
	if err != nil {
		return err
	}
	config, err := readPart(a, saved.Config, maxConfig, "the image's config")
	if err != nil {
		return err
	}
	// Its name is its digest: HEX.json, or blobs/sha256/HEX since Docker 25.
	named := pratique.Digest("sha256:" + strings.TrimSuffix(path.Base(saved.Config), ".json"))
	if _, err := pratique.ParseDigest(string(named)); err == nil {
		if err := verify(config, named, "the image's config"); err != nil {
			return err
		}
	}
	if a.has("index.json") && want != (pratique.Platform{}) && !isFor(config, want) {
		return o.openLayout(ctx, a, name, want) // other platforms are only there
	}
	layers, err := savedLayers(a, saved, config)
	if err != nil {
		return err
	}
	o.Image.Tags = saved.RepoTags
	if a.has("index.json") {
		o.addManifest(ctx, a, pratique.DigestOf(config), layers)
	}
	return o.describe(config, layers, want)
}

func isFor(config []byte, want pratique.Platform) bool {
	img, err := image.Describe(config)
	img.Platform.OSVersion = ""
	return err == nil && distribution.Matches(img.Platform, want)
}

// chooseSaved takes the only image, or the one that name names.
func chooseSaved(images []savedImage, name string) (savedImage, error) {
	if len(images) == 0 {
		return savedImage{}, pratique.Errorf(pratique.CodeCorrupt, "manifest.json lists no image").WithRemedy("save the image again")
	}
	if name == "" {
		if len(images) == 1 {
			return images[0], nil
		}
		return savedImage{}, severalImages(savedNames(images))
	}
	for _, img := range images {
		if slices.ContainsFunc(img.RepoTags, func(tag string) bool { return sameReference(tag, name) }) {
			return img, nil
		}
		if hex := strings.TrimPrefix(name, "sha256:"); len(hex) >= 12 && strings.HasPrefix(path.Base(img.Config), hex) {
			return img, nil
		}
	}
	return savedImage{}, noSuchImage(name, savedNames(images))
}

func savedNames(images []savedImage) []string {
	var names []string
	for _, img := range images {
		if len(img.RepoTags) > 0 {
			names = append(names, img.RepoTags[0])
			continue
		}
		hex := strings.TrimSuffix(path.Base(img.Config), ".json")
		names = append(names, hex[:min(12, len(hex))])
	}
	return names
}

func severalImages(names []string) error {
	return pratique.Errorf(pratique.CodeInvalid, "it holds %d images: %s", len(names), list(names)).
		WithRemedy("choose one by adding its name: FILE:NAME")
}

func noSuchImage(name string, names []string) error {
	return pratique.Errorf(pratique.CodeNotFound, "it holds no image %s; it has %s", quoteShort(name), list(names)).
		WithRemedy("choose one of these names: FILE:NAME")
}

func list(names []string) string {
	const shown = 20
	var b []string
	for _, n := range names[:min(shown, len(names))] {
		b = append(b, quoteShort(n))
	}
	if len(names) > shown {
		b = append(b, "…")
	}
	return strings.Join(b, ", ")
}

// sameReference compares as Docker does: debian is docker.io/library/debian:latest.
func sameReference(a, b string) bool {
	if a == b {
		return true
	}
	ra, erra := distribution.ParseReference(a)
	rb, errb := distribution.ParseReference(b)
	return erra == nil && errb == nil && ra == rb
}

func savedLayers(a *archive, saved savedImage, config []byte) ([]stored, error) {
	img, err := described(config, len(saved.Layers))
	if err != nil {
		return nil, err
	}
	var layers []stored
	for i, name := range saved.Layers {
		p, err := a.openBlob(name)
		if err != nil {
			source, foreign := saved.LayerSources[img.Layers[i].DiffID]
			if !foreign || !errors.Is(err, fs.ErrNotExist) {
				return nil, pratique.Errorf(pratique.CodeCorrupt, "layer %d is missing (%s)", i, quoteShort(name)).WithRemedy("save the image again, completely")
			}
			l := layerOf(source)
			l.State, l.Reason = pratique.LayerForeign, "it is not distributed with the image but by its vendor"
			layers = append(layers, stored{layer: l, open: noBlob})
			continue
		}
		l := pratique.Layer{Size: p.Size(), MediaType: savedType(p)}
		if dir, hex := path.Split(name); dir == "blobs/sha256/" {
			if d, err := pratique.ParseDigest("sha256:" + hex); err == nil {
				l.Digest = d
			}
		}
		layers = append(layers, stored{layer: l, open: func(context.Context) (io.ReadCloser, error) { return a.openBlob(name) }})
	}
	return layers, nil
}

// savedType tells by magic: engines with containerd's image store save layers as
// they were pulled, the others plain.
func savedType(p *part) string {
	const plain = "application/vnd.docker.image.rootfs.diff.tar"
	switch form, _ := sniff(p); form {
	case formGzip:
		return plain + ".gzip"
	case formZstd:
		return plain + ".zstd"
	}
	return plain
}

// addManifest looks in index.json for the manifest of the image that manifest.json
// led to, for its digest and its layers' descriptors. Not finding one is no
// fault: older tars have none.
func (o *Opened) addManifest(ctx context.Context, a *archive, id pratique.Digest, layers []stored) {
	content, err := readPart(a, "index.json", distribution.MaxManifest, "index.json")
	if err != nil {
		return
	}
	index, err := distribution.ParseManifest(content, distribution.TypeOCIIndex)
	if err != nil || !index.IsIndex() {
		return
	}
	found, outer, ok := findManifest(ctx, a, index, id, "", maxLinks)
	if !ok {
		return
	}
	o.Image.Digest, o.Image.IndexDigest = found.Descriptor.Digest, outer
	for i, d := range found.Manifest.Layers {
		if len(found.Manifest.Layers) == len(layers) && layers[i].layer.State == "" && d.Size == layers[i].layer.Size {
			layers[i].layer = layerOf(d)
		}
	}
}

func findManifest(ctx context.Context, b blobs, index distribution.Manifest, id, outer pratique.Digest, depth int) (found distribution.Selection, in pratique.Digest, ok bool) {
	for i, d := range index.Manifests {
		if i >= 256 || depth == 0 || ctx.Err() != nil {
			break
		}
		content, err := fetchFrom(b)(ctx, d)
		if err != nil {
			continue
		}
		m, err := distribution.ParseManifest(content, d.MediaType)
		switch {
		case err != nil:
		case m.IsIndex():
			top := outer
			if top == "" {
				top = d.Digest
			}
			if found, in, ok = findManifest(ctx, b, m, id, top, depth-1); ok {
				return found, in, true
			}
		case m.Config.Digest == id:
			return distribution.Selection{Manifest: m, Descriptor: d}, outer, true
		}
	}
	return distribution.Selection{}, "", false
}
