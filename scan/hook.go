package scan

import (
	"context"
	"net/http"
	"time"

	"github.com/pratique/pratique"
)

// A hint waits for others: one push of an image with several platforms and tags is
// told many times.
const (
	settle     = 500 * time.Millisecond // since the last hint
	settleMost = 5 * time.Second        // since the first
)

// settled tells whether no hint has come for a moment; else it waits for that moment,
// after which there may be more.
func settled(ctx context.Context, hints map[string]time.Time) (bool, error) {
	wait := unsettled(hints)
	if wait == 0 {
		return true, nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false, context.Cause(ctx)
	case <-timer.C:
		return false, nil
	}
}

// unsettled is how long to wait for more hints, or 0.
func unsettled(hints map[string]time.Time) time.Duration {
	now := time.Now()
	first, last := now, time.Time{}
	for _, at := range hints {
		if at.Before(first) {
			first = at
		}
		if at.After(last) {
			last = at
		}
	}
	if wait := settle - now.Sub(last); wait > 0 && now.Sub(first) < settleMost {
		return min(wait, settle) // clocks differ
	}
	return 0
}

// Hook takes a call of a registry's webhook. The connector checks the secret, and
// says in which repositories something happened. They are listed at once, whatever
// the call claims, and what is new in them is scanned before everything else.
func (s *Syncer) Hook(ctx context.Context, registryID int64, r *http.Request) error {
	row, err := s.Store.Registry(ctx, registryID)
	if pratique.CodeOf(err) == pratique.CodeNotFound {
		return unwelcome() // who does not know the secret does not learn which registries there are
	}
	if err != nil {
		return err
	}
	kind, err := connector(s.Connectors, row.Kind)
	if err != nil {
		return err
	}
	conn := Connection(row, "")
	if conn.WebhookSecret, err = s.Store.WebhookSecret(ctx, registryID); err != nil {
		return err
	}
	hints, err := kind.Webhook(conn, r)
	if pratique.CodeOf(err) == pratique.CodeUnauthorized {
		return unwelcome()
	}
	if err != nil || len(hints) == 0 {
		return err
	}
	wish := pratique.SyncWish{Hints: map[string]time.Time{}}
	now := time.Now().UTC()
	for _, h := range hints {
		wish.Hints[h.Repository] = now
	}
	if err := s.Store.WantSync(ctx, registryID, wish); err != nil {
		return err
	}
	want(ctx, s.Jobs, Job{Args: SyncArgs{RegistryID: registryID}, Lane: LanePush})
	return nil
}

func unwelcome() error {
	return pratique.Errorf(pratique.CodeUnauthorized, "the webhook's call does not carry the secret of this registry").
		WithRemedy("set the registry's webhook secret here, and the same in its Authorization header there")
}
