package match

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pratique/pratique"
)

// A verdict is what one record says of one version of one package.
type verdict struct {
	affected bool
	rng      string // the range that decided, as text: ">= 0, < 1.2"
	decision string // the comparison that decided, as text
	open     bool   // affected, and the record knows no end of it
	err      error  // a version could not be ordered; nothing is decided
}

// An interval is a run of affected versions. An empty to has no end.
type interval struct {
	from, to  string
	inclusive bool // to itself is affected
}

func (in interval) String() string {
	s := ">= " + in.from
	switch {
	case in.to == "":
		return s
	case in.inclusive:
		return s + ", <= " + in.to
	}
	return s + ", < " + in.to
}

// A judge compares one version of one package with records of one ecosystem. It
// keeps what it has parsed.
type judge struct {
	order   order
	version string
	parsed  version
	err     error // why version cannot be ordered
	parsedV map[string]version
}

func newJudge(o order, v string) *judge {
	j := &judge{order: o, version: v, parsedV: map[string]version{}}
	j.parsed, j.err = o.version(v)
	return j
}

func (j *judge) parse(s string) (version, error) {
	if v, ok := j.parsedV[s]; ok {
		return v, nil
	}
	v, err := j.order.version(s)
	if err == nil {
		j.parsedV[s] = v
	}
	return v, err
}

// compare orders two versions as written; "0" in an event is before everything.
func (j *judge) compare(a, b string) (int, error) {
	if a == b {
		return 0, nil
	}
	if a == "0" {
		return -1, nil
	}
	if b == "0" {
		return 1, nil
	}
	va, err := j.parse(a)
	if err != nil {
		return 0, err
	}
	vb, err := j.parse(b)
	if err != nil {
		return 0, err
	}
	return va.compare(vb)
}

// installed orders the installed version against one of an event.
func (j *judge) installed(event string) (int, error) {
	if event == "0" {
		return 1, nil
	}
	if j.err != nil {
		return 0, j.err
	}
	v, err := j.parse(event)
	if err != nil {
		return 0, err
	}
	return j.parsed.compare(v)
}

// judge follows OSV's evaluation
// (https://ossf.github.io/osv-schema/#evaluation): affected when the version is
// listed, or lies in any of the ranges.
func (j *judge) judge(a *pratique.Affected) verdict {
	if slices.Contains(a.Versions, j.version) {
		// The range that holds it, if any, is the better proof: it may name a fix.
		if in := j.ranges(a); in.affected {
			return in
		}
		return verdict{affected: true, rng: "listed versions", decision: j.version + " is listed as affected"}
	}
	if len(a.Ranges) == 0 && len(a.Versions) > 0 {
		return j.listed(a)
	}
	return j.ranges(a)
}

// listed compares with single versions by order, because "1.0" may stand for
// "1.0.0". A listed version that cannot be ordered is equal to itself only.
func (j *judge) listed(a *pratique.Affected) verdict {
	if j.err != nil {
		return verdict{err: j.err}
	}
	for _, s := range a.Versions {
		v, err := j.parse(s)
		if err != nil {
			continue
		}
		if c, err := j.parsed.compare(v); err == nil && c == 0 {
			return verdict{affected: true, rng: "listed versions", decision: fmt.Sprintf("%s = %s, which is listed as affected, in %s", j.version, s, j.order.name)}
		}
	}
	return verdict{rng: "listed versions", decision: j.version + " is not listed"}
}

// ranges finds the interval that holds the version. The error of a range that
// cannot be judged is returned only when no other range says "affected".
func (j *judge) ranges(a *pratique.Affected) verdict {
	out := verdict{decision: j.version + " lies in no affected range"}
	for _, r := range a.Ranges {
		runs, limits, err := j.intervals(r.Events)
		if err != nil {
			out.err = err
			continue
		}
		if out.rng == "" {
			out.rng = texts(runs)
		}
		v := j.within(runs, limits)
		if v.affected {
			return v
		}
		if v.err != nil {
			out.err = v.err
		}
		if v.decision != "" {
			out.decision = v.decision
		}
	}
	return out
}

func texts(runs []interval) string {
	list := make([]string, len(runs))
	for i, in := range runs {
		list[i] = in.String()
	}
	return strings.Join(list, " or ")
}

func (j *judge) within(runs []interval, limits []string) verdict {
	below := len(limits) == 0
	for _, l := range limits {
		if l == "*" {
			below = true
			break
		}
		c, err := j.installed(l)
		if err != nil {
			return verdict{err: err}
		}
		below = below || c < 0
	}
	if !below {
		return verdict{decision: fmt.Sprintf("%s is not below the record's limit %s", j.version, strings.Join(limits, ", "))}
	}
	var passed string
	for _, in := range runs {
		from, err := j.installed(in.from)
		if err != nil {
			return verdict{err: err}
		}
		if from < 0 {
			continue
		}
		if in.to == "" {
			return verdict{affected: true, open: true, rng: in.String(), decision: j.said(">=", in.from) + "; no fixed version is recorded"}
		}
		to, err := j.installed(in.to)
		if err != nil {
			return verdict{err: err}
		}
		switch {
		case to < 0 && in.inclusive:
			return verdict{affected: true, rng: in.String(), decision: j.said("<", in.to)}
		case to < 0:
			return verdict{affected: true, rng: in.String(), decision: j.said("<", in.to)}
		case to == 0 && in.inclusive:
			return verdict{affected: true, rng: in.String(), decision: j.said("=", in.to)}
		case in.inclusive:
			passed = j.said(">", in.to)
		default:
			passed = j.said(">=", in.to)
		}
	}
	return verdict{decision: passed}
}

// said is one comparison in words: "3.0.9-1 < 3.0.11-1 in dpkg's version order".
func (j *judge) said(op, v string) string {
	if v == "0" {
		return "every version is affected"
	}
	return j.version + " " + op + " " + v + " in " + j.order.name
}

// intervals turns events into runs of affected versions, in order. Events of the
// same version keep the order of the record.
func (j *judge) intervals(events []pratique.Event) (runs []interval, limits []string, err error) {
	type point struct {
		at string
		pratique.Event
	}
	var points []point
	for _, e := range events {
		if e.Limit != "" {
			limits = append(limits, e.Limit)
			continue
		}
		points = append(points, point{e.Introduced + e.Fixed + e.LastAffected, e})
	}
	if len(points) > 2 || len(points) == 2 && points[0].Introduced != "0" {
		slices.SortStableFunc(points, func(a, b point) int {
			c, failed := j.compare(a.at, b.at)
			if failed != nil && err == nil {
				err = failed
			}
			return c
		})
		if err != nil {
			return nil, nil, err
		}
	}
	open := false
	for _, p := range points {
		switch {
		case p.Introduced != "" && !open:
			runs = append(runs, interval{from: p.Introduced})
			open = true
		case p.Fixed != "" && open:
			runs[len(runs)-1].to = p.Fixed
			open = false
		case p.LastAffected != "" && open:
			runs[len(runs)-1].to, runs[len(runs)-1].inclusive = p.LastAffected, true
			open = false
		}
	}
	return runs, limits, nil
}

// fixes returns all versions above the installed one that any of the records
// calls fixed.
func (j *judge) fixes(records []*pratique.Affected) []string {
	var out []string
	for _, a := range records {
		for _, r := range a.Ranges {
			for _, e := range r.Events {
				if e.Fixed == "" || slices.Contains(out, e.Fixed) {
					continue
				}
				if c, err := j.installed(e.Fixed); err == nil && c < 0 {
					out = append(out, e.Fixed)
				}
			}
		}
	}
	slices.SortStableFunc(out, func(a, b string) int {
		c, _ := j.compare(a, b)
		return c
	})
	return out
}

// lowestFix returns the lowest version above the installed one that none of the
// records calls affected, or "".
func (j *judge) lowestFix(records []*pratique.Affected) string {
	for _, candidate := range j.fixes(records) {
		at := &judge{order: j.order, version: candidate, parsedV: j.parsedV}
		at.parsed, at.err = j.parse(candidate)
		if !slices.ContainsFunc(records, func(a *pratique.Affected) bool {
			v := at.judge(a)
			return v.affected || v.err != nil
		}) {
			return candidate
		}
	}
	return ""
}
