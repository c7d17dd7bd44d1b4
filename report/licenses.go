package report

import (
	"strings"

	"github.com/github/go-spdx/v2/spdxexp/spdxlicenses"
)

// licenseExpression returns s as an SPDX licence expression (SPDX 2.3, annex D)
// with identifiers in the letter case of the licence list, and whether s is
// one. References to licences of a document ("LicenseRef-…") are refused: what
// they point to is not in an image.
func licenseExpression(s string) (string, bool) {
	if len(s) > 1000 {
		return "", false
	}
	s = strings.NewReplacer("(", " ( ", ")", " ) ").Replace(s)
	p := expressionParser{words: strings.Fields(s)}
	out, ok := p.or(0)
	return out, ok && len(p.words) == 0
}

// licenseID returns s as one identifier of the licence list.
func licenseID(s string) (string, bool) {
	if ok, id := spdxlicenses.IsActiveLicense(s); ok {
		return id, true
	}
	if ok, id := spdxlicenses.IsDeprecatedLicense(s); ok {
		return id, true
	}
	return "", false
}

type expressionParser struct{ words []string }

func (p *expressionParser) next(operator string) bool {
	if len(p.words) == 0 || p.words[0] != operator {
		return false
	}
	p.words = p.words[1:]
	return true
}

func (p *expressionParser) or(depth int) (string, bool) {
	out, ok := p.and(depth)
	for ok && p.next("OR") {
		var more string
		more, ok = p.and(depth)
		out += " OR " + more
	}
	return out, ok
}

func (p *expressionParser) and(depth int) (string, bool) {
	out, ok := p.simple(depth)
	for ok && p.next("AND") {
		var more string
		more, ok = p.simple(depth)
		out += " AND " + more
	}
	return out, ok
}

func (p *expressionParser) simple(depth int) (string, bool) {
	if len(p.words) == 0 || depth > 20 {
		return "", false
	}
	if p.next("(") {
		out, ok := p.or(depth + 1)
		return "(" + out + ")", ok && p.next(")")
	}
	word := p.words[0]
	p.words = p.words[1:]
	id, ok := licenseID(word)
	if base, later := strings.CutSuffix(word, "+"); !ok && later {
		id, ok = licenseID(base)
		id += "+"
	}
	if !ok || !p.next("WITH") {
		return id, ok
	}
	if len(p.words) == 0 {
		return "", false
	}
	ok, exception := spdxlicenses.IsException(p.words[0])
	p.words = p.words[1:]
	return id + " WITH " + exception, ok
}
