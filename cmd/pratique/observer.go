package main

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/scan"
)

// observer counts what this process did, for /metrics.
type observer struct {
	scans      *prometheus.CounterVec
	scanTime   prometheus.Histogram
	layers     *prometheus.CounterVec
	pulled     *prometheus.CounterVec
	syncs      *prometheus.CounterVec
	syncTime   prometheus.Histogram
	manifests  *prometheus.CounterVec
	evaluated  prometheus.Counter
	evaluation prometheus.Histogram
	jobs       *prometheus.HistogramVec
	waited     *prometheus.HistogramVec
}

var _ scan.Observer = (*observer)(nil)

// buckets of durations, in seconds: from a scan whose layers are all known to one
// of gigabytes over a slow line.
var buckets = []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900, 3600}

func newObserver() *observer {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	times := func(name, help string) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets})
	}
	jobTimes := func(name, help string, labels ...string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
	}
	return &observer{
		scans:      counter("pratique_scans_total", "Scans that this process ended, by status, and code of those that failed.", "status", "code"),
		scanTime:   times("pratique_scan_duration_seconds", "Time from the beginning of a scan to its end."),
		layers:     counter("pratique_layers_total", "Layers of scanned images: read from a registry, or known.", "state"),
		pulled:     counter("pratique_pulled_bytes_total", "Bytes of layers that were read, by kind of registry.", "kind"),
		syncs:      counter("pratique_syncs_total", "Synchronisations that this process ended, by kind of registry and state.", "kind", "state"),
		syncTime:   times("pratique_sync_duration_seconds", "Time of a synchronisation."),
		manifests:  counter("pratique_manifests_read_total", "Manifests that synchronisations read, by kind of registry.", "kind"),
		evaluated:  prometheus.NewCounter(prometheus.CounterOpts{Name: "pratique_evaluated_packages_total", Help: "Packages that were judged again because knowledge changed."}),
		evaluation: times("pratique_evaluation_duration_seconds", "Time from the adoption's job to its end."),
		jobs:       jobTimes("pratique_job_duration_seconds", "Time of a job, by kind and outcome.", "kind", "outcome"),
		waited:     jobTimes("pratique_job_wait_seconds", "Time that a job waited after it could have begun.", "kind"),
	}
}

func (o *observer) collectors() []prometheus.Collector {
	return []prometheus.Collector{o.scans, o.scanTime, o.layers, o.pulled, o.syncs, o.syncTime, o.manifests, o.evaluated, o.evaluation, o.jobs, o.waited}
}

func (o *observer) Scanned(status pratique.Status, code pratique.Code, took time.Duration) {
	o.scans.WithLabelValues(string(status), string(code)).Inc()
	o.scanTime.Observe(took.Seconds())
}

func (o *observer) Layers(read, cached int) {
	o.layers.WithLabelValues("read").Add(float64(read))
	o.layers.WithLabelValues("known").Add(float64(cached))
}

func (o *observer) Pulled(kind string, bytes int64) {
	if bytes > 0 {
		o.pulled.WithLabelValues(kind).Add(float64(bytes))
	}
}

func (o *observer) Synced(kind, state string, took time.Duration, reads int) {
	o.syncs.WithLabelValues(kind, state).Inc()
	o.syncTime.Observe(took.Seconds())
	o.manifests.WithLabelValues(kind).Add(float64(reads))
}

func (o *observer) Evaluated(packages int, took time.Duration) {
	o.evaluated.Add(float64(packages))
	o.evaluation.Observe(took.Seconds())
}

// Ended is told by the queue.
func (o *observer) Ended(kind, outcome string, waited, ran time.Duration) {
	o.jobs.WithLabelValues(kind, outcome).Observe(ran.Seconds())
	o.waited.WithLabelValues(kind).Observe(waited.Seconds())
}
