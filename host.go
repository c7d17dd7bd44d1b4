package pratique

import (
	"strings"
	"time"
)

// EngineKind is a kind of local container engine.
type EngineKind string

const (
	EngineDocker     EngineKind = "docker"
	EngineContainerd EngineKind = "containerd"
	EnginePodman     EngineKind = "podman"
)

// EngineInfo describes one container engine of a host. A host may run several.
type EngineInfo struct {
	Kind    EngineKind `json:"kind"`
	Version string     `json:"version,omitempty"` // "20.10.24"; "" when it is not running and its files do not tell
	API     string     `json:"api,omitempty"`     // the version of its API that is spoken: "1.41"
	// ID is the engine's own, and stays when it restarts; "" if it has none.
	ID string `json:"id,omitempty"`
	// Store is how it keeps images: "overlay2", "containerd", "overlay" …
	Store string `json:"store,omitempty"`
	Root  string `json:"root,omitempty"` // the folder with its data
	// Owner is whose engine it is; "" is root's.
	Owner string `json:"owner,omitempty"`
	// Limits are what cannot be told about this engine, with the reason, for people.
	Limits []Text `json:"limits,omitempty"`
}

// Host is a machine that runs containers.
type Host struct {
	// ID is the same for ever: what the machine was given when it was installed
	// (machine-id), hashed.
	ID           string       `json:"id"`
	Name         string       `json:"name"`
	IPs          []string     `json:"ips,omitempty"`
	OS           string       `json:"os,omitempty"`     // "Debian GNU/Linux 12 (bookworm)"
	Kernel       string       `json:"kernel,omitempty"` // "6.1.0-18-amd64"
	Architecture string       `json:"architecture,omitempty"`
	Project      string       `json:"project,omitempty"` // the business group that it belongs to
	Labels       Labels       `json:"labels,omitempty"`
	Engines      []EngineInfo `json:"engines,omitempty"`
}

// Labels are what somebody attached to something.
type Labels map[string]string

// LocalImage is an image as an engine of one host has it. The same content on
// another host, or in a registry, has the same ID.
type LocalImage struct {
	// ID is the digest of the config, computed by us. "" when the config cannot be
	// had; Reason then says why.
	ID Digest `json:"id,omitempty"`
	// EngineID is what the engine calls the image. It is the ID for Docker's own store
	// and for podman, and the digest of a manifest or an index for containerd's store,
	// which Docker 29 uses.
	EngineID Digest `json:"engineID,omitempty"`
	// Aliases are further digests by which the image is known here: of its manifest,
	// and of the index that led to it.
	Aliases []Digest `json:"aliases,omitempty"`
	// Tags are complete names as "name:tag". An image without any is untagged.
	Tags []string `json:"tags,omitempty"`
	// Digests are names with the digest of a manifest or index, as
	// "name@sha256:…": the repositories that it came from or went to.
	Digests  []string   `json:"digests,omitempty"`
	Platform Platform   `json:"platform"`
	Size     int64      `json:"size"` // bytes, as the engine counts; engines count differently
	Created  *time.Time `json:"created,omitempty"`
	Labels   Labels     `json:"labels,omitempty"`
	Layers   []Digest   `json:"layers,omitempty"`    // diffIDs, lowest first
	Space    string     `json:"namespace,omitempty"` // containerd's: "k8s.io"
	// Reason says why the image cannot be scanned, for people; "" when it can.
	Reason string `json:"reason,omitempty"`
}

// Registries are the hosts of the registries that an image's names point to, in
// the order of the names: "docker.io", "harbor.example:8443". An image that was
// built here and never pushed has "localhost", "docker.io", or none.
func (i LocalImage) Registries() []string {
	var hosts []string
	seen := map[string]bool{}
	for _, names := range [...][]string{i.Tags, i.Digests} {
		for _, name := range names {
			if host := RegistryOf(name); !seen[host] {
				seen[host] = true
				hosts = append(hosts, host)
			}
		}
	}
	return hosts
}

// RegistryOf returns the host of the registry that a reference means, by the rule
// of the docker command: the first part is a host when it has a dot or a colon or
// is "localhost"; everything else is on docker.io.
func RegistryOf(reference string) string {
	first, _, more := strings.Cut(reference, "/")
	if more && (strings.ContainsAny(first, ".:") || first == "localhost") {
		return first
	}
	return "docker.io"
}

// ContainerState is where a container stands.
type ContainerState string

const (
	ContainerCreated    ContainerState = "created"
	ContainerRunning    ContainerState = "running"
	ContainerPaused     ContainerState = "paused"
	ContainerRestarting ContainerState = "restarting"
	ContainerRemoving   ContainerState = "removing"
	ContainerExited     ContainerState = "exited"
	ContainerDead       ContainerState = "dead"
	ContainerUnknown    ContainerState = "unknown" // the engine is not running, and its files do not tell
)

// Container is one container of an engine.
type Container struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// ImageID is the ID of its image as [LocalImage.ID]; "" when the image is gone.
	ImageID Digest         `json:"imageID,omitempty"`
	Image   string         `json:"image"` // as the engine names it: a tag, or an id
	State   ContainerState `json:"state"`
	Command []string       `json:"command,omitempty"`
	Created time.Time      `json:"created,omitzero"`
	// Updated is when it last started or ended, or else was created.
	Updated  time.Time `json:"updated,omitzero"`
	ExitCode *int      `json:"exitCode,omitempty"` // once it has exited
	Labels   Labels    `json:"labels,omitempty"`
	Space    string    `json:"namespace,omitempty"` // containerd's: "k8s.io"
	// Pod, with PodNamespace, is the Kubernetes pod that it is part of.
	Pod          string `json:"pod,omitempty"`
	PodNamespace string `json:"podNamespace,omitempty"`
}

// Uses tells whether the container keeps its image in use: whatever is neither
// over nor being removed.
func (c Container) Uses() bool {
	switch c.State {
	case ContainerExited, ContainerDead, ContainerRemoving:
		return false
	}
	return true
}

// Running tells whether processes of the container are there, frozen or not.
func (c Container) Running() bool {
	return c.State == ContainerRunning || c.State == ContainerPaused || c.State == ContainerRestarting
}

// Names of the labels by which kubelet tells the runtime whose container it is.
const (
	labelPod          = "io.kubernetes.pod.name"
	labelPodNamespace = "io.kubernetes.pod.namespace"
)

// InPod fills in the pod from the labels that kubelet gives its containers.
func (c *Container) InPod() {
	c.Pod, c.PodNamespace = c.Labels[labelPod], c.Labels[labelPodNamespace]
}
