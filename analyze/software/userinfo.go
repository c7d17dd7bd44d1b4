package software

import (
	"regexp"
	"strings"

	"github.com/pratique/pratique"
)

// userinfo is the part of a URL between "//" and "@" (RFC 3986, section 3.2.1),
// in plain or as package URLs escape it.
var userinfo = regexp.MustCompile(`(?i)((?::|%3a)(?:/|%2f){2})((?:[^/@%\s?#]|%(?:[^24]|2[^f]|4[^0]))+)(?:@|%40)`)

// withoutUserinfo takes the names and passwords out of URLs that lock files give
// as versions and sources: facts never hold a credential. "git@" is none.
func withoutUserinfo(p *pratique.Package) {
	fields := []*string{&p.Name, &p.Version, &p.PURL}
	if p.Source != nil {
		fields = append(fields, &p.Source.Name, &p.Source.Version)
	}
	for i := range p.Licenses {
		fields = append(fields, &p.Licenses[i])
	}
	for _, field := range fields {
		if strings.Contains(*field, "//") || strings.Contains(*field, "%2") {
			*field = stripUserinfo(*field)
		}
	}
}

func stripUserinfo(s string) string {
	return userinfo.ReplaceAllStringFunc(s, func(match string) string {
		parts := userinfo.FindStringSubmatch(match)
		if parts[2] == "git" {
			return match
		}
		return parts[1]
	})
}
