package containerd

import (
	"bytes"
	"io"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// FuzzMessage: what comes over the socket may be anything; reading it ends, and
// gives nothing that is not in it.
func FuzzMessage(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 3, 10, 1, 'x'})
	f.Add([]byte{0, 255, 255, 255, 255})
	f.Add([]byte{1, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := readMessage(bytes.NewReader(b))
		if err != nil {
			if len(b) == 0 && err != io.EOF {
				t.Errorf("an empty stream: %v", err)
			}
			return
		}
		_ = container(m)
		_ = timestamp(m, 8)
		for field := range m.fields {
			if len(field.bytes) > len(m) {
				t.Fatal("a field is longer than its message")
			}
		}
		for _, pair := range m.pairs(2) {
			if len(pair) > len(m) {
				t.Fatal("a value is longer than its message")
			}
		}
	})
}

func TestMessage(t *testing.T) {
	var m []byte
	m = protowire.AppendTag(m, 1, protowire.BytesType)
	m = protowire.AppendString(m, "id")
	m = protowire.AppendTag(m, 4, protowire.VarintType)
	m = protowire.AppendVarint(m, 300)
	m = protowire.AppendTag(m, 5, protowire.Fixed64Type) // of a kind that nobody asks for
	m = protowire.AppendFixed64(m, 1)
	pair := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), "key")
	pair = protowire.AppendString(protowire.AppendTag(pair, 2, protowire.BytesType), "value")
	m = protowire.AppendBytes(protowire.AppendTag(m, 2, protowire.BytesType), pair)
	got := message(m)
	if got.text(1) != "id" || got.number(4) != 300 || got.pairs(2)["key"] != "value" || got.text(9) != "" {
		t.Errorf("read %q %d %v", got.text(1), got.number(4), got.pairs(2))
	}
	if cut := got[:len(got)-3]; cut.text(1) != "id" || len(cut.pairs(2)) != 0 {
		t.Errorf("a message that is cut short: %v", cut.pairs(2))
	}
}
