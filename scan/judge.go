package scan

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

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
	found := view.Malware
	var advisories match.Knowledge // a nil interface, not an interface of nil
	if s.Knowledge != nil {
		advisories = s.Knowledge
		found = append(found, match.Malware(digests(view.Files), s.Knowledge)...)
	}
	report.Malware = s.malware(found)
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

// malware leaves out what nobody asked for, marks what is allowed, and makes one
// finding of what is said about one file. A file counts as long as one thing that
// is said about it does.
func (s *run) malware(found []pratique.Malware) []pratique.Malware {
	var wanted []pratique.Malware
	for _, m := range match.JoinFiles(found) {
		var count, allowed []pratique.Malware
		for _, one := range m.Split() {
			one.Suppressed = s.Malware.Allow.Reason(&one)
			switch {
			case slices.Contains(s.Malware.Off, one.Family):
			case one.Suppressed != "":
				allowed = append(allowed, one)
			default:
				count = append(count, one)
			}
		}
		switch {
		case len(count) > 0:
			wanted = append(wanted, pratique.JoinMalware(count...))
		case len(allowed) > 0:
			wanted = append(wanted, pratique.JoinMalware(allowed...))
		}
	}
	return wanted
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
	malware := s.malwareReach()
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
	s.unlisted(&software, &vulnerabilities)
	vulnerabilities.Reasons = append(vulnerabilities.Reasons, s.stale()...)
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

// unlisted: a distribution without its package database is installed all the
// same, and nobody knows what of. An image with no package at all may hold
// programs that no package manager brought.
func (s *run) unlisted(software, vulnerabilities *pratique.CategoryCoverage) {
	if s.Image.Kind == pratique.KindSBOM {
		return
	}
	system := slices.ContainsFunc(s.report.Packages, func(p pratique.Package) bool { return pratique.IsSystem(p.Type) })
	switch d := s.report.Image.Distro; {
	case d != nil && !system:
		problem := pratique.Problem{Message: "no package database was found, although this is " + cmp.Or(d.Name, d.ID)}
		lessen(software, problem)
		lessen(vulnerabilities, problem)
	case len(s.report.Packages) == 0:
		software.Reasons = append(software.Reasons, "no package was found: programs that no package manager brought are not recognised")
	}
}

// fresh is how old the newest record of a feed may be before a report says so.
const fresh = 30 * 24 * time.Hour

// stale names the ecosystems of the image's packages whose newest record is old:
// either nothing has happened there, or the feed was not brought up to date.
func (s *run) stale() []string {
	if s.Bundle == nil {
		return nil
	}
	newest := map[string]time.Time{}
	for _, f := range s.Bundle.Feeds {
		_, ecosystem, _ := strings.Cut(f.Source, "/")
		if f.Newest.After(newest[ecosystem]) {
			newest[ecosystem] = f.Newest
		}
	}
	var old []string
	for _, p := range s.report.Packages {
		ecosystem, _, _ := strings.Cut(p.Ecosystem, ":")
		if at := newest[ecosystem]; !at.IsZero() && s.Now.Sub(at) > fresh {
			if name := fmt.Sprintf("%s %s", ecosystem, at.Format(time.DateOnly)); !slices.Contains(old, name) {
				old = append(old, name)
			}
		}
	}
	if len(old) == 0 {
		return nil
	}
	return []string{"the newest records are old (" + strings.Join(old, ", ") + "): later vulnerabilities are not known"}
}

// malwareReach says how malware was looked for: by rules, else by lists only.
func (s *run) malwareReach() pratique.CategoryCoverage {
	var cover pratique.CategoryCoverage
	switch {
	case s.uses("malware"):
		cover.State = pratique.CoverageComplete
	case s.hashLists() > 0:
		cover = pratique.CategoryCoverage{State: pratique.CoverageHashesOnly, Reasons: []string{"rules were not asked for: files are compared with lists of known digests only"}}
	default:
		cover = pratique.CategoryCoverage{State: pratique.CoverageHashesOnly, Reasons: []string{"rules were not asked for, and no list of known digests is loaded"}}
	}
	if len(s.Malware.Off) > 0 {
		cover.Reasons = append(cover.Reasons, "not asked for: "+strings.Join(s.Malware.Off, ", "))
	}
	return cover
}

// hashLists counts the lists of known digests.
func (s *run) hashLists() (lists int) {
	if s.Bundle == nil {
		return 0
	}
	for _, f := range s.Bundle.Feeds {
		if strings.HasPrefix(f.Source, "hashes/") {
			lists++
		}
	}
	return lists
}
