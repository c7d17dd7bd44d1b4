package distribution

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/registry"
)

var (
	errTooSlow = fmt.Errorf("answers too slowly: %w", context.DeadlineExceeded)
	errStalled = errors.New("stopped sending")
	// errPageSize: the registry would list less at once than we asked for.
	errPageSize = errors.New("fewer at once")
)

// patience is what a server asked for before the next attempt.
type patience time.Duration

func (p patience) Error() string { return "asks to wait " + time.Duration(p).String() }

// hide remembers values that must not appear in an error.
func (c *Client) hide(values ...string) {
	c.secretMu.Lock()
	defer c.secretMu.Unlock()
	for _, v := range values {
		if len(v) > 3 {
			c.secrets[v] = struct{}{}
		}
	}
}

// told makes what a server said fit to be shown: one short line without
// credentials, which some servers and proxies echo.
func (c *Client) told(s string) string {
	c.secretMu.Lock()
	for v := range c.secrets {
		s = strings.ReplaceAll(s, v, "***")
	}
	c.secretMu.Unlock()
	return printable(s, 160)
}

// printable keeps at most limit characters of s, on one line.
func printable(s string, limit int) string {
	s = strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, s)), " ")
	if runes := []rune(s); len(runes) > limit {
		s = string(runes[:limit]) + "…"
	}
	return s
}

// explain turns a failure to get any answer into an error for people. The
// address in a url.Error is left out: it may be signed.
func (c *Client) explain(ctx context.Context, err error) error {
	if own := new(pratique.Error); errors.As(err, &own) {
		return own
	}
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	where := c.host
	if u := new(url.Error); errors.As(err, &u) {
		if at, perr := url.Parse(u.URL); perr == nil && at.Host != "" && at.Host != c.address() {
			where = printable(at.Host, 100) + " (for " + c.host + ")"
		}
		err = u.Err
	}
	var (
		unknown  *net.DNSError
		authorit x509.UnknownAuthorityError
		hostname x509.HostnameError
		invalid  x509.CertificateInvalidError
		record   tls.RecordHeaderError
		timeout  net.Error
	)
	unreachable := func(format string, args ...any) *pratique.Error {
		e := pratique.Errorf(pratique.CodeUnreachable, format, args...)
		e.Cause = err
		return e
	}
	switch {
	case errors.Is(err, context.Canceled):
		e := pratique.Errorf(pratique.CodeCancelled, "reading from %s was cancelled", where)
		e.Cause = err
		return e
	case errors.Is(err, http.ErrSchemeMismatch), errors.As(err, &record):
		return unreachable("%s does not speak TLS", where).WithRemedy("add --insecure if it is meant to be plain HTTP")
	case errors.As(err, &authorit):
		return unreachable("%s has a certificate of an unknown authority", where).WithRemedy("give its authority with --ca FILE, or add --insecure")
	case errors.As(err, &hostname):
		return unreachable("%s has a certificate for another name", where).WithRemedy("use the name in the certificate, or add --insecure")
	case errors.As(err, &invalid):
		return unreachable("%s has a certificate that is expired or not valid", where).WithRemedy("renew it, check this machine's clock, or add --insecure")
	case errors.As(err, &unknown):
		return unreachable("the host %s is not known", where).WithRemedy("check the spelling, the DNS, and HTTPS_PROXY and NO_PROXY")
	case errors.Is(err, syscall.ECONNREFUSED):
		return unreachable("nothing listens at %s", where).WithRemedy("check host and port, and that the registry runs")
	case errors.Is(err, errStalled):
		return unreachable("%s stopped sending", where).WithRemedy("try again; what was read completely is not read twice")
	case errors.Is(err, errTooSlow), errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return unreachable("%s does not answer in time", where).WithRemedy("check the network, and HTTPS_PROXY and NO_PROXY, then try again")
	}
	return unreachable("the connection to %s failed: %s", where, c.told(err.Error())).
		WithRemedy("check the network, and HTTPS_PROXY and NO_PROXY, then try again")
}

// mayPass tells whether another attempt after err could succeed: a broken
// connection may, a wrong name, address or certificate will not.
func mayPass(err error) bool {
	var (
		own      *pratique.Error
		unknown  *net.DNSError
		authorit x509.UnknownAuthorityError
		hostname x509.HostnameError
		invalid  x509.CertificateInvalidError
		record   tls.RecordHeaderError
		told     *registry.Fault
	)
	switch {
	case errors.As(err, &told): // the registry did answer
		return false
	case !errors.As(err, &own), own.Code != pratique.CodeUnreachable, own.Cause == nil:
		return false
	case errors.As(err, &unknown):
		return unknown.IsTemporary && !unknown.IsNotFound
	case errors.As(err, &authorit), errors.As(err, &hostname), errors.As(err, &invalid), errors.As(err, &record),
		errors.Is(err, http.ErrSchemeMismatch), errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, errTooSlow):
		return false
	}
	return true
}

// serverFault is a [registry.FaultServer] with the status that told it.
type serverFault int

func (f serverFault) Error() string { return strconv.Itoa(int(f)) + " " + http.StatusText(int(f)) }
func (f serverFault) Unwrap() error { return registry.FaultServer }

// IsInternal tells whether the registry itself failed at what was asked of it (500), not
// something in front of it or behind it.
func IsInternal(err error) bool {
	var f serverFault
	return errors.As(err, &f) && f == http.StatusInternalServerError
}

func mayPassStatus(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusRequestTimeout, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// refusal turns an answer that is not what was asked for into an error.
func (c *Client) refusal(resp *http.Response, r request) error {
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	html := isHTML(resp.Header, body)
	said := c.errorBody(body)
	because := ""
	if said != "" {
		because = ": " + said
	}
	switch status := resp.StatusCode; {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		if !c.sameHost(resp) && resp.Request.URL.Host != "" {
			return pratique.Errorf(pratique.CodeUnauthorized, "%s, where %s keeps its content, refuses us (%d)%s", printable(resp.Request.URL.Host, 100), c.host, status, because).
				WithRemedy("try again; if it stays, check the registry's storage settings and this machine's clock")
		}
		e := pratique.Errorf(pratique.CodeUnauthorized, "%s refuses access to %s (%d)%s", c.host, r.what, status, because).
			WithRemedy("run `docker login %s` with an account that may pull it", c.host)
		e.Cause = registry.FaultForbidden
		if status == http.StatusUnauthorized && !c.recognised(resp.Request, r) {
			e.Cause = registry.FaultCredential
		}
		return e
	case status == http.StatusPreconditionFailed && r.repository != "": // Harbor's alone
		return registry.FaultPolicy.Errorf("%s has a policy against pulling %s (%d)%s", c.host, r.reference, status, because)
	case status == http.StatusMethodNotAllowed && r.repository == "":
		return pratique.Errorf(pratique.CodeUnsupported, "%s does not offer %s (%d)%s", c.host, r.what, status, because).
			WithRemedy("check that HOST is a registry, and the proxy in front of it")
	case status == http.StatusBadRequest && strings.HasPrefix(said, "PAGINATION_NUMBER_INVALID"):
		e := pratique.Errorf(pratique.CodeLimit, "%s gives fewer of %s at once than were asked for (%d)%s", c.host, r.what, status, because).
			WithRemedy("let the registry list 1000 entries at once")
		e.Cause = errPageSize
		return e
	case status == http.StatusTooManyRequests:
		return c.rateLimited(resp.Header, because)
	case status == http.StatusServiceUnavailable && resp.Header.Get("Retry-After") != "":
		return c.rateLimited(resp.Header, because)
	case status == http.StatusNotFound && html || status < 400:
		return c.notRegistry()
	case status == http.StatusNotFound:
		return pratique.Errorf(pratique.CodeNotFound, "%s does not exist%s", r.reference, because).
			WithRemedy("check the spelling of repository and tag, and that you may see it")
	case status >= 500:
		e := pratique.Errorf(pratique.CodeUnreachable, "%s has a fault of its own (%d)%s", c.host, status, because).
			WithRemedy("try again later, and look into the registry's log if it stays")
		e.Cause = serverFault(status)
		return e
	default:
		return pratique.Errorf(pratique.CodeUnreachable, "%s does not accept the request for %s (%d)%s", c.host, r.what, status, because).
			WithRemedy("check that HOST is a registry, and the proxy in front of it")
	}
}

// recognised tells whether a registry that answers 401 knows us all the same. Harbor's
// token service has a token for everybody, and asks for the password after one that
// gives no right, as if it had never seen us. So the credential is tried where nothing
// else is asked for: at the token service as for a login, or at the registry's root.
func (c *Client) recognised(sent *http.Request, r request) bool {
	ctx, authorization := sent.Context(), sent.Header.Get("Authorization")
	var where string
	switch {
	case strings.HasPrefix(authorization, "Bearer "):
		cred, err := c.opt.Credentials(ctx, c.host, r.repository)
		if where = c.login(r.repository); where == "" || err != nil || cred.Username == "" {
			return true
		}
		authorization = basic(cred)
	case authorization != "" && r.repository != "":
		where = c.currentScheme() + "://" + c.address() + "/v2/"
	default:
		return false
	}
	resp, err := c.get(ctx, "", request{path: where}, authorization)
	if err != nil {
		return true // which says nothing about the credential
	}
	drain(resp.Body)
	return resp.StatusCode != http.StatusUnauthorized && resp.StatusCode != http.StatusForbidden
}

func (c *Client) rateLimited(h http.Header, because string) error {
	now := time.Now()
	e := pratique.Errorf(pratique.CodeRateLimited, "%s asks for patience%s", c.host, because)
	d := retryAfter(h, now)
	e.Cause = patience(d)
	if d > 0 {
		e.Message = c.host + " asks to wait until " + now.Add(d).Local().Format("2006-01-02 15:04:05 MST") + because
	}
	return e.WithRemedy("try again then; a login often raises the limit (`docker login %s`)", c.host)
}

func (c *Client) notRegistry() error {
	e := pratique.Errorf(pratique.CodeUnreachable, "%s answers with a web page: that is not a registry", c.host).
		WithRemedy("check host and port, and whether a proxy or a login page stands in between")
	e.Cause = registry.FaultNotRegistry
	return e
}

// errorBody returns the message of a registry's error document: the
// specification's, or Harbor 1's.
func (c *Client) errorBody(body []byte) string {
	var doc struct {
		Errors []struct {
			Code    string `json:"code"`
			Message string `json:"message"`
		} `json:"errors"`
		Message string `json:"message"`
	}
	if json.Unmarshal(body, &doc) != nil {
		return ""
	}
	for _, e := range doc.Errors {
		if e.Message != "" || e.Code != "" {
			return c.told(strings.Trim(e.Code+" "+e.Message, " "))
		}
	}
	return c.told(doc.Message)
}

func isHTML(h http.Header, body []byte) bool {
	if strings.HasPrefix(h.Get("Content-Type"), "text/html") {
		return true
	}
	start := bytes.ToLower(bytes.TrimSpace(body[:min(len(body), 256)]))
	return bytes.HasPrefix(start, []byte("<!doctype html")) || bytes.HasPrefix(start, []byte("<html"))
}

// retryAfter reads the Retry-After header, in seconds or as a date (RFC 9110,
// 10.2.3). Zero means that there is none, or that its time has passed.
func retryAfter(h http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if seconds, err := strconv.ParseInt(value, 10, 64); err == nil {
		const year = 365 * 24 * 3600
		return time.Duration(min(max(seconds, 0), year)) * time.Second
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return max(at.Sub(now), 0)
}
