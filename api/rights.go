package api

import (
	"context"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/pratique/pratique"
)

// Right is what somebody must be allowed to do for an operation to be done.
type Right string

const (
	RightNone       Right = "none"       // everybody, signed in or not
	RightSelf       Right = "self"       // whoever is signed in, even with a one-time password that has to be changed
	RightRead       Right = "read"       // see inventory, findings and settings
	RightScan       Right = "scan"       // start and cancel scans
	RightRegistries Right = "registries" // add, change, test and synchronise registries
	RightFeeds      Right = "feeds"      // update feeds, adopt and roll back
	RightAdminister Right = "administer" // users, audit, settings
)

// Rights lists all that can be given.
func Rights() []Right {
	return []Right{RightRead, RightScan, RightRegistries, RightFeeds, RightAdminister}
}

// RoleAdmin may do everything.
const RoleAdmin = "admin"

// rightsOf a role; one that we do not know has none.
func rightsOf(role string) []Right {
	if role == RoleAdmin {
		return Rights()
	}
	return nil
}

// operation is what can be asked of the API.
type operation struct {
	id      string // camelCase: the name of the method in generated clients
	method  string
	path    string // below /api/v1
	tag     string
	summary string
	detail  string
	right   Right
	status  int                     // of success; 200, or 204 when there is no body
	adjust  func(o *huma.Operation) // for what is rare
}

const rightExtension = "x-right"

// handle registers an operation. It is the only way into the router below
// /api/v1: an operation without a right is a fault of the program.
func handle[I, O any](s *server, o operation, f func(ctx context.Context, in *I) (*O, error)) {
	if o.right == "" {
		panic("api: " + o.id + " declares no right")
	}
	op := huma.Operation{
		OperationID: o.id, Method: o.method, Path: basePath + o.path, Tags: []string{o.tag}, Summary: o.summary, Description: o.detail,
		DefaultStatus: o.status, MaxBodyBytes: maxBody, BodyReadTimeout: bodyTimeout, RejectUnknownQueryParameters: true,
		Extensions:  map[string]any{rightExtension: string(o.right)},
		Middlewares: huma.Middlewares{s.authorise(o.right)},
		Responses:   map[string]*huma.Response{"default": {Ref: "#/components/responses/Problem"}},
	}
	if o.right != RightNone {
		op.Security = []map[string][]string{{cookieScheme: {}}}
	}
	if o.method != http.MethodGet {
		op.Parameters = append(op.Parameters, &huma.Param{Ref: "#/components/parameters/RequestedWith"})
	}
	if o.adjust != nil {
		o.adjust(&op)
	}
	huma.Register(s.api, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := f(ctx, in)
		if err != nil {
			return nil, problemOf(err)
		}
		return out, nil
	})
}

// authorise lets a request through to an operation that needs the right.
func (s *server) authorise(right Right) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		x := exchangeOf(ctx.Context())
		x.route = ctx.Operation().Path
		ctx.SetHeader("Cache-Control", "private, no-cache")
		if right == RightNone {
			next(ctx)
			return
		}
		r, w := humago.Unwrap(ctx)
		session, err := s.current(r)
		if err != nil {
			writeProblem(w, r, problemOf(err))
			return
		}
		x.session, x.user = session, session.user.Name
		if err := permit(session.user, right); err != nil {
			writeProblem(w, r, err)
			return
		}
		next(ctx)
	}
}

// permit returns nil when the user has the right.
func permit(u pratique.User, right Right) *Problem {
	if right == RightSelf {
		return nil
	}
	if u.MustSet {
		return newProblem(http.StatusForbidden, codePasswordChange, "the one-time password has to be changed first").
			withRemedy("set a password of your own: PUT " + basePath + "/session/password")
	}
	if !slices.Contains(rightsOf(u.Role), right) {
		return newProblem(http.StatusForbidden, codeForbidden, "the right that this needs is missing").
			withParam("right", string(right)).withRemedy("ask an administrator for it")
	}
	return nil
}
