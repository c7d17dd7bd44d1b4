package layer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/analyze"
)

// ReadFolder takes a root file system in a folder through the pass, as if it
// were a layer of its own. Nothing outside the folder is opened, whatever its
// links say; FIFOs, sockets and devices are not opened at all; proc and sys of
// a running system are left out. progress is told the entries seen so far.
func (p *Pass) ReadFolder(ctx context.Context, folder string, progress func(entries int64)) (Result, error) {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return Result{}, folderError(err)
	}
	defer root.Close()
	c := newCollector(p)
	err = p.walkFolder(ctx, root, c, progress)
	if !c.wait(ctx) {
		return Result{}, stopped(ctx)
	}
	return Result{Facts: c.facts()}, err
}

func folderError(err error) error {
	code := pratique.CodeInvalid
	if errors.Is(err, fs.ErrNotExist) {
		code = pratique.CodeNotFound
	}
	return pratique.Errorf(code, "cannot open the folder: %w", err).WithRemedy("check the path, and that you may read it")
}

func (p *Pass) walkFolder(ctx context.Context, root *os.Root, c *collector, progress func(int64)) error {
	return fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return stopped(ctx)
		}
		if err != nil {
			c.problem(unreadable(name, err))
			return nil
		}
		if name == "." {
			return nil
		}
		if c.entries.Count++; c.entries.Count > p.Limits.Entries {
			return pratique.Errorf(pratique.CodeLimit, "the folder has more than %d entries", p.Limits.Entries)
		}
		if progress != nil {
			progress(c.entries.Count)
		}
		if c.kept > maxKept {
			return pratique.Errorf(pratique.CodeLimit, "the names of links in the folder take more than %d MiB", maxKept>>20)
		}
		fact, _ := cleanPath(name)
		switch {
		case d.IsDir():
			if isVirtual(root, name) {
				return fs.SkipDir
			}
			c.dirs = append(c.dirs, pratique.NameHash(fact))
			return nil
		case d.Type() == fs.ModeSymlink:
			if target, err := root.Readlink(name); err == nil {
				c.symlink(fact, target)
			}
		case d.Type().IsRegular():
			err = p.offerFile(ctx, root, name, fact, c)
		}
		c.files = append(c.files, pratique.NameHash(fact))
		return err
	})
}

func unreadable(name string, err error) pratique.Problem {
	cause := err
	var known *fs.PathError // which names the file again
	if errors.As(err, &known) {
		cause = known.Err
	}
	name, _ = cleanPath(name)
	return pratique.Problem{Code: pratique.CodeUnauthorized, Path: name, Partial: true,
		Message: oneLine(fmt.Sprintf("cannot be read: %v", cause)), Remedy: "run as a user who may read it"}
}

// isVirtual recognises the kernel's file systems below a live root.
func isVirtual(root *os.Root, name string) bool {
	if name != "proc" && name != "sys" {
		return false
	}
	dir, err := root.Open(name)
	if err != nil {
		return false
	}
	defer dir.Close()
	var st syscall.Statfs_t
	if syscall.Fstatfs(int(dir.Fd()), &st) != nil {
		return false
	}
	const procMagic, sysMagic = 0x9fa0, 0x62656572 // statfs(2)
	return int64(st.Type) == procMagic || int64(st.Type) == sysMagic
}

// offerFile opens the file name, whose facts go by the path fact.
func (p *Pass) offerFile(ctx context.Context, root *os.Root, name, fact string, c *collector) (err error) {
	defer func() {
		if v := recover(); v != nil { // an analyzer, asked whether it wants the file
			c.problem(fileProblem(panicError(v), "", fact))
		}
	}()
	// Non-blocking, should a FIFO have taken the file's place since it was listed.
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		c.problem(unreadable(name, err))
		return nil
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return nil
	}
	err = p.offer(ctx, analyze.File{Path: fact, Size: info.Size(), Mode: info.Mode()}, f, c)
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return nil // it shrank while we looked: what writes to it is still running
	}
	var bad *fs.PathError
	if errors.As(err, &bad) {
		c.problem(unreadable(name, err))
		return nil
	}
	return err
}
