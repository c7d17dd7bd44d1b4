package containerd

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/engine/internal/daemon"
)

// A call of gRPC is a POST over HTTP/2 with a length before each message, and the
// outcome in a trailer (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md).
// net/http does all but the length, so the five calls that we make need neither
// containerd's client nor a gRPC library: together they would double the binary.

// maxMessage bounds an answer in bytes. A list of a thousand containers with their
// specs has some ten megabytes.
const maxMessage = 256 << 20

// client speaks to containerd's socket.
type client struct{ *daemon.Client }

func dial(socket string) *client {
	transport := daemon.Unix(socket)
	transport.Protocols = new(http.Protocols)
	transport.Protocols.SetUnencryptedHTTP2(true)
	return &client{&daemon.Client{
		Where:     "containerd at " + socket,
		Unreached: "start containerd or set CONTAINERD_ADDRESS; for an image in a registry write registry:REFERENCE",
		Denied:    "run as root",
		HTTP:      &http.Client{Transport: transport},
		Base:      "http://containerd",
	}}
}

// rpcError is a call that failed with a gRPC status.
type rpcError struct {
	code    int
	message string
}

func (e *rpcError) Error() string { return fmt.Sprintf("status %d: %s", e.code, e.message) }

// stream makes a call and hands every message of the answer to yield, which must
// not keep it.
func (c *client) stream(ctx context.Context, method, namespace string, request message, yield func(message) error) error {
	body := append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(request))), request...)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.Base+"/containerd.services."+method, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header = http.Header{"Content-Type": {"application/grpc"}, "Te": {"trailers"}}
	if namespace != "" {
		req.Header["Containerd-Namespace"] = []string{namespace}
	}
	resp, err := c.HTTP.Do(req)
	if err != nil {
		return c.Explain(ctx, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return pratique.Errorf(pratique.CodeUnreachable, "%s does not answer as one (%d)", c.Where, resp.StatusCode).WithRemedy("%s", c.Unreached)
	}
	for {
		m, err := readMessage(resp.Body)
		if err == io.EOF {
			break
		}
		if err != nil {
			return c.Explain(ctx, err)
		}
		if err := yield(m); err != nil {
			return err
		}
	}
	status, said := resp.Trailer.Get("Grpc-Status"), resp.Trailer.Get("Grpc-Message")
	if status == "" { // an answer without any message has it in front
		status, said = resp.Header.Get("Grpc-Status"), resp.Header.Get("Grpc-Message")
	}
	if status == "0" {
		return nil
	}
	code, _ := strconv.Atoi(status)
	if plain, err := url.PathUnescape(said); err == nil {
		said = plain
	}
	return pratique.Errorf(pratique.CodeUnreachable, "%s refuses: %w", c.Where, &rpcError{code, daemon.OneLine(said)}).
		WithRemedy("look into containerd's log, and try again")
}

func readMessage(r io.Reader) (message, error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(head[1:])
	if head[0] != 0 || n > maxMessage {
		return nil, fmt.Errorf("a message of %d bytes, compression %d", n, head[0])
	}
	m := make(message, n)
	if _, err := io.ReadFull(r, m); err != nil {
		return nil, errors.Join(err, io.ErrUnexpectedEOF)
	}
	return m, nil
}

// call makes a call with one answer.
func (c *client) call(ctx context.Context, method, namespace string, request message) (answer message, err error) {
	ctx, cancel := context.WithTimeout(ctx, daemon.Answer)
	defer cancel()
	err = c.stream(ctx, method, namespace, request, func(m message) error { answer = m; return nil })
	return answer, err
}

// message is one of Protocol Buffers, as bytes.
type message []byte

// field is one field: a number, or bytes.
type field struct {
	number int
	value  uint64
	bytes  []byte
}

// fields calls yield for each field, in order. What is malformed ends it.
func (m message) fields(yield func(field) bool) {
	for len(m) > 0 {
		number, kind, n := protowire.ConsumeTag(m)
		if n < 0 {
			return
		}
		m = m[n:]
		f := field{number: int(number)}
		switch kind {
		case protowire.VarintType:
			f.value, n = protowire.ConsumeVarint(m)
		case protowire.BytesType:
			f.bytes, n = protowire.ConsumeBytes(m)
		default:
			n = protowire.ConsumeFieldValue(number, kind, m)
		}
		if n < 0 || !yield(f) {
			return
		}
		m = m[n:]
	}
}

// all returns the embedded messages of a repeated field.
func (m message) all(number int) (found []message) {
	for f := range m.fields {
		if f.number == number {
			found = append(found, f.bytes)
		}
	}
	return found
}

// text returns a string field.
func (m message) text(number int) (s string) {
	for f := range m.fields {
		if f.number == number {
			s = string(f.bytes)
		}
	}
	return s
}

// number returns an integer field.
func (m message) number(number int) (n int64) {
	for f := range m.fields {
		if f.number == number {
			n = int64(f.value)
		}
	}
	return n
}

// pairs returns a map field of strings.
func (m message) pairs(number int) map[string]string {
	pairs := map[string]string{}
	for _, entry := range m.all(number) {
		pairs[entry.text(1)] = entry.text(2)
	}
	return pairs
}
