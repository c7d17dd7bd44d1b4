package pratique

import "time"

// MaxPage bounds the rows of one page.
const MaxPage = 1000

// PageRequest asks for one page of a list. Pages follow each other by keyset:
// a row that appears or goes between two requests moves no other.
type PageRequest struct {
	Sort   string `json:"sort,omitempty"` // each list names its columns; "" is its default order
	Desc   bool   `json:"desc,omitempty"`
	Limit  int    `json:"limit,omitempty"`  // rows; 0 is 50
	Cursor string `json:"cursor,omitempty"` // Page.Next of the page before; opaque
	Count  bool   `json:"count,omitempty"`  // fill in Page.Total
}

// Page is a part of a list.
type Page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"`  // "" on the last page
	Total int    `json:"total,omitempty"` // of the whole list, when asked for
}

// TimeRange is from From (inclusive) until To (exclusive); either may be nil.
type TimeRange struct {
	From *time.Time `json:"from,omitempty"`
	To   *time.Time `json:"to,omitempty"`
}

// ImageSource is where the images of a list are.
type ImageSource string

const (
	SourceRegistry ImageSource = "registry" // what "" means
	SourceLocal    ImageSource = "local"    // images on hosts
	SourceAll      ImageSource = "all"
)

// AssetFilter narrows the lists of images. Several values of one field mean "or",
// several fields mean "and"; a zero field does not narrow, but Source: the zero
// value lists repository images alone.
type AssetFilter struct {
	Source        ImageSource `json:"source,omitempty"`
	IDs           []int64     `json:"ids,omitempty"`
	Exclude       []int64     `json:"exclude,omitempty"`
	ImageIDs      []Digest    `json:"imageIDs,omitempty"`
	Status        []Status    `json:"status,omitempty"`
	Risk          []Risk      `json:"risk,omitempty"`
	RiskKinds     []Category  `json:"riskKinds,omitempty"`  // at least one finding of one of these kinds
	Severities    []Severity  `json:"severities,omitempty"` // at least one finding of one of these
	Kinds         []string    `json:"kinds,omitempty"`      // of the registry
	Registries    []int64     `json:"registries,omitempty"`
	Namespaces    []string    `json:"namespaces,omitempty"`
	Repositories  []int64     `json:"repositories,omitempty"`
	OS            []string    `json:"os,omitempty"` // distribution id: "debian"
	Architectures []string    `json:"architectures,omitempty"`
	Search        string      `json:"search,omitempty"` // words that must all occur in address, name, tag, digest or image ID
	Newest        bool        `json:"newest,omitempty"`
	Running       bool        `json:"running,omitempty"`
	HighPriority  bool        `json:"highPriority,omitempty"`
	Recommended   bool        `json:"recommended,omitempty"`
	Fixable       bool        `json:"fixable,omitempty"`
	// MustFix: a critical vulnerability with a fix, or one that is or is likely to be
	// exploited.
	MustFix       bool      `json:"mustFix,omitempty"`
	Gone          bool      `json:"gone,omitempty"`          // those that are no longer upstream, instead of those that are
	Licensed      *bool     `json:"licensed,omitempty"`      // whose content has, or has not, a unit of the quota
	Vulnerability string    `json:"vulnerability,omitempty"` // that have this CVE now
	Package       string    `json:"package,omitempty"`       // that hold a package of this name
	Components    []int64   `json:"components,omitempty"`    // that hold one of these (ComponentRow.ID)
	Secret        int64     `json:"secret,omitempty"`        // that have the same secret as this row (PlacedSecret.RowID)
	Malware       int64     `json:"malware,omitempty"`       // that have the same malicious file as this row (PlacedMalware.RowID)
	MinSize       int64     `json:"minSize,omitempty"`       // bytes
	MaxSize       int64     `json:"maxSize,omitempty"`
	Created       TimeRange `json:"created,omitzero"`
	Pushed        TimeRange `json:"pushed,omitzero"`
	PushedDays    int       `json:"pushedDays,omitempty"` // pushed in the past so many days, counted from when the filter is used: for those that are kept
	ScannedAt     TimeRange `json:"scannedAt,omitzero"`
	Synced        TimeRange `json:"synced,omitzero"`

	// Of images on hosts:
	Hosts     []string     `json:"hosts,omitempty"`     // that one of these has (Host.ID)
	Projects  []string     `json:"projects,omitempty"`  // that a host of one of these has
	Labels    []string     `json:"labels,omitempty"`    // that a host with one of these has, as NAME=VALUE: "cluster=prod"
	Engines   []EngineKind `json:"engines,omitempty"`   // that an engine of one of these kinds has
	Container string       `json:"container,omitempty"` // that a container uses whose name or id holds this
	Pod       string       `json:"pod,omitempty"`       // that a container of a pod uses whose name holds this
	Used      *bool        `json:"used,omitempty"`      // whether there is a container of it, running or not
	Scannable *bool        `json:"scannable,omitempty"` // whether nothing is known to keep it from being scanned
}

// Reasons why an image is recommended for a scan or has a high priority.
const (
	ReasonNewest          = "newest"           // the newest tag of its repository
	ReasonRunning         = "running"          // a running container uses it
	ReasonNeverScanned    = "never_scanned"    //
	ReasonOlderRules      = "older_rules"      // scanned with rules that are no longer the current ones
	ReasonLastScanFailed  = "last_scan_failed" //
	ReasonExploited       = "exploited"        // has a vulnerability that is or is likely to be exploited
	ReasonCriticalFixable = "critical_fixable" // has a critical vulnerability with a fix
	ReasonMalware         = "malware"          //
	ReasonLiveSecret      = "live_secret"      // has a secret of high or critical severity
)

// AssetRow is one line of a list of images. Of images on hosts RegistryID,
// RegistryName and Address mean nothing, Namespace is empty, and Repository is the
// name without its tag ("<none>" for an image without any).
type AssetRow struct {
	Asset
	Source       ImageSource      `json:"source"`
	RegistryName string           `json:"registryName"`
	RegistryKind string           `json:"registryKind"`
	Address      string           `json:"address"` // of the registry
	RepositoryID int64            `json:"repositoryID"`
	Namespace    string           `json:"namespace"`
	OSName       string           `json:"osName,omitempty"`
	Status       Status           `json:"status"`
	ScannedAt    *time.Time       `json:"scannedAt,omitempty"` // end of the last scan that succeeded
	ScanID       int64            `json:"scanID,omitempty"`    // the last one, or the one that runs
	Progress     map[Category]int `json:"progress,omitempty"`
	ScanError    *Error           `json:"scanError,omitempty"`
	Risk         Risk             `json:"risk"`
	Counters     Counters         `json:"counters"`
	// Incomplete are the categories that were not looked at to their end, each with
	// how far: that nothing is counted in one of them is no all-clear.
	Incomplete   map[Category]Coverage `json:"incomplete,omitempty"`
	Running      bool                  `json:"running"`
	Licensed     bool                  `json:"licensed"`               // its content has a unit of the quota
	Recommended  []string              `json:"recommended,omitempty"`  // the reasons; empty when it is not
	HighPriority []string              `json:"highPriority,omitempty"` // likewise

	// What hosts have of its content.
	Hosts             int `json:"hosts"`
	Containers        int `json:"containers"`
	RunningContainers int `json:"runningContainers"`
	// InRegistries is how many rows of the list of repository images have its content.
	InRegistries int `json:"inRegistries"`
	// Reason says why it cannot be scanned, for people; "" when nothing is known to
	// keep it from that.
	Reason string `json:"reason,omitempty"`
}

// AssetName names one row of the lists of images, where lists about contents need
// something to call them by.
type AssetName struct {
	ID           int64       `json:"id"`
	Source       ImageSource `json:"source"`
	RegistryID   int64       `json:"registryID"`
	RegistryName string      `json:"registryName"`
	Repository   string      `json:"repository"`
	Tag          string      `json:"tag"` // "" for an untagged manifest
}

// Facet is one value that a filter can take, and how many rows it leaves.
type Facet struct {
	Value string `json:"value"`
	Label string `json:"label,omitempty"` // for people, where it is not the value
	Count int    `json:"count"`
}

// AssetFacets are the values that the filters of the list of repository images
// can take, most frequent first.
type AssetFacets struct {
	Kinds         []Facet `json:"kinds"`
	Registries    []Facet `json:"registries"` // by id, with their names
	Namespaces    []Facet `json:"namespaces"` // the first 200
	OS            []Facet `json:"os"`
	Architectures []Facet `json:"architectures"`
	Hosts         []Facet `json:"hosts,omitempty"` // of images on hosts: by id, with their names
	Projects      []Facet `json:"projects,omitempty"`
	Labels        []Facet `json:"labels,omitempty"` // of hosts, as NAME=VALUE
	Engines       []Facet `json:"engines,omitempty"`
}

// ImageSummary is one image content with everything but its long lists.
type ImageSummary struct {
	Image      Image                         `json:"image"`
	Layers     []Layer                       `json:"layers"`
	Status     Status                        `json:"status"`
	ScannedAt  *time.Time                    `json:"scannedAt,omitempty"`
	LastScan   *Scan                         `json:"lastScan,omitempty"`
	Risk       Risk                          `json:"risk"`
	Counters   Counters                      `json:"counters"`
	Coverage   map[Category]CategoryCoverage `json:"coverage"`
	CategoryAt map[Category]time.Time        `json:"categoryAt"` // when each category was last looked at
	Problems   []Problem                     `json:"problems"`
	Bundle     *Bundle                       `json:"bundle,omitempty"` // by which its vulnerabilities are judged
	Rules      string                        `json:"rules,omitempty"`
	Pending    int                           `json:"pending"`         // packages that wait to be judged again
	Assets     []AssetRow                    `json:"assets"`          // in registries
	Local      []AssetRow                    `json:"local,omitempty"` // on hosts
}

// FindingFilter narrows lists of vulnerabilities, secrets and malware.
type FindingFilter struct {
	ImageIDs []Digest `json:"imageIDs,omitempty"`
	// Vulnerability chooses the findings of one by its id. It narrows lists of
	// findings only.
	Vulnerability string     `json:"vulnerability,omitempty"`
	Severities    []Severity `json:"severities,omitempty"`
	Search        string     `json:"search,omitempty"` // id, title, package, path, name or rule
	Types         []string   `json:"types,omitempty"`  // package type, or type of a secret
	Package       string     `json:"package,omitempty"`
	Registries    []int64    `json:"registries,omitempty"`
	Newest        bool       `json:"newest,omitempty"` // in an image that is the newest of a repository
	Running       bool       `json:"running,omitempty"`
	Fixable       bool       `json:"fixable,omitempty"`
	Exploited     bool       `json:"exploited,omitempty"`
	// System and Application choose packages of distributions or of languages.
	System      bool `json:"system,omitempty"`
	Application bool `json:"application,omitempty"`
	// Vulnerable chooses packages with at least one finding that counts. It narrows
	// lists of packages only.
	Vulnerable bool `json:"vulnerable,omitempty"`
	// Distinct names a secret, or a malicious file, that several images have once.
	Distinct bool `json:"distinct,omitempty"`
	// Uncounted lists what is suppressed or unimportant, instead of what counts.
	Uncounted bool `json:"uncounted,omitempty"`
}

// VulnerabilityRow is one vulnerability across all images.
type VulnerabilityRow struct {
	ID        string    `json:"id"`
	Title     string    `json:"title,omitempty"`
	Severity  Severity  `json:"severity"` // the worst of its findings
	Score     float64   `json:"score"`    // CVSS base score
	Fixable   bool      `json:"fixable"`
	EPSS      *EPSS     `json:"epss,omitempty"`
	KEV       *KEV      `json:"kev,omitempty"`
	Published time.Time `json:"published,omitzero"`
	FirstSeen time.Time `json:"firstSeen"`
	LastSeen  time.Time `json:"lastSeen"` // when a judgement last changed
	Images    int       `json:"images"`   // distinct contents
	// Repositories and Local are rows of the lists of repository images and of images
	// on hosts, and Containers are those of these images: in the details of one
	// vulnerability, because counting them for all of a list costs too much.
	Repositories int `json:"repositories,omitempty"`
	Local        int `json:"local,omitempty"`
	Containers   int `json:"containers,omitempty"`
}

// PlacedFinding is a finding in one image, with its interval.
type PlacedFinding struct {
	RowID   int64  `json:"rowID"`
	ImageID Digest `json:"imageID"`
	Finding
	Since time.Time  `json:"since"`
	Until *time.Time `json:"until,omitempty"`
}

// PlacedSecret is a secret in one image.
type PlacedSecret struct {
	RowID   int64  `json:"rowID"`
	ImageID Digest `json:"imageID"`
	Secret
	Since time.Time  `json:"since"`
	Until *time.Time `json:"until,omitempty"`
	// Images is the number of contents that have the same; FindingFilter.Distinct
	// fills it in.
	Images int `json:"images,omitempty"`
}

// PlacedMalware is a malicious file in one image.
type PlacedMalware struct {
	RowID   int64  `json:"rowID"`
	ImageID Digest `json:"imageID"`
	Malware
	Since time.Time  `json:"since"`
	Until *time.Time `json:"until,omitempty"`
	// Images is the number of contents that have the same; FindingFilter.Distinct
	// fills it in.
	Images int `json:"images,omitempty"`
}

// ComponentRow is one package version across all images.
type ComponentRow struct {
	ID              int64    `json:"id"`
	Package         Package  `json:"package"`
	Distro          string   `json:"distro,omitempty"`
	Images          int      `json:"images"`
	Vulnerabilities int      `json:"vulnerabilities"`
	Worst           Severity `json:"worst,omitempty"`
}

// PlacedPackage is a package in one image.
type PlacedPackage struct {
	ComponentID     int64    `json:"componentID"` // ComponentRow.ID
	Package         Package  `json:"package"`
	Vulnerabilities int      `json:"vulnerabilities"`
	Worst           Severity `json:"worst,omitempty"`
}

// LayerFindings are what one layer of an image brought.
type LayerFindings struct {
	Packages        int        `json:"packages"`
	Vulnerabilities BySeverity `json:"vulnerabilities"`
	Secrets         BySeverity `json:"secrets"`
	Malware         BySeverity `json:"malware"`
}

// BuildStep is one step of an image's build with what it brought.
type BuildStep struct {
	Instruction
	DiffID       Digest         `json:"diffID,omitempty"`
	Digest       Digest         `json:"digest,omitempty"` // of the blob
	Size         int64          `json:"size"`             // bytes as stored; 0 when the step made no layer
	Uncompressed int64          `json:"uncompressed,omitempty"`
	Findings     *LayerFindings `json:"findings,omitempty"` // nil when the step made no layer
}

// BuildHistory is how an image was built, oldest step first.
type BuildHistory struct {
	Steps []BuildStep `json:"steps"`
	// Config is what was found in the image's configuration (history, environment,
	// labels), or in no layer that we know.
	Config LayerFindings `json:"config"`
}

// RegistryRow is a registry with what is in it.
type RegistryRow struct {
	Registry
	Repositories int `json:"repositories"`
	Images       int `json:"images"` // rows of the list
	AtRisk       int `json:"atRisk"`
	PulledHour   int `json:"pulledHour"` // images in the past 60 minutes
}

// RepositoryFilter narrows the list of repositories.
type RepositoryFilter struct {
	Registries []int64  `json:"registries,omitempty"`
	Namespaces []string `json:"namespaces,omitempty"`
	Search     string   `json:"search,omitempty"`
	Gone       bool     `json:"gone,omitempty"`
}

// RepositoryRow is a repository with what is in it. In the list of namespaces
// Name is empty.
type RepositoryRow struct {
	ID           int64     `json:"id,omitempty"`
	RegistryID   int64     `json:"registryID"`
	RegistryName string    `json:"registryName"`
	Namespace    string    `json:"namespace"`
	Name         string    `json:"name,omitempty"`
	Repositories int       `json:"repositories"`
	Images       int       `json:"images"`
	AtRisk       int       `json:"atRisk"`
	Unscanned    int       `json:"unscanned"`
	LastSeen     time.Time `json:"lastSeen"`
}

// TaskFilter narrows the list of tasks.
type TaskFilter struct {
	Kinds    []TaskKind `json:"kinds,omitempty"`
	Creator  string     `json:"creator,omitempty"`
	Running  bool       `json:"running,omitempty"`
	Created  TimeRange  `json:"created,omitzero"`
	ImageIDs []Digest   `json:"imageIDs,omitempty"`
}

// ScanFilter narrows the list of scans.
type ScanFilter struct {
	Tasks    []int64   `json:"tasks,omitempty"`
	Phase    string    `json:"phase,omitempty"` // "waiting", "running" or "ended"
	ImageIDs []Digest  `json:"imageIDs,omitempty"`
	Status   []Status  `json:"status,omitempty"`
	Created  TimeRange `json:"created,omitzero"`
}

// Overview is the state of all repository images, or of all images on hosts.
type Overview struct {
	Registries    int              `json:"registries"`
	Repositories  int              `json:"repositories"`
	Rows          int              `json:"rows"`   // of the list of repository images
	Images        int              `json:"images"` // distinct contents
	AtRisk        int              `json:"atRisk"` // rows
	NoRisk        int              `json:"noRisk"`
	Unknown       int              `json:"unknown"`
	ByStatus      map[Status]int   `json:"byStatus"`    // rows
	ByWorst       map[Severity]int `json:"byWorst"`     // newest rows by their worst severity
	Counters      Counters         `json:"counters"`    // occurrences over distinct contents
	DistinctIDs   BySeverity       `json:"distinctIDs"` // vulnerabilities, each once
	Exploited     int              `json:"exploited"`   // of these: known or likely to be
	Recommended   int              `json:"recommended"` // rows
	HighPriority  int              `json:"highPriority"`
	NewToday      int              `json:"newToday"`      // rows first seen today
	NewRiskyToday int              `json:"newRiskyToday"` // and at risk
	LastScan      *time.Time       `json:"lastScan,omitempty"`
	Waiting       int              `json:"waiting"` // scans that have not begun
	Pending       int              `json:"pending"` // packages that wait to be judged again
	// Of images on hosts, and 0 for repository images:
	Hosts       int `json:"hosts"`
	HostsOnline int `json:"hostsOnline"`
	Containers  int `json:"containers"`
	Running     int `json:"running"` // containers
}

// Among is which images a list of what matters most is about.
type Among string

const (
	AmongAll     Among = "all"
	AmongNewest  Among = "newest"  // the newest tag of each repository
	AmongRunning Among = "running" // used by a running container
)

// Day is what stood at the end of one day.
type Day struct {
	Date     string   `json:"date"` // YYYY-MM-DD
	Rows     int      `json:"rows"`
	AtRisk   int      `json:"atRisk"`
	Counters Counters `json:"counters"`
	Newest   Counters `json:"newest"` // over newest rows only
}

// TaskProgress is how far a task is, beside what has ended.
type TaskProgress struct {
	Waiting int     `json:"waiting"` // scans that nobody has begun
	Running int     `json:"running"`
	Percent float64 `json:"percent"` // summed over the scans that have not ended: each counts for 100
}
