package registrytest

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

const (
	tokenIssuer  = "registrytest"
	tokenService = "harbour"
)

// tokens signs tokens as distribution's "Token Authentication
// Implementation" wants them: a JWT with ES256 and its certificate in the header.
// Who gives Username and Password may do what he asks for; anybody else is refused.
type tokens struct {
	key    *ecdsa.PrivateKey
	cert   []byte // DER
	issued atomic.Int64
}

// startTokens runs a token service.
func startTokens(certFile, keyFile string) (*tokens, *httptest.Server, error) {
	cert, err := decode(certFile)
	if err != nil {
		return nil, nil, err
	}
	private, err := decode(keyFile)
	if err != nil {
		return nil, nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(private)
	if err != nil {
		return nil, nil, err
	}
	service := &tokens{key: key.(*ecdsa.PrivateKey), cert: cert}
	return service, httptest.NewServer(service), nil
}

func decode(file string) ([]byte, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(content)
	return block.Bytes, nil
}

func (s *tokens) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if user, password, _ := r.BasicAuth(); user != Username || password != Password {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	token, err := s.token(strings.Fields(strings.Join(r.URL.Query()["scope"], " ")))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	s.issued.Add(1)
	_ = json.NewEncoder(w).Encode(map[string]any{"token": token, "expires_in": 3600})
}

// token grants scopes such as "repository:team/app:pull,push".
func (s *tokens) token(scopes []string) (string, error) {
	type access struct {
		Type    string   `json:"type"`
		Name    string   `json:"name"`
		Actions []string `json:"actions"`
	}
	granted := []access{}
	for _, scope := range scopes {
		if parts := strings.Split(scope, ":"); len(parts) == 3 {
			granted = append(granted, access{parts[0], parts[1], strings.Split(parts[2], ",")})
		}
	}
	now := time.Now()
	return s.sign(map[string]any{
		"iss": tokenIssuer, "sub": Username, "aud": tokenService, "jti": now.String(),
		"iat": now.Unix(), "nbf": now.Add(-time.Minute).Unix(), "exp": now.Add(time.Hour).Unix(), "access": granted,
	})
}

func (s *tokens) sign(claims map[string]any) (string, error) {
	header := map[string]any{"typ": "JWT", "alg": "ES256", "x5c": []string{base64.StdEncoding.EncodeToString(s.cert)}}
	var parts []string
	for _, p := range []map[string]any{header, claims} {
		b, err := json.Marshal(p)
		if err != nil {
			return "", err
		}
		parts = append(parts, base64.RawURLEncoding.EncodeToString(b))
	}
	signed := strings.Join(parts, ".")
	sum := sha256.Sum256([]byte(signed))
	r, v, err := ecdsa.Sign(rand.Reader, s.key, sum[:])
	if err != nil {
		return "", err
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	v.FillBytes(signature[32:])
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}
