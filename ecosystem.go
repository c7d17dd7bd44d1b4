package pratique

import "strings"

// EcosystemOf returns the OSV ecosystem of a package URL type
// (https://ossf.github.io/osv-schema/#affectedpackage-field), or "" where the
// type has none. Operating system packages (deb, rpm, apk …) give "" as well:
// their ecosystem is the distribution's and comes with its release.
func EcosystemOf(purlType string) string {
	switch strings.ToLower(purlType) {
	case "npm":
		return "npm"
	case "pypi":
		return "PyPI"
	case "maven":
		return "Maven"
	case "golang":
		return "Go"
	case "cargo":
		return "crates.io"
	case "gem":
		return "RubyGems"
	case "composer":
		return "Packagist"
	case "nuget":
		return "NuGet"
	case "hex":
		return "Hex"
	case "pub":
		return "Pub"
	case "conan":
		return "ConanCenter"
	case "cran":
		return "CRAN"
	case "bioconductor":
		return "Bioconductor"
	case "swift":
		return "SwiftURL"
	case "hackage":
		return "Hackage"
	case "opam":
		return "opam"
	case "julia":
		return "Julia"
	case "bitnami":
		return "Bitnami"
	case "github", "githubactions":
		return "GitHub Actions"
	}
	return ""
}

// IsSystem tells whether a package URL type belongs to an operating system's
// distribution, and not to a language.
func IsSystem(purlType string) bool {
	switch purlType {
	case "deb", "rpm", "apk", "alpm", "opkg", "ebuild", "qpkg", "pacman", "xbps", "eopkg":
		return true
	}
	return false
}

// EcosystemName returns the name under which advisories list a package, from
// the namespace and the name of its package URL: "group:artifact" for Maven,
// "@scope/name" for npm, the import path for Go, PEP 503's normal form for
// PyPI. The namespace of an operating system package is its vendor, which is no
// part of the name.
func EcosystemName(purlType, namespace, name string) string {
	switch strings.ToLower(purlType) {
	case "deb", "rpm", "apk", "alpm", "conan", "cran", "bitnami", "opam", "hackage":
		return name
	case "pypi":
		return normalPyPI(name)
	case "maven":
		if namespace != "" {
			return namespace + ":" + name
		}
	default:
		if namespace != "" {
			return namespace + "/" + name
		}
	}
	return name
}

// normalPyPI lower-cases name and turns each run of "-", "_" and "." into one
// "-" (PEP 503, "Normalized Names").
func normalPyPI(name string) string {
	var b strings.Builder
	gap := false
	for _, r := range strings.ToLower(name) {
		if r == '-' || r == '_' || r == '.' {
			gap = true
			continue
		}
		if gap {
			b.WriteByte('-')
			gap = false
		}
		b.WriteRune(r)
	}
	if gap {
		b.WriteByte('-')
	}
	return b.String()
}
