package image

import (
	"strings"

	"github.com/pratique/pratique"
)

// A stack answers who hides what.
type stack struct {
	layers []*structure
	covers map[coverKey]int
	merged map[string]int // folders that are links to their usr/ counterparts, and the layer that made them so
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
	s := &stack{layers: make([]*structure, len(layers)), covers: map[coverKey]int{}, merged: map[string]int{}}
	for i, facts := range layers {
		for j := range facts {
			if facts[j].Entries != nil {
				s.layers[i] = newStructure(facts[j].Entries)
				for _, dir := range facts[j].Entries.Merged {
					if _, ok := s.merged[dir]; !ok {
						s.merged[dir] = i
					}
				}
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

// firstCover looks for path under all the names that it has: in an image whose
// bin is a link to usr/bin, a layer may write the same file either way.
func (s *stack) firstCover(i int, path string) int {
	if i == len(s.layers)-1 {
		return -1
	}
	chains := []chain{newChain(path)}
	if merged, dir := pratique.MergedPath(path); dir != "" {
		if at, ok := s.merged[dir]; ok && at <= i { // written through the link
			chains[0].link = dir
			chains = append(chains, newChain(merged))
		}
	} else if old, ok := strings.CutPrefix(path, "usr/"); ok {
		if _, dir := pratique.MergedPath(old); dir != "" {
			if at, ok := s.merged[dir]; ok {
				other := newChain(old)
				other.link, other.from = dir, at
				chains = append(chains, other)
			}
		}
	}
	for j := i + 1; j < len(s.layers); j++ {
		if s.layers[j] == nil {
			continue
		}
		for k := range chains {
			if j >= chains[k].from && chains[k].coveredBy(s.layers[j]) {
				return j
			}
		}
	}
	return -1
}

// chain is a path with the folders above it.
type chain struct {
	path   string
	own    uint64
	above  []string
	hashes []uint64
	link   string // one of above that is a link, and hides nothing of what is behind it
	from   int    // the layer that made it one
}

func newChain(path string) chain {
	c := chain{path: path, own: pratique.NameHash(path)}
	for p := parent(path); p != ""; p = parent(p) {
		c.above = append(c.above, p)
		c.hashes = append(c.hashes, pratique.NameHash(p))
	}
	return c
}

func (c *chain) coveredBy(l *structure) bool {
	if l.whiteouts[c.path] || l.opaque["."] || pratique.HasHash(l.Files, c.own) || pratique.HasHash(l.Dirs, c.own) {
		return true
	}
	for k, p := range c.above {
		if l.whiteouts[p] || l.opaque[p] || p != c.link && pratique.HasHash(l.Files, c.hashes[k]) {
			return true
		}
	}
	return false
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
