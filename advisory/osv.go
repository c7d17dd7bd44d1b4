package advisory

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pratique/pratique"
)

// Limits of one OSV record. Real records stay an order of magnitude below them;
// a record beyond one of the first five is refused, texts and references are cut.
const (
	maxRecordBytes = 16 << 20
	maxAffected    = 100_000 // packages of one record
	maxVersions    = 200_000 // single versions of one package
	maxEvents      = 20_000  // of one package
	maxNameLen     = 1024    // bytes of an id, a package name, an ecosystem or a version

	maxDetails    = 4 << 10 // bytes; the rest is one click away
	maxSummary    = 1 << 10
	maxReferences = 20
	maxURLLen     = 2048
	maxImports    = 200
	maxIDs        = 5000 // aliases, upstream, related
)

// osvRecord has the fields of the OSV schema that are read. Others are ignored.
type osvRecord struct {
	ID         string        `json:"id"`
	Modified   string        `json:"modified"`
	Published  string        `json:"published"`
	Withdrawn  string        `json:"withdrawn"`
	Aliases    []string      `json:"aliases"`
	Upstream   []string      `json:"upstream"`
	Related    []string      `json:"related"`
	Summary    string        `json:"summary"`
	Details    string        `json:"details"`
	Severity   []osvSeverity `json:"severity"`
	Affected   []osvAffected `json:"affected"`
	References []struct {
		Type string `json:"type"`
		URL  string `json:"url"`
	} `json:"references"`
	DatabaseSpecific fields `json:"database_specific"`
}

type osvSeverity struct {
	Type  string `json:"type"`
	Score string `json:"score"`
}

type osvAffected struct {
	Package struct {
		Ecosystem string `json:"ecosystem"`
		Name      string `json:"name"`
		PURL      string `json:"purl"`
	} `json:"package"`
	Ranges []struct {
		Type   string `json:"type"`
		Events []struct {
			Introduced   string `json:"introduced"`
			Fixed        string `json:"fixed"`
			LastAffected string `json:"last_affected"`
			Limit        string `json:"limit"`
		} `json:"events"`
	} `json:"ranges"`
	// Versions are most of a record's bytes, and most records are looked at for
	// one ecosystem of several: they are read only when the package is kept.
	Versions          json.RawMessage `json:"versions"`
	Severity          []osvSeverity   `json:"severity"`
	EcosystemSpecific fields          `json:"ecosystem_specific"`
	DatabaseSpecific  fields          `json:"database_specific"`
}

// fields are the publisher's own: any name, any shape. A shape that is not the
// expected one reads as absent.
type fields map[string]json.RawMessage

func (f *fields) UnmarshalJSON(b []byte) error {
	if len(b) == 0 || b[0] != '{' {
		return nil
	}
	return json.Unmarshal(b, (*map[string]json.RawMessage)(f))
}

func (f fields) string(names ...string) string {
	for _, name := range names {
		var s string
		if raw, ok := f[name]; ok && json.Unmarshal(raw, &s) == nil && s != "" {
			return clip(s, maxNameLen)
		}
	}
	return ""
}

// strings also takes a single string for a list of one.
func (f fields) strings(names ...string) []string {
	for _, name := range names {
		raw, ok := f[name]
		if !ok {
			continue
		}
		var list []string
		if json.Unmarshal(raw, &list) == nil && len(list) > 0 {
			return list[:min(len(list), maxImports)]
		}
		if s := f.string(name); s != "" {
			return []string{s}
		}
	}
	return nil
}

// ParseOSV reads one record of the OSV schema, as far as judging needs it.
// Packages of ecosystems that keep refuses are left out; a nil keep keeps all.
// GIT ranges are left out, and so is a package of which nothing else remains.
// Unknown fields are ignored. The error says why a record is refused.
func ParseOSV(data []byte, keep func(ecosystem string) bool) (*pratique.Advisory, error) {
	if len(data) > maxRecordBytes {
		return nil, fmt.Errorf("the record has %d bytes, more than %d", len(data), maxRecordBytes)
	}
	var r osvRecord
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, fmt.Errorf("not a record of the OSV schema: %w", err)
	}
	if r.ID == "" || len(r.ID) > maxNameLen {
		return nil, fmt.Errorf("the record has no usable id")
	}
	modified, err := parseTime(r.Modified)
	if err != nil {
		return nil, fmt.Errorf("%s has no usable modified date", r.ID)
	}
	if len(r.Affected) > maxAffected {
		return nil, fmt.Errorf("%s names %d packages, more than %d", r.ID, len(r.Affected), maxAffected)
	}
	a := &pratique.Advisory{
		ID:         r.ID,
		Modified:   modified,
		Aliases:    idsOf(r.Aliases),
		Upstream:   idsOf(r.Upstream),
		Related:    idsOf(r.Related),
		Summary:    clip(r.Summary, maxSummary),
		Details:    clip(r.Details, maxDetails),
		Severity:   scores(r.ID, r.Severity),
		CWEs:       idsOf(r.DatabaseSpecific.strings("cwe_ids", "cwes")),
		Rating:     ratingWord(&r),
		References: referencesOf(&r),
	}
	a.Published, _ = parseTime(r.Published)
	if r.Withdrawn != "" {
		// A date that cannot be read still says that the record is withdrawn.
		when, err := parseTime(r.Withdrawn)
		if err != nil {
			when = modified
		}
		a.Withdrawn = &when
	}
	for i := range r.Affected {
		in := &r.Affected[i]
		if eco := in.Package.Ecosystem; eco == "" || in.Package.Name == "" || keep != nil && !keep(eco) {
			continue
		}
		out, err := affectedOf(r.ID, in)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.ID, err)
		}
		if len(out.Ranges) > 0 || len(out.Versions) > 0 {
			a.Affected = append(a.Affected, out)
		}
	}
	return a, nil
}

func affectedOf(id string, in *osvAffected) (pratique.Affected, error) {
	eco, own := in.EcosystemSpecific, in.DatabaseSpecific
	out := pratique.Affected{
		Ecosystem: in.Package.Ecosystem,
		Name:      in.Package.Name,
		Severity:  scores(id, in.Severity),
		Urgency:   eco.string("urgency", "ubuntu_priority", "priority"),
		FixState:  eco.string("fix_state"),
		Arches:    archesOf(in),
		Imports:   importsOf(eco),
		Module:    moduleOf(in),
	}
	if len(out.Ecosystem) > maxNameLen || len(out.Name) > maxNameLen {
		return out, fmt.Errorf("the name of a package is longer than %d bytes", maxNameLen)
	}
	if out.Urgency == "" {
		out.Urgency = own.string("urgency", "informational") // RustSec: "unmaintained", "unsound", "notice"
	}
	if out.FixState == "" {
		out.FixState = own.string("fix_state")
	}
	if out.FixState == "" && out.Urgency == "end-of-life" {
		out.FixState = "end_of_life"
	}
	if len(out.Severity) == 0 {
		if c, ok := ParseCVSS(own.string("cvss")); ok { // RustSec's place for it
			c.Source = scoredBy(id)
			out.Severity = []pratique.CVSS{c}
		}
	}
	var err error
	if out.Ranges, err = rangesOf(in); err != nil {
		return out, err
	}
	out.Versions, err = versionsOf(in.Versions)
	return out, err
}

func rangesOf(in *osvAffected) ([]pratique.Range, error) {
	var ranges []pratique.Range
	total := 0
	for _, r := range in.Ranges {
		if r.Type != "ECOSYSTEM" && r.Type != "SEMVER" {
			continue
		}
		var events []pratique.Event
		for _, e := range r.Events {
			// The schema asks for one field in each event; records with two exist.
			for _, one := range [...]pratique.Event{
				{Introduced: e.Introduced}, {Fixed: e.Fixed}, {LastAffected: e.LastAffected}, {Limit: e.Limit},
			} {
				v := one.Introduced + one.Fixed + one.LastAffected + one.Limit
				if v == "" {
					continue
				}
				if len(v) > maxNameLen {
					return nil, fmt.Errorf("a version of %.80q is longer than %d bytes", in.Package.Name, maxNameLen)
				}
				events = append(events, one)
			}
		}
		if total += len(events); total > maxEvents {
			return nil, fmt.Errorf("%.80q has more than %d events", in.Package.Name, maxEvents)
		}
		if len(events) > 0 {
			ranges = append(ranges, pratique.Range{Type: r.Type, Events: events})
		}
	}
	return ranges, nil
}

func versionsOf(raw json.RawMessage) ([]string, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	list, ok := plainStrings(raw)
	if !ok {
		if err := json.Unmarshal(raw, &list); err != nil {
			return nil, fmt.Errorf("the list of versions is not a list of strings: %w", err)
		}
	}
	if len(list) > maxVersions {
		return nil, fmt.Errorf("a package has %d single versions, more than %d", len(list), maxVersions)
	}
	if slices.ContainsFunc(list, func(v string) bool { return len(v) > maxNameLen }) {
		return nil, fmt.Errorf("a version is longer than %d bytes", maxNameLen)
	}
	return list, nil
}

// plainStrings reads a JSON list of strings that need no unescaping, which all
// but a few lists of versions are, several times faster than encoding/json. The
// input was already found to be valid JSON.
func plainStrings(raw []byte) ([]string, bool) {
	if raw[0] != '[' || bytes.IndexByte(raw, '\\') >= 0 || !utf8.Valid(raw) {
		return nil, false
	}
	text := string(raw)
	list := make([]string, 0, strings.Count(text, ",")+1)
	rest := text[1:]
	for {
		rest = strings.TrimLeft(rest, " \t\r\n,")
		if rest == "" {
			return nil, false
		}
		if rest[0] == ']' {
			return list, true
		}
		if rest[0] != '"' {
			return nil, false
		}
		end := strings.IndexByte(rest[1:], '"')
		if end < 0 {
			return nil, false
		}
		list = append(list, rest[1:1+end])
		rest = rest[end+2:]
	}
}

func scores(id string, in []osvSeverity) []pratique.CVSS {
	var out []pratique.CVSS
	for _, s := range in[:min(len(in), 64)] {
		if c, ok := ParseCVSS(s.Score); ok {
			c.Source = scoredBy(id)
			out = append(out, c)
		}
	}
	return out
}

// scoredBy names who stands behind the scores of a record.
func scoredBy(id string) string {
	if strings.HasPrefix(id, "GHSA-") {
		return "ghsa"
	}
	return id
}

// ratingWord finds the publisher's own word for how bad it is: where GitHub and
// others put it, where Ubuntu puts it, or before the colon of the summary, where
// the Red Hat family puts it.
func ratingWord(r *osvRecord) string {
	if s := r.DatabaseSpecific.string("severity"); s != "" {
		return s
	}
	for _, s := range r.Severity {
		if s.Type == "Ubuntu" {
			return clip(s.Score, 64)
		}
	}
	switch word, _, found := strings.Cut(r.Summary, ": "); word {
	case "Critical", "Important", "Moderate", "Low":
		if found {
			return word
		}
	}
	return ""
}

func referencesOf(r *osvRecord) []pratique.Reference {
	var out []pratique.Reference
	for _, ref := range r.References {
		if len(out) == maxReferences {
			break
		}
		// Reports make links of these, so nothing but web addresses passes.
		u, err := url.Parse(ref.URL)
		if err != nil || len(ref.URL) > maxURLLen || u.Scheme != "https" && u.Scheme != "http" {
			continue
		}
		out = append(out, pratique.Reference{Type: clip(ref.Type, 32), URL: ref.URL})
	}
	return out
}

// archesOf reads where the flaw is limited to: a field of the publisher, or the
// arch qualifier of the package URL unless it says "source" or "noarch".
func archesOf(in *osvAffected) []string {
	eco := in.EcosystemSpecific
	if list := eco.strings("arches", "architectures", "arch"); list != nil {
		return list
	}
	if raw, ok := eco["affects"]; ok { // RustSec
		var affects fields
		if json.Unmarshal(raw, &affects) == nil {
			if list := affects.strings("arch"); list != nil {
				return list
			}
		}
	}
	switch arch := qualifier(in.Package.PURL, "arch"); arch {
	case "", "source", "src", "noarch", "all":
		return nil
	default:
		return []string{arch}
	}
}

// moduleOf reads which rpm module (name:stream) the record speaks of.
func moduleOf(in *osvAffected) string {
	for _, f := range []fields{in.EcosystemSpecific, in.DatabaseSpecific} {
		if m := f.string("rpmmod", "module", "modularity", "modularity_label"); m != "" {
			return m
		}
	}
	return qualifier(in.Package.PURL, "rpmmod")
}

func qualifier(purl, key string) string {
	_, query, found := strings.Cut(purl, "?")
	if !found {
		return ""
	}
	query, _, _ = strings.Cut(query, "#")
	values, err := url.ParseQuery(query)
	if err != nil {
		return ""
	}
	return clip(values.Get(key), maxNameLen)
}

// importsOf reads Go's affected functions as "import/path#Symbol", or the bare
// path when the whole package is affected.
func importsOf(f fields) []string {
	raw, ok := f["imports"]
	if !ok {
		return nil
	}
	var imports []struct {
		Path    string   `json:"path"`
		Symbols []string `json:"symbols"`
	}
	if json.Unmarshal(raw, &imports) != nil {
		return nil
	}
	var out []string
	for _, i := range imports {
		if len(i.Symbols) == 0 {
			out = append(out, clip(i.Path, maxNameLen))
		}
		for _, s := range i.Symbols {
			out = append(out, clip(i.Path+"#"+s, maxNameLen))
		}
		if len(out) >= maxImports {
			return out[:maxImports]
		}
	}
	return out
}

func idsOf(list []string) []string {
	list = slices.DeleteFunc(list, func(s string) bool { return s == "" || len(s) > maxNameLen })
	if len(list) == 0 {
		return nil
	}
	return list[:min(len(list), maxIDs)]
}

// parseTime reads RFC 3339, the same without a zone (NVD; it means UTC), and a
// bare date.
func parseTime(s string) (time.Time, error) {
	for _, layout := range [...]string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%.40q is not a date", s)
}

// clip cuts s to at most n bytes, between characters, and drops what is not UTF-8.
func clip(s string, n int) string {
	if len(s) > n {
		s = s[:n]
		for len(s) > 0 && !utf8.RuneStart(s[len(s)-1]) {
			s = s[:len(s)-1]
		}
		if r, size := utf8.DecodeLastRuneInString(s); r == utf8.RuneError && size == 1 {
			s = s[:len(s)-1]
		}
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
