package export

import (
	"bufio"
	"encoding/json"
	"io"
)

// jsonWriter writes an array with one object on each line.
type jsonWriter struct {
	buffer *bufio.Writer
	keys   []string
	rows   int
}

func newJSON(w io.Writer, o options) (writer, error) {
	j := &jsonWriter{buffer: buffered(w)}
	for _, h := range o.columns {
		j.keys = append(j.keys, `"`+h.id+`":`)
	}
	return j, j.buffer.WriteByte('[')
}

func (j *jsonWriter) write(row []value) error {
	separator := ",\n{"
	if j.rows == 0 {
		separator = "\n{"
	}
	j.rows++
	j.buffer.WriteString(separator)
	for i, v := range row {
		if i > 0 {
			j.buffer.WriteByte(',')
		}
		j.buffer.WriteString(j.keys[i])
		b, err := json.Marshal(v)
		if err != nil {
			return err
		}
		j.buffer.Write(b)
	}
	return j.buffer.WriteByte('}') // a bufio.Writer keeps its first error
}

func (j *jsonWriter) close() error {
	j.buffer.WriteString("\n]\n")
	return j.buffer.Flush()
}
