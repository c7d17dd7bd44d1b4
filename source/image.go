package source

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pratique/pratique"
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

// imageConfig is the part of image-spec's "OCI Image Configuration" that matters
// here; Docker's is the same.
type imageConfig struct {
	Created      *time.Time `json:"created"`
	Author       string     `json:"author"`
	OS           string     `json:"os"`
	OSVersion    string     `json:"os.version"`
	Architecture string     `json:"architecture"`
	Variant      string     `json:"variant"`
	Config       struct {
		User         string
		Env          []string
		Entrypoint   []string
		Cmd          []string
		WorkingDir   string
		Labels       map[string]string
		ExposedPorts map[string]struct{}
	} `json:"config"`
	RootFS struct {
		DiffIDs []pratique.Digest `json:"diff_ids"`
	} `json:"rootfs"`
	History []struct {
		Created    *time.Time `json:"created"`
		CreatedBy  string     `json:"created_by"`
		Comment    string     `json:"comment"`
		EmptyLayer bool       `json:"empty_layer"`
	} `json:"history"`
}

// describe fills in the image from its config and layers. The ID is computed from
// the config's bytes.
func (o *Opened) describe(config []byte, layers []stored, want pratique.Platform) error {
	var c imageConfig
	if err := json.Unmarshal(config, &c); err != nil {
		return pratique.Errorf(pratique.CodeCorrupt, "the image's config is not JSON of that form").
			WithRemedy("build and save or push the image again")
	}
	if err := checkDiffIDs(c.RootFS.DiffIDs, len(layers)); err != nil {
		return err
	}
	img := &o.Image
	img.ID = pratique.DigestOf(config)
	img.Platform = pratique.Platform{OS: c.OS, Architecture: c.Architecture, Variant: c.Variant, OSVersion: c.OSVersion}
	if want != (pratique.Platform{}) && !distribution.Matches(img.Platform, want) {
		return pratique.Errorf(pratique.CodeNotFound, "the image is for %s, not for %s", img.Platform, want).
			WithRemedy("leave out --platform, or name an image that has that platform")
	}
	img.Created, img.Author = c.Created, c.Author
	img.Config = pratique.Config{
		User: c.Config.User, Env: c.Config.Env, Entrypoint: c.Config.Entrypoint, Cmd: c.Config.Cmd,
		WorkingDir: c.Config.WorkingDir, Labels: c.Config.Labels,
		Ports: slices.Sorted(maps.Keys(c.Config.ExposedPorts)),
	}
	for i, s := range layers {
		s.layer.Index, s.layer.DiffID = i, c.RootFS.DiffIDs[i]
		img.Layers = append(img.Layers, s.layer)
		img.Size += s.layer.Size
		o.open, o.unpacked = append(o.open, s.open), append(o.unpacked, s.unpacked)
	}
	o.history(c)
	return nil
}

func checkDiffIDs(diffIDs []pratique.Digest, layers int) error {
	if len(diffIDs) != layers {
		return pratique.Errorf(pratique.CodeCorrupt, "the image's config lists %d layers and its manifest %d", len(diffIDs), layers).
			WithRemedy("build and save or push the image again")
	}
	for _, d := range diffIDs {
		if _, err := pratique.ParseDigest(string(d)); err != nil {
			return pratique.Errorf(pratique.CodeCorrupt, "the image's config has %.80q in the place of a layer's digest", string(d)).
				WithRemedy("build and save or push the image again")
		}
	}
	return nil
}

// history joins build steps to the layers that they made. Where the numbers
// disagree, as in squashed images, no step is joined to any layer: a wrong
// instruction is worse than none.
func (o *Opened) history(c imageConfig) {
	made := 0
	for _, h := range c.History {
		if !h.EmptyLayer {
			made++
		}
	}
	joined := made == len(o.Image.Layers)
	next := 0
	for _, h := range c.History {
		step := pratique.Instruction{Created: h.Created, CreatedBy: h.CreatedBy, Comment: h.Comment, Empty: h.EmptyLayer}
		if joined && !h.EmptyLayer {
			i := next
			step.Layer = &i
			o.Image.Layers[i].Instruction = instruction(h.CreatedBy)
			next++
		}
		o.Image.History = append(o.Image.History, step)
	}
}

// instruction turns what builders write into history back into a Dockerfile's
// words.
func instruction(createdBy string) string {
	s := strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(createdBy), "# buildkit"))
	if rest, ok := strings.CutPrefix(s, "/bin/sh -c #(nop)"); ok {
		return strings.TrimSpace(rest)
	}
	if rest, ok := strings.CutPrefix(s, "/bin/sh -c "); ok {
		return "RUN " + strings.TrimSpace(rest)
	}
	if rest, ok := strings.CutPrefix(s, "RUN /bin/sh -c "); ok {
		return "RUN " + strings.TrimSpace(rest)
	}
	return s
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
