package web

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Rooms whose errors and remedies the phrase book has, all of them, and files whose
// reasons it has. What other rooms say is shown by the meaning of its code, with the
// sentence in English below.
var (
	spokenRooms = []string{"api", "calendar", "export", "scan"}
	reasonFiles = []string{"advisory/holes.go", "match/judgement.go", "match/eol.go", "scan/judge.go"}
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
		files, err := filepath.Glob("../" + room + "/*.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if !strings.HasSuffix(file, "_test.go") {
				eachSaid(t, file, check)
			}
		}
	}
	for _, file := range reasonFiles {
		eachReason(t, "../"+file, check)
	}
	if said < 200 {
		t.Errorf("only %d sentences were found: the test has lost its way", said)
	}
}

func words(s string) int { return len(strings.Fields(s)) }

// eachSaid visits the messages and remedies of a file's errors.
func eachSaid(t *testing.T, file string, visit func(where, sentence string)) {
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
		place := map[string]int{"pratique.Errorf": 1, "WithRemedy": 0, "withRemedy": 0, "newProblem": 2}
		i, ok := place[name]
		if !ok {
			i, ok = place[of+"."+name]
		}
		if ok && i < len(call.Args) {
			if sentence, ok := text(call.Args[i]); ok {
				visit(positions.Position(call.Pos()).String(), sentence)
			}
		}
		return true
	})
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
