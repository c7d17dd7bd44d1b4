package advisory

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/pratique/pratique"
)

// Where the sources are published.
const (
	osvBase  = "https://osv-vulnerabilities.storage.googleapis.com"
	nvdBase  = "https://nvd.nist.gov/feeds/json/cve/2.0"
	epssBase = "https://epss.empiricalsecurity.com"
	kevBase  = "https://www.cisa.gov/sites/default/files/feeds"

	firstNVDYear = 2002 // its file has all earlier CVEs as well
)

const (
	maxDownload   = 8 << 30
	attempts      = 4
	stallTimeout  = time.Minute // without a byte
	headerTimeout = time.Minute
	maxRetryAfter = 2 * time.Minute
)

// UpdateOptions say what to download. The zero value downloads everything.
type UpdateOptions struct {
	// Ecosystems limits OSV exports to these; nil is [Ecosystems].
	Ecosystems []string
	// Mirror is the address of a copy of all sources, laid out as
	// <Mirror>/osv/<Ecosystem>/all.zip, /nvd/nvdcve-2.0-<year>.json.gz,
	// /epss/epss_scores-current.csv.gz and /kev/known_exploited_vulnerabilities.json.
	// "" is the publishers' own servers.
	Mirror string
	// AllowOlder and Progress are as in [ImportOptions].
	AllowOlder bool
	Progress   func(line string)

	now     func() time.Time // for tests; nil is time.Now
	backoff time.Duration    // before the first retry; 0 is a second
}

// Update downloads every source whose server has something newer, and puts the
// result in force. A source that fails, at any step, stays as it was; the others
// are adopted. Then both the result and an error that names the failures are
// returned.
func (s *Store) Update(ctx context.Context, opt UpdateOptions) (*Result, error) {
	unlock, err := s.lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	scratch, done, err := s.scratch()
	if err != nil {
		return nil, err
	}
	defer done()
	imp := &ImportOptions{AllowOlder: opt.AllowOlder, Progress: opt.Progress, now: opt.now}
	wanted, err := remoteSources(&opt, imp.time())
	if err != nil {
		return nil, err
	}
	m, err := s.merge(scratch, imp)
	if err != nil {
		return nil, err
	}
	defer m.close()

	u := &updater{merger: m, fetcher: newFetcher(imp.note), scratch: scratch}
	if opt.backoff > 0 {
		u.fetcher.backoff = opt.backoff
	}
	for _, src := range wanted {
		if err := u.one(ctx, src); err != nil {
			if ctx.Err() != nil {
				return nil, cancelled(ctx)
			}
			imp.note("failed: %s: %v", src.name, err)
			u.failed = append(u.failed, fmt.Sprintf("%s (%v)", src.name, err))
		}
	}
	return u.finish(ctx)
}

type updater struct {
	*merger
	fetcher *fetcher
	scratch string
	failed  []string
}

// one downloads, compiles and adds one source.
func (u *updater) one(ctx context.Context, src *source) error {
	etag := ""
	if old := u.inForce(src.name); old != nil && old.URL == src.url {
		etag = old.ETag
	}
	p := &src.parts[0]
	p.path = filepath.Join(u.scratch, "download")
	defer os.Remove(p.path)
	got, err := u.fetcher.fetch(ctx, src.url, p.path, etag)
	if err != nil {
		return err
	}
	if got.unchanged {
		u.opt.note("unchanged: %s", src.name)
		u.same[src.name] = true
		u.result.Unchanged = append(u.result.Unchanged, src.name)
		return nil
	}
	src.etag = got.etag
	return u.take(ctx, src)
}

func (u *updater) finish(ctx context.Context) (*Result, error) {
	var failure error
	if len(u.failed) > 0 {
		failure = pratique.Errorf(pratique.CodeUnreachable, "%d of the sources could not be updated and stay as they were: %s",
			len(u.failed), strings.Join(u.failed, "; ")).
			WithRemedy("check the network and the proxy settings and run \"pratique feed update\" again, or import a copy with \"pratique feed import\"")
	}
	if len(u.taken) == 0 {
		if u.old == nil {
			return nil, failure
		}
		status, err := u.store.Status()
		if err != nil {
			return nil, err
		}
		u.result.Status = *status
		return &u.result, failure
	}
	result, err := u.adopt(ctx)
	if err != nil {
		return nil, err
	}
	return result, failure
}

// remoteSources lists what to download.
func remoteSources(opt *UpdateOptions, now time.Time) ([]*source, error) {
	bases := map[string]string{"osv": osvBase, "nvd": nvdBase, "epss": epssBase, "kev": kevBase}
	if opt.Mirror != "" {
		u, err := url.Parse(opt.Mirror)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return nil, pratique.Errorf(pratique.CodeInvalid, "%.200q is not an http(s) address", opt.Mirror)
		}
		for kind := range bases {
			bases[kind] = u.JoinPath(kind).String()
		}
	}
	var list []*source
	add := func(kind, name, base, file string, f format, entry string) {
		u := base + "/" + file
		list = append(list, &source{name: name, kind: kind, url: u, parts: []part{{label: u, format: f, entry: entry}}})
	}
	ecosystems := opt.Ecosystems
	if ecosystems == nil {
		ecosystems = Ecosystems()
	}
	for _, eco := range ecosystems {
		if !isEcosystem(eco) {
			return nil, pratique.Errorf(pratique.CodeInvalid, "%.80q is not an ecosystem of OSV.dev that is known here", eco).
				WithRemedy("use one of: %s", strings.Join(Ecosystems(), ", "))
		}
		add(kindAdvisories, "osv/"+eco, bases["osv"], url.PathEscape(eco)+"/all.zip", formatOSVZip, ".")
	}
	for year := firstNVDYear; year <= now.UTC().Year(); year++ {
		add(kindCVE, fmt.Sprintf("nvd/%d", year), bases["nvd"], fmt.Sprintf("nvdcve-2.0-%d.json.gz", year), formatNVD, "")
	}
	add(kindEPSS, "epss", bases["epss"], "epss_scores-current.csv.gz", formatEPSS, "")
	add(kindKEV, "kev", bases["kev"], "known_exploited_vulnerabilities.json", formatKEV, "")
	return list, nil
}

// fetcher downloads files. Proxy variables (HTTPS_PROXY, NO_PROXY …) are
// honoured.
type fetcher struct {
	client  *http.Client
	backoff time.Duration
	note    func(format string, args ...any)
}

func newFetcher(note func(format string, args ...any)) *fetcher {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.ResponseHeaderTimeout = headerTimeout
	t.DisableCompression = true // .gz files must arrive as they are named
	return &fetcher{
		client: &http.Client{Transport: t, CheckRedirect: func(req *http.Request, via []*http.Request) error {
			if len(via) >= 10 {
				return errors.New("more than 10 redirects")
			}
			if via[0].URL.Scheme == "https" && req.URL.Scheme != "https" {
				return errors.New("redirected from https to http")
			}
			return nil
		}},
		backoff: time.Second,
		note:    note,
	}
}

type fetched struct {
	unchanged bool
	etag      string
}

// permanent marks an answer that a retry will not change.
type permanent struct{ error }

// slowDown is an answer that says when to come back.
type slowDown struct {
	error
	after time.Duration
}

// fetch downloads address to file, unless the server still has what etag names.
// A broken transfer is resumed where the server can, else begun anew.
func (f *fetcher) fetch(ctx context.Context, address, file, etag string) (fetched, error) {
	out, err := os.Create(file)
	if err != nil {
		return fetched{}, diskError(err)
	}
	defer out.Close()
	t := &transfer{fetcher: f, address: address, out: out, known: etag}
	for attempt := 1; ; attempt++ {
		err := t.try(ctx)
		if err == nil {
			return fetched{t.unchanged, t.etag}, out.Close()
		}
		var final permanent
		if ctx.Err() != nil || errors.As(err, &final) || attempt == attempts {
			return fetched{}, fetchError(address, err)
		}
		wait := f.backoff<<(attempt-1) + rand.N(f.backoff)
		var slow slowDown
		if errors.As(err, &slow) {
			wait = max(wait, slow.after)
		}
		f.note("retrying %s in %s: %v", publicURL(address), wait.Round(time.Second), err)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return fetched{}, fetchError(address, ctx.Err())
		}
	}
}

// intoFolder downloads a file that the user named, to a place below dir which
// keeps its name and that of its folder, by which sources are named.
func (f *fetcher) intoFolder(ctx context.Context, address, dir string) (string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "", pratique.Errorf(pratique.CodeInvalid, "%.200q is not an http(s) address", publicURL(address))
	}
	clean := path.Clean("/" + u.Path)
	name, folder := path.Base(clean), path.Base(path.Dir(clean))
	if name == "/" || name == "." {
		name = "feed"
	}
	if folder == "/" || folder == "." {
		folder = "feeds"
	}
	unique, err := os.MkdirTemp(dir, "url-*")
	if err != nil {
		return "", diskError(err)
	}
	target := filepath.Join(unique, folder)
	if err := os.Mkdir(target, 0o755); err != nil {
		return "", diskError(err)
	}
	f.note("downloading %s", publicURL(address))
	file := filepath.Join(target, name)
	_, err = f.fetch(ctx, address, file, "")
	return file, err
}

func fetchError(address string, cause error) error {
	var e *pratique.Error
	if errors.As(cause, &e) {
		return cause
	}
	var final permanent
	code := pratique.CodeUnreachable
	if errors.As(cause, &final) {
		cause = final.error
		code = pratique.CodeInvalid
	}
	return pratique.Errorf(code, "cannot download %s: %w", publicURL(address), hideURL(cause)).
		WithRemedy("check the address, the network and the proxy settings")
}

// publicURL is an address without what may be secret in it.
func publicURL(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "the address"
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}

// hideURL drops the address that net/http puts into its errors.
func hideURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// transfer is one download over several attempts.
type transfer struct {
	*fetcher
	address   string
	out       *os.File
	known     string // the ETag of what we have
	etag      string // of what is being transferred
	got       int64
	unchanged bool
}

func (t *transfer) try(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, t.address, nil)
	if err != nil {
		return permanent{errors.New("the address cannot be understood")}
	}
	req.Header.Set("User-Agent", "pratique")
	if t.known != "" && t.got == 0 {
		req.Header.Set("If-None-Match", t.known)
	}
	if t.got > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", t.got))
		req.Header.Set("If-Range", t.etag)
	}
	resp, err := t.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := t.accept(resp); err != nil || t.unchanged {
		return err
	}
	return t.copy(resp, stop)
}

// accept looks at the status and sets where in the file the body belongs.
func (t *transfer) accept(resp *http.Response) error {
	switch code := resp.StatusCode; {
	case code == http.StatusNotModified && t.known != "":
		t.unchanged, t.etag = true, t.known
		return nil
	case code == http.StatusPartialContent && t.got > 0 && rangeStart(resp) == t.got:
		return nil
	case code == http.StatusOK:
		t.etag = resp.Header.Get("ETag")
		return t.restart()
	case code == http.StatusTooManyRequests, code >= 500:
		return slowDown{fmt.Errorf("the server answered %s", resp.Status), retryAfter(resp)}
	case code == http.StatusPartialContent, code == http.StatusRequestedRangeNotSatisfiable:
		return errors.Join(errors.New("the server lost its place in the file"), t.restart())
	default:
		return permanent{fmt.Errorf("the server answered %s", resp.Status)}
	}
}

func (t *transfer) restart() error {
	t.got = 0
	if _, err := t.out.Seek(0, io.SeekStart); err != nil {
		return permanent{diskError(err)}
	}
	if err := t.out.Truncate(0); err != nil {
		return permanent{diskError(err)}
	}
	return nil
}

// copy writes the body to the file, and gives up when it stalls.
func (t *transfer) copy(resp *http.Response, stop context.CancelCauseFunc) error {
	if t.got+resp.ContentLength > maxDownload {
		return permanent{errors.New("the file is larger than we agree to download")}
	}
	stall := time.AfterFunc(stallTimeout, func() { stop(errors.New("the transfer stalled")) })
	defer stall.Stop()
	buf := make([]byte, 128<<10)
	for {
		n, err := resp.Body.Read(buf)
		stall.Reset(stallTimeout)
		if n > 0 {
			if _, err := t.out.Write(buf[:n]); err != nil {
				return permanent{diskError(err)}
			}
			if t.got += int64(n); t.got > maxDownload {
				return permanent{errors.New("the file is larger than we agree to download")}
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			if t.etag == "" || strings.HasPrefix(t.etag, "W/") { // nothing strong to resume by
				return errors.Join(err, t.restart())
			}
			return err
		}
	}
}

// rangeStart reads "bytes 100-199/200".
func rangeStart(resp *http.Response) int64 {
	spec, _ := strings.CutPrefix(resp.Header.Get("Content-Range"), "bytes ")
	first, _, _ := strings.Cut(spec, "-")
	n, err := strconv.ParseInt(first, 10, 64)
	if err != nil {
		return -1
	}
	return n
}

func retryAfter(resp *http.Response) time.Duration {
	v := resp.Header.Get("Retry-After")
	if s, err := strconv.Atoi(v); err == nil && s > 0 {
		return min(time.Duration(s)*time.Second, maxRetryAfter)
	}
	if when, err := http.ParseTime(v); err == nil {
		return max(0, min(time.Until(when), maxRetryAfter))
	}
	return 0
}
