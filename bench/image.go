package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/pratique/pratique/internal/testimage"
)

// recipe is an image to measure, made of real packages: what a synthetic mix of
// files would flatter or slander is not known, so nothing is synthetic.
type recipe struct {
	name string
	// packages are Debian packages. The image has one layer with a minimal system,
	// and one for all that packages and extra add to it.
	packages []string
	// extra writes further files of the second layer.
	extra func(ctx context.Context, work string) (testimage.Content, error)
	// small marks an image that exists for its many small text files.
	small bool
}

// recipes lists the images of the benchmark. What each must be is in
// docs/performance.md.
func recipes() []recipe {
	server := []string{
		"build-essential", "default-jre-headless", "maven", "python3-scipy", "postgresql", "mariadb-server",
		"nginx", "apache2", "git", "perl-doc", "nodejs", "ruby-rails",
	}
	return []recipe{
		{name: "large", packages: server, extra: both(goToolchain, npmPackages)},
		{name: "huge", packages: append([]string{
			"clang", "default-jdk-headless", "python3-pandas", "python3-sklearn", "python3-matplotlib", "php-cli",
			"php-symfony", "imagemagick", "ffmpeg", "redis-server", "golang-go", "rustc", "libreoffice-core", "erlang-nox",
		}, server...), extra: both(goToolchain, npmPackages)},
		{name: "text", extra: npmPackages, small: true},
	}
}

// build makes the image of r as an OCI layout in dir/NAME, unless it is there.
func build(ctx context.Context, dir string, r recipe) (string, error) {
	layout := filepath.Join(dir, r.name)
	if _, err := os.Stat(filepath.Join(layout, "index.json")); err == nil {
		return layout, nil
	}
	work, err := os.MkdirTemp(dir, "building-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(work)

	extra, err := r.extra(ctx, work)
	if err != nil {
		return "", err
	}
	base, full := filepath.Join(work, "base.tar"), filepath.Join(work, "full.tar")
	if err := debian(ctx, base, nil); err != nil {
		return "", err
	}
	if err := debian(ctx, full, r.packages); err != nil {
		return "", err
	}
	lower, err := testimage.WriteLayer(work, testimage.Gzip, "ADD debian minbase", testimage.Tar(base, nil))
	if err != nil {
		return "", err
	}
	upper, err := testimage.WriteLayer(work, testimage.Gzip, "RUN apt-get install …", testimage.Sequence(testimage.Diff(base, full), extra))
	if err != nil {
		return "", err
	}
	img := testimage.Image{Layers: []testimage.Layer{lower, upper}, Tag: "bench.test/" + r.name + ":1"}
	if err := img.WriteLayout(layout + ".part"); err != nil {
		return "", err
	}
	if err := writeShape(layout+".part", img); err != nil {
		return "", err
	}
	return layout, os.Rename(layout+".part", layout)
}

// shape is kept beside a layout, so that later runs need not inflate it to
// describe it.
type shape struct {
	Layers []testimage.Layer
}

func (s shape) uncompressed() (total, biggest int64) {
	for _, l := range s.Layers {
		total += l.Uncompressed
		biggest = max(biggest, l.Uncompressed)
	}
	return total, biggest
}

func writeShape(layout string, img testimage.Image) error {
	b, err := json.MarshalIndent(shape{img.Layers}, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(layout, "shape.json"), b, 0o644)
}

func readShape(layout string) (s shape, err error) {
	b, err := os.ReadFile(filepath.Join(layout, "shape.json"))
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal(b, &s); err != nil {
		return s, err
	}
	for i := range s.Layers {
		s.Layers[i].Blob = filepath.Join(layout, "blobs", "sha256", s.Layers[i].Digest.Hex())
	}
	return s, nil
}

// dockerTar writes the image as "docker save" does, with uncompressed layers.
func dockerTar(dir, layout string) (string, error) {
	file := layout + ".docker.tar"
	if _, err := os.Stat(file); err == nil {
		return file, nil
	}
	s, err := readShape(layout)
	if err != nil {
		return "", err
	}
	work, err := os.MkdirTemp(dir, "building-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(work)
	img := testimage.Image{Tag: "bench.test/" + filepath.Base(layout) + ":1"}
	for _, l := range s.Layers {
		plain, err := testimage.WriteRawLayer(work, testimage.Plain, l.CreatedBy, func(w io.Writer) error { return inflate(w, l.Blob) })
		if err != nil {
			return "", err
		}
		img.Layers = append(img.Layers, plain)
	}
	out, err := os.Create(file + ".part")
	if err != nil {
		return "", err
	}
	if err := errors.Join(img.WriteOldDockerTar(out), out.Close()); err != nil {
		return "", err
	}
	return file, os.Rename(file+".part", file)
}

func inflate(w io.Writer, blob string) error {
	in, err := os.Open(blob)
	if err != nil {
		return err
	}
	defer in.Close()
	cmd := exec.Command("gzip", "-dc")
	cmd.Stdin, cmd.Stdout = in, w
	return cmd.Run()
}

// release is the Debian release of the images.
const release = "bookworm"

// debian makes a minimal system with packages.
func debian(ctx context.Context, file string, packages []string) error {
	if _, err := exec.LookPath("mmdebstrap"); err != nil {
		return errors.New("mmdebstrap is missing: apt-get install mmdebstrap")
	}
	args := []string{"--variant=minbase", "--quiet", "--aptopt=Apt::Install-Recommends false"}
	if len(packages) > 0 {
		args = append(args, "--include="+strings.Join(packages, ","))
	}
	args = append(args, release, file)
	fmt.Fprintf(os.Stderr, "mmdebstrap with %d packages\n", len(packages))
	cmd := exec.CommandContext(ctx, "mmdebstrap", args...)
	// Same times in both systems, so that their common files are equal.
	cmd.Env = append(os.Environ(), fmt.Sprintf("SOURCE_DATE_EPOCH=%d", testimage.Epoch.Unix()), "DEBIAN_FRONTEND=noninteractive")
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	return cmd.Run()
}

func goToolchain(ctx context.Context, _ string) (testimage.Content, error) {
	root, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return nil, fmt.Errorf("go env GOROOT: %w", err)
	}
	return testimage.Folder(strings.TrimSpace(string(root)), "usr/local/go"), nil
}

func npmPackages(ctx context.Context, work string) (testimage.Content, error) {
	app := filepath.Join(work, "app")
	if err := os.MkdirAll(app, 0o755); err != nil {
		return nil, err
	}
	args := append([]string{"install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", app},
		"express@4", "webpack@5", "typescript@4", "eslint@8", "@angular/cli@15", "gatsby-cli@5", "serverless@3", "jest@29", "next@13", "lodash@4", "aws-sdk@2", "date-fns@2", "@babel/preset-env@7", "rxjs@7", "core-js@3")
	cmd := exec.CommandContext(ctx, "npm", args...)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("npm: %w", err)
	}
	return testimage.Folder(app, "srv/app"), nil
}

type extra = func(context.Context, string) (testimage.Content, error)

func both(a, b extra) extra {
	return func(ctx context.Context, work string) (testimage.Content, error) {
		first, err := a(ctx, work)
		if err != nil {
			return nil, err
		}
		second, err := b(ctx, work)
		if err != nil {
			return nil, err
		}
		return testimage.Sequence(first, second), nil
	}
}
