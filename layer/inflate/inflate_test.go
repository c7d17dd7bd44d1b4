package inflate

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"testing/iotest"

	kflate "github.com/klauspost/compress/flate"
)

// text is something like prose and something like code.
func text(size int, seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	words := make([][]byte, 3000)
	for i := range words {
		words[i] = make([]byte, 2+r.IntN(9))
		for j := range words[i] {
			words[i][j] = "etaoinshrdlcumwfgypbvkjxqz"[min(r.IntN(26), r.IntN(26))]
		}
	}
	var b bytes.Buffer
	for b.Len() < size {
		b.Write(words[min(r.IntN(len(words)), r.IntN(len(words)), r.IntN(len(words)))])
		switch r.IntN(12) {
		case 0:
			b.WriteString(",\n\t")
		case 1:
			fmt.Fprintf(&b, " %d ", r.IntN(10000))
		default:
			b.WriteByte(' ')
		}
	}
	return b.Bytes()[:size]
}

func random(size int, seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 2))
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// skewed has symbols so rare that their codes are as long as codes may be.
func skewed(size int, seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 3))
	b := make([]byte, size)
	for i := range b {
		for b[i] < 40 && r.IntN(5) < 3 {
			b[i]++
		}
	}
	return b
}

// periodic repeats patterns of each length that the copying of matches tells
// apart, and matches at the far end of the window.
func periodic(size int, seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 4))
	noise := random(window, seed)
	var b []byte
	for len(b) < size {
		period := 1 + r.IntN(40)
		pattern := random(period, r.Uint64())
		b = append(b, bytes.Repeat(pattern, 1+r.IntN(700)/period)...)
		if r.IntN(30) == 0 {
			b = append(b, noise...)
			b = append(b, noise[:1+r.IntN(300)]...)
		}
	}
	return b[:size]
}

// samples are contents by name.
func samples() map[string][]byte {
	mixed := append(text(100_000, 5), random(100_000, 5)...)
	mixed = append(mixed, make([]byte, 300_000)...)
	return map[string][]byte{
		"empty":    nil,
		"byte":     {'x'},
		"short":    []byte("a layer, a layer, a layer"),
		"text":     text(700_000, 1),
		"random":   random(300_000, 1),
		"skewed":   skewed(400_000, 1),
		"periodic": periodic(600_000, 1),
		"zeros":    make([]byte, 3_000_000),
		"mixed":    append(mixed, periodic(200_000, 9)...),
	}
}

func compress(t testing.TB, data []byte, level int) []byte {
	t.Helper()
	return wrap(deflated(t, data, level), data)
}

// deflated is a deflate stream written by compress/flate.
func deflated(t testing.TB, data []byte, level int) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, level)
	if err != nil {
		t.Fatal(err)
	}
	w.Write(data)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// wrap makes a gzip member of a deflate stream.
func wrap(stream, content []byte) []byte {
	b := append([]byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255}, stream...)
	b = binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(content))
	return binary.LittleEndian.AppendUint32(b, uint32(len(content)))
}

// chunked returns what is left of p in Reads of the sizes that are told.
type chunked struct {
	r     io.Reader
	sizes []int
	turn  int
}

func (c *chunked) Read(p []byte) (int, error) {
	size := c.sizes[c.turn%len(c.sizes)]
	c.turn++
	return c.r.Read(p[:min(len(p), size)])
}

// drain reads r by slices of the given size.
func drain(r io.Reader, size int) ([]byte, error) {
	var all bytes.Buffer
	buf := make([]byte, size)
	for {
		n, err := r.Read(buf)
		all.Write(buf[:n])
		if err == io.EOF {
			return all.Bytes(), nil
		}
		if err != nil {
			return all.Bytes(), err
		}
	}
}

func inflateAll(input io.Reader, size int) ([]byte, error) {
	r, err := NewReader(input)
	if err != nil {
		return nil, err
	}
	return drain(r, size)
}

func expect(t *testing.T, stream, want []byte) {
	t.Helper()
	got, err := inflateAll(bytes.NewReader(stream), 512<<10)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %d bytes, error %v; want %d bytes", len(got), err, len(want))
	}
}

func TestWhatCompressorsWrite(t *testing.T) {
	writers := map[string]func(w io.Writer, level int) (io.WriteCloser, error){
		"standard":  func(w io.Writer, level int) (io.WriteCloser, error) { return flate.NewWriter(w, level) },
		"klauspost": func(w io.Writer, level int) (io.WriteCloser, error) { return kflate.NewWriter(w, level) },
	}
	for name, data := range samples() {
		for writer, open := range writers {
			for level := flate.HuffmanOnly; level <= flate.BestCompression; level++ {
				t.Run(fmt.Sprintf("%s/%s/%d", name, writer, level), func(t *testing.T) {
					var b bytes.Buffer
					w, err := open(&b, level)
					if err != nil {
						t.Fatal(err)
					}
					half := len(data) / 2
					w.Write(data[:half])
					w.(interface{ Flush() error }).Flush() // an empty stored block
					w.Write(data[half:])
					w.Close()
					expect(t, wrap(b.Bytes(), data), data)
				})
			}
		}
	}
}

// gzip of GNU is in every Debian; the others are tried where they are installed.
func TestWhatProgramsWrite(t *testing.T) {
	data := samples()["mixed"]
	for _, command := range []string{"gzip -1", "gzip -6", "gzip -9", "pigz -9", "pigz -11 -b 32", "zopfli -c", "7z a -tgzip -so -si x"} {
		words := strings.Fields(command)
		if _, err := exec.LookPath(words[0]); err != nil {
			continue
		}
		cmd := exec.Command(words[0], words[1:]...)
		cmd.Stdin = bytes.NewReader(data)
		if words[0] == "zopfli" {
			file := t.TempDir() + "/data"
			if err := os.WriteFile(file, data, 0o600); err != nil {
				t.Fatal(err)
			}
			cmd.Args = append(cmd.Args, file)
		}
		out, err := cmd.Output()
		if err != nil {
			t.Errorf("%s: %v", command, err)
			continue
		}
		expect(t, out, data)
	}
}

// However the input comes in and the output is asked for, it is the same.
func TestBoundaries(t *testing.T) {
	data := append(text(150_000, 7), periodic(150_000, 7)...)
	data = append(data, random(10_000, 7)...)
	stream := append(compress(t, data, 6), compress(t, data[100_000:], flate.NoCompression)...)
	stream = append(stream, compress(t, data[:1000], flate.HuffmanOnly)...)
	want := append(append(bytes.Clone(data), data[100_000:]...), data[:1000]...)
	inputs := map[string]func(io.Reader) io.Reader{
		"whole":   func(r io.Reader) io.Reader { return r },
		"byte":    iotest.OneByteReader,
		"half":    iotest.HalfReader,
		"dataerr": iotest.DataErrReader,
		"odd":     func(r io.Reader) io.Reader { return &chunked{r: r, sizes: []int{7, 1, 16, 15, 17, 0, 3, 900}} },
	}
	for name, input := range inputs {
		for _, size := range []int{1, 2, 3, 257, 259, 4096, window - 1, window, direct - 1, direct, direct + 1, 100_003, 1 << 20} {
			got, err := inflateAll(input(bytes.NewReader(stream)), size)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("input by %s, output by %d: %d bytes, error %v; want %d", name, size, len(got), err, len(want))
			}
		}
		// Sizes that go from direct to buffered and back.
		r, err := NewReader(input(bytes.NewReader(stream)))
		if err != nil {
			t.Fatal(err)
		}
		var got []byte
		for i := 0; err == nil; i++ {
			p := make([]byte, []int{70_000, 10, 40_000, 90_000, 66_000, 1}[i%6])
			var n int
			n, err = r.Read(p)
			got = append(got, p[:n]...)
		}
		if err != io.EOF || !bytes.Equal(got, want) {
			t.Errorf("input by %s, output by mixed sizes: %d bytes, error %v", name, len(got), err)
		}
	}
}

// A Reader's memory serves another, which must not see what was in it.
func TestMemoryIsReused(t *testing.T) {
	data := text(200_000, 3)
	stream := compress(t, data, 6)
	r := new(members)
	for _, length := range []int{len(stream), len(stream) / 2, 100, len(stream), len(stream) - 3, len(stream)} {
		if err := r.reset(bytes.NewReader(stream[:length])); err != nil {
			t.Fatal(err)
		}
		got, err := drain(readerFunc(r.read), 1000+length)
		if whole := length == len(stream); whole && (err != nil || !bytes.Equal(got, data)) || !whole && err != io.ErrUnexpectedEOF {
			t.Fatalf("%d of %d bytes: got %d, error %v", length, len(stream), len(got), err)
		}
	}
	// A match must not reach into the member before, nor into the stream before.
	if err := r.reset(bytes.NewReader(wrap(reachBack, nil))); err != nil {
		t.Fatal(err)
	}
	var corrupt *CorruptError
	if _, err := drain(readerFunc(r.read), 100); !errors.As(err, &corrupt) {
		t.Errorf("error %v", err)
	}
	if _, err := inflateAll(bytes.NewReader(append(stream, wrap(reachBack, nil)...)), 1<<20); !errors.As(err, &corrupt) {
		t.Errorf("second member: error %v", err)
	}
}

func TestClosed(t *testing.T) {
	stream := compress(t, text(1000, 1), 6)
	r, err := NewReader(bytes.NewReader(stream))
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	r.Close()
	if n, err := r.Read(make([]byte, 10)); n != 0 || !errors.Is(err, fs.ErrClosed) {
		t.Errorf("%d bytes, error %v", n, err)
	}
}

// Bits that flip in streams of all kinds: an error, or what compress/flate makes
// of it.
func TestDamaged(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 5))
	for name, data := range samples() {
		t.Run(name, func(t *testing.T) {
			for level := flate.HuffmanOnly; level <= flate.BestCompression; level += 3 {
				stream := deflated(t, data[:min(len(data), 50_000)], level)
				for range 30 {
					damaged := bytes.Clone(stream)
					for range 1 + r.IntN(3) {
						damaged[r.IntN(len(damaged))] ^= 1 << r.IntN(8)
					}
					agree(t, damaged, 1+r.IntN(9000), 1+r.IntN(100_000))
				}
			}
		})
	}
}

// reachBack is a fixed block of one match: length 3, distance 1, the end.
var reachBack = new(bitString).bits(1, 1).bits(1, 2).code(1, 7).code(0, 5).code(0, 7).bytes()

// A bitString writes deflate by hand.
type bitString struct {
	b []byte
	n uint
}

func (s *bitString) bits(v uint64, n int) *bitString {
	for i := range n {
		if s.n%8 == 0 {
			s.b = append(s.b, 0)
		}
		s.b[s.n/8] |= byte(v>>i&1) << (s.n % 8)
		s.n++
	}
	return s
}

// code writes a Huffman code, whose first bit is its highest.
func (s *bitString) code(v uint64, n int) *bitString {
	for i := n - 1; i >= 0; i-- {
		s.bits(v>>i&1, 1)
	}
	return s
}

func (s *bitString) bytes() []byte { return bytes.Clone(s.b) }

// dynamic begins a dynamic block with the given code lengths, which it writes
// in a code where each of 0 to 15 has four bits.
func dynamic(litlen, distance []uint64) *bitString {
	s := new(bitString).bits(1, 1).bits(2, 2).bits(uint64(len(litlen)-257), 5).bits(uint64(len(distance)-1), 5).bits(15, 4)
	for _, symbol := range lengthOrder {
		if symbol < 16 {
			s.bits(4, 3)
		} else {
			s.bits(0, 3)
		}
	}
	for _, n := range append(litlen, distance...) {
		s.code(n, 4)
	}
	return s
}

// handmade are streams at the edges of what is allowed.
func handmade() map[string][]byte {
	lengths := func(n int, set map[int]uint64) []uint64 {
		l := make([]uint64, n)
		for s, v := range set {
			l[s] = v
		}
		return l
	}
	// A code as skewed as can be: 1, 2, 3 … 14, 15, 15 bits.
	long := map[int]uint64{256: 15}
	for i := range 15 {
		long[i] = uint64(i + 1)
	}
	longest := dynamic(lengths(257, long), []uint64{0})
	for i := range 15 {
		longest.code(1<<(i+1)-2, i+1)
	}
	longest.code(1<<15-1, 15)
	fixed := func() *bitString { return new(bitString).bits(1, 1).bits(1, 2) }
	s := map[string][]byte{
		"nothing":             {},
		"reserved type":       new(bitString).bits(1, 1).bits(3, 2).bytes(),
		"empty fixed":         fixed().code(0, 7).bytes(),
		"no end":              fixed().code(0x30, 8).bytes(),
		"empty stored":        {1, 0, 0, 0xff, 0xff},
		"stored":              {1, 2, 0, 0xfd, 0xff, 'h', 'i'},
		"stored, cut":         {1, 3, 0, 0xfc, 0xff, 'h', 'i'},
		"stored, odd lengths": {1, 3, 0, 0xfd, 0xff, 'h', 'i', '!'},
		"stored, full":        append([]byte{1, 0xff, 0xff, 0, 0}, random(0xffff, 1)...),
		"reach back":          reachBack,
		"symbol 286":          fixed().code(0xc6, 8).bytes(),
		"symbol 287":          fixed().code(0xc7, 8).bytes(),
		"distance 30":         fixed().code(0x30, 8).code(1, 7).code(30, 5).code(0, 7).bytes(),
		"distance 31":         fixed().code(0x30, 8).code(1, 7).code(31, 5).code(0, 7).bytes(),
		"run":                 fixed().code(0x30, 8).code(0xc5, 8).code(0, 5).code(0, 7).bytes(),
		"length 284 and 31":   fixed().code(0x30, 8).code(0xc4, 8).bits(31, 5).code(0, 5).code(0, 7).bytes(),
		"longest codes":       longest.bytes(),
		"only the end":        dynamic(lengths(257, map[int]uint64{256: 1}), []uint64{0}).code(0, 1).bytes(),
		"only the end, other": dynamic(lengths(257, map[int]uint64{256: 1}), []uint64{0}).code(1, 1).bytes(),
		"no end code":         dynamic(lengths(257, map[int]uint64{0: 1, 1: 1}), []uint64{0}).bits(0, 60).bytes(),
		"no codes":            dynamic(lengths(257, nil), []uint64{0}).bits(0, 60).bytes(),
		"one code of 2 bits":  dynamic(lengths(257, map[int]uint64{256: 2}), []uint64{0}).code(0, 2).bytes(),
		"incomplete":          dynamic(lengths(257, map[int]uint64{0: 1, 256: 2}), []uint64{0}).code(2, 2).bytes(),
		"too many codes":      dynamic(lengths(257, map[int]uint64{0: 1, 1: 1, 256: 1}), []uint64{0}).code(0, 8).bytes(),
		"one distance":        dynamic(lengths(258, map[int]uint64{0: 2, 256: 2, 257: 1}), []uint64{1}).code(2, 2).code(0, 1).code(0, 1).code(3, 2).bytes(),
		"one distance, other": dynamic(lengths(258, map[int]uint64{0: 2, 256: 2, 257: 1}), []uint64{1}).code(2, 2).code(0, 1).code(1, 1).code(3, 2).bytes(),
		"no distance, used":   dynamic(lengths(258, map[int]uint64{0: 2, 256: 2, 257: 1}), []uint64{0}).code(2, 2).code(0, 1).code(0, 1).code(3, 2).bytes(),
		"incomplete distance": dynamic(lengths(258, map[int]uint64{0: 2, 256: 2, 257: 1}), []uint64{2, 2, 2}).code(3, 2).bytes(),
		"287 symbols":         dynamic(lengths(287, map[int]uint64{0: 1, 256: 1}), []uint64{0}).code(1, 1).bytes(),
		"31 distances":        dynamic(lengths(257, map[int]uint64{0: 1, 256: 1}), make([]uint64, 31)).code(1, 1).bytes(),
		"all symbols":         dynamic(lengths(286, map[int]uint64{0: 1, 256: 1}), make([]uint64, 30)).code(1, 1).bytes(),
	}
	// The code of code lengths: 0 and one of the three that repeat.
	for _, c := range []struct {
		name   string
		symbol uint8
	}{{"16", 16}, {"17", 17}, {"18", 18}} {
		b := new(bitString).bits(1, 1).bits(2, 2).bits(0, 10).bits(15, 4)
		for _, symbol := range lengthOrder {
			if symbol == 0 || symbol == c.symbol {
				b.bits(1, 3)
			} else {
				b.bits(0, 3)
			}
		}
		first := bytes.Clone(b.b)
		n := b.n
		s["repeat "+c.name+" first"] = b.bits(1, 1).bits(0, 400).bytes()
		again := &bitString{b: first, n: n}
		s["repeat "+c.name+" beyond the end"] = again.bits(0, 1).bits(1<<62-1, 62).bits(1<<62-1, 62).bits(1<<62-1, 62).bits(1<<62-1, 62).bits(1<<62-1, 62).bits(1<<62-1, 62).bits(1<<62-1, 62).bits(1<<62-1, 62).bytes()
	}
	return s
}

// agree holds a stream of deflate to compress/flate: the same bytes, or both an
// error with the one's bytes the beginning of the other's. The stream is put into
// gzip, and given and taken by the sizes in and out.
func agree(t *testing.T, stream []byte, in, out int) {
	t.Helper()
	const most = 2 << 20
	left := bytes.NewReader(stream)
	want, wantErr := io.ReadAll(io.LimitReader(flate.NewReader(left), most))
	if len(want) == most {
		return
	}
	file := wrap(stream[:len(stream)-left.Len()], want)
	if wantErr != nil {
		file = wrap(stream, nil)
		file = file[:len(file)-8]
	}
	got, err := inflateAll(&chunked{r: bytes.NewReader(file), sizes: []int{in}}, out)
	if (err == nil) != (wantErr == nil) {
		t.Fatalf("error %v; compress/flate says %v", err, wantErr)
	}
	if err == nil && !bytes.Equal(got, want) {
		t.Fatalf("%d bytes; compress/flate gives %d others", len(got), len(want))
	}
	if n := min(len(got), len(want)); !bytes.Equal(got[:n], want[:n]) {
		t.Fatal("other bytes before the error than compress/flate gives")
	}
	var corrupt *CorruptError
	if err != nil && err != io.ErrUnexpectedEOF && !errors.As(err, &corrupt) {
		t.Fatalf("an error of another kind: %v", err)
	}
	if corrupt != nil && (corrupt.Offset < 10 || corrupt.Offset > int64(len(file))) {
		t.Fatalf("corrupt near %d of %d", corrupt.Offset, len(file))
	}
}

func TestHandmade(t *testing.T) {
	for name, stream := range handmade() {
		t.Run(name, func(t *testing.T) {
			for _, behind := range []int{0, 100} { // the fast loop needs input to spare
				for _, before := range []int{0, 5} {
					s := append(bytes.Repeat([]byte{0, 0, 0, 0xff, 0xff}, before), stream...)
					s = append(s, make([]byte, behind)...)
					agree(t, s, 1<<20, 1<<20)
					agree(t, s, 1, 1)
				}
			}
		})
	}
}

// Each way to be wrong has its error.
func TestErrors(t *testing.T) {
	data := text(100_000, 2)
	good := compress(t, data, 6)
	change := func(at int, to byte) []byte {
		b := bytes.Clone(good)
		b[(at+len(b))%len(b)] ^= to
		return b
	}
	corrupt := new(CorruptError)
	for name, c := range map[string]struct {
		input []byte
		want  error
	}{
		"nothing":              {nil, io.EOF},
		"half a header":        {good[:5], io.ErrUnexpectedEOF},
		"no stream":            {good[:10], io.ErrUnexpectedEOF},
		"half a stream":        {good[:len(good)/2], io.ErrUnexpectedEOF},
		"no trailer":           {good[:len(good)-8], io.ErrUnexpectedEOF},
		"half a trailer":       {good[:len(good)-1], io.ErrUnexpectedEOF},
		"another magic":        {change(0, 1), ErrHeader},
		"another method":       {change(2, 1), ErrHeader},
		"a reserved flag":      {change(3, 0x20), ErrHeader},
		"another CRC-32":       {change(-8, 1), ErrChecksum},
		"another length":       {change(-1, 1), ErrChecksum},
		"the reserved type":    {change(10, 2), corrupt},
		"zeros behind":         {append(bytes.Clone(good), make([]byte, 20)...), ErrHeader},
		"a few zeros behind":   {append(bytes.Clone(good), 0, 0), io.ErrUnexpectedEOF},
		"half a second member": {append(bytes.Clone(good), good[:1000]...), io.ErrUnexpectedEOF},
	} {
		got, err := inflateAll(bytes.NewReader(c.input), 100_000)
		if c.want == corrupt {
			if !errors.As(err, &corrupt) {
				t.Errorf("%s: error %v", name, err)
			}
		} else if err != c.want {
			t.Errorf("%s: error %v, want %v", name, err, c.want)
		}
		if !bytes.HasPrefix(append(bytes.Clone(data), data...), got) {
			t.Errorf("%s: what was read before is wrong", name)
		}
	}
}

// An error of the source is what is returned, after what came before it.
func TestSourceFails(t *testing.T) {
	data := text(100_000, 2)
	good := compress(t, data, 6)
	lost := errors.New("connection lost")
	for _, cut := range []int{0, 5, 10, 11, len(good) / 2, len(good) - 8, len(good) - 1, len(good)} {
		got, err := inflateAll(io.MultiReader(bytes.NewReader(good[:cut]), iotest.ErrReader(lost)), 1<<20)
		if err != lost {
			t.Errorf("cut at %d: error %v", cut, err)
		}
		if !bytes.HasPrefix(data, got) || cut >= len(good)-8 && len(got) != len(data) {
			t.Errorf("cut at %d: %d bytes", cut, len(got))
		}
	}
	silent := readerFunc(func([]byte) (int, error) { return 0, nil })
	if _, err := inflateAll(silent, 100); err != io.ErrNoProgress {
		t.Errorf("a source that gives nothing: error %v", err)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// The header's optional fields, by all combinations, against compress/gzip.
func TestHeaders(t *testing.T) {
	stream := wrap(deflated(t, []byte("content"), 6), []byte("content"))[10:]
	fields := func(flags byte, name int) []byte {
		b := []byte{0x1f, 0x8b, 8, flags, 1, 2, 3, 4, 2, 3}
		if flags&flagExtra != 0 {
			b = append(b, 5, 0, 'e', 'x', 0, 'r', 'a')
		}
		if flags&flagName != 0 {
			b = append(append(b, bytes.Repeat([]byte{0xe4}, name)...), 0)
		}
		if flags&flagComment != 0 {
			b = append(b, "a comment\x00"...)
		}
		if flags&flagChecksum != 0 {
			b = binary.LittleEndian.AppendUint16(b, uint16(crc32.ChecksumIEEE(b)))
		}
		return b
	}
	both := func(what string, file []byte) {
		t.Helper()
		var want []byte
		r, wantErr := gzip.NewReader(bytes.NewReader(file))
		if wantErr == nil {
			want, wantErr = io.ReadAll(r)
		}
		got, err := inflateAll(iotest.HalfReader(bytes.NewReader(file)), 100)
		if (err == nil) != (wantErr == nil) || err == nil && !bytes.Equal(got, want) {
			t.Errorf("%s: %q, %v; compress/gzip: %q, %v", what, got, err, want, wantErr)
		}
		if errors.Is(wantErr, gzip.ErrHeader) != errors.Is(err, ErrHeader) || errors.Is(wantErr, gzip.ErrChecksum) != errors.Is(err, ErrChecksum) {
			t.Errorf("%s: %v; compress/gzip: %v", what, err, wantErr)
		}
	}
	for flags := range byte(32) {
		head := fields(flags, 10)
		file := append(bytes.Clone(head), stream...)
		both(fmt.Sprintf("flags %b", flags), file)
		both(fmt.Sprintf("flags %b twice", flags), append(bytes.Clone(file), file...))
		for cut := range head {
			both(fmt.Sprintf("flags %b cut at %d", flags, cut), head[:cut])
			file := append(bytes.Clone(head), stream...)
			file[cut] ^= 0x40
			if cut != 3 { // reserved flags: only we refuse them
				both(fmt.Sprintf("flags %b changed at %d", flags, cut), file)
			}
		}
	}
	for _, name := range []int{0, maxString - 2, maxString - 1, maxString, 5000} {
		both(fmt.Sprintf("name of %d", name), append(fields(flagName, name), stream...))
	}
}

// A stream inflates in memory that does not depend on it.
func TestMemory(t *testing.T) {
	file := compress(t, make([]byte, 50<<20), 9)
	empty := bytes.Repeat(compress(t, nil, 6), 100_000)
	p := make([]byte, 1<<20)
	for name, input := range map[string][]byte{"bomb": file, "empty members": empty} {
		allocated := testing.AllocsPerRun(1, func() {
			r, err := NewReader(bytes.NewReader(input))
			for err == nil {
				_, err = r.Read(p)
			}
			if err != io.EOF {
				t.Fatal(err)
			}
		})
		if allocated > 10 {
			t.Errorf("%s: %v allocations", name, allocated)
		}
	}
}

func FuzzInflate(f *testing.F) {
	for _, stream := range handmade() {
		f.Add(stream, uint16(9), uint32(100))
	}
	for _, data := range samples() {
		data = data[:min(len(data), 20_000)]
		for _, level := range []int{flate.HuffmanOnly, flate.NoCompression, flate.BestSpeed, flate.BestCompression} {
			f.Add(deflated(f, data, level), uint16(4096), uint32(70_000))
		}
	}
	f.Fuzz(func(t *testing.T, stream []byte, in uint16, out uint32) {
		agree(t, stream, int(in)+1, int(out%200_000)+1)
	})
}

// FuzzFile is about what is around the streams.
func FuzzFile(f *testing.F) {
	file := compress(f, text(3000, 1), 6)
	f.Add(file)
	f.Add(append(bytes.Clone(file), file...))
	f.Add(append([]byte{0x1f, 0x8b, 8, 0x1e, 0, 0, 0, 0, 0, 0, 2, 0, 1, 2, 'n', 0, 'c', 0, 1, 2}, file[10:]...))
	f.Fuzz(func(t *testing.T, file []byte) {
		const most = 2 << 20
		var want []byte
		r, wantErr := gzip.NewReader(bytes.NewReader(file))
		if wantErr == nil {
			want, wantErr = io.ReadAll(io.LimitReader(r, most))
		}
		if len(want) == most {
			return
		}
		got, err := inflateAll(bytes.NewReader(file), 100_000)
		if n := min(len(got), len(want)); !bytes.Equal(got[:n], want[:n]) {
			t.Fatal("other bytes than compress/gzip gives")
		}
		if errors.Is(err, ErrHeader) && wantErr == nil {
			return // perhaps a reserved flag
		}
		if (err == nil) != (wantErr == nil) || err == nil && len(got) != len(want) {
			t.Fatalf("error %v; compress/gzip says %v", err, wantErr)
		}
	})
}
