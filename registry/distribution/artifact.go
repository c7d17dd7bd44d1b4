package distribution

import "github.com/pratique/pratique/registry"

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
