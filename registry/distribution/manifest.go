package distribution

import (
	"encoding/json"
	"strings"

	"github.com/pratique/pratique"
)

// MaxManifest is the size in bytes up to which a manifest is read. Registries
// need not take larger ones (distribution-spec, "Pushing Manifests").
const MaxManifest = 4 << 20

// Media types of manifests, in our order of preference.
const (
	TypeOCIIndex       = "application/vnd.oci.image.index.v1+json"
	TypeOCIManifest    = "application/vnd.oci.image.manifest.v1+json"
	TypeDockerList     = "application/vnd.docker.distribution.manifest.list.v2+json"
	TypeDockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	TypeDockerSchema1  = "application/vnd.docker.distribution.manifest.v1+prettyjws"
)

// acceptManifests is sent with every request for a manifest: some registries
// answer 404 when the type that they hold is not among those asked for.
const acceptManifests = TypeOCIIndex + ", " + TypeOCIManifest + ", " + TypeDockerList + ", " + TypeDockerManifest + ", " + TypeDockerSchema1

// Descriptor points to content (image-spec, "OCI Content Descriptors").
type Descriptor struct {
	MediaType    string            `json:"mediaType"`
	Digest       pratique.Digest   `json:"digest"`
	Size         int64             `json:"size"` // bytes
	URLs         []string          `json:"urls,omitempty"`
	Annotations  map[string]string `json:"annotations,omitempty"`
	ArtifactType string            `json:"artifactType,omitempty"`
	Platform     *DescribedFor     `json:"platform,omitempty"`
}

// DescribedFor is a platform as an index writes it.
type DescribedFor struct {
	OS           string `json:"os"`
	Architecture string `json:"architecture"`
	Variant      string `json:"variant,omitempty"`
	OSVersion    string `json:"os.version,omitempty"`
}

func (d Descriptor) platform() pratique.Platform {
	if d.Platform == nil {
		return pratique.Platform{}
	}
	return pratique.Platform{OS: d.Platform.OS, Architecture: d.Platform.Architecture, Variant: d.Platform.Variant, OSVersion: d.Platform.OSVersion}
}

// isAttestation recognises BuildKit's provenance and SBOM children, which are
// no images.
func (d Descriptor) isAttestation() bool {
	return d.Annotations["vnd.docker.reference.type"] != "" ||
		d.Platform != nil && d.Platform.OS == "unknown" && d.Platform.Architecture == "unknown"
}

// Manifest is an image manifest or an index, of OCI or of Docker's schema 2:
// the one has Config and Layers, the other Manifests.
type Manifest struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     string            `json:"mediaType,omitempty"`
	ArtifactType  string            `json:"artifactType,omitempty"`
	Config        Descriptor        `json:"config,omitzero"`
	Layers        []Descriptor      `json:"layers,omitempty"`
	Manifests     []Descriptor      `json:"manifests,omitempty"`
	Subject       *Descriptor       `json:"subject,omitempty"` // what it is about: signatures, SBOMs
	Annotations   map[string]string `json:"annotations,omitempty"`
}

// IsIndex tells whether m lists manifests instead of layers.
func (m Manifest) IsIndex() bool { return isIndexType(m.MediaType) }

func isIndexType(mediaType string) bool {
	return mediaType == TypeOCIIndex || mediaType == TypeDockerList
}

// ParseManifest reads a manifest or index. The media type that its bearer gave
// decides where the document names none itself. Every digest and size in the
// result is well-formed.
func ParseManifest(content []byte, mediaType string) (Manifest, error) {
	if len(content) > MaxManifest {
		return Manifest{}, errManifestTooLarge()
	}
	var m Manifest
	if err := json.Unmarshal(content, &m); err != nil {
		return Manifest{}, notManifest("it is not JSON of that form")
	}
	if m.SchemaVersion == 1 || strings.HasPrefix(mediaType, "application/vnd.docker.distribution.manifest.v1+") {
		return Manifest{}, pratique.Errorf(pratique.CodeUnsupported, "the image has a Docker schema 1 manifest, a format that was retired in 2019").
			WithRemedy("push it again in a current format, for example `skopeo copy --format v2s2 docker://NAME docker://NAME`")
	}
	if len(m.Manifests) > 0 && (len(m.Layers) > 0 || m.Config.Digest != "") {
		return Manifest{}, notManifest("it claims to be a manifest and an index at once")
	}
	if m.MediaType == "" {
		m.MediaType = mediaType
	}
	switch m.MediaType {
	case TypeOCIIndex, TypeDockerList, TypeOCIManifest, TypeDockerManifest:
	default: // older tools write no type, and some servers say application/json
		m.MediaType = TypeOCIManifest
		if m.Manifests != nil {
			m.MediaType = TypeOCIIndex
		}
	}
	if m.Subject != nil {
		if err := checkDescriptors([]Descriptor{*m.Subject}); err != nil {
			return Manifest{}, err
		}
	}
	if m.IsIndex() {
		return m, checkDescriptors(m.Manifests)
	}
	if m.Config.Digest == "" {
		return Manifest{}, notManifest("it names no config")
	}
	return m, checkDescriptors(append([]Descriptor{m.Config}, m.Layers...))
}

func checkDescriptors(ds []Descriptor) error {
	for _, d := range ds {
		if _, err := pratique.ParseDigest(string(d.Digest)); err != nil {
			if strings.HasPrefix(string(d.Digest), "sha512:") {
				return pratique.Errorf(pratique.CodeUnsupported, "the image's manifest uses SHA-512 digests").
					WithRemedy("push it with SHA-256 digests, which every registry serves")
			}
			return notManifest("%.80q in it is not a digest", string(d.Digest))
		}
		if d.Size < 0 {
			return notManifest("it gives a size of %d bytes", d.Size)
		}
	}
	return nil
}

func notManifest(format string, args ...any) error {
	e := pratique.Errorf(pratique.CodeCorrupt, format, args...)
	e.Message = "the image's manifest cannot be read: " + e.Message
	return e.WithRemedy("check that the name is an image's, then build and push it again")
}

func errManifestTooLarge() error {
	return pratique.Errorf(pratique.CodeLimit, "the image's manifest is larger than %d MiB", MaxManifest>>20).
		WithRemedy("build the image again with fewer layers and annotations")
}
