package scan

import (
	"cmp"
	"context"
	"slices"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/registry"
)

// expansion turns the artifacts of one repository into rows: one for each tag of an
// image, or for an image without a tag; of an index, one for each platform.
// Signatures, attestations and charts are none.
type expansion struct {
	*listing
	repository string
	known      *repositoryKnown
	rows       []pratique.Asset
}

// maxNested is how deep indexes lie in each other before we look no further.
const maxNested = 3

func (e *expansion) add(ctx context.Context, a registry.Artifact, depth int) {
	switch a.Kind {
	case registry.KindImage:
		image := contentOf(a.Digest, a)
		image.Pushed = a.Pushed
		e.tagged(image, a.Tags)
	case registry.KindIndex:
		e.index(ctx, a, depth)
	case registry.KindKnown:
		e.recall(a)
	case registry.KindAccessory, registry.KindOther:
		if a.Type != "unreadable" { // it may be readable the next time
			e.others.add(a.Digest)
		}
	}
}

// tagged adds a row for each tag.
func (e *expansion) tagged(image pratique.Asset, tags []registry.Tag) {
	if len(tags) == 0 {
		e.rows = append(e.rows, image)
	}
	for _, t := range tags {
		row := image
		row.Tag = t.Name
		row.Pushed = cmp.Or(t.Pushed, image.Pushed)
		e.rows = append(e.rows, row)
	}
}

func (e *expansion) index(ctx context.Context, a registry.Artifact, depth int) {
	for _, child := range a.Children {
		if child.Attestation {
			continue
		}
		image := pratique.Asset{Digest: child.Digest, Index: a.Digest, Pushed: a.Pushed}
		switch {
		case child.Platform != nil && (child.Platform.OS != "" || child.Platform.Architecture != ""):
			image.Platform = *child.Platform
		case depth < maxNested: // without a platform it may be anything, also an index
			told, err := e.inspect(ctx, child.Digest)
			if err != nil || told.Kind == "" {
				break
			}
			if told.Kind == registry.KindIndex {
				told.Tags, told.Pushed = a.Tags, a.Pushed
				e.nested(ctx, told, a.Digest, depth)
				continue
			}
			if told.Kind != registry.KindImage {
				continue
			}
			read := contentOf(child.Digest, told)
			image.ImageID, image.Platform, image.Size, image.Created = read.ImageID, read.Platform, read.Size, read.Created
		}
		e.tagged(image, a.Tags)
	}
}

// nested adds the images of an index in an index as the outer one's.
func (e *expansion) nested(ctx context.Context, inner registry.Artifact, outer pratique.Digest, depth int) {
	from := len(e.rows)
	e.index(ctx, inner, depth+1)
	for i := range e.rows[from:] {
		e.rows[from+i].Index = outer
	}
}

// recall adds the rows of a manifest that was read for an earlier listing.
func (e *expansion) recall(a registry.Artifact) {
	seen := map[pratique.Digest]bool{}
	for _, row := range e.known.rows {
		if row.ImageID == "" || row.Digest != a.Digest && row.Index != a.Digest || row.Digest == a.Digest && row.Index != "" || seen[row.Digest] {
			continue
		}
		seen[row.Digest] = true
		image := pratique.Asset{Digest: row.Digest, Index: row.Index, ImageID: row.ImageID, Platform: row.Platform, Size: row.Size, Created: row.Created, Pushed: a.Pushed}
		e.tagged(image, a.Tags)
	}
}

func (e *expansion) inspect(ctx context.Context, d pratique.Digest) (registry.Artifact, error) {
	told, err := inspect(ctx, e.remote, e.conn, e.repository, []pratique.Digest{d})
	e.reads += len(told)
	return told[d], err
}

// read finds out what the contents of rows are which the listing did not tell: by
// other rows with the same manifest, else by reading it. A manifest that cannot be
// read leaves its rows unread, and is told; one that the registry does not have is
// a part of an index that nobody pushed.
func (e *expansion) read(ctx context.Context) error {
	contents := map[pratique.Digest]pratique.Asset{}
	for _, row := range e.known.rows {
		if row.ImageID != "" {
			contents[row.Digest] = row
		}
	}
	missing := e.missing(contents)
	if len(missing) == 0 {
		e.fill(contents, nil)
		return nil
	}
	elsewhere, err := e.listing.rows.KnownManifests(ctx, e.listing.registry.ID, missing...)
	if err != nil {
		return err
	}
	for _, row := range elsewhere {
		contents[row.Digest] = row
	}
	missing = e.missing(contents)
	told := map[pratique.Digest]registry.Artifact{}
	if namespace, _ := registry.SplitRepository(e.repository); len(missing) > 0 && e.readable(namespace) {
		told, err = inspect(ctx, e.remote, e.conn, e.repository, missing)
		e.reads += len(told)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		e.contents.add(err)
		e.unread(namespace, err)
	}
	e.fill(contents, told)
	return nil
}

// maxUnreadable is how many repositories may fail to be read until there is no point in
// asking for more of their kind.
const maxUnreadable = 3

// unread notes why manifests of a repository were not read.
func (l *listing) unread(namespace string, err error) {
	switch fault := registry.Diagnose(err); {
	case err == nil, fault == registry.FaultPolicy: // which is about single images
	case fault.Status == registry.StatusForbidden: // rights differ by namespace
		l.closed[namespace]++
	case pratique.CodeOf(err) == pratique.CodeUnreachable:
		l.broken++
	default: // a wrong password, or the registry asks for patience
		l.broken = maxUnreadable
	}
}

// readable tells whether there is a point in asking for manifests below a namespace.
func (l *listing) readable(namespace string) bool {
	return l.broken < maxUnreadable && l.closed[namespace] < maxUnreadable
}

// missing are the manifests of rows whose content is not among the given ones.
func (e *expansion) missing(contents map[pratique.Digest]pratique.Asset) []pratique.Digest {
	var missing []pratique.Digest
	for _, row := range e.rows {
		if _, known := contents[row.Digest]; row.ImageID == "" && !known {
			missing = append(missing, row.Digest)
		}
	}
	slices.Sort(missing)
	return slices.Compact(missing)
}

// fill gives rows their contents, and drops those that turned out not to be images.
func (e *expansion) fill(contents map[pratique.Digest]pratique.Asset, told map[pratique.Digest]registry.Artifact) {
	e.rows = slices.DeleteFunc(e.rows, func(row pratique.Asset) bool {
		a, read := told[row.Digest]
		if read && row.ImageID == "" && a.Kind != registry.KindImage && a.Kind != registry.KindIndex {
			if a.Type != typeMissing {
				e.others.add(row.Digest)
			}
			return true
		}
		return false
	})
	for i := range e.rows {
		row := &e.rows[i]
		content, known := contents[row.Digest]
		if a, read := told[row.Digest]; read && !known && a.Kind == registry.KindImage {
			content, known = contentOf(row.Digest, a), true
		}
		if row.ImageID != "" || !known {
			continue
		}
		row.ImageID, row.Size, row.Created = content.ImageID, cmp.Or(row.Size, content.Size), cmp.Or(row.Created, content.Created)
		if content.Platform.OS != "" && (row.Index == "" || row.Platform.OS == "") {
			row.Platform = content.Platform
		}
	}
}
