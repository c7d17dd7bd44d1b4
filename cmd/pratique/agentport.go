package main

import (
	"cmp"
	"context"
	"net"
	"path/filepath"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/agent/wire"
	"github.com/pratique/pratique/api"
	"github.com/pratique/pratique/scan"
)

// agentPort is where the service listens for agents.
type agentPort struct {
	machine *api.Machine
	rules   *agentRules
	on      net.Listener
}

// listenForAgents takes the port, if there shall be one.
func (s *service) listenForAgents(keyPath string) (*agentPort, error) {
	if s.flags.agentListen == "" {
		return nil, nil
	}
	secret, err := derivedKey(keyPath, "pratique agents")
	if err != nil {
		return nil, err
	}
	authority, err := api.NewAuthority(secret)
	if err != nil {
		return nil, err
	}
	secretKey, err := derivedKey(keyPath, "pratique secrets")
	if err != nil {
		return nil, err
	}
	on, err := net.Listen("tcp", s.flags.agentListen)
	if err != nil {
		return nil, pratique.Errorf(pratique.CodeInvalid, "cannot listen for agents on %s: %w", s.flags.agentListen, err).WithRemedy("choose another --agent-listen, or stop what has the port")
	}
	folder, err := openRules(s.cases.bundles.dir)
	if err != nil {
		return nil, err
	}
	rules := &agentRules{folder: folder}
	return &agentPort{on: on, rules: rules, machine: api.NewMachine(api.MachineDeps{
		Fleet: &scan.Fleet{Store: s.db, Syncer: s.cases.syncer, Knowledge: s.cases.bundles, Observer: s.seen, Tool: pratique.Tool{Name: "pratique", Version: toolVersion()}, Log: s.log},
		Audit: s.db, Rules: rules, Authority: authority, SecretKey: secretKey, Version: toolVersion(), Log: s.log,
	})}, nil
}

// joinFleet gives the fleet what the service scans with itself. The rules of the pass
// may be others by now: facts are asked for by those of the agent.
func (s *service) joinFleet(ctx context.Context, scanner *scan.Scanner) error {
	if s.agents == nil {
		return nil
	}
	if err := s.agents.rules.renew(); err != nil {
		return err
	}
	fleet := s.agents.machine.Fleet
	fleet.Facts, fleet.Pass, fleet.Credentials = scanner.Facts, scanner.Pass, scanner.Credentials
	if !s.flags.strictFacts {
		return nil
	}
	hosts := &hostFacts{folder: filepath.Join(cmp.Or(s.flags.facts, filepath.Join(s.flags.data, "facts")), "hosts"), shared: scanner.Facts}
	fleet.Own = hosts.of
	go prune(ctx, hosts, s.flags.keepFacts, s.log)
	return nil
}

// rulesChanged tells agents of other packs of rules.
func (p *agentPort) rulesChanged() error {
	if p == nil {
		return nil
	}
	return p.rules.renew()
}

// serveAgents answers agents until ctx ends; stop waits for that.
func (s *service) serveAgents(ctx context.Context) (stop func() error) {
	if s.agents == nil {
		return func() error { return nil }
	}
	s.log.Info("agents are answered", "address", s.agents.on.Addr().String())
	ended := make(chan error, 1)
	go func() { ended <- s.agents.machine.Serve(ctx, s.agents.on, s.flags.agentNames, s.flags.stopTimeout) }()
	return func() error { return <-ended }
}

// collectors are the metrics of the port.
func (p *agentPort) collectors() []prometheus.Collector {
	if p == nil {
		return nil
	}
	return p.machine.Collectors()
}

// server says how agents reach us, to those who make tokens for them.
func (p *agentPort) server(names []string) func(host, secret string) (address, token string, err error) {
	if p == nil {
		return nil
	}
	return func(host, secret string) (string, string, error) {
		name := host
		if len(names) > 0 {
			name = names[0]
		}
		if name == "" {
			name = "localhost"
		}
		port := ""
		if a, ok := p.on.Addr().(*net.TCPAddr); ok {
			port = strconv.Itoa(a.Port)
		}
		return "https://" + net.JoinHostPort(name, port), wire.NewToken(secret, p.machine.Authority.PublicKey()).String(), nil
	}
}
