package secrets

import (
	"bytes"
	"encoding/binary"
	"io"
	"slices"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/analyze"
)

// keystore is a binary format that keeps private keys.
type keystore struct {
	rule  string
	magic string
	// holds tells from the whole content whether there is a private key, nil for
	// formats that have no other purpose.
	holds func(b []byte) bool
	// under limits formats whose magic alone says too little to some extensions.
	under map[ext]bool
}

var keystores = []keystore{
	{rule: "java-keystore", magic: "\xfe\xed\xfe\xed", holds: jksHolds},
	{rule: "java-keystore", magic: "\xce\xce\xce\xce", holds: jksHolds},
	{rule: "bouncycastle-keystore", magic: "\x00\x00\x00\x02\x00\x00\x00\x14", under: extensions("bks uber keystore ks")},
	{rule: "pkcs12-keystore", magic: "\x30\x82", holds: pkcs12Holds, under: extensions("p12 pfx pkcs12 jks keystore ks bin dat store")},
	{rule: "der-private-key", magic: "\x30\x82", holds: derHolds, under: extensions("der key pk8 pkcs8 p8")},
	{rule: "keepass-database", magic: "\x03\xd9\xa2\x9a"},
	{rule: "kerberos-keytab", magic: "\x05\x02\x00\x00", under: extensions("keytab kt")},
	{rule: "gpg-secret-keyring", magic: "\x95", under: extensions("gpg pgp")},
	{rule: "gpg-secret-keyring", magic: "\x94", under: extensions("gpg pgp")},
	{rule: "gpg-secret-keyring", magic: "\xc5", under: extensions("gpg pgp")},
}

// keystoreOf returns the first format that the name and first bytes allow.
func keystoreOf(path string, head []byte) *keystore {
	for i := range keystores {
		if keystores[i].fits(path, head) {
			return &keystores[i]
		}
	}
	return nil
}

func (k *keystore) fits(path string, head []byte) bool {
	return len(head) > len(k.magic) && string(head[:len(k.magic)]) == k.magic && (k.under == nil || k.under[extension(path)])
}

// keystore reports a container of private keys. Those with certificates only,
// such as Java's cacerts, are none.
func (x *scan) keystore(path string, c analyze.Content) error {
	b, ok := c.Bytes()
	if !ok {
		b = make([]byte, min(c.Size(), maxKeystore))
		if _, err := c.ReadAt(b, 0); err != nil && err != io.EOF {
			return err
		}
	}
	for i := range keystores {
		k := &keystores[i]
		if !k.fits(path, b) || k.holds != nil && !k.holds(b) {
			continue
		}
		r := x.loaded.engine.config.rule(k.rule)
		if r == nil {
			return nil // switched off
		}
		f := finding{rule: r}
		x.analyzer.guards.judge(path, &f) // its bytes are no text to judge
		if f.dropped {
			return nil
		}
		f.secret = b
		s := x.analyzer.secret(&f, "file", path)
		s.Line, s.Preview = 0, ""
		x.facts.Secrets = append(x.facts.Secrets, s)
		return nil
	}
	return nil
}

// keystoreFound tells whether the file's content was reported as a keystore,
// which says more than its name does.
func (x *scan) keystoreFound(path string) bool {
	return slices.ContainsFunc(x.facts.Secrets, func(s pratique.Secret) bool { return s.Path == path && s.Type == "keystore" })
}

// jksHolds looks for a private or secret key entry in a Java keystore: magic,
// version, count, then entries of tag, alias, time and content. Only the first
// certificates need to be skipped to reach one.
func jksHolds(b []byte) bool {
	version, count := be32(b, 4), be32(b, 8)
	at := 12
	for range min(count, 10000) {
		tag := be32(b, at)
		if tag == 1 || tag == 3 {
			return true
		}
		at += 4
		at += 2 + be16(b, at) + 8 // alias, date
		if tag != 2 {
			return false
		}
		if version == 2 {
			at += 2 + be16(b, at) // certificate type
		}
		at += 4 + be32(b, at)
		if at < 0 || at >= len(b) {
			return false
		}
	}
	return false
}

func be32(b []byte, at int) int {
	if at < 0 || at+4 > len(b) {
		return 0
	}
	return int(binary.BigEndian.Uint32(b[at:]))
}

func be16(b []byte, at int) int {
	if at < 0 || at+2 > len(b) {
		return 0
	}
	return int(binary.BigEndian.Uint16(b[at:]))
}

// pkcs12Holds looks for the object identifiers of a key bag or a shrouded key
// bag (RFC 7292, 4.2), which stand in clear around an encrypted key.
func pkcs12Holds(b []byte) bool {
	bag := []byte{0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01}
	for rest := b; ; {
		i := bytes.Index(rest, bag)
		if i < 0 || i+len(bag) >= len(rest) {
			return false
		}
		if kind := rest[i+len(bag)]; kind == 1 || kind == 2 {
			return true
		}
		rest = rest[i+len(bag):]
	}
}

// derHolds recognises PKCS #8, PKCS #1 and SEC 1 private keys and encrypted
// PKCS #8 (RFC 5958, 8017, 5915) by how they begin.
func derHolds(b []byte) bool {
	if len(b) < 32 {
		return false
	}
	body := b[4:]
	switch {
	case bytes.HasPrefix(body, []byte{0x02, 0x01, 0x00, 0x30}): // version 0, algorithm
		return true
	case bytes.HasPrefix(body, []byte{0x02, 0x01, 0x00, 0x02, 0x82}): // version 0, modulus
		return true
	case bytes.HasPrefix(body, []byte{0x02, 0x01, 0x01, 0x04}): // version 1, octets of the key
		return true
	}
	// Encrypted: an algorithm of PKCS #5.
	return bytes.Contains(body[:min(len(body), 24)], []byte{0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05})
}
