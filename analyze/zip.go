package analyze

import (
	"errors"
	"io"

	"github.com/klauspost/compress/zip"

	"github.com/pratique/pratique"
)

// maxDirectory bounds the bytes of a zip's central directory: a quarter of a
// million entries with names of usual length. Opening a zip keeps a structure
// for each entry of it, and the counts that a zip states about itself are
// claims, so what is read is the only sound measure.
const maxDirectory = 24 << 20

// OpenZip opens a zip, jar or their kin. Unlike zip.NewReader it has a limit on
// the size of the directory, which gives an error of CodeLimit, and takes no
// offence at names that lead out of the archive: nothing is written under them.
func OpenZip(c Content) (*zip.Reader, error) {
	directory := &bounded{r: c, left: maxDirectory, whole: c.Size() <= maxDirectory}
	zr, err := zip.NewReader(directory, c.Size())
	if errors.Is(err, zip.ErrInsecurePath) {
		err = nil
	}
	if directory.over {
		return nil, pratique.Errorf(pratique.CodeLimit, "the directory of the zip archive is larger than %d MiB", maxDirectory>>20)
	}
	directory.whole = true // the members come next
	return zr, err
}

// bounded ends the reading of a directory that goes on and on.
type bounded struct {
	r     io.ReaderAt
	left  int64
	whole bool
	over  bool
}

func (b *bounded) ReadAt(p []byte, off int64) (int, error) {
	if b.whole {
		return b.r.ReadAt(p, off)
	}
	if b.left -= int64(len(p)); b.left < 0 {
		b.over = true
		return 0, io.ErrUnexpectedEOF
	}
	return b.r.ReadAt(p, off)
}
