// Package accuracy measures Pratique against independent tools on real data:
// findings against osv-scanner with the same advisories, version order against
// dpkg, rpm, npm and Maven. It has only tests, behind the build tag "accuracy",
// because they want feeds (PRATIQUE_DATA), a network and half an hour:
//
//	make accuracy
//
// What they find, and who is right where tools differ: docs/accuracy.md.
package accuracy
