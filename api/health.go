package api

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

// Check is one thing that the service needs to do its work.
type Check struct {
	Name string // "database"
	// Ready returns nil, or why not. Its text is shown to anybody who asks: it must
	// not hold anything that strangers may not know.
	Ready func(ctx context.Context) error
	// Optional: the service does its other work without it.
	Optional bool
}

// readiness is the answer of /readyz.
type readiness struct {
	Ready  bool               `json:"ready"`
	Checks map[string]checked `json:"checks"`
}

type checked struct {
	Ready    bool   `json:"ready"`
	Optional bool   `json:"optional,omitempty"`
	Code     string `json:"code,omitempty"`
	Reason   string `json:"reason,omitempty"`
	Remedy   string `json:"remedy,omitempty"`
}

const checkPatience = 3 * time.Second

// ready asks all at once. Errors without a code are logged, not shown.
func (s *server) ready(ctx context.Context) readiness {
	ctx, cancel := context.WithTimeout(ctx, checkPatience)
	defer cancel()
	answer := readiness{Ready: true, Checks: map[string]checked{}}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, c := range s.Checks {
		wg.Go(func() {
			err := c.Ready(ctx)
			one := checked{Ready: err == nil, Optional: c.Optional}
			if err != nil {
				p := problemOf(err)
				one.Code, one.Reason, one.Remedy = string(p.Code), p.Detail, p.Remedy
				level := slog.LevelWarn
				if c.Optional {
					level = slog.LevelDebug // probes come every few seconds
				}
				exchangeOf(ctx).log.Log(ctx, level, "not ready", "check", c.Name, "error", err)
			}
			mu.Lock()
			defer mu.Unlock()
			answer.Checks[c.Name] = one
			answer.Ready = answer.Ready && (one.Ready || c.Optional)
		})
	}
	wg.Wait()
	return answer
}

func (s *server) probes(mux *http.ServeMux) {
	s.plain(mux, "/healthz", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]string{"status": "ok", "version": s.Version})
	})
	s.plain(mux, "/readyz", func(w http.ResponseWriter, r *http.Request) {
		answer := s.ready(r.Context())
		status := http.StatusOK
		if !answer.Ready {
			status = http.StatusServiceUnavailable
		}
		writeJSON(w, status, answer)
	})
	metrics := s.metrics.handler()
	s.plain(mux, "/metrics", metrics.ServeHTTP)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // the client has gone, or not
}
