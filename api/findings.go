package api

import (
	"context"
	"net/http"
	"time"

	"github.com/pratique/pratique"
)

// FindingStore lists what was found, in one image or across all that are in the
// inventory now.
type FindingStore interface {
	Vulnerabilities(ctx context.Context, f pratique.FindingFilter, r pratique.PageRequest) (pratique.Page[pratique.VulnerabilityRow], error)
	Vulnerability(ctx context.Context, id string) (pratique.VulnerabilityDetail, error)
	Findings(ctx context.Context, f pratique.FindingFilter, r pratique.PageRequest) (pratique.Page[pratique.PlacedFinding], error)
	Secrets(ctx context.Context, f pratique.FindingFilter, r pratique.PageRequest) (pratique.Page[pratique.PlacedSecret], error)
	Malware(ctx context.Context, f pratique.FindingFilter, r pratique.PageRequest) (pratique.Page[pratique.PlacedMalware], error)
	Components(ctx context.Context, f pratique.FindingFilter, r pratique.PageRequest) (pratique.Page[pratique.ComponentRow], error)
	Component(ctx context.Context, id int64) (pratique.ComponentRow, error)
	Events(ctx context.Context, f pratique.EventFilter, r pratique.PageRequest) (pratique.Page[pratique.FindingEvent], error)
}

var (
	vulnerabilitySorts = []string{"id", "severity", "score", "epss", "images", "firstSeen", "lastSeen", "published"}
	findingSorts       = []string{"severity", "id", "package", "epss", "since"}
	secretSorts        = []string{"severity", "path", "rule", "since"}
	malwareSorts       = []string{"severity", "path", "name", "since"}
	componentSorts     = []string{"name", "images", "vulnerabilities", "worst"}
)

// WhereFound narrows lists across images by the images.
type WhereFound struct {
	Registry []int64 `query:"registry" maxItems:"200" doc:"In images of these registries"`
	Newest   bool    `query:"newest" doc:"In an image that is the newest of a repository"`
	Running  bool    `query:"running" doc:"In an image that a running container uses"`
}

func (q WhereFound) narrow(f pratique.FindingFilter) pratique.FindingFilter {
	f.Registries, f.Newest, f.Running = q.Registry, q.Newest, q.Running
	return f
}

// FindingQuery narrows lists of vulnerabilities.
type FindingQuery struct {
	Severity    []string `query:"severity" maxItems:"6" enum:"critical,high,medium,low,negligible,unknown"`
	Search      string   `query:"search" maxLength:"256" doc:"Words that occur in id, title, package or path"`
	Type        []string `query:"type" maxItems:"32" doc:"Of the package" example:"deb"`
	Package     string   `query:"package" maxLength:"512" doc:"In the package of this name"`
	Fixable     bool     `query:"fixable"`
	Exploited   bool     `query:"exploited" doc:"Known or likely to be exploited"`
	System      bool     `query:"system" doc:"In packages of distributions"`
	Application bool     `query:"application" doc:"In packages of languages"`
	Uncounted   bool     `query:"uncounted" doc:"What is suppressed or unimportant, instead of what counts"`
}

func (q FindingQuery) findings() pratique.FindingFilter {
	return pratique.FindingFilter{
		Severities: as[pratique.Severity](q.Severity), Search: q.Search, Types: q.Type, Package: q.Package, Fixable: q.Fixable,
		Exploited: q.Exploited, System: q.System, Application: q.Application, Uncounted: q.Uncounted,
	}
}

// SecretQuery narrows lists of secrets.
type SecretQuery struct {
	Severity  []string `query:"severity" maxItems:"6" enum:"critical,high,medium,low,negligible,unknown"`
	Search    string   `query:"search" maxLength:"256" doc:"Words that occur in name, rule, type or path"`
	Type      []string `query:"type" maxItems:"64" example:"private key"`
	Uncounted bool     `query:"uncounted" doc:"What is suppressed, instead of what counts"`
}

func (q SecretQuery) findings() pratique.FindingFilter {
	return pratique.FindingFilter{Severities: as[pratique.Severity](q.Severity), Search: q.Search, Types: q.Type, Uncounted: q.Uncounted}
}

// MalwareQuery narrows lists of malicious files.
type MalwareQuery struct {
	Severity []string `query:"severity" maxItems:"6" enum:"critical,high,medium,low,negligible,unknown"`
	Search   string   `query:"search" maxLength:"256" doc:"Words that occur in path, name or a digest"`
	Engine   []string `query:"engine" maxItems:"8" example:"yara"`
}

func (q MalwareQuery) findings() pratique.FindingFilter {
	return pratique.FindingFilter{Severities: as[pratique.Severity](q.Severity), Search: q.Search, Types: q.Engine}
}

// ComponentQuery narrows lists of packages.
type ComponentQuery struct {
	Search      string   `query:"search" maxLength:"256" doc:"Words that occur in name, version or path"`
	Type        []string `query:"type" maxItems:"32" example:"npm"`
	Worst       []string `query:"worst" maxItems:"6" enum:"critical,high,medium,low,negligible,unknown" doc:"Severity of the worst vulnerability"`
	Vulnerable  bool     `query:"vulnerable" doc:"Only those with a vulnerability"`
	System      bool     `query:"system" doc:"Packages of distributions"`
	Application bool     `query:"application" doc:"Packages of languages"`
}

func (q ComponentQuery) findings() pratique.FindingFilter {
	return pratique.FindingFilter{
		Search: q.Search, Types: q.Type, Severities: as[pratique.Severity](q.Worst), Vulnerable: q.Vulnerable, System: q.System, Application: q.Application,
	}
}

// EventQuery narrows the history of findings.
type EventQuery struct {
	Vulnerability string    `query:"vulnerability" maxLength:"128"`
	Component     int64     `query:"component" minimum:"0"`
	Adoption      int64     `query:"adoption" minimum:"0" doc:"Under this bundle"`
	Change        []string  `query:"change" maxItems:"8" enum:"appeared,changed,fixed,suppressed,reopened"`
	Cause         []string  `query:"cause" maxItems:"8" enum:"image_content,advisory_added,advisory_changed,advisory_withdrawn,rules,exception"`
	Category      []string  `query:"category" maxItems:"4" enum:"vulnerability,secret,malware,software"`
	From          time.Time `query:"from"`
	To            time.Time `query:"to"`
}

func (q EventQuery) events() pratique.EventFilter {
	return pratique.EventFilter{
		Vulnerability: q.Vulnerability, Package: q.Component, Adoption: q.Adoption, Changes: as[pratique.Change](q.Change),
		Causes: as[pratique.Cause](q.Cause), Categories: as[pratique.Category](q.Category), At: between(q.From, q.To),
	}
}

// PackagePlace is a package as rows of lists show it.
type PackagePlace struct {
	Type      string `json:"type"`
	Name      string `json:"name"`
	Version   string `json:"version"`
	Arch      string `json:"arch,omitempty"`
	Ecosystem string `json:"ecosystem,omitempty"`
	Path      string `json:"path,omitempty" doc:"The file that names it; nested in archives by !/"`
	Layer     *int   `json:"layer,omitempty" doc:"Index of the layer that brought it"`
	DeletedBy *int   `json:"deletedBy,omitempty" doc:"Index of the layer that removed it again; it can still be pulled"`
	OwnedBy   string `json:"ownedBy,omitempty" doc:"The package of the distribution whose files these are"`
}

func packagePlace(p pratique.Package) PackagePlace {
	place := PackagePlace{Type: p.Type, Name: p.Name, Version: p.Version, Arch: p.Arch, Ecosystem: p.Ecosystem, Path: abridged(p.Path), OwnedBy: p.OwnedBy}
	if p.Origin != nil {
		place.Layer, place.DeletedBy = &p.Origin.Layer, p.Origin.DeletedBy
	}
	return place
}

// maxCell bounds a text of a row, in bytes; the detail has it whole.
const maxCell = 512

// abridged leaves out the middle of a text that is too long for a row.
func abridged(s string) string {
	if len(s) <= maxCell {
		return s
	}
	end := s[len(s)-maxCell/2:]
	for len(end) > 0 && end[0]&0xC0 == 0x80 { // not in the middle of a character
		end = end[1:]
	}
	return bounded(s, maxCell/2) + "…" + end
}

// FindingRow is a vulnerability in one place, without its long texts.
type FindingRow struct {
	RowID          int64             `json:"rowID"`
	ImageID        pratique.Digest   `json:"imageID"`
	ID             string            `json:"id" doc:"The CVE, or the advisory's own id where no CVE exists"`
	Title          string            `json:"title,omitempty"`
	Severity       pratique.Severity `json:"severity"`
	SeveritySource string            `json:"severitySource,omitempty" doc:"Who rated it"`
	Score          float64           `json:"score,omitempty" doc:"CVSS base score"`
	Vector         string            `json:"vector,omitempty" doc:"CVSS vector of that score"`
	EPSS           float64           `json:"epss,omitempty" doc:"Probability of exploitation within 30 days, 0 to 1"`
	KEV            bool              `json:"kev,omitempty" doc:"Known to be exploited"`
	Published      *time.Time        `json:"published,omitempty"`
	FixState       pratique.FixState `json:"fixState"`
	FixedVersion   string            `json:"fixedVersion,omitempty"`
	Unimportant    bool              `json:"unimportant,omitempty" doc:"Says the distribution; not counted"`
	Suppressed     string            `json:"suppressed,omitempty" doc:"Why it is not counted"`
	Package        PackagePlace      `json:"package"`
	Since          time.Time         `json:"since"`
	Until          *time.Time        `json:"until,omitempty"`
}

func findingRow(f pratique.Finding) FindingRow {
	row := FindingRow{
		ID: f.ID, Title: abridged(f.Title), Severity: f.Severity, SeveritySource: f.SeveritySource, KEV: f.KEV != nil, Published: f.Published,
		FixState: f.FixState, FixedVersion: f.FixedVersion, Unimportant: f.Unimportant, Suppressed: f.Suppressed, Package: packagePlace(f.Package),
	}
	if c := mainScore(f.CVSS); c != nil {
		row.Score, row.Vector = c.Score, c.Vector
	}
	if f.EPSS != nil {
		row.EPSS = f.EPSS.Score
	}
	return row
}

// mainScore is the highest of the newest version of CVSS.
func mainScore(all []pratique.CVSS) (best *pratique.CVSS) {
	for i := range all {
		c := &all[i]
		if best == nil || c.Version > best.Version || c.Version == best.Version && c.Score > best.Score {
			best = c
		}
	}
	return best
}

func (s *server) findingRows(ctx context.Context, f pratique.FindingFilter, r pratique.PageRequest) (page pratique.Page[FindingRow], err error) {
	placed, err := s.Findings.Findings(ctx, f, r)
	if err != nil {
		return page, err
	}
	page = pratique.Page[FindingRow]{Items: make([]FindingRow, len(placed.Items)), Next: placed.Next, Total: placed.Total}
	for i, p := range placed.Items {
		row := findingRow(p.Finding)
		row.RowID, row.ImageID, row.Since, row.Until = p.RowID, p.ImageID, p.Since, p.Until
		page.Items[i] = row
	}
	return page, nil
}

// SecretRow is a secret with one of the images that have it.
type SecretRow struct {
	pratique.PlacedSecret
	Image *pratique.AssetName `json:"image,omitempty" doc:"A row of the list of images that has it"`
}

// MalwareRow is a malicious file with one of the images that have it.
type MalwareRow struct {
	pratique.PlacedMalware
	Image *pratique.AssetName `json:"image,omitempty" doc:"A row of the list of images that has it"`
}

// named turns a page of things in images into one with the images' names.
func named[T, R any](ctx context.Context, images ImageStore, page pratique.Page[T], image func(*T) pratique.Digest, row func(T, *pratique.AssetName) R) (pratique.Page[R], error) {
	out := pratique.Page[R]{Items: make([]R, len(page.Items)), Next: page.Next, Total: page.Total}
	ids := make([]pratique.Digest, len(page.Items))
	for i := range page.Items {
		ids[i] = image(&page.Items[i])
	}
	names, err := images.AssetNames(ctx, ids)
	if err != nil {
		return out, err
	}
	for i, item := range page.Items {
		var name *pratique.AssetName
		if n, ok := names[ids[i]]; ok {
			name = &n
		}
		out.Items[i] = row(item, name)
	}
	return out, nil
}

type vulnerabilitiesInput struct {
	Paging
	FindingQuery
	WhereFound
}

func (in *vulnerabilitiesInput) filter() (pratique.FindingFilter, error) {
	return in.narrow(in.findings()), nil
}

type secretsInput struct {
	Paging
	SecretQuery
	WhereFound
}

func (in *secretsInput) filter() (pratique.FindingFilter, error) {
	f := in.narrow(in.findings())
	f.Distinct = true
	return f, nil
}

type malwareInput struct {
	Paging
	MalwareQuery
	WhereFound
}

func (in *malwareInput) filter() (pratique.FindingFilter, error) {
	f := in.narrow(in.findings())
	f.Distinct = true
	return f, nil
}

type componentsInput struct {
	Paging
	ComponentQuery
	WhereFound
}

func (in *componentsInput) filter() (pratique.FindingFilter, error) {
	return in.narrow(in.findings()), nil
}

type findingEventsInput struct {
	Paging
	EventQuery
	ImageID string `query:"imageID" pattern:"^sha256:[0-9a-f]{64}$"`
}

func (in *findingEventsInput) filter() (pratique.EventFilter, error) {
	f := in.events()
	f.ImageID = pratique.Digest(in.ImageID)
	return f, nil
}

func (s *server) findingOperations() {
	list[vulnerabilitiesInput](s, listing[pratique.FindingFilter, pratique.VulnerabilityRow]{
		operation: operation{id: "listVulnerabilities", path: "/vulnerabilities", tag: "vulnerabilities", right: RightRead,
			summary: "Vulnerabilities across all images, each once, worst first"},
		sorts: vulnerabilitySorts,
		fetch: func(ctx context.Context, f pratique.FindingFilter, r pratique.PageRequest) (pratique.Page[pratique.VulnerabilityRow], error) {
			page, err := s.Findings.Vulnerabilities(ctx, f, r)
			for i := range page.Items {
				page.Items[i].Title = abridged(page.Items[i].Title)
			}
			return page, err
		},
	})
	s.vulnerabilityDetails()
	list[componentsInput](s, listing[pratique.FindingFilter, pratique.ComponentRow]{
		operation: operation{id: "listComponents", path: "/components", tag: "components", right: RightRead,
			summary: "Packages across all images, one row for each version", detail: "The images that hold one are at /images?component={id}."},
		sorts: componentSorts, fetch: s.Findings.Components,
	})
	handle(s, operation{id: "getComponent", method: http.MethodGet, path: "/components/{id}", tag: "components", right: RightRead, summary: "One package version"},
		func(ctx context.Context, in *RowID) (*body[pratique.ComponentRow], error) {
			row, err := s.Findings.Component(ctx, in.ID)
			return &body[pratique.ComponentRow]{row}, err
		})
	list[secretsInput](s, listing[pratique.FindingFilter, SecretRow]{
		operation: operation{id: "listSecrets", path: "/secrets", tag: "secrets", right: RightRead,
			summary: "Secrets across all images, worst first", detail: "One that several images have is named once, with their number; they are at /images?secret={rowID}."},
		sorts: secretSorts,
		fetch: func(ctx context.Context, f pratique.FindingFilter, r pratique.PageRequest) (pratique.Page[SecretRow], error) {
			page, err := s.Findings.Secrets(ctx, f, r)
			if err != nil {
				return pratique.Page[SecretRow]{}, err
			}
			return named(ctx, s.Images, page, func(v *pratique.PlacedSecret) pratique.Digest { return v.ImageID },
				func(v pratique.PlacedSecret, name *pratique.AssetName) SecretRow { return SecretRow{v, name} })
		},
	})
	list[malwareInput](s, listing[pratique.FindingFilter, MalwareRow]{
		operation: operation{id: "listMalware", path: "/malware", tag: "malware", right: RightRead,
			summary: "Malicious files across all images, worst first", detail: "One that several images have is named once, with their number; they are at /images?malware={rowID}."},
		sorts: malwareSorts,
		fetch: func(ctx context.Context, f pratique.FindingFilter, r pratique.PageRequest) (pratique.Page[MalwareRow], error) {
			page, err := s.Findings.Malware(ctx, f, r)
			if err != nil {
				return pratique.Page[MalwareRow]{}, err
			}
			return named(ctx, s.Images, page, func(v *pratique.PlacedMalware) pratique.Digest { return v.ImageID },
				func(v pratique.PlacedMalware, name *pratique.AssetName) MalwareRow { return MalwareRow{v, name} })
		},
	})
	list[findingEventsInput](s, listing[pratique.EventFilter, pratique.FindingEvent]{
		operation: operation{id: "listFindingEvents", path: "/findings/events", tag: "vulnerabilities", right: RightRead,
			summary: "What happened to findings, and why, newest first"},
		fetch: s.Findings.Events,
	})
}
