package wire

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"strings"
	"testing"

	"github.com/pratique/pratique"
)

func TestToken(t *testing.T) {
	secret := strings.Repeat("A2", 26)
	token := NewToken(secret, []byte("a public key"))
	back, err := ParseToken(" " + token.String() + "\n")
	if err != nil || back != token {
		t.Errorf("%v, %v", back, err)
	}
	for _, text := range []string{"", "x", token.String() + "x", token.String()[:len(token.String())-1], "pratique2" + token.String()[9:], "pratique1..", "pratique1." + secret + ".", "pratique1.sho/rt." + token.String()[63:]} {
		if got, err := ParseToken(text); pratique.CodeOf(err) != pratique.CodeInvalid {
			t.Errorf("%q is %v, %v", text, got, err)
		}
	}
}

func packed(t testing.TB, b []byte) []byte {
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return z.Bytes()
}

// What is encoded is decoded, compressed or not.
func TestEncode(t *testing.T) {
	small := &Refreshed{ID: 7, Error: pratique.Errorf(pratique.CodeUnreachable, "gone")}
	large := &Inventory{Inventory: pratique.Inventory{Engine: pratique.EngineInfo{Kind: pratique.EngineDocker}, Generation: 3,
		Images: []pratique.LocalImage{{Reason: strings.Repeat("because ", 1000)}}}}
	for _, c := range []struct{ m, into Message }{{small, new(Refreshed)}, {large, new(Inventory)}} {
		body, isPacked, err := Encode(c.m)
		if err != nil {
			t.Fatal(err)
		}
		if isPacked != (len(body) < 1000 && c.m == Message(large)) {
			t.Errorf("%s: %d bytes, packed %v", c.m.Path(), len(body), isPacked)
		}
		if err := Decode(body, isPacked, c.into); err != nil {
			t.Errorf("%s: %v", c.m.Path(), err)
		}
		want, _ := json.Marshal(c.m)
		if got, _ := json.Marshal(c.into); !bytes.Equal(got, want) {
			t.Errorf("%s: %s", c.m.Path(), got)
		}
	}
}

// Three bytes may not become an object of hundreds without end.
func TestWhatUnfolds(t *testing.T) {
	objects := func(n int) []byte {
		return []byte(`{"scan":1,"attempt":1,"config":"eA==","facts":{"packages":[{}` + strings.Repeat(",{}", n) + `]}}`)
	}
	deep := []byte(`{"scan":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + `}`)
	for name, c := range map[string]struct {
		body   []byte
		packed bool
		into   Message
		code   pratique.Code
	}{
		"objects":         {objects(new(Facts).Limit().Objects), false, new(Facts), pratique.CodeLimit},
		"a bomb":          {packed(t, bytes.Repeat([]byte(" "), 100<<20)), true, new(Facts), pratique.CodeLimit},
		"depth":           {deep, false, new(Facts), pratique.CodeLimit},
		"texts":           {[]byte(`{"reading":{"tags":[""` + strings.Repeat(`,""`, 200_000) + `]}}`), false, new(Finish), pratique.CodeLimit},
		"a small message": {bytes.Repeat([]byte(" "), 300<<10), false, new(Beat), pratique.CodeLimit},
		"no gzip":         {[]byte("{}"), true, new(Beat), pratique.CodeInvalid},
		"cut off":         {packed(t, []byte(`{"version":"1"}`))[:20], true, new(Hello), pratique.CodeInvalid},
		"a new field":     {[]byte(`{"version":"1","more":1}`), false, new(Hello), pratique.CodeInvalid},
		"two messages":    {[]byte(`{"version":"1"}{}`), false, new(Hello), pratique.CodeInvalid},
		"nothing":         {nil, false, new(Hello), pratique.CodeInvalid},
		"two lines":       {[]byte(`{"version":"1\n2"}`), false, new(Hello), pratique.CodeInvalid},
		"no scan":         {[]byte(`{"attempt":1,"progress":{}}`), false, new(Progress), pratique.CodeInvalid},
		"101 per cent":    {[]byte(`{"scan":1,"attempt":1,"progress":{"secret":101}}`), false, new(Progress), pratique.CodeInvalid},
		"no generation":   {[]byte(`{"inventory":{"engine":{"kind":"docker"}}}`), false, new(Inventory), pratique.CodeInvalid},
		"no engine":       {[]byte(`{"inventory":{"engine":{"kind":"lxc"},"generation":1}}`), false, new(Inventory), pratique.CodeInvalid},
		"no digest":       {[]byte(`{"scan":1,"attempt":1,"config":"eA==","facts":{"diffID":"../../x"}}`), false, new(Facts), pratique.CodeInvalid},
		"no such code":    {[]byte(`{"id":1,"error":{"code":"fine","message":"x"}}`), false, new(Refreshed), pratique.CodeInvalid},
		"no outcome":      {[]byte(`{"id":1,"health":{"latency":1}}`), false, new(Tested), pratique.CodeInvalid},
		"too many told":   {[]byte(`{"id":1,"health":{"status":"connected","latency":1,"sources":["1"` + strings.Repeat(`,"1"`, MaxTold) + `]}}`), false, new(Tested), pratique.CodeInvalid},
	} {
		if err := Decode(c.body, c.packed, c.into); pratique.CodeOf(err) != c.code {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := Decode([]byte(`{"version":"1"}`), false, new(Hello)); err != nil {
		t.Error(err)
	}
}

func TestLine(t *testing.T) {
	for in, want := range map[string]string{"a\nb\x00c": "a b c", "ä": "ä", "ab\xffc": "ab c"} {
		if got := Line(in, 100); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
	if got := Line("aä", 2); got != "a" {
		t.Errorf("%q", got)
	}
}

// FuzzDecode: whatever comes, what is accepted is valid and says the same once more.
func FuzzDecode(f *testing.F) {
	kinds := func() []Message {
		return []Message{new(Enrol), new(Renew), new(Hello), new(Beat), new(Engines), new(Inventory), new(Work), new(Refreshed), new(Known), new(Facts), new(Progress), new(Finish), new(Fail), new(Release), new(Piece), new(Repository), new(Manifests), new(Listed), new(Synced), new(Tested)}
	}
	f.Add(2, false, []byte(`{"version":"1"}`))
	f.Add(5, false, []byte(`{"inventory":{"engine":{"kind":"docker"},"generation":1,"taken":"2026-01-01T00:00:00Z","images":[{"reason":"x","platform":{"os":"linux","architecture":"amd64"},"size":1}],"containers":null}}`))
	f.Add(9, false, []byte(`{"scan":1,"attempt":1,"config":"eA==","facts":{"diffID":"sha256:`+strings.Repeat("0", 64)+`","analyzer":"entries","version":"3","verified":true,"entries":{"count":1,"bytes":1,"files":"AAAA"}}}`))
	f.Add(12, true, packed(f, []byte(`{"scan":1,"attempt":1,"error":{"code":"timeout","message":"x"}}`)))
	f.Fuzz(func(t *testing.T, kind int, isPacked bool, body []byte) {
		all := kinds()
		m := all[((kind%len(all))+len(all))%len(all)]
		if Decode(body, isPacked, m) != nil {
			return
		}
		again, isPacked, err := Encode(m)
		if err != nil {
			t.Fatal(err)
		}
		back := kinds()[((kind%len(all))+len(all))%len(all)]
		if err := Decode(again, isPacked, back); err != nil && pratique.CodeOf(err) != pratique.CodeLimit {
			t.Errorf("%s: %v", again, err)
		}
	})
}
