package secrets

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"sync"
)

// engine looks for all rules of a config at once.
//
// One pass of the automaton finds every place where a rule's literal words
// occur. The sieve throws out nearly all of them, and what is left is settled
// by the rule's regular expression on a window that is wide enough to give the
// same answer as the whole text.
type engine struct {
	config  *config
	machine *automaton
	uses    [][]use // of each word
	loose   []int   // rules whose expression has no words
	opened  []bool  // rules that need no keyword beside their words
	scratch sync.Pool
}

// use is what a word means to a rule.
type use struct {
	rule   int32
	anchor int32 // of the rule's pattern; gate for a keyword, which only opens the rule
}

const gate = -1

const (
	// segment is how much of a text is looked at in one go; texts up to
	// segment+maxMatch are seen whole. Keywords open a rule for a segment.
	segment = 1 << 20
	// Bounds of the bytes given to regular expressions, times their weights: by one
	// rule in a segment, and by all in a file. Only hostile texts need that much.
	ruleBudget = 4 << 20
	fileBudget = 64 << 20
	// looseCost is how many bytes without words cost as much as one byte given to
	// an expression.
	looseCost = 16
	// maxFindings bounds what one file can report.
	maxFindings = 1000
	// maxLine bounds what allow lists see of a line.
	maxLine = 64 << 10
)

// newEngine compiles the words of c. Regular expressions wait.
func newEngine(c *config) (*engine, bool) {
	e := &engine{config: c}
	ids := map[string]int{}
	var words []string
	add := func(w string, u use) {
		id, ok := ids[w]
		if !ok {
			id = len(words)
			ids[w], words = id, append(words, w)
			e.uses = append(e.uses, nil)
		}
		if !slices.Contains(e.uses[id], u) {
			e.uses[id] = append(e.uses[id], u)
		}
	}
	e.opened = make([]bool, len(c.rules))
	for i, r := range c.rules {
		if r.pattern == nil {
			continue
		}
		e.opened[i] = r.opensItself()
		for k, a := range r.pattern.anchors {
			for _, w := range a.words {
				add(w, use{rule: int32(i), anchor: int32(k)})
			}
			if len(a.words) == 0 {
				e.loose = append(e.loose, i)
			}
		}
		if !e.opened[i] {
			for _, k := range r.keywords {
				add(k, use{rule: int32(i), anchor: gate})
			}
		}
	}
	var fits bool
	if e.machine, fits = newAutomaton(words); !fits {
		return nil, false
	}
	e.scratch.New = func() any { return newScratch(len(c.rules)) }
	return e, true
}

// opensItself tells that every place where the rule could match has one of its
// keywords.
func (r *rule) opensItself() bool {
	if len(r.keywords) == 0 {
		return true
	}
	for _, a := range r.pattern.anchors {
		for _, w := range a.words {
			if !slices.ContainsFunc(r.keywords, func(k string) bool { return strings.Contains(w, k) }) {
				return false
			}
		}
		if len(a.words) == 0 {
			return false
		}
	}
	return true
}

// finding is a place where a rule holds. Its slices are of the text and hold
// plain secrets: they do not leave the package.
type finding struct {
	rule       *rule
	start, end int // of the match, in the whole text
	lineNo     int // from 1
	column     int
	match      []byte // without line feeds around it
	secret     []byte
	line       []byte // with the line feed before it, as gitleaks has it
	suppressed string
	dropped    bool // by a guard
}

// scratch is a scan's working memory.
type scratch struct {
	hits    [][]hit // of each rule, where its core may begin in the segment
	touched []int   // rules with hits
	open    []bool  // rules with a keyword in the segment
	opened  []int
	where   []int8 // whether a rule's path test holds: 0 not yet asked
	done    []int  // of each rule, where its last match ended in the whole text
	found   []finding
	spent   int // bytes given to the expression of the current rule in the segment
	total   int // bytes given to all expressions in the text

	lineFrom, lineTo int // of the line that answers are cached for
	lineAnswers      map[*allowlist]bool
	countedTo        int // line feeds of the segment were counted up to here
	counted          int
	short            bool // the budget or the number of findings ran out
}

func newScratch(rules int) *scratch {
	return &scratch{hits: make([][]hit, rules), open: make([]bool, rules), where: make([]int8, rules), done: make([]int, rules)}
}

// begin prepares for another text.
func (s *scratch) begin() {
	clear(s.where)
	clear(s.done)
	s.found, s.short, s.total = s.found[:0], false, 0
	s.lineFrom, s.lineTo, s.lineAnswers = -1, -1, nil
}

// passage is a segment of a text, with what surrounds it.
type passage struct {
	path string
	data []byte // the segment and what surrounds it
	base int    // offset of data in the whole text
	from int    // words that begin in data[from:to] are this segment's
	to   int
	line int // number of the line feeds before data
}

// scan adds the findings of one segment to s.
func (e *engine) scan(s *scratch, t *passage) {
	s.countedTo, s.counted = 0, 0
	e.collect(s, t)
	for _, i := range e.loose {
		if r := e.config.rules[i]; s.applies(r, i, t.path) && (len(r.keywords) == 0 || s.open[i]) {
			if s.total += (t.to - t.from) / looseCost; s.total > fileBudget {
				s.short = true
				break
			}
			s.touched = append(s.touched, i)
			s.hits[i] = r.pattern.anchors[0].everywhere(s.hits[i], t)
		}
	}
	// Those with narrow windows first: a budget that the others use up is no
	// loss to them.
	slices.SortFunc(s.touched, func(a, b int) int { return cmp.Or(cmp.Compare(e.width(a), e.width(b)), a-b) })
	for _, i := range s.touched {
		r, hits := e.config.rules[i], s.hits[i]
		s.hits[i] = hits[:0]
		if r.silent || !s.open[i] && !e.opened[i] {
			continue
		}
		slices.SortFunc(hits, func(a, b hit) int { return cmp.Or(a.at-b.at, a.anchor-b.anchor) })
		e.report(s, t, r, e.matches(s, t, i, slices.Compact(hits)))
	}
	for _, i := range s.opened {
		s.open[i] = false
	}
	s.touched, s.opened = s.touched[:0], s.opened[:0]
}

// width is how wide a window the rule needs.
func (e *engine) width(i int) uint { return uint(e.config.rules[i].pattern.max) }

// collect runs the automaton.
func (e *engine) collect(s *scratch, t *passage) {
	e.machine.scan(t.data, func(word int32, end int) {
		for _, u := range e.uses[word] {
			i := int(u.rule)
			if u.anchor == gate {
				if !s.open[i] {
					s.open[i] = true
					s.opened = append(s.opened, i)
				}
				continue
			}
			at := end - int(e.machine.length[word])
			if at < t.from || at >= t.to+wideHead {
				continue
			}
			r := e.config.rules[i]
			if !s.applies(r, i, t.path) || !r.pattern.anchors[u.anchor].sieve.admits(t.data[at:]) {
				continue
			}
			if len(s.hits[i]) == 0 {
				s.touched = append(s.touched, i)
			}
			s.hits[i] = append(s.hits[i], hit{at, int(u.anchor)})
		}
	})
}

// applies tells whether the rule concerns this path. Texts of configs have none.
func (s *scratch) applies(r *rule, i int, path string) bool {
	if s.where[i] == 0 {
		s.where[i] = 1
		if r.context == contextConfig && path != "" || r.path != nil && !r.path.match(path) || slices.ContainsFunc(r.allows, func(a *allowlist) bool { return a.allowsPath(path) }) {
			s.where[i] = -1
		}
	}
	return s.where[i] > 0
}

// matches returns where the rule's expression matches, given all places where
// a match could have its word: the same as all successive matches in the whole
// text, because each of those has its word at one of the hits.
func (e *engine) matches(s *scratch, t *passage, i int, hits []hit) [][]int {
	p := e.config.rules[i].pattern
	s.spent = 0
	var all [][]int
	from := max(0, s.done[i]-t.base)
	for k := 0; k < len(hits) && hits[k].at < t.to; {
		if hits[k].at < from {
			k++
			continue
		}
		r, spent := p.region(t.data, from, t.to, hits[k:])
		s.spend(spent * p.weight)
		k += r.hits
		for from <= r.last {
			if s.spent > ruleBudget || s.total > fileBudget {
				s.short = true
				return all
			}
			loc, spent := p.next(t.data, max(from, r.lo), r)
			s.spend(spent * p.weight)
			if loc == nil {
				break
			}
			all = append(all, loc)
			from = max(loc[1], loc[0]+1)
		}
	}
	s.done[i] = t.base + from
	return all
}

func (s *scratch) spend(n int) {
	s.spent += n
	s.total += n
}

// full tells that nothing more will be reported of this text, whatever it holds.
func (s *scratch) full() bool { return s.total > fileBudget || len(s.found) >= maxFindings }

// everywhere adds each place of the segment where the core may begin.
func (a *anchor) everywhere(hits []hit, t *passage) []hit {
	first := &a.sieve.first
	for i := t.from; i < t.to; i++ {
		if (a.sieve.nullable || first.has(t.data[i])) && a.sieve.admits(t.data[i:]) {
			hits = append(hits, hit{at: i})
		}
	}
	return hits
}

// report adds what survives the rule's own conditions.
func (e *engine) report(s *scratch, t *passage, r *rule, locs [][]int) {
	first := len(s.found)
	for _, loc := range locs {
		if len(s.found) >= maxFindings {
			s.short = true
			break
		}
		if f, ok := e.judge(s, t, r, loc); ok {
			s.found = append(s.found, f)
		}
	}
	if len(r.required) > 0 && len(s.found) > first {
		parts := e.parts(s, t, r)
		s.found = append(s.found[:first], slices.DeleteFunc(s.found[first:], func(f finding) bool { return !complete(r, parts, &f) })...)
	}
}

// judge makes a finding of a match: the secret in it, its entropy, and the
// allow lists of the rule and of the whole config.
func (e *engine) judge(s *scratch, t *passage, r *rule, loc []int) (finding, bool) {
	match := bytes.Trim(t.data[loc[0]:loc[1]], "\n")
	f := finding{rule: r, start: t.base + loc[0], end: t.base + loc[0] + len(match), match: match, secret: match}
	lineFrom, lineTo := lineAround(t.data, loc[0], loc[0]+len(match))
	f.line = t.data[lineFrom:lineTo]
	f.column = loc[0] - lineFrom + 1
	if bytes.Contains(f.line, []byte("gitleaks:allow")) {
		f.suppressed = "gitleaks:allow comment"
	}
	if groups := r.pattern.full().FindSubmatch(match); len(groups) > 1 {
		f.secret = pick(groups, r.group, match)
	}
	if r.entropy != 0 && entropy(f.secret) <= r.entropy {
		return f, false
	}
	for _, lists := range [][]*allowlist{r.allows, e.config.allows} {
		for _, a := range lists {
			if !s.allowed(a, t, &f, t.base+lineFrom, t.base+lineTo) {
				continue
			}
			if !a.user {
				return f, false
			}
			f.suppressed = "allow list" + note(a.note)
		}
	}
	// Line feeds at or before the start, so that a match that begins with one
	// is where its text is.
	f.lineNo = s.lineOf(t, loc[0])
	return f, true
}

// lineOf numbers the line of data[at], from 1. Offsets mostly grow.
func (s *scratch) lineOf(t *passage, at int) int {
	if at < s.countedTo {
		s.countedTo, s.counted = 0, 0
	}
	to := min(at+1, len(t.data))
	s.counted += bytes.Count(t.data[s.countedTo:to], []byte{'\n'})
	s.countedTo = to
	return t.line + s.counted + 1
}

func note(s string) string {
	if s == "" {
		return ""
	}
	return ": " + s
}

// pick returns the wanted group, or the first that is not empty.
func pick(groups [][]byte, group int, match []byte) []byte {
	if group > 0 {
		return groups[group]
	}
	for _, g := range groups[1:] {
		if len(g) > 0 {
			return g
		}
	}
	return match
}

// allowed asks an allow list. What depends on the line only is asked once for
// each line: a minified file is one line with many findings.
func (s *scratch) allowed(a *allowlist, t *passage, f *finding, from, to int) bool {
	if a.target != "line" || a.stopwords != nil {
		return a.allowsFinding(t.path, f)
	}
	if s.lineFrom != from || s.lineTo != to || s.lineAnswers == nil {
		s.lineFrom, s.lineTo, s.lineAnswers = from, to, map[*allowlist]bool{}
	}
	answer, ok := s.lineAnswers[a]
	if !ok {
		answer = a.allowsFinding(t.path, f)
		s.lineAnswers[a] = answer
	}
	return answer
}

// lineAround returns the line or lines of data[start:end], with the line feed
// before them. Of a very long line it returns a part, the same for neighbours.
func lineAround(data []byte, start, end int) (from, to int) {
	block := max(0, start-start%maxLine-maxLine/2)
	if i := bytes.LastIndexByte(data[block:min(start+1, len(data))], '\n'); i >= 0 {
		from = block + i
	} else {
		from = block
	}
	limit := min(len(data), max(end, block+2*maxLine))
	if i := bytes.IndexByte(data[end:limit], '\n'); i >= 0 {
		return from, end + i
	}
	return from, limit
}

// parts lists, for each rule that r requires, where it holds in the passage.
func (e *engine) parts(s *scratch, t *passage, r *rule) [][]finding {
	parts := make([][]finding, len(r.required))
	for i, q := range r.required {
		part := e.config.rule(q.ID)
		if part == nil || part.pattern == nil || part.path != nil && !part.path.match(t.path) {
			continue
		}
		if s.total += len(t.data) * part.pattern.weight; s.total > fileBudget {
			s.short = true
			continue
		}
		locs := part.pattern.full().FindAllIndex(t.data, maxFindings)
		s.short = s.short || len(locs) == maxFindings
		for _, loc := range locs {
			if f, ok := e.judge(s, t, part, loc); ok && f.suppressed == "" {
				parts[i] = append(parts[i], f)
			}
		}
	}
	return parts
}

// complete tells whether all parts that the rule requires are near f.
func complete(r *rule, parts [][]finding, f *finding) bool {
	for i, q := range r.required {
		if !slices.ContainsFunc(parts[i], func(g finding) bool {
			return within(q.WithinLines, f.lineNo-g.lineNo) && within(q.WithinColumns, f.column-g.column)
		}) {
			return false
		}
	}
	return true
}

func within(limit *int, distance int) bool {
	return limit == nil || max(distance, -distance) <= *limit
}

// segments cuts data, a text of any length, into texts to scan.
func segments(path string, data []byte, yield func(*passage) bool) {
	for at, lines := 0, 0; at < len(data); {
		base := max(0, at-wideHead-1)
		step := len(data) - at
		if step > segment+maxMatch {
			step = segment
		}
		t := &passage{
			path: path, data: data[base:min(len(data), at+step+maxMatch)], base: base,
			from: at - base, to: at - base + step, line: lines,
		}
		if at += step; !yield(t) || at >= len(data) {
			return
		}
		lines += bytes.Count(data[base:at-wideHead-1], []byte{'\n'})
	}
}
