package software

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/pratique/pratique/analyze"
)

// An rpm database is a table from a number to an rpm header. The three formats
// are read here page by page, straight from the layer's copy: no lock, journal
// or index is touched, every offset is checked, and a page that is damaged costs
// what is on it.
//
//   - SQLite: https://www.sqlite.org/fileformat2.html
//   - ndb: lib/backend/ndb/rpmpkg.c of rpm
//   - Berkeley DB, hash access method: dbinc/db_page.h of libdb

var errDamaged = errors.New("it is damaged")

// maxHeader bounds one package's header, as rpm itself does.
const maxHeader = 256 << 20

// A database hands out the headers in it.
type database struct {
	c     analyze.Content
	each  func(header []byte)
	bad   int   // records and pages that cannot be read
	spent int64 // bytes copied
}

// readDatabase calls each for the headers that can be read, and returns how
// many records or pages cannot. An error means that nothing after it was read.
func readDatabase(c analyze.Content, each func(header []byte)) (bad int, err error) {
	d := &database{c: c, each: each}
	head := make([]byte, min(100, c.Size()))
	if _, err := c.ReadAt(head, 0); err != nil && err != io.EOF {
		return 0, err
	}
	switch {
	case len(head) < 100:
		return 0, errors.New("it is too short to be a database")
	case bytes.HasPrefix(head, []byte("SQLite format 3\x00")):
		err = d.sqlite(head)
	case bytes.HasPrefix(head, []byte("RpmP")):
		err = d.ndb(head)
	case binary.LittleEndian.Uint32(head[12:]) == bdbHash:
		err = d.bdb(head, binary.LittleEndian)
	case binary.BigEndian.Uint32(head[12:]) == bdbHash:
		err = d.bdb(head, binary.BigEndian)
	default:
		return 0, errors.New("it is in none of rpm's three formats")
	}
	return d.bad, err
}

// slice reads n bytes at off. Records that point into each other could make a
// small file cost much, so all that is read together is bounded.
func (d *database) slice(off, n int64) ([]byte, error) {
	if off < 0 || n < 0 || off > d.c.Size()-n {
		return nil, errDamaged
	}
	if d.spent += n; d.spent > 8*d.c.Size()+1<<20 {
		return nil, fmt.Errorf("its records overlap: %w", errDamaged)
	}
	b := make([]byte, n)
	if _, err := d.c.ReadAt(b, off); err != nil && err != io.EOF {
		return nil, err
	}
	return b, nil
}

// sqlite finds the table Packages (hnum INTEGER PRIMARY KEY, blob BLOB).
func (d *database) sqlite(head []byte) error {
	t := &btree{database: d, page: int64(binary.BigEndian.Uint16(head[16:])), seen: map[uint32]bool{}}
	if t.page == 1 {
		t.page = 65536
	}
	t.usable = t.page - int64(head[20])
	if t.page < 512 || t.page&(t.page-1) != 0 || t.usable < 480 {
		return fmt.Errorf("page size: %w", errDamaged)
	}
	var root uint32
	err := t.walk(1, 0, func(record []byte) {
		fields := sqliteRecord(record, 4) // type, name, tbl_name, rootpage, sql
		if len(fields) == 4 && string(fields[0]) == "table" && string(fields[1]) == "Packages" {
			for _, b := range fields[3] {
				root = root<<8 | uint32(b)
			}
		}
	})
	if err != nil {
		return err
	}
	if root == 0 {
		return errors.New("it has no table Packages")
	}
	clear(t.seen)
	return t.walk(root, 0, func(record []byte) {
		if fields := sqliteRecord(record, 2); len(fields) == 2 {
			d.each(fields[1])
		} else {
			d.bad++
		}
	})
}

// btree is a table of SQLite.
type btree struct {
	*database
	page, usable int64
	seen         map[uint32]bool
}

// walk visits the leaves below page number n in order.
func (t *btree) walk(n uint32, depth int, row func([]byte)) error {
	if n == 0 || t.seen[n] || depth > 20 {
		return fmt.Errorf("a page points in a circle: %w", errDamaged)
	}
	t.seen[n] = true
	p, err := t.slice(int64(n-1)*t.page, t.page)
	if err != nil {
		return err
	}
	h := 0
	if n == 1 {
		h = 100 // behind the file's header
	}
	kind, cells := p[h], int(binary.BigEndian.Uint16(p[h+3:]))
	pointers := h + 8
	if kind == 5 {
		pointers = h + 12
	}
	if kind != 5 && kind != 13 || pointers+2*cells > len(p) {
		return fmt.Errorf("page %d is none of a table: %w", n, errDamaged)
	}
	for i := range cells {
		at := int(binary.BigEndian.Uint16(p[pointers+2*i:]))
		if at+4 > len(p) {
			t.bad++
			continue
		}
		if kind == 5 {
			err = t.walk(binary.BigEndian.Uint32(p[at:]), depth+1, row)
		} else {
			err = t.cell(p, at, row)
		}
		if errors.Is(err, errDamaged) {
			t.bad++
		} else if err != nil {
			return err
		}
	}
	if kind == 5 {
		return t.walk(binary.BigEndian.Uint32(p[h+8:]), depth+1, row)
	}
	return nil
}

// cell puts the payload of one row together: what is in the page, and its chain
// of overflow pages.
func (t *btree) cell(p []byte, at int, row func([]byte)) error {
	size, n := varint(p[at:])
	_, m := varint(p[at+n:]) // the row's number
	at += n + m
	if n == 0 || m == 0 || size > maxHeader || int64(size) > t.c.Size() {
		return errDamaged
	}
	local, most := int64(size), t.usable-35
	if local > most {
		least := (t.usable-12)*32/255 - 23
		if local = least + (int64(size)-least)%(t.usable-4); local > most {
			local = least
		}
	}
	if int64(at)+local > int64(len(p)) {
		return errDamaged
	}
	payload := append(make([]byte, 0, size), p[at:at+int(local)]...)
	if rest := p[at+int(local):]; int64(size) > local {
		if len(rest) < 4 {
			return errDamaged
		}
		for next := binary.BigEndian.Uint32(rest); len(payload) < int(size); {
			page, err := t.slice((int64(next)-1)*t.page, t.page)
			if err != nil {
				return err
			}
			next = binary.BigEndian.Uint32(page)
			payload = append(payload, page[4:4+min(t.usable-4, int64(size)-int64(len(payload)))]...)
		}
	}
	row(payload)
	return nil
}

// varint reads SQLite's big-endian integer of up to nine bytes.
func varint(b []byte) (v uint64, n int) {
	for n < len(b) && n < 9 {
		c := b[n]
		n++
		if n == 9 {
			return v<<8 | uint64(c), n
		}
		v = v<<7 | uint64(c&0x7f)
		if c < 0x80 {
			return v, n
		}
	}
	return 0, 0
}

// sqliteRecord returns a record's first columns as they are stored; nil when it
// has fewer or is malformed.
func sqliteRecord(record []byte, columns int) [][]byte {
	size, n := varint(record)
	if n == 0 || size > uint64(len(record)) || size < uint64(n) {
		return nil
	}
	types, body := record[n:size], record[size:]
	var fields [][]byte
	for len(fields) < columns {
		serial, n := varint(types)
		if n == 0 {
			return nil
		}
		types = types[n:]
		var length uint64
		switch {
		case serial >= 12:
			length = (serial - 12) / 2
		case serial <= 4:
			length = serial
		case serial == 5:
			length = 6
		case serial <= 7:
			length = 8
		}
		if length > uint64(len(body)) {
			return nil
		}
		fields = append(fields, body[:length])
		body = body[length:]
	}
	return fields
}

// ndb: pages of slots, each pointing to a blob in blocks of 16 bytes.
func (d *database) ndb(head []byte) error {
	const slot, slotsPerPage = 16, 4096 / 16
	pages := int64(binary.LittleEndian.Uint32(head[12:]))
	if version := binary.LittleEndian.Uint32(head[4:]); version != 0 || pages == 0 || pages > 1<<16 {
		return fmt.Errorf("header: %w", errDamaged)
	}
	slots, err := d.slice(0, pages*4096)
	if err != nil {
		return err
	}
	for i := int64(2); i < pages*slotsPerPage; i++ { // the header takes two slots
		s := slots[i*slot:]
		number, offset := binary.LittleEndian.Uint32(s[4:]), binary.LittleEndian.Uint32(s[8:])
		if !bytes.HasPrefix(s, []byte("Slot")) {
			d.bad++
			continue
		}
		if number == 0 {
			continue
		}
		blob, err := d.slice(int64(offset)*16, 16)
		if err == nil && (!bytes.HasPrefix(blob, []byte("BlbS")) || binary.LittleEndian.Uint32(blob[4:]) != number) {
			err = errDamaged
		}
		if err == nil {
			blob, err = d.slice(int64(offset)*16+16, int64(binary.LittleEndian.Uint32(blob[12:])))
		}
		if err != nil && !errors.Is(err, errDamaged) {
			return err
		}
		if err != nil {
			d.bad++
			continue
		}
		d.each(blob)
	}
	return nil
}

const (
	bdbHash         = 0x061561 // magic number of the hash access method
	bdbPageHeader   = 26
	bdbMetaPage     = 8
	bdbUnsortedPage = 2
	bdbOverflowPage = 7
	bdbHashPage     = 13
	bdbOnPage       = 1 // an item in the page itself
	bdbOffPage      = 3 // an item in a chain of overflow pages
)

// bdb: pages of items, keys and values in turn.
func (d *database) bdb(head []byte, order binary.ByteOrder) error {
	size := int64(order.Uint32(head[20:]))
	if size < 512 || size > 65536 || size&(size-1) != 0 || head[25] != bdbMetaPage {
		return fmt.Errorf("header: %w", errDamaged)
	}
	if head[24] != 0 {
		return errors.New("it is encrypted")
	}
	last := int64(order.Uint32(head[32:]))
	if whole := d.c.Size() / size; last >= whole {
		d.bad++ // it was cut off
		last = whole - 1
	}
	for n := int64(1); n <= last; n++ {
		p, err := d.slice(n*size, size)
		if err != nil {
			return err
		}
		if p[25] == bdbHashPage || p[25] == bdbUnsortedPage {
			if err := d.bdbPage(p, order); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *database) bdbPage(p []byte, order binary.ByteOrder) error {
	items := int(order.Uint16(p[20:]))
	if items%2 != 0 || bdbPageHeader+2*items > len(p) {
		d.bad++
		return nil
	}
	at := func(i int) int { return int(order.Uint16(p[bdbPageHeader+2*i:])) }
	for i := 1; i < items; i += 2 {
		value, end := at(i), at(i-1) // items fill the page from its end
		if value+1 > end || end > len(p) {
			d.bad++
			continue
		}
		switch item := p[value:end]; item[0] {
		case bdbOnPage: // the counter is one; a header takes more
			if len(item) > 1+16 {
				d.each(bytes.Clone(item[1:]))
			}
		case bdbOffPage:
			if len(item) < 12 {
				d.bad++
				continue
			}
			header, err := d.bdbChain(int64(order.Uint32(item[4:])), int64(order.Uint32(item[8:])), int64(len(p)), order)
			if errors.Is(err, errDamaged) {
				d.bad++
				continue
			}
			if err != nil {
				return err
			}
			d.each(header)
		}
	}
	return nil
}

func (d *database) bdbChain(n, total, size int64, order binary.ByteOrder) ([]byte, error) {
	if total > maxHeader || total > d.c.Size() {
		return nil, errDamaged
	}
	header := make([]byte, 0, total)
	for int64(len(header)) < total {
		p, err := d.slice(n*size, size)
		if err != nil {
			return nil, err
		}
		used := int64(order.Uint16(p[22:]))
		if n == 0 || p[25] != bdbOverflowPage || used == 0 || bdbPageHeader+used > size {
			return nil, errDamaged
		}
		header = append(header, p[bdbPageHeader:bdbPageHeader+used]...)
		n = int64(order.Uint32(p[16:]))
	}
	return header[:total], nil
}

// A header is rpm's list of tagged values
// (https://rpm-software-management.github.io/rpm/manual/format_header.html).
type rpmHeader struct {
	tags map[uint32]rpmValue
	data []byte
}

type rpmValue struct{ kind, offset, count uint32 }

const (
	rpmName, rpmVersion, rpmRelease, rpmEpoch    = 1000, 1001, 1002, 1003
	rpmLicense, rpmArch, rpmSource               = 1014, 1022, 1044
	rpmOldFileNames                              = 1027
	rpmDirIndexes, rpmBaseNames, rpmDirNames     = 1116, 1117, 1118
	rpmModularity                                = 5096
	rpmInt32, rpmString, rpmStrings, rpmI18NText = 4, 6, 8, 9
)

// wantedTags are all that is looked up.
var wantedTags = map[uint32]bool{
	rpmName: true, rpmVersion: true, rpmRelease: true, rpmEpoch: true, rpmLicense: true, rpmArch: true, rpmSource: true,
	rpmOldFileNames: true, rpmDirIndexes: true, rpmBaseNames: true, rpmDirNames: true, rpmModularity: true,
}

func parseHeader(b []byte) (*rpmHeader, error) {
	if len(b) < 8 {
		return nil, errDamaged
	}
	entries, size := int64(binary.BigEndian.Uint32(b)), int64(binary.BigEndian.Uint32(b[4:]))
	if 8+16*entries+size > int64(len(b)) {
		return nil, errDamaged
	}
	h := &rpmHeader{tags: map[uint32]rpmValue{}, data: b[8+16*entries : 8+16*entries+size]}
	for e := b[8 : 8+16*entries]; len(e) > 0; e = e[16:] {
		if tag := binary.BigEndian.Uint32(e); wantedTags[tag] {
			h.tags[tag] = rpmValue{binary.BigEndian.Uint32(e[4:]), binary.BigEndian.Uint32(e[8:]), binary.BigEndian.Uint32(e[12:])}
		}
	}
	return h, nil
}

// strings returns a tag's text values; ok is false when they are cut off.
func (h *rpmHeader) strings(tag uint32) (values []string, ok bool) {
	v, there := h.tags[tag]
	if !there {
		return nil, true
	}
	if v.kind != rpmString && v.kind != rpmStrings && v.kind != rpmI18NText || int64(v.offset) > int64(len(h.data)) {
		return nil, false
	}
	rest := h.data[v.offset:]
	for range v.count {
		end := bytes.IndexByte(rest, 0)
		if end < 0 {
			return values, false
		}
		values = append(values, string(rest[:end]))
		rest = rest[end+1:]
	}
	return values, true
}

// text returns a tag's first value, "" for none.
func (h *rpmHeader) text(tag uint32) string {
	if v := h.tags[tag]; v.count > 1 { // only the first is asked for
		v.count = 1
		h.tags[tag] = v
	}
	if values, _ := h.strings(tag); len(values) > 0 && values[0] != "(none)" {
		return values[0]
	}
	return ""
}

func (h *rpmHeader) ints(tag uint32) (values []uint32, ok bool) {
	v, there := h.tags[tag]
	if !there {
		return nil, true
	}
	end := int64(v.offset) + 4*int64(v.count)
	if v.kind != rpmInt32 || end > int64(len(h.data)) {
		return nil, false
	}
	for b := h.data[v.offset:end]; len(b) > 0; b = b[4:] {
		values = append(values, binary.BigEndian.Uint32(b))
	}
	return values, true
}

// files lists the paths that the package installed.
func (h *rpmHeader) files() (paths []string, ok bool) {
	bases, ok1 := h.strings(rpmBaseNames)
	dirs, ok2 := h.strings(rpmDirNames)
	indexes, ok3 := h.ints(rpmDirIndexes)
	if !ok1 || !ok2 || !ok3 || len(indexes) != len(bases) {
		return nil, false
	}
	if len(bases) == 0 { // rpm before version 4
		return h.strings(rpmOldFileNames)
	}
	for i, base := range bases {
		if int64(indexes[i]) >= int64(len(dirs)) {
			return nil, false
		}
		paths = append(paths, dirs[indexes[i]]+base)
	}
	return paths, true
}
