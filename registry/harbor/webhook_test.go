package harbor

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/registry"
	"github.com/pratique/pratique/registry/harbor/harbortest"
)

func call(body, authorization string) ([]registry.Hint, error) {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Authorization", authorization)
	return Connector{}.Webhook(registry.Connection{WebhookSecret: "abc"}, r)
}

func TestWebhookRecordings(t *testing.T) {
	want := []registry.Hint{
		{Action: registry.ActionPush, Repository: "team/oci", Tag: "v10", Digest: ociOne},
		{Action: registry.ActionPush, Repository: "team/bb", Tag: "1", Digest: "sha256:27c040384ddc21aedeeb2ac44c17ae5ac1aea3234627f607a8ffc1422c82946d"},
	}
	for _, path := range []string{"/webhook", "/webhook-ce"} {
		var got []registry.Hint
		for _, body := range harbortest.Sink(t, path) {
			hints, err := call(body, "Bearer abc") // as it was recorded
			if err != nil {
				t.Errorf("%v: %s", err, body)
			}
			got = append(got, hints...)
		}
		for _, w := range want {
			if !slices.Contains(got, w) {
				t.Errorf("%s: %v has no %v", path, got, w)
			}
		}
		for _, g := range got {
			if g.Action != registry.ActionPush || !strings.HasPrefix(g.Repository, "team/") {
				t.Errorf("%s: %v", path, g)
			}
		}
	}
}

func TestWebhookForms(t *testing.T) {
	d := string(pratique.DigestOf(nil))
	for name, c := range map[string]struct {
		body string
		want []registry.Hint
	}{
		"1.x push":      {`{"type":"pushImage","occur_at":1,"operator":"admin","event_data":{"resources":[{"digest":"` + d + `","tag":"1"}],"repository":{"name":"sub/app","namespace":"team","repo_full_name":"team/sub/app"}}}`, []registry.Hint{{Action: "push", Repository: "team/sub/app", Tag: "1", Digest: pratique.Digest(d)}}},
		"1.x deletion":  {`{"type":"deleteImage","event_data":{"resources":[{"tag":"1"}],"repository":{"name":"app","namespace":"team"}}}`, []registry.Hint{{Action: "delete", Repository: "team/app", Tag: "1"}}},
		"no tag":        {`{"type":"PUSH_ARTIFACT","event_data":{"resources":[{"digest":"` + d + `","tag":"` + d + `"}],"repository":{"repo_full_name":"team/app"}}}`, []registry.Hint{{Action: "push", Repository: "team/app", Digest: pratique.Digest(d)}}},
		"pull":          {`{"type":"PULL_ARTIFACT","event_data":{"resources":[{"tag":"1"}],"repository":{"repo_full_name":"team/app"}}}`, nil},
		"quota":         {`{"type":"QUOTA_EXCEED","event_data":null}`, nil},
		"generic":       {`{"action":"push","repository":"team/app","tag":"1"}`, []registry.Hint{{Action: "push", Repository: "team/app", Tag: "1"}}},
		"a strange one": {`{"type":"PUSH_ARTIFACT","event_data":{"resources":[{"tag":"1"}],"repository":{"repo_full_name":"../../etc"}}}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := call(c.body, "abc")
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("%v %v, want %v", got, err, c.want)
			}
		})
	}
	for _, body := range []string{"", "null", "[]", `{"type":1}`, `{"events":[]}`, strings.Repeat("[", 10_000)} {
		if _, err := call(body, "abc"); pratique.CodeOf(err) != pratique.CodeInvalid {
			t.Errorf("%.20q: %v", body, err)
		}
	}
}

func FuzzEvent(f *testing.F) {
	for _, path := range []string{"/webhook", "/webhook-ce"} {
		for _, body := range harbortest.Sink(f, path) {
			f.Add(body)
		}
	}
	f.Add(`{"events":[{"action":"push","repository":"a"}]}`)
	f.Fuzz(func(t *testing.T, body string) {
		hints, err := call(body, "abc")
		if err != nil && len(hints) > 0 {
			t.Error("hints beside an error")
		}
		for _, h := range hints {
			if !registry.ValidRepository(h.Repository) || h.Tag != "" && !registry.ValidTag(h.Tag) || h.Action != registry.ActionPush && h.Action != registry.ActionDelete {
				t.Errorf("%+v", h)
			}
		}
	})
}
