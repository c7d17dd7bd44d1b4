package distribution

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/registry"
)

// Options are how a registry is spoken to.
type Options struct {
	// Insecure accepts any certificate, and falls back to plain HTTP. Without it,
	// plain HTTP is spoken with a registry on this machine only.
	Insecure bool
	// CAFile is a PEM file of certificate authorities, trusted beside the system's.
	CAFile string
	// CA is the same as text.
	CA string
	// Scheme is "https" or "http" where only the one may be spoken, Insecure or not.
	Scheme string
	// Proxy replaces what the environment says; it returns nil for no proxy.
	Proxy func(*http.Request) (*url.URL, error)
	// UserAgent defaults to "pratique".
	UserAgent string
	// Credentials is asked once for each repository that wants to know who asks;
	// nil is [DockerConfig].
	Credentials Credentials
}

// Client reads one registry. It is safe for concurrent use. HTTP_PROXY,
// HTTPS_PROXY and NO_PROXY are obeyed.
type Client struct {
	host   string // as users write it
	http   *http.Client
	opt    Options
	limits limits

	mu     sync.Mutex
	scheme string              // "https", until the registry turns out to speak plain HTTP
	grants map[string]*grant   // by repository
	realms map[string]struct{} // SCHEME://HOST of the token services that were asked

	secretMu sync.Mutex
	secrets  map[string]struct{} // values that no error may repeat
}

// limits are how long we wait for others, and how often.
type limits struct {
	connect  time.Duration // for a connection, and again for its TLS handshake
	header   time.Duration // from a request to the header of its answer
	document time.Duration // for a whole manifest, token or list page
	idle     time.Duration // for bytes of a blob
	minRate  int64         // bytes a second below which a blob counts as stalled, over idle
	attempts int           // for one request, or for one stretch of a blob
	backoff  time.Duration // before the second attempt; doubles each time
	patience time.Duration // all waiting that a registry may ask of one request
}

func defaultLimits() limits {
	return limits{
		connect:  15 * time.Second,
		header:   60 * time.Second,
		document: 2 * time.Minute,
		idle:     30 * time.Second,
		minRate:  256,
		attempts: 5,
		backoff:  500 * time.Millisecond,
		patience: 60 * time.Second,
	}
}

// New returns a client of the registry at host, which may carry a port. Nothing
// is sent yet.
func New(host string, opt Options) (*Client, error) {
	return newClient(host, opt, defaultLimits())
}

func newClient(host string, opt Options, lim limits) (*Client, error) {
	if !hostPattern.MatchString(host) {
		return nil, pratique.Errorf(pratique.CodeInvalid, "%.120q is not a registry's host", host).
			WithRemedy("write HOST or HOST:PORT, without https:// and without a path")
	}
	if opt.UserAgent == "" {
		opt.UserAgent = "pratique"
	}
	if opt.Credentials == nil {
		opt.Credentials = DockerConfig
	}
	if opt.Proxy == nil {
		opt.Proxy = http.ProxyFromEnvironment
	}
	c := &Client{
		host: host, opt: opt, scheme: cmp.Or(opt.Scheme, "https"), limits: lim,
		grants: map[string]*grant{}, realms: map[string]struct{}{}, secrets: map[string]struct{}{},
	}
	roots, err := readRoots(opt.CAFile, opt.CA)
	if err != nil {
		return nil, err
	}
	c.http = &http.Client{
		Transport:     c.transport(roots),
		CheckRedirect: c.checkRedirect,
	}
	return c, nil
}

func readRoots(file, text string) (*x509.CertPool, error) {
	if file == "" && text == "" {
		return nil, nil // the system's
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if text != "" && !roots.AppendCertsFromPEM([]byte(text)) {
		return nil, pratique.Errorf(pratique.CodeInvalid, "the CA holds no certificate").
			WithRemedy("give certificates in PEM, with BEGIN CERTIFICATE lines")
	}
	if file == "" {
		return roots, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, pratique.Errorf(pratique.CodeInvalid, "the CA file cannot be read: %w", err).
			WithRemedy("give a readable PEM file of certificate authorities")
	}
	if !roots.AppendCertsFromPEM(pem) {
		return nil, pratique.Errorf(pratique.CodeInvalid, "the CA file %s holds no certificate", file).
			WithRemedy("give a PEM file with BEGIN CERTIFICATE blocks")
	}
	return roots, nil
}

func (c *Client) transport(roots *x509.CertPool) *http.Transport {
	dialer := net.Dialer{Timeout: c.limits.connect, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:                 c.opt.Proxy,
		DialContext:           dialer.DialContext,
		TLSHandshakeTimeout:   c.limits.connect,
		ResponseHeaderTimeout: c.limits.header,
		TLSClientConfig:       &tls.Config{RootCAs: roots, InsecureSkipVerify: c.opt.Insecure, MinVersion: tls.VersionTLS12}, //nolint:gosec // the user asked for it
		ForceAttemptHTTP2:     true,
		MaxIdleConnsPerHost:   16, // a listing keeps as many busy
		IdleConnTimeout:       time.Minute,
		// Blobs are verified as they are stored: nobody may inflate them on the way.
		DisableCompression:     true,
		MaxResponseHeaderBytes: 1 << 20,
	}
}

// Close lets go of idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// checkRedirect keeps credentials on the host that they are for: net/http would
// send them to subdomains and other ports as well.
func (c *Client) checkRedirect(req *http.Request, via []*http.Request) error {
	if len(via) >= 10 {
		return pratique.Errorf(pratique.CodeUnreachable, "%s redirects in circles", c.host).
			WithRemedy("check the registry's storage and proxy settings")
	}
	first := via[0].URL
	if req.URL.Scheme != first.Scheme || req.URL.Host != first.Host {
		req.Header.Del("Authorization")
	}
	if req.URL.Scheme == "http" && first.Scheme == "https" && !c.opt.Insecure {
		return pratique.Errorf(pratique.CodeUnreachable, "%s redirects from TLS to plain HTTP at %s", c.host, printable(req.URL.Host, 100)).
			WithRemedy("let the registry's storage be reached by TLS, or add --insecure")
	}
	return nil
}

// address is the host that serves the API.
func (c *Client) address() string {
	if c.host == DockerHub {
		return "registry-1.docker.io"
	}
	return c.host
}

// request is one thing that is asked of the registry.
type request struct {
	repository string // whose right is needed; "" for the catalogue
	path       string // "/v2/…", or a whole URL on the same host
	accept     string
	offset     int64  // of a blob
	what       string // for people: "blob 0123456789ab of team/app"
	reference  string // for people, in "not found"
	method     string // "" is GET
	// authorization is sent at once, and challenges are not answered.
	authorization string
	// refusals are answers too: only what may pass is tried again.
	refusals bool
}

// send asks until there is an answer with a usable status, or a reason to stop:
// it authenticates, waits where the registry asks for patience, and tries again
// what may pass. The caller closes the body.
func (c *Client) send(ctx context.Context, r request) (*http.Response, error) {
	var waited time.Duration
	for attempt := 1; ; attempt++ {
		resp, err := c.authenticated(ctx, r)
		pause := c.limits.backoff << (attempt - 1)
		switch {
		case err != nil:
			// A token service may ask for patience, or have a fault, as a registry may.
			var asked patience
			err = c.explain(ctx, err)
			again := mayPass(err) || errors.As(err, &asked) || errors.Is(err, registry.FaultServer)
			if !again || attempt >= c.limits.attempts || waited+time.Duration(asked) > c.limits.patience {
				return nil, err
			}
			pause = max(pause, time.Duration(asked))
		case resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusPartialContent,
			resp.StatusCode == http.StatusRequestedRangeNotSatisfiable && r.offset > 0,
			r.refusals && resp.StatusCode >= 300 && !mayPassStatus(resp.StatusCode):
			return resp, nil
		default:
			err = c.refusal(resp, r)
			asked := retryAfter(resp.Header, time.Now())
			_ = resp.Body.Close()
			if !mayPassStatus(resp.StatusCode) || attempt >= c.limits.attempts || waited+asked > c.limits.patience {
				return nil, err
			}
			pause = max(pause, asked)
		}
		waited += pause
		if err := c.pause(ctx, pause); err != nil {
			return nil, err
		}
	}
}

func (c *Client) pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return c.explain(ctx, ctx.Err())
	case <-timer.C:
		return nil
	}
}

// tokenRounds bounds the attempts at one request with ever new tokens.
const tokenRounds = 8

// authenticated sends r with what we know of the registry's wishes, and again
// when it answers with a challenge. Requests share tokens, so one that is refused
// may have been good until the others had used it up: it is exchanged again, up to
// tokenRounds times. When this request has just got the token and is alone with it,
// the registry does not want us.
func (c *Client) authenticated(ctx context.Context, r request) (*http.Response, error) {
	if r.authorization != "" {
		return c.once(ctx, r, r.authorization)
	}
	authorization, own := c.known(r.repository), false
	for round := 1; ; round++ {
		resp, err := c.once(ctx, r, authorization)
		if err != nil || resp.StatusCode != http.StatusUnauthorized || !c.sameHost(resp) {
			return resp, err
		}
		if round == tokenRounds || own && !c.shared(r.repository, authorization) {
			return resp, nil
		}
		challenges := parseChallenges(resp.Header.Values("WWW-Authenticate"))
		if len(challenges) == 0 {
			return resp, nil
		}
		authorization, own, err = c.authorize(ctx, r.repository, challenges, authorization)
		if err == nil && authorization == "" {
			return resp, nil
		}
		drain(resp.Body)
		if err != nil {
			return nil, err
		}
	}
}

// sameHost tells whether the registry itself answered, not what it redirects to.
func (c *Client) sameHost(resp *http.Response) bool {
	at := resp.Request.URL
	return at.Host == c.address() && at.Scheme == c.currentScheme()
}

// once sends r, over plain HTTP if that is what the registry speaks.
func (c *Client) once(ctx context.Context, r request, authorization string) (*http.Response, error) {
	scheme := c.currentScheme()
	resp, err := c.get(ctx, scheme, r, authorization)
	if err == nil || scheme == "http" || c.opt.Scheme != "" || !(c.opt.Insecure || isLoopback(c.host)) || !speaksPlainHTTP(err, c.address()) {
		return resp, err
	}
	c.setScheme("http")
	return c.get(ctx, "http", r, authorization)
}

// speaksPlainHTTP: the server answered a TLS handshake in clear text, or has
// nothing on 443 although no port was named.
func speaksPlainHTTP(err error, address string) bool {
	var op *net.OpError
	noPort := !strings.Contains(strings.TrimPrefix(address, "["), ":")
	return errors.Is(err, http.ErrSchemeMismatch) || noPort && errors.As(err, &op) && op.Op == "dial"
}

func (c *Client) get(ctx context.Context, scheme string, r request, authorization string) (*http.Response, error) {
	address := r.path
	if strings.HasPrefix(address, "/") {
		address = scheme + "://" + c.address() + address
	}
	req, err := http.NewRequestWithContext(ctx, cmp.Or(r.method, http.MethodGet), address, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", c.opt.UserAgent)
	if r.accept != "" {
		req.Header.Set("Accept", r.accept)
	}
	if r.offset > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", r.offset))
	}
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	return c.http.Do(req)
}

func (c *Client) currentScheme() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.scheme
}

func (c *Client) setScheme(s string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.scheme = s
}

// document asks for something small and reads all of it.
func (c *Client) document(ctx context.Context, r request, limit int64) ([]byte, *http.Response, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.limits.document, errTooSlow)
	defer cancel()
	resp, err := c.send(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	content, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return nil, nil, c.explain(ctx, err)
	}
	if isHTML(resp.Header, content) {
		return nil, nil, c.notRegistry()
	}
	return content, resp, nil
}

// Manifest returns the manifest or index that ref, a tag or a digest, names in
// the repository. Its digest is computed from its bytes, and is ref where ref is
// a digest.
func (c *Client) Manifest(ctx context.Context, repository, ref string) (Descriptor, []byte, error) {
	content, resp, err := c.document(ctx, request{
		repository: repository,
		path:       "/v2/" + repository + "/manifests/" + url.PathEscape(ref),
		accept:     acceptManifests,
		what:       "the manifest of " + repository,
		reference:  c.host + "/" + repository + separator(ref) + ref,
	}, MaxManifest)
	if err != nil {
		return Descriptor{}, nil, err
	}
	if len(content) > MaxManifest {
		return Descriptor{}, nil, errManifestTooLarge()
	}
	mediaType, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	d := Descriptor{MediaType: strings.TrimSpace(mediaType), Digest: pratique.DigestOf(content), Size: int64(len(content))}
	// A schema 1 manifest's digest leaves out its signatures, so ask for the format first.
	if _, err := ParseManifest(content, d.MediaType); err != nil {
		return Descriptor{}, nil, err
	}
	said := resp.Header.Get("Docker-Content-Digest")
	if _, err := pratique.ParseDigest(ref); err == nil {
		said = ref
	} else if _, err := pratique.ParseDigest(said); err != nil {
		said = ""
	}
	if said != "" && said != string(d.Digest) {
		return Descriptor{}, nil, pratique.Errorf(pratique.CodeCorrupt, "%s sent a manifest with digest %s instead of %s", c.host, d.Digest.Short(), pratique.Digest(said).Short()).
			WithRemedy("a proxy or the registry's storage changes content; try again, then push the image again")
	}
	return d, content, nil
}

func separator(ref string) string {
	if strings.Contains(ref, ":") {
		return "@"
	}
	return ":"
}

// drain reads what little is left, so that the connection can be used again.
func drain(body io.ReadCloser) {
	_, _ = io.CopyN(io.Discard, body, 64<<10)
	_ = body.Close()
}
