package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"runtime/debug"
	"strings"
	"time"
)

// recorder notes the status and the size of an answer.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// Unwrap is for http.ResponseController.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// observe gives each request its id, its line in the log and its place in the
// metrics, and turns panics into answers.
func (s *server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		x := s.begin(r)
		w := &recorder{ResponseWriter: rw}
		w.Header().Set("X-Request-Id", x.id)
		r = r.WithContext(context.WithValue(r.Context(), exchangeKey{}, x))
		s.metrics.running.Inc()
		defer func() {
			s.metrics.running.Dec()
			fault := recover()
			if fault != nil && fault != http.ErrAbortHandler {
				x.err = fmt.Errorf("panic: %v\n%s", fault, debug.Stack())
				if w.status == 0 {
					writeProblem(w, r, problemOf(x.err))
				}
			}
			s.account(x, w, r)
			if fault != nil && (fault == http.ErrAbortHandler || w.status != http.StatusInternalServerError) {
				panic(http.ErrAbortHandler) // half an answer is out: cut the connection
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// account writes the log line and counts. The query is not logged: searches may
// hold what people paste.
func (s *server) account(x *exchange, w *recorder, r *http.Request) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	took := s.now().Sub(x.started)
	s.metrics.observe(x.route, r.Method, w.status, took)
	level := slog.LevelInfo
	switch {
	case w.status >= 500 && !errors.Is(x.err, context.Canceled):
		level = slog.LevelError
	case probe(r.URL.Path) && w.status < 400:
		level = slog.LevelDebug
	}
	attrs := []slog.Attr{
		slog.String("method", bounded(r.Method, 16)), slog.String("path", bounded(r.URL.Path, 256)), slog.Int("status", w.status),
		slog.Int64("bytes", w.bytes), slog.Duration("took", took.Round(time.Microsecond)), slog.String("client", x.address.String()),
	}
	if x.user != "" {
		attrs = append(attrs, slog.String("user", x.user))
	}
	if x.code != "" {
		attrs = append(attrs, slog.String("code", x.code))
	}
	if x.err != nil {
		attrs = append(attrs, slog.String("error", x.err.Error()))
	}
	x.log.LogAttrs(r.Context(), level, "request", attrs...)
}

// probe tells requests that machines make every few seconds.
func probe(path string) bool { return path == "/healthz" || path == "/readyz" || path == "/metrics" }

// contentPolicy lets the console load its own scripts and styles, and nothing
// from elsewhere. Component libraries set inline styles, hence that exception;
// scripts have none.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; " +
	"connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// guard sets what browsers should know about every answer.
func (s *server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
		if exchangeOf(r.Context()).secure {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// markerHeader has to be on every request that changes something. Another site
// cannot make a browser send it without asking us first (CORS), and we say no.
const markerHeader = "X-Requested-With"

// sameOrigin refuses what another site makes a browser ask: by Sec-Fetch-Site and
// Origin, which browsers set and pages cannot, and by a header that a page of
// another site may not set. Addresses below /hooks/ are for programs that carry a
// secret of their own instead of a cookie.
func (s *server) sameOrigin(next http.Handler) http.Handler {
	check := http.NewCrossOriginProtection()
	for _, origin := range s.Origins {
		if err := check.AddTrustedOrigin(origin); err != nil {
			// New has refused such an origin already.
			panic(err)
		}
	}
	refuse := func(w http.ResponseWriter, r *http.Request, detail, remedy string) {
		writeProblem(w, r, newProblem(http.StatusForbidden, codeCrossOrigin, detail).withRemedy(remedy))
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		safe := r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions
		if safe || strings.HasPrefix(r.URL.Path, hooksPath) {
			next.ServeHTTP(w, r)
			return
		}
		if check.Check(r) != nil {
			refuse(w, r, "the request comes from another site", "open the console under its own address, or name that address with --url")
			return
		}
		if r.Header.Get(markerHeader) == "" {
			refuse(w, r, "the header "+markerHeader+" is missing", "send "+markerHeader+": pratique with every request that changes something")
			return
		}
		next.ServeHTTP(w, r)
	})
}

const (
	basePath  = "/api/v1"
	hooksPath = basePath + "/hooks/"
)

// Limits of a request.
const (
	maxBody     = 2 << 20 // bytes; a CA bundle is the largest thing that people send
	maxURL      = 16 << 10
	answerLimit = 60 * time.Second
	uploadLimit = 30 * time.Minute
)

// limits bounds what a request may send and how long it may take. The context of
// a request that streams has no deadline: it is bounded write by write.
func (s *server) limits(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.RequestURI) > maxURL {
			writeProblem(w, r, newProblem(http.StatusRequestURITooLong, codeTooLarge, "the address of the request is too long"))
			return
		}
		largest, limit := int64(maxBody+1), answerLimit
		if r.URL.Path == importPath {
			largest, limit = maxFeedFile, uploadLimit
		}
		r.Body = http.MaxBytesReader(w, r.Body, largest)
		if r.URL.Path != eventsPath {
			ctx, cancel := context.WithTimeout(r.Context(), limit)
			defer cancel()
			r = r.WithContext(ctx)
			deadline := time.Now().Add(limit + writePatience)
			if err := http.NewResponseController(w).SetWriteDeadline(deadline); err != nil && !errors.Is(err, http.ErrNotSupported) {
				exchangeOf(ctx).log.Debug("no deadline for the answer", "error", err)
			}
		}
		next.ServeHTTP(w, r)
	})
}

// Redacted is a slog.HandlerOptions.ReplaceAttr that hides attributes which are
// named like credentials, and credentials in the text of others.
func Redacted(_ []string, a slog.Attr) slog.Attr {
	key := strings.ToLower(a.Key)
	for _, word := range [...]string{"password", "passwd", "secret", "token", "cookie", "authorization", "credential"} {
		if strings.Contains(key, word) {
			return slog.String(a.Key, "[redacted]")
		}
	}
	switch v := a.Value.Any().(type) {
	case string:
		return slog.String(a.Key, redact(v))
	case error:
		if p := reflect.ValueOf(v); p.Kind() == reflect.Pointer && p.IsNil() { // no error, in an interface of error
			return slog.String(a.Key, "")
		}
		return slog.String(a.Key, redact(v.Error()))
	}
	return a
}
