package inflate

import (
	"encoding/binary"
	"unsafe"
)

// The three accesses of the fast loop that go unchecked: there, one comparison
// for each symbol proves that input and output have room for all that a symbol
// can take and give. With Go's own checks the loop is a fifth slower.

func load64(b []byte, i int) uint64 {
	return binary.LittleEndian.Uint64((*[8]byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), i))[:])
}

func store64(b []byte, i int, v uint64) {
	binary.LittleEndian.PutUint64((*[8]byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), i))[:], v)
}

func store16(b []byte, i int, v uint16) {
	binary.LittleEndian.PutUint16((*[2]byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), i))[:], v)
}
