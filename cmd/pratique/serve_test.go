package main

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/api"
	"github.com/pratique/pratique/internal/pgtest"
)

// running is "pratique serve" in this process.
type running struct {
	t        *testing.T
	url      string
	password string
	client   *http.Client
	stop     context.CancelFunc
	ended    chan error
	log      *lockedLog
}

type lockedLog struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

var greeting = regexp.MustCompile(`(?s)is at (http\S+)\n(?:Sign in as "admin" with the one-time password (\S+)\n)?`)

// serve starts it; first says whether a one-time password is printed.
func serve(t *testing.T, data, database string, first bool) *running {
	t.Helper()
	return started(t, first, "serve", "--data", data, "--listen", "127.0.0.1:0", "--feeds-every", "0", "--log-format", "json", "--stop-timeout", "5s", "--database", database)
}

// started runs a command that serves, until it says where.
func started(t *testing.T, first bool, args ...string) *running {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	out, in := io.Pipe()
	r := &running{t: t, stop: stop, ended: make(chan error, 1), log: &lockedLog{}}
	cmd := newCommand(time.Now())
	cmd.SetArgs(args)
	cmd.SetOut(in)
	cmd.SetErr(r.log)
	go func() {
		r.ended <- cmd.ExecuteContext(ctx)
		in.Close()
	}()
	var text strings.Builder
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		text.WriteString(lines.Text() + "\n")
		if m := greeting.FindStringSubmatch(text.String()); m != nil && (m[2] != "" || !first) {
			r.url, r.password = m[1], m[2]
			break
		}
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	if r.url == "" {
		t.Fatalf("it did not start: %v\n%s\n%s", <-r.ended, text.String(), r.log)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	r.client = &http.Client{Jar: jar, Timeout: 30 * time.Second}
	t.Cleanup(stop)
	return r
}

func (r *running) ask(method, path string, body []byte, out any) int {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.url+path, bytes.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("X-Requested-With", "test")
	req.Header.Set("Content-Type", "application/json")
	resp, err := r.client.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	if out != nil {
		if err := json.Unmarshal(text, out); err != nil {
			r.t.Fatalf("%s %s: %v: %s", method, path, err, text)
		}
	}
	if resp.StatusCode >= 400 {
		r.t.Logf("%s %s: %d %s", method, path, resp.StatusCode, text)
	}
	return resp.StatusCode
}

func (r *running) end() {
	r.t.Helper()
	r.stop()
	select {
	case err := <-r.ended:
		if err != nil {
			r.t.Errorf("it did not stop in peace: %v\n%s", err, r.log)
		}
	case <-time.After(20 * time.Second):
		r.t.Fatal("it does not stop")
	}
}

// osvExport is an OSV export with one advisory for each name.
func osvExport(t *testing.T, names ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i, name := range names {
		id := fmt.Sprintf("MAL-2026-%d", i+1)
		w, err := z.Create(id + ".json")
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(w, `{"schema_version":"1.6.0","id":%q,"modified":"2026-0%d-01T00:00:00Z","summary":"x","affected":[{"package":{"ecosystem":"npm","name":%q},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"2.0.0"}]}]}]}`, id, 1+len(names), name)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// feeds waits until nothing is wanted any longer.
func (r *running) feeds(adoptions int) (state api.FeedState, history pratique.Page[pratique.Adoption]) {
	r.t.Helper()
	for range 600 {
		state, history = api.FeedState{}, pratique.Page[pratique.Adoption]{}
		r.ask("GET", "/api/v1/feeds", nil, &state)
		r.ask("GET", "/api/v1/feeds/history", nil, &history)
		if !state.Waiting && len(history.Items) >= adoptions {
			return state, history
		}
		time.Sleep(50 * time.Millisecond)
	}
	r.t.Fatalf("the feeds are still waited for: %+v\n%s", state, r.log)
	return state, history
}

func TestMain(m *testing.M) {
	if args := os.Getenv(victimEnv); args != "" {
		os.Exit(victim(args))
	}
	os.Exit(pgtest.Run(m))
}

func TestServe(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) { testServe(t, "") })
	t.Run("PostgreSQL", func(t *testing.T) { testServe(t, pgtest.Database(t)) })
}

func testServe(t *testing.T, database string) {
	data := filepath.Join(t.TempDir(), "data")
	r := serve(t, data, database, true)
	if strings.Contains(r.log.String(), r.password) {
		t.Error("the one-time password is in the log")
	}
	login, err := json.Marshal(map[string]string{"name": "admin", "password": r.password})
	if err != nil {
		t.Fatal(err)
	}
	const password = "seven quiet otters paddle"
	if got := r.ask("POST", "/api/v1/session", login, nil); got != 200 {
		t.Fatalf("sign-in: %d", got)
	}
	if got := r.ask("PUT", "/api/v1/session/password", []byte(`{"current":"`+r.password+`","password":"`+password+`"}`), nil); got != 200 {
		t.Fatalf("password: %d", got)
	}
	var ready struct {
		Ready  bool
		Checks map[string]struct{ Ready bool }
	}
	if got := r.ask("GET", "/readyz", nil, &ready); got != 200 || !ready.Checks["database"].Ready || !ready.Checks["queue"].Ready || ready.Checks["feeds"].Ready {
		t.Errorf("readiness: %d %+v", got, ready)
	}

	if got := r.ask("POST", "/api/v1/feeds/import?name=osv/npm/all.zip", osvExport(t, "left-pad"), nil); got != 202 {
		t.Fatalf("import: %d", got)
	}
	state, history := r.feeds(1)
	if state.InForce == nil || state.Last == nil || state.Last.Error != nil || state.Last.Ended == nil || history.Items[0].Keys != 1 || history.Items[0].By != "admin" || len(state.InForce.Bundle.Feeds) != 1 || state.InForce.Bundle.Feeds[0].Source != "osv/npm" {
		t.Fatalf("%+v %+v\n%s", state, history, r.log)
	}
	first := state.InForce.Bundle.Digest
	r.ask("POST", "/api/v1/feeds/import?name=osv/npm/all.zip", osvExport(t, "left-pad", "right-pad"), nil)
	state, history = r.feeds(2)
	if state.InForce.Bundle.Digest == first || history.Items[0].Reason != "import" || state.Earlier != 1 || len(state.InForce.Bundle.Feeds) != 1 {
		t.Errorf("%+v %+v", state, history)
	}
	r.ask("POST", "/api/v1/feeds/import?name=noise.bin", []byte("no feed at all"), nil)
	for range 200 {
		if state, _ = r.feeds(2); state.Last.Error != nil || len(state.Last.Ignored) > 0 {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if state.Last.Error == nil && len(state.Last.Ignored) == 0 || state.Last.Error != nil && strings.Contains(state.Last.Error.Message, data) {
		t.Errorf("noise was taken for a feed, or the answer tells where it was: %+v", state.Last)
	}
	if got := r.ask("POST", "/api/v1/feeds/import?name=all.zip", osvExport(t, "x"), nil); got != 422 {
		t.Errorf("an export of nobody knows which ecosystem: %d", got)
	}
	var back pratique.Adoption
	if got := r.ask("POST", "/api/v1/feeds/rollback", nil, &back); got != 200 || back.Bundle.Digest != first || back.By != "admin" || back.Reason != "rollback" {
		t.Errorf("roll back: %d %+v", got, back)
	}
	if left, err := filepath.Glob(filepath.Join(data, "inbox", "*")); err != nil || len(left) != 0 {
		t.Errorf("the inbox has %v %v", left, err)
	}
	r.end()
	for _, name := range []string{"key", "pratique.db"} {
		if database != "" && name != "key" {
			continue
		}
		if info, err := os.Stat(filepath.Join(data, name)); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v %v", name, info, err)
		}
	}

	again := serve(t, data, database, false)
	if again.password != "" {
		t.Error("a one-time password at the second start")
	}
	again.client = r.client // sessions outlive the process
	var session api.SessionInfo
	if got := again.ask("GET", "/api/v1/session", nil, &session); got != 200 {
		t.Errorf("session after the restart: %d", got)
	}
	if got := again.ask("POST", "/api/v1/session", []byte(`{"name":"admin","password":"`+password+`"}`), nil); got != 200 {
		t.Errorf("sign-in after the restart: %d", got)
	}
	again.end()
	if log := r.log.String() + again.log.String(); strings.Contains(log, password) {
		t.Error("a password is in the log")
	}
}

func TestServeRefusesBadSettings(t *testing.T) {
	dir := t.TempDir()
	key := filepath.Join(dir, "open.key")
	if err := os.WriteFile(key, []byte(strings.Repeat("0", 64)), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(key, 0o644); err != nil {
		t.Fatal(err)
	}
	for name, args := range map[string][]string{
		"no data":            {},
		"an open key":        {"--data", dir, "--key", key},
		"an open TLS key":    {"--data", dir, "--tls-cert", key, "--tls-key", key},
		"half of TLS":        {"--data", dir, "--tls-cert", key},
		"a proxy":            {"--data", dir, "--trusted-proxy", "everybody"},
		"a level":            {"--data", dir, "--log-level", "loud"},
		"a format":           {"--data", dir, "--log-format", "xml"},
		"a port":             {"--data", dir, "--listen", "127.0.0.1:99999"},
		"a database":         {"--data", dir, "--database", "mysql://root:hunter2@db/x"},
		"an address":         {"--data", dir, "--url", "https://u:hunter2@h/path"},
		"a short session":    {"--data", dir, "--session-idle", "1ms"},
		"feeds all the time": {"--data", dir, "--feeds-every", "1s"},
		"no settings file":   {"--data", dir, "--config", filepath.Join(dir, "none.yaml")},
	} {
		cmd := newCommand(time.Now())
		cmd.SetArgs(append([]string{"serve", "--listen", "127.0.0.1:0"}, args...))
		cmd.SetOut(io.Discard)
		cmd.SetErr(io.Discard)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		err := cmd.ExecuteContext(ctx)
		cancel()
		line := ""
		if err != nil {
			line = errorLine(err)
		}
		if err == nil || !strings.Contains(line, "(") || strings.Contains(line, "hunter2") {
			t.Errorf("%s: %q", name, line)
		}
	}
}

func TestSettingsComeFromThreePlaces(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	yamlFile := write("a.yaml", "listen: 1.1.1.1:1\ndata: /from/file\ntrusted-proxy: [10.0.0.1, 10.0.0.2]\nsession-idle: 30m\n")
	tomlFile := write("a.toml", "listen = \"1.1.1.1:1\"\ndata = \"/from/file\"\ntrusted-proxy = [\"10.0.0.1\", \"10.0.0.2\"]\nsession-idle = \"30m\"\n")
	for _, path := range []string{yamlFile, tomlFile} {
		flags := newServeCommand().Flags()
		if err := flags.Parse([]string{"--data", "/from/flag"}); err != nil {
			t.Fatal(err)
		}
		environment := map[string]string{"PRATIQUE_LISTEN": "2.2.2.2:2", "PRATIQUE_DATA": "/from/environment"}
		err := applySettings(flags, path, func(name string) (string, bool) { v, ok := environment[name]; return v, ok })
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, name := range []string{"data", "listen", "trusted-proxy", "session-idle", "log-level"} {
			got = append(got, flags.Lookup(name).Value.String())
		}
		if want := "/from/flag 2.2.2.2:2 [10.0.0.1,10.0.0.2] 30m0s info"; strings.Join(got, " ") != want {
			t.Errorf("%s: %v", path, got)
		}
	}
	for name, path := range map[string]string{
		"unknown":  write("b.yaml", "lissten: x\n"),
		"nested":   write("c.yaml", "listen:\n  host: x\n"),
		"broken":   write("d.toml", "listen = \n"),
		"a type":   write("e.yaml", "session-idle: soon hunter2\n"),
		"no kind":  write("f.json", "{}"),
		"too deep": write("g.yaml", "config: h.yaml\n"),
	} {
		err := applySettings(newServeCommand().Flags(), path, func(string) (string, bool) { return "", false })
		if pratique.CodeOf(err) != pratique.CodeInvalid || strings.Contains(errorLine(err), "hunter2") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzSettings(f *testing.F) {
	f.Add([]byte("listen: x\n"), false)
	f.Add([]byte("a: &a [*a, *a]\n"), false)
	f.Add([]byte("listen = 'x'\n"), true)
	f.Fuzz(func(t *testing.T, content []byte, asTOML bool) {
		path := filepath.Join(t.TempDir(), "f.yaml")
		if asTOML {
			path = filepath.Join(t.TempDir(), "f.toml")
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		flags := pflag.NewFlagSet("x", pflag.ContinueOnError)
		flags.String("listen", "", "")
		_ = applySettings(flags, path, func(string) (string, bool) { return "", false })
	})
}
