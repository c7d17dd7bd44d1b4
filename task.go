package pratique

import "time"

// Priorities of scans, most urgent first.
const (
	PriorityPush     = 1 // a push, or an admission that waits
	PriorityManual   = 2
	PrioritySchedule = 3
	PriorityReread   = 4 // facts of an older rule set
)

// TaskRequest asks for scans of images by their content.
type TaskRequest struct {
	Kind       TaskKind
	Creator    string
	Categories []Category
	Timeout    time.Duration // for each image; 0 is none
	Forced     bool
	Priority   int // 0: by kind
	ImageIDs   []Digest
}

// Lease is a worker's right to write to a scan. It ends when the scan is
// cancelled, or given to another worker: Attempt is then no longer the scan's.
type Lease struct {
	ScanID     int64         `json:"scanID"`
	ImageID    Digest        `json:"imageID"`
	Attempt    int           `json:"attempt"`
	Worker     string        `json:"worker"`
	Categories []Category    `json:"categories"`
	Forced     bool          `json:"forced"`
	Timeout    time.Duration `json:"timeout"`
	Created    time.Time     `json:"created"` // when the scan was first wanted
	// Knowledge names what told how far vulnerabilities are known. The worker fills it
	// in when it hands its report in.
	Knowledge string `json:"knowledge,omitempty"`
}

// Location is a place where an image's content can be pulled.
type Location struct {
	RegistryID int64  `json:"registryID"`
	Repository string `json:"repository"`
	Tag        string `json:"tag,omitempty"`
	Digest     Digest `json:"digest"`
	Index      Digest `json:"index,omitempty"`
}

// SyncResult counts what one repository's listing changed.
type SyncResult struct {
	Added   int `json:"added"`
	Changed int `json:"changed"` // the tag points to other content now
	Gone    int `json:"gone"`
	Back    int `json:"back"` // was gone, and is there again
	// Unread are rows whose manifest has to be read before their content is known.
	Unread []Asset `json:"-"`
	// New are contents of rows that were added or changed.
	New []Digest `json:"new,omitempty"`
}

// SyncWish is what is wanted of a registry's inventory, and not done yet. Wishes
// add up; each has the moment at which it was made, so that what was done for an
// earlier one does not count for a later.
type SyncWish struct {
	Whole *WholeSync `json:"whole,omitempty"`
	// Hints are repositories in which something happened, by what the registry told.
	Hints map[string]time.Time `json:"hints,omitempty"`
}

// WholeSync is the wish for a pass over all repositories of a registry.
type WholeSync struct {
	Full   bool      `json:"full"` // list all; else only what is new, where the registry can tell
	By     string    `json:"by"`
	Reason string    `json:"reason"` // as in SyncRun
	At     time.Time `json:"at"`
}

// Empty tells whether nothing is wanted.
func (w SyncWish) Empty() bool { return w.Whole == nil && len(w.Hints) == 0 }

// SyncRun is one pass over a registry's inventory.
type SyncRun struct {
	ID         int64      `json:"id"`
	RegistryID int64      `json:"registryID"`
	Full       bool       `json:"full"`
	Reason     string     `json:"reason"` // "manual", "schedule", "webhook"
	Started    time.Time  `json:"started"`
	Ended      *time.Time `json:"ended,omitempty"`
	State      string     `json:"state"` // running, success, failed
	Done       int        `json:"done"`
	Total      int        `json:"total"`
	Added      int        `json:"added"`
	Changed    int        `json:"changed"`
	Gone       int        `json:"gone"`
	Error      *Error     `json:"error,omitempty"`
}
