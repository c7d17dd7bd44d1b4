package api

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pratique/pratique"
)

// AgentStore keeps agents, and the tokens that they enrol with.
type AgentStore interface {
	Agents(ctx context.Context) ([]pratique.Agent, error)
	RevokeAgent(ctx context.Context, id int64) error
	// Sites are those that an agent reads registries of.
	Sites(ctx context.Context) ([]string, error)
	// AddAgentToken keeps a token by [pratique.AgentSecretHash] of its secret.
	AddAgentToken(ctx context.Context, t pratique.AgentToken, secretHash string) (pratique.AgentToken, error)
	AgentTokens(ctx context.Context) ([]pratique.AgentToken, error)
	RevokeAgentToken(ctx context.Context, id int64) error
}

// TokenInput asks for a token.
type TokenInput struct {
	Kind         pratique.AgentKind `json:"kind,omitempty" enum:"host,site" default:"host" doc:"host: tells about the images of its host. site: reads registries that only its network reaches"`
	Site         string             `json:"site,omitempty" maxLength:"64" pattern:"^[A-Za-z0-9][A-Za-z0-9._-]*$|^$" doc:"Of kind site alone"`
	Project      string             `json:"project,omitempty" maxLength:"128" doc:"Business group of hosts that name none"`
	Note         string             `json:"note,omitempty" maxLength:"200"`
	Uses         int                `json:"uses,omitempty" minimum:"1" maximum:"10000" default:"1" doc:"How many agents may enrol with it"`
	ExpiresHours int                `json:"expiresHours,omitempty" minimum:"1" maximum:"8760" default:"24"`
}

// NewToken is a token with its secret, which is shown this once.
type NewToken struct {
	pratique.AgentToken
	Secret   string         `json:"secret" doc:"Shown now and never again"`
	Server   string         `json:"server" doc:"What agents connect to"`
	Commands []AgentCommand `json:"commands" doc:"Ways to start an agent with it, to be copied"`
}

// AgentCommand is one way to start an agent.
type AgentCommand struct {
	Kind string        `json:"kind" enum:"systemd,docker,kubernetes"`
	Note pratique.Text `json:"note"`
	Text string        `json:"text" doc:"Lines for a shell of the host"`
}

func (s *server) agentOperations() {
	if s.Agents == nil {
		return
	}
	handle(s, operation{id: "listAgents", method: http.MethodGet, path: "/agents", tag: "hosts", right: RightRead,
		summary: "Agents, newest first", detail: "All at once, revoked ones last."},
		func(ctx context.Context, _ *struct{}) (*body[pratique.Page[pratique.Agent]], error) {
			all, err := s.Agents.Agents(ctx)
			return &body[pratique.Page[pratique.Agent]]{pratique.Page[pratique.Agent]{Items: all, Total: len(all)}}, err
		})
	handle(s, operation{id: "revokeAgent", method: http.MethodDelete, path: "/agents/{id}", tag: "hosts", right: RightAdminister, status: http.StatusNoContent,
		summary: "Take an agent's key away", detail: "It can neither read nor write anything from now on. What it was scanning waits for others; what it told stays until its host is removed."},
		func(ctx context.Context, in *RowID) (*struct{}, error) {
			if err := s.Agents.RevokeAgent(ctx, in.ID); err != nil {
				return nil, err
			}
			s.did(ctx, "agent.revoke", strconv.FormatInt(in.ID, 10), "")
			return nil, nil
		})
	handle(s, operation{id: "listAgentTokens", method: http.MethodGet, path: "/agent-tokens", tag: "hosts", right: RightAdminister,
		summary: "Tokens that agents enrol with, newest first", detail: "Secrets are not among it."},
		func(ctx context.Context, _ *struct{}) (*body[pratique.Page[pratique.AgentToken]], error) {
			all, err := s.Agents.AgentTokens(ctx)
			return &body[pratique.Page[pratique.AgentToken]]{pratique.Page[pratique.AgentToken]{Items: all, Total: len(all)}}, err
		})
	handle(s, operation{id: "createAgentToken", method: http.MethodPost, path: "/agent-tokens", tag: "hosts", right: RightAdminister, status: http.StatusCreated,
		summary: "Make a token that lets agents enrol", detail: "Its secret, and the lines that start an agent with it, are in the answer and nowhere else."}, s.createAgentToken)
	handle(s, operation{id: "revokeAgentToken", method: http.MethodDelete, path: "/agent-tokens/{id}", tag: "hosts", right: RightAdminister, status: http.StatusNoContent,
		summary: "Let no more agents enrol with a token", detail: "Agents that did stay."},
		func(ctx context.Context, in *RowID) (*struct{}, error) {
			if err := s.Agents.RevokeAgentToken(ctx, in.ID); err != nil {
				return nil, err
			}
			s.did(ctx, "agent.token.revoke", strconv.FormatInt(in.ID, 10), "")
			return nil, nil
		})
}

func (s *server) createAgentToken(ctx context.Context, in *struct{ Body TokenInput }) (*body[NewToken], error) {
	if s.AgentServer == nil {
		return nil, pratique.Errorf(pratique.CodeConflict, "the service does not listen for agents").WithRemedy("start it with --agent-listen HOST:PORT")
	}
	v := in.Body
	if (v.Kind == pratique.AgentSite) != (v.Site != "") {
		return nil, fieldProblem("body.site", pratique.Errorf(pratique.CodeInvalid, "a token for a site's agent names its site, and no other does").WithRemedy("name the site, or choose the kind host"))
	}
	secret := rand.Text() + rand.Text() // 260 bits, of letters and digits
	token, err := s.Agents.AddAgentToken(ctx, pratique.AgentToken{
		Kind: v.Kind, Site: v.Site, Project: strings.TrimSpace(v.Project), Note: strings.TrimSpace(v.Note), Uses: max(v.Uses, 1),
		By: exchangeOf(ctx).user, Expires: s.now().UTC().Add(time.Duration(v.ExpiresHours) * time.Hour).Truncate(time.Second),
	}, pratique.AgentSecretHash(secret))
	if err != nil {
		return nil, err
	}
	s.did(ctx, "agent.token.create", strconv.FormatInt(token.ID, 10), fmt.Sprintf("%s, %d uses", token.Kind, token.Uses))
	server, secret, err := s.AgentServer(hostName(exchangeOf(ctx).host), secret)
	if err != nil {
		return nil, err
	}
	return &body[NewToken]{NewToken{AgentToken: token, Secret: secret, Server: server, Commands: agentCommands(server, secret, token)}}, nil
}

// hostName is the name, or address, by which the client reached us: agents probably
// do by the same. What is no such name is "".
func hostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	for _, c := range []byte(host) {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '.' || c == ':') {
			return ""
		}
	}
	return host
}

// agentCommands are the ways to start an agent. The secret goes in by a file: a
// command line is seen by all who are on the host.
func agentCommands(server, secret string, t pratique.AgentToken) []AgentCommand {
	flags, env := " --server "+server, "PRATIQUE_SERVER="+server
	if t.Kind == pratique.AgentSite {
		flags += " --site " + t.Site
		env += "\nPRATIQUE_SITE=" + t.Site
	}
	keep := func(file string) string { return "(umask 077; printf '%s\\n' '" + secret + "' > " + file + ")\n" }
	all := []AgentCommand{
		{Kind: "systemd", Note: pratique.Text{EN: "As root, where the program and deploy/pratique-agent.service are installed", ZH: "以 root 身份执行，主机上需已安装 pratique 程序与 deploy/pratique-agent.service"},
			Text: "install -d -m 700 /etc/pratique\n" + keep("/etc/pratique/agent.token") + "cat > /etc/pratique/agent.env <<'END'\n" + env + "\nEND\nsystemctl enable --now pratique-agent"},
		{Kind: "docker", Note: pratique.Text{EN: "As a container that reads the engine's socket and folders", ZH: "以容器方式运行，读取引擎的套接字与数据目录"},
			Text: keep("pratique-agent.token") +
				"docker run -d --name pratique-agent --restart unless-stopped --pid host --network host \\\n" +
				"  -v /var/run/docker.sock:/var/run/docker.sock -v /var/lib/docker:/var/lib/docker:ro -v /etc/machine-id:/etc/machine-id:ro \\\n" +
				"  -v pratique-agent:/var/lib/pratique-agent -v \"$PWD/pratique-agent.token:/run/token:ro\" \\\n" +
				"  pratique agent" + flags + " --token-file /run/token"},
	}
	if t.Kind == pratique.AgentSite {
		return all
	}
	return append(all, AgentCommand{Kind: "kubernetes",
		Note: pratique.Text{EN: "On each node, by deploy/kubernetes; the token has to be for as many agents as there are nodes", ZH: "通过 deploy/kubernetes 部署到每个节点；令牌的可用次数不得少于节点数"},
		Text: "kubectl create namespace pratique --dry-run=client -o yaml | kubectl apply -f -\n" +
			"kubectl -n pratique create secret generic pratique-agent --from-literal=token='" + secret + "'\n" +
			"kubectl -n pratique apply -f deploy/kubernetes/agent.yaml\n" +
			"kubectl -n pratique set env daemonset/pratique-agent PRATIQUE_SERVER=" + server})
}

// knownSite tells whether an agent reads the registries of a site.
func (s *server) knownSite(ctx context.Context, site string) error {
	if site == "" {
		return nil
	}
	if s.Agents != nil {
		sites, err := s.Agents.Sites(ctx)
		if err != nil {
			return err
		}
		if slices.Contains(sites, site) {
			return nil
		}
	}
	return fieldProblem("body.site", pratique.Errorf(pratique.CodeInvalid, "there is no site %q", bounded(site, 64)).
		WithRemedy("enrol an agent for the site first, or leave it empty: the service reads the registry itself"))
}
