package api

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are those of the HTTP side, in a registry of their own. The only labels
// are words of ours: a client cannot make new series.
type metrics struct {
	registry *prometheus.Registry
	duration *prometheus.HistogramVec
	running  prometheus.Gauge
	logins   *prometheus.CounterVec
}

// newMetrics registers the program's collectors beside our own.
func newMetrics(more []prometheus.Collector) (*metrics, error) {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "pratique_http_request_duration_seconds", Help: "Time to answer, by route, method and status.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"route", "method", "code"}),
		running: prometheus.NewGauge(prometheus.GaugeOpts{Name: "pratique_http_requests_running", Help: "Requests that are being answered."}),
		logins:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "pratique_logins_total", Help: "Attempts to sign in, by outcome: ok, wrong, limited."}, []string{"outcome"}),
	}
	all := append([]prometheus.Collector{
		m.duration, m.running, m.logins, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	}, more...)
	for _, c := range all {
		if err := m.registry.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second})
}

func (m *metrics) observe(route, method string, status int, took time.Duration) {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
	default:
		method = "other"
	}
	m.duration.WithLabelValues(route, method, strconv.Itoa(status)).Observe(took.Seconds())
}
