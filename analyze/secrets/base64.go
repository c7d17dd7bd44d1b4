package secrets

import (
	"bytes"
	"encoding/base64"
	"unicode/utf8"
)

const (
	minEncoded  = 24       // characters of base64 worth a look
	maxEncoded  = 64 << 10 // characters that are looked at
	aroundCode  = 96       // bytes before the code that rules may need: the name of a setting
	behindCode  = 4
	maxDecoding = 2 << 20 // bytes decoded in one segment
)

// codeByte tells the letters of base64, both alphabets.
var codeByte = func() (t [256]bool) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_") {
		t[c] = true
	}
	return t
}()

// encoded looks for secrets in text that is wrapped in base64, one level deep:
// the code is replaced by what it says, and the rules look again at that
// place. Findings are reported where the code is.
func (x *scan) encoded(t *passage) {
	e := x.loaded.engine
	inner := e.scratch.Get().(*scratch)
	defer e.scratch.Put(inner)
	total := 0
	for at := t.from; at < t.to && total < maxDecoding; {
		start, end := nextCode(t.data, at)
		if start < 0 || start >= t.to {
			return
		}
		plain, end := decode(t.data, start, end)
		at = end
		if plain == nil {
			continue
		}
		total += len(plain)
		before := t.data[max(0, start-aroundCode):start]
		before = before[bytes.LastIndexByte(before, '\n')+1:]
		stop := min(end+3, len(t.data))
		after := t.data[end:min(len(t.data), stop+behindCode)]
		after = bytes.TrimLeft(after, "=")
		joined := bytes.Join([][]byte{before, plain, after}, nil)
		inner.begin()
		segments(t.path, joined, func(u *passage) bool { e.scan(inner, u); return true })
		line := 0
		for _, f := range inner.found {
			if f.end <= len(before) || f.start >= len(before)+len(plain) {
				continue // it was found without decoding
			}
			if line == 0 {
				line = x.scratch.lineOf(t, start)
			}
			f.start, f.end, f.lineNo = t.base+start, t.base+end, line
			x.scratch.found = append(x.scratch.found, f)
		}
	}
}

// nextCode returns the next run of at least minEncoded letters of base64. It
// looks at every minEncoded-th byte only: a run cannot hide between.
func nextCode(data []byte, from int) (start, end int) {
	for i := from + minEncoded - 1; i < len(data); {
		if !codeByte[data[i]] {
			i += minEncoded
			continue
		}
		start = i
		for start > from && codeByte[data[start-1]] {
			start--
			if i-start >= minEncoded {
				break
			}
		}
		end = i + 1
		for end < len(data) && codeByte[data[end]] {
			end++
		}
		if end-start >= minEncoded {
			for start > from && codeByte[data[start-1]] {
				start--
			}
			return start, end
		}
		from = end
		i = end + minEncoded - 1
	}
	return -1, -1
}

// decode returns the text that data[start:end] encodes, going on over line
// breaks as `base64` makes them, and where the code ends; nil if it is no text.
func decode(data []byte, start, end int) ([]byte, int) {
	var probe [6]byte
	if _, err := encodingFor(data[start:start+8]).Decode(probe[:], data[start:start+8]); err != nil || controls(probe[:]) {
		return nil, end
	}
	code := data[start:min(end, start+maxEncoded)]
	if end-start >= 60 && end+1 < len(data) {
		code, end = unwrap(data, start, end)
	}
	code = code[:len(code)-len(code)%4+[4]int{0, 0, 2, 3}[len(code)%4]]
	plain := make([]byte, base64.RawStdEncoding.DecodedLen(len(code)))
	n, err := encodingFor(code).Decode(plain, code)
	if err != nil || controls(plain[:n]) || !utf8.Valid(plain[:n]) {
		return nil, end
	}
	return plain[:n], end
}

func encodingFor(code []byte) *base64.Encoding {
	if bytes.ContainsAny(code, "-_") {
		return base64.RawURLEncoding
	}
	return base64.RawStdEncoding
}

// unwrap joins lines of code of one length and tells where the last ends.
func unwrap(data []byte, start, end int) ([]byte, int) {
	width := end - start
	code := bytes.Clone(data[start:end])
	for len(code) < maxEncoded {
		next := end
		for next < len(data) && (data[next] == '\n' || data[next] == '\r' || data[next] == ' ' || data[next] == '\t') {
			next++
		}
		stop := next
		for stop < len(data) && codeByte[data[stop]] {
			stop++
		}
		if next == end || next > end+64 || stop == next || stop-next > width {
			break
		}
		code = append(code, data[next:stop]...)
		end = stop
		if stop-next < width {
			break
		}
	}
	return code, end
}

// controls tells whether b has characters that text does not have.
func controls(b []byte) bool {
	for _, c := range b {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' || c == 0x7f {
			return true
		}
	}
	return false
}
