package pratique

import "time"

// Platform is what an image was built for, in the words of Go's GOOS and
// GOARCH, which OCI uses.
type Platform struct {
	OS           string `json:"os"`
	Architecture string `json:"architecture"`
	Variant      string `json:"variant,omitempty"`   // "v7", "v8"
	OSVersion    string `json:"osVersion,omitempty"` // Windows only
}

// String returns os/architecture[/variant].
func (p Platform) String() string {
	s := p.OS
	if p.Architecture != "" {
		s += "/" + p.Architecture
	}
	if p.Variant != "" {
		s += "/" + p.Variant
	}
	return s
}

// Kind is what was scanned.
type Kind string

const (
	KindImage  Kind = "image"  // an OCI or Docker image
	KindFolder Kind = "folder" // a root file system in a folder
	KindSBOM   Kind = "sbom"   // a bill of materials: packages without files
)

// Image is the identity and the shape of one image for one platform.
type Image struct {
	Name        string     `json:"name"` // as it was asked for, without credentials
	Kind        Kind       `json:"kind"`
	ID          Digest     `json:"id,omitempty"`          // digest of the config, computed by us
	Digest      Digest     `json:"digest,omitempty"`      // digest of the manifest
	IndexDigest Digest     `json:"indexDigest,omitempty"` // digest of the index that led to the manifest
	Tags        []string   `json:"tags,omitempty"`        // name:tag, where the source knows them
	Platform    Platform   `json:"platform"`
	Created     *time.Time `json:"created,omitempty"`
	Author      string     `json:"author,omitempty"`
	Size        int64      `json:"size"` // bytes of the layers as they are stored
	// ReadFrom says how the layers of a local engine's image were read, for people:
	// "overlay2 folders", "docker save: …".
	ReadFrom string        `json:"readFrom,omitempty"`
	Config   Config        `json:"config"`
	History  []Instruction `json:"history,omitempty"`
	Layers   []Layer       `json:"-"` // Report.Layers has them
	Distro   *Distro       `json:"distro,omitempty"`
}

// Config is what an image tells a container engine, as far as it matters here.
type Config struct {
	User       string            `json:"user,omitempty"` // "" means root
	Env        []string          `json:"env,omitempty"`  // values of credentials are masked
	Entrypoint []string          `json:"entrypoint,omitempty"`
	Cmd        []string          `json:"cmd,omitempty"`
	WorkingDir string            `json:"workingDir,omitempty"`
	Labels     map[string]string `json:"labels,omitempty"`
	Ports      []string          `json:"ports,omitempty"`
}

// Instruction is one step of the build, oldest first.
type Instruction struct {
	Created   *time.Time `json:"created,omitempty"`
	CreatedBy string     `json:"createdBy,omitempty"`
	Comment   string     `json:"comment,omitempty"`
	Empty     bool       `json:"empty,omitempty"` // the step made no layer
	Layer     *int       `json:"layer,omitempty"` // index of the layer that it made
}

// LayerState is what became of a layer in a scan.
type LayerState string

const (
	LayerRead       LayerState = "read"       // inflated, verified and analysed now
	LayerCached     LayerState = "cached"     // its facts were known already
	LayerForeign    LayerState = "foreign"    // not distributed with the image
	LayerEncrypted  LayerState = "encrypted"  // encrypted, and we have no key
	LayerUnreadable LayerState = "unreadable" // corrupt, or stopped by a limit
	LayerNotRead    LayerState = "not_read"   // the scan ended before its turn
)

// Layer is one layer of an image, lowest first.
type Layer struct {
	Index        int        `json:"index"`
	Digest       Digest     `json:"digest,omitempty"` // of the blob as it is stored; may be unknown locally
	DiffID       Digest     `json:"diffID,omitempty"` // of the uncompressed tar
	MediaType    string     `json:"mediaType,omitempty"`
	Size         int64      `json:"size"`                   // bytes as stored
	Uncompressed int64      `json:"uncompressed,omitempty"` // bytes of the tar, once it was read
	Entries      int64      `json:"entries,omitempty"`      // tar entries, once it was read
	Instruction  string     `json:"instruction,omitempty"`  // the build step that made it
	State        LayerState `json:"state,omitempty"`
	Reason       string     `json:"reason,omitempty"` // why it is not read, for people
	// Attested: it was read from an engine's folder, and its diffID was not computed.
	// What it holds is what this host says.
	Attested bool `json:"attested,omitempty"`
}

// Distro is the operating system that an image's packages belong to.
type Distro struct {
	ID       string   `json:"id"`      // os-release ID: "debian", "alpine", "rhel"
	Version  string   `json:"version"` // os-release VERSION_ID: "12", "3.20.3"; "" for rolling ones
	Codename string   `json:"codename,omitempty"`
	Name     string   `json:"name,omitempty"` // PRETTY_NAME
	IDLike   []string `json:"idLike,omitempty"`
	// CPEName as os-release states it; tells Red Hat streams apart.
	CPEName string  `json:"cpeName,omitempty"`
	Origin  *Origin `json:"origin,omitempty"` // the file that said so
	// EndOfLife is the first day without security support from the vendor
	// (UTC). Nil when the release is not in our table.
	EndOfLife *time.Time `json:"endOfLife,omitempty"`
	// Ended is true when EndOfLife had passed on the day of the judgement.
	Ended bool `json:"ended,omitempty"`
}

// Origin says where in an image something is: the file, the layer that brought
// it, and the build instruction that made that layer.
type Origin struct {
	Path        string `json:"path,omitempty"`
	Layer       int    `json:"layer"`            // index into Report.Layers; -1 for the config itself
	DiffID      Digest `json:"diffID,omitempty"` // of that layer
	Instruction string `json:"instruction,omitempty"`
	// DeletedBy is the upper layer that removed or replaced the file. The content
	// can still be pulled with its layer.
	DeletedBy *int `json:"deletedBy,omitempty"`
}
