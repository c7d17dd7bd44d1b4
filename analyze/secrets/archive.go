package secrets

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"

	"github.com/pratique/pratique"
)

// Limits of what is read out of one file's archives, with those inside them.
const (
	maxNesting  = 3         // archives within archives
	maxMembers  = 20000     // looked at
	maxInflated = 512 << 20 // bytes that come out
	maxMember   = 64 << 20  // bytes of a single member
	maxInner    = 32 << 20  // bytes of a zip inside another archive, which is read into memory
)

var errStop = errors.New("a limit was met")

// zip looks into the members of a zip that could hold text.
func (x *scan) zip(path string, r interface {
	io.ReaderAt
	Size() int64
}, depth int) error {
	z, err := zip.NewReader(r, r.Size())
	if err != nil {
		return nil // what is malformed is no archive to programs either
	}
	for _, f := range z.File {
		if f.FileInfo().IsDir() || f.UncompressedSize64 == 0 || f.Flags&1 != 0 || !x.mayHold(path, f.Name) {
			continue
		}
		if int64(min(f.UncompressedSize64, 1<<62)) > maxMember {
			x.problem(join(path, f.Name), pratique.CodeLimit, "not looked into: larger than 64 MiB")
			continue
		}
		m, err := f.Open()
		if err != nil {
			continue
		}
		err = x.member(join(path, f.Name), m, depth+1)
		m.Close()
		if err != nil {
			return x.settle(path, err)
		}
	}
	return nil
}

// archive looks into a gzip file, a tar, or a tar in a gzip.
func (x *scan) archive(path string, form form, r io.Reader, depth int) error {
	if form == formGzip {
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil
		}
		b := bufio.NewReader(&meter{r: z, x: x})
		head, _ := b.Peek(512)
		inner := formOf(strings.TrimSuffix(path, ".gz"), head, 1<<62)
		switch inner {
		case formTar:
			return x.archive(path, formTar, b, depth)
		case formText, formUTF16LE, formUTF16BE:
			return x.settle(path, x.stream(path, inner, b))
		}
		return nil
	}
	t := tar.NewReader(r)
	for {
		h, err := t.Next()
		if err != nil {
			return x.settle(path, err)
		}
		if h.Typeflag != tar.TypeReg || h.Size == 0 || !x.mayHold(path, h.Name) {
			continue
		}
		if h.Size > maxMember {
			x.problem(join(path, h.Name), pratique.CodeLimit, "not looked into: larger than 64 MiB")
			continue
		}
		if err := x.member(join(path, h.Name), t, depth+1); err != nil {
			return x.settle(path, err)
		}
	}
}

func join(path, member string) string {
	return path + pratique.NestedSeparator + strings.TrimPrefix(strings.ToValidUTF8(member[:min(len(member), 4096)], "_"), "./")
}

// settle ends an archive. Damage ends it silently; a limit is told once.
func (x *scan) settle(path string, err error) error {
	if errors.Is(err, errStop) {
		if !x.stopped {
			x.problem(path, pratique.CodeLimit, "only looked into in part: more members, or more bytes, than is allowed")
		}
		x.stopped = true
	}
	return x.ctx.Err()
}

// mayHold turns down members by name, before anything is inflated.
func (x *scan) mayHold(path, name string) bool {
	return !dull[extension(name)] && !x.loaded.paths.allowed(name) && !(x.analyzer.guards.vendored && bulky(join(path, name)))
}

// member looks at one member of an archive.
func (x *scan) member(path string, r io.Reader, depth int) error {
	if x.members++; x.members > maxMembers || x.stopped {
		return errStop
	}
	if err := x.ctx.Err(); err != nil {
		return err
	}
	for _, r := range x.loaded.paths.matching(path) {
		x.addPath(r, path)
	}
	b := bufio.NewReaderSize(&meter{r: io.LimitReader(r, maxMember), x: x}, 4096)
	head, err := b.Peek(512)
	if err != nil && err != io.EOF {
		return ignoreDamage(err)
	}
	switch f := formOf(path, head, 1<<62); {
	case f == formNone:
		return nil
	case f == formGzip || f == formTar:
		if depth < maxNesting {
			return ignoreDamage(x.archive(path, f, b, depth))
		}
	case f == formZip || f == formKeystore:
		if depth >= maxNesting {
			break
		}
		inner, err := io.ReadAll(io.LimitReader(b, maxInner+1))
		if err != nil || len(inner) > maxInner {
			return ignoreDamage(err)
		}
		return ignoreDamage(x.content(path, f, memory{bytes.NewReader(inner), inner}, depth))
	default:
		return ignoreDamage(x.stream(path, f, b))
	}
	return nil
}

// ignoreDamage keeps an archive going after a member that cannot be read.
func ignoreDamage(err error) error {
	if errors.Is(err, errStop) {
		return err
	}
	return nil
}

// meter counts what comes out of archives and stops at the limit.
type meter struct {
	r io.Reader
	x *scan
}

func (m *meter) Read(p []byte) (int, error) {
	if m.x.inflated > maxInflated || m.x.ctx.Err() != nil {
		return 0, errStop
	}
	n, err := m.r.Read(p)
	m.x.inflated += int64(n)
	return n, err
}

// memory is content that is in memory.
type memory struct {
	*bytes.Reader
	data []byte
}

func (m memory) Bytes() ([]byte, bool) { return m.data, true }
func (m memory) Size() int64           { return int64(len(m.data)) }
func (m memory) RealPath() (string, error) {
	return "", pratique.Errorf(pratique.CodeUnsupported, "a member of an archive has no file of its own")
}
