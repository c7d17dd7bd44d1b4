package layer

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/analyze"
)

// EntriesName is the name under which a layer's own structure is kept, beside
// the analyzers' facts.
const EntriesName = "entries"

// entriesVersion changes when the structure does, or which archives are opened:
// a layer whose entries have another version is read again.
const entriesVersion = "4"

// A Pass reads layers for a fixed set of analyzers. Make one with NewPass; any
// number of layers may go through it at once and share its workers and memory.
type Pass struct {
	Analyzers []analyze.Analyzer
	Limits    Limits
	Scratch   string // folder for spilled files

	memory *memory
	jobs   chan *job
	nested uint64 // analyzers that want members of archives, as bits
}

// NewPass starts the workers; Close ends them. scratch is a folder of ours.
func NewPass(analyzers []analyze.Analyzer, limits Limits, scratch string) *Pass {
	p := &Pass{Analyzers: analyzers, Limits: limits.withDefaults(), Scratch: scratch}
	p.memory = newMemory(p.Limits.Memory)
	for i, a := range analyzers {
		if n, ok := a.(analyze.Nester); ok && n.Nested() {
			p.nested |= 1 << i
		}
	}
	p.jobs = make(chan *job, 64)
	for range runtime.GOMAXPROCS(0) {
		go p.work()
	}
	return p
}

// Close ends the workers. No layer may be under way.
func (p *Pass) Close() { close(p.jobs) }

// Has tells whether an analyzer of that name takes part.
func (p *Pass) Has(name string) bool {
	return slices.ContainsFunc(p.Analyzers, func(a analyze.Analyzer) bool { return a.Name() == name })
}

// Keys lists what a complete reading of a layer yields, as (name, version).
func (p *Pass) Keys() [][2]string {
	keys := [][2]string{{EntriesName, entriesVersion}}
	for _, a := range p.Analyzers {
		keys = append(keys, [2]string{a.Name(), a.Version()})
	}
	return keys
}

// Result is what became of one layer.
type Result struct {
	// Facts holds one element for each of Keys, in that order. After an error it
	// holds what had been read until then, with Verified unset.
	Facts  []pratique.Facts
	Digest pratique.Digest // of the blob, computed
	DiffID pratique.Digest // of the tar, computed
}

// Source yields a layer's blob. It may be asked twice.
type Source func(context.Context) (io.ReadCloser, error)

// Read takes one layer through the pass. want.Digest and want.DiffID are
// verified when they are known. progress, if not nil, is told the bytes of the
// blob that were read so far, from a goroutine of the pass.
//
// An error concerns the whole layer: truncated, corrupt, over a limit, or
// cancelled. Trouble with single files is in Facts.Problems. When ctx is done,
// Read returns at once and without facts; analyzers that are in the middle of a
// file may go on for a moment.
func (p *Pass) Read(ctx context.Context, blob Source, want pratique.Layer, progress func(int64)) (Result, error) {
	c := newCollector(p)
	result, err := p.readTar(ctx, blob, want, c, progress)
	if err == nil && len(c.relink) > 0 {
		err = p.readLinked(ctx, blob, c, result.DiffID)
	}
	if !c.wait(ctx) {
		return Result{}, stopped(ctx)
	}
	if err != nil && pratique.CodeOf(err) == pratique.CodeCorrupt && result.DiffID != "" {
		c.discard()
	}
	result.Facts = c.facts()
	for i := range result.Facts {
		result.Facts[i].DiffID = want.DiffID
		if result.DiffID != "" {
			result.Facts[i].DiffID = result.DiffID
		}
		result.Facts[i].Verified = err == nil
	}
	return result, err
}

func (p *Pass) readTar(ctx context.Context, blob Source, want pratique.Layer, c *collector, progress func(int64)) (Result, error) {
	body, err := blob(ctx)
	if err != nil {
		return Result{}, err
	}
	inner, cancel := context.WithCancel(ctx)
	s := newStream(inner, body, p.Limits, progress)
	err = p.walk(ctx, newTarEntries(s), c) // not inner: the workers may be at it for longer
	if err == nil {
		_, err = io.Copy(io.Discard, s) // the padding, which the digests cover
	}
	if err != nil {
		cancel()
	}
	closeErr := body.Close()
	s.wait()
	cancel()
	c.entries.Bytes = s.inflated.Load()
	if ctx.Err() != nil {
		return Result{}, stopped(ctx)
	}
	if err != nil {
		return Result{}, corrupt(err, "tar")
	}
	if closeErr != nil {
		return Result{}, closeErr
	}
	result := Result{}
	result.Digest, result.DiffID = s.digests()
	if err := mismatch("blob", want.Digest, result.Digest); err != nil {
		return result, err
	}
	return result, mismatch("diffID", want.DiffID, result.DiffID)
}

func stopped(ctx context.Context) error {
	return pratique.Errorf(pratique.CodeCancelled, "stopped: %w", context.Cause(ctx))
}

func mismatch(what string, want, got pratique.Digest) error {
	if want == "" || want == got {
		return nil
	}
	return pratique.Errorf(pratique.CodeCorrupt, "the layer's %s digest is %s, but %s was promised", what, got, want).
		WithRemedy("the content was changed or damaged on its way: pull or push the image again, and find out who changed it")
}

// walk offers every entry of a layer to the collector.
func (p *Pass) walk(ctx context.Context, layer entries, c *collector) error {
	for {
		h, content, err := layer.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if c.entries.Count++; c.entries.Count > p.Limits.Entries {
			return pratique.Errorf(pratique.CodeLimit, "the layer has more than %d entries", p.Limits.Entries)
		}
		err = p.entry(ctx, h, content, c)
		if lost := (*lostFile)(nil); errors.As(err, &lost) {
			c.lostFile(lost)
			err = nil
		}
		if err != nil {
			return err
		}
	}
}

// cleanPath turns an archive's name into a path of facts: relative to the root,
// without dot segments. ok is false for the root itself and for names that
// lead out of it.
//
// Facts are kept as JSON, so a name that is not UTF-8 is made so here, once, and
// is the same wherever it is compared. A folder whose name ends in "!" would
// read as an archive; it is written "%21".
func cleanPath(name string) (clean string, ok bool) {
	if needsCleaning(name) {
		name = path.Clean(strings.TrimLeft(name, "/"))
	}
	if !utf8.ValidString(name) {
		name = strings.ToValidUTF8(name, "�")
	}
	if strings.Contains(name, pratique.NestedSeparator) {
		name = strings.ReplaceAll(name, pratique.NestedSeparator, "%21/")
	}
	if name == "." || name == ".." || name == "" || strings.HasPrefix(name, "../") {
		return name, false
	}
	return name, true
}

// needsCleaning is false for nearly every name in practice, which saves path.Clean.
func needsCleaning(name string) bool {
	return name == "" || name[0] == '/' || name[0] == '.' || name[len(name)-1] == '/' ||
		strings.Contains(name, "//") || strings.Contains(name, "/.")
}

func (p *Pass) entry(ctx context.Context, h *tar.Header, r io.Reader, c *collector) (err error) {
	defer func() {
		if v := recover(); v != nil { // an analyzer, asked whether it wants the file
			c.problem(fileProblem(panicError(v), "", h.Name))
		}
	}()
	if h.Typeflag == tar.TypeXGlobalHeader {
		return nil // records about other entries, not a file
	}
	if c.kept > maxKept {
		return pratique.Errorf(pratique.CodeLimit, "the names of whiteouts and links in the layer take more than %d MiB", maxKept>>20)
	}
	if len(h.Name) > maxName {
		c.problem(pratique.Problem{Code: pratique.CodeLimit, Partial: true,
			Message: fmt.Sprintf("an entry's name has %d bytes; no file system takes more than %d, so it was left out", len(h.Name), maxName)})
		return nil
	}
	name, ok := cleanPath(h.Name)
	if !ok {
		if strings.HasPrefix(name, "..") {
			c.problem(pratique.Problem{Code: pratique.CodeCorrupt, Partial: true, Path: name,
				Message: "an entry's name leads out of the image, so it was left out",
				Remedy:  "no honest tool makes such a layer: find out where it comes from"})
		}
		return nil
	}
	if base := path.Base(name); strings.HasPrefix(base, ".wh.") {
		c.whiteout(path.Dir(name), base)
		return nil
	}
	switch h.Typeflag {
	case tar.TypeDir:
		c.dirs = append(c.dirs, pratique.NameHash(name))
		c.supersede(name)
	case tar.TypeReg, tar.TypeGNUSparse:
		c.files = append(c.files, pratique.NameHash(name))
		f := analyze.File{Path: name, Size: h.Size, Mode: h.FileInfo().Mode()}
		if isSparse(h) {
			return p.offerSparse(ctx, f, r, c)
		}
		return p.offer(ctx, f, r, c)
	case tar.TypeSymlink:
		c.files = append(c.files, pratique.NameHash(name))
		c.symlink(name, h.Linkname)
	case tar.TypeLink:
		c.files = append(c.files, pratique.NameHash(name))
		if target, ok := cleanPath(h.Linkname); ok && target != name {
			c.hardlink(p, name, target)
		}
	default: // devices, FIFOs: nothing to read, but they hide what is below
		c.files = append(c.files, pratique.NameHash(name))
		c.supersede(name)
	}
	return nil
}

// isSparse tells whether an entry has holes, in any of the formats of GNU tar:
// its own header, or pax records.
func isSparse(h *tar.Header) bool {
	if h.Typeflag == tar.TypeGNUSparse {
		return true
	}
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return false
}

// offerSparse counts the holes: they cost their author nothing, and no ratio of
// the layer tells of them.
func (p *Pass) offerSparse(ctx context.Context, f analyze.File, r io.Reader, c *collector) error {
	counted := &countingReader{r: r, n: &c.sparse}
	if c.sparse.Load() > p.Limits.File {
		c.supersede(f.Path)
		c.problem(pratique.Problem{Code: pratique.CodeLimit, Partial: true, Path: f.Path,
			Message: fmt.Sprintf("files with holes take more than %d MiB of the layer; this one is not analysed", p.Limits.File>>20)})
		return nil
	}
	return p.offer(ctx, f, counted, c)
}

// offer shows a regular file to the analyzers, and reads it if one wants it.
func (p *Pass) offer(ctx context.Context, f analyze.File, r io.Reader, c *collector) error {
	c.supersede(f.Path)
	if f.Size == 0 {
		return nil
	}
	f.Head = c.head[:min(f.Size, analyze.SniffLen)]
	if _, err := io.ReadFull(r, f.Head); err != nil {
		return err
	}
	wanted := p.wanted(&f)
	if wanted == 0 {
		return nil
	}
	if f.Size > p.Limits.File {
		c.problem(pratique.Problem{Code: pratique.CodeLimit, Partial: true, Path: f.Path,
			Message: fmt.Sprintf("the file has %d MiB; files over %d MiB are not analysed", f.Size>>20, p.Limits.File>>20)})
		return nil
	}
	body, err := p.readContent(ctx, f.Head, r, f.Size)
	if err != nil {
		if pratique.CodeOf(err) == pratique.CodeDisk {
			c.problem(pratique.Problem{Code: pratique.CodeDisk, Partial: true, Path: f.Path, Message: err.Error(), Remedy: "free some space, or point TMPDIR to a folder that has it"})
			return nil
		}
		return err
	}
	j := &job{ctx: ctx, collector: c, file: f, content: body, wanted: wanted, order: c.entries.Count}
	j.file.Head = nil
	c.see(f.Path, j.order, wanted)
	c.pending.Add(1)
	select {
	case p.jobs <- j:
		return nil
	case <-ctx.Done():
		j.done()
		return ctx.Err()
	}
}

// archiveBit is set when the pass itself wants a file, to look inside.
const archiveBit = 1 << 63

// wanted returns the analyzers that want f, as bits.
func (p *Pass) wanted(f *analyze.File) (bits uint64) {
	for i, a := range p.Analyzers {
		if a.Wants(f) {
			bits |= 1 << i
		}
	}
	if p.nested != 0 && archiveKind(f.Head) != notArchive {
		bits |= archiveBit
	}
	return bits
}

// readLinked reads a layer once more, for the contents of files that are only
// wanted under the name of a hard link to them. The bytes must be those of the
// first reading.
func (p *Pass) readLinked(ctx context.Context, blob Source, c *collector, diffID pratique.Digest) error {
	body, err := blob(ctx)
	if err != nil {
		return err
	}
	inner, cancel := context.WithCancel(ctx)
	s := newStream(inner, body, p.Limits, nil)
	defer func() {
		cancel()
		body.Close()
		s.wait()
	}()
	if err := p.walkLinked(ctx, newTarEntries(s), c); err != nil {
		return corrupt(err, "tar")
	}
	if _, err := io.Copy(io.Discard, s); err != nil {
		return corrupt(err, "tar")
	}
	s.wait()
	_, again := s.digests()
	return mismatch("diffID", diffID, again)
}

func (p *Pass) walkLinked(ctx context.Context, layer entries, c *collector) error {
	for order := int64(1); ; order++ {
		h, content, err := layer.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		name, ok := cleanPath(h.Name)
		if !ok || h.Typeflag != tar.TypeReg || isSparse(h) || h.Size == 0 || h.Size > p.Limits.File {
			continue
		}
		if links := c.relinks(name, order); len(links) > 0 {
			err := p.offerLinked(ctx, h, content, links, c, order)
			if lost := (*lostFile)(nil); errors.As(err, &lost) {
				c.lostFile(lost)
				err = nil
			}
			if err != nil {
				return err
			}
		}
	}
}

func (p *Pass) offerLinked(ctx context.Context, h *tar.Header, r io.Reader, links []string, c *collector, order int64) error {
	f := analyze.File{Size: h.Size, Mode: h.FileInfo().Mode()}
	head := make([]byte, min(f.Size, analyze.SniffLen))
	if _, err := io.ReadFull(r, head); err != nil {
		return err
	}
	body, err := p.readContent(ctx, head, r, f.Size)
	if err != nil {
		return err
	}
	defer body.release()
	ctx, cancel := context.WithTimeout(ctx, fileTime)
	defer cancel()
	for _, link := range links {
		f.Path, f.Head = link, head
		if wanted := p.wanted(&f); wanted != 0 {
			p.analyze(ctx, &job{collector: c, file: f, content: body, wanted: wanted, order: c.relinked(link, order)})
		}
	}
	return nil
}

// A job is one file for the analyzers that want it.
type job struct {
	ctx       context.Context // the layer's
	collector *collector
	file      analyze.File
	content   *content
	wanted    uint64
	order     int64
}

func (j *job) done() {
	j.content.release()
	j.collector.pending.Done()
}

// fileTime is how long the analyzers may take over one file.
const fileTime = 2 * time.Minute

func (p *Pass) work() {
	for j := range p.jobs {
		if j.ctx.Err() == nil {
			ctx, cancel := context.WithTimeout(j.ctx, fileTime)
			p.analyze(ctx, j)
			cancel()
		}
		j.done()
	}
}

func (p *Pass) analyze(ctx context.Context, j *job) {
	for i, a := range p.Analyzers {
		if j.wanted&(1<<i) == 0 {
			continue
		}
		var facts pratique.Facts
		if err := analyzeSafely(ctx, a, &j.file, j.content, &facts); err != nil {
			facts.Problems = append(facts.Problems, fileProblem(err, a.Name(), j.file.Path))
		}
		j.collector.add(i+1, j.order, j.file.Path, facts)
	}
	if j.wanted&archiveBit != 0 {
		p.expand(ctx, j)
	}
	if err := j.content.changed(); err != nil {
		lost := lostFile{j.file.Path, err}
		j.collector.add(0, j.order, j.file.Path, pratique.Facts{Problems: []pratique.Problem{lost.problem()}})
	}
}

// analyzeSafely makes a panic in a parser cost one file, not the scan, and of a look
// beyond the end of a mapped file that somebody shortened a panic.
func analyzeSafely(ctx context.Context, a analyze.Analyzer, f *analyze.File, c analyze.Content, facts *pratique.Facts) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if v := recover(); v != nil {
			err = panicError(v)
		}
	}()
	return a.Analyze(ctx, f, c, facts)
}

func panicError(v any) error {
	return pratique.Errorf(pratique.CodeInternal, "a parser failed: %v", v).
		WithRemedy("please report this with the file; the rest of the image was read")
}

// maxMessage bounds a problem's message, which may quote what it choked on.
const maxMessage = 300

// fileProblem turns an analyzer's error into a problem. An analyzer that lost
// facts which matter says so with a *pratique.Error, and one that ran out of
// time always did; any other error is a malformed file that only might have said
// something.
func fileProblem(err error, analyzer, path string) pratique.Problem {
	problem := pratique.Problem{Code: pratique.CodeCorrupt, Message: oneLine(err.Error()), Analyzer: analyzer, Path: path}
	var known *pratique.Error
	switch {
	case errors.As(err, &known):
		problem.Code, problem.Message, problem.Remedy, problem.Partial = known.Code, oneLine(known.Message), known.Remedy, true
	case errors.Is(err, context.DeadlineExceeded):
		problem.Code, problem.Partial = pratique.CodeLimit, true
		problem.Message = fmt.Sprintf("it was not read to its end within %v", fileTime)
	}
	return problem
}

// oneLine makes a message fit for a list: what is malformed gets quoted in errors.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			return ' '
		}
		return r
	}, s)
	if len(s) > maxMessage {
		s = strings.ToValidUTF8(s[:maxMessage], "") + "…"
	}
	return s
}
