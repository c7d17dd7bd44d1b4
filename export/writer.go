package export

import (
	"bufio"
	"io"

	"github.com/pratique/pratique"
)

// header is a column as a writer knows it.
type header struct {
	id, title string
}

// writer writes rows in one format.
type writer interface {
	write(row []value) error
	// close ends the file. Without it the file is not valid.
	close() error
}

// Format is what files may be.
type Format struct {
	ID    string        `json:"id"`
	Label pratique.Text `json:"label"`
	Limit int           `json:"limit"` // rows
	Type  string        `json:"-"`     // as HTTP calls it
	// perSheet is the number of rows after which another sheet begins; 0 is never.
	perSheet int
	open     func(w io.Writer, o options) (writer, error)
}

// options of a writer.
type options struct {
	columns  []header
	language language
	title    string
	bom      bool
	perSheet int
}

// maxRows of a file.
const maxRows = 5_000_000

// Formats are the formats.
func Formats() []Format {
	return []Format{
		{ID: "csv", Label: pratique.Text{EN: "CSV", ZH: "CSV"}, Limit: maxRows, Type: "text/csv; charset=utf-8", open: newCSV},
		{ID: "xlsx", Label: pratique.Text{EN: "Excel workbook (XLSX)", ZH: "Excel 工作簿 (XLSX)"}, Limit: maxRows, Type: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", perSheet: sheetRows, open: newXLSX},
		{ID: "json", Label: pratique.Text{EN: "JSON", ZH: "JSON"}, Limit: maxRows, Type: "application/octet-stream", open: newJSON},
		{ID: "html", Label: pratique.Text{EN: "Web page (HTML)", ZH: "网页 (HTML)"}, Limit: 50_000, Type: "application/octet-stream", open: newHTML}, // never shown by the service's own address
	}
}

func formatOf(id string) (Format, bool) {
	for _, f := range Formats() {
		if f.ID == id {
			return f, true
		}
	}
	return Format{}, false
}

// bufferSize of writers, in bytes.
const bufferSize = 64 << 10

func buffered(w io.Writer) *bufio.Writer { return bufio.NewWriterSize(w, bufferSize) }
