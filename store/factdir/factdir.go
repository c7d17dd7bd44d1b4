// Package factdir keeps facts in a folder: one compressed file for each
// (analyzer, version, diffID). Facts never change, so a file is written once,
// under its final name only when it is whole, and any number of processes may
// share the folder. A damaged file counts as absent: the layer is read again.
//
// Files are in the form of encoding/gob, which is read seven times as fast as JSON
// is: a scan that finds all facts here does little else.
package factdir

import (
	"bytes"
	"encoding/gob"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/pratique/pratique"
)

// format is part of every path; it changes with the encoding.
const format = "v2"

// formats are this one, those before, and those to come.
var formats = regexp.MustCompile(`^v[0-9]+$`)

const suffix = ".zst"

// attested comes before suffix in the names of facts that were not verified.
const attested = ".attested"

// maxFile bounds what a damaged or hostile file can make us inflate.
const maxFile = 1 << 30

// A Dir is a folder of facts. Its methods are safe for concurrent use.
type Dir struct {
	root    string
	encoder *zstd.Encoder
	decoder *zstd.Decoder
}

// Open uses folder, which is made on the first Put.
func Open(folder string) (*Dir, error) {
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(true))
	if err != nil {
		return nil, fmt.Errorf("zstd: %w", err)
	}
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(maxFile))
	if err != nil {
		return nil, fmt.Errorf("zstd: %w", err)
	}
	return &Dir{root: folder, encoder: encoder, decoder: decoder}, nil
}

func (d *Dir) path(diffID pratique.Digest, analyzer, version, kind string) string {
	h := diffID.Hex()
	return filepath.Join(d.root, format, analyzer, pratique.DigestOf([]byte(version)).Hex()[:16], h[:2], h+kind+suffix)
}

// Get returns the facts, or nil when there are none. It marks them as used. Facts
// that this host attested are given where there are no verified ones.
func (d *Dir) Get(diffID pratique.Digest, analyzer, version string) *pratique.Facts {
	if facts := d.get(diffID, analyzer, version, ""); facts != nil && facts.Verified {
		return facts
	}
	facts := d.get(diffID, analyzer, version, attested)
	if facts != nil {
		facts.Verified = false // wherever it came from, this is where it was kept
	}
	return facts
}

func (d *Dir) get(diffID pratique.Digest, analyzer, version, kind string) *pratique.Facts {
	if _, err := pratique.ParseDigest(string(diffID)); err != nil {
		return nil
	}
	name := d.path(diffID, analyzer, version, kind)
	if info, err := os.Lstat(name); err != nil || !info.Mode().IsRegular() || info.Size() > maxFile {
		return nil
	}
	packed, err := os.ReadFile(name)
	if err != nil {
		return nil
	}
	b, err := d.decoder.DecodeAll(packed, nil)
	if err != nil {
		return nil
	}
	var facts pratique.Facts
	if gob.NewDecoder(bytes.NewReader(b)).Decode(&facts) != nil || facts.DiffID != diffID || facts.Analyzer != analyzer || facts.Version != version {
		return nil
	}
	now := time.Now()
	_ = os.Chtimes(name, now, now) // only pruning looks at it
	return &facts
}

// Put keeps facts, those that were not verified beside those that were. It fails with CodeDisk when the folder cannot take them.
func (d *Dir) Put(facts *pratique.Facts) error {
	if _, err := pratique.ParseDigest(string(facts.DiffID)); err != nil {
		return err
	}
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(facts); err != nil {
		return fmt.Errorf("facts: %w", err)
	}
	kind := ""
	if !facts.Verified {
		kind = attested
	}
	if err := write(d.path(facts.DiffID, facts.Analyzer, facts.Version, kind), d.encoder.EncodeAll(b.Bytes(), nil)); err != nil {
		return pratique.Errorf(pratique.CodeDisk, "cannot keep facts in the cache: %w", err).
			WithRemedy("free some space, run pratique cache prune, choose another folder with --cache, or use --no-cache")
	}
	return nil
}

func write(name string, b []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// writing is how long a file of a writer that is still at it may be there.
const writing = time.Hour

// Prune removes what was not used for longer than age, and what an interrupted
// writer left. It touches nothing but files that a Dir of this or an older
// version made, whatever folder it is pointed to. It returns the files and bytes
// that it freed.
func (d *Dir) Prune(age time.Duration) (files int, freed int64, err error) {
	err = filepath.WalkDir(d.root, func(name string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if name != d.root && filepath.Dir(name) == filepath.Clean(d.root) && !formats.MatchString(entry.Name()) {
				return fs.SkipDir
			}
			return nil
		}
		unused := age
		switch {
		case filepath.Dir(name) == filepath.Clean(d.root):
			return nil
		case strings.HasPrefix(entry.Name(), ".new-"):
			unused = max(age, writing)
		case !strings.HasSuffix(entry.Name(), suffix):
			return nil
		}
		info, err := entry.Info()
		if err != nil || time.Since(info.ModTime()) < unused {
			return nil
		}
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		files, freed = files+1, freed+info.Size()
		return nil
	})
	if err != nil {
		return files, freed, pratique.Errorf(pratique.CodeDisk, "cannot prune the cache: %w", err).WithRemedy("check who owns %s", d.root)
	}
	return files, freed, nil
}
