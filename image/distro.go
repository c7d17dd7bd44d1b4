package image

import (
	"path"
	"regexp"
	"strings"

	"github.com/pratique/pratique"
)

// maxLinks bounds the chain of symbolic links behind a release file.
const maxLinks = 8

// release is a visible file, or a link in the place of one.
type release struct {
	pratique.Release
	layer int
}

// distro finds the distribution. os-release(5) decides where it exists; the
// older files fill in for images that predate or lack it.
func (b *builder) distro() {
	visible := map[string]release{}
	b.each(func(i int, facts *pratique.Facts) {
		for _, r := range facts.Releases {
			if name, ok := b.stack.visible(i, r.Path); ok {
				visible[name] = release{r, i}
			}
		}
	})
	for _, reader := range releaseReaders {
		r, ok := follow(visible, reader.path)
		if !ok {
			continue
		}
		if d := reader.read(r.Content); d != nil && d.ID != "" {
			refine(d, visible)
			d.Origin = b.origin(r.layer, r.Path)
			b.view.Distro = d
			return
		}
	}
}

// follow resolves symbolic links by name alone, inside the image.
func follow(visible map[string]release, name string) (release, bool) {
	for range maxLinks {
		r, ok := visible[name]
		if !ok || r.Target == "" {
			return r, ok && r.Content != ""
		}
		if strings.HasPrefix(r.Target, "/") {
			name = strings.TrimPrefix(path.Clean(r.Target), "/")
		} else {
			name = strings.TrimPrefix(path.Clean("/"+path.Join(path.Dir(name), r.Target)), "/")
		}
	}
	return release{}, false
}

var releaseReaders = []struct {
	path string
	read func(content string) *pratique.Distro
}{
	{"etc/os-release", readOSRelease},
	{"usr/lib/os-release", readOSRelease},
	{"etc/lsb-release", readLSBRelease},
	{"etc/alpine-release", func(c string) *pratique.Distro { return versioned("alpine", "Alpine Linux", c) }},
	{"etc/centos-release", readRedHatRelease},
	{"etc/rocky-release", readRedHatRelease},
	{"etc/almalinux-release", readRedHatRelease},
	{"etc/oracle-release", readRedHatRelease},
	{"etc/fedora-release", readRedHatRelease},
	{"etc/redhat-release", readRedHatRelease},
	{"etc/system-release", readRedHatRelease},
	{"etc/openEuler-release", readRedHatRelease},
	{"etc/SuSE-release", readSUSERelease},
	{"etc/debian_version", readDebianVersion},
}

// assignments reads the shell-like NAME=value lines of os-release(5).
func assignments(content string) map[string]string {
	values := map[string]string{}
	for line := range strings.Lines(content) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if !ok || strings.HasPrefix(key, "#") {
			continue
		}
		value = strings.TrimSpace(value)
		if len(value) > 1 && (value[0] == '"' || value[0] == '\'') && value[len(value)-1] == value[0] {
			value = value[1 : len(value)-1]
		}
		values[key] = strings.NewReplacer(`\"`, `"`, `\$`, "$", `\\`, `\`, "\\`", "`").Replace(value)
	}
	return values
}

func readOSRelease(content string) *pratique.Distro {
	v := assignments(content)
	if strings.ContainsFunc(v["ID"]+v["VERSION_ID"], func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return nil // os-release(5) allows letters, digits and "._-"
	}
	return &pratique.Distro{
		ID: strings.ToLower(v["ID"]), Version: v["VERSION_ID"], Codename: v["VERSION_CODENAME"],
		Name: v["PRETTY_NAME"], IDLike: strings.Fields(strings.ToLower(v["ID_LIKE"])), CPEName: v["CPE_NAME"],
	}
}

func readLSBRelease(content string) *pratique.Distro {
	v := assignments(content)
	return &pratique.Distro{ID: strings.ToLower(v["DISTRIB_ID"]), Version: v["DISTRIB_RELEASE"],
		Codename: v["DISTRIB_CODENAME"], Name: v["DISTRIB_DESCRIPTION"]}
}

func versioned(id, name, content string) *pratique.Distro {
	version := strings.TrimSpace(content)
	if version == "" || strings.ContainsAny(version, " \n") {
		return nil
	}
	return &pratique.Distro{ID: id, Version: version, Name: name + " " + version}
}

var releaseVersion = regexp.MustCompile(`\brelease\s+(\d+(?:\.\d+)*)`)

// redHatNames maps how a release line begins to the os-release ID.
var redHatNames = []struct{ prefix, id string }{
	{"CentOS", "centos"}, {"Red Hat Enterprise Linux", "rhel"}, {"Fedora", "fedora"}, {"Rocky Linux", "rocky"},
	{"AlmaLinux", "almalinux"}, {"Oracle Linux", "ol"}, {"Amazon Linux", "amzn"}, {"Scientific Linux", "scientific"},
	{"openEuler", "openeuler"}, {"Virtuozzo", "virtuozzo"},
}

func readRedHatRelease(content string) *pratique.Distro {
	line, _, _ := strings.Cut(strings.TrimSpace(content), "\n")
	for _, n := range redHatNames {
		if strings.HasPrefix(line, n.prefix) {
			d := &pratique.Distro{ID: n.id, Name: line, IDLike: []string{"rhel", "fedora"}}
			if m := releaseVersion.FindStringSubmatch(line); m != nil {
				d.Version = m[1]
			}
			return d
		}
	}
	return nil
}

func readSUSERelease(content string) *pratique.Distro {
	line, rest, _ := strings.Cut(strings.TrimSpace(content), "\n")
	values := map[string]string{}
	for l := range strings.Lines(rest) {
		if key, value, ok := strings.Cut(l, "="); ok {
			values[strings.TrimSpace(key)] = strings.TrimSpace(value)
		}
	}
	d := &pratique.Distro{ID: "sles", Name: line, Version: values["VERSION"]}
	if strings.HasPrefix(line, "openSUSE") {
		d.ID = "opensuse"
	}
	if level := values["PATCHLEVEL"]; level != "" && level != "0" {
		d.Version += "." + level
	}
	return d
}

func readDebianVersion(content string) *pratique.Distro {
	version := strings.TrimSpace(content)
	if major, _, _ := strings.Cut(version, "."); major != "" && major[0] >= '0' && major[0] <= '9' {
		return &pratique.Distro{ID: "debian", Version: major, Name: "Debian GNU/Linux " + version}
	}
	codename, _, _ := strings.Cut(version, "/") // "trixie/sid"
	if codename == "" {
		return nil
	}
	return &pratique.Distro{ID: "debian", Codename: codename, Name: "Debian GNU/Linux " + version}
}

// refine takes from the older files what os-release leaves out: the minor
// release of CentOS, and the version of a Debian that is not released yet.
func refine(d *pratique.Distro, visible map[string]release) {
	if d.ID == "centos" && !strings.Contains(d.Version, ".") {
		if r, ok := follow(visible, "etc/centos-release"); ok {
			if old := readRedHatRelease(r.Content); old != nil && strings.HasPrefix(old.Version, d.Version+".") {
				d.Version = old.Version
			}
		}
	}
	if d.ID == "debian" && d.Version == "" && d.Codename == "" {
		if r, ok := follow(visible, "etc/debian_version"); ok {
			if old := readDebianVersion(r.Content); old != nil {
				d.Version, d.Codename = old.Version, old.Codename
			}
		}
	}
}
