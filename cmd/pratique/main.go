// Command pratique finds out whether container images are fit to ship. It is
// the only place that wires the packages together.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/pratique/pratique"
)

// Exit codes. A gate's own "no" is 1, so that a pipeline can tell it from
// trouble.
const (
	exitDone       = 0
	exitBlocked    = 1 // a gate says no
	exitFailed     = 2 // nothing could be scanned
	exitIncomplete = 3 // the report has holes: damaged content, a limit, or knowledge that a gate needs
)

// exitError ends the program with a code; its message, if any, was printed.
type exitError struct{ code int }

func (e exitError) Error() string { return fmt.Sprintf("exit %d", e.code) }

// memoryLimit makes the garbage collector work harder before it takes more. The
// pass itself stays far below; the rest is what parsers of hostile files take.
const memoryLimit = 160 << 20

// gcPercent lets the collector wait until that limit comes near: collecting a
// small heap often would cost a scan one part in twenty.
const gcPercent = 400

// rulesMemory is what imported rules take: 56 MiB those of three public packs.
// Within the limit they would keep the collector busy for one part in fourteen.
const rulesMemory = 64 << 20

// limitMemory sets the limit, unless the user did.
func limitMemory(limit int64) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(limit)
	}
}

func main() {
	started := time.Now()
	limitMemory(memoryLimit)
	if os.Getenv("GOMEMLIMIT") == "" && os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := newCommand(started).ExecuteContext(ctx)
	interrupted := ctx.Err() != nil
	stop()
	os.Exit(exitCode(err, interrupted, os.Stderr))
}

// exitCode prints what the user needs to know and chooses the exit code.
func exitCode(err error, interrupted bool, stderr io.Writer) int {
	var exit exitError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &exit):
		return exit.code
	case interrupted:
		fmt.Fprintln(stderr, "pratique: stopped; what was finished is kept")
		return 128 + int(syscall.SIGINT)
	}
	fmt.Fprintln(stderr, errorLine(err))
	return exitFailed
}

// errorLine is the one line that tells of an error, with its remedy.
func errorLine(err error) string {
	line := "pratique: " + err.Error()
	var known *pratique.Error
	if errors.As(err, &known) && known.Remedy != "" {
		line += " (" + known.Remedy + ")"
	}
	return printable(strings.ReplaceAll(line, "\n", " "))
}

func newCommand(started time.Time) *cobra.Command {
	root := &cobra.Command{
		Use:           "pratique",
		Short:         "Pratique tells whether a container image is fit to ship",
		Version:       toolVersion(),
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		return pratique.Errorf(pratique.CodeInvalid, "%w", err).WithRemedy("see pratique --help")
	})
	root.AddCommand(newScanCommand(started), newExplainCommand(started), newFeedCommand(), newCacheCommand(),
		newExampleCommand(), newDemoCommand(), newServeCommand(), newWorkerCommand(), newAgentCommand(), newVersionCommand())
	return root
}

// version is set by the build: -ldflags "-X main.version=1.2.3".
var version = ""

func toolVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "devel"
}

func newVersionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "pratique", toolVersion())
			return err
		},
	}
}
