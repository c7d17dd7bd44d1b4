package layer

import (
	"archive/tar"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/pratique/pratique"
)

// An overlay file system marks in its upper folder what is deleted of the lower
// ones, differently from a tar (kernel, Documentation/filesystems/overlayfs.rst):
// a character device with number 0:0 in the place of a name removes it, and an
// extended attribute on a folder hides everything that lower layers put into it.
// Without privileges the attributes are in the namespace "user", or in that of
// fuse-overlayfs, which may also write ".wh." files as a tar has them.
var (
	opaqueAttributes   = [...]string{"trusted.overlay.opaque", "user.overlay.opaque", "user.fuseoverlayfs.opaque"}
	redirectAttributes = [...]string{"trusted.overlay.redirect", "user.overlay.redirect"}
	metacopyAttributes = [...]string{"trusted.overlay.metacopy", "user.overlay.metacopy"}
)

// diffEntries walks an overlay folder in the order of names, and tells it in the
// words of a tar.
type diffEntries struct {
	tree     tree
	content  lazyFile
	stack    []listing
	opaque   string           // a folder whose mark is to be told next
	links    map[inode]string // first names of files with several
	note     func(pratique.Problem)
	lost     func(*lostFile)
	progress func(int64)
	read     int64
}

type inode struct{ dev, ino uint64 }

// listing is a folder with the names in it that are still to be visited.
type listing struct {
	folder string // "" for the root
	names  []string
}

func newDiffEntries(u *Unpacked, c *collector, progress func(int64)) *diffEntries {
	d := &diffEntries{tree: tree{root: u.Root}, links: map[inode]string{}, note: c.problem, lost: c.lostFile, progress: progress}
	d.content = newLazyFile(&d.tree)
	d.enter("")
	return d
}

func (d *diffEntries) bytes() int64 { return d.read }

func (d *diffEntries) close() {
	d.content.close()
	d.tree.close()
}

func (d *diffEntries) next() (*tar.Header, io.Reader, error) {
	if d.opaque != "" {
		name := d.opaque + "/.wh..wh..opq"
		d.opaque = ""
		return &tar.Header{Name: name, Typeflag: tar.TypeReg}, nil, nil
	}
	for len(d.stack) > 0 {
		top := &d.stack[len(d.stack)-1]
		if len(top.names) == 0 {
			d.stack = d.stack[:len(d.stack)-1]
			continue
		}
		name := path.Join(top.folder, top.names[0])
		top.names = top.names[1:]
		h, err := d.describe(name)
		if err != nil {
			d.lost(&lostFile{name, err})
			continue
		}
		d.read += 512 + (h.Size+511)&^511
		if d.progress != nil {
			d.progress(d.read)
		}
		d.content.reset(name, h.Size)
		return h, &d.content, nil
	}
	return nil, nil, io.EOF
}

// describe makes the header of name, and enters it when it is a folder.
func (d *diffEntries) describe(name string) (*tar.Header, error) {
	parent, base, err := d.tree.in(name)
	if err != nil {
		return nil, err
	}
	info, err := parent.Lstat(base)
	if err != nil {
		return nil, err
	}
	h := &tar.Header{Name: name, Mode: int64(info.Mode().Perm())}
	st, _ := info.Sys().(*syscall.Stat_t)
	switch mode := info.Mode(); {
	case mode.IsDir():
		h.Typeflag = tar.TypeDir
		d.enter(name)
	case mode.IsRegular():
		h.Typeflag, h.Size = tar.TypeReg, info.Size()
		h.Mode |= setBits(mode)
		d.regular(h, st)
	case mode&fs.ModeSymlink != 0:
		h.Typeflag = tar.TypeSymlink
		h.Linkname, err = parent.Readlink(base)
	case mode&fs.ModeCharDevice != 0 && st != nil && st.Rdev == 0:
		h.Name, h.Typeflag = path.Join(path.Dir(name), ".wh."+base), tar.TypeReg
	default:
		h.Typeflag = tar.TypeFifo // or a device, or a socket: nothing to read
	}
	return h, err
}

// setBits are the set-user and set-group bits as tar has them.
func setBits(mode fs.FileMode) (bits int64) {
	if mode&fs.ModeSetuid != 0 {
		bits |= 0o4000
	}
	if mode&fs.ModeSetgid != 0 {
		bits |= 0o2000
	}
	return bits
}

// regular finds out whether a file was told before under another name, and
// whether its content is here at all.
func (d *diffEntries) regular(h *tar.Header, st *syscall.Stat_t) {
	if st == nil {
		return
	}
	if st.Nlink > 1 {
		id := inode{uint64(st.Dev), st.Ino}
		if first, ok := d.links[id]; ok {
			h.Typeflag, h.Linkname, h.Size = tar.TypeLink, first, 0
			return
		}
		d.links[id] = h.Name
	}
	if h.Size > 0 && st.Blocks == 0 && d.has(h.Name, metacopyAttributes[:]) {
		d.elsewhere(h.Name)
		h.Typeflag = tar.TypeFifo // it hides what is below, and there is nothing to read
	}
}

// elsewhere tells of content that the kernel left in a lower layer.
func (d *diffEntries) elsewhere(name string) {
	name, _ = cleanPath(name)
	d.note(pratique.Problem{Code: pratique.CodeUnsupported, Partial: true, Path: name,
		Message: "overlayfs moved or changed it without copying its content into this layer (redirect_dir or metacopy)",
		Remedy:  "scan the image as a tar of `docker save` or from its registry"})
}

// enter lists a folder; its entries are visited next.
func (d *diffEntries) enter(name string) {
	if len(name) > maxName {
		return // the pass tells of it, and of one is enough
	}
	dir, err := d.open(name)
	if err != nil {
		d.lost(&lostFile{name, err})
		return
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		d.lost(&lostFile{name, err})
	}
	slices.Sort(names)
	d.stack = append(d.stack, listing{name, names})
	if name == "" {
		return
	}
	if hasAttribute(int(dir.Fd()), opaqueAttributes[:], "y") {
		d.opaque = name
	}
	if hasAttribute(int(dir.Fd()), redirectAttributes[:], "") {
		d.elsewhere(name)
	}
}

func (d *diffEntries) open(name string) (*os.File, error) {
	if name == "" {
		return d.tree.root.Open(".")
	}
	parent, base, err := d.tree.in(name)
	if err != nil {
		return nil, err
	}
	return parent.OpenFile(base, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
}

func (d *diffEntries) has(name string, attributes []string) bool {
	fd, err := d.tree.open(name, -1)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	return hasAttribute(fd, attributes, "")
}

// hasAttribute tells whether an open file has one of the extended attributes, with the given
// value or, if that is "", with any.
func hasAttribute(fd int, names []string, value string) bool {
	var buf [256]byte
	for _, name := range names {
		n, err := unix.Fgetxattr(fd, name, buf[:])
		if err == nil && (value == "" || string(buf[:n]) == value) || errors.Is(err, unix.ERANGE) {
			return true
		}
	}
	return false
}
