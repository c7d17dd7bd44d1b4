package match

import (
	"fmt"
	"strings"

	"github.com/pratique/pratique"
)

// adviceFor says what to do about a finding, with the command of the package's
// own manager where a fixed version is known. Names and versions come from the
// image: in commands they are quoted for a shell.
func adviceFor(f *pratique.Finding, d *pratique.Distro, ended bool) pratique.Text {
	p := &f.Package
	switch f.FixState {
	case pratique.FixAvailable:
		return upgrade(p, f.FixedVersion, d)
	case pratique.FixRefused:
		return pratique.Text{
			EN: fmt.Sprintf("No fix will come for %s in this release: remove the package if it is not needed, or move to a release that has the fix", p.Name),
			ZH: fmt.Sprintf("该发行版不会修复 %s：如无需要请移除该软件包，或迁移到已修复的发行版", p.Name),
		}
	case pratique.FixUnknown:
		return pratique.Text{
			EN: fmt.Sprintf("The record names no fixed version of %s: see the references for the publisher's advice", p.Name),
			ZH: fmt.Sprintf("公告未给出 %s 的修复版本：请查看参考链接中的发布方建议", p.Name),
		}
	}
	if ended && pratique.IsSystem(p.Type) {
		return pratique.Text{
			EN: fmt.Sprintf("No fix for %s, and this release gets no more security updates: rebuild on a supported release", p.Name),
			ZH: fmt.Sprintf("%s 暂无修复，且该发行版已停止安全更新：请基于受支持的发行版重新构建", p.Name),
		}
	}
	return pratique.Text{
		EN: fmt.Sprintf("No fixed version of %s exists yet: remove it if it is not needed, or accept the risk for a limited time", p.Name),
		ZH: fmt.Sprintf("%s 暂无修复版本：如无需要请移除，或在限期内接受风险", p.Name),
	}
}

func upgrade(p *pratique.Package, fixed string, d *pratique.Distro) pratique.Text {
	if p.Type == "golang" && (p.Name == "stdlib" || p.Name == "toolchain") {
		fixed = strings.TrimPrefix(fixed, "v")
		return pratique.Text{
			EN: fmt.Sprintf("Rebuild the binary with Go %s or newer", fixed),
			ZH: fmt.Sprintf("请使用 Go %s 或更高版本重新编译该程序", fixed),
		}
	}
	if p.OwnedBy != "" {
		return pratique.Text{
			EN: fmt.Sprintf("%s %s or newer has the fix; its files belong to the system package %s: upgrade that", p.Name, fixed, p.OwnedBy),
			ZH: fmt.Sprintf("%s 已在 %s 或更高版本中修复；其文件属于系统软件包 %s，请升级该系统软件包", p.Name, fixed, p.OwnedBy),
		}
	}
	command := commandFor(p, fixed, d)
	if command == "" {
		return pratique.Text{
			EN: fmt.Sprintf("Upgrade %s to %s or newer", p.Name, fixed),
			ZH: fmt.Sprintf("请将 %s 升级到 %s 或更高版本", p.Name, fixed),
		}
	}
	return pratique.Text{
		EN: fmt.Sprintf("Upgrade %s to %s or newer: %s", p.Name, fixed, command),
		ZH: fmt.Sprintf("请将 %s 升级到 %s 或更高版本：%s", p.Name, fixed, command),
	}
}

// commandFor returns the shell command that installs the fixed version, "" where
// the manager is not known.
func commandFor(p *pratique.Package, fixed string, d *pratique.Distro) string {
	at := func(sep string) string { return shellWord(p.Name + sep + fixed) }
	switch p.Type {
	case "deb":
		if p.Source != nil && p.Source.Version != "" && p.Source.Version != p.Version {
			// The binary counts its versions apart from its source: the fixed
			// version of the source is not one of the binary.
			return "apt-get update && apt-get install --only-upgrade " + shellWord(p.Name)
		}
		return "apt-get update && apt-get install --only-upgrade " + at("=")
	case "apk":
		return "apk add --upgrade " + at(">=")
	case "rpm":
		return rpmCommand(d) + " " + at("-")
	case "npm":
		return "npm install " + at("@")
	case "pypi":
		return "pip install --upgrade " + at(">=")
	case "golang":
		return "go get " + shellWord(p.Name+"@v"+strings.TrimPrefix(fixed, "v")) + " && go mod tidy"
	case "maven":
		group, artifact, _ := strings.Cut(p.Name, ":")
		return "mvn versions:use-dep-version -DforceVersion=true " + shellWord("-Dincludes="+group+":"+artifact) + " " + shellWord("-DdepVersion="+fixed)
	case "gem":
		return "gem install " + shellWord(p.Name) + " --version " + shellWord(">= "+fixed)
	case "composer":
		return "composer require " + at(":^")
	case "nuget":
		return "dotnet add package " + shellWord(p.Name) + " --version " + shellWord(fixed)
	case "cargo":
		return "cargo update --package " + shellWord(p.Name) + " --precise " + shellWord(fixed)
	case "hex":
		return "mix deps.update " + shellWord(p.Name)
	case "pub":
		return "dart pub upgrade " + shellWord(p.Name)
	}
	return ""
}

func rpmCommand(d *pratique.Distro) string {
	if d == nil {
		return "dnf upgrade"
	}
	switch {
	case strings.HasPrefix(d.ID, "sles"), strings.HasPrefix(d.ID, "opensuse"), strings.HasPrefix(d.ID, "suse"):
		return "zypper update"
	case d.ID == "photon", d.ID == "mariner", d.ID == "azurelinux":
		return "tdnf upgrade"
	case d.ID == "rhel" || d.ID == "centos" || d.ID == "ol":
		if major, _, _ := strings.Cut(d.Version, "."); major == "5" || major == "6" || major == "7" {
			return "yum update"
		}
	}
	return "dnf upgrade"
}

// shellWord quotes s for a POSIX shell unless it is plainly harmless.
func shellWord(s string) string {
	harmless := func(r rune) bool { return alphanumeric(r) || strings.ContainsRune("@%+=:,./_^-", r) }
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !harmless(r) }) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
