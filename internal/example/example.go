// Package example makes a small container image with something of everything
// that a scan can find, and the advisories to judge it by, so that a newcomer
// sees a full report within a minute and without a network. README.md beside
// this file says what is in the image, and why.
package example

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io"
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
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// feeds holds the advisories and scores, laid out as "pratique feed import"
// wants a folder.
//
//go:embed feeds
var feeds embed.FS

// epoch is the time of everything in the image.
var epoch = time.Date(2026, 8, 16, 12, 0, 0, 0, time.UTC)

// Paths are what Write wrote.
type Paths struct {
	Image string // an OCI layout
	Feeds string // a folder for "pratique feed import"
}

// Write makes the example in dir, which is created where it is missing.
func Write(dir string) (Paths, error) {
	p := Paths{Image: filepath.Join(dir, "image"), Feeds: filepath.Join(dir, "feeds")}
	if err := writeFeeds(p.Feeds); err != nil {
		return p, err
	}
	img, err := Image()
	if err != nil {
		return p, err
	}
	named := mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{
		Platform:    &v1.Platform{OS: "linux", Architecture: "amd64"},
		Annotations: map[string]string{"org.opencontainers.image.ref.name": "1.0", "io.containerd.image.name": "example.test/shop:1.0"},
	}})
	_, err = layout.Write(p.Image, named)
	return p, err
}

// Image makes the image. The same program makes the same digests.
func Image() (v1.Image, error) {
	base := mutate.MediaType(empty.Image, "application/vnd.oci.image.manifest.v1+json")
	base = mutate.ConfigMediaType(base, "application/vnd.oci.image.config.v1+json")
	img, err := mutate.ConfigFile(base, &v1.ConfigFile{
		OS: "linux", Architecture: "amd64", Created: v1.Time{Time: epoch}, Author: "Pratique example",
		Config: v1.Config{
			Env:        []string{"PATH=/usr/local/bin:/usr/bin:/bin", "DB_PASSWORD=" + credential("database", "", 20)},
			Cmd:        []string{"node", "/srv/app/index.js"},
			WorkingDir: "/srv/app",
			Labels:     map[string]string{"org.opencontainers.image.title": "shop"},
		},
		RootFS: v1.RootFS{Type: "layers"},
	})
	if err != nil {
		return nil, err
	}
	for _, s := range steps() {
		layer, err := layerOf(s)
		if err != nil {
			return nil, err
		}
		img, err = mutate.Append(img, mutate.Addendum{
			Layer:   layer,
			History: v1.History{Created: v1.Time{Time: epoch}, CreatedBy: s.instruction},
		})
		if err != nil {
			return nil, err
		}
	}
	return img, nil
}

func layerOf(s step) (v1.Layer, error) {
	files, err := s.files()
	if err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) { return archive(files) },
		tarball.WithMediaType("application/vnd.oci.image.layer.v1.tar+gzip"))
}

// step is one build instruction with what it adds: content by path. A path in
// whiteout form removes, as in the layer itself.
type step struct {
	instruction string
	files       func() (map[string]string, error)
}

func steps() []step {
	return []step{
		{"ADD rootfs.tar.xz / # debian 12", debian},
		{"COPY config /srv/config", configuration},
		{"RUN npm ci && pip install -r requirements.txt", application},
		{"COPY shop.war upload /srv/", uploads},
		{"RUN rm /srv/config/deploy.env", cleaning},
	}
}

// debian is the part of a Debian system that tells what is installed.
func debian() (map[string]string, error) {
	files := map[string]string{
		"usr/lib/os-release": `PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
NAME="Debian GNU/Linux"
VERSION_ID="12"
VERSION="12 (bookworm)"
VERSION_CODENAME=bookworm
ID=debian
HOME_URL="https://www.debian.org/"
`,
		"etc/debian_version": "12.0\n",
		"etc/passwd":         "root:x:0:0:root:/root:/bin/bash\n",
	}
	var status strings.Builder
	for _, p := range debianPackages {
		state, source := "install ok installed", ""
		if p.removed {
			state = "deinstall ok config-files"
		}
		if p.source != "" {
			source = "Source: " + p.source + "\n"
		}
		fmt.Fprintf(&status, "Package: %s\nStatus: %s\nPriority: optional\nSection: libs\nMaintainer: Debian <debian@example.test>\nArchitecture: amd64\n%sVersion: %s\nDescription: %s\n\n",
			p.name, state, source, p.version, p.description)
		if p.removed {
			continue
		}
		files["var/lib/dpkg/info/"+p.name+".list"] = "/.\n/usr\n/" + strings.Join(p.files, "\n/") + "\n/usr/share/doc/" + p.name + "/copyright\n"
		for _, f := range p.files {
			files[f] = "stands for " + p.name + "\n"
		}
		files["usr/share/doc/"+p.name+"/copyright"] = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\nCopyright: the authors\nLicense: " + p.license + "\n"
	}
	files["var/lib/dpkg/status"] = status.String()
	return files, nil
}

// debianPackages are the installed packages, older than the first fixes that the
// example's advisories name.
var debianPackages = []struct {
	name, version, source, license, description string
	removed                                     bool
	files                                       []string
}{
	{name: "base-files", version: "12.4", license: "GPL-2+", description: "Debian base system miscellaneous files", files: []string{"etc/issue"}},
	{name: "bash", version: "5.2.15-2+b2", source: "bash (5.2.15-2)", license: "GPL-3+", description: "GNU Bourne Again SHell", files: []string{"bin/bash"}},
	{name: "libc6", version: "2.36-9+deb12u1", source: "glibc", license: "LGPL-2.1+", description: "GNU C Library", files: []string{"lib/x86_64-linux-gnu/libc.so.6"}},
	{name: "libcurl4", version: "7.88.1-10+deb12u1", source: "curl", license: "curl", description: "client-side URL transfer library", files: []string{"usr/lib/x86_64-linux-gnu/libcurl.so.4"}},
	{name: "libssl3", version: "3.0.7-1", source: "openssl", license: "Apache-2.0", description: "Secure Sockets Layer toolkit - shared libraries", files: []string{"usr/lib/x86_64-linux-gnu/libssl.so.3"}},
	{name: "openssl", version: "3.0.7-1", license: "Apache-2.0", description: "Secure Sockets Layer toolkit", files: []string{"usr/bin/openssl"}},
	{name: "wget", version: "1.21.3-1+b2", source: "wget (1.21.3-1)", license: "GPL-3", description: "retrieves files from the web", removed: true},
	{name: "zlib1g", version: "1:1.2.11.dfsg-4", source: "zlib", license: "Zlib", description: "compression library - runtime", files: []string{"lib/x86_64-linux-gnu/libz.so.1"}},
}

func configuration() (map[string]string, error) {
	return map[string]string{
		"srv/config/deploy.env": "# used once, by the pipeline\n" +
			"GITHUB_TOKEN=" + credential("code host", "g"+"hp_", 36) + "\n" +
			"DATABASE_URL=postgres://shop:" + credential("database", "", 20) + "@db.example.test:5432/shop\n",
		"srv/config/shop.yaml": "listen: 0.0.0.0:8080\ncurrency: EUR\n",
	}, nil
}

func application() (map[string]string, error) {
	files := map[string]string{
		"srv/app/index.js":     "require('express')().listen(8080)\n",
		"srv/app/package.json": `{"name":"shop","version":"1.0.0","private":true,"dependencies":{"express":"4.18.2","lodash":"4.17.20","minimist":"1.2.5","strip-ansi":"6.0.0"}}` + "\n",
	}
	for folder, version := range map[string]string{
		"express": "4.18.2", "lodash": "4.17.20", "minimist": "1.2.5", "strip-ansi": "6.0.0",
		"strip-ansi/node_modules/ansi-regex": "5.0.0",
	} {
		files["srv/app/node_modules/"+folder+"/package.json"] = fmt.Sprintf(`{"name":%q,"version":%q,"license":"MIT"}`+"\n", path.Base(folder), version)
		files["srv/app/node_modules/"+folder+"/index.js"] = "module.exports = {}\n"
	}
	for name, version := range map[string]string{"PyYAML": "5.3.1", "urllib3": "1.26.4"} {
		info := "usr/local/lib/python3.11/site-packages/" + name + "-" + version + ".dist-info/"
		files[info+"METADATA"] = "Metadata-Version: 2.1\nName: " + name + "\nVersion: " + version + "\nLicense: MIT\n\nStands for the package.\n"
		files[info+"INSTALLER"] = "pip\n"
	}
	return files, nil
}

func uploads() (map[string]string, error) {
	const maven = "META-INF/maven/org.apache.logging.log4j/log4j-core/"
	jar, err := zipped(map[string]string{
		"META-INF/MANIFEST.MF":   "Manifest-Version: 1.0\nImplementation-Title: Apache Log4j Core\nImplementation-Version: 2.14.1\n",
		maven + "pom.properties": "groupId=org.apache.logging.log4j\nartifactId=log4j-core\nversion=2.14.1\n",
	})
	if err != nil {
		return nil, err
	}
	war, err := zipped(map[string]string{
		"META-INF/MANIFEST.MF":              "Manifest-Version: 1.0\n",
		"WEB-INF/web.xml":                   "<web-app/>\n",
		"WEB-INF/lib/log4j-core-2.14.1.jar": jar,
	})
	if err != nil {
		return nil, err
	}
	upload, err := zipped(map[string]string{"invoice.com": eicar()})
	if err != nil {
		return nil, err
	}
	return map[string]string{
		"srv/shop.war":           war,
		"srv/upload/readme.com":  eicar(),
		"srv/upload/invoice.zip": upload,
		"opt/tools/updater.sh":   updater,
	}, nil
}

func cleaning() (map[string]string, error) {
	return map[string]string{"srv/config/.wh.deploy.env": ""}, nil
}

// updater does nothing. The example's hash list calls it malware.
const updater = "#!/bin/sh\n# Harmless. The hash list of Pratique's example names this file.\nexit 0\n"

// eicar returns the anti-malware test file. It is kept reversed, so that the
// binary does not contain it.
func eicar() string {
	b := []byte(`*H+H$!ELIF-TSET-SURIVITNA-DRADNATS-RACIE$}7)CC7)^P(45XZP\4[PA@%P!O5X`)
	slices.Reverse(b)
	return string(b)
}

// credential returns a string that looks like one, and that nobody ever issued:
// prefix and n letters and digits that follow from the name.
func credential(name, prefix string, n int) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	var b strings.Builder
	b.WriteString(prefix)
	for block := 0; b.Len() < len(prefix)+n; block++ {
		for _, c := range sha256.Sum256(fmt.Appendf(nil, "pratique example %s %d", name, block)) {
			if b.Len() < len(prefix)+n {
				b.WriteByte(alphabet[int(c)%len(alphabet)])
			}
		}
	}
	return b.String()
}

func zipped(files map[string]string) (string, error) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: epoch})
		if err != nil {
			return "", err
		}
		if _, err := io.WriteString(f, files[name]); err != nil {
			return "", err
		}
	}
	err := w.Close() // writes the directory: before the bytes are taken
	return b.String(), err
}

// archive returns files as a tar, with the folders that they need.
func archive(files map[string]string) (io.ReadCloser, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	made := map[string]bool{".": true}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		for _, dir := range parents(name) {
			if made[dir] {
				continue
			}
			made[dir] = true
			if err := w.WriteHeader(&tar.Header{Name: dir + "/", Typeflag: tar.TypeDir, Mode: 0o755, ModTime: epoch}); err != nil {
				return nil, err
			}
		}
		mode := int64(0o644)
		if strings.HasSuffix(name, ".sh") || strings.Contains(name, "bin/") {
			mode = 0o755
		}
		if err := w.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: mode, Size: int64(len(files[name])), ModTime: epoch}); err != nil {
			return nil, err
		}
		if _, err := io.WriteString(w, files[name]); err != nil {
			return nil, err
		}
	}
	return io.NopCloser(&b), w.Close()
}

// parents lists the folders above name, topmost first.
func parents(name string) []string {
	var dirs []string
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		dirs = append(dirs, dir)
	}
	slices.Reverse(dirs)
	return dirs
}

// writeFeeds writes the embedded feeds and the hash list, which names a file
// that only exists once the image is made.
func writeFeeds(dir string) error {
	err := fs.WalkDir(feeds, "feeds", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := feeds.ReadFile(name)
		if err != nil {
			return err
		}
		if strings.HasSuffix(name, ".csv") { // EPSS is published compressed
			name += ".gz"
			if b, err = gzipped(b); err != nil {
				return err
			}
		}
		return writeFile(filepath.Join(dir, filepath.FromSlash(strings.TrimPrefix(name, "feeds/"))), b)
	})
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(updater))
	list := hex.EncodeToString(sum[:]) + "  Example.Updater\n"
	return writeFile(filepath.Join(dir, "hashes", "example.sha256"), []byte(list))
}

func gzipped(b []byte) ([]byte, error) {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(b); err != nil {
		return nil, err
	}
	err := w.Close()
	return out.Bytes(), err
}

func writeFile(name string, b []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, b, 0o644)
}
