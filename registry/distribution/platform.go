package distribution

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/pratique/pratique"
)

// DefaultPlatform is what is read where nobody asked for a platform: Linux, for
// the processor that we run on.
func DefaultPlatform() pratique.Platform {
	return pratique.Platform{OS: "linux", Architecture: runtime.GOARCH}
}

// ParsePlatform reads os/architecture[/variant], for example "linux/arm64" or
// "linux/arm/v7". An empty string gives the zero platform: none asked for.
func ParsePlatform(s string) (pratique.Platform, error) {
	if s == "" {
		return pratique.Platform{}, nil
	}
	parts := strings.Split(strings.ToLower(s), "/")
	if len(parts) < 2 || len(parts) > 3 || slices.Contains(parts, "") {
		return pratique.Platform{}, pratique.Errorf(pratique.CodeInvalid, "%.60q is not a platform", s).
			WithRemedy("write os/architecture or os/architecture/variant, for example linux/amd64 or linux/arm/v7")
	}
	p := pratique.Platform{OS: parts[0], Architecture: parts[1]}
	if len(parts) == 3 {
		p.Variant = parts[2]
	}
	return normal(p), nil
}

// normal uses Go's words for processors, and drops the variants that say nothing.
func normal(p pratique.Platform) pratique.Platform {
	switch p.Architecture {
	case "x86_64", "x86-64":
		p.Architecture = "amd64"
	case "aarch64":
		p.Architecture = "arm64"
	case "i386", "i686":
		p.Architecture = "386"
	case "armhf", "armv7":
		p.Architecture, p.Variant = "arm", "v7"
	}
	if p.Architecture == "arm64" && p.Variant == "v8" || p.Architecture == "amd64" && p.Variant == "v1" {
		p.Variant = ""
	}
	return p
}

// Matches tells whether an image for have can answer a wish for want; a wish
// without a variant takes any.
func Matches(have, want pratique.Platform) bool {
	have, want = normal(have), normal(want)
	return have.OS == want.OS && have.Architecture == want.Architecture &&
		(want.Variant == "" || want.Variant == have.Variant)
}

// Limits of an index: real ones nest twice at most.
const (
	maxIndexDepth = 4  // indexes within indexes
	maxIndexes    = 32 // indexes read for one image
)

// A Fetch returns the bytes of a manifest or index, verified against the
// descriptor's digest.
type Fetch func(ctx context.Context, d Descriptor) ([]byte, error)

// Selection is the manifest of one platform.
type Selection struct {
	Manifest   Manifest
	Descriptor Descriptor
	Index      pratique.Digest // of the outermost index that led to it; "" without one
}

// Select returns the manifest that root names: root itself, or the child of the
// index root for the platform want. The zero platform stands for
// [DefaultPlatform], and then an index with only one image gives that one,
// and one without any Linux image its first. Attestations are passed over.
func Select(ctx context.Context, fetch Fetch, root Descriptor, content []byte, want pratique.Platform) (Selection, error) {
	m, err := ParseManifest(content, root.MediaType)
	if err != nil {
		return Selection{}, err
	}
	if !m.IsIndex() {
		root.MediaType = m.MediaType
		return Selection{Manifest: m, Descriptor: root}, nil
	}
	chosen, err := SelectChild(ctx, fetch, m, want)
	chosen.Index = root.Digest
	return chosen, err
}

// SelectChild is Select for an index that was parsed already, and that has no
// digest of its own, such as the table of contents of an OCI layout.
func SelectChild(ctx context.Context, fetch Fetch, index Manifest, want pratique.Platform) (Selection, error) {
	w := walk{fetch: fetch, seen: map[pratique.Digest]bool{}}
	if err := w.index(ctx, index, 1); err != nil {
		return Selection{}, err
	}
	chosen, err := choose(w.images, want)
	if err != nil {
		return Selection{}, err
	}
	content, err := fetch(ctx, chosen)
	if err != nil {
		if pratique.CodeOf(err) == pratique.CodeNotFound {
			return Selection{}, pratique.Errorf(pratique.CodeNotFound, "the index lists %s for %s, but that manifest is not there", chosen.Digest.Short(), chosen.platform()).
				WithRemedy("push or copy the image with all its platforms, or choose another with --platform")
		}
		return Selection{}, err
	}
	m, err := ParseManifest(content, chosen.MediaType)
	if err != nil {
		return Selection{}, err
	}
	if m.IsIndex() {
		return Selection{}, pratique.Errorf(pratique.CodeCorrupt, "index entry %s claims to be a manifest and is an index", chosen.Digest.Short()).
			WithRemedy("build and push the image again")
	}
	chosen.MediaType = m.MediaType
	return Selection{Manifest: m, Descriptor: chosen}, nil
}

// walk gathers the images of an index and of those nested in it.
type walk struct {
	fetch  Fetch
	seen   map[pratique.Digest]bool
	images []Descriptor
}

func (w *walk) index(ctx context.Context, m Manifest, depth int) error {
	for _, d := range m.Manifests {
		switch {
		case d.isAttestation():
		case !isIndexType(d.MediaType):
			w.images = append(w.images, d)
		case w.seen[d.Digest]:
		case depth >= maxIndexDepth || len(w.seen) >= maxIndexes:
			return pratique.Errorf(pratique.CodeLimit, "the image's index holds more nested indexes than we read (%d deep, %d in all)", maxIndexDepth, maxIndexes).
				WithRemedy("name the image by the digest of its manifest: NAME@sha256:DIGEST")
		default:
			w.seen[d.Digest] = true
			content, err := w.fetch(ctx, d)
			if err != nil {
				return err
			}
			nested, err := ParseManifest(content, d.MediaType)
			if err != nil {
				return err
			}
			if err := w.index(ctx, nested, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

func choose(images []Descriptor, want pratique.Platform) (Descriptor, error) {
	if len(images) == 0 {
		return Descriptor{}, pratique.Errorf(pratique.CodeUnsupported, "the index lists no image").
			WithRemedy("name a tag that holds an image, not signatures or attestations only")
	}
	asked := want != pratique.Platform{}
	if !asked {
		want = DefaultPlatform()
	}
	if best, ok := bestMatch(images, want); ok {
		return best, nil
	}
	linux := slices.ContainsFunc(images, func(d Descriptor) bool { return d.Platform == nil || d.Platform.OS == "linux" })
	// An only child without a platform may be anything; its config will tell.
	if len(images) == 1 && (!asked || images[0].Platform == nil) || !asked && !linux {
		return images[0], nil
	}
	return Descriptor{}, pratique.Errorf(pratique.CodeNotFound, "the image has no %s; it has %s", want, platforms(images)).
		WithRemedy("choose one of them with --platform")
}

// bestMatch prefers the most ordinary of several variants: none at all, then
// the highest for 32-bit ARM, then the first.
func bestMatch(images []Descriptor, want pratique.Platform) (best Descriptor, ok bool) {
	for _, d := range images {
		if d.Platform == nil || !Matches(d.platform(), want) {
			continue
		}
		have, chosen := normal(d.platform()), normal(best.platform())
		switch {
		case !ok, have.Variant == "" && chosen.Variant != "",
			have.Architecture == "arm" && chosen.Variant != "" && have.Variant > chosen.Variant:
			best, ok = d, true
		}
	}
	return best, ok
}

func platforms(images []Descriptor) string {
	const shown = 12
	var names []string
	for _, d := range images {
		name := "one of unknown platform"
		if d.Platform != nil {
			name = printable(d.platform().String(), 40)
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) > shown {
		names = append(names[:shown], fmt.Sprintf("%d more", len(names)-shown))
	}
	return strings.Join(names, ", ")
}
