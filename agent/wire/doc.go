// Package wire is what an agent and the service say to each other.
//
// # Who speaks
//
// The agent asks and the service answers; nothing ever connects to an agent. Every
// exchange is a POST of one message to [Prefix] and the message's path, by HTTPS,
// on a port of the service that serves nothing else. Bodies are JSON, compressed
// with gzip when they are large, in either direction. An answer that is no success
// is a [pratique.Error] in JSON, whose code says what to do: see [Status].
//
// # Who is who
//
// The service has a certificate authority of its own. A token, which an
// administrator makes and gives to the agent, holds a secret that is good for a
// stated number of enrolments, and the SHA-256 of the authority's public key, so
// that an agent knows the service before it says anything ([Token]). The agent
// makes a key, which never leaves its machine, and sends a request for a
// certificate with the secret ([Enrol]). From then on only its client certificate
// counts, in TLS 1.3, and the agent is known by the SHA-256 of its public key
// ([KeyID]). Certificates are good for weeks and are renewed under the same key
// ([Renew]). Whether the key is still welcome is looked up at every request, so
// that revoking an agent needs nobody to wait.
//
// # A day in the life
//
//	Hello        once after each start: who am I, and what do I scan with?
//	Beat         every ten seconds: I live, my host is called so, this I cannot do.
//	             The answer names the packs of rules that are in force
//	Piece        a part of a pack of rules, by the pack's digest
//	Engines      which engines there are; what others had is forgotten
//	Inventory    what one engine has, when it changed; its generation grows
//	Work         is there something to do? The answer comes when there is, or
//	             after half a minute
//	Refreshed    a data update was answered
//
// and for a scan, under the lease that came with the work:
//
//	Known        these layers I see: which do you know already?
//	Facts        what one layer holds; never its files
//	Progress     every second or two: so far I am. "cancelled" means: stop
//	Finish       all is told: judge
//	Fail         it could not be read, and why; what was read is judged
//	Release      I stop, somebody else may
//
// An agent of a site also lists its registries, under the number of a run that came
// with the work:
//
//	Repository   which rows are there of a repository?
//	Manifests    what is known of these manifests?
//	Listed       this is what a repository holds
//	Synced       every other second: so far I am; at last: so it ended
//
// Every message about a scan carries the lease's attempt and is refused with the
// code "cancelled" once the lease is over, whatever the order in which messages
// come, or come again. What an agent may say is checked against what the service
// has given it: facts only of layers of the image that it has a lease for, an
// inventory only of its own host.
//
// # Hostile agents
//
// A host that was taken over speaks this protocol as well as its agent did. Each
// message has a limit on its bytes and on what these may unfold to ([Decode]), and
// is validated before anything is done with it. What a host says about content is
// kept as its word, and serves no image that a registry has.
//
// # Versions
//
// [Prefix] has the protocol's version. Within one, messages only gain fields. The
// service refuses fields that it does not know, an agent ignores them: so the
// service is updated first.
package wire
