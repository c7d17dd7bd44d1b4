package distribution

import (
	"net"
	"regexp"
	"strings"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/registry"
)

// DockerHub is the host of references that name none.
const DockerHub = "docker.io"

// Reference names an image in a registry: HOST/REPOSITORY[:TAG][@DIGEST].
type Reference struct {
	Host       string // with its port, if any: "docker.io", "localhost:5000", "[::1]:5000"
	Repository string // "library/debian"
	Tag        string // "latest" where neither tag nor digest was given
	Digest     pratique.Digest
}

// hostPattern is a DNS name or an address, with a port if need be. The grammar of
// repositories and tags is registry's.
var hostPattern = regexp.MustCompile(`^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[0-9a-fA-F:.]+\])(?::[0-9]{1,5})?$`)

// maxReference is longer than any name that a registry accepts (255 for
// HOST/REPOSITORY, 128 for a tag, 71 for a digest).
const maxReference = 512

// ParseReference reads a reference as Docker's command line does: the part
// before the first slash is a host if it has a dot or a colon or is "localhost",
// and Docker Hub's short names stand for docker.io/library/NAME.
func ParseReference(s string) (Reference, error) {
	if err := refuseReference(s); err != nil {
		return Reference{}, err
	}
	var ref Reference
	rest, digest, hasDigest := strings.Cut(s, "@")
	if hasDigest {
		d, err := pratique.ParseDigest(digest)
		if err != nil {
			return Reference{}, malformed(s, "after @ must come sha256: and 64 hex digits")
		}
		ref.Digest = d
	}
	ref.Host, rest = splitHost(rest)
	if i := strings.LastIndexByte(rest, ':'); i >= 0 {
		ref.Tag = rest[i+1:]
		rest = rest[:i]
		if !registry.ValidTag(ref.Tag) {
			return Reference{}, malformed(s, "the tag has characters that tags cannot have")
		}
	}
	if ref.Host == DockerHub && rest != "" && !strings.Contains(rest, "/") {
		rest = "library/" + rest
	}
	ref.Repository = rest
	switch {
	case !hostPattern.MatchString(ref.Host):
		return Reference{}, malformed(s, "the host before the first slash is not one")
	case rest == "":
		return Reference{}, malformed(s, "it names no repository")
	case rest != strings.ToLower(rest):
		return Reference{}, malformed(s, "repository names are in lower case")
	case !registry.ValidRepository(rest):
		return Reference{}, malformed(s, "the repository has characters that names cannot have")
	}
	if ref.Tag == "" && ref.Digest == "" {
		ref.Tag = "latest"
	}
	return ref, nil
}

// refuseReference turns away what is no reference at all, without repeating what
// may hold a password.
func refuseReference(s string) error {
	scheme, rest, hasScheme := strings.Cut(s, "://")
	if !hasScheme {
		rest = s
	}
	if before, after, ok := strings.Cut(rest, "@"); ok && !strings.HasPrefix(after, "sha256:") && (hasScheme || strings.Contains(before, ":")) {
		return pratique.Errorf(pratique.CodeInvalid, "an image reference cannot hold a user name or a password").
			WithRemedy("store the credential with `docker login HOST` and write HOST/REPOSITORY:TAG")
	}
	switch {
	case hasScheme:
		return pratique.Errorf(pratique.CodeInvalid, "%.80q is an address, not an image reference", s).
			WithRemedy("leave out %q; for a registry without TLS add --insecure", printable(scheme, 16)+"://")
	case s == "":
		return pratique.Errorf(pratique.CodeInvalid, "the image reference is empty").
			WithRemedy("write HOST/REPOSITORY:TAG, for example registry.example.com/team/app:1.2")
	case len(s) > maxReference:
		return pratique.Errorf(pratique.CodeInvalid, "an image reference of %d characters is too long", len(s)).
			WithRemedy("write HOST/REPOSITORY:TAG, at most %d characters", maxReference)
	}
	return nil
}

func malformed(s, why string) error {
	return pratique.Errorf(pratique.CodeInvalid, "%.120q is not an image reference: %s", s, why).
		WithRemedy("write HOST/REPOSITORY:TAG or HOST/REPOSITORY@sha256:DIGEST, for example registry.example.com/team/app:1.2")
}

func splitHost(s string) (host, rest string) {
	first, after, ok := strings.Cut(s, "/")
	if !ok || first != "localhost" && !strings.ContainsAny(first, ".:") {
		return DockerHub, s
	}
	switch first {
	case "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com":
		first = DockerHub
	}
	return first, after
}

// Name returns HOST/REPOSITORY.
func (r Reference) Name() string { return r.Host + "/" + r.Repository }

// String returns the whole reference.
func (r Reference) String() string {
	s := r.Name()
	if r.Tag != "" {
		s += ":" + r.Tag
	}
	if r.Digest != "" {
		s += "@" + string(r.Digest)
	}
	return s
}

// Target returns what to ask a registry for: the digest if there is one,
// because it cannot be moved, else the tag.
func (r Reference) Target() string {
	if r.Digest != "" {
		return string(r.Digest)
	}
	return r.Tag
}

// isLoopback tells whether host, with or without a port, is this machine, where
// a registry without TLS is usual.
func isLoopback(host string) bool {
	host = hostOf(host)
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return ip != nil && ip.IsLoopback()
}

// hostOf leaves out the port, if there is one.
func hostOf(address string) string {
	if h, _, err := net.SplitHostPort(address); err == nil {
		return h
	}
	return address
}
