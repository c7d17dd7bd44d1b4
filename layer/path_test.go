package layer

import (
	"path"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/pratique/pratique"
)

func FuzzCleanPath(f *testing.F) {
	for _, name := range []string{"etc/passwd", "./a", "/a//b/", "../x", "a/../../b", ".", "", "..", "...", "a!/b", "\xff", "a/./b", "!//!/"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		clean, ok := cleanPath(name)
		if !ok {
			return
		}
		if path.IsAbs(clean) || clean == ".." || strings.HasPrefix(clean, "../") || path.Clean(clean) != clean {
			t.Errorf("cleanPath(%q) = %q", name, clean)
		}
		if !utf8.ValidString(clean) || strings.Contains(clean, pratique.NestedSeparator) {
			t.Errorf("cleanPath(%q) = %q", name, clean)
		}
		if again, ok := cleanPath(clean); !ok || again != clean {
			t.Errorf("cleanPath(%q) = %q, and then %q", name, clean, again)
		}
	})
}
