package service

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/pratique/pratique"
)

// The command line, which has no service behind it, finds in images of the estate
// what the model says: a difference that only the service's tests show is the
// service's.
func TestCommandLineAgreesWithModel(t *testing.T) {
	e := theEstate(t)
	dir := t.TempDir()
	run := func(args ...string) []byte {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), binary, args...)
		cmd.Env = append(os.Environ(), "HOME="+dir, "PRATIQUE_CACHE="+filepath.Join(dir, "cache"), "PRATIQUE_FEEDS="+filepath.Join(dir, "bundle"))
		out, err := cmd.Output()
		if err != nil && cmd.ProcessState.ExitCode() != 3 {
			t.Fatalf("%v: %v: %v", args, err, err)
		}
		return out
	}
	for _, publisher := range publishers(e.advisories) {
		export, err := osv(e.advisories, publisher, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Join(dir, "feeds/osv", publisher, "all.zip"), export)
	}
	run("feed", "import", filepath.Join(dir, "feeds"))
	for _, i := range []int{0, 3, 4, 6, 7, 12, 18, 24, 25, 36, 40, len(e.contents) - 1} {
		c := e.contents[i]
		layout := t.TempDir()
		if err := c.WriteLayout(layout); err != nil {
			t.Fatal(err)
		}
		var r pratique.Report
		if err := json.Unmarshal(run("scan", layout, "--quiet", "--format", "json"), &r); err != nil {
			t.Fatal(err)
		}
		got := pratique.Counters{Packages: len(r.Packages), Malware: pratique.BySeverity{High: len(r.Malware)}}
		for _, f := range r.Vulnerabilities {
			*got.Vulnerabilities.Of(f.Severity)++
		}
		for _, s := range r.Secrets {
			if s.Suppressed == "" { // the real Debian has an example in a header file
				*got.Secrets.Of(s.Severity)++
			}
		}
		want := e.counters(c)
		if got.Vulnerabilities != want.Vulnerabilities || got.Secrets != want.Secrets || got.Malware != want.Malware || got.Packages != want.Packages {
			t.Errorf("image %d: %+v, want %+v\n%v\n%v", i, got, want, r.Coverage, r.Secrets)
		}
	}
}

func writeFile(t testing.TB, name string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, content, 0o644); err != nil {
		t.Fatal(err)
	}
}
