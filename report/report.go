// Package report writes a [pratique.Report] for its readers: people at a
// terminal, pipelines, and the programs that keep bills of materials.
//
// A format is a function from a report to bytes; [Formats] lists them. What all
// of them keep to:
//
//   - The same report gives the same bytes: lists are sorted here, and nothing
//     depends on the clock, the locale or the order of a map.
//   - Nothing unknown is shown as clean: each format carries the coverage of the
//     four categories with its reasons, in the place that its standard has for
//     it.
//   - An image is written by strangers. Names, paths and build instructions may
//     hold escape sequences that would redraw a terminal, or newlines that would
//     forge a line of a report. Text formats show such characters as \x1b or
//     \u202e; JSON formats escape them as JSON does.
//
// To add a format, see docs/add-a-report-format.md.
package report

import (
	"cmp"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/pratique/pratique"
)

// Format is one way of writing a report.
type Format struct {
	Name      string // as --format takes it
	MediaType string // as HTTP names it
	Write     func(w io.Writer, r *pratique.Report, opts Options) error
}

// Options say how a report for people looks; the formats for programs heed none.
type Options struct {
	Width    int    // of the table, in terminal cells; 0 is 120; kept within 60 and 240
	Color    bool   // of the table; see ColorWanted
	All      bool   // of the table: every finding on a line of its own, nothing folded or left out
	Verbose  bool   // of the table: also layers, feeds, every reason, and what is suppressed or unimportant
	Language string // of the HTML report: "en", which "" is as well, or "zh"
}

// Formats lists every format, the default first.
func Formats() []Format {
	plain := func(write func(io.Writer, *pratique.Report) error) func(io.Writer, *pratique.Report, Options) error {
		return func(w io.Writer, r *pratique.Report, _ Options) error { return write(w, r) }
	}
	return []Format{
		{"table", "text/plain; charset=utf-8", Table},
		{"json", "application/json", plain(JSON)},
		{"html", "text/html; charset=utf-8", HTML},
		{"cyclonedx", "application/vnd.cyclonedx+json; version=1.6", plain(CycloneDX)},
		{"spdx", "application/spdx+json", plain(SPDX)},
	}
}

// FormatNames lists the names of Formats in its order.
func FormatNames() []string {
	var names []string
	for _, f := range Formats() {
		names = append(names, f.Name)
	}
	return names
}

// Write writes r in the named format. The error of an
// unknown name is CodeInvalid; any other is w's.
func Write(w io.Writer, format string, r *pratique.Report, opts Options) error {
	for _, f := range Formats() {
		if f.Name == format {
			return f.Write(w, r, opts)
		}
	}
	return pratique.Errorf(pratique.CodeInvalid, "there is no report format %.40q", format).
		WithRemedy("choose one of %s", strings.Join(FormatNames(), ", "))
}

// ordered returns a copy of r whose lists are sorted and never nil, and in which
// a severity, fix, coverage or clearance that nobody set is unknown. The caller's
// report is not changed; what findings point to is shared.
func ordered(r *pratique.Report) *pratique.Report {
	o := *r
	o.Layers = sorted(r.Layers, func(a, b *pratique.Layer) int { return cmp.Compare(a.Index, b.Index) })
	o.Packages = sorted(r.Packages, comparePackages)
	o.Vulnerabilities = sorted(r.Vulnerabilities, compareFindings)
	for i := range o.Vulnerabilities {
		f := &o.Vulnerabilities[i]
		f.Severity = known(f.Severity)
		f.FixState = cmp.Or(f.FixState, pratique.FixUnknown)
	}
	o.Secrets = sorted(r.Secrets, func(a, b *pratique.Secret) int {
		return cmp.Or(cmp.Compare(b.Severity.Rank(), a.Severity.Rank()), strings.Compare(a.Path, b.Path),
			cmp.Compare(a.Line, b.Line), strings.Compare(a.Rule, b.Rule), strings.Compare(a.Hash, b.Hash))
	})
	o.Malware = sorted(r.Malware, func(a, b *pratique.Malware) int {
		return cmp.Or(cmp.Compare(b.Severity.Rank(), a.Severity.Rank()), strings.Compare(a.Path, b.Path),
			strings.Compare(a.Engine, b.Engine), strings.Compare(a.Name, b.Name))
	})
	for i := range o.Secrets {
		o.Secrets[i].Severity = known(o.Secrets[i].Severity)
	}
	for i := range o.Malware {
		o.Malware[i].Severity = known(o.Malware[i].Severity)
	}
	o.Problems = sorted(r.Problems, func(a, b *pratique.Problem) int {
		return cmp.Or(compareTrue(a.Partial, b.Partial), cmp.Compare(layerOf(a), layerOf(b)),
			strings.Compare(a.Path, b.Path), strings.Compare(a.Message, b.Message))
	})
	o.Coverage = covered(r.Coverage)
	if r.Bundle != nil {
		b := *r.Bundle
		b.Feeds = sorted(b.Feeds, func(a, b *pratique.FeedStatus) int { return strings.Compare(a.Source, b.Source) })
		o.Bundle = &b
	}
	if o.Verdict.Reasons == nil {
		o.Verdict.Reasons = []string{}
	}
	o.Verdict.Clearance = cmp.Or(o.Verdict.Clearance, pratique.ClearanceUnknown)
	return &o
}

// covered returns the coverage of every category.
func covered(in map[pratique.Category]pratique.CategoryCoverage) map[pratique.Category]pratique.CategoryCoverage {
	out := maps.Clone(in)
	if out == nil {
		out = map[pratique.Category]pratique.CategoryCoverage{}
	}
	for _, row := range categoryRows {
		if out[row.category].State == "" {
			out[row.category] = pratique.CategoryCoverage{State: pratique.CoverageUnknown, Reasons: []string{"the scan did not say"}}
		}
	}
	return out
}

func sorted[T any](list []T, order func(a, b *T) int) []T {
	out := append(make([]T, 0, len(list)), list...)
	slices.SortStableFunc(out, func(a, b T) int { return order(&a, &b) })
	return out
}

func comparePackages(a, b *pratique.Package) int {
	return cmp.Or(strings.Compare(a.Type, b.Type), strings.Compare(a.Name, b.Name), strings.Compare(a.Version, b.Version),
		strings.Compare(a.Arch, b.Arch), strings.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line))
}

// compareFindings puts what asks for action first: those that count, exploited
// ones, the worse severity, the likelier exploit; then by name.
func compareFindings(a, b *pratique.Finding) int {
	return cmp.Or(compareTrue(counts(a), counts(b)),
		cmp.Compare(b.Severity.Rank(), a.Severity.Rank()),
		compareTrue(a.KEV != nil, b.KEV != nil),
		cmp.Compare(epss(b), epss(a)),
		strings.Compare(a.ID, b.ID), comparePackages(&a.Package, &b.Package))
}

// compareTrue puts true before false.
func compareTrue(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

func layerOf(p *pratique.Problem) int {
	if p.Layer == nil {
		return -1
	}
	return *p.Layer
}

// counts tells whether a finding is a risk: neither suppressed nor called
// unimportant by the distribution.
func counts(f *pratique.Finding) bool { return f.Suppressed == "" && !f.Unimportant }

func epss(f *pratique.Finding) float64 {
	if f.EPSS == nil {
		return -1
	}
	return f.EPSS.Score
}

// known maps severities that are not of our set to unknown.
func known(s pratique.Severity) pratique.Severity {
	if slices.Contains(pratique.Severities(), s) {
		return s
	}
	return pratique.SeverityUnknown
}
