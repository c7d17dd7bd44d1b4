package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/pratique/pratique"
)

const (
	redrawEvery   = 100 * time.Millisecond
	progressWidth = 78 // cells; a line that wrapped could not be redrawn
)

// progress tells a waiting person what a scan does: on a terminal one line that
// is drawn anew at most ten times a second, elsewhere one line for each phase,
// and nothing when quiet. It writes to standard error, never to the report. All
// methods are safe for concurrent use and cheap enough for every read.
type progress struct {
	w     io.Writer
	tty   bool
	quiet bool
	now   func() time.Time
	stop  chan struct{} // closed by Done
	ended chan struct{} // closed when the drawing goroutine is gone

	mu     sync.Mutex
	phase  string
	began  time.Time // of the phase
	layers []layerProgress
	drawn  int // cells of the line on the terminal
	done   bool
}

type layerProgress struct {
	size, read int64
	state      pratique.LayerState
}

// newProgress starts the display. Done must be called to end it.
func newProgress(w io.Writer, tty, quiet bool) *progress {
	p := &progress{w: w, tty: tty, quiet: quiet, now: time.Now, stop: make(chan struct{}), ended: make(chan struct{})}
	if quiet || !tty {
		close(p.ended)
		return p
	}
	go p.redraw()
	return p
}

func (p *progress) redraw() {
	defer close(p.ended)
	tick := time.NewTicker(redrawEvery)
	defer tick.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-tick.C:
			p.mu.Lock()
			p.draw(p.line())
			p.mu.Unlock()
		}
	}
}

// Phase says what the scan does from now on.
func (p *progress) Phase(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.done || name == p.phase {
		return
	}
	p.phase, p.began = name, p.now()
	if !p.quiet && !p.tty {
		fmt.Fprintf(p.w, "pratique: %s\n", printable(name))
	}
}

// Layers announces what there is to read.
func (p *progress) Layers(layers []pratique.Layer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.layers = make([]layerProgress, len(layers))
	for i, l := range layers {
		p.layers[i].size = max(l.Size, 0)
	}
}

// Layer tells how many bytes of a layer's blob were read so far. The layer is
// finished once its state is neither "" nor LayerNotRead.
func (p *progress) Layer(index int, read int64, state pratique.LayerState) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if index < 0 || index >= len(p.layers) {
		return
	}
	l := &p.layers[index]
	l.read, l.state = max(l.read, read), state
}

// Done ends the display and leaves the terminal's line empty. It may be called
// more than once.
func (p *progress) Done() {
	p.mu.Lock()
	if p.done {
		p.mu.Unlock()
		return
	}
	p.done = true
	close(p.stop)
	p.mu.Unlock()
	<-p.ended
	p.mu.Lock()
	defer p.mu.Unlock()
	p.draw("")
}

// draw replaces the line on the terminal. It needs p.mu.
func (p *progress) draw(line string) {
	if p.quiet || !p.tty || line == "" && p.drawn == 0 {
		return
	}
	runes := []rune(line)
	runes = runes[:min(len(runes), progressWidth)]
	fmt.Fprintf(p.w, "\r%s%s\r", string(runes), strings.Repeat(" ", max(0, p.drawn-len(runes))))
	p.drawn = len(runes)
}

// line words the state: the phase, layers and bytes done, rate and time left.
func (p *progress) line() string {
	if p.phase == "" {
		return ""
	}
	seconds := p.now().Sub(p.began).Seconds()
	line := printable(p.phase)
	finished, fetched, read, total := p.sums()
	if read == 0 || finished == len(p.layers) {
		return line + fmt.Sprintf("  %.0f s", seconds)
	}
	line = fmt.Sprintf("%s %s %d/%d layers  %s of %s", line, bar(read, total), finished, len(p.layers), megabytes(read), megabytes(total))
	if rate := float64(fetched) / seconds; seconds >= 0.5 && rate > 0 {
		line += fmt.Sprintf("  %s/s", megabytes(int64(rate)))
		if left := float64(total-read) / rate; left >= 1 {
			line += "  " + clock(left) + " left"
		}
	}
	return line
}

// sums adds up the layers. Those that end without being read, because their
// facts are known or cannot be had, are done without having been fetched.
func (p *progress) sums() (finished int, fetched, read, total int64) {
	for _, l := range p.layers {
		total += l.size
		fetched += l.read
		if l.state != "" && l.state != pratique.LayerNotRead {
			finished++
			read += l.size
		} else {
			read += min(l.read, l.size)
		}
	}
	return finished, fetched, read, total
}

func bar(done, total int64) string {
	const size = 12
	n := 0
	if total > 0 {
		n = int(size * float64(done) / float64(total))
	}
	n = min(max(n, 0), size)
	return "[" + strings.Repeat("=", n) + strings.Repeat(" ", size-n) + "]"
}

func megabytes(n int64) string {
	switch {
	case n >= 10_000_000_000:
		return fmt.Sprintf("%.0f GB", float64(n)/1e9)
	case n >= 1_000_000_000:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	case n >= 10_000_000:
		return fmt.Sprintf("%.0f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}

func clock(seconds float64) string {
	if seconds < 60 {
		return fmt.Sprintf("%.0f s", seconds)
	}
	minutes := int(min(seconds/60, 24*60))
	if minutes < 60 {
		return fmt.Sprintf("%d min", minutes)
	}
	return fmt.Sprintf("%d h %02d min", minutes/60, minutes%60)
}

// printable keeps a phase's name, which may speak of an image, from steering the
// terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r >= 0x7f && r < 0xa0 {
			return '?'
		}
		return r
	}, s)
}
