package distribution

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/registry"
)

// Connect returns a client for a connection, with its address, credential,
// certificates and proxy. Nothing is sent yet.
func Connect(conn registry.Connection) (*Client, error) {
	scheme, host, err := conn.Endpoint()
	if err != nil {
		return nil, err
	}
	if scheme == "" && !isLoopback(host) {
		scheme = "https" // Insecure is about certificates: it does not send passwords in clear text
	}
	opt := Options{
		Insecure: conn.Insecure, CA: conn.CA, Scheme: scheme,
		Credentials: Static(Credential{Username: conn.Username, Password: conn.Password}),
	}
	proxy, set, err := conn.ProxyURL()
	if err != nil {
		return nil, err
	}
	if set {
		opt.Proxy = http.ProxyURL(proxy)
	}
	c, err := New(host, opt)
	if err != nil {
		return nil, err
	}
	c.hide(conn.Password, conn.WebhookSecret)
	return c, nil
}

// Answer is what a registry's own API says. Its status is below 500, and not 429.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
	Next   string // path of the next page, from the Link header; "" without one

	client *Client
	path   string
}

// Get asks the registry's own API, beside /v2, for a path on the same host. The
// credential, if there is one, goes along at once as Basic authentication.
// Refusals (4xx) are answers for the caller to judge; what may pass is tried
// again as for manifests, with the same patience. A redirect that leaves the
// host, or its scheme, is an error: an API that needs the credential is of no use
// there. A body is at most limit bytes.
func (c *Client) Get(ctx context.Context, path string, limit int64) (Answer, error) {
	cred, err := c.opt.Credentials(ctx, c.host, "")
	if err != nil {
		return Answer{}, err
	}
	r := request{path: path, accept: "application/json", what: "its API", reference: "that part of the API of " + c.host, refusals: true}
	if cred.Username != "" {
		r.authorization = basic(cred)
		c.hide(cred.Password, strings.TrimPrefix(r.authorization, "Basic "))
	}
	ctx, cancel := context.WithTimeoutCause(ctx, c.limits.document, errTooSlow)
	defer cancel()
	resp, err := c.send(ctx, r)
	if err != nil {
		return Answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	if !c.sameHost(resp) {
		return Answer{}, c.redirected(resp)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return Answer{}, c.explain(ctx, err)
	}
	if int64(len(body)) > limit {
		return Answer{}, pratique.Errorf(pratique.CodeLimit, "%s answers with more than %d MiB where less was asked for", c.host, limit>>20).
			WithRemedy("check that the address is the registry's, and the proxy in front of it")
	}
	next, err := c.nextPage(resp)
	return Answer{Status: resp.StatusCode, Header: resp.Header, Body: body, Next: next, client: c, path: path}, err
}

func (c *Client) redirected(resp *http.Response) error {
	at := resp.Request.URL
	return registry.FaultRedirect.Errorf("%s redirects to %s", c.host, printable(at.Scheme+"://"+at.Host, 120))
}

// IsHTML tells whether a page for people came instead of an API's answer.
func (a Answer) IsHTML() bool { return isHTML(a.Header, a.Body) }

// Err returns what a refusal means, nil for success.
func (a Answer) Err(what string) error {
	if a.Status < 300 {
		if a.IsHTML() {
			return a.client.notRegistry()
		}
		return nil
	}
	resp := &http.Response{StatusCode: a.Status, Header: a.Header, Body: io.NopCloser(bytes.NewReader(a.Body)), Request: &http.Request{URL: &url.URL{Scheme: a.client.currentScheme(), Host: a.client.address()}}}
	return a.client.refusal(resp, request{what: what, reference: what + " at " + a.client.host})
}

// Decode reads the body of a success as JSON into v.
func (a Answer) Decode(what string, v any) error {
	if err := a.Err(what); err != nil {
		return err
	}
	if err := json.Unmarshal(a.Body, v); err != nil {
		return registry.FaultNotRegistry.Errorf("%s answers with something else than JSON when asked for %s", a.client.host, what)
	}
	return nil
}

// Head asks for the digest and media type of a manifest without reading it,
// which registries do not count as a pull. An empty digest means that the
// registry does not tell this way.
func (c *Client) Head(ctx context.Context, repository, ref string) (Descriptor, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.limits.document, errTooSlow)
	defer cancel()
	r := request{
		method: http.MethodHead, repository: repository,
		path:      "/v2/" + repository + "/manifests/" + url.PathEscape(ref),
		accept:    acceptManifests,
		what:      "the manifest of " + repository,
		reference: c.host + "/" + repository + separator(ref) + ref,
		refusals:  true,
	}
	resp, err := c.send(ctx, r)
	if err != nil {
		return Descriptor{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusMethodNotAllowed, http.StatusNotImplemented, http.StatusBadRequest:
		return Descriptor{}, nil
	default:
		return Descriptor{}, c.refusal(resp, r)
	}
	digest, err := pratique.ParseDigest(resp.Header.Get("Docker-Content-Digest"))
	if err != nil {
		return Descriptor{}, nil
	}
	mediaType, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	return Descriptor{MediaType: strings.TrimSpace(mediaType), Digest: digest, Size: max(resp.ContentLength, 0)}, nil
}

// Pong is what a first conversation with a registry shows.
type Pong struct {
	APIVersion string // the header of that name, "registry/2.0"
	// Asked: the registry wanted to know who we are. Without it, the credential
	// was not checked.
	Asked bool
}

// Ping asks whether the registry speaks the protocol and accepts us.
func (c *Client) Ping(ctx context.Context) (Pong, error) {
	body, resp, err := c.document(ctx, request{path: "/v2/", what: "its API", reference: "the registry API at " + c.host, refusals: true}, 1<<20)
	if err != nil {
		return Pong{}, err
	}
	if !c.sameHost(resp) {
		return Pong{}, c.redirected(resp)
	}
	version := printable(resp.Header.Get("Docker-Distribution-Api-Version"), 40)
	if resp.StatusCode == http.StatusNotFound || resp.StatusCode < 300 && version == "" && !json.Valid(body) {
		return Pong{}, registry.FaultNotRegistry.Errorf("%s does not speak the registry protocol (/v2/)", c.host)
	}
	if resp.StatusCode != http.StatusOK {
		return Pong{}, Answer{Status: resp.StatusCode, Header: resp.Header, Body: body, client: c}.Err("its API")
	}
	return Pong{APIVersion: version, Asked: c.known("") != ""}, nil
}

// Trace is where requests went: see [Client.Traced].
type Trace struct {
	mu      sync.Mutex
	sources []string
	began   time.Time
	latency time.Duration
}

// Traced returns a context in which the client's requests are watched.
func (c *Client) Traced(ctx context.Context) (context.Context, *Trace) {
	t := &Trace{}
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) {
			t.mu.Lock()
			defer t.mu.Unlock()
			host := hostOf(info.Conn.LocalAddr().String())
			if !slices.Contains(t.sources, host) {
				t.sources = append(t.sources, host)
			}
		},
		WroteRequest: func(httptrace.WroteRequestInfo) {
			t.mu.Lock()
			defer t.mu.Unlock()
			t.began = time.Now()
		},
		GotFirstResponseByte: func() {
			t.mu.Lock()
			defer t.mu.Unlock()
			if d := time.Since(t.began); t.latency == 0 || d < t.latency {
				t.latency = d
			}
		},
	}), t
}

// Fill writes what was seen into a connection test's result.
func (c *Client) Fill(h *registry.Health, t *Trace) {
	t.mu.Lock()
	defer t.mu.Unlock()
	h.Sources, h.Latency, h.Checked = t.sources, t.latency, time.Now().UTC()
	scheme := c.currentScheme()
	if cred, err := c.opt.Credentials(context.Background(), c.host, ""); err == nil && cred.Password != "" && scheme == "http" && !isLoopback(c.host) {
		h.Warnings = append(h.Warnings, registry.WarnPlain)
	}
	targets := []string{scheme + "://" + c.address()}
	c.mu.Lock()
	for realm := range c.realms {
		targets = append(targets, realm)
	}
	c.mu.Unlock()
	slices.Sort(targets[1:])
	for _, target := range targets {
		u, err := url.Parse(target)
		if err != nil {
			continue
		}
		at := registry.HostPort(u.Scheme, u.Host)
		if proxy, err := c.opt.Proxy(&http.Request{URL: u}); err == nil && proxy != nil {
			at = registry.HostPort(proxy.Scheme, proxy.Host)
		}
		if !slices.Contains(h.Endpoints, at) {
			h.Endpoints = append(h.Endpoints, at)
		}
	}
}
