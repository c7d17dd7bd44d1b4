package testimage

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// AptSources returns this machine's own release, a Debian's or an Ubuntu's, and
// where it gets its packages, as lines of a sources.list: what mmdebstrap needs to
// make another one. The lines are empty on a machine without an index yet; then
// mmdebstrap knows the usual place.
func AptSources() (suite, sources string, err error) {
	release, err := os.ReadFile("/etc/os-release")
	if err != nil {
		return "", "", err
	}
	for line := range strings.Lines(string(release)) {
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), "VERSION_CODENAME="); ok {
			suite = strings.Trim(v, `"`)
		}
	}
	if suite == "" {
		return "", "", fmt.Errorf("/etc/os-release names no VERSION_CODENAME: these tests want Debian or Ubuntu")
	}
	var stderr bytes.Buffer
	list := exec.Command("apt-get", "indextargets", "--format", "$(ORIGIN) deb $(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages")
	list.Stderr = &stderr
	out, err := list.Output()
	if err != nil {
		return "", "", fmt.Errorf("apt-get indextargets: %w: %s", err, stderr.String())
	}
	for line := range strings.Lines(string(out)) {
		origin, source, _ := strings.Cut(line, " ")
		if (origin == "Debian" || origin == "Ubuntu") && !strings.Contains(sources, source) {
			sources += source
		}
	}
	return suite, sources, nil
}
