package report

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/pratique/pratique"
	spdxjson "github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdx/v2/common"
	spdx "github.com/spdx/tools-golang/spdx/v2/v2_3"
)

const (
	noAssertion = "NOASSERTION"
	imageID     = common.ElementID("Image")
)

// SPDX writes the packages as SPDX 2.3 JSON (ISO/IEC 5962 is its 2.2.1). The
// document describes the image, which contains the packages. Vulnerabilities are
// not SPDX 2.3's concern; the document's comment says so, and how far the image
// was looked at. Stated licences that are no SPDX expression become LicenseRefs
// with the stated words as their text.
func SPDX(w io.Writer, r *pratique.Report) error {
	r = ordered(r)
	d := spdxDocument{r: r, licenses: map[string]string{}}
	doc := &spdx.Document{
		SPDXVersion:       spdx.Version,
		DataLicense:       spdx.DataLicense,
		SPDXIdentifier:    "DOCUMENT",
		DocumentName:      cmp.Or(r.Image.Name, "image"),
		DocumentNamespace: "https://github.com/pratique/pratique/spdx/" + documentID("spdx", r),
		DocumentComment:   d.comment(),
		CreationInfo: &spdx.CreationInfo{
			Creators: []common.Creator{{CreatorType: "Tool", Creator: strings.Trim(cmp.Or(r.Tool.Name, "pratique")+"-"+r.Tool.Version, "-")}},
			Created:  r.Created.UTC().Format(time.RFC3339),
		},
	}
	doc.Packages = append([]*spdx.Package{d.image()}, d.packages()...)
	doc.Relationships = d.relationships(doc.Packages)
	doc.OtherLicenses = d.extracted()
	return writeJSON(w, func(w io.Writer) error {
		return spdxjson.Write(doc, w, spdxjson.Indent("  "), spdxjson.EscapeHTML(false))
	})
}

type spdxDocument struct {
	r        *pratique.Report
	licenses map[string]string // LicenseRef to the words that it stands for
}

func (d *spdxDocument) comment() string {
	lines := []string{"Packages of a container image. Findings are not part of SPDX 2.3; how far the image was looked at:"}
	for _, row := range categoryRows {
		lines = append(lines, row.name+": "+coverageText(d.r.Coverage[row.category]))
	}
	return strings.Join(lines, "\n")
}

func (d *spdxDocument) image() *spdx.Package {
	im := &d.r.Image
	p := d.element(imageID, cmp.Or(im.Name, "image"), string(cmp.Or(im.Digest, im.ID)))
	p.PrimaryPackagePurpose = "CONTAINER"
	if im.Kind != pratique.KindImage && im.Kind != "" {
		p.PrimaryPackagePurpose = "OTHER"
	}
	p.PackageLicenseDeclared = noAssertion
	if purl := imagePURL(im); purl != "" {
		p.PackageExternalReferences = []*spdx.PackageExternalReference{purlReference(purl)}
	}
	return p
}

func (d *spdxDocument) element(id common.ElementID, name, version string) *spdx.Package {
	return &spdx.Package{
		PackageSPDXIdentifier:     id,
		PackageName:               name,
		PackageVersion:            version,
		PackageDownloadLocation:   noAssertion,
		IsFilesAnalyzedTagPresent: true, // and false
		PackageLicenseConcluded:   noAssertion,
		PackageCopyrightText:      noAssertion,
		PackageSupplier:           &common.Supplier{Supplier: noAssertion},
	}
}

func purlReference(purl string) *spdx.PackageExternalReference {
	return &spdx.PackageExternalReference{Category: common.CategoryPackageManager, RefType: common.TypePackageManagerPURL, Locator: purl}
}

func (d *spdxDocument) packages() []*spdx.Package {
	var out []*spdx.Package
	if o := d.r.Image.Distro; o != nil && o.ID != "" {
		p := d.element("OperatingSystem", o.ID, o.Version)
		p.PackageDescription = o.Name
		p.PrimaryPackagePurpose = "OPERATING-SYSTEM"
		p.PackageLicenseDeclared = noAssertion
		out = append(out, p)
	}
	seen := map[string]bool{}
	for i := range d.r.Packages {
		p := &d.r.Packages[i]
		key := packageKey(p)
		if seen[key] {
			continue
		}
		seen[key] = true
		e := d.element(common.ElementID("Package-"+key), p.Name, p.Version)
		e.PrimaryPackagePurpose = "LIBRARY"
		e.PackageLicenseDeclared = d.license(p.Licenses)
		e.PackageSourceInfo = sourceInfo(p)
		if p.PURL != "" {
			e.PackageExternalReferences = []*spdx.PackageExternalReference{purlReference(p.PURL)}
		}
		out = append(out, e)
	}
	return out
}

// sourceInfo tells where in the image a package is, and what it was built from.
func sourceInfo(p *pratique.Package) string {
	var parts []string
	if p.Path != "" {
		parts = append(parts, "acquired from "+p.Path)
	}
	if o := p.Origin; o != nil {
		parts = append(parts, strings.TrimSpace(fmt.Sprintf("layer %d %s", o.Layer, o.DiffID)))
	}
	if s := p.Source; s != nil && s.Name != "" {
		parts = append(parts, "built from source package "+strings.TrimSpace(s.Name+" "+s.Version))
	}
	return strings.Join(parts, "; ")
}

// license joins what a package states into one expression.
func (d *spdxDocument) license(stated []string) string {
	var terms []string
	for _, s := range stated {
		s = strings.TrimSpace(s)
		if s == "" {
			continue
		}
		e, ok := licenseExpression(s)
		if !ok {
			e = d.reference(s)
		} else if len(stated) > 1 && strings.Contains(e, " OR ") {
			e = "(" + e + ")"
		}
		terms = append(terms, e)
	}
	if len(terms) == 0 {
		return noAssertion
	}
	return strings.Join(distinct(terms), " AND ")
}

// reference returns the LicenseRef for words that are no expression. Its name is
// the words as far as the syntax allows, and a hash that keeps it apart.
func (d *spdxDocument) reference(words string) string {
	sum := sha256.Sum256([]byte(words))
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '-':
			return r
		}
		return '-'
	}, words)
	ref := "LicenseRef-" + strings.Trim(name[:min(40, len(name))], "-.") + "-" + hex.EncodeToString(sum[:4])
	ref = strings.Replace(ref, "LicenseRef--", "LicenseRef-", 1)
	d.licenses[ref] = words
	return ref
}

func (d *spdxDocument) extracted() []*spdx.OtherLicense {
	var out []*spdx.OtherLicense
	for ref, words := range d.licenses {
		out = append(out, &spdx.OtherLicense{LicenseIdentifier: ref, ExtractedText: words, LicenseName: words})
	}
	slices.SortFunc(out, func(a, b *spdx.OtherLicense) int { return strings.Compare(a.LicenseIdentifier, b.LicenseIdentifier) })
	return out
}

func (d *spdxDocument) relationships(packages []*spdx.Package) []*spdx.Relationship {
	out := []*spdx.Relationship{{
		RefA:         common.MakeDocElementID("", "DOCUMENT"),
		RefB:         common.MakeDocElementID("", string(imageID)),
		Relationship: common.TypeRelationshipDescribe,
	}}
	for _, p := range packages[1:] {
		out = append(out, &spdx.Relationship{
			RefA:         common.MakeDocElementID("", string(imageID)),
			RefB:         common.MakeDocElementID("", string(p.PackageSPDXIdentifier)),
			Relationship: common.TypeRelationshipContains,
		})
	}
	return out
}
