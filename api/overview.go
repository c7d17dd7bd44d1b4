package api

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/registry"
)

// OverviewStore counts the whole estate.
type OverviewStore interface {
	// Overview counts what a source has; today is when the day began.
	Overview(ctx context.Context, source pratique.ImageSource, today time.Time) (pratique.Overview, error)
	// Days are the states at the end of days (YYYY-MM-DD, inclusive), oldest first.
	Days(ctx context.Context, from, to string) ([]pratique.Day, error)
	// Today is the state of now, as that of a day that has not ended.
	Today(ctx context.Context, date string) (pratique.Day, error)
	TopVulnerabilities(ctx context.Context, among pratique.Among, n int) ([]pratique.VulnerabilityRow, error)
}

// Estate is the state of the whole estate.
type Estate struct {
	At             time.Time         `json:"at"`
	Today          string            `json:"today" doc:"The day that newToday counts, as YYYY-MM-DD"`
	Repository     pratique.Overview `json:"repository" doc:"Images in registries"`
	Local          pratique.Overview `json:"local" doc:"Images on hosts"`
	Change         *EstateChange     `json:"change,omitempty" doc:"Since the last day that was closed; missing before the first"`
	Knowledge      Knowledge         `json:"knowledge"`
	Registries     RegistryCounts    `json:"registries"`
	NeedsAttention []Attention       `json:"needsAttention" doc:"Most urgent first; empty when nothing does"`
}

// EstateChange is how much more there is than at the end of an earlier day.
type EstateChange struct {
	Since           string `json:"since" doc:"That day, as YYYY-MM-DD"`
	Images          int    `json:"images" doc:"Rows of the list of images"`
	AtRisk          int    `json:"atRisk"`
	Vulnerabilities int    `json:"vulnerabilities"`
	Critical        int    `json:"critical"`
	High            int    `json:"high"`
	Secrets         int    `json:"secrets"`
	Malware         int    `json:"malware"`
	Exploited       int    `json:"exploited"`
}

// Knowledge is what vulnerabilities are judged by, and how old it is.
type Knowledge struct {
	Known      bool       `json:"known" doc:"False while no feed was taken in: vulnerabilities are then unknown"`
	Built      *time.Time `json:"built,omitempty" doc:"When the bundle in force was made"`
	AgeSeconds int        `json:"ageSeconds,omitempty" doc:"Since then"`
	Stale      bool       `json:"stale" doc:"Older than a week"`
	Records    int        `json:"records" doc:"Advisories, CVEs, scores and hashes"`
	Malware    int        `json:"malware" doc:"Of these: digests of malicious files"`
	Waiting    bool       `json:"waiting" doc:"An update runs"`
}

// RegistryCounts are registries by how they are.
type RegistryCounts struct {
	Total   int `json:"total"`
	Healthy int `json:"healthy"`
	Failing int `json:"failing" doc:"The connection test or the last synchronisation failed"`
	Syncing int `json:"syncing"`
	Unknown int `json:"unknown" doc:"Never tested and never synchronised"`
}

// AttentionKind is what needs attention.
type AttentionKind string

const (
	AttentionMalware       AttentionKind = "malware"
	AttentionExploited     AttentionKind = "exploited"
	AttentionHighPriority  AttentionKind = "high_priority"
	AttentionLiveSecrets   AttentionKind = "live_secrets"
	AttentionFailedScans   AttentionKind = "failed_scans"
	AttentionRegistries    AttentionKind = "failing_registries"
	AttentionNoKnowledge   AttentionKind = "no_knowledge"
	AttentionOldKnowledge  AttentionKind = "old_knowledge"
	AttentionNoRegistries  AttentionKind = "no_registries"
	AttentionRecommended   AttentionKind = "recommended"
	AttentionUnknownImages AttentionKind = "unknown_images"
)

// Attention is one thing to look at, and the list that shows it.
type Attention struct {
	Kind     AttentionKind     `json:"kind"`
	Severity pratique.Severity `json:"severity" doc:"How urgent it is"`
	Count    int               `json:"count"`
	Reason   pratique.Text     `json:"reason"`
	List     string            `json:"list" enum:"images,vulnerabilities,secrets,malware,registries,feeds" doc:"Where to look"`
	Filter   map[string]string `json:"filter" doc:"The list's parameters"`
}

// staleAfter is the age from which knowledge counts as old.
const staleAfter = 7 * 24 * time.Hour

func (s *server) overview(ctx context.Context, in *struct {
	Zone string `query:"zone" maxLength:"64" doc:"Where days begin, as the IANA names it; the settings' zone by default" example:"Asia/Shanghai"`
}) (*body[Estate], error) {
	zone, err := s.zone(ctx, in.Zone)
	if err != nil {
		return nil, err
	}
	now := s.now().In(zone)
	today := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, zone)
	v := Estate{At: now.UTC(), Today: now.Format(time.DateOnly)}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		if v.Repository, err = s.Overviews.Overview(ctx, pratique.SourceRegistry, today); err == nil {
			v.Change, err = s.change(ctx, today, v.Repository)
		}
		return err
	})
	group.Go(func() (err error) {
		v.Local, err = s.Overviews.Overview(ctx, pratique.SourceLocal, today)
		return err
	})
	group.Go(func() (err error) {
		v.Knowledge, err = s.knowledge(ctx, now)
		return err
	})
	group.Go(func() error {
		rows, err := s.Registries.Registries(ctx)
		v.Registries = countRegistries(rows)
		return err
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	v.NeedsAttention = attention(&v)
	return &body[Estate]{v}, nil
}

// change compares with the newest of the past days.
func (s *server) change(ctx context.Context, today time.Time, now pratique.Overview) (*EstateChange, error) {
	days, err := s.Overviews.Days(ctx, today.AddDate(0, 0, -31).Format(time.DateOnly), today.AddDate(0, 0, -1).Format(time.DateOnly))
	if err != nil || len(days) == 0 {
		return nil, err
	}
	then := days[len(days)-1]
	return &EstateChange{
		Since: then.Date, Images: now.Rows - then.Rows, AtRisk: now.AtRisk - then.AtRisk,
		Vulnerabilities: now.Counters.Vulnerabilities.Total() - then.Counters.Vulnerabilities.Total(),
		Critical:        now.Counters.Vulnerabilities.Critical - then.Counters.Vulnerabilities.Critical,
		High:            now.Counters.Vulnerabilities.High - then.Counters.Vulnerabilities.High,
		Secrets:         now.Counters.Secrets.Total() - then.Counters.Secrets.Total(),
		Malware:         now.Counters.Malware.Total() - then.Counters.Malware.Total(),
		Exploited:       now.Counters.Exploited - then.Counters.Exploited,
	}, nil
}

func (s *server) knowledge(ctx context.Context, now time.Time) (k Knowledge, err error) {
	state, err := s.Feeds.FeedState(ctx)
	if err != nil {
		return k, err
	}
	k.Waiting = state.Waiting
	if state.InForce == nil {
		return k, nil
	}
	bundle := state.InForce.Bundle
	k.Known, k.Built = true, &bundle.Built
	age := max(0, now.Sub(bundle.Built))
	k.AgeSeconds, k.Stale = int(age/time.Second), age > staleAfter
	for _, feed := range bundle.Feeds {
		k.Records += feed.Records
		if strings.HasPrefix(feed.Source, "hashes/") {
			k.Malware += feed.Records
		}
	}
	return k, nil
}

func countRegistries(rows []pratique.RegistryRow) (c RegistryCounts) {
	c.Total = len(rows)
	for _, r := range rows {
		if r.Sync.State == "running" {
			c.Syncing++
		}
		switch {
		case r.Sync.State == "failed" || r.Health.Status != "" && r.Health.Status != string(registry.StatusConnected):
			c.Failing++
		case r.Health.Status == "" && r.Sync.LastSuccess == nil:
			c.Unknown++
		default:
			c.Healthy++
		}
	}
	return c
}

// attention lists what somebody should look at, most urgent first.
func attention(v *Estate) []Attention {
	o := &v.Repository
	all := []Attention{
		{AttentionMalware, pratique.SeverityCritical, o.Counters.Malware.Total(),
			pratique.Text{EN: "malicious files in images", ZH: "镜像中的恶意文件"}, "malware", map[string]string{}},
		{AttentionExploited, pratique.SeverityCritical, o.Exploited,
			pratique.Text{EN: "vulnerabilities that are, or are likely to be, exploited", ZH: "已被利用或很可能被利用的漏洞"}, "vulnerabilities", map[string]string{"exploited": "true"}},
		{AttentionHighPriority, pratique.SeverityCritical, o.HighPriority,
			pratique.Text{EN: "images of high priority: newest or running, and at urgent risk", ZH: "高优先级镜像：最新或运行中，且存在紧急风险"}, "images", map[string]string{"highPriority": "true"}},
		{AttentionLiveSecrets, pratique.SeverityHigh, o.Counters.LiveSecrets,
			pratique.Text{EN: "secrets that look live", ZH: "疑似有效的敏感信息"}, "secrets", map[string]string{"severity": "critical,high"}},
		{AttentionNoKnowledge, pratique.SeverityHigh, count(!v.Knowledge.Known),
			pratique.Text{EN: "no feed was taken in: vulnerabilities are unknown", ZH: "尚未导入漏洞库：漏洞情况未知"}, "feeds", map[string]string{}},
		{AttentionNoRegistries, pratique.SeverityHigh, count(v.Registries.Total == 0),
			pratique.Text{EN: "no registry is connected", ZH: "尚未接入镜像仓库"}, "registries", map[string]string{}},
		{AttentionRegistries, pratique.SeverityHigh, v.Registries.Failing,
			pratique.Text{EN: "registries cannot be read", ZH: "镜像仓库无法读取"}, "registries", map[string]string{}},
		{AttentionOldKnowledge, pratique.SeverityMedium, count(v.Knowledge.Stale),
			pratique.Text{EN: "feeds are older than a week", ZH: "漏洞库已超过一周未更新"}, "feeds", map[string]string{}},
		{AttentionFailedScans, pratique.SeverityMedium, o.ByStatus[pratique.StatusFailed],
			pratique.Text{EN: "images whose last scan failed", ZH: "最近一次扫描异常的镜像"}, "images", map[string]string{"status": "failed"}},
		{AttentionRecommended, pratique.SeverityLow, o.Recommended,
			pratique.Text{EN: "images that should be scanned", ZH: "建议扫描的镜像"}, "images", map[string]string{"recommended": "true"}},
		{AttentionUnknownImages, pratique.SeverityLow, o.Unknown,
			pratique.Text{EN: "images whose risk is not known", ZH: "风险未知的镜像"}, "images", map[string]string{"risk": "unknown"}},
	}
	return slices.DeleteFunc(all, func(a Attention) bool { return a.Count == 0 })
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// TopLists are what matters most.
type TopLists struct {
	Newest  []pratique.VulnerabilityRow `json:"newest" doc:"Vulnerabilities of newest images"`
	Running []pratique.VulnerabilityRow `json:"running" doc:"Vulnerabilities of images that containers use"`
	Images  []pratique.AssetRow         `json:"images" doc:"Images of high priority, most critical vulnerabilities first"`
}

func (s *server) top(ctx context.Context, in *struct {
	Limit int `query:"limit" minimum:"1" maximum:"20" default:"5"`
}) (*body[TopLists], error) {
	var top TopLists
	var err error
	if top.Newest, err = s.Overviews.TopVulnerabilities(ctx, pratique.AmongNewest, in.Limit); err != nil {
		return nil, err
	}
	if top.Running, err = s.Overviews.TopVulnerabilities(ctx, pratique.AmongRunning, in.Limit); err != nil {
		return nil, err
	}
	images, err := s.Images.Assets(ctx, pratique.AssetFilter{HighPriority: true}, pratique.PageRequest{Sort: "critical", Desc: true, Limit: in.Limit})
	top.Images = images.Items
	return &body[TopLists]{top}, err
}

type daysInput struct {
	From string `query:"from" format:"date" maxLength:"10" doc:"YYYY-MM-DD; 30 days ago by default"`
	To   string `query:"to" format:"date" maxLength:"10" doc:"YYYY-MM-DD; today by default"`
}

func (s *server) days(ctx context.Context, in *daysInput) (*body[pratique.Page[pratique.Day]], error) {
	zone, err := s.zone(ctx, "")
	if err != nil {
		return nil, err
	}
	now := s.now().In(zone)
	today := now.Format(time.DateOnly)
	if in.To == "" {
		in.To = today
	}
	if in.From == "" {
		in.From = now.AddDate(0, 0, -30).Format(time.DateOnly)
	}
	days, err := s.Overviews.Days(ctx, in.From, in.To)
	if err != nil {
		return nil, err
	}
	days = slices.DeleteFunc(days, func(d pratique.Day) bool { return d.Date == today })
	if in.From <= today && today <= in.To { // what was kept of it is up to an hour old
		now, err := s.Overviews.Today(ctx, today)
		if err != nil {
			return nil, err
		}
		days = append(days, now)
	}
	return &body[pratique.Page[pratique.Day]]{pratique.Page[pratique.Day]{Items: days}}, nil
}

func (s *server) overviewOperations() {
	handle(s, operation{id: "getOverview", method: http.MethodGet, path: "/overview", tag: "overview", right: RightRead,
		summary: "The state of the whole estate, and what needs attention"}, s.overview)
	handle(s, operation{id: "listDays", method: http.MethodGet, path: "/overview/days", tag: "overview", right: RightRead,
		summary: "How the estate stood at the end of each day, oldest first", detail: "A day on which the service did not run is missing. Today is as it stands now."}, s.days)
	handle(s, operation{id: "getTop", method: http.MethodGet, path: "/overview/top", tag: "overview", right: RightRead,
		summary: "The vulnerabilities and images that matter most"}, s.top)
}
