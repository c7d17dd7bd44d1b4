package sevenzip

import (
	"encoding/binary"
	"unicode/utf16"
)

// A cursor reads a header. After an error, which stays, it gives zeros.
type cursor struct {
	b   []byte
	err error
}

func (c *cursor) fail() {
	c.b, c.err = nil, errFormat
}

// take gives the next n bytes.
func (c *cursor) take(n uint64) []byte {
	if n > uint64(len(c.b)) {
		c.fail()
		return nil
	}
	taken := c.b[:n]
	c.b = c.b[n:]
	return taken
}

func (c *cursor) byte() byte {
	if b := c.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (c *cursor) uint32() uint32 {
	if b := c.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

// number is one of up to eight bytes beside the first, whose leading ones say how
// many; its other bits are the highest of the number.
func (c *cursor) number() uint64 {
	first := c.byte()
	var n uint64
	for i := range 8 {
		mask := byte(0x80) >> i
		if first&mask == 0 {
			return n | uint64(first&(mask-1))<<(8*i)
		}
		n |= uint64(c.byte()) << (8 * i)
	}
	return n
}

// count is a number of things that take at least one byte of the header each.
func (c *cursor) count() int {
	n := c.number()
	if n > uint64(len(c.b)) {
		c.fail()
		return 0
	}
	return int(n)
}

// size is a number of bytes.
func (c *cursor) size() int64 {
	n := c.number()
	if n > 1<<62 {
		c.fail()
		return 0
	}
	return int64(n)
}

// name is the next name, of UTF-16 that ends with a zero; without names, none.
func (c *cursor) name() string {
	if c == nil {
		return ""
	}
	var units []uint16
	for len(c.b) >= 2 {
		u := binary.LittleEndian.Uint16(c.b)
		c.b = c.b[2:]
		if u == 0 {
			break
		}
		units = append(units, u)
	}
	return string(utf16.Decode(units))
}

// bitmap has a bit for each thing, the first highest; nil has none.
type bitmap []byte

func (b bitmap) has(i int) bool {
	return i>>3 < len(b) && b[i>>3]&(0x80>>(i&7)) != 0
}

func (c *cursor) bits(n uint64) bitmap {
	return c.take(n/8 + (n%8+7)/8)
}

// optionalBits is preceded by a byte that says, if not zero, that all bits are set
// and left out.
func (c *cursor) optionalBits(n uint64) bitmap {
	if c.byte() == 0 {
		return c.bits(n)
	}
	all := make(bitmap, n/8+1)
	for i := range all {
		all[i] = 0xff
	}
	return all
}

// digests skips n check sums, of which some may be missing, and says which there are.
func (c *cursor) digests(n int) bitmap {
	defined := c.optionalBits(uint64(n))
	for i := range n {
		if c.err == nil && defined.has(i) {
			c.take(4)
		}
	}
	return defined
}
