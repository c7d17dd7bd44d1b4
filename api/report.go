package api

import (
	"context"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/report"
)

type reportInput struct {
	ImageID
	Format string `query:"format" enum:"html,json,cyclonedx,spdx,table" default:"html"`
	Lang   string `query:"lang" enum:"en,zh" default:"en" doc:"Of the HTML report"`
}

func (s *server) reportOperations() {
	handle(s, operation{id: "downloadReport", method: http.MethodGet, path: "/contents/{imageID}/report", tag: "contents", right: RightRead,
		summary: "The report of an image as a file", detail: "What was read at its last scan, judged by what is known now. cyclonedx and spdx are bills of materials.",
		adjust: func(o *huma.Operation) {
			o.Responses["200"] = &huma.Response{Description: "The file", Content: map[string]*huma.MediaType{"application/octet-stream": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}}
		}},
		func(ctx context.Context, in *reportInput) (*huma.StreamResponse, error) {
			r, err := s.Contents.Report(ctx, in.digest())
			if err != nil {
				return nil, err
			}
			if err := s.nameReport(ctx, r); err != nil {
				return nil, err
			}
			s.Judge(r)
			s.did(ctx, "report.download", string(r.Image.ID), in.Format)
			return &huma.StreamResponse{Body: func(ctx huma.Context) { sendReport(ctx, r, in.Format, in.Lang) }}, nil
		})
}

// nameReport calls the image by what it is called now.
func (s *server) nameReport(ctx context.Context, r *pratique.Report) error {
	names, err := s.Images.AssetNames(ctx, []pratique.Digest{r.Image.ID})
	if err != nil {
		return err
	}
	if n, ok := names[r.Image.ID]; ok && r.Image.Name == "" {
		r.Image.Name = strings.TrimSuffix(n.RegistryName+"/"+n.Repository+":"+n.Tag, ":")
	}
	return nil
}

// reportEndings of files, by format.
var reportEndings = map[string]string{"html": ".html", "json": ".json", "cyclonedx": ".cdx.json", "spdx": ".spdx.json", "table": ".txt"}

// reportLimit bounds the sending of one report.
const reportLimit = 10 * time.Minute

func sendReport(ctx huma.Context, r *pratique.Report, format, lang string) {
	request, w := humago.Unwrap(ctx)
	log := exchangeOf(request.Context()).log
	if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(reportLimit)); err != nil {
		log.Debug("no deadline for a report", "error", err)
	}
	for _, f := range report.Formats() {
		if f.Name != format {
			continue
		}
		w.Header().Set("Content-Type", f.MediaType)
		w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": reportName(r) + reportEndings[format]}))
		w.Header().Set("Cache-Control", "private, no-store")
		if err := f.Write(w, r, report.Options{Language: lang, All: true}); err != nil {
			log.Debug("a report was not taken", "error", err)
		}
	}
}

// reportName is a file's name after the image's: letters, digits, dots and dashes.
func reportName(r *pratique.Report) string {
	name := r.Image.Name
	if name == "" {
		name = string(r.Image.ID)
	}
	safe := strings.Map(func(c rune) rune {
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '-' || c == '_' {
			return c
		}
		return '-'
	}, bounded(name, 120))
	return strings.Trim(safe, ".-")
}
