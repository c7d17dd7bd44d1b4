package source

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/pratique/pratique"
)

// Limits of an archive. A real one has three members a layer.
const (
	maxMembers    = 200_000
	maxMemberName = 512 // longer names cannot be a blob's, and are left out
	maxLinks      = 8   // links in a row
	maxSpool      = 128 << 30
	spoolStep     = 64 << 20
	spareDisk     = 128 << 20 // left free for others when we fill a scratch file
)

// blobs is where the parts of an image lie, by slash-separated relative name.
type blobs interface {
	// openBlob gives a part with random access; a missing one is fs.ErrNotExist.
	openBlob(name string) (*part, error)
}

// part is one file of an archive or layout.
type part struct {
	*io.SectionReader
	close func() error
}

func (p *part) Close() error { return p.close() }

// archive is a tar, indexed by its headers.
type archive struct {
	file    *os.File
	members map[string]member
}

// member is where a file's content lies in the tar, or which other member it is.
type member struct {
	offset, size int64
	link         string
}

// indexTar reads the headers of a tar and seeks over everything else.
func indexTar(ctx context.Context, f *os.File) (*archive, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, fileError(err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, fileError(err)
	}
	a := &archive{file: f, members: map[string]member{}}
	headers := tar.NewReader(f)
	for count := 0; ; count++ {
		if err := ctx.Err(); err != nil {
			return nil, cancelled(err)
		}
		if count > maxMembers {
			return nil, pratique.Errorf(pratique.CodeLimit, "the tar has more than %d members", maxMembers).
				WithRemedy("an image has few; to scan a file system, extract it and name the folder")
		}
		h, err := headers.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, tarError(err)
		}
		// archive/tar reads a file without buffering, so this is where content starts.
		at, err := f.Seek(0, io.SeekCurrent)
		if err != nil {
			return nil, fileError(err)
		}
		if h.Typeflag == tar.TypeReg && h.Size > info.Size()-at {
			return nil, tarError(io.ErrUnexpectedEOF)
		}
		a.add(h, at)
	}
	return a, nil
}

func (a *archive) add(h *tar.Header, at int64) {
	name := clean(h.Name)
	if len(h.Name) > maxMemberName || len(h.Linkname) > maxMemberName || isSparse(h) {
		return
	}
	switch h.Typeflag {
	case tar.TypeReg:
		a.members[name] = member{offset: at, size: h.Size}
	case tar.TypeLink:
		a.members[name] = member{link: clean(h.Linkname)}
	case tar.TypeSymlink: // old docker save: LAYER/layer.tar → ../OTHER/layer.tar
		if !path.IsAbs(h.Linkname) {
			a.members[name] = member{link: clean(path.Join(path.Dir(name), h.Linkname))}
		}
	}
}

// isSparse: the content of a sparse member is not one stretch of the tar.
func isSparse(h *tar.Header) bool {
	if h.Typeflag == tar.TypeGNUSparse {
		return true
	}
	for k := range h.PAXRecords {
		if strings.HasPrefix(k, "GNU.sparse.") {
			return true
		}
	}
	return false
}

func clean(name string) string { return strings.TrimPrefix(path.Clean("/"+name), "/") }

func (a *archive) openBlob(name string) (*part, error) {
	name = clean(name)
	for range maxLinks {
		m, ok := a.members[name]
		if !ok {
			return nil, fmt.Errorf("%w: %s", fs.ErrNotExist, name)
		}
		if m.link == "" {
			return &part{io.NewSectionReader(a.file, m.offset, m.size), func() error { return nil }}, nil
		}
		name = m.link
	}
	return nil, pratique.Errorf(pratique.CodeCorrupt, "links in the tar lead in circles").
		WithRemedy("save the image again")
}

func (a *archive) has(name string) bool {
	_, ok := a.members[name]
	return ok
}

func tarError(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fileError(io.ErrUnexpectedEOF)
	}
	if at := new(fs.PathError); errors.As(err, &at) {
		return fileError(err)
	}
	return pratique.Errorf(pratique.CodeCorrupt, "this is not a sound tar archive").
		WithRemedy("save the image again")
}

// readPart reads a small part whole.
func readPart(b blobs, name string, limit int64, what string) ([]byte, error) {
	p, err := b.openBlob(name)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, pratique.Errorf(pratique.CodeCorrupt, "%s is missing (%s)", what, quoteShort(name)).
				WithRemedy("save or copy the image again, completely")
		}
		return nil, fileError(err)
	}
	defer p.Close()
	content, err := readLimited(p, limit, what)
	if err != nil {
		return nil, fileError(err)
	}
	return content, nil
}

// openFile opens an archive, or a bill of materials, for what its first bytes
// show it to be.
func (o *Opened) openFile(ctx context.Context, t target, want pratique.Platform, opt Options) error {
	f, err := openRegular(t.path)
	if err != nil {
		return err
	}
	o.close = append(o.close, f.Close)
	form, err := sniff(f)
	if err != nil {
		return err
	}
	switch form {
	case formJSON, formXML, formTagValue:
		if t.forced {
			return pratique.Errorf(pratique.CodeInvalid, "this is a text document, not an archive").WithRemedy("write sbom:FILE for a bill of materials")
		}
		return o.openSBOM(t.path)
	case formGzip, formZstd:
		if f, err = o.spool(ctx, opt.Scratch, inflate(form, f)); err != nil {
			return err
		}
	case formXZ, formBzip2:
		return pratique.Errorf(pratique.CodeUnsupported, "the archive is compressed with xz or bzip2").WithRemedy("decompress it first (xz -d, bzip2 -d)")
	case formOther:
		return pratique.Errorf(pratique.CodeInvalid, "this is neither an image archive nor a bill of materials").
			WithRemedy("give a tar of `docker save`, an OCI layout, a CycloneDX or SPDX file, or a root file system's folder; for a registry write registry:REFERENCE")
	}
	a, err := indexTar(ctx, f)
	if err != nil {
		return err
	}
	return o.openArchive(ctx, a, t, want)
}

// openArchive prefers manifest.json, which docker save has always written.
func (o *Opened) openArchive(ctx context.Context, a *archive, t target, want pratique.Platform) error {
	docker, oci := a.has("manifest.json"), a.has("index.json")
	switch {
	case docker && t.kind != kindOCIArchive:
		return o.openDockerArchive(ctx, a, t.name, want)
	case oci && t.kind != kindDockerArchive:
		return o.openLayout(ctx, a, t.name, want)
	case docker || oci:
		return pratique.Errorf(pratique.CodeInvalid, "the archive is of another kind than the prefix says").WithRemedy("leave out the prefix")
	}
	return pratique.Errorf(pratique.CodeInvalid, "the tar holds no image: it has neither manifest.json nor index.json").
		WithRemedy("make it with `docker save`; to scan a file system, extract it and name the folder")
}

// spool writes a stream to a scratch file that has no name any more: it is gone
// with us, however we end.
func (o *Opened) spool(ctx context.Context, dir string, r io.Reader) (*os.File, error) {
	f, err := os.CreateTemp(dir, "pratique-*.tar")
	if err != nil {
		return nil, diskError(err)
	}
	o.close = append(o.close, f.Close)
	if err := os.Remove(f.Name()); err != nil {
		return nil, diskError(err)
	}
	var written int64
	for {
		if err := ctx.Err(); err != nil {
			return nil, cancelled(err)
		}
		if err := room(f, written); err != nil {
			return nil, err
		}
		n, err := io.CopyN(f, interruptible{ctx, r}, spoolStep)
		written += n
		switch {
		case err == io.EOF:
			return f, nil
		case ctx.Err() != nil:
			return nil, cancelled(ctx.Err())
		case err != nil:
			return nil, spoolError(err)
		}
	}
}

// interruptible stops reading when ctx ends.
type interruptible struct {
	ctx context.Context
	r   io.Reader
}

func (i interruptible) Read(p []byte) (int, error) {
	if err := i.ctx.Err(); err != nil {
		return 0, err
	}
	return i.r.Read(p)
}

// room keeps a decompression bomb from filling the disk.
func room(f *os.File, written int64) error {
	if written >= maxSpool {
		return pratique.Errorf(pratique.CodeLimit, "the archive inflates to more than %d GiB", maxSpool>>30).
			WithRemedy("decompress it by hand if it is genuine, and scan the tar")
	}
	var fs syscall.Statfs_t
	if err := syscall.Fstatfs(int(f.Fd()), &fs); err == nil && int64(fs.Bavail)*fs.Bsize < spoolStep+spareDisk {
		return diskError(syscall.ENOSPC)
	}
	return nil
}

func spoolError(err error) error {
	var own *pratique.Error
	var at *fs.PathError
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &at) && at.Op == "write":
		return diskError(err)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fileError(io.ErrUnexpectedEOF)
	}
	return pratique.Errorf(pratique.CodeCorrupt, "the archive's compression is damaged").
		WithRemedy("copy or save it again, completely")
}

func diskError(err error) error {
	e := pratique.Errorf(pratique.CodeDisk, "no scratch file can be written").
		WithRemedy("point TMPDIR to a folder with free space where this user may write")
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		e.Message = "the disk for scratch files is full"
		e.Remedy = "free some space, or point TMPDIR to a larger disk; an uncompressed archive needs none"
	}
	e.Cause = err
	return e
}

// inflate reads what form says; damage shows when it is read.
func inflate(form form, r io.Reader) io.Reader {
	if form == formGzip {
		return &lazily{open: func() (io.Reader, error) { return gzip.NewReader(r) }}
	}
	return &lazily{open: func() (io.Reader, error) {
		return zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(128<<20))
	}}
}

// lazily opens a reader at its first use, so that all errors come from Read.
type lazily struct {
	open func() (io.Reader, error)
	r    io.Reader
}

func (l *lazily) Read(p []byte) (n int, err error) {
	if l.r == nil {
		if l.r, err = l.open(); err != nil {
			return 0, err
		}
	}
	return l.r.Read(p)
}
