package docker_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/engine"
	"github.com/pratique/pratique/engine/docker"
	"github.com/pratique/pratique/internal/enginetest"
)

var _ engine.Engine = (*docker.Engine)(nil)

// fill gives an engine images and containers of every kind: imported, built,
// untagged, with several tags; running, paused, exited, created.
func fill(t *testing.T, e *enginetest.Engine) {
	t.Helper()
	e.Run(t, "import", "-c", `CMD ["/bin/sleep","600"]`, enginetest.Base(t), "test/base:1")
	e.Run(t, "build", "--network", "none", "-q", "-t", "test/app:1", enginetest.Context(t, "test/base:1", "app"))
	e.Run(t, "tag", "test/app:1", "harbor.example:8443/team/app:latest")
	e.Run(t, "build", "--network", "none", "-q", "-t", "test/old:1", enginetest.Context(t, "test/base:1", "old"))
	e.Run(t, "tag", "test/base:1", "test/old:1") // the image that had it is untagged now
	e.Run(t, "run", "-d", "--name", "running", "--network", "none", "-l", "team=blue", "test/app:1")
	e.Run(t, "run", "-d", "--name", "paused", "--network", "none", "test/base:1", "/bin/sleep", "500")
	e.Run(t, "pause", "paused")
	e.Run(t, "run", "--name", "exited", "--network", "none", "test/app:1", "/bin/sh", "-c", "true")
	if _, err := e.Try("run", "--name", "failed", "--network", "none", "test/app:1", "/bin/sh", "-c", "exit 7"); err == nil {
		t.Fatal("exit 7 is a success")
	}
	e.Run(t, "create", "--name", "created", "--network", "none", "test/app:1")
}

func TestInventory(t *testing.T) {
	server := enginetest.Docker(t)
	fill(t, server)
	e := docker.New(docker.Options{Host: "unix://" + server.Socket})

	info, err := e.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Fields(server.Run(t, "info", "--format", "{{.ServerVersion}} {{.ID}} {{.Driver}} {{.DockerRootDir}}"))
	if got := []string{info.Version, info.ID, info.Store, info.Root}; !slices.Equal(got, want) || info.Kind != pratique.EngineDocker {
		t.Errorf("info: %v, docker says %v", got, want)
	}

	images, err := e.Images(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got, said []string
	for _, i := range images {
		if i.Reason != "" || i.ID != i.EngineID || i.Created == nil || len(i.Layers) == 0 {
			t.Errorf("image %+v", i)
		}
		tags := slices.Sorted(slices.Values(i.Tags))
		got = append(got, fmt.Sprint(i.ID, tags, i.Platform.OS, i.Platform.Architecture, i.Size, i.Labels["purpose"], i.Layers))
	}
	for _, id := range slices.Compact(slices.Sorted(slices.Values(strings.Fields(server.Run(t, "images", "--no-trunc", "-q"))))) {
		type inspected struct {
			ID           string `json:"Id"`
			RepoTags     []string
			Os           string
			Architecture string
			Size         int64
			Config       struct{ Labels map[string]string }
			RootFS       struct{ Layers []string }
		}
		i := enginetest.JSON[[]inspected](t, server, "inspect", id)[0][0]
		slices.Sort(i.RepoTags)
		said = append(said, fmt.Sprint(i.ID, i.RepoTags, i.Os, i.Architecture, i.Size, i.Config.Labels["purpose"], i.RootFS.Layers))
	}
	equalSets(t, "images", got, said)
	if len(got) != 3 {
		t.Errorf("%d images, and three were made", len(got))
	}
	for _, i := range images {
		if slices.Contains(i.Tags, "test/app:1") && !slices.Contains(i.Registries(), "harbor.example:8443") {
			t.Errorf("registries of %v: %v", i.Tags, i.Registries())
		}
	}

	containers, err := e.Containers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got, said = nil, nil
	for _, c := range containers {
		code := 0
		if c.ExitCode != nil {
			code = *c.ExitCode
		}
		got = append(got, fmt.Sprint(c.ID, c.Name, c.ImageID, c.Image, c.State, code, strings.Join(c.Command, " "), c.Created.UnixNano(), c.Updated.UnixNano(), c.Labels["team"]))
	}
	for _, id := range strings.Fields(server.Run(t, "ps", "-a", "-q", "--no-trunc")) {
		type inspected struct {
			ID, Name, Image, Path string
			Args                  []string
			Created               time.Time
			State                 struct {
				Status                string
				ExitCode              int
				StartedAt, FinishedAt time.Time
			}
			Config struct {
				Image  string
				Labels map[string]string
			}
		}
		i := enginetest.JSON[[]inspected](t, server, "inspect", id)[0][0]
		updated := i.Created
		for _, at := range []time.Time{i.State.StartedAt, i.State.FinishedAt} {
			if at.After(updated) {
				updated = at
			}
		}
		said = append(said, fmt.Sprint(i.ID, strings.TrimPrefix(i.Name, "/"), i.Image, i.Config.Image, i.State.Status, i.State.ExitCode,
			strings.Join(append([]string{i.Path}, i.Args...), " "), i.Created.UnixNano(), updated.UnixNano(), i.Config.Labels["team"]))
	}
	equalSets(t, "containers", got, said)
	if len(got) != 5 {
		t.Errorf("%d containers, and five were made", len(got))
	}
}

func equalSets(t *testing.T, what string, got, want []string) {
	t.Helper()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n%s\nthe engine's command says\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestWatch(t *testing.T) {
	server := enginetest.Docker(t)
	e := docker.New(docker.Options{Host: "unix://" + server.Socket})
	ctx, stop := context.WithCancel(t.Context())
	events := make(chan engine.Event, 100)
	ended := make(chan error, 1)
	if _, err := e.Info(ctx); err != nil {
		t.Fatal(err)
	}
	go func() { ended <- e.Watch(ctx, func(ev engine.Event) error { events <- ev; return nil }) }()
	time.Sleep(300 * time.Millisecond) // until it listens
	server.Run(t, "import", "-c", `CMD ["/bin/sleep","600"]`, enginetest.Base(t), "test/base:1")
	id := server.Run(t, "run", "-d", "--name", "short", "--network", "none", "test/base:1")
	server.Run(t, "rm", "-f", "short")
	want := []string{"image import", "container create", "container start", "container die", "container destroy"}
	for deadline := time.After(10 * time.Second); len(want) > 0; {
		select {
		case ev := <-events:
			if ev.Subject == "container" && ev.ID != id || time.Since(ev.Time).Abs() > time.Minute {
				t.Errorf("event %+v", ev)
			}
			want = slices.DeleteFunc(want, func(s string) bool { return s == ev.Subject+" "+ev.Action })
		case <-deadline:
			t.Fatalf("no event told of %v", want)
		}
	}
	stop()
	if err := <-ended; pratique.CodeOf(err) != pratique.CodeCancelled {
		t.Errorf("after the end: %v", err)
	}
	// An engine that goes away ends the watch with an error.
	go func() { ended <- e.Watch(t.Context(), func(engine.Event) error { return nil }) }()
	time.Sleep(300 * time.Millisecond)
	server.Kill()
	select {
	case err := <-ended:
		if pratique.CodeOf(err) != pratique.CodeUnreachable {
			t.Errorf("after kill -9: %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("the watch outlives its engine")
	}
	if _, err := e.Images(t.Context()); pratique.CodeOf(err) != pratique.CodeUnreachable {
		t.Errorf("images of a dead engine: %v", err)
	}
}

// TestOpen: the folders are found, by any name; where they are not, the engine is
// asked for a tar; what does not exist is told.
func TestOpen(t *testing.T) {
	server := enginetest.Docker(t)
	fill(t, server)
	e := docker.New(docker.Options{Host: "unix://" + server.Socket})
	id := server.Run(t, "inspect", "--format", "{{.Id}}", "test/app:1")
	for _, name := range []string{"test/app:1", id, id[7:19], "harbor.example:8443/team/app:latest"} {
		c, err := e.Open(t.Context(), name, pratique.Platform{})
		if err != nil {
			t.Fatal(err)
		}
		if string(pratique.DigestOf(c.Config)) != id || c.Archive != nil || len(c.Layers) != 4 || c.Way != "overlay2 folders" {
			t.Errorf("%s: %d layers, read by %s", name, len(c.Layers), c.Way)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	for name, want := range map[string]pratique.Code{"test/none:1": pratique.CodeNotFound, "../../containers": pratique.CodeInvalid, "deadbeef": pratique.CodeNotFound} {
		if _, err := e.Open(t.Context(), name, pratique.Platform{}); pratique.CodeOf(err) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
	// The host's root file system is elsewhere, and somebody changed a record in it.
	mirror := t.TempDir()
	mirrored := filepath.Join(mirror, server.Root)
	if err := os.MkdirAll(mirrored, 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("cp", "-a", filepath.Join(server.Root, "image"), filepath.Join(server.Root, "overlay2"), mirrored).CombinedOutput(); err != nil {
		t.Fatalf("cp: %v: %s", err, out)
	}
	e = docker.New(docker.Options{Host: "unix://" + server.Socket, HostRoot: mirror})
	if c, err := e.Open(t.Context(), "test/app:1", pratique.Platform{}); err != nil || c.Archive != nil || c.Close() != nil {
		t.Errorf("below another root: %v", err)
	}
	config := filepath.Join(mirrored, "image/overlay2/imagedb/content/sha256", id[7:])
	if err := os.WriteFile(config, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Open(t.Context(), "test/app:1", pratique.Platform{}); pratique.CodeOf(err) != pratique.CodeCorrupt {
		t.Errorf("a changed config: %v", err)
	}
	away := docker.New(docker.Options{Host: "unix://" + server.Socket, HostRoot: t.TempDir()})
	c, err := away.Open(t.Context(), "test/app:1", pratique.Platform{})
	if err != nil {
		t.Fatal(err)
	}
	if c.Archive == nil || !strings.HasPrefix(c.Way, "docker save: ") || !reflect.DeepEqual(c.Layers, []engine.Layer(nil)) {
		t.Errorf("folders that are not here: %+v", c)
	}
	if errors.Join(c.Close(), c.Close()) != nil {
		t.Error("closing twice fails")
	}
}
