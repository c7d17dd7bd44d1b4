// Package layer is the one pass over a layer's bytes.
//
// A layer is a tar archive, plain or compressed with gzip or zstd, that holds
// what one build step changed: files added or replaced, and whiteouts, which
// are empty files named ".wh.NAME" that remove NAME from the layers below
// (".wh..wh..opq" hides everything that lower layers put into its folder; OCI
// image-spec, "Layer filesystem changeset").
//
// Inflating is the most expensive thing that a scanner does, so it is done
// once, and everything else rides along:
//
//	blob ─┬─ SHA-256 (the digest that the manifest promised)
//	      └─ inflate ─┬─ SHA-256 (the diffID that the config promised)
//	                  └─ tar ── each wanted file ── analyzers, on all cores
//
// The stages run on goroutines of their own and hand each other buffers of
// fixed number and size. A layer is often nine tenths of its image, so files
// are analysed while the same layer is still inflating. What nobody wants is
// never copied; what is wanted is held in memory up to a bound and spilled to
// the scratch folder beyond it. Memory therefore does not grow with the image.
//
// A local engine may have no blob but the files of the layer in a folder
// ([Unpacked]). Then the same entries come from there, and only what an analyzer
// wants is read; what such a folder holds is attested by the host, and verified
// only if the tar is put together again and hashed.
//
// An image is written by whoever wants it scanned, an attacker included. The
// pass never writes a file under a name from the archive, follows no link, and
// has a limit on entries, names, ratios and sizes ([Limits]). A limit that is
// hit, a truncated archive or a wrong digest is an error of that layer; the
// image's other layers are still read. Archives inside a layer are opened in
// their turn, with limits on depth, members, bytes and ratio of their own.
package layer
