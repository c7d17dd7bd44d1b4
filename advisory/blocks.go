package advisory

import (
	"encoding/binary"
	"runtime"
	"sync"

	"github.com/klauspost/compress/zstd"
)

const (
	// blockSize is how much is compressed together: large enough for neighbours to
	// share their words, small enough that one look-up inflates little.
	blockSize = 64 << 10
	// maxBlock bounds what a block may claim to inflate to. A block holds at least
	// one record, and the largest known is 20 times smaller.
	maxBlock = 32 << 20

	blockRefSize = 16 // offset u64, compressed length u32, inflated length u32
	locSize      = 8  // block u32, offset in it u32
)

// loc is where a record begins: which block, and where in the inflated block.
type loc struct{ block, off uint32 }

func (l loc) append(b []byte) []byte {
	b = binary.LittleEndian.AppendUint32(b, l.block)
	return binary.LittleEndian.AppendUint32(b, l.off)
}

func locAt(b []byte) loc {
	return loc{binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])}
}

// blockWriter groups records into zstd blocks. Blocks are compressed on all
// cores; their order, and so the bytes of the result, do not depend on that.
type blockWriter struct {
	zstd   *zstd.Encoder
	size   int
	cur    []byte
	blocks []*zblock
	wg     sync.WaitGroup
	slots  chan struct{}
}

type zblock struct {
	data []byte // compressed, once the writer's goroutines are done
	raw  int    // bytes before compression
}

func newBlockWriter(size int) *blockWriter {
	// The options are constant and valid, so there is no error to handle.
	enc, _ := zstd.NewWriter(nil,
		zstd.WithEncoderLevel(zstd.SpeedBetterCompression),
		zstd.WithEncoderConcurrency(runtime.GOMAXPROCS(0)),
		zstd.WithSingleSegment(true), // its header always tells the inflated size
		zstd.WithEncoderCRC(true))
	return &blockWriter{zstd: enc, size: size, slots: make(chan struct{}, runtime.GOMAXPROCS(0))}
}

// add appends one record and returns where it will be found.
func (w *blockWriter) add(record []byte) loc {
	if len(w.cur) > 0 && len(w.cur)+len(record) > w.size {
		w.flush()
	}
	l := loc{uint32(len(w.blocks)), uint32(len(w.cur))}
	w.cur = binary.AppendUvarint(w.cur, uint64(len(record)))
	w.cur = append(w.cur, record...)
	return l
}

func (w *blockWriter) flush() {
	if len(w.cur) == 0 {
		return
	}
	raw := w.cur
	w.cur = make([]byte, 0, w.size)
	b := &zblock{raw: len(raw)}
	w.blocks = append(w.blocks, b)
	w.slots <- struct{}{}
	w.wg.Go(func() {
		b.data = w.zstd.EncodeAll(raw, nil)
		<-w.slots
	})
}

// finish returns the table of blocks and the blocks.
func (w *blockWriter) finish() (table, data []byte) {
	w.flush()
	w.wg.Wait()
	for _, b := range w.blocks {
		table = binary.LittleEndian.AppendUint64(table, uint64(len(data)))
		table = binary.LittleEndian.AppendUint32(table, uint32(len(b.data)))
		table = binary.LittleEndian.AppendUint32(table, uint32(b.raw))
		data = append(data, b.data...)
	}
	w.zstd.Close()
	return table, data
}

// blockReader finds records in what blockWriter made. It is safe for concurrent
// use, and keeps the blocks that it inflated last.
type blockReader struct {
	table, data []byte
	cache       *blockCache
}

func newBlockReader(table, data []byte, cache *blockCache) (*blockReader, error) {
	if len(table)%blockRefSize != 0 {
		return nil, errDamaged
	}
	return &blockReader{table: table, data: data, cache: cache}, nil
}

// record returns the bytes of the record at l. They are shared: do not change them.
func (r *blockReader) record(l loc) ([]byte, error) {
	block, err := r.block(l.block)
	if err != nil {
		return nil, err
	}
	if uint64(l.off) >= uint64(len(block)) {
		return nil, errDamaged
	}
	block = block[l.off:]
	size, n := binary.Uvarint(block)
	if n <= 0 || size > uint64(len(block)-n) {
		return nil, errDamaged
	}
	return block[n : n+int(size)], nil
}

func (r *blockReader) block(i uint32) ([]byte, error) {
	if uint64(i) >= uint64(len(r.table)/blockRefSize) {
		return nil, errDamaged
	}
	if b := r.cache.get(r, i); b != nil {
		return b, nil
	}
	ref := r.table[int(i)*blockRefSize:]
	off := binary.LittleEndian.Uint64(ref)
	size := uint64(binary.LittleEndian.Uint32(ref[8:]))
	raw := binary.LittleEndian.Uint32(ref[12:])
	if off > uint64(len(r.data)) || size > uint64(len(r.data))-off || raw > maxBlock {
		return nil, errDamaged
	}
	b, err := r.cache.inflate(r.data[off:off+size], int(raw))
	if err != nil {
		return nil, err
	}
	r.cache.put(r, i, b)
	return b, nil
}

// blockCache keeps the last inflated blocks of one bundle, first in first out.
// Look-ups for one image come sorted by package or nearly so, and their records
// lie together, so few are enough.
type blockCache struct {
	zstd *zstd.Decoder

	mu   sync.Mutex
	m    map[blockID][]byte
	ring [cachedBlocks]blockID
	next int
}

const (
	cachedBlocks   = 64
	maxCachedBlock = 1 << 20 // a block of one giant record is not worth its place
)

type blockID struct {
	r *blockReader
	i uint32
}

func newBlockCache() *blockCache {
	dec, _ := zstd.NewReader(nil, // constant, valid options: no error
		zstd.WithDecoderConcurrency(runtime.GOMAXPROCS(0)),
		zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(maxBlock))
	return &blockCache{zstd: dec, m: make(map[blockID][]byte, cachedBlocks)}
}

// inflate fails unless b inflates to exactly raw bytes.
func (c *blockCache) inflate(b []byte, raw int) ([]byte, error) {
	var h zstd.Header
	if h.Decode(b) != nil || !h.HasFCS || h.FrameContentSize != uint64(raw) {
		return nil, errDamaged
	}
	out, err := c.zstd.DecodeAll(b, make([]byte, 0, raw))
	if err != nil || len(out) != raw {
		return nil, errDamaged
	}
	return out, nil
}

func (c *blockCache) get(r *blockReader, i uint32) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.m[blockID{r, i}]
}

func (c *blockCache) put(r *blockReader, i uint32, b []byte) {
	if len(b) > maxCachedBlock {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	id := blockID{r, i}
	if _, ok := c.m[id]; ok {
		return
	}
	delete(c.m, c.ring[c.next])
	c.ring[c.next], c.m[id] = id, b
	c.next = (c.next + 1) % cachedBlocks
}

func (c *blockCache) close() { c.zstd.Close() }
