package testrules_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pratique/pratique/analyze/malware/yara"
	"github.com/pratique/pratique/internal/testrules"
)

// Both engines load all of the rules: a comparison would be of no use otherwise.
func TestBothLoad(t *testing.T) {
	const n = 500
	text := testrules.Write(n)
	if !strings.HasPrefix(testrules.Write(n+1), text) {
		t.Error("more rules are other rules")
	}
	rules, refused := yara.Compile([]yara.Source{{Name: "made.yar", Text: []byte(text)}}, yara.Options{})
	if rules.Len() != n || len(refused) > 0 {
		t.Errorf("%d rules, refused: %v", rules.Len(), refused)
	}
	name := filepath.Join(t.TempDir(), "made.yar")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("yara", "-w", name, name).CombinedOutput(); err != nil || strings.Contains(string(out), "error") {
		t.Errorf("yara: %v: %s", err, out)
	}
}
