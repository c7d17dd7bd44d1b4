package inflate

import (
	"bytes"
	stdgzip "compress/gzip"
	"io"
	"os"
	"testing"

	kgzip "github.com/klauspost/compress/gzip"
)

// benchInput is gzip to inflate: the file that PRATIQUE_GZIP names, its first
// 64 MiB, or else text of ours.
func benchInput(b *testing.B) []byte {
	name := os.Getenv("PRATIQUE_GZIP")
	if name == "" {
		return compress(b, text(16<<20, 1), 6)
	}
	f, err := os.Open(name)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, 64<<20))
	if err != nil {
		b.Fatal(err)
	}
	return data
}

func BenchmarkInflate(b *testing.B) {
	input := benchInput(b)
	buf := make([]byte, 512<<10)
	run := func(name string, open func(io.Reader) (io.Reader, error)) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r, err := open(bytes.NewReader(input))
				if err != nil {
					b.Fatal(err)
				}
				var total int64
				for {
					n, err := io.ReadFull(r, buf)
					total += int64(n)
					if err != nil {
						break
					}
				}
				b.SetBytes(total)
			}
		})
	}
	run("ours", func(r io.Reader) (io.Reader, error) { return NewReader(r) })
	run("klauspost", func(r io.Reader) (io.Reader, error) { return kgzip.NewReader(r) })
	run("standard", func(r io.Reader) (io.Reader, error) { return stdgzip.NewReader(r) })
}
