package distribution

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/registry"
)

func TestConnectThroughProxy(t *testing.T) {
	var through []string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		through = append(through, r.URL.String())
		(&httputil.ReverseProxy{Rewrite: func(*httputil.ProxyRequest) {}}).ServeHTTP(w, r)
	}))
	defer proxy.Close()
	host := serve(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "{}") })
	conn := registry.Connection{Address: "http://" + host, Proxy: proxy.URL}
	c, err := Connect(conn)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, trace := c.Traced(t.Context())
	if _, err := c.Ping(ctx); err != nil || len(through) != 1 || through[0] != "http://"+host+"/v2/" {
		t.Error(err, through)
	}
	var h registry.Health
	c.Fill(&h, trace)
	if at, _ := url.Parse(proxy.URL); len(h.Endpoints) != 1 || h.Endpoints[0] != at.Host {
		t.Errorf("%+v", h)
	}
	conn.Proxy = "none"
	direct, err := Connect(conn)
	if err != nil {
		t.Fatal(err)
	}
	defer direct.Close()
	if _, err := direct.Ping(t.Context()); err != nil || len(through) != 1 {
		t.Error(err, through)
	}
}

func TestConnectRefuses(t *testing.T) {
	for _, c := range []registry.Connection{
		{Address: "https://registry.example.com/path"}, {Address: "registry.example.com", Proxy: "proxy"},
		{Address: "registry.example.com", CA: "-----BEGIN NOTHING-----"},
	} {
		if _, err := Connect(c); pratique.CodeOf(err) != pratique.CodeInvalid {
			t.Errorf("%+v: %v", c.Address, err)
		}
	}
}

// A connection says "any certificate", not "any protocol".
func TestConnectNeverFallsBackToPlainHTTP(t *testing.T) {
	c, err := Connect(registry.Connection{Address: "registry.example.com", Insecure: true, Username: "u", Password: "p"})
	if err != nil || c.opt.Scheme != "https" {
		t.Error(err, c.opt.Scheme)
	}
	host := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("plain HTTP was spoken") })
	c, err = Connect(registry.Connection{Address: "https://" + host, Insecure: true, Username: "u", Password: "p"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Get(t.Context(), "/api", 10); registry.Diagnose(err).Status != registry.StatusTLSFailed {
		t.Error(err)
	}
}

func TestHead(t *testing.T) {
	host := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodHead {
			t.Errorf("%s", r.Method)
		}
		switch r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:] {
		case "told":
			w.Header().Set("Docker-Content-Digest", someDigest)
			w.Header().Set("Content-Type", TypeOCIIndex+"; charset=utf-8")
		case "garbled":
			w.Header().Set("Docker-Content-Digest", "sha256:x")
		case "refused":
			w.WriteHeader(http.StatusMethodNotAllowed)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	})
	c := client(t, host, Options{})
	if d, err := c.Head(t.Context(), "x", "told"); err != nil || d.Digest != someDigest || d.MediaType != TypeOCIIndex {
		t.Error(d, err)
	}
	for _, tag := range []string{"garbled", "refused"} {
		if d, err := c.Head(t.Context(), "x", tag); err != nil || d.Digest != "" {
			t.Error(d, err)
		}
	}
	_, err := c.Head(t.Context(), "x", "gone")
	wantError(t, err, pratique.CodeNotFound, "x:gone does not exist")
}

// Many registries send plain HTTP on to TLS. Following there would lose the
// credential, and look like a wrong password.
func TestRedirectIsToldAsSuch(t *testing.T) {
	secure := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer secure.Close()
	host := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, secure.URL+r.URL.Path, http.StatusMovedPermanently)
	})
	c, err := Connect(registry.Connection{Address: "http://" + host, Username: "u", Password: "p", Insecure: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Ping(t.Context()); registry.Diagnose(err) != registry.FaultRedirect || !strings.Contains(err.Error(), secure.URL) {
		t.Error(err)
	}
	if _, err := c.Get(t.Context(), "/api", 10); registry.Diagnose(err) != registry.FaultRedirect {
		t.Error(err)
	}
}
