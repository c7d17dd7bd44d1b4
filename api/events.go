package api

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

const (
	eventsPath    = basePath + "/events"
	eventsKept    = 512 // for clients that come back
	clientBuffer  = 64  // events that a client may be behind
	maxClients    = 500
	heartbeat     = 15 * time.Second
	writePatience = 10 * time.Second // for one write to a client
	reconnect     = 3 * time.Second  // how soon a client should come back
)

// Event tells of progress. It says that something changed; the operations of the
// API say how things are.
type Event struct {
	Type string // "scan", "sync", "feed": [a-z.]
	Data any    // JSON
}

// Hub hands events to the clients of /api/v1/events. Nobody waits for a client: one
// that is [clientBuffer] events behind is dropped, and comes back by itself with
// the id of the last event that it has (Last-Event-ID). If the events since are no
// longer kept, it is told to start over (event "reset").
type Hub struct {
	mu      sync.Mutex
	epoch   string // of this process: ids of another one say nothing here
	last    uint64
	kept    []message // oldest first
	clients map[chan message]struct{}
	closed  bool
	beat    time.Duration
}

type message struct {
	number uint64
	text   []byte
}

// NewHub makes one.
func NewHub() *Hub {
	return &Hub{epoch: rand.Text()[:8], clients: map[chan message]struct{}{}, beat: heartbeat}
}

// Publish never blocks.
func (h *Hub) Publish(e Event) error {
	data, err := json.Marshal(e.Data) // without newlines
	if err != nil {
		return fmt.Errorf("event %s: %w", e.Type, err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil
	}
	h.last++
	m := message{h.last, fmt.Appendf(nil, "id: %s-%d\nevent: %s\ndata: %s\n\n", h.epoch, h.last, e.Type, data)}
	if len(h.kept) == eventsKept {
		h.kept = append(h.kept[:0], h.kept[1:]...)
	}
	h.kept = append(h.kept, m)
	for c := range h.clients {
		select {
		case c <- m:
		default:
			h.drop(c)
		}
	}
	return nil
}

func (h *Hub) drop(c chan message) {
	if _, ok := h.clients[c]; ok {
		delete(h.clients, c)
		close(c)
	}
}

// Clients is how many there are.
func (h *Hub) Clients() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.clients)
}

// Close ends all streams, so that the server can stop.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for c := range h.clients {
		h.drop(c)
	}
}

// join adds a client. missed are the events since the one that it has; lost is set
// when these are not known any longer.
func (h *Hub) join(lastID string) (c chan message, missed []message, lost bool, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || len(h.clients) >= maxClients {
		return nil, nil, false, newProblem(http.StatusServiceUnavailable, codeUnavailable, "no more listeners can be served").
			withRemedy("try again in a minute").withRetry(time.Minute)
	}
	if lastID != "" {
		epoch, number, _ := strings.Cut(lastID, "-")
		n, err := strconv.ParseUint(number, 10, 64)
		first := h.last + 1 // of those that are kept
		if len(h.kept) > 0 {
			first = h.kept[0].number
		}
		if lost = err != nil || epoch != h.epoch || n > h.last || n+1 < first; !lost {
			missed = append(missed, h.kept[n+1-first:]...)
		}
	}
	c = make(chan message, clientBuffer)
	h.clients[c] = struct{}{}
	return c, missed, lost, nil
}

// newest is the id of the last event, or of none so far, after which one can join.
func (h *Hub) newest() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return fmt.Sprintf("%s-%d", h.epoch, h.last)
}

func (h *Hub) leave(c chan message) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.drop(c)
}

type eventsInput struct {
	LastEventID string `header:"Last-Event-ID" maxLength:"64" doc:"Sent by browsers that come back"`
	After       string `query:"after" maxLength:"64" doc:"For the first time: the event that the session names, so that nothing is missed between what was asked and the stream"`
}

func (s *server) eventOperations() {
	handle(s, operation{id: "streamEvents", method: http.MethodGet, path: "/events", tag: "events", right: RightRead,
		summary: "Progress as it happens (server-sent events)",
		detail: "Events of the types scan, sync and feed, each with JSON that says what changed. A client that reads too slowly is cut off and " +
			"comes back with Last-Event-ID; \"reset\" means that events were missed and everything has to be asked for again. A comment comes every 15 s.",
		adjust: func(o *huma.Operation) {
			o.Responses["200"] = &huma.Response{Description: "A stream", Content: map[string]*huma.MediaType{"text/event-stream": {Schema: &huma.Schema{Type: huma.TypeString}}}}
		}},
		func(ctx context.Context, in *eventsInput) (*huma.StreamResponse, error) {
			client, missed, lost, err := s.Events.join(cmp.Or(in.LastEventID, in.After))
			if err != nil {
				return nil, err
			}
			return &huma.StreamResponse{Body: func(ctx huma.Context) {
				defer s.Events.leave(client)
				_, w := humago.Unwrap(ctx)
				x := &stream{w: w, control: http.NewResponseController(w)}
				if err := x.begin(missed, lost); err == nil {
					err = s.stream(ctx.Context(), x, client)
					exchangeOf(ctx.Context()).log.Debug("a listener left", "reason", err)
				}
			}}, nil
		})
}

// stream is an answer that goes on.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

func (x *stream) begin(missed []message, lost bool) error {
	h := x.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would wait for more
	x.w.WriteHeader(http.StatusOK)
	text := fmt.Appendf(nil, "retry: %d\n\n", reconnect.Milliseconds())
	if lost {
		text = append(text, "event: reset\ndata: {}\n\n"...)
	}
	for _, m := range missed {
		text = append(text, m.text...)
	}
	return x.send(text)
}

func (x *stream) send(text []byte) error {
	if err := x.control.SetWriteDeadline(time.Now().Add(writePatience)); err != nil {
		return err
	}
	if _, err := x.w.Write(text); err != nil {
		return err
	}
	return x.control.Flush()
}

// stream goes on until the client leaves, is too slow, or is signed out.
func (s *server) stream(ctx context.Context, x *stream, client chan message) error {
	beat := time.NewTicker(s.Events.beat)
	defer beat.Stop()
	token := exchangeOf(ctx).session.token
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case m, open := <-client:
			if !open {
				return fmt.Errorf("too slow, or the service stops")
			}
			if err := x.send(m.text); err != nil {
				return err
			}
		case <-beat.C:
			found, err := s.find(ctx, token)
			if err == nil {
				found.user, err = s.Users.User(ctx, found.UserID)
			}
			if err == nil && (found.user.Disabled || !found.user.Updated.Equal(found.Stamp)) {
				err = signInProblem()
			}
			if err != nil {
				return err
			}
			if err := x.send([]byte(": still here\n\n")); err != nil {
				return err
			}
		}
	}
}
