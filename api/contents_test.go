package api

import (
	"bytes"
	"slices"
	"testing"

	"github.com/pratique/pratique"
)

func content(n int) string { return "/contents/" + string(contentID(n)) }

func TestContents(t *testing.T) {
	e := newEstate(t)
	var c ContentOf
	e.want(200, "GET", "/api/v1"+content(8), nil, &c)
	if c.Risk != pratique.RiskFound || c.Status != pratique.StatusScanned || c.ScannedAt == nil || c.LastScan == nil || c.LastScan.Percent != 100 ||
		c.Counters.Secrets.High != 1 || c.Counters.Secrets.Low != 1 || c.Counters.Malware.Total() != 1 || len(c.Layers) != 2 || len(c.Assets) != 1 ||
		c.Categories[pratique.CategoryMalware].State != pratique.CoverageComplete || c.Categories[pratique.CategoryMalware].At == nil {
		t.Errorf("%+v", c)
	}
	e.want(200, "GET", "/api/v1"+content(3), nil, &c) // never scanned: unknown, and not clean
	if c.Risk != pratique.RiskUnknown || c.Categories[pratique.CategoryVulnerability].State != pratique.CoverageUnknown {
		t.Errorf("%+v", c)
	}
	e.want(404, "GET", "/api/v1"+content(99), nil, nil)
	e.want(422, "GET", "/api/v1/contents/sha256:12", nil, nil)

	finding := func(f FindingRow) string { return f.ID + " " + f.Package.Name }
	shows(e, finding, map[string][]string{
		content(0) + "/vulnerabilities":                          {"CVE-2024-0001 openssl", "GHSA-xxxx left-pad"},
		content(0) + "/vulnerabilities?severity=medium,low":      {"GHSA-xxxx left-pad"},
		content(0) + "/vulnerabilities?search=cve":               {"CVE-2024-0001 openssl"},
		content(0) + "/vulnerabilities?search=left+node_modules": {"GHSA-xxxx left-pad"},
		content(0) + "/vulnerabilities?fixable=true":             {"CVE-2024-0001 openssl"},
		content(0) + "/vulnerabilities?exploited=true":           {"CVE-2024-0001 openssl"},
		content(0) + "/vulnerabilities?system=true":              {"CVE-2024-0001 openssl"},
		content(0) + "/vulnerabilities?application=true":         {"GHSA-xxxx left-pad"},
		content(0) + "/vulnerabilities?type=npm":                 {"GHSA-xxxx left-pad"},
		content(0) + "/vulnerabilities?package=openssl":          {"CVE-2024-0001 openssl"},
		content(0) + "/vulnerabilities?uncounted=true":           nil,
		content(0) + "/vulnerabilities?sort=package":             {"GHSA-xxxx left-pad", "CVE-2024-0001 openssl"},
		content(1) + "/vulnerabilities":                          nil,
	})
	a := e.want(200, "GET", "/api/v1"+content(0)+"/vulnerabilities", nil, nil)
	if bytes.Contains(a.body, []byte("Details of")) {
		t.Error("rows carry long texts")
	}
	var whole pratique.Page[pratique.PlacedFinding]
	e.want(200, "GET", "/api/v1"+content(0)+"/vulnerabilities/CVE-2024-0001", nil, &whole)
	if len(whole.Items) != 1 || whole.Items[0].Details == "" || whole.Items[0].Proof[0].Advisory != "DSA-CVE-2024-0001" || whole.Items[0].FixAdvice.ZH == "" {
		t.Errorf("%+v", whole)
	}
	e.want(404, "GET", "/api/v1"+content(0)+"/vulnerabilities/CVE-1", nil, nil)

	shows(e, func(v pratique.PlacedSecret) string { return v.Rule + " " + v.Advice.EN }, map[string][]string{
		content(8) + "/secrets":                  {"aws-key revoke it", "jwt "},
		content(8) + "/secrets?severity=high":    {"aws-key revoke it"},
		content(8) + "/secrets?search=web+token": {"jwt "},
		content(8) + "/secrets?type=cloud+key":   {"aws-key revoke it"},
		content(8) + "/secrets?sort=severity":    {"jwt ", "aws-key revoke it"},
		content(8) + "/secrets?uncounted=true":   nil,
	})
	shows(e, func(v pratique.PlacedMalware) string { return v.Name + " " + v.Advice.ZH }, map[string][]string{
		content(8) + "/malware":                {"Miner 重建"},
		content(8) + "/malware?severity=low":   nil,
		content(8) + "/malware?search=KWORKER": {"Miner 重建"},
		content(8) + "/malware?search=absent":  nil,
		content(8) + "/malware?engine=yara":    nil,
		content(8) + "/malware?sort=-name":     {"Miner 重建"},
	})
	shows(e, func(v pratique.PlacedPackage) string {
		return v.Package.Name + " " + id(int64(v.Vulnerabilities)) + string(v.Worst)
	}, map[string][]string{
		content(0) + "/packages":                     {"left-pad 1medium", "openssl 1critical"},
		content(1) + "/packages":                     {"zlib 0"},
		content(1) + "/packages?vulnerable=true":     nil,
		content(0) + "/packages?type=deb":            {"openssl 1critical"},
		content(0) + "/packages?search=node_mod":     {"left-pad 1medium"},
		content(0) + "/packages?worst=medium":        {"left-pad 1medium"},
		content(0) + "/packages?sort=-name":          {"openssl 1critical", "left-pad 1medium"},
		content(0) + "/packages?sort=-worst&limit=1": {"openssl 1critical"},
	})
	shows(e, func(v pratique.FindingEvent) string { return string(v.Category) + " " + string(v.Change) }, map[string][]string{
		content(8) + "/events":                  {"malware appeared", "secret appeared", "secret appeared"},
		content(8) + "/events?category=malware": {"malware appeared"},
		content(8) + "/events?change=fixed":     nil,
		content(8) + "/events?cause=rules":      nil,
	})
	shows(e, func(v ScanRow) string { return string(v.Status) }, map[string][]string{content(8) + "/scans": {"scanned"}, content(2) + "/scans": {"failed"}})
}

func TestBuildHistory(t *testing.T) {
	e := newEstate(t)
	var h pratique.BuildHistory
	e.want(200, "GET", "/api/v1"+content(8)+"/history", nil, &h)
	var steps []string
	for _, s := range h.Steps {
		steps = append(steps, s.CreatedBy)
	}
	if !slices.Equal(steps, []string{"FROM debian", "ENV A=b", "COPY app"}) {
		t.Fatalf("steps %q", steps)
	}
	if h.Steps[0].Size != 4000 || h.Steps[0].Findings.Secrets.Total() != 0 || h.Steps[1].Findings != nil || h.Steps[2].Size != 242 ||
		h.Steps[2].Findings.Secrets.High != 1 || h.Steps[2].Findings.Malware.High != 1 || h.Config.Secrets.Low != 1 {
		t.Errorf("%+v", h)
	}
	e.want(200, "GET", "/api/v1"+content(0)+"/history", nil, &h)
	if h.Steps[0].Findings.Vulnerabilities.Critical != 1 || h.Steps[0].Findings.Packages != 1 || h.Steps[2].Findings.Vulnerabilities.Medium != 1 {
		t.Errorf("%+v", h)
	}
	e.want(404, "GET", "/api/v1"+content(99)+"/history", nil, nil)
}
