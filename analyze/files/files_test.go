package files_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/analyze"
	"github.com/pratique/pratique/analyze/files"
)

// memory and disk are the two forms in which the pass hands content over.
type memory struct{ *bytes.Reader }

func (m memory) Bytes() ([]byte, bool) {
	b := make([]byte, m.Size())
	_, err := m.ReadAt(b, 0)
	return b, err == nil
}
func (memory) File() *os.File { return nil }

type disk struct {
	io.ReaderAt
	file *os.File
	size int64
}

func (d disk) Size() int64         { return d.size }
func (disk) Bytes() ([]byte, bool) { return nil, false }
func (d disk) File() *os.File      { return d.file }

func TestDigests(t *testing.T) {
	for _, size := range []int{100, 100_000, 3_000_001} { // the largest on several cores
		testDigests(t, size)
	}
}

func testDigests(t *testing.T, size int) {
	content := append([]byte("\x7fELF"), make([]byte, size)...)
	for i := range content[4:] {
		content[4+i] = byte(i * 7)
	}
	name := filepath.Join(t.TempDir(), "spilled")
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, s1, s2 := md5.Sum(content), sha1.Sum(content), sha256.Sum256(content)
	want := pratique.FileFact{Path: "usr/bin/x", Size: int64(len(content)), Type: "elf",
		MD5: hex.EncodeToString(m[:]), SHA1: hex.EncodeToString(s1[:]), SHA256: hex.EncodeToString(s2[:])}
	for _, c := range []analyze.Content{memory{bytes.NewReader(content)}, disk{f, f, int64(len(content))}} {
		var facts pratique.Facts
		err := files.Analyzer{}.Analyze(context.Background(), &analyze.File{Path: "usr/bin/x", Size: c.Size()}, c, &facts)
		if err != nil || len(facts.Files) != 1 || facts.Files[0] != want {
			t.Errorf("%T: %+v, %v, want %+v", c, facts.Files, err, want)
		}
	}
}

func TestWants(t *testing.T) {
	noise := make([]byte, analyze.SniffLen)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	text := []byte("a file of words, and nothing that runs\n")
	for _, c := range []struct {
		path string
		mode os.FileMode
		head []byte
		want bool
	}{
		{"usr/bin/ls", 0o755, []byte("\x7fELF\x02\x01"), true},
		{"usr/lib/x.so.1", 0o644, []byte("\x7fELF\x02\x01"), true},
		{"app/run", 0o644, []byte("#!/bin/sh\n"), true},
		{"var/www/index.php", 0o644, text, true},
		{"app/tool", 0o755, text, true},
		{"app/Main.class", 0o644, []byte("\xca\xfe\xba\xbe\x00\x00"), true},
		{"app/doc.pdf", 0o644, []byte("%PDF-1.7"), true},
		{"opt/data.bin", 0o644, noise, true},   // whatever it is, it is no text
		{"tmp/x", 0o644, text, true},           // where things are dropped
		{"var/tmp/.x/cron", 0o600, text, true}, // likewise
		{"usr/share/locale/de/x.mo", 0o644, noise, false},
		{"opt/logo.png", 0o644, append([]byte("\x89PNG\r\n\x1a\n"), noise...), false},
		{"etc/motd", 0o644, text, false},
		{"srv/app/readme.txt", 0o644, text, false},
		{"srv/a.zip!/readme.txt", 0o644, text, true}, // members are all taken
		{"usr/share/man/man1/ls.1.gz!/ls.1", 0o644, text, false},
		{"usr/share/man/man1/ls.1.gz!/ls.1", 0o644, []byte("\x7fELF\x02\x01"), true},
		{"usr/share/doc/x/example.sh.gz!/example.sh", 0o644, text, true},
		{"usr/bin/ls", 0o755, nil, false}, // a second name: its content was seen under the first
	} {
		f := &analyze.File{Path: c.path, Size: 1000, Mode: c.mode, Head: c.head}
		if got := (files.Analyzer{}).Wants(f); got != c.want {
			t.Errorf("%s (%.8q): wanted %v, should be %v", c.path, c.head, got, c.want)
		}
	}
}
