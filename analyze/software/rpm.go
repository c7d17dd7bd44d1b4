package software

import (
	"context"
	"fmt"
	"path"
	"strings"
	"time"

	rpmdb "github.com/erikvarga/go-rpmdb/pkg"
	_ "modernc.org/sqlite" // the driver that rpmdb opens rpmdb.sqlite with

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/analyze"
)

// rpm has kept its headers in three formats under three folders: Berkeley DB
// ("Packages"), ndb ("Packages.db", SUSE) and SQLite ("rpmdb.sqlite").

// rpmTime bounds the reading of a database; damaged Berkeley DB pages can point
// in circles.
const rpmTime = 60 * time.Second

func isRpmDatabase(name string) bool {
	dir, base := path.Split(name)
	switch dir {
	case "var/lib/rpm/", "usr/lib/sysimage/rpm/", "usr/share/rpm/":
		return base == "Packages" || base == "Packages.db" || base == "rpmdb.sqlite"
	}
	return false
}

func readRpm(ctx context.Context, f *analyze.File, c analyze.Content, facts *pratique.Facts) error {
	listed, err := rpmPackages(ctx, c)
	if err != nil {
		return pratique.Errorf(pratique.CodeCorrupt, "the rpm database %s cannot be read: %s", f.Path, firstLine(err)).
			WithRemedy("packages are missing: rebuild the image, or repair its database with rpm --rebuilddb")
	}
	for _, p := range listed {
		if p.Name == "gpg-pubkey" { // a key, kept as if it were a package
			continue
		}
		facts.Packages = append(facts.Packages, rpmPackage(p, f.Path))
		files, err := p.InstalledFileNames()
		if err != nil {
			return pratique.Errorf(pratique.CodeCorrupt, "the file list of %s in %s cannot be read: %s", p.Name, f.Path, firstLine(err))
		}
		hashes := make([]uint64, len(files))
		for i, name := range files {
			hashes[i] = pratique.PathHash(strings.TrimLeft(name, "/"))
		}
		facts.Ownership = append(facts.Ownership, pratique.Ownership{Package: p.Name, Path: f.Path, Files: pratique.PackHashes(hashes)})
	}
	return nil
}

// rpmPackages lists a database. The library panics on some damaged ones.
func rpmPackages(ctx context.Context, c analyze.Content) (listed []*rpmdb.PackageInfo, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("damaged: %v", v)
		}
	}()
	name, err := c.RealPath()
	if err != nil {
		return nil, err
	}
	db, err := rpmdb.Open(name)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(ctx, rpmTime)
	defer cancel()
	return db.ListPackagesWithContext(ctx)
}

func rpmPackage(p *rpmdb.PackageInfo, where string) pratique.Package {
	version := p.Version + "-" + p.Release
	if p.EpochNum() > 0 {
		version = fmt.Sprintf("%d:%s", p.EpochNum(), version)
	}
	pkg := pratique.Package{
		Type: "rpm", Name: p.Name, Version: version, Arch: p.Arch, Path: where, FoundBy: "rpm",
		Module: strings.Trim(p.Modularitylabel, "\x00 "),
	}
	if p.License != "" {
		pkg.Licenses = []string{p.License}
	}
	if name, sourceVersion, ok := sourceRPM(p.SourceRpm); ok {
		pkg.Source = &pratique.Source{Name: name, Version: sourceVersion}
	}
	return pkg
}

// sourceRPM parses "NAME-VERSION-RELEASE.src.rpm"; a name may hold dashes.
func sourceRPM(file string) (name, version string, ok bool) {
	file = strings.TrimSuffix(strings.TrimSuffix(file, ".rpm"), ".src")
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
