package sevenzip

import (
	"bufio"
	"compress/bzip2"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/klauspost/compress/flate"
	"github.com/ulikunitz/xz/lzma"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/layer/bcj"
)

// An opening starts the coders of a folder.
type opening struct {
	f      *Folder
	window int64 // bytes of dictionaries
}

// output starts a coder with all that come before it. depth bounds circles.
func (o *opening) output(n, depth int) (io.Reader, error) {
	if depth > maxCoders {
		return nil, errFormat
	}
	c := &o.f.coders[n]
	inputs := make([]io.Reader, c.inputs)
	for i := range inputs {
		r, err := o.input(c.first+i, depth)
		if err != nil {
			return nil, err
		}
		inputs[i] = r
	}
	if c.method == "\x03\x03\x01\x1b" && len(inputs) == 4 {
		return bcj.NewBCJ2(inputs[0], inputs[1], inputs[2], inputs[3]), nil
	}
	if len(inputs) != 1 {
		return nil, fmt.Errorf("%w: %x", ErrMethod, c.method)
	}
	return o.decode(c, inputs[0], o.f.sizes[n])
}

// input is a packed stream, or what another coder gives.
func (o *opening) input(n, depth int) (io.Reader, error) {
	for _, b := range o.f.bound {
		if b.input == n {
			return o.output(b.output, depth+1)
		}
	}
	for i, input := range o.f.inputs {
		if input == n {
			p := o.f.packed[i]
			return bufio.NewReaderSize(io.NewSectionReader(o.f.archive.r, p.at, p.size), 32<<10), nil
		}
	}
	return nil, errFormat
}

// decode starts a coder of one stream, which is to give size bytes.
func (o *opening) decode(c *coder, r io.Reader, size int64) (io.Reader, error) {
	switch c.method {
	case "\x00":
		return r, nil
	case "\x21":
		return o.lzma2(c, r, size)
	case "\x03\x01\x01":
		return o.lzma(c, r, size)
	case "\x04\x01\x08":
		return flate.NewReader(r), nil
	case "\x04\x02\x02":
		return bzip2.NewReader(r), nil
	case "\x06\xf1\x07\x01":
		return nil, ErrEncrypted
	}
	if before, ok := bcj.Undo(filterOf(c.method), c.properties, r); ok {
		return before, nil
	}
	return nil, fmt.Errorf("%w: %x", ErrMethod, c.method)
}

// filterOf is the number of a filter: its identifier, or what older archives have in
// its place.
func filterOf(method string) uint64 {
	switch method {
	case "\x03\x03\x01\x03":
		return bcj.X86
	case "\x03\x03\x02\x05":
		return bcj.PowerPC
	case "\x03\x03\x05\x01":
		return bcj.ARM
	case "\x03\x03\x07\x01":
		return bcj.Thumb
	}
	if len(method) == 1 {
		return uint64(method[0])
	}
	return 0
}

// lzma has five bytes of properties: three small numbers in one, and the
// dictionary's size. The library wants them as the head of an .lzma file.
func (o *opening) lzma(c *coder, r io.Reader, size int64) (io.Reader, error) {
	if len(c.properties) != 5 {
		return nil, errFormat
	}
	dictionary, err := o.dictionary(int64(binary.LittleEndian.Uint32(c.properties[1:])), size)
	if err != nil {
		return nil, err
	}
	head := []byte{c.properties[0]}
	head = binary.LittleEndian.AppendUint32(head, uint32(dictionary))
	head = binary.LittleEndian.AppendUint64(head, uint64(size))
	return lzma.NewReader(&headed{Reader: bufio.NewReader(r), head: head})
}

// lzma2 has one byte of properties: the dictionary's size, as 2 or 3 times a power of
// two.
func (o *opening) lzma2(c *coder, r io.Reader, size int64) (io.Reader, error) {
	if len(c.properties) != 1 || c.properties[0] > 40 {
		return nil, errFormat
	}
	b := c.properties[0]
	dictionary, err := o.dictionary(int64(2|b&1)<<(b/2+11), size)
	if err != nil {
		return nil, err
	}
	return lzma.Reader2Config{DictCap: dictionary}.NewReader2(r)
}

// dictionary is how large one has to be for a stream of that size.
func (o *opening) dictionary(stated, size int64) (int, error) {
	needed := max(min(stated, size), lzma.MinDictCap)
	if o.window += needed; o.window > o.f.archive.limits.Window {
		return 0, pratique.Errorf(pratique.CodeLimit, "its dictionary takes %d MiB, more than %d", o.window>>20, o.f.archive.limits.Window>>20)
	}
	return int(needed), nil
}

// headed reads a head, then the rest.
type headed struct {
	*bufio.Reader
	head []byte
}

func (h *headed) Read(p []byte) (int, error) {
	if len(h.head) == 0 {
		return h.Reader.Read(p)
	}
	n := copy(p, h.head)
	h.head = h.head[n:]
	return n, nil
}
