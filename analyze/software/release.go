package software

import (
	"context"
	"io"
	"path"
	"strings"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/analyze"
)

const maxRelease = 64 << 10

// isRelease knows the files that name a distribution: os-release(5), LSB, and
// the older one-line files.
func isRelease(name string) bool {
	dir, base := path.Split(name)
	switch dir {
	case "etc/":
		return base == "os-release" || base == "debian_version" || strings.HasSuffix(base, "-release")
	case "usr/lib/":
		return base == "os-release" || strings.HasSuffix(base, "-release")
	case "usr/lib/os.release.d/", "usr/share/os-release/":
		return true
	}
	return false
}

func readRelease(_ context.Context, f *analyze.File, c analyze.Content, facts *pratique.Facts) error {
	b, err := readAll(c)
	if err != nil {
		return err
	}
	facts.Releases = append(facts.Releases, pratique.Release{Path: f.Path, Content: strings.ToValidUTF8(string(b), "�")})
	return nil
}

const (
	maxText     = 256 << 20 // of the text formats that are read whole
	maxManifest = 64 << 20  // of those that are parsed into something larger than they are
)

// readManifest is readAll for what is parsed as a whole.
func readManifest(c analyze.Content) ([]byte, error) {
	if err := checkManifest(c); err != nil {
		return nil, err
	}
	return readAll(c)
}

func checkManifest(c analyze.Content) error {
	if c.Size() > maxManifest {
		return pratique.Errorf(pratique.CodeLimit, "the file has %d MiB; files of its kind are read up to %d MiB", c.Size()>>20, maxManifest>>20)
	}
	return nil
}

func readAll(c analyze.Content) ([]byte, error) {
	if b, ok := c.Bytes(); ok {
		return b, nil
	}
	if c.Size() > maxText {
		return nil, pratique.Errorf(pratique.CodeLimit, "the file has %d MiB; files of its kind are read up to %d MiB", c.Size()>>20, maxText>>20)
	}
	return io.ReadAll(io.NewSectionReader(c, 0, c.Size()))
}
