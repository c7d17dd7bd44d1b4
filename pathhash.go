package pratique

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"sort"
	"strings"
)

// PathHash maps a path of facts to eight bytes of its SHA-256, with
// [MergedPath] applied: package databases still write the old names.
func PathHash(path string) uint64 {
	path, _ = MergedPath(path)
	return NameHash(path)
}

// NameHash maps a path of facts to eight bytes of its SHA-256, as it is.
func NameHash(path string) uint64 {
	sum := sha256.Sum256([]byte(path))
	return binary.LittleEndian.Uint64(sum[:8])
}

// UsrMerged tells whether dir is one of the folders below the root that
// distributions turned into links to their usr/ counterparts.
func UsrMerged(dir string) bool {
	switch dir {
	case "bin", "sbin", "lib", "lib32", "lib64", "libx32":
		return true
	}
	return false
}

// MergedPath returns where a file below one of the [UsrMerged] folders is once
// that folder is a link, and the folder; path itself and "" for others.
func MergedPath(path string) (merged, dir string) {
	if dir, _, below := strings.Cut(path, "/"); below && UsrMerged(dir) {
		return "usr/" + path, dir
	}
	return path, ""
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
