package software

import (
	"bytes"
	"compress/zlib"
	"context"
	"debug/buildinfo"
	"debug/elf"
	"debug/macho"
	"debug/pe"
	"encoding/json"
	"fmt"
	"io"
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

func readBinary(_ context.Context, f *analyze.File, c analyze.Content, facts *pratique.Facts) error {
	if info, err := buildinfo.Read(c); err == nil {
		facts.Packages = append(facts.Packages, goModules(info, f.Path)...)
		return nil
	}
	return readRust(c, f.Path, facts)
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

// maxRust bounds cargo-auditable's list; that of a program with a thousand
// crates inflates to about 150 KiB.
const maxRust = 16 << 20

// readRust reads the crates of a program built with cargo-auditable: JSON,
// compressed with zlib, in a section of its own
// (https://github.com/rust-secure-code/cargo-auditable/blob/master/PARSING.md).
func readRust(c analyze.Content, where string, facts *pratique.Facts) error {
	section := auditSection(c)
	if section == nil {
		return nil
	}
	zr, err := zlib.NewReader(io.LimitReader(section, maxRust))
	if err != nil {
		return fmt.Errorf("cargo-auditable's section: %w", err)
	}
	defer zr.Close()
	var list struct {
		Packages []struct {
			Name    string `json:"name"`
			Version string `json:"version"`
			Kind    string `json:"kind"` // "build" or "runtime", the default
		} `json:"packages"`
	}
	b, err := io.ReadAll(io.LimitReader(zr, maxRust))
	if err == nil {
		err = json.Unmarshal(b, &list)
	}
	if err != nil {
		return fmt.Errorf("cargo-auditable's section: %w", err)
	}
	for _, p := range list.Packages {
		if p.Kind != "build" && p.Name != "" && p.Version != "" && printable(p.Name) && printable(p.Version) {
			facts.Packages = append(facts.Packages, languagePackage(packageurl.TypeCargo, p.Name, p.Version, "cargo-auditable", where))
		}
	}
	return nil
}

// auditSection finds the section by the name that the program's format has for
// it; nil when there is none.
func auditSection(c analyze.Content) io.Reader {
	var magic [4]byte
	if _, err := c.ReadAt(magic[:], 0); err != nil {
		return nil
	}
	switch {
	case string(magic[:]) == "\x7fELF":
		if f, err := elf.NewFile(c); err == nil {
			if s := f.Section(".dep-v0"); s != nil {
				return s.Open()
			}
		}
	case string(magic[:2]) == "MZ":
		if f, err := pe.NewFile(c); err == nil {
			if s := f.Section(".dep-v0"); s != nil {
				return s.Open()
			}
		}
	default:
		if f, err := macho.NewFile(c); err == nil {
			if s := f.Section(".dep-v0"); s != nil {
				return s.Open()
			}
		}
	}
	return nil
}
