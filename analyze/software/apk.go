package software

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"path"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/analyze"
)

// apk's database is blank-line separated records of one-letter fields: P name,
// V version, A architecture, L licence, o origin (the source package), F a
// folder and R a file in the folder last named
// (https://wiki.alpinelinux.org/wiki/Apk_spec).

func readApk(_ context.Context, f *analyze.File, c analyze.Content, facts *pratique.Facts) error {
	lines := bufio.NewScanner(io.NewSectionReader(c, 0, c.Size()))
	lines.Buffer(make([]byte, 64<<10), maxField)
	record := apkRecord{path: f.Path, facts: facts}
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		switch {
		case line == "":
			record.flush(n)
		case len(line) < 2 || line[1] != ':':
			record.malformed(fmt.Sprintf("line %d is not a field", n))
		default:
			record.field(line[0], line[2:])
		}
	}
	record.flush(-1)
	if err := lines.Err(); err != nil {
		record.bad = append(record.bad, err.Error())
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
		if value != "" {
			r.pkg.Licenses = []string{value}
		}
	case 'o':
		r.origin = value
	case 'F':
		r.dir = value
	case 'R':
		r.files = append(r.files, pratique.PathHash(path.Join(r.dir, value)))
	}
}

func (r *apkRecord) malformed(why string) { r.begun, r.broken = true, why }

func (r *apkRecord) flush(line int) {
	defer func() {
		*r = apkRecord{path: r.path, facts: r.facts, bad: r.bad}
	}()
	switch {
	case !r.begun:
		return
	case r.broken != "":
		r.bad = append(r.bad, r.broken)
		return
	case r.pkg.Name == "" || r.pkg.Version == "" || !printable(r.pkg.Name) || !printable(r.pkg.Version):
		r.bad = append(r.bad, fmt.Sprintf("a record without name or version before line %d", line))
		return
	}
	r.pkg.Type, r.pkg.Path, r.pkg.FoundBy = "apk", r.path, "apk"
	r.pkg.Source = &pratique.Source{Name: r.pkg.Name, Version: r.pkg.Version}
	if r.origin != "" {
		r.pkg.Source.Name = r.origin
	}
	r.facts.Packages = append(r.facts.Packages, r.pkg)
	r.facts.Ownership = append(r.facts.Ownership, pratique.Ownership{Package: r.pkg.Name, Path: r.path, Files: pratique.PackHashes(r.files)})
}
