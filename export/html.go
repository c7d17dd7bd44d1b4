package export

import (
	"bufio"
	"fmt"
	"html"
	"io"
)

type htmlWriter struct {
	buffer   *bufio.Writer
	language language
}

const htmlHead = `<!DOCTYPE html>
<html lang="%s">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>%s</title>
<style>
:root { color-scheme: light dark; }
body { font: 14px/1.45 system-ui, sans-serif; margin: 1.5rem; }
table { border-collapse: collapse; }
th, td { border: 1px solid #8884; padding: .3rem .5rem; text-align: left; vertical-align: top; max-width: 40rem; overflow-wrap: anywhere; }
th { position: sticky; top: 0; background: Canvas; }
</style>
</head>
<body>
<h1>%[2]s</h1>
<table>
<thead><tr>`

func newHTML(w io.Writer, o options) (writer, error) {
	h := &htmlWriter{buffer: buffered(w), language: o.language}
	fmt.Fprintf(h.buffer, htmlHead, map[language]string{"zh": "zh-CN", "en": "en"}[o.language], html.EscapeString(o.title))
	for _, c := range o.columns {
		h.buffer.WriteString("<th>" + html.EscapeString(c.title) + "</th>")
	}
	_, err := h.buffer.WriteString("</tr></thead>\n<tbody>\n")
	return h, err
}

func (h *htmlWriter) write(row []value) error {
	h.buffer.WriteString("<tr>")
	for _, v := range row {
		h.buffer.WriteString("<td>")
		h.buffer.WriteString(html.EscapeString(h.language.text(v)))
		h.buffer.WriteString("</td>")
	}
	_, err := h.buffer.WriteString("</tr>\n")
	return err
}

func (h *htmlWriter) close() error {
	h.buffer.WriteString("</tbody>\n</table>\n</body>\n</html>\n")
	return h.buffer.Flush()
}
