// Package oci connects registries that speak nothing but the OCI Distribution
// Specification: Docker's registry, zot, GitLab, ACR, GHCR, and any other.
//
// The specification has a catalogue of repositories (/v2/_catalog) and a list of
// each one's tags, and neither dates nor digests in them. So each tag costs a
// HEAD, which tells its digest, and each digest that is new to the caller a GET of
// its manifest and of its config. Manifests without a tag cannot be found. Many
// registries, Docker Hub first of all, have no catalogue or keep it for
// administrators: then people name the repositories.
//
// There is nothing by which to ask for changes only; [registry.Query.Since] is
// not looked at, and an incremental listing is one that knows most digests.
package oci

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/registry"
	"github.com/pratique/pratique/registry/distribution"
)

// Connector is a [registry.Connector].
type Connector struct{}

// Kind returns "oci".
func (Connector) Kind() string { return "oci" }

// Label names the kind for people.
func (Connector) Label() pratique.Text {
	return pratique.Text{EN: "OCI / Docker Registry v2", ZH: "OCI / Docker Registry v2"}
}

// Fields returns the form: the shared one, and the repositories of a registry
// without a catalogue.
func (Connector) Fields() []registry.Field {
	return append(registry.Form(), registry.Field{
		Name: "repositoryNames", Type: registry.FieldList, Placeholder: "team/app",
		Label: pratique.Text{EN: "Repositories", ZH: "镜像仓库列表"},
		Help: pratique.Text{
			EN: "For registries that cannot list their repositories, such as Docker Hub. Empty: ask the registry.",
			ZH: "用于无法列出仓库目录的注册中心（例如 Docker Hub）。留空表示由注册中心给出。",
		},
	})
}

var faultNoCatalogue = &registry.Fault{
	Status: registry.StatusNoCatalogue,
	Reason: pratique.Text{EN: "The registry does not show this account which repositories it has.", ZH: "该账号无法获取仓库目录。"},
	Remedy: pratique.Text{EN: "Name the repositories in the connection, or use an account that may read the catalogue.", ZH: "请在连接中填写仓库列表，或使用有权读取目录的账号。"},
}

// Check speaks to /v2/, and then lists as little as shows that it can be done.
func (Connector) Check(ctx context.Context, conn registry.Connection) (h registry.Health) {
	client, err := distribution.Connect(conn)
	if err != nil {
		return h.Fail(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, registry.CheckTimeout)
	defer cancel()
	ctx, trace := client.Traced(ctx)
	defer func() { client.Fill(&h, trace) }()
	pong, err := client.Ping(ctx)
	if err != nil {
		return h.Fail(err)
	}
	h.Product = strings.TrimSpace("OCI Distribution " + pong.APIVersion)
	if !pong.Asked && conn.Username != "" {
		h.Warnings = append(h.Warnings, registry.WarnUnchecked)
	}
	if err := glance(ctx, client, conn, &h); err != nil {
		return h.Fail(err)
	}
	h.Status = registry.StatusConnected
	return h
}

// glance reads the first page of what a listing would read.
func glance(ctx context.Context, client *distribution.Client, conn registry.Connection, h *registry.Health) error {
	if len(conn.Repositories) > 0 {
		for _, err := range client.Tags(ctx, conn.Repositories[0]) {
			return err
		}
		return nil
	}
	for _, err := range catalogue(ctx, client) {
		return err
	}
	h.Warnings = append(h.Warnings, registry.WarnEmpty)
	return nil
}

// catalogue lists the repositories, with an error that fits where there is none.
func catalogue(ctx context.Context, client *distribution.Client) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for name, err := range client.Repositories(ctx) {
			switch pratique.CodeOf(err) {
			case pratique.CodeUnauthorized, pratique.CodeNotFound, pratique.CodeUnsupported:
				err = faultNoCatalogue.Errorf("the catalogue cannot be read: %s", err)
			}
			if !yield(name, err) {
				return
			}
		}
	}
}

// List walks the catalogue, or the repositories that the connection or the query
// name.
func (Connector) List(ctx context.Context, conn registry.Connection, q registry.Query, yield func(registry.Page) error) error {
	client, err := distribution.Connect(conn)
	if err != nil {
		return err
	}
	defer client.Close()
	if _, err := client.Ping(ctx); err != nil {
		return registry.Explain(err)
	}
	names, mayBeGone := catalogue(ctx, client), true
	switch {
	case len(q.Repositories) > 0:
		names = registry.Named(q.Repositories)
	case len(conn.Repositories) > 0:
		names, mayBeGone = registry.Named(conn.Repositories), false
	}
	list := func(ctx context.Context, repository string, found func(...registry.Artifact) error) (bool, error) {
		r := reader{client: client, query: q, repository: repository}
		complete, err := r.list(ctx, found)
		if pratique.CodeOf(err) == pratique.CodeNotFound && mayBeGone {
			return true, nil // a name without tags, which catalogues keep
		}
		return complete, registry.Explain(err)
	}
	return registry.Explain(registry.Walk(ctx, conn, names, list, yield))
}

const (
	// atOnce is how many requests one repository has in flight.
	atOnce = 4
	// maxFaults is how many manifests of one repository the registry may fail at until
	// it is taken to be faulty itself.
	maxFaults = 20
)

// reader lists one repository.
type reader struct {
	client     *distribution.Client
	query      registry.Query
	repository string

	mu     sync.Mutex
	tags   map[pratique.Digest][]registry.Tag
	reads  map[pratique.Digest]int
	faults int   // manifests that the registry failed at
	failed error // the first failure that concerns one manifest only
}

func (r *reader) list(ctx context.Context, found func(...registry.Artifact) error) (complete bool, err error) {
	r.tags, r.reads = map[pratique.Digest][]registry.Tag{}, map[pratique.Digest]int{}
	if err := r.resolve(ctx); err != nil {
		return false, err
	}
	digests := make([]pratique.Digest, 0, len(r.tags))
	for d := range r.tags {
		digests = append(digests, d)
	}
	slices.Sort(digests)
	const chunk = 100
	for batch := range slices.Chunk(digests, chunk) {
		artifacts := make([]registry.Artifact, len(batch))
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(atOnce)
		for i, d := range batch {
			group.Go(func() (err error) {
				artifacts[i], err = r.artifact(ctx, d)
				return err
			})
		}
		if err := group.Wait(); err != nil {
			return false, err
		}
		if err := found(artifacts...); err != nil {
			return false, err
		}
	}
	return r.failed == nil, r.failed
}

// resolve finds the digest of each tag.
func (r *reader) resolve(ctx context.Context) error {
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	count := 0
	var failed error
	for tag, err := range r.client.Tags(ctx, r.repository) {
		if failed = err; err != nil || inner.Err() != nil {
			break
		}
		if count++; count > registry.MaxArtifacts {
			failed = pratique.Errorf(pratique.CodeLimit, "%s has more than %d tags", r.repository, registry.MaxArtifacts).
				WithRemedy("let the registry delete old ones, by a retention rule")
			break
		}
		if registry.ValidTag(tag) {
			group.Go(func() error { return r.tag(inner, tag) })
		}
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return failed
}

func (r *reader) tag(ctx context.Context, tag string) error {
	d, err := r.client.Head(ctx, r.repository, tag)
	read := 0
	if err == nil && d.Digest == "" {
		d, _, err = r.client.Manifest(ctx, r.repository, tag)
		read = 1
	}
	if err != nil {
		return r.single(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tags[d.Digest] = append(r.tags[d.Digest], registry.Tag{Name: tag})
	r.reads[d.Digest] += read
	return nil
}

// single tells a failure of one manifest from one of the whole registry, which it
// returns. A manifest that is gone meanwhile is no failure. Distribution 3 has a
// fault of its own (500) at manifests that it no longer knows, as of Docker's schema 1.
func (r *reader) single(err error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch code := pratique.CodeOf(err); {
	case code == pratique.CodeNotFound:
		return nil
	case distribution.IsInternal(err) && r.faults < maxFaults:
		r.faults++
		err = pratique.Errorf(pratique.CodeCorrupt, "the registry fails at some manifests of %s: %s", r.repository, err).
			WithRemedy("look into the registry's log; push these images again, or delete them")
	case code == pratique.CodeUnreachable, code == pratique.CodeRateLimited, code == pratique.CodeCancelled:
		return err
	}
	if r.failed == nil {
		r.failed = err
	}
	return nil
}

// artifact describes a manifest, as far as it takes requests that are worth it.
func (r *reader) artifact(ctx context.Context, d pratique.Digest) (registry.Artifact, error) {
	a := registry.Artifact{Digest: d, Tags: r.tags[d], Kind: registry.KindKnown, Reads: r.reads[d]}
	a.SortTags()
	if a.Kind == registry.KindAccessory || r.query.Knows(r.repository, d) {
		return a, nil
	}
	a.Reads++
	root, content, err := r.client.Manifest(ctx, r.repository, string(d))
	var m distribution.Manifest
	if err == nil {
		m, err = distribution.ParseManifest(content, root.MediaType)
	}
	if err != nil {
		a.Kind, a.Type = registry.KindOther, "unreadable"
		if pratique.CodeOf(err) == pratique.CodeUnsupported {
			a.Type = "unsupported" // Docker's schema 1, SHA-512
			return a, nil
		}
		return a, r.single(err)
	}
	distribution.Describe(&a, m)
	if a.Kind == registry.KindImage {
		err = r.client.ReadConfig(ctx, r.repository, &a, m.Config)
	}
	return a, err
}

// Webhook reads distribution's notifications, and the generic form.
func (Connector) Webhook(conn registry.Connection, r *http.Request) ([]registry.Hint, error) {
	return registry.Receive(conn, r, parseNotification)
}

// parseNotification reads an envelope of events (distribution's
// "notifications"). Blobs have events of their own, which say nothing about
// images; deletions carry no media type.
func parseNotification(body []byte) ([]registry.Hint, error) {
	var envelope struct {
		Events []struct {
			Action string `json:"action"`
			Target struct {
				MediaType  string `json:"mediaType"`
				Digest     string `json:"digest"`
				Repository string `json:"repository"`
				Tag        string `json:"tag"`
			} `json:"target"`
		} `json:"events"`
	}
	if err := json.Unmarshal(body, &envelope); err != nil || envelope.Events == nil {
		return nil, registry.UnknownPayload()
	}
	var hints []registry.Hint
	for _, e := range envelope.Events {
		t := e.Target
		if t.MediaType == "" || strings.Contains(t.MediaType, "manifest") || strings.Contains(t.MediaType, "image.index") {
			hints = append(hints, registry.Hint{Action: registry.Action(e.Action), Repository: t.Repository, Tag: t.Tag, Digest: pratique.Digest(t.Digest)})
		}
	}
	return hints, nil
}
