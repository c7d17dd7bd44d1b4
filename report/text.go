package report

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// clean makes a string of an image safe for one line of a terminal: control
// and format characters (escape sequences, newlines, bidirectional overrides,
// zero-width ones), what is no valid UTF-8, and a heap of accents on one letter
// become visible escapes; odd spaces become plain ones.
func clean(s string) string {
	if plainASCII(s) {
		return s
	}
	var b strings.Builder
	marks := 0
	for i, r := range s {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], string(utf8.RuneError)):
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r < 0x100 && unicode.IsControl(r):
			b.WriteString(escapeControl(r))
		case unicode.Is(unicode.M, r):
			if marks++; marks > 3 {
				fmt.Fprintf(&b, `\u%04x`, r)
				continue
			}
			b.WriteRune(r)
			continue
		case unicode.Is(unicode.Zs, r):
			b.WriteByte(' ')
		case !unicode.IsPrint(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
		marks = 0
	}
	return b.String()
}

func plainASCII(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return true
}

func escapeControl(r rune) string {
	switch r {
	case '\n':
		return `\n`
	case '\r':
		return `\r`
	case '\t':
		return " "
	}
	return fmt.Sprintf(`\x%02x`, r)
}

// cells returns how many terminal cells a clean string takes (Unicode Standard
// Annex 11): two for East Asian wide and full-width characters, none for marks.
func cells(s string) int {
	n := 0
	for _, r := range s {
		n += runeCells(r)
	}
	return n
}

func runeCells(r rune) int {
	if r < 0x300 {
		return 1
	}
	if unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Me, r) {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// keep says which part of a string survives when it does not fit.
type keep int

const (
	keepStart keep = iota
	keepEnd        // of a path, where the name is
	keepBoth       // of a version, whose ends tell most
	keepName       // of a package: the end where it has a name space, else the start
)

// fit cuts a clean string to n cells and marks the cut with an ellipsis.
func fit(s string, n int, k keep) string {
	if cells(s) <= n {
		return s
	}
	if k == keepName && strings.ContainsAny(s, "/:") {
		k = keepEnd
	}
	switch {
	case n <= 0:
		return ""
	case n == 1:
		return "…"
	case k == keepEnd:
		return "…" + tail(s, n-1)
	case k == keepBoth:
		back := (n - 1) / 2
		return head(s, n-1-back) + "…" + tail(s, back)
	}
	return strings.TrimRight(head(s, n-1), " ") + "…"
}

func head(s string, n int) string {
	for i, r := range s {
		if n -= runeCells(r); n < 0 {
			return s[:i]
		}
	}
	return s
}

func tail(s string, n int) string {
	i := len(s)
	for i > 0 {
		r, size := utf8.DecodeLastRuneInString(s[:i])
		if n -= runeCells(r); n < 0 {
			break
		}
		i -= size
	}
	return s[i:]
}

// wrap breaks a clean string into lines of at most n cells, between words where
// it can.
func wrap(s string, n int) []string {
	n = max(n, 10)
	var lines []string
	line, used := "", 0
	for _, word := range strings.Fields(s) {
		if w := cells(word); used > 0 && used+1+w > n {
			lines = append(lines, line)
			line, used = "", 0
		}
		for used == 0 && cells(word) > n {
			part := head(word, n)
			lines = append(lines, part)
			word = word[len(part):]
		}
		if used > 0 {
			line += " "
		}
		line += word
		used = cells(line)
	}
	if used > 0 {
		lines = append(lines, line)
	}
	return lines
}

// style is the parameter of an SGR escape sequence (ECMA-48, 8.3.117).
type style string

const (
	normal style = ""
	bold   style = "1"
	dim    style = "2"
	red    style = "31"
	redder style = "1;31"
	green  style = "1;32"
	yellow style = "33"
	cyan   style = "36"
	purple style = "1;35"
)

// span is clean text in one style.
type span struct {
	style style
	text  string
}

// text makes a span of a string that may be hostile.
func text(s style, format string, args ...any) span {
	if len(args) > 0 {
		format = fmt.Sprintf(format, args...)
	}
	return span{s, clean(format)}
}

// printer writes lines of at most width cells. The first error sticks in its
// buffered writer and is returned by flush.
type printer struct {
	w     *bufio.Writer
	width int
	color bool
}

const (
	defaultWidth = 120 // when nobody knows how wide the reader's window is
	minWidth     = 60  // below it a table of findings cannot be read
	maxWidth     = 240
)

func newPrinter(w io.Writer, width int, color bool) *printer {
	if width <= 0 {
		width = defaultWidth
	}
	return &printer{w: bufio.NewWriter(w), width: min(max(width, minWidth), maxWidth), color: color}
}

func (p *printer) flush() error { return p.w.Flush() }

func (p *printer) blank() { p.w.WriteByte('\n') }

// line writes spans side by side, cut at the right edge.
func (p *printer) line(spans ...span) {
	left := p.width
	var line []span
	for _, s := range spans {
		t := fit(s.text, left, keepStart)
		left -= cells(t)
		line = append(line, span{s.style, t})
	}
	line = trimmed(line)
	for _, s := range line {
		p.paint(s.style, s.text)
	}
	p.blank()
}

// trimmed drops blanks at the end of a line.
func trimmed(line []span) []span {
	for len(line) > 0 {
		last := &line[len(line)-1]
		if last.text = strings.TrimRight(last.text, " "); last.text != "" {
			break
		}
		line = line[:len(line)-1]
	}
	return line
}

func (p *printer) paint(s style, t string) {
	if !p.color || s == normal || t == "" {
		p.w.WriteString(t)
		return
	}
	p.w.WriteString("\x1b[" + string(s) + "m" + t + "\x1b[0m")
}

// heading starts a section.
func (p *printer) heading(title string, rest ...span) {
	p.blank()
	p.line(append([]span{{bold, title}}, rest...)...)
}

// para writes text wrapped, its first line after lead and the others under it.
func (p *printer) para(lead span, s style, t string) {
	under := strings.Repeat(" ", cells(lead.text))
	for i, l := range wrap(t, p.width-len(under)) {
		if i == 0 {
			p.line(lead, span{s, l})
		} else {
			p.line(span{normal, under}, span{s, l})
		}
	}
}

// column is one column of a grid. A grid that is too wide first narrows, then
// leaves out, its optional columns; then it narrows the others, the widest first;
// the last resort is to leave out a column that readers can do without.
type column struct {
	min   int  // cells that it needs to be of use; 0 is all of its content
	max   int  // cells that it may take at most; 0 is no limit
	drop  int  // optional: the highest gives way first; 1 is the last resort, 0 stays
	right bool // aligned to the right
	keep  keep
}

const gap = 2 // cells between columns

// grid writes rows in columns, each line after an indent.
func (p *printer) grid(indent int, columns []column, rows [][]span) {
	widths := layout(p.width-indent, columns, rows)
	for _, row := range rows {
		p.row(indent, columns, widths, row)
	}
}

func (p *printer) row(indent int, columns []column, widths []int, row []span) {
	line := []span{{normal, strings.Repeat(" ", indent)}}
	for i, c := range columns {
		if widths[i] == 0 {
			continue
		}
		t := fit(row[i].text, widths[i], c.keep)
		pad := strings.Repeat(" ", widths[i]-cells(t))
		if c.right {
			line = append(line, span{normal, pad}, span{row[i].style, t})
		} else {
			line = append(line, span{row[i].style, t}, span{normal, pad})
		}
		line = append(line, span{normal, strings.Repeat(" ", gap)})
	}
	p.line(line...)
}

// titles makes a row that names the columns.
func titles(names ...string) []span {
	row := make([]span, len(names))
	for i, n := range names {
		row[i] = span{dim, n}
	}
	return row
}

// layout returns the width of each column; 0 for one that is left out.
func layout(room int, columns []column, rows [][]span) []int {
	natural := make([]int, len(columns))
	for _, row := range rows {
		for i := range columns {
			natural[i] = max(natural[i], cells(row[i].text))
		}
	}
	for i, c := range columns {
		if c.max > 0 {
			natural[i] = min(natural[i], c.max)
		}
	}
	widths := slices.Clone(natural)
	if squeeze(widths, columns, room) {
		return widths
	}
	for i, c := range columns {
		if c.drop == 1 {
			natural[i] = 0
		}
	}
	squeeze(natural, columns, room)
	return natural
}

// squeeze makes the columns fit into room, and tells whether they do.
func squeeze(widths []int, columns []column, room int) bool {
	for over := excess(widths, room); over > 0; over = excess(widths, room) {
		if i := optional(widths, columns); i >= 0 {
			if widths[i] -= over; widths[i] < columns[i].min {
				widths[i] = 0
			}
		} else if !narrow(widths, columns) {
			return false
		}
	}
	return true
}

// excess returns how many cells too wide the columns are.
func excess(widths []int, room int) int {
	n := -gap - room
	for _, w := range widths {
		if w > 0 {
			n += w + gap
		}
	}
	return n
}

// optional returns the column to narrow or to leave out first, or -1.
func optional(widths []int, columns []column) int {
	first := -1
	for i, c := range columns {
		if widths[i] > 0 && c.drop > 1 && (first < 0 || c.drop > columns[first].drop) {
			first = i
		}
	}
	return first
}

// narrow takes one cell from the widest column that may lose one.
func narrow(widths []int, columns []column) bool {
	widest := -1
	for i, c := range columns {
		if c.min > 0 && widths[i] > c.min && (widest < 0 || widths[i] > widths[widest]) {
			widest = i
		}
	}
	if widest >= 0 {
		widths[widest]--
	}
	return widest >= 0
}

// list joins names as people do, the first n of them.
func list(names []string, n int) string {
	if len(names) <= n {
		return strings.Join(names, ", ")
	}
	return strings.Join(names[:n], ", ") + fmt.Sprintf(" +%d", len(names)-n)
}

func distinct(names []string) []string {
	var out []string
	for _, n := range names {
		if !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

// count words a number with its noun.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return thousands(n) + " " + many
}

// thousands groups digits by a thin gap as ISO 80000-1 does.
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + " " + s[i:]
	}
	return s
}

// bytesText words a number of bytes in decimal units, as registries do.
func bytesText(n int64) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", max(n, 0))
	}
	v, unit := float64(n), 0
	for v >= 999.5 && unit < 4 {
		v /= 1000
		unit++
	}
	digits := 0
	if v < 10 {
		digits = 1
	}
	return fmt.Sprintf("%.*f %s", digits, v, []string{"B", "kB", "MB", "GB", "TB"}[unit])
}

// ColorWanted tells whether output may be coloured: only on a terminal, not
// when NO_COLOR is set (https://no-color.org), not on a dumb one.
func ColorWanted(terminal bool, getenv func(string) string) bool {
	return terminal && getenv("NO_COLOR") == "" && getenv("TERM") != "dumb"
}
