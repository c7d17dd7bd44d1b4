package docker_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
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
	"github.com/pratique/pratique/internal/testimage"
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
	enginetest.Same(t, "images", got, said)
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
	enginetest.Same(t, "containers", got, said)
	if len(got) != 5 {
		t.Errorf("%d containers, and five were made", len(got))
	}
}

func TestConformance(t *testing.T) {
	server := enginetest.Docker(t)
	enginetest.Conform(t, enginetest.Subject{
		Engine: docker.New(docker.Options{Host: "unix://" + server.Socket}),
		Change: func(t testing.TB) string {
			server.Run(t, "import", "-c", `CMD ["/bin/sleep","600"]`, enginetest.Base(t), "test/base:1")
			server.Run(t, "run", "-d", "--name", "short", "--network", "none", "test/base:1")
			server.Run(t, "rm", "-f", "short")
			return "test/base:1"
		},
		Events:  []string{"image import", "container create", "container start", "container die", "container destroy"},
		Missing: []string{"test/none:1", "deadbeef"},
		Kill:    server.Kill,
	})
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

// TestContainerdStore: Docker 29 keeps images in containerd's store and calls them
// by the digest of their manifest or index. The store here is one that a real
// containerd filled; the answers are those that Docker 29.7 gives (it is in no
// Debian release yet).
func TestContainerdStore(t *testing.T) {
	containerd := enginetest.Containerd(t)
	dir := t.TempDir()
	l, err := testimage.WriteLayer(dir, testimage.Gzip, "COPY", testimage.Files(map[string]string{"etc/os-release": "ID=debian\nVERSION_ID=12\n"}))
	if err != nil {
		t.Fatal(err)
	}
	img := testimage.Image{Layers: []testimage.Layer{l}, Tag: "docker.io/test/app:1", Labels: map[string]string{"purpose": "app"}}
	f, err := os.Create(filepath.Join(dir, "app.tar"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(img.WriteLayoutTar(f), f.Close()); err != nil {
		t.Fatal(err)
	}
	containerd.Run(t, "-n", "moby", "images", "import", f.Name())
	containerd.Stop() // its collector would take away what it did not write itself
	id, manifest := pratique.DigestOf(img.Config()), pratique.DigestOf(img.Manifest())
	// An index as registries have it: this platform was pulled, the other was not,
	// and there is an attestation.
	index := fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[
		{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:%064d","size":500,"platform":{"os":"linux","architecture":"s390x"}},
		{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"%s","size":%d,"platform":{"os":"linux","architecture":"amd64"}},
		{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:%064d","size":500,"platform":{"os":"unknown","architecture":"unknown"},"annotations":{"vnd.docker.reference.type":"attestation-manifest"}}]}`,
		1, manifest, len(img.Manifest()), 2)
	indexDigest := pratique.DigestOf(index)
	if err := os.WriteFile(filepath.Join(containerd.Root, "io.containerd.content.v1.content/blobs/sha256", indexDigest.Hex()), index, 0o444); err != nil {
		t.Fatal(err)
	}
	host := filepath.Join(dir, "host")
	if err := os.MkdirAll(filepath.Join(host, "docker/containerd"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(containerd.Root, filepath.Join(host, "docker/containerd/daemon")); err != nil {
		t.Fatal(err)
	}
	socket := answers(t, map[string]string{
		"/_ping":       "OK",
		"/info":        `{"ID":"x","ServerVersion":"29.7.2","Driver":"overlayfs","DriverStatus":[["driver-type","io.containerd.snapshotter.v1"]],"DockerRootDir":"/docker"}`,
		"/images/json": fmt.Sprintf(`[{"Id":%q,"RepoTags":["test/app:1"],"RepoDigests":["test/app@%s"],"Size":1},{"Id":%q,"RepoTags":["test/app:2","test/app:2"],"RepoDigests":null,"Size":2}]`, manifest, manifest, indexDigest),
		"/images/test/app:1/json": fmt.Sprintf(`{"Id":%q,"RepoTags":["test/app:1"],"GraphDriver":null,"Descriptor":{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":%q,"size":1}}`,
			manifest, manifest),
		"/images/test/app:2/json":                  fmt.Sprintf(`{"Id":%q,"RepoTags":["test/app:2"],"Descriptor":{"mediaType":"application/vnd.oci.image.index.v1+json","digest":%q,"size":1}}`, indexDigest, indexDigest),
		"/images/" + string(manifest) + "/json":    `{"Os":"linux","Architecture":"amd64","Created":"2026-01-02T03:04:04Z"}`,
		"/images/" + string(indexDigest) + "/json": `{"Os":"linux","Architecture":"amd64","Created":"2026-01-02T03:04:04Z"}`,
		"/containers/json":                         fmt.Sprintf(`[{"Id":"c1","Names":["/one"],"Image":"test/app:2","ImageID":%q,"State":"running"}]`, indexDigest),
		"/containers/c1/json":                      `{"Path":"/bin/sleep","Args":["1"],"State":{"Status":"running","StartedAt":"2026-01-02T03:04:05Z","FinishedAt":"0001-01-01T00:00:00Z"},"Created":"2026-01-02T03:04:04Z"}`,
	})
	e := docker.New(docker.Options{Host: "unix://" + socket, HostRoot: host})

	if info, err := e.Info(t.Context()); err != nil || info.Store != "containerd" || info.Version != "29.7.2" {
		t.Errorf("info: %+v, %v", info, err)
	}
	images, err := e.Images(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i, engineID := range []pratique.Digest{manifest, indexDigest} {
		if i >= len(images) || images[i].ID != id || images[i].EngineID != engineID || !slices.Contains(images[i].Aliases, manifest) || images[i].Labels["purpose"] != "app" || len(images[i].Layers) != 1 {
			t.Fatalf("images: %+v", images)
		}
	}
	containers, err := e.Containers(t.Context())
	if err != nil || len(containers) != 1 || containers[0].ImageID != id || containers[0].State != pratique.ContainerRunning {
		t.Errorf("containers: %+v, %v", containers, err)
	}
	for name, want := range map[string]pratique.Digest{"test/app:1": "", "test/app:2": indexDigest} {
		c, err := e.Open(t.Context(), name, pratique.Platform{})
		if err != nil {
			t.Fatal(err)
		}
		if pratique.DigestOf(c.Config) != id || c.Manifest != manifest || c.Index != want || c.Way != "containerd's content store" || len(c.Layers) != 1 {
			t.Errorf("%s: %+v", name, c)
		}
		blob, err := c.Layers[0].Blob(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(blob); err != nil || pratique.DigestOf(b) != l.Digest {
			t.Errorf("%s: the layer has another digest: %v", name, err)
		}
		if err := errors.Join(blob.Close(), c.Close()); err != nil {
			t.Error(err)
		}
	}
	if _, err := e.Open(t.Context(), "test/app:2", pratique.Platform{OS: "linux", Architecture: "amd64"}); err != nil {
		t.Errorf("the platform that is here: %v", err)
	}

	// Whoever may not read the store has images without identities, and why.
	blind := docker.New(docker.Options{Host: "unix://" + socket, HostRoot: filepath.Join(dir, "nowhere")})
	if images, err = blind.Images(t.Context()); err != nil || len(images) != 2 || images[0].ID != "" || images[0].Reason == "" || images[0].EngineID != manifest {
		t.Errorf("without the store: %+v, %v", images, err)
	}
	// A blob that was collected after the image was opened.
	c, err := e.Open(t.Context(), "test/app:1", pratique.Platform{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := os.Remove(filepath.Join(containerd.Root, "io.containerd.content.v1.content/blobs/sha256", l.Digest.Hex())); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Layers[0].Blob(t.Context()); pratique.CodeOf(err) != pratique.CodeNotFound {
		t.Errorf("a removed image: %v", err)
	}
}

// answers serves fixed answers of an engine, whatever the version of its API.
func answers(t *testing.T, by map[string]string) (socket string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "d") // short: a socket's path is limited to 108 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket = filepath.Join(dir, "docker.sock")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", "1.55")
		if answer, ok := by[strings.TrimPrefix(r.URL.Path, "/v1.51")]; ok {
			io.WriteString(w, answer)
			return
		}
		w.WriteHeader(http.StatusNotFound)
		io.WriteString(w, `{"message":"No such image"}`)
	})}
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	return socket
}
