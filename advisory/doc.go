// Package advisory turns vulnerability feeds into one immutable file, the
// bundle, and answers look-ups in it.
//
// # What a feed says
//
// The Open Source Vulnerability schema (OSV, https://ossf.github.io/osv-schema/)
// is the one format that Linux distributions and language registries share. A
// record has an id (DSA-5417-1, GHSA-xxxx-xxxx-xxxx, RHSA-2024:1234), the date
// of its last change, and a list of affected packages. A package is named
// within an ecosystem. For distributions the ecosystem carries the release,
// because the same source package is fixed in another version in each of them:
// "Debian:12", "Alpine:v3.20", "Ubuntu:24.04:LTS".
//
// Which versions are affected is told by events. "introduced" opens a range
// ("0" is before every version), "fixed" closes it before that version,
// "last_affected" closes it after it, and "limit" ends what the record speaks
// of. A range without a closing event means that no fix exists. Besides ranges
// there may be a list of single versions; a version is affected when either
// says so. Order is that of the ecosystem: Debian's tilde sorts before the end
// of a string, npm follows semantic versioning.
//
// # Ids that belong together
//
// "aliases" are other ids of the same flaw (a GHSA and its CVE). "upstream" are
// the flaws that an advisory of a distribution deals with, often several in one
// record. "related" is anything nearby; older exports of Debian, Red Hat and
// others name their CVEs only there. This package keeps all three as they are;
// what follows from them is for the judge (package match).
//
// A withdrawn record stays in its feed with the date on which it was withdrawn.
// It is kept here as well, with that date, so that its disappearance from a
// report can be explained.
//
// # Why one immutable bundle
//
// Feeds are gigabytes of JSON, and they change daily. Everything is therefore
// compiled, once, into a file that is mapped into memory and never changed:
//
//   - it opens in milliseconds, and only the pages that a look-up touches are
//     read, so a command that runs for a second and a server that runs for
//     a month use the same file;
//   - its digest names what was known, so a report can say by which knowledge it
//     was made, and two reports by the same digest can be compared;
//   - a new bundle is built beside the old one and adopted by the renaming of one
//     small file, so a broken download cannot harm, and going back is as cheap;
//   - each (ecosystem, package) has a digest of its own, so that two bundles tell
//     in milliseconds which packages must be judged again ([Delta]).
//
// # Inside the file
//
// A bundle is a list of segments, one for each source ("osv/Debian",
// "nvd/2024", "epss", "kev", "hashes/NAME"), and a manifest that names them with
// their digests. The bundle's own digest is that of the list of segments, so
// the same feeds give the same digest whoever compiles them. A segment depends
// on its source alone: importing one source copies the segments of all others
// as they are.
//
// A segment of advisories has three parts: a sorted index of (ecosystem, package)
// with digests; for each package its affected ranges; and the records' shared
// parts (texts, references, scores), once however many packages they name.
// Parts that are looked up together lie together, in zstd blocks of 64 KiB. The
// names of packages are brought to one spelling for each ecosystem by
// [Normalize], when a segment is built and again at each look-up.
//
// What a source is known not to tell is kept beside it, in
// [pratique.FeedStatus.Holes]: an empty answer from a feed that lists only fixed
// flaws is not an all-clear.
//
// How to teach this package another feed: docs/add-a-feed.md.
package advisory
