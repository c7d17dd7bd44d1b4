package match_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/match"
)

// library is knowledge kept in memory.
type library struct {
	records map[[2]string][]*pratique.Advisory
	cves    map[string]*pratique.CVE
	lookUps int
}

func (l *library) Ecosystems() []string {
	var out []string
	for k := range l.records {
		if !slices.Contains(out, k[0]) {
			out = append(out, k[0])
		}
	}
	return out
}

func (l *library) Advisories(ecosystem, name string) ([]*pratique.Advisory, error) {
	l.lookUps++
	return l.records[[2]string{ecosystem, name}], nil
}

func (l *library) CVE(id string) (*pratique.CVE, error) { return l.cves[id], nil }

// know files records under every package that they name.
func know(records ...pratique.Advisory) *library {
	l := &library{records: map[[2]string][]*pratique.Advisory{}, cves: map[string]*pratique.CVE{}}
	for _, a := range records {
		for _, f := range a.Affected {
			k := [2]string{f.Ecosystem, f.Name}
			if slices.ContainsFunc(l.records[k], func(o *pratique.Advisory) bool { return o.ID == a.ID }) {
				continue
			}
			one := a
			one.Affected = slices.DeleteFunc(slices.Clone(a.Affected), func(o pratique.Affected) bool { return o.Ecosystem != k[0] || o.Name != k[1] })
			l.records[k] = append(l.records[k], &one)
		}
	}
	return l
}

// record is an advisory about one package; events are "introduced:0", "fixed:1.2".
func record(id, ecosystem, name string, events ...string) pratique.Advisory {
	f := pratique.Affected{Ecosystem: ecosystem, Name: name}
	var list []pratique.Event
	for _, e := range events {
		kind, v, _ := strings.Cut(e, ":")
		switch kind {
		case "introduced":
			list = append(list, pratique.Event{Introduced: v})
		case "fixed":
			list = append(list, pratique.Event{Fixed: v})
		case "last":
			list = append(list, pratique.Event{LastAffected: v})
		case "limit":
			list = append(list, pratique.Event{Limit: v})
		case "version":
			f.Versions = append(f.Versions, v)
		default:
			panic(e)
		}
	}
	if list != nil {
		f.Ranges = []pratique.Range{{Type: "ECOSYSTEM", Events: list}}
	}
	return pratique.Advisory{ID: id, Feed: "osv/test", Affected: []pratique.Affected{f}, Modified: time.Date(2025, 1, 2, 0, 0, 0, 0, time.UTC)}
}

func related(a pratique.Advisory, ids ...string) pratique.Advisory { a.Related = ids; return a }
func aliased(a pratique.Advisory, ids ...string) pratique.Advisory { a.Aliases = ids; return a }
func titled(a pratique.Advisory, s string) pratique.Advisory       { a.Summary = s; return a }
func urgent(a pratique.Advisory, s string) pratique.Advisory       { a.Affected[0].Urgency = s; return a }

var (
	debian12 = &pratique.Distro{ID: "debian", Version: "12", Name: "Debian GNU/Linux 12 (bookworm)"}
	rhel9    = &pratique.Distro{ID: "rhel", Version: "9.3", CPEName: "cpe:/o:redhat:enterprise_linux:9::baseos"}
	alma8    = &pratique.Distro{ID: "almalinux", Version: "8.9"}
	today    = time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)
)

func judge(d *pratique.Distro, l match.Knowledge, packages ...pratique.Package) match.Result {
	return match.Vulnerabilities(context.Background(), match.Target{Distro: d, Packages: packages}, l, today)
}

// said is a finding in one line: id, package, fix state and fixed version.
func said(r match.Result) []string {
	out := []string{}
	for _, f := range r.Findings {
		s := f.ID + " " + f.Package.Name + " " + string(f.FixState)
		if f.FixedVersion != "" {
			s += " " + f.FixedVersion
		}
		if f.Unimportant {
			s += " unimportant"
		}
		out = append(out, s)
	}
	return out
}

func deb(name, version string) pratique.Package {
	return pratique.Package{Type: "deb", Name: name, Version: version, Arch: "amd64", Path: "var/lib/dpkg/status"}
}

func of(p pratique.Package, source, version string) pratique.Package {
	p.Source = &pratique.Source{Name: source, Version: version}
	return p
}

func pkg(kind, name, version string) pratique.Package {
	return pratique.Package{Type: kind, Name: name, Version: version}
}

// Each case is one rule of the judgement.
func TestVulnerabilities(t *testing.T) {
	lib3 := of(deb("libssl3", "3.0.9-1"), "openssl", "3.0.9-1")
	module := func(version, label string) pratique.Package {
		return pratique.Package{Type: "rpm", Name: "nodejs", Version: version, Module: label, Arch: "x86_64"}
	}
	for _, c := range []struct {
		rule     string
		distro   *pratique.Distro
		records  []pratique.Advisory
		packages []pratique.Package
		want     []string
	}{
		{"the source package is what Debian's records name", debian12,
			[]pratique.Advisory{record("CVE-2024-0001", "Debian:12", "openssl", "introduced:0", "fixed:3.0.11-1~deb12u2"), record("CVE-2024-0002", "Debian:12", "libssl3", "introduced:0")},
			[]pratique.Package{lib3}, []string{"CVE-2024-0001 libssl3 fixed 3.0.11-1~deb12u2"}},
		{"another release is another ecosystem", debian12,
			[]pratique.Advisory{record("CVE-2024-0001", "Debian:11", "openssl", "introduced:0"), record("CVE-2024-0003", "Debian:12", "zlib", "introduced:0")},
			[]pratique.Package{lib3}, []string{}},
		{"the version of the source counts, not of the binary", debian12,
			[]pratique.Advisory{record("CVE-2024-0001", "Debian:12", "src", "introduced:0", "fixed:2.0-1")},
			[]pratique.Package{of(deb("bin", "7:9.0-1"), "src", "1.0-1"), of(deb("bin2", "0.1"), "src", "2.0-1")}, []string{"CVE-2024-0001 bin fixed 2.0-1"}},
		{"unfixed, and without effect", debian12,
			[]pratique.Advisory{urgent(record("CVE-2024-0001", "Debian:12", "openssl", "introduced:0"), "unimportant"), record("CVE-2024-0002", "Debian:12", "openssl", "introduced:0")},
			[]pratique.Package{lib3}, []string{"CVE-2024-0001 libssl3 not_fixed unimportant", "CVE-2024-0002 libssl3 not_fixed"}},
		{"an advisory about several CVEs gives a finding for each, one in two records is folded", debian12,
			[]pratique.Advisory{record("CVE-2024-0001", "Debian:12", "openssl", "introduced:0", "fixed:3.0.11-1"), related(record("DSA-1-1", "Debian:12", "openssl", "introduced:0", "fixed:3.0.11-1"), "CVE-2024-0001", "CVE-2024-0002", "USN-1-1")},
			[]pratique.Package{lib3}, []string{"CVE-2024-0001 libssl3 fixed 3.0.11-1", "CVE-2024-0002 libssl3 fixed 3.0.11-1"}},
		{"a CVE record without a fix takes that of the distribution's advisory", debian12,
			[]pratique.Advisory{record("DEBIAN-CVE-2024-0001", "Debian:12", "openssl", "introduced:0"), related(record("DSA-1-1", "Debian:12", "openssl", "introduced:0", "fixed:3.0.11-1"), "CVE-2024-0001")},
			[]pratique.Package{lib3}, []string{"CVE-2024-0001 libssl3 fixed 3.0.11-1"}},
		{"and with that fix installed it is no finding", debian12,
			[]pratique.Advisory{record("CVE-2024-0001", "Debian:12", "openssl", "introduced:0"), related(record("DSA-1-1", "Debian:12", "openssl", "introduced:0", "fixed:3.0.9-1"), "CVE-2024-0001")},
			[]pratique.Package{lib3}, []string{}},
		{"the CVE record overrules an advisory when it says not affected", debian12,
			[]pratique.Advisory{record("CVE-2024-0001", "Debian:12", "openssl", "introduced:0", "fixed:3.0.8-1"), related(record("DSA-1-1", "Debian:12", "openssl", "introduced:0", "fixed:3.0.11-1"), "CVE-2024-0001")},
			[]pratique.Package{lib3}, []string{}},
		{"upstream ids come before related ones", debian12,
			[]pratique.Advisory{func() pratique.Advisory {
				a := related(record("DSA-1-1", "Debian:12", "openssl", "introduced:0"), "CVE-2024-0009")
				a.Upstream = []string{"CVE-2024-0001"}
				return a
			}()},
			[]pratique.Package{lib3}, []string{"CVE-2024-0001 libssl3 not_fixed"}},
		{"a withdrawn record says nothing", debian12,
			[]pratique.Advisory{func() pratique.Advisory {
				a := record("CVE-2024-0001", "Debian:12", "openssl", "introduced:0")
				a.Withdrawn = &today
				return a
			}()},
			[]pratique.Package{lib3}, []string{}},
		{"will not be fixed", debian12,
			[]pratique.Advisory{func() pratique.Advisory {
				a := record("CVE-2024-0001", "Debian:12", "openssl", "introduced:0")
				a.Affected[0].FixState = "end_of_life"
				return a
			}()},
			[]pratique.Package{lib3}, []string{"CVE-2024-0001 libssl3 will_not_fix"}},
		{"aliases are folded across GHSA, PYSEC and CVE", nil,
			[]pratique.Advisory{aliased(record("GHSA-aaaa-bbbb-cccc", "PyPI", "django", "introduced:0", "fixed:2.0"), "CVE-2024-0001"), aliased(record("PYSEC-2024-1", "PyPI", "django", "introduced:0", "fixed:2.0.1"), "GHSA-aaaa-bbbb-cccc")},
			[]pratique.Package{pkg("pypi", "django", "1.0")}, []string{"CVE-2024-0001 django fixed 2.0.1"}},
		{"two CVEs that share an alias stay two", nil,
			[]pratique.Advisory{aliased(record("GO-2024-0001", "Go", "example.com/x", "introduced:0", "fixed:1.5.0"), "CVE-2024-0001", "CVE-2024-0002"), aliased(record("GHSA-aaaa-bbbb-cccc", "Go", "example.com/x", "introduced:0", "fixed:1.4.0"), "CVE-2024-0001")},
			[]pratique.Package{pkg("golang", "example.com/x", "v1.3.0")}, []string{"CVE-2024-0001 example.com/x fixed 1.5.0", "CVE-2024-0002 example.com/x fixed 1.5.0"}},
		{"no CVE: the id that most people know", nil,
			[]pratique.Advisory{aliased(record("RUSTSEC-2024-0001", "crates.io", "x", "introduced:0.0.0-0", "fixed:1.0.0"), "GHSA-aaaa-bbbb-cccc")},
			[]pratique.Package{pkg("cargo", "x", "0.9.0")}, []string{"GHSA-aaaa-bbbb-cccc x fixed 1.0.0"}},
		{"related ids of a language record count for nothing", nil,
			[]pratique.Advisory{related(record("GHSA-aaaa-bbbb-cccc", "npm", "x", "introduced:0"), "CVE-2024-0009")},
			[]pratique.Package{pkg("npm", "x", "1.0.0")}, []string{"GHSA-aaaa-bbbb-cccc x not_fixed"}},
		{"several ranges, in any order of events", nil,
			[]pratique.Advisory{record("CVE-2024-0001", "npm", "x", "fixed:1.4.2", "introduced:2.0.0", "introduced:1.2.0", "fixed:2.1.0")},
			[]pratique.Package{pkg("npm", "x", "1.1.9"), pkg("npm", "x", "1.4.1"), pkg("npm", "x", "1.4.2"), pkg("npm", "x", "2.0.0-rc.1"), pkg("npm", "x", "2.0.5")},
			[]string{"CVE-2024-0001 x fixed 1.4.2", "CVE-2024-0001 x fixed 2.1.0"}},
		{"last_affected is affected, and names no fix", nil,
			[]pratique.Advisory{record("CVE-2024-0001", "npm", "x", "introduced:0", "last:1.5.0")},
			[]pratique.Package{pkg("npm", "x", "1.5.0"), pkg("npm", "x", "1.5.1")}, []string{"CVE-2024-0001 x unknown"}},
		{"a limit ends what the record speaks of", nil,
			[]pratique.Advisory{record("CVE-2024-0001", "npm", "x", "introduced:0", "limit:2.0.0")},
			[]pratique.Package{pkg("npm", "x", "1.0.0"), pkg("npm", "x", "2.0.0")}, []string{"CVE-2024-0001 x not_fixed"}},
		{"single versions, by order where there is no range", nil,
			[]pratique.Advisory{record("CVE-2024-0001", "PyPI", "x", "version:1.0.0", "version:bogus!")},
			[]pratique.Package{pkg("pypi", "x", "1.0"), pkg("pypi", "x", "1.1")}, []string{"CVE-2024-0001 x unknown"}},
		{"a listed version outside of the range is affected", nil,
			[]pratique.Advisory{record("CVE-2024-0001", "PyPI", "x", "introduced:2.0", "fixed:2.5", "version:1.0")},
			[]pratique.Package{pkg("pypi", "x", "1.0")}, []string{"CVE-2024-0001 x fixed 2.5"}},
		{"a prerelease is older than its release", nil,
			[]pratique.Advisory{record("CVE-2024-0001", "npm", "x", "introduced:0", "fixed:1.0.0")},
			[]pratique.Package{pkg("npm", "x", "1.0.0-rc.1")}, []string{"CVE-2024-0001 x fixed 1.0.0"}},
		{"the Go release itself", nil,
			[]pratique.Advisory{aliased(record("GO-2024-0001", "Go", "stdlib", "introduced:0", "fixed:1.21.11", "introduced:1.22.0-0", "fixed:1.22.4"), "CVE-2024-0001")},
			[]pratique.Package{pkg("golang", "stdlib", "go1.22rc1"), pkg("golang", "stdlib", "1.21.11")}, []string{"CVE-2024-0001 stdlib fixed 1.22.4"}},
		{"all streams of a RHEL release, not its extended contracts", rhel9,
			[]pratique.Advisory{related(record("RHSA-2024:0001", "Red Hat:enterprise_linux:9::appstream", "nginx", "introduced:0", "fixed:1:1.20.1-14.el9"), "CVE-2024-0001"), related(record("RHSA-2024:0002", "Red Hat:enterprise_linux:9::baseos", "nginx", "introduced:0", "fixed:1:1.20.1-15.el9"), "CVE-2024-0002"),
				related(record("RHSA-2024:0003", "Red Hat:rhel_eus:9.2::appstream", "nginx", "introduced:0", "fixed:1:9-1.el9_2"), "CVE-2024-0003"), related(record("RHSA-2024:0004", "Red Hat:enterprise_linux:8::appstream", "nginx", "introduced:0", "fixed:1:9-1.el8"), "CVE-2024-0004")},
			[]pratique.Package{of(pkg("rpm", "nginx", "1:1.20.1-13.el9"), "nginx-src", "1")}, []string{"CVE-2024-0001 nginx fixed 1:1.20.1-14.el9", "CVE-2024-0002 nginx fixed 1:1.20.1-15.el9"}},
		{"an update for the installed minor release is enough", rhel9,
			[]pratique.Advisory{related(record("RHSA-2024:0001", "Red Hat:enterprise_linux:9::baseos", "glibc", "introduced:0", "fixed:0:2.34-60.el9_2.14"), "CVE-2024-0001"), related(record("RHSA-2024:0002", "Red Hat:enterprise_linux:9::baseos", "glibc", "introduced:0", "fixed:0:2.34-83.el9_3.12"), "CVE-2024-0001")},
			[]pratique.Package{pkg("rpm", "glibc", "2.34-60.el9_2.14"), pkg("rpm", "glibc", "2.34-60.el9_2.9"), pkg("rpm", "glibc", "2.34-83.el9")}, []string{"CVE-2024-0001 glibc fixed 0:2.34-83.el9_3.12", "CVE-2024-0001 glibc fixed 0:2.34-83.el9_3.12"}},
		{"a module's record is for that stream only", alma8,
			[]pratique.Advisory{titled(related(record("ALSA-2024:0001", "AlmaLinux:8", "nodejs", "introduced:0", "fixed:1:18.2.0-1.module_el8.9.0+1+abc"), "CVE-2024-0001"), "Important: nodejs:18 security update"), related(record("ALSA-2024:0002", "AlmaLinux:8", "nodejs", "introduced:0", "fixed:1:99-1.el8"), "CVE-2024-0002")},
			[]pratique.Package{module("1:18.1.0-1.module_el8.9.0+1+abc", "nodejs:18:8090:abc:x86_64"), module("1:16.1.0-1.module_el8.9.0+1+abc", "nodejs:16:8090:abc:x86_64")}, []string{"CVE-2024-0001 nodejs fixed 1:18.2.0-1.module_el8.9.0+1+abc"}},
		{"without a module, a module's record is not for it", alma8,
			[]pratique.Advisory{related(record("ALSA-2024:0001", "AlmaLinux:8", "nodejs", "introduced:0", "fixed:1:18.2.0-1.module_el8.9.0+1+abc"), "CVE-2024-0001"), related(record("ALSA-2024:0002", "AlmaLinux:8", "nodejs", "introduced:0", "fixed:1:99-1.el8"), "CVE-2024-0002")},
			[]pratique.Package{module("1:1-1.el8", "")}, []string{"CVE-2024-0002 nodejs fixed 1:99-1.el8"}},
		{"any build of a module's fix will do", alma8,
			[]pratique.Advisory{func() pratique.Advisory {
				a := related(record("ALSA-2024:0001", "AlmaLinux:8", "nodejs", "introduced:0", "fixed:1:18-2.module_el8.9.0+1+abc"), "CVE-2024-0001")
				a.Affected = append(a.Affected, record("", "AlmaLinux:8", "nodejs", "introduced:0", "fixed:1:18-2.module_el8.4.0+9+abc").Affected...)
				return a
			}()},
			[]pratique.Package{module("1:18-2.module_el8.4.0+9+abc", "nodejs:18")}, []string{}},
		{"a bug fix without a CVE is no vulnerability", alma8,
			[]pratique.Advisory{record("ALBA-2024:0001", "AlmaLinux:8", "nodejs", "introduced:0", "fixed:1:99-1.el8"), record("ALSA-2024:0009", "AlmaLinux:8", "nodejs", "introduced:0", "fixed:1:99-1.el8")},
			[]pratique.Package{module("1:1-1.el8", "")}, []string{"ALSA-2024:0009 nodejs fixed 1:99-1.el8"}},
		{"a record limited to an architecture", alma8,
			[]pratique.Advisory{func() pratique.Advisory {
				a := related(record("ALSA-2024:0001", "AlmaLinux:8", "nodejs", "introduced:0"), "CVE-2024-0001")
				a.Affected[0].Arches = []string{"aarch64"}
				return a
			}()},
			[]pratique.Package{module("1:1-1.el8", "")}, []string{}},
		{"a language package of the distribution is judged by the distribution", debian12,
			[]pratique.Advisory{record("CVE-2024-0001", "PyPI", "requests", "introduced:0", "fixed:9"), record("CVE-2024-0002", "Debian:12", "requests", "introduced:0")},
			[]pratique.Package{{Type: "pypi", Name: "requests", Version: "2.0", OwnedBy: "python3-requests"}, {Type: "pypi", Name: "requests", Version: "2.1", Declared: true}}, []string{"CVE-2024-0001 requests fixed 9"}},
		{"but by itself when the distribution's feed is missing", debian12,
			[]pratique.Advisory{record("CVE-2024-0001", "PyPI", "requests", "introduced:0", "fixed:9")},
			[]pratique.Package{{Type: "pypi", Name: "requests", Version: "2.0", OwnedBy: "python3-requests"}}, []string{"CVE-2024-0001 requests fixed 9"}},
		{"SUSE names source packages in its modules", &pratique.Distro{ID: "sles", Version: "15.5"},
			[]pratique.Advisory{related(record("SUSE-SU-2024:1-1", "SUSE:Linux Enterprise Module for Basesystem 15 SP5", "openssl-1_1", "introduced:0", "fixed:1.1.1l-2"), "CVE-2024-0001"), related(record("SUSE-SU-2024:2-1", "SUSE:Linux Enterprise Server 15 SP5-LTSS", "openssl-1_1", "introduced:0"), "CVE-2024-0002"), related(record("SUSE-SU-2024:3-1", "SUSE:Linux Enterprise Server 15 SP5", "libopenssl1_1", "introduced:0", "fixed:9-1"), "CVE-2024-0003")},
			[]pratique.Package{of(pkg("rpm", "libopenssl1_1", "1.1.1l-1"), "openssl-1_1", "1.1.1l-1")}, []string{"CVE-2024-0001 libopenssl1_1 fixed 1.1.1l-2", "CVE-2024-0003 libopenssl1_1 fixed 9-1"}},
		{"an unmaintained crate is no vulnerability of its own", nil,
			[]pratique.Advisory{urgent(record("RUSTSEC-2024-0001", "crates.io", "x", "introduced:0.0.0-0"), "unmaintained")},
			[]pratique.Package{pkg("cargo", "x", "0.9.0")}, []string{"RUSTSEC-2024-0001 x not_fixed unimportant"}},
	} {
		if got := said(judge(c.distro, know(c.records...), c.packages...)); !slices.Equal(got, c.want) {
			t.Errorf("%s:\n got %q\nwant %q", c.rule, got, c.want)
		}
	}
}

func TestProof(t *testing.T) {
	dsa := related(record("DSA-1-1", "Debian:12", "openssl", "introduced:0", "fixed:3.0.11-1~deb12u2"), "CVE-2024-0001")
	r := judge(debian12, know(record("CVE-2024-0001", "Debian:12", "openssl", "introduced:0"), dsa), of(deb("libssl3", "3.0.9-1"), "openssl", "3.0.9-1"))
	if len(r.Findings) != 1 || len(r.Findings[0].Proof) != 2 {
		t.Fatalf("got %+v", r.Findings)
	}
	want := pratique.Proof{
		Advisory: "DSA-1-1", Revision: dsa.Modified, Feed: "osv/test", Ecosystem: "Debian:12", Name: "openssl", Version: "3.0.9-1",
		Range: ">= 0, < 3.0.11-1~deb12u2", URL: "https://security-tracker.debian.org/tracker/DSA-1-1",
		Decision: "3.0.9-1 < 3.0.11-1~deb12u2 in dpkg's version order; source package openssl of libssl3",
	}
	if got := r.Findings[0].Proof[1]; got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	advice := r.Findings[0].FixAdvice
	if !strings.Contains(advice.EN, "apt-get install --only-upgrade libssl3=3.0.11-1~deb12u2") && !strings.Contains(advice.EN, "'libssl3=3.0.11-1~deb12u2'") || !strings.Contains(advice.ZH, "升级") {
		t.Errorf("advice is %+v", advice)
	}
}

// What cannot be ordered is a problem, and the answer is partial.
func TestUnordered(t *testing.T) {
	l := know(record("CVE-2024-0001", "npm", "x", "introduced:0", "fixed:1.0.0"), record("CVE-2024-0002", "npm", "y", "introduced:0", "fixed:one"), record("CVE-2024-0003", "npm", "x", "introduced:0"))
	r := judge(nil, l, pkg("npm", "x", "workspace:*"), pkg("npm", "y", "1.0.0"), pkg("npm", "nothing-known", "latest"))
	if got := said(r); !slices.Equal(got, []string{"CVE-2024-0003 x not_fixed"}) {
		t.Errorf("findings are %q", got)
	}
	if len(r.Problems) != 2 || r.Coverage.State != pratique.CoveragePartial {
		t.Errorf("problems %+v, coverage %+v", r.Problems, r.Coverage)
	}
}

func TestCoverage(t *testing.T) {
	ubuntu := know(record("UBUNTU-CVE-2024-0001", "Ubuntu:24.04:LTS", "x", "introduced:0"), record("USN-1-1", "Ubuntu:Pro:24.04:LTS", "x", "introduced:0"), record("GHSA-aaaa-bbbb-cccc", "npm", "x", "introduced:0"))
	bullseye := &pratique.Distro{ID: "debian", Version: "11", Name: "Debian GNU/Linux 11 (bullseye)"}
	buster := know(record("CVE-2024-0001", "Debian:10", "x", "introduced:0"))
	for _, c := range []struct {
		name     string
		distro   *pratique.Distro
		k        match.Knowledge
		packages []pratique.Package
		state    pratique.Coverage
		reason   string
	}{
		{"nothing loaded", debian12, nil, []pratique.Package{deb("x", "1")}, pratique.CoverageUnknown, "no advisory feed is loaded"},
		{"an empty bundle", debian12, know(), nil, pratique.CoverageUnknown, "no advisory feed is loaded"},
		{"no feed for the distribution", bullseye, ubuntu, []pratique.Package{deb("x", "1")}, pratique.CoverageUnknown, "no advisory feed for Debian:11 is loaded: 1 package not judged"},
		{"no feed for a language", nil, ubuntu, []pratique.Package{pkg("gem", "x", "1"), pkg("npm", "y", "1.0.0")}, pratique.CoveragePartial, "no advisory feed for RubyGems is loaded: 1 package not judged"},
		{"no feed exists", &pratique.Distro{ID: "arch", Name: "Arch Linux"}, ubuntu, []pratique.Package{pkg("alpm", "x", "1")}, pratique.CoverageUnknown, "no advisory feed exists for Arch Linux: 1 package not judged"},
		{"distribution unknown", nil, ubuntu, []pratique.Package{deb("x", "1"), pkg("npm", "y", "1.0.0")}, pratique.CoveragePartial, "the distribution is not known: 1 package not judged"},
		{"rpm in Debian", debian12, know(record("CVE-2024-0001", "Debian:12", "x", "introduced:0")), []pratique.Package{deb("y", "1"), pkg("rpm", "y", "1-1")}, pratique.CoveragePartial, "rpm packages do not belong to"},
		{"end of life", &pratique.Distro{ID: "debian", Version: "10", Name: "Debian GNU/Linux 10 (buster)"}, buster, []pratique.Package{deb("y", "1")}, pratique.CoveragePartial, "no security support since 2024-07-01"},
		{"other contracts", &pratique.Distro{ID: "ubuntu", Version: "24.04", Name: "Ubuntu 24.04"}, ubuntu, []pratique.Package{deb("y", "1")}, pratique.CoverageComplete, "Ubuntu:Pro:24.04:LTS"},
		{"long-term support", bullseye, know(record("CVE-2024-0001", "Debian:11", "x", "introduced:0")), []pratique.Package{deb("y", "1")}, pratique.CoverageComplete, "long-term support (LTS) since 2024-08-15"},
		{"all is well", debian12, know(record("CVE-2024-0001", "Debian:12", "x", "introduced:0")), []pratique.Package{deb("y", "1")}, pratique.CoverageComplete, ""},
	} {
		got := judge(c.distro, c.k, c.packages...).Coverage
		if got.State != c.state || !strings.Contains(strings.Join(got.Reasons, "\n"), c.reason) || c.reason == "" && len(got.Reasons) > 0 {
			t.Errorf("%s: %+v, want %s with %q", c.name, got, c.state, c.reason)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if got := match.Vulnerabilities(ctx, match.Target{Distro: debian12, Packages: []pratique.Package{pkg("npm", "x", "1.0.0")}}, ubuntu, today); got.Coverage.State != pratique.CoveragePartial {
		t.Errorf("a stopped judgement is %+v", got.Coverage)
	}
}

func TestSeverity(t *testing.T) {
	v31 := pratique.CVSS{Version: "3.1", Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", Score: 9.8, Severity: pratique.SeverityCritical, Source: "nvd"}
	v2 := pratique.CVSS{Version: "2.0", Vector: "AV:N/AC:L/Au:N/C:P/I:P/A:P", Score: 7.5, Severity: pratique.SeverityHigh, Source: "nvd"}
	medium := pratique.CVSS{Version: "3.1", Vector: "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:L/I:L/A:L", Score: 5.3, Severity: pratique.SeverityMedium, Source: "ghsa"}
	scored := func(a pratique.Advisory, c ...pratique.CVSS) pratique.Advisory { a.Severity = c; return a }
	rated := func(a pratique.Advisory, word string) pratique.Advisory { a.Rating = word; return a }
	base := func() pratique.Advisory { return record("CVE-2024-0001", "npm", "x", "introduced:0") }
	notice := func(ids ...string) pratique.Advisory {
		return related(record("ALSA-2024:0001", "AlmaLinux:8", "x", "introduced:0", "fixed:9-1"), ids...)
	}
	for _, c := range []struct {
		name     string
		distro   *pratique.Distro
		a        pratique.Advisory
		cve      []pratique.CVSS
		severity pratique.Severity
		source   string
	}{
		{"of the record", nil, scored(base(), medium), []pratique.CVSS{v31}, pratique.SeverityMedium, "cvss 3.1 by ghsa"},
		{"of the table", nil, rated(base(), "LOW"), []pratique.CVSS{v31}, pratique.SeverityCritical, "cvss 3.1 by nvd"},
		{"version 2 before words", nil, rated(base(), "LOW"), []pratique.CVSS{v2}, pratique.SeverityHigh, "cvss 2.0 by nvd"},
		{"the publisher's word", nil, rated(base(), "MODERATE"), nil, pratique.SeverityMedium, "cve"},
		{"nobody knows", nil, base(), nil, pratique.SeverityUnknown, ""},
		{"Red Hat's family, one CVE", alma8, rated(notice("CVE-2024-0001"), "Important"), []pratique.CVSS{v31}, pratique.SeverityHigh, "almalinux"},
		{"its rating of several CVEs is that of the worst", alma8, rated(notice("CVE-2024-0001", "CVE-2024-0002"), "Important"), []pratique.CVSS{medium}, pratique.SeverityMedium, "cvss 3.1 by ghsa"},
		{"Ubuntu's priority", &pratique.Distro{ID: "ubuntu", Version: "24.04"}, rated(record("UBUNTU-CVE-2024-0001", "Ubuntu:24.04:LTS", "x", "introduced:0"), "low"), []pratique.CVSS{v31}, pratique.SeverityLow, "ubuntu"},
		{"Debian's urgency comes last", debian12, urgent(record("CVE-2024-0001", "Debian:12", "x", "introduced:0"), "medium**"), nil, pratique.SeverityMedium, "debian urgency"},
	} {
		l := know(c.a)
		if c.cve != nil {
			l.cves["CVE-2024-0001"] = &pratique.CVE{ID: "CVE-2024-0001", CVSS: c.cve}
		}
		p := pkg("npm", "x", "1.0.0")
		if c.distro != nil {
			p = pkg(map[string]string{"almalinux": "rpm"}[c.distro.ID], "x", "1-1")
			if p.Type == "" {
				p = deb("x", "1-1")
			}
		}
		for _, f := range judge(c.distro, l, p).Findings {
			want, source := c.severity, c.source
			if f.ID == "CVE-2024-0002" { // named beside the first one, and in no table
				want, source = pratique.SeverityHigh, "alsa, the worst of several"
			}
			if f.Severity != want || f.SeveritySource != source {
				t.Errorf("%s: %s is %s by %q", c.name, f.ID, f.Severity, f.SeveritySource)
			}
		}
	}
}

func TestMeaning(t *testing.T) {
	for vector, want := range map[string][]string{
		"AV:N/AC:M/Au:S/C:P/I:C/A:N":                                      {"Access vector: network", "Access complexity: medium", "Authentication: once", "Confidentiality impact: partial", "Integrity impact: complete", "Availability impact: none"},
		"CVSS:3.0/AV:A/AC:H/PR:L/UI:R/S:C/C:L/I:N/A:H":                    {"Attack vector: adjacent network", "Attack complexity: high", "Privileges required: low", "User interaction: required", "Scope: changed", "Confidentiality impact: low", "Integrity impact: none", "Availability impact: high"},
		"CVSS:4.0/AV:P/AC:L/AT:P/PR:H/UI:A/VC:H/VI:L/VA:N/SC:N/SI:L/SA:H": {"Attack vector: physical", "Attack complexity: low", "Attack requirements: present", "Privileges required: high", "User interaction: active", "Confidentiality of the vulnerable system: high", "Integrity of the vulnerable system: low", "Availability of the vulnerable system: none", "Confidentiality of other systems: none", "Integrity of other systems: low", "Availability of other systems: high"},
		"CVSS:3.1/AV:X": nil, "": nil, "CVSS:9.0/AV:N": nil,
	} {
		if got := match.Meaning(vector); !slices.Equal(got, want) {
			t.Errorf("Meaning(%s) = %q", vector, got)
		}
	}
}

func FuzzMeaning(f *testing.F) {
	f.Add("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H")
	f.Add("CVSS:4.0/AV:P/AC:L/AT:P/PR:H/UI:A/VC:H/VI:L/VA:N/SC:N/SI:L/SA:H")
	f.Add("(AV:N/AC:L/Au:N/C:P/I:P/A:P)")
	f.Fuzz(func(t *testing.T, vector string) {
		for _, line := range match.Meaning(vector) {
			if !strings.Contains(line, ": ") {
				t.Errorf("%q has the line %q", vector, line)
			}
		}
	})
}

func TestOrderAndJoin(t *testing.T) {
	l := know(record("CVE-2024-0001", "npm", "x", "introduced:0"), record("CVE-2024-0002", "npm", "x", "introduced:0"), record("CVE-2024-0003", "npm", "x", "introduced:0"), record("CVE-2024-0004", "npm", "x", "introduced:0"))
	high := []pratique.CVSS{{Version: "3.1", Score: 8, Severity: pratique.SeverityHigh, Source: "nvd", Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H"}}
	l.cves["CVE-2024-0001"] = &pratique.CVE{CVSS: high}
	l.cves["CVE-2024-0002"] = &pratique.CVE{CVSS: high, EPSS: &pratique.EPSS{Score: 0.5}, CWEs: []string{"CWE-79"}, Description: "text"}
	l.cves["CVE-2024-0003"] = &pratique.CVE{CVSS: high, KEV: &pratique.KEV{DateAdded: "2024-02-03"}}
	l.cves["CVE-2024-0004"] = &pratique.CVE{Rejected: true}
	r := judge(nil, l, pkg("npm", "x", "1.0.0"))
	var ids []string
	for _, f := range r.Findings {
		ids = append(ids, f.ID)
	}
	if want := []string{"CVE-2024-0003", "CVE-2024-0002", "CVE-2024-0001", "CVE-2024-0004"}; !slices.Equal(ids, want) {
		t.Errorf("order is %q", ids)
	}
	f := r.Findings[1]
	if f.Details != "text" || !slices.Equal(f.CWEs, []string{"CWE-79"}) || len(f.CVSS) != 1 || len(f.CVSS[0].Meaning) != 8 || r.Findings[0].KEV == nil {
		t.Errorf("joined: %+v", f)
	}
	if r.Findings[3].Suppressed == "" {
		t.Error("a rejected CVE counts")
	}
}

// A flaw of the kernel is told of its headers, and does not count.
func TestKernelHeaders(t *testing.T) {
	r := judge(debian12, know(record("CVE-2024-0001", "Debian:12", "linux", "introduced:0")),
		of(deb("linux-libc-dev", "6.1.1-1"), "linux", "6.1.1-1"), of(deb("linux-image-6.1.0-1-amd64", "6.1.1-1"), "linux", "6.1.1-1"))
	if len(r.Findings) != 2 || r.Findings[0].Suppressed != "" || !strings.Contains(r.Findings[1].Suppressed, "header files only") {
		t.Errorf("got %+v", r.Findings)
	}
}

// One look-up for each (ecosystem, source package), and the same answer each time.
func TestLookUps(t *testing.T) {
	l := know(record("CVE-2024-0001", "Debian:12", "openssl", "introduced:0"))
	var packages []pratique.Package
	for i := range 50 {
		packages = append(packages, of(deb(fmt.Sprintf("lib%d", i), "3.0.9-1"), "openssl", "3.0.9-1"))
	}
	first := judge(debian12, l, packages...)
	if l.lookUps != 1 || len(first.Findings) != 50 {
		t.Errorf("%d look-ups, %d findings", l.lookUps, len(first.Findings))
	}
	if again := judge(debian12, l, packages...); !slices.Equal(said(first), said(again)) {
		t.Error("two judgements differ")
	}
}

func TestAdvice(t *testing.T) {
	for _, c := range []struct{ kind, ecosystem, name, fixed, want string }{
		{"npm", "npm", "@babel/core", "7.2.0", "npm install @babel/core@7.2.0"},
		{"pypi", "PyPI", "django", "4.2", "pip install --upgrade 'django>=4.2'"},
		{"golang", "Go", "example.com/x", "1.2.3", "go get example.com/x@v1.2.3 && go mod tidy"},
		{"golang", "Go", "stdlib", "1.22.4", "Rebuild the binary with Go 1.22.4 or newer"},
		{"maven", "Maven", "org.x:y", "2.0", "-Dincludes=org.x:y -DdepVersion=2.0"},
		{"gem", "RubyGems", "rails", "7.0", "gem install rails --version '>= 7.0'"},
		{"composer", "Packagist", "a/b", "2.0", "composer require a/b:^2.0"},
		{"nuget", "NuGet", "A.B", "2.0", "dotnet add package A.B --version 2.0"},
		{"cargo", "crates.io", "x", "2.0.0", "cargo update --package x --precise 2.0.0"},
		{"npm", "npm", "x; rm -rf ~", "2.0.0", "npm install 'x; rm -rf ~@2.0.0'"},
	} {
		r := judge(nil, know(record("CVE-2024-0001", c.ecosystem, c.name, "introduced:0", "fixed:"+c.fixed)), pkg(c.kind, c.name, "0.1.0"))
		if len(r.Findings) != 1 || !strings.Contains(r.Findings[0].FixAdvice.EN, c.want) || r.Findings[0].FixAdvice.ZH == "" {
			t.Errorf("%s: %+v", c.name, r.Findings)
		}
	}
}

func TestEcosystem(t *testing.T) {
	for want, d := range map[string]pratique.Distro{
		"Debian:12": {ID: "debian", Version: "12"}, "Debian:13": {ID: "debian", Codename: "trixie"}, "Debian:6.0": {ID: "debian", Version: "6.0"},
		"Alpine:v3.20": {ID: "alpine", Version: "3.20.3"}, "Ubuntu:24.04:LTS": {ID: "ubuntu", Version: "24.04"}, "Ubuntu:23.10": {ID: "ubuntu", Version: "23.10"}, "Ubuntu:25.04": {ID: "ubuntu", Version: "25.04"},
		"Rocky Linux:9": {ID: "rocky", Version: "9.3"}, "AlmaLinux:9": {ID: "almalinux", Version: "9.3"}, "Red Hat:enterprise_linux:9": {ID: "rhel", Version: "9.3"}, "Red Hat:enterprise_linux:7": {ID: "centos", Version: "7"},
		"SUSE:Linux Enterprise Server 15 SP5": {ID: "sles", Version: "15.5"}, "SUSE:Linux Enterprise Server 16.0": {ID: "sles", Version: "16.0"}, "openSUSE:Leap 15.6": {ID: "opensuse-leap", Version: "15.6"}, "openSUSE:Tumbleweed": {ID: "opensuse-tumbleweed", Version: "20250101"},
		"openEuler:22.03-LTS-SP4": {ID: "openEuler", Version: "22.03", Name: "openEuler 22.03 (LTS-SP4)"}, "openEuler:24.03-LTS": {ID: "openEuler", Version: "24.03", Name: "openEuler 24.03 (LTS)"},
		"Wolfi": {ID: "wolfi", Version: "20230201"}, "Chainguard": {ID: "chainguard"}, "Mageia:9": {ID: "mageia", Version: "9"},
	} {
		if got := match.Ecosystem(&d); got != want {
			t.Errorf("Ecosystem(%+v) = %q, want %q", d, got, want)
		}
	}
	for _, d := range []*pratique.Distro{nil, {}, {ID: "arch"}, {ID: "debian", Codename: "sid"}, {ID: "alpine", Version: "3.21.0_alpha20240923"}, {ID: "rhel"}, {ID: "fedora", Version: "41"}} {
		if got := match.Ecosystem(d); got != "" {
			t.Errorf("Ecosystem(%+v) = %q, want none", d, got)
		}
	}
}

func TestEndOfLife(t *testing.T) {
	day := func(s string) time.Time {
		d, err := time.Parse(time.DateOnly, s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for _, c := range []struct {
		id, version, name, now string
		ended, known           bool
	}{
		{"debian", "11", "", "2026-08-31", false, true}, {"debian", "11", "", "2026-09-01", true, true}, {"debian", "7", "", "2025-01-01", true, true},
		{"alpine", "3.20.3", "", "2026-04-01", false, true}, {"alpine", "3.20.3", "", "2026-04-02", true, true}, {"ubuntu", "20.04", "", "2025-06-01", true, true},
		{"centos", "8", "CentOS Linux 8", "2022-01-01", true, true}, {"centos", "8", "CentOS Stream 8", "2022-01-01", false, true}, {"rhel", "7.9", "", "2025-01-01", true, true},
		{"sles", "15.5", "", "2025-01-01", true, true}, {"opensuse-leap", "15.6", "", "2025-01-01", false, true}, {"amzn", "2018.03", "", "2025-01-01", true, true}, {"fedora", "40", "", "2025-06-01", true, true},
		{"debian", "", "", "2025-01-01", false, false}, {"wolfi", "20230201", "", "2025-01-01", false, false},
	} {
		s, known := match.EndOfLife(&pratique.Distro{ID: c.id, Version: c.version, Name: c.name}, day(c.now))
		if s.Ended != c.ended || known != c.known {
			t.Errorf("%+v: %+v, %v", c, s, known)
		}
	}
	if _, known := match.EndOfLife(nil, today); known {
		t.Error("no distribution has an end")
	}
}

type hashes map[string]string

func (h hashes) Hash(hex string) (name, list string, ok bool) {
	name, ok = h[hex]
	return name, "test list", ok
}

func TestMalware(t *testing.T) {
	files := []match.File{
		{FileFact: pratique.FileFact{Path: "z", Size: 3, MD5: "m1", SHA1: "s1", SHA256: "h1"}, Origin: &pratique.Origin{Layer: 2}},
		{FileFact: pratique.FileFact{Path: "empty", Size: 0, SHA256: "h1"}},
		{FileFact: pratique.FileFact{Path: "a.jar!/b", Size: 3, MD5: "m2", SHA1: "s2", SHA256: "h2"}},
		{FileFact: pratique.FileFact{Path: "clean", Size: 3, SHA256: "h3"}},
	}
	got := match.Malware(files, hashes{"h1": "Miner", "m1": "by MD5", "m2": "Shell"})
	if len(got) != 2 || got[0].Path != "a.jar!/b" || got[0].Name != "Shell" || got[1].Name != "Miner" || got[1].Origin == nil || got[1].List != "test list" || got[1].Engine != "hash" {
		t.Errorf("got %+v", got)
	}
}

func BenchmarkVulnerabilities(b *testing.B) {
	var records []pratique.Advisory
	var packages []pratique.Package
	for i := range 400 {
		source := fmt.Sprintf("source%d", i)
		packages = append(packages, of(deb(fmt.Sprintf("bin%d", i), "1.2.3-4+deb12u1"), source, "1.2.3-4+deb12u1"))
		for j := range 30 {
			records = append(records, record(fmt.Sprintf("CVE-2024-%05d", i*30+j), "Debian:12", source, "introduced:0", fmt.Sprintf("fixed:1.2.%d-1", j%6)))
		}
	}
	l := know(records...)
	for b.Loop() {
		judge(debian12, l, packages...)
	}
}
