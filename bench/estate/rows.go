package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// table collects rows of one table, and writes them many at a time. Values are
// written into the statement, which both engines read alike.
type table struct {
	into string
	// needs are tables that rows of this one refer to: theirs are written first.
	needs []*table
	tx    *sql.Tx
	text  strings.Builder
	n     int
	err   error
}

const rowsOfStatement = 200

func (t *table) add(ctx context.Context, values ...any) {
	if t.n > 0 {
		t.text.WriteByte(',')
	}
	t.text.WriteByte('(')
	for i, v := range values {
		if i > 0 {
			t.text.WriteByte(',')
		}
		t.literal(v)
	}
	t.text.WriteByte(')')
	if t.n++; t.n == rowsOfStatement {
		t.flush(ctx)
	}
}

func (t *table) literal(v any) {
	switch v := v.(type) {
	case nil:
		t.text.WriteString("NULL")
	case int:
		t.text.WriteString(strconv.Itoa(v))
	case int64:
		t.text.WriteString(strconv.FormatInt(v, 10))
	case float64:
		t.text.WriteString(strconv.FormatFloat(v, 'f', 6, 64))
	case bool:
		t.text.WriteString(strings.ToUpper(strconv.FormatBool(v)))
	case string:
		t.text.WriteString("'" + strings.ReplaceAll(v, "'", "''") + "'")
	default: // a document
		b, err := json.Marshal(v)
		if err != nil && t.err == nil {
			t.err = err
		}
		t.literal(string(b))
	}
}

func (t *table) flush(ctx context.Context) {
	if t.n > 0 {
		for _, n := range t.needs {
			n.flush(ctx)
		}
	}
	if t.n > 0 && t.err == nil {
		if _, err := t.tx.ExecContext(ctx, "INSERT INTO "+t.into+" VALUES "+t.text.String()); err != nil {
			t.err = fmt.Errorf("%s: %w", t.into, err)
		}
	}
	t.text.Reset()
	t.n = 0
}
