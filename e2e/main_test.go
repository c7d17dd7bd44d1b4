// Package e2e runs the binary as its users do, on images made of real packages
// and on input made by an attacker, and compares what it says with what dpkg,
// npm and go say themselves.
//
// The tests need mmdebstrap, docker-registry, skopeo, npm and a package source
// of the machine's own; "make test" installs what is missing. They skip nothing:
// a missing tool is a failure that names it.
package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pratique/pratique"
)

// work is a folder for all tests of one run, and binary what they test.
var work, binary string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		var err error
		if work, err = os.MkdirTemp("", "pratique-e2e-"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(work)
		binary = filepath.Join(work, "pratique")
		build := exec.Command("go", "build", "-trimpath", "-o", binary, "../cmd/pratique")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "the binary does not build: %v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

// invocation is one run of the binary. The zero value has a home, a cache and a
// temporary folder of its own, no feed, and a minute.
type invocation struct {
	args    []string
	env     []string
	timeout time.Duration
	home    string // facts of secrets depend on a key that is kept here
	cache   string
	feeds   string
	tmp     string
	started func(*os.Process) // called while it runs
}

type outcome struct {
	stdout, stderr string
	exit           int
	took           time.Duration
	maxRSS         int64 // bytes
}

func pratiqueRun(t *testing.T, in invocation) outcome {
	t.Helper()
	if in.timeout == 0 {
		in.timeout = time.Minute
	}
	for _, dir := range []*string{&in.home, &in.cache, &in.feeds, &in.tmp} {
		if *dir == "" {
			*dir = t.TempDir()
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), in.timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, in.args...)
	cmd.Env = append([]string{
		"HOME=" + in.home, "XDG_CACHE_HOME=" + filepath.Join(in.home, "cache"), "DOCKER_CONFIG=" + filepath.Join(in.home, "docker"),
		"PATH=" + os.Getenv("PATH"), "TMPDIR=" + in.tmp,
		"PRATIQUE_CACHE=" + in.cache, "PRATIQUE_FEEDS=" + in.feeds,
	}, in.env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	start := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if in.started != nil {
		in.started(cmd.Process)
	}
	peak := watchMemory(cmd.Process.Pid)
	err := cmd.Wait()
	out := outcome{stdout: stdout.String(), stderr: stderr.String(), exit: cmd.ProcessState.ExitCode(), took: time.Since(start)}
	out.maxRSS = peak()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if ctx.Err() != nil {
		t.Fatalf("pratique %s: still running after %s\nstderr: %s", strings.Join(in.args, " "), in.timeout, tail(out.stderr))
	}
	if strings.Contains(out.stderr, "goroutine ") || strings.Contains(out.stderr, "panic:") {
		t.Fatalf("pratique %s: panic\n%s", strings.Join(in.args, " "), tail(out.stderr))
	}
	return out
}

// watchMemory follows a process, and returns a function that tells its highest
// resident memory once it has ended. The rusage of wait4 would not do: what a
// child has before it executes a program is its parent's memory, and counts.
func watchMemory(pid int) func() int64 {
	var peak int64
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
			_, after, found := strings.Cut(string(status), "VmHWM:")
			if err != nil || !found { // gone, or a zombie
				return
			}
			var kib int64
			if _, err := fmt.Sscan(after, &kib); err == nil {
				peak = max(peak, kib<<10)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	return func() int64 { <-ended; return peak }
}

func tail(s string) string {
	const most = 4000
	if len(s) > most {
		return "… " + s[len(s)-most:]
	}
	return s
}

// scan runs "pratique scan TARGET" and returns its report.
func scan(t *testing.T, in invocation, target string, args ...string) (pratique.Report, outcome) {
	t.Helper()
	in.args = append([]string{"scan", target, "--quiet", "--format", "json"}, args...)
	out := pratiqueRun(t, in)
	var r pratique.Report
	if out.exit == 2 {
		return r, out
	}
	if err := json.Unmarshal([]byte(out.stdout), &r); err != nil {
		t.Fatalf("scan %s: exit %d, and the report is no JSON: %v\nstdout: %s\nstderr: %s", target, out.exit, err, tail(out.stdout), tail(out.stderr))
	}
	return r, out
}

// mustScan is scan for targets with nothing wrong.
func mustScan(t *testing.T, in invocation, target string, args ...string) pratique.Report {
	t.Helper()
	r, out := scan(t, in, target, args...)
	if out.exit != 0 {
		t.Fatalf("scan %s: exit %d\nstderr: %s\nproblems: %+v", target, out.exit, tail(out.stderr), r.Problems)
	}
	return r
}

// tool runs another program and returns what it printed.
func tool(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := toolErr(name, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func toolErr(name string, args ...string) (string, error) {
	if _, err := exec.LookPath(name); err != nil {
		return "", fmt.Errorf("%s is missing: \"make deps\" installs it", name)
	}
	var stderr bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, tail(stderr.String()))
	}
	return string(out), nil
}
