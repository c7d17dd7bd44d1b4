package match

import (
	"fmt"
	"strings"

	"github.com/google/osv-scalibr/semantic"
)

// maxVersion bounds a version, in bytes. The longest real ones are pseudo-versions
// and snapshot versions below 150; orders that read numbers of any length get
// slow far beyond that.
const maxVersion = 512

// A version is a parsed version that can be ordered against another of the same
// ecosystem.
type version interface {
	// compare returns -1, 0 or +1.
	compare(other version) (int, error)
}

// Compare orders two versions as the package manager of ecosystem does ("npm",
// "Debian", "Debian:12"): -1 if a is older than b, 0 if they are equal, +1 if a
// is newer. It fails for an ecosystem whose order is not known and for a
// version that its package manager would refuse.
func Compare(ecosystem, a, b string) (int, error) {
	va, err := parseVersion(ecosystem, a)
	if err != nil {
		return 0, err
	}
	vb, err := parseVersion(ecosystem, b)
	if err != nil {
		return 0, err
	}
	return va.compare(vb)
}

// An order is how a family of ecosystems compares versions, and how people call it.
type order struct {
	name  string
	parse func(s string) (version, error)
}

// orderOf returns the order of an ecosystem. osv-scalibr's semantic package has
// most of them; ours replace or guard it where it differs from the native tool:
//
//   - dpkg and rpm refuse what cannot be a version (an epoch of letters, an empty
//     revision, a second dash at rpm), semantic sorts it somewhere;
//   - semver: a fourth number makes semantic see a prerelease (1.2.3.4 < 1.2.3), and
//     a prerelease field such as "-1" a negative number;
//   - Maven: semantic follows the written rules, which the code of Maven's
//     ComparableVersion does not in mixed tokens ("2.11-1" against "2.11.0");
//   - Go: versions of the standard library ("go1.21rc2") are no semver.
func orderOf(ecosystem string) (order, bool) {
	family, _, _ := strings.Cut(ecosystem, ":")
	switch family {
	case "Debian", "Ubuntu", "Echo":
		return order{"dpkg's version order", parseDebian}, true
	case "Red Hat", "AlmaLinux", "Rocky Linux", "SUSE", "openSUSE", "openEuler", "Mageia", "Photon OS", "Azure Linux", "TuxCare":
		return order{"rpm's version order", parseRPM}, true
	case "Alpine", "Wolfi", "Chainguard", "MinimOS", "Alpaquita", "BellSoft Hardened Containers":
		return order{"apk's version order", semanticAs("Alpine")}, true
	case "npm", "crates.io", "Hex", "Pub", "SwiftURL", "Julia", "ConanCenter", "Bioconductor", "Bitnami", "GHC", "GitHub Actions", "Docker Hardened Images", "opam", "VSCode":
		return order{"semantic versioning", parseSemver}, true
	case "NuGet":
		return order{"NuGet's version order", parseNuGet}, true
	case "Go":
		return order{"Go's version order", parseGo}, true
	case "Maven":
		return order{"Maven's version order", parseMaven}, true
	case "PyPI":
		return order{"PEP 440", semanticAs("PyPI")}, true
	case "RubyGems":
		return order{"RubyGems' version order", semanticAs("RubyGems")}, true
	case "Packagist":
		return order{"Composer's version order", semanticAs("Packagist")}, true
	case "CRAN":
		return order{"R's version order", semanticAs("CRAN")}, true
	case "Hackage":
		return order{"Haskell's version order", semanticAs("Hackage")}, true
	}
	return order{}, false
}

func parseVersion(ecosystem, s string) (version, error) {
	o, ok := orderOf(ecosystem)
	if !ok {
		return nil, fmt.Errorf("the version order of %.60q is not known", ecosystem)
	}
	return o.version(s)
}

// version parses s, or fails. A parser that panics on hostile input costs one
// version, not the judgement.
func (o order) version(s string) (v version, err error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return nil, fmt.Errorf("an empty version has no place in %s", o.name)
	}
	if len(s) > maxVersion {
		return nil, fmt.Errorf("a version of %d bytes is longer than %d", len(s), maxVersion)
	}
	defer func() {
		if recover() != nil {
			v, err = nil, fmt.Errorf("%.80q is no version in %s", s, o.name)
		}
	}()
	if v, err = o.parse(s); err != nil {
		return nil, fmt.Errorf("%.80q is no version in %s", s, o.name)
	}
	return v, nil
}

// library is a version of osv-scalibr's semantic package.
type library struct{ semantic.Version }

func (v library) compare(other version) (c int, err error) {
	w, ok := other.(library)
	if !ok {
		return 0, semantic.ErrNotSameEcosystem
	}
	defer func() {
		if recover() != nil {
			c, err = 0, semantic.ErrInvalidVersion
		}
	}()
	c, err = v.Compare(w.Version)
	return sign(c), err
}

func semanticAs(ecosystem string) func(string) (version, error) {
	return func(s string) (version, error) {
		v, err := semantic.Parse(s, ecosystem)
		if err != nil {
			return nil, err
		}
		return library{v}, nil
	}
}

func sign(n int) int {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	}
	return 0
}

// parseDebian refuses what dpkg refuses (deb-version(7)): an epoch that is not a
// number, an empty upstream version or revision, characters outside its set.
func parseDebian(s string) (version, error) {
	rest := s
	if epoch, after, found := strings.Cut(s, ":"); found {
		if !digits(epoch) {
			return nil, semantic.ErrInvalidVersion
		}
		rest = after
	}
	if i := strings.LastIndexByte(rest, '-'); i == 0 || i >= 0 && i == len(rest)-1 {
		return nil, semantic.ErrInvalidVersion
	}
	if rest == "" || strings.ContainsFunc(rest, func(r rune) bool { return !alphanumeric(r) && !strings.ContainsRune(".+-~:_", r) }) {
		return nil, semantic.ErrInvalidVersion
	}
	return semanticAs("Debian")(s)
}

// parseRPM refuses what rpm cannot have written: an epoch that is not a number,
// an empty version or release, a dash within either.
func parseRPM(s string) (version, error) {
	rest := s
	if epoch, after, found := strings.Cut(s, ":"); found {
		if !digits(epoch) {
			return nil, semantic.ErrInvalidVersion
		}
		rest = after
	}
	v, release, dashed := strings.Cut(rest, "-")
	if v == "" || dashed && release == "" || strings.Contains(release, "-") || strings.Contains(rest, ":") {
		return nil, semantic.ErrInvalidVersion
	}
	return semanticAs("Red Hat")(s)
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

func alphanumeric(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
}

// compareNumbers orders two strings of digits by value, whatever their length.
func compareNumbers(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	if len(a) != len(b) {
		return sign(len(a) - len(b))
	}
	return strings.Compare(a, b)
}
