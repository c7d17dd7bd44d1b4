package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/registry"
)

func settings(name, address string) map[string]any {
	return map[string]any{"name": name, "kind": "oci", "address": address, "username": "robot", "password": "hunter2-secret", "hourlyLimit": 50, "webhookSecret": "knock-knock-secret"}
}

func TestRegistries(t *testing.T) {
	v := start(t)
	p := v.admin()
	var made Registry
	a := p.want(http.StatusCreated, "POST", "/api/v1/registries", settings("main", "https://r.example"), &made)
	if a.Header.Get("Location") != fmt.Sprintf("/api/v1/registries/%d", made.ID) || !made.HasPassword || made.NetworkType != "public" || made.Region != "default" || made.HourlyLimit != 50 {
		t.Errorf("%s: %+v", a.Header.Get("Location"), made)
	}
	one := fmt.Sprintf("/api/v1/registries/%d", made.ID)
	for _, path := range []string{one, "/api/v1/registries", "/api/v1/audit"} {
		if b := p.want(http.StatusOK, "GET", path, nil, nil).body; bytes.Contains(b, []byte("hunter2")) || bytes.Contains(b, []byte("knock")) {
			t.Errorf("%s shows a secret: %s", path, b)
		}
	}
	if secret, err := v.store.WebhookSecret(t.Context(), made.ID); err != nil || secret != "knock-knock-secret" {
		t.Errorf("webhook secret %q %v", secret, err)
	}

	got := p.want(http.StatusConflict, "POST", "/api/v1/registries", settings("main", "https://s.example"), nil).problem(t)
	if len(got.Errors) != 1 || got.Errors[0].Location != "body.name" {
		t.Errorf("a taken name: %+v", got)
	}
	for field, change := range map[string]any{"address": "https://u:p@r.example", "proxy": "ftp://x", "kind": "floppy", "site": "mars", "username": "a:b"} {
		bad := settings("other", "https://r.example")
		bad[field] = change
		got := p.want(http.StatusUnprocessableEntity, "POST", "/api/v1/registries", bad, nil).problem(t)
		if len(got.Errors) != 1 || got.Errors[0].Location != "body."+field || got.Remedy == "" {
			t.Errorf("%s: %+v", field, got)
		}
	}

	var check NameCheck
	for path, available := range map[string]bool{"main": false, "free": true, strings.Repeat("n", 200): false, fmt.Sprintf("main?except=%d", made.ID): true, "%20%20": false} {
		p.want(http.StatusOK, "GET", "/api/v1/registry-names/"+path, nil, &check)
		if check.Available != available || check.Available == (check.Reason != "") {
			t.Errorf("%.20s: %+v", path, check)
		}
		check = NameCheck{}
	}

	var page pratique.Page[Registry]
	p.want(http.StatusOK, "GET", "/api/v1/registries?search=R.EXAMPLE&kind=oci", nil, &page)
	if len(page.Items) != 1 || page.Total != 1 {
		t.Errorf("%+v", page)
	}
	p.want(http.StatusOK, "GET", "/api/v1/registries?kind=harbor", nil, &page)
	if len(page.Items) != 0 {
		t.Errorf("%+v", page)
	}
	p.want(http.StatusOK, "GET", one+"/syncs", nil, nil)

	var gone Deleted
	p.want(http.StatusOK, "POST", "/api/v1/registries/delete", map[string]any{"ids": []int64{made.ID, made.ID}}, &gone)
	if gone.Registries != 1 {
		t.Errorf("%+v", gone)
	}
	p.want(http.StatusNotFound, "GET", one, nil, nil)
	p.want(http.StatusNotFound, "DELETE", one, nil, nil)
	p.want(http.StatusNotFound, "GET", one+"/syncs", nil, nil)
}

// TestStoredPasswordGoesNowhereElse: who may edit a registry must not be able to
// read its password by sending it to a server of their own.
func TestStoredPasswordGoesNowhereElse(t *testing.T) {
	v := start(t)
	p := v.admin()
	var stolen []string
	thief := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		stolen = append(stolen, r.Header.Get("Authorization"))
		w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer thief.Close()
	var made Registry
	p.want(http.StatusCreated, "POST", "/api/v1/registries", settings("main", "https://r.example"), &made)
	one := fmt.Sprintf("/api/v1/registries/%d", made.ID)
	for field, change := range map[string]any{"address": thief.URL, "proxy": "http://proxy.example:1", "insecure": true, "ca": "x", "kind": "harbor", "site": "elsewhere"} {
		edit := settings("main", "https://r.example")
		delete(edit, "password")
		edit[field] = change
		for _, ask := range [][2]string{{"PUT", one}, {"POST", fmt.Sprintf("/api/v1/registries/test?id=%d", made.ID)}} {
			got := p.want(http.StatusUnprocessableEntity, ask[0], ask[1], edit, nil).problem(t)
			if len(got.Errors) != 1 || got.Errors[0].Location != "body.password" {
				t.Errorf("%s with another %s: %+v", ask[0], field, got)
			}
		}
	}
	if len(stolen) > 0 {
		t.Errorf("the password went to %s: %q", thief.URL, stolen)
	}
	// The name and the limit may change without it, and the password stays.
	edit := settings("renamed", "https://R.example/")
	delete(edit, "password")
	edit["hourlyLimit"] = 7
	p.want(http.StatusOK, "PUT", one, edit, &made)
	if made.Name != "renamed" || made.HourlyLimit != 7 || !made.HasPassword {
		t.Errorf("%+v", made)
	}
	if password, err := v.store.RegistryPassword(t.Context(), made.ID); err != nil || password != "hunter2-secret" {
		t.Errorf("%q %v", password, err)
	}
	edit["password"], edit["username"] = "", ""
	made = Registry{}
	p.want(http.StatusOK, "PUT", one, edit, &made)
	if made.HasPassword {
		t.Error("an empty password does not remove it")
	}
}

func TestConnectionTest(t *testing.T) {
	v := start(t)
	p := v.admin()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Docker-Distribution-Api-Version", "registry/2.0")
		if user, password, _ := r.BasicAuth(); user != "robot" || password != "hunter2-secret" {
			w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"errors":[{"code":"UNAUTHORIZED"}]}`)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		switch r.URL.Path {
		case "/v2/":
			fmt.Fprint(w, `{}`)
		case "/v2/_catalog":
			fmt.Fprint(w, `{"repositories":["a/b"]}`)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer server.Close()
	var health registry.Health
	p.want(http.StatusOK, "POST", "/api/v1/registries/test", settings("x", server.URL), &health)
	if health.Status != registry.StatusConnected || len(health.Endpoints) == 0 {
		t.Errorf("%+v", health)
	}
	wrong := settings("x", server.URL)
	wrong["password"] = "hunter3-secret"
	a := p.want(http.StatusOK, "POST", "/api/v1/registries/test", wrong, &health)
	if health.Status != registry.StatusAuthFailed || health.Reason.EN == "" || health.Reason.ZH == "" || health.Remedy.EN == "" || bytes.Contains(a.body, []byte("hunter")) {
		t.Errorf("%s", a.body)
	}
	var made Registry
	p.want(http.StatusCreated, "POST", "/api/v1/registries", settings("x", server.URL), &made)
	p.want(http.StatusOK, "POST", fmt.Sprintf("/api/v1/registries/%d/test", made.ID), nil, &health)
	p.want(http.StatusOK, "GET", fmt.Sprintf("/api/v1/registries/%d", made.ID), nil, &made)
	if made.Health.Status != "connected" || made.Health.Checked == nil || made.Health.Checked.Year() < 2000 {
		t.Errorf("not kept: %+v", made.Health)
	}
	var page pratique.Page[Registry]
	p.want(http.StatusOK, "GET", "/api/v1/registries?health=connected", nil, &page)
	if len(page.Items) != 1 {
		t.Errorf("%+v", page)
	}
}

// TestFormsAreServed: what a kind's form asks for can be kept.
func TestFormsAreServed(t *testing.T) {
	v := start(t)
	p := v.admin()
	var kinds []RegistryKind
	p.want(http.StatusOK, "GET", "/api/v1/registry-kinds", nil, &kinds)
	if len(kinds) != 2 {
		t.Fatalf("%d kinds", len(kinds))
	}
	for _, k := range kinds {
		filled := map[string]any{"kind": k.Kind}
		for _, f := range k.Fields {
			if f.Label.EN == "" || f.Label.ZH == "" {
				t.Errorf("%s: %s has no label", k.Kind, f.Name)
			}
			filled[f.Name] = f.Default
			switch {
			case f.Name == "name":
				filled[f.Name] = "a " + k.Kind
			case f.Name == "address":
				filled[f.Name] = "https://" + k.Kind + ".example"
			case f.Default == nil:
				delete(filled, f.Name)
			}
		}
		text, err := json.Marshal(filled)
		if err != nil {
			t.Fatal(err)
		}
		p.want(http.StatusCreated, "POST", "/api/v1/registries", string(text), nil)
	}
}
