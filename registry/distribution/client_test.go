package distribution

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/registry"
	"github.com/pratique/pratique/registry/distribution/registrytest"
)

// nobody keeps the tests from using the developer's own credentials.
var nobody = Static(Credential{})

func push(t *testing.T, server registrytest.Server, repository string, opts ...remote.Option) v1.Image {
	t.Helper()
	img, err := random.Image(2<<20, 3)
	if err != nil {
		t.Fatal(err)
	}
	ref, err := name.ParseReference(server.Host + "/" + repository)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, img, opts...); err != nil {
		t.Fatal(err)
	}
	return img
}

// readAll goes from tag to verified layers.
func readAll(t *testing.T, c *Client, repository, tag string, want v1.Image) error {
	t.Helper()
	d, content, err := c.Manifest(t.Context(), repository, tag)
	if err != nil {
		return err
	}
	if digest, err := want.Digest(); err != nil || d.Digest != pratique.Digest(digest.String()) {
		t.Fatalf("manifest %s, want %s, %v", d.Digest, digest, err)
	}
	m, err := ParseManifest(content, d.MediaType)
	if err != nil {
		return err
	}
	for _, l := range append(m.Layers, m.Config) {
		blob, err := c.Blob(t.Context(), repository, l)
		if err != nil {
			return err
		}
		b, err := io.ReadAll(blob)
		_ = blob.Close()
		if err != nil {
			return err
		}
		if pratique.DigestOf(b) != l.Digest {
			t.Fatalf("blob %s has other content", l.Digest)
		}
	}
	return nil
}

func client(t *testing.T, host string, opt Options) *Client {
	t.Helper()
	if opt.Credentials == nil {
		opt.Credentials = nobody
	}
	lim := defaultLimits()
	lim.backoff = time.Millisecond
	lim.idle = 300 * time.Millisecond
	lim.header = 2 * time.Second
	lim.patience = 3 * time.Second
	c, err := newClient(host, opt, lim)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestRealRegistryPlain(t *testing.T) {
	server := registrytest.Start(t, registrytest.Options{})
	img := push(t, server, "team/app:1")
	c := client(t, server.Host, Options{})
	if err := readAll(t, c, "team/app", "1", img); err != nil {
		t.Fatal(err)
	}
	_, _, err := c.Manifest(t.Context(), "team/app", "2")
	wantError(t, err, pratique.CodeNotFound, "team/app:2 does not exist")
	_, _, err = c.Manifest(t.Context(), "team/none", "1")
	wantError(t, err, pratique.CodeNotFound, "team/none:1 does not exist")
	var tags, repositories []string
	for tag, err := range c.Tags(t.Context(), "team/app") {
		if err != nil {
			t.Fatal(err)
		}
		tags = append(tags, tag)
	}
	for r, err := range c.Repositories(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		repositories = append(repositories, r)
	}
	if !slices.Equal(tags, []string{"1"}) || !slices.Equal(repositories, []string{"team/app"}) {
		t.Errorf("tags %v, repositories %v", tags, repositories)
	}
}

func TestRealRegistryPages(t *testing.T) {
	server := registrytest.Start(t, registrytest.Options{})
	img, err := random.Image(10, 1)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{}
	for i := range 5 {
		tag := fmt.Sprintf("r%d/app:1", i)
		ref, _ := name.ParseReference(server.Host + "/" + tag)
		if err := remote.Write(ref, img); err != nil {
			t.Fatal(err)
		}
		want = append(want, fmt.Sprintf("r%d/app", i))
	}
	c := client(t, server.Host, Options{})
	var got []string
	for r, err := range c.list(t.Context(), request{path: "/v2/_catalog?n=2", what: "the catalogue"}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, r)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}

func TestRealRegistryBasic(t *testing.T) {
	server := registrytest.Start(t, registrytest.Options{Basic: true})
	img := push(t, server, "app:1", remote.WithAuth(&authn.Basic{Username: registrytest.Username, Password: registrytest.Password}))
	known := Static(Credential{Username: registrytest.Username, Password: registrytest.Password})
	if err := readAll(t, client(t, server.Host, Options{Credentials: known}), "app", "1", img); err != nil {
		t.Fatal(err)
	}
	_, _, err := client(t, server.Host, Options{}).Manifest(t.Context(), "app", "1")
	wantError(t, err, pratique.CodeUnauthorized, "docker login "+server.Host)
	_, _, err = client(t, server.Host, Options{Credentials: Static(Credential{Username: registrytest.Username, Password: "wrong-password"})}).Manifest(t.Context(), "app", "1")
	wantError(t, err, pratique.CodeUnauthorized, "docker login")
	if strings.Contains(err.Error(), "wrong-password") {
		t.Error(err)
	}
}

func TestDockerConfig(t *testing.T) {
	server := registrytest.Start(t, registrytest.Options{Basic: true})
	img := push(t, server, "app:1", remote.WithAuth(&authn.Basic{Username: registrytest.Username, Password: registrytest.Password}))
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	t.Setenv("DOCKER_CONFIG", dir)
	config := func(v any) {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "config.json"), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	auth := base64.StdEncoding.EncodeToString([]byte(registrytest.Username + ":" + registrytest.Password))
	config(map[string]any{"auths": map[string]any{server.Host: map[string]string{"auth": auth}}})
	if err := readAll(t, client(t, server.Host, Options{Credentials: DockerConfig}), "app", "1", img); err != nil {
		t.Errorf("auths: %v", err)
	}
	helper := fmt.Sprintf("#!/bin/sh\necho '{\"ServerURL\":\"x\",\"Username\":%q,\"Secret\":%q}'\n", registrytest.Username, registrytest.Password)
	if err := os.WriteFile(filepath.Join(dir, "docker-credential-quay"), []byte(helper), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	config(map[string]any{"credHelpers": map[string]string{server.Host: "quay"}})
	if err := readAll(t, client(t, server.Host, Options{Credentials: DockerConfig}), "app", "1", img); err != nil {
		t.Errorf("credential helper: %v", err)
	}
	config(map[string]any{"credHelpers": map[string]string{server.Host: "absent"}})
	_, _, err := client(t, server.Host, Options{Credentials: DockerConfig}).Manifest(t.Context(), "app", "1")
	wantError(t, err, pratique.CodeUnauthorized, "credential")
	config(nil)
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, _, err = client(t, server.Host, Options{Credentials: DockerConfig}).Manifest(t.Context(), "app", "1")
	wantError(t, err, pratique.CodeUnauthorized, "config.json")
}

func TestRealRegistryTLS(t *testing.T) {
	server := registrytest.Start(t, registrytest.Options{TLS: true})
	ref, err := name.ParseReference(server.Host + "/app:1")
	if err != nil {
		t.Fatal(err)
	}
	img, err := random.Image(1<<10, 1)
	if err != nil {
		t.Fatal(err)
	}
	roots, err := readRoots(server.CAFile, "")
	if err != nil {
		t.Fatal(err)
	}
	helper := client(t, server.Host, Options{})
	if err := remote.Write(ref, img, remote.WithTransport(helper.transport(roots))); err != nil {
		t.Fatal(err)
	}
	if err := readAll(t, client(t, server.Host, Options{CAFile: server.CAFile}), "app", "1", img); err != nil {
		t.Errorf("with its CA: %v", err)
	}
	if err := readAll(t, client(t, server.Host, Options{Insecure: true}), "app", "1", img); err != nil {
		t.Errorf("insecure: %v", err)
	}
	_, _, err = client(t, server.Host, Options{}).Manifest(t.Context(), "app", "1")
	wantError(t, err, pratique.CodeUnreachable, "--ca")
	_, err = New(server.Host, Options{CAFile: "/nonexistent"})
	wantError(t, err, pratique.CodeInvalid, "PEM")
	_, err = New(server.Host, Options{CAFile: os.Args[0]})
	wantError(t, err, pratique.CodeInvalid, "certificate")
}

// front puts a handler of the test before a real registry.
func front(t *testing.T, server registrytest.Server, before func(w http.ResponseWriter, r *http.Request) bool) string {
	t.Helper()
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: server.Host})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !before(w, r) {
			proxy.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

func TestTokens(t *testing.T) {
	server := registrytest.Start(t, registrytest.Options{})
	img := push(t, server, "team/app:1")
	var issued atomic.Int32
	var valid atomic.Value
	valid.Store("")
	var host string
	host = front(t, server, func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/token" {
			_ = r.ParseForm()
			user, password, _ := r.BasicAuth()
			granted := r.Method == http.MethodGet && user == "me" && password == "pass-phrase" ||
				r.Method == http.MethodPost && r.PostForm.Get("grant_type") == "refresh_token" && r.PostForm.Get("refresh_token") == "identity-token"
			if !granted || r.Form.Get("scope") != "repository:team/app:pull" || r.Form.Get("service") != "the, service" {
				w.WriteHeader(http.StatusUnauthorized)
				return true
			}
			token := fmt.Sprintf("token-%d", issued.Add(1))
			valid.Store("Bearer " + token)
			field := "token"
			if r.Method == http.MethodPost {
				field = "access_token"
			}
			fmt.Fprintf(w, `{%q:%q,"expires_in":300}`, field, token)
			return true
		}
		if r.Header.Get("Authorization") != valid.Load() || valid.Load() == "" {
			w.Header().Add("WWW-Authenticate", `Basic realm="no", Bearer realm="http://`+host+`/token",service="the, service",scope="repository:team/app:pull"`)
			w.WriteHeader(http.StatusUnauthorized)
			return true
		}
		r.Header.Del("Authorization")
		return false
	})
	for how, cred := range map[string]Credential{
		"password": {Username: "me", Password: "pass-phrase"},
		"identity": {Username: "<token>", IdentityToken: "identity-token"},
	} {
		valid.Store("")
		c := client(t, host, Options{Credentials: Static(cred)})
		before := issued.Load()
		if err := readAll(t, c, "team/app", "1", img); err != nil {
			t.Fatalf("%s: %v", how, err)
		}
		if n := issued.Load() - before; n != 1 {
			t.Errorf("%s: %d tokens for one repository", how, n)
		}
		valid.Store("Bearer something else") // the token is revoked
		if err := readAll(t, c, "team/app", "1", img); err != nil {
			t.Errorf("%s: after revocation: %v", how, err)
		}
	}
	valid.Store("")
	for _, cred := range []Credential{{}, {Username: "me", Password: "hunter22"}, {IdentityToken: "other-token"}} {
		_, _, err := client(t, host, Options{Credentials: Static(cred)}).Manifest(t.Context(), "team/app", "1")
		wantError(t, err, pratique.CodeUnauthorized, "docker login")
		if strings.Contains(err.Error(), "hunter22") || strings.Contains(err.Error(), "other-token") {
			t.Error(err)
		}
	}
	c := client(t, host, Options{Credentials: Static(Credential{RegistryToken: "token-given"})})
	valid.Store("Bearer token-given")
	if err := readAll(t, c, "team/app", "1", img); err != nil {
		t.Errorf("registry token: %v", err)
	}
}

// Requests that share a token do not fail because others have used it up; one that
// is refused with a token that was never good for anything does not go on for ever.
func TestTokensUsedUpByOthers(t *testing.T) {
	server := registrytest.Start(t, registrytest.Options{})
	push(t, server, "team/app:1")
	var mu sync.Mutex
	var host string
	issued, used, worthless := 0, map[string]bool{}, false
	host = front(t, server, func(w http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		if r.URL.Path == "/token" {
			issued++
			fmt.Fprintf(w, `{"token":"token-%d","expires_in":300}`, issued)
			return true
		}
		token := r.Header.Get("Authorization")
		if token == "" || used[token] || worthless {
			w.Header().Add("WWW-Authenticate", `Bearer realm="http://`+host+`/token",service="s",scope="repository:team/app:pull"`)
			w.WriteHeader(http.StatusUnauthorized)
			return true
		}
		used[token] = true // each token is good for one request
		r.Header.Del("Authorization")
		return false
	})
	c := client(t, host, Options{Credentials: Static(Credential{Username: "me", Password: "pass-phrase"})})
	var all sync.WaitGroup
	for range tokenRounds - 2 { // in each round one of them gets through
		all.Go(func() {
			if _, _, err := c.Manifest(t.Context(), "team/app", "1"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	worthless = true
	before := issued
	_, _, err := c.Manifest(t.Context(), "team/app", "1")
	wantError(t, err, pratique.CodeUnauthorized, "401")
	if n := issued - before; n > 2 {
		t.Errorf("%d tokens were asked for although none is any good", n)
	}
}

// content serves one blob whose bytes are random.
func content(t *testing.T, size int) ([]byte, Descriptor) {
	t.Helper()
	b := make([]byte, size)
	_, _ = rand.Read(b)
	return b, Descriptor{Digest: pratique.DigestOf(b), Size: int64(size)}
}

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return strings.TrimPrefix(s.URL, "http://")
}

// cut sends n bytes of b and then breaks the connection.
func cut(w http.ResponseWriter, b []byte, n int) {
	w.Header().Set("Content-Length", fmt.Sprint(len(b)))
	_, _ = w.Write(b[:min(n, len(b))])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

func TestBlobResumes(t *testing.T) {
	want, d := content(t, 8<<20)
	var ranges []string
	host := serve(t, func(w http.ResponseWriter, r *http.Request) {
		from := 0
		if h := r.Header.Get("Range"); h != "" {
			ranges = append(ranges, h)
			_, _ = fmt.Sscanf(h, "bytes=%d-", &from)
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(want)-1, len(want)))
			w.Header().Set("Content-Length", fmt.Sprint(len(want)-from))
			w.WriteHeader(http.StatusPartialContent)
		}
		cut(w, want[from:], 1500<<10)
	})
	blob, err := client(t, host, Options{}).Blob(t.Context(), "x", d)
	if err != nil {
		t.Fatal(err)
	}
	defer blob.Close()
	got, err := io.ReadAll(blob)
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%d of %d bytes, %v", len(got), len(want), err)
	}
	if len(ranges) < 3 {
		t.Errorf("resumed %d times: %v", len(ranges), ranges)
	}
}

func TestBlobRestartsWhereRangeIsIgnored(t *testing.T) {
	want, d := content(t, 3<<20)
	times := 0
	host := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if times++; times < 3 {
			cut(w, want, times<<20)
		}
		_, _ = w.Write(want)
	})
	blob, err := client(t, host, Options{}).Blob(t.Context(), "x", d)
	if err != nil {
		t.Fatal(err)
	}
	defer blob.Close()
	if got, err := io.ReadAll(blob); err != nil || !bytes.Equal(got, want) || times != 3 {
		t.Fatalf("%d of %d bytes after %d times, %v", len(got), len(want), times, err)
	}
}

func TestBlobFailures(t *testing.T) {
	want, d := content(t, 1<<20)
	for _, c := range []struct {
		name string
		h    http.HandlerFunc
		code pratique.Code
		part string
	}{
		{"always breaks", func(w http.ResponseWriter, r *http.Request) { cut(w, want, 1000) }, pratique.CodeUnreachable, "broke off blob"},
		{"stalls", func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write(want[:1000])
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}, pratique.CodeUnreachable, "broke off blob"},
		{"drips", func(w http.ResponseWriter, r *http.Request) {
			for i := range want {
				_, _ = w.Write(want[i : i+1])
				_ = http.NewResponseController(w).Flush()
				select {
				case <-time.After(50 * time.Millisecond):
				case <-r.Context().Done():
					return
				}
			}
		}, pratique.CodeUnreachable, "broke off blob"},
		{"too short", func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(want[:1000]) }, pratique.CodeCorrupt, "manifest says"},
		{"ends early", func(w http.ResponseWriter, r *http.Request) {
			_ = http.NewResponseController(w).Flush() // chunked: no length is promised
			_, _ = w.Write(want[:1000])
		}, pratique.CodeCorrupt, "too early, at byte 1000"},
		{"another range", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Range", "bytes 5-9/10")
			w.WriteHeader(http.StatusPartialContent)
		}, pratique.CodeUnreachable, "another part"},
		{"a web page", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte("<html>log in</html>"))
		}, pratique.CodeUnreachable, "not a registry"},
		{"missing", func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(`{"errors":[{"code":"BLOB_UNKNOWN","message":"no\nsuch"}]}`))
		}, pratique.CodeNotFound, "BLOB_UNKNOWN no such"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			blob, err := client(t, serve(t, c.h), Options{}).Blob(t.Context(), "x", d)
			if err == nil {
				_, err = io.Copy(io.Discard, blob)
				_ = blob.Close()
			}
			wantError(t, err, c.code, c.part)
		})
	}
}

func TestBlobStopsWithItsContext(t *testing.T) {
	want, d := content(t, 1<<20)
	host := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write(want[:1000])
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	blob, err := client(t, host, Options{}).Blob(ctx, "x", d)
	if err != nil {
		t.Fatal(err)
	}
	defer blob.Close()
	time.AfterFunc(50*time.Millisecond, cancel)
	_, err = io.Copy(io.Discard, blob)
	wantError(t, err, pratique.CodeCancelled, "")
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v does not unwrap to context.Canceled", err)
	}
}

// A redirect to object storage must not carry the registry's credential.
func TestRedirectDropsAuthorization(t *testing.T) {
	want, d := content(t, 1000)
	var leaked atomic.Bool
	storage := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			leaked.Store(true)
		}
		if r.URL.Query().Get("signature") != "s3cret-signature" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		_, _ = w.Write(want)
	})
	signature := "s3cret-signature"
	host := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if _, _, ok := r.BasicAuth(); !ok {
			w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		http.Redirect(w, r, "http://"+storage+"/blob?signature="+signature, http.StatusTemporaryRedirect)
	})
	c := client(t, host, Options{Credentials: Static(Credential{Username: "u", Password: "password"})})
	blob, err := c.Blob(t.Context(), "x", d)
	if err != nil {
		t.Fatal(err)
	}
	defer blob.Close()
	if got, err := io.ReadAll(blob); err != nil || !bytes.Equal(got, want) {
		t.Fatal(err)
	}
	if leaked.Load() {
		t.Error("the storage host saw our credential")
	}
	signature = "s3cret-but-expired"
	_, err = c.Blob(t.Context(), "x", d)
	wantError(t, err, pratique.CodeUnauthorized, "keeps its content")
	if strings.Contains(fmt.Sprintf("%v %v", err, errors.Unwrap(err)), "s3cret") {
		t.Error(err)
	}
}

func TestManifestFailures(t *testing.T) {
	manifest := `{"schemaVersion":2,"config":{"digest":"` + someDigest + `","size":1}}`
	status := func(code int, header, value, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if header != "" {
				w.Header().Set(header, value)
			}
			w.WriteHeader(code)
			_, _ = w.Write([]byte(body))
		}
	}
	for _, c := range []struct {
		name string
		h    http.HandlerFunc
		ref  string
		code pratique.Code
		part string
	}{
		{"a web page", status(200, "Content-Type", "text/html", "<html></html>"), "1", pratique.CodeUnreachable, "not a registry"},
		{"a page in disguise", status(200, "Content-Type", "application/json", " <!DOCTYPE html><html>"), "1", pratique.CodeUnreachable, "not a registry"},
		{"a page for 404", status(404, "Content-Type", "text/html", "<html></html>"), "1", pratique.CodeUnreachable, "not a registry"},
		{"wrong digest", status(200, "", "", manifest), someDigest, pratique.CodeCorrupt, "instead of"},
		{"wrong header", status(200, "Docker-Content-Digest", someDigest, manifest), "1", pratique.CodeCorrupt, "instead of"},
		{"too large", status(200, "", "", strings.Repeat(" ", MaxManifest+2)), "1", pratique.CodeLimit, "4 MiB"},
		{"schema 1", status(200, "Content-Type", TypeDockerSchema1, `{"schemaVersion":1}`), "1", pratique.CodeUnsupported, "skopeo"},
		{"forbidden", status(403, "", "", `{"errors":[{"code":"DENIED","message":"not yours"}]}`), "1", pratique.CodeUnauthorized, "DENIED not yours"},
		{"policy", status(412, "", "", `{"errors":[{"code":"PROJECT_POLICY_VIOLATION","message":"The image is not signed in Notary."}]}`), "1", pratique.CodeUnauthorized, "has a policy against pulling"},
		{"bare 401", status(401, "", "", "<html>"), "1", pratique.CodeUnauthorized, "docker login"},
		{"odd scheme", status(401, "WWW-Authenticate", "Negotiate", ""), "1", pratique.CodeUnsupported, "negotiate"},
		{"bad realm", status(401, "WWW-Authenticate", `Bearer realm="ftp://x"`, ""), "1", pratique.CodeUnreachable, "token service"},
		{"password in realm", status(401, "WWW-Authenticate", `Bearer realm="http://u:p@x/"`, ""), "1", pratique.CodeUnreachable, "token service"},
		{"limit, an hour", status(429, "Retry-After", "3600", ""), "1", pratique.CodeRateLimited, "asks to wait until 20"},
		{"limit, a date", status(429, "Retry-After", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat), ""), "1", pratique.CodeRateLimited, "asks to wait until 20"},
		{"limit, no time", status(429, "", "", `{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}`), "1", pratique.CodeRateLimited, "slow down"},
		{"maintenance", status(503, "Retry-After", "7200", ""), "1", pratique.CodeRateLimited, "asks to wait until 20"},
		{"broken", status(500, "", "", "panic"), "1", pratique.CodeUnreachable, "fault of its own"},
		{"silent", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "1", pratique.CodeUnreachable, "in time"},
		{"cut header", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "1", pratique.CodeUnreachable, "connection"},
		{"circles", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) }, "1", pratique.CodeUnreachable, "circles"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cl := client(t, serve(t, c.h), Options{})
			cl.limits.attempts = 2
			_, _, err := cl.Manifest(t.Context(), "x", c.ref)
			wantError(t, err, c.code, c.part)
		})
	}
}

// Harbor asks for the password when a token gives no right, and again when the password
// gives none either, as if it were wrong.
func TestNoRight(t *testing.T) {
	host := ""
	host = serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, given, basic := r.BasicAuth()
		switch {
		case r.URL.Path == "/service/token" && r.URL.Query().Get("scope") == "" && given != "right": // a login
			w.WriteHeader(http.StatusUnauthorized)
		case r.URL.Path == "/service/token": // for anybody, with what rights there are
			_, _ = io.WriteString(w, `{"token":"none","expires_in":1800}`)
		case r.URL.Path == "/v2/" && given == "right":
			_, _ = io.WriteString(w, "{}")
		case basic || r.Header.Get("Authorization") == "Bearer none":
			w.Header().Set("WWW-Authenticate", `Basic realm="harbor"`)
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"errors":[{"code":"UNAUTHORIZED","message":"unauthorized to access repository: team/app, action: pull"}]}`)
		default:
			w.Header().Set("WWW-Authenticate", `Bearer realm="http://`+host+`/service/token",service="harbor-registry",scope="repository:team/app:pull"`)
			w.WriteHeader(http.StatusUnauthorized)
		}
	})
	for password, want := range map[string]*registry.Fault{"right": registry.FaultForbidden, "wrong": registry.FaultCredential} {
		c := client(t, host, Options{Credentials: Static(Credential{Username: "robot$x", Password: password})})
		_, _, err := c.Manifest(t.Context(), "team/app", "1")
		wantError(t, err, pratique.CodeUnauthorized, "action: pull")
		if got := registry.Diagnose(err); got != want {
			t.Errorf("%s: %v", password, got)
		}
		if _, err = c.Head(t.Context(), "team/app", "1"); registry.Diagnose(err) != want { // with what is known by now
			t.Errorf("%s: %v", password, err)
		}
	}
}

// Behind a proxy that ends TLS, a registry may take itself to be without: the token
// service that it names on its own host is asked by TLS all the same.
func TestRealmBehindTLS(t *testing.T) {
	manifest := []byte(`{"schemaVersion":2,"config":{"digest":"` + someDigest + `","size":1}}`)
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/service/token":
			_, _ = io.WriteString(w, `{"token":"good"}`)
		case r.Header.Get("Authorization") == "Bearer good":
			_, _ = w.Write(manifest)
		default:
			w.Header().Set("WWW-Authenticate", `Bearer realm="http://`+r.Host+`/service/token",service="harbor-registry"`)
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	t.Cleanup(server.Close)
	host := server.Listener.Addr().String()
	for _, insecure := range []bool{true, false} {
		c := client(t, host, Options{Insecure: insecure, Credentials: Static(Credential{Username: "u", Password: "p"})})
		if !insecure {
			c.http.Transport.(*http.Transport).TLSClientConfig = server.Client().Transport.(*http.Transport).TLSClientConfig
		}
		if _, _, err := c.Manifest(t.Context(), "team/app", "1"); err != nil {
			t.Error(err)
		}
	}
}

func TestPatience(t *testing.T) {
	manifest := []byte(`{"schemaVersion":2,"config":{"digest":"` + someDigest + `","size":1}}`)
	asked := 0
	host := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if asked++; asked == 1 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		_, _ = w.Write(manifest)
	})
	start := time.Now()
	d, _, err := client(t, host, Options{}).Manifest(t.Context(), "x", "1")
	if err != nil || d.Digest != pratique.DigestOf(manifest) {
		t.Fatal(err)
	}
	if waited := time.Since(start); waited < time.Second {
		t.Errorf("waited %s, was asked for a second", waited)
	}
}

func TestErrorsHideWhatServersEcho(t *testing.T) {
	host := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, password, ok := r.BasicAuth()
		if !ok {
			w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.WriteHeader(http.StatusForbidden)
		_ = json.NewEncoder(w).Encode(map[string]string{"message": "bad " + password + " in " + r.Header.Get("Authorization")})
	})
	_, _, err := client(t, host, Options{Credentials: Static(Credential{Username: "u", Password: "correct-horse"})}).Manifest(t.Context(), "x", "1")
	wantError(t, err, pratique.CodeUnauthorized, "bad ***")
	for _, secret := range []string{"correct-horse", base64.StdEncoding.EncodeToString([]byte("u:correct-horse"))} {
		if strings.Contains(err.Error(), secret) {
			t.Error(err)
		}
	}
}

func TestUnreachable(t *testing.T) {
	l := httptest.NewServer(nil)
	host := strings.TrimPrefix(l.URL, "http://")
	l.Close()
	_, _, err := client(t, host, Options{}).Manifest(t.Context(), "x", "1")
	wantError(t, err, pratique.CodeUnreachable, "nothing listens at "+host)
	_, _, err = client(t, "registry.invalid", Options{}).Manifest(t.Context(), "x", "1")
	wantError(t, err, pratique.CodeUnreachable, "registry.invalid")
}

// The environment of proxies is read once in a process, so it takes another one.
func TestProxy(t *testing.T) {
	const inner = "PRATIQUE_TEST_PROXIED"
	if os.Getenv(inner) != "" {
		if _, _, err := client(t, "registry.test", Options{Insecure: true}).Manifest(t.Context(), "team/app", "1"); err != nil {
			t.Fatal(err)
		}
		return
	}
	server := registrytest.Start(t, registrytest.Options{TLS: true})
	push(t, server, "team/app:1", remote.WithTransport(client(t, server.Host, Options{Insecure: true}).transport(nil)))
	var tunnels atomic.Int32
	proxy := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect || r.Host != "registry.test:443" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		tunnels.Add(1)
		tunnel(t, w, server.Host)
	})
	run := func(noProxy string) (string, error) {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestProxy$")
		cmd.Env = append(os.Environ(), inner+"=1", "HTTPS_PROXY=http://"+proxy, "https_proxy=http://"+proxy, "NO_PROXY="+noProxy, "no_proxy="+noProxy)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := run(""); err != nil || tunnels.Load() == 0 {
		t.Errorf("%d tunnels, %v: %s", tunnels.Load(), err, out)
	}
	before := tunnels.Load()
	if out, err := run("registry.test"); err == nil || tunnels.Load() != before {
		t.Errorf("NO_PROXY is not obeyed: %s", out)
	}
}

func tunnel(t *testing.T, w http.ResponseWriter, to string) {
	server, err := net.Dial("tcp", to)
	if err != nil {
		t.Error(err)
		return
	}
	client, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		t.Error(err)
		return
	}
	_, _ = client.Write([]byte("HTTP/1.1 200 OK\r\n\r\n"))
	go func() {
		_, _ = io.Copy(server, client)
		_ = server.Close()
	}()
	_, _ = io.Copy(client, server)
	_ = client.Close()
}

func FuzzParseChallenges(f *testing.F) {
	for _, s := range []string{`Bearer realm="https://a/token",service="x, y",scope="repository:a:pull,push"`, `Basic realm=x, Bearer realm="\"q"`, `,,=`, `"`, `Bearer =`, "Negotiate"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, c := range parseChallenges([]string{s, s}) {
			if c.scheme == "" || c.scheme != strings.ToLower(c.scheme) {
				t.Fatalf("%q gave scheme %q", s, c.scheme)
			}
		}
	})
}
