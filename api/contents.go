package api

import (
	"context"
	"net/http"
	"time"

	"github.com/pratique/pratique"
)

// ContentStore tells what is in an image, by its content: all rows that share an
// image ID share it. CodeNotFound is a content that no row ever had.
type ContentStore interface {
	Image(ctx context.Context, imageID pratique.Digest) (pratique.ImageSummary, error)
	ImageComponents(ctx context.Context, imageID pratique.Digest, f pratique.FindingFilter, r pratique.PageRequest) (pratique.Page[pratique.PlacedPackage], error)
	BuildHistory(ctx context.Context, imageID pratique.Digest) (pratique.BuildHistory, error)
	Compare(ctx context.Context, before pratique.Digest, beforeAt time.Time, after pratique.Digest, afterAt time.Time) (pratique.Comparison, error)
	Report(ctx context.Context, imageID pratique.Digest) (*pratique.Report, error)
}

// ImageID is in the path; exported for the same reason as [PreferenceName].
type ImageID struct {
	ImageID string `path:"imageID" pattern:"^sha256:[0-9a-f]{64}$" doc:"Digest of the image's configuration"`
}

func (p ImageID) digest() pratique.Digest { return pratique.Digest(p.ImageID) }

// ContentOf is the summary of a content in the API's words.
type ContentOf struct {
	Image      pratique.Image                      `json:"image"`
	Layers     []pratique.Layer                    `json:"layers" doc:"Lowest first"`
	Status     pratique.Status                     `json:"status"`
	ScannedAt  *time.Time                          `json:"scannedAt,omitempty" doc:"End of the last scan that succeeded"`
	LastScan   *ScanRow                            `json:"lastScan,omitempty" doc:"The last one, or the one that runs"`
	Risk       pratique.Risk                       `json:"risk"`
	Counters   pratique.Counters                   `json:"counters"`
	Categories map[pratique.Category]CategoryState `json:"categories" doc:"How far each category's answer reaches"`
	Problems   []pratique.Problem                  `json:"problems" doc:"What kept the scan from being complete"`
	Bundle     *pratique.Bundle                    `json:"bundle,omitempty" doc:"By which vulnerabilities are judged; missing without a feed"`
	Rules      string                              `json:"rules,omitempty" doc:"Analyzers and rule sets that read it"`
	Pending    int                                 `json:"pending" doc:"Packages that wait to be judged again"`
	Assets     []pratique.AssetRow                 `json:"assets" doc:"Rows of the list of images that have it, at most 50"`
	AssetCount int                                 `json:"assetCount" doc:"All of them, up to 1000"`
	Local      []pratique.AssetRow                 `json:"local" doc:"Rows of the list of images on hosts that have it, at most 50"`
	LocalCount int                                 `json:"localCount" doc:"All of them, up to 1000"`
}

// CategoryState is how far one category's answer reaches, and since when.
type CategoryState struct {
	pratique.CategoryCoverage
	At *time.Time `json:"at,omitempty" doc:"When it was last looked at completely"`
}

const contentAssets = 50

func contentOf(v pratique.ImageSummary, now time.Time) ContentOf {
	c := ContentOf{
		Image: v.Image, Layers: v.Layers, Status: v.Status, ScannedAt: v.ScannedAt, Risk: v.Risk, Counters: v.Counters, Problems: v.Problems,
		Bundle: v.Bundle, Rules: v.Rules, Pending: v.Pending, AssetCount: len(v.Assets), Assets: v.Assets[:min(len(v.Assets), contentAssets)],
		LocalCount: len(v.Local), Local: v.Local[:min(len(v.Local), contentAssets)],
		Categories: map[pratique.Category]CategoryState{},
	}
	if v.LastScan != nil {
		row := scanRow(*v.LastScan, nil, now)
		c.LastScan = &row
	}
	for _, category := range categories {
		state := CategoryState{CategoryCoverage: v.Coverage[category]}
		if state.State == "" {
			state.State = pratique.CoverageNotYet
			if v.Status == pratique.StatusNotScanned || v.ScannedAt == nil {
				state.State = pratique.CoverageUnknown
			}
		}
		if at, ok := v.CategoryAt[category]; ok {
			state.At = &at
		}
		c.Categories[category] = state
	}
	return c
}

// categories are all that a scan can look for.
var categories = [...]pratique.Category{pratique.CategoryVulnerability, pratique.CategorySecret, pratique.CategoryMalware, pratique.CategorySoftware}

type contentFindings struct {
	Paging
	ImageID
	FindingQuery
}

func (in *contentFindings) filter() (pratique.FindingFilter, error) {
	f := in.FindingQuery.findings()
	f.ImageIDs = []pratique.Digest{in.digest()}
	return f, nil
}

type contentSecrets struct {
	Paging
	ImageID
	SecretQuery
}

func (in *contentSecrets) filter() (pratique.FindingFilter, error) {
	f := in.SecretQuery.findings()
	f.ImageIDs = []pratique.Digest{in.digest()}
	return f, nil
}

type contentMalware struct {
	Paging
	ImageID
	MalwareQuery
}

func (in *contentMalware) filter() (pratique.FindingFilter, error) {
	f := in.MalwareQuery.findings()
	f.ImageIDs = []pratique.Digest{in.digest()}
	return f, nil
}

type contentPackages struct {
	Paging
	ImageID
	ComponentQuery
}

func (in *contentPackages) filter() (pratique.FindingFilter, error) {
	f := in.ComponentQuery.findings()
	f.ImageIDs = []pratique.Digest{in.digest()}
	return f, nil
}

type contentEvents struct {
	Paging
	ImageID
	EventQuery
}

func (in *contentEvents) filter() (pratique.EventFilter, error) {
	f := in.EventQuery.events()
	f.ImageID = in.digest()
	return f, nil
}

type contentScans struct {
	Paging
	ImageID
}

func (in *contentScans) filter() (pratique.ScanFilter, error) {
	return pratique.ScanFilter{ImageIDs: []pratique.Digest{in.digest()}}, nil
}

func (s *server) contentOperations() {
	op := func(id, path, summary string) operation {
		return operation{id: id, method: http.MethodGet, path: "/contents/{imageID}" + path, tag: "contents", right: RightRead, summary: summary}
	}
	handle(s, op("getContent", "", "What is known about one image content"),
		func(ctx context.Context, in *ImageID) (*body[ContentOf], error) {
			v, err := s.Contents.Image(ctx, in.digest())
			if err != nil {
				return nil, err
			}
			return &body[ContentOf]{contentOf(v, s.now())}, nil
		})
	list[contentFindings](s, listing[pratique.FindingFilter, FindingRow]{
		operation: op("listContentVulnerabilities", "/vulnerabilities", "Vulnerabilities of an image, one row for each place"),
		sorts:     findingSorts, fetch: s.findingRows,
	})
	handle(s, op("getContentVulnerability", "/vulnerabilities/{vulnerability}", "One vulnerability of an image with its proofs, at each of its places"),
		s.contentVulnerability)
	list[contentSecrets](s, listing[pratique.FindingFilter, pratique.PlacedSecret]{
		operation: op("listContentSecrets", "/secrets", "Secrets in an image"), sorts: secretSorts, fetch: s.Findings.Secrets,
	})
	list[contentMalware](s, listing[pratique.FindingFilter, pratique.PlacedMalware]{
		operation: op("listContentMalware", "/malware", "Malicious files in an image"), sorts: malwareSorts, fetch: s.Findings.Malware,
	})
	list[contentPackages](s, listing[pratique.FindingFilter, pratique.PlacedPackage]{
		operation: op("listContentPackages", "/packages", "Packages of an image, one row for each place"),
		sorts:     []string{"name", "type", "version", "path", "layer", "vulnerabilities", "worst"},
		fetch: func(ctx context.Context, f pratique.FindingFilter, r pratique.PageRequest) (pratique.Page[pratique.PlacedPackage], error) {
			return s.Contents.ImageComponents(ctx, f.ImageIDs[0], f, r)
		},
	})
	handle(s, op("getContentHistory", "/history", "How an image was built, with what each layer brought"),
		func(ctx context.Context, in *ImageID) (*body[pratique.BuildHistory], error) {
			h, err := s.Contents.BuildHistory(ctx, in.digest())
			return &body[pratique.BuildHistory]{h}, err
		})
	list[contentEvents](s, listing[pratique.EventFilter, pratique.FindingEvent]{
		operation: op("listContentEvents", "/events", "What happened to an image's findings, and why, newest first"), fetch: s.Findings.Events,
	})
	list[contentScans](s, listing[pratique.ScanFilter, ScanRow]{
		operation: op("listContentScans", "/scans", "Scans of an image, newest first"), sorts: scanSorts, fetch: s.scanRows,
	})
}

// contentVulnerability shows a finding whole, which rows of lists do not.
func (s *server) contentVulnerability(ctx context.Context, in *struct {
	ImageID
	Vulnerability string `path:"vulnerability" maxLength:"128"`
}) (*body[pratique.Page[pratique.PlacedFinding]], error) {
	page := pratique.Page[pratique.PlacedFinding]{Items: []pratique.PlacedFinding{}}
	for _, uncounted := range [...]bool{false, true} {
		f := pratique.FindingFilter{ImageIDs: []pratique.Digest{in.digest()}, Vulnerability: in.Vulnerability, Uncounted: uncounted}
		some, err := s.Findings.Findings(ctx, f, pratique.PageRequest{Limit: MaxPage, Sort: "package"})
		if err != nil {
			return nil, err
		}
		page.Items = append(page.Items, some.Items...)
	}
	if len(page.Items) == 0 {
		return nil, pratique.Errorf(pratique.CodeNotFound, "this image does not have %s", bounded(in.Vulnerability, 60)).WithRemedy("look at its list of vulnerabilities: it may have been fixed")
	}
	return &body[pratique.Page[pratique.PlacedFinding]]{page}, nil
}
