package policy_test

import (
	"strings"
	"testing"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/policy"
)

func TestMalwareAllow(t *testing.T) {
	digest := strings.Repeat("a1", 32)
	allow, err := policy.ParseMalwareAllow(strings.NewReader(`
# a comment
rule:Hacktool_* path:opt/pentest/**  used in exercises, see SEC-12: all of them
sha256:`+strings.ToUpper(digest)+`
path:/srv/*.sh
family:packed path:**/bin/tool?
md5:0123456789abcdef0123456789abcdef
`), "allow.txt")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		m    pratique.Malware
		want string
	}{
		"rule and path":       {pratique.Malware{Name: "Hacktool_PEASS", Path: "opt/pentest/a/b.sh"}, "allowed by allow.txt, line 3: used in exercises, see SEC-12: all of them"},
		"rule, other path":    {pratique.Malware{Name: "Hacktool_PEASS", Path: "opt/b.sh"}, ""},
		"path, other rule":    {pratique.Malware{Name: "Miner", Path: "opt/pentest/b.sh"}, ""},
		"digest":              {pratique.Malware{Name: "x", SHA256: digest}, "allowed by allow.txt, line 4"},
		"other digest":        {pratique.Malware{Name: "x", SHA256: strings.Repeat("b", 64)}, ""},
		"path":                {pratique.Malware{Path: "srv/x.sh"}, "allowed by allow.txt, line 5"},
		"a folder deeper":     {pratique.Malware{Path: "srv/y/x.sh"}, ""},
		"family":              {pratique.Malware{Family: "packed", Path: "usr/local/bin/tool1"}, "allowed by allow.txt, line 6"},
		"another family":      {pratique.Malware{Family: "miner", Path: "usr/local/bin/tool1"}, ""},
		"no digest is no hit": {pratique.Malware{Path: "x"}, ""},
	} {
		if got := allow.Reason(&c.m); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	var none *policy.MalwareAllow
	if got := none.Reason(&pratique.Malware{Path: "x"}); got != "" {
		t.Errorf("without a list: %q", got)
	}
	for _, bad := range []string{"just words", "sha256:12 x", "md5:zz", "path:", "rule:[", "colour:red"} {
		if _, err := policy.ParseMalwareAllow(strings.NewReader("# first\n"+bad), "l"); pratique.CodeOf(err) != pratique.CodeInvalid || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func FuzzMalwareAllow(f *testing.F) {
	f.Add("rule:a* path:**/b** why", "x/b/c")
	f.Add("path:[a-", "")
	f.Fuzz(func(t *testing.T, text, path string) {
		if len(text)+len(path) > 200 || strings.Count(text, "**") > 4 {
			return // what an owner writes, not what an attacker sends
		}
		allow, err := policy.ParseMalwareAllow(strings.NewReader(text), "f")
		if err == nil {
			allow.Reason(&pratique.Malware{Path: path, Name: path})
		}
	})
}
