package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/scan"
	"github.com/pratique/pratique/store/factdir"
)

// hostFacts keeps what hosts attest apart, each in a folder of its own, for those who
// want what a host says to serve the images of that host alone.
type hostFacts struct {
	folder string         // of the hosts' folders
	shared scan.FactStore // verified facts serve all

	mu     sync.Mutex
	opened map[string]scan.FactStore // by folder; each has buffers of its own
}

// of are the facts that serve an agent's host.
func (h *hostFacts) of(a pratique.Agent) (scan.FactStore, error) {
	name := filepath.Join(h.folder, pratique.DigestOf([]byte(a.HostID)).Hex()[:32])
	h.mu.Lock()
	defer h.mu.Unlock()
	if kept, ok := h.opened[name]; ok {
		return kept, nil
	}
	own, err := factdir.Open(name)
	if err != nil {
		return nil, err
	}
	if h.opened == nil {
		h.opened = map[string]scan.FactStore{}
	}
	h.opened[name] = scan.OwnFacts{Shared: h.shared, Host: own}
	return h.opened[name], nil
}

// Prune removes what no scan has used for longer than age, also of hosts that are gone.
func (h *hostFacts) Prune(age time.Duration) (files int, bytes int64, err error) {
	hosts, err := os.ReadDir(h.folder)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, 0, nil
	}
	if err != nil {
		return 0, 0, noRoom(err)
	}
	for _, host := range hosts {
		facts, failed := factdir.Open(filepath.Join(h.folder, host.Name()))
		if failed == nil {
			var n int
			var freed int64
			n, freed, failed = facts.Prune(age)
			files, bytes = files+n, bytes+freed
		}
		err = errors.Join(err, failed)
	}
	return files, bytes, err
}
