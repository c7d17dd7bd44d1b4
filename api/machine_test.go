package api

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/agent/wire"
	"github.com/pratique/pratique/analyze"
	"github.com/pratique/pratique/analyze/files"
	"github.com/pratique/pratique/layer"
	"github.com/pratique/pratique/scan"
	"github.com/pratique/pratique/store"
	"github.com/pratique/pratique/store/factdir"
)

// machineTest is the port for agents over a real store.
type machineTest struct {
	t         *testing.T
	db        *store.Store
	facts     *factdir.Dir
	pass      *layer.Pass
	authority *Authority
	address   string
	rules     string // folder of packs of rules
}

// ruleFolder has packs of rules as files, named by their digest.
type ruleFolder string

func (f ruleFolder) Packs() *wire.RuleSet { return &wire.RuleSet{Packs: []wire.RulePack{}} }

func (f ruleFolder) Open(digest pratique.Digest) (*os.File, error) {
	file, err := os.Open(filepath.Join(string(f), digest.Hex()))
	if err != nil {
		return nil, pratique.Errorf(pratique.CodeNotFound, "no such pack")
	}
	return file, nil
}

type unobserved struct{}

func (unobserved) Scanned(pratique.Status, pratique.Code, time.Duration) {}
func (unobserved) Layers(int, int)                                       {}
func (unobserved) Pulled(string, int64)                                  {}
func (unobserved) Synced(string, string, time.Duration, int)             {}
func (unobserved) Evaluated(int, time.Duration)                          {}

type knowsNothing struct{}

func (knowsNothing) Current(context.Context) (scan.Knowledge, *pratique.Bundle, func(), error) {
	return nil, nil, func() {}, nil
}

func startMachine(t *testing.T) *machineTest {
	t.Helper()
	db := start(t).store
	m := &machineTest{t: t, db: db, pass: layer.NewPass([]analyze.Analyzer{files.Analyzer{}}, layer.Limits{}, t.TempDir()), rules: t.TempDir()}
	t.Cleanup(m.pass.Close)
	var err error
	if m.facts, err = factdir.Open(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	if m.authority, err = NewAuthority(bytes.Repeat([]byte{3}, 32)); err != nil {
		t.Fatal(err)
	}
	syncer := &scan.Syncer{Store: db, Observer: unobserved{}, Log: slog.New(slog.DiscardHandler), Settings: func(context.Context) (scan.Settings, error) { return scan.DefaultSettings(), nil }}
	machine := NewMachine(MachineDeps{
		Fleet: &scan.Fleet{Store: db, Syncer: syncer, Facts: m.facts, Pass: m.pass, Knowledge: knowsNothing{}, Observer: unobserved{}, Log: slog.New(slog.DiscardHandler)},
		Audit: db, Rules: ruleFolder(m.rules), Authority: m.authority, SecretKey: []byte("key"), Version: "1",
	})
	on, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- machine.Serve(ctx, on, nil, 5*time.Second) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the port: %v", err)
		}
	})
	m.address = on.Addr().String()
	return m
}

// peer is whoever speaks to the port.
type peer struct {
	*machineTest
	key  ed25519.PrivateKey
	cert []byte
	http *http.Client
	host pratique.Host
}

func (m *machineTest) peer(name string) *peer {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		m.t.Fatal(err)
	}
	p := &peer{machineTest: m, key: key, host: pratique.Host{ID: pratique.DigestOf([]byte(name)).Hex()[:32], Name: name}}
	p.connect()
	return p
}

func (p *peer) connect() {
	roots := x509.NewCertPool()
	cert, err := x509.ParseCertificate(p.authority.Certificate())
	if err != nil {
		p.t.Fatal(err)
	}
	roots.AddCert(cert)
	config := &tls.Config{RootCAs: roots, ServerName: wire.ServiceName}
	if p.cert != nil {
		config.Certificates = []tls.Certificate{{Certificate: [][]byte{p.cert}, PrivateKey: p.key}}
	}
	p.http = &http.Client{Transport: &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}, Timeout: time.Minute}
	p.t.Cleanup(p.http.CloseIdleConnections)
}

// raw sends whatever it is given.
func (p *peer) raw(path string, body []byte, packed bool) (pratique.Code, []byte) {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, "https://"+p.address+wire.Prefix+path, bytes.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	if packed {
		req.Header.Set("Content-Encoding", "gzip")
	}
	resp, err := p.http.Do(req)
	if err != nil {
		return "no answer", []byte(err.Error())
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return "no answer", []byte(err.Error())
	}
	if resp.StatusCode == http.StatusOK {
		return "", answer
	}
	var refusal pratique.Error
	if err := json.Unmarshal(answer, &refusal); err != nil || resp.StatusCode != wire.Status(refusal.Code) {
		p.t.Errorf("%s: %d %s", path, resp.StatusCode, answer)
	}
	return refusal.Code, answer
}

func (p *peer) say(m wire.Message) pratique.Code {
	p.t.Helper()
	body, packed, err := wire.Encode(m)
	if err != nil {
		p.t.Fatal(err)
	}
	code, _ := p.raw(m.Path(), body, packed)
	return code
}

func (p *peer) want(code pratique.Code, m wire.Message) {
	p.t.Helper()
	if got := p.say(m); got != code {
		p.t.Errorf("%s of %s: %q instead of %q", m.Path(), p.host.Name, got, code)
	}
}

func (m *machineTest) token(kind pratique.AgentKind, site string) string {
	secret := strings.Repeat("s", 40) + rand.Text()
	if _, err := m.db.AddAgentToken(m.t.Context(), pratique.AgentToken{Kind: kind, Site: site, Uses: 1, Expires: time.Now().Add(time.Hour)}, pratique.AgentSecretHash(secret)); err != nil {
		m.t.Fatal(err)
	}
	return secret
}

func (p *peer) enrolment(secret string) *wire.Enrol {
	request, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, p.key)
	if err != nil {
		p.t.Fatal(err)
	}
	return &wire.Enrol{Secret: secret, Request: request, Kind: pratique.AgentHost, Name: p.host.Name, Version: "1", Host: p.host}
}

func (m *machineTest) enrolled(name string) *peer {
	m.t.Helper()
	return m.enrolledFor(name, pratique.AgentHost, "")
}

func (m *machineTest) enrolledFor(name string, kind pratique.AgentKind, site string) *peer {
	m.t.Helper()
	p := m.peer(name)
	enrolment := p.enrolment(m.token(kind, site))
	enrolment.Kind, enrolment.Site = kind, site
	body, packed, err := wire.Encode(enrolment)
	if err != nil {
		m.t.Fatal(err)
	}
	code, answer := p.raw("enrol", body, packed)
	if code != "" {
		m.t.Fatalf("enrol: %s", answer)
	}
	plain := answer
	if bytes.HasPrefix(answer, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(bytes.NewReader(answer))
		if err != nil {
			m.t.Fatal(err)
		}
		if plain, err = io.ReadAll(z); err != nil {
			m.t.Fatal(err)
		}
	}
	var c wire.Certified
	if err := json.Unmarshal(plain, &c); err != nil {
		m.t.Fatal(err)
	}
	p.cert = c.Certificate
	p.connect()
	return p
}

var testDiffID = pratique.DigestOf([]byte("a layer"))

func testConfig(name string) []byte {
	return fmt.Appendf(nil, `{"os":"linux","architecture":"amd64","author":%q,"rootfs":{"type":"layers","diff_ids":[%q]}}`, name, testDiffID)
}

// answer is what the port says to a message.
func (p *peer) answer(m wire.Message, into any) {
	p.t.Helper()
	body, packed, err := wire.Encode(m)
	if err != nil {
		p.t.Fatal(err)
	}
	code, answer := p.raw(m.Path(), body, packed)
	if code != "" {
		p.t.Fatalf("%s: %s", m.Path(), answer)
	}
	if err := wire.DecodeAnswer(answer, bytes.HasPrefix(answer, []byte{0x1f, 0x8b}), wire.Limit{Packed: 8 << 20, Bytes: 16 << 20, Objects: 1000, Values: 10_000}, into); err != nil {
		p.t.Fatal(err)
	}
}

// Packs of rules are given out in pieces, to agents alone.
func TestMachineRules(t *testing.T) {
	m := startMachine(t)
	content := make([]byte, wire.PieceSize+7)
	if _, err := rand.Read(content); err != nil {
		t.Fatal(err)
	}
	digest := pratique.DigestOf(content)
	if err := os.WriteFile(filepath.Join(m.rules, digest.Hex()), content, 0o600); err != nil {
		t.Fatal(err)
	}
	a := m.enrolled("a")
	var got []byte
	for pieces := 0; pieces < 3; pieces++ {
		var c wire.Content
		a.answer(&wire.Piece{Digest: digest, From: int64(len(got))}, &c)
		got = append(got, c.Bytes...)
	}
	if !bytes.Equal(got, content) {
		t.Errorf("%d bytes of %d", len(got), len(content))
	}
	var standing wire.Standing
	a.answer(&wire.Beat{Host: a.host, Version: "1"}, &standing)
	if standing.Rules == nil || standing.Rules.Packs == nil {
		t.Errorf("the heartbeat does not say which rules are in force: %+v", standing)
	}
	a.want(pratique.CodeNotFound, &wire.Piece{Digest: pratique.DigestOf([]byte("other"))})
	a.want(pratique.CodeInvalid, &wire.Piece{Digest: "sha256:../../etc/passwd"})
	a.want(pratique.CodeInvalid, &wire.Piece{Digest: digest, From: -1})
	m.peer("nobody").want(pratique.CodeUnauthorized, &wire.Piece{Digest: digest})
}

// An agent of a site says something about the runs that it may be at: of registries of
// its site, while they go on.
func TestMachineSites(t *testing.T) {
	m := startMachine(t)
	far, err := m.db.CreateRegistry(t.Context(), pratique.Registry{Name: "far", Kind: "oci", Address: "http://far.invalid", Site: "lab"}, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := m.db.WantSync(t.Context(), far.ID, pratique.SyncWish{Whole: &pratique.WholeSync{Full: true, By: "test", Reason: "manual", At: time.Now()}}); err != nil {
		t.Fatal(err)
	}
	lab, other, host := m.enrolledFor("lab", pratique.AgentSite, "lab"), m.enrolledFor("other", pratique.AgentSite, "other"), m.enrolled("host")
	var task, none wire.Task
	other.answer(&wire.Work{}, &none)
	lab.answer(&wire.Work{}, &task)
	if none.Sync != nil || task.Sync == nil || len(task.Registries) != 1 || task.Registries[0].ID != far.ID {
		t.Fatalf("the site gets %+v, another %+v", task, none)
	}
	run := wire.Run{Run: task.Sync.Run.ID}
	listed := &wire.Listed{Run: run, Repository: "team/app", Rows: []pratique.Asset{{Tag: "1", Digest: testDiffID, ImageID: testDiffID, Platform: pratique.Platform{OS: "linux", Architecture: "amd64"}}}, Whole: true}
	end := &wire.Synced{Run: run, Done: 1, Total: 1, Added: 1, End: &wire.SyncEnd{Wish: task.Sync.Wish}}
	for _, message := range []wire.Message{&wire.Repository{Run: run, Repository: "team/app"}, &wire.Manifests{Run: run}, listed, &wire.Synced{Run: run}, end} {
		other.want(pratique.CodeCancelled, message)
		host.want(pratique.CodeUnauthorized, message)
	}
	lab.want("", listed)
	lab.want("", &wire.Synced{Run: run, Done: 1, Total: 1, Added: 1})
	lab.want("", end)
	lab.want(pratique.CodeCancelled, listed)
	lab.want(pratique.CodeCancelled, end)
	rows, err := m.db.Assets(t.Context(), pratique.AssetFilter{Registries: []int64{far.ID}}, pratique.PageRequest{Limit: 10})
	far, unknown := m.db.Registry(t.Context(), far.ID)
	if err != nil || unknown != nil || len(rows.Items) != 1 || far.Sync.State != "success" || far.Sync.Done != 1 {
		t.Errorf("rows %+v, %v, registry %+v", rows.Items, err, far.Sync)
	}
	lab.answer(&wire.Work{}, &none)
	if none.Sync != nil {
		t.Errorf("what was done is given out again: %+v", none.Sync)
	}
}

// has tells the service that the peer's host has an image.
func (p *peer) has(generation int64, names ...string) {
	p.t.Helper()
	inv := pratique.Inventory{Engine: pratique.EngineInfo{Kind: pratique.EngineDocker, Root: "/var/lib/docker"}, Generation: generation, Taken: time.Now()}
	for _, name := range names {
		inv.Images = append(inv.Images, pratique.LocalImage{ID: pratique.DigestOf(testConfig(name)), Tags: []string{name + ":1"}, Platform: pratique.Platform{OS: "linux", Architecture: "amd64"}})
	}
	p.want("", &wire.Inventory{Inventory: inv})
}

// work takes a scan.
func (p *peer) work() (lease wire.Lease) {
	p.t.Helper()
	code, answer := p.raw("work", []byte(`{"wait":0}`), false)
	var task wire.Task
	if err := json.Unmarshal(answer, &task); code != "" || err != nil || task.Scan == nil {
		p.t.Fatalf("no work: %s %v", answer, err)
	}
	return wire.Lease{Scan: task.Scan.Lease.ScanID, Attempt: task.Scan.Lease.Attempt}
}

func (m *machineTest) wish(name string) {
	m.t.Helper()
	_, _, err := m.db.CreateTask(m.t.Context(), pratique.TaskRequest{Kind: pratique.TaskManual, Creator: "test", Categories: []pratique.Category{pratique.CategoryMalware}, ImageIDs: []pratique.Digest{pratique.DigestOf(testConfig(name))}})
	if err != nil {
		m.t.Fatal(err)
	}
}

// An agent sees and writes what is its own, while it is, and nothing else.
func TestAgentsKeepToTheirOwn(t *testing.T) {
	m := startMachine(t)
	a, b := m.enrolled("a"), m.enrolled("b")
	a.has(1, "of-a")
	b.has(1, "of-b")
	m.wish("of-a")
	if code, answer := b.raw("work", []byte(`{"wait":0}`), false); code != "" || strings.Contains(string(answer), "scan") {
		t.Errorf("b got what only a has: %s", answer)
	}
	lease := a.work()
	keys, config := m.pass.Keys(), testConfig("of-a")
	facts := func(lease wire.Lease, config []byte, diffID pratique.Digest, key wire.Key) *wire.Facts {
		return &wire.Facts{Lease: lease, Config: config, Facts: pratique.Facts{DiffID: diffID, Analyzer: key[0], Version: key[1], Verified: true, Entries: &pratique.Entries{Count: 1, Files: []byte("odd")}}}
	}
	reading := pratique.Reading{Name: "of-a:1", Config: config, Keys: keys, Layers: []pratique.ReadLayer{{Size: 10, State: pratique.LayerRead}}}
	about := func(l wire.Lease) []wire.Message {
		return []wire.Message{
			&wire.Known{Lease: l, Config: config, Keys: keys}, facts(l, config, testDiffID, keys[0]), &wire.Progress{Lease: l}, &wire.Finish{Lease: l, Reading: reading},
			&wire.Fail{Lease: l, Error: *pratique.Errorf(pratique.CodeNotFound, "gone")}, &wire.Release{Lease: l},
		}
	}
	for _, message := range about(lease) { // of a scan that another has
		b.want(pratique.CodeCancelled, message)
	}
	for _, message := range about(wire.Lease{Scan: lease.Scan, Attempt: lease.Attempt + 1}) {
		a.want(pratique.CodeCancelled, message)
	}
	b.want(pratique.CodeUnauthorized, &wire.Beat{Host: a.host})
	b.has(5, "of-b")
	b.want(pratique.CodeConflict, &wire.Inventory{Inventory: pratique.Inventory{Engine: pratique.EngineInfo{Kind: pratique.EngineDocker, Root: "/var/lib/docker"}, Generation: 4}})

	// Of its own scan it may say what belongs to it.
	a.want(pratique.CodeUnauthorized, facts(lease, config, pratique.DigestOf([]byte("another")), keys[0]))
	a.want(pratique.CodeInvalid, facts(lease, testConfig("of-b"), testDiffID, keys[0]))
	a.want(pratique.CodeConflict, facts(lease, config, testDiffID, wire.Key{"entries", "another version"}))
	a.want(pratique.CodeConflict, &wire.Known{Lease: lease, Config: config, Keys: keys[:1]})
	for _, key := range keys {
		a.want("", facts(lease, config, testDiffID, key))
		if kept := m.facts.Get(testDiffID, key[0], key[1]); kept == nil || kept.Verified {
			t.Errorf("a host's facts are kept as %+v", kept)
		}
	}
	a.want("", &wire.Progress{Lease: lease, Progress: map[pratique.Category]int{pratique.CategoryMalware: 50}})
	a.want("", &wire.Finish{Lease: lease, Reading: reading})
	for _, message := range about(lease) { // all of it comes again
		a.want(pratique.CodeCancelled, message)
	}
	summary, err := m.db.Image(t.Context(), pratique.DigestOf(config))
	if err != nil || summary.Status != pratique.StatusScanned {
		t.Errorf("the image is %+v, %v", summary.Status, err)
	}

	// Cancelling is known by the next word.
	m.wish("of-b")
	running := b.work()
	if _, err := m.db.CancelScans(t.Context(), running.Scan); err != nil {
		t.Fatal(err)
	}
	b.want(pratique.CodeCancelled, &wire.Progress{Lease: running})

	// A revoked key is nobody's at once, on the connection that it has.
	agent, err := m.db.AgentByKey(t.Context(), wire.CertificateKey(mustParse(t, a.cert)))
	if err != nil {
		t.Fatal(err)
	}
	if err := m.db.RevokeAgent(t.Context(), agent.ID); err != nil {
		t.Fatal(err)
	}
	for _, message := range append(about(lease), &wire.Hello{}, &wire.Beat{Host: a.host}, &wire.Renew{}, &wire.Work{}, &wire.Engines{}) {
		a.want(pratique.CodeUnauthorized, message)
	}
	b.want("", &wire.Beat{Host: b.host})
}

func mustParse(t *testing.T, der []byte) *x509.Certificate {
	t.Helper()
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Who has no certificate of the service's may do nothing but enrol, once for a token.
func TestEnrolment(t *testing.T) {
	m := startMachine(t)
	stranger := m.peer("stranger")
	for _, message := range []wire.Message{&wire.Hello{}, &wire.Beat{}, &wire.Work{}, &wire.Renew{}} {
		stranger.want(pratique.CodeUnauthorized, message)
	}
	secret := m.token(pratique.AgentHost, "")
	stranger.want("", stranger.enrolment(secret))
	m.peer("second").want(pratique.CodeUnauthorized, stranger.enrolment(secret)) // replayed
	forged := stranger.enrolment(m.token(pratique.AgentHost, ""))
	forged.Request[len(forged.Request)-1] ^= 1
	stranger.want(pratique.CodeInvalid, forged)
	site := stranger.enrolment(m.token(pratique.AgentSite, "lab"))
	stranger.want(pratique.CodeUnauthorized, site) // the token is for another kind

	// A certificate of another authority does not even get a connection.
	other, err := NewAuthority(bytes.Repeat([]byte{4}, 32))
	if err != nil {
		t.Fatal(err)
	}
	impostor := m.peer("impostor")
	if impostor.cert, _, err = other.Sign(impostor.key.Public(), "agent 1"); err != nil {
		t.Fatal(err)
	}
	impostor.connect()
	impostor.want("no answer", &wire.Hello{})
	// Nor may an agent's certificate stand for the service.
	agent := m.enrolled("agent")
	if _, err := mustParse(t, agent.cert).Verify(x509.VerifyOptions{Roots: pool(mustParse(t, m.authority.Certificate())), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}); err == nil {
		t.Error("an agent's certificate is good for a server")
	}
	// An authority of the same secret, after a restart, is the same.
	again, err := NewAuthority(bytes.Repeat([]byte{3}, 32))
	if err != nil || !bytes.Equal(again.PublicKey(), m.authority.PublicKey()) {
		t.Errorf("after a restart: %v", err)
	}
	if _, err := mustParse(t, agent.cert).Verify(x509.VerifyOptions{Roots: pool(mustParse(t, again.Certificate())), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err != nil {
		t.Error(err)
	}
}

func pool(c *x509.Certificate) *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(c)
	return p
}

// What one agent sends, however large, broken or often, costs another nothing.
func TestHostileMessages(t *testing.T) {
	m := startMachine(t)
	hostile, other := m.enrolled("hostile"), m.enrolled("other")
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	for range 200 {
		if _, err := z.Write(make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		path   string
		body   []byte
		packed bool
		code   pratique.Code
	}{
		"too large":    {"beat", make([]byte, 1<<20), false, pratique.CodeLimit},
		"a bomb":       {"facts", bomb.Bytes(), true, pratique.CodeLimit},
		"no JSON":      {"inventory", []byte("{"), false, pratique.CodeInvalid},
		"more fields":  {"hello", []byte(`{"admin":true}`), false, pratique.CodeInvalid},
		"no such path": {"../../api/v1/registries", nil, false, pratique.CodeNotFound},
	} {
		if code, answer := hostile.raw(c.path, c.body, c.packed); code != c.code {
			t.Errorf("%s: %q %.200s", name, code, answer)
		}
	}
	// It asks from a hundred sides at once, and waits for work with all of them.
	var group sync.WaitGroup
	var mu sync.Mutex
	refused := 0
	ctx, stop := context.WithCancel(t.Context())
	for range 100 {
		group.Go(func() {
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+m.address+wire.Prefix+"work", strings.NewReader(`{"wait":20000}`))
			if err != nil {
				return
			}
			if resp, err := hostile.http.Do(req); err == nil {
				mu.Lock()
				defer mu.Unlock()
				if resp.Body.Close(); resp.StatusCode == http.StatusTooManyRequests {
					refused++
				}
			}
		})
	}
	began := time.Now()
	for range 5 {
		other.want("", &wire.Beat{Host: other.host})
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("another's heartbeats took %s", took)
	}
	count := func() int {
		mu.Lock()
		defer mu.Unlock()
		return refused
	}
	for deadline := time.Now().Add(20 * time.Second); count() < 50 && time.Now().Before(deadline); {
		time.Sleep(20 * time.Millisecond)
	}
	stop()
	group.Wait()
	if refused < 50 {
		t.Errorf("%d of 100 requests at once were refused", refused)
	}
}
