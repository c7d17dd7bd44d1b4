package wire

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"strings"

	"github.com/pratique/pratique"
)

// Token is what an agent enrols with, as text "pratique1.SECRET.AUTHORITY", safe for a
// URL and a command line.
type Token struct {
	// Secret is shown once; the service keeps its hash alone.
	Secret string
	// Authority is the SHA-256 of the public key of the service's certificate
	// authority: who does not have it is not the service.
	Authority [sha256.Size]byte
}

const (
	tokenPrefix = "pratique1"
	minSecret   = 32 // characters; those that the service makes have more than 200 bits
	maxSecret   = 128
)

// NewToken makes a token of a secret for the service whose authority has the given
// public key (SubjectPublicKeyInfo, DER).
func NewToken(secret string, authority []byte) Token {
	return Token{Secret: secret, Authority: sha256.Sum256(authority)}
}

// String is the token's text. It is a credential.
func (t Token) String() string {
	return tokenPrefix + "." + t.Secret + "." + base64.RawURLEncoding.EncodeToString(t.Authority[:])
}

// ParseToken reads a token's text. Spaces around it do not count.
func ParseToken(text string) (t Token, err error) {
	bad := pratique.Errorf(pratique.CodeInvalid, "this is not a token for agents").WithRemedy("copy the whole token, which begins with %s.", tokenPrefix)
	parts := strings.Split(strings.TrimSpace(text), ".")
	if len(parts) != 3 || parts[0] != tokenPrefix || !validSecret(parts[1]) {
		return t, bad
	}
	authority, err := base64.RawURLEncoding.Strict().DecodeString(parts[2])
	if err != nil || len(authority) != sha256.Size {
		return t, bad
	}
	t.Secret = parts[1]
	copy(t.Authority[:], authority)
	return t, nil
}

func validSecret(s string) bool {
	for _, c := range []byte(s) {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_') {
			return false
		}
	}
	return minSecret <= len(s) && len(s) <= maxSecret
}

// KeyID names the public key of a certificate or of a request for one, by its
// SubjectPublicKeyInfo in DER.
func KeyID(publicKey []byte) string {
	sum := sha256.Sum256(publicKey)
	return hex.EncodeToString(sum[:])
}

// CertificateKey is the [KeyID] of a certificate's key.
func CertificateKey(c *x509.Certificate) string { return KeyID(c.RawSubjectPublicKeyInfo) }
