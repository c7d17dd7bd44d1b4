package web

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Rooms whose errors and remedies the phrase book has, all of them; of other rooms
// the files that can speak to the console: the rest of them speaks on the command
// line alone. What else is said is shown by the meaning of its code, with the
// sentence in English below.
var (
	spokenRooms = []string{
		"api", "calendar", "export", "scan", "store", "queue", "advisory", "layer", "image",
		"registry", "registry/distribution", "registry/harbor", "registry/oci",
		"analyze", "analyze/files", "analyze/malware", "analyze/malware/clamd", "analyze/secrets", "analyze/software",
		"engine", "engine/containerd", "engine/docker", "engine/podman", "engine/internal/daemon", "engine/internal/database", "engine/internal/oci",
		"agent", "agent/wire",
	}
	spokenFiles = []string{
		"source/engine.go", "source/image.go", "source/registry.go", "source/remote.go", "source/source.go", "analyze/malware/yara/scan.go",
		"cmd/pratique/agentport.go", "cmd/pratique/bundles.go", "cmd/pratique/feedkeeper.go",
	}
	// Files whose sentences are reasons rather than errors.
	reasonFiles = []string{
		"advisory/holes.go", "match/judgement.go", "match/eol.go", "scan/judge.go",
		"engine/docker/identity.go", "engine/podman/store.go", "engine/containerd/containerd.go",
	}
	// Rooms of which plain errors of Go come to be a layer's or a file's problem.
	plainRooms = []string{"layer", "analyze/software", "engine/containerd", "engine/docker", "engine/podman", "engine/internal/oci"}
)

// Whatever the service says of an error, or of why it does not know, is in the
// console's phrase book: who adds a sentence, adds it in Chinese.
func TestPhraseBook(t *testing.T) {
	content, err := os.ReadFile("src/i18n/phrases.zh.json")
	if err != nil {
		t.Fatal(err)
	}
	book := map[string]string{}
	if err := json.Unmarshal(content, &book); err != nil {
		t.Fatal(err)
	}
	said := 0
	check := func(where, sentence string) {
		said++
		if _, ok := book[sentence]; !ok && words(sentence) > 1 {
			t.Errorf("%s: %q is not in web/src/i18n/phrases.zh.json", where, sentence)
		}
	}
	for _, room := range spokenRooms {
		eachSaid(t, sources(t, room), map[string]int{"pratique.Errorf": 1, "WithRemedy": 0, "withRemedy": 0, "newProblem": 2}, check)
	}
	for _, file := range spokenFiles {
		eachSaid(t, []string{"../" + file}, map[string]int{"pratique.Errorf": 1, "WithRemedy": 0}, check)
	}
	for _, room := range plainRooms {
		eachSaid(t, sources(t, room), map[string]int{"fmt.Errorf": 0, "errors.New": 0}, check)
	}
	for _, room := range append(slices.Clone(spokenRooms), "match") {
		eachTold(t, sources(t, room), check)
	}
	for _, file := range spokenFiles {
		eachTold(t, []string{"../" + file}, check)
	}
	for _, file := range reasonFiles {
		eachReason(t, "../"+file, check)
	}
	if said < 900 {
		t.Errorf("only %d sentences were found: the test has lost its way", said)
	}
}

// Whatever the audit log can say has a name in both languages, and its details are in
// the phrase book.
func TestAuditActions(t *testing.T) {
	names := map[string]map[string]string{}
	for _, file := range []string{"en", "zh", "phrases.zh"} {
		content, err := os.ReadFile("src/i18n/" + file + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var all map[string]string
		if err := json.Unmarshal(content, &all); err != nil {
			t.Fatal(err)
		}
		names[file] = all
	}
	said := 0
	eachSaid(t, sources(t, "api"), map[string]int{"did": 1, "audit": 2, "note": 3}, func(where, action string) {
		if strings.Contains(action, "%") {
			return // two of a kind, of which the verb is put in
		}
		said++
		for _, language := range []string{"en", "zh"} {
			if _, ok := names[language]["auditAction."+action]; !ok {
				t.Errorf("%s: auditAction.%s is not in web/src/i18n/%s.json", where, action, language)
			}
		}
	})
	eachSaid(t, sources(t, "api"), map[string]int{"did": 3, "note": 5}, func(where, detail string) {
		if _, ok := names["phrases.zh"][detail]; !ok && words(detail) > 0 {
			t.Errorf("%s: %q is not in web/src/i18n/phrases.zh.json", where, detail)
		}
	})
	if said < 25 {
		t.Errorf("only %d actions were found: the test has lost its way", said)
	}
}

// sources are the files of a room, without its tests.
func sources(t *testing.T, room string) []string {
	t.Helper()
	files, err := filepath.Glob("../" + room + "/*.go")
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(files, func(file string) bool { return strings.HasSuffix(file, "_test.go") })
}

var verb = regexp.MustCompile(`%[-+# 0]*[\d.]*[a-zA-Z%]`)

// words counts those that are not values.
func words(s string) int { return len(strings.Fields(verb.ReplaceAllString(s, ""))) }

// eachSaid visits the sentences that files give to certain functions, at the place
// of the argument where each has them, and to functions of their own that take a
// format.
func eachSaid(t *testing.T, files []string, place map[string]int, visit func(where, sentence string)) {
	t.Helper()
	place = maps.Clone(place)
	for _, file := range files {
		_, f := parsed(t, file)
		if _, errs := place["pratique.Errorf"]; errs {
			formatters(f, place)
		}
	}
	for _, file := range files {
		positions, f := parsed(t, file)
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			name, of := "", ""
			switch fun := call.Fun.(type) {
			case *ast.SelectorExpr:
				name = fun.Sel.Name
				if x, ok := fun.X.(*ast.Ident); ok {
					of = x.Name
				}
			case *ast.Ident:
				name = fun.Name
			}
			i, ok := place[name]
			if !ok {
				i, ok = place[of+"."+name]
			}
			if ok && i < len(call.Args) {
				if sentence, ok := text(formatted(call.Args[i])); ok {
					visit(positions.Position(call.Pos()).String(), sentence)
				}
			}
			return true
		})
	}
}

// formatters adds the functions of a file that make something of a parameter named
// format.
func formatters(f *ast.File, place map[string]int) {
	add := func(name string, kind *ast.FuncType) {
		if kind.Results == nil {
			return // it writes a log
		}
		i := 0
		for _, field := range kind.Params.List {
			for _, param := range field.Names {
				if param.Name == "format" {
					place[name] = i
				}
				i++
			}
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			add(n.Name.Name, n.Type)
		case *ast.AssignStmt:
			for i, value := range n.Rhs {
				if fun, ok := value.(*ast.FuncLit); ok && i < len(n.Lhs) {
					if name, ok := n.Lhs[i].(*ast.Ident); ok {
						add(name.Name, fun.Type)
					}
				}
			}
		}
		return true
	})
}

// What is told by other ways than errors stands in these fields: of problems, of
// images and layers that are not read, of proofs, and of records that are malformed.
var toldIn = []string{"Message", "Remedy", "Reason", "decision", "bad"}

// eachTold visits what files write into such fields.
func eachTold(t *testing.T, files []string, visit func(where, sentence string)) {
	t.Helper()
	for _, file := range files {
		positions, f := parsed(t, file)
		told := func(field, value ast.Expr, before string) {
			name, ok := field.(*ast.Ident)
			if sel, is := field.(*ast.SelectorExpr); is {
				name, ok = sel.Sel, true
			}
			if !ok || !slices.Contains(toldIn, name.Name) {
				return
			}
			if sentence, ok := text(formatted(value)); ok {
				visit(positions.Position(value.Pos()).String(), before+sentence)
			}
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.KeyValueExpr:
				told(n.Key, n.Value, "")
			case *ast.AssignStmt:
				before := ""
				if n.Tok == token.ADD_ASSIGN {
					before = "%s"
				}
				for i := range min(len(n.Lhs), len(n.Rhs)) {
					told(n.Lhs[i], n.Rhs[i], before)
				}
			}
			return true
		})
	}
}

// formatted is the format of fmt.Sprintf, also within what makes it one line.
func formatted(e ast.Expr) ast.Expr {
	for call, ok := e.(*ast.CallExpr); ok && len(call.Args) > 0; call, ok = e.(*ast.CallExpr) {
		e = call.Args[0]
	}
	return e
}

// eachReason visits the sentences of a file that are no errors: all texts of more
// than three words, without those that are part of a longer expression.
func eachReason(t *testing.T, file string, visit func(where, sentence string)) {
	positions, f := parsed(t, file)
	inner := map[ast.Expr]bool{}
	ast.Inspect(f, func(n ast.Node) bool {
		e, ok := n.(ast.Expr)
		if !ok || inner[e] {
			return true
		}
		sentence, ok := text(e)
		if !ok {
			return true
		}
		ast.Inspect(e, func(part ast.Node) bool {
			if x, ok := part.(ast.Expr); ok {
				inner[x] = true
			}
			return true
		})
		if words(sentence) > 3 {
			visit(positions.Position(e.Pos()).String(), sentence)
		}
		return true
	})
}

func parsed(t *testing.T, file string) (*token.FileSet, *ast.File) {
	t.Helper()
	positions := token.NewFileSet()
	f, err := parser.ParseFile(positions, file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return positions, f
}

// text is a sentence as the phrase book has it: a literal, or literals and values
// that are put together with +, the values as %s.
func text(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		s, err := strconv.Unquote(e.Value)
		return s, err == nil && e.Kind == token.STRING
	case *ast.BinaryExpr:
		if e.Op != token.ADD {
			return "", false
		}
		parts := []ast.Expr{e.X, e.Y}
		if !slices.ContainsFunc(parts, func(p ast.Expr) bool { _, ok := text(p); return ok }) {
			return "", false
		}
		var all strings.Builder
		for _, p := range parts {
			if s, ok := text(p); ok {
				all.WriteString(s)
			} else {
				all.WriteString("%s")
			}
		}
		return all.String(), true
	}
	return "", false
}
