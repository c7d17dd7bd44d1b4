package pratique

// BySeverity counts by severity.
type BySeverity struct {
	Critical   int `json:"critical"`
	High       int `json:"high"`
	Medium     int `json:"medium"`
	Low        int `json:"low"`
	Negligible int `json:"negligible"`
	Unknown    int `json:"unknown"`
}

// Of returns the place of one severity.
func (b *BySeverity) Of(s Severity) *int {
	switch s {
	case SeverityCritical:
		return &b.Critical
	case SeverityHigh:
		return &b.High
	case SeverityMedium:
		return &b.Medium
	case SeverityLow:
		return &b.Low
	case SeverityNegligible:
		return &b.Negligible
	}
	return &b.Unknown
}

// Total is the sum over all severities.
func (b BySeverity) Total() int {
	return b.Critical + b.High + b.Medium + b.Low + b.Negligible + b.Unknown
}

// Worst is the highest severity with a count, and "" when there is none.
func (b BySeverity) Worst() Severity {
	for _, s := range Severities() {
		if *b.Of(s) > 0 {
			return s
		}
	}
	return ""
}

// Counters are what was found in one image, or in many together.
// Vulnerabilities, Secrets and Malware count occurrences that count as a risk: a
// vulnerable package at two paths is two. Suppressed findings and those that the
// distribution calls unimportant are counted apart.
type Counters struct {
	Vulnerabilities BySeverity `json:"vulnerabilities"`
	// Distinct counts each vulnerability once, by its worst severity.
	Distinct        BySeverity `json:"distinct"`
	Fixable         int        `json:"fixable"`         // occurrences with a fixed version
	CriticalFixable int        `json:"criticalFixable"` // those of critical severity
	Exploited       int        `json:"exploited"`       // distinct: known or likely to be exploited (KEV, EPSS)
	Unimportant     int        `json:"unimportant"`
	Suppressed      int        `json:"suppressed"` // of all three kinds
	Secrets         BySeverity `json:"secrets"`
	LiveSecrets     int        `json:"liveSecrets"` // of high or critical severity
	Malware         BySeverity `json:"malware"`
	Packages        int        `json:"packages"`
}

// Risks is the number of occurrences that make an image be at risk.
func (c Counters) Risks() int {
	return c.Vulnerabilities.Total() + c.Secrets.Total() + c.Malware.Total()
}

// Risk is an image's security status.
type Risk string

const (
	RiskUnknown Risk = "unknown" // nothing found, and not everything looked at
	RiskNone    Risk = "none"    // looked at completely, and nothing found
	RiskFound   Risk = "at_risk" // at least one finding that counts
)

// RiskOf tells the status from what was counted and how far it reaches.
func RiskOf(c Counters, coverage map[Category]CategoryCoverage) Risk {
	if c.Risks() > 0 {
		return RiskFound
	}
	for _, category := range [...]Category{CategoryVulnerability, CategorySecret, CategoryMalware} {
		switch coverage[category].State {
		case CoverageComplete, CoverageHashesOnly:
		default:
			return RiskUnknown
		}
	}
	return RiskNone
}
