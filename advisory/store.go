package advisory

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pratique/pratique"
)

// ErrNoBundle is returned by [Store.Current] while nothing has been imported.
var ErrNoBundle error = pratique.Errorf(pratique.CodeNotFound, "there are no vulnerability feeds yet").
	WithRemedy("run \"pratique feed update\", or \"pratique feed import PATH\" where there is no network")

const (
	currentFile = "current" // the digests in force and before it, in hexadecimal digits, newest first
	lockFile    = "lock"
	keptBundles = 4 // the one in force and three to go back to

	// A source that shrinks to less than half is more likely a broken or partial
	// export than good news.
	shrinkFloor = 200
)

// Store is a folder with the bundle in force and those before it.
type Store struct{ dir string }

// NewStore returns the store in dir, which need not exist yet. An empty dir is
// the user's cache folder ("pratique/feeds" in it).
func NewStore(dir string) (*Store, error) {
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return nil, pratique.Errorf(pratique.CodeDisk, "no folder for feeds: %w", err).
				WithRemedy("name one with --feeds DIR or PRATIQUE_FEEDS")
		}
		dir = filepath.Join(cache, "pratique", "feeds")
	}
	return &Store{dir}, nil
}

// Dir is the store's folder.
func (s *Store) Dir() string { return s.dir }

// Current opens the bundle in force. The caller closes it. It is [ErrNoBundle]
// while there is none.
func (s *Store) Current() (*Bundle, error) {
	for attempt := 0; ; attempt++ {
		history, err := s.history()
		if err != nil {
			return nil, err
		}
		if len(history) == 0 {
			return nil, ErrNoBundle
		}
		b, err := Open(s.bundlePath(history[0]))
		// Between the two steps an import may have adopted and removed.
		if pratique.CodeOf(err) == pratique.CodeNotFound && attempt < 3 {
			continue
		}
		if err == nil && b.Digest().Hex() != history[0] {
			b.Close()
			return nil, damaged(s.bundlePath(history[0]), errors.New("its content is not that of its name"))
		}
		return b, err
	}
}

// Generation changes whenever another bundle is put in force: a long-running
// program compares it to notice. It is "" while there is none.
func (s *Store) Generation() (string, error) {
	history, err := s.history()
	if err != nil || len(history) == 0 {
		return "", err
	}
	return history[0], nil
}

func (s *Store) bundlePath(hexDigest string) string {
	return filepath.Join(s.dir, hexDigest+".bundle")
}

func (s *Store) history() ([]string, error) {
	data, err := os.ReadFile(filepath.Join(s.dir, currentFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, pratique.Errorf(pratique.CodeDisk, "cannot read which feeds are in force: %w", err)
	}
	history := strings.Fields(string(data))
	for _, h := range history {
		if raw, err := hex.DecodeString(h); err != nil || len(raw) != 32 {
			return nil, pratique.Errorf(pratique.CodeCorrupt, "%s does not hold digests", filepath.Join(s.dir, currentFile)).
				WithRemedy("remove it and run \"pratique feed update\"")
		}
	}
	return history, nil
}

// Status is the bundle in force, described.
type Status struct {
	Digest pratique.Digest       `json:"digest"`
	Built  time.Time             `json:"built"`
	Size   int64                 `json:"size"` // bytes
	Path   string                `json:"path"`
	Kept   int                   `json:"kept"` // earlier bundles that rollback can return to
	Feeds  []pratique.FeedStatus `json:"feeds"`
}

// Status describes the bundle in force, or returns [ErrNoBundle].
func (s *Store) Status() (*Status, error) {
	b, err := s.Current()
	if err != nil {
		return nil, err
	}
	defer b.Close()
	history, err := s.history()
	if err != nil {
		return nil, err
	}
	return &Status{b.Digest(), b.Built(), b.Size(), b.path, len(history) - 1, b.Feeds()}, nil
}

// Rollback puts the bundle before the one in force back in force.
func (s *Store) Rollback() (*Status, error) {
	unlock, err := s.lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	history, err := s.history()
	if err != nil {
		return nil, err
	}
	if len(history) < 2 {
		return nil, pratique.Errorf(pratique.CodeNotFound, "there is no earlier bundle to go back to")
	}
	earlier, err := Open(s.bundlePath(history[1]))
	if err != nil {
		return nil, err
	}
	defer earlier.Close()
	if err := earlier.Verify(context.Background()); err != nil {
		return nil, err
	}
	if err := s.point(history[1:]); err != nil {
		return nil, err
	}
	return s.Status()
}

// lock keeps other processes from changing the store until unlock is called.
func (s *Store) lock() (unlock func(), err error) {
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return nil, pratique.Errorf(pratique.CodeDisk, "cannot make the folder for feeds: %w", err).
			WithRemedy("name another one with --feeds DIR or PRATIQUE_FEEDS")
	}
	f, err := os.OpenFile(filepath.Join(s.dir, lockFile), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, pratique.Errorf(pratique.CodeDisk, "cannot write to the folder for feeds: %w", err).
			WithRemedy("name another one with --feeds DIR or PRATIQUE_FEEDS")
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		return nil, pratique.Errorf(pratique.CodeInvalid, "another process is changing the feeds in %s", s.dir).
			WithRemedy("wait until it is done")
	}
	return func() { f.Close() }, nil
}

// ImportOptions say what to import.
type ImportOptions struct {
	Inputs []string // files, folders, http(s) addresses
	// Hashes takes every input file for a list of hashes, whatever its name.
	Hashes bool
	// AllowOlder takes a source even if it is older, or much smaller, than the one
	// in force.
	AllowOlder bool
	// Progress, if not nil, is told what happens, one line at a time. It may be
	// called from several goroutines.
	Progress func(line string)

	now func() time.Time // for tests; nil is time.Now
}

func (o *ImportOptions) note(format string, args ...any) {
	if o.Progress != nil {
		o.Progress(fmt.Sprintf(format, args...))
	}
}

func (o *ImportOptions) time() time.Time {
	if o.now != nil {
		return o.now()
	}
	return time.Now()
}

// Result is what an import or update did.
type Result struct {
	Status
	Imported  []string  `json:"imported"`            // sources that were read anew
	Unchanged []string  `json:"unchanged,omitempty"` // sources that the server had nothing newer for
	Ignored   []Ignored `json:"ignored,omitempty"`   // files that are no feed
}

// Import compiles the sources found in the inputs, joins them with the other
// sources of the bundle in force, and puts the result in force. Either all of it
// happens or nothing: on an error, and whenever the process is interrupted, the
// bundle in force stays.
func (s *Store) Import(ctx context.Context, opt ImportOptions) (*Result, error) {
	unlock, err := s.lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	scratch, done, err := s.scratch()
	if err != nil {
		return nil, err
	}
	defer done()

	d := &discovery{scratch: scratch, hashes: opt.Hashes, sources: make(map[string]*source)}
	for _, input := range opt.Inputs {
		if strings.HasPrefix(input, "http://") || strings.HasPrefix(input, "https://") {
			if input, err = newFetcher(opt.note).intoFolder(ctx, input, scratch); err != nil {
				return nil, err
			}
		}
		if err := d.add(ctx, input); err != nil {
			return nil, err
		}
	}
	sources := d.list()
	if len(sources) == 0 {
		return nil, pratique.Errorf(pratique.CodeInvalid, "nothing in %s was recognised as a feed (%d files looked at)", strings.Join(opt.Inputs, ", "), d.files).
			WithRemedy("give OSV exports (<Ecosystem>/all.zip), NVD JSON 2.0, EPSS, KEV, a cve,type,vector,source table, or lists of hashes with --hashes")
	}
	m, err := s.merge(scratch, &opt)
	if err != nil {
		return nil, err
	}
	defer m.close()
	for _, src := range sources {
		if err := m.take(ctx, src); err != nil {
			return nil, err
		}
	}
	result, err := m.adopt(ctx)
	if err != nil {
		return nil, err
	}
	result.Ignored = d.ignored
	return result, nil
}

// scratch makes a folder for downloads and the bundle to be, and removes what
// an interrupted run left.
func (s *Store) scratch() (dir string, done func(), err error) {
	left, _ := filepath.Glob(filepath.Join(s.dir, "import-*"))
	for _, old := range left { // the lock is held: nobody uses them
		os.RemoveAll(old)
	}
	dir, err = os.MkdirTemp(s.dir, "import-*")
	if err != nil {
		return "", nil, pratique.Errorf(pratique.CodeDisk, "cannot write to the folder for feeds: %w", err)
	}
	return dir, func() { os.RemoveAll(dir) }, nil
}

// merger builds a bundle from new sources and those of the bundle in force that
// none of them replaces.
type merger struct {
	store   *Store
	opt     *ImportOptions
	now     time.Time
	old     *Bundle // nil when there is none
	scratch string
	file    *os.File
	writer  *bundleWriter
	taken   map[string]bool
	same    map[string]bool // sources that their server confirmed as they are
	result  Result
}

func (s *Store) merge(scratch string, opt *ImportOptions) (*merger, error) {
	old, err := s.Current()
	switch {
	case errors.Is(err, ErrNoBundle):
	case pratique.CodeOf(err) == pratique.CodeUnsupported:
		opt.note("the bundle in force has another format and is replaced: %v", err)
	case err != nil:
		return nil, err
	}
	m := &merger{store: s, opt: opt, now: opt.time(), old: old, scratch: scratch, taken: make(map[string]bool), same: make(map[string]bool)}
	if m.file, err = os.CreateTemp(scratch, "new-*.bundle"); err == nil {
		m.writer, err = newBundleWriter(m.file)
	}
	if err != nil {
		m.close()
		return nil, diskError(err)
	}
	return m, nil
}

func diskError(err error) error {
	return pratique.Errorf(pratique.CodeDisk, "cannot write the bundle: %w", err).
		WithRemedy("free some space, or name another folder with --feeds DIR; the bundle in force is unchanged")
}

func (m *merger) close() {
	if m.old != nil {
		m.old.Close()
	}
	if m.file != nil {
		m.file.Close()
	}
}

// take compiles a source and adds it.
func (m *merger) take(ctx context.Context, src *source) error {
	if src.kind == kindBundle {
		return m.takeBundle(ctx, src)
	}
	m.opt.note("reading %s", src.name)
	seg, err := compile(ctx, src, m.now, func(line string) { m.opt.note("%s", line) })
	if err != nil {
		return err
	}
	if err := m.put(seg.info, seg.data); err != nil {
		return err
	}
	m.opt.note("read %s: %d records", src.name, seg.info.Records)
	return nil
}

// takeBundle adds the segments of another bundle file.
func (m *merger) takeBundle(ctx context.Context, src *source) error {
	for _, p := range src.parts {
		b, err := Open(p.path)
		if err != nil {
			return err
		}
		defer b.Close()
		for i, info := range b.manifest.Segments {
			if ctx.Err() != nil {
				return cancelled(ctx)
			}
			data, err := b.verified(i)
			if err != nil {
				return damaged(p.path, err)
			}
			if err := m.put(info, data); err != nil {
				return err
			}
		}
	}
	return nil
}

// put adds a segment unless the one in force is better.
func (m *merger) put(info segmentInfo, data []byte) error {
	if m.taken[info.Source] {
		return pratique.Errorf(pratique.CodeInvalid, "%s comes from two inputs at once", info.Source).
			WithRemedy("import them one after the other")
	}
	if err := m.refuseOlder(&info); err != nil {
		return err
	}
	if err := m.writer.add(info, data); err != nil {
		return diskError(err)
	}
	m.taken[info.Source] = true
	m.result.Imported = append(m.result.Imported, info.Source)
	return nil
}

func (m *merger) refuseOlder(info *segmentInfo) error {
	old := m.inForce(info.Source)
	if old == nil || m.opt.AllowOlder {
		return nil
	}
	if info.Newest.Before(old.Newest) {
		return pratique.Errorf(pratique.CodeInvalid, "%s is older than what is in force: its newest record is of %s, that in force of %s",
			info.Source, dateOf(info.Newest), dateOf(old.Newest)).
			WithRemedy("nothing was changed; --allow-older takes it all the same")
	}
	if old.Records >= shrinkFloor && info.Records < old.Records/2 {
		return pratique.Errorf(pratique.CodeInvalid, "%s would shrink from %d to %d records", info.Source, old.Records, info.Records).
			WithRemedy("check that the export is whole; nothing was changed; --allow-older takes it all the same")
	}
	return nil
}

func dateOf(t time.Time) string {
	if t.IsZero() {
		return "an unknown date"
	}
	return t.Format(time.DateTime)
}

// inForce returns the segment of a source in the bundle in force, or nil.
func (m *merger) inForce(source string) *segmentInfo {
	if m.old == nil {
		return nil
	}
	i := slices.IndexFunc(m.old.manifest.Segments, func(s segmentInfo) bool { return s.Source == source })
	if i < 0 {
		return nil
	}
	return &m.old.manifest.Segments[i]
}

// adopt adds the remaining segments of the bundle in force, and puts the new one
// in its place. The order of the steps makes an interruption harmless: the file
// is complete, synced and verified before anything points to it.
func (m *merger) adopt(ctx context.Context) (*Result, error) {
	if err := m.keepOthers(ctx); err != nil {
		return nil, err
	}
	digest, err := m.writer.finish(m.now)
	if err != nil {
		return nil, diskError(err)
	}
	if err := verifyFile(ctx, m.file.Name(), digest); err != nil {
		return nil, err
	}
	final := m.store.bundlePath(digest.Hex())
	if err := m.file.Chmod(0o644); err != nil { // the server and its users may differ
		return nil, diskError(err)
	}
	if err := os.Rename(m.file.Name(), final); err != nil {
		return nil, diskError(err)
	}
	history, err := m.store.history()
	if err != nil {
		return nil, err
	}
	history = slices.DeleteFunc(history, func(h string) bool { return h == digest.Hex() })
	history = slices.Insert(history, 0, digest.Hex())
	if err := m.store.point(history[:min(len(history), keptBundles)]); err != nil {
		return nil, err
	}
	m.store.prune()
	status, err := m.store.Status()
	if err != nil {
		return nil, err
	}
	m.result.Status = *status
	return &m.result, nil
}

func (m *merger) keepOthers(ctx context.Context) error {
	if m.old == nil {
		return nil
	}
	for i, info := range m.old.manifest.Segments {
		if m.taken[info.Source] {
			continue
		}
		if ctx.Err() != nil {
			return cancelled(ctx)
		}
		if m.same[info.Source] {
			info.Fetched = m.now.UTC()
		}
		data, err := m.old.verified(i)
		if err != nil {
			return damaged(m.old.path, err)
		}
		if err := m.writer.add(info, data); err != nil {
			return diskError(err)
		}
	}
	return nil
}

func verifyFile(ctx context.Context, file string, want pratique.Digest) error {
	b, err := Open(file)
	if err != nil {
		return err
	}
	defer b.Close()
	if b.Digest() != want {
		return pratique.Errorf(pratique.CodeInternal, "the new bundle reads back as %s, not %s", b.Digest().Short(), want.Short())
	}
	if err := b.Verify(ctx); err != nil {
		if ctx.Err() != nil {
			return cancelled(ctx)
		}
		return err
	}
	return nil
}

// point writes the pointer file: beside it first, synced, then renamed over it.
func (s *Store) point(history []string) error {
	f, err := os.CreateTemp(s.dir, "import-current-*")
	if err != nil {
		return diskError(err)
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(strings.Join(history, "\n") + "\n")
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(s.dir, currentFile))
	}
	if err == nil {
		err = syncFolder(s.dir)
	}
	if err != nil {
		return diskError(err)
	}
	return nil
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// prune removes bundles that are no longer in the history. A failure costs disk
// space only, and the next import tries again.
func (s *Store) prune() {
	history, err := s.history()
	if err != nil {
		return
	}
	files, _ := filepath.Glob(filepath.Join(s.dir, "*.bundle"))
	for _, f := range files {
		if !slices.Contains(history, strings.TrimSuffix(filepath.Base(f), ".bundle")) {
			os.Remove(f)
		}
	}
}
