// Package distribution reads container registries over the protocol that all of
// them share: the OCI Distribution Specification
// (https://github.com/opencontainers/distribution-spec), also called "/v2".
//
// # The protocol in one page
//
// A registry keeps two kinds of things for each repository: manifests, small
// JSON documents with a media type, and blobs, opaque bytes. Both are addressed
// by the SHA-256 of their bytes, so whoever reads them can tell by himself
// whether they are genuine. A tag is a movable name for a manifest, and the only
// thing that has to be believed.
//
//	GET /v2/NAME/manifests/TAG       an index, or a manifest
//	GET /v2/NAME/manifests/DIGEST    the manifest of one platform
//	GET /v2/NAME/blobs/DIGEST        its config, then its layers
//
// An index lists one manifest for each platform, and also things that are no
// images: build attestations carry the platform unknown/unknown. [Select] goes
// from a tag to the manifest of one platform.
//
// # Who asks
//
// The first request goes out bare. A registry that wants to know who asks
// answers 401 with a challenge: either Basic, or Bearer with the address (the
// "realm") of a token service, which exchanges the credential, or none, for a
// token that is good for one repository and some minutes. A credential comes from
// the caller or, by default, from Docker's configuration and credential helpers.
//
// # What goes wrong
//
// Registries live behind proxies, object stores and rate limits. Blobs are often
// redirected to another host, which must not see our credential. Connections
// break in the middle of a gigabyte: [Client.Blob] resumes by Range where it
// stopped, and its reader sees one stream. Answers may be HTML, endless, or never
// come: everything has a limit, and every failure is a [pratique.Error] of one line
// with a remedy, in which neither credentials nor signed addresses appear.
package distribution
