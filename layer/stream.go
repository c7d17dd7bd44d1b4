package layer

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"sync"
	"sync/atomic"

	"github.com/klauspost/compress/zstd"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/layer/inflate"
)

// chunkSize is what the stages hand each other. Large enough to make the
// hand-over free, small enough to stay in the second-level cache.
const chunkSize = 512 << 10

// chunksAhead is how far a stage may run ahead of its slowest reader.
const chunksAhead = 6

// zstdWindow bounds the memory that a zstd frame may ask for. The format's own
// recommendation is 8 MiB; --long makes 128 MiB.
const zstdWindow = 128 << 20

// A chunk is a buffer on its way to several readers; the last one returns it.
type chunk struct {
	data []byte
	refs atomic.Int32
}

// A fan copies a stream once into chunks and shows each to several readers, so
// that hashing and parsing run on different cores without copying again.
type fan struct {
	free chan *chunk
	outs []chan *chunk
	done <-chan struct{}
}

func newFan(ctx context.Context, readers int) *fan {
	f := &fan{free: make(chan *chunk, chunksAhead), done: ctx.Done()}
	for range chunksAhead {
		f.free <- &chunk{data: make([]byte, 0, chunkSize)}
	}
	for range readers {
		f.outs = append(f.outs, make(chan *chunk, chunksAhead))
	}
	return f
}

// pump reads r to its end or to an error. It closes the readers' channels, and
// returns nil at io.EOF.
func (f *fan) pump(r io.Reader) error {
	defer func() {
		for _, out := range f.outs {
			close(out)
		}
	}()
	for {
		var c *chunk
		select {
		case c = <-f.free:
		case <-f.done:
			return context.Canceled
		}
		n, err := io.ReadFull(r, c.data[:chunkSize])
		c.data = c.data[:n]
		c.refs.Store(int32(len(f.outs)))
		if n > 0 {
			for _, out := range f.outs {
				out <- c // never blocks: there are no more chunks than room
			}
		}
		switch err {
		case nil:
		case io.EOF, io.ErrUnexpectedEOF:
			// ReadFull says ErrUnexpectedEOF for a short last chunk, and passes on a
			// truncated gzip's own ErrUnexpectedEOF only when nothing was read before:
			// ask once more to tell the two apart.
			if err == io.ErrUnexpectedEOF {
				var b [1]byte
				if _, again := r.Read(b[:]); again != nil && again != io.EOF {
					return again
				}
			}
			return nil
		default:
			return err
		}
	}
}

func (f *fan) release(c *chunk) {
	if c.refs.Add(-1) == 0 {
		f.free <- c
	}
}

// reader reads one of a fan's outputs.
type fanReader struct {
	fan  *fan
	in   chan *chunk
	cur  *chunk
	rest []byte
	err  func() error // the pump's error, once its channel is closed
}

func (r *fanReader) Read(p []byte) (int, error) {
	for len(r.rest) == 0 {
		if r.cur != nil {
			r.fan.release(r.cur)
			r.cur = nil
		}
		select {
		case c, ok := <-r.in:
			if !ok {
				if err := r.err(); err != nil {
					return 0, err
				}
				return 0, io.EOF
			}
			r.cur, r.rest = c, c.data
		case <-r.fan.done:
			return 0, context.Canceled
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// drain hashes one of a fan's outputs to its end.
func (f *fan) drain(in chan *chunk, h hash.Hash) {
	for c := range in {
		h.Write(c.data)
		f.release(c)
	}
}

// A stream is an inflating, digest-computing reader of a layer's tar. Read it
// to io.EOF, then ask for the digests.
type stream struct {
	fanReader
	wait     func()
	blobHash hash.Hash // nil for a plain tar
	tarHash  hash.Hash
	blobRead *atomic.Int64
	inflated *atomic.Int64
}

// newStream starts the stages over blob. They end when the stream was read to
// its end or ctx is done; wait for that before blob is closed.
func newStream(ctx context.Context, blob io.Reader, limits Limits, progress func(int64)) *stream {
	s := &stream{tarHash: sha256.New(), blobRead: new(atomic.Int64), inflated: new(atomic.Int64)}
	var group sync.WaitGroup
	s.wait = group.Wait
	stored := bufio.NewReaderSize(&countingReader{r: blob, n: s.blobRead, told: progress}, 64<<10)
	open, err := compression(stored)
	if open == nil && err == nil { // a plain tar: the blob's digest is the diffID
		s.fanReader = fanOut(ctx, &group, &boundedReader{r: stored, blob: s.blobRead, n: s.inflated, limits: limits}, s.tarHash)
		return s
	}
	s.blobHash = sha256.New()
	compressed := fanOut(ctx, &group, stored, s.blobHash)
	s.fanReader = fanOut(ctx, &group, &inflater{open: open, failed: err, in: &compressed, stream: s, limits: limits}, s.tarHash)
	return s
}

// fanOut pumps r on a goroutine, hashes it on another, and returns a reader of it.
func fanOut(ctx context.Context, group *sync.WaitGroup, r io.Reader, h hash.Hash) fanReader {
	f := newFan(ctx, 2)
	var err error
	done := make(chan struct{})
	group.Go(func() {
		err = f.pump(r)
		close(done)
	})
	group.Go(func() { f.drain(f.outs[0], h) })
	return fanReader{fan: f, in: f.outs[1], err: func() error { <-done; return err }}
}

// An inflater opens the compressed stream on the goroutine that reads it, and
// at its end takes what trails behind, which belongs to the blob's digest.
type inflater struct {
	open   func(io.Reader) (io.ReadCloser, error)
	failed error
	in     io.Reader
	stream *stream
	limits Limits
	body   io.ReadCloser
	r      io.Reader
}

func (i *inflater) Read(p []byte) (n int, err error) {
	defer func() {
		if v := recover(); v != nil {
			i.failed = corrupt(fmt.Errorf("%v", v), "compressed data")
			n, err = 0, i.failed
		}
	}()
	if i.failed != nil {
		return 0, i.failed
	}
	if i.body == nil {
		if i.body, i.failed = i.open(i.in); i.failed != nil {
			return 0, i.failed
		}
		i.r = &boundedReader{r: i.body, blob: i.stream.blobRead, n: i.stream.inflated, limits: i.limits}
	}
	n, err = i.r.Read(p)
	if err == nil {
		return n, nil
	}
	i.failed = err
	i.body.Close()
	if err == io.EOF {
		if _, trailing := io.Copy(io.Discard, i.in); trailing != nil {
			i.failed = trailing
		}
	}
	return n, i.failed
}

func (s *stream) digests() (blob, diffID pratique.Digest) {
	sum := func(h hash.Hash) pratique.Digest {
		return pratique.Digest("sha256:" + hex.EncodeToString(h.Sum(nil)))
	}
	diffID = sum(s.tarHash)
	if s.blobHash == nil {
		return diffID, diffID
	}
	return sum(s.blobHash), diffID
}

// compression recognises how r is compressed by its magic bytes, because media
// types lie. open is nil for a plain tar.
func compression(r *bufio.Reader) (open func(io.Reader) (io.ReadCloser, error), err error) {
	magic, err := r.Peek(4)
	if err != nil && len(magic) == 0 {
		if err == io.EOF {
			err = pratique.Errorf(pratique.CodeCorrupt, "the layer is empty: not even an empty tar archive")
		}
		return nil, err
	}
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		return openGzip, nil
	case bytes.Equal(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}), isSkippableFrame(magic):
		return openZstd, nil
	}
	if head, _ := r.Peek(512); looksLikeTar(head) {
		return nil, nil
	}
	return nil, pratique.Errorf(pratique.CodeCorrupt, "the layer is neither gzip, zstd nor tar (it begins with %.4x)", magic).
		WithRemedy("push the image again; if it is encrypted or in another format, it cannot be read")
}

func openGzip(r io.Reader) (io.ReadCloser, error) {
	zr, err := inflate.NewReader(r)
	if err != nil {
		return nil, corrupt(err, "gzip header")
	}
	return zr, nil
}

func openZstd(r io.Reader) (io.ReadCloser, error) {
	zr, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(zstdWindow), zstd.WithDecoderMaxMemory(zstdWindow))
	if err != nil {
		return nil, corrupt(err, "zstd header")
	}
	return zr.IOReadCloser(), nil
}

// isSkippableFrame: zstd:chunked layers may begin with one (RFC 8878, 3.1.2).
func isSkippableFrame(magic []byte) bool {
	return len(magic) == 4 && magic[0]&0xf0 == 0x50 && magic[1] == 0x2a && magic[2] == 0x4d && magic[3] == 0x18
}

// looksLikeTar accepts a header block with the ustar magic, an old one with
// plausible octal digits, and the zero block that ends an empty archive.
func looksLikeTar(head []byte) bool {
	if len(head) < 512 {
		return len(bytes.Trim(head, "\x00")) == 0
	}
	if bytes.Equal(head[257:262], []byte("ustar")) || len(bytes.Trim(head, "\x00")) == 0 {
		return true
	}
	for _, c := range bytes.Trim(head[148:156], " \x00") { // the checksum field
		if c < '0' || c > '7' {
			return false
		}
	}
	return len(bytes.Trim(head[148:156], " \x00")) > 0
}

// countingReader counts what was read and tells it.
type countingReader struct {
	r    io.Reader
	n    *atomic.Int64
	told func(int64)
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if n > 0 {
		total := c.n.Add(int64(n))
		if c.told != nil {
			c.told(total)
		}
	}
	return n, err
}

// boundedReader ends a stream that inflates beyond reason.
type boundedReader struct {
	r       io.Reader
	blob, n *atomic.Int64
	limits  Limits
}

func (b *boundedReader) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	total := b.n.Add(int64(n))
	if total > b.limits.Inflated {
		return n, pratique.Errorf(pratique.CodeLimit, "the layer inflates to more than %d GiB", b.limits.Inflated>>30)
	}
	if total > b.limits.RatioFrom && total/max(b.blob.Load(), 1) > b.limits.Ratio {
		return n, pratique.Errorf(pratique.CodeLimit, "the layer inflates to more than %d times its size, like a decompression bomb", b.limits.Ratio)
	}
	if err != nil && err != io.EOF {
		err = corrupt(err, "compressed data")
	}
	return n, err
}

// corrupt names the layer's content as the culprit, unless the error came from
// further down (a connection, a cancelled context) and says so itself.
func corrupt(err error, what string) error {
	var known *pratique.Error
	if errors.As(err, &known) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return pratique.Errorf(pratique.CodeCorrupt, "the layer is truncated (%s ends early)", what).
			WithRemedy("transfer or push the image again")
	}
	return pratique.Errorf(pratique.CodeCorrupt, "the layer is corrupt (%s: %w)", what, err).
		WithRemedy("transfer or push the image again")
}
