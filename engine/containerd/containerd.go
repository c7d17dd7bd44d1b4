// Package containerd reads a containerd of this host.
//
// # Names, content and snapshots
//
// containerd keeps everything in namespaces: kubelet's images and containers are
// in "k8s.io", dockerd's in "moby", those of ctr and nerdctl in "default". An
// image is a name that points to a descriptor, of an index or of a manifest; the
// same content has several names, and kubelet makes three for each: name:tag,
// name@digest, and the config's digest alone.
//
// What names, containers and tasks there are is asked over containerd's socket.
// Content is not: blobs are files in the content store's folder, whatever the
// namespace. Where a layer's blob was discarded after it was unpacked, its snapshot
// is read instead, which is a folder of overlayfs. Which snapshot belongs to which
// stack of layers is in the snapshotter's database (metadata.db), of which a copy
// is read, because containerd holds the lock of the original for as long as it
// runs.
package containerd

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/engine"
	"github.com/pratique/pratique/engine/internal/oci"
	"github.com/pratique/pratique/registry/distribution"
)

// Options say where the engine is. The zero value is the usual one.
type Options struct {
	Address  string // its socket; "" is CONTAINERD_ADDRESS, else the usual ones
	HostRoot string // where the host's root file system is, if we run in a container
	// Namespaces that are looked at; none means all.
	Namespaces []string
}

// Engine is a containerd. It implements engine.Engine.
type Engine struct{ opt Options }

// New does no I/O.
func New(opt Options) *Engine { return &Engine{opt} }

// Kind is containerd.
func (e *Engine) Kind() pratique.EngineKind { return pratique.EngineContainerd }

// usualSockets are containerd's own, and those of the distributions of Kubernetes
// that bring one.
func usualSockets() []string {
	return []string{"run/containerd/containerd.sock", "run/k3s/containerd/containerd.sock", "var/snap/microk8s/common/run/containerd.sock", "run/docker/containerd/containerd.sock"}
}

func (e *Engine) client() *client {
	if e.opt.Address != "" {
		return dial(strings.TrimPrefix(e.opt.Address, "unix://"))
	}
	if address := os.Getenv("CONTAINERD_ADDRESS"); address != "" {
		return dial(strings.TrimPrefix(address, "unix://"))
	}
	first := ""
	for _, name := range usualSockets() {
		path := filepath.Join("/", e.opt.HostRoot, name)
		if first == "" {
			first = path
		}
		if info, err := os.Stat(path); err == nil && info.Mode()&fs.ModeSocket != 0 {
			return dial(path)
		}
	}
	return dial(first)
}

// folders are where the engine keeps things.
type folders struct{ content, overlay, kubelet string }

// Info describes the engine.
func (e *Engine) Info(ctx context.Context) (pratique.EngineInfo, error) {
	c := e.client()
	defer c.Close()
	version, err := c.call(ctx, "version.v1.Version/Version", "", nil)
	if err != nil {
		return pratique.EngineInfo{}, err
	}
	told := pratique.EngineInfo{Kind: pratique.EngineContainerd, Version: strings.TrimPrefix(version.text(1), "v"), Store: "containerd"}
	if server, err := c.call(ctx, "introspection.v1.Introspection/Server", "", nil); err == nil {
		told.ID = server.text(1)
	}
	where, err := e.folders(ctx, c)
	if err != nil {
		return told, err
	}
	told.Root = filepath.Dir(where.content)
	return told, nil
}

// folders asks the engine's plugins where their data is.
func (e *Engine) folders(ctx context.Context, c *client) (folders, error) {
	answer, err := c.call(ctx, "introspection.v1.Introspection/Plugins", "", nil)
	if err != nil {
		return folders{}, err
	}
	var f folders
	for _, p := range answer.all(1) {
		root := p.pairs(5)["root"]
		switch {
		case root == "":
		case p.text(1) == "io.containerd.content.v1":
			f.content = root
		case p.text(1) == "io.containerd.snapshotter.v1" && p.text(2) == "overlayfs":
			f.overlay = root
		}
	}
	if f.content == "" {
		return f, pratique.Errorf(pratique.CodeUnsupported, "%s does not tell where its content is", c.Where).
			WithRemedy("export the image with `ctr images export`, and scan the tar")
	}
	f.kubelet = filepath.Join(filepath.Dir(f.content), "io.containerd.grpc.v1.cri/containers")
	for _, dir := range []*string{&f.content, &f.overlay, &f.kubelet} {
		if *dir != "" {
			*dir = filepath.Join("/", e.opt.HostRoot, *dir)
		}
	}
	return f, nil
}

// namespaces that are to be looked at, kubelet's first.
func (e *Engine) namespaces(ctx context.Context, c *client) ([]string, error) {
	answer, err := c.call(ctx, "namespaces.v1.Namespaces/List", "", nil)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, n := range answer.all(1) {
		if name := n.text(1); len(e.opt.Namespaces) == 0 || slices.Contains(e.opt.Namespaces, name) {
			names = append(names, name)
		}
	}
	rank := func(name string) int {
		if i := slices.Index([]string{"k8s.io", "default", "moby"}, name); i >= 0 {
			return i
		}
		return 3
	}
	slices.SortStableFunc(names, func(a, b string) int { return rank(a) - rank(b) })
	return names, nil
}

// namedImage is a name of a namespace with what it points to.
type namedImage struct {
	name   string
	target distribution.Descriptor
}

// names lists a namespace's images.
func (c *client) names(ctx context.Context, namespace string) ([]namedImage, error) {
	answer, err := c.call(ctx, "images.v1.Images/List", namespace, nil)
	if err != nil {
		return nil, err
	}
	var all []namedImage
	for _, i := range answer.all(1) {
		var target message
		for _, t := range i.all(3) {
			target = t
		}
		all = append(all, namedImage{i.text(1), distribution.Descriptor{
			MediaType: target.text(1), Digest: pratique.Digest(target.text(2)), Size: target.number(3),
		}})
	}
	return all, nil
}

// Images lists the images of all namespaces, one element for each content and
// namespace.
func (e *Engine) Images(ctx context.Context) ([]pratique.LocalImage, error) {
	c := e.client()
	defer c.Close()
	l, err := e.look(ctx, c)
	if err != nil {
		return nil, err
	}
	defer l.close()
	var all []pratique.LocalImage
	for _, namespace := range l.namespaces {
		names, err := c.names(ctx, namespace)
		if err != nil {
			return nil, err
		}
		images, err := l.images(ctx, namespace, names)
		if err != nil {
			return nil, err
		}
		all = append(all, images...)
	}
	return all, nil
}

// look is one look at the engine: its folders, open.
type look struct {
	client     *client
	where      folders
	namespaces []string
	store      *oci.Store
	snapshots  *snapshots // nil until asked for
	targets    map[pratique.Digest][]*oci.Image
}

func (e *Engine) look(ctx context.Context, c *client) (*look, error) {
	l := &look{client: c, targets: map[pratique.Digest][]*oci.Image{}}
	var err error
	if l.namespaces, err = e.namespaces(ctx, c); err != nil {
		return nil, err
	}
	if l.where, err = e.folders(ctx, c); err != nil {
		return nil, err
	}
	if l.store, err = oci.Open(l.where.content); errors.Is(err, fs.ErrNotExist) {
		return l, nil // nothing was ever pulled
	} else if err != nil {
		return nil, pratique.Errorf(pratique.CodeUnauthorized, "containerd's content store cannot be read: %w", err).WithRemedy("run as root")
	}
	return l, nil
}

func (l *look) close() {
	if l.store != nil {
		l.store.Close()
	}
}

// contents are the images behind a name.
func (l *look) contents(ctx context.Context, target distribution.Descriptor) ([]*oci.Image, error) {
	if found, ok := l.targets[target.Digest]; ok {
		return found, nil
	}
	if l.store == nil {
		return nil, oci.ErrNotHere
	}
	found, err := l.store.Images(ctx, target)
	if err == nil {
		l.targets[target.Digest] = found
	}
	return found, err
}

// images groups a namespace's names by what they point to.
func (l *look) images(ctx context.Context, namespace string, names []namedImage) ([]pratique.LocalImage, error) {
	var all []*pratique.LocalImage
	known := map[pratique.Digest]*pratique.LocalImage{}
	at := func(key pratique.Digest, make func() *pratique.LocalImage) *pratique.LocalImage {
		if known[key] == nil {
			known[key] = make()
			known[key].Space = namespace
			all = append(all, known[key])
		}
		return known[key]
	}
	for _, n := range names {
		contents, err := l.contents(ctx, n.target)
		if ctx.Err() != nil {
			return nil, pratique.Errorf(pratique.CodeCancelled, "stopped: %w", ctx.Err())
		}
		if err != nil {
			img := at(n.target.Digest, func() *pratique.LocalImage {
				return &pratique.LocalImage{EngineID: n.target.Digest, Reason: reason(err)}
			})
			addName(img, n)
			continue
		}
		for _, i := range contents {
			addName(at(i.ID(), func() *pratique.LocalImage { return l.describe(namespace, n, i) }), n)
		}
	}
	var out []pratique.LocalImage
	for _, img := range all {
		out = append(out, *img)
	}
	return out, nil
}

func reason(err error) string {
	if errors.Is(err, oci.ErrNotHere) {
		return "its manifest or config is not in the content store"
	}
	return err.Error()
}

func (l *look) describe(namespace string, n namedImage, i *oci.Image) *pratique.LocalImage {
	img := &pratique.LocalImage{
		ID: i.ID(), EngineID: n.target.Digest, Platform: i.Config.Platform(), Created: i.Config.Created,
		Labels: i.Config.Config.Labels, Layers: i.Config.RootFS.DiffIDs, Size: i.Manifest.Config.Size,
	}
	for _, d := range i.Manifest.Layers {
		img.Size += d.Size
	}
	for _, d := range []pratique.Digest{n.target.Digest, i.Descriptor.Digest} {
		addAlias(img, d)
	}
	if missing := l.missing(namespace, i); missing > 0 {
		img.Reason = "some of its layers are neither in the content store nor unpacked"
	}
	return img
}

func addAlias(img *pratique.LocalImage, d pratique.Digest) {
	if d != "" && d != img.ID && !slices.Contains(img.Aliases, d) {
		img.Aliases = append(img.Aliases, d)
	}
}

// addName sorts a name: a tag, a digest of a repository, or a digest alone.
func addName(img *pratique.LocalImage, n namedImage) {
	addAlias(img, n.target.Digest)
	switch {
	case strings.HasPrefix(n.name, "sha256:"):
	case strings.Contains(n.name, "@"):
		img.Digests = append(img.Digests, n.name)
	default:
		img.Tags = append(img.Tags, n.name)
	}
}

// Containers lists the containers of all namespaces.
func (e *Engine) Containers(ctx context.Context) ([]pratique.Container, error) {
	c := e.client()
	defer c.Close()
	l, err := e.look(ctx, c)
	if err != nil {
		return nil, err
	}
	defer l.close()
	var all []pratique.Container
	for _, namespace := range l.namespaces {
		found, err := l.containers(ctx, namespace)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

func (l *look) containers(ctx context.Context, namespace string) ([]pratique.Container, error) {
	listed, err := l.client.call(ctx, "containers.v1.Containers/List", namespace, nil)
	if err != nil {
		return nil, err
	}
	running, err := l.client.call(ctx, "tasks.v1.Tasks/List", namespace, nil)
	if err != nil {
		return nil, err
	}
	tasks := map[string]message{}
	for _, t := range running.all(1) {
		id := t.text(1)
		if id == "" {
			id = t.text(2)
		}
		tasks[id] = t
	}
	names, err := l.client.names(ctx, namespace)
	if err != nil {
		return nil, err
	}
	var all []pratique.Container
	for _, m := range listed.all(1) {
		k := container(m)
		k.Space, k.ImageID = namespace, l.imageID(ctx, names, k.Image, l.startedFrom(ctx, namespace, m))
		if t, ok := tasks[k.ID]; ok {
			k.addTask(t)
		} else {
			k.State = pratique.ContainerCreated
			k.addKubelet(l.where.kubelet)
		}
		all = append(all, k.Container)
	}
	return all, nil
}

// told is a container that is being put together.
type told struct{ pratique.Container }

// container reads what containerd keeps of a container (containers.proto).
func container(m message) told {
	k := told{pratique.Container{ID: m.text(1), Image: m.text(3), Labels: m.pairs(2), Created: timestamp(m, 8), Updated: timestamp(m, 9)}}
	for _, spec := range m.all(5) {
		var oci struct{ Process struct{ Args []string } }
		if json.Unmarshal([]byte(message(spec).text(2)), &oci) == nil {
			k.Command = oci.Process.Args
		}
	}
	k.Name = k.ID
	for _, label := range []string{"nerdctl/name", "io.kubernetes.container.name"} {
		if name := k.Labels[label]; name != "" {
			k.Name = name
			break
		}
	}
	k.InPod()
	return k
}

func timestamp(m message, number int) time.Time {
	for _, t := range m.all(number) {
		if seconds := t.number(1); seconds > 0 {
			return time.Unix(seconds, t.number(2)).UTC()
		}
	}
	return time.Time{}
}

// addTask adds the state of the container's process (task.proto).
func (k *told) addTask(t message) {
	switch t.number(4) {
	case 1:
		k.State = pratique.ContainerCreated
	case 2:
		k.State = pratique.ContainerRunning
	case 3:
		k.State = pratique.ContainerExited
		code := int(t.number(9))
		k.ExitCode = &code
		if at := timestamp(t, 10); at.After(k.Updated) {
			k.Updated = at
		}
	case 4, 5:
		k.State = pratique.ContainerPaused
	default:
		k.State = pratique.ContainerUnknown
	}
}

// addKubelet adds what the plugin for kubelet writes down of containers whose task
// is over and gone.
func (k *told) addKubelet(dir string) {
	b, err := os.ReadFile(filepath.Join(dir, filepath.Base(k.ID), "status"))
	if err != nil || len(b) > 1<<20 {
		return
	}
	var status struct {
		StartedAt, FinishedAt int64 // nanoseconds
		ExitCode              int
		Removing              bool
	}
	if json.Unmarshal(b, &status) != nil || status.FinishedAt == 0 {
		return
	}
	k.State, k.ExitCode, k.Updated = pratique.ContainerExited, &status.ExitCode, time.Unix(0, status.FinishedAt).UTC()
	if status.Removing {
		k.State = pratique.ContainerRemoving
	}
}

// startedFrom is the chain ID of the layers that a container was started from: the
// parent of its snapshot; "" if it has none.
func (l *look) startedFrom(ctx context.Context, namespace string, m message) (chain string) {
	request := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), m.text(6)) // the snapshotter
	request = protowire.AppendString(protowire.AppendTag(request, 2, protowire.BytesType), m.text(7))
	answer, err := l.client.call(ctx, "snapshots.v1.Snapshots/Stat", namespace, request)
	if err != nil {
		return ""
	}
	for _, info := range answer.all(1) {
		chain = info.text(2)
	}
	return chain
}

// imageID is the ID of the image that a container was started from. Its name may
// point to another by now, so of the images that it leads to, or else of all, it is
// the one with those layers. Where the layers are not known the name decides.
func (l *look) imageID(ctx context.Context, names []namedImage, name, chain string) pratique.Digest {
	var same pratique.Digest
	for _, n := range names {
		contents, err := l.contents(ctx, n.target)
		if err != nil {
			continue
		}
		for _, i := range contents {
			fits := chain != "" && chain == topChain(i)
			switch {
			case n.name == name && (fits || chain == "" && len(contents) == 1):
				return i.ID()
			case fits:
				same = i.ID()
			}
		}
	}
	return same
}

func topChain(i *oci.Image) string {
	chains := chainIDs(i.Config.RootFS.DiffIDs)
	if len(chains) == 0 {
		return ""
	}
	return string(chains[len(chains)-1])
}

// Watch tells what happens to images, containers and tasks in all namespaces.
func (e *Engine) Watch(ctx context.Context, yield func(engine.Event) error) error {
	c := e.client()
	defer c.Close()
	err := c.stream(ctx, "events.v1.Events/Subscribe", "", nil, func(m message) error {
		topic := m.text(3)
		event := engine.Event{Action: strings.TrimPrefix(topic, "/"), Time: timestamp(m, 1)}
		for _, any := range m.all(4) {
			event.ID = message(any.text(2)).text(1) // the name or the container's id is the first field of all of them
		}
		switch {
		case strings.HasPrefix(topic, "/images/"):
			event.Subject = engine.SubjectImage
		case strings.HasPrefix(topic, "/containers/"), strings.HasPrefix(topic, "/tasks/") && !strings.Contains(topic, "exec"):
			event.Subject = engine.SubjectContainer
		default:
			return nil
		}
		return yield(event)
	})
	if ctx.Err() != nil {
		return pratique.Errorf(pratique.CodeCancelled, "stopped: %w", ctx.Err())
	}
	if err == nil {
		err = pratique.Errorf(pratique.CodeUnreachable, "%s ended", c.Where).WithRemedy("look into containerd's log")
	}
	return err
}
