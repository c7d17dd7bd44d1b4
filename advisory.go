package pratique

import "time"

// Severity is how bad a finding is. Unknown is a value of its own: a gate can
// name it, and it never counts as low.
type Severity string

const (
	SeverityUnknown    Severity = "unknown"
	SeverityNegligible Severity = "negligible"
	SeverityLow        Severity = "low"
	SeverityMedium     Severity = "medium"
	SeverityHigh       Severity = "high"
	SeverityCritical   Severity = "critical"
)

// Severities lists all values, worst first.
func Severities() []Severity {
	return []Severity{SeverityCritical, SeverityHigh, SeverityMedium, SeverityLow, SeverityNegligible, SeverityUnknown}
}

// Rank orders severities, worst highest. Unknown ranks above negligible and
// below low: it asks for a look.
func (s Severity) Rank() int {
	switch s {
	case SeverityCritical:
		return 5
	case SeverityHigh:
		return 4
	case SeverityMedium:
		return 3
	case SeverityLow:
		return 2
	case SeverityNegligible:
		return 0
	}
	return 1
}

// SeverityOfScore returns the qualitative rating of a CVSS v3 or v4 base score
// (CVSS v3.1 specification, section 5).
func SeverityOfScore(score float64) Severity {
	switch {
	case score >= 9:
		return SeverityCritical
	case score >= 7:
		return SeverityHigh
	case score >= 4:
		return SeverityMedium
	case score > 0:
		return SeverityLow
	}
	return SeverityNegligible
}

// Advisory is one record of the OSV schema
// (https://ossf.github.io/osv-schema/), cut down to what judging needs, with
// Affected limited to the package that was looked up.
type Advisory struct {
	ID         string      `json:"id"`
	Feed       string      `json:"feed,omitempty"` // where it came from: "osv/Debian"
	Modified   time.Time   `json:"modified"`       // its revision
	Published  time.Time   `json:"published,omitzero"`
	Withdrawn  *time.Time  `json:"withdrawn,omitempty"`
	Aliases    []string    `json:"aliases,omitempty"`
	Upstream   []string    `json:"upstream,omitempty"`
	Related    []string    `json:"related,omitempty"`
	Summary    string      `json:"summary,omitempty"`
	Details    string      `json:"details,omitempty"`
	Severity   []CVSS      `json:"severity,omitempty"`
	CWEs       []string    `json:"cwes,omitempty"`
	Rating     string      `json:"rating,omitempty"` // a severity in the publisher's own words
	References []Reference `json:"references,omitempty"`
	Affected   []Affected  `json:"affected"`
}

// Affected is one package of an advisory, with the versions that it concerns.
type Affected struct {
	Ecosystem string   `json:"ecosystem"` // with its release: "Debian:12", "npm"
	Name      string   `json:"name"`
	Ranges    []Range  `json:"ranges,omitempty"`
	Versions  []string `json:"versions,omitempty"` // explicit ones, exactly as written
	Severity  []CVSS   `json:"severity,omitempty"`
	// Urgency is Debian's, or another distribution's own priority word:
	// "unimportant", "end-of-life", "not yet assigned", "low", "negligible" …
	Urgency string `json:"urgency,omitempty"`
	// FixState is what the publisher says of a missing fix: "will_not_fix",
	// "end_of_life", "deferred"; "" when it says nothing.
	FixState string `json:"fixState,omitempty"`
	// Arches limits a record to some architectures; empty means all.
	Arches []string `json:"arches,omitempty"`
	// Symbols are the affected functions by import path, where the database knows
	// them (Go); informative, a finding does not depend on them.
	Imports []string `json:"imports,omitempty"`
	// Module is the rpm module that the record speaks of (name:stream), if any.
	Module string `json:"module,omitempty"`
}

// Range is a set of versions between events, in the order of its type.
type Range struct {
	Type   string  `json:"type"` // SEMVER or ECOSYSTEM; GIT ranges are dropped
	Events []Event `json:"events"`
}

// Event has exactly one of its fields set.
type Event struct {
	Introduced   string `json:"introduced,omitempty"` // "0" is before everything
	Fixed        string `json:"fixed,omitempty"`      // first version without the flaw
	LastAffected string `json:"last_affected,omitempty"`
	Limit        string `json:"limit,omitempty"`
}

// Reference is a page about a vulnerability.
type Reference struct {
	Type string `json:"type,omitempty"` // OSV's: ADVISORY, FIX, REPORT, WEB …
	URL  string `json:"url"`
}

// CVSS is a vector of the Common Vulnerability Scoring System (FIRST).
type CVSS struct {
	Version  string   `json:"version"` // "2.0", "3.0", "3.1", "4.0"
	Vector   string   `json:"vector"`
	Score    float64  `json:"score"`
	Severity Severity `json:"severity"`
	Source   string   `json:"source,omitempty"` // who scored: "nvd", "ghsa", "cisa-adp", an advisory id
	// Meaning is the vector in words, metric by metric; reports fill it.
	Meaning []string `json:"meaning,omitempty"`
}

// CVE is what is known about a CVE beside any package: scores, weakness,
// exploitation.
type CVE struct {
	ID          string    `json:"id"`
	Description string    `json:"description,omitempty"`
	CVSS        []CVSS    `json:"cvss,omitempty"`
	CWEs        []string  `json:"cwes,omitempty"`
	Published   time.Time `json:"published,omitzero"`
	Rejected    bool      `json:"rejected,omitempty"`
	EPSS        *EPSS     `json:"epss,omitempty"`
	KEV         *KEV      `json:"kev,omitempty"`
}

// EPSS is FIRST's estimate that a CVE is exploited within 30 days.
type EPSS struct {
	Score      float64 `json:"score"`      // 0 to 1
	Percentile float64 `json:"percentile"` // 0 to 1
	Date       string  `json:"date"`       // YYYY-MM-DD of the model's run
}

// KEV is an entry of CISA's catalogue of known exploited vulnerabilities.
type KEV struct {
	DateAdded  string `json:"dateAdded"` // YYYY-MM-DD
	DueDate    string `json:"dueDate,omitempty"`
	Name       string `json:"name,omitempty"`
	Action     string `json:"action,omitempty"`
	Ransomware bool   `json:"ransomware,omitempty"` // known use in ransomware campaigns
}

// FeedStatus tells what a bundle knows from one source.
type FeedStatus struct {
	Source  string    `json:"source"`           // "osv/Debian", "nvd", "epss", "kev", "hashes/NAME"
	Records int       `json:"records"`          // advisories, CVEs, scores, hashes
	Newest  time.Time `json:"newest,omitzero"`  // the newest record's date
	Fetched time.Time `json:"fetched,omitzero"` // when it was imported
	Refused int       `json:"refused,omitempty"`
	Holes   []string  `json:"holes,omitempty"` // what this source is known not to tell
}
