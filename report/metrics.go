package report

import (
	"cmp"
	"strings"

	"github.com/pratique/pratique"
)

// Metric is one metric of a CVSS vector in words.
type Metric struct {
	Name  pratique.Text `json:"name"`
	Value pratique.Text `json:"value"`
}

// CVSSMetrics is [CVSSMeaning] in the console's languages. What has no translation
// is the same in both.
func CVSSMetrics(vector string) []Metric {
	var all []Metric
	for _, line := range CVSSMeaning(vector) {
		name, value, _ := strings.Cut(line, ": ")
		here := name == "Here"
		if here {
			name, value, _ = strings.Cut(value, ": ")
		}
		m := Metric{pratique.Text{EN: name, ZH: chinese(name)}, pratique.Text{EN: value, ZH: chinese(value)}}
		if here {
			m.Name = pratique.Text{EN: "Here: " + name, ZH: "本地：" + m.Name.ZH}
		}
		all = append(all, m)
	}
	return all
}

func chinese(words string) string { return cmp.Or(cvssChinese[words], words) }

// cvssChinese are the words of metrics and of their values, after the Chinese
// edition of the national vulnerability database's guides.
var cvssChinese = map[string]string{
	"Attack vector": "攻击途径", "Attack complexity": "攻击复杂度", "Authentication": "身份认证", "Privileges required": "所需权限",
	"User interaction": "用户交互", "Scope": "影响范围", "Attack requirements": "攻击前提",
	"Loss of confidentiality": "机密性影响", "Loss of integrity": "完整性影响", "Loss of availability": "可用性影响",
	"Loss of confidentiality, vulnerable system": "脆弱系统机密性影响", "Loss of integrity, vulnerable system": "脆弱系统完整性影响",
	"Loss of availability, vulnerable system": "脆弱系统可用性影响", "Loss of confidentiality, other systems": "后续系统机密性影响",
	"Loss of integrity, other systems": "后续系统完整性影响", "Loss of availability, other systems": "后续系统可用性影响",
	"Exploit code": "利用代码成熟度", "Exploits": "利用成熟度", "Remedy": "修复水平", "Confidence in the report": "报告可信度",
	"Need for confidentiality": "机密性需求", "Need for integrity": "完整性需求", "Need for availability": "可用性需求",
	"Safety": "安全性", "Can be automated": "可自动化", "Recovery": "恢复", "Value density": "价值密度",
	"Effort of response": "响应工作量", "Provider's urgency": "提供方紧急程度",
	"network": "网络", "adjacent network": "相邻网络", "local": "本地", "physical": "物理接触",
	"low": "低", "medium": "中", "high": "高", "moderate": "中", "none": "无", "required": "需要", "passive": "被动", "active": "主动", "present": "存在",
	"unchanged, only the vulnerable part is hit": "不变，仅影响脆弱组件", "changed, other parts are hit too": "改变，同时影响其他组件",
	"partial": "部分", "complete": "完全", "once": "一次", "several times": "多次",
	"unproven": "未证实", "proof of concept": "概念验证", "functional": "可用", "attacked": "已被攻击", "unreported": "未见报告",
	"official fix": "官方修复", "temporary fix": "临时修复", "workaround": "变通方法", "unavailable": "不可用",
	"unconfirmed": "未确认", "uncorroborated": "未证实", "confirmed": "已确认", "unknown": "未知", "reasonable": "合理",
	"safety of people": "人身安全", "negligible": "可忽略", "no": "否", "yes": "是", "automatic": "自动", "by the user": "由用户", "irrecoverable": "不可恢复",
	"diffuse": "分散", "concentrated": "集中", "clear": "无", "green": "绿", "amber": "琥珀", "red": "红", "not defined": "未定义",
}
