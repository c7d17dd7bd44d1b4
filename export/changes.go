package export

import (
	"context"

	"github.com/pratique/pratique"
)

// changeWords and causeWords are those of the console's list.
var (
	changeWords = map[pratique.Change]pratique.Text{
		"appeared": {EN: "Appeared", ZH: "新出现"}, "changed": {EN: "Changed", ZH: "已变更"}, "fixed": {EN: "Fixed", ZH: "已修复"},
		"suppressed": {EN: "Suppressed", ZH: "已忽略"}, "reopened": {EN: "Reopened", ZH: "重新出现"},
	}
	causeWords = map[pratique.Cause]pratique.Text{
		"image_content": {EN: "Image content", ZH: "镜像内容"}, "advisory_added": {EN: "Advisory added", ZH: "新增漏洞情报"}, "advisory_changed": {EN: "Advisory changed", ZH: "漏洞情报变更"},
		"advisory_withdrawn": {EN: "Advisory withdrawn", ZH: "漏洞情报撤回"}, "rules": {EN: "Rules", ZH: "规则更新"}, "exception": {EN: "Exception", ZH: "例外规则"},
	}
)

// spoken is a word with its meaning in a column. One that is not known is shown as it is.
func spoken[T ~string](v T, words map[T]pratique.Text) value {
	text, known := words[v]
	if !known {
		return string(v)
	}
	return phrase{term(v), text}
}

// changes are of one image, or of one vulnerability: all that ever happened is not a
// list that anybody has on the screen.
func changes() Kind {
	type row = pratique.FindingEvent
	of := func(field func(pratique.Package) string) func(row) value {
		return func(v row) value {
			if v.Package == nil {
				return nil
			}
			return field(*v.Package)
		}
	}
	columns := []column[row]{
		{"at", "Time", "时间", func(v row) value { return date(v.At) }},
		{"change", "Change", "变更", func(v row) value { return spoken(v.Change, changeWords) }},
		{"category", "Category", "类别", func(v row) value { return word(v.Category) }},
		{"vulnerability", "Vulnerability", "漏洞", func(v row) value { return v.Vulnerability }},
		{"package", "Package", "软件包", of(func(p pratique.Package) string { return p.Name })},
		{"version", "Version", "版本", of(func(p pratique.Package) string { return p.Version })},
		{"cause", "Cause", "原因", func(v row) value { return spoken(v.Cause, causeWords) }},
		{"before", "Before", "变更前", func(v row) value { return v.Before }},
		{"after", "After", "变更后", func(v row) value { return v.After }},
		{"imageID", "Image ID", "镜像 ID", func(v row) value { return string(v.ImageID) }},
		{"bundle", "Knowledge", "漏洞库", func(v row) value { return string(v.Bundle) }},
	}
	list := func(s Source, r pratique.ExportRequest) fetch[row] {
		return func(ctx context.Context, p pratique.PageRequest) (pratique.Page[row], error) {
			return s.Events(ctx, r.Events, p)
		}
	}
	return table(Kind{ID: "changes", Label: pratique.Text{EN: "Changes", ZH: "变更记录"}, Filters: []string{"events"},
		Sorts: []string{},
		check: func(r pratique.ExportRequest) error {
			if r.Events.ImageID == "" && r.Events.Vulnerability == "" {
				return pratique.Errorf(pratique.CodeInvalid, "changes are exported of one image, or of one vulnerability").WithRemedy("name it in events")
			}
			return nil
		},
		count: func(ctx context.Context, s Source, r pratique.ExportRequest) (int, error) {
			return count(ctx, list(s, r))
		}}, columns,
		func(ctx context.Context, s Source, r pratique.ExportRequest, yield func(row) error) error {
			return each(ctx, order(r.Sort), list(s, r), yield)
		})
}
