package api

import "regexp"

// credentialForms are the shapes in which credentials stray into texts: in a
// URL's user part, in a header, as a parameter.
var credentialForms = []struct {
	form *regexp.Regexp
	with string
}{
	{regexp.MustCompile(`([a-zA-Z][a-zA-Z0-9+.-]*://)[^\s/@"']*@`), "${1}[redacted]@"},
	{regexp.MustCompile(`(?i)\b(basic|bearer)\s+[a-z0-9._~+/=-]{6,}`), "${1} [redacted]"},
	{regexp.MustCompile(`(?i)\b([a-z_-]*(?:password|passwd|secret|token|api[_-]?key)["']?\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s,;&"']+)`), "${1}[redacted]"},
}

// redact hides what looks like a credential.
func redact(s string) string {
	for _, c := range credentialForms {
		s = c.form.ReplaceAllString(s, c.with)
	}
	return s
}
