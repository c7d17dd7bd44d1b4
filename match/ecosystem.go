package match

import (
	"slices"
	"strings"

	"github.com/pratique/pratique"
)

// Ecosystem returns the OSV ecosystem of a distribution's own packages, with its
// release: "Debian:12", "Ubuntu:24.04:LTS", "Alpine:v3.20", "Rocky Linux:9",
// "Wolfi". For Red Hat and SUSE, whose advisories are filed by product stream and
// module, it is the product that all of them begin with or belong to: "Red
// Hat:enterprise_linux:9", "SUSE:Linux Enterprise Server 15 SP5". It is "" when OSV
// has no ecosystem for the distribution, or its release is not stated.
func Ecosystem(d *pratique.Distro) string {
	if d == nil {
		return ""
	}
	major, _, _ := strings.Cut(d.Version, ".")
	switch d.ID {
	case "debian", "raspbian":
		return suffixed("Debian:", debianRelease(d))
	case "ubuntu":
		return suffixed("Ubuntu:", ubuntuRelease(d.Version))
	case "alpine":
		return suffixed("Alpine:v", alpineBranch(d.Version))
	case "rhel", "centos":
		return suffixed("Red Hat:enterprise_linux:", major)
	case "almalinux":
		return suffixed("AlmaLinux:", major)
	case "rocky":
		return suffixed("Rocky Linux:", major)
	case "sles", "sles_sap", "sle_hpc", "suse-microos":
		return suffixed("SUSE:Linux Enterprise Server ", suseRelease(d.Version))
	case "sl-micro", "sle-micro":
		return suffixed("SUSE:Linux Enterprise Micro ", d.Version)
	case "opensuse-leap":
		return suffixed("openSUSE:Leap ", d.Version)
	case "opensuse-tumbleweed":
		return "openSUSE:Tumbleweed"
	case "openEuler", "openeuler":
		return suffixed("openEuler:", openEulerRelease(d))
	case "mageia":
		return suffixed("Mageia:", major)
	case "photon":
		return suffixed("Photon OS:", d.Version)
	case "azurelinux", "mariner":
		return suffixed("Azure Linux:", major)
	case "wolfi":
		return "Wolfi"
	case "chainguard":
		return "Chainguard"
	case "minimos":
		return "MinimOS"
	case "alpaquita":
		return suffixed("Alpaquita:", major)
	case "bellsoft-hardened-containers":
		return suffixed("BellSoft Hardened Containers:", major)
	case "echo":
		return "Echo"
	}
	return ""
}

func suffixed(prefix, release string) string {
	if release == "" {
		return ""
	}
	return prefix + release
}

// debianRelease is "12", or "6.0" before Debian counted in whole numbers. Testing
// and unstable state no VERSION_ID: testing is known by its codename.
func debianRelease(d *pratique.Distro) string {
	major, _, _ := strings.Cut(d.Version, ".")
	if major != "" {
		if len(major) == 1 && major < "7" {
			return d.Version
		}
		return major
	}
	switch d.Codename {
	case "buster":
		return "10"
	case "bullseye":
		return "11"
	case "bookworm":
		return "12"
	case "trixie":
		return "13"
	case "forky":
		return "14"
	case "duke":
		return "15"
	}
	return ""
}

// ubuntuRelease adds ":LTS" to the April releases of even years.
func ubuntuRelease(v string) string {
	parts := strings.Split(v, ".")
	if len(parts) < 2 {
		return ""
	}
	release := parts[0] + "." + parts[1]
	if parts[1] == "04" && len(parts[0]) == 2 && (parts[0][1]-'0')%2 == 0 {
		return release + ":LTS"
	}
	return release
}

// alpineBranch is "3.20" of "3.20.3". Edge, which calls itself by the release to
// come ("3.21.0_alpha20240923"), has no branch.
func alpineBranch(v string) string {
	parts := strings.SplitN(v, ".", 3)
	if len(parts) < 2 || strings.Contains(v, "_") {
		return ""
	}
	return parts[0] + "." + parts[1]
}

// suseRelease is "15 SP5" of "15.5", and "16.0" since SUSE counts so.
func suseRelease(v string) string {
	major, minor, found := strings.Cut(v, ".")
	switch {
	case major == "" || len(major) == 2 && major >= "16":
		return v
	case !found || minor == "0":
		return major
	}
	return major + " SP" + minor
}

// openEulerRelease is "22.03-LTS-SP4", which os-release spreads over VERSION_ID
// ("22.03") and the text of its name ("openEuler 22.03 (LTS-SP4)").
func openEulerRelease(d *pratique.Distro) string {
	if d.Version == "" {
		return ""
	}
	if _, after, found := strings.Cut(d.Name, "("); found {
		if label, _, closed := strings.Cut(after, ")"); closed && strings.HasPrefix(label, "LTS") {
			return d.Version + "-" + strings.ReplaceAll(label, " ", "-")
		}
	}
	return d.Version
}

// ecosystemsOf returns those of the known ecosystems whose advisories speak of
// the packages of a plain installation of d, and those that are of the same
// release but of another contract (Ubuntu Pro, SUSE's long-term support, Red
// Hat's extended updates): what the latter would say is not known.
func ecosystemsOf(d *pratique.Distro, known []string) (fit, apart []string) {
	base := Ecosystem(d)
	if base == "" {
		return nil, nil
	}
	for _, eco := range known {
		switch {
		case eco == base:
			fit = append(fit, eco)
		case strings.HasPrefix(base, "Red Hat:"):
			fit, apart = redHatStream(d, base, eco, fit, apart)
		case strings.HasPrefix(base, "SUSE:"):
			fit, apart = suseModule(base, eco, fit, apart)
		case strings.HasPrefix(base, "Ubuntu:"):
			if release := strings.TrimPrefix(base, "Ubuntu:"); strings.HasPrefix(eco, "Ubuntu:") && strings.HasSuffix(eco, ":"+release) {
				apart = append(apart, eco)
			}
		}
	}
	slices.Sort(fit)
	slices.Sort(apart)
	return fit, apart
}

// redHatStream sorts one of Red Hat's ecosystems, which are CPE names without
// their beginning: enterprise_linux:9::baseos, rhel_eus:9.2::appstream. All
// streams of the major release belong to a plain installation, with its extras
// and software collections. The extended contracts (EUS, AUS, TUS, E4S, ELS) count
// only for an image that names one in CPE_NAME.
func redHatStream(d *pratique.Distro, base, eco string, fit, apart []string) (_, _ []string) {
	product, found := strings.CutPrefix(eco, "Red Hat:")
	if !found {
		return fit, apart
	}
	major := base[strings.LastIndexByte(base, ':')+1:]
	name, rest, _ := strings.Cut(product, ":")
	release, stream, _ := strings.Cut(rest, ":")
	ofMajor := release == major || strings.HasPrefix(release, major+".")
	switch name {
	case "enterprise_linux", "rhel_extras":
		if ofMajor {
			fit = append(fit, eco)
		}
	case "rhel_software_collections":
		if strings.HasSuffix(stream, ":el"+major) {
			fit = append(fit, eco)
		}
	case "rhel_eus", "rhel_aus", "rhel_tus", "rhel_e4s", "rhel_els", "rhel_eus_long_life":
		if !ofMajor {
			break
		}
		if strings.Contains(d.CPEName, ":"+name+":"+release+":") || strings.HasSuffix(d.CPEName, ":"+name+":"+release) {
			fit = append(fit, eco)
		} else {
			apart = append(apart, eco)
		}
	}
	return fit, apart
}

// suseModule sorts one of SUSE's ecosystems. Since release 15 a server is put
// together from modules ("Linux Enterprise Module for Basesystem 15 SP5"), each
// with packages of its own; an image does not say which are switched on, but a
// package comes from one of them. Long-term support is another contract.
func suseModule(base, eco string, fit, apart []string) (_, _ []string) {
	release := strings.TrimPrefix(base, "SUSE:Linux Enterprise Server ")
	if release == base || !strings.HasPrefix(eco, "SUSE:Linux Enterprise ") {
		return fit, apart
	}
	name, found := strings.CutSuffix(eco, " "+release)
	switch {
	case found && strings.Contains(name, " Module "):
		fit = append(fit, eco)
	case strings.Contains(eco, " "+release+"-LTSS"), strings.Contains(eco, " "+release+"-ESPOS"), strings.Contains(eco, " "+release+" LTSS"):
		apart = append(apart, eco)
	}
	return fit, apart
}

// A key is what an advisory is looked up by, and the version to compare.
type key struct{ name, version string }

// keysOf returns the names under which a distribution's advisories may file p,
// the decisive one first.
func keysOf(ecosystem string, p *pratique.Package) []key {
	binary := key{p.Name, p.Version}
	source := binary
	if p.Source != nil && p.Source.Name != "" {
		source = key{p.Source.Name, p.Source.Version}
		if source.version == "" {
			source.version = p.Version
		}
	}
	family, _, _ := strings.Cut(ecosystem, ":")
	switch family {
	case "Red Hat", "AlmaLinux", "Rocky Linux", "Azure Linux", "Photon OS":
		return []key{binary}
	case "SUSE", "openSUSE", "openEuler", "Mageia":
		if source.name != binary.name {
			return []key{source, binary}
		}
	}
	return []key{source}
}

// fixedOnly tells whether an ecosystem's feed lists vulnerabilities only once
// they are fixed, so that the unfixed ones are not known.
func fixedOnly(ecosystem string) bool {
	family, _, _ := strings.Cut(ecosystem, ":")
	switch family {
	case "Red Hat", "AlmaLinux", "Rocky Linux", "SUSE", "openSUSE", "openEuler", "Mageia", "Photon OS", "Azure Linux", "Alpine", "Wolfi", "Chainguard", "MinimOS", "Alpaquita":
		return true
	}
	return false
}
