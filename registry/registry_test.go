package registry

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pratique/pratique"
)

func valid() Connection {
	return Connection{Name: "harbour", Kind: "oci", Address: "https://registry.example.com:5000/", Username: "mate", Password: "correct-horse", WebhookSecret: "battery-staple"}
}

func TestAddress(t *testing.T) {
	for address, want := range map[string]string{
		"registry.example.com": " registry.example.com", "https://registry.example.com/": "https registry.example.com",
		"HTTP://10.0.0.1:5000": "http 10.0.0.1:5000", " https://[::1]:443 ": "https [::1]:443",
		"": "!", "https://": "!", "ftp://x": "!", "https://user:hunter2@x": "!", "x/y": "!", "https://x/harbor/projects": "!", "x:port": "!", "x y": "!", "https://x?a=b": "!",
	} {
		scheme, host, err := Connection{Address: address}.Endpoint()
		if got := scheme + " " + host; (err != nil) != (want == "!") || err == nil && got != want {
			t.Errorf("%q: %q %v", address, got, err)
		}
		var told *pratique.Error
		if err != nil && (!errors.As(err, &told) || told.Remedy == "" || strings.Contains(err.Error(), "hunter2")) {
			t.Errorf("%q: %v", address, err)
		}
	}
}

func TestValidate(t *testing.T) {
	if field, err := valid().Validate(); err != nil {
		t.Error(field, err)
	}
	for want, change := range map[string]func(*Connection){
		"name":            func(c *Connection) { c.Name = " " },
		"address":         func(c *Connection) { c.Address = "x/y" },
		"version":         func(c *Connection) { c.Version = "V3" },
		"networkType":     func(c *Connection) { c.NetworkType = "vpc" },
		"hourlyLimit":     func(c *Connection) { c.HourlyLimit = -1 },
		"username":        func(c *Connection) { c.Username = "" },
		"proxy":           func(c *Connection) { c.Proxy = "http://user:word@proxy:3128" },
		"namespaces":      func(c *Connection) { c.Namespaces = []string{"Team"} },
		"repositoryNames": func(c *Connection) { c.Repositories = []string{"app:1"} },
		"ca":              func(c *Connection) { c.CA = "-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n" },
		" ca":             func(c *Connection) { c.CA = strings.Repeat("x", maxCA+1) },
	} {
		c := valid()
		change(&c)
		field, err := c.Validate()
		if field != strings.TrimSpace(want) || pratique.CodeOf(err) != pratique.CodeInvalid || strings.Contains(err.Error(), "word@") {
			t.Errorf("%s: %s %v", want, field, err)
		}
	}
	for proxy, want := range map[string]bool{"": false, "none": true, "http://proxy:3128": true, "socks5://proxy:1080": true} {
		c := valid()
		c.Proxy = proxy
		if _, set, err := c.ProxyURL(); err != nil || set != want {
			t.Errorf("%q: %v %v", proxy, set, err)
		}
	}
}

func TestCredentialsStayInside(t *testing.T) {
	c := valid()
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, printed := range []string{string(b), fmt.Sprint(c), fmt.Sprintf("%v %+v %#v %s", c, c, c, &c)} {
		if strings.Contains(printed, c.Password) || strings.Contains(printed, c.WebhookSecret) {
			t.Error(printed)
		}
	}
}

// What the form asks for must have a place in a connection, and texts in both
// languages.
func TestForm(t *testing.T) {
	places := map[string]bool{"password": true, "webhookSecret": true}
	for f := range reflect.TypeFor[Connection]().Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		places[name] = true
	}
	both := func(what string, t2 pratique.Text, empty bool) {
		t.Helper()
		if (t2.EN == "") != (t2.ZH == "") || t2.EN == "" && !empty {
			t.Errorf("%s: %+v", what, t2)
		}
	}
	seen := map[string]bool{}
	for _, f := range Form(Field{Name: "version", Type: FieldSelect, Label: pratique.Text{EN: "Version", ZH: "版本"}}) {
		if !places[f.Name] || f.Name == "-" || seen[f.Name] {
			t.Errorf("field %s", f.Name)
		}
		seen[f.Name] = true
		both(f.Name, f.Label, false)
		both(f.Name+"'s help", f.Help, true)
		for _, o := range f.Options {
			both(f.Name+"'s option", o.Label, false)
		}
		if f.VisibleWhen != nil && !seen[f.VisibleWhen.Field] {
			t.Errorf("%s depends on %s, which does not come before", f.Name, f.VisibleWhen.Field)
		}
		if f.Name == "hourlyLimit" {
			var presets []any
			for _, o := range f.Options {
				presets = append(presets, o.Value)
			}
			if !slices.Equal(presets, []any{5, 10, 20, 50, 100, 500, 1000, 0}) || f.Default != 0 {
				t.Error(presets)
			}
		}
	}
}

func TestFilter(t *testing.T) {
	c := Connection{Namespaces: []string{"team", "other/sub"}}
	for name, want := range map[string]bool{"team/app": true, "team": true, "teams/app": false, "other/app": false, "other/sub/app": true, "other/subway": false} {
		if c.Includes(name) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
	if !c.IncludesNamespace("other") || c.IncludesNamespace("sub") || !(Connection{}).IncludesNamespace("x") {
		t.Error("namespaces")
	}
}

func TestAccessoryTag(t *testing.T) {
	d := pratique.DigestOf(nil)
	for suffix, want := range map[string]string{".sig": "signature", ".att": "attestation", ".sbom": "sbom", "": "referrers", ".foo": "foo"} {
		if subject, kind, ok := AccessoryTag("sha256-" + d.Hex() + suffix); !ok || kind != want || subject != d {
			t.Errorf("%s: %s %v", suffix, kind, ok)
		}
	}
	for _, tag := range []string{"latest", "sha256-abc.sig", "sha256-" + d.Hex() + ".sig.bak", "x-sha256-" + d.Hex()} {
		if _, _, ok := AccessoryTag(tag); ok {
			t.Error(tag)
		}
	}
}

func TestDate(t *testing.T) {
	for _, s := range []string{"", "0001-01-01T00:00:00Z", "1900-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "yesterday", "2026-13-01T00:00:00Z"} {
		if d := Date(s); d != nil {
			t.Errorf("%s: %v", s, d)
		}
	}
	if d := Date("2026-11-23T12:08:57.2+02:00"); d == nil || d.Format(time.RFC3339) != "2026-11-23T10:08:57Z" {
		t.Error(d)
	}
}

func TestDiagnose(t *testing.T) {
	wrap := func(cause error) error {
		e := pratique.Errorf(pratique.CodeUnreachable, "x")
		e.Cause = cause
		return fmt.Errorf("outside: %w", e)
	}
	for _, c := range []struct {
		err  error
		want Status
	}{
		{wrap(x509.UnknownAuthorityError{}), StatusTLSFailed}, {wrap(x509.HostnameError{Certificate: &x509.Certificate{}}), StatusTLSFailed},
		{wrap(x509.CertificateInvalidError{Reason: x509.Expired}), StatusTLSFailed}, {wrap(http.ErrSchemeMismatch), StatusTLSFailed},
		{wrap(&net.DNSError{}), StatusUnreachable}, {wrap(syscall.ECONNREFUSED), StatusUnreachable},
		{wrap(context.DeadlineExceeded), StatusUnreachable}, {wrap(errors.New("?")), StatusUnreachable},
		{wrap(context.Canceled), StatusCancelled}, {FaultForbidden.Errorf("x"), StatusForbidden},
		{Explain(Explain(FaultForbidden.Errorf("x"))), StatusForbidden},
		{pratique.Errorf(pratique.CodeUnauthorized, "x"), StatusAuthFailed}, {pratique.Errorf(pratique.CodeRateLimited, "x"), StatusRateLimited},
		{pratique.Errorf(pratique.CodeInvalid, "x"), StatusInvalid}, {errors.New("x"), StatusFailed},
	} {
		f := Diagnose(c.err)
		if f.Status != c.want || f.Reason.EN == "" || f.Reason.ZH == "" || f.Remedy.EN == "" || f.Remedy.ZH == "" {
			t.Errorf("%v: %+v", c.err, f)
		}
	}
}

func TestExplain(t *testing.T) {
	for code, want := range map[pratique.Code]string{
		pratique.CodeCorrupt: "push it again", pratique.CodeLimit: "push it again", pratique.CodeUnsupported: "push it again",
		pratique.CodeNotFound: faultMissing.Remedy.EN, pratique.CodeUnauthorized: FaultCredential.Remedy.EN, pratique.CodeUnreachable: faultBroken.Remedy.EN,
	} {
		var told *pratique.Error
		if !errors.As(Explain(pratique.Errorf(code, "x").WithRemedy("push it again")), &told) || told.Code != code || told.Remedy != want {
			t.Errorf("%s: %+v", code, told)
		}
	}
	var told *pratique.Error
	version := &Fault{Status: StatusWrongVersion, Remedy: pratique.Text{EN: "choose the other"}}
	if !errors.As(Explain(version.Errorf("x")), &told) || told.Remedy != "choose the other" {
		t.Errorf("%+v", told)
	}
}

func TestWebhookSecret(t *testing.T) {
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("any:secret"))
	for _, c := range []struct {
		secret, header string
		want           bool
	}{
		{"secret", "secret", true}, {"secret", "Bearer secret", true}, {"secret", "bearer  secret", true}, {"secret", basic, true},
		{"Bearer secret", "Bearer secret", true}, {basic, basic, true},
		{"secret", "", false}, {"secret", "Bearer", false}, {"secret", "Secret", false}, {"secret", "Token secret", false},
		{"", "", false}, {"", "Bearer ", false}, {"", "Basic Og==", false},
	} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`{"action":"push","repository":"a"}`))
		r.Header.Set("Authorization", c.header)
		hints, err := Receive(Connection{WebhookSecret: c.secret}, r, nil)
		if (err == nil) != c.want || (len(hints) == 1) != c.want {
			t.Errorf("%+v: %v %v", c, hints, err)
		}
		if err != nil && pratique.CodeOf(err) != pratique.CodeUnauthorized {
			t.Error(err)
		}
	}
}

func TestWebhookFilter(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`{"events":[{"action":"push","repository":"team/a"},{"action":"push","repository":"other/a"},{"action":"pull","repository":"team/b"},{"action":"push","repository":"team/a"}]}`))
	r.Header.Set("Authorization", "s")
	hints, err := Receive(Connection{WebhookSecret: "s", Namespaces: []string{"team"}}, r, nil)
	if err != nil || !slices.Equal(hints, []Hint{{Action: ActionPush, Repository: "team/a"}}) {
		t.Error(hints, err)
	}
}

func TestWebhookLimits(t *testing.T) {
	post := func(method, body string) ([]Hint, error) {
		r := httptest.NewRequest(method, "/", strings.NewReader(body))
		r.Header.Set("Authorization", "s")
		return Receive(Connection{WebhookSecret: "s"}, r, func([]byte) ([]Hint, error) { return nil, UnknownPayload() })
	}
	if _, err := post(http.MethodGet, "{}"); pratique.CodeOf(err) != pratique.CodeInvalid {
		t.Error(err)
	}
	if _, err := post(http.MethodPost, strings.Repeat("x", maxCall+1)); pratique.CodeOf(err) != pratique.CodeLimit {
		t.Error(err)
	}
	var events []string
	for i := range 3000 {
		events = append(events, fmt.Sprintf(`{"action":"push","repository":"r%d"}`, i/2))
	}
	hints, err := post(http.MethodPost, `{"events":[`+strings.Join(events, ",")+`]}`)
	if err != nil || len(hints) == 0 || len(hints) > maxHints {
		t.Error(err, len(hints))
	}
}

func FuzzReceive(f *testing.F) {
	f.Add("Bearer s", `{"action":"push","repository":"team/app","tag":"1","digest":"sha256:x"}`)
	f.Add("s", `{"events":[{"action":"delete","repository":"a"},{"target":{}}]}`)
	f.Add("Basic OnM=", `[]`)
	f.Fuzz(func(t *testing.T, header, body string) {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("Authorization", header)
		hints, err := Receive(Connection{WebhookSecret: "s"}, r, func([]byte) ([]Hint, error) { return nil, UnknownPayload() })
		if err != nil && len(hints) > 0 {
			t.Error("hints beside an error")
		}
		for _, h := range hints {
			if !ValidRepository(h.Repository) || h.Tag != "" && !ValidTag(h.Tag) {
				t.Errorf("%+v", h)
			}
		}
	})
}
