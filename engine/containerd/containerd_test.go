package containerd_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/analyze"
	"github.com/pratique/pratique/analyze/files"
	"github.com/pratique/pratique/engine"
	"github.com/pratique/pratique/engine/containerd"
	"github.com/pratique/pratique/internal/enginetest"
	"github.com/pratique/pratique/internal/testimage"
	"github.com/pratique/pratique/layer"
)

var _ engine.Engine = (*containerd.Engine)(nil)

// made is an image of three layers that containers can run.
func made(t testing.TB, c testimage.Compression, tag, purpose string) testimage.Image {
	t.Helper()
	dir := t.TempDir()
	img := testimage.Image{Tag: tag, Labels: map[string]string{"purpose": purpose}, Cmd: []string{"/bin/sleep", "600"}}
	for _, content := range []testimage.Content{
		testimage.Tar(enginetest.Base(t), nil),
		testimage.Sequence(testimage.Whiteouts("etc/gone"), testimage.Opaque("opt/data"), testimage.Files(map[string]string{"opt/data/above": "two\n"})),
		testimage.Files(map[string]string{"srv/run.sh": "#!/bin/sh\n# " + purpose + "\n"}),
	} {
		l, err := testimage.WriteLayer(dir, c, "RUN something", content)
		if err != nil {
			t.Fatal(err)
		}
		img.Layers = append(img.Layers, l)
	}
	return img
}

// load imports images into a namespace.
func load(t testing.TB, e *enginetest.Engine, namespace string, images ...testimage.Image) {
	t.Helper()
	for i, img := range images {
		file := filepath.Join(t.TempDir(), fmt.Sprint(i))
		f, err := os.Create(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := img.WriteLayoutTar(f); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		e.Run(t, "-n", namespace, "images", "import", file)
	}
}

func TestInventory(t *testing.T) {
	server := enginetest.Containerd(t)
	app := made(t, testimage.Gzip, "docker.io/test/app:1", "app")
	other := made(t, testimage.Zstd, "harbor.example:8443/team/other:2", "other")
	load(t, server, "k8s.io", app, other)
	load(t, server, "default", app)
	id := pratique.DigestOf(app.Config())
	digest := string(pratique.DigestOf(app.Manifest()))
	// As kubelet names an image.
	server.Run(t, "-n", "k8s.io", "images", "tag", "docker.io/test/app:1", "docker.io/test/app@"+digest)
	server.Run(t, "-n", "k8s.io", "images", "tag", "docker.io/test/app:1", string(id))
	server.Run(t, "-n", "k8s.io", "images", "tag", "docker.io/test/app:1", "docker.io/test/app:latest")

	e := containerd.New(containerd.Options{Address: server.Socket})
	info, err := e.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(server.Run(t, "version"), info.Version) || info.Version == "" || info.Root != server.Root || info.ID == "" {
		t.Errorf("info: %+v", info)
	}

	images, err := e.Images(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, i := range images {
		if i.Reason != "" || i.Platform.String() != "linux/amd64" || i.Created == nil {
			t.Errorf("image %+v", i)
		}
		got = append(got, fmt.Sprintf("%s %s %v %v %v %s %d", i.Space, i.ID, i.Tags, i.Digests, i.Aliases, i.Labels["purpose"], len(i.Layers)))
	}
	want := []string{
		fmt.Sprintf("k8s.io %s %v %v %v app 3", id, []string{"docker.io/test/app:1", "docker.io/test/app:latest"}, []string{"docker.io/test/app@" + digest}, []string{digest}),
		fmt.Sprintf("k8s.io %s %v [] %v other 3", pratique.DigestOf(other.Config()), []string{"harbor.example:8443/team/other:2"}, []pratique.Digest{pratique.DigestOf(other.Manifest())}),
		fmt.Sprintf("default %s %v [] %v app 3", id, []string{"docker.io/test/app:1"}, []string{digest}),
	}
	enginetest.Same(t, "images", got, want)
	// Every name that ctr lists is among them, and no other.
	var names, said []string
	for _, i := range images {
		names = append(append(names, i.Tags...), i.Digests...)
	}
	for _, namespace := range []string{"k8s.io", "default"} {
		for _, name := range strings.Fields(server.Run(t, "-n", namespace, "images", "ls", "-q")) {
			if name != string(id) {
				said = append(said, name)
			}
		}
	}
	enginetest.Same(t, "names", names, said)

	// runc keeps the containers of all containerds of a host in one place.
	unique := "-" + filepath.Base(server.Dir)
	server.Run(t, "-n", "k8s.io", "run", "-d", "--label", "io.kubernetes.pod.name=web-0", "--label", "io.kubernetes.pod.namespace=shop", "docker.io/test/app:1", "running"+unique)
	server.Run(t, "-n", "k8s.io", "run", "-d", "docker.io/test/app:1", "paused"+unique, "/bin/sleep", "500")
	server.Run(t, "-n", "k8s.io", "tasks", "pause", "paused"+unique)
	server.Run(t, "-n", "default", "run", "-d", "docker.io/test/app:1", "exited"+unique, "/bin/sh", "-c", "exit 7")
	server.Run(t, "-n", "default", "containers", "create", "docker.io/test/app:1", "created"+unique)
	// The name of the running container's image points to another image now.
	server.Run(t, "-n", "k8s.io", "images", "tag", "--force", "harbor.example:8443/team/other:2", "docker.io/test/app:1")
	time.Sleep(300 * time.Millisecond) // for /bin/sh to exit

	containers, err := e.Containers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got = nil
	for _, c := range containers {
		code := "-"
		if c.ExitCode != nil {
			code = fmt.Sprint(*c.ExitCode)
		}
		if since := time.Since(c.Updated); since < 0 || since > time.Minute || c.Updated.Before(c.Created) {
			t.Errorf("%s: created %s, updated %s", c.ID, c.Created, c.Updated)
		}
		got = append(got, fmt.Sprintf("%s %s %s %s %q %s %s/%s %s", c.Space, strings.TrimSuffix(c.ID, unique), c.State, code, strings.Join(c.Command, " "), c.Image, c.PodNamespace, c.Pod, c.ImageID))
	}
	enginetest.Same(t, "containers", got, []string{
		fmt.Sprintf(`k8s.io running running - "/bin/sleep 600" docker.io/test/app:1 shop/web-0 %s`, id),
		fmt.Sprintf(`k8s.io paused paused - "/bin/sleep 500" docker.io/test/app:1 / %s`, id),
		fmt.Sprintf(`default exited exited 7 "/bin/sh -c exit 7" docker.io/test/app:1 / %s`, id),
		fmt.Sprintf(`default created created - "/bin/sleep 600" docker.io/test/app:1 / %s`, id),
	})
	// And as ctr says.
	said, got = nil, nil
	for _, namespace := range []string{"k8s.io", "default"} {
		for _, line := range strings.Split(server.Run(t, "-n", namespace, "tasks", "ls"), "\n")[1:] {
			f := strings.Fields(line)
			said = append(said, f[0]+" "+strings.ToLower(f[2]))
		}
	}
	for _, c := range containers {
		if c.State != pratique.ContainerCreated {
			got = append(got, c.ID+" "+strings.ReplaceAll(string(c.State), "exited", "stopped"))
		}
	}
	enginetest.Same(t, "tasks", got, said)
}

func TestConformance(t *testing.T) {
	server := enginetest.Containerd(t)
	enginetest.Conform(t, enginetest.Subject{
		Engine: containerd.New(containerd.Options{Address: server.Socket}),
		Change: func(t testing.TB) string {
			load(t, server, "default", made(t, testimage.Gzip, "docker.io/test/app:1", "app"))
			one := "one-" + filepath.Base(server.Dir)
			server.Run(t, "run", "-d", "docker.io/test/app:1", one)
			server.Run(t, "tasks", "kill", "-s", "9", one)
			return "docker.io/test/app:1"
		},
		Events:  []string{"image images/create", "container containers/create", "container tasks/start", "container tasks/exit"},
		Missing: []string{"test/none", "k8s.io/test/app:1", "deadbeef"},
		Kill:    server.Kill,
	})
}

// TestContent: layers are read from their blobs, and from snapshots when the blobs
// were discarded, with the same facts.
func TestContent(t *testing.T) {
	server := enginetest.Containerd(t)
	img := made(t, testimage.Gzip, "docker.io/test/app:1", "app")
	load(t, server, "k8s.io", img)
	e := containerd.New(containerd.Options{Address: server.Socket})
	id := pratique.DigestOf(img.Config())
	var fromBlobs [][]pratique.Facts
	for _, name := range []string{"test/app:1", "k8s.io/docker.io/test/app:1", string(id), id.Short()} {
		c, err := e.Open(t.Context(), name, pratique.Platform{})
		if err != nil {
			t.Fatal(err)
		}
		if pratique.DigestOf(c.Config) != id || c.Manifest != pratique.DigestOf(img.Manifest()) || c.Way != "containerd's content store" || !slices.Equal(c.Tags, []string{"docker.io/test/app:1"}) {
			t.Errorf("%s: %+v", name, c)
		}
		fromBlobs = facts(t, c, img)
	}
	for name, want := range map[string]pratique.Code{"test/none": pratique.CodeNotFound, "default/test/app:1": pratique.CodeNotFound, "deadbeef": pratique.CodeNotFound} {
		if _, err := e.Open(t.Context(), name, pratique.Platform{}); pratique.CodeOf(err) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
	// As with discard_unpacked_layers.
	for _, l := range img.Layers {
		server.Run(t, "-n", "k8s.io", "content", "rm", string(l.Digest))
	}
	for _, l := range img.Layers { // the collector takes a moment
		waitGone(t, filepath.Join(server.Root, "io.containerd.content.v1.content/blobs/sha256", l.Digest.Hex()))
	}
	c, err := e.Open(t.Context(), "test/app:1", pratique.Platform{})
	if err != nil {
		t.Fatal(err)
	}
	if c.Way != "containerd's snapshots" {
		t.Errorf("read from %s", c.Way)
	}
	fromFolders := facts(t, c, img)
	for i := range fromBlobs {
		for k := range fromBlobs[i] {
			a, b := fromBlobs[i][k], fromFolders[i][k]
			if !a.Verified || b.Verified {
				t.Error("blobs are verified, folders are not")
			}
			if fmt.Sprint(a.Files) != fmt.Sprint(b.Files) || a.Entries != nil && (fmt.Sprint(a.Entries.Whiteouts, a.Entries.Opaque) != fmt.Sprint(b.Entries.Whiteouts, b.Entries.Opaque) ||
				string(a.Entries.Files) != string(b.Entries.Files)) {
				t.Errorf("layer %d: from its blob\n%+v %+v\nfrom its folder\n%+v %+v", i, a, a.Entries, b, b.Entries)
			}
		}
	}
	// An image that is removed after it was opened.
	if c, err = e.Open(t.Context(), "test/app:1", pratique.Platform{}); err != nil {
		t.Fatal(err)
	}
	server.Run(t, "-n", "k8s.io", "images", "rm", "--sync", "docker.io/test/app:1")
	p := layer.NewPass([]analyze.Analyzer{files.Analyzer{}}, layer.Limits{}, t.TempDir())
	defer p.Close()
	if _, err := p.ReadUnpacked(t.Context(), c.Layers[0].Unpacked, pratique.Layer{}, false, nil); pratique.CodeOf(err) != pratique.CodeNotFound {
		t.Errorf("a removed image: %v", err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

func waitGone(t *testing.T, name string) {
	t.Helper()
	for range 300 {
		if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("%s is still there", name)
}

func facts(t *testing.T, c *engine.Content, img testimage.Image) (all [][]pratique.Facts) {
	t.Helper()
	p := layer.NewPass([]analyze.Analyzer{files.Analyzer{}}, layer.Limits{}, t.TempDir())
	defer p.Close()
	for i, l := range c.Layers {
		want := pratique.Layer{Digest: l.Digest, DiffID: img.Layers[i].DiffID}
		var r layer.Result
		var err error
		if l.Unpacked != nil {
			r, err = p.ReadUnpacked(t.Context(), l.Unpacked, want, false, nil)
		} else {
			r, err = p.Read(t.Context(), func(ctx context.Context) (io.ReadCloser, error) { return l.Blob(ctx) }, want, nil)
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r.Facts)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	return all
}
