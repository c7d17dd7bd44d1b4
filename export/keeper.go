package export

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pratique/pratique"
)

const (
	// Lifetime of a file, unless the installation says otherwise.
	Lifetime = 7 * 24 * time.Hour
	// remembered is how long the list keeps exports without a file.
	remembered = 90 * 24 * time.Hour
	// progressEvery: the row is told how far the file is.
	progressEvery = 2 * time.Second
	// maxAttempts of one export; the workers that began it died, or were stopped.
	maxAttempts = 20
)

// Rows keeps the exports' state. What an attempt writes is fenced: it is
// CodeCancelled when a later one has begun, or the export is gone.
type Rows interface {
	Reader
	CreateExport(ctx context.Context, v pratique.Export) (pratique.Export, error)
	BeginExport(ctx context.Context, id, fence int64) (pratique.Export, error)
	ExportProgress(ctx context.Context, id, fence int64, rows int, bytes int64) error
	FinishExport(ctx context.Context, v pratique.Export, file string, lifetime time.Duration) error
	FailExport(ctx context.Context, id, fence int64, why *pratique.Error) error
	Remover
}

// Reader shows them; CodeNotFound for what is not.
type Reader interface {
	Export(ctx context.Context, id int64) (pratique.Export, error)
	OpenExports(ctx context.Context) ([]pratique.Export, error)
	ExpiredExports(ctx context.Context) ([]pratique.Export, error)
}

// Remover takes them away.
type Remover interface {
	ExpireExport(ctx context.Context, id int64) error
	DeleteExport(ctx context.Context, id int64) (pratique.Export, error)
	DropOldExports(ctx context.Context, before time.Time) error
}

// Keeper makes exports and keeps their files.
type Keeper struct {
	Rows   Rows
	Source Source
	// Folder of the files. Servers and workers that share a database have to share
	// it, too, if each of them is to hand out what another wrote.
	Folder   string
	Lifetime time.Duration // of a file; 0 is [Lifetime]
	// Enqueue makes somebody run an export, Cancel makes whoever runs it stop.
	Enqueue func(ctx context.Context, id int64) error
	Cancel  func(ctx context.Context, id int64) error
	Told    func(pratique.Export) // of each change; may be nil
	Log     *slog.Logger          // may be nil
}

func (k *Keeper) log() *slog.Logger {
	if k.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return k.Log
}

func (k *Keeper) tell(v pratique.Export) {
	if k.Told != nil {
		k.Told(v)
	}
}

// check finds the kind, the format and the columns of a request.
func check(r pratique.ExportRequest) (Kind, Format, []int, error) {
	kind, known := kindOf(r.Kind)
	if !known {
		return kind, Format{}, nil, pratique.Errorf(pratique.CodeInvalid, "there is no list %.40q", r.Kind).WithRemedy("GET /export-kinds tells which there are")
	}
	format, known := formatOf(r.Format)
	if !known {
		return kind, format, nil, pratique.Errorf(pratique.CodeInvalid, "there is no format %.40q", r.Format).WithRemedy("choose csv, xlsx, json or html")
	}
	if r.Language != "" && r.Language != "en" && r.Language != "zh" {
		return kind, format, nil, pratique.Errorf(pratique.CodeInvalid, "there is no language %.40q", r.Language).WithRemedy("choose en or zh")
	}
	if sort := strings.TrimPrefix(r.Sort, "-"); sort != "" && !slices.Contains(kind.Sorts, sort) {
		return kind, format, nil, pratique.Errorf(pratique.CodeInvalid, "%s cannot be sorted by %.40q", kind.ID, sort).WithRemedy("sort by one of: %s", strings.Join(kind.Sorts, ", "))
	}
	if len(r.Findings.ImageIDs) > 0 {
		return kind, format, nil, pratique.Errorf(pratique.CodeInvalid, "images are chosen by the filter of images").WithRemedy("use images.imageIDs")
	}
	if kind.check != nil {
		if err := kind.check(r); err != nil {
			return kind, format, nil, err
		}
	}
	chosen, err := kind.choose(r.Columns)
	return kind, format, chosen, err
}

// Preview counts the rows that an export would have.
func (k *Keeper) Preview(ctx context.Context, r pratique.ExportRequest) (n pratique.ExportNeed, err error) {
	kind, format, _, err := check(r)
	if err != nil {
		return n, err
	}
	if n.Rows, err = kind.count(ctx, k.Source, r); err != nil {
		return n, err
	}
	n.Limit, n.Sheets = format.Limit, 1
	if format.perSheet > 0 {
		n.Sheets = max(1, (n.Rows+format.perSheet-2)/(format.perSheet-1)) // each has its headers
	}
	n.Enough = n.Rows <= n.Limit
	return n, nil
}

// Create makes an export. A list that is longer than what the format takes is
// CodeLimit, with the numbers.
func (k *Keeper) Create(ctx context.Context, r pratique.ExportRequest, by string) (v pratique.Export, err error) {
	need, err := k.Preview(ctx, r)
	if err != nil {
		return v, err
	}
	if !need.Enough {
		return v, tooLong(need.Rows, need.Limit)
	}
	if v, err = k.Rows.CreateExport(ctx, pratique.Export{Request: r, FileName: fileName(r, time.Now()), By: by, Total: need.Rows}); err != nil {
		return v, err
	}
	if err := k.Enqueue(ctx, v.ID); err != nil {
		k.log().Warn("an export waits until the queue is swept", "export", v.ID, "error", err)
	}
	k.tell(v)
	return v, nil
}

func tooLong(rows, limit int) *pratique.Error {
	return pratique.Errorf(pratique.CodeLimit, "the list has %d rows, and this format takes %d", rows, limit).WithRemedy("narrow the filter, or choose another format")
}

// unsafeName are characters that have a meaning to some file system.
var unsafeName = regexp.MustCompile(`[^\p{L}\p{N} ._()-]+`)

func fileName(r pratique.ExportRequest, now time.Time) string {
	name := strings.Trim(unsafeName.ReplaceAllString(r.Name, "_"), " .")
	if len(name) > 120 {
		name = strings.ToValidUTF8(name[:120], "")
	}
	if name == "" {
		name = r.Kind + "-" + now.UTC().Format("20060102-150405")
	}
	return name + "." + r.Format
}

// Open returns an export that is finished with its file, which the caller closes.
func (k *Keeper) Open(ctx context.Context, id int64) (v pratique.Export, contentType string, f *os.File, err error) {
	if v, err = k.Rows.Export(ctx, id); err != nil {
		return v, "", nil, err
	}
	switch {
	case v.State == pratique.ExportExpired || v.Expires != nil && !v.Expires.After(time.Now()):
		return v, "", nil, pratique.Errorf(pratique.CodeNotFound, "the file of export %d has expired", id).WithRemedy("export the list again")
	case v.State == pratique.ExportFailed:
		return v, "", nil, pratique.Errorf(pratique.CodeConflict, "export %d failed and has no file", id).WithRemedy("look at its error, and export the list again")
	case v.State != pratique.ExportSuccess:
		return v, "", nil, pratique.Errorf(pratique.CodeConflict, "export %d is not finished", id).WithRemedy("wait until its state is success")
	}
	if f, err = os.Open(filepath.Join(k.Folder, v.File)); err != nil {
		return v, "", nil, pratique.Errorf(pratique.CodeNotFound, "the file of export %d is not on this server: %w", id, err).
			WithRemedy("let all servers and workers share the folder of exports, or export the list again")
	}
	format, _ := formatOf(v.Request.Format)
	return v, format.Type, f, nil
}

// Delete removes an export with its file. One that runs is stopped.
func (k *Keeper) Delete(ctx context.Context, id int64) (pratique.Export, error) {
	v, err := k.Rows.DeleteExport(ctx, id)
	if err != nil {
		return v, err
	}
	if v.Ended == nil {
		// Its next note of progress stops it in any case.
		if err := k.Cancel(ctx, id); err != nil {
			k.log().Warn("a deleted export goes on for a moment", "export", id, "error", err)
		}
	}
	if v.File != "" {
		if err := os.Remove(filepath.Join(k.Folder, v.File)); err != nil && !errors.Is(err, os.ErrNotExist) {
			k.log().Warn("the file of a deleted export stays until it is tidied up", "export", id, "error", err)
		}
	}
	return v, nil
}

// Wanted are the exports that want to be run.
func (k *Keeper) Wanted(ctx context.Context) (ids []int64, err error) {
	open, err := k.Rows.OpenExports(ctx)
	for _, v := range open {
		ids = append(ids, v.ID)
	}
	return ids, err
}

// Run writes the file of an export. It returns nil when the row says how it ended,
// and an error when it is to be tried again.
func (k *Keeper) Run(ctx context.Context, id, fence int64) error {
	v, err := k.Rows.BeginExport(ctx, id, fence)
	if pratique.CodeOf(err) == pratique.CodeCancelled {
		return nil
	}
	if err != nil {
		return err
	}
	k.tell(v)
	if v.Attempts > maxAttempts {
		err = pratique.Errorf(pratique.CodeInternal, "this export was begun %d times and never finished", maxAttempts).WithRemedy("look at the workers' logs and memory limits, then export again")
	} else {
		err = k.make(ctx, &v)
	}
	if err == nil {
		return k.tellAgain(ctx, id)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	switch pratique.CodeOf(err) {
	case pratique.CodeCancelled:
		return nil
	case pratique.CodeUnreachable: // the database: it goes on when that is back
		return err
	}
	k.log().Warn("an export failed", "export", id, "error", err)
	var known *pratique.Error
	if !errors.As(err, &known) {
		known = pratique.Errorf(pratique.CodeInternal, "something went wrong inside the service").WithRemedy("look for export %d in the service's log", id)
	}
	if err := k.Rows.FailExport(ctx, id, fence, known); err != nil && pratique.CodeOf(err) != pratique.CodeCancelled {
		return err
	}
	return k.tellAgain(ctx, id)
}

func (k *Keeper) tellAgain(ctx context.Context, id int64) error {
	v, err := k.Rows.Export(ctx, id)
	if err == nil {
		k.tell(v)
	}
	if pratique.CodeOf(err) == pratique.CodeNotFound {
		return nil
	}
	return err
}

// make writes the file, and keeps it if the export is still this attempt's.
func (k *Keeper) make(ctx context.Context, v *pratique.Export) error {
	if err := os.MkdirAll(k.Folder, 0o700); err != nil {
		return noRoom(err)
	}
	name := fmt.Sprintf("%d-%d.%s", v.ID, v.Fence, v.Request.Format)
	path := filepath.Join(k.Folder, name)
	err := k.write(ctx, v, path)
	if err == nil {
		err = k.Rows.FinishExport(ctx, *v, name, k.lifetime())
	}
	if err != nil {
		if gone := os.Remove(path); gone != nil && !errors.Is(gone, os.ErrNotExist) {
			k.log().Warn("the file of an export that failed stays until it is tidied up", "export", v.ID, "error", gone)
		}
	}
	return err
}

func (k *Keeper) lifetime() time.Duration {
	if k.Lifetime > 0 {
		return k.Lifetime
	}
	return Lifetime
}

func noRoom(err error) error {
	return pratique.Errorf(pratique.CodeDisk, "the file cannot be written: %w", err).WithRemedy("make room on the disk, and check who may write to the folder of exports")
}

func (k *Keeper) write(ctx context.Context, v *pratique.Export, path string) (err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return noRoom(err)
	}
	defer func() {
		if closed := f.Close(); err == nil && closed != nil {
			err = noRoom(closed)
		}
	}()
	out := &counted{file: f}
	if err := k.rows(ctx, v, out); err != nil {
		return err
	}
	v.Bytes = out.bytes
	if err := f.Sync(); err != nil {
		return noRoom(err)
	}
	return nil
}

// counted is a file that knows how long it is.
type counted struct {
	file  *os.File
	bytes int64
}

func (c *counted) Write(b []byte) (int, error) {
	n, err := c.file.Write(b)
	c.bytes += int64(n)
	if err != nil {
		err = noRoom(err)
	}
	return n, err
}

// rows writes all of them, and notes now and then how far it is.
func (k *Keeper) rows(ctx context.Context, v *pratique.Export, out *counted) error {
	r := v.Request
	kind, format, chosen, err := check(r)
	if err != nil {
		return err
	}
	people := language("en")
	if r.Language != "" {
		people = language(r.Language)
	}
	o := options{language: people, title: people.of(kind.Label), bom: r.BOM, perSheet: format.perSheet}
	for _, c := range chosen {
		o.columns = append(o.columns, header{kind.Columns[c].ID, people.of(kind.Columns[c].Title)})
	}
	w, err := format.open(out, o)
	if err != nil {
		return err
	}
	noted := time.Now()
	err = kind.rows(ctx, k.Source, r, chosen, func(row []value) error {
		if v.Rows++; v.Rows > format.Limit { // it has grown since it was counted
			return tooLong(v.Rows, format.Limit)
		}
		if v.Rows%256 == 0 && time.Since(noted) >= progressEvery {
			noted = time.Now()
			if err := k.Rows.ExportProgress(ctx, v.ID, v.Fence, v.Rows, out.bytes); err != nil {
				return err
			}
			k.tell(*v)
		}
		return w.write(row)
	})
	if err != nil {
		return err
	}
	return w.close()
}

// Tidy removes files that have expired, and files that no row names: what became
// of attempts that were killed.
func (k *Keeper) Tidy(ctx context.Context) error {
	expired, err := k.Rows.ExpiredExports(ctx)
	if err != nil {
		return err
	}
	for _, v := range expired {
		if err := os.Remove(filepath.Join(k.Folder, v.File)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return noRoom(err)
		}
		if err := k.Rows.ExpireExport(ctx, v.ID); err != nil {
			return err
		}
	}
	if err := k.Rows.DropOldExports(ctx, time.Now().Add(-remembered)); err != nil {
		return err
	}
	files, err := os.ReadDir(k.Folder)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return noRoom(err)
	}
	for _, f := range files {
		if wanted, err := k.wanted(ctx, f.Name()); err != nil {
			return err
		} else if wanted {
			continue
		}
		if err := os.Remove(filepath.Join(k.Folder, f.Name())); err != nil && !errors.Is(err, os.ErrNotExist) {
			return noRoom(err)
		}
		k.log().Info("a file that no export names was removed", "file", f.Name())
	}
	return nil
}

// wanted tells whether a file in the folder is an export's, or will be. A file that
// is not named as ours are is none of our business.
func (k *Keeper) wanted(ctx context.Context, name string) (bool, error) {
	id, fence, ours := parseName(name)
	if !ours {
		return true, nil
	}
	v, err := k.Rows.Export(ctx, id)
	if pratique.CodeOf(err) == pratique.CodeNotFound {
		return false, nil
	}
	return v.File == name || v.Ended == nil && v.Fence == fence, err
}

func parseName(name string) (id, fence int64, ours bool) {
	stem, ending, found := strings.Cut(name, ".")
	first, second, dash := strings.Cut(stem, "-")
	if _, known := formatOf(ending); !found || !dash || !known {
		return 0, 0, false
	}
	id, err := strconv.ParseInt(first, 10, 64)
	fence, again := strconv.ParseInt(second, 10, 64)
	return id, fence, err == nil && again == nil
}
