package source

import (
	"context"
	"io"
	"strings"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/image"
	"github.com/pratique/pratique/layer"
	"github.com/pratique/pratique/registry/distribution"
)

// maxConfig is the size in bytes up to which an image's config is read. Real
// ones have some kilobytes.
const maxConfig = 8 << 20

// stored is one layer with the way to its blob.
type stored struct {
	layer    pratique.Layer
	open     opener
	unpacked *layer.Unpacked // instead of open
}

// describe fills in the image from its config and layers. The ID is computed from
// the config's bytes.
func (o *Opened) describe(config []byte, layers []stored, want pratique.Platform) error {
	img, err := described(config, len(layers))
	if err != nil {
		return err
	}
	if want != (pratique.Platform{}) && !distribution.Matches(img.Platform, want) {
		return pratique.Errorf(pratique.CodeNotFound, "the image is for %s, not for %s", img.Platform, want).
			WithRemedy("leave out --platform, or name an image that has that platform")
	}
	is := o.Image // what is known from where it lies
	img.Name, img.Kind, img.Digest, img.IndexDigest, img.Tags, img.ReadFrom = is.Name, is.Kind, is.Digest, is.IndexDigest, is.Tags, is.ReadFrom
	for i, s := range layers {
		l := &img.Layers[i]
		s.layer.Index, s.layer.DiffID, s.layer.Instruction = i, l.DiffID, l.Instruction
		*l = s.layer
		img.Size += l.Size
		o.open, o.unpacked = append(o.open, s.open), append(o.unpacked, s.unpacked)
	}
	o.Image, o.Config = img, config
	return nil
}

// described reads a config that has to have so many layers.
func described(config []byte, layers int) (pratique.Image, error) {
	img, err := image.Describe(config)
	if err == nil && len(img.Layers) != layers {
		err = pratique.Errorf(pratique.CodeCorrupt, "the image's config lists %d layers and its manifest %d", len(img.Layers), layers).
			WithRemedy("build and save or push the image again")
	}
	return img, err
}

// layerOf describes a layer by its descriptor, with the reason if it cannot be
// read.
func layerOf(d distribution.Descriptor) pratique.Layer {
	l := stateOf(pratique.Layer{Digest: d.Digest, MediaType: d.MediaType, Size: d.Size})
	if len(d.URLs) > 0 && l.State == "" {
		l.State, l.Reason = pratique.LayerForeign, foreign
	}
	return l
}

const foreign = "it is not distributed with the image but by its vendor"

// stateOf notes what the media type says against reading a layer.
func stateOf(l pratique.Layer) pratique.Layer {
	switch {
	case strings.HasSuffix(l.MediaType, "+encrypted"):
		l.State, l.Reason = pratique.LayerEncrypted, "it is encrypted, and we have no key"
	case strings.Contains(l.MediaType, ".foreign.") || strings.Contains(l.MediaType, ".nondistributable."):
		l.State, l.Reason = pratique.LayerForeign, foreign
	}
	return l
}

// refuseArtifact turns away what registries and layouts hold beside images.
func refuseArtifact(m distribution.Manifest) error {
	name := artifactName(m)
	if name == "" {
		return nil
	}
	return pratique.Errorf(pratique.CodeUnsupported, "this is %s, not a container image", name).
		WithRemedy("name an image; an SBOM can be scanned once it is saved to a file")
}

// artifactName says what m is if it is no image. Signatures and attestations
// borrow an image's config type, so their layers tell.
func artifactName(m distribution.Manifest) string {
	types := []string{m.ArtifactType, m.Config.MediaType}
	imageType := false
	switch m.Config.MediaType {
	case "application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json", "":
		imageType = true
	}
	for _, l := range m.Layers {
		if imageType && strings.Contains(l.MediaType, "tar") {
			return ""
		}
		types = append(types, l.MediaType)
	}
	if imageType && len(m.Layers) == 0 {
		return ""
	}
	all := strings.Join(types, " ")
	for _, known := range [...]struct{ part, name string }{
		{"cncf.helm", "a Helm chart"},
		{"wasm", "a WebAssembly module"},
		{"dev.cosign.simplesigning", "a cosign signature"},
		{"dev.sigstore", "a Sigstore bundle"},
		{"cncf.notary", "a Notary signature"},
		{"in-toto", "an in-toto attestation"},
		{"docker.plugin", "a Docker engine plugin"},
		{"docker.ai", "an AI model"},
		{"cyclonedx", "a CycloneDX SBOM"},
		{"spdx", "an SPDX SBOM"},
		{"sylabs.sif", "a Singularity image"},
		{"nydus", "a Nydus image"},
	} {
		if strings.Contains(all, known.part) {
			return known.name
		}
	}
	for _, t := range types {
		if t != "" && t != "application/vnd.oci.empty.v1+json" && !strings.HasPrefix(t, "application/vnd.oci.image.config") {
			return "an artifact of type " + quoteShort(t)
		}
	}
	return "an artifact of unknown type"
}

func quoteShort(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, s[:min(len(s), 80)])
}

// readLimited reads all of r, at most limit bytes, and says what it was if there
// is more.
func readLimited(r io.Reader, limit int64, what string) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > limit {
		return nil, pratique.Errorf(pratique.CodeLimit, "%s is larger than %d MiB", what, limit>>20).
			WithRemedy("no image needs one that large; build the image again")
	}
	return b, nil
}

func verify(b []byte, want pratique.Digest, what string) error {
	if got := pratique.DigestOf(b); got != want {
		return pratique.Errorf(pratique.CodeCorrupt, "%s has digest %s, and should have %s", what, got.Short(), want.Short()).
			WithRemedy("its content was changed or damaged; save or push the image again")
	}
	return nil
}

// noBlob opens nothing: the layer's state says why.
func noBlob(context.Context) (io.ReadCloser, error) {
	return nil, pratique.Errorf(pratique.CodeUnsupported, "the layer is not with the image")
}
