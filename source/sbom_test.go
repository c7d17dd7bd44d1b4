package source

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/CycloneDX/cyclonedx-go"
	spdxjson "github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/tagvalue"

	"github.com/pratique/pratique"
)

// A server's bill as Syft and Trivy shape theirs: an operating system component,
// packages with their tools' own properties, nested components, and one without
// a package URL.
const cyclonedxJSON = `{"bomFormat":"CycloneDX","specVersion":"1.5","version":1,
"metadata":{"component":{"type":"container","name":"app"}},
"components":[
 {"type":"operating-system","name":"debian","version":"12.5"},
 {"type":"library","name":"libssl3","version":"3.0.11-1~deb12u2","purl":"pkg:deb/debian/libssl3@3.0.11-1~deb12u2?arch=amd64&distro=debian-12&upstream=openssl",
  "licenses":[{"license":{"id":"Apache-2.0"}},{"license":{"name":"Artistic"}}],
  "properties":[{"name":"syft:location:0:path","value":"/var/lib/dpkg/status"}]},
 {"type":"library","name":"vim","version":"8.2","purl":"pkg:deb/debian/vim@8.2.2434-3?arch=arm64&epoch=2",
  "properties":[{"name":"aquasecurity:trivy:SrcName","value":"vim-src"},{"name":"aquasecurity:trivy:SrcVersion","value":"8.2.2434"},{"name":"aquasecurity:trivy:SrcRelease","value":"3"},{"name":"aquasecurity:trivy:SrcEpoch","value":"2"}]},
 {"type":"library","name":"bash","purl":"pkg:rpm/redhat/bash@5.1.8-4.el9?epoch=1&upstream=bash-5.1.8-4.el9.src.rpm&arch=x86_64"},
 {"type":"library","name":"log4j-core","purl":"pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1","scope":"optional",
  "components":[{"type":"library","name":"core","purl":"pkg:npm/%40babel/core@7.0.0","licenses":[{"expression":"MIT OR ISC"}]}]},
 {"type":"library","name":"y","purl":"pkg:golang/github.com/x/y@v1.2.3","evidence":{"occurrences":[{"location":"usr/bin/y"}]}},
 {"type":"library","name":"y","purl":"pkg:golang/github.com/x/y@v1.2.3","evidence":{"occurrences":[{"location":"usr/bin/y"}]}},
 {"type":"library","name":"Zope.Interface","purl":"pkg:pypi/zope.interface@5.0"},
 {"type":"library","name":"left\nout","version":"1"},
 {"type":"library","name":"broken","purl":"not a purl"},
 {"type":"file","name":"/etc/passwd"}
]}`

var wantPackages = []pratique.Package{
	{Type: "deb", Name: "libssl3", Version: "3.0.11-1~deb12u2", Arch: "amd64", Source: &pratique.Source{Name: "openssl", Version: "3.0.11-1~deb12u2"}, Licenses: []string{"Apache-2.0", "Artistic"}, Path: "var/lib/dpkg/status"},
	{Type: "deb", Name: "vim", Version: "2:8.2.2434-3", Arch: "arm64", Source: &pratique.Source{Name: "vim-src", Version: "2:8.2.2434-3"}},
	{Type: "rpm", Name: "bash", Version: "1:5.1.8-4.el9", Arch: "x86_64", Source: &pratique.Source{Name: "bash", Version: "1:5.1.8-4.el9"}},
	{Type: "maven", Name: "org.apache.logging.log4j:log4j-core", Version: "2.14.1", Ecosystem: "Maven", Scope: "optional"},
	{Type: "npm", Name: "@babel/core", Version: "7.0.0", Ecosystem: "npm", Licenses: []string{"MIT OR ISC"}},
	{Type: "golang", Name: "github.com/x/y", Version: "v1.2.3", Ecosystem: "Go", Path: "usr/bin/y"},
	{Type: "pypi", Name: "zope-interface", Version: "5.0", Ecosystem: "PyPI"},
}

func checkBill(t *testing.T, file string, paths bool) *Opened {
	t.Helper()
	o, err := Open(t.Context(), file, options(t))
	if err != nil {
		t.Fatal(err)
	}
	if o.Image.Kind != pratique.KindSBOM || o.Distro == nil || o.Distro.ID != "debian" || o.Distro.Version != "12" {
		t.Errorf("%+v, distro %+v", o.Image, o.Distro)
	}
	if len(o.Packages) != len(wantPackages) {
		t.Fatalf("%d packages, want %d: %+v", len(o.Packages), len(wantPackages), o.Packages)
	}
	for i, got := range o.Packages {
		want := wantPackages[i]
		want.PURL, want.FoundBy = got.PURL, "sbom"
		if want.Path == "" || !paths {
			want.Path = got.Path
		}
		if !paths { // SPDX has no place for these
			want.Scope, want.Licenses, want.Source = got.Scope, got.Licenses, got.Source
		}
		if got.PURL == "" || got.Path == "" || !reflect.DeepEqual(got, want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	}
	return o
}

func TestCycloneDX(t *testing.T) {
	o := checkBill(t, writeFile(t, "bom.json", []byte("\xef\xbb\xbf"+cyclonedxJSON)), true)
	if len(o.Problems) != 2 {
		t.Errorf("problems %+v", o.Problems)
	}
	for _, p := range o.Problems {
		if !p.Partial || p.Remedy == "" || strings.Contains(p.Message, "\n") {
			t.Errorf("%+v", p)
		}
	}
	var bom cyclonedx.BOM
	if err := cyclonedx.NewBOMDecoder(strings.NewReader(cyclonedxJSON), cyclonedx.BOMFileFormatJSON).Decode(&bom); err != nil {
		t.Fatal(err)
	}
	var xml bytes.Buffer
	if err := cyclonedx.NewBOMEncoder(&xml, cyclonedx.BOMFileFormatXML).Encode(&bom); err != nil {
		t.Fatal(err)
	}
	checkBill(t, writeFile(t, "bom.xml", xml.Bytes()), true)
	checkBill(t, "sbom:"+writeFile(t, "bom", xml.Bytes()), true)
}

// spdxDocument states the same packages.
func spdxDocument() []byte {
	var b bytes.Buffer
	b.WriteString(`{"spdxVersion":"SPDX-2.3","dataLicense":"CC0-1.0","SPDXID":"SPDXRef-DOCUMENT","name":"app","documentNamespace":"https://example.test/app","creationInfo":{"created":"2026-01-02T03:04:05Z","creators":["Tool: test"]},"packages":[
{"name":"app","SPDXID":"SPDXRef-DocumentRoot-Image-app","downloadLocation":"NOASSERTION","primaryPackagePurpose":"CONTAINER"},
{"name":"debian","SPDXID":"SPDXRef-os","versionInfo":"12","downloadLocation":"NOASSERTION","primaryPackagePurpose":"OPERATING-SYSTEM"},
{"name":"unnamed","SPDXID":"SPDXRef-unnamed","versionInfo":"1","downloadLocation":"NOASSERTION"}`)
	for i, purl := range []string{
		"pkg:deb/debian/libssl3@3.0.11-1~deb12u2?arch=amd64", "pkg:deb/debian/vim@8.2.2434-3?arch=arm64&epoch=2", "pkg:rpm/redhat/bash@5.1.8-4.el9?epoch=1&arch=x86_64",
		"pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1", "pkg:npm/%40babel/core@7.0.0", "pkg:golang/github.com/x/y@v1.2.3", "pkg:pypi/zope.interface@5.0",
	} {
		fmt.Fprintf(&b, `,{"name":"p%d","SPDXID":"SPDXRef-%d","versionInfo":"9","downloadLocation":"NOASSERTION","licenseConcluded":"NOASSERTION","licenseDeclared":"MIT","externalRefs":[{"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl","referenceLocator":%q}]}`, i, i, purl)
	}
	b.WriteString("]}")
	return b.Bytes()
}

func TestSPDX(t *testing.T) {
	o := checkBill(t, writeFile(t, "app.spdx.json", spdxDocument()), false)
	if len(o.Problems) != 1 || !strings.Contains(o.Problems[0].Message, "unnamed") {
		t.Errorf("problems %+v", o.Problems)
	}
	if l := o.Packages[0].Licenses; !reflect.DeepEqual(l, []string{"MIT"}) {
		t.Errorf("licences %v", l)
	}
	doc, err := spdxjson.Read(bytes.NewReader(spdxDocument()))
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := tagvalue.Write(doc, &text); err != nil {
		t.Fatal(err)
	}
	checkBill(t, writeFile(t, "app.spdx", text.Bytes()), false)
}

func TestDistroFromPackages(t *testing.T) {
	for purl, want := range map[string]pratique.Distro{
		"pkg:deb/debian/a@1?distro=bookworm":              {ID: "debian", Version: "12", Codename: "bookworm"},
		"pkg:deb/debian/a@1?distro=debian-12.4":           {ID: "debian", Version: "12"},
		"pkg:deb/ubuntu/a@1?distro=ubuntu-22.04":          {ID: "ubuntu", Version: "22.04"},
		"pkg:deb/ubuntu/a@1?distro=jammy":                 {ID: "ubuntu", Version: "22.04", Codename: "jammy"},
		"pkg:apk/alpine/a@1?distro=3.20.3":                {ID: "alpine", Version: "3.20.3"},
		"pkg:apk/alpine/a@1?distro=alpine-3.20.3":         {ID: "alpine", Version: "3.20.3"},
		"pkg:rpm/redhat/a@1?distro=redhat-9.2":            {ID: "rhel", Version: "9.2"},
		"pkg:rpm/opensuse/a@1?distro=opensuse-leap-15.5":  {ID: "opensuse-leap", Version: "15.5"},
		"pkg:rpm/amazon/a@1?distro=amazon-2023":           {ID: "amzn", Version: "2023"},
		"pkg:apk/alpine/a@1?distro=v3.18&origin=a-origin": {ID: "alpine", Version: "3.18"},
	} {
		b := bill{seen: map[[2]string]bool{}}
		if err := b.add(stated{purl: purl}); err != nil || b.distro == nil || !reflect.DeepEqual(*b.distro, want) {
			t.Errorf("%s: %+v, %v", purl, b.distro, err)
		}
	}
}

func TestManyUnnamedPackages(t *testing.T) {
	b := bill{file: "x", seen: map[[2]string]bool{}}
	for i := range 100 {
		if err := b.add(stated{name: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	if p := b.finish(); len(p) != maxUnnamed+1 || !strings.Contains(p[maxUnnamed].Message, "80 more") {
		t.Errorf("%d problems", len(p))
	}
}

func TestBrokenBills(t *testing.T) {
	for name, c := range map[string]struct {
		content string
		code    pratique.Code
		part    string
	}{
		"cut short":   {cyclonedxJSON[:400], pratique.CodeCorrupt, "JSON"},
		"other JSON":  {`{"name":"package","version":"1"}`, pratique.CodeInvalid, "CycloneDX"},
		"other XML":   {`<project/>`, pratique.CodeCorrupt, "CycloneDX"},
		"SPDX 3":      {`{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[]}`, pratique.CodeUnsupported, "SPDX 3"},
		"wrong types": {`{"bomFormat":"CycloneDX","components":{"a":1}}`, pratique.CodeCorrupt, "CycloneDX"},
		"odd SPDX":    {`{"spdxVersion":"SPDX-9.9"}`, pratique.CodeCorrupt, "SPDX"},
		"tag-value":   {"SPDXVersion: SPDX-2.3\nnonsense", pratique.CodeCorrupt, "SPDX"},
		"nested":      {`{"bomFormat":"CycloneDX","specVersion":"1.5","components":[` + strings.Repeat(`{"type":"file","name":"a","components":[`, maxNesting+2) + strings.Repeat(`]}`, maxNesting+2) + `]}`, pratique.CodeLimit, "nests"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Open(t.Context(), writeFile(t, "bom", []byte(c.content)), options(t))
			wantError(t, err, c.code, c.part)
		})
	}
}

// What a bill says of its own reach is passed on: without it, the packages that
// a scan could not read would be clean in the next one.
func TestIncompleteBills(t *testing.T) {
	for name, c := range map[string]struct {
		content string
		want    int
	}{
		"CycloneDX":           {`{"bomFormat":"CycloneDX","specVersion":"1.6","compositions":[{"aggregate":"incomplete"}]}`, 1},
		"CycloneDX, complete": {`{"bomFormat":"CycloneDX","specVersion":"1.6","compositions":[{"aggregate":"complete"}]}`, 0},
		"SPDX": {`{"spdxVersion":"SPDX-2.3","dataLicense":"CC0-1.0","SPDXID":"SPDXRef-DOCUMENT","name":"x","documentNamespace":"https://example.org/x",` +
			`"creationInfo":{"creators":["Tool: x"],"created":"2026-01-01T00:00:00Z"},"comment":"How far it was looked at:\nsoftware: partial: damaged"}`, 1},
	} {
		o, err := Open(t.Context(), writeFile(t, "bom", []byte(c.content)), options(t))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		partial := 0
		for _, p := range o.Problems {
			if p.Partial && strings.Contains(p.Message, "incomplete") {
				partial++
			}
		}
		if partial != c.want {
			t.Errorf("%s: %d problems, want %d: %+v", name, partial, c.want, o.Problems)
		}
	}
}

func FuzzSBOM(f *testing.F) {
	f.Add([]byte(cyclonedxJSON))
	f.Add(spdxDocument())
	f.Add([]byte("SPDXVersion: SPDX-2.3\nDataLicense: CC0-1.0\nSPDXID: SPDXRef-DOCUMENT\nPackageName: a\nSPDXID: SPDXRef-a\nExternalRef: PACKAGE-MANAGER purl pkg:npm/a@1\n"))
	f.Add([]byte(`<bom xmlns="http://cyclonedx.org/schema/bom/1.5"><components><component type="library"><name>a</name><purl>pkg:npm/a@1</purl></component></components></bom>`))
	f.Fuzz(func(t *testing.T, content []byte) {
		form, err := sniff(bytes.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		b, err := parseSBOM(form, content, "bom")
		if err != nil {
			if pratique.CodeOf(err) == pratique.CodeInternal || strings.Contains(err.Error(), "\n") {
				t.Fatalf("%v", err)
			}
			return
		}
		for _, p := range b.packages {
			if p.Type == "" || p.Name == "" || p.PURL == "" {
				t.Fatalf("%+v", p)
			}
		}
		for _, p := range b.finish() {
			if strings.Contains(p.Message, "\n") {
				t.Fatalf("%q", p.Message)
			}
		}
	})
}

// A large bill is a matter of seconds and a fixed multiple of its size.
func BenchmarkSBOM(b *testing.B) {
	var doc bytes.Buffer
	doc.WriteString(`{"bomFormat":"CycloneDX","specVersion":"1.5","components":[`)
	for i := range 20_000 {
		if i > 0 {
			doc.WriteByte(',')
		}
		fmt.Fprintf(&doc, `{"type":"library","name":"p%d","version":"1.%d","purl":"pkg:npm/p%d@1.%d"}`, i, i, i, i)
	}
	doc.WriteString("]}")
	b.SetBytes(int64(doc.Len()))
	for b.Loop() {
		got, err := parseSBOM(formJSON, doc.Bytes(), "bom")
		if err != nil || len(got.packages) != 20_000 {
			b.Fatal(err)
		}
	}
}
