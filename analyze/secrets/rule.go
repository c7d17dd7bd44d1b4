package secrets

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"sync"

	"github.com/pelletier/go-toml/v2"

	"github.com/pratique/pratique"
)

// A rule file is gitleaks' (https://github.com/gitleaks/gitleaks#configuration).
// Ours add keys to a rule, which gitleaks passes over: severity, type, heading,
// advice, broad and context.
type ruleFile struct {
	Title      string
	Extend     extendTOML
	Rules      []ruleTOML
	AllowList  *allowTOML // the older form of one allow list
	Allowlists []*allowTOML
	MinVersion string
	Types      []typeTOML // ours: what the types of secret mean
	Judgements []judgementTOML
}

type extendTOML struct {
	Path          string
	URL           string
	UseDefault    bool
	DisabledRules []string
}

type ruleTOML struct {
	ID          string
	Description string
	Path        string
	Regex       string
	SecretGroup int
	Entropy     float64
	Keywords    []string
	Tags        []string
	AllowList   *allowTOML
	Allowlists  []*allowTOML
	Required    []requiredTOML
	SkipReport  bool

	Severity pratique.Severity
	Type     string
	Heading  string `toml:"heading"`
	Advice   textTOML
	Broad    bool   // gives way to any rule that says more
	Context  string // "config": only environment, labels and build steps
}

type allowTOML struct {
	Description string
	Condition   string
	Commits     []string
	Paths       []string
	RegexTarget string
	Regexes     []string
	StopWords   []string
	TargetRules []string
	Hashes      []string // ours: of findings, as reports show them
}

type requiredTOML struct {
	ID            string
	WithinLines   *int
	WithinColumns *int
}

type textTOML struct{ EN, ZH string }

// typeTOML is a kind of secret: how bad it is, and what to do.
type typeTOML struct {
	Name     string
	Severity pratique.Severity
	Advice   textTOML
}

// judgementTOML says what the rules of a foreign file are about.
type judgementTOML struct {
	Type     string
	Severity pratique.Severity
	Rules    []string
}

// rule is one thing to look for.
type rule struct {
	id       string
	title    string
	pattern  *pattern  // nil for a rule about paths only
	path     *pathTest // nil for any path
	group    int       // of the secret; 0 for the first that is not empty
	entropy  float64   // a secret must have more, unless 0
	keywords []string  // folded; one must occur in the text, unless there are none
	allows   []*allowlist
	required []requiredTOML
	silent   bool // only serves as a part of others
	generic  bool // gives way to any other rule on the same line
	broad    bool // gives way to rules that are not
	rank     int  // rankTheirs, rankOurs or rankUser
	severity pratique.Severity
	kind     string
	advice   pratique.Text
	context  string
}

// Contexts limit where a rule is used. A magic rule is about a binary format
// that the package knows.
const (
	contextConfig = "config"
	contextMagic  = "magic"
)

// config is a set of rules and what applies to all of them.
type config struct {
	rules  []*rule // by id
	allows []*allowlist
}

func (c *config) rule(id string) *rule {
	i, ok := slices.BinarySearchFunc(c.rules, id, func(r *rule, id string) int { return cmp.Compare(r.id, id) })
	if !ok {
		return nil
	}
	return c.rules[i]
}

// allowsHash tells whether an allow list has the hash of a finding.
func (c *config) allowsHash(r *rule, hash string) bool {
	has := func(a *allowlist) bool { return slices.Contains(a.hashes, hash) }
	return hash != "" && (slices.ContainsFunc(c.allows, has) || slices.ContainsFunc(r.allows, has))
}

func parseFile(text string) (*ruleFile, error) {
	var f ruleFile
	if err := toml.Unmarshal([]byte(text), &f); err != nil {
		return nil, err
	}
	return &f, nil
}

// translate checks a file and makes rules of it.
func (f *ruleFile) translate() (*config, error) {
	c := &config{}
	seen := map[string]int{}
	for i := range f.Rules {
		r, err := f.Rules[i].translate()
		if err != nil {
			return nil, err
		}
		if at, ok := seen[r.id]; ok { // the last of equal names counts, as in gitleaks
			c.rules[at] = r
			continue
		}
		seen[r.id] = len(c.rules)
		c.rules = append(c.rules, r)
	}
	lists := f.Allowlists
	if f.AllowList != nil {
		if len(lists) > 0 {
			return nil, fmt.Errorf("[allowlist] is deprecated and cannot be used beside [[allowlists]]")
		}
		lists = []*allowTOML{f.AllowList}
	}
	for _, a := range lists {
		list, err := a.translate()
		if err != nil {
			return nil, fmt.Errorf("[[allowlists]]: %w", err)
		}
		if a == nil || len(a.TargetRules) == 0 {
			c.allows = append(c.allows, list)
		}
	}
	c.sort()
	return c, nil
}

func (c *config) sort() {
	slices.SortFunc(c.rules, func(a, b *rule) int { return cmp.Compare(a.id, b.id) })
}

// aim attaches the allow lists of f that name rules. It comes after the files
// are joined: they may name rules of another file.
func (f *ruleFile) aim(c *config, user bool) error {
	for _, a := range f.Allowlists {
		if a == nil {
			continue
		}
		for _, id := range a.TargetRules {
			r := c.rule(id)
			if r == nil {
				return fmt.Errorf("[[allowlists]]: target rule %q does not exist", id)
			}
			list, err := a.translate()
			if err != nil {
				return fmt.Errorf("[[allowlists]]: %w", err)
			}
			list.user = user
			r.allows = append(slices.Clone(r.allows), list)
		}
	}
	return nil
}

func (t *ruleTOML) translate() (*rule, error) {
	r := &rule{
		id: t.ID, title: t.Heading, group: t.SecretGroup, entropy: t.Entropy, silent: t.SkipReport, required: t.Required,
		severity: t.Severity, kind: t.Type, advice: pratique.Text{EN: t.Advice.EN, ZH: t.Advice.ZH}, context: t.Context, broad: t.Broad,
		generic: strings.Contains(strings.ToLower(t.ID), "generic"),
	}
	if r.title == "" {
		r.title = t.Description
	}
	if strings.TrimSpace(t.ID) == "" {
		return nil, fmt.Errorf("a rule has no id (description %.60q, regex %.60q)", t.Description, t.Regex)
	}
	var err error
	if t.Regex != "" {
		if r.pattern, err = newPattern(t.Regex); err != nil {
			return nil, fmt.Errorf("rule %s: regex: %w", t.ID, err)
		}
	}
	if t.Path != "" {
		if r.path, err = newPathTest(t.Path); err != nil {
			return nil, fmt.Errorf("rule %s: path: %w", t.ID, err)
		}
	}
	if r.pattern != nil && (t.SecretGroup < 0 || t.SecretGroup > r.pattern.groups) {
		return nil, fmt.Errorf("rule %s: secretGroup %d, but the regex has %d groups", t.ID, t.SecretGroup, r.pattern.groups)
	}
	for _, k := range t.Keywords {
		r.keywords = append(r.keywords, strings.ToLower(k))
	}
	lists := t.Allowlists
	if t.AllowList != nil {
		if len(lists) > 0 {
			return nil, fmt.Errorf("rule %s: [rules.allowlist] is deprecated and cannot be used beside [[rules.allowlists]]", t.ID)
		}
		lists = []*allowTOML{t.AllowList}
	}
	for _, a := range lists {
		list, err := a.translate()
		if err != nil {
			return nil, fmt.Errorf("rule %s: [[rules.allowlists]]: %w", t.ID, err)
		}
		r.allows = append(r.allows, list)
	}
	slices.SortStableFunc(r.allows, func(a, b *allowlist) int { return cmp.Compare(a.cost(), b.cost()) })
	return r, nil
}

// check looks at what only the whole set tells.
func (c *config) check() error {
	for _, r := range c.rules {
		if r.pattern == nil && r.path == nil && r.context != contextMagic {
			return fmt.Errorf("rule %s: neither regex nor path: it could find nothing", r.id)
		}
		for _, q := range r.required {
			if c.rule(q.ID) == nil {
				return fmt.Errorf("rule %s: [[rules.required]]: rule %q does not exist", r.id, q.ID)
			}
		}
	}
	return nil
}

// extend adds the rules of base that are not disabled to c. A rule of c with
// the same id changes what it states and keeps the rest, as in gitleaks.
func (c *config) extend(base *config, disabled []string) {
	var added []*rule
	for _, b := range base.rules {
		if slices.Contains(disabled, b.id) {
			continue
		}
		mine := c.rule(b.id)
		if mine == nil {
			added = append(added, b)
			continue
		}
		merged := *b
		merged.title = cmp.Or(mine.title, b.title)
		merged.entropy = cmp.Or(mine.entropy, b.entropy)
		merged.group = cmp.Or(mine.group, b.group)
		merged.severity = cmp.Or(mine.severity, b.severity)
		merged.kind = cmp.Or(mine.kind, b.kind)
		if mine.advice != (pratique.Text{}) {
			merged.advice = mine.advice
		}
		if mine.pattern != nil {
			merged.pattern = mine.pattern
		}
		if mine.path != nil {
			merged.path = mine.path
		}
		merged.keywords = slices.Concat(b.keywords, mine.keywords)
		merged.allows = slices.Concat(b.allows, mine.allows)
		merged.rank = mine.rank
		*mine = merged
	}
	c.rules = append(c.rules, added...)
	c.sort()
	c.allows = slices.Concat(c.allows, base.allows)
}

// pathTest is a regular expression over paths with the words that it needs, so
// that most paths are turned down without it.
type pathTest struct {
	re    func() *regexp.Regexp
	words []string   // folded; one occurs in every path that matches; nil if not known
	has   *automaton // of words; nil without any
}

func newPathTest(source string) (*pathTest, error) {
	re, err := parseExpression(source)
	if err != nil {
		return nil, err
	}
	t := &pathTest{re: lazily(source), words: neededWords(re)}
	if len(t.words) > 0 {
		if a, fits := newAutomaton(t.words); fits {
			t.has = a
		}
	}
	return t, nil
}

// neededWords returns words of which every match has at least one.
func neededWords(re *syntax.Regexp) []string {
	items := flatten(re)
	var best []string
	take := func(words []string) {
		if shortest(words) > shortest(best) {
			best = words
		}
	}
	for i, item := range items {
		words, _ := prefixes(items[i:])
		take(words)
		if item.Op == syntax.OpAlternate {
			take(neededOfAny(item.Sub))
		}
	}
	return best
}

func neededOfAny(branches []*syntax.Regexp) (words []string) {
	for _, b := range branches {
		ws := neededWords(b)
		if shortest(ws) == 0 {
			return nil
		}
		words = append(words, ws...)
	}
	return words
}

func (t *pathTest) match(path string) bool {
	return (t.has == nil || t.has.contains(bytesOf(path))) && t.re().MatchString(path)
}

// allowlist tells findings that do not count.
type allowlist struct {
	note      string
	all       bool   // every condition must hold, not just one
	target    string // what regexes look at: "" the secret, "match", "line"
	paths     []*pathTest
	regexes   func() *regexp.Regexp // nil without regexes
	stopwords func() *automaton     // nil without stop words
	hashes    []string
	commits   bool // names commits, which an image does not have
	user      bool // from the user's own file: what it allows is told
}

func (t *allowTOML) translate() (*allowlist, error) {
	if t == nil { // an empty table
		t = &allowTOML{}
	}
	a := &allowlist{note: t.Description, hashes: t.Hashes, commits: len(t.Commits) > 0}
	switch strings.ToUpper(t.Condition) {
	case "AND", "&&":
		a.all = true
	case "", "OR", "||":
	default:
		return nil, fmt.Errorf("unknown condition %q (it is AND or OR)", t.Condition)
	}
	switch t.RegexTarget {
	case "", "secret":
	case "match", "line":
		a.target = t.RegexTarget
	default:
		return nil, fmt.Errorf("unknown regexTarget %q (it is secret, match or line)", t.RegexTarget)
	}
	if len(t.Commits)+len(t.Paths)+len(t.Regexes)+len(t.StopWords)+len(t.Hashes) == 0 {
		return nil, fmt.Errorf("an allow list needs paths, regexes, stopwords, hashes or commits")
	}
	var err error
	flags := ""
	for _, path := range t.Paths {
		// gitleaks joins the expressions, so that flags at the start of one hold for
		// all that follow.
		test, err := newPathTest(flags + path)
		if err != nil {
			return nil, err
		}
		a.paths = append(a.paths, test)
		flags += leadingFlags.FindString(path)
	}
	if a.regexes, err = anyOf(t.Regexes); err != nil {
		return nil, err
	}
	if len(t.StopWords) > 0 {
		words := t.StopWords
		if _, fits := newAutomatonSize(words); !fits {
			return nil, fmt.Errorf("the stop words are more than the %d letters that fit", maxStates)
		}
		a.stopwords = sync.OnceValue(func() *automaton {
			m, _ := newAutomaton(words)
			return m
		})
	}
	return a, nil
}

var leadingFlags = regexp.MustCompile(`^(?:\(\?[imsU-]+\))+`)

// newAutomatonSize tells how many states words need at most, and whether that
// is allowed.
func newAutomatonSize(words []string) (int, bool) {
	n := 1
	for _, w := range words {
		n += len(w)
	}
	return n, n < maxStates
}

// anyOf joins expressions exactly as gitleaks does, whose flags therefore
// leak: after "(?i)^true" all that follows ignores case.
func anyOf(sources []string) (func() *regexp.Regexp, error) {
	if len(sources) == 0 {
		return nil, nil
	}
	for _, s := range sources {
		if _, err := parseExpression(s); err != nil {
			return nil, err
		}
	}
	return lazily("(?:" + strings.Join(sources, "|") + ")"), nil
}

// cost orders allow lists: whichever allows, the finding is gone, so the cheap
// ones are asked first.
func (a *allowlist) cost() int {
	switch {
	case a.stopwords != nil:
		return 0
	case a.target == "line":
		return 2
	}
	return 1
}

// allowsPath tells whether nothing in the file counts.
func (a *allowlist) allowsPath(path string) bool {
	if len(a.paths) == 0 || path == "" {
		return false
	}
	if a.all && (a.regexes != nil || a.stopwords != nil || a.commits) {
		return false // asked again with a finding at hand
	}
	return a.matchesPath(path)
}

func (a *allowlist) matchesPath(path string) bool {
	return slices.ContainsFunc(a.paths, func(t *pathTest) bool { return t.match(path) })
}

// allowsFinding tells whether a finding does not count.
func (a *allowlist) allowsFinding(path string, f *finding) bool {
	target := f.secret
	switch a.target {
	case "match":
		target = f.match
	case "line":
		target = f.line
	}
	regex := func() bool { return a.regexes != nil && len(target) > 0 && a.regexes().Match(target) }
	stop := func() bool { return a.stopwords != nil && a.stopwords().contains(f.secret) }
	if !a.all {
		return stop() || regex()
	}
	return !a.commits &&
		(len(a.paths) == 0 || path != "" && a.matchesPath(path)) &&
		(a.regexes == nil || regex()) &&
		(a.stopwords == nil || stop())
}

// entropy is Shannon's, in bits for each character, but divided by the number
// of bytes, as gitleaks has it.
func entropy(s []byte) float64 {
	if len(s) == 0 {
		return 0
	}
	var ascii [128]int
	var wide map[rune]int
	for _, r := range string(s) {
		if r < 128 {
			ascii[r]++
			continue
		}
		if wide == nil {
			wide = map[rune]int{}
		}
		wide[r]++
	}
	sum, n := 0.0, float64(len(s))
	add := func(count int) {
		if count > 0 {
			f := float64(count) / n
			sum -= f * math.Log2(f)
		}
	}
	for _, count := range ascii {
		add(count)
	}
	for _, count := range wide {
		add(count)
	}
	return sum
}
