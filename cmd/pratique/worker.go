package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/spf13/cobra"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/queue"
	"github.com/pratique/pratique/store"
)

// workerFlags are the settings of a process that only scans.
type workerFlags struct {
	config      string
	database    string
	key         string
	data        string
	facts       string
	keepFacts   time.Duration
	scans       int
	listen      string
	logLevel    string
	logFormat   string
	stopTimeout time.Duration
}

// maxScans bounds the images that one process scans at once.
const maxScans = 256

func newWorkerCommand() *cobra.Command {
	f := &workerFlags{}
	cmd := &cobra.Command{
		Use:   "worker",
		Short: "Scan for a service, on this machine too",
		Long: `Takes scans from the service's queue and does them, beside the service itself and
any number of other workers. It needs the service's PostgreSQL, the file of its
key, and the registries; nothing connects to it. Feeds and rules come from the
database.

Facts that were read from layers are kept in a folder of this machine, unless
--facts names one that workers share: then no layer is read twice.

Each flag can be set by the environment (PRATIQUE_DATABASE for --database) and by a
file (--config), as for "pratique serve".`,
		Example: "  pratique worker --database postgres://pratique@db/pratique --key /etc/pratique/key\n  pratique worker --config /etc/pratique-worker.yaml --scans 8 --facts /mnt/facts",
		Args:    cobra.NoArgs,
		RunE:    configured(&f.config, f.run),
	}
	flags := cmd.Flags()
	flags.StringVar(&f.config, "config", "", "settings file, .yaml or .toml")
	flags.StringVar(&f.database, "database", "", "postgres://USER:PASSWORD@HOST:PORT/NAME of the service (required)")
	flags.StringVar(&f.key, "key", "", "copy of the service's key file (required)")
	flags.StringVar(&f.data, "data", "", "folder for facts, feeds and scratch files (default: pratique/worker in the user's cache folder)")
	flags.DurationVar(&f.keepFacts, "keep-facts", keepFacts, "facts that no scan has used for so long are removed; 0 keeps them for ever")
	flags.StringVar(&f.facts, "facts", "", "folder of the facts, which workers may share (default: facts in the data folder)")
	flags.IntVar(&f.scans, "scans", defaultScans(), "images that are scanned at once")
	flags.StringVar(&f.listen, "listen", "", "HOST:PORT for /healthz and /metrics (default: none)")
	flags.StringVar(&f.logLevel, "log-level", "info", "debug, info, warn or error")
	flags.StringVar(&f.logFormat, "log-format", "text", "text or json")
	flags.DurationVar(&f.stopTimeout, "stop-timeout", 20*time.Second, "how long scans may go on when the worker is told to stop; others go on with the rest")
	return cmd
}

func (f *workerFlags) check() error {
	switch {
	case f.database == "":
		return pratique.Errorf(pratique.CodeInvalid, "--database is missing").WithRemedy("name the service's PostgreSQL: --database postgres://USER@HOST/NAME")
	case !strings.HasPrefix(f.database, "postgres://") && !strings.HasPrefix(f.database, "postgresql://"):
		return pratique.Errorf(pratique.CodeInvalid, "--database is not a PostgreSQL").WithRemedy("workers share the service's PostgreSQL; on SQLite the service scans by itself: see --scans of pratique serve")
	case f.key == "":
		return pratique.Errorf(pratique.CodeInvalid, "--key is missing").WithRemedy("copy the service's key file here, for this user alone, and name it")
	case f.scans < 1 || f.scans > maxScans:
		return pratique.Errorf(pratique.CodeInvalid, "--scans is %d", f.scans).WithRemedy("give 1 to %d", maxScans)
	case f.stopTimeout < time.Second:
		return pratique.Errorf(pratique.CodeInvalid, "--stop-timeout is %s", f.stopTimeout).WithRemedy("give a duration such as 20s")
	}
	if err := checkUnused(f.keepFacts); err != nil {
		return err
	}
	if _, err := os.Stat(f.key); err != nil { // a new key would open nothing
		return pratique.Errorf(pratique.CodeNotFound, "the key file cannot be read: %w", err).WithRemedy("copy the service's key file here, for this user alone")
	}
	return nil
}

func (f *workerFlags) run(ctx context.Context, stdout, stderr io.Writer) (err error) {
	if err := f.check(); err != nil {
		return err
	}
	log, err := (&serveFlags{logLevel: f.logLevel, logFormat: f.logFormat}).logger(stderr)
	if err != nil {
		return err
	}
	liftMemoryLimit()
	if f.data == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return pratique.Errorf(pratique.CodeDisk, "no folder for the worker's data: %w", err).WithRemedy("name one with --data")
		}
		f.data = filepath.Join(cache, "pratique", "worker")
	}
	keys, err := store.OpenKeyring(f.key)
	if err != nil {
		return err
	}
	db, err := store.Open(ctx, f.database, keys)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	jobs, err := queue.Open(ctx, db.Writer(), log)
	if err != nil {
		return err
	}
	seen := newObserver()
	known := &bundles{db: db, dir: filepath.Join(f.data, "feeds")}
	rules, err := newRuleKeeper(db, known.dir, false, log)
	if err != nil {
		return err
	}
	inForce, err := rules.settle(ctx)
	if err != nil {
		return err
	}
	scanner, end, err := newScanner(db, scannerPlaces{
		key: f.key, facts: cmp.Or(f.facts, filepath.Join(f.data, "facts")), unused: f.keepFacts, scratch: filepath.Join(f.data, "scratch"), bundles: known,
	}, seen, log)
	if err != nil {
		return err
	}
	stopListening, err := f.serveMetrics(seen, jobCollector{jobs})
	if err != nil {
		return err
	}
	defer stopListening()
	if err := jobs.Start(ctx, queue.Options{Handlers: queue.Handlers{Scan: scanner.Scan}, Scans: f.scans, Observer: seen, Grace: f.stopTimeout}); err != nil {
		return err
	}
	go rules.follow(ctx, inForce, scanner.Reload)
	fmt.Fprintf(stdout, "Worker %s scans %d images at once\n", jobs.Worker(), f.scans)
	<-ctx.Done()
	log.Info("the worker stops")
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), f.stopTimeout+10*time.Second)
	defer cancel()
	if err := jobs.Stop(stop); err != nil {
		return err
	}
	end()
	known.Close()
	return nil
}

// serveMetrics answers /healthz and /metrics, if that is wanted.
func (f *workerFlags) serveMetrics(seen *observer, more ...prometheus.Collector) (stop func(), err error) {
	if f.listen == "" {
		return func() {}, nil
	}
	figures := prometheus.NewRegistry()
	for _, c := range append(append(seen.collectors(), collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})), more...) {
		if err := figures.Register(c); err != nil {
			return nil, err
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	mux.Handle("GET /metrics", promhttp.HandlerFor(figures, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second}))
	on, err := net.Listen("tcp", f.listen)
	if err != nil {
		return nil, pratique.Errorf(pratique.CodeInvalid, "cannot listen on %s: %w", strings.TrimSpace(f.listen), err).WithRemedy("choose another --listen, or stop what has the port")
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10}
	go func() { _ = server.Serve(on) }() // it ends with Close
	return func() { _ = server.Close() }, nil
}
