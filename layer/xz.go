package layer

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/ulikunitz/xz/lzma"

	"github.com/pratique/pratique"
)

// xzMagic begins an xz stream.
const xzMagic = "\xfd7zXZ\x00"

// An xzReader reads the container of the .xz format
// (https://tukaani.org/xz/xz-file-format.txt): streams of blocks of LZMA2. It
// exists beside the library's own reader since a block's header may ask for a
// dictionary of four gigabytes, which the library would allocate; here that is an
// error of CodeLimit. Check sums are not verified: what a scanner is interested
// in is the content that a machine would unpack, damaged or not.
type xzReader struct {
	r     *countedReader
	check int64 // bytes of a block's check sum
	block io.Reader
	at    int64 // where the block's data began
	err   error
}

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
	errXZFilter = errors.New("it is an xz file with a filter other than LZMA2")
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
	flags, fields := header[0], header[1:rest-4] // without the check sum
	if flags&0x03 != 0 {
		return errXZFilter
	}
	for bit := byte(0x40); bit != 0; bit <<= 1 { // sizes that may be stated: compressed, uncompressed
		if flags&bit == 0 {
			continue
		}
		var ok bool
		if fields, ok = skipVarint(fields); !ok {
			return errXZ
		}
	}
	if len(fields) < 3 || fields[0] != 0x21 || fields[1] != 1 { // LZMA2 has one byte of properties
		return errXZFilter
	}
	dictionary, err := xzDictionary(fields[2])
	if err != nil {
		return err
	}
	x.at = x.r.n
	x.block, err = lzma.Reader2Config{DictCap: dictionary}.NewReader2(x.r)
	return err
}

// skipVarint drops a number in groups of seven bits.
func skipVarint(b []byte) (rest []byte, ok bool) {
	for i, c := range b {
		if c&0x80 == 0 {
			return b[i+1:], true
		}
		if i == 8 {
			break
		}
	}
	return nil, false
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
