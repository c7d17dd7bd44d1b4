// Estate fills an empty database with what a large organisation has in its
// registries, so that lists can be measured at that size:
//
//	go run ./bench/estate -rows 100000 DIR/pratique.db
//
// A row is a tag; six in ten have content of their own. What images hold is small
// (40 packages, most of them from one of 40 bases), because lists never read it;
// what they are sorted, filtered and counted by is complete, and adds up as
// store.Verify wants it. The same number of rows gives the same database.
//
// It writes into the tables, beside the store's methods: those do what a scan does,
// which for so many images takes an hour.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"github.com/pratique/pratique/store"
)

func main() {
	rows := flag.Int("rows", 100_000, "repository images")
	flag.Parse()
	if err := run(context.Background(), *rows, flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, "estate:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, rows int, dsn string) error {
	s, err := store.Open(ctx, dsn, nil)
	if err != nil {
		return err
	}
	if err := fill(ctx, s.Writer(), rows); err != nil {
		s.Close()
		return err
	}
	return s.Close()
}
