package distribution

import (
	"strings"
	"testing"

	"github.com/pratique/pratique"
)

const someDigest = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

func TestParseReference(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"debian", "docker.io/library/debian:latest"},
		{"debian:12", "docker.io/library/debian:12"},
		{"team/app", "docker.io/team/app:latest"},
		{"index.docker.io/team/app:1", "docker.io/team/app:1"},
		{"localhost/x", "localhost/x:latest"},
		{"localhost:5000/x", "localhost:5000/x:latest"},
		{"registry:5000/a/b/c:v1.2_3-x", "registry:5000/a/b/c:v1.2_3-x"},
		{"[::1]:5000/x:1", "[::1]:5000/x:1"},
		{"ghcr.io/a/b@" + someDigest, "ghcr.io/a/b@" + someDigest},
		{"ghcr.io/a/b:1@" + someDigest, "ghcr.io/a/b:1@" + someDigest},
		{"a.b/x__y--z.w", "a.b/x__y--z.w:latest"},
	} {
		ref, err := ParseReference(c.in)
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		if ref.String() != c.want {
			t.Errorf("%s: got %s, want %s", c.in, ref, c.want)
		}
	}
	for _, bad := range []string{
		"", "Debian", "a b", "-x", "x:", "x:tag with space", "host:99999999/x", "ghcr.io/", "x@sha256:12",
		"x@md5:aa", "../etc/passwd", "a//b", "/abs", "https://ghcr.io/a/b", strings.Repeat("a", 600), "a.b/" + strings.Repeat("a", 300), "x\n:1", "é/x",
	} {
		ref, err := ParseReference(bad)
		if err == nil {
			t.Errorf("%q was taken for %s", bad, ref)
			continue
		}
		wantError(t, err, pratique.CodeInvalid, "")
	}
}

func TestReferenceNeverRepeatsAPassword(t *testing.T) {
	for _, s := range []string{"https://me:hunter22@ghcr.io/a/b", "me:hunter22@ghcr.io/a/b:1"} {
		_, err := ParseReference(s)
		wantError(t, err, pratique.CodeInvalid, "password")
		if strings.Contains(err.Error(), "hunter22") {
			t.Errorf("%v", err)
		}
	}
}

func FuzzParseReference(f *testing.F) {
	for _, s := range []string{"debian", "localhost:5000/x@" + someDigest, "a.b:1/c/d:e", "[::1]/x", "https://u:p@h/x", "a@b:c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ref, err := ParseReference(s)
		if err != nil {
			return
		}
		again, err := ParseReference(ref.String())
		if err != nil || again != ref {
			t.Fatalf("%q → %q → %q, %v", s, ref, again, err)
		}
		if _, err := New(ref.Host, Options{}); err != nil {
			t.Fatalf("%q: host %q is refused: %v", s, ref.Host, err)
		}
	})
}

// wantError checks that err may be shown: a code, one line, a remedy.
func wantError(t *testing.T, err error, code pratique.Code, part string) {
	t.Helper()
	e, ok := err.(*pratique.Error)
	switch {
	case err == nil:
		t.Fatalf("no error, want %s", code)
	case !ok:
		t.Fatalf("%v is a %T", err, err)
	case e.Code != code:
		t.Errorf("%q has code %s, want %s", e.Message, e.Code, code)
	case strings.ContainsAny(e.Message+e.Remedy, "\n\r") || e.Message == "":
		t.Errorf("%q is not one line", e.Message)
	case e.Remedy == "" && code != pratique.CodeCancelled:
		t.Errorf("%q has no remedy", e.Message)
	case !strings.Contains(e.Message+" "+e.Remedy, part):
		t.Errorf("%q; %q lacks %q", e.Message, e.Remedy, part)
	}
}
