package layer

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"io"
	"reflect"
	"testing"
)

// FuzzSplitLine: what is read without JSON says what JSON says.
func FuzzSplitLine(f *testing.F) {
	for _, line := range []string{
		`{"type":1,"name":"usr/bin/env","size":48536,"payload":"VcP6ZzHFmbk=","position":7}`,
		`{"type":1,"name":"etc/","payload":null,"position":9}`,
		`{"type":1,"name":"a\\u003cb","size":1,"payload":"VcP6ZzHFmbk=","position":7}`,
		`{"type":1,"name":"a","size":01,"payload":"VcP6ZzHFmbk=","position":7,"name":"b"}`,
		`{"type":1,"name":"a","size":9223372036854775807,"payload":"VcP6ZzHFmbk=","position":7}`,
		`{"type":2,"payload":"AAAA","position":0}`,
		`{"type":2,"payload":"AAAA","position":0,"payload":"BBBB"}`,
	} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var l, want splitLine
		if !l.segment(raw) && !l.file(raw) {
			return
		}
		if err := json.Unmarshal(raw, &want); err != nil {
			t.Fatalf("%q was read, and is no JSON: %v", raw, err)
		}
		if want.Type == splitFile {
			want.Payload = nil // its sum, which nobody asks for
		}
		if l.Type != want.Type || l.Name != want.Name || l.Size != want.Size || !bytes.Equal(l.Payload, want.Payload) || want.NameRaw != nil {
			t.Fatalf("%q: %+v, and JSON says %+v", raw, l, want)
		}
	})
}

// FuzzPlainHeader: what is read without package tar says what that says.
func FuzzPlainHeader(f *testing.F) {
	for _, h := range []tar.Header{
		{Name: "usr/bin/env", Typeflag: tar.TypeReg, Mode: 0o4755, Size: 5, Format: tar.FormatUSTAR},
		{Name: "etc/", Typeflag: tar.TypeDir, Mode: 0o755, Format: tar.FormatGNU},
		{Name: "bin", Typeflag: tar.TypeSymlink, Linkname: "usr/bin", Format: tar.FormatUSTAR},
		{Name: "long/" + string(bytes.Repeat([]byte("x"), 98)), Typeflag: tar.TypeLink, Linkname: "a", Format: tar.FormatUSTAR},
	} {
		var out bytes.Buffer
		w := tar.NewWriter(&out)
		if err := w.WriteHeader(&h); err != nil {
			f.Fatal(err)
		}
		f.Add(out.Bytes()[:512])
	}
	f.Fuzz(func(t *testing.T, block []byte) {
		h := plainHeader(block)
		if h == nil && len(block) == 512 { // most blocks have a wrong sum: give this one the right one
			block = bytes.Clone(block)
			sum := 8 * 32
			for i, b := range block {
				if i < 148 || i >= 156 {
					sum += int(b)
				}
			}
			copy(block[148:156], []byte{byte('0' + sum>>15&7), byte('0' + sum>>12&7), byte('0' + sum>>9&7), byte('0' + sum>>6&7), byte('0' + sum>>3&7), byte('0' + sum&7), 0, ' '})
			h = plainHeader(block)
		}
		if h == nil {
			return
		}
		want, err := tar.NewReader(bytes.NewReader(block)).Next()
		if want == nil && err != io.EOF {
			t.Fatalf("%q was read, and package tar says %v", block, err)
		}
		if want == nil {
			return
		}
		told := tar.Header{Name: want.Name, Typeflag: want.Typeflag, Mode: want.Mode, Linkname: want.Linkname}
		if want.Typeflag == tar.TypeReg {
			told.Size = want.Size // others have no content, whatever they say
		}
		if !reflect.DeepEqual(*h, told) {
			t.Fatalf("%q: %+v, and package tar says %+v", block, h, told)
		}
	})
}
