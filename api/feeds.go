package api

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/scan"
)

// Feeds is what is known about vulnerabilities, and how to know more.
type Feeds interface {
	FeedState(ctx context.Context) (FeedState, error)
	// UpdateFeeds wants the feeds to be brought up to date; it does not wait.
	UpdateFeeds(ctx context.Context, by string) error
	// ImportFeed takes a file in, and wants it to be read; it does not wait for
	// that. The name tells what the file is.
	ImportFeed(ctx context.Context, by, name string, content io.Reader) error
	// PreviewFeeds tells what adopting the bundle that waits would change.
	PreviewFeeds(ctx context.Context) (scan.AdoptionPreview, error)
	// AdoptFeeds puts it in force.
	AdoptFeeds(ctx context.Context, by string) (pratique.Adoption, error)
	// Adoptions are the newest ones.
	Adoptions(ctx context.Context, limit int) ([]pratique.Adoption, error)
	// RollBackFeeds puts the bundle before the one in force back in force.
	RollBackFeeds(ctx context.Context, by string) (pratique.Adoption, error)
}

// FeedState is what is in force, and what happens to it.
type FeedState struct {
	InForce *pratique.Adoption `json:"inForce,omitempty" doc:"Missing while nothing was imported: vulnerabilities are unknown"`
	Earlier int                `json:"earlier" doc:"Bundles that one can go back to"`
	Size    int64              `json:"size,omitempty" doc:"Bytes of the bundle in force"`
	Waiting bool               `json:"waiting" doc:"An update is wanted, and has not ended"`
	Last    *FeedRun           `json:"last,omitempty" doc:"The newest update or import"`
}

// FeedRun is one update or import.
type FeedRun struct {
	Started time.Time       `json:"started"`
	Ended   *time.Time      `json:"ended,omitempty"`
	By      string          `json:"by"`
	Reason  string          `json:"reason" enum:"update,import"`
	Sources []string        `json:"sources,omitempty" doc:"What was read anew"`
	Ignored []string        `json:"ignored,omitempty" doc:"Files that are no feed"`
	Error   *pratique.Error `json:"error,omitempty" doc:"What was not taken; the rest was"`
}

// maxFeedFile bounds one imported file, in bytes. OSV's export of everything is
// about 1 GB.
const maxFeedFile = 4 << 30

const importPath = basePath + "/feeds/import"

// feedUpload reads its body itself: it is too large to be held.
type feedUpload struct {
	Name    string `query:"name" required:"true" maxLength:"256" pattern:"^[A-Za-z0-9][A-Za-z0-9._ -]*(/[A-Za-z0-9][A-Za-z0-9._ -]*){0,3}$" doc:"The file's name as its publisher calls it, with its folder where that tells what it is" example:"osv/Debian/all.zip"`
	content io.Reader
}

// Resolve is called by huma with the request.
func (in *feedUpload) Resolve(ctx huma.Context) []error {
	in.content = ctx.BodyReader()
	if err := ctx.SetReadDeadline(time.Now().Add(uploadLimit)); err != nil {
		return []error{err}
	}
	return nil
}

func (s *server) feedOperations() {
	handle(s, operation{id: "getFeeds", method: http.MethodGet, path: "/feeds", tag: "feeds", right: RightRead,
		summary: "The bundle in force with its sources, and how the last update went"},
		func(ctx context.Context, _ *struct{}) (*body[FeedState], error) {
			state, err := s.Feeds.FeedState(ctx)
			return &body[FeedState]{state}, err
		})
	handle(s, operation{id: "listAdoptions", method: http.MethodGet, path: "/feeds/history", tag: "feeds", right: RightRead,
		summary: "Which bundle was in force when, newest first"},
		func(ctx context.Context, in *struct {
			Limit int `query:"limit" minimum:"1" maximum:"200" default:"50"`
		}) (*body[pratique.Page[pratique.Adoption]], error) {
			all, err := s.Feeds.Adoptions(ctx, in.Limit)
			if all == nil {
				all = []pratique.Adoption{}
			}
			return &body[pratique.Page[pratique.Adoption]]{pratique.Page[pratique.Adoption]{Items: all}}, err
		})
	handle(s, operation{id: "updateFeeds", method: http.MethodPost, path: "/feeds/update", tag: "feeds", right: RightFeeds, status: http.StatusAccepted,
		summary: "Download what is new, and put it in force", detail: "Joins an update that has not ended. GET /feeds tells how it went."},
		func(ctx context.Context, _ *struct{}) (*struct{}, error) {
			err := s.Feeds.UpdateFeeds(ctx, exchangeOf(ctx).user)
			if err == nil {
				s.did(ctx, "feeds.update", "", "")
			}
			return nil, err
		})
	handle(s, operation{id: "importFeed", method: http.MethodPost, path: "/feeds/import", tag: "feeds", right: RightFeeds, status: http.StatusAccepted,
		summary: "Take in a file where there is no network", detail: "The body is the file: an OSV export, NVD, EPSS, KEV, a list of hashes, or a bundle made elsewhere.",
		adjust: func(o *huma.Operation) {
			o.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/octet-stream": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}}
		}},
		func(ctx context.Context, in *feedUpload) (*struct{}, error) {
			err := s.Feeds.ImportFeed(ctx, exchangeOf(ctx).user, in.Name, in.content)
			if err == nil {
				s.did(ctx, "feeds.import", in.Name, "")
			}
			return nil, err
		})
	handle(s, operation{id: "previewFeeds", method: http.MethodPost, path: "/feeds/preview", tag: "feeds", right: RightRead,
		summary: "What adopting the bundle that waits would change", detail: "Without one, the answer has no bundle. One waits only while feeds are not adopted by themselves (settings)."},
		func(ctx context.Context, _ *struct{}) (*body[scan.AdoptionPreview], error) {
			p, err := s.Feeds.PreviewFeeds(ctx)
			return &body[scan.AdoptionPreview]{p}, err
		})
	handle(s, operation{id: "adoptFeeds", method: http.MethodPost, path: "/feeds/adopt", tag: "feeds", right: RightFeeds,
		summary: "Put the bundle that waits in force", detail: "What differs is judged again; no image is read."},
		func(ctx context.Context, _ *struct{}) (*body[pratique.Adoption], error) {
			adoption, err := s.Feeds.AdoptFeeds(ctx, exchangeOf(ctx).user)
			if err == nil {
				s.did(ctx, "feeds.adopt", string(adoption.Bundle.Digest), "")
			}
			return &body[pratique.Adoption]{adoption}, err
		})
	handle(s, operation{id: "rollBackFeeds", method: http.MethodPost, path: "/feeds/rollback", tag: "feeds", right: RightFeeds,
		summary: "Put the bundle before the one in force back in force", detail: "What differs is judged again."},
		func(ctx context.Context, _ *struct{}) (*body[pratique.Adoption], error) {
			adoption, err := s.Feeds.RollBackFeeds(ctx, exchangeOf(ctx).user)
			if err == nil {
				s.did(ctx, "feeds.rollback", string(adoption.Bundle.Digest), "")
			}
			return &body[pratique.Adoption]{adoption}, err
		})
}
