package software

import (
	"context"
	"fmt"
	"path"
	"strings"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/analyze"
)

// rpm has kept its headers in three formats under three folders: Berkeley DB
// ("Packages"), ndb ("Packages.db", SUSE) and SQLite ("rpmdb.sqlite").

func isRpmDatabase(name string) bool {
	dir, base := path.Split(name)
	switch dir {
	case "var/lib/rpm/", "usr/lib/sysimage/rpm/", "usr/share/rpm/":
		return base == "Packages" || base == "Packages.db" || base == "rpmdb.sqlite"
	}
	return false
}

func readRpm(ctx context.Context, f *analyze.File, c analyze.Content, facts *pratique.Facts) error {
	unread := 0
	bad, err := readDatabase(c, func(b []byte) {
		if ctx.Err() == nil && !rpmRecord(b, f.Path, facts) {
			unread++
		}
	})
	switch bad += unread; {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		err = pratique.Errorf(pratique.CodeCorrupt, "the rpm database %s cannot be read to its end: %w", f.Path, err)
	case bad > 0:
		err = pratique.Errorf(pratique.CodeCorrupt, "%d of the records of the rpm database %s cannot be read", bad, f.Path)
	default:
		return nil
	}
	err.(*pratique.Error).Remedy = "packages may be missing: rebuild the image, or repair its database with rpm --rebuilddb"
	return err
}

// rpmRecord adds one package. It returns false when the record is damaged; what
// can be read of it is kept.
func rpmRecord(b []byte, where string, facts *pratique.Facts) bool {
	h, err := parseHeader(b)
	if err != nil {
		return false
	}
	pkg, ok := rpmPackage(h, where)
	if !ok {
		return false
	}
	if pkg.Name == "gpg-pubkey" { // a key, kept as if it were a package
		return true
	}
	facts.Packages = append(facts.Packages, pkg)
	files, ok := h.files()
	hashes := make([]uint64, len(files))
	for i, name := range files {
		hashes[i] = pratique.PathHash(strings.TrimLeft(name, "/"))
	}
	facts.Ownership = append(facts.Ownership, pratique.Ownership{Package: pkg.Name, Path: where, Files: pratique.PackHashes(hashes)})
	return ok
}

func rpmPackage(h *rpmHeader, where string) (pratique.Package, bool) {
	name, version, release := h.text(rpmName), h.text(rpmVersion), h.text(rpmRelease)
	if !printable(name) || !printable(version) || !printable(release) || name == "" || version == "" || release == "" {
		return pratique.Package{}, false
	}
	version += "-" + release
	if epoch, ok := h.ints(rpmEpoch); !ok {
		return pratique.Package{}, false
	} else if len(epoch) > 0 && epoch[0] > 0 {
		version = fmt.Sprintf("%d:%s", epoch[0], version)
	}
	pkg := pratique.Package{
		Type: "rpm", Name: name, Version: version, Arch: h.text(rpmArch), Path: where, FoundBy: "rpm",
		Module: strings.TrimSpace(h.text(rpmModularity)), Licenses: plausibleLicense(h.text(rpmLicense)),
	}
	if name, sourceVersion, ok := sourceRPM(h.text(rpmSource)); ok {
		pkg.Source = &pratique.Source{Name: name, Version: sourceVersion}
	}
	return pkg, true
}

// sourceRPM parses "NAME-VERSION-RELEASE.src.rpm"; a name may hold dashes.
func sourceRPM(file string) (name, version string, ok bool) {
	file = strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(file, ".rpm"), ".src"), ".nosrc")
	release := strings.LastIndexByte(file, '-')
	if release <= 0 {
		return "", "", false
	}
	i := strings.LastIndexByte(file[:release], '-')
	if i <= 0 {
		return "", "", false
	}
	return file[:i], file[i+1:], true
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
