package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/internal/enginetest"
)

// engineCosts are two ways to scan an image that a Docker engine has.
type engineCosts struct {
	saved   cost // docker save into a file, and a scan of that
	folders cost
}

// engineResult is what such an image costs.
type engineResult struct {
	some     engineCosts // without secrets
	all      engineCosts // all three kinds of risk
	verified cost        // from folders, without secrets, with the layers' digests computed
	same     bool        // the findings
}

// fromEngine loads an image into a Docker engine and scans it there. The engine
// writes out a copy of all layers before it sends the first byte, which is what
// reading its folders saves.
func (o options) fromEngine(ctx context.Context, layout string) (result engineResult, err error) {
	docker, stop, err := enginetest.LaunchDocker()
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, stop()) }()
	out, err := exec.CommandContext(ctx, "skopeo", "--insecure-policy", "copy", "--dest-daemon-host", "unix://"+docker.Socket, "oci:"+layout, "docker-daemon:bench:1").CombinedOutput()
	if err != nil {
		return result, fmt.Errorf("skopeo: %w: %s", err, out)
	}
	o.env = append(o.env, "DOCKER_HOST=unix://"+docker.Socket)
	saved, folders := filepath.Join(docker.Dir, "saved.tar"), "docker:bench:1"

	for _, w := range []struct {
		costs *engineCosts
		args  []string
	}{{&result.some, []string{"--no-cache", "--no-secrets"}}, {&result.all, []string{"--no-cache"}}} {
		w.costs.saved, err = median(o.runs, func() (cost, error) {
			start := time.Now()
			if _, err := docker.Try("save", "-o", saved, "bench:1"); err != nil {
				return cost{}, err
			}
			c, err := o.scan(ctx, saved, w.args...)
			c.wall = time.Since(start)
			return c, err
		})
		if err != nil {
			return result, err
		}
		unix.Sync() // else the kernel still writes the tars while the folders are scanned
		if w.costs.folders, err = median(o.runs, func() (cost, error) { return o.scan(ctx, folders, w.args...) }); err != nil {
			return result, err
		}
	}
	if result.verified, err = median(o.runs, func() (cost, error) { return o.scan(ctx, folders, "--no-cache", "--no-secrets", "--verify") }); err != nil {
		return result, err
	}
	result.same, err = o.sameFindings(ctx, saved, folders)
	return result, err
}

// sameFindings scans two targets and compares what they hold.
func (o options) sameFindings(ctx context.Context, a, b string) (bool, error) {
	var all [2]pratique.Report
	for i, target := range []string{a, b} {
		file, err := os.CreateTemp("", "pratique-bench-*.json")
		if err != nil {
			return false, err
		}
		file.Close()
		defer os.Remove(file.Name())
		if err := o.report(ctx, target, file.Name(), &all[i], "--no-cache"); err != nil {
			return false, err
		}
	}
	return reflect.DeepEqual(all[0].Packages, all[1].Packages) && reflect.DeepEqual(all[0].Secrets, all[1].Secrets) &&
		reflect.DeepEqual(all[0].Malware, all[1].Malware) && reflect.DeepEqual(all[0].Vulnerabilities, all[1].Vulnerabilities), nil
}

func (o options) report(ctx context.Context, target, file string, into *pratique.Report, args ...string) error {
	cmd := exec.CommandContext(ctx, o.binary, append([]string{"scan", target, "--quiet", "--format", "json", "-o", file}, args...)...)
	cmd.Env = append(os.Environ(), o.env...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 3) {
		return fmt.Errorf("scan %s: %w: %s", target, err, out)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, into)
}
