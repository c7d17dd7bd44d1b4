package main

import (
	"context"
	"fmt"
	"time"

	"github.com/pratique/pratique"
)

// demoHosts are servers that do not exist: the demonstration's own process tells what
// they have. Their names say so.
var demoHosts = [...]string{"made-up-web-1", "made-up-web-2", "made-up-batch-1"}

// demoHost is the server of that number.
func demoHost(n int) pratique.Host {
	name := demoHosts[n]
	return pratique.Host{
		ID: name, Name: name, IPs: []string{fmt.Sprintf("192.0.2.%d", 11+n)}, OS: "Debian GNU/Linux 12 (bookworm)", Kernel: "6.1.0-18-amd64", Architecture: "amd64",
		Project: []string{"shop", "shop", "analytics"}[n], Engines: []pratique.EngineInfo{demoEngine(n)},
		Labels: pratique.Labels{"cluster": []string{"blue", "green", "blue"}[n], "tier": []string{"web", "web", "batch"}[n]},
	}
}

// hosts tells of images on servers, so that their pages are not empty: some of those
// that the registry has, which share its results, and some that cannot be scanned.
// The last of the servers is offline. It goes on until ctx ends.
func (d *demonstration) hosts(ctx context.Context, s *service) error {
	rows, err := s.db.Assets(ctx, pratique.AssetFilter{}, pratique.PageRequest{Sort: "name", Limit: pratique.MaxPage})
	if err != nil {
		return err
	}
	var agents []pratique.Agent
	for n := range demoHosts {
		a, err := d.enrol(ctx, s, demoHost(n))
		if err != nil {
			return err
		}
		if err := s.db.PutInventory(ctx, a.ID, demoInventory(n, rows.Items)); err != nil {
			return err
		}
		agents = append(agents, a)
	}
	online := agents[:len(agents)-1]
	for {
		for n, a := range online {
			if err := s.db.AgentBeat(ctx, a.ID, demoHost(n), toolVersion(), nil); err != nil {
				return err
			}
			work, err := s.db.NextWork(ctx, a.ID)
			if err != nil {
				return err
			}
			if work.Refresh != 0 {
				if err := s.db.RefreshDone(ctx, a.ID, work.Refresh, nil); err != nil {
					return err
				}
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(2 * time.Second):
		}
	}
}

func (d *demonstration) enrol(ctx context.Context, s *service, host pratique.Host) (pratique.Agent, error) {
	secret := pratique.AgentSecretHash(fmt.Sprint("demonstration ", host.ID, time.Now().UnixNano()))
	token := pratique.AgentToken{Kind: pratique.AgentHost, Note: "made up by the demonstration", Uses: 1, By: "demonstration", Expires: time.Now().Add(time.Hour)}
	if _, err := s.db.AddAgentToken(ctx, token, secret); err != nil {
		return pratique.Agent{}, err
	}
	return s.db.Enrol(ctx, secret, pratique.Agent{Key: "demonstration " + host.ID, Name: host.Name, Version: toolVersion()}, host)
}

func demoEngine(n int) pratique.EngineInfo {
	return [...]pratique.EngineInfo{
		{Kind: pratique.EngineDocker, Version: "20.10.24", Root: "/var/lib/docker", Store: "overlay2"},
		{Kind: pratique.EngineContainerd, Version: "1.7.13", Root: "/var/lib/containerd"},
		{Kind: pratique.EnginePodman, Version: "4.3.1", Root: "/var/lib/containers"},
	}[n]
}

// demoInventory is every second or third image of the registry, with containers.
func demoInventory(n int, rows []pratique.AssetRow) pratique.Inventory {
	inv := pratique.Inventory{Engine: demoEngine(n), Generation: time.Now().UnixMicro(), Taken: time.Now()}
	states := [...]pratique.ContainerState{pratique.ContainerRunning, pratique.ContainerRunning, pratique.ContainerExited, pratique.ContainerPaused}
	for i, r := range rows {
		if r.ImageID == "" || i%(n+2) == 1 {
			continue
		}
		name := r.Repository + ":" + r.Tag
		inv.Images = append(inv.Images, pratique.LocalImage{ID: r.ImageID, EngineID: r.ImageID, Tags: []string{name}, Platform: r.Platform, Size: r.Size, Created: r.Created})
		if i%3 == n {
			continue
		}
		started := time.Now().Add(-time.Duration(i*7+n) * time.Hour).Truncate(time.Second)
		inv.Containers = append(inv.Containers, pratique.Container{
			ID: pratique.DigestOf(fmt.Append(nil, name, n)).Hex(), Name: fmt.Sprintf("%s-%d", r.Tag, n+1), ImageID: r.ImageID, Image: name,
			State: states[(i+n)%len(states)], Command: []string{"/entrypoint", "--listen", fmt.Sprintf(":%d", 8000+i)}, Created: started, Updated: started,
		})
	}
	windows := pratique.DigestOf([]byte("made-up windows image"))
	inv.Images = append(inv.Images, pratique.LocalImage{ID: windows, EngineID: windows, Tags: []string{"reports/windows-agent:2.1"}, Platform: pratique.Platform{OS: "windows", Architecture: "amd64"}, Size: 1 << 28})
	return inv
}
