package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/advisory"
	"github.com/pratique/pratique/api"
	"github.com/pratique/pratique/internal/example"
)

// demoPassword is known to all who read this, so the demonstration only listens
// to its own machine.
const demoPassword = "demonstration"

func newDemoCommand() *cobra.Command {
	f := &serveFlags{logLevel: "warn", logFormat: "text", scans: defaultScans(), sessionIdle: 12 * time.Hour, sessionLife: 24 * time.Hour, stopTimeout: 5 * time.Second, demo: true}
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show the service at work on made-up images, offline",
		Long: `Runs the service with a registry in memory that holds a dozen small images, and
with a handful of advisories about them. Nothing is fetched, and nothing is left
when it ends, unless --data names a folder to keep it in.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if host, _, err := net.SplitHostPort(f.listen); err != nil || !loopback(host) {
				return pratique.Errorf(pratique.CodeInvalid, "the demonstration cannot listen on %s: everybody knows its password", f.listen).
					WithRemedy("use a loopback address such as 127.0.0.1:8080; for others, run \"pratique serve\"")
			}
			if f.data == "" {
				if f.data, err = os.MkdirTemp("", "pratique-demo-"); err != nil {
					return noRoom(err)
				}
				defer func() { err = errors.Join(err, os.RemoveAll(f.data)) }()
			}
			d := &demonstration{flags: f}
			return d.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&f.listen, "listen", "127.0.0.1:8080", "HOST:PORT to listen on; a loopback address")
	cmd.Flags().StringVar(&f.data, "data", "", "folder to keep everything in (default: a temporary one, which is removed)")
	return cmd
}

// demonstration is the service with something to show.
type demonstration struct{ flags *serveFlags }

func (d *demonstration) run(ctx context.Context, stdout, stderr io.Writer) error {
	if err := d.feeds(ctx); err != nil {
		return err
	}
	address, stop, err := d.registry(ctx)
	if err != nil {
		return err
	}
	defer stop()
	d.flags.prepared = func(ctx context.Context, s *service) error { return d.show(ctx, s, address) }
	return d.flags.run(ctx, stdout, stderr)
}

// feeds imports the advisories before the service starts, which then adopts them.
func (d *demonstration) feeds(ctx context.Context) error {
	dir := filepath.Join(d.flags.data, "demo-feeds")
	if err := example.WriteEstateFeeds(dir); err != nil {
		return noRoom(err)
	}
	feeds, err := advisory.NewStore(filepath.Join(d.flags.data, "feeds"))
	if err != nil {
		return err
	}
	_, err = feeds.Import(ctx, advisory.ImportOptions{Inputs: []string{dir}, Progress: func(string) {}})
	return err
}

// registry starts one on a port of its own, and fills it.
func (d *demonstration) registry(ctx context.Context) (address string, stop func(), err error) {
	estate, err := example.Estate()
	if err != nil {
		return "", nil, err
	}
	on, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, pratique.Errorf(pratique.CodeInvalid, "the demonstration's registry cannot listen: %w", err).WithRemedy("check the machine's loopback interface")
	}
	server := &http.Server{Handler: example.Registry(), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(on) }() // ends with Close
	address = "http://" + on.Addr().String()
	if err := example.Push(ctx, address, estate); err != nil {
		return "", nil, errors.Join(err, server.Close())
	}
	return address, func() { _ = server.Close() }, nil
}

const demoRegistry = "Demonstration (in memory)"

// show connects the registry, and has it synchronised and scanned.
func (d *demonstration) show(ctx context.Context, s *service, address string) error {
	record := pratique.Registry{Name: demoRegistry, Kind: "oci", Network: "public", Region: "default", Address: address, HourlyLimit: 1000}
	all, err := s.db.Registries(ctx)
	if err != nil {
		return err
	}
	for _, r := range all { // of a folder that was kept; the port is another one now
		if r.Name == demoRegistry {
			record.ID = r.ID
		}
	}
	if record.ID == 0 {
		record, err = s.db.CreateRegistry(ctx, record, "")
	} else {
		record, err = s.db.UpdateRegistry(ctx, record, nil)
	}
	if err != nil {
		return err
	}
	if _, _, err := s.cases.syncer.StartSync(ctx, true, api.AdministratorName, record.ID); err != nil {
		return err
	}
	go func() {
		if err := d.scanAll(ctx, s, record.ID); err != nil && ctx.Err() == nil {
			s.log.Error("the demonstration's images are not scanned", slog.Any("error", err))
		}
	}()
	return nil
}

// scanAll waits for the synchronisation, scans whatever it found, and tells of
// servers that have some of it.
func (d *demonstration) scanAll(ctx context.Context, s *service, registry int64) error {
	for {
		r, err := s.db.Registry(ctx, registry)
		switch {
		case err != nil:
			return err
		case r.Sync.State == "failed":
			return fmt.Errorf("synchronising: %w", r.Sync.Error)
		case r.Sync.State == "success":
			_, err := s.cases.tasks.Start(ctx, pratique.ScanWish{
				Kind: pratique.TaskManual, Creator: api.AdministratorName, Scope: pratique.ScopeAll,
				Categories: []pratique.Category{pratique.CategoryVulnerability, pratique.CategorySecret, pratique.CategoryMalware},
			})
			if err != nil {
				return err
			}
			return d.hosts(ctx, s)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}
