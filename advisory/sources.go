package advisory

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"

	"github.com/pratique/pratique"
)

// Limits of what an import reads.
const (
	maxZipEntries  = 2_000_000
	maxSourceBytes = 16 << 30 // of one file, inflated
	maxNestedZip   = 4 << 30  // of one zip inside a zip
	maxFiles       = 2_000_000
	sniffBytes     = 8 << 10
)

// Ecosystems are those of OSV.dev that an update fetches unless told otherwise:
// what container images are made of.
func Ecosystems() []string {
	return []string{
		"Debian", "Ubuntu", "Alpine", "Red Hat", "SUSE", "openSUSE", "Rocky Linux", "AlmaLinux",
		"openEuler", "Wolfi", "Chainguard", "npm", "PyPI", "Maven", "Go", "crates.io", "NuGet",
		"Packagist", "RubyGems", "Hex", "Pub", "ConanCenter", "CRAN", "SwiftURL", "GitHub Actions", "Bitnami",
	}
}

// isEcosystem tells whether a folder's name is that of an ecosystem, so that the
// export in it speaks for that ecosystem alone.
func isEcosystem(name string) bool {
	others := []string{
		"Alpaquita", "Android", "Azure Linux", "BellSoft Hardened Containers", "Bioconductor", "CleanStart", "Echo", "FreeBSD",
		"GHC", "Hackage", "Julia", "Kubernetes", "Linux", "Mageia", "MinimOS", "OSS-Fuzz", "Photon OS", "Root", "VSCode", "opam",
	}
	return slices.Contains(Ecosystems(), name) || slices.Contains(others, name)
}

// format is what a file turns out to be.
type format int

const (
	formatNone     format = iota
	formatOSV             // one record
	formatOSVLines        // one record a line
	formatNVD             // NVD's JSON 2.0
	formatScores          // cve,type,vector,source
	formatEPSS
	formatKEV
	formatHashes
	formatBundle // a bundle of ours: its segments are taken as they are
	formatOSVZip // records in a zip
)

// part is a file, or a folder of a zip, that a source is compiled from.
type part struct {
	label  string // for messages: as the user knows it
	path   string // on disk
	format format
	entry  string // formatOSVZip: the folder in the zip; else the zip's entry that is the file, if any
}

// source is what becomes one segment.
type source struct {
	name  string
	kind  string
	parts []part
	url   string
	etag  string
}

// Ignored is a file that an import looked at and did not take.
type Ignored struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
}

// discovery finds sources in files, folders and zips.
type discovery struct {
	scratch string // for zips inside zips
	hashes  bool   // every file is a list of hashes
	sources map[string]*source
	ignored []Ignored
	files   int
}

func (d *discovery) list() []*source {
	list := make([]*source, 0, len(d.sources))
	for _, s := range d.sources {
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b *source) int { return strings.Compare(a.name, b.name) })
	return list
}

func (d *discovery) put(kind, name string, p part) {
	name = printable(clip(name, 200))
	s := d.sources[name]
	if s == nil {
		s = &source{name: name, kind: kind}
		d.sources[name] = s
	}
	s.parts = append(s.parts, p)
}

func (d *discovery) ignore(label, reason string) {
	d.ignored = append(d.ignored, Ignored{label, reason})
}

// add looks at a file or, recursively, at a folder. Symbolic links inside
// a folder are not followed.
func (d *discovery) add(ctx context.Context, input string) error {
	info, err := os.Stat(input)
	if err != nil {
		code := pratique.CodeDisk
		if errors.Is(err, fs.ErrNotExist) {
			code = pratique.CodeNotFound
		}
		return pratique.Errorf(code, "cannot import %s: %w", input, err).
			WithRemedy("name a file, a folder or an http(s) address")
	}
	abs, err := filepath.Abs(input)
	if err != nil {
		return pratique.Errorf(pratique.CodeDisk, "cannot import %s: %w", input, err)
	}
	if !info.IsDir() {
		folder := filepath.Base(filepath.Dir(abs))
		if strings.HasSuffix(abs, ".json") {
			folder = stem(abs) // a record alone is a source of its own
		}
		return d.file(ctx, input, abs, path.Join(folder, filepath.Base(abs)))
	}
	return filepath.WalkDir(abs, func(p string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return pratique.Errorf(pratique.CodeDisk, "cannot read the folder: %w", err)
		case ctx.Err() != nil:
			return cancelled(ctx)
		case entry.IsDir():
			return nil
		}
		rel, err := filepath.Rel(abs, p)
		if err != nil {
			return err
		}
		label := filepath.Join(input, rel)
		if !entry.Type().IsRegular() {
			d.ignore(label, "not a regular file")
			return nil
		}
		rel = filepath.ToSlash(rel)
		if !strings.Contains(rel, "/") {
			rel = path.Join(filepath.Base(abs), rel)
		}
		return d.file(ctx, label, p, rel)
	})
}

// file looks at one file. rel is its place below the import's root, by which its
// source is named.
func (d *discovery) file(ctx context.Context, label, file, rel string) error {
	if d.files++; d.files > maxFiles {
		return pratique.Errorf(pratique.CodeLimit, "more than %d files to import", maxFiles)
	}
	if d.hashes {
		d.put(kindHashes, "hashes/"+stem(rel), part{label, file, formatHashes, ""})
		return nil
	}
	head, err := readHead(file)
	if err != nil {
		return pratique.Errorf(pratique.CodeDisk, "cannot read %s: %w", label, err)
	}
	if bytes.HasPrefix(head, []byte("PK\x03\x04")) {
		return d.zip(ctx, label, file, rel)
	}
	p := part{label: label, path: file}
	p.format, err = recognise(rel, func() (io.ReadCloser, error) { return openPart(p) })
	if err != nil {
		return corrupt(label, "", err)
	}
	d.take(p, rel)
	return nil
}

// take files a recognised part under its source.
func (d *discovery) take(p part, rel string) {
	switch p.format {
	case formatOSV:
		d.put(kindAdvisories, folderSource(path.Dir(rel)), p)
	case formatOSVLines:
		d.put(kindAdvisories, folderSource(path.Join(path.Dir(path.Dir(rel)), stem(rel))), p)
	case formatNVD:
		d.put(kindCVE, nvdSourceName(rel), p)
	case formatScores:
		d.put(kindCVE, "cvss/"+stem(rel), p)
	case formatEPSS:
		d.put(kindEPSS, "epss", p)
	case formatKEV:
		d.put(kindKEV, "kev", p)
	case formatHashes:
		d.put(kindHashes, "hashes/"+stem(rel), p)
	case formatBundle:
		d.put(kindBundle, p.label, p)
	default:
		d.ignore(p.label, "not recognised as a feed")
	}
}

// kindBundle marks a source that is a bundle file; its segments have kinds of
// their own.
const kindBundle = "bundle"

// zip looks into a zip: an export of OSV records, a zipped single file, or
// a folder tree of such.
func (d *discovery) zip(ctx context.Context, label, file, rel string) error {
	z, err := openZip(file)
	if err != nil {
		return corrupt(label, "", err)
	}
	defer z.Close()
	folders := make(map[string]bool) // of OSV records: whether it was recognised
	for i := range z.File {
		f := z.File[i]
		if ctx.Err() != nil {
			return cancelled(ctx)
		}
		if f.FileInfo().IsDir() {
			continue
		}
		inner := path.Clean("/" + strings.ReplaceAll(f.Name, `\`, "/"))[1:]
		dir := path.Dir(f.Name)
		if strings.HasSuffix(inner, ".json") && folders[dir] {
			continue
		}
		if err := d.zipEntry(ctx, label, file, rel, f, inner, folders); err != nil {
			return err
		}
	}
	return nil
}

func (d *discovery) zipEntry(ctx context.Context, label, file, rel string, f *zip.File, inner string, folders map[string]bool) error {
	if d.files++; d.files > maxFiles {
		return pratique.Errorf(pratique.CodeLimit, "more than %d files to import", maxFiles)
	}
	p := part{label: label + "!/" + printable(inner), path: file, entry: f.Name}
	head, err := readEntryHead(f)
	if err != nil {
		return corrupt(label, f.Name, err)
	}
	if bytes.HasPrefix(head, []byte("PK\x03\x04")) {
		spilled, err := d.spill(f)
		if err != nil {
			return corrupt(label, f.Name, err)
		}
		return d.zip(ctx, p.label, spilled, path.Join(stemPath(rel), inner))
	}
	p.format, err = recognise(inner, func() (io.ReadCloser, error) { return openPart(p) })
	if err != nil {
		return corrupt(label, f.Name, err)
	}
	if p.format != formatOSV {
		d.take(p, path.Join(stemPath(rel), inner))
		return nil
	}
	dir := path.Dir(f.Name)
	folders[dir] = true
	name := stemPath(rel)
	if d := path.Dir(inner); d != "." {
		name = d
	}
	d.put(kindAdvisories, folderSource(name), part{label: label, path: file, format: formatOSVZip, entry: dir})
	return nil
}

// spill writes a zip inside a zip to the scratch folder.
func (d *discovery) spill(f *zip.File) (string, error) {
	r, err := f.Open()
	if err != nil {
		return "", err
	}
	defer r.Close()
	out, err := os.CreateTemp(d.scratch, "nested-*.zip")
	if err != nil {
		return "", err
	}
	_, err = io.Copy(out, &limited{r, maxNestedZip})
	return out.Name(), errors.Join(err, out.Close())
}

// folderSource names a source of OSV records after the folder that they are in:
// "npm" and "osv/npm" are "osv/npm", "derived/Debian" keeps its publisher.
func folderSource(dir string) string {
	dir = strings.Trim(dir, "./")
	folder, publisher := path.Base(dir), path.Base(path.Dir(dir))
	if folder == "." || folder == "/" || folder == "" {
		folder = "records"
	}
	switch publisher {
	case ".", "/", "", "nvd", "cvss", "epss", "kev", "hashes":
		publisher = "osv"
	}
	return publisher + "/" + folder
}

// stemPath is the folder that a zip stands for: "osv/npm/all.zip" is "osv/npm",
// "osv/npm.zip" too.
func stemPath(rel string) string {
	if path.Base(rel) == "all.zip" {
		return path.Dir(rel)
	}
	return path.Join(path.Dir(rel), stem(rel))
}

// stem is a file's name without the endings that feeds have.
func stem(rel string) string {
	name := path.Base(rel)
	for _, ending := range [...]string{".gz", ".zip", ".json", ".ndjson", ".jsonl", ".csv", ".txt", ".hashes", ".md5", ".sha1", ".sha256"} {
		if cut := strings.TrimSuffix(name, ending); cut != "" {
			name = cut
		}
	}
	return name
}

var nvdYear = regexp.MustCompile(`nvdcve-2\.0-([0-9a-z]+)`)

func nvdSourceName(rel string) string {
	if m := nvdYear.FindStringSubmatch(path.Base(rel)); m != nil {
		return "nvd/" + m[1]
	}
	return "nvd/" + stem(rel)
}

// recognise tells by name and first bytes what a file is. The error is that of
// reading it.
func recognise(name string, open func() (io.ReadCloser, error)) (format, error) {
	r, err := open()
	if err != nil {
		return formatNone, err
	}
	defer r.Close()
	br := bufio.NewReaderSize(r, sniffBytes)
	head, err := br.Peek(sniffBytes)
	if err != nil && err != io.EOF {
		return formatNone, err
	}
	text := strings.TrimSpace(strings.TrimPrefix(string(head), "\ufeff"))
	plain := strings.TrimSuffix(name, ".gz")
	switch {
	case strings.HasPrefix(text, bundleMagic):
		return formatBundle, nil
	case strings.HasPrefix(text, "#model_version:"), strings.HasPrefix(text, epssHeader):
		return formatEPSS, nil
	case strings.HasPrefix(text, scoresHeader):
		return formatScores, nil
	case isHashName(plain):
		return formatHashes, nil
	case !strings.HasPrefix(text, "{"):
		return formatNone, nil
	case strings.Contains(text, `"catalogVersion"`):
		return formatKEV, nil
	case strings.Contains(text, `"NVD_CVE"`):
		return formatNVD, nil
	case strings.HasSuffix(plain, ".ndjson"), strings.HasSuffix(plain, ".jsonl"):
		line, err := br.ReadBytes('\n')
		if err != nil && err != io.EOF || !isOSV(line) {
			return formatNone, nil
		}
		return formatOSVLines, nil
	}
	data, err := io.ReadAll(io.LimitReader(br, maxRecordBytes+1))
	if err != nil {
		return formatNone, err
	}
	if isOSV(data) {
		return formatOSV, nil
	}
	return formatNone, nil
}

func isHashName(name string) bool {
	for _, ending := range [...]string{".md5", ".sha1", ".sha256", ".hashes.csv"} {
		if strings.HasSuffix(name, ending) {
			return true
		}
	}
	return false
}

// isOSV looks for the two fields that the OSV schema requires.
func isOSV(data []byte) bool {
	var probe struct {
		ID       string `json:"id"`
		Modified string `json:"modified"`
	}
	return json.Unmarshal(data, &probe) == nil && probe.ID != "" && probe.Modified != ""
}

// limited is a reader that fails beyond its limit, where io.LimitReader would
// pretend that the file ends there.
type limited struct {
	r    io.Reader
	left int64
}

func (l *limited) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return n, errors.New("larger than we agree to read")
	}
	return n, err
}

// readCloser joins a reader with what must be closed after it.
type readCloser struct {
	io.Reader
	close []func() error
}

func (r *readCloser) Close() error {
	var errs []error
	for _, c := range r.close {
		errs = append(errs, c())
	}
	return errors.Join(errs...)
}

// openPart opens a file, or one entry of a zip, inflated if it is a gzip.
func openPart(p part) (io.ReadCloser, error) {
	rc := &readCloser{}
	if p.entry == "" {
		f, err := os.Open(p.path)
		if err != nil {
			return nil, err
		}
		rc.Reader, rc.close = f, append(rc.close, f.Close)
	} else if err := rc.openEntry(p); err != nil {
		return nil, err
	}
	br := bufio.NewReaderSize(rc.Reader, 1<<16)
	rc.Reader = &limited{br, maxSourceBytes}
	if magic, _ := br.Peek(2); !bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		return rc, nil
	}
	gz, err := gzip.NewReader(br)
	if err != nil {
		rc.Close()
		return nil, err
	}
	rc.Reader = &limited{gz, maxSourceBytes}
	return rc, nil
}

func (r *readCloser) openEntry(p part) error {
	z, err := openZip(p.path)
	if err != nil {
		return err
	}
	r.close = append(r.close, z.Close)
	for _, f := range z.File {
		if f.Name != p.entry {
			continue
		}
		entry, err := f.Open()
		if err != nil {
			break
		}
		r.Reader, r.close = entry, append([]func() error{entry.Close}, r.close...)
		return nil
	}
	r.Close()
	return fmt.Errorf("entry %.200q cannot be opened", p.entry)
}

// openZip opens a zip with the faster of the two inflaters that we have.
func openZip(file string) (*zip.ReadCloser, error) {
	z, err := zip.OpenReader(file)
	if err != nil {
		return nil, err
	}
	if len(z.File) > maxZipEntries {
		z.Close()
		return nil, fmt.Errorf("more than %d entries", maxZipEntries)
	}
	z.RegisterDecompressor(zip.Deflate, func(r io.Reader) io.ReadCloser { return flate.NewReader(r) })
	return z, nil
}

func readHead(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	head := make([]byte, 4)
	n, err := io.ReadFull(f, head)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = nil
	}
	return head[:n], err
}

func readEntryHead(f *zip.File) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	head := make([]byte, 4)
	n, err := io.ReadFull(r, head)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = nil
	}
	return head[:n], err
}

// corrupt is the error for input that contradicts its format. It keeps an error
// that already says so.
func corrupt(label, entry string, cause error) error {
	var e *pratique.Error
	if errors.As(cause, &e) {
		return cause
	}
	if entry != "" {
		label += ", entry " + printable(clip(entry, 200))
	}
	return pratique.Errorf(pratique.CodeCorrupt, "cannot import %s: %w", label, cause).
		WithRemedy("fetch the file again; nothing was changed")
}

func cancelled(ctx context.Context) error {
	return pratique.Errorf(pratique.CodeCancelled, "the import was stopped: %w", context.Cause(ctx)).
		WithRemedy("the bundle in force is unchanged; run the command again")
}
