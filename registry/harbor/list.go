package harbor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/registry"
	"github.com/pratique/pratique/registry/distribution"
)

// Limits of one list.
const (
	pageSize   = 100      // V2 refuses more
	maxPage    = 32 << 20 // bytes; a page of 100 artifacts has some 300 KiB
	maxTags    = 64 << 20 // bytes of V1's tags, which come whole
	maxPages   = 20_000
	maxPasses  = 4 // readings of a list that keeps changing
	maxStale   = 2 // pages in a row that may bring nothing new
	tagsAtOnce = 4 // of one repository of V1, where they are read one by one
	maxVisited = registry.MaxRepositories
)

// sequence reads a paged list of T: each item once, whatever moves meanwhile.
type sequence[T any] struct {
	session *session
	what    string
	path    string // with its query, but for page and page_size
	key     func(T) string
	visit   func(T) error
	enough  func([]T) bool // ends the reading after a page; nil reads to the end

	seen map[string]struct{}
}

// read goes through the pages until the list held still: it did if as many items
// came as the server counted, or if another reading brought nothing new while the
// count stayed. settled is false if it never did, or if enough ended it.
func (q *sequence[T]) read(ctx context.Context) (settled bool, err error) {
	q.seen = map[string]struct{}{}
	for range maxPasses {
		before := len(q.seen)
		p, err := q.pass(ctx)
		if err != nil || p.ended {
			return false, err
		}
		if !p.moved && (p.total < 0 || len(q.seen) == p.total || len(q.seen) == before) {
			return true, nil
		}
	}
	return false, nil
}

type pass struct {
	total int  // the last count, -1 without one
	moved bool // the count changed on the way
	ended bool // by enough
}

func (q *sequence[T]) pass(ctx context.Context) (pass, error) {
	p := pass{total: -1}
	next := q.page(1)
	came, stale := 0, 0
	for n := 1; n <= maxPages; n++ {
		a, err := q.session.client.Get(ctx, next, maxPage)
		if err != nil {
			return p, err
		}
		var items []T
		if err := a.Decode(q.what, &items); err != nil {
			return p, err
		}
		total, err := strconv.Atoi(a.Header.Get("X-Total-Count"))
		if err != nil || total < 0 {
			total = -1
		}
		p.moved = p.moved || n > 1 && total != p.total
		p.total = total
		came += len(items)
		fresh, err := q.take(items)
		if err != nil {
			return p, err
		}
		if stale++; fresh > 0 || n == 1 {
			stale = 0
		}
		switch {
		case q.enough != nil && q.enough(items):
			p.ended = true
			return p, nil
		case len(items) == 0, a.Next == "" && len(items) < pageSize, a.Next == "" && total >= 0 && came >= total:
			return p, nil
		case stale > maxStale && came > 2*max(total, 0):
			return p, registry.FaultServer.Errorf("Harbor lists %s in circles", q.what)
		}
		if next = a.Next; next == "" {
			next = q.page(n + 1) // a proxy may have dropped the Link header
		}
	}
	return p, pratique.Errorf(pratique.CodeLimit, "Harbor lists %s in more than %d pages", q.what, maxPages).
		WithRemedy("limit the connection to some namespaces")
}

func (q *sequence[T]) page(n int) string {
	separator := "?"
	if strings.Contains(q.path, "?") {
		separator = "&"
	}
	return fmt.Sprintf("%s%spage=%d&page_size=%d", q.path, separator, n, pageSize)
}

func (q *sequence[T]) take(items []T) (fresh int, err error) {
	for _, item := range items {
		key := q.key(item)
		if _, again := q.seen[key]; again {
			continue
		}
		if len(q.seen) >= maxVisited {
			return fresh, pratique.Errorf(pratique.CodeLimit, "Harbor lists more than %d of %s", maxVisited, q.what).
				WithRemedy("limit the connection to some namespaces")
		}
		q.seen[key] = struct{}{}
		fresh++
		if err := q.visit(item); err != nil {
			return fresh, err
		}
	}
	return fresh, nil
}

type project struct {
	ID   int64  `json:"project_id"`
	Name string `json:"name"`
}

type repository struct {
	Name string `json:"name"` // with the project
}

// projects counts what we may see; it reads one page of one.
func (s *session) projects(ctx context.Context) (int, error) {
	a, err := s.client.Get(ctx, s.base+"/projects?page=1&page_size=1", maxSmall)
	if err != nil {
		return 0, err
	}
	var some []project
	if err := a.Decode("the projects", &some); err != nil {
		return 0, err
	}
	return len(some), nil
}

// repositories lists all repositories of all projects that the connection
// includes. A project that cannot be listed is told at the end, when the others
// were.
func (s *session) repositories(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		var projects []project
		all := sequence[project]{
			session: s, what: "the projects", path: s.base + "/projects",
			key: func(p project) string { return p.Name },
			visit: func(p project) error {
				if s.conn.IncludesNamespace(p.Name) {
					projects = append(projects, p)
				}
				return nil
			},
		}
		if settled, err := all.read(ctx); err != nil || !settled {
			yield("", unsettled(err, "the projects"))
			return
		}
		if err := s.identify(ctx); err != nil { // nobody sees the public projects only
			yield("", err)
			return
		}
		var failed error
		count := 0
		for _, p := range projects {
			more, err := s.namesOf(ctx, p, yield)
			if !more {
				return
			}
			if err != nil {
				failed = err
				if count++; pratique.CodeOf(err) != pratique.CodeUnauthorized {
					break // the registry, not the project
				}
			}
		}
		if failed != nil {
			yield("", failed)
		}
	}
}

// namesOf lists the repositories of one project; more is false when the caller
// has enough.
func (s *session) namesOf(ctx context.Context, p project, yield func(string, error) bool) (more bool, err error) {
	path := s.base + "/projects/" + url.PathEscape(p.Name) + "/repositories"
	if s.version == registry.Version1 {
		path = fmt.Sprintf("%s/repositories?project_id=%d", s.base, p.ID)
	}
	more = true
	what := fmt.Sprintf("the repositories of %.80q", p.Name)
	all := sequence[repository]{
		session: s, what: what, path: path,
		key: func(r repository) string { return r.Name },
		visit: func(r repository) error {
			if more = more && yield(r.Name, nil); !more {
				return errEnough
			}
			return nil
		},
	}
	settled, err := all.read(ctx)
	switch {
	case !more:
		return false, nil
	case pratique.CodeOf(err) == pratique.CodeNotFound:
		return true, nil // deleted meanwhile
	case err != nil || !settled:
		return true, unsettled(err, what)
	}
	return true, nil
}

var errEnough = errors.New("the caller has enough")

func unsettled(err error, what string) error {
	if err != nil {
		return err
	}
	return pratique.Errorf(pratique.CodeUnreachable, "%s kept changing while they were read", what).
		WithRemedy("synchronise again when less is being created and deleted")
}

// A label that people put on an artifact.
type label struct {
	Name string `json:"name"`
}

func names(labels []label) (all []string) {
	for _, l := range labels {
		if l.Name != "" {
			all = append(all, l.Name)
		}
	}
	return all
}

// artifact is one of V2's. Lists may be null.
type artifact struct {
	Digest            string      `json:"digest"`
	Type              string      `json:"type"` // IMAGE, CHART, …
	ArtifactType      string      `json:"artifact_type"`
	MediaType         string      `json:"media_type"` // of the config
	ManifestMediaType string      `json:"manifest_media_type"`
	Size              int64       `json:"size"`
	PushTime          string      `json:"push_time"`
	PullTime          string      `json:"pull_time"`
	Labels            []label     `json:"labels"`
	Tags              []tagInfo   `json:"tags"`
	Attributes        attributes  `json:"extra_attrs"`
	References        []reference `json:"references"`
	Accessories       []accessory `json:"accessories"`
}

// attributes are what Harbor takes from a config. An image's has texts in them; of
// other artifacts it takes the whole config, with whatever their makers put there.
type attributes struct{ Created, Architecture, OS, Variant string }

func (a *attributes) UnmarshalJSON(content []byte) error {
	var told map[string]json.RawMessage
	if json.Unmarshal(content, &told) != nil {
		return nil
	}
	for key, to := range map[string]*string{"created": &a.Created, "architecture": &a.Architecture, "os": &a.OS, "variant": &a.Variant} {
		if json.Unmarshal(told[key], to) != nil {
			*to = ""
		}
	}
	return nil
}

type tagInfo struct {
	Name     string `json:"name"`
	PushTime string `json:"push_time"`
	PullTime string `json:"pull_time"`
}

type reference struct {
	ChildDigest string            `json:"child_digest"`
	Annotations map[string]string `json:"annotations"`
	Platform    *struct {
		OS           string `json:"os"`
		Architecture string `json:"architecture"`
		Variant      string `json:"variant"`
		OSVersion    string `json:"os.version"`
	} `json:"platform"`
}

type accessory struct {
	Digest  string `json:"digest"`
	Subject string `json:"subject_artifact_digest"`
	Type    string `json:"type"` // signature.cosign, sbom.harbor, …
	Size    int64  `json:"size"`
	Created string `json:"creation_time"`
}

// artifacts lists a repository of V2.
func (s *session) artifacts(ctx context.Context, repository string, q registry.Query, found func(...registry.Artifact) error) (complete bool, err error) {
	project, rest := registry.SplitRepository(repository)
	if project == "" {
		return true, nil // Harbor has none outside of projects
	}
	// The name goes through one more decoding than the rest of the path.
	rest = strings.ReplaceAll(rest, "/", "%252F")
	var strange int
	all := sequence[artifact]{
		session: s, what: "the artifacts of " + repository,
		path: s.base + "/projects/" + url.PathEscape(project) + "/repositories/" + rest + "/artifacts?with_tag=true&with_label=true&with_accessory=true",
		key:  func(a artifact) string { return a.Digest },
		visit: func(a artifact) error {
			artifacts, ok := a.read()
			if !ok {
				strange++
				return nil
			}
			return found(artifacts...)
		},
	}
	if !q.Since.IsZero() {
		all.path += "&sort=-push_time"
		since := q.Since.Add(-skew)
		all.enough = func(page []artifact) bool { return len(page) == pageSize && olderThan(page, since) }
	}
	complete, err = all.read(ctx)
	switch {
	case pratique.CodeOf(err) == pratique.CodeNotFound:
		return true, nil
	case err == nil && strange > 0:
		err = pratique.Errorf(pratique.CodeCorrupt, "Harbor lists %d artifacts of %s without a valid digest", strange, repository).
			WithRemedy("report it to Harbor's makers; the others were listed")
	}
	return complete, err
}

// skew is how much Harbor's clock may differ from ours.
const skew = 15 * time.Minute

func olderThan(page []artifact, since time.Time) bool {
	old := func(s string) bool { t := registry.Date(s); return t == nil || t.Before(since) }
	for _, a := range page {
		if !old(a.PushTime) {
			return false
		}
		for _, t := range a.Tags {
			if !old(t.PushTime) {
				return false
			}
		}
	}
	return true
}

// read returns the artifact with its accessories, which Harbor does not list on
// their own.
func (a artifact) read() ([]registry.Artifact, bool) {
	digest, err := pratique.ParseDigest(a.Digest)
	if err != nil {
		return nil, false
	}
	out := registry.Artifact{
		Digest: digest, MediaType: a.ManifestMediaType, Size: max(a.Size, 0),
		Created: registry.Date(a.Attributes.Created), Pushed: registry.Date(a.PushTime), Pulled: registry.Date(a.PullTime),
		Labels: names(a.Labels),
	}
	out.Kind, out.Type = a.kind()
	if out.Kind == registry.KindImage && a.Attributes.OS+a.Attributes.Architecture != "" {
		out.Platform = &pratique.Platform{OS: a.Attributes.OS, Architecture: a.Attributes.Architecture, Variant: a.Attributes.Variant}
	}
	for _, t := range a.Tags {
		if registry.ValidTag(t.Name) {
			out.Tags = append(out.Tags, registry.Tag{Name: t.Name, Pushed: registry.Date(t.PushTime), Pulled: registry.Date(t.PullTime)})
		}
	}
	out.SortTags()
	if out.Kind == registry.KindIndex {
		out.Children = children(a.References)
	}
	all := []registry.Artifact{out}
	for _, x := range a.Accessories {
		if d, err := pratique.ParseDigest(x.Digest); err == nil {
			kind, _, _ := strings.Cut(x.Type, ".")
			all = append(all, registry.Artifact{
				Digest: d, Kind: registry.KindAccessory, Type: kind, Subject: pratique.Digest(x.Subject),
				Size: max(x.Size, 0), Pushed: registry.Date(x.Created),
			})
		}
	}
	return all, true
}

func (a artifact) kind() (registry.ArtifactKind, string) {
	switch a.ManifestMediaType {
	case distribution.TypeOCIIndex, distribution.TypeDockerList:
		return registry.KindIndex, ""
	case distribution.TypeDockerSchema1:
		return registry.KindOther, "unsupported"
	}
	told := a.ArtifactType
	if told == "" {
		told = a.MediaType
	}
	if kind, ok := registry.Accessory(told); ok {
		return registry.KindAccessory, kind
	}
	if a.Type == "IMAGE" {
		return registry.KindImage, ""
	}
	if told == "" {
		told = a.Type
	}
	return registry.KindOther, registry.OtherType(told)
}

func children(references []reference) (all []registry.Child) {
	for _, r := range references {
		d, err := pratique.ParseDigest(r.ChildDigest)
		if err != nil {
			continue
		}
		child := registry.Child{Digest: d, Attestation: r.Annotations["vnd.docker.reference.type"] != ""}
		if p := r.Platform; p != nil {
			child.Platform = &pratique.Platform{OS: p.OS, Architecture: p.Architecture, Variant: p.Variant, OSVersion: p.OSVersion}
			child.Attestation = child.Attestation || p.OS == "unknown" && p.Architecture == "unknown"
		}
		all = append(all, child)
	}
	return all
}

// tag is one of V1's.
type tag struct {
	tagInfo
	Digest       string  `json:"digest"`
	Size         int64   `json:"size"`
	Architecture string  `json:"architecture"` // "" for what is no image of schema 2
	OS           string  `json:"os"`
	OSVersion    string  `json:"os.version"`
	Created      string  `json:"created"`
	Labels       []label `json:"labels"`
}

// tags lists a repository of V1: all tags at once, each with its digest.
func (s *session) tags(ctx context.Context, repository string, q registry.Query, found func(...registry.Artifact) error) (complete bool, err error) {
	all, err := s.allTags(ctx, repository)
	if pratique.CodeOf(err) == pratique.CodeNotFound {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	byDigest := map[pratique.Digest]int{}
	var artifacts []registry.Artifact
	strange := 0
	for _, t := range all {
		digest, err := pratique.ParseDigest(t.Digest)
		if err != nil || !registry.ValidTag(t.Name) {
			strange++
			continue
		}
		i, known := byDigest[digest]
		if !known {
			i = len(artifacts)
			byDigest[digest] = i
			artifacts = append(artifacts, t.artifact(digest))
		}
		t.addTo(&artifacts[i])
	}
	for i := range artifacts {
		if err := s.complete(ctx, repository, q, &artifacts[i]); err != nil {
			return false, err
		}
	}
	if err := found(artifacts...); err != nil {
		return false, err
	}
	if strange > 0 {
		return false, pratique.Errorf(pratique.CodeCorrupt, "Harbor lists %d tags of %s without a valid name or digest", strange, repository).
			WithRemedy("push these tags again or delete them; the others were listed")
	}
	return true, nil
}

// allTags reads the tags of a repository. V1 reads manifest and config of each while
// we wait, and its own proxy gives up after a minute: then they are asked for one by
// one.
func (s *session) allTags(ctx context.Context, repository string) (all []tag, err error) {
	path := s.base + "/repositories/" + repository + "/tags"
	read := func(ctx context.Context, tail string, v any) error {
		a, err := s.client.Get(ctx, path+tail, maxTags)
		if err != nil {
			return err
		}
		return a.Decode("the tags of "+repository, v)
	}
	err = read(ctx, "", &all)
	if !errors.Is(err, registry.FaultServer) && !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
		return all, err
	}
	if err := read(ctx, "?detail=false", &all); err != nil {
		return nil, err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(tagsAtOnce)
	for i := range all {
		name := all[i].Name
		if !registry.ValidTag(name) {
			continue
		}
		group.Go(func() error {
			err := read(ctx, "/"+name, &all[i])
			if pratique.CodeOf(err) == pratique.CodeNotFound {
				all[i], err = tag{}, nil // deleted meanwhile
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(t tag) bool { return t.Name == "" }), nil
}

func (t tag) artifact(d pratique.Digest) registry.Artifact {
	a := registry.Artifact{Digest: d, Kind: registry.KindImage, Size: max(t.Size, 0), Created: registry.Date(t.Created), Labels: names(t.Labels)}
	if t.Architecture != "" {
		a.Platform = &pratique.Platform{OS: t.OS, Architecture: t.Architecture, OSVersion: t.OSVersion}
	}
	return a
}

// addTo adds the tag's name, and keeps the first push and the last pull.
func (t tag) addTo(a *registry.Artifact) {
	pushed, pulled := registry.Date(t.PushTime), registry.Date(t.PullTime)
	a.Tags = append(a.Tags, registry.Tag{Name: t.Name, Pushed: pushed, Pulled: pulled})
	if a.Pushed == nil || pushed != nil && pushed.Before(*a.Pushed) {
		a.Pushed = pushed
	}
	if a.Pulled == nil || pulled != nil && pulled.After(*a.Pulled) {
		a.Pulled = pulled
	}
}

// complete asks for the manifest of what V1 gives no platform of: an index, or
// Docker's schema 1. It goes through Harbor's API, which does not count it as a
// pull.
func (s *session) complete(ctx context.Context, repository string, q registry.Query, a *registry.Artifact) error {
	a.SortTags()
	if a.Kind != registry.KindImage || a.Platform != nil {
		return nil
	}
	if q.Knows(repository, a.Digest) {
		a.Kind = registry.KindKnown
		return nil
	}
	answer, err := s.client.Get(ctx, s.base+"/repositories/"+repository+"/tags/"+a.Tags[0].Name+"/manifest", 2*distribution.MaxManifest)
	if err != nil {
		return err
	}
	var told struct {
		Manifest json.RawMessage `json:"manifest"`
	}
	if answer.Decode("a manifest of "+repository, &told) != nil {
		return nil // a scan will tell what it is
	}
	m, err := distribution.ParseManifest(told.Manifest, "")
	switch {
	case pratique.CodeOf(err) == pratique.CodeUnsupported:
		a.Kind, a.Type = registry.KindOther, "unsupported"
	case err == nil && m.IsIndex():
		distribution.Describe(a, m)
	case err == nil:
		size := a.Size
		distribution.Describe(a, m)
		a.Size = max(a.Size, size)
	}
	return nil
}
