// Package harbor connects Harbor (https://goharbor.io), in its two dialects: V1 is
// Harbor 1.x with its API below /api, V2 is Harbor 2.x with /api/v2.0. Which one
// answers is found out by asking.
//
// # What Harbor's API tells
//
// Harbor keeps in a database what the specification's catalogue does not have:
// digests, dates, sizes, platforms, untagged manifests, what belongs to what. It is
// listed project by project, repository by repository. The catalogue itself is
// for administrators only and is never asked.
//
//	        V2                                              V1
//	list    /projects/P/repositories/R/artifacts, paged     /repositories/R/tags, whole
//	untagged manifests                        listed        not listed
//	indexes                              with children      by reading the manifest
//	robot accounts                    may use the API       may only pull
//
// # Traps
//
// A wrong password is no error to Harbor: the request counts as anonymous, and
// gets 200 with what is public. /users/current of V1 and 2.0 tells, and since 2.1 /v2/,
// which takes passwords of users, secrets of robots, and the CLI secrets of OIDC's
// users, who are nobody to /users/current. It is asked before a listing and after it; else
// a password that was changed would look as if all private images were gone.
//
// Whoever fails to log in as a user, from wherever, closes the account for 1.5
// seconds: a right password counts as a wrong one meanwhile. So what we are is asked
// again once the projects were read.
//
// Pages move when somebody pushes or deletes meanwhile. A list is read again until
// it held still, and each thing is handed on once.
//
// A repository's update_time does not move with each push in most versions
// (goharbor/harbor issues 8140, 18201, 23149), so an incremental listing cannot
// pass over repositories. It asks each for its artifacts, latest push first, and
// stops at a page that is older. A tag that was moved to an older artifact beyond
// the first 100 is found by the next full listing.
//
// A GET of a manifest through /v2 counts as a pull and raises an event. A listing
// needs none.
package harbor

import (
	"context"
	"net/http"
	"strings"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/registry"
	"github.com/pratique/pratique/registry/distribution"
)

// Connector is a [registry.Connector].
type Connector struct{}

// Kind returns "harbor".
func (Connector) Kind() string { return "harbor" }

// Label names the kind for people.
func (Connector) Label() pratique.Text { return pratique.Text{EN: "Harbor", ZH: "Harbor"} }

// Fields returns the form: the shared one, and the version.
func (Connector) Fields() []registry.Field {
	return registry.Form(registry.Field{
		Name: "version", Type: registry.FieldSelect, Default: registry.VersionAuto,
		Label: pratique.Text{EN: "Version", ZH: "版本"},
		Options: []registry.Option{
			{Value: registry.VersionAuto, Label: pratique.Text{EN: "Find out", ZH: "自动识别"}},
			{Value: registry.Version1, Label: pratique.Text{EN: "V1 (1.X.X)", ZH: "V1(1.X.X)"}},
			{Value: registry.Version2, Label: pratique.Text{EN: "V2 (2.X.X or later)", ZH: "V2（2.X.X 及以上）"}},
		},
	})
}

var (
	faultVersion = &registry.Fault{
		Status: registry.StatusWrongVersion,
		Reason: pratique.Text{EN: "The Harbor at this address has another version than the one chosen.", ZH: "该地址的 Harbor 版本与所选版本不符。"},
		Remedy: pratique.Text{EN: "Choose the other version, or let it be found out.", ZH: "请选择另一个版本，或选择自动识别。"},
	}
	faultNotHarbor = &registry.Fault{
		Status: registry.StatusNotRegistry,
		Reason: pratique.Text{EN: "What answers at this address is not Harbor.", ZH: "该地址的应答不是 Harbor。"},
		Remedy: pratique.Text{EN: "Check the address, and choose another type if it is another registry.", ZH: "请检查地址；若是其他类型的仓库，请更改类型。"},
	}
	faultRobot = &registry.Fault{
		Status: registry.StatusForbidden,
		Reason: pratique.Text{EN: "Harbor 1 lets robot accounts pull, but not list.", ZH: "Harbor 1.x 的机器人账号只能拉取，不能列出仓库。"},
		Remedy: pratique.Text{EN: "Use a user account; the guest role in each project is enough.", ZH: "请改用普通用户账号，在各项目中具有访客角色即可。"},
	}
	warnPull = registry.Warning{
		Reason: pratique.Text{EN: "Images can be listed, but pulling them may fail: the registry's own address or token service does not work from here.", ZH: "可以列出镜像，但拉取可能失败：从此处无法使用仓库的外部地址或令牌服务。"},
		Remedy: pratique.Text{EN: "Check Harbor's external URL (hostname in harbor.yml), and that it can be reached from here.", ZH: "请检查 Harbor 的外部地址（harbor.yml 中的 hostname），并确认从此处可以访问。"},
	}
)

// Check finds out the version, whether the credential is right, and whether there
// is anything to see.
func (Connector) Check(ctx context.Context, conn registry.Connection) (h registry.Health) {
	client, err := distribution.Connect(conn)
	if err != nil {
		return h.Fail(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, registry.CheckTimeout)
	defer cancel()
	ctx, trace := client.Traced(ctx)
	defer func() { client.Fill(&h, trace) }()
	s, err := open(ctx, client, conn)
	h.Product, h.Version = s.product, s.version
	if err != nil {
		return h.Fail(err)
	}
	projects, err := s.projects(ctx)
	if err != nil {
		return h.Fail(err)
	}
	if conn.Username == "" {
		h.Warnings = append(h.Warnings, registry.WarnPublicOnly)
	}
	if projects == 0 {
		h.Warnings = append(h.Warnings, registry.WarnEmpty)
	}
	if _, err := client.Ping(ctx); err != nil && conn.Username != "" {
		h.Warnings = append(h.Warnings, warnPull)
		h.Message = err.Error()
	}
	h.Status = registry.StatusConnected
	return h
}

// List walks projects and their repositories.
func (Connector) List(ctx context.Context, conn registry.Connection, q registry.Query, yield func(registry.Page) error) error {
	client, err := distribution.Connect(conn)
	if err != nil {
		return err
	}
	defer client.Close()
	s, err := open(ctx, client, conn)
	if err != nil {
		return registry.Explain(err)
	}
	names := s.repositories(ctx)
	if len(q.Repositories) > 0 {
		names = registry.Named(q.Repositories)
	}
	list := func(ctx context.Context, repository string, found func(...registry.Artifact) error) (complete bool, err error) {
		if s.version == registry.Version1 {
			complete, err = s.tags(ctx, repository, q, found)
		} else {
			complete, err = s.artifacts(ctx, repository, q, found)
		}
		return complete, registry.Explain(err)
	}
	if err := registry.Walk(ctx, conn, names, list, yield); err != nil {
		return registry.Explain(err)
	}
	return registry.Explain(s.identify(ctx))
}

// session is a conversation with one Harbor.
type session struct {
	client  *distribution.Client
	conn    registry.Connection
	version registry.Version
	base    string // of the API
	product string
}

// open finds out the version, and who we are.
func open(ctx context.Context, client *distribution.Client, conn registry.Connection) (*session, error) {
	s := &session{client: client, conn: conn}
	if err := s.detect(ctx); err != nil {
		return s, err
	}
	return s, s.identify(ctx)
}

// maxSmall is the size in bytes of answers that are not lists.
const maxSmall = 1 << 20

// detect asks for the API's version, which 1.x does not tell, and then for what
// both tell everybody, each at its own place.
func (s *session) detect(ctx context.Context) error {
	a, err := s.client.Get(ctx, "/api/version", maxSmall)
	if err != nil {
		return err
	}
	var told struct {
		Version string `json:"version"`
	}
	if a.Status == http.StatusOK && a.Decode("the version", &told) == nil && strings.HasPrefix(told.Version, "v2") {
		return s.settle(ctx, registry.Version2, "/api/v2.0")
	}
	for _, dialect := range []struct {
		version registry.Version
		base    string
	}{{registry.Version2, "/api/v2.0"}, {registry.Version1, "/api"}} {
		if info, err := s.systemInfo(ctx, dialect.base); err != nil {
			return err
		} else if info.AuthMode != "" {
			return s.settle(ctx, dialect.version, dialect.base)
		}
	}
	return faultNotHarbor.Errorf("neither /api/version nor /api/systeminfo is answered as by Harbor")
}

type systemInfo struct {
	AuthMode      string `json:"auth_mode"`
	HarborVersion string `json:"harbor_version"` // V2 tells it to the authenticated only
}

func (s *session) settle(ctx context.Context, found registry.Version, base string) error {
	s.version, s.base, s.product = found, base, "Harbor "+strings.TrimPrefix(string(found), "V")+".x"
	if s.conn.Version != registry.VersionAuto && s.conn.Version != found {
		return faultVersion.Errorf("%s is chosen, and %s answers", s.conn.Version, found)
	}
	info, err := s.systemInfo(ctx, base)
	if v := strings.TrimPrefix(info.HarborVersion, "v"); v != "" && v != "-" && len(v) < 60 {
		s.product = "Harbor " + v
	}
	return err
}

// systemInfo is empty where there is no such answer.
func (s *session) systemInfo(ctx context.Context, base string) (info systemInfo, err error) {
	a, err := s.client.Get(ctx, base+"/systeminfo", maxSmall)
	if err == nil && a.Status == http.StatusOK && a.Decode("the version", &info) != nil {
		info = systemInfo{}
	}
	return info, err
}

// identify tells whether the credential is right: see the package's traps.
func (s *session) identify(ctx context.Context) error {
	if s.conn.Username == "" {
		return nil
	}
	where := "/v2/"
	if s.version == registry.Version1 || strings.HasPrefix(s.product, "Harbor 2.0.") { // whose /v2/ knows some who are nobody to its API
		where = s.base + "/users/current"
	}
	a, err := s.client.Get(ctx, where, maxSmall)
	if err != nil {
		return err
	}
	switch {
	case a.Status == http.StatusOK && !a.IsHTML():
		return nil
	case a.Status == http.StatusUnauthorized:
		return registry.FaultCredential.Errorf("Harbor does not accept the password of %.80q", s.conn.Username)
	case s.version == registry.Version1 && a.Status == http.StatusForbidden:
		return faultRobot.Errorf("Harbor 1 does not let %.80q use its API", s.conn.Username)
	}
	return a.Err("the current user")
}
