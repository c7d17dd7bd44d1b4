package source

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/registry/distribution"
)

// dockerAPI is the newest version of the Engine API that we know; older engines
// are spoken to in theirs (https://docs.docker.com/reference/api/engine/).
const dockerAPI = 51 // 1.51

// Saving an image can take an engine minutes before its first byte: overlay2
// writes a copy of all layers first.
const (
	engineAnswer = 30 * time.Second // for a question
	engineIdle   = 10 * time.Minute // for bytes of an image
)

// imageName is what may stand in a path of the API: a reference, or an id.
var imageName = regexp.MustCompile(`^(?:sha256:)?[0-9a-f]{6,64}$`)

// engine is a local Docker engine, or Podman's service that speaks as one.
type engine struct {
	where   string // for people
	base    string // "http://docker"
	version string // "/v1.41", or "" for the engine's own
	minor   int    // 41
	http    *http.Client
}

// openEngine has the engine save the image, into a scratch file, because a tar is
// read by seeking and its table of contents comes last.
func (o *Opened) openEngine(ctx context.Context, name string, want pratique.Platform, opt Options) error {
	if _, err := distribution.ParseReference(name); err != nil && !imageName.MatchString(name) {
		return err
	}
	e, err := findEngine(opt.DockerHost)
	if err != nil {
		return err
	}
	defer e.http.CloseIdleConnections()
	if err := e.negotiate(ctx); err != nil {
		return err
	}
	var inspected struct{ RepoTags []string }
	if err := e.ask(ctx, "/images/"+name+"/json", name, &inspected); err != nil {
		return err
	}
	tar, err := e.save(ctx, name, want)
	if err != nil {
		return err
	}
	defer tar.Close()
	f, err := o.spool(ctx, opt.Scratch, tar)
	if err != nil {
		return err
	}
	a, err := indexTar(ctx, f)
	if err != nil {
		return err
	}
	if err := o.openArchive(ctx, a, target{kind: kindArchive}, want); err != nil {
		return err
	}
	if len(o.Image.Tags) == 0 {
		o.Image.Tags = inspected.RepoTags
	}
	return nil
}

// findEngine goes by the option, DOCKER_HOST, and the sockets that Docker and its
// rootless and desktop forms use.
func findEngine(host string) (*engine, error) {
	if host == "" {
		host = os.Getenv("DOCKER_HOST")
	}
	if host == "" {
		host = usualSocket()
	}
	u, err := url.Parse(host)
	if err != nil {
		return nil, badDockerHost()
	}
	dialer := net.Dialer{Timeout: 10 * time.Second}
	transport := &http.Transport{DialContext: dialer.DialContext, DisableCompression: true}
	e := &engine{where: "the Docker engine at " + u.Scheme + "://" + u.Host + u.Path, base: "http://docker", http: &http.Client{Transport: transport}}
	switch u.Scheme {
	case "unix":
		socket := u.Path
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", socket)
		}
	case "tcp", "http", "https":
		e.base = "http://" + u.Host
		if u.Scheme == "https" || os.Getenv("DOCKER_TLS_VERIFY") != "" {
			e.base = "https://" + u.Host
			if transport.TLSClientConfig, err = dockerTLS(); err != nil {
				return nil, err
			}
		}
	case "ssh":
		return nil, pratique.Errorf(pratique.CodeUnsupported, "a Docker engine behind ssh cannot be asked directly").
			WithRemedy("forward its socket (ssh -L ./docker.sock:/var/run/docker.sock HOST) and set DOCKER_HOST=unix://$PWD/docker.sock, or use `docker save`")
	default:
		return nil, badDockerHost()
	}
	return e, nil
}

func badDockerHost() error {
	return pratique.Errorf(pratique.CodeInvalid, "DOCKER_HOST is not an engine's address").
		WithRemedy("use unix:///PATH or tcp://HOST:PORT")
}

func usualSocket() string {
	const standard = "/var/run/docker.sock"
	candidates := []string{standard}
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		candidates = append(candidates, filepath.Join(dir, "docker.sock"))
	}
	if home, err := os.UserHomeDir(); err == nil {
		candidates = append(candidates, filepath.Join(home, ".docker/run/docker.sock"), filepath.Join(home, ".docker/desktop/docker.sock"))
	}
	for _, c := range candidates {
		if info, err := os.Stat(c); err == nil && info.Mode()&fs.ModeSocket != 0 {
			return "unix://" + c
		}
	}
	return "unix://" + standard
}

// dockerTLS reads the client certificate as the docker command does.
func dockerTLS() (*tls.Config, error) {
	dir := os.Getenv("DOCKER_CERT_PATH")
	if dir == "" {
		home, _ := os.UserHomeDir()
		dir = filepath.Join(home, ".docker")
	}
	cfg := &tls.Config{MinVersion: tls.VersionTLS12}
	unusable := func(file string) error {
		return pratique.Errorf(pratique.CodeInvalid, "%s holds no usable %s for the Docker engine", dir, file).
			WithRemedy("put ca.pem, cert.pem and key.pem there, or set DOCKER_CERT_PATH")
	}
	if pem, err := os.ReadFile(filepath.Join(dir, "ca.pem")); err == nil {
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(pem) {
			return nil, unusable("ca.pem")
		}
	}
	cert, err := tls.LoadX509KeyPair(filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"))
	switch {
	case err == nil:
		cfg.Certificates = []tls.Certificate{cert}
	case !errors.Is(err, fs.ErrNotExist):
		return nil, unusable("cert.pem and key.pem")
	}
	return cfg, nil
}

// negotiate takes the engine's version of the API, or ours if that is older.
func (e *engine) negotiate(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, engineAnswer)
	defer cancel()
	resp, err := e.get(ctx, e.base+"/_ping")
	if err != nil {
		return err
	}
	_, _ = io.CopyN(io.Discard, resp.Body, 4096)
	_ = resp.Body.Close()
	major, minor, ok := strings.Cut(resp.Header.Get("Api-Version"), ".")
	if n, err := strconv.Atoi(minor); ok && err == nil && major == "1" && n > 0 {
		e.minor = min(n, dockerAPI)
		e.version = fmt.Sprintf("/v1.%d", e.minor)
	}
	if resp.StatusCode != http.StatusOK {
		return pratique.Errorf(pratique.CodeUnreachable, "%s does not answer as one (%d)", e.where, resp.StatusCode).
			WithRemedy("check DOCKER_HOST and that the engine runs (`docker info`)")
	}
	return nil
}

// ask reads a JSON answer about the image name.
func (e *engine) ask(ctx context.Context, path, name string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, engineAnswer)
	defer cancel()
	resp, err := e.get(ctx, e.base+e.version+path)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return e.refusal(resp, name)
	}
	body, err := readLimited(resp.Body, maxConfig, "the engine's answer")
	if err != nil {
		return e.explain(ctx, err)
	}
	if json.Unmarshal(body, into) != nil {
		return pratique.Errorf(pratique.CodeUnreachable, "%s does not answer as one", e.where).WithRemedy("check DOCKER_HOST")
	}
	return nil
}

func (e *engine) save(ctx context.Context, name string, want pratique.Platform) (io.ReadCloser, error) {
	address := e.base + e.version + "/images/" + name + "/get"
	if want != (pratique.Platform{}) && e.minor >= 48 {
		platform, err := json.Marshal(distribution.DescribedFor{OS: want.OS, Architecture: want.Architecture, Variant: want.Variant})
		if err != nil {
			return nil, err
		}
		address += "?platform=" + url.QueryEscape(string(platform))
	}
	ctx, cancel := context.WithCancel(ctx)
	s := &engineStream{engine: e, ctx: ctx, cancel: cancel, timer: time.AfterFunc(engineIdle, cancel)}
	resp, err := e.get(ctx, address)
	if err != nil {
		_ = s.Close()
		return nil, err
	}
	s.body = resp.Body
	if resp.StatusCode != http.StatusOK {
		err := e.refusal(resp, name)
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

// engineStream is an image on its way, given up when nothing comes any more.
type engineStream struct {
	engine *engine
	ctx    context.Context
	cancel context.CancelFunc
	timer  *time.Timer
	body   io.ReadCloser
}

func (s *engineStream) Read(p []byte) (int, error) {
	s.timer.Reset(engineIdle)
	n, err := s.body.Read(p)
	if err != nil && err != io.EOF {
		err = s.engine.explain(s.ctx, err)
	}
	return n, err
}

func (s *engineStream) Close() error {
	s.timer.Stop()
	s.cancel()
	if s.body == nil {
		return nil
	}
	return s.body.Close()
}

func (e *engine) get(ctx context.Context, address string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, badDockerHost()
	}
	resp, err := e.http.Do(req)
	if err != nil {
		return nil, e.explain(ctx, err)
	}
	return resp, nil
}

func (e *engine) refusal(resp *http.Response, name string) error {
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if resp.StatusCode == http.StatusNotFound {
		return pratique.Errorf(pratique.CodeNotFound, "%s has no image %s", e.where, quoteShort(name)).
			WithRemedy("see `docker images`; for the image in a registry write registry:%s", name)
	}
	var said struct{ Message string }
	_ = json.Unmarshal(body, &said)
	return pratique.Errorf(pratique.CodeUnreachable, "%s refuses (%d): %s", e.where, resp.StatusCode, quoteShort(strings.Join(strings.Fields(said.Message), " "))).
		WithRemedy("look into the engine's log, or use `docker save`")
}

func (e *engine) explain(ctx context.Context, err error) error {
	var own *pratique.Error
	if errors.As(err, &own) {
		return own
	}
	told := pratique.Errorf(pratique.CodeUnreachable, "%s broke off", e.where).WithRemedy("look into the engine's log, and try again")
	switch {
	case errors.Is(ctx.Err(), context.Canceled) && errors.Is(err, context.Canceled):
		told = pratique.Errorf(pratique.CodeCancelled, "reading from %s was cancelled or took too long", e.where).WithRemedy("try again, or use `docker save`")
	case errors.Is(err, syscall.ENOENT), errors.Is(err, syscall.ECONNREFUSED):
		told = pratique.Errorf(pratique.CodeUnreachable, "nothing answers at %s", strings.TrimPrefix(e.where, "the ")).
			WithRemedy("start the engine or set DOCKER_HOST; for an image in a registry write registry:REFERENCE")
	case errors.Is(err, syscall.EACCES):
		told = pratique.Errorf(pratique.CodeUnauthorized, "we may not speak to %s", e.where).
			WithRemedy("run as root or as a member of the group docker")
	case errors.Is(err, context.DeadlineExceeded):
		told = pratique.Errorf(pratique.CodeUnreachable, "%s does not answer", e.where).WithRemedy("check that the engine is well (`docker info`)")
	}
	told.Cause = err
	return told
}
