package distribution

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// Link headers as servers send them.
var linkHeaders = map[string]string{
	`</v2/_catalog?last=library%2Fapp&n=1>; rel="next"`:                     "/v2/_catalog?last=library%2Fapp&n=1", // Harbor
	`</v2/_catalog?n=2&last=team/b b>; rel=next`:                            "/v2/_catalog?n=2&last=team/b b",
	`</api/p?page=1&page_size=1>; rel="prev" , </api/p?page=3>; rel="next"`: "/api/p?page=3",
	`</a>; rel="next", </b>; rel="last"`:                                    "/a",
	`</a,b>; title="x, <y>; rel=next"; REL="Last Next"`:                     "/a,b",
	`</a>; rel="prev"; title="; rel=next"`:                                  "",
	`</a>; rel="nextish"`:                                                   "",
	`</a; rel="next"`:                                                       "",
	``:                                                                      "",
	`<`:                                                                     "",
	`<>; rel=next`:                                                          "",
	`<https://registry.example.com/v2/x/tags/list?n=5&last=v1>; rel="next"; x=",;`: "https://registry.example.com/v2/x/tags/list?n=5&last=v1",
}

func TestNextLink(t *testing.T) {
	for header, want := range linkHeaders {
		if got, _ := nextLink(header); got != want {
			t.Errorf("%s: %q, want %q", header, got, want)
		}
	}
}

func FuzzNextLink(f *testing.F) {
	for header := range linkHeaders {
		f.Add(header)
	}
	f.Fuzz(func(t *testing.T, header string) {
		c := &Client{host: "registry.example.com"}
		at, err := url.Parse("https://registry.example.com/v2/_catalog?n=1")
		if err != nil {
			t.Fatal(err)
		}
		next, err := c.nextPage(&http.Response{Header: http.Header{"Link": {header}}, Request: &http.Request{URL: at}})
		if err != nil || next == "" {
			return
		}
		// Whatever it says, the next request goes to a path of the same host.
		if u, err := at.Parse(next); !strings.HasPrefix(next, "/") && err == nil && u.Host != at.Host {
			t.Errorf("%q leads to %q", header, next)
		}
	})
}
