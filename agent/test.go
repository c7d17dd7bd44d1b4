package agent

import (
	"context"
	"slices"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/agent/wire"
	"github.com/pratique/pratique/registry"
	"github.com/pratique/pratique/scan"
)

// test tests a connection for the service, where somebody waits for it. How many run at
// once the service decides.
func (a *agent) test(ctx context.Context, task wire.Task) {
	if len(task.Registries) != 1 {
		return // who waits learns that nothing came of it
	}
	checking, cancel := context.WithTimeout(ctx, registry.CheckTimeout)
	defer cancel()
	health := a.check(checking, task.Registries[0])
	told := tested(task.Test.ID, health)
	err := a.client.persistFor(ctx, testedIn, told, &wire.Done{})
	a.Log.Info("a connection was tested", "registry", task.Test.Registry.Name, "status", health.Status, "error", err)
}

// testedIn is how long an outcome waits for the service to answer.
const testedIn = 10 * time.Second

func (a *agent) check(ctx context.Context, r wire.Registry) registry.Health {
	i := slices.IndexFunc(a.Connectors, func(c registry.Connector) bool { return c.Kind() == r.Kind })
	if i < 0 {
		return registry.Health{}.Fail(pratique.Errorf(pratique.CodeUnsupported, "this agent does not know registries of the kind %.40q", r.Kind).WithRemedy("update the agent to the service's version"))
	}
	return a.Connectors[i].Check(ctx, scan.Connection(r.Registry, r.Password))
}

// tested is an outcome as a message may have it.
func tested(id int64, h registry.Health) *wire.Tested {
	told := wire.Health{
		Fault: fault(h.Status, h.Reason, h.Remedy), Message: wire.Line(h.Message, 1000), Product: wire.Line(h.Product, 200), Version: wire.Line(string(h.Version), 40),
		Endpoints: addresses(h.Endpoints), Sources: addresses(h.Sources), Latency: max(h.Latency, 0),
	}
	for _, w := range h.Warnings[:min(len(h.Warnings), wire.MaxTold)] {
		told.Warnings = append(told.Warnings, fault("", w.Reason, w.Remedy))
	}
	return &wire.Tested{ID: id, Health: told}
}

func addresses(all []string) (told []string) {
	for _, address := range all[:min(len(all), wire.MaxTold)] {
		told = append(told, wire.Line(address, 300))
	}
	return told
}

// fault is what people are told, fit for a message.
func fault(status registry.Status, reason, remedy pratique.Text) wire.Fault {
	line := func(t pratique.Text) pratique.Text {
		return pratique.Text{EN: wire.Line(t.EN, 1000), ZH: wire.Line(t.ZH, 1000)}
	}
	return wire.Fault{Status: string(status), Reason: line(reason), Remedy: line(remedy)}
}
