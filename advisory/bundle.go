package advisory

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pratique/pratique"
)

// The file: a header of 64 bytes (magic, format version u32, zero u32, offset
// and length of the manifest u64, SHA-256 of the manifest), the segments, the
// manifest. Integers are little-endian.
const (
	bundleMagic   = "PRATIQUE"
	bundleFormat  = 1
	headerSize    = 64
	maxManifest   = 16 << 20
	maxSegments   = 10_000
	segmentsAlign = 8
)

// Kinds of segments.
const (
	kindAdvisories = "advisories"
	kindCVE        = "cve"
	kindKEV        = "kev"
	kindEPSS       = "epss"
	kindHashes     = "hashes"
)

type manifest struct {
	Built    time.Time     `json:"built"`
	Segments []segmentInfo `json:"segments"` // sorted by source
}

// segmentInfo is a segment's place in the file and where it came from.
type segmentInfo struct {
	Kind    string    `json:"kind"`
	Source  string    `json:"source"`
	Offset  int64     `json:"offset"`
	Length  int64     `json:"length"`
	Digest  string    `json:"digest"` // SHA-256, hexadecimal
	Records int       `json:"records"`
	Refused int       `json:"refused,omitempty"`
	Newest  time.Time `json:"newest,omitzero"`
	Fetched time.Time `json:"fetched"`
	URL     string    `json:"url,omitempty"`  // of a source that was downloaded
	ETag    string    `json:"etag,omitempty"` // its server's name for that content
}

// digestOf is the bundle's digest: that of its segments' kinds, sources and
// digests, in order. When it was built and fetched is not part of it.
func digestOf(segments []segmentInfo) pratique.Digest {
	var b strings.Builder
	fmt.Fprintf(&b, "pratique bundle %d\n", bundleFormat)
	for _, s := range segments {
		fmt.Fprintf(&b, "%s\t%s\t%s\n", s.Kind, s.Source, s.Digest)
	}
	return pratique.DigestOf([]byte(b.String()))
}

// bundleWriter writes a bundle file, segment by segment.
type bundleWriter struct {
	f        *os.File
	at       int64
	segments []segmentInfo
}

func newBundleWriter(f *os.File) (*bundleWriter, error) {
	w := &bundleWriter{f: f}
	return w, w.write(make([]byte, headerSize))
}

func (w *bundleWriter) write(b []byte) error {
	n, err := w.f.Write(b)
	w.at += int64(n)
	return err
}

// add appends a segment; offset, length and digest of info are filled in.
func (w *bundleWriter) add(info segmentInfo, data []byte) error {
	sum := sha256.Sum256(data)
	info.Offset, info.Length, info.Digest = w.at, int64(len(data)), hex.EncodeToString(sum[:])
	w.segments = append(w.segments, info)
	if err := w.write(data); err != nil {
		return err
	}
	return w.write(make([]byte, (segmentsAlign-len(data)%segmentsAlign)%segmentsAlign))
}

// finish writes manifest and header, and syncs the file.
func (w *bundleWriter) finish(built time.Time) (pratique.Digest, error) {
	slices.SortFunc(w.segments, func(a, b segmentInfo) int { return cmp.Compare(a.Source, b.Source) })
	m, err := json.Marshal(manifest{Built: built.UTC(), Segments: w.segments})
	if err != nil {
		return "", err
	}
	header := append(make([]byte, 0, headerSize), bundleMagic...)
	header = binary.LittleEndian.AppendUint32(header, bundleFormat)
	header = binary.LittleEndian.AppendUint32(header, 0)
	header = binary.LittleEndian.AppendUint64(header, uint64(w.at))
	header = binary.LittleEndian.AppendUint64(header, uint64(len(m)))
	sum := sha256.Sum256(m)
	header = append(header, sum[:]...)
	if err := w.write(m); err != nil {
		return "", err
	}
	if _, err := w.f.WriteAt(header, 0); err != nil {
		return "", err
	}
	return digestOf(w.segments), w.f.Sync()
}

// Bundle is an open bundle file. It is safe for concurrent use. What its methods
// return may share memory: do not change it.
type Bundle struct {
	path     string
	size     int64
	digest   pratique.Digest
	manifest manifest
	cache    *blockCache

	advisories []*advisorySegment
	cves       []*cveSegment
	kev        []*cveSegment
	epss       []*epssSegment
	hashes     []*hashSegment

	mu   sync.RWMutex // held for reading by look-ups, so that Close does not unmap below them
	data []byte       // the mapped file; nil after Close
}

// Open maps the bundle file at path. It checks the header, the manifest's digest
// and the structure, in milliseconds; [Bundle.Verify] checks every byte.
func Open(path string) (*Bundle, error) {
	f, err := os.Open(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, pratique.Errorf(pratique.CodeNotFound, "no bundle at %s: %w", path, err)
		}
		return nil, pratique.Errorf(pratique.CodeDisk, "cannot open the bundle: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, pratique.Errorf(pratique.CodeDisk, "cannot open the bundle: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() < headerSize || info.Size() > 1<<40 {
		return nil, damaged(path, errors.New("it is not a file of a bundle's size"))
	}
	data, err := unix.Mmap(int(f.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, pratique.Errorf(pratique.CodeDisk, "cannot map %s into memory: %w", path, err)
	}
	b := &Bundle{path: path, size: info.Size(), data: data, cache: newBlockCache()}
	if err := b.parse(data); err != nil {
		b.Close()
		var e *pratique.Error
		if errors.As(err, &e) {
			return nil, err
		}
		return nil, damaged(path, err)
	}
	return b, nil
}

func damaged(path string, cause error) error {
	return pratique.Errorf(pratique.CodeCorrupt, "the bundle %s is damaged: %w", path, cause).
		WithRemedy("go back with \"pratique feed rollback\", or remove the file and run \"pratique feed update\"")
}

// parse reads header, manifest and each segment's directory.
func (b *Bundle) parse(data []byte) error {
	if len(data) < headerSize || string(data[:8]) != bundleMagic {
		return errors.New("it does not begin like a bundle")
	}
	if v := binary.LittleEndian.Uint32(data[8:]); v != bundleFormat {
		return pratique.Errorf(pratique.CodeUnsupported, "%s has bundle format %d; this version reads format %d", b.path, v, bundleFormat).
			WithRemedy("run \"pratique feed update\", or \"pratique feed import\" with all of its sources, to build it anew")
	}
	off, size := binary.LittleEndian.Uint64(data[16:]), binary.LittleEndian.Uint64(data[24:])
	if off > uint64(len(data)) || size > uint64(len(data))-off || size > maxManifest {
		return errors.New("the file is cut")
	}
	m := data[off : off+size]
	if sha256.Sum256(m) != [32]byte(data[32:64]) {
		return errors.New("the manifest contradicts its digest")
	}
	if err := json.Unmarshal(m, &b.manifest); err != nil {
		return fmt.Errorf("the manifest cannot be read: %w", err)
	}
	if len(b.manifest.Segments) > maxSegments {
		return fmt.Errorf("it has more than %d segments", maxSegments)
	}
	for i := range b.manifest.Segments {
		s := &b.manifest.Segments[i]
		part, err := segmentBytes(data, s)
		if err == nil {
			err = b.openSegment(s, part)
		}
		if err != nil {
			return fmt.Errorf("segment %s: %w", s.Source, err)
		}
	}
	b.digest = digestOf(b.manifest.Segments)
	return nil
}

func segmentBytes(data []byte, s *segmentInfo) ([]byte, error) {
	n := int64(len(data))
	if s.Offset < headerSize || s.Length < 0 || s.Offset > n || s.Length > n-s.Offset {
		return nil, errDamaged
	}
	return data[s.Offset : s.Offset+s.Length : s.Offset+s.Length], nil
}

func (b *Bundle) openSegment(s *segmentInfo, part []byte) error {
	switch s.Kind {
	case kindAdvisories:
		seg, err := openAdvisories(s.Source, part, b.cache)
		b.advisories = append(b.advisories, seg)
		return err
	case kindCVE:
		seg, err := openCVEs(part, b.cache)
		b.cves = append(b.cves, seg)
		return err
	case kindKEV:
		seg, err := openCVEs(part, b.cache)
		b.kev = append(b.kev, seg)
		return err
	case kindEPSS:
		seg, err := openEPSS(part)
		b.epss = append(b.epss, seg)
		return err
	case kindHashes:
		seg, err := openHashes(strings.TrimPrefix(s.Source, "hashes/"), part)
		b.hashes = append(b.hashes, seg)
		return err
	}
	return fmt.Errorf("unknown kind %.40q", s.Kind)
}

// Close unmaps the file. Values that were returned before stay valid.
func (b *Bundle) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.data == nil {
		return nil
	}
	data := b.data
	b.data = nil
	b.cache.close()
	return unix.Munmap(data)
}

// using runs read while the file is surely mapped.
func (b *Bundle) using(read func() error) error {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.data == nil {
		return pratique.Errorf(pratique.CodeInternal, "the bundle %s was closed", b.path)
	}
	if err := read(); err != nil {
		return damaged(b.path, err)
	}
	return nil
}

// Digest names the bundle's content; it is also the name of its file.
func (b *Bundle) Digest() pratique.Digest { return b.digest }

// Built is when the file was made.
func (b *Bundle) Built() time.Time { return b.manifest.Built }

// Size is the file's length in bytes.
func (b *Bundle) Size() int64 { return b.size }

// Feeds tells what the bundle knows, by source. NVD's yearly files are one source.
func (b *Bundle) Feeds() []pratique.FeedStatus {
	var feeds []pratique.FeedStatus
	for _, s := range b.manifest.Segments {
		name := s.Source
		if s.Kind == kindCVE && strings.HasPrefix(name, "nvd/") {
			name = "nvd"
		}
		if n := len(feeds); n == 0 || feeds[n-1].Source != name {
			feeds = append(feeds, pratique.FeedStatus{Source: name, Fetched: s.Fetched, Holes: holes(s.Kind, name)})
		}
		f := &feeds[len(feeds)-1]
		f.Records += s.Records
		f.Refused += s.Refused
		if s.Newest.After(f.Newest) {
			f.Newest = s.Newest
		}
		if s.Fetched.Before(f.Fetched) { // the oldest part is how old the whole is
			f.Fetched = s.Fetched
		}
	}
	return feeds
}

// Ecosystems lists every ecosystem that some record names, releases included,
// sorted.
func (b *Bundle) Ecosystems() []string {
	var list []string
	for _, s := range b.advisories {
		for _, r := range s.ecos {
			list = append(list, r.name)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// HasEcosystem tells whether any record names ecosystem ("Debian:12", "npm"), or
// a release of it ("Debian").
func (b *Bundle) HasEcosystem(ecosystem string) bool {
	for _, s := range b.advisories {
		i, found := slices.BinarySearchFunc(s.ecos, ecosystem, func(r ecoRange, name string) int { return cmp.Compare(r.name, name) })
		if found {
			return true
		}
		// Releases sort right after their family, except for names like "Debian-x".
		for ; i < len(s.ecos) && strings.HasPrefix(s.ecos[i].name, ecosystem); i++ {
			if family(s.ecos[i].name) == ecosystem {
				return true
			}
		}
	}
	return false
}

// Advisories returns the records that name the package, each with Affected
// limited to it, in the order of the index. The ecosystem is exactly as records
// write it; name is normalised here. Withdrawn records are among them. Where two
// sources have a record of one id, the later modified one is returned. Single
// versions are sorted as strings, not as the feed lists them.
func (b *Bundle) Advisories(ecosystem, name string) ([]*pratique.Advisory, error) {
	var list []*pratique.Advisory
	name = Normalize(ecosystem, name)
	err := b.using(func() error {
		for _, s := range b.advisories {
			found, err := s.lookup(ecosystem, name)
			if err != nil {
				return err
			}
			list = foldByID(list, found)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// foldByID joins two lists, each without repeats.
func foldByID(list, more []*pratique.Advisory) []*pratique.Advisory {
	if len(list) == 0 || len(more) == 0 {
		return append(list, more...)
	}
	at := make(map[string]int, len(list))
	for i, a := range list {
		at[a.ID] = i
	}
	for _, a := range more {
		if i, ok := at[a.ID]; !ok {
			list = append(list, a)
		} else if a.Modified.After(list[i].Modified) {
			list[i] = a
		}
	}
	return list
}

// CVE returns what is known about a CVE beside any package: scores, weaknesses,
// EPSS, KEV. It returns nil, nil for one of which nothing is known.
func (b *Bundle) CVE(id string) (*pratique.CVE, error) {
	key, ok := cveKey(id)
	if !ok {
		return nil, nil
	}
	var out *pratique.CVE
	err := b.using(func() (err error) {
		out, err = b.joinCVE(strings.ToUpper(id), key)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (b *Bundle) joinCVE(id string, key uint64) (*pratique.CVE, error) {
	out := &pratique.CVE{ID: id}
	known := false
	var dated *cveRecord // NVD's: where a CVE stands in two of its files, the later counts
	var undated []*cveRecord
	for _, s := range b.cves {
		rec, err := s.lookup(key)
		switch {
		case err != nil:
			return nil, err
		case rec == nil:
		case rec.modified.IsZero():
			undated = append(undated, rec)
		case dated == nil || rec.modified.After(dated.modified):
			dated = rec
		}
	}
	if dated != nil {
		undated = append([]*cveRecord{dated}, undated...)
	}
	for _, rec := range undated {
		known = true
		joinScores(out, &rec.cve)
	}
	for _, s := range b.kev {
		rec, err := s.lookup(key)
		if err != nil {
			return nil, err
		}
		if rec != nil {
			known = true
			out.KEV = rec.cve.KEV
		}
	}
	for _, s := range b.epss {
		if e := s.lookup(key); e != nil {
			known = true
			out.EPSS = e
		}
	}
	if !known {
		return nil, nil
	}
	return out, nil
}

// joinScores adds what in knows to out. A vector that two sources agree on is
// listed once; NVD's own word, where it has one, comes first.
func joinScores(out, in *pratique.CVE) {
	for _, c := range in.CVSS {
		if !slices.ContainsFunc(out.CVSS, func(o pratique.CVSS) bool { return o.Version == c.Version && o.Vector == c.Vector }) {
			out.CVSS = append(out.CVSS, c)
		}
	}
	slices.SortStableFunc(out.CVSS, func(x, y pratique.CVSS) int {
		return boolRank(y.Source == "nvd") - boolRank(x.Source == "nvd")
	})
	for _, w := range in.CWEs {
		if !slices.Contains(out.CWEs, w) {
			out.CWEs = append(out.CWEs, w)
		}
	}
	out.Description = cmp.Or(out.Description, in.Description)
	if out.Published.IsZero() {
		out.Published = in.Published
	}
	out.Rejected = out.Rejected || in.Rejected
}

func boolRank(v bool) int {
	if v {
		return 1
	}
	return 0
}

// Hash looks a file's MD5, SHA-1 or SHA-256 up, given in hexadecimal digits and
// told apart by length. It returns the entry's name and the list's.
func (b *Bundle) Hash(hex string) (name, list string, ok bool) {
	kind, sum, valid := parseHash(hex)
	if !valid {
		return "", "", false
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.data == nil {
		return "", "", false
	}
	for _, s := range b.hashes {
		if name, ok := s.lookup(kind, sum); ok {
			return name, s.list, true
		}
	}
	return "", "", false
}

// Verify reads the whole file and compares every segment with its digest.
func (b *Bundle) Verify(ctx context.Context) error {
	return b.using(func() error {
		for i := range b.manifest.Segments {
			if err := ctx.Err(); err != nil {
				return err
			}
			if _, err := b.verified(i); err != nil {
				return err
			}
		}
		return nil
	})
}

// verified returns the bytes of the i-th segment after comparing their digest.
func (b *Bundle) verified(i int) ([]byte, error) {
	s := &b.manifest.Segments[i]
	part, err := segmentBytes(b.data, s)
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(part); hex.EncodeToString(sum[:]) != s.Digest {
		return nil, fmt.Errorf("segment %s contradicts its digest", s.Source)
	}
	return part, nil
}
