package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/pratique/pratique"
)

// componentList is the packages of images, one row for each place.
func componentList(f pratique.FindingFilter) *listing {
	l := &listing{
		columns: packageColumns + ", " + placeColumns + ", p.v_count, p.v_worst",
		from:    "FROM image_packages ip JOIN images i ON i.id = ip.image_id JOIN packages p ON p.id = ip.package_id",
		sorts:   map[string]string{"": "p.name", "name": "p.name", "type": "p.type", "version": "p.version", "path": "ip.path", "layer": "ip.layer", "vulnerabilities": "p.v_count", "worst": "p.v_worst"},
		keys:    []string{"p.id", "ip.path"},
	}
	l.and("ip.until IS NULL")
	in(l, "p.v_worst", ranks(f.Severities))
	l.words(f.Search, "p.name", "p.version", "ip.path")
	ofPackage(l, f)
	return l
}

// ImageComponents lists the packages of one image, one row for each place. Sorts:
// name (the default), type, version, path, layer, vulnerabilities, worst.
func (s *Store) ImageComponents(ctx context.Context, imageID pratique.Digest, f pratique.FindingFilter, r pratique.PageRequest) (p pratique.Page[pratique.PlacedPackage], err error) {
	l := componentList(f)
	l.and("i.digest = ?", imageID)
	layers, err := s.layersOf(ctx, imageID)
	if err != nil {
		return p, err
	}
	return page(ctx, s, l, r, func(rows *sql.Rows, v *pratique.PlacedPackage, order []any) error {
		var layer, worst int
		var place packagePlace
		targets, finish := packageTargets(&v.ComponentID, &v.Package)
		targets = append(targets, &v.Package.Path, &layer, document{&place}, &v.Vulnerabilities, &worst)
		if err := rows.Scan(append(targets, order...)...); err != nil {
			return err
		}
		finish()
		placePackage(&v.Package, layer, place, layers)
		v.Worst = ofRank(worst)
		return nil
	})
}

// BuildHistory tells what each step of an image's build brought. A finding counts
// for the layer that its package, or its file, came with.
func (s *Store) BuildHistory(ctx context.Context, imageID pratique.Digest) (h pratique.BuildHistory, err error) {
	var id int64
	if err := s.row(ctx, "SELECT id FROM images WHERE digest = ?", imageID).Scan(&id); err != nil {
		return h, found(err, "image", imageID)
	}
	var v pratique.ImageSummary
	if err := s.imageDocuments(ctx, id, &v); err != nil {
		return h, err
	}
	byLayer, err := s.layerFindings(ctx, id)
	if err != nil {
		return h, err
	}
	h.Steps = buildSteps(v.Image.History, v.Layers)
	for i := range h.Steps {
		step := &h.Steps[i]
		if step.Layer == nil {
			continue
		}
		if f := byLayer[*step.Layer]; f != nil {
			step.Findings = f
			delete(byLayer, *step.Layer)
		} else {
			step.Findings = &pratique.LayerFindings{}
		}
	}
	for _, rest := range byLayer {
		h.Config.Packages += rest.Packages
		for _, severity := range pratique.Severities() {
			*h.Config.Vulnerabilities.Of(severity) += *rest.Vulnerabilities.Of(severity)
			*h.Config.Secrets.Of(severity) += *rest.Secrets.Of(severity)
			*h.Config.Malware.Of(severity) += *rest.Malware.Of(severity)
		}
	}
	return h, nil
}

// buildSteps joins history and layers. An image that tells no history, or not all
// of it, still shows every layer.
func buildSteps(history []pratique.Instruction, layers []pratique.Layer) []pratique.BuildStep {
	steps := make([]pratique.BuildStep, 0, max(len(history), len(layers)))
	told := map[int]bool{}
	for _, instruction := range history {
		step := pratique.BuildStep{Instruction: instruction}
		if n := instruction.Layer; n != nil && *n >= 0 && *n < len(layers) && !told[*n] {
			told[*n] = true
			step.DiffID, step.Digest, step.Size, step.Uncompressed = layers[*n].DiffID, layers[*n].Digest, layers[*n].Size, layers[*n].Uncompressed
		} else {
			step.Layer = nil
		}
		steps = append(steps, step)
	}
	for i, layer := range layers {
		if !told[i] {
			steps = append(steps, pratique.BuildStep{
				Instruction: pratique.Instruction{CreatedBy: layer.Instruction, Layer: &i},
				DiffID:      layer.DiffID, Digest: layer.Digest, Size: layer.Size, Uncompressed: layer.Uncompressed,
			})
		}
	}
	return steps
}

// layerFindings counts by the index of the layer; -1 is none.
func (s *Store) layerFindings(ctx context.Context, image int64) (map[int]*pratique.LayerFindings, error) {
	all := map[int]*pratique.LayerFindings{}
	of := func(layer int) *pratique.LayerFindings {
		if all[layer] == nil {
			all[layer] = &pratique.LayerFindings{}
		}
		return all[layer]
	}
	type count struct{ layer, severity, n int }
	scan := func(rows *sql.Rows, c *count) error { return rows.Scan(&c.layer, &c.severity, &c.n) }
	packages, err := collect(ctx, s, scan, "SELECT ip.layer, 0, COUNT(*) FROM image_packages ip WHERE ip.image_id = ? AND ip.until IS NULL GROUP BY ip.layer", image)
	if err != nil {
		return nil, err
	}
	for _, c := range packages {
		of(c.layer).Packages = c.n
	}
	vulnerable, err := collect(ctx, s, scan, `SELECT ip.layer, f.severity, COUNT(*) FROM image_packages ip JOIN findings f ON f.package_id = ip.package_id AND f.until IS NULL AND f.weight = 0
		WHERE ip.image_id = ? AND ip.until IS NULL GROUP BY ip.layer, f.severity`, image)
	if err != nil {
		return nil, err
	}
	for _, c := range vulnerable {
		*of(c.layer).Vulnerabilities.Of(ofRank(c.severity)) += c.n
	}
	for table, by := range map[string]func(*pratique.LayerFindings) *pratique.BySeverity{
		"secrets": func(f *pratique.LayerFindings) *pratique.BySeverity { return &f.Secrets },
		"malware": func(f *pratique.LayerFindings) *pratique.BySeverity { return &f.Malware },
	} {
		type placed struct {
			Severity pratique.Severity `json:"severity"`
			Origin   *pratique.Origin  `json:"origin"`
		}
		documents, err := collect(ctx, s, func(rows *sql.Rows, p *placed) error { return rows.Scan(document{p}) },
			fmt.Sprintf("SELECT document FROM %s WHERE image_id = ? AND until IS NULL AND weight = 0", table), image)
		if err != nil {
			return nil, err
		}
		for _, p := range documents {
			*by(of(int(layerOf(p.Origin)))).Of(p.Severity)++
		}
	}
	return all, nil
}
