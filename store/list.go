package store

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/pratique/pratique"
)

// A listing is a list with its filter, ready to be counted or read page by page.
type listing struct {
	columns string
	from    string
	where   []string
	args    []any
	// sorts are the columns that one may sort by; none of them may be NULL. ""
	// names the default one.
	sorts map[string]string
	desc  bool // the default order is descending
	// keys make the order of rows that sort the same.
	keys []string
	// pick may be the column that tells rows apart. The rows of a page are then chosen
	// by what orders them alone, and only they are read whole: sorting carries all
	// columns of all rows along, and rows are wide.
	pick string
	// narrow may be what is enough of from to choose and to count rows.
	narrow string
	// narrowBy is what to choose rows from in an order that another table has an index
	// for: then a page is read and not sorted out of all rows.
	narrowBy map[string]string
}

// and adds a condition.
func (l *listing) and(condition string, args ...any) {
	l.where = append(l.where, condition)
	l.args = append(l.args, args...)
}

// in adds "column is one of the values", unless there is no value.
func in[T any](l *listing, column string, values []T) {
	if len(values) > 0 {
		list, args := marks(values)
		l.and(column+" IN ("+list+")", args...)
	}
}

// inIDs does it for ids, of which there may be many.
func (l *listing) inIDs(column string, ids []int64) {
	if len(ids) > 0 {
		l.and(column + " IN (" + numbers(ids) + ")")
	}
}

// during adds "the time is in the range".
func (l *listing) during(column string, r pratique.TimeRange) {
	if r.From != nil {
		l.and(column+" >= ?", at(*r.From))
	}
	if r.To != nil {
		l.and(column+" < ?", at(*r.To))
	}
}

// words adds a condition for each word of a search: it must occur in one of the
// columns, whatever its case.
func (l *listing) words(search string, columns ...string) {
	for _, word := range searchWords(search) {
		var any []string
		for _, c := range columns {
			any = append(any, "LOWER("+c+`) LIKE ? ESCAPE '\'`)
			l.args = append(l.args, like(word))
		}
		l.where = append(l.where, "("+strings.Join(any, " OR ")+")")
	}
}

// maxWords of a search; more are not looked at.
const maxWords = 10

func searchWords(search string) []string {
	words := strings.Fields(strings.ToLower(text(search)))
	return words[:min(len(words), maxWords)]
}

// searchable is a text as searches look at it.
func searchable(parts ...string) string {
	return strings.ToLower(bounded(strings.Join(parts, " "), 4000))
}

func (l *listing) condition() string {
	if len(l.where) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(l.where, " AND ")
}

// cursor is where a page ended.
type cursor struct {
	Sort   string `json:"s"`
	Desc   bool   `json:"d"`
	Values []any  `json:"v"` // of the sort column and the keys
}

func (c cursor) encode() (string, error) {
	b, err := json.Marshal(c)
	return base64.RawURLEncoding.EncodeToString(b), err
}

func decodeCursor(s string) (c cursor, err error) {
	invalid := func() (cursor, error) {
		return c, pratique.Errorf(pratique.CodeInvalid, "this is no cursor of this list").WithRemedy("begin with the first page, and keep sort and order while paging")
	}
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) > 16<<10 {
		return invalid()
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(&c); err != nil {
		return invalid()
	}
	if _, err := d.Token(); err != io.EOF {
		return invalid()
	}
	for i, v := range c.Values {
		switch v := v.(type) {
		case json.Number:
			if n, err := v.Int64(); err == nil {
				c.Values[i] = n
			} else if f, err := v.Float64(); err == nil {
				c.Values[i] = f
			} else {
				return invalid()
			}
		case string:
		default:
			return invalid()
		}
	}
	return c, nil
}

// page reads one page. scan gets the targets of the order's columns, which come
// last.
func page[T any](ctx context.Context, s *Store, l *listing, r pratique.PageRequest, scan func(rows *sql.Rows, item *T, order []any) error) (p pratique.Page[T], err error) {
	order, ok := l.sorts[r.Sort]
	if !ok {
		return p, pratique.Errorf(pratique.CodeInvalid, "one cannot sort by %q here", r.Sort).WithRemedy("sort by one of: %s", strings.Join(l.sortNames(), ", "))
	}
	limit := r.Limit
	if limit == 0 {
		limit = 50
	}
	if limit < 0 || limit > pratique.MaxPage {
		return p, pratique.Errorf(pratique.CodeInvalid, "a page of %d rows", limit).WithRemedy("ask for 1 to %d", pratique.MaxPage)
	}
	desc := r.Desc
	if r.Sort == "" {
		desc = desc != l.desc
	}
	if r.Count {
		if err := s.counting().row(ctx, "SELECT COUNT(*) "+cmp.Or(l.narrow, l.from)+l.condition(), slices.Clone(l.args)...).Scan(&p.Total); err != nil {
			return p, s.mapped(err)
		}
	}
	by := append([]string{order}, l.keys...)
	direction, beyond := " ASC", ">"
	if desc {
		direction, beyond = " DESC", "<"
	}
	after := &listing{where: slices.Clone(l.where), args: slices.Clone(l.args)}
	if r.Cursor != "" {
		c, err := decodeCursor(r.Cursor)
		if err != nil {
			return p, err
		}
		if c.Sort != r.Sort || c.Desc != desc || len(c.Values) != len(by) {
			return p, pratique.Errorf(pratique.CodeInvalid, "the cursor belongs to another order").WithRemedy("begin with the first page after changing sort or order")
		}
		list, _ := marks(c.Values)
		after.and("("+strings.Join(by, ", ")+") "+beyond+" ("+list+")", c.Values...)
	}
	ordered := " ORDER BY " + strings.Join(by, direction+", ") + direction
	chosen := after.condition()
	if l.pick != "" {
		chosen = " WHERE " + l.pick + " IN (SELECT " + l.pick + " " + cmp.Or(l.narrowBy[r.Sort], l.narrow, l.from) + chosen + ordered + fmt.Sprintf(" LIMIT %d)", limit+1)
	}
	rows, err := s.query(ctx, "SELECT "+l.columns+", "+strings.Join(by, ", ")+" "+l.from+chosen+ordered+fmt.Sprintf(" LIMIT %d", limit+1), after.args...)
	if err != nil {
		return p, err
	}
	values := make([]any, len(by))
	last := values
	targets := make([]any, len(by))
	for rows.Next() {
		if len(p.Items) == limit { // there is more
			p.Next, err = cursor{r.Sort, desc, last}.encode()
			return p, closed(rows, err)
		}
		for i := range values {
			targets[i] = &values[i]
		}
		var item T
		if err := scan(rows, &item, targets); err != nil {
			return p, closed(rows, err)
		}
		for i, v := range values {
			if b, ok := v.([]byte); ok {
				values[i] = string(b)
			}
		}
		last = slices.Clone(values)
		p.Items = append(p.Items, item)
	}
	if p.Items == nil {
		p.Items = []T{}
	}
	return p, s.mapped(closed(rows, rows.Err()))
}

func (l *listing) sortNames() []string {
	var names []string
	for name := range l.sorts {
		if name != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
