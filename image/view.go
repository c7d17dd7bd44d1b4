package image

import (
	"cmp"
	"slices"
	"strings"

	"github.com/pratique/pratique"
)

// A View is one image, put together.
type View struct {
	Distro   *pratique.Distro
	Packages []pratique.Package  // visible ones, with Origin, by type, name, version, path
	Files    []pratique.FileFact // all, with Origin; hidden ones have DeletedBy
	Secrets  []pratique.Secret   // all, likewise
	Malware  []pratique.Malware  // all, likewise
	Problems []pratique.Problem  // of files, with their layer
}

// New stacks the facts of img's layers, lowest first; layers[i] are those of
// img.Layers[i], and nil where the layer could not be read.
func New(img pratique.Image, layers [][]pratique.Facts) *View {
	b := &builder{img: img, layers: layers, stack: newStack(layers), view: &View{}}
	b.distro()
	b.packages()
	b.hidden()
	b.problems()
	return b.view
}

type builder struct {
	img    pratique.Image
	layers [][]pratique.Facts
	stack  *stack
	view   *View
}

// each calls f for every layer's facts, lowest layer first.
func (b *builder) each(f func(layer int, facts *pratique.Facts)) {
	for i := range b.layers {
		for j := range b.layers[i] {
			f(i, &b.layers[i][j])
		}
	}
}

func (b *builder) origin(layer int, path string) *pratique.Origin {
	o := &pratique.Origin{Path: path, Layer: layer}
	if layer < len(b.img.Layers) {
		o.DiffID, o.Instruction = b.img.Layers[layer].DiffID, b.img.Layers[layer].Instruction
	}
	return o
}

// packageKey tells two packages of one file apart.
type packageKey struct{ path, kind, name, version, arch string }

func keyOf(p *pratique.Package) packageKey {
	return packageKey{p.Path, p.Type, p.Name, p.Version, p.Arch}
}

func (b *builder) packages() {
	byLayer := make([]map[packageKey]bool, len(b.layers))
	told := make([]map[string]bool, len(b.layers)) // paths with packages
	b.each(func(i int, facts *pratique.Facts) {
		for j := range facts.Packages {
			if byLayer[i] == nil {
				byLayer[i], told[i] = map[packageKey]bool{}, map[string]bool{}
			}
			byLayer[i][keyOf(&facts.Packages[j])] = true
			told[i][facts.Packages[j].Path] = true
		}
	})
	seen := map[packageKey]bool{}
	b.each(func(i int, facts *pratique.Facts) {
		for _, p := range facts.Packages {
			name, ok := b.stack.visible(i, p.Path)
			key := keyOf(&p)
			if !ok || seen[key] {
				continue
			}
			seen[key] = true
			p.Origin = b.origin(b.trace(i, key, byLayer, told), name)
			p.Path = name
			b.view.Packages = append(b.view.Packages, p)
		}
	})
	b.view.Packages = dropDeclared(b.view.Packages)
	b.own()
	b.license()
	for i := range b.view.Packages {
		if p := &b.view.Packages[i]; p.PURL == "" {
			p.PURL = systemPURL(p, b.view.Distro)
		}
	}
	slices.SortStableFunc(b.view.Packages, func(x, y pratique.Package) int {
		return cmp.Or(cmp.Compare(x.Type, y.Type), cmp.Compare(x.Name, y.Name), cmp.Compare(x.Version, y.Version), cmp.Compare(x.Path, y.Path))
	})
}

// trace follows a package down through rewritten versions of its file to the
// layer that brought it.
func (b *builder) trace(layer int, key packageKey, byLayer []map[packageKey]bool, told []map[string]bool) int {
	for below := layer - 1; below >= 0; below-- {
		if !told[below][key.path] {
			continue
		}
		if !byLayer[below][key] || b.stack.cover(below, key.path) != layer {
			break
		}
		layer = below
	}
	return layer
}

// dropDeclared leaves out what a lock file asks for where it was installed: the
// installed tree then tells what is really there, without development
// dependencies and those of other platforms. A lock file counts as installed
// when most of what it names is: for npm and composer beside the file, for the
// others, which install into places of their own, anywhere in the image.
func dropDeclared(packages []pratique.Package) []pratique.Package {
	installed := map[string]bool{}
	for i := range packages {
		if p := &packages[i]; !p.Declared {
			installed[p.Type+" "+p.Name] = true
			for _, tree := range [...]string{"/node_modules/", "/vendor/composer/"} {
				if folder, _, ok := strings.Cut("/"+p.Path, tree); ok {
					installed[p.Type+" "+p.Name+" "+strings.TrimPrefix(folder, "/")] = true
				}
			}
		}
	}
	there := func(p *pratique.Package) bool {
		if p.Type == "npm" || p.Type == "composer" {
			return installed[p.Type+" "+p.Name+" "+parent(p.Path)]
		}
		return installed[p.Type+" "+p.Name]
	}
	type share struct{ named, there int }
	files := map[string]share{}
	for i := range packages {
		if p := &packages[i]; p.Declared {
			f := files[p.Path]
			f.named++
			if there(p) {
				f.there++
			}
			files[p.Path] = f
		}
	}
	return slices.DeleteFunc(packages, func(p pratique.Package) bool {
		f := files[p.Path]
		return p.Declared && (2*f.there >= f.named || there(&p))
	})
}

// own finds the operating system package to which a language package's file
// belongs.
func (b *builder) own() {
	owners := map[uint64]string{}
	for _, p := range b.view.Packages {
		if !pratique.IsSystem(p.Type) {
			owners[pratique.PathHash(outer(p.Path))] = ""
		}
	}
	if len(owners) == 0 {
		return
	}
	// A list without its package owns nothing: it would hide a library from
	// judgement behind a package that nobody judges.
	installed := map[string]string{}
	for _, p := range b.view.Packages {
		if pratique.IsSystem(p.Type) {
			installed[p.Name] = p.Name
			if file, ok := strings.CutPrefix(p.Path, "var/lib/dpkg/status.d/"); ok {
				installed[file] = p.Name // distroless names its lists after these
			}
		}
	}
	b.each(func(i int, facts *pratique.Facts) {
		for _, o := range facts.Ownership {
			if _, ok := b.stack.visible(i, o.Path); !ok || installed[o.Package] == "" {
				continue
			}
			for rest := o.Files; len(rest) >= 8; rest = rest[8:] {
				h := hashAt(rest)
				if _, wanted := owners[h]; wanted {
					owners[h] = installed[o.Package]
				}
			}
		}
	})
	for i := range b.view.Packages {
		if p := &b.view.Packages[i]; !pratique.IsSystem(p.Type) {
			p.OwnedBy = owners[pratique.PathHash(outer(p.Path))]
		}
	}
}

func hashAt(b []byte) uint64 {
	_ = b[7]
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
		uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}

// license joins what copyright files state with dpkg's packages.
func (b *builder) license() {
	licenses := map[string][]string{}
	b.each(func(i int, facts *pratique.Facts) {
		for _, l := range facts.Licenses {
			if _, ok := b.stack.visible(i, l.Path); ok {
				licenses[l.Package] = l.Licenses
			}
		}
	})
	for i := range b.view.Packages {
		if p := &b.view.Packages[i]; p.Type == "deb" && len(p.Licenses) == 0 {
			p.Licenses = licenses[p.Name]
		}
	}
}

// hidden places findings that count even when an upper layer removed the file.
func (b *builder) hidden() {
	place := func(layer int, path string) *pratique.Origin {
		name, ok := b.stack.visible(layer, path)
		o := b.origin(layer, outer(name))
		if !ok {
			by := b.stack.cover(layer, path)
			o.DeletedBy = &by
		}
		return o
	}
	b.each(func(i int, facts *pratique.Facts) {
		for _, f := range facts.Files {
			f.Origin = place(i, f.Path)
			b.view.Files = append(b.view.Files, f)
		}
		for _, s := range facts.Secrets {
			s.Origin = place(i, s.Path)
			b.view.Secrets = append(b.view.Secrets, s)
		}
		for _, m := range facts.Malware {
			m.Origin = place(i, m.Path)
			b.view.Malware = append(b.view.Malware, m)
		}
	})
}

// problems takes over those of the layers. A damaged package database that an
// upper layer replaced costs nothing.
func (b *builder) problems() {
	b.each(func(i int, facts *pratique.Facts) {
		for _, p := range facts.Problems {
			layer := i
			p.Layer = &layer
			if p.Analyzer == "" {
				p.Analyzer = facts.Analyzer
			}
			if p.Path != "" && facts.Analyzer == "software" && p.Partial {
				_, p.Partial = b.stack.visible(i, p.Path)
			}
			b.view.Problems = append(b.view.Problems, p)
		}
	})
}
