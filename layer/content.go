package layer

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sync/semaphore"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/analyze"
)

// memory hands out buffers for file content under one bound for all layers.
type memory struct {
	bound   *semaphore.Weighted
	classes [24]sync.Pool // by power of two, from 4 KiB
	members sync.Pool     // of *bytes.Buffer, for members of archives, which no bound holds
}

func newMemory(limit int64) *memory {
	return &memory{bound: semaphore.NewWeighted(limit)}
}

// class returns the index of the smallest buffer size that holds n bytes.
func class(n int64) (index int, size int64) {
	size = 4 << 10
	for size < n {
		size <<= 1
		index++
	}
	return index, size
}

func (m *memory) get(ctx context.Context, n int64) ([]byte, error) {
	if err := m.bound.Acquire(ctx, n); err != nil {
		return nil, err
	}
	i, size := class(n)
	if b, ok := m.classes[i].Get().(*[]byte); ok {
		return (*b)[:n], nil
	}
	return make([]byte, n, size), nil
}

func (m *memory) put(b []byte) {
	n := int64(len(b))
	i, _ := class(n)
	full := b[:0]
	m.classes[i].Put(&full)
	m.bound.Release(n)
}

// member returns a buffer for a member of an archive.
func (m *memory) member() *bytes.Buffer {
	if buf, ok := m.members.Get().(*bytes.Buffer); ok {
		return buf
	}
	return new(bytes.Buffer)
}

func (m *memory) putMember(buf *bytes.Buffer) {
	buf.Reset()
	m.members.Put(buf)
}

// content is a file's bytes: in a pooled buffer, in a file of the scratch folder, or,
// when it is large and lies in a folder of an engine, where it is.
type content struct {
	*bytes.Reader // in memory
	data          []byte
	file          *os.File    // spilled, or the engine's
	found         os.FileInfo // of the engine's, when it was opened
	size          int64
	scratch       string
	memory        *memory
	member        *bytes.Buffer // of a member of an archive: where data is
	digested      sync.Once
	digests       analyze.Digests
	digestsErr    error
}

// Digests implements analyze.Digester.
func (c *content) Digests() (analyze.Digests, error) {
	c.digested.Do(func() { c.digests, c.digestsErr = analyze.TakeDigests(c) })
	return c.digests, c.digestsErr
}

// readContent takes exactly size bytes: head, which was read already, and the
// rest from r.
func (p *Pass) readContent(ctx context.Context, head []byte, r io.Reader, size int64) (*content, error) {
	c := &content{size: size, scratch: p.Scratch, memory: p.memory}
	if size <= p.Limits.Buffer {
		b, err := p.memory.get(ctx, size)
		if err != nil {
			return nil, err
		}
		copy(b, head)
		if _, err := io.ReadFull(r, b[len(head):]); err != nil {
			p.memory.put(b)
			return nil, err
		}
		c.data, c.Reader = b, bytes.NewReader(b)
		return c, nil
	}
	if lazy, ok := r.(*lazyFile); ok {
		c.file = lazy.take()
		var err error
		if c.found, err = c.file.Stat(); err != nil {
			c.file.Close()
			return nil, lazy.lost(err)
		}
		return c, nil
	}
	if err := c.spill("spill-*", io.MultiReader(bytes.NewReader(head), io.LimitReader(r, size-int64(len(head))))); err != nil {
		return nil, err
	}
	if c.size < size {
		c.release()
		return nil, io.ErrUnexpectedEOF
	}
	return c, nil
}

// spill writes what r holds to a file of the scratch folder, whose content it is
// from then on.
func (c *content) spill(pattern string, r io.Reader) error {
	f, err := os.CreateTemp(c.scratch, pattern)
	if err != nil {
		return diskError(err)
	}
	if c.size, err = io.Copy(&diskWriter{f}, r); err != nil {
		f.Close()
		os.Remove(f.Name())
		return err
	}
	c.file = f
	return nil
}

// diskWriter tells a full disk apart from a truncated archive.
type diskWriter struct{ f *os.File }

func (w *diskWriter) Write(p []byte) (int, error) {
	n, err := w.f.Write(p)
	if err != nil {
		err = diskError(err)
	}
	return n, err
}

func diskError(err error) error {
	return pratique.Errorf(pratique.CodeDisk, "cannot write to the scratch folder: %w", err).
		WithRemedy("free some space, or point TMPDIR to a folder that has it")
}

func (c *content) Size() int64 { return c.size }

func (c *content) Bytes() ([]byte, bool) { return c.data, c.file == nil }

func (c *content) ReadAt(p []byte, off int64) (int, error) {
	if c.file != nil {
		return c.file.ReadAt(p, off)
	}
	return c.Reader.ReadAt(p, off)
}

func (c *content) File() *os.File { return c.file }

// changed tells whether the engine's file is no longer what was opened: nobody else
// writes to a file of the scratch folder, but to this one somebody may.
func (c *content) changed() error {
	if c.found == nil {
		return nil
	}
	now, err := c.file.Stat()
	if err == nil && (now.Size() != c.size || !now.ModTime().Equal(c.found.ModTime())) {
		err = fmt.Errorf("%w while it was read", errChanged)
	}
	return err
}

func (c *content) release() {
	if c.file != nil {
		c.file.Close()
		if c.found == nil {
			os.Remove(c.file.Name())
		}
		return
	}
	if c.member != nil {
		c.memory.putMember(c.member)
	} else {
		c.memory.put(c.data)
	}
	c.data, c.Reader = nil, nil
}

// Scratch makes a folder of our own for files that must be on disk, and returns
// how to remove it.
func Scratch() (dir string, remove func(), err error) {
	dir, err = os.MkdirTemp("", "pratique-")
	if err != nil {
		return "", nil, diskError(err)
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", nil, fmt.Errorf("scratch folder: %w", err)
	}
	return abs, func() { os.RemoveAll(abs) }, nil
}
