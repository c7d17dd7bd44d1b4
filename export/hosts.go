package export

import (
	"context"
	"strings"

	"github.com/pratique/pratique"
)

func hosts() Kind {
	columns := []column[pratique.HostRow]{
		{"name", "Server", "主机名称", func(v pratique.HostRow) value { return v.Name }},
		{"ips", "IP", "IP", func(v pratique.HostRow) value { return strings.Join(v.IPs, " ") }},
		{"online", "Online", "在线", func(v pratique.HostRow) value { return v.Online }},
		{"project", "Business group", "业务组", func(v pratique.HostRow) value { return v.Project }},
		{"os", "Operating system", "操作系统", func(v pratique.HostRow) value { return v.OS }},
		{"kernel", "Kernel", "内核", func(v pratique.HostRow) value { return v.Kernel }},
		{"engines", "Container engines", "容器引擎", func(v pratique.HostRow) value { return enginesOf(v) }},
		{"images", "Images", "镜像数", func(v pratique.HostRow) value { return v.Images }},
		{"atRisk", "Images at risk", "风险镜像数", func(v pratique.HostRow) value { return v.AtRisk }},
		{"containers", "Containers", "容器数", func(v pratique.HostRow) value { return v.Containers }},
		{"running", "Running containers", "运行中容器数", func(v pratique.HostRow) value { return v.Running }},
		{"updated", "Last inventory", "最近盘点时间", func(v pratique.HostRow) value { return moment(v.Updated) }},
		{"seen", "Last heard of", "最近在线时间", func(v pratique.HostRow) value { return moment(v.Seen) }},
		{"id", "Server ID", "主机 ID", func(v pratique.HostRow) value { return v.ID }},
	}
	page := func(s Source, r pratique.ExportRequest) fetch[pratique.HostRow] {
		return func(ctx context.Context, p pratique.PageRequest) (pratique.Page[pratique.HostRow], error) {
			return s.Hosts(ctx, r.Hosts, p)
		}
	}
	k := Kind{
		ID: "hosts", Label: pratique.Text{EN: "Servers", ZH: "主机"}, Filters: []string{"hosts"},
		Sorts: []string{"name", "project", "seen", "updated", "images", "atRisk", "containers", "running"},
		count: func(ctx context.Context, s Source, r pratique.ExportRequest) (int, error) {
			return count(ctx, page(s, r))
		},
	}
	return table(k, columns, func(ctx context.Context, s Source, r pratique.ExportRequest, yield func(pratique.HostRow) error) error {
		return each(ctx, order(r.Sort), page(s, r), yield)
	})
}

// enginesOf is "docker 24.0.7, podman 4.3.1".
func enginesOf(h pratique.HostRow) string {
	var all []string
	for _, e := range h.Engines {
		all = append(all, strings.TrimSpace(string(e.Kind)+" "+e.Version))
	}
	return strings.Join(all, ", ")
}

func containers() Kind {
	columns := []column[pratique.ContainerRow]{
		{"name", "Container", "容器名称", func(v pratique.ContainerRow) value { return v.Name }},
		{"id", "Container ID", "容器 ID", func(v pratique.ContainerRow) value { return v.ID }},
		{"state", "State", "运行状态", func(v pratique.ContainerRow) value { return string(v.State) }},
		{"image", "Image", "镜像", func(v pratique.ContainerRow) value { return v.Image }},
		{"imageID", "Image ID", "镜像 ID", func(v pratique.ContainerRow) value { return string(v.ImageID) }},
		{"command", "Command", "CMD", func(v pratique.ContainerRow) value { return strings.Join(v.Command, " ") }},
		{"host", "Server", "主机名称", func(v pratique.ContainerRow) value { return v.HostName }},
		{"engine", "Container engine", "容器引擎", func(v pratique.ContainerRow) value { return string(v.Engine) }},
		{"pod", "Pod", "Pod", func(v pratique.ContainerRow) value { return v.Pod }},
		{"created", "Created", "创建时间", func(v pratique.ContainerRow) value { return date(v.Created) }},
		{"updated", "Last update", "最近更新时间", func(v pratique.ContainerRow) value { return date(v.Updated) }},
		{"risk", "Security status of its image", "镜像安全状态", func(v pratique.ContainerRow) value { return word(v.Risk) }},
		{"vulnerabilities", "Vulnerabilities", "漏洞数", func(v pratique.ContainerRow) value { return v.Counters.Vulnerabilities.Total() }},
		{"critical", "Critical", "严重", func(v pratique.ContainerRow) value { return v.Counters.Vulnerabilities.Critical }},
		{"malware", "Viruses and trojans", "木马病毒数", func(v pratique.ContainerRow) value { return v.Counters.Malware.Total() }},
		{"secrets", "Sensitive data", "敏感信息数", func(v pratique.ContainerRow) value { return v.Counters.Secrets.Total() }},
	}
	page := func(s Source, r pratique.ExportRequest) fetch[pratique.ContainerRow] {
		return func(ctx context.Context, p pratique.PageRequest) (pratique.Page[pratique.ContainerRow], error) {
			return s.Containers(ctx, r.Containers, p)
		}
	}
	k := Kind{
		ID: "containers", Label: pratique.Text{EN: "Containers", ZH: "容器"}, Filters: []string{"containers"},
		Sorts: []string{"updated", "name", "state", "host", "created", "worst"},
		count: func(ctx context.Context, s Source, r pratique.ExportRequest) (int, error) {
			return count(ctx, page(s, r))
		},
	}
	return table(k, columns, func(ctx context.Context, s Source, r pratique.ExportRequest, yield func(pratique.ContainerRow) error) error {
		return each(ctx, order(r.Sort), page(s, r), yield)
	})
}
