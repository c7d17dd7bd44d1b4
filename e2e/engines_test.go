package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/internal/enginetest"
	"github.com/pratique/pratique/internal/example"
	"github.com/pratique/pratique/internal/testimage"
	"github.com/pratique/pratique/registry/distribution/registrytest"
)

// findings is everything of a report that a reader decides by, however the image
// was read.
func findings(r pratique.Report) string {
	var b strings.Builder
	fmt.Fprintln(&b, r.Image.ID, r.Image.Platform, r.Image.Distro.ID, r.Image.Distro.Version)
	for _, l := range r.Layers {
		fmt.Fprintln(&b, "layer", l.Index, l.DiffID, l.Entries, l.Instruction)
	}
	at := func(o *pratique.Origin) string {
		if o == nil {
			return "-"
		}
		deleted := "-"
		if o.DeletedBy != nil {
			deleted = fmt.Sprint(*o.DeletedBy)
		}
		return fmt.Sprint(o.Path, " in ", o.Layer, " by ", o.Instruction, " deleted by ", deleted)
	}
	for _, p := range r.Packages {
		fmt.Fprintln(&b, "package", p.PURL, p.Path, p.Licenses, p.OwnedBy, at(p.Origin))
	}
	for _, v := range r.Vulnerabilities {
		fmt.Fprintln(&b, "vulnerability", v.ID, v.Package.PURL, v.Severity, v.FixedVersion, at(v.Package.Origin))
	}
	for _, s := range r.Secrets {
		fmt.Fprintln(&b, "secret", s.Rule, s.Path, s.Line, s.Preview, s.Hash, at(s.Origin))
	}
	for _, m := range r.Malware {
		fmt.Fprintln(&b, "malware", m.Name, m.Path, m.SHA256, at(m.Origin))
	}
	for category, c := range r.Coverage {
		if c.State != pratique.CoverageComplete && category == pratique.CategorySoftware {
			fmt.Fprintln(&b, "coverage", category, c)
		}
	}
	return b.String()
}

// TestEngines scans one image wherever an engine may keep it, and from a registry:
// the findings are the same.
func TestEngines(t *testing.T) {
	dir := t.TempDir()
	paths, err := example.Write(dir)
	if err != nil {
		t.Fatal(err)
	}
	in := invocation{home: t.TempDir(), feeds: t.TempDir(), timeout: 2 * time.Minute}
	if out := pratiqueRun(t, invocation{args: []string{"feed", "import", paths.Feeds}, home: in.home, feeds: in.feeds}); out.exit != 0 {
		t.Fatalf("feed import: %s", out.stderr)
	}
	layout := "oci:" + paths.Image + ":1.0"
	check := func(what string, got pratique.Report, want string, attested bool) {
		t.Helper()
		if f := findings(got); f != want {
			t.Errorf("%s finds\n%s\nand the registry\n%s", what, f, want)
		}
		for _, l := range got.Layers {
			if l.Attested != attested || l.State != pratique.LayerRead && l.State != pratique.LayerCached {
				t.Errorf("%s: layer %+v", what, l)
			}
		}
	}

	server := registrytest.Start(t, registrytest.Options{})
	tool(t, "skopeo", "--insecure-policy", "copy", "--dest-tls-verify=false", layout, "docker://"+server.Host+"/shop:1")
	want := findings(mustScan(t, in, server.Host+"/shop:1", "--insecure", "--no-cache"))
	if strings.Count(want, "\nvulnerability ") < 10 || strings.Count(want, "\nsecret ") < 3 || strings.Count(want, "\nmalware ") < 3 {
		t.Fatalf("the example has too little in it to compare:\n%s", want)
	}

	docker := enginetest.Docker(t)
	in.env = []string{"DOCKER_HOST=unix://" + docker.Socket}
	tool(t, "skopeo", "--insecure-policy", "copy", "--dest-daemon-host", "unix://"+docker.Socket, layout, "docker-daemon:shop:1")
	r := mustScan(t, in, "docker:shop:1", "--no-cache")
	check("docker, folders", r, want, true)
	if r.Image.ReadFrom != "overlay2 folders" {
		t.Errorf("read from %q", r.Image.ReadFrom)
	}
	check("docker, verified", mustScan(t, in, "docker:shop:1", "--no-cache", "--verify"), want, false)
	saved := filepath.Join(dir, "saved.tar")
	docker.Run(t, "save", "-o", saved, "shop:1")
	check("docker save", mustScan(t, in, saved, "--no-cache"), want, false)

	// Facts that this host attests serve its folders again, but no tar and no
	// registry; verified ones serve all.
	in.cache = t.TempDir()
	mustScan(t, in, "docker:shop:1")
	if r := mustScan(t, in, "docker:shop:1"); r.Layers[0].State != pratique.LayerCached || !r.Layers[0].Attested || findings(r) != want {
		t.Errorf("docker again: %+v", r.Layers[0])
	}
	if r := mustScan(t, in, saved); r.Layers[0].State != pratique.LayerRead || r.Layers[0].Attested {
		t.Errorf("a tar after folders: %+v", r.Layers[0])
	}
	for _, args := range [][]string{nil, {"--verify"}} {
		if r := mustScan(t, in, "docker:shop:1", args...); r.Layers[0].State != pratique.LayerCached || r.Layers[0].Attested {
			t.Errorf("docker after the tar, %v: %+v", args, r.Layers[0])
		}
	}
	in.cache = ""

	containerd := enginetest.Containerd(t)
	in.env = []string{"CONTAINERD_ADDRESS=" + containerd.Socket}
	containerd.Run(t, "-n", "k8s.io", "images", "import", saved)
	for _, name := range []string{"containerd:shop:1", "containerd:k8s.io/docker.io/library/shop:1"} {
		check(name, mustScan(t, in, name, "--no-cache"), want, false)
	}

	podman := enginetest.Podman(t, false)
	conf := filepath.Join(dir, "storage.conf")
	write(t, conf, fmt.Sprintf("[storage]\ndriver = \"overlay\"\ngraphroot = %q\n", podman.Root))
	in.env = []string{"CONTAINERS_STORAGE_CONF=" + conf}
	podman.Run(t, "load", "-i", saved)
	check("podman", mustScan(t, in, "podman:shop:1", "--no-cache"), want, true)
	check("podman, verified", mustScan(t, in, "podman:shop:1", "--no-cache", "--verify"), want, false)
}

// TestEngineGoesAway: dockerd is killed, and the image removed, while it is read.
func TestEngineGoesAway(t *testing.T) {
	docker := enginetest.Docker(t)
	dir := t.TempDir()
	// Enough small files for a scan to be in the middle of.
	files := map[string]string{}
	for i := range 3000 {
		files[fmt.Sprintf("srv/%03d/%d.sh", i/100, i)] = fmt.Sprintf("#!/bin/sh\necho %d %s\n", i, strings.Repeat("word ", 4000))
	}
	l, err := testimage.WriteLayer(dir, testimage.Plain, "COPY", testimage.Files(files))
	if err != nil {
		t.Fatal(err)
	}
	tar := filepath.Join(dir, "image.tar")
	f, err := os.Create(tar)
	if err != nil {
		t.Fatal(err)
	}
	if err := (testimage.Image{Layers: []testimage.Layer{l}, Tag: "many:1"}).WriteDockerTar(f); err != nil {
		t.Fatal(err)
	}
	f.Close()
	docker.Run(t, "load", "-i", tar)
	in := invocation{env: []string{"DOCKER_HOST=unix://" + docker.Socket}}
	whole := mustScan(t, in, "docker:many:1", "--no-cache")

	// Its folders are still there when dockerd is not, so the scan ends well.
	in.started = meanwhile(t, docker.Kill)
	r, out := scan(t, in, "docker:many:1", "--no-cache")
	if out.exit != 0 || r.Layers[0].Entries != whole.Layers[0].Entries {
		t.Errorf("dockerd was killed: exit %d, %s", out.exit, tail(out.stderr))
	}
	in.started = nil
	if _, out := scan(t, in, "docker:many:1"); out.exit != 2 || !strings.Contains(out.stderr, "nothing answers") {
		t.Errorf("dockerd is not there: exit %d, %s", out.exit, tail(out.stderr))
	}

	docker = enginetest.Docker(t)
	docker.Run(t, "load", "-i", tar)
	in.env = []string{"DOCKER_HOST=unix://" + docker.Socket}
	in.started = meanwhile(t, func() { docker.Run(t, "rmi", "many:1") })
	if _, out := scan(t, in, "docker:many:1", "--no-cache"); out.exit != 2 || !strings.Contains(out.stderr, "removed from the engine while it was read") {
		t.Errorf("the image was removed: exit %d, %s", out.exit, tail(out.stderr))
	}
}

// meanwhile stops a scan once it has opened a layer's folder, does something, and
// lets it go on.
func meanwhile(t *testing.T, do func()) func(*os.Process) {
	return func(p *os.Process) {
		t.Helper()
		afterOpening(t, p, "diff")
		if err := p.Signal(syscall.SIGSTOP); err != nil {
			t.Fatalf("the scan was over too soon: %v", err)
		}
		do()
		if err := p.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
	}
}

// afterOpening waits until the process has a folder of that name open.
func afterOpening(t *testing.T, p *os.Process, name string) {
	t.Helper()
	for range 10000 {
		links, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", p.Pid))
		for _, l := range links {
			if target, err := os.Readlink(l); err == nil && filepath.Base(target) == name {
				return
			}
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("the scan never opened a folder %s", name)
}
