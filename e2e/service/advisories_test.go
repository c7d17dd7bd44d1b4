package service

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pratique/pratique"
)

// advisory is a vulnerability that the tests made up. Which planted package has it
// is decided by its number alone.
type advisory struct {
	cve       string
	ecosystem string
	name      string // of the source package
	severity  pratique.Severity
	fixed     string // "" while there is no fix
	below     int    // hits packages of a lower number; of those without one: all, or with -1 none
	exploited bool
	epss      float64
	modified  time.Time // zero: when the export was made
}

func (a advisory) hits(s software, ecosystem func(software) string) bool {
	return s.source == a.name && ecosystem(s) == a.ecosystem && (s.number < a.below || s.number == 0 && a.below >= 0)
}

// vectors give each severity by CVSS 3.1's own scale: 9.8, 7.5, 5.3 and 3.1.
var vectors = map[pratique.Severity]string{
	pratique.SeverityCritical: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
	pratique.SeverityHigh:     "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H",
	pratique.SeverityMedium:   "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N",
	pratique.SeverityLow:      "CVSS:3.1/AV:N/AC:H/PR:L/UI:N/S:U/C:L/I:N/A:N",
}

// record is an advisory in the OSV schema.
func (a advisory) record(modified time.Time) []byte {
	events := []map[string]string{{"introduced": "0"}}
	if a.fixed != "" {
		events = append(events, map[string]string{"fixed": a.fixed})
	}
	kind := "ECOSYSTEM"
	if a.ecosystem == "npm" || a.ecosystem == "Go" {
		kind = "SEMVER"
	}
	r := map[string]any{
		"schema_version": "1.6.7", "id": a.id(), "modified": modified.Format(time.RFC3339), "published": "2026-01-10T00:00:00Z",
		"summary": "a fault of " + a.name, "details": "It was made up for a test.",
		"affected": []any{map[string]any{
			"package": map[string]string{"ecosystem": a.ecosystem, "name": a.name},
			"ranges":  []any{map[string]any{"type": kind, "events": events}},
		}},
	}
	if strings.Contains(a.ecosystem, ":") {
		r["upstream"] = []string{a.cve}
	} else {
		r["aliases"] = []string{a.cve}
	}
	if v := vectors[a.severity]; v != "" {
		r["severity"] = []any{map[string]string{"type": "CVSS_V3", "score": v}}
	}
	text, err := json.Marshal(r)
	if err != nil {
		panic(err) // only texts and maps of them
	}
	return text
}

// id is the advisory's own, as its publisher writes it.
func (a advisory) id() string {
	publisher, _, _ := strings.Cut(a.ecosystem, ":")
	return strings.ToUpper(strings.ReplaceAll(publisher, " ", "")) + "-" + a.cve
}

// publisher is the folder of OSV's export that an ecosystem is in.
func (a advisory) publisher() string {
	name, _, _ := strings.Cut(a.ecosystem, ":")
	return name
}

// osv is one export with the records of one publisher.
func osv(all []advisory, publisher string, modified time.Time) ([]byte, error) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, a := range all {
		if a.publisher() != publisher {
			continue
		}
		w, err := z.Create(a.id() + ".json")
		if err != nil {
			return nil, err
		}
		at := a.modified
		if at.IsZero() {
			at = modified
		}
		if _, err := w.Write(a.record(at)); err != nil {
			return nil, err
		}
	}
	err := z.Close()
	return b.Bytes(), err
}

func publishers(all []advisory) []string {
	var names []string
	for _, a := range all {
		names = append(names, a.publisher())
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// kev is CISA's catalogue of what is exploited.
func kev(all []advisory) ([]byte, error) {
	type entry struct {
		CVE   string `json:"cveID"`
		Name  string `json:"vulnerabilityName"`
		Added string `json:"dateAdded"`
		Due   string `json:"dueDate"`
		Do    string `json:"requiredAction"`
	}
	var list []entry
	for _, a := range all {
		if a.exploited {
			list = append(list, entry{a.cve, a.cve, "2026-01-12", "2026-02-12", "Update."})
		}
	}
	return json.Marshal(map[string]any{"title": "Known exploited", "catalogVersion": "2026.01.12", "dateReleased": "2026-01-12T00:00:00Z", "count": len(list), "vulnerabilities": list})
}

// epss is FIRST's table of scores.
func epss(all []advisory) ([]byte, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	fmt.Fprint(z, "#model_version:v2026,score_date:2026-01-12T00:00:00+0000\ncve,epss,percentile\n")
	for _, a := range all {
		if a.epss > 0 {
			fmt.Fprintf(z, "%s,%.5f,0.5\n", a.cve, a.epss)
		}
	}
	err := z.Close()
	return b.Bytes(), err
}

// estateAdvisories is what is known about the estate's software. Packages of the
// real Debian have no number: an advisory hits all of them or none.
func estateAdvisories(debian string) []advisory {
	return []advisory{
		{cve: "CVE-2026-10001", ecosystem: debian, name: "apt", severity: pratique.SeverityCritical, fixed: "999:1", epss: 0.5},
		{cve: "CVE-2026-10002", ecosystem: debian, name: "util-linux", severity: pratique.SeverityMedium},
		{cve: "CVE-2026-10003", ecosystem: debian, name: "glibc", severity: pratique.SeverityHigh, fixed: "999", exploited: true},
		{cve: "CVE-2026-10004", ecosystem: debian, name: "bash", severity: pratique.SeverityCritical, fixed: "0.1", below: -1},
		{cve: "CVE-2026-10005", ecosystem: debian, name: "tar", severity: pratique.SeverityUnknown},
		{cve: "CVE-2026-10011", ecosystem: "Alpine:v3.22", name: "openssl", severity: pratique.SeverityHigh, fixed: "1.5.0-r0", below: 5, epss: 0.02},
		{cve: "CVE-2026-10012", ecosystem: "Alpine:v3.22", name: "musl", severity: pratique.SeverityLow, fixed: "1.5.0-r0", below: 5},
		{cve: "CVE-2026-10013", ecosystem: "Alpine:v3.22", name: "busybox", severity: pratique.SeverityCritical, fixed: "1.2.0-r0", below: 2},
		{cve: "CVE-2026-10021", ecosystem: "Rocky Linux:9", name: "glibc", severity: pratique.SeverityHigh, fixed: "0:1.5.0-1.el9", below: 5},
		{cve: "CVE-2026-10031", ecosystem: "npm", name: "lodash", severity: pratique.SeverityCritical, fixed: "1.5.0", below: 5, exploited: true, epss: 0.9},
		{cve: "CVE-2026-10032", ecosystem: "npm", name: "@scope/tool", severity: pratique.SeverityLow, fixed: "1.9.0", below: 9},
		{cve: "CVE-2026-10041", ecosystem: "PyPI", name: "pyyaml", severity: pratique.SeverityMedium, fixed: "1.5.0", below: 5},
		{cve: "CVE-2026-10042", ecosystem: "PyPI", name: "jinja2", severity: pratique.SeverityHigh, fixed: "1.9.0", below: 9, epss: 0.01},
		{cve: "CVE-2026-10051", ecosystem: "Maven", name: "org.apache.logging.log4j:log4j-core", severity: pratique.SeverityCritical, fixed: "1.5.0", below: 5, exploited: true, epss: 0.97},
		{cve: "CVE-2026-10061", ecosystem: "Go", name: "stdlib", severity: pratique.SeverityMedium, fixed: "999.0.0"},
	}
}
