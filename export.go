package pratique

import "time"

// ExportRequest asks for a list as a file. Which of the filters counts depends on
// the kind.
type ExportRequest struct {
	Name     string   `json:"name,omitempty"` // of the file, without its ending; "" makes one
	Kind     string   `json:"kind"`           // "images", "findings", …
	Format   string   `json:"format"`         // csv, xlsx, json, html
	Columns  []string `json:"columns,omitempty"`
	Language string   `json:"language,omitempty"` // of headers and values: en, zh
	BOM      bool     `json:"bom,omitempty"`      // CSV: begin with a byte order mark, for Excel
	Sort     string   `json:"sort,omitempty"`     // as the list takes it: "name", "-scanned"

	// Images chooses repository images, or with its Source images on hosts: the list of images itself, or those whose
	// findings are wanted. IDs are ticked rows, Exclude takes some out of all.
	Images     AssetFilter     `json:"images,omitzero"`
	Findings   FindingFilter   `json:"findings,omitzero"` // narrows findings; ImageIDs are not used
	Tasks      TaskFilter      `json:"tasks,omitzero"`
	Scans      ScanFilter      `json:"scans,omitzero"`
	Hosts      HostFilter      `json:"hosts,omitzero"`
	Containers ContainerFilter `json:"containers,omitzero"`
	Events     EventFilter     `json:"events,omitzero"`
}

// ExportState is how far an export is.
type ExportState string

const (
	ExportWaiting ExportState = "waiting"
	ExportRunning ExportState = "running"
	ExportSuccess ExportState = "success"
	ExportFailed  ExportState = "failed"
	ExportExpired ExportState = "expired" // its file was removed
)

// Export is a job that writes a file, and the file.
type Export struct {
	ID       int64         `json:"id"`
	Request  ExportRequest `json:"request"`
	FileName string        `json:"fileName"` // as it is downloaded
	By       string        `json:"by"`
	State    ExportState   `json:"state"`
	Created  time.Time     `json:"created"`
	Started  *time.Time    `json:"started,omitempty"`
	Ended    *time.Time    `json:"ended,omitempty"`
	Expires  *time.Time    `json:"expires,omitempty"` // the file is removed then
	Rows     int           `json:"rows"`              // written
	Total    int           `json:"total"`             // counted before it began; it may have changed since
	Bytes    int64         `json:"bytes"`
	Error    *Error        `json:"error,omitempty"`
	// Fence is the attempt that may write; File is its file once there is one, in
	// the folder of exports.
	Fence    int64  `json:"-"`
	Attempts int    `json:"-"`
	File     string `json:"-"`
}

// ExportFilter narrows the list of exports.
type ExportFilter struct {
	States  []ExportState `json:"states,omitempty"`
	Kinds   []string      `json:"kinds,omitempty"`
	By      string        `json:"by,omitempty"`
	Search  string        `json:"search,omitempty"` // words of the file's name
	Created TimeRange     `json:"created,omitzero"`
}

// ExportNeed is what an export would come to.
type ExportNeed struct {
	Rows   int  `json:"rows"`
	Limit  int  `json:"limit"`  // rows of this format
	Sheets int  `json:"sheets"` // of a workbook
	Enough bool `json:"enough"` // it may be made
}
