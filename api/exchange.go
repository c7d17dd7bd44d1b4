package api

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// exchange is one request with its answer, as the log and the metrics see it. It
// belongs to the goroutine that serves the request.
type exchange struct {
	id      string
	started time.Time
	address netip.Addr // of the client
	host    string     // that the client asked for, with its port
	secure  bool       // the client speaks TLS, to us or to a proxy that we trust
	route   string     // the pattern of the path, never the path
	user    string
	session *session
	code    string // of the problem
	err     error  // what the client is not told
	log     *slog.Logger
}

type exchangeKey struct{}

// exchangeOf is never nil.
func exchangeOf(ctx context.Context) *exchange {
	if x, ok := ctx.Value(exchangeKey{}).(*exchange); ok {
		return x
	}
	return &exchange{log: slog.New(slog.DiscardHandler)}
}

// begin makes the exchange of a request.
func (s *server) begin(r *http.Request) *exchange {
	id := r.Header.Get("X-Request-Id")
	if !saneID(id) {
		id = rand.Text()
	}
	x := &exchange{id: id, started: s.now(), route: "unknown", host: r.Host, secure: r.TLS != nil}
	x.address = s.clientAddress(r)
	if peer, ok := peerAddress(r); ok && s.trusted(peer) {
		x.secure = x.secure || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
	}
	x.log = s.log.With("request", id)
	return x
}

// saneID tells whether an id that somebody else chose may go into our log.
func saneID(id string) bool {
	if len(id) < 8 || len(id) > 64 {
		return false
	}
	for _, c := range []byte(id) {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.') {
			return false
		}
	}
	return true
}

func peerAddress(r *http.Request) (netip.Addr, bool) {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(host)
	return a.Unmap(), err == nil
}

func (s *server) trusted(a netip.Addr) bool {
	for _, p := range s.TrustedProxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// maxHops of X-Forwarded-For that are looked at.
const maxHops = 16

// clientAddress is the last address on the way that is not a trusted proxy's.
// Whatever stands left of it, the client may have written itself.
func (s *server) clientAddress(r *http.Request) netip.Addr {
	address, ok := peerAddress(r)
	if !ok || !s.trusted(address) {
		return address
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && i >= len(hops)-maxHops; i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		address = hop.Unmap().WithZone("")
		if !s.trusted(address) {
			break
		}
	}
	return address
}
