package api

import (
	"context"
	"net/http"
	"strconv"

	"github.com/pratique/pratique"
)

// HostStore lists hosts and what runs on them.
type HostStore interface {
	Hosts(ctx context.Context, f pratique.HostFilter, r pratique.PageRequest) (pratique.Page[pratique.HostRow], error)
	Host(ctx context.Context, id string) (pratique.HostRow, error)
	HostFacets(ctx context.Context) (pratique.HostFacets, error)
	Containers(ctx context.Context, f pratique.ContainerFilter, r pratique.PageRequest) (pratique.Page[pratique.ContainerRow], error)
	// RemoveHost is CodeConflict while an agent may tell about the host.
	RemoveHost(ctx context.Context, id string) error
}

// DataUpdates ask hosts to tell anew what they have.
type DataUpdates interface {
	// StartDataUpdate is CodeConflict while one runs. Without hosts, all are asked.
	StartDataUpdate(ctx context.Context, by string, hosts ...string) (pratique.DataUpdate, error)
	DataUpdate(ctx context.Context, id int64) (pratique.DataUpdate, error)
	// LastDataUpdate is nil before the first.
	LastDataUpdate(ctx context.Context) (*pratique.DataUpdate, error)
}

// LocalImageQuery narrows the list of images on hosts: like that of repository
// images, and by what hosts have.
type LocalImageQuery struct {
	ImageQuery
	Host      []string `query:"host" maxItems:"200" doc:"Hosts, one of which has it"`
	Project   []string `query:"project" maxItems:"200" doc:"Business groups, a host of which has it"`
	Label     []string `query:"label" maxItems:"200" doc:"Labels of hosts, NAME=VALUE, a host with one of which has it"`
	Engine    []string `query:"engine" maxItems:"8" enum:"docker,containerd,podman"`
	Container string   `query:"container" maxLength:"256" doc:"That a container uses whose name, id or command holds this"`
	Pod       string   `query:"pod" maxLength:"256" doc:"That a container of a pod uses whose name holds this"`
	Used      string   `query:"used" enum:"true,false" doc:"Whether there is a container of it, running or not"`
	Scannable string   `query:"scannable" enum:"true,false" doc:"Whether nothing is known to keep it from being scanned"`
}

func (q *LocalImageQuery) filter() (pratique.AssetFilter, error) {
	f, err := q.ImageQuery.filter()
	f.Source, f.Hosts, f.Projects, f.Engines, f.Container, f.Pod = pratique.SourceLocal, q.Host, q.Project, as[pratique.EngineKind](q.Engine), q.Container, q.Pod
	f.Labels = q.Label
	f.Used, f.Scannable = yesOrNo(q.Used), yesOrNo(q.Scannable)
	return f, err
}

// yesOrNo is nil for neither.
func yesOrNo(word string) *bool {
	if word == "" {
		return nil
	}
	yes := word == "true"
	return &yes
}

type localImagesInput struct {
	Paging
	LocalImageQuery
}

// HostQuery narrows lists of hosts.
type HostQuery struct {
	Status  string   `query:"status" enum:"online,offline"`
	Project []string `query:"project" maxItems:"200"`
	Label   []string `query:"label" maxItems:"200" doc:"NAME=VALUE"`
	Engine  []string `query:"engine" maxItems:"8" enum:"docker,containerd,podman"`
	Search  string   `query:"search" maxLength:"256" doc:"Words that all occur in name, address, project, system or the version of an engine"`
}

func (q *HostQuery) filter() (pratique.HostFilter, error) {
	f := pratique.HostFilter{Projects: q.Project, Labels: q.Label, Engines: as[pratique.EngineKind](q.Engine), Search: q.Search}
	if q.Status != "" {
		online := q.Status == "online"
		f.Online = &online
	}
	return f, nil
}

type hostsInput struct {
	Paging
	HostQuery
	ID      []string `query:"id" maxItems:"200"`
	ImageID []string `query:"imageID" maxItems:"200" pattern:"^sha256:[0-9a-f]{64}$" doc:"Contents, one of which it has"`
}

func (in *hostsInput) filter() (pratique.HostFilter, error) {
	f, err := in.HostQuery.filter()
	f.IDs, f.ImageIDs = in.ID, as[pratique.Digest](in.ImageID)
	return f, err
}

// imageHostsInput are the hosts of one row of a list of images.
type imageHostsInput struct {
	RowID
	Paging
	HostQuery
}

// ContainerQuery narrows lists of containers.
type ContainerQuery struct {
	Host          []string `query:"host" maxItems:"200"`
	State         []string `query:"state" maxItems:"8" enum:"created,running,paused,restarting,removing,exited,dead,unknown"`
	Risk          []string `query:"risk" maxItems:"4" enum:"unknown,none,at_risk" doc:"Of its image"`
	Project       []string `query:"project" maxItems:"200"`
	Engine        []string `query:"engine" maxItems:"8" enum:"docker,containerd,podman"`
	Vulnerability string   `query:"vulnerability" maxLength:"128" doc:"That its image has now"`
	Search        string   `query:"search" maxLength:"256" doc:"Words that all occur in name, id, image, command, pod or the host's name"`
}

func (q *ContainerQuery) filter() (pratique.ContainerFilter, error) {
	return pratique.ContainerFilter{
		Hosts: q.Host, States: as[pratique.ContainerState](q.State), Risk: as[pratique.Risk](q.Risk),
		Projects: q.Project, Engines: as[pratique.EngineKind](q.Engine), Vulnerability: q.Vulnerability, Search: q.Search,
	}, nil
}

type containersInput struct {
	Paging
	ContainerQuery
	ID      []int64  `query:"id" maxItems:"1000" doc:"Rows"`
	ImageID []string `query:"imageID" maxItems:"200" pattern:"^sha256:[0-9a-f]{64}$" doc:"Contents"`
}

func (in *containersInput) filter() (pratique.ContainerFilter, error) {
	f, err := in.ContainerQuery.filter()
	f.IDs, f.ImageIDs = in.ID, as[pratique.Digest](in.ImageID)
	return f, err
}

type imageContainersInput struct {
	RowID
	Paging
	ContainerQuery
}

var (
	hostSorts      = []string{"name", "project", "seen", "updated", "images", "atRisk", "containers", "running"}
	containerSorts = []string{"updated", "name", "state", "host", "created", "worst"}
)

// HostID is in the path; exported for the same reason as [PreferenceName].
type HostID struct {
	ID string `path:"id" minLength:"1" maxLength:"200"`
}

func (s *server) hostOperations() {
	if s.Hosts == nil || s.DataUpdates == nil {
		return
	}
	s.localImageOperations()
	list[hostsInput](s, listing[pratique.HostFilter, pratique.HostRow]{
		operation: operation{id: "listHosts", path: "/hosts", tag: "hosts", right: RightRead, summary: "Hosts that agents tell about, by name"},
		sorts:     hostSorts, fetch: s.Hosts.Hosts,
	})
	handle(s, operation{id: "listHostFacets", method: http.MethodGet, path: "/hosts/facets", tag: "hosts", right: RightRead,
		summary: "The values that filters of hosts can take, with the number of hosts"},
		func(ctx context.Context, _ *struct{}) (*body[pratique.HostFacets], error) {
			facets, err := s.Hosts.HostFacets(ctx)
			return &body[pratique.HostFacets]{facets}, err
		})
	handle(s, operation{id: "getHost", method: http.MethodGet, path: "/hosts/{id}", tag: "hosts", right: RightRead, summary: "One host"},
		func(ctx context.Context, in *HostID) (*body[pratique.HostRow], error) {
			host, err := s.Hosts.Host(ctx, in.ID)
			return &body[pratique.HostRow]{host}, err
		})
	handle(s, operation{id: "removeHost", method: http.MethodDelete, path: "/hosts/{id}", tag: "hosts", right: RightAdminister, status: http.StatusNoContent,
		summary: "Forget a host that will not come back", detail: "With its images and containers. 409 while its agent is not revoked: it would tell about the host again."},
		func(ctx context.Context, in *HostID) (*struct{}, error) {
			host, err := s.Hosts.Host(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			if err := s.Hosts.RemoveHost(ctx, in.ID); err != nil {
				return nil, err
			}
			s.did(ctx, "host.remove", host.Name, "")
			return nil, nil
		})
	list[containersInput](s, listing[pratique.ContainerFilter, pratique.ContainerRow]{
		operation: operation{id: "listContainers", path: "/containers", tag: "hosts", right: RightRead, summary: "Containers, the last changed first"},
		sorts:     containerSorts, fetch: s.Hosts.Containers,
	})
	s.dataUpdateOperations()
}

// localImageOperations are the images on hosts, and what belongs to a row of images.
func (s *server) localImageOperations() {
	list[localImagesInput](s, listing[pratique.AssetFilter, pratique.AssetRow]{
		operation: operation{id: "listLocalImages", path: "/local-images", tag: "hosts", right: RightRead,
			summary: "Images on hosts, one row for each name and content", detail: "Newest first by default. Rows with the same imageID share one content, one scan and one result, also with rows of /images."},
		sorts: imageSorts, fetch: s.Images.Assets,
	})
	handle(s, operation{id: "listLocalImageFacets", method: http.MethodGet, path: "/local-images/facets", tag: "hosts", right: RightRead,
		summary: "The values that filters of images on hosts can take, with the number of rows", detail: "Most frequent first, at most 200 of each."},
		func(ctx context.Context, in *LocalImageQuery) (*body[pratique.AssetFacets], error) {
			filter, err := in.filter()
			if err != nil {
				return nil, err
			}
			facets, err := s.Images.AssetFacets(ctx, filter)
			return &body[pratique.AssetFacets]{facets}, err
		})
	list[imageHostsInput](s, listing[imageOf[pratique.HostFilter], pratique.HostRow]{
		operation: operation{id: "listImageHosts", path: "/images/{id}/hosts", tag: "hosts", right: RightRead, summary: "The hosts that have the image of a row of /images or /local-images"},
		sorts:     hostSorts,
		fetch: func(ctx context.Context, f imageOf[pratique.HostFilter], r pratique.PageRequest) (p pratique.Page[pratique.HostRow], err error) {
			row, err := s.Images.AssetRow(ctx, f.Row)
			if err != nil {
				return p, err
			}
			if row.ImageID == "" {
				f.Filter.Assets = []int64{row.ID}
			} else {
				f.Filter.ImageIDs = []pratique.Digest{row.ImageID}
			}
			return s.Hosts.Hosts(ctx, f.Filter, r)
		},
	})
	list[imageContainersInput](s, listing[imageOf[pratique.ContainerFilter], pratique.ContainerRow]{
		operation: operation{id: "listImageContainers", path: "/images/{id}/containers", tag: "hosts", right: RightRead, summary: "The containers of the image of a row of /images or /local-images"},
		sorts:     containerSorts,
		fetch: func(ctx context.Context, f imageOf[pratique.ContainerFilter], r pratique.PageRequest) (p pratique.Page[pratique.ContainerRow], err error) {
			row, err := s.Images.AssetRow(ctx, f.Row)
			if err != nil || row.ImageID == "" {
				return p, err
			}
			f.Filter.ImageIDs = []pratique.Digest{row.ImageID}
			return s.Hosts.Containers(ctx, f.Filter, r)
		},
	})
}

// imageOf is a filter of what belongs to a row of images.
type imageOf[F any] struct {
	Row    int64
	Filter F
}

func (in *imageHostsInput) filter() (f imageOf[pratique.HostFilter], err error) {
	f.Row = in.RowID.ID
	f.Filter, err = in.HostQuery.filter()
	return f, err
}

func (in *imageContainersInput) filter() (f imageOf[pratique.ContainerFilter], err error) {
	f.Row = in.RowID.ID
	f.Filter, err = in.ContainerQuery.filter()
	return f, err
}

// LastUpdate is the newest data update, if there was one.
type LastUpdate struct {
	Last *pratique.DataUpdate `json:"last,omitempty" doc:"It runs while it has no end; missing before the first"`
}

// UpdateInput names the hosts of a data update.
type UpdateInput struct {
	Hosts []string `json:"hosts,omitempty" maxItems:"1000" doc:"Empty is all that have an agent"`
}

type createdUpdate struct {
	Location string `header:"Location"`
	Body     pratique.DataUpdate
}

func (s *server) dataUpdateOperations() {
	handle(s, operation{id: "getLastDataUpdate", method: http.MethodGet, path: "/data-updates", tag: "hosts", right: RightRead,
		summary: "The newest data update"},
		func(ctx context.Context, _ *struct{}) (*body[LastUpdate], error) {
			last, err := s.DataUpdates.LastDataUpdate(ctx)
			return &body[LastUpdate]{LastUpdate{last}}, err
		})
	handle(s, operation{id: "getDataUpdate", method: http.MethodGet, path: "/data-updates/{id}", tag: "hosts", right: RightRead,
		summary: "One data update, with how far it is and the hosts that failed"},
		func(ctx context.Context, in *RowID) (*body[pratique.DataUpdate], error) {
			update, err := s.DataUpdates.DataUpdate(ctx, in.ID)
			return &body[pratique.DataUpdate]{update}, err
		})
	handle(s, operation{id: "startDataUpdate", method: http.MethodPost, path: "/data-updates", tag: "hosts", right: RightScan, status: http.StatusCreated,
		summary: "Let hosts tell anew what they have", detail: "Hosts whose agent is offline have failed at once, and all others that have not answered after three minutes. 409 while one runs."},
		func(ctx context.Context, in *struct{ Body UpdateInput }) (*createdUpdate, error) {
			update, err := s.DataUpdates.StartDataUpdate(ctx, exchangeOf(ctx).user, in.Body.Hosts...)
			if err != nil {
				return nil, err
			}
			s.did(ctx, "hosts.update", strconv.Itoa(update.Total)+" hosts", "")
			return &createdUpdate{Location: basePath + "/data-updates/" + strconv.FormatInt(update.ID, 10), Body: update}, nil
		})
}
