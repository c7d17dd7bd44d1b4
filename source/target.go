package source

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"

	"github.com/pratique/pratique"
)

type kind int

const (
	kindRegistry kind = iota
	kindEngine
	kindArchive       // a tar, compressed or not, that holds what we shall see
	kindDockerArchive // the same, forced to be docker save's
	kindOCIArchive    // the same, forced to be an OCI layout
	kindLayout
	kindFolder
	kindSBOM
)

// target is what the user named, understood.
type target struct {
	kind   kind
	engine pratique.EngineKind // of kindEngine
	path   string              // of a file or folder; else ""
	name   string              // a reference, or the image within path
	forced bool                // by a prefix
}

func (t target) String() string {
	if t.path != "" && t.name != "" {
		return t.path + ":" + t.name
	}
	return t.path + t.name
}

// hostWithPort is what follows "registry:" in registry:5000/app, where
// "registry" is no prefix but a host.
var hostWithPort = regexp.MustCompile(`^[0-9]{1,5}/`)

func parseTarget(s string) (target, error) {
	if s == "" {
		return target{}, pratique.Errorf(pratique.CodeInvalid, "nothing to scan was named").
			WithRemedy("name an image, for example debian:12, app.tar or ./rootfs")
	}
	if strings.ContainsRune(s, 0) || len(s) > 4096 {
		return target{}, pratique.Errorf(pratique.CodeInvalid, "the target's name has characters or a length that no name has").
			WithRemedy("name an image, for example debian:12, app.tar or ./rootfs")
	}
	prefix, rest, ok := strings.Cut(s, ":")
	if !ok {
		return recognise(s)
	}
	var t target
	switch prefix {
	case "registry", "docker", "containerd", "podman":
		if hostWithPort.MatchString(rest) {
			return recognise(s)
		}
		if strings.HasPrefix(rest, "//") {
			return target{}, pratique.Errorf(pratique.CodeInvalid, "%s:// is not a prefix here", prefix).
				WithRemedy("write registry:REFERENCE for a registry; docker:NAME, containerd:NAME or podman:NAME for a local engine")
		}
		t = target{kind: kindRegistry, name: rest, forced: true}
		if prefix != "registry" {
			t.kind, t.engine = kindEngine, pratique.EngineKind(prefix)
		}
		return t, nil
	case "docker-archive":
		t.kind = kindDockerArchive
	case "oci-archive":
		t.kind = kindOCIArchive
	case "oci":
		t.kind = kindLayout
	case "dir", "rootfs":
		return existing(target{kind: kindFolder, path: rest, forced: true})
	case "sbom":
		return existing(target{kind: kindSBOM, path: rest, forced: true})
	default:
		return recognise(s)
	}
	t.forced = true
	t.path, t.name = splitPath(rest)
	if info, err := os.Stat(t.path); err == nil && t.kind == kindLayout && !info.IsDir() {
		t.kind = kindOCIArchive
	}
	return existing(t)
}

// existing reports a path that a prefix promises and that is not there.
func existing(t target) (target, error) {
	if t.path == "" {
		return target{}, pratique.Errorf(pratique.CodeInvalid, "no file or folder follows the prefix").
			WithRemedy("write PREFIX:PATH, for example docker-archive:app.tar")
	}
	if _, err := os.Stat(t.path); err != nil {
		return target{}, in(t.path, fileError(err))
	}
	return t, nil
}

// splitPath parts PATH[:NAME] at the colon that leaves the longest path that
// exists; both parts may hold colons themselves.
func splitPath(s string) (path, name string) {
	for i := len(s); i > 0; i = strings.LastIndexByte(s[:i], ':') {
		if _, err := os.Stat(s[:i]); err == nil {
			return s[:i], strings.TrimPrefix(s[i:], ":")
		}
	}
	return s, ""
}

// recognise tells by what is on disk. A name that is not there, and does not look
// like a path, is a reference.
func recognise(s string) (target, error) {
	path, name := splitPath(s)
	info, err := os.Stat(path)
	switch {
	case err != nil && looksLikePath(s):
		return target{}, in(s, fileError(err))
	case err != nil:
		return target{kind: kindRegistry, name: s}, nil
	case name != "" && !holdsImages(path, info):
		// "app:1.2" beside a program called app is still a reference.
		return target{kind: kindRegistry, name: s}, nil
	case info.IsDir() && isLayout(path):
		return target{kind: kindLayout, path: path, name: name}, nil
	case info.IsDir():
		return target{kind: kindFolder, path: path}, nil
	}
	return target{kind: kindArchive, path: path, name: name}, nil
}

// looksLikePath: nobody names an image so.
func looksLikePath(s string) bool {
	if strings.HasPrefix(s, "/") || strings.HasPrefix(s, "./") || strings.HasPrefix(s, "../") || strings.HasPrefix(s, "~") || s == "." || s == ".." {
		return true
	}
	switch filepath.Ext(s) {
	case ".tar", ".tgz", ".gz", ".zst", ".json", ".xml", ".spdx":
		return true
	}
	return false
}

func isLayout(dir string) bool {
	for _, name := range []string{"oci-layout", "index.json"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || !info.Mode().IsRegular() {
			return false
		}
	}
	return true
}

func holdsImages(path string, info fs.FileInfo) bool {
	if info.IsDir() {
		return isLayout(path)
	}
	f, err := openRegular(path)
	if err != nil {
		return false
	}
	defer f.Close()
	form, err := sniff(f)
	return err == nil && form.isArchive()
}

// form is what the first bytes of a file show it to be.
type form int

const (
	formOther form = iota
	formTar
	formGzip
	formZstd
	formXZ
	formBzip2
	formJSON
	formXML
	formTagValue
)

func (f form) isArchive() bool { return f >= formTar && f <= formBzip2 }

// sniff looks at the first 512 bytes, by ReadAt: the file stays where it stands.
func sniff(f io.ReaderAt) (form, error) {
	head := make([]byte, 512)
	n, err := f.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return formOther, fileError(err)
	}
	head = head[:n]
	text := bytes.TrimSpace(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")))
	switch {
	case bytes.HasPrefix(head, []byte("\x1f\x8b")):
		return formGzip, nil
	case bytes.HasPrefix(head, []byte("\x28\xb5\x2f\xfd")):
		return formZstd, nil
	case bytes.HasPrefix(head, []byte("\xfd7zXZ\x00")):
		return formXZ, nil
	case bytes.HasPrefix(head, []byte("BZh")):
		return formBzip2, nil
	case len(head) == 512 && bytes.HasPrefix(head[257:], []byte("ustar")):
		return formTar, nil
	case bytes.HasPrefix(text, []byte("{")):
		return formJSON, nil
	case bytes.HasPrefix(text, []byte("<")):
		return formXML, nil
	case bytes.HasPrefix(text, []byte("SPDXVersion:")), bytes.HasPrefix(text, []byte("##")) && bytes.Contains(text, []byte("SPDX")):
		return formTagValue, nil
	case len(head) == 512 && bytes.Contains(head[:100], []byte(".json\x00")):
		return formTar, nil // the old tar format has no magic
	}
	return formOther, nil
}

// openRegular opens a file without waiting for the other end of a pipe, and
// refuses what is not a file.
func openRegular(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, fileError(err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		_ = f.Close()
		return nil, pratique.Errorf(pratique.CodeInvalid, "this is not a regular file").
			WithRemedy("give a file; a stream must be saved to one first, because images are read by seeking")
	}
	if err != nil {
		_ = f.Close()
		return nil, fileError(err)
	}
	return f, nil
}

// fileError explains why a file of the user's cannot be read. The path is put in
// front by the caller.
func fileError(err error) error {
	var own *pratique.Error
	if errors.As(err, &own) {
		return own
	}
	var at *fs.PathError
	cause := err
	if errors.As(err, &at) {
		cause = at.Err
	}
	var e *pratique.Error
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e = pratique.Errorf(pratique.CodeNotFound, "no such file or folder").
			WithRemedy("check the path; for an image in a registry write registry:REFERENCE")
	case errors.Is(err, fs.ErrPermission):
		e = pratique.Errorf(pratique.CodeUnauthorized, "we may not read it").
			WithRemedy("give this user the right to read it, or run as one who has it")
	case errors.Is(err, io.ErrUnexpectedEOF):
		e = pratique.Errorf(pratique.CodeCorrupt, "the file is cut short").
			WithRemedy("copy or save it again, completely")
	default:
		e = pratique.Errorf(pratique.CodeCorrupt, "it cannot be read: %v", cause).
			WithRemedy("check the file and the disk that it is on")
	}
	e.Cause = err
	return e
}
