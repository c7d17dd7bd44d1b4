package distribution

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/registry"
)

// Credential is what a registry, or its token service, knows somebody by. The
// zero value is nobody. Not more than one of the three is set.
type Credential struct {
	Username, Password string
	IdentityToken      string // an OAuth 2 refresh token
	RegistryToken      string // a Bearer token, sent as it is
}

// Credentials finds the credential for a repository; an empty repository means
// the registry as a whole.
type Credentials func(ctx context.Context, host, repository string) (Credential, error)

// Static always gives c.
func Static(c Credential) Credentials {
	return func(context.Context, string, string) (Credential, error) { return c, nil }
}

// DockerConfig looks in Docker's config.json (or Podman's auth.json), and asks
// the credential helpers that it names.
func DockerConfig(ctx context.Context, host, repository string) (Credential, error) {
	auth, err := authn.Resolve(ctx, authn.DefaultKeychain, resource{host, repository})
	if err == nil && auth != authn.Anonymous {
		var cfg *authn.AuthConfig
		if cfg, err = authn.Authorization(ctx, auth); err == nil {
			return Credential{Username: cfg.Username, Password: cfg.Password, IdentityToken: cfg.IdentityToken, RegistryToken: cfg.RegistryToken}, nil
		}
	}
	if err != nil {
		// The cause may quote the file or a helper's output: it stays out.
		return Credential{}, pratique.Errorf(pratique.CodeUnauthorized, "Docker's configuration gives no usable credential for %s", host).
			WithRemedy("check ~/.docker/config.json and the credential helper that it names, or run `docker login %s` again", host)
	}
	return Credential{}, nil
}

// resource is how keychains want to be asked.
type resource struct{ host, repository string }

func (r resource) RegistryStr() string {
	if r.host == DockerHub {
		return name.DefaultRegistry
	}
	return r.host
}

func (r resource) String() string {
	if r.repository == "" {
		return r.RegistryStr()
	}
	return r.RegistryStr() + "/" + r.repository
}

// grant is an Authorization header with its end.
type grant struct {
	authorization string
	expires       time.Time // zero: does not
	shared        bool      // by more than the request that asked for it
	login         string    // where the credential is looked at, whatever it may do
}

// login is where the token service of a repository looks at a credential for its own
// sake, "" without one.
func (c *Client) login(repository string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if g := c.grants[repository]; g != nil {
		return g.login
	}
	return ""
}

// known returns the Authorization header for a repository, "" if we have none
// that still holds.
func (c *Client) known(repository string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	g := c.grants[repository]
	if g == nil || !g.expires.IsZero() && time.Now().After(g.expires) {
		return ""
	}
	g.shared = true
	return g.authorization
}

// shared tells whether other requests carry this header too, or have carried it
// until they exchanged it.
func (c *Client) shared(repository, authorization string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	g := c.grants[repository]
	return g == nil || g.authorization != authorization || g.shared
}

// authorize answers a challenge and remembers the answer. When several requests
// meet the same challenge, one asks and the others take its answer: tried is the
// header that the registry has just refused. fresh tells that this call asked. The
// answer is "" if it would be what was tried.
func (c *Client) authorize(ctx context.Context, repository string, challenges []challenge, tried string) (authorization string, fresh bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if g := c.grants[repository]; g != nil && g.authorization != tried && (g.expires.IsZero() || time.Now().Before(g.expires)) {
		g.shared = true
		return g.authorization, false, nil
	}
	cred, err := c.opt.Credentials(ctx, c.host, repository)
	if err != nil {
		return "", false, err
	}
	c.hide(cred.Password, cred.IdentityToken, cred.RegistryToken)
	g, err := c.answer(ctx, repository, challenges, cred)
	if err != nil {
		return "", false, err
	}
	if g.authorization == tried {
		if cred == (Credential{}) {
			err = c.denied(cred)
		}
		return "", false, err
	}
	_, sent, _ := strings.Cut(g.authorization, " ")
	c.hide(sent)
	c.grants[repository] = g
	return g.authorization, true, nil
}

// answer prefers Bearer: whoever offers both means Basic for its token service.
func (c *Client) answer(ctx context.Context, repository string, challenges []challenge, cred Credential) (*grant, error) {
	for _, ch := range challenges {
		if ch.scheme != "bearer" {
			continue
		}
		if cred.RegistryToken != "" {
			return &grant{authorization: "Bearer " + cred.RegistryToken}, nil
		}
		return c.token(ctx, repository, ch, cred)
	}
	for _, ch := range challenges {
		if ch.scheme == "basic" && cred.Username != "" {
			return &grant{authorization: basic(cred)}, nil
		}
		if ch.scheme == "basic" {
			return nil, c.denied(cred)
		}
	}
	return nil, pratique.Errorf(pratique.CodeUnsupported, "%s asks for %s authentication", c.host, printable(challenges[0].scheme, 20)).
		WithRemedy("let the registry offer Basic or Bearer authentication")
}

func basic(cred Credential) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(cred.Username+":"+cred.Password))
}

func (c *Client) denied(cred Credential) error {
	if cred == (Credential{}) {
		e := pratique.Errorf(pratique.CodeUnauthorized, "%s wants a login", c.host).
			WithRemedy("run `docker login %s`; a registry also says so of images that do not exist", c.host)
		e.Cause = registry.FaultLogin
		return e
	}
	return pratique.Errorf(pratique.CodeUnauthorized, "%s does not accept the stored credential for this image", c.host).
		WithRemedy("run `docker login %s` again, with an account that may pull it", c.host)
}

// token exchanges the credential at the challenge's realm (distribution's
// "Token Authentication"; for refresh tokens its "OAuth2" form).
func (c *Client) token(ctx context.Context, repository string, ch challenge, cred Credential) (*grant, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.limits.document, errTooSlow)
	defer cancel()
	realm, err := c.realm(ch)
	if err != nil {
		return nil, err
	}
	c.realms[realm.Scheme+"://"+realm.Host] = struct{}{}
	form := realm.Query()
	if ch.params["service"] != "" {
		form.Set("service", ch.params["service"])
	}
	login := *realm
	login.RawQuery = form.Encode()
	form.Set("scope", scopeFor(repository, ch.params["scope"]))
	var req *http.Request
	if cred.IdentityToken != "" {
		form.Set("grant_type", "refresh_token")
		form.Set("refresh_token", cred.IdentityToken)
		form.Set("client_id", "pratique")
		req, err = http.NewRequestWithContext(ctx, http.MethodPost, realm.String(), strings.NewReader(form.Encode()))
		if err == nil {
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
	} else {
		realm.RawQuery = form.Encode()
		req, err = http.NewRequestWithContext(ctx, http.MethodGet, realm.String(), nil)
		if err == nil && cred.Username != "" {
			req.Header.Set("Authorization", basic(cred))
		}
	}
	if err != nil {
		return nil, c.badRealm()
	}
	req.Header.Set("User-Agent", c.opt.UserAgent)
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	g, err := c.readToken(ctx, resp, cred)
	if err == nil {
		g.login = login.String()
	}
	return g, err
}

func (c *Client) realm(ch challenge) (*url.URL, error) {
	realm, err := url.Parse(ch.params["realm"])
	if err != nil || realm.Host == "" || realm.User != nil || realm.Scheme != "https" && realm.Scheme != "http" {
		return nil, c.badRealm()
	}
	if realm.Scheme == "http" && c.scheme == "https" && realm.Host == c.address() {
		realm.Scheme = "https" // what ends TLS for the registry did not tell it
	}
	// A token service without TLS would get the password in clear text.
	if realm.Scheme == "http" && c.scheme == "https" && !c.opt.Insecure && !isLoopback(realm.Host) {
		return nil, pratique.Errorf(pratique.CodeUnreachable, "%s sends us to a token service without TLS at %s", c.host, printable(realm.Host, 100)).
			WithRemedy("correct the registry's token realm, or add --insecure")
	}
	return realm, nil
}

func (c *Client) badRealm() error {
	return pratique.Errorf(pratique.CodeUnreachable, "%s names no usable token service", c.host).
		WithRemedy("correct the realm in the registry's authentication settings")
}

// scopeFor prefers the registry's own wish, which may rewrite names.
func scopeFor(repository, asked string) string {
	switch {
	case asked != "":
		return asked
	case repository == "":
		return "registry:catalog:*"
	}
	return "repository:" + repository + ":pull"
}

func (c *Client) readToken(ctx context.Context, resp *http.Response, cred Credential) (*grant, error) {
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return nil, c.explain(ctx, err)
	}
	where := request{what: "a token for this image", reference: "the token service of " + c.host}
	switch {
	case resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden || resp.StatusCode == http.StatusBadRequest && cred.IdentityToken != "":
		return nil, c.denied(cred)
	case resp.StatusCode != http.StatusOK:
		resp.Body = io.NopCloser(strings.NewReader(string(body)))
		return nil, c.refusal(resp, where)
	}
	var t struct {
		Token       string    `json:"token"`
		AccessToken string    `json:"access_token"`
		ExpiresIn   int64     `json:"expires_in"`
		IssuedAt    time.Time `json:"issued_at"`
	}
	// issued_at is the service's clock, not ours: only its presence would matter.
	if err := json.Unmarshal(body, &t); err != nil || t.Token == "" && t.AccessToken == "" {
		return nil, pratique.Errorf(pratique.CodeUnreachable, "the token service of %s gives no token", c.host).
			WithRemedy("check the realm in the registry's authentication settings")
	}
	if t.Token == "" {
		t.Token = t.AccessToken
	}
	c.hide(t.Token)
	const least = 60 // seconds; the protocol's default, and what shorter claims are raised to
	life := time.Duration(min(max(t.ExpiresIn, least), 24*3600)) * time.Second
	return &grant{authorization: "Bearer " + t.Token, expires: time.Now().Add(life * 9 / 10)}, nil
}

// challenge is one offer of a WWW-Authenticate header (RFC 9110, 11.6.1).
type challenge struct {
	scheme string // lower case
	params map[string]string
}

// parseChallenges reads headers that may each hold several challenges. What it
// cannot read it leaves out.
func parseChallenges(headers []string) []challenge {
	var all []challenge
	for _, h := range headers {
		for h = skip(h); h != ""; h = skip(h) {
			word, rest := token(h)
			if word == "" {
				break
			}
			if after, ok := strings.CutPrefix(rest, "="); ok && len(all) > 0 {
				var value string
				value, h = paramValue(after)
				all[len(all)-1].params[strings.ToLower(word)] = value
				continue
			}
			all = append(all, challenge{scheme: strings.ToLower(word), params: map[string]string{}})
			h = rest
		}
	}
	return all
}

func skip(s string) string { return strings.TrimLeft(s, " \t,") }

func token(s string) (word, rest string) {
	end := strings.IndexAny(s, " \t,=\"")
	if end < 0 {
		return s, ""
	}
	return s[:end], s[end:]
}

func paramValue(s string) (value, rest string) {
	if !strings.HasPrefix(s, `"`) {
		end := strings.IndexAny(s, " \t,")
		if end < 0 {
			return s, ""
		}
		return s[:end], s[end:]
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case s[i] == '"':
			return b.String(), s[i+1:]
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String(), ""
}
