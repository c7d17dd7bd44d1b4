package podman

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/engine"
	"github.com/pratique/pratique/engine/internal/oci"
	"github.com/pratique/pratique/layer"
	"github.com/pratique/pratique/registry/distribution"
)

// Limits of a store's files, in bytes.
const (
	maxIndex  = 256 << 20 // images.json and its kin
	maxConfig = 8 << 20
)

// storedImage is one of images.json, storedLayer one of layers.json.
type storedImage struct {
	ID       string           `json:"id"`
	Digest   pratique.Digest  `json:"digest"` // of the manifest
	Names    []string         `json:"names"`
	Layer    string           `json:"layer"` // on top; "" if it has none
	BigSizes map[string]int64 `json:"big-data-sizes"`
	Created  time.Time        `json:"created"`
}

type storedLayer struct {
	ID     string          `json:"id"`
	Parent string          `json:"parent"`
	DiffID pratique.Digest `json:"diff-digest"`
	Size   int64           `json:"diff-size"` // of the tar
	Flags  struct {
		Incomplete bool `json:"incomplete"` // it is being made, or removed
	} `json:"flags"`
}

// config is an image's, with what it takes to know steps of builds.
type config struct {
	oci.Config
	History []json.RawMessage `json:"history"`
}

// steps returns a name for the image that each build step made, the last of which
// is the image itself: two images have one in common if the one was built upon the
// other, or both upon a third.
func (c config) steps() (names []string) {
	var made []byte
	layers := 0
	for _, h := range c.History {
		var step struct {
			Empty bool `json:"empty_layer"`
		}
		if json.Unmarshal(h, &step) != nil {
			return nil
		}
		if made = append(made, h...); !step.Empty && layers < len(c.RootFS.DiffIDs) {
			made = append(made, c.RootFS.DiffIDs[layers]...)
			layers++
		}
		names = append(names, string(pratique.DigestOf(made)))
	}
	return names
}

// store is one look at the files.
type store struct {
	root   string
	images []storedImage
	layers map[string]storedLayer
}

func (e *Engine) open() (*store, error) {
	s := &store{root: e.root(), layers: map[string]storedLayer{}}
	err := readJSON(filepath.Join(s.root, "overlay-images/images.json"), &s.images)
	if errors.Is(err, fs.ErrNotExist) { // a store that is there may have nothing in it yet
		_, err = os.Stat(filepath.Join(s.root, "overlay-images"))
	}
	if err != nil {
		return nil, e.unreadable(err)
	}
	var layers []storedLayer
	if err := readJSON(filepath.Join(s.root, "overlay-layers/layers.json"), &layers); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, e.unreadable(err)
	}
	for _, l := range layers {
		s.layers[l.ID] = l
	}
	return s, nil
}

func readJSON(name string, into any) error {
	b, err := readFile(name, maxIndex)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, into)
}

func readFile(name string, limit int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = pratique.Errorf(pratique.CodeLimit, "%s has more than %d MiB", name, limit>>20)
	}
	return b, err
}

// storeID is what names of files are made of.
var storeID = regexp.MustCompile(`^[0-9a-f]{64}$`)

// config reads an image's config, which is kept under the name of its digest.
func (s *store) config(i storedImage) ([]byte, config, error) {
	var c config
	if !storeID.MatchString(i.ID) {
		return nil, c, pratique.Errorf(pratique.CodeCorrupt, "podman's store names an image %.80q", i.ID)
	}
	name := filepath.Join(s.root, "overlay-images", i.ID, "="+base64.StdEncoding.EncodeToString([]byte("sha256:"+i.ID)))
	b, err := readFile(name, maxConfig)
	if err != nil {
		return nil, c, err
	}
	if pratique.DigestOf(b).Hex() != i.ID {
		return nil, c, pratique.Errorf(pratique.CodeCorrupt, "the config of image %.12s in podman's store has another digest", i.ID).
			WithRemedy("find out who changed it, and pull or build the image again")
	}
	if json.Unmarshal(b, &c) != nil {
		return nil, c, pratique.Errorf(pratique.CodeCorrupt, "the image's config is not JSON of that form").WithRemedy("pull or build the image again")
	}
	return b, c, nil
}

// maxLayers bounds a chain of parents, which might be a circle.
const maxLayers = 1024

// chain are an image's layers, lowest first.
func (s *store) chain(i storedImage) ([]storedLayer, error) {
	var chain []storedLayer
	for id := i.Layer; id != ""; {
		l, ok := s.layers[id]
		if !ok || len(chain) == maxLayers || !storeID.MatchString(id) {
			return nil, pratique.Errorf(pratique.CodeCorrupt, "a layer of image %.12s is missing from podman's store", i.ID).WithRemedy("pull the image again")
		}
		chain = append(chain, l)
		id = l.Parent
	}
	slices.Reverse(chain)
	return chain, nil
}

// Images lists what `podman images` does.
func (e *Engine) Images(ctx context.Context) ([]pratique.LocalImage, error) {
	s, err := e.open()
	if err != nil {
		return nil, err
	}
	var all []pratique.LocalImage
	own := make([]string, len(s.images)) // the step that each image is
	below := map[string]bool{}           // steps that others are built upon
	for k, i := range s.images {
		if ctx.Err() != nil {
			return nil, pratique.Errorf(pratique.CodeCancelled, "stopped: %w", ctx.Err())
		}
		img, c := s.describe(i)
		all = append(all, img)
		if steps := c.steps(); len(steps) > 0 {
			own[k] = steps[len(steps)-1]
			for _, step := range steps[:len(steps)-1] {
				below[step] = true
			}
		}
	}
	var shown []pratique.LocalImage
	for k, img := range all {
		if len(s.images[k].Names) > 0 || !below[own[k]] { // else a step of a build
			shown = append(shown, img)
		}
	}
	return shown, nil
}

func (s *store) describe(i storedImage) (pratique.LocalImage, config) {
	img := pratique.LocalImage{ID: digest(i.ID), EngineID: digest(i.ID), Created: &i.Created}
	if i.Digest != "" {
		img.Aliases = []pratique.Digest{i.Digest}
	}
	for _, name := range i.Names {
		if strings.Contains(name, "@") {
			img.Digests = append(img.Digests, name)
			continue
		}
		img.Tags = append(img.Tags, name)
		if ref, err := distribution.ParseReference(name); err == nil && i.Digest != "" {
			if d := ref.Name() + "@" + string(i.Digest); !slices.Contains(img.Digests, d) {
				img.Digests = append(img.Digests, d)
			}
		}
	}
	for _, size := range i.BigSizes {
		img.Size += size
	}
	_, c, err := s.config(i)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		img.ID, img.Reason = "", "it is a list of images for several platforms, or its config is missing"
		return img, c
	case err != nil:
		img.ID, img.Reason = "", err.Error()
		return img, c
	}
	img.Platform, img.Labels, img.Layers = c.Platform(), c.Config.Config.Labels, c.RootFS.DiffIDs
	if c.Created != nil {
		img.Created = c.Created
	}
	chain, err := s.chain(i)
	if err != nil {
		img.Reason = err.Error()
	}
	for _, l := range chain {
		img.Size += l.Size
	}
	return img, c
}

// Open finds an image by a name, an ID, or the beginning of one.
func (e *Engine) Open(_ context.Context, name string, _ pratique.Platform) (*engine.Content, error) {
	s, err := e.open()
	if err != nil {
		return nil, err
	}
	i, ok := s.find(name)
	if !ok {
		return nil, pratique.Errorf(pratique.CodeNotFound, "podman's store in %s has no image %.120s", s.root, name).
			WithRemedy("see `podman images`; root and each user have a store of their own; for the image in a registry write registry:%.120s", name)
	}
	content, err := s.content(i, name)
	if err != nil {
		return nil, e.unreadable(err)
	}
	return content, nil
}

// find goes by the rules of the podman command: the name as it is, then on
// localhost, then as docker completes it.
func (s *store) find(name string) (storedImage, bool) {
	wanted := []string{name, name + ":latest", "localhost/" + name, "localhost/" + name + ":latest"}
	if ref, err := distribution.ParseReference(name); err == nil {
		wanted = append(wanted, ref.String())
	}
	for _, w := range wanted {
		for _, i := range s.images {
			if slices.Contains(i.Names, w) {
				return i, true
			}
		}
	}
	if repository, d, ok := strings.Cut(name, "@"); ok {
		for _, i := range s.images {
			if string(i.Digest) == d && slices.ContainsFunc(i.Names, func(n string) bool { return strings.HasPrefix(n, repository) }) {
				return i, true
			}
		}
	}
	if hex := strings.TrimPrefix(name, "sha256:"); len(hex) >= 6 && strings.Trim(hex, "0123456789abcdef") == "" {
		for _, i := range s.images {
			if strings.HasPrefix(i.ID, hex) {
				return i, true
			}
		}
	}
	return storedImage{}, false
}

func (s *store) content(i storedImage, name string) (_ *engine.Content, err error) {
	content := &engine.Content{Manifest: i.Digest, Way: "podman's folders"}
	for _, n := range i.Names {
		if !strings.Contains(n, "@") {
			content.Tags = append(content.Tags, n)
		}
	}
	defer func() {
		if err != nil {
			content.Close()
		}
	}()
	raw, c, err := s.config(i)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, pratique.Errorf(pratique.CodeUnsupported, "%.120s is a list of images for several platforms, or its config is missing", name).
			WithRemedy("name the image of one platform; see `podman manifest inspect`")
	}
	if err != nil {
		return nil, err
	}
	content.Config = raw
	chain, err := s.chain(i)
	if err != nil {
		return nil, err
	}
	for k, l := range chain {
		if k < len(c.RootFS.DiffIDs) && l.DiffID != "" && l.DiffID != c.RootFS.DiffIDs[k] {
			return nil, pratique.Errorf(pratique.CodeCorrupt, "layer %d of %.120s in podman's store is another than its config says", k, name).WithRemedy("pull the image again")
		}
		one, err := s.layer(l, name)
		if err != nil {
			return nil, err
		}
		content.OnClose(one.Unpacked.Close)
		content.Layers = append(content.Layers, one)
	}
	return content, nil
}

func (s *store) layer(l storedLayer, name string) (engine.Layer, error) {
	root, err := os.OpenRoot(filepath.Join(s.root, "overlay", l.ID, "diff"))
	if err != nil {
		return engine.Layer{}, err
	}
	recipe := filepath.Join(s.root, "overlay-layers", l.ID+".tar-split.gz")
	u := &layer.Unpacked{Root: root, Kept: func() error {
		// Podman marks the record of a layer before it removes the folder.
		var now []storedLayer
		err := readJSON(filepath.Join(s.root, "overlay-layers/layers.json"), &now)
		if err == nil && slices.ContainsFunc(now, func(o storedLayer) bool { return o.ID == l.ID && !o.Flags.Incomplete }) {
			return nil
		}
		return engine.Removed(name)
	}}
	if _, err := os.Stat(recipe); err == nil {
		u.Split = func() (io.ReadCloser, error) { return os.Open(recipe) }
	}
	return engine.Layer{Layer: pratique.Layer{DiffID: l.DiffID, Size: l.Size}, Unpacked: u}, nil
}
