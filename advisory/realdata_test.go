//go:build accuracy

package advisory

import (
	"bytes"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
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
