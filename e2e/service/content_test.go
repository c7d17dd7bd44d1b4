package service

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/internal/testimage"
)

// software is a package as the estate planted it, or as the package's own tool
// names it. Planted versions are counted by one number, so that whether an
// advisory hits needs no version order, and none of the code under test.
type software struct {
	kind    string // of the package URL
	name    string
	source  string // what advisories of distributions name; the name, for languages
	version string
	number  int
}

// A part is a layer with what the model knows to be in it.
type part struct {
	testimage.Layer
	packages []software
	secrets  int
	malware  int
	deletes  string // name of a package that it takes away
}

// content is an image with what has to be found in it.
type content struct {
	testimage.Image
	distro string // id of the distribution
	parts  []part
}

func (c *content) id() pratique.Digest { return pratique.DigestOf(c.Config()) }

func (c *content) packages() []software {
	var all []software
	for _, p := range c.parts {
		all = slices.DeleteFunc(all, func(s software) bool { return s.name == p.deletes })
		all = append(all, p.packages...)
	}
	return all
}

func (c *content) secrets() (n int) {
	for _, p := range c.parts {
		n += p.secrets
	}
	return n
}

func (c *content) malware() (n int) {
	for _, p := range c.parts {
		n += p.malware
	}
	return n
}

func (c *content) layers() []testimage.Layer {
	all := make([]testimage.Layer, len(c.parts))
	for i, p := range c.parts {
		all[i] = p.Layer
	}
	return all
}

// newContent puts an image together. Its number is its age in minutes.
func newContent(number int, distro string, parts ...part) *content {
	c := &content{distro: distro, parts: parts}
	c.Image = testimage.Image{Layers: c.layers(), Created: testimage.Epoch.Add(time.Duration(number) * time.Minute)}
	return c
}

// quarry makes layers in a folder.
type quarry struct{ dir string }

func (q quarry) part(p part, by string, body testimage.Content) (part, error) {
	return q.packed(testimage.Gzip, p, by, body)
}

func (q quarry) packed(c testimage.Compression, p part, by string, body testimage.Content) (_ part, err error) {
	p.Layer, err = testimage.WriteLayer(q.dir, c, by, body)
	return p, err
}

// A debian is a real one, with what dpkg and os-release say of it.
type debian struct {
	Layer       testimage.Layer
	Packages    [][3]string // name, source, version
	ID, Version string
}

func (d debian) part() part {
	p := part{Layer: d.Layer}
	for _, f := range d.Packages {
		p.packages = append(p.packages, software{kind: "deb", name: f[0], source: f[1], version: f[2]})
	}
	return p
}

// ecosystem is what advisories about it are filed under.
func (d debian) ecosystem() string {
	return map[string]string{"debian": "Debian:", "ubuntu": "Ubuntu:"}[d.ID] + d.Version
}

// theDebian makes one, once for all runs: it takes a minute.
func theDebian() (d debian, err error) {
	dir, err := filepath.Abs("../../.cache/service")
	if err != nil {
		return d, err
	}
	suite, sources, err := testimage.AptSources()
	if err != nil {
		return d, err
	}
	kept := filepath.Join(dir, suite+".json")
	if text, err := os.ReadFile(kept); err == nil {
		if err := json.Unmarshal(text, &d); err != nil {
			return d, err
		}
		if _, err := os.Stat(d.Layer.Blob); err == nil {
			return d, nil
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return d, err
	}
	archive := filepath.Join(dir, suite+".tar")
	defer os.Remove(archive)
	args := []string{"--variant=minbase", "--quiet", "--format=tar", "--aptopt=Apt::Install-Recommends false", suite, archive}
	if sources != "" {
		list := filepath.Join(dir, suite+".list")
		if err := os.WriteFile(list, []byte(sources), 0o644); err != nil {
			return d, err
		}
		args = append(args, list)
	}
	if _, err := tool("mmdebstrap", args...); err != nil {
		return d, err
	}
	if d, err = readDebian(dir, archive); err != nil {
		return d, err
	}
	text, err := json.Marshal(d)
	if err != nil {
		return d, err
	}
	return d, os.WriteFile(kept, text, 0o644)
}

// readDebian makes a layer of a root file system, and asks dpkg what is in it.
func readDebian(dir, archive string) (d debian, err error) {
	root, err := os.MkdirTemp(dir, "root")
	if err != nil {
		return d, err
	}
	defer os.RemoveAll(root)
	if _, err := tool("tar", "-C", root, "-xf", archive, "./var/lib/dpkg", "./usr/lib/os-release"); err != nil {
		return d, err
	}
	listed, err := tool("dpkg-query", "--admindir", filepath.Join(root, "var/lib/dpkg"), "-W", "-f", "${Package} ${source:Package} ${Version}\n")
	if err != nil {
		return d, err
	}
	for line := range strings.Lines(listed) {
		f := strings.Fields(line)
		if len(f) != 3 {
			return d, fmt.Errorf("dpkg-query says %q", line)
		}
		d.Packages = append(d.Packages, [3]string(f))
	}
	release, err := os.ReadFile(filepath.Join(root, "usr/lib/os-release"))
	if err != nil {
		return d, err
	}
	for line := range strings.Lines(string(release)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch value = strings.Trim(value, `"`); name {
		case "ID":
			d.ID = value
		case "VERSION_ID":
			d.Version = value
		}
	}
	d.Layer, err = testimage.WriteLayer(dir, testimage.Gzip, "ADD rootfs.tar.xz /", testimage.Tar(archive, slim))
	return d, err
}

// slim leaves out what Debian's slim images leave out.
func slim(h *tar.Header) bool {
	name := strings.TrimPrefix(h.Name, "./")
	for _, folder := range []string{"usr/share/doc/", "usr/share/locale/", "usr/share/man/", "usr/share/info/", "var/cache/", "var/lib/apt/lists/", "dev/"} {
		if strings.HasPrefix(name, folder) && h.Typeflag != tar.TypeDir {
			return false
		}
	}
	return true
}

// alpine is a package database as apk writes it.
func (q quarry) alpine(number int) (part, error) {
	var p part
	var db strings.Builder
	for _, name := range []string{"alpine-baselayout", "busybox", "ssl_client", "libcrypto3", "libssl3", "musl", "musl-utils", "zlib", "apk-tools", "ca-certificates-bundle"} {
		s := software{kind: "apk", name: name, source: name, version: fmt.Sprintf("1.%d.0-r0", number), number: number}
		switch name {
		case "ssl_client":
			s.source = "busybox"
		case "libcrypto3", "libssl3":
			s.source = "openssl"
		case "musl-utils":
			s.source = "musl"
		}
		p.packages = append(p.packages, s)
		fmt.Fprintf(&db, "C:Q1AAAAAAAAAAAAAAAAAAAAAAAAAAA=\nP:%s\nV:%s\nA:x86_64\nS:1000\nI:2000\nT:a package\nU:https://alpinelinux.org\nL:MIT\no:%s\nt:1700000000\nF:usr/share/%s\nR:data\n\n", s.name, s.version, s.source, s.name)
	}
	return q.part(p, "ADD alpine-minirootfs.tar.gz /", testimage.Files(map[string]string{
		"etc/os-release":       "NAME=\"Alpine Linux\"\nID=alpine\nVERSION_ID=3.22.1\nPRETTY_NAME=\"Alpine Linux v3.22\"\n",
		"lib/apk/db/installed": db.String(),
		"bin/busybox":          fmt.Sprintf("stands for busybox 1.%d", number),
	}))
}

// rocky is a database that rpm itself wrote, of packages that rpmbuild built.
func (q quarry) rocky(number int) (part, error) {
	var p part
	dir, err := os.MkdirTemp(q.dir, "rpm")
	if err != nil {
		return p, err
	}
	install := []string{"--define", "_db_backend sqlite", "--dbpath", filepath.Join(dir, "db"), "-i", "--justdb", "--nodeps", "--nosignature", "--noscripts", "--notriggers", "--force-debian"}
	for _, name := range []string{"bash", "curl", "glibc", "zlib"} {
		s := software{kind: "rpm", name: name, source: name, version: fmt.Sprintf("1.%d.0-1.el9", number), number: number}
		p.packages = append(p.packages, s)
		spec := filepath.Join(dir, name+".spec")
		text := fmt.Sprintf("Name: %s\nVersion: 1.%d.0\nRelease: 1.el9\nLicense: MIT\nSummary: a test\nBuildArch: noarch\n%%description\ntest\n%%install\nmkdir -p %%{buildroot}/usr/share/%s\n: >%%{buildroot}/usr/share/%s/data\n%%files\n/usr/share/%s/data\n", name, number, name, name, name)
		if err := os.WriteFile(spec, []byte(text), 0o644); err != nil {
			return p, err
		}
		if _, err := tool("rpmbuild", "-bb", "--quiet", "--define", "_topdir "+dir+"/build", "--define", "_build_id_links none", spec); err != nil {
			return p, err
		}
	}
	built, err := filepath.Glob(dir + "/build/RPMS/noarch/*.rpm")
	if err != nil || len(built) != len(p.packages) {
		return p, fmt.Errorf("rpmbuild built %v: %w", built, err)
	}
	if _, err := tool("rpm", append(install, built...)...); err != nil {
		return p, err
	}
	db, err := os.ReadFile(filepath.Join(dir, "db/rpmdb.sqlite"))
	if err != nil {
		return p, err
	}
	return q.part(p, "ADD rocky.tar /", testimage.Files(map[string]string{
		"etc/os-release":                      "NAME=\"Rocky Linux\"\nID=\"rocky\"\nVERSION_ID=\"9.3\"\nPRETTY_NAME=\"Rocky Linux 9.3 (Blue Onyx)\"\n",
		"usr/lib/sysimage/rpm/rpmdb.sqlite":   string(db),
		"usr/share/licenses/rocky-release/EU": "a licence\n",
	}))
}

func (q quarry) npm(number int) (part, error) {
	var p part
	files := map[string]string{}
	for _, name := range []string{"lodash", "minimist", "express", "@scope/tool"} {
		s := software{kind: "npm", name: name, source: name, version: fmt.Sprintf("1.%d.0", number), number: number}
		p.packages = append(p.packages, s)
		files["srv/app/node_modules/"+name+"/package.json"] = fmt.Sprintf(`{"name":%q,"version":%q,"license":"MIT"}`, name, s.version)
		files["srv/app/node_modules/"+name+"/index.js"] = "module.exports = {}\n"
	}
	return q.part(p, "RUN npm ci", testimage.Files(files))
}

func (q quarry) python(number int) (part, error) {
	var p part
	files := map[string]string{}
	for _, name := range []string{"pyyaml", "urllib3", "jinja2"} {
		s := software{kind: "pypi", name: name, source: name, version: fmt.Sprintf("1.%d.0", number), number: number}
		p.packages = append(p.packages, s)
		info := "usr/local/lib/python3.12/site-packages/" + name + "-" + s.version + ".dist-info/"
		files[info+"METADATA"] = "Metadata-Version: 2.1\nName: " + name + "\nVersion: " + s.version + "\nLicense: MIT\n\nStands for it.\n"
		files[info+"INSTALLER"] = "pip\n"
	}
	return q.part(p, "RUN pip install -r requirements.txt", testimage.Files(files))
}

func (q quarry) java(number int) (part, error) {
	s := software{kind: "maven", name: "org.apache.logging.log4j:log4j-core", source: "org.apache.logging.log4j:log4j-core", version: fmt.Sprintf("1.%d.0", number), number: number}
	jar, err := zipped(map[string]string{
		"META-INF/MANIFEST.MF": "Manifest-Version: 1.0\nImplementation-Title: Apache Log4j Core\nImplementation-Version: " + s.version + "\n",
		"META-INF/maven/org.apache.logging.log4j/log4j-core/pom.properties": "groupId=org.apache.logging.log4j\nartifactId=log4j-core\nversion=" + s.version + "\n",
	})
	if err != nil {
		return part{}, err
	}
	return q.part(part{packages: []software{s}}, "COPY app.jar /srv", testimage.Files(map[string]string{"srv/lib/log4j-core-" + s.version + ".jar": jar}))
}

// golang is a real binary; what is in it says the toolchain's own version.
func (q quarry) golang() (part, error) {
	dir, err := os.MkdirTemp(q.dir, "go")
	if err != nil {
		return part{}, err
	}
	for name, text := range map[string]string{"go.mod": "module planted.test/hello\n\ngo 1.24\n", "main.go": "package main\n\nfunc main() { println(\"hello\") }\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return part{}, err
		}
	}
	build := exec.Command("go", "build", "-ldflags", "-s -w", "-buildvcs=false", "-o", "hello", ".")
	build.Dir = dir
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		return part{}, fmt.Errorf("go build: %w\n%s", err, out)
	}
	text, err := os.ReadFile(filepath.Join(dir, "hello"))
	if err != nil {
		return part{}, err
	}
	version, _, _ := strings.Cut(strings.TrimPrefix(runtime.Version(), "go"), " ")
	p := part{packages: []software{
		{kind: "golang", name: "stdlib", source: "stdlib", version: version},
		{kind: "golang", name: "planted.test/hello", source: "planted.test/hello"},
	}}
	return q.part(p, "COPY hello /usr/local/bin", testimage.Files(map[string]string{"usr/local/bin/hello": string(text)}))
}

// credential is one that nobody ever issued.
func credential() string { return "g" + "hp_" + (rand.Text() + rand.Text())[:36] }

func (q quarry) secret(value string) (part, error) {
	return q.part(part{secrets: 1}, "COPY deploy.env /srv/config/", testimage.Files(map[string]string{
		"srv/config/deploy.env": "GITHUB_TOKEN=" + value + "\n",
	}))
}

// virus has EICAR's test file, once as it is and once in an archive.
func (q quarry) virus() (part, error) {
	upload, err := zipped(map[string]string{"invoice.com": eicar()})
	if err != nil {
		return part{}, err
	}
	return q.part(part{malware: 2}, "COPY upload /srv/upload", testimage.Files(map[string]string{
		"srv/upload/readme.com": eicar(), "srv/upload/invoice.zip": upload,
	}))
}

// note makes an image differ from every other one.
func (q quarry) note(text string) (part, error) {
	return q.part(part{}, "COPY note /", testimage.Files(map[string]string{"etc/note": text + "\n"}))
}

// eicar returns the anti-malware test file, which is kept reversed here.
func eicar() string {
	b := []byte(`*H+H$!ELIF-TSET-SURIVITNA-DRADNATS-RACIE$}7)CC7)^P(45XZP\4[PA@%P!O5X`)
	slices.Reverse(b)
	return string(b)
}

func zipped(files map[string]string) (string, error) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		w, err := z.Create(name)
		if err != nil {
			return "", err
		}
		if _, err := w.Write([]byte(files[name])); err != nil {
			return "", err
		}
	}
	err := z.Close()
	return b.String(), err
}

// tool runs another program and returns what it printed.
func tool(name string, args ...string) (string, error) {
	if _, err := exec.LookPath(name); err != nil {
		return "", fmt.Errorf("%s is missing: \"make deps\" installs it", name)
	}
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive")
	out, err := cmd.Output()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		return "", fmt.Errorf("%s: %w\n%s", name, err, failed.Stderr)
	}
	return string(out), err
}
