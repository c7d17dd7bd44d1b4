package layer

import (
	"archive/tar"
	"errors"
	"io"
)

// entries is a layer's changeset, one tar entry after the other, whatever it is
// read from: a tar (tarEntries), the recipe of one beside a folder with its files
// (splitEntries), or such a folder alone (diffEntries).
type entries interface {
	// next returns the following header and, of a regular file, its content, which
	// is valid until the next call. io.EOF is the end. A content that cannot be read
	// gives a *lostFile, which costs that file only.
	next() (*tar.Header, io.Reader, error)
}

// lostFile is why one file of a folder cannot be read as the layer has it.
type lostFile struct {
	name string
	err  error
}

func (l *lostFile) Error() string { return l.name + ": " + l.err.Error() }
func (l *lostFile) Unwrap() error { return l.err }

// tarEntries reads a tar.
type tarEntries struct{ tar *tar.Reader }

func newTarEntries(r io.Reader) tarEntries { return tarEntries{tar.NewReader(r)} }

func (t tarEntries) next() (*tar.Header, io.Reader, error) {
	h, err := t.tar.Next()
	if errors.Is(err, tar.ErrInsecurePath) {
		err = nil // names are checked by the pass, whatever GODEBUG says
	}
	return h, t.tar, err
}
