package wire

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/pratique/pratique"
)

// Limits of what messages hold.
const (
	maxConfig   = 8 << 20 // bytes of an image's config; real ones have some kilobytes
	maxLayers   = 2000
	maxKeys     = 32
	maxText     = 4 << 10
	maxProblems = 2000
	maxImages   = 50_000
	maxRunning  = 100_000
)

// WorkWait is how long the service lets a question for work wait at most.
const WorkWait = 25 * time.Second

// Enrol asks for a certificate. It is the one message without one.
type Enrol struct {
	Secret string `json:"secret"` // of the token
	// Request is a certificate request, PKCS #10 in DER. Nothing of it counts but the
	// key, and the signature, which shows that the agent has it.
	Request []byte             `json:"request"`
	Kind    pratique.AgentKind `json:"kind"`
	Site    string             `json:"site,omitempty"`
	Name    string             `json:"name"`
	Version string             `json:"version"` // of the program
	Host    pratique.Host      `json:"host"`
}

// Certified answers Enrol and Renew.
type Certified struct {
	AgentID     int64     `json:"agentID"`
	Certificate []byte    `json:"certificate"` // DER
	Authority   []byte    `json:"authority"`   // the CA's certificate, DER
	Expires     time.Time `json:"expires"`
}

// Renew asks for a new certificate for the same key.
type Renew struct{}

// Key is an analyzer with its version, rule set included: what facts are kept by.
type Key = [2]string

// Hello is the first message after a start.
type Hello struct {
	Version string `json:"version"`
}

// Welcome answers Hello.
type Welcome struct {
	AgentID int64              `json:"agentID"`
	Kind    pratique.AgentKind `json:"kind"`
	Site    string             `json:"site,omitempty"`
	Service string             `json:"service"` // its program's version
	// SecretKey is what hashes of secrets are made with in this installation, so that
	// the same secret is recognised wherever it is. The agent keeps it in memory.
	SecretKey []byte `json:"secretKey"`
	// Rules are the packs of rules that layers are read with. Nil: the service does not
	// say, and what there is stays.
	Rules *RuleSet `json:"rules,omitempty"`
}

// RuleSet are all packs of rules for malware that are in force, beside those that the
// program brings.
type RuleSet struct {
	Packs []RulePack `json:"packs"`
}

// RulePack is one of them. Its content is asked for with [Piece].
type RulePack struct {
	pratique.RulePack
	Digest pratique.Digest `json:"digest"` // of its content
	Size   int64           `json:"size"`   // bytes
}

// MaxRules bounds the bytes of all packs that an agent keeps.
const MaxRules = 256 << 20

// Check refuses a set that makes no sense, or is more than an agent keeps.
func (s *RuleSet) Check() error {
	if len(s.Packs) > 100 {
		return pratique.Errorf(pratique.CodeLimit, "there are %d packs of rules; an agent takes 100", len(s.Packs)).WithRemedy("import fewer and larger ones on the service")
	}
	left := int64(MaxRules)
	for _, p := range s.Packs {
		if err := first(text("the name of a pack", p.Name, 200), digest(p.Digest, false)); err != nil {
			return err
		}
		if p.Size <= 0 {
			return invalid("the pack %s has %d bytes", p.Name, p.Size)
		}
		if left -= p.Size; left < 0 {
			return pratique.Errorf(pratique.CodeLimit, "the packs of rules take more than the %d MiB that an agent keeps", MaxRules>>20).WithRemedy("remove packs on the service: pratique feed remove PACK")
		}
	}
	return nil
}

// Piece asks for a part of a pack of rules.
type Piece struct {
	Digest pratique.Digest `json:"digest"` // of the pack
	From   int64           `json:"from"`   // bytes
}

// PieceSize is how many bytes a piece has at most.
const PieceSize = 1 << 20

// Content answers Piece. It is empty behind the end.
type Content struct {
	Bytes []byte `json:"bytes,omitempty"`
}

// Beat says that the agent lives.
type Beat struct {
	Host     pratique.Host      `json:"host"`
	Version  string             `json:"version"`
	Problems []pratique.Problem `json:"problems,omitempty"`
}

// Standing answers Beat: what holds until the next.
type Standing struct {
	Rules *RuleSet `json:"rules,omitempty"` // as in Welcome
}

// Engines are all that the host has.
type Engines struct {
	Engines []pratique.EngineInfo `json:"engines"`
}

// Inventory is what one engine has.
type Inventory struct {
	Inventory pratique.Inventory `json:"inventory"`
}

// Work asks for something to do.
type Work struct {
	// Wait is how long the answer may wait, in milliseconds; at most WorkWait.
	Wait int64 `json:"wait"`
	// Busy: no scan. Syncing: no synchronisation.
	Busy    bool `json:"busy,omitempty"`
	Syncing bool `json:"syncing,omitempty"`
}

// Task answers Work; all of it is zero when there is nothing to do.
type Task struct {
	pratique.AgentWork
	// Registries are those that Scan.Remote and Sync point to, or the one of Test, with
	// what is needed to read them. The agent keeps it in memory, for this work alone.
	Registries []Registry `json:"registries,omitempty"`
}

// Registry is a registry with its credential.
type Registry struct {
	pratique.Registry
	Password string `json:"password,omitempty"`
}

// Refreshed answers a data update.
type Refreshed struct {
	ID    int64           `json:"id"`
	Error *pratique.Error `json:"error,omitempty"` // why it could not be answered
}

// MaxTold is how many warnings, or addresses, are told of a connection test.
const MaxTold = 50

// Tested says what came of a connection test.
type Tested struct {
	ID     int64  `json:"id"`
	Health Health `json:"health"`
}

// Health is what a connection test found.
type Health struct {
	Fault                   // Status is "connected" when there is none
	Message   string        `json:"message,omitempty"`
	Warnings  []Fault       `json:"warnings,omitempty"` // without a status
	Product   string        `json:"product,omitempty"`
	Version   string        `json:"version,omitempty"`
	Endpoints []string      `json:"endpoints,omitempty"` // HOST:PORT, see registry.Health
	Sources   []string      `json:"sources,omitempty"`
	Latency   time.Duration `json:"latency"` // in nanoseconds
}

// Lease is what makes a message one about a scan.
type Lease struct {
	Scan    int64 `json:"scan"`
	Attempt int   `json:"attempt"`
}

// Known asks which layers of an image need not be read.
type Known struct {
	Lease
	// Config is the image's, whose digest is the image's ID and which lists its layers.
	Config []byte `json:"config"`
	// Keys are what the agent reads layers with.
	Keys []Key `json:"keys"`
}

// Layers answers Known.
type Layers struct {
	Known []pratique.Digest `json:"known,omitempty"` // diffIDs
}

// Facts is what one analyzer found in one layer.
type Facts struct {
	Lease
	Config []byte         `json:"config"` // as in Known
	Facts  pratique.Facts `json:"facts"`
}

// Progress tells how far a scan is, in per cent.
type Progress struct {
	Lease
	Progress map[pratique.Category]int `json:"progress"`
}

// Finish hands a scan in: facts are told, the service judges.
type Finish struct {
	Lease
	Reading pratique.Reading `json:"reading"`
}

// Fail ends a scan that came to no end.
type Fail struct {
	Lease
	Error pratique.Error `json:"error"`
	// Reading is what was read until then, if the image could be opened.
	Reading *pratique.Reading `json:"reading,omitempty"`
}

// Release gives a scan back.
type Release struct{ Lease }

// Run makes what follows a message about a synchronisation of a registry of the
// agent's site. It is refused as cancelled once the run is over.
type Run struct {
	Run int64 `json:"run"`
}

// Repository asks which rows the service has of a repository.
type Repository struct {
	Run
	Repository string `json:"repository"`
}

// Manifests asks what the service knows of manifests from registries of the site.
type Manifests struct {
	Run
	Digests []pratique.Digest `json:"digests"`
}

// Rows answers Repository and Manifests.
type Rows struct {
	Rows []pratique.Asset `json:"rows,omitempty"`
}

// Listed hands in what a repository holds.
type Listed struct {
	Run
	Repository string           `json:"repository"`
	Rows       []pratique.Asset `json:"rows,omitempty"`
	Whole      bool             `json:"whole,omitempty"` // what it does not have is gone
}

// Synced tells how far a synchronisation is, and at its end how that was.
type Synced struct {
	Run
	Done    int `json:"done"` // repositories
	Total   int `json:"total"`
	Added   int `json:"added"`
	Changed int `json:"changed"`
	Gone    int `json:"gone"`
	// End is how it ended. Nil: it goes on.
	End *SyncEnd `json:"end,omitempty"`
}

// SyncEnd is how a synchronisation ended.
type SyncEnd struct {
	Wish  pratique.SyncWish `json:"wish"` // that was done, as it came
	New   []pratique.Digest `json:"new,omitempty"`
	Reads int               `json:"reads"`
	Error *pratique.Error   `json:"error,omitempty"`
	// Fault is what the error means, for people. Partly: only for a part of the registry.
	Fault  *Fault `json:"fault,omitempty"`
	Partly bool   `json:"partly,omitempty"`
}

// Fault is a way in which registries fail.
type Fault struct {
	Status string        `json:"status"`
	Reason pratique.Text `json:"reason"`
	Remedy pratique.Text `json:"remedy"`
}

// MaxManifests bounds one question for manifests.
const MaxManifests = 5000

// Done answers messages that need no answer.
type Done struct{}

func (*Enrol) Path() string     { return "enrol" }
func (*Renew) Path() string     { return "renew" }
func (*Hello) Path() string     { return "hello" }
func (*Beat) Path() string      { return "beat" }
func (*Piece) Path() string     { return "rules" }
func (*Engines) Path() string   { return "engines" }
func (*Inventory) Path() string { return "inventory" }
func (*Work) Path() string      { return "work" }
func (*Refreshed) Path() string { return "refreshed" }
func (*Tested) Path() string    { return "tested" }
func (*Known) Path() string     { return "known" }
func (*Facts) Path() string     { return "facts" }
func (*Progress) Path() string  { return "progress" }
func (*Finish) Path() string    { return "finish" }
func (*Fail) Path() string      { return "fail" }
func (*Release) Path() string   { return "release" }

func (*Repository) Path() string { return "repository" }
func (*Manifests) Path() string  { return "manifests" }
func (*Listed) Path() string     { return "listed" }
func (*Synced) Path() string     { return "synced" }

func (*Enrol) Limit() Limit     { return Small() }
func (*Renew) Limit() Limit     { return Small() }
func (*Hello) Limit() Limit     { return Small() }
func (*Beat) Limit() Limit      { return Small() }
func (*Piece) Limit() Limit     { return Small() }
func (*Engines) Limit() Limit   { return Small() }
func (*Work) Limit() Limit      { return Small() }
func (*Refreshed) Limit() Limit { return Small() }
func (*Tested) Limit() Limit    { return Small() }
func (*Progress) Limit() Limit  { return Small() }
func (*Release) Limit() Limit   { return Small() }

func (*Repository) Limit() Limit { return Small() }
func (*Manifests) Limit() Limit {
	return Limit{Packed: 1 << 20, Bytes: 1 << 20, Objects: 10, Values: 10_000}
}
func (*Listed) Limit() Limit { return RowsLimit() }

// The names of a hundred thousand contents.
func (*Synced) Limit() Limit {
	return Limit{Packed: 8 << 20, Bytes: 10 << 20, Objects: 1000, Values: 250_000}
}

// RowsLimit is that of the rows of a repository: as many as a connector lists of one.
func RowsLimit() Limit {
	return Limit{Packed: 32 << 20, Bytes: 128 << 20, Objects: 600_000, Values: 6_000_000}
}

// An inventory of 50 000 images, each with a name and a few labels.
func (*Inventory) Limit() Limit {
	return Limit{Packed: 16 << 20, Bytes: 96 << 20, Objects: 600_000, Values: 4_000_000}
}

// Facts of a layer with a million files: eight bytes each in Entries, base64, and
// what an analyzer has to say of a tenth of them.
func (*Facts) Limit() Limit {
	return Limit{Packed: 32 << 20, Bytes: 96 << 20, Objects: 500_000, Values: 5_000_000}
}

func (*Known) Limit() Limit { return readingLimit() }
func (*Finish) Limit() Limit {
	return readingLimit()
}
func (*Fail) Limit() Limit { return readingLimit() }

// A config, in base64, and a description of each layer.
func readingLimit() Limit {
	return Limit{Packed: 12 << 20, Bytes: 16 << 20, Objects: 10_000, Values: 200_000}
}

func invalid(format string, args ...any) error {
	return pratique.Errorf(pratique.CodeInvalid, format, args...).WithRemedy("update the service before its agents")
}

// text refuses what is too long, or would not stay on one line of a page.
func text(name, s string, most int) error {
	if len(s) > most {
		return invalid("%s is longer than %d bytes", name, most)
	}
	for _, r := range s {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return invalid("%s has characters that cannot be shown", name)
		}
	}
	return nil
}

// first returns the first fault.
func first(faults ...error) error {
	for _, err := range faults {
		if err != nil {
			return err
		}
	}
	return nil
}

func (m *Enrol) Validate() error {
	switch {
	case !validSecret(m.Secret):
		return invalid("this is no secret of a token")
	case len(m.Request) == 0 || len(m.Request) > 8<<10:
		return invalid("there is no certificate request, or a very large one")
	case m.Kind != pratique.AgentHost && m.Kind != pratique.AgentSite:
		return invalid("%.20q is no kind of agent", string(m.Kind))
	}
	return first(text("site", m.Site, 64), text("name", m.Name, 255), text("version", m.Version, 100), host(m.Kind, m.Host))
}

func (*Renew) Validate() error   { return nil }
func (m *Hello) Validate() error { return text("version", m.Version, 100) }

func (m *Beat) Validate() error {
	return first(host("", m.Host), text("version", m.Version, 100), problems(m.Problems, 100))
}

func host(kind pratique.AgentKind, h pratique.Host) error {
	if kind == pratique.AgentHost && len(h.ID) != 32 {
		return invalid("the host's id has another length")
	}
	return first(text("host id", h.ID, 64), text("host", h.Name, 255), text("os", h.OS, 200), text("kernel", h.Kernel, 200), text("architecture", h.Architecture, 40),
		text("project", h.Project, 128), engines(h.Engines))
}

func engines(all []pratique.EngineInfo) error {
	if len(all) > 64 {
		return invalid("more than 64 engines")
	}
	for _, e := range all {
		if err := engine(e); err != nil {
			return err
		}
	}
	return nil
}

func engine(e pratique.EngineInfo) error {
	if e.Kind != pratique.EngineDocker && e.Kind != pratique.EngineContainerd && e.Kind != pratique.EnginePodman {
		return invalid("%.20q is no kind of engine", string(e.Kind))
	}
	return first(text("engine version", e.Version, 100), text("engine id", e.ID, 200), text("store", e.Store, 100), text("root", e.Root, 400), text("owner", e.Owner, 200))
}

func (m *Piece) Validate() error {
	if m.From < 0 {
		return invalid("a piece from %d", m.From)
	}
	return digest(m.Digest, false)
}

func (m *Engines) Validate() error { return engines(m.Engines) }

func (m *Inventory) Validate() error {
	i := &m.Inventory
	switch {
	case i.Generation <= 0:
		return invalid("an inventory without a generation")
	case len(i.Images) > maxImages || len(i.Containers) > maxRunning:
		return pratique.Errorf(pratique.CodeLimit, "an inventory of more than %d images or %d containers", maxImages, maxRunning).WithRemedy("remove what nobody uses")
	}
	if err := engine(i.Engine); err != nil {
		return err
	}
	if i.Error != nil {
		return fault(i.Error)
	}
	for _, image := range i.Images {
		if image.ID == "" && image.Reason == "" {
			return invalid("an image without an id, and without the reason")
		}
		if err := first(digest(image.ID, true), digest(image.EngineID, true)); err != nil {
			return err
		}
	}
	for _, c := range i.Containers {
		if err := first(digest(c.ImageID, true), text("container", c.ID, 200)); err != nil {
			return err
		}
	}
	return nil
}

func digest(d pratique.Digest, may bool) error {
	if d == "" && may {
		return nil
	}
	if _, err := pratique.ParseDigest(string(d)); err != nil {
		return invalid("%v", err)
	}
	return nil
}

func (m *Work) Validate() error {
	if m.Wait < 0 {
		return invalid("it cannot wait for %d ms", m.Wait)
	}
	return nil
}

func (m *Refreshed) Validate() error {
	if m.ID <= 0 {
		return invalid("a data update without a number")
	}
	if m.Error != nil {
		return fault(m.Error)
	}
	return nil
}

// codes that agents may give.
func codes() []pratique.Code {
	return []pratique.Code{pratique.CodeInvalid, pratique.CodeNotFound, pratique.CodeUnauthorized, pratique.CodeRateLimited, pratique.CodeUnreachable, pratique.CodeCorrupt,
		pratique.CodeUnsupported, pratique.CodeLimit, pratique.CodeDisk, pratique.CodeCancelled, pratique.CodeTimeout, pratique.CodeConflict, pratique.CodeInternal}
}

func fault(e *pratique.Error) error {
	if !slices.Contains(codes(), e.Code) {
		return invalid("%.40q is no code of an error", string(e.Code))
	}
	if e.Message == "" {
		return invalid("an error without a message")
	}
	return first(text("message", e.Message, maxText), text("remedy", e.Remedy, maxText))
}

func problems(all []pratique.Problem, most int) error {
	if len(all) > most {
		return invalid("more than %d problems", most)
	}
	for _, p := range all {
		if err := first(fault(&pratique.Error{Code: p.Code, Message: p.Message, Remedy: p.Remedy}), text("analyzer", p.Analyzer, 64)); err != nil {
			return err
		}
	}
	return nil
}

func (l *Lease) validate() error {
	if l.Scan <= 0 || l.Attempt <= 0 {
		return invalid("a scan without its number or attempt")
	}
	return nil
}

func config(b []byte) error {
	if len(b) == 0 {
		return invalid("there is no config")
	}
	if len(b) > maxConfig {
		return pratique.Errorf(pratique.CodeLimit, "the image's config is larger than %d MiB", maxConfig>>20).WithRemedy("no image needs one that large; build the image again")
	}
	return nil
}

func keys(all []Key) error {
	if len(all) == 0 || len(all) > maxKeys {
		return invalid("it reads layers with %d analyzers", len(all))
	}
	for _, k := range all {
		if err := first(text("analyzer", k[0], 64), text("version", k[1], 400)); err != nil {
			return err
		}
	}
	return nil
}

func (m *Known) Validate() error {
	return first(m.Lease.validate(), config(m.Config), keys(m.Keys))
}

func (m *Facts) Validate() error {
	return first(m.Lease.validate(), config(m.Config), digest(m.Facts.DiffID, false), text("analyzer", m.Facts.Analyzer, 64), text("version", m.Facts.Version, 400))
}

func (m *Progress) Validate() error {
	if len(m.Progress) > 16 {
		return invalid("progress of more categories than there are")
	}
	for c, percent := range m.Progress {
		if percent < 0 || percent > 100 {
			return invalid("%.20q is at %d per cent", string(c), percent)
		}
	}
	return m.Lease.validate()
}

func (m *Finish) Validate() error { return first(m.Lease.validate(), reading(&m.Reading)) }

func (m *Fail) Validate() error {
	if m.Reading != nil {
		if err := reading(m.Reading); err != nil {
			return err
		}
	}
	return first(m.Lease.validate(), fault(&m.Error))
}

func (m *Release) Validate() error { return m.Lease.validate() }

func (m *Run) validate() error {
	if m.Run <= 0 {
		return invalid("a synchronisation without its number")
	}
	return nil
}

func (m *Repository) Validate() error {
	return first(m.Run.validate(), text("repository", m.Repository, 1000))
}

func (m *Manifests) Validate() error {
	if len(m.Digests) > MaxManifests {
		return pratique.Errorf(pratique.CodeLimit, "more than %d manifests in one question", MaxManifests)
	}
	return first(m.Run.validate(), digests(m.Digests))
}

func digests(all []pratique.Digest) error {
	for _, d := range all {
		if err := digest(d, false); err != nil {
			return err
		}
	}
	return nil
}

func (m *Listed) Validate() error {
	for _, r := range m.Rows {
		if err := first(digest(r.Digest, false), digest(r.Index, true), digest(r.ImageID, true), text("tag", r.Tag, 1000),
			text("os", r.Platform.OS, 100), text("architecture", r.Platform.Architecture, 100), text("variant", r.Platform.Variant, 100)); err != nil {
			return err
		}
		if r.Size < 0 {
			return invalid("an image of %d bytes", r.Size)
		}
	}
	return first(m.Run.validate(), text("repository", m.Repository, 1000))
}

func (m *Synced) Validate() error {
	if m.Done < 0 || m.Total < 0 || m.Added < 0 || m.Changed < 0 || m.Gone < 0 {
		return invalid("fewer than no repositories or images")
	}
	if m.End == nil {
		return m.Run.validate()
	}
	return first(m.Run.validate(), m.End.validate())
}

func (e *SyncEnd) validate() error {
	if e.Fault != nil && e.Error == nil || e.Reads < 0 {
		return invalid("it failed without an error")
	}
	if e.Error != nil {
		if err := fault(e.Error); err != nil {
			return err
		}
	}
	if e.Fault != nil {
		if err := e.Fault.validate(); err != nil {
			return err
		}
	}
	return digests(e.New)
}

func (f *Fault) validate() error {
	return first(text("status", f.Status, 40), text("reason", f.Reason.EN, maxText), text("reason", f.Reason.ZH, maxText), text("remedy", f.Remedy.EN, maxText), text("remedy", f.Remedy.ZH, maxText))
}

func (m *Tested) Validate() error {
	h := &m.Health
	if m.ID <= 0 || h.Status == "" || h.Latency < 0 {
		return invalid("a connection test without its number or outcome")
	}
	if len(h.Warnings) > MaxTold || len(h.Endpoints) > MaxTold || len(h.Sources) > MaxTold {
		return invalid("a connection test with more than %d warnings or addresses", MaxTold)
	}
	faults := []error{h.Fault.validate(), text("message", h.Message, maxText), text("product", h.Product, 200), text("version", h.Version, 40)}
	for i := range h.Warnings {
		faults = append(faults, h.Warnings[i].validate())
	}
	for _, address := range append(slices.Clone(h.Endpoints), h.Sources...) {
		faults = append(faults, text("address", address, 300))
	}
	return first(faults...)
}

func reading(r *pratique.Reading) error {
	if len(r.Layers) > maxLayers || len(r.Tags) > maxLayers {
		return pratique.Errorf(pratique.CodeLimit, "an image of more than %d layers or tags", maxLayers).WithRemedy("build the image again with fewer")
	}
	if err := first(config(r.Config), keys(r.Keys), text("name", r.Name, maxText), text("way", r.ReadFrom, maxText), digest(r.Digest, true), digest(r.Index, true), problems(r.Problems, maxProblems)); err != nil {
		return err
	}
	for _, tag := range r.Tags {
		if err := text("tag", tag, 1000); err != nil {
			return err
		}
	}
	for _, l := range r.Layers {
		if err := first(digest(l.Digest, true), text("media type", l.MediaType, 200), text("reason", l.Reason, maxText), state(l.State)); err != nil {
			return err
		}
		if l.Size < 0 {
			return invalid("a layer of %d bytes", l.Size)
		}
	}
	return nil
}

func state(s pratique.LayerState) error {
	switch s {
	case pratique.LayerRead, pratique.LayerCached, pratique.LayerForeign, pratique.LayerEncrypted, pratique.LayerUnreadable, pratique.LayerNotRead:
		return nil
	}
	return invalid("%.20q is no state of a layer", string(s))
}

// Line makes a text fit for a message: one line, of at most so many bytes.
func Line(s string, most int) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsControl(r) || r == unicode.ReplacementChar }), " ")
	for len(s) > most {
		s = strings.ToValidUTF8(s[:most], "")
	}
	return s
}
