package secrets

import (
	"math/rand/v2"
	"testing"
)

// What only looks like a credential is not told, what is one beside it is.
func TestGuardedForms(t *testing.T) {
	t.Parallel()
	a := newTestAnalyzer(t, Options{})
	f := &filler{rand.New(rand.NewPCG(1, 20))}
	for _, c := range []struct {
		path, none, secret string
	}{
		{"srv/conf/application.properties", "db.password=ENC({b64:44})\n", "db.password={pw}\n"},
		{"srv/secrets.yaml", "password: ENC[AES256_GCM,data:{b64:20}=,iv:{b64:43}=,tag:{b64:22}==,type:str]\n", "password: {pw}\n"},
		{"srv/sealed.yaml", "    api-token: AgC{b64:400}\n", "    api-token: {an:40}\n"},
		{"srv/i18n/messages_ja.properties", "login.password=\\u30d1\\u30b9\\u30ef\\u30fc\\u30c9\n", "key=gsk_{an:52}\n"},
		{"srv/application.properties", "login.password=\\u5bc6\\u7801\\u9519\\u8bef\n", "login.password={pw}\n"},
		{"srv/labels.json", `{"apiKey": "Schlüssel-für-Händler"}`, `{"apiKey": "{an:32}"}`},
		{"srv/.env", "BROKER=amqp://guest:guest@localhost:5672/\n", "BROKER=amqp://guest:{an:14}@localhost:5672/\n"},
		{"srv/app.conf", "url = postgres://deploy:deploy@127.0.0.1/app\n", "url = postgres://deploy:deploy@10.2.3.4/app\n"},
		{"srv/.env", "AWS_ACCESS_KEY_ID=your-access-key-id\n", "AWS_SECRET_ACCESS_KEY={b64:40}\n"},
		{"srv/.env", "APP_KEY=\nDB_HOST_AND_PORT_OF_SERVICE=db17.corp.io:5432\n", "APP_KEY=\nDB_PASSWORD={pw}\n"},
		{"srv/conf/tomcat-users.xml", "<!--\n<user username=\"tomcat\" password=\"tomcat\" roles=\"x\"/>\n-->\n", "<!-- x -->\n<user username=\"tomcat\" password=\"tomcat\" roles=\"x\"/>\n"},
		{"srv/words.json", `{"key":"harvest-4821"}`, `{"api_key":"{hex:32}"}`},
		{"srv/stack.json", `{"apiKeySecretArn": "arn:aws:secretsmanager:eu-west-1:{d:12}:secret:shop-{an:6}"}`, `{"apiKeySecret": "{an:32}"}`},
		{"srv/settings.py", "SECRET_KEY = '${DJANGO_SECRET_KEY}'\n", "SECRET_KEY = '{an:20}$x{an:8}(${an:12}'\n"},
		{"srv/app.env", "DB_PASSWORD={{ vault.db_password }}\n", "DB_PASSWORD={an:8}${an:6}\n"},
		{"srv/x.service", "Environment=\"DB_PASSWORD=%DB_PASSWORD%\"\n", "Environment=\"DB_PASSWORD={pw}\"\n"},
	} {
		for _, s := range analyzeBytes(t, a, c.path, []byte(f.fill(c.none))) {
			if s.Suppressed == "" {
				t.Errorf("%s: %s in %q", c.path, s.Rule, c.none)
			}
		}
		if found := analyzeBytes(t, a, c.path, []byte(f.fill(c.secret))); len(found) == 0 || found[0].Suppressed != "" {
			t.Errorf("%s: nothing in %q: %v", c.path, c.secret, rulesOf(found))
		}
	}
}

// Guards read values that anybody may have written.
func FuzzGuards(f *testing.F) {
	for _, s := range []string{"${A}x", "$(", "{{ a }}", "\\u12", "<%", "ENC(", "Ag", "a:a@", "amqp://a:a@h", ""} {
		f.Add(s)
	}
	g, err := newGuards(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v := []byte(s)
		found := finding{rule: &rule{id: "x", generic: true, kind: "password"}, secret: v, match: v, line: v}
		g.judge("srv/x", &found)
		commentedSample(v, len(v)/2, &found)
		if len(v) > 0 && string(v) == s && reference(v) > len(v) {
			t.Error("a reference is longer than its text")
		}
	})
}
