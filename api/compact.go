package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"

	"github.com/klauspost/compress/gzip"
)

const (
	maxHeld     = 4 << 20 // bytes of an answer that are held back for its validator
	minCompress = 1400    // bytes; less fits into a packet anyway
)

// compact gives JSON answers to GET a validator, answers 304 when the client has
// them already, and compresses them.
//
// The validator is the hash of the body: a handler need not know what its answer
// depends on, and two servers on one database agree. It saves the transfer, not
// the work.
func compact(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.URL.Path == eventsPath {
			next.ServeHTTP(rw, r)
			return
		}
		w := &held{ResponseWriter: rw, request: r}
		next.ServeHTTP(w, r) // after a panic nothing is sent: the answer was not finished
		if err := w.finish(); err != nil {
			exchangeOf(r.Context()).log.Debug("the answer was not taken", "error", err)
		}
	})
}

// held is an answer of which nothing has been sent, until it grows too large for
// that, or is none that we compress.
type held struct {
	http.ResponseWriter
	request *http.Request
	status  int
	body    bytes.Buffer
	passing bool // no longer held
	zip     *gzip.Writer
}

func (w *held) WriteHeader(status int) {
	if w.status != 0 || status < 200 {
		return
	}
	w.status = status
	if t := w.Header().Get("Content-Type"); !strings.HasPrefix(t, "application/json") && !strings.HasPrefix(t, problemType) {
		w.passing = true
		w.ResponseWriter.WriteHeader(status)
	}
}

func (w *held) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if w.passing {
		return w.pass(b)
	}
	if w.body.Len()+len(b) <= maxHeld {
		return w.body.Write(b)
	}
	if err := w.release(); err != nil {
		return 0, err
	}
	return w.pass(b)
}

// Unwrap is for deadlines.
func (w *held) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *held) pass(b []byte) (int, error) {
	if w.zip != nil {
		return w.zip.Write(b)
	}
	return w.ResponseWriter.Write(b)
}

// release sends what was held back.
func (w *held) release() error {
	w.passing = true
	w.Header().Add("Vary", "Accept-Encoding")
	if w.body.Len() >= minCompress && acceptsGzip(w.request.Header.Get("Accept-Encoding")) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Del("Content-Length")
		w.zip = gzip.NewWriter(w.ResponseWriter)
	}
	w.ResponseWriter.WriteHeader(w.status)
	_, err := w.pass(w.body.Bytes())
	w.body = bytes.Buffer{}
	return err
}

func (w *held) finish() error {
	if w.status != 0 && !w.passing {
		if w.status == http.StatusOK && w.Header().Get("ETag") == "" {
			sum := sha256.Sum256(w.body.Bytes())
			// Weak, because the same validator stands for both encodings.
			w.Header().Set("ETag", `W/"`+base64.RawURLEncoding.EncodeToString(sum[:12])+`"`)
		}
		if w.status == http.StatusOK && matches(w.request.Header.Get("If-None-Match"), w.Header().Get("ETag")) {
			w.passing = true
			w.Header().Del("Content-Type")
			w.Header().Add("Vary", "Accept-Encoding")
			w.ResponseWriter.WriteHeader(http.StatusNotModified)
			return nil
		}
		if err := w.release(); err != nil {
			return errors.Join(err, w.close())
		}
	}
	return w.close()
}

func (w *held) close() error {
	if w.zip == nil {
		return nil
	}
	return w.zip.Close()
}

// matches compares weakly (RFC 9110, 13.1.2).
func matches(header, etag string) bool {
	for len(header) > 0 {
		var one string
		one, header, _ = strings.Cut(header, ",")
		one = strings.TrimSpace(one)
		if one == "*" || strings.TrimPrefix(one, "W/") == strings.TrimPrefix(etag, "W/") && etag != "" {
			return true
		}
	}
	return false
}

// acceptsGzip reads Accept-Encoding as far as it matters here.
func acceptsGzip(header string) bool {
	for one := range strings.SplitSeq(header, ",") {
		name, parameters, _ := strings.Cut(one, ";")
		if !strings.EqualFold(strings.TrimSpace(name), "gzip") {
			continue
		}
		q := strings.ReplaceAll(parameters, " ", "")
		return q != "q=0" && q != "q=0.0" && q != "q=0.00" && q != "q=0.000"
	}
	return false
}
