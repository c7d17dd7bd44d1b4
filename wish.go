package pratique

import "time"

// Scope is which images a scan is for.
type Scope string

const (
	// ScopeRecommended: newest or running, and never scanned, scanned by older
	// rules or not scanned successfully the last time. Running ones come first.
	ScopeRecommended Scope = "recommended"
	ScopeAll         Scope = "all"
	ScopeSpecified   Scope = "specified" // Filter.IDs or Filter.ImageIDs
)

// DefaultScanTimeout bounds one image's scan unless somebody says otherwise.
const DefaultScanTimeout = time.Hour

// ScanWish asks for scans of repository images: a scope, narrowed by a filter
// whose Exclude takes rows out again. Rows with the same content are one scan.
type ScanWish struct {
	Kind       TaskKind      `json:"kind"`
	Creator    string        `json:"creator"`
	Categories []Category    `json:"categories"` // at least one
	Scope      Scope         `json:"scope"`
	Filter     AssetFilter   `json:"filter,omitzero"`
	Timeout    time.Duration `json:"timeout"` // for each image; 0 is DefaultScanTimeout
	Forced     bool          `json:"forced"`  // read every layer again, even if nothing changed
}

// ScanPreview is what a wish would do if it were made now.
type ScanPreview struct {
	Rows     int `json:"rows"`     // of the list of repository images
	Images   int `json:"images"`   // distinct contents: as many scans
	Joining  int `json:"joining"`  // of these: being scanned or waiting already
	Unread   int `json:"unread"`   // rows whose content is not known yet: their manifest is read first
	NewBytes int `json:"newBytes"` // compressed bytes of images that were never scanned
	// Estimate is how long it would take on the workers that there are, from the
	// pace of past scans and the registries' hourly limits; nil when there are none.
	Estimate *time.Duration `json:"estimate,omitempty"`
	Items    []AssetRow     `json:"items"` // the first of them, in the order in which they would be scanned
}

// SelectedImage is a content that a filter chooses.
type SelectedImage struct {
	ImageID    Digest
	RegistryID int64 // one that has it
	Rows       int   // of the list of repository images
	Size       int64 // compressed bytes, as far as they are known
	Scanned    bool  // at least once
	Active     bool  // it waits for a scan, or is being scanned
}
