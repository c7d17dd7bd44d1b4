package registry

import (
	"context"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pratique/pratique"
)

// Connector knows one kind of registry. It holds no state and is safe for
// concurrent use: a Connection has the address and the credentials.
//
// Every error is a [pratique.Error] without credentials; [Diagnose] says what it
// means in people's languages.
type Connector interface {
	// Kind is the word for it in an address or a filter: "oci", "harbor".
	Kind() string
	// Label is its name for people.
	Label() pratique.Text
	// Fields is the form in which people describe a connection, in its order.
	Fields() []Field
	// Check asks the registry who we are there and whether it can be listed.
	Check(ctx context.Context, c Connection) Health
	// List hands what the registry holds to yield, which is never called twice at
	// once, and whose error ends the listing. What it keeps in memory are the names
	// of the repositories, and of those being listed the digests and tags.
	List(ctx context.Context, c Connection, q Query, yield func(Page) error) error
	// Webhook reads a call of the registry. It checks the secret, and returns no
	// hints for events that do not concern us.
	Webhook(c Connection, r *http.Request) ([]Hint, error)
}

// Query says what to list. The zero value means everything.
type Query struct {
	// Since asks for what was pushed after that time, which should be when the
	// last listing began. Connectors allow for clocks that differ by some minutes.
	// One that cannot tell lists more; what it leaves out is not gone, and its
	// page says so.
	Since time.Time
	// Repositories limits the listing to these, for example to those that a hint
	// named. The connection's filter applies as well.
	Repositories []string
	// Known tells whether the details of a manifest are known to the caller
	// already. They are then not read again, where that would cost a request.
	// It is called from several goroutines. Nil means that nothing is known.
	Known func(repository string, d pratique.Digest) bool
}

// Knows calls q.Known, if there is one.
func (q Query) Knows(repository string, d pratique.Digest) bool {
	return q.Known != nil && q.Known(repository, d)
}

// Page is a part of a listing: some artifacts of one repository. Pages of
// several repositories may alternate.
type Page struct {
	Repository string
	Artifacts  []Artifact // a digest comes once in all pages of a repository
	// Last marks the last page of the repository.
	Last bool
	// Complete is set on a last page if all that the repository holds was listed:
	// what is known of it otherwise is gone. It is not set after a failure, nor
	// when [Query.Since] left something out.
	Complete bool
	// Problem is why the repository was not listed, or not all of it.
	Problem error
}

// ArtifactKind tells what can be scanned from what cannot.
type ArtifactKind string

const (
	KindImage     ArtifactKind = "image"     // for one platform
	KindIndex     ArtifactKind = "index"     // lists images in Children
	KindAccessory ArtifactKind = "accessory" // belongs to Subject: Type is signature, attestation, sbom, …
	KindOther     ArtifactKind = "other"     // Type tells: helm, wasm, …
	// KindKnown: the caller said that it knows the manifest, so its details were
	// not read again. Only Repository, Digest and Tags are given.
	KindKnown ArtifactKind = "known"
)

// Artifact is what one manifest of a repository describes. What a registry does
// not tell is zero or nil; a date is never invented.
type Artifact struct {
	Repository string          `json:"repository"`
	Digest     pratique.Digest `json:"digest"` // of the manifest
	Tags       []Tag           `json:"tags,omitempty"`
	Kind       ArtifactKind    `json:"kind"`
	Type       string          `json:"type,omitempty"`      // of an accessory or other artifact, in one word
	Subject    pratique.Digest `json:"subject,omitempty"`   // of an accessory: what it is about
	MediaType  string          `json:"mediaType,omitempty"` // of the manifest
	Config     pratique.Digest `json:"config,omitempty"`    // the image ID
	// Size is bytes as stored: config and layers of an image; of an index the sum
	// of its children, or 0 where the registry does not tell.
	Size     int64              `json:"size,omitempty"`
	Platform *pratique.Platform `json:"platform,omitempty"` // of an image
	Children []Child            `json:"children,omitempty"` // of an index
	Created  *time.Time         `json:"created,omitempty"`  // as the build says
	Pushed   *time.Time         `json:"pushed,omitempty"`
	Pulled   *time.Time         `json:"pulled,omitempty"` // nil: never, or not told
	Labels   []string           `json:"labels,omitempty"` // that people put on it in the registry
	// Reads is how many manifests were read for it: what a registry may count as
	// pulls.
	Reads int `json:"-"`
}

// Tag is a movable name of an artifact.
type Tag struct {
	Name   string     `json:"name"`
	Pushed *time.Time `json:"pushed,omitempty"`
	Pulled *time.Time `json:"pulled,omitempty"`
}

// Child is an entry of an index. Children may be missing in the registry.
type Child struct {
	Digest    pratique.Digest    `json:"digest"`
	MediaType string             `json:"mediaType,omitempty"`
	Size      int64              `json:"size,omitempty"` // bytes of the manifest
	Platform  *pratique.Platform `json:"platform,omitempty"`
	// Attestation marks BuildKit's provenance and SBOM entries, which are no images.
	Attestation bool `json:"attestation,omitempty"`
}

// Hint is something that happened in a registry, as the registry tells it. It
// is not proof: whoever gets one asks the registry.
type Hint struct {
	Action     Action
	Repository string
	Tag        string          // "" where the registry does not say
	Digest     pratique.Digest // "" where the registry does not say
}

// Action is what happened.
type Action string

const (
	ActionPush   Action = "push"
	ActionDelete Action = "delete"
)

// accessoryTag is cosign's scheme of tags: sha256-HEX.sig and so on. Without a
// suffix it is the specification's fallback for registries without referrers.
var accessoryTag = regexp.MustCompile(`^sha256-([0-9a-f]{64})(?:\.([a-z]{1,16}))?$`)

// AccessoryTag reads a tag that stands for an accessory of the artifact with
// the digest subject.
func AccessoryTag(tag string) (subject pratique.Digest, kind string, ok bool) {
	m := accessoryTag.FindStringSubmatch(tag)
	if m == nil {
		return "", "", false
	}
	switch kind = m[2]; kind {
	case "sig":
		kind = "signature"
	case "att":
		kind = "attestation"
	case "":
		kind = "referrers"
	}
	return pratique.Digest("sha256:" + m[1]), kind, true
}

// SortTags orders an artifact's tags by name, and takes tags of accessories for
// what they are: an artifact that has no other is an accessory, and one that is
// tagged by people as well loses them, so that no row looks like an image that
// is none.
func (a *Artifact) SortTags() {
	slices.SortFunc(a.Tags, func(x, y Tag) int { return strings.Compare(x.Name, y.Name) })
	a.Tags = slices.CompactFunc(a.Tags, func(x, y Tag) bool { return x.Name == y.Name })
	if len(a.Tags) == 0 {
		return
	}
	var ordinary []Tag
	for _, t := range a.Tags {
		if _, _, ok := AccessoryTag(t.Name); !ok {
			ordinary = append(ordinary, t)
		}
	}
	if len(ordinary) > 0 {
		a.Tags = ordinary
		return
	}
	a.Subject, a.Type, _ = AccessoryTag(a.Tags[0].Name)
	a.Kind = KindAccessory
}

// Accessory finds out what an artifact that is no image is: an accessory's or
// another's type in one word, from the media types of its config and layers.
func Accessory(artifactType string) (kind string, ok bool) {
	switch t := strings.ToLower(artifactType); {
	case strings.Contains(t, "sbom"), strings.Contains(t, "spdx"), strings.Contains(t, "cyclonedx"), strings.Contains(t, "syft"):
		return "sbom", true
	case strings.Contains(t, "in-toto"), strings.Contains(t, "dsse"), strings.Contains(t, "attestation"):
		return "attestation", true
	case strings.Contains(t, "cosign"), strings.Contains(t, "signature"), strings.Contains(t, "notary"), strings.Contains(t, "sigstore"):
		return "signature", true
	}
	return "", false
}

// OtherType names an artifact that is neither image nor accessory.
func OtherType(artifactType string) string {
	switch t := strings.ToLower(artifactType); {
	case strings.Contains(t, "helm"), t == "chart":
		return "helm"
	case strings.Contains(t, "wasm"):
		return "wasm"
	case strings.Contains(t, "cnab"):
		return "cnab"
	case strings.Contains(t, "flux"):
		return "flux"
	case t == "", t == "unknown", strings.Contains(t, "oci.empty"):
		return "artifact"
	default:
		return t[:min(len(t), 100)]
	}
}

// Date reads a time of a registry's answer (RFC 3339). Nil stands for what
// registries write when they do not know: nothing, the years 1 and 1900, and the
// epoch, which reproducible builds claim.
func Date(s string) *time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || t.Unix() <= 0 || t.Year() > 9999 {
		return nil
	}
	t = t.UTC()
	return &t
}
