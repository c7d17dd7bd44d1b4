package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/advisory"
)

// feed runs "pratique feed ARGS" on a store of its own.
func feed(t *testing.T, store string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := newFeedCommand()
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetOut(&out)
	cmd.SetErr(&errs)
	cmd.SetArgs(append(args, "--feeds", store))
	err = cmd.ExecuteContext(t.Context())
	return out.String(), errs.String(), err
}

func writeFile(t *testing.T, path, content string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

const kevSample = `{"title":"x","catalogVersion":"2024.08.07","dateReleased":"2024-08-07T16:45:47Z","vulnerabilities":[
	{"cveID":"CVE-2023-90001","vulnerabilityName":"Harbourmaster","dateAdded":"2024-08-07","knownRansomwareCampaignUse":"Known"}]}`

func TestFeedCommands(t *testing.T) {
	dir := t.TempDir()
	store := filepath.Join(dir, "store")
	if _, _, err := feed(t, store, "status"); pratique.CodeOf(err) != pratique.CodeNotFound || !strings.Contains(errorLine(err), "feed update") {
		t.Errorf("status of nothing: %v", err)
	}
	writeFile(t, filepath.Join(dir, "in", "kev.json"), kevSample)
	writeFile(t, filepath.Join(dir, "in", "notes.txt"), "hello")
	out, progress, err := feed(t, store, "import", filepath.Join(dir, "in"))
	if err != nil || !strings.Contains(out, "1 sources, 1 of them new") || !strings.Contains(out, "notes.txt: not recognised") || !strings.Contains(progress, "read kev: 1 records") {
		t.Errorf("import: %v\n%s%s", err, out, progress)
	}
	hashes := writeFile(t, filepath.Join(dir, "bad.txt"), strings.Repeat("ab", 32)+" Dropper\n")
	if _, progress, err = feed(t, store, "import", "--hashes", "--quiet", hashes); err != nil || progress != "" {
		t.Errorf("import of hashes: %v\n%s", err, progress)
	}

	out, _, err = feed(t, store, "status")
	if err != nil || !strings.Contains(out, "hashes/bad") || !strings.Contains(out, "2024-08-07") || !strings.Contains(out, "What these sources do not tell:") {
		t.Errorf("status: %v\n%s", err, out)
	}
	out, _, err = feed(t, store, "status", "--format", "json")
	var status advisory.Status
	if err != nil || json.Unmarshal([]byte(out), &status) != nil || len(status.Feeds) != 2 || status.Kept != 1 || status.Feeds[1].Records != 1 {
		t.Errorf("status as JSON: %v\n%s", err, out)
	}

	if out, _, err = feed(t, store, "rollback"); err != nil || !strings.Contains(out, "In force again") {
		t.Errorf("rollback: %v\n%s", err, out)
	}
	if _, _, err := feed(t, store, "rollback"); pratique.CodeOf(err) != pratique.CodeNotFound {
		t.Errorf("rollback of the first: %v", err)
	}
}

func TestFeedCommandRefuses(t *testing.T) {
	store := t.TempDir()
	for _, args := range [][]string{
		{"import"}, {"import", "/does/not/exist"}, {"status", "--format", "xml"}, {"update", "--mirror", "nonsense"}, {"update", "--ecosystem", "Atlantis"},
	} {
		_, _, err := feed(t, store, args...)
		if code := pratique.CodeOf(err); code != pratique.CodeInvalid && code != pratique.CodeNotFound {
			t.Errorf("%q: %v", args, err)
		}
	}
}

func TestIgnoredFilesAreSummedUp(t *testing.T) {
	var many []advisory.Ignored
	for i := range 600 {
		many = append(many, advisory.Ignored{Path: filepath.Join("/data", string(rune('a'+i%3)), string(rune('a'+i%20)), "file"), Reason: "x"})
	}
	for i := range 20 { // relative folders and the root cannot be joined for ever
		many = append(many, advisory.Ignored{Path: filepath.Join(string(rune('a'+i)), "file"), Reason: "x"}, advisory.Ignored{Path: "/file", Reason: "x"})
	}
	var b strings.Builder
	printIgnored(&b, many)
	if n := strings.Count(b.String(), "\n"); n > 25 || !strings.Contains(b.String(), "620 files") {
		t.Errorf("%d lines:\n%s", n, b.String())
	}
}
