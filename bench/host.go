package main

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/internal/enginetest"
)

// How an agent is measured: on a host whose Docker engine has hostImages small images
// on one base, and one large one, with a service beside it. Idle is once all has been
// told.
const (
	hostImages = 500
	largeBytes = 2 << 30 // of the large image

	inventoryLimit = 10.0 // seconds from the agent's start, enrolment included
	idleLimit      = 150  // MiB resident
	scanningLimit  = 320  // MiB resident at most

	hostPatience = 30 * time.Minute // for everything
	settled      = 10 * time.Second // after the inventory
)

// benchHost is a host with an agent, and the service that it speaks to.
type benchHost struct {
	options
	work   string // folder
	docker *enginetest.Engine
	url    string // of the service
	client *http.Client
	agent  *exec.Cmd
}

// measureHost prints what an agent takes on a host with many images, and tells whether
// every limit was kept.
func measureHost(ctx context.Context, o options) (ok bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, hostPatience)
	defer cancel()
	docker, stop, err := enginetest.LaunchDocker()
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, stop()) }()
	h := &benchHost{options: o, docker: docker, work: filepath.Join(docker.Dir, "bench")}
	if err := os.Mkdir(h.work, 0o700); err != nil {
		return false, err
	}
	fmt.Printf("\nan agent on a host: Docker with %d images on one base, and one of %d GiB of this machine's /usr\n", hostImages, largeBytes>>30)
	large, err := h.fill(ctx)
	if err != nil {
		return false, err
	}
	end, err := h.serve(ctx)
	if err != nil {
		return false, err
	}
	defer end()
	ok = true
	check := checker(&ok)
	took, leave, err := h.start(ctx)
	if err != nil {
		return false, err
	}
	defer leave()
	check("from its start to the inventory", took.Seconds(), inventoryLimit, "s")
	time.Sleep(settled)
	check("resident, idle", h.resident("VmRSS:"), idleLimit, "MiB")
	for _, scan := range []struct {
		what, filter string
		images       int
	}{
		{"the small images", `"scope":"all","filter":{"source":"local","search":"bench/small"}`, hostImages},
		{"the large image", `"scope":"specified","filter":{"source":"local","imageIDs":["` + large + `"]}`, 1},
	} {
		if err := h.forgetPeak(); err != nil {
			return false, err
		}
		began := time.Now()
		if err := h.scanAll(ctx, scan.filter, scan.images); err != nil {
			return false, fmt.Errorf("%s: %w", scan.what, err)
		}
		fmt.Printf("  %-34s %8.2f s\n", "scan of "+scan.what, time.Since(began).Seconds())
		check("resident at most, "+scan.what, h.resident("VmHWM:"), scanningLimit, "MiB")
	}
	time.Sleep(settled)
	check("resident, idle again", h.resident("VmRSS:"), idleLimit, "MiB")
	return ok, nil
}

// fill loads the images into the engine, and returns the ID of the large one.
func (h *benchHost) fill(ctx context.Context) (large string, err error) {
	file := filepath.Join(h.work, "images.tar")
	out, err := os.Create(file)
	if err != nil {
		return "", err
	}
	if err := errors.Join(smallImages(out), out.Close()); err != nil {
		return "", err
	}
	if _, err := h.docker.Try("load", "-q", "-i", file); err != nil {
		return "", err
	}
	in := exec.CommandContext(ctx, "docker", "-H", "unix://"+h.docker.Socket, "import", "-", "bench/large:1")
	read, write := io.Pipe()
	in.Stdin = read
	go func() { write.CloseWithError(largeImage(write)) }()
	id, err := in.Output()
	return strings.TrimSpace(string(id)), err
}

// largeImage writes the first files of /usr as a layer.
func largeImage(w io.Writer) error {
	t := tar.NewWriter(w)
	left := int64(largeBytes)
	err := filepath.WalkDir("/usr", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() && !d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if left -= info.Size(); left < 0 {
			return fs.SkipAll
		}
		h, err := tar.FileInfoHeader(info, "")
		if err != nil {
			return err
		}
		h.Name = strings.TrimPrefix(name, "/")
		if err := t.WriteHeader(h); err != nil || d.IsDir() {
			return err
		}
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = io.CopyN(t, f, h.Size)
		return err
	})
	return errors.Join(err, t.Close())
}

// smallImages writes a tar as "docker save" does: each image has a layer of its own
// over one that all share.
func smallImages(w io.Writer) error {
	type entry struct {
		Config   string
		RepoTags []string
		Layers   []string
	}
	t := tar.NewWriter(w)
	put := func(name string, b []byte) error {
		if err := t.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(b))}); err != nil {
			return err
		}
		_, err := t.Write(b)
		return err
	}
	layer := func(name, content string) (diffID pratique.Digest, err error) {
		var b bytes.Buffer
		l := tar.NewWriter(&b)
		err = l.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))})
		if err == nil {
			_, err = io.WriteString(l, content)
		}
		if err = errors.Join(err, l.Close()); err != nil {
			return "", err
		}
		diffID = pratique.DigestOf(b.Bytes())
		return diffID, put(diffID.Hex()+".tar", b.Bytes())
	}
	base, err := layer("etc/os-release", "ID=debian\nVERSION_ID=12\n")
	if err != nil {
		return err
	}
	var all []entry
	for n := range hostImages {
		own, err := layer("srv/app.conf", fmt.Sprintf("name = app-%d\n", n))
		if err != nil {
			return err
		}
		config := fmt.Appendf(nil, `{"architecture":"amd64","os":"linux","config":{"Cmd":["/bin/app"],"Labels":{"org.opencontainers.image.title":"app %d"}},"rootfs":{"type":"layers","diff_ids":[%q,%q]},"history":[{"created_by":"base"},{"created_by":"COPY app.conf"}]}`, n, base, own)
		name := pratique.DigestOf(config).Hex() + ".json"
		if err := put(name, config); err != nil {
			return err
		}
		all = append(all, entry{Config: name, RepoTags: []string{fmt.Sprintf("bench/small-%d:1", n)}, Layers: []string{base.Hex() + ".tar", own.Hex() + ".tar"}})
	}
	manifest, err := json.Marshal(all)
	if err != nil {
		return err
	}
	return errors.Join(put("manifest.json", manifest), t.Close())
}

var greeting = regexp.MustCompile(`(?s) is at (http\S+)\n.*one-time password (\S+)\n`)

// serve starts the service, and signs in. end stops it.
func (h *benchHost) serve(ctx context.Context) (end func(), err error) {
	cmd := exec.CommandContext(ctx, h.binary, "serve", "--data", filepath.Join(h.work, "service"), "--listen", "127.0.0.1:0", "--agent-listen", "127.0.0.1:0", "--agent-name", "127.0.0.1", "--feeds-every", "0", "--log-level", "error")
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	end = func() { _ = cmd.Process.Signal(syscall.SIGTERM); _ = cmd.Wait() }
	var said strings.Builder
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		said.WriteString(lines.Text() + "\n")
		m := greeting.FindStringSubmatch(said.String())
		if m == nil {
			continue
		}
		go func() { _, _ = io.Copy(io.Discard, out) }()
		jar, err := cookiejar.New(nil)
		if err != nil {
			return end, err
		}
		h.url, h.client = m[1], &http.Client{Jar: jar, Timeout: time.Minute}
		const password = "a password for as long as this runs"
		return end, errors.Join(
			h.ask(ctx, http.MethodPost, "session", map[string]string{"name": "admin", "password": m[2]}, nil),
			h.ask(ctx, http.MethodPut, "session/password", map[string]string{"current": m[2], "password": password}, nil),
		)
	}
	end()
	return nil, fmt.Errorf("the service did not start: %s", said.String())
}

// ask asks the service's API.
func (h *benchHost) ask(ctx context.Context, method, path string, body, into any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, h.url+"/api/v1/"+path, bytes.NewReader(b))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Requested-With", "bench")
	resp, err := h.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %d %s", method, path, resp.StatusCode, answer)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(answer, into)
}

// start starts the agent, and returns how long it took until the service knew all
// images.
func (h *benchHost) start(ctx context.Context) (took time.Duration, leave func(), err error) {
	var token struct{ Secret, Server string }
	if err := h.ask(ctx, http.MethodPost, "agent-tokens", map[string]any{"kind": "host", "uses": 1, "expiresHours": 1}, &token); err != nil {
		return 0, nil, err
	}
	file, root := filepath.Join(h.work, "token"), filepath.Join(h.work, "root")
	top := strings.Split(h.docker.Root, "/")[1] // the host's root holds the way to where dockerd keeps its data
	err = errors.Join(
		os.WriteFile(file, []byte(token.Secret), 0o600),
		os.MkdirAll(filepath.Join(root, "etc"), 0o755),
		os.WriteFile(filepath.Join(root, "etc/machine-id"), []byte(strings.Repeat("0123456789abcdef", 2)), 0o644),
		os.Symlink("/"+top, filepath.Join(root, top)),
	)
	if err != nil {
		return 0, nil, err
	}
	h.agent = exec.CommandContext(ctx, h.binary, "agent", "--server", token.Server, "--token-file", file, "--data", filepath.Join(h.work, "agent"),
		"--host-root", root, "--engine", "docker=unix://"+h.docker.Socket, "--no-nice", "--log-level", "warn")
	h.agent.Stderr = os.Stderr
	began := time.Now()
	if err := h.agent.Start(); err != nil {
		return 0, nil, err
	}
	leave = func() { _ = h.agent.Process.Signal(syscall.SIGTERM); _ = h.agent.Wait() }
	for {
		var hosts pratique.Page[pratique.HostRow]
		if err := h.ask(ctx, http.MethodGet, "hosts", nil, &hosts); err != nil {
			leave()
			return 0, nil, err
		}
		if len(hosts.Items) == 1 && hosts.Items[0].Images == hostImages+1 {
			return time.Since(began), leave, nil
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// scanAll has the agent scan images, and waits until it has.
func (h *benchHost) scanAll(ctx context.Context, filter string, images int) error {
	var task pratique.Task
	if err := h.ask(ctx, http.MethodPost, "tasks", json.RawMessage(`{`+filter+`,"categories":["vulnerability","secret","malware"]}`), &task); err != nil {
		return err
	}
	for task.Ended == nil {
		time.Sleep(500 * time.Millisecond)
		if err := h.ask(ctx, http.MethodGet, fmt.Sprintf("tasks/%d", task.ID), nil, &task); err != nil {
			return err
		}
	}
	if task.Scanned != images {
		return fmt.Errorf("%d images were scanned, and %d were wanted", task.Scanned, images)
	}
	return nil
}

// resident is a figure of the agent's memory, in MiB.
func (h *benchHost) resident(name string) float64 {
	kib := math.Inf(1) // no figure is within no limit
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", h.agent.Process.Pid))
	if _, after, found := strings.Cut(string(status), name); err == nil && found {
		_, _ = fmt.Sscan(after, &kib)
	}
	return kib / 1024
}

// forgetPeak lets the agent's VmHWM begin anew.
func (h *benchHost) forgetPeak() error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", h.agent.Process.Pid), []byte("5"), 0)
}
