package main

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/analyze/secrets"
)

// secretFlags choose how secrets are looked for.
type secretFlags struct {
	off       bool
	config    string
	guardsOff []string
	key       string
	derived   []byte // the key itself, where it is derived from another
}

func (f *secretFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&f.off, "no-secrets", false, "do not look for secrets")
	flags.StringVar(&f.config, "secret-config", "", "rules, rule switches and allow lists in gitleaks' TOML syntax; an existing .gitleaks.toml works")
	flags.StringSliceVar(&f.guardsOff, "secret-guards-off", nil, "guards against false alarms to switch off, or all (see docs/add-a-secret-rule.md)")
	flags.StringVar(&f.key, "secret-key", "", "file with the key of secrets' hashes (default $PRATIQUE_SECRET_KEY, or made once in the user's config folder)")
}

// analyzer returns nil when secrets are not wanted.
func (f *secretFlags) analyzer() (*secrets.Analyzer, error) {
	if f.off {
		return nil, nil
	}
	options := secrets.Options{}
	var err error
	if options.Key = f.derived; options.Key == nil {
		if options.Key, err = secretKey(f.key); err != nil {
			return nil, err
		}
	}
	if f.config != "" {
		b, err := os.ReadFile(f.config)
		if err != nil {
			return nil, pratique.Errorf(pratique.CodeNotFound, "cannot read the rules of secrets: %w", err).WithRemedy("check --secret-config")
		}
		options.ConfigTOML = string(b)
	}
	for _, guard := range f.guardsOff {
		options.GuardsOff = append(options.GuardsOff, secrets.Guard(guard))
	}
	return secrets.New(options)
}

// keySize is that of the hash which the key is for (RFC 2104, section 3).
const keySize = 32

// secretKey reads the installation's key, and makes it on first use. It never
// leaves this machine: a short secret could be guessed from its hash with it.
func secretKey(name string) ([]byte, error) {
	if name == "" {
		name = os.Getenv("PRATIQUE_SECRET_KEY")
	}
	if name == "" {
		dir, err := os.UserConfigDir()
		if err != nil {
			return nil, pratique.Errorf(pratique.CodeInvalid, "there is no folder for the key of secrets: %w", err).
				WithRemedy("set HOME, PRATIQUE_SECRET_KEY or --secret-key, or use --no-secrets")
		}
		name = filepath.Join(dir, "pratique", "secret.key")
	}
	key, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		key, err = makeKey(name)
	}
	if err != nil {
		return nil, pratique.Errorf(pratique.CodeDisk, "the key of secrets cannot be kept: %w", err).
			WithRemedy("choose a place that you may write to with --secret-key or PRATIQUE_SECRET_KEY")
	}
	if len(key) < keySize {
		return nil, pratique.Errorf(pratique.CodeCorrupt, "the key of secrets in %s has %d bytes; it needs %d", name, len(key), keySize).
			WithRemedy("remove the file, and a new key is made; hashes of earlier reports will then not match")
	}
	return key, nil
}

// makeKey writes a new key under its name only when it is whole. When two
// processes make one at once, the first one's stays, and both use it.
func makeKey(name string) ([]byte, error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".key-*")
	if err != nil {
		return nil, err
	}
	defer os.Remove(f.Name())
	key := make([]byte, keySize)
	rand.Read(key)
	_, err = f.Write(key)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Link(f.Name(), name)
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return os.ReadFile(name)
}
