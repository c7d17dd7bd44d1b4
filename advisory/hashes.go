package advisory

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"
	"strings"
)

const (
	maxHashes   = 20_000_000 // of one list
	maxHashName = 256        // bytes
)

// hashSizes are MD5, SHA-1 and SHA-256, told apart by their length in bytes.
var hashSizes = [...]int{16, 20, 32}

// hashList is a list of known bad files: lines of a hash in hexadecimal digits,
// one of " ,;" or a tab, and a name. Empty lines, lines that start with "#" or
// ";", and a first line of column names are skipped; other lines are refused. A
// hash without a name has the list's.
type hashList struct {
	list    string // its name
	tables  [len(hashSizes)][]hashEntry
	numbers map[string]uint32
	names   []string
	refused int
}

type hashEntry struct {
	sum  string // raw bytes
	name uint32
}

func newHashList(list string) *hashList {
	return &hashList{list: list, numbers: make(map[string]uint32)}
}

func (h *hashList) read(r io.Reader) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	header := true
	for lines.Scan() {
		line := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\ufeff"))
		if line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}
		if !h.add(line) && !header {
			h.refused++
		}
		header = false
		if h.count() > maxHashes {
			return fmt.Errorf("more than %d hashes", maxHashes)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("after %d hashes: %w", h.count(), err)
	}
	if h.count() == 0 {
		return errors.New("no MD5, SHA-1 or SHA-256 in it")
	}
	return nil
}

func (h *hashList) add(line string) bool {
	digits, name := line, ""
	if i := strings.IndexAny(line, " ,;\t"); i >= 0 {
		digits, name = line[:i], strings.Trim(line[i:], " ,;\t\"*")
	}
	kind, sum, ok := parseHash(strings.Trim(digits, `"`))
	if !ok {
		return false
	}
	if name = printable(clip(name, maxHashName)); name == "" {
		name = h.list
	}
	n, ok := h.numbers[name]
	if !ok {
		n = uint32(len(h.names))
		h.numbers[name] = n
		h.names = append(h.names, name)
	}
	h.tables[kind] = append(h.tables[kind], hashEntry{string(sum), n})
	return true
}

// printable drops control characters, so that a name cannot drive a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return -1
		}
		return r
	}, s)
}

func (h *hashList) count() int {
	n := 0
	for _, t := range h.tables {
		n += len(t)
	}
	return n
}

// parseHash tells which of hashSizes s is, in hexadecimal digits of any case.
func parseHash(s string) (kind int, sum []byte, ok bool) {
	kind = slices.Index(hashSizes[:], len(s)/2)
	if kind < 0 || len(s)%2 != 0 {
		return 0, nil, false
	}
	sum, err := hex.DecodeString(s)
	return kind, sum, err == nil
}

const hashSections = len(hashSizes) + 1

// build returns a table of (hash, number of the name) for each kind, sorted, and
// the names.
func (h *hashList) build() []byte {
	var parts [][]byte
	for _, t := range h.tables {
		slices.SortStableFunc(t, func(a, b hashEntry) int { return strings.Compare(a.sum, b.sum) })
		t = slices.CompactFunc(t, func(a, b hashEntry) bool { return a.sum == b.sum })
		var b []byte
		for _, e := range t {
			b = append(b, e.sum...)
			b = binary.LittleEndian.AppendUint32(b, e.name)
		}
		parts = append(parts, b)
	}
	var offsets, heap []byte
	for _, n := range h.names {
		offsets = binary.LittleEndian.AppendUint32(offsets, uint32(len(heap)))
		heap = append(heap, n...)
	}
	offsets = binary.LittleEndian.AppendUint32(offsets, uint32(len(heap)))
	return putSections(append(parts, putSections(offsets, heap))...)
}

type hashSegment struct {
	list          string
	tables        [len(hashSizes)][]byte
	offsets, heap []byte
}

func openHashes(list string, b []byte) (*hashSegment, error) {
	parts, err := sections(b, hashSections)
	if err != nil {
		return nil, err
	}
	s := &hashSegment{list: list}
	for i, size := range hashSizes {
		if len(parts[i])%(size+4) != 0 {
			return nil, errDamaged
		}
		s.tables[i] = parts[i]
	}
	names, err := sections(parts[len(hashSizes)], 2)
	if err != nil {
		return nil, err
	}
	s.offsets, s.heap = names[0], names[1]
	return s, nil
}

func (s *hashSegment) lookup(kind int, sum []byte) (name string, ok bool) {
	table, size := s.tables[kind], hashSizes[kind]+4
	n := len(table) / size
	i := sort.Search(n, func(i int) bool { return bytes.Compare(table[i*size:i*size+len(sum)], sum) >= 0 })
	if i == n || !bytes.Equal(table[i*size:i*size+len(sum)], sum) {
		return "", false
	}
	number := uint64(binary.LittleEndian.Uint32(table[i*size+len(sum):]))
	if 4*(number+2) > uint64(len(s.offsets)) {
		return s.list, true // the hash is known even where its name is damaged
	}
	from := binary.LittleEndian.Uint32(s.offsets[4*number:])
	to := binary.LittleEndian.Uint32(s.offsets[4*number+4:])
	if from > to || uint64(to) > uint64(len(s.heap)) {
		return s.list, true
	}
	return string(s.heap[from:to]), true
}
