// Package bcj undoes what archivers do to programs before they compress them.
//
// A call or jump of machine code names its target as a distance from itself, so
// ten calls of one function are ten different numbers. Archivers rewrite such
// distances as addresses, which repeat, and compress better: they call it a branch
// converter (BCJ, "branch, call, jump"). There is one for each kind of processor,
// and Delta for tables and sounds, which keeps the difference to the byte some way
// before. All are without loss and keep the size; BCJ2 splits code into four
// streams besides.
//
// The 7z format uses them for each executable that it packs, and xz on request
// (xz --x86). Who does not undo them sees programs whose every call is garbled,
// which digests and rules for malware do not recognise.
//
// Sources: the .xz file format, 5.3 (https://tukaani.org/xz/xz-file-format.txt),
// and Methods.txt of the LZMA SDK (https://7-zip.org/sdk.html). IA-64, SPARC and
// RISC-V are left out.
package bcj

import (
	"bufio"
	"encoding/binary"
	"io"
	"math/bits"
)

// A converter rewrites the instructions in b, of which the first is at the address
// at, and returns how many bytes of b are done: the rest may be the beginning of an
// instruction whose end comes later.
type converter interface {
	convert(b []byte, at uint32) int
}

// Filters by the numbers that xz and newer 7z archives have for them.
const (
	Delta   = 0x03
	X86     = 0x04 // 32 and 64 bits
	PowerPC = 0x05 // big endian
	ARM     = 0x07 // 32 bits, little endian
	Thumb   = 0x08
	ARM64   = 0x0a
)

// Undo gives what there was before a filter; false says that it is none of those
// above. Delta has one byte of properties, its distance less one; the others may have
// four, the address of the first byte, little endian.
func Undo(filter uint64, properties []byte, r io.Reader) (io.Reader, bool) {
	if filter == Delta {
		if len(properties) != 1 {
			return nil, false
		}
		return &delta{r: r, before: make([]byte, int(properties[0])+1)}, true
	}
	var start uint32
	if len(properties) == 4 {
		start = binary.LittleEndian.Uint32(properties)
	}
	var c converter
	switch filter {
	case X86:
		c = &x86{last: start - 5}
	case PowerPC:
		c = words(powerPC)
	case ARM:
		c = words(arm)
	case Thumb:
		c = thumb{}
	case ARM64:
		c = words(arm64)
	default:
		return nil, false
	}
	return &reader{r: r, c: c, at: start, buf: make([]byte, 32<<10)}, true
}

// reader converts a stream.
type reader struct {
	r     io.Reader
	c     converter
	at    uint32 // address of the first byte that is not converted
	buf   []byte
	ready []byte // part of buf: converted, and not read yet
	rest  []byte // part of buf after ready: not converted
	err   error
}

func (r *reader) Read(p []byte) (int, error) {
	for len(r.ready) == 0 {
		if r.err != nil {
			return 0, r.err
		}
		r.fill()
	}
	n := copy(p, r.ready)
	r.ready = r.ready[n:]
	return n, nil
}

// fill reads more and converts it. What is too short to be an instruction at the
// end of the stream is as it was.
func (r *reader) fill() {
	held := copy(r.buf, r.rest)
	n, err := r.r.Read(r.buf[held:])
	all := r.buf[:held+n]
	done := r.c.convert(all, r.at)
	if err != nil {
		done, r.err = len(all), err
	}
	r.at += uint32(done)
	r.ready, r.rest = all[:done], all[done:]
}

// words converts instructions of four bytes, which lie at addresses that divide by
// four.
type words func(b []byte, at uint32)

func (w words) convert(b []byte, at uint32) int {
	n := len(b) &^ 3
	for i := 0; i < n; i += 4 {
		w(b[i:i+4], at+uint32(i))
	}
	return n
}

// arm knows BL, without a condition: 24 bits that count words from two instructions
// further on.
func arm(b []byte, at uint32) {
	if b[3] == 0xeb {
		target := binary.LittleEndian.Uint32(b) << 8 >> 6
		binary.LittleEndian.PutUint32(b, 0xeb<<24|(target-at-8)>>2&0xffffff)
	}
}

// arm64 knows BL, 26 bits that count words, and ADRP, 21 bits that count pages of
// 4 KiB, of which those within 512 MiB were converted.
func arm64(b []byte, at uint32) {
	v := binary.LittleEndian.Uint32(b)
	switch {
	case v>>26 == 0x25:
		v = 0x25<<26 | (v-at>>2)&0x3ffffff
	case v&0x9f000000 == 0x90000000:
		page := v>>29&3 | v>>3&0x1ffffc
		if (page+0x20000)&0x1c0000 != 0 {
			return
		}
		page -= at >> 12
		v = v&0x9000001f | page&3<<29 | page&0x3fffc<<3 | -(page&0x20000)&0xe00000
	}
	binary.LittleEndian.PutUint32(b, v)
}

// powerPC knows bl: a distance of 26 bits, whose lowest two are flags.
func powerPC(b []byte, at uint32) {
	if v := binary.BigEndian.Uint32(b); v>>26 == 0x12 && v&3 == 1 {
		binary.BigEndian.PutUint32(b, 0x12<<26|(v&0x3fffffc-at)&0x3fffffc|1)
	}
}

// thumb knows BL: a pair of instructions of two bytes with eleven bits each.
type thumb struct{}

func (thumb) convert(b []byte, at uint32) int {
	i := 0
	for ; i+4 <= len(b); i += 2 {
		high, low := binary.LittleEndian.Uint16(b[i:]), binary.LittleEndian.Uint16(b[i+2:])
		if high>>11 != 0x1e || low>>11 != 0x1f {
			continue
		}
		target := (uint32(high&0x7ff)<<11 | uint32(low&0x7ff)) << 1
		distance := (target - (at + uint32(i) + 4)) >> 1
		binary.LittleEndian.PutUint16(b[i:], 0x1e<<11|uint16(distance>>11&0x7ff))
		binary.LittleEndian.PutUint16(b[i+2:], 0x1f<<11|uint16(distance&0x7ff))
		i += 2
	}
	return i
}

// x86 knows CALL (E8) and JMP (E9), whose distance is four bytes of which the
// highest is 00 or FF. As instructions of x86 have no fixed length, what looks like
// one may be data, or the operand of one just before; so the converter remembers
// which of the bytes before looked so, and leaves alone what then is ambiguous.
type x86 struct {
	last uint32 // address of the last byte that was E8 or E9
	// seen has a bit for each of the last bytes that was one and was not converted,
	// the latest lowest, shifted by one; 0x10 says that the last one's highest byte
	// was 00 or FF.
	seen uint32
}

func (x *x86) convert(b []byte, at uint32) int {
	i := 0
	for i+5 <= len(b) {
		if b[i]&0xfe != 0xe8 {
			i++
			continue
		}
		here := at + uint32(i)
		x.forget(here - x.last)
		x.last = here
		switch extended := isSign(b[i+4]); {
		case extended && x.certain():
			binary.LittleEndian.PutUint32(b[i+1:], x.distance(binary.LittleEndian.Uint32(b[i+1:]), here+5))
			x.seen = 0
			i += 5
		case extended:
			x.seen |= 0x11
			i++
		default:
			x.seen |= 1
			i++
		}
	}
	return i
}

// forget moves what was seen that many bytes away.
func (x *x86) forget(gap uint32) {
	if gap > 5 {
		x.seen = 0
		return
	}
	for range gap {
		x.seen = x.seen & 0x77 << 1
	}
}

// certain says whether the bytes before are no obstacle: at most one of the last
// three looked like a call, and the last one's highest byte was no sign.
func (x *x86) certain() bool {
	return x.seen < 0x20 && 1<<(x.seen>>1&7)&0b00010111 != 0
}

// distance is the operand that names the target from next on. Where a byte before
// looked like a call, the archiver turned those bytes over that would have made the
// operand confusable.
func (x *x86) distance(target, next uint32) uint32 {
	d := target - next
	if x.seen != 0 {
		shift := 32 - 8*bits.Len32(x.seen>>1)
		if isSign(byte(d >> (shift - 8))) {
			d = (d ^ (1<<shift - 1)) - next
		}
	}
	return d&0xffffff | -(d>>24&1)<<24
}

func isSign(b byte) bool { return b == 0 || b == 0xff }

// delta adds up: each byte is a difference to the one a distance before it.
type delta struct {
	r      io.Reader
	before []byte // a ring of the last bytes
	next   int
}

func (d *delta) Read(p []byte) (int, error) {
	n, err := d.r.Read(p)
	for i := range p[:n] {
		p[i] += d.before[d.next]
		d.before[d.next] = p[i]
		if d.next++; d.next == len(d.before) {
			d.next = 0
		}
	}
	return n, err
}

// NewBCJ2 joins the four streams of BCJ2, which is for x86: code without the targets
// of its calls and jumps; the targets of calls (E8); those of jumps (E9, and 0F 80 to
// 0F 8F); and, in a range coder's form, a bit for each that says whether its target was
// taken out. It ends where the first stream does.
func NewBCJ2(code, calls, jumps, chances io.Reader) io.Reader {
	b := &bcj2{code: bufio.NewReader(code), calls: bufio.NewReader(calls), jumps: bufio.NewReader(jumps), chances: bufio.NewReader(chances), span: ^uint32(0)}
	for i := range b.odds {
		b.odds[i] = 1 << 10
	}
	for range 5 {
		b.shift()
	}
	return b
}

type bcj2 struct {
	code, calls, jumps, chances *bufio.Reader
	// Chances in 2 048 that a target was left in: of a call by the byte before it, of
	// E9, and of the conditional jumps.
	odds       [258]uint16
	span, word uint32 // of the range coder
	at         uint32
	previous   byte
	target     [4]byte
	left       []byte // of target
	err        error
}

func (b *bcj2) Read(p []byte) (n int, err error) {
	for n < len(p) {
		if len(b.left) > 0 {
			p[n] = b.left[0]
			b.left = b.left[1:]
			n++
			continue
		}
		if b.err != nil {
			break
		}
		var c byte
		if c, b.err = b.code.ReadByte(); b.err != nil {
			break
		}
		p[n] = c
		n++
		b.at++
		b.err = b.branch(c)
	}
	if n > 0 {
		return n, nil
	}
	return 0, b.err
}

// branch puts back the target after a branch.
func (b *bcj2) branch(c byte) error {
	previous := b.previous
	b.previous = c
	odds, targets := &b.odds[257], b.jumps
	switch {
	case c == 0xe8:
		odds, targets = &b.odds[previous], b.calls
	case c == 0xe9:
		odds = &b.odds[256]
	case previous != 0x0f || c&0xf0 != 0x80:
		return nil
	}
	if !b.bit(odds) {
		return nil
	}
	if _, err := io.ReadFull(targets, b.target[:]); err != nil {
		return io.ErrUnexpectedEOF
	}
	b.at += 4
	binary.LittleEndian.PutUint32(b.target[:], binary.BigEndian.Uint32(b.target[:])-b.at)
	b.left, b.previous = b.target[:], b.target[3]
	return nil
}

// bit decodes one bit, and learns from it.
func (b *bcj2) bit(odds *uint16) bool {
	bound := b.span >> 11 * uint32(*odds)
	set := b.word >= bound
	if set {
		b.word -= bound
		b.span -= bound
		*odds -= *odds >> 5
	} else {
		b.span = bound
		*odds += (1<<11 - *odds) >> 5
	}
	if b.span < 1<<24 {
		b.span <<= 8
		b.shift()
	}
	return set
}

// shift takes a byte of the range coder; after its end come zeros.
func (b *bcj2) shift() {
	c, _ := b.chances.ReadByte()
	b.word = b.word<<8 | uint32(c)
}
