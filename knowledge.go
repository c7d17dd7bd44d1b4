package pratique

import "time"

// PackageKey is what advisories are filed under: an ecosystem with its release
// where it has one ("Debian:12", "npm"), and the name as its records write it.
type PackageKey struct {
	Ecosystem string `json:"ecosystem"`
	Name      string `json:"name"`
}

// Adoption is a bundle that was taken into force.
type Adoption struct {
	ID       int64     `json:"id"`
	Bundle   Bundle    `json:"bundle"`
	At       time.Time `json:"at"`
	By       string    `json:"by"`     // a user, or "schedule"
	Reason   string    `json:"reason"` // "update", "import", "rollback"
	Keys     int       `json:"keys"`   // changed (ecosystem, package) keys
	Affected int       `json:"affected"`
	// Pending packages have yet to be judged by this or an earlier adoption.
	Pending int `json:"pending"`
}

// Subject is a package as it is judged: together with the distribution that it
// belongs to. Every image that holds it shares the judgement.
type Subject struct {
	ID      int64   `json:"id"`
	Package Package `json:"package"`
	Distro  *Distro `json:"distro,omitempty"`
	// Stamp changes with every request to judge it, so that an answer to an
	// earlier one does not count for a later.
	Stamp int64 `json:"stamp"`
}

// Judgement is what was found about a subject: all of its findings.
type Judgement struct {
	Subject  Subject
	Findings []Finding
	// Withdrawn are the ids of former findings whose advisories were withdrawn. What
	// else is no finding any longer is so because an advisory changed.
	Withdrawn []string
}

// Change is what happened to a finding.
type Change string

const (
	ChangeAppeared   Change = "appeared"
	ChangeChanged    Change = "changed"    // severity, fix or importance
	ChangeFixed      Change = "fixed"      // no longer a finding
	ChangeSuppressed Change = "suppressed" // an exception or a rejection took it out of the counts
	ChangeReopened   Change = "reopened"
)

// Cause is why it happened.
type Cause string

const (
	CauseContent   Cause = "image_content"      // an image with this content was read
	CauseAdded     Cause = "advisory_added"     // an advisory began to name it
	CauseChanged   Cause = "advisory_changed"   // it says something else now
	CauseWithdrawn Cause = "advisory_withdrawn" // none names it any longer
	CauseRules     Cause = "rules"              // the analyzer or its rules changed
	CauseException Cause = "exception"
)

// FindingEvent is one line of a finding's history.
type FindingEvent struct {
	ID            int64     `json:"id"`
	At            time.Time `json:"at"`
	Category      Category  `json:"category"`
	Change        Change    `json:"change"`
	Cause         Cause     `json:"cause"`
	Adoption      int64     `json:"adoption,omitempty"` // the bundle in force
	Bundle        Digest    `json:"bundle,omitempty"`
	Vulnerability string    `json:"vulnerability,omitempty"`
	Package       *Package  `json:"package,omitempty"`
	ImageID       Digest    `json:"imageID,omitempty"` // of a secret or malware
	Before        string    `json:"before,omitempty"`  // for people: "medium, no fix"
	After         string    `json:"after,omitempty"`
}

// Exploitation is what is known today about attacks on a vulnerability.
type Exploitation struct {
	ID   string
	EPSS *EPSS
	KEV  *KEV
}

// LikelyEPSS is the score from which a vulnerability counts as likely to be
// exploited.
const LikelyEPSS = 0.1

// Likely tells whether it is, or is likely to be, exploited.
func (e Exploitation) Likely() bool {
	return e.KEV != nil || e.EPSS != nil && e.EPSS.Score >= LikelyEPSS
}

// Comparison is what changed in vulnerabilities between two images, or between
// two days of one.
type Comparison struct {
	New       []Finding `json:"new"`
	Fixed     []Finding `json:"fixed"`
	Unchanged []Finding `json:"unchanged"`
}

// VulnerabilityDetail is one vulnerability with the packages that have it.
type VulnerabilityDetail struct {
	VulnerabilityRow
	Findings []Finding      `json:"findings"` // one for each affected package, without a place
	History  []FindingEvent `json:"history"`  // newest first
}

// EventFilter narrows the history of findings.
type EventFilter struct {
	ImageID       Digest     `json:"imageID,omitempty"` // of its packages, its secrets and its malware
	Vulnerability string     `json:"vulnerability,omitempty"`
	Package       int64      `json:"package,omitempty"` // ComponentRow.ID
	Adoption      int64      `json:"adoption,omitempty"`
	Changes       []Change   `json:"changes,omitempty"`
	Causes        []Cause    `json:"causes,omitempty"`
	Categories    []Category `json:"categories,omitempty"`
	At            TimeRange  `json:"at,omitzero"`
}
