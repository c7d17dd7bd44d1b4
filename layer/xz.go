package layer

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/ulikunitz/xz/lzma"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/layer/bcj"
)

// xzMagic begins an xz stream.
const xzMagic = "\xfd7zXZ\x00"

// An xzReader reads the container of the .xz format
// (https://tukaani.org/xz/xz-file-format.txt): streams of blocks of LZMA2. It
// exists beside the library's own reader since a block's header may ask for a
// dictionary of four gigabytes, which the library would allocate; here that is an
// error of CodeLimit. Of the filters that may come before LZMA2 those of package bcj
// are undone. Check sums are not verified: what a scanner is interested in is the
// content that a machine would unpack, damaged or not.
type xzReader struct {
	r     *countedReader
	check int64 // bytes of a block's check sum
	block io.Reader
	at    int64 // where the block's data began
	empty int64 // bytes of the block's dictionary that nothing came to lie in yet
	idle  int64 // the same of all blocks before
	err   error
}

// maxIdle bounds the bytes of dictionaries to which no content belongs. A block of a
// few bytes can ask for as large a dictionary as any, and only that takes time.
const maxIdle = 2 << 30

// countedReader counts what the decoder takes of the stream.
type countedReader struct {
	*bufio.Reader
	n int64
}

func (c *countedReader) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += int64(n)
	return n, err
}

func (c *countedReader) ReadByte() (byte, error) {
	b, err := c.Reader.ReadByte()
	if err == nil {
		c.n++
	}
	return b, err
}

func (c *countedReader) skip(n int64) error {
	skipped, err := io.CopyN(io.Discard, c, n)
	if err == io.EOF && skipped < n {
		err = io.ErrUnexpectedEOF
	}
	return err
}

var (
	errXZ       = errors.New("it is no well-formed xz file")
	errXZFilter = errors.New("it is an xz file with a filter that is not supported")
	errXZIdle   = pratique.Errorf(pratique.CodeLimit, "the blocks of the xz file ask for dictionaries that they do not use")
)

func newXZReader(r io.Reader) io.Reader {
	return &xzReader{r: &countedReader{Reader: bufio.NewReaderSize(r, 32<<10)}}
}

func (x *xzReader) Read(p []byte) (int, error) {
	for x.err == nil {
		if x.block == nil {
			if x.err = x.next(); x.err != nil {
				break
			}
		}
		n, err := x.block.Read(p)
		x.empty -= int64(n)
		if err == io.EOF {
			err = x.endBlock()
		}
		x.err = err
		if n > 0 {
			return n, nil
		}
	}
	return 0, x.err
}

// next goes on to the next block, over the end of a stream and the begin of
// another. It is io.EOF after the last stream.
func (x *xzReader) next() error {
	if x.r.n == 0 {
		if err := x.streamHeader(); err != nil {
			return err
		}
	}
	for {
		size, err := x.r.ReadByte()
		if err != nil {
			return io.ErrUnexpectedEOF
		}
		if size != 0 {
			return x.openBlock(int(size)*4 + 3) // the real size is (n + 1) × 4, of which one byte was read
		}
		if err := x.endStream(); err != nil {
			return err
		}
		if err := x.streamHeader(); err != nil {
			return err
		}
	}
}

// streamHeader reads a magic, two bytes of flags and a check sum.
func (x *xzReader) streamHeader() error {
	var b [12]byte
	if _, err := io.ReadFull(x.r, b[:]); err == io.EOF && x.r.n > 0 {
		return io.EOF
	} else if err != nil || string(b[:6]) != xzMagic {
		return errXZ
	}
	sizes := [16]int64{0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64}
	x.check = sizes[b[7]&0x0f]
	return nil
}

// openBlock reads a block's header and starts its decoder.
func (x *xzReader) openBlock(rest int) error {
	header := make([]byte, rest)
	if _, err := io.ReadFull(x.r, header); err != nil {
		return errXZ
	}
	flags, fields := header[0], &xzFields{b: header[1 : rest-4]} // without the check sum
	for bit := byte(0x40); bit != 0; bit <<= 1 {                 // sizes that may be stated: compressed, uncompressed
		if flags&bit != 0 {
			fields.number()
		}
	}
	filters := make([]xzFilter, flags&0x03+1)
	for i := range filters {
		filters[i] = fields.filter()
	}
	last := filters[len(filters)-1]
	if fields.bad {
		return errXZ
	}
	if last.id != 0x21 || len(last.properties) != 1 {
		return errXZFilter
	}
	dictionary, err := xzDictionary(last.properties[0])
	if err != nil {
		return err
	}
	if x.idle += max(0, x.empty); x.idle > maxIdle {
		return errXZIdle
	}
	x.at, x.empty = x.r.n, int64(dictionary)
	if x.block, err = (lzma.Reader2Config{DictCap: dictionary}).NewReader2(x.r); err != nil {
		return err
	}
	for _, f := range slices.Backward(filters[:len(filters)-1]) {
		before, ok := bcj.Undo(f.id, f.properties, x.block)
		if !ok {
			return errXZFilter
		}
		x.block = before
	}
	return nil
}

// xzFields reads the fields of a block's header.
type xzFields struct {
	b   []byte
	bad bool
}

// number is one in groups of seven bits, the lowest first.
func (x *xzFields) number() (n uint64) {
	for i, c := range x.b[:min(len(x.b), 9)] {
		n |= uint64(c&0x7f) << (7 * i)
		if c&0x80 == 0 {
			x.b = x.b[i+1:]
			return n
		}
	}
	x.b, x.bad = nil, true
	return 0
}

// An xzFilter is what a block's content went through.
type xzFilter struct {
	id         uint64
	properties []byte
}

func (x *xzFields) filter() xzFilter {
	f := xzFilter{id: x.number()}
	n := x.number()
	if n > uint64(len(x.b)) {
		x.bad = true
		return f
	}
	f.properties, x.b = x.b[:n], x.b[n:]
	return f
}

// xzDictionary decodes the size of a dictionary: 2 or 3 times a power of two.
func xzDictionary(b byte) (int, error) {
	if b > 40 {
		return 0, errXZ
	}
	size := int64(2|b&1) << (b/2 + 11)
	if size > memberWindow {
		return 0, pratique.Errorf(pratique.CodeLimit, "its dictionary takes %d MiB, more than %d", size>>20, memberWindow>>20)
	}
	return int(size), nil
}

// endBlock skips the padding to four bytes, and the check sum.
func (x *xzReader) endBlock() error {
	x.block = nil
	return x.r.skip((4-(x.r.n-x.at)%4)%4 + x.check)
}

// endStream skips the index, whose first byte was read, the footer, and the
// padding between streams.
func (x *xzReader) endStream() error {
	begin := x.r.n - 1
	records, err := x.varint()
	if err != nil {
		return err
	}
	for range records * 2 {
		if _, err := x.varint(); err != nil {
			return err
		}
	}
	if err := x.r.skip((4-(x.r.n-begin)%4)%4 + 4 + 12); err != nil {
		return err
	}
	for {
		four, err := x.r.Peek(4)
		if err != nil || four[0] != 0 {
			return nil
		}
		if err := x.r.skip(4); err != nil {
			return fmt.Errorf("%w: its padding is cut", errXZ)
		}
	}
}

func (x *xzReader) varint() (n uint64, err error) {
	for shift := 0; shift < 63; shift += 7 {
		b, err := x.r.ReadByte()
		if err != nil {
			return 0, io.ErrUnexpectedEOF
		}
		n |= uint64(b&0x7f) << shift
		if b&0x80 == 0 {
			return n, nil
		}
	}
	return 0, errXZ
}
