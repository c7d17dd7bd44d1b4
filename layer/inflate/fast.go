package inflate

import "encoding/binary"

// What the fast loop needs ahead of it for one turn: two refills of the bit
// buffer, the second up to 8 bytes on; two literals, a match of 258 bytes, and
// what copying by words writes beyond its end.
const (
	fastInput  = 8 + 8
	fastOutput = 2 + 258 + 32
)

// fast decodes a coded block from the input at hand until less than fastInput or
// fastOutput is left, the block ends (which changes the state) or fails.
//
// Go's bounds checks stay on: without them it is hardly 3 % faster, too little
// for reading what attackers write. Slices with both bounds have cheap ones.
func (d *decoder) fast(dst []byte, o int) (int, error) {
	in, pos, bits, nbits := d.in, d.pos, d.bits, uint64(d.nbits)
	t := d.coded
	low := max(d.base, 0)
	le := binary.LittleEndian
	lastIn, lastOut := len(in)-fastInput, len(dst)-fastOutput
	failure := ""
	for pos <= lastIn && o <= lastOut {
		// Bits above nbits are those that will be read again: or changes nothing. A
		// whole entry is subtracted from nbits below, of which the lowest byte counts.
		bits |= le.Uint64(in[pos:pos+8]) << (nbits & 63)
		pos += int((63 - nbits) >> 3 & 7)
		nbits |= 56

		// Three main codes take at most 33 of the 56 bits.
		e := t.litlen[bits&(1<<litlenBits-1)]
		if e&literal != 0 {
			bits >>= e & 63
			nbits -= uint64(e)
			dst[o] = byte(e >> 16)
			o++
			e = t.litlen[bits&(1<<litlenBits-1)]
			if e&literal != 0 {
				bits >>= e & 63
				nbits -= uint64(e)
				dst[o] = byte(e >> 16)
				o++
				e = t.litlen[bits&(1<<litlenBits-1)]
				if e&literal != 0 {
					bits >>= e & 63
					nbits -= uint64(e)
					dst[o] = byte(e >> 16)
					o++
					continue
				}
			}
		}

		// A match takes up to 48 bits.
		bits |= le.Uint64(in[pos:pos+8]) << (nbits & 63)
		pos += int((63 - nbits) >> 3 & 7)
		nbits |= 56
		if e&exceptional != 0 {
			if e&subtable != 0 {
				bits >>= litlenBits
				nbits -= uint64(e)
				e = t.litlen[(uint64(e>>16)+bits&(1<<(e>>8&0xf)-1))&(litlenSize-1)]
			}
			if e&literal != 0 {
				bits >>= e & 63
				nbits -= uint64(e)
				dst[o] = byte(e >> 16)
				o++
				continue
			}
			if e&endOfBlock != 0 {
				bits >>= e & 63
				nbits -= uint64(e)
				d.state = blockHeader
				break
			}
			if e&exceptional != 0 {
				failure = undefined
				break
			}
		}
		length := int(e>>16) + int(bits&(1<<(e&63)-1)>>(e>>8&0xf))
		bits >>= e & 63
		nbits -= uint64(e)

		e = t.distance[bits&(1<<distanceBits-1)]
		if e&exceptional != 0 {
			if e&subtable != 0 {
				bits >>= distanceBits
				nbits -= uint64(e)
				e = t.distance[(uint64(e>>16)+bits&(1<<(e>>8&0xf)-1))&(distanceSize-1)]
			}
			if e&exceptional != 0 {
				failure = undefined
				break
			}
		}
		distance := int(e>>16) + int(bits&(1<<(e&63)-1)>>(e>>8&0xf))
		bits >>= e & 63
		nbits -= uint64(e)

		src, end := o-distance, o+length
		if src < low {
			if src < d.base {
				failure = tooFar
				break
			}
			d.distance = distance
			d.copyMatch(dst, o, length)
			o = end
			continue
		}
		switch {
		case distance >= 8:
			// Most matches are short: two words without a question.
			le.PutUint64(dst[o:o+8], le.Uint64(dst[src:src+8]))
			le.PutUint64(dst[o+8:o+16], le.Uint64(dst[src+8:src+16]))
			for o += 16; o < end; o += 16 {
				src += 16
				le.PutUint64(dst[o:o+8], le.Uint64(dst[src:src+8]))
				le.PutUint64(dst[o+8:o+16], le.Uint64(dst[src+8:src+16]))
			}
		case distance == 1:
			v := uint64(dst[src]) * 0x0101010101010101
			for ; o < end; o += 8 {
				le.PutUint64(dst[o:o+8], v)
			}
		default:
			// The first bytes of each word are right, as many as the distance; the
			// next word corrects the others.
			for ; o < end; o += distance {
				le.PutUint64(dst[o:o+8], le.Uint64(dst[src:src+8]))
				src += distance
			}
		}
		o = end
	}
	d.pos, d.bits, d.nbits = pos, bits, uint(nbits&0xff)
	d.unread()
	if failure != "" {
		return o, d.corrupt(failure)
	}
	if d.state == blockHeader {
		d.endBlock()
	}
	return o, nil
}
