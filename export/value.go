package export

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/pratique/pratique"
)

// A value is what a column has in a row: nil, string, term, pratique.Text, bool,
// int, int64, float64, time.Time, []string, []term or phrase. Programs get it as it is (JSON); people get its
// text.
type value any

// term is a word of ours, which people read in their language.
type term string

// terms are the words by column values. A word that is missing is shown as it is.
var terms = map[term]pratique.Text{
	"critical": {EN: "Critical", ZH: "严重"}, "high": {EN: "High", ZH: "高危"}, "medium": {EN: "Medium", ZH: "中危"}, "low": {EN: "Low", ZH: "低危"},
	"negligible": {EN: "Negligible", ZH: "可忽略"}, "unknown": {EN: "Unknown", ZH: "未知"},
	"not_scanned": {EN: "Not scanned", ZH: "未扫描"}, "scanning": {EN: "Scanning", ZH: "扫描中"}, "scanned": {EN: "Scanned", ZH: "已扫描"},
	"cancelled": {EN: "Cancelled", ZH: "已取消"}, "failed": {EN: "Scan exception", ZH: "扫描异常"},
	"none": {EN: "No risk", ZH: "无风险"}, "at_risk": {EN: "At risk", ZH: "有风险"},
	"fixed": {EN: "Fix available", ZH: "可修复"}, "not_fixed": {EN: "No fix yet", ZH: "暂无修复"}, "will_not_fix": {EN: "Will not be fixed", ZH: "不修复"},
	"manual": {EN: "By hand", ZH: "手动"}, "schedule": {EN: "Scheduled", ZH: "定时"}, "webhook": {EN: "Push", ZH: "推送"}, "rescan": {EN: "Rescan", ZH: "重新扫描"},
	"vulnerability": {EN: "Vulnerabilities", ZH: "漏洞"}, "secret": {EN: "Sensitive data", ZH: "敏感信息"}, "malware": {EN: "Viruses and trojans", ZH: "木马病毒"}, "software": {EN: "Software", ZH: "软件信息"},
	"file": {EN: "File", ZH: "文件"}, "history": {EN: "Build history", ZH: "构建历史"}, "env": {EN: "Environment", ZH: "环境变量"}, "label": {EN: "Label", ZH: "标签"},
	"running": {EN: "In use by a container", ZH: "容器使用中"}, "newest": {EN: "Newest version", ZH: "最新版本"},
	"never_scanned": {EN: "Never scanned", ZH: "从未扫描"}, "older_rules": {EN: "Scanned with older rules", ZH: "规则已更新"}, "last_scan_failed": {EN: "Last scan failed", ZH: "上次扫描异常"},
	"exploited": {EN: "Exploited vulnerability", ZH: "存在在野利用漏洞"}, "critical_fixable": {EN: "Critical vulnerability with a fix", ZH: "存在可修复严重漏洞"}, "live_secret": {EN: "Live-looking secret", ZH: "存在高危敏感信息"},
	"registry": {EN: "Registry", ZH: "镜像仓库"}, "local": {EN: "Servers", ZH: "主机"},
	"yes": {EN: "Yes", ZH: "是"}, "no": {EN: "No", ZH: "否"},
}

// phrase is a word of ours whose meaning is its column's: a change that is "fixed" is
// not a package that can be.
type phrase struct {
	term term
	text pratique.Text
}

// MarshalJSON writes the word, as the API has it.
func (p phrase) MarshalJSON() ([]byte, error) { return json.Marshal(string(p.term)) }

// language of people.
type language string

func (l language) of(t pratique.Text) string {
	if l == "zh" && t.ZH != "" || t.EN == "" {
		return t.ZH
	}
	return t.EN
}

func (l language) term(t term) string {
	if text, known := terms[t]; known {
		return l.of(text)
	}
	return string(t)
}

// text is a value as people read it.
func (l language) text(v value) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case term:
		return l.term(v)
	case pratique.Text:
		return l.of(v)
	case phrase:
		return l.of(v.text)
	case bool:
		if v {
			return l.term("yes")
		}
		return l.term("no")
	case int:
		return strconv.Itoa(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case time.Time:
		return v.UTC().Format(time.RFC3339)
	case []string:
		return strings.Join(v, "; ")
	case []term:
		words := make([]string, len(v))
		for i, t := range v {
			words[i] = l.term(t)
		}
		return strings.Join(words, "; ")
	}
	panic("export: a column has a value of a type that no writer knows")
}

func moment(t *time.Time) value {
	if t == nil || t.IsZero() {
		return nil
	}
	return *t
}

func date(t time.Time) value { return moment(&t) }

func word[T ~string](v T) value {
	if v == "" {
		return nil
	}
	return term(v)
}

func words[T ~string](all []T) value {
	list := make([]term, len(all))
	for i, v := range all {
		list[i] = term(v)
	}
	return list
}
