package report

// Words of the HTML report.
var (
	htmlEnglish = map[string]string{
		"report": "Image report", "imageID": "Image ID", "digest": "Manifest", "platform": "Platform", "distro": "Operating system", "ended": "no security support since",
		"size": "Size", "layers": "layers", "created": "Built", "user": "Runs as", "knowledge": "Judged by feeds of", "noKnowledge": "no feed: vulnerabilities are unknown",
		"vulnerability": "Vulnerabilities", "malware": "Malware", "secret": "Secrets", "software": "Packages", "none": "none found",
		"critical": "critical", "high": "high", "medium": "medium", "low": "low", "negligible": "negligible", "unknown": "unknown",
		"clearance.yes": "May ship", "clearance.no": "Must not ship", "clearance.unknown": "Not known whether it may ship",
		"coverage.complete": "complete", "coverage.partial": "partial", "coverage.hashes_only": "by digests only", "coverage.unknown": "unknown",
		"coverage.not_yet": "not looked at", "coverage.skipped": "not asked for", "coverage.unsupported": "cannot be judged",
		"fix.fixed": "yes", "fix.not_fixed": "no fix yet", "fix.will_not_fix": "will not be fixed", "fix.unknown": "fix unknown",
		"upgrades": "What to do first", "package": "Package", "installed": "Installed", "to": "Upgrade to", "ends": "Ends", "exploited": "exploited", "layer": "Layer",
		"severity": "Severity", "name": "Name", "file": "File", "advice": "Advice", "fixed": "Fixed in", "score": "CVSS", "epss": "EPSS", "title": "What it is",
		"apart": "Not counted", "why": "Why", "unimportant": "the distribution calls it unimportant",
		"history": "Build history", "step": "Step", "brought": "Findings", "type": "Type", "version": "Version", "licenses": "Licences", "path": "Path",
		"problems": "What could not be read", "feeds": "Feeds", "source": "Source", "records": "Records", "newest": "Newest record",
	}
	htmlChinese = map[string]string{
		"report": "镜像安全报告", "imageID": "镜像 ID", "digest": "清单摘要", "platform": "平台", "distro": "操作系统", "ended": "安全支持已终止于",
		"size": "大小", "layers": "层", "created": "构建时间", "user": "运行用户", "knowledge": "漏洞库时间", "noKnowledge": "未导入漏洞库：漏洞情况未知",
		"vulnerability": "漏洞", "malware": "木马病毒", "secret": "敏感信息", "software": "软件包", "none": "未发现",
		"critical": "严重", "high": "高危", "medium": "中危", "low": "低危", "negligible": "可忽略", "unknown": "未知",
		"clearance.yes": "可以发布", "clearance.no": "不可发布", "clearance.unknown": "无法判断能否发布",
		"coverage.complete": "完整", "coverage.partial": "部分", "coverage.hashes_only": "仅按摘要检测", "coverage.unknown": "未知",
		"coverage.not_yet": "未检测", "coverage.skipped": "未要求检测", "coverage.unsupported": "无法检测",
		"fix.fixed": "有", "fix.not_fixed": "暂无修复", "fix.will_not_fix": "不予修复", "fix.unknown": "修复情况未知",
		"upgrades": "优先处理", "package": "软件包", "installed": "已安装版本", "to": "升级到", "ends": "可消除", "exploited": "已被利用", "layer": "层",
		"severity": "威胁等级", "name": "名称", "file": "文件", "advice": "处置建议", "fixed": "修复版本", "score": "CVSS", "epss": "EPSS", "title": "说明",
		"apart": "不计入风险", "why": "原因", "unimportant": "发行版认为不重要",
		"history": "构建历史", "step": "构建指令", "brought": "风险", "type": "类型", "version": "版本", "licenses": "许可证", "path": "路径",
		"problems": "未能读取的内容", "feeds": "漏洞库", "source": "来源", "records": "记录数", "newest": "最新记录",
	}
)
