package inflate

import (
	"encoding/binary"
	"fmt"
	"io"
)

// window is how far back a match may reach.
const window = 32 << 10

// inputSize is how much is read at once.
const inputSize = 64 << 10

// A CorruptError is returned for what no compressor writes.
type CorruptError struct {
	Offset int64 // in compressed bytes, about there
	Reason string
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("%s near byte %d", e.Reason, e.Offset)
}

type state uint8

const (
	blockHeader state = iota
	storedBlock
	codedBlock
	ended
)

// A decoder inflates one deflate stream after another. It holds the compressed
// bytes that were read and not used yet.
type decoder struct {
	src    io.Reader
	srcErr error
	in     []byte
	pos    int    // in[:pos] went into bits
	before int64  // how many bytes of src came before in
	bits   uint64 // the next bits of the stream, the first of them lowest
	nbits  uint   // how many of them count; those above are right or zero

	state  state
	final  bool    // this is the last block
	stored int     // what is left of a stored block
	coded  *tables // the codes of a coded block
	own    tables  // those that the block brought

	// A match of which only a part had room in the output.
	length, distance int

	// What was inflated lately. Output goes to whatever slice the caller has;
	// base is the index in it where this stream's history begins: below zero when
	// some of it is in the window, whose end comes before index 0.
	base   int
	window []byte
}

func (d *decoder) reset(src io.Reader) {
	d.src, d.srcErr = src, nil
	d.in, d.pos, d.before = d.in[:0], 0, 0
	d.bits, d.nbits = 0, 0
	d.start()
}

// start begins another stream where the last ended.
func (d *decoder) start() {
	d.state, d.length = blockHeader, 0
}

// readBytes reads what is between streams.
func (d *decoder) readBytes(p []byte) (int, error) {
	if d.pos == len(d.in) && !d.fill() {
		return 0, d.srcErr
	}
	n := copy(p, d.in[d.pos:])
	d.pos += n
	return n, nil
}

// decode inflates into dst from index o on, until dst is full (a nil error), the
// stream ends (io.EOF) or fails. It returns the index behind the last byte. What
// is behind that in dst may be overwritten.
func (d *decoder) decode(dst []byte, o int) (int, error) {
	var err error
	for o < len(dst) && err == nil {
		switch d.state {
		case blockHeader:
			err = d.header()
		case storedBlock:
			o, err = d.copyStored(dst, o)
		case codedBlock:
			o, err = d.decodeBlock(dst, o)
		case ended:
			return o, io.EOF
		}
	}
	return o, err
}

// fill reads once, and tells whether that brought anything. It keeps the last
// bytes of what is in bits, so that they can be given back.
func (d *decoder) fill() bool {
	if d.srcErr != nil {
		return false
	}
	if cap(d.in) == 0 {
		d.in = make([]byte, 0, inputSize)
	}
	kept := min(d.pos, 8)
	d.before += int64(d.pos - kept)
	d.in = d.in[:copy(d.in, d.in[d.pos-kept:])]
	d.pos = kept
	for range 100 {
		n, err := d.src.Read(d.in[len(d.in):cap(d.in)])
		d.in = d.in[:len(d.in)+n]
		d.srcErr = err
		if n > 0 || err != nil {
			return n > 0
		}
	}
	d.srcErr = io.ErrNoProgress
	return false
}

// refill has at least 56 bits ready, or all that are left.
func (d *decoder) refill() {
	if d.pos+8 <= len(d.in) {
		d.bits |= binary.LittleEndian.Uint64(d.in[d.pos:]) << (d.nbits & 63)
		d.pos += int((63 - d.nbits) >> 3)
		d.nbits |= 56
		return
	}
	for d.nbits < 56 && (d.pos < len(d.in) || d.fill()) {
		d.bits |= uint64(d.in[d.pos]) << d.nbits
		d.pos++
		d.nbits += 8
	}
}

// drop takes n bits that were looked at.
func (d *decoder) drop(n uint) error {
	if n > d.nbits {
		return d.short()
	}
	d.bits >>= n & 63
	d.nbits -= n
	return nil
}

// take returns the next n bits, at most 16.
func (d *decoder) take(n uint) (int, error) {
	if d.nbits < n {
		d.refill()
	}
	v := int(d.bits & (1<<n - 1))
	return v, d.drop(n)
}

// unread gives back the whole bytes in bits.
func (d *decoder) unread() {
	d.pos -= int(d.nbits >> 3)
	d.nbits &= 7
	d.bits &= 1<<d.nbits - 1
}

// align goes to the next byte, of which no bit was taken.
func (d *decoder) align() {
	d.unread()
	d.bits, d.nbits = 0, 0
}

// short is the error for a stream whose bytes did not suffice.
func (d *decoder) short() error {
	if d.srcErr == nil || d.srcErr == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return d.srcErr
}

func (d *decoder) corrupt(reason string) error {
	return &CorruptError{Offset: d.before + int64(d.pos) - int64(d.nbits>>3), Reason: reason}
}

// header reads what comes before a block's data (RFC 1951, 3.2.3).
func (d *decoder) header() error {
	v, err := d.take(3)
	if err != nil {
		return err
	}
	d.final = v&1 == 1
	switch v >> 1 {
	case 0:
		return d.storedHeader()
	case 1:
		d.coded = fixedTables()
	case 2:
		if err := d.codeLengths(); err != nil {
			return err
		}
		d.coded = &d.own
	default:
		return d.corrupt("a block is of the reserved type")
	}
	d.state = codedBlock
	return nil
}

func (d *decoder) endBlock() {
	d.state = blockHeader
	if d.final {
		d.state = ended
		d.align()
	}
}

func (d *decoder) storedHeader() error {
	d.align()
	n, err := d.take(16)
	if err != nil {
		return err
	}
	inverse, err := d.take(16)
	if err != nil {
		return err
	}
	if n != ^inverse&0xffff {
		return d.corrupt("the two lengths of a stored block differ")
	}
	d.align()
	d.state, d.stored = storedBlock, n
	if n == 0 {
		d.endBlock()
	}
	return nil
}

func (d *decoder) copyStored(dst []byte, o int) (int, error) {
	if d.pos == len(d.in) && !d.fill() {
		return o, d.short()
	}
	n := copy(dst[o:min(len(dst), o+d.stored)], d.in[d.pos:])
	d.pos += n
	if d.stored -= n; d.stored == 0 {
		d.endBlock()
	}
	return o + n, nil
}

// The order in which the lengths of the code of code lengths come: those that
// are most often zero last, because trailing zeros are left out.
var lengthOrder = [19]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// lengthMeaning is the symbols of that code as entries.
var lengthMeaning = func() (meaning [len(lengthOrder)]entry) {
	for s := range meaning {
		meaning[s] = entry(s) << 16
	}
	return meaning
}()

// codeLengths reads the codes of a dynamic block (RFC 1951, 3.2.7).
func (d *decoder) codeLengths() error {
	v, err := d.take(14)
	if err != nil {
		return err
	}
	litlen, distance, given := v&31+257, v>>5&31+1, v>>10+4
	if litlen > 286 || distance > 30 {
		return d.corrupt("a block has more symbols than there are")
	}
	var first [len(lengthOrder)]uint8
	for _, s := range lengthOrder[:given] {
		v, err := d.take(3)
		if err != nil {
			return err
		}
		first[s] = uint8(v)
	}
	var table [1 << 7]entry
	if !fill(table[:], 7, first[:], lengthMeaning[:]) {
		return d.corrupt("the code of code lengths is not a code")
	}
	var lengths [litlenSymbols + distanceSymbols]uint8
	if err := d.runLengths(lengths[:litlen+distance], &table); err != nil {
		return err
	}
	if !d.own.build(lengths[:litlen], lengths[litlen:litlen+distance]) {
		return d.corrupt("a block's code is not a code")
	}
	return nil
}

// runLengths reads lengths, of which repeated ones are written as runs.
func (d *decoder) runLengths(lengths []uint8, table *[1 << 7]entry) error {
	for i := 0; i < len(lengths); {
		if d.nbits < 14 {
			d.refill()
		}
		e := table[d.bits&0x7f]
		if err := d.drop(uint(e & 0x3f)); err != nil {
			return err
		}
		if e&noCode != 0 {
			return d.corrupt("a code length has an undefined code")
		}
		symbol := e >> 16
		if symbol < 16 {
			lengths[i] = uint8(symbol)
			i++
			continue
		}
		value, least, extra := uint8(0), 3, uint(3)
		switch symbol {
		case 16:
			if i == 0 {
				return d.corrupt("the first code length repeats one before it")
			}
			value, extra = lengths[i-1], 2
		case 18:
			least, extra = 11, 7
		}
		more, err := d.take(extra)
		if err != nil {
			return err
		}
		if least+more > len(lengths)-i {
			return d.corrupt("code lengths are repeated beyond their end")
		}
		for range least + more {
			lengths[i] = value
			i++
		}
	}
	return nil
}

// decodeBlock goes on with a coded block: fast while there is plenty of input
// and room, symbol by symbol near the end of either.
func (d *decoder) decodeBlock(dst []byte, o int) (int, error) {
	for {
		if d.length > 0 {
			n := min(d.length, len(dst)-o)
			d.copyMatch(dst, o, n)
			o += n
			d.length -= n
		}
		if o == len(dst) {
			return o, nil
		}
		if len(d.in)-d.pos < fastInput {
			d.fill()
		}
		if len(d.in)-d.pos >= fastInput && len(dst)-o >= fastOutput {
			var err error
			if o, err = d.fast(dst, o); err != nil || d.state != codedBlock {
				return o, err
			}
		}
		e, err := d.symbol()
		switch {
		case err != nil:
			return o, err
		case e&literal != 0:
			dst[o] = byte(e >> 16)
			o++
		case e&endOfBlock != 0:
			d.endBlock()
			return o, nil
		case d.distance > o-d.base:
			d.length = 0
			return o, d.corrupt(tooFar)
		}
	}
}

const (
	tooFar    = "a match reaches back beyond the beginning"
	undefined = "a symbol has an undefined code"
)

// symbol decodes one symbol; of a match, it sets length and distance.
func (d *decoder) symbol() (entry, error) {
	d.refill()
	e := d.coded.litlen[d.bits&(1<<litlenBits-1)]
	e, litlen, err := d.value(e, d.coded.litlen[:])
	if err != nil || e&(literal|endOfBlock) != 0 {
		return e, err
	}
	_, distance, err := d.value(d.coded.distance[d.bits&(1<<distanceBits-1)], d.coded.distance[:])
	if err != nil {
		return e, err
	}
	d.length, d.distance = litlen, distance
	return e, nil
}

// value goes to the subtable where e says so, and adds extra bits to the base.
func (d *decoder) value(e entry, table []entry) (entry, int, error) {
	if e&subtable != 0 {
		if err := d.drop(uint(e & 0x3f)); err != nil {
			return e, 0, err
		}
		e = table[uint64(e>>16)+d.bits&(1<<(e>>8&0xf)-1)]
	}
	extra := d.bits & (1<<(e&0x3f) - 1) >> (e >> 8 & 0xf)
	if err := d.drop(uint(e & 0x3f)); err != nil {
		return e, 0, err
	}
	if e&(exceptional|endOfBlock) == noCode {
		return e, 0, d.corrupt(undefined)
	}
	return e, int(e>>16) + int(extra), nil
}

// copyMatch copies n bytes of a match to dst[o:], some perhaps from the window.
func (d *decoder) copyMatch(dst []byte, o, n int) {
	from, end := o-d.distance, o+n
	if from < 0 {
		o += copy(dst[o:end], d.window[window+from:])
		from = 0
	}
	// A match may reach into what it writes. Each turn copies all that is there
	// of the pattern, which doubles it.
	for o < end {
		o += copy(dst[o:end], dst[from:o])
	}
}
