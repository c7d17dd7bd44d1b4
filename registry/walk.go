package registry

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/pratique/pratique"
)

// Limits of a listing.
const (
	// MaxRepositories of one registry.
	MaxRepositories = 1_000_000
	// MaxArtifacts of one repository, and as many tags.
	MaxArtifacts = 200_000

	sideBySide  = 4   // repositories that are listed at once
	pageLength  = 500 // artifacts
	failedInRow = 5   // repositories, until the registry is taken to be down
)

// Lister lists one repository. It hands artifacts to found, in any number of
// calls, and tells whether they were all that there are.
type Lister func(ctx context.Context, repository string, found func(...Artifact) error) (complete bool, err error)

// Walk is the part of List that all kinds share. It lists the repositories that
// names gives and the connection's filter lets through, a few at a time, and
// hands on pages in which each digest comes once, however often the server
// repeated it.
//
// A repository that fails is told on its last page and does not end the walk;
// but a registry that asks for patience, or of which several repositories in a
// row cannot be reached, is not asked on.
func Walk(ctx context.Context, c Connection, names iter.Seq2[string, error], list Lister, yield func(Page) error) error {
	w := walk{list: list, yield: yield}
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(sideBySide)
	var failed error
	seen := map[string]struct{}{}
	for name, err := range names {
		if err != nil {
			failed = err
			break
		}
		if _, again := seen[name]; again || !c.Includes(name) {
			continue
		}
		seen[name] = struct{}{}
		if len(seen) > MaxRepositories {
			failed = pratique.Errorf(pratique.CodeLimit, "the registry has more than %d repositories", MaxRepositories).
				WithRemedy("limit the connection to some namespaces")
			break
		}
		if inner.Err() != nil {
			break
		}
		group.Go(func() error { return w.repository(inner, name) })
	}
	err := group.Wait()
	var stop stopped
	switch {
	case errors.As(err, &stop):
		return stop.error
	case ctx.Err() != nil:
		e := pratique.Errorf(pratique.CodeCancelled, "the listing was stopped before its end")
		e.Cause = context.Cause(ctx)
		return e
	case err != nil:
		return err
	}
	return failed
}

type walk struct {
	list  Lister
	yield func(Page) error

	mu  sync.Mutex // guards what follows, and keeps yield from being called twice at once
	row int        // repositories that failed since one did not
}

// stopped is an error of the caller's, which ends the walk.
type stopped struct{ error }

func (s stopped) Unwrap() error { return s.error }

func (w *walk) repository(ctx context.Context, name string) error {
	if !ValidRepository(name) {
		return w.send(Page{Repository: name, Last: true, Problem: pratique.Errorf(pratique.CodeUnsupported, "%.80q is not a repository's name", name).
			WithRemedy("rename the repository; the registry lets nobody pull from it")})
	}
	pager := pager{name: name, send: w.send, seen: map[pratique.Digest]struct{}{}}
	complete, err := w.list(ctx, name, pager.add)
	if errors.As(err, new(stopped)) || ctx.Err() != nil {
		return err
	}
	if fatal := w.count(err); fatal {
		return err
	}
	return w.send(Page{Repository: name, Artifacts: pager.page, Last: true, Complete: complete && err == nil, Problem: err})
}

// count tells whether an error ends the walk.
func (w *walk) count(err error) (fatal bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch pratique.CodeOf(err) {
	case pratique.CodeRateLimited, pratique.CodeCancelled:
		return true
	case pratique.CodeUnreachable:
		w.row++
	default:
		w.row = 0
	}
	return w.row >= failedInRow
}

func (w *walk) send(p Page) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.yield(p); err != nil {
		return stopped{err}
	}
	return nil
}

// pager gathers a repository's artifacts into pages.
type pager struct {
	name string
	send func(Page) error
	seen map[pratique.Digest]struct{}
	page []Artifact
}

func (p *pager) add(artifacts ...Artifact) error {
	for _, a := range artifacts {
		if _, again := p.seen[a.Digest]; again {
			continue
		}
		if len(p.seen) >= MaxArtifacts {
			return pratique.Errorf(pratique.CodeLimit, "%s holds more than %d artifacts", p.name, MaxArtifacts).
				WithRemedy("let the registry delete old ones, by a retention rule")
		}
		p.seen[a.Digest] = struct{}{}
		a.Repository = p.name
		p.page = append(p.page, a)
		if len(p.page) == pageLength {
			if err := p.send(Page{Repository: p.name, Artifacts: slices.Clone(p.page)}); err != nil {
				return err
			}
			p.page = p.page[:0]
		}
	}
	return nil
}

// Named gives names that are known beforehand to Walk.
func Named(names []string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, n := range names {
			if !yield(n, nil) {
				return
			}
		}
	}
}
