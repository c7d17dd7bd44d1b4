package report

import (
	"io"
	"testing"
)

// BenchmarkWrite writes 710 findings in 709 packages, as a server image has them
// that nobody has updated.
func BenchmarkWrite(b *testing.B) {
	r := large()
	for _, format := range FormatNames() {
		b.Run(format, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := Write(io.Discard, format, r, Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
