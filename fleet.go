package pratique

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// Agent is a program of ours on a host, or in a remote network, that has enrolled.
// It holds a key of its own, whose certificate the service gave it.
type Agent struct {
	ID   int64     `json:"id"`
	Kind AgentKind `json:"kind"`
	Name string    `json:"name"` // the host's name
	// Key is the SHA-256 of its public key (SubjectPublicKeyInfo, DER), in hex: what
	// the service knows it by. Renewing the certificate keeps it.
	Key      string     `json:"key"`
	HostID   string     `json:"hostID,omitempty"` // of [Host.ID], for AgentHost
	Site     string     `json:"site,omitempty"`   // whose registries it reads, for AgentSite
	Version  string     `json:"version"`
	Enrolled time.Time  `json:"enrolled"`
	TokenID  int64      `json:"tokenID,omitempty"` // that it enrolled with
	Beat     *time.Time `json:"beat,omitempty"`    // when it was last heard of
	Revoked  *time.Time `json:"revoked,omitempty"`
	// Online: it was heard of within OfflineAfter.
	Online bool `json:"online"`
	// Problems are what it cannot do here: engines that it may not open, with the
	// reason and remedy.
	Problems []Problem `json:"problems,omitempty"`
}

// AgentKind is what an agent is for.
type AgentKind string

const (
	AgentHost AgentKind = "host" // images of one host's engines
	AgentSite AgentKind = "site" // registries that only its network reaches
)

// HeartbeatEvery is how often agents say that they live, and OfflineAfter when one
// that does not is offline: after three that were missed.
const (
	HeartbeatEvery = 10 * time.Second
	OfflineAfter   = 3*HeartbeatEvery + 5*time.Second
)

// AgentToken lets agents enrol. Its secret is shown once, when it is made, and only
// its hash is kept.
type AgentToken struct {
	ID      int64      `json:"id"`
	Kind    AgentKind  `json:"kind"`
	Note    string     `json:"note,omitempty"`
	Site    string     `json:"site,omitempty"`
	Project string     `json:"project,omitempty"` // given to hosts that name none
	Uses    int        `json:"uses"`              // how many agents may enrol: 1 unless somebody says otherwise
	Used    int        `json:"used"`
	By      string     `json:"by"`
	Created time.Time  `json:"created"`
	Expires time.Time  `json:"expires"`
	Revoked *time.Time `json:"revoked,omitempty"`
}

// AgentSecretHash is what is kept of the secret of an [AgentToken].
func AgentSecretHash(secret string) string {
	sum := sha256.Sum256([]byte("pratique agent token\x00" + secret))
	return hex.EncodeToString(sum[:])
}

// Inventory is everything that one engine of one host has at a moment.
type Inventory struct {
	Engine EngineInfo `json:"engine"`
	// Generation grows with each inventory of this engine that the agent takes; an
	// older one that comes late is refused.
	Generation int64        `json:"generation"`
	Taken      time.Time    `json:"taken"`
	Images     []LocalImage `json:"images"`
	Containers []Container  `json:"containers"`
	// Error: the engine could not be asked, and what was known of it stays. Images and
	// Containers are empty then and mean nothing.
	Error *Error `json:"error,omitempty"`
}

// HostRow is one line of the list of hosts.
type HostRow struct {
	Host
	AgentID    int64      `json:"agentID"`
	Online     bool       `json:"online"`
	Seen       *time.Time `json:"seen,omitempty"`    // the agent's last heartbeat
	Updated    *time.Time `json:"updated,omitempty"` // the last inventory
	Images     int        `json:"images"`            // distinct contents
	Containers int        `json:"containers"`
	Running    int        `json:"running"`         // containers
	AtRisk     int        `json:"atRisk"`          // distinct contents
	Error      *Error     `json:"error,omitempty"` // of the last inventory
	Problems   []Problem  `json:"problems,omitempty"`
}

// ContainerRow is one line of the list of containers.
type ContainerRow struct {
	RowID int64 `json:"rowID"`
	Container
	HostID   string     `json:"hostID"`
	HostName string     `json:"hostName"`
	Engine   EngineKind `json:"engine"`
	Online   bool       `json:"online"` // of the host
	Risk     Risk       `json:"risk"`   // of its image
	Status   Status     `json:"status"` // of its image
	Counters Counters   `json:"counters"`
	LastSeen time.Time  `json:"lastSeen"`
}

// HostFilter narrows the list of hosts.
type HostFilter struct {
	IDs      []string     `json:"ids,omitempty"`
	Assets   []int64      `json:"assets,omitempty"`   // that have one of these rows (AssetRow.ID)
	ImageIDs []Digest     `json:"imageIDs,omitempty"` // that have one of these
	Online   *bool        `json:"online,omitempty"`
	Projects []string     `json:"projects,omitempty"`
	Labels   []string     `json:"labels,omitempty"` // one of these, as NAME=VALUE
	Engines  []EngineKind `json:"engines,omitempty"`
	Search   string       `json:"search,omitempty"` // name, address, project, version of an engine
}

// HostFacets are the values that filters of hosts can take, with the number of
// hosts.
type HostFacets struct {
	Projects []Facet `json:"projects"`
	Labels   []Facet `json:"labels"` // as NAME=VALUE
	Engines  []Facet `json:"engines"`
}

// ContainerFilter narrows the list of containers.
type ContainerFilter struct {
	IDs      []int64          `json:"ids,omitempty"` // ContainerRow.RowID
	ImageIDs []Digest         `json:"imageIDs,omitempty"`
	Hosts    []string         `json:"hosts,omitempty"`
	States   []ContainerState `json:"states,omitempty"`
	Risk     []Risk           `json:"risk,omitempty"`
	Projects []string         `json:"projects,omitempty"`
	Engines  []EngineKind     `json:"engines,omitempty"`
	// Vulnerability chooses containers whose image has this one now.
	Vulnerability string `json:"vulnerability,omitempty"`
	Search        string `json:"search,omitempty"` // name, id, image, host's name, command, pod
}

// DataUpdate is a wish that all hosts, or some, tell anew what they have, and how far
// it is.
type DataUpdate struct {
	ID      int64          `json:"id"`
	By      string         `json:"by"`
	Started time.Time      `json:"started"`
	Ended   *time.Time     `json:"ended,omitempty"`
	Total   int            `json:"total"` // hosts
	Done    int            `json:"done"`
	Failed  []FailedUpdate `json:"failed,omitempty"`
}

// FailedUpdate is a host that did not tell.
type FailedUpdate struct {
	HostID   string `json:"hostID"`
	HostName string `json:"hostName"`
	Error    *Error `json:"error"`
}

// AgentWork is what an agent gets to do. One of its fields is set.
type AgentWork struct {
	Scan *AgentScan `json:"scan,omitempty"`
	Sync *AgentSync `json:"sync,omitempty"`
	Test *AgentTest `json:"test,omitempty"`
	// Refresh is the id of a data update for which it shall take its inventories.
	Refresh int64 `json:"refresh,omitempty"`
}

// AgentScan is a scan that an agent has a lease for, with the places where it finds
// the image.
type AgentScan struct {
	Lease Lease `json:"lease"`
	// Local are this host's names of the image, best first.
	Local []LocalPlace `json:"local,omitempty"`
	// Remote are places in registries of the agent's site.
	Remote []Location `json:"remote,omitempty"`
}

// AgentSync is a run over a registry of the agent's site.
type AgentSync struct {
	Run   SyncRun   `json:"run"`
	Wish  SyncWish  `json:"wish"`           // what the run does
	Since time.Time `json:"since,omitzero"` // list what was pushed after it; zero: all
}

// AgentTest is a connection that an agent of the registry's site shall test, for
// somebody who waits for the outcome.
type AgentTest struct {
	ID       int64    `json:"id"`
	Registry Registry `json:"registry"` // as it is now, or would be; one that is not kept has no ID
	Password string   `json:"-"`
}

// LocalPlace is where an image is on a host.
type LocalPlace struct {
	Engine EngineInfo `json:"engine"`
	Space  string     `json:"namespace,omitempty"` // containerd's
	Name   string     `json:"name"`                // that the engine opens it by
}

// Reading is what an agent says of an image that it has read. The facts have been
// told before; the service judges them.
type Reading struct {
	Name string `json:"name"` // of the image, as the agent opened it
	// Config is the image's config, whose digest is the image's ID.
	Config   []byte   `json:"config"`
	Digest   Digest   `json:"digest,omitempty"` // of the manifest
	Index    Digest   `json:"index,omitempty"`  // that led to the manifest
	Tags     []string `json:"tags,omitempty"`
	ReadFrom string   `json:"readFrom,omitempty"` // see [Image.ReadFrom]
	// Keys are the analyzers that it was read with, as (name, version).
	Keys [][2]string `json:"keys"`
	// Layers are those of the config, lowest first, with what became of them.
	Layers   []ReadLayer `json:"layers"`
	Problems []Problem   `json:"problems,omitempty"` // of the image, not of its layers
}

// ReadLayer is what became of a layer on the agent's side.
type ReadLayer struct {
	Digest    Digest     `json:"digest,omitempty"`
	MediaType string     `json:"mediaType,omitempty"`
	Size      int64      `json:"size"`
	State     LayerState `json:"state"`
	Reason    string     `json:"reason,omitempty"`
}
