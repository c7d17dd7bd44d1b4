// Package files takes the digests of the files that can carry malware:
// programs, scripts, documents with macros, archives, and every member of an
// archive. Lists of known bad digests are then judged in package match, today
// and whenever a list changes, without reading the layer again.
package files

import (
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"strings"

	"golang.org/x/sync/errgroup"

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
	fact := pratique.FileFact{Path: f.Path, Size: c.Size(), Type: analyze.FileType(f.Path, head)}
	m, s1, s2 := md5.New(), sha1.New(), sha256.New()
	if c.Size() < sideBySide {
		if err := digest(c, m, s1, s2); err != nil {
			return err
		}
	} else {
		// MD5 takes as long as the two others, which have instructions of their own:
		// a large file would else keep one core busy while the other waits.
		var group errgroup.Group
		group.Go(func() error { return digest(c, m) })
		group.Go(func() error { return digest(c, s1, s2) })
		if err := group.Wait(); err != nil {
			return err
		}
	}
	fact.MD5 = hex.EncodeToString(m.Sum(nil))
	fact.SHA1 = hex.EncodeToString(s1.Sum(nil))
	fact.SHA256 = hex.EncodeToString(s2.Sum(nil))
	facts.Files = append(facts.Files, fact)
	return nil
}

// sideBySide is the size from which digests are taken on several cores, in bytes.
const sideBySide = 1 << 20

// digest feeds content to hashes in pieces that stay in the cache while all of
// them take their turn.
func digest(c analyze.Content, hashes ...hash.Hash) error {
	const piece = 32 << 10
	if b, ok := c.Bytes(); ok {
		for len(b) > 0 {
			n := min(len(b), piece)
			for _, h := range hashes {
				h.Write(b[:n])
			}
			b = b[n:]
		}
		return nil
	}
	buffer := make([]byte, 8*piece)
	r := io.NewSectionReader(c, 0, c.Size())
	for {
		n, err := r.Read(buffer)
		for at := 0; at < n; at += piece {
			for _, h := range hashes {
				h.Write(buffer[at:min(at+piece, n)])
			}
		}
		switch err {
		case nil:
		case io.EOF:
			return nil
		default:
			return err
		}
	}
}
