package secrets

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync"
	"unicode/utf8"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/analyze"
)

// scan is the reading of one file.
type scan struct {
	ctx      context.Context
	analyzer *Analyzer
	loaded   *loaded
	facts    *pratique.Facts
	scratch  *scratch
	mixed    bool // only what is no coincidence counts
}

func (x *scan) problem(path string, code pratique.Code, message string) {
	x.facts.Problems = append(x.facts.Problems, pratique.Problem{
		Code: code, Message: message, Analyzer: x.analyzer.Name(), Path: path, Partial: true,
	})
}

// content is looked at according to its form.
func (x *scan) content(path string, form form, c analyze.Content) error {
	switch form {
	case formNone:
		return nil
	case formKeystore:
		return x.keystore(path, c)
	case formMixed:
		x.mixed = true
	case formText:
		if b, ok := c.Bytes(); ok {
			return x.text(path, b)
		}
	}
	return x.stream(path, form, io.NewSectionReader(c, 0, c.Size()))
}

// text looks for secrets in UTF-8, or in any other encoding whose ASCII part is
// ASCII.
func (x *scan) text(path string, data []byte) error {
	x.scratch.begin()
	segments(path, data, func(t *passage) bool {
		x.segment(t, false)
		return x.goesOn(t)
	})
	x.publish(path)
	return x.ctx.Err()
}

// buffers hold a segment of a text that is not in memory, and what surrounds it.
var buffers = sync.Pool{New: func() any {
	b := make([]byte, 0, wideHead+1+segment+maxMatch+1)
	return &b
}}

// stream is text for a reader, in the same segments.
func (x *scan) stream(path string, form form, r io.Reader) error {
	if form == formUTF16LE || form == formUTF16BE {
		r = newUTF16(r, form == formUTF16BE)
	}
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	b, eof, base, from, lines := (*buf)[:0], false, 0, 0, 0
	x.scratch.begin()
	for {
		n, err := io.ReadFull(r, b[len(b):cap(b)])
		b = b[:len(b)+n]
		switch err {
		case nil:
		case io.EOF, io.ErrUnexpectedEOF:
			eof = true
		default:
			x.publish(path)
			return err
		}
		step := len(b) - from
		if step > segment+maxMatch || !eof {
			step = segment
		}
		t := &passage{path: path, data: b[:min(len(b), from+step+maxMatch)], base: base, from: from, to: from + step, line: lines}
		x.segment(t, true)
		if from+step >= len(b) || !x.goesOn(t) {
			break
		}
		cut := from + step - wideHead - 1
		lines += bytes.Count(b[:cut], []byte{'\n'})
		base += cut
		b = b[:copy(b, b[cut:])]
		from = wideHead + 1
	}
	x.publish(path)
	return x.ctx.Err()
}

// goesOn tells whether there is use in what follows a passage.
func (x *scan) goesOn(t *passage) bool {
	if x.scratch.full() && t.to < len(t.data) {
		x.scratch.short = true
		return false
	}
	return x.ctx.Err() == nil
}

// segment finds the secrets of one segment, also those in base64. When the
// buffer is going to be used again, findings get memory of their own.
func (x *scan) segment(t *passage, volatile bool) {
	s := x.scratch
	first := len(s.found)
	x.loaded.engine.scan(s, t)
	x.encoded(t)
	for i := first; i < len(s.found); i++ {
		f := &s.found[i]
		x.analyzer.guards.judge(t.path, f)
		if x.analyzer.guards.examples && commentedSample(t.data, f.start-t.base, f) {
			f.dropped = true
		}
		f.dropped = f.dropped || x.mixed && coincidence(f)
		if volatile {
			f.secret = bytes.Clone(f.secret)
		}
		f.match, f.line = nil, nil
	}
}

// coincidence tells findings that bytes of a program could make up: those known
// by a word beside them, and what no text has.
func coincidence(f *finding) bool {
	if f.rule.generic || f.rule.broad || f.rule.kind == "password" {
		return true
	}
	text := f.match[:bytes.Index(f.match, f.secret)+len(f.secret)] // what follows may be the next string
	return !utf8.Valid(text) || controls(text)
}

// publish turns the findings of a text into facts.
func (x *scan) publish(path string) {
	s := x.scratch
	if s.short {
		x.problem(path, pratique.CodeLimit, fmt.Sprintf("not all candidates were looked at: more than %d secrets, or more work than is allowed for one file", maxFindings))
	}
	for _, f := range distinct(s.found, false) {
		x.facts.Secrets = append(x.facts.Secrets, x.analyzer.secret(&f, "file", path))
	}
	s.begin()
}

func (x *scan) addPath(r *rule, path string) {
	f := finding{rule: r}
	x.analyzer.guards.judge(path, &f)
	if f.dropped {
		return
	}
	secret := x.analyzer.secret(&f, "file", path)
	secret.Line, secret.Preview, secret.Hash = 0, "", ""
	x.facts.Secrets = append(x.facts.Secrets, secret)
}
