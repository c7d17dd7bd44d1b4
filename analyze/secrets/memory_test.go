package secrets

import (
	"bytes"
	"os"
)

// memory is content that is in memory.
type memory struct {
	*bytes.Reader
	data []byte
}

func (m memory) Bytes() ([]byte, bool) { return m.data, true }
func (m memory) Size() int64           { return int64(len(m.data)) }
func (m memory) File() *os.File        { return nil }
