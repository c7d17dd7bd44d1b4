// Package web holds the console and serves it: the pages that people open in a
// browser. They are built from the TypeScript beside this file ("make web") and
// are part of the binary, so a server needs nothing else, and never shows a
// console of another version than its API.
//
// The console is one page with many addresses: what is no file is answered by
// index.html, whose script looks at the address. Files below assets/ carry a hash
// of their content in their names; browsers keep them for ever. index.html is
// asked for each time, and what is left, the icon, once a day: browsers ask for it
// whenever the address changes.
package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"
)

// built is empty but for a placeholder until "make web" has run.
//
//go:embed all:dist
var built embed.FS

// unbuilt is what a binary shows that was made without the console.
const unbuilt = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Pratique</title>
<p>This binary was built without its console. Run <code>make web</code>, then <code>make build</code>. The API is at <a href="/openapi.json">/api/v1</a>.
<p lang="zh">此程序未包含控制台。请先运行 <code>make web</code>,再运行 <code>make build</code>。
`

// Handler serves the console that was built into the binary.
func Handler() (http.Handler, error) {
	files, err := fs.Sub(built, "dist")
	if err != nil {
		return nil, err
	}
	return newHandler(files)
}

// file is one answer, ready to be sent.
type file struct {
	content, zipped     []byte // zipped is nil where it would save nothing
	contentType, etag   string
	cacheControl, title string
}

type handler struct{ files map[string]*file }

// newHandler reads and compresses all files at once: a few megabytes, a fraction
// of a second, and then no request waits for it.
func newHandler(files fs.FS) (http.Handler, error) {
	h := &handler{files: map[string]*file{}}
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasPrefix(path.Base(name), ".") {
			return err
		}
		content, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		h.files[name], err = newFile(name, content)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("the console's files: %w", err)
	}
	if h.files[index] == nil {
		h.files[index], err = newFile(index, []byte(unbuilt))
	}
	return h, err
}

const (
	index  = "index.html"
	hashed = "assets/" // folder of the files with a hash in their names
)

func newFile(name string, content []byte) (*file, error) {
	sum := sha256.Sum256(content)
	f := &file{content: content, title: name, contentType: contentType(name), cacheControl: "public, max-age=86400",
		etag: `W/"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`}
	switch {
	case name == index:
		f.cacheControl = "no-cache"
	case strings.HasPrefix(name, hashed):
		f.cacheControl = "public, max-age=31536000, immutable"
	}
	var zipped bytes.Buffer
	w, err := gzip.NewWriterLevel(&zipped, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(content); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if zipped.Len() < len(content)*9/10 {
		f.zipped = zipped.Bytes()
	}
	return f, nil
}

// contentType does not ask the machine's own table, which may be wrong or missing.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".html":
		return "text/html; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".webmanifest":
		return "application/manifest+json"
	}
	if t := mime.TypeByExtension(path.Ext(name)); t != "" {
		return t
	}
	return "application/octet-stream"
}

// ServeHTTP answers GET and HEAD. Security headers are the service's to set.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "the console can only be read", http.StatusMethodNotAllowed)
		return
	}
	f := h.find(r.URL.Path)
	if f == nil {
		http.NotFound(w, r)
		return
	}
	header := w.Header()
	header.Set("Content-Type", f.contentType)
	header.Set("Cache-Control", f.cacheControl)
	header.Set("ETag", f.etag)
	content := f.content
	if f.zipped != nil {
		header.Add("Vary", "Accept-Encoding")
		if acceptsGzip(r.Header.Get("Accept-Encoding")) {
			header.Set("Content-Encoding", "gzip")
			content = f.zipped
		}
	}
	http.ServeContent(w, r, f.title, time.Time{}, bytes.NewReader(content))
}

// find is the file of an address, the page for addresses of the console, and nil
// for files that do not exist: an old page must not take the new page for its
// script.
func (h *handler) find(address string) *file {
	name := strings.TrimPrefix(path.Clean("/"+address), "/")
	if f := h.files[name]; f != nil {
		return f
	}
	if strings.HasPrefix(name, hashed) {
		return nil
	}
	return h.files[index]
}

// acceptsGzip reads Accept-Encoding as far as browsers use it.
func acceptsGzip(header string) bool {
	for one := range strings.SplitSeq(header, ",") {
		name, quality, _ := strings.Cut(strings.TrimSpace(one), ";")
		if strings.EqualFold(name, "gzip") {
			return strings.TrimRight(strings.ReplaceAll(quality, " ", ""), "0.") != "q="
		}
	}
	return false
}
