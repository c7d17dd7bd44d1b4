package software

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"runtime/debug"
	"strings"

	"github.com/package-url/packageurl-go"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/analyze"
)

// Go writes the modules of a program into it (runtime/debug.BuildInfo); Rust
// does when it was built with cargo-auditable, in the section .dep-v0.

// isExecutable recognises ELF, PE and Mach-O.
func isExecutable(head []byte) bool {
	return bytes.HasPrefix(head, []byte("\x7fELF")) || bytes.HasPrefix(head, []byte("MZ")) ||
		bytes.HasPrefix(head, []byte{0xcf, 0xfa, 0xed, 0xfe}) || bytes.HasPrefix(head, []byte{0xce, 0xfa, 0xed, 0xfe}) ||
		bytes.HasPrefix(head, []byte{0xfe, 0xed, 0xfa})
}

func readBinary(ctx context.Context, f *analyze.File, c analyze.Content, facts *pratique.Facts) error {
	if info, err := buildinfo.Read(c); err == nil {
		facts.Packages = append(facts.Packages, goModules(info, f.Path)...)
		return nil
	}
	return rustCrates(ctx, f, c, facts)
}

// goModules lists the standard library, the main module and the dependencies,
// with replacements applied, in the versions that go version -m prints.
func goModules(info *buildinfo.BuildInfo, where string) []pratique.Package {
	var packages []pratique.Package
	add := func(name, version string) {
		packages = append(packages, languagePackage(packageurl.TypeGolang, name, version, "go-binary", where))
	}
	if release, _, _ := strings.Cut(info.GoVersion, " "); strings.HasPrefix(release, "go") {
		add("stdlib", strings.TrimPrefix(release, "go"))
	}
	if info.Main.Path != "" {
		add(info.Main.Path, info.Main.Version)
	}
	for _, dep := range info.Deps {
		if module := effective(dep); module.Path != "" {
			add(module.Path, module.Version)
		}
	}
	return packages
}

// effective follows a replacement. One by a local folder has no version of its
// own; the module that it stands for is then the better name.
func effective(m *debug.Module) *debug.Module {
	if m.Replace != nil && m.Replace.Path != "" && m.Replace.Version != "" {
		return m.Replace
	}
	return m
}
