// Package testimage builds container images for tests and benchmarks: real
// layers in every encoding that engines and registries produce, with whiteouts,
// in the on-disk forms that a scanner is given.
//
// Layers are written to files, not to memory, so that images of several
// gigabytes can be made. Everything is deterministic: the same input gives the
// same digests.
//
// What the parts are called is the business of two documents: the OCI image
// specification (layers, whiteouts, layout folder,
// https://github.com/opencontainers/image-spec) and the moby image
// specification (the tar of "docker save",
// https://github.com/moby/docker-image-spec).
package testimage

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/pratique/pratique"
)

// Epoch is the time of every entry that brings none of its own.
var Epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// Compression is how a layer's tar is stored.
type Compression string

const (
	Plain Compression = "tar"
	Gzip  Compression = "gzip"
	Zstd  Compression = "zstd"
)

// MediaType returns OCI's name for a layer that is stored so.
func (c Compression) MediaType() string {
	switch c {
	case Gzip:
		return "application/vnd.oci.image.layer.v1.tar+gzip"
	case Zstd:
		return "application/vnd.oci.image.layer.v1.tar+zstd"
	}
	return "application/vnd.oci.image.layer.v1.tar"
}

// Layer is one layer in a file.
type Layer struct {
	Blob         string // path of the file with the stored bytes
	Digest       pratique.Digest
	DiffID       pratique.Digest
	MediaType    string
	Compression  Compression
	Size         int64  // stored bytes
	Uncompressed int64  // bytes of the tar
	CreatedBy    string // the build instruction that the history shows
}

// Content writes the entries of a layer. Contents compose: see [Sequence].
type Content func(*tar.Writer) error

// WriteLayer stores a layer in a new file of dir.
func WriteLayer(dir string, c Compression, createdBy string, content Content) (Layer, error) {
	return WriteRawLayer(dir, c, createdBy, func(w io.Writer) error {
		tw := tar.NewWriter(w)
		if err := content(tw); err != nil {
			return err
		}
		return tw.Close()
	})
}

// WriteRawLayer is WriteLayer for bytes that need not be a well-formed tar.
func WriteRawLayer(dir string, c Compression, createdBy string, write func(io.Writer) error) (_ Layer, err error) {
	f, err := os.CreateTemp(dir, "layer-*")
	if err != nil {
		return Layer{}, err
	}
	defer func() {
		if cerr := f.Close(); err == nil {
			err = cerr
		}
	}()
	buffered := bufio.NewWriterSize(f, 1<<20)
	stored := &counter{w: buffered, h: sha256.New()}
	var compressed io.WriteCloser
	switch c {
	case Gzip:
		compressed = gzip.NewWriter(stored)
	case Zstd:
		if compressed, err = zstd.NewWriter(stored, zstd.WithEncoderConcurrency(1)); err != nil {
			return Layer{}, err
		}
	case Plain:
		compressed = nopCloser{stored}
	default:
		return Layer{}, fmt.Errorf("compression %q is not known", c)
	}
	plain := &counter{w: compressed, h: sha256.New()}
	if err := write(plain); err != nil {
		return Layer{}, err
	}
	if err := compressed.Close(); err != nil {
		return Layer{}, err
	}
	if err := buffered.Flush(); err != nil {
		return Layer{}, err
	}
	return Layer{
		Blob: f.Name(), Digest: stored.digest(), DiffID: plain.digest(),
		MediaType: c.MediaType(), Compression: c, CreatedBy: createdBy,
		Size: stored.n, Uncompressed: plain.n,
	}, nil
}

// counter hashes and counts what passes through.
type counter struct {
	w io.Writer
	h hash.Hash
	n int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.h.Write(b[:n])
	c.n += int64(n)
	return n, err
}

func (c *counter) digest() pratique.Digest {
	return pratique.Digest("sha256:" + hex.EncodeToString(c.h.Sum(nil)))
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// Sequence writes contents one after the other.
func Sequence(contents ...Content) Content {
	return func(tw *tar.Writer) error {
		for _, c := range contents {
			if err := c(tw); err != nil {
				return err
			}
		}
		return nil
	}
}

// Files writes regular files by path, in order of their names, with the folders
// that they need. A path that ends in "/" is a folder; a value "-> x" is a
// symbolic link to x.
func Files(files map[string]string) Content {
	return func(tw *tar.Writer) error {
		names := make([]string, 0, len(files))
		for name := range files {
			names = append(names, name)
		}
		sort.Strings(names)
		made := map[string]bool{".": true}
		for _, name := range names {
			if err := mkdirs(tw, made, path.Dir(strings.TrimSuffix(name, "/"))); err != nil {
				return err
			}
			hdr := &tar.Header{Name: name, Mode: 0o644, Typeflag: tar.TypeReg, Size: int64(len(files[name])), ModTime: Epoch, Format: tar.FormatPAX}
			body := files[name]
			switch target, isLink := strings.CutPrefix(body, "-> "); {
			case strings.HasSuffix(name, "/"):
				if err := mkdirs(tw, made, strings.TrimSuffix(name, "/")); err != nil {
					return err
				}
				continue
			case isLink:
				hdr.Typeflag, hdr.Linkname, hdr.Size, body = tar.TypeSymlink, target, 0, ""
			}
			if err := tw.WriteHeader(hdr); err != nil {
				return err
			}
			if _, err := io.WriteString(tw, body); err != nil {
				return err
			}
		}
		return nil
	}
}

func mkdirs(tw *tar.Writer, made map[string]bool, dir string) error {
	if made[dir] || dir == "/" {
		return nil
	}
	if err := mkdirs(tw, made, path.Dir(dir)); err != nil {
		return err
	}
	made[dir] = true
	return tw.WriteHeader(&tar.Header{Name: dir + "/", Mode: 0o755, Typeflag: tar.TypeDir, ModTime: Epoch, Format: tar.FormatPAX})
}

// Entries writes headers as they are, with a body where the header has a size
// and none is given: zeros.
func Entries(headers ...tar.Header) Content {
	return func(tw *tar.Writer) error {
		for i := range headers {
			if err := tw.WriteHeader(&headers[i]); err != nil {
				return err
			}
			if headers[i].Typeflag == tar.TypeReg {
				if _, err := io.CopyN(tw, zeros{}, headers[i].Size); err != nil {
					return err
				}
			}
		}
		return nil
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

// Whiteouts removes paths of lower layers.
func Whiteouts(paths ...string) Content {
	return func(tw *tar.Writer) error {
		for _, p := range paths {
			if err := marker(tw, path.Join(path.Dir(p), ".wh."+path.Base(p))); err != nil {
				return err
			}
		}
		return nil
	}
}

// Opaque hides what lower layers put into folders. The folders themselves stay.
func Opaque(dirs ...string) Content {
	return func(tw *tar.Writer) error {
		for _, d := range dirs {
			hdr := &tar.Header{Name: d + "/", Mode: 0o755, Typeflag: tar.TypeDir, ModTime: Epoch, Format: tar.FormatPAX}
			if err := tw.WriteHeader(hdr); err != nil {
				return err
			}
			if err := marker(tw, path.Join(d, ".wh..wh..opq")); err != nil {
				return err
			}
		}
		return nil
	}
}

func marker(tw *tar.Writer, name string) error {
	return tw.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o600, ModTime: Epoch, Format: tar.FormatPAX})
}

// Folder writes a folder of this machine below prefix ("" for the root). Owners
// are dropped and times replaced by [Epoch], so that the layer depends on names,
// modes and content alone.
func Folder(root, prefix string) Content {
	return func(tw *tar.Writer) error {
		made := map[string]bool{".": true}
		if err := mkdirs(tw, made, path.Join(".", prefix)); err != nil {
			return err
		}
		return filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
			if err != nil || p == root {
				return err
			}
			rel, err := filepath.Rel(root, p)
			if err != nil {
				return err
			}
			return addFile(tw, p, path.Join(prefix, filepath.ToSlash(rel)), d)
		})
	}
}

func addFile(tw *tar.Writer, p, name string, d fs.DirEntry) error {
	info, err := d.Info()
	if err != nil {
		return err
	}
	var target string
	if info.Mode()&fs.ModeSymlink != 0 {
		if target, err = os.Readlink(p); err != nil {
			return err
		}
	}
	hdr, err := tar.FileInfoHeader(info, target)
	if err != nil {
		return err
	}
	*hdr = tar.Header{Name: name, Typeflag: hdr.Typeflag, Linkname: hdr.Linkname, Size: hdr.Size, Mode: hdr.Mode, ModTime: Epoch, Format: tar.FormatPAX}
	if info.IsDir() {
		hdr.Name += "/"
	}
	if err := tw.WriteHeader(hdr); err != nil || !info.Mode().IsRegular() {
		return err
	}
	f, err := os.Open(p)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(tw, f)
	return err
}

// Tar copies the entries of a tar file for which keep is true; nil keeps all.
func Tar(file string, keep func(*tar.Header) bool) Content {
	return func(tw *tar.Writer) error {
		return eachEntry(file, func(hdr *tar.Header, body io.Reader) error {
			if keep != nil && !keep(hdr) {
				return nil
			}
			return copyEntry(tw, hdr, body)
		})
	}
}

func copyEntry(tw *tar.Writer, hdr *tar.Header, body io.Reader) error {
	h := *hdr
	h.Format = tar.FormatUnknown
	if err := tw.WriteHeader(&h); err != nil {
		return err
	}
	_, err := io.Copy(tw, body)
	return err
}

func eachEntry(file string, do func(*tar.Header, io.Reader) error) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	tr := tar.NewReader(bufio.NewReaderSize(f, 1<<20))
	for {
		hdr, err := tr.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := do(hdr, tr); err != nil {
			return err
		}
	}
}

// Diff writes the layer that turns the file system in the tar file lower into
// that of upper, as a build step would: whiteouts for what is gone, and every
// entry that is new or changed. Times do not count as a change. A folder's
// removal is one whiteout. A file whose hard link target changed is written
// with it.
func Diff(lower, upper string) Content {
	return func(tw *tar.Writer) error {
		before, err := fingerprints(lower)
		if err != nil {
			return err
		}
		after, err := fingerprints(upper)
		if err != nil {
			return err
		}
		for _, gone := range removed(before, after) {
			if err := Whiteouts(gone)(tw); err != nil {
				return err
			}
		}
		changed := func(name string) bool { return before[name] != after[name] }
		linked := map[string]bool{} // hard link targets that must be in the same layer
		for name, print := range after {
			if target, ok := strings.CutPrefix(print, "hardlink "); ok && changed(name) {
				linked[target] = true
			}
		}
		return Tar(upper, func(hdr *tar.Header) bool {
			name := clean(hdr.Name)
			if name == "." {
				return false
			}
			if hdr.Typeflag == tar.TypeLink && (changed(clean(hdr.Linkname)) || linked[clean(hdr.Linkname)]) {
				return true
			}
			return changed(name) || linked[name]
		})(tw)
	}
}

func clean(name string) string { return strings.TrimPrefix(path.Clean("/"+name), "/") }

// fingerprints describes each entry of a tar by all that makes it what it is.
func fingerprints(file string) (map[string]string, error) {
	prints := map[string]string{}
	err := eachEntry(file, func(hdr *tar.Header, body io.Reader) error {
		name := clean(hdr.Name)
		if name == "" {
			return nil
		}
		if hdr.Typeflag == tar.TypeLink {
			prints[name] = "hardlink " + clean(hdr.Linkname)
			return nil
		}
		h := sha256.New()
		if _, err := io.Copy(h, body); err != nil {
			return err
		}
		prints[name] = fmt.Sprintf("%c %o %d:%d %q %d,%d %x", hdr.Typeflag, hdr.Mode, hdr.Uid, hdr.Gid, hdr.Linkname, hdr.Devmajor, hdr.Devminor, h.Sum(nil))
		return nil
	})
	return prints, err
}

// removed lists what is in before and not in after, leaving out what lies below
// a folder that is gone as a whole.
func removed(before, after map[string]string) []string {
	var gone []string
	for name := range before {
		if _, stays := after[name]; stays {
			continue
		}
		parent := path.Dir(name)
		if _, parentStays := after[parent]; parent == "." || parentStays {
			gone = append(gone, name)
		}
	}
	slices.Sort(gone)
	return gone
}
