package advisory

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/pratique/pratique"
)

// Limits of the tables that are keyed by CVE.
const (
	maxCVEs        = 5_000_000
	maxDescription = 1 << 10 // bytes
	maxScores      = 32      // of one CVE from one source
	maxKEVBytes    = 64 << 20
	maxLine        = 64 << 10
)

// cveKey packs "CVE-2024-3094" into one number that sorts by year and number.
func cveKey(id string) (uint64, bool) {
	if len(id) < len("CVE-1999-0001") || !strings.EqualFold(id[:4], "CVE-") || id[8] != '-' {
		return 0, false
	}
	year, err := strconv.ParseUint(id[4:8], 10, 16)
	if err != nil {
		return 0, false
	}
	number, err := strconv.ParseUint(id[9:], 10, 48)
	if err != nil {
		return 0, false
	}
	return year<<48 | number, true
}

// cveRecord is what one source knows about one CVE.
type cveRecord struct {
	modified time.Time
	cve      pratique.CVE // CVSS, CWEs, Description, Published, Rejected, KEV
}

// cveTable collects one source's records. Of two for one CVE the later stays;
// scores of a table without dates are joined.
type cveTable struct {
	records map[uint64]*cveRecord
	newest  time.Time
	refused int
}

func newCVETable() *cveTable { return &cveTable{records: make(map[uint64]*cveRecord)} }

// readNVD reads a file of NVD's JSON 2.0 feeds
// (https://nvd.nist.gov/vuln/data-feeds), one CVE at a time.
func (t *cveTable) readNVD(r io.Reader) error {
	dec := json.NewDecoder(bufio.NewReaderSize(r, 1<<20))
	if err := seekList(dec, "vulnerabilities", func(name string) error {
		var v any
		if err := dec.Decode(&v); err != nil {
			return err
		}
		if s, ok := v.(string); ok && name == "timestamp" {
			t.newest, _ = parseTime(s)
		}
		return nil
	}); err != nil {
		return fmt.Errorf("not a feed of NVD's JSON 2.0 form: %w", err)
	}
	for dec.More() {
		if len(t.records) >= maxCVEs {
			return fmt.Errorf("more than %d CVEs", maxCVEs)
		}
		var item struct {
			CVE nvdCVE `json:"cve"`
		}
		if err := dec.Decode(&item); err != nil {
			return fmt.Errorf("after %d CVEs: %w", len(t.records), err)
		}
		key, ok := cveKey(item.CVE.ID)
		if !ok {
			t.refused++
			continue
		}
		rec := item.CVE.record()
		if old := t.records[key]; old == nil || rec.modified.After(old.modified) {
			t.records[key] = rec
		}
	}
	for range 2 { // the ends of the list and of the object: a cut file lacks them
		if _, err := dec.Token(); err != nil {
			return fmt.Errorf("the file ends early, after %d CVEs: %w", len(t.records), err)
		}
	}
	return nil
}

// seekList moves dec into the list that the outermost object has under name, and
// hands the fields before it to other, which must read their values.
func seekList(dec *json.Decoder, name string, other func(name string) error) error {
	if tok, err := dec.Token(); err != nil || tok != json.Delim('{') {
		return cmp.Or(err, errors.New("not an object"))
	}
	for dec.More() {
		tok, err := dec.Token()
		if err != nil {
			return err
		}
		if tok != name {
			if err := other(fmt.Sprint(tok)); err != nil {
				return err
			}
			continue
		}
		if tok, err = dec.Token(); err != nil || tok != json.Delim('[') {
			return cmp.Or(err, fmt.Errorf("%q is not a list", name))
		}
		return nil
	}
	return fmt.Errorf("no %q", name)
}

type nvdCVE struct {
	ID           string `json:"id"`
	Published    string `json:"published"`
	LastModified string `json:"lastModified"`
	Status       string `json:"vulnStatus"`
	Descriptions []struct {
		Lang  string `json:"lang"`
		Value string `json:"value"`
	} `json:"descriptions"`
	Metrics struct {
		V40 []nvdMetric `json:"cvssMetricV40"`
		V31 []nvdMetric `json:"cvssMetricV31"`
		V30 []nvdMetric `json:"cvssMetricV30"`
		V2  []nvdMetric `json:"cvssMetricV2"`
	} `json:"metrics"`
	Weaknesses []struct {
		Description []struct {
			Value string `json:"value"`
		} `json:"description"`
	} `json:"weaknesses"`
}

type nvdMetric struct {
	Source string `json:"source"`
	Data   struct {
		Vector string `json:"vectorString"`
	} `json:"cvssData"`
}

func (in *nvdCVE) record() *cveRecord {
	rec := &cveRecord{}
	rec.modified, _ = parseTime(in.LastModified)
	rec.cve.Published, _ = parseTime(in.Published)
	rec.cve.Rejected = in.Status == "Rejected"
	for _, d := range in.Descriptions {
		if d.Lang == "en" {
			rec.cve.Description = clip(d.Value, maxDescription)
			break
		}
	}
	for _, m := range slices.Concat(in.Metrics.V40, in.Metrics.V31, in.Metrics.V30, in.Metrics.V2) {
		if c, ok := ParseCVSS(m.Data.Vector); ok && len(rec.cve.CVSS) < maxScores {
			c.Source = nvdSource(m.Source)
			rec.cve.CVSS = append(rec.cve.CVSS, c)
		}
	}
	for _, w := range in.Weaknesses {
		for _, d := range w.Description {
			if strings.HasPrefix(d.Value, "CWE-") && len(d.Value) < 16 && !slices.Contains(rec.cve.CWEs, d.Value) {
				rec.cve.CWEs = append(rec.cve.CWEs, d.Value)
			}
		}
	}
	return rec
}

// nvdSource turns NVD's names of those who scored into the words of reports.
func nvdSource(s string) string {
	switch s {
	case "nvd@nist.gov":
		return "nvd"
	case "134c704f-9b21-4f2e-91b3-4a467353bcc0": // CISA's identifier as an enricher of CVE records
		return "cisa-adp"
	}
	return clip(s, 128)
}

// readScores reads a table "cve,type,vector,source".
func (t *cveTable) readScores(r io.Reader) error {
	return readCSV(r, scoresHeader, func(row []string) error {
		key, ok := cveKey(row[0])
		c, scored := ParseCVSS(row[2])
		if !ok || !scored {
			t.refused++
			return nil
		}
		c.Source = clip(row[3], 128)
		rec := t.records[key]
		if rec == nil {
			if len(t.records) >= maxCVEs {
				return fmt.Errorf("more than %d CVEs", maxCVEs)
			}
			rec = &cveRecord{}
			t.records[key] = rec
		}
		if len(rec.cve.CVSS) < maxScores {
			rec.cve.CVSS = append(rec.cve.CVSS, c)
		}
		return nil
	})
}

const (
	scoresHeader = "cve,type,vector,source"
	epssHeader   = "cve,epss,percentile"
)

// readCSV calls row for each line after the one that is header. Lines before it
// must be comments. A line with another number of fields is an error.
func readCSV(r io.Reader, header string, row func([]string) error) error {
	c := csv.NewReader(bufio.NewReaderSize(r, 1<<16))
	c.Comment = '#'
	c.ReuseRecord = true
	c.FieldsPerRecord = strings.Count(header, ",") + 1
	first, err := c.Read()
	if err != nil {
		return fmt.Errorf("no table with the columns %s: %w", header, err)
	}
	if got := strings.ToLower(strings.Join(first, ",")); strings.TrimPrefix(got, "\ufeff") != header {
		return fmt.Errorf("the columns are %.80q, not %s", got, header)
	}
	for {
		fields, err := c.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := row(fields); err != nil {
			return err
		}
	}
}

// readKEV reads CISA's catalogue of known exploited vulnerabilities.
func (t *cveTable) readKEV(r io.Reader) error {
	var catalogue struct {
		Released string `json:"dateReleased"`
		List     []struct {
			ID         string `json:"cveID"`
			Name       string `json:"vulnerabilityName"`
			Added      string `json:"dateAdded"`
			Due        string `json:"dueDate"`
			Action     string `json:"requiredAction"`
			Ransomware string `json:"knownRansomwareCampaignUse"`
		} `json:"vulnerabilities"`
	}
	data, err := io.ReadAll(io.LimitReader(r, maxKEVBytes+1))
	if err != nil {
		return err
	}
	if len(data) > maxKEVBytes {
		return fmt.Errorf("more than %d bytes", maxKEVBytes)
	}
	if err := json.Unmarshal(data, &catalogue); err != nil {
		return fmt.Errorf("not a catalogue of known exploited vulnerabilities: %w", err)
	}
	if len(catalogue.List) == 0 {
		return errors.New("the catalogue of known exploited vulnerabilities is empty")
	}
	t.newest, _ = parseTime(catalogue.Released)
	for _, v := range catalogue.List {
		key, ok := cveKey(v.ID)
		if !ok {
			t.refused++
			continue
		}
		t.records[key] = &cveRecord{cve: pratique.CVE{KEV: &pratique.KEV{
			DateAdded: clip(v.Added, 32), DueDate: clip(v.Due, 32), Name: clip(v.Name, 256),
			Action: clip(v.Action, 1024), Ransomware: v.Ransomware == "Known",
		}}}
	}
	return nil
}

const (
	cveSections  = 3
	cveEntrySize = 16 // key u64, loc
	cveBlockSize = 16 << 10
)

// build returns the segment: sorted keys, then the records in blocks.
func (t *cveTable) build() []byte {
	keys := make([]uint64, 0, len(t.records))
	for k := range t.records {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	blocks := newBlockWriter(cveBlockSize)
	var index []byte
	for _, k := range keys {
		index = binary.LittleEndian.AppendUint64(index, k)
		index = blocks.add(encodeCVE(t.records[k])).append(index)
	}
	table, data := blocks.finish()
	return putSections(index, table, data)
}

func encodeCVE(r *cveRecord) []byte {
	var e encoder
	e.time(r.modified)
	e.time(r.cve.Published)
	flags := byte(0)
	if r.cve.Rejected {
		flags |= 1
	}
	if r.cve.KEV != nil {
		flags |= 2
	}
	e.byte(flags)
	e.string(r.cve.Description)
	encodeCVSS(&e, r.cve.CVSS, true)
	e.strings(r.cve.CWEs)
	if k := r.cve.KEV; k != nil {
		e.string(k.DateAdded)
		e.string(k.DueDate)
		e.string(k.Name)
		e.string(k.Action)
		e.byte(map[bool]byte{true: 1}[k.Ransomware])
	}
	return e.b
}

func decodeCVE(b []byte) (*cveRecord, error) {
	d := decoder{s: string(b)}
	r := &cveRecord{modified: d.time(), cve: pratique.CVE{Published: d.time()}}
	flags := d.byte()
	r.cve.Rejected = flags&1 != 0
	r.cve.Description = d.string()
	r.cve.CVSS = decodeCVSS(&d, true)
	r.cve.CWEs = d.strings()
	if flags&2 != 0 {
		r.cve.KEV = &pratique.KEV{DateAdded: d.string(), DueDate: d.string(), Name: d.string(), Action: d.string(), Ransomware: d.byte() == 1}
	}
	return r, d.err()
}

// cveSegment reads what cveTable built.
type cveSegment struct {
	index  []byte
	blocks *blockReader
}

func openCVEs(b []byte, cache *blockCache) (*cveSegment, error) {
	parts, err := sections(b, cveSections)
	if err != nil {
		return nil, err
	}
	if len(parts[0])%cveEntrySize != 0 {
		return nil, errDamaged
	}
	blocks, err := newBlockReader(parts[1], parts[2], cache)
	if err != nil {
		return nil, err
	}
	return &cveSegment{parts[0], blocks}, nil
}

// lookup returns nil, nil for a CVE that the segment does not know.
func (s *cveSegment) lookup(key uint64) (*cveRecord, error) {
	at := searchKey(s.index, key)
	if at == nil {
		return nil, nil
	}
	b, err := s.blocks.record(locAt(at[8:]))
	if err != nil {
		return nil, err
	}
	return decodeCVE(b)
}

// searchKey finds the entry that begins with key in a sorted table of 16-byte
// entries, or nil.
func searchKey(table []byte, key uint64) []byte {
	n := len(table) / cveEntrySize
	at := func(i int) uint64 { return binary.LittleEndian.Uint64(table[i*cveEntrySize:]) }
	if n == 0 || key < at(0) || key > at(n-1) { // most years' tables, without touching more pages
		return nil
	}
	i := sort.Search(n, func(i int) bool { return at(i) >= key })
	if i == n || at(i) != key {
		return nil
	}
	return table[i*cveEntrySize : (i+1)*cveEntrySize]
}

// epssTable is FIRST's file of scores (https://www.first.org/epss/data_stats):
// a comment with the model's date, and "cve,epss,percentile". Scores are kept as
// billionths.
type epssTable struct {
	date    string // YYYY-MM-DD
	newest  time.Time
	entries []epssEntry
	refused int
}

type epssEntry struct {
	key               uint64
	score, percentile uint32
}

func (t *epssTable) read(r io.Reader) error {
	br := bufio.NewReaderSize(r, maxLine)
	first, err := br.Peek(1)
	if err == nil && first[0] == '#' {
		line, err := br.ReadString('\n')
		if err != nil || len(line) > maxLine {
			return errors.New("the comment of an EPSS file is not followed by a table")
		}
		t.date = epssDate(line)
		t.newest, _ = parseTime(t.date)
	}
	err = readCSV(br, epssHeader, func(row []string) error {
		key, ok := cveKey(row[0])
		score, err1 := billionths(row[1])
		percentile, err2 := billionths(row[2])
		if !ok || err1 != nil || err2 != nil {
			t.refused++
			return nil
		}
		if len(t.entries) >= maxCVEs {
			return fmt.Errorf("more than %d CVEs", maxCVEs)
		}
		t.entries = append(t.entries, epssEntry{key, score, percentile})
		return nil
	})
	if err == nil && len(t.entries) == 0 {
		err = errors.New("no scores in it")
	}
	return err
}

// epssDate finds score_date in "#model_version:v2025.03.14,score_date:2026-08-16T00:00:00+0000".
func epssDate(comment string) string {
	_, rest, _ := strings.Cut(comment, "score_date:")
	if len(rest) < len(time.DateOnly) {
		return ""
	}
	if _, err := parseTime(rest[:len(time.DateOnly)]); err != nil {
		return ""
	}
	return rest[:len(time.DateOnly)]
}

func billionths(s string) (uint32, error) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || !(f >= 0 && f <= 1) {
		return 0, fmt.Errorf("%.20q is not between 0 and 1", s)
	}
	return uint32(f*1e9 + 0.5), nil
}

const epssSections = 2

func (t *epssTable) build() []byte {
	slices.SortStableFunc(t.entries, func(a, b epssEntry) int { return cmp.Compare(a.key, b.key) })
	t.entries = slices.CompactFunc(t.entries, func(a, b epssEntry) bool { return a.key == b.key })
	index := make([]byte, 0, len(t.entries)*cveEntrySize)
	for _, e := range t.entries {
		index = binary.LittleEndian.AppendUint64(index, e.key)
		index = binary.LittleEndian.AppendUint32(index, e.score)
		index = binary.LittleEndian.AppendUint32(index, e.percentile)
	}
	return putSections(index, []byte(t.date))
}

type epssSegment struct {
	index []byte
	date  string
}

func openEPSS(b []byte) (*epssSegment, error) {
	parts, err := sections(b, epssSections)
	if err != nil {
		return nil, err
	}
	if len(parts[0])%cveEntrySize != 0 || len(parts[1]) > len(time.DateOnly) {
		return nil, errDamaged
	}
	return &epssSegment{parts[0], string(parts[1])}, nil
}

func (s *epssSegment) lookup(key uint64) *pratique.EPSS {
	at := searchKey(s.index, key)
	if at == nil {
		return nil
	}
	return &pratique.EPSS{
		Score:      float64(binary.LittleEndian.Uint32(at[8:])) / 1e9,
		Percentile: float64(binary.LittleEndian.Uint32(at[12:])) / 1e9,
		Date:       s.date,
	}
}
