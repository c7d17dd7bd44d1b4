package policy

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/pratique/pratique"
)

// MalwareAllow says which findings of malware do not count, and why. It is
// written as a file of lines:
//
//	# the tools of the security team
//	rule:Hacktool_* path:opt/pentest/**   used in our exercises, see SEC-12
//	sha256:275a021b…fd0f                  the EICAR file of our own tests
//
// A line allows what fits all of its conditions; what follows them is the reason,
// which the report shows. Conditions are sha256:, sha1: and md5: with a digest,
// path: with a pattern, rule: with a pattern of the name that an engine gives, and
// family: with a family. In a pattern, * stands for anything but a slash, ** for
// anything, ? for one character; a path begins without a slash.
type MalwareAllow struct{ lines []allowLine }

type allowLine struct {
	conditions []condition
	reason     string
}

type condition struct{ kind, value string }

// maxAllowLine bounds a line, in bytes.
const maxAllowLine = 64 << 10

// ParseMalwareAllow reads an allow list. name is what reports call it.
func ParseMalwareAllow(r io.Reader, name string) (*MalwareAllow, error) {
	allow := &MalwareAllow{}
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 4<<10), maxAllowLine)
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" || text[0] == '#' {
			continue
		}
		l, err := parseAllow(text)
		if err != nil {
			return nil, pratique.Errorf(pratique.CodeInvalid, "%s, line %d: %v", name, n, err).
				WithRemedy("write lines such as: rule:Hacktool_* path:opt/tools/** REASON; see docs/malware.md")
		}
		place := fmt.Sprintf("allowed by %s, line %d", name, n)
		if l.reason != "" {
			place += ": " + l.reason
		}
		l.reason = place
		allow.lines = append(allow.lines, l)
	}
	if err := lines.Err(); err != nil {
		return nil, pratique.Errorf(pratique.CodeInvalid, "%s cannot be read: %w", name, err).WithRemedy("check the file")
	}
	return allow, nil
}

func parseAllow(text string) (allowLine, error) {
	var l allowLine
	for text != "" {
		word, rest, _ := strings.Cut(text, " ")
		kind, value, ok := strings.Cut(word, ":")
		if !ok {
			break
		}
		switch digits := map[string]int{"md5": 32, "sha1": 40, "sha256": 64}[kind]; {
		case digits > 0:
			value = strings.ToLower(value)
			if len(value) != digits || strings.Trim(value, "0123456789abcdef") != "" {
				return l, fmt.Errorf("%.80q is no %s digest", value, kind)
			}
		case kind == "path", kind == "rule", kind == "family":
			if value = strings.TrimPrefix(value, "/"); value == "" {
				return l, fmt.Errorf("%s: is empty", kind)
			}
			if _, err := path.Match(strings.ReplaceAll(value, "**", "*"), ""); err != nil {
				return l, fmt.Errorf("the pattern %.80q is malformed", value)
			}
		default:
			if len(l.conditions) == 0 {
				return l, fmt.Errorf("%.80q is no condition", word)
			}
			l.reason = text
			return l, nil
		}
		l.conditions = append(l.conditions, condition{kind, value})
		text = strings.TrimSpace(rest)
	}
	if len(l.conditions) == 0 {
		return l, errors.New("it begins with no condition")
	}
	l.reason = text
	return l, nil
}

// Reason says why a finding does not count; "" when it does.
func (a *MalwareAllow) Reason(m *pratique.Malware) string {
	if a == nil {
		return ""
	}
	for _, l := range a.lines {
		if l.fits(m) {
			return l.reason
		}
	}
	return ""
}

func (l allowLine) fits(m *pratique.Malware) bool {
	for _, c := range l.conditions {
		if !c.fits(m) {
			return false
		}
	}
	return true
}

func (c condition) fits(m *pratique.Malware) bool {
	switch c.kind {
	case "sha256":
		return m.SHA256 == c.value
	case "sha1":
		return m.SHA1 == c.value
	case "md5":
		return m.MD5 == c.value
	case "path":
		return glob(c.value, m.Path)
	case "rule":
		return glob(c.value, m.Name)
	}
	return m.Family == c.value
}

// glob is path.Match with "**", which stands for any number of folders too.
func glob(pattern, name string) bool {
	before, after, ok := strings.Cut(pattern, "**")
	if !ok {
		matched, _ := path.Match(pattern, name) // parseAllow has checked the pattern
		return matched
	}
	for i := 0; i <= len(name); i++ {
		matched, _ := path.Match(before, name[:i])
		if !matched {
			continue
		}
		for j := i; j <= len(name); j++ {
			if glob(after, name[j:]) {
				return true
			}
		}
	}
	return false
}
