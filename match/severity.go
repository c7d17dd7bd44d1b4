package match

import (
	"strings"

	gocvss20 "github.com/pandatix/go-cvss/20"
	gocvss30 "github.com/pandatix/go-cvss/30"
	gocvss31 "github.com/pandatix/go-cvss/31"
	gocvss40 "github.com/pandatix/go-cvss/40"

	"github.com/pratique/pratique"
)

// rate chooses a severity and says who gave it. In order: the distribution's own
// rating of this one flaw, where it rates flaws and not updates; CVSS 3.1, 3.0 or
// 4.0 of records that speak of this flaw alone; the same from the table of CVEs;
// of records about several flaws, which give their worst; CVSS 2.0; and last the
// publisher's word without a score.
func rate(single, shared []*evidence, cve *pratique.CVE) (pratique.Severity, string) {
	for _, e := range single {
		if s, ok := distroRating(e); ok {
			return s, family(e.ecosystem)
		}
	}
	var known []pratique.CVSS
	if cve != nil {
		known = cve.CVSS
	}
	for _, versions := range [][]string{{"3.1", "3.0", "4.0"}, {"2.0"}} {
		for _, list := range [][]pratique.CVSS{scoresOf(single), known} {
			if c, ok := pick(list, versions); ok {
				return c.Severity, "cvss " + c.Version + " by " + c.Source
			}
		}
		if c, ok := pick(scoresOf(shared), versions); ok {
			return c.Severity, "cvss " + c.Version + " by " + c.Source + worstOf
		}
	}
	for _, e := range single {
		if s, ok := severityOfWord(e.advisory.Rating); ok {
			return s, publisher(e.advisory.ID)
		}
	}
	for _, e := range shared {
		if s, ok := severityOfWord(e.advisory.Rating); ok {
			return s, publisher(e.advisory.ID) + worstOf
		}
	}
	for _, e := range single {
		if s, ok := severityOfWord(e.affected.Urgency); ok {
			return s, family(e.ecosystem) + " urgency"
		}
	}
	return pratique.SeverityUnknown, ""
}

// worstOf marks the rating of an update that mends several flaws.
const worstOf = ", the worst of several"

func family(ecosystem string) string {
	base, _, _ := strings.Cut(ecosystem, ":")
	return strings.ToLower(base)
}

// publisher names the database of an advisory id: "ghsa" of GHSA-xxxx.
func publisher(id string) string {
	if p, _, found := strings.Cut(id, "-"); found {
		return strings.ToLower(p)
	}
	return id
}

// distroRating is Ubuntu's priority, which its security team gives to each CVE
// with its own builds in mind, and Red Hat's rating.
func distroRating(e *evidence) (pratique.Severity, bool) {
	switch family(e.ecosystem) {
	case "ubuntu":
		if s, ok := severityOfWord(e.affected.Urgency); ok {
			return s, true
		}
		return severityOfWord(e.advisory.Rating)
	case "red hat", "almalinux", "rocky linux":
		return severityOfWord(e.advisory.Rating)
	}
	return "", false
}

// severityOfWord reads the words of GitHub, Red Hat, Ubuntu, SUSE and Debian.
func severityOfWord(word string) (pratique.Severity, bool) {
	switch strings.ToLower(strings.TrimRight(word, "*")) {
	case "critical":
		return pratique.SeverityCritical, true
	case "high", "important":
		return pratique.SeverityHigh, true
	case "medium", "moderate":
		return pratique.SeverityMedium, true
	case "low":
		return pratique.SeverityLow, true
	case "negligible", "none":
		return pratique.SeverityNegligible, true
	}
	return "", false
}

func scoresOf(list []*evidence) []pratique.CVSS {
	var out []pratique.CVSS
	for _, e := range list {
		for _, c := range append(e.affected.Severity[:len(e.affected.Severity):len(e.affected.Severity)], e.advisory.Severity...) {
			if c.Source == "" {
				c.Source = publisher(e.advisory.ID)
			}
			out = append(out, c)
		}
	}
	return out
}

// pick returns the first score of the first version that is there.
func pick(list []pratique.CVSS, versions []string) (pratique.CVSS, bool) {
	for _, v := range versions {
		for _, c := range list {
			if c.Version == v && c.Severity != "" {
				return c, true
			}
		}
	}
	return pratique.CVSS{}, false
}

// explained returns the scores without repeats, each with its vector in words.
func explained(list []pratique.CVSS) []pratique.CVSS {
	var out []pratique.CVSS
	seen := map[[2]string]bool{}
	for _, c := range list {
		k := [2]string{c.Vector, c.Source}
		if seen[k] {
			continue
		}
		seen[k] = true
		c.Meaning = Meaning(c.Vector)
		out = append(out, c)
	}
	return out
}

// Meaning puts a CVSS vector of version 2.0, 3.0, 3.1 or 4.0 in words, one line
// for each base metric, in the order of the specification: "Attack vector:
// network". It is nil for anything else.
func Meaning(vector string) []string {
	metrics, get := metricsOf(strings.Trim(vector, "()"))
	if get == nil {
		return nil
	}
	lines := make([]string, 0, len(metrics))
	for _, m := range metrics {
		value, err := get(m.key)
		if err != nil {
			continue
		}
		if word, ok := m.values[value]; ok {
			lines = append(lines, m.name+": "+word)
		}
	}
	return lines
}

func metricsOf(vector string) (metrics []metric, get func(string) (string, error)) {
	switch {
	case len(vector) > maxVersion:
	case strings.HasPrefix(vector, "CVSS:4.0/"):
		if v, err := gocvss40.ParseVector(vector); err == nil {
			return metrics40, v.Get
		}
	case strings.HasPrefix(vector, "CVSS:3.1/"):
		if v, err := gocvss31.ParseVector(vector); err == nil {
			return metrics3, v.Get
		}
	case strings.HasPrefix(vector, "CVSS:3.0/"):
		if v, err := gocvss30.ParseVector(vector); err == nil {
			return metrics3, v.Get
		}
	case strings.HasPrefix(vector, "AV:"):
		if v, err := gocvss20.ParseVector(vector); err == nil {
			return metrics2, v.Get
		}
	}
	return nil, nil
}

// A metric is one component of a vector, with the words of its values.
type metric struct {
	key, name string
	values    map[string]string
}

var (
	wordsImpact  = map[string]string{"H": "high", "L": "low", "N": "none"}
	wordsImpact2 = map[string]string{"C": "complete", "P": "partial", "N": "none"}
	wordsVector  = map[string]string{"N": "network", "A": "adjacent network", "L": "local", "P": "physical"}
)

// https://www.first.org/cvss/v2/guide, section 2.1
var metrics2 = []metric{
	{"AV", "Access vector", wordsVector},
	{"AC", "Access complexity", map[string]string{"L": "low", "M": "medium", "H": "high"}},
	{"Au", "Authentication", map[string]string{"M": "multiple times", "S": "once", "N": "none"}},
	{"C", "Confidentiality impact", wordsImpact2},
	{"I", "Integrity impact", wordsImpact2},
	{"A", "Availability impact", wordsImpact2},
}

// https://www.first.org/cvss/v3.1/specification-document, section 2
var metrics3 = []metric{
	{"AV", "Attack vector", wordsVector},
	{"AC", "Attack complexity", wordsImpact},
	{"PR", "Privileges required", wordsImpact},
	{"UI", "User interaction", map[string]string{"N": "none", "R": "required"}},
	{"S", "Scope", map[string]string{"U": "unchanged", "C": "changed"}},
	{"C", "Confidentiality impact", wordsImpact},
	{"I", "Integrity impact", wordsImpact},
	{"A", "Availability impact", wordsImpact},
}

// https://www.first.org/cvss/v4.0/specification-document, section 2
var metrics40 = []metric{
	{"AV", "Attack vector", wordsVector},
	{"AC", "Attack complexity", wordsImpact},
	{"AT", "Attack requirements", map[string]string{"N": "none", "P": "present"}},
	{"PR", "Privileges required", wordsImpact},
	{"UI", "User interaction", map[string]string{"N": "none", "P": "passive", "A": "active"}},
	{"VC", "Confidentiality of the vulnerable system", wordsImpact},
	{"VI", "Integrity of the vulnerable system", wordsImpact},
	{"VA", "Availability of the vulnerable system", wordsImpact},
	{"SC", "Confidentiality of other systems", wordsImpact},
	{"SI", "Integrity of other systems", wordsImpact},
	{"SA", "Availability of other systems", wordsImpact},
}
