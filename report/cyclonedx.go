package report

import (
	"cmp"
	_ "embed"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/pratique/pratique"
)

// CycloneDX writes the packages and vulnerabilities as CycloneDX 1.6 JSON
// (ECMA-424). Each package has its place as evidence and its layer as
// properties named "pratique:…"; the serial number depends on the image and the
// knowledge only, so that the same judgement is the same document. Vulnerability
// coverage that is not complete is told in the metadata's properties and in the
// compositions.
func CycloneDX(w io.Writer, r *pratique.Report) error {
	r = ordered(r)
	b := bom{r: r, refs: map[string]string{}}
	doc := cdx.NewBOM()
	doc.SerialNumber = "urn:uuid:" + documentID("cyclonedx", r)
	doc.Metadata = b.metadata()
	b.distro()
	b.packages()
	doc.Vulnerabilities = b.vulnerabilities()
	doc.Components = &b.components
	doc.Dependencies = b.dependencies()
	doc.Compositions = b.compositions()
	return writeJSON(w, func(w io.Writer) error {
		return cdx.NewBOMEncoder(w, cdx.BOMFileFormatJSON).SetPretty(true).SetEscapeHTML(false).EncodeVersion(doc, cdx.SpecVersion1_6)
	})
}

type bom struct {
	r          *pratique.Report
	components []cdx.Component
	refs       map[string]string // packageKey to bom-ref
}

const imageRef = "image"

func (b *bom) metadata() *cdx.Metadata {
	im := &b.r.Image
	tool := cdx.Component{Type: cdx.ComponentTypeApplication, Name: cmp.Or(b.r.Tool.Name, "pratique"), Version: b.r.Tool.Version}
	image := cdx.Component{BOMRef: imageRef, Type: cdx.ComponentTypeContainer, Name: cmp.Or(im.Name, "image"),
		Version: string(cmp.Or(im.Digest, im.ID)), PackageURL: imagePURL(im)}
	if im.Kind != pratique.KindImage && im.Kind != "" {
		image.Type = cdx.ComponentTypeApplication
	}
	image.Properties = b.imageProperties()
	m := &cdx.Metadata{Tools: &cdx.ToolsChoice{Components: &[]cdx.Component{tool}}, Component: &image}
	if !b.r.Created.IsZero() {
		m.Timestamp = b.r.Created.UTC().Format(time.RFC3339)
	}
	var p properties
	for _, row := range categoryRows {
		p.add("coverage:"+string(row.category), coverageText(b.r.Coverage[row.category]))
	}
	if b.r.Bundle != nil {
		p.add("bundle", string(b.r.Bundle.Digest))
	}
	p.add("clearance", string(b.r.Verdict.Clearance))
	m.Properties = p.list()
	return m
}

func (b *bom) imageProperties() *[]cdx.Property {
	im := &b.r.Image
	var p properties
	p.add("image:id", string(im.ID))
	p.add("image:digest", string(im.Digest))
	if im.Platform.OS != "" {
		p.add("image:platform", im.Platform.String())
	}
	for _, tag := range im.Tags {
		p.add("image:tag", tag)
	}
	for i := range b.r.Layers {
		l := &b.r.Layers[i]
		p.add(fmt.Sprintf("layer:%d:diffID", l.Index), string(l.DiffID))
		p.add(fmt.Sprintf("layer:%d:instruction", l.Index), l.Instruction)
	}
	return p.list()
}

// properties collects what CycloneDX has no field for. Empty values are left out.
type properties []cdx.Property

func (p *properties) add(name, value string) {
	if value != "" {
		*p = append(*p, cdx.Property{Name: "pratique:" + name, Value: value})
	}
}

func (p properties) list() *[]cdx.Property {
	if len(p) == 0 {
		return nil
	}
	out := []cdx.Property(p)
	return &out
}

func (b *bom) distro() {
	d := b.r.Image.Distro
	if d == nil || d.ID == "" {
		return
	}
	c := cdx.Component{BOMRef: "os", Type: cdx.ComponentTypeOS, Name: d.ID, Version: d.Version, Description: d.Name}
	if strings.HasPrefix(d.CPEName, "cpe:") {
		c.CPE = d.CPEName
	}
	var p properties
	if d.EndOfLife != nil {
		p.add("endOfLife", d.EndOfLife.Format("2006-01-02"))
	}
	c.Properties = p.list()
	b.components = append(b.components, c)
}

func (b *bom) packages() {
	for i := range b.r.Packages {
		b.component(&b.r.Packages[i])
	}
	for i := range b.r.Vulnerabilities {
		// A finding's package is in the list as a rule; a vulnerability must not
		// point to nothing where it is not.
		b.component(&b.r.Vulnerabilities[i].Package)
	}
}

func (b *bom) component(p *pratique.Package) {
	key := packageKey(p)
	if b.refs[key] != "" {
		return
	}
	ref := "package:" + key
	b.refs[key] = ref
	group, name := groupAndName(p)
	c := cdx.Component{BOMRef: ref, Type: cdx.ComponentTypeLibrary, Group: group, Name: name, Version: p.Version,
		PackageURL: p.PURL, Licenses: licenses(p.Licenses)}
	switch p.Scope {
	case "":
	case "optional":
		c.Scope = cdx.ScopeOptional
	default:
		c.Scope = cdx.ScopeExcluded
	}
	if p.Path != "" {
		occurrence := cdx.EvidenceOccurrence{Location: p.Path}
		if p.Line > 0 {
			occurrence.Line = &p.Line
		}
		c.Evidence = &cdx.Evidence{Occurrences: &[]cdx.EvidenceOccurrence{occurrence}}
	}
	c.Properties = packageProperties(p)
	b.components = append(b.components, c)
}

func packageProperties(p *pratique.Package) *[]cdx.Property {
	var out properties
	out.add("package:type", p.Type)
	out.add("package:arch", p.Arch)
	if p.Source != nil {
		out.add("source:name", p.Source.Name)
		out.add("source:version", p.Source.Version)
	}
	out.add("package:module", p.Module)
	out.add("package:scope", p.Scope)
	if p.Declared {
		out.add("package:declared", "true")
	}
	out.add("package:ownedBy", p.OwnedBy)
	if o := p.Origin; o != nil {
		out.add("layer:index", strconv.Itoa(o.Layer))
		out.add("layer:diffID", string(o.DiffID))
		out.add("layer:instruction", o.Instruction)
	}
	return out.list()
}

// groupAndName parts a name as package URLs part namespace and name.
func groupAndName(p *pratique.Package) (group, name string) {
	separator := ""
	switch p.Type {
	case "maven":
		separator = ":"
	case "npm", "composer":
		separator = "/"
	}
	if i := strings.LastIndex(p.Name, separator); separator != "" && i > 0 && i < len(p.Name)-1 {
		return p.Name[:i], p.Name[i+1:]
	}
	return "", p.Name
}

// cycloneDXLicenses are the identifiers that every validator of CycloneDX 1.6
// accepts, one a line: the standard enumerates SPDX's list as it was (3.17), and
// a newer identifier in the place of one of them would make a document invalid.
//
//go:embed cyclonedx-licenses.txt
var cycloneDXLicenses string

// licenses writes one expression, or a list of identifiers and names:
// CycloneDX 1.6 does not allow both in one list.
func licenses(stated []string) *cdx.Licenses {
	var out cdx.Licenses
	for _, s := range distinct(stated) {
		if s = strings.TrimSpace(s); s == "" {
			continue
		}
		id, listed := licenseID(s)
		listed = listed && strings.Contains("\n"+cycloneDXLicenses, "\n"+id+"\n")
		if listed {
			out = append(out, cdx.LicenseChoice{License: &cdx.License{ID: id}})
		} else if e, ok := licenseExpression(s); ok && len(stated) == 1 {
			out = append(out, cdx.LicenseChoice{Expression: e})
		} else {
			out = append(out, cdx.LicenseChoice{License: &cdx.License{Name: s}})
		}
	}
	if len(out) == 0 {
		return nil
	}
	return &out
}

// vulnerabilities writes one entry for all packages about which the same is
// said.
func (b *bom) vulnerabilities() *[]cdx.Vulnerability {
	out := []cdx.Vulnerability{}
	index := map[string]int{}
	for i := range b.r.Vulnerabilities {
		f := &b.r.Vulnerabilities[i]
		key := fmt.Sprintf("%q %q %q %q %q %t", f.ID, f.Severity, f.SeveritySource, f.FixState, f.Suppressed, f.Unimportant)
		at, ok := index[key]
		if !ok {
			at = len(out)
			index[key] = at
			v := vulnerability(f)
			v.BOMRef = fmt.Sprintf("vulnerability:%d:%s", at, f.ID)
			out = append(out, v)
		}
		b.affect(&out[at], f)
	}
	return &out
}

// affect adds one package to a vulnerability, with the advisories that say so.
func (b *bom) affect(v *cdx.Vulnerability, f *pratique.Finding) {
	ref := b.refs[packageKey(&f.Package)]
	if slices.ContainsFunc(*v.Affects, func(a cdx.Affects) bool { return a.Ref == ref }) {
		return
	}
	status := cdx.VulnerabilityStatusAffected
	if f.Unimportant {
		status = cdx.VulnerabilityStatusNotAffected
	}
	*v.Affects = append(*v.Affects, cdx.Affects{Ref: ref, Range: &[]cdx.AffectedVersions{{Version: f.Package.Version, Status: status}}})
	if f.FixedVersion != "" {
		advice := "Upgrade " + f.Package.Name + " to " + f.FixedVersion + " or later."
		if !strings.Contains(v.Recommendation, advice) {
			v.Recommendation = strings.TrimSpace(v.Recommendation + " " + advice)
		}
	}
	for _, p := range f.Proof {
		if isWebURL(p.URL) && !slices.ContainsFunc(*v.Advisories, func(a cdx.Advisory) bool { return a.URL == p.URL }) {
			*v.Advisories = append(*v.Advisories, cdx.Advisory{Title: p.Advisory, URL: p.URL})
		}
	}
}

func vulnerability(f *pratique.Finding) cdx.Vulnerability {
	v := cdx.Vulnerability{ID: f.ID, Source: sourceOf(f), Description: f.Title, Detail: f.Details, Ratings: ratings(f),
		Affects: &[]cdx.Affects{}, Advisories: &[]cdx.Advisory{}, Analysis: analysis(f)}
	if f.Published != nil {
		v.Published = f.Published.UTC().Format(time.RFC3339)
	}
	var cwes []int
	for _, c := range f.CWEs {
		if n, err := strconv.Atoi(strings.TrimPrefix(c, "CWE-")); err == nil && n > 0 {
			cwes = append(cwes, n)
		}
	}
	if len(cwes) > 0 {
		v.CWEs = &cwes
	}
	var references []cdx.VulnerabilityReference
	for _, id := range f.Aliases {
		references = append(references, cdx.VulnerabilityReference{ID: id, Source: &cdx.Source{Name: authority(id)}})
	}
	if len(references) > 0 {
		v.References = &references
	}
	for _, ref := range f.References {
		if strings.EqualFold(ref.Type, "ADVISORY") && isWebURL(ref.URL) {
			*v.Advisories = append(*v.Advisories, cdx.Advisory{URL: ref.URL})
		}
	}
	v.Properties = threat(f)
	return v
}

// threat writes what CycloneDX has no field for: how likely an exploit is.
func threat(f *pratique.Finding) *[]cdx.Property {
	var p properties
	if f.EPSS != nil {
		p.add("epss:score", strconv.FormatFloat(f.EPSS.Score, 'f', -1, 64))
		p.add("epss:percentile", strconv.FormatFloat(f.EPSS.Percentile, 'f', -1, 64))
		p.add("epss:date", f.EPSS.Date)
	}
	if f.KEV != nil {
		p.add("kev:dateAdded", f.KEV.DateAdded)
		p.add("kev:ransomware", strconv.FormatBool(f.KEV.Ransomware))
	}
	p.add("fixState", string(f.FixState))
	return p.list()
}

func sourceOf(f *pratique.Finding) *cdx.Source {
	s := &cdx.Source{Name: authority(f.ID)}
	if s.Name == "NVD" {
		s.URL = "https://nvd.nist.gov/vuln/detail/" + url.PathEscape(f.ID)
	} else if len(f.Proof) > 0 && isWebURL(f.Proof[0].URL) {
		s.URL = f.Proof[0].URL
	}
	return s
}

// isWebURL tells whether s may stand where a standard wants an address.
func isWebURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http")
}

// authority names who gave an identifier, by its prefix.
func authority(id string) string {
	prefix, _, _ := strings.Cut(id, "-")
	switch prefix {
	case "CVE":
		return "NVD"
	case "GHSA":
		return "GitHub"
	case "":
		return "unknown"
	}
	return prefix
}

// ratings writes our severity first, then each score with its vector.
func ratings(f *pratique.Finding) *[]cdx.VulnerabilityRating {
	out := []cdx.VulnerabilityRating{{Severity: cdxSeverity(f.Severity), Source: &cdx.Source{Name: cmp.Or(f.SeveritySource, "unknown")}}}
	for i := range f.CVSS {
		c := &f.CVSS[i]
		r := cdx.VulnerabilityRating{Score: &c.Score, Severity: cdxSeverity(c.Severity), Vector: c.Vector, Method: cdx.ScoringMethodOther}
		switch c.Version {
		case "2.0":
			r.Method = cdx.ScoringMethodCVSSv2
		case "3.0":
			r.Method = cdx.ScoringMethodCVSSv3
		case "3.1":
			r.Method = cdx.ScoringMethodCVSSv31
		case "4.0":
			r.Method = cdx.ScoringMethodCVSSv4
		}
		if c.Source != "" {
			r.Source = &cdx.Source{Name: c.Source}
		}
		out = append(out, r)
	}
	return &out
}

func cdxSeverity(s pratique.Severity) cdx.Severity {
	switch s = known(s); s {
	case pratique.SeverityNegligible:
		return cdx.SeverityInfo
	case pratique.SeverityUnknown:
		return cdx.SeverityUnknown
	}
	return cdx.Severity(s)
}

// analysis says what became of a finding. A suppression is told without a state,
// because its reason may be a risk that was accepted as well as one that is none.
func analysis(f *pratique.Finding) *cdx.VulnerabilityAnalysis {
	a := &cdx.VulnerabilityAnalysis{}
	switch {
	case f.Suppressed != "":
		a.Detail = "Suppressed: " + f.Suppressed
	case f.Unimportant:
		a.State = cdx.IASNotAffected
		a.Detail = "The distribution calls this unimportant: no security issue in its package."
	}
	switch f.FixState {
	case pratique.FixAvailable:
		a.Response = &[]cdx.ImpactAnalysisResponse{cdx.IARUpdate}
	case pratique.FixRefused:
		a.Response = &[]cdx.ImpactAnalysisResponse{cdx.IARWillNotFix}
	case pratique.FixNone:
		a.Response = &[]cdx.ImpactAnalysisResponse{cdx.IARCanNotFix}
	}
	if a.Response == nil && a.Detail == "" {
		return nil
	}
	return a
}

// dependencies say only what is certain: the image holds all components.
func (b *bom) dependencies() *[]cdx.Dependency {
	refs := []string{}
	for i := range b.components {
		refs = append(refs, b.components[i].BOMRef)
	}
	return &[]cdx.Dependency{{Ref: imageRef, Dependencies: &refs}}
}

// compositions say whether the list of packages is the whole list.
func (b *bom) compositions() *[]cdx.Composition {
	aggregate := cdx.CompositionAggregateUnknown
	switch b.r.Coverage[pratique.CategorySoftware].State {
	case pratique.CoverageComplete:
		aggregate = cdx.CompositionAggregateComplete
	case pratique.CoveragePartial:
		aggregate = cdx.CompositionAggregateIncomplete
	}
	return &[]cdx.Composition{{Aggregate: aggregate, Assemblies: &[]cdx.BOMReference{imageRef}}}
}
