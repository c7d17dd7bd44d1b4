// Package podman reads images and containers of podman on this host: root's, or
// a user's own, which are in that user's home.
//
// # What needs what
//
// Podman has no daemon. What it keeps is in files (github.com/containers/storage):
//
//	overlay-images/images.json   images with their names, and the layer on top
//	overlay-images/ID/…          configs and manifests
//	overlay-layers/layers.json   layers with their parents and diffIDs
//	overlay-layers/ID.tar-split.gz   the recipe of each layer's tar
//	overlay/ID/diff              the layer's files
//	overlay-containers/containers.json   containers with their images
//	libpod/bolt_state.db or db.sql       what became of the containers
//
// Images and their content need only the right to read these, running or not.
//
// The state of containers is known exactly by podman alone, so its service is
// asked if it listens on its socket (`systemctl enable --now podman.socket`).
// Without it, state is what podman last wrote into its database, corrected for
// processes that are no longer there: an exit that nobody has asked podman about
// since has no exit code. Events without the service are found by looking at the
// files every two seconds.
package podman

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/engine/internal/daemon"
)

// Options say whose podman it is. The zero value is that of whoever runs us.
type Options struct {
	Address string // of its service, "unix:///PATH"; "" is CONTAINER_HOST, else the usual socket
	Root    string // of its store; "" is where its configuration says
	Owner   string // whose it is, for people; "" is root
	// HostRoot is where the host's root file system is, if we run in a container.
	HostRoot string
}

// Engine is one store of podman. It implements engine.Engine.
type Engine struct{ opt Options }

// New does no I/O.
func New(opt Options) *Engine { return &Engine{opt} }

// Kind is podman.
func (e *Engine) Kind() pratique.EngineKind { return pratique.EnginePodman }

// Users finds the stores of a host: root's, and those in the homes of its users.
func Users(hostRoot string) []Options {
	var all []Options
	add := func(owner, root, run string) {
		if _, err := os.Stat(filepath.Join("/", hostRoot, root, "overlay-images")); err == nil {
			all = append(all, Options{Root: root, Owner: owner, HostRoot: hostRoot, Address: "unix://" + filepath.Join("/", hostRoot, run, "podman/podman.sock")})
		}
	}
	add("", "/var/lib/containers/storage", "run")
	passwd, err := os.ReadFile(filepath.Join("/", hostRoot, "etc/passwd"))
	if err != nil {
		return all
	}
	for line := range strings.Lines(string(passwd)) {
		if f := strings.Split(strings.TrimSpace(line), ":"); len(f) >= 6 && f[2] != "0" && filepath.IsAbs(f[5]) {
			add(f[0], filepath.Join(f[5], ".local/share/containers/storage"), "run/user/"+f[2])
		}
	}
	return all
}

// root is the store's folder.
func (e *Engine) root() string {
	root := e.opt.Root
	if root == "" {
		root = configuredRoot(e.opt.HostRoot)
	}
	return filepath.Join("/", e.opt.HostRoot, root)
}

// configuredRoot goes by containers-storage.conf(5).
func configuredRoot(hostRoot string) string {
	rootless := os.Geteuid() != 0
	files := []string{filepath.Join("/", hostRoot, "etc/containers/storage.conf"), filepath.Join("/", hostRoot, "usr/share/containers/storage.conf")}
	home, _ := os.UserHomeDir()
	if rootless {
		files = append([]string{filepath.Join(orElse(os.Getenv("XDG_CONFIG_HOME"), filepath.Join(home, ".config")), "containers/storage.conf")}, files...)
	}
	if file := os.Getenv("CONTAINERS_STORAGE_CONF"); file != "" {
		files = []string{file}
	}
	for i, file := range files {
		b, err := os.ReadFile(file)
		var conf struct {
			Storage struct {
				GraphRoot string `toml:"graphroot"`
				Rootless  string `toml:"rootless_storage_path"`
			} `toml:"storage"`
		}
		if err != nil || toml.Unmarshal(b, &conf) != nil {
			continue
		}
		switch s := conf.Storage; {
		case rootless && s.Rootless != "":
			return os.Expand(strings.ReplaceAll(s.Rootless, "$UID", strconv.Itoa(os.Getuid())), os.Getenv)
		case s.GraphRoot != "" && (!rootless || i == 0): // the system's is root's
			return s.GraphRoot
		}
	}
	if rootless {
		return filepath.Join(orElse(os.Getenv("XDG_DATA_HOME"), filepath.Join(home, ".local/share")), "containers/storage")
	}
	return "/var/lib/containers/storage"
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// service is podman's REST API (https://docs.podman.io/en/latest/_static/api.html).
type service struct {
	*daemon.Client
	version string
}

func (e *Engine) address() string {
	address := orElse(e.opt.Address, os.Getenv("CONTAINER_HOST"))
	if address == "" && os.Geteuid() == 0 {
		address = filepath.Join("/", e.opt.HostRoot, "run/podman/podman.sock")
	}
	if address == "" {
		address = filepath.Join(orElse(os.Getenv("XDG_RUNTIME_DIR"), "/run/user/"+strconv.Itoa(os.Getuid())), "podman/podman.sock")
	}
	return strings.TrimPrefix(address, "unix://")
}

// service returns nil when none listens, which is podman's usual state.
func (e *Engine) service(ctx context.Context) *service {
	socket := e.address()
	if info, err := os.Stat(socket); err != nil || info.Mode()&fs.ModeSocket == 0 {
		return nil
	}
	s := &service{Client: &daemon.Client{
		Where: "podman's service at unix://" + socket, Unreached: "start it with `systemctl start podman.socket`", Denied: "run as the user whose podman it is",
		HTTP: &http.Client{Transport: daemon.Unix(socket)}, Base: "http://podman",
	}}
	ctx, cancel := context.WithTimeout(ctx, daemon.Answer)
	defer cancel()
	resp, err := s.Get(ctx, "/_ping")
	if err != nil {
		return nil
	}
	defer resp.Body.Close()
	if s.version = resp.Header.Get("Libpod-Api-Version"); s.version == "" {
		return nil
	}
	return s
}

func (s *service) ask(ctx context.Context, path string, into any) error {
	return s.Told(s.Ask(ctx, "/v"+s.version+"/libpod"+path, into), "look into podman's log")
}

// Info describes the store, and podman's version if its service tells.
func (e *Engine) Info(ctx context.Context) (pratique.EngineInfo, error) {
	told := pratique.EngineInfo{Kind: pratique.EnginePodman, Root: e.root(), Store: "overlay", Owner: e.opt.Owner}
	if _, err := os.Stat(filepath.Join(told.Root, "overlay-images")); err != nil {
		return told, e.unreadable(err)
	}
	if s := e.service(ctx); s != nil {
		defer s.Close()
		told.Version, told.API = s.version, s.version
		return told, nil
	}
	told.Limits = append(told.Limits, pratique.Text{
		EN: "podman's service does not listen: its version is not known, and the state of containers is what podman last wrote down",
		ZH: "podman 服务未监听：无法得知其版本，容器状态以 podman 最后写入的为准",
	})
	return told, nil
}

// unreadable says why the store cannot be read.
func (e *Engine) unreadable(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return pratique.Errorf(pratique.CodeNotFound, "podman keeps nothing in %s: %w", e.root(), err).
			WithRemedy("root and each user have a store of their own: run as whose it is, or set CONTAINERS_STORAGE_CONF; for an image in a registry write registry:REFERENCE")
	}
	if errors.Is(err, fs.ErrPermission) {
		return pratique.Errorf(pratique.CodeUnauthorized, "podman's store in %s cannot be read: %w", e.root(), err).WithRemedy("run as root, or as whose it is")
	}
	var known *pratique.Error
	if errors.As(err, &known) {
		return err
	}
	return pratique.Errorf(pratique.CodeCorrupt, "podman's store in %s cannot be read: %w", e.root(), err).WithRemedy("check it with `podman images`")
}

// Containers lists what `podman ps --all` does.
func (e *Engine) Containers(ctx context.Context) ([]pratique.Container, error) {
	if s := e.service(ctx); s != nil {
		defer s.Close()
		return s.containers(ctx)
	}
	return e.storedContainers(ctx)
}

func (s *service) containers(ctx context.Context) ([]pratique.Container, error) {
	var listed []struct {
		ID                  string `json:"Id"`
		Names, Command      []string
		Image, ImageID      string
		State               string
		Created             time.Time
		StartedAt, ExitedAt int64
		ExitCode            int
		Labels              pratique.Labels
		PodName             string
	}
	if err := s.ask(ctx, "/containers/json?all=true", &listed); err != nil {
		return nil, err
	}
	var all []pratique.Container
	for _, l := range listed {
		k := pratique.Container{ID: l.ID, Image: l.Image, ImageID: digest(l.ImageID), State: state(l.State), Command: l.Command, Created: l.Created, Labels: l.Labels, Pod: l.PodName}
		if len(l.Names) > 0 {
			k.Name = l.Names[0]
		}
		history(&k, time.Unix(l.StartedAt, 0), time.Unix(l.ExitedAt, 0), l.ExitCode)
		all = append(all, k)
	}
	return all, nil
}

// history fills in what follows from when a container started and ended; times
// before 1970 stand for never.
func history(k *pratique.Container, started, ended time.Time, code int) {
	k.Updated = k.Created
	for _, at := range []time.Time{started, ended} {
		if at.Unix() > 0 && at.After(k.Updated) {
			k.Updated = at.UTC()
		}
	}
	if k.State == pratique.ContainerExited {
		k.ExitCode = &code
	}
}

func digest(hex string) pratique.Digest {
	d, err := pratique.ParseDigest("sha256:" + strings.TrimPrefix(hex, "sha256:"))
	if err != nil {
		return ""
	}
	return d
}

// state translates libpod's words (libpod/define/containerstate.go).
func state(word string) pratique.ContainerState {
	switch word {
	case "configured", "created", "initialized":
		return pratique.ContainerCreated
	case "running", "stopping":
		return pratique.ContainerRunning
	case "paused":
		return pratique.ContainerPaused
	case "stopped", "exited":
		return pratique.ContainerExited
	case "removing":
		return pratique.ContainerRemoving
	case "dead":
		return pratique.ContainerDead
	}
	return pratique.ContainerUnknown
}
