package inflate

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"math/rand/v2"
	"testing"
)

// text is something like prose and something like code, and never the same.
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

func compress(t testing.TB, data []byte, level int) []byte {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, level)
	if err != nil {
		t.Fatal(err)
	}
	w.Write(data)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
