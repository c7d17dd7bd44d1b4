// Package queue makes things happen once, on some machine, even when machines
// die: scans, synchronisations of registries, evaluations, updates of feeds. It
// is River (https://riverqueue.com) on the database that the rest of the server
// uses, SQLite or PostgreSQL, with what a scanner needs on top.
//
// # Rows and jobs
//
// The row of a scan is the truth, and its job is its hand: the row says what is
// wanted and how it ended, and the job makes a worker look at it. Hence a job
// names its row and nothing else (see [scan.Args]), a job that runs twice finds
// the second time that nothing is left to do, and a job that is missing is made
// again by the sweeper, which asks a [Wanter] every ten seconds what the rows
// want. That a job and its row appear together is nice to have and cheap:
// [Queue.EnqueueTx] puts the job into the transaction that writes the row.
//
// There is at most one unfinished job for the same arguments. Who enqueues it
// again joins it, and may raise its lane.
//
// # Workers that die
//
// A queue over a database has no connection to its workers, so it cannot see
// one die. River waits until a job has run for longer than any job may, which
// for a scan is hours. Here every worker writes a beat into the table
// queue_workers every 10 s, by the database's clock; any other process looks
// every 2 s for workers that were silent for 30 s and for running jobs whose
// worker is not in the table, and makes these available. When a process is
// killed, its jobs go on elsewhere 30 to 33 s later.
//
// Silence is not death: a worker may have been paused, or cut off. It then holds
// a job that is somebody else's, which is why a job that is taken over becomes a
// new row of River's with a higher number. The late worker completes a row that
// is closed already, which does nothing; what it writes elsewhere has to be
// fenced, by a counter of the row it writes to or by [scan.Attempt].Fence. It
// also notices by itself: a worker whose beats do not arrive for 25 s, or that
// finds itself removed, ends its jobs with [scan.ErrLost].
//
// # River's tables
//
// River has no call for some of what is done here: raising a lane, cancelling
// thousands, taking over. Those statements on river_job stand in queue.go and
// liveness.go, and the tests hold both databases to them.
package queue
