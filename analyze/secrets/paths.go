package secrets

import (
	"slices"
	"unsafe"
)

// pathRules answer what a path alone decides, for every file of an image: is
// it allowed as a whole, and is there a rule about its name. The words of all
// expressions are looked for first, so that most paths cost no expression.
type pathRules struct {
	allows     []*allowlist
	mayAllow   *automaton // nil when an expression has no words
	rules      []*rule
	mayConcern *automaton
}

func newPathRules(c *config) *pathRules {
	p := &pathRules{}
	var allowWords, ruleWords []string
	allowAll, ruleAll := false, false
	for _, a := range c.allows {
		if a.pathTest == nil {
			continue
		}
		p.allows = append(p.allows, a)
		allowWords = append(allowWords, a.pathWords...)
		allowAll = allowAll || len(a.pathWords) == 0
	}
	for _, r := range c.rules {
		if r.pattern != nil || r.path == nil || r.silent {
			continue
		}
		p.rules = append(p.rules, r)
		ruleWords = append(ruleWords, r.path.words...)
		ruleAll = ruleAll || len(r.path.words) == 0
	}
	if !allowAll {
		p.mayAllow, _ = newAutomaton(allowWords)
	}
	if !ruleAll {
		p.mayConcern, _ = newAutomaton(ruleWords)
	}
	return p
}

// bytesOf looks at a string as bytes, which must not be changed.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// allowed tells whether an allow list takes the whole file out.
func (p *pathRules) allowed(path string) bool {
	if len(p.allows) == 0 || p.mayAllow != nil && !p.mayAllow.contains(bytesOf(path)) {
		return false
	}
	return slices.ContainsFunc(p.allows, func(a *allowlist) bool { return a.allowsPath(path) })
}

// named tells whether a rule is about files of this name.
func (p *pathRules) named(path string) bool { return len(p.matching(path)) > 0 }

// matching returns the rules about files of this name.
func (p *pathRules) matching(path string) []*rule {
	if len(p.rules) == 0 || p.mayConcern != nil && !p.mayConcern.contains(bytesOf(path)) {
		return nil
	}
	var found []*rule
	for _, r := range p.rules {
		if r.path.match(path) && !slices.ContainsFunc(r.allows, func(a *allowlist) bool { return a.allowsPath(path) }) {
			found = append(found, r)
		}
	}
	return found
}
