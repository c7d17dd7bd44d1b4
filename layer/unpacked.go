package layer

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

	"golang.org/x/sys/unix"

	"github.com/pratique/pratique"
)

// Unpacked is a layer as a local engine keeps it to run containers from: not as
// a blob, but with its files in a folder.
//
// Its facts are attested by this host and not verified, because a folder has no
// digest. Engines that keep a recipe of the layer's tar (docker and podman do)
// let it be verified all the same, by reading every file.
type Unpacked struct {
	// Root is the folder. It was opened before anything was read, so that a folder
	// which takes its place later is not mistaken for it.
	Root *os.Root
	// Split opens the recipe, as github.com/vbatts/tar-split writes it: every byte of
	// the tar but the contents of files. Nil: the engine keeps none, and the folder is
	// read with overlayfs' own marks of what is deleted.
	Split func() (io.ReadCloser, error)
	// Kept tells why the engine let go of the layer, or nil. It is asked when a file
	// is missing: an image that is removed while it is read is no damaged one.
	Kept func() error
}

// Close closes the folder.
func (u *Unpacked) Close() error { return u.Root.Close() }

// Verifiable tells whether the layer's tar can be put together again.
func (u *Unpacked) Verifiable() bool { return u.Split != nil }

// ReadUnpacked takes a layer through the pass that lies in a folder. When verify
// is set and the layer can be verified, everything is read, and the result is as
// Read's. Else only what analyzers want is read, Facts.Verified is unset, and
// Result has no digests. progress is told the bytes of the tar, read or not.
func (p *Pass) ReadUnpacked(ctx context.Context, u *Unpacked, want pratique.Layer, verify bool, progress func(int64)) (Result, error) {
	if verify && u.Verifiable() {
		want.Digest = "" // of a blob, compressed as the registry had it
		r, err := p.Read(ctx, u.tar(p.Limits), want, progress)
		return r, u.explain(err)
	}
	c := newCollector(p)
	err := p.readUnpacked(ctx, u, c, progress)
	if !c.wait(ctx) {
		return Result{}, stopped(ctx)
	}
	result := Result{Facts: c.facts()}
	for i := range result.Facts {
		result.Facts[i].DiffID = want.DiffID
	}
	return result, u.explain(err)
}

func (p *Pass) readUnpacked(ctx context.Context, u *Unpacked, c *collector, progress func(int64)) error {
	body, err := u.entries(p.Limits, c, progress)
	if err != nil {
		return err
	}
	err = p.walk(ctx, cancellable{ctx, body}, c)
	c.entries.Bytes = body.bytes()
	body.close()
	if err == nil && len(c.relink) > 0 {
		if body, err = u.entries(p.Limits, c, nil); err == nil {
			err = p.walkLinked(ctx, cancellable{ctx, body}, c)
			body.close()
		}
	}
	if err == nil && u.Kept != nil && (c.lost || u.Split == nil) {
		// Files that went missing with the image are no problems of the image. A walk
		// over a folder that is being removed does not even miss them.
		err = u.Kept()
	}
	return err
}

// unpackedEntries are entries that come from a folder.
type unpackedEntries interface {
	entries
	bytes() int64 // of the tar, until now
	close()
}

func (u *Unpacked) entries(limits Limits, c *collector, progress func(int64)) (unpackedEntries, error) {
	if u.Split == nil {
		return newDiffEntries(u, c, progress), nil
	}
	recipe, err := u.Split()
	if err != nil {
		return nil, recipeError(err)
	}
	return newSplitEntries(u, recipe, limits, progress)
}

// explain finds the reason behind an error: that the image was removed.
func (u *Unpacked) explain(err error) error {
	if err != nil && u.Kept != nil && pratique.CodeOf(err) != pratique.CodeCancelled {
		if gone := u.Kept(); gone != nil {
			return gone
		}
	}
	return err
}

// cancellable ends with its context, between two entries.
type cancellable struct {
	ctx context.Context
	entries
}

func (c cancellable) next() (*tar.Header, io.Reader, error) {
	if c.ctx.Err() != nil {
		return nil, nil, stopped(c.ctx)
	}
	return c.entries.next()
}

// problem tells a lost file to people.
func (l *lostFile) problem() pratique.Problem {
	problem := unreadable(l.name, l.err)
	switch {
	case errors.Is(l.err, fs.ErrPermission):
		return problem
	case errors.Is(l.err, errChanged):
		problem.Message = "the file in the engine's folder is not what the layer had: " + l.err.Error()
	case errors.Is(l.err, fs.ErrNotExist):
		problem.Message = "the file is missing from the engine's folder"
	}
	problem.Code, problem.Remedy = pratique.CodeCorrupt, "find out who changed the engine's folder, and pull the image again"
	return problem
}

// errChanged is a file that differs from the layer's.
var errChanged = errors.New("it was changed on this host")

// tree opens files below a root. Consecutive names mostly share their folder,
// which is kept open, so that opening costs one system call and not one for each
// element of the path. No link leads out of the root.
type tree struct {
	root   *os.Root
	folder string   // whose root parent is
	parent *os.Root // nil: none was asked for yet
	dir    *os.File // parent, for what a descriptor does faster
}

func (t *tree) close() {
	if t.dir != nil {
		t.dir.Close()
	}
	if t.parent != nil && t.parent != t.root {
		t.parent.Close()
	}
	t.parent, t.dir = nil, nil
}

// in returns the folder that name is in, and its last element.
func (t *tree) in(name string) (*os.Root, string, error) {
	folder, base := path.Split(name)
	if base == "" || base == "." || base == ".." {
		return nil, "", fs.ErrInvalid
	}
	folder = strings.TrimSuffix(folder, "/")
	if t.parent != nil && folder == t.folder {
		return t.parent, base, nil
	}
	t.close()
	parent := t.root
	if folder != "" {
		var err error
		if parent, err = t.root.OpenRoot(folder); err != nil {
			return nil, "", err
		}
	}
	t.folder, t.parent = folder, parent
	return parent, base, nil
}

// open opens a regular file of the given size in bytes; -1 for any. It is a
// descriptor: of most files the first bytes are read and no more, and an os.File
// costs twice as much as that.
func (t *tree) open(name string, size int64) (fd int, err error) {
	parent, base, err := t.in(name)
	if err != nil {
		return -1, err
	}
	if t.dir == nil {
		if t.dir, err = parent.Open("."); err != nil {
			return -1, err
		}
	}
	// base is one name, so not to follow it is not to leave the folder. Non-blocking,
	// should a FIFO have taken the file's place.
	err = uninterrupted(func() (err error) {
		fd, err = unix.Openat(int(t.dir.Fd()), base, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		return err
	})
	if err != nil {
		return -1, err
	}
	var st unix.Stat_t
	switch err = unix.Fstat(fd, &st); {
	case err != nil:
	case st.Mode&unix.S_IFMT != unix.S_IFREG:
		err = fmt.Errorf("%w: it is no regular file", errChanged)
	case size >= 0 && st.Size != size:
		err = fmt.Errorf("%w: it has %d bytes instead of %d", errChanged, st.Size, size)
	default:
		return fd, nil
	}
	unix.Close(fd)
	return -1, err
}

// uninterrupted does a system call again for as long as a signal comes in between.
func uninterrupted(call func() error) error {
	for {
		if err := call(); err != unix.EINTR {
			return err
		}
	}
}

// lazyFile is a file of a tree that is opened when it is first read, which most
// are for their first bytes only. Its errors are *lostFile.
type lazyFile struct {
	tree *tree
	name string // as the folder has it
	size int64  // as the layer has it
	fd   int    // -1: not open
	read int64
	err  error
}

func newLazyFile(t *tree) lazyFile { return lazyFile{tree: t, fd: -1} }

func (l *lazyFile) Read(p []byte) (n int, err error) {
	if l.err != nil || len(p) == 0 {
		return 0, l.err
	}
	if l.fd < 0 {
		if l.fd, err = l.tree.open(l.name, l.size); err != nil {
			return 0, l.lost(err)
		}
	}
	err = uninterrupted(func() (err error) {
		n, err = unix.Read(l.fd, p)
		return err
	})
	switch {
	case err != nil:
		return 0, l.lost(err)
	case n > 0:
		l.read += int64(n)
		return n, nil
	case l.read < l.size:
		return 0, l.lost(fmt.Errorf("%w: it shrank", errChanged))
	}
	return 0, io.EOF
}

func (l *lazyFile) lost(err error) error {
	l.err = &lostFile{l.name, err}
	return l.err
}

// take hands the open file over to whoever closes it; some of it has been read.
func (l *lazyFile) take() *os.File {
	f := os.NewFile(uintptr(l.fd), l.name)
	l.fd = -1
	return f
}

func (l *lazyFile) close() {
	if l.fd >= 0 {
		unix.Close(l.fd)
		l.fd = -1
	}
}

// reset makes it another file.
func (l *lazyFile) reset(name string, size int64) {
	l.close()
	*l = lazyFile{tree: l.tree, name: name, size: size, fd: -1}
}
