package service

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pratique/pratique"
)

// A gate is a reverse proxy with TLS before a registry. It counts what passes, and
// misbehaves as a test says.
type gate struct {
	url string // https://127.0.0.1:PORT
	ca  string // PEM of who vouches for it

	server *httptest.Server
	mu     sync.Mutex
	blobs  map[pratique.Digest]int // GETs of blobs
	asked  map[string]int          // requests by what they are for: manifests, tags, blobs, _catalog
	fault  func(http.ResponseWriter, *http.Request, http.Handler) bool
}

// newGate opens a gate to upstream, until the test ends.
func newGate(t testing.TB, upstream string) *gate {
	t.Helper()
	target, err := url.Parse(upstream)
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{blobs: map[pratique.Digest]int{}, asked: map[string]int{}}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ErrorLog = log.New(io.Discard, "", 0)
	g.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.count(r)
		g.mu.Lock()
		fault := g.fault
		g.mu.Unlock()
		if fault == nil || !fault(w, r, proxy) {
			proxy.ServeHTTP(w, r)
		}
	}))
	g.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	g.server.StartTLS()
	t.Cleanup(g.server.Close)
	g.url = g.server.URL
	g.ca = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: g.server.Certificate().Raw}))
	return g
}

func (g *gate) count(r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, kind := range []string{"/manifests/", "/tags/", "/blobs/", "/_catalog"} {
		if strings.Contains(r.URL.Path, kind) {
			g.asked[strings.Trim(kind, "/")]++
		}
	}
	// An unauthorised request is answered with a challenge, and comes again.
	if _, digest, ok := strings.Cut(r.URL.Path, "/blobs/"); ok && r.Method == http.MethodGet && r.Header.Get("Authorization") != "" {
		g.blobs[pratique.Digest(digest)]++
	}
}

// misbehave has a fault answer before the registry; it returns true if it did. Nil
// ends it.
func (g *gate) misbehave(fault func(w http.ResponseWriter, r *http.Request, next http.Handler) bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.fault = fault
}

// fetched tells how often each blob was asked for since the last call.
func (g *gate) fetched() map[pratique.Digest]int {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := maps.Clone(g.blobs)
	clear(g.blobs)
	return n
}

func (g *gate) requests(kind string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.asked[kind]
}

// stranger is an authority that vouches for nobody here.
func stranger(t testing.TB) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "stranger"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	cert, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}))
}
