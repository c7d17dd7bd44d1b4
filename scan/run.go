package scan

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/image"
	"github.com/pratique/pratique/layer"
	"github.com/pratique/pratique/match"
	"github.com/pratique/pratique/policy"
)

// A Source yields the blobs of an image's layers.
type Source interface {
	// Layer opens the blob of layer i as it is stored. It may be asked twice.
	Layer(ctx context.Context, i int) (io.ReadCloser, error)
}

// An Unpacker is a Source some of whose layers lie in folders of a local engine.
type Unpacker interface {
	// Unpacked is layer i if it does, or nil: then Layer has its blob.
	Unpacked(i int) *layer.Unpacked
}

// FactStore keeps facts between scans. Verified ones are better than those that a
// host attested, and are not replaced by them.
type FactStore interface {
	// Get returns facts, verified ones if there are any, or nil.
	Get(diffID pratique.Digest, analyzer, version string) *pratique.Facts
	Put(facts *pratique.Facts) error
}

// Sharing lets scans that go on at the same time read each layer once.
type Sharing interface {
	// Take waits until nobody else reads the layer, and lets the caller read it until
	// over is called. An error means that ctx has ended.
	Take(ctx context.Context, diffID pratique.Digest) (over func(), err error)
}

// Knowledge is what a bundle of feeds knows.
type Knowledge interface {
	match.Knowledge
	match.Hashes
}

// Credentials finds secrets in what an image's config says, and masks them.
type Credentials interface {
	Config(img pratique.Image) []pratique.Secret
	MaskImage(img pratique.Image) pratique.Image
}

// Malware says which findings of malware are wanted.
type Malware struct {
	Allow *policy.MalwareAllow // nil: nothing is allowed
	// Off are families that are not reported. Facts have them all, so that another
	// answer needs no layer.
	Off []string
}

// Progress is told what happens. Its methods are called from several goroutines.
type Progress interface {
	Phase(name string)
	Layers(layers []pratique.Layer)
	Layer(index int, read int64, state pratique.LayerState)
}

// A Request is one image to be scanned, and everything that the scan needs.
type Request struct {
	Image    pratique.Image
	Source   Source             // for KindImage
	Folder   string             // for KindFolder
	Packages []pratique.Package // for KindSBOM
	Problems []pratique.Problem // met by the source

	Pass   *layer.Pass
	Verify bool      // compute the diffIDs of layers in folders too, which reads everything
	Store  FactStore // nil: nothing is kept
	// Attested: facts that a host attests will do, wherever they come from.
	Attested bool
	// Keys are the analyzers whose facts count, if they are not the pass's own: an
	// agent may have read by another rule set.
	Keys        [][2]string
	Turns       Sharing   // nil: nobody else reads the same layers at the same time
	Knowledge   Knowledge // nil: vulnerabilities are unknown
	Bundle      *pratique.Bundle
	Credentials Credentials // nil: secrets are not looked for
	Malware     Malware
	Progress    Progress
	Tool        pratique.Tool
	Started     time.Time // when the user asked; the origin of Report.Timing
	Now         time.Time // the day of the judgement
}

// Run scans. The report is complete in form even when parts of the image could
// not be read: they are named in Coverage and Problems. An error means that
// there is no report: the source failed, or the scan was cancelled. Layers that
// were finished by then are in the store, so that the next scan goes on there.
func Run(ctx context.Context, r Request) (*pratique.Report, error) {
	s := newRun(r)
	report := s.report
	if r.Image.Platform.OS == "windows" {
		s.unsupported()
		return report, nil
	}
	reading := time.Now()
	view, err := s.view(ctx)
	if err != nil {
		return nil, err
	}
	report.Timing.Read = time.Since(reading).Seconds()
	r.Progress.Phase("judging")
	judging := time.Now()
	s.judge(ctx, view)
	report.Timing.Judge = time.Since(judging).Seconds()
	if nanos := s.firstByte.Load(); nanos > 0 {
		report.Timing.FirstByte = time.Duration(nanos).Seconds()
	}
	report.Timing.BytesRead = s.bytesRead.Load()
	report.Timing.Total = time.Since(r.Started).Seconds()
	if ctx.Err() != nil {
		return nil, pratique.Errorf(pratique.CodeCancelled, "stopped: %w", context.Cause(ctx))
	}
	return report, nil
}

// Read is the first half of Run, for an image whose facts somebody else judges: it
// takes the layers that the store does not know through the pass, and returns all of
// them with what became of each. Facts go to the store.
func Read(ctx context.Context, r Request) (layers []pratique.Layer, problems []pratique.Problem, err error) {
	s := newRun(r)
	if r.Image.Platform.OS == "windows" {
		s.unsupported()
		return s.report.Layers, s.report.Problems, nil
	}
	s.Progress.Phase("reading layers")
	s.Progress.Layers(s.report.Layers)
	if _, err := s.layers(ctx); err != nil {
		return s.report.Layers, nil, err
	}
	if ctx.Err() != nil {
		return s.report.Layers, nil, pratique.Errorf(pratique.CodeCancelled, "stopped: %w", context.Cause(ctx))
	}
	return s.report.Layers, append(s.report.Problems, s.problems...), nil
}

func newRun(r Request) *run {
	if r.Keys == nil && r.Pass != nil {
		r.Keys = r.Pass.Keys()
	}
	return &run{Request: r, report: &pratique.Report{
		SchemaVersion: pratique.SchemaVersion, Tool: r.Tool, Created: r.Now, Image: r.Image, Bundle: r.Bundle,
		Layers: slices.Clone(r.Image.Layers), Problems: r.Problems,
	}}
}

// uses tells whether an analyzer took part.
func (s *run) uses(analyzer string) bool {
	return slices.ContainsFunc(s.Keys, func(key [2]string) bool { return key[0] == analyzer })
}

type run struct {
	Request
	report    *pratique.Report
	firstByte atomic.Int64 // nanoseconds after Started
	bytesRead atomic.Int64

	mu       sync.Mutex
	problems []pratique.Problem
}

// unsupported ends a scan of what we cannot judge: a state, not an error.
func (s *run) unsupported() {
	reason := "Windows images are not supported: only Linux images can be scanned"
	s.report.Coverage = map[pratique.Category]pratique.CategoryCoverage{}
	for _, c := range [...]pratique.Category{pratique.CategorySoftware, pratique.CategoryVulnerability, pratique.CategoryMalware, pratique.CategorySecret} {
		s.report.Coverage[c] = pratique.CategoryCoverage{State: pratique.CoverageUnsupported, Reasons: []string{reason}}
	}
	s.report.Problems = append(s.report.Problems, pratique.Problem{Code: pratique.CodeUnsupported, Message: reason, Remedy: "choose a Linux image of the index with --platform"})
	for i := range s.report.Layers {
		s.report.Layers[i].State = pratique.LayerNotRead
	}
	s.report.Timing.Total = time.Since(s.Started).Seconds()
}

// view reads what is missing and puts the image together.
func (s *run) view(ctx context.Context) (*image.View, error) {
	switch s.Image.Kind {
	case pratique.KindSBOM:
		return &image.View{Packages: s.Packages, Distro: s.Image.Distro}, nil
	case pratique.KindFolder:
		s.Progress.Phase("reading files")
		result, err := s.Pass.ReadFolder(ctx, s.Folder, nil)
		if err != nil && (ctx.Err() != nil || fatal(err)) {
			return nil, err
		}
		if err != nil {
			s.problem(-1, err)
		}
		s.firstByte.CompareAndSwap(0, int64(time.Since(s.Started)))
		img := s.Image
		img.Layers = []pratique.Layer{{Index: 0, State: pratique.LayerRead}}
		return image.New(img, [][]pratique.Facts{result.Facts}), nil
	}
	s.Progress.Phase("reading layers")
	s.Progress.Layers(s.report.Layers)
	facts, err := s.layers(ctx)
	if err != nil {
		return nil, err
	}
	img := s.Image
	img.Layers = s.report.Layers
	return image.New(img, facts), nil
}

// layers returns the facts of every layer, reading those that the store lacks.
// The largest are begun first, so that the cores are busy to the end; layers
// with the same content are read once.
func (s *run) layers(ctx context.Context) ([][]pratique.Facts, error) {
	facts := make([][]pratique.Facts, len(s.report.Layers))
	twins := map[pratique.Digest][]int{}
	var order []int
	for i := range s.report.Layers {
		l := &s.report.Layers[i]
		switch {
		case l.State == pratique.LayerForeign || l.State == pratique.LayerEncrypted:
			s.note(pratique.Problem{Code: pratique.CodeUnsupported, Partial: true, Layer: &l.Index, Message: l.Reason})
			s.Progress.Layer(i, 0, l.State)
			continue
		case l.DiffID != "":
			if twins[l.DiffID] = append(twins[l.DiffID], i); len(twins[l.DiffID]) > 1 {
				continue
			}
		}
		order = append(order, i)
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(s.report.Layers[b].Size, s.report.Layers[a].Size) })
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(2, runtime.GOMAXPROCS(0)))
	for _, i := range order {
		group.Go(func() (err error) {
			facts[i], err = s.layer(ctx, i)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for _, same := range twins {
		first := &s.report.Layers[same[0]]
		for _, i := range same[1:] {
			l := &s.report.Layers[i]
			facts[i], l.State, l.Reason, l.Uncompressed, l.Entries = facts[same[0]], first.State, first.Reason, first.Uncompressed, first.Entries
			l.Attested = first.Attested
			s.Progress.Layer(i, l.Size, l.State)
		}
	}
	return facts, nil
}

func (s *run) layer(ctx context.Context, i int) ([]pratique.Facts, error) {
	l := &s.report.Layers[i]
	if known := s.cached(i); known != nil {
		return known, nil
	}
	if s.Turns != nil && s.Store != nil && l.DiffID != "" {
		over, err := s.Turns.Take(ctx, l.DiffID)
		if err != nil {
			return nil, pratique.Errorf(pratique.CodeCancelled, "stopped: %w", err)
		}
		defer over()
		if known := s.cached(i); known != nil { // read by another meanwhile
			return known, nil
		}
	}
	result, err := s.read(ctx, i)
	if ctx.Err() != nil {
		return nil, pratique.Errorf(pratique.CodeCancelled, "stopped: %w", context.Cause(ctx))
	}
	if err != nil {
		if fatal(err) {
			return nil, err
		}
		s.problem(i, err)
		s.describe(l, result.Facts, pratique.LayerUnreadable)
		l.Reason = err.Error()
		s.Progress.Layer(i, l.Size, l.State)
		return result.Facts, nil
	}
	if result.DiffID != "" {
		l.DiffID = result.DiffID
	}
	if s.unpacked(i) == nil {
		l.Digest = cmp.Or(l.Digest, result.Digest)
	}
	s.describe(l, result.Facts, pratique.LayerRead)
	s.Progress.Layer(i, l.Size, l.State)
	s.keep(result.Facts)
	return result.Facts, nil
}

// cached returns a layer's facts if they are known.
func (s *run) cached(i int) []pratique.Facts {
	l := &s.report.Layers[i]
	known := s.known(i, l.DiffID)
	if known != nil {
		s.describe(l, known, pratique.LayerCached)
		s.Progress.Layer(i, l.Size, l.State)
	}
	return known
}

// read takes layer i through the pass.
func (s *run) read(ctx context.Context, i int) (layer.Result, error) {
	l := s.report.Layers[i]
	if u := s.unpacked(i); u != nil {
		return s.Pass.ReadUnpacked(ctx, u, l, s.Verify, s.counter(i))
	}
	return s.Pass.Read(ctx, func(ctx context.Context) (io.ReadCloser, error) { return s.Source.Layer(ctx, i) }, l, s.counter(i))
}

// unpacked is layer i if it lies in a folder.
func (s *run) unpacked(i int) *layer.Unpacked {
	if u, ok := s.Source.(Unpacker); ok {
		return u.Unpacked(i)
	}
	return nil
}

// attestable tells whether facts that this host attests will do for layer i:
// where its content can be verified, they will not.
func (s *run) attestable(i int) bool {
	u := s.unpacked(i)
	return s.Attested || u != nil && !(s.Verify && u.Verifiable())
}

// counter notes progress and the moment of the first byte.
func (s *run) counter(i int) func(int64) {
	var last int64
	return func(read int64) {
		s.firstByte.CompareAndSwap(0, int64(time.Since(s.Started)))
		s.bytesRead.Add(read - last)
		last = read
		s.Progress.Layer(i, read, "")
	}
}

// fatal tells trouble with the source, which concerns the whole scan, from
// trouble with one layer's content.
func fatal(err error) bool {
	switch pratique.CodeOf(err) {
	case pratique.CodeCorrupt, pratique.CodeLimit, pratique.CodeUnsupported, pratique.CodeDisk:
		return false
	}
	return true
}

// known returns the facts of layer i when the store has all of them.
func (s *run) known(i int, diffID pratique.Digest) []pratique.Facts {
	if s.Store == nil || diffID == "" {
		return nil
	}
	found := make([]*pratique.Facts, len(s.Keys))
	var group sync.WaitGroup // decoding is most of a scan whose facts are all known
	for k, key := range s.Keys {
		group.Go(func() { found[k] = s.Store.Get(diffID, key[0], key[1]) })
	}
	group.Wait()
	all := make([]pratique.Facts, 0, len(found))
	for _, facts := range found {
		if facts == nil || !facts.Verified && !s.attestable(i) {
			return nil
		}
		all = append(all, *facts)
	}
	return all
}

// keep stores facts. A full disk costs the cache, not the report, but is told.
// Facts that lack a file for want of space here, or of an engine that was lost,
// say nothing lasting about the layer, so they are not kept.
func (s *run) keep(all []pratique.Facts) {
	if s.Store == nil || slices.ContainsFunc(all, passingTrouble) {
		return
	}
	for i := range all {
		if err := s.Store.Put(&all[i]); err != nil {
			s.problem(-1, err)
			return
		}
	}
}

func passingTrouble(f pratique.Facts) bool {
	return slices.ContainsFunc(f.Problems, func(p pratique.Problem) bool {
		return p.Code == pratique.CodeDisk || p.Code == pratique.CodeUnreachable
	})
}

func (s *run) describe(l *pratique.Layer, facts []pratique.Facts, state pratique.LayerState) {
	l.State = state
	for i := range facts {
		if e := facts[i].Entries; e != nil {
			l.Entries, l.Uncompressed = e.Count, e.Bytes
			l.Attested = !facts[i].Verified && state != pratique.LayerUnreadable
		}
	}
}

// problem notes an error; layer is -1 when it is not one layer's.
func (s *run) problem(layer int, err error) {
	p := pratique.Problem{Code: pratique.CodeOf(err), Message: err.Error(), Partial: layer >= 0}
	var known *pratique.Error
	if errors.As(err, &known) {
		p.Remedy = known.Remedy
	}
	if layer >= 0 {
		p.Layer, p.Message = &layer, fmt.Sprintf("layer %d: %s", layer, p.Message)
	}
	s.note(p)
}

func (s *run) note(p pratique.Problem) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, q := range s.problems {
		same := q.Layer == p.Layer || q.Layer != nil && p.Layer != nil && *q.Layer == *p.Layer
		if same && q.Message == p.Message && q.Path == p.Path {
			return
		}
	}
	s.problems = append(s.problems, p)
}
