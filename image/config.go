package image

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pratique/pratique"
)

// config is the part of image-spec's "OCI Image Configuration" that matters here;
// Docker's is the same.
type config struct {
	Created      *time.Time `json:"created"`
	Author       string     `json:"author"`
	OS           string     `json:"os"`
	OSVersion    string     `json:"os.version"`
	Architecture string     `json:"architecture"`
	Variant      string     `json:"variant"`
	Config       struct {
		User         string
		Env          []string
		Entrypoint   []string
		Cmd          []string
		WorkingDir   string
		Labels       map[string]string
		ExposedPorts map[string]struct{}
	} `json:"config"`
	RootFS struct {
		DiffIDs []pratique.Digest `json:"diff_ids"`
	} `json:"rootfs"`
	History []struct {
		Created    *time.Time `json:"created"`
		CreatedBy  string     `json:"created_by"`
		Comment    string     `json:"comment"`
		EmptyLayer bool       `json:"empty_layer"`
	} `json:"history"`
}

// Describe reads an image's config: what it is for, how it was built, and its
// layers, of which the config knows no more than the diffIDs. The ID is computed
// from the config's bytes.
func Describe(raw []byte) (pratique.Image, error) {
	var c config
	if err := json.Unmarshal(raw, &c); err != nil {
		return pratique.Image{}, pratique.Errorf(pratique.CodeCorrupt, "the image's config is not JSON of that form").
			WithRemedy("build and save or push the image again")
	}
	img := pratique.Image{
		Kind: pratique.KindImage, ID: pratique.DigestOf(raw), Created: c.Created, Author: c.Author,
		Platform: pratique.Platform{OS: c.OS, Architecture: c.Architecture, Variant: c.Variant, OSVersion: c.OSVersion},
		Config: pratique.Config{
			User: c.Config.User, Env: c.Config.Env, Entrypoint: c.Config.Entrypoint, Cmd: c.Config.Cmd,
			WorkingDir: c.Config.WorkingDir, Labels: c.Config.Labels,
			Ports: slices.Sorted(maps.Keys(c.Config.ExposedPorts)),
		},
	}
	for i, d := range c.RootFS.DiffIDs {
		if _, err := pratique.ParseDigest(string(d)); err != nil {
			return pratique.Image{}, pratique.Errorf(pratique.CodeCorrupt, "the image's config has %.80q in the place of a layer's digest", string(d)).
				WithRemedy("build and save or push the image again")
		}
		img.Layers = append(img.Layers, pratique.Layer{Index: i, DiffID: d})
	}
	history(&img, c)
	return img, nil
}

// history joins build steps to the layers that they made. Where the numbers
// disagree, as in squashed images, no step is joined to any layer: a wrong
// instruction is worse than none.
func history(img *pratique.Image, c config) {
	made := 0
	for _, h := range c.History {
		if !h.EmptyLayer {
			made++
		}
	}
	joined := made == len(img.Layers)
	next := 0
	for _, h := range c.History {
		step := pratique.Instruction{Created: h.Created, CreatedBy: h.CreatedBy, Comment: h.Comment, Empty: h.EmptyLayer}
		if joined && !h.EmptyLayer {
			i := next
			step.Layer = &i
			img.Layers[i].Instruction = instruction(h.CreatedBy)
			next++
		}
		img.History = append(img.History, step)
	}
}

// instruction turns what builders write into history back into a Dockerfile's
// words.
func instruction(createdBy string) string {
	s := strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(createdBy), "# buildkit"))
	if rest, ok := strings.CutPrefix(s, "/bin/sh -c #(nop)"); ok {
		return strings.TrimSpace(rest)
	}
	if rest, ok := strings.CutPrefix(s, "/bin/sh -c "); ok {
		return "RUN " + strings.TrimSpace(rest)
	}
	if rest, ok := strings.CutPrefix(s, "RUN /bin/sh -c "); ok {
		return "RUN " + strings.TrimSpace(rest)
	}
	return s
}
