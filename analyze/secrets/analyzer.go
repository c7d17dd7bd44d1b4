package secrets

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	gitleaks "github.com/zricethezav/gitleaks/v8/config"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/analyze"
)

// Options configure an Analyzer. The zero value has all rules and all guards.
type Options struct {
	// Key makes the hashes of findings. It must stay with the installation, since
	// a short secret could be guessed from its hash with it. Without a key,
	// findings have no hash.
	Key []byte
	// ConfigTOML is a configuration in gitleaks' syntax. With extend.useDefault
	// it adds to and changes the built-in rules (gitleaks' and ours); without, its
	// rules are the only ones. An allow list may also have hashes, as findings
	// show them.
	ConfigTOML string
	// GuardsOff switches guards against false alarms off.
	GuardsOff []Guard
}

// maxConfig bounds Options.ConfigTOML, in bytes.
const maxConfig = 4 << 20

// codeVersion changes when the same rules could find other things.
const codeVersion = "4"

//go:embed rules/*.toml
var ruleFiles embed.FS

// Analyzer finds secrets in files and in the configs of images.
type Analyzer struct {
	key     []byte
	version string
	guards  guards
	load    func() *loaded
}

// loaded is what the first file needs, and a process without one does without.
type loaded struct {
	engine *engine
	paths  *pathRules
}

var (
	_ analyze.Analyzer = (*Analyzer)(nil)
	_ analyze.Nester   = (*Analyzer)(nil)
)

// New returns an analyzer. A configuration that cannot be used is
// pratique.CodeInvalid, with the place and a remedy.
func New(opt Options) (*Analyzer, error) {
	g, err := newGuards(opt.GuardsOff)
	if err != nil {
		return nil, err
	}
	user, err := parseUser(opt.ConfigTOML)
	if err != nil {
		return nil, err
	}
	own, err := ownFiles()
	if err != nil {
		return nil, err
	}
	a := &Analyzer{key: slices.Clone(opt.Key), guards: g}
	a.version = a.digest(append(own, gitleaks.DefaultConfig, opt.ConfigTOML, g.String()))
	if user != nil {
		// The user's mistakes are told now, ours by the tests.
		l, err := assemble(own, user)
		if err != nil {
			return nil, configError(err)
		}
		a.load = func() *loaded { return l }
		return a, nil
	}
	a.load = sync.OnceValue(func() *loaded {
		l, err := assemble(own, nil)
		if err != nil {
			panic("secrets: built-in rules: " + err.Error()) // a test loads them
		}
		return l
	})
	return a, nil
}

func parseUser(text string) (*ruleFile, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	if len(text) > maxConfig {
		return nil, pratique.Errorf(pratique.CodeLimit, "the secret rules have %d bytes, more than %d", len(text), maxConfig).
			WithRemedy("split the configuration, or shorten its allow lists")
	}
	f, err := parseFile(text)
	if err != nil {
		return nil, configError(err)
	}
	if f.Extend.Path != "" || f.Extend.URL != "" {
		return nil, configError(fmt.Errorf("extend.path and extend.url are not followed"))
	}
	return f, nil
}

func configError(err error) error {
	return pratique.Errorf(pratique.CodeInvalid, "secret rules: %v", err).
		WithRemedy("correct the configuration; its syntax is that of .gitleaks.toml, see docs/add-a-secret-rule.md")
}

func ownFiles() ([]string, error) {
	entries, err := ruleFiles.ReadDir("rules")
	if err != nil {
		return nil, err
	}
	var texts []string
	for _, e := range entries {
		b, err := ruleFiles.ReadFile("rules/" + e.Name())
		if err != nil {
			return nil, err
		}
		texts = append(texts, string(b))
	}
	return texts, nil
}

// digest names everything that facts depend on. The key is in it as a
// fingerprint that tells nothing about it.
func (a *Analyzer) digest(parts []string) string {
	h := sha256.New()
	for _, p := range append(parts, a.fingerprint()) {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return codeVersion + "-" + hex.EncodeToString(h.Sum(nil)[:8])
}

func (a *Analyzer) fingerprint() string {
	if len(a.key) == 0 {
		return ""
	}
	m := hmac.New(sha256.New, a.key)
	m.Write([]byte("pratique secrets key fingerprint"))
	return hex.EncodeToString(m.Sum(nil)[:8])
}

// assemble joins gitleaks' rules, ours and the user's.
func assemble(own []string, user *ruleFile) (*loaded, error) {
	c, files, err := builtin(own)
	if err != nil {
		return nil, err
	}
	if user != nil {
		mine, err := user.translate()
		if err != nil {
			return nil, err
		}
		for _, r := range mine.rules {
			r.rank = rankUser
			for _, a := range r.allows {
				a.user = true
			}
		}
		for _, a := range mine.allows {
			a.user = true
		}
		if user.Extend.UseDefault {
			mine.extend(c, user.Extend.DisabledRules)
		}
		c, files = mine, append(files[:0:0], user)
	}
	for _, f := range files {
		if err := f.aim(c, user != nil); err != nil {
			return nil, err
		}
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	for _, r := range c.rules {
		r.severity, r.kind = orElse(r.severity, pratique.SeverityHigh), orElse(r.kind, "token")
	}
	e, fits := newEngine(c)
	if !fits {
		return nil, fmt.Errorf("the keywords of all rules together are too long")
	}
	return &loaded{engine: e, paths: newPathRules(c)}, nil
}

// builtin is gitleaks' rules and ours. Where both have a rule of one name,
// ours changes gitleaks'.
func builtin(own []string) (*config, []*ruleFile, error) {
	theirs, err := parseFile(gitleaks.DefaultConfig)
	if err != nil {
		return nil, nil, err
	}
	base, err := theirs.translate()
	if err != nil {
		return nil, nil, err
	}
	ours := &ruleFile{}
	for _, text := range own {
		f, err := parseFile(text)
		if err != nil {
			return nil, nil, err
		}
		ours.Rules = append(ours.Rules, f.Rules...)
		ours.Types = append(ours.Types, f.Types...)
		ours.Judgements = append(ours.Judgements, f.Judgements...)
		ours.Allowlists = append(ours.Allowlists, f.Allowlists...)
	}
	c, err := ours.translate()
	if err != nil {
		return nil, nil, err
	}
	for _, r := range c.rules {
		r.rank = rankOurs
	}
	c.extend(base, nil)
	ours.describe(c)
	return c, []*ruleFile{theirs, ours}, nil
}

// describe fills in what rules do not say themselves: type and severity of
// gitleaks' rules from the judgements, and for all of them what their type says.
func (f *ruleFile) describe(c *config) {
	for _, j := range f.Judgements {
		for _, id := range j.Rules {
			if r := c.rule(id); r != nil {
				r.kind, r.severity = orElse(r.kind, j.Type), orElse(r.severity, j.Severity)
			}
		}
	}
	for _, r := range c.rules {
		r.kind = orElse(r.kind, "token")
		for _, t := range f.Types {
			if t.Name == r.kind {
				r.severity = orElse(r.severity, t.Severity)
				r.advice.EN = orElse(r.advice.EN, t.Advice.EN)
				r.advice.ZH = orElse(r.advice.ZH, t.Advice.ZH)
			}
		}
	}
}

func orElse[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

// Name implements analyze.Analyzer.
func (a *Analyzer) Name() string { return "secrets" }

// Version implements analyze.Analyzer: code, rules, options and the key's
// fingerprint.
func (a *Analyzer) Version() string { return a.version }

// Nested implements analyze.Nester: the pass opens archives.
func (a *Analyzer) Nested() bool { return true }

// Wants implements analyze.Analyzer. It answers by name and first bytes: what
// cannot be text, and is no keystore, is not read, whatever its size.
func (a *Analyzer) Wants(f *analyze.File) bool {
	if f.Size == 0 {
		return false
	}
	l := a.load()
	if l.paths.allowed(f.Path) {
		return false
	}
	if len(l.paths.matching(f.Path)) > 0 {
		return true
	}
	if f.Head == nil {
		return false // a second name: what is in the file was told by its first
	}
	form := formOf(f.Path, f.Head, f.Size)
	return form != formNone && !(a.guards.vendored && bulky(f.Path))
}

// maxKeystore bounds what is read of a keystore, in bytes.
const maxKeystore = 16 << 20

// Analyze implements analyze.Analyzer.
func (a *Analyzer) Analyze(ctx context.Context, f *analyze.File, c analyze.Content, facts *pratique.Facts) error {
	l := a.load()
	x := &scan{ctx: ctx, analyzer: a, loaded: l, facts: facts}
	x.scratch = l.engine.scratch.Get().(*scratch)
	defer l.engine.scratch.Put(x.scratch)
	head := f.Head
	if len(head) == 0 {
		head = make([]byte, min(analyze.SniffLen, c.Size()))
		n, err := c.ReadAt(head, 0)
		if err != nil && err != io.EOF {
			return err
		}
		head = head[:n]
	}
	err := x.content(f.Path, formOf(f.Path, head, c.Size()), c)
	for _, r := range l.paths.matching(f.Path) {
		if r.kind != "keystore" || !x.keystoreFound(f.Path) {
			x.addPath(r, f.Path)
		}
	}
	return err
}
