package distribution

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/pratique/pratique"
)

// Limits of listings.
const (
	pageSize = "1000" // distribution refuses more, unless it was told another number

	maxPage  = 16 << 20 // bytes
	maxPages = 100_000
)

// Tags lists a repository's tags, in the registry's order, page by page.
func (c *Client) Tags(ctx context.Context, repository string) iter.Seq2[string, error] {
	return c.list(ctx, request{
		repository: repository,
		path:       "/v2/" + repository + "/tags/list?n=" + pageSize,
		what:       "the tags of " + repository,
		reference:  c.host + "/" + repository,
	})
}

// Repositories lists the registry's catalogue, where the registry has one and
// the credential may see it.
func (c *Client) Repositories(ctx context.Context) iter.Seq2[string, error] {
	return c.list(ctx, request{path: "/v2/_catalog?n=" + pageSize, what: "the catalogue", reference: "a catalogue at " + c.host})
}

// list follows the Link header from page to page. The next address is resolved
// against the last one and never built by us: registries order and escape its
// parameters in their own ways.
func (c *Client) list(ctx context.Context, r request) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		seen := map[string]bool{}
		for range maxPages {
			if seen[r.path] {
				yield("", pratique.Errorf(pratique.CodeUnreachable, "%s lists %s in circles", c.host, r.what).
					WithRemedy("report it to the registry's maker; its paging is broken"))
				return
			}
			seen[r.path] = true
			names, next, err := c.page(ctx, r)
			if path, _, sized := strings.Cut(r.path, "?n="+pageSize); sized && errors.Is(err, errPageSize) {
				r.path = path // its own page
				continue
			}
			if err != nil {
				yield("", err)
				return
			}
			for _, n := range names {
				if !yield(n, nil) {
					return
				}
			}
			if next == "" {
				return
			}
			r.path = next
		}
		yield("", pratique.Errorf(pratique.CodeLimit, "%s lists %s in more than %d pages", c.host, r.what, maxPages).
			WithRemedy("limit the registry's scope to some repositories"))
	}
}

func (c *Client) page(ctx context.Context, r request) (names []string, next string, err error) {
	content, resp, err := c.document(ctx, r, maxPage)
	if err != nil {
		return nil, "", err
	}
	var doc struct {
		Repositories []string `json:"repositories"`
		Tags         []string `json:"tags"` // null when there are none
	}
	if len(content) > maxPage || json.Unmarshal(content, &doc) != nil {
		return nil, "", pratique.Errorf(pratique.CodeUnreachable, "%s answers something else than a list when asked for %s", c.host, r.what).
			WithRemedy("check that HOST is a registry, and the proxy in front of it")
	}
	next, err = c.nextPage(resp)
	return append(doc.Repositories, doc.Tags...), next, err
}

// nextPage reads the Link headers. The page must be on the same host: our
// credential goes with the request.
func (c *Client) nextPage(resp *http.Response) (string, error) {
	for _, header := range resp.Header.Values("Link") {
		target, ok := nextLink(header)
		if !ok {
			continue
		}
		next, err := url.Parse(strings.ReplaceAll(target, " ", "%20"))
		if err != nil {
			break
		}
		next = resp.Request.URL.ResolveReference(next)
		if next.Host != resp.Request.URL.Host {
			return "", pratique.Errorf(pratique.CodeUnreachable, "%s names a next page on another host", c.host).
				WithRemedy("correct the registry's external address in its settings")
		}
		return next.RequestURI(), nil
	}
	return "", nil
}

// nextLink finds the link with the relation "next" in a Link header (RFC 8288),
// which may hold several: Harbor puts the previous page first.
func nextLink(header string) (target string, ok bool) {
	for {
		_, rest, found := strings.Cut(header, "<")
		if !found {
			return "", false
		}
		if target, rest, found = strings.Cut(rest, ">"); !found {
			return "", false
		}
		var params string
		params, header = unquotedCut(rest, ',')
		for params != "" {
			var param string
			param, params = unquotedCut(params, ';')
			name, value, _ := strings.Cut(param, "=")
			if strings.EqualFold(strings.TrimSpace(name), "rel") {
				relations := strings.Fields(strings.Trim(strings.TrimSpace(value), `"`))
				if slices.ContainsFunc(relations, func(r string) bool { return strings.EqualFold(r, "next") }) {
					return target, true
				}
			}
		}
	}
}

// unquotedCut is strings.Cut at a separator outside of quotes.
func unquotedCut(s string, separator byte) (before, after string) {
	quoted := false
	for i := range len(s) {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case s[i] == separator && !quoted:
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}
