package software

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/package-url/packageurl-go"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/analyze"
)

// Composer writes what it installed to vendor/composer/installed.json: version 1
// as a list, version 2 as an object with that list.

func installedComposer(name string) bool { return strings.HasSuffix(name, "/composer/installed.json") }

type composerPackage struct {
	Name    string          `json:"name"`
	Version string          `json:"version"`
	License json.RawMessage `json:"license"`
}

func readComposer(_ context.Context, f *analyze.File, c analyze.Content, facts *pratique.Facts) error {
	b, err := readManifest(c)
	if err != nil {
		return err
	}
	var v2 struct {
		Packages []composerPackage `json:"packages"`
	}
	installed := &v2.Packages
	if err := json.Unmarshal(b, &v2); err != nil {
		var v1 []composerPackage
		if json.Unmarshal(b, &v1) != nil {
			return err
		}
		installed = &v1
	}
	for _, p := range *installed {
		if p.Name == "" || p.Version == "" || !printable(p.Name) || !printable(p.Version) {
			continue
		}
		pkg := languagePackage(packageurl.TypeComposer, strings.ToLower(p.Name), strings.TrimPrefix(p.Version, "v"), "composer", f.Path)
		pkg.Licenses = looseLicenses(p.License)
		facts.Packages = append(facts.Packages, pkg)
	}
	return nil
}
