package advisory

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
)

// Delta returns the keys under which new has other advisories than old: added,
// changed in any field, or gone. Images that hold none of these packages need not
// be judged again. A nil bundle is an empty one. The keys are sorted; both
// bundles must be open.
//
// Scores and dates of CVEs, EPSS and KEV are not part of it: they are joined at
// each look-up.
func Delta(old, new *Bundle) []Key {
	before, after := old.bySource(), new.bySource()
	changed := make(map[Key]struct{})
	for source, b := range before {
		a := after[source]
		if a.digest == b.digest {
			continue
		}
		diffKeys(b.segment, a.segment, changed)
	}
	for source, a := range after {
		if _, ok := before[source]; !ok {
			diffKeys(nil, a.segment, changed)
		}
	}
	keys := make([]Key, 0, len(changed))
	for k := range changed {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, Key.Compare)
	return keys
}

// Compare orders keys by ecosystem, then by name.
func (k Key) Compare(other Key) int {
	return cmp.Or(strings.Compare(k.Ecosystem, other.Ecosystem), strings.Compare(k.Name, other.Name))
}

type digestedSegment struct {
	segment *advisorySegment
	digest  string
}

func (b *Bundle) bySource() map[string]digestedSegment {
	m := make(map[string]digestedSegment)
	if b == nil {
		return m
	}
	i := 0
	for _, s := range b.manifest.Segments {
		if s.Kind == kindAdvisories {
			m[s.Source] = digestedSegment{b.advisories[i], s.Digest}
			i++
		}
	}
	return m
}

// diffKeys merges two sorted indexes and adds the keys that differ. A nil
// segment is an empty one.
func diffKeys(old, new *advisorySegment, changed map[Key]struct{}) {
	x, y := keyCursor{segment: old}, keyCursor{segment: new}
	xOK, yOK := x.next(), y.next()
	for xOK || yOK {
		order := 0
		switch {
		case !yOK:
			order = -1
		case !xOK:
			order = 1
		default:
			order = cmp.Or(strings.Compare(x.ecosystem, y.ecosystem), bytes.Compare(x.name, y.name))
		}
		switch {
		case order < 0:
			changed[x.key()] = struct{}{}
		case order > 0:
			changed[y.key()] = struct{}{}
		case !bytes.Equal(x.digest, y.digest):
			changed[x.key()] = struct{}{}
		}
		if order <= 0 {
			xOK = x.next()
		}
		if order >= 0 {
			yOK = y.next()
		}
	}
}

// keyCursor walks a segment's index.
type keyCursor struct {
	segment      *advisorySegment
	eco, i       int // the next key is the i-th of the eco-th ecosystem
	ecosystem    string
	name, digest []byte
}

func (c *keyCursor) next() bool {
	if c.segment == nil {
		return false
	}
	for c.eco < len(c.segment.ecos) {
		if r := c.segment.ecos[c.eco]; c.i < r.count {
			n := r.first + c.i
			c.ecosystem, c.name, c.digest = r.name, c.segment.key(n), c.segment.keyDigest(n)
			c.i++
			return true
		}
		c.eco, c.i = c.eco+1, 0
	}
	return false
}

func (c *keyCursor) key() Key { return Key{c.ecosystem, string(c.name)} }
