package match

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pratique/pratique"
)

// A judgement is one run of Vulnerabilities: what was looked up, and what came
// of it.
type judgement struct {
	target    Target
	knowledge Knowledge
	known     map[string]bool // ecosystems with records
	fit       []string        // those of the target's distribution
	apart     []string        // those of its release under another contract
	support   Support
	inTable   bool

	records  map[[2]string][]*pratique.Advisory
	cves     map[string]*pratique.CVE
	told     map[string]bool
	findings []pratique.Finding
	problems []pratique.Problem

	judged  int            // packages that were held against a feed
	missing map[string]int // packages by what they lack to be judged
	lacking []string       // other reasons for "partial"
}

func newCase(t Target, k Knowledge, now time.Time) *judgement {
	c := &judgement{
		target: t, knowledge: k,
		known: map[string]bool{}, records: map[[2]string][]*pratique.Advisory{}, cves: map[string]*pratique.CVE{},
		told: map[string]bool{}, missing: map[string]int{},
	}
	c.support, c.inTable = EndOfLife(t.Distro, now)
	if k == nil {
		return c
	}
	ecosystems := k.Ecosystems()
	for _, eco := range ecosystems {
		c.known[eco] = true
	}
	c.fit, c.apart = ecosystemsOf(t.Distro, ecosystems)
	return c
}

// groups sorts the packages into groups of the same verdicts, in the order in
// which they come.
func (c *judgement) groups() []group {
	if len(c.known) == 0 {
		return nil
	}
	var list []group
	index := map[string]int{}
	for i := range c.target.Packages {
		p := &c.target.Packages[i]
		ecosystems, ok := c.ecosystems(p)
		if !ok {
			continue
		}
		c.judged++
		keys := keysOf(ecosystems[0], p)
		system := pratique.IsSystem(p.Type)
		id := strings.Join([]string{p.Type, ecosystems[0], keys[0].name, keys[0].version, p.Arch, p.Module}, "\x00")
		if len(keys) > 1 || p.Type == "rpm" {
			id += "\x00" + p.Name + "\x00" + p.Version
		}
		at, seen := index[id]
		if !seen {
			at = len(list)
			index[id] = at
			list = append(list, group{ecosystems: ecosystems, keys: keys, system: system})
		}
		list[at].packages = append(list[at].packages, p)
	}
	return list
}

// ecosystems returns where to look up a package; ok is false when it is not to be
// judged by itself, or cannot be.
func (c *judgement) ecosystems(p *pratique.Package) (list []string, ok bool) {
	if pratique.IsSystem(p.Type) {
		if len(c.fit) > 0 && typeOf(c.fit[0]) == p.Type {
			return c.fit, true
		}
		if len(c.fit) == 0 && c.known[p.Ecosystem] && typeOf(p.Ecosystem) == p.Type {
			return []string{p.Ecosystem}, true
		}
		c.missing[c.lackOf(p)]++
		return nil, false
	}
	// Its files came with a package of the distribution, whose team backports
	// fixes without changing the version that the files state.
	if p.OwnedBy != "" && len(c.fit) > 0 {
		return nil, false
	}
	eco := pratique.EcosystemOf(p.Type)
	switch {
	case eco == "":
		c.missing["no advisory feed exists for "+p.Type+" packages"]++
	case !c.known[eco]:
		c.missing["no advisory feed for "+eco+" is loaded"]++
	default:
		return []string{eco}, true
	}
	return nil, false
}

// lackOf says why a package of a distribution cannot be judged.
func (c *judgement) lackOf(p *pratique.Package) string {
	d := c.target.Distro
	base := Ecosystem(d)
	switch {
	case len(c.fit) > 0:
		return p.Type + " packages do not belong to " + title(d)
	case d == nil || d.ID == "":
		return "the distribution is not known"
	case base != "":
		return "no advisory feed for " + base + " is loaded"
	}
	return "no advisory feed exists for " + title(d)
}

func title(d *pratique.Distro) string {
	if d.Name != "" {
		return d.Name
	}
	return strings.TrimSpace(d.ID + " " + d.Version)
}

// typeOf is the package URL type of a distribution's packages.
func typeOf(ecosystem string) string {
	base, _, _ := strings.Cut(ecosystem, ":")
	switch base {
	case "Debian", "Ubuntu", "Echo":
		return "deb"
	case "Alpine", "Wolfi", "Chainguard", "MinimOS", "Alpaquita", "BellSoft Hardened Containers":
		return "apk"
	}
	return "rpm"
}

// lookUp asks for the records of a package once.
func (c *judgement) lookUp(ecosystem, name string) []*pratique.Advisory {
	k := [2]string{ecosystem, name}
	if list, ok := c.records[k]; ok {
		return list
	}
	list, err := c.knowledge.Advisories(ecosystem, name)
	if err != nil {
		list = nil
		c.failed(fmt.Sprintf("the advisories about %s in %s cannot be read: %v", name, ecosystem, err))
	}
	c.records[k] = list
	return list
}

func (c *judgement) cve(id string) *pratique.CVE {
	if cveOf(id) == "" {
		return nil
	}
	if cve, ok := c.cves[id]; ok {
		return cve
	}
	cve, err := c.knowledge.CVE(id)
	if err != nil {
		cve = nil
		c.failed(fmt.Sprintf("what is known about %s cannot be read: %v", id, err))
	}
	c.cves[id] = cve
	return cve
}

func (c *judgement) failed(message string) {
	c.problems = append(c.problems, pratique.Problem{
		Code: pratique.CodeCorrupt, Message: message, Analyzer: "match",
		Remedy: "import the feeds again: pratique feed update",
	})
}

func (c *judgement) lacks(reason string) {
	if !slices.Contains(c.lacking, reason) {
		c.lacking = append(c.lacking, reason)
	}
}

// coverage says how far the findings reach: why not further, then what the feeds
// are known not to tell.
func (c *judgement) coverage() pratique.CategoryCoverage {
	if len(c.known) == 0 {
		return pratique.CategoryCoverage{State: pratique.CoverageUnknown, Reasons: []string{"no advisory feed is loaded"}}
	}
	out := pratique.CategoryCoverage{State: pratique.CoverageComplete}
	lacks := make([]string, 0, len(c.missing))
	for reason, n := range c.missing {
		lacks = append(lacks, fmt.Sprintf("%s: %s not judged", reason, plural(n, "package")))
	}
	slices.Sort(lacks)
	if len(lacks) > 0 {
		out.State = pratique.CoveragePartial
		if c.judged == 0 {
			out.State = pratique.CoverageUnknown
		}
	}
	if c.support.Ended {
		lacks = append(lacks, fmt.Sprintf("%s has had no security support since %s: newer vulnerabilities may be missing", title(c.target.Distro), c.support.Ends.Format(time.DateOnly)))
	}
	lacks = append(lacks, c.lacking...)
	if n := len(c.problems); n > 0 {
		lacks = append(lacks, fmt.Sprintf("%s kept packages from being judged", plural(n, "problem")))
	}
	if len(lacks) > 0 && out.State == pratique.CoverageComplete {
		out.State = pratique.CoveragePartial
	}
	out.Reasons = append(lacks, c.holes()...)
	return out
}

// holes are what the feeds of the target's distribution are known not to tell.
func (c *judgement) holes() []string {
	var out []string
	if c.support.Note != "" {
		out = append(out, c.support.Note)
	}
	if len(c.fit) == 0 || !slices.ContainsFunc(c.target.Packages, func(p pratique.Package) bool { return pratique.IsSystem(p.Type) }) {
		return out
	}
	d := c.target.Distro
	if fixedOnly(c.fit[0]) {
		out = append(out, "the feed of "+title(d)+" lists vulnerabilities once they are fixed: unfixed ones are not known")
	}
	if len(c.apart) > 0 {
		out = append(out, fmt.Sprintf("fixes under other contracts are not considered (%s)", strings.Join(c.apart[:min(3, len(c.apart))], ", ")))
	}
	switch {
	case d.ID == "centos":
		out = append(out, "CentOS publishes no advisories for scanners: Red Hat's are used")
	case d.ID == "raspbian":
		out = append(out, "Raspbian publishes no advisories for scanners: Debian's are used")
	}
	return out
}
