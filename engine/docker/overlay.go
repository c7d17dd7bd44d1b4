package docker

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/engine"
	"github.com/pratique/pratique/engine/internal/oci"
	"github.com/pratique/pratique/layer"
)

// overlayRoot is DockerRootDir of an engine with the driver overlay2.
type overlayRoot string

func (r overlayRoot) config(id pratique.Digest) ([]byte, error) {
	path := filepath.Join(string(r), "image/overlay2/imagedb/content/sha256", id.Hex())
	info, err := os.Stat(path)
	if err == nil && info.Size() > maxConfig {
		return nil, pratique.Errorf(pratique.CodeLimit, "the image's config is larger than %d MiB", maxConfig>>20).WithRemedy("no image needs one that large; build the image again")
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if pratique.DigestOf(b) != id {
		return nil, pratique.Errorf(pratique.CodeCorrupt, "the config of image %s in the engine's folder has another digest", id.Short()).
			WithRemedy("find out who changed it, and pull or build the image again")
	}
	return b, nil
}

// maxConfig is the size in bytes up to which a config is read.
const maxConfig = 8 << 20

// chainIDs names the stacks of layers that begin with the lowest (image-spec,
// "Layer ChainID").
func chainIDs(diffIDs []pratique.Digest) []pratique.Digest {
	var chains []pratique.Digest
	for i, d := range diffIDs {
		if i > 0 {
			d = pratique.DigestOf([]byte(string(chains[i-1]) + " " + string(d)))
		}
		chains = append(chains, d)
	}
	return chains
}

// openOverlay opens the folders of an image. name is for messages.
func openOverlay(root overlayRoot, id pratique.Digest, name string) (_ *engine.Content, err error) {
	content := &engine.Content{Way: "overlay2 folders"}
	defer func() {
		if err != nil {
			content.Close()
		}
	}()
	if content.Config, err = root.config(id); err != nil {
		return nil, err
	}
	var config oci.Config
	if err := json.Unmarshal(content.Config, &config); err != nil {
		return nil, pratique.Errorf(pratique.CodeCorrupt, "the image's config is not JSON of that form").WithRemedy("pull or build the image again")
	}
	chains := chainIDs(config.RootFS.DiffIDs)
	for i, chain := range chains {
		l, err := root.layer(chain, config.RootFS.DiffIDs[i], name)
		if err != nil {
			return nil, err
		}
		content.OnClose(l.Unpacked.Close)
		content.Layers = append(content.Layers, l)
	}
	return content, nil
}

// cacheID is what the name of a layer's folder looks like.
var cacheID = regexp.MustCompile(`^[0-9a-z]{1,128}(-init)?$`)

// layer opens a layer's folder and notes where its recipe is.
func (r overlayRoot) layer(chain, diffID pratique.Digest, name string) (engine.Layer, error) {
	if _, err := pratique.ParseDigest(string(diffID)); err != nil {
		return engine.Layer{}, pratique.Errorf(pratique.CodeCorrupt, "the image's config has %.80q in the place of a layer's digest", string(diffID)).WithRemedy("pull or build the image again")
	}
	db := filepath.Join(string(r), "image/overlay2/layerdb/sha256", chain.Hex())
	cache, err := os.ReadFile(filepath.Join(db, "cache-id"))
	if err != nil {
		return engine.Layer{}, err
	}
	if !cacheID.Match(cache) {
		return engine.Layer{}, pratique.Errorf(pratique.CodeCorrupt, "the engine's record of a layer names no folder").WithRemedy("pull or build the image again")
	}
	root, err := os.OpenRoot(filepath.Join(string(r), "overlay2", string(cache), "diff"))
	if err != nil {
		return engine.Layer{}, err
	}
	recipe := filepath.Join(db, "tar-split.json.gz")
	u := &layer.Unpacked{Root: root, Kept: func() error { return kept(db, cache, name) }}
	if _, err := os.Stat(recipe); err == nil {
		u.Split = func() (io.ReadCloser, error) { return os.Open(recipe) }
	}
	l := engine.Layer{Layer: pratique.Layer{DiffID: diffID}, Unpacked: u}
	if size, err := os.ReadFile(filepath.Join(db, "size")); err == nil {
		l.Size, _ = strconv.ParseInt(strings.TrimSpace(string(size)), 10, 64)
	}
	return l, nil
}

// kept tells whether a layer is still the engine's. It gives up the record before
// it removes the folder.
func kept(db string, cache []byte, name string) error {
	now, err := os.ReadFile(filepath.Join(db, "cache-id"))
	if errors.Is(err, fs.ErrNotExist) || err == nil && string(now) != string(cache) {
		return engine.Removed(name)
	}
	if err != nil {
		return pratique.Errorf(pratique.CodeUnreachable, "the engine's folders cannot be read any more: %w", err).WithRemedy("check the disk that they are on")
	}
	return nil
}
