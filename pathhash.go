package pratique

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"sort"
	"strings"
)

// PathHash maps a path of facts to eight bytes of its SHA-256. Folders that
// usr-merged distributions turned into links (bin, sbin, lib, lib32, lib64) are
// hashed as their usr/ counterparts, because package databases still write the
// old names.
func PathHash(path string) uint64 {
	for _, dir := range [...]string{"bin/", "sbin/", "lib/", "lib32/", "lib64/", "libx32/"} {
		if strings.HasPrefix(path, dir) {
			path = "usr/" + path
			break
		}
	}
	sum := sha256.Sum256([]byte(path))
	return binary.LittleEndian.Uint64(sum[:8])
}

// PackHashes sorts hashes, drops repeats and returns them in the form that
// [Entries] and [Ownership] keep. It reorders its argument.
func PackHashes(hashes []uint64) []byte {
	slices.Sort(hashes)
	hashes = slices.Compact(hashes)
	b := make([]byte, 0, 8*len(hashes))
	for _, h := range hashes {
		b = binary.LittleEndian.AppendUint64(b, h)
	}
	return b
}

// HasHash tells whether packed, as made by PackHashes, holds h.
func HasHash(packed []byte, h uint64) bool {
	n := len(packed) / 8
	at := func(i int) uint64 { return binary.LittleEndian.Uint64(packed[8*i:]) }
	i := sort.Search(n, func(i int) bool { return at(i) >= h })
	return i < n && at(i) == h
}
