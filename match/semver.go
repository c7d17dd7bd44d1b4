package match

import (
	"strings"

	"github.com/google/osv-scalibr/semantic"
)

// semver is a semantic version (https://semver.org, section 11), read kindly: a
// leading "v", any number of numbers (missing ones are 0), and build metadata,
// which has no place in the order. A prerelease is older than its release.
type semver struct {
	numbers    []string
	prerelease []string // nil for a release
}

func parseSemver(s string) (version, error) {
	s = strings.TrimPrefix(strings.TrimPrefix(s, "="), "v")
	s, _, _ = strings.Cut(s, "+")
	core, pre, isPre := strings.Cut(s, "-")
	v := semver{numbers: strings.Split(core, ".")}
	for _, n := range v.numbers {
		if !digits(n) {
			return nil, semantic.ErrInvalidVersion
		}
	}
	if isPre {
		v.prerelease = strings.Split(pre, ".")
		for _, field := range v.prerelease {
			if field == "" || strings.ContainsFunc(field, func(r rune) bool { return !alphanumeric(r) && r != '-' }) {
				return nil, semantic.ErrInvalidVersion
			}
		}
	}
	return v, nil
}

// parseNuGet: four numbers, and a prerelease without regard to case.
func parseNuGet(s string) (version, error) { return parseSemver(strings.ToLower(s)) }

// parseGo reads a module's version, or one of the Go release itself as binaries
// carry it: "go1.21rc2" is 1.21.0-rc.2 in the Go vulnerability database, and
// what vendors append ("go1.21.4 X:boringcrypto") is no part of it.
func parseGo(s string) (version, error) {
	if v, err := parseSemver(s); err == nil {
		return v, nil
	}
	s, _, _ = strings.Cut(strings.TrimPrefix(s, "go"), " ")
	if v, err := parseSemver(s); err == nil {
		return v, nil
	}
	for _, word := range [...]string{"rc", "beta"} {
		core, n, found := strings.Cut(s, word)
		if !found || !digits(n) {
			continue
		}
		for strings.Count(core, ".") < 2 {
			core += ".0"
		}
		return parseSemver(core + "-" + word + "." + n)
	}
	return nil, semantic.ErrInvalidVersion
}

func (v semver) compare(other version) (int, error) {
	w, ok := other.(semver)
	if !ok {
		return 0, semantic.ErrNotSameEcosystem
	}
	for i := range max(len(v.numbers), len(w.numbers)) {
		if c := compareNumbers(at(v.numbers, i), at(w.numbers, i)); c != 0 {
			return c, nil
		}
	}
	switch {
	case v.prerelease == nil && w.prerelease == nil:
		return 0, nil
	case v.prerelease == nil:
		return 1, nil
	case w.prerelease == nil:
		return -1, nil
	}
	for i := range min(len(v.prerelease), len(w.prerelease)) {
		if c := compareFields(v.prerelease[i], w.prerelease[i]); c != 0 {
			return c, nil
		}
	}
	return sign(len(v.prerelease) - len(w.prerelease)), nil
}

// compareFields: numbers by value, and before words; words by their bytes.
func compareFields(a, b string) int {
	an, bn := digits(a), digits(b)
	switch {
	case an && bn:
		return compareNumbers(a, b)
	case an:
		return -1
	case bn:
		return 1
	}
	return strings.Compare(a, b)
}

func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return "0"
}
