package api

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/pratique/pratique"
)

// TestEveryOperationStatesItsRight walks the description that clients see, and
// asks each operation without being signed in.
func TestEveryOperationStatesItsRight(t *testing.T) {
	v := start(t)
	p := v.person()
	var doc struct {
		OpenAPI string `json:"openapi"`
		Info    struct{ Title, Version string }
		Tags    []struct{ Name string }
		Paths   map[string]map[string]struct {
			OperationID string                `json:"operationId"`
			Tags        []string              `json:"tags"`
			Summary     string                `json:"summary"`
			Right       Right                 `json:"x-right"`
			Security    []map[string][]string `json:"security"`
			Responses   map[string]any        `json:"responses"`
		}
		Components struct {
			SecuritySchemes map[string]any `json:"securitySchemes"`
		}
	}
	p.want(http.StatusOK, "GET", "/openapi.json", nil, &doc)
	if doc.OpenAPI != "3.1.0" || doc.Info.Title != "Pratique" || doc.Info.Version != "1.2.3" || len(doc.Components.SecuritySchemes) == 0 {
		t.Errorf("description: %+v", doc.Info)
	}
	known := append(Rights(), RightNone, RightSelf)
	ids, operations := map[string]bool{}, 0
	for path, methods := range doc.Paths {
		for method, o := range methods {
			operations++
			name := strings.ToUpper(method) + " " + path
			if !slices.Contains(known, o.Right) {
				t.Errorf("%s: right %q", name, o.Right)
			}
			if o.OperationID == "" || ids[o.OperationID] || o.Summary == "" || len(o.Tags) != 1 ||
				!slices.ContainsFunc(doc.Tags, func(t struct{ Name string }) bool { return t.Name == o.Tags[0] }) {
				t.Errorf("%s is badly described: %+v", name, o)
			}
			if o.Responses["default"] == nil {
				t.Errorf("%s does not describe its problems", name)
			}
			ids[o.OperationID] = true
			if o.Right == RightNone {
				if name != "POST /api/v1/session" && name != "POST /api/v1/hooks/{id}" {
					t.Errorf("%s is open to everybody", name)
				}
				continue
			}
			if len(o.Security) == 0 {
				t.Errorf("%s does not say that one has to be signed in", name)
			}
			asked := strings.NewReplacer("{id}", "1", "{name}", "x").Replace(path)
			if got := p.want(http.StatusUnauthorized, strings.ToUpper(method), asked, nil, nil).problem(t); got.Code != codeSignIn {
				t.Errorf("%s: %+v", name, got)
			}
		}
	}
	if operations < 20 {
		t.Errorf("only %d operations", operations)
	}
}

func TestRightsAreEnforced(t *testing.T) {
	v := start(t)
	p := v.admin()
	var u pratique.User
	p.want(http.StatusOK, "GET", "/api/v1/users/me", nil, &u)
	u.Role = "guest"
	if err := v.store.SetUser(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	p.want(http.StatusUnauthorized, "GET", "/api/v1/session", nil, nil) // another role ends the session
	var info SessionInfo
	p.want(http.StatusOK, "POST", "/api/v1/session", map[string]string{"name": "Admin ", "password": longPassword}, &info)
	if len(info.Rights) != 0 {
		t.Errorf("rights %v", info.Rights)
	}
	got := p.want(http.StatusForbidden, "DELETE", "/api/v1/registries/1", nil, nil).problem(t)
	if got.Code != codeForbidden || got.Params["right"] != string(RightRegistries) {
		t.Errorf("%+v", got)
	}
	defer func() {
		if recover() == nil {
			t.Error("an operation without a right was registered")
		}
	}()
	handle(v.api, operation{id: "x", method: "GET", path: "/x"}, func(context.Context, *struct{}) (*struct{}, error) { return nil, nil })
}

func TestOtherSitesCannotAsk(t *testing.T) {
	v := start(t)
	p := v.admin()
	preference := "/api/v1/preferences/theme"
	for name, headers := range map[string][]string{
		"no marker":        {"X-Requested-With", ""},
		"cross-site":       {"Sec-Fetch-Site", "cross-site"},
		"same-site":        {"Sec-Fetch-Site", "same-site"},
		"another origin":   {"Origin", "https://evil.example"},
		"null origin":      {"Origin", "null"},
		"form from afar":   {"Sec-Fetch-Site", "cross-site", "Content-Type", "text/plain", "X-Requested-With", ""},
		"malformed origin": {"Origin", "::::"},
	} {
		if got := p.want(http.StatusForbidden, "PUT", preference, `"dark"`, nil, headers...).problem(t); got.Code != codeCrossOrigin {
			t.Errorf("%s: %+v", name, got)
		}
	}
	p.want(http.StatusNoContent, "PUT", preference, `"dark"`, nil, "Sec-Fetch-Site", "same-origin", "Origin", v.URL)
	a := p.do("OPTIONS", preference, nil, "Origin", "https://evil.example", "Access-Control-Request-Method", "PUT")
	for name := range a.Header {
		if strings.HasPrefix(name, "Access-Control-") {
			t.Errorf("CORS is on: %s", name)
		}
	}
	// What a proxy serves under another name has to be named.
	w := start(t, func(d *Deps) { d.Origins = []string{"https://console.example"} })
	w.person().want(http.StatusOK, "POST", "/api/v1/session", map[string]string{"name": "admin", "password": w.password}, nil, "Origin", "https://console.example")
}

func TestHostileRequests(t *testing.T) {
	v := start(t)
	p := v.admin()
	const registries = "/api/v1/registries"
	for name, c := range map[string]struct {
		method, path, body string
		status             int
		code               pratique.Code
	}{
		"half a document":   {"POST", registries, `{"name":"x","password":"hunter2-` + `secret`, 400, "invalid"},
		"no body":           {"POST", registries, ``, 400, "invalid"},
		"a wrong type":      {"POST", registries, `{"name":7,"kind":"oci","address":"r.example","password":"hunter2-secret"}`, 422, "invalid"},
		"an unknown field":  {"POST", registries, `{"name":"x","kind":"oci","address":"r.example","passwort":"hunter2-secret"}`, 422, "invalid"},
		"deep":              {"POST", registries, strings.Repeat(`{"name":`, 20000) + strings.Repeat(`}`, 20000), 400, "invalid"},
		"an array":          {"POST", registries, `[` + strings.Repeat(`"a",`, 1000) + `"a"]`, 422, "invalid"},
		"too large":         {"POST", registries, `{"name":"` + strings.Repeat("a", maxBody+10) + `"}`, 413, codeTooLarge},
		"NUL":               {"POST", registries, "{\"name\":\"\x00\"}", 400, "invalid"},
		"an id of letters":  {"GET", registries + "/x", ``, 422, "invalid"},
		"an id beyond":      {"GET", registries + "/99999999999999999999", ``, 422, "invalid"},
		"a missing one":     {"GET", registries + "/77", ``, 404, "not_found"},
		"unknown parameter": {"GET", registries + "?serch=x", ``, 422, "invalid"},
		"no such place":     {"GET", "/api/v1/nothing", ``, 404, "not_found"},
		"no such method":    {"DELETE", registries, ``, 405, codeMethod},
		"a limit":           {"GET", "/api/v1/audit?limit=201", ``, 422, "invalid"},
		"a column":          {"GET", "/api/v1/audit?sort=user", ``, 422, "invalid"},
		"a cursor":          {"GET", "/api/v1/audit?cursor=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", ``, 422, "invalid"},
		"a long address":    {"GET", "/api/v1/audit?search=" + strings.Repeat("a", maxURL), ``, 414, codeTooLarge},
		"traversal":         {"GET", "/api/v1/preferences/..%2f..%2fetc", ``, 422, "invalid"},
		"upload's name":     {"POST", "/api/v1/feeds/import?name=..%2Fkey", `x`, 422, "invalid"},
	} {
		a := p.do(c.method, c.path, c.body)
		if a.StatusCode != c.status {
			t.Errorf("%s: %d, want %d: %.300s", name, a.StatusCode, c.status, a.body)
			continue
		}
		got := a.problem(t)
		if got.Code != c.code || got.Detail == "" {
			t.Errorf("%s: %+v", name, got)
		}
		if bytes.Contains(a.body, []byte("hunter2")) {
			t.Errorf("%s: the answer repeats the password: %s", name, a.body)
		}
		if len(a.body) > 16<<10 {
			t.Errorf("%s: an answer of %d bytes", name, len(a.body))
		}
	}
	if got := p.want(http.StatusUnsupportedMediaType, "POST", registries, "name=x", nil, "Content-Type", "application/x-www-form-urlencoded").problem(t); got.Code != codeMediaType {
		t.Errorf("%+v", got)
	}
	if strings.Contains(v.log.String(), "hunter2") {
		t.Error("the log has the password")
	}
}

// failing is an AuditStore whose driver talks too much.
type failing struct{ AuditStore }

func (failing) Notes(context.Context, pratique.AuditFilter, pratique.PageRequest) (pratique.Page[pratique.AuditEntry], error) {
	return pratique.Page[pratique.AuditEntry]{}, errors.New("dial postgres://pratique:hunter2@db/pratique: SQLSTATE 28P01")
}

func TestInternalErrorsStayInside(t *testing.T) {
	v := start(t, func(d *Deps) { d.Audit = failing{d.Audit} })
	handlePanic(v.api)
	p := v.admin()
	a := p.want(http.StatusInternalServerError, "GET", "/api/v1/audit", nil, nil)
	got := a.problem(t)
	if got.Code != pratique.CodeInternal || bytes.Contains(a.body, []byte("postgres")) {
		t.Errorf("%s", a.body)
	}
	log := v.log.String()
	if !strings.Contains(log, "28P01") || !strings.Contains(log, got.RequestID) || strings.Contains(log, "hunter2") {
		t.Errorf("log: %s", log)
	}
	got = p.want(http.StatusInternalServerError, "GET", "/api/v1/panic", nil, nil).problem(t)
	if log := v.log.String(); !strings.Contains(log, "somebody's index") || !strings.Contains(log, got.RequestID) {
		t.Errorf("the panic is not in the log")
	}
	p.want(http.StatusOK, "GET", "/api/v1/session", nil, nil) // and the service goes on

	wrapped := problemOf(pratique.Errorf(pratique.CodeUnreachable, "the database does not answer: %w", errors.New("password=hunter2")))
	if wrapped.Detail != "the database does not answer" || wrapped.Status != http.StatusServiceUnavailable {
		t.Errorf("%+v", wrapped)
	}
	if p := problemOf(fmt.Errorf("query: %w", context.DeadlineExceeded)); p.Code != codeTimeout || strings.Contains(p.Detail, "query") {
		t.Errorf("%+v", p)
	}
}

func handlePanic(s *server) {
	handle(s, operation{id: "panic", method: "GET", path: "/panic", tag: "audit", right: RightRead}, func(context.Context, *struct{}) (*struct{}, error) {
		panic("somebody's index")
	})
}

func TestRedaction(t *testing.T) {
	var b bytes.Buffer
	log := slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{ReplaceAttr: Redacted}))
	log.Info("x", "password", "hunter2", "dsn", "postgres://u:hunter2@h/d", "error", errors.New(`Get "https://u:hunter2@r.example/v2/": 401`),
		"header", "Authorization: Basic aHVudGVyMg==", "note", "password=hunter2, then", "apiToken", 7, "body", `{"secret": "hunter2"}`, "none", (*pratique.Error)(nil), "plain", "the token service at https://h:5000/token")
	if s := b.String(); strings.Contains(s, "hunter2") || strings.Contains(s, "aHVudGVyMg") || !strings.Contains(s, "h:5000/token") || !strings.Contains(s, "@r.example/v2/") {
		t.Errorf("%s", s)
	}
}

func TestRequestIDs(t *testing.T) {
	v := start(t)
	p := v.person()
	for id, kept := range map[string]bool{"trace-0123456789": true, "short": false, "with space 123": false, strings.Repeat("a", 65): false, "a\"b=c;{}1234": false} {
		got := p.do("GET", "/healthz", nil, "X-Request-Id", id).Header.Get("X-Request-Id")
		if (got == id) != kept || !saneID(got) {
			t.Errorf("%q became %q", id, got)
		}
	}
}

func TestValidatorsAndCompression(t *testing.T) {
	v := start(t)
	p := v.admin()
	a := p.want(http.StatusOK, "GET", "/api/v1/registry-kinds", nil, nil)
	tag := a.Header.Get("ETag")
	if tag == "" || a.Header.Get("Content-Encoding") != "" {
		t.Fatalf("ETag %q, encoding %q", tag, a.Header.Get("Content-Encoding"))
	}
	for _, header := range []string{tag, `"x", ` + tag, "*", strings.TrimPrefix(tag, "W/")} {
		if got := p.do("GET", "/api/v1/registry-kinds", nil, "If-None-Match", header); got.StatusCode != http.StatusNotModified || len(got.body) != 0 || got.Header.Get("ETag") != tag {
			t.Errorf("If-None-Match %s: %d", header, got.StatusCode)
		}
	}
	zipped := p.do("GET", "/api/v1/registry-kinds", nil, "Accept-Encoding", "br, gzip;q=0.5")
	if zipped.Header.Get("Content-Encoding") != "gzip" || zipped.Header.Get("ETag") != tag || len(zipped.body) >= len(a.body) {
		t.Errorf("not compressed: %v", zipped.Header)
	}
	r, err := gzip.NewReader(bytes.NewReader(zipped.body))
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := io.ReadAll(r); err != nil || !bytes.Equal(plain, a.body) {
		t.Errorf("inflated otherwise: %v", err)
	}
	if got := p.do("GET", "/api/v1/registry-kinds", nil, "Accept-Encoding", "gzip;q=0"); got.Header.Get("Content-Encoding") != "" {
		t.Error("compressed against the client's wish")
	}
	p.want(http.StatusUnauthorized, "GET", "/api/v1/registry-kinds", nil, nil, "If-None-Match", "*", "Cookie", "pratique=x")
}

func TestHeaders(t *testing.T) {
	v := start(t, func(d *Deps) { d.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} })
	p := v.person()
	for _, path := range []string{"/healthz", "/api/v1/session", "/nothing", "/openapi.json"} {
		h := p.do("GET", path, nil).Header
		if !strings.Contains(h.Get("Content-Security-Policy"), "frame-ancestors 'none'") || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") == "" || h.Get("Strict-Transport-Security") != "" {
			t.Errorf("%s: %v", path, h)
		}
	}
	a := p.do("POST", "/api/v1/session", map[string]string{"name": "admin", "password": v.password}, "X-Forwarded-Proto", "https", "X-Forwarded-For", "6.6.6.6, 192.0.2.7")
	c := a.Cookies()[0]
	if c.Name != secureCookie || !c.Secure || a.Header.Get("Strict-Transport-Security") == "" {
		t.Errorf("behind TLS: %+v", c)
	}
	page, err := v.store.Notes(t.Context(), pratique.AuditFilter{Action: "login.ok"}, pratique.PageRequest{})
	if err != nil || page.Items[0].Address != "192.0.2.7" {
		t.Errorf("the client's address: %v %+v", err, page.Items)
	}
	// Nobody else may say where they come from.
	w := start(t)
	b := w.person().do("POST", "/api/v1/session", map[string]string{"name": "admin", "password": w.password}, "X-Forwarded-Proto", "https", "X-Forwarded-For", "192.0.2.7")
	page, err = w.store.Notes(t.Context(), pratique.AuditFilter{Action: "login.ok"}, pratique.PageRequest{})
	if b.Cookies()[0].Secure || err != nil || page.Items[0].Address != "127.0.0.1" {
		t.Errorf("a stranger was believed: %v %+v", err, page.Items)
	}
}

func TestPages(t *testing.T) {
	v := start(t)
	p := v.admin()
	for i := range 25 {
		if err := v.store.Note(t.Context(), pratique.AuditEntry{User: "robot", Action: "test.do", Target: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	type page = pratique.Page[pratique.AuditEntry]
	var got []string
	query := "/api/v1/audit?action=test&limit=10&total=true"
	next := ""
	for range 5 {
		var one page
		p.want(http.StatusOK, "GET", query+"&cursor="+next, nil, &one)
		if one.Total != 25 {
			t.Errorf("total %d", one.Total)
		}
		for _, e := range one.Items {
			got = append(got, e.Target)
		}
		if next = one.Next; next == "" {
			break
		}
	}
	if len(got) != 25 || got[0] != "24" || got[24] != "0" {
		t.Errorf("pages hold %v", got)
	}
	var first page
	p.want(http.StatusOK, "GET", query, nil, &first)
	p.want(http.StatusUnprocessableEntity, "GET", "/api/v1/audit?action=login&cursor="+first.Next, nil, nil) // another filter
	flipped := []byte(first.Next)
	flipped[len(flipped)-3] ^= 1
	p.want(http.StatusUnprocessableEntity, "GET", query+"&cursor="+string(flipped), nil, nil)
	var none page
	a := p.want(http.StatusOK, "GET", "/api/v1/audit?user=nobody", nil, &none)
	if !bytes.Contains(a.body, []byte(`"items":[]`)) {
		t.Errorf("an empty list: %s", a.body)
	}
	from := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	p.want(http.StatusOK, "GET", "/api/v1/audit?from="+from, nil, &none)
	if len(none.Items) != 0 {
		t.Error("entries of the future")
	}
}

func TestPreferences(t *testing.T) {
	v := start(t)
	p := v.admin()
	const path = "/api/v1/preferences/columns.images"
	if a := p.want(http.StatusOK, "GET", path, nil, nil); strings.TrimSpace(string(a.body)) != "null" {
		t.Errorf("not set: %s", a.body)
	}
	value := map[string]any{"shown": []any{"name", "size"}, "width": 7.5}
	p.want(http.StatusNoContent, "PUT", path, value, nil)
	var got map[string]any
	p.want(http.StatusOK, "GET", path, nil, &got)
	if fmt.Sprint(got) != fmt.Sprint(value) {
		t.Errorf("got %v", got)
	}
	p.want(http.StatusNoContent, "PUT", path, `null`, nil)
	if a := p.want(http.StatusOK, "GET", path, nil, nil); strings.TrimSpace(string(a.body)) != "null" {
		t.Errorf("removed: %s", a.body)
	}
	p.want(http.StatusRequestEntityTooLarge, "PUT", path, `"`+strings.Repeat("a", 70<<10)+`"`, nil)
	p.want(http.StatusUnprocessableEntity, "PUT", "/api/v1/preferences/UPPER", `1`, nil)
}

func TestReadiness(t *testing.T) {
	v := start(t, func(d *Deps) {
		d.Checks = append(d.Checks, Check{Name: "feeds", Optional: true, Ready: func(context.Context) error {
			return pratique.Errorf(pratique.CodeNotFound, "no feed was imported").WithRemedy("import one")
		}}, Check{Name: "queue", Ready: func(ctx context.Context) error {
			if v := ctx.Value(huma.Operation{}); v != nil {
				return nil
			}
			return errors.New("dial tcp 10.1.2.3:5432")
		}})
	})
	a := v.person().do("GET", "/readyz", nil)
	var got readiness
	if err := json.Unmarshal(a.body, &got); err != nil {
		t.Fatal(err)
	}
	if a.StatusCode != http.StatusServiceUnavailable || got.Ready || !got.Checks["database"].Ready || got.Checks["feeds"].Reason != "no feed was imported" || got.Checks["feeds"].Remedy == "" || got.Checks["queue"].Ready || strings.Contains(string(a.body), "10.1.2.3") {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	v.person().want(http.StatusOK, "GET", "/healthz", nil, nil)
}

func TestMetricsHaveNoWordsOfUsers(t *testing.T) {
	v := start(t)
	p := v.admin()
	p.do("GET", "/api/v1/registries/77", nil)
	p.do("GET", "/wild/path-of-a-user", nil)
	p.do("BREW", "/api/v1/session", nil)
	text := string(p.want(http.StatusOK, "GET", "/metrics", nil, nil).body)
	for _, want := range []string{`route="/api/v1/registries/{id}"`, `route="/"`, `method="other"`, `pratique_logins_total{outcome="ok"}`, "go_goroutines"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s", want)
		}
	}
	for _, bad := range []string{"registries/77", "path-of-a-user", "BREW"} {
		if strings.Contains(text, bad) {
			t.Errorf("%s is a label", bad)
		}
	}
}

func TestUploadIsStreamed(t *testing.T) {
	v := start(t)
	p := v.admin()
	large := strings.Repeat("x", maxBody*2) // larger than any other body may be
	p.want(http.StatusAccepted, "POST", "/api/v1/feeds/import?name=all.zip", large, nil, "Content-Type", "application/octet-stream")
	if v.feeds.imported["all.zip"] != int64(len(large)) {
		t.Errorf("%v", v.feeds.imported)
	}
	p.want(http.StatusAccepted, "POST", "/api/v1/feeds/update", nil, nil)
	if v.feeds.updates != 1 {
		t.Errorf("%d updates", v.feeds.updates)
	}
	p.want(http.StatusNotFound, "POST", "/api/v1/feeds/rollback", nil, nil)
	p.want(http.StatusOK, "GET", "/api/v1/feeds", nil, nil)
	p.want(http.StatusOK, "GET", "/api/v1/feeds/history", nil, nil)
}
