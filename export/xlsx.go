package export

import (
	"archive/zip"
	"bufio"
	"compress/flate"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	sheetRows = 1_048_576 // of one sheet, the header included (Office Open XML, as Excel reads it)
	cellRunes = 32_767    // UTF-16 units of one cell
)

// xlsxWriter writes a workbook (ECMA-376) as a ZIP archive from front to back:
// the rows of one sheet after the other, and what lists the sheets at the end.
// Texts stand in their cells, so that there is no table of them to be kept.
type xlsxWriter struct {
	zip      *zip.Writer
	sheet    *bufio.Writer
	columns  []header
	language language
	names    []string // of columns: A, B, …
	limit    int      // rows of one sheet
	sheets   int
	row      int // on this sheet
}

func newXLSX(w io.Writer, o options) (writer, error) {
	x := &xlsxWriter{zip: zip.NewWriter(w), columns: o.columns, language: o.language, limit: o.perSheet}
	if x.limit == 0 {
		x.limit = sheetRows
	}
	x.zip.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestSpeed) })
	for i := range o.columns {
		x.names = append(x.names, columnName(i))
	}
	return x, x.begin()
}

// columnName is A, …, Z, AA, ….
func columnName(i int) string {
	if i < 26 {
		return string(rune('A' + i))
	}
	return columnName(i/26-1) + columnName(i%26)
}

// styles of cells, in the order of cellXfs below.
const (
	styleHeader = 1
	styleTime   = 2
)

// begin starts another sheet, with the headers frozen at its top.
func (x *xlsxWriter) begin() error {
	x.sheets++
	x.row = 0
	w, err := x.zip.CreateHeader(&zip.FileHeader{Name: fmt.Sprintf("xl/worksheets/sheet%d.xml", x.sheets), Method: zip.Deflate})
	if err != nil {
		return err
	}
	x.sheet = buffered(w)
	x.sheet.WriteString(xmlHead + `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetFormatPr defaultRowHeight="15"/><cols>`)
	fmt.Fprintf(x.sheet, `<col min="1" max="%d" width="22" customWidth="1"/></cols><sheetData>`, max(len(x.columns), 1))
	x.open()
	for i, h := range x.columns {
		x.text(i, h.title, styleHeader)
	}
	return x.end()
}

func (x *xlsxWriter) open() {
	x.row++
	x.sheet.WriteString(`<row r="`)
	x.sheet.WriteString(strconv.Itoa(x.row))
	x.sheet.WriteString(`">`)
}

func (x *xlsxWriter) end() error {
	_, err := x.sheet.WriteString("</row>") // a bufio.Writer keeps its first error
	return err
}

func (x *xlsxWriter) write(row []value) error {
	if x.row == x.limit {
		if err := x.finish(); err != nil {
			return err
		}
		if err := x.begin(); err != nil {
			return err
		}
	}
	x.open()
	for i, v := range row {
		switch v := v.(type) {
		case nil:
		case int, int64, float64:
			x.number(i, x.language.text(v), 0)
		case time.Time:
			if v.Year() < 1901 || v.Year() > 9999 { // beyond the calendar of workbooks
				x.text(i, x.language.text(v), 0)
				continue
			}
			x.number(i, strconv.FormatFloat(serial(v), 'f', 10, 64), styleTime)
		default:
			if s := x.language.text(v); s != "" {
				x.text(i, s, 0)
			}
		}
	}
	return x.end()
}

// serial is a moment in days since 1899-12-30, in UTC.
func serial(t time.Time) float64 {
	return float64(t.Unix()-time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC).Unix()) / 86400
}

func (x *xlsxWriter) cell(i, style int, rest string) {
	x.sheet.WriteString(`<c r="`)
	x.sheet.WriteString(x.names[i])
	x.sheet.WriteString(strconv.Itoa(x.row))
	if style != 0 {
		x.sheet.WriteString(`" s="`)
		x.sheet.WriteString(strconv.Itoa(style))
	}
	x.sheet.WriteString(rest)
}

func (x *xlsxWriter) number(i int, s string, style int) {
	x.cell(i, style, `"><v>`)
	x.sheet.WriteString(s)
	x.sheet.WriteString("</v></c>")
}

func (x *xlsxWriter) text(i int, s string, style int) {
	x.cell(i, style, `" t="inlineStr"><is><t xml:space="preserve">`)
	x.sheet.WriteString(cellText(s))
	x.sheet.WriteString("</t></is></c>")
}

// escaped is what readers of workbooks take for an escaped character.
var escaped = regexp.MustCompile(`_x[0-9A-Fa-f]{4}_`)

var xmlText = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\r", "&#13;")

// cellText is a text as XML. What is longer than a cell may be ends in a mark that
// says so; characters that XML has no place for become U+FFFD.
func cellText(s string) string {
	if len(s) > cellRunes {
		const mark = " […]"
		units := 0
		for i, r := range s {
			if units += 1 + b2i(r > 0xffff); units > cellRunes-len(mark) {
				s = s[:i] + mark
				break
			}
		}
	}
	if strings.Contains(s, "_x") {
		s = escaped.ReplaceAllStringFunc(s, func(m string) string { return "_x005F" + m })
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError, r < 0x20 && r != '\t' && r != '\n' && r != '\r', r == 0xfffe, r == 0xffff:
			return utf8.RuneError
		}
		return r
	}, s)
	return xmlText.Replace(s)
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// finish ends the sheet that is open.
func (x *xlsxWriter) finish() error {
	x.sheet.WriteString("</sheetData>")
	if x.row > 1 {
		fmt.Fprintf(x.sheet, `<autoFilter ref="A1:%s%d"/>`, columnName(max(len(x.columns), 1)-1), x.row)
	}
	x.sheet.WriteString("</worksheet>")
	return x.sheet.Flush()
}

func (x *xlsxWriter) close() error {
	if err := x.finish(); err != nil {
		return err
	}
	var types, list, relations strings.Builder
	for n := 1; n <= x.sheets; n++ {
		fmt.Fprintf(&types, `<Override PartName="/xl/worksheets/sheet%d.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>`, n)
		fmt.Fprintf(&list, `<sheet name="%d" sheetId="%d" r:id="rId%d"/>`, n, n, n)
		fmt.Fprintf(&relations, `<Relationship Id="rId%d" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet%d.xml"/>`, n, n)
	}
	for _, part := range []struct{ name, content string }{
		{"[Content_Types].xml", `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/>` + types.String() + `</Types>`},
		{"_rels/.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>`},
		{"xl/workbook.xml", `<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>` + list.String() + `</sheets></workbook>`},
		{"xl/_rels/workbook.xml.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` + relations.String() +
			fmt.Sprintf(`<Relationship Id="rId%d" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>`, x.sheets+1)},
		{"xl/styles.xml", `<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\-mm\-dd\ hh:mm:ss"/></numFmts><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="3"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/><xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/><xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs></styleSheet>`},
	} {
		w, err := x.zip.Create(part.name)
		if err != nil {
			return err
		}
		if _, err := io.WriteString(w, xmlHead+part.content); err != nil {
			return err
		}
	}
	return x.zip.Close()
}

const xmlHead = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"
