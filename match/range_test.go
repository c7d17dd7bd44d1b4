package match_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/match"
)

// included is the evaluation of OSV's specification, step by step as written
// there (https://ossf.github.io/osv-schema/#evaluation). ok is false when a version
// has no place in the order.
func included(v string, a *pratique.Affected) (affected, ok bool) {
	if slices.Contains(a.Versions, v) {
		return true, true
	}
	ok = true
	compare := func(a, b string) int { // two events, of which "0" is before everything
		switch {
		case a == b:
			return 0
		case a == "0":
			return -1
		case b == "0":
			return 1
		}
		c, err := match.Compare("npm", a, b)
		ok = ok && err == nil
		return c
	}
	reached := func(event string) int { // the version against an event
		if event == "0" {
			return 1
		}
		c, err := match.Compare("npm", v, event)
		ok = ok && err == nil
		return c
	}
	at := func(e pratique.Event) string { return e.Introduced + e.Fixed + e.LastAffected }
	for _, r := range a.Ranges {
		var events []pratique.Event
		limited, below := false, false
		for _, e := range r.Events {
			if e.Limit != "" {
				limited = true
				below = below || e.Limit == "*" || reached(e.Limit) < 0
				continue
			}
			reached(at(e))
			events = append(events, e)
		}
		slices.SortStableFunc(events, func(a, b pratique.Event) int { return compare(at(a), at(b)) })
		vulnerable := false
		for _, e := range events {
			switch {
			case e.Introduced != "" && reached(e.Introduced) >= 0:
				vulnerable = true
			case e.Fixed != "" && reached(e.Fixed) >= 0:
				vulnerable = false
			case e.LastAffected != "" && reached(e.LastAffected) > 0:
				vulnerable = false
			}
		}
		affected = affected || vulnerable && (below || !limited)
	}
	return affected, ok
}

// FuzzRange holds the judgement to the specification, whatever events a record
// has, and its fixed version to what "fixed" means.
func FuzzRange(f *testing.F) {
	f.Add("1.2.3", "introduced:0 fixed:1.3.0")
	f.Add("1.2.3", "introduced:1.0.0 last:1.2.3 introduced:2.0.0 fixed:2.1.0")
	f.Add("2.0.0", "fixed:1.4.2 introduced:2.0.0 introduced:1.2.0 fixed:2.1.0 limit:3.0.0")
	f.Add("1.0.0", "introduced:0 fixed:1.0.0 introduced:1.0.0 fixed:1.0.0")
	f.Add("1.0.0", "introduced:0 limit:0.9.0 limit:1.1.0")
	f.Add("1.0.0", "fixed:2.0.0")
	f.Add("1.0.0", "last:1.0.0 introduced:1.0.0")
	f.Fuzz(func(t *testing.T, installed, events string) {
		words := strings.Fields(events)
		if installed != strings.TrimSpace(installed) || len(words) == 0 || len(words) > 12 {
			return
		}
		for _, w := range words {
			kind, v, _ := strings.Cut(w, ":")
			if v == "" || !slices.Contains([]string{"introduced", "fixed", "last", "limit"}, kind) {
				return
			}
		}
		a := record("CVE-2024-0001", "npm", "x", words...)
		want, ok := included(installed, &a.Affected[0])
		if _, err := match.Compare("npm", installed, installed); err != nil || !ok {
			return // a problem is told instead: TestUnordered
		}
		r := judge(nil, know(a), pkg("npm", "x", installed))
		if got := len(r.Findings) == 1; got != want {
			t.Fatalf("%s in %q: affected is %v, the specification says %v", installed, events, got, want)
		}
		if !want || r.Findings[0].FixedVersion == "" {
			return
		}
		fixed := r.Findings[0].FixedVersion
		if c, err := match.Compare("npm", installed, fixed); err != nil || c >= 0 {
			t.Errorf("%s in %q: fixed in %s, which is not newer", installed, events, fixed)
		}
		if still, _ := included(fixed, &a.Affected[0]); still {
			t.Errorf("%s in %q: fixed in %s, which is affected", installed, events, fixed)
		}
	})
}
