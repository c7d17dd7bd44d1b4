package pratique

import "time"

// Registry is one connection to a server that keeps images. Its password is
// not part of it: it goes in, encrypted, and never comes out.
type Registry struct {
	ID          int64  `json:"id"`
	Name        string `json:"name"`              // unique in the installation
	Kind        string `json:"kind"`              // "oci", "harbor"
	Version     string `json:"version,omitempty"` // "V1", "V2" where the kind has dialects; "" finds out
	Network     string `json:"network"`           // "public" or "private"
	Region      string `json:"region"`
	Site        string `json:"site,omitempty"` // whose agent reads it; "" is the server itself
	Address     string `json:"address"`        // URL or host[:port]
	Username    string `json:"username,omitempty"`
	HasPassword bool   `json:"hasPassword"`
	HourlyLimit int    `json:"hourlyLimit"` // images pulled in a rolling hour; 0 is unlimited
	Insecure    bool   `json:"insecure"`    // do not verify the certificate
	CA          string `json:"ca,omitempty"`
	Proxy       string `json:"proxy,omitempty"`
	// Namespaces limits what is read of it; empty is all. Named are the repositories of
	// a registry that cannot list them by itself, such as Docker Hub.
	Namespaces []string   `json:"namespaces,omitempty"`
	Named      []string   `json:"repositoryNames,omitempty"`
	Created    time.Time  `json:"created"`
	Updated    time.Time  `json:"updated"`
	Health     Health     `json:"health"`
	Sync       SyncStatus `json:"sync"`
}

// Health is the outcome of a connection test.
type Health struct {
	Status  string     `json:"status"` // connected, auth_failed, unreachable, tls_failed, not_a_registry, …; "" before the first
	Reason  Text       `json:"reason,omitzero"`
	Remedy  Text       `json:"remedy,omitzero"`
	Checked *time.Time `json:"checked,omitempty"`
	// Addresses are the hosts and ports that must be reachable from where the
	// registry is read, and whose allow lists must have us.
	Addresses []string `json:"addresses,omitempty"`
}

// SyncStatus is how far our knowledge of a registry's inventory reaches.
type SyncStatus struct {
	State       string     `json:"state"` // "", "waiting", "running", "success", "failed"
	Full        bool       `json:"full"`
	Started     *time.Time `json:"started,omitempty"`
	Ended       *time.Time `json:"ended,omitempty"`
	LastSuccess *time.Time `json:"lastSuccess,omitempty"`
	Done        int        `json:"done"`  // repositories
	Total       int        `json:"total"` // repositories; 0 while not known
	Error       *Error     `json:"error,omitempty"`
	// Hinted are repositories that the registry's webhook named, and that are looked at
	// as soon as nothing else is.
	Hinted int `json:"hinted,omitempty"`
}

// Asset is one row of the list of repository images: a tag, or an untagged
// manifest, in one repository of one registry. Rows with the same ImageID are
// the same content: they share one scan, one result and one unit of quota.
type Asset struct {
	ID         int64      `json:"id"`
	RegistryID int64      `json:"registryID"`
	Repository string     `json:"repository"` // namespace/name
	Tag        string     `json:"tag"`        // "" for an untagged manifest
	Digest     Digest     `json:"digest"`     // of the manifest for Platform
	Index      Digest     `json:"index,omitempty"`
	ImageID    Digest     `json:"imageID,omitempty"` // "" until the manifest was read
	Platform   Platform   `json:"platform"`
	Size       int64      `json:"size"`
	Created    *time.Time `json:"created,omitempty"`
	Pushed     *time.Time `json:"pushed,omitempty"`
	FirstSeen  time.Time  `json:"firstSeen"`
	LastSeen   time.Time  `json:"lastSeen"`
	Gone       *time.Time `json:"gone,omitempty"` // it was no longer upstream
	Newest     bool       `json:"newest"`         // the newest tag of its repository
}

// Status is where an image stands with its scans.
type Status string

const (
	StatusNotScanned Status = "not_scanned"
	StatusScanning   Status = "scanning"
	StatusScanned    Status = "scanned"
	StatusCancelled  Status = "cancelled"
	StatusFailed     Status = "failed" // the mission's "Scan exception"
)

// TaskKind is who asked.
type TaskKind string

const (
	TaskManual   TaskKind = "manual"
	TaskSchedule TaskKind = "schedule"
	TaskWebhook  TaskKind = "webhook"
	TaskRescan   TaskKind = "rescan"
)

// Task is a request for scans by a person, a schedule or a push. Many tasks can
// wait for the same scan.
type Task struct {
	ID         int64         `json:"id"`
	Kind       TaskKind      `json:"kind"`
	Creator    string        `json:"creator"`
	Categories []Category    `json:"categories"`
	Timeout    time.Duration `json:"timeout"` // for each image; 0 is none
	Forced     bool          `json:"forced"`  // read every layer again
	Created    time.Time     `json:"created"`
	Ended      *time.Time    `json:"ended,omitempty"`
	Total      int           `json:"total"`
	Scanned    int           `json:"scanned"`
	Failed     int           `json:"failed"`
	Cancelled  int           `json:"cancelled"`
	AtRisk     int           `json:"atRisk"`
	Unlicensed int           `json:"unlicensed"` // contents that were left out, because the quota does not cover them
}

// Scan is one run over one image content.
type Scan struct {
	ID         int64            `json:"id"`
	ImageID    Digest           `json:"imageID"`
	Attempt    int              `json:"attempt"` // fences the writes of a worker that was given up
	Status     Status           `json:"status"`
	Categories []Category       `json:"categories"`
	Priority   int              `json:"priority"` // 1 push and admission, 2 by hand, 3 schedule, 4 re-reading
	Progress   map[Category]int `json:"progress"` // per cent
	Created    time.Time        `json:"created"`
	Started    *time.Time       `json:"started,omitempty"`
	Ended      *time.Time       `json:"ended,omitempty"`
	// Due: a scan that waits does not begin before, because the hourly limit of its
	// registry is used up. Error then says so.
	Due    *time.Time `json:"due,omitempty"`
	Error  *Error     `json:"error,omitempty"`
	Worker string     `json:"worker,omitempty"`
}
