package api

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/pratique/pratique"
)

// Scans starts and ends scans.
type Scans interface {
	// Preview tells what a wish would do, and changes nothing.
	Preview(ctx context.Context, wish pratique.ScanWish) (pratique.ScanPreview, error)
	// Start is CodeInvalid when the wish chooses nothing. Images that are being
	// scanned are joined.
	Start(ctx context.Context, wish pratique.ScanWish) (pratique.Task, error)
	// Rescan wants the images of a task again, or those of them that failed.
	Rescan(ctx context.Context, taskID int64, failedOnly bool, by string) (pratique.Task, error)
	// CancelTask ends what a task waits for and nobody else does; without images, all of it.
	CancelTask(ctx context.Context, taskID int64, images ...pratique.Digest) (cancelled int, err error)
	CancelScans(ctx context.Context, ids ...int64) (cancelled int, err error)
	CancelImages(ctx context.Context, filter pratique.AssetFilter) (cancelled int, err error)
}

// TaskStore lists what was asked for and what became of it.
type TaskStore interface {
	Tasks(ctx context.Context, f pratique.TaskFilter, r pratique.PageRequest) (pratique.Page[pratique.Task], error)
	Task(ctx context.Context, id int64) (pratique.Task, error)
	// TaskProgress tells of each task how far it is.
	TaskProgress(ctx context.Context, ids ...int64) (map[int64]pratique.TaskProgress, error)
	Scans(ctx context.Context, f pratique.ScanFilter, r pratique.PageRequest) (pratique.Page[pratique.Scan], error)
	Scan(ctx context.Context, id int64) (pratique.Scan, error)
}

var (
	taskSorts = []string{"created", "total", "failed"}
	scanSorts = []string{"created", "ended", "status"}
)

// TaskRow is a task with how far it is.
type TaskRow struct {
	ID               int64               `json:"id"`
	Kind             pratique.TaskKind   `json:"kind"`
	Creator          string              `json:"creator"`
	Categories       []pratique.Category `json:"categories"`
	TimeoutSeconds   int                 `json:"timeoutSeconds" doc:"For each image; 0 is none"`
	Forced           bool                `json:"forced" doc:"Every layer is read again"`
	Created          time.Time           `json:"created"`
	Ended            *time.Time          `json:"ended,omitempty"`
	State            TaskState           `json:"state"`
	Progress         int                 `json:"progress" doc:"Per cent of the whole task"`
	RemainingSeconds *int                `json:"remainingSeconds,omitempty" doc:"Estimated by the pace until now; missing while that is not known"`
	Total            int                 `json:"total" doc:"Contents: as many scans"`
	Waiting          int                 `json:"waiting" doc:"Of these"`
	Running          int                 `json:"running"`
	Scanned          int                 `json:"scanned"`
	Failed           int                 `json:"failed"`
	Cancelled        int                 `json:"cancelled"`
	AtRisk           int                 `json:"atRisk" doc:"Of those that were scanned"`
	Unlicensed       int                 `json:"unlicensed" doc:"Left out, because the quota does not cover them"`
}

// TaskState is how a task stands, or how it ended.
type TaskState string

const (
	TaskRunning   TaskState = "running"
	TaskSuccess   TaskState = "success"
	TaskPartial   TaskState = "partial"   // some failed or were cancelled
	TaskCancelled TaskState = "cancelled" // all that did not succeed was cancelled, and nothing succeeded
	TaskFailed    TaskState = "failed"    // nothing succeeded
)

func taskState(t pratique.Task) TaskState {
	switch {
	case t.Ended == nil:
		return TaskRunning
	case t.Scanned == t.Total:
		return TaskSuccess
	case t.Scanned > 0:
		return TaskPartial
	case t.Failed == 0:
		return TaskCancelled
	}
	return TaskFailed
}

func taskRow(t pratique.Task, p pratique.TaskProgress, now time.Time) TaskRow {
	row := TaskRow{
		ID: t.ID, Kind: t.Kind, Creator: t.Creator, Categories: t.Categories, TimeoutSeconds: int(t.Timeout / time.Second), Forced: t.Forced,
		Created: t.Created, Ended: t.Ended, State: taskState(t), Total: t.Total, Waiting: p.Waiting, Running: p.Running,
		Scanned: t.Scanned, Failed: t.Failed, Cancelled: t.Cancelled, AtRisk: t.AtRisk, Unlicensed: t.Unlicensed, Progress: 100,
	}
	if t.Ended == nil && t.Total > 0 {
		done := float64(t.Scanned+t.Failed+t.Cancelled)*100 + p.Percent
		row.Progress = min(99, int(done)/t.Total)
		row.RemainingSeconds = remaining(t.Created, now, done/float64(t.Total))
	}
	return row
}

// remaining estimates by the pace until now. Below two per cent, a pace is a guess.
func remaining(began, now time.Time, percent float64) *int {
	took := now.Sub(began).Seconds()
	if percent < 2 || took <= 0 {
		return nil
	}
	left := int(took*(100-percent)/percent + 0.5)
	return &left
}

// ScanRow is a scan with the name of its image.
type ScanRow struct {
	ID               int64                     `json:"id"`
	ImageID          pratique.Digest           `json:"imageID"`
	Image            *pratique.AssetName       `json:"image,omitempty" doc:"A row of the list of images that has this content; missing when it is gone"`
	Status           pratique.Status           `json:"status"`
	Phase            ScanPhase                 `json:"phase"`
	Categories       []pratique.Category       `json:"categories"`
	Priority         int                       `json:"priority" doc:"1 push and admission, 2 by hand, 3 schedule, 4 re-reading"`
	Progress         map[pratique.Category]int `json:"progress" doc:"Per cent of each category"`
	Percent          int                       `json:"percent" doc:"Of the whole scan"`
	RemainingSeconds *int                      `json:"remainingSeconds,omitempty"`
	DurationSeconds  *int                      `json:"durationSeconds,omitempty" doc:"Until now, or until it ended"`
	Created          time.Time                 `json:"created"`
	Started          *time.Time                `json:"started,omitempty"`
	Ended            *time.Time                `json:"ended,omitempty"`
	Error            *pratique.Error           `json:"error,omitempty" doc:"Why it failed, and what to do about it"`
	Worker           string                    `json:"worker,omitempty"`
	Attempt          int                       `json:"attempt"`
}

// ScanPhase parts scans that wait from those that run, which have one status.
type ScanPhase string

const (
	PhaseWaiting ScanPhase = "waiting"
	PhaseRunning ScanPhase = "running"
	PhaseEnded   ScanPhase = "ended"
)

func scanRow(c pratique.Scan, name *pratique.AssetName, now time.Time) ScanRow {
	row := ScanRow{
		ID: c.ID, ImageID: c.ImageID, Image: name, Status: c.Status, Phase: PhaseEnded, Categories: c.Categories, Priority: c.Priority, Progress: c.Progress,
		Created: c.Created, Started: c.Started, Ended: c.Ended, Error: c.Error, Worker: c.Worker, Attempt: c.Attempt,
	}
	sum := 0
	for _, category := range c.Categories {
		sum += c.Progress[category]
	}
	row.Percent = sum / max(1, len(c.Categories))
	switch {
	case c.Ended != nil:
		if c.Status == pratique.StatusScanned {
			row.Percent = 100
		}
	case c.Started == nil:
		row.Phase = PhaseWaiting
	default:
		row.Phase = PhaseRunning
		row.RemainingSeconds = remaining(*c.Started, now, float64(row.Percent))
	}
	if c.Started != nil {
		end := now
		if c.Ended != nil {
			end = *c.Ended
		}
		seconds := max(0, int(end.Sub(*c.Started)/time.Second))
		row.DurationSeconds = &seconds
	}
	return row
}

// ScanRequest asks for scans of repository images: a scope, narrowed by a filter
// whose exclude takes rows out again.
type ScanRequest struct {
	Categories     []pratique.Category  `json:"categories" minItems:"1" maxItems:"4"`
	Scope          pratique.Scope       `json:"scope" doc:"specified: the rows of filter.ids, or the contents of filter.imageIDs"`
	Filter         pratique.AssetFilter `json:"filter,omitzero" doc:"As for the list of images"`
	TimeoutSeconds int                  `json:"timeoutSeconds,omitempty" minimum:"0" maximum:"86400" doc:"For each image; 0 is the default of the settings"`
	Forced         bool                 `json:"forced,omitempty" doc:"Read every layer again, even if nothing changed"`
}

func (r ScanRequest) wish(by string) (pratique.ScanWish, error) {
	if r.Scope == pratique.ScopeSpecified && len(r.Filter.IDs) == 0 && len(r.Filter.ImageIDs) == 0 {
		return pratique.ScanWish{}, fieldProblem("body.filter.ids", pratique.Errorf(pratique.CodeInvalid, "no image is specified").
			WithRemedy("choose images, or another scope"))
	}
	return pratique.ScanWish{
		Kind: pratique.TaskManual, Creator: by, Categories: r.Categories, Scope: r.Scope, Filter: r.Filter,
		Timeout: time.Duration(r.TimeoutSeconds) * time.Second, Forced: r.Forced,
	}, nil
}

// ScanPreview is what a request would do if it were made now.
type ScanPreview struct {
	Rows            int                 `json:"rows" doc:"Of the list of images"`
	Images          int                 `json:"images" doc:"Distinct contents: as many scans"`
	Joining         int                 `json:"joining" doc:"Of these: being scanned or waiting already"`
	Unread          int                 `json:"unread" doc:"Rows whose content is not known yet; their manifests are read first"`
	NewBytes        int                 `json:"newBytes" doc:"Compressed bytes of images that were never scanned"`
	EstimateSeconds *int                `json:"estimateSeconds,omitempty" doc:"Missing when nobody works on scans"`
	Items           []pratique.AssetRow `json:"items" doc:"The first of them, in the order in which they would be scanned"`
}

func scanPreview(p pratique.ScanPreview) ScanPreview {
	out := ScanPreview{Rows: p.Rows, Images: p.Images, Joining: p.Joining, Unread: p.Unread, NewBytes: p.NewBytes, Items: p.Items}
	if p.Estimate != nil {
		seconds := int(*p.Estimate / time.Second)
		out.EstimateSeconds = &seconds
	}
	return out
}

// Cancelled says how many scans were ended.
type Cancelled struct {
	Cancelled int `json:"cancelled"`
}

// CancelRequest names scans in one of four ways.
type CancelRequest struct {
	IDs      []int64               `json:"ids,omitempty" maxItems:"10000" doc:"Scans"`
	ImageIDs []pratique.Digest     `json:"imageIDs,omitempty" maxItems:"10000" doc:"Whatever scans of these contents wait or run"`
	Filter   *pratique.AssetFilter `json:"filter,omitempty" doc:"Of the images that it chooses"`
	All      bool                  `json:"all,omitempty"`
}

func (r CancelRequest) ways() (n int) {
	for _, given := range [...]bool{len(r.IDs) > 0, len(r.ImageIDs) > 0, r.Filter != nil, r.All} {
		if given {
			n++
		}
	}
	return n
}

type tasksInput struct {
	Paging
	Kind        []string  `query:"kind" maxItems:"8" enum:"manual,schedule,webhook,rescan"`
	Creator     string    `query:"creator" maxLength:"128"`
	Running     bool      `query:"running" doc:"Only those that have not ended"`
	ImageID     []string  `query:"imageID" maxItems:"200" pattern:"^sha256:[0-9a-f]{64}$"`
	CreatedFrom time.Time `query:"createdFrom"`
	CreatedTo   time.Time `query:"createdTo"`
}

func (in *tasksInput) filter() (pratique.TaskFilter, error) {
	return pratique.TaskFilter{
		Kinds: as[pratique.TaskKind](in.Kind), Creator: in.Creator, Running: in.Running, ImageIDs: as[pratique.Digest](in.ImageID),
		Created: between(in.CreatedFrom, in.CreatedTo),
	}, nil
}

type scansInput struct {
	Paging
	Task        []int64   `query:"task" maxItems:"200"`
	ImageID     []string  `query:"imageID" maxItems:"200" pattern:"^sha256:[0-9a-f]{64}$"`
	Status      []string  `query:"status" maxItems:"8" enum:"scanning,scanned,cancelled,failed"`
	Phase       string    `query:"phase" enum:"waiting,running,ended"`
	CreatedFrom time.Time `query:"createdFrom"`
	CreatedTo   time.Time `query:"createdTo"`
}

func (in *scansInput) filter() (pratique.ScanFilter, error) {
	return pratique.ScanFilter{
		Tasks: in.Task, ImageIDs: as[pratique.Digest](in.ImageID), Status: as[pratique.Status](in.Status), Phase: in.Phase,
		Created: between(in.CreatedFrom, in.CreatedTo),
	}, nil
}

func (s *server) taskOperations() {
	list[tasksInput](s, listing[pratique.TaskFilter, TaskRow]{
		operation: operation{id: "listTasks", path: "/tasks", tag: "tasks", right: RightRead, summary: "Requests for scans, newest first"},
		sorts:     taskSorts, fetch: s.taskRows,
	})
	handle(s, operation{id: "getTask", method: http.MethodGet, path: "/tasks/{id}", tag: "tasks", right: RightRead,
		summary: "One task, with how far it is", detail: "Its scans are at /scans?task={id}."},
		func(ctx context.Context, in *RowID) (*body[TaskRow], error) {
			t, err := s.Tasks.Task(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			return s.oneTask(ctx, t)
		})
	list[scansInput](s, listing[pratique.ScanFilter, ScanRow]{
		operation: operation{id: "listScans", path: "/scans", tag: "tasks", right: RightRead, summary: "Scans of image contents, newest first"},
		sorts:     scanSorts, fetch: s.scanRows,
	})
	handle(s, operation{id: "getScan", method: http.MethodGet, path: "/scans/{id}", tag: "tasks", right: RightRead, summary: "One scan"},
		func(ctx context.Context, in *RowID) (*body[ScanRow], error) {
			c, err := s.Tasks.Scan(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			page, err := s.namedScans(ctx, pratique.Page[pratique.Scan]{Items: []pratique.Scan{c}})
			if err != nil {
				return nil, err
			}
			return &body[ScanRow]{page.Items[0]}, nil
		})
	s.taskStarting()
	s.taskCancelling()
}

func (s *server) taskRows(ctx context.Context, f pratique.TaskFilter, r pratique.PageRequest) (out pratique.Page[TaskRow], err error) {
	page, err := s.Tasks.Tasks(ctx, f, r)
	if err != nil {
		return out, err
	}
	var open []int64
	for _, t := range page.Items {
		if t.Ended == nil {
			open = append(open, t.ID)
		}
	}
	progress, err := s.Tasks.TaskProgress(ctx, open...)
	if err != nil {
		return out, err
	}
	out = pratique.Page[TaskRow]{Items: make([]TaskRow, len(page.Items)), Next: page.Next, Total: page.Total}
	for i, t := range page.Items {
		out.Items[i] = taskRow(t, progress[t.ID], s.now())
	}
	return out, nil
}

func (s *server) oneTask(ctx context.Context, t pratique.Task) (*body[TaskRow], error) {
	progress, err := s.Tasks.TaskProgress(ctx, t.ID)
	if err != nil {
		return nil, err
	}
	return &body[TaskRow]{taskRow(t, progress[t.ID], s.now())}, nil
}

func (s *server) scanRows(ctx context.Context, f pratique.ScanFilter, r pratique.PageRequest) (out pratique.Page[ScanRow], err error) {
	page, err := s.Tasks.Scans(ctx, f, r)
	if err != nil {
		return out, err
	}
	return s.namedScans(ctx, page)
}

func (s *server) namedScans(ctx context.Context, page pratique.Page[pratique.Scan]) (pratique.Page[ScanRow], error) {
	now := s.now()
	return named(ctx, s.Images, page, func(c *pratique.Scan) pratique.Digest { return c.ImageID },
		func(c pratique.Scan, name *pratique.AssetName) ScanRow { return scanRow(c, name, now) })
}

type createdTask struct {
	Location string `header:"Location"`
	Body     TaskRow
}

func (s *server) created(ctx context.Context, t pratique.Task) (*createdTask, error) {
	row, err := s.oneTask(ctx, t)
	if err != nil {
		return nil, err
	}
	return &createdTask{Location: basePath + "/tasks/" + strconv.FormatInt(t.ID, 10), Body: row.Body}, nil
}

func (s *server) taskStarting() {
	handle(s, operation{id: "previewScan", method: http.MethodPost, path: "/scans/preview", tag: "tasks", right: RightScan,
		summary: "What a request for scans would do", detail: "Nothing is started."},
		func(ctx context.Context, in *struct{ Body ScanRequest }) (*body[ScanPreview], error) {
			wish, err := in.Body.wish(exchangeOf(ctx).user)
			if err != nil {
				return nil, err
			}
			p, err := s.Scans.Preview(ctx, wish)
			return &body[ScanPreview]{scanPreview(p)}, err
		})
	handle(s, operation{id: "startScan", method: http.MethodPost, path: "/tasks", tag: "tasks", right: RightScan, status: http.StatusCreated,
		summary: "Scan images now", detail: "Images that are being scanned are joined. An empty choice is refused."},
		func(ctx context.Context, in *struct{ Body ScanRequest }) (*createdTask, error) {
			wish, err := in.Body.wish(exchangeOf(ctx).user)
			if err != nil {
				return nil, err
			}
			t, err := s.Scans.Start(ctx, wish)
			if err != nil {
				return nil, err
			}
			s.did(ctx, "scan.start", taskName(t.ID), fmt.Sprintf("%s, %d images", wish.Scope, t.Total))
			return s.created(ctx, t)
		})
	handle(s, operation{id: "rescanTask", method: http.MethodPost, path: "/tasks/{id}/rescan", tag: "tasks", right: RightScan, status: http.StatusCreated,
		summary: "Scan the images of a task again"},
		func(ctx context.Context, in *struct {
			RowID
			Body struct {
				FailedOnly bool `json:"failedOnly,omitempty" doc:"Only those whose scan failed"`
			}
		}) (*createdTask, error) {
			t, err := s.Scans.Rescan(ctx, in.ID, in.Body.FailedOnly, exchangeOf(ctx).user)
			if err != nil {
				return nil, err
			}
			s.did(ctx, "scan.start", taskName(t.ID), fmt.Sprintf("again after task %d, %d images", in.ID, t.Total))
			return s.created(ctx, t)
		})
}

func taskName(id int64) string { return "task " + strconv.FormatInt(id, 10) }

func (s *server) taskCancelling() {
	handle(s, operation{id: "cancelTask", method: http.MethodPost, path: "/tasks/{id}/cancel", tag: "tasks", right: RightScan,
		summary: "Cancel a task, or some of its images", detail: "An image keeps what an earlier scan found."},
		func(ctx context.Context, in *struct {
			RowID
			Body struct {
				ImageIDs []pratique.Digest `json:"imageIDs,omitempty" maxItems:"10000" doc:"Left out, all of them"`
			}
		}) (*body[Cancelled], error) {
			if _, err := s.Tasks.Task(ctx, in.ID); err != nil {
				return nil, err
			}
			n, err := s.Scans.CancelTask(ctx, in.ID, in.Body.ImageIDs...)
			if err != nil {
				return nil, err
			}
			s.did(ctx, "scan.cancel", taskName(in.ID), fmt.Sprintf("%d scans", n))
			return &body[Cancelled]{Cancelled{n}}, nil
		})
	handle(s, operation{id: "cancelScans", method: http.MethodPost, path: "/scans/cancel", tag: "tasks", right: RightScan,
		summary: "Cancel scans", detail: "Name them in one way: ids, imageIDs, filter or all. An image keeps what an earlier scan found."},
		func(ctx context.Context, in *struct{ Body CancelRequest }) (*body[Cancelled], error) {
			n, err := s.cancelScans(ctx, in.Body)
			if err != nil {
				return nil, err
			}
			s.did(ctx, "scan.cancel", "", fmt.Sprintf("%d scans", n))
			return &body[Cancelled]{Cancelled{n}}, nil
		})
}

func (s *server) cancelScans(ctx context.Context, r CancelRequest) (int, error) {
	if r.ways() != 1 {
		return 0, fieldProblem("body", pratique.Errorf(pratique.CodeInvalid, "scans are named in %d ways", r.ways()).WithRemedy("give one of ids, imageIDs, filter and all"))
	}
	switch {
	case len(r.IDs) > 0:
		return s.Scans.CancelScans(ctx, r.IDs...)
	case len(r.ImageIDs) > 0:
		return s.Scans.CancelImages(ctx, pratique.AssetFilter{Source: pratique.SourceAll, ImageIDs: r.ImageIDs})
	case r.Filter != nil:
		return s.Scans.CancelImages(ctx, *r.Filter)
	}
	return s.Scans.CancelImages(ctx, pratique.AssetFilter{Source: pratique.SourceAll})
}
