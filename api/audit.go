package api

import (
	"context"
	"time"

	"github.com/pratique/pratique"
)

// AuditStore keeps who did what.
type AuditStore interface {
	Note(ctx context.Context, e pratique.AuditEntry) error
	Notes(ctx context.Context, f pratique.AuditFilter, r pratique.PageRequest) (pratique.Page[pratique.AuditEntry], error)
}

// audit notes a deed. It outlives the client's patience; when it cannot be kept,
// the log has it.
func (s *server) audit(ctx context.Context, who, action, target, detail string) {
	x := exchangeOf(ctx)
	entry := pratique.AuditEntry{User: who, Action: action, Target: target, Address: x.address.String(), RequestID: x.id, Detail: redact(detail)}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := s.Audit.Note(ctx, entry); err != nil {
		x.log.Error("the audit log cannot be written", "user", who, "action", action, "target", target, "detail", entry.Detail, "error", err)
	}
}

// did notes a deed of the user who is signed in.
func (s *server) did(ctx context.Context, action, target, detail string) {
	s.audit(ctx, exchangeOf(ctx).user, action, target, detail)
}

type auditInput struct {
	Paging
	User   string    `query:"user" maxLength:"128"`
	Action string    `query:"action" maxLength:"128" doc:"A whole action, or its beginning up to a dot" example:"registry"`
	Search string    `query:"search" maxLength:"256" doc:"Words that occur in target or detail"`
	From   time.Time `query:"from"`
	To     time.Time `query:"to"`
}

func (in *auditInput) filter() (pratique.AuditFilter, error) {
	f := pratique.AuditFilter{User: in.User, Action: in.Action, Search: in.Search}
	if !in.From.IsZero() {
		f.At.From = &in.From
	}
	if !in.To.IsZero() {
		f.At.To = &in.To
	}
	return f, nil
}

func (s *server) auditOperations() {
	list[auditInput](s, listing[pratique.AuditFilter, pratique.AuditEntry]{
		operation: operation{id: "listAudit", path: "/audit", tag: "audit", right: RightAdminister, summary: "Who did what, newest first"},
		fetch:     s.Audit.Notes,
	})
}
