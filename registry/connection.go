package registry

import (
	"crypto/x509"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/pratique/pratique"
)

// Connection is one registry as people describe it: where it is, who we are
// there, and how much of it is ours to look at. Its JSON names are the names of
// the form's fields. Credentials are not part of its JSON, and [Connection.String]
// hides them: whoever stores a connection encrypts them apart.
type Connection struct {
	Name    string  `json:"name"` // of the instance, unique in an installation
	Kind    string  `json:"kind"` // a Connector's
	Version Version `json:"version,omitempty"`

	NetworkType NetworkType `json:"networkType,omitempty"`
	Region      string      `json:"region,omitempty"` // "default", or a cloud's name for one
	Site        string      `json:"site,omitempty"`   // whose agent reads it; "" is the server itself

	Address  string `json:"address"` // [https://|http://]HOST[:PORT]
	Username string `json:"username,omitempty"`
	Password string `json:"-"`
	// Insecure accepts any certificate. It never leads to plain HTTP: only an
	// Address with http:// does, or one on this machine.
	Insecure bool   `json:"insecure,omitempty"`
	CA       string `json:"ca,omitempty"`    // PEM certificates, trusted beside the system's
	Proxy    string `json:"proxy,omitempty"` // URL, "none", or "" for what the environment says

	// HourlyLimit is how many images may be pulled in an hour; 0 is unlimited. It
	// is kept by whoever scans: listing does not count.
	HourlyLimit int `json:"hourlyLimit,omitempty"`

	// Namespaces limits the listing to repositories below these names ("team",
	// "team/sub"); empty means all.
	Namespaces []string `json:"namespaces,omitempty"`
	// Repositories are those of a registry that cannot list them by itself.
	Repositories []string `json:"repositories,omitempty"`

	WebhookSecret string `json:"-"`
}

// Version is a dialect of a kind's API.
type Version string

const (
	VersionAuto Version = ""   // found out by asking
	Version1    Version = "V1" // Harbor 1.x
	Version2    Version = "V2" // Harbor 2.x and later
)

// NetworkType is the network that a registry is reached over.
type NetworkType string

const (
	NetworkPublic  NetworkType = "public"
	NetworkPrivate NetworkType = "private"
)

// Limits of a connection's description.
const (
	maxName  = 100     // characters
	maxText  = 512     // characters
	maxCA    = 1 << 20 // bytes
	maxNames = 10_000  // namespaces or repositories
	maxPulls = 1_000_000
)

// The grammar is that of the distribution specification ("Pulling manifests").
var (
	repositoryPattern = regexp.MustCompile(`^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$`)
	tagPattern        = regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$`)
	hostPattern       = regexp.MustCompile(`^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[0-9a-fA-F:.]+\])(?::[0-9]{1,5})?$`)
)

// ValidRepository tells whether s can be a repository's name.
func ValidRepository(s string) bool { return len(s) <= 255 && repositoryPattern.MatchString(s) }

// ValidTag tells whether s can be a tag.
func ValidTag(s string) bool { return tagPattern.MatchString(s) }

// SplitRepository parts a repository at its first slash. A name without a slash
// has no namespace.
func SplitRepository(repository string) (namespace, name string) {
	if namespace, name, ok := strings.Cut(repository, "/"); ok {
		return namespace, name
	}
	return "", repository
}

// Endpoint reads the address. Scheme is "" where it names none.
func (c Connection) Endpoint() (scheme, host string, err error) {
	scheme, rest, ok := strings.Cut(strings.TrimSpace(c.Address), "://")
	if !ok {
		scheme, rest = "", scheme
	}
	scheme = strings.ToLower(scheme)
	host, tail, _ := strings.Cut(rest, "/")
	switch {
	case strings.Contains(rest, "@"):
		return "", "", invalid("the address holds a user name or a password").WithRemedy("give them in fields of their own")
	case scheme != "" && scheme != "https" && scheme != "http":
		return "", "", invalid("the address begins with %.20q", scheme+"://").WithRemedy("write https://HOST or https://HOST:PORT")
	case !hostPattern.MatchString(host) || len(host) > 260:
		return "", "", invalid("%.120q is not a registry's address", host).WithRemedy("write https://HOST or https://HOST:PORT")
	case strings.Trim(tail, "/") != "":
		return "", "", invalid("the address has a path; a registry is always at the root of its host").WithRemedy("write %s without what follows", host)
	}
	return scheme, host, nil
}

// ProxyURL reads the proxy: nil and false for what the environment says, nil and
// true for none.
func (c Connection) ProxyURL() (proxy *url.URL, set bool, err error) {
	switch c.Proxy {
	case "":
		return nil, false, nil
	case "none":
		return nil, true, nil
	}
	u, err := url.Parse(c.Proxy)
	if err != nil || u.Host == "" || !slices.Contains([]string{"http", "https", "socks5"}, u.Scheme) {
		return nil, false, invalid("the proxy is not a URL").WithRemedy("write http://HOST:PORT, https://HOST:PORT, socks5://HOST:PORT, or none")
	}
	if u.User != nil {
		return nil, false, invalid("the proxy holds a user name or a password").
			WithRemedy("use a proxy that knows this machine by its address, or set HTTPS_PROXY for the whole service, which may carry a login")
	}
	return u, true, nil
}

// Validate checks what can be checked without asking the registry, and returns
// the first fault by the name of its field.
func (c Connection) Validate() (field string, err error) {
	if _, _, err := c.Endpoint(); err != nil {
		return "address", err
	}
	if _, _, err := c.ProxyURL(); err != nil {
		return "proxy", err
	}
	switch {
	case strings.TrimSpace(c.Name) == "":
		return "name", invalid("the name is empty").WithRemedy("give the registry a name of its own")
	case len([]rune(c.Name)) > maxName:
		return "name", invalid("the name is longer than %d characters", maxName).WithRemedy("choose a shorter name")
	case !slices.Contains([]Version{VersionAuto, Version1, Version2}, c.Version):
		return "version", invalid("%.20q is not a version", c.Version).WithRemedy("choose V1, V2, or leave it empty")
	case !slices.Contains([]NetworkType{"", NetworkPublic, NetworkPrivate}, c.NetworkType):
		return "networkType", invalid("%.20q is not a network type", c.NetworkType).WithRemedy("choose public or private")
	case c.HourlyLimit < 0 || c.HourlyLimit > maxPulls:
		return "hourlyLimit", invalid("%d images an hour cannot be kept to", c.HourlyLimit).WithRemedy("give a number up to %d; 0 means unlimited", maxPulls)
	case len(c.Username) > maxText || strings.Contains(c.Username, ":"):
		return "username", invalid("the user name is too long or holds a colon").WithRemedy("write the user name alone; the password has its own field")
	case c.Username == "" && c.Password != "":
		return "username", invalid("there is a password without a user name").WithRemedy("give the user name, or remove the password")
	case len(c.CA) > maxCA:
		return "ca", invalid("the certificates are larger than %d KiB", maxCA>>10).WithRemedy("give only the authority that signed the registry's certificate")
	case c.CA != "" && !x509.NewCertPool().AppendCertsFromPEM([]byte(c.CA)):
		return "ca", invalid("there is no certificate in the text of the authority").WithRemedy("paste the PEM file, with its lines BEGIN CERTIFICATE and END CERTIFICATE")
	case len(c.Namespaces) > maxNames:
		return "namespaces", invalid("more than %d namespaces", maxNames).WithRemedy("give fewer")
	case len(c.Repositories) > maxNames:
		return "repositoryNames", invalid("more than %d repositories", maxNames).WithRemedy("give fewer")
	}
	for _, n := range c.Namespaces {
		if !ValidRepository(n) {
			return "namespaces", invalid("%.80q cannot be a namespace", n).WithRemedy("write names such as team or team/sub, in lower case")
		}
	}
	for _, r := range c.Repositories {
		if !ValidRepository(r) {
			return "repositoryNames", invalid("%.80q cannot be a repository", r).WithRemedy("write names such as team/app: in lower case, without host and tag")
		}
	}
	return "", nil
}

func invalid(format string, args ...any) *pratique.Error {
	return pratique.Errorf(pratique.CodeInvalid, format, args...)
}

// Includes tells whether the namespaces filter lets a repository through.
func (c Connection) Includes(repository string) bool {
	return len(c.Namespaces) == 0 || slices.ContainsFunc(c.Namespaces, func(n string) bool {
		return repository == n || strings.HasPrefix(repository, n+"/")
	})
}

// IncludesNamespace tells whether the filter lets anything below a namespace
// through.
func (c Connection) IncludesNamespace(namespace string) bool {
	return len(c.Namespaces) == 0 || slices.ContainsFunc(c.Namespaces, func(n string) bool {
		first, _, _ := strings.Cut(n, "/")
		return first == namespace
	})
}

// String names the connection without its credentials, so that a log cannot
// hold them by accident.
func (c Connection) String() string {
	_, host, err := c.Endpoint()
	if err != nil {
		host = "(no valid address)"
	}
	return c.Kind + " " + host
}

// GoString is String: %#v must not show credentials either.
func (c Connection) GoString() string { return c.String() }

// HostPort adds the port that a scheme implies.
func HostPort(scheme, host string) string {
	if _, _, err := net.SplitHostPort(host); err == nil {
		return host
	}
	port := "443"
	if scheme == "http" {
		port = "80"
	}
	return net.JoinHostPort(strings.Trim(host, "[]"), port)
}
