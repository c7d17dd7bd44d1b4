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
	{"!<arch>\ndebian-binary", "archive"}, // a package; other ar archives are static libraries, which nothing runs
	{"Rar!\x1a\x07", "archive"},
	{"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "office"},
	{"%PDF-", "pdf"},
}

var scriptExtensions = map[string]bool{
	".sh": true, ".bash": true, ".php": true, ".phtml": true, ".jsp": true, ".jspx": true, ".asp": true, ".aspx": true,
	".ps1": true, ".bat": true, ".cmd": true, ".vbs": true, ".pl": true, ".cgi": true, ".lua": true,
}

// IsText tells whether a file's first bytes look like text in any encoding that
// has no NUL for ASCII characters: no control characters but white space and
// escape.
func IsText(head []byte) bool {
	for _, c := range head {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != '\v' && c != 0x1b || c == 0x7f {
			return false
		}
	}
	return true
}

// IsMedium tells whether a file is a picture, a font, sound, film, a database or
// compiled messages by its first bytes: data that nothing executes.
func IsMedium(head []byte) bool {
	for _, m := range media {
		if bytes.HasPrefix(head, []byte(m)) {
			return true
		}
	}
	return len(head) > 12 && (string(head[:4]) == "RIFF" || string(head[4:8]) == "ftyp")
}

var media = []string{
	"\x89PNG\r\n", "GIF8", "\xff\xd8\xff", "\x00\x00\x01\x00", "BM", // pictures
	"\x00\x01\x00\x00\x00", "OTTO", "ttcf", "wOFF", "wOF2", // fonts
	"ID3", "\xff\xfb", "OggS", "fLaC", "\x1a\x45\xdf\xa3", // sound and film
	"SQLite format 3\x00", "\xde\x12\x04\x95", "\x95\x04\x12\xde", // databases, gettext
}
