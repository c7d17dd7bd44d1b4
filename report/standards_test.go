package report

import (
	"bytes"
	"encoding/json"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/github/go-spdx/v2/spdxexp/spdxlicenses"
	"github.com/pratique/pratique"
	"github.com/santhosh-tekuri/jsonschema/v6"
	spdxjson "github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdx"
)

func decoded(t *testing.T, b []byte) any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// reports are what every format must be able to write.
func reports() map[string]*pratique.Report {
	out := map[string]*pratique.Report{"sample": sample(), "large": large(), "empty": {Image: pratique.Image{Kind: pratique.KindFolder}}}
	for _, attack := range attacks {
		out["hostile "+attack] = hostile(sample(), attack)
	}
	return out
}

func TestJSONIsValid(t *testing.T) {
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("report.json", decoded(t, Schema)); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("report.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range reports() {
		if strings.HasPrefix(name, "hostile") {
			r.SchemaVersion = pratique.SchemaVersion
			for i := range r.Secrets {
				r.Secrets[i].Source = "file"
			}
		}
		if err := schema.Validate(decoded(t, written(t, "json", r, Options{}))); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	for name, bad := range map[string]string{"no layers": `{"schemaVersion":"1.0"}`, "not a report": `[]`} {
		if schema.Validate(decoded(t, []byte(bad))) == nil {
			t.Errorf("the schema accepts %s", name)
		}
	}
}

// The schema and the types say the same: each field of a type is a property,
// each property a field, and required where it is always written.
func TestSchemaIsComplete(t *testing.T) {
	var schema map[string]any
	if err := json.Unmarshal(Schema, &schema); err != nil {
		t.Fatal(err)
	}
	defs := schema["$defs"].(map[string]any)
	checkSchema(t, defs, schema, reflect.TypeFor[pratique.Report](), "report")
}

func checkSchema(t *testing.T, defs, node map[string]any, typ reflect.Type, at string) {
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	if target, ok := node["$ref"].(string); ok {
		node, ok = defs[strings.TrimPrefix(target, "#/$defs/")].(map[string]any)
		if !ok {
			t.Fatalf("%s: %s is not defined", at, target)
		}
	}
	if typ == reflect.TypeFor[time.Time]() {
		if node["format"] != "date-time" {
			t.Errorf("%s is a time", at)
		}
		return
	}
	switch typ.Kind() {
	case reflect.Slice:
		items, _ := node["items"].(map[string]any)
		checkSchema(t, defs, items, typ.Elem(), at+"[]")
	case reflect.Map:
		if node["type"] != "object" {
			t.Errorf("%s is a map", at)
			return
		}
		checkSchema(t, defs, node["additionalProperties"].(map[string]any), typ.Elem(), at+"{}")
	case reflect.Struct:
		checkStruct(t, defs, node, typ, at)
	default:
		kinds := map[reflect.Kind]string{reflect.String: "string", reflect.Int: "integer", reflect.Int64: "integer", reflect.Float64: "number", reflect.Bool: "boolean"}
		if node["type"] != kinds[typ.Kind()] && (node["enum"] == nil || typ.Kind() != reflect.String) {
			t.Errorf("%s: a %s is described as %v", at, typ, node["type"])
		}
	}
}

func checkStruct(t *testing.T, defs, node map[string]any, typ reflect.Type, at string) {
	properties, _ := node["properties"].(map[string]any)
	required := map[string]bool{}
	list, _ := node["required"].([]any)
	for _, name := range list {
		required[name.(string)] = true
	}
	seen := 0
	for i := range typ.NumField() {
		name, options, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
		if name == "-" {
			continue
		}
		seen++
		property, ok := properties[name].(map[string]any)
		if !ok {
			t.Errorf("%s.%s is not in the schema", at, name)
			continue
		}
		if always := !strings.Contains(options, "omit"); always != required[name] {
			t.Errorf("%s.%s: always written is %v, required is %v", at, name, always, required[name])
		}
		checkSchema(t, defs, property, typ.Field(i).Type, at+"."+name)
	}
	if seen != len(properties) {
		t.Errorf("%s: the schema has %d properties, the type %d", at, len(properties), seen)
	}
}

func TestSchemaNamesEveryValue(t *testing.T) {
	var schema struct {
		Defs map[string]struct{ Enum []string } `json:"$defs"`
	}
	if err := json.Unmarshal(Schema, &schema); err != nil {
		t.Fatal(err)
	}
	if got, want := len(schema.Defs["severity"].Enum), len(pratique.Severities()); got != want {
		t.Errorf("%d severities in the schema, %d in the type", got, want)
	}
}

// cycloneDXSchema compiles the standard's own schema, which the library's module
// carries, and returns it with the folder that it lies in.
func cycloneDXSchema(t *testing.T) (*jsonschema.Schema, string) {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/CycloneDX/cyclonedx-go").Output()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(strings.TrimSpace(string(out)), "schema")
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	for name, file := range map[string]string{"bom-1.6.schema.json": "bom-1.6.schema.json", "spdx.schema.json": "spdx.schema.json", "jsf-0.82.schema.json": "jsf-0.82.schemax.json"} {
		b, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.AddResource("http://cyclonedx.org/schema/"+name, decoded(t, b)); err != nil {
			t.Fatal(err)
		}
	}
	schema, err := c.Compile("http://cyclonedx.org/schema/bom-1.6.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema, dir
}

func TestCycloneDXIsValid(t *testing.T) {
	schema, _ := cycloneDXSchema(t)
	for name, r := range reports() {
		out := written(t, "cyclonedx", r, Options{})
		if err := schema.Validate(decoded(t, out)); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestCycloneDXReadBack(t *testing.T) {
	var doc cdx.BOM
	if err := cdx.NewBOMDecoder(bytes.NewReader(written(t, "cyclonedx", sample(), Options{})), cdx.BOMFileFormatJSON).Decode(&doc); err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(doc.SerialNumber) {
		t.Errorf("serial number %s", doc.SerialNumber)
	}
	refs := map[string]*cdx.Component{}
	for i, c := range *doc.Components {
		if refs[c.BOMRef] != nil {
			t.Errorf("two components are %s", c.BOMRef)
		}
		refs[c.BOMRef] = &(*doc.Components)[i]
	}
	if got, want := len(refs), len(sample().Packages)+1; got != want {
		t.Errorf("%d components, want %d", got, want)
	}
	pairs := 0
	for _, v := range *doc.Vulnerabilities {
		for _, a := range *v.Affects {
			pairs++
			if refs[a.Ref] == nil {
				t.Errorf("%s affects %s, which is not there", v.ID, a.Ref)
			}
		}
	}
	if want := len(sample().Vulnerabilities); pairs != want {
		t.Errorf("%d pairs of vulnerability and package, want %d", pairs, want)
	}
	// Other knowledge is another document; the same is the same.
	if a, b := documentID("cyclonedx", sample()), documentID("cyclonedx", sample()); a != b {
		t.Error("the identity changes")
	}
	r := sample()
	r.Bundle.Digest = digest("0")
	if documentID("cyclonedx", r) == documentID("cyclonedx", sample()) {
		t.Error("another bundle gives the same identity")
	}
}

// Each licence of the SPDX list, alone and beside another, is written in a way
// that the standard's own list accepts.
func TestCycloneDXLicences(t *testing.T) {
	schema, dir := cycloneDXSchema(t)
	b, err := os.ReadFile(filepath.Join(dir, "spdx.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	var list struct{ Enum []string }
	if err := json.Unmarshal(b, &list); err != nil {
		t.Fatal(err)
	}
	ids := strings.Fields(cycloneDXLicenses)
	slices.Sort(list.Enum)
	slices.Sort(ids)
	if !slices.Equal(list.Enum, ids) {
		t.Error("cyclonedx-licenses.txt is not the standard's list")
	}
	r := sample()
	for _, id := range append(spdxlicenses.GetLicenses(), spdxlicenses.GetDeprecated()...) {
		r.Packages = append(r.Packages, pratique.Package{Type: "npm", Name: id, Licenses: []string{id}},
			pratique.Package{Type: "pypi", Name: id, Licenses: []string{id, "MIT OR ISC", "own words"}})
	}
	if err := schema.Validate(decoded(t, written(t, "cyclonedx", r, Options{}))); err != nil {
		t.Error(err)
	}
}

func TestSPDXReadBack(t *testing.T) {
	for name, r := range reports() {
		out := written(t, "spdx", r, Options{})
		doc, err := spdxjson.Read(bytes.NewReader(out))
		if err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		checkSPDX(t, name, doc)
		if got, want := len(doc.Packages), distinctPackages(r)+1; got < want {
			t.Errorf("%q: %d packages, want at least %d", name, got, want)
		}
	}
}

func distinctPackages(r *pratique.Report) int {
	keys := map[string]bool{}
	for i := range r.Packages {
		keys[packageKey(&r.Packages[i])] = true
	}
	return len(keys)
}

var spdxID = regexp.MustCompile(`^[A-Za-z0-9.-]+$`)

func checkSPDX(t *testing.T, name string, doc *spdx.Document) {
	t.Helper()
	if u, err := url.Parse(doc.DocumentNamespace); err != nil || !u.IsAbs() || u.Fragment != "" {
		t.Errorf("%q: name space %s", name, doc.DocumentNamespace)
	}
	ids := map[string]bool{"DOCUMENT": true}
	licenses := map[string]bool{}
	for _, l := range doc.OtherLicenses {
		licenses[l.LicenseIdentifier] = true
		if !spdxID.MatchString(l.LicenseIdentifier) || l.ExtractedText == "" {
			t.Errorf("%q: licence %+v", name, l)
		}
	}
	for _, p := range doc.Packages {
		if !spdxID.MatchString(string(p.PackageSPDXIdentifier)) || ids[string(p.PackageSPDXIdentifier)] {
			t.Errorf("%q: identifier %s", name, p.PackageSPDXIdentifier)
		}
		ids[string(p.PackageSPDXIdentifier)] = true
		for word := range strings.FieldsSeq(strings.NewReplacer("(", " ", ")", " ").Replace(p.PackageLicenseDeclared)) {
			if strings.HasPrefix(word, "LicenseRef-") && !licenses[word] {
				t.Errorf("%q: %s has no text", name, word)
			}
		}
	}
	describes := 0
	for _, r := range doc.Relationships {
		if !ids[string(r.RefA.ElementRefID)] || !ids[string(r.RefB.ElementRefID)] {
			t.Errorf("%q: relationship of something unknown: %+v", name, r)
		}
		if r.Relationship == "DESCRIBES" {
			describes++
		}
	}
	if describes != 1 || len(doc.Relationships) != len(doc.Packages) {
		t.Errorf("%q: %d relationships, %d of them describe, for %d packages", name, len(doc.Relationships), describes, len(doc.Packages))
	}
}

func TestLicenseExpression(t *testing.T) {
	for in, want := range map[string]string{
		"mit": "MIT", "MIT OR apache-2.0": "MIT OR Apache-2.0", "(MIT AND ( ISC ))": "(MIT AND (ISC))",
		"GPL-2.0-only WITH Classpath-exception-2.0": "GPL-2.0-only WITH Classpath-exception-2.0",
		"Apache-2.0+": "Apache-2.0+", "GPL-2.0+": "GPL-2.0+",
	} {
		if got, ok := licenseExpression(in); !ok || got != want {
			t.Errorf("%q gives %q, %v; want %q", in, got, ok, want)
		}
	}
	for _, in := range []string{
		"", "public domain", "MIT OR", "OR MIT", "(MIT", "MIT)", "MIT ISC", "GPL-2+", "MIT WITH MIT", "MIT WITH", "LicenseRef-x", "MIT/ISC",
		strings.Repeat("(", 400) + "MIT" + strings.Repeat(")", 400),
	} {
		if got, ok := licenseExpression(in); ok {
			t.Errorf("%q gives %q", in, got)
		}
	}
}

func FuzzLicenseExpression(f *testing.F) {
	for _, s := range []string{"MIT", "(MIT OR Apache-2.0) AND ISC", "GPL-2.0+ WITH Bison-exception-2.2", "((", "a OR"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		out, ok := licenseExpression(s)
		if !ok {
			return
		}
		if again, ok := licenseExpression(out); !ok || again != out {
			t.Fatalf("%q gives %q, which gives %q", s, out, again)
		}
	})
}

func TestImagePURL(t *testing.T) {
	im := pratique.Image{Name: "registry:5000/Shop/API:1", Digest: digest("2"), Platform: pratique.Platform{OS: "linux", Architecture: "arm64"}}
	if got, want := imagePURL(&im), "pkg:oci/api@sha256%3A"+strings.Repeat("2", 64)+"?arch=arm64"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
