package match

import (
	"strings"

	"github.com/google/osv-scalibr/semantic"
)

// maven is a version in the order of Maven's ComparableVersion
// (https://maven.apache.org/pom.html#version-order-specification): a list of
// numbers and words, parted by dots, dashes and changes between digits and
// letters. A dash, and a change from letters to digits or back, opens a list
// within the list. Trailing zeros and words that mean "release" are dropped from
// each list.
type maven struct{ items mavenList }

// A mavenItem is a mavenNumber, a mavenWord or a mavenList. Against nil it is
// compared with "nothing there": the padding of the shorter version.
type mavenItem interface {
	against(other mavenItem) int
	isNull() bool
}

type (
	mavenNumber string // digits without leading zeros, "" is 0
	mavenWord   string // rank and word, see mavenWordOf
	mavenList   []mavenItem
)

func parseMaven(s string) (version, error) {
	s = strings.ToLower(s)
	if !strings.ContainsFunc(s, alphanumeric) {
		return nil, semantic.ErrInvalidVersion
	}
	p := mavenParser{}
	p.open()
	start, isDigit := 0, false
	for i := range len(s) {
		switch c := s[i]; {
		case c == '.' || c == '-':
			if i == start {
				p.add(mavenNumber(""))
			} else {
				p.add(mavenItemOf(s[start:i], isDigit, false))
			}
			start = i + 1
			if c == '-' {
				p.open()
			}
		case c >= '0' && c <= '9':
			if !isDigit && i > start {
				// A word right before a number: a, b and m are short forms, and
				// the word opens a list as if a dash stood before it.
				if len(p.last()) > 0 {
					p.open()
				}
				p.add(mavenItemOf(s[start:i], false, true))
				start = i
				p.open()
			}
			isDigit = true
		default:
			if isDigit && i > start {
				p.add(mavenItemOf(s[start:i], true, false))
				start = i
				p.open()
			}
			isDigit = false
		}
	}
	if start < len(s) {
		if !isDigit && len(p.last()) > 0 {
			p.open()
		}
		p.add(mavenItemOf(s[start:], isDigit, false))
	}
	return maven{p.close()}, nil
}

// mavenParser builds nested lists: the last of lists is the innermost.
type mavenParser struct{ lists []mavenList }

func (p *mavenParser) open()           { p.lists = append(p.lists, nil) }
func (p *mavenParser) last() mavenList { return p.lists[len(p.lists)-1] }

func (p *mavenParser) add(item mavenItem) {
	p.lists[len(p.lists)-1] = append(p.last(), item)
}

// close drops what means nothing from the end of each list, innermost first, and
// returns the outermost.
func (p *mavenParser) close() mavenList {
	for {
		list := p.last().trimmed()
		if len(p.lists) == 1 {
			return list
		}
		p.lists = p.lists[:len(p.lists)-1]
		p.add(list)
	}
}

// trimmed drops empty items from the end, also those that stand before lists.
func (l mavenList) trimmed() mavenList {
	for i := len(l) - 1; i >= 0; i-- {
		if l[i].isNull() {
			l = append(l[:i:i], l[i+1:]...)
		} else if _, isList := l[i].(mavenList); !isList {
			break
		}
	}
	return l
}

func mavenItemOf(s string, isDigit, beforeDigit bool) mavenItem {
	if isDigit {
		return mavenNumber(strings.TrimLeft(s, "0"))
	}
	return mavenWordOf(s, beforeDigit)
}

// mavenRelease is the rank of "", which a release has.
const mavenRelease = "5"

// mavenWordOf puts the known words in their order and all others after them, in
// the order of their letters.
func mavenWordOf(s string, beforeDigit bool) mavenWord {
	if beforeDigit {
		switch s {
		case "a":
			s = "alpha"
		case "b":
			s = "beta"
		case "m":
			s = "milestone"
		}
	}
	switch s {
	case "alpha":
		return "0"
	case "beta":
		return "1"
	case "milestone":
		return "2"
	case "rc", "cr":
		return "3"
	case "snapshot":
		return "4"
	case "", "ga", "final", "release":
		return mavenRelease
	case "sp":
		return "6"
	}
	return mavenWord("7-" + s)
}

func (n mavenNumber) isNull() bool { return n == "" }
func (w mavenWord) isNull() bool   { return w == mavenRelease }
func (l mavenList) isNull() bool   { return len(l) == 0 }

func (n mavenNumber) against(other mavenItem) int {
	switch o := other.(type) {
	case nil:
		if n == "" {
			return 0
		}
		return 1
	case mavenNumber:
		return compareNumbers(string(n), string(o))
	}
	return 1 // 1.1 > 1-sp, 1.1 > 1-1
}

func (w mavenWord) against(other mavenItem) int {
	switch o := other.(type) {
	case nil:
		return strings.Compare(string(w), mavenRelease)
	case mavenWord:
		return strings.Compare(string(w), string(o))
	}
	return -1 // 1.any < 1.1, 1.any < 1-1
}

func (l mavenList) against(other mavenItem) int {
	switch o := other.(type) {
	case nil:
		for _, item := range l {
			if c := item.against(nil); c != 0 {
				return c
			}
		}
		return 0
	case mavenNumber:
		return -1 // 1-1 < 1.0.x
	case mavenWord:
		return 1 // 1-1 > 1-sp
	case mavenList:
		return l.compare(o)
	}
	return 0
}

func (l mavenList) compare(o mavenList) int {
	for i := range max(len(l), len(o)) {
		c := 0
		switch {
		case i >= len(l):
			c = -o[i].against(nil)
		case i >= len(o):
			c = l[i].against(nil)
		default:
			c = l[i].against(o[i])
		}
		if c != 0 {
			return sign(c)
		}
	}
	return 0
}

func (v maven) compare(other version) (int, error) {
	w, ok := other.(maven)
	if !ok {
		return 0, semantic.ErrNotSameEcosystem
	}
	return v.items.compare(w.items), nil
}
