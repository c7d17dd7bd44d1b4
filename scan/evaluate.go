package scan

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/match"
)

// EvaluateStore is what judging again needs to be kept.
type EvaluateStore interface {
	SettingStore
	InForce(ctx context.Context) (pratique.Adoption, error)
	// Pending are packages that wait to be judged, those of one distribution together.
	Pending(ctx context.Context, limit int) ([]pratique.Subject, error)
	Judge(ctx context.Context, judgements []pratique.Judgement) error
	// CoveredBefore are scanned images whose coverage another knowledge told.
	CoveredBefore(ctx context.Context, knowledge string, limit int) ([]pratique.Digest, error)
	SetCoverage(ctx context.Context, imageID pratique.Digest, coverage pratique.CategoryCoverage, knowledge string) error
	Image(ctx context.Context, imageID pratique.Digest) (pratique.ImageSummary, error)
	ImagePackages(ctx context.Context, imageID pratique.Digest) ([]pratique.Package, error)
	// VulnerabilityIDs are those that anything was ever found to have.
	VulnerabilityIDs(ctx context.Context) ([]string, error)
	SetExploitation(ctx context.Context, all []pratique.Exploitation, whole bool) error
}

// AdoptionPreview is what adopting a bundle would change. Without a Bundle nothing
// waits to be adopted.
type AdoptionPreview struct {
	Bundle   *pratique.Bundle `json:"bundle,omitempty"`
	Keys     int              `json:"keys"`     // (ecosystem, package) of which it says something else
	Packages int              `json:"packages"` // of our images, that would be judged again
	Images   int              `json:"images"`   // distinct contents that hold one of them
}

// Evaluator judges again what a new bundle touches. No blob is read, and no image:
// the cost is that of what changed. It is done in portions, each of which stands by
// itself; a process that dies in between leaves the rest to the next.
type Evaluator struct {
	Store     EvaluateStore
	Knowledge KnowledgeSource
	Observer  Observer
	Log       *slog.Logger
}

const (
	// portion is how many packages are judged in one transaction.
	portion = 1000
	// coveredAtOnce is how many images are asked for at once.
	coveredAtOnce = 100
)

// settingEvaluated is the adoption that was evaluated last.
const settingEvaluated = "evaluated"

// evaluated is how far the last evaluation came.
type evaluated struct {
	Adoption int64 `json:"adoption"`
	// Exploitation names the feeds that told which vulnerabilities are exploited.
	Exploitation string `json:"exploitation"`
}

// Wanted is the job of an adoption that has not been evaluated.
func (e *Evaluator) Wanted(ctx context.Context) ([]Job, error) {
	inForce, err := e.Store.InForce(ctx)
	if pratique.CodeOf(err) == pratique.CodeNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var last evaluated
	if err := e.Store.Setting(ctx, settingEvaluated, &last); err != nil {
		return nil, err
	}
	if inForce.Pending == 0 && last.Adoption == inForce.ID {
		return nil, nil
	}
	return []Job{{Args: EvaluateArgs{Bundle: inForce.Bundle.Digest}, Lane: LaneHand}}, nil
}

// Evaluate is the job.
func (e *Evaluator) Evaluate(ctx context.Context, _ EvaluateArgs, _ Attempt) error {
	inForce, err := e.Store.InForce(ctx)
	if pratique.CodeOf(err) == pratique.CodeNotFound {
		return nil
	}
	if err != nil {
		return err
	}
	began := time.Now()
	known, bundle, release, err := e.Knowledge.Current(ctx)
	if err != nil {
		return err
	}
	defer release()
	if bundle == nil || bundle.Digest != inForce.Bundle.Digest {
		return Later(time.Second) // another was put in force this moment
	}
	packages, err := e.judge(ctx, known)
	if err != nil {
		return err
	}
	var last evaluated
	if err := e.Store.Setting(ctx, settingEvaluated, &last); err != nil {
		return err
	}
	if told := exploitationOf(bundle); told != last.Exploitation {
		if err := e.exploitation(ctx, known); err != nil {
			return err
		}
		last.Exploitation = told
	}
	images, err := e.cover(ctx, known, bundle)
	if err != nil {
		return err
	}
	last.Adoption = inForce.ID
	if err := e.Store.SetSetting(ctx, settingEvaluated, last); err != nil {
		return err
	}
	took := time.Since(began)
	e.Observer.Evaluated(packages, took)
	e.Log.Info("the bundle in force was evaluated", "bundle", inForce.Bundle.Digest.Short(), "packages", packages, "images", images, "took", took.Round(time.Millisecond))
	return nil
}

// judge judges what is pending until nothing is.
func (e *Evaluator) judge(ctx context.Context, known Knowledge) (packages int, err error) {
	for {
		if ctx.Err() != nil {
			return packages, context.Cause(ctx)
		}
		pending, err := e.Store.Pending(ctx, portion)
		if err != nil || len(pending) == 0 {
			return packages, err
		}
		if err := e.Store.Judge(ctx, judgeSubjects(ctx, pending, known, time.Now().UTC())); err != nil {
			return packages, err
		}
		packages += len(pending)
	}
}

// judgeSubjects holds packages against what is known, those of each distribution
// together.
func judgeSubjects(ctx context.Context, all []pratique.Subject, known match.Knowledge, now time.Time) []pratique.Judgement {
	judgements := make([]pratique.Judgement, len(all))
	for from := 0; from < len(all); {
		to := from + 1
		for to < len(all) && sameDistro(all[from].Distro, all[to].Distro) {
			to++
		}
		target := match.Target{Distro: all[from].Distro}
		for i, s := range all[from:to] {
			p := s.Package
			p.Path = strconv.Itoa(from + i) // a finding names its package by it
			target.Packages = append(target.Packages, p)
			judgements[from+i] = pratique.Judgement{Subject: s}
		}
		for _, f := range match.Vulnerabilities(ctx, target, known, now).Findings {
			i, err := strconv.Atoi(f.Package.Path)
			if err != nil || i < from || i >= to {
				continue
			}
			f.Package.Path = ""
			judgements[i].Findings = append(judgements[i].Findings, f)
		}
		from = to
	}
	for i := range judgements {
		judgements[i].Withdrawn = withdrawn(judgements[i].Subject, known)
	}
	return judgements
}

func sameDistro(a, b *pratique.Distro) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.ID == b.ID && a.Version == b.Version && a.CPEName == b.CPEName && a.Codename == b.Codename && slices.Equal(a.IDLike, b.IDLike)
}

// withdrawn are the ids of withdrawn records that name a package, with those of the
// CVEs that they were about.
func withdrawn(s pratique.Subject, known match.Knowledge) (ids []string) {
	ecosystem := s.Package.Ecosystem
	if ecosystem == "" {
		ecosystem = pratique.EcosystemOf(s.Package.Type)
	}
	names := []string{s.Package.Name}
	if source := s.Package.Source; source != nil && source.Name != s.Package.Name {
		names = append(names, source.Name)
	}
	for _, name := range names {
		if name == "" || ecosystem == "" {
			continue
		}
		records, err := known.Advisories(ecosystem, name)
		if err != nil {
			continue // match has told it
		}
		for _, r := range records {
			if r.Withdrawn != nil {
				ids = append(append(append(ids, r.ID), r.Aliases...), r.Upstream...)
			}
		}
	}
	return ids
}

// exploitationOf names the feeds about exploitation in a bundle.
func exploitationOf(bundle *pratique.Bundle) string {
	var told []string
	for _, f := range bundle.Feeds {
		if f.Source == "kev" || f.Source == "epss" {
			told = append(told, fmt.Sprintf("%s %s %d", f.Source, f.Newest.UTC().Format(time.RFC3339), f.Records))
		}
	}
	slices.Sort(told)
	return strings.Join(told, "; ")
}

// exploitation brings what is known about attacks up to date.
func (e *Evaluator) exploitation(ctx context.Context, known Knowledge) error {
	ids, err := e.Store.VulnerabilityIDs(ctx)
	if err != nil {
		return err
	}
	all := make([]pratique.Exploitation, 0, len(ids))
	for _, id := range ids {
		cve, err := known.CVE(id)
		if err != nil || cve == nil {
			continue
		}
		if cve.EPSS != nil || cve.KEV != nil {
			all = append(all, pratique.Exploitation{ID: id, EPSS: cve.EPSS, KEV: cve.KEV})
		}
	}
	return e.Store.SetExploitation(ctx, all, true)
}

// KnowledgeName is what the coverage of an image's vulnerabilities depends on,
// beside the image: which ecosystems there are records of.
func KnowledgeName(known match.Knowledge) string {
	if known == nil {
		return ""
	}
	ecosystems := slices.Clone(known.Ecosystems())
	slices.Sort(ecosystems)
	return pratique.DigestOf([]byte(strings.Join(ecosystems, "\n"))).Short()
}

// cover tells how far the vulnerabilities of images reach by the ecosystems that
// are known now.
func (e *Evaluator) cover(ctx context.Context, known Knowledge, bundle *pratique.Bundle) (images int, err error) {
	name := KnowledgeName(known)
	for {
		some, err := e.Store.CoveredBefore(ctx, name, coveredAtOnce)
		if err != nil || len(some) == 0 {
			return images, err
		}
		for _, id := range some {
			if ctx.Err() != nil {
				return images, context.Cause(ctx)
			}
			coverage, err := e.coverage(ctx, id, known, bundle)
			if err != nil {
				return images, err
			}
			if err := e.Store.SetCoverage(ctx, id, coverage, name); err != nil {
				return images, err
			}
			images++
		}
	}
}

func (e *Evaluator) coverage(ctx context.Context, id pratique.Digest, known Knowledge, bundle *pratique.Bundle) (pratique.CategoryCoverage, error) {
	v, err := e.Store.Image(ctx, id)
	if err != nil {
		return pratique.CategoryCoverage{}, err
	}
	switch before := v.Coverage[pratique.CategoryVulnerability]; before.State {
	case "":
		return pratique.CategoryCoverage{State: pratique.CoverageSkipped, Reasons: []string{"vulnerabilities were not asked for"}}, nil
	case pratique.CoverageUnsupported, pratique.CoverageSkipped:
		return before, nil
	}
	packages, err := e.Store.ImagePackages(ctx, id)
	if err != nil {
		return pratique.CategoryCoverage{}, err
	}
	now := time.Now().UTC()
	result := match.Vulnerabilities(ctx, match.Target{Distro: v.Image.Distro, Packages: packages}, known, now)
	r := run{Request: Request{Image: v.Image, Bundle: bundle, Now: now}, report: &pratique.Report{Image: v.Image, Layers: v.Layers, Packages: packages, Problems: v.Problems}}
	r.cover(result.Coverage)
	return r.report.Coverage[pratique.CategoryVulnerability], ctx.Err()
}
