package software

import (
	"context"
	"encoding/json"
	"path"
	"slices"
	"strings"

	"github.com/package-url/packageurl-go"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/analyze"
)

// A package.json is everywhere: in fixtures, in templates, in the application
// itself. A package is installed where Node would find it: directly in a
// node_modules folder whose parents are again packages in node_modules folders.

// installedNode tells whether name is such a place.
func installedNode(name string) bool {
	dir := path.Dir(name)
	for _, shared := range [...]string{"usr/share/nodejs/", "usr/lib/nodejs/"} { // Debian's own tree
		if rest, ok := strings.CutPrefix(dir, shared); ok {
			return packageFolder(strings.Split(rest, "/"))
		}
	}
	rest := strings.Split(dir, "/")
	first := slices.Index(rest, "node_modules")
	if first < 0 {
		return false
	}
	return packageFolder(rest[first+1:])
}

// packageFolder: NAME or @SCOPE/NAME, then any number of node_modules/NAME; or
// in the store that pnpm and bun link to, .pnpm/NAME@VERSION/node_modules/NAME.
func packageFolder(parts []string) bool {
	for {
		n := 1
		stored := len(parts) > 0 && (parts[0] == ".pnpm" || parts[0] == ".bun")
		if len(parts) > 0 && (strings.HasPrefix(parts[0], "@") || stored) {
			n = 2
		}
		switch {
		case len(parts) < n || parts[0] == "":
			return false
		case len(parts) == n:
			return !strings.HasPrefix(parts[0], ".")
		case parts[n] != "node_modules":
			return false
		}
		parts = parts[n+1:]
	}
}

func readNode(_ context.Context, f *analyze.File, c analyze.Content, facts *pratique.Facts) error {
	b, err := readManifest(c)
	if err != nil {
		return err
	}
	var manifest struct {
		Name     string          `json:"name"`
		Version  string          `json:"version"`
		License  json.RawMessage `json:"license"`
		Licenses json.RawMessage `json:"licenses"`
	}
	if err := json.Unmarshal(trimBOM(b), &manifest); err != nil {
		return err
	}
	if manifest.Name == "" || manifest.Version == "" || !printable(manifest.Name) || !printable(manifest.Version) {
		return nil // a folder with a manifest for the module loader only
	}
	pkg := languagePackage(packageurl.TypeNPM, manifest.Name, strings.TrimPrefix(manifest.Version, "v"), "npm", f.Path)
	pkg.Licenses = append(looseLicenses(manifest.License), looseLicenses(manifest.Licenses)...)
	facts.Packages = append(facts.Packages, pkg)
	return nil
}

func trimBOM(b []byte) []byte {
	if len(b) > 2 && b[0] == 0xef && b[1] == 0xbb && b[2] == 0xbf {
		return b[3:]
	}
	return b
}

// looseLicenses takes the forms that manifests have used over the years: a
// string, {"type": …}, or a list of either.
func looseLicenses(raw json.RawMessage) []string {
	if len(raw) == 0 {
		return nil
	}
	var one string
	if json.Unmarshal(raw, &one) == nil {
		return plausibleLicense(one)
	}
	var object struct {
		Type string `json:"type"`
		Name string `json:"name"`
	}
	if json.Unmarshal(raw, &object) == nil {
		return append(plausibleLicense(object.Type), plausibleLicense(object.Name)...)
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return nil
	}
	var all []string
	for _, item := range list[:min(len(list), 20)] {
		if len(item) > 0 && item[0] != '[' {
			all = append(all, looseLicenses(item)...)
		}
	}
	return all
}

func plausibleLicense(s string) []string {
	if s = strings.TrimSpace(s); s == "" || !printableText(s) {
		return nil
	}
	return []string{s}
}
