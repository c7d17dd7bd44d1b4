// Package store keeps the service's state in a relational database: SQLite in a
// file, which needs no server and is the default, or PostgreSQL when one machine
// is no longer enough.
//
// # One path, two seams
//
// All statements are written once, in what both engines understand, with "?"
// where an argument goes; the types that differ are named in migrate.go. Two
// things have a body for each engine (engine.go): loading many rows at once, and
// searching for a part of a text.
//
// SQLite has one writer at a time, so there is one writing connection, whose
// transactions take the write lock when they begin, and a pool of reading ones
// beside it, which the write-ahead log lets go on meanwhile. On PostgreSQL
// transactions run side by side, and those that change findings or counters
// take one advisory lock ("the bench", where judging is done): both must see
// what the other did to add up.
//
// # What is kept
//
// Times are microseconds since 1970 in UTC. Severities are numbers, so that they
// sort. Lists are pages by keyset: the cursor holds the sort values of the last
// row, never an offset.
//
// An image's content is one row of images, whatever number of tags point to it.
// What it holds is in image_packages; what that means is in findings, once for
// each package, distribution and vulnerability, however many images hold the
// package. Both have intervals (since, until) and are never deleted, so that
// "which images had this vulnerability on that day" is a join, and a feed's update
// costs what it changes. Counters of images are kept up to date by the difference
// of what a change touches, in the same transaction as the change; [Store.Verify]
// recomputes them from nothing, for those who do not believe it.
//
// Passwords of registries are sealed by a [Keyring] before they get here.
package store
