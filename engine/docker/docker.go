// Package docker reads a Docker engine of this host: what it has by its API
// (https://docs.docker.com/reference/api/engine/), and images from its folders.
// Podman's service, which speaks the same API, is served as well.
//
// # Where content comes from
//
// The engine says where its data is (DockerRootDir) and how it keeps images:
//
//   - The driver "overlay2" unpacks layers. image/overlay2/imagedb/content has the
//     configs by their digests, and image/overlay2/layerdb/sha256 a folder for
//     each stack of layers, named by its chain ID: that of the lowest is its
//     diffID, and that of another the digest of "CHAIN-BELOW DIFFID". In it,
//     cache-id names the folder overlay2/CACHE-ID/diff with the files, and
//     tar-split.json.gz is the recipe of the layer's tar.
//   - Docker 29 keeps images in containerd's content store, by the digests that
//     registries use.
//   - Whatever else it may be, and wherever we may not read those folders, the
//     engine is asked for the tar that `docker save` would write. It takes the
//     engine half a minute and twice the image's size on disk.
//
// Nothing is written to any of these.
package docker

import (
	"context"
	"crypto/tls"
	"crypto/x509"
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
	"sync"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/engine/internal/daemon"
	"github.com/pratique/pratique/registry/distribution"
)

// newestAPI is the newest version of the API that we know; older engines are
// spoken to in theirs, down to 1.24 of 2016. An engine may refuse old versions
// (Docker 29 takes none before 1.40), never its own.
const newestAPI = 51 // 1.51

// Options say where the engine is. The zero value is the usual one.
type Options struct {
	Host string // as DOCKER_HOST; "" is DOCKER_HOST itself, else the usual sockets
	// HostRoot is where the root file system of the engine's host is, if we run in a
	// container: "/host". Its sockets and folders are looked for below it.
	HostRoot string
}

// Engine is a Docker engine. It implements engine.Engine.
type Engine struct {
	opt Options

	mu     sync.Mutex
	client *client
}

// New does no I/O.
func New(opt Options) *Engine { return &Engine{opt: opt} }

// Kind is docker, also for Podman's service, which Info recognises.
func (e *Engine) Kind() pratique.EngineKind { return pratique.EngineDocker }

// client is a connection whose API version was agreed upon.
type client struct {
	*daemon.Client
	local  bool   // by a socket: its folders may be ours
	prefix string // "/v1.41", or "" for the engine's own version
	minor  int    // 41; 0 if the engine does not say
	podman string // its version, if it is one
}

// connect agrees on a version of the API once; a failure is tried again.
func (e *Engine) connect(ctx context.Context) (*client, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.client != nil {
		return e.client, nil
	}
	c, err := e.find()
	if err != nil {
		return nil, err
	}
	if err := c.negotiate(ctx); err != nil {
		return nil, err
	}
	e.client = c
	return c, nil
}

// find goes by the option, DOCKER_HOST, and the sockets that Docker and its
// rootless and desktop forms use.
func (e *Engine) find() (*client, error) {
	host := e.opt.Host
	if host == "" {
		host = os.Getenv("DOCKER_HOST")
	}
	if host == "" {
		host = usualSocket(e.opt.HostRoot)
	}
	u, err := url.Parse(host)
	if err != nil {
		return nil, badHost()
	}
	c := &client{Client: &daemon.Client{
		Where:     "the Docker engine at " + u.Scheme + "://" + u.Host + u.Path,
		Unreached: "start the engine or set DOCKER_HOST; for an image in a registry write registry:REFERENCE",
		Denied:    "run as root or as a member of the group docker",
		Base:      "http://docker",
	}}
	var transport *http.Transport
	switch u.Scheme {
	case "unix":
		transport, c.local = daemon.Unix(u.Path), true
	case "tcp", "http", "https":
		dialer := net.Dialer{Timeout: 10 * time.Second}
		transport = &http.Transport{DialContext: dialer.DialContext, DisableCompression: true}
		c.Base = "http://" + u.Host
		if u.Scheme == "https" || os.Getenv("DOCKER_TLS_VERIFY") != "" {
			c.Base = "https://" + u.Host
			if transport.TLSClientConfig, err = clientTLS(); err != nil {
				return nil, err
			}
		}
	case "ssh":
		return nil, pratique.Errorf(pratique.CodeUnsupported, "a Docker engine behind ssh cannot be asked directly").
			WithRemedy("forward its socket (ssh -L ./docker.sock:/var/run/docker.sock HOST) and set DOCKER_HOST=unix://$PWD/docker.sock, or use `docker save`")
	default:
		return nil, badHost()
	}
	c.HTTP = &http.Client{Transport: transport}
	return c, nil
}

func badHost() error {
	return pratique.Errorf(pratique.CodeInvalid, "DOCKER_HOST is not an engine's address").
		WithRemedy("use unix:///PATH or tcp://HOST:PORT")
}

func usualSocket(hostRoot string) string {
	standard := filepath.Join("/", hostRoot, "var/run/docker.sock")
	candidates := []string{standard, filepath.Join("/", hostRoot, "run/docker.sock")}
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

// clientTLS reads the client certificate as the docker command does.
func clientTLS() (*tls.Config, error) {
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
func (c *client) negotiate(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, daemon.Answer)
	defer cancel()
	resp, err := c.Get(ctx, "/_ping")
	if err != nil {
		return err
	}
	_, _ = io.CopyN(io.Discard, resp.Body, 4096)
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return pratique.Errorf(pratique.CodeUnreachable, "%s does not answer as one (%d)", c.Where, resp.StatusCode).
			WithRemedy("check DOCKER_HOST and that the engine runs (`docker info`)")
	}
	if server := resp.Header.Get("Server"); strings.HasPrefix(server, "Libpod/") {
		c.podman, _, _ = strings.Cut(strings.TrimPrefix(server, "Libpod/"), " ")
	}
	version := resp.Header.Get("Api-Version")
	if version == "" { // engines of before 2017 tell it elsewhere
		var told struct{ ApiVersion string }
		if err := c.Ask(ctx, "/version", &told); err == nil {
			version = told.ApiVersion
		}
	}
	major, minor, ok := strings.Cut(version, ".")
	if n, err := strconv.Atoi(minor); ok && err == nil && major == "1" && n > 0 {
		c.minor = min(n, newestAPI)
		c.prefix = fmt.Sprintf("/v1.%d", c.minor)
	}
	return nil
}

// ask reads a JSON answer of the agreed version.
func (c *client) ask(ctx context.Context, path string, into any) error {
	return c.Ask(ctx, c.prefix+path, into)
}

// imageID is an id, whole or its beginning.
var imageID = regexp.MustCompile(`^(?:sha256:)?[0-9a-f]{6,64}$`)

// checkName refuses what would lead to another place of the API.
func checkName(name string) error {
	if _, err := distribution.ParseReference(name); err != nil && !imageID.MatchString(name) {
		return err
	}
	return nil
}

// noImage explains a refusal about an image.
func (c *client) noImage(err error, name string) error {
	var refused *daemon.Refused
	if errors.As(err, &refused) && refused.Status == http.StatusNotFound {
		return pratique.Errorf(pratique.CodeNotFound, "%s has no image %.120s", c.Where, name).
			WithRemedy("see `docker images`; for the image in a registry write registry:%.120s", name)
	}
	return c.Told(err, "look into the engine's log, or use `docker save`")
}
