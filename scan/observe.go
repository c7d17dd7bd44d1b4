package scan

import (
	"time"

	"github.com/pratique/pratique"
)

// Observer is told what was done in this process, for metrics. It is called from
// many goroutines and must be quick. kind is a registry's.
type Observer interface {
	// Scanned: code is "" unless the scan failed.
	Scanned(status pratique.Status, code pratique.Code, took time.Duration)
	// Layers: how many were read from a registry, and how many were known.
	Layers(read, cached int)
	Pulled(kind string, bytes int64)
	// Synced: state is "success" or "failed"; reads are the manifests that were read.
	Synced(kind, state string, took time.Duration, reads int)
	Evaluated(packages int, took time.Duration)
}
