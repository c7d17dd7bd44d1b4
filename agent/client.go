package agent

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/agent/wire"
)

// client speaks to the service. Every error is a [pratique.Error]: CodeUnreachable
// when it may be good to ask again.
type client struct {
	base  string
	state *state

	mu   sync.Mutex
	http *http.Client // with the certificate that the state had
}

const (
	answerTime = 90 * time.Second
	judgeTime  = 6 * time.Minute
	// backoff grows from least to most.
	leastBackoff = time.Second
	mostBackoff  = time.Minute
)

// answerLimit bounds answers: the largest are connections of registries with their
// certificates.
func answerLimit() wire.Limit {
	return wire.Limit{Packed: 8 << 20, Bytes: 16 << 20, Objects: 20_000, Values: 200_000}
}

func newClient(server string, s *state) (*client, error) {
	u, err := url.Parse(strings.TrimSuffix(server, "/"))
	if err != nil || u.Scheme != "https" || u.Host == "" || u.Path != "" || u.User != nil {
		return nil, pratique.Errorf(pratique.CodeInvalid, "--server is not the address of a service").WithRemedy("write https://HOST:PORT, the service's --agent-listen")
	}
	c := &client{base: "https://" + u.Host + wire.Prefix, state: s}
	if s.enrolled() {
		return c, c.renewed()
	}
	return c, nil
}

// renewed takes up the state's certificate.
func (c *client) renewed() error {
	own, authority, err := c.state.certificate()
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AddCert(authority)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.http != nil {
		c.http.CloseIdleConnections()
	}
	c.http = newHTTP(&tls.Config{MinVersion: tls.VersionTLS13, RootCAs: roots, ServerName: wire.ServiceName, Certificates: []tls.Certificate{own}})
	return nil
}

func newHTTP(config *tls.Config) *http.Client {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 15 * time.Second}
	return &http.Client{
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext, TLSClientConfig: config, TLSHandshakeTimeout: 10 * time.Second,
			ForceAttemptHTTP2: true, IdleConnTimeout: 2 * time.Minute, MaxIdleConnsPerHost: 4, DisableCompression: true,
			HTTP2: &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 10 * time.Second}, // a service that is gone without a word
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// enrol asks for a certificate, of a service that shows that it is the token's.
func (c *client) enrol(ctx context.Context, t wire.Token, ask *wire.Enrol, into *wire.Certified) error {
	config := &tls.Config{
		MinVersion: tls.VersionTLS13,
		// The chain is checked against the authority whose key the token names, below.
		InsecureSkipVerify: true,
		VerifyConnection:   func(s tls.ConnectionState) error { return shows(s.PeerCertificates, t.Authority) },
	}
	guest := newHTTP(config)
	defer guest.CloseIdleConnections()
	return retry(ctx, func() error {
		if err := c.send(ctx, guest, ask, into); err != nil {
			return err
		}
		authority, err := x509.ParseCertificate(into.Authority)
		if err != nil || sha256.Sum256(authority.RawSubjectPublicKeyInfo) != t.Authority {
			return notTheService()
		}
		return nil
	})
}

func notTheService() *pratique.Error {
	return pratique.Errorf(pratique.CodeUnauthorized, "who answers there is not the service that made the token").
		WithRemedy("check --server, and that nothing between here and the service opens TLS; or make a new token")
}

// shows checks that a chain leads to an authority with the given key.
func shows(chain []*x509.Certificate, key [sha256.Size]byte) error {
	roots := x509.NewCertPool()
	for _, c := range chain {
		if c.IsCA && sha256.Sum256(c.RawSubjectPublicKeyInfo) == key {
			roots.AddCert(c)
		}
	}
	if len(chain) == 0 {
		return notTheService()
	}
	if _, err := chain[0].Verify(x509.VerifyOptions{Roots: roots, DNSName: wire.ServiceName, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}); err != nil {
		return notTheService()
	}
	return nil
}

// ask sends a message once.
func (c *client) ask(ctx context.Context, m wire.Message, into any) error {
	c.mu.Lock()
	h := c.http
	c.mu.Unlock()
	return c.send(ctx, h, m, into)
}

// persist sends a message until it is answered.
func (c *client) persist(ctx context.Context, m wire.Message, into any) error {
	return retry(ctx, func() error { return c.ask(ctx, m, into) })
}

// persistFor is persist with an end.
func (c *client) persistFor(ctx context.Context, patience time.Duration, m wire.Message, into any) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var last error
	err := retry(ctx, func() error { last = c.ask(ctx, m, into); return last })
	if err != nil && ctx.Err() != nil && last != nil {
		return last
	}
	return err
}

// retry tries again what may work later, and waits longer each time. All agents of a
// service that comes back must not come at once, hence the chance.
func retry(ctx context.Context, try func() error) error {
	for wait := leastBackoff; ; wait = min(2*wait, mostBackoff) {
		err := try()
		switch pratique.CodeOf(err) {
		case pratique.CodeUnreachable, pratique.CodeRateLimited, pratique.CodeInternal:
		default:
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(wait/2 + rand.N(wait)):
		}
	}
}

func (c *client) send(ctx context.Context, h *http.Client, m wire.Message, into any) error {
	limit := answerTime
	switch m.(type) {
	case *wire.Finish, *wire.Fail, *wire.Known:
		limit = judgeTime
	}
	asked := ctx
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	body, packed, err := wire.Encode(m)
	if err != nil {
		return err
	}
	if int64(len(body)) > m.Limit().Packed {
		return pratique.Errorf(pratique.CodeLimit, "there is more to tell (%s) than the service takes: %d MiB", m.Path(), len(body)>>20).WithRemedy("report it, with the image")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+m.Path(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if packed {
		req.Header.Set("Content-Encoding", "gzip")
	}
	resp, err := h.Do(req)
	if err != nil {
		return unreached(asked, err)
	}
	defer resp.Body.Close()
	most := answerLimit()
	if _, rows := into.(*wire.Rows); rows {
		most = wire.RowsLimit()
	}
	answer, err := wire.Read(resp.Body, resp.ContentLength, most)
	if err != nil {
		return unreached(asked, err)
	}
	compressed := resp.Header.Get("Content-Encoding") == "gzip"
	if resp.StatusCode == http.StatusOK {
		return wire.DecodeAnswer(answer, compressed, most, into)
	}
	var refusal pratique.Error
	if plain, err := wire.Unpack(answer, compressed, answerLimit()); err != nil || json.Unmarshal(plain, &refusal) != nil || refusal.Code == "" {
		return pratique.Errorf(pratique.CodeUnreachable, "the service does not answer as one (%d)", resp.StatusCode).WithRemedy("check --server: it is the address of --agent-listen, not of the console")
	}
	return &refusal
}

// unreached explains why there is no answer.
func unreached(ctx context.Context, err error) error {
	var known *pratique.Error
	var unknown x509.UnknownAuthorityError
	switch {
	case ctx.Err() != nil:
		return pratique.Errorf(pratique.CodeCancelled, "stopped: %w", context.Cause(ctx))
	case errors.As(err, &known) && known.Code == pratique.CodeUnauthorized:
		return known
	case errors.As(err, &unknown):
		return notTheService()
	}
	return pratique.Errorf(pratique.CodeUnreachable, "the service does not answer: %w", err).WithRemedy("check --server, and that the service runs with --agent-listen; the agent tries again")
}
