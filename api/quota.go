package api

import (
	"context"
	"fmt"
	"net/http"

	"github.com/pratique/pratique"
)

// QuotaStore keeps the quota's settings and its ledger.
type QuotaStore interface {
	Quota(ctx context.Context) (pratique.QuotaState, error)
	SetQuota(ctx context.Context, q pratique.QuotaSettings, by string) error
	// QuotaNeed is what licensing the images of a filter would cost.
	QuotaNeed(ctx context.Context, f pratique.AssetFilter) (pratique.QuotaNeed, error)
	// License spends a unit on each content that has none, or is CodeQuota.
	License(ctx context.Context, f pratique.AssetFilter, atMost int, by string) (pratique.QuotaEntry, error)
	QuotaEntries(ctx context.Context, action pratique.QuotaAction, r pratique.PageRequest) (pratique.Page[pratique.QuotaEntry], error)
	Licences(ctx context.Context, entry int64, r pratique.PageRequest) (pratique.Page[pratique.Licence], error)
}

// QuotaInput is the settings as people give them.
type QuotaInput struct {
	Enabled bool          `json:"enabled" doc:"While it is off nothing is counted and everything is scanned"`
	Total   int           `json:"total" minimum:"0" maximum:"100000000" doc:"Units: one for each image content"`
	Auto    QuotaAutoRule `json:"auto,omitzero"`
}

// QuotaAutoRule licenses contents when somebody wants them scanned.
type QuotaAutoRule struct {
	Enabled bool                 `json:"enabled"`
	Filter  pratique.AssetFilter `json:"filter,omitzero" doc:"Which; everything when it is empty"`
	PerDay  int                  `json:"perDay,omitempty" minimum:"0" maximum:"100000000" doc:"Contents in a day (UTC); 0 is unlimited"`
}

// LicenceRequest chooses images: filter.ids for some, an empty filter for all,
// filter.exclude takes rows out.
type LicenceRequest struct {
	Filter pratique.AssetFilter `json:"filter,omitzero" doc:"As for the list of images"`
	AtMost int                  `json:"atMost,omitempty" minimum:"0" maximum:"100000000" doc:"Spend so many units at most: on contents in use first, then newest tags, then those pushed first"`
}

type entriesInput struct {
	Paging
	Action string `query:"action" enum:"license,auto,settings"`
}

func (in *entriesInput) filter() (pratique.QuotaAction, error) {
	return pratique.QuotaAction(in.Action), nil
}

type licencesInput struct {
	Paging
	Entry int64 `query:"entry" minimum:"0" doc:"Those of one line of the ledger"`
}

func (in *licencesInput) filter() (int64, error) { return in.Entry, nil }

func (s *server) quotaOperations() {
	if s.Quota == nil {
		return
	}
	handle(s, operation{id: "getQuota", method: http.MethodGet, path: "/quota", tag: "quota", right: RightRead, summary: "How many units there are, and how many are used"},
		func(ctx context.Context, _ *struct{}) (*body[pratique.QuotaState], error) {
			q, err := s.Quota.Quota(ctx)
			return &body[pratique.QuotaState]{q}, err
		})
	handle(s, operation{id: "setQuota", method: http.MethodPut, path: "/quota", tag: "quota", right: RightAdminister,
		summary: "Set the total, the switch and the rule", detail: "A total below what is used is refused."}, s.setQuota)
	handle(s, operation{id: "previewLicences", method: http.MethodPost, path: "/quota/preview", tag: "quota", right: RightRead,
		summary: "What licensing images would cost", detail: "Nothing is spent."},
		func(ctx context.Context, in *struct{ Body LicenceRequest }) (*body[pratique.QuotaNeed], error) {
			need, err := s.Quota.QuotaNeed(ctx, in.Body.Filter)
			if n := in.Body.AtMost; n > 0 {
				need.Needed = min(need.Needed, n)
				need.Enough = need.Needed <= need.Left
			}
			return &body[pratique.QuotaNeed]{need}, err
		})
	handle(s, operation{id: "licenseImages", method: http.MethodPost, path: "/quota/licences", tag: "quota", right: RightScan, status: http.StatusCreated,
		summary: "License images", detail: "All that are chosen, or none: then the answer is 409 with the code quota, and params.needed and params.left."},
		func(ctx context.Context, in *struct{ Body LicenceRequest }) (*body[pratique.QuotaEntry], error) {
			e, err := s.Quota.License(ctx, in.Body.Filter, in.Body.AtMost, exchangeOf(ctx).user)
			if err != nil {
				return nil, err
			}
			s.did(ctx, "quota.license", "", fmt.Sprintf("%d images, %d of %d used", e.Images, e.Used, e.Total))
			return &body[pratique.QuotaEntry]{e}, nil
		})
	list[entriesInput](s, listing[pratique.QuotaAction, pratique.QuotaEntry]{
		operation: operation{id: "listQuotaEntries", path: "/quota/entries", tag: "quota", right: RightRead, summary: "The ledger, newest first",
			detail: "With action=auto it is the log of the rule: reason says why images were left out."},
		fetch: s.Quota.QuotaEntries,
	})
	list[licencesInput](s, listing[int64, pratique.Licence]{
		operation: operation{id: "listLicences", path: "/quota/licences", tag: "quota", right: RightRead, summary: "The units that were spent, newest first"},
		fetch:     s.Quota.Licences,
	})
}

func (s *server) setQuota(ctx context.Context, in *struct{ Body QuotaInput }) (*body[pratique.QuotaState], error) {
	q := pratique.QuotaSettings{Enabled: in.Body.Enabled, Total: in.Body.Total, Auto: pratique.AutoRule(in.Body.Auto)}
	err := s.Quota.SetQuota(ctx, q, exchangeOf(ctx).user)
	if pratique.CodeOf(err) == pratique.CodeConflict {
		return nil, fieldProblem("body.total", err)
	}
	if err != nil {
		return nil, err
	}
	s.did(ctx, "quota.set", "", fmt.Sprintf("enforced %t, total %d, rule %t", q.Enabled, q.Total, q.Auto.Enabled))
	state, err := s.Quota.Quota(ctx)
	return &body[pratique.QuotaState]{state}, err
}
