package main

import (
	"cmp"
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/advisory"
	"github.com/pratique/pratique/api"
	"github.com/pratique/pratique/queue"
	"github.com/pratique/pratique/registry"
	"github.com/pratique/pratique/registry/harbor"
	"github.com/pratique/pratique/registry/oci"
	"github.com/pratique/pratique/store"
	"github.com/pratique/pratique/web"
)

// serveFlags are the settings of the service.
type serveFlags struct {
	config      string
	data        string
	listen      string
	database    string
	key         string
	tlsCert     string
	tlsKey      string
	proxies     []string
	egress      []string
	url         string
	logLevel    string
	logFormat   string
	mirror      string
	feedsEvery  time.Duration
	scans       int
	facts       string
	keepFacts   time.Duration
	exports     string
	sessionIdle time.Duration
	sessionLife time.Duration
	stopTimeout time.Duration
	agentListen string
	agentNames  []string
	strictFacts bool

	demo bool // everything is made up, and everybody may know the password
	// prepared may be called when everything runs, before anybody is let in.
	prepared func(context.Context, *service) error
	now      func() time.Time // of schedules; nil is the clock
}

func newServeCommand() *cobra.Command { return serveCommand(&serveFlags{}) }

func serveCommand(f *serveFlags) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the service: API, registries, scans",
		Long: `Runs the service. Everything is kept in the data folder: the database (unless
--database names a PostgreSQL), the key that passwords are encrypted with, feeds.

Each flag can be set by the environment (PRATIQUE_LISTEN for --listen) and by a
file (--config, YAML or TOML, with the flags' names as keys); a flag wins over the
environment, and the environment over the file.

At the first start an administrator is made, whose one-time password is printed
once.`,
		Example: "  pratique serve --data /var/lib/pratique --listen 0.0.0.0:8080\n  PRATIQUE_DATABASE=postgres://pratique@db/pratique pratique serve --config /etc/pratique.yaml",
		Args:    cobra.NoArgs,
		RunE:    configured(&f.config, f.run),
	}
	flags := cmd.Flags()
	flags.StringVar(&f.config, "config", "", "settings file, .yaml or .toml")
	flags.StringVar(&f.data, "data", "", "folder for everything that is kept (required)")
	flags.StringVar(&f.listen, "listen", "127.0.0.1:8080", "HOST:PORT to listen on")
	flags.StringVar(&f.agentListen, "agent-listen", "", "HOST:PORT to listen on for agents, by TLS with certificates of the service's own (default: none)")
	flags.StringSliceVar(&f.agentNames, "agent-name", nil, "names or addresses by which agents reach the service; the first is shown where they are enrolled (default: that of the console)")
	flags.BoolVar(&f.strictFacts, "strict-host-facts", false, "what a host says of a layer serves the images of that host alone")
	flags.StringVar(&f.database, "database", "", "postgres://USER:PASSWORD@HOST:PORT/NAME (default: SQLite in the data folder)")
	flags.StringVar(&f.key, "key", "", "file of the key that passwords are encrypted with (default: key in the data folder)")
	flags.StringVar(&f.tlsCert, "tls-cert", "", "file of the certificate, PEM, with its chain")
	flags.StringVar(&f.tlsKey, "tls-key", "", "file of the certificate's key, PEM")
	flags.StringSliceVar(&f.egress, "egress", nil, "addresses from which this service asks registries, shown for their allow lists; the machine's own by default")
	flags.StringSliceVar(&f.proxies, "trusted-proxy", nil, "address or network of a reverse proxy whose X-Forwarded-For and X-Forwarded-Proto count")
	flags.StringVar(&f.url, "url", "", "address under which people open the console, if a proxy changes it (https://HOST)")
	flags.StringVar(&f.logLevel, "log-level", "info", "debug, info, warn or error")
	flags.StringVar(&f.logFormat, "log-format", "text", "text or json")
	flags.StringVar(&f.mirror, "feed-mirror", "", "address of a mirror of all feeds (default: their publishers)")
	flags.DurationVar(&f.feedsEvery, "feeds-every", 24*time.Hour, "how often feeds are updated until somebody sets it in the settings, in whole hours; 0 is by hand only")
	flags.IntVar(&f.scans, "scans", defaultScans(), "images that this process scans at once; 0 leaves scanning to workers")
	flags.DurationVar(&f.keepFacts, "keep-facts", keepFacts, "facts that no scan has used for so long are removed; 0 keeps them for ever")
	flags.StringVar(&f.facts, "facts", "", "folder of the facts that were read from layers (default: facts in the data folder); workers may share it")
	flags.StringVar(&f.exports, "exports", "", "folder of exported files (default: exports in the data folder); servers on one database share it")
	flags.DurationVar(&f.sessionIdle, "session-idle", time.Hour, "a session ends when it is not used for this long")
	flags.DurationVar(&f.sessionLife, "session-life", 12*time.Hour, "a session ends after this long in any case")
	flags.DurationVar(&f.stopTimeout, "stop-timeout", 20*time.Second, "how long requests and jobs may go on when the service is told to stop")
	return cmd
}

// logger writes to stderr; credentials are hidden whoever logs them.
func (f *serveFlags) logger(w io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(f.logLevel)); err != nil {
		return nil, pratique.Errorf(pratique.CodeInvalid, "--log-level %.20q", f.logLevel).WithRemedy("use debug, info, warn or error")
	}
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: api.Redacted}
	switch f.logFormat {
	case "text":
		return slog.New(slog.NewTextHandler(w, options)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, options)), nil
	}
	return nil, pratique.Errorf(pratique.CodeInvalid, "--log-format %.20q", f.logFormat).WithRemedy("use text or json")
}

// check refuses settings that make no sense, before anything is touched.
func (f *serveFlags) check() error {
	if f.data == "" {
		return pratique.Errorf(pratique.CodeInvalid, "--data is missing").WithRemedy("name a folder for the service's data: --data /var/lib/pratique")
	}
	if (f.tlsCert == "") != (f.tlsKey == "") {
		return pratique.Errorf(pratique.CodeInvalid, "--tls-cert and --tls-key belong together").WithRemedy("give both, or none")
	}
	for name, d := range map[string]time.Duration{"--session-idle": f.sessionIdle, "--session-life": f.sessionLife, "--stop-timeout": f.stopTimeout} {
		if d < time.Second {
			return pratique.Errorf(pratique.CodeInvalid, "%s is %s", name, d).WithRemedy("give a duration such as 30m or 12h")
		}
	}
	if f.scans < 0 || f.scans > maxScans {
		return pratique.Errorf(pratique.CodeInvalid, "--scans is %d", f.scans).WithRemedy("give 0 to %d", maxScans)
	}
	if err := checkUnused(f.keepFacts); err != nil {
		return err
	}
	if f.feedsEvery != 0 && f.feedsEvery < time.Hour {
		return pratique.Errorf(pratique.CodeInvalid, "--feeds-every is %s", f.feedsEvery).WithRemedy("give an hour at least, or 0 for by hand only")
	}
	return nil
}

func (f *serveFlags) trusted() (all []netip.Prefix, err error) {
	for _, text := range f.proxies {
		p, err := netip.ParsePrefix(text)
		if a, single := netip.ParseAddr(text); single == nil {
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil {
			return nil, pratique.Errorf(pratique.CodeInvalid, "--trusted-proxy %.60q is neither an address nor a network", text).WithRemedy("write 10.0.0.7 or 10.0.0.0/24")
		}
		all = append(all, p.Masked())
	}
	return all, nil
}

// origins is what --url allows.
func (f *serveFlags) origins() ([]string, error) {
	if f.url == "" {
		return nil, nil
	}
	u, err := url.Parse(strings.TrimSuffix(f.url, "/"))
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.User != nil {
		return nil, pratique.Errorf(pratique.CodeInvalid, "--url is not the address of a site").WithRemedy("write https://HOST or https://HOST:PORT")
	}
	return []string{u.Scheme + "://" + u.Host}, nil
}

// service is what runs, in the order in which it was made.
type service struct {
	flags  *serveFlags
	log    *slog.Logger
	db     *store.Store
	jobs   *queue.Queue
	events *api.Hub
	feeds  *feedKeeper
	seen   *observer
	cases  useCases
	http   *http.Server
	on     net.Listener
	agents *agentPort // nil: none
}

func (f *serveFlags) run(ctx context.Context, stdout, stderr io.Writer) (err error) {
	if err := f.check(); err != nil {
		return err
	}
	log, err := f.logger(stderr)
	if err != nil {
		return err
	}
	liftMemoryLimit()
	s := &service{flags: f, log: log, events: api.NewHub(), seen: newObserver()}
	defer func() {
		if s.db != nil {
			err = errors.Join(err, s.db.Close())
		}
	}()
	password, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer s.on.Close()
	if s.agents != nil {
		defer s.agents.on.Close()
	}
	ctx, quit := context.WithCancel(ctx)
	defer quit()
	stopScanner, err := s.work(ctx, keyPathOf(f))
	if err != nil {
		return err
	}
	if f.prepared != nil {
		if err := f.prepared(ctx, s); err != nil {
			return err
		}
	}
	s.greet(stdout, password)
	stopAgents := s.serveAgents(ctx)
	err = api.Serve(ctx, s.http, s.events, f.stopTimeout, func() error {
		if f.tlsCert != "" {
			return s.http.ServeTLS(s.on, "", "")
		}
		return s.http.Serve(s.on)
	})
	log.Info("the service stops")
	quit()
	err = errors.Join(err, stopAgents())
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), f.stopTimeout+10*time.Second)
	defer cancel()
	if stopped := s.jobs.Stop(stop); stopped != nil {
		return errors.Join(err, stopped)
	}
	stopScanner()
	return err
}

// keyPathOf is the file of the key that passwords are encrypted with.
func keyPathOf(f *serveFlags) string { return cmp.Or(f.key, filepath.Join(f.data, "key")) }

// open makes everything ready, and returns the one-time password if there is one.
func (s *service) open(ctx context.Context) (password string, err error) {
	f := s.flags
	if err := os.MkdirAll(f.data, 0o700); err != nil {
		return "", noRoom(err)
	}
	keyPath := keyPathOf(f)
	keys, err := store.OpenKeyring(keyPath)
	if err != nil {
		return "", err
	}
	dsn := f.database
	if dsn == "" {
		dsn = filepath.Join(f.data, "pratique.db")
	}
	if s.db, err = store.Open(ctx, dsn, keys); err != nil {
		return "", err
	}
	for _, w := range s.db.Warnings() {
		s.log.Warn(w)
	}
	if s.jobs, err = queue.Open(ctx, s.db.Writer(), s.log); err != nil {
		return "", err
	}
	feeds, err := advisory.NewStore(filepath.Join(f.data, "feeds"))
	if err != nil {
		return "", err
	}
	s.feeds = &feedKeeper{feeds: feeds, db: s.db, jobs: s.jobs, events: s.events, settings: s.settings, inbox: filepath.Join(f.data, "inbox"), mirror: f.mirror, log: s.log}
	s.cases = s.newUseCases(&bundles{db: s.db, dir: feeds.Dir()})
	if err := s.feeds.sweepInbox(); err != nil {
		return "", noRoom(err)
	}
	if err := s.listen(keyPath); err != nil {
		return "", err
	}
	if f.demo {
		return "", api.EnsureAdministratorIs(ctx, s.db, demoPassword)
	}
	return api.EnsureAdministrator(ctx, s.db)
}

// listen makes the handler and takes the port.
func (s *service) listen(keyPath string) error {
	f := s.flags
	proxies, err := f.trusted()
	if err != nil {
		return err
	}
	origins, err := f.origins()
	if err != nil {
		return err
	}
	cursorKey, err := derivedKey(keyPath, "pratique cursors")
	if err != nil {
		return err
	}
	console, err := web.Handler()
	if err != nil {
		return err
	}
	if s.agents, err = s.listenForAgents(keyPath); err != nil {
		return err
	}
	handler, err := api.New(api.Deps{
		Version: toolVersion(), Users: s.db, Sessions: s.db.Sessions(), Preferences: s.db, Audit: s.db, Registries: s.db,
		Images: s.db, Contents: s.db, Findings: s.db, Repositories: s.db, Tasks: s.db, Overviews: s.db, Scans: s.cases.tasks,
		Syncs: s.cases.syncer, Settings: settingsKeeper{s}, Judge: stamped, Egress: f.egress,
		Connectors: connectors(), Feeds: s.feeds, Schedules: s.cases.schedules, Quota: s.db, Exports: s.cases.exports, ExportRows: s.db, Hosts: s.db, DataUpdates: s.db, Agents: s.db, Events: s.events, Log: s.log, Checks: s.checks(), Metrics: append(append(s.seen.collectors(), jobCollector{s.jobs}), s.agents.collectors()...), AgentServer: s.agents.server(f.agentNames),
		Console:        console,
		TrustedProxies: proxies, Origins: origins, CursorKey: cursorKey, SessionIdle: f.sessionIdle, SessionLife: f.sessionLife, Demo: f.demo,
	})
	if err != nil {
		return err
	}
	s.http = &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	if f.tlsCert != "" {
		if s.http.TLSConfig, err = f.tls(); err != nil {
			return err
		}
	}
	if s.on, err = net.Listen("tcp", f.listen); err != nil {
		return pratique.Errorf(pratique.CodeInvalid, "cannot listen on %s: %w", f.listen, err).WithRemedy("choose another --listen, or stop what has the port")
	}
	return nil
}

// connectors are the kinds of registries that the service knows.
func connectors() []registry.Connector {
	return []registry.Connector{harbor.Connector{}, oci.Connector{}}
}

// derivedKey is a key of its own for one purpose, the same on all servers that
// share the key file.
func derivedKey(path, purpose string) ([]byte, error) {
	secret, err := os.ReadFile(path)
	if err != nil {
		return nil, noRoom(err)
	}
	return hkdf.Key(sha256.New, secret, nil, purpose, 32)
}

// tls reads the certificate. Its key must not be readable by everybody.
func (f *serveFlags) tls() (*tls.Config, error) {
	info, err := os.Stat(f.tlsKey)
	if err != nil {
		return nil, pratique.Errorf(pratique.CodeNotFound, "the certificate's key cannot be read: %w", err).WithRemedy("check --tls-key")
	}
	if info.Mode().Perm()&0o007 != 0 {
		return nil, pratique.Errorf(pratique.CodeInvalid, "everybody may read the key file %s", f.tlsKey).WithRemedy("run: chmod o= %s", f.tlsKey)
	}
	pair, err := tls.LoadX509KeyPair(f.tlsCert, f.tlsKey)
	if err != nil {
		return nil, pratique.Errorf(pratique.CodeInvalid, "the certificate cannot be used: %w", err).WithRemedy("check --tls-cert and --tls-key: both are PEM files that belong together")
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, nil
}

func (s *service) checks() []api.Check {
	return []api.Check{
		{Name: "database", Ready: func(ctx context.Context) error {
			if err := s.db.Ping(ctx); err != nil {
				return pratique.Errorf(pratique.CodeUnreachable, "the database does not answer: %w", err).WithRemedy("check that it runs, and the disk")
			}
			return nil
		}},
		{Name: "queue", Ready: func(ctx context.Context) error {
			workers, err := s.jobs.Workers(ctx)
			if err != nil {
				return pratique.Errorf(pratique.CodeUnreachable, "the queue does not answer: %w", err).WithRemedy("check the database")
			}
			if len(workers) == 0 {
				return pratique.Errorf(pratique.CodeUnreachable, "nobody works on the queue").WithRemedy("start a worker, and look into its log")
			}
			return nil
		}},
		{Name: "feeds", Optional: true, Ready: s.feeds.ready},
	}
}

// servicesAtOnce is how many jobs a server does at once beside scans. They mostly
// wait for others.
const servicesAtOnce = 4

// exportsAtOnce is how many files a server writes at once.
const exportsAtOnce = 2

// work starts what happens without being asked over HTTP. stop ends what is left of
// it when the queue has stopped.
func (s *service) work(ctx context.Context, keyPath string) (stop func(), err error) {
	options := queue.Options{
		Handlers: queue.Handlers{Feed: s.feeds.run, Sync: s.cases.syncer.Sync, Window: s.cases.syncer.Window, Evaluate: s.cases.evaluator.Evaluate, Schedule: s.cases.schedules.Run, Export: s.runExport},
		Services: servicesAtOnce, Exports: exportsAtOnce, Scans: s.flags.scans, Wanted: wanters{s.feeds, s.cases.sweeper, s.cases.schedules, exportWanter{s.cases.exports}}, Observer: s.seen, Grace: s.flags.stopTimeout,
		Periodic: []queue.Periodic{s.feeds.daily(), s.window()},
	}
	rules, err := newRuleKeeper(s.db, s.cases.bundles.dir, true, s.log)
	if err != nil {
		return nil, err
	}
	inForce, err := rules.settle(ctx)
	if err != nil {
		return nil, err
	}
	// Also without scanning, this process says which rules are the current ones.
	scanner, end, err := newScanner(s.db, scannerPlaces{
		key: keyPath, facts: cmp.Or(s.flags.facts, filepath.Join(s.flags.data, "facts")), unused: s.flags.keepFacts, scratch: filepath.Join(s.flags.data, "scratch"), bundles: s.cases.bundles,
	}, s.seen, s.log)
	if err != nil {
		return nil, err
	}
	if err := s.db.SetRules(ctx, scanner.Rules()); err != nil {
		return nil, err
	}
	if err := s.joinFleet(ctx, scanner.current()); err != nil {
		return nil, err
	}
	if s.flags.scans > 0 {
		options.Handlers.Scan = scanner.Scan
	}
	if err := s.jobs.Start(ctx, options); err != nil {
		return nil, err
	}
	go rules.follow(ctx, inForce, func(ctx context.Context) error {
		if err := scanner.Reload(ctx); err != nil {
			return err
		}
		return errors.Join(s.db.SetRules(ctx, scanner.Rules()), s.agents.rulesChanged())
	})
	go s.tidy(ctx)
	go s.cases.upkeep.Run(ctx)
	go (&watcher{db: s.db, events: s.events, log: s.log}).run(ctx)
	return func() {
		end()
		s.cases.bundles.Close()
	}, nil
}

// tidy removes sessions and exports that have expired, now and every hour.
func (s *service) tidy(ctx context.Context) {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		if err := s.db.DropExpiredSessions(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("expired sessions cannot be removed", "error", err)
		}
		if err := s.cases.exports.Tidy(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("files of expired exports cannot be removed", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// greet says where to go.
func (s *service) greet(w io.Writer, password string) {
	fmt.Fprintf(w, "Pratique %s is at %s\n", toolVersion(), s.address())
	if s.flags.demo {
		fmt.Fprintf(w, "This is a demonstration: images, advisories and credentials are made up.\nSign in as %q with the password %q. Ctrl-C ends it.\n", api.AdministratorName, demoPassword)
	}
	if password != "" {
		fmt.Fprintf(w, "Sign in as %q with the one-time password %s\nIt is shown only now, and has to be changed at the first sign-in.\n", api.AdministratorName, password)
	}
	if host, _, err := net.SplitHostPort(s.on.Addr().String()); err == nil && s.flags.tlsCert == "" && len(s.flags.proxies) == 0 && !loopback(host) {
		s.log.Warn("passwords travel unencrypted: give --tls-cert and --tls-key, or put a reverse proxy with TLS in front and name it with --trusted-proxy")
	}
}

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

func (s *service) address() string {
	if s.flags.url != "" {
		return s.flags.url
	}
	scheme := "http"
	if s.flags.tlsCert != "" {
		scheme = "https"
	}
	host, port, err := net.SplitHostPort(s.on.Addr().String())
	if a, bad := netip.ParseAddr(host); err == nil && bad == nil && a.IsUnspecified() {
		host = "localhost"
		if name, err := os.Hostname(); err == nil {
			host = name
		}
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}

// jobCollector shows how full the queue is.
type jobCollector struct{ jobs *queue.Queue }

var jobsDescription = prometheus.NewDesc("pratique_jobs", "Jobs in the queue, by kind and state.", []string{"kind", "state"}, nil)

func (jobCollector) Describe(out chan<- *prometheus.Desc) { out <- jobsDescription }

func (c jobCollector) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	counts, err := c.jobs.Counts(ctx)
	if err != nil {
		out <- prometheus.NewInvalidMetric(jobsDescription, err)
		return
	}
	for _, n := range counts {
		out <- prometheus.MustNewConstMetric(jobsDescription, prometheus.GaugeValue, float64(n.Jobs), n.Kind, n.State)
	}
}
