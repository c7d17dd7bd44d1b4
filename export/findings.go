package export

import (
	"context"
	"fmt"

	"github.com/pratique/pratique"
)

// placeColumns say where something was found: one line for each content, with all
// names that lead to it.
func placeColumns[T any]() []column[placed[T]] {
	return []column[placed[T]]{
		{"images", "Images", "镜像", func(v placed[T]) value { return v.in.names }},
		{"imageID", "Image ID", "镜像 ID", func(v placed[T]) value { return string(v.in.ImageID) }},
		{"registry", "Registry", "镜像仓库", func(v placed[T]) value { return v.in.RegistryName }},
		{"repository", "Repository", "仓库", func(v placed[T]) value { return v.in.Repository }},
		{"tag", "Version", "镜像版本", func(v placed[T]) value { return v.in.Tag }},
		{"os", "Operating system", "操作系统", func(v placed[T]) value { return v.in.OSName }},
	}
}

// findingColumns are what a vulnerability in a package has.
func findingColumns[T any](of func(T) pratique.PlacedFinding) []column[T] {
	return []column[T]{
		{"vulnerability", "Vulnerability", "漏洞编号", func(v T) value { return of(v).ID }},
		{"title", "Title", "漏洞名称", func(v T) value { return of(v).Title }},
		{"severity", "Severity", "威胁等级", func(v T) value { return word(of(v).Severity) }},
		{"severitySource", "Rated by", "等级来源", func(v T) value { return of(v).SeveritySource }},
		{"score", "CVSS score", "CVSS 评分", func(v T) value {
			if c := newestScore(of(v).CVSS); c != nil {
				return c.Score
			}
			return nil
		}},
		{"vector", "CVSS vector", "CVSS 向量", func(v T) value {
			if c := newestScore(of(v).CVSS); c != nil {
				return c.Vector
			}
			return nil
		}},
		{"epss", "EPSS", "EPSS", func(v T) value {
			if e := of(v).EPSS; e != nil {
				return e.Score
			}
			return nil
		}},
		{"exploited", "Known to be exploited since", "已知被利用日期", func(v T) value {
			if k := of(v).KEV; k != nil {
				return k.DateAdded
			}
			return nil
		}},
		{"package", "Package", "组件", func(v T) value { return of(v).Package.Name }},
		{"version", "Installed version", "当前版本", func(v T) value { return of(v).Package.Version }},
		{"fixedVersion", "Fixed version", "修复版本", func(v T) value { return of(v).FixedVersion }},
		{"fixState", "Fix", "修复状态", func(v T) value { return word(of(v).FixState) }},
		{"type", "Package type", "组件类型", func(v T) value { return of(v).Package.Type }},
		{"path", "Path", "路径", func(v T) value { return of(v).Package.Path }},
		{"layer", "Layer", "镜像层", func(v T) value { return layerOf(of(v).Package.Origin) }},
		{"instruction", "Build instruction", "构建指令", func(v T) value { return instructionOf(of(v).Package.Origin) }},
		{"advice", "Fix advice", "修复建议", func(v T) value { return of(v).FixAdvice }},
		{"proof", "Proof", "判断依据", func(v T) value {
			if p := of(v).Proof; len(p) > 0 {
				return p[0].Advisory + ": " + p[0].Decision
			}
			return nil
		}},
		{"reference", "Reference", "参考链接", func(v T) value {
			if r := of(v).References; len(r) > 0 {
				return r[0].URL
			}
			return nil
		}},
		{"published", "Published", "披露时间", func(v T) value { return moment(of(v).Published) }},
		{"since", "Known here since", "首次发现", func(v T) value { return date(of(v).Since) }},
		{"suppressed", "Does not count because", "忽略原因", func(v T) value { return of(v).Suppressed }},
	}
}

// newestScore is the highest score of the newest version of CVSS.
func newestScore(all []pratique.CVSS) *pratique.CVSS {
	var best *pratique.CVSS
	for i := range all {
		if c := &all[i]; best == nil || c.Version > best.Version || c.Version == best.Version && c.Score > best.Score {
			best = c
		}
	}
	return best
}

func layerOf(o *pratique.Origin) value {
	if o == nil {
		return nil
	}
	if o.DiffID != "" {
		return string(o.DiffID)
	}
	return fmt.Sprint("#", o.Layer)
}

func instructionOf(o *pratique.Origin) value {
	if o == nil {
		return nil
	}
	return o.Instruction
}

var findingFilters = []string{"images", "findings"}

func countIn(category pratique.Category) func(context.Context, Source, pratique.ExportRequest) (int, error) {
	return func(ctx context.Context, s Source, r pratique.ExportRequest) (int, error) {
		return s.CountIn(ctx, category, r.Images, r.Findings)
	}
}

func findings() Kind {
	type row = placed[pratique.PlacedFinding]
	columns := append(placeColumns[pratique.PlacedFinding](), findingColumns(func(v row) pratique.PlacedFinding { return v.row })...)
	return table(Kind{ID: "findings", Label: pratique.Text{EN: "Vulnerabilities of images", ZH: "镜像漏洞"}, Filters: findingFilters,
		Sorts: []string{"severity", "id", "package", "epss", "since"}, count: countIn(pratique.CategoryVulnerability)}, columns,
		func(ctx context.Context, s Source, r pratique.ExportRequest, yield func(row) error) error {
			return foundIn(ctx, s, r, s.Findings, yield)
		})
}

// affected are the images that have one vulnerability, each package once.
func affected() Kind {
	type row struct {
		image   pratique.AssetRow
		finding pratique.PlacedFinding
	}
	columns := append(imageColumns(func(v row) pratique.AssetRow { return v.image }), findingColumns(func(v row) pratique.PlacedFinding { return v.finding })...)
	read := func(ctx context.Context, s Source, r pratique.ExportRequest, yield func(row) error) error {
		return perImage(ctx, s, r.Images, func(p place) error {
			// Found once for a content, told for each row that has it.
			var found []pratique.PlacedFinding
			f := pratique.FindingFilter{ImageIDs: []pratique.Digest{p.ImageID}, Vulnerability: r.Images.Vulnerability}
			err := each(ctx, pratique.PageRequest{}, func(ctx context.Context, page pratique.PageRequest) (pratique.Page[pratique.PlacedFinding], error) {
				return s.Findings(ctx, f, page)
			}, func(v pratique.PlacedFinding) error {
				found = append(found, v)
				return nil
			})
			if err != nil {
				return err
			}
			one := r.Images
			one.ImageIDs = []pratique.Digest{p.ImageID}
			return each(ctx, pratique.PageRequest{Sort: "name"}, func(ctx context.Context, page pratique.PageRequest) (pratique.Page[pratique.AssetRow], error) {
				return s.Assets(ctx, one, page)
			}, func(image pratique.AssetRow) error {
				for _, v := range found {
					if err := yield(row{image, v}); err != nil {
						return err
					}
				}
				return nil
			})
		})
	}
	return table(Kind{ID: "affected", Label: pratique.Text{EN: "Images affected by a vulnerability", ZH: "受漏洞影响的镜像"}, Filters: []string{"images"},
		check: func(r pratique.ExportRequest) error {
			if r.Images.Vulnerability == "" {
				return pratique.Errorf(pratique.CodeInvalid, "no vulnerability is named").WithRemedy("name one in images.vulnerability")
			}
			return nil
		},
		// Rows of images: an image with the flaw in two packages has two lines.
		count: func(ctx context.Context, s Source, r pratique.ExportRequest) (int, error) {
			return count(ctx, func(ctx context.Context, p pratique.PageRequest) (pratique.Page[pratique.AssetRow], error) {
				return s.Assets(ctx, r.Images, p)
			})
		}}, columns, read)
}

func vulnerabilities() Kind {
	type row = pratique.VulnerabilityRow
	list := func(s Source, r pratique.ExportRequest) fetch[row] {
		return func(ctx context.Context, p pratique.PageRequest) (pratique.Page[row], error) {
			return s.Vulnerabilities(ctx, r.Findings, p)
		}
	}
	columns := []column[row]{
		{"vulnerability", "Vulnerability", "漏洞编号", func(v row) value { return v.ID }},
		{"title", "Title", "漏洞名称", func(v row) value { return v.Title }},
		{"severity", "Severity", "威胁等级", func(v row) value { return word(v.Severity) }},
		{"score", "CVSS score", "CVSS 评分", func(v row) value { return v.Score }},
		{"fixable", "Fixable", "可修复", func(v row) value { return v.Fixable }},
		{"epss", "EPSS", "EPSS", func(v row) value {
			if v.EPSS == nil {
				return nil
			}
			return v.EPSS.Score
		}},
		{"exploited", "Known to be exploited since", "已知被利用日期", func(v row) value {
			if v.KEV == nil {
				return nil
			}
			return v.KEV.DateAdded
		}},
		{"images", "Images", "影响镜像数", func(v row) value { return v.Images }},
		{"published", "Published", "披露时间", func(v row) value { return date(v.Published) }},
		{"firstSeen", "First seen", "首次发现", func(v row) value { return date(v.FirstSeen) }},
		{"lastSeen", "Last changed", "最近变化", func(v row) value { return date(v.LastSeen) }},
	}
	return table(Kind{ID: "vulnerabilities", Label: pratique.Text{EN: "Vulnerabilities, each once", ZH: "漏洞（去重）"}, Filters: []string{"findings"},
		Sorts: []string{"id", "severity", "score", "epss", "images", "firstSeen", "lastSeen", "published"},
		count: func(ctx context.Context, s Source, r pratique.ExportRequest) (int, error) {
			return count(ctx, list(s, r))
		}}, columns,
		func(ctx context.Context, s Source, r pratique.ExportRequest, yield func(row) error) error {
			return each(ctx, order(r.Sort), list(s, r), yield)
		})
}

func components() Kind {
	type row = pratique.ComponentRow
	list := func(s Source, r pratique.ExportRequest) fetch[row] {
		return func(ctx context.Context, p pratique.PageRequest) (pratique.Page[row], error) {
			return s.Components(ctx, r.Findings, p)
		}
	}
	columns := []column[row]{
		{"name", "Component", "组件", func(v row) value { return v.Package.Name }},
		{"version", "Version", "版本", func(v row) value { return v.Package.Version }},
		{"type", "Type", "类型", func(v row) value { return v.Package.Type }},
		{"arch", "Architecture", "架构", func(v row) value { return v.Package.Arch }},
		{"distro", "Distribution", "发行版", func(v row) value { return v.Distro }},
		{"source", "Source package", "源码包", func(v row) value {
			if v.Package.Source == nil {
				return nil
			}
			return v.Package.Source.Name
		}},
		{"licenses", "Licences", "许可证", func(v row) value { return v.Package.Licenses }},
		{"purl", "Package URL", "Package URL", func(v row) value { return v.Package.PURL }},
		{"images", "Images", "镜像数", func(v row) value { return v.Images }},
		{"vulnerabilities", "Vulnerabilities", "漏洞数", func(v row) value { return v.Vulnerabilities }},
		{"worst", "Worst severity", "最高等级", func(v row) value { return word(v.Worst) }},
	}
	return table(Kind{ID: "components", Label: pratique.Text{EN: "Components", ZH: "组件"}, Filters: []string{"findings"},
		Sorts: []string{"name", "images", "vulnerabilities", "worst"},
		count: func(ctx context.Context, s Source, r pratique.ExportRequest) (int, error) {
			return count(ctx, list(s, r))
		}}, columns,
		func(ctx context.Context, s Source, r pratique.ExportRequest, yield func(row) error) error {
			return each(ctx, order(r.Sort), list(s, r), yield)
		})
}

// packages are the software of images, one row for each place.
func packages() Kind {
	type row = placed[pratique.PlacedPackage]
	columns := append(placeColumns[pratique.PlacedPackage](), []column[row]{
		{"name", "Component", "组件", func(v row) value { return v.row.Package.Name }},
		{"version", "Version", "版本", func(v row) value { return v.row.Package.Version }},
		{"type", "Type", "类型", func(v row) value { return v.row.Package.Type }},
		{"arch", "Architecture", "架构", func(v row) value { return v.row.Package.Arch }},
		{"licenses", "Licences", "许可证", func(v row) value { return v.row.Package.Licenses }},
		{"path", "Path", "路径", func(v row) value { return v.row.Package.Path }},
		{"layer", "Layer", "镜像层", func(v row) value { return layerOf(v.row.Package.Origin) }},
		{"instruction", "Build instruction", "构建指令", func(v row) value { return instructionOf(v.row.Package.Origin) }},
		{"purl", "Package URL", "Package URL", func(v row) value { return v.row.Package.PURL }},
		{"vulnerabilities", "Vulnerabilities", "漏洞数", func(v row) value { return v.row.Vulnerabilities }},
		{"worst", "Worst severity", "最高等级", func(v row) value { return word(v.row.Worst) }},
	}...)
	return table(Kind{ID: "packages", Label: pratique.Text{EN: "Software of images", ZH: "镜像软件信息"}, Filters: findingFilters,
		Sorts: []string{"name", "type", "version", "path", "layer", "vulnerabilities", "worst"}, count: countIn(pratique.CategorySoftware)}, columns,
		func(ctx context.Context, s Source, r pratique.ExportRequest, yield func(row) error) error {
			list := func(ctx context.Context, f pratique.FindingFilter, p pratique.PageRequest) (pratique.Page[pratique.PlacedPackage], error) {
				return s.ImageComponents(ctx, f.ImageIDs[0], f, p)
			}
			return foundIn(ctx, s, r, list, yield)
		})
}

func secrets() Kind {
	type row = placed[pratique.PlacedSecret]
	columns := append(placeColumns[pratique.PlacedSecret](), []column[row]{
		{"title", "Name", "名称", func(v row) value { return v.row.Title }},
		{"rule", "Rule", "规则", func(v row) value { return v.row.Rule }},
		{"type", "Type", "类型", func(v row) value { return v.row.Type }},
		{"severity", "Severity", "威胁等级", func(v row) value { return word(v.row.Severity) }},
		{"source", "Found in", "来源", func(v row) value { return word(v.row.Source) }},
		{"path", "Path", "路径", func(v row) value { return v.row.Path }},
		{"line", "Line", "行号", func(v row) value { return v.row.Line }},
		{"preview", "Masked value", "脱敏内容", func(v row) value { return v.row.Preview }},
		{"layer", "Layer", "镜像层", func(v row) value { return layerOf(v.row.Origin) }},
		{"instruction", "Build instruction", "构建指令", func(v row) value { return instructionOf(v.row.Origin) }},
		{"advice", "Advice", "处置建议", func(v row) value { return v.row.Advice }},
		{"since", "Known here since", "首次发现", func(v row) value { return date(v.row.Since) }},
		{"suppressed", "Does not count because", "忽略原因", func(v row) value { return v.row.Suppressed }},
	}...)
	return table(Kind{ID: "secrets", Label: pratique.Text{EN: "Sensitive data of images", ZH: "镜像敏感信息"}, Filters: findingFilters,
		Sorts: []string{"severity", "path", "rule", "since"}, count: countIn(pratique.CategorySecret)}, columns,
		func(ctx context.Context, s Source, r pratique.ExportRequest, yield func(row) error) error {
			return foundIn(ctx, s, r, s.Secrets, yield)
		})
}

func malware() Kind {
	type row = placed[pratique.PlacedMalware]
	columns := append(placeColumns[pratique.PlacedMalware](), []column[row]{
		{"malware", "Name", "病毒名称", func(v row) value { return v.row.Name }},
		{"severity", "Severity", "威胁等级", func(v row) value { return word(v.row.Severity) }},
		{"engine", "Engine", "检测引擎", func(v row) value { return v.row.Engine }},
		{"list", "List or rule pack", "名单或规则包", func(v row) value { return v.row.List }},
		{"path", "File", "文件路径", func(v row) value { return v.row.Path }},
		{"size", "Size (bytes)", "大小（字节）", func(v row) value { return v.row.Size }},
		{"fileType", "File type", "文件类型", func(v row) value { return v.row.FileType }},
		{"md5", "MD5", "MD5", func(v row) value { return v.row.MD5 }},
		{"sha256", "SHA-256", "SHA-256", func(v row) value { return v.row.SHA256 }},
		{"evidence", "Evidence", "依据", func(v row) value { return v.row.Evidence }},
		{"layer", "Layer", "镜像层", func(v row) value { return layerOf(v.row.Origin) }},
		{"instruction", "Build instruction", "构建指令", func(v row) value { return instructionOf(v.row.Origin) }},
		{"advice", "Advice", "处置建议", func(v row) value { return v.row.Advice }},
		{"since", "Known here since", "首次发现", func(v row) value { return date(v.row.Since) }},
	}...)
	return table(Kind{ID: "malware", Label: pratique.Text{EN: "Viruses and trojans of images", ZH: "镜像木马病毒"}, Filters: findingFilters,
		Sorts: []string{"severity", "path", "name", "since"}, count: countIn(pratique.CategoryMalware)}, columns,
		func(ctx context.Context, s Source, r pratique.ExportRequest, yield func(row) error) error {
			return foundIn(ctx, s, r, s.Malware, yield)
		})
}
