package software

import (
	"context"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/analyze"
)

// apk's database is blank-line separated records of one-letter fields: P name,
// V version, A architecture, L licence, o origin (the source package), F a
// folder and R a file in the folder last named
// (https://wiki.alpinelinux.org/wiki/Apk_spec).

func readApk(_ context.Context, f *analyze.File, c analyze.Content, facts *pratique.Facts) error {
	record := apkRecord{path: f.Path, facts: facts, line: 1}
	err := eachLine(io.NewSectionReader(c, 0, c.Size()), func(n int, line []byte, whole bool) {
		switch {
		case len(line) == 0:
			record.flush(n + 1)
		case len(line) < 2 || line[1] != ':':
			record.malformed(fmt.Sprintf("line %d is not a field", n))
		case strings.IndexByte("PVALoFR", line[0]) < 0: // dependencies, checksums, descriptions
			record.begun = true
		case !whole || len(line) > 8192:
			record.malformed(fmt.Sprintf("line %d is too long", n))
		default:
			record.field(line[0], string(line[2:]))
		}
	})
	record.flush(0)
	if err != nil {
		return err
	}
	if len(record.bad) > 0 {
		return pratique.Errorf(pratique.CodeCorrupt, "%d of the package records in %s cannot be read (%s)", len(record.bad), f.Path, record.bad[0]).
			WithRemedy("packages may be missing: rebuild the image, or repair its apk database")
	}
	return nil
}

type apkRecord struct {
	path   string
	facts  *pratique.Facts
	pkg    pratique.Package
	origin string
	dir    string
	files  []uint64
	begun  bool
	line   int // its first
	broken string
	bad    []string
}

func (r *apkRecord) field(key byte, value string) {
	r.begun = true
	switch key {
	case 'P':
		r.pkg.Name = value
	case 'V':
		r.pkg.Version = value
	case 'A':
		r.pkg.Arch = value
	case 'L':
		r.pkg.Licenses = plausibleLicense(value)
	case 'o':
		r.origin = value
	case 'F':
		r.dir = value
	case 'R':
		r.files = append(r.files, pratique.PathHash(path.Join(r.dir, value)))
	}
}

func (r *apkRecord) malformed(why string) { r.begun, r.broken = true, why }

// flush ends a record; the next one begins at line next.
func (r *apkRecord) flush(next int) {
	defer func() {
		*r = apkRecord{path: r.path, facts: r.facts, bad: r.bad, line: next}
	}()
	switch {
	case !r.begun:
		return
	case r.broken != "":
		r.bad = append(r.bad, r.broken)
		return
	case r.pkg.Name == "" || r.pkg.Version == "" || !printable(r.pkg.Name) || !printable(r.pkg.Version):
		r.bad = append(r.bad, fmt.Sprintf("the record from line %d has no name or version", r.line))
		return
	}
	r.pkg.Type, r.pkg.Path, r.pkg.FoundBy = "apk", r.path, "apk"
	r.pkg.Source = &pratique.Source{Name: r.pkg.Name, Version: r.pkg.Version}
	if r.origin != "" && printable(r.origin) {
		r.pkg.Source.Name = r.origin
	}
	r.facts.Packages = append(r.facts.Packages, r.pkg)
	r.facts.Ownership = append(r.facts.Ownership, pratique.Ownership{Package: r.pkg.Name, Path: r.path, Files: pratique.PackHashes(r.files)})
}
