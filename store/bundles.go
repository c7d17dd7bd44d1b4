package store

import (
	"context"
	"errors"
	"io"

	"github.com/pratique/pratique"
)

// pieceSize is how much of a bundle is in one row, in bytes.
const pieceSize = 1 << 20

// PutBundle keeps a bundle in pieces, so that workers on other machines need
// nothing but the database to judge by it, and drops all but the given ones to
// keep. Nothing happens when it is there already.
func (s *Store) PutBundle(ctx context.Context, digest pratique.Digest, content io.ReaderAt, size int64, keep ...pratique.Digest) error {
	return s.write(ctx, func(tx *tx) error {
		keep := append(keep[:len(keep):len(keep)], digest)
		in, args := marks(keep)
		if _, err := tx.exec(ctx, "DELETE FROM bundle_pieces WHERE digest NOT IN ("+in+")", args...); err != nil {
			return err
		}
		var there bool
		if err := tx.row(ctx, "SELECT EXISTS (SELECT 1 FROM bundle_pieces WHERE digest = ?)", digest).Scan(&there); err != nil || there {
			return err
		}
		piece := make([]byte, pieceSize)
		for number, offset := 0, int64(0); offset < size; number, offset = number+1, offset+pieceSize {
			n, err := content.ReadAt(piece[:min(pieceSize, size-offset)], offset)
			if err != nil && !(errors.Is(err, io.EOF) && offset+int64(n) == size) {
				return err
			}
			if _, err := tx.exec(ctx, "INSERT INTO bundle_pieces (digest, number, content) VALUES (?, ?, ?)", digest, number, piece[:n]); err != nil {
				return err
			}
		}
		return nil
	})
}

// WriteBundle writes a bundle that is kept to w. It is CodeNotFound when it is not
// there, or no longer.
func (s *Store) WriteBundle(ctx context.Context, digest pratique.Digest, w io.Writer) error {
	for number := 0; ; number++ {
		var piece []byte
		err := s.row(ctx, "SELECT content FROM bundle_pieces WHERE digest = ? AND number = ?", digest, number).Scan(&piece)
		if err = found(err, "bundle", digest); pratique.CodeOf(err) == pratique.CodeNotFound && number > 0 {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := w.Write(piece); err != nil {
			return err
		}
		if len(piece) < pieceSize {
			return nil
		}
	}
}
