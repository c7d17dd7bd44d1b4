// Package match judges: it holds the packages and files of an image against
// what is known, and says which vulnerabilities and malware that means, with
// the proof of each. It is pure: no file, no network, no clock of its own; the
// same facts and the same knowledge give the same findings in the same order.
//
// # From a package to its advisories
//
// An advisory is filed under an ecosystem and a name. For a language package
// both follow from its type: a gem is looked up in RubyGems. For a package of a
// distribution the ecosystem carries the release ("Debian:12"), and the name is
// the one that the distribution's security team works with: the source package
// at Debian, Ubuntu and Alpine (libssl3 is built from openssl), the binary
// package at Red Hat and its kin, either of them at SUSE and openEuler. See
// [Ecosystem].
//
// # From an advisory to a verdict
//
// A record has ranges of versions, opened by "introduced" and closed by
// "fixed", "last_affected" or "limit", and single versions. What is less than
// what depends on the ecosystem: 1.0~rc1 is older than 1.0 for dpkg and rpm,
// 1.0-1 newer than 1.0 for dpkg and older for npm. [Compare] is that order. A
// version that cannot be ordered is told as a problem; it never counts as "not
// affected".
//
// # From verdicts to findings
//
// Several records can speak of one flaw: a CVE, Debian's advisory about it
// (DSA), GitHub's (GHSA), the Go team's (GO-). And one record can speak of
// several flaws: a DSA or RHSA lists the CVEs that an update mends. A finding is
// one flaw in one package, so records are taken apart by CVE, those of the same
// flaw are folded together along their aliases, and every record that counted
// becomes a [pratique.Proof].
//
// When the records of a distribution disagree, its record of the CVE decides,
// with one exception: if that record knows no fixed version but an advisory of
// the same distribution names one, the fix exists. In language ecosystems any
// record that says "affected" is enough.
//
// # What is not known
//
// The answer comes with its [pratique.CategoryCoverage]. No feed for this
// distribution or language, a release without security support, a feed that
// lists only what is already fixed: each makes it "partial" or "unknown", with
// the reason in words. An empty list alone never means clean.
package match
