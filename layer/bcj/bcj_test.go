package bcj_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"testing"
	"testing/iotest"

	"github.com/ulikunitz/xz/lzma"

	"github.com/pratique/pratique/layer/bcj"
)

// filters are those that xz knows, which does them as the oracle.
var filters = []struct {
	option string
	number uint64
}{{"x86", bcj.X86}, {"arm", bcj.ARM}, {"armthumb", bcj.Thumb}, {"arm64", bcj.ARM64}, {"powerpc", bcj.PowerPC}}

// undo is for filters that there are.
func undo(t *testing.T, filter uint64, properties []byte, r io.Reader) io.Reader {
	t.Helper()
	before, ok := bcj.Undo(filter, properties, r)
	if !ok {
		t.Fatalf("there is no filter %d", filter)
	}
	return before
}

// filtered is what xz makes of data by one filter: its own raw format, without LZMA2's
// compression undone here.
func filtered(t *testing.T, data []byte, filter string) []byte {
	t.Helper()
	cmd := exec.Command("xz", "--format=raw", "--"+filter, "--lzma2=preset=0,dict=4MiB", "--stdout")
	cmd.Stdin = bytes.NewReader(data)
	packed, err := cmd.Output()
	if err != nil {
		t.Fatalf("xz --%s: %v", filter, err)
	}
	r, err := lzma.Reader2Config{DictCap: 4 << 20}.NewReader2(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

// samples are programs, noise, and noise of the bytes that converters look at.
func samples(t *testing.T) map[string][]byte {
	random := rand.NewChaCha8([32]byte{7})
	noise := make([]byte, 300_001)
	random.Read(noise)
	dense := slices.Clone(noise)
	some := []byte{0xe8, 0xe9, 0x00, 0xff, 0x0f, 0x80, 0xeb, 0xf0, 0xf8, 0x48, 0x94, 0x90, 1}
	for i, b := range dense {
		dense[i] = some[int(b)%len(some)]
	}
	program, err := os.ReadFile("/bin/sh")
	if err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{"program": program, "noise": noise, "dense": dense, "none": nil, "one": {0xe8}, "four": {0xe8, 0, 0, 0}, "five": {0xe8, 9, 0, 0, 0}}
}

func TestFilters(t *testing.T) {
	for name, data := range samples(t) {
		for _, f := range filters {
			for _, start := range []uint32{0, 4096} {
				option := f.option
				if start != 0 {
					option += fmt.Sprintf("=start=%d", start)
				}
				given := filtered(t, data, option)
				if name != "none" && len(data) > 5 && bytes.Equal(given, data) {
					t.Errorf("%s of %s: the filter did nothing, and neither can this test", option, name)
				}
				for how, r := range map[string]io.Reader{"whole": bytes.NewReader(given), "halves": iotest.HalfReader(bytes.NewReader(given)), "with its end": iotest.DataErrReader(bytes.NewReader(given))} {
					got, err := io.ReadAll(undo(t, f.number, binary.LittleEndian.AppendUint32(nil, start), r))
					if err != nil || !bytes.Equal(got, data) {
						t.Errorf("%s of %s, %s: %v, %d of %d bytes, the first that differs is %d", option, name, how, err, len(got), len(data), differs(got, data))
					}
				}
			}
		}
		for _, distance := range []int{1, 3, 256} {
			given := filtered(t, data, fmt.Sprintf("delta=dist=%d", distance))
			got, err := io.ReadAll(undo(t, bcj.Delta, []byte{byte(distance - 1)}, iotest.HalfReader(bytes.NewReader(given))))
			if err != nil || !bytes.Equal(got, data) {
				t.Errorf("delta %d of %s: %v", distance, name, err)
			}
		}
	}
}

func differs(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

// An error comes after all that came before it.
func TestErrorComesLast(t *testing.T) {
	broken := io.MultiReader(bytes.NewReader(make([]byte, 7)), iotest.ErrReader(io.ErrUnexpectedEOF))
	got, err := io.ReadAll(undo(t, bcj.X86, nil, broken))
	if len(got) != 7 || err != io.ErrUnexpectedEOF {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// FuzzBCJ2 holds that four streams of anything come to an end. (That they join rightly
// is tested with package sevenzip, where there is a program that splits them.)
func FuzzBCJ2(f *testing.F) {
	f.Add([]byte("\xe8\xe9\x0f\x80"), []byte{0, 0, 0, 1}, []byte{0, 0, 0, 2}, []byte{0, 0xff, 0xff, 0xff, 0xff})
	f.Add([]byte("\xe8\xe9"), []byte{0, 0}, []byte{0, 0, 0, 1, 2}, []byte{0, 0xff, 0xff, 0xff, 0xff}) // targets that are cut
	f.Fuzz(func(t *testing.T, code, calls, jumps, chances []byte) {
		got, err := io.ReadAll(bcj.NewBCJ2(bytes.NewReader(code), bytes.NewReader(calls), bytes.NewReader(jumps), bytes.NewReader(chances)))
		if len(got) < len(code) && err == nil || len(got) > len(code)+len(calls)+len(jumps) {
			t.Errorf("%d bytes of %d, %d and %d: %v", len(got), len(code), len(calls), len(jumps), err)
		}
	})
}

// FuzzX86 holds that how a stream is cut into reads changes nothing.
func FuzzX86(f *testing.F) {
	f.Add(binary.LittleEndian.AppendUint32([]byte{0xe8, 0xe8, 0, 0, 0xff, 0xe9}, 0xff00ff00), uint32(0))
	f.Fuzz(func(t *testing.T, data []byte, start uint32) {
		at := binary.LittleEndian.AppendUint32(nil, start)
		whole, err := io.ReadAll(undo(t, bcj.X86, at, bytes.NewReader(data)))
		single, err2 := io.ReadAll(undo(t, bcj.X86, at, iotest.OneByteReader(bytes.NewReader(data))))
		if err != nil || err2 != nil || len(whole) != len(data) || !bytes.Equal(whole, single) {
			t.Errorf("%v, %v: %x and %x", err, err2, whole, single)
		}
	})
}
