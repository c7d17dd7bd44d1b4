// Package policy decides whether an image may ship.
//
// A gate is what a pipeline asks of an image: "no critical vulnerability that
// has a fix", "nothing that is being exploited", "no malware". It is written as
// a list of terms (see [ParseGate]) and answered in one of three ways, because a
// gate that cannot be checked is not a gate that was passed:
//
//   - no: a term is met by at least one finding;
//   - unknown: no term is met, but a category that a term needs was not fully
//     looked at (no feed, a damaged package database, an end-of-life table that
//     lacks the release), so the answer could be no;
//   - yes: no term is met, and all that the terms need is known.
//
// Findings that an exception or a VEX statement suppresses, and those that the
// distribution calls unimportant, do not count. The judgement is pure: it reads
// a report and nothing else.
package policy

import (
	"strconv"
	"strings"

	"github.com/pratique/pratique"
)

// Exit codes of [Gate.Exit]. 2 is left to errors: no report was made.
const (
	ExitPass    = 0
	ExitBlocked = 1
	ExitUnknown = 3
)

// Gate is a list of terms; an image that meets one of them is blocked. The zero
// value asks for nothing. A Gate is immutable and safe for concurrent use.
type Gate struct {
	terms []term
	// lenient: what the program does not look for yet, or was told not to look
	// for, is not held against the image. Only the default gate is.
	lenient bool
}

// subject is what a term looks at.
type subject int

const (
	vulnerabilities subject = iota
	secrets
	malware
	release // the distribution's release
	coverage
)

// term is one condition of a gate. All parts that are set must hold at once.
type term struct {
	text     string // as it was written
	subject  subject
	severity pratique.Severity // this or worse; "" is any
	unknown  bool              // severity unknown only
	kev      bool
	fixable  bool
	epss     float64 // 0 to 1
	hasEPSS  bool
}

// Default returns the gate behind the verdict of a scan that asked for none:
// malware, vulnerabilities that CISA knows to be exploited, critical ones with
// a fix, high ones that EPSS expects to be exploited (10 % or more), and secrets
// that look live. What this version does not look for does not count against an
// image; anything else that was not fully looked at makes the answer unknown.
func Default() Gate {
	return Gate{lenient: true, terms: []term{
		{text: "malware", subject: malware},
		{text: "kev", kev: true},
		{text: "critical+fixable", severity: pratique.SeverityCritical, fixable: true},
		{text: "epss>=0.1+high", severity: pratique.SeverityHigh, epss: 0.1, hasEPSS: true},
		{text: "secret+high", subject: secrets, severity: pratique.SeverityHigh},
	}}
}

const remedy = `use terms such as "critical", "high+fixable", "kev", "epss>=0.1", "malware", "secret", "eol", "incomplete" or "unknown", parted by commas`

const maxTerms = 64

// ParseGate reads a gate as --fail-on takes it: terms parted by commas, in one
// string or in several. A term is one condition, or several joined by "+" that
// must hold for the same finding:
//
//	critical high medium low negligible   vulnerabilities of that severity or worse
//	unknown       vulnerabilities whose severity nobody has rated
//	kev           vulnerabilities in CISA's catalogue of known exploited ones
//	epss>=0.1     vulnerabilities with an EPSS score (0 to 1) of at least that
//	fixable       vulnerabilities that an upgrade ends
//	secret        secrets; "secret+high" only those of severity high or worse
//	malware       files that a list, rule or engine calls malicious
//	eol           a distribution release without security support
//	incomplete    anything that was looked for but not fully looked at
//
// Unknown ranks between negligible and low, so "negligible" includes it and
// "low" does not. Letter case and spaces around terms do not matter. No term at
// all gives the zero Gate.
func ParseGate(lists ...string) (Gate, error) {
	var g Gate
	for _, list := range lists {
		if strings.TrimSpace(list) == "" {
			continue
		}
		for text := range strings.SplitSeq(list, ",") {
			t, err := parseTerm(strings.ToLower(strings.TrimSpace(text)))
			if err != nil {
				return Gate{}, err
			}
			g.terms = append(g.terms, t)
			if len(g.terms) > maxTerms {
				return Gate{}, pratique.Errorf(pratique.CodeLimit, "a gate has at most %d terms", maxTerms)
			}
		}
	}
	return g, nil
}

func parseTerm(text string) (term, error) {
	t := term{text: text}
	named := "" // the condition that set the subject
	parts := strings.Split(text, "+")
	for _, part := range parts {
		part = strings.TrimSpace(part)
		only, err := t.add(part)
		if err != nil {
			return term{}, err
		}
		if only != "" && named != "" && only != named {
			return term{}, pratique.Errorf(pratique.CodeInvalid, "%.80q joins %s and %s, which no single finding can be", text, named, only).
				WithRemedy("part them by a comma to block on either")
		}
		if only != "" {
			named = only
		}
	}
	if (t.subject == release || t.subject == coverage) && len(parts) > 1 {
		return term{}, pratique.Errorf(pratique.CodeInvalid, "%q cannot be joined with other conditions in %.80q", named, text).
			WithRemedy("part them by a comma to block on either")
	}
	return t, nil
}

// add reads one condition into t. It returns the word for what the condition
// speaks of, or "" for a severity, which goes with any finding.
func (t *term) add(part string) (only string, err error) {
	switch part {
	case "critical", "high", "medium", "low", "negligible":
		if t.severity != "" || t.unknown {
			return "", pratique.Errorf(pratique.CodeInvalid, "%.80q names two severities", t.text).
				WithRemedy("a severity means itself or worse: name the lower one")
		}
		t.severity = pratique.Severity(part)
		return "", nil
	case "unknown":
		if t.severity != "" {
			return "", pratique.Errorf(pratique.CodeInvalid, "%.80q names two severities", t.text).
				WithRemedy("part them by a comma to block on either")
		}
		t.unknown = true
		return "", nil
	case "kev":
		t.kev = true
		return "a vulnerability", nil
	case "fixable":
		t.fixable = true
		return "a vulnerability", nil
	case "malware":
		t.subject = malware
		return "malware", nil
	case "secret":
		t.subject = secrets
		return "a secret", nil
	case "eol":
		t.subject = release
		return "eol", nil
	case "incomplete":
		t.subject = coverage
		return "incomplete", nil
	}
	if value, ok := strings.CutPrefix(part, "epss"); ok {
		return "a vulnerability", t.addEPSS(strings.TrimSpace(value))
	}
	return "", pratique.Errorf(pratique.CodeInvalid, "%.40q is no condition of a gate", part).WithRemedy(remedy)
}

func (t *term) addEPSS(value string) error {
	number, ok := strings.CutPrefix(value, ">=")
	score, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	// Written so that NaN fails too.
	if !ok || err != nil || !(score >= 0 && score <= 1) {
		return pratique.Errorf(pratique.CodeInvalid, "%.40q is no EPSS condition", "epss"+value).
			WithRemedy(`write "epss>=X" with a score X from 0 to 1, such as "epss>=0.1"`)
	}
	t.epss, t.hasEPSS = score, true
	return nil
}

// String returns the gate as ParseGate reads it.
func (g Gate) String() string {
	texts := make([]string, len(g.terms))
	for i, t := range g.terms {
		texts[i] = t.text
	}
	return strings.Join(texts, ",")
}

// Empty tells whether the gate asks for nothing.
func (g Gate) Empty() bool { return len(g.terms) == 0 }

// Exit returns the exit code that a pipeline acts on: ExitBlocked when a term is
// met, ExitUnknown when none is but knowledge that one needs is missing, else
// ExitPass. An empty gate always passes.
func (g Gate) Exit(r *pratique.Report) int {
	if g.Empty() {
		return ExitPass
	}
	switch g.Judge(r).Clearance {
	case pratique.ClearanceNo:
		return ExitBlocked
	case pratique.ClearanceUnknown:
		return ExitUnknown
	}
	return ExitPass
}
