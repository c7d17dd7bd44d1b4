package export

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/pratique/pratique"
)

// python is Debian's: another one in the PATH has not its packages.
const python = "/usr/bin/python3"

// run lets Python read a file, and decodes the JSON that it prints.
func run(t testing.TB, v any, script string, args ...string) {
	t.Helper()
	cmd := exec.Command(python, append([]string{"-c", script}, args...)...)
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if e, ok := err.(*exec.ExitError); ok {
			exit = e
			t.Fatalf("%v: %s", err, exit.Stderr)
		}
		t.Fatalf("%v (apt-get install python3 python3-openpyxl)", err)
	}
	if err := json.Unmarshal(out, v); err != nil {
		t.Fatalf("%v in %.500s", err, out)
	}
}

// nasty are texts that builders of images might choose.
var nasty = []string{
	"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\u00a0=1", "＝1", "|cmd", "=HYPERLINK(\"http://evil\",\"x\")", "=cmd|' /C calc'!A0",
	"plain", "comma, quote \" and\nline", "<script>alert(1)</script>", "a & b", "_x0041_", "\x00\x01\x1b[31m", "\xff\xfe", "'already", "漏洞", "\U0001f4a9", "", " leading", "trailing ", "0123", "1e5", "]]>",
}

func open(t testing.TB, format string, w *bytes.Buffer, o options) writer {
	t.Helper()
	f, known := formatOf(format)
	if !known {
		t.Fatalf("no format %q", format)
	}
	out, err := f.open(w, o)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

var three = []header{{"text", "Text"}, {"number", "Number & <more>"}, {"time", "=Time"}}

func fill(t testing.TB, w writer, rows [][]value) {
	t.Helper()
	for _, row := range rows {
		if err := w.write(row); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.close(); err != nil {
		t.Fatal(err)
	}
}

var noon = time.Date(2026, 3, 1, 12, 30, 15, 0, time.UTC)

func nastyRows() (rows [][]value) {
	for i, s := range nasty {
		rows = append(rows, []value{s, i - 3, noon})
	}
	return append(rows, []value{nil, 1.5, nil}, []value{[]string{"=a", "b"}, int64(1) << 40, noon}, []value{term("critical"), true, noon})
}

func write(t testing.TB, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestCSV: Python's reader gets back what was written, and no cell is a formula.
func TestCSV(t *testing.T) {
	var b bytes.Buffer
	fill(t, open(t, "csv", &b, options{columns: three, language: "zh", bom: true}), nastyRows())
	if !bytes.HasPrefix(b.Bytes(), []byte("\xef\xbb\xbf")) || bytes.Count(b.Bytes(), []byte("\xef\xbb\xbf")) != 1 {
		t.Error("no byte order mark at the beginning")
	}
	var got [][]string
	run(t, &got, `import csv, json, sys
print(json.dumps(list(csv.reader(open(sys.argv[1], encoding="utf-8-sig", errors="surrogateescape", newline="")))))`, write(t, "a.csv", b.Bytes()))
	rows := nastyRows()
	if len(got) != len(rows)+1 || strings.Join(got[0][:2], "|") != "Text|Number & <more>" {
		t.Fatalf("%d rows, header %q", len(got), got[0])
	}
	for i, s := range nasty {
		cell := got[i+1][0]
		if s != "\xff\xfe" && cell != s && cell != "'"+s {
			t.Errorf("%q became %q", s, cell)
		}
		if first := strings.TrimLeft(cell, " \u00a0"); first != "" && strings.ContainsAny(first[:1], "=+-@\t\r\n|") || strings.HasPrefix(first, "＝") {
			t.Errorf("%q is a formula: %q", s, cell)
		}
		if got[i+1][1] != fmt.Sprint(i-3) || got[i+1][2] != "2026-03-01T12:30:15Z" {
			t.Errorf("number and time %q", got[i+1])
		}
	}
	last := got[len(got)-1]
	if last[0] != "严重" || last[1] != "是" || got[len(got)-2][0] != "'=a; b" || got[len(got)-3][0] != "" {
		t.Errorf("words %q", got[len(got)-3:])
	}
	b.Reset()
	fill(t, open(t, "csv", &b, options{columns: three, language: "en"}), nil)
	if got := b.String(); got != "Text,Number & <more>,=Time\n" {
		t.Errorf("no rows: %q", got)
	}
}

// sheetsOf lets openpyxl read a workbook: all cells of all sheets, with their types.
const sheetsOf = `import json, openpyxl, sys
book = openpyxl.load_workbook(sys.argv[1])
print(json.dumps({s.title: [[[c.data_type, str(c.value) if c.value is not None else None, c.number_format] for c in row] for row in s.iter_rows()] for s in book}))`

// TestXLSX: openpyxl finds texts, numbers and dates, and no formula.
func TestXLSX(t *testing.T) {
	var b bytes.Buffer
	fill(t, open(t, "xlsx", &b, options{columns: three, language: "en"}), nastyRows())
	var got map[string][][][3]*string
	run(t, &got, sheetsOf, write(t, "a.xlsx", b.Bytes()))
	sheet := got["1"]
	rows := nastyRows()
	if len(got) != 1 || len(sheet) != len(rows)+1 {
		t.Fatalf("%d sheets, %d rows", len(got), len(sheet))
	}
	for i, s := range nasty {
		row := sheet[i+1]
		want := strings.Map(func(r rune) rune {
			if r == '\ufffd' || r < 0x20 && r != '\t' && r != '\n' && r != '\r' {
				return '\ufffd'
			}
			return r
		}, s)
		if s == "_x0041_" { // which spreadsheets, and not openpyxl, would read as A
			want = "_x005F_x0041_"
		}
		if s == "" {
			if row[0][1] != nil {
				t.Errorf("an empty text became %q", *row[0][1])
			}
		} else if *row[0][0] != "s" && *row[0][0] != "inlineStr" || row[0][1] == nil || *row[0][1] != want {
			t.Errorf("%q became %v of type %s", s, str(row[0][1]), *row[0][0])
		}
		if *row[1][0] != "n" || *row[1][1] != fmt.Sprint(i-3) {
			t.Errorf("number %d became %v of type %s", i-3, str(row[1][1]), *row[1][0])
		}
		if *row[2][0] != "d" || *row[2][1] != "2026-03-01 12:30:15" {
			t.Errorf("a time became %v of type %s", str(row[2][1]), *row[2][0])
		}
	}
	if sheet[0][2][1] == nil || *sheet[0][2][1] != "=Time" || *sheet[0][2][0] == "f" {
		t.Errorf("header %v", sheet[0])
	}
	if last := sheet[len(sheet)-1]; *last[0][1] != "Critical" || *last[1][1] != "Yes" {
		t.Errorf("words %v", last)
	}
	if big := sheet[len(sheet)-2]; *big[1][1] != fmt.Sprint(int64(1)<<40) {
		t.Errorf("a large number became %v", str(big[1][1]))
	}
}

func str(s *string) string {
	if s == nil {
		return "nothing"
	}
	return fmt.Sprintf("%q", *s)
}

// TestWorkbookGoesOnOnTheNextSheet: no row is lost where a sheet is full.
func TestWorkbookGoesOnOnTheNextSheet(t *testing.T) {
	for _, count := range []int{0, 1, 8, 9, 10, 18, 19, 27} {
		var b bytes.Buffer
		var rows [][]value
		for i := range count {
			rows = append(rows, []value{fmt.Sprint("row ", i), i, nil})
		}
		fill(t, open(t, "xlsx", &b, options{columns: three, language: "en", perSheet: 10}), rows)
		var got map[string][][][3]*string
		run(t, &got, sheetsOf, write(t, "a.xlsx", b.Bytes()))
		seen := 0
		for n := 1; n <= len(got); n++ {
			sheet := got[fmt.Sprint(n)]
			if len(sheet) > 10 || *sheet[0][0][1] != "Text" {
				t.Fatalf("%d rows: sheet %d has %d and begins with %v", count, n, len(sheet), sheet[0])
			}
			for _, row := range sheet[1:] {
				if *row[0][1] != fmt.Sprint("row ", seen) {
					t.Fatalf("row %d is %q", seen, *row[0][1])
				}
				seen++
			}
		}
		if seen != count || len(got) != max(1, (count+8)/9) {
			t.Errorf("%d rows of %d on %d sheets", seen, count, len(got))
		}
	}
}

func TestLongCellsSayThatTheyWereCut(t *testing.T) {
	for _, s := range []string{strings.Repeat("x", cellRunes), strings.Repeat("x", cellRunes+1), strings.Repeat("\U0001f4a9", cellRunes)} {
		got := cellText(s)
		units := 0
		for _, r := range got {
			units += 1 + b2i(r > 0xffff)
		}
		if units > cellRunes || (len(s) > cellRunes) != strings.HasSuffix(got, "[…]") {
			t.Errorf("%d bytes became %d units, ending in %q", len(s), units, got[len(got)-5:])
		}
	}
}

func TestColumnNames(t *testing.T) {
	for i, want := range map[int]string{0: "A", 25: "Z", 26: "AA", 51: "AZ", 52: "BA", 701: "ZZ", 702: "AAA"} {
		if got := columnName(i); got != want {
			t.Errorf("column %d is %s, not %s", i, got, want)
		}
	}
}

// TestJSON: programs get values as they are.
func TestJSON(t *testing.T) {
	var b bytes.Buffer
	fill(t, open(t, "json", &b, options{columns: three, language: "zh"}), nastyRows())
	var got []struct {
		Text, Number any
		Time         *time.Time
	}
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if len(got) != len(nasty)+3 || got[0].Text != "=1+1" || got[0].Number != -3.0 || !got[0].Time.Equal(noon) || got[len(nasty)].Text != nil || got[len(got)-1].Text != "critical" || got[len(got)-1].Number != true {
		t.Errorf("%+v", got)
	}
	b.Reset()
	fill(t, open(t, "json", &b, options{columns: three}), nil)
	if err := json.Unmarshal(b.Bytes(), &got); err != nil || len(got) != 0 {
		t.Errorf("%s: %v", b.Bytes(), err)
	}
}

// TestHTML: nothing that an image says becomes an element.
func TestHTML(t *testing.T) {
	var b bytes.Buffer
	fill(t, open(t, "html", &b, options{columns: three, language: "en", title: "<b>Title</b>"}), nastyRows())
	tree, err := html.Parse(&b)
	if err != nil {
		t.Fatal(err)
	}
	elements := map[string]int{}
	var cells []string
	for n := range tree.Descendants() {
		if n.Type == html.ElementNode {
			elements[n.Data]++
		}
		if n.Data == "td" && n.FirstChild != nil {
			cells = append(cells, n.FirstChild.Data)
		}
	}
	if elements["script"]+elements["b"] > 0 || elements["tr"] != len(nasty)+4 || elements["td"] != 3*(len(nasty)+3) {
		t.Errorf("elements %v", elements)
	}
	if cells[0] != "=1+1" {
		t.Errorf("cells %q", cells[:3])
	}
}

// FuzzHarmless: whatever the text, a spreadsheet takes it for text.
func FuzzHarmless(f *testing.F) {
	for _, s := range nasty {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := harmless(s, s)
		if strings.TrimPrefix(got, "'") != s && got != s {
			t.Errorf("%q became %q", s, got)
		}
		if got != "" && strings.ContainsAny(got[:1], "=+-@\t\r\n|") {
			t.Errorf("%q begins with %q", got, got[:1])
		}
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		if err := w.Write([]string{got, "x"}); err != nil {
			t.Fatal(err)
		}
		w.Flush()
		if r, err := csv.NewReader(&b).Read(); err != nil || len(r) != 2 {
			t.Errorf("%q is read as %q, %v", got, r, err)
		}
	})
}

// FuzzCellText: whatever the text, it is well-formed XML.
func FuzzCellText(f *testing.F) {
	for _, s := range nasty {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if err := wellFormed("<t>" + cellText(s) + "</t>"); err != nil {
			t.Errorf("%q: %v", s, err)
		}
	})
}

// A change that is "fixed" is told as such, and not as a package that can be fixed;
// programs get the API's word.
func TestWordsOfChanges(t *testing.T) {
	v := spoken(pratique.ChangeFixed, changeWords)
	b, err := json.Marshal(v)
	if zh, en := language("zh").text(v), language("en").text(v); err != nil || zh != "已修复" || en != "Fixed" || string(b) != `"fixed"` {
		t.Errorf("%s, %s, %s, %v", zh, en, b, err)
	}
	if text := language("zh").text(spoken(pratique.Change("turned"), changeWords)); text != "turned" {
		t.Errorf("an unknown word is %q", text)
	}
}

// TestKindsAreComplete: every column has a header in both languages and its own id.
func TestKindsAreComplete(t *testing.T) {
	kinds := map[string]bool{}
	for _, k := range Kinds() {
		if kinds[k.ID] || k.Label.EN == "" || k.Label.ZH == "" || len(k.Filters) == 0 || k.count == nil || k.rows == nil {
			t.Errorf("%+v", k)
		}
		kinds[k.ID] = true
		ids := map[string]bool{}
		for _, c := range k.Columns {
			if ids[c.ID] || c.ID == "" || c.Title.EN == "" || c.Title.ZH == "" {
				t.Errorf("%s: column %+v", k.ID, c)
			}
			ids[c.ID] = true
		}
	}
	for t1, text := range terms {
		if text.EN == "" || text.ZH == "" {
			t.Errorf("term %s", t1)
		}
	}
	for _, r := range []pratique.ExportRequest{
		{Kind: "nothing", Format: "csv"}, {Kind: "images", Format: "pdf"}, {Kind: "images", Format: "csv", Columns: []string{"name", "name"}}, {Kind: "images", Format: "csv", Columns: []string{"password"}},
		{Kind: "images", Format: "csv", Sort: "-nothing"}, {Kind: "affected", Format: "csv"}, {Kind: "changes", Format: "csv"}, {Kind: "images", Format: "csv", Language: "fr"}, {Kind: "findings", Format: "csv", Findings: pratique.FindingFilter{ImageIDs: []pratique.Digest{"x"}}},
	} {
		if _, _, _, err := check(r); pratique.CodeOf(err) != pratique.CodeInvalid {
			t.Errorf("%+v: %v", r, err)
		}
	}
}

func TestFileNames(t *testing.T) {
	for name, want := range map[string]string{
		"": "images-20260301-123015.csv", "../../etc/passwd": "_.._etc_passwd.csv", "  . ": "images-20260301-123015.csv", "镜像 列表": "镜像 列表.csv", "a\r\nb\"c": "a_b_c.csv", "CON:": "CON_.csv",
		strings.Repeat("é", 100): strings.Repeat("é", 60) + ".csv",
	} {
		if got := fileName(pratique.ExportRequest{Kind: "images", Format: "csv", Name: name}, noon); got != want {
			t.Errorf("%q became %q, not %q", name, got, want)
		}
	}
	for name, ours := range map[string]bool{"1-2.csv": true, "10-200.xlsx": true, "1.csv": false, "1-2.pdf": false, "a-b.csv": false, "1-2": false, "README.html": false} {
		if _, _, got := parseName(name); got != ours {
			t.Errorf("%q is ours: %v", name, got)
		}
	}
}
