package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/advisory"
	"github.com/pratique/pratique/engine/containerd"
	"github.com/pratique/pratique/engine/docker"
	"github.com/pratique/pratique/engine/podman"
	"github.com/pratique/pratique/layer"
	"github.com/pratique/pratique/policy"
	"github.com/pratique/pratique/report"
	"github.com/pratique/pratique/scan"
	"github.com/pratique/pratique/source"
	"github.com/pratique/pratique/store/factdir"
)

// scanFlags are what scan and explain have in common.
type scanFlags struct {
	platform string
	insecure bool
	verify   bool
	caFile   string
	noCache  bool
	cache    string
	feeds    string
	quiet    bool
	analyzerFlags
}

func (f *scanFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.platform, "platform", "", "platform to choose from an index, as os/arch[/variant] (default linux and this machine's architecture)")
	flags.BoolVar(&f.insecure, "insecure", false, "talk to the registry without verifying its certificate, or by plain HTTP")
	flags.BoolVar(&f.verify, "verify", false, "compute the digests of layers that a local engine keeps in folders, which reads every file")
	flags.StringVar(&f.caFile, "ca", "", "file with certificates of authorities to trust besides the system's (PEM)")
	flags.BoolVar(&f.noCache, "no-cache", false, "read every layer again, and keep nothing")
	flags.StringVar(&f.cache, "cache", "", "folder of the facts (default $PRATIQUE_CACHE, or the user's cache folder)")
	flags.StringVar(&f.feeds, "feeds", "", "folder of the vulnerability feeds (default $PRATIQUE_FEEDS, or the user's cache folder)")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "no progress")
	f.analyzerFlags.add(cmd)
}

const targetHelp = `TARGET is recognised by itself; a prefix forces the kind:

  registry:REF          an image in a registry: alpine:3.20, harbor.example/team/app@sha256:…
  docker:NAME           an image of the local Docker engine
  containerd:NAME       an image of containerd; NAMESPACE/NAME for one of k8s.io, moby, …
  podman:NAME           an image of podman, root's or this user's
  docker-archive:FILE   a tar of docker save
  oci:DIR, oci-archive:FILE   an OCI layout, as a folder or a tar
  dir:FOLDER            a root file system
  sbom:FILE             a bill of materials, CycloneDX or SPDX`

const exitHelp = `Exit codes: 0 the report is there; 1 --fail-on says no; 2 nothing could be scanned;
3 the report has holes: content that is damaged or hit a limit, or knowledge that --fail-on needs is missing;
130 stopped by Ctrl-C.`

func newScanCommand(started time.Time) *cobra.Command {
	var flags scanFlags
	var format, output, language string
	var failOn []string
	var all, verbose bool
	cmd := &cobra.Command{
		Use:   "scan TARGET",
		Short: "Scan an image for vulnerabilities, malware, secrets and software",
		Long:  "Scan reads every layer of an image once and tells what is in it and what that means.\n\n" + targetHelp + "\n\n" + exitHelp,
		Args:  oneTarget,
		RunE: func(cmd *cobra.Command, args []string) error {
			gate, err := policy.ParseGate(failOn...)
			if err != nil {
				return err
			}
			if gate.Empty() && cmd.Flags().Changed("fail-on") { // an unset variable must not open a gate
				return pratique.Errorf(pratique.CodeInvalid, "--fail-on names no condition").
					WithRemedy("name one, such as critical+fixable, or leave the flag out")
			}
			if language != "en" && language != "zh" {
				return pratique.Errorf(pratique.CodeInvalid, "reports are not written in %.20q", language).WithRemedy("give --lang en or --lang zh")
			}
			if err := report.Write(io.Discard, format, &pratique.Report{}, report.Options{}); pratique.CodeOf(err) == pratique.CodeInvalid {
				return err // before minutes of work
			}
			r, err := scanTarget(cmd.Context(), args[0], flags, started, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			judge(r, gate)
			if err := writeReport(cmd.OutOrStdout(), output, format, r, report.Options{All: all, Verbose: verbose, Language: language}); err != nil {
				return err
			}
			return conclude(r, gate, cmd.ErrOrStderr())
		},
	}
	flags.add(cmd)
	cmd.Flags().StringVarP(&format, "format", "f", "table", "report format: table, json, html, cyclonedx or spdx")
	cmd.Flags().StringVar(&language, "lang", "en", "language of the HTML report: en or zh")
	cmd.Flags().StringVarP(&output, "output", "o", "", "write the report to a file")
	cmd.Flags().StringSliceVar(&failOn, "fail-on", nil, `exit 1 when the image has such: severities ("critical", "high"), "kev", "epss>=0.1", "malware", "secret", "eol", "incomplete", joined by + as in critical+fixable`)
	cmd.Flags().BoolVar(&all, "all", false, "fold no list of the table")
	cmd.Flags().BoolVarP(&verbose, "verbose", "v", false, "the table also has layers, feeds, and what is not counted")
	return cmd
}

func newExplainCommand(started time.Time) *cobra.Command {
	var flags scanFlags
	cmd := &cobra.Command{
		Use:   "explain TARGET ID",
		Short: "Explain why a scan says what it says about one CVE, advisory, secret or malware",
		Long:  "Explain scans TARGET (from the cache, where its facts are known) and prints everything about one finding: what it is, where it is, why it is believed, and what ends it.\n\n" + targetHelp,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return pratique.Errorf(pratique.CodeInvalid, "explain takes an image and an id").WithRemedy("for example: pratique explain alpine:3.20 CVE-2024-6119")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := scanTarget(cmd.Context(), args[0], flags, started, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			judge(r, policy.Gate{})
			width, color := terminal(cmd.OutOrStdout())
			return report.Explain(cmd.OutOrStdout(), r, args[1], report.ExplainOptions{Width: width, Color: color})
		},
	}
	flags.add(cmd)
	return cmd
}

func oneTarget(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return pratique.Errorf(pratique.CodeInvalid, "scan takes one target, not %d", len(args)).WithRemedy("for example: pratique scan alpine:3.20; see pratique scan --help")
	}
	return nil
}

// judge fills in the verdict: of the gate that was asked for, else of our own.
func judge(r *pratique.Report, gate policy.Gate) {
	asked := gate.String()
	if gate.Empty() {
		gate, asked = policy.Default(), ""
	}
	r.Verdict = gate.Judge(r)
	r.Verdict.Gate = asked
}

// scanTarget does everything between a target's name and its report.
func scanTarget(ctx context.Context, target string, flags scanFlags, started time.Time, stderr io.Writer) (*pratique.Report, error) {
	scratch, remove, err := layer.Scratch()
	if err != nil {
		return nil, err
	}
	defer remove()
	// Libraries that make temporary files make them where we clean up.
	if err := os.Setenv("TMPDIR", scratch); err != nil {
		return nil, fmt.Errorf("scratch folder: %w", err)
	}
	show := newProgress(stderr, isTerminal(stderr), flags.quiet)
	defer show.Done()
	show.Phase("reading manifest")
	opened, err := source.Open(ctx, target, source.Options{
		Platform: flags.platform, Insecure: flags.insecure, CAFile: flags.caFile,
		Engines: engines(), Scratch: scratch, UserAgent: "pratique/" + toolVersion(),
	})
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	request := scan.Request{
		Image: opened.Image, Source: opened, Folder: opened.Folder, Packages: opened.Packages, Problems: opened.Problems,
		Verify: flags.verify, Progress: show, Tool: pratique.Tool{Name: "pratique", Version: toolVersion()}, Started: started, Now: time.Now().UTC(),
	}
	if opened.Distro != nil {
		request.Image.Distro = opened.Distro
	}
	if err := addStore(&request, flags); err != nil {
		return nil, err
	}
	closeBundle, err := addKnowledge(&request, flags)
	if err != nil {
		return nil, err
	}
	defer closeBundle()
	flags.malware.feeds = flags.feeds
	analyzers, credentials, err := flags.analyzers(ctx)
	if err != nil {
		return nil, err
	}
	if flags.malware.imported > 0 {
		limitMemory(memoryLimit + rulesMemory)
	}
	if credentials != nil {
		request.Credentials = credentials
	}
	if request.Malware, err = flags.malware.wanted(); err != nil {
		return nil, err
	}
	request.Pass = layer.NewPass(analyzers, layer.Limits{}, scratch)
	return scan.Run(ctx, request)
}

// engines are the local engines whose images can be named.
func engines() []source.Engine {
	return []source.Engine{docker.New(docker.Options{}), containerd.New(containerd.Options{}), podman.New(podman.Options{})}
}

func addStore(request *scan.Request, flags scanFlags) error {
	if flags.noCache {
		return nil
	}
	folder, err := cacheFolder(flags.cache)
	if err != nil {
		return err
	}
	store, err := factdir.Open(folder)
	if err != nil {
		return err
	}
	request.Store = store
	return nil
}

// addKnowledge opens the bundle in force. Without one, the scan goes on and
// says that vulnerabilities are unknown.
func addKnowledge(request *scan.Request, flags scanFlags) (closeBundle func(), err error) {
	store, err := openFeeds(flags.feeds)
	if err != nil {
		return nil, err
	}
	bundle, err := store.Current()
	if errors.Is(err, advisory.ErrNoBundle) {
		return func() {}, nil
	}
	if err != nil {
		return nil, err
	}
	request.Knowledge = bundle
	request.Bundle = &pratique.Bundle{Digest: bundle.Digest(), Built: bundle.Built(), Feeds: bundle.Feeds()}
	return func() { bundle.Close() }, nil
}

// writeReport writes to output, or to stdout. A file appears under its name
// only when it is whole.
func writeReport(stdout io.Writer, output, format string, r *pratique.Report, options report.Options) error {
	if output == "" || output == "-" {
		options.Width, options.Color = terminal(stdout)
		return report.Write(stdout, format, r, options)
	}
	var b bytes.Buffer
	if err := report.Write(&b, format, r, options); err != nil {
		return err
	}
	if info, err := os.Stat(output); err == nil && !info.Mode().IsRegular() { // a pipe or a device: there is no name to keep
		return os.WriteFile(output, b.Bytes(), 0)
	}
	temporary := filepath.Join(filepath.Dir(output), "."+filepath.Base(output)+".new")
	err := os.WriteFile(temporary, b.Bytes(), 0o644)
	if err == nil {
		err = os.Rename(temporary, output)
	}
	if err != nil {
		os.Remove(temporary)
		return pratique.Errorf(pratique.CodeDisk, "cannot write the report: %w", err).WithRemedy("choose another place with -o")
	}
	return nil
}

// conclude chooses the exit code, and says in one line on stderr why it is not 0.
func conclude(r *pratique.Report, gate policy.Gate, stderr io.Writer) error {
	switch code := gate.Exit(r); {
	case code == policy.ExitBlocked:
		fmt.Fprintln(stderr, "pratique: the gate says no: "+printable(r.Verdict.Reasons[0]))
		return exitError{exitBlocked}
	case code == policy.ExitUnknown:
		fmt.Fprintln(stderr, "pratique: the gate cannot be answered: "+printable(r.Verdict.Reasons[0]))
		return exitError{exitIncomplete}
	}
	for _, p := range r.Problems {
		// A layer that is declared unreadable is told in the report; damage, limits
		// and full disks are nobody's intention.
		if p.Code == pratique.CodeDisk || p.Partial && p.Code != pratique.CodeUnsupported {
			where := ""
			if p.Path != "" {
				where = p.Path + ": "
			}
			fmt.Fprintln(stderr, printable("pratique: the report is incomplete: "+where+p.Message))
			return exitError{exitIncomplete}
		}
	}
	if r.Coverage[pratique.CategorySoftware].State == pratique.CoverageUnsupported && r.Image.Kind == pratique.KindImage {
		fmt.Fprintln(stderr, "pratique: unsupported: "+printable(r.Coverage[pratique.CategorySoftware].Reasons[0]))
		return exitError{exitIncomplete}
	}
	return nil
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// terminal returns how wide w is (0: not a terminal) and whether it wants colours.
func terminal(w io.Writer) (width int, color bool) {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0, report.ColorWanted(false, os.Getenv)
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		width = 0
	}
	return width, report.ColorWanted(true, os.Getenv)
}
