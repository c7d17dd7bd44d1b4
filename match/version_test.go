package match_test

import (
	"strings"
	"testing"

	"github.com/pratique/pratique/match"
)

// ascending are versions in rising order, from the manuals of the managers:
// deb-version(7), rpm's own documentation of ~ and ^, semver.org section 11, the
// Alpine package policy, PEP 440, Maven's order specification, the Go reference.
var ascending = map[string][]string{
	"Debian:12":                          {"0.9~", "0.9", "0.9a", "0.9+b1", "1.0~~", "1.0~~a", "1.0~", "1.0~rc1-1", "1.0-1~deb12u1", "1.0-1", "1.0-1+b1", "1.0-1+deb12u2", "1.0-1+deb12u10", "1.0-2", "1.2-1", "1.10-1", "1:0.1-1"},
	"Red Hat:enterprise_linux:9::baseos": {"1.a-1", "1.0~rc1-1", "1.0-1", "1.0^20240101-1", "1.0.1-1.el9", "1.0.1-1.el9_3", "1.0.1-1.el9_3.2", "1.0.1-10.el9", "1.2-1", "2:0.1-1", "10:0.1-1"},
	"Alpine:v3.20":                       {"1.0_alpha1-r0", "1.0_beta-r0", "1.0_pre2-r0", "1.0_rc1-r0", "1.0-r0", "1.0-r2", "1.0-r10", "1.0_git20240101-r0", "1.0_p1-r0", "1.0a-r0", "1.0b-r0", "1.1-r0", "1.10-r0"},
	"npm":                                {"0.0.0-0", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.-1", "1.0.0-rc.1a", "1.0.0", "1.0.1", "1.9.0", "1.10.0"},
	"Go":                                 {"0.0.0-20190101000000-abcdefabcdef", "v0.0.0-20200101000000-abcdefabcdef", "v1.0.0", "1.20.0", "go1.21rc1", "go1.21rc2", "go1.21", "go1.21.4 X:boringcrypto", "v1.22.0+incompatible"},
	"PyPI":                               {"1.0.dev1", "1.0a1", "1.0b2", "1.0rc1", "1.0", "1.0.post1", "1.0.1", "1.10", "1!0.1"},
	"Maven":                              {"1-alpha2snapshot", "1-alpha2", "1-alpha-123", "1-beta-2", "1-beta123", "1-m2", "1-m11", "1-rc", "1-SNAPSHOT", "1", "1-sp", "1-abc", "1-pom-1", "1-1-snapshot", "1-1", "1-2", "1.1", "2"},
	"RubyGems":                           {"1.0.a", "1.0.b1", "1.0", "1.0.1", "1.1", "1.10"},
	"NuGet":                              {"1.0.0-Alpha", "1.0.0-beta", "1.0.0", "1.0.0.1", "1.0.1"},
	"Packagist":                          {"1.0-dev", "1.0-alpha1", "1.0-beta1", "1.0-RC1", "1.0", "1.0.1"},
	"crates.io":                          {"0.1.0-alpha.9", "0.1.0-alpha.10", "0.1.0", "0.2.0"},
}

func TestCompareAscending(t *testing.T) {
	for eco, list := range ascending {
		for i := range list {
			for j := range list {
				want := 0
				if i < j {
					want = -1
				} else if i > j {
					want = 1
				}
				if got, err := match.Compare(eco, list[i], list[j]); err != nil || got != want {
					t.Errorf("Compare(%s, %s, %s) = %d, %v, want %d", eco, list[i], list[j], got, err, want)
				}
			}
		}
	}
}

func TestCompareEqual(t *testing.T) {
	for _, c := range [][3]string{
		{"Debian:12", "1.0", "0:1.0"},
		{"Debian:12", "1.0", "1.0-0"},
		{"Debian:12", "1.01", "1.1"},
		{"Red Hat", "1.0-1", "0:1.0-1"},
		{"Red Hat", "1.0.0-1", "1_0+0-1"},
		{"npm", "1.2.3+build.7", "v1.2.3"},
		{"Go", "v2.0.0+incompatible", "2.0.0"},
		{"Go", "go1.21", "1.21.0"},
		{"PyPI", "1.0", "1.0.0"},
		{"PyPI", "1.0-RC1", "1.0rc1"},
		// Maven: what its order specification calls equal.
		{"Maven", "1.0", "1"}, {"Maven", "1.ga", "1"}, {"Maven", "1-final", "1.0.0"}, {"Maven", "1-0.ga", "1.0"},
		{"Maven", "1x", "1.0.0-x"}, {"Maven", "1a1", "1-alpha-1"}, {"Maven", "1.0-RC1", "1-CR1"}, {"Maven", "1.0.RELEASE", "1"}, {"Maven", "1.foo", "1-foo"},
	} {
		if got, err := match.Compare(c[0], c[1], c[2]); err != nil || got != 0 {
			t.Errorf("Compare(%s, %s, %s) = %d, %v, want 0", c[0], c[1], c[2], got, err)
		}
	}
}

// The chain is from Maven's specification; the other pairs, older first, were put
// to Maven 3.8.7: shapes that a plain reading of the rules gets wrong.
func TestCompareMaven(t *testing.T) {
	for _, c := range [][2]string{
		{"1.0-alpha", "1.0"}, {"1-foo2", "1-foo10"}, {"1-foo", "1-1"}, {"1-1", "1.1"}, {"20040616", "20040617.1"},
		{"2.11.0.M8", "2.11-1.0.M8"}, {"4.0.0.CR1", "4a.0.0.CR1"}, {"2.11.0.M2a", "2.11rc.0.M2"}, {"7.4.13.u-136", "7.4.13.u36"},
		{"2.5.2.BE-1TA", "2.5.2.BETA"}, {"15.2-rc-1", "15.2-0rc-1"}, {"5.3.0.RELEASE", "5.3.1"}, {"1.0-jre", "1.1-android"},
	} {
		a, err := match.Compare("Maven", c[0], c[1])
		if err != nil {
			t.Fatal(err)
		}
		if b, _ := match.Compare("Maven", c[1], c[0]); a != -1 || b != 1 {
			t.Errorf("Compare(%s, %s) = %d and %d, want -1 and 1", c[0], c[1], a, b)
		}
	}
}

func TestCompareRefuses(t *testing.T) {
	for _, c := range [][2]string{
		{"Debian:12", "a:1.0-1"}, {"Debian:12", "1.0-"}, {"Debian:12", ""}, {"Debian:12", "1:"}, {"Debian:12", "1.0 2"}, {"Debian:12", "1.0-1$(id)"},
		{"Red Hat", "x:1-1"}, {"Red Hat", "1-1-1"}, {"Red Hat", "-1"}, {"Red Hat", "1.0-"},
		{"npm", "latest"}, {"npm", "1.x"}, {"npm", "1.0.0-"}, {"npm", "1..0"}, {"Go", "(devel)"}, {"Maven", "${revision}x"[:2]}, {"crates.io", "*"},
		{"npm", strings.Repeat("1", 600)}, {"PyPI", strings.Repeat("1.", 400)}, {"Slackware", "1.0"}, {"", "1.0"},
	} {
		if got, err := match.Compare(c[0], c[1], "1.0"); err == nil {
			t.Errorf("Compare(%q, %.20q, 1.0) = %d, want an error", c[0], c[1], got)
		}
	}
}

func FuzzCompare(f *testing.F) {
	ecosystems := []string{"Debian:12", "Red Hat", "Alpine:v3.20", "npm", "Go", "PyPI", "Maven", "RubyGems", "NuGet", "Packagist", "CRAN", "Hackage", "crates.io"}
	for _, list := range ascending {
		for i := range len(list) - 1 {
			f.Add(uint8(i), list[i], list[i+1])
		}
	}
	f.Fuzz(func(t *testing.T, n uint8, a, b string) {
		eco := ecosystems[int(n)%len(ecosystems)]
		ab, err1 := match.Compare(eco, a, b)
		ba, err2 := match.Compare(eco, b, a)
		if (err1 == nil) != (err2 == nil) || err1 == nil && ab != -ba {
			t.Errorf("%s: Compare(%q, %q) = %d, %v; the other way round %d, %v", eco, a, b, ab, err1, ba, err2)
		}
		if aa, err := match.Compare(eco, a, a); err == nil && aa != 0 {
			t.Errorf("%s: %q is not equal to itself: %d", eco, a, aa)
		}
	})
}
