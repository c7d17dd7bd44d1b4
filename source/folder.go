package source

import (
	"os"
	"path/filepath"

	"github.com/pratique/pratique"
)

// openFolder takes a root file system. It must look like one, unless the user
// insists: an empty report on a source tree would be mistaken for an all-clear.
func (o *Opened) openFolder(dir string, forced bool) error {
	info, err := os.Stat(dir)
	if err != nil {
		return fileError(err)
	}
	if !info.IsDir() {
		return pratique.Errorf(pratique.CodeInvalid, "this is not a folder").WithRemedy("name a folder, or leave out the prefix")
	}
	f, err := os.Open(dir)
	if err != nil {
		return fileError(err)
	}
	_ = f.Close()
	if !forced && !looksLikeRoot(dir) {
		return pratique.Errorf(pratique.CodeInvalid, "this folder is neither an OCI layout nor a root file system").
			WithRemedy("name the folder that has etc and usr in it; to scan this one as it is write dir:%s; for a registry write registry:REFERENCE", dir)
	}
	o.Image.Kind = pratique.KindFolder
	o.Image.Platform.OS = "linux"
	o.Folder = dir
	return nil
}

// looksLikeRoot: a package database or a release file is enough, else two of
// the folders that every distribution has.
func looksLikeRoot(dir string) bool {
	for _, sure := range []string{"etc/os-release", "usr/lib/os-release", "lib/apk/db", "usr/lib/apk/db", "var/lib/dpkg", "var/lib/rpm", "usr/lib/sysimage/rpm"} {
		if _, err := os.Lstat(filepath.Join(dir, sure)); err == nil {
			return true
		}
	}
	found := 0
	for _, usual := range []string{"etc", "usr", "bin", "sbin", "lib", "var", "root"} {
		if info, err := os.Stat(filepath.Join(dir, usual)); err == nil && info.IsDir() {
			found++
		}
	}
	return found >= 2
}
