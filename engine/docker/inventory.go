package docker

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/engine"
	"github.com/pratique/pratique/engine/internal/daemon"
)

const seeDaemon = "check that the engine is well (`docker info`)"

// info is the part of /info that matters here.
type info struct {
	ID            string
	Name          string
	ServerVersion string
	Driver        string
	DriverStatus  [][2]string
	DockerRootDir string
}

// containerdStore tells whether images are kept by containerd (Docker 29; an
// option since 24).
func (i info) containerdStore() bool {
	return slices.ContainsFunc(i.DriverStatus, func(s [2]string) bool {
		return s[0] == "driver-type" && strings.HasPrefix(s[1], "io.containerd.snapshotter")
	})
}

// Info describes the engine.
func (e *Engine) Info(ctx context.Context) (pratique.EngineInfo, error) {
	c, err := e.connect(ctx)
	if err != nil {
		return pratique.EngineInfo{}, err
	}
	var i info
	if err := c.ask(ctx, "/info", &i); err != nil {
		return pratique.EngineInfo{}, c.Told(err, seeDaemon)
	}
	told := pratique.EngineInfo{Kind: pratique.EngineDocker, Version: i.ServerVersion, ID: i.ID, Store: i.Driver, Root: i.DockerRootDir,
		API: strings.TrimPrefix(c.prefix, "/v")}
	if i.containerdStore() {
		told.Store = "containerd"
	}
	if c.podman != "" {
		told.Kind, told.Version = pratique.EnginePodman, c.podman
	}
	return told, nil
}

// listedImage is one of /images/json.
type listedImage struct {
	Id          pratique.Digest
	RepoTags    []string
	RepoDigests []string
	Created     int64
	Size        int64
	Labels      pratique.Labels
}

// inspectedImage is /images/NAME/json.
type inspectedImage struct {
	Id           pratique.Digest
	RepoTags     []string
	RepoDigests  []string
	Created      string
	Architecture string
	Variant      string
	Os           string
	OsVersion    string
	Size         int64
	Config       struct{ Labels pratique.Labels }
	RootFS       struct{ Layers []pratique.Digest }
	Descriptor   *struct {
		MediaType string
		Digest    pratique.Digest
		Size      int64
	}
}

// Images lists what `docker images` does.
func (e *Engine) Images(ctx context.Context) ([]pratique.LocalImage, error) {
	c, err := e.connect(ctx)
	if err != nil {
		return nil, err
	}
	var listed []listedImage
	if err := c.ask(ctx, "/images/json?digests=1", &listed); err != nil {
		return nil, c.Told(err, seeDaemon)
	}
	ids, err := e.identities(ctx, c)
	if err != nil {
		return nil, err
	}
	defer ids.close()
	var images []pratique.LocalImage
	for _, l := range listed {
		found, err := ids.images(ctx, l)
		if err != nil {
			return nil, err
		}
		images = append(images, found...)
	}
	return images, nil
}

// named leaves out what older engines write for "none".
func named(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(s string) bool { return strings.HasPrefix(s, "<none>") })
}

// inspected makes an image of what the engine says about it.
func (l listedImage) inspected(ctx context.Context, c *client) (pratique.LocalImage, error) {
	img := pratique.LocalImage{EngineID: l.Id, Tags: named(l.RepoTags), Digests: named(l.RepoDigests), Size: l.Size, Labels: l.Labels}
	var i inspectedImage
	if err := c.ask(ctx, "/images/"+string(l.Id)+"/json", &i); err != nil {
		return img, c.noImage(err, string(l.Id))
	}
	img.Platform = pratique.Platform{OS: i.Os, Architecture: i.Architecture, Variant: i.Variant, OSVersion: i.OsVersion}
	if t, err := time.Parse(time.RFC3339Nano, i.Created); err == nil {
		img.Created = &t
	}
	img.Layers = i.RootFS.Layers
	return img, nil
}

// listedContainer is one of /containers/json, inspectedContainer of
// /containers/ID/json.
type listedContainer struct {
	ID      string
	Names   []string
	Image   string
	ImageID pratique.Digest
	Created int64
	State   string
	Labels  pratique.Labels
}

type inspectedContainer struct {
	Path  string
	Args  []string
	State struct {
		Status     string
		StartedAt  time.Time
		FinishedAt time.Time
		ExitCode   int
	}
	Created time.Time
}

// Containers lists what `docker ps --all` does.
func (e *Engine) Containers(ctx context.Context) ([]pratique.Container, error) {
	c, err := e.connect(ctx)
	if err != nil {
		return nil, err
	}
	var listed []listedContainer
	if err := c.ask(ctx, "/containers/json?all=1", &listed); err != nil {
		return nil, c.Told(err, seeDaemon)
	}
	ids, err := e.identities(ctx, c)
	if err != nil {
		return nil, err
	}
	defer ids.close()
	var all []pratique.Container
	for _, l := range listed {
		var i inspectedContainer
		err := c.ask(ctx, "/containers/"+url.PathEscape(l.ID)+"/json", &i)
		if isGone(err) { // removed since it was listed
			continue
		}
		if err != nil {
			return nil, c.Told(err, seeDaemon)
		}
		all = append(all, l.container(i, ids.of(ctx, l.ImageID)))
	}
	return all, nil
}

func (l listedContainer) container(i inspectedContainer, image pratique.Digest) pratique.Container {
	k := pratique.Container{ID: l.ID, ImageID: image, Image: l.Image, State: state(i.State.Status, l.State), Created: i.Created, Labels: l.Labels}
	if len(l.Names) > 0 {
		// A container that others link to has further names, with a slash in them.
		slices.SortStableFunc(l.Names, func(a, b string) int { return strings.Count(a, "/") - strings.Count(b, "/") })
		k.Name = strings.TrimPrefix(l.Names[0], "/")
	}
	if i.Path != "" {
		k.Command = append([]string{i.Path}, i.Args...)
	}
	k.Updated = latest(k.Created, i.State.StartedAt, i.State.FinishedAt)
	if k.State == pratique.ContainerExited || k.State == pratique.ContainerDead {
		k.ExitCode = &i.State.ExitCode
	}
	k.InPod()
	return k
}

// latest returns the last of several times; Docker writes 0001-01-01 for never.
func latest(times ...time.Time) (last time.Time) {
	for _, t := range times {
		if t.After(last) {
			last = t
		}
	}
	return last
}

func state(words ...string) pratique.ContainerState {
	for _, w := range words {
		switch s := pratique.ContainerState(strings.ToLower(w)); s {
		case pratique.ContainerCreated, pratique.ContainerRunning, pratique.ContainerPaused, pratique.ContainerRestarting,
			pratique.ContainerRemoving, pratique.ContainerExited, pratique.ContainerDead:
			return s
		case "configured", "initialized": // podman
			return pratique.ContainerCreated
		case "stopped", "stopping":
			return pratique.ContainerExited
		}
	}
	return pratique.ContainerUnknown
}

// message is one of /events.
type message struct {
	Type, Action string
	Actor        struct{ ID string }
	TimeNano     int64 `json:"timeNano"`
}

// Watch tells what happens to images and containers.
func (e *Engine) Watch(ctx context.Context, yield func(engine.Event) error) error {
	c, err := e.connect(ctx)
	if err != nil {
		return err
	}
	filters, err := json.Marshal(map[string][]string{"type": {"image", "container"}})
	if err != nil {
		return err
	}
	err = daemon.Events(ctx, c.Client, c.prefix+"/events", url.Values{"filters": {string(filters)}}, func(m message) error {
		if !changes(m) {
			return nil
		}
		return yield(engine.Event{Subject: m.Type, Action: m.Action, ID: m.Actor.ID, Time: time.Unix(0, m.TimeNano)})
	})
	return c.Told(err, seeDaemon)
}

// changes leaves out what says nothing about either list, above all health
// checks, which run every few seconds.
func changes(m message) bool {
	return m.Type == engine.SubjectImage || !strings.HasPrefix(m.Action, "exec_") && !strings.HasPrefix(m.Action, "health_status") &&
		m.Action != "top" && m.Action != "attach" && m.Action != "resize"
}
