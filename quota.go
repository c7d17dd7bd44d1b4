package pratique

import (
	"fmt"
	"time"
)

// QuotaSettings is the rule by which contents are licensed to be scanned. One unit
// licenses one image content for good, wherever and under however many tags it is
// found. While it is off nothing is counted and everything is scanned.
type QuotaSettings struct {
	Enabled bool     `json:"enabled"`
	Total   int      `json:"total"` // units
	Auto    AutoRule `json:"auto"`
}

// AutoRule licenses contents when somebody wants them scanned. Where the units do
// not suffice, contents that a running container uses go first, then those of
// newest tags, then those that were pushed first, then those seen first.
type AutoRule struct {
	Enabled bool        `json:"enabled"`
	Filter  AssetFilter `json:"filter,omitzero"` // which; everything when it is empty
	PerDay  int         `json:"perDay"`          // contents in a day (UTC); 0 is unlimited
}

// QuotaState is how much is used.
type QuotaState struct {
	QuotaSettings
	Used       int        `json:"used"`
	Left       int        `json:"left"`
	Images     int        `json:"images"`     // contents that are there now
	Unlicensed int        `json:"unlicensed"` // of these
	AutoToday  int        `json:"autoToday"`  // licensed by the rule since 00:00 UTC
	By         string     `json:"by,omitempty"`
	Updated    *time.Time `json:"updated,omitempty"`
}

// QuotaNeed is what scanning or licensing some images would cost.
type QuotaNeed struct {
	Enabled  bool `json:"enabled"`
	Rows     int  `json:"rows"`     // of the list of images
	Images   int  `json:"images"`   // distinct contents
	Licensed int  `json:"licensed"` // of these: already
	Needed   int  `json:"needed"`   // units for the others
	Auto     int  `json:"auto"`     // of these: as many as the rule would license now
	Left     int  `json:"left"`
	Unread   int  `json:"unread"` // rows whose content is not known yet, and may cost a unit each
	Enough   bool `json:"enough"` // to license all of them
}

// QuotaAction is what a line of the ledger is about.
type QuotaAction string

const (
	QuotaLicense QuotaAction = "license"  // by hand
	QuotaAuto    QuotaAction = "auto"     // by the rule
	QuotaChange  QuotaAction = "settings" // total, switch or rule were changed
)

// Why the rule left contents without a licence.
const (
	QuotaReachLimit   = "reach_limit"  // its number for the day
	QuotaInsufficient = "insufficient" // no units are left
	QuotaOutOfRange   = "out_of_range" // its filter does not choose them
)

// QuotaEntry is one line of the ledger.
type QuotaEntry struct {
	ID      int64       `json:"id"`
	At      time.Time   `json:"at"`
	By      string      `json:"by"`
	Action  QuotaAction `json:"action"`
	Images  int         `json:"images"` // licensed: as many units
	Refused int         `json:"refused"`
	Reason  string      `json:"reason,omitempty"` // of the refusal
	Used    int         `json:"used"`             // after it
	Total   int         `json:"total"`
	Detail  string      `json:"detail,omitempty"` // for people
}

// Licence is one unit, spent.
type Licence struct {
	ImageID Digest      `json:"imageID"`
	Image   string      `json:"image,omitempty"` // where it was found last
	At      time.Time   `json:"at"`
	By      string      `json:"by"`
	Action  QuotaAction `json:"action"`
	EntryID int64       `json:"entryID"`
}

// Shortage is the cause of a CodeQuota error: units that are missing.
type Shortage struct {
	Needed int // contents without a licence
	Left   int // units that could be spent on them
}

func (s *Shortage) Error() string {
	return fmt.Sprintf("%d needed, %d left", s.Needed, s.Left)
}
