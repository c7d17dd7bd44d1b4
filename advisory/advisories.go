package advisory

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/pratique/pratique"
)

// Key is what advisories are filed under: an ecosystem as records write it, and
// a package name as [Normalize] returns it.
type Key struct {
	Ecosystem string `json:"ecosystem"`
	Name      string `json:"name"`
}

// advisoryBuilder collects the records of one source and compiles them into
// a segment. Records are encoded as they come, so that 44 000 of them fit into
// little memory; add may be called from several goroutines.
type advisoryBuilder struct {
	mu       sync.Mutex
	records  map[string]*builtRecord // by id
	intern   map[string]string       // ecosystems and names
	versions map[string]uint32       // single versions, numbered
	words    []string                // the same by number
	newest   time.Time
	limit    time.Time // a modified date beyond it is a mistake, and not a feed's age
	refused  int
}

// builtRecord is a record, encoded. The texts, ids and references that all its
// packages share are in shared.
type builtRecord struct {
	id       string
	modified time.Time
	home     string // the name under which it is stored: its first package
	shared   []byte
	sum      [sha256.Size]byte
	affected []builtAffected
	index    uint32
}

type builtAffected struct {
	key      Key
	body     []byte // all but the key and the single versions
	versions []byte // their numbers, as varints
}

func newAdvisoryBuilder(now time.Time) *advisoryBuilder {
	return &advisoryBuilder{
		records:  make(map[string]*builtRecord),
		intern:   make(map[string]string),
		versions: make(map[string]uint32),
		limit:    now.Add(48 * time.Hour),
	}
}

// add takes a record. Of two with one id the later modified one stays.
func (b *advisoryBuilder) add(a *pratique.Advisory) {
	r := &builtRecord{id: a.ID, modified: a.Modified, shared: encodeShared(a)}
	r.sum = sha256.Sum256(r.shared)
	for i := range a.Affected {
		r.affected = append(r.affected, builtAffected{body: encodeAffected(&a.Affected[i])})
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if a.Modified.After(b.newest) && a.Modified.Before(b.limit) {
		b.newest = a.Modified
	}
	if old := b.records[r.id]; len(r.affected) == 0 || old != nil && !supersedes(r, old) {
		return
	}
	for i := range a.Affected {
		in, out := &a.Affected[i], &r.affected[i]
		out.key = Key{b.interned(in.Ecosystem), b.interned(Normalize(in.Ecosystem, in.Name))}
		for _, v := range in.Versions {
			out.versions = binary.AppendUvarint(out.versions, uint64(b.number(v)))
		}
		if r.home == "" || out.key.Name < r.home {
			r.home = out.key.Name
		}
	}
	b.records[r.id] = r
}

// supersedes prefers the later of two records, and decides ties by content, so
// that the result does not depend on the order of arrival.
func supersedes(a, b *builtRecord) bool {
	if c := a.modified.Compare(b.modified); c != 0 {
		return c > 0
	}
	if c := len(a.affected) - len(b.affected); c != 0 {
		return c > 0
	}
	return bytes.Compare(a.shared, b.shared) > 0
}

func (b *advisoryBuilder) refuse() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refused++
}

// interned returns its own copy of s, the same for each call.
func (b *advisoryBuilder) interned(s string) string {
	if own, ok := b.intern[s]; ok {
		return own
	}
	s = strings.Clone(s)
	b.intern[s] = s
	return s
}

func (b *advisoryBuilder) number(version string) uint32 {
	if n, ok := b.versions[version]; ok {
		return n
	}
	version = strings.Clone(version)
	n := uint32(len(b.words))
	b.words = append(b.words, version)
	b.versions[version] = n
	return n
}

// keyedAffected is one package of one record, on its way to its key.
type keyedAffected struct {
	record   *builtRecord
	affected *builtAffected
}

const (
	advisorySections = 8
	keySize          = 32 // name offset u32, name length u32, loc, digest [16]byte
	keyDigestSize    = 16
)

// build returns the segment and the number of records in it.
func (b *advisoryBuilder) build() (segment []byte, records int) {
	list := make([]*builtRecord, 0, len(b.records))
	for _, r := range b.records {
		list = append(list, r)
	}
	slices.SortFunc(list, func(x, y *builtRecord) int {
		return cmp.Or(cmp.Compare(x.home, y.home), cmp.Compare(x.id, y.id))
	})
	var entries []keyedAffected
	var locs []byte
	shared := newBlockWriter(blockSize)
	for i, r := range list {
		r.index = uint32(i)
		locs = shared.add(r.shared).append(locs)
		for j := range r.affected {
			entries = append(entries, keyedAffected{r, &r.affected[j]})
		}
	}
	slices.SortStableFunc(entries, func(x, y keyedAffected) int {
		return cmp.Or(
			cmp.Compare(x.affected.key.Ecosystem, y.affected.key.Ecosystem),
			cmp.Compare(x.affected.key.Name, y.affected.key.Name),
			cmp.Compare(x.record.index, y.record.index))
	})

	keys, ecos, names, packages := b.buildKeys(entries)
	sharedTable, sharedData := shared.finish()
	packageTable, packageData := packages.finish()
	return putSections(ecos, names, keys, locs, sharedTable, sharedData, packageTable, packageData), len(list)
}

// buildKeys writes the payload of each key, and the index that finds it.
func (b *advisoryBuilder) buildKeys(entries []keyedAffected) (keys, ecos, names []byte, packages *blockWriter) {
	packages = newBlockWriter(blockSize)
	nameAt := make(map[string]uint32)
	var ranges []ecoRange
	for n := 0; len(entries) > 0; n++ {
		key := entries[0].affected.key
		end := 1
		for end < len(entries) && entries[end].affected.key == key {
			end++
		}
		payload, digest := b.encodeKey(entries[:end])
		entries = entries[end:]

		if len(ranges) == 0 || ranges[len(ranges)-1].name != key.Ecosystem {
			ranges = append(ranges, ecoRange{name: key.Ecosystem, first: n})
		}
		ranges[len(ranges)-1].count++
		at, ok := nameAt[key.Name]
		if !ok {
			at = uint32(len(names))
			nameAt[key.Name] = at
			names = append(names, key.Name...)
		}
		keys = binary.LittleEndian.AppendUint32(keys, at)
		keys = binary.LittleEndian.AppendUint32(keys, uint32(len(key.Name)))
		keys = packages.add(payload).append(keys)
		keys = append(keys, digest[:]...)
	}
	var e encoder
	e.len(len(ranges))
	for _, r := range ranges {
		e.string(r.name)
		e.len(r.count)
	}
	return keys, e.b, names, packages
}

// encodeKey writes what is known of one package: the single versions that any of
// its records names, once and sorted, and then each record's index, body and
// share of those versions. Neighbouring versions mostly share their records, so
// a share is a few runs. The digest covers everything that a look-up returns.
func (b *advisoryBuilder) encodeKey(entries []keyedAffected) (payload []byte, digest [keyDigestSize]byte) {
	dict, place := b.dictionary(entries)
	var e encoder
	e.strings(dict)
	h := sha256.New()
	h.Write(e.b)
	entries = slices.CompactFunc(entries, func(x, y keyedAffected) bool {
		return x.record == y.record && bytes.Equal(x.affected.body, y.affected.body) &&
			bytes.Equal(x.affected.versions, y.affected.versions)
	})
	e.len(len(entries))
	last := uint32(0)
	for _, entry := range entries {
		e.uint(uint64(entry.record.index - last))
		last = entry.record.index
		from := len(e.b)
		e.b = append(e.b, entry.affected.body...)
		encodeRuns(&e, entry.affected.versions, place)
		h.Write(entry.record.sum[:])
		h.Write(e.b[from:])
	}
	copy(digest[:], h.Sum(nil))
	return e.b, digest
}

// dictionary returns the versions of all entries, sorted, and each one's place.
func (b *advisoryBuilder) dictionary(entries []keyedAffected) (dict []string, place map[uint32]int) {
	place = make(map[uint32]int)
	for _, entry := range entries {
		for n := range numbers(entry.affected.versions) {
			if _, ok := place[n]; !ok {
				place[n] = 0
				dict = append(dict, b.words[n])
			}
		}
	}
	slices.Sort(dict)
	for i, v := range dict {
		place[b.versions[v]] = i
	}
	return dict, place
}

// numbers iterates over varints of our own making.
func numbers(b []byte) func(yield func(uint32) bool) {
	return func(yield func(uint32) bool) {
		for len(b) > 0 {
			n, size := binary.Uvarint(b)
			b = b[size:]
			if !yield(uint32(n)) {
				return
			}
		}
	}
}

// encodeRuns writes places as (gap, length) pairs.
func encodeRuns(e *encoder, versions []byte, place map[uint32]int) {
	var at []int
	for n := range numbers(versions) {
		at = append(at, place[n])
	}
	slices.Sort(at)
	at = slices.Compact(at)
	var runs [][2]int
	for _, i := range at {
		if n := len(runs); n > 0 && runs[n-1][1] == i {
			runs[n-1][1]++
		} else {
			runs = append(runs, [2]int{i, i + 1})
		}
	}
	e.len(len(runs))
	end := 0
	for _, r := range runs {
		e.len(r[0] - end)
		e.len(r[1] - r[0])
		end = r[1]
	}
}

// decodeRuns returns the share of dict. One run, the usual case, is a part of
// dict itself.
func decodeRuns(d *decoder, dict []string) []string {
	n := d.len()
	var out []string
	end := uint64(0)
	for i := range n {
		gap, size := d.uint(), d.uint()
		if d.bad || gap > uint64(len(dict)) || size > uint64(len(dict)) || end+gap+size > uint64(len(dict)) {
			d.fail()
			return nil
		}
		start := end + gap
		end = start + size
		if part := dict[start:end:end]; i == 0 {
			out = part
		} else {
			out = append(out, part...)
		}
	}
	return out
}

func encodeShared(a *pratique.Advisory) []byte {
	var e encoder
	e.string(a.ID)
	e.time(a.Modified)
	e.time(a.Published)
	if a.Withdrawn != nil {
		e.byte(1)
		e.time(*a.Withdrawn)
	} else {
		e.byte(0)
	}
	e.strings(a.Aliases)
	e.strings(a.Upstream)
	e.strings(a.Related)
	e.string(a.Summary)
	e.string(a.Details)
	encodeCVSS(&e, a.Severity, true)
	e.strings(a.CWEs)
	e.string(a.Rating)
	e.len(len(a.References))
	for _, r := range a.References {
		e.string(r.Type)
		e.string(r.URL)
	}
	return e.b
}

func decodeShared(record []byte) (*pratique.Advisory, error) {
	d := decoder{s: string(record)}
	a := &pratique.Advisory{ID: d.string(), Modified: d.time(), Published: d.time()}
	if d.byte() == 1 {
		when := d.time()
		a.Withdrawn = &when
	}
	a.Aliases, a.Upstream, a.Related = d.strings(), d.strings(), d.strings()
	a.Summary, a.Details = d.string(), d.string()
	a.Severity = decodeCVSS(&d, true)
	a.CWEs, a.Rating = d.strings(), d.string()
	if n := d.len(); n > 0 {
		a.References = make([]pratique.Reference, 0, min(n, maxReferences))
		for range n {
			if d.bad {
				break
			}
			a.References = append(a.References, pratique.Reference{Type: d.string(), URL: d.string()})
		}
	}
	return a, d.err()
}

// Bits of an affected entry's first byte: which of its rare fields follow.
const (
	hasName = 1 << iota // spelled unlike the key
	hasSeverity
	hasUrgency
	hasFixState
	hasArches
	hasImports
	hasModule
)

// Kinds of events and ranges, as stored.
const (
	eventIntroduced = iota
	eventFixed
	eventLastAffected
	eventLimit
)

const (
	rangeEcosystem = iota
	rangeSemver
)

func encodeAffected(a *pratique.Affected) []byte {
	var e encoder
	flags := byte(0)
	for _, f := range [...]struct {
		bit byte
		set bool
	}{
		{hasName, a.Name != Normalize(a.Ecosystem, a.Name)}, {hasSeverity, len(a.Severity) > 0},
		{hasUrgency, a.Urgency != ""}, {hasFixState, a.FixState != ""}, {hasArches, len(a.Arches) > 0},
		{hasImports, len(a.Imports) > 0}, {hasModule, a.Module != ""},
	} {
		if f.set {
			flags |= f.bit
		}
	}
	e.byte(flags)
	if flags&hasName != 0 {
		e.string(a.Name)
	}
	if flags&hasSeverity != 0 {
		encodeCVSS(&e, a.Severity, true)
	}
	if flags&hasUrgency != 0 {
		e.string(a.Urgency)
	}
	if flags&hasFixState != 0 {
		e.string(a.FixState)
	}
	if flags&hasArches != 0 {
		e.strings(a.Arches)
	}
	if flags&hasImports != 0 {
		e.strings(a.Imports)
	}
	if flags&hasModule != 0 {
		e.string(a.Module)
	}
	encodeRanges(&e, a.Ranges)
	return e.b
}

func encodeRanges(e *encoder, ranges []pratique.Range) {
	e.len(len(ranges))
	for _, r := range ranges {
		if r.Type == "SEMVER" {
			e.byte(rangeSemver)
		} else {
			e.byte(rangeEcosystem)
		}
		e.len(len(r.Events))
		for _, ev := range r.Events {
			switch {
			case ev.Introduced != "":
				e.byte(eventIntroduced)
				e.string(ev.Introduced)
			case ev.Fixed != "":
				e.byte(eventFixed)
				e.string(ev.Fixed)
			case ev.LastAffected != "":
				e.byte(eventLastAffected)
				e.string(ev.LastAffected)
			default:
				e.byte(eventLimit)
				e.string(ev.Limit)
			}
		}
	}
}

func decodeAffected(d *decoder, ecosystem, name string) pratique.Affected {
	a := pratique.Affected{Ecosystem: ecosystem, Name: name}
	flags := d.byte()
	if flags&hasName != 0 {
		a.Name = d.string()
	}
	if flags&hasSeverity != 0 {
		a.Severity = decodeCVSS(d, true)
	}
	if flags&hasUrgency != 0 {
		a.Urgency = d.string()
	}
	if flags&hasFixState != 0 {
		a.FixState = d.string()
	}
	if flags&hasArches != 0 {
		a.Arches = d.strings()
	}
	if flags&hasImports != 0 {
		a.Imports = d.strings()
	}
	if flags&hasModule != 0 {
		a.Module = d.string()
	}
	a.Ranges = decodeRanges(d)
	return a
}

func decodeRanges(d *decoder) []pratique.Range {
	n := d.len()
	if n == 0 {
		return nil
	}
	ranges := make([]pratique.Range, 0, min(n, 16))
	for range n {
		r := pratique.Range{Type: "ECOSYSTEM"}
		if d.byte() == rangeSemver {
			r.Type = "SEMVER"
		}
		events := d.len()
		r.Events = make([]pratique.Event, 0, min(events, 64))
		for range events {
			kind, v := d.byte(), d.string()
			if d.bad {
				return nil
			}
			var ev pratique.Event
			switch kind {
			case eventIntroduced:
				ev.Introduced = v
			case eventFixed:
				ev.Fixed = v
			case eventLastAffected:
				ev.LastAffected = v
			default:
				ev.Limit = v
			}
			r.Events = append(r.Events, ev)
		}
		if d.bad {
			return nil
		}
		ranges = append(ranges, r)
	}
	return ranges
}

// ecoRange is where an ecosystem's keys are in a segment's index.
type ecoRange struct {
	name         string
	first, count int
}

// advisorySegment reads what advisoryBuilder built.
type advisorySegment struct {
	source   string
	ecos     []ecoRange // sorted by name
	names    []byte
	keys     []byte
	locs     []byte
	shared   *blockReader
	packages *blockReader
}

func openAdvisories(source string, b []byte, cache *blockCache) (*advisorySegment, error) {
	parts, err := sections(b, advisorySections)
	if err != nil {
		return nil, err
	}
	s := &advisorySegment{source: source, names: parts[1], keys: parts[2], locs: parts[3]}
	if s.shared, err = newBlockReader(parts[4], parts[5], cache); err != nil {
		return nil, err
	}
	if s.packages, err = newBlockReader(parts[6], parts[7], cache); err != nil {
		return nil, err
	}
	d := decoder{s: string(parts[0])}
	total := 0
	s.ecos = make([]ecoRange, d.len())
	for i := range s.ecos {
		r := ecoRange{name: d.string(), first: total, count: int(min(d.uint(), 1<<31))}
		if d.bad || i > 0 && r.name <= s.ecos[i-1].name {
			return nil, errDamaged
		}
		s.ecos[i] = r
		total += r.count
	}
	if d.bad || total*keySize != len(s.keys) || len(s.locs)%locSize != 0 {
		return nil, errDamaged
	}
	return s, nil
}

// ecosystem returns the range of name; its count is 0 when there is none.
func (s *advisorySegment) ecosystem(name string) ecoRange {
	i, ok := slices.BinarySearchFunc(s.ecos, name, func(r ecoRange, name string) int { return cmp.Compare(r.name, name) })
	if !ok {
		return ecoRange{}
	}
	return s.ecos[i]
}

// key returns the i-th key's name, or nil where the index is damaged.
func (s *advisorySegment) key(i int) []byte {
	k := s.keys[i*keySize:]
	at, n := uint64(binary.LittleEndian.Uint32(k)), uint64(binary.LittleEndian.Uint32(k[4:]))
	if at+n > uint64(len(s.names)) {
		return nil
	}
	return s.names[at : at+n]
}

func (s *advisorySegment) keyDigest(i int) []byte {
	return s.keys[i*keySize+keySize-keyDigestSize : (i+1)*keySize]
}

// lookup returns the advisories of a package; name is normalised.
func (s *advisorySegment) lookup(ecosystem, name string) ([]*pratique.Advisory, error) {
	r := s.ecosystem(ecosystem)
	want := []byte(name)
	i := r.first + sort.Search(r.count, func(i int) bool { return bytes.Compare(s.key(r.first+i), want) >= 0 })
	if i >= r.first+r.count || !bytes.Equal(s.key(i), want) {
		return nil, nil
	}
	payload, err := s.packages.record(locAt(s.keys[i*keySize+8:]))
	if err != nil {
		return nil, err
	}
	return s.decodeKey(payload, ecosystem, name)
}

func (s *advisorySegment) decodeKey(payload []byte, ecosystem, name string) ([]*pratique.Advisory, error) {
	d := decoder{s: string(payload)}
	dict := d.strings()
	n := d.len()
	list := make([]*pratique.Advisory, 0, n)
	index, previous := uint64(0), uint64(1)<<63
	for range n {
		index += d.uint()
		affected := decodeAffected(&d, ecosystem, name)
		affected.Versions = decodeRuns(&d, dict)
		if d.bad {
			return nil, errDamaged
		}
		if index == previous {
			last := list[len(list)-1]
			last.Affected = append(last.Affected, affected)
			continue
		}
		previous = index
		a, err := s.record(index)
		if err != nil {
			return nil, err
		}
		a.Affected = []pratique.Affected{affected}
		list = append(list, a)
	}
	return list, d.err()
}

func (s *advisorySegment) record(index uint64) (*pratique.Advisory, error) {
	if index >= uint64(len(s.locs)/locSize) {
		return nil, errDamaged
	}
	b, err := s.shared.record(locAt(s.locs[index*locSize:]))
	if err != nil {
		return nil, err
	}
	a, err := decodeShared(b)
	if err != nil {
		return nil, err
	}
	a.Feed = s.source
	return a, nil
}
