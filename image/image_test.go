package image

import (
	"fmt"
	"path"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/pratique/pratique"
)

// A changeset is a layer in the making, entry by entry as a tar would have them.
type changeset struct {
	entries  pratique.Entries
	files    []uint64
	dirs     []uint64
	software pratique.Facts
	other    pratique.Facts
}

func (c *changeset) file(names ...string) *changeset {
	for _, name := range names {
		c.files = append(c.files, pratique.NameHash(name))
	}
	return c
}

func (c *changeset) dir(name string) *changeset {
	c.dirs = append(c.dirs, pratique.NameHash(name))
	return c
}

func (c *changeset) whiteout(name string) *changeset {
	c.entries.Whiteouts = append(c.entries.Whiteouts, name)
	return c
}

func (c *changeset) opaque(name string) *changeset {
	c.entries.Opaque = append(c.entries.Opaque, name)
	return c
}

func (c *changeset) merge(dir string) *changeset {
	c.entries.Merged = append(c.entries.Merged, dir)
	return c.file(dir)
}

// link is a hard link.
func (c *changeset) link(name, target string) *changeset {
	c.entries.Aliases = append(c.entries.Aliases, pratique.Alias{Path: name, Target: target})
	return c.file(name)
}

// status is a package database with these packages, "name version" each.
func (c *changeset) status(name string, packages ...string) *changeset {
	for _, p := range packages {
		n, v, _ := strings.Cut(p, " ")
		c.software.Packages = append(c.software.Packages, pratique.Package{Type: "deb", Name: n, Version: v, Path: name})
	}
	return c.file(name)
}

func (c *changeset) pkg(p pratique.Package) *changeset {
	c.software.Packages = append(c.software.Packages, p)
	return c.file(outer(p.Path))
}

func (c *changeset) npm(name string) *changeset {
	return c.pkg(pratique.Package{Type: "npm", Name: path.Base(path.Dir(name)), Version: "1", PURL: "pkg:npm/x@1", Path: name})
}

func (c *changeset) release(name, content string) *changeset {
	c.software.Releases = append(c.software.Releases, pratique.Release{Path: name, Content: content})
	return c.file(name)
}

func (c *changeset) releaseLink(name, target string) *changeset {
	c.software.Releases = append(c.software.Releases, pratique.Release{Path: name, Target: target})
	return c.file(name)
}

func (c *changeset) owns(database, name string, files ...string) *changeset {
	var hashes []uint64
	for _, f := range files {
		hashes = append(hashes, pratique.PathHash(f))
	}
	c.software.Ownership = append(c.software.Ownership, pratique.Ownership{Package: name, Path: database, Files: pratique.PackHashes(hashes)})
	return c.file(database)
}

func (c *changeset) malware(name string) *changeset {
	c.other.Malware = append(c.other.Malware, pratique.Malware{Name: "m", Path: name})
	c.other.Files = append(c.other.Files, pratique.FileFact{Path: name})
	c.other.Secrets = append(c.other.Secrets, pratique.Secret{Path: name})
	return c.file(outer(name))
}

func layer() *changeset { return &changeset{} }

// view stacks changesets; nil is a layer that could not be read.
func view(layers ...*changeset) *View {
	var img pratique.Image
	var all [][]pratique.Facts
	for i, c := range layers {
		img.Layers = append(img.Layers, pratique.Layer{Index: i, DiffID: pratique.DigestOf([]byte{byte(i)}), Instruction: fmt.Sprint("RUN ", i)})
		if c == nil {
			all = append(all, nil)
			continue
		}
		c.entries.Files, c.entries.Dirs = pratique.PackHashes(slices.Clone(c.files)), pratique.PackHashes(slices.Clone(c.dirs))
		c.software.Analyzer = "software"
		all = append(all, []pratique.Facts{{Entries: &c.entries}, c.software, c.other})
	}
	return New(img, all)
}

func TestHiding(t *testing.T) {
	const app = "srv/app/node_modules/x/package.json"
	for _, c := range []struct {
		name   string
		lower  *changeset
		upper  *changeset
		hidden bool
	}{
		{"nothing", layer().npm(app), layer().file("srv/app/other"), false},
		{"the folders above, again", layer().npm(app), layer().dir("srv").dir("srv/app"), false},
		{"whiteout", layer().npm(app), layer().whiteout(app), true},
		{"whiteout of a folder above", layer().npm(app), layer().whiteout("srv/app"), true},
		{"whiteout of a name that only begins alike", layer().npm(app), layer().whiteout("srv/ap"), false},
		{"opaque", layer().npm(app), layer().opaque("srv/app/node_modules"), true},
		{"opaque of a folder beside", layer().npm(app), layer().opaque("srv/other"), false},
		{"opaque root", layer().npm(app), layer().opaque("."), true},
		{"replaced", layer().npm(app), layer().file(app), true},
		{"replaced by a folder", layer().npm(app), layer().dir(app), true},
		{"a file or link where a folder was", layer().npm(app), layer().file("srv"), true},
		{"a layer that could not be read", layer().npm(app), nil, false},
		{"in an archive", layer().pkg(pratique.Package{Type: "maven", Name: "g:a", Version: "1", Path: "srv/x.war!/lib/a.jar"}), layer().whiteout("srv/x.war"), true},
		{"two folders that are not merged", layer().pkg(pratique.Package{Type: "golang", Name: "m", Version: "1", Path: "bin/app"}), layer().file("usr/bin/app"), false},
		{"and the other way", layer().pkg(pratique.Package{Type: "golang", Name: "m", Version: "1", Path: "usr/bin/app"}), layer().file("bin/app"), false},
		{"merged, by the new name", layer().merge("bin").pkg(pratique.Package{Type: "golang", Name: "m", Version: "1", Path: "bin/app"}), layer().file("usr/bin/app"), true},
		{"merged, by the old name", layer().merge("bin").pkg(pratique.Package{Type: "golang", Name: "m", Version: "1", Path: "usr/bin/app"}), layer().whiteout("bin/app"), true},
		{"merged, the link again", layer().merge("bin").pkg(pratique.Package{Type: "golang", Name: "m", Version: "1", Path: "bin/app"}), layer().merge("bin"), false},
		{"merged, the link again, by the new name", layer().merge("bin").pkg(pratique.Package{Type: "golang", Name: "m", Version: "1", Path: "usr/bin/app"}), layer().merge("bin"), false},
		{"merged only now", layer().pkg(pratique.Package{Type: "golang", Name: "m", Version: "1", Path: "bin/app"}), layer().merge("bin"), true},
	} {
		if got := len(view(c.lower, c.upper).Packages) == 0; got != c.hidden {
			t.Errorf("%s: hidden is %v", c.name, got)
		}
		// An own layer in between, and one above, change nothing.
		if got := len(view(layer(), c.lower, layer().file("x"), c.upper, layer().file("y")).Packages) == 0; got != c.hidden {
			t.Errorf("%s, among others: hidden is %v", c.name, got)
		}
		if got := len(view(c.upper, c.lower).Packages) == 0; got {
			t.Errorf("%s: a lower layer hides", c.name)
		}
	}
}

func TestAliases(t *testing.T) {
	v := view(layer().npm("a/node_modules/x/package.json").link("b/node_modules/x/package.json", "a/node_modules/x/package.json").malware("a/evil!/m").link("b/evil", "a/evil"),
		layer().whiteout("a"))
	if len(v.Packages) != 1 || v.Packages[0].Path != "b/node_modules/x/package.json" {
		t.Errorf("packages %+v", v.Packages)
	}
	if o := v.Malware[0].Origin; o.DeletedBy != nil || o.Path != "b/evil" {
		t.Errorf("malware's origin %+v", o)
	}
	v = view(layer().npm("a/node_modules/x/package.json").link("b/p", "a/node_modules/x/package.json"), layer().whiteout("a").whiteout("b/p"))
	if len(v.Packages) != 0 {
		t.Errorf("packages %+v", v.Packages)
	}
}

func TestTrace(t *testing.T) {
	const db = "var/lib/dpkg/status"
	for _, c := range []struct {
		name   string
		layers []*changeset
		want   map[string]int
	}{
		{"rewritten", []*changeset{layer().status(db, "a 1"), layer().status(db, "a 1", "b 1"), layer().file("x"), layer().status(db, "a 1", "b 1", "c 1")}, map[string]int{"a 1": 0, "b 1": 1, "c 1": 3}},
		{"upgraded", []*changeset{layer().status(db, "a 1", "b 1"), layer().status(db, "a 2", "b 1")}, map[string]int{"a 2": 1, "b 1": 0}},
		{"removed", []*changeset{layer().status(db, "a 1", "b 1"), layer().status(db, "b 1")}, map[string]int{"b 1": 0}},
		{"removed and added again", []*changeset{layer().status(db, "a 1", "b 1"), layer().status(db, "b 1"), layer().status(db, "a 1", "b 1")}, map[string]int{"a 1": 2, "b 1": 0}},
		{"database removed and added again", []*changeset{layer().status(db, "a 1"), layer().whiteout(db), layer().status(db, "a 1")}, map[string]int{"a 1": 2}},
		{"below an unreadable layer", []*changeset{layer().status(db, "a 1"), nil, layer().status(db, "a 1", "b 1")}, map[string]int{"a 1": 0, "b 1": 2}},
	} {
		got := map[string]int{}
		for _, p := range view(c.layers...).Packages {
			got[p.Name+" "+p.Version] = p.Origin.Layer
			if want := fmt.Sprint("RUN ", p.Origin.Layer); p.Origin.Instruction != want || p.Origin.Path != db {
				t.Errorf("%s: origin %+v", c.name, p.Origin)
			}
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestJoins(t *testing.T) {
	lib := pratique.Package{Type: "pypi", Name: "six", Version: "1", PURL: "pkg:pypi/six@1", Path: "lib/python3/dist-packages/six.dist-info/METADATA"}
	list := "var/lib/dpkg/info/python3-six.list"
	owned := "usr/lib/python3/dist-packages/six.dist-info/METADATA"
	for _, c := range []struct {
		name   string
		layers []*changeset
		owner  string
	}{
		{"another layer, through the merged usr", []*changeset{layer().pkg(lib), layer().status("var/lib/dpkg/status", "python3-six 1").owns(list, "python3-six", owned)}, "python3-six"},
		{"not owned", []*changeset{layer().pkg(lib), layer().status("var/lib/dpkg/status", "python3-six 1").owns(list, "python3-six", "etc/x")}, ""},
		{"the list is gone", []*changeset{layer().pkg(lib).status("var/lib/dpkg/status", "python3-six 1").owns(list, "python3-six", owned), layer().whiteout(list)}, ""},
		{"the package is not installed", []*changeset{layer().pkg(lib).owns(list, "python3-six", owned)}, ""},
		{"distroless", []*changeset{layer().pkg(lib).status("var/lib/dpkg/status.d/six", "python3-six 1").owns("var/lib/dpkg/status.d/six.md5sums", "six", owned)}, "python3-six"},
	} {
		for _, p := range view(c.layers...).Packages {
			if want := c.owner; p.Type == "pypi" && p.OwnedBy != want || p.Type == "deb" && p.OwnedBy != "" {
				t.Errorf("%s: %s is owned by %q, want %q", c.name, p.Name, p.OwnedBy, want)
			}
		}
	}
	c := layer().status("var/lib/dpkg/status", "zlib1g 1")
	c.software.Licenses = []pratique.License{{Package: "zlib1g", Path: "usr/share/doc/zlib1g/copyright", Licenses: []string{"Zlib"}}}
	if got := view(c).Packages[0].Licenses; !reflect.DeepEqual(got, []string{"Zlib"}) {
		t.Errorf("licences %q", got)
	}
	if got := view(c, layer().whiteout("usr/share/doc")).Packages[0].Licenses; got != nil {
		t.Errorf("licences of a removed file: %q", got)
	}
}

func TestDeclared(t *testing.T) {
	lock := func(kind, name, where string) *changeset {
		return layer().pkg(pratique.Package{Type: kind, Name: name, Version: "1", Path: where, Declared: true})
	}
	for _, c := range []struct {
		name  string
		lower *changeset
		upper *changeset
		want  int
	}{
		{"npm, alone", lock("npm", "x", "app/package-lock.json"), layer(), 1},
		{"npm, installed beside", lock("npm", "x", "app/package-lock.json"), layer().npm("app/node_modules/x/package.json"), 1},
		{"npm at the root", lock("npm", "x", "package-lock.json"), layer().npm("node_modules/x/package.json"), 1},
		{"npm, installed elsewhere", lock("npm", "x", "app/package-lock.json"), layer().npm("other/node_modules/x/package.json"), 2},
		{"npm, the tree was removed", lock("npm", "x", "app/package-lock.json").npm("app/node_modules/x/package.json"), layer().whiteout("app/node_modules"), 1},
		{"pypi, installed anywhere", lock("pypi", "six", "app/requirements.txt"), layer().pkg(pratique.Package{Type: "pypi", Name: "six", Version: "1", Path: "x/METADATA"}), 1},
		{"pypi, something else is installed", lock("pypi", "six", "app/requirements.txt"), layer().pkg(pratique.Package{Type: "pypi", Name: "pip", Version: "24", Path: "x/METADATA"}), 2},
		{"pypi, most is installed", lock("pypi", "six", "app/requirements.txt").pkg(pratique.Package{Type: "pypi", Name: "pytest", Version: "8", Path: "app/requirements.txt", Declared: true}),
			layer().pkg(pratique.Package{Type: "pypi", Name: "six", Version: "1", Path: "x/METADATA"}), 1},
		{"pypi beside npm", lock("pypi", "six", "app/requirements.txt"), layer().npm("app/node_modules/x/package.json"), 2},
	} {
		if got := view(c.lower, c.upper).Packages; len(got) != c.want {
			t.Errorf("%s: %d packages, want %d: %+v", c.name, len(got), c.want, got)
		}
	}
}

func TestDistro(t *testing.T) {
	const bookworm = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\nVERSION_ID='12'\nVERSION_CODENAME=bookworm\n"
	for _, c := range []struct {
		name   string
		layers []*changeset
		want   string // "id version codename"
		layer  int
	}{
		{"os-release", []*changeset{layer().release("etc/os-release", bookworm)}, "debian 12 bookworm", 0},
		{"through a relative link", []*changeset{layer().releaseLink("etc/os-release", "../usr/lib/os-release").release("usr/lib/os-release", bookworm)}, "debian 12 bookworm", 0},
		{"through an absolute link, in two layers", []*changeset{layer().release("usr/lib/os-release", bookworm), layer().releaseLink("etc/os-release", "/usr/lib/os-release")}, "debian 12 bookworm", 0},
		{"a link that leads out ends at the root", []*changeset{layer().releaseLink("etc/os-release", "../../../../usr/lib/os-release").release("usr/lib/os-release", bookworm)}, "debian 12 bookworm", 0},
		{"a loop", []*changeset{layer().releaseLink("etc/os-release", "os-release").release("etc/debian_version", "12.5\n")}, "debian 12 ", 0},
		{"a longer loop", []*changeset{layer().releaseLink("etc/os-release", "a-release").releaseLink("etc/a-release", "os-release")}, "", 0},
		{"a dangling link", []*changeset{layer().releaseLink("etc/os-release", "../usr/lib/os-release").release("etc/alpine-release", "3.20.3\n")}, "alpine 3.20.3 ", 0},
		{"the upper one wins", []*changeset{layer().release("etc/os-release", bookworm), layer().release("etc/os-release", "ID=alpine\nVERSION_ID=3.20.3\n")}, "alpine 3.20.3 ", 1},
		{"removed", []*changeset{layer().release("etc/os-release", bookworm), layer().whiteout("etc/os-release")}, "", 0},
		{"quotes and escapes", []*changeset{layer().release("etc/os-release", "# ID=no\nID=\"Rocky\"\nVERSION_ID=\"9.4\"\nPRETTY_NAME=\"a \\\"b\\\" \\$c\"\n")}, "rocky 9.4 ", 0},
		{"an ID with control characters", []*changeset{layer().release("etc/os-release", "ID=x\x1b[2J\n")}, "", 0},
		{"empty", []*changeset{layer().release("etc/os-release", "\n").release("etc/debian_version", "")}, "", 0},
		{"CentOS with its minor", []*changeset{layer().release("etc/os-release", "ID=\"centos\"\nVERSION_ID=\"7\"\n").release("etc/centos-release", "CentOS Linux release 7.9.2009 (Core)\n")}, "centos 7.9.2009 ", 0},
		{"CentOS 6", []*changeset{layer().releaseLink("etc/redhat-release", "centos-release").release("etc/centos-release", "CentOS release 6.10 (Final)\n")}, "centos 6.10 ", 0},
		{"Red Hat", []*changeset{layer().release("etc/redhat-release", "Red Hat Enterprise Linux Server release 7.9 (Maipo)\n")}, "rhel 7.9 ", 0},
		{"Debian sid", []*changeset{layer().release("etc/os-release", "ID=debian\n").release("etc/debian_version", "trixie/sid\n")}, "debian  trixie", 0},
		{"Debian before os-release", []*changeset{layer().release("etc/debian_version", "6.0.10\n")}, "debian 6 ", 0},
		{"LSB", []*changeset{layer().release("etc/lsb-release", "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=12.04\nDISTRIB_CODENAME=precise\n")}, "ubuntu 12.04 precise", 0},
		{"SUSE", []*changeset{layer().release("etc/SuSE-release", "SUSE Linux Enterprise Server 11 (x86_64)\nVERSION = 11\nPATCHLEVEL = 4\n")}, "sles 11.4 ", 0},
		{"unknown words", []*changeset{layer().release("etc/redhat-release", "Something else\n")}, "", 0},
		{"none", []*changeset{layer()}, "", 0},
	} {
		d := view(c.layers...).Distro
		got := ""
		if d != nil {
			got = d.ID + " " + d.Version + " " + d.Codename
			if d.Origin == nil || d.Origin.Layer != c.layer {
				t.Errorf("%s: origin %+v, want layer %d", c.name, d.Origin, c.layer)
			}
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestPURL(t *testing.T) {
	debian := layer().release("etc/os-release", "ID=debian\nVERSION_ID=12\n")
	for _, c := range []struct {
		distro *changeset
		p      pratique.Package
		want   string
	}{
		{debian, pratique.Package{Type: "deb", Name: "zlib1g", Version: "1:1.2.13-1", Arch: "amd64", Source: &pratique.Source{Name: "zlib", Version: "1:1.2.13-1"}}, "pkg:deb/debian/zlib1g@1:1.2.13-1?arch=amd64&distro=debian-12&upstream=zlib"},
		{debian, pratique.Package{Type: "deb", Name: "a", Version: "1+b1", Source: &pratique.Source{Name: "a", Version: "1"}}, "pkg:deb/debian/a@1%2Bb1?distro=debian-12&upstream=a%401"},
		{layer(), pratique.Package{Type: "deb", Name: "a", Version: "1"}, "pkg:deb/a@1"},
		{layer().release("etc/os-release", "ID=rocky\nVERSION_ID=9.4\n"), pratique.Package{Type: "rpm", Name: "bash", Version: "2:5.1-1.el9", Arch: "x86_64", Source: &pratique.Source{Name: "bash", Version: "5.1-1.el9"}}, "pkg:rpm/rocky/bash@5.1-1.el9?arch=x86_64&distro=rocky-9.4&epoch=2"},
		{layer().release("etc/os-release", "ID=alpine\nVERSION_ID=3.20.3\n"), pratique.Package{Type: "apk", Name: "musl-utils", Version: "1-r0", Arch: "x86_64", Source: &pratique.Source{Name: "musl", Version: "1-r0"}}, "pkg:apk/alpine/musl-utils@1-r0?arch=x86_64&distro=alpine-3.20.3&upstream=musl"},
		{debian, pratique.Package{Type: "golang", Name: "stdlib", Version: "1.22", PURL: "pkg:golang/stdlib@1.22"}, "pkg:golang/stdlib@1.22"},
	} {
		c.p.Path = "db"
		for _, p := range view(c.distro, layer().pkg(c.p)).Packages {
			if p.PURL != c.want {
				t.Errorf("%s: %s, want %s", p.Name, p.PURL, c.want)
			}
		}
	}
}

// What an upper layer deleted can still be pulled.
func TestDeleted(t *testing.T) {
	v := view(layer().malware("opt/evil").malware("opt/a.zip!/evil"), layer(), layer().whiteout("opt"))
	for _, o := range []*pratique.Origin{v.Malware[0].Origin, v.Malware[1].Origin, v.Files[0].Origin, v.Secrets[0].Origin} {
		if o.DeletedBy == nil || *o.DeletedBy != 2 || o.Layer != 0 {
			t.Errorf("origin %+v", o)
		}
	}
	if v := view(layer().malware("opt/evil"), layer()); v.Malware[0].Origin.DeletedBy != nil {
		t.Errorf("origin %+v", v.Malware[0].Origin)
	}
}

func TestProblems(t *testing.T) {
	damaged := func() *changeset {
		c := layer().file("var/lib/dpkg/status")
		c.software.Problems = []pratique.Problem{{Code: pratique.CodeCorrupt, Path: "var/lib/dpkg/status", Partial: true}}
		c.other.Problems = []pratique.Problem{{Code: pratique.CodeDisk, Path: "x", Partial: true, Analyzer: "archive"}}
		return c
	}
	v := view(layer(), damaged())
	if len(v.Problems) != 2 || !v.Problems[0].Partial || *v.Problems[0].Layer != 1 || v.Problems[0].Analyzer != "software" || v.Problems[1].Analyzer != "archive" {
		t.Errorf("problems %+v", v.Problems)
	}
	v = view(damaged(), layer().status("var/lib/dpkg/status", "a 1").file("x"))
	if len(v.Problems) != 2 || v.Problems[0].Partial || !v.Problems[1].Partial {
		t.Errorf("problems of a replaced database: %+v", v.Problems)
	}
}

// Release files are written by strangers.
func FuzzRelease(f *testing.F) {
	f.Add("etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n", "../usr/lib/os-release")
	f.Add("etc/SuSE-release", "openSUSE\nVERSION = 1\n", "")
	f.Add("etc/centos-release", "CentOS release 6.10 (Final)", "etc/centos-release")
	f.Add("etc/debian_version", "/", "/")
	f.Fuzz(func(t *testing.T, name, content, target string) {
		v := view(layer().release(name, content).releaseLink("etc/os-release", target))
		if v.Distro != nil && v.Distro.ID == "" {
			t.Errorf("%+v", v.Distro)
		}
	})
}
