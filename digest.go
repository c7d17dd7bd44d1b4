package pratique

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// Digest is a content address as OCI writes it: "sha256:" and 64 lower-case
// hexadecimal digits. The zero value means "not known".
type Digest string

// ParseDigest checks s. Only SHA-256 is accepted: it is the one algorithm that
// every registry serves.
func ParseDigest(s string) (Digest, error) {
	hexed, ok := strings.CutPrefix(s, "sha256:")
	if !ok || len(hexed) != 2*sha256.Size || strings.ToLower(hexed) != hexed {
		return "", fmt.Errorf("digest %.80q is not sha256:<64 hex digits>", s)
	}
	if _, err := hex.DecodeString(hexed); err != nil {
		return "", fmt.Errorf("digest %.80q is not sha256:<64 hex digits>", s)
	}
	return Digest(s), nil
}

// DigestOf returns the digest of b.
func DigestOf(b []byte) Digest {
	sum := sha256.Sum256(b)
	return Digest("sha256:" + hex.EncodeToString(sum[:]))
}

// Hex returns the digits without the algorithm, or "" for an unknown digest.
func (d Digest) Hex() string {
	return strings.TrimPrefix(string(d), "sha256:")
}

// Short returns the first twelve digits, for people.
func (d Digest) Short() string {
	h := d.Hex()
	return h[:min(12, len(h))]
}
