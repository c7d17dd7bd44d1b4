package distribution

import (
	"context"
	"encoding/json"
	"io"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/registry"
)

// Describe fills in what a manifest tells of an artifact: its kind, size and
// children.
func Describe(a *registry.Artifact, m Manifest) {
	a.MediaType = m.MediaType
	a.Created = registry.Date(m.Annotations["org.opencontainers.image.created"])
	if m.Subject != nil {
		a.Subject = m.Subject.Digest
	}
	if m.IsIndex() {
		a.Kind = registry.KindIndex
		for _, c := range m.Manifests {
			child := registry.Child{Digest: c.Digest, MediaType: c.MediaType, Size: c.Size, Attestation: c.isAttestation()}
			if c.Platform != nil {
				platform := c.platform()
				child.Platform = &platform
			}
			a.Children = append(a.Children, child)
		}
		return
	}
	a.Size = m.Config.Size
	for _, l := range m.Layers {
		a.Size = min(a.Size, 1<<62) + min(l.Size, 1<<60) // sizes are claims
	}
	a.Kind, a.Type = kindOf(m)
	if a.Kind == registry.KindImage {
		a.Config = m.Config.Digest
	}
}

// kindOf tells images from what else manifests are used for. Cosign gives its
// signatures an image's config, so layers are looked at as well.
func kindOf(m Manifest) (registry.ArtifactKind, string) {
	types := []string{m.ArtifactType, m.Config.MediaType}
	for _, l := range m.Layers {
		types = append(types, l.MediaType)
	}
	for _, t := range types {
		if kind, ok := registry.Accessory(t); ok {
			return registry.KindAccessory, kind
		}
	}
	switch m.Config.MediaType {
	case "application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json", "application/octet-stream", "":
		if m.ArtifactType == "" || m.ArtifactType == m.Config.MediaType {
			return registry.KindImage, ""
		}
	}
	kind := m.ArtifactType
	if kind == "" {
		kind = m.Config.MediaType
	}
	if m.Subject != nil {
		return registry.KindAccessory, registry.OtherType(kind)
	}
	return registry.KindOther, registry.OtherType(kind)
}

// Inspect reads what a manifest describes, and of an image the platform and the
// date that its config tells. Registries may count it as a pull.
func (c *Client) Inspect(ctx context.Context, repository string, d pratique.Digest) (registry.Artifact, error) {
	a := registry.Artifact{Repository: repository, Digest: d, Reads: 1}
	root, content, err := c.Manifest(ctx, repository, string(d))
	if err != nil {
		return a, err
	}
	m, err := ParseManifest(content, root.MediaType)
	if err != nil {
		return a, err
	}
	Describe(&a, m)
	if a.Kind == registry.KindImage {
		err = c.ReadConfig(ctx, repository, &a, m.Config)
	}
	return a, err
}

// maxListed is the size in bytes of a config that is read for its dates.
const maxListed = 4 << 20

// ReadConfig fills in platform and date from an image's config. An image whose
// config is missing or damaged stays without them: a scan will tell what is wrong
// with it. An error concerns the whole registry.
func (c *Client) ReadConfig(ctx context.Context, repository string, a *registry.Artifact, d Descriptor) error {
	if d.Size > maxListed {
		return nil
	}
	body, err := c.Blob(ctx, repository, d)
	if err != nil {
		return whole(err)
	}
	defer body.Close()
	content, err := io.ReadAll(body)
	if err != nil {
		return whole(err)
	}
	var told struct {
		Created      string `json:"created"`
		OS           string `json:"os"`
		Architecture string `json:"architecture"`
		Variant      string `json:"variant"`
		OSVersion    string `json:"os.version"`
	}
	if pratique.DigestOf(content) != d.Digest || json.Unmarshal(content, &told) != nil {
		return nil
	}
	if created := registry.Date(told.Created); created != nil {
		a.Created = created
	}
	if told.OS != "" || told.Architecture != "" {
		a.Platform = &pratique.Platform{OS: told.OS, Architecture: told.Architecture, Variant: told.Variant, OSVersion: told.OSVersion}
	}
	return nil
}

// whole lets only those errors through that concern the whole registry.
func whole(err error) error {
	switch pratique.CodeOf(err) {
	case pratique.CodeUnreachable, pratique.CodeRateLimited, pratique.CodeCancelled:
		return err
	}
	return nil
}
