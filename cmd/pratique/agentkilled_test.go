package main

import (
	"archive/tar"
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/agent/wire"
	"github.com/pratique/pratique/api"
	"github.com/pratique/pratique/internal/enginetest"
	"github.com/pratique/pratique/store"
)

// slowTar is a root file system that takes some seconds to read: text, which is
// looked through for secrets.
func slowTar(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name+".tar")
	f, err := os.Create(path)
	check(t, err)
	w := tar.NewWriter(f)
	plain := []byte(name + " says: the quick brown fox jumps over the lazy dog, and then it does so once more\n")
	odd := []byte(name + " password token key = value of something that is none, again and again\n")
	for i := range 96 {
		text := make([]byte, 0, 1<<20)
		for n := 0; len(text) < 1<<20-200; n++ {
			line := plain
			if n%24 == 0 {
				line = odd
			}
			text = append(fmt.Appendf(text, "%d %d ", i, n), line...)
		}
		check(t, w.WriteHeader(&tar.Header{Name: fmt.Sprintf("srv/%d.conf", i), Mode: 0o644, Size: int64(len(text))}))
		_, err := w.Write(text)
		check(t, err)
	}
	check(t, w.Close())
	check(t, f.Close())
	return path
}

// host is an agent in a process of its own, with the folders of a host.
type hostProcess struct {
	args []string
	cmd  *exec.Cmd
	log  *lockedLog
}

func (h *hostProcess) start(t *testing.T) {
	t.Helper()
	self, err := os.Executable()
	check(t, err)
	h.log = &lockedLog{}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), victimEnv+"="+strings.Join(h.args, "|"))
	cmd.Stderr = h.log
	check(t, cmd.Start())
	h.cmd = cmd
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
}

func (h *hostProcess) kill() { _ = h.cmd.Process.Kill(); _ = h.cmd.Wait() }

// fleetOf is a service for agents that can be killed, and begun again.
type fleetOf struct {
	data, address string
	db            *store.Store
	service       *mortal
	enrol         []string // the command of an agent that enrols with a token
}

// mortalFleet starts a service, and makes a token for one agent of the kind.
func mortalFleet(t *testing.T, token pratique.AgentToken) *fleetOf {
	t.Helper()
	f := &fleetOf{data: t.TempDir()}
	keys, err := store.OpenKeyring(filepath.Join(f.data, "key"))
	check(t, err)
	f.db, err = store.Open(t.Context(), filepath.Join(f.data, "pratique.db"), keys)
	check(t, err)
	t.Cleanup(func() { f.db.Close() })
	_, err = api.EnsureAdministrator(t.Context(), f.db)
	check(t, err)
	secret := rand.Text() + rand.Text()
	token.Uses, token.Expires = 1, time.Now().Add(time.Hour)
	_, err = f.db.AddAgentToken(t.Context(), token, pratique.AgentSecretHash(secret))
	check(t, err)
	seed, err := derivedKey(filepath.Join(f.data, "key"), "pratique agents")
	check(t, err)
	authority, err := api.NewAuthority(seed)
	check(t, err)
	file := filepath.Join(t.TempDir(), "token")
	check(t, os.WriteFile(file, []byte(wire.NewToken(secret, authority.PublicKey()).String()), 0o600))
	free, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	f.address = free.Addr().String()
	check(t, free.Close())
	f.serve(t)
	f.enrol = []string{"agent", "--server", "https://" + f.address, "--token-file", file, "--data", filepath.Join(t.TempDir(), "agent"), "--no-nice"}
	return f
}

// serve starts the service, again after it was killed.
func (f *fleetOf) serve(t *testing.T) {
	t.Helper()
	f.service = serveMortal(t, f.data, "--agent-listen", f.address)
}

// Whatever dies in the middle of a scan, it ends in a state that says how, and the next
// one is right.
func TestFleetKilled(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	d := enginetest.Docker(t)
	fleet := mortalFleet(t, pratique.AgentToken{Kind: pratique.AgentHost})
	db := fleet.db
	var err error

	// The host's root holds a machine-id, and the way to where dockerd keeps its data.
	root := t.TempDir()
	check(t, os.Mkdir(filepath.Join(root, "etc"), 0o755))
	check(t, os.WriteFile(filepath.Join(root, "etc/machine-id"), []byte(strings.Repeat("0123456789abcdef", 2)), 0o644))
	top := strings.Split(d.Root, "/")[1]
	check(t, os.Symlink("/"+top, filepath.Join(root, top)))
	host := &hostProcess{args: append(fleet.enrol, "--host-root", root, "--engine", "docker=unix://"+d.Socket)}
	host.start(t)

	until := func(what string, patience time.Duration, done func() bool) {
		t.Helper()
		for deadline := time.Now().Add(patience); !done(); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(deadline) {
				all, _ := db.Scans(ctx, pratique.ScanFilter{}, pratique.PageRequest{Limit: 10})
				t.Fatalf("waited in vain until %s\n%s\n%s\n%+v", what, host.log, fleet.service.log, all.Items)
			}
		}
	}
	// begin starts the scan of a new image, and returns when it is read.
	begin := func(name string) (scanID int64) {
		t.Helper()
		id := pratique.Digest(d.Run(t, "import", slowTar(t, name), "t/"+name+":1"))
		until("the image is known", 20*time.Second, func() bool {
			rows, err := db.Assets(ctx, pratique.AssetFilter{Source: pratique.SourceLocal, ImageIDs: []pratique.Digest{id}}, pratique.PageRequest{Limit: 1})
			return err == nil && len(rows.Items) == 1
		})
		_, scans, err := db.CreateTask(ctx, pratique.TaskRequest{Kind: pratique.TaskManual, Creator: "test", Categories: []pratique.Category{pratique.CategorySecret}, ImageIDs: []pratique.Digest{id}})
		check(t, err)
		until("it is being read", 30*time.Second, func() bool {
			c, err := db.Scan(ctx, scans[0])
			return err == nil && c.Progress[pratique.CategorySecret] > 0
		})
		return scans[0]
	}
	end := func(scanID int64) pratique.Scan {
		t.Helper()
		var c pratique.Scan
		until("the scan has ended", time.Minute, func() bool {
			c, err = db.Scan(ctx, scanID)
			return err == nil && c.Ended != nil
		})
		t.Logf("scan %d: %s, attempt %d, progress %v, worker %s", scanID, c.Status, c.Attempt, c.Progress, c.Worker)
		return c
	}

	c := begin("agent")
	host.kill()
	host.start(t)
	if c := end(c); c.Status != pratique.StatusScanned || c.Attempt < 2 {
		t.Errorf("after the agent was killed: %s, attempt %d, %v", c.Status, c.Attempt, c.Error)
	}
	c = begin("server")
	fleet.service.kill()
	until("its port is free", 10*time.Second, func() bool {
		on, err := net.Listen("tcp", fleet.address)
		return err == nil && on.Close() == nil
	})
	fleet.serve(t)
	if c := end(c); c.Status != pratique.StatusScanned {
		t.Errorf("after the server was killed: %s, %v", c.Status, c.Error)
	}
	c = begin("removed")
	d.Run(t, "rmi", "t/removed:1")
	if c := end(c); c.Status != pratique.StatusFailed || c.Error == nil || c.Error.Code != pratique.CodeNotFound || !strings.Contains(c.Error.Message, "removed") {
		t.Errorf("after the image was removed: %s, %v", c.Status, c.Error)
	}
	c = begin("cancelled")
	_, err = db.CancelScans(ctx, c)
	check(t, err)
	cancelled := time.Now()
	until("the agent has stopped", 5*time.Second, func() bool { return strings.Contains(host.log.String(), "no longer wants it") })
	if took := time.Since(cancelled); took > 2*time.Second {
		t.Errorf("the agent stopped %s after the scan was cancelled", took)
	}
	c = begin("dockerd")
	d.Kill()
	if c := end(c); c.Status != pratique.StatusScanned { // its folders are still there
		t.Errorf("after dockerd was killed: %s, %v", c.Status, c.Error)
	}
	until("the host says that its engine does not answer", 20*time.Second, func() bool {
		hosts, err := db.Hosts(context.WithoutCancel(ctx), pratique.HostFilter{}, pratique.PageRequest{Limit: 1})
		return err == nil && len(hosts.Items) == 1 && hosts.Items[0].Error != nil
	})
}
