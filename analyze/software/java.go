package software

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/google/osv-scalibr/extractor/filesystem/language/java/archive"
	"github.com/klauspost/compress/zip"
	"github.com/package-url/packageurl-go"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/analyze"
)

// A jar tells its Maven coordinates, from best to worst, by
// META-INF/maven/…/pom.properties (several of them when libraries were shaded
// into it), by META-INF/MANIFEST.MF, and by its file name. Jars inside are
// offered by the pass one by one.

var javaExtensions = []string{".jar", ".war", ".ear", ".jmod", ".par", ".sar", ".jpi", ".hpi", ".lpkg", ".nar", ".rar"}

const (
	maxJarText  = 1 << 20  // of a pom.properties or a manifest
	maxProperty = 16 << 10 // of a value that continues over many lines
)

func readJava(_ context.Context, f *analyze.File, c analyze.Content, facts *pratique.Facts) error {
	if !bytes.HasPrefix(f.Head, []byte("PK")) {
		return nil // RAR archives, resource adapters' kin and stray names
	}
	zr, err := analyze.OpenZip(c)
	if err != nil {
		return fmt.Errorf("not a readable archive: %w", err)
	}
	var bad error // of the first entry that cannot be read; the others still tell
	var found []pratique.Package
	var manifest map[string]string
	for _, entry := range zr.File {
		switch {
		case path.Base(entry.Name) == "pom.properties":
			properties, err := readProperties(entry, "=")
			bad = cmp.Or(bad, err)
			if pkg, ok := mavenPackage(properties["groupId"], properties["artifactId"], properties["version"], f.Path); ok {
				found = append(found, pkg)
			}
		case strings.EqualFold(entry.Name, "META-INF/MANIFEST.MF"):
			manifest, err = readProperties(entry, ":")
			bad = cmp.Or(bad, err)
		}
	}
	if len(found) == 0 {
		found = fromManifest(manifest, f.Path)
	}
	for i := range found {
		found[i].Licenses = plausibleLicense(manifest["Bundle-License"])
	}
	facts.Packages = append(facts.Packages, found...)
	return bad
}

// readProperties reads "key=value" or "Key: value" lines; a manifest's line
// continues on the next one that begins with a space (JAR specification).
func readProperties(entry *zip.File, separator string) (map[string]string, error) {
	r, err := entry.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	lines := bufio.NewScanner(io.LimitReader(r, maxJarText))
	lines.Buffer(nil, maxJarText)
	properties, last := map[string]string{}, ""
	for lines.Scan() {
		line := strings.TrimRight(lines.Text(), "\r")
		if continued, ok := strings.CutPrefix(line, " "); ok && separator == ":" && last != "" {
			if len(properties[last]) < maxProperty { // adding up is quadratic
				properties[last] += continued
			}
			continue
		}
		if line == "" && separator == ":" && len(properties) > 0 {
			break // the main section ends here; what follows is about single files
		}
		key, value, ok := strings.Cut(line, separator)
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		last = strings.TrimSpace(key)
		properties[last] = strings.TrimSpace(value)
	}
	return properties, lines.Err()
}

// fromManifest puts coordinates together from the manifest and the file name.
// The name is the better witness for artifact and version, because manifests
// are full of titles; the group is only in the manifest, or well known.
func fromManifest(manifest map[string]string, where string) []pratique.Package {
	inner := where[strings.LastIndex(where, pratique.NestedSeparator)+1:]
	named := archive.ParseFilename(strings.TrimPrefix(inner, "/"))
	group := firstOf(manifest, isCoordinate, "Group-Id", "Implementation-Vendor-Id")
	bundle, _, _ := strings.Cut(manifest["Bundle-SymbolicName"], ";")
	bundle = strings.TrimSpace(bundle)
	if named != nil {
		if named.GroupID != "" {
			group = strings.ToLower(named.GroupID)
		}
		if group == "" {
			group = bundleGroup(bundle, named.ArtifactID)
		}
		if group == "" {
			group = named.ArtifactID
		}
		pkg, ok := mavenPackage(group, named.ArtifactID, named.Version, where)
		if ok {
			return []pratique.Package{pkg}
		}
		return nil
	}
	artifact := firstOf(manifest, isCoordinate, "Artifact-Id", "Implementation-Title", "Specification-Title", "Automatic-Module-Name")
	version := firstOf(manifest, isVersion, "Implementation-Version", "Bundle-Version", "Specification-Version")
	if group == "" {
		group = bundleGroup(bundle, artifact)
	}
	if pkg, ok := mavenPackage(group, artifact, version, where); ok {
		return []pratique.Package{pkg}
	}
	return nil
}

// bundleGroup guesses the group from an OSGi symbolic name such as
// org.apache.commons.lang3 or com.google.guava.
func bundleGroup(bundle, artifact string) string {
	if !isCoordinate(bundle) || !strings.Contains(bundle, ".") || artifact == "" {
		return ""
	}
	if group, ok := strings.CutSuffix(bundle, "."+artifact); ok {
		return group
	}
	return ""
}

func firstOf(m map[string]string, valid func(string) bool, keys ...string) string {
	for _, key := range keys {
		if value := m[key]; valid(value) {
			return value
		}
	}
	return ""
}

func isCoordinate(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '-' || r == '_')
	})
}

func isVersion(s string) bool {
	return isCoordinate(s) && s[0] >= '0' && s[0] <= '9'
}

func mavenPackage(group, artifact, version, where string) (pratique.Package, bool) {
	if !isCoordinate(group) || !isCoordinate(artifact) || version == "" || strings.Contains(version, "${") || !printable(version) {
		return pratique.Package{}, false
	}
	return languagePackage(packageurl.TypeMaven, group+":"+artifact, version, "java", where), true
}
