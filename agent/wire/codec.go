package wire

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/pratique/pratique"
)

// Prefix is where the messages of this version go.
const Prefix = "/agent/v1/"

// ServiceName is the name in the service's certificate that agents ask for,
// whatever address they connect to: the authority signs for this service alone, so
// that there is nobody else whom a name could tell apart.
const ServiceName = "service.pratique.internal"

// Message is something that an agent says.
type Message interface {
	// Path follows Prefix.
	Path() string
	// Limit bounds its body.
	Limit() Limit
	// Validate refuses what makes no sense. It is CodeInvalid or CodeLimit.
	Validate() error
}

// Limit bounds a body. Bytes alone would not: three bytes of JSON may become an
// object of hundreds.
type Limit struct {
	Packed  int64 // bytes as they come
	Bytes   int64 // bytes of the JSON
	Objects int   // objects in it
	Values  int   // elements of arrays and objects in all
}

// maxDepth is how deep messages may be nested. Those that there are have seven
// levels.
const maxDepth = 32

// Small is the limit of messages that only ever have a few fields.
func Small() Limit { return Limit{Packed: 64 << 10, Bytes: 256 << 10, Objects: 2000, Values: 20_000} }

// compressFrom is the size in bytes from which compressing is worth it.
const compressFrom = 1 << 10

// Encode writes a message or an answer. packed says that it is compressed, which
// goes into the header Content-Encoding.
func Encode(v any) (body []byte, packed bool, err error) {
	plain, err := json.Marshal(v)
	if err != nil || len(plain) < compressFrom {
		return plain, false, err
	}
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err != nil {
		return nil, false, err
	}
	if _, err = z.Write(plain); err == nil {
		err = z.Close()
	}
	return b.Bytes(), true, err
}

// Read takes a body off the line, without looking into it. length is what the
// header says, or -1.
func Read(body io.Reader, length int64, limit Limit) ([]byte, error) {
	if length > limit.Packed {
		return nil, tooLarge()
	}
	b, err := io.ReadAll(io.LimitReader(body, limit.Packed+1))
	if err != nil {
		if large := (*http.MaxBytesError)(nil); errors.As(err, &large) {
			return nil, tooLarge()
		}
		return nil, pratique.Errorf(pratique.CodeInvalid, "the message broke off").WithRemedy("send it again")
	}
	if int64(len(b)) > limit.Packed {
		return nil, tooLarge()
	}
	return b, nil
}

// Unpack inflates a body, if it is packed, within the limit.
func Unpack(body []byte, packed bool, limit Limit) ([]byte, error) {
	if packed {
		z, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return nil, malformed("it is not compressed as it says")
		}
		if body, err = io.ReadAll(io.LimitReader(z, limit.Bytes+1)); err != nil {
			return nil, malformed("it is not compressed as it says")
		}
	}
	if int64(len(body)) > limit.Bytes {
		return nil, tooLarge()
	}
	return body, nil
}

// Decode reads a message strictly: one value, no unknown fields, no more than the
// limit of anything, and valid.
func Decode(body []byte, packed bool, into Message) error {
	limit := into.Limit()
	plain, err := Unpack(body, packed, limit)
	if err != nil {
		return err
	}
	if err := count(plain, limit); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(plain))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return malformed(bounded(err.Error(), 200))
	}
	if _, err := d.Token(); err != io.EOF {
		return malformed("something follows it")
	}
	return into.Validate()
}

// DecodeAnswer reads an answer: fields that we do not know are a newer service's.
func DecodeAnswer(body []byte, packed bool, limit Limit, into any) error {
	plain, err := Unpack(body, packed, limit)
	if err != nil {
		return err
	}
	if err := count(plain, limit); err != nil {
		return err
	}
	if err := json.Unmarshal(plain, into); err != nil {
		return malformed(bounded(err.Error(), 200))
	}
	return nil
}

// count refuses JSON that would take much more memory than it has bytes, before
// anything is made of it.
func count(b []byte, limit Limit) error {
	objects, values, depth, inText := 0, 0, 0, false
	for i := 0; i < len(b); i++ {
		if inText {
			switch b[i] {
			case '\\':
				i++
			case '"':
				inText = false
			}
			continue
		}
		switch b[i] {
		case '"':
			inText = true
		case '{', '[':
			if b[i] == '{' {
				objects++
			}
			values++
			depth++
		case '}', ']':
			depth--
		case ',':
			values++
		}
		if objects > limit.Objects || values > limit.Values || depth > maxDepth {
			return tooLarge()
		}
	}
	return nil
}

func tooLarge() *pratique.Error {
	return pratique.Errorf(pratique.CodeLimit, "the message is larger than messages of its kind may be").WithRemedy("look at the agent's log; if nothing there explains it, report it")
}

func malformed(why string) *pratique.Error {
	return pratique.Errorf(pratique.CodeInvalid, "the message is malformed: %s", why).WithRemedy("update the service before its agents")
}

// Status is the HTTP status that goes with an error's code.
func Status(code pratique.Code) int {
	switch code {
	case pratique.CodeInvalid, pratique.CodeCorrupt, pratique.CodeUnsupported:
		return http.StatusUnprocessableEntity
	case pratique.CodeNotFound:
		return http.StatusNotFound
	case pratique.CodeUnauthorized:
		return http.StatusUnauthorized
	case pratique.CodeRateLimited:
		return http.StatusTooManyRequests
	case pratique.CodeLimit:
		return http.StatusRequestEntityTooLarge
	case pratique.CodeCancelled:
		return http.StatusGone
	case pratique.CodeConflict:
		return http.StatusConflict
	case pratique.CodeUnreachable, pratique.CodeTimeout:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

func bounded(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[:n]
}
