package store

import (
	"context"
	"errors"
	"io"

	"github.com/pratique/pratique"
)

// pieceSize is how much of a bundle or a pack of rules is in one row, in bytes.
const pieceSize = 1 << 20

// Tables of large things that workers on other machines need, in pieces.
const (
	bundlePieces = "bundle_pieces"
	rulePieces   = "rule_pieces"
)

// PutBundle keeps a bundle in pieces, so that workers on other machines need
// nothing but the database to judge by it, and drops all but the given ones to
// keep. Nothing happens when it is there already.
func (s *Store) PutBundle(ctx context.Context, digest pratique.Digest, content io.ReaderAt, size int64, keep ...pratique.Digest) error {
	return s.putPieces(ctx, bundlePieces, digest, content, size, keep)
}

// WriteBundle writes a bundle that is kept to w. It is CodeNotFound when it is not
// there, or no longer.
func (s *Store) WriteBundle(ctx context.Context, digest pratique.Digest, w io.Writer) error {
	return s.writePieces(ctx, bundlePieces, "bundle", digest, w)
}

// PutRulePack keeps a pack of rules in pieces, as PutBundle does a bundle.
func (s *Store) PutRulePack(ctx context.Context, digest pratique.Digest, content io.ReaderAt, size int64, keep ...pratique.Digest) error {
	return s.putPieces(ctx, rulePieces, digest, content, size, keep)
}

// WriteRulePack writes a pack of rules that is kept to w. It is CodeNotFound when
// it is not there, or no longer.
func (s *Store) WriteRulePack(ctx context.Context, digest pratique.Digest, w io.Writer) error {
	return s.writePieces(ctx, rulePieces, "pack of rules", digest, w)
}

func (s *Store) putPieces(ctx context.Context, table string, digest pratique.Digest, content io.ReaderAt, size int64, keep []pratique.Digest) error {
	return s.write(ctx, func(tx *tx) error {
		keep := append(keep[:len(keep):len(keep)], digest)
		in, args := marks(keep)
		if _, err := tx.exec(ctx, "DELETE FROM "+table+" WHERE digest NOT IN ("+in+")", args...); err != nil {
			return err
		}
		var there bool
		if err := tx.row(ctx, "SELECT EXISTS (SELECT 1 FROM "+table+" WHERE digest = ?)", digest).Scan(&there); err != nil || there {
			return err
		}
		piece := make([]byte, pieceSize)
		for number, offset := 0, int64(0); offset < size; number, offset = number+1, offset+pieceSize {
			n, err := content.ReadAt(piece[:min(pieceSize, size-offset)], offset)
			if err != nil && !(errors.Is(err, io.EOF) && offset+int64(n) == size) {
				return err
			}
			if _, err := tx.exec(ctx, "INSERT INTO "+table+" (digest, number, content) VALUES (?, ?, ?)", digest, number, piece[:n]); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Store) writePieces(ctx context.Context, table, what string, digest pratique.Digest, w io.Writer) error {
	for number := 0; ; number++ {
		var piece []byte
		err := s.row(ctx, "SELECT content FROM "+table+" WHERE digest = ? AND number = ?", digest, number).Scan(&piece)
		if err = found(err, what, digest); pratique.CodeOf(err) == pratique.CodeNotFound && number > 0 {
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
