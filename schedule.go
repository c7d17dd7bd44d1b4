package pratique

import "time"

// ImageKind is where images are: in repositories, or on hosts.
type ImageKind string

const (
	ImagesRepository ImageKind = "repository"
	ImagesLocal      ImageKind = "local"
)

// Schedule wants scans again and again. Its scope and its filter are looked at
// when a run starts, so that it finds what is there then.
type Schedule struct {
	ID      int64     `json:"id"`
	Name    string    `json:"name"` // unique
	Kind    ImageKind `json:"kind"`
	Enabled bool      `json:"enabled"`

	EveryDays int      `json:"everyDays,omitempty"` // 1 to 366; 0 when Weekdays choose
	Weekdays  []string `json:"weekdays,omitempty"`  // mon, tue, wed, thu, fri, sat, sun
	// FirstDay is a day of the cycle of EveryDays, as YYYY-MM-DD: what the days are
	// counted from.
	FirstDay string `json:"firstDay,omitempty"`
	Start    string `json:"start"`         // HH:MM by the clock in Zone
	End      string `json:"end,omitempty"` // HH:MM; not later than Start: on the next day; "": until the next opening
	Zone     string `json:"zone"`          // IANA: "Europe/Berlin"

	Categories []Category    `json:"categories"`
	Scope      Scope         `json:"scope"`
	Filter     AssetFilter   `json:"filter,omitzero"`
	Timeout    time.Duration `json:"timeout"` // for each image; 0 is DefaultScanTimeout

	By      string    `json:"by"` // who changed it last
	Created time.Time `json:"created"`
	Updated time.Time `json:"updated"`
	// Armed is since when it counts: openings before it was made, switched on or
	// given other times are not made up for.
	Armed time.Time `json:"armed"`

	Rest int          `json:"rest"`           // contents that were put back, and go first in the next run
	Last *ScheduleRun `json:"last,omitempty"` // the newest run
	Next *time.Time   `json:"next,omitempty"` // when it opens next; nil while it is off
}

// ScheduleResult is what came of a run.
type ScheduleResult string

const (
	ScheduleSuccess      ScheduleResult = "success"
	ScheduleNothing      ScheduleResult = "nothing_to_scan"
	ScheduleInsufficient ScheduleResult = "insufficient_quota" // at least one image was left out for it
	ScheduleError        ScheduleResult = "error"
)

// ScheduleRun is one opening of a schedule, or one that somebody asked for.
type ScheduleRun struct {
	ID         int64     `json:"id"`
	ScheduleID int64     `json:"scheduleID"`
	Opens      time.Time `json:"opens"`  // when it was due
	Closes     time.Time `json:"closes"` // what waits then is put back
	By         string    `json:"by"`     // "schedule", or who asked
	Started    time.Time `json:"started"`
	// Ended is when its images were done, or when it closed: those being scanned
	// then are finished.
	Ended   *time.Time     `json:"ended,omitempty"`
	Result  ScheduleResult `json:"result,omitempty"` // "" while it runs
	Error   *Error         `json:"error,omitempty"`
	Task    *Task          `json:"task,omitempty"` // nil when there was nothing to do
	PutBack int            `json:"putBack"`        // contents that go on in the next run
	// Begun: its task is made. Until then whoever looks after it makes it.
	Begun bool `json:"-"`
}

// SchedulePreview is what the next run of a schedule would do if it started now.
type SchedulePreview struct {
	Opens  []time.Time `json:"opens"`  // the next openings
	Closes time.Time   `json:"closes"` // when the first of them does
	Rest   int         `json:"rest"`   // contents that were put back and are still in scope
	Scans  ScanPreview `json:"scans"`
	Quota  QuotaNeed   `json:"quota"`
}
