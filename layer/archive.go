package layer

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/bzip2"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/klauspost/compress/zip"
	"github.com/klauspost/compress/zstd"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/analyze"
	"github.com/pratique/pratique/layer/inflate"
	"github.com/pratique/pratique/layer/sevenzip"
)

// What an archive inside a layer may cost. The counts run over the outermost
// archive with everything nested in it.
const (
	archiveDepth   = 6
	archiveMembers = 200_000
	archiveBytes   = 4 << 30
	bombFrom       = 64 << 20 // bytes from which the ratio is looked at
	bombRatio      = 200
	memberBuffer   = 2 << 20 // a larger member is spilled
)

type kind int

const (
	notArchive kind = iota
	zipArchive
	tarArchive
	debPackage // an ar archive with tars in it
	gzipFile
	xzFile
	zstdFile
	bzip2File
	sevenZipArchive
	rarArchive // recognised, and not opened
)

// archiveKind recognises an archive by its first bytes.
func archiveKind(head []byte) kind {
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return zipArchive
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b, 8}):
		return gzipFile
	case bytes.HasPrefix(head, []byte(xzMagic)):
		return xzFile
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return zstdFile
	case len(head) >= 10 && string(head[:3]) == "BZh" && string(head[4:10]) == "1AY&SY": // the digits of pi begin a block
		return bzip2File
	case bytes.HasPrefix(head, []byte(arMagic+"debian-binary")): // other ar archives are static libraries
		return debPackage
	case bytes.HasPrefix(head, []byte(sevenzip.Magic)):
		return sevenZipArchive
	case bytes.HasPrefix(head, []byte("Rar!\x1a\x07")):
		return rarArchive
	case len(head) >= 262 && string(head[257:262]) == "ustar":
		return tarArchive
	}
	return notArchive
}

// An expansion walks one archive and all that are nested in it.
type expansion struct {
	pass     *Pass
	ctx      context.Context
	facts    []pratique.Facts // by analyzer
	problems []pratique.Problem
	size     int64 // of the outermost archive
	members  int
	bytes    int64
}

var (
	errBomb    = errors.New("it inflates like a decompression bomb")
	errBytes   = fmt.Errorf("it holds more than %d GiB", archiveBytes>>30)
	errMembers = fmt.Errorf("it has more than %d members", archiveMembers)
	errDepth   = fmt.Errorf("archives are nested more than %d deep", archiveDepth)
	errLocked  = errors.New("it is encrypted")
	errRAR     = errors.New("RAR archives are not opened")
)

// expand offers the members of an archive to the analyzers that look inside.
func (p *Pass) expand(ctx context.Context, j *job) {
	e := &expansion{pass: p, ctx: ctx, facts: make([]pratique.Facts, len(p.Analyzers)), size: j.content.size}
	var head [analyze.SniffLen]byte
	n, _ := j.content.ReadAt(head[:], 0)
	e.note(j.file.Path, e.safely(j.file.Path, archiveKind(head[:n]), j.content))
	for i, facts := range e.facts {
		j.collector.add(i+1, j.order, j.file.Path, facts)
	}
	j.collector.add(0, j.order, j.file.Path, pratique.Facts{Problems: e.problems})
}

// note tells of an archive that was not read to its end.
func (e *expansion) note(path string, err error) {
	if err != nil && len(e.problems) < maxProblems {
		e.problems = append(e.problems, archiveProblem(err, path))
	}
}

// ends tells errors that end the whole expansion from those of one member, next
// to which the others still count.
func ends(err error) bool {
	code := pratique.CodeOf(err)
	return errors.Is(err, errBomb) || errors.Is(err, errBytes) || errors.Is(err, errMembers) || code == pratique.CodeDisk ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// archiveProblem: a limit hides content, so the answer is partial; a malformed
// archive is mostly somebody's test data, and a lock keeps out the machine that
// runs the image as well.
func archiveProblem(err error, path string) pratique.Problem {
	problem := fileProblem(err, "archive", path)
	problem.Message = oneLine(fmt.Sprintf("an archive was not read to its end: %v", err))
	switch {
	case errors.Is(err, errBomb), errors.Is(err, errBytes), errors.Is(err, errMembers), errors.Is(err, errDepth):
		problem.Code, problem.Partial = pratique.CodeLimit, true
	case errors.Is(err, errLocked), errors.Is(err, errRAR), errors.Is(err, sevenzip.ErrEncrypted), errors.Is(err, sevenzip.ErrMethod):
		problem.Code = pratique.CodeUnsupported
	}
	return problem
}

func (e *expansion) safely(name string, k kind, c analyze.Content) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = panicError(v)
		}
	}()
	return e.archive(name, k, c, 1)
}

func (e *expansion) archive(name string, k kind, c analyze.Content, depth int) error {
	if depth > archiveDepth {
		return errDepth
	}
	r := io.NewSectionReader(c, 0, c.Size())
	switch k {
	case zipArchive:
		return e.zip(name, c, depth)
	case tarArchive:
		return e.tar(name, r, depth)
	case debPackage:
		return e.deb(name, r, depth)
	case sevenZipArchive:
		return e.sevenZip(name, c, depth)
	case rarArchive:
		return errRAR
	}
	return e.compressed(name, k, r, depth)
}

func (e *expansion) zip(name string, c analyze.Content, depth int) error {
	zr, err := analyze.OpenZip(c)
	if err != nil {
		return err
	}
	var bad error // the first of the members that could not be read
	for _, f := range zr.File {
		if e.members++; e.members > archiveMembers {
			return errMembers
		}
		if !f.Mode().IsRegular() || f.UncompressedSize64 == 0 {
			continue
		}
		if err := e.zipMember(name, f, depth); err != nil && ends(err) {
			return err
		} else if bad == nil {
			bad = err
		}
	}
	return bad
}

func (e *expansion) zipMember(name string, f *zip.File, depth int) error {
	if f.Flags&1 != 0 {
		return errLocked
	}
	r, err := f.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	return e.member(memberName(name, f.Name), f.Mode(), &bombGuard{r, e}, depth)
}

// sevenZipLimits: an archive whose code is split in four has dictionaries for three of
// them, two of them small.
var sevenZipLimits = sevenzip.Limits{Header: 24 << 20, Files: archiveMembers, Window: memberWindow + memberWindow/8}

func (e *expansion) sevenZip(name string, c analyze.Content, depth int) error {
	z, err := sevenzip.Open(c, c.Size(), sevenZipLimits)
	if err != nil {
		return err
	}
	e.members += z.Empty
	var bad error // the first of the folders that could not be read
	for i := range z.Folders {
		if len(z.Folders[i].Files) == 0 {
			continue
		}
		if err := e.sevenZipFolder(name, &z.Folders[i], depth); err != nil && ends(err) {
			return err
		} else if bad == nil {
			bad = err
		}
	}
	return bad
}

// sevenZipFolder reads files that follow each other in one stream.
func (e *expansion) sevenZipFolder(name string, folder *sevenzip.Folder, depth int) error {
	r, err := folder.Open()
	if err != nil {
		return err
	}
	stream := &bombGuard{r, e}
	for _, f := range folder.Files {
		if e.members++; e.members > archiveMembers {
			return errMembers
		}
		if err := e.member(memberName(name, f.Name), f.Mode, io.LimitReader(stream, f.Size), depth); err != nil {
			return err
		}
	}
	return nil
}

func (e *expansion) tar(name string, r io.Reader, depth int) error {
	tr := tar.NewReader(r)
	for {
		h, err := tr.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			return err
		}
		if e.members++; e.members > archiveMembers {
			return errMembers
		}
		// A sparse file's size is a claim that costs its author nothing.
		if h.Typeflag != tar.TypeReg || h.Size == 0 || isSparse(h) {
			continue
		}
		if err := e.member(memberName(name, h.Name), h.FileInfo().Mode(), tr, depth); err != nil {
			return err
		}
	}
}

// compressed is one compressed file, or a tar: then its members count as those
// of the compressed file.
func (e *expansion) compressed(name string, k kind, r io.Reader, depth int) error {
	zr, err := decompressor(k, r)
	if err != nil {
		return err
	}
	defer zr.Close()
	if e.members++; e.members > archiveMembers {
		return errMembers
	}
	inflated := bufio.NewReaderSize(&bombGuard{zr, e}, 32<<10)
	if head, _ := inflated.Peek(analyze.SniffLen); archiveKind(head) == tarArchive {
		return e.tar(name, inflated, depth)
	}
	return e.member(memberName(name, uncompressedName(path.Base(name))), 0o644, inflated, depth)
}

// decompressor opens a compressed file. Each decoder has a bound on the memory
// that a header may ask it for.
func decompressor(k kind, r io.Reader) (io.ReadCloser, error) {
	switch k {
	case gzipFile:
		return inflate.NewReader(r)
	case xzFile:
		return io.NopCloser(newXZReader(r)), nil
	case zstdFile:
		zr, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(memberWindow), zstd.WithDecoderMaxMemory(memberWindow))
		if err != nil {
			return nil, err
		}
		return zr.IOReadCloser(), nil
	}
	return io.NopCloser(bzip2.NewReader(r)), nil
}

// memberWindow bounds the window of a compressed file, in bytes: xz -9 asks for
// as much.
const memberWindow = 64 << 20

// uncompressedName is the name that a file had before it was compressed.
func uncompressedName(name string) string {
	for _, suffix := range [...]string{".gz", ".tgz", ".xz", ".zst", ".bz2"} {
		if rest, ok := strings.CutSuffix(name, suffix); ok && rest != "" {
			return rest
		}
	}
	return name
}

// bombGuard counts what inflating gives, whatever sizes the archive claims.
type bombGuard struct {
	r io.Reader
	e *expansion
}

func (b *bombGuard) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if grown := b.e.grow(int64(n)); grown != nil {
		return n, grown
	}
	return n, err
}

func (e *expansion) grow(n int64) error {
	e.bytes += n
	switch {
	case e.bytes > archiveBytes:
		return errBytes
	case e.bytes > bombFrom && e.bytes/max(e.size, 1) > bombRatio:
		return errBomb
	}
	return e.ctx.Err()
}

// memberName joins an archive and a member, whose name is the archive's to choose.
func memberName(archive, member string) string {
	if len(member) > maxName {
		member = member[:maxName]
	}
	// Nested deep, long names would add up.
	if len(archive) > maxName {
		archive = strings.ToValidUTF8(archive[:maxName], "")
	}
	clean := strings.TrimPrefix(path.Clean("/"+strings.ToValidUTF8(member, "�")), "/")
	return archive + pratique.NestedSeparator + clean
}

// member reads one member and offers it; an archive is opened in its turn.
func (e *expansion) member(name string, mode fs.FileMode, r io.Reader, depth int) error {
	if err := e.ctx.Err(); err != nil {
		return err
	}
	body, err := e.read(r)
	if err != nil {
		return err
	}
	defer body.release()
	if body.size == 0 {
		return nil
	}
	head := make([]byte, min(body.size, analyze.SniffLen))
	if _, err := body.ReadAt(head, 0); err != nil && err != io.EOF {
		return err
	}
	f := analyze.File{Path: name, Size: body.size, Mode: mode, Head: head}
	for i, a := range e.pass.Analyzers {
		if e.pass.nested&(1<<i) == 0 || !a.Wants(&f) {
			continue
		}
		var facts pratique.Facts
		if err := analyzeSafely(e.ctx, a, &f, body, &facts); err != nil {
			facts.Problems = append(facts.Problems, fileProblem(err, a.Name(), name))
		}
		merge(&e.facts[i], facts)
	}
	if k := archiveKind(head); k != notArchive {
		err := e.archive(name, k, body, depth+1)
		if err != nil && ends(err) {
			return err
		}
		e.note(name, err)
	}
	return nil
}

// read takes a member into memory, or onto disk when it is large. It does not
// share the layers' memory bound: a worker that waited for it while holding the
// archive would wait for itself.
func (e *expansion) read(r io.Reader) (*content, error) {
	c := &content{scratch: e.pass.Scratch, memory: e.pass.memory}
	buf := c.memory.member()
	n, err := io.CopyN(buf, r, memberBuffer)
	if err == io.EOF {
		c.data, c.Reader, c.size, c.member = buf.Bytes(), bytes.NewReader(buf.Bytes()), n, buf
		return c, nil
	}
	if err == nil {
		err = c.spill("member-*", io.MultiReader(buf, r))
	}
	c.memory.putMember(buf)
	if err != nil {
		return nil, err
	}
	return c, nil
}
