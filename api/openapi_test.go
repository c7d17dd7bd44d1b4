package api

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// TestDescriptionIsForGenerators: clients are generated from the description, so
// names must be names, vocabularies listed, and lists never null.
func TestDescriptionIsForGenerators(t *testing.T) {
	p, _, _ := withHosts(t)
	var doc map[string]any
	if err := json.Unmarshal(p.want(200, "GET", "/openapi.json", nil, nil).body, &doc); err != nil {
		t.Fatal(err)
	}
	schemas := doc["components"].(map[string]any)["schemas"].(map[string]any)
	named := regexp.MustCompile(`^[A-Z][A-Za-z]+$`)
	for name := range schemas {
		if !named.MatchString(name) {
			t.Errorf("a schema is called %q", name)
		}
	}
	for _, vocabulary := range vocabularies() {
		s, ok := schemas[vocabulary.name].(map[string]any)
		if !ok || len(s["enum"].([]any)) != len(vocabulary.words) {
			t.Errorf("the words of %s are not listed: %v", vocabulary.name, s)
		}
	}
	operation := regexp.MustCompile(`^[a-z]+([A-Z][a-z]*)*$`)
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case []any:
			for i, item := range v {
				walk(fmt.Sprint(path, "/", i), item)
			}
		case map[string]any:
			if id, ok := v["operationId"].(string); ok && !operation.MatchString(id) {
				t.Errorf("%s: the operation %q", path, id)
			}
			if ref, ok := v["$ref"].(string); ok && strings.HasPrefix(ref, schemaPrefix) && schemas[strings.TrimPrefix(ref, schemaPrefix)] == nil {
				t.Errorf("%s leads to nowhere: %s", path, ref)
			}
			if types, ok := v["type"].([]any); ok && strings.Contains(path, "/responses/") || strings.HasPrefix(path, "/components/schemas") && ok {
				for _, one := range types {
					if one == "array" {
						t.Errorf("%s: a list that may be %v", path, types)
					}
				}
			}
			for key, item := range v {
				walk(path+"/"+key, item)
			}
		}
	}
	walk("", doc)
}

// What a list answers is what the description says: no list is null.
func TestNoListIsNull(t *testing.T) {
	e := newEstate(t)
	for _, path := range []string{
		"/images", "/images/facets", "/images/1", "/vulnerabilities", "/vulnerabilities/CVE-2024-0001", "/components", "/secrets", "/malware", "/tasks", "/scans", "/repositories",
		"/namespaces", "/overview", "/overview/days", "/overview/top", "/registries", "/egress", "/settings", "/feeds", "/findings/events", "/registry-kinds",
		content(0), content(3), content(8), content(8) + "/history", content(0) + "/vulnerabilities/CVE-2024-0001",
	} {
		a := e.want(200, "GET", "/api/v1"+path, nil, nil)
		if strings.Contains(string(a.body), ":null") {
			t.Errorf("%s: %s", path, a.body)
		}
		if len(a.body) > 200_000 {
			t.Errorf("%s: %d bytes", path, len(a.body))
		}
	}
}

func TestHostileLists(t *testing.T) {
	e := newEstate(t)
	long := strings.Repeat("x", 2000)
	for _, query := range []string{
		"/images?status=clean", "/images?risk=maybe", "/images?severity=worst", "/images?riskKind=software", "/images?id=x", "/images?imageID=latest", "/images?search=" + long,
		"/images?createdFrom=today", "/images?minSize=-1", "/images?licensed=perhaps", "/images?sort=nothing", "/images?cursor=AAAA", "/images?limit=0", "/images?limit=1000", "/images?newest=2",
		"/images?colour=red", "/images/0", "/images/x", "/images/facets?status=x", "/vulnerabilities?severity=bad", "/vulnerabilities?sort=title", "/vulnerabilities/" + long,
		"/components?worst=none", "/components/x", "/secrets?severity=x", "/malware?sort=sha", "/tasks?kind=cron", "/scans?phase=later", "/scans?status=not_scanned", "/scans/x",
		"/findings/events?change=moved", "/findings/events?imageID=x", "/repositories?sort=gone", "/overview/top?limit=99", "/contents/x", "/contents/" + long, content(0) + "/packages?sort=license",
	} {
		a := e.do("GET", "/api/v1"+query, nil)
		if a.StatusCode != 422 || a.problem(t).Code != "invalid" || len(a.body) > 4000 {
			t.Errorf("%.60s: %d %.300s", query, a.StatusCode, a.body)
		}
	}
	// What only looks hostile finds nothing.
	for _, query := range []string{"/images?search=%27%3B+DROP+TABLE+assets--", "/images?search=%25_%5C%22", "/images?namespace=%00", "/vulnerabilities?search=%25", "/secrets?search=%22", "/images?package=%27"} {
		e.want(200, "GET", "/api/v1"+query, nil, nil)
	}
}
