package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/pratique/pratique"
)

// topNames is how many findings a reason names before it only counts.
const topNames = 3

// Judge answers whether an image may ship. Reasons against it come first, most
// weighty first, then what is not known; a clearance has none. An empty gate has
// nothing to block on, and still says unknown of a report with holes.
func (g Gate) Judge(r *pratique.Report) pratique.Verdict {
	var blocks []reason
	for _, t := range g.terms {
		if b, ok := t.blocks(r); ok {
			blocks = append(blocks, b)
		}
	}
	slices.SortStableFunc(blocks, func(a, b reason) int { return cmp.Compare(b.weight, a.weight) })
	missing := g.missing(r)

	v := pratique.Verdict{Clearance: pratique.ClearanceYes, Reasons: []string{}}
	switch {
	case len(blocks) > 0:
		v.Clearance = pratique.ClearanceNo
	case len(missing) > 0:
		v.Clearance = pratique.ClearanceUnknown
	}
	for _, b := range blocks {
		if !slices.Contains(v.Reasons, b.text) {
			v.Reasons = append(v.Reasons, b.text)
		}
	}
	v.Reasons = append(v.Reasons, missing...)
	return v
}

// reason is one line against an image. Weights order terms by how much they
// say about a real attack: malware is one, a listed exploit happens elsewhere,
// a severity only says what could happen.
type reason struct {
	weight int
	text   string
}

func (t term) blocks(r *pratique.Report) (reason, bool) {
	switch t.subject {
	case malware:
		return t.blocksMalware(r)
	case secrets:
		return t.blocksSecrets(r)
	case release:
		return blocksRelease(r)
	case coverage:
		return blocksIncomplete(r)
	}
	return t.blocksVulnerabilities(r)
}

func (t term) blocksMalware(r *pratique.Report) (reason, bool) {
	var hits []named
	for i := range r.Malware {
		m := &r.Malware[i]
		if m.Counts() && t.rated(m.Severity) {
			hits = append(hits, named{name: m.Name + " in " + m.Path, rank: m.Severity.Rank()})
		}
	}
	text := fmt.Sprintf("%s malware", plural(len(hits), "file is", "files are"))
	return reason{weight: 100, text: text + top(hits)}, len(hits) > 0
}

func (t term) blocksSecrets(r *pratique.Report) (reason, bool) {
	var hits []named
	for i := range r.Secrets {
		s := &r.Secrets[i]
		if s.Suppressed == "" && t.rated(s.Severity) {
			hits = append(hits, named{name: cmp.Or(s.Title, s.Rule) + " in " + cmp.Or(s.Path, s.Source), rank: s.Severity.Rank()})
		}
	}
	text := plural(len(hits), "secret", "secrets") + t.ratedWords()
	return reason{weight: 80, text: text + top(hits)}, len(hits) > 0
}

func (t term) blocksVulnerabilities(r *pratique.Report) (reason, bool) {
	var hits []named
	distinct := map[string]bool{}
	for i := range r.Vulnerabilities {
		f := &r.Vulnerabilities[i]
		if f.Suppressed != "" || f.Unimportant || !t.meets(f) {
			continue
		}
		distinct[f.ID] = true
		hits = append(hits, named{name: f.ID + " in " + f.Package.Name, rank: rank(f)})
	}
	text := t.count(len(hits), len(distinct)) + t.condition()
	return reason{weight: t.weight(), text: text + top(hits)}, len(hits) > 0
}

// count words a number of findings, with the number of distinct
// vulnerabilities beside it where that differs.
func (t term) count(findings, distinct int) string {
	if findings == distinct {
		return plural(findings, "vulnerability", "vulnerabilities")
	}
	return fmt.Sprintf("%d vulnerabilities (%d distinct)", findings, distinct)
}

func blocksRelease(r *pratique.Report) (reason, bool) {
	d := r.Image.Distro
	if d == nil || !d.Ended {
		return reason{}, false
	}
	text := cmp.Or(d.Name, strings.TrimSpace(d.ID+" "+d.Version)) + " has no security support"
	if d.EndOfLife != nil {
		text += " since " + d.EndOfLife.Format("2006-01-02")
	}
	return reason{weight: 20, text: text}, true
}

func blocksIncomplete(r *pratique.Report) (reason, bool) {
	var holes []string
	for _, c := range categories {
		if hole(r.Coverage[c].State) {
			holes = append(holes, describe(c, r.Coverage[c]))
		}
	}
	return reason{weight: 10, text: "incomplete: " + strings.Join(holes, "; ")}, len(holes) > 0
}

func (t term) meets(f *pratique.Finding) bool {
	return t.rated(f.Severity) &&
		(!t.kev || f.KEV != nil) &&
		(!t.fixable || f.FixState == pratique.FixAvailable) &&
		(!t.hasEPSS || f.EPSS != nil && f.EPSS.Score >= t.epss)
}

func (t term) rated(s pratique.Severity) bool {
	if t.unknown {
		return s.Rank() == pratique.SeverityUnknown.Rank()
	}
	return t.severity == "" || s.Rank() >= t.severity.Rank()
}

// condition says in words what the findings of the term have in common.
func (t term) condition() string {
	s := t.ratedWords()
	if t.kev {
		s += ", known to be exploited (CISA KEV)"
	}
	if t.hasEPSS {
		s += fmt.Sprintf(", EPSS %g %% or more", t.epss*100)
	}
	if t.fixable {
		s += ", with a fix at hand"
	}
	return s
}

func (t term) ratedWords() string {
	switch {
	case t.unknown:
		return " of unknown severity"
	case t.severity == pratique.SeverityCritical:
		return " of severity critical"
	case t.severity != "":
		return " of severity " + string(t.severity) + " or worse"
	}
	return ""
}

func (t term) weight() int {
	w := 40
	switch {
	case t.kev:
		w = 90
	case t.hasEPSS:
		w = 60
	case t.unknown, t.severity == "":
		w = 30
	}
	return w + t.severity.Rank()
}

// rank orders vulnerabilities for naming: exploited ones first, then by
// severity, a fix and EPSS.
func rank(f *pratique.Finding) int {
	n := f.Severity.Rank() * 1000
	if f.KEV != nil {
		n += 100_000
	}
	if f.FixState == pratique.FixAvailable {
		n += 500
	}
	if f.EPSS != nil {
		n += int(f.EPSS.Score * 400)
	}
	return n
}

type named struct {
	name string
	rank int
}

// top names the highest ranked hits, each name once.
func top(hits []named) string {
	slices.SortStableFunc(hits, func(a, b named) int {
		return cmp.Or(cmp.Compare(b.rank, a.rank), strings.Compare(a.name, b.name))
	})
	hits = slices.CompactFunc(hits, func(a, b named) bool { return a.name == b.name })
	var names []string
	for _, h := range hits[:min(topNames, len(hits))] {
		names = append(names, h.name)
	}
	s := ": " + strings.Join(names, ", ")
	if more := len(hits) - len(names); more > 0 {
		s += fmt.Sprintf(" and %d more", more)
	}
	return s
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
