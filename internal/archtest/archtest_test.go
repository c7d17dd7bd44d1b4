package archtest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestArchitecture(t *testing.T) {
	packages, err := Load("../..")
	if err != nil {
		t.Fatal(err)
	}
	if len(packages) < 5 {
		t.Fatalf("go list named %d packages only", len(packages))
	}
	wrong, err := Check(packages)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range wrong {
		t.Error(w)
	}
}

// A check that cannot fail is none: each kind of violation must be told.
func TestViolationsAreFound(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.go"), []byte("package a\n\nfunc init() {}\n\ntype T struct{}\n\nfunc (T) init() {}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "fine.go"), []byte("package a\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	pkg := func(rel string, imports ...string) Package {
		p := Package{ImportPath: Module + "/" + rel, Dir: dir, Doc: "Package a is documented.", GoFiles: []string{"fine.go"}}
		if rel == "." {
			p.ImportPath = Module
		}
		for _, i := range imports {
			p.Imports = append(p.Imports, strings.Replace(i, "./", Module+"/", 1))
		}
		return p
	}
	undocumented := pkg("image")
	undocumented.Doc = ""
	registering := pkg("image")
	registering.GoFiles = []string{"a.go"}

	for name, c := range map[string]struct {
		p    Package
		want string // "" means that nothing is wrong
	}{
		"allowed":                   {pkg("scan", Module, "./layer", "context", "golang.org/x/sync/errgroup"), ""},
		"allowed below a folder":    {pkg("analyze/software", "./analyze", "github.com/google/osv-scalibr/extractor"), ""},
		"internal below a folder":   {pkg("registry/harbor", "./registry/internal/paging"), ""},
		"cmd wires":                 {pkg("cmd/pratique", "./api", "./store", "./internal/example"), ""},
		"a tool imports much":       {pkg("bench", "./scan", "./internal/testimage"), ""},
		"sideways":                  {pkg("match", "./advisory"), "match imports advisory"},
		"upwards":                   {pkg("layer", "./scan"), "layer imports scan"},
		"analyzers see no other":    {pkg("analyze/secrets", "./analyze/software"), "analyze/secrets imports analyze/software"},
		"scan sees no source":       {pkg("scan", "./source"), "scan imports source"},
		"store is for cmd":          {pkg("api", "./store"), "api imports store"},
		"store is not for tools":    {pkg("bench", "./store"), "bench imports store"},
		"nobody imports cmd":        {pkg("internal/x", "./cmd/pratique"), "internal/x imports cmd/pratique"},
		"internals are for cmd":     {pkg("source", "./internal/example"), "source imports internal/example"},
		"the root is plain Go":      {pkg(".", "golang.org/x/sync/errgroup"), "only the standard library"},
		"the root imports no room":  {pkg(".", "./layer"), ". imports layer"},
		"scalibr's list":            {pkg("analyze/software", "github.com/google/osv-scalibr/extractor/filesystem/list"), "one by one"},
		"a room that nobody drew":   {pkg("dashboard"), "add it to archtest.Table"},
		"a name that says nothing":  {pkg("internal/util"), "does not say what is inside"},
		"no doc comment":            {undocumented, "no doc comment"},
		"registration":              {registering, "a.go has an init function"},
		"a folder is not its twins": {pkg("registryx"), "add it to archtest.Table"},
	} {
		t.Run(name, func(t *testing.T) {
			wrong, err := Check([]Package{c.p})
			if err != nil {
				t.Fatal(err)
			}
			if c.want == "" {
				if len(wrong) > 0 {
					t.Errorf("told %q", wrong)
				}
				return
			}
			if len(wrong) != 1 || !strings.Contains(wrong[0], c.want) {
				t.Errorf("told %q, want one line with %q", wrong, c.want)
			}
		})
	}
}

// The table must not contradict itself: what a room may import has to exist in it.
func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range Table {
		if seen[r.Path] {
			t.Errorf("%s stands in the table twice", r.Path)
		}
		seen[r.Path] = true
		for _, may := range r.May {
			if _, known := roomOf(may); !known && may != Anything {
				t.Errorf("%s may import %s, which no line covers", r.Path, may)
			}
		}
	}
}
