package service

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pratique/pratique"
)

// A process is "pratique serve" or "pratique worker". Its log goes to a file, so
// that it is there after a kill.
type process struct {
	t     testing.TB
	cmd   *exec.Cmd
	log   string
	ended chan error
}

// launch runs the binary until the test ends; wrap is a program that prepares the
// ground for it, with the binary as its last arguments.
func launch(t testing.TB, wrap []string, args ...string) (*process, io.Reader) {
	t.Helper()
	log, err := os.CreateTemp(logFolder(t), args[0]+"-*.log")
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	whole := append(append(slices.Clone(wrap), binary), args...)
	p := &process{t: t, cmd: exec.Command(whole[0], whole[1:]...), log: log.Name(), ended: make(chan error, 1)}
	p.cmd.Env = []string{"HOME=" + t.TempDir(), "PATH=" + os.Getenv("PATH"), "TMPDIR=" + t.TempDir()}
	p.cmd.Stderr = log
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p.cmd.Stdout = in
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	in.Close()
	go func() { p.ended <- p.cmd.Wait() }()
	t.Cleanup(func() {
		p.kill()
		out.Close()
		if text := p.text(); t.Failed() {
			t.Logf("%s warned: %s", args[0], warnings(text))
		} else if at := strings.Index(text, "panic"); at >= 0 {
			t.Errorf("a panic in the log of %s: %s", args[0], text[max(0, at-500):min(len(text), at+2000)])
		}
	})
	return p, out
}

// warnings are the lines of a log that tell of something wrong, the last of them.
func warnings(log string) string {
	var told []string
	for line := range strings.Lines(log) {
		if !strings.Contains(line, `"level":"INFO"`) && !strings.Contains(line, `"level":"DEBUG"`) {
			told = append(told, line)
		}
	}
	return "\n" + strings.Join(told[max(0, len(told)-40):], "")
}

// logFolder is the same for all processes of one test.
func logFolder(t testing.TB) string {
	dir := filepath.Join(work, "logs", strings.ReplaceAll(t.Name(), "/", "_"))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func (p *process) text() string {
	b, err := os.ReadFile(p.log)
	if err != nil {
		p.t.Error(err)
	}
	return string(b)
}

// kill ends it as a power failure would.
func (p *process) kill() {
	_ = p.cmd.Process.Signal(syscall.SIGKILL)
	<-p.ended
	p.ended <- nil
}

// stop ends it as an operator would.
func (p *process) stop() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	select {
	case err := <-p.ended:
		if err != nil {
			p.t.Errorf("it did not stop in peace: %v\n%s", err, p.text())
		}
		p.ended <- nil
	case <-time.After(time.Minute):
		p.t.Fatal("it does not stop")
	}
}

// A server is a running service with somebody signed in.
type server struct {
	*process
	url      string
	client   *http.Client
	data     string
	database string   // "" for SQLite
	wrap     []string // see launch
	// answers are bodies of all answers, to look for what must not be in them.
	mu      sync.Mutex
	answers bytes.Buffer
}

const password = "seven quiet otters paddle"

var greeting = regexp.MustCompile(`(?s)is at (http\S+)\n(?:Sign in as "admin" with the one-time password (\S+)\n)?`)

// serve starts the service in a new folder, and signs in as its administrator.
func serve(t testing.TB, database string, args ...string) *server {
	t.Helper()
	s := &server{data: filepath.Join(t.TempDir(), "data"), database: database}
	s.begin(t, args...)
	return s
}

// begin is the first start of a service, and the first sign-in.
func (s *server) begin(t testing.TB, args ...string) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	s.client = &http.Client{Jar: jar, Timeout: time.Minute}
	first := s.start(t, true, args...)
	s.want(http.StatusOK, http.MethodPost, "/session", map[string]string{"name": "admin", "password": first}, nil)
	if code := s.ask(http.MethodGet, "/registries", nil, nil); code != http.StatusForbidden {
		t.Errorf("with a one-time password the registries can be listed: %d", code)
	}
	s.want(http.StatusOK, http.MethodPut, "/session/password", map[string]string{"current": first, "password": password}, nil)
	if strings.Contains(s.text(), first) {
		t.Error("the one-time password is in the log")
	}
}

// start starts the process. The first start prints a one-time password.
func (s *server) start(t testing.TB, first bool, args ...string) (oneTime string) {
	t.Helper()
	listen := "127.0.0.1:0"
	if s.url != "" { // where it was before
		listen = strings.TrimPrefix(s.url, "http://")
	}
	all := append([]string{"serve", "--data", s.data, "--listen", listen, "--feeds-every", "0", "--log-format", "json", "--log-level", "debug", "--stop-timeout", "10s"}, args...)
	if s.database != "" {
		all = append(all, "--database", s.database)
	}
	var out io.Reader
	s.process, out = launch(t, s.wrap, all...)
	var text strings.Builder
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		text.WriteString(lines.Text() + "\n")
		if m := greeting.FindStringSubmatch(text.String()); m != nil && (m[2] != "" || !first) {
			s.url, oneTime = m[1], m[2]
			break
		}
	}
	if s.url == "" || first && oneTime == "" {
		t.Fatalf("it did not start: %s\n%s", text.String(), s.text())
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	return oneTime
}

// ask sends a request of the API and returns the status. in is JSON, or bytes as
// they are.
func (s *server) ask(method, path string, in, out any) int {
	s.t.Helper()
	code, text, err := s.try(method, path, in)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	if out != nil {
		if err := json.Unmarshal(text, out); err != nil {
			s.t.Fatalf("%s %s: %d %v: %.2000s", method, path, code, err, text)
		}
	}
	return code
}

func (s *server) try(method, path string, in any) (int, []byte, error) {
	body, raw := in.([]byte)
	var err error
	if !raw && in != nil {
		if body, err = json.Marshal(in); err != nil {
			return 0, nil, err
		}
	}
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+"/api/v1"+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("X-Requested-With", "test")
	if in != nil {
		req.Header.Set("Content-Type", map[bool]string{true: "application/octet-stream", false: "application/json"}[raw])
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	s.mu.Lock()
	s.answers.Write(text)
	s.mu.Unlock()
	return resp.StatusCode, text, err
}

// want is ask for those who know the status.
func (s *server) want(code int, method, path string, in, out any) {
	s.t.Helper()
	got, text, err := s.try(method, path, in)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	if got != code {
		s.t.Fatalf("%s %s: %d, want %d: %.2000s", method, path, got, code, text)
	}
	if out != nil {
		if err := json.Unmarshal(text, out); err != nil {
			s.t.Fatalf("%s %s: %v: %.2000s", method, path, err, text)
		}
	}
}

// get reads one thing.
func get[T any](s *server, path string) (v T) {
	s.t.Helper()
	s.want(http.StatusOK, http.MethodGet, path, nil, &v)
	return v
}

// problem is how the service says no.
type problem struct {
	Code, Detail, Remedy string
	Status               int
}

// refused asks for what cannot be had. The answer has a code, a line and a remedy.
func (s *server) refused(code int, method, path string, in any) (p problem) {
	s.t.Helper()
	s.want(code, method, path, in, &p)
	if p.Code == "" || p.Detail == "" || strings.Contains(p.Detail, "\n") {
		s.t.Errorf("%s %s: %+v", method, path, p)
	}
	return p
}

// all reads a list to its end by small pages. Each row has to come once, and the
// total has to be right.
func all[T any](s *server, path string, key func(T) string, limit int) []T {
	s.t.Helper()
	var rows []T
	seen := map[string]bool{}
	query := url.Values{"limit": {fmt.Sprint(limit)}, "total": {"true"}}
	base, given, _ := strings.Cut(path, "?")
	if more, err := url.ParseQuery(given); err == nil {
		for k, v := range more {
			query[k] = v
		}
	}
	for range 1000 {
		page := get[pratique.Page[T]](s, base+"?"+query.Encode())
		for _, r := range page.Items {
			if k := key(r); seen[k] {
				s.t.Errorf("%s: %s comes twice", path, k)
			} else {
				seen[k] = true
			}
			rows = append(rows, r)
		}
		if page.Next == "" {
			if page.Total != len(rows) {
				s.t.Errorf("%s: %d rows, and a total of %d", path, len(rows), page.Total)
			}
			return rows
		}
		if len(page.Items) != limit {
			s.t.Errorf("%s: a page of %d rows has a next one, and %d were asked for", path, len(page.Items), limit)
		}
		query.Set("cursor", page.Next)
	}
	s.t.Fatalf("%s never ends", path)
	return nil
}

// A follower hears the service's events.
type follower struct {
	mu     sync.Mutex
	events []event
}

type event struct {
	kind string
	data json.RawMessage
}

// follow listens to /events until the test ends.
func (s *server) follow() *follower {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.url+"/api/v1/events", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	resp, err := (&http.Client{Jar: s.client.Jar}).Do(req)
	if err != nil || resp.StatusCode != http.StatusOK {
		s.t.Fatal(err, resp)
	}
	f := &follower{}
	go func() {
		defer resp.Body.Close()
		var kind string
		lines := bufio.NewScanner(resp.Body)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			if v, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
				kind = v
			}
			if v, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				f.mu.Lock()
				f.events = append(f.events, event{kind, json.RawMessage(v)})
				f.mu.Unlock()
			}
		}
	}()
	return f
}

// of are the events of a type so far.
func (f *follower) of(kind string) []event {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(f.events), func(e event) bool { return e.kind != kind })
}

// importFeeds hands in all feeds, and waits until they are in force.
func (s *server) importFeeds(advisories []advisory, modified time.Time) {
	s.t.Helper()
	for _, publisher := range publishers(advisories) {
		export, err := osv(advisories, publisher, modified)
		if err != nil {
			s.t.Fatal(err)
		}
		s.want(http.StatusAccepted, http.MethodPost, "/feeds/import?name="+url.QueryEscape("osv/"+publisher+"/all.zip"), export, nil)
	}
	exploited, err := kev(advisories)
	if err != nil {
		s.t.Fatal(err)
	}
	s.want(http.StatusAccepted, http.MethodPost, "/feeds/import?name=known_exploited_vulnerabilities.json", exploited, nil)
	scores, err := epss(advisories)
	if err != nil {
		s.t.Fatal(err)
	}
	s.want(http.StatusAccepted, http.MethodPost, "/feeds/import?name=epss_scores-2026-01-12.csv.gz", scores, nil)
	s.settled()
}

// settled waits until no feed is waited for and nothing has to be judged again.
func (s *server) settled() {
	s.t.Helper()
	until(s.t, "the feeds are in force", 2*time.Minute, func() bool {
		state := get[struct {
			Waiting bool
			Last    *struct {
				Ended *time.Time
				Error *pratique.Error
			}
		}](s, "/feeds")
		if state.Last != nil && state.Last.Error != nil {
			s.t.Fatalf("a feed was refused: %v", state.Last.Error)
		}
		return !state.Waiting
	})
	until(s.t, "all is judged", 2*time.Minute, func() bool { return s.overview().Pending == 0 })
}

// overview is what stands of repository images.
func (s *server) overview() pratique.Overview {
	s.t.Helper()
	return get[struct{ Repository pratique.Overview }](s, "/overview").Repository
}
