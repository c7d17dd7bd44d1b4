package e2e

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/internal/testimage"
)

// realImage is a Debian system with npm packages and a Go binary on top, built
// in steps as a Dockerfile would: packages are removed, purged, held and
// installed in later layers, a folder is replaced and another one emptied.
type realImage struct {
	gzip, zstd, plain testimage.Image
	rootfs            string // the same, as a folder
	// What the packages' own tools say is installed: "type name version arch path"
	// of each.
	debian, npm, golang []string
}

// real builds the image once for all tests.
var real = sync.OnceValues(buildReal)

func theRealImage(t *testing.T) realImage {
	t.Helper()
	img, err := real()
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func buildReal() (img realImage, err error) {
	dir := filepath.Join(work, "real")
	for _, d := range []string{dir, filepath.Join(dir, "blobs")} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return img, err
		}
	}
	stages, err := debianStages(dir)
	if err != nil {
		return img, err
	}
	app, err := npmApp(dir)
	if err != nil {
		return img, err
	}
	steps := []struct {
		by      string
		content testimage.Content
	}{
		{"ADD rootfs.tar.xz /", testimage.Diff(os.DevNull, stages[0])},
		{"RUN apt-get remove …", testimage.Diff(stages[0], stages[1])},
		// What the next but one layer replaces: its packages are gone, its files hidden.
		{"COPY old /srv", testimage.Files(map[string]string{
			"srv/app/node_modules/hidden-by-opaque/package.json": `{"name":"hidden-by-opaque","version":"1.0.0"}`,
			"srv/tools/hidden-by-whiteout/package.json":          `{"name":"hidden-by-whiteout","version":"1.0.0"}`,
			"srv/tools/node_modules/replaced/package.json":       `{"name":"replaced","version":"1.0.0"}`,
		})},
		{"RUN apt-get install …", testimage.Diff(stages[1], stages[2])},
		{"COPY app /srv/app", testimage.Sequence(
			testimage.Opaque("srv/app"), testimage.Folder(app, "srv/app"),
			testimage.Whiteouts("srv/tools"),
			testimage.Files(map[string]string{"usr/local/share/empty/": ""}),
			testimage.Folder(goFolder(), "usr/local/bin"))},
	}
	for _, s := range steps {
		for c, into := range map[testimage.Compression]*testimage.Image{testimage.Gzip: &img.gzip, testimage.Zstd: &img.zstd, testimage.Plain: &img.plain} {
			l, err := testimage.WriteLayer(filepath.Join(dir, "blobs"), c, s.by, s.content)
			if err != nil {
				return img, fmt.Errorf("layer %q: %w", s.by, err)
			}
			into.Layers = append(into.Layers, l)
			into.Tag = "e2e.test/real:1"
		}
	}
	img.rootfs = filepath.Join(dir, "rootfs")
	if err := unpack(stages[2], app, img.rootfs); err != nil {
		return img, err
	}
	if img.debian, err = askDpkg(img.rootfs); err != nil {
		return img, err
	}
	if img.npm, err = askNpm(app); err != nil {
		return img, err
	}
	img.golang, err = askGo(filepath.Join(goFolder(), "pratique"))
	return img, err
}

// goFolder holds a Go binary with many modules: ours.
func goFolder() string {
	dir := filepath.Join(work, "gobin")
	if err := os.MkdirAll(dir, 0o755); err == nil {
		_ = os.Link(binary, filepath.Join(dir, "pratique"))
	}
	return dir
}

// debianStages installs a Debian and returns tars of three moments of its life.
func debianStages(dir string) ([]string, error) {
	var stages []string
	for i := range 3 {
		stages = append(stages, filepath.Join(dir, fmt.Sprintf("stage%d.tar", i)))
	}
	snapshot := func(file string) string {
		return `--customize-hook=tar --numeric-owner --one-file-system --exclude=./var/lib/apt/lists/* --exclude=./var/cache/apt/* -C "$1" -cf ` + file + ` .`
	}
	args := []string{"--variant=minbase", "--quiet", "--aptopt=Apt::Install-Recommends false",
		"--include=curl,nano,less,netbase,ncurses-term,tzdata",
		snapshot(stages[0]),
		// Removed leaves its configuration, and a line "deinstall ok config-files"; purged
		// leaves nothing; held is installed as before.
		`--customize-hook=chroot "$1" dpkg --remove nano`,
		`--customize-hook=chroot "$1" dpkg --purge less netbase`,
		`--customize-hook=echo "tzdata hold" | chroot "$1" dpkg --set-selections`,
		snapshot(stages[1]),
		`--customize-hook=chroot "$1" apt-get install -y --no-install-recommends tree zstd less`,
		snapshot(stages[2]),
	}

	suite, sources, err := testimage.AptSources()
	if err != nil {
		return nil, err
	}
	args = append(args, suite, os.DevNull)
	if sources != "" {
		list := filepath.Join(dir, "sources.list")
		if err := os.WriteFile(list, []byte(sources), 0o644); err != nil {
			return nil, err
		}
		args = append(args, list)
	}
	cmd := exec.Command("mmdebstrap", append([]string{"--format=null"}, args...)...)
	cmd.Env = append(os.Environ(), fmt.Sprintf("SOURCE_DATE_EPOCH=%d", testimage.Epoch.Unix()), "DEBIAN_FRONTEND=noninteractive")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("mmdebstrap (\"make deps\" installs it): %w\n%s", err, tail(string(out)))
	}
	return stages, nil
}

// npmApp installs npm packages, some of them nested in others.
func npmApp(dir string) (string, error) {
	app := filepath.Join(dir, "app")
	if err := os.MkdirAll(app, 0o755); err != nil {
		return "", err
	}
	// debug 2 and 4 want different versions of ms; chalk 2 and 4 of ansi-styles.
	manifest := `{"name":"e2e","version":"1.0.0","private":true,"dependencies":{"express":"4.18.2","debug":"4.3.4","chalk":"4.1.2","chalk2":"npm:chalk@2.4.2","@babel/code-frame":"7.22.13","lodash":"4.17.20","string-width":"4.2.3","wrap-ansi":"8.1.0"}}`
	if err := os.WriteFile(filepath.Join(app, "package.json"), []byte(manifest), 0o644); err != nil {
		return "", err
	}
	_, err := toolErr("npm", "install", "--prefix", app, "--ignore-scripts", "--no-audit", "--no-fund")
	return app, err
}

// unpack makes the folder that the layers add up to.
func unpack(system, app, root string) error {
	if err := os.MkdirAll(root, 0o755); err != nil {
		return err
	}
	if _, err := toolErr("tar", "-C", root, "--exclude=./dev/*", "--no-same-owner", "-xf", system); err != nil {
		return err
	}
	for _, d := range []string{"srv", "usr/local/bin"} {
		if err := os.MkdirAll(filepath.Join(root, d), 0o755); err != nil {
			return err
		}
	}
	if _, err := toolErr("cp", "-a", app, filepath.Join(root, "srv/app")); err != nil {
		return err
	}
	_, err := toolErr("cp", filepath.Join(goFolder(), "pratique"), filepath.Join(root, "usr/local/bin/pratique"))
	return err
}

func askDpkg(root string) ([]string, error) {
	out, err := toolErr("dpkg-query", "--admindir", filepath.Join(root, "var/lib/dpkg"), "-W", "-f", "${db:Status-Status} ${Package} ${Version} ${Architecture}\n")
	if err != nil {
		return nil, err
	}
	var installed []string
	var removed int
	for line := range strings.Lines(out) {
		if p, ok := strings.CutPrefix(strings.TrimSpace(line), "installed "); ok {
			installed = append(installed, "deb "+p+" var/lib/dpkg/status")
		} else {
			removed++
		}
	}
	if removed == 0 {
		return nil, fmt.Errorf("dpkg knows no removed package: the test would not see one counted by mistake")
	}
	slices.Sort(installed)
	return installed, nil
}

// askNpm reads what npm wrote down about what it installed.
func askNpm(app string) ([]string, error) {
	b, err := os.ReadFile(filepath.Join(app, "node_modules/.package-lock.json"))
	if err != nil {
		return nil, err
	}
	var lock struct {
		Packages map[string]struct{ Name, Version string }
	}
	if err := json.Unmarshal(b, &lock); err != nil {
		return nil, err
	}
	var installed []string
	nested := 0
	for folder, p := range lock.Packages {
		i := strings.LastIndex(folder, "node_modules/")
		if p.Name == "" { // written only where the folder has another name
			p.Name = folder[i+len("node_modules/"):]
		}
		if i > 0 {
			nested++
		}
		installed = append(installed, fmt.Sprintf("npm %s %s  srv/app/%s/package.json", p.Name, p.Version, folder))
	}
	if nested == 0 {
		return nil, fmt.Errorf("npm nested no package in another: the test would not see one lost")
	}
	slices.Sort(installed)
	return installed, nil
}

// askGo asks the toolchain which modules are in a binary.
func askGo(file string) ([]string, error) {
	out, err := toolErr("go", "version", "-m", file)
	if err != nil {
		return nil, err
	}
	var modules []string
	for i, line := range strings.Split(out, "\n") {
		f := strings.Fields(line)
		switch {
		case i == 0 && len(f) == 2:
			modules = append(modules, "golang stdlib "+strings.TrimPrefix(f[1], "go")+"  usr/local/bin/pratique")
		case len(f) >= 3 && f[0] == "dep":
			modules = append(modules, "golang "+f[1]+" "+strings.TrimPrefix(f[2], "v")+"  usr/local/bin/pratique")
		}
	}
	slices.Sort(modules)
	return modules, nil
}

// found lists the packages of a type as the other tools' lists above.
func found(r pratique.Report, kind string) []string {
	var list []string
	for _, p := range r.Packages {
		if p.Type != kind || p.Declared || p.Origin != nil && p.Origin.DeletedBy != nil {
			continue
		}
		version := p.Version
		if kind == "golang" {
			version = strings.TrimPrefix(version, "v")
			if p.Name == mainModule { // its own version is not a fact of the toolchain
				continue
			}
		}
		list = append(list, fmt.Sprintf("%s %s %s %s %s", p.Type, p.Name, version, p.Arch, p.Path))
	}
	slices.Sort(list)
	return list
}

const mainModule = "github.com/pratique/pratique"

func compare(t *testing.T, what string, got, want []string) {
	t.Helper()
	lost := slices.DeleteFunc(slices.Clone(want), func(s string) bool { return slices.Contains(got, s) })
	invented := slices.DeleteFunc(slices.Clone(got), func(s string) bool { return slices.Contains(want, s) })
	if len(lost)+len(invented) > 0 || len(got) != len(want) {
		t.Errorf("%s: %d found, %d expected\n%d lost, %q …\n%d invented, %q …", what, len(got), len(want),
			len(lost), lost[:min(10, len(lost))], len(invented), invented[:min(10, len(invented))])
	}
}

func comparePackages(t *testing.T, r pratique.Report, img realImage) {
	t.Helper()
	compare(t, "deb", found(r, "deb"), img.debian)
	compare(t, "npm", found(r, "npm"), img.npm)
	compare(t, "golang", found(r, "golang"), img.golang)
}

// Each form in which a user can have an image gives the same packages, and they
// are those that the packages' own tools name: none lost, none invented.
func TestPackagesOfARealImage(t *testing.T) {
	img := theRealImage(t)
	t.Logf("dpkg names %d packages, npm %d, go %d modules", len(img.debian), len(img.npm), len(img.golang))
	file := func(name string, write func(io.Writer) error) func(*testing.T) string {
		return func(t *testing.T) string {
			name := filepath.Join(t.TempDir(), name)
			f, err := os.Create(name)
			if err != nil {
				t.Fatal(err)
			}
			if err := write(f); err != nil {
				t.Fatal(err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			return name
		}
	}
	folder := func(img testimage.Image) func(*testing.T) string {
		return func(t *testing.T) string {
			dir := t.TempDir()
			if err := img.WriteLayout(dir); err != nil {
				t.Fatal(err)
			}
			return dir
		}
	}
	gzipped := func(write func(io.Writer) error) func(io.Writer) error {
		return func(w io.Writer) error {
			z, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
			if err != nil {
				return err
			}
			if err := write(z); err != nil {
				return err
			}
			return z.Close()
		}
	}
	for name, target := range map[string]func(*testing.T) string{
		"layout of gzip layers":   folder(img.gzip),
		"layout of zstd layers":   folder(img.zstd),
		"layout of plain layers":  folder(img.plain),
		"layout in a tar":         file("layout.tar", img.gzip.WriteLayoutTar),
		"layout in a tar.gz":      file("layout.tar.gz", gzipped(img.gzip.WriteLayoutTar)),
		"docker save":             file("image.tar", img.plain.WriteDockerTar),
		"docker save of old":      file("image.tar", img.plain.WriteOldDockerTar),
		"docker save of old | gz": file("image.tar.gz", gzipped(img.plain.WriteOldDockerTar)),
		"skopeo's docker-archive": func(t *testing.T) string {
			name := filepath.Join(t.TempDir(), "image.tar")
			tool(t, "skopeo", "copy", "--quiet", "--insecure-policy", "oci:"+folder(img.gzip)(t), "docker-archive:"+name+":e2e.test/real:1")
			return name
		},
		"root file system": func(*testing.T) string { return img.rootfs },
	} {
		t.Run(name, func(t *testing.T) {
			r := mustScan(t, invocation{}, target(t))
			comparePackages(t, r, img)
			if d := r.Image.Distro; d == nil || d.ID == "" || d.Version == "" {
				t.Errorf("distribution %+v", d)
			}
			if name != "root file system" && len(r.Layers) != len(img.gzip.Layers) {
				t.Errorf("%d layers, want %d", len(r.Layers), len(img.gzip.Layers))
			}
		})
	}
}

// Each package is the work of the layer, and of the build instruction, that
// brought it.
func TestPackagesKnowTheirLayer(t *testing.T) {
	img := theRealImage(t)
	dir := t.TempDir()
	if err := img.gzip.WriteLayout(dir); err != nil {
		t.Fatal(err)
	}
	r := mustScan(t, invocation{}, dir)
	want := map[string]string{"tree": "RUN apt-get install …", "curl": "ADD rootfs.tar.xz /", "express": "COPY app /srv/app"}
	got := map[string]string{}
	for _, p := range r.Packages {
		if p.Origin != nil {
			got[p.Name] = p.Origin.Instruction
		}
	}
	for name, instruction := range want {
		if got[name] != instruction {
			t.Errorf("%s came with %q, want %q", name, got[name], instruction)
		}
	}
}

// Opaque folders, whiteouts and removed packages must not come back.
func TestWhatIsGoneStaysGone(t *testing.T) {
	img := theRealImage(t)
	dir := t.TempDir()
	if err := img.gzip.WriteLayout(dir); err != nil {
		t.Fatal(err)
	}
	r := mustScan(t, invocation{}, dir)
	for _, p := range r.Packages {
		if p.Origin != nil && p.Origin.DeletedBy != nil {
			continue
		}
		switch path.Base(p.Name) {
		case "hidden-by-opaque", "hidden-by-whiteout", "replaced", "nano", "netbase":
			t.Errorf("%s %s of %s is listed", p.Name, p.Version, p.Path)
		}
	}
	// The layer below is what could resurrect them: it has to be there.
	lower, err := os.Open(img.plain.Layers[0].Blob)
	if err != nil {
		t.Fatal(err)
	}
	defer lower.Close()
	b, err := io.ReadAll(bufio.NewReader(lower))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(b), "Package: netbase\n") {
		t.Error("the lower layer never had netbase: this test shows nothing")
	}
}
