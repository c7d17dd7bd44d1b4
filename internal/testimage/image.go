package testimage

import (
	"archive/tar"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pratique/pratique"
)

// Image is a config with its layers, lowest first. The zero value of every other
// field stands for something usual.
type Image struct {
	Layers       []Layer
	Tag          string // "name:tag"
	OS           string // "linux"
	Architecture string // "amd64"
	Env          []string
	Labels       map[string]string
	Cmd          []string
	User         string
	Created      time.Time // Epoch
}

type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      pratique.Digest   `json:"digest"`
	Size        int64             `json:"size"`
	Platform    map[string]string `json:"platform,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

const (
	typeManifest = "application/vnd.oci.image.manifest.v1+json"
	typeConfig   = "application/vnd.oci.image.config.v1+json"
	typeIndex    = "application/vnd.oci.image.index.v1+json"
)

// Config returns the bytes of the image's config. Their digest is the image ID.
func (img Image) Config() []byte {
	type step struct {
		Created   time.Time `json:"created"`
		CreatedBy string    `json:"created_by"`
	}
	var history []step
	diffIDs := []pratique.Digest{}
	for _, l := range img.Layers {
		history = append(history, step{Epoch, l.CreatedBy})
		diffIDs = append(diffIDs, l.DiffID)
	}
	created := img.Created
	if created.IsZero() {
		created = Epoch
	}
	return encode(map[string]any{
		"created":      created,
		"os":           or(img.OS, "linux"),
		"architecture": or(img.Architecture, "amd64"),
		"config":       map[string]any{"Env": img.Env, "Labels": img.Labels, "Cmd": img.Cmd, "User": img.User},
		"rootfs":       map[string]any{"type": "layers", "diff_ids": diffIDs},
		"history":      history,
	})
}

// Manifest returns the bytes of the image's OCI manifest.
func (img Image) Manifest() []byte {
	config := img.Config()
	layers := []descriptor{}
	for _, l := range img.Layers {
		layers = append(layers, descriptor{MediaType: l.MediaType, Digest: l.Digest, Size: l.Size})
	}
	return encode(map[string]any{
		"schemaVersion": 2,
		"mediaType":     typeManifest,
		"config":        descriptor{MediaType: typeConfig, Digest: pratique.DigestOf(config), Size: int64(len(config))},
		"layers":        layers,
	})
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // only ever called with values that are made here
	}
	return b
}

// file is one member of a layout or archive: bytes, or a file with them.
type file struct {
	name string
	data []byte
	from string
}

// layout lists the files of an OCI layout with this one image.
func (img Image) layout() []file {
	manifest, config := img.Manifest(), img.Config()
	entry := descriptor{MediaType: typeManifest, Digest: pratique.DigestOf(manifest), Size: int64(len(manifest)),
		Platform: map[string]string{"os": or(img.OS, "linux"), "architecture": or(img.Architecture, "amd64")}}
	if img.Tag != "" {
		entry.Annotations = map[string]string{
			"io.containerd.image.name":          img.Tag,
			"org.opencontainers.image.ref.name": img.Tag[strings.LastIndex(img.Tag, ":")+1:],
		}
	}
	files := []file{
		{name: "oci-layout", data: []byte(`{"imageLayoutVersion":"1.0.0"}`)},
		{name: "index.json", data: encode(map[string]any{"schemaVersion": 2, "mediaType": typeIndex, "manifests": []descriptor{entry}})},
		{name: blobName(pratique.DigestOf(manifest)), data: manifest},
		{name: blobName(pratique.DigestOf(config)), data: config},
	}
	for _, l := range unique(img.Layers) {
		files = append(files, file{name: blobName(l.Digest), from: l.Blob})
	}
	return files
}

func blobName(d pratique.Digest) string { return "blobs/sha256/" + d.Hex() }

func unique(layers []Layer) []Layer {
	seen := map[pratique.Digest]bool{}
	var once []Layer
	for _, l := range layers {
		if !seen[l.Digest] {
			once = append(once, l)
		}
		seen[l.Digest] = true
	}
	return once
}

// WriteLayout writes the image as an OCI layout folder. Layers are linked into
// it where the file system allows, not copied.
func (img Image) WriteLayout(dir string) error {
	for _, f := range img.layout() {
		name := filepath.Join(dir, filepath.FromSlash(f.name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := f.writeTo(name); err != nil {
			return err
		}
	}
	return nil
}

func (f file) writeTo(name string) error {
	if f.from == "" {
		return os.WriteFile(name, f.data, 0o644)
	}
	if err := os.Link(f.from, name); err == nil || os.IsExist(err) {
		return nil
	}
	in, err := os.Open(f.from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(name)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}

// WriteLayoutTar writes the image as an OCI layout in a tar.
func (img Image) WriteLayoutTar(w io.Writer) error { return writeTar(w, img.layout()) }

// WriteDockerTar writes what "docker save" writes since Docker 25: an OCI layout
// with a manifest.json beside it. Docker stores the layers uncompressed there,
// so the image should have [Plain] layers to look the same.
func (img Image) WriteDockerTar(w io.Writer) error {
	var names []string
	for _, l := range img.Layers {
		names = append(names, blobName(l.Digest))
	}
	files := append(img.layout(), file{name: "manifest.json", data: img.dockerManifest(blobName(pratique.DigestOf(img.Config())), names)})
	return writeTar(w, files)
}

// WriteOldDockerTar writes what "docker save" wrote before Docker 25: a folder
// for each layer with its layer.tar, and a config named after the image ID. The
// layers must be [Plain].
func (img Image) WriteOldDockerTar(w io.Writer) error {
	config := img.Config()
	id := pratique.DigestOf(config).Hex()
	files := []file{{name: id + ".json", data: config}}
	var names []string
	for i, l := range img.Layers {
		if l.Compression != Plain {
			return fmt.Errorf("layer %d is %s: this form has plain layers only", i, l.Compression)
		}
		// The real folder names are chain digests of a v1 config; any unique name does.
		folder := pratique.DigestOf(fmt.Appendf(nil, "%s %d", l.DiffID, i)).Hex()
		files = append(files,
			file{name: folder + "/VERSION", data: []byte("1.0")},
			file{name: folder + "/json", data: encode(map[string]any{"id": folder, "created": Epoch})},
			file{name: folder + "/layer.tar", from: l.Blob})
		names = append(names, folder+"/layer.tar")
	}
	files = append(files, file{name: "manifest.json", data: img.dockerManifest(id+".json", names)})
	return writeTar(w, files)
}

func (img Image) dockerManifest(config string, layers []string) []byte {
	tags := []string{}
	if img.Tag != "" {
		tags = append(tags, img.Tag)
	}
	return encode([]map[string]any{{"Config": config, "RepoTags": tags, "Layers": layers}})
}

func writeTar(w io.Writer, files []file) error {
	tw := tar.NewWriter(w)
	for _, f := range files {
		if err := f.appendTo(tw); err != nil {
			return err
		}
	}
	return tw.Close()
}

func (f file) appendTo(tw *tar.Writer) error {
	hdr := &tar.Header{Name: f.name, Mode: 0o644, Typeflag: tar.TypeReg, Size: int64(len(f.data)), ModTime: Epoch}
	if f.from == "" {
		if err := tw.WriteHeader(hdr); err != nil {
			return err
		}
		_, err := tw.Write(f.data)
		return err
	}
	in, err := os.Open(f.from)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	hdr.Size = info.Size()
	if err := tw.WriteHeader(hdr); err != nil {
		return err
	}
	_, err = io.Copy(tw, in)
	return err
}
