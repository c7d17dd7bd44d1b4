package layer

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"runtime"
	"strings"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/analyze"
)

// EntriesName is the name under which a layer's own structure is kept, beside
// the analyzers' facts.
const EntriesName = "entries"

// entriesVersion changes when the structure does.
const entriesVersion = "1"

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
// cancelled. Trouble with single files is in Facts.Problems.
func (p *Pass) Read(ctx context.Context, blob Source, want pratique.Layer, progress func(int64)) (Result, error) {
	c := newCollector(p, want)
	result, err := p.readTar(ctx, blob, want, c, progress)
	if err == nil && len(c.relink) > 0 {
		err = p.readLinked(ctx, blob, c)
	}
	c.pending.Wait()
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
	err = p.walk(inner, s, c)
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
		return Result{}, pratique.Errorf(pratique.CodeCancelled, "stopped: %w", context.Cause(ctx))
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
		c.discard()
		return result, err
	}
	if err := mismatch("diffID", want.DiffID, result.DiffID); err != nil {
		c.discard()
		return result, err
	}
	return result, nil
}

func mismatch(what string, want, got pratique.Digest) error {
	if want == "" || want == got {
		return nil
	}
	return pratique.Errorf(pratique.CodeCorrupt, "the layer's %s digest is %s, but %s was promised", what, got, want).
		WithRemedy("the content was changed or damaged on its way: pull or push the image again, and find out who changed it")
}

// walk offers every entry of a tar to the collector.
func (p *Pass) walk(ctx context.Context, r io.Reader, c *collector) error {
	tr := tar.NewReader(r)
	for {
		h, err := tr.Next()
		if errors.Is(err, tar.ErrInsecurePath) {
			err = nil // names are checked below, whatever GODEBUG says
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if c.entries.Count++; c.entries.Count > p.Limits.Entries {
			return pratique.Errorf(pratique.CodeLimit, "the layer has more than %d entries", p.Limits.Entries)
		}
		if err := p.entry(ctx, h, tr, c); err != nil {
			return err
		}
	}
}

// cleanPath turns an archive's name into a path of facts: relative to the root,
// without dot segments. ok is false for the root itself and for names that
// lead out of it.
func cleanPath(name string) (clean string, ok bool) {
	if needsCleaning(name) {
		name = path.Clean(strings.TrimLeft(name, "/"))
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

func (p *Pass) entry(ctx context.Context, h *tar.Header, r io.Reader, c *collector) error {
	if len(h.Name) > maxName {
		c.problem(pratique.Problem{Code: pratique.CodeLimit, Partial: true,
			Message: fmt.Sprintf("an entry's name has %d bytes; no file system takes more than %d, so it was left out", len(h.Name), maxName)})
		return nil
	}
	name, ok := cleanPath(h.Name)
	if !ok {
		if strings.HasPrefix(name, "..") {
			c.problem(pratique.Problem{Code: pratique.CodeCorrupt, Partial: true, Path: strings.ToValidUTF8(h.Name, "�"),
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
		c.dirs = append(c.dirs, pratique.PathHash(name))
	case tar.TypeReg, tar.TypeGNUSparse:
		c.files = append(c.files, pratique.PathHash(name))
		return p.offer(ctx, analyze.File{Path: name, Size: h.Size, Mode: h.FileInfo().Mode()}, r, c)
	case tar.TypeSymlink:
		c.files = append(c.files, pratique.PathHash(name))
		c.symlink(name, h.Linkname)
	case tar.TypeLink:
		c.files = append(c.files, pratique.PathHash(name))
		if target, ok := cleanPath(h.Linkname); ok {
			c.hardlink(p, name, target)
		}
	default: // devices, FIFOs: nothing to read, but they hide what is below
		c.files = append(c.files, pratique.PathHash(name))
	}
	return nil
}

// offer shows a regular file to the analyzers, and reads it if one wants it.
func (p *Pass) offer(ctx context.Context, f analyze.File, r io.Reader, c *collector) error {
	if f.Size == 0 {
		c.supersede(f.Path)
		return nil
	}
	f.Head = c.head[:min(f.Size, analyze.SniffLen)]
	if _, err := io.ReadFull(r, f.Head); err != nil {
		return err
	}
	wanted := p.wanted(&f)
	if wanted == 0 {
		c.supersede(f.Path)
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
	j := &job{collector: c, file: f, content: body, wanted: wanted, order: c.entries.Count}
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
// wanted under the name of a hard link to them.
func (p *Pass) readLinked(ctx context.Context, blob Source, c *collector) error {
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
	tr := tar.NewReader(s)
	for order := c.entries.Count + 1; ; order++ {
		h, err := tr.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return corrupt(err, "tar")
		}
		name, ok := cleanPath(h.Name)
		if !ok || h.Typeflag != tar.TypeReg || h.Size == 0 || h.Size > p.Limits.File {
			continue
		}
		links := c.relink[name]
		if len(links) == 0 {
			continue
		}
		if err := p.offerLinked(ctx, h, tr, links, c, order); err != nil {
			return err
		}
	}
}

func (p *Pass) offerLinked(ctx context.Context, h *tar.Header, r io.Reader, links []string, c *collector, order int64) error {
	f := analyze.File{Size: h.Size, Mode: h.FileInfo().Mode()}
	head := make([]byte, min(f.Size, analyze.SniffLen))
	if _, err := io.ReadFull(r, head); err != nil {
		return corrupt(err, "tar")
	}
	body, err := p.readContent(ctx, head, r, f.Size)
	if err != nil {
		return err
	}
	defer body.release()
	for _, link := range links {
		f.Path, f.Head = link, head
		if wanted := p.wanted(&f); wanted != 0 {
			c.see(link, order, wanted)
			p.analyze(ctx, &job{collector: c, file: f, content: body, wanted: wanted, order: order})
		}
	}
	return nil
}

// A job is one file for the analyzers that want it.
type job struct {
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
		ctx, cancel := context.WithTimeout(context.Background(), fileTime)
		p.analyze(ctx, j)
		cancel()
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
}

// analyzeSafely makes a panic in a parser cost one file, not the scan.
func analyzeSafely(ctx context.Context, a analyze.Analyzer, f *analyze.File, c analyze.Content, facts *pratique.Facts) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &pratique.Error{Code: pratique.CodeInternal, Message: fmt.Sprintf("a parser failed: %v", v),
				Remedy: "please report this with the file; the rest of the image was read"}
		}
	}()
	return a.Analyze(ctx, f, c, facts)
}

// fileProblem turns an analyzer's error into a problem. An analyzer that lost
// facts which matter says so with a *pratique.Error; any other error is a
// malformed file that only might have said something.
func fileProblem(err error, analyzer, path string) pratique.Problem {
	problem := pratique.Problem{Code: pratique.CodeCorrupt, Message: err.Error(), Analyzer: analyzer, Path: path}
	var known *pratique.Error
	if errors.As(err, &known) {
		problem.Code, problem.Message, problem.Remedy, problem.Partial = known.Code, known.Message, known.Remedy, true
	}
	return problem
}
