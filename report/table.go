package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/pratique/pratique"
)

// How many lines a list has before the rest is only counted, unless all is asked for.
const (
	maxUpgrades = 10
	maxProblems = 8
	maxReasons  = 3
	maxFiles    = 20 // of malware and secrets
)

// maxLines is how long the list of one severity may get.
func maxLines(s pratique.Severity) int {
	switch s {
	case pratique.SeverityCritical:
		return 15
	case pratique.SeverityHigh:
		return 10
	case pratique.SeverityMedium, pratique.SeverityUnknown:
		return 6
	case pratique.SeverityLow:
		return 3
	}
	return 0
}

// Table writes the report for a person at a terminal, from the image to the
// verdict: what it is, how far it was looked at, what is in it that must not
// be, which upgrades end most of it, the vulnerabilities by severity, what went
// wrong, and, in the last line, whether the image may ship. Long lists are
// folded by package. No control character but the newline is written, besides
// the colours.
func Table(w io.Writer, r *pratique.Report, opts Options) error {
	t := table{printer: newPrinter(w, opts.Width, opts.Color), r: ordered(r), opts: opts}
	for i := range t.r.Vulnerabilities {
		f := &t.r.Vulnerabilities[i]
		switch {
		case f.Suppressed != "":
			t.suppressed = append(t.suppressed, f)
		case f.Unimportant:
			t.unimportant = append(t.unimportant, f)
		default:
			t.risks = append(t.risks, f)
		}
	}
	t.header()
	t.coverage()
	t.layers()
	t.feeds()
	t.malware()
	t.secrets()
	t.upgrades()
	t.vulnerabilities()
	t.apart()
	t.problems()
	t.verdict()
	return t.flush()
}

type table struct {
	*printer
	r    *pratique.Report
	opts Options
	// The vulnerabilities, parted by whether they count.
	risks, unimportant, suppressed []*pratique.Finding
}

func (t *table) header() {
	im := &t.r.Image
	t.line(text(bold, "%s", cmp.Or(im.Name, "image")))
	var facts []string
	if im.Platform.OS != "" {
		facts = append(facts, im.Platform.String())
	}
	if n := len(t.r.Layers); n > 0 {
		facts = append(facts, fmt.Sprintf("%s in %s", bytesText(im.Size), count(n, "layer", "layers")))
	}
	if im.Kind == pratique.KindImage {
		facts = append(facts, "runs as "+cmp.Or(im.Config.User, "root"))
	}
	if im.Created != nil {
		facts = append(facts, "built "+im.Created.UTC().Format("2006-01-02"))
	}
	if len(facts) > 0 {
		t.para(span{normal, "  "}, dim, clean(strings.Join(facts, " · ")))
	}
	t.release()
	if im.ID != "" {
		t.line(text(dim, "  id %s", im.ID))
	}
	if im.Digest != "" && t.opts.Verbose {
		t.line(text(dim, "  manifest %s", im.Digest))
	}
	t.readFrom()
}

// readFrom says where a local engine's image was read, and whether by digest.
func (t *table) readFrom() {
	if t.r.Image.ReadFrom == "" {
		return
	}
	trust := "verified by digest"
	if slices.ContainsFunc(t.r.Layers, func(l pratique.Layer) bool { return l.Attested }) {
		trust = "as this host has them, their digests not computed (--verify does)"
	}
	t.para(span{normal, "  "}, dim, clean("read from "+t.r.Image.ReadFrom+", "+trust))
}

func (t *table) release() {
	d := t.r.Image.Distro
	if d == nil {
		t.line(text(dim, "  no distribution recognised"))
		return
	}
	name := text(normal, "  %s", cmp.Or(d.Name, strings.TrimSpace(d.ID+" "+d.Version)))
	switch {
	case d.Ended && d.EndOfLife != nil:
		t.line(name, text(redder, "  end of life since %s", d.EndOfLife.Format("2006-01-02")))
	case d.Ended:
		t.line(name, text(redder, "  end of life"))
	case d.EndOfLife != nil:
		t.line(name, text(dim, "  supported until %s", d.EndOfLife.Format("2006-01-02")))
	default:
		t.line(name)
	}
}

// categoryRows are the lines of the coverage block.
var categoryRows = [...]struct {
	category pratique.Category
	name     string
}{
	{pratique.CategorySoftware, "software"},
	{pratique.CategoryVulnerability, "vulnerabilities"},
	{pratique.CategoryMalware, "malware"},
	{pratique.CategorySecret, "secrets"},
}

func (t *table) coverage() {
	t.heading("LOOKED AT")
	for _, row := range categoryRows {
		c := t.r.Coverage[row.category]
		word, s := stateText(c.State)
		found := t.found(row.category, c.State)
		lead := fmt.Sprintf("  %-17s", row.name)
		line := []span{{normal, lead}, {s, fmt.Sprintf("%-13s", word) + gapAfter(word)}}
		reasons := c.Reasons
		// A reason that fits goes on the same line; it says more than a gap.
		if found == "" && len(reasons) > 0 && cells(lead)+13+cells(clean(reasons[0])) <= t.width {
			line = append(line, text(dim, "%s", reasons[0]))
			reasons = reasons[1:]
		}
		t.line(append(line, text(normal, "%s", found))...)
		t.reasons(reasons)
	}
	if b := t.r.Bundle; b != nil {
		t.line(span{normal, fmt.Sprintf("  %-17s", "knowledge")},
			text(dim, "of %s, %s, bundle %s", b.Built.UTC().Format("2006-01-02"), count(len(b.Feeds), "feed", "feeds"), b.Digest.Short()))
	}
}

// gapAfter keeps a word that fills its column from what follows.
func gapAfter(word string) string {
	if len(word) < 13 {
		return ""
	}
	return " "
}

func (t *table) reasons(reasons []string) {
	shown := reasons
	if !t.opts.Verbose && len(shown) > maxReasons {
		shown = shown[:maxReasons]
	}
	under := span{normal, strings.Repeat(" ", 19)}
	for _, why := range shown {
		t.para(under, dim, clean(why))
	}
	if n := len(reasons) - len(shown); n > 0 {
		t.line(under, text(dim, "%s: --verbose lists them", count(n, "more reason", "more reasons")))
	}
}

func stateText(s pratique.Coverage) (string, style) {
	switch s {
	case pratique.CoverageComplete:
		return "complete", normal
	case pratique.CoveragePartial:
		return "partial", yellow
	case pratique.CoverageHashesOnly:
		return "hashes only", yellow
	case pratique.CoverageNotYet:
		return "not yet", dim
	case pratique.CoverageSkipped:
		return "not asked for", dim
	case pratique.CoverageUnsupported:
		return "unsupported", yellow
	}
	return "unknown", yellow
}

// found words what a category holds. A zero is only shown where it means
// something.
func (t *table) found(c pratique.Category, s pratique.Coverage) string {
	var n int
	var words string
	switch c {
	case pratique.CategorySoftware:
		n, words = len(t.r.Packages), t.packages()
	case pratique.CategoryVulnerability:
		n, words = len(t.risks), findingsText(t.risks)
	case pratique.CategoryMalware:
		var others int
		n, others = t.infected()
		if words = count(n, "file", "files"); others > 0 {
			words += fmt.Sprintf(", and %d suspicious", others)
		}
		n += others
	case pratique.CategorySecret:
		for i := range t.r.Secrets {
			if t.r.Secrets[i].Suppressed == "" {
				n++
			}
		}
		words = count(n, "secret", "secrets")
	}
	switch {
	case n > 0:
		return words
	case s == pratique.CoverageComplete:
		return "none found"
	case s == pratique.CoverageHashesOnly:
		return "none found by hash"
	case s == pratique.CoveragePartial:
		return "none found in what could be judged"
	}
	return ""
}

func (t *table) packages() string {
	kinds := map[string]int{}
	for i := range t.r.Packages {
		kinds[t.r.Packages[i].Type]++
	}
	var parts []string
	for kind, n := range kinds {
		parts = append(parts, fmt.Sprintf("%s %s", thousands(n), kind))
	}
	slices.SortFunc(parts, func(a, b string) int {
		_, ka, _ := strings.Cut(a, " ")
		_, kb, _ := strings.Cut(b, " ")
		return cmp.Or(cmp.Compare(kinds[kb], kinds[ka]), strings.Compare(a, b))
	})
	words := count(len(t.r.Packages), "package", "packages")
	if len(parts) == 1 {
		return words + " (" + t.r.Packages[0].Type + ")"
	}
	return words + ": " + list(parts, 5)
}

// findingsText counts findings and, where they differ, distinct vulnerabilities.
func findingsText(findings []*pratique.Finding) string {
	ids := map[string]bool{}
	for _, f := range findings {
		ids[f.ID] = true
	}
	s := count(len(findings), "finding", "findings")
	if len(ids) != len(findings) {
		s += fmt.Sprintf(" of %s", count(len(ids), "vulnerability", "vulnerabilities"))
	}
	return s
}

func (t *table) layers() {
	if !t.opts.Verbose || len(t.r.Layers) == 0 {
		return
	}
	t.heading("LAYERS")
	var rows [][]span
	for i := range t.r.Layers {
		l := &t.r.Layers[i]
		s := dim
		if l.State != pratique.LayerRead && l.State != pratique.LayerCached {
			s = yellow
		}
		why := string(l.State)
		if l.Reason != "" {
			why += ": " + l.Reason
		}
		rows = append(rows, []span{text(normal, "L%d", l.Index), text(normal, "%s", bytesText(l.Size)),
			text(dim, "%s", l.DiffID.Short()), text(s, "%s", why), text(dim, "%s", l.Instruction)})
	}
	t.grid(2, []column{{right: true}, {right: true}, {}, {min: 12}, {min: 20, drop: 2}}, rows)
}

func (t *table) feeds() {
	if !t.opts.Verbose || t.r.Bundle == nil {
		return
	}
	t.heading("KNOWLEDGE")
	var rows [][]span
	for _, f := range t.r.Bundle.Feeds {
		newest := "date unknown"
		if !f.Newest.IsZero() {
			newest = "newest " + f.Newest.UTC().Format("2006-01-02")
		}
		rows = append(rows, []span{text(normal, "%s", f.Source), text(normal, "%s", thousands(f.Records)),
			text(dim, "%s", newest), text(dim, "%s", strings.Join(f.Holes, "; "))})
	}
	t.grid(2, []column{{min: 10}, {right: true}, {}, {min: 20, drop: 2}}, rows)
}

// infected counts the files that count as a risk, and the suspicious ones.
func (t *table) infected() (malware, suspicious int) {
	for i := range t.r.Malware {
		switch m := &t.r.Malware[i]; {
		case m.Counts():
			malware++
		case m.Suppressed == "":
			suspicious++
		}
	}
	return malware, suspicious
}

func (t *table) malware() {
	var rows [][]span
	for i := range t.r.Malware {
		m := &t.r.Malware[i]
		if m.Suppressed != "" && !t.opts.Verbose {
			continue
		}
		name := text(redder, "%s", m.Name)
		if !m.Counts() {
			name = text(dim, "%s", m.Name)
		}
		what := m.Family
		switch {
		case m.Suppressed != "":
			what = "suppressed"
		case m.Kind == pratique.MalwareSuspicious:
			what = "suspicious"
		}
		rows = append(rows, []span{name, text(normal, "%s", what), text(normal, "%s", m.Path), layerSpan(m.Origin),
			text(dim, "%s", foundBy(m)), text(dim, "%s", cmp.Or(pullable(m.Origin), m.Suppressed))})
	}
	if len(rows) == 0 {
		return
	}
	t.heading("MALWARE", text(normal, "  %s", t.found(pratique.CategoryMalware, "")))
	rows, more := t.limit(rows, maxFiles)
	t.grid(2, []column{{min: 12}, {}, {min: 14, keep: keepEnd}, {}, {min: 4, drop: 3}, {min: 12, drop: 2}}, rows)
	t.more(more, "file", "files")
}

// foundBy names the list, pack or engine that a finding is from, and the author
// of its rule, whose licence may ask for it.
func foundBy(m *pratique.Malware) string {
	by := cmp.Or(m.List, m.Engine)
	if m.Pack != nil {
		by = m.Pack.Name
		if m.Author != "" && m.Author != m.Pack.Author {
			by += " (" + m.Author + ")"
		}
	}
	if others := len(m.Also); others > 0 {
		by += fmt.Sprintf(" +%d", others)
	}
	return by
}

func (t *table) secrets() {
	var rows [][]span
	for i := range t.r.Secrets {
		s := &t.r.Secrets[i]
		if s.Suppressed != "" && !t.opts.Verbose {
			continue
		}
		where := cmp.Or(s.Path, s.Source)
		if s.Line > 0 {
			where += fmt.Sprintf(":%d", s.Line)
		}
		severity := severitySpan(s.Severity)
		if s.Suppressed != "" {
			severity = span{dim, "suppressed"}
		}
		rows = append(rows, []span{severity, text(normal, "%s", cmp.Or(s.Title, s.Rule)), text(normal, "%s", where),
			layerSpan(s.Origin), text(dim, "%s", s.Preview), text(dim, "%s", cmp.Or(pullable(s.Origin), s.Suppressed))})
	}
	if len(rows) == 0 {
		return
	}
	t.heading("SECRETS", text(normal, "  %d", len(rows)))
	rows, more := t.limit(rows, maxFiles)
	t.grid(2, []column{{}, {min: 12}, {min: 14, keep: keepEnd}, {}, {min: 8, max: 30, drop: 3}, {min: 12, drop: 2}}, rows)
	t.more(more, "secret", "secrets")
}

// limit cuts rows to n unless all were asked for, and returns how many went.
func (t *table) limit(rows [][]span, n int) ([][]span, int) {
	if t.opts.All || len(rows) <= n {
		return rows, 0
	}
	return rows[:n], len(rows) - n
}

func (t *table) more(n int, one, many string) {
	if n > 0 {
		t.line(text(dim, "  … and %s: --all lists them", count(n, "more "+one, "more "+many)))
	}
}

func layerSpan(o *pratique.Origin) span {
	switch {
	case o == nil:
		return span{}
	case o.Layer < 0:
		return span{dim, "config"}
	}
	return text(dim, "L%d", o.Layer)
}

// pullable tells in few words of a file that an upper layer hides.
func pullable(o *pratique.Origin) string {
	if o == nil || o.DeletedBy == nil {
		return ""
	}
	return fmt.Sprintf("deleted in L%d, pullable", *o.DeletedBy)
}

func severitySpan(s pratique.Severity) span {
	s = known(s)
	return span{severityStyle(s), string(s)}
}

func severityStyle(s pratique.Severity) style {
	switch s {
	case pratique.SeverityCritical:
		return redder
	case pratique.SeverityHigh:
		return red
	case pratique.SeverityMedium:
		return yellow
	case pratique.SeverityLow:
		return cyan
	}
	return dim
}

// upgrades tells what to fix first.
func (t *table) upgrades() {
	groups := upgrades(t.risks)
	if len(groups) == 0 {
		return
	}
	ended := 0
	rows := [][]span{titles("package", "installed", "upgrade to", "ends", "worst", "EPSS", "", "in", "file")}
	for _, g := range groups {
		ended += len(g.findings)
		rows = append(rows, []span{
			text(bold, "%s", list(g.packages, 2)), text(dim, "%s", g.from), text(normal, "%s", g.to),
			text(normal, "%d", len(g.findings)), worstSpan(&g), epssSpan(g.likeliest()), kevSpan(g.exploited() > 0),
			text(dim, "%s", g.layerText()), text(dim, "%s", g.file()),
		})
	}
	t.heading("FIX FIRST", text(normal, "  %s end %s of %s", count(len(groups), "upgrade", "upgrades"), thousands(ended),
		count(len(t.risks), "finding", "findings")))
	rows, more := t.limit(rows, maxUpgrades+1)
	t.grid(2, []column{{min: 16, max: 36, keep: keepName}, {min: 10, max: 24, drop: 2, keep: keepBoth}, {min: 12, max: 30, keep: keepBoth},
		{right: true}, {}, {right: true}, {}, {max: 8, drop: 3}, {min: 16, drop: 4, keep: keepEnd}}, rows)
	t.more(more, "upgrade", "upgrades")
}

// worstSpan names the worst severity of a group and how often it occurs.
func worstSpan(g *group) span {
	n := g.tally()
	for _, s := range pratique.Severities() {
		if n[s] > 0 {
			return span{severityStyle(s), fmt.Sprintf("%d %s", n[s], s)}
		}
	}
	return span{}
}

func (g *group) layerText() string {
	var names []string
	for _, l := range g.layers {
		names = append(names, fmt.Sprintf("L%d", l))
	}
	return list(names, 2)
}

// file says which file a language package was found in; that of a
// distribution's package is only the distribution's database.
func (g *group) file() string {
	switch {
	case ofDistro(&g.findings[0].Package), len(g.paths) == 0:
		return ""
	case len(g.paths) == 1:
		return g.paths[0]
	}
	return fmt.Sprintf("in %d places", len(g.paths))
}

// ofDistro tells whether a package's path is only its distribution's database.
func ofDistro(p *pratique.Package) bool {
	switch p.Type {
	case "deb", "rpm", "apk", "alpm":
		return true
	}
	return false
}

func epssSpan(score float64) span {
	switch {
	case score < 0:
		return span{}
	case score < 0.001:
		return span{dim, "<0.1%"}
	case score < 0.1:
		return span{dim, fmt.Sprintf("%.1f%%", score*100)}
	}
	return span{purple, fmt.Sprintf("%.0f%%", score*100)}
}

func kevSpan(listed bool) span {
	if listed {
		return span{redder, "KEV"}
	}
	return span{}
}

func (t *table) vulnerabilities() {
	if len(t.risks) == 0 {
		return
	}
	t.heading("VULNERABILITIES", text(normal, "  %s", findingsText(t.risks)))
	n := tally(t.risks)
	line := []span{{normal, "  "}}
	for _, s := range pratique.Severities() {
		if n[s] > 0 {
			line = append(line, span{severityStyle(s), fmt.Sprintf("%s %s", thousands(n[s]), s)}, span{dim, " · "})
		}
	}
	t.line(line[:len(line)-1]...)

	header := titles("", "package", "installed", "fixed in", "EPSS", "", "in", "file", "")
	all := [][]span{header}
	var sections []section
	for _, s := range pratique.Severities() {
		if n[s] > 0 {
			sections = append(sections, t.section(s))
			all = append(all, sections[len(sections)-1].rows...)
		}
	}
	// One layout for all severities, so that the eye can follow a column.
	widths := layout(t.width-2, findingColumns, all)
	t.blank()
	t.row(2, findingColumns, widths, header)
	for i, s := range sections {
		if i > 0 {
			t.blank()
		}
		t.line(s.title...)
		for _, row := range s.rows {
			t.row(2, findingColumns, widths, row)
		}
		if s.rest != "" && len(s.rows) > 0 {
			t.line(span{dim, "  … and " + s.rest})
		}
	}
}

// section is the list of one severity.
type section struct {
	title []span
	rows  [][]span
	rest  string // what is left out
}

// section lists the findings of one severity: one line for each, or, where those
// are too many, one for each source package in one version.
func (t *table) section(s pratique.Severity) section {
	var findings []*pratique.Finding
	for _, f := range t.risks {
		if known(f.Severity) == s {
			findings = append(findings, f)
		}
	}
	title := []span{{severityStyle(s), "  " + strings.ToUpper(string(s))}, {normal, "  " + thousands(len(findings))}}
	var rows [][]span
	limit := maxLines(s)
	if t.opts.All || len(findings) <= limit {
		for _, f := range findings {
			rows = append(rows, findingRow(f))
		}
		return section{title: title, rows: rows}
	}
	groups := fold(findings, func(f *pratique.Finding) string { return string(f.FixState) })
	left := len(findings)
	for i := range groups[:min(limit, len(groups))] {
		rows = append(rows, groupRow(&groups[i]))
		left -= len(groups[i].findings)
	}
	rest := ""
	if left > 0 {
		more := " more findings: --all lists them"
		if left == 1 {
			more = " more finding: --all lists it"
		}
		rest = thousands(left) + more
	}
	if len(rows) == 0 {
		title = append(title, span{dim, "  --all lists them"})
	}
	return section{title: title, rows: rows, rest: rest}
}

var findingColumns = []column{
	{max: 24}, {min: 14, max: 36, keep: keepName}, {min: 8, max: 24, drop: 1, keep: keepBoth}, {min: 12, max: 26, keep: keepBoth},
	{right: true}, {}, {max: 8}, {min: 14, max: 48, drop: 2, keep: keepEnd}, {min: 24, drop: 3},
}

func findingRow(f *pratique.Finding) []span {
	g := group{}
	g.add(f)
	return groupRow(&g)
}

// groupRow is the line of one finding, or of several in the same package.
func groupRow(g *group) []span {
	f := g.findings[0]
	ids := g.ids()
	id, about := text(bold, "%s", ids[0]), text(dim, "%s", f.Title)
	if len(ids) > 1 {
		id, about = text(normal, "%s findings", thousands(len(g.findings))), text(dim, "%s", list(ids, 8))
	}
	return []span{
		id, text(normal, "%s", list(g.packages, 1)), text(dim, "%s", f.Package.Version), fixSpan(f.FixState, g.to),
		epssSpan(g.likeliest()), kevSpan(g.exploited() > 0), text(dim, "%s", g.layerText()), text(dim, "%s", g.file()), about,
	}
}

func fixSpan(s pratique.FixState, version string) span {
	switch {
	case s == pratique.FixAvailable && version != "":
		return text(normal, "%s", version)
	case s == pratique.FixAvailable:
		return span{normal, "fixed"}
	case s == pratique.FixNone:
		return span{dim, "no fix yet"}
	case s == pratique.FixRefused:
		return span{dim, "won't fix"}
	}
	return span{dim, "fix unknown"}
}

// apart tells of what does not count.
func (t *table) apart() {
	secrets := 0
	for i := range t.r.Secrets {
		if t.r.Secrets[i].Suppressed != "" {
			secrets++
		}
	}
	files := 0
	for i := range t.r.Malware {
		if t.r.Malware[i].Suppressed != "" {
			files++
		}
	}
	if len(t.unimportant)+len(t.suppressed)+secrets+files == 0 {
		return
	}
	t.heading("NOT COUNTED")
	if n := len(t.unimportant); n > 0 {
		t.line(text(dim, "  %s that the distribution calls unimportant", count(n, "finding", "findings")))
		t.listApart(t.unimportant)
	}
	if n := len(t.suppressed); n > 0 {
		t.line(text(dim, "  %s suppressed by an exception or VEX", count(n, "finding", "findings")))
		t.listApart(t.suppressed)
	}
	if files > 0 {
		t.line(text(dim, "  %s that an allow list names", count(files, "file", "files")))
	}
	if secrets > 0 {
		t.line(text(dim, "  %s on an allow list or known to be a test's", count(secrets, "secret", "secrets")))
	}
}

func (t *table) listApart(findings []*pratique.Finding) {
	if !t.opts.Verbose {
		return
	}
	var rows [][]span
	for _, f := range findings {
		rows = append(rows, []span{text(dim, "%s", f.ID), text(dim, "%s", f.Package.Name), text(dim, "%s", f.Package.Version),
			severitySpan(f.Severity), text(dim, "%s", f.Suppressed)})
	}
	t.grid(4, []column{{min: 13, max: 20}, {min: 8, max: 32}, {min: 6, max: 24, keep: keepBoth}, {}, {min: 16, drop: 2}}, rows)
}

func (t *table) problems() {
	if len(t.r.Problems) == 0 {
		return
	}
	t.heading("PROBLEMS", text(normal, "  %d", len(t.r.Problems)))
	shown := t.r.Problems
	if !t.opts.All && len(shown) > maxProblems {
		shown = shown[:maxProblems]
	}
	for i := range shown {
		t.problem(&shown[i])
	}
	t.more(len(t.r.Problems)-len(shown), "problem", "problems")
}

func (t *table) problem(p *pratique.Problem) {
	mark := span{dim, "  - "}
	if p.Partial {
		mark = span{yellow, "  ! "} // facts are missing because of it
	}
	message := p.Message
	if p.Layer != nil {
		message = fmt.Sprintf("L%d: %s", *p.Layer, message)
	}
	if p.Path != "" && !strings.Contains(message, p.Path) {
		message += " (" + p.Path + ")"
	}
	t.para(mark, normal, clean(message))
	if p.Remedy != "" {
		t.para(span{normal, "    "}, dim, clean(p.Remedy))
	}
}

// verdict ends the report: the reasons, then the answer.
func (t *table) verdict() {
	t.blank()
	v := t.r.Verdict
	for _, why := range v.Reasons {
		t.para(span{normal, "  - "}, normal, clean(why))
	}
	question := span{bold, "May this image ship?  "}
	because := ""
	if n := len(v.Reasons); n > 0 {
		because = ", for " + count(n, "reason", "reasons")
	}
	switch v.Clearance {
	case pratique.ClearanceYes:
		answer := ": nothing speaks against it"
		if v.Gate != "" {
			answer = ", by the gate that was asked: " + clean(v.Gate)
		}
		if limits := t.limits(); len(limits) > 0 {
			answer += ", as far as was looked at"
			for _, l := range limits {
				t.line(span{normal, "  - " + l})
			}
		}
		t.line(question, span{green, "Yes"}, span{normal, answer})
	case pratique.ClearanceNo:
		t.line(question, span{redder, "No"}, span{normal, because})
	default:
		t.line(question, span{yellow, "Unknown"}, span{normal, because + ": not everything could be judged"})
	}
}

// limits names what a "yes" does not cover.
func (t *table) limits() []string {
	var out []string
	for _, row := range categoryRows {
		switch t.r.Coverage[row.category].State {
		case pratique.CoverageComplete:
		case pratique.CoverageHashesOnly:
			out = append(out, row.name+" was looked for by known hashes only")
		case pratique.CoveragePartial:
			out = append(out, row.name+" could only be judged in part")
		default:
			out = append(out, row.name+" not looked at")
		}
	}
	return out
}
