package advisory

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pratique/pratique"
)

// feeds is a small copy of what publishers serve, by path.
func feeds(t testing.TB) map[string][]byte {
	t.Helper()
	files := map[string][]byte{
		"nvd/nvdcve-2.0-2023.json.gz":                gzipped([]byte(nvdFile)),
		"epss/epss_scores-2024-08-16.csv.gz":         gzipped([]byte(epssFile)),
		"kev/known_exploited_vulnerabilities.json":   []byte(kevFile),
		"cvss/scores.csv":                            []byte(scoresFile),
		"lists/bad.sha256":                           []byte(strings.Repeat("ab", 32) + "  Dropper.A\n"),
		"README.txt":                                 []byte("not a feed\n"),
		"native/secdb.json":                          []byte(`{"apkurl":"x","packages":[]}`),
		"native/rules.yar":                           []byte("rule x { condition: true }\n"),
		"broken/looks-like-json.json":                []byte(`{"id": "X"`),
		"folder/of/records/GHSA-aaaa-bbbb-cccc.json": record(t, "npm/GHSA-aaaa-bbbb-cccc.json"),
	}
	folders, err := os.ReadDir("testdata/osv")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range folders {
		files["osv/"+f.Name()+"/all.zip"] = exportOf(t, f.Name())
	}
	return files
}

// exportOf zips the hand-written records of an ecosystem.
func exportOf(t testing.TB, ecosystem string) []byte {
	t.Helper()
	entries := make(map[string][]byte)
	files, err := filepath.Glob(filepath.Join("testdata/osv", ecosystem, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no records of %s (%v)", ecosystem, err)
	}
	for _, f := range files {
		entries[filepath.Base(f)] = record(t, ecosystem+"/"+filepath.Base(f))
	}
	return zipped(entries)
}

func zipped(entries map[string][]byte) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		w, err := z.Create(name)
		if err == nil {
			_, err = w.Write(entries[name])
		}
		if err != nil {
			panic(err)
		}
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func gzipped(data []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(data); err != nil {
		panic(err)
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// folder writes files into a new folder.
func folder(t testing.TB, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func newStore(t testing.TB) *Store {
	t.Helper()
	s, err := NewStore(filepath.Join(t.TempDir(), "feeds"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustImport(t testing.TB, s *Store, inputs ...string) *Result {
	t.Helper()
	r, err := s.Import(t.Context(), ImportOptions{Inputs: inputs})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func current(t testing.TB, s *Store) *Bundle {
	t.Helper()
	b, err := s.Current()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func sourcesOf(feeds []pratique.FeedStatus) []string {
	var names []string
	for _, f := range feeds {
		names = append(names, f.Source)
	}
	return names
}

func TestImportFolder(t *testing.T) {
	s := newStore(t)
	if _, err := s.Current(); !errors.Is(err, ErrNoBundle) {
		t.Fatalf("an empty store: %v", err)
	}
	r := mustImport(t, s, folder(t, feeds(t)))
	want := []string{"cvss/scores", "epss", "hashes/bad", "kev", "nvd", "of/records", "osv/AlmaLinux", "osv/Debian", "osv/Go", "osv/PyPI", "osv/Ubuntu", "osv/crates.io", "osv/npm"}
	if got := sourcesOf(r.Feeds); !reflect.DeepEqual(got, want) {
		t.Errorf("sources %q,\n   want %q", got, want)
	}
	var ignored []string
	for _, i := range r.Ignored {
		ignored = append(ignored, filepath.Base(i.Path))
	}
	slices.Sort(ignored)
	if want := []string{"README.txt", "looks-like-json.json", "rules.yar", "secdb.json"}; !reflect.DeepEqual(ignored, want) {
		t.Errorf("ignored %q, want %q", ignored, want)
	}
	b := current(t, s)
	if b.Digest() != r.Digest || filepath.Base(r.Path) != b.Digest().Hex()+".bundle" {
		t.Errorf("digest %s in %s", b.Digest(), r.Path)
	}
	if err := b.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestAdvisories(t *testing.T) {
	s := newStore(t)
	mustImport(t, s, folder(t, feeds(t)))
	b := current(t, s)

	list, err := b.Advisories("Debian:12", "harbourmaster")
	if err != nil || len(list) != 2 {
		t.Fatalf("%d advisories, %v", len(list), err)
	}
	want := parsed(t, "Debian/CVE-2023-90001.json")
	want.Feed, want.Affected = "osv/Debian", want.Affected[:1]
	slices.Sort(want.Affected[0].Versions) // the order of single versions is not kept
	if !reflect.DeepEqual(list[0], want) {
		t.Errorf("got  %+v\nwant %+v", list[0], want)
	}
	if a := list[1]; a.ID != "DSA-9001-1" || len(a.Affected) != 1 || a.Affected[0].Name != "harbourmaster" || a.Affected[0].Versions != nil {
		t.Errorf("the second is %+v", a)
	}

	npm, err := b.Advisories("npm", "@dock/crane")
	if err != nil || len(npm) != 2 {
		t.Fatalf("%d advisories, %v", len(npm), err)
	}
	for _, a := range npm {
		if a.ID == "GHSA-aaaa-bbbb-cccc" && !reflect.DeepEqual(a.Affected, parsed(t, "npm/GHSA-aaaa-bbbb-cccc.json").Affected[:2]) {
			t.Errorf("two entries for one package became %+v", a.Affected)
		}
		if a.ID == "GHSA-dddd-eeee-ffff" && a.Withdrawn == nil {
			t.Error("a withdrawn record lost its mark")
		}
	}
	for _, spelling := range []string{"Harbour_Buoy.lib", "harbour-buoy-lib", "HARBOUR.BUOY.LIB"} {
		if list, err := b.Advisories("PyPI", spelling); err != nil || len(list) != 1 || list[0].Affected[0].Name != "Harbour_Buoy.lib" || len(list[0].Affected[0].Versions) != 4 {
			t.Errorf("%s: %d advisories, %v", spelling, len(list), err)
		}
	}
	for _, none := range []Key{{"Debian:12", "harbour"}, {"Debian:12", ""}, {"Debian:12", "zzz"}, {"Debian:9", "harbourmaster"}, {"Debian", "harbourmaster"}, {"", ""}} {
		if list, err := b.Advisories(none.Ecosystem, none.Name); err != nil || len(list) != 0 {
			t.Errorf("%v: %d advisories, %v", none, len(list), err)
		}
	}
}

func TestAnExportSpeaksForItsEcosystemAlone(t *testing.T) {
	s := newStore(t)
	mustImport(t, s, folder(t, map[string][]byte{"osv/Debian/all.zip": exportOf(t, "Debian"), "osv/npm/all.zip": exportOf(t, "npm")}))
	b := current(t, s)
	if want := []string{"Debian:11", "Debian:12", "Debian:13", "npm"}; !reflect.DeepEqual(b.Ecosystems(), want) {
		t.Errorf("ecosystems %q, want %q", b.Ecosystems(), want)
	}
	for eco, want := range map[string]bool{"Debian:12": true, "Debian": true, "npm": true, "Debian:9": false, "Alpine:v3.20": false, "Maven": false, "Deb": false, "": false} {
		if got := b.HasEcosystem(eco); got != want {
			t.Errorf("HasEcosystem(%q) = %v", eco, got)
		}
	}
}

func TestImportKeepsOtherSources(t *testing.T) {
	s := newStore(t)
	first := mustImport(t, s, folder(t, map[string][]byte{"Debian/all.zip": exportOf(t, "Debian")}))
	second := mustImport(t, s, filepath.Join(folder(t, map[string][]byte{"npm/all.zip": exportOf(t, "npm")}), "npm", "all.zip"))
	if got := sourcesOf(second.Feeds); !reflect.DeepEqual(got, []string{"osv/Debian", "osv/npm"}) {
		t.Errorf("sources %q", got)
	}
	if first.Digest == second.Digest || second.Kept != 1 {
		t.Errorf("digests %s, %s; %d kept", first.Digest, second.Digest, second.Kept)
	}
	again := mustImport(t, s, folder(t, map[string][]byte{"npm/all.zip": exportOf(t, "npm")}))
	if again.Digest != second.Digest || again.Kept != 1 {
		t.Errorf("the same feeds gave %s, then %s; %d kept", second.Digest, again.Digest, again.Kept)
	}
	back, err := s.Rollback()
	if err != nil || back.Digest != first.Digest {
		t.Fatalf("rolled back to %v, %v", back, err)
	}
	if _, err := s.Rollback(); pratique.CodeOf(err) != pratique.CodeNotFound {
		t.Errorf("a second rollback: %v", err)
	}
}

// edited returns a record with another modified date, and any other change.
func edited(t testing.TB, name, modified string, change func(map[string]any)) []byte {
	t.Helper()
	var r map[string]any
	if err := json.Unmarshal(record(t, name), &r); err != nil {
		t.Fatal(err)
	}
	r["modified"] = modified
	if change != nil {
		change(r)
	}
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestOlderSourceIsRefused(t *testing.T) {
	s := newStore(t)
	before := mustImport(t, s, folder(t, map[string][]byte{"npm/all.zip": exportOf(t, "npm"), "Go/all.zip": exportOf(t, "Go")}))
	older := folder(t, map[string][]byte{
		"npm/all.zip": zipped(map[string][]byte{"x.json": edited(t, "npm/GHSA-aaaa-bbbb-cccc.json", "2020-01-01T00:00:00Z", nil)}),
		"kev.json":    []byte(kevFile),
	})
	_, err := s.Import(t.Context(), ImportOptions{Inputs: []string{older}})
	if pratique.CodeOf(err) != pratique.CodeInvalid || !strings.Contains(err.Error(), "osv/npm is older") {
		t.Fatalf("an older import: %v", err)
	}
	if now := current(t, s); now.Digest() != before.Digest {
		t.Error("an older import changed the bundle in force")
	}
	if r, err := s.Import(t.Context(), ImportOptions{Inputs: []string{older}, AllowOlder: true}); err != nil || len(r.Imported) != 2 {
		t.Errorf("--allow-older: %v, %v", r, err)
	}
}

func TestADateInTheFutureIsNotAnAge(t *testing.T) {
	s := newStore(t)
	wrong := edited(t, "npm/GHSA-aaaa-bbbb-cccc.json", "9998-01-01T00:00:00Z", nil)
	mustImport(t, s, folder(t, map[string][]byte{"npm/all.zip": zipped(map[string][]byte{"a.json": wrong, "b.json": record(t, "npm/GHSA-dddd-eeee-ffff.json")})}))
	if newest := current(t, s).Feeds()[0].Newest; newest.Year() != 2024 {
		t.Errorf("newest is %v", newest)
	}
	mustImport(t, s, folder(t, map[string][]byte{"npm/all.zip": exportOf(t, "npm")})) // is not "older"
}

func manyRecords(t testing.TB, n int) []byte {
	entries := make(map[string][]byte)
	for i := range n {
		entries[fmt.Sprintf("%d.json", i)] = edited(t, "npm/GHSA-aaaa-bbbb-cccc.json", "2024-09-01T00:00:00Z", func(r map[string]any) {
			r["id"] = fmt.Sprintf("GHSA-%d", i)
		})
	}
	return zipped(entries)
}

func TestShrinkingSourceIsRefused(t *testing.T) {
	s := newStore(t)
	mustImport(t, s, folder(t, map[string][]byte{"npm/all.zip": manyRecords(t, 2*shrinkFloor)}))
	_, err := s.Import(t.Context(), ImportOptions{Inputs: []string{folder(t, map[string][]byte{"npm/all.zip": manyRecords(t, shrinkFloor/2)})}})
	if err == nil || !strings.Contains(err.Error(), "shrink from 400 to 100") {
		t.Errorf("an export that lost most of its records: %v", err)
	}
}

func TestCorruptInputChangesNothing(t *testing.T) {
	s := newStore(t)
	before := mustImport(t, s, folder(t, feeds(t)))
	whole := manyRecords(t, 40)
	flipped := bytes.Clone(whole)
	flipped[bytes.Index(flipped, []byte("7.json"))+40] ^= 0xff // inside that entry's data
	html := []byte("<!DOCTYPE html><title>Sign in</title>")
	for name, c := range map[string]struct {
		file, reason string
		data         []byte
	}{
		"truncated zip":    {"npm/all.zip", "all.zip", whole[:len(whole)/2]},
		"flipped bit":      {"npm/all.zip", "7.json", flipped},
		"truncated gzip":   {"epss_scores-x.csv.gz", "epss_scores-x.csv.gz", gzipped(bytes.Repeat([]byte(epssFile), 4000))[:600]},
		"truncated NVD":    {"nvdcve-2.0-2023.json", "nvdcve", []byte(nvdFile[:len(nvdFile)/2])},
		"cut after a CVE":  {"nvdcve-2.0-2023.json", "ends early", []byte(nvdFile[:strings.LastIndex(nvdFile, "]")])},
		"not a feed":       {"npm/all.zip", "recognised", html},
		"records of no id": {"npm/all.zip", "recognised", zipped(map[string][]byte{"a.json": []byte(`{"no":"id"}`)})},
		"mostly refused": {"npm/all.zip", "could be read", zipped(map[string][]byte{
			"a.json": record(t, "npm/GHSA-aaaa-bbbb-cccc.json"), "b.json": []byte("{}"), "c.json": []byte("{}")})},
		"empty EPSS": {"epss.csv", "no scores", []byte(epssHeader + "\n")},
		"empty KEV":  {"kev.json", "empty", []byte(`{"catalogVersion":"1","vulnerabilities":[]}`)},
		"no hashes":  {"x.md5", "no MD5", []byte("nothing\n")},
	} {
		_, err := s.Import(t.Context(), ImportOptions{Inputs: []string{folder(t, map[string][]byte{c.file: c.data})}, AllowOlder: true})
		var known *pratique.Error
		if !errors.As(err, &known) || known.Remedy == "" || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s: error %v (remedy %v), want one that names %q", name, err, known, c.reason)
		}
		if now := current(t, s); now.Digest() != before.Digest {
			t.Fatalf("%s changed the bundle in force", name)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(s.Dir(), "import-*")); left != nil {
		t.Errorf("left behind: %q", left)
	}
}

func TestStoppedImportChangesNothing(t *testing.T) {
	s := newStore(t)
	before := mustImport(t, s, folder(t, map[string][]byte{"Go/all.zip": exportOf(t, "Go")}))
	ctx, stop := context.WithCancel(t.Context())
	_, err := s.Import(ctx, ImportOptions{
		Inputs:   []string{folder(t, feeds(t))},
		Progress: func(string) { stop() }, // as soon as anything happens
	})
	if pratique.CodeOf(err) != pratique.CodeCancelled {
		t.Errorf("a stopped import: %v", err)
	}
	if now := current(t, s); now.Digest() != before.Digest {
		t.Error("a stopped import changed the bundle in force")
	}
}

func TestLeftoversOfAKilledImportAreRemoved(t *testing.T) {
	s := newStore(t)
	for _, name := range []string{"import-1/new-1.bundle", "import-current-2", strings.Repeat("0", 64) + ".bundle"} {
		file := filepath.Join(s.Dir(), name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte("half"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	r := mustImport(t, s, folder(t, map[string][]byte{"Go/all.zip": exportOf(t, "Go")}))
	entries, err := os.ReadDir(s.Dir())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	want := []string{r.Digest.Hex() + ".bundle", currentFile, lockFile}
	slices.Sort(want)
	if !reflect.DeepEqual(names, want) {
		t.Errorf("the store holds %q, want %q", names, want)
	}
}

func TestStoreKeepsThreeEarlierBundles(t *testing.T) {
	s := newStore(t)
	var digests []pratique.Digest
	for year := 2015; year < 2021; year++ {
		data := zipped(map[string][]byte{"a.json": edited(t, "npm/GHSA-aaaa-bbbb-cccc.json", fmt.Sprintf("%d-01-01T00:00:00Z", year), nil)})
		digests = append(digests, mustImport(t, s, folder(t, map[string][]byte{"npm/all.zip": data})).Digest)
	}
	if files, _ := filepath.Glob(filepath.Join(s.Dir(), "*.bundle")); len(files) != keptBundles {
		t.Errorf("%d bundles are kept, want %d", len(files), keptBundles)
	}
	for i := 4; i >= 2; i-- {
		if back, err := s.Rollback(); err != nil || back.Digest != digests[i] {
			t.Errorf("rolled back to %v, %v; want the import number %d", back, err, i)
		}
	}
}

func TestOneChangeAtATime(t *testing.T) {
	s := newStore(t)
	unlock, err := s.lock()
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Import(t.Context(), ImportOptions{Inputs: []string{t.TempDir()}})
	if pratique.CodeOf(err) != pratique.CodeInvalid || !strings.Contains(err.Error(), "another process") {
		t.Errorf("a second import beside the first: %v", err)
	}
	unlock()
	mustImport(t, s, folder(t, map[string][]byte{"Go/all.zip": exportOf(t, "Go")}))
}

func TestBundleStaysOpenWhileAnotherIsAdopted(t *testing.T) {
	s := newStore(t)
	mustImport(t, s, folder(t, map[string][]byte{"Debian/all.zip": exportOf(t, "Debian")}))
	old := current(t, s)
	generation, err := s.Generation()
	if err != nil {
		t.Fatal(err)
	}
	for i := range 6 { // enough to prune the old file
		data := zipped(map[string][]byte{"a.json": edited(t, "npm/GHSA-aaaa-bbbb-cccc.json", fmt.Sprintf("2020-01-0%dT00:00:00Z", i+1), nil)})
		mustImport(t, s, folder(t, map[string][]byte{"npm/all.zip": data}))
	}
	if list, err := old.Advisories("Debian:12", "harbourmaster"); err != nil || len(list) != 2 {
		t.Errorf("the old bundle: %d advisories, %v", len(list), err)
	}
	if now, err := s.Generation(); err != nil || now == generation {
		t.Errorf("the generation is still %s, %v", now, err)
	}
	old.Close()
	if _, err := old.Advisories("Debian:12", "harbourmaster"); err == nil {
		t.Error("a closed bundle answers")
	}
}

func TestDamagedStore(t *testing.T) {
	s := newStore(t)
	r := mustImport(t, s, folder(t, map[string][]byte{"Debian/all.zip": exportOf(t, "Debian")}))
	data, err := os.ReadFile(r.Path)
	if err != nil {
		t.Fatal(err)
	}
	data[headerSize+400] ^= 1 // in a segment: Open does not read it, an import must
	if err := os.WriteFile(r.Path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := current(t, s).Verify(t.Context()); pratique.CodeOf(err) != pratique.CodeCorrupt {
		t.Errorf("Verify: %v", err)
	}
	_, err = s.Import(t.Context(), ImportOptions{Inputs: []string{folder(t, map[string][]byte{"npm/all.zip": exportOf(t, "npm")})}})
	if pratique.CodeOf(err) != pratique.CodeCorrupt {
		t.Errorf("an import beside a damaged segment: %v", err)
	}
	if err := os.WriteFile(filepath.Join(s.Dir(), currentFile), []byte("../../etc/passwd\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Current(); pratique.CodeOf(err) != pratique.CodeCorrupt {
		t.Errorf("a pointer to elsewhere: %v", err)
	}
}

func TestInputs(t *testing.T) {
	npm, lines := exportOf(t, "npm"), bytes.Join([][]byte{
		compact(t, record(t, "npm/GHSA-aaaa-bbbb-cccc.json")), compact(t, record(t, "npm/GHSA-dddd-eeee-ffff.json")),
	}, []byte("\n"))
	tree := zipped(map[string][]byte{
		"feeds/osv/npm/all.zip":          npm,
		"feeds/epss_scores.csv.gz":       gzipped([]byte(epssFile)),
		"feeds/osv/Go/GO-2024-9001.json": record(t, "Go/GO-2024-9001.json"),
		"feeds/notes.txt":                []byte("hello"),
	})
	for name, c := range map[string]struct {
		file string
		data []byte
		want []string
	}{
		"zip by its folder":     {"npm/all.zip", npm, []string{"osv/npm"}},
		"zip by its name":       {"feeds/npm.zip", npm, []string{"feeds/npm"}},
		"one record":            {"mine.json", record(t, "npm/GHSA-aaaa-bbbb-cccc.json"), []string{"osv/mine"}},
		"a record a line":       {"mine.ndjson", lines, []string{"osv/mine"}},
		"the same, gzip'd":      {"mine.jsonl.gz", gzipped(lines), []string{"osv/mine"}},
		"a zipped NVD feed":     {"nvdcve-2.0-2023.json.zip", zipped(map[string][]byte{"nvdcve-2.0-2023.json": []byte(nvdFile)}), []string{"nvd"}},
		"a zip of a whole tree": {"mirror.zip", tree, []string{"epss", "osv/Go", "osv/npm"}},
	} {
		s := newStore(t)
		input := filepath.Join(folder(t, map[string][]byte{c.file: c.data}), c.file)
		if strings.HasPrefix(c.file, "feeds/") || strings.HasPrefix(c.file, "mine.nd") || strings.HasPrefix(c.file, "mine.jsonl") {
			input = strings.TrimSuffix(input, "/"+c.file)
		}
		r, err := s.Import(t.Context(), ImportOptions{Inputs: []string{input}})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := sourcesOf(r.Feeds); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: sources %q, want %q", name, got, c.want)
		}
	}
}

func compact(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, data); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestImportBundle(t *testing.T) {
	connected, isolated := newStore(t), newStore(t)
	there := mustImport(t, connected, folder(t, feeds(t)))
	here := mustImport(t, isolated, there.Path)
	if here.Digest != there.Digest {
		t.Errorf("a bundle taken elsewhere has another digest")
	}
	if _, err := isolated.Import(t.Context(), ImportOptions{Inputs: []string{folder(t, map[string][]byte{
		"x.bundle": []byte(bundleMagic + strings.Repeat("x", 100))})}}); pratique.CodeOf(err) != pratique.CodeUnsupported {
		t.Errorf("half a bundle: %v", err)
	}
}

func TestNothingToImport(t *testing.T) {
	s := newStore(t)
	if _, err := s.Import(t.Context(), ImportOptions{Inputs: []string{"/does/not/exist"}}); pratique.CodeOf(err) != pratique.CodeNotFound {
		t.Errorf("a missing file: %v", err)
	}
	if _, err := s.Import(t.Context(), ImportOptions{Inputs: []string{t.TempDir()}}); pratique.CodeOf(err) != pratique.CodeInvalid {
		t.Errorf("an empty folder: %v", err)
	}
}

func TestDelta(t *testing.T) {
	s := newStore(t)
	mustImport(t, s, folder(t, map[string][]byte{"Debian/all.zip": exportOf(t, "Debian"), "npm/all.zip": exportOf(t, "npm"), "Go/all.zip": exportOf(t, "Go")}))
	old := current(t, s)
	if d := Delta(old, old); len(d) != 0 {
		t.Errorf("a bundle differs from itself in %v", d)
	}
	// One record gets a new text, one package of a record is gone, one is new.
	mustImport(t, s, folder(t, map[string][]byte{
		"npm/all.zip": zipped(map[string][]byte{
			"a.json": edited(t, "npm/GHSA-aaaa-bbbb-cccc.json", "2024-10-01T00:00:00Z", nil),
			"b.json": record(t, "npm/GHSA-dddd-eeee-ffff.json"),
			"c.json": edited(t, "npm/GHSA-aaaa-bbbb-cccc.json", "2024-10-01T00:00:00Z", func(r map[string]any) {
				r["id"] = "GHSA-new"
				r["affected"] = []any{map[string]any{"package": map[string]any{"ecosystem": "npm", "name": "anchor"}, "versions": []string{"1.0.0"}}}
			}),
		}),
		"Debian/all.zip": zipped(map[string][]byte{
			"a.json": record(t, "Debian/CVE-2023-90001.json"),
			"b.json": edited(t, "Debian/DSA-9001-1.json", "2024-10-01T00:00:00Z", func(r map[string]any) {
				r["affected"] = r["affected"].([]any)[:1]
			}),
		}),
	}))
	changed := current(t, s)
	want := []Key{{"Debian:11", "quay-tools"}, {"Debian:12", "harbourmaster"}, {"npm", "@dock/crane"}, {"npm", "anchor"}}
	if got := Delta(old, changed); !reflect.DeepEqual(got, want) {
		t.Errorf("delta %v,\n want %v", got, want)
	}
	if got := Delta(changed, old); !reflect.DeepEqual(got, want) {
		t.Errorf("the way back is %v,\n want %v", got, want)
	}
	all := []Key{{"Debian:11", "quay-tools"}, {"Debian:12", "harbourmaster"}, {"Debian:13", "harbourmaster"}, {"Go", "example.org/mooring"}, {"npm", "@dock/crane"}}
	if got := Delta(nil, old); !reflect.DeepEqual(got, all) {
		t.Errorf("from nothing: %v,\n want %v", got, all)
	}
}

func TestNewerOfTwoSourcesWins(t *testing.T) {
	s := newStore(t)
	newer := edited(t, "Debian/DSA-9001-1.json", "2024-11-01T00:00:00Z", func(r map[string]any) { r["summary"] = "again" })
	mustImport(t, s, folder(t, map[string][]byte{
		"osv/Debian/all.zip":     exportOf(t, "Debian"),
		"derived/Debian/all.zip": zipped(map[string][]byte{"a.json": newer}),
	}))
	list, err := current(t, s).Advisories("Debian:12", "harbourmaster")
	if err != nil || len(list) != 2 {
		t.Fatalf("%d advisories, %v", len(list), err)
	}
	for _, a := range list {
		if a.ID == "DSA-9001-1" && (a.Summary != "again" || a.Feed != "derived/Debian") {
			t.Errorf("%s of %s has the summary %q", a.ID, a.Feed, a.Summary)
		}
	}
}

func TestFeedStatus(t *testing.T) {
	s := newStore(t)
	at := time.Date(2024, 12, 24, 12, 0, 0, 0, time.UTC)
	_, err := s.Import(t.Context(), ImportOptions{Inputs: []string{folder(t, map[string][]byte{
		"AlmaLinux/all.zip": exportOf(t, "AlmaLinux"), "nvdcve-2.0-2023.json": []byte(nvdFile), "nvdcve-2.0-2022.json": []byte(nvdFile),
	})}, now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	feeds := current(t, s).Feeds()
	if len(feeds) != 2 || feeds[0].Source != "nvd" || feeds[0].Records != 4 || !feeds[0].Fetched.Equal(at) || len(feeds[0].Holes) == 0 {
		t.Fatalf("feeds %+v", feeds)
	}
	if f := feeds[1]; f.Records != 1 || f.Newest.Format(time.DateOnly) != "2024-06-01" || !strings.Contains(strings.Join(f.Holes, " "), "unfixed ones are not known") {
		t.Errorf("AlmaLinux: %+v", f)
	}
	if built := current(t, s).Built(); !built.Equal(at) {
		t.Errorf("built %v", built)
	}
}
