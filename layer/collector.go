package layer

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/analyze"
)

// A collector gathers one layer's facts. The walk's goroutine owns the fields
// of the first group; add is called by the workers.
type collector struct {
	pass     *Pass
	entries  pratique.Entries
	files    []uint64
	dirs     []uint64
	head     [analyze.SniffLen]byte
	linked   []pratique.Facts  // facts of symbolic links, by analyzer
	aliases  []alias           // hard links to wanted files
	relink   map[string][]link // target → links that want its content
	seen     map[string]seen   // by wanted path
	kept     int               // bytes of names
	problems []pratique.Problem
	untold   int
	lost     bool         // a file of an engine's folder was missing or changed
	sparse   atomic.Int64 // bytes read of files with holes
	pending  sync.WaitGroup

	mu    sync.Mutex
	parts [][]part // by key; those of the entries are what archives had to say
}

// seen is the last entry of a path that an analyzer wanted.
type seen struct {
	order  int64 // the number of the entry; none: an unwanted one took its place
	wanted uint64
}

const none = -1

// alias is a hard link and the number of its entry.
type alias struct {
	pratique.Alias
	order int64
}

// link is a hard link that wants its target's content, and the number of its entry.
type link struct {
	name  string
	order int64
}

// part is what one analyzer found in one file.
type part struct {
	path  string
	order int64
	facts pratique.Facts
}

func newCollector(p *Pass) *collector {
	return &collector{
		pass:   p,
		linked: make([]pratique.Facts, len(p.Analyzers)),
		relink: map[string][]link{},
		seen:   map[string]seen{},
		parts:  make([][]part, len(p.Analyzers)+1),
	}
}

// wait waits for the workers. It returns false, and leaves them alone, when ctx
// is done first.
func (c *collector) wait(ctx context.Context) bool {
	done := make(chan struct{})
	go func() {
		c.pending.Wait()
		close(done)
	}()
	select {
	case <-done:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
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
	if len(c.problems) >= maxProblems {
		c.untold++
		return
	}
	c.problems = append(c.problems, p)
}

func (c *collector) lostFile(l *lostFile) {
	c.lost = true
	c.problem(l.problem())
}

// whiteout notes what the layer removes (OCI image-spec, "Whiteouts"). Other
// names that begin with ".wh..wh." are AUFS bookkeeping.
func (c *collector) whiteout(dir, base string) {
	c.kept += len(dir) + len(base)
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
	if pratique.UsrMerged(name) && strings.TrimPrefix(target, "/") == "usr/"+name && len(c.entries.Merged) < 16 {
		c.entries.Merged = append(c.entries.Merged, name)
	}
	for i, a := range c.pass.Analyzers {
		if l, ok := a.(analyze.Linker); ok {
			before := len(c.linked[i].Releases)
			l.Link(name, strings.ToValidUTF8(target, "�"), &c.linked[i])
			c.kept += (len(c.linked[i].Releases) - before) * (len(name) + len(target))
		}
	}
}

// hardlink remembers a second name of a file. When an analyzer wants it by this
// name only, the layer is read once more for it.
func (c *collector) hardlink(p *Pass, name, target string) {
	c.supersede(name)
	already := c.seen[target]
	if already.wanted != 0 {
		c.aliases = append(c.aliases, alias{pratique.Alias{Path: name, Target: target}, c.entries.Count})
		c.seen[name] = seen{order: c.entries.Count}
		c.kept += len(name) + len(target)
	}
	if p.wanted(&analyze.File{Path: name, Size: 1, Mode: 0o644})&^already.wanted != 0 {
		c.relink[target] = append(c.relink[target], link{name, c.entries.Count})
		c.seen[name] = seen{order: c.entries.Count}
		c.kept += len(name) + len(target)
	}
}

// relinks lists the links that want what the entry number order of the second
// reading holds: those that came after it and were not replaced themselves.
func (c *collector) relinks(target string, order int64) []string {
	var names []string
	for _, l := range c.relink[target] {
		at := c.seen[l.name].order
		if order < l.order && (at == l.order || at > c.entries.Count) {
			names = append(names, l.name)
		}
	}
	return names
}

// relinked notes that the content of a link was read at last, and returns an
// order that no entry of the first reading has.
func (c *collector) relinked(name string, order int64) int64 {
	order += c.entries.Count
	c.see(name, order, 0)
	return order
}

// see notes that the entry number order holds the content of path.
func (c *collector) see(path string, order int64, wanted uint64) {
	c.seen[path] = seen{order, wanted}
}

// supersede notes that a later entry of the same layer took the place of path.
func (c *collector) supersede(path string) {
	if _, ok := c.seen[path]; ok {
		c.seen[path] = seen{order: none}
	}
}

// discard drops everything: the bytes were not what was promised.
func (c *collector) discard() {
	empty := newCollector(c.pass)
	c.entries, c.files, c.dirs, c.aliases = empty.entries, nil, nil, nil
	c.linked, c.seen, c.parts, c.problems, c.untold = empty.linked, empty.seen, empty.parts, nil, 0
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
		// Stable: what one worker found in one file keeps its order.
		slices.SortStableFunc(c.parts[i], func(a, b part) int { return cmp.Or(strings.Compare(a.path, b.path), cmp.Compare(a.order, b.order)) })
		for _, p := range c.parts[i] {
			if c.seen[p.path].order == p.order { // else a later entry replaced the file
				merge(&out[i], p.facts)
			}
		}
	}
	c.entries.Files, c.entries.Dirs = pratique.PackHashes(c.files), pratique.PackHashes(c.dirs)
	c.entries.Aliases = c.usefulAliases()
	out[0].Entries = &c.entries
	out[0].Problems = append(c.problems, out[0].Problems...)
	for i := range out {
		out[i].Problems = firstProblems(out[i].Problems, c.untold)
		c.untold = 0
	}
	return out
}

// firstProblems keeps the list readable: those that cost facts come first when
// not all can be told.
func firstProblems(all []pratique.Problem, untold int) []pratique.Problem {
	told := map[pratique.Problem]bool{} // an engine that is lost says so for each file
	all = slices.DeleteFunc(all, func(p pratique.Problem) bool {
		twice := told[p]
		told[p] = true
		return twice
	})
	partial := untold > 0
	if len(all) > maxProblems {
		weight := func(p pratique.Problem) int {
			if p.Partial {
				return 0
			}
			return 1
		}
		slices.SortStableFunc(all, func(a, b pratique.Problem) int { return cmp.Compare(weight(a), weight(b)) })
		untold += len(all) - maxProblems
		partial = partial || all[maxProblems].Partial
		all = all[:maxProblems:maxProblems]
	}
	if untold > 0 {
		all = append(all, pratique.Problem{Code: pratique.CodeLimit, Partial: partial,
			Message: fmt.Sprintf("%d more problems of this layer are not listed", untold)})
	}
	return all
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
	var useful []pratique.Alias
	for _, a := range c.aliases {
		at := c.seen[a.Path].order
		if told[a.Target] && (at == a.order || at > c.entries.Count) { // else the link was replaced
			useful = append(useful, a.Alias)
		}
	}
	return useful
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
