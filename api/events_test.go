package api

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// listen opens the stream and returns its lines. They end with the stream.
func (p *person) listen(ctx context.Context, lastID string) (lines <-chan string, resp *http.Response) {
	p.t.Helper()
	req, err := http.NewRequestWithContext(ctx, "GET", p.URL+eventsPath, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	if lastID != "" {
		req.Header.Set("Last-Event-ID", lastID)
	}
	return p.listenTo(req)
}

func (p *person) listenTo(req *http.Request) (lines <-chan string, resp *http.Response) {
	p.t.Helper()
	resp, err := p.client.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { resp.Body.Close() })
	out := make(chan string, 10_000)
	go func() {
		defer close(out)
		for s := bufio.NewScanner(resp.Body); s.Scan(); {
			out <- s.Text()
		}
	}()
	return out, resp
}

// until reads lines up to one with a prefix.
func until(t *testing.T, lines <-chan string, prefix string) string {
	t.Helper()
	for {
		select {
		case l, open := <-lines:
			if !open {
				t.Fatalf("the stream ended before %q", prefix)
			}
			if strings.HasPrefix(l, prefix) {
				return l
			}
		case <-time.After(5 * time.Second):
			t.Fatalf("no %q", prefix)
		}
	}
}

func TestEvents(t *testing.T) {
	v := start(t, func(d *Deps) { d.Events.beat = 20 * time.Millisecond })
	p := v.admin()
	lines, resp := p.listen(t.Context(), "")
	if resp.Header.Get("Content-Type") != "text/event-stream" || resp.Header.Get("Content-Encoding") != "" {
		t.Errorf("%v", resp.Header)
	}
	until(t, lines, "retry:")
	until(t, lines, ": still here")
	hub := v.api.Events
	for i := range 3 {
		if err := hub.Publish(Event{Type: "scan", Data: map[string]any{"n": i, "name": "line\nbreak"}}); err != nil {
			t.Fatal(err)
		}
	}
	first := strings.TrimPrefix(until(t, lines, "id: "), "id: ")
	if got := until(t, lines, "data: "); got != `data: {"n":0,"name":"line\nbreak"}` {
		t.Errorf("%s", got)
	}
	// Who comes back gets what they missed, and nothing twice.
	again, _ := p.listen(t.Context(), first)
	for i := 1; i < 3; i++ {
		if got := until(t, again, "data: "); !strings.Contains(got, fmt.Sprintf(`"n":%d`, i)) {
			t.Errorf("%s", got)
		}
	}
	for range eventsKept + 1 {
		if err := hub.Publish(Event{Type: "sync"}); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range []string{first, "elsewhere-1", "x", "-"} {
		ctx, cancel := context.WithCancel(t.Context())
		lost, _ := p.listen(ctx, id)
		until(t, lost, "event: reset")
		cancel()
	}
	// Signing out ends the stream.
	last, _ := p.listen(t.Context(), "")
	until(t, last, "retry:")
	p.want(http.StatusNoContent, "DELETE", "/api/v1/session", nil, nil)
	deadline := time.After(5 * time.Second)
	for {
		select {
		case _, open := <-last:
			if !open {
				return
			}
		case <-deadline:
			t.Fatal("the stream goes on after signing out")
		}
	}
}

func TestSlowClientIsDropped(t *testing.T) {
	h := NewHub()
	slow, _, _, err := h.join("")
	if err != nil {
		t.Fatal(err)
	}
	quick, _, _, err := h.join("")
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	for i := range clientBuffer * 3 {
		if err := h.Publish(Event{Type: "scan", Data: i}); err != nil {
			t.Fatal(err)
		}
		if _, open := <-quick; !open {
			t.Fatal("the quick client was dropped")
		}
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("publishing waited: %s", took)
	}
	got := 0
	for range slow { // ends, because it was closed
		got++
	}
	if got != clientBuffer || h.Clients() != 1 {
		t.Errorf("the slow client got %d; %d clients are left", got, h.Clients())
	}
	for range maxClients - 1 {
		if _, _, _, err := h.join(""); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, _, err := h.join(""); problemOf(err).Code != codeUnavailable {
		t.Errorf("one too many: %v", err)
	}
	if err := h.Publish(Event{Type: "scan", Data: func() {}}); err == nil {
		t.Error("a function was published")
	}
}

func TestGracefulStop(t *testing.T) {
	v := start(t)
	release := make(chan struct{})
	begun := make(chan struct{})
	slow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/slow" {
			v.api.handler().ServeHTTP(w, r)
			return
		}
		close(begun)
		<-release
		fmt.Fprint(w, "done")
	})
	on, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: slow}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- Serve(ctx, server, v.api.Events, 5*time.Second, func() error { return server.Serve(on) })
	}()
	answer := make(chan string, 1)
	go func() {
		resp, err := http.Get("http://" + on.Addr().String() + "/slow")
		if err != nil {
			answer <- err.Error()
			return
		}
		defer resp.Body.Close()
		b, _ := io.ReadAll(resp.Body)
		answer <- string(b)
	}()
	<-begun
	listener, _, _, err := v.api.Events.join("")
	if err != nil {
		t.Fatal(err)
	}
	stop()
	if _, open := <-listener; open {
		t.Error("the streams go on")
	}
	select {
	case err := <-ended:
		t.Fatalf("it did not wait for the request: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	if c, err := net.DialTimeout("tcp", on.Addr().String(), time.Second); err == nil {
		c.Close()
		t.Error("it still takes connections")
	}
	close(release)
	if got := <-answer; got != "done" {
		t.Errorf("the request was cut: %s", got)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// What changes after somebody asked who they are, and before they listen, is told.
func TestEventsSinceSession(t *testing.T) {
	v := start(t)
	p := v.admin()
	var info SessionInfo
	for n, seen := range []int{1, 2} { // before the first event of all, and later
		p.want(http.StatusOK, "GET", "/api/v1/session", nil, &info)
		if err := v.api.Events.Publish(Event{Type: "scan", Data: seen}); err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequestWithContext(t.Context(), "GET", p.URL+eventsPath+"?after="+info.Event, nil)
		if err != nil {
			t.Fatal(err)
		}
		lines, _ := p.listenTo(req)
		if got, want := until(t, lines, "data: "), fmt.Sprintf("data: %d", n+1); got != want {
			t.Errorf("%s, not %s", got, want)
		}
	}
}
