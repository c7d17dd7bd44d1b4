package sevenzip

import (
	"fmt"
	"io"
	"slices"

	"github.com/pratique/pratique"
)

// A Folder is one stream, in which the contents of files follow each other.
type Folder struct {
	Files []File

	archive *Archive
	coders  []coder
	bound   []bond
	packed  []packed // by the order of packed inputs
	inputs  []int    // the inputs of coders that packed streams are
	sizes   []int64  // what each coder gives
	size    int64    // what the last of them gives: the folder's
	crc     bool     // has a check sum of its own
}

// A coder makes one stream of one or more.
type coder struct {
	method     string // its identifier, of one to fifteen bytes
	properties []byte
	first      int // the number of its first input; inputs are counted over the folder
	inputs     int
}

// A bond says that an input of one coder is the output of another. Each has one
// output: outputs have the numbers of coders.
type bond struct{ input, output int }

// packed is where a packed stream lies.
type packed struct{ at, size int64 }

// What a header may list. Each is a byte of the header or two, and much more in memory.
const (
	maxCoders  = 32 // of a folder
	maxFolders = 1 << 16
	maxStreams = 1 << 18 // packed streams, and inputs of the coders of all folders
)

var (
	errFolders = pratique.Errorf(pratique.CodeLimit, "the 7z archive has more than %d folders", maxFolders)
	errStreams = pratique.Errorf(pratique.CodeLimit, "the 7z archive has more than %d streams", maxStreams)
	errIdle    = pratique.Errorf(pratique.CodeLimit, "the folders of the 7z archive ask for dictionaries that they do not use")
)

// streams reads what is known of packed streams and folders.
func (a *Archive) streams(c *cursor) (folders []Folder, err error) {
	var packs []packed
	var order parts
	for {
		switch id := c.byte(); {
		case c.err != nil:
			return nil, c.err
		case id == idEnd:
			return folders, distribute(folders, packs)
		case !order.next(id):
			return nil, errFormat
		case id == idPackInfo:
			packs, err = a.packInfo(c)
		case id == idUnpackInfo:
			folders, err = a.unpackInfo(c)
		case id == idSubStreams:
			err = a.subStreams(c, folders)
		default:
			err = errFormat
		}
		if err != nil {
			return nil, err
		}
	}
}

func (a *Archive) packInfo(c *cursor) ([]packed, error) {
	at := signatureHeader + c.size()
	n := c.count()
	if n > maxStreams {
		return nil, errStreams
	}
	packs := make([]packed, n)
	for c.err == nil {
		switch c.byte() {
		case idEnd:
			return packs, nil
		case idSizes:
			for i := range packs {
				size := c.size()
				if at < 0 || at > a.size || size > a.size-at {
					return nil, fmt.Errorf("%w: it is cut", errFormat)
				}
				packs[i] = packed{at, size}
				at += size
			}
		case idDigests:
			c.digests(len(packs))
		default:
			c.fail()
		}
	}
	return nil, c.err
}

func (a *Archive) unpackInfo(c *cursor) ([]Folder, error) {
	if c.byte() != idFolder {
		return nil, errFormat
	}
	n := c.count()
	if n > maxFolders {
		return nil, errFolders
	}
	if c.byte() != 0 { // their description is in a stream of its own
		return nil, errFormat
	}
	folders := make([]Folder, n)
	streams := 0
	for i := range folders {
		folders[i].archive = a
		if err := folders[i].read(c); err != nil {
			return nil, err
		}
		// Each coder has an input, which is a packed stream or another coder.
		if streams += len(folders[i].bound) + len(folders[i].inputs); streams > maxStreams {
			return nil, errStreams
		}
	}
	if c.byte() != idUnpackSizes {
		return nil, errFormat
	}
	for i := range folders {
		f := &folders[i]
		for j := range f.sizes {
			f.sizes[j] = c.size()
		}
		f.size = f.sizes[f.last()]
		f.Files = []File{{Size: f.size}} // unless sub streams say otherwise
	}
	for c.err == nil {
		switch c.byte() {
		case idEnd:
			return folders, nil
		case idDigests:
			defined := c.digests(n)
			for i := range folders {
				folders[i].crc = defined.has(i)
			}
		default:
			c.fail()
		}
	}
	return nil, c.err
}

// read reads the coders of a folder, and how they are connected.
func (f *Folder) read(c *cursor) error {
	n := c.count()
	if n == 0 || n > maxCoders {
		return errFormat
	}
	inputs := 0
	for range n {
		flags := c.byte()
		one := coder{method: string(c.take(uint64(flags & 0x0f))), first: inputs, inputs: 1}
		if flags&0x10 != 0 {
			one.inputs = c.count()
			if outputs := c.number(); outputs != 1 || one.inputs == 0 || one.inputs > maxCoders {
				return errFormat
			}
		}
		if flags&0x20 != 0 {
			one.properties = c.take(c.number())
		}
		inputs += one.inputs
		f.coders = append(f.coders, one)
	}
	f.sizes = make([]int64, n)
	for range n - 1 {
		b := bond{int(c.number()), int(c.number())}
		if b.input < 0 || b.input >= inputs || b.output < 0 || b.output >= n || f.bonded(b.input) || f.taken(b.output) {
			return errFormat
		}
		f.bound = append(f.bound, b)
	}
	if free := inputs - len(f.bound); free > 1 {
		for range free {
			input := int(c.number())
			if input < 0 || input >= inputs || f.bonded(input) {
				return errFormat
			}
			f.inputs = append(f.inputs, input)
		}
	} else {
		for input := range inputs {
			if !f.bonded(input) {
				f.inputs = append(f.inputs, input)
			}
		}
	}
	return c.err
}

// bonded tells whether an input is another coder's output, and taken whether an output
// is another coder's input.
func (f *Folder) bonded(input int) bool {
	return slices.ContainsFunc(f.bound, func(b bond) bool { return b.input == input })
}

func (f *Folder) taken(output int) bool {
	return slices.ContainsFunc(f.bound, func(b bond) bool { return b.output == output })
}

// last is the coder whose output is the folder's: the only one that no other takes.
func (f *Folder) last() int {
	for i := range f.coders {
		if !f.taken(i) {
			return i
		}
	}
	return 0 // there is one bond less than there are coders
}

// subStreams reads how many files share a folder, and their sizes.
func (a *Archive) subStreams(c *cursor, folders []Folder) error {
	id := c.byte()
	if id == idUnpackedStreams {
		total := 0
		for i := range folders {
			n := c.number()
			if total += int(min(n, uint64(a.limits.Files)+1)); total > a.limits.Files {
				return a.overFiles()
			}
			folders[i].Files = make([]File, n)
		}
		id = c.byte()
	}
	for i := range folders {
		f := &folders[i]
		left := f.size
		for j := range f.Files {
			if j < len(f.Files)-1 && id == idSizes {
				f.Files[j].Size = c.size()
			} else {
				f.Files[j].Size = left
			}
			if left -= f.Files[j].Size; left < 0 {
				return errFormat
			}
		}
	}
	if id == idSizes {
		id = c.byte()
	}
	for ; c.err == nil && id != idEnd; id = c.byte() {
		if id != idDigests {
			return errFormat
		}
		unknown := 0
		for i := range folders {
			if n := len(folders[i].Files); n != 1 || !folders[i].crc {
				unknown += n
			}
		}
		c.digests(unknown)
	}
	return c.err
}

// distribute gives folders their packed streams, in the order of both.
func distribute(folders []Folder, packs []packed) error {
	for i := range folders {
		n := len(folders[i].inputs)
		if n > len(packs) {
			return errFormat
		}
		folders[i].packed, packs = packs[:n], packs[n:]
	}
	return nil
}

// Open unpacks the folder's stream, which ends after as many bytes as the archive
// states; should it end before them, the error is io.ErrUnexpectedEOF. It reads from
// the archive, and is one of CodeLimit, ErrEncrypted or ErrMethod where that is why it
// cannot be opened.
func (f *Folder) Open() (io.Reader, error) {
	o := opening{f: f}
	r, err := o.output(f.last(), 0)
	if err != nil {
		return nil, err
	}
	f.archive.idle += max(0, o.window-f.size)
	if f.archive.idle > maxIdle {
		return nil, errIdle
	}
	return &whole{r: r, left: f.size}, nil
}

// maxIdle bounds the bytes of dictionaries to which no content belongs. A folder of
// ten bytes can ask for as large a dictionary as any, and only that takes time.
const maxIdle = 2 << 30

// whole reads exactly as many bytes as are left.
type whole struct {
	r    io.Reader
	left int64
}

func (w *whole) Read(p []byte) (int, error) {
	if w.left == 0 {
		return 0, io.EOF
	}
	n, err := w.r.Read(p[:min(int64(len(p)), w.left)])
	w.left -= int64(n)
	if err == io.EOF && w.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}
