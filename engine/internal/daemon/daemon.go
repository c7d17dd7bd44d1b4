// Package daemon speaks HTTP to an engine's daemon, mostly over a Unix socket,
// and turns what goes wrong there into errors that tell people what to do.
package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/pratique/pratique"
)

// Answer is how long a daemon may take for a question; Idle, for the next bytes
// of an image. Saving one can take minutes before the first byte: overlay2 writes
// a copy of all layers first.
const (
	Answer = 30 * time.Second
	Idle   = 10 * time.Minute
)

// maxAnswer bounds a JSON answer in bytes. A list of ten thousand images with
// their labels has some megabytes.
const maxAnswer = 64 << 20

// Client speaks to one daemon.
type Client struct {
	Where string // for people: "the Docker engine at unix:///var/run/docker.sock"
	// Unreached and Denied are remedies: nothing answers, and we may not speak.
	Unreached, Denied string
	HTTP              *http.Client
	Base              string // "http://docker"
}

// Unix returns a transport that connects to a socket whatever the address.
func Unix(socket string) *http.Transport {
	dialer := net.Dialer{Timeout: 10 * time.Second}
	return &http.Transport{DisableCompression: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return dialer.DialContext(ctx, "unix", socket)
	}}
}

// Get asks. The caller closes the answer's body.
func (c *Client) Get(ctx context.Context, path string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.Base+path, nil)
	if err != nil {
		return nil, pratique.Errorf(pratique.CodeInvalid, "%.80q cannot be asked of an engine", path).WithRemedy("check the name")
	}
	resp, err := c.HTTP.Do(req)
	if err != nil {
		return nil, c.Explain(ctx, err)
	}
	return resp, nil
}

// Refused is an answer with another status than 200.
type Refused struct {
	Status  int
	Message string // as the daemon says it, on one line
}

func (r *Refused) Error() string { return fmt.Sprintf("%d: %s", r.Status, r.Message) }

// Ask reads a JSON answer. A refusal is a *Refused.
func (c *Client) Ask(ctx context.Context, path string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, Answer)
	defer cancel()
	resp, err := c.Get(ctx, path)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return Refusal(resp)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return c.Explain(ctx, err)
	}
	if len(body) > maxAnswer {
		return pratique.Errorf(pratique.CodeLimit, "%s answers with more than %d MiB", c.Where, maxAnswer>>20)
	}
	if json.Unmarshal(body, into) != nil {
		return pratique.Errorf(pratique.CodeUnreachable, "%s does not answer as one", c.Where).WithRemedy("%s", c.Unreached)
	}
	return nil
}

// Refusal reads what a daemon says against a request.
func Refusal(resp *http.Response) *Refused {
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	var said struct{ Message, Cause string }
	_ = json.Unmarshal(body, &said)
	return &Refused{resp.StatusCode, OneLine(said.Message)}
}

// OneLine makes text of an engine fit for a message.
func OneLine(s string) string {
	s = strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))), " ")
	if len(s) > 200 {
		s = strings.ToValidUTF8(s[:200], "") + "…"
	}
	return s
}

// Told makes a refusal an error for people.
func (c *Client) Told(err error, remedy string) error {
	var refused *Refused
	if !errors.As(err, &refused) {
		return err
	}
	code := pratique.CodeUnreachable
	switch refused.Status {
	case http.StatusNotFound:
		code = pratique.CodeNotFound
	case http.StatusUnauthorized, http.StatusForbidden:
		code = pratique.CodeUnauthorized
	}
	return pratique.Errorf(code, "%s refuses (%w)", c.Where, err).WithRemedy("%s", remedy)
}

// Explain says what became of a connection.
func (c *Client) Explain(ctx context.Context, err error) error {
	var own *pratique.Error
	if errors.As(err, &own) {
		return own
	}
	told := pratique.Errorf(pratique.CodeUnreachable, "%s broke off", c.Where).WithRemedy("look into the engine's log, and try again")
	switch {
	case errors.Is(ctx.Err(), context.Canceled) && errors.Is(err, context.Canceled):
		told = pratique.Errorf(pratique.CodeCancelled, "reading from %s was cancelled or took too long", c.Where).WithRemedy("try again")
	case errors.Is(err, syscall.ENOENT), errors.Is(err, syscall.ECONNREFUSED):
		told = pratique.Errorf(pratique.CodeUnreachable, "nothing answers at %s", strings.TrimPrefix(c.Where, "the ")).WithRemedy("%s", c.Unreached)
	case errors.Is(err, syscall.EACCES):
		told = pratique.Errorf(pratique.CodeUnauthorized, "we may not speak to %s", c.Where).WithRemedy("%s", c.Denied)
	case errors.Is(err, context.DeadlineExceeded):
		told = pratique.Errorf(pratique.CodeUnreachable, "%s does not answer", c.Where).WithRemedy("check that the engine is well; its log may say more")
	}
	told.Cause = err
	return told
}

// Stream opens an answer of any length, which is given up when nothing of it
// comes for a time; idle is 0 for one that may be silent for ever.
func (c *Client) Stream(ctx context.Context, path string, idle time.Duration) (io.ReadCloser, error) {
	ctx, cancel := context.WithCancel(ctx)
	s := &stream{client: c, ctx: ctx, cancel: cancel, idle: idle}
	if idle > 0 {
		s.timer = time.AfterFunc(idle, cancel)
	}
	resp, err := c.Get(ctx, path)
	if err != nil {
		_ = s.Close()
		return nil, err
	}
	s.body = resp.Body
	if resp.StatusCode != http.StatusOK {
		err := Refusal(resp)
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

type stream struct {
	client *Client
	ctx    context.Context
	cancel context.CancelFunc
	idle   time.Duration
	timer  *time.Timer
	body   io.ReadCloser
}

func (s *stream) Read(p []byte) (int, error) {
	if s.timer != nil {
		s.timer.Reset(s.idle)
	}
	n, err := s.body.Read(p)
	if err != nil && err != io.EOF {
		err = s.client.Explain(s.ctx, err)
	}
	return n, err
}

func (s *stream) Close() error {
	if s.timer != nil {
		s.timer.Stop()
	}
	s.cancel()
	if s.body == nil {
		return nil
	}
	return s.body.Close()
}

// Close lets go of idle connections.
func (c *Client) Close() { c.HTTP.CloseIdleConnections() }

// Events reads a stream of JSON objects, one T each, until it ends.
func Events[T any](ctx context.Context, c *Client, path string, query url.Values, yield func(T) error) error {
	body, err := c.Stream(ctx, path+"?"+query.Encode(), 0)
	if err != nil {
		return err
	}
	defer body.Close()
	for d := json.NewDecoder(body); ; {
		var event T
		if err := d.Decode(&event); err != nil {
			if ctx.Err() != nil {
				return pratique.Errorf(pratique.CodeCancelled, "stopped: %w", ctx.Err())
			}
			return c.Explain(ctx, err)
		}
		if err := yield(event); err != nil {
			return err
		}
	}
}
