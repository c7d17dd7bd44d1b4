// Bench measures pratique against the time that it takes to inflate an image at
// all: "gzip -dc" over the same layers, on the same cores, in the same run. A
// ratio says more than seconds do, because it holds on any machine.
//
//	make bench                      # all images
//	go run ./bench -images large    # one of them
//	go run ./bench -only malware    # the engine for YARA rules, beside yara itself
//	go run ./bench -only engine     # an image in a Docker engine, beside "docker save"
//	go run ./bench -only host       # an agent on a host with 500 images
//
// The images are made once, of real Debian, npm and Go packages, and kept in
// .cache/bench, which takes about 8 GB and half an hour the first time.
// docs/performance.md has the limits and figures with the machine that they
// were measured on.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

func main() {
	var o options
	flag.StringVar(&o.dir, "dir", ".cache/bench", "where the images are kept")
	flag.StringVar(&o.binary, "pratique", "bin/pratique", "the binary to measure")
	flag.StringVar(&o.feeds, "feeds", "", "feeds to judge with; none by default")
	flag.IntVar(&o.runs, "runs", 3, "runs of each measurement; the median counts")
	flag.BoolVar(&o.buildOnly, "build", false, "make the images and stop")
	flag.BoolVar(&o.engine, "engine", true, "also scan the large image in a Docker engine, which is started for it as root")
	flag.StringVar(&o.packs, "packs", "", "folder of public packs of YARA rules, to be measured beside those that are made")
	images := flag.String("images", "large,huge,text", "which images")
	flag.StringVar(&o.only, "only", "", "malware: only the engine for rules; engine: only the large image in a Docker engine; host: only an agent on a host")
	flag.Parse()
	o.images = strings.Split(*images, ",")

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

type options struct {
	dir, binary, feeds string
	packs, only        string
	images             []string
	runs               int
	buildOnly          bool
	engine             bool
	env                []string // of the binary, beside our own
}

func run(ctx context.Context, o options) error {
	if err := os.MkdirAll(o.dir, 0o755); err != nil {
		return err
	}
	var late bool
	for _, part := range []struct {
		name, what string
		measure    func(context.Context, options) (bool, error)
	}{{"malware", "rules for malware", measureRules}, {"host", "an agent on a host", measureHost}} {
		if o.buildOnly || o.only != "" && o.only != part.name {
			continue
		}
		ok, err := part.measure(ctx, o)
		if err != nil {
			return fmt.Errorf("%s: %w", part.what, err)
		}
		late = late || !ok
	}
	switch o.only {
	case "":
	case "engine":
		o.images = []string{"large"}
	default:
		o.images = nil
	}
	for _, r := range recipes() {
		if !slices.Contains(o.images, r.name) {
			continue
		}
		layout, err := build(ctx, o.dir, r)
		if err != nil {
			return fmt.Errorf("image %s: %w", r.name, err)
		}
		if o.buildOnly {
			continue
		}
		do := measure
		if o.only == "engine" {
			do = measureEngine
		}
		ok, err := do(ctx, o, r, layout)
		if err != nil {
			return fmt.Errorf("image %s: %w", r.name, err)
		}
		late = late || !ok
	}
	if late {
		return errors.New("a limit was missed")
	}
	return nil
}

// measure prints what one image costs, and tells whether every limit was kept.
func measure(ctx context.Context, o options, r recipe, layout string) (bool, error) {
	s, err := readShape(layout)
	if err != nil {
		return false, err
	}
	total, biggest := s.uncompressed()
	fmt.Printf("\n%s: %.2f GB uncompressed in %d layers, the biggest has %.1f %%; %d cores\n",
		r.name, float64(total)/1e9, len(s.Layers), 100*float64(biggest)/float64(total), runtime.GOMAXPROCS(0))

	gzip, err := median(o.runs, func() (cost, error) { return gunzip(ctx, s) })
	if err != nil {
		return false, err
	}
	fmt.Printf("  %-34s %8.2f s\n", "gzip -dc, layers in parallel", gzip.wall.Seconds())

	ok := true
	check := checker(&ok)
	withRules, err := o.importRules(ctx)
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(withRules)
	for _, w := range []struct {
		what   string
		limit  float64 // times gzip
		memory float64 // MiB
		args   []string
	}{
		{"software", 0.9 * r.limit(), 256, []string{"--no-cache", "--no-secrets", "--malware=off"}},
		{"secrets as well", r.limit(), 256, []string{"--no-cache", "--malware=off"}},
		{fmt.Sprintf("all, %d rules", manyRules), 1.3 * r.limit(), 320, []string{"--no-cache", "--feeds", withRules}},
	} {
		first, err := median(o.runs, func() (cost, error) { return o.scan(ctx, layout, w.args...) })
		if err != nil {
			return false, err
		}
		fmt.Printf("  %-34s %8.2f s\n", "scan, "+w.what, first.wall.Seconds())
		check("scan / gzip, "+w.what, first.wall.Seconds()/gzip.wall.Seconds(), w.limit, "x")
		check("peak memory, "+w.what, float64(first.maxRSS)/(1<<20), w.memory, "MiB")
		check("first byte of a layer", 1000*first.firstByte, 50, "ms")
	}

	again, err := o.second(ctx, layout)
	if err != nil {
		return false, err
	}
	check("second scan", again.wall.Seconds(), 0.2, "s")
	if again.bytesRead != 0 {
		ok = false
		fmt.Printf("  the second scan read %d bytes of layers\n", again.bytesRead)
	}

	if r.name != "large" {
		return ok, nil
	}
	saved, err := dockerTar(o.dir, layout)
	if err != nil {
		return false, err
	}
	fromTar, err := median(o.runs, func() (cost, error) { return o.scan(ctx, saved, "--no-cache", "--no-secrets", "--malware=off") })
	if err != nil {
		return false, err
	}
	fmt.Printf("  %-34s %8.2f s\n", "docker save tar, software", fromTar.wall.Seconds())
	check("docker save tar / gzip", fromTar.wall.Seconds()/gzip.wall.Seconds(), 0.35, "x")
	check("peak memory, docker save tar", float64(fromTar.maxRSS)/(1<<20), 256, "MiB")
	if !o.engine {
		return ok, nil
	}
	kept, err := measureEngine(ctx, o, r, layout)
	return ok && kept, err
}

// checker prints values with their limits, and notes in ok when one is missed.
func checker(ok *bool) func(what string, value, limit float64, unit string) {
	return func(what string, value, limit float64, unit string) {
		verdict := "ok"
		if value > limit {
			verdict, *ok = "MISSED", false
		}
		fmt.Printf("  %-34s %8.2f %-3s limit %6.2f  %s\n", what, value, unit, limit, verdict)
	}
}

// measureEngine prints what scanning an image in a Docker engine costs, and tells
// whether every limit was kept.
func measureEngine(ctx context.Context, o options, r recipe, layout string) (bool, error) {
	e, err := o.fromEngine(ctx, layout)
	if err != nil {
		return false, err
	}
	ok := true
	check := checker(&ok)
	fmt.Printf("\n%s in a Docker engine\n", r.name)
	for _, w := range []struct {
		what string
		engineCosts
	}{{"without secrets", e.some}, {"all", e.all}} {
		fmt.Printf("  %-34s %8.2f s\n", "docker save and a scan, "+w.what, w.saved.wall.Seconds())
		fmt.Printf("  %-34s %8.2f s  %.1f s of the processor\n", "scan of overlay2 folders, "+w.what, w.folders.wall.Seconds(), w.folders.processor.Seconds())
		check("folders / docker save, "+w.what, w.folders.wall.Seconds()/w.saved.wall.Seconds(), 0.2, "x")
		check("peak memory, "+w.what, float64(w.folders.maxRSS)/(1<<20), 256, "MiB")
	}
	fmt.Printf("  %-34s %8.2f s\n", "without secrets, digests computed", e.verified.wall.Seconds())
	if !e.same {
		ok = false
		fmt.Println("  the folders and the tar have other findings")
	}
	return ok, nil
}

// limit is the most that a scan may take, as a multiple of the gzip time. With
// the secrets in the same pass the bar is 1.0, and 2.2 for small text files,
// where there is little to inflate and much to search. Malware adds three tenths.
func (r recipe) limit() float64 {
	if r.small {
		return 2.2
	}
	return 1.0
}

// cost is what one run took.
type cost struct {
	wall      time.Duration
	processor time.Duration // user and system time of all its threads
	maxRSS    int64         // bytes
	firstByte float64
	bytesRead int64
}

// median runs something several times and returns the run in the middle by
// wall time, with the highest memory of all.
func median(runs int, do func() (cost, error)) (cost, error) {
	var all []cost
	var peak int64
	for range runs {
		c, err := do()
		if err != nil {
			return cost{}, err
		}
		all = append(all, c)
		peak = max(peak, c.maxRSS)
	}
	slices.SortFunc(all, func(a, b cost) int { return int(a.wall - b.wall) })
	middle := all[len(all)/2]
	middle.maxRSS = peak
	return middle, nil
}

// gunzip inflates all layers, as many at once as there are cores.
func gunzip(ctx context.Context, s shape) (cost, error) {
	start := time.Now()
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	layers := slices.Clone(s.Layers)
	slices.Reverse(layers) // the biggest first, which is the best that gzip can do
	for _, l := range layers {
		g.Go(func() error {
			in, err := os.Open(l.Blob)
			if err != nil {
				return err
			}
			defer in.Close()
			cmd := exec.CommandContext(ctx, "gzip", "-dc")
			cmd.Stdin = in // stdout is the null device
			return cmd.Run()
		})
	}
	err := g.Wait()
	return cost{wall: time.Since(start)}, err
}

// scan runs the binary once. Exit 3 counts as done: a report that is
// incomplete, for want of feeds for example, costs the same.
func (o options) scan(ctx context.Context, target string, args ...string) (cost, error) {
	report, err := os.CreateTemp("", "pratique-bench-*.json")
	if err != nil {
		return cost{}, err
	}
	report.Close()
	defer os.Remove(report.Name())

	args = append([]string{"scan", target, "--quiet", "--format", "json", "-o", report.Name()}, args...)
	if o.feeds != "" && !slices.Contains(args, "--feeds") {
		args = append(args, "--feeds", o.feeds)
	}
	cmd := exec.CommandContext(ctx, o.binary, args...)
	cmd.Env = append(os.Environ(), o.env...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return cost{}, err
	}
	peak := watchMemory(cmd.Process.Pid)
	err = cmd.Wait()
	wall := time.Since(start)
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 3) {
		return cost{}, fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, stderr.String())
	}
	var r struct {
		Timing struct {
			FirstByte float64
			BytesRead int64
		}
	}
	b, err := os.ReadFile(report.Name())
	if err != nil {
		return cost{}, err
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return cost{}, fmt.Errorf("report of %s: %w", target, err)
	}
	used := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return cost{wall: wall, processor: used, maxRSS: peak(), firstByte: r.Timing.FirstByte, bytesRead: r.Timing.BytesRead}, nil
}

// watchMemory follows a process, and returns a function that tells its highest
// resident memory in bytes once it has ended. The rusage of wait4 would not do:
// what a child has before it executes a program is its parent's memory, and
// counts.
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
			time.Sleep(5 * time.Millisecond)
		}
	}()
	return func() int64 { <-ended; return peak }
}

// second scans into an empty cache, and then measures scans that find it full.
func (o options) second(ctx context.Context, layout string) (cost, error) {
	cache, err := os.MkdirTemp(o.dir, "cache-")
	if err != nil {
		return cost{}, err
	}
	defer os.RemoveAll(cache)
	if cache, err = filepath.Abs(cache); err != nil {
		return cost{}, err
	}
	if _, err := o.scan(ctx, layout, "--cache", cache); err != nil {
		return cost{}, err
	}
	return median(o.runs, func() (cost, error) { return o.scan(ctx, layout, "--cache", cache) })
}
