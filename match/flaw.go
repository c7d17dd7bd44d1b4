package match

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/pratique/pratique"
)

// cveID finds the CVE at the end of an id: of itself, or of a distribution's
// record about it (DEBIAN-CVE-2024-1234, UBUNTU-CVE-2024-1234).
var cveID = regexp.MustCompile(`^(?:[A-Za-z]+-)?(CVE-[0-9]{4}-[0-9]{4,})$`)

func cveOf(id string) string {
	if m := cveID.FindStringSubmatch(id); m != nil {
		return m[1]
	}
	return ""
}

func cvesOf(ids []string) []string {
	var out []string
	for _, id := range ids {
		if c := cveOf(id); c != "" && !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	return out
}

// flawsOf returns the CVEs that a record speaks of. A record about a CVE speaks
// of that one. Otherwise they are its aliases and upstream ids. An advisory of a
// distribution that states neither names them as related; elsewhere "related" is
// anything nearby and counts for nothing.
func flawsOf(a *pratique.Advisory, system bool) []string {
	if c := cveOf(a.ID); c != "" {
		return []string{c}
	}
	cves := cvesOf(slices.Concat(a.Aliases, a.Upstream))
	if len(cves) == 0 && system {
		cves = cvesOf(a.Related)
	}
	return cves
}

// aliases resolves records without a CVE among the records of one package.
type aliases struct {
	next  map[string][]string // ids that name each other as aliases
	flaws map[string][]string // CVEs by id of a record that names some
}

func newAliases(records []*pratique.Advisory, system bool) *aliases {
	r := &aliases{map[string][]string{}, map[string][]string{}}
	for _, a := range records {
		if cves := flawsOf(a, system); len(cves) > 0 {
			r.flaws[a.ID] = cves
		}
		for _, b := range a.Aliases {
			if cveOf(b) == "" {
				r.next[a.ID] = append(r.next[a.ID], b)
				r.next[b] = append(r.next[b], a.ID)
			}
		}
	}
	return r
}

// resolve returns the flaws that a record speaks of, along its aliases: their
// CVEs, or one id that stands for all when no CVE is known. The walk does not
// pass through a CVE, because a record may name two of them as aliases that are
// not one flaw.
func (r *aliases) resolve(id string) []string {
	if cves := r.flaws[id]; len(cves) > 0 {
		return cves
	}
	seen := map[string]bool{id: true}
	ids := []string{id}
	var cves []string
	for i := 0; i < len(ids); i++ {
		if found := r.flaws[ids[i]]; len(found) > 0 {
			cves = append(cves, found...)
			continue
		}
		for _, next := range r.next[ids[i]] {
			if !seen[next] {
				seen[next] = true
				ids = append(ids, next)
			}
		}
	}
	if len(cves) > 0 {
		slices.Sort(cves)
		return slices.Compact(cves)
	}
	return []string{slices.MinFunc(ids, func(a, b string) int {
		return cmp.Or(cmp.Compare(idRank(a), idRank(b)), cmp.Compare(a, b))
	})}
}

// idRank prefers the id that most people know.
func idRank(id string) int {
	for i, prefix := range [...]string{"GHSA-", "GO-", "PYSEC-", "RUSTSEC-", "MAL-"} {
		if strings.HasPrefix(id, prefix) {
			return i
		}
	}
	return 9
}

// isRoutine tells whether an id is of an update that mends no flaw: bug fixes and
// enhancements, which some distributions publish beside their security advisories.
func isRoutine(id string) bool {
	kind, _, _ := strings.Cut(id, "-")
	switch kind {
	case "RHBA", "RHEA", "ALBA", "ALEA", "RLBA", "RLEA", "ELBA", "ELEA":
		return true
	}
	for _, prefix := range [...]string{"SUSE-RU-", "SUSE-FU-", "SUSE-OU-", "openSUSE-RU-", "openSUSE-FU-"} {
		if strings.HasPrefix(id, prefix) {
			return true
		}
	}
	return false
}

// pageOf is where the publisher of a record shows it.
func pageOf(id, ecosystem string) string {
	kind, _, _ := strings.Cut(id, "-")
	switch kind {
	case "GHSA":
		return "https://github.com/advisories/" + id
	case "GO":
		return "https://pkg.go.dev/vuln/" + id
	case "RUSTSEC":
		return "https://rustsec.org/advisories/" + id + ".html"
	case "RHSA", "RHBA", "RHEA":
		return "https://access.redhat.com/errata/" + id
	case "RLSA", "RXSA":
		return "https://errata.rockylinux.org/" + id
	case "ALSA", "ALBA", "ALEA":
		_, release, _ := strings.Cut(ecosystem, ":")
		return "https://errata.almalinux.org/" + release + "/" + strings.ReplaceAll(id, ":", "-") + ".html"
	case "USN":
		return "https://ubuntu.com/security/notices/" + id
	case "DSA", "DLA", "DTSA":
		return "https://security-tracker.debian.org/tracker/" + id
	}
	if cve := cveOf(id); cve != "" {
		switch family(ecosystem) {
		case "debian":
			return "https://security-tracker.debian.org/tracker/" + cve
		case "ubuntu":
			return "https://ubuntu.com/security/" + cve
		case "alpine":
			return "https://security.alpinelinux.org/vuln/" + cve
		}
	}
	return "https://osv.dev/vulnerability/" + id
}
