package report

import (
	"bufio"
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/pratique/pratique"
)

//go:embed html.tmpl
var htmlSource string

// htmlPage escapes by context (html/template): what an image's author wrote stays
// text wherever it stands.
var htmlPage = template.Must(template.New("report").Parse(htmlSource))

// HTML writes the report as one file for people to read, send and print: no
// script, nothing loaded from elsewhere, in English or Chinese.
func HTML(w io.Writer, r *pratique.Report, opts Options) error {
	b := bufio.NewWriterSize(w, 64<<10)
	if err := htmlPage.Execute(b, newHTMLView(ordered(r), opts.Language)); err != nil {
		return err
	}
	return b.Flush()
}

// htmlView is what the template shows. Its texts are clean.
type htmlView struct {
	Lang       string
	Words      map[string]string
	Title      string
	Facts      []htmlFact
	Clearance  pratique.Clearance
	Verdict    string
	Reasons    []string
	Categories []htmlCategory
	Upgrades   []htmlUpgrade
	Malware    []htmlFile
	Secrets    []htmlFile
	Risks      []htmlFinding
	Apart      []htmlFinding // suppressed or unimportant
	Steps      []htmlStep
	Packages   []htmlPackage
	Problems   []htmlFact
	Feeds      []htmlFeed
	Footer     string
}

type htmlFact struct{ Name, Value string }

type htmlCount struct {
	Severity pratique.Severity
	Word     string
	N        int
}

type htmlCategory struct {
	Name    string
	Total   int
	Counts  []htmlCount
	State   pratique.Coverage
	Word    string
	Reasons []string
}

type htmlUpgrade struct {
	Packages, From, To string
	Counts             []htmlCount
	Exploited          int
	Layers             string
}

type htmlFile struct {
	Severity                                pratique.Severity
	Word, Name, Detail, Path, Layer, Advice string
}

type htmlFinding struct {
	Severity                             pratique.Severity
	Word, ID, URL, Title                 string
	Score, EPSS                          string
	KEV                                  bool
	Package, Version, Fixed, Path, Layer string
	Advice, Note                         string
}

type htmlStep struct {
	Layer, Instruction, Size, Created string
	Packages                          int
	Counts                            []htmlCount
}

type htmlPackage struct{ Type, Name, Version, Licenses, Path, Layer string }

type htmlFeed struct {
	Source, Newest string
	Records        int
}

func newHTMLView(r *pratique.Report, language string) *htmlView {
	v := &htmlView{Lang: "en", Words: htmlEnglish}
	if language == "zh" {
		v.Lang, v.Words = "zh-CN", htmlChinese
	}
	im := &r.Image
	v.Title = clean(cmp.Or(im.Name, string(im.ID), "image"))
	v.facts(r)
	v.Clearance, v.Verdict = r.Verdict.Clearance, v.Words["clearance."+string(r.Verdict.Clearance)]
	v.Reasons = cleanAll(r.Verdict.Reasons)
	var risks []*pratique.Finding
	for i := range r.Vulnerabilities {
		f := &r.Vulnerabilities[i]
		if counts(f) {
			risks = append(risks, f)
			v.Risks = append(v.Risks, v.finding(f))
		} else {
			v.Apart = append(v.Apart, v.finding(f))
		}
	}
	v.categories(r, risks)
	for _, g := range upgrades(risks) {
		v.Upgrades = append(v.Upgrades, htmlUpgrade{
			Packages: clean(strings.Join(g.packages, ", ")), From: clean(g.from), To: clean(g.to),
			Counts: v.counts(g.tally()), Exploited: g.exploited(), Layers: layerList(g.layers),
		})
	}
	v.files(r)
	v.steps(r, risks)
	for i := range r.Packages {
		p := &r.Packages[i]
		v.Packages = append(v.Packages, htmlPackage{clean(p.Type), clean(p.Name), clean(p.Version), clean(strings.Join(p.Licenses, ", ")), clean(p.Path), layerText(p.Origin)})
	}
	for _, p := range r.Problems {
		v.Problems = append(v.Problems, htmlFact{clean(p.Path), clean(strings.TrimSuffix(p.Message+"; "+p.Remedy, "; "))})
	}
	if r.Bundle != nil {
		for _, f := range r.Bundle.Feeds {
			v.Feeds = append(v.Feeds, htmlFeed{clean(f.Source), dayText(&f.Newest), f.Records})
		}
	}
	v.Footer = clean(strings.TrimSpace(r.Tool.Name+" "+r.Tool.Version) + " · " + minuteText(r.Created))
	return v
}

func (v *htmlView) facts(r *pratique.Report) {
	add := func(name, value string) {
		if value != "" {
			v.Facts = append(v.Facts, htmlFact{v.Words[name], clean(value)})
		}
	}
	im := &r.Image
	add("imageID", string(im.ID))
	add("digest", string(im.Digest))
	add("platform", im.Platform.String())
	if d := im.Distro; d != nil {
		name := cmp.Or(d.Name, strings.TrimSpace(d.ID+" "+d.Version))
		if d.Ended {
			name += " · " + v.Words["ended"] + " " + dayText(d.EndOfLife)
		}
		add("distro", name)
	}
	if n := len(r.Layers); n > 0 {
		add("size", fmt.Sprintf("%s · %d %s", bytesText(im.Size), n, v.Words["layers"]))
	}
	add("created", dayText(im.Created))
	if im.Kind == pratique.KindImage {
		add("user", cmp.Or(im.Config.User, "root"))
	}
	if r.Bundle != nil {
		add("knowledge", minuteText(r.Bundle.Built))
	} else {
		add("knowledge", v.Words["noKnowledge"])
	}
}

func (v *htmlView) categories(r *pratique.Report, risks []*pratique.Finding) {
	secrets, malware := map[pratique.Severity]int{}, map[pratique.Severity]int{}
	for i := range r.Secrets {
		if r.Secrets[i].Suppressed == "" {
			secrets[r.Secrets[i].Severity]++
		}
	}
	for i := range r.Malware {
		if m := &r.Malware[i]; m.Counts() {
			malware[m.Severity]++
		}
	}
	for _, c := range [...]struct {
		category pratique.Category
		tally    map[pratique.Severity]int
	}{
		{pratique.CategoryVulnerability, tally(risks)}, {pratique.CategoryMalware, malware}, {pratique.CategorySecret, secrets}, {pratique.CategorySoftware, nil},
	} {
		coverage := r.Coverage[c.category]
		row := htmlCategory{
			Name: v.Words[string(c.category)], Counts: v.counts(c.tally), State: coverage.State, Word: v.Words["coverage."+string(coverage.State)], Reasons: cleanAll(coverage.Reasons),
		}
		for _, n := range row.Counts {
			row.Total += n.N
		}
		if c.category == pratique.CategorySoftware {
			row.Total = len(r.Packages)
		}
		v.Categories = append(v.Categories, row)
	}
}

func (v *htmlView) counts(tally map[pratique.Severity]int) (all []htmlCount) {
	for _, s := range pratique.Severities() {
		if n := tally[s]; n > 0 {
			all = append(all, htmlCount{s, v.Words[string(s)], n})
		}
	}
	return all
}

func (v *htmlView) finding(f *pratique.Finding) htmlFinding {
	p := &f.Package
	row := htmlFinding{
		Severity: f.Severity, Word: v.Words[string(f.Severity)], ID: clean(f.ID), Title: clean(f.Title), KEV: f.KEV != nil,
		Package: clean(p.Name), Version: clean(p.Version), Fixed: clean(f.FixedVersion), Path: clean(p.Path), Layer: layerText(p.Origin),
		Advice: clean(v.text(f.FixAdvice)), Note: clean(f.Suppressed),
	}
	if row.Fixed == "" {
		row.Fixed = v.Words["fix."+string(f.FixState)]
	}
	if row.Note == "" && f.Unimportant {
		row.Note = v.Words["unimportant"]
	}
	for _, r := range f.References {
		if isWebURL(r.URL) {
			row.URL = r.URL
			break
		}
	}
	version := ""
	for _, c := range f.CVSS {
		if c.Version > version {
			version, row.Score = c.Version, fmt.Sprintf("%.1f", c.Score)
		}
	}
	if f.EPSS != nil {
		row.EPSS = fmt.Sprintf("%.1f %%", 100*f.EPSS.Score)
	}
	return row
}

func (v *htmlView) text(t pratique.Text) string {
	if v.Lang != "en" {
		return cmp.Or(t.ZH, t.EN)
	}
	return t.EN
}

func (v *htmlView) files(r *pratique.Report) {
	for i := range r.Malware {
		m := &r.Malware[i]
		name := m.Name
		if m.Suppressed != "" { // listed all the same, with the reason why it does not count
			name += " (" + m.Suppressed + ")"
		}
		v.Malware = append(v.Malware, htmlFile{
			Severity: m.Severity, Word: v.Words[string(m.Severity)], Name: clean(name), Path: clean(m.Path), Layer: layerText(m.Origin), Advice: clean(v.text(m.Advice)),
			Detail: clean(strings.Join(slices.DeleteFunc([]string{m.Engine, m.List, bytesText(m.Size), m.MD5, m.SHA256}, func(s string) bool { return s == "" }), " · ")),
		})
	}
	for i := range r.Secrets {
		s := &r.Secrets[i]
		if s.Suppressed != "" {
			continue
		}
		path := s.Path
		if s.Line > 0 {
			path = fmt.Sprintf("%s:%d", path, s.Line)
		}
		v.Secrets = append(v.Secrets, htmlFile{
			Severity: s.Severity, Word: v.Words[string(s.Severity)], Name: clean(cmp.Or(s.Title, s.Rule)), Detail: clean(strings.TrimPrefix(s.Type+" · "+s.Preview, " · ")),
			Path: clean(cmp.Or(path, s.Source)), Layer: layerText(s.Origin), Advice: clean(v.text(s.Advice)),
		})
	}
}

func (v *htmlView) steps(r *pratique.Report, risks []*pratique.Finding) {
	packages, findings := map[int]int{}, map[int]map[pratique.Severity]int{}
	for i := range r.Packages {
		if o := r.Packages[i].Origin; o != nil {
			packages[o.Layer]++
		}
	}
	for _, f := range risks {
		if o := f.Package.Origin; o != nil {
			if findings[o.Layer] == nil {
				findings[o.Layer] = map[pratique.Severity]int{}
			}
			findings[o.Layer][f.Severity]++
		}
	}
	shown := map[int]bool{}
	add := func(layer int, step htmlStep) {
		if layer >= 0 && layer < len(r.Layers) {
			shown[layer] = true
			step.Layer, step.Size = fmt.Sprint(layer), bytesText(r.Layers[layer].Size)
			step.Packages, step.Counts = packages[layer], v.counts(findings[layer])
		}
		v.Steps = append(v.Steps, step)
	}
	for _, h := range r.Image.History {
		layer := -1
		if h.Layer != nil {
			layer = *h.Layer
		}
		add(layer, htmlStep{Instruction: clean(cmp.Or(h.CreatedBy, h.Comment)), Created: dayText(h.Created)})
	}
	for i := range r.Layers {
		if !shown[i] {
			add(i, htmlStep{Instruction: clean(r.Layers[i].Instruction)})
		}
	}
}

func cleanAll(all []string) []string {
	out := make([]string, len(all))
	for i, s := range all {
		out[i] = clean(s)
	}
	return out
}

func layerText(o *pratique.Origin) string {
	if o == nil || o.Layer < 0 {
		return ""
	}
	if o.DeletedBy != nil {
		return fmt.Sprintf("%d (−%d)", o.Layer, *o.DeletedBy)
	}
	return fmt.Sprint(o.Layer)
}

func layerList(all []int) string {
	words := make([]string, len(all))
	for i, n := range all {
		words[i] = fmt.Sprint(n)
	}
	return strings.Join(words, ", ")
}

func dayText(t *time.Time) string {
	if t == nil || t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.DateOnly)
}

func minuteText(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }
