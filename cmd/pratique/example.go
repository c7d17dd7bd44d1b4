package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/internal/example"
)

func newExampleCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "example DIR",
		Short: "Make a small image and feeds to try a scan on, offline",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			paths, err := example.Write(args[0])
			if err != nil {
				return pratique.Errorf(pratique.CodeDisk, "the example cannot be written: %w", err).
					WithRemedy("name a folder that you may write to")
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "image  %s\nfeeds  %s\n", paths.Image, paths.Feeds)
			return err
		},
	}
}
