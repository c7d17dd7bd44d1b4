// Package registry says what a container registry is to this product: a place
// with an address and a credential that can be tested, listed and that calls
// us when something is pushed.
//
// # Kinds
//
// All registries serve images over one protocol, the OCI Distribution
// Specification ("/v2", package registry/distribution). They differ in how one
// learns what they hold: the specification's catalogue is optional, shows names
// only, and is often closed to all but administrators. So each kind of registry
// has a [Connector] that lists it in its own way, and declares the form in which
// people describe it. registry/oci speaks nothing but the specification,
// registry/harbor the API of Harbor.
//
// # Words
//
// A repository ("team/sub/app") is a name below the registry's host, without the
// host. Its first part is the namespace, which Harbor calls project. A repository
// holds manifests, found by their digest; tags are movable names for some of
// them. What a manifest describes is an [Artifact]: an image for one platform, an
// index of such images, an accessory of another artifact (a signature, an
// attestation, a bill of materials), or something else altogether (a Helm chart,
// a WebAssembly module). Only images and what indexes list can be scanned.
//
// # What a listing promises
//
// A listing is long: thousands of requests to a server that is in use meanwhile.
// Pages move when somebody pushes, totals change, single repositories fail. So a
// listing comes in [Page] values, and each repository ends with one that says
// whether it is complete. Only then may be concluded that what was not listed is
// gone; and only if List itself ends without an error may that be concluded of
// repositories.
//
// # What a listing costs
//
// Registries count pulls, and some limit them. A pull is a GET of a manifest; HEAD
// and the registries' own APIs are free. Harbor 2 is listed without one. On the
// others, a manifest is read once for each digest that the caller does not know
// yet ([Query.Known]); [Artifact.Reads] counts those requests.
package registry
