package service

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/registry/distribution/registrytest"
)

// hitNames are what has to be found in an image, a line for each.
func (e *estate) hitNames(c *content) (names []string) {
	for _, h := range e.hits(c) {
		names = append(names, fmt.Sprint(h.cve, " ", h.pkg.name, " ", h.pkg.version, " ", h.severity, " ", h.fixed != ""))
	}
	return names
}

// A finding is a line of an image's vulnerabilities.
type finding struct {
	RowID    int64
	ID       string
	Severity pratique.Severity
	FixState pratique.FixState
	Package  struct {
		Name, Version string
		Layer         *int
	}
	Since time.Time
	Until *time.Time
}

func findingName(id, name, version string, severity pratique.Severity, fix pratique.FixState) string {
	return fmt.Sprint(id, " ", name, " ", strings.TrimPrefix(version, "v"), " ", severity, " ", fix == pratique.FixAvailable)
}

// A summary is one image, but for its long lists.
type summary struct {
	Image      pratique.Image
	Layers     []pratique.Layer
	Status     pratique.Status
	Risk       pratique.Risk
	Counters   pratique.Counters
	Categories map[pratique.Category]struct {
		pratique.CategoryCoverage
		At *time.Time
	}
	Problems   []pratique.Problem
	Bundle     *pratique.Bundle
	Rules      string
	AssetCount int
}

func (s *server) summary(id pratique.Digest) summary {
	s.t.Helper()
	return get[summary](s, "/contents/"+string(id))
}

func (j *journey) oneImage() {
	for _, i := range []int{0, 4, 7, 18, 36, len(j.e.contents) - 1} {
		c := j.e.contents[i]
		if j.e.byID()[c.id()] == nil {
			continue // no tag leads to it
		}
		path := "/contents/" + string(c.id())
		summary := j.s.summary(c.id())
		counters := summary.Counters
		counters.Suppressed = 0
		rows := 0
		for _, r := range j.e.rows {
			if r.content.id() == c.id() {
				rows++
			}
		}
		if counters != j.e.counters(c) || len(summary.Layers) != len(c.Layers) || summary.AssetCount != rows || summary.Status != pratique.StatusScanned || summary.Bundle == nil || summary.Rules == "" || len(summary.Problems) > 0 {
			j.Errorf("image %d: %+v\nwant %+v in %d rows", i, summary, j.e.counters(c), rows)
		}
		for _, category := range []pratique.Category{pratique.CategoryVulnerability, pratique.CategorySecret, pratique.CategoryMalware, pratique.CategorySoftware} {
			if state := summary.Categories[category]; state.At == nil || state.State == "" {
				j.Errorf("image %d: %s: %+v", i, category, state)
			}
		}
		var found []string
		for _, f := range all(j.s, path+"/vulnerabilities", func(f finding) string { return fmt.Sprint(f.RowID) }, 5) {
			found = append(found, findingName(f.ID, f.Package.Name, f.Package.Version, f.Severity, f.FixState))
			if f.Package.Layer == nil || f.Until != nil || f.Since.IsZero() {
				j.Errorf("image %d: %+v has no place", i, f)
			}
		}
		sameSet(j, fmt.Sprint("vulnerabilities of image ", i), found, j.e.hitNames(c))
		var packages, planted []string
		for _, p := range all(j.s, path+"/packages", func(p pratique.PlacedPackage) string { return fmt.Sprint(p.ComponentID, p.Package.Path) }, 25) {
			packages = append(packages, p.Package.Type+" "+p.Package.Name)
		}
		for _, p := range c.packages() {
			planted = append(planted, p.kind+" "+p.name)
		}
		sameSet(j, fmt.Sprint("packages of image ", i), packages, planted)
		if n := len(all(j.s, path+"/secrets", func(v pratique.PlacedSecret) string { return fmt.Sprint(v.RowID) }, 1)); n != c.secrets() {
			j.Errorf("image %d has %d secrets, want %d", i, n, c.secrets())
		}
		if n := len(all(j.s, path+"/malware", func(v pratique.PlacedMalware) string { return fmt.Sprint(v.RowID) }, 1)); n != c.malware() {
			j.Errorf("image %d has %d malicious files, want %d", i, n, c.malware())
		}
		if scans := get[pratique.Page[pratique.Scan]](j.s, path+"/scans").Items; len(scans) != 1 || scans[0].Status != pratique.StatusScanned {
			j.Errorf("image %d: %+v", i, scans)
		}
	}
	j.s.refused(http.StatusNotFound, http.MethodGet, "/contents/sha256:"+strings.Repeat("0", 64), nil)
	j.s.refused(http.StatusNotFound, http.MethodGet, "/images/999999", nil)
	row := j.rows()[0]
	if again := get[pratique.AssetRow](j.s, fmt.Sprint("/images/", row.ID)); again.ID != row.ID || again.Digest != row.Digest {
		j.Errorf("%+v, want %+v", again, row)
	}
}

// spread is where one vulnerability has to be found.
type spread struct {
	severity pratique.Severity
	images   map[pratique.Digest]bool
	rows     int
	packages map[string]bool
}

func (e *estate) spreads() map[string]*spread {
	all := map[string]*spread{}
	for _, r := range e.rows {
		seen := map[string]bool{}
		for _, h := range e.hits(r.content) {
			v := all[h.cve]
			if v == nil {
				v = &spread{severity: h.severity, images: map[pratique.Digest]bool{}, packages: map[string]bool{}}
				all[h.cve] = v
			}
			v.images[r.content.id()] = true
			v.packages[h.pkg.name+" "+h.pkg.version] = true
			if !seen[h.cve] {
				v.rows++
			}
			seen[h.cve] = true
		}
	}
	return all
}

func (j *journey) vulnerabilities() {
	spreads := j.e.spreads()
	var want, got []string
	for id, v := range spreads {
		want = append(want, fmt.Sprint(id, " ", v.severity, " in ", len(v.images), " images"))
	}
	rows := all(j.s, "/vulnerabilities", func(v pratique.VulnerabilityRow) string { return v.ID }, 4)
	for _, v := range rows {
		got = append(got, fmt.Sprint(v.ID, " ", v.Severity, " in ", v.Images, " images"))
	}
	sameSet(j, "vulnerabilities", got, want)
	if !slices.IsSortedFunc(rows, func(a, b pratique.VulnerabilityRow) int { return cmp.Compare(b.Severity.Rank(), a.Severity.Rank()) }) {
		j.Error("the worst vulnerabilities do not come first")
	}
	for query, keep := range map[string]func(advisory) bool{
		"severity=critical": func(a advisory) bool { return a.severity == pratique.SeverityCritical },
		"severity=high,low": func(a advisory) bool {
			return a.severity == pratique.SeverityHigh || a.severity == pratique.SeverityLow
		},
		"fixable=true":                      func(a advisory) bool { return a.fixed != "" },
		"exploited=true":                    func(a advisory) bool { return a.exploited || a.epss >= pratique.LikelyEPSS },
		"search=10031":                      func(a advisory) bool { return a.cve == "CVE-2026-10031" },
		"type=npm":                          func(a advisory) bool { return a.ecosystem == "npm" },
		"package=lodash":                    func(a advisory) bool { return a.name == "lodash" },
		"application=true":                  func(a advisory) bool { return !strings.Contains(a.ecosystem, ":") },
		"system=true":                       func(a advisory) bool { return strings.Contains(a.ecosystem, ":") },
		"uncounted=true":                    func(advisory) bool { return false },
		"running=true":                      func(advisory) bool { return false },
		fmt.Sprint("registry=", j.registry): func(advisory) bool { return true },
		"registry=999":                      func(advisory) bool { return false },
	} {
		want, got = nil, nil
		for _, a := range j.e.advisories {
			if spreads[a.cve] != nil && keep(a) {
				want = append(want, a.cve)
			}
		}
		for _, v := range all(j.s, "/vulnerabilities?"+query, func(v pratique.VulnerabilityRow) string { return v.ID }, 3) {
			got = append(got, v.ID)
		}
		sameSet(j, "vulnerabilities with "+query, got, want)
	}
	for _, order := range []string{"severity", "score", "epss", "images", "firstSeen", "lastSeen", "published"} {
		if n := len(all(j.s, "/vulnerabilities?sort=-"+order, func(v pratique.VulnerabilityRow) string { return v.ID }, 2)); n != len(spreads) {
			j.Errorf("by %s there are %d vulnerabilities, want %d", order, n, len(spreads))
		}
	}

	const log4j = "CVE-2026-10051"
	v, known := j.s.vulnerability(log4j), spreads[log4j]
	if v.KEV == nil || v.EPSS == nil || v.EPSS.Score < 0.96 || v.Severity != pratique.SeverityCritical || v.Score != 9.8 || len(v.Packages) != len(known.packages) || len(v.MustFix) == 0 || v.Images != len(known.images) || v.Repositories != known.rows || len(v.History) == 0 || v.History[0].Change != pratique.ChangeAppeared {
		j.Errorf("%+v", v)
	}
	for _, p := range v.Packages {
		if len(p.Proof) == 0 || p.Proof[0].Decision == "" || p.Proof[0].Advisory != "MAVEN-"+log4j || p.FixedVersion != "1.5.0" {
			j.Errorf("%+v has no proof", p)
		}
	}
	if n := len(all(j.s, "/vulnerabilities/"+log4j+"/images", func(r pratique.AssetRow) string { return fmt.Sprint(r.ID) }, 9)); n != known.rows {
		j.Errorf("%d rows have %s, want %d", n, log4j, known.rows)
	}
	j.s.refused(http.StatusNotFound, http.MethodGet, "/vulnerabilities/CVE-1999-0001", nil)
}

// vulnerability is one with everything that is known of it.
type vulnerability struct {
	pratique.VulnerabilityRow
	MustFix  []json.RawMessage
	Packages []struct {
		Package      pratique.Package
		FixedVersion string
		Proof        []pratique.Proof
	}
	History []pratique.FindingEvent
}

func (s *server) vulnerability(id string) vulnerability {
	s.t.Helper()
	return get[vulnerability](s, "/vulnerabilities/"+id)
}

func (j *journey) components() {
	holders := map[string]map[pratique.Digest]bool{}
	for id, c := range j.e.byID() {
		for _, p := range c.packages() {
			name := p.kind + " " + p.name + " " + p.version
			if p.version == "" {
				name = p.kind + " " + p.name
			}
			if holders[name] == nil {
				holders[name] = map[pratique.Digest]bool{}
			}
			holders[name][id] = true
		}
	}
	listed := map[string]int{}
	for _, p := range all(j.s, "/components", func(p pratique.ComponentRow) string { return fmt.Sprint(p.ID) }, 40) {
		name := p.Package.Type + " " + p.Package.Name + " " + strings.TrimPrefix(p.Package.Version, "v")
		if _, known := holders[name]; !known {
			name = p.Package.Type + " " + p.Package.Name // whose version the model does not know
		}
		listed[name] += p.Images
	}
	for name, images := range holders {
		if listed[name] != len(images) {
			j.Errorf("%s is in %d images, want %d", name, listed[name], len(images))
		}
		delete(listed, name)
	}
	if len(listed) > 0 {
		j.Errorf("nobody planted %v", listed)
	}
	one := get[pratique.Page[pratique.ComponentRow]](j.s, "/components?search=jinja2&total=true")
	if len(one.Items) != 2 {
		j.Fatalf("%+v", one)
	}
	for _, p := range one.Items {
		rows := 0
		for _, r := range j.e.rows {
			if slices.ContainsFunc(r.content.packages(), func(s software) bool { return s.name == "jinja2" && s.version == p.Package.Version }) {
				rows++
			}
		}
		if n := len(all(j.s, fmt.Sprintf("/components/%d/images", p.ID), func(r pratique.AssetRow) string { return fmt.Sprint(r.ID) }, 20)); n != rows {
			j.Errorf("%d rows have jinja2 %s, want %d", n, p.Package.Version, rows)
		}
		if p.Vulnerabilities != map[string]int{"1.3.0": 1}[p.Package.Version] {
			j.Errorf("%+v", p)
		}
	}
}

func (j *journey) secretsAndMalware() {
	infected, leaking := 0, 0
	rows := 0
	for _, c := range j.e.byID() {
		infected += min(1, c.malware())
		leaking += min(1, c.secrets())
	}
	for _, r := range j.e.rows {
		rows += min(1, r.content.secrets())
	}
	if infected == 0 || leaking == 0 {
		j.Fatal("nothing is planted")
	}
	type secret struct {
		pratique.PlacedSecret
		Image *struct{ Repository string }
	}
	secrets := all(j.s, "/secrets", func(v secret) string { return fmt.Sprint(v.RowID) }, 1)
	if len(secrets) != 1 {
		j.Fatalf("one secret in several images is %d rows", len(secrets))
	}
	v := secrets[0]
	if v.Images != leaking || v.Image == nil || v.Severity != pratique.SeverityHigh || v.Path != "srv/config/deploy.env" || v.Hash == "" || strings.Contains(v.Preview, j.e.credential[6:12]) {
		j.Errorf("%+v, want it in %d images", v, leaking)
	}
	if n := len(all(j.s, fmt.Sprint("/images?secret=", v.RowID), func(r pratique.AssetRow) string { return fmt.Sprint(r.ID) }, 5)); n != rows {
		j.Errorf("%d rows have the secret, want %d", n, rows)
	}
	malware := all(j.s, "/malware", func(v pratique.PlacedMalware) string { return fmt.Sprint(v.RowID) }, 1)
	for _, v := range malware {
		if v.Images != infected || v.Severity != pratique.SeverityHigh || !strings.HasPrefix(v.Path, "srv/upload/") || v.Name == "" {
			j.Errorf("%+v, want it in %d images", v, infected)
		}
	}
	if len(malware) == 0 || len(malware) > 2 {
		j.Errorf("%+v", malware)
	}
}

func (j *journey) overview() {
	o := j.s.overview()
	want := pratique.Overview{Registries: 1, Rows: len(j.e.rows), Images: len(j.e.byID())}
	for _, r := range j.e.rows {
		if n := j.e.counters(r.content); n.Risks() > 0 {
			want.AtRisk++
		} else {
			want.NoRisk++
		}
	}
	for _, c := range j.e.byID() {
		n := j.e.counters(c)
		for _, severity := range pratique.Severities() {
			*want.Counters.Vulnerabilities.Of(severity) += *n.Vulnerabilities.Of(severity)
		}
		want.Counters.Packages += n.Packages
		want.Counters.Secrets.High += n.Secrets.High
		want.Counters.Malware.High += n.Malware.High
	}
	for _, v := range j.e.spreads() {
		*want.DistinctIDs.Of(v.severity)++
	}
	if o.Registries != want.Registries || o.Rows != want.Rows || o.Images != want.Images || o.AtRisk != want.AtRisk || o.NoRisk != want.NoRisk || o.Unknown != 0 ||
		o.Counters.Vulnerabilities != want.Counters.Vulnerabilities || o.Counters.Secrets != want.Counters.Secrets || o.Counters.Malware != want.Counters.Malware || o.DistinctIDs != want.DistinctIDs ||
		o.Recommended != 0 || o.ByStatus[pratique.StatusScanned] != want.Rows || o.Waiting != 0 || o.Pending != 0 || o.LastScan == nil || o.NewToday != want.Rows {
		j.Errorf("%+v\nwant %+v", o, want)
	}
	// The figures of a day are kept every hour, and when the service starts.
	if days := get[pratique.Page[pratique.Day]](j.s, "/overview/days").Items; len(days) == 0 {
		j.Error("no day is kept")
	}
}

// scanAgain: what is known is not read again, unless somebody insists.
func (j *journey) scanAgain() {
	j.g.fetched()
	done := j.s.scan(map[string]any{"scope": "all"})
	if done.Scanned != len(j.e.byID()) || done.Failed != 0 {
		j.Errorf("%+v", done)
	}
	layers := map[pratique.Digest]bool{}
	for _, r := range j.e.rows {
		for _, l := range r.content.Layers {
			layers[l.Digest] = true
		}
	}
	fetched := j.g.fetched()
	maps.DeleteFunc(fetched, func(d pratique.Digest, _ int) bool { return !layers[d] })
	if len(fetched) > 0 {
		j.Errorf("%d layers were fetched again", len(fetched))
	}
	j.Logf("%d images again in %s", done.Scanned, done.Ended.Sub(done.Created).Round(10*time.Millisecond))
	j.images()

	one := j.e.contents[13].id()
	if done := j.s.scan(map[string]any{"scope": "specified", "filter": map[string]any{"imageIDs": []pratique.Digest{one}}, "forced": true}); done.Total != 1 || done.Scanned != 1 {
		j.Errorf("%+v", done)
	}
	if fetched := j.g.fetched(); fetched[j.e.contents[13].Layers[0].Digest] != 1 {
		j.Errorf("a forced scan fetched %v", fetched)
	}
}

// pushed is a repository of this journey alone.
func (j *journey) pushed() string {
	return "pushed/" + map[bool]string{true: "sqlite", false: "postgresql"}[j.s.database == ""]
}

func (j *journey) ring(secret string, body any) (code int, answer string) {
	j.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		j.Fatal(err)
	}
	req, err := http.NewRequestWithContext(j.Context(), http.MethodPost, fmt.Sprintf("%s/api/v1/hooks/%d", j.s.url, j.registry), bytes.NewReader(text))
	if err != nil {
		j.Fatal(err)
	}
	req.Header.Set("Authorization", secret)
	req.Header.Set("Content-Type", "application/vnd.docker.distribution.events.v2+json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		j.Fatal(err)
	}
	defer resp.Body.Close()
	told, err := io.ReadAll(resp.Body)
	if err != nil {
		j.Fatal(err)
	}
	return resp.StatusCode, string(told)
}

// push: the registry tells of a new tag, which is listed and scanned without
// anybody asking for it, and without looking at all the rest.
func (j *journey) push() {
	c := j.e.spare[0]
	digest, err := newPusher("http://"+j.e.registry.Host).image(j.pushed(), "1", c)
	if err != nil {
		j.Fatal(err)
	}
	notification := map[string]any{"events": []any{map[string]any{"action": "push", "target": map[string]any{"mediaType": typeManifest, "digest": digest, "repository": j.pushed(), "tag": "1"}}}}
	for _, wrong := range []string{"", "Bearer", "a-bell-that-rings-once"} {
		if code, answer := j.ring(wrong, notification); code != http.StatusUnauthorized && code != http.StatusForbidden {
			j.Errorf("with the secret %q the bell is answered with %d %s", wrong, code, answer)
		}
	}
	if rows := get[pratique.Page[pratique.AssetRow]](j.s, "/images?search="+j.pushed()).Items; len(rows) > 0 {
		j.Errorf("somebody without the secret made the service look: %+v", rows)
	}
	catalogue, tags := j.g.requests("_catalog"), j.g.requests("tags")
	if code, answer := j.ring(webhookSecret, notification); code != http.StatusAccepted {
		j.Fatalf("the bell is answered with %d %s", code, answer)
	}
	var rows []pratique.AssetRow
	until(j, "what was pushed is scanned", 2*time.Minute, func() bool {
		rows = get[pratique.Page[pratique.AssetRow]](j.s, "/images?search="+j.pushed()).Items
		return len(rows) == 1 && rows[0].Status == pratique.StatusScanned
	})
	want := j.e.counters(c)
	if rows[0].Counters != want || rows[0].ImageID != c.id() || !rows[0].Newest {
		j.Errorf("%+v\nwant %+v", rows[0], want)
	}
	if j.g.requests("_catalog") != catalogue || j.g.requests("tags")-tags > 4 {
		j.Errorf("for one tag the catalogue was asked %d times, and for tags %d times", j.g.requests("_catalog")-catalogue, j.g.requests("tags")-tags)
	}
	tasks := get[pratique.Page[task]](j.s, "/tasks?kind=webhook").Items
	if len(tasks) != 1 || tasks[0].Total != 1 {
		j.Errorf("%+v", tasks)
	}
}

// deletion: a tag that is gone from the registry is gone here, with its history.
func (j *journey) deletion() {
	if err := newPusher("http://"+j.e.registry.Host).untag(j.pushed(), pratique.DigestOf(j.e.spare[0].Manifest())); err != nil {
		j.Fatal(err)
	}
	if got := j.sync(true); got.State != "success" {
		j.Fatalf("%+v", got)
	}
	if rows := get[pratique.Page[pratique.AssetRow]](j.s, "/images?search="+j.pushed()).Items; len(rows) > 0 {
		j.Errorf("the tag is still listed: %+v", rows)
	}
	gone := get[pratique.Page[pratique.AssetRow]](j.s, "/images?gone=true").Items
	if len(gone) != 1 || gone[0].Gone == nil || gone[0].Repository != j.pushed() || gone[0].Counters != j.e.counters(j.e.spare[0]) {
		j.Errorf("%+v", gone)
	}
	if n := len(j.rows()); n != len(j.e.rows) {
		j.Errorf("%d rows remain, want %d", n, len(j.e.rows))
	}
	j.vulnerabilities() // counts what is there
}

func (j *journey) reports() {
	c := j.e.contents[0]
	path := "/contents/" + string(c.id()) + "/report?format="
	get := func(format string) string {
		j.Helper()
		code, text, err := j.s.try(http.MethodGet, path+format, nil)
		if err != nil || code != http.StatusOK {
			j.Fatalf("%s: %d %v %.500s", format, code, err, text)
		}
		return string(text)
	}
	var r pratique.Report
	if err := json.Unmarshal([]byte(get("json")), &r); err != nil {
		j.Fatal(err)
	}
	var found []string
	for _, f := range r.Vulnerabilities {
		found = append(found, findingName(f.ID, f.Package.Name, f.Package.Version, f.Severity, f.FixState))
	}
	sameSet(j, "vulnerabilities in the report", found, j.e.hitNames(c))
	if len(r.Packages) != len(c.packages()) || len(r.Layers) != len(c.Layers) || r.Image.ID != c.id() {
		j.Errorf("the report has %d packages and %d layers of %s", len(r.Packages), len(r.Layers), r.Image.ID)
	}
	var bom struct {
		BomFormat  string
		Components []struct{ Name, Purl, Type string }
	}
	if err := json.Unmarshal([]byte(get("cyclonedx")), &bom); err != nil || bom.BomFormat != "CycloneDX" {
		j.Fatal(err, bom.BomFormat)
	}
	purls := 0
	for _, component := range bom.Components {
		if component.Purl != "" {
			purls++
		}
	}
	if purls < len(c.packages()) {
		j.Errorf("the bill of materials has %d package URLs, want %d", purls, len(c.packages()))
	}
	var spdx struct {
		SPDXVersion string
		Packages    []struct{ Name string }
	}
	if err := json.Unmarshal([]byte(get("spdx")), &spdx); err != nil || !strings.HasPrefix(spdx.SPDXVersion, "SPDX-2") || len(spdx.Packages) < len(c.packages()) {
		j.Error(err, spdx.SPDXVersion, len(spdx.Packages))
	}
	for _, lang := range []string{"en", "zh"} {
		if page := get("html&lang=" + lang); !strings.Contains(page, "<html") || !strings.Contains(page, "CVE-2026-10001") || !strings.Contains(page, "</html>") || strings.Contains(page, "<script src") {
			j.Errorf("the page in %s: %.300s", lang, page)
		}
	}
	if text := get("table"); !strings.Contains(text, "CVE-2026-10001") {
		j.Errorf("the table: %.500s", text)
	}
	j.s.refused(http.StatusUnprocessableEntity, http.MethodGet, path+"papyrus", nil)
}

// discreet: none of our secrets is anywhere in plain, nor is the credential that an
// image holds.
func (j *journey) discreet() {
	home, err := url.Parse(j.s.url)
	if err != nil {
		j.Fatal(err)
	}
	words := map[string]string{
		"the registry's password":         registrytest.Password,
		"the registry's login":            base64.StdEncoding.EncodeToString([]byte(registrytest.Username + ":" + registrytest.Password)),
		"the webhook's secret":            webhookSecret,
		"the administrator's password":    password,
		"the credential inside the image": j.e.credential,
	}
	for _, c := range j.s.client.Jar.Cookies(home) {
		words["the session's token"] = c.Value
	}
	if len(words) != 6 {
		j.Fatal("nobody is signed in")
	}
	look := func(where string, text []byte) {
		for what, word := range words {
			for _, form := range []string{word, hex.EncodeToString([]byte(word))} {
				if at := bytes.Index(text, []byte(form)); at >= 0 {
					j.Errorf("%s is in %s: …%q", what, where, text[max(0, at-60):at])
				}
			}
		}
	}
	all(j.s, "/audit", func(a pratique.AuditEntry) string { return fmt.Sprint(a.ID) }, 50)
	j.s.mu.Lock()
	look("an answer", j.s.answers.Bytes())
	j.s.mu.Unlock()
	look("the log", []byte(j.s.text()))
	files := 0
	err = filepath.WalkDir(j.s.data, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		files++
		text, err := os.ReadFile(name)
		look(name, text)
		return err
	})
	if err != nil || files < 5 {
		j.Error(err, files)
	}
	if j.s.database != "" {
		look("the database", dump(j, j.s.database))
	}
}

// dump is all rows of all tables as text.
func dump(t testing.TB, database string) []byte {
	conn, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	rows, err := conn.Query(t.Context(), "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'")
	if err != nil {
		t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	for _, name := range names {
		rows, err := conn.Query(t.Context(), "SELECT t::text FROM "+pgx.Identifier{name}.Sanitize()+" t")
		if err != nil {
			t.Fatal(err)
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range lines {
			b.WriteString(line + "\n")
		}
	}
	if len(names) < 20 || b.Len() < 10_000 {
		t.Fatalf("the database has %d tables and %d bytes: this shows nothing", len(names), b.Len())
	}
	return b.Bytes()
}
