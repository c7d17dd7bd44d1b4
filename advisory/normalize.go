package advisory

import "strings"

// Normalize returns the one spelling of a package's name under which ecosystem
// ("PyPI", "Debian:12") files it, so that spellings which the registry itself
// takes for the same package meet. Names of distributions, Maven, Go, npm and
// RubyGems are case-sensitive and are returned as they are.
//
// Sources: PEP 503 for PyPI; the registries' own rules for the others.
func Normalize(ecosystem, name string) string {
	switch family(ecosystem) {
	case "PyPI":
		return normalizePyPI(name)
	case "NuGet", "Packagist", "Hex", "Pub", "ConanCenter", "GitHub Actions", "Bitnami", "VSCode":
		return strings.ToLower(name)
	case "crates.io": // a registry of one crate per name, whatever the case and the dash
		return strings.ReplaceAll(strings.ToLower(name), "_", "-")
	case "SwiftURL":
		name = strings.TrimPrefix(strings.ToLower(name), "https://")
		return strings.TrimSuffix(name, ".git")
	}
	return name
}

// normalizePyPI lowers the case and turns each run of "-", "_" and "." into one "-".
func normalizePyPI(name string) string {
	var b strings.Builder
	b.Grow(len(name))
	run := false
	for _, c := range []byte(strings.ToLower(name)) {
		if c == '-' || c == '_' || c == '.' {
			run = true
			continue
		}
		if run {
			b.WriteByte('-')
			run = false
		}
		b.WriteByte(c)
	}
	if run {
		b.WriteByte('-')
	}
	return b.String()
}

// family is an ecosystem without its release: "Debian" of "Debian:12".
func family(ecosystem string) string {
	base, _, _ := strings.Cut(ecosystem, ":")
	return base
}
