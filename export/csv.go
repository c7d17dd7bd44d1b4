package export

import (
	"bufio"
	"encoding/csv"
	"io"
	"strings"
	"unicode/utf8"
)

type csvWriter struct {
	buffer   *bufio.Writer
	csv      *csv.Writer
	language language
	cells    []string
}

func newCSV(w io.Writer, o options) (writer, error) {
	b := buffered(w)
	if o.bom {
		if _, err := b.WriteString("\ufeff"); err != nil {
			return nil, err
		}
	}
	c := &csvWriter{buffer: b, csv: csv.NewWriter(b), language: o.language, cells: make([]string, len(o.columns))}
	for i, h := range o.columns {
		c.cells[i] = h.title
	}
	return c, c.csv.Write(c.cells)
}

func (c *csvWriter) write(row []value) error {
	for i, v := range row {
		c.cells[i] = harmless(c.language.text(v), v)
	}
	return c.csv.Write(c.cells)
}

func (c *csvWriter) close() error {
	c.csv.Flush()
	if err := c.csv.Error(); err != nil {
		return err
	}
	return c.buffer.Flush()
}

// harmless is a text that no spreadsheet takes for a formula. Numbers of ours are
// left as they are.
func harmless(s string, v value) string {
	switch v.(type) {
	case int, int64, float64:
		return s
	}
	// Some skip blanks before they look, and take the wide forms of East Asian
	// keyboards.
	if strings.HasPrefix(s, "\t") || strings.HasPrefix(s, "\r") || strings.HasPrefix(s, "\n") {
		return "'" + s
	}
	rest := strings.TrimLeft(s, " \u00a0\u3000\t\r\n\ufeff\x00")
	if first, _ := utf8.DecodeRuneInString(rest); rest != "" && strings.ContainsRune("=+-@＝＋－＠|", first) {
		return "'" + s
	}
	return s
}
