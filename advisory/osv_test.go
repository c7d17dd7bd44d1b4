package advisory

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pratique/pratique"
)

func record(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "osv", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func parsed(t testing.TB, name string) *pratique.Advisory {
	t.Helper()
	a, err := ParseOSV(record(t, name), nil)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestParseDebian(t *testing.T) {
	got := parsed(t, "Debian/CVE-2023-90001.json")
	want := &pratique.Advisory{
		ID:        "CVE-2023-90001",
		Modified:  time.Date(2024, 2, 3, 4, 5, 6, 789_000_000, time.UTC),
		Published: time.Date(2023, 5, 1, 0, 0, 0, 0, time.UTC),
		Related:   []string{"DSA-9001-1"},
		Details:   "A crafted manifest makes harbourmaster write past the end of its berth table.",
		Severity: []pratique.CVSS{{Version: "3.1", Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
			Score: 9.8, Severity: pratique.SeverityCritical, Source: "CVE-2023-90001"}},
		References: []pratique.Reference{{Type: "ADVISORY", URL: "https://security.example.org/CVE-2023-90001"}},
		Affected: []pratique.Affected{
			{
				Ecosystem: "Debian:12", Name: "harbourmaster", Urgency: "high",
				Ranges:   []pratique.Range{{Type: "ECOSYSTEM", Events: []pratique.Event{{Introduced: "0"}, {Fixed: "3.0.11-1~deb12u2"}}}},
				Versions: []string{"3.0.9-1", "3.0.10-1", "3.0.11-1"},
			},
			{
				Ecosystem: "Debian:13", Name: "harbourmaster", Urgency: "unimportant",
				Ranges: []pratique.Range{{Type: "ECOSYSTEM", Events: []pratique.Event{{Introduced: "0"}}}},
			},
			{
				Ecosystem: "Alpine:v3.20", Name: "harbourmaster",
				Ranges: []pratique.Range{{Type: "ECOSYSTEM", Events: []pratique.Event{{Introduced: "0"}, {Fixed: "3.0.11-r0"}}}},
			},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestParsePublishersOwnFields(t *testing.T) {
	ghsa := parsed(t, "npm/GHSA-aaaa-bbbb-cccc.json")
	if ghsa.Rating != "MODERATE" || !reflect.DeepEqual(ghsa.CWEs, []string{"CWE-1321"}) {
		t.Errorf("rating %q, CWEs %v", ghsa.Rating, ghsa.CWEs)
	}
	if len(ghsa.Severity) != 2 || ghsa.Severity[0].Score != 6.1 || ghsa.Severity[1].Score != 9.3 || ghsa.Severity[0].Source != "ghsa" {
		t.Errorf("severity %+v", ghsa.Severity)
	}
	if events := ghsa.Affected[1].Ranges[0].Events; !reflect.DeepEqual(events, []pratique.Event{{Introduced: "3.0.0"}, {Limit: "3.1.0"}}) {
		t.Errorf("an event of two fields became %+v", events)
	}
	if w := parsed(t, "npm/GHSA-dddd-eeee-ffff.json"); w.Withdrawn == nil || w.Withdrawn.Year() != 2024 {
		t.Errorf("withdrawn %v", w.Withdrawn)
	}
	goVuln := parsed(t, "Go/GO-2024-9001.json")
	if want := []string{"example.org/mooring/rope#Tie", "example.org/mooring/rope#Rope.Untie", "example.org/mooring/knot"}; !reflect.DeepEqual(goVuln.Affected[0].Imports, want) {
		t.Errorf("imports %v", goVuln.Affected[0].Imports)
	}
	if !goVuln.Modified.IsZero() {
		t.Errorf("modified %v, want the zero time that the record has", goVuln.Modified)
	}
	alma := parsed(t, "AlmaLinux/ALSA-2024:9001.json")
	if a := alma.Affected[0]; alma.Rating != "Important" || a.Module != "harbourmaster:3" || !reflect.DeepEqual(a.Arches, []string{"x86_64"}) {
		t.Errorf("rating %q, module %q, arches %v", alma.Rating, a.Module, a.Arches)
	}
	ubuntu := parsed(t, "Ubuntu/UBUNTU-CVE-2023-90001.json")
	if a := ubuntu.Affected[0]; ubuntu.Rating != "medium" || a.Urgency != "low" || len(a.Severity) != 1 || a.Severity[0].Score != 2.5 {
		t.Errorf("rating %q, affected %+v", ubuntu.Rating, a)
	}
	dsa := parsed(t, "Debian/DSA-9001-1.json")
	if a := dsa.Affected[1]; a.FixState != "end_of_life" || a.Urgency != "end-of-life" {
		t.Errorf("fix state %q, urgency %q", a.FixState, a.Urgency)
	}
	rust := parsed(t, "crates.io/RUSTSEC-2024-9001.json").Affected[0]
	if rust.Urgency != "unsound" || !reflect.DeepEqual(rust.Arches, []string{"x86"}) || len(rust.Severity) != 1 || rust.Severity[0].Score != 7.5 {
		t.Errorf("RustSec: %+v", rust)
	}
}

func TestParseRefuses(t *testing.T) {
	many := strings.Repeat(`{"introduced":"0"},`, maxEvents) + `{"fixed":"1"}`
	for name, c := range map[string]struct{ record, reason string }{
		"not JSON":        {`{"id":`, "not a record"},
		"no id":           {`{"modified":"2024-01-01T00:00:00Z"}`, "no usable id"},
		"no date":         {`{"id":"X-1"}`, "modified"},
		"aliases no list": {`{"id":"X-1","modified":"2024-01-01T00:00:00Z","aliases":"CVE-1"}`, "not a record"},
		"long id":         {`{"id":"` + strings.Repeat("x", maxNameLen+1) + `","modified":"2024-01-01T00:00:00Z"}`, "no usable id"},
		"numbers as versions": {`{"id":"X-1","modified":"2024-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"a"},"versions":[1,2]}]}`,
			"list of strings"},
		"too many events": {`{"id":"X-1","modified":"2024-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"a"},"ranges":[{"type":"SEMVER","events":[` + many + `]}]}]}`,
			"events"},
		"long name": {`{"id":"X-1","modified":"2024-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"` + strings.Repeat("x", maxNameLen+1) + `"},"versions":["1"]}]}`,
			"longer than"},
		"long version": {`{"id":"X-1","modified":"2024-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"a"},"versions":["` + strings.Repeat("x", maxNameLen+1) + `"]}]}`,
			"longer than"},
		"too large": {strings.Repeat(" ", maxRecordBytes+1), "bytes"},
	} {
		if _, err := ParseOSV([]byte(c.record), nil); err == nil || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s: error %v, want one about %q", name, err, c.reason)
		}
	}
}

func TestParseIsLenient(t *testing.T) {
	a, err := ParseOSV([]byte(`{
		"id": "X-1", "modified": "2024-01-01T00:00:00Z", "published": "some day", "withdrawn": "some day", "aliases": null,
		"database_specific": ["a list"], "details": "`+strings.Repeat("ß", maxDetails)+`",
		"affected": [
			{"package": {"ecosystem": "npm", "name": "a"}, "versions": ["1\u002e0", "2"], "ecosystem_specific": 7},
			{"package": {"ecosystem": "npm", "name": "b"}},
			{"package": {"ecosystem": "npm", "name": "c"}, "versions": [ ]}
		]}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	if a.Withdrawn == nil || !a.Withdrawn.Equal(a.Modified) {
		t.Errorf("withdrawn %v: an unreadable date must still withdraw", a.Withdrawn)
	}
	if len(a.Details) > maxDetails || strings.Trim(a.Details, "ß") != "" {
		t.Errorf("details were cut to %d bytes, or within a character", len(a.Details))
	}
	if len(a.Affected) != 1 || !reflect.DeepEqual(a.Affected[0].Versions, []string{"1.0", "2"}) {
		t.Errorf("affected %+v", a.Affected)
	}
}

func TestPlainStringsAgreesWithJSON(t *testing.T) {
	for _, raw := range []string{`[]`, ` [ ]`, `["a"]`, "[ \"a\" ,\n\t\"b c\" ]", `["a,b","[c]"]`, `["\u0041"]`, `[1]`, `["a",null]`, `null`, `{}`} {
		got, ok := plainStrings([]byte(raw))
		if !ok {
			continue
		}
		var want []string
		if err := json.Unmarshal([]byte(raw), &want); err != nil || strings.Join(got, "|") != strings.Join(want, "|") {
			t.Errorf("%s: %q, encoding/json says %q (%v)", raw, got, want, err)
		}
	}
	if got, ok := plainStrings([]byte(`["1.0","1.1"]`)); !ok || len(got) != 2 {
		t.Errorf("a plain list was left to encoding/json: %v %v", got, ok)
	}
}

func TestParseCVSS(t *testing.T) {
	for vector, want := range map[string]struct {
		version  string
		score    float64
		severity pratique.Severity
	}{
		"AV:N/AC:L/Au:N/C:C/I:C/A:C":                                      {"2.0", 10, pratique.SeverityHigh}, // 2.0 knows no "critical"
		"(AV:N/AC:M/Au:N/C:N/I:P/A:N)":                                    {"2.0", 4.3, pratique.SeverityMedium},
		"CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L":                    {"3.0", 5.3, pratique.SeverityMedium},
		"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H":                    {"3.1", 10, pratique.SeverityCritical},
		"CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:N/I:N/A:N":                    {"3.1", 0, pratique.SeverityNegligible},
		"CVSS:4.0/AV:L/AC:L/AT:N/PR:L/UI:N/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N": {"4.0", 4.8, pratique.SeverityMedium},
	} {
		got, ok := ParseCVSS(vector)
		if !ok || got.Version != want.version || got.Score != want.score || got.Severity != want.severity {
			t.Errorf("%s: %+v, %v", vector, got, ok)
		}
	}
	for _, bad := range []string{"", "high", "CVSS:3.1/AV:N", "CVSS:9.9/AV:N", "AV:N/" + strings.Repeat("x", 1000)} {
		if got, ok := ParseCVSS(bad); ok {
			t.Errorf("%.40q was taken for %+v", bad, got)
		}
	}
}

func TestNormalize(t *testing.T) {
	for _, c := range [][3]string{
		{"PyPI", "Harbour_Buoy.lib", "harbour-buoy-lib"},
		{"PyPI", "a--b__c.-d", "a-b-c-d"},
		{"NuGet", "Newtonsoft.Json", "newtonsoft.json"},
		{"Packagist", "Symfony/HTTP-Kernel", "symfony/http-kernel"},
		{"crates.io", "Tide_Table", "tide-table"},
		{"SwiftURL", "https://GitHub.com/apple/swift-nio.git", "github.com/apple/swift-nio"},
		{"npm", "JSONStream", "JSONStream"},
		{"Go", "github.com/Masterminds/semver", "github.com/Masterminds/semver"},
		{"Debian:12", "libX11", "libX11"},
		{"Maven", "org.A:b_c", "org.A:b_c"},
	} {
		if got := Normalize(c[0], c[1]); got != c[2] {
			t.Errorf("Normalize(%q, %q) = %q, want %q", c[0], c[1], got, c[2])
		}
	}
}

func FuzzParseOSV(f *testing.F) {
	files, _ := filepath.Glob("testdata/osv/*/*.json")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := ParseOSV(data, nil)
		if err != nil {
			return
		}
		// What was parsed survives the bundle unchanged.
		d, err := decodeShared(encodeShared(a))
		if err != nil {
			t.Fatal(err)
		}
		if d.ID != a.ID || !reflect.DeepEqual(d.Aliases, a.Aliases) || d.Details != a.Details || len(d.References) != len(a.References) {
			t.Errorf("%+v came back as %+v", a, d)
		}
		for i := range a.Affected {
			in := &a.Affected[i]
			dec := decoder{s: string(encodeAffected(in))}
			out := decodeAffected(&dec, in.Ecosystem, Normalize(in.Ecosystem, in.Name))
			out.Versions = in.Versions
			if dec.bad || out.Name != in.Name || !reflect.DeepEqual(out.Ranges, in.Ranges) || !reflect.DeepEqual(out.Arches, in.Arches) {
				t.Errorf("%+v came back as %+v", in, out)
			}
		}
	})
}
