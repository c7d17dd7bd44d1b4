// Package enginetest starts real container engines for tests: dockerd,
// containerd and podman of Debian's packages docker.io, containerd and podman,
// with all that they keep in a folder of their own, so that they do not meet the
// machine's. They need root, and no network, no bridge and no systemd.
//
// Their commands are the oracle of tests: what `docker images` lists is what our
// inventory has to list.
package enginetest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// startTimeout is how long an engine may take to answer, on a busy machine.
const startTimeout = 60 * time.Second

// Engine is a running engine with its command line.
type Engine struct {
	Dir    string // everything is below it
	Socket string
	Root   string // the folder with its data
	State  string // containerd's state folder

	command []string // that comes before arguments
	env     []string
	server  *exec.Cmd
	log     *bytes.Buffer
}

// makeFolder makes a folder with a short name: the path of a socket has 108 bytes.
func makeFolder() (string, error) {
	if os.Geteuid() != 0 {
		return "", errors.New("container engines need root: run this as root")
	}
	return os.MkdirTemp("", "pe")
}

// removeFolder ends what is left of an engine, and removes its folder.
func removeFolder(dir string) error {
	deleteContainers(dir)
	killAll(dir)
	unmountAll(dir)
	return os.RemoveAll(dir)
}

func folder(t testing.TB) string {
	t.Helper()
	dir, err := makeFolder()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := removeFolder(dir); err != nil {
			t.Errorf("what the engine left: %v", err)
		}
	})
	return dir
}

// Docker starts dockerd with its driver overlay2.
func Docker(t testing.TB) *Engine {
	t.Helper()
	e, stop, err := LaunchDocker()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Errorf("what the engine left: %v", err)
		}
	})
	return e
}

// LaunchDocker is Docker for programs that are no tests. It runs until stop is
// called, which removes everything.
func LaunchDocker() (_ *Engine, stop func() error, err error) {
	dir, err := makeFolder()
	if err != nil {
		return nil, nil, err
	}
	e := &Engine{Dir: dir, Socket: filepath.Join(dir, "d.sock"), Root: filepath.Join(dir, "data")}
	stop = func() error { e.Kill(); return removeFolder(dir) }
	defer func() {
		if err != nil {
			err = errors.Join(err, stop())
		}
	}()
	client, err := find("docker", "docker.io")
	if err != nil {
		return nil, nil, err
	}
	server, err := find("dockerd", "docker.io")
	if err != nil {
		return nil, nil, err
	}
	e.command = []string{client, "-H", "unix://" + e.Socket}
	e.env = []string{"DOCKER_BUILDKIT=0", "HOME=" + dir}
	if err := e.launch(server, "--data-root", e.Root, "--exec-root", filepath.Join(dir, "exec"), "-p", filepath.Join(dir, "d.pid"),
		"-H", "unix://"+e.Socket, "--iptables=false", "--ip6tables=false", "--bridge=none", "--storage-driver=overlay2"); err != nil {
		return nil, nil, err
	}
	return e, stop, e.ready("version")
}

// Containerd starts containerd without its plugin for kubelet.
func Containerd(t testing.TB) *Engine {
	t.Helper()
	dir := folder(t)
	e := &Engine{Dir: dir, Socket: filepath.Join(dir, "c.sock"), Root: filepath.Join(dir, "root"), State: filepath.Join(dir, "state")}
	config := fmt.Sprintf("version = 2\nroot = %q\nstate = %q\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n[grpc]\n  address = %q\n", e.Root, e.State, e.Socket)
	file := filepath.Join(dir, "config.toml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	e.command = []string{need(t, "ctr", "containerd"), "-a", e.Socket}
	e.start(t, need(t, "containerd", "containerd"), "-c", file)
	if err := e.ready("version"); err != nil {
		t.Fatal(err)
	}
	return e
}

// Podman prepares a store for podman, and starts its service when asked to.
func Podman(t testing.TB, service bool) *Engine {
	t.Helper()
	dir := folder(t)
	e := &Engine{Dir: dir, Socket: filepath.Join(dir, "p.sock"), Root: filepath.Join(dir, "root")}
	need(t, "runc", "runc")
	e.env = []string{"XDG_RUNTIME_DIR=" + filepath.Join(dir, "xdg"), "HOME=" + dir}
	e.command = []string{need(t, "podman", "podman"), "--runtime", "runc", "--root", e.Root, "--runroot", filepath.Join(dir, "run"), "--tmpdir", filepath.Join(dir, "tmp"),
		"--cgroup-manager", "cgroupfs", "--events-backend", "file", "--storage-driver", "overlay"}
	if err := os.Mkdir(filepath.Join(dir, "xdg"), 0o700); err != nil {
		t.Fatal(err)
	}
	if !service {
		return e
	}
	e.start(t, e.command[0], append(e.command[1:], "system", "service", "--time", "0", "unix://"+e.Socket)...)
	deadline := time.Now().Add(startTimeout)
	for {
		if _, err := os.Stat(e.Socket); err == nil {
			return e
		}
		if time.Now().After(deadline) {
			t.Fatalf("podman did not start: %s", e.log)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func find(binary, debian string) (string, error) {
	path, err := exec.LookPath(binary)
	if err != nil {
		return "", fmt.Errorf("%s is missing: install Debian's package %s (make deps)", binary, debian)
	}
	return path, nil
}

func need(t testing.TB, binary, debian string) string {
	t.Helper()
	path, err := find(binary, debian)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func (e *Engine) launch(binary string, args ...string) error {
	e.log = new(bytes.Buffer)
	e.server = exec.Command(binary, args...)
	e.server.Env = append(os.Environ(), e.env...)
	e.server.Stdout, e.server.Stderr = e.log, e.log
	if err := e.server.Start(); err != nil {
		e.server = nil
		return err
	}
	return nil
}

func (e *Engine) start(t testing.TB, binary string, args ...string) {
	t.Helper()
	if err := e.launch(binary, args...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Kill) // containers that ignore a polite end would take ten seconds each
}

// ready waits until a command of the engine succeeds.
func (e *Engine) ready(args ...string) error {
	deadline := time.Now().Add(startTimeout)
	for {
		_, err := e.Try(args...)
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			e.Kill()
			return fmt.Errorf("the engine did not start: %w\n%s", err, e.log)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// Stop ends the engine in an orderly way.
func (e *Engine) Stop() { e.end(syscall.SIGTERM) }

// Kill ends it without warning, as kill -9 does.
func (e *Engine) Kill() { e.end(syscall.SIGKILL) }

func (e *Engine) end(with syscall.Signal) {
	if e.server == nil {
		return
	}
	_ = e.server.Process.Signal(with)
	ended := make(chan struct{})
	go func() { _ = e.server.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		_ = e.server.Process.Kill()
		<-ended
	}
	e.server = nil
}

// Try runs the engine's command.
func (e *Engine) Try(args ...string) (string, error) {
	cmd := exec.Command(e.command[0], append(e.command[1:len(e.command):len(e.command)], args...)...)
	cmd.Env = append(os.Environ(), e.env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", filepath.Base(e.command[0]), strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimSpace(stdout.String()), nil
}

// Run is Try for what must not fail.
func (e *Engine) Run(t testing.TB, args ...string) string {
	t.Helper()
	out, err := e.Try(args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// JSON runs a command that prints JSON, one value or one a line.
func JSON[T any](t testing.TB, e *Engine, args ...string) []T {
	t.Helper()
	var all []T
	for d := json.NewDecoder(strings.NewReader(e.Run(t, args...))); d.More(); {
		var v T
		if err := d.Decode(&v); err != nil {
			t.Fatal(err)
		}
		all = append(all, v)
	}
	return all
}

// Base writes a root file system that containers can run in: busybox, with
// something to hide in upper layers, and a tar of it.
func Base(t testing.TB) (tar string) {
	t.Helper()
	dir := t.TempDir()
	root := filepath.Join(dir, "root")
	for _, folder := range []string{"bin", "etc", "opt/data", "tmp", "proc", "sys", "dev"} {
		if err := os.MkdirAll(filepath.Join(root, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	busybox, err := os.ReadFile(need(t, "busybox", "busybox-static"))
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(
		os.WriteFile(filepath.Join(root, "bin/busybox"), busybox, 0o755),
		os.Symlink("busybox", filepath.Join(root, "bin/sh")),
		os.Symlink("busybox", filepath.Join(root, "bin/sleep")),
		os.WriteFile(filepath.Join(root, "etc/os-release"), []byte("ID=debian\nVERSION_ID=12\n"), 0o644),
		os.WriteFile(filepath.Join(root, "etc/gone"), []byte("to be deleted\n"), 0o644),
		os.WriteFile(filepath.Join(root, "opt/data/below"), []byte("to be hidden\n"), 0o644),
		os.Link(filepath.Join(root, "etc/os-release"), filepath.Join(root, "etc/linked")),
	)
	if err != nil {
		t.Fatal(err)
	}
	tar = filepath.Join(dir, "root.tar")
	if out, err := exec.Command("tar", "-C", root, "-cf", tar, ".").CombinedOutput(); err != nil {
		t.Fatalf("tar: %v: %s", err, out)
	}
	return tar
}

// Dockerfile deletes a file, replaces a folder, and adds a file, in layers of
// their own.
const Dockerfile = `FROM %s
RUN ["/bin/busybox", "rm", "/etc/gone"]
RUN ["/bin/busybox", "sh", "-c", "/bin/busybox rm -r /opt/data && /bin/busybox mkdir /opt/data && echo two > /opt/data/above"]
RUN ["/bin/busybox", "sh", "-c", "/bin/busybox printf 'key = %%s%%s\\n' ghp_ 0123456789abcdefghijABCDEFGHIJ012345 > /etc/app.conf"]
LABEL purpose="%s"
CMD ["/bin/sleep", "600"]
`

// Context writes a build context over a base image.
func Context(t testing.TB, base, purpose string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), fmt.Appendf(nil, Dockerfile, base, purpose), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// deleteContainers has runc delete what it knows of an engine's containers, frozen
// ones included. containerd keeps that in one place for all containerds of a host.
func deleteContainers(dir string) {
	states, _ := filepath.Glob("/run/containerd/runc/*/*/state.json")
	for _, name := range states {
		if b, err := os.ReadFile(name); err != nil || !bytes.Contains(b, []byte(dir+"/")) {
			continue
		}
		container := filepath.Dir(name)
		_ = exec.Command("runc", "--root", filepath.Dir(container), "delete", "--force", filepath.Base(container)).Run()
	}
}

// killAll ends what an engine started and left: processes that have its folder in
// their arguments, such as shims, and those whose root file system it holds, which
// are in containers.
func killAll(dir string) {
	self := os.Getpid()
	for range 3 {
		names, _ := filepath.Glob("/proc/[0-9]*/cmdline")
		found := false
		for _, name := range names {
			args, err := os.ReadFile(name)
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(name)))
			if err != nil || pid == self || !bytes.Contains(args, []byte(dir+"/")) && !livesIn(pid, dir) {
				continue
			}
			found = true
			thaw(pid)
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		if !found {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// thaw lets a paused process go on: a frozen one does not even die.
func thaw(pid int) {
	groups, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if err != nil {
		return
	}
	for line := range strings.Lines(string(groups)) {
		switch f := strings.SplitN(strings.TrimSpace(line), ":", 3); {
		case len(f) != 3 || f[2] == "/":
		case f[1] == "freezer":
			_ = os.WriteFile(filepath.Join("/sys/fs/cgroup/freezer", f[2], "freezer.state"), []byte("THAWED"), 0o644)
		case f[1] == "":
			_ = os.WriteFile(filepath.Join("/sys/fs/cgroup", f[2], "cgroup.freeze"), []byte("0"), 0o644)
		}
	}
}

// livesIn tells whether a process has an overlay of a folder below dir as its root.
func livesIn(pid int, dir string) bool {
	mounts, err := os.ReadFile(fmt.Sprintf("/proc/%d/mountinfo", pid))
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(mounts)) {
		if fields := strings.Fields(line); len(fields) > 4 && fields[4] == "/" {
			return strings.Contains(line, "upperdir="+dir+"/")
		}
	}
	return false
}

// unmountAll takes down the mounts of containers.
func unmountAll(dir string) {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return
	}
	lines := strings.Split(string(mounts), "\n")
	for i := len(lines) - 1; i >= 0; i-- {
		if fields := strings.Fields(lines[i]); len(fields) > 4 && strings.HasPrefix(fields[4], dir+"/") {
			_ = syscall.Unmount(fields[4], syscall.MNT_DETACH)
		}
	}
}
