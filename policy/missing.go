package policy

import (
	"slices"
	"strings"

	"github.com/pratique/pratique"
)

// categories in the order in which holes are told.
var categories = [...]pratique.Category{
	pratique.CategorySoftware, pratique.CategoryVulnerability, pratique.CategoryMalware, pratique.CategorySecret,
}

// missing tells, one line each, what the gate's terms need to know and the
// report does not.
func (g Gate) missing(r *pratique.Report) []string {
	var out []string
	for _, c := range categories {
		cover := r.Coverage[c]
		switch {
		case cover.State == pratique.CoverageComplete:
		case cover.State == pratique.CoverageHashesOnly:
			// Comparing with known digests answers a gate if there are any.
			if g.needs(c) && lacksFeed(r, "hashes") {
				out = append(out, describe(c, cover))
			}
		case g.needs(c), g.lenient && hole(cover.State), g.Empty() && hole(cover.State):
			out = append(out, describe(c, cover))
		}
	}
	// Without any bundle the vulnerabilities' own coverage says so already.
	if r.Bundle != nil && g.any(func(t term) bool { return t.kev }) && lacksFeed(r, "kev") {
		out = append(out, "exploited vulnerabilities: the CISA KEV catalogue was not imported")
	}
	if r.Bundle != nil && g.any(func(t term) bool { return t.hasEPSS }) && lacksFeed(r, "epss") {
		out = append(out, "EPSS: no scores were imported")
	}
	if g.any(func(t term) bool { return t.subject == release }) {
		if why := releaseUnknown(r); why != "" {
			out = append(out, why)
		}
	}
	return out
}

// needs tells whether a term cannot be answered without category c. What a
// lenient gate needs is told by hole alone.
func (g Gate) needs(c pratique.Category) bool {
	if g.lenient {
		return false
	}
	return g.any(func(t term) bool {
		switch c {
		case pratique.CategoryVulnerability, pratique.CategorySoftware:
			return t.subject == vulnerabilities
		case pratique.CategoryMalware:
			return t.subject == malware
		case pratique.CategorySecret:
			return t.subject == secrets
		}
		return false
	})
}

func (g Gate) any(is func(term) bool) bool { return slices.ContainsFunc(g.terms, is) }

// hole tells whether a category was looked for and not answered in full. A
// category that is absent from the report is one.
func hole(s pratique.Coverage) bool {
	switch s {
	case pratique.CoverageComplete, pratique.CoverageHashesOnly, pratique.CoverageNotYet, pratique.CoverageSkipped:
		return false
	}
	return true
}

// lacksFeed tells whether the knowledge in force has no source of that name.
func lacksFeed(r *pratique.Report, name string) bool {
	return r.Bundle == nil || !slices.ContainsFunc(r.Bundle.Feeds, func(f pratique.FeedStatus) bool {
		return f.Source == name || strings.HasPrefix(f.Source, name+"/")
	})
}

// releaseUnknown tells why it is not known whether the release has ended. An
// image without packages of a distribution has no release that could, and a
// rolling one never ends.
func releaseUnknown(r *pratique.Report) string {
	d := r.Image.Distro
	if d == nil {
		if slices.ContainsFunc(r.Packages, ofDistro) {
			return "end of life: the distribution of the image's packages was not recognised"
		}
		return ""
	}
	if d.Ended || d.EndOfLife != nil || d.Version == "" {
		return ""
	}
	return "end of life: no date is known for " + d.ID + " " + d.Version
}

func ofDistro(p pratique.Package) bool {
	return p.Type == "deb" || p.Type == "rpm" || p.Type == "apk" || p.Type == "alpm"
}

var categoryWords = map[pratique.Category]string{
	pratique.CategorySoftware:      "software",
	pratique.CategoryVulnerability: "vulnerabilities",
	pratique.CategoryMalware:       "malware",
	pratique.CategorySecret:        "secrets",
}

var stateWords = map[pratique.Coverage]string{
	pratique.CoveragePartial:     "only partly known",
	pratique.CoverageUnknown:     "unknown",
	pratique.CoverageHashesOnly:  "hashes only",
	pratique.CoverageNotYet:      "not looked for by this version",
	pratique.CoverageSkipped:     "not asked for",
	pratique.CoverageUnsupported: "not something that can be judged here",
}

func describe(c pratique.Category, cover pratique.CategoryCoverage) string {
	state, ok := stateWords[cover.State]
	if !ok {
		state = "unknown"
	}
	s := categoryWords[c] + ": " + state
	if n := len(cover.Reasons); n > 0 {
		s += " (" + cover.Reasons[0]
		if n > 1 {
			s += ", and " + plural(n-1, "other reason", "other reasons")
		}
		s += ")"
	}
	return s
}
