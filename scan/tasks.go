package scan

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/registry"
)

// TaskStore is what tasks need to be kept.
type TaskStore interface {
	RegistryStore
	// Selection are the contents that a filter chooses, in the order in which they
	// should be scanned, and the number of rows whose content is not known.
	Selection(ctx context.Context, f pratique.AssetFilter) (images []pratique.SelectedImage, unread int, err error)
	UnreadAssets(ctx context.Context, f pratique.AssetFilter, limit int) ([]pratique.Asset, error)
	FillContents(ctx context.Context, contents ...pratique.Asset) error
	Assets(ctx context.Context, f pratique.AssetFilter, r pratique.PageRequest) (pratique.Page[pratique.AssetRow], error)
	Registries(ctx context.Context) ([]pratique.RegistryRow, error)
	ScanPace(ctx context.Context) (average time.Duration, scans int, err error)

	CreateTask(ctx context.Context, r pratique.TaskRequest) (task pratique.Task, scans []int64, err error)
	Task(ctx context.Context, id int64) (pratique.Task, error)
	TaskImages(ctx context.Context, id int64, outcomes ...pratique.Status) ([]pratique.Digest, error)
	// CancelTask and CancelScans return the scans that ended by it.
	CancelTask(ctx context.Context, id int64, images ...pratique.Digest) (ended []int64, err error)
	CancelScans(ctx context.Context, ids ...int64) (ended []int64, err error)
	ActiveScans(ctx context.Context, images ...pratique.Digest) ([]int64, error)
	ScanImages(ctx context.Context, ids ...int64) ([]pratique.Digest, error)
	// ForWorkers are those of some contents that the service's own workers scan; the
	// others are left to agents.
	ForWorkers(ctx context.Context, images []pratique.Digest) ([]pratique.Digest, error)
	// OnlineAgents is how many hosts have an agent that could scan now.
	OnlineAgents(ctx context.Context) (int, error)
}

// Tasks turns wishes into tasks, and takes them back. It writes rows and makes
// jobs; the work is a [Scanner]'s.
type Tasks struct {
	Store  TaskStore
	Jobs   Jobs
	Remote Remote
	// Settings are those in force.
	Settings func(context.Context) (Settings, error)
	// Capacity is how many images are scanned at once by all workers; may be nil.
	Capacity func(context.Context) (int, error)
}

// maxUnread is how many manifests are read while somebody waits for a task to
// begin; the next sync reads the rest.
const maxUnread = 500

// previewItems is how many rows a preview shows.
const previewItems = 20

// Preview tells what a wish would do. Nothing is changed, and no registry is asked.
func (t *Tasks) Preview(ctx context.Context, wish pratique.ScanWish) (p pratique.ScanPreview, err error) {
	filter, err := scopeOf(wish)
	if err != nil {
		return p, err
	}
	images, unread, err := t.Store.Selection(ctx, filter)
	if err != nil {
		return p, err
	}
	p = pratique.ScanPreview{Images: len(images), Unread: unread, Rows: unread, Items: []pratique.AssetRow{}}
	for _, v := range images {
		p.Rows += v.Rows
		if v.Active {
			p.Joining++
		}
		if !v.Scanned {
			p.NewBytes += int(v.Size)
		}
	}
	if p.Estimate, err = t.estimate(ctx, filter.Source, images); err != nil {
		return p, err
	}
	p.Items, err = t.first(ctx, filter, images)
	return p, err
}

// scopeOf is the filter that a wish comes to.
func scopeOf(wish pratique.ScanWish) (pratique.AssetFilter, error) {
	f := wish.Filter
	if f.Source == pratique.SourceLocal { // of the others, each row says why not
		scannable := true
		f.Scannable = &scannable
	}
	if f.Gone {
		return f, pratique.Errorf(pratique.CodeInvalid, "images that are gone from where they were cannot be scanned").WithRemedy("choose images that are there")
	}
	switch wish.Scope {
	case pratique.ScopeRecommended:
		f.Recommended = true
	case pratique.ScopeAll:
	case pratique.ScopeSpecified:
		if len(f.IDs) == 0 && len(f.ImageIDs) == 0 {
			return f, pratique.Errorf(pratique.CodeInvalid, "no image is chosen").WithRemedy("choose at least one image, or another scope")
		}
	default:
		return f, pratique.Errorf(pratique.CodeInvalid, "%.20q is not a scope", string(wish.Scope)).WithRemedy("choose recommended, all or specified")
	}
	return f, nil
}

// first are the first images of a selection, one row for each.
func (t *Tasks) first(ctx context.Context, filter pratique.AssetFilter, images []pratique.SelectedImage) ([]pratique.AssetRow, error) {
	order := map[pratique.Digest]int{}
	var some []pratique.Digest
	for i, v := range images[:min(len(images), previewItems)] {
		order[v.ImageID] = i
		some = append(some, v.ImageID)
	}
	if len(some) == 0 {
		return []pratique.AssetRow{}, nil
	}
	filter.ImageIDs = some
	page, err := t.Store.Assets(ctx, filter, pratique.PageRequest{Limit: pratique.MaxPage})
	if err != nil {
		return nil, err
	}
	seen := map[pratique.Digest]bool{}
	rows := slices.DeleteFunc(page.Items, func(r pratique.AssetRow) bool {
		again := seen[r.ImageID]
		seen[r.ImageID] = true
		return again
	})
	slices.SortFunc(rows, func(a, b pratique.AssetRow) int { return cmp.Compare(order[a.ImageID], order[b.ImageID]) })
	return rows, nil
}

// estimate is how long scans of these images would take: as long as past ones, on
// the workers, or the hosts, that there are, and no faster than registries allow.
func (t *Tasks) estimate(ctx context.Context, source pratique.ImageSource, images []pratique.SelectedImage) (*time.Duration, error) {
	average, known, err := t.Store.ScanPace(ctx)
	if err != nil || len(images) == 0 {
		return nil, err
	}
	capacity := 0
	if source == pratique.SourceLocal {
		if capacity, err = t.Store.OnlineAgents(ctx); err != nil {
			return nil, err
		}
	} else if t.Capacity != nil {
		if capacity, err = t.Capacity(ctx); err != nil {
			return nil, err
		}
	}
	var took time.Duration
	if known > 0 && capacity > 0 {
		rounds := (len(images) + capacity - 1) / capacity
		took = time.Duration(rounds) * average
	}
	registries, err := t.Store.Registries(ctx)
	if err != nil {
		return nil, err
	}
	limited := false
	for _, r := range registries {
		if r.HourlyLimit == 0 {
			continue
		}
		pulls := 0
		for _, v := range images {
			if v.RegistryID == r.ID {
				pulls++
			}
		}
		if over := pulls - max(0, r.HourlyLimit-r.PulledHour); over > 0 {
			limited = true
			hours := (over + r.HourlyLimit - 1) / r.HourlyLimit
			took = max(took, time.Duration(hours)*time.Hour)
		}
	}
	if !limited && (known == 0 || capacity == 0) {
		return nil, nil
	}
	took = took.Round(time.Second)
	return &took, nil
}

// Start makes a task of a wish. Rows whose content is not known have their
// manifest read first; those of which it cannot be read are left out. A scope
// without an image is refused.
func (t *Tasks) Start(ctx context.Context, wish pratique.ScanWish) (task pratique.Task, err error) {
	request, empty, err := t.resolve(ctx, wish)
	if err == nil && len(request.ImageIDs) == 0 {
		err = empty
	}
	if err != nil {
		return task, err
	}
	return t.start(ctx, request)
}

// resolve finds the images of a wish. When there are none, empty says why.
func (t *Tasks) resolve(ctx context.Context, wish pratique.ScanWish) (request pratique.TaskRequest, empty, err error) {
	filter, err := scopeOf(wish)
	if err != nil {
		return request, nil, err
	}
	request = pratique.TaskRequest{Kind: cmp.Or(wish.Kind, pratique.TaskManual), Creator: wish.Creator, Forced: wish.Forced, Timeout: wish.Timeout}
	if request.Categories, err = categories(wish.Categories); err != nil {
		return request, nil, err
	}
	if err := checkTimeout(wish.Timeout); err != nil {
		return request, nil, err
	}
	if request.Timeout == 0 {
		settings, err := t.Settings(ctx)
		if err != nil {
			return request, nil, err
		}
		request.Timeout = settings.timeout()
	}
	unreadable, err := t.readUnread(ctx, filter)
	if err != nil {
		return request, nil, err
	}
	images, unread, err := t.Store.Selection(ctx, filter)
	if err != nil {
		return request, nil, err
	}
	for _, v := range images {
		request.ImageIDs = append(request.ImageIDs, v.ImageID)
	}
	if len(images) == 0 {
		if filter.Source == pratique.SourceLocal {
			return request, t.nothingLocal(ctx, filter), nil
		}
		empty = nothing(unread, unreadable)
	}
	return request, empty, nil
}

// checkTimeout refuses what nobody would wait for.
func checkTimeout(d time.Duration) error {
	if d < 0 || d > maxTimeout {
		return pratique.Errorf(pratique.CodeInvalid, "a scan cannot be given %s", d).WithRemedy("give at most 24 hours for each image")
	}
	return nil
}

// nothing says why a task would be empty.
func nothing(unread int, unreadable error) error {
	if unread > 0 && unreadable != nil {
		return pratique.Errorf(pratique.CodeOf(unreadable), "what the chosen images are cannot be read: %w", unreadable).
			WithRemedy("%s", cmp.Or(told(unreadable).Remedy, "test the registry's connection, then try again"))
	}
	return pratique.Errorf(pratique.CodeInvalid, "no image is in this scope").WithRemedy("choose a wider scope or filter, or synchronise a registry first")
}

// nothingLocal does it for images on hosts: of those that cannot be scanned, each
// row says why.
func (t *Tasks) nothingLocal(ctx context.Context, filter pratique.AssetFilter) error {
	filter.Scannable = nil
	page, err := t.Store.Assets(ctx, filter, pratique.PageRequest{Limit: 1})
	if err != nil {
		return err
	}
	if len(page.Items) > 0 && page.Items[0].Reason != "" {
		return pratique.Errorf(pratique.CodeUnsupported, "the chosen images cannot be scanned: %s", page.Items[0].Reason).WithRemedy("choose other images")
	}
	return pratique.Errorf(pratique.CodeInvalid, "no image on a host is in this scope").WithRemedy("choose a wider scope or filter, or enrol an agent first")
}

// categories checks what is looked for. Vulnerabilities are judged by what software
// there is.
func categories(wanted []pratique.Category) ([]pratique.Category, error) {
	if len(wanted) == 0 {
		return nil, pratique.Errorf(pratique.CodeInvalid, "there is nothing to look for").WithRemedy("choose at least one category")
	}
	all := slices.Clone(wanted)
	for _, c := range wanted {
		switch c {
		case pratique.CategoryVulnerability:
			all = append(all, pratique.CategorySoftware)
		case pratique.CategorySecret, pratique.CategoryMalware, pratique.CategorySoftware:
		default:
			return nil, pratique.Errorf(pratique.CodeInvalid, "%.20q is not a category", string(c)).WithRemedy("choose vulnerability, secret, malware or software")
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// start keeps a task, and makes the jobs of its scans.
func (t *Tasks) start(ctx context.Context, request pratique.TaskRequest) (pratique.Task, error) {
	task, _, err := t.Store.CreateTask(ctx, request)
	if err != nil {
		return task, err
	}
	return task, t.enqueue(ctx, request.ImageIDs, laneOf(request))
}

// enqueue makes the jobs of scans. Agents ask for theirs.
func (t *Tasks) enqueue(ctx context.Context, images []pratique.Digest, lane Lane) error {
	images, err := t.Store.ForWorkers(ctx, images)
	if err != nil {
		return err
	}
	jobs := make([]Job, len(images))
	for i, id := range images {
		jobs[i] = Job{Args: ScanArgs{ImageID: id}, Lane: lane}
	}
	want(ctx, t.Jobs, jobs...)
	return nil
}

func laneOf(r pratique.TaskRequest) Lane {
	switch {
	case r.Priority != 0:
		return Lane(r.Priority)
	case r.Kind == pratique.TaskWebhook:
		return LanePush
	case r.Kind == pratique.TaskSchedule:
		return LaneSchedule
	}
	return LaneHand
}

// Rescan makes a task of an earlier one's images, or of those whose scans failed.
func (t *Tasks) Rescan(ctx context.Context, taskID int64, failedOnly bool, by string) (pratique.Task, error) {
	before, err := t.Store.Task(ctx, taskID)
	if err != nil {
		return pratique.Task{}, err
	}
	var outcomes []pratique.Status
	if failedOnly {
		outcomes = []pratique.Status{pratique.StatusFailed}
	}
	images, err := t.Store.TaskImages(ctx, taskID, outcomes...)
	if err != nil {
		return pratique.Task{}, err
	}
	if len(images) == 0 {
		return pratique.Task{}, pratique.Errorf(pratique.CodeInvalid, "no scan of this task has failed").WithRemedy("there is nothing to do again")
	}
	return t.start(ctx, pratique.TaskRequest{Kind: pratique.TaskRescan, Creator: by, Categories: before.Categories, Timeout: before.Timeout, Forced: before.Forced, ImageIDs: images})
}

// CancelTask ends a task, or only some images of it. Scans that another task waits
// for go on; images keep what earlier scans found.
func (t *Tasks) CancelTask(ctx context.Context, taskID int64, images ...pratique.Digest) (cancelled int, err error) {
	return t.cancelled(ctx)(t.Store.CancelTask(ctx, taskID, images...))
}

// CancelScans ends scans, whoever waits for them.
func (t *Tasks) CancelScans(ctx context.Context, ids ...int64) (cancelled int, err error) {
	return t.cancelled(ctx)(t.Store.CancelScans(ctx, ids...))
}

// CancelImages ends the scans of all images that a filter chooses.
func (t *Tasks) CancelImages(ctx context.Context, filter pratique.AssetFilter) (cancelled int, err error) {
	images, _, err := t.Store.Selection(ctx, filter)
	if err != nil {
		return 0, err
	}
	var active []pratique.Digest
	for _, v := range images {
		if v.Active {
			active = append(active, v.ImageID)
		}
	}
	ids, err := t.Store.ActiveScans(ctx, active...)
	if err != nil {
		return 0, err
	}
	return t.CancelScans(ctx, ids...)
}

// cancelled takes the jobs of ended scans out of the queue. Their workers would
// learn of it anyway, with their next beat.
func (t *Tasks) cancelled(ctx context.Context) func(ended []int64, err error) (int, error) {
	return func(ended []int64, err error) (int, error) {
		if err != nil || len(ended) == 0 {
			return 0, err
		}
		images, err := t.Store.ScanImages(ctx, ended...)
		if err != nil {
			return len(ended), err
		}
		jobs := make([]Args, len(images))
		for i, id := range images {
			jobs[i] = ScanArgs{ImageID: id}
		}
		_, err = t.Jobs.Cancel(ctx, jobs...)
		return len(ended), err
	}
}

// readUnread reads the manifests of chosen rows whose content is not known, as
// many as somebody may be made to wait for. why is the first failure: rows stay
// unread, and the others can be scanned.
func (t *Tasks) readUnread(ctx context.Context, filter pratique.AssetFilter) (why, err error) {
	unread, err := t.Store.UnreadAssets(ctx, filter, maxUnread)
	if err != nil || len(unread) == 0 {
		return nil, err
	}
	connections := map[int64]registry.Connection{}
	type place struct {
		registry   int64
		repository string
	}
	wanted := map[place][]pratique.Digest{}
	for _, a := range unread {
		if _, ok := connections[a.RegistryID]; !ok {
			_, conn, err := connect(ctx, t.Store, a.RegistryID)
			if err != nil {
				why = cmp.Or(why, err)
				continue
			}
			connections[a.RegistryID] = conn
		}
		at := place{a.RegistryID, a.Repository}
		wanted[at] = append(wanted[at], a.Digest)
	}
	for at, digests := range wanted {
		told, err := inspect(ctx, t.Remote, connections[at.registry], at.repository, digests)
		if err != nil && why == nil {
			why = err
		}
		var contents []pratique.Asset
		for digest, a := range told {
			if a.Kind == registry.KindImage {
				contents = append(contents, contentOf(digest, a))
			}
		}
		if err := t.Store.FillContents(ctx, contents...); err != nil {
			return why, err
		}
	}
	return why, nil
}

// contentOf is what a manifest tells of the rows that it stands behind.
func contentOf(digest pratique.Digest, a registry.Artifact) pratique.Asset {
	asset := pratique.Asset{Digest: digest, ImageID: a.Config, Size: a.Size, Created: a.Created}
	if a.Platform != nil {
		asset.Platform = *a.Platform
	}
	return asset
}
