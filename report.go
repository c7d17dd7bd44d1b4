package pratique

import "time"

// Category is one of the things that a scan looks for.
type Category string

const (
	CategoryVulnerability Category = "vulnerability"
	CategorySecret        Category = "secret"
	CategoryMalware       Category = "malware"
	CategorySoftware      Category = "software"
)

// Coverage is how far a category's answer reaches.
type Coverage string

const (
	CoverageComplete    Coverage = "complete"
	CoveragePartial     Coverage = "partial"     // something could not be read or judged: see the reasons
	CoverageHashesOnly  Coverage = "hashes_only" // malware: looked for by digest lists and the EICAR file only
	CoverageUnknown     Coverage = "unknown"     // no knowledge to judge with
	CoverageNotYet      Coverage = "not_yet"     // this version does not look for it
	CoverageSkipped     Coverage = "skipped"     // it was not asked for
	CoverageUnsupported Coverage = "unsupported" // not an image that we can judge
)

// CategoryCoverage says how far one category's answer reaches, and why not
// further. Anything but "complete" means that an empty list is not an all-clear.
type CategoryCoverage struct {
	State   Coverage `json:"state"`
	Reasons []string `json:"reasons,omitempty"` // for people, one line each
}

// FixState is what can be done about a vulnerable package.
type FixState string

const (
	FixAvailable FixState = "fixed"        // a version without the flaw exists
	FixNone      FixState = "not_fixed"    // none yet
	FixRefused   FixState = "will_not_fix" // the distribution decided against one
	FixUnknown   FixState = "unknown"
)

// Finding is one vulnerability in one package of an image.
type Finding struct {
	// ID is the CVE, or the advisory's own id where no CVE exists.
	ID       string   `json:"id"`
	Aliases  []string `json:"aliases,omitempty"`
	Package  Package  `json:"package"`
	Title    string   `json:"title,omitempty"`
	Details  string   `json:"details,omitempty"`
	Severity Severity `json:"severity"`
	// SeveritySource says who rated it: "cvss 3.1 by nvd", "debian", "ghsa".
	SeveritySource string      `json:"severitySource,omitempty"`
	CVSS           []CVSS      `json:"cvss,omitempty"`
	CWEs           []string    `json:"cwes,omitempty"`
	EPSS           *EPSS       `json:"epss,omitempty"`
	KEV            *KEV        `json:"kev,omitempty"`
	Published      *time.Time  `json:"published,omitempty"`
	FixState       FixState    `json:"fixState"`
	FixedVersion   string      `json:"fixedVersion,omitempty"` // lowest version that ends it for this package
	FixAdvice      Text        `json:"fixAdvice,omitzero"`
	References     []Reference `json:"references,omitempty"`
	// Unimportant: the distribution says that this is no real issue in its
	// package. Shown apart, and not counted as a risk.
	Unimportant bool `json:"unimportant,omitempty"`
	// Suppressed says why a finding does not count, by an exception or VEX.
	Suppressed string  `json:"suppressed,omitempty"`
	Proof      []Proof `json:"proof"`
}

// Proof is why a finding is believed: the record that decided, and the
// comparison that it took. The package's Origin has the file and the layer.
type Proof struct {
	Advisory  string    `json:"advisory"`          // its id
	Revision  time.Time `json:"revision,omitzero"` // its modified time
	Feed      string    `json:"feed,omitempty"`    // where it came from
	Ecosystem string    `json:"ecosystem"`         // as looked up: "Debian:12"
	Name      string    `json:"name"`              // as looked up: the source package for Debian
	Version   string    `json:"version"`           // the version that was compared
	Range     string    `json:"range"`             // ">= 0, < 3.0.11-1~deb12u2"
	Decision  string    `json:"decision"`          // "3.0.9-1 < 3.0.11-1~deb12u2 in Debian version order"
	URL       string    `json:"url,omitempty"`
}

// Bundle identifies the knowledge that a judgement used.
type Bundle struct {
	Digest Digest       `json:"digest"`
	Built  time.Time    `json:"built"`
	Feeds  []FeedStatus `json:"feeds"`
}

// SchemaVersion of a report's JSON. A field is only ever added within a major
// version.
const SchemaVersion = "1.0"

// Report is the result of one scan: what the image holds and what that means.
type Report struct {
	SchemaVersion   string                        `json:"schemaVersion"`
	Tool            Tool                          `json:"tool"`
	Created         time.Time                     `json:"created"`
	Image           Image                         `json:"image"`
	Layers          []Layer                       `json:"layers"`
	Packages        []Package                     `json:"packages"`
	Vulnerabilities []Finding                     `json:"vulnerabilities"`
	Secrets         []Secret                      `json:"secrets"`
	Malware         []Malware                     `json:"malware"`
	Coverage        map[Category]CategoryCoverage `json:"coverage"`
	Problems        []Problem                     `json:"problems"`
	Bundle          *Bundle                       `json:"bundle,omitempty"` // nil: no feed
	Verdict         Verdict                       `json:"verdict"`
	Timing          Timing                        `json:"timing"`
}

// Tool is the program that made a report.
type Tool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Timing is how long the parts of a scan took, in seconds.
type Timing struct {
	FirstByte float64 `json:"firstByte"` // start to the first byte of a layer
	Read      float64 `json:"read"`      // layers to facts
	Judge     float64 `json:"judge"`     // facts to findings
	Total     float64 `json:"total"`
	BytesRead int64   `json:"bytesRead"` // blob bytes, 0 when all facts were known
}

// Clearance answers "may this image ship?".
type Clearance string

const (
	ClearanceYes     Clearance = "yes"     // nothing that blocks, and everything was looked at
	ClearanceNo      Clearance = "no"      // at least one reason against it
	ClearanceUnknown Clearance = "unknown" // nothing found against it, but not everything could be judged
)

// Verdict is the answer with its reasons, most weighty first.
type Verdict struct {
	Clearance Clearance `json:"clearance"`
	// Gate is what was asked, as --fail-on takes it; "" is the default gate. A yes
	// says no more than its gate.
	Gate    string   `json:"gate,omitempty"`
	Reasons []string `json:"reasons"`
}
