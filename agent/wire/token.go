package wire

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"strings"

	"github.com/pratique/pratique"
)

// Token is what an agent enrols with, as text "pratique1.SECRET.AUTHORITY": both in
// base64 without padding, safe for a URL and a command line.
type Token struct {
	// Secret is shown once; the service keeps its hash alone.
	Secret []byte
	// Authority is the SHA-256 of the public key of the service's certificate
	// authority: who does not have it is not the service.
	Authority [sha256.Size]byte
}

const (
	tokenPrefix = "pratique1"
	secretBytes = 24 // 192 bits: nobody guesses one, however often
)

// NewToken makes a token for the service whose authority has the given public key
// (SubjectPublicKeyInfo, DER).
func NewToken(authority []byte) Token {
	t := Token{Secret: make([]byte, secretBytes), Authority: sha256.Sum256(authority)}
	rand.Read(t.Secret)
	return t
}

// String is the token's text. It is a credential.
func (t Token) String() string {
	e := base64.RawURLEncoding
	return tokenPrefix + "." + e.EncodeToString(t.Secret) + "." + e.EncodeToString(t.Authority[:])
}

// ParseToken reads a token's text. Spaces around it do not count.
func ParseToken(text string) (t Token, err error) {
	bad := pratique.Errorf(pratique.CodeInvalid, "this is not a token for agents").WithRemedy("copy the whole token, which begins with %s.", tokenPrefix)
	parts := strings.Split(strings.TrimSpace(text), ".")
	if len(parts) != 3 || parts[0] != tokenPrefix {
		return t, bad
	}
	e := base64.RawURLEncoding.Strict()
	if t.Secret, err = e.DecodeString(parts[1]); err != nil || len(t.Secret) != secretBytes {
		return Token{}, bad
	}
	authority, err := e.DecodeString(parts[2])
	if err != nil || len(authority) != sha256.Size {
		return Token{}, bad
	}
	copy(t.Authority[:], authority)
	return t, nil
}

// SecretHash is what the service keeps of a token's secret. The secret is random, so
// that a plain hash tells nothing about it.
func SecretHash(secret []byte) string {
	sum := sha256.Sum256(secret)
	return hex.EncodeToString(sum[:])
}

// KeyID names the public key of a certificate or of a request for one, by its
// SubjectPublicKeyInfo in DER.
func KeyID(publicKey []byte) string {
	sum := sha256.Sum256(publicKey)
	return hex.EncodeToString(sum[:])
}

// CertificateKey is the [KeyID] of a certificate's key.
func CertificateKey(c *x509.Certificate) string { return KeyID(c.RawSubjectPublicKeyInfo) }
