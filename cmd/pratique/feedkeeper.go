package main

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/advisory"
	"github.com/pratique/pratique/api"
	"github.com/pratique/pratique/queue"
	"github.com/pratique/pratique/scan"
	"github.com/pratique/pratique/store"
)

// feedKeeper joins the folder of bundles, which only this machine has, with the
// database, which says what is in force for all. What is wanted is written down
// before the job is queued: a file in the inbox, or a wish among the settings.
// Whatever dies in between, [feedKeeper.Wanted] finds it.
type feedKeeper struct {
	feeds  *advisory.Store
	db     *store.Store
	jobs   *queue.Queue
	events *api.Hub
	// settings say how often feeds are updated, and whether they are adopted by
	// themselves.
	settings func(context.Context) (scan.Settings, error)
	inbox    string
	mirror   string
	log      *slog.Logger
	mu       sync.Mutex // one change of the bundle in force at a time
}

// Settings of the keeper.
const (
	settingFeedWish = "feeds.wish"
	settingFeedRun  = "feeds.run"
)

// feedWish is an update that somebody wants.
type feedWish struct {
	By string    `json:"by,omitempty"`
	At time.Time `json:"at,omitzero"`
}

var _ api.Feeds = (*feedKeeper)(nil)
var _ queue.Wanter = (*feedKeeper)(nil)

func (k *feedKeeper) FeedState(ctx context.Context) (state api.FeedState, err error) {
	// In the order in which things happen, from the wish to the bundle in force: a
	// state that waits for nothing shows what came of it.
	wanted, err := k.Wanted(ctx)
	if err != nil {
		return state, err
	}
	if err := k.db.Setting(ctx, settingFeedRun, &state.Last); err != nil {
		return state, err
	}
	state.Waiting = len(wanted) > 0 || state.Last != nil && state.Last.Ended == nil
	inForce, err := k.db.InForce(ctx)
	switch {
	case err == nil:
		state.InForce = &inForce
	case pratique.CodeOf(err) != pratique.CodeNotFound:
		return state, err
	}
	status, err := k.feeds.Status()
	switch {
	case err == nil:
		state.Earlier, state.Size = status.Kept, status.Size
	case !errors.Is(err, advisory.ErrNoBundle):
		return state, err
	}
	return state, nil
}

// UpdateFeeds wants an update.
func (k *feedKeeper) UpdateFeeds(ctx context.Context, by string) error {
	if err := k.db.SetSetting(ctx, settingFeedWish, feedWish{By: by, At: time.Now().UTC()}); err != nil {
		return err
	}
	return k.want(ctx)
}

// ImportFeed puts a file into the inbox: a folder of its own, which is hidden until
// the file is whole, with the folders that the name has, because OSV's exports
// are all called all.zip and differ by the folder they are in.
func (k *feedKeeper) ImportFeed(ctx context.Context, by, name string, content io.Reader) (err error) {
	if !filepath.IsLocal(name) || strings.HasPrefix(name, ".") || strings.Contains(name, "/.") {
		return pratique.Errorf(pratique.CodeInvalid, "%.80q is not a file's name", name).WithRemedy("name it as its publisher does: osv/Debian/all.zip")
	}
	if filepath.Base(name) == name && strings.EqualFold(name, "all.zip") {
		return pratique.Errorf(pratique.CodeInvalid, "the name does not tell which ecosystem the export is of").WithRemedy("give its folder as well: Debian/all.zip")
	}
	box := rand.Text()
	hidden := filepath.Join(k.inbox, "."+box)
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(hidden))
		}
	}()
	path := filepath.Join(hidden, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return noRoom(err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return noRoom(err)
	}
	_, err = io.Copy(f, content)
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		err = pratique.Errorf(pratique.CodeLimit, "the file is larger than %d bytes", tooLarge.Limit).WithRemedy("import it in parts, or put it on the server and run \"pratique feed import\"")
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(hidden, byFile), []byte(by), 0o600); err != nil {
		return noRoom(err)
	}
	if err := os.Rename(hidden, filepath.Join(k.inbox, box)); err != nil {
		return noRoom(err)
	}
	k.log.Info("a feed was handed in", "file", name, "user", by)
	return k.want(ctx)
}

// byFile says in a box of the inbox who handed it in.
const byFile = ".by"

// want queues the job. A job that is just ending may have looked for work already
// and still be joined by this one: hence a second look a little later.
func (k *feedKeeper) want(ctx context.Context) error {
	time.AfterFunc(time.Second, func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		jobs, err := k.Wanted(ctx)
		if err == nil && len(jobs) > 0 {
			err = k.jobs.Enqueue(ctx, jobs...)
		}
		if err != nil {
			k.log.Debug("the feeds' job is left to the sweeper", "error", err)
		}
	})
	return k.jobs.Enqueue(ctx, scan.Job{Args: scan.FeedArgs{}, Lane: scan.LaneHand})
}

func noRoom(err error) error {
	return pratique.Errorf(pratique.CodeDisk, "the file cannot be kept: %w", err).WithRemedy("make room on the disk, and check who may write to the data folder")
}

// boxes are the folders of the inbox that are whole.
func (k *feedKeeper) boxes() ([]string, error) {
	all, err := filepath.Glob(filepath.Join(k.inbox, "*"))
	return slices.DeleteFunc(all, func(path string) bool { return strings.HasPrefix(filepath.Base(path), ".") }), err
}

// wanted is what there is to do. behind: the folder has a bundle that is not in
// force, and shall be.
func (k *feedKeeper) wanted(ctx context.Context) (wish feedWish, boxes []string, behind bool, err error) {
	if err = k.db.Setting(ctx, settingFeedWish, &wish); err != nil {
		return wish, nil, false, err
	}
	if boxes, err = k.boxes(); err != nil {
		return wish, nil, false, err
	}
	generation, err := k.feeds.Generation()
	if err != nil || generation == "" {
		return wish, boxes, false, err
	}
	settings, err := k.settings(ctx)
	if err != nil || !settings.AutoAdopt {
		return wish, boxes, false, err
	}
	inForce, err := k.db.InForce(ctx)
	if pratique.CodeOf(err) == pratique.CodeNotFound {
		return wish, boxes, true, nil
	}
	return wish, boxes, err == nil && inForce.Bundle.Digest.Hex() != generation && k.adopted() != generation, err
}

// adoptedFile names the bundle of this folder that was adopted last. Another server
// may have put a newer one in force since: then this folder's is no news.
const adoptedFile = "adopted"

func (k *feedKeeper) adopted() string {
	b, _ := os.ReadFile(filepath.Join(k.feeds.Dir(), adoptedFile)) // without it, what is there is news
	return string(b)
}

// Wanted is asked by the queue's sweeper.
func (k *feedKeeper) Wanted(ctx context.Context) ([]scan.Job, error) {
	wish, boxes, behind, err := k.wanted(ctx)
	if err != nil || wish.At.IsZero() && len(boxes) == 0 && !behind {
		return nil, err
	}
	return []scan.Job{{Args: scan.FeedArgs{}, Lane: scan.LaneHand}}, nil
}

// run is the job.
func (k *feedKeeper) run(ctx context.Context, _ scan.FeedArgs, _ scan.Attempt) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	for ctx.Err() == nil {
		wish, boxes, behind, err := k.wanted(ctx)
		if err != nil {
			return err
		}
		switch {
		case len(boxes) > 0:
			err = k.keep(ctx, "import", func(run *api.FeedRun) error { return k.take(ctx, boxes[0], run) })
		case !wish.At.IsZero():
			err = k.keep(ctx, "update", func(run *api.FeedRun) error { run.By = wish.By; return k.update(ctx, run) })
			if err == nil {
				err = k.fulfilled(ctx, wish)
			}
		case behind: // the folder was changed by "pratique feed"
			err = k.adopt(ctx, "pratique feed", "import")
		default:
			return nil
		}
		if err != nil {
			return err
		}
	}
	return context.Cause(ctx)
}

// fulfilled forgets a wish, unless there is a newer one.
func (k *feedKeeper) fulfilled(ctx context.Context, wish feedWish) error {
	var now feedWish
	if err := k.db.Setting(ctx, settingFeedWish, &now); err != nil || !now.At.Equal(wish.At) {
		return err
	}
	return k.db.SetSetting(ctx, settingFeedWish, feedWish{})
}

// keep does some work on the feeds, writes down how it went, and adopts what came
// of it. An error means that it has to be done again.
func (k *feedKeeper) keep(ctx context.Context, reason string, work func(*api.FeedRun) error) error {
	run := &api.FeedRun{Started: time.Now().UTC(), Reason: reason}
	if err := k.tell(ctx, run); err != nil {
		return err
	}
	failure := work(run)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	settings, err := k.settings(ctx)
	if err == nil && settings.AutoAdopt {
		err = k.adopt(ctx, run.By, reason)
	}
	if err != nil {
		return err
	}
	ended := time.Now().UTC()
	run.Ended = &ended
	if failure != nil {
		k.log.Error("the feeds were not all taken", "reason", reason, "error", failure)
		if !errors.As(failure, &run.Error) {
			run.Error = pratique.Errorf(pratique.CodeInternal, "something went wrong inside the service").WithRemedy("look into the service's log")
		}
	}
	return k.tell(ctx, run)
}

func (k *feedKeeper) tell(ctx context.Context, run *api.FeedRun) error {
	if err := k.db.SetSetting(ctx, settingFeedRun, run); err != nil {
		return err
	}
	return k.events.Publish(api.Event{Type: "feed", Data: run})
}

// take imports what is in one box of the inbox.
func (k *feedKeeper) take(ctx context.Context, box string, run *api.FeedRun) error {
	by, err := os.ReadFile(filepath.Join(box, byFile))
	if err != nil {
		return errors.Join(noRoom(err), os.RemoveAll(box))
	}
	run.By = string(by)
	var files []string
	err = filepath.WalkDir(box, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && d.Name() != byFile {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		return noRoom(err)
	}
	result, err := k.feeds.Import(ctx, advisory.ImportOptions{Inputs: files, Progress: k.progress})
	if ctx.Err() != nil {
		return err // the box stays, and is taken after the next start
	}
	if result != nil {
		run.Sources = result.Imported
		for _, i := range result.Ignored {
			run.Ignored = append(run.Ignored, filepath.Base(i.Path)+": "+i.Reason)
		}
	}
	var known *pratique.Error
	if errors.As(err, &known) { // people know the file by the name that they gave it
		told := *known
		told.Message = strings.ReplaceAll(told.Message, box+string(filepath.Separator), "")
		err = &told
	}
	return errors.Join(err, os.RemoveAll(box))
}

func (k *feedKeeper) update(ctx context.Context, run *api.FeedRun) error {
	result, err := k.feeds.Update(ctx, advisory.UpdateOptions{Mirror: k.mirror, Progress: k.progress})
	if result != nil {
		run.Sources = result.Imported
	}
	return err
}

func (k *feedKeeper) progress(line string) { k.log.Info("feeds", "progress", line) }

// waiting opens the folder's bundle, if it is not the one in force, with the one in
// force and what differs. next is nil when there is nothing to adopt.
func (k *feedKeeper) waiting(ctx context.Context) (next *advisory.Bundle, keys []pratique.PackageKey, before pratique.Digest, err error) {
	next, err = k.feeds.Current()
	if errors.Is(err, advisory.ErrNoBundle) {
		return nil, nil, "", nil
	}
	if err != nil {
		return nil, nil, "", err
	}
	inForce, err := k.db.InForce(ctx)
	if err != nil && pratique.CodeOf(err) != pratique.CodeNotFound {
		return nil, nil, "", errors.Join(err, next.Close())
	}
	if before = inForce.Bundle.Digest; before == next.Digest() {
		return nil, nil, before, next.Close()
	}
	var old *advisory.Bundle
	if before != "" {
		// Without the file everything counts as changed, which costs time only.
		if old, err = advisory.Open(filepath.Join(k.feeds.Dir(), before.Hex()+".bundle")); err != nil {
			k.log.Warn("the bundle before is gone: everything is judged again", "bundle", before, "error", err)
			old = nil
		} else {
			defer old.Close()
		}
	}
	for _, key := range advisory.Delta(old, next) {
		keys = append(keys, pratique.PackageKey{Ecosystem: key.Ecosystem, Name: key.Name})
	}
	return next, keys, before, nil
}

// adopt takes the folder's bundle into force for all, if it is not so already.
func (k *feedKeeper) adopt(ctx context.Context, by, reason string) error {
	next, keys, before, err := k.waiting(ctx)
	if err != nil || next == nil {
		return err
	}
	defer next.Close()
	if err := k.share(ctx, next, before); err != nil {
		return err
	}
	adoption, err := k.db.Adopt(ctx, pratique.Bundle{Digest: next.Digest(), Built: next.Built(), Feeds: next.Feeds()}, keys, by, reason)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(k.feeds.Dir(), adoptedFile), []byte(next.Digest().Hex()), 0o600); err != nil {
		return noRoom(err)
	}
	k.log.Info("a bundle is in force", "bundle", adoption.Bundle.Digest, "reason", reason, "by", by, "keys", adoption.Keys, "packages", adoption.Affected)
	if err := k.events.Publish(api.Event{Type: "feed", Data: adoption}); err != nil {
		return err
	}
	return k.jobs.Enqueue(ctx, scan.Job{Args: scan.EvaluateArgs{Bundle: next.Digest()}, Lane: scan.LaneHand})
}

// share puts a bundle into the database, where workers on other machines find it.
// On SQLite there are none.
func (k *feedKeeper) share(ctx context.Context, bundle *advisory.Bundle, before pratique.Digest) error {
	if k.db.Engine() == "sqlite" {
		return nil
	}
	f, err := os.Open(filepath.Join(k.feeds.Dir(), bundle.Digest().Hex()+".bundle"))
	if err != nil {
		return noRoom(err)
	}
	defer f.Close()
	return k.db.PutBundle(ctx, bundle.Digest(), f, bundle.Size(), before)
}

// PreviewFeeds tells what adopting the waiting bundle would change.
func (k *feedKeeper) PreviewFeeds(ctx context.Context) (p scan.AdoptionPreview, err error) {
	next, keys, _, err := k.waiting(ctx)
	if err != nil || next == nil {
		return p, err
	}
	defer next.Close()
	p.Bundle = &pratique.Bundle{Digest: next.Digest(), Built: next.Built(), Feeds: next.Feeds()}
	p.Keys = len(keys)
	p.Packages, p.Images, err = k.db.PreviewAdoption(ctx, keys)
	return p, err
}

// AdoptFeeds puts the waiting bundle in force.
func (k *feedKeeper) AdoptFeeds(ctx context.Context, by string) (pratique.Adoption, error) {
	if !k.mu.TryLock() {
		return pratique.Adoption{}, pratique.Errorf(pratique.CodeConflict, "the feeds are being updated").WithRemedy("wait for its end")
	}
	defer k.mu.Unlock()
	if err := k.adopt(ctx, by, "import"); err != nil {
		return pratique.Adoption{}, err
	}
	return k.db.InForce(ctx)
}

// Adoptions lists the newest ones.
func (k *feedKeeper) Adoptions(ctx context.Context, limit int) ([]pratique.Adoption, error) {
	return k.db.Adoptions(ctx, limit)
}

// RollBackFeeds goes back to the bundle before.
func (k *feedKeeper) RollBackFeeds(ctx context.Context, by string) (pratique.Adoption, error) {
	if !k.mu.TryLock() {
		return pratique.Adoption{}, pratique.Errorf(pratique.CodeConflict, "the feeds are being updated").WithRemedy("wait for its end")
	}
	defer k.mu.Unlock()
	if _, err := k.feeds.Rollback(); err != nil {
		return pratique.Adoption{}, err
	}
	if err := k.adopt(ctx, by, "rollback"); err != nil {
		return pratique.Adoption{}, err
	}
	return k.db.InForce(ctx)
}

// daily is an update as often as the settings say, and at a start that comes later
// than that.
func (k *feedKeeper) daily() queue.Periodic {
	return queue.Periodic{
		Next: func(t time.Time) time.Time { return t.Add(10 * time.Minute) },
		Job: func(t time.Time, _ bool) *scan.Job {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			due, err := k.due(ctx, t)
			if err != nil {
				k.log.Error("whether the feeds have to be updated is not known", "error", err)
			}
			if err != nil || !due {
				return nil
			}
			if err := k.db.SetSetting(ctx, settingFeedWish, feedWish{By: "schedule", At: t.UTC()}); err != nil {
				k.log.Error("the feeds' update cannot be asked for", "error", err)
				return nil
			}
			return &scan.Job{Args: scan.FeedArgs{}}
		},
	}
}

func (k *feedKeeper) due(ctx context.Context, now time.Time) (bool, error) {
	settings, err := k.settings(ctx)
	if err != nil || settings.FeedsEveryHours == 0 {
		return false, err
	}
	var last *api.FeedRun
	if err := k.db.Setting(ctx, settingFeedRun, &last); err != nil {
		return false, err
	}
	interval := time.Duration(settings.FeedsEveryHours) * time.Hour
	return last == nil || now.Sub(last.Started) >= interval-10*time.Minute, nil
}

// ready tells whether anything is known about vulnerabilities.
func (k *feedKeeper) ready(ctx context.Context) error {
	_, err := k.db.InForce(ctx)
	if pratique.CodeOf(err) == pratique.CodeNotFound {
		return pratique.Errorf(pratique.CodeNotFound, "no feed was imported: vulnerabilities are unknown").WithRemedy("update the feeds, or import them where there is no network")
	}
	return err
}

// sweepInbox removes uploads that a former process did not finish.
func (k *feedKeeper) sweepInbox() error {
	hidden, err := filepath.Glob(filepath.Join(k.inbox, ".*"))
	for _, path := range hidden {
		if info, err := os.Stat(path); err != nil || time.Since(info.ModTime()) < time.Hour {
			continue // somebody may be at it
		}
		err = errors.Join(err, os.RemoveAll(path))
	}
	return err
}
