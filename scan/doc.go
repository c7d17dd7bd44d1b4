// Package scan holds the use cases: what happens when somebody wants to know
// whether an image is safe.
//
// [Run] is the one that all others lead to. It reads the layers whose facts are
// missing, stacks them into the image's view, judges the view against what is
// known, and says how far its answer reaches. It works the same for the command
// line, for a worker of the service and for an agent on a host; they differ in
// where the image comes from, where facts are kept and who knows about
// advisories, which this package only knows as interfaces of its own.
package scan
