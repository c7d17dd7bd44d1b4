package source

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/CycloneDX/cyclonedx-go"
	"github.com/package-url/packageurl-go"
	spdxjson "github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdx"
	"github.com/spdx/tools-golang/tagvalue"

	"github.com/pratique/pratique"
)

// Limits of a bill of materials. A large server's has some ten thousand packages
// in some ten megabytes.
const (
	maxSBOM       = 256 << 20
	maxComponents = 500_000
	maxUnnamed    = 20 // packages without a purl told one by one
)

// openSBOM reads a bill of materials: CycloneDX as JSON or XML, SPDX 2 as JSON or
// tag-value.
func (o *Opened) openSBOM(path string) error {
	f, err := openRegular(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return o.readSBOM(f, filepath.Base(path))
}

func (o *Opened) readSBOM(f *os.File, name string) error {
	form, err := sniff(f)
	if err != nil {
		return err
	}
	content, err := readLimited(f, maxSBOM, "the bill of materials")
	if err != nil {
		return fileError(err)
	}
	b, err := parseSBOM(form, bytes.TrimPrefix(content, []byte("\xef\xbb\xbf")), name)
	if err != nil {
		return err
	}
	o.Image.Kind = pratique.KindSBOM
	o.Packages, o.Distro, o.Problems = b.packages, b.distro, b.finish()
	if o.Distro != nil {
		o.Image.Platform.OS = "linux"
	}
	return nil
}

// bill gathers what a bill of materials states.
type bill struct {
	file     string // its name, for packages that name no file of their own
	packages []pratique.Package
	distro   *pratique.Distro
	problems []pratique.Problem
	unnamed  int // packages without a usable purl
	seen     map[[2]string]bool
}

// parseSBOM reads content in the format that it shows. A panic in a format's
// library is an error of the document.
func parseSBOM(form form, content []byte, file string) (b *bill, err error) {
	defer func() {
		if p := recover(); p != nil {
			b, err = nil, brokenSBOM("its structure is not sound")
		}
	}()
	b = &bill{file: file, seen: map[[2]string]bool{}}
	switch form {
	case formXML:
		err = b.cyclonedx(content, cyclonedx.BOMFileFormatXML)
	case formTagValue:
		err = b.spdx(content, tagvalue.Read)
	case formJSON:
		kind, err := kindOfJSON(content)
		if err != nil {
			return nil, err
		}
		switch kind {
		case "cyclonedx":
			if err := b.cyclonedx(content, cyclonedx.BOMFileFormatJSON); err != nil {
				return nil, err
			}
		case "spdx2":
			if err := b.spdx(content, spdxjson.Read); err != nil {
				return nil, err
			}
		case "spdx3":
			return nil, pratique.Errorf(pratique.CodeUnsupported, "this bill of materials is SPDX 3").WithRemedy("export it as SPDX 2.3 or CycloneDX")
		default:
			return nil, notSBOM()
		}
	default:
		return nil, notSBOM()
	}
	if err != nil {
		return nil, err
	}
	return b, nil
}

func notSBOM() error {
	return pratique.Errorf(pratique.CodeInvalid, "this is not a bill of materials that we know").
		WithRemedy("give CycloneDX (JSON, XML) or SPDX 2 (JSON, tag-value)")
}

func brokenSBOM(format string, args ...any) error {
	e := pratique.Errorf(pratique.CodeCorrupt, format, args...)
	e.Message = "the bill of materials cannot be read: " + e.Message
	return e.WithRemedy("export it again, as CycloneDX 1.2 to 1.6 or SPDX 2.1 to 2.3")
}

// kindOfJSON looks at a document's top-level names: "cyclonedx", "spdx2", "spdx3"
// or "".
func kindOfJSON(content []byte) (string, error) {
	var top struct {
		BOMFormat   string          `json:"bomFormat"`
		SPDXVersion string          `json:"spdxVersion"`
		Context     json.RawMessage `json:"@context"`
	}
	if json.Unmarshal(content, &top) != nil {
		return "", brokenSBOM("it is not sound JSON")
	}
	switch {
	case top.BOMFormat == "CycloneDX":
		return "cyclonedx", nil
	case top.SPDXVersion != "":
		return "spdx2", nil
	case bytes.Contains(top.Context, []byte("spdx.org/rdf/3")):
		return "spdx3", nil
	}
	return "", nil
}

// finish tells of packages that could not be judged: they are unknown, not clean.
func (b *bill) finish() []pratique.Problem {
	if rest := b.unnamed - maxUnnamed; rest > 0 {
		b.problems = append(b.problems, pratique.Problem{
			Code: pratique.CodeInvalid, Analyzer: "sbom", Path: b.file, Partial: true,
			Message: fmt.Sprintf("%d more packages have no usable package URL", rest),
			Remedy:  "export the bill of materials with package URLs",
		})
	}
	return b.problems
}

func (b *bill) problem(name, why string) {
	b.unnamed++
	if b.unnamed > maxUnnamed {
		return
	}
	b.problems = append(b.problems, pratique.Problem{
		Code: pratique.CodeInvalid, Analyzer: "sbom", Path: b.file, Partial: true,
		Message: fmt.Sprintf("package %.100q %s: it is not judged", name, why),
		Remedy:  "export the bill of materials with package URLs",
	})
}

// stated is what a document says of a package beside its purl.
type stated struct {
	name, version string
	purl          string
	path          string
	scope         string
	licenses      []string
	source        *pratique.Source
}

func (b *bill) add(s stated) error {
	if len(b.packages) >= maxComponents {
		return pratique.Errorf(pratique.CodeLimit, "the bill of materials has more than %d packages", maxComponents).
			WithRemedy("scan its parts one by one")
	}
	if s.purl == "" {
		b.problem(s.name, "has no package URL")
		return nil
	}
	u, err := packageurl.FromString(s.purl)
	if err != nil {
		b.problem(s.name, "has a malformed package URL")
		return nil
	}
	switch u.Type {
	case "oci", "docker": // the image itself
		return nil
	}
	p := packageOf(u)
	p.Version = cmp.Or(p.Version, s.version)
	p.PURL, p.Scope, p.Licenses = s.purl, s.scope, s.licenses
	p.Path = cmp.Or(s.path, b.file)
	if p.Source == nil {
		p.Source = s.source
	}
	if key := [2]string{s.purl, p.Path}; !b.seen[key] {
		b.seen[key] = true
		b.packages = append(b.packages, p)
	}
	if b.distro == nil {
		b.distro = distroOf(u)
	}
	if p.Version == "" {
		b.problem(s.name, "has no version")
	}
	return nil
}

// packageOf reads a package URL (https://github.com/package-url/purl-spec) with
// the qualifiers that SBOM tools use.
func packageOf(u packageurl.PackageURL) pratique.Package {
	q := u.Qualifiers.Map()
	p := pratique.Package{
		Type:      u.Type,
		Name:      pratique.EcosystemName(u.Type, u.Namespace, u.Name),
		Version:   u.Version,
		Arch:      q["arch"],
		Ecosystem: pratique.EcosystemOf(u.Type),
		FoundBy:   "sbom",
	}
	switch u.Type {
	case "deb", "rpm":
		if epoch := q["epoch"]; epoch != "" && epoch != "0" && p.Version != "" && !strings.Contains(p.Version, ":") {
			p.Version = epoch + ":" + p.Version
		}
	case "golang":
		if u.Subpath != "" {
			p.Name += "/" + u.Subpath
		}
	}
	p.Module = q["rpmmod"]
	p.Source = sourceOf(u.Type, q, p.Version)
	return p
}

// sourceOf finds the source package: "upstream" is the field's word, "source",
// "origin" and "sourcerpm" are osv-scalibr's.
func sourceOf(purlType string, q map[string]string, version string) *pratique.Source {
	up := cmp.Or(q["upstream"], q["sourcerpm"])
	if strings.HasSuffix(up, ".src.rpm") {
		// name-version-release.src.rpm
		nvr := strings.TrimSuffix(up, ".src.rpm")
		r := strings.LastIndexByte(nvr, '-')
		v := strings.LastIndexByte(nvr[:max(r, 0)], '-')
		if v <= 0 {
			return nil
		}
		sv := nvr[v+1:]
		if epoch, _, ok := strings.Cut(version, ":"); ok {
			sv = epoch + ":" + sv
		}
		return &pratique.Source{Name: nvr[:v], Version: sv}
	}
	if up != "" {
		name, v, ok := strings.Cut(up, "@")
		if !ok {
			v = version
		}
		return &pratique.Source{Name: name, Version: v}
	}
	if s := q["source"]; s != "" && purlType == "deb" {
		return &pratique.Source{Name: s, Version: cmp.Or(q["sourceversion"], version)}
	}
	if s := q["origin"]; s != "" && purlType == "apk" {
		return &pratique.Source{Name: s, Version: version}
	}
	return nil
}

// releases are code names that package URLs carry in the place of a version.
func releaseOf(codename string) (id, version string) {
	switch codename {
	case "stretch":
		return "debian", "9"
	case "buster":
		return "debian", "10"
	case "bullseye":
		return "debian", "11"
	case "bookworm":
		return "debian", "12"
	case "trixie":
		return "debian", "13"
	case "forky":
		return "debian", "14"
	case "trusty":
		return "ubuntu", "14.04"
	case "xenial":
		return "ubuntu", "16.04"
	case "bionic":
		return "ubuntu", "18.04"
	case "focal":
		return "ubuntu", "20.04"
	case "jammy":
		return "ubuntu", "22.04"
	case "noble":
		return "ubuntu", "24.04"
	case "plucky":
		return "ubuntu", "25.04"
	case "questing":
		return "ubuntu", "25.10"
	}
	return "", ""
}

// distroOf reads the distro qualifier of an operating system package:
// "debian-12", "alpine-3.20.3", "bookworm", "12".
func distroOf(u packageurl.PackageURL) *pratique.Distro {
	switch u.Type {
	case "deb", "rpm", "apk", "alpm":
	default:
		return nil
	}
	q := strings.ToLower(u.Qualifiers.Map()["distro"])
	if q == "" {
		return nil
	}
	if id, version := releaseOf(q); id != "" {
		return &pratique.Distro{ID: id, Version: version, Codename: q}
	}
	id, version := q, ""
	if i := strings.LastIndexByte(q, '-'); i > 0 {
		id, version = q[:i], q[i+1:]
	} else if q[0] == 'v' && len(q) > 1 && isDigit(q[1]) {
		id, version = u.Namespace, q[1:]
	} else if isDigit(q[0]) {
		id, version = u.Namespace, q
	}
	return newDistro(id, version)
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// newDistro uses os-release's words for what other tools call otherwise.
func newDistro(id, version string) *pratique.Distro {
	id = strings.ToLower(strings.TrimSpace(id))
	version = strings.TrimSpace(version)
	switch id {
	case "":
		return nil
	case "redhat", "red hat enterprise linux":
		id = "rhel"
	case "amazon", "amazon linux":
		id = "amzn"
	case "oracle", "oracle linux", "oraclelinux":
		id = "ol"
	case "suse linux enterprise server":
		id = "sles"
	case "opensuse leap", "opensuse.leap":
		id = "opensuse-leap"
	case "opensuse tumbleweed", "opensuse.tumbleweed":
		id = "opensuse-tumbleweed"
	case "alma":
		id = "almalinux"
	case "photon os":
		id = "photon"
	case "cbl-mariner":
		id = "mariner"
	}
	d := &pratique.Distro{ID: id, Version: version}
	if known, v := releaseOf(strings.ToLower(version)); known == id {
		d.Version, d.Codename = v, strings.ToLower(version)
	}
	// Debian's os-release has no point release, and advisories know none.
	if major, _, ok := strings.Cut(d.Version, "."); ok && id == "debian" {
		d.Version = major
	}
	return d
}

// cyclonedx reads https://cyclonedx.org/specification/overview/.
func (b *bill) cyclonedx(content []byte, format cyclonedx.BOMFileFormat) error {
	var doc cyclonedx.BOM
	if err := cyclonedx.NewBOMDecoder(strings.NewReader(string(content)), format).Decode(&doc); err != nil {
		return brokenSBOM("it is not sound CycloneDX")
	}
	if doc.Compositions != nil {
		for _, c := range *doc.Compositions {
			if strings.HasPrefix(string(c.Aggregate), "incomplete") {
				b.incomplete()
			}
		}
	}
	if doc.Components == nil {
		return nil
	}
	return b.components(*doc.Components, 0)
}

// incomplete notes that a document says so of itself.
func (b *bill) incomplete() {
	b.problems = append(b.problems, pratique.Problem{
		Code: pratique.CodeUnsupported, Analyzer: "sbom", Path: b.file, Partial: true,
		Message: "the bill of materials says of itself that it is incomplete",
		Remedy:  "scan the image itself",
	})
}

// maxNesting bounds components within components.
const maxNesting = 64

func (b *bill) components(all []cyclonedx.Component, depth int) error {
	if depth > maxNesting {
		return pratique.Errorf(pratique.CodeLimit, "the bill of materials nests components more than %d deep", maxNesting).
			WithRemedy("export it flat")
	}
	for _, c := range all {
		if err := b.component(c); err != nil {
			return err
		}
		if c.Components != nil {
			if err := b.components(*c.Components, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *bill) component(c cyclonedx.Component) error {
	switch c.Type {
	case cyclonedx.ComponentTypeOS:
		// A statement about the whole outweighs single packages' qualifiers.
		if d := newDistro(c.Name, c.Version); d != nil {
			b.distro = d
		}
		return nil
	case cyclonedx.ComponentTypeFile, cyclonedx.ComponentTypeContainer, cyclonedx.ComponentTypeData, cyclonedx.ComponentTypeDevice, cyclonedx.ComponentTypeCryptographicAsset:
		if c.PackageURL == "" {
			return nil
		}
	}
	properties := map[string]string{}
	if c.Properties != nil {
		for _, p := range *c.Properties {
			properties[p.Name] = p.Value
		}
	}
	if c.PackageURL == "" && properties["aquasecurity:trivy:Class"] != "" {
		return nil // Trivy makes a component of each lock file
	}
	s := stated{
		name: c.Name, version: c.Version, purl: c.PackageURL, licenses: cyclonedxLicenses(c.Licenses),
		path: cmp.Or(properties["syft:location:0:path"], properties["aquasecurity:trivy:FilePath"]),
	}
	if c.Scope == cyclonedx.ScopeOptional {
		s.scope = "optional"
	}
	if c.Evidence != nil && c.Evidence.Occurrences != nil && len(*c.Evidence.Occurrences) > 0 {
		s.path = cmp.Or(s.path, (*c.Evidence.Occurrences)[0].Location)
	}
	s.path = strings.TrimPrefix(s.path, "/")
	s.source = trivySource(properties)
	return b.add(s)
}

// trivySource reads where Trivy writes the source package.
func trivySource(properties map[string]string) *pratique.Source {
	const prefix = "aquasecurity:trivy:"
	name, version := properties[prefix+"SrcName"], properties[prefix+"SrcVersion"]
	if name == "" || version == "" {
		return nil
	}
	if release := properties[prefix+"SrcRelease"]; release != "" {
		version += "-" + release
	}
	if epoch := properties[prefix+"SrcEpoch"]; epoch != "" && epoch != "0" {
		version = epoch + ":" + version
	}
	return &pratique.Source{Name: name, Version: version}
}

func cyclonedxLicenses(all *cyclonedx.Licenses) []string {
	if all == nil {
		return nil
	}
	var names []string
	for _, l := range *all {
		name := l.Expression
		if l.License != nil {
			name = cmp.Or(l.License.ID, l.License.Name)
		}
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// spdx reads https://spdx.github.io/spdx-spec/v2.3/.
func (b *bill) spdx(content []byte, read func(io.Reader) (*spdx.Document, error)) error {
	doc, err := read(strings.NewReader(string(content)))
	if err != nil || doc == nil {
		return brokenSBOM("it is not sound SPDX 2")
	}
	if strings.Contains(doc.DocumentComment, "\nsoftware: partial") { // as our own reports say it; SPDX 2 has no field for it
		b.incomplete()
	}
	for _, p := range doc.Packages {
		if p == nil {
			continue
		}
		if err := b.spdxPackage(p, len(doc.Packages)); err != nil {
			return err
		}
	}
	return nil
}

func (b *bill) spdxPackage(p *spdx.Package, of int) error {
	s := stated{name: p.PackageName, version: p.PackageVersion, purl: spdxPURL(p)}
	if s.purl == "" {
		switch p.PrimaryPackagePurpose {
		case "OPERATING-SYSTEM":
			b.distro = newDistro(p.PackageName, p.PackageVersion)
			return nil
		case "CONTAINER", "FILE", "DEVICE":
			return nil
		}
		if describesAll(p) && of > 1 {
			return nil
		}
	}
	for _, l := range []string{p.PackageLicenseConcluded, p.PackageLicenseDeclared} {
		if l != "" && l != "NOASSERTION" && l != "NONE" {
			s.licenses = []string{l}
			break
		}
	}
	if rest, ok := strings.CutPrefix(p.PackageSourceInfo, "acquired package info from the following paths: "); ok {
		first, _, _ := strings.Cut(rest, ", ")
		s.path = strings.TrimPrefix(first, "/")
	}
	return b.add(s)
}

// describesAll: SPDX tools make the scanned thing a package too, under ids such as
// DocumentRoot or SPDXRef-RootPackage.
func describesAll(p *spdx.Package) bool {
	id := string(p.PackageSPDXIdentifier)
	return id == "Image" || strings.HasPrefix(id, "DocumentRoot") || strings.HasPrefix(id, "RootPackage") || strings.HasPrefix(id, "ContainerImage") || strings.HasPrefix(id, "Package-main")
}

func spdxPURL(p *spdx.Package) string {
	for _, r := range p.PackageExternalReferences {
		if r != nil && r.RefType == "purl" {
			return r.Locator
		}
	}
	return ""
}
