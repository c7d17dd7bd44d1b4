package inflate

import (
	"math/bits"
	"sync"
)

// An entry of a decoding table says all that is needed once its code was seen:
//
//	bits  0–5   how many bits to drop: the code's own and its extra bits
//	bits  8–11  how many of them are the code's
//	bits 12–15  what it is: the flags below, none for a length or distance
//	bits 16–31  the literal, the base that the extra bits are added to, or where
//	            the subtable begins
//
// The lowest byte is the count of bits to drop and nothing else, so that it can
// be subtracted without being masked.
type entry = uint32

const (
	literal     entry = 1 << 15
	exceptional entry = 1 << 14 // a subtable, the end of the block, or no code
	subtable    entry = 1 << 13 // bits 8–11: how many bits its index has
	endOfBlock  entry = 1 << 12
	noCode            = exceptional // a code that the block did not define
)

// The main tables are indexed by so many of the next bits. A longer code goes on
// in a subtable behind the main table.
const (
	litlenBits   = 11
	distanceBits = 8
	maxCodeBits  = 15

	// With 286 and 30 symbols and codes of 15 bits, the subtables of a complete
	// code fill at most 2342−2048 and 402−256 entries (zlib's "enough" program
	// computes it). These are the next powers of two, for cheap masks.
	litlenSize   = 4096
	distanceSize = 512

	litlenSymbols   = 288
	distanceSymbols = 32
	endSymbol       = 256
)

// tables decode a block's two codes.
type tables struct {
	litlen   [litlenSize]entry
	distance [distanceSize]entry
}

// What each symbol means: its entry without the length of its code, and with
// its extra bits in the place of the bits to drop (RFC 1951, 3.2.5).
var litlenMeaning, distanceMeaning = func() (litlen [litlenSymbols]entry, distance [distanceSymbols]entry) {
	for s := range litlen {
		litlen[s] = noCode // 286 and 287 have codes in the fixed table only, and no meaning
	}
	for s := range endSymbol {
		litlen[s] = literal | entry(s)<<16
	}
	litlen[endSymbol] = exceptional | endOfBlock
	base := entry(3)
	for s := range 28 {
		extra := entry(max(0, s/4-1))
		litlen[endSymbol+1+s] = base<<16 | extra
		base += 1 << extra
	}
	litlen[285] = 258 << 16

	for s := range distance {
		distance[s] = noCode
	}
	base = 1
	for s := range 30 {
		extra := entry(max(0, s/2-1))
		distance[s] = base<<16 | extra
		base += 1 << extra
	}
	return litlen, distance
}()

// fixedTables are those of the blocks that bring none (RFC 1951, 3.2.6).
var fixedTables = sync.OnceValue(func() *tables {
	var lengths [litlenSymbols + distanceSymbols]uint8
	for s := range lengths {
		switch {
		case s < 144:
			lengths[s] = 8
		case s < 256:
			lengths[s] = 9
		case s < 280:
			lengths[s] = 7
		case s < litlenSymbols:
			lengths[s] = 8
		default:
			lengths[s] = 5
		}
	}
	t := new(tables)
	t.build(lengths[:litlenSymbols], lengths[litlenSymbols:])
	return t
})

// build makes the tables from the lengths of the codes of each symbol. It tells
// whether both are codes that a decoder may accept.
func (t *tables) build(litlen, distance []uint8) bool {
	return fill(t.litlen[:], litlenBits, litlen, litlenMeaning[:]) &&
		fill(t.distance[:], distanceBits, distance, distanceMeaning[:])
}

// fill makes the table of one canonical Huffman code (RFC 1951, 3.2.2), main
// table first, subtables behind it. It refuses lengths that are no code: those
// that promise more codes than there are bits for, or leave some undefined.
// As in zlib, a single code of one bit and none at all are allowed: a block of
// literals alone has no distances.
func fill(table []entry, mainBits int, lengths []uint8, meaning []entry) bool {
	var count [maxCodeBits + 1]int
	for _, n := range lengths {
		count[n]++
	}
	count[0] = 0
	code, longest := 0, 0
	var next, place [maxCodeBits + 2]int
	for n := 1; n <= maxCodeBits; n++ {
		next[n] = code
		place[n+1] = place[n] + count[n]
		if code += count[n]; code > 1<<n {
			return false
		}
		if count[n] > 0 {
			longest = n
		}
		code <<= 1
	}
	complete := code == 1<<(maxCodeBits+1)
	if !complete && longest > 1 {
		return false
	}

	// The symbols, by the length of their codes and then by value.
	var sorted [litlenSymbols]uint16
	for s, n := range lengths {
		if n != 0 {
			sorted[place[n]] = uint16(s)
			place[n]++
		}
	}

	// A code is read from its first bit on, which is the lowest of the index, so
	// that codes stand in the table in reverse, repeated for all values of the
	// bits behind them. Grow the table with the length of the codes by doubling
	// what there is: that repeats the shorter ones.
	table[0] = noCode | 1
	if !complete {
		table[1] = noCode | 1
	}
	i, size := 0, 1
	for n := 1; n <= mainBits; n++ {
		if complete || n > 1 {
			copy(table[size:2*size], table[:size])
		}
		size *= 2
		for range count[n] {
			table[reversed(next[n], n)] = meaning[sorted[i]] + entry(n)<<8 + entry(n)
			next[n]++
			i++
		}
	}
	fillSubtables(table, mainBits, count[:], next[:], sorted[i:], meaning)
	return true
}

// fillSubtables does so for the codes that are longer than the main table's
// index. Those that begin with the same bits share a subtable, whose index is as
// long as the longest of them needs.
func fillSubtables(table []entry, mainBits int, count, next []int, sorted []uint16, meaning []entry) {
	prefix, start, width, end := -1, 0, 0, 1<<mainBits
	for n := mainBits + 1; n <= maxCodeBits; n++ {
		for left := count[n]; left > 0; left-- {
			index := reversed(next[n], n)
			next[n]++
			if p := index & (1<<mainBits - 1); p != prefix {
				prefix, start, width = p, end, n-mainBits
				for room := left; room < 1<<width; room = room<<1 + count[mainBits+width] {
					width++
				}
				end += 1 << width
				table[prefix] = entry(start)<<16 | exceptional | subtable | entry(width)<<8 | entry(mainBits)
			}
			rest := n - mainBits
			e := meaning[sorted[0]] + entry(rest)<<8 + entry(rest)
			sorted = sorted[1:]
			for i := index >> mainBits; i < 1<<width; i += 1 << rest {
				table[start+i] = e
			}
		}
	}
}

func reversed(code, n int) int {
	return int(bits.Reverse16(uint16(code)) >> (16 - n))
}
