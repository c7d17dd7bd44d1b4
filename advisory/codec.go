package advisory

import (
	"encoding/binary"
	"errors"
	"time"
)

// errDamaged is what every reader of a bundle returns for bytes that contradict
// the format. Callers add which bundle it was.
var errDamaged = errors.New("bytes contradict the bundle format")

// encoder appends values to a byte slice: integers as varints (encoding/binary),
// strings with their length before them.
type encoder struct{ b []byte }

func (e *encoder) byte(v byte)      { e.b = append(e.b, v) }
func (e *encoder) uint(v uint64)    { e.b = binary.AppendUvarint(e.b, v) }
func (e *encoder) len(v int)        { e.uint(uint64(v)) }
func (e *encoder) int(v int64)      { e.b = binary.AppendVarint(e.b, v) }
func (e *encoder) string(s string)  { e.len(len(s)); e.b = append(e.b, s...) }
func (e *encoder) time(t time.Time) { e.int(nanos(t)) }

func (e *encoder) strings(list []string) {
	e.len(len(list))
	for _, s := range list {
		e.string(s)
	}
}

// nanos is a time as the bundle keeps it: nanoseconds since 1970, and 0 for
// times that are unknown or do not fit (before 1678, after 2261).
func nanos(t time.Time) int64 {
	if y := t.Year(); y < 1678 || y > 2261 {
		return 0
	}
	return t.UnixNano()
}

func timeOf(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

// decoder reads what encoder wrote. It reads from a string so that the strings
// it returns share its memory. After the first contradiction bad is set and all
// further values are zero, so callers check once, at the end.
type decoder struct {
	s   string
	bad bool
}

func (d *decoder) fail() { d.bad, d.s = true, "" }

func (d *decoder) byte() byte {
	if len(d.s) == 0 {
		d.fail()
		return 0
	}
	v := d.s[0]
	d.s = d.s[1:]
	return v
}

func (d *decoder) uint() uint64 {
	var v uint64
	for i := 0; i < len(d.s) && i < binary.MaxVarintLen64; i++ {
		c := d.s[i]
		v |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			d.s = d.s[i+1:]
			return v
		}
	}
	d.fail()
	return 0
}

func (d *decoder) int() int64 {
	u := d.uint()
	return int64(u>>1) ^ -int64(u&1)
}

// len reads a count of things that take at least one byte each, so that a
// hostile count cannot make the caller allocate more than the input is long.
func (d *decoder) len() int {
	v := d.uint()
	if v > uint64(len(d.s)) {
		d.fail()
		return 0
	}
	return int(v)
}

func (d *decoder) string() string {
	n := d.len()
	s := d.s[:n]
	d.s = d.s[n:]
	return s
}

func (d *decoder) strings() []string {
	n := d.len()
	if n == 0 {
		return nil
	}
	list := make([]string, n)
	for i := range list {
		list[i] = d.string()
	}
	return list
}

func (d *decoder) time() time.Time { return timeOf(d.int()) }

func (d *decoder) err() error {
	if d.bad {
		return errDamaged
	}
	return nil
}

// putSections joins parts behind a directory of (offset, length) pairs, which is
// how every segment begins.
func putSections(parts ...[]byte) []byte {
	size := 16 * len(parts)
	for _, p := range parts {
		size += len(p)
	}
	b := make([]byte, 0, size)
	at := 16 * len(parts)
	for _, p := range parts {
		b = binary.LittleEndian.AppendUint64(b, uint64(at))
		b = binary.LittleEndian.AppendUint64(b, uint64(len(p)))
		at += len(p)
	}
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

// sections is the inverse of putSections for n parts.
func sections(b []byte, n int) ([][]byte, error) {
	if len(b) < 16*n {
		return nil, errDamaged
	}
	parts := make([][]byte, n)
	for i := range parts {
		off := binary.LittleEndian.Uint64(b[16*i:])
		size := binary.LittleEndian.Uint64(b[16*i+8:])
		if off > uint64(len(b)) || size > uint64(len(b))-off {
			return nil, errDamaged
		}
		parts[i] = b[off : off+size : off+size]
	}
	return parts, nil
}
