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
// Only paragraphs whose status ends in "installed" are on disk: "config-files"
// and "half-installed" ones are not there, or not usable.

// maxField bounds one line; real ones reach some tens of KiB (Conffiles, Depends).
const maxField = 1 << 20

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
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 64<<10), maxField)
	p := &paragraph{fields: map[string]string{}}
	flush := func(next int) {
		if len(p.fields) > 0 || p.bad != "" {
			each(p)
		}
		p = &paragraph{fields: map[string]string{}, line: next}
	}
	n := 0
	for lines.Scan() {
		n++
		line := lines.Bytes()
		if len(bytes.TrimRight(line, " \t\r")) == 0 {
			flush(n + 1)
			continue
		}
		if line[0] == ' ' || line[0] == '\t' || line[0] == '#' {
			continue
		}
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok || bytes.ContainsAny(name, " \t\x00") {
			p.bad = fmt.Sprintf("line %d is not a field", n)
			continue
		}
		if dpkgFields[string(name)] {
			p.fields[string(name)] = string(bytes.TrimSpace(value))
		}
	}
	flush(n + 1)
	return lines.Err()
}

func readDpkgStatus(_ context.Context, f *analyze.File, c analyze.Content, facts *pratique.Facts) error {
	var bad []string
	single := strings.Contains(f.Path, "/status.d/")
	err := paragraphs(io.NewSectionReader(c, 0, c.Size()), func(p *paragraph) {
		status := p.fields["Status"]
		if status == "" && !single || status != "" && !strings.HasSuffix(status, " installed") {
			if status == "" {
				bad = append(bad, fmt.Sprintf("a record without a status before line %d", p.line))
			}
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
		return pratique.Package{}, fmt.Errorf("a record without name or version before line %d", p.line)
	case !printable(name) || !printable(version):
		return pratique.Package{}, fmt.Errorf("a record with binary data before line %d", p.line)
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
		if p := strings.TrimLeft(string(bytes.TrimSpace(line)), "/."); p != "" {
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
		if _, p, ok := strings.Cut(string(bytes.TrimSpace(line)), "  "); ok {
			hashes = append(hashes, pratique.PathHash(strings.TrimLeft(p, "/.")))
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
