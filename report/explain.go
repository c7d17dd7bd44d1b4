package report

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pratique/pratique"
)

// ExplainOptions say how an explanation is drawn; see Options.
type ExplainOptions struct {
	Width int
	Color bool
}

// Explain writes everything that the report knows of one thing: a CVE, one of
// its aliases, an advisory (all of its findings), a secret's rule, a malware
// name or the digest of a malicious file. Letter case does not matter. The error
// is CodeNotFound when the image has no such thing, and tells whether that could
// be known.
func Explain(w io.Writer, r *pratique.Report, id string, opts ExplainOptions) error {
	r = ordered(r)
	e := explanation{printer: newPrinter(w, opts.Width, opts.Color), r: r}
	id = strings.TrimSpace(id)
	found := e.vulnerabilities(id)
	found = e.malware(id) || found
	found = e.secrets(id) || found
	if !found {
		return notHere(r, id)
	}
	return e.flush()
}

func notHere(r *pratique.Report, id string) error {
	message := fmt.Sprintf("%s is not among the findings of %s", clean(fit(id, 60, keepStart)), clean(fit(r.Image.Name, 120, keepEnd)))
	err := pratique.Errorf(pratique.CodeNotFound, "%s", message)
	if c := r.Coverage[pratique.CategoryVulnerability]; c.State != pratique.CoverageComplete {
		err.Message += ", but its vulnerabilities are not fully known"
		return err.WithRemedy("see the coverage in the scan's report: %s", clean(coverageText(c)))
	}
	return err.WithRemedy("pratique scan --format table --all lists the ids that it has")
}

type explanation struct {
	*printer
	r *pratique.Report
}

func (e *explanation) vulnerabilities(id string) bool {
	byID := map[string][]*pratique.Finding{}
	var ids []string
	for i := range e.r.Vulnerabilities {
		f := &e.r.Vulnerabilities[i]
		if !names(f, id) {
			continue
		}
		if byID[f.ID] == nil {
			ids = append(ids, f.ID)
		}
		byID[f.ID] = append(byID[f.ID], f)
	}
	for i, id := range ids {
		if i > 0 {
			e.blank()
		}
		e.vulnerability(byID[id])
	}
	return len(ids) > 0
}

func names(f *pratique.Finding, id string) bool {
	if strings.EqualFold(f.ID, id) {
		return true
	}
	for _, a := range f.Aliases {
		if strings.EqualFold(a, id) {
			return true
		}
	}
	return slices.ContainsFunc(f.Proof, func(p pratique.Proof) bool { return strings.EqualFold(p.Advisory, id) })
}

// vulnerability explains one id in all the packages that it concerns.
func (e *explanation) vulnerability(findings []*pratique.Finding) {
	f := findings[0]
	title := []span{text(bold, "%s  ", f.ID), {severityStyle(known(f.Severity)), string(known(f.Severity))}}
	if f.KEV != nil {
		title = append(title, span{redder, "  known to be exploited"})
	}
	e.line(title...)
	if len(f.Aliases) > 0 {
		e.para(span{normal, "  "}, dim, "also "+clean(strings.Join(f.Aliases, ", ")))
	}
	if f.Title != "" {
		e.para(span{normal, "  "}, normal, clean(f.Title))
	}
	if f.Details != "" && f.Details != f.Title {
		e.blank()
		e.paragraphs(f.Details)
	}
	e.severity(findings)
	e.threat(f)
	e.heading("IN THIS IMAGE", text(normal, "  %s", e.r.Image.Name))
	for _, f := range findings {
		e.affected(f)
	}
	e.references(findings)
}

const maxDetailLines = 60

// paragraphs writes text of several paragraphs, which a blank line parts.
func (e *explanation) paragraphs(s string) {
	lines := 0
	for part := range strings.SplitSeq(strings.ReplaceAll(s, "\r\n", "\n"), "\n\n") {
		for _, l := range wrap(clean(strings.ReplaceAll(part, "\n", " ")), e.width-2) {
			if lines++; lines > maxDetailLines {
				e.line(span{dim, "  … (the advisory says more)"})
				return
			}
			e.line(span{normal, "  " + l})
		}
	}
}

func (e *explanation) severity(findings []*pratique.Finding) {
	e.heading("SEVERITY")
	shown := map[string]bool{}
	for _, f := range findings {
		s := string(known(f.Severity)) + " by " + cmp.Or(f.SeveritySource, "nobody")
		if !shown[s] {
			shown[s] = true
			e.line(span{normal, "  "}, severitySpan(f.Severity), text(dim, " by %s", cmp.Or(f.SeveritySource, "nobody: it was never rated")))
		}
	}
	for _, f := range findings {
		for i := range f.CVSS {
			c := &f.CVSS[i]
			if key := c.Vector + " " + c.Source; !shown[key] {
				shown[key] = true
				e.cvss(c)
			}
		}
	}
	if cwes := findings[0].CWEs; len(cwes) > 0 {
		e.para(span{dim, "  weakness  "}, normal, clean(strings.Join(cwes, ", ")))
	}
}

func (e *explanation) cvss(c *pratique.CVSS) {
	e.blank()
	e.line(text(normal, "  CVSS %s  %.1f ", c.Version, c.Score), severitySpan(c.Severity), text(dim, "  by %s", cmp.Or(c.Source, "unknown")))
	e.line(text(dim, "  %s", c.Vector))
	meaning := c.Meaning
	if meaning == nil {
		meaning = CVSSMeaning(c.Vector)
	}
	var rows [][]span
	for _, m := range meaning {
		name, value, _ := strings.Cut(m, ": ")
		rows = append(rows, []span{text(dim, "%s", name), text(normal, "%s", value)})
	}
	e.grid(4, []column{{min: 12}, {min: 12}}, rows)
}

func (e *explanation) threat(f *pratique.Finding) {
	e.heading("EXPLOITATION")
	if f.EPSS != nil {
		e.line(text(normal, "  EPSS %.2f %%", f.EPSS.Score*100),
			text(dim, " chance of an exploit within 30 days; more than %.1f %% of all CVEs; as of %s",
				math.Floor(f.EPSS.Percentile*1000)/10, f.EPSS.Date))
	} else {
		e.line(span{dim, "  EPSS  no score"})
	}
	k := f.KEV
	if k == nil {
		e.line(span{dim, "  KEV   not in CISA's catalogue as it was imported"})
		return
	}
	listed := "  KEV   listed " + k.DateAdded
	if k.DueDate != "" {
		listed += ", due " + k.DueDate
	}
	if k.Ransomware {
		listed += ", used by ransomware"
	}
	e.line(text(redder, "%s", listed))
	for _, s := range []string{k.Name, k.Action} {
		if s != "" {
			e.para(span{normal, "        "}, normal, clean(s))
		}
	}
}

func (e *explanation) affected(f *pratique.Finding) {
	p := &f.Package
	e.line(text(bold, "  %s", p.Name), text(normal, " %s", p.Version), text(dim, "  %s", p.Type))
	e.field("fixed in", fixSpan(f.FixState, f.FixedVersion))
	if s := p.Source; s != nil && s.Name != "" && s.Name != p.Name {
		e.field("source", text(normal, "%s %s", s.Name, s.Version))
	}
	e.place(p.Path, p.Line, p.Origin)
	if p.OwnedBy != "" {
		e.field("owned by", text(normal, "%s", p.OwnedBy))
	}
	if f.FixAdvice.EN != "" {
		e.field("advice", text(normal, "%s", f.FixAdvice.EN))
	}
	if command := fixCommand(f); command != "" {
		e.field("command", text(bold, "%s", command))
	}
	if f.Unimportant {
		e.field("not counted", span{normal, "the distribution calls it unimportant here"})
	}
	if f.Suppressed != "" {
		e.field("not counted", text(normal, "%s", f.Suppressed))
	}
	for _, proof := range f.Proof {
		e.proof(proof)
	}
	e.blank()
}

// field writes one named fact of a block, wrapped.
func (e *explanation) field(name string, value span) {
	e.para(span{dim, fmt.Sprintf("    %-12s", name)}, value.style, value.text)
}

func (e *explanation) place(path string, line int, o *pratique.Origin) {
	if path != "" {
		if line > 0 {
			path += ":" + strconv.Itoa(line)
		}
		e.field("file", text(normal, "%s", path))
	}
	if o == nil {
		return
	}
	if o.Layer < 0 {
		e.field("layer", span{normal, "none: the image's configuration"})
		return
	}
	e.field("layer", text(normal, "L%d %s", o.Layer, o.DiffID))
	if o.Instruction != "" {
		e.field("built by", text(normal, "%s", o.Instruction))
	}
	if o.DeletedBy != nil {
		e.field("", text(yellow, "deleted by L%d, and still pulled with its own layer", *o.DeletedBy))
	}
}

func (e *explanation) proof(p pratique.Proof) {
	record := p.Advisory
	if !p.Revision.IsZero() {
		record += " as of " + p.Revision.UTC().Format("2006-01-02")
	}
	if p.Feed != "" {
		record += ", from " + p.Feed
	}
	e.field("proof", text(normal, "%s", record))
	e.field("", text(dim, "%s %s %s is within %s", p.Ecosystem, p.Name, p.Version, p.Range))
	if p.Decision != "" {
		e.field("", text(dim, "because %s", p.Decision))
	}
	if p.URL != "" {
		e.field("", text(dim, "%s", p.URL))
	}
}

func (e *explanation) references(findings []*pratique.Finding) {
	var urls []string
	for _, f := range findings {
		for _, ref := range f.References {
			urls = append(urls, ref.URL)
		}
	}
	urls = distinct(urls)
	if len(urls) == 0 {
		return
	}
	e.line(span{bold, "REFERENCES"})
	for _, u := range urls {
		// A URL that is cut is none, so it may run over the edge.
		e.w.WriteString("  " + clean(u) + "\n")
	}
}

func (e *explanation) malware(id string) bool {
	found := false
	for i := range e.r.Malware {
		m := &e.r.Malware[i]
		names := []string{m.Name, m.MD5, m.SHA1, m.SHA256}
		for _, d := range m.Also {
			names = append(names, d.Name)
		}
		if !slices.ContainsFunc(names, func(s string) bool { return s != "" && strings.EqualFold(s, id) }) {
			continue
		}
		found = true
		e.line(text(bold, "%s  ", m.Name), span{redder, cmp.Or(string(m.Kind), "malware")}, text(normal, "  "), severitySpan(m.Severity))
		if m.Suppressed != "" {
			e.field("not counted", text(normal, "%s", m.Suppressed))
		}
		if m.Family != "" {
			e.field("family", text(normal, "%s", m.Family))
		}
		e.place(m.Path, 0, m.Origin)
		e.field("size", text(normal, "%s %s", bytesText(m.Size), m.FileType))
		for _, h := range [][2]string{{"SHA-256", m.SHA256}, {"SHA-1", m.SHA1}, {"MD5", m.MD5}} {
			if h[1] != "" {
				e.field(h[0], text(normal, "%s", h[1]))
			}
		}
		for i, d := range m.Split() {
			if i > 0 {
				e.field("also", text(normal, "%s", d.Name))
			}
			e.detection(&d)
		}
		if m.Advice.EN != "" {
			e.field("advice", text(normal, "%s", m.Advice.EN))
		}
		e.blank()
	}
	return found
}

// detection prints why one engine names the file.
func (e *explanation) detection(d *pratique.Malware) {
	if d.Title.EN != "" {
		e.field("what", text(normal, "%s", d.Title.EN))
	}
	e.field("found by", text(normal, "%s", strings.TrimSpace(d.Engine+" "+d.List)))
	if p := d.Pack; p != nil {
		e.field("rules", text(normal, "%s", joined(", ", p.Name, p.Version, p.License, p.Source)))
	}
	if d.Author != "" {
		e.field("author", text(normal, "%s", d.Author))
	}
	for _, why := range d.Evidence {
		e.field("evidence", text(normal, "%s", why))
	}
	if d.Reference != "" {
		e.field("see", text(normal, "%s", d.Reference))
	}
}

// joined joins the words that are not empty.
func joined(by string, words ...string) string {
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), by)
}

func (e *explanation) secrets(id string) bool {
	found := false
	for i := range e.r.Secrets {
		s := &e.r.Secrets[i]
		if id == "" || !strings.EqualFold(s.Rule, id) && !strings.EqualFold(s.Title, id) && !strings.EqualFold(s.Hash, id) {
			continue
		}
		found = true
		e.line(text(bold, "%s  ", cmp.Or(s.Title, s.Rule)), span{normal, "secret  "}, severitySpan(s.Severity))
		e.field("rule", text(normal, "%s", s.Rule))
		e.field("preview", text(normal, "%s", s.Preview))
		e.place(cmp.Or(s.Path, s.Source), s.Line, s.Origin)
		if s.Hash != "" {
			e.field("fingerprint", text(normal, "%s", s.Hash))
		}
		if s.Suppressed != "" {
			e.field("not counted", text(normal, "%s", s.Suppressed))
		}
		if s.Advice.EN != "" {
			e.field("advice", text(normal, "%s", s.Advice.EN))
		}
		e.blank()
	}
	return found
}

// pasteable are names and versions that mean nothing to a shell. An image's
// author chooses them, and a reader pastes what we print.
var pasteable = regexp.MustCompile(`^[A-Za-z0-9@][A-Za-z0-9@._+:/-]{0,199}$`)

// fixCommand returns what to run, in a build of the image, for the fixed version
// of the package; "" where one command would not do or would not be safe to paste.
func fixCommand(f *pratique.Finding) string {
	name, version := f.Package.Name, f.FixedVersion
	if f.FixState != pratique.FixAvailable || !pasteable.MatchString(name) || !pasteable.MatchString(strings.ReplaceAll(version, "~", "-")) {
		return ""
	}
	switch f.Package.Type {
	case "deb":
		return "apt-get update && apt-get install -y --only-upgrade " + name
	case "apk":
		return "apk add --no-cache --upgrade '" + name + ">=" + version + "'"
	case "rpm":
		return "dnf upgrade -y " + name
	case "npm":
		return "npm install " + name + "@" + version
	case "pypi":
		return "pip install --upgrade '" + name + ">=" + version + "'"
	case "golang":
		if name == "stdlib" {
			return ""
		}
		return "go get " + name + "@v" + strings.TrimPrefix(version, "v")
	case "gem":
		return "bundle update --conservative " + name
	case "composer":
		return "composer update --with-dependencies " + name
	case "nuget":
		return "dotnet add package " + name + " --version " + version
	case "cargo":
		return "cargo update -p " + name + " --precise " + version
	}
	return ""
}
