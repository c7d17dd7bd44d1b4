//go:build accuracy

package advisory

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pratique/pratique"
)

// TestRealFeeds compiles the feeds in the folder that PRATIQUE_DATA names and
// prints what a maintainer wants to watch: time, size, memory, look-ups.
// Run it with `go test -tags accuracy -v ./advisory`.
func TestRealFeeds(t *testing.T) {
	data := os.Getenv("PRATIQUE_DATA")
	if data == "" {
		t.Fatal("PRATIQUE_DATA names no folder of feeds")
	}
	store, err := NewStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	result, err := store.Import(t.Context(), ImportOptions{Inputs: []string{data}, Progress: func(line string) {
		t.Logf("%6.1fs %s", time.Since(start).Seconds(), line)
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("built in %s: %d MB, peak RSS %s, %d ignored", time.Since(start).Round(time.Millisecond), result.Size>>20, peakRSS(), len(result.Ignored))
	for _, f := range result.Feeds {
		t.Logf("%-20s %7d records, newest %s, refused %d", f.Source, f.Records, f.Newest.Format(time.DateOnly), f.Refused)
	}

	start = time.Now()
	b, err := store.Current()
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	t.Logf("opened in %s", time.Since(start))
	measureLookups(t, b)
	start = time.Now()
	t.Logf("delta from nothing: %d keys in %s", len(Delta(nil, b)), time.Since(start))
	for _, zip := range exports(t, data) {
		checkAgainst(t, b, zip)
	}
}

func exports(t *testing.T, data string) []string {
	list, err := filepath.Glob(filepath.Join(data, "osv", "*", "all.zip"))
	if err != nil || len(list) == 0 {
		t.Fatalf("no exports in %s (%v)", data, err)
	}
	return list
}

// contents is what one record says of one package: one line for each of its
// entries, with every event and every single version.
type contents map[string]bool

func line(events string, versions []string) string {
	versions = slices.Clone(versions)
	slices.Sort(versions)
	return events + strings.Join(slices.Compact(versions), ",")
}

// checkAgainst reads an export with nothing but encoding/json, and compares every
// package of its ecosystem with what the bundle says.
func checkAgainst(t *testing.T, b *Bundle, file string) {
	ecosystem := filepath.Base(filepath.Dir(file))
	want := make(map[Key]map[string]contents)
	eachRecord(t, file, func(r *plainRecord) {
		for _, a := range r.Affected {
			events := a.events()
			if family(a.Package.Ecosystem) != ecosystem || events == "" && len(a.Versions) == 0 {
				continue
			}
			key := Key{a.Package.Ecosystem, Normalize(a.Package.Ecosystem, a.Package.Name)}
			if want[key] == nil {
				want[key] = make(map[string]contents)
			}
			if want[key][r.ID] == nil {
				want[key][r.ID] = make(contents)
			}
			want[key][r.ID][line(events, a.Versions)] = true
		}
	})
	wrong := 0
	for key, records := range want {
		list, err := b.Advisories(key.Ecosystem, key.Name)
		if err != nil {
			t.Fatal(err)
		}
		got := make(map[string]contents)
		for _, a := range list {
			if a.Feed == "osv/"+ecosystem {
				got[a.ID] = contentsOf(a)
			}
		}
		if !reflect.DeepEqual(got, records) {
			if wrong++; wrong < 5 {
				t.Errorf("%v: the bundle says otherwise than the export", key)
			}
		}
	}
	t.Logf("%s: %d packages compared, %d differ", ecosystem, len(want), wrong)
}

func contentsOf(a *pratique.Advisory) contents {
	c := make(contents)
	for _, affected := range a.Affected {
		var events strings.Builder
		for _, r := range affected.Ranges {
			for _, e := range r.Events {
				events.WriteString(e.Introduced + "|" + e.Fixed + "|" + e.LastAffected + "|" + e.Limit + ";")
			}
		}
		c[line(events.String(), affected.Versions)] = true
	}
	return c
}

type plainRecord struct {
	ID       string
	Affected []plainAffected
}

type plainAffected struct {
	Package struct{ Ecosystem, Name string }
	Ranges  []struct {
		Type   string
		Events []struct {
			Introduced, Fixed, Limit string
			LastAffected             string `json:"last_affected"`
		}
	}
	Versions []string
}

func (a *plainAffected) events() string {
	var b strings.Builder
	for _, r := range a.Ranges {
		if r.Type == "GIT" {
			continue
		}
		for _, e := range r.Events {
			b.WriteString(e.Introduced + "|" + e.Fixed + "|" + e.LastAffected + "|" + e.Limit + ";")
		}
	}
	return b.String()
}

func eachRecord(t *testing.T, file string, see func(*plainRecord)) {
	z, err := zip.OpenReader(file)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		var rec plainRecord
		if err := json.NewDecoder(r).Decode(&rec); err != nil {
			t.Fatal(err)
		}
		r.Close()
		see(&rec)
	}
}

func measureLookups(t *testing.T, b *Bundle) {
	for _, s := range b.advisories {
		r := s.ecosystem("Debian:11")
		if r.count < 300 {
			continue
		}
		var names []string
		for i := 0; i < r.count && len(names) < 300; i += max(1, r.count/300) {
			names = append(names, string(s.key(r.first+i)))
		}
		names = append(names, "linux", "openssl", "glibc", "curl")
		runtime.GC()
		start, advisories, cves := time.Now(), 0, map[string]bool{}
		for _, n := range names {
			list, err := b.Advisories("Debian:11", n)
			if err != nil {
				t.Fatal(err)
			}
			advisories += len(list)
			for _, a := range list {
				if strings.HasPrefix(a.ID, "CVE-") {
					cves[a.ID] = true
				}
			}
		}
		t.Logf("%d packages of Debian:11: %d advisories in %s", len(names), advisories, time.Since(start))
		start = time.Now()
		for id := range cves {
			if _, err := b.CVE(id); err != nil {
				t.Fatal(err)
			}
		}
		t.Logf("%d CVEs in %s", len(cves), time.Since(start))
		return
	}
	t.Error("no source has Debian:11")
}

func peakRSS() string {
	status, _ := os.ReadFile("/proc/self/status")
	_, rest, _ := bytes.Cut(status, []byte("VmHWM:"))
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	return strings.TrimSpace(string(line))
}
