package inflate

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"io/fs"
	"sync"
)

var (
	// ErrHeader is returned for what is not a gzip header.
	ErrHeader = errors.New("invalid gzip header")
	// ErrChecksum is returned when what was inflated has another length or CRC-32
	// than the trailer states.
	ErrChecksum = errors.New("invalid gzip checksum")
)

// Into slices of at least this size, Read inflates directly. It costs a copy of
// the window; through a buffer of our own it costs a copy of everything.
const direct = 64 << 10

// maxString is the longest file name or comment in a header, with its zero
// byte, as in compress/gzip.
const maxString = 512

// A Reader reads what a gzip file holds.
type Reader struct {
	m *members // nil once closed
}

// Memory that was used is used again: half of the time for a small file would
// go into clearing new one.
var pool = sync.Pool{New: func() any { return new(members) }}

// NewReader reads the first member's header; it returns io.EOF if there is not
// a byte. It reads ahead in r.
func NewReader(r io.Reader) (*Reader, error) {
	z := &Reader{m: pool.Get().(*members)}
	if err := z.m.reset(r); err != nil {
		z.Close()
		return nil, err
	}
	return z, nil
}

// Read waits until it has filled p, or has met the end or an error. A slice of
// 64 KiB or more makes it fastest. What it gives is to be trusted only once
// io.EOF was returned, because the checksum comes last.
func (z *Reader) Read(p []byte) (n int, err error) {
	if z.m == nil {
		return 0, fs.ErrClosed
	}
	return z.m.read(p)
}

// Close lets the Reader's memory be used by another. It does not close what the
// Reader reads from. A Reader that is not closed costs no more than its memory.
func (z *Reader) Close() error {
	if z.m != nil {
		z.m.deflate.src, z.m.deflate.srcErr, z.m.ready, z.m.err = nil, nil, nil, nil
		pool.Put(z.m)
		z.m = nil
	}
	return nil
}

// members inflates one member after another.
type members struct {
	deflate decoder
	crc     uint32 // of this member's content
	size    uint32
	history int    // how many bytes before the next are this member's, at most window
	buf     []byte // the window, and behind it what small Reads are served from
	behind  int    // so much of that was inflated
	ready   []byte // and so much of that was not handed out
	err     error  // what comes after ready
	scratch [10]byte
}

func (z *members) reset(r io.Reader) error {
	z.deflate.reset(r)
	z.behind, z.ready = 0, nil
	z.err = z.header()
	return z.err
}

func (z *members) read(p []byte) (n int, err error) {
	for n < len(p) {
		if len(z.ready) > 0 {
			taken := copy(p[n:], z.ready)
			z.ready = z.ready[taken:]
			n += taken
			continue
		}
		if z.err != nil {
			return n, z.err
		}
		z.slide()
		if len(p)-n < direct {
			z.ahead()
			continue
		}
		got := z.inflate(p[n:], 0)
		z.remember(p[n : n+got])
		n += got
	}
	return n, nil
}

// slide makes room behind the window.
func (z *members) slide() {
	if z.behind > 0 {
		copy(z.buf, z.buf[z.behind:z.behind+window])
		z.behind = 0
	}
}

// ahead inflates into the room behind the window.
func (z *members) ahead() {
	z.grow(window + direct)
	z.behind = z.inflate(z.buf, window) - window
	z.ready = z.buf[window : window+z.behind]
}

// remember keeps the end of what was inflated elsewhere as the window.
func (z *members) remember(p []byte) {
	z.grow(window)
	n := min(len(p), window)
	copy(z.buf, z.buf[n:window])
	copy(z.buf[window-n:window], p[len(p)-n:])
}

func (z *members) grow(size int) {
	if len(z.buf) < size {
		z.buf = append(z.buf, make([]byte, size-len(z.buf))...)
		z.deflate.window = z.buf[:window]
	}
}

// inflate fills dst from index start on, over the ends of members, and returns
// the index where it stopped: if not at the end of dst, z.err says why.
func (z *members) inflate(dst []byte, start int) int {
	o := start
	z.deflate.base = start - z.history
	for z.err == nil && o < len(dst) {
		from := o
		o, z.err = z.deflate.decode(dst, o)
		z.crc = crc32.Update(z.crc, crc32.IEEETable, dst[from:o])
		z.size += uint32(o - from)
		if z.err == io.EOF {
			if z.err = z.trailer(); z.err == nil {
				z.err = z.header()
				z.deflate.base = o
			}
		}
	}
	z.history = min(o-z.deflate.base, window)
	return o
}

// The flags of a header (RFC 1952, 2.3.1).
const (
	flagChecksum = 1 << 1
	flagExtra    = 1 << 2
	flagName     = 1 << 3
	flagComment  = 1 << 4
	flagReserved = 7 << 5
)

// header reads a member's header, and returns io.EOF if there is not a byte of
// it. Its fields are of no use to us.
func (z *members) header() error {
	var crc uint32
	fixed, err := z.bytes(10, &crc)
	if err != nil {
		return err
	}
	flags := fixed[3]
	if fixed[0] != 0x1f || fixed[1] != 0x8b || fixed[2] != 8 || flags&flagReserved != 0 {
		return ErrHeader
	}
	if err := z.fields(flags, &crc); err != nil {
		return noEOF(err)
	}
	z.crc, z.size, z.history = 0, 0, 0
	z.deflate.start()
	return nil
}

// fields skips what is optional in a header.
func (z *members) fields(flags byte, crc *uint32) error {
	if flags&flagExtra != 0 {
		length, err := z.bytes(2, crc)
		if err != nil {
			return err
		}
		for range binary.LittleEndian.Uint16(length) {
			if _, err := z.bytes(1, crc); err != nil {
				return err
			}
		}
	}
	if flags&flagName != 0 {
		if err := z.text(crc); err != nil {
			return err
		}
	}
	if flags&flagComment != 0 {
		if err := z.text(crc); err != nil {
			return err
		}
	}
	if flags&flagChecksum != 0 {
		want := uint16(*crc)
		sum, err := z.bytes(2, crc)
		if err != nil {
			return err
		}
		if binary.LittleEndian.Uint16(sum) != want {
			return ErrHeader
		}
	}
	return nil
}

// text skips a string of the header, which ends with a zero byte.
func (z *members) text(crc *uint32) error {
	for range maxString {
		if c, err := z.bytes(1, crc); err != nil || c[0] == 0 {
			return err
		}
	}
	return ErrHeader
}

// trailer compares the checksums at a member's end with ours.
func (z *members) trailer() error {
	sums, err := z.bytes(8, new(uint32))
	if err != nil {
		return noEOF(err)
	}
	if binary.LittleEndian.Uint32(sums) != z.crc || binary.LittleEndian.Uint32(sums[4:]) != z.size {
		return ErrChecksum
	}
	return nil
}

// bytes returns the next n bytes, at most 10, between deflate streams, and
// updates crc with them. They are good until the next call. Like io.ReadFull it
// returns io.EOF only if there is nothing.
func (z *members) bytes(n int, crc *uint32) ([]byte, error) {
	p := z.scratch[:n]
	for i := 0; i < n; {
		got, err := z.deflate.readBytes(p[i:])
		if err != nil && i > 0 {
			err = noEOF(err)
		}
		if err != nil {
			return nil, err
		}
		i += got
	}
	*crc = crc32.Update(*crc, crc32.IEEETable, p)
	return p, nil
}

func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
