// Package api is the service's HTTP side: everything that the console, pipelines
// and other programs can ask of it, under /api/v1, described by /openapi.json.
//
// # How a request goes
//
// From the outside in (server.go): an id for the request, the log line and the
// metrics, a net under panics, headers that browsers obey, a check that no other
// site makes the browser ask, limits, compression and validators, and then the
// router. An operation is registered by [handle] alone, which takes the [Right]
// that it needs; there is no other way to get into the router below /api/v1, so
// that no operation can forget it (rights.go).
//
// # What goes wrong
//
// Every answer that is no success is a problem document (RFC 9457) with a stable
// code, and a remedy where there is one (problem.go). A fault of ours is logged
// with the id of its request, and the answer holds that id and nothing else: what
// an internal error says is for those who can read the log.
//
// # Who asks
//
// People sign in with a name and a password, and get a cookie (session.go). The
// cookie is a random number of 256 bits; the database has its SHA-256, so that
// who reads the database cannot be who is signed in.
//
// # What it relies on
//
// The interfaces that handlers need stand beside the handlers, and the store, the
// queue and the connectors are given to [New] by the program.
package api
