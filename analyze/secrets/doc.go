// Package secrets finds credentials in the files of an image and in its config.
//
// # How secrets are found
//
// A secret is recognised by its form (a token with a prefix of its own, a PEM
// block), by what stands around it (a variable named PASSWORD, a connection
// string), or by the file that it is in (.netrc, a keystore). A [rule] states
// that as a regular expression with the literal words that it needs, called
// keywords, and optionally a path, a least entropy and allow lists. The rules
// are gitleaks' own (https://github.com/gitleaks/gitleaks), read as data from
// its module, and those of folder rules in the same syntax, for what containers
// carry and that set lacks. An existing .gitleaks.toml can be given as it is.
//
// # How it is fast
//
// Running some 300 expressions over every file costs about half a second for
// each megabyte. Instead, one automaton looks for the literal words of all
// expressions at once; a sieve, which walks an expression with a bit set of
// positions, rejects nearly all places where a word occurs; and the expression
// itself runs only on the few bytes around the rest. The result is the same as
// that of gitleaks' detection, which `make accuracy` checks.
//
// The expressions run on package regexp, not on RE2 in WebAssembly (go-re2).
// Measured on the windows of a Debian server's layer (85 MB of text, 3,351
// windows of together 1.2 MB, 29 expressions): package regexp takes 60 ms, a
// tenth of the whole search; RE2 takes 5 ms once its machines are warm, but
// 155 ms in the first run of a process, which is all that a scan of one image
// has, and 6 MB of binary. It also reads bytes that are no UTF-8 differently
// from gitleaks.
//
// # What is kept
//
// Never the value. A finding has the place, a preview of at most six
// characters, and a hash keyed by a key of the installation, by which the same
// secret is recognised in another image.
//
// To add a rule, see docs/add-a-secret-rule.md.
package secrets
