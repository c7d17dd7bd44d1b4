package secrets

import (
	"bytes"
	"io"
	"strings"
	"unicode/utf8"
)

// form is what a file's bytes are, as far as it matters here.
type form int

const (
	formNone form = iota // nothing to look at: programs, images, fonts, media …
	formText             // ASCII, UTF-8, or an encoding that has ASCII in it
	formUTF16LE
	formUTF16BE
	formKeystore // a binary container of keys
	formMixed    // a small program or database: text among other bytes
)

// formOf looks at the name and the first bytes. It does not allocate.
func formOf(path string, head []byte, size int64) form {
	switch {
	case keystoreOf(path, head) != nil:
		return formKeystore
	case isArchive(head):
		return formNone
	case dull[extension(path)]:
		return mixedOf(path, head, size)
	}
	if f := encodingOf(head); f != formNone {
		return f
	}
	return mixedOf(path, head, size)
}

// maxMixed bounds what is looked at as text among other bytes: a program of
// somebody's own is small, compared with those of a distribution.
const maxMixed = 32 << 20

// mixedOf tells programs and databases that somebody put into the image from
// those of packages, which are most of an image's bytes.
func mixedOf(path string, head []byte, size int64) form {
	if size > maxMixed || size < 16 || packaged(path) {
		return formNone
	}
	switch {
	case bytes.HasPrefix(head, []byte("\x7fELF")), bytes.HasPrefix(head, []byte("SQLite format 3\x00")), compiled[extension(path)]:
		return formMixed
	}
	return formNone
}

// compiled are programs and databases without a magic number of their own.
var compiled = extensions("pyc pyo db sqlite sqlite3 dat")

// packaged tells folders that package managers fill.
func packaged(path string) bool {
	for _, root := range packagedRoots {
		if strings.HasPrefix(path, root) {
			return true
		}
	}
	return published().contains(bytesOf(path))
}

var packagedRoots = append([]string{"bin/", "sbin/", "boot/", "usr/bin/", "usr/sbin/", "usr/games/", "usr/local/go/", "usr/local/lib/", "var/lib/", "var/cache/"}, systemRoots...)

// isArchive tells what the pass opens: its members are files of their own. (A
// tar of text begins with little that is no text.)
func isArchive(head []byte) bool {
	return bytes.HasPrefix(head, []byte("PK\x03\x04")) || bytes.HasPrefix(head, []byte("\x1f\x8b\x08")) ||
		len(head) >= 262 && string(head[257:262]) == "ustar"
}

// encodingOf tells UTF-16 by its mark, or by the zero bytes that ASCII has
// there, from other text and from what is no text: zero bytes, or more than a
// few control characters.
func encodingOf(head []byte) form {
	switch {
	case bytes.HasPrefix(head, []byte{0xff, 0xfe, 0, 0}), bytes.HasPrefix(head, []byte{0x7f, 'E', 'L', 'F'}):
		return formNone
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}):
		return formUTF16LE
	case bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		return formUTF16BE
	}
	var zeros [2]int
	control := 0
	for i, c := range head {
		switch {
		case c == 0:
			zeros[i&1]++
		case c < ' ' && c != '\n' && c != '\r' && c != '\t' && c != '\f' && c != 0x1b && c != '\b':
			control++
		}
	}
	pairs := len(head) / 2
	switch {
	case zeros == [2]int{} && control*20 <= len(head):
		return formText
	case pairs >= 4 && control*20 <= len(head) && zeros[0] == 0 && zeros[1]*10 >= pairs*6:
		return formUTF16LE
	case pairs >= 4 && control*20 <= len(head) && zeros[1] == 0 && zeros[0]*10 >= pairs*6:
		return formUTF16BE
	}
	return formNone
}

// ext is a folded extension of up to seven letters; a longer one is "".
type ext [8]byte

func extension(path string) (e ext) {
	dot := strings.LastIndexByte(path, '.')
	if dot < 0 || len(path)-dot-1 > len(e) || strings.IndexByte(path[dot:], '/') >= 0 {
		return e
	}
	for i := range len(path) - dot - 1 {
		e[i] = lower(path[dot+1+i])
	}
	return e
}

func extensions(list string) map[ext]bool {
	set := map[ext]bool{}
	for _, s := range strings.Fields(list) {
		set[extension("."+s)] = true
	}
	return set
}

// dull are formats without text of their own.
var dull = extensions(`7z a aac ai aif apng avi avif bmp br bz2 class cpio dat dll dylib eot exe flac gif gmo heic
	ico icns jpeg jpg ko lz4 lzma m4a m4v mkv mo mov mp3 mp4 mpeg mpg o odg odp ods odt ogg opus otf pack pak pcap png
	ppt pptx psd pyc pyd pyo qm rar rlib rpm so svg swf tif tiff ttc ttf wasm wav webm webp wma wmv woff woff2 xcf xz zst`)

// utf16Reader turns UTF-16 into UTF-8. Halves of pairs that stand alone become
// U+FFFD.
type utf16Reader struct {
	src  io.Reader
	big  bool
	in   [8 << 10]byte
	have int    // bytes of in that wait for the other half of a unit or pair
	out  []byte // ready
	err  error
	past bool // the byte order mark, if any, is behind us
}

func newUTF16(src io.Reader, big bool) *utf16Reader { return &utf16Reader{src: src, big: big} }

func (u *utf16Reader) Read(p []byte) (int, error) {
	for len(u.out) == 0 {
		if u.err != nil {
			return 0, u.err
		}
		n, err := io.ReadAtLeast(u.src, u.in[u.have:], 1)
		u.err = err
		u.convert(u.in[:u.have+n], err != nil)
	}
	n := copy(p, u.out)
	u.out = u.out[n:]
	return n, nil
}

func (u *utf16Reader) unit(b []byte) rune {
	if u.big {
		return rune(b[0])<<8 | rune(b[1])
	}
	return rune(b[1])<<8 | rune(b[0])
}

func (u *utf16Reader) convert(b []byte, last bool) {
	u.out = u.out[:0]
	i := 0
	for ; i+2 <= len(b); i += 2 {
		r := u.unit(b[i:])
		if 0xd800 <= r && r < 0xdc00 {
			if i+4 > len(b) && !last {
				break
			}
			if i+4 <= len(b) {
				if low := u.unit(b[i+2:]); 0xdc00 <= low && low < 0xe000 {
					r = (r-0xd800)<<10 + low - 0xdc00 + 0x10000
					i += 2
				}
			}
		}
		if !u.past {
			u.past = true
			if r == 0xfeff {
				continue
			}
		}
		u.out = utf8.AppendRune(u.out, r)
	}
	u.have = copy(u.in[:], b[i:])
}

// packed are archives.
var packed = extensions("zip jar whl egg gz tgz tar crate gem nupkg")

// bulky tells paths with large amounts of text without any configuration:
// archives of published packages, manuals, translations, package lists.
func bulky(path string) bool { return outward(path, bulkyHere) }

func bulkyHere(path string) bool {
	if packed[extension(path)] && published().contains(bytesOf(path)) {
		return true
	}
	switch {
	case strings.HasPrefix(path, "usr/share/"):
		rest := path[len("usr/share/"):]
		dir, _, _ := strings.Cut(rest, "/")
		switch dir {
		case "man", "info", "locale", "i18n", "zoneinfo", "unicode", "icons", "fonts", "mime", "terminfo", "consolefonts", "keymaps":
			return true
		case "doc":
			return strings.HasSuffix(path, ".gz")
		}
	case strings.HasPrefix(path, "var/lib/dpkg/info/"):
		return !strings.HasSuffix(path, "inst") && !strings.HasSuffix(path, "rm") && !strings.HasSuffix(path, ".config")
	case strings.HasPrefix(path, "var/lib/apt/lists/"), strings.HasPrefix(path, "usr/lib/locale/"):
		return true
	}
	return false
}
