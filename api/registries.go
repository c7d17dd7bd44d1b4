package api

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/registry"
)

// RegistryStore keeps registries. It is composed of small parts, because not all
// that serve the API need all of them.
type RegistryStore interface {
	RegistryReader
	RegistryWriter
	RegistryTester
}

// RegistryReader shows what is kept; CodeNotFound for what is not.
type RegistryReader interface {
	Registries(ctx context.Context) ([]pratique.RegistryRow, error)
	Registry(ctx context.Context, id int64) (pratique.Registry, error)
	RegistryNameTaken(ctx context.Context, name string, except int64) (bool, error)
	Syncs(ctx context.Context, registryID int64, limit int) ([]pratique.SyncRun, error)
}

// RegistryWriter changes it. A name that is taken is CodeConflict. A nil password
// keeps the stored one.
type RegistryWriter interface {
	CreateRegistry(ctx context.Context, r pratique.Registry, password string) (pratique.Registry, error)
	UpdateRegistry(ctx context.Context, r pratique.Registry, password *string) (pratique.Registry, error)
	DeleteRegistries(ctx context.Context, ids ...int64) (rows int, err error)
	SetWebhookSecret(ctx context.Context, id int64, secret string) error
}

// RegistryTester is what a connection test needs.
type RegistryTester interface {
	RegistryPassword(ctx context.Context, id int64) (string, error)
	SetHealth(ctx context.Context, id int64, h pratique.Health) error
}

// RegistrySettings are what people fill in, by the names of the form's fields.
type RegistrySettings struct {
	Name        string   `json:"name" minLength:"1" maxLength:"100"`
	Kind        string   `json:"kind" minLength:"1" maxLength:"32" doc:"One of /registry-kinds"`
	Version     string   `json:"version,omitempty" maxLength:"8" doc:"Empty finds out" example:"V2"`
	NetworkType string   `json:"networkType,omitempty" enum:"public,private" default:"public"`
	Region      string   `json:"region,omitempty" maxLength:"64" default:"default"`
	Site        string   `json:"site,omitempty" maxLength:"64" doc:"Whose agent reads it; empty is the service itself"`
	Address     string   `json:"address" minLength:"1" maxLength:"512" example:"https://registry.example.com"`
	Username    string   `json:"username,omitempty" maxLength:"512"`
	HourlyLimit int      `json:"hourlyLimit,omitempty" minimum:"0" maximum:"1000000" doc:"Images pulled in a rolling hour; 0 is unlimited"`
	Insecure    bool     `json:"insecure,omitempty" doc:"Accept any certificate"`
	CA          string   `json:"ca,omitempty" maxLength:"1048576" doc:"PEM certificates, trusted beside the system's"`
	Proxy       string   `json:"proxy,omitempty" maxLength:"512" doc:"URL, or none; empty is what the service's environment says"`
	Namespaces  []string `json:"namespaces,omitempty" maxItems:"1000" doc:"Only repositories below these; empty is all" example:"[\"team\"]"`
	Named       []string `json:"repositoryNames,omitempty" maxItems:"1000" doc:"The repositories of a registry that cannot list them; empty asks the registry" example:"[\"library/debian\"]"`
}

// settingsFields are the fields of a kind's form that can be kept.
var settingsFields = []string{"name", "version", "networkType", "region", "site", "address", "username", "password", "hourlyLimit", "insecure", "ca", "proxy", "namespaces", "repositoryNames", "webhookSecret"}

// RegistryInput is the settings with the secrets, which go in and never come out.
type RegistryInput struct {
	RegistrySettings
	Password      *string `json:"password,omitempty" maxLength:"16384" format:"password" writeOnly:"true" doc:"Left out on a change, the stored one stays; empty removes it"`
	WebhookSecret *string `json:"webhookSecret,omitempty" maxLength:"512" format:"password" writeOnly:"true" doc:"As for the password"`
}

// Registry is one with its state and what is in it.
type Registry struct {
	ID int64 `json:"id"`
	RegistrySettings
	HasPassword  bool                `json:"hasPassword"`
	Created      time.Time           `json:"created"`
	Updated      time.Time           `json:"updated"`
	Health       pratique.Health     `json:"health"`
	Sync         pratique.SyncStatus `json:"sync"`
	Repositories int                 `json:"repositories"`
	Images       int                 `json:"images" doc:"Rows of the list of images"`
	AtRisk       int                 `json:"atRisk" doc:"Of these"`
	PulledHour   int                 `json:"pulledHour" doc:"Images pulled in the past 60 minutes"`
}

func shown(row pratique.RegistryRow) Registry {
	r := row.Registry
	return Registry{
		ID: r.ID, HasPassword: r.HasPassword, Created: r.Created, Updated: r.Updated, Health: r.Health, Sync: r.Sync,
		Repositories: row.Repositories, Images: row.Images, AtRisk: row.AtRisk, PulledHour: row.PulledHour,
		RegistrySettings: RegistrySettings{
			Name: r.Name, Kind: r.Kind, Version: r.Version, NetworkType: r.Network, Region: r.Region, Site: r.Site, Address: r.Address,
			Username: r.Username, HourlyLimit: r.HourlyLimit, Insecure: r.Insecure, CA: r.CA, Proxy: r.Proxy, Namespaces: r.Namespaces, Named: r.Named,
		},
	}
}

func (v RegistrySettings) record(id int64) pratique.Registry {
	return pratique.Registry{
		ID: id, Name: strings.TrimSpace(v.Name), Kind: v.Kind, Version: v.Version, Network: v.NetworkType, Region: v.Region, Site: v.Site,
		Address: strings.TrimSpace(v.Address), Username: v.Username, HourlyLimit: v.HourlyLimit, Insecure: v.Insecure, CA: v.CA, Proxy: strings.TrimSpace(v.Proxy),
		Namespaces: v.Namespaces, Named: v.Named,
	}
}

func connection(r pratique.Registry, password string) registry.Connection {
	return registry.Connection{
		Name: r.Name, Kind: r.Kind, Version: registry.Version(r.Version), NetworkType: registry.NetworkType(r.Network), Region: r.Region, Site: r.Site,
		Address: r.Address, Username: r.Username, Password: password, Insecure: r.Insecure, CA: r.CA, Proxy: r.Proxy, HourlyLimit: r.HourlyLimit,
		Namespaces: r.Namespaces, Repositories: r.Named,
	}
}

func (s *server) connector(kind string) (registry.Connector, error) {
	for _, c := range s.Connectors {
		if c.Kind() == kind {
			return c, nil
		}
	}
	return nil, fieldProblem("body.kind", pratique.Errorf(pratique.CodeInvalid, "there is no kind of registry %q", bounded(kind, 40)).
		WithRemedy("choose one of %s", strings.Join(s.kinds(), ", ")))
}

func (s *server) kinds() []string {
	var all []string
	for _, c := range s.Connectors {
		all = append(all, c.Kind())
	}
	return all
}

// validate checks settings with the password that they will have.
func (s *server) validate(ctx context.Context, r pratique.Registry, password string) error {
	if err := s.described(r, password); err != nil {
		return err
	}
	return s.knownSite(ctx, r.Site)
}

// described checks that settings describe a connection.
func (s *server) described(r pratique.Registry, password string) error {
	if _, err := s.connector(r.Kind); err != nil {
		return err
	}
	if field, err := connection(r, password).Validate(); err != nil {
		return fieldProblem("body."+field, err)
	}
	return nil
}

// RegistryKind is a kind of registry with its form.
type RegistryKind struct {
	Kind   string           `json:"kind"`
	Label  pratique.Text    `json:"label"`
	Fields []registry.Field `json:"fields" doc:"In the order of the form"`
}

func (s *server) registryOperations() {
	s.registryReading()
	s.registryWriting()
	s.registryTesting()
}

// RegistryID is in the path; exported for the same reason as [PreferenceName].
type RegistryID struct {
	ID int64 `path:"id" minimum:"1"`
}

type registriesInput struct {
	Kinds  []string `query:"kind" maxItems:"32"`
	Health []string `query:"health" maxItems:"32" doc:"Statuses of the last connection test"`
	Search string   `query:"search" maxLength:"256" doc:"Words that occur in name or address"`
}

func (s *server) registryReading() {
	handle(s, operation{id: "listRegistryKinds", method: http.MethodGet, path: "/registry-kinds", tag: "registries", right: RightRead,
		summary: "Kinds of registries, each with the fields of its form"},
		func(context.Context, *struct{}) (*body[[]RegistryKind], error) {
			kinds := []RegistryKind{}
			for _, c := range s.Connectors {
				fields := slices.DeleteFunc(slices.Clone(c.Fields()), func(f registry.Field) bool { return !slices.Contains(settingsFields, f.Name) })
				kinds = append(kinds, RegistryKind{Kind: c.Kind(), Label: c.Label(), Fields: fields})
			}
			return &body[[]RegistryKind]{kinds}, nil
		})
	handle(s, operation{id: "listRegistries", method: http.MethodGet, path: "/registries", tag: "registries", right: RightRead,
		summary: "All registries by name, with what is in them"}, s.listRegistries)
	handle(s, operation{id: "getRegistry", method: http.MethodGet, path: "/registries/{id}", tag: "registries", right: RightRead,
		summary: "One registry"},
		func(ctx context.Context, in *RegistryID) (*body[Registry], error) {
			return s.oneRegistry(ctx, in.ID)
		})
	handle(s, operation{id: "checkRegistryName", method: http.MethodGet, path: "/registry-names/{name}", tag: "registries", right: RightRegistries,
		summary: "Whether a name may be used", detail: "For forms, while somebody types."}, s.checkName)
	handle(s, operation{id: "listSyncs", method: http.MethodGet, path: "/registries/{id}/syncs", tag: "registries", right: RightRead,
		summary: "The newest synchronisations of a registry"},
		func(ctx context.Context, in *struct {
			RegistryID
			Limit int `query:"limit" minimum:"1" maximum:"200" default:"20"`
		}) (*body[[]pratique.SyncRun], error) {
			if _, err := s.Registries.Registry(ctx, in.ID); err != nil {
				return nil, err
			}
			runs, err := s.Registries.Syncs(ctx, in.ID, in.Limit)
			if runs == nil {
				runs = []pratique.SyncRun{}
			}
			return &body[[]pratique.SyncRun]{runs}, err
		})
}

func (s *server) listRegistries(ctx context.Context, in *registriesInput) (*body[pratique.Page[Registry]], error) {
	rows, err := s.Registries.Registries(ctx)
	if err != nil {
		return nil, err
	}
	page := pratique.Page[Registry]{Items: []Registry{}}
	words := strings.Fields(strings.ToLower(in.Search))
	for _, r := range rows {
		text := strings.ToLower(r.Name + " " + r.Address)
		if len(in.Kinds) > 0 && !slices.Contains(in.Kinds, r.Kind) || len(in.Health) > 0 && !slices.Contains(in.Health, r.Health.Status) ||
			slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) }) {
			continue
		}
		page.Items = append(page.Items, shown(r))
	}
	page.Total = len(page.Items)
	return &body[pratique.Page[Registry]]{page}, nil
}

func (s *server) oneRegistry(ctx context.Context, id int64) (*body[Registry], error) {
	rows, err := s.Registries.Registries(ctx)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		if r.ID == id {
			return &body[Registry]{shown(r)}, nil
		}
	}
	return nil, pratique.Errorf(pratique.CodeNotFound, "there is no registry %d", id).WithRemedy("look at the list of registries: it may have been deleted")
}

// NameCheck says whether a name may be used.
type NameCheck struct {
	Available bool   `json:"available"`
	Reason    string `json:"reason,omitempty"`
	Remedy    string `json:"remedy,omitempty"`
}

func (s *server) checkName(ctx context.Context, in *struct {
	Name   string `path:"name" maxLength:"512"`
	Except int64  `query:"except" doc:"The registry that is being edited"`
}) (*body[NameCheck], error) {
	name := strings.TrimSpace(in.Name)
	probe := registry.Connection{Name: name, Address: "registry.example"}
	if field, err := probe.Validate(); field == "name" {
		p := problemOf(err)
		return &body[NameCheck]{NameCheck{Reason: p.Detail, Remedy: p.Remedy}}, nil
	}
	taken, err := s.Registries.RegistryNameTaken(ctx, name, in.Except)
	if err != nil {
		return nil, err
	}
	if taken {
		return &body[NameCheck]{NameCheck{Reason: "another registry has this name", Remedy: "choose another name"}}, nil
	}
	return &body[NameCheck]{NameCheck{Available: true}}, nil
}

func (s *server) registryWriting() {
	handle(s, operation{id: "createRegistry", method: http.MethodPost, path: "/registries", tag: "registries", right: RightRegistries, status: http.StatusCreated,
		summary: "Add a registry", detail: "Nothing is asked of it yet: test and synchronise it afterwards."}, s.createRegistry)
	handle(s, operation{id: "updateRegistry", method: http.MethodPut, path: "/registries/{id}", tag: "registries", right: RightRegistries,
		summary: "Change a registry",
		detail:  "The stored password stays when it is left out, unless it would go another way than before: with another address, another site, another proxy, or a certificate that is no longer verified, it has to be given again."}, s.updateRegistry)
	handle(s, operation{id: "deleteRegistry", method: http.MethodDelete, path: "/registries/{id}", tag: "registries", right: RightRegistries,
		summary: "Remove a registry with its inventory", detail: "What was found in its images stays as history."},
		func(ctx context.Context, in *RegistryID) (*body[Deleted], error) {
			return s.deleteRegistries(ctx, []int64{in.ID})
		})
	handle(s, operation{id: "deleteRegistries", method: http.MethodPost, path: "/registries/delete", tag: "registries", right: RightRegistries,
		summary: "Remove several registries"},
		func(ctx context.Context, in *struct {
			Body struct {
				IDs []int64 `json:"ids" minItems:"1" maxItems:"200"`
			}
		}) (*body[Deleted], error) {
			return s.deleteRegistries(ctx, in.Body.IDs)
		})
}

func (s *server) createRegistry(ctx context.Context, in *struct{ Body RegistryInput }) (*createdRegistry, error) {
	r, password := in.Body.record(0), value(in.Body.Password)
	if err := s.validate(ctx, r, password); err != nil {
		return nil, err
	}
	made, err := s.Registries.CreateRegistry(ctx, r, password)
	if err != nil {
		return nil, nameProblem(err)
	}
	if secret := value(in.Body.WebhookSecret); secret != "" {
		if err := s.Registries.SetWebhookSecret(ctx, made.ID, secret); err != nil {
			_, undo := s.Registries.DeleteRegistries(context.WithoutCancel(ctx), made.ID)
			if undo != nil {
				exchangeOf(ctx).log.Error("a registry without its webhook secret stays", "registry", made.ID, "error", undo)
			}
			return nil, err
		}
	}
	s.did(ctx, "registry.create", made.Name, made.Kind+" "+made.Address)
	return &createdRegistry{Location: basePath + "/registries/" + strconv.FormatInt(made.ID, 10), Body: shown(pratique.RegistryRow{Registry: made})}, nil
}

type createdRegistry struct {
	Location string `header:"Location"`
	Body     Registry
}

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// nameProblem puts "the name is taken" to its field.
func nameProblem(err error) error {
	if pratique.CodeOf(err) == pratique.CodeConflict {
		return fieldProblem("body.name", err)
	}
	return err
}

func (s *server) updateRegistry(ctx context.Context, in *struct {
	RegistryID
	Body RegistryInput
}) (*body[Registry], error) {
	stored, err := s.Registries.Registry(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	r := in.Body.record(in.ID)
	password, err := s.passwordFor(ctx, stored, r, in.Body.Password)
	if err != nil {
		return nil, err
	}
	if err := s.validate(ctx, r, password); err != nil {
		return nil, err
	}
	if _, err := s.Registries.UpdateRegistry(ctx, r, in.Body.Password); err != nil {
		return nil, nameProblem(err)
	}
	if in.Body.WebhookSecret != nil {
		if err := s.Registries.SetWebhookSecret(ctx, in.ID, *in.Body.WebhookSecret); err != nil {
			return nil, err
		}
	}
	s.did(ctx, "registry.update", r.Name, r.Kind+" "+r.Address)
	return s.oneRegistry(ctx, in.ID)
}

// passwordFor is the password that settings are used with: the given one, else the
// stored one. The stored one is not lent to settings that would send it to another
// server, or over a way that somebody else can read: whoever may edit a registry
// could read its password so.
func (s *server) passwordFor(ctx context.Context, stored, wanted pratique.Registry, given *string) (string, error) {
	if given != nil {
		return *given, nil
	}
	if !stored.HasPassword {
		return "", nil
	}
	if !sameWay(stored, wanted) {
		return "", fieldProblem("body.password", pratique.Errorf(pratique.CodeInvalid, "the stored password is not sent another way than before").
			WithRemedy("give the password again, because the address, the site, the proxy or how the certificate is verified changed"))
	}
	return s.Registries.RegistryPassword(ctx, stored.ID)
}

func sameWay(stored, wanted pratique.Registry) bool {
	scheme, host, err := connection(stored, "").Endpoint()
	wantedScheme, wantedHost, wantedErr := connection(wanted, "").Endpoint()
	return err == nil && wantedErr == nil && scheme == wantedScheme && strings.EqualFold(host, wantedHost) &&
		stored.Kind == wanted.Kind && stored.Site == wanted.Site && stored.Proxy == wanted.Proxy && stored.CA == wanted.CA && (stored.Insecure || !wanted.Insecure)
}

// Deleted says what went.
type Deleted struct {
	Registries int `json:"registries"`
	Images     int `json:"images" doc:"Rows of the list of images that went with them"`
}

func (s *server) deleteRegistries(ctx context.Context, ids []int64) (*body[Deleted], error) {
	slices.Sort(ids)
	ids = slices.Compact(ids)
	var names []string
	for _, id := range ids {
		r, err := s.Registries.Registry(ctx, id)
		if err != nil {
			return nil, err
		}
		names = append(names, r.Name)
	}
	rows, err := s.Registries.DeleteRegistries(ctx, ids...)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		s.did(ctx, "registry.delete", name, "")
	}
	return &body[Deleted]{Deleted{Registries: len(ids), Images: rows}}, nil
}

func (s *server) registryTesting() {
	handle(s, operation{id: "testRegistrySettings", method: http.MethodPost, path: "/registries/test", tag: "registries", right: RightRegistries,
		summary: "Test a connection before it is kept",
		detail:  "With the id of a registry that is being edited, its stored password is used if none is given. The answer is 200 whatever the test found: see status, reason and remedy, and the addresses that must be reachable. A registry of a site is tested by an agent of the site, which is waited for; that none answers is an outcome too."},
		func(ctx context.Context, in *struct {
			ID   int64 `query:"id" minimum:"0" doc:"The registry that is being edited"`
			Body RegistryInput
		}) (*body[registry.Health], error) {
			r, password := in.Body.record(in.ID), value(in.Body.Password)
			if in.ID != 0 {
				stored, err := s.Registries.Registry(ctx, in.ID)
				if err != nil {
					return nil, err
				}
				if password, err = s.passwordFor(ctx, stored, r, in.Body.Password); err != nil {
					return nil, err
				}
			}
			if err := s.validate(ctx, r, password); err != nil {
				return nil, err
			}
			return s.testConnection(ctx, r, password)
		})
	handle(s, operation{id: "testRegistry", method: http.MethodPost, path: "/registries/{id}/test", tag: "registries", right: RightRegistries,
		summary: "Test a registry's connection, and keep the outcome"},
		func(ctx context.Context, in *RegistryID) (*body[registry.Health], error) {
			r, err := s.Registries.Registry(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			password, err := s.Registries.RegistryPassword(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			out, err := s.testConnection(ctx, r, password)
			if err != nil {
				return nil, err
			}
			s.did(ctx, "registry.test", r.Name, string(out.Body.Status))
			return out, s.Registries.SetHealth(ctx, in.ID, keptHealth(out.Body))
		})
}

func (s *server) testConnection(ctx context.Context, r pratique.Registry, password string) (*body[registry.Health], error) {
	if err := s.described(r, password); err != nil { // its site's agents may be gone, which the test tells
		return nil, err
	}
	connector, err := s.connector(r.Kind)
	if err != nil {
		return nil, err
	}
	select {
	case s.testing <- struct{}{}:
		defer func() { <-s.testing }()
	default:
		return nil, newProblem(http.StatusServiceUnavailable, codeUnavailable, "too many connections are being tested").withRemedy("try again in a few seconds").withRetry(5 * time.Second)
	}
	health, err := s.tryOut(ctx, connector, r, password)
	health.Message = redact(health.Message)
	return &body[registry.Health]{health}, err
}

// tryOut asks the registry from where it is read.
func (s *server) tryOut(ctx context.Context, with registry.Connector, r pratique.Registry, password string) (registry.Health, error) {
	if r.Site != "" {
		return s.Syncs.TestSite(ctx, r, password)
	}
	ctx, cancel := context.WithTimeout(ctx, registry.CheckTimeout)
	defer cancel()
	return with.Check(ctx, connection(r, password)), nil
}

func keptHealth(h registry.Health) pratique.Health {
	checked := h.Checked
	if checked.IsZero() {
		checked = time.Now().UTC()
	}
	return pratique.Health{Status: string(h.Status), Reason: h.Reason, Remedy: h.Remedy, Checked: &checked, Addresses: h.Endpoints}
}
