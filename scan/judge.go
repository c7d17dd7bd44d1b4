package scan

import (
	"cmp"
	"context"
	"slices"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/image"
	"github.com/pratique/pratique/match"
)

// judge turns the view into findings, and says how far they reach.
func (s *run) judge(ctx context.Context, view *image.View) {
	report := s.report
	report.Image.Distro = view.Distro
	if support, ok := match.EndOfLife(view.Distro, s.Now); ok {
		report.Image.Distro.EndOfLife, report.Image.Distro.Ended = &support.Ends, support.Ended
	}
	report.Packages = view.Packages
	for i := range report.Packages {
		if p := &report.Packages[i]; p.Ecosystem == "" && pratique.IsSystem(p.Type) {
			p.Ecosystem = match.Ecosystem(view.Distro)
		}
	}
	report.Problems = append(append(report.Problems, s.problems...), view.Problems...)
	report.Malware = view.Malware
	var advisories match.Knowledge // a nil interface, not an interface of nil
	if s.Knowledge != nil {
		advisories = s.Knowledge
		report.Malware = append(report.Malware, match.Malware(digests(view.Files), s.Knowledge)...)
	}
	report.Secrets = view.Secrets
	if s.Credentials != nil {
		report.Secrets = append(report.Secrets, s.Credentials.Config(s.Image)...)
		report.Image = s.masked(report.Image)
	}
	result := match.Vulnerabilities(ctx, match.Target{Distro: report.Image.Distro, Packages: report.Packages}, advisories, s.Now)
	report.Vulnerabilities = result.Findings
	report.Problems = append(report.Problems, result.Problems...)
	s.cover(result.Coverage)
	sortFindings(report)
}

func digests(files []pratique.FileFact) []match.File {
	out := make([]match.File, len(files))
	for i, f := range files {
		out[i] = match.File{FileFact: f, Origin: f.Origin}
	}
	return out
}

// masked hides credentials in the config and in the layers' instructions.
func (s *run) masked(img pratique.Image) pratique.Image {
	img.Layers = s.report.Layers
	img = s.Credentials.MaskImage(img)
	s.report.Layers = img.Layers
	mask := func(o *pratique.Origin) {
		if o != nil && o.Instruction != "" && o.Layer >= 0 && o.Layer < len(img.Layers) {
			o.Instruction = img.Layers[o.Layer].Instruction
		}
	}
	for i := range s.report.Packages {
		mask(s.report.Packages[i].Origin)
	}
	for i := range s.report.Malware {
		mask(s.report.Malware[i].Origin)
	}
	for i := range s.report.Secrets {
		mask(s.report.Secrets[i].Origin)
	}
	if img.Distro != nil {
		mask(img.Distro.Origin)
	}
	return img
}

// sortFindings makes two reports of the same image the same.
func sortFindings(r *pratique.Report) {
	slices.SortStableFunc(r.Malware, func(a, b pratique.Malware) int {
		return cmp.Or(cmp.Compare(b.Severity.Rank(), a.Severity.Rank()), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Name, b.Name))
	})
	slices.SortStableFunc(r.Secrets, func(a, b pratique.Secret) int {
		return cmp.Or(cmp.Compare(b.Severity.Rank(), a.Severity.Rank()), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Rule, b.Rule))
	})
}

// cover fills in how far each category reaches: what the judgement says of
// itself, and what could not be read.
func (s *run) cover(vulnerabilities pratique.CategoryCoverage) {
	software := pratique.CategoryCoverage{State: pratique.CoverageComplete}
	malware := pratique.CategoryCoverage{State: pratique.CoverageHashesOnly, Reasons: []string{s.malwareReach()}}
	secrets := pratique.CategoryCoverage{State: pratique.CoverageComplete}
	if s.Credentials == nil {
		secrets = pratique.CategoryCoverage{State: pratique.CoverageSkipped, Reasons: []string{"secrets were not asked for"}}
	}
	if s.Image.Kind == pratique.KindSBOM {
		reason := "a bill of materials has no files to look into"
		malware = pratique.CategoryCoverage{State: pratique.CoverageSkipped, Reasons: []string{reason}}
		secrets = malware
	}
	for _, p := range s.report.Problems {
		if !p.Partial {
			continue
		}
		switch p.Analyzer {
		case "software":
			lessen(&software, p)
			lessen(&vulnerabilities, p)
		case "files", "malware":
			lessen(&malware, p)
		case "secrets":
			lessen(&secrets, p)
		default: // a layer, an archive, a name: whatever was in it
			lessen(&software, p)
			lessen(&vulnerabilities, p)
			lessen(&malware, p)
			lessen(&secrets, p)
		}
	}
	s.report.Coverage = map[pratique.Category]pratique.CategoryCoverage{
		pratique.CategorySoftware: software, pratique.CategoryVulnerability: vulnerabilities,
		pratique.CategoryMalware: malware, pratique.CategorySecret: secrets,
	}
}

// maxReasons keeps a coverage readable; the problems are listed anyway.
const maxReasons = 10

func lessen(c *pratique.CategoryCoverage, p pratique.Problem) {
	switch c.State {
	case pratique.CoverageComplete, pratique.CoverageHashesOnly:
		c.State = pratique.CoveragePartial
	case pratique.CoverageNotYet, pratique.CoverageUnsupported, pratique.CoverageSkipped:
		return
	}
	reason := p.Message
	if p.Path != "" {
		reason = p.Path + ": " + reason
	}
	if len(c.Reasons) < maxReasons && !slices.Contains(c.Reasons, reason) {
		c.Reasons = append(c.Reasons, reason)
	}
}

// malwareReach says by which lists malware was looked for.
func (s *run) malwareReach() string {
	lists := 0
	if s.Bundle != nil {
		for _, f := range s.Bundle.Feeds {
			if len(f.Source) > 7 && f.Source[:7] == "hashes/" {
				lists++
			}
		}
	}
	if lists == 0 {
		return "no hash list is loaded: only the EICAR test file is recognised"
	}
	return "files are compared with lists of known digests, not searched by rules"
}
