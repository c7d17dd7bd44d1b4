package api

import (
	"context"
	"net/http"
	"time"

	"github.com/pratique/pratique"
)

// ImageStore lists images in registries and on hosts: rows of tags, many of which
// can share one content.
type ImageStore interface {
	Assets(ctx context.Context, f pratique.AssetFilter, r pratique.PageRequest) (pratique.Page[pratique.AssetRow], error)
	AssetRow(ctx context.Context, id int64) (pratique.AssetRow, error)
	AssetFacets(ctx context.Context, f pratique.AssetFilter) (pratique.AssetFacets, error)
	// AssetNames gives contents the name of a row that has them.
	AssetNames(ctx context.Context, images []pratique.Digest) (map[pratique.Digest]pratique.AssetName, error)
}

// imageSorts are the columns of every list of image rows.
var imageSorts = []string{
	"name", "tag", "registry", "size", "created", "pushed", "firstSeen", "synced", "scanned", "status", "worst",
	"vulnerabilities", "critical", "secrets", "malware", "packages", "hosts", "containers",
}

// ImageQuery are the parameters that narrow a list of image rows. Values of one
// parameter are separated by commas and mean "or".
type ImageQuery struct {
	ID            []int64   `query:"id" maxItems:"1000" doc:"Rows"`
	Exclude       []int64   `query:"exclude" maxItems:"1000" doc:"Rows to leave out"`
	ImageID       []string  `query:"imageID" maxItems:"200" pattern:"^sha256:[0-9a-f]{64}$" doc:"Contents"`
	Status        []string  `query:"status" maxItems:"8" enum:"not_scanned,scanning,scanned,cancelled,failed"`
	Risk          []string  `query:"risk" maxItems:"4" enum:"unknown,none,at_risk" doc:"Security status"`
	RiskKind      []string  `query:"riskKind" maxItems:"4" enum:"vulnerability,secret,malware" doc:"At least one finding of this kind"`
	Severity      []string  `query:"severity" maxItems:"6" enum:"critical,high,medium,low,negligible,unknown" doc:"At least one finding of this severity"`
	Kind          []string  `query:"kind" maxItems:"32" doc:"Of the registry" example:"harbor"`
	Registry      []int64   `query:"registry" maxItems:"200"`
	Namespace     []string  `query:"namespace" maxItems:"200" doc:"An empty one is that of repositories without a namespace"`
	Repository    []int64   `query:"repository" maxItems:"200"`
	OS            []string  `query:"os" maxItems:"64" doc:"Distribution" example:"debian"`
	Arch          []string  `query:"arch" maxItems:"32" example:"amd64"`
	Search        string    `query:"search" maxLength:"512" doc:"Words that all occur in address, name, tag, digest or image ID"`
	Newest        bool      `query:"newest" doc:"Only the newest tag of each repository"`
	Running       bool      `query:"running" doc:"Only what a running container uses"`
	HighPriority  bool      `query:"highPriority"`
	Recommended   bool      `query:"recommended" doc:"Only what should be scanned"`
	Fixable       bool      `query:"fixable" doc:"With a vulnerability that has a fix"`
	MustFix       bool      `query:"mustFix" doc:"With a critical vulnerability that has a fix, or one that is exploited"`
	Gone          bool      `query:"gone" doc:"Those that are no longer in their registry, instead of those that are"`
	Licensed      string    `query:"licensed" enum:"true,false" doc:"Whether the content has a unit of the quota"`
	Vulnerability string    `query:"vulnerability" maxLength:"128" doc:"That have it now" example:"CVE-2024-3094"`
	Package       string    `query:"package" maxLength:"512" doc:"That hold a package of this name"`
	Component     []int64   `query:"component" maxItems:"200" doc:"That hold one of these components"`
	Secret        int64     `query:"secret" minimum:"0" doc:"That have the same secret as this row of /secrets"`
	Malware       int64     `query:"malware" minimum:"0" doc:"That have the same malicious file as this row of /malware"`
	MinSize       int64     `query:"minSize" minimum:"0" doc:"Bytes"`
	MaxSize       int64     `query:"maxSize" minimum:"0" doc:"Bytes"`
	CreatedFrom   time.Time `query:"createdFrom"`
	CreatedTo     time.Time `query:"createdTo"`
	PushedFrom    time.Time `query:"pushedFrom"`
	PushedTo      time.Time `query:"pushedTo"`
	PushedDays    int       `query:"pushedDays" minimum:"0" doc:"Pushed within the last so many days"`
	ScannedFrom   time.Time `query:"scannedFrom"`
	ScannedTo     time.Time `query:"scannedTo"`
	SyncedFrom    time.Time `query:"syncedFrom"`
	SyncedTo      time.Time `query:"syncedTo"`
}

func (q *ImageQuery) filter() (pratique.AssetFilter, error) {
	f := pratique.AssetFilter{
		IDs: q.ID, Exclude: q.Exclude, ImageIDs: as[pratique.Digest](q.ImageID), Status: as[pratique.Status](q.Status), Risk: as[pratique.Risk](q.Risk),
		RiskKinds: as[pratique.Category](q.RiskKind), Severities: as[pratique.Severity](q.Severity), Kinds: q.Kind, Registries: q.Registry,
		Namespaces: q.Namespace, Repositories: q.Repository, OS: q.OS, Architectures: q.Arch, Search: q.Search, Newest: q.Newest, Running: q.Running,
		HighPriority: q.HighPriority, Recommended: q.Recommended, Fixable: q.Fixable, MustFix: q.MustFix, Gone: q.Gone, Vulnerability: q.Vulnerability,
		Package: q.Package, Components: q.Component, Secret: q.Secret, Malware: q.Malware, MinSize: q.MinSize, MaxSize: q.MaxSize,
		Created: between(q.CreatedFrom, q.CreatedTo), Pushed: between(q.PushedFrom, q.PushedTo), PushedDays: q.PushedDays,
		ScannedAt: between(q.ScannedFrom, q.ScannedTo), Synced: between(q.SyncedFrom, q.SyncedTo),
	}
	if q.Licensed != "" {
		licensed := q.Licensed == "true"
		f.Licensed = &licensed
	}
	return f, nil
}

// as gives words the type of their vocabulary, which the description has checked.
func as[T ~string](words []string) []T {
	if len(words) == 0 {
		return nil
	}
	all := make([]T, len(words))
	for i, w := range words {
		all[i] = T(w)
	}
	return all
}

// between is a range; a zero time leaves its end open.
func between(from, to time.Time) (r pratique.TimeRange) {
	if !from.IsZero() {
		r.From = &from
	}
	if !to.IsZero() {
		r.To = &to
	}
	return r
}

type imagesInput struct {
	Paging
	ImageQuery
}

// RowID is in the path; exported for the same reason as [PreferenceName].
type RowID struct {
	ID int64 `path:"id" minimum:"1"`
}

func (s *server) imageOperations() {
	list[imagesInput](s, listing[pratique.AssetFilter, pratique.AssetRow]{
		operation: operation{id: "listImages", path: "/images", tag: "images", right: RightRead,
			summary: "Repository images, one row for each tag", detail: "Newest first by default. Rows with the same imageID share one content, one scan and one result."},
		sorts: imageSorts, fetch: s.Images.Assets,
	})
	handle(s, operation{id: "listImageFacets", method: http.MethodGet, path: "/images/facets", tag: "images", right: RightRead,
		summary: "The values that filters of images can take, with the number of rows", detail: "Most frequent first, at most 200 of each."},
		func(ctx context.Context, in *ImageQuery) (*body[pratique.AssetFacets], error) {
			filter, err := in.filter()
			if err != nil {
				return nil, err
			}
			facets, err := s.Images.AssetFacets(ctx, filter)
			return &body[pratique.AssetFacets]{facets}, err
		})
	handle(s, operation{id: "getImage", method: http.MethodGet, path: "/images/{id}", tag: "images", right: RightRead,
		summary: "One row of /images or /local-images", detail: "What is in it is at /contents/{imageID}."},
		func(ctx context.Context, in *RowID) (*body[pratique.AssetRow], error) {
			row, err := s.Images.AssetRow(ctx, in.ID)
			return &body[pratique.AssetRow]{row}, err
		})
}
