package main

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pratique/pratique"
)

func twoLayers() []pratique.Layer {
	return []pratique.Layer{{Index: 0, Size: 100_000_000}, {Index: 1, Size: 300_000_000}}
}

func TestProgressLine(t *testing.T) {
	p := newProgress(&bytes.Buffer{}, false, true)
	start := time.Unix(1000, 0)
	p.now = func() time.Time { return start }
	p.Layers(twoLayers())
	p.Phase("reading layers")
	p.now = func() time.Time { return start.Add(2 * time.Second) }
	if got := p.line(); got != "reading layers  2 s" {
		t.Errorf("before the first byte: %q", got)
	}
	p.Layer(0, 0, pratique.LayerCached)
	p.Layer(1, 100_000_000, "")
	p.Layer(7, 1, "") // no such layer
	if got, want := p.line(), "reading layers [======      ] 1/2 layers  200 MB of 400 MB  50 MB/s  4 s left"; got != want {
		t.Errorf("half way:\n got %q\nwant %q", got, want)
	}
	p.Layer(1, 300_000_000, pratique.LayerRead)
	if got := p.line(); got != "reading layers  2 s" {
		t.Errorf("all read: %q", got)
	}
}

func TestProgressWithoutTerminal(t *testing.T) {
	var b bytes.Buffer
	p := newProgress(&b, false, false)
	p.Phase("reading manifest")
	p.Layers(twoLayers())
	p.Phase("reading layers")
	p.Phase("reading layers")
	p.Layer(0, 5, "")
	p.Phase("judging \x1b[2J")
	p.Done()
	p.Done()
	if got, want := b.String(), "pratique: reading manifest\npratique: reading layers\npratique: judging ?[2J\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestProgressQuiet(t *testing.T) {
	for _, tty := range []bool{false, true} {
		var b bytes.Buffer
		p := newProgress(&b, tty, true)
		p.Phase("reading layers")
		p.Done()
		if b.Len() > 0 {
			t.Errorf("quiet, tty %v, wrote %q", tty, b.String())
		}
	}
}

// The writer counts redraws; only the display writes to it, one at a time.
func TestProgressTerminal(t *testing.T) {
	var b bytes.Buffer
	p := newProgress(&b, true, false)
	start := time.Now()
	p.Layers(twoLayers())
	p.Phase("reading layers")
	var wg sync.WaitGroup
	for i := range 2 {
		wg.Go(func() {
			for n := range int64(20000) {
				p.Layer(i, n*1000, "")
			}
		})
	}
	wg.Wait()
	time.Sleep(250*time.Millisecond - min(time.Since(start), 250*time.Millisecond))
	p.Done()
	out := b.String()
	draws := strings.Count(out, "reading layers")
	if limit := int(time.Since(start)/redrawEvery) + 1; draws < 1 || draws > limit {
		t.Errorf("%d redraws, want 1 to %d", draws, limit)
	}
	if strings.Contains(out, "\n") || !strings.HasSuffix(out, " \r") {
		t.Errorf("the line was not cleared in place: %q", out)
	}
	for _, line := range strings.Split(out, "\r") {
		if len([]rune(line)) > progressWidth+progressWidth {
			t.Errorf("line too long: %q", line)
		}
	}
	p.Phase("after the end")
	if b.String() != out {
		t.Error("wrote after Done")
	}
}
