package layer

// Limits bound what one layer may cost. The zero value of a field means its
// default.
type Limits struct {
	// Entries is the most tar entries that a layer may have. Eight bytes each are
	// kept until the layer is done.
	Entries int64
	// Inflated is the most bytes that a layer may have uncompressed.
	Inflated int64
	// Ratio is the most that a layer may grow by inflating, looked at once it has
	// grown beyond RatioFrom bytes. Deflate can reach 1032.
	Ratio     int64
	RatioFrom int64
	// File is the largest file that is given to an analyzer, in bytes.
	File int64
	// Memory is how many bytes of file content may be held at once, over all
	// layers; a file larger than Buffer is spilled to disk instead.
	Memory int64
	Buffer int64
}

const (
	defaultEntries   = 4_000_000
	defaultInflated  = 256 << 30
	defaultRatio     = 250
	defaultRatioFrom = 1 << 30
	defaultFile      = 4 << 30
	defaultMemory    = 48 << 20
	defaultBuffer    = 8 << 20

	maxName     = 4096     // PATH_MAX of Linux
	maxProblems = 100      // told for each layer and analyzer; the rest is counted
	maxKept     = 64 << 20 // bytes of names that a layer's structure is made of
)

func (l Limits) withDefaults() Limits {
	set := func(v *int64, d int64) {
		if *v <= 0 {
			*v = d
		}
	}
	set(&l.Entries, defaultEntries)
	set(&l.Inflated, defaultInflated)
	set(&l.Ratio, defaultRatio)
	set(&l.RatioFrom, defaultRatioFrom)
	set(&l.File, defaultFile)
	set(&l.Memory, defaultMemory)
	set(&l.Buffer, defaultBuffer)
	l.Buffer = min(l.Buffer, l.Memory)
	return l
}
