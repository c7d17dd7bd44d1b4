package store

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/pratique/pratique"
)

// A cursor comes back from whoever asks for the next page.
func FuzzCursor(f *testing.F) {
	good, err := cursor{"name", true, []any{"a", int64(7), 1.5}}.encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	for _, s := range []string{"", "null", `{"s":"","d":false,"v":[null]}`, `{"v":[1e999]}`, `{"v":[[]]}`, `{}{}`, `{"v":[9223372036854775808]}`} {
		f.Add(base64.RawURLEncoding.EncodeToString([]byte(s)))
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := decodeCursor(s)
		if err != nil {
			if pratique.CodeOf(err) != pratique.CodeInvalid {
				t.Fatalf("error %v", err)
			}
			return
		}
		for _, v := range c.Values {
			switch v.(type) {
			case string, int64, float64:
			default:
				t.Fatalf("a value of type %T", v)
			}
		}
		again, err := c.encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := decodeCursor(again); err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
	})
}

// What goes into a database is UTF-8 without NUL; JSON stays JSON.
func FuzzText(f *testing.F) {
	for _, s := range []string{"", "a\x00b", "\xff", `\u0000`, `\\u0000`, `\\\u0000`, strings.Repeat("ä", 600)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, out := range []string{text(s), indexable(s), bounded(s, 10), folded(s)} {
			if !utf8.ValidString(out) || strings.ContainsRune(out, 0) {
				t.Fatalf("%q became %q", s, out)
			}
		}
		if len(indexable(s)) > maxIndexed || len(bounded(s, 10)) > 10 {
			t.Fatal("too long for an index")
		}
		v, err := document{s}.Value()
		if err != nil {
			t.Fatal(err)
		}
		var back string
		if err := json.Unmarshal([]byte(v.(string)), &back); err != nil || strings.ContainsRune(back, 0) {
			t.Fatalf("%q became %q: %v", s, back, err)
		}
	})
}

func TestPlaceholders(t *testing.T) {
	if got := (postgresEngine{}).rewrite("a = ? AND b IN (?, ?)"); got != "a = $1 AND b IN ($2, $3)" {
		t.Error(got)
	}
}
