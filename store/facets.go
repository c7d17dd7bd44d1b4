package store

import (
	"cmp"
	"context"
	"database/sql"
	"maps"
	"slices"
	"strconv"

	"github.com/pratique/pratique"
)

// maxNamespaces bounds the values of one facet.
const maxNamespaces = 200

// AssetFacets counts the rows that a filter leaves by the values that further
// filters can take.
func (s *Store) AssetFacets(ctx context.Context, f pratique.AssetFilter) (v pratique.AssetFacets, err error) {
	l, _, err := s.assets(ctx, f)
	if err != nil {
		return v, err
	}
	s = s.counting()
	if f.Source == pratique.SourceLocal {
		return s.localFacets(ctx, l)
	}
	type group struct {
		registry              int64
		name, kind, namespace string
		n                     int
	}
	places, err := collect(ctx, s, func(rows *sql.Rows, g *group) error {
		return rows.Scan(&g.registry, &g.name, &g.kind, &g.namespace, &g.n)
	},
		"SELECT g.id, g.name, g.kind, r.namespace, SUM(n.n) FROM (SELECT a.repository_id, COUNT(*) AS n "+l.narrow+l.condition()+` GROUP BY a.repository_id) n
			JOIN repositories r ON r.id = n.repository_id JOIN registries g ON g.id = r.registry_id GROUP BY g.id, g.name, g.kind, r.namespace`, slices.Clone(l.args)...)
	if err != nil {
		return v, err
	}
	kinds, registries, namespaces, systems, architectures := facets{}, facets{}, facets{}, facets{}, facets{}
	for _, g := range places {
		kinds.add(g.kind, "", g.n)
		registries.add(strconv.FormatInt(g.registry, 10), g.name, g.n)
		namespaces.add(g.namespace, "", g.n)
	}
	type system struct {
		distro, arch string
		n            int
	}
	contents, err := collect(ctx, s, func(rows *sql.Rows, g *system) error { return rows.Scan(&g.distro, &g.arch, &g.n) },
		"SELECT a.distro, a.architecture, COUNT(*) "+l.narrow+l.condition()+" GROUP BY a.distro, a.architecture", l.args...)
	if err != nil {
		return v, err
	}
	for _, g := range contents {
		if g.distro != "" {
			systems.add(g.distro, "", g.n)
		}
		if g.arch != "" {
			architectures.add(g.arch, "", g.n)
		}
	}
	return pratique.AssetFacets{
		Kinds: kinds.list(), Registries: registries.list(), Namespaces: namespaces.list(), OS: systems.list(), Architectures: architectures.list(),
	}, nil
}

// localFacets are those of images on hosts, which lie in no registry.
func (s *Store) localFacets(ctx context.Context, l *listing) (v pratique.AssetFacets, err error) {
	groups := func(value, label, from, without string) ([]pratique.Facet, error) {
		all, err := collect(ctx, s, func(rows *sql.Rows, f *pratique.Facet) error { return rows.Scan(&f.Value, &f.Label, &f.Count) },
			"SELECT "+value+", "+label+", COUNT(DISTINCT x.asset_id) "+from+" WHERE "+without+" AND x.asset_id IN (SELECT a.id "+l.from+l.condition()+") GROUP BY 1, 2 ORDER BY 3 DESC, 1 LIMIT ?",
			append(slices.Clone(l.args), maxNamespaces)...)
		if all == nil {
			all = []pratique.Facet{}
		}
		return all, err
	}
	const onHost = "FROM host_images x JOIN hosts h ON h.id = x.host_id"
	const ofImage = "FROM host_images x JOIN images j ON j.id = x.image_id"
	v.Kinds, v.Registries, v.Namespaces = []pratique.Facet{}, []pratique.Facet{}, []pratique.Facet{}
	for _, g := range [...]struct {
		to                          *[]pratique.Facet
		value, label, from, without string
	}{
		{&v.Hosts, "h.uid", "h.name", onHost, "h.uid <> ''"}, {&v.Projects, "h.project", "''", onHost, "h.project <> ''"},
		{&v.Labels, "b.label", "''", "FROM host_images x JOIN host_labels b ON b.host_id = x.host_id", "b.label <> ''"},
		{&v.Engines, "e.kind", "''", "FROM host_images x JOIN host_engines e ON e.id = x.engine_id", "e.kind <> ''"},
		{&v.OS, "j.distro", "j.distro_name", ofImage, "j.distro <> ''"}, {&v.Architectures, "j.architecture", "''", ofImage, "j.architecture <> ''"},
	} {
		if *g.to, err = groups(g.value, g.label, g.from, g.without); err != nil {
			return v, err
		}
	}
	return v, nil
}

// facets are counted by their value.
type facets map[string]pratique.Facet

func (f facets) add(value, label string, n int) {
	f[value] = pratique.Facet{Value: value, Label: label, Count: f[value].Count + n}
}

func (f facets) list() []pratique.Facet {
	all := slices.SortedFunc(maps.Values(f), func(a, b pratique.Facet) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Value, b.Value))
	})
	if all == nil {
		return []pratique.Facet{}
	}
	return all[:min(len(all), maxNamespaces)]
}

// AssetRow is one row of the lists of images, gone or not.
func (s *Store) AssetRow(ctx context.Context, id int64) (v pratique.AssetRow, err error) {
	a, err := s.Asset(ctx, id)
	if err != nil {
		return v, err
	}
	p, err := s.Assets(ctx, pratique.AssetFilter{Source: pratique.SourceAll, IDs: []int64{id}, Gone: a.Gone != nil}, pratique.PageRequest{Limit: 1})
	if err != nil {
		return v, err
	}
	if len(p.Items) == 0 {
		return v, notFound("image", id)
	}
	return p.Items[0], nil
}

// AssetNames gives contents a name: that of a row which has them, the newest tag
// of a repository rather than another, and a row in a registry rather than one on a
// host. Contents that no row has are left out.
func (s *Store) AssetNames(ctx context.Context, images []pratique.Digest) (map[pratique.Digest]pratique.AssetName, error) {
	names := map[pratique.Digest]pratique.AssetName{}
	for part := range slices.Chunk(images, chunk) {
		list, args := marks(part)
		rows, err := s.query(ctx, `SELECT i.digest, a.id, a.source, a.registry_id, g.name, r.name, a.tag FROM images i JOIN assets a ON a.id =
				(SELECT x.id FROM assets x WHERE x.image_id = i.id AND x.gone IS NULL ORDER BY CASE WHEN x.source = 'registry' THEN 0 ELSE 1 END, x.newest DESC, x.id DESC LIMIT 1)
			JOIN repositories r ON r.id = a.repository_id JOIN registries g ON g.id = a.registry_id WHERE i.digest IN (`+list+")", args...)
		if err != nil {
			return nil, err
		}
		for rows.Next() {
			var digest pratique.Digest
			var n pratique.AssetName
			if err := rows.Scan(&digest, &n.ID, &n.Source, &n.RegistryID, &n.RegistryName, &n.Repository, &n.Tag); err != nil {
				return nil, closed(rows, err)
			}
			names[digest] = n
		}
		if err := closed(rows, rows.Err()); err != nil {
			return nil, err
		}
	}
	return names, nil
}

// Component is one package version, whether an image holds it now or not.
func (s *Store) Component(ctx context.Context, id int64) (v pratique.ComponentRow, err error) {
	err = scanComponent(s.row(ctx, "SELECT "+componentColumns+" "+componentFrom+" WHERE p.id = ?", id), &v, nil)
	return v, found(err, "component", id)
}
