// Package source opens what a user wants scanned, wherever it lies, and shows it
// in one shape: an image with its config and a way to read each layer.
//
// # Where images lie
//
// A registry serves manifest, config and layers one by one. `docker save` writes
// a tar in which manifest.json says which members are what; since Docker 25 the
// same tar is an OCI layout as well. An OCI image layout (image-spec,
// "OCI Image Layout Specification") is a folder, or a tar of one, with index.json
// and blobs named by their digests. A local engine keeps layers as blobs or
// unpacked into folders, which are read where they lie; one that cannot be read so
// is asked for the tar that `docker save` would write. A root file system in a
// folder and a bill of materials are no images; they have a folder to walk, or
// packages to judge.
//
// # Cheap to open
//
// Opening reads what describes the image and no layer: a tar is indexed by its
// headers alone, seeking over the content, so that the first layer of a 4 GB
// archive is at hand within milliseconds. Only a compressed archive, and the
// stream of an engine, must be written to a scratch file first.
//
// # Nothing is believed
//
// The digest of every manifest and config is verified. Nothing is extracted, no
// link is followed out of an archive or a layout folder, and every list, document
// and file has a limit. Layers are verified by their reader.
//
// To add a source, see docs/add-a-source.md.
package source

import (
	"context"
	"errors"
	"io"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/layer"
	"github.com/pratique/pratique/registry/distribution"
)

// Options are how a target is opened.
type Options struct {
	Platform  string   // os/architecture[/variant]; "" is Linux on our own processor
	Insecure  bool     // see distribution.Options
	CAFile    string   // see distribution.Options
	Engines   []Engine // of docker:, containerd: and podman: targets
	Scratch   string   // folder for temporary files; "" is the system's
	UserAgent string
	// Credentials for registries; nil is Docker's configuration.
	Credentials distribution.Credentials
}

// Opened is a target that can be read. Close it.
type Opened struct {
	Image pratique.Image
	// Config is an image's config as it is stored, with whatever it has of secrets.
	Config []byte
	// Folder is the root of a root file system (KindFolder).
	Folder string
	// Packages and Distro are what a bill of materials states (KindSBOM).
	Packages []pratique.Package
	Distro   *pratique.Distro
	Problems []pratique.Problem

	open     []opener          // one for each layer
	unpacked []*layer.Unpacked // likewise; nil for a blob
	close    []func() error
}

// opener gives a layer's blob as it is stored.
type opener func(context.Context) (io.ReadCloser, error)

// Open finds out what target is and opens it. A prefix forces the kind:
// registry:REF, docker:NAME, containerd:[NAMESPACE/]NAME, podman:NAME,
// docker-archive:FILE[:NAME], oci:DIR[:NAME], oci-archive:FILE[:NAME],
// dir:FOLDER, rootfs:FOLDER, sbom:FILE. Without one, a
// path that exists is opened for what it holds, and anything else is a
// reference to a registry.
func Open(ctx context.Context, target string, opt Options) (*Opened, error) {
	platform, err := distribution.ParsePlatform(opt.Platform)
	if err != nil {
		return nil, err
	}
	t, err := parseTarget(target)
	if err != nil {
		return nil, err
	}
	o := &Opened{Image: pratique.Image{Name: t.String(), Kind: pratique.KindImage}}
	switch t.kind {
	case kindRegistry:
		err = o.openRegistry(ctx, t.name, platform, opt)
	case kindEngine:
		err = o.openEngine(ctx, t.engine, t.name, platform, opt)
	case kindFolder:
		err = o.openFolder(t.path, t.forced)
	case kindLayout:
		err = o.openLayoutFolder(ctx, t, platform)
	case kindSBOM:
		err = o.openSBOM(t.path)
	default:
		err = o.openFile(ctx, t, platform, opt)
	}
	if err != nil {
		_ = o.Close()
		return nil, in(t.path, err)
	}
	return o, nil
}

// Layer opens the blob of layer i as it is stored. Where random access costs
// nothing (a layer inside a tar or a layout) the reader also implements
// io.ReaderAt and io.Seeker.
func (o *Opened) Layer(ctx context.Context, i int) (io.ReadCloser, error) {
	if i < 0 || i >= len(o.open) {
		return nil, pratique.Errorf(pratique.CodeInternal, "layer %d was asked for, and there are %d", i, len(o.open))
	}
	if l := o.Image.Layers[i]; l.State != "" {
		return nil, pratique.Errorf(pratique.CodeUnsupported, "layer %d cannot be read: %s", i, l.Reason)
	}
	if err := ctx.Err(); err != nil {
		return nil, cancelled(err)
	}
	if o.unpacked[i] != nil {
		return nil, pratique.Errorf(pratique.CodeInternal, "layer %d is in a folder and has no blob", i)
	}
	return o.open[i](ctx)
}

// Close lets go of files and connections. Layers still open become unreadable.
func (o *Opened) Close() error {
	var errs []error
	for i := len(o.close) - 1; i >= 0; i-- {
		errs = append(errs, o.close[i]())
	}
	o.close = nil
	return errors.Join(errs...)
}

func cancelled(cause error) error {
	e := pratique.Errorf(pratique.CodeCancelled, "reading the image was cancelled")
	e.Cause = cause
	return e
}

// in puts the file that err is about in front of it.
func in(path string, err error) error {
	var e *pratique.Error
	if path == "" || !errors.As(err, &e) || e.Code == pratique.CodeCancelled {
		return err
	}
	told := *e
	told.Message = path + ": " + e.Message
	return &told
}
