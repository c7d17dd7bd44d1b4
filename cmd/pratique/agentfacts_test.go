package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/agent"
	"github.com/pratique/pratique/engine/docker"
	"github.com/pratique/pratique/engine/podman"
	"github.com/pratique/pratique/internal/enginetest"
	"github.com/pratique/pratique/registry/distribution/registrytest"
)

// twoHosts are a host with Docker that has t/app, and one with podman that has t/other,
// whose layers are the same.
type twoHosts struct {
	docker, podman *enginetest.Engine
	app, other     pratique.Digest // contents
}

func startHosts(t *testing.T) *twoHosts {
	t.Helper()
	h := &twoHosts{docker: enginetest.Docker(t), podman: enginetest.Podman(t, true)}
	h.docker.Run(t, "import", enginetest.Base(t), "t/base:1")
	id := func(name string) pratique.Digest {
		return pratique.Digest(h.docker.Run(t, "inspect", "--format", "{{.Id}}", name))
	}
	for _, name := range []string{"app", "other"} {
		h.docker.Run(t, "build", "-q", "--network", "none", "-t", "t/"+name+":1", enginetest.Context(t, "t/base:1", name))
	}
	h.app, h.other = id("t/app:1"), id("t/other:1")
	saved := filepath.Join(t.TempDir(), "other.tar")
	h.docker.Run(t, "save", "-o", saved, "t/other:1")
	h.docker.Run(t, "rmi", "t/other:1")
	h.podman.Run(t, "load", "-i", saved)
	h.podman.Run(t, "run", "-d", "--name", "busy", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024", "--network", "none", string(h.other.Hex()))
	return h
}

// join lets the agents of both hosts speak to a service, and waits until they have.
func (h *twoHosts) join(t *testing.T, p *port) {
	t.Helper()
	one := run(t, hostConfig(t, p.token(pratique.AgentHost, ""), "one", agent.Engine{Name: "docker", Engine: docker.New(docker.Options{Host: "unix://" + h.docker.Socket})}))
	two := run(t, hostConfig(t, p.token(pratique.AgentHost, ""), "two", agent.Engine{Name: "podman", Engine: podman.New(podman.Options{Root: h.podman.Root, Address: "unix://" + h.podman.Socket})}))
	t.Cleanup(one.stop)
	t.Cleanup(two.stop)
	p.until("both hosts have told", func() bool { return p.local(h.app).Hosts == 1 && p.local(h.other).RunningContainers == 1 })
}

// local is the first row of a content on hosts.
func (p *port) local(id pratique.Digest) pratique.AssetRow {
	p.t.Helper()
	return p.row(pratique.AssetFilter{Source: pratique.SourceLocal, ImageIDs: []pratique.Digest{id}})
}

func (p *port) row(f pratique.AssetFilter) (row pratique.AssetRow) {
	p.t.Helper()
	page, err := p.db.Assets(p.t.Context(), f, pratique.PageRequest{Limit: 1})
	check(p.t, err)
	if len(page.Items) > 0 {
		row = page.Items[0]
	}
	return row
}

// scanImage scans a content on hosts, and returns what came of it.
func (p *port) scanImage(id pratique.Digest) *pratique.Report {
	p.t.Helper()
	task := p.ended(p.scanLocal(fmt.Sprintf(`{"scope":"specified","filter":{"source":"local","ids":[%d]},"categories":["vulnerability","secret","malware"]}`, p.local(id).ID)))
	if task.Scanned != 1 {
		p.t.Fatalf("task %+v\n%s", task, p.log)
	}
	report, err := p.db.Report(p.t.Context(), id)
	check(p.t, err)
	return report
}

func isAttested(r *pratique.Report) (all, none bool) {
	n := 0
	for _, l := range r.Layers {
		if l.Attested {
			n++
		}
	}
	return n == len(r.Layers) && n > 0, n == 0
}

// What hosts say serves hosts. As soon as a registry has the image, it is read from
// there, and the hosts share that result.
func TestWhoseFacts(t *testing.T) {
	h := startHosts(t)
	t.Run("shared", func(t *testing.T) {
		p := servePort(t)
		h.join(t, p)
		app, other := p.scanImage(h.app), p.scanImage(h.other)
		if all, _ := isAttested(app); !all {
			t.Errorf("a host's layers: %+v", app.Layers)
		}
		if all, _ := isAttested(other); !all || other.Layers[0].DiffID != app.Layers[0].DiffID {
			t.Errorf("podman's image: %+v", other.Layers)
		}
		if !strings.Contains(p.log.String(), "read=0 known=4") {
			t.Errorf("both hosts have read what they share\n%s", p.log)
		}
		if row := p.local(h.other); row.Counters.Secrets.Total() != 1 || !row.Running {
			t.Errorf("podman's image: %+v", row)
		}
		p.registryHas(t, h)
	})
	t.Run("strict", func(t *testing.T) {
		p := servePort(t, "--strict-host-facts")
		h.join(t, p)
		base := p.scanImage(h.app).Layers[0].DiffID
		p.scanImage(h.other)
		if strings.Count(p.log.String(), "read=4 known=0") != 2 {
			t.Errorf("what one host says serves another\n%s", p.log)
		}
		p.scanImage(h.other)
		if !strings.Contains(p.log.String(), "read=0 known=4") {
			t.Errorf("what a host says does not serve itself\n%s", p.log)
		}
		hosts, err := filepath.Glob(filepath.Join(p.data, "facts/hosts/*/v2/files/*/*", base.Hex()+".*"))
		shared, none := filepath.Glob(filepath.Join(p.data, "facts/v2/files/*/*/*"))
		if err != nil || none != nil || len(hosts) != 2 || len(shared) != 0 {
			t.Errorf("facts are in %v and %v", hosts, shared)
		}
	})
}

// registryHas lets a registry have the image of a host that was scanned there.
func (p *port) registryHas(t *testing.T, h *twoHosts) {
	t.Helper()
	server := registrytest.Start(t, registrytest.Options{})
	pushed := server.Host + "/team/app:1"
	h.docker.Run(t, "tag", "t/app:1", pushed)
	h.docker.Run(t, "push", "-q", pushed)
	h.docker.Run(t, "rmi", pushed)
	near, err := p.db.CreateRegistry(t.Context(), pratique.Registry{Name: "near", Kind: "oci", Address: "http://" + server.Host}, "")
	check(t, err)
	p.startSync(near.ID)
	theirs := pratique.AssetFilter{Registries: []int64{near.ID}}
	p.until("the registry is synchronised", func() bool { return p.row(theirs).ImageID == h.app })
	if status := p.row(theirs).Status; status != pratique.StatusNotScanned {
		t.Errorf("the registry's row is %s by what a host says", status)
	}
	if status := p.local(h.app).Status; status != pratique.StatusNotScanned {
		t.Errorf("the host's row is %s", status)
	}
	body, err := json.Marshal(map[string]any{"scope": "all", "categories": []string{"vulnerability", "secret", "malware"}})
	check(t, err)
	if task := p.ended(p.scanLocal(string(body))); task.Total != 1 || task.Scanned != 1 {
		t.Fatalf("task %+v\n%s", task, p.log)
	}
	report, err := p.db.Report(t.Context(), h.app)
	check(t, err)
	if _, none := isAttested(report); !none {
		t.Errorf("the registry's row is judged by what a host says: %+v", report.Layers)
	}
	scans, err := p.db.Scans(t.Context(), pratique.ScanFilter{ImageIDs: []pratique.Digest{h.app}}, pratique.PageRequest{Limit: 10})
	check(t, err)
	if len(scans.Items) != 2 || strings.HasPrefix(scans.Items[0].Worker, "agent:") == strings.HasPrefix(scans.Items[1].Worker, "agent:") {
		t.Errorf("a host and a worker have scanned it: %+v", scans.Items)
	}
	if ours, theirs := p.local(h.app), p.row(theirs); ours.Status != pratique.StatusScanned || ours.Counters.Secrets.Total() != 1 || ours.Counters.Secrets != theirs.Counters.Secrets {
		t.Errorf("they do not share the result: %+v, %+v", ours, theirs)
	}
	if _, none := isAttested(p.scanImage(h.app)); !none {
		t.Error("a scan of the host's row went back to what the host says")
	}
}
