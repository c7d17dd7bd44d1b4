package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/store/factdir"
)

// unusedFor is the age from which cache prune removes facts.
const unusedFor = 30 * 24 * time.Hour

// cacheFolder returns where facts are kept: the flag, the environment, or the
// user's cache folder.
func cacheFolder(flag string) (string, error) {
	if flag != "" {
		return flag, nil
	}
	if dir := os.Getenv("PRATIQUE_CACHE"); dir != "" {
		return dir, nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", pratique.Errorf(pratique.CodeInvalid, "there is no folder for the cache: %w", err).
			WithRemedy("set HOME, PRATIQUE_CACHE or --cache, or use --no-cache")
	}
	return filepath.Join(dir, "pratique", "facts"), nil
}

func newCacheCommand() *cobra.Command {
	cache := &cobra.Command{Use: "cache", Short: "Look after the facts that are kept between scans"}
	var folder string
	var all bool
	var age time.Duration
	prune := &cobra.Command{
		Use:   "prune",
		Short: "Remove facts that no scan has used for a while",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := cacheFolder(folder)
			if err != nil {
				return err
			}
			store, err := factdir.Open(dir)
			if err != nil {
				return err
			}
			if all {
				age = -time.Hour
			}
			files, bytes, err := store.Prune(age)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "removed %d files, %.1f MB\n", files, float64(bytes)/1e6)
			return err
		},
	}
	prune.Flags().StringVar(&folder, "cache", "", "folder of the facts (default $PRATIQUE_CACHE, or the user's cache folder)")
	prune.Flags().BoolVar(&all, "all", false, "remove everything")
	prune.Flags().DurationVar(&age, "unused-for", unusedFor, "remove what was not used for this long")
	cache.AddCommand(prune)
	return cache
}
