package scan

import (
	"context"
	"errors"
	"time"

	"github.com/pratique/pratique"
)

// A job is the hand of a row: the row of a scan, of a registry or of a bundle
// says what is wanted, and the job makes somebody do it. A job can be lost,
// doubled or late without harm as long as that holds, so its arguments name the
// row and say nothing else.

// Args are what a job is about. Two jobs of the same kind with the same
// arguments are the same job: while one is unfinished, a second joins it.
type Args interface {
	Kind() string
}

// ScanArgs: scan this image content, as its scan's row wants it.
type ScanArgs struct {
	ImageID pratique.Digest `json:"imageID"`
}

// SyncArgs: bring what is known of this registry's inventory up to date.
type SyncArgs struct {
	RegistryID int64 `json:"registryID"`
}

// EvaluateArgs: a bundle of feeds was adopted; judge again what it touches.
type EvaluateArgs struct {
	Bundle pratique.Digest `json:"bundle"`
}

// FeedArgs: fetch the feeds, and make a bundle of what is new.
type FeedArgs struct{}

// WindowArgs: the daily window in which registries are synchronised has opened.
// There is one such job for each opening, even when the server starts several
// times while the window is open.
type WindowArgs struct {
	Opens  time.Time `json:"opens"`
	Closes time.Time `json:"closes"`
}

// ScheduleArgs: something is due about this schedule: an opening, or the end of a
// run.
type ScheduleArgs struct {
	ScheduleID int64 `json:"scheduleID"`
}

// ExportArgs: write the file of this export.
type ExportArgs struct {
	ExportID int64 `json:"exportID"`
}

func (ScanArgs) Kind() string     { return "scan" }
func (SyncArgs) Kind() string     { return "sync" }
func (EvaluateArgs) Kind() string { return "evaluate" }
func (FeedArgs) Kind() string     { return "feed" }
func (WindowArgs) Kind() string   { return "window" }
func (ScheduleArgs) Kind() string { return "schedule" }
func (ExportArgs) Kind() string   { return "export" }

// Lane is how urgent a job is. A job of a lower number always starts first; one
// that runs is never interrupted for it.
type Lane int

const (
	LanePush     Lane = 1 // somebody waits: a push, an admission
	LaneHand     Lane = 2 // a person asked
	LaneSchedule Lane = 3
	LaneReread   Lane = 4 // a new rule set wants layers to be read again
)

// Job is something to do. When the same job waits already, it moves to the more
// urgent of the two lanes, and to the earlier of the two times.
type Job struct {
	Args Args
	Lane Lane      // LaneSchedule if 0
	At   time.Time // not before; zero is at once
}

// Attempt is one worker's go at a job. The worker may be given up at any moment,
// because it was silent, and go on without knowing; so whatever it writes has to
// be fenced. Fence is for rows that have no counter of their own: a write counts
// only if no higher Fence has written to the row. A job that is handed over has a
// higher Fence, always.
type Attempt struct {
	Fence  int64
	Number int    // 1, 2, …: how often the job was begun; a stop of the worker does not count
	Worker string // whose it is: host/process/random
}

// Why the context of a running job ends; see [context.Cause].
var (
	// ErrCancelled: somebody no longer wants it. The row should say so.
	ErrCancelled = errors.New("cancelled")
	// ErrStopping: this process stops. The job goes on elsewhere, or later: the
	// row stays wanted, and what was done so far may be kept.
	ErrStopping = errors.New("the worker is stopping")
	// ErrLost: the job is no longer ours. Nothing may be written.
	ErrLost = errors.New("the job was given to another worker")
)

// Later is what a handler returns when a job can do nothing yet: it begins again
// after that time, and this go at it does not count.
type Later time.Duration

func (l Later) Error() string { return "nothing can be done for " + time.Duration(l).String() }

// Jobs is the queue, for those who want something to be done.
type Jobs interface {
	Enqueue(ctx context.Context, jobs ...Job) error
	// Cancel takes jobs out of the queue, and ends the contexts of those that run.
	Cancel(ctx context.Context, jobs ...Args) (int, error)
}

// closing is how long the end of a job may take to be written after its handler
// has returned.
const closing = time.Second

// want makes jobs of what was written into rows. A job that is just ending may have
// looked at its row already, and is still joined by a new one: hence a second look
// a little later. Whatever is missed, the sweeper finds.
func want(ctx context.Context, jobs Jobs, all ...Job) {
	if len(all) == 0 {
		return
	}
	_ = jobs.Enqueue(ctx, all...)
	time.AfterFunc(closing, func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
		defer cancel()
		_ = jobs.Enqueue(ctx, all...)
	})
}
