// Package sevenzip reads 7z archives of which nothing can be trusted.
//
// A 7z archive begins with 32 bytes that say where its header is: at its end, and
// mostly compressed itself. The header lists packed streams, folders and files. A
// folder is one or more packed streams and the chain of coders that makes one
// unpacked stream of them (mostly LZMA2, for programs a branch converter as well, see
// package bcj); the contents of its files lie in it one after the other ("solid"), so
// a file can be read only after those before it. Files without content, folders of
// the file system among them, are in no folder.
//
// Every number in it is a claim: the header is read as bytes that are bounded, counts
// are held against the bytes that are left to state them, and dictionaries against
// Limits and what a stream claims to unpack to. Check sums are not verified: a scanner
// wants what a machine would unpack, damaged or not.
//
// Coders: Copy, LZMA, LZMA2, Deflate, bzip2, Delta, BCJ2, and the converters of x86,
// ARM, Thumb, ARM64 and PowerPC. Source: 7zFormat.txt and Methods.txt of the LZMA SDK
// (https://7-zip.org/sdk.html).
package sevenzip

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/pratique/pratique"
)

// Magic begins an archive.
const Magic = "7z\xbc\xaf\x27\x1c"

// Limits bound what an archive may cost. Over one, the error is of CodeLimit.
type Limits struct {
	Header int64 // bytes of the header, unpacked
	Files  int   // files, folders of the file system among them
	Window int64 // bytes of dictionaries that are needed at once
}

var (
	// ErrEncrypted says that the header or a folder needs a password.
	ErrEncrypted = errors.New("it is encrypted")
	// ErrMethod says that a folder was packed by a method that is not known here.
	ErrMethod = errors.New("it is packed by a method that is not supported")

	errFormat = errors.New("it is no well-formed 7z archive")
)

// An Archive is the list of what is in a file.
type Archive struct {
	Folders []Folder
	// Empty is how many files and folders of the file system have no content.
	Empty int

	r      io.ReaderAt
	size   int64
	limits Limits
	idle   int64 // bytes of dictionaries that nothing came to lie in
}

// A File is one that has content.
type File struct {
	Name string // as the archive has it: with /, and no promise that it leads nowhere else
	Size int64
	// Mode has permissions alone: 0644 where the archive was made on a system without
	// them. What kind of file it claims to be does not matter, as it has content: 7-Zip
	// notes what came by a pipe as one, and unpacks it as a file.
	Mode fs.FileMode
}

const signatureHeader = 32 // bytes

// Open reads the header.
func Open(r io.ReaderAt, size int64, limits Limits) (*Archive, error) {
	var start [signatureHeader]byte
	if _, err := r.ReadAt(start[:], 0); err != nil || string(start[:len(Magic)]) != Magic {
		return nil, errFormat
	}
	offset, length := binary.LittleEndian.Uint64(start[12:]), binary.LittleEndian.Uint64(start[20:])
	a := &Archive{r: r, size: size, limits: limits}
	if length == 0 {
		return a, nil
	}
	if body := uint64(size - signatureHeader); offset > body || length > body-offset {
		return nil, fmt.Errorf("%w: it is cut", errFormat)
	}
	if length > uint64(limits.Header) {
		return nil, a.overHeader()
	}
	header := make([]byte, length)
	if _, err := r.ReadAt(header, int64(signatureHeader+offset)); err != nil && err != io.EOF {
		return nil, err
	}
	header, err := a.unpackHeader(header)
	if err != nil {
		return nil, err
	}
	return a, a.readHeader(&cursor{b: header})
}

func (a *Archive) overHeader() error {
	return pratique.Errorf(pratique.CodeLimit, "the header of the 7z archive is larger than %d MiB", a.limits.Header>>20)
}

func (a *Archive) overFiles() error {
	return pratique.Errorf(pratique.CodeLimit, "the 7z archive has more than %d files", a.limits.Files)
}

// unpackHeader unpacks the header, as often as it is packed.
func (a *Archive) unpackHeader(header []byte) ([]byte, error) {
	for range 4 {
		c := &cursor{b: header}
		switch c.byte() {
		case idHeader:
			return c.b, nil
		case idEncodedHeader:
		default:
			return nil, errFormat
		}
		folders, err := a.streams(c)
		if err != nil {
			return nil, err
		}
		if len(folders) != 1 || folders[0].size > a.limits.Header {
			return nil, a.overHeader()
		}
		r, err := folders[0].Open()
		if err != nil {
			return nil, err
		}
		header = make([]byte, folders[0].size)
		if _, err := io.ReadFull(r, header); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("%w: its header is packed again and again", errFormat)
}

// Identifiers of the parts of a header.
const (
	idEnd             = 0x00
	idHeader          = 0x01
	idProperties      = 0x02
	idMoreStreams     = 0x03
	idMainStreams     = 0x04
	idFiles           = 0x05
	idPackInfo        = 0x06
	idUnpackInfo      = 0x07
	idSubStreams      = 0x08
	idSizes           = 0x09
	idDigests         = 0x0a
	idFolder          = 0x0b
	idUnpackSizes     = 0x0c
	idUnpackedStreams = 0x0d
	idEmptyStreams    = 0x0e
	idNames           = 0x11
	idAttributes      = 0x15
	idEncodedHeader   = 0x17
)

// parts are those of a header or of its streams, which come in the order of their
// identifiers, each at most once: again and again they would cost as often what a few
// bytes may ask for.
type parts byte

func (p *parts) next(id byte) bool {
	ok := id > byte(*p)
	*p = parts(id)
	return ok
}

func (a *Archive) readHeader(c *cursor) error {
	var order parts
	for {
		switch id := c.byte(); {
		case c.err != nil:
			return c.err
		case id == idEnd:
			return nil
		case !order.next(id):
			return errFormat
		case id == idProperties:
			for c.byte() != idEnd && c.err == nil {
				c.take(c.number())
			}
		case id == idMoreStreams:
			if _, err := a.streams(c); err != nil {
				return err
			}
		case id == idMainStreams:
			folders, err := a.streams(c)
			if err != nil {
				return err
			}
			a.Folders = folders
		case id == idFiles:
			if err := a.files(c); err != nil {
				return err
			}
		default:
			return errFormat
		}
	}
}

// files reads what is known of files, and gives each to the folder its content is in.
func (a *Archive) files(c *cursor) error {
	n := c.number()
	if n > uint64(a.limits.Files) {
		return a.overFiles()
	}
	var empty bitmap
	var names, attributes *cursor
	for c.err == nil {
		id := c.byte()
		if id == idEnd {
			break
		}
		part := &cursor{b: c.take(c.number())}
		switch id {
		case idEmptyStreams:
			empty = part.bits(n)
		case idNames:
			if part.byte() == 0 { // not in a stream of its own
				names = part
			}
		case idAttributes:
			attributes = part
		}
		if part.err != nil {
			return part.err
		}
	}
	if c.err != nil {
		return c.err
	}
	return a.assign(int(n), empty, names, newAttributes(attributes, n))
}

// assign pairs files with the streams of folders, in the order of both.
func (a *Archive) assign(n int, empty bitmap, names *cursor, attributes *attributes) error {
	folder, within := 0, 0
	for i := range n {
		name := names.name()
		mode := attributes.next(i)
		if empty.has(i) {
			a.Empty++
			continue
		}
		for folder < len(a.Folders) && within == len(a.Folders[folder].Files) {
			folder, within = folder+1, 0
		}
		if folder == len(a.Folders) {
			return fmt.Errorf("%w: it has more files than contents", errFormat)
		}
		f := &a.Folders[folder].Files[within]
		f.Name, f.Mode = name, mode
		within++
	}
	return nil
}

// attributes are those of Windows, with a mode of Unix in their upper half.
type attributes struct {
	defined bitmap
	c       *cursor
}

func newAttributes(c *cursor, n uint64) *attributes {
	if c == nil {
		return nil
	}
	a := &attributes{c: c, defined: c.optionalBits(n)}
	if c.byte() != 0 { // in a stream of its own
		return nil
	}
	return a
}

func (a *attributes) next(i int) fs.FileMode {
	const plain = 0o644
	if a == nil || !a.defined.has(i) {
		return plain
	}
	v := a.c.uint32()
	if v&0x8000 == 0 {
		return plain
	}
	return fs.FileMode(v>>16) & fs.ModePerm
}
