package api

import (
	"context"
	"net/http"
	"time"

	"github.com/pratique/pratique"
)

// Compared is what changed in an image's vulnerabilities between two moments, or
// from another image to it.
type Compared struct {
	Before    Moment       `json:"before"`
	After     Moment       `json:"after"`
	Counts    ChangeCounts `json:"counts"`
	New       []FindingRow `json:"new" doc:"Worst first; at most 1000, all are counted"`
	Fixed     []FindingRow `json:"fixed" doc:"At most 1000"`
	Unchanged []FindingRow `json:"unchanged" doc:"Only when asked for; at most 1000"`
}

// Moment is an image at a time.
type Moment struct {
	ImageID pratique.Digest     `json:"imageID"`
	Image   *pratique.AssetName `json:"image,omitempty" doc:"A row of the list of images that has it"`
	At      time.Time           `json:"at"`
}

// ChangeCounts are the changes by severity.
type ChangeCounts struct {
	New       pratique.BySeverity `json:"new"`
	Fixed     pratique.BySeverity `json:"fixed"`
	Unchanged pratique.BySeverity `json:"unchanged"`
}

// maxCompared bounds each list of a comparison.
const maxCompared = 1000

type compareInput struct {
	ImageID
	With      string    `query:"with" pattern:"^sha256:[0-9a-f]{64}$" doc:"An earlier image, such as that of the tag before"`
	Since     time.Time `query:"since" doc:"The same image at that time; by default when the scan before the last one ended"`
	Unchanged bool      `query:"unchanged" doc:"List what did not change as well"`
}

func (s *server) compare(ctx context.Context, in *compareInput) (*body[Compared], error) {
	now := s.now()
	c := Compared{Before: Moment{ImageID: in.digest(), At: in.Since}, After: Moment{ImageID: in.digest(), At: now}}
	switch {
	case in.With != "" && !in.Since.IsZero():
		return nil, fieldProblem("query.since", pratique.Errorf(pratique.CodeInvalid, "with and since are two ways to compare").WithRemedy("give one of them"))
	case in.With != "":
		c.Before = Moment{ImageID: pratique.Digest(in.With), At: now}
	case in.Since.IsZero():
		var err error
		if c.Before.At, err = s.scanBefore(ctx, in.digest()); err != nil {
			return nil, err
		}
	}
	for _, image := range []pratique.Digest{c.Before.ImageID, c.After.ImageID} {
		if _, err := s.Contents.Image(ctx, image); err != nil {
			return nil, err
		}
	}
	found, err := s.Contents.Compare(ctx, c.Before.ImageID, c.Before.At, c.After.ImageID, c.After.At)
	if err != nil {
		return nil, err
	}
	c.New, c.Counts.New = changed(found.New, c.After.ImageID)
	c.Fixed, c.Counts.Fixed = changed(found.Fixed, c.Before.ImageID)
	c.Unchanged, c.Counts.Unchanged = changed(found.Unchanged, c.After.ImageID)
	if !in.Unchanged {
		c.Unchanged = nil
	}
	names, err := s.Images.AssetNames(ctx, []pratique.Digest{c.Before.ImageID, c.After.ImageID})
	if err != nil {
		return nil, err
	}
	for _, m := range []*Moment{&c.Before, &c.After} {
		if name, ok := names[m.ImageID]; ok {
			m.Image = &name
		}
	}
	return &body[Compared]{c}, nil
}

// scanBefore is when the scan before the last one that succeeded ended.
func (s *server) scanBefore(ctx context.Context, image pratique.Digest) (time.Time, error) {
	f := pratique.ScanFilter{ImageIDs: []pratique.Digest{image}, Status: []pratique.Status{pratique.StatusScanned}}
	page, err := s.Tasks.Scans(ctx, f, pratique.PageRequest{Limit: 2})
	if err != nil {
		return time.Time{}, err
	}
	if len(page.Items) < 2 || page.Items[1].Ended == nil {
		return time.Time{}, pratique.Errorf(pratique.CodeNotFound, "there is no earlier scan of this image").
			WithRemedy("compare with a moment (since) or with another image (with)")
	}
	return *page.Items[1].Ended, nil
}

func changed(findings []pratique.Finding, image pratique.Digest) (rows []FindingRow, counts pratique.BySeverity) {
	for i, f := range findings {
		*counts.Of(f.Severity)++
		if i < maxCompared {
			row := findingRow(f)
			row.ImageID = image
			rows = append(rows, row)
		}
	}
	return rows, counts
}

func (s *server) compareOperations() {
	handle(s, operation{id: "compareContent", method: http.MethodGet, path: "/contents/{imageID}/compare", tag: "contents", right: RightRead,
		summary: "What is new and what is fixed since the previous scan, a moment, or in another image",
		detail:  "A finding in another version of the same package is the same finding."}, s.compare)
}
