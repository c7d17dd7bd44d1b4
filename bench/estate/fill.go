package main

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/pratique/pratique"
)

const (
	bases        = 40
	ofBase       = 30   // packages of each base
	own          = 10   // packages of each image beside its base's
	pool         = 6000 // packages that these are taken from
	perRepo      = 25   // tags
	severityNone = -1
)

var start = time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)

func after(minutes int) int64 {
	return start.Add(time.Duration(minutes) * time.Minute).UnixMicro()
}

func digest(words ...any) string {
	sum := sha256.Sum256([]byte(fmt.Sprint(words...)))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// registry is one, with its share of all rows in percent.
type registry struct {
	name, kind, address string
	share               int
}

var registries = []registry{
	{"production", "harbor", "https://harbor.example.org", 58},
	{"platform", "quay", "https://quay.example.org", 18},
	{"builds", "artifactory", "https://artifactory.example.org", 12},
	{"cloud-eu", "ecr", "https://ecr.example.org", 7},
	{"cloud-cn", "tcr", "https://tcr.example.org", 4},
	{"mirror", "oci", "https://mirror.example.org", 1},
}

var (
	namespaces = strings.Fields("payments shop search identity ledger risk web mobile data ml platform infra edge media chat maps billing orders stock fleet tools base labs legacy partner")
	services   = strings.Fields("api worker web gateway cron proxy cache index importer exporter mailer report auth session rules events stream batch admin agent")
	distros    = []pratique.Distro{
		{ID: "debian", Version: "12", Name: "Debian GNU/Linux 12 (bookworm)"}, {ID: "alpine", Version: "3.20.3", Name: "Alpine Linux v3.20"},
		{ID: "ubuntu", Version: "24.04", Name: "Ubuntu 24.04.1 LTS"}, {ID: "rhel", Version: "9.4", Name: "Red Hat Enterprise Linux 9.4 (Plow)"},
	}
)

// estate is what is being written.
type estate struct {
	ctx    context.Context
	tx     *sql.Tx
	random *rand.Rand
	rows   int

	packages        []pkg
	vulnerabilities []vulnerability
	images          []image
	tables          []*table
}

type pkg struct {
	findings []finding
	images   int
}

type finding struct {
	vulnerability int
	severity      int
	fixable       bool
}

type vulnerability struct {
	severity int
	likely   bool
	worst    int // of its findings, severityNone without any
	fixable  bool
	images   int
}

// image is a content, by its number.
type image struct {
	base, size int
	packages   []int
	status     pratique.Status
	v, d, s, m [6]int // by rank
	fixable, criticalFixable,
	exploited int
}

func fill(ctx context.Context, db *sql.DB, rows int) (err error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	e := &estate{ctx: ctx, tx: tx, random: rand.New(rand.NewPCG(uint64(rows), 1)), rows: rows}
	for _, step := range []func() error{e.knowledge, e.chooseImages, e.writeKnowledge, e.writeImages, e.tasks, e.places, e.days} {
		if err := errors.Join(step(), e.flush()); err != nil {
			return errors.Join(err, tx.Rollback())
		}
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	for _, name := range []string{"registries", "repositories", "assets", "images", "packages", "vulnerabilities", "findings", "descriptions", "distros", "scans", "tasks"} {
		if err := nextID(ctx, db, name); err != nil {
			return err
		}
	}
	_, err = db.ExecContext(ctx, "ANALYZE")
	return err
}

// nextID lets PostgreSQL give out ids beyond those that were written; SQLite does
// by itself.
func nextID(ctx context.Context, db *sql.DB, table string) error {
	if _, err := db.ExecContext(ctx, "SELECT sqlite_version()"); err == nil {
		return nil
	}
	_, err := db.ExecContext(ctx, "SELECT setval(pg_get_serial_sequence('"+table+"', 'id'), (SELECT COALESCE(MAX(id), 1) FROM "+table+"))")
	return err
}

func (e *estate) table(into string, needs ...*table) *table {
	t := &table{into: into, tx: e.tx, needs: needs}
	e.tables = append(e.tables, t)
	return t
}

func (e *estate) flush() error {
	var errs []error
	for _, t := range e.tables {
		t.flush(e.ctx)
		errs = append(errs, t.err)
	}
	e.tables = nil
	return errors.Join(errs...)
}

// chance is true so many times in a thousand.
func (e *estate) chance(perMille int) bool { return e.random.IntN(1000) < perMille }

// severity is one rank of those that vulnerabilities have, the worst ones rarer.
func (e *estate) severity() int {
	return []int{5, 4, 4, 4, 3, 3, 3, 3, 2, 2, 2, 0, 1}[e.random.IntN(13)]
}

// knowledge chooses packages and their vulnerabilities: half of the packages have
// some.
func (e *estate) knowledge() error {
	n := bases*ofBase + pool
	e.vulnerabilities = make([]vulnerability, n*3/4)
	for i := range e.vulnerabilities {
		e.vulnerabilities[i] = vulnerability{severity: e.severity(), likely: e.chance(15), worst: severityNone}
	}
	e.packages = make([]pkg, n)
	for i := range e.packages {
		chosen := map[int]bool{}
		for range max(0, e.random.IntN(6)-2) {
			chosen[e.random.IntN(len(e.vulnerabilities))] = true
		}
		for _, v := range slices.Sorted(maps.Keys(chosen)) {
			f, of := finding{v, e.vulnerabilities[v].severity, e.chance(600)}, &e.vulnerabilities[v]
			e.packages[i].findings = append(e.packages[i].findings, f)
			of.worst, of.fixable = f.severity, of.fixable || f.fixable
		}
	}
	return nil
}

func (e *estate) chooseImages() error {
	e.images = make([]image, max(1, e.rows*6/10))
	for i := range e.images {
		m := &e.images[i]
		m.base, m.size, m.status = e.random.IntN(bases), 4<<20+e.random.IntN(900<<20), pratique.StatusScanned
		switch n := e.random.IntN(100); {
		case n < 10:
			m.status = pratique.StatusNotScanned
		case n < 13:
			m.status = pratique.StatusFailed
		case n < 15:
			m.status = pratique.StatusCancelled
		}
		if m.status != pratique.StatusScanned {
			continue
		}
		for p := range ofBase {
			m.packages = append(m.packages, m.base*ofBase+p)
		}
		chosen := map[int]bool{}
		for range own {
			chosen[bases*ofBase+e.random.IntN(pool)] = true
		}
		m.packages = append(m.packages, slices.Sorted(maps.Keys(chosen))...)
		e.count(m)
		if e.chance(40) {
			m.s[4] = 1 + e.random.IntN(3)
		}
		if e.chance(4) {
			m.m[5] = 1
		}
	}
	return nil
}

// count counts what the packages of an image come to.
func (e *estate) count(m *image) {
	seen := map[int]bool{}
	for _, id := range m.packages {
		p := &e.packages[id]
		p.images++
		for _, f := range p.findings {
			m.v[f.severity]++
			if f.fixable {
				m.fixable++
				if f.severity == 5 {
					m.criticalFixable++
				}
			}
			if seen[f.vulnerability] {
				continue
			}
			seen[f.vulnerability] = true
			m.d[f.severity]++
			v := &e.vulnerabilities[f.vulnerability]
			v.images++
			if v.likely {
				m.exploited++
			}
		}
	}
}

// worst is the rank of the worst finding.
func (m *image) worst() int {
	for rank := 5; rank >= 0; rank-- {
		if m.v[rank]+m.s[rank]+m.m[rank] > 0 {
			return rank
		}
	}
	return severityNone
}

func (e *estate) writeImages() error {
	images := e.table(`images (id, digest, os, architecture, variant, created, size, distro, distro_name, rules, knowledge, status, scan_id, scanned_at, rows_live, running, complete, risk, worst,
		v_negligible, v_unknown, v_low, v_medium, v_high, v_critical, d_negligible, d_unknown, d_low, d_medium, d_high, d_critical,
		s_negligible, s_unknown, s_low, s_medium, s_high, s_critical, m_negligible, m_unknown, m_low, m_medium, m_high, m_critical, fixable, critical_fixable, exploited, live_secrets, packages)`)
	held := e.table("image_packages (image_id, package_id, path, layer, since)", images)
	documents := e.table("image_documents (image_id, document, layers, coverage, category_at, problems)", images)
	secrets := e.table("secrets (image_id, identity, severity, rule, type, path, hash, weight, search, since, document)", images)
	malware := e.table("malware (image_id, identity, severity, name, engine, path, sha256, weight, search, since, document)", images)
	full := map[pratique.Category]pratique.CategoryCoverage{}
	for _, c := range []pratique.Category{pratique.CategoryVulnerability, pratique.CategorySecret, pratique.CategoryMalware, pratique.CategorySoftware} {
		full[c] = pratique.CategoryCoverage{State: pratique.CoverageComplete}
	}
	for i := range e.images {
		m := &e.images[i]
		id, d := i+1, distros[m.base%len(distros)]
		config := digest("config", i)
		arch := []string{"amd64", "amd64", "amd64", "arm64"}[i%4]
		var scan, at any
		risk, was := 0, m.status == pratique.StatusScanned
		if m.status != pratique.StatusNotScanned {
			scan = id
		}
		distro, name := "", ""
		if was {
			distro, name, at, risk = d.ID, d.Name, after(i), 1
			if m.worst() >= 0 {
				risk = 2
			}
		}
		values := []any{id, config, "linux", arch, "", after(i - 90), m.size, distro, name, "", "", string(m.status), scan, at, 0, false, was, risk, m.worst()}
		for _, counts := range [][6]int{m.v, m.d, m.s, m.m} {
			for _, n := range counts {
				values = append(values, n)
			}
		}
		images.add(e.ctx, append(values, m.fixable, m.criticalFixable, m.exploited, m.s[4]+m.s[5], len(m.packages))...)
		if was {
			documents.add(e.ctx, id, pratique.Image{Kind: pratique.KindImage, ID: pratique.Digest(config), Platform: pratique.Platform{OS: "linux", Architecture: arch}, Size: int64(m.size), Distro: &d},
				[]pratique.Layer{}, full, map[string]any{}, []any{})
		}
		for _, p := range m.packages {
			held.add(e.ctx, id, p+1, "var/lib/dpkg/status", 0, after(i))
		}
		for n := range m.s[4] {
			same := e.random.IntN(len(e.images)/20 + 1) // several images have the same
			path := fmt.Sprintf("srv/app/config-%d.env", same)
			preview := "tok-…" + fmt.Sprint(same, n)
			secrets.add(e.ctx, id, digest("secret", same, n)[:39], 4, "generic-api-key", "token", path, digest("value", same, n), 0, "generic-api-key "+path, after(i),
				pratique.Secret{Rule: "generic-api-key", Title: "Generic API key", Type: "token", Severity: pratique.SeverityHigh, Source: "file", Path: path, Line: 3 + n, Preview: preview})
		}
		if m.m[5] > 0 {
			same := e.random.IntN(40)
			path, sum := fmt.Sprintf("usr/local/bin/kworker-%d", same), digest("malware", same)[7:]
			malware.add(e.ctx, id, digest("malicious", same)[:39], 5, "Linux.Miner", "hash", path, sum, 0, "linux.miner "+path+" "+sum, after(i),
				pratique.Malware{Name: "Linux.Miner", Engine: "hash", Severity: pratique.SeverityCritical, Path: path, Size: 4 << 20, SHA256: sum})
		}
	}
	return nil
}

func (e *estate) writeKnowledge() error {
	distribution := e.table("distros (id, label, document)")
	for i, d := range distros {
		distribution.add(e.ctx, i+1, d.ID, d)
	}
	descriptions := e.table("descriptions (id, digest, document)")
	vulnerabilities := e.table("vulnerabilities (id, name, title, severity, score, fixable, likely, epss, published, first_seen, last_seen, images)")
	for i, v := range e.vulnerabilities {
		name := fmt.Sprintf("CVE-%d-%d", 2018+i%9, 10000+i)
		title := "Out-of-bounds write in " + services[i%len(services)] + " allows remote attackers to run code"
		descriptions.add(e.ctx, i+1, digest("description", i)[7:39], map[string]string{"title": title})
		vulnerabilities.add(e.ctx, i+1, name, title, v.worst, float64(2*max(0, v.worst)), v.fixable, v.likely, e.random.Float64()/10, after(-i), after(0), after(i), v.images)
	}
	packages := e.table(`packages (id, identity, type, name, version, arch, ecosystem, source, source_version, module, distro_id, owned, document, fold, source_fold,
		judged, stamp, pending, images, v_count, v_worst)`, distribution)
	findings := e.table("findings (package_id, vulnerability_id, severity, weight, fixable, description_id, digest, since, document)", packages, vulnerabilities, descriptions)
	for i, p := range e.packages {
		name := fmt.Sprintf("%s-%s-%d", namespaces[i%len(namespaces)], services[i/7%len(services)], i)
		bad := severityNone
		for _, f := range p.findings {
			bad = max(bad, f.severity)
		}
		kind, ecosystem, source := "deb", "Debian:12", "src-"+name
		if i >= bases*ofBase {
			kind, ecosystem, source = "npm", "npm", ""
		}
		packages.add(e.ctx, i+1, digest("package", i)[7:39], kind, name, fmt.Sprintf("1.%d.0", i%20), "amd64", ecosystem, source, "", "", nil, false,
			map[string]string{"purl": "pkg:" + kind + "/" + name}, name, source, true, 0, false, p.images, len(p.findings), bad)
		for _, f := range p.findings {
			ruling := map[string]any{"severity": byRank[f.severity], "fixState": pratique.FixNone}
			if f.fixable {
				ruling["fixState"], ruling["fixedVersion"] = pratique.FixAvailable, "2.0"
			}
			findings.add(e.ctx, i+1, f.vulnerability+1, f.severity, 0, f.fixable, f.vulnerability+1, "", after(0), ruling)
		}
	}
	return nil
}

// byRank are severities by their rank.
var byRank = [...]pratique.Severity{pratique.SeverityNegligible, pratique.SeverityUnknown, pratique.SeverityLow, pratique.SeverityMedium, pratique.SeverityHigh, pratique.SeverityCritical}

// places writes registries with what they hold. The first images have a row each,
// the other rows share these images.
func (e *estate) places() error {
	all := e.table("registries (id, name, kind, version, network, region, site, address, username, hourly_limit, insecure, ca, proxy, created, updated, health, sync)")
	repositories := e.table("repositories (id, registry_id, name, namespace, first_seen, last_seen)", all)
	assets := e.table("assets (registry_id, repository_id, slot, tag, digest, index_digest, image_id, platform, size, created, pushed, first_seen, last_seen, newest, search)", repositories)
	ended := start.Add(24 * time.Hour)
	owner := make([]int, 0, 100) // of each hundredth repository
	for i, r := range registries {
		all.add(e.ctx, i+1, r.name, r.kind, "", "private", "default", "", r.address, "robot", 0, false, "", "", after(0), after(0),
			pratique.Health{Status: "connected", Checked: &ended}, pratique.SyncStatus{State: "success", Full: true, Started: &start, Ended: &ended, LastSuccess: &ended})
		owner = append(owner, slices.Repeat([]int{i}, r.share)...)
	}
	rowsOf := make([]int, len(e.images))
	for n := range e.rows {
		i := n
		if n >= len(e.images) {
			i = e.random.IntN(len(e.images))
		}
		rowsOf[i]++
		repository, tag := n/perRepo, n%perRepo
		r := owner[repository%len(owner)]
		namespace := namespaces[repository%len(namespaces)]
		name := fmt.Sprintf("%s/%s-%d", namespace, services[repository/len(namespaces)%len(services)], repository)
		if tag == 0 {
			repositories.add(e.ctx, repository+1, r+1, name, namespace, after(0), after(2000))
		}
		version := fmt.Sprintf("v1.%d.%d", tag, repository%10)
		d, config := digest("manifest", i), digest("config", i)
		newest := tag == perRepo-1 || n == e.rows-1
		assets.add(e.ctx, r+1, repository+1, version, version, d, "", i+1, pratique.Platform{OS: "linux", Architecture: []string{"amd64", "amd64", "amd64", "arm64"}[i%4]},
			e.images[i].size, after(i-90), after(i-80+n%60), after(n/50), after(2000+n%500), newest,
			fmt.Sprintf("%s %s/%s:%s %s  %s", registries[r].name, registries[r].address, name, version, d, config))
	}
	for i, n := range rowsOf {
		if n > 0 {
			if _, err := e.tx.ExecContext(e.ctx, fmt.Sprintf("UPDATE images SET rows_live = %d WHERE id = %d", n, i+1)); err != nil {
				return err
			}
		}
	}
	return nil
}

const perTask = 40 // scans

// tasks scanned everything that is scanned, or tried to.
func (e *estate) tasks() error {
	scans := e.table("scans (id, image_id, attempt, status, categories, finished, priority, timeout, forced, progress, created, started, ended, error, worker)")
	tasks := e.table("tasks (id, kind, creator, categories, timeout, forced, created, ended, total, scanned, failed, cancelled, at_risk)")
	members := e.table("task_scans (task_id, scan_id, outcome)", tasks, scans)
	categories := []pratique.Category{pratique.CategoryVulnerability, pratique.CategorySecret, pratique.CategoryMalware}
	for first := 0; first < len(e.images); first += perTask {
		id, total, risky := first/perTask+1, 0, 0
		by := map[pratique.Status]int{}
		var scanned []int
		for i := first; i < min(first+perTask, len(e.images)); i++ {
			m := &e.images[i]
			if m.status == pratique.StatusNotScanned {
				continue
			}
			var failure any
			if m.status == pratique.StatusFailed {
				failure = pratique.Errorf(pratique.CodeUnreachable, "the registry did not answer").WithRemedy("check its address, then scan again")
			}
			scans.add(e.ctx, i+1, i+1, 1, string(m.status), categories, []string{}, 1, int64(3600e6), false, map[string]int{}, after(i-2), after(i-1), after(i), failure, "")
			scanned = append(scanned, i)
			total++
			by[m.status]++
			if m.worst() >= 0 {
				risky++
			}
		}
		tasks.add(e.ctx, id, "manual", "admin", categories, int64(3600e6), false, after(first-2), after(first+perTask), total, by[pratique.StatusScanned], by[pratique.StatusFailed], by[pratique.StatusCancelled], risky)
		for _, i := range scanned {
			members.add(e.ctx, id, i+1, string(e.images[i].status))
		}
	}
	return nil
}

// days is what the trend is drawn from: risks that grow and are reduced again.
func (e *estate) days() error {
	days := e.table("days (date, document)")
	for d := range 60 {
		day := pratique.Day{Date: start.AddDate(0, 0, d).Format(time.DateOnly), Rows: e.rows * (60 + d) / 120, AtRisk: e.rows * (30 + d%30) / 120}
		day.Counters.Vulnerabilities = pratique.BySeverity{Critical: 400 + 9*(d%21), High: 3000 + 20*d, Medium: 9000 - 10*d, Low: 4000}
		day.Newest = day.Counters
		days.add(e.ctx, day.Date, day)
	}
	return nil
}
