package secrets

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/pratique/pratique"
)

// preview shows at most four characters at the front and two at the back, and
// never more than a fifth of the value.
func preview(value []byte) string {
	runes := []rune(strings.ToValidUTF8(string(value[:min(len(value), 4096)]), "·"))
	shown := min(6, len(runes)/5)
	front := min(4, shown)
	back := shown - front
	clean := func(part []rune) string {
		return strings.Map(func(r rune) rune {
			if !unicode.IsPrint(r) || r == utf8.RuneError {
				return '·'
			}
			return r
		}, string(part))
	}
	tail := ""
	if len(value) <= 4096 {
		tail = clean(runes[len(runes)-back:])
	}
	return clean(runes[:front]) + "****" + tail
}

// hash is the keyed hash of a value: HMAC-SHA-256, the first 16 bytes in hex.
// It is "" without a key.
func (a *Analyzer) hash(value []byte) string {
	if len(a.key) == 0 {
		return ""
	}
	m := hmac.New(sha256.New, a.key)
	m.Write(bytes.TrimSpace(value))
	return hex.EncodeToString(m.Sum(nil)[:16])
}

// secret is the fact that a finding becomes. The value ends here.
func (a *Analyzer) secret(f *finding, source, path string) pratique.Secret {
	s := pratique.Secret{
		Rule: f.rule.id, Title: f.rule.title, Type: f.rule.kind, Severity: f.rule.severity,
		Source: source, Path: path, Line: f.lineNo, Preview: preview(f.secret), Hash: a.hash(f.secret),
		Advice: f.rule.advice, Suppressed: f.suppressed,
	}
	if s.Suppressed == "" && a.load().engine.config.allowsHash(f.rule, s.Hash) {
		s.Suppressed = "allow list: hash"
	}
	return s
}

// Ranks of rules: when several explain one value on one line, the highest
// counts.
const (
	rankTheirs = iota
	rankOurs
	rankUser
)

func (r *rule) precedence() int {
	switch {
	case r.generic:
		return -2
	case r.broad:
		return -1
	}
	return r.rank
}

// distinct sorts findings by place and leaves one for each value on a line.
// Some rules are only for the configs of images.
func distinct(found []finding, config bool) []finding {
	var kept []finding
	for i, f := range found {
		if f.dropped || !config && f.rule.context == contextConfig {
			continue
		}
		if !slices.ContainsFunc(found, func(g finding) bool { return explains(&g, &f, config) }) &&
			!slices.ContainsFunc(found[:i], func(g finding) bool { return same(&g, &f) }) {
			kept = append(kept, f)
		}
	}
	slices.SortStableFunc(kept, func(a, b finding) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.rule.id, b.rule.id))
	})
	return kept
}

// explains tells that f is no news beside g.
func explains(g, f *finding, config bool) bool {
	if g.dropped || !config && g.rule.context == contextConfig || g.lineNo != f.lineNo || g.rule == f.rule {
		return false
	}
	gp, fp := g.rule.precedence(), f.rule.precedence()
	if gp == fp && (bytes.Equal(g.secret, f.secret) && before(g.rule, f.rule) || len(g.secret) > len(f.secret) && bytes.Contains(g.secret, f.secret)) {
		return true
	}
	return gp > fp && (bytes.Contains(g.secret, f.secret) || bytes.Contains(f.secret, g.secret))
}

// before orders rules of equal precedence: the worse first.
func before(a, b *rule) bool {
	return cmp.Or(cmp.Compare(b.severity.Rank(), a.severity.Rank()), cmp.Compare(a.id, b.id)) < 0
}

func same(g, f *finding) bool {
	return g.rule == f.rule && g.lineNo == f.lineNo && !g.dropped && bytes.Equal(g.secret, f.secret)
}
