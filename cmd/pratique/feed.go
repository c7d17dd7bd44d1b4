package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/advisory"
	"github.com/pratique/pratique/analyze/malware/rulepack"
)

// feedsVariable names the folder of feeds where --feeds does not.
const feedsVariable = "PRATIQUE_FEEDS"

// openFeeds returns the store of feeds: in dir, else where PRATIQUE_FEEDS says,
// else in the user's cache folder.
func openFeeds(dir string) (*advisory.Store, error) {
	if dir == "" {
		dir = os.Getenv(feedsVariable)
	}
	return advisory.NewStore(dir)
}

// feedFlags are those that all commands below "feed" share.
type feedFlags struct {
	dir   string
	quiet bool
}

func (f *feedFlags) store() (*advisory.Store, error) { return openFeeds(f.dir) }

// progress prints lines on standard error, unless told to be quiet.
func (f *feedFlags) progress(cmd *cobra.Command) func(string) {
	if f.quiet {
		return nil
	}
	var mu sync.Mutex
	return func(line string) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintln(cmd.ErrOrStderr(), line)
	}
}

// liftMemoryLimit undoes main's limit, which is made for scans: compiling a feed
// holds its records, and a collector that fights for every page would take most
// of the time. GOMEMLIMIT, where it is set, stays.
func liftMemoryLimit() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(math.MaxInt64)
	}
}

// newFeedCommand is "pratique feed": what is known about vulnerabilities, where
// it came from, and how to bring it up to date.
func newFeedCommand() *cobra.Command {
	flags := &feedFlags{}
	cmd := &cobra.Command{
		Use:   "feed",
		Short: "Update, import and inspect vulnerability feeds",
		Long: `Vulnerability feeds are compiled into one immutable bundle, which scans read.

"pratique feed update" downloads them; "pratique feed import" takes copies of the
same files where there is no network. A feed that is broken or older than what is
in force changes nothing, and "pratique feed rollback" goes back.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.PersistentFlags().StringVar(&flags.dir, "feeds", "", "folder of the feeds (default $"+feedsVariable+", else the user's cache folder)")
	cmd.PersistentFlags().BoolVarP(&flags.quiet, "quiet", "q", false, "no progress")
	cmd.AddCommand(newFeedUpdateCommand(flags), newFeedImportCommand(flags), newFeedStatusCommand(flags), newFeedRollbackCommand(flags), newFeedRemoveCommand(flags))
	return cmd
}

func newFeedUpdateCommand(flags *feedFlags) *cobra.Command {
	var opt advisory.UpdateOptions
	cmd := &cobra.Command{
		Use:   "update",
		Short: "Download what is new from OSV.dev, NVD, EPSS and CISA KEV",
		Long: `Downloads what is new from OSV.dev, NVD, FIRST (EPSS) and CISA (KEV), and puts it in
force. A source that fails stays as it was; the others are updated, and the exit
code tells. HTTPS_PROXY, HTTP_PROXY and NO_PROXY are honoured.

A mirror holds the publishers' files as
  osv/<Ecosystem>/all.zip              nvd/nvdcve-2.0-<year>.json.gz
  epss/epss_scores-current.csv.gz      kev/known_exploited_vulnerabilities.json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			store, err := flags.store()
			if err != nil {
				return err
			}
			liftMemoryLimit()
			opt.Progress = flags.progress(cmd)
			result, err := store.Update(cmd.Context(), opt)
			if result != nil {
				printResult(cmd.OutOrStdout(), result)
			}
			return err
		},
	}
	cmd.Flags().StringVar(&opt.Mirror, "mirror", "", "address of a mirror of all sources")
	cmd.Flags().StringSliceVar(&opt.Ecosystems, "ecosystem", nil, "only these ecosystems of OSV.dev, e.g. Debian,npm (NVD, EPSS and KEV are updated all the same)")
	cmd.Flags().BoolVar(&opt.AllowOlder, "allow-older", false, "take a source even if it is older, or much smaller, than the one in force")
	return cmd
}

func newFeedImportCommand(flags *feedFlags) *cobra.Command {
	var opt advisory.ImportOptions
	var rules ruleFlags
	cmd := &cobra.Command{
		Use:   "import PATH|URL…",
		Short: "Take feeds from files, folders, zips or a mirror",
		Long: `Takes feeds from files, folders and zips, recognised by themselves: OSV exports
(<Ecosystem>/all.zip), folders of OSV records, NVD's yearly JSON 2.0, EPSS scores,
CISA's KEV catalogue, tables of "cve,type,vector,source", lists of hashes (*.md5,
*.sha1, *.sha256, *.hashes.csv), and bundles that pratique made elsewhere.

Each source replaces the one of the same name; all others stay. It happens as a
whole or not at all.

With --yara, takes packs of YARA rules instead: a folder, a zip or a file, as
signature-base, YARA Forge, ReversingLabs or Elastic publish them. Scans use them
beside the built-in rules; rules that cannot be run are named with the reason.`,
		Example: "  pratique feed import /mnt/mirror\n  pratique feed import osv/Debian/all.zip epss_scores-current.csv.gz\n  pratique feed import --hashes bad-files.txt\n  pratique feed import --yara signature-base-master.zip",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return pratique.Errorf(pratique.CodeInvalid, "nothing to import").
					WithRemedy("name a file, a folder or an http(s) address")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if rules.yara {
				return importRules(cmd, flags, args, rules.name)
			}
			store, err := flags.store()
			if err != nil {
				return err
			}
			liftMemoryLimit()
			opt.Inputs, opt.Progress = args, flags.progress(cmd)
			result, err := store.Import(cmd.Context(), opt)
			if err != nil {
				return err
			}
			printResult(cmd.OutOrStdout(), result)
			return nil
		},
	}
	rules.add(cmd)
	cmd.Flags().BoolVar(&opt.Hashes, "hashes", false, "every file is a list of hashes of malware: lines of HASH and NAME")
	cmd.Flags().BoolVar(&opt.AllowOlder, "allow-older", false, "take a source even if it is older, or much smaller, than the one in force")
	return cmd
}

func newFeedStatusCommand(flags *feedFlags) *cobra.Command {
	format := "table"
	var refused bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show each source's records, age and known holes, and the packs of rules",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if format != "table" && format != "json" {
				return pratique.Errorf(pratique.CodeInvalid, "unknown format %.40q", format).WithRemedy("use --format table or --format json")
			}
			store, err := flags.store()
			if err != nil {
				return err
			}
			packs, err := rulePacks(flags)
			if err != nil {
				return err
			}
			status, err := store.Status()
			if err != nil && (len(packs) == 0 || !errors.Is(err, advisory.ErrNoBundle)) {
				return err
			}
			if format == "json" {
				enc := json.NewEncoder(cmd.OutOrStdout())
				enc.SetIndent("", "  ")
				return enc.Encode(feedStatus{status, packs})
			}
			if status == nil {
				fmt.Fprintln(cmd.OutOrStdout(), err)
			} else if err := printStatus(cmd.OutOrStdout(), status, time.Now()); err != nil {
				return err
			}
			return printPacks(cmd.OutOrStdout(), packs, refused, time.Now())
		},
	}
	cmd.Flags().StringVar(&format, "format", format, "table or json")
	cmd.Flags().BoolVar(&refused, "refused", false, "name the rules that cannot be run, with the reasons")
	return cmd
}

// feedStatus is what "status" prints as JSON.
type feedStatus struct {
	*advisory.Status
	Rules []rulepack.Pack `json:"rules,omitempty"`
}

func newFeedRollbackCommand(flags *feedFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "rollback",
		Short: "Put the bundle before the one in force back in force",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			store, err := flags.store()
			if err != nil {
				return err
			}
			status, err := store.Rollback()
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "In force again: bundle %s, built %s; %d earlier kept.\n",
				status.Digest.Short(), status.Built.Format(time.DateTime), status.Kept)
			return nil
		},
	}
}

// printResult says what an import did.
func printResult(w io.Writer, r *advisory.Result) {
	printIgnored(w, r.Ignored)
	if len(r.Imported) == 0 {
		fmt.Fprintf(w, "Nothing new; bundle %s stays in force.\n", r.Digest.Short())
		return
	}
	fmt.Fprintf(w, "In force: bundle %s, %s, %d sources, %d of them new.\n",
		r.Digest.Short(), megabytes(r.Size), len(r.Feeds), len(r.Imported))
}

// printIgnored names what was not taken: files while they are few, else folders,
// the deepest joined into their parents until the list can be read.
func printIgnored(w io.Writer, ignored []advisory.Ignored) {
	const lines = 12
	if len(ignored) <= lines {
		for _, i := range ignored {
			fmt.Fprintf(w, "Ignored %s: %s.\n", i.Path, i.Reason)
		}
		return
	}
	count := make(map[string]int)
	for _, i := range ignored {
		count[filepath.Dir(i.Path)]++
	}
	for len(count) > lines && joinDeepest(count) {
	}
	for _, folder := range slices.Sorted(maps.Keys(count)) {
		fmt.Fprintf(w, "Ignored below %s: %d files that are not recognised as feeds.\n", folder, count[folder])
	}
}

// joinDeepest adds the counts of the deepest folders to their parents'. It
// returns false when there is nothing left to join.
func joinDeepest(count map[string]int) bool {
	depth := func(folder string) int { return strings.Count(folder, string(filepath.Separator)) }
	deepest := 0
	for folder := range count {
		deepest = max(deepest, depth(folder))
	}
	joined := false
	for _, folder := range slices.Collect(maps.Keys(count)) {
		if parent := filepath.Dir(folder); depth(folder) == deepest && parent != folder {
			n := count[folder]
			delete(count, folder)
			count[parent] += n
			joined = true
		}
	}
	return joined && deepest > 0
}

func printStatus(w io.Writer, s *advisory.Status, now time.Time) error {
	fmt.Fprintf(w, "Bundle   %s\nBuilt    %s (%s ago)\nSize     %s\nEarlier  %d kept\nFile     %s\n\n",
		s.Digest, s.Built.Format(time.DateTime), age(now.Sub(s.Built)), megabytes(s.Size), s.Kept, s.Path)
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "SOURCE\tRECORDS\tNEWEST\tAGE\tFETCHED\tREFUSED")
	for _, f := range s.Feeds {
		newest, old := "unknown", "unknown"
		if !f.Newest.IsZero() {
			newest, old = f.Newest.Format(time.DateOnly), age(now.Sub(f.Newest))
		}
		fmt.Fprintf(t, "%s\t%d\t%s\t%s\t%s ago\t%d\n", f.Source, f.Records, newest, old, age(now.Sub(f.Fetched)), f.Refused)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	return printHoles(w, s.Feeds)
}

// printHoles lists what the sources are known not to tell, each hole once with
// the sources that have it.
func printHoles(w io.Writer, feeds []pratique.FeedStatus) error {
	var order []string
	sources := make(map[string][]string)
	for _, f := range feeds {
		for _, h := range f.Holes {
			if sources[h] == nil {
				order = append(order, h)
			}
			sources[h] = append(sources[h], f.Source)
		}
	}
	if len(order) == 0 {
		return nil
	}
	fmt.Fprintln(w, "\nWhat these sources do not tell:")
	for _, h := range order {
		if _, err := fmt.Fprintf(w, "  %s: %s\n", strings.Join(sources[h], ", "), h); err != nil {
			return err
		}
	}
	return nil
}

// age writes a duration as people say it: "3 h", "12 d".
func age(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "1 min"
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d d", int(d.Hours()/24))
}
