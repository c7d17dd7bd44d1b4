// Package testrules writes YARA rules that are as expensive as public ones, so
// that speed can be measured without any.
//
// What makes a rule cheap or dear is how its strings are distributed, how short the
// shortest are, and what guards its condition has. The shares below are those of
// the 6 200 rules of signature-base, BinaryAlert and ReversingLabs: of six strings
// four are texts of 20 characters in the middle, one in forty of at most four; two
// are hex strings of 50 bytes, one in five with wildcards; two in a hundred are
// regular expressions. Two fifths of the rules are for Windows programs, few name
// another kind of file, and two fifths bound its size.
package testrules

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// Write returns n rules, the same ones each time: the first of many are those
// of few.
func Write(n int) string {
	var b strings.Builder
	for i := range n {
		r := writer{rand.New(rand.NewPCG(uint64(i), 11))}
		r.rule(&b, fmt.Sprintf("Made_%05d", i))
	}
	return b.String()
}

type writer struct{ *rand.Rand }

func (r writer) rule(b *strings.Builder, name string) {
	fmt.Fprintf(b, "rule %s {\n  strings:\n", name)
	count := 1 + r.IntN(8)
	for i := range count {
		fmt.Fprintf(b, "    $s%d = %s\n", i, r.define())
	}
	fmt.Fprintf(b, "  condition:\n    %s%s\n}\n", r.guards(), r.matches(count))
}

func (r writer) define() string {
	switch n := r.IntN(100); {
	case n < 2:
		return [...]string{
			"/" + r.rare() + `[ :=]{1,4}` + r.word() + `\/[a-z0-9]{4,16}/`,
			`/\b` + r.rare() + `[\n\t ]{0,500}(\([^)]|\/\*)/ nocase`,
			"/" + r.rare() + `\s?\[/`,
			"/(" + r.rare() + "|" + r.rare() + `)\.[a-z]{1,8} %[sd]/`,
		}[r.IntN(4)]
	case n < 36:
		return r.hex()
	}
	mods := [...]string{"", "", " ascii", " ascii", " fullword", " ascii fullword", " ascii fullword", " wide", " wide fullword", " ascii wide"}[r.IntN(10)]
	if r.IntN(22) == 0 {
		mods += " nocase"
	}
	return fmt.Sprintf("%q%s", r.text(), mods)
}

// text is a message, a path, a symbol or a name; few are short.
func (r writer) text() string {
	switch n := r.IntN(40); {
	case n == 0:
		return [...]string{"GET", "cmd", "%s:%d", "<?=", "POST", "/tmp", "eval", "http", "exec", ".exe"}[r.IntN(10)]
	case n < 10:
		return r.word() + " " + r.word() + ": %s " + r.word()
	case n < 20:
		return "/" + r.word() + "/" + r.word() + "/." + r.word()
	case n < 30:
		return r.word() + "_" + r.word()
	}
	return strings.ToUpper(r.word()[:1]) + r.word() + strings.ToUpper(r.word()) + ".exe"
}

// word is one that programs are full of, or one of syllables.
func (r writer) word() string {
	common := [...]string{"error", "file", "connect", "socket", "read", "write", "process", "kernel", "password", "server", "http", "config", "shell", "memory",
		"thread", "system", "user", "download", "key", "data", "install", "service", "command", "print", "string", "size", "time", "name", "type", "open"}
	if r.IntN(3) == 0 {
		return common[r.IntN(len(common))]
	}
	return r.rare()
}

func (r writer) rare() string {
	var b strings.Builder
	for range 2 + r.IntN(3) {
		b.WriteByte("bcdfghjklmnprstvwxz"[r.IntN(19)])
		b.WriteByte("aeiou"[r.IntN(5)])
	}
	return b.String()
}

// hex is machine code of amd64 as compilers make it, so that most of its bytes are
// common in programs, with addresses left open in one of five.
func (r writer) hex() string {
	plain := [...]string{"48 8B 05", "48 8D 15", "E8 %02X 00 00 00", "85 C0 74 %02X", "0F 84 %02X 00 00 00", "48 89 E5", "C7 45 F8 %02X 00 00 00", "8B 45 FC", "31 C0",
		"48 83 EC %02X", "C3 CC CC CC", "0F B6 45 %02X", "83 F8 FF 75 %02X", "48 8B 5C 24 %02X", "89 C7", "48 C1 E0 %02X", "44 8B 4C 24 %02X", "33 D2"}
	open := [...]string{"48 8B 05 ?? ?? ?? ??", "48 8D 15 ?? ?? ?? ??", "E8 ?? ?? ?? ??", "85 C0 74 ??", "8B 4? %02X", "FF 15 ?? ?? ?? ??", "[2-6]", "(74 | 75) %02X"}
	masked := r.IntN(5) == 0
	var b strings.Builder
	fmt.Fprintf(&b, "{ %02X", r.IntN(256))
	for range 4 + r.IntN(20) {
		code := plain[r.IntN(len(plain))]
		if masked && r.IntN(3) == 0 {
			code = open[r.IntN(len(open))]
		}
		if strings.Contains(code, "%") {
			code = fmt.Sprintf(code, r.IntN(256))
		}
		b.WriteByte(' ')
		b.WriteString(code)
	}
	fmt.Fprintf(&b, " %02X }", r.IntN(256))
	return b.String()
}

func (r writer) guards() string {
	var b strings.Builder
	switch n := r.IntN(100); {
	case n < 42:
		b.WriteString("uint16(0) == 0x5a4d and ")
	case n < 45:
		b.WriteString("uint32(0) == 0x464c457f and ")
	case n < 48:
		b.WriteString("uint16(0) == 0x2123 and ")
	}
	if r.IntN(5) < 2 {
		fmt.Fprintf(&b, "filesize < %dKB and ", [...]int{10, 50, 100, 100, 200, 300, 500, 1000, 3000, 5000}[r.IntN(10)])
	}
	return b.String()
}

func (r writer) matches(count int) string {
	switch {
	case count > 2 && r.IntN(2) == 0:
		return fmt.Sprintf("%d of them", 2+r.IntN(count-2))
	case r.IntN(8) == 0:
		return "#s0 > 2 and all of them"
	}
	return "all of them"
}
