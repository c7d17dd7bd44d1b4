package secrets

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
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

// Where every line has several words that rules look for, and many of them, each
// expression reads a text a few times over and not once for each word.
func TestDenseTextIsReadOnce(t *testing.T) {
	t.Parallel()
	e := newTestAnalyzer(t, Options{}).load().engine
	for _, line := range []string{
		"2026-11-27 user=%d password=%d token: secret_%d api_key=%d client_secret=%d auth=ok access_key=none private credentials\n",
		"db_password: changeme%d\nAPI_TOKEN=\"xxxx%d\" # secret%d key for azure storage account auth client\n",
		"https://user%d:pass@host%d.example/?token=abc%d&key=secret&access=1\n",
		"aws_secret_access_key = %x%x password=%x\n",
	} {
		var text []byte
		for i := 0; len(text) < 200<<10; i++ {
			text = append(text, strings.ReplaceAll(strings.ReplaceAll(line, "%d", strconv.Itoa(i)), "%x", strconv.Itoa(i*7919*7919))...)
		}
		s := newScratch(len(e.config.rules))
		s.begin()
		p := &passage{path: "srv/app/settings.conf", data: text, to: len(text)}
		e.collect(s, p)
		for _, i := range s.touched {
			r := e.config.rules[i]
			slices.SortFunc(s.hits[i], func(a, b hit) int { return a.at - b.at })
			s.total = 0
			e.matches(s, p, i, slices.Compact(s.hits[i]))
			if times := float64(s.spent) / float64(r.pattern.weight*len(text)); times > 8 {
				t.Errorf("%.30q: rule %s with %d hits reads the text %.1f times", line, r.id, len(s.hits[i]), times)
			}
		}
	}
}
