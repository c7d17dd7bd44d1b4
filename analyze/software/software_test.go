package software

import (
	"archive/zip"
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/analyze"
)

// told lists packages as "type name version", with what else a case asks for.
func told(facts pratique.Facts) []string {
	var all []string
	for _, p := range facts.Packages {
		s := p.Type + " " + p.Name + " " + p.Version
		if p.Source != nil && (p.Source.Name != p.Name || p.Source.Version != p.Version) {
			s += " from " + p.Source.Name + " " + p.Source.Version
		}
		if len(p.Licenses) > 0 {
			s += " under " + strings.Join(p.Licenses, " and ")
		}
		if p.Declared {
			s += " declared"
		}
		all = append(all, s)
	}
	return all
}

func TestDpkg(t *testing.T) {
	record := func(name, version, status string) string {
		return "Package: " + name + "\nStatus: " + status + "\nVersion: " + version + "\nArchitecture: amd64\n\n"
	}
	const ok = "install ok installed"
	for _, c := range []struct {
		name, path, body string
		want             []string
		partial          string // what the error says
	}{
		{"plain", "", record("a", "1", ok) + record("b", "2:1-1", "hold ok installed"), []string{"deb a 1", "deb b 2:1-1"}, ""},
		{"continuation lines", "", "Package: a\nStatus: install ok installed\nVersion: 1\nDescription: x\n Package: not-me\n .\n Version: 9\nConffiles:\n /etc/a 123\n\n", []string{"deb a 1"}, ""},
		{"states", "", record("gone", "1", "deinstall ok config-files") + record("half", "1", "install reinstreq half-installed") + record("never", "1", "purge ok not-installed") +
			record("t", "1", "install ok triggers-pending") + record("u", "1", "install ok unpacked"), []string{"deb t 1", "deb u 1"}, ""},
		{"source", "", "Package: a\nStatus: install ok installed\nVersion: 1+b1\nSource: s (1)\n\nPackage: b\nStatus: install ok installed\nSource: s2\nVersion: 2\n", []string{"deb a 1+b1 from s 1", "deb b 2 from s2 2"}, ""},
		{"no end of line", "", strings.TrimSpace(record("a", "1", ok)), []string{"deb a 1"}, ""},
		{"CRLF", "", strings.ReplaceAll(record("a", "1", ok)+record("b", "2", ok), "\n", "\r\n"), []string{"deb a 1", "deb b 2"}, ""},
		{"many blank lines", "", "\n\n" + record("a", "1", ok) + "\n \n\n" + record("b", "2", ok), []string{"deb a 1", "deb b 2"}, ""},
		{"a damaged record", "", record("a", "1", ok) + "Package: b\nVers\x00\xff garbage\nStatus: install ok installed\n\n" + record("c", "3", ok), []string{"deb a 1", "deb c 3"}, "1 of the package records"},
		{"a record without version", "", record("a", "1", ok) + "Package: b\nStatus: install ok installed\n\n" + record("c", "3", ok), []string{"deb a 1", "deb c 3"}, "line 6"},
		{"a record without status", "", "Package: b\nVersion: 1\n\n" + record("c", "3", ok), []string{"deb c 3"}, "no status"},
		{"NUL in a name", "", "Package: b\x00\nStatus: install ok installed\nVersion: 1\n\n" + record("c", "3", ok), []string{"deb c 3"}, "binary"},
		{"a huge line of no interest", "", "Package: a\nDepends: " + strings.Repeat("x", 3<<20) + "\nStatus: install ok installed\nVersion: 1\n\n" + record("c", "3", ok), []string{"deb a 1", "deb c 3"}, ""},
		{"a huge name", "", "Package: " + strings.Repeat("x", 3<<20) + "\nStatus: install ok installed\nVersion: 1\n\n" + record("c", "3", ok), []string{"deb c 3"}, "too long"},
		{"distroless without status", "var/lib/dpkg/status.d/base", "Package: base-files\nVersion: 11\n", []string{"deb base-files 11"}, ""},
		{"distroless with status", "var/lib/dpkg/status.d/base", record("base-files", "11", ok), []string{"deb base-files 11"}, ""},
		{"opkg", "usr/lib/opkg/status", "Package: busybox\nVersion: 1.36-1\nStatus: install user installed\n\n", []string{"opkg busybox 1.36-1"}, ""},
	} {
		path := c.path
		if path == "" {
			path = "var/lib/dpkg/status"
		}
		facts, err := analyzed(t, path, []byte(c.body))
		if got := told(facts); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		checkPartial(t, c.name, err, c.partial)
	}
}

// checkPartial: an error that tells of lost packages is a *pratique.Error.
func checkPartial(t *testing.T, name string, err error, says string) {
	t.Helper()
	var known *pratique.Error
	if says == "" && err != nil || says != "" && (!errors.As(err, &known) || !strings.Contains(err.Error(), says) || known.Remedy == "") {
		t.Errorf("%s: error %v, want one that says %q", name, err, says)
	}
}

func TestDpkgFiles(t *testing.T) {
	for _, c := range []struct {
		path, body, owner string
		owns, not         []string
	}{
		{"var/lib/dpkg/info/libc6:amd64.list", "/.\n/lib\n/lib/x.so\n/.hidden\n/usr/share/with space \n", "libc6", []string{"lib/x.so", "usr/lib/x.so", ".hidden", "usr/share/with space "}, []string{"", ".", "hidden"}},
		{"var/lib/dpkg/status.d/tzdata.md5sums", "d41d8cd98f00b204e9800998ecf8427e  ./usr/share/zone\nd41d8cd98f00b204e9800998ecf8427e  usr/bin/x\nbroken", "tzdata", []string{"usr/share/zone", "usr/bin/x"}, []string{"broken"}},
	} {
		facts, err := analyzed(t, c.path, []byte(c.body))
		if err != nil || len(facts.Ownership) != 1 || facts.Ownership[0].Package != c.owner || len(facts.Packages) > 0 {
			t.Errorf("%s: %v, %+v", c.path, err, facts)
			continue
		}
		for _, f := range c.owns {
			if !pratique.HasHash(facts.Ownership[0].Files, pratique.PathHash(f)) {
				t.Errorf("%s: %q is not owned", c.path, f)
			}
		}
		for _, f := range c.not {
			if pratique.HasHash(facts.Ownership[0].Files, pratique.PathHash(f)) {
				t.Errorf("%s: %q is owned", c.path, f)
			}
		}
	}
	facts, err := analyzed(t, "usr/share/doc/zlib1g/copyright", []byte("Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\nLicense: Zlib\n\nFiles: x\nLicense: GPL-2+\n text\n\nLicense: Zlib\n"))
	want := []pratique.License{{Package: "zlib1g", Path: "usr/share/doc/zlib1g/copyright", Licenses: []string{"Zlib", "GPL-2+"}}}
	if err != nil || !reflect.DeepEqual(facts.Licenses, want) {
		t.Errorf("%v, %+v", err, facts.Licenses)
	}
	if facts, err = analyzed(t, "usr/share/doc/x/copyright", []byte("Free text.\nLicense: perhaps\n")); err != nil || len(facts.Licenses) > 0 {
		t.Errorf("%v, %+v", err, facts.Licenses)
	}
}

func TestApk(t *testing.T) {
	const musl = "C:Q1abc=\nP:musl\nV:1.2.5-r0\nA:x86_64\nL:MIT\no:musl\nF:lib\nR:ld-musl-x86_64.so.1\na:0:0:755\nZ:Q1def=\nF:usr/share\nR:a\n\n"
	const utils = "P:musl-utils\nV:1.2.5-r0\nL:MIT AND GPL-2.0-or-later\no:musl\nD:" + "so:libc.musl-x86_64.so.1 scanelf\n\n"
	for _, c := range []struct {
		name, body string
		want       []string
		partial    string
	}{
		{"plain", musl + utils, []string{"apk musl 1.2.5-r0 under MIT", "apk musl-utils 1.2.5-r0 from musl 1.2.5-r0 under MIT AND GPL-2.0-or-later"}, ""},
		{"no end of line", strings.TrimSpace(musl), []string{"apk musl 1.2.5-r0 under MIT"}, ""},
		{"a damaged record", "garbage\n\n" + musl, []string{"apk musl 1.2.5-r0 under MIT"}, "1 of the package records"},
		{"a record cut off", musl + "P:b", []string{"apk musl 1.2.5-r0 under MIT"}, "line 14"},
		{"a huge line of no interest", "P:a\nV:1\nD:" + strings.Repeat("x", 3<<20) + "\n\n" + musl, []string{"apk a 1", "apk musl 1.2.5-r0 under MIT"}, ""},
		{"a huge name", "P:" + strings.Repeat("x", 3<<20) + "\nV:1\n\n" + musl, []string{"apk musl 1.2.5-r0 under MIT"}, "too long"},
		{"binary data", "P:a\x00\nV:1\n\n" + musl, []string{"apk musl 1.2.5-r0 under MIT"}, "1 of"},
	} {
		for _, path := range []string{"lib/apk/db/installed", "usr/lib/apk/db/installed"} {
			facts, err := analyzed(t, path, []byte(c.body))
			if got := told(facts); !reflect.DeepEqual(got, c.want) {
				t.Errorf("%s: %q, want %q", c.name, got, c.want)
			}
			checkPartial(t, c.name, err, c.partial)
		}
	}
	facts, _ := analyzed(t, "lib/apk/db/installed", []byte(musl))
	for _, f := range []string{"lib/ld-musl-x86_64.so.1", "usr/share/a"} {
		if !pratique.HasHash(facts.Ownership[0].Files, pratique.PathHash(f)) {
			t.Errorf("musl does not own %s", f)
		}
	}
}

func TestInstalledNode(t *testing.T) {
	for path, want := range map[string]bool{
		"app/node_modules/a/package.json":                                       true,
		"app/node_modules/@s/a/package.json":                                    true,
		"app/node_modules/a/node_modules/b/package.json":                        true,
		"app/node_modules/@s/a/node_modules/@t/b/package.json":                  true,
		"app/node_modules/.pnpm/a@1.0.0/node_modules/a/package.json":            true,
		"app/node_modules/.pnpm/@s+a@1.0.0/node_modules/@s/a/package.json":      true,
		"app/node_modules/.pnpm/a@1/node_modules/b/node_modules/c/package.json": true,
		"app/node_modules/.bun/a@1.0.0/node_modules/a/package.json":             true,
		"usr/share/nodejs/semver/package.json":                                  true,
		"usr/share/nodejs/@types/node/package.json":                             true,
		"usr/share/nodejs/npm/node_modules/x/package.json":                      true,
		"usr/lib/node_modules/npm/package.json":                                 true,
		"node_modules/a/package.json":                                           true,
		"app/package.json":                                                      false,
		"package.json":                                                          false,
		"app/node_modules/package.json":                                         false,
		"app/node_modules/@s/package.json":                                      false,
		"app/node_modules/.pnpm/package.json":                                   false,
		"app/node_modules/.pnpm/a@1.0.0/package.json":                           false,
		"app/node_modules/.bin/package.json":                                    false,
		"app/node_modules/a/test/package.json":                                  false,
		"app/node_modules/a/test/fixtures/b/package.json":                       false,
		"app/node_modules/a/test/node_modules/b/package.json":                   false,
		"app/node_modules/a/dist/esm/package.json":                              false,
		"usr/share/nodejs/semver/bin/package.json":                              false,
	} {
		if got := installedNode(path); got != want {
			t.Errorf("installedNode(%q) = %v", path, got)
		}
	}
}

func TestLanguages(t *testing.T) {
	npm := "app/node_modules/x/package.json"
	for _, c := range []struct {
		path, body string
		want       []string
	}{
		{npm, `{"name":"@s/x","version":"1.2.3","license":"MIT"}`, []string{"npm @s/x 1.2.3 under MIT"}},
		{npm, "\xef\xbb\xbf" + `{"name":"x","version":"v1","licenses":[{"type":"MIT"},{"type":"Apache-2.0"},[["x"]]]}`, []string{"npm x 1 under MIT and Apache-2.0"}},
		{npm, `{"name":"x","version":"1","license":{"type":"ISC"}}`, []string{"npm x 1 under ISC"}},
		{npm, `{"name":"x","version":"1","license":7}`, []string{"npm x 1"}},
		{npm, `{"type":"module"}`, nil},
		{npm, `{"name":"x\u001b[31m","version":"1"}`, nil},
		{"srv/vendor/composer/installed.json", `[{"name":"Symfony/Yaml","version":"v5.4.1","license":["MIT"]},{"name":""}]`, []string{"composer symfony/yaml 5.4.1 under MIT"}},
		{"srv/vendor/composer/installed.json", `{"packages":[{"name":"a/b","version":"1.0"}],"dev":true}`, []string{"composer a/b 1.0"}},
		{"usr/lib/python3/dist-packages/requests-2.31.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: requests\nVersion: 2.31.0\nLicense: Apache 2.0\nClassifier: License :: OSI Approved :: Apache Software License\n\nName: other\n", []string{"pypi requests 2.31.0 under Apache Software License"}},
		{"x/a.dist-info/METADATA", "Metadata-Version: 2.4\nName: Zope.Interface\nVersion: 1\nLicense-Expression: ZPL-2.1\n", []string{"pypi zope-interface 1 under ZPL-2.1"}},
		{"x/a-1.egg-info/PKG-INFO", "Metadata-Version: 1.0\nName: a\nVersion: 1\n", []string{"pypi a 1"}},
		{"x/b-2.egg-info", "Metadata-Version: 1.0\nName: b\nVersion: 2\n", []string{"pypi b 2"}},
		{"app/x.deps.json", `{"runtimeTarget":{"name":".NETCoreApp,Version=v8.0"},"libraries":{"Newtonsoft.Json/13.0.1":{"type":"package","serviceable":true,"sha512":"","path":"","hashPath":""}}}`, []string{"nuget Newtonsoft.Json 13.0.1"}},
		{"var/lib/gems/3.1.0/specifications/rake-13.0.6.gemspec", "# -*- encoding: utf-8 -*-\nGem::Specification.new do |s|\n  s.name = \"rake\".freeze\n  s.version = \"13.0.6\"\nend\n", []string{"gem rake 13.0.6"}},
		{"opt/conda/conda-meta/zlib-1.json", `{"name":"zlib","version":"1.2.13"}`, []string{"conda zlib 1.2.13"}},
		{"var/lib/pacman/local/zlib-1/desc", "%NAME%\nzlib\n\n%VERSION%\n1:1.3-1\n\n", []string{"alpm zlib 1:1.3-1"}},

		// Lock files only declare.
		{"app/package-lock.json", `{"lockfileVersion":3,"packages":{"":{"name":"app"},"node_modules/a":{"version":"1.0.0"}}}`, []string{"npm a 1.0.0 declared"}},
		{"app/yarn.lock", "# yarn lockfile v1\n\n\na@^1.0.0:\n  version \"1.0.1\"\n  resolved \"https://example.org/a.tgz#0\"\n", []string{"npm a 1.0.1 declared"}},
		{"app/pnpm-lock.yaml", "lockfileVersion: '6.0'\npackages:\n  /a@1.0.0:\n    resolution: {integrity: sha512-x}\n    dev: false\n", []string{"npm a 1.0.0 declared"}},
		{"app/bun.lock", `{"lockfileVersion":1,"workspaces":{"":{"name":"x"}},"packages":{"a":["a@1.0.0","",{},"sha512-x"],}}`, []string{"npm a 1.0.0 declared"}},
		{"app/requirements.txt", "flask==2.0.1\n", []string{"pypi flask 2.0.1 declared"}},
		{"app/Pipfile.lock", `{"default":{"flask":{"version":"==2.0.1"}},"develop":{}}`, []string{"pypi flask 2.0.1 declared"}},
		{"app/poetry.lock", "[[package]]\nname = \"flask\"\nversion = \"2.0.1\"\noptional = false\n", []string{"pypi flask 2.0.1 declared"}},
		{"app/pdm.lock", "[[package]]\nname = \"flask\"\nversion = \"2.0.1\"\n", []string{"pypi flask 2.0.1 declared"}},
		{"app/uv.lock", "version = 1\n\n[[package]]\nname = \"flask\"\nversion = \"2.0.1\"\nsource = { registry = \"https://example.org/simple\" }\n", []string{"pypi flask 2.0.1 declared"}},
		{"app/go.mod", "module example.org/m\n\nrequire example.org/d v1.2.3\n", []string{"golang example.org/d v1.2.3 declared"}},
		{"app/gradle.lockfile", "org.a:b:1.0=runtimeClasspath\nempty=\n", []string{"maven org.a:b 1.0 declared"}},
		{"app/Gemfile.lock", "GEM\n  remote: https://example.org/\n  specs:\n    rake (13.0.6)\n\nPLATFORMS\n  ruby\n", []string{"gem rake 13.0.6 declared"}},
		{"app/composer.lock", `{"packages":[{"name":"a/b","version":"1.0"}],"packages-dev":[]}`, []string{"composer a/b 1.0 declared"}},
		{"app/packages.config", `<?xml version="1.0"?><packages><package id="A" version="1.0" targetFramework="net46"/></packages>`, []string{"nuget A 1.0 declared"}},
		{"app/packages.lock.json", `{"version":1,"dependencies":{"net8.0":{"A":{"type":"Direct","resolved":"1.0.0"}}}}`, []string{"nuget A 1.0.0 declared"}},
		{"app/Cargo.lock", "version = 3\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"registry+x\"\n", []string{"cargo a 1.0.0 declared"}},
		{"app/pubspec.lock", "packages:\n  a:\n    dependency: \"direct main\"\n    source: hosted\n    version: \"1.0.0\"\n", []string{"pub a 1.0.0 declared"}},
		{"app/mix.lock", "%{\n  \"a\": {:hex, :a, \"1.0.0\", \"0123\", [:mix], [], \"hexpm\", \"4567\"},\n}\n", []string{"hex a 1.0.0 declared"}},
		{"app/conan.lock", `{"version":"0.5","requires":["zlib/1.2.11#x%1"],"build_requires":[],"python_requires":[]}`, []string{"conan zlib 1.2.11 declared"}},
		{"app/renv.lock", `{"R":{"Version":"4.2"},"Packages":{"A":{"Package":"A","Version":"1.0","Source":"Repository","Repository":"CRAN"}}}`, []string{"cran A 1.0 declared"}},
		{"app/stack.yaml.lock", "packages:\n- completed:\n    hackage: a-1.0@sha256:0,1\n  original:\n    hackage: a-1.0\n", []string{"hackage a 1.0 declared"}},
		{"app/Manifest.toml", "julia_version = \"1.9.0\"\nmanifest_format = \"2.0\"\n\n[[deps.A]]\nuuid = \"682c06a0-de6a-54ab-a142-c8b1cf79cde6\"\nversion = \"1.0.0\"\n", []string{"julia A 1.0.0 declared"}},
		{"app/Package.resolved", `{"pins":[{"identity":"a","kind":"remoteSourceControl","location":"https://example.org/x/a.git","state":{"revision":"0","version":"1.0.0"}}],"version":2}`, []string{"swift example.org/x/a 1.0.0 declared"}},
		{"app/Podfile.lock", "PODS:\n  - A (1.0.0)\n\nDEPENDENCIES:\n  - A\n\nCOCOAPODS: 1.11\n", []string{"cocoapods A 1.0.0 declared"}},
	} {
		facts, err := analyzed(t, c.path, []byte(c.body))
		if got := told(facts); err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v\n got %q\nwant %q", c.path, err, got, c.want)
		}
		for _, p := range facts.Packages {
			if p.Path != c.path || p.FoundBy == "" || p.PURL == "" && p.Type != "alpm" {
				t.Errorf("%s: %+v", c.path, p)
			}
		}
	}
}

// A library's own lock files and manifests say nothing about the image.
func TestVendored(t *testing.T) {
	for _, path := range []string{
		"app/node_modules/a/package-lock.json", "app/node_modules/a/yarn.lock", "usr/lib/python3/dist-packages/a/requirements.txt",
		"x/site-packages/a/poetry.lock", "app/vendor/example.org/a/go.mod", "root/go/pkg/mod/example.org/a@v1/go.mod", "root/.cargo/registry/src/a/Cargo.lock",
		"var/lib/gems/3.1.0/gems/a-1/Gemfile.lock", "src/testdata/go.mod", "usr/share/doc/x/go.mod", "usr/local/go/src/go.mod",
	} {
		if _, err := analyzed(t, path, []byte("module x\n")); err != errNotWanted {
			t.Errorf("%s is wanted (%v)", path, err)
		}
	}
}

func TestRelease(t *testing.T) {
	for _, path := range []string{"etc/os-release", "usr/lib/os-release", "etc/debian_version", "etc/alpine-release", "etc/centos-release", "etc/lsb-release", "usr/lib/os.release.d/os-release-fedora"} {
		if facts, err := analyzed(t, path, []byte("ID=x\xff\n")); err != nil || len(facts.Releases) != 1 || facts.Releases[0].Content != "ID=x�\n" {
			t.Errorf("%s: %v %+v", path, err, facts.Releases)
		}
	}
	if _, err := analyzed(t, "etc/os-release", make([]byte, maxRelease+1)); err != errNotWanted {
		t.Errorf("a huge file: %v", err)
	}
	if _, err := analyzed(t, "srv/etc/os-release", []byte("ID=x")); err != errNotWanted {
		t.Errorf("elsewhere: %v", err)
	}
	a, err := New()
	if err != nil {
		t.Fatal(err)
	}
	var facts pratique.Facts
	a.Link("etc/os-release", "../usr/lib/os-release", &facts)
	a.Link("etc/x", "y", &facts)
	if want := []pratique.Release{{Path: "etc/os-release", Target: "../usr/lib/os-release"}}; !reflect.DeepEqual(facts.Releases, want) {
		t.Errorf("links %+v", facts.Releases)
	}
}

// jar packs "name", "content" pairs.
func jar(t testing.TB, entries ...string) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(entries); i += 2 {
		f, err := w.Create(entries[i])
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(f, entries[i+1])
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func pom(group, artifact, version string) []string {
	return []string{"META-INF/maven/" + group + "/" + artifact + "/pom.properties", "#Generated\ngroupId=" + group + "\r\nartifactId = " + artifact + "\nversion=" + version + "\n"}
}

func TestJava(t *testing.T) {
	const m = "META-INF/MANIFEST.MF"
	damaged := jar(t, append(pom("org.a", "b", "1.0"), append(pom("org.c", "d", "2.0"), m, "Bundle-License: MIT\n")...)...)
	copy(damaged[bytes.Index(damaged, []byte("org.a"))+60:], "\xff\xff\xff\xff\xff\xff\xff\xff") // the first entry's data
	for _, c := range []struct {
		name, path string
		body       []byte
		want       []string
		fails      bool
	}{
		{"pom.properties", "app/x.jar", jar(t, pom("org.a", "b", "1.0")...), []string{"maven org.a:b 1.0"}, false},
		{"shaded", "app/x.jar", jar(t, append(pom("org.a", "b", "1.0"), pom("org.c", "d", "2.0")...)...), []string{"maven org.a:b 1.0", "maven org.c:d 2.0"}, false},
		{"manifest", "app/noversion.jar", jar(t, m, "Manifest-Version: 1.0\r\nImplementation-Title: thing\r\nImplementation-Version: 1.2\r\nImplementation-Vendor-Id: org.thi\r\n ngs\r\n\r\nName: x/\r\nImplementation-Version: 9\r\n"), []string{"maven org.things:thing 1.2"}, false},
		{"bundle", "app/commons-lang3-3.12.0.jar", jar(t, m, "Bundle-SymbolicName: org.apache.commons.commons-lang3;x=y\nBundle-License: Apache-2.0\n"), []string{"maven org.apache.commons:commons-lang3 3.12.0 under Apache-2.0"}, false},
		{"file name", "app/mystery-1.0.jar", jar(t, "a.class", "x"), []string{"maven mystery:mystery 1.0"}, false},
		{"member of a fat jar", "app/boot.jar!/BOOT-INF/lib/x.jar", jar(t, pom("org.a", "b", "1.0")...), []string{"maven org.a:b 1.0"}, false},
		{"war", "app/x.war", jar(t, pom("org.a", "web", "1.0")...), []string{"maven org.a:web 1.0"}, false},
		{"unfilled", "app/x.jar", jar(t, pom("org.a", "b", "${project.version}")...), nil, false},
		{"hostile", "app/x.jar", jar(t, pom("org.a\x1b", "b", "1 0")...), nil, false},
		{"nothing known", "app/x.jar", jar(t, "a.class", "x"), nil, false},
		{"a damaged entry", "app/x.jar", damaged, []string{"maven org.c:d 2.0 under MIT"}, true},
		{"corrupt", "app/mystery-1.0.jar", jar(t, "a.class", "x")[:40], nil, true},
		{"no zip", "app/x.rar", []byte("Rar!\x1a\x07\x00"), nil, false},
		{"a name that leads out", "app/x.jar", jar(t, append([]string{"../../evil", "x"}, pom("org.a", "b", "1")...)...), []string{"maven org.a:b 1"}, false},
	} {
		facts, err := analyzed(t, c.path, c.body)
		if got := told(facts); (err != nil) != c.fails || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v\n got %q\nwant %q", c.name, err, got, c.want)
		}
	}
}

// A manifest of nothing but continuation lines must not take quadratic time, nor
// a zip that claims a million entries their memory.
func TestJavaHostile(t *testing.T) {
	start := time.Now()
	if _, err := analyzed(t, "x.jar", jar(t, "META-INF/MANIFEST.MF", "A: b\n"+strings.Repeat(" c\n", 340_000))); err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("it took %v", took)
	}
	name := strings.Repeat("n", 200)
	header := "PK\x01\x02" + strings.Repeat("\x00", 24) + "\xc8\x00" + strings.Repeat("\x00", 16) + name
	directory := strings.Repeat(header, 130_000)
	end := "PK\x05\x06\x00\x00\x00\x00" + "\xd0\xfb\xd0\xfb" + string([]byte{byte(len(directory)), byte(len(directory) >> 8), byte(len(directory) >> 16), byte(len(directory) >> 24)}) + "\x04\x00\x00\x00\x00\x00"
	facts, err := analyzed(t, "x.jar", []byte("PK\x03\x04"+directory+end))
	if pratique.CodeOf(err) != pratique.CodeLimit || len(facts.Packages) > 0 {
		t.Errorf("a directory of %d MiB: %v", len(directory)>>20, err)
	}
}

// Go's own tool is the oracle.
func TestGoBinary(t *testing.T) {
	dir := t.TempDir()
	self, main, overlay := filepath.Join(dir, "program"), filepath.Join(dir, "main.go"), filepath.Join(dir, "overlay.json")
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	os.WriteFile(main, []byte("package main\n\nimport (\n\t_ \"github.com/klauspost/compress/zstd\"\n\t_ \"github.com/package-url/packageurl-go\"\n)\n\nfunc main() {}\n"), 0o644)
	os.WriteFile(overlay, fmt.Appendf(nil, `{"Replace":{%q:%q}}`, filepath.Join(root, "internal/program/main.go"), main), 0o644)
	build := exec.Command("go", "build", "-overlay", overlay, "-o", self, "./internal/program")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	out, err := exec.Command("go", "version", "-m", self).Output()
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for line := range strings.Lines(string(out)) {
		switch f := strings.Fields(line); {
		case strings.HasPrefix(line, self):
			want = append(want, "golang stdlib "+strings.TrimPrefix(f[1], "go"))
		case len(f) > 2 && (f[0] == "dep" || f[0] == "mod"):
			want = append(want, "golang "+f[1]+" "+f[2])
		case len(f) > 2 && f[0] == "=>":
			want[len(want)-1] = "golang " + f[1] + " " + f[2]
		}
	}
	b, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	facts, err := analyzed(t, "usr/bin/x", b)
	got := told(facts)
	slices.Sort(got)
	slices.Sort(want)
	if err != nil || !reflect.DeepEqual(got, want) || len(got) < 4 {
		t.Errorf("%v\n got %q\nwant %q", err, got, want)
	}
	for _, cut := range []int{16, 64, 500, 5000, len(b) / 2} {
		if _, err := analyzed(t, "usr/bin/x", b[:cut]); err != nil {
			t.Errorf("cut to %d: %v", cut, err)
		}
	}
}

// audited is a program with the section that cargo-auditable adds.
func audited(t *testing.T, section []byte) []byte {
	t.Helper()
	dir := t.TempDir()
	data, program := filepath.Join(dir, "data"), filepath.Join(dir, "program")
	if err := os.WriteFile(data, section, 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("objcopy", "--add-section", ".dep-v0="+data, "/bin/true", program).CombinedOutput(); err != nil {
		t.Fatalf("objcopy: %v\n%s", err, out)
	}
	b, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestCargoAuditable(t *testing.T) {
	compress := func(s string) []byte {
		var b bytes.Buffer
		w := zlib.NewWriter(&b)
		io.WriteString(w, s)
		w.Close()
		return b.Bytes()
	}
	facts, err := analyzed(t, "usr/bin/x", audited(t, compress(`{"packages":[{"name":"app","version":"0.1.0","source":"local","root":true},{"name":"libc","version":"0.2.150","source":"crates.io"},{"name":"cc","version":"1.0","source":"crates.io","kind":"build"}]}`)))
	if want := []string{"cargo app 0.1.0", "cargo libc 0.2.150"}; err != nil || !reflect.DeepEqual(told(facts), want) {
		t.Errorf("%v, %q", err, told(facts))
	}
	for _, section := range [][]byte{[]byte("garbage"), compress("not JSON"), compress(strings.Repeat(" ", 64<<20))} {
		if facts, err := analyzed(t, "usr/bin/x", audited(t, section)); err == nil || len(facts.Packages) > 0 {
			t.Errorf("%v, %q", err, told(facts))
		}
	}
}

func TestLimitOfManifests(t *testing.T) {
	a, err := New()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"app/package-lock.json", "app/node_modules/a/package.json", "v/composer/installed.json"} {
		f := analyze.File{Path: path}
		if err := a.Analyze(t.Context(), &f, large{}, new(pratique.Facts)); pratique.CodeOf(err) != pratique.CodeLimit {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// large is a file of zeros that nobody should read whole.
type large struct{ text }

func (large) Size() int64                           { return 1 << 40 }
func (large) ReadAt(p []byte, _ int64) (int, error) { clear(p); return len(p), nil }

// fuzzed holds for every format: whatever a file holds, no panic, and packages
// that can be printed.
func fuzzed(f *testing.F, path string, seeds ...string) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		facts, _ := analyzed(t, path, b)
		for _, p := range facts.Packages {
			if p.Name == "" || p.Version == "" || strings.ContainsAny(p.Name+p.Version, "\x00\n\x1b") {
				t.Errorf("package %+q", fmt.Sprint(p.Name, " ", p.Version))
			}
		}
	})
}

func FuzzDpkg(f *testing.F) {
	fuzzed(f, "var/lib/dpkg/status", "Package: a\nStatus: install ok installed\nVersion: 1\nSource: b (2)\n\n", "Package: a\r\n x\n\x00")
}

func FuzzApk(f *testing.F) {
	fuzzed(f, "lib/apk/db/installed", "P:a\nV:1\nL:MIT\no:b\nF:lib\nR:x\n\n", "P:\n\nx\n")
}

func FuzzJava(f *testing.F) {
	fuzzed(f, "app/x-1.0.jar", string(jar(f, pom("org.a", "b", "1")...)), string(jar(f, "META-INF/MANIFEST.MF", "A: b\n c\n")))
}

func FuzzNode(f *testing.F) {
	fuzzed(f, "app/node_modules/x/package.json", `{"name":"x","version":"1","license":[{"type":"MIT"}]}`, `{"name":1}`)
}

func FuzzComposer(f *testing.F) {
	fuzzed(f, "vendor/composer/installed.json", `[{"name":"a/b","version":"1"}]`, `{"packages":[]}`)
}

func FuzzInstalledNode(f *testing.F) {
	f.Add("app/node_modules/.pnpm/a@1/node_modules/@s/a/package.json")
	f.Fuzz(func(t *testing.T, name string) {
		if installedNode(name) && !strings.Contains(name, "node_modules/") && !strings.Contains(name, "/nodejs/") {
			t.Errorf("%q", name)
		}
	})
}
