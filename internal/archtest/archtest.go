// Package archtest holds the architecture as data, and checks the source
// against it: which package may import which, and a few habits that are easier
// to keep out than to remove.
//
// A layered design rots by one convenient import at a time. When this test
// fails, either the import is in the wrong room, or the wall stands in the wrong
// place: then change [Table] in the same commit, and say why.
package archtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Module is the path that all packages of this repository begin with.
const Module = "github.com/pratique/pratique"

// Room is a line of the table: a package, or with "/*" at its end all packages
// below a folder, and which packages of this module it may import.
type Room struct {
	Path string   // relative to the module, "." for the root
	May  []string // in the same notation; Anything for all
	// StandardOnly: nothing from other modules either.
	StandardOnly bool
}

// Anything in Room.May allows every package that is not [Private].
const Anything = "…"

// Table is the architecture. A more exact path wins over one with "/*". Tests
// (files named _test.go) may import anything.
var Table = []Room{
	{Path: ".", StandardOnly: true},

	// From bytes to facts.
	{Path: "analyze", May: []string{"."}},
	{Path: "analyze/*", May: []string{".", "analyze"}},
	{Path: "analyze/malware", May: []string{".", "analyze", "analyze/malware/yara"}},
	{Path: "analyze/malware/yara", May: []string{"."}}, // a language and its engine, which know of nothing else
	// What keeps packs of rules hands them to the analyzer as that takes them.
	{Path: "analyze/malware/rulepack", May: []string{".", "analyze/malware", "analyze/malware/yara"}},
	{Path: "layer", May: []string{".", "analyze", "layer/inflate", "layer/bcj", "layer/sevenzip"}},
	{Path: "layer/inflate", StandardOnly: true}, // a decoder of a format, which knows of nothing else
	{Path: "layer/bcj", StandardOnly: true},     // and another
	{Path: "layer/sevenzip", May: []string{".", "layer/bcj"}},

	// From facts and knowledge to judgements, and on to people.
	{Path: "image", May: []string{"."}},
	{Path: "match", May: []string{"."}},
	{Path: "advisory", May: []string{"."}},
	{Path: "policy", May: []string{"."}},
	{Path: "report", May: []string{"."}},
	{Path: "notify", May: []string{"."}},
	{Path: "export", May: []string{"."}}, // rows of any list into files

	// When, by the clock on the wall.
	{Path: "calendar", May: []string{"."}},

	// Where images come from.
	{Path: "registry", May: []string{"."}},
	{Path: "registry/*", May: []string{".", "registry", "registry/distribution"}},
	{Path: "engine", May: []string{".", "layer"}},
	// A content store holds what a registry does: the same manifests and indexes.
	{Path: "engine/*", May: []string{".", "layer", "engine", "registry/distribution"}},
	// Wherever an image lies, its config is read in one way: that of image.
	{Path: "source", May: []string{".", "layer", "image", "registry", "registry/distribution", "engine"}},

	// The use cases, and what keeps their state.
	// Synchronising is a use case, and a registry's connector is the contract it works
	// by: hence registry, but none of its kinds, and no client.
	{Path: "scan", May: []string{".", "analyze", "layer", "image", "match", "advisory", "policy", "registry", "calendar"}},
	{Path: "store", May: []string{".", "store/migrations"}},
	{Path: "store/migrations", May: []string{"."}},
	{Path: "store/*", May: []string{".", "store"}},
	{Path: "queue", May: []string{".", "scan"}},

	// The edges.
	{Path: "agent/wire", May: []string{"."}},
	// An agent does the first half of a scan: it reads.
	{Path: "agent", May: []string{".", "analyze", "layer", "engine", "source", "scan", "registry", "agent/wire"}},
	// The lists that can be exported, the forms that connectors declare, and what their tests find, are part of the
	// API: hence registry, but none of its kinds.
	{Path: "api", May: []string{".", "scan", "report", "export", "registry", "agent/wire"}},
	{Path: "web", May: []string{"."}},
	{Path: "cmd/*", May: []string{Anything, "api", "store", "store/*", "queue"}},

	// The proving ground.
	{Path: "internal/*", May: []string{Anything}},
	{Path: "e2e", May: []string{Anything}},
	{Path: "e2e/*", May: []string{Anything}},
	{Path: "bench", May: []string{Anything}},
	// It writes what many scans would have, so it knows the tables.
	{Path: "bench/estate", May: []string{".", "store"}},
	{Path: "accuracy", May: []string{Anything}},
}

// Private packages are wired by cmd alone. [Anything] does not include them.
var Private = []string{"cmd/*", "api", "store", "store/*", "queue"}

// Refused are packages of other modules that no room may import.
var Refused = map[string]string{
	"github.com/google/osv-scalibr/extractor/filesystem/list": "it links every extractor with all its dependencies: import extractors one by one",
	"github.com/google/osv-scalibr/extractor/standalone/list": "it links every extractor with all its dependencies: import extractors one by one",
	"github.com/google/osv-scalibr/detector/list":             "it links every detector with all its dependencies",
	"github.com/zricethezav/gitleaks/v8/detect":               "only its rules are used; its engine is the oracle of tests",
}

// Names that say nothing about what is inside.
var emptyNames = []string{"util", "utils", "common", "helper", "helpers", "models", "misc", "base", "shared"}

// Package is what the check needs to know of one, as "go list -json" prints it.
type Package struct {
	ImportPath string
	Name       string
	Dir        string
	Doc        string
	GoFiles    []string
	Imports    []string
}

// Load lists the packages of the module that dir is in.
func Load(dir string) ([]Package, error) {
	cmd := exec.Command("go", "list", "-json=ImportPath,Name,Dir,Doc,GoFiles,Imports", "./...")
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return nil, fmt.Errorf("go list: %w: %s", err, exit.Stderr)
		}
		return nil, fmt.Errorf("go list: %w", err)
	}
	var all []Package
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p Package
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		all = append(all, p)
	}
}

// Check returns a sentence for each thing that is not as the table has it.
func Check(packages []Package) ([]string, error) {
	var wrong []string
	for _, p := range packages {
		if len(p.GoFiles) == 0 { // tests only: nothing that could be imported
			continue
		}
		wrong = append(wrong, checkImports(p)...)
		wrong = append(wrong, checkName(p)...)
		inits, err := checkInit(p)
		if err != nil {
			return nil, err
		}
		wrong = append(wrong, inits...)
	}
	return wrong, nil
}

func checkImports(p Package) (wrong []string) {
	self := relative(p.ImportPath)
	room, known := roomOf(self)
	if !known {
		return []string{fmt.Sprintf("%s: no line of the table covers this package: decide what it may import, and add it to archtest.Table", self)}
	}
	for _, imported := range p.Imports {
		if why, refused := Refused[imported]; refused {
			wrong = append(wrong, fmt.Sprintf("%s imports %s: %s", self, imported, why))
		}
		if imported != Module && !strings.HasPrefix(imported, Module+"/") {
			if room.StandardOnly && strings.Contains(strings.Split(imported, "/")[0], ".") {
				wrong = append(wrong, fmt.Sprintf("%s imports %s: only the standard library is allowed here", self, imported))
			}
			continue
		}
		if target := relative(imported); !allowed(room, target) {
			wrong = append(wrong, fmt.Sprintf("%s imports %s: allowed are %s", self, target, strings.Join(append([]string{"(of this module)"}, room.May...), " ")))
		}
	}
	return wrong
}

func relative(importPath string) string {
	if importPath == Module {
		return "."
	}
	return strings.TrimPrefix(importPath, Module+"/")
}

func roomOf(rel string) (Room, bool) {
	for _, r := range Table {
		if r.Path == rel {
			return r, true
		}
	}
	for _, r := range Table {
		if covers(r.Path, rel) {
			return r, true
		}
	}
	return Room{}, false
}

func covers(pattern, rel string) bool {
	if folder, ok := strings.CutSuffix(pattern, "/*"); ok {
		return strings.HasPrefix(rel, folder+"/")
	}
	return pattern == rel
}

func allowed(r Room, target string) bool {
	// The packages below a folder may share an internal one, which Go guards.
	if folder, ok := strings.CutSuffix(r.Path, "/*"); ok && strings.HasPrefix(target, folder+"/internal/") {
		return true
	}
	for _, may := range r.May {
		if may == Anything && !slices.ContainsFunc(Private, func(p string) bool { return covers(p, target) }) {
			return true
		}
		if covers(may, target) {
			return true
		}
	}
	return false
}

func checkName(p Package) (wrong []string) {
	rel := relative(p.ImportPath)
	if p.Doc == "" {
		wrong = append(wrong, rel+": the package has no doc comment")
	}
	for _, element := range strings.Split(rel, "/") {
		if slices.Contains(emptyNames, element) {
			wrong = append(wrong, fmt.Sprintf("%s: %q does not say what is inside", rel, path.Base(element)))
		}
	}
	return wrong
}

// checkInit finds init functions: what happens at import time cannot be chosen,
// ordered or tested by who imports.
func checkInit(p Package) (wrong []string, _ error) {
	for _, name := range p.GoFiles {
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				wrong = append(wrong, fmt.Sprintf("%s: %s has an init function: pass what it registers as an argument, from cmd", relative(p.ImportPath), name))
			}
		}
	}
	return wrong, nil
}
