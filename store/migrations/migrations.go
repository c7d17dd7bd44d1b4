// Package migrations holds the database's schema, one numbered file for each
// step. A file that was released is never changed: a new step gets a new number.
package migrations

import "embed"

// Files are the steps, by name.
//
//go:embed *.sql
var Files embed.FS
