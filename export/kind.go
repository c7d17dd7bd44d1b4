package export

import (
	"context"
	"slices"
	"strings"

	"github.com/pratique/pratique"
)

// Column is a column that one may choose.
type Column struct {
	ID    string        `json:"id"`
	Title pratique.Text `json:"title"`
}

// Kind is a list that can be exported.
type Kind struct {
	ID      string        `json:"id"`
	Label   pratique.Text `json:"label"`
	Filters []string      `json:"filters"` // which filters of a request narrow it: images, findings, tasks, scans, hosts, containers, events
	Sorts   []string      `json:"sorts"`   // within each image, for what is found in images
	Columns []Column      `json:"columns"` // in their order when none are chosen

	check func(pratique.ExportRequest) error // may be nil
	count func(ctx context.Context, s Source, r pratique.ExportRequest) (int, error)
	// rows calls yield with the values of the chosen columns.
	rows func(ctx context.Context, s Source, r pratique.ExportRequest, chosen []int, yield func([]value) error) error
}

// column is a column of rows of type T.
type column[T any] struct {
	id, en, zh string
	of         func(T) value
}

// table makes a kind of its columns and of a function that reads its rows.
func table[T any](k Kind, columns []column[T], read func(ctx context.Context, s Source, r pratique.ExportRequest, yield func(T) error) error) Kind {
	for _, c := range columns {
		k.Columns = append(k.Columns, Column{c.id, pratique.Text{EN: c.en, ZH: c.zh}})
	}
	k.rows = func(ctx context.Context, s Source, r pratique.ExportRequest, chosen []int, yield func([]value) error) error {
		row := make([]value, len(chosen))
		return read(ctx, s, r, func(v T) error {
			for i, c := range chosen {
				row[i] = columns[c].of(v)
			}
			return yield(row)
		})
	}
	return k
}

// choose finds the columns of a request, in its order.
func (k Kind) choose(ids []string) ([]int, error) {
	var chosen []int
	for _, id := range ids {
		i := slices.IndexFunc(k.Columns, func(c Column) bool { return c.ID == id })
		if i < 0 || slices.Contains(chosen, i) {
			return nil, pratique.Errorf(pratique.CodeInvalid, "%.40q is no column of %s, or is named twice", id, k.ID).WithRemedy("choose some of: %s", strings.Join(k.columnIDs(), ", "))
		}
		chosen = append(chosen, i)
	}
	if len(ids) == 0 {
		for i := range k.Columns {
			chosen = append(chosen, i)
		}
	}
	return chosen, nil
}

func (k Kind) columnIDs() []string {
	var all []string
	for _, c := range k.Columns {
		all = append(all, c.ID)
	}
	return all
}

// order is "-name" as a request for pages.
func order(sort string) pratique.PageRequest {
	column, desc := strings.CutPrefix(sort, "-")
	return pratique.PageRequest{Sort: column, Desc: desc}
}

// Kinds are all lists.
func Kinds() []Kind {
	return []Kind{images(), findings(), affected(), vulnerabilities(), components(), packages(), secrets(), malware(), tasks(), scans(), hosts(), containers(), changes()}
}

func kindOf(id string) (Kind, bool) {
	for _, k := range Kinds() {
		if k.ID == id {
			return k, true
		}
	}
	return Kind{}, false
}
