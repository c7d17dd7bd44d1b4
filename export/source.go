package export

import (
	"context"

	"github.com/pratique/pratique"
)

// Source is where rows come from.
type Source interface {
	ImageSource
	FindingSource
	SeizedSource
	WorkSource
	HostSource
	EventSource
}

// EventSource lists what happened to findings.
type EventSource interface {
	Events(ctx context.Context, f pratique.EventFilter, r pratique.PageRequest) (pratique.Page[pratique.FindingEvent], error)
}

// ImageSource lists images.
type ImageSource interface {
	Assets(ctx context.Context, f pratique.AssetFilter, r pratique.PageRequest) (pratique.Page[pratique.AssetRow], error)
	SelectImages(ctx context.Context, f pratique.AssetFilter) (images []pratique.Digest, unread int, err error)
}

// FindingSource lists what images hold, and what that means.
type FindingSource interface {
	Findings(ctx context.Context, f pratique.FindingFilter, r pratique.PageRequest) (pratique.Page[pratique.PlacedFinding], error)
	Vulnerabilities(ctx context.Context, f pratique.FindingFilter, r pratique.PageRequest) (pratique.Page[pratique.VulnerabilityRow], error)
	Components(ctx context.Context, f pratique.FindingFilter, r pratique.PageRequest) (pratique.Page[pratique.ComponentRow], error)
	ImageComponents(ctx context.Context, imageID pratique.Digest, f pratique.FindingFilter, r pratique.PageRequest) (pratique.Page[pratique.PlacedPackage], error)
	// CountIn counts findings of a category, or packages (CategorySoftware), in the
	// images of a filter: each content once.
	CountIn(ctx context.Context, category pratique.Category, images pratique.AssetFilter, f pratique.FindingFilter) (int, error)
}

// SeizedSource lists what was found in the bytes of images.
type SeizedSource interface {
	Secrets(ctx context.Context, f pratique.FindingFilter, r pratique.PageRequest) (pratique.Page[pratique.PlacedSecret], error)
	Malware(ctx context.Context, f pratique.FindingFilter, r pratique.PageRequest) (pratique.Page[pratique.PlacedMalware], error)
}

// WorkSource lists tasks and scans.
type WorkSource interface {
	Tasks(ctx context.Context, f pratique.TaskFilter, r pratique.PageRequest) (pratique.Page[pratique.Task], error)
	Scans(ctx context.Context, f pratique.ScanFilter, r pratique.PageRequest) (pratique.Page[pratique.Scan], error)
}

// HostSource lists hosts and what runs on them.
type HostSource interface {
	Hosts(ctx context.Context, f pratique.HostFilter, r pratique.PageRequest) (pratique.Page[pratique.HostRow], error)
	Containers(ctx context.Context, f pratique.ContainerFilter, r pratique.PageRequest) (pratique.Page[pratique.ContainerRow], error)
}

// fetch reads one page of a list.
type fetch[T any] func(ctx context.Context, r pratique.PageRequest) (pratique.Page[T], error)

// each reads a list page by page.
func each[T any](ctx context.Context, r pratique.PageRequest, f fetch[T], yield func(T) error) error {
	r.Limit, r.Count = pratique.MaxPage, false
	for {
		p, err := f(ctx, r)
		if err != nil {
			return err
		}
		for _, row := range p.Items {
			if err := yield(row); err != nil {
				return err
			}
		}
		if r.Cursor = p.Next; p.Next == "" {
			return nil
		}
	}
}

// count is the length of a list.
func count[T any](ctx context.Context, f fetch[T]) (int, error) {
	p, err := f(ctx, pratique.PageRequest{Limit: 1, Count: true})
	return p.Total, err
}

// place is an image content with the rows of the list of images that have it.
type place struct {
	pratique.AssetRow
	names []string
}

// maxNames of one content; more are told by their number alone.
const maxNames = 20

// perImage calls f for each content that a filter chooses.
func perImage(ctx context.Context, s ImageSource, f pratique.AssetFilter, do func(place) error) error {
	images, _, err := s.SelectImages(ctx, f)
	if err != nil {
		return err
	}
	for _, id := range images {
		one := f
		one.ImageIDs = []pratique.Digest{id}
		rows, err := s.Assets(ctx, one, pratique.PageRequest{Sort: "name", Limit: maxNames + 1})
		if err != nil {
			return err
		}
		if len(rows.Items) == 0 {
			continue // it went meanwhile
		}
		p := place{AssetRow: rows.Items[0]}
		for i, row := range rows.Items {
			if i == maxNames {
				p.names = append(p.names, "…")
				break
			}
			p.names = append(p.names, nameOf(row))
		}
		if err := do(p); err != nil {
			return err
		}
	}
	return nil
}

// placed is something found in an image.
type placed[T any] struct {
	in  place
	row T
}

// foundIn reads findings image by image; the filter and the order count within
// each.
func foundIn[T any](ctx context.Context, s ImageSource, r pratique.ExportRequest, list func(ctx context.Context, f pratique.FindingFilter, p pratique.PageRequest) (pratique.Page[T], error), yield func(placed[T]) error) error {
	return perImage(ctx, s, r.Images, func(p place) error {
		f := r.Findings
		f.ImageIDs = []pratique.Digest{p.ImageID}
		return each(ctx, order(r.Sort), func(ctx context.Context, page pratique.PageRequest) (pratique.Page[T], error) {
			return list(ctx, f, page)
		},
			func(row T) error { return yield(placed[T]{p, row}) })
	})
}
