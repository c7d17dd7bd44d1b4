package store

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/pratique/pratique"
)

// Keyring seals what must not be readable in the database or its backups:
// passwords of registries and secrets of webhooks. It is AES-256-GCM with a key
// that is kept in a file of its own, away from backups of the database.
type Keyring struct{ aead cipher.AEAD }

const keyBytes = 32

// OpenKeyring reads the key file, 64 hexadecimal digits, and makes it when it
// does not exist. Nobody but its owner may be able to read it.
func OpenKeyring(path string) (*Keyring, error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := newKeyFile(path); err != nil {
			return nil, diskError(err)
		}
		content, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, diskError(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, diskError(err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, pratique.Errorf(pratique.CodeInvalid, "others may read the key file %s", path).WithRemedy("run: chmod 600 %s", path)
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(content)))
	if err != nil || len(key) != keyBytes {
		return nil, pratique.Errorf(pratique.CodeInvalid, "%s is no key file: it must hold 64 hexadecimal digits", path).
			WithRemedy("restore it from a backup; without it the passwords of all registries have to be entered again")
	}
	return NewKeyring(key)
}

// NewKeyring uses a key of 32 bytes.
func NewKeyring(key []byte) (*Keyring, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	return &Keyring{aead}, nil
}

// newKeyFile puts a new key under its name only when it is whole; of two
// processes that do it at once, one wins.
func newKeyFile(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	key := make([]byte, keyBytes)
	if _, err := rand.Read(key); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".key-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(hex.EncodeToString(key) + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// seal encrypts plain for one purpose ("registry/7/password"): moved to another
// row, it does not open. "" is kept as NULL.
func (k *Keyring) seal(purpose, plain string) ([]byte, error) {
	if plain == "" {
		return nil, nil
	}
	if k == nil {
		return nil, pratique.Errorf(pratique.CodeInvalid, "there is no key to keep a password with").WithRemedy("name a key file")
	}
	nonce := make([]byte, k.aead.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return nil, err
	}
	return k.aead.Seal(nonce, nonce, []byte(plain), []byte(purpose)), nil
}

func (k *Keyring) open(purpose string, sealed []byte) (string, error) {
	if len(sealed) == 0 {
		return "", nil
	}
	if k != nil && len(sealed) >= k.aead.NonceSize() {
		n := k.aead.NonceSize()
		if plain, err := k.aead.Open(nil, sealed[:n], sealed[n:], []byte(purpose)); err == nil {
			return string(plain), nil
		}
	}
	return "", wrongKey()
}

func wrongKey() error {
	return pratique.Errorf(pratique.CodeInvalid, "the key file does not belong to this database").
		WithRemedy("use the key file that this database was made with; if it is lost, enter the passwords of all registries again")
}

const keyCheck = "key check"

// checkKeys tells at the start that a key file is not this database's, and not
// when the first registry answers "wrong password".
func (s *Store) checkKeys(ctx context.Context) error {
	if s.keys == nil {
		return nil
	}
	return s.write(ctx, func(tx *tx) error {
		var sealed []byte
		err := tx.row(ctx, "SELECT value FROM settings WHERE name = ?", keyCheck).Scan(document{&sealed})
		if err == nil {
			_, err = s.keys.open(keyCheck, sealed)
			return err
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if sealed, err = s.keys.seal(keyCheck, "pratique"); err != nil {
			return err
		}
		_, err = tx.exec(ctx, "INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING", keyCheck, document{sealed})
		return err
	})
}
