package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/pratique/pratique"
)

func date(s string) *time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return &t
}

func ref[T any](v T) *T { return &v }

func digest(digit string) pratique.Digest {
	return pratique.Digest("sha256:" + strings.Repeat(digit, 64))
}

const (
	vectorNetwork = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
	vectorFour    = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"
)

func debian(name, source, version string) pratique.Package {
	return pratique.Package{
		Type: "deb", Name: name, Version: version, Arch: "amd64", Ecosystem: "Debian:11",
		PURL:   "pkg:deb/debian/" + name + "@" + version + "?arch=amd64&distro=debian-11",
		Source: &pratique.Source{Name: source, Version: version}, Path: "var/lib/dpkg/status", FoundBy: "dpkg",
		Origin: &pratique.Origin{Path: "var/lib/dpkg/status", Layer: 1, DiffID: digest("b"),
			Instruction: "RUN apt-get update && apt-get install -y openssl curl"},
	}
}

func npm(name, version, path string) pratique.Package {
	return pratique.Package{
		Type: "npm", Name: name, Version: version, Ecosystem: "npm", PURL: "pkg:npm/" + name + "@" + version,
		Licenses: []string{"MIT"}, Path: path, FoundBy: "packagejson",
		Origin: &pratique.Origin{Path: path, Layer: 3, DiffID: digest("d"), Instruction: "RUN npm ci --omit=dev"},
	}
}

func finding(id string, p pratique.Package, s pratique.Severity, fixed, title string) pratique.Finding {
	f := pratique.Finding{
		ID: id, Package: p, Severity: s, SeveritySource: "cvss 3.1 by nvd", Title: title, FixState: pratique.FixNone,
		Proof: []pratique.Proof{{
			Advisory: "DEBIAN-" + id, Revision: *date("2026-08-01"), Feed: "osv/" + strings.SplitN(p.Ecosystem, ":", 2)[0],
			Ecosystem: p.Ecosystem, Name: p.Name, Version: p.Version, Range: ">= 0", URL: "https://osv.dev/vulnerability/" + id,
		}},
	}
	if fixed != "" {
		f.FixState, f.FixedVersion = pratique.FixAvailable, fixed
		f.Proof[0].Range = ">= 0, < " + fixed
		f.Proof[0].Decision = p.Version + " < " + fixed
	}
	return f
}

// sample returns a report in which every kind of thing occurs.
func sample() *pratique.Report {
	complete := pratique.CategoryCoverage{State: pratique.CoverageComplete}
	libssl, openssl := debian("libssl1.1", "openssl", "1.1.1n-0+deb11u3"), debian("openssl", "openssl", "1.1.1n-0+deb11u3")
	curl := debian("curl", "curl", "7.74.0-1.3+deb11u7")
	curl.Licenses = []string{"curl", "ISC", "BSD-4-Clause-UC", "public domain"}
	openssl.Licenses = []string{"OpenSSL"}
	lodash := npm("lodash", "4.17.15", "srv/app/node_modules/lodash/package.json")
	babel := npm("@babel/traverse", "7.20.1", "srv/app/node_modules/@babel/traverse/package.json")
	babel.Licenses = []string{"(MIT OR Apache-2.0)"}
	log4j := pratique.Package{Type: "maven", Name: "org.apache.logging.log4j:log4j-core", Version: "2.14.1", Ecosystem: "Maven",
		PURL: "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1", Path: "srv/shop.war!/WEB-INF/lib/log4j-core-2.14.1.jar",
		Licenses: []string{"Apache License, Version 2.0"},
		Origin:   &pratique.Origin{Path: "srv/shop.war", Layer: 4, DiffID: digest("e"), Instruction: "COPY shop.war /srv/"}}
	stdlib := pratique.Package{Type: "golang", Name: "stdlib", Version: "1.21.3", Ecosystem: "Go", PURL: "pkg:golang/stdlib@1.21.3",
		Path: "usr/local/bin/sidecar", Origin: &pratique.Origin{Path: "usr/local/bin/sidecar", Layer: 2, DiffID: digest("c")}}

	shell := finding("CVE-2021-44228", log4j, pratique.SeverityCritical, "2.15.0", "Remote code injection in Log4j")
	shell.Aliases = []string{"GHSA-jfh8-c2jp-5v3q"}
	shell.Details = "Apache Log4j2 JNDI features do not protect against attacker-controlled LDAP and other JNDI related endpoints.\n\n" +
		"From log4j 2.15.0, this behaviour has been disabled by default."
	shell.CVSS = []pratique.CVSS{{Version: "3.1", Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", Score: 10, Severity: pratique.SeverityCritical, Source: "nvd"}}
	shell.CWEs = []string{"CWE-20", "CWE-502"}
	shell.EPSS = &pratique.EPSS{Score: 0.94358, Percentile: 0.99957, Date: "2026-08-16"}
	shell.KEV = &pratique.KEV{DateAdded: "2021-12-10", DueDate: "2021-12-24", Name: "Apache Log4j2 Remote Code Execution Vulnerability",
		Action: "Apply updates per vendor instructions.", Ransomware: true}
	shell.Published = date("2021-12-10")
	shell.FixAdvice = pratique.Text{EN: "Upgrade log4j-core to 2.15.0 or later.", ZH: "将 log4j-core 升级到 2.15.0 或更高版本。"}
	shell.References = []pratique.Reference{{Type: "ADVISORY", URL: "https://nvd.nist.gov/vuln/detail/CVE-2021-44228"}, {Type: "WEB", URL: "https://logging.apache.org/log4j/2.x/security.html"}}

	typeConfusion := finding("CVE-2023-0286", libssl, pratique.SeverityHigh, "1.1.1n-0+deb11u4", "X.400 address type confusion in X.509 GeneralName")
	typeConfusion.EPSS = &pratique.EPSS{Score: 0.89, Percentile: 0.995, Date: "2026-08-16"}
	same := typeConfusion
	same.Package = openssl
	policyCheck := finding("CVE-2023-0464", libssl, pratique.SeverityHigh, "1.1.1n-0+deb11u5", "Excessive resource use verifying policy constraints")
	policyCheck.EPSS = &pratique.EPSS{Score: 0.0042, Percentile: 0.6, Date: "2026-08-16"}
	overflow := finding("CVE-2023-38545", curl, pratique.SeverityCritical, "7.74.0-1.3+deb11u10", "SOCKS5 heap buffer overflow")
	overflow.CVSS = []pratique.CVSS{
		{Version: "3.1", Vector: vectorNetwork, Score: 9.8, Severity: pratique.SeverityCritical, Source: "nvd"},
		{Version: "4.0", Vector: vectorFour, Score: 9.3, Severity: pratique.SeverityCritical, Source: "cisa-adp"},
		{Version: "2.0", Vector: "AV:N/AC:L/Au:N/C:P/I:P/A:P", Score: 7.5, Severity: pratique.SeverityHigh, Source: "nvd"},
	}
	overflow.EPSS = &pratique.EPSS{Score: 0.26, Percentile: 0.96, Date: "2026-08-16"}
	pollution := finding("CVE-2020-8203", lodash, pratique.SeverityHigh, "4.17.19", "Prototype pollution in lodash")
	traverse := finding("CVE-2023-45133", babel, pratique.SeverityCritical, "7.23.2", "Arbitrary code execution when compiling crafted code")
	smuggling := finding("CVE-2023-39326", stdlib, pratique.SeverityMedium, "1.21.5", "Chunk extensions in net/http cost bandwidth")
	refused := finding("CVE-2022-3219", debian("gpgv", "gnupg2", "2.2.27-2+deb11u2"), pratique.SeverityLow, "", "Denial of service by a crafted signature")
	refused.FixState = pratique.FixRefused
	unrated := finding("CVE-2025-11111", curl, pratique.SeverityUnknown, "", "")
	unrated.SeveritySource = ""
	unimportant := finding("CVE-2010-4756", debian("libc6", "glibc", "2.31-13+deb11u5"), pratique.SeverityLow, "", "glob() takes long")
	unimportant.Unimportant = true
	suppressed := finding("CVE-2021-23337", lodash, pratique.SeverityHigh, "4.17.21", "Command injection in lodash")
	suppressed.Suppressed = "template() is not called (VEX of the shop team, 2026-07-01)"

	r := &pratique.Report{
		SchemaVersion: pratique.SchemaVersion, Tool: pratique.Tool{Name: "pratique", Version: "0.1.0"}, Created: *date("2026-08-22"),
		Image: pratique.Image{
			Name: "registry.example.com/shop/api:1.4", Kind: pratique.KindImage, ID: digest("1"), Digest: digest("2"),
			Tags: []string{"registry.example.com/shop/api:1.4"}, Platform: pratique.Platform{OS: "linux", Architecture: "amd64"},
			Created: date("2023-05-04"), Size: 184_320_512,
			Config: pratique.Config{Env: []string{"PATH=/usr/bin"}, Entrypoint: []string{"/srv/run"}, Labels: map[string]string{"team": "shop"}},
			History: []pratique.Instruction{{CreatedBy: "ADD rootfs.tar /", Layer: ref(0)},
				{CreatedBy: "ENV A=b", Empty: true, Created: date("2023-05-04")}},
			Distro: &pratique.Distro{ID: "debian", Version: "11", Codename: "bullseye", Name: "Debian GNU/Linux 11 (bullseye)",
				CPEName: "cpe:/o:debian:debian_linux:11", EndOfLife: date("2024-08-14"), Ended: true,
				Origin: &pratique.Origin{Path: "usr/lib/os-release", DiffID: digest("a")}},
		},
		Packages: []pratique.Package{libssl, openssl, curl, lodash, babel, log4j, stdlib, refused.Package, unimportant.Package},
		Vulnerabilities: []pratique.Finding{smuggling, shell, typeConfusion, same, policyCheck, overflow, pollution, traverse,
			refused, unrated, unimportant, suppressed},
		Malware: []pratique.Malware{{Name: "Eicar-Test-File", Engine: "eicar", Kind: pratique.MalwareTest, Family: "test", Engines: []string{"clamav", "eicar"},
			Also:     []pratique.Detection{{Name: "Eicar-Signature", Engine: "clamav", Kind: pratique.MalwareMalicious, Severity: pratique.SeverityHigh}},
			Severity: pratique.SeverityCritical, Path: "opt/tools.zip!/x.com",
			Size: 68, FileType: "other", SHA256: strings.Repeat("27", 32), Evidence: []string{"the EICAR string at offset 0"},
			Advice: pratique.Text{EN: "Remove the file and rebuild."},
			Origin: &pratique.Origin{Path: "opt/tools.zip", Layer: 2, DiffID: digest("c"), DeletedBy: ref(4)}},
			{Name: "SUSP_Script", Engine: "yara", Kind: pratique.MalwareSuspicious, Family: "other", Severity: pratique.SeverityLow, Path: "srv/run.sh", Size: 9,
				FileType: "script", Title: pratique.Text{EN: "An odd script", ZH: "可疑脚本"}, Author: "Somebody", Engines: []string{"yara"},
				Pack:      &pratique.RulePack{Name: "others", Source: "https://rules.example/others.zip", License: "DRL-1.1", Author: "Others", Version: "7"},
				Reference: "https://rules.example/1", Evidence: []string{"$a at 0x3, 5 bytes"}, Origin: &pratique.Origin{Path: "srv/run.sh", Layer: 2, DiffID: digest("c")}},
			{Name: "Hacktool_X", Engine: "yara", Family: "hacktool", Severity: pratique.SeverityHigh, Path: "opt/pentest/x", Size: 9, Engines: []string{"yara"},
				Suppressed: "allowed by allow.txt, line 2: exercises", Origin: &pratique.Origin{Path: "opt/pentest/x", Layer: 2, DiffID: digest("c")}}},
		Secrets: []pratique.Secret{
			{Rule: "private-key", Title: "Private key", Type: "private key", Severity: pratique.SeverityHigh, Source: "file",
				Path: "root/.ssh/id_ed25519", Line: 1, Preview: "-----BEGIN…(411 characters)", Hash: "hmac:5f1c",
				Advice: pratique.Text{EN: "Replace the key pair, and mount it at run time."},
				Origin: &pratique.Origin{Path: "root/.ssh/id_ed25519", Layer: 3, DiffID: digest("d"), DeletedBy: ref(4)}},
			{Rule: "generic-password", Severity: pratique.SeverityMedium, Source: "env", Preview: "DB_PASS=s…t", Origin: &pratique.Origin{Layer: -1}},
			{Rule: "private-key", Severity: pratique.SeverityHigh, Source: "file", Path: "usr/share/doc/x/test.pem", Preview: "---…", Suppressed: "a public test key"},
		},
		Coverage: map[pratique.Category]pratique.CategoryCoverage{
			pratique.CategorySoftware: complete, pratique.CategoryVulnerability: {State: pratique.CoveragePartial, Reasons: []string{
				"Debian 11 is out of support: newer vulnerabilities are not recorded for it", "layer 5 could not be read"}},
			pratique.CategoryMalware: {State: pratique.CoverageHashesOnly, Reasons: []string{"files are compared with lists of known digests, not searched by rules"}},
			pratique.CategorySecret:  {State: pratique.CoverageComplete},
		},
		Problems: []pratique.Problem{
			{Code: pratique.CodeCorrupt, Message: "blob does not match its digest", Remedy: "push the image again, or ask the registry's owner to check its storage", Layer: ref(5), Partial: true},
			{Code: pratique.CodeLimit, Message: "archive is nested more than 8 deep", Analyzer: "software", Path: "srv/deep.jar", Layer: ref(4)},
		},
		Bundle: &pratique.Bundle{Digest: digest("f"), Built: *date("2026-08-21"), Feeds: []pratique.FeedStatus{
			{Source: "osv/npm", Records: 3724, Newest: *date("2026-08-20"), Fetched: *date("2026-08-21")},
			{Source: "osv/Debian", Records: 44152, Newest: *date("2026-08-20"), Holes: []string{"many records carry no CVSS"}},
			{Source: "kev", Records: 1662, Newest: *date("2026-08-07")}, {Source: "epss", Records: 360142, Newest: *date("2026-08-16")},
		}},
		Verdict: pratique.Verdict{Clearance: pratique.ClearanceNo, Reasons: []string{
			"1 file is malware: Eicar-Test-File in opt/tools.zip!/x.com",
			"1 vulnerability, known to be exploited (CISA KEV): CVE-2021-44228 in org.apache.logging.log4j:log4j-core",
			"3 vulnerabilities of severity critical, with a fix at hand: CVE-2021-44228 in org.apache.logging.log4j:log4j-core, CVE-2023-38545 in curl, CVE-2023-45133 in @babel/traverse",
		}},
		Timing: pratique.Timing{FirstByte: 0.01, Read: 1.2, Judge: 0.05, Total: 1.3, BytesRead: 184_320_512},
	}
	for i, digit := range []string{"a", "b", "c", "d", "e", "9"} {
		r.Layers = append(r.Layers, pratique.Layer{Index: i, Digest: digest(digit), DiffID: digest(digit), Size: 30_720_085,
			MediaType: "application/vnd.oci.image.layer.v1.tar+gzip", Uncompressed: 92_000_000, Entries: 4100,
			Instruction: fmt.Sprintf("RUN step %d", i), State: pratique.LayerRead})
	}
	r.Layers[0].State = pratique.LayerCached
	r.Layers[5].State, r.Layers[5].Reason = pratique.LayerUnreadable, "blob does not match its digest"
	return r
}

// large returns a report like that of a server image that nobody has updated:
// many packages, many findings of every severity.
func large() *pratique.Report {
	r := sample()
	severities := []pratique.Severity{"critical", "high", "high", "medium", "medium", "medium", "low", "negligible", "unknown"}
	for i := range 700 {
		source := fmt.Sprintf("source%d", i%43)
		p := debian(fmt.Sprintf("lib%s-%d", source, i%3), source, fmt.Sprintf("2.%d.1-1", i%43))
		fixed := ""
		if i%3 > 0 {
			fixed = fmt.Sprintf("2.%d.%d-1", i%43, 2+i%9)
		}
		f := finding(fmt.Sprintf("CVE-2024-%04d", 1000+i/2), p, severities[(i/2)%len(severities)], fixed, "Something in "+source)
		f.EPSS = &pratique.EPSS{Score: float64(i%97) / 400}
		r.Vulnerabilities = append(r.Vulnerabilities, f)
		r.Packages = append(r.Packages, p)
	}
	return r
}
