package registry

import "github.com/pratique/pratique"

// FieldType says how a field is filled in.
type FieldType string

const (
	FieldText     FieldType = "text"
	FieldPassword FieldType = "password" // write-only: never sent back; left empty on a change, it stays
	FieldSelect   FieldType = "select"
	FieldInteger  FieldType = "integer" // with Options: presets, any other number may be typed
	FieldBool     FieldType = "bool"
	FieldPEM      FieldType = "pem"  // a text of several lines, or a file
	FieldList     FieldType = "list" // several texts
)

// Field is one line of the form that describes a connection. Name is the JSON
// name of a field of Connection, "password" or "webhookSecret".
type Field struct {
	Name        string        `json:"name"`
	Type        FieldType     `json:"type"`
	Label       pratique.Text `json:"label"`
	Help        pratique.Text `json:"help,omitzero"`
	Placeholder string        `json:"placeholder,omitempty"`
	Required    bool          `json:"required,omitempty"`
	Default     any           `json:"default,omitempty"`
	Options     []Option      `json:"options,omitempty"`
	// Negated: the form shows the opposite. A ticked box means false.
	Negated bool `json:"negated,omitempty"`
	// VisibleWhen hides the field unless another has one of some values.
	VisibleWhen *Condition `json:"visibleWhen,omitempty"`
}

// Option is a value to choose.
type Option struct {
	Value any           `json:"value"`
	Label pratique.Text `json:"label"`
}

// Condition holds when the field has one of the values.
type Condition struct {
	Field  string `json:"field"`
	Values []any  `json:"values"`
}

// Form returns the fields that all kinds share, with a kind's own after the
// name.
func Form(own ...Field) []Field {
	fields := []Field{{
		Name: "name", Type: FieldText, Required: true,
		Label: pratique.Text{EN: "Instance name", ZH: "实例名称"},
		Help:  pratique.Text{EN: "Unique among all registries.", ZH: "名称不可重复。"},
	}}
	fields = append(fields, own...)
	return append(fields, []Field{{
		Name: "networkType", Type: FieldSelect, Default: NetworkPublic,
		Label: pratique.Text{EN: "Network type", ZH: "网络类型"},
		Options: []Option{
			{NetworkPublic, pratique.Text{EN: "Public network", ZH: "公网"}},
			{NetworkPrivate, pratique.Text{EN: "Private network", ZH: "内网"}},
		},
	}, {
		Name: "region", Type: FieldSelect, Default: "default",
		Label:   pratique.Text{EN: "Region", ZH: "地域"},
		Options: []Option{{"default", pratique.Text{EN: "Default region", ZH: "默认地域"}}},
	}, {
		Name: "site", Type: FieldText,
		Label:       pratique.Text{EN: "Site", ZH: "站点"},
		Help:        pratique.Text{EN: "The site whose agent reads the registry. Empty: the server itself.", ZH: "由哪个站点的 Agent 读取该仓库。留空表示由服务器直接读取。"},
		VisibleWhen: &Condition{Field: "networkType", Values: []any{NetworkPrivate}},
	}, {
		Name: "address", Type: FieldText, Required: true, Placeholder: "https://registry.example.com",
		Label: pratique.Text{EN: "Address", ZH: "地址"},
		Help: pratique.Text{
			EN: "https://HOST or https://HOST:PORT, without a path. If the registry has an allow list, add this service's address to it (the connection test shows it), or switch the network type.",
			ZH: "https://主机 或 https://主机:端口，不带路径。若仓库设有访问白名单，请将本服务的地址（见连接测试结果）加入白名单，或切换网络类型。",
		},
	}, {
		Name: "username", Type: FieldText,
		Label: pratique.Text{EN: "Username", ZH: "用户名"},
		Help:  pratique.Text{EN: "Empty: only what is public is visible.", ZH: "留空时只能看到公开的内容。"},
	}, {
		Name: "password", Type: FieldPassword,
		Label: pratique.Text{EN: "Password", ZH: "密码"},
		Help:  pratique.Text{EN: "A password or token. It is stored encrypted and never shown again.", ZH: "密码或令牌。加密保存，不再显示。"},
	}, {
		Name: "hourlyLimit", Type: FieldInteger, Default: 0,
		Label: pratique.Text{EN: "Limit", ZH: "限速"},
		Help:  pratique.Text{EN: "Images that may be pulled in an hour.", ZH: "每小时可拉取的镜像数量。"},
		Options: []Option{
			{5, pratique.Text{EN: "5", ZH: "5"}}, {10, pratique.Text{EN: "10", ZH: "10"}},
			{20, pratique.Text{EN: "20", ZH: "20"}}, {50, pratique.Text{EN: "50", ZH: "50"}},
			{100, pratique.Text{EN: "100", ZH: "100"}}, {500, pratique.Text{EN: "500", ZH: "500"}},
			{1000, pratique.Text{EN: "1000", ZH: "1000"}}, {0, pratique.Text{EN: "Unlimited", ZH: "无限制"}},
		},
	}, {
		Name: "insecure", Type: FieldBool, Default: false, Negated: true,
		Label: pratique.Text{EN: "Validate remote certificate", ZH: "验证远程证书"},
		Help: pratique.Text{
			EN: "Do not select it for a self-signed or untrusted certificate. To upload its authority below is better.",
			ZH: "自签名或不受信任的证书请不要勾选；更好的做法是在下方上传其 CA 证书。",
		},
	}, {
		Name: "ca", Type: FieldPEM,
		Label: pratique.Text{EN: "CA certificate", ZH: "CA 证书"},
		Help:  pratique.Text{EN: "PEM, trusted for this registry beside the system's authorities.", ZH: "PEM 格式，仅对该仓库生效，与系统 CA 一并信任。"},
	}, {
		Name: "proxy", Type: FieldText, Placeholder: "http://proxy.example.com:3128",
		Label: pratique.Text{EN: "HTTP proxy", ZH: "HTTP 代理"},
		Help:  pratique.Text{EN: "Empty: the service's own setting. “none”: no proxy.", ZH: "留空使用服务自身的代理设置；填写 none 表示不使用代理。"},
	}, {
		Name: "namespaces", Type: FieldList, Placeholder: "team",
		Label: pratique.Text{EN: "Namespaces", ZH: "命名空间"},
		Help:  pratique.Text{EN: "Only repositories below these names. Empty: all.", ZH: "只同步这些命名空间下的仓库。留空表示全部。"},
	}, {
		Name: "webhookSecret", Type: FieldPassword,
		Label: pratique.Text{EN: "Webhook secret", ZH: "Webhook 密钥"},
		Help: pratique.Text{
			EN: "What the registry sends in the Authorization header when it calls us. Without it, calls are refused.",
			ZH: "仓库回调时放在 Authorization 请求头中的密钥。未设置时拒绝所有回调。",
		},
	}}...)
}
