package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/analyze/malware/rulepack"
)

// ruleFlags are those of "feed import" that concern rules.
type ruleFlags struct {
	yara bool
	name string
}

func (f *ruleFlags) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.yara, "yara", false, "packs of YARA rules: folders, zips, files or addresses of such")
	cmd.Flags().StringVar(&f.name, "name", "", "with --yara: the pack's name (default: what it calls itself)")
}

// importRules takes packs of rules, and says what became of their rules.
func importRules(cmd *cobra.Command, flags *feedFlags, inputs []string, name string) error {
	if name != "" && len(inputs) > 1 {
		return pratique.Errorf(pratique.CodeInvalid, "--name is for one pack, not for %d", len(inputs)).WithRemedy("import them one by one")
	}
	store, err := openRules(flags.dir)
	if err != nil {
		return err
	}
	liftMemoryLimit()
	for _, input := range inputs {
		pack, err := store.Import(cmd.Context(), input, name)
		if err != nil {
			return err
		}
		w := cmd.OutOrStdout()
		fmt.Fprintf(w, "In force: %s %s, %s of %s, licence %s.\n", printable(pack.Name), printable(pack.Version),
			plural(pack.Rules, "rule", "rules"), plural(pack.Files, "file", "files"), printable(cmp.Or(pack.License, "not stated")))
		if n := len(pack.Refused); n > 0 {
			fmt.Fprintf(w, "Refused: %s.\n", plural(n, "rule", "rules"))
			printRefused(w, pack.Refused, 12)
		}
	}
	return nil
}

func newFeedRemoveCommand(flags *feedFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "remove PACK",
		Short: "Forget a pack of YARA rules",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			store, err := openRules(flags.dir)
			if err != nil {
				return err
			}
			if err := store.Remove(args[0]); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "Forgotten: %s.\n", printable(args[0]))
			return nil
		},
	}
}

func rulePacks(flags *feedFlags) ([]rulepack.Pack, error) {
	store, err := openRules(flags.dir)
	if err != nil {
		return nil, err
	}
	return store.Packs()
}

// printPacks lists packs of rules, and their refused rules when asked to.
func printPacks(w io.Writer, packs []rulepack.Pack, refused bool, now time.Time) error {
	if len(packs) == 0 {
		return nil
	}
	fmt.Fprintln(w)
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "RULES OF\tRULES\tREFUSED\tVERSION\tLICENCE\tIMPORTED")
	for _, p := range packs {
		fmt.Fprintf(t, "%s\t%d\t%d\t%s\t%s\t%s ago\n", printable(p.Name), p.Rules, len(p.Refused), printable(p.Version),
			printable(cmp.Or(p.License, "not stated")), age(now.Sub(p.Imported)))
	}
	if err := t.Flush(); err != nil || !refused {
		return err
	}
	for _, p := range packs {
		if len(p.Refused) > 0 {
			fmt.Fprintf(w, "\nRefused of %s:\n", printable(p.Name))
			printRefused(w, p.Refused, len(p.Refused))
		}
	}
	return nil
}

func printRefused(w io.Writer, refused []rulepack.Refusal, most int) {
	for i, r := range refused {
		if i == most {
			fmt.Fprintf(w, "  and %d more: pratique feed status --refused names them all\n", len(refused)-i)
			return
		}
		place := r.File
		if r.Line > 0 {
			place = fmt.Sprintf("%s:%d", r.File, r.Line)
		}
		fmt.Fprintf(w, "  %s\n", printable(strings.TrimSpace(r.Rule+" ("+place+"): "+r.Reason)))
	}
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
