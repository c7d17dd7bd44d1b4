// Package image puts the facts of an image's layers together into one view:
// what a container started from it would see, and what lies hidden below.
//
// A layer knows nothing of its neighbours. Three things only show when they
// are stacked:
//
//   - Hiding. A file is hidden when an upper layer has an entry of the same
//     name, a whiteout for it or for a folder above it, an opaque folder above
//     it, or something that is not a folder where a folder above it was (OCI
//     image-spec, "Applying changesets"). Hidden packages are gone; hidden
//     secrets and malware stay findings, because the layer can still be pulled.
//   - Origin. Package databases are rewritten whole by every step that installs
//     something, so the layer that holds the visible file is seldom the one that
//     brought a package. A package is traced down through the rewritten files to
//     the lowest layer that has had it ever since.
//   - Joins. The distribution is told by a file of one layer, the packages that
//     belong to it by those of others; a language package whose files belong to
//     an operating system package is that package in another dress.
package image
