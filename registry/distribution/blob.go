package distribution

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/pratique/pratique"
)

// Blob opens the content that d names, from its first byte, as the registry
// stores it. When the connection breaks or stalls, the reader goes on where it
// stopped; it gives exactly d.Size bytes or an error. It does not check the
// digest: whoever reads it hashes anyway. Closing it ends the transfer.
func (c *Client) Blob(ctx context.Context, repository string, d Descriptor) (io.ReadCloser, error) {
	if _, err := pratique.ParseDigest(string(d.Digest)); err != nil || d.Size < 0 {
		return nil, notManifest("it names a blob without digest or size")
	}
	b := &blob{client: c, ctx: ctx, repository: repository, want: d}
	if err := b.connect(); err != nil {
		return nil, err
	}
	return b, nil
}

// enough is how much of a blob must arrive for failed attempts to be forgiven:
// a link that breaks every few megabytes gets through, one that gives a byte an
// hour does not.
const enough = 1 << 20

// blob is a download that survives broken connections.
type blob struct {
	client     *Client
	ctx        context.Context
	repository string
	want       Descriptor

	body     *watched
	offset   int64 // bytes given to the reader
	progress int64 // offset when failed was last reset
	failed   int   // attempts since then
	err      error
}

func (b *blob) Read(p []byte) (int, error) {
	for b.err == nil && len(p) > 0 {
		left := b.want.Size - b.offset
		if left == 0 {
			b.err = io.EOF
			break
		}
		n, err := b.body.Read(p[:min(int64(len(p)), left)])
		b.offset += int64(n)
		if b.offset-b.progress >= enough {
			b.progress, b.failed = b.offset, 0
		}
		if err != nil && b.offset < b.want.Size {
			b.err = b.resume(err)
		}
		if n > 0 {
			return n, nil
		}
	}
	if len(p) == 0 {
		return 0, nil
	}
	return 0, b.err
}

// resume connects again after a failure, a bounded number of times.
func (b *blob) resume(failure error) error {
	b.body.Close()
	c := b.client
	for {
		if b.ctx.Err() != nil {
			return c.explain(b.ctx, failure)
		}
		b.failed++
		if b.failed >= c.limits.attempts {
			return b.broken(failure)
		}
		if err := c.pause(b.ctx, c.limits.backoff<<(b.failed-1)); err != nil {
			return err
		}
		if failure = b.connect(); failure == nil {
			return nil
		}
		// send has tried and waited by itself; a blob is worth one more round, but
		// not what cannot pass.
		if !mayPass(failure) {
			return failure
		}
	}
}

func (b *blob) broken(failure error) error {
	at := fmt.Sprintf("at byte %d of %d", b.offset, b.want.Size)
	if failure == io.EOF {
		return pratique.Errorf(pratique.CodeCorrupt, "%s ends blob %s too early, %s", b.client.host, b.want.Digest.Short(), at).
			WithRemedy("push the image again: its manifest promises more than the registry has")
	}
	e := pratique.Errorf(pratique.CodeUnreachable, "%s broke off blob %s %d times %s", b.client.host, b.want.Digest.Short(), b.failed, at).
		WithRemedy("check the network and proxies in between, then try again; what was read completely is not read twice")
	e.Cause = failure
	return e
}

// connect asks for the rest of the blob. A server that ignores Range sends it
// from the start, and what we have is passed over.
func (b *blob) connect() error {
	c := b.client
	ctx, cancel := context.WithCancelCause(b.ctx)
	resp, err := c.send(ctx, request{
		repository: b.repository,
		path:       "/v2/" + b.repository + "/blobs/" + string(b.want.Digest),
		offset:     b.offset,
		what:       "blob " + b.want.Digest.Short() + " of " + b.repository,
		reference:  "blob " + b.want.Digest.Short() + " of " + c.host + "/" + b.repository,
	})
	if err != nil {
		cancel(nil)
		return err
	}
	b.body = &watched{body: resp.Body, ctx: ctx, cancel: cancel, limits: c.limits, explain: c.explain}
	if err := b.position(resp); err != nil {
		b.body.Close()
		return err
	}
	return nil
}

// position makes the body stand at b.offset.
func (b *blob) position(resp *http.Response) error {
	c := b.client
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") {
		return c.notRegistry()
	}
	switch resp.StatusCode {
	case http.StatusRequestedRangeNotSatisfiable:
		return pratique.Errorf(pratique.CodeCorrupt, "%s has fewer bytes of blob %s than its manifest says (%d)", c.host, b.want.Digest.Short(), b.want.Size).
			WithRemedy("push the image again")
	case http.StatusPartialContent:
		var start int64
		if _, err := fmt.Sscanf(resp.Header.Get("Content-Range"), "bytes %d-", &start); err != nil || start != b.offset {
			return pratique.Errorf(pratique.CodeUnreachable, "%s answers with another part of blob %s than was asked for", c.host, b.want.Digest.Short()).
				WithRemedy("check the proxies in front of the registry")
		}
		return nil
	}
	if resp.ContentLength >= 0 && resp.ContentLength != b.want.Size {
		return pratique.Errorf(pratique.CodeCorrupt, "%s sends %d bytes for blob %s, its manifest says %d", c.host, resp.ContentLength, b.want.Digest.Short(), b.want.Size).
			WithRemedy("a proxy or the registry's storage changes content; try again, then push the image again")
	}
	if _, err := io.CopyN(io.Discard, b.body, b.offset); err != nil {
		return c.explain(b.ctx, err)
	}
	return nil
}

func (b *blob) Close() error {
	if b.err == nil {
		b.err = pratique.Errorf(pratique.CodeInternal, "blob %s is read after it was closed", b.want.Digest.Short())
	}
	b.body.Close()
	return nil
}

// watched is a body whose server has to keep sending. The clock runs only while
// somebody waits in Read, so a slow reader is not taken for a slow server.
type watched struct {
	body    io.ReadCloser
	ctx     context.Context
	cancel  context.CancelCauseFunc
	limits  limits
	explain func(context.Context, error) error

	waited time.Duration // spent in Read in this window
	got    int64         // bytes in this window
}

func (w *watched) Read(p []byte) (int, error) {
	stop := time.AfterFunc(w.limits.idle, func() { w.cancel(errStalled) })
	start := time.Now()
	n, err := w.body.Read(p)
	stop.Stop()
	w.waited += time.Since(start)
	w.got += int64(n)
	if w.waited >= w.limits.idle {
		if w.got < int64(w.limits.idle.Seconds()*float64(w.limits.minRate)) {
			w.cancel(errStalled)
			err = errStalled
		}
		w.waited, w.got = 0, 0
	}
	if err != nil && err != io.EOF {
		err = w.explain(w.ctx, err)
	}
	return n, err
}

func (w *watched) Close() {
	w.cancel(nil)
	_ = w.body.Close()
}
