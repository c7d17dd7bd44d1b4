package enginetest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/engine"
)

// Subject is an engine that is held to what package engine promises of it.
type Subject struct {
	Engine engine.Engine
	// Change makes an image, runs a container of it, ends and removes the container, and
	// returns the image's name. It is called once.
	Change func(t testing.TB) (image string)
	// Events are what Change has to be told by, as "subject action".
	Events []string
	// Missing are names that no image has.
	Missing []string
	// Kill ends the engine without warning. It is nil for one that is read from its
	// files alone.
	Kill func()
}

// Conform tests what every engine owes, whatever it is. It leaves a killed engine
// behind.
func Conform(t *testing.T, s Subject) {
	t.Helper()
	if _, err := s.Engine.Info(t.Context()); err != nil {
		t.Fatal(err)
	}
	image := s.watched(t)
	s.finds(t, image)
	s.listsAgree(t)
	s.stops(t)
	if s.Kill != nil {
		s.dies(t)
	}
}

// listening is how long a watch may take to be in force. The interface does not tell
// the moment, because nobody needs it: what changed before is in the lists.
const listening = 500 * time.Millisecond

// watched: a watch tells of every change, and ends when it is cancelled, or when its
// receiver has had enough.
func (s Subject) watched(t *testing.T) (image string) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	events, ended := make(chan engine.Event, 1000), make(chan error, 1)
	go func() { ended <- s.Engine.Watch(ctx, func(ev engine.Event) error { events <- ev; return nil }) }()
	time.Sleep(listening)
	image = s.Change(t)
	want := slices.Clone(s.Events)
	for deadline := time.After(20 * time.Second); len(want) > 0; {
		select {
		case ev := <-events:
			if ev.Subject != engine.SubjectImage && ev.Subject != engine.SubjectContainer || time.Since(ev.Time).Abs() > time.Minute {
				t.Errorf("event %+v", ev)
			}
			want = slices.DeleteFunc(want, func(s string) bool { return s == ev.Subject+" "+ev.Action })
		case err := <-ended:
			t.Fatalf("the watch ended by itself: %v", err)
		case <-deadline:
			t.Fatalf("no event told of %v", want)
		}
	}
	stop()
	if err := within(t, ended); pratique.CodeOf(err) != pratique.CodeCancelled {
		t.Errorf("a watch that was cancelled: %v", err)
	}
	return image
}

// finds: an image opens by its name, its ID and the beginning of that, as the list
// has it; what does not exist is told.
func (s Subject) finds(t *testing.T, image string) {
	t.Helper()
	images, err := s.Engine.Images(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(images, func(i pratique.LocalImage) bool { return slices.Contains(i.Tags, image) })
	if at < 0 {
		t.Fatalf("%s is not among %+v", image, images)
	}
	listed := images[at]
	for _, name := range []string{image, string(listed.ID), listed.ID.Hex()[:12]} {
		c, err := s.Engine.Open(t.Context(), name, pratique.Platform{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if pratique.DigestOf(c.Config) != listed.ID || len(c.Layers) != len(listed.Layers) || c.Way == "" {
			t.Errorf("%s: %d layers by %q, and the list says %+v", name, len(c.Layers), c.Way, listed)
		}
		for i, l := range c.Layers {
			blob, folder := l.Blob != nil && l.Digest != "", l.Unpacked != nil && l.DiffID == listed.Layers[i]
			if blob == folder {
				t.Errorf("%s: layer %d is %+v", name, i, l)
			}
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if err := c.Close(); err != nil {
			t.Errorf("closing twice: %v", err)
		}
	}
	for _, name := range s.Missing {
		if _, err := s.Engine.Open(t.Context(), name, pratique.Platform{}); pratique.CodeOf(err) != pratique.CodeNotFound {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// listsAgree: no content is listed twice in a namespace, and containers name images
// that are listed.
func (s Subject) listsAgree(t *testing.T) {
	t.Helper()
	images, err := s.Engine.Images(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	containers, err := s.Engine.Containers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, i := range images {
		if known[i.Space+string(i.ID)+string(i.EngineID)] {
			t.Errorf("listed twice: %+v", i)
		}
		known[i.Space+string(i.ID)+string(i.EngineID)], known[i.Space+string(i.ID)] = true, true
	}
	for _, c := range containers {
		if c.ImageID != "" && !known[c.Space+string(c.ImageID)] {
			t.Errorf("the image of %+v is not listed", c)
		}
	}
}

// stops: whatever is cancelled says so, and takes nothing with it.
func (s Subject) stops(t *testing.T) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	stop()
	_, images := s.Engine.Images(ctx)
	_, containers := s.Engine.Containers(ctx)
	for what, err := range map[string]error{"images": images, "containers": containers} {
		if err != nil && pratique.CodeOf(err) != pratique.CodeCancelled {
			t.Errorf("%s, cancelled: %v", what, err)
		}
	}
	if _, err := s.Engine.Images(t.Context()); err != nil {
		t.Errorf("after something was cancelled: %v", err)
	}
}

// dies: an engine that goes away ends the watch, and is told as unreachable.
func (s Subject) dies(t *testing.T) {
	t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- s.Engine.Watch(t.Context(), func(engine.Event) error { return nil }) }()
	time.Sleep(listening)
	s.Kill()
	if err := within(t, ended); pratique.CodeOf(err) != pratique.CodeUnreachable {
		t.Errorf("a watch whose engine was killed: %v", err)
	}
	if _, err := s.Engine.Images(t.Context()); pratique.CodeOf(err) != pratique.CodeUnreachable {
		t.Errorf("images of a dead engine: %v", err)
	}
}

func within(t *testing.T, ended <-chan error) error {
	t.Helper()
	select {
	case err := <-ended:
		return err
	case <-time.After(10 * time.Second):
		t.Fatal("the watch goes on")
		return nil
	}
}

// Same compares two lists, whatever their order.
func Same(t testing.TB, what string, got, want []string) {
	t.Helper()
	got, want = slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n%q\nthe engine's command says\n%q", what, got, want)
	}
}
