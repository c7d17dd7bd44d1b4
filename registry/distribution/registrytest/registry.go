// Package registrytest starts a real registry for tests: Debian's
// docker-registry (the package of that name), on loopback, with its storage in
// the test's folder.
package registrytest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// The account of a registry with Basic set.
const (
	Username = "harbourmaster"
	Password = "cargo-and-crew"
)

// bcrypt of Password: the only hash that the registry's htpasswd takes.
const passwordHash = "$2y$04$DEV/g4POlJYb4t/EqVvatOzwr94blS9GVCjMZE3cnGcexY52Ghsia"

// Options of a registry.
type Options struct {
	Basic bool // asks for Username and Password
	Token bool // sends clients to a token service, which asks for them
	TLS   bool // speaks TLS, with a certificate of its own authority
	// Page is how many repositories it lists at once; 0: as many as it does by itself.
	Page int
}

// Server is a running registry.
type Server struct {
	Host   string // 127.0.0.1:PORT
	CAFile string // PEM, with Options.TLS

	tokens *tokens
}

// TokensIssued counts what the token service gave out, with Options.Token.
func (s Server) TokensIssued() int64 { return s.tokens.issued.Load() }

// Token returns a token for scopes such as "repository:team/app:pull,push", for
// clients that refuse a token service on loopback.
func (s Server) Token(t testing.TB, scopes ...string) string {
	t.Helper()
	token, err := s.tokens.token(scopes)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// Start runs a registry until the test ends.
func Start(t testing.TB, opt Options) Server {
	t.Helper()
	s, stop, err := Launch(t.TempDir(), opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return s
}

// Launch is Start for a registry that several tests share: it keeps everything in
// dir, and runs until stop is called.
func Launch(dir string, opt Options) (s Server, stop func(), err error) {
	binary, err := exec.LookPath("docker-registry")
	if err != nil {
		return s, nil, errors.New("docker-registry is missing: install Debian's package docker-registry")
	}
	if s.Host, err = freeAddress(); err != nil {
		return s, nil, err
	}
	endTokens := func() {}
	config := fmt.Sprintf("version: 0.1\nlog: {level: error}\nstorage:\n  filesystem: {rootdirectory: %q}\n  delete: {enabled: true}\ncompatibility: {schema1: {enabled: true}}\nhttp:\n  addr: %s\n", filepath.Join(dir, "data"), s.Host)
	if opt.Page > 0 {
		config = fmt.Sprintf("catalog: {maxentries: %d}\n", opt.Page) + config
	}
	if opt.TLS {
		cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
		if err := writeCertificate(cert, key); err != nil {
			return s, nil, err
		}
		s.CAFile = cert
		config += fmt.Sprintf("  tls: {certificate: %q, key: %q}\n", cert, key)
	}
	if opt.Basic {
		file := filepath.Join(dir, "htpasswd")
		if err := os.WriteFile(file, []byte(Username+":"+passwordHash+"\n"), 0o600); err != nil {
			return s, nil, err
		}
		config += fmt.Sprintf("auth:\n  htpasswd: {realm: harbour, path: %q}\n", file)
	}
	if opt.Token {
		cert, key := filepath.Join(dir, "token-cert.pem"), filepath.Join(dir, "token-key.pem")
		if err := writeCertificate(cert, key); err != nil {
			return s, nil, err
		}
		service, server, err := startTokens(cert, key)
		if err != nil {
			return s, nil, err
		}
		s.tokens, endTokens = service, server.Close
		config += fmt.Sprintf("auth:\n  token: {realm: %q, service: %s, issuer: %s, rootcertbundle: %q}\n", server.URL, tokenService, tokenIssuer, cert)
	}
	end, err := run(binary, dir, config, s.Host)
	if err != nil {
		endTokens()
		return s, nil, err
	}
	return s, func() { end(); endTokens() }, nil
}

// run starts the registry and waits until it listens.
func run(binary, dir, config, host string) (end func(), err error) {
	file := filepath.Join(dir, "config.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return nil, err
	}
	var log bytes.Buffer
	cmd := exec.Command(binary, "serve", file)
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	end = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	for range 200 {
		if conn, err := net.Dial("tcp", host); err == nil {
			_ = conn.Close()
			return end, nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	end()
	return nil, fmt.Errorf("docker-registry did not start: %s", log.String())
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

func writeCertificate(certFile, keyFile string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "registrytest"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	cert, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), 0o600); err != nil {
		return err
	}
	return os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600)
}
