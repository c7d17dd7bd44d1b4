package analyze

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"sync"
)

// Digests are those of a file's content by which lists of known files name it, in
// hexadecimal.
type Digests struct{ MD5, SHA1, SHA256 string }

// A Digester is a Content that takes its digests once, however many analyzers ask.
type Digester interface {
	Digests() (Digests, error)
}

// DigestsOf returns a content's digests.
func DigestsOf(c Content) (Digests, error) {
	if d, ok := c.(Digester); ok {
		return d.Digests()
	}
	return TakeDigests(c)
}

// sideBySide is the size from which digests are taken on several cores, in bytes.
const sideBySide = 1 << 20

// TakeDigests reads a content for its digests.
func TakeDigests(c Content) (Digests, error) {
	m, s1, s2 := md5.New(), sha1.New(), sha256.New()
	var err error
	if c.Size() < sideBySide {
		err = digest(c, m, s1, s2)
	} else {
		// MD5 takes as long as the two others, which have instructions of their own:
		// a large file would else keep one core busy while the other waits.
		var group sync.WaitGroup
		var other error
		group.Go(func() { other = digest(c, m) })
		err = digest(c, s1, s2)
		if group.Wait(); err == nil {
			err = other
		}
	}
	if err != nil {
		return Digests{}, err
	}
	sum := func(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)) }
	return Digests{MD5: sum(m), SHA1: sum(s1), SHA256: sum(s2)}, nil
}

// digest feeds content to hashes in pieces that stay in the cache while all of
// them take their turn.
func digest(c Content, hashes ...hash.Hash) error {
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
