package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/pratique/pratique"
)

// Bounds of one engine's inventory.
const (
	MaxInventoryImages     = 50_000  // each with each of its names
	MaxInventoryContainers = 100_000 //
)

// kindLocal is the kind of the one registry that images on hosts hang below.
const kindLocal = "local"

// PutInventory brings what is known of one engine up to what its host says. What
// did not change is not written. An inventory that is older than the last one is
// CodeConflict; the same one again changes nothing. With an error in it, what was
// known of the engine stays.
func (s *Store) PutInventory(ctx context.Context, agentID int64, inv pratique.Inventory) error {
	images, err := localNames(inv.Images)
	if err != nil {
		return err
	}
	if len(inv.Containers) > MaxInventoryContainers {
		return pratique.Errorf(pratique.CodeLimit, "an inventory of %d containers", len(inv.Containers)).WithRemedy("remove containers that ended: at most %d are taken", MaxInventoryContainers)
	}
	return s.write(ctx, func(tx *tx) error {
		y := &inventory{tx: tx, images: map[int64]bool{}, assets: map[int64]bool{}, repositories: map[int64]bool{}}
		if err := y.begin(ctx, agentID, inv); err != nil || inv.Error != nil {
			return err
		}
		if err := y.putImages(ctx, images); err != nil {
			return err
		}
		if err := y.putContainers(ctx, inv.Containers); err != nil {
			return err
		}
		return y.settle(ctx)
	}, lockBench)
}

// DropEngines forgets the engines of an agent's host that are no longer there, with
// what they had.
func (s *Store) DropEngines(ctx context.Context, agentID int64, keep []pratique.EngineInfo) error {
	return s.write(ctx, func(tx *tx) error {
		host, err := hostOf(tx.row(ctx, hostOfAgent, agentID))
		if err != nil {
			return err
		}
		kept := map[string]bool{}
		for _, e := range keep {
			kept[engineIdentity(tidiedEngine(e))] = true
		}
		type row struct {
			id       int64
			identity string
		}
		all, err := collect(ctx, tx, func(rows *sql.Rows, r *row) error { return rows.Scan(&r.id, &r.identity) }, "SELECT id, identity FROM host_engines WHERE host_id = ?", host)
		if err != nil {
			return err
		}
		var gone []int64
		for _, e := range all {
			if !kept[e.identity] {
				gone = append(gone, e.id)
			}
		}
		if len(gone) == 0 {
			return nil
		}
		if err := dropEngines(ctx, tx, gone); err != nil {
			return err
		}
		return refreshHostSearch(ctx, tx, host)
	}, lockBench)
}

// RemoveHost forgets a host that will not come back, with what it had. While its
// agent may still tell about it, it is CodeConflict.
func (s *Store) RemoveHost(ctx context.Context, uid string) error {
	return s.write(ctx, func(tx *tx) error {
		var id int64
		var told bool
		err := tx.row(ctx, "SELECT h.id, EXISTS (SELECT 1 FROM agents a WHERE a.host_uid = h.uid AND a.revoked IS NULL) FROM hosts h WHERE h.uid = ?", uid).Scan(&id, &told)
		if err != nil {
			return found(err, "host", uid)
		}
		if told {
			return pratique.Errorf(pratique.CodeConflict, "the host's agent is not revoked, and would tell about it again").WithRemedy("revoke its agent first")
		}
		engines, err := collect(ctx, tx, one[int64], "SELECT id FROM host_engines WHERE host_id = ?", id)
		if err != nil {
			return err
		}
		if err := dropEngines(ctx, tx, engines); err != nil {
			return err
		}
		_, err = tx.exec(ctx, "DELETE FROM hosts WHERE id = ?", id)
		return err
	}, lockBench)
}

func dropEngines(ctx context.Context, tx *tx, engines []int64) error {
	y := &inventory{tx: tx, images: map[int64]bool{}, assets: map[int64]bool{}, repositories: map[int64]bool{}}
	in := numbers(engines)
	had, err := collect(ctx, tx, scanHostImage, "SELECT "+hostImageColumns+" WHERE x.engine_id IN ("+in+")")
	if err != nil {
		return err
	}
	for _, k := range had {
		y.touch(k.asset, k.image)
	}
	used, err := collect(ctx, tx, one[int64], "SELECT DISTINCT image_id FROM containers WHERE image_id IS NOT NULL AND engine_id IN ("+in+")")
	if err != nil {
		return err
	}
	for _, image := range used {
		y.images[image] = true
	}
	if _, err := tx.exec(ctx, "DELETE FROM host_engines WHERE id IN ("+in+")"); err != nil {
		return err
	}
	return y.settle(ctx)
}

const hostOfAgent = "SELECT h.id FROM agents a JOIN hosts h ON h.uid = a.host_uid WHERE a.id = ? AND a.revoked IS NULL AND a.kind = 'host'"

// hostOf reads the row of an agent's host.
func hostOf(row scanner) (id int64, err error) {
	err = row.Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, agentRevoked()
	}
	return id, err
}

// localName is one name of an image of an engine, which is one row.
type localName struct {
	repository string // the name without its tag
	tag        string
	reference  string // by which the engine opens it
	content    string // what tells contents under the same name apart
	identity   string
	digest     string
	image      pratique.LocalImage // without names and layers
	search     string
}

// untagged is the name of images without any, as engines write it.
const untagged = "<none>"

// localNames are all names of all images, each once.
func localNames(images []pratique.LocalImage) ([]localName, error) {
	var all []localName
	seen := map[string]bool{}
	for _, i := range images {
		names := i.Tags
		if len(names) == 0 {
			names = []string{nameOfDigests(i.Digests)}
		}
		for _, name := range names {
			n, err := newLocalName(i, name)
			if err != nil {
				return nil, err
			}
			if seen[n.identity] {
				continue
			}
			if seen[n.identity] = true; len(all) == MaxInventoryImages {
				return nil, pratique.Errorf(pratique.CodeLimit, "an inventory of more than %d images", MaxInventoryImages).WithRemedy("remove images that nobody uses")
			}
			all = append(all, n)
		}
	}
	return all, nil
}

// nameOfDigests is the name of an image that was pulled by its digest.
func nameOfDigests(digests []string) string {
	for _, d := range digests {
		if name, _, found := strings.Cut(d, "@"); found && name != "" && name != untagged {
			return name
		}
	}
	return untagged
}

// maxToldDigests bounds aliases and names by digest that are kept of one image.
const maxToldDigests = 100

func newLocalName(i pratique.LocalImage, name string) (n localName, err error) {
	i.Labels, i.Layers, i.Reason, i.Space = boundedLabels(i.Labels), nil, bounded(i.Reason, 500), bounded(i.Space, 200)
	i.Aliases, i.Digests = i.Aliases[:min(len(i.Aliases), maxToldDigests)], slices.Clone(i.Digests[:min(len(i.Digests), maxToldDigests)])
	for k, d := range i.Digests {
		i.Digests[k] = bounded(d, 400)
	}
	for _, d := range append([]pratique.Digest{i.ID, i.EngineID}, i.Aliases...) {
		if _, err := pratique.ParseDigest(string(d)); d != "" && err != nil {
			return n, pratique.Errorf(pratique.CodeInvalid, "an inventory with an image whose %w", err).WithRemedy("look for a newer version of the agent")
		}
	}
	if i.ID == "" && i.Reason == "" {
		i.Reason = "the image's configuration could not be read"
	}
	if os := i.Platform.OS; i.Reason == "" && os != "" && os != "linux" {
		i.Reason = bounded("images of "+os+" are not supported: only Linux images can be scanned", 200)
	}
	n.repository, n.tag = cutTag(indexable(name))
	n.reference = cmp.Or(string(i.EngineID), string(i.ID))
	if len(i.Tags) > 0 {
		n.reference = name
	} else if len(i.Digests) > 0 {
		n.reference = i.Digests[0]
	}
	n.content = cmp.Or(string(i.ID), "?"+string(i.EngineID))
	n.identity = digestOf(name, i.Space, n.content)
	i.Tags = nil
	n.image = i
	words := []string{name, string(i.ID), string(i.EngineID)}
	words = append(words, i.Digests...)
	for _, a := range i.Aliases {
		words = append(words, string(a))
	}
	n.search = searchable(words...)
	said, err := digestOfJSON(i)
	n.digest = digestOf(said, n.reference)
	return n, err
}

// cutTag parts "host:5000/name:tag" at its tag.
func cutTag(name string) (repository, tag string) {
	if colon := strings.LastIndexByte(name, ':'); colon > strings.LastIndexByte(name, '/') {
		return name[:colon], name[colon+1:]
	}
	return name, ""
}

// inventory is the work on one engine, with what it touched.
type inventory struct {
	tx           *tx
	host, engine int64
	registry     int64
	images       map[int64]bool
	assets       map[int64]bool
	repositories map[int64]bool
	changed      bool
}

func (y *inventory) touch(asset, image int64) {
	y.changed = true
	y.assets[asset] = true
	if image != 0 {
		y.images[image] = true
	}
}

// begin notes that an inventory came, unless it is too old.
func (y *inventory) begin(ctx context.Context, agentID int64, inv pratique.Inventory) (err error) {
	tx := y.tx
	if y.host, err = hostOf(tx.row(ctx, hostOfAgent, agentID)); err != nil {
		return err
	}
	info := tidiedEngine(inv.Engine)
	if info.Kind == "" {
		return pratique.Errorf(pratique.CodeInvalid, "an inventory of no engine")
	}
	var generation int64
	var before pratique.EngineInfo
	err = tx.row(ctx, "SELECT id, generation, document FROM host_engines WHERE host_id = ? AND identity = ?", y.host, engineIdentity(info)).Scan(&y.engine, &generation, document{&before})
	updated := any(at(tx.now))
	if inv.Error != nil {
		updated = nil
	}
	switch {
	case errors.Is(err, sql.ErrNoRows):
		y.engine, err = tx.insert(ctx, "INSERT INTO host_engines (host_id, identity, kind, document, generation, told, updated, changed, error) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
			y.host, engineIdentity(info), info.Kind, document{info}, inv.Generation, at(tx.now), updated, at(tx.now), documentOrNull(inv.Error))
		if err != nil {
			return err
		}
		return refreshHostSearch(ctx, tx, y.host)
	case err != nil:
		return err
	case inv.Generation < generation:
		return pratique.Errorf(pratique.CodeConflict, "an inventory of the engine that is older than the last one").WithRemedy("nothing needs to be done: the newer one is known")
	}
	if _, err := tx.exec(ctx, "UPDATE host_engines SET document = ?, generation = ?, told = ?, updated = COALESCE(CAST(? AS BIGINT), updated), error = ? WHERE id = ?",
		document{info}, inv.Generation, at(tx.now), updated, documentOrNull(inv.Error), y.engine); err != nil {
		return err
	}
	if before.Version != info.Version {
		return refreshHostSearch(ctx, tx, y.host)
	}
	return nil
}

// hostImage is a row of host_images as it was.
type hostImage struct {
	id, asset, image int64
	identity, digest string
}

const hostImageColumns = "x.id, x.asset_id, COALESCE(x.image_id, 0), x.identity, x.digest FROM host_images x"

func scanHostImage(rows *sql.Rows, k *hostImage) error {
	return rows.Scan(&k.id, &k.asset, &k.image, &k.identity, &k.digest)
}

func (y *inventory) putImages(ctx context.Context, images []localName) error {
	had, err := collect(ctx, y.tx, scanHostImage, "SELECT "+hostImageColumns+" WHERE x.engine_id = ?", y.engine)
	if err != nil {
		return err
	}
	known := make(map[string]hostImage, len(had))
	for _, k := range had {
		known[k.identity] = k
	}
	var fresh []localName
	for _, n := range images {
		if k, ok := known[n.identity]; ok && k.digest == n.digest {
			delete(known, n.identity)
			continue
		}
		fresh = append(fresh, n)
	}
	if err := y.addImages(ctx, fresh, known); err != nil {
		return err
	}
	var gone []int64
	for _, k := range known {
		gone = append(gone, k.id)
		y.touch(k.asset, k.image)
	}
	return deleteRows(ctx, y.tx, "host_images", gone)
}

func deleteRows(ctx context.Context, tx *tx, table string, ids []int64) error {
	for part := range slices.Chunk(ids, chunk) {
		if _, err := tx.exec(ctx, "DELETE FROM "+table+" WHERE id IN ("+numbers(part)+")"); err != nil {
			return err
		}
	}
	return nil
}

// addImages writes what is new or changed. Rows of known that it replaces go.
func (y *inventory) addImages(ctx context.Context, fresh []localName, known map[string]hostImage) error {
	if len(fresh) == 0 {
		return nil
	}
	if err := y.openRegistry(ctx); err != nil {
		return err
	}
	repositories, err := y.repositoriesOf(ctx, fresh)
	if err != nil {
		return err
	}
	contents, err := y.contentsOf(ctx, fresh)
	if err != nil {
		return err
	}
	assets, err := y.assetsOf(ctx, repositories)
	if err != nil {
		return err
	}
	if err := y.putAssets(ctx, fresh, repositories, contents, assets); err != nil {
		return err
	}
	var rows [][]any
	for _, n := range fresh {
		image, asset := contents[n.image.ID], assets[keyOf(n, repositories)].id
		rows = append(rows, []any{y.host, y.engine, n.identity, asset, orNull(image), n.reference, n.image.Space, n.image.Reason, n.digest, document{n.image}})
		y.touch(asset, image)
	}
	// A row that changed is written anew; what is left in known is gone.
	var replaced []int64
	for _, n := range fresh {
		if k, ok := known[n.identity]; ok {
			replaced = append(replaced, k.id)
			y.touch(k.asset, k.image)
			delete(known, n.identity)
		}
	}
	if err := deleteRows(ctx, y.tx, "host_images", replaced); err != nil {
		return err
	}
	return y.tx.engine.load(ctx, y.tx, "host_images", []string{"host_id", "engine_id", "identity", "asset_id", "image_id", "reference", "space", "reason", "digest", "document"}, rows)
}

func orNull(id int64) any {
	if id == 0 {
		return nil
	}
	return id
}

// openRegistry finds the registry of images on hosts, and makes it for the first
// one. Its name is one that no registry of a user can have.
func (y *inventory) openRegistry(ctx context.Context) error {
	err := y.tx.row(ctx, "SELECT id FROM registries WHERE kind = 'local'").Scan(&y.registry)
	if !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	y.registry, err = y.tx.insert(ctx, `INSERT INTO registries (name, kind, version, network, region, site, address, username, hourly_limit, insecure, ca, proxy, created, updated, health, sync)
		VALUES ('', ?, '', '', '', '', '', '', 0, FALSE, '', '', ?, ?, '{}', '{}')`, kindLocal, at(y.tx.now), at(y.tx.now))
	return err
}

func (y *inventory) repositoriesOf(ctx context.Context, names []localName) (map[string]int64, error) {
	ids := map[string]int64{}
	for _, n := range names {
		ids[n.repository] = 0
	}
	look := func(wanted []string) error {
		type row struct {
			id   int64
			name string
		}
		for part := range slices.Chunk(wanted, chunk) {
			in, args := marks(part)
			all, err := collect(ctx, y.tx, func(rows *sql.Rows, r *row) error { return rows.Scan(&r.id, &r.name) },
				"SELECT id, name FROM repositories WHERE registry_id = ? AND name IN ("+in+")", append([]any{y.registry}, args...)...)
			if err != nil {
				return err
			}
			for _, r := range all {
				ids[r.name] = r.id
			}
		}
		return nil
	}
	if err := look(slices.Sorted(maps.Keys(ids))); err != nil {
		return nil, err
	}
	var missing []string
	var rows [][]any
	for _, name := range slices.Sorted(maps.Keys(ids)) {
		if ids[name] == 0 {
			missing = append(missing, name)
			rows = append(rows, []any{y.registry, name, "", at(y.tx.now), at(y.tx.now)})
		}
	}
	if len(missing) == 0 {
		return ids, nil
	}
	if err := y.tx.engine.load(ctx, y.tx, "repositories", []string{"registry_id", "name", "namespace", "first_seen", "last_seen"}, rows); err != nil {
		return nil, err
	}
	return ids, look(missing)
}

// contentsOf are the rows of images, and makes those that are new.
func (y *inventory) contentsOf(ctx context.Context, names []localName) (map[pratique.Digest]int64, error) {
	told := map[string]pratique.LocalImage{}
	for _, n := range names {
		if n.image.ID != "" {
			told[string(n.image.ID)] = n.image
		}
	}
	rows, err := intern(ctx, y.tx, "images", "digest", []string{"digest", "os", "architecture", "variant", "created", "size", "distro", "distro_name", "rules", "knowledge", "status", "rows_live", "running", "risk", "worst"},
		keysOf(told), func(key string) []any {
			i := told[key]
			return []any{key, i.Platform.OS, i.Platform.Architecture, i.Platform.Variant, atOrNull(i.Created), max(i.Size, 0), "", "", "", "", pratique.StatusNotScanned, 0, false, 0, -1}
		})
	ids := make(map[pratique.Digest]int64, len(rows))
	for digest, row := range rows {
		ids[pratique.Digest(digest)] = row.id
	}
	return ids, err
}

// lookContents fills in the rows of contents that are known.
func (y *inventory) lookContents(ctx context.Context, ids map[pratique.Digest]int64) error {
	type row struct {
		id     int64
		digest pratique.Digest
	}
	for part := range slices.Chunk(slices.Sorted(maps.Keys(ids)), chunk) {
		in, args := marks(part)
		all, err := collect(ctx, y.tx, func(rows *sql.Rows, r *row) error { return rows.Scan(&r.id, &r.digest) }, "SELECT id, digest FROM images WHERE digest IN ("+in+")", args...)
		if err != nil {
			return err
		}
		for _, r := range all {
			ids[r.digest] = r.id
		}
	}
	return nil
}

// localAsset is a row of assets as it is.
type localAsset struct {
	id, repository int64
	slot, search   string
}

type slotKey struct {
	repository int64
	slot       string
}

func (y *inventory) assetsOf(ctx context.Context, repositories map[string]int64) (map[slotKey]localAsset, error) {
	known := map[slotKey]localAsset{}
	for part := range slices.Chunk(slices.Sorted(maps.Values(repositories)), chunk) {
		all, err := collect(ctx, y.tx, func(rows *sql.Rows, a *localAsset) error { return rows.Scan(&a.id, &a.repository, &a.slot, &a.search) },
			"SELECT id, repository_id, slot, search FROM assets WHERE repository_id IN ("+numbers(part)+")")
		if err != nil {
			return nil, err
		}
		for _, a := range all {
			known[slotKey{a.repository, a.slot}] = a
		}
	}
	return known, nil
}

func keyOf(n localName, repositories map[string]int64) slotKey {
	return slotKey{repositories[n.repository], indexable(n.tag + " " + n.content)}
}

// putAssets makes the rows of names and their contents that are new, and adds them
// to known. What differs from host to host is as the last one of them told it.
func (y *inventory) putAssets(ctx context.Context, names []localName, repositories map[string]int64, contents map[pratique.Digest]int64, known map[slotKey]localAsset) error {
	var rows [][]any
	for _, n := range names {
		i, key := n.image, keyOf(n, repositories)
		y.repositories[key.repository] = true
		a, exists := known[key]
		switch {
		case !exists:
			rows = append(rows, []any{pratique.SourceLocal, y.registry, key.repository, key.slot, n.tag, manifestOf(i), "", orNull(contents[i.ID]), document{i.Platform}, max(i.Size, 0), atOrNull(i.Created), at(y.tx.now), at(y.tx.now), false, i.Reason, n.search})
			known[key] = localAsset{repository: key.repository, slot: key.slot, search: n.search}
		case a.search != n.search && a.id != 0:
			if _, err := y.tx.exec(ctx, "UPDATE assets SET search = ?, size = ? WHERE id = ?", n.search, max(i.Size, 0), a.id); err != nil {
				return err
			}
		}
	}
	if len(rows) == 0 {
		return nil
	}
	if err := y.tx.engine.load(ctx, y.tx, "assets", []string{"source", "registry_id", "repository_id", "slot", "tag", "digest", "index_digest", "image_id", "platform", "size", "created", "first_seen", "last_seen", "newest", "reason", "search"}, rows); err != nil {
		return err
	}
	made, err := y.assetsOf(ctx, repositories)
	maps.Copy(known, made)
	return err
}

// manifestOf is the digest of the manifest that the image came from or went to, as
// far as its host tells.
func manifestOf(i pratique.LocalImage) pratique.Digest {
	for _, d := range i.Digests {
		if _, digest, found := strings.Cut(d, "@"); found {
			return pratique.Digest(digest)
		}
	}
	if i.EngineID != i.ID {
		return i.EngineID
	}
	return ""
}

// container is a row of containers as it was.
type container struct {
	id, image        int64
	identity, digest string
}

var containerColumns = []string{"image_id", "name", "pod", "state", "uses", "running", "created", "updated", "digest", "search", "document"}

func (y *inventory) putContainers(ctx context.Context, told []pratique.Container) error {
	had, err := collect(ctx, y.tx, func(rows *sql.Rows, c *container) error {
		return rows.Scan(&c.id, &c.image, &c.identity, &c.digest)
	}, "SELECT id, COALESCE(image_id, 0), identity, digest FROM containers WHERE engine_id = ?", y.engine)
	if err != nil {
		return err
	}
	known := make(map[string]container, len(had))
	for _, c := range had {
		known[c.identity] = c
	}
	contents := map[pratique.Digest]int64{}
	for _, c := range told {
		if c.ImageID != "" {
			contents[c.ImageID] = 0
		}
	}
	if err := y.lookContents(ctx, contents); err != nil {
		return err
	}
	var fresh [][]any
	var gone []int64
	seen := map[string]bool{}
	for _, c := range told {
		c = tidiedContainer(c)
		identity, image := digestOf(c.Space, c.ID), contents[c.ImageID]
		if seen[identity] || c.ID == "" {
			continue
		}
		seen[identity] = true
		said, err := digestOfJSON(c)
		if err != nil {
			return err
		}
		old, ok := known[identity]
		delete(known, identity)
		if ok && old.digest == said && old.image == image {
			continue
		}
		y.useOf(image)
		search := searchable(c.Name, c.ID, c.Image, string(c.ImageID), c.Pod, c.PodNamespace, strings.Join(c.Command, " "))
		values := []any{orNull(image), c.Name, c.Pod, c.State, c.Uses(), c.Running(), micros0(c.Created), micros0(c.Updated), said, search, document{c}}
		if !ok {
			fresh = append(fresh, append(values, y.host, y.engine, identity))
			continue
		}
		y.useOf(old.image)
		if _, err := y.tx.exec(ctx, "UPDATE containers SET "+setEach(containerColumns)+" WHERE id = ?", append(values, old.id)...); err != nil {
			return err
		}
	}
	for _, c := range known {
		gone = append(gone, c.id)
		y.useOf(c.image)
	}
	if err := deleteRows(ctx, y.tx, "containers", gone); err != nil {
		return err
	}
	return y.tx.engine.load(ctx, y.tx, "containers", append(slices.Clone(containerColumns), "host_id", "engine_id", "identity"), fresh)
}

// useOf notes that an image may be used by more or fewer containers.
func (y *inventory) useOf(image int64) {
	y.changed = true
	if image != 0 {
		y.images[image] = true
	}
}

// maxCommand bounds the parts of a container's command that are kept.
const maxCommand = 100

func tidiedContainer(c pratique.Container) pratique.Container {
	c.ID, c.Name, c.Image, c.Space = bounded(c.ID, 200), bounded(c.Name, 500), bounded(c.Image, 500), bounded(c.Space, 200)
	c.Pod, c.PodNamespace, c.Labels = bounded(c.Pod, 300), bounded(c.PodNamespace, 300), boundedLabels(c.Labels)
	c.State = pratique.ContainerState(bounded(string(c.State), 40))
	c.Command = slices.Clone(c.Command[:min(len(c.Command), maxCommand)])
	for i, word := range c.Command {
		c.Command[i] = bounded(word, 400)
	}
	return c
}

// settle brings up to date what follows from what was touched: rows that nobody has
// any more are gone, and those that somebody has again are back.
func (y *inventory) settle(ctx context.Context) error {
	tx := y.tx
	for part := range slices.Chunk(slices.Sorted(maps.Keys(y.assets)), chunk) {
		in := numbers(part)
		const held = "EXISTS (SELECT 1 FROM host_images x WHERE x.asset_id = assets.id)"
		if _, err := tx.exec(ctx, "UPDATE assets SET gone = CASE WHEN "+held+" THEN NULL ELSE COALESCE(gone, CAST(? AS BIGINT)) END, newest = newest AND "+held+`, last_seen = ?,
			reason = COALESCE((SELECT MIN(x.reason) FROM host_images x WHERE x.asset_id = assets.id), reason) WHERE id IN (`+in+")", at(tx.now), at(tx.now)); err != nil {
			return err
		}
		repositories, err := collect(ctx, tx, one[int64], "SELECT DISTINCT repository_id FROM assets WHERE id IN ("+in+")")
		if err != nil {
			return err
		}
		for _, r := range repositories {
			y.repositories[r] = true
		}
	}
	for _, r := range slices.Sorted(maps.Keys(y.repositories)) {
		if err := markNewest(ctx, tx, r); err != nil {
			return err
		}
	}
	if y.changed && y.engine != 0 {
		if _, err := tx.exec(ctx, "UPDATE host_engines SET changed = ? WHERE id = ?", at(tx.now), y.engine); err != nil {
			return err
		}
	}
	return recountRows(ctx, tx, slices.Collect(maps.Keys(y.images)))
}
