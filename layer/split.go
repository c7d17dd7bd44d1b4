package layer

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/layer/inflate"
)

// When docker or podman unpack a layer, they write down how its tar can be put
// together again, so that pushing it gives the same digest: a gzipped file with
// one JSON object a line (github.com/vbatts/tar-split, package storage). An
// object of type 2 is a stretch of the tar that is no file's content: headers and
// padding. One of type 1 stands for the content of a file, which is the file of
// that name in the folder; every header is followed by one, of size 0 if need be.

const (
	splitFile    = 1
	splitSegment = 2
)

// maxSplitLine bounds a line, and the headers of one entry. A line is a header
// with its records or a stretch of padding, a megabyte at most each.
const maxSplitLine = 8 << 20

// splitLine is one object.
type splitLine struct {
	Type    int    `json:"type"`
	Name    string `json:"name"`
	NameRaw []byte `json:"name_raw"` // instead of Name when it is not UTF-8
	Size    int64  `json:"size"`
	Payload []byte `json:"payload"` // of a segment its bytes, of a file its CRC-64
}

// fileName is the name in the folder.
func (l *splitLine) fileName() string {
	name := l.Name
	if len(l.NameRaw) > 0 {
		name = string(l.NameRaw)
	}
	return strings.TrimPrefix(path.Clean("/"+name), "/")
}

// segment reads a line of type 2 as tar-split writes it, or returns false. Such
// lines are a kilobyte each, nine tenths of a recipe, and reading them as JSON would
// take longer than everything else about a file that nobody wants.
func (l *splitLine) segment(raw []byte) bool {
	payload, ok := bytes.CutPrefix(raw, []byte(`{"type":2,"payload":"`))
	if !ok {
		return false
	}
	payload, rest, ok := bytes.Cut(payload, []byte{'"'})
	if !ok {
		return false
	}
	if _, rest, ok = cutNumber(rest, `,"position":`); !ok || string(bytes.TrimSpace(rest)) != "}" {
		return false
	}
	decoded, err := base64.StdEncoding.AppendDecode(l.Payload[:0], payload)
	if err != nil {
		return false
	}
	l.Type, l.Payload = splitSegment, decoded
	return true
}

// file reads a line of type 1 as tar-split writes it, or returns false: of names with
// escapes, and of those that are not UTF-8.
func (l *splitLine) file(raw []byte) bool {
	rest, ok := bytes.CutPrefix(raw, []byte(`{"type":1,"name":"`))
	if !ok {
		return false
	}
	name, rest, ok := bytes.Cut(rest, []byte{'"'})
	if !ok || bytes.IndexByte(name, '\\') >= 0 || bytes.IndexFunc(name, unicode.IsControl) >= 0 || !utf8.Valid(name) {
		return false
	}
	var size int64
	if digits, after, ok := cutNumber(rest, `,"size":`); ok {
		if size, rest = digits, after; size == 0 {
			return false
		}
	}
	if rest, ok = bytes.CutPrefix(rest, []byte(`,"payload":`)); !ok {
		return false
	}
	if sum, ok := bytes.CutPrefix(rest, []byte{'"'}); ok { // CRC-64, eight bytes
		if len(sum) < 13 || sum[12] != '"' {
			return false
		}
		if _, err := base64.StdEncoding.Decode(make([]byte, 9), sum[:12]); err != nil {
			return false
		}
		rest = sum[13:]
	} else if rest, ok = bytes.CutPrefix(rest, []byte("null")); !ok {
		return false
	}
	if _, rest, ok = cutNumber(rest, `,"position":`); !ok || string(bytes.TrimSpace(rest)) != "}" {
		return false
	}
	l.Type, l.Name, l.Size = splitFile, string(name), size
	return true
}

// cutNumber reads a number of at most 18 digits after a key.
func cutNumber(raw []byte, key string) (n int64, rest []byte, ok bool) {
	rest, ok = bytes.CutPrefix(raw, []byte(key))
	if !ok || len(rest) < 2 || rest[0] == '0' && '0' <= rest[1] && rest[1] <= '9' {
		return 0, raw, false
	}
	digits := 0
	for ; digits < len(rest) && digits < 18 && '0' <= rest[digits] && rest[digits] <= '9'; digits++ {
		n = 10*n + int64(rest[digits]-'0')
	}
	return n, rest[digits:], digits > 0
}

// splitReader reads the lines of a recipe.
type splitReader struct {
	body  io.ReadCloser
	lines *bufio.Reader
	long  []byte // a line that is longer than the buffer
	at    int64  // bytes of the tar until the end of the last line
	limit int64  // for at
	line  splitLine
}

func newSplitReader(recipe io.ReadCloser, limits Limits) (*splitReader, error) {
	inflated, err := inflate.NewReader(bufio.NewReaderSize(recipe, 64<<10))
	if err != nil {
		recipe.Close()
		return nil, recipeError(err)
	}
	return &splitReader{body: recipe, lines: bufio.NewReaderSize(inflated, 256<<10), limit: limits.Inflated}, nil
}

func (s *splitReader) close() { s.body.Close() }

// next reads the following line into s.line.
func (s *splitReader) next() error {
	raw, err := s.rawLine()
	if err != nil {
		return err
	}
	s.line = splitLine{Payload: s.line.Payload[:0]}
	if !s.line.segment(raw) && !s.line.file(raw) {
		if err := json.Unmarshal(raw, &s.line); err != nil {
			return recipeError(err)
		}
	}
	switch {
	case s.line.Type == splitSegment:
		s.at += int64(len(s.line.Payload))
	case s.line.Type == splitFile && s.line.Size >= 0 && s.line.Size <= s.limit:
		s.at += s.line.Size
	default:
		return recipeError(fmt.Errorf("an entry of type %d and size %d", s.line.Type, s.line.Size))
	}
	if s.at > s.limit {
		return pratique.Errorf(pratique.CodeLimit, "the layer has more than %d GiB", s.limit>>30)
	}
	return nil
}

func (s *splitReader) rawLine() ([]byte, error) {
	s.long = s.long[:0]
	for {
		part, err := s.lines.ReadSlice('\n')
		switch {
		case err == nil && len(s.long) == 0:
			return part, nil
		case len(s.long)+len(part) > maxSplitLine:
			return nil, pratique.Errorf(pratique.CodeLimit, "a line of the layer's recipe has more than %d MiB", maxSplitLine>>20)
		}
		s.long = append(s.long, part...)
		switch {
		case err == nil, err == io.EOF && len(s.long) > 0:
			return s.long, nil
		case err == io.EOF:
			return nil, io.EOF
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, recipeError(err)
		}
	}
}

func recipeError(err error) error {
	var known *pratique.Error
	if errors.As(err, &known) {
		return known
	}
	return pratique.Errorf(pratique.CodeCorrupt, "the engine's record of the layer (tar-split) is damaged: %w", err).
		WithRemedy("pull the image again, or scan it as a tar of `docker save`")
}

// splitEntries are a recipe's entries, with contents from the folder.
type splitEntries struct {
	recipe   *splitReader
	tree     tree
	content  lazyFile
	headers  []byte // since the content of the last file
	progress func(int64)
}

func newSplitEntries(u *Unpacked, recipe io.ReadCloser, limits Limits, progress func(int64)) (*splitEntries, error) {
	r, err := newSplitReader(recipe, limits)
	if err != nil {
		return nil, err
	}
	s := &splitEntries{recipe: r, tree: tree{root: u.Root}, progress: progress}
	s.content = newLazyFile(&s.tree)
	return s, nil
}

func (s *splitEntries) bytes() int64 { return s.recipe.at }

func (s *splitEntries) close() {
	s.content.close()
	s.tree.close()
	s.recipe.close()
}

func (s *splitEntries) next() (*tar.Header, io.Reader, error) {
	s.headers = s.headers[:0]
	for {
		if err := s.recipe.next(); err != nil {
			return nil, nil, err
		}
		line := &s.recipe.line
		if line.Type == splitFile {
			break
		}
		if len(s.headers)+len(line.Payload) > maxSplitLine {
			// Padding at the end of an archive may be as long as one likes. It is no header.
			s.headers = s.headers[:0]
		}
		s.headers = append(s.headers, line.Payload...)
	}
	if s.progress != nil {
		s.progress(s.recipe.at)
	}
	h := s.header()
	s.content.reset(s.recipe.line.fileName(), h.Size)
	return h, &s.content, nil
}

// header reads the entry's header. Before it is the padding of the file before,
// which fills up a block of 512 bytes, as headers do whole.
func (s *splitEntries) header() *tar.Header {
	line := &s.recipe.line
	blocks := s.headers[len(s.headers)%512:]
	h := plainHeader(blocks)
	if h == nil {
		var err error
		if h, err = tar.NewReader(bytes.NewReader(blocks)).Next(); err != nil && !errors.Is(err, tar.ErrInsecurePath) || h == nil {
			// A form that we do not understand. What it is called and how much it holds is
			// known from the engine, which did.
			h = &tar.Header{Name: line.fileName(), Typeflag: tar.TypeReg, Mode: 0o644}
		}
	}
	if h.Typeflag == tar.TypeReg || h.Typeflag == tar.TypeGNUSparse {
		h.Size = line.Size // the same, but for a header that was not understood
	}
	return h
}

// plainHeader reads the header of a file, folder or link that is one block in the form
// of POSIX or GNU, which are nine of ten, five times as fast as package tar does. It
// takes from it what the pass looks at: name, kind, mode, size, and what a link leads to.
// nil is for everything else.
func plainHeader(block []byte) *tar.Header {
	if len(block) != 512 {
		return nil
	}
	posix := string(block[257:265]) == "ustar\x0000"
	if !posix && string(block[257:265]) != "ustar  \x00" || posix && string(block[508:]) == "tar\x00" {
		return nil
	}
	kind := block[156]
	if kind != tar.TypeReg && kind != tar.TypeDir && kind != tar.TypeSymlink && kind != tar.TypeLink {
		return nil
	}
	sum := int64(8 * ' ') // in the place of the sum itself
	for _, b := range block[:148] {
		sum += int64(b)
	}
	for _, b := range block[156:] {
		sum += int64(b)
	}
	told, ok1 := octal(block[148:156])
	mode, ok2 := octal(block[100:108])
	size, ok3 := octal(block[124:136])
	if !ok1 || !ok2 || !ok3 || told != sum {
		return nil
	}
	for _, field := range [...][]byte{block[108:116], block[116:124], block[136:148], block[329:337], block[337:345]} {
		if _, ok := octal(field); !ok {
			return nil // package tar might refuse it
		}
	}
	name := untilNUL(block[:100])
	if posix {
		if prefix := untilNUL(block[345:500]); prefix != "" {
			name = prefix + "/" + name
		}
	} else if block[345] != 0 {
		return nil // times of access and change
	}
	if kind == tar.TypeReg && strings.HasSuffix(name, "/") {
		return nil
	}
	h := &tar.Header{Name: name, Typeflag: kind, Mode: mode, Linkname: untilNUL(block[157:257])}
	if kind == tar.TypeReg {
		h.Size = size
	}
	return h
}

// octal reads a field of digits, of which there may be none.
func octal(field []byte) (n int64, ok bool) {
	field = bytes.Trim(field, " \x00")
	for _, b := range field {
		if b < '0' || b > '7' {
			return 0, false
		}
		n = n<<3 | int64(b-'0')
	}
	return n, true
}

func untilNUL(field []byte) string {
	text, _, _ := bytes.Cut(field, []byte{0})
	return string(text)
}

// tar gives the layer's tar, byte for byte.
func (u *Unpacked) tar(limits Limits) Source {
	return func(context.Context) (io.ReadCloser, error) {
		recipe, err := u.Split()
		if err != nil {
			return nil, recipeError(err)
		}
		r, err := newSplitReader(recipe, limits)
		if err != nil {
			return nil, err
		}
		t := &splitTar{recipe: r, tree: tree{root: u.Root}}
		t.content = newLazyFile(&t.tree)
		return t, nil
	}
}

// splitTar puts a tar together.
type splitTar struct {
	recipe  *splitReader
	tree    tree
	content lazyFile
	segment []byte
	left    int64 // of the content
}

func (t *splitTar) Read(p []byte) (int, error) {
	for len(t.segment) == 0 && t.left == 0 {
		if err := t.recipe.next(); err != nil {
			return 0, err
		}
		line := &t.recipe.line
		if line.Type == splitSegment {
			t.segment = line.Payload
			continue
		}
		t.left = line.Size
		t.content.reset(line.fileName(), line.Size)
	}
	if len(t.segment) > 0 {
		n := copy(p, t.segment)
		t.segment = t.segment[n:]
		return n, nil
	}
	n, err := t.content.Read(p[:min(int64(len(p)), t.left)])
	t.left -= int64(n)
	if err == io.EOF {
		err = nil // of the content, not of the tar
	}
	if lost := (*lostFile)(nil); errors.As(err, &lost) {
		problem := lost.problem()
		err = pratique.Errorf(problem.Code, "%s: %s", problem.Path, problem.Message).WithRemedy("%s", problem.Remedy)
	}
	return n, err
}

func (t *splitTar) Close() error {
	t.content.close()
	t.tree.close()
	t.recipe.close()
	return nil
}
