// Package files takes the digests of the files that can carry malware:
// programs, scripts, documents with macros, archives, and every member of an
// archive. Lists of known bad digests are then judged in package match, today
// and whenever a list changes, without reading the layer again.
package files

import (
	"context"
	"io"
	"strings"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/analyze"
)

// Analyzer takes digests.
type Analyzer struct{}

func (Analyzer) Name() string    { return "files" }
func (Analyzer) Version() string { return "3" }
func (Analyzer) Nested() bool    { return true }

// maxUnknown is the largest file of unknown kind that is taken, in bytes.
const maxUnknown = 64 << 20

// Wants files by what they are: programs, scripts, documents, archives, whatever
// may be executed, every member of an archive but the text of manuals, and
// outside the distribution's own trees whatever is neither text nor a medium. In
// the places where intruders drop things, everything. The sources of interpreted
// libraries are left out: half a million digests of them would say little.
func (Analyzer) Wants(f *analyze.File) bool {
	if f.Member() {
		return !manual(f.Path) || !analyze.IsText(f.Head) || analyze.FileType(f.Path, f.Head) != "other"
	}
	if f.Head == nil {
		return false
	}
	if f.Mode&0o111 != 0 || analyze.FileType(f.Path, f.Head) != "other" {
		return true
	}
	if f.Size > maxUnknown {
		return false
	}
	return dropped(f.Path) || !strings.HasPrefix(f.Path, "usr/") && !analyze.IsText(f.Head) && !analyze.IsMedium(f.Head)
}

// manual tells whether a path is in the distribution's documentation, of which
// every page is a gzip of its own.
func manual(path string) bool {
	for _, dir := range [...]string{"usr/share/man/", "usr/share/doc/", "usr/share/info/"} {
		if strings.HasPrefix(path, dir) {
			return true
		}
	}
	return false
}

// dropped tells whether a path is where every user may write.
func dropped(path string) bool {
	for _, dir := range [...]string{"tmp/", "var/tmp/", "dev/shm/", "run/"} {
		if strings.HasPrefix(path, dir) {
			return true
		}
	}
	return false
}

// Analyze implements analyze.Analyzer.
func (Analyzer) Analyze(_ context.Context, f *analyze.File, c analyze.Content, facts *pratique.Facts) error {
	head := make([]byte, min(c.Size(), analyze.SniffLen))
	if _, err := c.ReadAt(head, 0); err != nil && err != io.EOF {
		return err
	}
	digests, err := analyze.DigestsOf(c)
	if err != nil {
		return err
	}
	facts.Files = append(facts.Files, pratique.FileFact{
		Path: f.Path, Size: c.Size(), Type: analyze.FileType(f.Path, head),
		MD5: digests.MD5, SHA1: digests.SHA1, SHA256: digests.SHA256,
	})
	return nil
}
