// Package export writes lists as files: images with the columns that somebody
// chose, the vulnerabilities of ten thousand images in one workbook, what was
// scanned last month.
//
// # Kinds and formats
//
// A [Kind] is a list: which filter narrows it, how its rows are read, and a table
// of columns with their headers in the console's languages. A new kind is a new
// entry of [Kinds] and nothing else. A format is a writer of rows (csv.go, xlsx.go,
// json.go, html.go) that knows of no kind.
//
// Everything streams: rows are read a page at a time and written as they come, so
// that memory does not grow with the file. Lists of findings are read image by
// image, because one image's findings are a short list with an index, while a
// million of them sorted together are not.
//
// # Cells are written by attackers
//
// The name of a package or of a file is chosen by whoever built an image, and
// spreadsheets take a text that begins with = + - or @ for a formula. In CSV such a
// text gets an apostrophe before it, which is what spreadsheets themselves use to
// say "this is text"; a workbook says of every cell whether it is text, a number or
// a date.
//
// # Jobs
//
// An export is a row of the database, and a job of the queue is its hand. Whoever
// dies in the middle leaves a file that no row names; the next attempt has a
// higher fence and writes a file of its own, and [Keeper.Tidy] removes what
// nobody names. Rows are never cut silently: a list that is longer than what the
// format takes is refused before it begins, with the number.
package export
