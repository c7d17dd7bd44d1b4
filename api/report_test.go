package api

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/pratique/pratique"
)

func TestReports(t *testing.T) {
	e := newEstate(t)
	path := "/api/v1" + content(0) + "/report"
	for query, want := range map[string]struct{ media, ending, text string }{
		"":                     {"text/html; charset=utf-8", ".html", "Must not ship"},
		"?format=html&lang=zh": {"text/html; charset=utf-8", ".html", "升级 openssl"},
		"?format=json":         {"application/json", ".json", `"schemaVersion"`},
		"?format=cyclonedx":    {"application/vnd.cyclonedx+json; version=1.6", ".cdx.json", `"bomFormat"`},
		"?format=spdx":         {"application/spdx+json", ".spdx.json", `"spdxVersion"`},
		"?format=table":        {"text/plain; charset=utf-8", ".txt", "CVE-2024-0001"},
	} {
		a := e.want(200, "GET", path+query, nil, nil)
		disposition := a.Header.Get("Content-Disposition")
		if a.Header.Get("Content-Type") != want.media || !strings.HasPrefix(disposition, "attachment; filename=registry.example-app-1"+want.ending) || !strings.Contains(string(a.body), want.text) {
			t.Errorf("%s: %s, %s, %.200s", query, a.Header.Get("Content-Type"), disposition, a.body)
		}
	}
	var r pratique.Report
	if err := json.Unmarshal(e.want(200, "GET", path+"?format=json", nil, nil).body, &r); err != nil || len(r.Vulnerabilities) != 2 || len(r.Packages) != 2 || r.Verdict.Clearance != pratique.ClearanceNo {
		t.Errorf("%v %+v", err, r)
	}
	e.want(422, "GET", path+"?format=pdf", nil, nil)
	e.want(422, "GET", path+"?lang=xx", nil, nil)
	e.want(404, "GET", "/api/v1"+content(99)+"/report", nil, nil)
	e.want(200, "GET", "/api/v1"+content(3)+"/report?format=table", nil, nil) // not scanned: says so
}

func TestReportNames(t *testing.T) {
	for name, want := range map[string]string{
		"r.example/a/b:1.2": "r.example-a-b-1.2", "../../etc/passwd": "etc-passwd", "a\r\nX: y": "a--X--y", "名/x": "-x"[1:], strings.Repeat("a", 300): strings.Repeat("a", 120),
	} {
		if got := reportName(&pratique.Report{Image: pratique.Image{Name: name}}); got != want {
			t.Errorf("%q becomes %q, want %q", name, got, want)
		}
	}
}

func TestCompare(t *testing.T) {
	e := newEstate(t)
	path := "/api/v1" + content(0) + "/compare"
	if got := e.want(404, "GET", path, nil, nil).problem(t); !strings.Contains(got.Detail, "no earlier scan") || got.Remedy == "" {
		t.Errorf("%+v", got)
	}
	between := time.Now().UTC()
	time.Sleep(2 * time.Millisecond)
	// The same content is read by newer rules, which see another package.
	ssl := debian("openssl", "3.0.1")
	curl := debian("curl", "7")
	e.scan(reportOf(0, []pratique.Package{ssl, curl}, flaw("CVE-2024-0001", ssl, pratique.SeverityCritical, "3.0.2"), flaw("CVE-2024-0002", curl, pratique.SeverityHigh, "")))
	check := func(query string, wantNew, wantFixed, unchanged int) Compared {
		t.Helper()
		e.clock.add(time.Since(e.clock.now())) // the service's now is after the scan
		var c Compared
		e.want(200, "GET", path+query, nil, &c)
		if len(c.New) != wantNew || c.Counts.New.Total() != wantNew || len(c.Fixed) != wantFixed || c.Counts.Unchanged.Total() != unchanged || c.Before.Image == nil || c.After.Image == nil {
			t.Errorf("%s: %+v", query, c)
		}
		return c
	}
	if c := check("", 1, 1, 1); c.New[0].ID != "CVE-2024-0002" || c.Fixed[0].ID != "GHSA-xxxx" || c.Counts.Fixed.Medium != 1 || len(c.Unchanged) != 0 {
		t.Errorf("%+v", c)
	}
	if c := check("?unchanged=true&since="+between.Format(time.RFC3339Nano), 1, 1, 1); len(c.Unchanged) != 1 {
		t.Errorf("%+v", c)
	}
	check("?since=2020-01-01T00:00:00Z", 2, 0, 0)
	check("?with="+string(contentID(1)), 2, 0, 0)
	e.want(404, "GET", path+"?with="+string(contentID(99)), nil, nil)
	e.want(422, "GET", path+"?since=2020-01-01T00:00:00Z&with="+string(contentID(1)), nil, nil)
	e.want(422, "GET", path+"?with=latest", nil, nil)
}
