package software

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/textproto"
	"path"
	"slices"
	"strings"
	"time"

	cpb "github.com/google/osv-scalibr/binary/proto/config_go_proto"
	"github.com/google/osv-scalibr/extractor"
	"github.com/google/osv-scalibr/extractor/filesystem"
	"github.com/google/osv-scalibr/extractor/filesystem/language/cpp/conanlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/dart/pubspec"
	"github.com/google/osv-scalibr/extractor/filesystem/language/dotnet/depsjson"
	"github.com/google/osv-scalibr/extractor/filesystem/language/dotnet/packagesconfig"
	"github.com/google/osv-scalibr/extractor/filesystem/language/dotnet/packageslockjson"
	"github.com/google/osv-scalibr/extractor/filesystem/language/elixir/mixlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/golang/gomod"
	"github.com/google/osv-scalibr/extractor/filesystem/language/haskell/stacklock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/java/gradlelockfile"
	"github.com/google/osv-scalibr/extractor/filesystem/language/javascript/bunlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/javascript/packagelockjson"
	"github.com/google/osv-scalibr/extractor/filesystem/language/javascript/pnpmlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/javascript/yarnlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/julia/manifesttoml"
	"github.com/google/osv-scalibr/extractor/filesystem/language/php/composerlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/python/condameta"
	"github.com/google/osv-scalibr/extractor/filesystem/language/python/pdmlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/python/pipfilelock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/python/poetrylock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/python/requirements"
	"github.com/google/osv-scalibr/extractor/filesystem/language/python/uvlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/python/wheelegg"
	"github.com/google/osv-scalibr/extractor/filesystem/language/r/renvlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/ruby/gemfilelock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/ruby/gemspec"
	"github.com/google/osv-scalibr/extractor/filesystem/language/rust/cargolock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/swift/packageresolved"
	"github.com/google/osv-scalibr/extractor/filesystem/language/swift/podfilelock"
	"github.com/google/osv-scalibr/extractor/filesystem/os/pacman"

	"github.com/package-url/packageurl-go"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/analyze"
)

// scalibrFormats are the extractors that we use as they are, by the base names
// and extensions for which they are asked at all.
var scalibrFormats = []struct {
	new      func(*cpb.PluginConfig) (filesystem.Extractor, error)
	names    []string // base names, or extensions with their dot
	declared bool
}{
	{packagelockjson.New, []string{"package-lock.json", "npm-shrinkwrap.json"}, true},
	{yarnlock.New, []string{"yarn.lock"}, true},
	{pnpmlock.New, []string{"pnpm-lock.yaml"}, true},
	{bunlock.New, []string{"bun.lock"}, true},
	{wheelegg.New, []string{"METADATA", "PKG-INFO", ".egg-info", ".egg"}, false},
	{condameta.New, []string{".json"}, false},
	{requirements.New, []string{"requirements.txt"}, true},
	{pipfilelock.New, []string{"Pipfile.lock"}, true},
	{poetrylock.New, []string{"poetry.lock"}, true},
	{pdmlock.New, []string{"pdm.lock"}, true},
	{uvlock.New, []string{"uv.lock"}, true},
	{gomod.New, []string{"go.mod"}, true},
	{gradlelockfile.New, []string{"gradle.lockfile", "buildscript-gradle.lockfile"}, true},
	{gemspec.New, []string{".gemspec"}, false},
	{gemfilelock.New, []string{"Gemfile.lock", "gems.locked"}, true},
	{composerlock.New, []string{"composer.lock"}, true},
	{packagesconfig.New, []string{"packages.config"}, true},
	{packageslockjson.New, []string{"packages.lock.json"}, true},
	{cargolock.New, []string{"Cargo.lock"}, true},
	{pubspec.New, []string{"pubspec.lock"}, true},
	{mixlock.New, []string{"mix.lock"}, true},
	{conanlock.New, []string{"conan.lock"}, true},
	{renvlock.New, []string{"renv.lock"}, true},
	{stacklock.New, []string{"stack.yaml.lock"}, true},
	{manifesttoml.New, []string{"Manifest.toml"}, true},
	{packageresolved.New, []string{"Package.resolved"}, true},
	{podfilelock.New, []string{"Podfile.lock"}, true},
	{pacman.New, []string{"desc"}, false},
}

func (a *Analyzer) addScalibr() error {
	for _, s := range scalibrFormats {
		e, err := s.new(&cpb.PluginConfig{})
		if err != nil {
			return err
		}
		found := &format{name: e.Name(), declared: s.declared, wants: required(e), read: extract(e, s.declared)}
		for _, name := range s.names {
			if name[0] == '.' {
				a.bySuffix[name] = found
			} else {
				a.byName[name] = found
			}
		}
	}
	deps, err := depsjson.New(&cpb.PluginConfig{})
	if err != nil {
		return err
	}
	conda := a.bySuffix[".json"]
	either := func(name string) (*format, bool) {
		if strings.HasSuffix(name, ".deps.json") {
			return &format{read: extract(deps, false)}, true
		}
		// The library leaves out the base environment, which is above envs/.
		return conda, path.Base(path.Dir(name)) == "conda-meta"
	}
	a.bySuffix[".json"] = &format{
		name:  "json",
		wants: func(name string) bool { _, ok := either(name); return ok },
		read: func(ctx context.Context, f *analyze.File, c analyze.Content, facts *pratique.Facts) error {
			chosen, _ := either(f.Path)
			return chosen.read(ctx, f, c, facts)
		},
	}
	return nil
}

// required asks the extractor by name; sizes are bounded by us.
func required(e filesystem.Extractor) func(string) bool {
	return func(name string) bool { return e.FileRequired(named(name)) }
}

// named is a file of which only the name is known.
type named string

func (n named) Path() string               { return string(n) }
func (n named) Stat() (fs.FileInfo, error) { return fileInfo{name: string(n), size: 1}, nil }

type fileInfo struct {
	name string
	size int64
	mode fs.FileMode
}

func (i fileInfo) Name() string       { return path.Base(i.name) }
func (i fileInfo) Size() int64        { return i.size }
func (i fileInfo) Mode() fs.FileMode  { return i.mode }
func (i fileInfo) ModTime() time.Time { return time.Time{} }
func (i fileInfo) IsDir() bool        { return false }
func (i fileInfo) Sys() any           { return nil }

// nothing is the file system that extractors see: no file but their own, which
// is in the layer that is streaming by.
type nothing struct{}

func (nothing) Open(name string) (fs.File, error) { return nil, notThere("open", name) }
func (nothing) Stat(name string) (fs.FileInfo, error) {
	return nil, notThere("stat", name)
}
func (nothing) ReadDir(name string) ([]fs.DirEntry, error) { return nil, notThere("readdir", name) }

func notThere(op, name string) error {
	return &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
}

// extract runs an extractor on one file and turns its packages into ours.
func extract(e filesystem.Extractor, declared bool) func(context.Context, *analyze.File, analyze.Content, *pratique.Facts) error {
	return func(ctx context.Context, f *analyze.File, c analyze.Content, facts *pratique.Facts) error {
		if err := checkManifest(c); err != nil {
			return err
		}
		input := &filesystem.ScanInput{
			FS: nothing{}, Path: f.Path,
			Info:   fileInfo{f.Path, c.Size(), f.Mode},
			Reader: io.NewSectionReader(c, 0, c.Size()),
		}
		inventory, err := e.Extract(ctx, input)
		var licenses []string
		if strings.HasSuffix(f.Path, "METADATA") || strings.HasSuffix(f.Path, "PKG-INFO") || strings.HasSuffix(f.Path, ".egg-info") {
			licenses = pythonLicenses(c)
		}
		for _, p := range inventory.Packages {
			if pkg, ok := fromScalibr(p, e.Name(), f.Path); ok {
				pkg.Declared = declared
				if len(pkg.Licenses) == 0 {
					pkg.Licenses = licenses
				}
				facts.Packages = append(facts.Packages, pkg)
			}
		}
		if err != nil {
			return fmt.Errorf("%s: %s", e.Name(), firstLine(err))
		}
		return nil
	}
}

func fromScalibr(p *extractor.Package, by, where string) (pratique.Package, bool) {
	u := p.PURL()
	if u == nil || p.Name == "" || p.Version == "" || !printable(p.Version) || !printableText(p.Name) {
		return pratique.Package{}, false
	}
	if p.PURLType == "golang" && p.Name == "go" {
		p.Name = "stdlib"
	}
	pkg := languagePackage(u.Type, pratique.EcosystemName(u.Type, u.Namespace, u.Name), p.Version, path.Base(by), where)
	if u.Type == "golang" {
		// The library strips what go itself prints.
		if pkg.Name = p.Name; p.Name != "stdlib" && !strings.HasPrefix(p.Version, "v") {
			pkg.Version = "v" + p.Version
		}
		pkg.PURL = languagePURL(u.Type, pkg.Name, pkg.Version)
	}
	if by == condameta.Name { // a C library of conda's is none of PyPI's
		pkg = languagePackage(packageurl.TypeConda, p.Name, p.Version, path.Base(by), where)
	}
	if p.PURLType == "pacman" { // the purl specification calls it alpm
		pkg.Type, pkg.Name, pkg.PURL = "alpm", p.Name, "" // the image view adds the distribution
	}
	for _, license := range p.Licenses {
		pkg.Licenses = append(pkg.Licenses, plausibleLicense(license)...)
	}
	if d := p.Location.Descriptor; d != nil && d.File != nil {
		pkg.Line = d.File.LineNumber
	}
	return pkg, true
}

// pythonLicenses reads the licence of core metadata
// (https://packaging.python.org/specifications/core-metadata/): the SPDX
// expression where there is one, else the classifiers, else the free text.
func pythonLicenses(c analyze.Content) []string {
	r := textproto.NewReader(bufio.NewReader(io.LimitReader(io.NewSectionReader(c, 0, c.Size()), 256<<10)))
	h, _ := r.ReadMIMEHeader()
	if expression := plausibleLicense(h.Get("License-Expression")); expression != nil {
		return expression
	}
	var classified []string
	for _, classifier := range h["Classifier"] {
		if parts := strings.Split(classifier, " :: "); parts[0] == "License" && len(parts) > 1 {
			classified = append(classified, plausibleLicense(parts[len(parts)-1])...)
		}
	}
	classified = slices.DeleteFunc(classified, func(s string) bool { return s == "OSI Approved" })
	if len(classified) > 0 {
		return classified
	}
	return plausibleLicense(h.Get("License"))
}
