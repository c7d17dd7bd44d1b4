package secrets

import (
	"slices"
	"strings"
	"unsafe"

	"github.com/pratique/pratique"
)

// pathRules answer what a path alone decides, for every file of an image: is
// it allowed as a whole, and is there a rule about its name. The words of all
// expressions are looked for first, so that most paths cost no expression.
type pathRules struct {
	allows pathIndex // of whole files
	named  pathIndex
	rules  []*rule // beside named
}

// pathIndex tries expressions on paths.
type pathIndex struct {
	tests []*pathTest
	words *automaton
	owner []int // of each word
	loose []int // tests without words
}

func newPathIndex(tests []*pathTest) pathIndex {
	x := pathIndex{tests: tests}
	var words []string
	for i, t := range tests {
		for _, w := range t.words {
			words = append(words, w)
			x.owner = append(x.owner, i)
		}
		if len(t.words) == 0 {
			x.loose = append(x.loose, i)
		}
	}
	var fits bool
	if x.words, fits = newAutomaton(words); !fits {
		x.words, _ = newAutomaton(nil)
		x.loose = nil
		for i := range tests {
			x.loose = append(x.loose, i)
		}
	}
	return x
}

// match calls found with each test that holds, until it returns false. A test
// may be tried more than once.
func (x *pathIndex) match(path string, found func(test int) bool) {
	for _, i := range x.loose {
		if x.tests[i].match(path) && !found(i) {
			return
		}
	}
	last, done := -1, false
	x.words.scan(bytesOf(path), func(word int32, _ int) {
		i := x.owner[word]
		if done || i == last {
			return
		}
		last = i
		if x.tests[i].match(path) {
			done = !found(i)
		}
	})
}

// any tells whether a test holds.
func (x *pathIndex) any(path string) (yes bool) {
	x.match(path, func(int) bool {
		yes = true
		return false
	})
	return yes
}

func newPathRules(c *config) *pathRules {
	p := &pathRules{}
	var allows, named []*pathTest
	for _, a := range c.allows {
		if !a.all || a.regexes == nil && a.stopwords == nil && !a.commits {
			allows = append(allows, a.paths...)
		}
	}
	for _, r := range c.rules {
		if r.pattern == nil && r.path != nil && !r.silent {
			p.rules = append(p.rules, r)
			named = append(named, r.path)
		}
	}
	p.allows, p.named = newPathIndex(allows), newPathIndex(named)
	return p
}

// bytesOf looks at a string as bytes, which must not be changed.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// allowed tells whether an allow list takes the whole file out, or an archive
// that it is in. A member is also looked at by the name that it has there.
func (p *pathRules) allowed(path string) bool {
	if i := strings.LastIndex(path, pratique.NestedSeparator); i >= 0 && p.allows.any(path[i+len(pratique.NestedSeparator):]) {
		return true
	}
	return outward(path, p.allows.any)
}

// outward asks about a path, and about each archive that it is in.
func outward(path string, test func(path string) bool) bool {
	for {
		if test(path) {
			return true
		}
		i := strings.LastIndex(path, pratique.NestedSeparator)
		if i < 0 {
			return false
		}
		path = path[:i]
	}
}

// matching returns the rules about files of this name.
func (p *pathRules) matching(path string) (found []*rule) {
	p.named.match(path, func(i int) bool {
		r := p.rules[i]
		if !slices.Contains(found, r) && !slices.ContainsFunc(r.allows, func(a *allowlist) bool { return a.allowsPath(path) }) {
			found = append(found, r)
		}
		return true
	})
	return found
}
