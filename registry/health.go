package registry

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"

	"github.com/pratique/pratique"
)

// Status is the outcome of a connection test in one word.
type Status string

const (
	StatusConnected    Status = "connected"
	StatusAuthFailed   Status = "auth_failed"    // user name or password are wrong, or missing
	StatusForbidden    Status = "forbidden"      // we are known, and may not list
	StatusUnreachable  Status = "unreachable"    // no answer
	StatusTLSFailed    Status = "tls_failed"     // a certificate that is not trusted, or no TLS
	StatusNotRegistry  Status = "not_a_registry" // something else answers
	StatusWrongVersion Status = "wrong_version"  // of the API, or another kind of registry
	StatusNoCatalogue  Status = "no_catalogue"   // it cannot list its repositories
	StatusRateLimited  Status = "rate_limited"
	StatusFailed       Status = "failed"  // a fault of the registry
	StatusInvalid      Status = "invalid" // the description of the connection makes no sense
	StatusCancelled    Status = "cancelled"
)

func (s Status) code() pratique.Code {
	switch s {
	case StatusAuthFailed, StatusForbidden:
		return pratique.CodeUnauthorized
	case StatusNoCatalogue, StatusWrongVersion:
		return pratique.CodeUnsupported
	case StatusRateLimited:
		return pratique.CodeRateLimited
	case StatusInvalid:
		return pratique.CodeInvalid
	case StatusCancelled:
		return pratique.CodeCancelled
	}
	return pratique.CodeUnreachable
}

// CheckTimeout is how long a connection test may take. People wait for it.
const CheckTimeout = 30 * time.Second

// Health is what a connection test found.
type Health struct {
	Status  Status        `json:"status"`
	Reason  pratique.Text `json:"reason,omitzero"` // why it is not connected
	Remedy  pratique.Text `json:"remedy,omitzero"` // what to do about it
	Message string        `json:"message,omitempty"`
	// Warnings do not keep the registry from being used.
	Warnings []Warning `json:"warnings,omitempty"`
	Product  string    `json:"product,omitempty"` // "Harbor 2.15.2"
	Version  Version   `json:"version,omitempty"` // of the API, where a kind has several
	// Endpoints are the HOST:PORT that must be reachable from here: the registry,
	// its token service, a proxy. Object stores that blobs are redirected to are
	// not known before a blob is read.
	Endpoints []string `json:"endpoints,omitempty"`
	// Sources are our own addresses on the way there: what an allow list must
	// have. Behind address translation the registry sees another one.
	Sources []string      `json:"sources,omitempty"`
	Latency time.Duration `json:"latency"` // of one request, in nanoseconds
	Checked time.Time     `json:"checked"`
	// Agent is the name of the site's agent that tested it; empty: the service itself.
	Agent string `json:"agent,omitempty"`
}

// Warning is something that people should know about a working connection.
type Warning struct {
	Reason pratique.Text `json:"reason"`
	Remedy pratique.Text `json:"remedy,omitzero"`
}

// Fail fills in what an error means.
func (h Health) Fail(err error) Health {
	f := Diagnose(err)
	h.Status, h.Reason, h.Remedy, h.Message = f.Status, f.Reason, f.Remedy, err.Error()
	return h
}

// Fault is a known way in which a connection fails, for people. It is the cause
// of the errors that it makes, so that [Diagnose] finds it again.
type Fault struct {
	Status         Status
	Reason, Remedy pratique.Text
}

func (f *Fault) Error() string { return f.Reason.EN }

// Errorf returns an error that Diagnose knows for f.
func (f *Fault) Errorf(format string, args ...any) *pratique.Error {
	e := pratique.Errorf(f.Status.code(), format, args...).WithRemedy("%s", f.Remedy.EN)
	e.Cause = f
	return e
}

// Explain gives an error of the shared client the remedy that fits a stored
// connection: what the client itself says is meant for a command line. An error about
// content says itself what to do.
func Explain(err error) error {
	var own *pratique.Error
	if err == nil || !errors.As(err, &own) {
		return err
	}
	switch own.Code {
	case pratique.CodeCorrupt, pratique.CodeLimit, pratique.CodeUnsupported:
		if !errors.As(err, new(*Fault)) {
			return err
		}
	}
	told := *own
	told.Remedy, told.Cause = Diagnose(err).Remedy.EN, own
	return &told
}

// Diagnose tells what an error of a connector means.
func Diagnose(err error) *Fault {
	var (
		fault    *Fault
		authorit x509.UnknownAuthorityError
		hostname x509.HostnameError
		invalid  x509.CertificateInvalidError
		record   tls.RecordHeaderError
		unknown  *net.DNSError
		timeout  net.Error
	)
	switch {
	case errors.As(err, &fault):
		return fault
	case errors.Is(err, context.Canceled):
		return faultCancelled
	case errors.As(err, &authorit):
		return faultAuthority
	case errors.As(err, &hostname):
		return faultHostname
	case errors.As(err, &invalid):
		return faultCertificate
	case errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		return faultPlain
	case errors.As(err, &unknown):
		return faultName
	case errors.Is(err, syscall.ECONNREFUSED):
		return faultRefused
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return faultSilent
	}
	switch pratique.CodeOf(err) {
	case pratique.CodeUnauthorized:
		return FaultCredential
	case pratique.CodeRateLimited:
		return faultPatience
	case pratique.CodeNotFound:
		return faultMissing
	case pratique.CodeInvalid:
		return &Fault{Status: StatusInvalid, Reason: pratique.Text{EN: err.Error(), ZH: "连接参数无效：" + err.Error()}, Remedy: faultInvalid.Remedy}
	case pratique.CodeCancelled:
		return faultCancelled
	case pratique.CodeUnreachable:
		return faultBroken
	}
	return FaultServer
}

// Faults that connectors and the shared client name.
var (
	FaultCredential = &Fault{StatusAuthFailed,
		pratique.Text{EN: "The registry does not accept the user name and password.", ZH: "仓库不接受该用户名和密码。"},
		pratique.Text{EN: "Check both, and whether the account is locked or its token has expired, then test again.", ZH: "请检查用户名和密码，以及账号是否被锁定、令牌是否过期，然后重新检测。"}}
	FaultLogin = &Fault{StatusAuthFailed,
		pratique.Text{EN: "The registry wants a user name and a password.", ZH: "仓库要求提供用户名和密码。"},
		pratique.Text{EN: "Give an account that may list and pull.", ZH: "请填写有权列出和拉取的账号。"}}
	FaultForbidden = &Fault{StatusForbidden,
		pratique.Text{EN: "The account is known to the registry, but lacks a right that listing needs.", ZH: "账号有效，但没有列出内容所需的权限。"},
		pratique.Text{EN: "Give the account the right to list repositories and to pull, or use another account.", ZH: "请授予该账号列出仓库和拉取的权限，或更换账号。"}}
	FaultPolicy = &Fault{StatusForbidden,
		pratique.Text{EN: "A policy of the registry keeps the image from being pulled.", ZH: "仓库的策略禁止拉取该镜像。"},
		pratique.Text{EN: "Exempt the image or its vulnerabilities in the project's policy (in Harbor: deployment security of the project's configuration), or switch the policy off, then try again.", ZH: "请在项目策略中豁免该镜像或其漏洞（Harbor：项目配置管理中的部署安全），或关闭该策略，然后重试。"}}
	FaultNotRegistry = &Fault{StatusNotRegistry,
		pratique.Text{EN: "Something other than such a registry answers at this address.", ZH: "该地址的应答不是这类镜像仓库。"},
		pratique.Text{EN: "Check host, port and type, and whether a proxy or a login page stands in between.", ZH: "请检查主机、端口和类型，以及中间是否有代理或登录页面。"}}
	FaultRedirect = &Fault{StatusNotRegistry,
		pratique.Text{EN: "The address redirects to another one.", ZH: "该地址重定向到了另一个地址。"},
		pratique.Text{EN: "If the other address is the registry's, use it here. We do not follow with a password.", ZH: "若目标地址确属该仓库，请直接填写目标地址。我们不会带着密码跟随重定向。"}}
	FaultServer = &Fault{StatusFailed,
		pratique.Text{EN: "The registry has a fault of its own.", ZH: "仓库自身出现故障。"},
		pratique.Text{EN: "Try again later, and look into the registry's log if it stays.", ZH: "请稍后重试；若持续出现，请查看仓库日志。"}}

	FaultNoAgent = &Fault{StatusUnreachable,
		pratique.Text{EN: "The registry is read by an agent of its site, and none is online.", ZH: "该仓库由其站点的 Agent 读取,但目前没有在线的 Agent。"},
		pratique.Text{EN: "Start the site's agent (pratique agent --site), then test or synchronise again; or clear the registry's site.", ZH: "请启动该站点的 Agent(pratique agent --site)，然后重新测试或同步；或清空该仓库的站点。"}}

	FaultAgentSilent = &Fault{StatusUnreachable,
		pratique.Text{EN: "The site's agent did not say in time whether it reaches the registry.", ZH: "该站点的 Agent 未能及时返回仓库是否可达。"},
		pratique.Text{EN: "Look at the agent's log and whether it runs, update it to the service's version, then test again.", ZH: "请检查该 Agent 是否在运行及其日志，将其更新到与服务相同的版本，然后重新检测。"}}

	faultMissing = &Fault{StatusFailed,
		pratique.Text{EN: "The registry does not have this repository or image, or does not show it to this account.", ZH: "仓库中没有该镜像仓库或镜像，或该账号无权查看。"},
		pratique.Text{EN: "If it was deleted, synchronise the registry; else check the spelling, and the account's rights.", ZH: "若已被删除，请同步该仓库；否则请检查名称拼写以及账号权限。"}}
	faultCancelled = &Fault{StatusCancelled,
		pratique.Text{EN: "It was cancelled.", ZH: "已取消。"}, pratique.Text{EN: "Start it again.", ZH: "请重新开始。"}}
	faultInvalid = &Fault{StatusInvalid,
		pratique.Text{EN: "The description of the connection makes no sense.", ZH: "连接参数无效。"},
		pratique.Text{EN: "Correct the field and test again.", ZH: "请修改该字段后重新检测。"}}
	faultAuthority = &Fault{StatusTLSFailed,
		pratique.Text{EN: "The registry's certificate is signed by an unknown authority.", ZH: "仓库证书由未知的 CA 签发。"},
		pratique.Text{EN: "Upload the authority's certificate (PEM), or switch certificate validation off.", ZH: "请上传该 CA 证书（PEM），或关闭证书验证。"}}
	faultHostname = &Fault{StatusTLSFailed,
		pratique.Text{EN: "The registry's certificate is for another name.", ZH: "仓库证书的名称与地址不符。"},
		pratique.Text{EN: "Use the name in the certificate as the address, or switch certificate validation off.", ZH: "请使用证书中的名称作为地址，或关闭证书验证。"}}
	faultCertificate = &Fault{StatusTLSFailed,
		pratique.Text{EN: "The registry's certificate has expired, or is not valid.", ZH: "仓库证书已过期或无效。"},
		pratique.Text{EN: "Renew it, check this machine's clock, or switch certificate validation off.", ZH: "请更新证书、检查本机时钟，或关闭证书验证。"}}
	faultPlain = &Fault{StatusTLSFailed,
		pratique.Text{EN: "The registry does not speak TLS at this address.", ZH: "该地址不支持 TLS。"},
		pratique.Text{EN: "Check the port. If the registry is meant to be without TLS, write http:// before the address.", ZH: "请检查端口；若仓库本来就不使用 TLS，请在地址前加 http://。"}}
	faultName = &Fault{StatusUnreachable,
		pratique.Text{EN: "The host's name is not known.", ZH: "无法解析主机名。"},
		pratique.Text{EN: "Check the spelling, the DNS of this machine, and the proxy.", ZH: "请检查拼写、本机 DNS 和代理设置。"}}
	faultRefused = &Fault{StatusUnreachable,
		pratique.Text{EN: "Nothing listens at this address.", ZH: "该地址没有服务在监听。"},
		pratique.Text{EN: "Check host and port, that the registry runs, and the firewalls in between.", ZH: "请检查主机和端口、仓库是否在运行，以及中间的防火墙。"}}
	faultSilent = &Fault{StatusUnreachable,
		pratique.Text{EN: "The registry does not answer in time.", ZH: "仓库未在规定时间内应答。"},
		pratique.Text{EN: "Add this service's address to the registry's allow list, or switch the network type; check firewalls and proxy.", ZH: "请将本服务的地址加入仓库的访问白名单，或切换网络类型；并检查防火墙和代理。"}}
	faultBroken = &Fault{StatusUnreachable,
		pratique.Text{EN: "The connection to the registry fails.", ZH: "与仓库的连接失败。"},
		pratique.Text{EN: "Check address, network and proxy, and the registry's allow list, then test again.", ZH: "请检查地址、网络、代理以及仓库的访问白名单，然后重新检测。"}}
	faultPatience = &Fault{StatusRateLimited,
		pratique.Text{EN: "The registry asks for patience: too many requests.", ZH: "请求过多，仓库要求稍后再试。"},
		pratique.Text{EN: "Try again later. An account often has a higher limit than none.", ZH: "请稍后重试；登录账号通常比匿名访问有更高的配额。"}}
)

// Warnings that several kinds give.
var (
	WarnPublicOnly = Warning{
		pratique.Text{EN: "Without a user name only public repositories are visible.", ZH: "未填写用户名，只能看到公开的仓库。"},
		pratique.Text{EN: "Give an account that may list and pull all repositories that matter.", ZH: "请填写有权列出并拉取相关仓库的账号。"}}
	WarnEmpty = Warning{
		pratique.Text{EN: "The registry shows no repository to this account.", ZH: "该账号看不到任何仓库。"},
		pratique.Text{EN: "Unless it is empty, give the account the right to see its repositories.", ZH: "若仓库并非为空，请授予该账号查看的权限。"}}
	WarnUnchecked = Warning{
		pratique.Text{EN: "The registry does not ask who we are, so the password was not checked.", ZH: "仓库不要求身份验证，因此未校验密码。"},
		pratique.Text{EN: "Remove user name and password, or let the registry ask for them.", ZH: "请删除用户名和密码，或在仓库上启用身份验证。"}}
	WarnPlain = Warning{
		pratique.Text{EN: "The password is sent without encryption.", ZH: "密码以明文传输。"},
		pratique.Text{EN: "Let the registry speak TLS, and use https:// in the address.", ZH: "请为仓库启用 TLS，并在地址中使用 https://。"}}
)
