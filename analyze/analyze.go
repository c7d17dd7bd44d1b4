// Package analyze declares what an analyzer is: something that looks at the
// files of a layer while they stream by and writes down facts.
//
// All analyzers share one pass: a layer is inflated once, each file is offered
// to each of them, and a file that nobody wants is never buffered. An analyzer
// therefore answers two questions. [Analyzer.Wants] is asked for every regular
// file with its name, size, mode and first bytes, and must be cheap and
// allocation-free. [Analyzer.Analyze] is called for those that were wanted, on
// any of several goroutines at once, with the whole content at hand.
//
// To add one, see docs/add-an-analyzer.md.
package analyze

import (
	"context"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/pratique/pratique"
)

// SniffLen is how many bytes of a file Wants may see at most.
const SniffLen = 512

// Analyzer reads facts from files. Implementations are safe for concurrent use.
type Analyzer interface {
	// Name is the stable name under which facts are kept.
	Name() string
	// Version changes whenever the same bytes could give other facts. It covers
	// the code, its rules and its options.
	Version() string
	// Wants tells whether Analyze should see the file.
	Wants(f *File) bool
	// Analyze adds what it finds to facts, which no other goroutine touches. An
	// error is noted as a problem of this one file; the scan goes on.
	Analyze(ctx context.Context, f *File, c Content, facts *pratique.Facts) error
}

// Linker is implemented by an analyzer that also wants symbolic links.
type Linker interface {
	// Link is called for each symbolic link of a layer, in order, on one goroutine.
	Link(path, target string, facts *pratique.Facts)
}

// Nester is implemented by an analyzer that also wants to be asked about the
// members of archives (zip and its kin, tar, Debian packages, and what gzip, xz,
// zstd or bzip2 compressed, nested in each other). The
// pass opens each archive once for all of them. A member's path follows
// [pratique.NestedSeparator].
type Nester interface {
	// Nested tells whether members should be offered to Wants.
	Nested() bool
}

// File describes a regular file of a layer, or a member of an archive in it.
type File struct {
	Path string      // as facts write it: "usr/bin/env"
	Size int64       // bytes
	Mode fs.FileMode // permission and set-id bits
	// Head are the first bytes: all of a small file, else SniffLen. It is valid
	// during Wants only. It is nil when the pass asks about a second name of a
	// file whose content it has not kept: answer by the name alone then.
	Head []byte
}

// Member tells whether the file is inside an archive.
func (f *File) Member() bool { return strings.Contains(f.Path, pratique.NestedSeparator) }

// Content is a file's whole content, in memory or on disk, with random access. It is
// valid until Analyze returns, and must not be changed.
type Content interface {
	io.ReaderAt
	Size() int64
	// Bytes returns the content when it is in memory, else nil, false.
	Bytes() ([]byte, bool)
	// File returns the open file that the content is, when it is not in memory: to be
	// mapped. It may be an engine's, which somebody might shorten; to look beyond its
	// end is then a fault, of which the pass makes a panic that costs this file only.
	File() *os.File
}
