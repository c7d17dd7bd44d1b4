package secrets

import "math"

// automaton finds every occurrence of a set of words in one pass over the
// text, ignoring ASCII case: Aho and Corasick's machine (Communications of the
// ACM 18:6, 1975), completed to a deterministic table so that each byte costs
// two loads and no branch that depends on the text, but for hits.
//
// Bytes that no word contains share one column, which keeps the table for a
// few hundred words within the second-level cache. States that end a word are
// numbered last, so that one comparison tells them apart.
type automaton struct {
	class   [256]uint8 // byte to column; upper-case letters as their lower case
	shift   uint       // log2 of the columns in a row
	next    []uint16   // state<<shift | column to state
	firstHi uint16     // states from here on end at least one word
	outs    [][]int32  // state - firstHi to the words that end there, longest first
	length  []int32    // of each word, in bytes
}

// maxStates is what state numbers of 16 bits allow.
const maxStates = math.MaxUint16

// newAutomaton builds the machine for words, which are folded. Empty words
// are ignored. It reports false when the words need too many states.
func newAutomaton(words []string) (*automaton, bool) {
	a := &automaton{length: make([]int32, len(words))}
	columns := a.columns(words)
	for a.shift = 0; 1<<a.shift < columns; a.shift++ {
	}

	t := trie{width: columns}
	t.grow()
	for i, w := range words {
		a.length[i] = int32(len(w))
		if w == "" {
			continue
		}
		if !t.add(a, w, int32(i)) {
			return nil, false
		}
	}
	order, fail := t.link()
	a.number(&t, order, fail)
	return a, true
}

// columns gives each byte that occurs in a word a column of its own and
// returns how many there are, the one for all other bytes included.
func (a *automaton) columns(words []string) int {
	n := 1
	for _, w := range words {
		for i := range len(w) {
			if c := lower(w[i]); a.class[c] == 0 {
				a.class[c] = uint8(n)
				n++ // at most 231: letters count once
			}
		}
	}
	for c := 'A'; c <= 'Z'; c++ {
		a.class[c] = a.class[lower(byte(c))]
	}
	return n
}

// trie is the machine under construction. Child 0 means none: nothing leads
// back to the root.
type trie struct {
	width int
	child []int32 // node*width + column
	ends  [][]int32
}

func (t *trie) grow() int32 {
	t.child = append(t.child, make([]int32, t.width)...)
	t.ends = append(t.ends, nil)
	return int32(len(t.ends) - 1)
}

func (t *trie) add(a *automaton, w string, id int32) bool {
	node := int32(0)
	for i := range len(w) {
		at := int(node)*t.width + int(a.class[lower(w[i])])
		if t.child[at] == 0 {
			if len(t.ends) >= maxStates {
				return false
			}
			n := t.grow()
			t.child[at] = n
		}
		node = t.child[at]
	}
	t.ends[node] = append(t.ends[node], id)
	return true
}

// link completes the table breadth first: a missing child is the child of the
// longest proper suffix, whose words end here too.
func (t *trie) link() (order, fail []int32) {
	fail = make([]int32, len(t.ends))
	order = append(make([]int32, 0, len(t.ends)), 0)
	for i := 0; i < len(order); i++ {
		node := order[i]
		if node != 0 {
			t.ends[node] = append(t.ends[node], t.ends[fail[node]]...)
		}
		for c := range t.width {
			at := int(node)*t.width + c
			suffix := int32(0)
			if node != 0 {
				suffix = t.child[int(fail[node])*t.width+c]
			}
			if kid := t.child[at]; kid != 0 {
				fail[kid] = suffix
				order = append(order, kid)
			} else {
				t.child[at] = suffix
			}
		}
	}
	return order, fail
}

// number writes the final table, states without a word first.
func (a *automaton) number(t *trie, order, fail []int32) {
	state := make([]uint16, len(order))
	n := uint16(0)
	for _, node := range order {
		if len(t.ends[node]) == 0 {
			state[node] = n
			n++
		}
	}
	a.firstHi = n
	for _, node := range order {
		if len(t.ends[node]) > 0 {
			state[node] = n
			a.outs = append(a.outs, t.ends[node])
			n++
		}
	}
	a.next = make([]uint16, len(order)<<a.shift)
	for node := range order {
		row := int(state[node]) << a.shift
		for c := range t.width {
			a.next[row+c] = state[t.child[node*t.width+c]]
		}
	}
}

// scan calls hit with each word that ends in text and the offset where it
// ends, in order of that offset.
func (a *automaton) scan(text []byte, hit func(word int32, end int)) {
	state := uint(0)
	next, class, shift, first := a.next, &a.class, a.shift, uint(a.firstHi)
	for i, c := range text {
		at := state<<(shift&15) | uint(class[c])
		if at >= uint(len(next)) {
			return // cannot be: it spares the bounds check
		}
		state = uint(next[at])
		if state >= first {
			for _, w := range a.outs[state-first] {
				hit(w, i+1)
			}
		}
	}
}

// contains tells whether any word occurs in text.
func (a *automaton) contains(text []byte) bool {
	state := uint(0)
	for _, c := range text {
		state = uint(a.next[state<<a.shift|uint(a.class[c])])
		if state >= uint(a.firstHi) {
			return true
		}
	}
	return false
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
