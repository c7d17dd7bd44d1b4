package advisory

import (
	"strings"

	gocvss20 "github.com/pandatix/go-cvss/20"
	gocvss30 "github.com/pandatix/go-cvss/30"
	gocvss31 "github.com/pandatix/go-cvss/31"
	gocvss40 "github.com/pandatix/go-cvss/40"

	"github.com/pratique/pratique"
)

const maxVectorLen = 512

// ParseCVSS reads a CVSS vector of version 2.0, 3.0, 3.1 or 4.0 and computes its
// base score, 0 to 10, and rating. ok is false for anything else. Source is left
// empty.
func ParseCVSS(vector string) (c pratique.CVSS, ok bool) {
	vector = strings.Trim(strings.TrimSpace(vector), "()")
	if len(vector) > maxVectorLen {
		return c, false
	}
	version, score, ok := cvssScore(vector)
	if !ok {
		return c, false
	}
	return cvssOf(version, vector, score), true
}

func cvssScore(vector string) (version string, score float64, ok bool) {
	switch {
	case strings.HasPrefix(vector, "CVSS:4.0/"):
		v, err := gocvss40.ParseVector(vector)
		if err != nil {
			return "", 0, false
		}
		return "4.0", v.Score(), true
	case strings.HasPrefix(vector, "CVSS:3.1/"):
		v, err := gocvss31.ParseVector(vector)
		if err != nil {
			return "", 0, false
		}
		return "3.1", v.BaseScore(), true
	case strings.HasPrefix(vector, "CVSS:3.0/"):
		v, err := gocvss30.ParseVector(vector)
		if err != nil {
			return "", 0, false
		}
		return "3.0", v.BaseScore(), true
	case strings.HasPrefix(vector, "AV:"):
		v, err := gocvss20.ParseVector(vector)
		if err != nil {
			return "", 0, false
		}
		return "2.0", v.BaseScore(), true
	}
	return "", 0, false
}

func cvssOf(version, vector string, score float64) pratique.CVSS {
	return pratique.CVSS{Version: version, Vector: vector, Score: score, Severity: ratingOf(version, score)}
}

// ratingOf adds NVD's bands for CVSS 2.0, which has no "critical", to those of
// the specification of later versions.
func ratingOf(version string, score float64) pratique.Severity {
	if version == "2.0" && score >= 7 {
		return pratique.SeverityHigh
	}
	return pratique.SeverityOfScore(score)
}

// encodeCVSS keeps the score in tenths, the precision of the specification.
func encodeCVSS(e *encoder, list []pratique.CVSS, withSource bool) {
	e.len(len(list))
	for _, c := range list {
		e.string(c.Version)
		e.string(c.Vector)
		e.uint(uint64(c.Score*10 + 0.5))
		if withSource {
			e.string(c.Source)
		}
	}
}

func decodeCVSS(d *decoder, withSource bool) []pratique.CVSS {
	n := d.len()
	if n == 0 {
		return nil
	}
	list := make([]pratique.CVSS, 0, min(n, 16))
	for range n {
		version, vector := d.string(), d.string()
		c := cvssOf(version, vector, float64(min(d.uint(), 100))/10)
		if withSource {
			c.Source = d.string()
		}
		if d.bad {
			return nil
		}
		list = append(list, c)
	}
	return list
}
