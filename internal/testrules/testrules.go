// Package testrules writes YARA rules that are as expensive as public ones, so
// that speed can be measured without any.
//
// What makes a rule cheap or dear is how its strings are distributed, what guards
// its condition has, and how common the rarest four bytes of a string are. The
// shares below are those of the 6 200 rules of signature-base, BinaryAlert and
// ReversingLabs: seven strings in ten are texts, a third of which are also or only
// looked for with two bytes a character; half of the rules are for Windows
// programs, one in ten for ELF, one in ten for scripts, and the rest for anything;
// half of them bound the size of the file.
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
	switch r.IntN(20) {
	case 0, 1, 2, 3, 4:
		return r.hex()
	case 5:
		return "/" + r.word() + `[ :=]{1,4}` + r.word() + `\/[a-z0-9]{4,16}/`
	}
	return fmt.Sprintf("%q%s", r.text(), [...]string{"", "", "", " ascii", " fullword", " fullword ascii", " wide", " ascii wide", " nocase", " fullword wide"}[r.IntN(10)])
}

// text is a message, a path, a symbol or a name.
func (r writer) text() string {
	switch r.IntN(4) {
	case 0:
		return r.word() + " " + r.word() + ": %s " + r.word()
	case 1:
		return "/" + r.word() + "/" + r.word() + "/." + r.word()
	case 2:
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
	var b strings.Builder
	for range 2 + r.IntN(3) {
		b.WriteByte("bcdfghjklmnprstvwxz"[r.IntN(19)])
		b.WriteByte("aeiou"[r.IntN(5)])
	}
	return b.String()
}

// hex is machine code of amd64: opcodes that are common, and addresses that are
// left open.
func (r writer) hex() string {
	codes := [...]string{"48 8B 05 ?? ?? ?? ??", "48 8D 15 ?? ?? ?? ??", "E8 ?? ?? ?? ??", "85 C0 74 ??", "0F 84 ?? ?? 00 00", "48 89 E5", "C7 45 ?? 00 00 00 00",
		"8B 4? ??", "31 C0", "FF 15 ?? ?? ?? ??", "83 F8 FF", "[2-6]", "(74 | 75) ??", "48 83 EC ??", "C3 CC CC"}
	var b strings.Builder
	b.WriteString("{ ")
	for range 2 + r.IntN(6) {
		fmt.Fprintf(&b, "%02X %02X %s ", r.IntN(256), r.IntN(256), codes[r.IntN(len(codes))])
	}
	fmt.Fprintf(&b, "%02X }", r.IntN(256))
	return b.String()
}

func (r writer) guards() string {
	var b strings.Builder
	switch r.IntN(10) {
	case 0, 1, 2, 3, 4:
		b.WriteString("uint16(0) == 0x5a4d and ")
	case 5:
		b.WriteString("uint32(0) == 0x464c457f and ")
	case 6:
		b.WriteString("uint16(0) == 0x2123 and ")
	}
	if r.IntN(2) == 0 {
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
