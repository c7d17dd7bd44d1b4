package layer

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/analyze"
)

// A collector gathers one layer's facts. The walk's goroutine owns the fields
// of the first group; add is called by the workers.
type collector struct {
	pass    *Pass
	entries pratique.Entries
	files   []uint64
	dirs    []uint64
	head    [analyze.SniffLen]byte
	linked  []pratique.Facts    // facts of symbolic links, by analyzer
	aliases []pratique.Alias    // hard links
	relink  map[string][]string // target → links that want its content
	seen    map[uint64]seen     // by the hash of a wanted path
	pending sync.WaitGroup

	mu       sync.Mutex
	parts    [][]part // by key
	problems []pratique.Problem
	untold   int
}

// seen is the last entry of a path that an analyzer wanted.
type seen struct {
	order  int64 // -1: an unwanted entry took its place
	wanted uint64
}

// part is what one analyzer found in one file.
type part struct {
	path  string
	order int64
	facts pratique.Facts
}

func newCollector(p *Pass, _ pratique.Layer) *collector {
	return &collector{
		pass:   p,
		linked: make([]pratique.Facts, len(p.Analyzers)),
		relink: map[string][]string{},
		seen:   map[uint64]seen{},
		parts:  make([][]part, len(p.Analyzers)+1),
	}
}

func (c *collector) add(key int, order int64, path string, facts pratique.Facts) {
	if isEmpty(&facts) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.parts[key] = append(c.parts[key], part{path, order, facts})
}

func (c *collector) problem(p pratique.Problem) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.problems) >= maxProblems {
		c.untold++
		return
	}
	c.problems = append(c.problems, p)
}

// whiteout notes what the layer removes (OCI image-spec, "Whiteouts"). Other
// names that begin with ".wh..wh." are AUFS bookkeeping.
func (c *collector) whiteout(dir, base string) {
	switch removed := strings.TrimPrefix(base, ".wh."); {
	case removed == ".wh..opq":
		c.entries.Opaque = append(c.entries.Opaque, dir)
	case strings.HasPrefix(removed, ".wh."), removed == "", removed == ".", removed == "..":
	default:
		c.entries.Whiteouts = append(c.entries.Whiteouts, path.Join(dir, removed))
	}
}

func (c *collector) symlink(name, target string) {
	c.supersede(name)
	for i, a := range c.pass.Analyzers {
		if l, ok := a.(analyze.Linker); ok {
			l.Link(name, target, &c.linked[i])
		}
	}
}

// hardlink remembers a second name of a file. When an analyzer wants it by this
// name only, the layer is read once more for it.
func (c *collector) hardlink(p *Pass, name, target string) {
	if len(c.aliases) >= maxLinks {
		return
	}
	already := c.seen[pratique.PathHash(target)]
	if already.wanted != 0 {
		c.aliases = append(c.aliases, pratique.Alias{Path: name, Target: target})
	}
	if p.wanted(&analyze.File{Path: name, Size: 1, Mode: 0o644})&^already.wanted != 0 {
		c.relink[target] = append(c.relink[target], name)
	}
}

// see notes that the entry number order holds the content of path.
func (c *collector) see(path string, order int64, wanted uint64) {
	c.seen[pratique.PathHash(path)] = seen{order, wanted}
}

// supersede notes that a later entry of the same layer took the place of path.
func (c *collector) supersede(path string) {
	h := pratique.PathHash(path)
	if _, ok := c.seen[h]; ok {
		c.seen[h] = seen{order: -1}
	}
}

// discard drops everything: the bytes were not what was promised.
func (c *collector) discard() {
	c.pending.Wait()
	c.entries = pratique.Entries{}
	c.files, c.dirs, c.aliases, c.problems = nil, nil, nil, nil
	clear(c.seen)
}

// facts puts the parts together, in the order of paths, so that the same layer
// always gives the same facts whatever the goroutines did.
func (c *collector) facts() []pratique.Facts {
	keys := c.pass.Keys()
	out := make([]pratique.Facts, len(keys))
	for i, key := range keys {
		out[i].Analyzer, out[i].Version = key[0], key[1]
		if i > 0 {
			merge(&out[i], c.linked[i-1])
		}
		slices.SortFunc(c.parts[i], func(a, b part) int { return strings.Compare(a.path, b.path) })
		for _, p := range c.parts[i] {
			if c.seen[pratique.PathHash(p.path)].order == p.order { // else a later entry replaced the file
				merge(&out[i], p.facts)
			}
		}
	}
	c.entries.Files, c.entries.Dirs = pratique.PackHashes(c.files), pratique.PackHashes(c.dirs)
	c.entries.Aliases = c.usefulAliases()
	out[0].Entries = &c.entries
	out[0].Problems = append(out[0].Problems, c.problems...)
	if c.untold > 0 {
		out[0].Problems = append(out[0].Problems, pratique.Problem{Code: pratique.CodeLimit, Partial: true,
			Message: fmt.Sprintf("%d more problems of this layer are not listed", c.untold)})
	}
	return out
}

// usefulAliases keeps the hard links to files that have facts.
func (c *collector) usefulAliases() []pratique.Alias {
	told := map[string]bool{}
	for _, parts := range c.parts {
		for _, p := range parts {
			f := p.facts
			if len(f.Packages)+len(f.Files)+len(f.Secrets)+len(f.Malware)+len(f.Releases) > 0 {
				told[p.path] = true
			}
		}
	}
	return slices.DeleteFunc(c.aliases, func(a pratique.Alias) bool { return !told[a.Target] })
}

func isEmpty(f *pratique.Facts) bool {
	return len(f.Releases)+len(f.Packages)+len(f.Ownership)+len(f.Licenses)+
		len(f.Files)+len(f.Secrets)+len(f.Malware)+len(f.Problems) == 0
}

func merge(into *pratique.Facts, from pratique.Facts) {
	into.Releases = append(into.Releases, from.Releases...)
	into.Packages = append(into.Packages, from.Packages...)
	into.Ownership = append(into.Ownership, from.Ownership...)
	into.Licenses = append(into.Licenses, from.Licenses...)
	into.Files = append(into.Files, from.Files...)
	into.Secrets = append(into.Secrets, from.Secrets...)
	into.Malware = append(into.Malware, from.Malware...)
	into.Problems = append(into.Problems, from.Problems...)
}
