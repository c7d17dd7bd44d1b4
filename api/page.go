package api

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/pratique/pratique"
)

// MaxPage bounds the rows of one page of the API.
const MaxPage = 200

// Paging is embedded in the input of every list.
type Paging struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"Rows of a page"`
	Sort   string `query:"sort" maxLength:"64" doc:"A column to sort by, with - before it for descending order"`
	Cursor string `query:"cursor" maxLength:"8192" doc:"\"next\" of the page before, with the same filter and order"`
	Total  bool   `query:"total" doc:"Count the whole list as well"`
}

func (p *Paging) paging() *Paging { return p }

// filtering is the input of a list: the parameters that narrow it, and [Paging].
type filtering[F any] interface {
	paging() *Paging
	filter() (F, error)
}

// listing is a list that can be asked for page by page.
type listing[F, T any] struct {
	operation
	sorts []string // the columns that one may sort by, beside the default order
	fetch func(ctx context.Context, filter F, r pratique.PageRequest) (pratique.Page[T], error)
}

// list registers a list. I is a struct that embeds Paging; *I has the filter.
func list[I, F, T any, P interface {
	*I
	filtering[F]
}](s *server, l listing[F, T]) {
	l.method = http.MethodGet
	handle(s, l.operation, func(ctx context.Context, in *I) (*body[pratique.Page[T]], error) {
		filter, err := P(in).filter()
		if err != nil {
			return nil, err
		}
		p := P(in).paging()
		request, err := p.request(l.sorts)
		if err != nil {
			return nil, err
		}
		scope, err := json.Marshal([]any{l.id, filter, p.Sort})
		if err != nil {
			return nil, err
		}
		if request.Cursor, err = s.openCursor(scope, p.Cursor); err != nil {
			return nil, err
		}
		page, err := l.fetch(ctx, filter, request)
		if err != nil {
			return nil, err
		}
		if page.Items == nil {
			page.Items = []T{}
		}
		page.Next = s.sealCursor(scope, page.Next)
		return &body[pratique.Page[T]]{page}, nil
	})
	s.describeSorts(basePath+l.path, l.sorts)
}

// describeSorts puts the columns into the description.
func (s *server) describeSorts(path string, sorts []string) {
	words := strings.Join(sorts, ", ")
	if words == "" {
		words = "none; the order is fixed"
	}
	for _, p := range s.api.OpenAPI().Paths[path].Get.Parameters {
		if p.Name == "sort" {
			p.Description += ": " + words
		}
	}
}

func (p *Paging) request(sorts []string) (pratique.PageRequest, error) {
	column, desc := strings.CutPrefix(p.Sort, "-")
	if column != "" && !slices.Contains(sorts, column) {
		err := pratique.Errorf(pratique.CodeInvalid, "this list cannot be sorted by %q", bounded(column, 40))
		if len(sorts) > 0 {
			err = err.WithRemedy("sort by %s", strings.Join(sorts, ", "))
		} else {
			err = err.WithRemedy("leave sort out")
		}
		return pratique.PageRequest{}, fieldProblem("query.sort", err)
	}
	return pratique.PageRequest{Sort: column, Desc: desc, Limit: p.Limit, Count: p.Total}, nil
}

const cursorMAC = 12 // bytes: 96 bits, against those who guess one at a time

// sealCursor signs the store's cursor together with the list, the filter and the
// order that it belongs to.
func (s *server) sealCursor(scope []byte, cursor string) string {
	if cursor == "" {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(append(s.cursorMAC(scope, cursor), cursor...))
}

func (s *server) openCursor(scope []byte, sealed string) (string, error) {
	if sealed == "" {
		return "", nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil || len(raw) <= cursorMAC || !hmac.Equal(raw[:cursorMAC], s.cursorMAC(scope, string(raw[cursorMAC:]))) {
		return "", fieldProblem("query.cursor", pratique.Errorf(pratique.CodeInvalid, "this is no cursor of this list with this filter and order").
			WithRemedy("begin with the first page, and keep filter and order while paging"))
	}
	return string(raw[cursorMAC:]), nil
}

func (s *server) cursorMAC(scope []byte, cursor string) []byte {
	mac := hmac.New(sha256.New, s.CursorKey)
	mac.Write(scope)
	mac.Write([]byte{0})
	mac.Write([]byte(cursor))
	return mac.Sum(nil)[:cursorMAC]
}

// body is an answer that has nothing but a body.
type body[T any] struct{ Body T }
