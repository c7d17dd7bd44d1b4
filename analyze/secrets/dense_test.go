package secrets

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/analyze"
)

// A minified program is one long line with thousands of words that rules look
// for. It is looked at whole, and its secret at the end is found.
func TestDenseLine(t *testing.T) {
	t.Parallel()
	a := newTestAnalyzer(t, Options{})
	for _, path := range []string{"srv/app.min.js", "srv/app.json", "srv/app.yml"} {
		const words = 9000
		var b bytes.Buffer
		for i := range words {
			fmt.Fprintf(&b, `function f%d(t,e){return t.%s="%d",e}`, i, []string{"apiKey", "token", "client_secret", "db_password", "auth"}[i%5], i)
			for b.Len() < (i+1)<<20/words {
				b.WriteString("x=y+1;")
			}
		}
		fmt.Fprintf(&b, `k="gsk_%s"`, bytes.Repeat([]byte("aB3d"), 13))
		var facts pratique.Facts
		data := b.Bytes()
		file := &analyze.File{Path: path, Size: int64(len(data)), Head: data[:analyze.SniffLen]}
		if err := a.Analyze(context.Background(), file, memory{bytes.NewReader(data), data}, &facts); err != nil {
			t.Fatal(err)
		}
		if len(facts.Problems) > 0 {
			t.Errorf("%s: %v", path, facts.Problems)
		}
		if !reported(facts.Secrets, "groq-api-key") {
			t.Errorf("%s: found %v", path, rulesOf(facts.Secrets))
		}
	}
}
