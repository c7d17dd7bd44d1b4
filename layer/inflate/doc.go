// Package inflate reads gzip (RFC 1952) about twice as fast as the decoders for
// Go that exist: inflating is what bounds the one pass over a layer.
//
// A gzip file is one member or several, each a header, a deflate stream (RFC
// 1951), and the CRC-32 and length of what it inflates to. A deflate stream is a
// string of bits in blocks. A block is stored as it is, or coded: a sequence of
// symbols, which are literals (a byte), matches (copy so many bytes, 3 to 258,
// from so far back, up to 32 KiB) and one for its end. Symbols have Huffman
// codes, short for what is frequent. Literals and lengths share one code,
// distances have another; both are canonical, so that the length of each
// symbol's code, which is what a dynamic block begins with, defines them.
// Lengths and distances are ranges, with extra bits behind the code that say
// which value of the range it is.
//
// A decoder is therefore a loop: look at the next bits, find the symbol, drop
// its bits, act. Each turn waits for the one before it, since where a code
// begins is known only when the last one's length is. What makes a turn cheap:
//
//   - The next 56 to 63 bits are in one register, refilled from 8 bytes at once
//     without a branch, so that a match with all its extra bits needs no check.
//   - One look into a table of 2048 entries gives all that is to be known of a
//     symbol, base, extra bits and length. Longer codes, which are rare by
//     construction, take a second look. (Entries for two literals at once do not
//     pay: making them costs more than they save on binaries.)
//   - While input and output have room for the longest symbol, nothing else is
//     checked. Near the end of either, a careful loop takes over.
//   - Output goes straight into the slice that [Reader.Read] was given, and
//     matches are copied from there, in words. Only the last 32 KiB are copied
//     aside when Read returns. Decoders that keep a window of their own copy all
//     of it twice.
//
// What it accepts is what compress/flate accepts, and as to headers
// compress/gzip, but for reserved flags, which it refuses as the RFC demands.
// Tests and a fuzz target hold it to that.
package inflate
