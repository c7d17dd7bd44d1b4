package match

import (
	"regexp"
	"slices"
	"strings"

	"github.com/pratique/pratique"
)

// Red Hat, Alma and Rocky ship some software as modules with several streams side
// by side (nodejs:18, nodejs:20). Packages of a module say so in their release
// (".module+el8.7.0+…"), and a fix for one stream says nothing about another.

func modular(version string) bool {
	return strings.Contains(version, ".module+el") || strings.Contains(version, ".module_el")
}

// titleModule finds name:stream in the title of an advisory, where the feeds of
// the Red Hat family leave it: "Important: nodejs:18 security update".
var titleModule = regexp.MustCompile(`(?:^|\s)([a-z][A-Za-z0-9_.+-]*):([A-Za-z0-9_.-]+) (?:security|bug|enhancement|module|and)\b`)

func moduleOf(a *pratique.Advisory, f *pratique.Affected) string {
	if f.Module != "" {
		return f.Module
	}
	if m := titleModule.FindStringSubmatch(a.Summary); m != nil {
		return m[1] + ":" + m[2]
	}
	return ""
}

// sameModule tells whether a record can speak of a package: both of the same
// module stream, or both of none. Where a stream is not stated on one side, being
// of some module is all that can be asked.
func sameModule(p *pratique.Package, a *pratique.Advisory, f *pratique.Affected) bool {
	ofPackage := p.Module != "" || modular(p.Version)
	ofRecord := f.Module != "" || slices.ContainsFunc(f.Ranges, func(r pratique.Range) bool {
		return slices.ContainsFunc(r.Events, func(e pratique.Event) bool { return modular(e.Fixed) })
	})
	if ofPackage != ofRecord {
		return false
	}
	if !ofPackage || p.Module == "" {
		return true
	}
	want := moduleOf(a, f)
	return want == "" || stream(want) == stream(p.Module)
}

// stream is name:stream of a label name:stream:version:context:arch.
func stream(label string) string {
	parts := strings.SplitN(label, ":", 3)
	if len(parts) < 2 {
		return label
	}
	return parts[0] + ":" + parts[1]
}

// sameArch tells whether a record that is limited to architectures counts for a
// package. A package for all of them, or that states none, always counts.
func sameArch(arch string, limited []string) bool {
	if len(limited) == 0 {
		return true
	}
	switch arch {
	case "", "noarch", "all", "any", "src":
		return true
	}
	return slices.Contains(limited, arch)
}

// minorRelease finds the minor release that a package of the Red Hat family was
// rebuilt for: el8_9 in 2.28-236.el8_9.13.
var minorRelease = regexp.MustCompile(`\.el[0-9]+_[0-9]+`)

// fixedInMinor tells whether an update for the very minor release that a package
// comes from is installed. One flaw is often mended in several of them, each with
// a version of its own, and the later one's is higher: 2.28-236.el8_9.13 has what
// 2.28-251.el8_10.1 has. A build without that mark is held against all of them.
func fixedInMinor(notices []*evidence) bool {
	for _, e := range notices {
		minor := minorRelease.FindString(e.key.version)
		if minor != "" && !e.verdict.affected && passedFix(e) && slices.ContainsFunc(e.affected.Ranges, func(r pratique.Range) bool {
			return slices.ContainsFunc(r.Events, func(ev pratique.Event) bool { return minorRelease.FindString(ev.Fixed) == minor })
		}) {
			return true
		}
	}
	return false
}
