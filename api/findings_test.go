package api

import (
	"fmt"
	"testing"

	"github.com/pratique/pratique"
)

func TestFindings(t *testing.T) {
	e := newEstate(t)
	shows(e, func(v pratique.VulnerabilityRow) string { return fmt.Sprint(v.ID, " ", v.Images) }, map[string][]string{
		"/vulnerabilities":                                        {"CVE-2024-0001 1", "GHSA-xxxx 1"},
		"/vulnerabilities?severity=critical":                      {"CVE-2024-0001 1"},
		"/vulnerabilities?search=xxxx":                            {"GHSA-xxxx 1"},
		"/vulnerabilities?type=npm":                               {"GHSA-xxxx 1"},
		"/vulnerabilities?system=true":                            {"CVE-2024-0001 1"},
		"/vulnerabilities?fixable=true":                           {"CVE-2024-0001 1"},
		"/vulnerabilities?exploited=true":                         {"CVE-2024-0001 1"},
		"/vulnerabilities?package=left-pad":                       {"GHSA-xxxx 1"},
		"/vulnerabilities?newest=true":                            {"CVE-2024-0001 1", "GHSA-xxxx 1"},
		"/vulnerabilities?newest=true&registry=" + id(e.alpha.ID): nil,
		"/vulnerabilities?running=true":                           nil,
		"/vulnerabilities?uncounted=true":                         nil,
		"/vulnerabilities?sort=-id":                               {"GHSA-xxxx 1", "CVE-2024-0001 1"},
		"/vulnerabilities?sort=severity&limit=1":                  {"GHSA-xxxx 1"},
	})
	shows(e, func(v pratique.ComponentRow) string {
		return fmt.Sprint(v.Package.Name, " ", v.Images, " ", v.Vulnerabilities)
	}, map[string][]string{
		"/components":                           {"left-pad 1 1", "openssl 1 1", "zlib 1 0"},
		"/components?vulnerable=true":           {"left-pad 1 1", "openssl 1 1"},
		"/components?type=deb":                  {"openssl 1 1", "zlib 1 0"},
		"/components?application=true":          {"left-pad 1 1"},
		"/components?search=3.0.1":              {"openssl 1 1"},
		"/components?worst=critical":            {"openssl 1 1"},
		"/components?newest=true":               {"left-pad 1 1", "openssl 1 1"},
		"/components?registry=" + id(e.beta.ID): {"left-pad 1 1", "openssl 1 1"},
		"/components?sort=-worst&limit=1":       {"openssl 1 1"},
	})
	secret := func(v SecretRow) string { return fmt.Sprint(v.Rule, " ", v.Images, " ", v.Image.Repository) }
	shows(e, secret, map[string][]string{
		"/secrets":                            {"aws-key 2 tool", "jwt 1 tool"},
		"/secrets?newest=true":                {"aws-key 2 tool", "jwt 1 tool"},
		"/secrets?severity=low":               {"jwt 1 tool"},
		"/secrets?type=token":                 {"jwt 1 tool"},
		"/secrets?search=credentials":         {"aws-key 2 tool"},
		"/secrets?registry=" + id(e.alpha.ID): nil,
		"/secrets?sort=rule":                  {"aws-key 2 tool", "jwt 1 tool"},
	})
	shows(e, func(v MalwareRow) string { return fmt.Sprint(v.Name, " ", v.Images, " ", v.Image.Tag) }, map[string][]string{
		"/malware": {"Miner 1 dev"}, "/malware?engine=yara": nil, "/malware?search=cafe": {"Miner 1 dev"}, "/malware?severity=low": nil, "/malware?running=true": nil,
	})
	var secrets pratique.Page[SecretRow]
	e.want(200, "GET", "/api/v1/secrets?search=aws", nil, &secrets)
	var malware pratique.Page[MalwareRow]
	e.want(200, "GET", "/api/v1/malware", nil, &malware)
	var components pratique.Page[pratique.ComponentRow]
	e.want(200, "GET", "/api/v1/components?search=openssl", nil, &components)
	component := id(components.Items[0].ID)
	shows(e, rowName, map[string][]string{
		"/images?secret=" + id(secrets.Items[0].RowID):       {"tool:dev", "tool:old"},
		"/images?malware=" + id(malware.Items[0].RowID):      {"tool:dev"},
		"/images?component=" + component:                     {"lib/db:1", "team/app:v0"},
		"/components/" + component + "/images":               {"lib/db:1", "team/app:v0"},
		"/vulnerabilities/CVE-2024-0001/images":              {"lib/db:1", "team/app:v0"},
		"/vulnerabilities/CVE-2024-0001/images?newest=true":  {"lib/db:1"},
		"/vulnerabilities/CVE-2024-0001/images?search=alpha": {"team/app:v0"},
	})
	var c pratique.ComponentRow
	e.want(200, "GET", "/api/v1/components/"+component, nil, &c)
	if c.Package.Name != "openssl" || c.Distro == "" {
		t.Errorf("%+v", c)
	}
	e.want(404, "GET", "/api/v1/components/99", nil, nil)
	shows(e, func(v pratique.FindingEvent) string { return v.Vulnerability + v.After }, map[string][]string{
		"/findings/events?vulnerability=GHSA-xxxx":                               {"GHSA-xxxxmedium, no fix"},
		"/findings/events?imageID=" + string(contentID(8)) + "&category=malware": {"high, Miner in usr/bin/kworker"},
		"/findings/events?component=" + component:                                {"CVE-2024-0001critical, fixed in 3.0.2"},
		"/findings/events?cause=advisory_added":                                  nil,
	})
}

func TestVulnerability(t *testing.T) {
	e := newEstate(t)
	var v Vulnerability
	e.want(200, "GET", "/api/v1/vulnerabilities/CVE-2024-0001", nil, &v)
	if v.Title != "Title of CVE-2024-0001" || v.Description == "" || v.Score != 9.8 || len(v.CVSS) != 1 || len(v.CVSS[0].Metrics) != 8 || v.CVSS[0].Metrics[0].Value.ZH != "网络" ||
		len(v.References) != 1 || len(v.Packages) != 1 || v.Packages[0].FixedVersion != "3.0.2" || v.Packages[0].Proof[0].Range != ">= 0" || v.Packages[0].FixAdvice.EN == "" ||
		len(v.MustFix) != 2 || v.MustFix[0] != MustFixExploited || v.MustFix[1] != MustFixCriticalFixable || len(v.History) != 1 || v.History[0].Cause != pratique.CauseContent || v.Repositories != 2 {
		t.Errorf("%+v", v)
	}
	e.want(404, "GET", "/api/v1/vulnerabilities/CVE-1", nil, nil)
}
