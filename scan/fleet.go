package scan

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/image"
	"github.com/pratique/pratique/layer"
)

// FleetStore is what agents need to be kept. What an agent may touch is decided in
// it, by the agent's id alone.
type FleetStore interface {
	RegistryStore
	// Enrol uses the token up by one, atomically; CodeUnauthorized when it is unknown,
	// expired, revoked or used up. A host that enrols again replaces its agent.
	Enrol(ctx context.Context, secretHash string, a pratique.Agent, host pratique.Host) (pratique.Agent, error)
	// AgentByKey is CodeUnauthorized for a key that is unknown or revoked.
	AgentByKey(ctx context.Context, key string) (pratique.Agent, error)
	// AgentStarted lets wait again what the agent was scanning before it ended.
	AgentStarted(ctx context.Context, agentID int64) error
	AgentBeat(ctx context.Context, agentID int64, host pratique.Host, version string, problems []pratique.Problem) error
	// PutInventory is CodeConflict for one that is older than the last.
	PutInventory(ctx context.Context, agentID int64, inv pratique.Inventory) error
	DropEngines(ctx context.Context, agentID int64, keep []pratique.EngineInfo) error
	// NextWork claims something for the agent, and is zero when there is nothing.
	NextWork(ctx context.Context, agentID int64) (pratique.AgentWork, error)
	// NextRefresh is the part of NextWork that is no scan.
	NextRefresh(ctx context.Context, agentID int64) (refresh int64, err error)
	// NextTest is a connection test that the agent's site is wanted to do, or nil;
	// TestDone is CodeCancelled when nobody waits for the outcome any longer.
	NextTest(ctx context.Context, agentID int64) (*pratique.AgentTest, error)
	TestDone(ctx context.Context, agentID, id int64, outcome json.RawMessage) error
	RefreshDone(ctx context.Context, agentID, refresh int64, failure *pratique.Error) error
	// AgentLease is what the agent holds of a scan now, or CodeCancelled.
	AgentLease(ctx context.Context, agentID, scanID int64) (pratique.Lease, error)

	// As in ScanStore, under such a lease.
	Beat(ctx context.Context, lease pratique.Lease, progress map[pratique.Category]int) error
	FinishScan(ctx context.Context, lease pratique.Lease, report *pratique.Report, rules string) (again bool, err error)
	FailScan(ctx context.Context, lease pratique.Lease, failure *pratique.Error, partial *pratique.Report) error
	Release(ctx context.Context, lease pratique.Lease) error
	Postpone(ctx context.Context, lease pratique.Lease, due time.Time, why *pratique.Error) error
	TakePull(ctx context.Context, registryID, scanID int64) (wait time.Duration, err error)
}

// Fleet is the service's side of what agents do: they tell what their hosts have,
// ask for work, and read images where they lie. What they read comes as facts; what
// that means is judged here, by the same [Run] that workers use, from facts alone.
//
// Facts of a host are its word for it: they are kept as attested, whatever the host
// says of them, and serve only what no registry has. The facts of a site's agent
// come from blobs whose digests it verified, as a worker's do.
type Fleet struct {
	Store       FleetStore
	Facts       FactStore
	Pass        *layer.Pass // whose analyzers' facts are wanted; it reads nothing
	Knowledge   KnowledgeSource
	Credentials Credentials
	Syncer      *Syncer // of registries of sites
	Tool        pratique.Tool
	Observer    Observer
	Log         *slog.Logger
	// Own are the attested facts that serve a host, if not all do: see [OwnFacts].
	Own func(a pratique.Agent) (FactStore, error)

	judging turnstile
}

// askAgain is how often work is looked for while an agent waits for some. Wishes may
// come by any server, so nobody can say when there is some.
const askAgain = 2 * time.Second

// Work waits for something to do: connection tests, for which people wait; unless the
// agent is at as many of them as it may, a synchronisation; data updates; and unless it
// is busy, a scan.
func (f *Fleet) Work(ctx context.Context, a pratique.Agent, wait time.Duration, busy, syncing bool) (work pratique.AgentWork, err error) {
	patience := time.NewTimer(wait)
	defer patience.Stop()
	for {
		if a.Kind == pratique.AgentSite {
			if work.Test, err = f.Store.NextTest(ctx, a.ID); err != nil || work.Test != nil {
				return work, err
			}
		}
		if a.Kind == pratique.AgentSite && !syncing {
			if work.Sync, err = f.Syncer.TakeSite(ctx, a.Site); err != nil || work.Sync != nil {
				return work, err
			}
		}
		if busy {
			work.Refresh, err = f.Store.NextRefresh(ctx, a.ID)
		} else {
			work, err = f.Store.NextWork(ctx, a.ID)
		}
		if err != nil {
			return work, err
		}
		if work.Scan != nil {
			if err := f.permitted(ctx, work.Scan); err != nil {
				return pratique.AgentWork{}, err
			}
			if work.Scan.Lease.ScanID == 0 { // it was put off
				continue
			}
		}
		if work.Scan != nil || work.Refresh != 0 {
			return work, nil
		}
		select {
		case <-ctx.Done():
			return work, ctx.Err()
		case <-patience.C:
			return work, nil
		case <-time.After(askAgain):
		}
	}
}

// permitted counts a scan against the hourly limit of the registry that it is read
// from. Where it is used up, other places are tried, or the scan is put off, and the
// work is none.
func (f *Fleet) permitted(ctx context.Context, s *pratique.AgentScan) error {
	var soonest time.Duration
	var may []pratique.Location
	asked := map[int64]time.Duration{}
	for _, l := range s.Remote {
		wait, known := asked[l.RegistryID]
		if !known {
			var err error
			if wait, err = f.Store.TakePull(ctx, l.RegistryID, s.Lease.ScanID); err != nil {
				return errors.Join(err, f.Store.Release(ctx, s.Lease))
			}
			asked[l.RegistryID] = wait
		}
		if wait == 0 {
			may = append(may, l)
		} else if soonest == 0 || wait < soonest {
			soonest = wait
		}
	}
	if len(s.Remote) == 0 || len(may) > 0 {
		s.Remote = may
		return nil
	}
	due := time.Now().Add(soonest)
	why := pratique.Errorf(pratique.CodeRateLimited, "the registries of the site have had their images of this hour").
		WithRemedy("it goes on by itself at %s; a higher limit of the registry makes it sooner", due.Format("15:04 MST"))
	lease := s.Lease
	s.Lease = pratique.Lease{}
	return f.Store.Postpone(ctx, lease, due, why)
}

// Registries are those that work is read from, with their passwords. They are the
// agent's own site's: the store chose them.
func (f *Fleet) Registries(ctx context.Context, work pratique.AgentWork) (all []pratique.Registry, passwords []string, err error) {
	if t := work.Test; t != nil {
		return []pratique.Registry{t.Registry}, []string{t.Password}, nil
	}
	var ids []int64
	if work.Sync != nil {
		ids = append(ids, work.Sync.Run.RegistryID)
	}
	if work.Scan != nil {
		for _, l := range work.Scan.Remote {
			ids = append(ids, l.RegistryID)
		}
	}
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		r, err := f.Store.Registry(ctx, id)
		if err != nil {
			return nil, nil, err
		}
		password, err := f.Store.RegistryPassword(ctx, id)
		if err != nil {
			return nil, nil, err
		}
		all, passwords = append(all, r), append(passwords, password)
	}
	return all, passwords, nil
}

// held is a lease that an agent has, with the image that it is for.
type held struct {
	lease pratique.Lease
	image pratique.Image
	facts FactStore // that count for it
}

// hold checks that an agent has a lease, and that a config is the image's, so that
// what the agent says about layers is about that image's.
func (f *Fleet) hold(ctx context.Context, a pratique.Agent, scanID int64, attempt int, config []byte) (h held, err error) {
	if h.lease, err = f.Lease(ctx, a, scanID, attempt); err != nil {
		return h, err
	}
	if pratique.DigestOf(config) != h.lease.ImageID {
		return h, pratique.Errorf(pratique.CodeInvalid, "the config is not that of the image %s", h.lease.ImageID.Short()).WithRemedy("the host has other content under that name by now; it is told with the next inventory")
	}
	if h.image, err = image.Describe(config); err != nil {
		return h, err
	}
	h.facts = f.Facts
	if f.Own != nil && a.Kind == pratique.AgentHost {
		h.facts, err = f.Own(a)
	}
	return h, err
}

// Lease is the agent's lease of a scan, if the attempt is still the one.
func (f *Fleet) Lease(ctx context.Context, a pratique.Agent, scanID int64, attempt int) (pratique.Lease, error) {
	lease, err := f.Store.AgentLease(ctx, a.ID, scanID)
	if err == nil && lease.Attempt != attempt {
		err = pratique.Errorf(pratique.CodeCancelled, "scan %d was cancelled or given to another worker", scanID)
	}
	return lease, err
}

// KnownLayers are the layers of an image that the agent need not read: all facts of
// them are there, verified, or, for an image that only hosts have, attested.
func (f *Fleet) KnownLayers(ctx context.Context, a pratique.Agent, scanID int64, attempt int, config []byte, keys [][2]string) (known []pratique.Digest, err error) {
	h, err := f.hold(ctx, a, scanID, attempt, config)
	if err != nil {
		return nil, err
	}
	if err := f.comparable(keys); err != nil || h.lease.Forced {
		return nil, err
	}
	for _, l := range h.image.Layers {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if !slices.Contains(known, l.DiffID) && f.has(h.facts, l.DiffID, keys, a.Kind == pratique.AgentHost) {
			known = append(known, l.DiffID)
		}
	}
	return known, nil
}

func (f *Fleet) has(store FactStore, diffID pratique.Digest, keys [][2]string, attested bool) bool {
	for _, key := range keys {
		if facts := store.Get(diffID, key[0], key[1]); facts == nil || !facts.Verified && !attested {
			return false
		}
	}
	return true
}

// otherRules is the analyzer whose rules may differ between a service and its
// agents: what was found by other rules counts, and is told to be older.
const otherRules = "malware"

// comparable refuses facts of analyzers that are not ours: another version of the
// program read them.
func (f *Fleet) comparable(keys [][2]string) error {
	ours := f.Pass.Keys()
	same := len(keys) == len(ours)
	for i := 0; same && i < len(keys); i++ {
		same = keys[i] == ours[i] || keys[i][0] == ours[i][0] && keys[i][0] == otherRules
	}
	if !same {
		return pratique.Errorf(pratique.CodeConflict, "the agent and the service are of versions that read images differently").
			WithRemedy("update the agent to the service's version")
	}
	return nil
}

// PutFacts keeps what one analyzer found in one layer of the image that is being
// scanned.
func (f *Fleet) PutFacts(ctx context.Context, a pratique.Agent, scanID int64, attempt int, config []byte, facts pratique.Facts) error {
	h, err := f.hold(ctx, a, scanID, attempt, config)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(h.image.Layers, func(l pratique.Layer) bool { return l.DiffID == facts.DiffID }) {
		return pratique.Errorf(pratique.CodeUnauthorized, "the image %s has no layer %s", h.image.ID.Short(), facts.DiffID.Short())
	}
	known := slices.ContainsFunc(f.Pass.Keys(), func(key [2]string) bool {
		return facts.Analyzer == key[0] && (facts.Version == key[1] || key[0] == otherRules)
	})
	if !known {
		return pratique.Errorf(pratique.CodeConflict, "no analyzer of ours made these facts").WithRemedy("update the agent to the service's version")
	}
	if a.Kind == pratique.AgentHost {
		facts.Verified = false
	}
	plain(&facts)
	return h.facts.Put(&facts)
}

// plain takes out of facts what only an image's view may say.
func plain(facts *pratique.Facts) {
	for i := range facts.Packages {
		facts.Packages[i].Origin, facts.Packages[i].OwnedBy = nil, ""
	}
	for i := range facts.Files {
		facts.Files[i].Origin = nil
	}
	for i := range facts.Secrets {
		facts.Secrets[i].Origin = nil
	}
	for i := range facts.Malware {
		facts.Malware[i].Origin = nil
	}
	for i := range facts.Problems {
		facts.Problems[i].Layer = nil
	}
}

// Finish judges what an agent has read, and ends its scan.
func (f *Fleet) Finish(ctx context.Context, a pratique.Agent, scanID int64, attempt int, reading pratique.Reading) error {
	h, err := f.hold(ctx, a, scanID, attempt, reading.Config)
	if err != nil {
		return err
	}
	if err := f.comparable(reading.Keys); err != nil {
		return err
	}
	began := time.Now()
	report, told, err := f.judge(ctx, a, h, reading)
	if err != nil {
		return err
	}
	h.lease.Knowledge = told
	if _, err := f.Store.FinishScan(ctx, h.lease, report, Rules(reading.Keys)); err != nil {
		return err
	}
	read, cached := 0, 0
	for _, l := range reading.Layers {
		switch l.State {
		case pratique.LayerCached:
			cached++
		case pratique.LayerRead:
			read++
		}
	}
	f.Observer.Layers(read, cached)
	f.Observer.Scanned(pratique.StatusScanned, "", time.Since(began))
	f.Log.Info("an agent scanned an image", "agent", a.Name, "image", report.Image.Name, "id", h.lease.ImageID.Short(), "scan", scanID, "read", read, "known", cached)
	return nil
}

// Fail ends a scan that an agent could not bring to its end. With a reading, what
// was read counts.
func (f *Fleet) Fail(ctx context.Context, a pratique.Agent, scanID int64, attempt int, failure pratique.Error, reading *pratique.Reading) error {
	lease, err := f.Lease(ctx, a, scanID, attempt)
	if err != nil {
		return err
	}
	var partial *pratique.Report
	if reading != nil {
		h, err := f.hold(ctx, a, scanID, attempt, reading.Config)
		if err == nil && f.comparable(reading.Keys) == nil {
			if partial, lease.Knowledge, err = f.judge(ctx, a, h, *reading); err != nil {
				return err
			}
		}
	}
	if err := f.Store.FailScan(ctx, lease, &failure, partial); err != nil {
		return err
	}
	f.Observer.Scanned(pratique.StatusFailed, failure.Code, 0)
	f.Log.Warn("an agent could not scan an image", "agent", a.Name, "id", lease.ImageID.Short(), "scan", scanID, "code", failure.Code, "error", failure.Message)
	return nil
}

// judgedAtOnce is how many readings are judged at a time: it is work for a processor
// and takes memory, and agents come in any number.
const judgedAtOnce = 2

// judge runs the second half of a scan. Nothing is read but facts.
func (f *Fleet) judge(ctx context.Context, a pratique.Agent, h held, reading pratique.Reading) (report *pratique.Report, told string, err error) {
	leave, err := f.judging.enter(ctx, judgedAtOnce)
	if err != nil {
		return nil, "", err
	}
	defer leave()
	defer func() {
		if v := recover(); v != nil { // facts are what a host says, and need not make sense
			f.Log.Error("facts of an agent cannot be judged", "agent", a.Name, "scan", h.lease.ScanID, "panic", fmt.Sprint(v))
			report, err = nil, pratique.Errorf(pratique.CodeInternal, "what the agent told about the image makes no sense").WithRemedy("look at the service's log, and report it")
		}
	}()
	known, bundle, release, err := f.Knowledge.Current(ctx)
	if err != nil {
		return nil, "", err
	}
	defer release()
	img, problems := described(h.image, reading)
	now := time.Now()
	report, err = Run(ctx, Request{
		Image: img, Source: untold{reading.Layers}, Problems: problems, Pass: f.Pass, Keys: reading.Keys, Store: h.facts, Attested: a.Kind == pratique.AgentHost,
		Knowledge: known, Bundle: bundle, Credentials: f.Credentials, Progress: NewTracker(nil), Tool: f.Tool, Started: now, Now: now.UTC(),
	})
	if report != nil {
		readThere(report.Layers, reading.Layers)
	}
	return report, KnowledgeName(known), err
}

// readThere says of layers that the agent read for this scan that they were read: when
// it is judged, the facts of all of them are known.
func readThere(layers []pratique.Layer, told []pratique.ReadLayer) {
	for i := range layers {
		if i < len(told) && told[i].State == pratique.LayerRead && layers[i].State == pratique.LayerCached {
			layers[i].State = pratique.LayerRead
		}
	}
}

// described is an image as its config and the agent describe it.
func described(img pratique.Image, r pratique.Reading) (pratique.Image, []pratique.Problem) {
	img.Name, img.Digest, img.IndexDigest, img.Tags, img.ReadFrom = r.Name, r.Digest, r.Index, r.Tags, r.ReadFrom
	for i := range img.Layers {
		if i >= len(r.Layers) {
			break
		}
		l, told := &img.Layers[i], r.Layers[i]
		l.Digest, l.MediaType, l.Size = told.Digest, told.MediaType, told.Size
		img.Size += l.Size
		if told.State == pratique.LayerForeign || told.State == pratique.LayerEncrypted {
			l.State, l.Reason = told.State, told.Reason
		}
	}
	return img, r.Problems
}

// untold is the source of layers whose facts are not there: it knows why.
type untold struct{ layers []pratique.ReadLayer }

func (u untold) Layer(_ context.Context, i int) (io.ReadCloser, error) {
	reason, state := "its facts did not arrive", pratique.LayerNotRead
	if i < len(u.layers) {
		reason, state = cmp.Or(u.layers[i].Reason, reason), u.layers[i].State
	}
	if state == pratique.LayerUnreadable {
		return nil, pratique.Errorf(pratique.CodeCorrupt, "%s", reason)
	}
	return nil, pratique.Errorf(pratique.CodeLimit, "it was not read: %s", reason)
}

// Rules names analyzers with their rule sets, as they are told to the store.
func Rules(keys [][2]string) string {
	var all []string
	for _, key := range keys {
		all = append(all, key[0]+" "+key[1])
	}
	slices.Sort(all)
	return strings.Join(all, "; ")
}

// OwnFacts are the facts that serve one host when facts of other hosts shall not:
// verified ones, and those that it attested itself.
type OwnFacts struct {
	Shared FactStore
	Host   FactStore // of this host alone
}

// Get returns verified facts, else the host's own.
func (o OwnFacts) Get(diffID pratique.Digest, analyzer, version string) *pratique.Facts {
	if facts := o.Shared.Get(diffID, analyzer, version); facts != nil && facts.Verified {
		return facts
	}
	return o.Host.Get(diffID, analyzer, version)
}

// Put keeps attested facts apart.
func (o OwnFacts) Put(facts *pratique.Facts) error {
	if facts.Verified {
		return o.Shared.Put(facts)
	}
	return o.Host.Put(facts)
}

// turnstile lets a number of goroutines in at a time. The zero value is ready.
type turnstile struct {
	once  sync.Once
	slots chan struct{}
}

func (t *turnstile) enter(ctx context.Context, most int) (leave func(), err error) {
	t.once.Do(func() { t.slots = make(chan struct{}, most) })
	select {
	case t.slots <- struct{}{}:
		return func() { <-t.slots }, nil
	case <-ctx.Done():
		return nil, pratique.Errorf(pratique.CodeCancelled, "stopped: %w", context.Cause(ctx))
	}
}
