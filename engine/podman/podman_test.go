package podman_test

import (
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/analyze"
	"github.com/pratique/pratique/analyze/files"
	"github.com/pratique/pratique/engine"
	"github.com/pratique/pratique/engine/podman"
	"github.com/pratique/pratique/internal/enginetest"
	"github.com/pratique/pratique/layer"
)

var _ engine.Engine = (*podman.Engine)(nil)

// limits are what a container may ask for where the hard limits are low.
var limits = []string{"--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024", "--network", "none"}

func run(t testing.TB, e *enginetest.Engine, args ...string) string {
	t.Helper()
	return e.Run(t, append(append([]string{args[0]}, limits...), args[1:]...)...)
}

// fill makes images and containers of every kind.
func fill(t *testing.T, e *enginetest.Engine) {
	t.Helper()
	e.Run(t, "import", "-c", `CMD ["/bin/sleep","600"]`, enginetest.Base(t), "localhost/test/base:1")
	e.Run(t, "build", "--network", "host", "--isolation", "chroot", "-q", "-t", "localhost/test/app:1", enginetest.Context(t, "localhost/test/base:1", "app"))
	e.Run(t, "tag", "localhost/test/app:1", "harbor.example:8443/team/app:latest")
	e.Run(t, "build", "--network", "host", "--isolation", "chroot", "-q", "-t", "localhost/test/old:1", enginetest.Context(t, "localhost/test/base:1", "old"))
	e.Run(t, "untag", "localhost/test/old:1")
	run(t, e, "run", "-d", "--name", "running", "-l", "team=blue", "localhost/test/app:1")
	run(t, e, "run", "-d", "--name", "paused", "localhost/test/base:1", "/bin/sleep", "500")
	e.Run(t, "pause", "paused")
	run(t, e, "run", "--name", "exited", "localhost/test/app:1", "/bin/sh", "-c", "true")
	if _, err := e.Try(append(append([]string{"run"}, limits...), "--name", "failed", "localhost/test/app:1", "/bin/sh", "-c", "exit 7")...); err == nil {
		t.Fatal("exit 7 is a success")
	}
	run(t, e, "create", "--name", "made", "localhost/test/app:1")
}

func TestInventory(t *testing.T) {
	server := enginetest.Podman(t, true)
	fill(t, server)
	byService := podman.New(podman.Options{Root: server.Root, Address: "unix://" + server.Socket})
	byFiles := podman.New(podman.Options{Root: server.Root, Address: "unix:///nonexistent.sock"})

	info, err := byService.Info(t.Context())
	if err != nil || info.Version != server.Run(t, "version", "--format", "{{.Client.Version}}") || info.Root != server.Root || len(info.Limits) > 0 {
		t.Errorf("info: %+v, %v", info, err)
	}
	if info, err = byFiles.Info(t.Context()); err != nil || info.Version != "" || len(info.Limits) == 0 {
		t.Errorf("info without the service: %+v, %v", info, err)
	}

	images, err := byFiles.Images(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got, said []string
	for _, i := range images {
		if i.Reason != "" || i.Created == nil {
			t.Errorf("image %+v", i)
		}
		got = append(got, imageLine(i.ID.Hex(), i.Tags, i.Digests, i.Platform.String(), i.Size, i.Labels["purpose"], fmt.Sprint(i.Layers)))
	}
	type listed struct {
		ID   string `json:"Id"`
		Size int64
	}
	for _, l := range enginetest.JSON[[]listed](t, server, "images", "--format", "json")[0] {
		type inspected struct {
			ID                    string `json:"Id"`
			RepoTags, RepoDigests []string
			Os, Architecture      string
			Labels                map[string]string
			RootFS                struct{ Layers []string }
		}
		i := enginetest.JSON[[]inspected](t, server, "inspect", "--type", "image", l.ID)[0][0]
		line := imageLine(i.ID, i.RepoTags, i.RepoDigests, i.Os+"/"+i.Architecture, l.Size, i.Labels["purpose"], fmt.Sprint(i.RootFS.Layers))
		if !slices.Contains(said, line) { // the command lists an image once for each name
			said = append(said, line)
		}
	}
	enginetest.Same(t, "images", got, said)
	if len(got) != 3 {
		t.Errorf("%d images, and three were made", len(got))
	}

	said = nil
	for _, id := range strings.Fields(server.Run(t, "ps", "-a", "-q", "--no-trunc")) {
		type inspected struct {
			ID, Name, Image, ImageName string
			Created                    time.Time
			State                      struct {
				Status                string
				ExitCode              int
				StartedAt, FinishedAt time.Time
			}
			Config struct {
				Labels map[string]string
				Cmd    []string
			}
		}
		i := enginetest.JSON[[]inspected](t, server, "inspect", "--type", "container", id)[0][0]
		updated := i.Created.Unix()
		for _, at := range []time.Time{i.State.StartedAt, i.State.FinishedAt} {
			updated = max(updated, at.Unix())
		}
		said = append(said, fmt.Sprint(i.ID, i.Name, i.Image, i.ImageName, i.State.Status, i.State.ExitCode, i.Config.Cmd, updated, i.Config.Labels["team"]))
	}
	for name, e := range map[string]*podman.Engine{"service": byService, "files": byFiles} {
		containers, err := e.Containers(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got = nil
		for _, c := range containers {
			code := 0
			if c.ExitCode != nil {
				code = *c.ExitCode
			}
			got = append(got, fmt.Sprint(c.ID, c.Name, c.ImageID.Hex(), c.Image, c.State, code, c.Command, c.Updated.Unix(), c.Labels["team"]))
		}
		enginetest.Same(t, "containers by "+name, got, said)
	}
	if len(said) != 5 {
		t.Errorf("%d containers, and five were made", len(said))
	}

	// The same database as newer versions of podman keep it.
	toSQLite(t, server.Root)
	containers, err := byFiles.Containers(t.Context())
	if err != nil || len(containers) != 5 || containers[0].State == pratique.ContainerUnknown {
		t.Errorf("from SQLite: %v, %+v", err, containers)
	}
}

func imageLine(id string, tags, digests []string, platform string, size int64, label, layers string) string {
	return fmt.Sprint(id, " ", slices.Sorted(slices.Values(tags)), slices.Sorted(slices.Values(digests)), platform, " ", size, label, layers)
}

// toSQLite copies podman's database into the tables of podman 5
// (libpod/sqlite_state_internal.go).
func toSQLite(t *testing.T, root string) {
	t.Helper()
	old, err := bolt.Open(filepath.Join(root, "libpod/bolt_state.db"), 0o600, &bolt.Options{ReadOnly: true, Timeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", filepath.Join(root, "db.sql"))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{
		"CREATE TABLE ContainerConfig (ID TEXT PRIMARY KEY NOT NULL, Name TEXT NOT NULL, PodID TEXT, JSON TEXT NOT NULL)",
		"CREATE TABLE ContainerState (ID TEXT PRIMARY KEY NOT NULL, State INTEGER NOT NULL, ExitCode INTEGER, JSON TEXT NOT NULL)",
	} {
		if _, err := db.Exec(s); err != nil {
			t.Fatal(err)
		}
	}
	err = old.View(func(tx *bolt.Tx) error {
		all := tx.Bucket([]byte("ctr"))
		return all.ForEachBucket(func(id []byte) error {
			b := all.Bucket(id)
			_, err := db.Exec("INSERT INTO ContainerConfig VALUES (?, ?, NULL, ?)", string(id), string(id), string(b.Get([]byte("config"))))
			if err == nil {
				_, err = db.Exec("INSERT INTO ContainerState VALUES (?, 0, 0, ?)", string(id), string(b.Get([]byte("state"))))
			}
			return err
		})
	})
	if err := errors.Join(err, db.Close(), old.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestConformance: with podman's service, and from its files alone.
func TestConformance(t *testing.T) {
	server := enginetest.Podman(t, true)
	change := func(name string) func(testing.TB) string {
		return func(t testing.TB) string {
			image := "localhost/test/base:" + name
			server.Run(t, "import", "-c", `CMD ["/bin/sleep","600"]`, enginetest.Base(t), image)
			run(t, server, "run", "-d", "--name", name, image)
			server.Run(t, "rm", "-f", "-t", "0", name)
			return image
		}
	}
	change("first")(t) // so that the store is there
	missing := []string{"test/none", "deadbeef", "localhost/test/base"}
	enginetest.Conform(t, enginetest.Subject{
		Engine:  podman.New(podman.Options{Root: server.Root, Address: "unix:///nonexistent.sock"}),
		Change:  change("files"),
		Events:  []string{"image change", "container change"},
		Missing: missing,
	})
	enginetest.Conform(t, enginetest.Subject{
		Engine:  podman.New(podman.Options{Root: server.Root, Address: "unix://" + server.Socket}),
		Change:  change("service"),
		Events:  []string{"image tag", "container create", "container start", "container died", "container remove"},
		Missing: missing,
	})
}

// TestContent: an image is found by any of its names, read from its folders, and
// verified by its recipes; what podman saves has the same content.
func TestContent(t *testing.T) {
	server := enginetest.Podman(t, false)
	fill(t, server)
	e := podman.New(podman.Options{Root: server.Root, Address: "unix:///nonexistent.sock"})
	id := server.Run(t, "inspect", "--format", "{{.Id}}", "localhost/test/app:1")
	p := layer.NewPass([]analyze.Analyzer{files.Analyzer{}}, layer.Limits{}, t.TempDir())
	defer p.Close()
	for _, name := range []string{"test/app:1", "localhost/test/app:1", "harbor.example:8443/team/app", id, "sha256:" + id, id[:12]} {
		c, err := e.Open(t.Context(), name, pratique.Platform{})
		if err != nil {
			t.Fatal(err)
		}
		if pratique.DigestOf(c.Config).Hex() != id || len(c.Layers) != 4 || c.Way != "podman's folders" {
			t.Errorf("%s: %+v", name, c)
		}
		for i, l := range c.Layers {
			attested, err := p.ReadUnpacked(t.Context(), l.Unpacked, l.Layer, false, nil)
			if err != nil {
				t.Fatal(err)
			}
			verified, err := p.ReadUnpacked(t.Context(), l.Unpacked, l.Layer, true, nil)
			if err != nil {
				t.Fatal(err)
			}
			if !verified.Facts[0].Verified || attested.Facts[0].Verified || verified.DiffID != l.DiffID || fmt.Sprint(verified.Facts[1].Files) != fmt.Sprint(attested.Facts[1].Files) {
				t.Errorf("layer %d: attested %+v, verified %+v", i, attested, verified)
			}
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"test/none", "deadbeef", "localhost/test/app"} {
		if _, err := e.Open(t.Context(), name, pratique.Platform{}); pratique.CodeOf(err) != pratique.CodeNotFound {
			t.Errorf("%s: %v", name, err)
		}
	}
	c, err := e.Open(t.Context(), id, pratique.Platform{})
	if err != nil {
		t.Fatal(err)
	}
	server.Run(t, "rm", "-f", "-t", "0", "-a")
	server.Run(t, "rmi", "-f", "-a") // the builds share their layers
	last := c.Layers[len(c.Layers)-1]
	if _, err := p.ReadUnpacked(t.Context(), last.Unpacked, last.Layer, false, nil); pratique.CodeOf(err) != pratique.CodeNotFound {
		t.Errorf("a removed image: %v", err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	nowhere := podman.New(podman.Options{Root: t.TempDir()})
	for _, f := range []func() error{
		func() error { _, err := nowhere.Info(t.Context()); return err },
		func() error { _, err := nowhere.Images(t.Context()); return err },
		func() error { _, err := nowhere.Containers(t.Context()); return err },
		func() error { _, err := nowhere.Open(t.Context(), "x", pratique.Platform{}); return err },
		func() error { return nowhere.Watch(t.Context(), func(engine.Event) error { return io.EOF }) },
	} {
		if err := f(); pratique.CodeOf(err) != pratique.CodeNotFound && pratique.CodeOf(err) != pratique.CodeCancelled {
			t.Errorf("without a store: %v", err)
		}
	}
}

func TestUsers(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{"var/lib/containers/storage/overlay-images", "home/ann/.local/share/containers/storage/overlay-images", "home/bob", "etc"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "etc/passwd"), []byte("root:x:0:0:root:/root:/bin/sh\nann:x:1001:1001::/home/ann:/bin/sh\nbob:x:1002:1002::/home/bob:/bin/sh\nbroken\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, o := range podman.Users(root) {
		got = append(got, o.Owner+" "+o.Root+" "+strings.TrimPrefix(o.Address, "unix://"+root))
	}
	enginetest.Same(t, "stores", got, []string{" /var/lib/containers/storage /run/podman/podman.sock", "ann /home/ann/.local/share/containers/storage /run/user/1001/podman/podman.sock"})
}
