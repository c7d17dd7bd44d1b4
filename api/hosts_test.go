package api

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/store"
)

// withHosts is the API with two hosts: web1 has images 1 and 2, and a container of
// each; web2 has image 1 and one that cannot be scanned.
func withHosts(t *testing.T) (*person, *store.Store, []pratique.Agent) {
	t.Helper()
	v := start(t, func(d *Deps) {
		db := d.Registries.(*store.Store)
		d.Hosts, d.DataUpdates, d.Agents = db, db, db
		d.AgentServer = func(host, secret string) (string, string, error) { return "https://" + host + ":8443", secret, nil }
	})
	p := v.admin()
	image := func(n int, reason string, tags ...string) pratique.LocalImage {
		id := pratique.DigestOf([]byte{byte(n)})
		return pratique.LocalImage{ID: id, EngineID: id, Tags: tags, Platform: pratique.Platform{OS: "linux", Architecture: "amd64"}, Reason: reason}
	}
	container := func(n int, state pratique.ContainerState) pratique.Container {
		return pratique.Container{ID: strings.Repeat(strconv.Itoa(n), 64), Name: "c" + strconv.Itoa(n), ImageID: pratique.DigestOf([]byte{byte(n)}), Image: "app:1", State: state, Command: []string{"run"}}
	}
	var agents []pratique.Agent
	for i, inventory := range []pratique.Inventory{
		{Images: []pratique.LocalImage{image(1, "", "app:1"), image(2, "")}, Containers: []pratique.Container{container(1, pratique.ContainerRunning), container(2, pratique.ContainerExited)}},
		{Images: []pratique.LocalImage{image(1, "", "app:1"), image(3, "its layers are gone", "old:1")}},
	} {
		var token NewToken
		p.want(http.StatusCreated, "POST", "/api/v1/agent-tokens", object{"project": "shop", "note": "rack"}, &token)
		name := "web" + strconv.Itoa(i+1)
		agent, err := v.store.Enrol(t.Context(), pratique.AgentSecretHash(token.Secret), pratique.Agent{Key: name}, pratique.Host{ID: "id-" + name, Name: name, IPs: []string{"192.0.2.1"}})
		if err != nil {
			t.Fatal(err)
		}
		inventory.Engine = pratique.EngineInfo{Kind: pratique.EngineDocker, Version: "24.0." + strconv.Itoa(i), Root: "/var/lib/docker"}
		if err := v.store.PutInventory(t.Context(), agent.ID, inventory); err != nil {
			t.Fatal(err)
		}
		agents = append(agents, agent)
	}
	return p, v.store, agents
}

func TestLocalImages(t *testing.T) {
	p, _, _ := withHosts(t)
	var rows pratique.Page[pratique.AssetRow]
	for query, want := range map[string]int{
		"": 3, "?host=id-web1": 2, "?project=shop&engine=docker": 3, "?engine=podman": 0, "?used=true": 2, "?scannable=false": 1, "?search=app": 1, "?running=true": 1, "?container=c2": 1,
		"?search=" + string(pratique.DigestOf([]byte{2}))[7:30]: 1, "?sort=-hosts&limit=1": 1,
	} {
		if p.want(http.StatusOK, "GET", "/api/v1/local-images"+query, nil, &rows); len(rows.Items) != want {
			t.Errorf("%q: %d rows, want %d", query, len(rows.Items), want)
		}
	}
	p.want(http.StatusOK, "GET", "/api/v1/local-images", nil, &rows)
	for _, r := range rows.Items {
		if r.Source != pratique.SourceLocal {
			t.Errorf("%+v", r)
		}
	}
	p.want(http.StatusOK, "GET", "/api/v1/images?total=true", nil, &rows)
	if rows.Total != 0 {
		t.Errorf("%d repository images", rows.Total)
	}
	var facets pratique.AssetFacets
	p.want(http.StatusOK, "GET", "/api/v1/local-images/facets", nil, &facets)
	if len(facets.Hosts) != 2 || len(facets.Projects) != 1 || facets.Registries == nil {
		t.Errorf("%+v", facets)
	}
	p.want(http.StatusOK, "GET", "/api/v1/local-images?search=app", nil, &rows)
	app := rows.Items[0]
	base := "/api/v1/images/" + strconv.FormatInt(app.ID, 10)
	var hosts pratique.Page[pratique.HostRow]
	for query, want := range map[string]int{"": 2, "?status=online": 2, "?status=offline": 0, "?search=web2": 1, "?search=24.0.1": 1, "?search=shop": 2, "?sort=-images": 2} {
		if p.want(http.StatusOK, "GET", base+"/hosts"+query, nil, &hosts); len(hosts.Items) != want {
			t.Errorf("hosts %q: %d, want %d", query, len(hosts.Items), want)
		}
	}
	var containers pratique.Page[pratique.ContainerRow]
	for query, want := range map[string]int{"": 1, "?state=exited": 0, "?state=running": 1, "?search=web1": 1, "?search=web2": 0} {
		if p.want(http.StatusOK, "GET", base+"/containers"+query, nil, &containers); len(containers.Items) != want {
			t.Errorf("containers %q: %d, want %d", query, len(containers.Items), want)
		}
	}
	p.want(http.StatusNotFound, "GET", "/api/v1/images/99999/hosts", nil, nil)
	var estate Estate
	p.want(http.StatusOK, "GET", "/api/v1/overview", nil, &estate)
	if estate.Local.Rows != 3 || estate.Local.Hosts != 2 || estate.Local.Running != 1 || estate.Repository.Rows != 0 || estate.Registries.Total != 0 {
		t.Errorf("%+v", estate.Local)
	}
	p.want(http.StatusUnprocessableEntity, "GET", "/api/v1/local-images?engine=floppy", nil, nil)
}

func TestHosts(t *testing.T) {
	p, db, agents := withHosts(t)
	var hosts pratique.Page[pratique.HostRow]
	p.want(http.StatusOK, "GET", "/api/v1/hosts?total=true&sort=name&limit=1", nil, &hosts)
	if hosts.Total != 2 || len(hosts.Items) != 1 || hosts.Next == "" || hosts.Items[0].Name != "web1" || hosts.Items[0].Images != 2 {
		t.Errorf("%+v", hosts)
	}
	p.want(http.StatusOK, "GET", "/api/v1/hosts/id-web2", nil, nil)
	p.want(http.StatusNotFound, "GET", "/api/v1/hosts/nobody", nil, nil)
	var containers pratique.Page[pratique.ContainerRow]
	p.want(http.StatusOK, "GET", "/api/v1/containers?host=id-web1", nil, &containers)
	if len(containers.Items) != 2 || containers.Items[0].HostName != "web1" {
		t.Errorf("%+v", containers)
	}
	var last LastUpdate
	p.want(http.StatusOK, "GET", "/api/v1/data-updates", nil, &last)
	if last.Last != nil {
		t.Errorf("%+v", last)
	}
	var update pratique.DataUpdate
	p.want(http.StatusCreated, "POST", "/api/v1/data-updates", object{}, &update)
	p.want(http.StatusConflict, "POST", "/api/v1/data-updates", object{}, nil)
	for _, a := range agents {
		if err := db.RefreshDone(t.Context(), a.ID, update.ID, nil); err != nil {
			t.Fatal(err)
		}
	}
	p.want(http.StatusOK, "GET", "/api/v1/data-updates", nil, &last)
	if last.Last == nil || last.Last.Ended == nil || last.Last.Done != 2 || last.Last.By != "admin" {
		t.Errorf("%+v", last.Last)
	}
	p.want(http.StatusConflict, "DELETE", "/api/v1/hosts/id-web1", nil, nil)
	id := strconv.FormatInt(agents[0].ID, 10)
	p.want(http.StatusNoContent, "DELETE", "/api/v1/agents/"+id, nil, nil)
	p.want(http.StatusNoContent, "DELETE", "/api/v1/hosts/id-web1", nil, nil)
	var all pratique.Page[pratique.Agent]
	p.want(http.StatusOK, "GET", "/api/v1/agents", nil, &all)
	if all.Total != 2 || all.Items[0].Revoked != nil || all.Items[1].Revoked == nil || !all.Items[0].Online {
		t.Errorf("%+v", all)
	}
	p.audited("hosts.update", "agent.revoke", "host.remove", "agent.token.create")
}

// TestAgentTokens: the secret is shown once, whole commands beside it, and the list
// does not have it.
func TestAgentTokens(t *testing.T) {
	p, _, _ := withHosts(t)
	var token NewToken
	p.want(http.StatusCreated, "POST", "/api/v1/agent-tokens", object{"uses": 3, "expiresHours": 2, "note": "nodes"}, &token)
	if token.Uses != 3 || time.Until(token.Expires) > 2*time.Hour || len(token.Secret) < 40 || len(token.Commands) != 3 || token.Server != "https://127.0.0.1:8443" {
		t.Errorf("%+v", token)
	}
	for _, c := range token.Commands {
		if !strings.Contains(c.Text, token.Secret) || !strings.Contains(c.Text, token.Server) || c.Note.EN == "" || c.Note.ZH == "" {
			t.Errorf("%s: %s", c.Kind, c.Text)
		}
	}
	a := p.want(http.StatusOK, "GET", "/api/v1/agent-tokens", nil, nil)
	if strings.Contains(string(a.body), token.Secret) || !strings.Contains(string(a.body), "nodes") {
		t.Errorf("listed: %s", a.body)
	}
	if strings.Contains(p.log.String(), token.Secret) {
		t.Error("the log has the secret")
	}
	p.want(http.StatusUnprocessableEntity, "POST", "/api/v1/agent-tokens", object{"kind": "site"}, nil)
	p.want(http.StatusUnprocessableEntity, "POST", "/api/v1/agent-tokens", object{"kind": "site", "site": "a b;c"}, nil)
	p.want(http.StatusCreated, "POST", "/api/v1/agent-tokens", object{"kind": "site", "site": "mars"}, nil)
	p.want(http.StatusNoContent, "DELETE", "/api/v1/agent-tokens/"+strconv.FormatInt(token.ID, 10), nil, nil)
	p.want(http.StatusNotFound, "DELETE", "/api/v1/agent-tokens/999", nil, nil)
	for host, want := range map[string]string{"scan.example.org:443": "scan.example.org", "[::1]:8080": "::1", "192.0.2.1": "192.0.2.1", "x;rm -rf /": "", "$(id)": ""} {
		if got := hostName(host); got != want {
			t.Errorf("%q is reached as %q, want %q", host, got, want)
		}
	}
}

// TestWithoutAgents: a service that does not listen for agents makes no tokens.
func TestWithoutAgents(t *testing.T) {
	v := start(t, func(d *Deps) { d.Agents = d.Registries.(*store.Store) })
	if problem := v.admin().want(http.StatusConflict, "POST", "/api/v1/agent-tokens", object{}, nil).problem(t); problem.Remedy == "" {
		t.Errorf("%+v", problem)
	}
}
