//go:build accuracy

package e2e

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestPlantedSecretsBesideGitleaks scores gitleaks on the same set: as it comes,
// and told to read archives. Ours must find more and cry less.
func TestPlantedSecretsBesideGitleaks(t *testing.T) {
	s := plant(t)
	bin := t.TempDir()
	install := exec.Command("go", "install", "github.com/zricethezav/gitleaks/v8@v8.30.1")
	install.Env = append(os.Environ(), "GOBIN="+bin, "CGO_ENABLED=0")
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("gitleaks does not install: %v\n%s", err, out)
	}
	report, out := s.scan(t, invocation{})
	ours := s.score(unsuppressed(report))
	s.log(t, "pratique", ours)
	t.Logf("pratique took %s", out.took)
	for who, args := range map[string][]string{"gitleaks": nil, "gitleaks with archives": {"--max-archive-depth", "3"}} {
		theirs := s.score(s.gitleaks(t, filepath.Join(bin, "gitleaks"), args...))
		s.log(t, who, theirs)
		if s.recall(ours) <= s.recall(theirs) {
			t.Errorf("recall %.3f, of %s %.3f", s.recall(ours), who, s.recall(theirs))
		}
		if ours.cries > theirs.cries {
			t.Errorf("%d false alarms, of %s %d", ours.cries, who, theirs.cries)
		}
	}
}

func (s plantedSet) gitleaks(t *testing.T, program string, args ...string) []hit {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.json")
	cmd := exec.Command(program, append([]string{"dir", s.dir, "--no-banner", "--report-format", "json", "--report-path", file}, args...)...)
	cmd.Dir = t.TempDir() // no configuration of ours
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1) { // 1: it found some
		t.Fatalf("gitleaks: %v\n%s", err, out)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var found []struct {
		File, RuleID string
		StartLine    int
	}
	if err := json.Unmarshal(data, &found); err != nil {
		t.Fatal(err)
	}
	hits := make([]hit, len(found))
	for i, f := range found {
		name, err := filepath.Rel(s.dir, f.File)
		if err != nil {
			t.Fatal(err)
		}
		hits[i] = hit{name, f.RuleID, f.StartLine}
	}
	return hits
}
