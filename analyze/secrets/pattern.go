package secrets

import (
	"fmt"
	"io"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// pattern is a rule's regular expression, taken apart so that it need not be
// run over whole files:
//
//	\b(ghp_[0-9a-zA-Z]{36})                head: \b           words: ghp_
//	[\w.-]{0,50}?(?:okta)[ \t\w.-]{0,20}…  head: [\w.-]{0,50}?  words: okta
//
// Each match is a head of bounded length and a core that begins with one of a
// few literal words. So every match can be found from the places where a word
// occurs, by looking at a window whose width follows from the expression. An
// expression without such words is all core, which may begin anywhere.
//
// The machines are compiled when they are first needed: most rules never are.
type pattern struct {
	source  string
	anchors []anchor
	headMax int      // bytes that a match can have before the core
	headSet *byteSet // what these bytes are, if that is simple
	max     int      // bytes that a match can have; -1 for no limit
	groups  int
	weight  int // what a byte costs, compared with a usual expression

	full  func() *regexp.Regexp
	after func() *regexp.Regexp // the expression at or after the second byte
}

// anchor is one way in which the core of a match can begin.
type anchor struct {
	words []string // folded; nil when the core may begin anywhere
	sieve *sieve   // rejects most places where the core does not match
	// For patterns without a limit on their length:
	reach func() *regexp.Regexp // one byte, then the core at once
	first func() *regexp.Regexp // the core at the start of the text
}

const (
	minWord  = 2  // shorter words would hit everywhere
	maxWords = 64 // more words than this are not worth it
	longWord = 5  // words of this length are not multiplied further
	maxClass = 6  // letters of a class that are tried one by one
	// maxBranches bounds the alternatives that are tried one by one.
	maxBranches = 256
	wideHead    = 512 // a head that may be longer is no help
	// maxMatch bounds the length of a match whose expression does not.
	maxMatch = 128 << 10
)

// newPattern parses source. A bad expression is reported as regexp does.
func newPattern(source string) (*pattern, error) {
	re, err := parseExpression(source)
	if err != nil {
		return nil, err
	}
	p := &pattern{source: source, max: byteMax(re), groups: re.MaxCap(), weight: 1 + states(re)/usualStates}
	p.full = lazily(source)
	p.after = lazily(`\A(?s:.)(?s:.*?)(` + source + `)`)
	if !p.anchor([]*syntax.Regexp{re}) && !p.anchor(branches(re)) {
		p.forget()
		p.addAnchor(re, nil)
	}
	return p, nil
}

const (
	usualStates = 1 << 10
	// maxPatternStates bounds the machine of an expression; the largest built-in
	// one has some 6000.
	maxPatternStates = 1 << 15
)

// parseExpression is syntax.Parse, but for expressions that would take too long.
func parseExpression(source string) (*syntax.Regexp, error) {
	re, err := syntax.Parse(source, syntax.Perl)
	if err != nil {
		return nil, err
	}
	if n := states(re); n > maxPatternStates {
		return nil, fmt.Errorf("the expression needs a machine of %d states, more than %d: shorten its repetitions", n, maxPatternStates)
	}
	return re, nil
}

// states estimates how many states the machine of an expression has: with
// repetitions written out, as package regexp does.
func states(re *syntax.Regexp) int {
	n := 1
	switch re.Op {
	case syntax.OpLiteral:
		n = len(re.Rune)
	case syntax.OpRepeat:
		times := max(re.Min+1, re.Max)
		return 1 + min(times*states(re.Sub[0]), 1<<30)
	}
	for _, sub := range re.Sub {
		n = min(n+states(sub), 1<<30)
	}
	return n
}

func (p *pattern) forget() { p.anchors, p.headMax, p.headSet = nil, 0, nil }

// branches writes an expression with an alternative among its items as one
// expression for each choice.
func branches(re *syntax.Regexp) []*syntax.Regexp {
	items := flatten(re)
	for i, item := range items {
		if item.Op != syntax.OpAlternate || len(item.Sub) > maxBranches {
			continue
		}
		var out []*syntax.Regexp
		for _, sub := range item.Sub {
			choice := slices.Concat(items[:i], []*syntax.Regexp{sub}, items[i+1:])
			out = append(out, &syntax.Regexp{Op: syntax.OpConcat, Sub: choice, Flags: re.Flags})
		}
		return out
	}
	return []*syntax.Regexp{re}
}

// anchor finds the words of each branch. It reports false if one has none.
func (p *pattern) anchor(branches []*syntax.Regexp) bool {
	p.forget()
	for i, branch := range branches {
		items := flatten(branch)
		at, words := bestWords(items)
		if words == nil {
			return false
		}
		p.addAnchor(&syntax.Regexp{Op: syntax.OpConcat, Sub: items[at:], Flags: branch.Flags}, words)
		head := 0
		for _, item := range items[:at] {
			head += byteMax(item)
		}
		p.headMax = max(p.headMax, head)
		if at == 1 && i == 0 {
			p.headSet = classRun(items[0])
		} else if head > 0 {
			p.headSet = nil
		}
	}
	return true
}

func (p *pattern) addAnchor(core *syntax.Regexp, words []string) {
	compile := func(before string) func() *regexp.Regexp {
		return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(before + "(?:" + core.String() + ")") })
	}
	p.anchors = append(p.anchors, anchor{words: words, sieve: newSieve(core), reach: compile(`\A(?s:.)`), first: compile(`\A`)})
}

// classRun returns the class that re repeats, if that is all it does.
func classRun(re *syntax.Regexp) *byteSet {
	if s := newSieve(re); s.op == syntax.OpCharClass && s.hi > 1 {
		s.set[2], s.set[3] = ^uint64(0), ^uint64(0) // the rest of longer runes, too
		return &s.set
	}
	return nil
}

func lazily(source string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(source) })
}

// flatten lists what must follow one another in a match, without the groups
// around it.
func flatten(re *syntax.Regexp) []*syntax.Regexp {
	switch re.Op {
	case syntax.OpCapture:
		return flatten(re.Sub[0])
	case syntax.OpConcat:
		var items []*syntax.Regexp
		for _, sub := range re.Sub {
			items = append(items, flatten(sub)...)
		}
		return items
	}
	return []*syntax.Regexp{re}
}

// bestWords chooses where the core begins: where its shortest word is longest.
func bestWords(items []*syntax.Regexp) (at int, words []string) {
	best, head := 0, 0
	for i := range items {
		ws, _ := prefixes(items[i:])
		short := shortest(ws)
		if short >= minWord && short > best && len(ws) <= maxWords {
			at, words, best = i, ws, short
		}
		n := byteMax(items[i])
		if n < 0 || head+n > wideHead {
			break
		}
		head += n
	}
	return at, words
}

// shortest returns the least length among words, 0 for none.
func shortest(words []string) int {
	n := 0
	for i, w := range words {
		if i == 0 || len(w) < n {
			n = len(w)
		}
	}
	return n
}

// prefixes returns words such that each match of the items, one after another,
// begins with one of them, ASCII case aside. whole tells that a match is just
// that word.
func prefixes(items []*syntax.Regexp) (words []string, whole bool) {
	words = []string{""}
	for _, item := range items {
		ws, w := prefixesOf(item)
		if ws == nil || len(words)*len(ws) > maxWords || len(ws) > 1 && shortest(words) >= longWord {
			return words, false
		}
		var joined []string
		for _, a := range words {
			for _, b := range ws {
				joined = append(joined, a+b)
			}
		}
		words = joined
		if !w {
			return words, false
		}
	}
	return words, true
}

// prefixesOf returns nil when nothing is known of how item begins.
func prefixesOf(item *syntax.Regexp) (words []string, whole bool) {
	switch item.Op {
	case syntax.OpEmptyMatch, syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText,
		syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return []string{""}, true
	case syntax.OpLiteral:
		return literalWord(item)
	case syntax.OpCharClass:
		return classWords(item.Rune)
	case syntax.OpCapture:
		return prefixesOf(item.Sub[0])
	case syntax.OpConcat:
		return prefixes(item.Sub)
	case syntax.OpAlternate:
		whole = true
		for _, sub := range item.Sub {
			ws, w := prefixesOf(sub)
			if ws == nil || len(words)+len(ws) > maxWords {
				return nil, false
			}
			words, whole = append(words, ws...), whole && w
		}
		return words, whole
	case syntax.OpPlus:
		ws, _ := prefixesOf(item.Sub[0])
		return ws, false
	case syntax.OpRepeat:
		if item.Min == 0 {
			return nil, false
		}
		ws, w := prefixesOf(item.Sub[0])
		return ws, w && item.Min == 1 && item.Max == 1
	case syntax.OpQuest:
		ws, w := prefixesOf(item.Sub[0])
		if ws == nil || !w {
			return nil, false
		}
		return append([]string{""}, ws...), true
	}
	return nil, false
}

// literalWord cuts the literal before a letter outside ASCII that folds: the
// automaton folds ASCII only. (That (?i)k also matches the Kelvin sign, and
// (?i)s the long s, is passed over: nobody's credential depends on it.)
func literalWord(item *syntax.Regexp) ([]string, bool) {
	fold := item.Flags&syntax.FoldCase != 0
	var b strings.Builder
	for _, r := range item.Rune {
		if fold && r >= utf8.RuneSelf && unicode.SimpleFold(r) != r {
			return []string{b.String()}, false
		}
		b.WriteRune(unicodeLower(r))
	}
	return []string{b.String()}, true
}

func classWords(ranges []rune) ([]string, bool) {
	var words []string
	seen := map[rune]bool{}
	for i := 0; i+1 < len(ranges); i += 2 {
		if ranges[i+1]-ranges[i] >= maxClass {
			return nil, false
		}
		for r := ranges[i]; r <= ranges[i+1]; r++ {
			if low := unicodeLower(r); !seen[low] {
				seen[low] = true
				words = append(words, string(low))
			}
		}
	}
	if len(words) == 0 || len(words) > maxClass {
		return nil, false
	}
	return words, true
}

// unicodeLower folds ASCII only.
func unicodeLower(r rune) rune {
	if 'A' <= r && r <= 'Z' {
		return r + 'a' - 'A'
	}
	return r
}

// byteMax returns how long a match can be, in bytes; -1 when there is no
// limit worth the name.
func byteMax(re *syntax.Regexp) int {
	n := byteMax1(re)
	if n > maxMatch/2 {
		return -1
	}
	return n
}

func byteMax1(re *syntax.Regexp) int {
	switch re.Op {
	case syntax.OpLiteral:
		n := 0
		for _, r := range re.Rune {
			n += widest(r, re.Flags&syntax.FoldCase != 0)
		}
		return n
	case syntax.OpCharClass:
		if len(re.Rune) == 0 {
			return 0
		}
		return max(1, utf8.RuneLen(re.Rune[len(re.Rune)-1]))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return utf8.UTFMax
	case syntax.OpCapture, syntax.OpQuest:
		return byteMax(re.Sub[0])
	case syntax.OpStar, syntax.OpPlus:
		return -1
	case syntax.OpRepeat:
		n := byteMax(re.Sub[0])
		if n < 0 || re.Max < 0 {
			return -1
		}
		return n * re.Max
	case syntax.OpConcat:
		total := 0
		for _, sub := range re.Sub {
			n := byteMax(sub)
			if n < 0 {
				return -1
			}
			total += n
		}
		return total
	case syntax.OpAlternate:
		most := 0
		for _, sub := range re.Sub {
			n := byteMax(sub)
			if n < 0 {
				return -1
			}
			most = max(most, n)
		}
		return most
	}
	return 0
}

// widest is the longest encoding among a rune and what it folds to.
func widest(r rune, fold bool) int {
	n := utf8.RuneLen(r)
	if fold {
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			n = max(n, utf8.RuneLen(f))
		}
	}
	return max(n, 1)
}

// hit is a place where a core may begin.
type hit struct{ at, anchor int }

// region is a stretch of a text with hits that are so near to each other that their
// matches may overlap. It is searched as one: where there is a hit every few bytes,
// each byte would else be looked at for each of them.
type region struct {
	lo, hi int // where matches may be
	last   int // where they begin at the latest, the place of the last hit
	hits   int
}

// maxRegion is how long a region of more than one hit grows, in bytes: package
// regexp is faster on short texts.
const maxRegion = 4 << 10

// region returns the one that begins with hits[0], for matches that begin in
// text[from:] and have their word before to. spent is how many bytes were looked at.
func (p *pattern) region(text []byte, from, to int, hits []hit) (r region, spent int) {
	r.lo = p.start(text, from, hits[0].at)
	for _, h := range hits {
		outside := h.at >= to || r.hits > 0 && (r.hi-r.lo > maxRegion || p.start(text, from, h.at) > r.hi)
		if outside && (p.max >= 0 || h.at > r.last+p.headMax) {
			break // else the first match may have its core at a later hit than the last
		}
		if !outside {
			r.last = h.at
			r.hits++
		}
		n := p.max
		if n < 0 {
			n = p.extent(text, h)
			spent += n
		}
		r.hi = max(r.hi, h.at+n)
	}
	r.hi = min(len(text), r.hi+utf8.UTFMax)
	return r, spent
}

// next returns the first match that begins in text[lo:], and not behind the last
// hit of the region; or nil. spent is how many bytes were looked at.
func (p *pattern) next(text []byte, lo int, r region) (loc []int, spent int) {
	// Context: the byte before lo decides what \b and ^ mean at lo.
	ctx := max(0, lo-1)
	window := text[ctx:r.hi]
	loc = p.full().FindIndex(window)
	spent = read(loc, window)
	if loc != nil && ctx+loc[0] < lo {
		loc = p.after().FindSubmatchIndex(window)
		if spent += read(loc, window); loc != nil {
			loc = loc[2:4]
		}
	}
	if loc == nil || ctx+loc[0] > r.last {
		return nil, spent
	}
	return []int{ctx + loc[0], ctx + loc[1]}, spent
}

// read is about how many bytes of a window were looked at until its first match.
func read(loc []int, window []byte) int {
	if loc == nil {
		return len(window)
	}
	return loc[1]
}

// start returns where a match with its core at word can begin at the earliest.
func (p *pattern) start(text []byte, from, word int) int {
	lo := max(from, word-p.headMax)
	if p.headSet == nil {
		return lo
	}
	at := word
	for at > lo && p.headSet.has(text[at-1]) {
		at--
	}
	return at
}

// extent tells how far from h on its core could read before it matches or
// fails for good.
func (p *pattern) extent(text []byte, h hit) int {
	a := &p.anchors[h.anchor]
	r := &counter{text: text[h.at:min(len(text), h.at+maxMatch)]}
	if h.at == 0 {
		a.first().FindReaderIndex(r)
		return r.at
	}
	r.text = text[h.at-1 : min(len(text), h.at+maxMatch)]
	a.reach().FindReaderIndex(r)
	return r.at
}

// counter hands out runes and remembers how far it got.
type counter struct {
	text []byte
	at   int
}

func (c *counter) ReadRune() (rune, int, error) {
	if c.at >= len(c.text) {
		return 0, 0, io.EOF
	}
	if b := c.text[c.at]; b < utf8.RuneSelf {
		c.at++
		return rune(b), 1, nil
	}
	r, n := utf8.DecodeRune(c.text[c.at:])
	c.at += n
	return r, n, nil
}
