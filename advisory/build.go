package advisory

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pratique/pratique"
)

// segment is a compiled source.
type segment struct {
	info segmentInfo
	data []byte
}

// compile reads all parts of a source. now is the time of the import.
func compile(ctx context.Context, s *source, now time.Time, note func(string)) (*segment, error) {
	info := segmentInfo{Kind: s.kind, Source: s.name, Fetched: now.UTC(), URL: s.url, ETag: s.etag}
	switch s.kind {
	case kindAdvisories:
		return compileAdvisories(ctx, s, info, now, note)
	case kindCVE, kindKEV:
		t := newCVETable()
		err := eachPart(ctx, s, func(f format, r io.Reader) error {
			switch f {
			case formatNVD:
				return t.readNVD(r)
			case formatKEV:
				return t.readKEV(r)
			}
			return t.readScores(r)
		})
		info.Records, info.Refused, info.Newest = len(t.records), t.refused, t.newest
		return finish(s, info, err, t.build)
	case kindEPSS:
		t := &epssTable{}
		err := eachPart(ctx, s, func(_ format, r io.Reader) error { return t.read(r) })
		info.Records, info.Refused, info.Newest = len(t.entries), t.refused, t.newest
		return finish(s, info, err, t.build)
	case kindHashes:
		h := newHashList(strings.TrimPrefix(s.name, "hashes/"))
		err := eachPart(ctx, s, func(_ format, r io.Reader) error { return h.read(r) })
		info.Records, info.Refused = h.count(), h.refused
		return finish(s, info, err, h.build)
	}
	return nil, pratique.Errorf(pratique.CodeInternal, "%s is of no known kind (%s)", s.name, s.kind)
}

// eachPart opens the parts of s one by one.
func eachPart(ctx context.Context, s *source, read func(format, io.Reader) error) error {
	for _, p := range s.parts {
		r, err := openPart(p)
		if err == nil {
			err = errors.Join(read(p.format, &stoppable{ctx, r}), r.Close())
		}
		if ctx.Err() != nil {
			return cancelled(ctx)
		}
		if err != nil {
			return corrupt(p.label, "", err)
		}
	}
	return nil
}

// stoppable is a reader that ends with its context.
type stoppable struct {
	ctx context.Context
	r   io.Reader
}

func (s *stoppable) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.r.Read(p)
}

// finish builds the segment unless reading failed or left nothing to build from.
func finish(s *source, info segmentInfo, err error, build func() []byte) (*segment, error) {
	if err != nil {
		return nil, err
	}
	if info.Records == 0 || info.Refused > info.Records {
		return nil, pratique.Errorf(pratique.CodeCorrupt, "cannot import %s: %d records could be read, %d not", s.name, info.Records, info.Refused).
			WithRemedy("check that %s is what its name says; nothing was changed", s.parts[0].label)
	}
	return &segment{info, build()}, nil
}

// compileAdvisories reads OSV records. An export that is named after an
// ecosystem speaks for that one alone: what it says of others is left to their
// own exports, so that a few stray records are never taken for a feed.
func compileAdvisories(ctx context.Context, s *source, info segmentInfo, now time.Time, note func(string)) (*segment, error) {
	c := &osvCompiler{builder: newAdvisoryBuilder(now), note: note}
	if name := path.Base(s.name); isEcosystem(name) {
		c.keep = func(ecosystem string) bool { return family(ecosystem) == name }
	}
	for _, p := range s.parts {
		if err := c.read(ctx, p); err != nil {
			return nil, err
		}
	}
	info.Refused, info.Newest = c.builder.refused, c.builder.newest
	info.Records = len(c.builder.records)
	return finish(s, info, nil, func() []byte {
		data, _ := c.builder.build()
		return data
	})
}

type osvCompiler struct {
	builder *advisoryBuilder
	keep    func(ecosystem string) bool
	note    func(string)
	told    atomic.Int32
}

func (c *osvCompiler) read(ctx context.Context, p part) error {
	switch p.format {
	case formatOSVZip:
		return c.readZip(ctx, p)
	case formatOSVLines:
		return eachPart(ctx, &source{parts: []part{p}}, func(_ format, r io.Reader) error { return c.readLines(r, p.label) })
	}
	return eachPart(ctx, &source{parts: []part{p}}, func(_ format, r io.Reader) error {
		data, err := io.ReadAll(io.LimitReader(r, maxRecordBytes+1))
		if err == nil {
			c.record(data, p.label)
		}
		return err
	})
}

// record takes one record, or counts it as refused and tells of the first few.
func (c *osvCompiler) record(data []byte, label string) {
	a, err := ParseOSV(data, c.keep)
	if err != nil {
		c.builder.refuse()
		if c.told.Add(1) <= 5 {
			c.note(fmt.Sprintf("refused %s: %v", label, err))
		}
		return
	}
	c.builder.add(a)
}

func (c *osvCompiler) readLines(r io.Reader, label string) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxRecordBytes)
	for n := 1; lines.Scan(); n++ {
		if line := bytes.TrimSpace(lines.Bytes()); len(line) > 0 {
			c.record(line, fmt.Sprintf("%s, line %d", label, n))
		}
	}
	return lines.Err()
}

// readZip reads the records of one folder of a zip, on all cores.
func (c *osvCompiler) readZip(ctx context.Context, p part) error {
	z, err := openZip(p.path)
	if err != nil {
		return corrupt(p.label, "", err)
	}
	defer z.Close()
	var (
		next   atomic.Int64
		failed atomic.Pointer[error]
		wg     sync.WaitGroup
	)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			w := zipWorker{}
			for failed.Load() == nil && ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(z.File) {
					return
				}
				f := z.File[i]
				if path.Dir(f.Name) != p.entry || !strings.HasSuffix(f.Name, ".json") {
					continue
				}
				data, err := w.read(f)
				if err != nil {
					err = corrupt(p.label, f.Name, err)
					failed.CompareAndSwap(nil, &err)
					return
				}
				c.record(data, p.label+"!/"+f.Name)
			}
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		return cancelled(ctx)
	}
	if err := failed.Load(); err != nil {
		return *err
	}
	return nil
}

// zipWorker reads entries into one buffer.
type zipWorker struct{ buf bytes.Buffer }

// read returns an entry's content, valid until the next call. The zip package
// compares it with its checksum.
func (w *zipWorker) read(f *zip.File) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	w.buf.Reset()
	_, err = w.buf.ReadFrom(&limited{r, maxRecordBytes})
	return w.buf.Bytes(), err
}
