package web

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"
)

var update = flag.Bool("update", false, "write openapi.json anew, from what the service says")

// A console of three files, one of them large enough to be worth compressing.
var script = strings.Repeat("console.log('a line of script');\n", 100)

func console(t *testing.T) http.Handler {
	t.Helper()
	h, err := newHandler(fstest.MapFS{
		".gitkeep":              {},
		"index.html":            {Data: []byte("<!doctype html><title>Pratique</title>")},
		"assets/main-abc123.js": {Data: []byte(script)},
		"favicon.svg":           {Data: []byte("<svg/>")},
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func get(h http.Handler, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestAddresses(t *testing.T) {
	h := console(t)
	for _, c := range []struct {
		path, contentType, cache string
		status                   int
	}{
		{"/", "text/html; charset=utf-8", "no-cache", 200},
		{"/images/17/vulnerabilities", "text/html; charset=utf-8", "no-cache", 200}, // an address of the console
		{"/vulnerabilities/CVE-2021-44228", "text/html; charset=utf-8", "no-cache", 200},
		{"/../../etc/passwd", "text/html; charset=utf-8", "no-cache", 200},
		{"/.gitkeep", "text/html; charset=utf-8", "no-cache", 200},
		{"/favicon.svg", "image/svg+xml", "public, max-age=86400", 200},
		{"/assets/main-abc123.js", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable", 200},
		{"/assets/main-of-an-older-version.js", "text/plain; charset=utf-8", "", 404},
	} {
		w := get(h, c.path)
		if w.Code != c.status || w.Header().Get("Content-Type") != c.contentType || w.Header().Get("Cache-Control") != c.cache {
			t.Errorf("%s: %d %q %q, want %d %q %q", c.path, w.Code, w.Header().Get("Content-Type"), w.Header().Get("Cache-Control"), c.status, c.contentType, c.cache)
		}
	}
}

func TestCompressed(t *testing.T) {
	h := console(t)
	plain := get(h, "/assets/main-abc123.js")
	if plain.Body.String() != script || plain.Header().Get("Content-Encoding") != "" {
		t.Error("a client that does not take gzip gets something else than the file")
	}
	for accept, zipped := range map[string]bool{"gzip, deflate, br": true, "br;q=1, gzip;q=0.5": true, "gzip;q=0": false, "gzip;q=0.00": false, "identity": false} {
		w := get(h, "/assets/main-abc123.js", "Accept-Encoding", accept)
		if (w.Header().Get("Content-Encoding") == "gzip") != zipped {
			t.Errorf("Accept-Encoding %q: Content-Encoding %q", accept, w.Header().Get("Content-Encoding"))
			continue
		}
		if !zipped {
			continue
		}
		z, err := gzip.NewReader(w.Body)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(z); err != nil || string(got) != script {
			t.Errorf("Accept-Encoding %q: %d bytes, %v", accept, len(got), err)
		}
	}
}

func TestValidator(t *testing.T) {
	h := console(t)
	etag := get(h, "/").Header().Get("ETag")
	if w := get(h, "/", "If-None-Match", etag); etag == "" || w.Code != http.StatusNotModified {
		t.Errorf("the page that one has already (%q) is sent again: %d", etag, w.Code)
	}
}

func TestOnlyReading(t *testing.T) {
	w := httptest.NewRecorder()
	console(t).ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", w.Code)
	}
}

func TestWithoutConsole(t *testing.T) {
	h, err := newHandler(fstest.MapFS{".gitkeep": {}})
	if err != nil {
		t.Fatal(err)
	}
	if w := get(h, "/"); !strings.Contains(w.Body.String(), "make web") {
		t.Errorf("a binary without its console does not say what to do: %s", w.Body)
	}
}

// TestDescription holds the console's client to the service: openapi.json is what
// the client is generated from ("make web-client"), and src/api/schema.ts what was
// generated; a test there compares the two.
func TestDescription(t *testing.T) {
	served := described(t)
	const kept = "openapi.json"
	if *update {
		if err := os.WriteFile(kept, served, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	known, err := os.ReadFile(kept)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(known, served) {
		t.Error("the API has changed, and the console's client was not generated anew: run make web-client")
	}
}

// described starts a service and returns what it says of its API, without the
// program's version.
func described(t *testing.T) []byte {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "pratique")
	build := exec.Command("go", "build", "-o", binary, "../cmd/pratique")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("the binary does not build: %v\n%s", err, out)
	}
	service := exec.Command(binary, "serve", "--data", t.TempDir(), "--listen", "127.0.0.1:0", "--feeds-every", "0")
	out, err := service.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	service.Stderr = &log
	if err := service.Start(); err != nil {
		t.Fatal(err)
	}
	kill := time.AfterFunc(time.Minute, func() { service.Process.Kill() }) //nolint: it has ended otherwise
	defer func() {
		if err := service.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		if err := service.Wait(); err != nil {
			t.Errorf("the service did not end well: %v\n%s", err, &log)
		}
		kill.Stop()
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the service says nothing: %v\n%s", err, &log)
	}
	fields := strings.Fields(line)
	response, err := http.Get(fields[len(fields)-1] + "/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var document map[string]any
	if err := json.NewDecoder(response.Body).Decode(&document); err != nil {
		t.Fatal(err)
	}
	document["info"].(map[string]any)["version"] = ""
	text, err := json.MarshalIndent(document, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return append(text, '\n')
}
