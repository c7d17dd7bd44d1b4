// Package software reads what is installed, and what is merely declared, from
// the files in which package managers write it down.
//
// Three kinds of evidence differ in weight:
//
//   - An operating system's package database (dpkg's status, apk's installed,
//     rpm's Packages) is the truth about what was installed, down to the files.
//     These are read by this package itself, because beside the packages their
//     file lists, licences and modularity labels are needed, and because one
//     damaged record must not cost the others.
//   - Installed trees of a language (node_modules, dist-info, jars, gemspecs,
//     composer's installed.json, binaries of Go and Rust that carry their build
//     information) are as good: the code is there.
//   - Lock files only declare. They are kept with Package.Declared set, and the
//     image view drops them where the installed tree is there too.
//
// Formats of languages are read by osv-scalibr's extractors, imported one by
// one. An extractor is asked by file name first ([format]), so that the common
// file costs one map look-up.
//
// Packages are facts of a layer: the distribution, which is usually told by
// another layer, and the ownership of files are joined in package image.
package software

import (
	"context"
	"fmt"
	"path"
	"strings"

	scalibrlog "github.com/google/osv-scalibr/log"
	"github.com/package-url/packageurl-go"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/analyze"
)

// version changes whenever the same bytes could give other packages.
const version = "2"

// Analyzer reads software. It keeps no state between files.
type Analyzer struct {
	byName   map[string]*format
	bySuffix map[string]*format
}

// A format is one kind of file that tells of packages.
type format struct {
	name     string
	declared bool // it asks for packages rather than holding them
	wants    func(path string) bool
	read     func(ctx context.Context, f *analyze.File, c analyze.Content, facts *pratique.Facts) error
}

// New returns the analyzer with all formats.
func New() (*Analyzer, error) {
	scalibrlog.SetLogger(silent{})
	a := &Analyzer{byName: map[string]*format{}, bySuffix: map[string]*format{}}
	if err := a.addScalibr(); err != nil {
		return nil, fmt.Errorf("extractors: %w", err)
	}
	a.byName["package.json"] = &format{name: "npm", wants: installedNode, read: readNode}
	a.byName["installed.json"] = &format{name: "composer", wants: installedComposer, read: readComposer}
	for _, ext := range javaExtensions {
		a.bySuffix[ext] = &format{name: "java", wants: anyPath, read: readJava}
	}
	return a, nil
}

func (a *Analyzer) Name() string    { return "software" }
func (a *Analyzer) Version() string { return version }

// Nested: jars inside wars, zips and tars are read by the pass, one level after
// the other, with one set of limits.
func (a *Analyzer) Nested() bool { return true }

// Wants is asked for every file of every layer, so it decides by the base name
// and the first bytes, in that order.
func (a *Analyzer) Wants(f *analyze.File) bool {
	return a.reader(f) != nil
}

// reader finds who reads f; nil for nobody.
func (a *Analyzer) reader(f *analyze.File) func(context.Context, *analyze.File, analyze.Content, *pratique.Facts) error {
	if f.Member() {
		if found := a.bySuffix[strings.ToLower(path.Ext(f.Path))]; found != nil && found.name == "java" {
			return found.read
		}
		return nil
	}
	if read := databaseReader(f.Path); read != nil {
		return read
	}
	found := a.byName[path.Base(f.Path)]
	if found == nil {
		found = a.bySuffix[strings.ToLower(path.Ext(f.Path))]
	}
	if found != nil && found.wants(f.Path) && !(found.declared && vendored(f.Path)) {
		return found.read
	}
	if isRelease(f.Path) && f.Size <= maxRelease {
		return readRelease
	}
	if isExecutable(f.Head) {
		return readBinary
	}
	return nil
}

// Analyze implements analyze.Analyzer.
func (a *Analyzer) Analyze(ctx context.Context, f *analyze.File, c analyze.Content, facts *pratique.Facts) error {
	head := make([]byte, min(c.Size(), analyze.SniffLen))
	if _, err := c.ReadAt(head, 0); err != nil {
		return err
	}
	sniffed := *f
	sniffed.Head = head
	read := a.reader(&sniffed)
	if read == nil {
		return nil
	}
	err := read(ctx, &sniffed, c, facts)
	for i := range facts.Packages {
		withoutUserinfo(&facts.Packages[i])
	}
	return err
}

// Link keeps symbolic links that stand in the place of release files.
func (a *Analyzer) Link(name, target string, facts *pratique.Facts) {
	if isRelease(name) || strings.HasPrefix(name, "etc/") && strings.HasSuffix(target, "-release") {
		facts.Releases = append(facts.Releases, pratique.Release{Path: name, Target: target})
	}
}

// databaseReader knows the operating systems' package databases by their place.
func databaseReader(name string) func(context.Context, *analyze.File, analyze.Content, *pratique.Facts) error {
	switch {
	case name == "var/lib/dpkg/status", name == "usr/lib/opkg/status", name == "var/lib/opkg/status",
		strings.HasPrefix(name, "var/lib/dpkg/status.d/") && !strings.HasSuffix(name, ".md5sums"):
		return readDpkgStatus
	case strings.HasPrefix(name, "var/lib/dpkg/info/") && strings.HasSuffix(name, ".list"):
		return readDpkgList
	case strings.HasPrefix(name, "var/lib/dpkg/status.d/"):
		return readDpkgSums
	case strings.HasPrefix(name, "usr/share/doc/") && strings.HasSuffix(name, "/copyright") && strings.Count(name, "/") == 4:
		return readCopyright
	case name == "lib/apk/db/installed", name == "usr/lib/apk/db/installed":
		return readApk
	case isRpmDatabase(name):
		return readRpm
	}
	return nil
}

// vendored tells whether a lock file belongs to a library that somebody
// installed, whose author's wishes say nothing about this image.
func vendored(name string) bool {
	for _, dir := range [...]string{"node_modules/", "site-packages/", "dist-packages/", "vendor/", "/pkg/mod/", ".cargo/registry/", "/gems/", "testdata/"} {
		if strings.Contains(name, dir) {
			return true
		}
	}
	return strings.HasPrefix(name, "usr/share/") || strings.HasPrefix(name, "usr/lib/") || strings.HasPrefix(name, "usr/local/go/")
}

func anyPath(string) bool { return true }

// languagePackage makes a package of a language ecosystem.
func languagePackage(purlType, name, version, foundBy, where string) pratique.Package {
	return pratique.Package{
		Type: purlType, Name: name, Version: version, Path: where, FoundBy: foundBy,
		Ecosystem: pratique.EcosystemOf(purlType), PURL: languagePURL(purlType, name, version),
	}
}

// languagePURL writes a package URL (https://github.com/package-url/purl-spec)
// from a name as the ecosystem writes it.
func languagePURL(purlType, name, version string) string {
	separator := "/"
	if purlType == packageurl.TypeMaven {
		separator = ":"
	}
	namespace := ""
	if i := strings.LastIndex(name, separator); i > 0 {
		namespace, name = name[:i], name[i+1:]
	}
	return packageurl.NewPackageURL(purlType, namespace, name, version, nil, "").String()
}

// silent drops the extractors' log lines: what matters of them is an error,
// which becomes a problem of the scan.
type silent struct{}

func (silent) Errorf(string, ...any) {}
func (silent) Error(...any)          {}
func (silent) Warnf(string, ...any)  {}
func (silent) Warn(...any)           {}
func (silent) Infof(string, ...any)  {}
func (silent) Info(...any)           {}
func (silent) Debugf(string, ...any) {}
func (silent) Debug(...any)          {}
