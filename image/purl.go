package image

import (
	"strings"

	"github.com/package-url/packageurl-go"

	"github.com/pratique/pratique"
)

// systemPURL writes the package URL of an operating system package, with the
// qualifiers that the purl specification and its users agreed on: arch, distro,
// epoch for rpm, and upstream for the source package where it has another name
// or version.
func systemPURL(p *pratique.Package, d *pratique.Distro) string {
	namespace, qualifiers := "", packageurl.Qualifiers{}
	add := func(key, value string) {
		if value != "" {
			qualifiers = append(qualifiers, packageurl.Qualifier{Key: key, Value: value})
		}
	}
	add("arch", p.Arch)
	if d != nil {
		namespace = d.ID
		if release := firstNonEmpty(d.Version, d.Codename); release != "" {
			add("distro", d.ID+"-"+release)
		}
	}
	version := p.Version
	if p.Type == "rpm" {
		if epoch, rest, ok := strings.Cut(version, ":"); ok {
			add("epoch", epoch)
			version = rest
		}
	}
	if s := p.Source; s != nil && (s.Name != p.Name || s.Version != p.Version && s.Version != version) {
		upstream := s.Name
		if s.Version != p.Version && s.Version != version {
			upstream += "@" + s.Version
		}
		add("upstream", upstream)
	}
	return packageurl.NewPackageURL(p.Type, namespace, p.Name, version, qualifiers, "").String()
}

func firstNonEmpty(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
