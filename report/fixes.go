package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/google/osv-scalibr/semantic"
	"github.com/pratique/pratique"
)

// group are findings that one action ends, or that stand in one line of a
// folded list: those of all binary packages of one source package in one
// version, or of one language package wherever it lies.
type group struct {
	packages []string // names of the binary packages, sorted
	paths    []string // files that name them
	from, to string   // versions; to is "" when nothing ends any of the findings
	layers   []int
	findings []*pratique.Finding // in report order, worst first
}

// upgrades groups the findings that a fix exists for by the upgrade that ends
// them. The upgrade's target is the highest of the fixed versions; where the
// ecosystem's version order is not known, each fixed version is a group.
func upgrades(findings []*pratique.Finding) []group {
	var fixable []*pratique.Finding
	for _, f := range findings {
		if f.FixState == pratique.FixAvailable && f.FixedVersion != "" {
			fixable = append(fixable, f)
		}
	}
	groups := fold(fixable, func(f *pratique.Finding) string {
		if _, ok := ordering(f); ok {
			return ""
		}
		return f.FixedVersion
	})
	slices.SortStableFunc(groups, compareGroups)
	return groups
}

// fold groups findings by source package and installed version, and by what
// apart returns. Groups come in the order of their first finding.
func fold(findings []*pratique.Finding, apart func(*pratique.Finding) string) []group {
	var groups []group
	index := map[string]int{}
	for _, f := range findings {
		p := &f.Package
		name := p.Name
		if p.Source != nil && p.Source.Name != "" {
			name = p.Source.Name
		}
		key := strings.Join([]string{p.Type, p.Ecosystem, name, p.Version, apart(f)}, "\x00")
		i, ok := index[key]
		if !ok {
			i = len(groups)
			index[key] = i
			groups = append(groups, group{from: p.Version})
		}
		groups[i].add(f)
	}
	return groups
}

func (g *group) add(f *pratique.Finding) {
	g.findings = append(g.findings, f)
	if i, found := slices.BinarySearch(g.packages, f.Package.Name); !found {
		g.packages = slices.Insert(g.packages, i, f.Package.Name)
	}
	if i, found := slices.BinarySearch(g.paths, f.Package.Path); !found {
		g.paths = slices.Insert(g.paths, i, f.Package.Path)
	}
	if o := f.Package.Origin; o != nil {
		if i, found := slices.BinarySearch(g.layers, o.Layer); !found {
			g.layers = slices.Insert(g.layers, i, o.Layer)
		}
	}
	if f.FixState == pratique.FixAvailable && higher(f, g.to) {
		g.to = f.FixedVersion
	}
}

// higher tells whether the finding's fixed version is above version.
func higher(f *pratique.Finding, version string) bool {
	if version == "" {
		return true
	}
	v, ok := ordering(f)
	if !ok {
		return false
	}
	n, err := v.CompareStr(version)
	return err == nil && n > 0
}

// ordering parses the finding's fixed version in the order of its ecosystem.
func ordering(f *pratique.Finding) (semantic.Version, bool) {
	v, err := semantic.Parse(f.FixedVersion, f.Package.Ecosystem)
	return v, err == nil
}

// compareGroups puts the upgrade first that ends exploited findings, then the
// one that ends more findings of the worst severity, and so on down.
func compareGroups(a, b group) int {
	if n := cmp.Compare(b.exploited(), a.exploited()); n != 0 {
		return n
	}
	as, bs := a.tally(), b.tally()
	for _, s := range pratique.Severities() {
		if n := cmp.Compare(bs[s], as[s]); n != 0 {
			return n
		}
	}
	return cmp.Or(slices.Compare(a.packages, b.packages), strings.Compare(a.from, b.from))
}

func (g *group) exploited() int {
	n := 0
	for _, f := range g.findings {
		if f.KEV != nil {
			n++
		}
	}
	return n
}

// tally counts findings by severity.
func (g *group) tally() map[pratique.Severity]int { return tally(g.findings) }

func tally(findings []*pratique.Finding) map[pratique.Severity]int {
	n := map[pratique.Severity]int{}
	for _, f := range findings {
		n[known(f.Severity)]++
	}
	return n
}

// likeliest returns the highest EPSS score of the group, or -1.
func (g *group) likeliest() float64 {
	score := -1.0
	for _, f := range g.findings {
		score = max(score, epss(f))
	}
	return score
}

// ids lists the distinct vulnerabilities in report order.
func (g *group) ids() []string {
	var ids []string
	for _, f := range g.findings {
		ids = append(ids, f.ID)
	}
	return distinct(ids)
}
