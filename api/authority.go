package api

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/agent/wire"
)

// Authority signs the certificates of agents, and of the service towards them. Its
// key is derived from the installation's, so that all servers of an installation
// have the same and nobody has to keep it: its own certificate is made anew at each
// start, and earlier ones say the same.
type Authority struct {
	key  ed25519.PrivateKey
	cert *x509.Certificate
	now  func() time.Time

	mu    sync.Mutex
	front *tls.Certificate // what the service shows; renewed
}

const (
	// agentCertificateLife is how long an agent may be off without enrolling anew. It
	// is no measure of trust: that is looked up at each request.
	agentCertificateLife = 90 * 24 * time.Hour
	frontLife            = 30 * 24 * time.Hour
	authorityLife        = 20 * 365 * 24 * time.Hour
	clockSkew            = time.Hour // clocks of hosts are not always right
)

// NewAuthority makes one of a secret of 32 bytes.
func NewAuthority(secret []byte) (*Authority, error) {
	a := &Authority{key: ed25519.NewKeyFromSeed(secret), now: time.Now}
	now := a.now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Pratique agents"},
		NotBefore: now.Add(-clockSkew), NotAfter: now.Add(authorityLife),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key)
	if err != nil {
		return nil, err
	}
	a.cert, err = x509.ParseCertificate(der)
	return a, err
}

// PublicKey is what tokens have the hash of (SubjectPublicKeyInfo, DER).
func (a *Authority) PublicKey() []byte { return a.cert.RawSubjectPublicKeyInfo }

// Certificate is the authority's own, in DER.
func (a *Authority) Certificate() []byte { return a.cert.Raw }

// readRequest checks a certificate request of an agent, and returns its key.
func readRequest(der []byte) (key crypto.PublicKey, id string, err error) {
	refused := pratique.Errorf(pratique.CodeInvalid, "the certificate request cannot be used").WithRemedy("remove the agent's data folder, and enrol it again")
	request, err := x509.ParseCertificateRequest(der)
	if err != nil || request.CheckSignature() != nil {
		return nil, "", refused
	}
	switch k := request.PublicKey.(type) {
	case ed25519.PublicKey:
	case *ecdsa.PublicKey:
		if k.Curve != elliptic.P256() && k.Curve != elliptic.P384() {
			return nil, "", refused
		}
	default:
		return nil, "", refused
	}
	return request.PublicKey, wire.KeyID(request.RawSubjectPublicKeyInfo), nil
}

// Sign makes a certificate for an agent's key.
func (a *Authority) Sign(key crypto.PublicKey, name string) (der []byte, expires time.Time, err error) {
	expires = a.now().Add(agentCertificateLife).Truncate(time.Second)
	der, err = a.sign(key, &x509.Certificate{Subject: pkix.Name{CommonName: name}, NotAfter: expires, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	return der, expires, err
}

func (a *Authority) sign(key crypto.PublicKey, template *x509.Certificate) ([]byte, error) {
	serial := make([]byte, 16)
	rand.Read(serial)
	serial[0] &= 0x7f
	template.SerialNumber, template.NotBefore, template.KeyUsage = new(big.Int).SetBytes(serial), a.now().Add(-clockSkew), x509.KeyUsageDigitalSignature
	template.BasicConstraintsValid = true
	return x509.CreateCertificate(rand.Reader, template, a.cert, key, a.key)
}

// TLS is how the service speaks to agents: it shows a certificate of its own, with
// the names that are given besides this machine's, and takes clients with one of an
// agent's, or without any, who may only enrol.
func (a *Authority) TLS(names []string) *tls.Config {
	clients := x509.NewCertPool()
	clients.AddCert(a.cert)
	return &tls.Config{
		MinVersion: tls.VersionTLS13, ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: clients,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return a.shown(names) },
	}
}

// shown is the service's certificate, made anew when half its life is over.
func (a *Authority) shown(names []string) (*tls.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.front != nil && a.front.Leaf.NotAfter.Sub(a.now()) > frontLife/2 {
		return a.front, nil
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{Subject: pkix.Name{CommonName: wire.ServiceName}, NotAfter: a.now().Add(frontLife), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	for _, name := range allNames(names) {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	der, err := a.sign(public, template)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	a.front = &tls.Certificate{Certificate: [][]byte{der, a.cert.Raw}, PrivateKey: private, Leaf: leaf}
	return a.front, nil
}

func allNames(names []string) []string {
	all := append([]string{wire.ServiceName}, names...)
	if host, err := os.Hostname(); err == nil {
		all = append(all, host)
	}
	all = append(all, "localhost", "127.0.0.1", "::1")
	slices.Sort(all)
	return slices.Compact(all)
}
