// Package scan holds the use cases: what happens when somebody wants to know
// whether an image is safe.
//
// [Run] is the one that all others lead to. It reads the layers whose facts are
// missing, stacks them into the image's view, judges the view against what is
// known, and says how far its answer reaches. It works the same for the command
// line, for a worker of the service and for an agent on a host; they differ in
// where the image comes from, where facts are kept and who knows about
// advisories, which this package only knows as interfaces of its own.
//
// # The service
//
// A [Syncer] brings what is known of registries' inventories up to date, [Tasks]
// turns wishes of people and schedules into scans of image contents, a [Scanner]
// does them, an [Evaluator] judges again what new knowledge touches, and a [Sweeper]
// finds what rows want and nobody does. They share a way of working:
//
//   - What is wanted is written into a row before a job is made of it. The job
//     carries the row's name and nothing else ([Args]), so it may be lost, doubled
//     or late.
//   - Who works on a row has a lease, or a run, of which there is one at a time;
//     what is written after it has ended is refused. Cancelling ends the row, not
//     the work: the work notices.
//   - Everything ends in its row, be it a failure, with a code, a message and a
//     remedy. A handler returns an error only if not even that could be written.
//   - Each unit of work stands by itself: a layer's facts, a repository's rows, a
//     portion of packages. Whatever dies in between, the next one goes on there.
//
// Each use case names what it needs of the store in an interface of its own, and
// package store fulfils them all.
package scan
