package store

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/pratique/pratique"
)

// at is a time as it is kept: microseconds since 1970, UTC.
func at(t time.Time) int64 { return t.UnixMicro() }

// atOrNull keeps nil and the zero time as NULL.
func atOrNull(t *time.Time) any {
	if t == nil || t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

func fromMicros(v int64) time.Time { return time.UnixMicro(v).UTC() }

// into scans a time that is always there.
type into struct{ to *time.Time }

func (i into) Scan(v any) error {
	n, err := integer(v)
	if err == nil {
		*i.to = fromMicros(n)
	}
	return err
}

// intoOrNil scans a time that may be missing.
type intoOrNil struct{ to **time.Time }

func (i intoOrNil) Scan(v any) error {
	*i.to = nil
	if v == nil {
		return nil
	}
	n, err := integer(v)
	if err == nil {
		t := fromMicros(n)
		*i.to = &t
	}
	return err
}

func integer(v any) (int64, error) {
	if n, ok := v.(int64); ok {
		return n, nil
	}
	return 0, fmt.Errorf("a %T where an integer is kept", v)
}

// document is a value that is kept as JSON, whatever the column's type is called.
type document struct{ v any }

func (d document) Value() (driver.Value, error) {
	b, err := json.Marshal(d.v)
	if err != nil {
		return nil, err
	}
	return withoutEscapedNUL(string(b)), nil
}

// Scan leaves the destination as it is for NULL.
func (d document) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		return nil
	case string:
		return json.Unmarshal([]byte(v), d.v)
	case []byte:
		return json.Unmarshal(v, d.v)
	}
	return fmt.Errorf("a %T where JSON is kept", v)
}

// documentOrNull keeps nil pointers as NULL.
func documentOrNull[T any](v *T) any {
	if v == nil {
		return nil
	}
	return document{v}
}

// clean makes arguments fit for both engines: names in an image may hold
// anything, but PostgreSQL takes neither NUL nor bytes that are not UTF-8. It
// changes its argument.
func clean(args []any) []any {
	for i, v := range args {
		if s, ok := v.(string); ok {
			args[i] = text(s)
		} else if r := reflect.ValueOf(v); r.Kind() == reflect.String {
			args[i] = text(r.String())
		}
	}
	return args
}

func text(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "�"), "\x00", "�")
}

// withoutEscapedNUL replaces \u0000 in JSON, which PostgreSQL refuses, but not the end of an escaped
// backslash before "u0000".
func withoutEscapedNUL(s string) string {
	if !strings.Contains(s, `\u0000`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		if strings.HasPrefix(s[i:], `\u0000`) {
			b.WriteString("�")
			i += 5
			continue
		}
		b.WriteString(s[i : i+2])
		i++
	}
	return b.String()
}

// bounded cuts a text that an image's author wrote to n bytes at most.
func bounded(s string, n int) string {
	s = text(s)
	if len(s) > n {
		s = strings.ToValidUTF8(s[:n], "")
	}
	return s
}

// maxIndexed bounds texts in indexes, in bytes: PostgreSQL's take less than 2700,
// and what is in an image may be as long as its author wants.
const maxIndexed = 1000

// indexable is s, or where it is too long its beginning and its digest.
func indexable(s string) string {
	if s = text(s); len(s) <= maxIndexed {
		return s
	}
	return bounded(s, maxIndexed-100) + "…" + digestOf(s)
}

// ofRank is the inverse of Severity.Rank; a negative rank is "no severity".
func ofRank(rank int) pratique.Severity {
	for _, s := range pratique.Severities() {
		if s.Rank() == rank {
			return s
		}
	}
	return ""
}

// numbers lists integers for "IN (…)", where placeholders would be too many.
// Integers need no quoting.
func numbers(ids []int64) string {
	if len(ids) == 0 {
		return "NULL" // IN (NULL) is never true
	}
	var b strings.Builder
	for i, id := range ids {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%d", id)
	}
	return b.String()
}

// marks is "?, ?, ?" for n values, and their slice as arguments.
func marks[T any](values []T) (string, []any) {
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = v
	}
	if len(values) == 0 {
		return "NULL", nil
	}
	return "?" + strings.Repeat(", ?", len(values)-1), args
}

// chunk is how many values go into one "IN (…)".
const chunk = 500

// micros0 keeps the zero time as 0, for columns that one sorts by.
func micros0(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}
