package analyze

import (
	"bytes"
	"path"
	"strings"
)

// FileType names what a file is by its first bytes, and a script without a
// "#!" line by its extension: elf, pe, macho, class, script, archive, office,
// pdf, or other.
func FileType(name string, head []byte) string {
	for _, m := range magics {
		if bytes.HasPrefix(head, []byte(m.prefix)) {
			return m.kind
		}
	}
	if len(head) >= 262 && string(head[257:262]) == "ustar" {
		return "archive"
	}
	if scriptExtensions[strings.ToLower(path.Ext(name))] {
		return "script"
	}
	return "other"
}

var magics = []struct{ prefix, kind string }{
	{"\x7fELF", "elf"},
	{"MZ", "pe"},
	{"\xcf\xfa\xed\xfe", "macho"},
	{"\xce\xfa\xed\xfe", "macho"},
	{"\xfe\xed\xfa", "macho"},
	{"\xca\xfe\xba\xbe", "class"}, // universal Mach-O has the same
	{"#!", "script"},
	{"<?php", "script"},
	{"PK\x03\x04", "archive"},
	{"\x1f\x8b\x08", "archive"},
	{"BZh", "archive"},
	{"\xfd7zXZ\x00", "archive"},
	{"\x28\xb5\x2f\xfd", "archive"},
	{"7z\xbc\xaf\x27\x1c", "archive"},
	{"!<arch>\n", "archive"},
	{"Rar!\x1a\x07", "archive"},
	{"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "office"},
	{"%PDF-", "pdf"},
}

var scriptExtensions = map[string]bool{
	".sh": true, ".bash": true, ".php": true, ".phtml": true, ".jsp": true, ".jspx": true, ".asp": true, ".aspx": true,
	".ps1": true, ".bat": true, ".cmd": true, ".vbs": true, ".pl": true, ".cgi": true, ".lua": true,
}
