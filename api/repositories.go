package api

import (
	"context"
	"net/http"

	"github.com/pratique/pratique"
)

// RepositoryStore lists what registries hold, above images.
type RepositoryStore interface {
	Repositories(ctx context.Context, f pratique.RepositoryFilter, r pratique.PageRequest) (pratique.Page[pratique.RepositoryRow], error)
	// Namespaces has no pages: there are few.
	Namespaces(ctx context.Context, f pratique.RepositoryFilter) ([]pratique.RepositoryRow, error)
}

// RepositoryQuery narrows lists of repositories and namespaces.
type RepositoryQuery struct {
	Registry  []int64  `query:"registry" maxItems:"200"`
	Namespace []string `query:"namespace" maxItems:"200"`
	Search    string   `query:"search" maxLength:"256" doc:"Words that occur in name or registry"`
	Gone      bool     `query:"gone" doc:"Those that are no longer in their registry, instead of those that are"`
}

func (q *RepositoryQuery) filter() (pratique.RepositoryFilter, error) {
	return pratique.RepositoryFilter{Registries: q.Registry, Namespaces: q.Namespace, Search: q.Search, Gone: q.Gone}, nil
}

type repositoriesInput struct {
	Paging
	RepositoryQuery
}

func (s *server) repositoryOperations() {
	list[repositoriesInput](s, listing[pratique.RepositoryFilter, pratique.RepositoryRow]{
		operation: operation{id: "listRepositories", path: "/repositories", tag: "registries", right: RightRead, summary: "Repositories by name, with what is in them"},
		sorts:     []string{"name", "images", "atRisk", "synced"}, fetch: s.Repositories.Repositories,
	})
	handle(s, operation{id: "listNamespaces", method: http.MethodGet, path: "/namespaces", tag: "registries", right: RightRead,
		summary: "Namespaces of registries, with what is in them", detail: "All at once, at most 10000."},
		func(ctx context.Context, in *RepositoryQuery) (*body[pratique.Page[pratique.RepositoryRow]], error) {
			filter, err := in.filter()
			if err != nil {
				return nil, err
			}
			rows, err := s.Repositories.Namespaces(ctx, filter)
			if rows == nil {
				rows = []pratique.RepositoryRow{}
			}
			return &body[pratique.Page[pratique.RepositoryRow]]{pratique.Page[pratique.RepositoryRow]{Items: rows, Total: len(rows)}}, err
		})
}
