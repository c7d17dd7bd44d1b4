package secrets

import (
	"math/bits"
	"regexp/syntax"
	"unicode"
	"unicode/utf8"
)

// sieve tells quickly whether an expression could match at a place. It walks
// the expression once with the set of all offsets that a match may have
// reached, one bit for each of the next 63 bytes, so there is neither
// backtracking nor memory. It may say yes wrongly (assertions are taken for
// granted, and what lies beyond the window is unknown), but never no.
type sieve struct {
	op       syntax.Op
	lo, hi   int      // repetitions; hi < 0 for no limit
	set      byteSet  // OpCharClass: what is accepted
	first    byteSet  // what a match that is not empty begins with
	nullable bool     // the empty string matches
	subs     []*sieve // OpConcat, OpAlternate; one for OpRepeat of more than a class
}

type byteSet [4]uint64

func (s *byteSet) add(c byte)      { s[c>>6] |= 1 << (c & 63) }
func (s *byteSet) has(c byte) bool { return s[c>>6]&(1<<(c&63)) != 0 }

// addRunes adds the bytes with which the runes lo to hi may begin. A byte that
// is no UTF-8 counts as U+FFFD, as in package regexp.
func (s *byteSet) addRunes(lo, hi rune) {
	for r := lo; r <= min(hi, utf8.RuneSelf-1); r++ {
		s.add(byte(r))
	}
	lo = max(lo, utf8.RuneSelf)
	if lo > hi {
		return
	}
	from, to := lead(lo), lead(hi)
	if lo <= utf8.RuneError && utf8.RuneError <= hi {
		from, to = utf8.RuneSelf, 255
	}
	for c := int(from); c <= int(to); c++ {
		s.add(byte(c))
	}
}

func lead(r rune) byte { return utf8.AppendRune(nil, r)[0] }

func (s *byteSet) union(t *byteSet) {
	for i := range s {
		s[i] |= t[i]
	}
}

// sieveWindow is how many bytes are looked at.
const sieveWindow = 63

// newSieve translates re.
func newSieve(re *syntax.Regexp) *sieve {
	switch re.Op {
	case syntax.OpLiteral:
		s := &sieve{op: syntax.OpConcat}
		for _, r := range re.Rune {
			s.subs = append(s.subs, runeSieve(r, re.Flags&syntax.FoldCase != 0))
		}
		return s.finish()
	case syntax.OpCharClass:
		s := &sieve{op: syntax.OpCharClass, lo: 1, hi: 1}
		for i := 0; i+1 < len(re.Rune); i += 2 {
			s.set.addRunes(re.Rune[i], re.Rune[i+1])
		}
		return s.finish()
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		s := &sieve{op: syntax.OpCharClass, lo: 1, hi: 1}
		s.set.addRunes(0, '\n'-1)
		s.set.addRunes('\n'+1, utf8.MaxRune)
		if re.Op == syntax.OpAnyChar {
			s.set.add('\n')
		}
		return s.finish()
	case syntax.OpCapture:
		return newSieve(re.Sub[0])
	case syntax.OpStar:
		return repeat(re.Sub[0], 0, -1)
	case syntax.OpPlus:
		return repeat(re.Sub[0], 1, -1)
	case syntax.OpQuest:
		return repeat(re.Sub[0], 0, 1)
	case syntax.OpRepeat:
		return repeat(re.Sub[0], re.Min, re.Max)
	case syntax.OpConcat, syntax.OpAlternate:
		s := &sieve{op: re.Op}
		for _, sub := range re.Sub {
			s.subs = append(s.subs, newSieve(sub))
		}
		return s.finish()
	case syntax.OpNoMatch:
		return (&sieve{op: syntax.OpAlternate}).finish()
	}
	return (&sieve{op: syntax.OpConcat}).finish() // an assertion
}

func runeSieve(r rune, fold bool) *sieve {
	s := &sieve{op: syntax.OpCharClass, lo: 1, hi: 1}
	s.set.addRunes(r, r)
	for f := unicode.SimpleFold(r); fold && f != r; f = unicode.SimpleFold(f) {
		s.set.addRunes(f, f)
	}
	return s.finish()
}

func repeat(re *syntax.Regexp, lo, hi int) *sieve {
	sub := newSieve(re)
	if sub.op == syntax.OpCharClass && sub.lo == 1 && sub.hi == 1 {
		sub.lo, sub.hi = lo, hi
		return sub.finish()
	}
	return (&sieve{op: syntax.OpRepeat, lo: lo, hi: hi, subs: []*sieve{sub}}).finish()
}

// finish derives first and nullable.
func (s *sieve) finish() *sieve {
	s.first, s.nullable = byteSet{}, false
	switch s.op {
	case syntax.OpCharClass:
		s.first, s.nullable = s.set, s.lo == 0
	case syntax.OpConcat:
		s.nullable = true
		for _, sub := range s.subs {
			s.first.union(&sub.first)
			if !sub.nullable {
				s.nullable = false
				break
			}
		}
	case syntax.OpAlternate:
		for _, sub := range s.subs {
			s.first.union(&sub.first)
			s.nullable = s.nullable || sub.nullable
		}
	case syntax.OpRepeat:
		s.first, s.nullable = s.subs[0].first, s.lo == 0 || s.subs[0].nullable
	}
	return s
}

// view is the window under a sieve.
type view struct {
	text []byte
	cut  bool // text goes on beyond the window
	over bool // the answer lies beyond the window, or beyond what it may cost
	step int
}

// maxSteps bounds what repetitions within repetitions cost. Then the place is
// left to the expression itself, which takes linear time.
const maxSteps = 1 << 12

// admits tells whether the expression could match at the start of text.
func (s *sieve) admits(text []byte) bool {
	v := view{text: text}
	if len(text) > sieveWindow {
		v.text, v.cut = text[:sieveWindow], true
	}
	reached := s.walk(&v, 1)
	return reached != 0 || v.over
}

// walk returns the offsets where a match that began at one of the offsets in
// set may end.
func (s *sieve) walk(v *view, set uint64) uint64 {
	if v.step++; v.step > maxSteps {
		v.over = true
	}
	if v.over {
		return 0
	}
	if !s.nullable {
		if set = v.filter(&s.first, set); set == 0 || v.over {
			return 0
		}
	}
	switch s.op {
	case syntax.OpCharClass:
		return s.run(v, set)
	case syntax.OpConcat:
		for _, sub := range s.subs {
			if set = sub.walk(v, set); set == 0 {
				return 0
			}
		}
		return set
	case syntax.OpAlternate:
		out := uint64(0)
		for _, sub := range s.subs {
			out |= sub.walk(v, set)
		}
		return out
	}
	return s.again(v, set)
}

// filter keeps the offsets whose byte is in want. What an offset at the cut,
// or at the start of a longer rune, leads to is not known here.
func (v *view) filter(want *byteSet, set uint64) uint64 {
	out := uint64(0)
	for rest := set; rest != 0; rest &= rest - 1 {
		i := bits.TrailingZeros64(rest)
		if i >= len(v.text) {
			v.over = v.over || v.cut
			break
		}
		c := v.text[i]
		if !want.has(c) {
			continue
		}
		if c >= utf8.RuneSelf {
			v.over = true // runes of several bytes are left to the expression
			return 0
		}
		out |= 1 << i
	}
	return out
}

// run extends each offset by lo to hi bytes of the class.
func (s *sieve) run(v *view, set uint64) uint64 {
	out, cur := uint64(0), set
	if s.lo == 0 {
		out = set
	}
	for k := 1; s.hi < 0 || k <= s.hi; k++ {
		if cur = v.filter(&s.set, cur) << 1; cur == 0 {
			break
		}
		if v.over {
			return 0
		}
		if k >= s.lo {
			if cur&^out == 0 && k > s.lo {
				break // nothing new will come
			}
			out |= cur
		}
	}
	return out
}

func (s *sieve) again(v *view, set uint64) uint64 {
	out, cur := uint64(0), set
	if s.lo == 0 {
		out = set
	}
	for k := 1; s.hi < 0 || k <= s.hi; k++ {
		if cur = s.subs[0].walk(v, cur); cur == 0 {
			break
		}
		if k >= s.lo {
			if cur&^out == 0 && k > s.lo {
				break
			}
			out |= cur
		}
	}
	return out
}
