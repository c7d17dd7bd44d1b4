package api

import (
	"context"
	"io"
	"mime"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/export"
)

// Exports makes files of lists.
type Exports interface {
	Preview(ctx context.Context, r pratique.ExportRequest) (pratique.ExportNeed, error)
	Create(ctx context.Context, r pratique.ExportRequest, by string) (pratique.Export, error)
	// Open is CodeConflict until the export is finished, and CodeNotFound when its
	// file has expired.
	Open(ctx context.Context, id int64) (v pratique.Export, contentType string, f *os.File, err error)
	Delete(ctx context.Context, id int64) (pratique.Export, error)
}

// ExportStore lists exports.
type ExportStore interface {
	Export(ctx context.Context, id int64) (pratique.Export, error)
	Exports(ctx context.Context, f pratique.ExportFilter, r pratique.PageRequest) (pratique.Page[pratique.Export], error)
}

// ExportInput is what people choose.
type ExportInput struct {
	Kind       string                   `json:"kind" maxLength:"32" doc:"One of /export-kinds" example:"images"`
	Format     string                   `json:"format" enum:"csv,xlsx,json,html"`
	Name       string                   `json:"name,omitempty" maxLength:"200" doc:"Of the file, without its ending"`
	Columns    []string                 `json:"columns,omitempty" maxItems:"100" doc:"In the order of the file; empty is all"`
	Language   string                   `json:"language,omitempty" enum:"en,zh" default:"en" doc:"Of headers and words; JSON has neither"`
	BOM        bool                     `json:"bom,omitempty" doc:"CSV: begin with a byte order mark, so that Excel sees that it is UTF-8"`
	Sort       string                   `json:"sort,omitempty" maxLength:"64" doc:"As for the list: a column, with - before it for descending order"`
	Images     pratique.AssetFilter     `json:"images,omitzero" doc:"As for the list of images; ids are ticked rows, exclude takes rows out of all"`
	Findings   pratique.FindingFilter   `json:"findings,omitzero" doc:"Narrows what was found in the images"`
	Tasks      pratique.TaskFilter      `json:"tasks,omitzero"`
	Scans      pratique.ScanFilter      `json:"scans,omitzero"`
	Hosts      pratique.HostFilter      `json:"hosts,omitzero"`
	Containers pratique.ContainerFilter `json:"containers,omitzero"`
	Events     pratique.EventFilter     `json:"events,omitzero" doc:"Changes of one image, or of one vulnerability"`
}

func (in ExportInput) request() pratique.ExportRequest {
	return pratique.ExportRequest{
		Kind: in.Kind, Format: in.Format, Name: in.Name, Columns: in.Columns, Language: in.Language, BOM: in.BOM, Sort: in.Sort,
		Images: in.Images, Findings: in.Findings, Tasks: in.Tasks, Scans: in.Scans, Hosts: in.Hosts, Containers: in.Containers, Events: in.Events,
	}
}

// ExportRow is one with how far it is.
type ExportRow struct {
	pratique.Export
	Progress int `json:"progress" doc:"Per cent"`
}

func exportRow(v pratique.Export) ExportRow {
	row := ExportRow{Export: v}
	switch {
	case v.State == pratique.ExportSuccess || v.State == pratique.ExportExpired:
		row.Progress = 100
	case v.Total > 0:
		row.Progress = min(99, v.Rows*100/v.Total)
	}
	return row
}

// ExportKinds are what can be exported.
type ExportKinds struct {
	Kinds   []export.Kind   `json:"kinds"`
	Formats []export.Format `json:"formats"`
}

type exportsInput struct {
	Paging
	State  []string  `query:"state" maxItems:"8" enum:"waiting,running,success,failed,expired"`
	Kind   []string  `query:"kind" maxItems:"32"`
	By     string    `query:"by" maxLength:"128"`
	Search string    `query:"search" maxLength:"256" doc:"Words of the file's name"`
	From   time.Time `query:"from"`
	To     time.Time `query:"to"`
}

func (in *exportsInput) filter() (pratique.ExportFilter, error) {
	return pratique.ExportFilter{States: as[pratique.ExportState](in.State), Kinds: in.Kind, By: in.By, Search: in.Search, Created: between(in.From, in.To)}, nil
}

type createdExport struct {
	Location string `header:"Location"`
	Body     ExportRow
}

func (s *server) exportOperations() {
	if s.Exports == nil || s.ExportRows == nil {
		return
	}
	s.exportReading()
	s.exportWriting()
}

func (s *server) exportReading() {
	handle(s, operation{id: "listExportKinds", method: http.MethodGet, path: "/export-kinds", tag: "exports", right: RightRead,
		summary: "Lists that can be exported, with their columns, and the formats"},
		func(context.Context, *struct{}) (*body[ExportKinds], error) {
			return &body[ExportKinds]{ExportKinds{Kinds: export.Kinds(), Formats: export.Formats()}}, nil
		})
	list[exportsInput](s, listing[pratique.ExportFilter, ExportRow]{
		operation: operation{id: "listExports", path: "/exports", tag: "exports", right: RightRead, summary: "Exports, newest first"},
		sorts:     []string{"created", "rows", "name"},
		fetch: func(ctx context.Context, f pratique.ExportFilter, r pratique.PageRequest) (page pratique.Page[ExportRow], err error) {
			all, err := s.ExportRows.Exports(ctx, f, r)
			page.Next, page.Total = all.Next, all.Total
			for _, v := range all.Items {
				page.Items = append(page.Items, exportRow(v))
			}
			return page, err
		},
	})
	handle(s, operation{id: "getExport", method: http.MethodGet, path: "/exports/{id}", tag: "exports", right: RightRead, summary: "One export, with how far it is"},
		func(ctx context.Context, in *RowID) (*body[ExportRow], error) {
			v, err := s.ExportRows.Export(ctx, in.ID)
			return &body[ExportRow]{exportRow(v)}, err
		})
	handle(s, operation{id: "downloadExport", method: http.MethodGet, path: "/exports/{id}/file", tag: "exports", right: RightRead,
		summary: "The file of an export", detail: "Once its state is success; 409 before, 404 when it has expired. Parts of it can be asked for (Range).",
		adjust: func(o *huma.Operation) {
			o.Responses["200"] = &huma.Response{Description: "The file", Content: map[string]*huma.MediaType{"application/octet-stream": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}}
		}},
		func(ctx context.Context, in *RowID) (*huma.StreamResponse, error) {
			v, contentType, f, err := s.Exports.Open(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			s.did(ctx, "export.download", v.FileName, "")
			return &huma.StreamResponse{Body: func(ctx huma.Context) { sendFile(ctx, v, contentType, f) }}, nil
		})
}

// downloadLimit bounds one download.
const downloadLimit = 2 * time.Hour

// sendFile sends a file as one that is to be kept, and not shown.
func sendFile(ctx huma.Context, v pratique.Export, contentType string, f io.ReadSeekCloser) {
	r, w := humago.Unwrap(ctx)
	log := exchangeOf(r.Context()).log
	defer func() {
		if err := f.Close(); err != nil {
			log.Debug("the file of an export was not closed", "error", err)
		}
	}()
	if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(downloadLimit)); err != nil {
		log.Debug("no deadline for a download", "error", err)
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": v.FileName}))
	w.Header().Set("Cache-Control", "private, no-store")
	http.ServeContent(w, r, "", *v.Ended, f)
}

func (s *server) exportWriting() {
	handle(s, operation{id: "previewExport", method: http.MethodPost, path: "/exports/preview", tag: "exports", right: RightRead,
		summary: "How many rows an export would have, and how many the format takes"},
		func(ctx context.Context, in *struct{ Body ExportInput }) (*body[pratique.ExportNeed], error) {
			need, err := s.Exports.Preview(ctx, in.Body.request())
			return &body[pratique.ExportNeed]{need}, err
		})
	handle(s, operation{id: "createExport", method: http.MethodPost, path: "/exports", tag: "exports", right: RightRead, status: http.StatusCreated,
		summary: "Export a list", detail: "A list that is longer than the format takes is refused; rows are never left out. GET /exports/{id} tells how far it is."},
		func(ctx context.Context, in *struct{ Body ExportInput }) (*createdExport, error) {
			v, err := s.Exports.Create(ctx, in.Body.request(), exchangeOf(ctx).user)
			if err != nil {
				return nil, err
			}
			s.did(ctx, "export.create", v.FileName, strconv.Itoa(v.Total)+" rows")
			return &createdExport{Location: basePath + "/exports/" + strconv.FormatInt(v.ID, 10), Body: exportRow(v)}, nil
		})
	handle(s, operation{id: "deleteExport", method: http.MethodDelete, path: "/exports/{id}", tag: "exports", right: RightRead, status: http.StatusNoContent,
		summary: "Remove an export and its file", detail: "One that runs is stopped."},
		func(ctx context.Context, in *RowID) (*struct{}, error) {
			v, err := s.Exports.Delete(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			s.did(ctx, "export.delete", v.FileName, "")
			return nil, nil
		})
}
