package export

import (
	"context"
	"slices"

	"github.com/pratique/pratique"
)

func tasks() Kind {
	type row = pratique.Task
	list := func(s Source, r pratique.ExportRequest) fetch[row] {
		return func(ctx context.Context, p pratique.PageRequest) (pratique.Page[row], error) {
			return s.Tasks(ctx, r.Tasks, p)
		}
	}
	columns := []column[row]{
		{"id", "Task", "任务 ID", func(v row) value { return v.ID }},
		{"kind", "Kind", "任务类型", func(v row) value { return word(v.Kind) }},
		{"creator", "Creator", "创建者", func(v row) value { return v.Creator }},
		{"categories", "Categories", "检测项", func(v row) value { return words(v.Categories) }},
		{"created", "Created", "创建时间", func(v row) value { return date(v.Created) }},
		{"ended", "Ended", "结束时间", func(v row) value { return moment(v.Ended) }},
		{"total", "Images", "镜像数", func(v row) value { return v.Total }},
		{"scanned", "Scanned", "已扫描", func(v row) value { return v.Scanned }},
		{"failed", "Failed", "失败", func(v row) value { return v.Failed }},
		{"cancelled", "Cancelled", "已取消", func(v row) value { return v.Cancelled }},
		{"atRisk", "At risk", "有风险", func(v row) value { return v.AtRisk }},
		{"unlicensed", "Left out for the quota", "配额不足", func(v row) value { return v.Unlicensed }},
	}
	return table(Kind{ID: "tasks", Label: pratique.Text{EN: "Tasks", ZH: "扫描任务"}, Filters: []string{"tasks"}, Sorts: []string{"created", "total", "failed"},
		count: func(ctx context.Context, s Source, r pratique.ExportRequest) (int, error) {
			return count(ctx, list(s, r))
		}}, columns,
		func(ctx context.Context, s Source, r pratique.ExportRequest, yield func(row) error) error {
			return each(ctx, order(r.Sort), list(s, r), yield)
		})
}

// scans name their images: a page's worth of them is looked up at once.
func scans() Kind {
	type row struct {
		pratique.Scan
		names []string
	}
	list := func(s Source, r pratique.ExportRequest) fetch[row] {
		return func(ctx context.Context, request pratique.PageRequest) (page pratique.Page[row], err error) {
			p, err := s.Scans(ctx, r.Scans, request)
			if err != nil {
				return page, err
			}
			names, err := namesOf(ctx, s, p.Items)
			page.Next, page.Total = p.Next, p.Total
			for _, v := range p.Items {
				page.Items = append(page.Items, row{v, names[v.ImageID]})
			}
			return page, err
		}
	}
	columns := []column[row]{
		{"id", "Scan", "扫描 ID", func(v row) value { return v.ID }},
		{"images", "Images", "镜像", func(v row) value { return v.names }},
		{"imageID", "Image ID", "镜像 ID", func(v row) value { return string(v.ImageID) }},
		{"status", "Status", "扫描状态", func(v row) value { return word(v.Status) }},
		{"categories", "Categories", "检测项", func(v row) value { return words(v.Categories) }},
		{"created", "Created", "创建时间", func(v row) value { return date(v.Created) }},
		{"started", "Started", "开始时间", func(v row) value { return moment(v.Started) }},
		{"ended", "Ended", "结束时间", func(v row) value { return moment(v.Ended) }},
		{"reason", "Reason", "异常原因", func(v row) value {
			if v.Error == nil {
				return nil
			}
			return v.Error.Message
		}},
		{"remedy", "Remedy", "处理建议", func(v row) value {
			if v.Error == nil {
				return nil
			}
			return v.Error.Remedy
		}},
		{"worker", "Worker", "执行者", func(v row) value { return v.Worker }},
	}
	return table(Kind{ID: "scans", Label: pratique.Text{EN: "Scans", ZH: "扫描记录"}, Filters: []string{"scans"}, Sorts: []string{"created", "ended", "status"},
		count: func(ctx context.Context, s Source, r pratique.ExportRequest) (int, error) {
			return count(ctx, list(s, r))
		}}, columns,
		func(ctx context.Context, s Source, r pratique.ExportRequest, yield func(row) error) error {
			return each(ctx, order(r.Sort), list(s, r), yield)
		})
}

// imagesAtOnce are looked up by one statement.
const imagesAtOnce = 200

// namesOf are the names of scans' images that still exist.
func namesOf(ctx context.Context, s ImageSource, all []pratique.Scan) (map[pratique.Digest][]string, error) {
	names := map[pratique.Digest][]string{}
	var ids []pratique.Digest
	for _, v := range all {
		ids = append(ids, v.ImageID)
	}
	slices.Sort(ids)
	for part := range slices.Chunk(slices.Compact(ids), imagesAtOnce) {
		err := each(ctx, pratique.PageRequest{Sort: "name"}, func(ctx context.Context, p pratique.PageRequest) (pratique.Page[pratique.AssetRow], error) {
			return s.Assets(ctx, pratique.AssetFilter{ImageIDs: part}, p)
		}, func(row pratique.AssetRow) error {
			if n := len(names[row.ImageID]); n < maxNames {
				names[row.ImageID] = append(names[row.ImageID], nameOf(row))
			} else if n == maxNames {
				names[row.ImageID] = append(names[row.ImageID], "…")
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return names, nil
}
