package secrets

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/pratique/pratique"
)

// maxConfigText bounds what is looked at of one variable, label or build step.
const maxConfigText = 1 << 20

// Config finds credentials in an image's build steps, environment, labels,
// command and author. Origin.Layer is the layer that a step made, or -1;
// Origin.Instruction is masked. What only the command has is told as the build
// step that sets it.
func (a *Analyzer) Config(img pratique.Image) []pratique.Secret {
	found, values := a.inspect(img)
	mask := masker(values)
	for i := range found {
		found[i].Origin.Instruction = mask.Replace(found[i].Origin.Instruction)
	}
	return found
}

// MaskImage returns a copy of img in which every value that Config finds is
// replaced by its preview, wherever it stands.
func (a *Analyzer) MaskImage(img pratique.Image) pratique.Image {
	_, values := a.inspect(img)
	m := masker(values)
	img.Config.Env = replaceAll(m, img.Config.Env)
	img.Config.Entrypoint = replaceAll(m, img.Config.Entrypoint)
	img.Config.Cmd = replaceAll(m, img.Config.Cmd)
	img.Config.User, img.Config.WorkingDir = m.Replace(img.Config.User), m.Replace(img.Config.WorkingDir)
	img.Author = m.Replace(img.Author)
	img.Config.Labels = maps.Clone(img.Config.Labels)
	for k, v := range img.Config.Labels {
		img.Config.Labels[k] = m.Replace(v)
	}
	img.History = slices.Clone(img.History)
	for i := range img.History {
		img.History[i].CreatedBy = m.Replace(img.History[i].CreatedBy)
		img.History[i].Comment = m.Replace(img.History[i].Comment)
	}
	img.Layers = slices.Clone(img.Layers)
	for i := range img.Layers {
		img.Layers[i].Instruction = m.Replace(img.Layers[i].Instruction)
	}
	return img
}

func replaceAll(m *strings.Replacer, list []string) []string {
	out := slices.Clone(list)
	for i := range out {
		out[i] = m.Replace(out[i])
	}
	return out
}

// masker replaces values, the longest first, by their previews.
func masker(values [][]byte) *strings.Replacer {
	slices.SortFunc(values, func(a, b []byte) int { return cmp.Or(len(b)-len(a), bytes.Compare(a, b)) })
	var pairs []string
	for _, v := range values {
		if len(v) > 0 {
			pairs = append(pairs, string(v), preview(v))
		}
	}
	return strings.NewReplacer(pairs...)
}

// inspect returns the secrets of an image's config, and their values.
func (a *Analyzer) inspect(img pratique.Image) (found []pratique.Secret, values [][]byte) {
	add := func(source, text string, o pratique.Origin) {
		for _, f := range a.inText(text) {
			values = append(values, f.secret)
			s := a.secret(&f, source, "")
			origin := o
			s.Line, s.Origin = 0, &origin
			found = append(found, s)
		}
	}
	config := pratique.Origin{Layer: -1}
	for _, v := range img.Config.Env {
		add("env", v, config)
	}
	for _, k := range slices.Sorted(maps.Keys(img.Config.Labels)) {
		add("label", k+"="+img.Config.Labels[k], config)
	}
	for _, h := range img.History {
		o := pratique.Origin{Layer: -1, Instruction: h.CreatedBy}
		if h.Layer != nil {
			o.Layer = *h.Layer
		}
		add("history", h.CreatedBy, o)
		add("history", h.Comment, o)
	}
	known := map[string]bool{}
	for _, v := range values {
		known[string(v)] = true
	}
	for _, text := range []string{command("ENTRYPOINT", img.Config.Entrypoint), command("CMD", img.Config.Cmd), prefixed("MAINTAINER", img.Author)} {
		// In most images the history has it, too.
		if slices.ContainsFunc(a.inText(text), func(f finding) bool { return !known[string(f.secret)] }) {
			add("history", text, pratique.Origin{Layer: -1, Instruction: text})
		}
	}
	return found, values
}

// command writes arguments as a shell would take most of them.
func command(instruction string, args []string) string {
	return prefixed(instruction, strings.Join(args, " "))
}

func prefixed(instruction, text string) string {
	if text == "" {
		return ""
	}
	return instruction + " " + text
}

// inText returns the findings in one string of a config.
func (a *Analyzer) inText(text string) []finding {
	if text == "" {
		return nil
	}
	data := []byte(text[:min(len(text), maxConfigText)])
	l := a.load()
	x := &scan{ctx: context.Background(), analyzer: a, loaded: l, facts: &pratique.Facts{}, scratch: l.engine.scratch.Get().(*scratch)}
	defer l.engine.scratch.Put(x.scratch)
	x.scratch.begin()
	segments("", data, func(t *passage) bool { x.segment(t, true); return true })
	found := distinct(x.scratch.found, true)
	x.scratch.begin()
	return found
}
