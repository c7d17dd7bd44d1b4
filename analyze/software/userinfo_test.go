package software

import "testing"

func TestStripUserinfo(t *testing.T) {
	for in, want := range map[string]string{
		"git+https://bot:pa55@git.corp.io/left.git":                      "git+https://git.corp.io/left.git",
		"git+https://t0ken@git.corp.io/left.git#0":                       "git+https://git.corp.io/left.git#0",
		"git+ssh://git@github.com/x/y.git":                               "git+ssh://git@github.com/x/y.git",
		"pkg:git/left@git%2Bhttps:%2F%2Fbot:pa55%40git.corp.io%2Fleft":   "pkg:git/left@git%2Bhttps:%2F%2Fgit.corp.io%2Fleft",
		"pkg:git/left@git%2Bhttps%3A%2F%2Fbot%3Apa55@git.corp.io%2Fleft": "pkg:git/left@git%2Bhttps%3A%2F%2Fgit.corp.io%2Fleft",
		"pkg:npm/x@https:%2F%2Fnpm.example.org%2F%40scope%2Fx":           "pkg:npm/x@https:%2F%2Fnpm.example.org%2F%40scope%2Fx",
		"https://npm.example.org/@scope/x":                               "https://npm.example.org/@scope/x",
		"1.2.3":                                                          "1.2.3",
	} {
		if got := stripUserinfo(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}
