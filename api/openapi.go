package api

import (
	"encoding/json"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/pratique/pratique/registry"
)

// config describes the API as a whole.
func (s *server) config() huma.Config {
	schemas := newSchemas()
	problem := &huma.Response{
		Description: "What went wrong (RFC 9457)",
		Content:     map[string]*huma.MediaType{problemType: {Schema: schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")}},
	}
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "Pratique", Version: s.Version,
				Description: "What the console can do, programs can do. Sign in with POST " + basePath + "/session, send the cookie, and " + markerHeader +
					" with every request that changes something. Errors are problem documents with a stable code. Each operation names the right that it needs (" + rightExtension + ").",
				License: &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"},
			},
			Servers: []*huma.Server{{URL: "/"}},
			Tags: []*huma.Tag{
				{Name: "session", Description: "Signing in and out"}, {Name: "users", Description: "Who may use the service"},
				{Name: "preferences", Description: "What users choose for themselves"}, {Name: "registries", Description: "Where images are kept"},
				{Name: "overview", Description: "How the whole estate stands"}, {Name: "images", Description: "Rows of the inventory: tags in repositories"},
				{Name: "contents", Description: "What is in an image, whatever number of rows have it"},
				{Name: "vulnerabilities", Description: "Across all images"}, {Name: "components", Description: "Packages across all images"},
				{Name: "secrets", Description: "Across all images"}, {Name: "malware", Description: "Across all images"},
				{Name: "tasks", Description: "Requests for scans, and the scans"},
				{Name: "feeds", Description: "What is known about vulnerabilities"}, {Name: "settings", Description: "What administrators change"}, {Name: "audit", Description: "Who did what"},
				{Name: "events", Description: "Progress as it happens"},
			},
			Components: &huma.Components{
				Schemas:   schemas,
				Responses: map[string]*huma.Response{"Problem": problem},
				Parameters: map[string]*huma.Param{"RequestedWith": {
					Name: markerHeader, In: "header", Required: true, Description: "Any value; keeps other sites from asking in the user's name",
					Schema: &huma.Schema{Type: huma.TypeString}, Example: "pratique",
				}},
				SecuritySchemes: map[string]*huma.SecurityScheme{
					cookieScheme: {Type: "apiKey", In: "cookie", Name: cookieName, Description: "Over TLS its name is " + secureCookie},
				},
			},
		},
		Formats:       map[string]huma.Format{"application/json": huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat},
		DefaultFormat: "application/json",
		Transformers:  []huma.Transformer{convert, withLists},
	}
}

// schemaName is a type's name in the description. Types of other packages than the
// root and this one carry their package's; the problem document leaves "Problem"
// to the one of a scan.
func schemaName(t reflect.Type, hint string) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == reflect.TypeFor[Problem]() {
		return "ProblemDetails"
	}
	name := huma.DefaultSchemaNamer(t, hint)
	if t.PkgPath() == reflect.TypeFor[registry.Health]().PkgPath() {
		return "Registry" + name
	}
	return name
}

// description serves /openapi.json. It is open to all: it holds nothing that is
// not in the source, and tools want it before they can sign in.
func (s *server) description(mux *http.ServeMux) {
	s.plain(mux, "GET /openapi.json", func(w http.ResponseWriter, r *http.Request) {
		document, err := json.Marshal(s.api.OpenAPI())
		if err != nil {
			writeProblem(w, r, problemOf(err))
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-cache")
		if _, err := w.Write(document); err != nil {
			exchangeOf(r.Context()).log.Debug("the answer was not taken", "error", err)
		}
	})
}
