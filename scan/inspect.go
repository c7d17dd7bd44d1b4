package scan

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/registry"
)

// inspectedAtOnce is how many manifests of one repository are read at once.
const inspectedAtOnce = 4

// typeMissing is a manifest that is not there, or not yet.
const typeMissing = "missing"

// inspect reads manifests of one repository. One that the registry does not have,
// or that has a form which nobody reads any longer, is told as another artifact; a
// damaged one is left out. An error concerns all that was not read.
func inspect(ctx context.Context, remote Inspector, conn registry.Connection, repository string, digests []pratique.Digest) (map[pratique.Digest]registry.Artifact, error) {
	digests = slices.Clone(digests)
	slices.Sort(digests)
	told := map[pratique.Digest]registry.Artifact{}
	var mu sync.Mutex
	var kept error
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(inspectedAtOnce)
	for _, d := range slices.Compact(digests) {
		group.Go(func() error {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			a, err := remote.Inspect(ctx, conn, repository, d)
			if errors.Is(err, registry.FaultPolicy) {
				mu.Lock()
				defer mu.Unlock()
				kept = cmp.Or(kept, err)
				return nil
			}
			switch pratique.CodeOf(err) {
			case "":
			case pratique.CodeNotFound:
				a = registry.Artifact{Digest: d, Kind: registry.KindOther, Type: typeMissing}
			case pratique.CodeUnsupported:
				a = registry.Artifact{Digest: d, Kind: registry.KindOther, Type: "unsupported"}
			case pratique.CodeCorrupt, pratique.CodeLimit:
				return nil
			default:
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			told[d] = a
			return nil
		})
	}
	return told, cmp.Or(group.Wait(), kept)
}
