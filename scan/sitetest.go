package scan

import (
	"context"
	"encoding/json"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/registry"
)

const (
	// testPatience is how long a connection test of a site may take: an agent looks for
	// work every [askAgain], and then takes as long as the service would.
	testPatience = registry.CheckTimeout + 10*time.Second
	// testLook is how often it is looked whether the outcome is there.
	testLook = 250 * time.Millisecond
)

// TestSite lets one of the agents of a registry's site test a connection, as the
// service does for those that it reaches itself, and waits for the outcome. That no
// agent answers is one as well.
func (s *Syncer) TestSite(ctx context.Context, r pratique.Registry, password string) (registry.Health, error) {
	online, err := s.Store.SiteOnline(ctx, r.Site)
	if err != nil {
		return registry.Health{}, err
	}
	if !online {
		return failed(registry.FaultNoAgent.Errorf("no agent of the site %q is online", r.Site)), nil
	}
	id, err := s.Store.AskTest(ctx, r, password)
	if err != nil {
		return registry.Health{}, err
	}
	defer s.forgetTest(ctx, id)
	patience := time.NewTimer(testPatience)
	defer patience.Stop()
	look := time.NewTicker(testLook)
	defer look.Stop()
	for {
		agent, outcome, err := s.Store.TestOutcome(ctx, id)
		if err != nil {
			return registry.Health{}, err
		}
		if outcome != nil {
			var health registry.Health
			err := json.Unmarshal(outcome, &health)
			health.Agent = agent
			return health, err
		}
		select {
		case <-ctx.Done():
			return registry.Health{}, context.Cause(ctx)
		case <-patience.C:
			if agent != "" {
				return failed(registry.FaultAgentSilent.Errorf("the agent %s did not say in %s what came of it", agent, testPatience)), nil
			}
			return failed(registry.FaultAgentSilent.Errorf("no agent of the site %q took the test in %s", r.Site, testPatience)), nil
		case <-look.C:
		}
	}
}

func failed(err error) registry.Health { return registry.Health{Checked: time.Now().UTC()}.Fail(err) }

// forgetTest takes a test back, also when who waited for it has gone.
func (s *Syncer) forgetTest(ctx context.Context, id int64) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	if err := s.Store.DropTest(ctx, id); err != nil {
		s.Log.Warn("a connection test cannot be forgotten; it goes by itself", "test", id, "error", err)
	}
}

// Tested keeps what an agent found out about a connection, for whoever waits for it.
func (f *Fleet) Tested(ctx context.Context, a pratique.Agent, id int64, health registry.Health) error {
	outcome, err := json.Marshal(health)
	if err != nil {
		return err
	}
	return f.Store.TestDone(ctx, a.ID, id, outcome)
}
