// Package pratique holds the nouns of container image security, as its users
// and its documents write them, and nothing else: no I/O, no policy, and no
// import outside the standard library.
//
// # An image, from the outside in
//
// A registry keeps repositories; a repository keeps tags; a tag points to a
// manifest, or to an index that lists one manifest for each platform. A
// manifest names a config and an ordered list of layers (OCI Image Format
// Specification, https://github.com/opencontainers/image-spec). Each layer is
// a tar archive, mostly compressed, of what one build instruction added to,
// changed in or removed from the file system below it.
//
// Three digests are easily confused:
//
//   - [Image.ID] is the digest of the config. It names the content and the
//     platform: two tags with one ID are the same image, scanned once.
//   - [Image.Digest] is the digest of the manifest, which registries address.
//     The same content compressed anew has another manifest, and the same ID.
//   - [Layer.DiffID] is the digest of a layer's uncompressed tar. It does not
//     change with the compression, so it is what facts are kept under, while
//     [Layer.Digest] is what a registry serves.
//
// # Facts and judgements
//
// What is inside a layer never changes, so it is read once: [Facts]. What it
// means changes daily: [Finding], [Secret] and [Malware] in a [Report] are
// judgements, computed again from the same facts whenever an [Advisory], a
// rule or an exception changes.
//
// # Unknown is a value
//
// Nothing in this package lets "we do not know" be mistaken for "there is
// nothing": severities have [SeverityUnknown], every category of a report
// carries a [CategoryCoverage] with its reasons, and what could not be read is a
// [Problem] with a remedy.
package pratique
