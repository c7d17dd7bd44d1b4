package e2e

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/internal/testimage"
)

// registryServer is Debian's docker-registry on loopback, behind TLS that only
// its own certificate vouches for, and a password.
type registryServer struct {
	host, ca, certDir, dockerConfig string
	user, password                  string
}

func startRegistry(t *testing.T) registryServer {
	t.Helper()
	dir := t.TempDir()
	r := registryServer{user: "scanner", password: rand.Text(), ca: filepath.Join(dir, "certs", "ca.crt"), certDir: filepath.Join(dir, "certs"), dockerConfig: filepath.Join(dir, "docker")}
	for _, d := range []string{r.certDir, r.dockerConfig} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	key := filepath.Join(dir, "tls.key")
	selfSigned(t, r.ca, key)
	r.host = freeAddress(t)

	// perl's crypt is the C library's, which knows bcrypt.
	hash := tool(t, "perl", "-e", `print crypt($ARGV[0], '$2b$05$abcdefghijklmnopqrstuu')`, r.password)
	htpasswd := filepath.Join(dir, "htpasswd")
	write(t, htpasswd, r.user+":"+hash+"\n")
	auth := base64.StdEncoding.EncodeToString([]byte(r.user + ":" + r.password))
	write(t, filepath.Join(r.dockerConfig, "config.json"), fmt.Sprintf(`{"auths":{%q:{"auth":%q}}}`, r.host, auth))
	config := filepath.Join(dir, "config.yml")
	write(t, config, fmt.Sprintf(`version: 0.1
log: {level: error}
storage: {filesystem: {rootdirectory: %q}}
http: {addr: %q, tls: {certificate: %q, key: %q}}
auth: {htpasswd: {realm: e2e, path: %q}}
`, filepath.Join(dir, "storage"), r.host, r.ca, key, htpasswd))

	if _, err := exec.LookPath("docker-registry"); err != nil {
		t.Fatal(`docker-registry is missing: "make deps" installs it`)
	}
	ctx, cancel := context.WithCancel(context.Background())
	server := exec.CommandContext(ctx, "docker-registry", "serve", config)
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	server.Stdout, server.Stderr = log, log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = server.Wait(); log.Close() })
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		c, err := net.Dial("tcp", r.host)
		if err == nil {
			c.Close()
			return r
		}
		if time.Now().After(deadline) {
			b, _ := os.ReadFile(log.Name())
			t.Fatalf("docker-registry does not listen: %v\n%s", err, b)
		}
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func selfSigned(t *testing.T, certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "e2e"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, certFile, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})))
	write(t, keyFile, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
	if _, err := tls.LoadX509KeyPair(certFile, keyFile); err != nil {
		t.Fatal(err)
	}
}

func (r registryServer) push(t *testing.T, layout, name string) string {
	t.Helper()
	ref := r.host + "/" + name
	tool(t, "skopeo", "copy", "--quiet", "--insecure-policy", "--dest-cert-dir", r.certDir, "--dest-creds", r.user+":"+r.password, "oci:"+layout, "docker://"+ref)
	return ref
}

func TestPackagesOfARealImageInARegistry(t *testing.T) {
	img := theRealImage(t)
	layout := t.TempDir()
	if err := img.gzip.WriteLayout(layout); err != nil {
		t.Fatal(err)
	}
	server := startRegistry(t)
	ref := server.push(t, layout, "team/real:1")
	env := []string{"DOCKER_CONFIG=" + server.dockerConfig}

	r := mustScan(t, invocation{env: env}, ref, "--ca", server.ca)
	comparePackages(t, r, img)
	if want := pratique.DigestOf(img.gzip.Config()); r.Image.ID != want {
		t.Errorf("image ID %s, want %s", r.Image.ID, want)
	}
	byDigest := mustScan(t, invocation{env: env}, server.host+"/team/real@"+string(r.Image.Digest), "--insecure")
	comparePackages(t, byDigest, img)

	for name, c := range map[string]struct {
		ref  string
		env  []string
		args []string
	}{
		"a certificate that nobody vouches for": {ref, env, nil},
		"no password":                           {ref, nil, []string{"--ca", server.ca}},
		"no such tag":                           {server.host + "/team/real:2", env, []string{"--ca", server.ca}},
		"no such repository":                    {server.host + "/team/none:1", env, []string{"--ca", server.ca}},
		"no such platform":                      {ref, env, []string{"--ca", server.ca, "--platform", "linux/s390x"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, out := scan(t, invocation{env: c.env}, c.ref, c.args...)
			wantOneLine(t, out)
			if strings.Contains(out.stderr, server.password) {
				t.Error("the password is in the error")
			}
		})
	}
}

// wantOneLine checks that nothing was scanned, and that one line says why.
func wantOneLine(t *testing.T, out outcome) {
	t.Helper()
	if out.exit != 2 {
		t.Errorf("exit %d, want 2\nstderr: %s", out.exit, tail(out.stderr))
	}
	line := strings.TrimSuffix(out.stderr, "\n")
	if line == "" || strings.Contains(line, "\n") || len(line) > 600 {
		t.Errorf("the error is not one line: %q", tail(out.stderr))
	}
}

// badRegistry serves one image and misbehaves as a test says.
type badRegistry struct {
	img testimage.Image
	// blob and before may answer instead; they return true if they did.
	before func(http.ResponseWriter, *http.Request) bool
	blob   func(http.ResponseWriter, *http.Request, testimage.Layer) bool

	mu     sync.Mutex
	ranges []string // Range headers of blob requests
}

func (b *badRegistry) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if b.before != nil && b.before(w, r) {
		return
	}
	manifest, config := b.img.Manifest(), b.img.Config()
	switch {
	case r.URL.Path == "/v2/":
		w.WriteHeader(http.StatusOK)
	case strings.Contains(r.URL.Path, "/manifests/"):
		w.Header().Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
		w.Header().Set("Docker-Content-Digest", string(pratique.DigestOf(manifest)))
		_, _ = w.Write(manifest)
	case strings.HasSuffix(r.URL.Path, string(pratique.DigestOf(config))):
		_, _ = w.Write(config)
	default:
		b.serveBlob(w, r)
	}
}

func (b *badRegistry) serveBlob(w http.ResponseWriter, r *http.Request) {
	for _, l := range b.img.Layers {
		if !strings.HasSuffix(r.URL.Path, string(l.Digest)) {
			continue
		}
		b.mu.Lock()
		b.ranges = append(b.ranges, r.Header.Get("Range"))
		b.mu.Unlock()
		if b.blob == nil || !b.blob(w, r, l) {
			http.ServeFile(w, r, l.Blob)
		}
		return
	}
	http.NotFound(w, r)
}

func (b *badRegistry) start(t *testing.T) (ref string) {
	t.Helper()
	s := httptest.NewServer(b)
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://") + "/team/app:1"
}

// smallImage has a Debian package database in one layer, and a few megabytes
// that do not compress in another.
func smallImage(t *testing.T) testimage.Image {
	t.Helper()
	dir := t.TempDir()
	base, err := testimage.WriteLayer(dir, testimage.Gzip, "base", testimage.Files(smallDebian()))
	if err != nil {
		t.Fatal(err)
	}
	noise := make([]byte, 4<<20)
	if _, err := rand.Read(noise); err != nil {
		t.Fatal(err)
	}
	big, err := testimage.WriteLayer(dir, testimage.Gzip, "big", testimage.Files(map[string]string{"opt/noise": string(noise)}))
	if err != nil {
		t.Fatal(err)
	}
	return testimage.Image{Layers: []testimage.Layer{base, big}, Tag: "e2e.test/small:1"}
}

func smallDebian() map[string]string {
	return map[string]string{
		"etc/os-release":      "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n",
		"var/lib/dpkg/status": "Package: openssl\nStatus: install ok installed\nArchitecture: amd64\nVersion: 3.0.7-1\n\n",
	}
}

func hasOpenSSL(r pratique.Report) bool {
	for _, p := range r.Packages {
		if p.Name == "openssl" && p.Version == "3.0.7-1" {
			return true
		}
	}
	return false
}

func TestConnectionsThatBreakAreResumed(t *testing.T) {
	var mu sync.Mutex
	broken := map[pratique.Digest]int{}
	b := &badRegistry{img: smallImage(t), blob: func(w http.ResponseWriter, r *http.Request, l testimage.Layer) bool {
		mu.Lock()
		defer mu.Unlock()
		if broken[l.Digest] >= 2 {
			return false
		}
		broken[l.Digest]++
		content, err := os.ReadFile(l.Blob)
		if err != nil {
			t.Error(err)
			return false
		}
		from := 0
		if spec, ok := strings.CutPrefix(r.Header.Get("Range"), "bytes="); ok {
			from, _ = strconv.Atoi(strings.TrimSuffix(spec, "-"))
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(content)-1, len(content)))
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(content)-from))
		if from > 0 {
			w.WriteHeader(http.StatusPartialContent)
		}
		_, _ = w.Write(content[from : from+(len(content)-from)/2])
		panic(http.ErrAbortHandler) // drops the connection
	}}
	ref := b.start(t)
	r := mustScan(t, invocation{}, ref)
	if !hasOpenSSL(r) {
		t.Error("a package was lost")
	}
	resumed := 0
	for _, spec := range b.ranges {
		if strings.HasPrefix(spec, "bytes=") && spec != "bytes=0-" {
			resumed++
		}
	}
	if resumed < 2 {
		t.Errorf("ranges asked for: %q; each layer was to be resumed where it broke", b.ranges)
	}
}

func TestPatienceIsGiven(t *testing.T) {
	var once sync.Once
	b := &badRegistry{img: smallImage(t), before: func(w http.ResponseWriter, r *http.Request) (answered bool) {
		if strings.Contains(r.URL.Path, "/manifests/") {
			once.Do(func() {
				w.Header().Set("Retry-After", "2")
				http.Error(w, `{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}`, http.StatusTooManyRequests)
				answered = true
			})
		}
		return answered
	}}
	start := time.Now()
	r := mustScan(t, invocation{}, b.start(t))
	if !hasOpenSSL(r) {
		t.Error("a package was lost")
	}
	if took := time.Since(start); took < 2*time.Second {
		t.Errorf("asked again after %s, not after the two seconds that the registry wanted", took)
	}
}

func TestRegistriesThatDoNotDeliver(t *testing.T) {
	always := func(status int, header map[string]string, body string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, _ *http.Request) bool {
			for k, v := range header {
				w.Header().Set(k, v)
			}
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
			return true
		}
	}
	for name, c := range map[string]struct {
		before func(http.ResponseWriter, *http.Request) bool
		says   string
	}{
		"a web page":         {always(200, map[string]string{"Content-Type": "text/html"}, "<!doctype html><title>Sign in</title>"), "registry"},
		"401 for everybody":  {always(401, map[string]string{"WWW-Authenticate": `Basic realm="x"`}, `{"errors":[{"code":"UNAUTHORIZED"}]}`), "login"},
		"429 for the hour":   {always(429, map[string]string{"Retry-After": "3600"}, ""), ""},
		"500 for ever":       {always(500, nil, "oops\nand a second line"), ""},
		"an endless page":    {func(w http.ResponseWriter, _ *http.Request) bool { endless(w); return true }, ""},
		"JSON of no meaning": {always(200, map[string]string{"Content-Type": "application/vnd.oci.image.manifest.v1+json"}, `[[[[[[`), ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := &badRegistry{img: smallImage(t), before: c.before}
			_, out := scan(t, invocation{timeout: 2 * time.Minute}, b.start(t))
			wantOneLine(t, out)
			if !strings.Contains(strings.ToLower(out.stderr), c.says) {
				t.Errorf("%q does not mention %q", out.stderr, c.says)
			}
		})
	}
	t.Run("nobody listens", func(t *testing.T) {
		_, out := scan(t, invocation{timeout: 2 * time.Minute}, freeAddress(t)+"/team/app:1")
		wantOneLine(t, out)
	})
}

func endless(w http.ResponseWriter) {
	chunk := make([]byte, 1<<20)
	for range 256 { // more than any manifest, and an end for the server's sake
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

// A layer whose bytes are not those that the manifest promised is not believed,
// and the others are still read.
func TestForgedLayer(t *testing.T) {
	img := smallImage(t)
	b := &badRegistry{img: img, blob: func(w http.ResponseWriter, _ *http.Request, l testimage.Layer) bool {
		if l.Digest != img.Layers[1].Digest {
			return false
		}
		http.ServeFile(w, httptest.NewRequest(http.MethodGet, "/", nil), img.Layers[0].Blob)
		return true
	}}
	r, out := scan(t, invocation{timeout: 2 * time.Minute}, b.start(t))
	if out.exit != 3 {
		t.Fatalf("exit %d, want 3\n%s", out.exit, tail(out.stderr))
	}
	wantHole(t, r)
	if !hasOpenSSL(r) {
		t.Error("the good layer's package was lost")
	}
	if r.Layers[1].State != pratique.LayerUnreadable {
		t.Errorf("the forged layer is %q", r.Layers[1].State)
	}
}

// wantHole checks that a report does not pretend to be complete.
func wantHole(t *testing.T, r pratique.Report) {
	t.Helper()
	told := false
	for _, p := range r.Problems {
		told = told || p.Partial
		if strings.Contains(p.Message, "\n") || p.Message == "" {
			t.Errorf("a problem is not one line: %q", p.Message)
		}
	}
	if !told {
		t.Errorf("no problem says that something is missing: %+v", r.Problems)
	}
	if s := r.Coverage[pratique.CategorySoftware].State; s != pratique.CoveragePartial {
		t.Errorf("software is %q", s)
	}
	if r.Verdict.Clearance == pratique.ClearanceYes {
		t.Error("an image that could not be read may ship")
	}
}
