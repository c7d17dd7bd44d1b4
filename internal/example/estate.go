package example

import (
	"bytes"
	"database/sql"
	"embed"
	"encoding/binary"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	_ "modernc.org/sqlite" // what rpm keeps its packages in
)

// Repository is a repository of the demonstration's registry.
type Repository struct {
	Name string // "shop/web"
	Tags []Tagged
}

// Tagged is an image under a tag; an index when it was built for two platforms.
type Tagged struct {
	Tag   string
	Image v1.Image
	Index v1.ImageIndex // instead of Image
}

// Estate makes the images of the demonstration: a dozen repositories of a small
// company, on bases that they share, with something of everything that a scan
// finds. The same program makes the same digests.
func Estate() ([]Repository, error) {
	b := &builder{layers: map[string]v1.Layer{}}
	repositories := []Repository{
		{Name: "base/debian", Tags: b.tags("12", debianBase())},
		{Name: "base/alpine", Tags: b.tags("3.18", alpineBase())},
		{Name: "base/ubi", Tags: b.tags("9.2", redhatBase())},
		{Name: "shop/web", Tags: append(b.tags("1.4.0", web("4.17.20", "1.2.5")), b.tags("1.5.0", web("4.17.21", "1.2.8"), "latest")...)},
		{Name: "shop/orders", Tags: b.tags("2.3.1", orders())},
		{Name: "shop/payments", Tags: append(b.tags("0.9.0", payments(true)), b.tags("0.9.1", payments(false))...)},
		{Name: "shop/search", Tags: b.tags("1.1.0", search())},
		{Name: "shop/gateway", Tags: b.platforms("3.0.2", gateway())},
		{Name: "data/reports", Tags: b.tags("2026.7", reports())},
		{Name: "ops/backup", Tags: b.tags("5.1", backup())},
		{Name: "ops/uploads", Tags: b.tags("1.0", uploadService())},
		{Name: "legacy/cms", Tags: b.tags("4.2", cms())},
		{Name: "lab/tool", Tags: b.tags("dev", tool())},
	}
	return repositories, b.err
}

// WriteEstateFeeds writes what is known about the estate's packages to dir, for
// "pratique feed import": the example's records and some for its other
// distributions and languages.
func WriteEstateFeeds(dir string) error {
	if err := writeFeeds(dir); err != nil {
		return err
	}
	return fs.WalkDir(estateFeeds, "estate", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := estateFeeds.ReadFile(name)
		if err != nil {
			return err
		}
		return writeFile(filepath.Join(dir, "osv", filepath.FromSlash(strings.TrimPrefix(name, "estate/"))), b)
	})
}

//go:embed estate
var estateFeeds embed.FS

// recipe is an image to be built.
type recipe struct {
	steps  []step
	days   int // before the example's day
	config v1.Config
}

// builder makes images, and each layer once.
type builder struct {
	layers map[string]v1.Layer // by instruction
	err    error
}

func (b *builder) tags(tag string, r recipe, more ...string) []Tagged {
	img := b.image(r, "amd64")
	all := []Tagged{{Tag: tag, Image: img}}
	for _, t := range more {
		all = append(all, Tagged{Tag: t, Image: img})
	}
	return all
}

func (b *builder) platforms(tag string, r recipe) []Tagged {
	var index v1.ImageIndex = empty.Index
	for _, arch := range []string{"amd64", "arm64"} {
		if img := b.image(r, arch); b.err == nil {
			index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}}})
		}
	}
	return []Tagged{{Tag: tag, Index: mutate.IndexMediaType(index, "application/vnd.oci.image.index.v1+json")}}
}

func (b *builder) image(r recipe, arch string) v1.Image {
	built := v1.Time{Time: epoch.AddDate(0, 0, -r.days)}
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, "application/vnd.oci.image.manifest.v1+json"), "application/vnd.oci.image.config.v1+json")
	img, err := mutate.ConfigFile(img, &v1.ConfigFile{OS: "linux", Architecture: arch, Created: built, Author: "Pratique demonstration", Config: r.config, RootFS: v1.RootFS{Type: "layers"}})
	for _, s := range r.steps {
		if err != nil {
			break
		}
		var layer v1.Layer
		if layer, err = b.layer(s); err == nil {
			img, err = mutate.Append(img, mutate.Addendum{Layer: layer, History: v1.History{Created: built, CreatedBy: s.instruction}})
		}
	}
	if b.err == nil {
		b.err = err
	}
	return img
}

func (b *builder) layer(s step) (v1.Layer, error) {
	if l, ok := b.layers[s.instruction]; ok {
		return l, nil
	}
	l, err := layerOf(s)
	b.layers[s.instruction] = l
	return l, err
}

func these(files map[string]string) func() (map[string]string, error) {
	return func() (map[string]string, error) { return files, nil }
}

// on puts further steps on top of a base.
func (r recipe) on(days int, steps ...step) recipe {
	return recipe{steps: append(slices.Clone(r.steps), steps...), days: days, config: v1.Config{Env: r.config.Env, Labels: map[string]string{"org.opencontainers.image.vendor": "Example Shop"}}}
}

func (r recipe) env(more ...string) recipe {
	r.config.Env = append(slices.Clone(r.config.Env), more...)
	return r
}

func (r recipe) as(user string, cmd ...string) recipe {
	r.config.User, r.config.Cmd = user, cmd
	return r
}

const usualPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

func debianBase() recipe {
	return recipe{days: 120, config: v1.Config{Env: []string{usualPath}, Cmd: []string{"bash"}}, steps: []step{{"ADD debian-12.tar.xz / # debian 12", debian}}}
}

func alpineBase() recipe {
	return recipe{days: 400, config: v1.Config{Env: []string{usualPath}, Cmd: []string{"/bin/sh"}}, steps: []step{{"ADD alpine-minirootfs-3.18.2-x86_64.tar.gz / # alpine 3.18", alpine}}}
}

func redhatBase() recipe {
	return recipe{days: 500, config: v1.Config{Env: []string{usualPath}, Cmd: []string{"/bin/bash"}}, steps: []step{{"ADD ubi9.tar.gz / # red hat 9", redhat}}}
}

// web is a Node service; the newer version has newer packages.
func web(lodash, minimist string) recipe {
	days := 80
	if lodash == "4.17.21" {
		days = 3
	}
	modules := map[string]string{"express": "4.18.2", "lodash": lodash, "minimist": minimist, "strip-ansi": "6.0.0", "strip-ansi/node_modules/ansi-regex": "5.0.0"}
	files := map[string]string{"srv/web/index.js": "require('express')().listen(8080)\n", "srv/web/package.json": `{"name":"web","version":"1.0.0","private":true}` + "\n"}
	for folder, version := range modules {
		files["srv/web/node_modules/"+folder+"/package.json"] = fmt.Sprintf(`{"name":%q,"version":%q,"license":"MIT"}`+"\n", path.Base(folder), version)
	}
	return debianBase().on(days, step{"RUN apt-get install -y nodejs # 18", these(map[string]string{"usr/bin/node": "stands for nodejs\n"})},
		step{"RUN npm ci --omit=dev # lodash " + lodash, these(files)}).as("node", "node", "/srv/web/index.js")
}

// orders is a Java service with a jar in a war.
func orders() recipe {
	return debianBase().on(41, step{"RUN apt-get install -y openjdk-17-jre-headless", these(map[string]string{"usr/lib/jvm/java-17/release": "JAVA_VERSION=\"17.0.6\"\n"})},
		step{"COPY target/orders.war /srv/", func() (map[string]string, error) {
			all, err := uploads()
			return map[string]string{"srv/orders.war": all["srv/shop.war"]}, err
		}}).as("", "java", "-jar", "/srv/orders.war")
}

// payments is a Python service that once kept its credentials in the image.
func payments(careless bool) recipe {
	r := debianBase().on(12, step{"RUN pip install -r requirements.txt # payments", these(python("PyYAML", "5.3.1", "urllib3", "1.26.4", "Jinja2", "3.1.2"))})
	if careless {
		r = debianBase().on(30, step{"RUN pip install -r requirements.txt # payments", these(python("PyYAML", "5.3.1", "urllib3", "1.26.4", "Jinja2", "3.1.2"))},
			step{"COPY deploy.env /srv/payments/", these(map[string]string{"srv/payments/deploy.env": "CODE_TOKEN=" + credential("payments", "g"+"hp_", 36) + "\nDATABASE_URL=postgres://payments:" + credential("payments database", "", 20) + "@db.example.test:5432/payments\n"})},
			step{"RUN rm /srv/payments/deploy.env", these(map[string]string{"srv/payments/.wh.deploy.env": ""})})
		r = r.env("DB_PASSWORD=" + credential("payments database", "", 20))
	}
	return r.as("app", "python3", "-m", "payments")
}

func python(pairs ...string) map[string]string {
	files := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		info := "usr/local/lib/python3.11/site-packages/" + pairs[i] + "-" + pairs[i+1] + ".dist-info/"
		files[info+"METADATA"] = "Metadata-Version: 2.1\nName: " + pairs[i] + "\nVersion: " + pairs[i+1] + "\nLicense: BSD-3-Clause\n\nStands for the package.\n"
		files[info+"INSTALLER"] = "pip\n"
	}
	return files
}

// search is a Go program on nothing.
func search() recipe {
	program := goProgram("go1.20.4", "example.test/shop/search", "golang.org/x/net v0.10.0", "golang.org/x/crypto v0.9.0", "google.golang.org/grpc v1.55.0")
	return recipe{days: 60, config: v1.Config{User: "65532", Env: []string{usualPath}, Cmd: []string{"/search"}}, steps: []step{
		{"COPY search / # go", these(map[string]string{"bin/search": program, "etc/passwd": "nonroot:x:65532:65532::/:/sbin/nologin\n"})}}}
}

func gateway() recipe {
	return alpineBase().on(9, step{"COPY gateway /usr/bin/ # go", these(map[string]string{"usr/bin/gateway": goProgram("go1.22.5", "example.test/shop/gateway", "golang.org/x/net v0.23.0")})}).as("nobody", "gateway")
}

func reports() recipe {
	return redhatBase().on(26, step{"RUN pip install -r requirements.txt # reports", these(python("urllib3", "1.26.4", "numpy", "1.26.4"))}).as("1001", "python3", "-m", "reports")
}

func backup() recipe {
	key := "-----BEGIN OPENSSH PRIVATE " + "KEY-----\n" + lines(credential("backup key", "b3BlbnNzaC1rZXktdjE", 300), 70) + "-----END OPENSSH PRIVATE " + "KEY-----\n"
	return alpineBase().on(210, step{"COPY id_ed25519 /root/.ssh/ # backup", these(map[string]string{"root/.ssh/id_ed25519": key})}).as("", "crond", "-f")
}

func uploadService() recipe {
	return alpineBase().on(5, step{"COPY samples /srv/samples", func() (map[string]string, error) {
		all, err := uploads()
		return map[string]string{"srv/samples/readme.com": all["srv/upload/readme.com"], "srv/samples/invoice.zip": all["srv/upload/invoice.zip"], "opt/tools/updater.sh": all["opt/tools/updater.sh"]}, err
	}}).as("nobody", "uploads")
}

// cms stands on a distribution that is no longer supported.
func cms() recipe {
	files := map[string]string{
		"etc/os-release": "PRETTY_NAME=\"Debian GNU/Linux 9 (stretch)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"9\"\nVERSION=\"9 (stretch)\"\nID=debian\n",
		"var/lib/dpkg/status": "Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nSource: glibc\nVersion: 2.24-11+deb9u4\nDescription: GNU C Library\n\n" +
			"Package: php7.0-cli\nStatus: install ok installed\nArchitecture: amd64\nSource: php7.0\nVersion: 7.0.33-0+deb9u12\nDescription: command-line interpreter for PHP\n\n",
		"var/www/index.php": "<?php echo 'hello'; ?>\n",
	}
	return recipe{days: 2200, config: v1.Config{Env: []string{usualPath, "MYSQL_PASSWORD=" + credential("cms", "", 16)}, Cmd: []string{"php", "-S", "0.0.0.0:80"}}, steps: []step{{"ADD stretch.tar.xz / # debian 9", these(files)}}}
}

// tool is an image about which nobody can say much.
func tool() recipe {
	return recipe{days: 1, config: v1.Config{Cmd: []string{"/tool"}}, steps: []step{{"COPY tool /", these(map[string]string{"tool": "#!/bin/sh\nexit 0\n"})}}}
}

func lines(s string, width int) string {
	var b strings.Builder
	for part := range slices.Chunk([]byte(s), width) {
		b.Write(append(part, '\n'))
	}
	return b.String()
}

// alpine is the part of an Alpine system that tells what is installed.
func alpine() (map[string]string, error) {
	var installed strings.Builder
	for _, p := range [][3]string{{"musl", "1.2.4-r0", "musl"}, {"busybox", "1.36.1-r0", "busybox"}, {"libcrypto3", "3.1.1-r1", "openssl"}, {"libssl3", "3.1.1-r1", "openssl"}, {"zlib", "1.2.13-r1", "zlib"}, {"libcurl", "8.1.2-r0", "curl"}, {"apk-tools", "2.14.0-r2", "apk-tools"}} {
		fmt.Fprintf(&installed, "P:%s\nV:%s\nA:x86_64\nS:1000\nI:4000\nT:Stands for the package\nU:https://alpinelinux.org\nL:MIT\no:%s\nF:lib\nR:%s.so\n\n", p[0], p[1], p[2], p[0])
	}
	return map[string]string{
		"etc/os-release":       "NAME=\"Alpine Linux\"\nID=alpine\nVERSION_ID=3.18.2\nPRETTY_NAME=\"Alpine Linux v3.18\"\n",
		"etc/alpine-release":   "3.18.2\n",
		"lib/apk/db/installed": installed.String(),
		"etc/passwd":           "root:x:0:0:root:/root:/bin/ash\n",
	}, nil
}

// redhat is the part of a Red Hat system that tells what is installed.
func redhat() (map[string]string, error) {
	database, err := rpmDatabase([]rpm{
		{"glibc", "2.34", "60.el9", 0, "LGPLv2+", "glibc-2.34-60.el9.src.rpm"},
		{"openssl-libs", "3.0.7", "6.el9_2", 1, "ASL 2.0", "openssl-3.0.7-6.el9_2.src.rpm"},
		{"curl-minimal", "7.76.1", "23.el9", 0, "MIT", "curl-7.76.1-23.el9.src.rpm"},
		{"python3", "3.9.16", "1.el9", 0, "Python", "python3.9-3.9.16-1.el9.src.rpm"},
	})
	return map[string]string{
		"etc/os-release":           "NAME=\"Red Hat Enterprise Linux\"\nVERSION=\"9.2 (Plow)\"\nID=\"rhel\"\nID_LIKE=\"fedora\"\nVERSION_ID=\"9.2\"\nPRETTY_NAME=\"Red Hat Enterprise Linux 9.2 (Plow)\"\nCPE_NAME=\"cpe:/o:redhat:enterprise_linux:9::baseos\"\n",
		"etc/redhat-release":       "Red Hat Enterprise Linux release 9.2 (Plow)\n",
		"var/lib/rpm/rpmdb.sqlite": string(database),
	}, err
}

type rpm struct {
	name, version, release string
	epoch                  uint32
	license, source        string
}

// rpmDatabase is rpm's SQLite database with some packages.
func rpmDatabase(packages []rpm) (_ []byte, err error) {
	dir, err := os.MkdirTemp("", "pratique-demo-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	name := filepath.Join(dir, "rpmdb.sqlite")
	db, err := sql.Open("sqlite", name)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	if _, err := db.Exec("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)"); err != nil {
		return nil, err
	}
	for _, p := range packages {
		if _, err := db.Exec("INSERT INTO Packages (blob) VALUES (?)", p.header()); err != nil {
			return nil, err
		}
	}
	if err := db.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(name)
}

// header is the package in rpm's format
// (https://rpm-software-management.github.io/rpm/manual/format_header.html): two
// counts, an index of tags, and their values.
func (p rpm) header() []byte {
	texts := map[uint32]string{1000: p.name, 1001: p.version, 1002: p.release, 1014: p.license, 1022: "x86_64", 1044: p.source}
	var index, data []byte
	entry := func(tag, kind uint32) {
		for _, n := range []uint32{tag, kind, uint32(len(data)), 1} {
			index = binary.BigEndian.AppendUint32(index, n)
		}
	}
	for _, tag := range slices.Sorted(maps.Keys(texts)) {
		entry(tag, 6)
		data = append(append(data, texts[tag]...), 0)
	}
	if p.epoch > 0 {
		for len(data)%4 != 0 {
			data = append(data, 0)
		}
		entry(1003, 4)
		data = binary.BigEndian.AppendUint32(data, p.epoch)
	}
	head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(len(index)/16)), uint32(len(data)))
	return slices.Concat(head, index, data)
}

// goProgram is an ELF file that holds nothing but what a Go program says about
// its modules (debug/buildinfo): it cannot be run.
func goProgram(version, module string, dependencies ...string) string {
	text := "path\t" + module + "\nmod\t" + module + "\t(devel)\t\n"
	for _, d := range dependencies {
		text += "dep\t" + strings.ReplaceAll(d, " ", "\t") + "\th1:" + credential(d, "", 43) + "=\n"
	}
	sentinel := strings.Repeat("\x30", 16)
	info := append([]byte("\xff Go buildinf:"), 8, 2) // size of a pointer; the texts are inline
	info = append(info, make([]byte, 16)...)
	for _, s := range []string{version, sentinel + text + sentinel} {
		info = append(binary.AppendUvarint(info, uint64(len(s))), s...)
	}
	const sectionName = "\x00.go.buildinfo\x00.shstrtab\x00"
	const base, start = 0x400000, 128 // behind the headers of the file and of its one segment, at a multiple of 16
	names := uint64(start + len(info))
	table := (names + uint64(len(sectionName)) + 7) &^ 7
	le := binary.LittleEndian
	var f bytes.Buffer
	f.WriteString("\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 9))
	for _, v := range []any{uint16(2), uint16(62), uint32(1), uint64(base + start), uint64(64), table, uint32(0), uint16(64), uint16(56), uint16(1), uint16(64), uint16(3), uint16(2),
		uint32(1), uint32(6), uint64(0), uint64(base), uint64(base), names, names, uint64(4096)} {
		_ = binary.Write(&f, le, v) // a buffer takes everything
	}
	f.Write(make([]byte, start-f.Len()))
	f.Write(info)
	f.WriteString(sectionName)
	f.Write(make([]byte, table-names-uint64(len(sectionName))))
	for _, s := range [][]any{
		{uint32(0), uint32(0), uint64(0), uint64(0), uint64(0), uint64(0), uint32(0), uint32(0), uint64(0), uint64(0)},
		{uint32(1), uint32(1), uint64(3), uint64(base + start), uint64(start), uint64(len(info)), uint32(0), uint32(0), uint64(16), uint64(0)},
		{uint32(15), uint32(3), uint64(0), uint64(0), names, uint64(len(sectionName)), uint32(0), uint32(0), uint64(1), uint64(0)},
	} {
		for _, v := range s {
			_ = binary.Write(&f, le, v)
		}
	}
	return f.String()
}

// EstateDay is the day on which the newest image of the estate was built.
func EstateDay() time.Time { return epoch }
