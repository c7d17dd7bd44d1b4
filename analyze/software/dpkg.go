package software

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/analyze"
)

// dpkg keeps its database as paragraphs of "Field: value" lines (deb822(5)) in
// var/lib/dpkg/status; distroless images have one file a package in status.d.
// A paragraph stays when its package is gone ("not-installed", "config-files"),
// and when its files never came to be usable ("half-installed").

// onDisk are the states in which dpkg has put the package's files in place
// (dpkg(1), "Package states").
var onDisk = map[string]bool{
	"installed": true, "unpacked": true, "half-configured": true, "triggers-awaited": true, "triggers-pending": true,
}

// maxField bounds one line; real ones reach some tens of KiB (Conffiles, Depends).
const maxField = 1 << 20

// eachLine calls each for every line of r without its end, with its number. Of
// a line longer than maxField it shows the beginning, and says so.
func eachLine(r io.Reader, each func(n int, line []byte, whole bool)) error {
	br := bufio.NewReaderSize(r, 64<<10)
	var long []byte
	for n := 1; ; n++ {
		line, err := br.ReadSlice('\n')
		whole := true
		if err == bufio.ErrBufferFull {
			long = long[:0]
			for err == bufio.ErrBufferFull {
				if len(long) < maxField {
					long = append(long, line...)
				} else {
					whole = false
				}
				line, err = br.ReadSlice('\n')
			}
			long = append(long, line...)
			line = long
		}
		if len(line) > 0 {
			each(n, bytes.TrimRight(line, "\r\n"), whole)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// paragraph is one record's fields of interest.
type paragraph struct {
	fields map[string]string
	line   int
	bad    string // why the record cannot be read
}

var dpkgFields = map[string]bool{"Package": true, "Version": true, "Architecture": true, "Status": true, "Source": true}

// paragraphs calls each for every record of r. A malformed line spoils its own
// record only.
func paragraphs(r io.Reader, each func(*paragraph)) error {
	p := &paragraph{fields: map[string]string{}, line: 1}
	flush := func(next int) {
		if len(p.fields) > 0 || p.bad != "" {
			each(p)
		}
		p = &paragraph{fields: map[string]string{}, line: next}
	}
	err := eachLine(r, func(n int, line []byte, whole bool) {
		if len(bytes.TrimRight(line, " \t")) == 0 {
			flush(n + 1)
			return
		}
		if line[0] == ' ' || line[0] == '\t' || line[0] == '#' {
			return
		}
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok || bytes.ContainsAny(name, " \t\x00") {
			p.bad = fmt.Sprintf("line %d is not a field", n)
			return
		}
		if !dpkgFields[string(name)] {
			return
		}
		if !whole || len(value) > 4096 {
			p.bad = fmt.Sprintf("line %d is too long", n)
			return
		}
		p.fields[string(name)] = string(bytes.TrimSpace(value))
	})
	flush(0)
	return err
}

func readDpkgStatus(_ context.Context, f *analyze.File, c analyze.Content, facts *pratique.Facts) error {
	var bad []string
	single := strings.Contains(f.Path, "/status.d/")
	err := paragraphs(io.NewSectionReader(c, 0, c.Size()), func(p *paragraph) {
		status := p.fields["Status"]
		if status == "" && !single && p.bad == "" {
			p.bad = fmt.Sprintf("the record from line %d has no status", p.line)
		}
		if status != "" && !onDisk[status[strings.LastIndexByte(status, ' ')+1:]] {
			return
		}
		pkg, err := dpkgPackage(p, f.Path)
		if err != nil {
			bad = append(bad, err.Error())
			return
		}
		facts.Packages = append(facts.Packages, pkg)
	})
	if err != nil {
		bad = append(bad, err.Error())
	}
	if len(bad) > 0 {
		return pratique.Errorf(pratique.CodeCorrupt, "%d of the package records in %s cannot be read (%s)", len(bad), f.Path, bad[0]).
			WithRemedy("packages may be missing: rebuild the image, or repair its dpkg database")
	}
	return nil
}

func dpkgPackage(p *paragraph, where string) (pratique.Package, error) {
	name, version := p.fields["Package"], p.fields["Version"]
	switch {
	case p.bad != "":
		return pratique.Package{}, fmt.Errorf("%s", p.bad)
	case name == "" || version == "":
		return pratique.Package{}, fmt.Errorf("the record from line %d has no name or version", p.line)
	case !printable(name) || !printable(version):
		return pratique.Package{}, fmt.Errorf("the record from line %d has binary data", p.line)
	}
	pkg := pratique.Package{Type: "deb", Name: name, Version: version, Arch: p.fields["Architecture"], Path: where, FoundBy: "dpkg"}
	if strings.Contains(where, "/opkg/") {
		pkg.Type, pkg.FoundBy = "opkg", "opkg"
	}
	pkg.Source = &pratique.Source{Name: name, Version: version}
	if source := p.fields["Source"]; source != "" { // "name" or "name (version)"
		sourceName, rest, versioned := strings.Cut(source, " (")
		pkg.Source.Name = sourceName
		if versioned {
			pkg.Source.Version = strings.TrimSuffix(rest, ")")
		}
	}
	return pkg, nil
}

func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '\ufffd' })
}

// readDpkgList reads var/lib/dpkg/info/NAME[:ARCH].list: one path a line.
func readDpkgList(_ context.Context, f *analyze.File, c analyze.Content, facts *pratique.Facts) error {
	b, err := readAll(c)
	if err != nil {
		return err
	}
	name, _, _ := strings.Cut(strings.TrimSuffix(path.Base(f.Path), ".list"), ":")
	var hashes []uint64
	for line := range bytes.Lines(b) {
		if p := strings.TrimPrefix(string(bytes.TrimRight(line, "\r\n")), "/"); p != "" && p != "." {
			hashes = append(hashes, pratique.PathHash(p))
		}
	}
	facts.Ownership = append(facts.Ownership, pratique.Ownership{Package: name, Path: f.Path, Files: pratique.PackHashes(hashes)})
	return nil
}

// readDpkgSums reads distroless' status.d/NAME.md5sums: "digest  path" lines.
func readDpkgSums(_ context.Context, f *analyze.File, c analyze.Content, facts *pratique.Facts) error {
	b, err := readAll(c)
	if err != nil {
		return err
	}
	var hashes []uint64
	for line := range bytes.Lines(b) {
		if _, p, ok := strings.Cut(string(bytes.TrimRight(line, "\r\n")), "  "); ok {
			hashes = append(hashes, pratique.PathHash(strings.TrimPrefix(strings.TrimPrefix(p, "."), "/")))
		}
	}
	name := strings.TrimSuffix(path.Base(f.Path), ".md5sums")
	facts.Ownership = append(facts.Ownership, pratique.Ownership{Package: name, Path: f.Path, Files: pratique.PackHashes(hashes)})
	return nil
}

// readCopyright reads the licences of a machine-readable copyright file
// (https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/). Older
// free-form files are not guessed at.
func readCopyright(_ context.Context, f *analyze.File, c analyze.Content, facts *pratique.Facts) error {
	b, err := readAll(c)
	if err != nil {
		return err
	}
	head := b[:min(len(b), 512)]
	if !bytes.Contains(head, []byte("copyright-format")) {
		return nil
	}
	var licenses []string
	for line := range bytes.Lines(b) {
		value, ok := bytes.CutPrefix(line, []byte("License:"))
		if !ok {
			continue
		}
		license := string(bytes.TrimSpace(value))
		if license != "" && printableText(license) && !slices.Contains(licenses, license) && len(licenses) < 40 {
			licenses = append(licenses, license)
		}
	}
	if len(licenses) > 0 {
		name := path.Base(path.Dir(f.Path))
		facts.Licenses = append(facts.Licenses, pratique.License{Package: name, Path: f.Path, Licenses: licenses})
	}
	return nil
}

func printableText(s string) bool {
	return len(s) < 200 && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\ufffd' })
}
