package advisory

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pratique/pratique"
)

// smallBundle is a bundle file with every kind of segment.
func smallBundle(t testing.TB) []byte {
	t.Helper()
	s := newStore(t)
	r, err := s.Import(t.Context(), ImportOptions{
		Inputs: []string{folder(t, feeds(t))},
		now:    func() time.Time { return time.Date(2024, 12, 24, 12, 0, 0, 0, time.UTC) }, // the same bytes each time
	})
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(r.Path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// openBytes opens data as if it were a mapped file.
func openBytes(data []byte) (*Bundle, error) {
	b := &Bundle{path: "test.bundle", data: data, cache: newBlockCache()}
	if err := b.parse(data); err != nil {
		b.cache.close()
		return nil, err
	}
	return b, nil
}

// exercise asks everything. What it returns does not matter, as long as it does.
func exercise(t testing.TB, b *Bundle) {
	t.Helper()
	defer b.cache.close()
	for _, eco := range append(b.Ecosystems(), "Debian:12") {
		b.HasEcosystem(eco)
		for _, name := range []string{"harbourmaster", "@dock/crane", "Harbour_Buoy.lib", "example.org/mooring", "zzz"} {
			list, err := b.Advisories(eco, name)
			if err == nil {
				for _, a := range list {
					if len(a.Affected) == 0 {
						t.Errorf("%s affects nothing", a.ID)
					}
				}
			}
		}
	}
	for _, id := range []string{"CVE-2023-90001", "CVE-2024-90010", "CVE-1999-0001"} {
		if _, err := b.CVE(id); err != nil && pratique.CodeOf(err) != pratique.CodeCorrupt {
			t.Errorf("an error of another kind: %v", err)
		}
	}
	b.Hash(hex.EncodeToString(bytes.Repeat([]byte{0xab}, 32)))
	b.Feeds()
	Delta(nil, b)
	if err := b.Verify(t.Context()); err != nil && pratique.CodeOf(err) != pratique.CodeCorrupt {
		t.Errorf("an error of another kind: %v", err)
	}
}

func TestTruncatedBundle(t *testing.T) {
	data := smallBundle(t)
	for n := 0; n < len(data); n += 1 + len(data)/500 {
		file := filepath.Join(t.TempDir(), "x.bundle")
		if err := os.WriteFile(file, data[:n], 0o644); err != nil {
			t.Fatal(err)
		}
		if b, err := Open(file); err == nil {
			b.Close()
			t.Fatalf("a bundle cut to %d of %d bytes opens", n, len(data))
		} else if pratique.CodeOf(err) != pratique.CodeCorrupt {
			t.Fatalf("cut to %d bytes: %v", n, err)
		}
	}
}

func TestFlippedBitsNeverPanic(t *testing.T) {
	data := smallBundle(t)
	for i := range data {
		flipped := bytes.Clone(data)
		flipped[i] ^= 1 << (i % 8)
		b, err := openBytes(flipped)
		if err != nil {
			continue
		}
		exercise(t, b)
	}
}

func TestOtherFormatIsToldApart(t *testing.T) {
	data := smallBundle(t)
	binary.LittleEndian.PutUint32(data[8:], bundleFormat+1)
	if _, err := openBytes(data); pratique.CodeOf(err) != pratique.CodeUnsupported {
		t.Errorf("a bundle of a later format: %v", err)
	}
}

func TestOpenWhatIsNoFile(t *testing.T) {
	if _, err := Open(filepath.Join(t.TempDir(), "none")); pratique.CodeOf(err) != pratique.CodeNotFound {
		t.Errorf("a missing file: %v", err)
	}
	if _, err := Open(t.TempDir()); pratique.CodeOf(err) != pratique.CodeCorrupt {
		t.Errorf("a folder: %v", err)
	}
}

// FuzzBundle changes a bundle's bytes and mends its digests, so that the readers
// behind them are reached.
func FuzzBundle(f *testing.F) {
	data := smallBundle(f)
	f.Add(uint32(0), []byte("x"), uint32(0), []byte("y"))
	for at := headerSize; at < len(data); at += 97 {
		f.Add(uint32(at), []byte{0xff, 0xff, 0xff, 0x7f}, uint32(at*7), []byte{0})
	}
	f.Fuzz(func(t *testing.T, at1 uint32, patch1 []byte, at2 uint32, patch2 []byte) {
		b := bytes.Clone(data)
		copy(b[int(at1)%len(b):], patch1)
		copy(b[int(at2)%len(b):], patch2)
		off, size := binary.LittleEndian.Uint64(b[16:]), binary.LittleEndian.Uint64(b[24:])
		if off <= uint64(len(b)) && size <= uint64(len(b))-off {
			sum := sha256.Sum256(b[off : off+size])
			copy(b[32:], sum[:])
		}
		if bundle, err := openBytes(b); err == nil {
			exercise(t, bundle)
		}
	})
}

// FuzzRecords feeds the decoders behind the checksums of blocks.
func FuzzRecords(f *testing.F) {
	a, err := ParseOSV(record(f, "npm/GHSA-aaaa-bbbb-cccc.json"), nil)
	if err != nil {
		f.Fatal(err)
	}
	b := newAdvisoryBuilder(time.Now())
	b.add(a)
	segment, _ := b.build()
	parts, err := sections(segment, advisorySections)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(encodeShared(a), parts[0])
	f.Add(encodeAffected(&a.Affected[0]), parts[2])
	f.Add(encodeCVE(&cveRecord{cve: pratique.CVE{Description: "x", KEV: &pratique.KEV{Name: "y"}}}), []byte{1, 1, 'a', 1, 0, 0, 0, 1, 0, 1})
	f.Fuzz(func(t *testing.T, record, payload []byte) {
		decodeShared(record)
		decodeCVE(record)
		cache := newBlockCache()
		defer cache.close()
		shared := &blockReader{table: make([]byte, blockRefSize), cache: cache}
		cache.put(shared, 0, append(binary.AppendUvarint(nil, uint64(len(record))), record...)) // as if it had been inflated
		locs := loc{}.append(nil)
		s := &advisorySegment{source: "fuzz", locs: locs, shared: shared}
		list, err := s.decodeKey(payload, "npm", "x")
		if err == nil && len(list) > len(payload) {
			t.Errorf("%d advisories from %d bytes", len(list), len(payload))
		}
		if _, err := openAdvisories("fuzz", payload, cache); err == nil && len(payload) < 16*advisorySections {
			t.Error("a segment without a directory opens")
		}
	})
}

// linuxLike is a bundle with one package of 3 000 advisories among many small
// ones, which is what a distribution looks like.
func linuxLike(b *testing.B) *Store {
	b.Helper()
	var lines bytes.Buffer
	line := func(id, name string, versions int) {
		var list []string
		for v := range versions {
			list = append(list, fmt.Sprintf("5.10.%d-1", v))
		}
		r, err := json.Marshal(map[string]any{
			"id": id, "modified": "2024-01-01T00:00:00Z", "details": "In " + name + ", " + id + " lets a local user do what only root should.",
			"severity":   []any{map[string]string{"type": "CVSS_V3", "score": "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H"}},
			"references": []any{map[string]string{"type": "WEB", "url": "https://example.org/" + id}},
			"affected": []any{map[string]any{
				"package": map[string]string{"ecosystem": "Debian:11", "name": name}, "versions": list,
				"ranges": []any{map[string]any{"type": "ECOSYSTEM", "events": []any{map[string]string{"introduced": "0"}, map[string]string{"fixed": "5.10.99-1"}}}},
			}},
		})
		if err != nil {
			b.Fatal(err)
		}
		lines.Write(append(r, '\n'))
	}
	for i := range 3000 {
		line(fmt.Sprintf("CVE-2020-%05d", i), "linux", 30+i%20)
		line(fmt.Sprintf("CVE-2021-%05d", i), fmt.Sprintf("package-%04d", i), 3)
	}
	s := newStore(b)
	mustImport(b, s, folder(b, map[string][]byte{"x/records.ndjson": lines.Bytes()}))
	return s
}

func BenchmarkOpen(b *testing.B) {
	s := linuxLike(b)
	for b.Loop() {
		bundle, err := s.Current()
		if err != nil {
			b.Fatal(err)
		}
		bundle.Close()
	}
}

func BenchmarkLookup(b *testing.B) {
	s := linuxLike(b)
	bundle, err := s.Current()
	if err != nil {
		b.Fatal(err)
	}
	defer bundle.Close()
	for name, pkg := range map[string]string{"3000 advisories": "linux", "1 advisory": "package-0042", "none": "nothing"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := bundle.Advisories("Debian:11", pkg); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
