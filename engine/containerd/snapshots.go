package containerd

import (
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	bolt "go.etcd.io/bbolt"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/engine"
	"github.com/pratique/pratique/engine/internal/database"
	"github.com/pratique/pratique/engine/internal/oci"
	"github.com/pratique/pratique/layer"
	"github.com/pratique/pratique/registry/distribution"
)

// snapshots are the folders of unpacked layers, by the chain ID of their stack.
type snapshots struct {
	root   string
	number map[string]uint64 // by "NAMESPACE CHAIN" and by CHAIN alone
}

// openSnapshots reads the snapshotter's database
// (core/snapshots/storage/bolt.go: bucket v1, snapshots, one bucket a snapshot
// with its id and kind; keys are NAMESPACE/SEQUENCE/NAME, and the name of an
// image's layer is its chain ID).
func openSnapshots(root string) (*snapshots, error) {
	s := &snapshots{root: root, number: map[string]uint64{}}
	return s, database.View(filepath.Join(root, "metadata.db"), func(tx *bolt.Tx) error {
		all := tx.Bucket([]byte("v1"))
		if all != nil {
			all = all.Bucket([]byte("snapshots"))
		}
		if all == nil {
			return nil
		}
		return all.ForEachBucket(func(key []byte) error {
			s.add(string(key), all.Bucket(key))
			return nil
		})
	})
}

const kindCommitted = 3

func (s *snapshots) add(key string, b *bolt.Bucket) {
	parts := strings.SplitN(key, "/", 3)
	kind := b.Get([]byte("kind"))
	if len(parts) != 3 || len(kind) != 1 || kind[0] != kindCommitted {
		return
	}
	if _, err := pratique.ParseDigest(parts[2]); err != nil {
		return
	}
	id, _ := binary.Uvarint(b.Get([]byte("id")))
	s.number[parts[0]+" "+parts[2]] = id
	s.number[parts[2]] = id
}

// folder returns the folder of a chain, preferably the namespace's own.
func (s *snapshots) folder(namespace string, chain pratique.Digest) (string, bool) {
	id, ok := s.number[namespace+" "+string(chain)]
	if !ok {
		id, ok = s.number[string(chain)]
	}
	return filepath.Join(s.root, "snapshots", strconv.FormatUint(id, 10), "fs"), ok
}

// unpacked returns the folder of a chain of layers, "" if there is none.
func (l *look) unpacked(namespace string, chain pratique.Digest) (string, error) {
	if l.snapshots == nil {
		l.snapshots = &snapshots{number: map[string]uint64{}}
		if l.where.overlay != "" {
			s, err := openSnapshots(l.where.overlay)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return "", err
			}
			if err == nil {
				l.snapshots = s
			}
		}
	}
	dir, ok := l.snapshots.folder(namespace, chain)
	if !ok {
		return "", nil
	}
	return dir, nil
}

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

// missing counts the layers that cannot be read.
func (l *look) missing(namespace string, i *oci.Image) (n int) {
	chains := chainIDs(i.Config.RootFS.DiffIDs)
	for k, d := range i.Manifest.Layers {
		if l.store.Has(d.Digest) || len(chains) != len(i.Manifest.Layers) {
			continue
		}
		if dir, err := l.unpacked(namespace, chains[k]); err != nil || dir == "" {
			n++
		}
	}
	return n
}

// Open finds an image by its name, which may begin with its namespace, by its ID,
// or by the beginning of one.
func (e *Engine) Open(ctx context.Context, name string, want pratique.Platform) (*engine.Content, error) {
	c := e.client()
	defer c.Close()
	l, err := e.look(ctx, c)
	if err != nil {
		return nil, err
	}
	content, err := l.open(ctx, name, want)
	if err != nil {
		l.close()
		return nil, err
	}
	return content, nil
}

func (l *look) open(ctx context.Context, name string, want pratique.Platform) (*engine.Content, error) {
	namespaces, short := l.namespaces, name
	if first, rest, ok := strings.Cut(name, "/"); ok && slices.Contains(l.namespaces, first) {
		namespaces, short = []string{first}, rest
	} else if env := os.Getenv("CONTAINERD_NAMESPACE"); slices.Contains(l.namespaces, env) {
		namespaces = []string{env}
	}
	for _, namespace := range namespaces {
		names, err := l.client.names(ctx, namespace)
		if err != nil {
			return nil, err
		}
		found, chosen, err := l.find(ctx, names, short)
		if err != nil {
			return nil, err
		}
		if found != nil {
			return l.content(ctx, namespace, *found, chosen, names, want)
		}
	}
	return nil, pratique.Errorf(pratique.CodeNotFound, "%s has no image %.120s", l.client.Where, name).
		WithRemedy("see `ctr namespaces ls` and `ctr -n NAMESPACE images ls`; write containerd:NAMESPACE/NAME, or registry:REFERENCE for a registry")
}

// find looks for a name, as it stands or as the docker command completes it, and
// then for an ID, which of an index's images means one.
func (l *look) find(ctx context.Context, names []namedImage, name string) (*namedImage, *oci.Image, error) {
	full := name
	if ref, err := distribution.ParseReference(name); err == nil {
		full = ref.String()
	}
	for i, n := range names {
		if n.name == name || n.name == full {
			return &names[i], nil, nil
		}
	}
	hex := strings.TrimPrefix(name, "sha256:")
	if len(hex) < 6 || strings.Trim(hex, "0123456789abcdef") != "" {
		return nil, nil, nil
	}
	for i, n := range names {
		contents, err := l.contents(ctx, n.target)
		if ctx.Err() != nil {
			return nil, nil, pratique.Errorf(pratique.CodeCancelled, "stopped: %w", ctx.Err())
		}
		if strings.HasPrefix(n.target.Digest.Hex(), hex) {
			return &names[i], nil, nil
		}
		if err != nil {
			continue
		}
		if at := slices.IndexFunc(contents, func(o *oci.Image) bool { return strings.HasPrefix(o.ID().Hex(), hex) }); at >= 0 {
			return &names[i], contents[at], nil
		}
	}
	return nil, nil, nil
}

// content opens an image's layers: those of img, or of the one that a platform chooses.
func (l *look) content(ctx context.Context, namespace string, n namedImage, img *oci.Image, names []namedImage, want pratique.Platform) (_ *engine.Content, err error) {
	if l.store == nil {
		return nil, notHere(n.name, oci.ErrNotHere)
	}
	if img == nil {
		if img, err = l.store.Select(ctx, n.target, want); err != nil {
			return nil, notHere(n.name, err)
		}
	}
	content := &engine.Content{Config: img.Raw, Manifest: img.Descriptor.Digest, Index: img.Index, Way: "containerd's content store"}
	content.OnClose(func() error { l.close(); return nil })
	for _, other := range names {
		if other.target.Digest == n.target.Digest && !strings.HasPrefix(other.name, "sha256:") && !strings.Contains(other.name, "@") {
			content.Tags = append(content.Tags, other.name)
		}
	}
	chains := chainIDs(img.Config.RootFS.DiffIDs)
	for i, d := range img.Manifest.Layers {
		one := engine.Layer{Layer: pratique.Layer{Digest: d.Digest, MediaType: d.MediaType, Size: d.Size}, Blob: l.store.Source(d.Digest, engine.Removed(n.name))}
		if !l.store.Has(d.Digest) && len(chains) == len(img.Manifest.Layers) {
			if one.Unpacked, err = l.snapshot(namespace, chains[i], n.name); err != nil {
				content.Close()
				return nil, err
			}
			if one.Unpacked != nil {
				one.Blob = nil
				content.Way = "containerd's snapshots"
				content.OnClose(one.Unpacked.Close)
			}
		}
		content.Layers = append(content.Layers, one)
	}
	return content, nil
}

func notHere(name string, err error) error {
	if errors.Is(err, oci.ErrNotHere) {
		return pratique.Errorf(pratique.CodeNotFound, "%.120s is not whole in containerd: its manifest or config is missing", name).
			WithRemedy("pull it again")
	}
	return err
}

// snapshot opens the folder of a stack of layers; nil if there is none.
func (l *look) snapshot(namespace string, chain pratique.Digest, name string) (*layer.Unpacked, error) {
	dir, err := l.unpacked(namespace, chain)
	if err != nil || dir == "" {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, pratique.Errorf(pratique.CodeUnauthorized, "a snapshot of containerd cannot be read: %w", err).WithRemedy("run as root")
	}
	opened, err := root.Stat(".")
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return &layer.Unpacked{Root: root, Kept: func() error {
		// containerd renames the folder before it removes it; the number is not used again.
		now, err := os.Stat(dir)
		if err != nil || !os.SameFile(now, opened) {
			return engine.Removed(name)
		}
		return nil
	}}, nil
}
