package export

import (
	"context"
	"strings"

	"github.com/pratique/pratique"
)

// nameOf is an image as one writes it for "docker pull".
func nameOf(row pratique.AssetRow) string {
	if row.Source == pratique.SourceLocal { // as its engine writes it
		if row.Tag == "" {
			return row.Repository
		}
		return row.Repository + ":" + row.Tag
	}
	host := row.Address
	if _, rest, found := strings.Cut(host, "://"); found {
		host = rest
	}
	name := strings.TrimSuffix(host, "/") + "/" + row.Repository
	if row.Tag == "" {
		return name + "@" + string(row.Digest)
	}
	return name + ":" + row.Tag
}

// imageColumns are what every list has that speaks of images; row takes the row out
// of whatever it is in.
func imageColumns[T any](row func(T) pratique.AssetRow) []column[T] {
	return []column[T]{
		{"name", "Image", "镜像", func(v T) value { return nameOf(row(v)) }},
		{"registry", "Registry", "镜像仓库", func(v T) value { return row(v).RegistryName }},
		{"kind", "Repository type", "仓库类型", func(v T) value { return row(v).RegistryKind }},
		{"namespace", "Namespace", "命名空间", func(v T) value { return row(v).Namespace }},
		{"repository", "Repository", "仓库", func(v T) value { return row(v).Repository }},
		{"tag", "Version", "镜像版本", func(v T) value { return row(v).Tag }},
		{"digest", "Digest", "镜像摘要", func(v T) value { return string(row(v).Digest) }},
		{"imageID", "Image ID", "镜像 ID", func(v T) value { return string(row(v).ImageID) }},
		{"newest", "Newest version", "最新版本", func(v T) value { return row(v).Newest }},
		{"running", "In use by a container", "容器使用中", func(v T) value { return row(v).Running }},
	}
}

func images() Kind {
	itself := func(v pratique.AssetRow) pratique.AssetRow { return v }
	columns := append(imageColumns(itself), []column[pratique.AssetRow]{
		{"os", "Operating system", "操作系统", func(v pratique.AssetRow) value { return v.OSName }},
		{"platform", "Platform", "平台", func(v pratique.AssetRow) value { return v.Platform.String() }},
		{"size", "Size (bytes)", "大小（字节）", func(v pratique.AssetRow) value { return v.Size }},
		{"created", "Created", "创建时间", func(v pratique.AssetRow) value { return moment(v.Created) }},
		{"pushed", "Pushed", "推送时间", func(v pratique.AssetRow) value { return moment(v.Pushed) }},
		{"status", "Status", "扫描状态", func(v pratique.AssetRow) value { return word(v.Status) }},
		{"scannedAt", "Last scanned", "最近扫描时间", func(v pratique.AssetRow) value { return moment(v.ScannedAt) }},
		{"scanError", "Reason of the exception", "异常原因", func(v pratique.AssetRow) value {
			if v.ScanError == nil {
				return nil
			}
			return v.ScanError.Message
		}},
		{"risk", "Security status", "安全状态", func(v pratique.AssetRow) value { return word(v.Risk) }},
		{"risks", "Risks", "安全风险", func(v pratique.AssetRow) value { return riskKinds(v.Counters) }},
		{"vulnerabilities", "Vulnerabilities", "漏洞数", func(v pratique.AssetRow) value { return v.Counters.Vulnerabilities.Total() }},
		{"critical", "Critical", "严重", func(v pratique.AssetRow) value { return v.Counters.Vulnerabilities.Critical }},
		{"high", "High", "高危", func(v pratique.AssetRow) value { return v.Counters.Vulnerabilities.High }},
		{"medium", "Medium", "中危", func(v pratique.AssetRow) value { return v.Counters.Vulnerabilities.Medium }},
		{"low", "Low", "低危", func(v pratique.AssetRow) value { return v.Counters.Vulnerabilities.Low }},
		{"negligible", "Negligible", "可忽略", func(v pratique.AssetRow) value { return v.Counters.Vulnerabilities.Negligible }},
		{"unknown", "Unknown severity", "未知等级", func(v pratique.AssetRow) value { return v.Counters.Vulnerabilities.Unknown }},
		{"distinct", "Distinct vulnerabilities", "漏洞数（去重）", func(v pratique.AssetRow) value { return v.Counters.Distinct.Total() }},
		{"fixable", "Fixable", "可修复", func(v pratique.AssetRow) value { return v.Counters.Fixable }},
		{"exploited", "Exploited", "在野利用", func(v pratique.AssetRow) value { return v.Counters.Exploited }},
		{"malware", "Viruses and trojans", "木马病毒数", func(v pratique.AssetRow) value { return v.Counters.Malware.Total() }},
		{"secrets", "Sensitive data", "敏感信息数", func(v pratique.AssetRow) value { return v.Counters.Secrets.Total() }},
		{"packages", "Components", "组件数", func(v pratique.AssetRow) value { return v.Counters.Packages }},
		{"suppressed", "Suppressed", "已忽略", func(v pratique.AssetRow) value { return v.Counters.Suppressed }},
		{"recommended", "Recommended to scan because", "推荐扫描原因", func(v pratique.AssetRow) value { return words(v.Recommended) }},
		{"highPriority", "High priority because", "高优先级原因", func(v pratique.AssetRow) value { return words(v.HighPriority) }},
		{"licensed", "Licensed", "已授权", func(v pratique.AssetRow) value { return v.Licensed }},
		{"source", "Where", "位置", func(v pratique.AssetRow) value { return word(v.Source) }},
		{"hosts", "Servers", "关联主机数", func(v pratique.AssetRow) value { return v.Hosts }},
		{"containers", "Containers", "关联容器数", func(v pratique.AssetRow) value { return v.Containers }},
		{"reason", "Cannot be scanned because", "无法扫描原因", func(v pratique.AssetRow) value { return v.Reason }},
		{"firstSeen", "First seen", "首次发现", func(v pratique.AssetRow) value { return date(v.FirstSeen) }},
		{"lastSeen", "Last synchronised", "最近同步", func(v pratique.AssetRow) value { return date(v.LastSeen) }},
	}...)
	k := Kind{
		ID: "images", Label: pratique.Text{EN: "Images", ZH: "镜像"}, Filters: []string{"images"},
		Sorts: []string{"name", "tag", "registry", "size", "created", "pushed", "firstSeen", "synced", "scanned", "status", "worst", "vulnerabilities", "critical", "secrets", "malware", "packages", "hosts", "containers"},
		count: func(ctx context.Context, s Source, r pratique.ExportRequest) (int, error) {
			return count(ctx, func(ctx context.Context, p pratique.PageRequest) (pratique.Page[pratique.AssetRow], error) {
				return s.Assets(ctx, r.Images, p)
			})
		},
	}
	return table(k, columns, func(ctx context.Context, s Source, r pratique.ExportRequest, yield func(pratique.AssetRow) error) error {
		return each(ctx, order(r.Sort), func(ctx context.Context, p pratique.PageRequest) (pratique.Page[pratique.AssetRow], error) {
			return s.Assets(ctx, r.Images, p)
		}, yield)
	})
}

func riskKinds(c pratique.Counters) value {
	kinds := []pratique.Category{}
	for _, k := range []struct {
		n    int
		kind pratique.Category
	}{{c.Vulnerabilities.Total(), pratique.CategoryVulnerability}, {c.Malware.Total(), pratique.CategoryMalware}, {c.Secrets.Total(), pratique.CategorySecret}} {
		if k.n > 0 {
			kinds = append(kinds, k.kind)
		}
	}
	return words(kinds)
}
