package report

import (
	"bufio"
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"unicode"
	"unicode/utf8"

	"github.com/pratique/pratique"
)

// Schema is the JSON Schema (Draft 2020-12) of what JSON writes.
//
//go:embed schema.json
var Schema []byte

// JSON writes the report in its own schema: the root package's types, as
// docs/report.md and [Schema] describe them, lists sorted and never null, and
// every CVSS vector also in words.
func JSON(w io.Writer, r *pratique.Report) error {
	o := ordered(r)
	o.SchemaVersion = cmp.Or(o.SchemaVersion, pratique.SchemaVersion)
	for i := range o.Vulnerabilities {
		f := &o.Vulnerabilities[i]
		if f.Proof == nil {
			f.Proof = []pratique.Proof{}
		}
		f.CVSS = slices.Clone(f.CVSS)
		for j := range f.CVSS {
			c := &f.CVSS[j]
			c.Severity = known(c.Severity)
			if c.Meaning == nil {
				c.Meaning = CVSSMeaning(c.Vector)
			}
		}
	}
	return writeJSON(w, func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(o)
	})
}

// writeJSON runs encode with a buffered writer that also escapes what JSON lets
// pass and a terminal would not: C1 controls, DEL, bidirectional overrides and
// other characters that cannot be printed.
func writeJSON(w io.Writer, encode func(io.Writer) error) error {
	b := bufio.NewWriterSize(w, 64<<10)
	if err := encode(&escaper{w: b}); err != nil {
		return err
	}
	return b.Flush()
}

// escaper writes JSON text, replacing unprintable characters, which can only
// stand inside strings, by \u escapes. A Write must end at a character boundary,
// as those of encoding/json do: it writes a whole value at once.
type escaper struct{ w *bufio.Writer }

func (e *escaper) Write(b []byte) (int, error) {
	n := len(b)
	start := 0
	for i := 0; i < len(b); {
		if b[i] < 0x7f {
			i++
			continue
		}
		r, size := utf8.DecodeRune(b[i:])
		if !unicode.IsPrint(r) {
			e.w.Write(b[start:i])
			if r > 0xffff {
				r -= 0x10000
				fmt.Fprintf(e.w, `\u%04x`, 0xd800+(r>>10))
				r = 0xdc00 + r&0x3ff
			}
			fmt.Fprintf(e.w, `\u%04x`, r)
			start = i + size
		}
		i += size
	}
	_, err := e.w.Write(b[start:])
	return n, err
}
