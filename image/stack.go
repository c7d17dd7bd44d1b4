package image

import (
	"strings"

	"github.com/pratique/pratique"
)

// A stack answers who hides what.
type stack struct {
	layers []*structure
	covers map[coverKey]int
}

type coverKey struct {
	layer int
	path  string
}

// structure is one layer's entries, ready for look-ups. Nil for a layer that
// was not read.
type structure struct {
	*pratique.Entries
	whiteouts map[string]bool
	opaque    map[string]bool
	aliases   map[string][]string // target → hard links to it
}

func newStack(layers [][]pratique.Facts) *stack {
	s := &stack{layers: make([]*structure, len(layers)), covers: map[coverKey]int{}}
	for i, facts := range layers {
		for j := range facts {
			if facts[j].Entries != nil {
				s.layers[i] = newStructure(facts[j].Entries)
			}
		}
	}
	return s
}

func newStructure(e *pratique.Entries) *structure {
	st := &structure{Entries: e, whiteouts: map[string]bool{}, opaque: map[string]bool{}, aliases: map[string][]string{}}
	for _, p := range e.Whiteouts {
		st.whiteouts[p] = true
	}
	for _, p := range e.Opaque {
		st.opaque[p] = true
	}
	for _, a := range e.Aliases {
		st.aliases[a.Target] = append(st.aliases[a.Target], a.Path)
	}
	return st
}

// outer strips what is inside an archive: only the archive is a file.
func outer(path string) string {
	path, _, _ = strings.Cut(path, pratique.NestedSeparator)
	return path
}

// cover returns the lowest layer above i that hides path, or -1.
func (s *stack) cover(i int, path string) int {
	path = outer(path)
	key := coverKey{i, path}
	if at, ok := s.covers[key]; ok {
		return at
	}
	at := s.firstCover(i, path)
	s.covers[key] = at
	return at
}

func (s *stack) firstCover(i int, path string) int {
	if i == len(s.layers)-1 {
		return -1
	}
	own := pratique.PathHash(path)
	var above []string
	var hashes []uint64
	for p := parent(path); p != ""; p = parent(p) {
		above = append(above, p)
		hashes = append(hashes, pratique.PathHash(p))
	}
	for j := i + 1; j < len(s.layers); j++ {
		l := s.layers[j]
		if l == nil {
			continue
		}
		if l.whiteouts[path] || l.opaque["."] || pratique.HasHash(l.Files, own) || pratique.HasHash(l.Dirs, own) {
			return j
		}
		for k, p := range above {
			if l.whiteouts[p] || l.opaque[p] || pratique.HasHash(l.Files, hashes[k]) {
				return j
			}
		}
	}
	return -1
}

func parent(path string) string {
	i := strings.LastIndexByte(path, '/')
	return path[:max(i, 0)]
}

// visible tells whether a container sees path of layer i, and under which name:
// its own, or that of a hard link that outlived it.
func (s *stack) visible(i int, path string) (name string, ok bool) {
	if s.cover(i, path) < 0 {
		return path, true
	}
	if s.layers[i] != nil {
		file := outer(path)
		for _, alias := range s.layers[i].aliases[file] {
			if s.cover(i, alias) < 0 {
				return alias + strings.TrimPrefix(path, file), true
			}
		}
	}
	return path, false
}
